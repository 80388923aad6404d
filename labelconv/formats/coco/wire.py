"""COCO's records as they are in the file, typed for the usual ones and lenient for the rest."""

from __future__ import annotations

import json
from typing import Any

import msgspec

from labelconv import codes
from labelconv.problems import Report, Where
from labelconv.unusable import Unusable, finite

Id = int | str

#: The raw value of a field that a record does not have.
ABSENT = msgspec.Raw(b"")


class Head(msgspec.Struct, gc=False):
    """What grouping needs of an annotation."""

    image_id: Id


class AnnotationRecord(msgspec.Struct, gc=False):
    """An annotation of any COCO task: the fields of cocodataset.org.

    `bbox` is x, y, width, height in pixels; the segmentation is decoded only when it is wanted.
    """

    image_id: Id
    id: Id | None = None
    category_id: Id | None = None
    segmentation: msgspec.Raw = ABSENT
    area: float | None = None
    bbox: tuple[float, float, float, float] | None = None
    iscrowd: int | None = None
    score: float | None = None
    keypoints: tuple[float, ...] | None = None
    num_keypoints: int | None = None
    caption: str | None = None


class PlainAnnotationRecord(AnnotationRecord, gc=False, forbid_unknown_fields=True):
    """An annotation with the fields of cocodataset.org, and no other."""


class ImageRecord(msgspec.Struct, gc=False):
    """What every reader of an image record needs; other fields are decoded when wanted."""

    id: Id
    width: float | None = None
    height: float | None = None
    file_name: str | None = None
    coco_url: str | None = None


class PlainImageRecord(ImageRecord, gc=False, forbid_unknown_fields=True):
    """An image record with the fields of cocodataset.org, and no other."""

    license: msgspec.Raw = ABSENT
    flickr_url: msgspec.Raw = ABSENT
    date_captured: msgspec.Raw = ABSENT


#: Fields of a plain image that the model has no place for, beside `coco_url`.
BESIDE = ("license", "flickr_url", "date_captured")
ANNOTATIONS: msgspec.json.Decoder[list[AnnotationRecord]] = msgspec.json.Decoder(
    list[PlainAnnotationRecord]
)
OPEN_ANNOTATIONS = msgspec.json.Decoder(list[AnnotationRecord])
ANNOTATION = msgspec.json.Decoder(PlainAnnotationRecord)
HEADS = msgspec.json.Decoder(list[Head])
IMAGES = msgspec.json.Decoder(list[PlainImageRecord])
OPEN_IMAGES = msgspec.json.Decoder(list[ImageRecord])
FIELDS = msgspec.json.Decoder(list[dict[str, msgspec.Raw]])
ANNOTATION_FIELDS = frozenset(AnnotationRecord.__struct_fields__)
IMAGE_FIELDS = frozenset(ImageRecord.__struct_fields__)


def fields_of(record: bytes) -> dict[str, Any]:
    """A record's fields as Python values; raises `Unusable` when it is not an object.

    NaN and infinities come through as floats, to be found and named where they are used.
    """
    try:
        value = json.loads(record)
    except (ValueError, RecursionError) as error:
        raise Unusable(
            codes.RECORD_MALFORMED, expected="a JSON object", found=f"broken JSON ({error})"
        ) from None
    if not isinstance(value, dict):
        raise Unusable(codes.RECORD_MALFORMED, expected="a JSON object", found=shown(value))
    return value


#: What labelconv's writer says of a skeleton whose box is the one around its points, which else is
#: no outline.
OUTLINED = "outlined"
#: What a reference should have named, where what it names could not be used.
REFUSED = "usable images (this one was refused)"


def dangling(field: str, value: object, known: str) -> Unusable:
    """A reference to something that is not there."""
    return Unusable(
        codes.REFERENCE_DANGLING, f"/{field}", field=field, value=shown(value), known=known
    )


