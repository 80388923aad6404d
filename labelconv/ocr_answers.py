"""Answers of services that recognise text: JSON as the wire spells it, or as Python clients do."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from typing import Any

from labelconv.ocr import size
from labelconv.problems import Report


def member(given: Any, name: str) -> Any:
    """A member by its JSON name (`pageNumber`), or as Python spells it (`page_number`)."""
    if not isinstance(given, dict):
        return None
    if name in given:
        return given[name]
    return given.get(_python(name))


def listed(given: Any, name: str) -> list[Any]:
    """What a member lists; nothing where it is not there, or null.

    Anything else than a list is taken for the only thing in it, so that the reader, who finds it
    broken, rejects it with its place.
    """
    found = member(given, name)
    if found is None:
        return []
    return found if isinstance(found, list) else [found]


def count_others(given: Any, known: frozenset[str], report: Report, prefix: str) -> None:
    """Count the members that the model has no place for, but not those that say nothing.

    `known` are the others, in either spelling. A member counts as often as it lists something; it
    is called by `prefix` (`format:`) and its name.
    """
    for name, value in given.items() if isinstance(given, dict) else ():
        if name in known or value in (None, "", [], {}, 0) or _wire(name) in known:
            continue
        report.field(prefix + name, len(value) if isinstance(value, list) else 1)


def side(given: Any, name: str, report: Report, prefix: str) -> float | None:
    """A width or height above 0; None where it is not said, or 0. A broken one is counted."""
    value = member(given, name)
    found = size(value)
    if found is None and value not in (None, "", 0):
        report.field(prefix + name)
    return found


def said(error: Exception) -> str:
    """What is wrong with a member, in words."""
    return f"no {error}" if isinstance(error, KeyError) else str(error)


class LineStarts:
    """Which line a place in the text belongs to: that which starts last before it."""

    def __init__(self, starts: Iterable[tuple[int, int]]) -> None:
        """`starts`: where a line starts in the text, and its number, in any order."""
        found = sorted(starts)
        self._starts = [start for start, _ in found]
        self._numbers = [number for _, number in found]

    def at(self, place: int) -> int | None:
        number = bisect_right(self._starts, place) - 1
        return self._numbers[number] if number >= 0 else None


def _python(name: str) -> str:
    return "".join(f"_{each.lower()}" if each.isupper() else each for each in name)


def _wire(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(each[:1].upper() + each[1:] for each in rest)
