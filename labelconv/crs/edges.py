"""Vertices added where a straight edge would bend, so that no curve is off by too much.

A straight line in one CRS is a curve in another. The lines of many shapes are one (N, 2) array and
`following`, which says for each vertex which one its edge leads to (itself where none does).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Map = Callable[[NDArray[np.float64]], NDArray[np.float64]]

#: What a run of vertices is: points alone, an open line, a ring that is not closed.
ALONE, OPEN, CLOSED = 0, 1, 2
#: Pieces that one edge is cut into in one round, and rounds.
_MOST_PIECES = 256
_ROUNDS = 4
#: A line that asks for more pieces in one round has no curve to follow: an edge many times around
#: the world, mostly of a wrong number. One from pole to pole asks for 30,000, followed to 1 cm.
_ENDLESS = 4_000_000
#: By how much the bend is overestimated before an edge is left unlooked at.
_CAUTION = 8.0
_GRID = 5


class Known(msgspec.Struct):
    """How much edges of up to `longest` (squared) bend in the area from `low` to `high`, as a
    share of their squared length; remembered from one call of `bend` to the next."""

    low: tuple[float, float] = (0.0, 0.0)
    high: tuple[float, float] = (0.0, 0.0)
    longest: float = 0.0
    share: float = 0.0

    def covers(self, low: tuple[float, float], high: tuple[float, float], longest: float) -> bool:
        """Whether this is known of an area and a length already."""
        return (
            longest <= self.longest
            and self.low[0] <= low[0]
            and self.low[1] <= low[1]
            and high[0] <= self.high[0]
            and high[1] <= self.high[1]
        )


class Bent(msgspec.Struct):
    """Coordinates after a map: `xy`, the lengths of the runs and what is `following`, with `added`
    vertices.

    `worst` is the largest bend left, in the unit of the tolerance, of the edges looked at.
    `refused` are the runs with edges whose curves cannot be followed.
    """

    xy: NDArray[np.float64]
    lengths: Sequence[int]
    leads: NDArray[np.int64]
    added: int = 0
    worst: float = 0.0
    refused: frozenset[int] = frozenset()


def following(lengths: Sequence[int], kinds: Sequence[int]) -> NDArray[np.int64]:
    """For each vertex the one that its edge leads to; itself for the last of an open line."""
    import numpy as np

    ends = np.cumsum(np.asarray(lengths, dtype=np.int64))
    count = int(ends[-1]) if len(ends) else 0
    leads = np.arange(1, count + 1)
    starts = ends - np.asarray(lengths, dtype=np.int64)
    closed = np.asarray(kinds) == CLOSED
    leads[ends - 1] = np.where(closed, starts, ends - 1)
    for run in np.flatnonzero(np.asarray(kinds) == ALONE).tolist():
        leads[starts[run] : ends[run]] = np.arange(starts[run], ends[run])
    return leads


def bend(
    xy: NDArray[np.float64],
    lengths: Sequence[int],
    kinds: Sequence[int],
    change: Map,
    tolerance: float,
    measure: Map,
    *,
    wraps: bool,
    known: Known | None = None,
) -> Bent:
    """The coordinates after `change`, with vertices added until no edge is off by `tolerance`.

    `measure` gives (N, 2) lengths of one unit along x and y at places after the change, in the unit
    of the tolerance; `wraps` says that these are degrees, where 359° west is 1° east. Edges that
    lead to infinity are left as they are, and so are those of runs that are `refused`.
    """
    import numpy as np

    mapped = change(xy)
    leads = following(lengths, kinds)
    suspects = _suspects(xy, leads, change, tolerance, measure, known or Known(), wraps=wraps)
    added = 0
    worst = 0.0
    refused: frozenset[int] = frozenset()
    for _ in range(_ROUNDS):
        if len(suspects) == 0:
            break
        error = _error(xy, mapped, leads, suspects, change, measure, wraps=wraps)
        over = error > tolerance
        worst = float(error[~over].max(initial=worst))
        if not over.any():
            break
        bent = suspects[over]
        pieces = np.ceil(np.sqrt(error[over] / tolerance) * 1.05)
        owners = np.repeat(np.arange(len(lengths)), np.asarray(lengths))[bent]
        endless = np.bincount(owners, weights=pieces)[owners] > _ENDLESS
        if endless.any():
            refused |= set(owners[endless].tolist())
            bent, pieces = bent[~endless], pieces[~endless]
        extra = np.zeros(len(xy), dtype=np.int64)
        extra[bent] = np.clip(pieces, 2, _MOST_PIECES).astype(np.int64) - 1
        added += int(extra.sum())
        xy, lengths, touched = _with_more(xy, leads, lengths, extra)
        leads = following(lengths, kinds)
        mapped = change(xy)
        suspects = touched
    return Bent(mapped, lengths, leads, added, worst, refused)


def _with_more(
    xy: NDArray[np.float64],
    leads: NDArray[np.int64],
    lengths: Sequence[int],
    extra: NDArray[np.int64],
) -> tuple[NDArray[np.float64], list[int], NDArray[np.int64]]:
    """The vertices with `extra` ones on each edge; the new lengths, and the edges that are new."""
    import numpy as np

    owner = np.repeat(np.arange(len(xy)), extra + 1)
    first = np.cumsum(extra + 1) - (extra + 1)
    step = (np.arange(len(owner)) - first[owner]) / (extra + 1)[owner]
    more = xy[owner] + (xy[leads[owner]] - xy[owner]) * step[:, None]
    runs = np.repeat(np.arange(len(lengths)), np.asarray(lengths))
    grown = np.bincount(runs, weights=extra + 1, minlength=len(lengths)).astype(np.int64)
    return more, grown.tolist(), np.flatnonzero(extra[owner] > 0)


def _error(
    xy: NDArray[np.float64],
    mapped: NDArray[np.float64],
    leads: NDArray[np.int64],
    edges: NDArray[np.int64],
    change: Map,
    measure: Map,
    *,
    wraps: bool,
) -> NDArray[np.float64]:
    """How far each edge's curve is from its straight line, looked at in three places."""
    import numpy as np

    start, end = xy[edges], xy[leads[edges]]
    first, last = mapped[edges], mapped[leads[edges]]
    shares = (0.25, 0.5, 0.75)
    between = change(np.concatenate([start + (end - start) * share for share in shares]))
    with np.errstate(invalid="ignore", over="ignore", divide="ignore"):
        across = np.tile(_short(last - first, wraps=wraps), (3, 1))
        off = _short(between - np.tile(first, (3, 1)), wraps=wraps)
        factors = measure(between)
        across, off = across * factors, off * factors
        squared = np.einsum("ij,ij->i", across, across)
        # Along the edge the nearest place counts, so that only what lies beside it is a bend.
        along = np.clip(np.einsum("ij,ij->i", off, across) / np.maximum(squared, 1e-300), 0, 1)
        error = np.hypot(*(off - across * along[:, None]).T)
        error = np.where(np.isfinite(error), error, 0.0)
    worst: NDArray[np.float64] = error.reshape(3, -1).max(axis=0)
    return worst


