"""Writes labelme: a JSON file for each picture, in the tree of the keys."""

from __future__ import annotations

import math
import posixpath
from pathlib import Path
from typing import Any

import msgspec

from labelconv import codes, geometry, masks
from labelconv.corrections import correct, with_points
from labelconv.formats.labelme.options import LabelmeWriterOptions
from labelconv.formats.labelme.shapes import DESCRIPTION, FLAGS
from labelconv.model import (
    Annotation,
    Box,
    Checklist,
    Classification,
    Coordinates,
    Dataset,
    Extra,
    FreeText,
    Keypoints,
    Mask,
    OrientedBox,
    Point,
    Polygon,
    Polyline,
    Sample,
    Shape,
)
from labelconv.problems import Report, Where
from labelconv.spelling import stem_of

#: The version of labelme whose files these are; labelme does not refuse any.
VERSION = "5.5.0"


def write(dataset: Dataset, target: Path, options: LabelmeWriterOptions, report: Report) -> None:
    """Write a folder of JSON files at `target`. `fit` saw to it that stems differ."""
    target.mkdir()
    made = {""}
    encode = msgspec.json.Encoder().encode
    pictures = shapes = 0
    for sample in dataset:
        stem = stem_of(sample.key)
        folder = posixpath.dirname(stem)
        if folder not in made:
            (target / folder).mkdir(parents=True, exist_ok=True)
            made.add(folder)
        record = _file(sample, options, report)
        data = msgspec.json.format(encode(record), indent=2)
        (target / f"{stem}.json").write_bytes(data + b"\n")
        pictures += 1
        shapes += len(record["shapes"])
    report.ledger.written["files"] = pictures
    report.ledger.written["shapes"] = shapes


def _file(sample: Sample, options: LabelmeWriterOptions, report: Report) -> dict[str, Any]:
    media: Any = sample.media
    width, height = media.width, media.height
    if not width or not height:
        sizes = (_mask_size(annotation.value) for annotation in sample.annotations)
        height, width = next(filter(None, sizes), (None, None))
    flags, others = _said(
        sample.classifications, Where(sample=sample.key), report, "classifications"
    )
    return {
        "version": VERSION,
        "flags": flags,
        "shapes": _shapes(sample, options, report),
        "imagePath": posixpath.basename(sample.key),
        "imageData": None,
        "imageHeight": _whole(height),
        "imageWidth": _whole(width),
        **others,
        **_own(sample.extra),
    }


def _shapes(sample: Sample, options: LabelmeWriterOptions, report: Report) -> list[dict[str, Any]]:
    taken = [a.extra.get("labelme:group_id") for a in sample.annotations if a.extra]
    group = max((each for each in taken if isinstance(each, int)), default=0)
    records: list[dict[str, Any]] = []
    for annotation in with_points(sample, "labelme", report):
        value: Any = annotation.value
        common = _common(annotation, sample.key, report)
        several = isinstance(value, Keypoints) or (
            isinstance(value, Polygon) and len(value.parts) > 1
        )
        if several:
            group += 1
            common["group_id"] = group
        if not isinstance(value, Keypoints):
            records += ({**common, **each} for each in _drawn(value, options))
            continue
        if value.outline is not None:
            records += ({**common, **each} for each in _drawn(value.outline, options))
        else:
            # labelme has no skeletons: the box around the points carries the label.
            around = geometry.bounds(value)
            assert around is not None  # there are points
            records += ({**common, **each, "derived": True} for each in _drawn(around, options))
        if len({point.name for point in value.points}) < len(value.points):
            place = Where(sample=sample.key, annotation=annotation.id)
            source, result = "skeleton with points of one name", "outline and points of one group"
            report.add(codes.SHAPE_RESPELLED, place, source=source, result=result)
            correct(report, sample.key, annotation.id, "changed")
        for point in value.points:
            hidden = {} if point.visible else {"difficult": True}
            drawn = _drawn(Point(point.x, point.y), options)[0]
            plain = {"label": point.name, "group_id": group, "description": "", "flags": {}}
            records.append({**plain, **drawn, **hidden})
    return records


