"""Parts of an export that cannot be used, and checked access to what is in them."""

from __future__ import annotations

import json
from math import isfinite
from typing import Any

from labelconv import codes
from labelconv.problems import Code


class Refused(Exception):
    """A part of a record that cannot be used; `pointer` is from that part on."""

    def __init__(self, code: Code, pointer: str, /, **values: object) -> None:
        super().__init__(code.id)
        self.code = code
        self.pointer = pointer
        self.values = values


def malformed(pointer: str, expected: str, found: object) -> Refused:
    """What to raise for a value of another form."""
    return Refused(codes.RECORD_MALFORMED, pointer, expected=expected, found=shown(found))


def shown(value: object) -> str:
    """A value in a sentence."""
    if value is None:
        return "nothing"
    try:
        text = json.dumps(value, ensure_ascii=False)
    except (TypeError, ValueError, RecursionError):
        text = type(value).__name__
    return text if len(text) <= 60 else text[:59] + "…"


def verbatim(part: object) -> bytes:
    """A part of a record as JSON. What is nested too deep is told by its type alone."""
    try:
        return json.dumps(part, ensure_ascii=False).encode("utf-8", "backslashreplace")
    except (ValueError, RecursionError):
        return json.dumps(f"({type(part).__name__})").encode()


def number(value: Any, at: str) -> float:
    """A finite number; raises `Refused`."""
    if type(value) is float:
        if isfinite(value):
            return value
        raise Refused(codes.NUMBER_NOT_FINITE, at, found=str(value))
    if type(value) is int:
        try:
            return float(value)
        except OverflowError:
            raise Refused(codes.NUMBER_NOT_FINITE, at, found="a number without end") from None
    raise malformed(at, "a number", value)


def whole(value: Any, at: str, least: int | None = None) -> int:
    """A whole number, of at least so many; raises `Refused`."""
    expected = "a whole number" if least is None else f"a whole number of {least} or more"
    if type(value) is float and value.is_integer():
        value = int(value)
    if type(value) is not int or (least is not None and value < least):
        raise malformed(at, expected, value)
    found: int = value
    return found


def text(value: Any, at: str, what: str = "a text") -> str:
    """A text that is not empty; raises `Refused`."""
    if not isinstance(value, str) or not value:
        raise malformed(at, what, value)
    return value


def record(value: Any, at: str, what: str = "an object") -> dict[str, Any]:
    """A JSON object; raises `Refused`."""
    if not isinstance(value, dict):
        raise malformed(at, what, value)
    return value


def listed(value: Any, at: str, what: str = "a list") -> list[Any]:
    """A JSON list, which may be missing; raises `Refused`."""
    if value is None:
        return []
    if not isinstance(value, list):
        raise malformed(at, what, value)
    return value


def escaped(name: str) -> str:
    """A member's name in a JSON pointer (RFC 6901)."""
    return name.replace("~", "~0").replace("/", "~1")


def positions(value: Any, at: str, least: int) -> tuple[float, ...]:
    """Points `{x, y}` interleaved, of which there are at least so many; raises `Refused`."""
    if not isinstance(value, list) or len(value) < least:
        count = f"a list of {least} points or more"
        raise malformed(at, count, f"{len(value)} points" if isinstance(value, list) else value)
    try:
        numbers: list[float] = [n for each in value for n in (each["x"], each["y"])]
    except (KeyError, TypeError, IndexError):
        position, found = next((n, p) for n, p in enumerate(value) if not _is_point(p))
        raise malformed(f"{at}/{position}", "a point with x and y", found) from None
    if set(map(type, numbers)) == _FLOATS and isfinite(sum(numbers)):
        return tuple(numbers)
    for index, each in enumerate(numbers):
        numbers[index] = number(each, f"{at}/{index // 2}/{'xy'[index % 2]}")
    return tuple(numbers)


_FLOATS = {float}


def _is_point(given: Any) -> bool:
    return isinstance(given, dict) and "x" in given and "y" in given
