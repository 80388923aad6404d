"""Edges that bend, the antimeridian and the poles."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from labelconv.crs import edges, seams, transform
from labelconv.model import Point, Polygon, Polyline


def _metres(name: str):  # type: ignore[no-untyped-def]
    return lambda at: transform.metres_a_unit(at, name)


@pytest.mark.parametrize("tolerance", [0.01, 1.0, 100.0])
@pytest.mark.parametrize(
    ("source", "target", "ring"),
    [
        ("EPSG:4326", "EPSG:32633", [(12, 40), (18, 40), (18, 60), (12, 60)]),
        ("EPSG:32633", "EPSG:4326", [(2e5, 5e6), (8e5, 5e6), (8e5, 7e6), (2e5, 7e6)]),
        ("EPSG:4326", "EPSG:3035", [(-10, 35), (30, 35), (30, 70), (-10, 70)]),
        ("EPSG:4326", "EPSG:3413", [(-44, 60), (-46, 60), (-46, 85), (-44, 85)]),
    ],
)
def test_a_bent_edge_is_never_off_by_more_than_the_tolerance(
    source: str, target: str, ring: list[tuple[float, float]], tolerance: float
) -> None:
    change = transform.change(source, target)
    xy = np.array(ring, dtype=float)
    wraps = transform.axes(target).degrees
    bent = edges.bend(xy, [4], [edges.CLOSED], change.to, tolerance, _metres(target), wraps=wraps)
    assert bent.added > 0
    assert bent.lengths == [4 + bent.added]
    # The judge: the lines that came out, each in a hundred points, beside the true curve; in metres
    # of whichever of the two CRSs has them.
    lines = np.vstack((bent.xy, bent.xy[:1]))
    share = np.linspace(0, 1, 100, endpoint=False)[:, None]
    if wraps:
        drawn = [a + (b - a) * share for a, b in pairwise(lines)]
        points, curve = change.back(np.vstack(drawn)), shapely.LinearRing(xy)
    else:
        closed = np.vstack((xy, xy[:1]))
        drawn = [a + (b - a) * np.linspace(0, 1, 2000)[:, None] for a, b in pairwise(closed)]
        points, curve = change.to(np.vstack(drawn)), shapely.LinearRing(bent.xy)
    shapely.prepare(curve)
    assert shapely.distance(shapely.points(points), curve).max() <= tolerance * 1.05


def test_small_shapes_get_no_vertices() -> None:
    change = transform.change("EPSG:32633", "EPSG:4326")
    xy = np.array([(5e5, 5e6), (500020, 5e6), (500020, 5000030), (5e5, 5000030)])
    bent = edges.bend(xy, [4], [edges.CLOSED], change.to, 0.1, _metres("EPSG:4326"), wraps=True)
    assert (bent.added, bent.lengths) == (0, [4])
    assert bent.xy == pytest.approx(change.to(xy))


def test_straight_edges_that_stay_straight_get_no_vertices() -> None:
    # Meridians and parallels are straight in Web Mercator, though their middles move.
    change = transform.change("EPSG:4326", "EPSG:3857")
    xy = np.array([(0.0, 0.0), (40.0, 0.0), (40.0, 70.0), (0.0, 70.0)])
    bent = edges.bend(xy, [4], [edges.CLOSED], change.to, 0.1, _metres("EPSG:3857"), wraps=False)
    assert bent.added == 0


def test_points_and_the_gaps_between_lines_have_no_edges() -> None:
    leads = edges.following([2, 3, 3], [edges.ALONE, edges.OPEN, edges.CLOSED])
    assert leads.tolist() == [0, 1, 3, 4, 4, 6, 7, 5]


# -------------------------------------------------------------------------------- seams


def _area(polygon: Polygon) -> float:
    shape = shapely.geometry.shape(polygon.__geo_interface__)
    assert shape.is_valid
    return float(shape.area)


def test_a_polygon_across_the_antimeridian_is_cut_into_two() -> None:
    (cut,) = seams.cut(Polygon((((179.0, 1.0, -179.0, 1.0, -179.0, 2.0, 179.0, 2.0),),)))
    assert len(cut.parts) == 2
    assert _area(cut) == pytest.approx(2.0)
    xs = sorted({x for part in cut.parts for x in part[0][::2]})
    assert xs == [-180.0, -179.0, 179.0, 180.0]


def test_longitudes_past_180_come_back_into_the_world() -> None:
    (cut,) = seams.cut(Polygon((((190.0, 0.0, 200.0, 0.0, 200.0, 5.0, 190.0, 5.0),),)))
    assert min(cut.parts[0][0][::2]) == -170
    assert seams.cut(Point(181.0, 3.0)) == [Point(-179.0, 3.0)]
    assert seams.cut(Point(180.0, 3.0)) == [Point(180.0, 3.0)]


def test_a_hole_goes_with_the_part_that_it_is_in() -> None:
    shell = (170.0, 0.0, -170.0, 0.0, -170.0, 10.0, 170.0, 10.0)
    hole = (-176.0, 4.0, -175.0, 4.0, -175.0, 5.0, -176.0, 5.0)
    (cut,) = seams.cut(Polygon(((shell, hole),)))
    assert sorted(len(part) for part in cut.parts) == [1, 2]
    assert _area(cut) == pytest.approx(200 - 1)


def test_the_edge_of_a_map_of_the_world_is_not_taken_for_a_crossing() -> None:
    world = Polygon((((-180.0, -90.0, 180.0, -90.0, 180.0, 90.0, -180.0, 90.0),),))
    assert seams.cut(world) == [world]
    xy = np.array(world.parts[0][0]).reshape(-1, 2)
    assert not seams.meets(xy, edges.following([4], [edges.CLOSED])).any()


def test_a_ring_around_a_pole_is_refused() -> None:
    with pytest.raises(seams.AroundPoleError):
        seams.cut(Polygon((((0.0, 80.0, 120.0, 80.0, -120.0, 80.0),),)))


def test_a_line_is_cut_in_order_and_keeps_its_direction() -> None:
    pieces = seams.cut(Polyline((179.0, 0.0, -179.0, 2.0, 179.0, 4.0)))
    assert [piece.points for piece in pieces] == [
        (179.0, 0.0, 180.0, 1.0),
        (-180.0, 1.0, -179.0, 2.0, -180.0, 3.0),
        (180.0, 3.0, 179.0, 4.0),
    ]


@given(
    x=st.floats(170, 190),
    y=st.floats(-80, 80),
    width=st.floats(0.5, 20),
    height=st.floats(0.5, 9),
)
def test_cutting_keeps_the_area_and_stays_in_the_world(
    x: float, y: float, width: float, height: float
) -> None:
    ring = (x, y, x + width, y, x + width, y + height, x, y + height)
    (cut,) = seams.cut(Polygon(((ring,),)))
    assert _area(cut) == pytest.approx(width * height, rel=1e-9, abs=1e-9)
    xs = [number for part in cut.parts for number in part[0][::2]]
    assert min(xs) >= -180
    assert max(xs) <= 180


def test_an_edge_without_an_end_is_refused_and_the_others_are_followed() -> None:
    change = transform.change("EPSG:32633", "EPSG:4326")
    sound = [(2e5, 5e6), (8e5, 5e6), (8e5, 7e6), (2e5, 7e6)]
    xy = np.array([*sound, (5e5, 5e6), (5e5, 1.2e10), (6e5, 5e6)])
    kinds = [edges.CLOSED, edges.CLOSED]
    bent = edges.bend(xy, [4, 3], kinds, change.to, 0.01, _metres("EPSG:4326"), wraps=True)
    assert bent.refused == {1}
    alone = edges.bend(
        xy[:4], [4], [edges.CLOSED], change.to, 0.01, _metres("EPSG:4326"), wraps=True
    )
    assert alone.refused == frozenset()
    assert bent.lengths[0] == alone.lengths[0] > 4
    assert bent.lengths[1] < 1_000
