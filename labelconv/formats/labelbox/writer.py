"""Writes Labelbox MAL NDJSON for images: one line for each object, answer and relation.

Payloads as in labelbox SDK 7.17.0, `data/serialization/ndjson/` (our reference: docs/labelbox.md).
Lines are ASCII, joined by a line feed, never blank; numbers are shortest decimals, never NaN.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from json.encoder import encode_basestring_ascii
from pathlib import Path
from typing import Any, BinaryIO, Literal

import msgspec
from msgspec import UNSET, Raw

from labelconv import codes, masks
from labelconv.errors import OptionError
from labelconv.formats.labelbox.composite import Composites
from labelconv.formats.labelbox.names import Names as FeatureNames
from labelconv.formats.labelbox.names import names_for
from labelconv.identity import Names
from labelconv.model import (
    Annotation,
    Box,
    Classification,
    Coordinates,
    Dataset,
    FreeText,
    Mask,
    Point,
    Polygon,
    Polyline,
    Radio,
    Relation,
    Sample,
)
from labelconv.problems import Report, Where

#: Labelbox takes this many annotations of a feature on a data row (SDK, schema/annotation_import).
FEATURE_CAP = 5_000
#: Few lines at a time: their points then stay in the processor cache until they are encoded.
_BUFFERED_LINES = 100


class LabelboxWriterOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Options of the Labelbox writer (`-W key=value`).

    - `parts`: a polygon of several parts becomes several lines (`split`) or one `mask`.
    - `holes`: a polygon with holes becomes a `mask`, or its holes are filled (`fill`, a loss).
    - `masks`: `png` puts each mask into its line; `composite` writes one coloured PNG for each
      data row into the folder `masks` and points at it with `mask_url`.
    - `mask_url`: what goes before the PNG's name in `instanceURI`.
    - `keypoint`: the feature of a skeleton's point, with `{category}` and `{keypoint}`.
    - `names`: features by `name` or by `schemaId`, which needs `ontology`.
    - `ontology`: a file with the project's normalized ontology; names are checked against it.
    - `uuid`: whether lines carry a uuid, always the same for the same key and annotation id.
    - `lines`: split the output into files of about so many lines, on data-row borders.
    """

    parts: Literal["split", "mask"] = "split"
    holes: Literal["mask", "fill"] = "mask"
    masks: Literal["png", "composite"] = "png"
    mask_url: str = ""
    keypoint: str = "{category} {keypoint}"
    names: Literal["name", "schemaId"] = "name"
    ontology: str | None = None
    uuid: bool = True
    lines: int | None = None


class _BoxSizes(msgspec.Struct, gc=False):
    top: float
    left: float
    height: float
    width: float


class _XY(msgspec.Struct, gc=False):
    x: float
    y: float


class _Line(msgspec.Struct, gc=False, omit_defaults=True):
    """A line as it is encoded; text comes as ASCII JSON in `Raw`."""

    uuid: Any = UNSET
    dataRow: Any = UNSET
    name: Any = UNSET
    schemaId: Any = UNSET
    bbox: Any = UNSET
    polygon: Any = UNSET
    line: Any = UNSET
    point: Any = UNSET
    mask: Any = UNSET
    answer: Any = UNSET
    relationship: Any = UNSET
    classifications: Any = UNSET
    confidence: Any = UNSET


def write(dataset: Dataset, target: Path, options: LabelboxWriterOptions, report: Report) -> None:
    """Write the lines to the file `target`, or to files in the folder `target`."""
    if options.lines is not None and options.lines < 1:
        raise OptionError(f"lines of 1 or more expected, {options.lines} found")
    if options.names == "schemaId" and options.ontology is None:
        raise OptionError("names=schemaId needs the project's ontology: pass --ontology FILE")
    names = names_for(options.ontology, by_id=options.names == "schemaId")
    composites = None
    if options.masks == "composite":
        composites = Composites(target / "masks", options.mask_url)
    with _Output(target, options, composites is not None) as output:
        builder = _Builder(options, names, composites, report, output)
        for sample in dataset:
            builder.add(sample)
    report.ledger.written["lines"] = output.count


def _ascii(text: str) -> Raw:
    return Raw(encode_basestring_ascii(text).encode("ascii"))


