"""Relations between the objects of a label."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from labelconv import codes
from labelconv.formats.labelbox_export.answers import named
from labelconv.formats.labelbox_export.faults import Refused, malformed, record
from labelconv.model import Relation

_ENDS = ("unidirectional_relationship", "bidirectional_relationship", "relationship", "data")
_USED = frozenset(("feature_id", "featureId", "name", "title", "annotation_kind", *_ENDS))


def related(given: Any, at: str, ids: Mapping[str, str], note: Callable[[str], None]) -> Relation:
    """A relation between objects whose features have these ids; its own is empty where it has none.

    `note` is told names of members that have no place in it. Raises `Refused`.
    """
    item = record(given, at, "a relationship")
    name = named(item, at)
    key = next((key for key in _ENDS if key in item), None)
    if key is None:
        raise malformed(at, "a relationship with source and target", ", ".join(item))
    ends = record(item[key], f"{at}/{key}", "source and target")
    found = []
    for end in ("source", "target"):
        id = ids.get(ends[end]) if isinstance(ends.get(end), str) else None
        if id is None:
            missing = ends.get(end)
            raise Refused(codes.RELATION_END_MISSING, f"{at}/{key}/{end}", missing=missing)
        found.append(id)
    for member in (*(m for m in item if m not in _USED), *ends):
        if member not in ("source", "target", "type"):
            note(member)
    both = key.startswith("bi") or ends.get("type") == "bidirectional"
    both = both or "bidirectional" in str(item.get("annotation_kind", "")).lower()
    return Relation(feature_of(item) or "", name, found[0], found[1], not both)


def feature_of(given: Any) -> str | None:
    """The id of a feature."""
    if isinstance(given, dict):
        for key in ("feature_id", "featureId"):
            found = given.get(key)
            if isinstance(found, str) and found:
                return found
    return None