def _short(difference: NDArray[np.float64], *, wraps: bool) -> NDArray[np.float64]:
    """Differences of degrees taken the short way round."""
    import numpy as np

    if wraps:
        with np.errstate(invalid="ignore"):
            difference[:, 0] -= np.round(difference[:, 0] / 360) * 360
    return difference


def _suspects(
    xy: NDArray[np.float64],
    leads: NDArray[np.int64],
    change: Map,
    tolerance: float,
    measure: Map,
    known: Known,
    *,
    wraps: bool,
) -> Any:
    """The edges that are long enough to bend by the tolerance somewhere in the area of them all.

    The bend of a short edge grows with the square of its length. How fast, is measured over a grid
    of edges in four directions; what stays far below the tolerance need not be looked at one by
    one, which is nearly everything that people draw.
    """
    import numpy as np

    x, y = xy[:, 0], xy[:, 1]
    across, up = x[leads] - x, y[leads] - y
    with np.errstate(over="ignore"):
        squared = across * across + up * up
    longest = float(squared.max(initial=0.0))
    if not math.isfinite(longest) or longest == 0.0:
        return np.flatnonzero(squared > 0)
    low = float(x.min()), float(y.min())
    high = float(x.max()), float(y.max())
    if not known.covers(low, high, longest):
        wide = max(high[0] - low[0], high[1] - low[1]) / 10
        for room in (wide, 0.0):  # what lies beside may have no place in the target
            lower, upper = (low[0] - room, low[1] - room), (high[0] + room, high[1] + room)
            length = math.sqrt(longest) * (2 if room else 1)
            share = _share(lower, upper, length, change, measure, wraps=wraps)
            if share is not None:
                known.low, known.high = lower, upper
                known.longest, known.share = length * length, share
                break
        else:
            return np.flatnonzero(squared > 0)
    if longest * known.share * _CAUTION <= tolerance:
        return np.empty(0, dtype=np.int64)
    return np.flatnonzero(squared * (known.share * _CAUTION) > tolerance)


def _share(
    low: tuple[float, float],
    high: tuple[float, float],
    length: float,
    change: Map,
    measure: Map,
    *,
    wraps: bool,
) -> float | None:
    """The largest bend of edges of a length over an area, as a share of its square; None where
    part of the area has no place in the target."""
    import numpy as np

    centres = np.stack(
        np.meshgrid(np.linspace(low[0], high[0], _GRID), np.linspace(low[1], high[1], _GRID)),
        axis=-1,
    ).reshape(-1, 2)
    slope = math.sqrt(0.5)
    ways = np.array([(1, 0), (0, 1), (slope, slope), (slope, -slope)]) * (length / 2)
    middles = np.repeat(centres, len(ways), axis=0)
    reach = np.tile(ways, (len(centres), 1))
    grid = np.concatenate((middles - reach, middles + reach))
    count = len(middles)
    leads = np.concatenate((np.arange(count) + count, np.arange(count)))
    mapped = change(grid)
    if not np.isfinite(mapped).all():
        return None
    edges = np.arange(count)
    error = _error(grid, mapped, leads, edges, change, measure, wraps=wraps)
    return float(error.max()) / (length * length)
