"""Parts and holes joined to one ring: the same area by either rule of filling."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labelconv import geometry
from labelconv.joining import joined
from labelconv.model import Polygon

SQUARE = (10.0, 10.0, 30.0, 10.0, 30.0, 30.0, 10.0, 30.0)
HOLE = (15.0, 15.0, 25.0, 15.0, 25.0, 25.0, 15.0, 25.0)
FAR = (40.0, 10.0, 50.0, 10.0, 45.0, 30.0)


def turned(ring: tuple[float, ...]) -> tuple[float, ...]:
    return tuple(n for at in range(len(ring) - 2, -1, -2) for n in ring[at : at + 2])


def winding(ring: tuple[float, ...], x: float, y: float) -> int:
    """How often a ring runs round a point."""
    total = 0.0
    points = list(zip(ring[::2], ring[1::2], strict=True))
    for (x0, y0), (x1, y1) in zip(points, [*points[1:], points[0]], strict=True):
        angle = math.atan2(y1 - y, x1 - x) - math.atan2(y0 - y, x0 - x)
        total += (angle + math.pi) % (2 * math.pi) - math.pi
    return round(total / (2 * math.pi))


@pytest.mark.parametrize("shell", [SQUARE, turned(SQUARE)])
@pytest.mark.parametrize("hole", [HOLE, turned(HOLE)])
def test_a_hole_is_out_and_the_rest_is_in_whichever_way_rings_run(
    shell: tuple[float, ...], hole: tuple[float, ...]
) -> None:
    polygon, iou = joined(Polygon(((shell, hole),)))
    ((ring,),) = polygon.parts
    assert iou == pytest.approx(1.0)
    assert geometry.ring_area(ring) == pytest.approx(300)
    assert winding(ring, 20, 20) == 0
    assert abs(winding(ring, 12, 20)) == 1


def test_parts_far_apart_are_one_ring_of_their_summed_area() -> None:
    polygon, iou = joined(Polygon(((SQUARE,), (FAR,), (tuple(n + 60 for n in SQUARE),))))
    ((ring,),) = polygon.parts
    assert iou == 1.0
    assert geometry.ring_area(ring) == pytest.approx(400 + 100 + 400)
    # There and back: two more vertices for each cut.
    assert len(ring) // 2 == 4 + 3 + 4 + 2 * 2


def test_parts_that_overlap_become_their_union() -> None:
    polygon, iou = joined(Polygon(((SQUARE,), (tuple(n + 10 for n in SQUARE),))))
    assert geometry.ring_area(polygon.parts[0][0]) == pytest.approx(700)
    assert iou == pytest.approx(1.0)


def test_a_single_ring_stays_as_it_is() -> None:
    assert joined(Polygon(((SQUARE,),))) == (Polygon(((SQUARE,),)), 1.0)


@given(
    st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=1, max_size=8, unique=True)
)
def test_any_set_of_squares_keeps_its_area(cells: list[tuple[int, int]]) -> None:
    parts = tuple(((x, y, x + 1.0, y, x + 1.0, y + 1.0, x, y + 1.0),) for x, y in cells)
    polygon, iou = joined(Polygon(parts))
    ((ring,),) = polygon.parts
    assert iou == pytest.approx(1.0)
    assert geometry.ring_area(ring) == pytest.approx(len(cells))
    # As those fill who draw it: what a ray from a place crosses an odd number of times is inside.
    inside = {(x, y) for x in range(10) for y in range(10) if _crossings(ring, x, y) % 2}
    assert inside == set(cells)


def _crossings(ring: tuple[float, ...], column: int, row: int) -> int:
    """Edges of a ring that lie to the right of a place in the middle of a cell, at its height."""
    x, y = column + 0.4871, row + 0.5213  # on none of the cuts
    ends = list(zip(ring[::2], ring[1::2], strict=True))
    return sum(
        (y0 > y) != (y1 > y) and x0 + (y - y0) / (y1 - y0) * (x1 - x0) > x
        for (x0, y0), (x1, y1) in zip(ends, (*ends[1:], ends[0]), strict=True)
    )


@pytest.mark.parametrize(
    ("ring", "expected"),
    [
        ((0, 0, 1, 0, 1, 1, 0, 0), (0, 0, 1, 0, 1, 1)),
        ((0, 0, 1, 0, 1, 1, 0, 0, 0, 0), (0, 0, 1, 0, 1, 1)),
        ((0, 0, 1, 0, 1, 1), (0, 0, 1, 0, 1, 1)),
        ((0, 0, 1, 0, 1, 0, 0, 0), (0, 0, 1, 0, 1, 0, 0, 0)),
        ((0, 0, 0, 0, 0, 0, 0, 0), (0, 0, 0, 0, 0, 0, 0, 0)),
    ],
)
def test_a_ring_loses_its_repeated_end_only_if_three_points_stay(
    ring: tuple[float, ...], expected: tuple[float, ...]
) -> None:
    assert geometry.unclosed(ring) == expected
