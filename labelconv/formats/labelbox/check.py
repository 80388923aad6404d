"""Find in a MAL NDJSON file what Labelbox would refuse, about as fast as it can be parsed.

Lines are decoded by the hundreds into typed records; plain boxes, and the uuids of all lines, are
judged in bulk. What needs words goes to `check_explain`, what needs one line's values to
`check_values`, the ontology to `check_ontology`. What is kept per line is a uuid of 16 bytes and a
few numbers, so that uuids used twice, ends of relations and the cap are found in any order.

CRLF is accepted (it is white space in JSON). A byte order mark is an error, as is an empty file.
"""

from __future__ import annotations

import os
from array import array
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import BinaryIO
from uuid import UUID

import msgspec
from msgspec import UNSET

from labelconv.codes import (
    ANSWER_REPEATED,
    CAP_EXCEEDED,
    IMPORT_EMPTY,
    RELATION_NOT_ALLOWED,
    RELATION_UNMATCHED,
    SCHEMA_BROKEN,
    UUID_DUPLICATE,
)
from labelconv.errors import SourceError
from labelconv.formats.labelbox.check_explain import (
    BYTE_ORDER_MARK,
    encoding_fault,
    explain,
    lines_of,
    separators,
)
from labelconv.formats.labelbox.check_ontology import ontology_findings, plain_fits
from labelconv.formats.labelbox.check_rows import has_ranges, is_object, key_of, row_of, row_texts
from labelconv.formats.labelbox.check_uuids import canonical_uuid, canonical_uuids
from labelconv.formats.labelbox.check_values import Finding, value_findings
from labelconv.formats.labelbox.ontology import Ontology, joined_hint, may_join
from labelconv.formats.labelbox.wire import (
    DECODER,
    PLAIN,
    PLAIN_REST,
    Line,
    Relationship,
    decode_line,
    fault,
)
from labelconv.problems import Report, Where

#: Lines of one feature on one data row in one import (SDK 7.17.0 annotation_import.py).
CAP = 5_000
#: Bytes that are decoded at once.
BLOCK = 1 << 18
#: So many grey masks are unpacked to look for 0 and 255; a tool makes that mistake in all of them.
MASKS_UNPACKED = 100


