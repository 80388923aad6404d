"""What rows mean where nothing says it: decided by the whole dataset, told with the evidence."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from yolo_help import NAMES, Read, dataset, picture, put, read, read_without_extra

from labelconv.errors import OptionError
from labelconv.model import Box, Keypoints, OrientedBox, Polygon

BOX = "0 0.5 0.5 0.2 0.2"
TRIANGLE = "0 0.1 0.1 0.4 0.1 0.4 0.5"
SQUARE = "0 0.1 0.1 0.4 0.1 0.4 0.5 0.1 0.5"  # a rectangle, as a polygon or as corners
FOURGON = "0 0.1 0.1 0.4 0.2 0.5 0.5 0.1 0.6"
PENTAGON = "0 0.1 0.1 0.4 0.1 0.4 0.5 0.2 0.6 0.1 0.3"
HEXAGON = f"{PENTAGON} 0.05 0.2"


def files(tmp_path: Path, *rows: str, yaml: str = NAMES) -> Path:
    """A dataset of one file for each text; `|` stands for the end of a line."""
    return dataset(
        tmp_path,
        {str(number): text.replace("|", "\n") for number, text in enumerate(rows)},
        yaml=yaml,
    )


def kinds(found: Read) -> list[type]:
    return [type(a.value) for s in found.samples.values() for a in s.annotations]


@pytest.mark.parametrize(
    ("rows", "task", "expected"),
    [
        ([BOX, BOX], "detect", [Box, Box]),
        ([f"{BOX} 0.9", f"{BOX} 0.1"], "detect", [Box, Box]),
        ([TRIANGLE, TRIANGLE], "segment", [Polygon, Polygon]),
        ([TRIANGLE, PENTAGON], "segment", [Polygon, Polygon]),
        ([f"{BOX} 0.9 1", f"{BOX} 0.8 2"], "detect", [Box, Box]),
        ([f"{BOX} 0.9 1", f"{BOX} 0.8 1"], "detect", [Box, Box]),
        ([f"{BOX} 0.9", f"{BOX} 0.8 2"], "detect", [Box, Box]),
        ([SQUARE, SQUARE], "obb", [OrientedBox, OrientedBox]),
        ([SQUARE, SQUARE, FOURGON], "obb", [OrientedBox, OrientedBox, Polygon]),
        ([FOURGON, FOURGON], "segment", [Polygon, Polygon]),
        ([SQUARE, PENTAGON], "segment", [Polygon, Polygon]),
        ([f"{SQUARE} 0.9"], "obb", [OrientedBox]),
        ([f"{SQUARE} 0.9 12"], "obb", [OrientedBox]),
        ([HEXAGON], "segment", [Polygon]),
        ([BOX, TRIANGLE], "segment", [Box, Polygon]),
        ([BOX, BOX, BOX, SQUARE], "segment", [Box, Box, Box, Polygon]),
        ([f"{HEXAGON} 0.9", f"{TRIANGLE} 0.5"], "segment", [Polygon, Polygon]),
    ],
)
def test_the_task_is_that_of_all_rows(
    rows: list[str], task: str, expected: list[type], tmp_path: Path
) -> None:
    found = read(files(tmp_path, *rows))
    assert kinds(found) == expected
    assert found.guesses()[0] == f"task={task}"
    assert found.report.errors == 0


def test_a_last_file_decides_how_the_first_one_is_read(tmp_path: Path) -> None:
    alone = read(files(tmp_path / "alone", SQUARE, SQUARE))
    with_one_more = read(files(tmp_path / "more", SQUARE, SQUARE, PENTAGON))
    assert kinds(alone) == [OrientedBox, OrientedBox]
    assert kinds(with_one_more) == [Polygon, Polygon, Polygon]


def test_the_evidence_counts_the_rows_and_names_the_option(tmp_path: Path) -> None:
    found = read(files(tmp_path, TRIANGLE, f"{PENTAGON}|1{PENTAGON[1:]}"))
    (note,) = found.told("R113")
    assert "1 of 7, 2 of 11 numbers" in note.message
    assert "-O task=" in note.message


def test_boxes_among_polygons_are_read_and_counted(tmp_path: Path) -> None:
    found = read(files(tmp_path, f"{BOX}|1{BOX[1:]}|{TRIANGLE}"))
    assert kinds(found) == [Box, Box, Polygon]
    note = found.told("R113")[-1]
    assert "2 of them are among 1 others" in note.message


@pytest.mark.parametrize(
    ("task", "expected", "rejected"),
    [("detect", [Box], 2), ("segment", [Box, Polygon, Polygon], 0), ("obb", [Box, OrientedBox], 1)],
)
def test_a_task_by_option_is_final_and_other_rows_are_rejected_with_their_place(
    task: str, expected: list[type], rejected: int, tmp_path: Path
) -> None:
    data = files(tmp_path, f"{BOX}|{SQUARE}|{TRIANGLE}")
    found = read(data, task=task)
    assert kinds(found) == expected
    assert len(found.told("R101")) == rejected
    assert not [guess for guess in found.guesses() if guess.startswith("task")]


def test_the_shape_of_keypoints_makes_poses_and_boxes_are_allowed_beside(tmp_path: Path) -> None:
    pose = f"{BOX} 0.1 0.2 2 0 0 0 0.3 0.4 1"
    found = read(files(tmp_path, f"{pose}|{BOX}", yaml=f"kpt_shape: [3, 3]\n{NAMES}"))
    skeleton, box = found.values
    assert isinstance(skeleton, Keypoints)
    assert [(point.name, point.visible) for point in skeleton.points] == [
        ("keypoint_0", True),
        ("keypoint_2", False),
    ]
    assert isinstance(box, Box)


def test_keypoints_have_the_names_that_each_class_gives_them(tmp_path: Path) -> None:
    rows = f"{BOX} 0.1 0.2 2 0.2 0.2 2|1{BOX[1:]} 0.1 0.2 2 0 0 0"
    yaml = (
        "names: [person, dog]\nkpt_shape: [2, 3]\nskeleton: [[1, 2]]\n"
        "kpt_names:\n  0: [nose, left eye]\n  1: [tail, no]\n"
    )
    found = read(files(tmp_path, rows, yaml=yaml))
    assert [[point.name for point in value.points] for value in found.values] == [
        ["nose", "left eye"],
        ["tail"],
    ]
    assert "the skeleton counts keypoints from 1" in found.guesses()


def test_a_pose_without_points_is_its_box(tmp_path: Path) -> None:
    found = read(files(tmp_path, f"{BOX} 0 0 0", yaml=f"kpt_shape: [1, 3]\n{NAMES}"))
    assert kinds(found) == [Box]


def test_how_sure_a_predicted_keypoint_is_becomes_visible_or_covered(tmp_path: Path) -> None:
    row = f"{BOX} 0.1 0.2 0.93 0.2 0.3 0.2 0.95"
    found = read(files(tmp_path, row, yaml=f"kpt_shape: [2, 3]\n{NAMES}"))
    assert [point.visible for point in found.values[0].points] == [True, False]
    assert found.one.annotations[0].confidence == 0.95
    assert found.report.fields == {"yolo:keypoint confidence": 2}


@pytest.mark.parametrize(("dims", "tail"), [(3, " 0.1 0.2 2 0.3 0.4 1"), (2, " 0.1 0.2 0.3 0.4")])
def test_the_shape_of_keypoints_is_found_out_where_it_is_certain(
    dims: int, tail: str, tmp_path: Path
) -> None:
    found = read(files(tmp_path, BOX + tail), task="pose")
    assert len(found.values[0].points) == 2
    assert f"kpt_shape=2x{dims}" in found.guesses()
    assert read(files(tmp_path, BOX + tail), task="pose", kpt_shape=f"2x{dims}").guesses() == []


def test_a_shape_of_keypoints_that_cannot_be_found_out_is_asked_for(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="kpt_shape"):
        read(files(tmp_path, f"{BOX} 0.1 0.2 2", BOX), task="pose")


@pytest.mark.parametrize(
    ("rows", "columns"),
    [
        ([f"{BOX} 1", f"{BOX} 2"], "track"),
        ([f"{BOX} 1", f"{BOX} 0"], "conf"),
        ([f"{BOX} 0.5"], "conf"),
        ([f"{BOX} 0.5 7"], "conf+track"),
    ],
)
def test_columns_are_told_by_all_their_values(
    rows: list[str], columns: str, tmp_path: Path
) -> None:
    found = read(files(tmp_path, *rows))
    tracks = [a.extra.get("yolo:track") for s in found.samples.values() for a in s.annotations]
    sure = [a.confidence for s in found.samples.values() for a in s.annotations]
    assert any(track is not None for track in tracks) == ("track" in columns)
    assert any(each is not None for each in sure) == ("conf" in columns)


def test_columns_by_option_are_final(tmp_path: Path) -> None:
    data = files(tmp_path, f"{BOX} 1", BOX)
    assert [
        a.extra for s in read(data, columns="track").samples.values() for a in s.annotations
    ] == [
        {"yolo:track": 1},
        {},
    ]
    found = read(data, columns="none")
    assert len(found.told("R101")) == 1


def test_tracked_polygons_are_not_polygons_of_one_more_point(tmp_path: Path) -> None:
    put(tmp_path / "labels" / "v_1.txt", f"{HEXAGON} 0.9 1\n{TRIANGLE} 0.8 2\n")
    put(tmp_path / "classes.txt", "cat\n")
    picture(tmp_path / "images" / "v_1.png")
    found = read(tmp_path)
    assert [len(value.parts[0][0]) for value in found.values] == [12, 6]
    assert [annotation.confidence for annotation in found.one.annotations] == [0.9, 0.8]
    assert [annotation.extra["yolo:track"] for annotation in found.one.annotations] == [1, 2]


def test_results_of_a_tracker_are_a_sample_for_each_frame(tmp_path: Path) -> None:
    for frame in (1, 2, 10):
        picture(tmp_path / "images" / f"clip_{frame}.png")
        put(tmp_path / "labels" / f"clip_{frame}.txt", f"{BOX} {frame}\n1{BOX[1:]} 7\n")
    put(tmp_path / "classes.txt", "cat\ndog\n")
    found = read(tmp_path, columns="track")
    assert list(found.samples) == ["clip_1.png", "clip_2.png", "clip_10.png"]
    assert [
        [annotation.extra["yolo:track"] for annotation in sample.annotations]
        for sample in found.samples.values()
    ] == [[1, 7], [2, 7], [10, 7]]
    assert read_without_extra(tmp_path, columns="track").report.fields == {"yolo:track": 6}


def test_our_own_data_yaml_says_the_task_and_nothing_is_guessed(tmp_path: Path) -> None:
    data = files(tmp_path, SQUARE, yaml=f"task: segment\n{NAMES}")
    found = read(data)
    assert kinds(found) == [Polygon]
    assert found.guesses() == []


# ------------------------------------------------------------------------------- bad rows


@pytest.mark.parametrize(
    ("row", "code", "column"),
    [
        ("3 0.5 0.5 0.2 0.2", "R103", 1),
        ("-1 0.5 0.5 0.2 0.2", "R103", 1),
        ("0.5 0.5 0.5 0.2 0.2", "R101", 1),
        ("cat 0.5 0.5 0.2 0.2", "R101", 1),
        ("nan 0.5 0.5 0.2 0.2", "R101", 1),
        ("0 0.5 1.02 0.2 0.2", "R101", 7),
        ("0 -0.02 0.5 0.2 0.2", "R101", 3),
        ("0 50 50 20 20", "R101", 3),
        ("0 0.5 0.5 -0.2 0.2", "M201", 11),
        ("0 0.5 0.5 0.2 -0.2", "M201", 15),
        ("0 0.5 nan 0.2 0.2", "R102", 7),
        ("0 0.5 0.5 inf 0.2", "R102", 11),
        ("0 0.5 0.5 1e999 0.2", "R102", 11),
        ("0 0.5 0_5 0.2 0.2", "R101", 7),
        ("0 0.5 O.5 0.2 0.2", "R101", 7),
        ("0\t0.5  0,5 0.2 0.2", "R101", 8),
        ("0 0.5 0.5 0.2", "R101", 14),
        ("0", "R101", 2),
        ("0 0.5 0.5 0.2 0.2 x", "R101", 19),
    ],
)
def test_a_bad_row_is_rejected_alone_with_line_and_column(
    row: str, code: str, column: int, tmp_path: Path
) -> None:
    found = read(files(tmp_path, f"{BOX}|{row}|{BOX}"), task="detect", columns="none")
    assert len(found.values) == 2
    (problem,) = [each for each in found.report.problems if each.severity == "error"]
    assert problem.code == code
    assert (problem.where.line, problem.where.column) == (2, column)
    assert problem.where.path == str(tmp_path / "labels" / "train" / "0.txt")
    assert [each.record for each in found.report.take_rejected()] == [row.encode()]


@pytest.mark.parametrize(
    "row", ["2.0 0.5 0.5 0.2 0.2", "02 0.5 0.5 0.2 0.2", "2e0 .5 +0.5 2e-1 0.2"]
)
def test_whole_numbers_in_other_spellings_are_classes(row: str, tmp_path: Path) -> None:
    found = read(files(tmp_path, row))
    assert found.one.annotations[0].category == "tabby cat"
    assert found.values == [Box(pytest.approx(40), pytest.approx(40), pytest.approx(60), 60)]


@pytest.mark.parametrize(
    ("row", "options", "code", "column"),
    [
        (f"{TRIANGLE[:-3]}1.5", {"task": "segment"}, "R101", 23),
        ("0 0.1 0.1 0.4 0.1 0.4 nan", {"task": "segment"}, "R102", 23),
        (f"{BOX} 0.3 0.2", {"task": "segment", "columns": "conf"}, None, 0),
        (f"{SQUARE} 1.5", {"task": "obb", "columns": "conf"}, "R101", 35),
        (f"{SQUARE} 1.5", {"task": "obb", "columns": "track"}, "R101", 35),
        (f"{BOX} 1.5 0.2 2", {"task": "pose", "kpt_shape": "1x3"}, "R101", 19),
        (f"{BOX} 0.5 0.2 2 9", {"task": "pose", "kpt_shape": "1x3", "columns": "none"}, "R101", 19),
    ],
)
def test_bad_numbers_of_every_task_have_their_place(
    row: str, options: dict[str, Any], code: str | None, column: int, tmp_path: Path
) -> None:
    found = read(files(tmp_path, row), **options)
    errors = [each for each in found.report.problems if each.severity == "error"]
    assert [each.code for each in errors] == ([] if code is None else [code])
    assert [each.where.column for each in errors] == ([] if code is None else [column])


def test_polygons_and_points_are_cut_at_the_border_within_a_hundredth(tmp_path: Path) -> None:
    found = read(files(tmp_path / "a", "0 -0.005 0.1 0.4 0.1 0.4 1.005"), task="segment")
    assert found.values == [Polygon(((pytest.approx((0, 10, 40, 10, 40, 100)),),))]
    assert len(found.told("L422")) == 1
    pose = read(files(tmp_path / "b", f"{BOX} 1.005 0.5 2"), task="pose", kpt_shape="1x3")
    assert pose.values[0].points[0].x == 100


def test_a_box_that_training_takes_though_it_reaches_out_is_kept_as_it_is(tmp_path: Path) -> None:
    found = read(files(tmp_path, "0 0.05 0.5 0.2 0.2"))
    assert found.values == [Box(pytest.approx(-5), pytest.approx(40), pytest.approx(15), 60)]
    (note,) = found.told("M203")
    assert note.severity == "note"


def test_the_first_point_of_a_polygon_is_not_repeated(tmp_path: Path) -> None:
    found = read(files(tmp_path, f"{TRIANGLE} 0.1 0.1|{PENTAGON}"))
    assert len(found.values[0].parts[0][0]) == 6


@pytest.mark.parametrize(("choice", "count"), [("keep", 4), ("skip", 2)])
def test_rows_that_stand_twice_are_kept_unless_asked_and_it_is_said(
    choice: str, count: int, tmp_path: Path
) -> None:
    found = read(files(tmp_path, f"{BOX}|1{BOX[1:]}||{BOX}||1{BOX[1:]}"), duplicates=choice)
    assert len(found.values) == count
    assert found.report.ledger.annotations.skipped == 4 - count
    (note,) = [each for each in found.told("R113") if "twice" in each.message]
    assert "2 rows in 1 files" in note.message


def test_a_label_file_that_cannot_be_read_rejects_its_sample(tmp_path: Path) -> None:
    data = files(tmp_path, BOX, BOX)
    (data / "labels" / "train" / "1.txt").unlink()
    (data / "labels" / "train" / "1.txt").mkdir()
    found = read(data)
    assert list(found.samples) == ["train/0.png"]
    assert [each.where.sample for each in found.told("R101")] == ["train/1.png"]


def test_an_iteration_again_gives_the_same(tmp_path: Path) -> None:
    import labelconv as lc

    data = lc.read(files(tmp_path, SQUARE, PENTAGON, f"{BOX} 0.5"), "yolo")
    assert list(data) == list(data)


def test_keys_by_template_and_collisions_are_seen_to(tmp_path: Path) -> None:
    data = files(tmp_path, BOX, BOX)
    assert list(read(data, key="{stem}").samples) == ["0", "1"]
    assert list(read(data, key="{split}/{name}").samples) == ["train/0.png", "train/1.png"]
    found = read(data, key="{split}")
    assert len(found.samples) == 1
    assert found.report.ledger.annotations.rejected == 1
