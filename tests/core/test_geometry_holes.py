"""Measures of polygons with holes."""

from __future__ import annotations

import pytest

from labelconv import geometry
from labelconv.model import Polygon

SQUARE = (0.0, 0.0, 8.0, 0.0, 8.0, 8.0, 0.0, 8.0)
TRIANGLE = (1.0, 1.0, 3.0, 1.0, 3.0, 3.0)
HOLE = (4.0, 4.0, 6.0, 4.0, 6.0, 6.0, 4.0, 6.0)


@pytest.mark.parametrize(
    ("holes", "expected"),
    [((), 1.0), ((HOLE,), 60 / 64), ((TRIANGLE,), 62 / 64), ((TRIANGLE, HOLE), 58 / 64)],
)
def test_holes_of_any_lengths_count_in_the_iou(
    holes: tuple[tuple[float, ...], ...], expected: float
) -> None:
    whole, cut = Polygon(((SQUARE,),)), Polygon(((SQUARE, *holes),))
    assert geometry.iou(cut, whole) == pytest.approx(expected)
    assert geometry.iou(cut, cut) == pytest.approx(1.0)
