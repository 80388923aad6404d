"""The antimeridian, the poles and latitude 89.9999: every kind of shape is cut, refused or clamped
there, and that is told."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyproj
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

import labelconv as lc
from labelconv.geometry import map_xy
from labelconv.model import (
    Annotation,
    Box,
    Keypoint,
    Keypoints,
    OrientedBox,
    Point,
    Polygon,
    Polyline,
    Sample,
    Samples,
    TiledImage,
)
from labelconv.problems import Report
from labelconv.reproject import reproject

POLAR = "EPSG:3413"  # metres around the north pole, 45° west down

Named = dict[str, Any]


def ring_of(x: float, y: float, wide: float, high: float) -> tuple[float, ...]:
    return (x, y, x + wide, y, x + wide, y + high, x, y + high)


def kinds(x: float, y: float, wide: float, high: float) -> Named:
    """A shape of each kind, all of one area that begins at (x, y)."""
    ring = ring_of(x, y, wide, high)
    points = (Keypoint("a", x, y), Keypoint("b", x + wide, y + high))
    return {
        "point": Point(x + wide, y),
        "box": Box(x, y, x + wide, y + high),
        "oriented box": OrientedBox(x + wide / 2, y + high / 2, wide, high, 0),
        "line": Polyline((x, y, x + wide, y)),
        "polygon": Polygon(((ring,),)),
        "skeleton": Keypoints(points),
        "skeleton with a box": Keypoints(points, Box(x, y, x + wide, y + high)),
        "skeleton with a polygon": Keypoints(points, Polygon(((ring,),))),
    }


def moved(target: str, crs: str, value: Any) -> tuple[list[Annotation], Report]:
    report = Report()
    sample = Sample("k", TiledImage(crs), (Annotation("1", "a", value),))
    report.ledger.annotations.read = 1
    found = list(reproject(target)(Samples([sample]), report))
    return [each for sample in found for each in sample.annotations], report


def places(value: Any) -> np.ndarray[Any, Any]:
    """All x and y of a shape."""
    if isinstance(value, Keypoints):
        own = np.array([(point.x, point.y) for point in value.points])
        return own if value.outline is None else np.concatenate((own, places(value.outline)))
    if isinstance(value, Point):
        return np.array([(value.x, value.y)])
    if isinstance(value, Box):
        return np.array([(value.x0, value.y0), (value.x1, value.y1)])
    rings = [value.points] if isinstance(value, Polyline) else [r for p in value.parts for r in p]
    return np.concatenate([np.array(ring).reshape(-1, 2) for ring in rings])


def area(value: Any) -> float:
    if isinstance(value, Box):
        return (value.x1 - value.x0) * (value.y1 - value.y0)
    shapes = [shapely.Polygon(np.array(part[0]).reshape(-1, 2)) for part in value.parts]
    return float(sum(shape.area for shape in shapes))


# ------------------------------------------------------------------------------- antimeridian

#: What comes of a shape from 179° to 181°: how many pieces, and whether a cut is told.
CUT = {
    "point": (1, False),
    "box": (1, True),
    "oriented box": (1, True),
    "line": (2, True),
    "polygon": (1, True),
    "skeleton": (1, False),
    "skeleton with a box": (1, True),
    "skeleton with a polygon": (1, True),
}


#: Boxes from 179° to -179° would reach around the world the other way.
BOTH_WAYS = ("point", "line", "polygon", "skeleton", "skeleton with a polygon")


@pytest.mark.parametrize(
    ("kind", "runs_on"),
    [*((kind, True) for kind in CUT), *((kind, False) for kind in BOTH_WAYS)],
)
def test_a_shape_across_the_antimeridian_is_cut_there(kind: str, runs_on: bool) -> None:
    value = kinds(179, 10, 2, 1)[kind]
    if not runs_on:  # written from 179 to -179
        value = map_xy(value, lambda xy: np.column_stack(((xy[:, 0] + 180) % 360 - 180, xy[:, 1])))
    found, report = moved("EPSG:4326", "EPSG:4326", value)
    count, told = CUT[kind]
    assert len(found) == count
    assert ("M233" in report.counts) is told
    for annotation in found:
        xy = places(annotation.value)
        assert (np.abs(xy[:, 0]) <= 180).all()
        assert (np.abs(xy[:, 0]) >= 179).all()  # no edge leads around the world
    shapes = [a.value.outline if isinstance(a.value, Keypoints) else a.value for a in found]
    if kind in ("box", "oriented box", "polygon") or kind.startswith("skeleton with"):
        assert sum(map(area, shapes)) == pytest.approx(2.0)
    if kind.startswith("skeleton"):
        assert [(p.x, p.y) for p in found[0].value.points] == [(179, 10), (-179, 11)]  # type: ignore[union-attr]


@pytest.mark.parametrize("kind", CUT)
def test_a_shape_of_metres_across_the_antimeridian_is_cut_in_degrees(kind: str) -> None:
    # Zone 60 ends at 180°: a shape of 20 km around it.
    to = pyproj.Transformer.from_crs("EPSG:4326", "EPSG:32660", always_xy=True)
    x, y = to.transform(180.0, 10.0)
    value = kinds(x - 10_000, y, 20_000, 5_000)[kind]
    found, report = moved("EPSG:4326", "EPSG:32660", value)
    count, told = CUT[kind]
    assert len(found) == count
    assert ("M233" in report.counts) is told
    xy = np.concatenate([places(annotation.value) for annotation in found])
    assert (np.abs(xy[:, 0]) <= 180).all()
    assert (np.abs(xy[:, 0]) > 179.8).all()
    assert (xy[:, 0] < 0).any()
    assert kind == "point" or (xy[:, 0] > 0).any()


@given(
    x=st.floats(170, 179.9),
    wide=st.floats(0.2, 100),
    y=st.floats(-80, 70),
    high=st.floats(0.1, 9),
    kind=st.sampled_from(["box", "polygon", "skeleton with a box", "skeleton with a polygon"]),
)
def test_no_area_is_lost_by_a_cut(x: float, wide: float, y: float, high: float, kind: str) -> None:
    (found,), _ = moved("EPSG:4326", "EPSG:4326", kinds(x, y, wide, high)[kind])
    value: Any = found.value
    shape = value.outline if isinstance(value, Keypoints) else value
    assert area(shape) == pytest.approx(wide * high, rel=1e-6)


# ------------------------------------------------------------------------------- the poles


@pytest.mark.parametrize("kind", list(kinds(0, 0, 1, 1)))
def test_a_shape_around_the_pole_is_refused_or_goes_to_the_places_it_has(kind: str) -> None:
    # A square of 200 km with the pole in its middle, in a polar projection.
    value = kinds(-100_000, -100_000, 200_000, 200_000)[kind]
    found, report = moved("EPSG:4326", POLAR, value)
    if kind in ("point", "line", "skeleton"):
        assert found
        xy = np.concatenate([places(annotation.value) for annotation in found])
        assert (np.abs(xy[:, 0]) <= 180).all()
        assert (xy[:, 1] > 88).all()
        assert (xy[:, 1] <= 90).all()
        assert report.ledger.annotations.rejected == 0
    else:
        assert found == []
        assert report.ledger.annotations.rejected == 1
        assert report.counts["M205"] == 1


@pytest.mark.parametrize("kind", list(kinds(0, 0, 1, 1)))
def test_latitudes_beyond_a_pole_are_rejected(kind: str) -> None:
    found, report = moved("EPSG:4326", "EPSG:4326", kinds(10, 91, 1, 1)[kind])
    assert found == []
    assert report.counts == {"M231": 1}
    assert report.ledger.annotations.rejected == 1


# ------------------------------------------------------------------------------- 89.9999


@pytest.mark.parametrize("kind", list(kinds(0, 0, 1, 1)))
@pytest.mark.parametrize("south", [False, True])
def test_latitude_89_9999_is_clamped_on_the_way_to_web_mercator(kind: str, south: bool) -> None:
    y = -89.9999 if south else 84.9999
    value = kinds(10, y, 1, 5)[kind]
    if kind in ("point", "line") and not south:
        value = map_xy(value, lambda xy: xy + np.array([0.0, 5.0]))
    found, report = moved("EPSG:3857", "EPSG:4326", value)
    (annotation,) = found
    edge = 20037508.342789244
    xy = places(annotation.value)
    assert (np.abs(xy[:, 1]) <= edge + 1e-6).all()
    assert np.abs(xy[:, 1]).max() == pytest.approx(edge, abs=1e-3)
    assert report.counts["M232"] == 1
    # By how much, in metres on the ground: 4.95 degrees.
    assert report.measures["M232"].worst == pytest.approx((89.9999 - 85.0511287798) * 111_319.49)
    assert xy[:, 0].min() >= 10 * edge / 180 - 1e-6


@pytest.mark.parametrize("kind", list(kinds(0, 0, 1, 1)))
def test_latitude_89_9999_stays_as_it_is_in_degrees(kind: str, tmp_path: Path) -> None:
    value = kinds(10, 88.9999, 1, 1)[kind]
    sample = Sample("k", TiledImage(), (Annotation("1", "a", value),))
    report = lc.write(Samples([sample]), tmp_path / "a.ndjson", "labelbox", allow=["loss"])
    text = (tmp_path / "a.ndjson").read_text()
    assert "M232" not in report.counts
    assert report.ledger.annotations.rejected == 0
    numbers = [number for line in text.splitlines() for number in numbers_of(json.loads(line))]
    top = 88.9999 if kind in ("point", "line") else 89.9999
    assert max(number for number in numbers if number < 90) == pytest.approx(top, abs=1e-9)


def numbers_of(value: Any) -> list[float]:
    """The y of a line's places, and the upper edges of its boxes."""
    if isinstance(value, dict):
        found = [number for each in value.values() for number in numbers_of(each)]
        if "y" in value:
            found.append(value["y"])
        if "top" in value:
            found.append(value["top"] + value["height"])
        return found
    return (
        [number for each in value for number in numbers_of(each)] if isinstance(value, list) else []
    )
