"""Coordinates of many geometries at once: one parse of all their numbers, and the brackets apart.

`[[[0,1],[2,3],[4,5],[0,1]]]` is the numbers 0 1 2 3 4 5 0 1 and the brackets `[[[,],[,],[,],[,]]]`.
Most geometries of a file share few patterns of brackets, so that each is understood once.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import msgspec
from msgspec import Raw

_NUMERIC = b"0123456789+-.eE \t\r\n"
_BRACKETS = b"[] \t\r\n"
_POSITION = re.compile(rb"\[(,+)\]")
_FLOATS = msgspec.json.Decoder(list[float])
_NESTED = msgspec.json.Decoder(Any)
#: Patterns longer than this are not remembered.
_SHORT = 4_000


class MalformedError(ValueError):
    """Coordinates that are not what the geometry's type asks for; the message says what is."""


class Plan(msgspec.Struct, frozen=True):
    """What brackets say. `depth`: 1 for a position, 2 for a list of them, and so on to 4.

    `nested` has the numbers of each position (2 or more) in lists of `depth` - 1 levels. `count` is
    the numbers in all; `sizes` are the positions of each ring of a polygon or line of a
    multi-line; `flat` says that every position has two numbers, `ring`
    that it can be a polygon of one ring, of such positions.
    """

    depth: int
    nested: Any
    count: int
    sizes: tuple[int, ...]
    flat: bool
    ring: bool


class Numbers(msgspec.Struct, frozen=True):
    """The numbers of one geometry within those of many, from `start` on; `plan` is None where they
    are not understood, and `reason` says why."""

    plan: Plan | None
    values: Sequence[float] = ()
    start: int = 0
    reason: str = ""


def parsed(raws: Sequence[Raw | bytes]) -> list[Numbers]:
    """The numbers of many `coordinates`."""
    together = parsed_together(raws)
    if together is None:
        return [_alone(bytes(raw)) for raw in raws]
    plans, values = together
    out = []
    start = 0
    for plan in plans:
        out.append(Numbers(plan, values, start))
        start += plan.count
    return out


def parsed_together(raws: Sequence[Raw | bytes]) -> tuple[list[Plan], tuple[float, ...]] | None:
    """The plan of each of many `coordinates`, and all their numbers in a row; None where one of
    them is not understood."""
    patterns = b";".join(raws).translate(None, _NUMERIC).split(b";")
    if len(patterns) != len(raws):
        return None
    known = {pattern: plan_of(pattern) for pattern in set(patterns)}
    plans = [plan for pattern in patterns if (plan := known[pattern]) is not None]
    if len(plans) != len(patterns):
        return None
    try:
        values = _FLOATS.decode(b"[" + b",".join(raws).translate(None, _BRACKETS) + b"]")
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    if sum(plan.count for plan in plans) != len(values):
        return None
    return plans, tuple(values)


def _alone(raw: bytes) -> Numbers:
    plan = plan_of(raw.translate(None, _NUMERIC))
    if plan is None:
        return Numbers(None, reason=_reason(raw))
    try:
        values = _FLOATS.decode(b"[" + raw.translate(None, _BRACKETS) + b"]")
    except (msgspec.DecodeError, UnicodeDecodeError):
        return Numbers(None, reason=_reason(raw))
    if len(values) != plan.count:
        return Numbers(None, reason=_reason(raw))
    return Numbers(plan, values, 0)


def _reason(raw: bytes) -> str:
    shown = raw[:40].decode("utf-8", "backslashreplace")
    return f"{shown}{'…' if len(raw) > 40 else ''}"


def plan_of(pattern: bytes) -> Plan | None:
    """What a pattern of brackets means; None for one that no geometry has."""
    return _remembered(pattern) if len(pattern) <= _SHORT else _plan(pattern)


@lru_cache(maxsize=20_000)
def _remembered(pattern: bytes) -> Plan | None:
    return _plan(pattern)


def _plan(pattern: bytes) -> Plan | None:
    try:
        nested = _NESTED.decode(_POSITION.sub(lambda found: b"%d" % (len(found[1]) + 1), pattern))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    depth = _depth(nested)
    if depth is None:
        return None
    positions = list(_positions(nested))
    levels: Any = nested
    sizes: tuple[int, ...] = ()
    if depth == 2:
        sizes = (len(levels),)
    elif depth == 3:
        sizes = tuple(map(len, levels))
    elif depth == 4:
        sizes = tuple(len(ring) for part in levels for ring in part)
    flat = all(size == 2 for size in positions)
    ring = flat and depth == 3 and len(sizes) == 1 and sizes[0] >= 4
    return Plan(depth, nested, sum(positions), sizes, flat, ring)


def _depth(nested: Any) -> int | None:
    """1 for a number, one more for each list around; None where branches differ."""
    if isinstance(nested, int):
        return 1
    if not isinstance(nested, list) or not nested:
        return None
    depths = {_depth(each) for each in nested}
    depth = depths.pop()
    return None if depths or depth is None else depth + 1


def _positions(nested: Any) -> Any:
    if isinstance(nested, int):
        yield nested
    else:
        for each in nested:
            yield from _positions(each)


def pairs_of(numbers: Numbers) -> tuple[list[float], bool]:
    """x, y, x, y … of a geometry, and whether positions had more than two numbers."""
    plan = numbers.plan
    assert plan is not None  # for mypy; the caller looked
    values = numbers.values[numbers.start : numbers.start + plan.count]
    if plan.flat:
        return list(values), False
    out: list[float] = []
    at = 0
    for size in _positions(plan.nested):
        out += values[at : at + 2]
        at += size
    return out, True
