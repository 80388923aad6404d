"""What readers of texts share: records of JSON files, their keys, and answers about them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, BinaryIO, Generic, Literal, TypeVar

import msgspec

from labelconv import codes
from labelconv.errors import SourceError
from labelconv.format import Reading
from labelconv.io import Peek, Source, lines, skip_mark
from labelconv.jsonstream import UNDECODABLE, Walker
from labelconv.model import (
    Checklist,
    Classification,
    Ontology,
    Option,
    Question,
    Radio,
)
from labelconv.problems import Report, Where

T = TypeVar("T")
_ANY: msgspec.json.Decoder[Any] = msgspec.json.Decoder()

# ------------------------------------------------------------------------------ JSON records


class Chunk(Generic[T]):
    """Consecutive records, the first with the 1-based `number`.

    `values` is None for a single record that the decoder does not take. `in_list`: they are
    elements of one list, else lines. `within` stands before every pointer. `line` is where a record
    begins that is no single line.
    """

    __slots__ = ("_made", "_raws", "in_list", "line", "number", "values", "within")

    def __init__(
        self,
        number: int,
        values: list[T] | None,
        raws: Callable[[], list[bytes]],
        in_list: bool = False,
        within: str = "",
        line: int | None = None,
    ) -> None:
        self.number = number
        self.line = line
        self.values = values
        self.in_list = in_list
        self.within = within
        self._raws = raws
        self._made: list[bytes] | None = None

    def raw(self, index: int = 0) -> bytes:
        """The bytes of a record."""
        if self._made is None:
            self._made = self._raws()
        return self._made[index]

    def where(self, path: str, index: int = 0, pointer: str = "") -> Where:
        """The place of a record of the chunk, or of something in it."""
        number = self.number + index if self.line is None else self.line
        pointer = self.within + pointer
        if self.in_list:
            return Where(path, pointer=f"/{number - 1}{pointer}")
        return Where(path, number, pointer=pointer or None)


def records(
    source: Source,
    decoder: msgspec.json.Decoder[T],
    report: Report,
    *,
    pieces: Callable[[BinaryIO], Iterator[tuple[int, bytes]]] = lines,
) -> Iterator[Chunk[T]]:
    """The records of JSON lines, of one JSON list, or a single JSON object, in bounded memory.

    A line that is a list beginning with a text is a record (spaCy's tuples). Blank lines are no
    records. `pieces` gives whole lines (`io.lines`). Raises `SourceError` for a list that is cut
    off or not JSON.
    """
    with source.open() as file:
        if skip_mark(file, source.name):
            report.add(codes.ENCODING_MARK, Where(path=source.name))
        kind = _kind(file)
        if kind == "list":
            yield from _listed(file, source.name, decoder)
        elif kind == "object":
            raw = Walker(file, source.name).value()
            yield _one(1, raw, decoder, in_list=False)
        else:
            yield from chunks(pieces(file), decoder)


def _kind(file: BinaryIO) -> Literal["list", "object", "lines"]:
    start = file.tell()
    first = file.read(65_536).lstrip()
    file.seek(start)
    if first[:1] == b"[" and first[1:].lstrip()[:1] != b'"':
        return "list"
    return "object" if first[:1] == b"{" and _is_spread(file, start) else "lines"


def _is_spread(file: BinaryIO, start: int) -> bool:
    """Whether the first line alone is no JSON value, as in an object printed over many lines."""
    line = b""
    while not line.strip():
        line = file.readline()
    file.seek(start)
    if line.rstrip()[-1:] == b"}":
        return False
    return line.strip() == b"{" or line.rstrip()[-1:] in (b",", b"[", b":", b"{")


def chunks(
    pieces: Iterator[tuple[int, bytes]], decoder: msgspec.json.Decoder[T]
) -> Iterator[Chunk[T]]:
    """The records of whole lines, given with the number of the first (`io.lines`)."""
    for number, piece in pieces:
        count = piece.count(b"\n") + (not piece.endswith(b"\n"))
        try:
            values = decoder.decode_lines(piece)
        except UNDECODABLE:
            values = None
        if values is not None and len(values) == count:
            yield Chunk(number, values, partial(piece.split, b"\n"))
            continue
        for index, line in enumerate(piece.split(b"\n")):
            if line.strip():
                yield _one(number + index, line, decoder, in_list=False)


def _listed(file: BinaryIO, name: str, decoder: msgspec.json.Decoder[T]) -> Iterator[Chunk[T]]:
    walker = Walker(file, name)
    # A type that is made at run time; mypy takes it for an annotation.
    several: msgspec.json.Decoder[list[T]] = msgspec.json.Decoder(list[decoder.type])  # type: ignore[name-defined]
    for batch in walker.array(several):
        if batch.values is not None:
            yield Chunk(batch.index + 1, batch.values, batch.raws, True)
            continue
        for index, raw in enumerate(batch.raws()):
            yield _one(batch.index + index + 1, raw, decoder, in_list=True)
    if not walker.ended():
        raise SourceError(f"{name}: nothing after the list expected, more found")


def _one(number: int, raw: bytes, decoder: msgspec.json.Decoder[T], *, in_list: bool) -> Chunk[T]:
    values: list[T] | None
    try:
        values = [decoder.decode(raw)]
    except UNDECODABLE:
        values = None
    return Chunk(number, values, lambda: [raw], in_list)


def values(source: Source, report: Report, rows: Rows) -> Iterator[tuple[Any, Chunk[Any], int]]:
    """Each record as plain values, with its chunk and its number there; others are rejected."""
    for chunk in records(source, _ANY, report):
        if chunk.values is None:
            try:
                plain(chunk.raw())
            except Fault as fault:
                rows.malformed(chunk, fault)
            continue
        for index, value in enumerate(chunk.values):
            yield value, chunk, index


def as_list(value: Any) -> list[Any]:
    """What is listed; nothing for null, and another thing as the only one."""
    return value if isinstance(value, list) else [] if value is None else [value]


def shown(value: Any) -> str:
    """A value as JSON, for messages: 40 characters of it."""
    text = msgspec.json.encode(value).decode()
    return text if len(text) <= 40 else text[:39] + "…"


def plain(raw: bytes) -> Any:
    """A record as plain Python values. Raises a `Fault` that says where it is no JSON."""
    try:
        return msgspec.json.decode(raw)
    except UNDECODABLE as error:
        raise Fault("a JSON record", str(error)) from None


class Fault(Exception):
    """A record that cannot be used, or only the `part` of it at `pointer`."""

    def __init__(self, expected: str, found: str, pointer: str = "", part: Any = None) -> None:
        super().__init__(expected)
        self.expected = expected
        self.found = found
        self.pointer = pointer
        self.part = part


# ------------------------------------------------------------------------------ samples


class Rows:
    """Keys of the samples of one source, and the ledger's count of them.

    A sample without an id of its own is called `STEM-NUMBER`: the file's name without its ending,
    and the number of its line or record.
    """

    def __init__(self, source: Source, reading: Reading) -> None:
        name = source.name.replace("\\", "/").rsplit("/", 1)[-1]
        stem, dot, _ = name.rpartition(".")
        self.path = source.name
        self._stem = stem if dot and stem else name
        self._keys = reading.keys
        self._needs_fields = reading.keys.needs_fields
        self._report = reading.report
        self._samples = reading.report.ledger.samples
        self.are_ids = reading.keys.are_ids
        reading.keys.restart()

    def key(
        self,
        id: str | None,
        chunk: Chunk[Any],
        index: int = 0,
        fields: Mapping[str, object] | None = None,
    ) -> str | None:
        """The key of a record that the source calls `id`, or None when it is rejected.

        The record is counted as read. `fields` are for key templates; without them they are the
        members of the JSON record.
        """
        self._samples.read += 1
        number = chunk.number + index
        name = id or f"{self._stem}-{number}"
        if self._needs_fields and fields is None:
            fields = _fields(chunk.raw(index))
        key, problem = self._keys.key(name, id or str(number), fields or _NO_FIELDS)
        if key is None:
            assert problem is not None  # for mypy; keys give one or the other
            where = chunk.where(self.path, index)
            self._report.reject(problem[0], where, chunk.raw(index), "samples", **problem[1])
        return key

    def met(self) -> dict[str, str]:
        """The keys given so far, each with the name it stands for; for another process."""
        return self._keys.given

    def fits(self, met: Mapping[str, str]) -> bool:
        """Whether keys that another process has given are all new here."""
        return self._keys.given.keys().isdisjoint(met)

    def join(self, met: Mapping[str, str]) -> None:
        """Take in keys that another process has given."""
        self._keys.given.update(met)

    def malformed(self, chunk: Chunk[Any], fault: Fault, index: int = 0) -> None:
        """Reject a whole record; it is counted as read."""
        self._samples.read += 1
        self.refuse(chunk, fault, index, "samples")

    def refuse(
        self, chunk: Chunk[Any], fault: Fault, index: int = 0, kind: str = "annotations"
    ) -> None:
        """Reject a record or a part of it that was counted as read already."""
        where = chunk.where(self.path, index, fault.pointer)
        record = chunk.raw(index) if fault.part is None else msgspec.json.encode(fault.part)
        self._report.reject(
            codes.RECORD_MALFORMED, where, record, kind, expected=fault.expected, found=fault.found
        )


_NO_FIELDS: dict[str, object] = {}


def _fields(record: bytes) -> dict[str, object]:
    try:
        found = msgspec.json.decode(record)
    except UNDECODABLE:
        return {}
    if not isinstance(found, dict):
        return {}
    meta = found.get("meta")
    return {**meta, **found} if isinstance(meta, dict) else found


def answered(
    labels: Sequence[tuple[str, float | None]], question: str, kind: Literal["radio", "checklist"]
) -> Classification:
    """The labels of a text, with confidence, as the answer to one question.

    Raises `Fault` for several labels where only one may be chosen.
    """
    if kind == "checklist":
        options = tuple(Radio(name, (), confidence) for name, confidence in labels)
        return Classification(question, Checklist(options))
    if len(labels) != 1:
        listed = ", ".join(repr(name) for name, _ in labels)
        raise Fault("one label, as cats=radio asks,", f"{len(labels)} ({listed})")
    name, confidence = labels[0]
    return Classification(question, Radio(name, (), confidence))


def with_options(ontology: Ontology, question: str, kind: str, labels: Iterable[str]) -> Ontology:
    """The ontology with labels as options of a question, also those that no text has."""
    listed = [*labels]
    if not listed:
        return ontology
    asked = {each.name: each for each in ontology.questions}
    known = asked.get(question, Question(name=question, kind=kind))
    options = {each.name: each for each in known.options}
    whole = {name: options.get(name, Option(name=name)) for name in (*listed, *options)}
    asked[question] = msgspec.structs.replace(known, options=tuple(whole.values()))
    return msgspec.structs.replace(ontology, questions=tuple(asked.values()))


_NAMES = re.compile(rb'"((?:[^"\\]|\\.)*)"(\s*:)?|[\[\]{}]')


def first_names(peek: Peek) -> list[str]:
    """The names of the first JSON object's members, as far as the head of the file shows them.

    The object is the first line, the first element of a list, or the whole file.
    """
    names = []
    depth = 0
    lists = 0
    for found in _NAMES.finditer(peek.text):
        token = found[0]
        if token in (b"{", b"["):
            if depth == 0 and token == b"[":
                lists += 1
                if lists > 1:
                    break
                continue
            depth += 1
        elif token in (b"}", b"]"):
            depth -= 1
            if depth <= 0:
                break
        elif depth == 1 and found[2] is not None:
            names.append(found[1].decode("utf-8", "replace"))
        elif depth == 0:
            break
    return names
