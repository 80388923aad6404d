"""The table of pictures that COCO's annotations refer to, kept small."""

from __future__ import annotations

import contextlib
import json
from array import array
from collections.abc import Sequence
from typing import Any

import msgspec

from labelconv import codes
from labelconv.format import Reading
from labelconv.formats.coco.numbers import name_without_file
from labelconv.formats.coco.shapes import Picture
from labelconv.formats.coco.wire import (
    ABSENT,
    BESIDE,
    FIELDS,
    IMAGE_FIELDS,
    IMAGES,
    OPEN_IMAGES,
    Id,
    ImageRecord,
    Lenient,
    PlainImageRecord,
    fields_of,
    shown,
)
from labelconv.jsonstream import UNDECODABLE, Batch, Walker
from labelconv.model import Extra, Image, Sample
from labelconv.problems import Where
from labelconv.unusable import Unusable

#: Fields of an image that name its data row in Labelbox; labelconv's writer adds them.
KEY_FIELDS = ("global_key", "data_row_id")
#: One id in so many numbers is as few as a table by id is made for.
_SPARSEST = 20


class Pictures:
    """Pictures by id. Each row has its sample without annotations, None where it was refused.

    Real files have 100,000 pictures and more: sizes and empty extras are shared between rows.
    """

    def __init__(self) -> None:
        self.rows: dict[Id, int] = {}
        self.heads: list[Sample | None] = []
        self.used = bytearray()
        self._sizes: dict[tuple[float, float], Image] = {}
        #: Whether any id is a text.
        self.has_texts = False

    def find(self, id: Id) -> int | None:
        """The row of an id, compared as it is and then as text (`139` and `"139"`)."""
        row = self.rows.get(id)
        if row is None and (self.has_texts or isinstance(id, str)):
            other = other_spelling(id)
            row = self.rows.get(other) if other is not None else None
        return row

    def places(self) -> array[int]:
        """The row of each id up to the highest, -1 where there is none; nothing at all where ids
        are texts, or few of the numbers up to there.

        To look up a number here takes half the time of a table of 100,000 hashes, most of which
        are in no cache.
        """
        ids = [id for id in self.rows if isinstance(id, int)]
        most = max(ids, default=-1)
        if self.has_texts or min(ids, default=-1) < 0 or most > _SPARSEST * len(ids):
            return array("i")
        places = array("i", [-1]) * (most + 1)
        for id in ids:
            places[id] = self.rows[id]
        return places

    def picture(self, row: int) -> Picture:
        """The size of a picture, 0 where it is not known."""
        head = self.heads[row]
        if head is None or not isinstance(head.media, Image):
            return Picture(0.0, 0.0)
        return Picture(head.media.width or 0.0, head.media.height or 0.0)

    def refused(self, row: int) -> bool:
        return self.heads[row] is None

    def add(self, id: Id, head: Sample | None) -> int:
        """Add a picture; its row."""
        row = self.rows[id] = len(self.heads)
        if isinstance(id, str):
            self.has_texts = True
        self.heads.append(head)
        self.used.append(0)
        return row

    def sized(self, width: float | None, height: float | None) -> Image:
        """The media of a picture, the same value for all of one size."""
        if not width or not height:
            width = height = 0.0
        media = self._sizes.get((width, height))
        if media is None:
            media = Image(width, height) if width else Image()
            self._sizes[width, height] = media
        return media


def other_spelling(id: Id) -> Id | None:
    """A number for a text and the reverse, where both say the same."""
    if isinstance(id, int):
        return str(id)
    return int(id) if id.isdecimal() and id.isascii() and str(int(id)) == id else None


def read_pictures(walker: Walker, pictures: Pictures, reading: Reading, path: str) -> None:
    """Add the `images` array where the walker is. Bad records are rejected, each alone."""
    keep_extra = reading.wanted.extra is None or "coco" in reading.wanted.extra
    all_fields = keep_extra or reading.keys.needs_fields
    adding = _Adding(pictures, reading, keep_extra)
    decoder: msgspec.json.Decoder[list[Any]] = OPEN_IMAGES if all_fields else IMAGES
    for batch in walker.array(decoder):
        reading.report.ledger.samples.read += len(batch)
        records, fields = _decoded(batch, all_fields)
        for position, record in enumerate(records):
            if fields is None and type(record) is PlainImageRecord and adding.usual(record):
                continue
            try:
                if fields is not None:
                    adding.add(record, _others(fields[position], all_fields))
                elif isinstance(record, bytes):
                    adding.add(*_lenient_image(record, reading, _place(path, batch, position)))
                else:
                    adding.add(record, {})
            except Unusable as problem:
                where = _place(path, batch, position, problem.pointer)
                raw = batch.raws()[position]
                reading.report.reject(problem.code, where, raw, "samples", **problem.values)
    adding.finish(path)


def _decoded(
    batch: Batch[Any], all_fields: bool
) -> tuple[Sequence[Any], list[dict[str, msgspec.Raw]] | None]:
    """The records of a window, and the fields of each where they matter or are unusual."""
    if not all_fields:
        return batch.values if batch.values is not None else batch.raws(), None
    if batch.values is not None:
        with contextlib.suppress(*UNDECODABLE):
            return batch.values, FIELDS.decode(batch.piece)
    return batch.raws(), None


def _place(path: str, batch: Batch[Any], position: int, pointer: str = "") -> Where:
    return Where(path=path, pointer=f"/images/{batch.index + position}{pointer}")


