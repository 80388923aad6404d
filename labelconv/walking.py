"""Walks along rows of coordinates from each kept row to a far one, in linear time.

From a row, every row passed narrows the cone of slopes that stay within reach of it. A row can be
stepped to when its own slope lies in the cone of all rows before it. A look goes on until the
cone is empty and gives the last two such rows. The walk steps to the one of the two from which
the next look goes farther: the farthest row is often a bad one to start from.
"""

from __future__ import annotations

from math import inf, isnan

import msgspec
import numpy as np

from labelconv.straight import Bools, Floats, Given, Ints

#: A look goes so many rows past the last row it could step to, and as many again as that step is
#: long. It bounds the work to a few looks at each row, whatever the data.
LOOK_AHEAD = 64
#: Pieces walked in lockstep; fewer are walked one by one, which is faster then.
MOST_LANES = 2_048
LEAST_LANES = 32


def walk_all(given: Given, first: Ints, last: Ints, reach: Floats, kept: Bools) -> None:
    order = np.argsort(last - first, kind="stable")[::-1]  # lanes of like length end together
    for start in range(0, len(order), MOST_LANES):
        lanes = order[start : start + MOST_LANES]
        _walk_lanes(given, first[lanes], last[lanes], reach[lanes], kept)


class _Lanes(msgspec.Struct):
    """Walks in lockstep, an entry for each piece.

    A look from row `origin` has come to `cursor` and found `best`, and `second` before it. The row
    walked to last is `anchor`; steps from it can go to `far` and to `near`; `ahead` and
    `ahead_second` are what the look from `far` found. `phase`: 0 looks from the piece's first row,
    1 from `far`, 2 from `near`.
    """

    first: Ints
    last: Ints
    reach: Floats
    origin: Ints
    cursor: Ints
    best: Ints
    second: Ints
    far: Ints
    near: Ints
    ahead: Ints
    ahead_second: Ints
    phase: Ints
    start: Ints
    finished: Bools
    at: Floats
    low: Floats
    high: Floats

    def only(self, going: Ints) -> _Lanes:
        """These lanes alone."""
        fields = (getattr(self, name) for name in self.__struct_fields__)
        return _Lanes(*(field[..., going] for field in fields))


def _walk_lanes(given: Given, first: Ints, last: Ints, reach: Floats, kept: Bools) -> None:
    """Walk many pieces at once, one row each in a round; a few that are left, one by one."""
    if len(first) >= LEAST_LANES:
        frames, columns = given.frames, np.ascontiguousarray(given.values.T)
        at = columns[:, first]
        low, high = np.full_like(at, -inf), np.full_like(at, inf)
        none = np.zeros_like(first)
        lanes = _Lanes(
            first, last, reach, first.copy(), first + 1, first + 1, first.copy(), none.copy(),
            none.copy(), none.copy(), none.copy(), none.copy(), frames[first],
            np.zeros(len(first), np.bool_), at, low, high,
        )  # fmt: skip
        while len(lanes.first) >= LEAST_LANES:
            stopped = _look_on(lanes, frames, columns)
            if not len(stopped):
                continue
            ended = _step(lanes, stopped, kept)
            rows = lanes.origin[stopped]
            lanes.start[stopped] = frames[rows]
            lanes.at[:, stopped] = columns[:, rows]
            if ended and 8 * np.count_nonzero(lanes.finished) >= len(lanes.first):
                lanes = lanes.only(np.flatnonzero(~lanes.finished))
        for lane in np.flatnonzero(~lanes.finished).tolist():
            piece = int(lanes.first[lane]), int(lanes.last[lane]), float(lanes.reach[lane])
            begun = int(lanes.near[lane]), int(lanes.far[lane])
            walk(given, *piece, kept, begun if lanes.phase[lane] else None)
        return
    for start, end, most in zip(first.tolist(), last.tolist(), reach.tolist(), strict=True):
        walk(given, start, end, most, kept)


def _look_on(lanes: _Lanes, frames: Ints, columns: Floats) -> Ints:
    """Look at one more row from each; the lanes whose look ends with it."""
    cursor = lanes.cursor
    span = (frames[cursor] - lanes.start).astype(np.float64)
    slope = columns.take(cursor, axis=1)
    slope -= lanes.at
    slope /= span
    fits = ((slope >= lanes.low) & (slope <= lanes.high)).all(axis=0)
    fits &= cursor > lanes.best
    np.copyto(lanes.second, lanes.best, where=fits)
    np.copyto(lanes.best, cursor, where=fits)
    width = lanes.reach / span
    np.maximum(lanes.low, slope - width, out=lanes.low)
    np.minimum(lanes.high, slope + width, out=lanes.high)
    stop = ~(lanes.low <= lanes.high).all(axis=0)
    cursor += 1
    stop |= cursor > lanes.last
    stop |= cursor - lanes.best > LOOK_AHEAD + (lanes.best - lanes.origin)
    return np.flatnonzero(stop)


