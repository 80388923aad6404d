"""Cases 15 to 26 of source-formats.md, section D, with their numbers."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image as Pillow
from yolo_help import NAMES, dataset, picture, put, read

from labelconv import geometry
from labelconv.formats.yolo.paths import label_path
from labelconv.model import Box, Keypoints, OrientedBox, Polygon, Radio

CLASSES = "names: {0: a, 1: b, 2: c, 3: d, 4: e}\n"


def near(box: Box) -> list[object]:
    return [pytest.approx(edge, abs=1e-6) for edge in (box.x0, box.y0, box.x1, box.y1)]


def test_case_15_float_dust_at_the_border_is_removed_without_a_word(tmp_path: Path) -> None:
    rows = "2 0.133333 0.300000 0.266667 0.200000\n4 0.266667 0.450000 0.133333 0.300000\n"
    found = read(dataset(tmp_path, {"1": rows}, yaml=CLASSES, size=(15, 10)))
    first, second = found.values
    assert near(first) == [0.0, 2.0, 3.9999975, 4.0]
    assert first.x0 == 0.0
    assert near(second) == [3.0000075, 3.0, 3.0000075 + 1.999995, 6.0]
    assert not found.told("L422")


def test_case_16_a_byte_order_mark_and_carriage_returns_are_read_over(tmp_path: Path) -> None:
    found = read(dataset(tmp_path, {"1": b"\xef\xbb\xbf0 0.5 0.5 0.2 0.2\r\n\r\n"}))
    assert near(found.values[0]) == [40, 40, 60, 60]
    assert len(found.told("R107")) == 1


def test_case_17_missing_empty_and_blank_label_files_are_negatives(tmp_path: Path) -> None:
    found = read(dataset(tmp_path, {"1": None, "2": "", "3": " \r\n\n\t\n"}))
    assert list(found.samples) == ["train/1.png", "train/2.png", "train/3.png"]
    assert all(not sample.annotations for sample in found.samples.values())
    assert found.report.errors == 0


def test_case_18_a_box_is_cut_within_a_hundredth_and_rejected_beyond(tmp_path: Path) -> None:
    rows = "0 0.5 0.5 1.005 1.0\n0 0.5 0.5 1.2 1\n"
    found = read(dataset(tmp_path, {"1": rows}, size=(200, 100)))
    assert found.values == [Box(0, 0, 200, 100)]
    (clipped,) = found.told("L422")
    assert (clipped.where.line, found.report.measures["L422"].worst) == (1, pytest.approx(0.5))
    (rejected,) = found.told("R101")
    assert (rejected.where.line, rejected.where.column) == (2, 11)
    assert (found.report.take_rejected()[0].record) == b"0 0.5 0.5 1.2 1"


@pytest.mark.parametrize(
    ("row", "confidence", "track"),
    [
        ("0 0.5 0.5 0.2 0.2 0.87", 0.87, None),
        ("0 0.5 0.5 0.2 0.2 3", None, 3),
        ("0 0.5 0.5 0.2 0.2 0.87 3", 0.87, 3),
    ],
)
def test_case_19_columns_behind_a_box_are_told_apart(
    row: str, confidence: float | None, track: int | None, tmp_path: Path
) -> None:
    found = read(dataset(tmp_path, {"1": row}))
    (annotation,) = found.one.annotations
    assert annotation.confidence == confidence
    assert annotation.extra.get("yolo:track") == track
    assert near(annotation.value) == [40, 40, 60, 60]
    assert found.guesses()[0] == "task=detect"


def test_case_19_the_same_seven_numbers_are_a_triangle_when_the_task_says_so(
    tmp_path: Path,
) -> None:
    data = dataset(tmp_path, {"1": "0 0.5 0.5 0.2 0.2 0.87 0.3"})
    assert read(data, task="segment").values == [
        Polygon(((pytest.approx((50, 50, 20, 20, 87, 30)),),))
    ]


def test_case_20_a_line_of_a_classifier_has_its_confidence_first(tmp_path: Path) -> None:
    put(tmp_path / "labels" / "1.txt", "0.93 tabby cat\n0.05 dog\n0.02 cat\n")
    found = read(tmp_path / "labels", task="classify")
    (answer,) = found.one.classifications
    assert answer.answer == Radio("tabby cat", (), 0.93)
    assert found.report.fields == {"yolo:classes of lower confidence": 2}


def test_case_21_corners_become_a_rotated_box_with_its_sides_and_angle(tmp_path: Path) -> None:
    row = "2 0.146731 0.151795 0.319936 0.301795 0.186603 0.648205 0.013397 0.498205"
    found = read(dataset(tmp_path, {"1": row}, yaml=CLASSES, size=(15, 10)))
    (box,) = found.values
    assert isinstance(box, OrientedBox)
    assert (box.width, box.height, box.angle) == (
        pytest.approx(3.0, abs=1e-4),
        pytest.approx(4.0, abs=1e-4),
        pytest.approx(30.0, abs=1e-4),
    )
    corners = (2.200965, 1.51795, 4.79904, 3.01795, 2.799045, 6.48205, 0.200955, 4.98205)
    assert geometry.corners(box) == pytest.approx(corners, abs=2e-5)
    around = geometry.bounds(box)
    assert around is not None
    assert near(around) == [
        pytest.approx(edge, abs=2e-5) for edge in (0.200955, 1.51795, 4.79904, 6.48205)
    ]


def test_case_22_a_corner_just_outside_is_kept_and_noted(tmp_path: Path) -> None:
    row = "4 0.557735 0.090192 0.357735 0.609808 0.242265 0.509808 0.442265 -0.009808"
    found = read(dataset(tmp_path, {"1": row}, yaml=CLASSES, size=(15, 10)))
    (box,) = found.values
    assert isinstance(box, OrientedBox)
    assert geometry.corners(box)[7] == pytest.approx(-0.09808, abs=1e-4)
    (note,) = found.told("M203")
    assert note.severity == "note"


def test_case_23_labels_of_a_turned_jpeg_are_on_the_upright_picture(tmp_path: Path) -> None:
    data = dataset(tmp_path, {})
    turned = Pillow.Exif()
    turned[0x0112] = 6
    put(data / "labels" / "train" / "1.txt", "0 0.5 0.25 0.5 0.5")
    (data / "images" / "train").mkdir(parents=True)
    Pillow.new("RGB", (40, 20)).save(data / "images" / "train" / "1.jpg", exif=turned)
    found = read(data)
    assert found.values == [Box(5, 0, 15, 20)]
    assert (found.one.media.width, found.one.media.height) == (20, 40)
    assert [problem.code for problem in found.told("R125")] == ["R125"]
    ignored = read(data, exif="ignore")
    assert ignored.values == [Box(10, 0, 30, 10)]
    assert not ignored.told("R125")


def test_case_24_the_last_folder_of_images_becomes_that_of_labels() -> None:
    given = "/data/images/train/images/a.b.jpg"
    assert label_path(given) == "/data/images/train/labels/a.b.txt"
    assert label_path("/data/pictures/a.JPG") == "/data/pictures/a.txt"
    assert label_path("images/a.jpg") == "labels/a.txt"
    assert label_path("myimages/a.jpg") == "myimages/a.txt"


def test_case_25_names_are_texts_whatever_yaml_takes_them_for(tmp_path: Path) -> None:
    rows = "".join(f"{number} 0.5 0.5 0.2 0.2\n" for number in range(9))
    names = "names: [yes, no, 007, 1_000, ~, on, 1.0, 2024-01-01, 'a: b']\n"
    found = read(dataset(tmp_path, {"1": rows}, yaml=names))
    assert [annotation.category for annotation in found.one.annotations] == [
        "yes",
        "no",
        "007",
        "1_000",
        "~",
        "on",
        "1.0",
        "2024-01-01",
        "a: b",
    ]


def test_case_26_poses_of_two_numbers_a_point_are_read(tmp_path: Path) -> None:
    row = "0 0.133333 0.3 0.266667 0.2 0.1 0.2 0.3 0.4 0.5 0.6"
    yaml = f"kpt_shape: [3, 2]\n{NAMES}"
    found = read(dataset(tmp_path, {"1": row}, yaml=yaml, size=(15, 10)))
    (skeleton,) = found.values
    assert isinstance(skeleton, Keypoints)
    points = [(point.x, point.y) for point in skeleton.points]
    assert points == [pytest.approx(at) for at in ((1.5, 2), (4.5, 4), (7.5, 6))]
    assert all(point.visible for point in skeleton.points)


def test_a_picture_whose_size_cannot_be_had_rejects_its_sample_with_its_rows(
    tmp_path: Path,
) -> None:
    data = dataset(tmp_path, {"1": "0 0.5 0.5 0.2 0.2\n1 0.5 0.5 0.2 0.2\n", "2": ""})
    put(data / "images" / "train" / "1.png", b"cut off")
    found = read(data)
    assert list(found.samples) == ["train/2.png"]
    assert [problem.code for problem in found.report.problems if problem.severity == "error"] == [
        "R124"
    ]
    assert found.report.ledger.samples.rejected == 1
    assert found.report.ledger.annotations.rejected == 2


REAL = Path(__file__).parents[3] / "shared" / "data" / "yolo"


@pytest.mark.skipif(not REAL.is_dir(), reason="real data are not here")
@pytest.mark.parametrize(
    ("folder", "kinds"),
    [
        ("yolov8_detection", [Box, Box]),
        ("yolov8_oriented_boxes", [OrientedBox, OrientedBox]),
        ("yolov8_pose", [Keypoints]),
        ("yolov8_segmentation", [Polygon, Polygon]),
    ],
)
def test_real_datasets_of_each_task_are_recognised(folder: str, kinds: list[type]) -> None:
    found = read(REAL / folder)
    assert [type(value) for value in found.values] == kinds
    assert found.report.errors == 0
    assert read(REAL / folder / "data.yaml").values == found.values


def test_ten_thousand_rows_keep_their_line_numbers(tmp_path: Path) -> None:
    rows = "0 0.5 0.5 0.2 0.2\n" * 9_999 + "9 0.5 0.5 0.2 0.2\n"
    picture(tmp_path / "images" / "train" / "1.png")
    found = read(dataset(tmp_path, {"1": rows}))
    assert found.one.annotations[-1].id == "9999"
    (rejected,) = found.told("R103")
    assert (rejected.where.line, rejected.where.column) == (10_000, 1)
