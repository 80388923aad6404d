"""Label Studio's short export (JSON-MIN): a record for each annotation, its answers among the data.

A record is what the task's data has, then `id`, then by the name of each control what was answered,
then `annotator` and what else is said of the annotation (label-studio-sdk, `converter`). Types,
ids and relations are left out there; one choice or one text is only a text.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from labelconv.formats.label_studio.shapes import kind_of
from labelconv.texts import as_list

#: What stands behind the answers.
_BEHIND = frozenset(
    ("annotator", "annotation_id", "created_at", "updated_at", "lead_time", "agreement")
)
#: Answers that are no regions, by the member that has them.
_ANSWERS = ("choices", "taxonomy", "rating", "number", "datetime")


class Minimal(NamedTuple):
    """The data of a task, and the results of each control with their place in the record."""

    data: dict[str, Any]
    results: list[tuple[list[Any], str]]


def unfolded(record: dict[str, Any], texts: frozenset[str]) -> Minimal | None:
    """The data and results of a record; None for one that is no record of this export.

    Controls called in `texts` have texts; what else is only a text is a choice.
    """
    names = list(record)
    ends = [names.index(name) for name in ("annotator", "annotation_id") if name in record]
    answered = {name for name, value in record.items() if _regions(value)}
    if ends and "id" in record:
        answered.update(names[names.index("id") + 1 : min(ends)])
    if not ends and not answered:
        return None
    data = {
        name: value
        for name, value in record.items()
        if name not in answered and name not in _BEHIND and name != "id"
    }
    results = [
        ([_result(name, each, texts) for each in as_list(record[name])], f"/{name}")
        for name in names
        if name in answered
    ]
    return Minimal(data, results)


def _regions(value: Any) -> bool:
    """Whether a value lists regions or answers, as they are in the long export."""
    first = value[0] if isinstance(value, list) and value else None
    return isinstance(first, dict) and _kind(first) is not None


def _kind(value: dict[str, Any]) -> str | None:
    for name in value:
        if name.endswith("labels") and name != "labels":
            return name
    if "sequence" in value:
        return "videorectangle"
    if "labels" in value:
        return "labels"
    answer = next((name for name in _ANSWERS if name in value), None)
    if answer is None and isinstance(value.get("text"), list):
        return "textarea"
    return answer or kind_of(value)


def _result(name: str, value: Any, texts: frozenset[str]) -> Any:
    """An answer as a result of the long export; as it is where it cannot be one."""
    if isinstance(value, str):
        kind, said = ("textarea", "text") if name in texts else ("choices", "choices")
        return {"from_name": name, "type": kind, "value": {said: [value]}}
    if not isinstance(value, dict):
        return value
    sizes = {each: value[each] for each in ("original_width", "original_height") if each in value}
    return {"from_name": name, "type": _kind(value), "value": value, **sizes}
