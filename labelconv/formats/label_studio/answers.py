"""Answers of Label Studio: results that are no region."""

from __future__ import annotations

from typing import Any, Literal

from labelconv.model import Answer, Checklist, Classification, FreeText, Radio
from labelconv.texts import Fault, answered


def answer_of(each: dict[str, Any], choices: Literal["checklist", "radio"]) -> Classification:
    """The answer of a result that is no region. Raises `Fault`."""
    value = each.get("value")
    kind = each["type"]
    name = str(each.get("from_name") or kind)
    if not isinstance(value, dict):
        raise Fault("a result with a value", repr(value)[:40], "/value")
    said = value.get("text" if kind == "textarea" else kind)
    listed = said if isinstance(said, list) else [] if said is None else [said]
    answer: Answer
    if not listed:
        raise Fault("an answer", repr(value)[:40], "/value")
    if kind == "choices":
        return answered([(str(option), None) for option in listed], name, choices)
    if kind == "taxonomy":
        paths = [path if isinstance(path, list) else [path] for path in listed]
        answer = Checklist(tuple(Radio(" / ".join(map(str, path))) for path in paths))
    else:
        answer = FreeText("\n".join(str(part) for part in listed))
    return Classification(name, answer)
