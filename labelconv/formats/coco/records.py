"""COCO's records as they are written: geometry, categories and the fields carried along."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Literal, TypeGuard, cast

import msgspec

from labelconv import geometry, masks
from labelconv.formats.coco.numbers import Class, name_without_file
from labelconv.formats.coco.shapes import is_hull
from labelconv.formats.coco.wire import OUTLINED
from labelconv.model import (
    Annotation,
    Box,
    Category,
    Extra,
    Image,
    Keypoints,
    Mask,
    Polygon,
    Sample,
)

if TYPE_CHECKING:
    from labelconv.model import Shape

Spelling = Literal["compressed", "uncompressed"]
Record = dict[str, Any]

_OWN = "coco:"
#: Fields that are made anew from the value; their `extra` is only looked at here.
_MADE = frozenset(
    {
        "coco:id",
        "coco:image_id",
        "coco:category_id",
        "coco:segmentation",
        "coco:area",
        "coco:bbox",
        "coco:iscrowd",
        "coco:score",
        "coco:keypoints",
        "coco:num_keypoints",
    }
)
_IMAGE_MADE = frozenset(
    {
        "coco:id",
        "coco:width",
        "coco:height",
        "coco:file_name",
        "coco:global_key",
        "coco:data_row_id",
    }
)
_CATEGORY_MADE = frozenset({"coco:id", "coco:name", "coco:keypoints", "coco:skeleton"})


def carried(extra: Extra, made: frozenset[str]) -> Record:
    """The source's own fields that go back under their own names."""
    return {
        name[len(_OWN) :]: value
        for name, value in extra.items()
        if name not in made and name.startswith(_OWN)
    }


def image(sample: Sample, id: int | str) -> Record:
    """The record of a picture.

    `file_name` is the sample's `uri`. A key that is not the file name is kept in `global_key`, or
    in `data_row_id` where it is one; a `global_key` that equals the file name says that no uri is
    known.
    """
    record: Record = {"id": id}
    media = cast("Image", sample.media)  # `fit` lets no other media through
    if media.width is not None:
        record["width"] = _plain(media.width)
    if media.height is not None:
        record["height"] = _plain(media.height)
    extra = sample.extra
    name = sample.key if sample.uri is None else sample.uri
    if "coco:file_name" not in extra or name_without_file(extra.get("coco:coco_url"), id) != name:
        record["file_name"] = name
    if sample.key_is_id:
        record["data_row_id"] = sample.key
    elif sample.uri is None or sample.key != name:
        record["global_key"] = sample.key
    return record | carried(extra, _IMAGE_MADE) if extra else record


def category(entry: Class) -> Record:
    """The record of a category; skeletons count from 1."""
    held: Category = entry.category
    record: Record = {"id": entry.id, "name": held.name}
    if entry.keypoints:
        record["keypoints"] = entry.keypoints
        record["skeleton"] = [[start + 1, end + 1] for start, end in held.skeleton]
    return record | carried(held.extra, _CATEGORY_MADE)


def annotation(
    annotation: Annotation, id: Any, image_id: int | str, entry: Class, rle: Spelling
) -> Record:
    """The record of an annotation of a ground truth."""
    value, extra = cast("Shape", annotation.value), annotation.extra  # `fit` lets no other through
    record: Record = {"id": id, "image_id": image_id, "category_id": entry.id}
    outline: Any = value.outline if isinstance(value, Keypoints) else value
    if outline is None:
        box = geometry.bounds(value)
        record["segmentation"] = []
        if box is not None:
            record["area"] = _declared_area(extra, geometry.area(box))
            record["bbox"] = _xywh(box)
    else:
        _outline(outline, extra, rle, record)
    record["iscrowd"] = 1 if extra.get("coco:iscrowd") else 0
    if entry.keypoints or isinstance(value, Keypoints):
        _keypoints(value if isinstance(value, Keypoints) else None, entry, record)
    if isinstance(value, Keypoints) and is_hull(outline, value.points):
        record[OUTLINED] = True
    if annotation.confidence is not None:
        record["score"] = annotation.confidence
    return record | carried(extra, _MADE) if extra else record


