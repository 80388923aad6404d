"""What writers correct of what `fit` said: skeletons that a format cannot tell by their points."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import labelconv as lc
from labelconv.corrections import correct
from labelconv.model import Annotation, Box, Image, Keypoint, Keypoints, Sample, Samples
from labelconv.problems import Report

OUTLINE = Box(0, 0, 32, 16)
POSES: list[tuple[str, dict[str, Any]]] = [
    ("yolo", {"task": "pose"}),
    ("ultralytics-ndjson", {"task": "pose"}),
    ("labelme", {}),
    ("coco", {}),
]


def there_and_back(
    values: list[Keypoints], folder: Path, name: str, options: dict[str, Any]
) -> tuple[list[Any], Report]:
    annotations = tuple(Annotation(str(n), "p", value) for n, value in enumerate(values))
    dataset = Samples([Sample("1.png", Image(64, 64), annotations)])
    report = lc.write(dataset, folder / "out", name, options=options, allow=["loss"])
    assert report.ledger.balanced
    return [each.value for s in lc.read(folder / "out", name) for each in s.annotations], report


@pytest.mark.parametrize(("name", "options"), POSES)
def test_a_skeleton_without_points_is_counted_as_lost_and_leaves_its_outline(
    name: str, options: dict[str, Any], tmp_path: Path
) -> None:
    values, report = there_and_back(
        [Keypoints((), OUTLINE), Keypoints(())], tmp_path, name, options
    )
    assert values == [OUTLINE]
    assert report.ledger.annotations.lost == 2
    assert (report.counts["L418"], report.counts["L401"]) == (1, 1)


@pytest.mark.parametrize(("name", "options"), POSES)
def test_points_of_one_name_come_back_or_their_skeleton_is_counted_as_changed(
    name: str, options: dict[str, Any], tmp_path: Path
) -> None:
    points = tuple(Keypoint("ear", x, 8) for x in (4, 8, 12))
    skeleton, other = Keypoints(points, OUTLINE), Keypoints(points[:1], OUTLINE)
    values, report = there_and_back([skeleton, other], tmp_path, name, options)
    if name == "labelme":
        assert report.ledger.annotations.changed == 1
        assert report.counts == {"L413": 1}
        assert values[-1] == other
    else:
        assert report.ledger.annotations.kept == 2
        assert values == [skeleton, other]


def test_what_became_several_annotations_is_counted_as_the_one_that_it_was() -> None:
    report = Report()
    report.ledger.annotations.read = report.ledger.annotations.changed = 1
    report.fates = "s", {"a/0": ("a", "changed"), "a/1": ("a", "changed")}
    correct(report, "s", "a/0", "lost")
    correct(report, "s", "a/1", "lost")
    correct(report, "s", "a/1", "changed")
    account = report.ledger.annotations
    assert (account.changed, account.lost) == (0, 1)


def test_what_fit_said_nothing_of_was_kept() -> None:
    report = Report()
    report.ledger.annotations.read = report.ledger.annotations.kept = 2
    report.fates = "another", {"a": ("a", "lost")}
    correct(report, "s", "a", "changed")
    correct(report, "s", "a", "lost")
    account = report.ledger.annotations
    assert (account.kept, account.changed, account.lost) == (1, 0, 1)