class _Numbers(dict[object, int]):
    """Numbers texts (or None) in order of appearance; `texts` has them by number."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[object] = []

    def __missing__(self, text: object) -> int:
        self[text] = number = len(self)
        self.texts.append(text)
        return number


class _Run(msgspec.Struct):
    """What is remembered of the lines so far; the columns have one entry per accepted line."""

    report: Report
    path: str | None
    ontology: Ontology | None
    sizes: Mapping[str, tuple[float, float]]
    rows: _Numbers = msgspec.field(default_factory=_Numbers)
    features: _Numbers = msgspec.field(default_factory=_Numbers)
    numbers: array[int] = msgspec.field(default_factory=lambda: array("I"))
    row_of: array[int] = msgspec.field(default_factory=lambda: array("I"))
    feature_of: array[int] = msgspec.field(default_factory=lambda: array("I"))
    is_object: bytearray = msgspec.field(default_factory=bytearray)
    positions: dict[bytes, int] = msgspec.field(default_factory=dict)
    repeats: dict[bytes, list[int]] = msgspec.field(default_factory=dict)
    relations: list[tuple[int, str, Relationship]] = msgspec.field(default_factory=list)
    answered: dict[tuple[int, int, str | None], int] = msgspec.field(default_factory=dict)
    fits: dict[str, bool] = msgspec.field(default_factory=dict)
    masks: int = 0


def check(
    source: str | os.PathLike[str] | BinaryIO,
    report: Report,
    *,
    ontology: Ontology | None = None,
    sizes: Mapping[str, tuple[float, float]] | None = None,
) -> int:
    """Report what Labelbox would refuse in `source` (a path or a binary stream); returns its lines.

    `sizes` maps data-row keys (global key or id) to width and height in pixels, where known; what
    reaches past them is reported. Problems are in the order of the lines.
    """
    if not isinstance(source, (str, os.PathLike)):
        return _check(source, _Run(report, _name(source), ontology, sizes or {}))
    path = os.fspath(source)
    try:
        with Path(path).open("rb") as stream:
            return _check(stream, _Run(report, path, ontology, sizes or {}))
    except OSError as error:
        raise SourceError(f"{path} cannot be read: {error.strerror or error}") from error


def _name(stream: BinaryIO) -> str | None:
    name = getattr(stream, "name", None)
    return name if isinstance(name, str) else None


def _check(stream: BinaryIO, run: _Run) -> int:
    before = len(run.report.problems)
    count = 0
    for data in _blocks(stream):
        if count == 0 and (mark := encoding_fault(data)) is not None:
            run.report.add(SCHEMA_BROKEN, Where(path=run.path, line=1), message=mark)
            if not data.startswith(BYTE_ORDER_MARK):
                return 1
            data = data.removeprefix(BYTE_ORDER_MARK)
        count += _block(run, data, count + 1)
    if count == 0:
        run.report.add(IMPORT_EMPTY, Where(path=run.path))
    _relations(run)
    _caps(run)
    run.report.problems[before:] = sorted(
        run.report.problems[before:], key=lambda problem: problem.where.line or 0
    )
    return count


def _blocks(stream: BinaryIO) -> Iterator[bytes]:
    """Blocks of whole lines; only the last may lack its line feed."""
    held: list[bytes] = []
    while block := stream.read(BLOCK):
        cut = block.rfind(b"\n") + 1
        held.append(block[:cut] if cut else block)
        if cut:
            yield b"".join(held)
            held = [block[cut:]]
    rest = b"".join(held)
    if rest:
        yield rest


def _block(run: _Run, data: bytes, first: int) -> int:
    """Check a block whose first line has the number `first`; returns how many lines it has."""
    separators(run.report, run.path, first, data)
    lines = _decode(data)
    if lines is not None:
        numbers: Sequence[int] = range(first, first + len(lines))
        _lines(run, numbers, lines, data, first)
        return len(lines)
    accepted: list[Line] = []
    places: list[int] = []
    count = 0
    for count, raw in enumerate(lines_of(data), 1):
        try:
            accepted.append(decode_line(raw))
            places.append(first + count - 1)
        except msgspec.DecodeError:
            explain(run.report, run.path, first + count - 1, raw)
    _lines(run, places, accepted, data, first)
    return count


def _decode(data: bytes) -> list[Line] | None:
    """All lines of `data`, or None if one is at fault or they are not one to a line.

    msgspec takes any white space, or none, between values. In values that decode, `}`, line feed,
    `{` only stands between two of them: if there are as many of these as gaps, and no other line
    feeds but the last, each value has a line of its own.
    """
    if b"\r" in data:
        data = data.replace(b"\r\n", b"\n")
    try:
        lines = DECODER.decode_lines(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    gaps = len(lines) - 1
    feeds = data.count(b"\n") - data.endswith(b"\n")
    whole = data.startswith(b"{") and data.endswith((b"}\n", b"}"))
    return lines if whole and feeds == gaps == data.count(b"}\n{") else None


def _lines(run: _Run, numbers: Sequence[int], lines: list[Line], data: bytes, first: int) -> None:
    """Check decoded lines one by one, then enter the good ones into the columns."""
    uuids = [line.uuid for line in lines]
    keys = canonical_uuids(uuids)
    rows = row_texts(lines)
    quick = keys is not None and rows is not None
    refused: set[int] = set()
    raws: list[bytes] = []
    objects = bytearray(b"\1") * len(lines)
    ontology, sizes, fits = run.ontology, run.sizes, run.fits
    as_tuple = msgspec.structs.astuple
    for place, line in enumerate(lines):
        box = line.bbox
        if quick and box is not UNSET and as_tuple(line)[PLAIN:] == PLAIN_REST:
            name = line.name
            if name is not UNSET and line.schema_id is UNSET and box.height >= 0 and not sizes:
                if ontology is None or fits.get(name):
                    continue
                if name not in fits:
                    fits[name] = plain_fits(name, ontology)
                    if fits[name]:
                        continue
        try:
            refuse = fault(line) is not None
            if not refuse:
                objects[place] = is_object(line)
                _one(run, numbers[place], line)
        except RecursionError:
            refuse = True
        if refuse:
            refused.add(place)
            raws = raws or data.split(b"\n")
            raw = raws[numbers[place] - first].removesuffix(b"\r")
            explain(run.report, run.path, numbers[place], raw)
    if refused:
        kept = [place for place in range(len(lines)) if place not in refused]
        numbers, lines = [numbers[place] for place in kept], [lines[place] for place in kept]
        uuids, objects = [uuids[place] for place in kept], bytearray(objects[p] for p in kept)
        keys = canonical_uuids(uuids)
    if rows is None or refused:
        rows = [row_of(line) for line in lines]
    names: Sequence[object] = [line.name for line in lines]
    if UNSET in names:
        names = [_feature(run, line) for line in lines]
    run.numbers.extend(numbers)
    run.row_of.extend(map(run.rows.__getitem__, rows))
    run.feature_of.extend(map(run.features.__getitem__, names))
    run.is_object.extend(objects)
    if keys is None:
        keys = [None if uuid is UNSET else canonical_uuid(uuid) for uuid in uuids]
    _uuids(run, keys, len(run.numbers) - len(lines))


def _one(run: _Run, number: int, line: Line) -> None:
    """The checks of a line that is not a plain box."""
    key = key_of(line)
    # What a grey mask holds is looked at in the first ones only.
    unpack = line.mask is not UNSET and run.masks < MASKS_UNPACKED
    run.masks += unpack
    _report(run, number, key, value_findings(line, run.sizes.get(key), pixels=unpack))
    if run.ontology is not None:
        _report(run, number, key, ontology_findings(line, run.ontology))
    if line.relationship is not UNSET:
        run.relations.append((number, _feature(run, line) or "", line.relationship))
    elif (line.answer is not UNSET or line.answers is not UNSET) and not has_ranges(line):
        message = None if line.message_id is UNSET else line.message_id
        name = _feature(run, line)
        place = (run.rows[row_of(line)], run.features[name], message)
        earlier = run.answered.setdefault(place, number)
        if earlier != number:
            where = Where(path=run.path, line=number, pointer=_name_pointer(line), sample=key)
            run.report.add(ANSWER_REPEATED, where, name=name, first=earlier)


def _report(run: _Run, number: int, key: str, findings: Iterator[Finding]) -> None:
    for code, pointer, values in findings:
        where = Where(path=run.path, line=number, pointer=pointer, sample=key)
        run.report.add(code, where, **values)


def _feature(run: _Run, line: Line) -> str | None:
    """The feature's name; its schemaId where the name is not known, None for masks of a video."""
    if line.name is not UNSET:
        return line.name
    if line.schema_id is UNSET:
        return None
    if run.ontology is not None:
        for place in (run.ontology.tools_by_id, run.ontology.questions_by_id):
            if line.schema_id in place:
                return place[line.schema_id].name
    return line.schema_id