def result(
    annotation: Annotation, image_id: int | str, entry: Class, score: float | None
) -> Record:
    """The record of a results list: one shape, and the score."""
    value = annotation.value
    record: Record = {"image_id": image_id, "category_id": entry.id}
    if isinstance(value, Keypoints):
        _keypoints(value, entry, record)
        del record["num_keypoints"]
    elif isinstance(value, Mask):
        record["segmentation"] = run_lengths(value, "compressed")
    elif isinstance(value, Box):
        record["bbox"] = _xywh(value)
    confidence = score if annotation.confidence is None else annotation.confidence
    if confidence is not None:
        record["score"] = confidence
    return record


def run_lengths(mask: Mask, rle: Spelling) -> Record:
    """A mask as COCO spells it."""
    counts: Any = masks.to_text(mask) if rle == "compressed" else mask.runs
    return {"size": mask.size, "counts": counts}


def _outline(outline: object, extra: Extra, rle: Spelling, record: Record) -> None:
    """`segmentation`, `area` and `bbox`.

    Masks have pycocotools' own area and box. Of the others the declared ones stay, which reading
    put into `extra`; whoever changes coordinates takes them out.
    """
    if isinstance(outline, Mask):
        around = masks.bounds(outline)
        record["segmentation"] = run_lengths(outline, rle)
        record["area"] = float(masks.area(outline))
        record["bbox"] = [0.0, 0.0, 0.0, 0.0] if around is None else _xywh(around)
    elif isinstance(outline, Polygon):
        record["segmentation"] = [part[0] for part in outline.parts]
        declared = extra.get("coco:area") if extra else None
        record["area"] = declared if _is_number(declared) else geometry.area(outline)
        box = extra.get("coco:bbox") if extra else None
        if isinstance(box, list) and len(box) == 4 and all(map(_is_number, box)):
            record["bbox"] = box
        else:
            around = geometry.bounds(outline)
            assert around is not None  # polygons have points
            record["bbox"] = _xywh(around)
    elif isinstance(outline, Box):
        record["segmentation"] = []
        record["area"] = _declared_area(extra, geometry.area(outline))
        record["bbox"] = _xywh(outline)


def _declared_area(extra: Extra, own: float) -> float:
    declared = extra.get("coco:area") if extra else None
    return declared if _is_number(declared) else own


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def _xywh(box: Box) -> list[float]:
    x0, y0 = box.x0, box.y0
    return [x0, y0, _side(x0, box.x1), _side(y0, box.y1)]


def _side(start: float, end: float) -> float:
    """The length that leads from one edge to the other, in as few digits as do it exactly."""
    length = end - start
    short = round(length, 6)
    return short if start + short == end else length


def _plain(number: float) -> float | int:
    return int(number) if number == int(number) else number


# ------------------------------------------------------------------------------------ keypoints


def _keypoints(value: Keypoints | None, entry: Class, record: Record) -> None:
    """`[x, y, v]` for each name of the category, in its order; zeros where nothing is labelled."""
    numbers: list[Any] = [0, 0, 0] * len(entry.keypoints)
    used: set[int] = set()
    for point in () if value is None else value.points:
        position = entry.place(point.name, used)
        used.add(position)
        while len(numbers) < 3 * len(entry.keypoints):
            numbers += (0, 0, 0)
        numbers[3 * position : 3 * position + 3] = (point.x, point.y, 2 if point.visible else 1)
    record["num_keypoints"] = len(used)
    record["keypoints"] = numbers


def padding_needed(classes: list[Class]) -> dict[bytes, int]:
    """By id as JSON: the keypoint numbers of categories that learnt names during the writing."""
    return {
        msgspec.json.encode(entry.id): 3 * len(entry.keypoints)
        for entry in classes
        if len(entry.keypoints) > entry.first_names
    }


def padded(line: bytes, needed: dict[bytes, int]) -> bytes:
    """A record with as many keypoint numbers as its category has in the end."""
    record = msgspec.json.decode(line, type=dict[str, msgspec.Raw])
    wanted = needed.get(bytes(record.get("category_id", b"")))
    if wanted is None:
        return line
    numbers: list[Any] = msgspec.json.decode(record.get("keypoints", b"[]"))
    numbers += [0] * (wanted - len(numbers))
    record.setdefault("num_keypoints", msgspec.Raw(b"0"))
    record["keypoints"] = msgspec.Raw(msgspec.json.encode(numbers))
    return msgspec.json.encode(record)
