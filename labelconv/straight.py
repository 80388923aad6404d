"""The rule by which rows of coordinates lie on the line between two others.

A skipped row is on its place when the straight line between the rows kept around it, a and b,

    values[a] + (values[b] - values[a]) * (frame - frames[a]) / (frames[b] - frames[a])

computed from left to right in double precision, is within the tolerance of it: each column on its
own, or, with `vertices`, each pair of columns (x, y) by its distance. Tolerance 0 means equal bits.
"""

from __future__ import annotations

from math import inf
from typing import TypeAlias

import msgspec
import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.int64]
Bools: TypeAlias = NDArray[np.bool_]


class Given(msgspec.Struct, frozen=True):
    frames: Ints
    values: Floats
    tolerance: float
    vertices: bool


def line_at(given: Given, rows: Ints, before: Ints, after: Ints) -> Floats:
    """(len(rows), C): where the line between rows `before` and `after` is at the frames of rows."""
    frames, values = given.frames, given.values
    start = frames[before]
    done = (frames[rows] - start).astype(np.float64)[:, None]
    whole = (frames[after] - start).astype(np.float64)[:, None]
    origin = values[before]
    line: Floats = origin + (values[after] - origin) * done / whole
    return line


def _distance(given: Given, line: Floats, values: Floats) -> Floats:
    """How far each row is from the line; infinite where that cannot be said."""
    if given.tolerance == 0:
        # Equal bits, so that -0.0 comes back too.
        same = (line.view(np.int64) == values.view(np.int64)).all(axis=1)
        return np.where(same, 0.0, inf)
    apart = line - values
    if given.vertices:
        apart = np.hypot(apart[:, 0::2], apart[:, 1::2])
    else:
        np.abs(apart, out=apart)
    far: Floats = apart.max(axis=1)
    return np.where(np.isnan(far), inf, far)


def is_straight(given: Given, before: int, after: int) -> bool:
    """Whether all rows between two rows can be skipped."""
    if after - before < 2:
        return True
    rows = np.arange(before + 1, after)
    if len(rows) > 8:  # most that fail, fail in the middle
        middle = rows[len(rows) // 2 : len(rows) // 2 + 1]
        if not _within(given, middle, before, after):
            return False
    return _within(given, rows, before, after)


def _within(given: Given, rows: Ints, before: int, after: int) -> bool:
    ends = np.full(len(rows), before), np.full(len(rows), after)
    far = _distance(given, line_at(given, rows, *ends), given.values[rows])
    return bool((far <= given.tolerance).all())


def errors(given: Given, kept: Bools) -> tuple[Floats, Floats]:
    """The distance (N,) of each skipped row from the line between the kept rows around it, and
    that line (N, C); kept rows lie on it."""
    error, line = np.zeros(len(kept)), given.values.copy()
    measure(given, kept, np.flatnonzero(~kept), error, line)
    return error, line


def measure(given: Given, kept: Bools, rows: Ints, error: Floats, line: Floats) -> None:
    """Put the distance of these skipped rows into `error`, and where they should be into `line`."""
    if len(rows):
        before, after = around(kept, rows)
        line[rows] = at = line_at(given, rows, before, after)
        error[rows] = _distance(given, at, given.values[rows])


def around(kept: Bools, rows: Ints) -> tuple[Ints, Ints]:
    """The kept rows before and after each skipped row."""
    stay = np.flatnonzero(kept)
    at = np.cumsum(kept)[rows]
    return stay[at - 1], stay[at]
