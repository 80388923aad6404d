"""Reads Ultralytics NDJSON, line by line."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, TypeGuard

import msgspec

from labelconv import codes, fractions, tasks
from labelconv.format import Reading
from labelconv.formats.ultralytics_ndjson.header import Header, read_header
from labelconv.formats.ultralytics_ndjson.options import (
    CLASSIFY,
    NAME,
    UltralyticsNdjsonReaderOptions,
)
from labelconv.fractions import Bad, Frame
from labelconv.io import Source, lines, skip_mark
from labelconv.media import Size
from labelconv.model import (
    Annotation,
    Classification,
    Dataset,
    Extra,
    Image,
    Radio,
    Sample,
    Samples,
)
from labelconv.problems import Where
from labelconv.spelling import stem_of

#: Members of a picture's record that are read; others are counted.
_READ = frozenset(("type", "file", "url", "uri", "width", "height", "split", "annotations"))


def read(source: Source, options: UltralyticsNdjsonReaderOptions, reading: Reading) -> Dataset:
    """The samples of a file. Raises `SourceError` when its first line is no dataset record."""
    header = read_header(source)

    def samples() -> Iterator[Sample]:
        reading.keys.restart()
        if header.found_out is not None:
            what = f"kpt_shape={header.shape}"
            evidence = header.found_out
            reading.report.add(codes.CONVENTION_GUESSED, what=what, evidence=evidence)
        maker = _Maker(source.name, header, options, reading)
        with source.open() as file:
            if skip_mark(file, source.name):
                reading.report.add(codes.ENCODING_MARK, Where(path=source.name))
            for number, piece in lines(file):
                for offset, line in enumerate(piece.splitlines(), number):
                    if offset > 1 and line.strip():
                        sample = maker.sample(line, offset)
                        if sample is not None:
                            yield sample

    return Samples(samples, header.ontology(), header.info)


class _Maker:
    """Makes samples of records."""

    def __init__(
        self,
        path: str,
        header: Header,
        options: UltralyticsNdjsonReaderOptions,
        reading: Reading,
    ) -> None:
        self._path = path
        self._header = header
        self._split = options.split
        self._reading = reading
        self._report = reading.report
        wanted = reading.wanted.extra
        self._keeps = wanted is None or NAME in wanted

    def sample(self, line: bytes, number: int) -> Sample | None:
        """One line; None when it is rejected or left out."""
        report = self._report
        ledger = report.ledger
        ledger.samples.read += 1
        where = Where(self._path, number)
        try:
            record = msgspec.json.decode(line)
        except (msgspec.DecodeError, RecursionError) as error:
            found = str(error)
            report.reject(
                codes.RECORD_MALFORMED, where, line, "samples", expected="an image", found=found
            )
            return None
        name = record.get("file") if isinstance(record, dict) else None
        if not isinstance(name, str) or not name or record.get("type", "image") != "image":
            values = {"expected": "an image record with `file`", "found": "another"}
            report.reject(codes.RECORD_MALFORMED, where, line, "samples", **values)
            return None
        labels = record.get("annotations")
        if not isinstance(labels, dict | None):
            place = Where(self._path, number, pointer="/annotations")
            values = {"expected": "rows by their kind", "found": type(labels).__name__}
            report.reject(codes.RECORD_MALFORMED, place, line, "samples", **values)
            return None
        labels = {kind: _listed(rows) for kind, rows in (labels or {}).items()}
        answers = labels.pop(CLASSIFY, [])
        counted = sum(map(len, labels.values()))
        asked = bool(answers)
        ledger.annotations.read += counted
        ledger.classifications.read += asked
        if self._split is not None and record.get("split") != self._split:
            ledger.samples.skipped += 1
            ledger.annotations.skipped += counted
            ledger.classifications.skipped += asked
            return None
        size, trouble = self._size(record, name, required=not asked or counted > 0)
        key, problem = self._reading.keys.key(name, stem_of(name), self._fields(record))
        for wrong in (trouble, problem):
            if wrong is not None:
                ledger.annotations.rejected += counted
                ledger.classifications.rejected += asked
                report.reject(wrong[0], where, line, "samples", **wrong[1])
                return None
        assert key is not None  # or there were a problem
        extra: Extra = {}
        for field, value in record.items():
            if field not in _READ or (field == "split" and value != "train"):
                if self._keeps:
                    extra[f"{NAME}:{field}"] = value
                else:
                    report.field(f"{NAME}:{field}")
        uri = record.get("url") or record.get("uri")
        return Sample(
            key,
            size,
            tuple(self._annotations(labels, size, number)) if counted else (),
            tuple(self._answer(answers, where, line)) if asked else (),
            (),
            uri if isinstance(uri, str) else None,
            self._reading.keys.are_ids,
            extra,
        )

    def _fields(self, record: dict[str, Any]) -> dict[str, object]:
        return record if self._reading.keys.needs_fields else {}

    def _size(self, record: dict[str, Any], name: str, *, required: bool) -> tuple[Image, Any]:
        width, height = record.get("width"), record.get("height")
        if _positive(width) and _positive(height):
            return Image(float(width), float(height)), None
        found = self._reading.media.size(name)
        if isinstance(found, Size):
            return Image(float(found.width), float(found.height)), None
        return Image(), found if required else None

    def _annotations(
        self, labels: dict[str, list[Any]], size: Image, number: int
    ) -> Iterator[Annotation]:
        report = self._report
        names = self._header.names
        several = len(labels) > 1
        for member, rows in labels.items():
            for at, row in enumerate(rows):
                pointer = f"/annotations/{member}/{at}"
                frame = Frame(
                    size.width or 0.0,
                    size.height or 0.0,
                    report,
                    Where(self._path, number, pointer=pointer),
                )
                try:
                    value = self._value(member, row, frame)
                except Bad as bad:
                    place = Where(self._path, number, pointer=f"{pointer}/{bad.at}")
                    values: dict[str, Any] = bad.values
                    report.reject(bad.code, place, msgspec.json.encode(row), **values)
                    continue
                id = f"{member}/{at}" if several else str(at)
                yield Annotation(id, names[int(row[0])], value)

    def _value(self, member: str, row: Any, frame: Frame) -> Any:
        if not isinstance(row, list) or not all(_number(value) for value in row):
            found = "other values" if isinstance(row, list) else type(row).__name__
            raise Bad(codes.RECORD_MALFORMED, 0, expected="a list of numbers", found=found)
        length = len(row)
        shape = self._header.shape or (0, 0)
        expected = {
            "boxes": "a class and 4 numbers" if length != 5 else "",
            "obb": "a class and 8 numbers" if length != 9 else "",
            "segments": "a class and x, y of 3 points or more" if length < 7 or ~length & 1 else "",
            "pose": f"a class, 4 numbers and {shape[0] * shape[1]} of keypoints"
            if length not in (5, 5 + shape[0] * shape[1])
            else "",
        }.get(member, "boxes, segments, obb or pose")
        if expected:
            found = f"{length} numbers in {member}"
            raise Bad(codes.RECORD_MALFORMED, min(length, 5), expected=expected, found=found)
        index = row[0]
        if index != math.floor(index) or index not in self._header.names:
            known = f"{len(self._header.names)} classes"
            raise Bad(codes.REFERENCE_DANGLING, 0, field="class", value=index, known=known)
        numbers = row[1:]
        try:
            if member == "boxes" or length == 5:
                return fractions.box(numbers, frame)
            if member == "obb":
                return fractions.corners(numbers, frame)
            if member == "segments":
                return fractions.polygon(numbers, frame)
            points = self._header.keypoints(int(index))
            return fractions.skeleton(numbers, points, shape[1], frame)[0]
        except Bad as bad:
            bad.at += 1  # the class stands before the numbers
            raise

    def _answer(self, answers: list[Any], where: Where, line: bytes) -> Iterator[Classification]:
        """The first class, which is the one that ultralytics takes."""
        if len(answers) > 1:
            self._report.field(f"{NAME}:further classes", len(answers) - 1)
        first = answers[0]
        if not _number(first) or first not in self._header.names:
            known = f"{len(self._header.names)} classes"
            place = msgspec.structs.replace(where, pointer=f"/annotations/{CLASSIFY}/0")
            self._report.reject(
                codes.REFERENCE_DANGLING,
                place,
                line,
                "classifications",
                field="class",
                value=first,
                known=known,
            )
            return
        yield Classification(tasks.QUESTION, Radio(self._header.names[int(first)]))


def _listed(rows: Any) -> list[Any]:
    """The rows of a kind; what is no list is the only one, to be refused when its turn comes."""
    return rows if isinstance(rows, list) else [] if rows is None else [rows]


def _number(value: Any) -> TypeGuard[float]:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _positive(value: Any) -> TypeGuard[float]:
    return _number(value) and value > 0
