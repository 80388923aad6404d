"""Areas, bounds and IoU against shapely and against counted pixels; maps of coordinates."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import shapely
import shapely.affinity
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from labelconv import geometry, masks
from labelconv.model import (
    Box,
    Keyframe,
    Keypoint,
    Keypoints,
    Mask,
    OnPage,
    OrientedBox,
    Point,
    Polygon,
    Polyline,
    TextSpan,
    TokenSpan,
    Track,
    Value,
)

_WHOLE = st.integers(0, 8).map(float)


@st.composite
def whole_boxes(draw: st.DrawFn) -> Box:
    xs, ys = sorted(draw(st.tuples(_WHOLE, _WHOLE))), sorted(draw(st.tuples(_WHOLE, _WHOLE)))
    return Box(xs[0], ys[0], xs[1], ys[1])


@st.composite
def stars(draw: st.DrawFn) -> Polygon:
    """A polygon that does not cross itself: points at rising angles around a centre."""
    x, y = draw(st.floats(-50, 50)), draw(st.floats(-50, 50))
    radii = draw(st.lists(st.floats(1, 20), min_size=4, max_size=9))
    ring: list[float] = []
    for number, radius in enumerate(radii):
        angle = 2 * math.pi * number / len(radii)
        ring += [x + radius * math.cos(angle), y + radius * math.sin(angle)]
    return Polygon(((tuple(ring),),))


@st.composite
def grids(draw: st.DrawFn) -> NDArray[np.uint8]:
    bits = draw(st.lists(st.booleans(), min_size=64, max_size=64))
    return np.array(bits, dtype=np.uint8).reshape(8, 8)


def judged(polygon: Polygon) -> Any:
    """The same by shapely: parts joined, holes cut out."""
    parts = []
    for part in polygon.parts:
        rings = [list(zip(ring[::2], ring[1::2], strict=True)) for ring in part]
        parts.append(shapely.Polygon(rings[0], rings[1:]))
    return shapely.union_all(parts)


def drawn(box: Box) -> NDArray[np.uint8]:
    """The pixels of a box with whole edges, on a grid of 8 × 8."""
    grid = np.zeros((8, 8), dtype=np.uint8)
    grid[int(box.y0) : int(box.y1), int(box.x0) : int(box.x1)] = 1
    return grid


def counted_iou(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> float:
    union = int((one | other).sum())
    return int((one & other).sum()) / union if union else 1.0


# ------------------------------------------------------------------------------ judged by pixels


@given(whole_boxes(), whole_boxes())
def test_iou_of_boxes_is_that_of_their_pixels(one: Box, other: Box) -> None:
    assert geometry.iou(one, other) == pytest.approx(counted_iou(drawn(one), drawn(other)))


@given(whole_boxes(), grids())
def test_iou_of_a_box_with_a_mask_is_that_of_their_pixels(
    box: Box, grid: NDArray[np.uint8]
) -> None:
    mask = masks.from_array(grid)
    expected = pytest.approx(counted_iou(drawn(box), grid))
    assert geometry.iou(box, mask) == expected
    assert geometry.iou(mask, box) == expected


@given(grids(), grids())
def test_iou_of_masks_is_that_of_their_pixels(
    one: NDArray[np.uint8], other: NDArray[np.uint8]
) -> None:
    found = geometry.iou(masks.from_array(one), masks.from_array(other))
    assert found == pytest.approx(counted_iou(one, other))


def test_iou_of_masks_of_different_sizes_counts_pixels_where_they_lie() -> None:
    wide, narrow = Mask((1, 4), (0, 4)), Mask((1, 2), (0, 2))
    assert geometry.iou(wide, narrow) == pytest.approx(0.5)


@given(grids())
def test_the_outline_of_a_mask_covers_its_pixels_exactly(grid: NDArray[np.uint8]) -> None:
    mask = masks.from_array(grid)
    outline = geometry.mask_polygon(mask)
    if not grid.any():
        assert outline is None
        return
    assert outline is not None
    assert geometry.iou(outline, mask) == pytest.approx(1.0)
    assert geometry.area(outline) == pytest.approx(grid.sum())
    columns = [[x0, y0, x0 + 1, y0 + 1] for y0, x0 in zip(*np.nonzero(grid), strict=True)]
    squares = shapely.union_all([shapely.box(*column) for column in columns])
    assert judged(outline).symmetric_difference(squares).area == pytest.approx(0)
    for part in outline.parts:
        for ring in part:
            assert (ring[0], ring[1]) != (ring[-2], ring[-1])


@given(whole_boxes())
def test_a_box_with_whole_edges_becomes_just_its_pixels(box: Box) -> None:
    mask = geometry.polygon_mask(box, 8, 8)
    assert np.array_equal(masks.to_array(mask), drawn(box))


def test_a_turned_box_becomes_the_pixels_of_its_corners() -> None:
    box = OrientedBox(4, 4, 4, 4, 45)
    polygon = Polygon(((geometry.corners(box),),))
    assert geometry.polygon_mask(box, 8, 8) == masks.from_polygon(polygon, 8, 8)


# ------------------------------------------------------------------------------ judged by shapely


@given(stars(), stars())
def test_iou_of_polygons_is_shapelys(one: Polygon, other: Polygon) -> None:
    first, second = judged(one), judged(other)
    expected = first.intersection(second).area / first.union(second).area
    assert geometry.iou(one, other) == pytest.approx(expected, abs=1e-9)


@given(stars(), stars())
def test_area_counts_parts_that_overlap_once(one: Polygon, other: Polygon) -> None:
    both = Polygon(one.parts + other.parts)
    assert geometry.area(both) == pytest.approx(judged(both).area)
    assert geometry.area(one) == pytest.approx(judged(one).area)


@given(stars(), stars())
def test_bounds_are_shapelys(one: Polygon, other: Polygon) -> None:
    both = Polygon(one.parts + other.parts)
    assert geometry.bounds(both) == Box(*judged(both).bounds)


def test_a_hole_takes_its_area_away() -> None:
    square, hole = (0.0, 0.0, 4.0, 0.0, 4.0, 4.0, 0.0, 4.0), (1.0, 1.0, 2.0, 1.0, 2.0, 2.0)
    assert geometry.area(Polygon(((square, hole),))) == pytest.approx(15.5)
    assert geometry.iou(Polygon(((square,),)), Polygon(((square, hole),))) == pytest.approx(
        15.5 / 16
    )


def test_a_polygon_that_crosses_itself_has_an_iou_with_itself_of_one() -> None:
    bow_tie = Polygon((((0.0, 0.0, 4.0, 4.0, 4.0, 0.0, 0.0, 4.0),),))
    assert geometry.iou(bow_tie, bow_tie) == pytest.approx(1.0)


@given(
    st.builds(
        OrientedBox,
        st.floats(-9, 9),
        st.floats(-9, 9),
        st.floats(0.5, 9),
        st.floats(0.5, 9),
        st.floats(-720, 720),
    )
)
def test_corners_are_those_of_shapelys_rotation(box: OrientedBox) -> None:
    straight = shapely.box(
        box.x - box.width / 2,
        box.y - box.height / 2,
        box.x + box.width / 2,
        box.y + box.height / 2,
    )
    turned = shapely.affinity.rotate(straight, box.angle, origin=(box.x, box.y))
    ring = geometry.corners(box)
    found = shapely.Polygon(list(zip(ring[::2], ring[1::2], strict=True)))
    assert found.symmetric_difference(turned).area == pytest.approx(0, abs=1e-6)
    assert geometry.area(box) == pytest.approx(found.area)
    assert geometry.bounds(box) == Box(*found.bounds)
    assert geometry.iou(box, Polygon(((ring,),))) == pytest.approx(1.0)


def test_a_positive_angle_turns_clockwise_on_a_screen_and_right_angles_are_exact() -> None:
    assert geometry.corners(OrientedBox(0, 0, 4, 2, 90)) == (1, -2, 1, 2, -1, 2, -1, -2)
    assert geometry.corners(OrientedBox(0, 0, 4, 2, 0)) == (-2, -1, 2, -1, 2, 1, -2, 1)
    right = geometry.corners(OrientedBox(0, 0, 2, 0, 30))[2:4]
    assert right[1] > 0  # its right end has gone down


@given(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6))
def test_small_rings_far_away_keep_their_area(x: float, y: float) -> None:
    x, y = round(x), round(y)
    assert geometry.ring_area((x, y, x + 1.0, y, x + 1.0, y + 1.0, x, y + 1.0)) == 1.0


# ------------------------------------------------------------------------------ other shapes


def test_shapes_without_area_have_none() -> None:
    for shape in (Point(1, 2), Polyline((0, 0, 1, 1)), Keypoints((Keypoint("a", 1, 2),))):
        assert geometry.area(shape) == 0
    assert geometry.iou(Point(1, 2), Point(1, 2)) == 1.0
    assert geometry.iou(Point(1, 2), Box(0, 0, 2, 2)) == 0.0
    assert geometry.iou(Keypoints((Keypoint("a", 1, 2),)), Box(0, 0, 2, 2)) == 0.0
    assert geometry.iou(Box(1, 1, 1, 1), Box(2, 2, 2, 2)) == 1.0


def test_a_skeleton_has_the_area_and_bounds_of_its_outline() -> None:
    points = (Keypoint("a", 1, 2), Keypoint("b", 3, -1))
    with_outline = Keypoints(points, Box(0, 0, 4, 4))
    assert geometry.area(with_outline) == 16
    assert geometry.bounds(with_outline) == Box(0, 0, 4, 4)
    assert geometry.iou(with_outline, Box(0, 0, 4, 2)) == pytest.approx(0.5)
    assert geometry.bounds(Keypoints(points)) == Box(1, -1, 3, 2)
    assert geometry.bounds(Keypoints(())) is None


def test_bounds_of_points_lines_and_masks() -> None:
    assert geometry.bounds(Point(1, 2)) == Box(1, 2, 1, 2)
    assert geometry.bounds(Polyline((3, 1, 0, 5))) == Box(0, 1, 3, 5)
    assert geometry.bounds(Mask((2, 2), (4,))) is None
    assert geometry.bounds(Mask((2, 2), (3, 1))) == Box(1, 1, 2, 2)


def test_a_ring_is_opened_only_when_it_is_closed() -> None:
    assert geometry.opened((0, 0, 1, 0, 1, 1, 0, 0)) == (0, 0, 1, 0, 1, 1)
    assert geometry.opened((0, 0, 1, 0, 1, 1)) == (0, 0, 1, 0, 1, 1)
    assert geometry.opened((0, 0)) == (0, 0)


@pytest.mark.parametrize(
    ("ring", "enough"),
    [
        ((0, 0, 1, 0), False),
        ((0, 0, 1, 0, 1, 1), True),
        ((0, 0, 1, 0, 0, 0), False),
        ((0, 0, 0, 0, 1, 0, 1, 1), True),
        ((0, 0, 0, 0, 1, 0, 1, 0), False),
    ],
)
def test_three_different_points_make_a_ring(ring: tuple[float, ...], enough: bool) -> None:
    assert geometry.has_three_points(ring) is enough


def test_pieces_cover_a_whole_by_their_shares() -> None:
    whole = Box(0, 0, 4, 4)
    found = geometry.covered(whole, [Box(0, 0, 2, 4), Box(3, 0, 5, 4), Point(1, 1)])
    assert found.parts == pytest.approx((1.0, 0.5, 0.0))
    assert found.iou == pytest.approx(12 / 20)
    assert geometry.covered(Point(0, 0), [Point(0, 0)]).iou == 1.0


# ------------------------------------------------------------------------------ maps


def turn(xy: NDArray[np.float64]) -> NDArray[np.float64]:
    """A quarter turn and a bit: (x, y) → (x - y, x + y)."""
    return np.column_stack([xy[:, 0] - xy[:, 1], xy[:, 0] + xy[:, 1]])


def grow(xy: NDArray[np.float64]) -> NDArray[np.float64]:
    return xy * [2.0, 3.0] + [1.0, -1.0]


_BOX, _RING = Box(1, 2, 3, 4), (0.0, 0.0, 4.0, 0.0, 4.0, 4.0)
_GROWN_BOX, _GROWN_RING = Box(3, 5, 7, 11), (1.0, -1.0, 9.0, -1.0, 9.0, 11.0)
_TURNED_BOX = Polygon((((-1.0, 3.0, 1.0, 5.0, -1.0, 7.0, -3.0, 5.0),),))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (Point(1, 2), Point(3, 5)),
        (_BOX, _GROWN_BOX),
        (Polyline((0, 0, 1, 1)), Polyline((1, -1, 3, 2))),
        (
            Polygon(((_RING, _RING), (_RING,))),
            Polygon(((_GROWN_RING, _GROWN_RING), (_GROWN_RING,))),
        ),
        (OrientedBox(0, 0, 4, 2, 0), Polygon((((-3, -4, 5, -4, 5, 2, -3, 2),),))),
        (Keypoints((Keypoint("a", 1, 2, False),)), Keypoints((Keypoint("a", 3, 5, False),))),
        (
            Keypoints((Keypoint("a", 1, 2),), _BOX),
            Keypoints((Keypoint("a", 3, 5),), _GROWN_BOX),
        ),
        (OnPage(4, _BOX), OnPage(4, _GROWN_BOX)),
        (
            Track(((Keyframe(1, _BOX), Keyframe(5, Point(0, 0))), (Keyframe(9, _BOX),))),
            Track(
                ((Keyframe(1, _GROWN_BOX), Keyframe(5, Point(1, -1))), (Keyframe(9, _GROWN_BOX),))
            ),
        ),
        (TextSpan(1, 2), TextSpan(1, 2)),
        (TokenSpan(()), TokenSpan(())),
        (Track(()), Track(())),
    ],
)
def test_every_kind_of_value_is_mapped(value: Value, expected: Value) -> None:
    assert geometry.map_xy(value, grow) == expected


def test_a_box_becomes_a_polygon_when_the_map_turns_it() -> None:
    assert geometry.map_xy(_BOX, turn) == _TURNED_BOX
    turned = geometry.map_xy(Keypoints((Keypoint("a", 1, 2),), _BOX), turn)
    assert turned == Keypoints((Keypoint("a", -1, 3),), _TURNED_BOX)


def test_a_box_stays_a_box_under_a_quarter_turn_and_a_flip() -> None:
    assert geometry.map_xy(_BOX, lambda xy: xy[:, ::-1]) == Box(2, 1, 4, 3)
    assert geometry.map_xy(_BOX, lambda xy: xy * [1, -1]) == Box(1, -4, 3, -2)


def test_all_coordinates_are_mapped_in_one_call() -> None:
    calls: list[int] = []

    def counting(xy: NDArray[np.float64]) -> NDArray[np.float64]:
        calls.append(len(xy))
        return xy

    track = Track(((Keyframe(0, _BOX), Keyframe(1, Polygon(((_RING,),)))),))
    assert geometry.map_xy(track, counting) == track
    assert calls == [4 + 3]


def test_a_mask_cannot_be_mapped() -> None:
    with pytest.raises(TypeError, match="pixels"):
        geometry.map_xy(Mask((1, 1), (1,)), grow)


def test_a_map_that_loses_points_is_refused() -> None:
    with pytest.raises(ValueError, match=r"\(4, 2\)"):
        geometry.map_xy(_BOX, lambda xy: xy[1:])
