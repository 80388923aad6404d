"""Which rows of a table of coordinates must stay, so that the others lie between them.

Arrays all through: `frames` (N,) whole numbers, `values` (N, C) floats, a row for each frame of a
track. A *piece* is rows `first` to `last` inclusive, with strictly rising frames, whose two ends
stay in any case; pieces may share an end.

`labelconv.straight` has the rule for a skipped row, `labelconv.walking` the fast search.
"""

from __future__ import annotations

from collections.abc import Callable
from math import inf, sqrt
from typing import Any, Literal, TypeAlias

import msgspec
import numpy as np

from labelconv.straight import (
    Bools,
    Floats,
    Given,
    Ints,
    around,
    errors,
    is_straight,
    measure,
)
from labelconv.walking import Table, walk, walk_all

Method: TypeAlias = Literal["reach", "fewest"]
Slack: TypeAlias = Callable[[int], float]

#: Rows that a cone allows and the rule itself is asked about, before it is asked without a cone.
_MOST_TRIES = 16
#: Roundings of the line are below this part of the largest coordinate.
_ROUNDING = 1e-12


class Chosen(msgspec.Struct, frozen=True):
    """`kept` (N,): rows that stay. `error` (N,): how far each row is from the line; 0 if kept.
    `line` (N, C): where that is."""

    kept: Bools
    error: Floats
    line: Floats


def choose(
    frames: Ints,
    values: Floats,
    first: Ints,
    last: Ints,
    tolerance: float,
    *,
    method: Method = "reach",
    vertices: bool = False,
) -> Chosen:
    """The rows to keep: of each piece (first[i] to last[i]) the ends and as few as are needed.

    `reach` steps from each kept row to a farthest one, in linear time (`labelconv.walking`).
    `fewest` finds the smallest number there is, in time that grows with the square of the rows
    that one step can span. Rows outside of all pieces stay. Raises `ValueError` for a tolerance
    that is negative or not a number.
    """
    if not tolerance >= 0:
        raise ValueError(f"a tolerance of 0 or more expected, {tolerance} found")
    covered = np.zeros(len(frames) + 1, np.int64)
    np.add.at(covered, first + 1, 1)
    np.add.at(covered, np.maximum(last, first + 1), -1)
    kept: Bools = np.cumsum(covered[:-1]) == 0  # all but what lies inside of a piece
    inner = np.flatnonzero(last - first > 1)
    if not len(inner):
        return Chosen(kept, np.zeros(len(frames)), values)
    first, last = first[inner], last[inner]
    given = Given(frames, values, tolerance, vertices)
    with np.errstate(all="ignore"):
        scale = _largest(values, first, last)
        usable = np.isfinite(scale)
        for start, end in zip(first[~usable].tolist(), last[~usable].tolist(), strict=True):
            kept[start:end] = True
        first, last, slack = first[usable], last[usable], scale[usable] * _ROUNDING
        if method == "fewest":
            for start, end, more in zip(first.tolist(), last.tolist(), slack.tolist(), strict=True):
                kept[_fewest(given, start, end, more)] = True
            return Chosen(kept, *errors(given, kept))
        walk_all(given, first, last, tolerance + slack, kept)
        return Chosen(kept, *_mended(given, kept, _slack_at(first, slack)))


def _slack_at(first: Ints, slack: Floats) -> Slack:
    """What is allowed for roundings in the piece of a row."""
    order = np.argsort(first)
    begins = first[order]

    def at(row: int) -> float:
        return float(slack[order[np.searchsorted(begins, row, "right") - 1]])

    return at


def _largest(values: Floats, first: Ints, last: Ints) -> Floats:
    """The largest size of a number in each piece."""
    sizes = np.abs(values).max(axis=1) if values.shape[1] else np.zeros(len(values))
    borders = np.empty(2 * len(first), np.int64)
    borders[0::2], borders[1::2] = first, last
    return np.maximum(np.maximum.reduceat(sizes, borders)[0::2], sizes[last])


def _mended(given: Given, kept: Bools, slack: Slack) -> tuple[Floats, Floats]:
    """Keep more rows where the walk, which allows for roundings, let one slip too far.

    The walk looks at columns only, so that a vertex may be further off than both of its columns:
    then it is walked again with a tolerance that rules this out.
    """
    error, line = errors(given, kept)
    for rule in ("columns", "rows") if given.vertices and given.tolerance else ("rows",):
        wrong = np.flatnonzero(error > given.tolerance)
        if not len(wrong):
            break
        spans = np.unique(np.stack(around(kept, wrong)), axis=1)
        again = []
        for start, end in spans.T.tolist():
            again.append(np.arange(start, end))
            if rule == "columns":
                walk(given, start, end, given.tolerance / sqrt(2) * (1 - 1e-9), kept)
            else:
                _walk_checked(given, start, end, given.tolerance + slack(start), kept)
        rows = np.concatenate(again)
        error[rows], line[rows] = 0.0, given.values[rows]
        measure(given, kept, rows[~kept[rows]], error, line)
    return error, line