class _Output:
    """The file or files that lines go to."""

    def __init__(self, target: Path, options: LabelboxWriterOptions, folder: bool) -> None:
        self.count = 0
        self._target = target
        self._limit = options.lines
        self._buffer: list[_Line] = []
        self._in_part = 0
        self._parts = 0
        self._encode = msgspec.json.Encoder().encode_lines
        self._file: BinaryIO
        self._paths: list[Path] = []
        if folder or self._limit is not None:
            target.mkdir()
        if self._limit is None:
            self._open(target / "annotations.ndjson" if folder else target)

    def _open(self, path: Path) -> None:
        self._file = path.open("w+b")
        self._paths.append(path)

    def __enter__(self) -> _Output:
        if self._limit is not None:
            self._next_part()
        return self

    def __exit__(self, *exception: object) -> None:
        try:
            if exception[0] is None:
                self.flush()
        finally:
            self._file.close()

    def _next_part(self) -> None:
        self._parts += 1
        self._in_part = 0
        self._open(self._target / f"part-{self._parts:05d}.ndjson")

    def add(self, lines: list[_Line]) -> None:
        """The lines of one sample, or of a piece of one."""
        if self._limit is not None and self._in_part and self._in_part + len(lines) > self._limit:
            self.flush()
            self._file.close()
            self._next_part()
        self._buffer.extend(lines)
        self.count += len(lines)
        self._in_part += len(lines)
        if len(self._buffer) >= _BUFFERED_LINES:
            self.flush()

    def flush(self) -> None:
        if self._buffer:
            self._file.write(self._encode(self._buffer))
            self._buffer.clear()

    def written(self) -> Iterator[dict[str, Any]]:
        """All lines so far, decoded."""
        self.flush()
        self._file.flush()
        for path in self._paths:
            with path.open("rb") as file:
                for line in file:
                    yield json.loads(line)