def shown(value: object) -> str:
    """A value as messages show it, not too long."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 60 else text[:57] + "…"


class Lenient:
    """Reads the fields of one record that is not as usual, noting what had to be bent."""

    def __init__(self, fields: dict[str, Any], report: Report, where: Where) -> None:
        self.fields = fields
        self.report = report
        self.where = where

    def number(self, name: str) -> float | None:
        """A finite number, or None if the field is missing or null. Raises `Unusable`."""
        value = self.fields.get(name)
        return None if value is None else self._number(value, name, "/" + name)

    def flag(self, name: str) -> float | None:
        """0 or 1, of which some tools write false or true. Raises `Unusable`."""
        value = self.fields.get(name)
        if not isinstance(value, bool):
            return self.number(name)
        place = msgspec.structs.replace(self.where, pointer=(self.where.pointer or "") + "/" + name)
        found = f"{name} as {shown(value)}"
        self.report.add(codes.SPELLING_MENDED, place, found=found, result=int(value))
        return int(value)

    def id(self, name: str) -> Id | None:
        """An id: a whole number or a text. Raises `Unusable`."""
        value = self.fields.get(name)
        if value is None or (isinstance(value, (int, str)) and not isinstance(value, bool)):
            return value
        if isinstance(value, float) and value.is_integer():
            return int(value)
        raise Unusable(
            codes.RECORD_MALFORMED,
            "/" + name,
            expected=f"{name} as a whole number or a text",
            found=shown(value),
        )

    def numbers(self, name: str) -> tuple[float, ...] | None:
        """A list of finite numbers, or None. Raises `Unusable`."""
        value = self.fields.get(name)
        if value is None:
            return None
        if not isinstance(value, list):
            raise Unusable(
                codes.RECORD_MALFORMED,
                "/" + name,
                expected=f"{name} as a list of numbers",
                found=shown(value),
            )
        return tuple(
            self._number(item, name, f"/{name}/{position}") for position, item in enumerate(value)
        )

    def text(self, name: str) -> str | None:
        value = self.fields.get(name)
        if value is None or isinstance(value, str):
            return value
        raise Unusable(
            codes.RECORD_MALFORMED, "/" + name, expected=f"{name} as a text", found=shown(value)
        )

    def _number(self, value: object, name: str, pointer: str) -> float:
        if isinstance(value, str):
            try:
                value = float(value)
            except ValueError:
                pass
            else:
                place = msgspec.structs.replace(
                    self.where, pointer=(self.where.pointer or "") + pointer
                )
                self.report.add(
                    codes.NUMBER_AS_TEXT, place, field=name, found=self.fields.get(name)
                )
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise Unusable(
                codes.RECORD_MALFORMED,
                pointer,
                expected=f"{name} as a number",
                found=shown(value),
            )
        return finite(value, pointer)


def annotation_record(lenient: Lenient) -> AnnotationRecord:
    """The record as `AnnotationRecord`, whatever other fields it has. Raises `Unusable`."""
    image = lenient.id("image_id")
    if image is None:
        raise Unusable(
            codes.RECORD_MALFORMED, "/image_id", expected="image_id", found="a record without it"
        )
    box: Any = lenient.numbers("bbox")
    if box is not None and len(box) not in (0, 4, 5):
        raise Unusable(
            codes.RECORD_MALFORMED,
            "/bbox",
            expected="bbox with four numbers (x, y, width, height)",
            found=f"{len(box)} numbers",
        )
    crowd = lenient.flag("iscrowd")
    if crowd not in (None, 0, 1):
        raise Unusable(
            codes.RECORD_MALFORMED, "/iscrowd", expected="iscrowd as 0 or 1", found=shown(crowd)
        )
    segmentation = lenient.fields.get("segmentation")
    points = lenient.number("num_keypoints")
    return AnnotationRecord(
        image_id=image,
        id=lenient.id("id"),
        category_id=lenient.id("category_id"),
        segmentation=ABSENT if segmentation is None else msgspec.Raw(json.dumps(segmentation)),
        area=lenient.number("area"),
        bbox=box or None,
        iscrowd=None if crowd is None else int(crowd),
        score=lenient.number("score"),
        keypoints=lenient.numbers("keypoints"),
        num_keypoints=None if points is None else int(points),
        caption=lenient.text("caption"),
    )
