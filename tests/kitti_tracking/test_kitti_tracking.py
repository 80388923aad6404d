"""KITTI tracking: 17 or 18 columns, DontCare, what is said beside the box."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import labelconv as lc
from labelconv.errors import OptionError
from labelconv.formats.kitti_tracking import FORMAT
from labelconv.io import Source
from labelconv.model import Annotation, Box, Classification, Radio, Sample, Track
from labelconv.problems import Report


def line(
    frame: int,
    id: int,
    kind: str = "Car",
    *,
    truncated: int = 0,
    occluded: int = 0,
    box: str = "10.5 20 40.25 60",
    score: str = "",
) -> str:
    unknown = "-1 -1 -1 -1000 -1000 -1000 -10"
    return f"{frame} {id} {kind} {truncated} {occluded} -10 {box} {unknown} {score}"


def file(folder: Path, *lines: str, name: str = "0003.txt") -> Path:
    path = folder / name
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def read(path: Path, report: Report | None = None, **options: Any) -> list[Sample]:
    return list(lc.read(path, "kitti-tracking", options=options, report=report))


def frames(annotation: Annotation) -> list[list[int]]:
    assert isinstance(annotation.value, Track)
    return [[keyframe.frame for keyframe in segment] for segment in annotation.value.segments]


def test_corners_are_edges_and_frames_count_from_0(tmp_path: Path) -> None:
    (sample,) = read(file(tmp_path, line(0, 2), line(1, 2), line(4, 2), line(1, 7, "Pedestrian")))
    assert sample.key == "0003"
    car, person = sample.annotations
    assert (car.id, car.category, frames(car), car.extra) == (
        "2",
        "Car",
        [[0, 1], [4]],
        {"kitti-tracking:truncated": [0.0] * 3, "kitti-tracking:occluded": [0.0] * 3},
    )
    assert car.value.segments[0][0].shape == Box(10.5, 20.0, 40.25, 60.0)  # type: ignore[union-attr]
    assert (person.id, person.category, frames(person)) == ("7", "Pedestrian", [[1]])


def test_regions_nobody_cares_about_are_skipped_and_counted(tmp_path: Path) -> None:
    report = Report()
    path = file(tmp_path, line(0, -1, "DontCare"), line(0, 1), line(1, -1, "DontCare"))
    (sample,) = read(path, report)
    assert [a.id for a in sample.annotations] == ["1"]
    assert (report.ledger.annotations.read, report.ledger.annotations.skipped) == (3, 2)
    (sample,) = read(path, dont_care="keep")
    assert [(a.id, a.category) for a in sample.annotations] == [
        ("line 1", "DontCare"),
        ("1", "Car"),
        ("line 3", "DontCare"),
    ]


@pytest.mark.parametrize("how", ["answer", "none"])
def test_occlusion_is_answered_in_words_or_left_out(tmp_path: Path, how: str) -> None:
    path = file(tmp_path, line(0, 1, occluded=2, truncated=1), line(1, 1, occluded=3))
    report = Report()
    (annotation,) = read(path, report, attributes=how)[0].annotations
    assert annotation.extra == {}
    counted = {f"kitti-tracking:{name}": 2 for name in ("occluded", "truncated")}
    assert report.fields == (counted if how == "none" else {})
    said = [k.classifications for k in annotation.value.segments[0]]  # type: ignore[union-attr]
    answers = [
        (Classification("occluded", Radio(a)), Classification("truncated", Radio(b)))
        for a, b in (("largely occluded", "partly"), ("unknown", "no"))
    ]
    assert said == (answers if how == "answer" else [(), ()])


def test_scores_that_are_one_for_all_frames_are_the_confidence(tmp_path: Path) -> None:
    path = file(
        tmp_path,
        line(0, 1, score="0.5"),
        line(1, 1, score="0.5"),
        line(0, 2, score="1"),
        line(1, 2, score="2"),
    )
    first, second = read(path)[0].annotations
    assert (first.confidence, second.confidence) == (0.5, None)
    assert second.extra["kitti-tracking:score"] == [1.0, 2.0]


def test_bad_lines_are_rejected_alone_with_their_line(tmp_path: Path) -> None:
    lines = [
        line(0, 1),
        line(0, 1),
        line(1, 1, box="10 20 5 60"),
        line(2, 1, box="nan 20 5 60"),
        "3 1 Car 0 0",
        line(-1, 1),
        line(4, 1).replace("4 1", "4 one"),
        "",
        line(1, 1),
    ]
    report = Report()
    (sample,) = read(file(tmp_path, *lines), report)
    assert [frames(a) for a in sample.annotations] == [[[0, 1]]]
    assert [(p.code, p.where.line) for p in report.problems] == [
        ("R104", 2),
        ("M201", 3),
        ("R102", 4),
        ("R101", 5),
        ("R101", 6),
        ("R101", 7),
    ]
    records = [record.record.decode() for record in report.take_rejected()]
    assert records == lines[1:7]
    assert (report.ledger.annotations.read, report.ledger.annotations.rejected) == (7, 6)


def test_a_type_that_changes_is_another_annotation_and_said(tmp_path: Path) -> None:
    report = Report()
    (sample,) = read(file(tmp_path, line(0, 1), line(1, 1, "Van")), report)
    assert [(a.id, a.category) for a in sample.annotations] == [("1", "Car"), ("1/Van", "Van")]
    assert [(p.code, p.where.line) for p in report.problems] == [("R105", 2)]


def test_a_folder_is_a_sample_for_each_file_and_frames_map_by_the_rule(tmp_path: Path) -> None:
    for name in ("0010.txt", "0002.txt"):
        file(tmp_path, line(0, 1), line(1, 1), name=name)
    samples = read(tmp_path, start=4, fps="10:30")
    assert [(s.key, frames(s.annotations[0])) for s in samples] == [
        ("0002", [[4, 7]]),
        ("0010", [[4, 7]]),
    ]
    for options in ({"fps": "10:25"}, {"gap": 0}, {"stride": "1.5"}):
        with pytest.raises(OptionError):
            read(tmp_path, **options)


def test_a_file_becomes_lines_of_labelbox_with_as_few_keyframes_as_are_needed(
    tmp_path: Path,
) -> None:
    path = file(tmp_path, *(line(f, 1, box=f"{10 + 2 * f} 20 {50 + 2 * f} 60") for f in range(50)))
    target = tmp_path / "mal.ndjson"
    report = lc.convert(path, target, from_="kitti-tracking", to="labelbox")
    (written,) = map(json.loads, target.read_text().splitlines())
    assert [k["frame"] for k in written["segments"][0]["keyframes"]] == [1, 50]
    assert (report.keyframes.before, report.keyframes.after) == (50, 2)
    assert report.fields["kitti-tracking:occluded"] == 50
    assert report.ledger.balanced


def test_kitti_tracking_is_recognised_by_its_columns(tmp_path: Path) -> None:
    assert FORMAT.sniff is not None
    path = file(tmp_path, line(0, 1))
    assert FORMAT.sniff(Source(path).peek()).certainty == 3
    assert FORMAT.sniff(Source(tmp_path).peek()).certainty == 3
    assert lc.read(path).report.evidence[0].startswith("kitti-tracking:")
    detection = "Car 0 0 -10 10 20 40 60 -1 -1 -1 -1000 -1000 -1000 -10"
    assert FORMAT.sniff(Source(file(tmp_path, detection)).peek()).certainty == 0
