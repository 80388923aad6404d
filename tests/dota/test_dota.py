"""DOTA: corners as oriented boxes, label files in their folders, and what comes back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import labelconv as lc
from labelconv import geometry, oriented
from labelconv.model import (
    Annotation,
    Box,
    Image,
    Keypoint,
    Keypoints,
    Mask,
    OrientedBox,
    Polygon,
    Sample,
    Samples,
)
from labelconv.problems import Report

ROBNDBOX = (51.3397, 17.6795, 68.6603, 27.6795, 48.6603, 62.3205, 31.3397, 52.3205)


def put(path: Path, text: str | bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def read(path: Path, **given: Any) -> tuple[list[Sample], Report]:
    dataset = lc.read(path, "dota", **given)
    return list(dataset), dataset.report


def values(path: Path) -> list[Any]:
    return [annotation.value for annotation in read(path)[0][0].annotations]


def written(folder: Path, *samples: Sample, **given: Any) -> dict[str, str]:
    lc.write(Samples(samples), folder / "out", "dota", **given)
    root = folder / "out" / "labelTxt"
    return {
        path.relative_to(root).as_posix(): path.read_text(encoding="utf-8")
        for path in sorted(root.rglob("*.txt"))
    }


def one(value: Any, width: float = 60, height: float = 30) -> Sample:
    return Sample("1.png", Image(width, height), (Annotation("0", "ship", value),))


def test_header_lines_and_carriage_returns_are_no_objects(tmp_path: Path) -> None:
    text = b"imagesource:GoogleEarth\r\ngsd:0.146\r\n1 1 5 1 5 3 1 3 small-vehicle 1\r\n\r\n"
    samples, report = read(put(tmp_path / "P1.txt", text))
    (annotation,) = samples[0].annotations
    assert (annotation.category, annotation.value) == ("small-vehicle", OrientedBox(3, 2, 4, 2, 0))
    assert annotation.extra == {"dota:difficult": "1"}
    assert samples[0].extra == {"dota:imagesource": "GoogleEarth", "dota:gsd": "0.146"}
    assert report.ledger.annotations.read == 1


def test_a_file_of_no_bytes_is_a_picture_without_objects(tmp_path: Path) -> None:
    samples, report = read(put(tmp_path / "P1.txt", ""))
    assert [(sample.key, sample.annotations) for sample in samples] == [("P1", ())]
    assert report.errors == 0


def test_corners_of_a_rectangle_are_an_oriented_box_with_its_angle(tmp_path: Path) -> None:
    corners = " ".join(map(str, ROBNDBOX))
    (found,) = values(put(tmp_path / "P1.txt", f"{corners} ship 0\n"))
    assert (found.x, found.y) == pytest.approx((50, 40), abs=1e-4)
    assert (found.width, found.height) == pytest.approx((20, 40), abs=1e-3)
    assert found.angle == pytest.approx(30, abs=1e-3)


def test_four_points_that_are_no_rectangle_stay_just_those_points(tmp_path: Path) -> None:
    text = "2753 2408 2861 2385 2888 2468 2805 2502 plane 0\n"
    path = put(tmp_path / "P1.txt", text)
    quad = Polygon((((2753, 2408, 2861, 2385, 2888, 2468, 2805, 2502),),))
    assert values(path) == [quad]
    report = lc.convert(path, tmp_path / "out", from_="dota", to="dota")
    assert report.ledger.annotations.kept == 1
    again = (tmp_path / "out" / "labelTxt" / "P1.txt").read_text(encoding="utf-8")
    assert again == "2753.0 2408.0 2861.0 2385.0 2888.0 2468.0 2805.0 2502.0 plane 0\n"


@pytest.mark.parametrize("angle", [-180.0, -90.0, -30.0, 0.0, 30.0, 45.0, 90.0, 135.0])
def test_a_rotated_box_on_a_picture_that_is_no_square_comes_back_corner_by_corner(
    angle: float, tmp_path: Path
) -> None:
    box = OrientedBox(30, 12.5, 20, 8, angle)
    written(tmp_path, one(box))
    (found,) = values(tmp_path / "out")
    assert geometry.corners(found) == pytest.approx(geometry.corners(box), abs=1e-9)


def test_corners_the_other_way_round_are_the_same_rectangle(tmp_path: Path) -> None:
    path = put(tmp_path / "P1.txt", "10 20 10 40 50 40 50 20 ship 0\n")
    assert values(path) == [OrientedBox(30, 30, 40, 20, 0)]


def test_a_box_is_written_as_its_corners_without_any_loss(tmp_path: Path) -> None:
    report = Report()
    text = written(tmp_path, one(Box(1, 2, 3.5, 4)), report=report)
    assert text == {"1.txt": "imagename:1.png\n1.0 2.0 3.5 2.0 3.5 4.0 1.0 4.0 ship 0\n"}
    assert report.counts["L413"] == 1
    assert report.ledger.annotations.changed == 1
    assert values(tmp_path / "out") == [OrientedBox(2.25, 3, 2.5, 2, 0)]


def test_other_shapes_become_the_smallest_rotated_box_with_the_loss_measured(
    tmp_path: Path,
) -> None:
    triangle = Polygon((((0, 0, 20, 0, 0, 20),),))
    mask = Mask((30, 60), (0, 3, 27, 1, 1769))
    skeleton = Keypoints((Keypoint("a", 1, 1), Keypoint("b", 5, 4)))
    sample = Sample(
        "1.png",
        Image(60, 30),
        tuple(Annotation(str(n), "a", v) for n, v in enumerate((triangle, mask, skeleton))),
    )
    report = Report()
    written(tmp_path, sample, report=report, allow=["loss"])
    assert report.counts["L402"] == 3
    assert report.measures["L402"].worst == pytest.approx(0.5, abs=0.05)
    assert report.ledger.annotations.lost == 3
    found = values(tmp_path / "out")
    assert [type(each) for each in found] == [OrientedBox] * 3
    assert found[0].width * found[0].height == pytest.approx(400)
    assert found[2] == OrientedBox(3, 2.5, 4, 3, 0)


def test_a_rectangle_drawn_as_a_polygon_is_respelled_and_nothing_is_lost(tmp_path: Path) -> None:
    report = Report()
    written(tmp_path, one(Polygon((((5, 5, 15, 5, 15, 9, 5, 9),),))), report=report)
    assert report.losses == 0
    assert values(tmp_path / "out") == [OrientedBox(10, 7, 10, 4, 0)]


def test_the_names_of_pictures_come_back_with_their_folders_and_extensions(tmp_path: Path) -> None:
    keys = ["a/1.png", "b/1.jpg", "b/ü ☃.tif", "labelTxt/1.png", "plain"]
    files = written(tmp_path, *(Sample(key, Image(9, 9)) for key in keys))
    assert sorted(files) == ["a/1.txt", "b/1.txt", "b/ü ☃.txt", "labelTxt/1.txt", "plain.txt"]
    assert files["plain.txt"] == ""
    assert sorted(sample.key for sample in read(tmp_path / "out")[0]) == sorted(keys)
    tool = [line for text in files.values() for line in text.splitlines() if len(line.split()) > 8]
    assert tool == []  # DOTA_devkit takes lines of nine words for objects


def test_only_files_in_label_folders_are_read_where_there_are_such_folders(tmp_path: Path) -> None:
    line = "1 1 5 1 5 3 1 3 ship 0\n"
    for name in (
        "train/labelTxt-v1.5/labelTxt/P2.txt",
        "train/labelTxt-v1.5/labelTxt/P10.txt",
        "val/labelTxt/P2.txt",
        "train/meta/P2.txt",
        "notes.txt",
    ):
        put(tmp_path / name, line)
    keys = [sample.key for sample in read(tmp_path)[0]]
    assert keys == ["train/P2", "train/P10", "val/P2"]


def test_sizes_and_names_come_from_the_pictures_when_they_are_given(tmp_path: Path) -> None:
    from PIL import Image as Pictures

    (tmp_path / "images").mkdir()
    Pictures.new("L", (60, 30)).save(tmp_path / "images" / "P1.png")
    put(tmp_path / "labelTxt" / "P1.txt", "")
    samples, report = read(tmp_path / "labelTxt", media=tmp_path / "images")
    assert [(sample.key, sample.media) for sample in samples] == [("P1.png", Image(60, 30))]
    samples, report = read(tmp_path / "labelTxt")
    assert [(sample.key, sample.media) for sample in samples] == [("P1", Image())]
    assert report.counts == {"R116": 1}


def test_classes_with_blanks_are_spelled_so_that_they_stay_one_word(tmp_path: Path) -> None:
    sample = Sample("1.png", Image(9, 9), (Annotation("0", "small vehicle", Box(0, 0, 1, 1)),))
    report = Report()
    files = written(tmp_path, sample, report=report)
    assert files["1.txt"].split()[-2:] == ["small%20vehicle", "0"]
    assert report.counts["L420"] == 1


def test_the_header_is_written_back_and_counted_for_other_formats(tmp_path: Path) -> None:
    text = "imagesource:GoogleEarth\ngsd:0.146\n1.0 1.0 5.0 1.0 5.0 3.0 1.0 3.0 ship 2\n"
    path = put(tmp_path / "P1.txt", text)
    lc.convert(path, tmp_path / "out", from_="dota", to="dota")
    assert (tmp_path / "out" / "labelTxt" / "P1.txt").read_text(encoding="utf-8") == text
    report = lc.convert(path, tmp_path / "o.json", from_="dota", to="coco")
    told = {name: n for name, n in report.fields.items() if name.startswith("dota:")}
    assert told == {
        "dota:imagesource (of files)": 1,
        "dota:gsd (of files)": 1,
        "dota:difficult": 1,
    }


@pytest.mark.parametrize(
    ("line", "code", "column"),
    [
        ("1 2 3 4 5 6 7 8", "R101", None),
        ("1 2 3 4 5 6 7 8 ship 0 more", "R101", None),
        ("1 2 3 4 5 6 7 x ship 0", "R101", 15),
        ("  1 2 3 4 inf 6 7 8 ship 0", "R102", 11),
        ("1 1 1 1 1 1 1 2 ship 0", "M205", None),
    ],
)
def test_a_line_that_cannot_be_used_is_rejected_alone_with_its_place(
    line: str, code: str, column: int | None, tmp_path: Path
) -> None:
    path = put(tmp_path / "P1.txt", f"gsd:1\n{line}\n1 1 5 1 5 3 1 3 ship 0\n")
    samples, report = read(path)
    assert len(samples[0].annotations) == 1
    (rejected,) = report.take_rejected()
    assert (rejected.code, rejected.where.line, rejected.where.column) == (code, 2, column)
    assert rejected.record == line.encode()
    assert report.ledger.annotations.read == 2


def test_the_format_is_found_by_its_folders_and_by_its_lines(tmp_path: Path) -> None:
    path = put(tmp_path / "set" / "labelTxt" / "P1.txt", "gsd:1\n1 1 5 1 5 3 1 3 ship 0\n")
    deeper = put(tmp_path / "all" / "train" / "labelTxt" / "P1.txt", "").parents[2]
    for place in (path, tmp_path / "set", deeper):
        assert "dota" in lc.read(place).report.evidence[0]


# ------------------------------------------------------------------------------- oriented boxes


def test_the_smallest_box_around_points_on_a_line_has_no_height() -> None:
    found = oriented.smallest_around(Polygon((((0, 0, 10, 10, 5, 5),),)))
    assert found is not None
    assert (found.x, found.y, found.height) == (5, 5, 0)
    assert found.width == pytest.approx(200**0.5)
    assert found.angle == pytest.approx(45)


def test_the_smallest_box_around_a_turned_square_is_that_square() -> None:
    ring = geometry.corners(OrientedBox(30, 20, 10, 10, 33))
    found = oriented.smallest_around(Polygon(((ring,),)))
    assert found is not None
    assert found.width * found.height == pytest.approx(100)
    assert (found.x, found.y) == pytest.approx((30, 20))
    assert oriented.smallest_around(Mask((3, 3), (9,))) is None


def test_corners_are_a_rectangles_to_a_thousandth_of_a_pixel_and_no_further() -> None:
    exact = (0.0, 0.0, 40.0, 0.0, 40.0, 20.0, 0.0, 20.0)
    assert oriented.from_corners(exact) == OrientedBox(20, 10, 40, 20, 0)
    for off, rectangle in ((0.0005, True), (0.01, False)):
        moved = (exact[0] + off, *exact[1:])
        assert (oriented.from_corners(moved) is not None) is rectangle
    assert oriented.from_corners((0, 0, 1, 0, 1, 1)) is None
    assert oriented.from_corners((5, 5) * 4) == OrientedBox(5, 5, 0, 0, 0)


def test_bytes_that_are_no_utf8_and_header_fields_that_are_repeated_are_told(
    tmp_path: Path,
) -> None:
    text = b"gsd:1\nGSD:2\n1 1 5 1 5 3 1 3 caf\xe9 0\n"
    samples, report = read(put(tmp_path / "P1.txt", text))
    (annotation,) = samples[0].annotations
    assert annotation.category == "caf\\xe9"
    assert samples[0].extra == {"dota:gsd": "2"}
    told = {each.code: each.where for each in report.problems}
    assert told["R114"].line == 2
    assert told["R133"].path == str(tmp_path / "P1.txt")


def test_the_objects_of_a_picture_whose_key_is_taken_are_counted_as_rejected(
    tmp_path: Path,
) -> None:
    line = "1 1 5 1 5 3 1 3 ship 0\n"
    put(tmp_path / "a" / "labelTxt" / "1.txt", line)
    put(tmp_path / "b" / "labelTxt" / "1.txt", f"gsd:1\n\n{line}{line}")
    samples, report = read(tmp_path, key="{name}")
    assert [len(sample.annotations) for sample in samples] == [1]
    account = report.ledger.annotations
    assert (account.read, account.rejected) == (3, 2)