def _step(lanes: _Lanes, stopped: Ints, kept: Bools) -> bool:
    """Step on with the looks that have ended, and begin others; whether a lane has finished.

    Until enough lanes have finished to drop them, a finished one walks its piece again.
    """
    phase, last, first = lanes.phase[stopped], lanes.last[stopped], lanes.first[stopped]
    best, second = lanes.best[stopped], lanes.second[stopped]
    far, near = lanes.far[stopped], lanes.near[stopped]
    ahead, ahead_second = lanes.ahead[stopped], lanes.ahead_second[stopped]
    origin = lanes.origin[stopped]

    # The look from `near` is over, or not needed: the one of the two that sees farther is next.
    from_far = phase == 1
    ahead, ahead_second = np.where(from_far, best, ahead), np.where(from_far, second, ahead_second)
    compare = from_far & (ahead < last) & (near > 0)
    choose_near = (phase == 2) & (best > ahead)
    chosen = np.where(choose_near, near, far)
    decided = (phase > 0) & ~compare
    kept[chosen[decided]] = True
    stepped = phase == 0
    new_far = np.where(stepped | choose_near, best, ahead)
    new_near = np.where(stepped | choose_near, second, ahead_second)
    anchor = np.where(stepped, origin, chosen)
    far = np.where(compare, far, new_far)
    near = np.where(compare, near, np.where(new_near > anchor, new_near, 0))

    # A step to the last row of the piece ends it.
    over = ~compare & (far >= last)
    kept[last[over]] = True
    lanes.finished[stopped[over]] = True
    lanes.phase[stopped] = np.where(over, 0, np.where(compare, 2, 1))
    origin = np.where(over, first, np.where(compare, near, far))
    lanes.far[stopped], lanes.near[stopped] = far, near
    lanes.ahead[stopped], lanes.ahead_second[stopped] = ahead, ahead_second
    lanes.origin[stopped], lanes.second[stopped] = origin, origin
    lanes.cursor[stopped] = lanes.best[stopped] = origin + 1
    lanes.low[:, stopped], lanes.high[:, stopped] = -inf, inf
    return bool(over.any())


def walk(
    given: Given,
    first: int,
    last: int,
    reach: float,
    kept: Bools,
    begun: tuple[int, int] | None = None,
) -> None:
    """Walk one piece. The same steps as in lockstep, bit by bit.

    `begun` goes on with a walk that can step to these two rows next; 0 stands for none.
    """
    if begun is not None:
        first = begun[0] or begun[1]
    table = Table(given, first, last)
    end = last - first
    fitting = table.fitting(0, reach) if begun is None else [row - first for row in begun]
    anchor = 0 if begun is None else -1
    while fitting[-1] < end:
        far, near = fitting[-1], fitting[-2] if len(fitting) > 1 else anchor
        ahead = table.fitting(far, reach)
        if ahead[-1] < end and near > anchor:
            other = table.fitting(near, reach)
            if other[-1] > ahead[-1]:
                far, ahead = near, other
        kept[first + far] = True
        anchor, fitting = far, ahead
    kept[last] = True


class Table:
    """A piece as lists, for looks one by one."""

    def __init__(self, given: Given, first: int, last: int) -> None:
        self._times: list[int] = given.frames[first : last + 1].tolist()
        self._rows: list[list[float]] = given.values[first : last + 1].tolist()
        self._count = range(given.values.shape[1])

    def fitting(self, anchor: int, reach: float) -> list[int]:
        """The rows that can be stepped to from a row that is not the last, in order."""
        times, rows, count = self._times, self._rows, self._count
        start, origin, end = times[anchor], rows[anchor], len(times)
        low, high = [-inf for _ in count], [inf for _ in count]
        found = [anchor + 1]
        best = cursor = anchor + 1
        while True:
            span = times[cursor] - start
            width = reach / span
            fits = open = True
            row = rows[cursor]
            for c in count:
                slope = (row[c] - origin[c]) / span
                least, most = low[c], high[c]
                if not least <= slope <= most:
                    fits = False
                down, up = slope - width, slope + width
                if down > least or isnan(down):
                    low[c] = least = down
                if up < most or isnan(up):
                    high[c] = most = up
                if not least <= most:
                    open = False
            if fits and cursor > best:
                best = cursor
                found.append(cursor)
            cursor += 1
            if not open or cursor >= end or cursor - best > LOOK_AHEAD + (best - anchor):
                return found
