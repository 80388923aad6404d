"""JSON lines in several processes, each with a stretch of the file (`labelconv.jobs`).

Lines are read in pieces of whole lines (`io.lines`), and stretches begin and end where pieces do:
so every process sees the pieces that one alone would, and makes of them what that would. Line
numbers come from the line ends before a stretch, which its process counts.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Iterable, Iterator
from typing import Any, BinaryIO, TypeAlias

import msgspec

from labelconv.format import Reading
from labelconv.io import PIECE_BYTES, Source, lines, skip_mark
from labelconv.model import Sample
from labelconv.problems import Report
from labelconv.texts import Chunk, chunks, is_lined, records


class Maker(msgspec.Struct, frozen=True):
    """How a reader makes samples of chunks of records; its state is behind the functions.

    - `make(chunk)`: the samples of a chunk, in order.
    - `part(report)`: a maker for a stretch, in a process of its own, with nothing met yet.
    - `met()`: what was met so far and the rest or the end depends on (pickled).
    - `fits(met)`: whether nothing of a stretch would have been made otherwise here; `join(met)`
      takes it in.
    """

    make: Callable[[Chunk[Any]], Iterable[Sample]]
    part: Callable[[Report], Maker]
    met: Callable[[], Any]
    fits: Callable[[Any], bool]
    join: Callable[[Any], None]


class Border(msgspec.Struct, frozen=True):
    """Where a piece begins, in bytes, and how many bytes are to be read first from there on."""

    offset: int
    first_bytes: int


class _Stretch(msgspec.Struct):
    """What another process met: the line ends, and what its maker has to say."""

    line_ends: int
    met: Any


class _Place(msgspec.Struct):
    """Where reading stands: the next byte, and the number of its line."""

    offset: int
    number: int


_Pieces: TypeAlias = "Iterator[tuple[int, bytes]]"


def samples(
    source: Source, decoder: msgspec.json.Decoder[Any], reading: Reading, maker: Maker
) -> Iterator[Sample]:
    """The samples of JSON records (`texts.records`), with the help of others where it can be."""
    crew = reading.crew
    borders = _borders(source, reading)
    if crew is None or not borders:
        for chunk in records(source, decoder, reading.report):
            yield from maker.make(chunk)
        return
    ends = [*(border.offset for border in borders[1:]), None]
    stretches = [
        functools.partial(_stretch, source, decoder, maker, border, end)
        for border, end in zip(borders, ends, strict=True)
    ]
    end = borders[0].offset if crew.start(stretches) else None
    place = _Place(0, 1)

    def first(file: BinaryIO) -> _Pieces:
        place.offset = file.tell()
        return _until(lines(file), place, end)

    for chunk in records(source, decoder, reading.report, pieces=first):
        yield from maker.make(chunk)
    if end is None:
        return
    for number, border in enumerate(borders):
        found = None
        if place.offset == border.offset:  # else the file has changed meanwhile
            found = crew.take(number, lambda stretch: maker.fits(stretch.met))
        if found is None:
            crew.end()
            yield from _rest(source, decoder, maker, border, place)
            return
        maker.join(found.met)
        place.number += found.line_ends
        if number < len(borders) - 1:
            place.offset = borders[number + 1].offset


def _rest(
    source: Source,
    decoder: msgspec.json.Decoder[Any],
    maker: Maker,
    border: Border,
    place: _Place,
) -> Iterator[Sample]:
    """All from a border on, by this process."""
    with source.open() as file:
        file.seek(place.offset)
        pieces = lines(file, number=place.number, first_bytes=border.first_bytes)
        for chunk in chunks(pieces, decoder):
            yield from maker.make(chunk)


def _stretch(
    source: Source,
    decoder: msgspec.json.Decoder[Any],
    maker: Maker,
    border: Border,
    end: int | None,
    report: Report,
) -> tuple[Iterator[Sample], Callable[[], _Stretch]]:
    """The samples of the lines from a border to the next, by another process."""
    own = maker.part(report)
    # A file of its own: places in it are shared between processes.
    file = source.open()
    before = _line_ends(file, border.offset)
    place = _Place(border.offset, before + 1)

    def made() -> Iterator[Sample]:
        pieces = lines(file, number=place.number, first_bytes=border.first_bytes)
        for chunk in chunks(_until(pieces, place, end), decoder):
            yield from own.make(chunk)
        if end is not None and place.offset != end:
            raise ValueError(f"{source.name}: the end of a line expected at byte {end}")

    return made(), lambda: _Stretch(place.number - 1 - before, own.met())


def _until(pieces: _Pieces, place: _Place, end: int | None) -> _Pieces:
    """The pieces as far as a place; `place` goes along."""
    for number, piece in pieces:
        yield number, piece
        place.offset += len(piece)
        place.number = number + piece.count(b"\n")
        if end is not None and place.offset >= end:
            return


def _line_ends(file: BinaryIO, end: int) -> int:
    """How many lines end before a place, at which the file stands then."""
    file.seek(0)
    count = 0
    left = end
    while left and (data := file.read(min(left, 1 << 20))):
        count += data.count(b"\n")
        left -= len(data)
    return count


def _borders(source: Source, reading: Reading) -> list[Border]:
    """Where the stretches of the others begin; none where all of it is for this process."""
    crew = reading.crew
    if crew is None or not crew.is_ready:
        return []
    with source.open() as file:
        skip_mark(file, source.name)
        if not is_lined(file):
            return []
        start = file.tell()
        end = file.seek(0, os.SEEK_END)
        return borders(file, start, end, crew.number_for(end - start))


def borders(
    file: BinaryIO, start: int, end: int, count: int, piece_bytes: int = PIECE_BYTES
) -> list[Border]:
    """Where pieces begin that cut the lines from `start` to `end` into `count` parts or fewer."""
    found: list[Border] = []
    for number in range(1, count):
        # `io.lines` ends a piece at the last line end before each multiple of its size.
        multiple = start + round((end - start) * number / count / piece_bytes) * piece_bytes
        if multiple <= start or multiple >= end:
            continue
        file.seek(multiple - piece_bytes)
        cut = file.read(piece_bytes).rfind(b"\n") + 1
        offset = multiple - piece_bytes + cut
        if cut and offset < end and (not found or offset > found[-1].offset):
            found.append(Border(offset, multiple + piece_bytes - offset))
    return found
