"""Parts and holes of a polygon joined to one ring, by cuts of no width.

Each hole is joined to its shell, each part to the parts before, from the nearest vertex to the
nearest, there and back along the same line. What is filled, by either rule of filling, stays the
same: holes run against the shell, and no parts overlap.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from labelconv import geometry
from labelconv.model import Coordinates, Polygon

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

#: Distances computed at a time.
_BLOCK = 1_000_000


def joined(polygon: Polygon) -> tuple[Polygon, float]:
    """(polygon of one ring, IoU with the given one)."""
    apart = _apart(polygon)
    whole = polygon if apart else geometry.merged(polygon)
    ring: Coordinates = ()
    for part in whole.parts:
        shell = _turned(part[0], clockwise=True)
        for hole in part[1:]:
            shell = _linked(shell, _turned(hole, clockwise=False))
        ring = _linked(ring, shell) if ring else shell
    result = Polygon(((geometry.unclosed(ring),),))
    plain = apart and all(len(part) == 1 for part in polygon.parts)
    return result, 1.0 if plain else geometry.iou(polygon, result)


def _apart(polygon: Polygon) -> bool:
    """Whether the bounds of all parts lie apart, so that no two overlap."""
    boxes = sorted(geometry.ring_bounds(part[0]) for part in polygon.parts)
    for index, one in enumerate(boxes):
        for other in boxes[index + 1 :]:
            if other[0] > one[2]:
                break
            if other[1] <= one[3] and other[3] >= one[1]:
                return False
    return True


def _turned(ring: Coordinates, *, clockwise: bool) -> Coordinates:
    """The ring running clockwise on the screen (y down), or against it."""
    xs, ys = ring[::2], ring[1::2]
    double = sum(xs[at - 1] * ys[at] - xs[at] * ys[at - 1] for at in range(len(xs)))
    if (double >= 0) == clockwise:
        return ring
    return tuple(number for pair in zip(xs[::-1], ys[::-1], strict=True) for number in pair)


def _linked(ring: Coordinates, other: Coordinates) -> Coordinates:
    """One ring: up to the vertex nearest to the other ring, round that, and back."""
    import numpy as np

    one = np.array(ring).reshape(-1, 2)
    two = np.array(other).reshape(-1, 2)
    at, there = _nearest(one, two)
    around = np.concatenate((two[there:], two[: there + 1]))
    return tuple(np.concatenate((one[: at + 1], around, one[at:])).ravel().tolist())


def _nearest(one: NDArray[np.float64], two: NDArray[np.float64]) -> tuple[int, int]:
    """The vertices of two rings that are nearest to each other; the first of those as near."""
    import numpy as np

    step = max(1, _BLOCK // len(two))
    best, at, there = np.inf, 0, 0
    for start in range(0, len(one), step):
        distances = ((one[start : start + step, None] - two[None]) ** 2).sum(axis=2)
        index = int(distances.argmin())
        row, column = divmod(index, len(two))
        if distances[row, column] < best:
            best, at, there = distances[row, column], start + row, column
    return at, there
