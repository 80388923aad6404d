"""What the formats of ultralytics share: skeletons with boxes, corners inside, digits, counts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import labelconv as lc
from labelconv import fractions, geometry
from labelconv.format import Holds
from labelconv.lowering import Cut, lower
from labelconv.model import (
    Box,
    Image,
    Keypoint,
    Keypoints,
    OrientedBox,
    Polygon,
    Sample,
    Samples,
)
from labelconv.problems import Report, Where


def lowered(shape: Any, holds: Holds, size: tuple[float, float] = (100.0, 50.0)) -> Any:
    report = Report()
    cut = Cut(holds, "target", Sample("1", Image(*size)), report, None)
    return lower(shape, "a", holds.values, cut, Where()), report


def test_a_skeleton_without_an_outline_gets_the_box_around_its_points() -> None:
    holds = Holds(values=frozenset({Keypoints, Box}), outlined=True)
    points = (Keypoint("x", 1, 2), Keypoint("y", 5, 3))
    result, report = lowered(Keypoints(points), holds)
    assert result.pieces == [("a", Keypoints(points, Box(1, 2, 5, 3)))]
    assert (result.changed, result.lost, report.counts) == (True, False, {"L413": 1})


def test_the_smallest_rotated_box_is_not_taken_where_it_leaves_the_picture() -> None:
    ring = (0.0, 0.0, 60.0, 0.0, 0.0, 50.0)
    triangle = Polygon(((ring,),))
    holds = Holds(values=frozenset({OrientedBox}), within=True)
    result, _ = lowered(triangle, holds)
    ((_, box),) = result.pieces
    corners = geometry.corners(box)
    assert min(corners) >= -1
    assert max(corners[::2]) <= 101


def test_an_empty_sample_whose_key_is_respelled_is_counted_once(tmp_path: Path) -> None:
    data = Samples([Sample("a//b", Image(10.0, 10.0)), Sample("c", Image(10.0, 10.0))])
    report = lc.write(data, tmp_path / "out", "yolo", options={"task": "classify"})
    assert (report.ledger.samples.changed, report.ledger.samples.kept) == (2, 0)
    assert report.ledger.balanced


@pytest.mark.parametrize(
    ("size", "digits"), [((640, 480), 9), ((10_000, 10), 9), ((10_001, 10), 10), ((2e6, 1), 12)]
)
def test_digits_grow_with_the_picture_so_that_edges_stay_right(
    size: tuple[float, float], digits: int
) -> None:
    assert fractions.digits(*size) == digits
    assert max(size) * 0.75 * 10**-digits <= fractions.PRECISION_PX