def _name_pointer(line: Line) -> str:
    return "/schemaId" if line.name is UNSET else "/name"


def _uuids(run: _Run, keys: Sequence[bytes | None], start: int) -> None:
    """Enter the uuids of the lines from position `start` on; report those that were there."""
    positions: Sequence[int] = range(start, start + len(keys))
    if None in keys:
        positions = [position for position, key in zip(positions, keys, strict=True) if key]
    given = [key for key in keys if key]
    firsts = list(map(run.positions.setdefault, given, positions))
    if firsts == list(positions):
        return
    for position, key, first in zip(positions, given, firsts, strict=True):
        if first != position:
            run.repeats.setdefault(key, []).append(position)
            where = _where(run, position, "/uuid")
            uuid = str(UUID(bytes=key))
            run.report.add(UUID_DUPLICATE, where, uuid=uuid, first=run.numbers[first])


def _where(run: _Run, position: int, pointer: str) -> Where:
    """The place of an entered line."""
    key = str(run.rows.texts[run.row_of[position]]).removeprefix("\0")
    return Where(path=run.path, line=run.numbers[position], pointer=pointer, sample=key)


# ------------------------------------------------------------------------- relations and the cap


def _relations(run: _Run) -> None:
    """Both ends are objects of the relation's data row, anywhere in the file."""
    at = {number: position for position, number in enumerate(run.numbers)} if run.relations else {}
    for number, name, relation in run.relations:
        position = at[number]
        features: list[object] = []
        for end, uuid in (("source", relation.source), ("target", relation.target)):
            if uuid is UNSET:
                continue
            found = _end(run, canonical_uuid(uuid), run.row_of[position])
            if found is None:
                where = _where(run, position, f"/relationship/{end}")
                run.report.add(RELATION_UNMATCHED, where, end=end, uuid=uuid)
            else:
                features.append(run.features.texts[run.feature_of[found]])
        if run.ontology is not None and len(features) == 2:
            source, target = map(str, features)
            directed = relation.type != "bidirectional"
            if not may_join(run.ontology, name, source, target, directed=directed):
                where = _where(run, position, "/relationship")
                values = {"name": name, "source": source, "target": target}
                hint = joined_hint(run.ontology, name)
                run.report.add(RELATION_NOT_ALLOWED, where, **values, hint=hint)


def _end(run: _Run, key: bytes, row: int) -> int | None:
    """The position of the object of this row that has the uuid."""
    if key not in run.positions:
        return None
    positions: list[int] = [run.positions[key], *run.repeats.get(key, ())]
    for position in positions:
        if run.row_of[position] == row and run.is_object[position]:
            return position
    return None


def _caps(run: _Run) -> None:
    """More than `CAP` lines of a feature on a data row; masks of a video are not counted."""
    if len(run.row_of) <= CAP:
        return
    heavy = {row for row, lines in Counter(run.row_of).items() if lines > CAP}
    counts: dict[tuple[int, int], int] = {}
    nameless = run.features.get(None)
    for position, row in enumerate(run.row_of) if heavy else ():
        feature = run.feature_of[position]
        if row in heavy and feature != nameless:
            counts[row, feature] = seen = counts.get((row, feature), 0) + 1
            if seen == CAP + 1:
                name = run.features.texts[feature]
                where = _where(run, position, "/name")
                run.report.add(CAP_EXCEEDED, where, limit=f"{CAP:,}", name=name)