def _common(annotation: Annotation, key: str, report: Report) -> dict[str, Any]:
    """What is said of an annotation beside its shape."""
    record: dict[str, Any] = {
        "label": annotation.category,
        "group_id": None,
        "description": "",
        "flags": {},
    }
    if annotation.confidence is not None:
        record["score"] = annotation.confidence
    if annotation.classifications:
        place = Where(sample=key, annotation=annotation.id)
        flags, others = _said(annotation.classifications, place, report, "annotations")
        record.update(others, flags=flags)
    if annotation.extra:
        record.update(_own(annotation.extra))
    return record


def _said(
    answers: tuple[Classification, ...], place: Where, report: Report, row: str
) -> tuple[dict[str, bool], dict[str, Any]]:
    """Answers as flags, and as the description and the attributes. One name has one answer."""
    flags: dict[str, bool] = {}
    others: dict[str, Any] = {}
    attributes: dict[str, Any] = {}
    dropped = 0
    for asked in answers:
        answer = asked.answer
        if asked.name == FLAGS and isinstance(answer, Checklist) and answer.options and not flags:
            flags = {option.name: True for option in answer.options}
        elif (
            asked.name == DESCRIPTION
            and isinstance(answer, FreeText)
            and answer.text
            and DESCRIPTION not in others
        ):
            others[DESCRIPTION] = answer.text
        elif asked.name in attributes:
            report.add(codes.CLASSIFICATION_DROPPED, place, name=asked.name)
            dropped += 1
        elif isinstance(answer, Checklist):
            attributes[asked.name] = [option.name for option in answer.options]
        elif isinstance(answer, FreeText):
            attributes[asked.name] = {"text": answer.text}
        else:
            attributes[asked.name] = answer.name
    if attributes:
        others["attributes"] = attributes
    if dropped and row == "classifications":
        report.ledger.classifications.move("kept", "lost", dropped)
    elif dropped:
        correct(report, place.sample or "", place.annotation or "", "lost")
    return flags, others


def _drawn(shape: Shape, options: LabelmeWriterOptions) -> list[dict[str, Any]]:
    """The records of a shape that differ by it: one for each part of a polygon."""
    if isinstance(shape, Box):
        return [_record("rectangle", (shape.x0, shape.y0, shape.x1, shape.y1))]
    if isinstance(shape, Polygon):
        return [_record("polygon", part[0]) for part in shape.parts]
    if isinstance(shape, Point):
        return [_record("point", (shape.x, shape.y))]
    if isinstance(shape, Polyline):
        return [_record("line" if len(shape.points) == 4 else "linestrip", shape.points)]
    if isinstance(shape, OrientedBox):
        record = _record(options.rotated, geometry.corners(shape))
        return [{**record, "direction": math.radians(shape.angle)}]
    assert isinstance(shape, Mask)
    around = masks.bounds(shape) or Box(0, 0, 1, 1)
    x0, y0, x1, y1 = (int(edge) for edge in (around.x0, around.y0, around.x1, around.y1))
    patch = masks.from_array(masks.to_array(shape)[y0:y1, x0:x1])
    record = _record("mask", (x0, y0, x1 - 1, y1 - 1))  # whole corners: first and last pixel
    return [{**record, "mask": masks.png_base64(patch)}]


def _record(kind: str, points: Coordinates) -> dict[str, Any]:
    return {"points": list(zip(points[::2], points[1::2], strict=True)), "shape_type": kind}


def _own(extra: Extra) -> Extra:
    return {name[8:]: value for name, value in extra.items() if name.startswith("labelme:")}


def _mask_size(shape: object) -> tuple[int, int] | None:
    if isinstance(shape, Keypoints):
        shape = shape.outline
    return shape.size if isinstance(shape, Mask) else None


def _whole(number: float | None) -> float | int | None:
    return int(number) if number is not None and number == int(number) else number
