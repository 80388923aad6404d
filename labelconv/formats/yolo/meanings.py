"""The words of a row: what they are under a decision, and numbers from them with their place."""

from __future__ import annotations

import math
from typing import NamedTuple

from labelconv import codes
from labelconv.formats.yolo.deciding import BASE, Decision
from labelconv.fractions import Bad


class Meaning(NamedTuple):
    """What a row of one length is: kind, where its coordinates end, and its columns behind."""

    kind: str
    end: int
    conf: int | None = None
    track: int | None = None


def meaning(length: int, decision: Decision, keypoints: int) -> Meaning | None:
    """What a row of so many words means under a decision; None if nothing."""
    columns = decision.columns
    if decision.task == "segment":
        extra = (length - 1) % 2 if columns != "conf+track" else 2
        if columns == "none" and extra:
            return None
        if length - extra >= 7:
            return _with_columns("polygon", length - extra, length, columns)
        return _with_columns("box", 5, length, columns)
    if decision.task in BASE or decision.task == "pose":
        base = BASE.get(decision.task, 5 + keypoints)
        kind = {"detect": "box", "obb": "corners", "pose": "skeleton"}[decision.task]
        found = _with_columns(kind, base, length, columns)
        if found is None and decision.task == "pose":
            return _with_columns("box", 5, length, columns)
        return found
    return None


def _with_columns(kind: str, end: int, length: int, columns: str) -> Meaning | None:
    behind = length - end
    if behind == 0:
        return Meaning(kind, end)
    if behind == 1 and columns == "conf":
        return Meaning(kind, end, conf=end)
    if behind == 1 and columns == "track":
        return Meaning(kind, end, track=end)
    if behind == 2 and columns == "conf+track":
        return Meaning(kind, end, conf=end, track=end + 1)
    if behind == 1 and columns == "conf+track":  # tracked results of a frame without ids
        return Meaning(kind, end, conf=end)
    return None


def expectation(decision: Decision, keypoints: int) -> str:
    """The words of a row under a decision, as messages say it."""
    behind = "" if decision.columns == "none" else f", then {decision.columns}"
    coordinates = {
        "detect": "4 numbers of a box",
        "segment": "x and y of 3 points or more",
        "obb": "8 numbers of four corners",
        "classify": "nothing else, but rows of a confidence and a name found; give -O task",
        "pose": f"4 numbers of a box and {keypoints} of keypoints",
    }.get(decision.task, "a row")
    return f"a class and {coordinates}{behind} (task={decision.task})"


def numbers(fields: list[bytes], start: int, end: int) -> list[float]:
    """Finite numbers from words. Raises `Bad` at the first that is none."""
    try:
        values = [float(word) for word in fields[start:end]]
        plain = math.isfinite(sum(values)) and not any(b"_" in word for word in fields)
    except ValueError:
        plain = False
    if plain:
        return values
    value: float | None
    for index in range(start, end):
        try:
            value = float(fields[index])
        except ValueError:
            value = None
        if value is None or b"_" in fields[index]:
            raise Bad(codes.RECORD_MALFORMED, index, expected="a number", found=text(fields[index]))
        if not math.isfinite(value):
            raise Bad(codes.NUMBER_NOT_FINITE, index, found=text(fields[index]))
    return [float(word) for word in fields[start:end]]


def text(word: bytes) -> str:
    return repr(word[:40].decode("utf-8", "replace"))