def _walk_checked(given: Given, first: int, last: int, reach: float, kept: Bools) -> None:
    """Step to the farthest row that the rule itself allows, of those that the cone does."""
    table = Table(given, first, last)
    anchor = first
    while anchor < last:
        fitting = table.fitting(anchor - first, reach)
        tries = (row + first for row in reversed(fitting[-_MOST_TRIES:]))
        found = next((row for row in tries if is_straight(given, anchor, row)), None)
        anchor = _doubled(given, anchor, last) if found is None else found
        kept[anchor] = True


def _doubled(given: Given, anchor: int, last: int) -> int:
    """A row that can be stepped to, by doubling and halving."""
    good, bad, probe = anchor + 1, last + 1, anchor + 2
    while probe <= last and is_straight(given, anchor, probe):
        good, probe = probe, anchor + 2 * (probe - anchor)
    bad = min(probe, bad)
    while bad - good > 1:
        middle = (good + bad) // 2
        if is_straight(given, anchor, middle):
            good = middle
        else:
            bad = middle
    return good


# ------------------------------------------------------------------------------- the fewest


def _fewest(given: Given, first: int, last: int, slack: float) -> Ints:
    """The rows of the shortest path from `first` to `last` over steps that skip nothing too far."""
    count = last - first + 1
    steps = np.arange(count)  # a step to the next row is always possible
    previous = steps - 1
    reach = given.tolerance + slack
    for anchor in range(count - 1):
        after = steps[anchor] + 1
        for row in _visible(given, first + anchor, last, reach).tolist():
            at = row - first
            if after < steps[at] and is_straight(given, first + anchor, row):
                steps[at], previous[at] = after, anchor
        if after < steps[anchor + 1]:
            steps[anchor + 1], previous[anchor + 1] = after, anchor
    path = [count - 1]
    while path[-1]:
        path.append(int(previous[path[-1]]))
    return np.array(path, np.int64) + first


def _visible(given: Given, anchor: int, last: int, reach: float) -> Ints:
    """Rows from `anchor` + 2 on whose slope lies in the cone of the rows before; perhaps more."""
    found: list[Any] = []
    low = high = None
    begin, size = anchor + 1, 32
    while begin <= last:
        end = min(begin + size, last + 1)
        span = (given.frames[begin:end] - given.frames[anchor]).astype(np.float64)[:, None]
        slope = (given.values[begin:end] - given.values[anchor]) / span
        down, up = slope - reach / span, slope + reach / span
        if low is not None and high is not None:
            np.maximum(down[0], low, out=down[0])
            np.minimum(up[0], high, out=up[0])
        np.maximum.accumulate(down, axis=0, out=down)
        np.minimum.accumulate(up, axis=0, out=up)
        if low is None or high is None:
            low, high = np.full_like(down[0], -inf), np.full_like(up[0], inf)
        cone_low, cone_high = np.vstack((low, down[:-1])), np.vstack((high, up[:-1]))
        open = (cone_low <= cone_high).all(axis=1)
        fits = open & ((slope >= cone_low) & (slope <= cone_high)).all(axis=1)
        found.append(np.flatnonzero(fits) + begin)
        if not open.all() or not (down[-1] <= up[-1]).all():
            break
        low, high = down[-1], up[-1]
        begin, size = end, size * 2
    rows = np.concatenate(found) if found else np.zeros(0, np.int64)
    return rows[rows > anchor + 1].astype(np.int64)


# ------------------------------------------------------------------------------- measures


def ious(values: Floats, chosen: Chosen) -> Floats:
    """(N,): the IoU of each box (N, 4) with where the line puts it; 1.0 for those that are kept.

    A box without area has IoU 1 with one that is the same, else 0.
    """
    found = np.ones(len(values))
    rows = np.flatnonzero(~chosen.kept)
    if not len(rows):
        return found
    line, boxes = chosen.line[rows], values[rows]
    with np.errstate(all="ignore"):
        shared = np.minimum(line[:, 2:], boxes[:, 2:]) - np.maximum(line[:, :2], boxes[:, :2])
        np.maximum(shared, 0.0, out=shared)
        both = shared[:, 0] * shared[:, 1]
        sizes = line[:, 2:] - line[:, :2], boxes[:, 2:] - boxes[:, :2]
        areas = [np.abs(size[:, 0] * size[:, 1]) for size in sizes]
        union = areas[0] + areas[1] - both
        share = np.where(union > 0, both / union, 0.0)
    found[rows] = np.where(chosen.error[rows] == 0, 1.0, np.nan_to_num(share, nan=0.0))
    return found
