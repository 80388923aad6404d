"""The usual records of COCO, read without the care that the others need: nearly all are usual.

What is said here of a record is what `Annotations` says of it in its careful way; a test compares
the two.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from labelconv.formats.coco.shapes import plain_box, plain_polygon
from labelconv.formats.coco.wire import (
    ABSENT,
    ANNOTATION,
    ANNOTATION_FIELDS,
    ANNOTATIONS,
    FIELDS,
    OPEN_ANNOTATIONS,
    AnnotationRecord,
)
from labelconv.jsonstream import UNDECODABLE
from labelconv.model import Annotation, Extra

if TYPE_CHECKING:
    from labelconv.formats.coco.annotations import Annotations

#: The fields of a record that cocodataset.org does not have.
Others = dict[str, Any]
#: A record as it is read: typed, or its bytes where it is not as expected.
Record = AnnotationRecord | bytes
Usual = Callable[[Record, Others], tuple[int, Annotation] | None]

NO_OTHERS: Others = {}


def with_others(piece: bytes) -> tuple[list[AnnotationRecord], list[Others]] | None:
    """The records of a JSON list, and their other fields; None where one is not as expected."""
    try:
        records = OPEN_ANNOTATIONS.decode(piece)
        fields = FIELDS.decode(piece)
        others = [
            {
                name: json.loads(bytes(raw))
                for name, raw in each.items()
                if name not in ANNOTATION_FIELDS
            }
            for each in fields
        ]
    except (*UNDECODABLE, ValueError):
        return None
    return records, others


def alone(raw: bytes) -> Record:
    """A record by itself; its bytes where it is not usual."""
    try:
        return ANNOTATION.decode(raw)
    except UNDECODABLE:
        return raw


def records_of(piece: bytes) -> tuple[list[AnnotationRecord], list[Others] | None] | None:
    """The records of a JSON list, with their other fields if any has some."""
    try:
        return ANNOTATIONS.decode(piece), None
    except UNDECODABLE:
        return with_others(piece)


def usual(stream: Annotations) -> Usual:
    """A function that reads a record about which nothing has to be said, or gives None.

    It counts what it reads, and gives the row of the picture with the annotation.
    """
    shape_of = {"box": plain_box, "auto": plain_polygon, "polygon": plain_polygon}.get(
        stream.options.shape
    )
    if shape_of is None:
        return lambda record, others: None
    find_row, heads = stream.pictures.rows.get, stream.pictures.heads
    places = stream.pictures.places()
    beyond = len(places)
    find_category = stream.file.categories_needed().by_id.get
    account = stream.report.ledger.annotations
    seen = stream.ids.add
    box_only = stream.options.shape == "box"
    keep_extra = stream.keep_extra
    fields = stream.fields

    def read(record: Record, others: Others) -> tuple[int, Annotation] | None:
        if isinstance(record, bytes) or record.iscrowd:
            return None
        image_id, category_id, id = record.image_id, record.category_id, record.id
        if type(image_id) is int and 0 <= image_id < beyond:
            row = places[image_id]
        else:
            row = find_row(image_id, -1)
        category = None if category_id is None else find_category(category_id)
        if row < 0 or category is None or id is None:
            return None
        head = heads[row]
        if head is None or record.keypoints is not None or record.caption is not None:
            return None
        media: Any = head.media  # an image: no other media are made here
        value = shape_of(record, media)
        if value is None or seen(id):
            return None
        account.read += 1
        if box_only and record.segmentation is not ABSENT:
            stream.unread += 1
        if keep_extra:
            extra = extra_of(record, others)
            return row, Annotation(str(id), category.name, value, (), record.score, extra)
        if record.area is not None:
            fields["area"] += 1
        if others:
            for name in others:
                fields[name] = fields.get(name, 0) + 1
        return row, Annotation(str(id), category.name, value, (), record.score)

    return read


def extra_of(record: AnnotationRecord, others: Others) -> Extra:
    """What the model has no place for, as `extra`."""
    extra: Extra = {f"coco:{name}": value for name, value in others.items()} if others else {}
    if record.area is not None:
        extra["coco:area"] = record.area
    if record.iscrowd:
        extra["coco:iscrowd"] = 1
    if isinstance(record.id, str):
        extra["coco:id"] = record.id
    if record.bbox is not None and record.segmentation is not ABSENT:
        extra["coco:bbox"] = list(record.bbox)
    if record.caption is not None:
        extra["coco:caption"] = record.caption
    if record.num_keypoints is not None and not record.keypoints:
        extra["coco:num_keypoints"] = record.num_keypoints
    return extra
