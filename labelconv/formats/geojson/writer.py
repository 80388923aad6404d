"""Writes GeoJSON: a collection with one feature on each line, or a sequence of features."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from labelconv import codes
from labelconv.attributes import Answers
from labelconv.crs.names import LON_LAT, normal
from labelconv.errors import OptionError
from labelconv.formats.geojson.options import GeojsonWriterOptions
from labelconv.formats.geojson.wire import Trailer
from labelconv.model import (
    Annotation,
    Checklist,
    Classification,
    Coordinates,
    Dataset,
    FreeText,
    Point,
    Polygon,
    Polyline,
    Radio,
    Sample,
)
from labelconv.problems import Report, Where

_BATCH = 500
_CONFIDENCE = "confidence"
_KINDS: dict[type, str] = {Radio: "radio", Checklist: "checklist", FreeText: "text"}


class _Feature(msgspec.Struct, tag="Feature", gc=False, omit_defaults=True):
    id: str
    geometry: dict[str, Any] | None
    properties: dict[str, Any]


def write(dataset: Dataset, target: Path, options: GeojsonWriterOptions, report: Report) -> None:
    """Write a GeoJSON file at `target`. Samples may come in pieces.

    Raises `OptionError` for a sequence in another CRS, which has no place to say so, and `OSError`
    when the disk does not take the file.
    """
    crs = LON_LAT if options.crs is None else normal(options.crs)
    if options.form != "collection" and crs != LON_LAT:
        raise OptionError(
            f"longitude and latitude expected in a sequence, which cannot name its CRS; {crs} asked"
        )
    names = _Names(options)
    count = 0
    features = _features(dataset, options, names, report)
    encode = msgspec.json.Encoder().encode_lines
    with target.open("wb") as file:
        if options.form == "collection":
            head = b'{"type":"FeatureCollection",\n' + _crs_member(crs)
            file.write(head + _members(dataset) + b'"features":[')
        first = True
        while batch := [feature for feature, _ in zip(features, range(_BATCH), strict=False)]:
            count += sum(feature.geometry is not None for feature in batch)
            text = encode(batch)[:-1]
            if options.form == "rs":
                text = b"\x1e" + text.replace(b"\n", b"\n\x1e") + b"\n"
            elif options.form == "lines":
                text += b"\n"
            else:
                text = (b"\n" if first else b",\n") + text.replace(b"\n", b",\n")
            file.write(text)
            first = False
        if options.form == "collection":
            trailer = msgspec.json.encode(names.trailer())
            file.write(b'\n],\n"labelconv":' + trailer + b"}\n")
    report.ledger.written["features"] = count


def _crs_member(crs: str) -> bytes:
    """The member of the specification of 2008, which RFC 7946 has no more."""
    if crs == LON_LAT:
        return b""
    name = f"urn:ogc:def:crs:EPSG::{crs[5:]}" if crs.startswith("EPSG:") else crs
    member = {"type": "name", "properties": {"name": name}}
    return b'"crs":' + msgspec.json.encode(member) + b",\n"


_OURS = frozenset(("type", "crs", "bbox", "features", "labelconv"))


def _members(dataset: Dataset) -> bytes:
    """The members that a GeoJSON source had beside."""
    out = b""
    for field, value in sorted(dataset.info.items()):
        name = field.removeprefix("geojson:")
        if name != field and name not in _OURS:
            out += msgspec.json.encode(name) + b":" + msgspec.json.encode(value) + b",\n"
    return out


def _features(
    dataset: Dataset, options: GeojsonWriterOptions, names: _Names, report: Report
) -> Iterator[_Feature]:
    rounded = _rounding(options.digits)
    named = options.sample_key
    told: set[str] = set()
    waiting: dict[str, None] = {}
    for sample in dataset:
        if sample.annotations:
            told.add(sample.key)
            waiting.pop(sample.key, None)
        elif sample.key not in told:
            waiting[sample.key] = None
        for annotation in sample.annotations:
            properties = names.properties(annotation, sample, report)
            geometry = _geometry(annotation.value, rounded)
            yield _Feature(annotation.id, geometry, properties)
    if named:  # samples that nothing was found on
        for key in waiting:
            yield _Feature("", None, {named: key})
    elif waiting:
        report.add(codes.SAMPLE_EMPTY, count=len(waiting))


def _rounding(digits: int | None) -> Callable[[Coordinates], Coordinates]:
    if digits is None:
        return lambda ring: ring

    def rounded(ring: Coordinates) -> Coordinates:
        return tuple(round(number, digits) for number in ring)

    return rounded


def _geometry(value: Any, rounded: Callable[[Coordinates], Coordinates]) -> dict[str, Any]:
    if isinstance(value, Polygon):
        parts = [[_closed(rounded(ring)) for ring in part] for part in value.parts]
        if len(parts) == 1:
            return {"type": "Polygon", "coordinates": parts[0]}
        return {"type": "MultiPolygon", "coordinates": parts}
    if isinstance(value, Polyline):
        ring = rounded(value.points)
        pairs = list(zip(ring[::2], ring[1::2], strict=True))
        return {"type": "LineString", "coordinates": pairs}
    assert isinstance(value, Point)  # for mypy; `fit` saw to it
    return {"type": "Point", "coordinates": rounded((value.x, value.y))}


def _closed(ring: Coordinates) -> list[tuple[float, float]]:
    pairs = list(zip(ring[::2], ring[1::2], strict=True))
    pairs.append(pairs[0])
    return pairs


class _Names:
    """Which property says what: the class, the sample, and each question by its name or, where
    that is taken, by its name with an underscore."""

    def __init__(self, options: GeojsonWriterOptions) -> None:
        self._class = options.class_key
        self._sample = options.sample_key
        self._answers: dict[str, Answers] = {}
        self._property: dict[tuple[str, str], str] = {}
        self._reserved = {self._class, self._sample, _CONFIDENCE}

    def trailer(self) -> Trailer:
        """What the end of the file says about its properties."""
        return Trailer(
            class_key=self._class,
            sample_key=self._sample or None,
            confidence_key=_CONFIDENCE,
            answers=self._answers,
        )

    def properties(self, annotation: Annotation, sample: Sample, report: Report) -> dict[str, Any]:
        """The properties of a feature, its own extra fields among them."""
        out: dict[str, Any] = {self._class: annotation.category}
        if self._sample:
            out[self._sample] = sample.key
        if annotation.confidence is not None:
            out[_CONFIDENCE] = annotation.confidence
        for asked in annotation.classifications:
            name = self._named(asked)
            if name in out:
                report.add(
                    codes.DETAIL_DROPPED,
                    Where(sample=sample.key, annotation=annotation.id),
                    what=f"a second answer to {asked.name!r}",
                )
                continue
            out[name] = _spelled(asked)
        for field, value in annotation.extra.items():
            name = field.removeprefix("geojson:")
            if name in out or name in self._answers:
                report.field(f"{field} (whose name is taken)")
            else:
                out[name] = value
        return out

    def _named(self, asked: Classification) -> str:
        kind = _KINDS[type(asked.answer)]
        known = self._property.get((asked.name, kind))
        if known is not None:
            return known
        name = asked.name
        while name in self._reserved or name in self._answers:
            name += "_"
        self._answers[name] = Answers(asked.name, kind)
        self._property[asked.name, kind] = name
        return name


def _spelled(asked: Classification) -> Any:
    """An answer as a text, a list of texts, or, where it is unsure, with its confidence."""
    answer = asked.answer
    if isinstance(answer, Radio):
        return _option(answer)
    if isinstance(answer, Checklist):
        return [_option(option) for option in answer.options]
    if answer.confidence is None:
        return answer.text
    return {"text": answer.text, "confidence": answer.confidence}


def _option(option: Radio) -> Any:
    if option.confidence is None:
        return option.name
    return {"name": option.name, "confidence": option.confidence}


def precision(digits: int | None) -> float:
    """The largest difference that writing makes to a coordinate."""
    return 0.0 if digits is None else 0.5 * math.pow(10, -digits) * (1 + 1e-9)