class _Builder:
    """Builds lines from samples."""

    def __init__(
        self,
        options: LabelboxWriterOptions,
        names: FeatureNames,
        composites: Composites | None,
        report: Report,
        output: _Output,
    ) -> None:
        self._options = options
        self._names = names
        self._composites = composites
        self._report = report
        self._output = output
        self._identity = Names()
        self._totals: dict[str, int] = {}
        self._exact: dict[tuple[str, str], int] | None = None
        self._rows: tuple[str, Raw] = ("", Raw(b""))
        self._features: dict[str, tuple[Raw | Any, Raw | Any]] = {}

    def add(self, sample: Sample) -> None:
        """Write all lines of a sample or of a piece of one."""
        key = sample.key
        row = self._data_row(sample)
        annotations = sample.annotations
        total = self._totals.get(key, 0) + len(annotations)
        self._totals[key] = total
        if total > FEATURE_CAP or self._exact is not None:
            annotations = tuple(self._within_cap(sample))
        placed: dict[str, object] = {}
        if self._composites is not None:
            placed = self._composites.add(key, annotations)
        with_uuid = self._options.uuid or bool(sample.relations)
        lines = []
        for annotation in annotations:
            line = self._object(annotation, sample, row, placed)
            if line is None:
                continue
            if with_uuid:
                line.uuid = self._identity.uuid(key, annotation.id)
            lines.append(line)
        if sample.classifications or sample.relations:
            lines.extend(self._answers(sample, row))
            lines.extend(self._relation(relation, key, row) for relation in sample.relations)
        if lines:
            self._output.add(lines)

    # ------------------------------------------------------------------ envelope

    def _data_row(self, sample: Sample) -> Raw:
        if self._rows[0] != sample.key or sample.key_is_id:
            kind = b'{"id":' if sample.key_is_id else b'{"globalKey":'
            text = kind + encode_basestring_ascii(sample.key).encode("ascii") + b"}"
            self._rows = (sample.key, Raw(text))
        return self._rows[1]

    def _within_cap(self, sample: Sample) -> Iterator[Annotation]:
        """The annotations that Labelbox takes; one too many of a feature is left out and told."""
        if self._exact is None:
            self._exact = {}
            for line in self._output.written():
                counted = (next(iter(line["dataRow"].values())), line.get("name", ""))
                self._exact[counted] = self._exact.get(counted, 0) + 1
        for annotation in sample.annotations:
            counted = (sample.key, annotation.category)
            count = self._exact.get(counted, 0) + 1
            if count <= FEATURE_CAP:
                self._exact[counted] = count
                yield annotation
                continue
            self._report.add(
                codes.FEATURE_CAP,
                Where(sample=sample.key, annotation=annotation.id),
                limit=FEATURE_CAP,
                name=annotation.category,
            )
            self._report.ledger.annotations.move("kept", "lost")

    # ------------------------------------------------------------------ objects

    def _object(
        self, annotation: Annotation, sample: Sample, row: Raw, placed: dict[str, object]
    ) -> _Line | None:
        feature = self._features.get(annotation.category)
        if feature is None:
            feature = self._features[annotation.category] = self._feature(annotation.category)
        value = annotation.value
        line = _Line(UNSET, row, feature[0], feature[1])
        kind = type(value)
        if kind is Box:
            line.bbox = _BoxSizes(
                value.y0,
                value.x0,
                value.y1 - value.y0,
                value.x1 - value.x0,  # type: ignore[union-attr]
            )
        elif kind is Polygon:
            line.polygon = _closed(value.parts[0][0])  # type: ignore[union-attr]
        elif isinstance(value, Mask):
            line.mask = placed.get(annotation.id) or {"png": masks.png_base64(value)}
        elif isinstance(value, Polyline):
            line.line = _points(value.points)
        elif isinstance(value, Point):
            line.point = _XY(value.x, value.y)
        if annotation.classifications:
            line.classifications = [
                self._answered(c, annotation.category) for c in annotation.classifications
            ]
        if annotation.confidence is not None:
            line.confidence = annotation.confidence
        return line

    def _feature(self, name: str) -> tuple[Any, Any]:
        return self._names.feature(name, self._report)

    # ------------------------------------------------------------------ answers, relations

    def _answers(self, sample: Sample, row: Raw) -> Iterator[_Line]:
        for classification in sample.classifications:
            answered = self._answered(classification, None)
            line = _Line(UNSET, row, answered.get("name", UNSET), answered.get("schemaId", UNSET))
            line.answer = answered["answer"]
            line.classifications = answered.get("classifications", UNSET)
            line.confidence = answered.get("confidence", UNSET)
            if self._options.uuid:
                line.uuid = self._identity.uuid(sample.key, f"answer:{classification.name}")
            yield line

    def _answered(self, classification: Classification, under: str | None) -> dict[str, Any]:
        """A classification as a nested line: name, answer and what hangs below."""
        out = self._names.question(classification.name, under, self._report)
        answer = classification.answer
        if isinstance(answer, FreeText):
            out["answer"] = _ascii(answer.text)
            if answer.classifications:
                out["classifications"] = [
                    self._answered(c, classification.name) for c in answer.classifications
                ]
            if answer.confidence is not None:
                out["confidence"] = answer.confidence
        elif isinstance(answer, Radio):
            out["answer"] = self._option(answer, classification.name)
        else:
            out["answer"] = [self._option(o, classification.name) for o in answer.options]
        return out

    def _option(self, chosen: Radio, question: str) -> dict[str, Any]:
        out = self._names.option(chosen.name, question, self._report)
        if chosen.classifications:
            out["classifications"] = [self._answered(c, question) for c in chosen.classifications]
        if chosen.confidence is not None:
            out["confidence"] = chosen.confidence
        return out

    def _relation(self, relation: Relation, key: str, row: Raw) -> _Line:
        name, schema = self._feature(relation.category)
        line = _Line(UNSET, row, name, schema)
        line.relationship = {
            "source": self._identity.uuid(key, relation.source),
            "target": self._identity.uuid(key, relation.target),
            "type": "unidirectional" if relation.directed else "bidirectional",
        }
        line.uuid = self._identity.uuid(key, relation.id)
        return line


def _points(coordinates: Coordinates) -> list[_XY]:
    return list(map(_XY, coordinates[::2], coordinates[1::2]))


def _closed(ring: Coordinates) -> list[_XY]:
    """The ring as points, the first repeated at the end, as the SDK writes it."""
    points = _points(ring)
    points.append(points[0])
    return points