def _others(fields: dict[str, msgspec.Raw], decode: bool) -> dict[str, Any]:
    """The fields beyond the usual ones; their values only when wanted. Raises `Unusable`."""
    try:
        return {
            name: json.loads(bytes(raw)) if decode or name in KEY_FIELDS else None
            for name, raw in fields.items()
            if name not in IMAGE_FIELDS
        }
    except (ValueError, RecursionError) as error:
        raise Unusable(
            codes.RECORD_MALFORMED, expected="a JSON object", found=f"broken JSON ({error})"
        ) from None


def _lenient_image(
    raw: bytes, reading: Reading, where: Where
) -> tuple[ImageRecord, dict[str, Any]]:
    fields = fields_of(raw)
    lenient = Lenient(fields, reading.report, where)
    id = lenient.id("id")
    if id is None:
        raise Unusable(codes.RECORD_MALFORMED, "/id", expected="id", found="a record without it")
    record = ImageRecord(
        id,
        lenient.number("width"),
        lenient.number("height"),
        lenient.text("file_name"),
        lenient.text("coco_url"),
    )
    return record, {k: v for k, v in fields.items() if k not in IMAGE_FIELDS}


class _Adding:
    """Adds image records to the table, and sums up what is told once."""

    def __init__(self, pictures: Pictures, reading: Reading, keep_extra: bool) -> None:
        self._pictures = pictures
        self._keys = reading.keys
        self._media = reading.media
        self._report = reading.report
        self._keep_extra = keep_extra
        self._are_ids = reading.keys.are_ids
        self._unknown = 0
        self._fields: dict[str, int] = {}
        self._nothing: Extra = {}

    def add(self, record: ImageRecord, others: dict[str, Any]) -> None:
        """Add a picture. Raises `Unusable`; its annotations are then refused too."""
        pictures = self._pictures
        first = pictures.find(record.id)
        if first is not None:
            head = pictures.heads[first]
            raise Unusable(
                codes.ID_DUPLICATE,
                "/id",
                field="image id",
                value=shown(record.id),
                first=repr(head.uri or head.key) if head else "a refused picture",
            )
        try:
            head = self._head(record, others)
        except Unusable:
            pictures.add(record.id, None)
            raise
        pictures.add(record.id, head)

    def usual(self, record: PlainImageRecord) -> bool:
        """Add a picture about which nothing has to be said; False for every other.

        What it adds is what `add` would.
        """
        id, name, width, height = record.id, record.file_name, record.width, record.height
        pictures = self._pictures
        if type(id) is not int or id in pictures.rows or pictures.has_texts or not name:
            return False
        if not (width and height and width > 0 and height > 0) or not self._keys.takes(name):
            return False
        media = pictures.sized(width, height)
        pictures.rows[id] = len(pictures.heads)
        head = Sample(name, media, (), (), (), name, self._are_ids, self._extra(record, {}))
        pictures.heads.append(head)
        pictures.used.append(0)
        return True

    def finish(self, path: str) -> None:
        """Tell the sums."""
        if self._unknown:
            self._report.add(codes.SIZE_UNKNOWN, Where(path=path), count=self._unknown)
        for name, count in self._fields.items():
            self._report.field(f"coco:{name} (of images)", count)

    def _head(self, record: ImageRecord, others: dict[str, Any]) -> Sample:
        width, height = record.width, record.height
        if (width is not None and width <= 0) or (height is not None and height <= 0):
            name, number = (
                ("width", width) if width is not None and width <= 0 else ("height", height)
            )
            raise Unusable(
                codes.RECORD_MALFORMED,
                "/" + name,
                expected=f"{name} above 0",
                found=shown(number),
            )
        name = record.file_name or name_without_file(record.coco_url, record.id)
        given = None if self._keys.renames or not others else _given_key(others)
        fields = others
        if self._keys.renames:
            fields = {**others, "width": width, "height": height, "coco_url": record.coco_url}
        path = name if given is None else others[given]
        key, problem = self._keys.key(path, str(record.id), fields)
        if key is None:
            assert problem is not None  # keys give one or the other
            raise Unusable(problem[0], "", **problem[1])
        if given is not None:
            others = {field: value for field, value in others.items() if field != given}
        found = None
        if not (width and height) and self._media.given:
            found = self._media.image(name)
        media = found or self._pictures.sized(width, height)
        self._unknown += media.width is None
        return Sample(
            key,
            media,
            uri=None if given == "global_key" and key == name else name,
            key_is_id=self._are_ids or given == "data_row_id",
            extra=self._extra(record, others),
        )

    def _extra(self, record: ImageRecord, others: dict[str, Any]) -> Extra:
        """The fields that the model has no place for: kept, or counted."""
        counts = self._fields
        if not self._keep_extra:
            if record.coco_url is not None:
                counts["coco_url"] = counts.get("coco_url", 0) + 1
            if isinstance(record, PlainImageRecord):
                for field in BESIDE:
                    if getattr(record, field) is not ABSENT:
                        counts[field] = counts.get(field, 0) + 1
            for field in others:
                counts[field] = counts.get(field, 0) + 1
            return self._nothing
        extra: Extra = {"coco:id": record.id}
        if record.file_name is None:
            extra["coco:file_name"] = None
        if record.coco_url is not None:
            extra["coco:coco_url"] = record.coco_url
        extra.update((f"coco:{field}", value) for field, value in others.items())
        return extra


def _given_key(others: dict[str, Any]) -> str | None:
    """The field in which the picture brings its key, if it does."""
    for field in KEY_FIELDS:
        if isinstance(others.get(field), str) and others[field]:
            return field
    return None
