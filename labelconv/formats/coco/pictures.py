"""The table of pictures and of categories that COCO's annotations refer to, kept small."""

from __future__ import annotations

import contextlib
import json
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
    Unusable,
    fields_of,
    shown,
)
from labelconv.jsonstream import UNDECODABLE, Batch, Walker
from labelconv.model import Category, Extra, Image, Sample
from labelconv.problems import Where

#: Fields of an image that name its data row in Labelbox; labelconv's writer adds them.
KEY_FIELDS = ("global_key", "data_row_id")


class Pictures:
    """Pictures by id. Each row has its sample without annotations, None where it was refused.

    Real files have 100,000 pictures and more: sizes and empty extras are shared between rows.
    """

    def __init__(self) -> None:
        self.rows: dict[Id, int] = {}
        self.heads: list[Sample | None] = []
        self.used = bytearray()
        self._sizes: dict[tuple[float, float], Image] = {}
        self._has_texts = False

    def find(self, id: Id) -> int | None:
        """The row of an id, compared as it is and then as text (`139` and `"139"`)."""
        row = self.rows.get(id)
        if row is None and (self._has_texts or isinstance(id, str)):
            other = _other_spelling(id)
            row = self.rows.get(other) if other is not None else None
        return row

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
            self._has_texts = True
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


def _other_spelling(id: Id) -> Id | None:
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
            code, values = problem  # type: ignore[misc]
            raise Unusable(code, "", **values)
        if given is not None:
            others = {field: value for field, value in others.items() if field != given}
        media = self._pictures.sized(width, height)
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


# ------------------------------------------------------------------------------------ categories


class Categories(msgspec.Struct):
    """Categories by id, in the order of the file."""

    by_id: dict[Id, Category]

    def find(self, id: Id) -> Category | None:
        found = self.by_id.get(id)
        if found is None:
            other = _other_spelling(id)
            found = self.by_id.get(other) if other is not None else None
        return found

    def __iter__(self) -> Any:
        return iter(self.by_id.values())


def read_categories(data: bytes, reading: Reading, class_key: str, path: str) -> Categories:
    """The `categories` array. Bad entries are told; what refers to them dangles."""
    by_id: dict[Id, Category] = {}
    report = reading.report
    used: dict[str, Id] = {}
    keep_extra = reading.wanted.extra is None or "coco" in reading.wanted.extra
    for position, raw in enumerate(msgspec.json.decode(data, type=list[msgspec.Raw])):
        where = Where(path=path, pointer=f"/categories/{position}")
        try:
            category = _category(bytes(raw), class_key, reading, where)
            id = _new_id(category, by_id)
        except Unusable as problem:
            place = msgspec.structs.replace(where, pointer=f"{where.pointer}{problem.pointer}")
            report.add(problem.code, place, **problem.values)
            continue
        if category.name in used:
            report.add(
                codes.CONVENTION_GUESSED,
                where,
                what=f"categories {used[category.name]} and {id} are one class",
                evidence=f"both are called {category.name!r}",
            )
        used.setdefault(category.name, id)
        by_id[id] = category
        if not keep_extra:
            for field in category.extra:
                if field != "coco:id":
                    report.field(f"{field} (of categories)")
    return Categories(by_id)


def _new_id(category: Category, by_id: dict[Id, Category]) -> Id:
    """The id of a category that no category had before. Raises `Unusable`."""
    id = category.source_id
    if id is None or id in by_id:
        raise Unusable(
            codes.ID_DUPLICATE,
            "/id",
            field="category id",
            value=shown(id),
            first="category " + (repr(by_id[id].name) if id in by_id else "?"),
        )
    return id


def _category(raw: bytes, class_key: str, reading: Reading, where: Where) -> Category:
    fields = fields_of(raw)
    lenient = Lenient(fields, reading.report, where)
    id = lenient.id("id")
    if id is None:
        raise Unusable(codes.RECORD_MALFORMED, "/id", expected="id", found="a record without it")
    name = _class_name(raw, fields, class_key)
    keypoints = tuple(str(point) for point in fields.get("keypoints") or ())
    return Category(
        name=name,
        source_id=id,
        keypoints=keypoints,
        skeleton=_skeleton(fields.get("skeleton")),
        extra={
            f"coco:{field}": value
            for field, value in fields.items()
            if field not in ("id", "name", "keypoints", "skeleton")
        }
        | ({"coco:name": fields.get("name")} if class_key != "name" else {})
        | ({"coco:id": id} if isinstance(id, str) else {}),
    )


def _class_name(raw: bytes, fields: dict[str, Any], class_key: str) -> str:
    value = fields.get(class_key)
    if isinstance(value, str):
        return value
    if isinstance(value, list) and value and isinstance(value[0], str):
        return value[0]
    if value is None or isinstance(value, (list, dict, bool)):
        raise Unusable(
            codes.RECORD_MALFORMED,
            "/" + class_key,
            expected=f"{class_key} as a text",
            found=shown(value),
        )
    # A number is a name as it is spelled in the file: `1.0` stays "1.0".
    return bytes(msgspec.json.decode(raw, type=dict[str, msgspec.Raw])[class_key]).decode().strip()


def _skeleton(value: object) -> tuple[tuple[int, int], ...]:
    """0-based pairs. COCO's own count from 1; a 0 anywhere shows that a file counts from 0."""
    if not isinstance(value, list):
        return ()
    edges = [
        (edge[0], edge[1])
        for edge in value
        if isinstance(edge, list) and len(edge) == 2 and all(isinstance(n, int) for n in edge)
    ]
    base = 0 if any(0 in edge for edge in edges) else 1
    return tuple((a - base, b - base) for a, b in edges)
