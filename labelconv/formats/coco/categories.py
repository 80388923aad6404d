"""The table of categories that COCO's annotations refer to."""

from __future__ import annotations

from typing import Any

import msgspec

from labelconv import codes
from labelconv.format import Reading
from labelconv.formats.coco.pictures import other_spelling
from labelconv.formats.coco.wire import Id, Lenient, fields_of, shown
from labelconv.model import Category
from labelconv.problems import Where
from labelconv.unusable import Unusable


class Categories(msgspec.Struct):
    """Categories by id, in the order of the file."""

    by_id: dict[Id, Category]

    def find(self, id: Id) -> Category | None:
        found = self.by_id.get(id)
        if found is None:
            other = other_spelling(id)
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
