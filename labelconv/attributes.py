"""What the attributes of map features say: class, image, confidence, and answers to questions.

Shared by the formats whose features have attributes of any name (GeoJSON, GeoPackage and the like).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import msgspec

from labelconv.model import Checklist, FreeText, Radio

#: Properties that name a class, the likeliest first. SpaceNet, xView, xBD, QGIS, fastai, geopandas.
CLASS_KEYS = (
    *("class", "label", "category", "class_name", "label_name", "name", "type", "type_id"),
    *("feature_type", "subtype", "building", "landuse", "kind"),
)


class Answers(msgspec.Struct, frozen=True):
    """The question that a property answers, and its kind: `radio`, `checklist`, `text`."""

    name: str
    kind: str


class Keys(msgspec.Struct, frozen=True):
    """Which property is what."""

    class_key: str | None
    sample_key: str | None
    confidence_key: str
    answers: dict[str, Answers]
    #: `radio` or `text` for all others, or None.
    others: str | None

    def used(self) -> frozenset[str]:
        """The properties that are read."""
        named = {self.class_key, self.sample_key, self.confidence_key, *self.answers}
        return frozenset(name for name in named if name is not None)


def listed(options: Mapping[str, str]) -> tuple[dict[str, Answers], str | None]:
    """Which attributes answer questions, from kind → names with commas; and the kind of all others,
    where `*` stands for them."""
    answers: dict[str, Answers] = {}
    others = None
    for kind, names in options.items():
        for name in names.split(","):
            if name.strip() == "*":
                others = kind
            elif name.strip():
                answers[name.strip()] = Answers(name.strip(), kind)
    return answers, others


def class_key_in(rows: Sequence[Mapping[str, Any]], taken: Collection[str]) -> str | None:
    """The likeliest attribute that names a class in some of the rows."""
    return next(iter(class_keys_in(rows, taken)), None)


def class_keys_in(rows: Sequence[Mapping[str, Any]], taken: Collection[str]) -> list[str]:
    """The attributes that name a class in some of the rows, in any case, the likeliest first."""
    found: dict[str, list[str]] = {}
    for name in dict.fromkeys(name for row in rows for name in row):
        if name not in taken and any(names_a_class(row.get(name)) for row in rows):
            found.setdefault(name.lower(), []).append(name)
    # Of several that differ by case alone, the one in small letters is the likeliest.
    return [name for key in CLASS_KEYS for name in sorted(found.get(key, ()), reverse=True)]


def names_a_class(value: Any) -> bool:
    """Whether a value can be the name of a class: a text, or a whole number."""
    if isinstance(value, str):
        return bool(value)
    return isinstance(value, int) and not isinstance(value, bool)


def names_a_sample(value: Any) -> bool:
    if isinstance(value, str):
        return bool(value)
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def confidence_of(value: Any) -> float | None:
    """A value as a confidence, if it is a number from 0 to 1."""
    if isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value <= 1:
        return float(value)
    return None


def id_of(id: Any, index: int) -> str:
    if isinstance(id, str) and id:
        return id
    if isinstance(id, bool) or not isinstance(id, (int, float)):
        return str(index)
    return str(int(id)) if id == int(id) else repr(id)


def text_of(value: Any) -> str:
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (int, float)):
        return str(value)
    return msgspec.json.encode(value).decode()


def answer_of(value: Any, kind: str) -> Radio | Checklist | FreeText | None:
    """A property as an answer; None for one without a value. Sure options are objects with name and
    confidence, as the writer spells them."""
    if value is None:
        return None
    if kind == "text":
        if isinstance(value, dict) and "text" in value:
            return FreeText(_plain(value["text"]), (), _sure(value))
        return FreeText(_plain(value))
    if kind == "checklist":
        ticked = value if isinstance(value, list) else [value]
        return Checklist(tuple(map(_option, ticked))) if ticked else None
    return _option(value)


def _option(value: Any) -> Radio:
    if isinstance(value, dict) and "name" in value:
        return Radio(_plain(value["name"]), (), _sure(value))
    return Radio(_plain(value))


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else text_of(value)


def _sure(value: dict[str, Any]) -> float | None:
    found = value.get("confidence")
    return float(found) if isinstance(found, (int, float)) else None
