"""The records of a GeoJSON source, some hundred at a time, whatever the source's form."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from typing import BinaryIO, TypeAlias

import msgspec

from labelconv.errors import SourceError
from labelconv.formats.geojson.outline import SEPARATOR, Outline
from labelconv.formats.geojson.wire import RECORDS, Record, record_of
from labelconv.io import Source, lines, skip_mark
from labelconv.jsonstream import UNDECODABLE, Batch, Walker
from labelconv.problems import Where
from labelconv.sharedlines import Pieces

_CHUNK_BYTES = 262_144


class Broken(msgspec.Struct):
    """A record that cannot be decoded, and why."""

    why: str


class Window(msgspec.Struct):
    """Some records with their places among all. `raws`, `where` and `places` (offset and length in
    the file) are asked for when needed."""

    indexes: Sequence[int]
    records: list[Record | Broken]
    raws: Callable[[], list[bytes]]
    where: Callable[[int], Where]
    places: Callable[[], list[tuple[int, int]]]


#: Windows that can be closed before their end.
Windows: TypeAlias = Generator[Window, None, None]


class Share(msgspec.Struct, frozen=True):
    """How features are shared with other processes.

    - `elements(walker)`: those of an array that was just entered; returns the index of the feature
      at which the walker stands then, None when all were read.
    - `pieces(file)`: whole lines from where the file stands.
    """

    elements: Callable[[Walker], Generator[Batch[Record], None, int | None]]
    pieces: Callable[[BinaryIO], Pieces]


def windows(
    source: Source, outline: Outline, unknown: dict[str, int], share: Share | None = None
) -> Windows:
    """All records, of a collection or of lines with the help of others. Members that nobody knows
    are counted in `unknown`. Raises `SourceError`."""
    if outline.form == "empty":
        return
    with source.open() as file:
        skip_mark(file, source.name)
        if outline.form == "collection":
            yield from _collection(file, source.name, unknown, share)
        elif outline.form == "lines":
            start = file.tell()
            pieces = lines(file) if share is None else share.pieces(file)
            yield from of_lines(pieces, start, source.name, unknown)
        elif outline.form == "rs":
            yield from _separated(file, source.name, unknown)
        else:
            yield _single(file, source.name, unknown)


def decoded(raws: list[bytes], unknown: dict[str, int]) -> list[Record | Broken]:
    """Records from their bytes, all at once where they are as expected."""
    try:
        return list(RECORDS.decode(b"[" + b",".join(raws) + b"]"))
    except UNDECODABLE:
        return [_decoded(raw, unknown) for raw in raws]


def _decoded(raw: bytes, unknown: dict[str, int]) -> Record | Broken:
    try:
        return record_of(raw, unknown)
    except UNDECODABLE as error:
        return Broken(str(error) or type(error).__name__)


def _collection(
    file: BinaryIO, name: str, unknown: dict[str, int], share: Share | None
) -> Iterator[Window]:
    walker = Walker(file, name)
    met = False
    for member in walker.members():
        if member != "features":
            walker.value()
            continue
        met = True
        walker.enter()
        for batch in _batches(walker, share):
            yield of_batch(batch, name, unknown)
    if not met:
        raise SourceError(f"{name}: the member features expected in a FeatureCollection, not found")
    if not walker.ended():
        raise SourceError(f"{name}: nothing expected after the object, more found")


def _batches(walker: Walker, share: Share | None) -> Iterator[Batch[Record]]:
    """The features for this process: those that no other has read."""
    index = 0 if share is None else (yield from share.elements(walker))
    if index is not None:
        yield from walker.elements(RECORDS, index)


def of_batch(batch: Batch[Record], name: str, unknown: dict[str, int]) -> Window:
    """Features of a collection."""
    index = batch.index
    records: list[Record | Broken]
    if batch.values is None:
        records = [_decoded(raw, unknown) for raw in batch.raws()]
    else:
        records = list(batch.values)

    def where(at: int) -> Where:
        return Where(name, pointer=f"/features/{index + at}")

    return Window(range(index, index + len(records)), records, batch.raws, where, batch.places)


def _single(file: BinaryIO, name: str, unknown: dict[str, int]) -> Window:
    start = file.tell()
    raw = file.read()
    record = _decoded(raw, unknown)
    return Window(
        range(1),
        [record],
        lambda: [raw],
        lambda at: Where(name, pointer=""),
        lambda: [(start, len(raw))],
    )


def of_lines(pieces: Pieces, offset: int, name: str, unknown: dict[str, int]) -> Iterator[Window]:
    """Features that are a line each. Their index is the number of their line, from 0.

    `offset` is where the first piece begins; places are right as long as no piece is left out.
    """
    for first, piece in pieces:
        raws: list[bytes] = []
        numbers: list[int] = []
        places: list[tuple[int, int]] = []
        for number, line in enumerate(piece.split(b"\n"), first):
            if line and not line.isspace():
                raws.append(line)
                numbers.append(number)
                places.append((offset, len(line)))
            offset += len(line) + 1
        offset -= 1  # the piece ends with a line feed, or is the file's end
        if raws:
            indexes = [number - 1 for number in numbers]
            yield _of(indexes, raws, numbers, places, name, unknown)


def _separated(file: BinaryIO, name: str, unknown: dict[str, int]) -> Iterator[Window]:
    """Texts that each begin with a record separator and may go over several lines (RFC 8142)."""
    index, number, offset = 0, 1, file.tell()
    held = b""
    ended = False
    while not ended:
        data = file.read(max(_CHUNK_BYTES, len(held)))
        ended = not data
        held += data
        texts = held.split(SEPARATOR)
        held = b"" if ended else texts.pop()
        raws: list[bytes] = []
        numbers: list[int] = []
        places: list[tuple[int, int]] = []
        for text in texts:
            if text and not text.isspace():
                raws.append(text)
                numbers.append(number)
                places.append((offset, len(text)))
            number += text.count(b"\n")
            offset += len(text) + 1
        if raws:
            indexes = range(index, index + len(raws))
            yield _of(indexes, raws, numbers, places, name, unknown)
            index += len(raws)


def _of(
    indexes: Sequence[int],
    raws: list[bytes],
    numbers: list[int],
    places: list[tuple[int, int]],
    name: str,
    unknown: dict[str, int],
) -> Window:
    return Window(
        indexes,
        decoded(raws, unknown),
        lambda: raws,
        lambda at: Where(name, numbers[at]),
        lambda: places,
    )
