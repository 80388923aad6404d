"""The table of pictures and of categories that COCO's annotations refer to, kept small."""

from __future__ import annotations

import json
from array import array
from collections.abc import Sequence
from typing import Any

import msgspec

from labelconv import codes
from labelconv.format import Reading
from labelconv.formats.coco.numbers import name_without_file
from labelconv.formats.coco.wire import (
    FIELDS,
    IMAGE_FIELDS,
    IMAGES,
    Id,
    ImageRecord,
    Lenient,
    Unusable,
    fields_of,
    shown,
)
from labelconv.jsonstream import Walker
from labelconv.model import Category, Extra, Image
from labelconv.problems import Where

#: What a row holds when the picture was refused.
_NO_KEY = ""
#: Fields of an image that name its data row in Labelbox; labelconv's writer adds them.
KEY_FIELDS = ("global_key", "data_row_id")


class Pictures:
    """Pictures by id. Columns, not objects: real files have 100,000 and more."""

    def __init__(self) -> None:
        self.rows: dict[Id, int] = {}
        self.keys: list[str] = []
        self.names: list[str] = []
        self.widths = array("d")
        self.heights = array("d")
        self.extras: list[Extra] = []
        self.used = bytearray()
        self.without_uri: set[int] = set()
        self.with_data_row_id: set[int] = set()

    def find(self, id: Id) -> int | None:
        """The row of an id, compared as it is and then as text (`139` and `"139"`)."""
        row = self.rows.get(id)
        if row is None:
            other = _other_spelling(id)
            row = self.rows.get(other) if other is not None else None
        return row

    def image(self, row: int) -> Image:
        width, height = self.widths[row], self.heights[row]
        return Image(width, height) if width and height else Image()

    def refused(self, row: int) -> bool:
        return self.keys[row] == _NO_KEY

    def add(self, id: Id, key: str, name: str, size: tuple[float, float], extra: Extra) -> None:
        self.rows[id] = len(self.keys)
        self.keys.append(key)
        self.names.append(name)
        self.widths.append(size[0])
        self.heights.append(size[1])
        self.extras.append(extra)
        self.used.append(0)


def _other_spelling(id: Id) -> Id | None:
    if isinstance(id, int):
        return str(id)
    return int(id) if id.isdecimal() and id.isascii() and str(int(id)) == id else None


def read_pictures(walker: Walker, pictures: Pictures, reading: Reading, path: str) -> None:
    """Add the `images` array where the walker is. Bad records are rejected, each alone."""
    keep_extra = reading.wanted.extra is None or "coco" in reading.wanted.extra
    all_fields = keep_extra or reading.keys.needs_fields
    unknown = 0
    for batch in walker.array(IMAGES):
        reading.report.ledger.samples.read += len(batch.values or batch.spans or ())
        fields = FIELDS.decode(batch.piece) if batch.values is not None else None
        raws = batch.raws() if batch.values is None else None
        records: Sequence[ImageRecord | bytes] = batch.values or raws or ()
        for position, record in enumerate(records):
            where = Where(path=path, pointer=f"/images/{batch.index + position}")
            try:
                if isinstance(record, bytes):
                    known, others = _lenient_image(record, reading, where)
                else:
                    known = record
                    others = _others(fields[position], all_fields) if fields else {}
                unknown += _add(known, others, pictures, reading, keep_extra)
            except Unusable as problem:
                raws = batch.raws() if raws is None else raws
                place = msgspec.structs.replace(where, pointer=f"{where.pointer}{problem.pointer}")
                reading.report.reject(
                    problem.code, place, raws[position], "samples", **problem.values
                )
    if unknown:
        reading.report.add(codes.SIZE_UNKNOWN, Where(path=path), count=unknown)


def _others(fields: dict[str, msgspec.Raw], decode: bool) -> dict[str, Any]:
    """The fields beyond the usual ones; their values only when they are wanted."""
    return {
        name: json.loads(bytes(raw)) if decode or name in KEY_FIELDS else None
        for name, raw in fields.items()
        if name not in IMAGE_FIELDS
    }


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


def _add(
    record: ImageRecord,
    others: dict[str, Any],
    pictures: Pictures,
    reading: Reading,
    keep_extra: bool,
) -> int:
    """Add a picture; 1 if its size is not known. Raises `Unusable`."""
    first = pictures.find(record.id)
    if first is not None:
        raise Unusable(
            codes.ID_DUPLICATE,
            "/id",
            field="image id",
            value=shown(record.id),
            first=repr(pictures.names[first]),
        )
    width, height = record.width, record.height
    for name, number in (("width", width), ("height", height)):
        if number is not None and number <= 0:
            _refuse(record, pictures)
            raise Unusable(
                codes.RECORD_MALFORMED,
                "/" + name,
                expected=f"{name} above 0",
                found=shown(number),
            )
    name = record.file_name or name_without_file(record.coco_url, record.id)
    usual = {"width": width, "height": height, "coco_url": record.coco_url}
    given = None if reading.keys.renames else _given_key(others)
    path = name if given is None else others[given]
    key, problem = reading.keys.key(path, str(record.id), {**others, **usual})
    if key is None:
        _refuse(record, pictures)
        code, values = problem  # type: ignore[misc]
        raise Unusable(code, "", **values)
    row = len(pictures.keys)
    if given == "global_key" and key == name:
        pictures.without_uri.add(row)
    if given == "data_row_id":
        pictures.with_data_row_id.add(row)
    if given is not None:
        others = {field: value for field, value in others.items() if field != given}
    extra: Extra = {}
    if keep_extra:
        extra["coco:id"] = record.id
        if record.file_name is None:
            extra["coco:file_name"] = None
        if record.coco_url is not None:
            extra["coco:coco_url"] = record.coco_url
        extra.update((f"coco:{field}", value) for field, value in others.items())
    else:
        for field in (*others, *(["coco_url"] if record.coco_url is not None else [])):
            reading.report.field(f"coco:{field} (of images)")
    size = (width, height) if width and height else (0.0, 0.0)
    pictures.add(record.id, key, name, size, extra)
    return size[0] == 0


def _given_key(others: dict[str, Any]) -> str | None:
    """The field in which the picture brings its key, if it does."""
    for field in KEY_FIELDS:
        if isinstance(others.get(field), str) and others[field]:
            return field
    return None


def _refuse(record: ImageRecord, pictures: Pictures) -> None:
    """Keep the id of a refused picture, so that its annotations can be told why they go too."""
    pictures.add(record.id, _NO_KEY, record.file_name or str(record.id), (0.0, 0.0), {})


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
