"""What other tools get wrong (peers.md, section 4: 2, 8 to 16, 18 to 21), and ours does not."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
from PIL import Image as Pillow
from yolo_help import dataset, picture, put, read
from yolo_judge import take

import labelconv as lc
from labelconv import geometry
from labelconv.model import Box, OrientedBox

BOX = "0 0.5 0.5 0.2 0.2\n"


def coco(path: Path, images: list[dict[str, Any]], annotations: list[dict[str, Any]]) -> Path:
    """A COCO file with the category ids 0, 7 and 74673216."""
    categories = [
        {"id": 7, "name": "dog"},
        {"id": 0, "name": "cat"},
        {"id": 74673216, "name": "no"},
    ]
    return put(
        path,
        json.dumps({"images": images, "annotations": annotations, "categories": categories}),
    )


def image(id: int, name: str, width: int = 100, height: int = 50) -> dict[str, Any]:
    return {"id": id, "file_name": name, "width": width, "height": height}


def mark(id: int, image_id: int, category: int, **rest: Any) -> dict[str, Any]:
    return {
        "id": id,
        "image_id": image_id,
        "category_id": category,
        "bbox": [10, 10, 20, 20],
    } | rest


def test_category_ids_with_gaps_0_and_huge_ones_become_dense_numbers_by_name(
    tmp_path: Path,
) -> None:
    marks = [mark(1, 1, 0), mark(2, 1, 7), mark(3, 1, 74673216)]
    source = coco(tmp_path / "in.json", [image(1, "1.png")], marks)
    lc.convert(source, tmp_path / "out", to="yolo")
    rows = (tmp_path / "out" / "labels" / "1.txt").read_text().splitlines()
    assert [row.split()[0] for row in rows] == ["1", "0", "2"]
    back = read(tmp_path / "out").one
    assert [each.category for each in back.annotations] == ["cat", "dog", "no"]


def test_a_mapping_of_names_counts_by_its_keys_and_not_by_its_order(tmp_path: Path) -> None:
    found = read(dataset(tmp_path, {"1": BOX}, yaml="names: {1: cat, 0: dog}\n"))
    assert found.one.annotations[0].category == "dog"


def test_an_instance_as_run_lengths_is_written_though_it_is_no_crowd(tmp_path: Path) -> None:
    shape = {"size": [50, 100], "counts": [500, 20, 4480]}
    marks = [mark(1, 1, 0, iscrowd=0, segmentation=shape, area=20)]
    source = coco(tmp_path / "in.json", [image(1, "1.png")], marks)
    report = lc.convert(source, tmp_path / "out", to="yolo", allow=["loss"])
    row = (tmp_path / "out" / "labels" / "1.txt").read_text().split()
    assert row[0] == "1"
    assert len(row) == 9
    assert report.ledger.annotations.changed == 1


@pytest.mark.parametrize("size", [(200, 50), (50, 200), (100, 100)])
def test_a_rotated_box_keeps_its_angle_in_a_picture_that_is_not_square(
    size: tuple[int, int], tmp_path: Path
) -> None:
    width, height = size
    box = OrientedBox(width / 2, height / 2, 20, 8, 37)
    ring = geometry.corners(box)
    row = " ".join(f"{n / (width, height)[at % 2]:.8f}" for at, n in enumerate(ring))
    source = dataset(tmp_path / "in", {"1": f"0 {row}"}, size=size)
    lc.convert(source, tmp_path / "out", to="yolo", media=source)
    for folder in (source, tmp_path / "out"):
        (found,) = read(folder).values
        assert isinstance(found, OrientedBox)
        assert (found.width, found.height, found.angle) == pytest.approx((20, 8, 37), abs=1e-4)
    ours = take(tmp_path / "out", "obb")[1]["train"]["1.png"].segments[0] * size
    edge = ours[1] - ours[0]
    assert math.degrees(math.atan2(edge[1], edge[0])) == pytest.approx(37, abs=1e-3)


def test_one_name_in_several_folders_stays_several_pictures(tmp_path: Path) -> None:
    names = ["a/1.jpg", "b/1.jpg", "a/1.png"]
    images = [image(number, name) for number, name in enumerate(names)]
    marks = [mark(number, number, 0, bbox=[number, 0, 20, 20]) for number in range(3)]
    source = coco(tmp_path / "in.json", images, marks)
    report = lc.convert(source, tmp_path / "out", to="yolo")
    labels = sorted((tmp_path / "out" / "labels").rglob("*.txt"))
    assert len(labels) == 3
    assert report.counts["K606"] == 1  # a/1.png would share its labels with a/1.jpg
    back = read(tmp_path / "out").samples
    assert [sample.annotations[0].value.x0 for sample in back.values()] == [
        pytest.approx(0),
        pytest.approx(1),
        pytest.approx(2),
    ]
    assert list(back)[:2] == ["a/1.jpg", "b/1.jpg"]


def test_negatives_stay_through_every_conversion(tmp_path: Path) -> None:
    source = dataset(tmp_path / "in", {"1": None, "2": "", "3": BOX})
    for number in range(2):
        target = tmp_path / f"out{number}"
        lc.convert(source, target, to="yolo")
        assert len(read(target).samples) == 3
        source = target


def test_a_size_that_a_coco_file_does_not_say_is_rejected_and_never_0(tmp_path: Path) -> None:
    images = [
        {"id": 1, "file_name": "1.png", "width": None},
        image(2, "2.png"),
    ]
    source = coco(tmp_path / "in.json", images, [mark(1, 1, 0), mark(2, 2, 0)])
    report = lc.convert(source, tmp_path / "out", to="yolo")
    assert report.counts["L419"] == 1
    assert list(read(tmp_path / "out").samples) == ["2.png"]


def test_sizes_of_turned_pictures_are_never_mixed_with_stored_ones(tmp_path: Path) -> None:
    data = dataset(tmp_path / "in", {})
    exif = Pillow.Exif()
    exif[0x0112] = 8
    (data / "images" / "train").mkdir(parents=True)
    Pillow.new("RGB", (40, 20)).save(data / "images" / "train" / "1.jpg", exif=exif)
    put(data / "labels" / "train" / "1.txt", "0 0.25 0.75 0.5 0.5")
    lc.convert(data, tmp_path / "out", to="yolo", media=data)
    _, splits = take(tmp_path / "out", "detect")
    assert splits["train"]["1.jpg"].boxes[0] == pytest.approx([0.25, 0.75, 0.5, 0.5])
    assert (tmp_path / "out" / "sizes.csv").read_text().splitlines()[1].endswith(",20,40")


def test_digits_do_not_wear_off_from_one_conversion_to_the_next(tmp_path: Path) -> None:
    row = "0 0.123456789 0.987654321 0.012345678 0.001234567\n"
    source = dataset(tmp_path / "0", {"1": row}, size=(7680, 4320))
    first = read(source).values[0]
    for number in range(5):
        target = tmp_path / str(number + 1)
        lc.convert(source, target, to="yolo")
        source = target
    last = read(source).values[0]
    for before, after in zip(
        (first.x0, first.y0, first.x1, first.y1), (last.x0, last.y0, last.x1, last.y1), strict=True
    ):
        assert after == pytest.approx(before, abs=1e-5)


def test_numbers_of_six_significant_digits_are_off_by_less_than_their_own_rounding(
    tmp_path: Path,
) -> None:
    row = f"0 {0.1234567891:g} {0.5:g} {0.0123456789:g} {0.25:g}\n"
    found = read(dataset(tmp_path, {"1": row}, size=(8192, 8192)))
    assert found.values[0].x0 == pytest.approx((0.1234567891 - 0.0123456789 / 2) * 8192, abs=0.005)


def test_a_box_of_no_size_is_kept(tmp_path: Path) -> None:
    found = read(dataset(tmp_path, {"1": "0 0.5 0.5 0 0\n"}))
    assert found.values == [Box(50, 50, 50, 50)]


def test_paths_of_another_system_and_a_folder_of_macos_do_no_harm(tmp_path: Path) -> None:
    picture(tmp_path / "images" / "é ü" / "1.png")
    put(tmp_path / "labels" / "é ü" / "1.txt", BOX)
    put(tmp_path / "train.txt", ".\\images\\é ü\\1.png\r\n")
    put(tmp_path / "data.yaml", "train: train.txt\nnames: [cat]\n")
    put(tmp_path / "__MACOSX" / "labels" / "._1.txt", b"\x00")
    found = read(tmp_path)
    assert list(found.samples) == ["é ü/1.png"]
    assert len(found.values) == 1


def test_class_numbers_stay_where_only_some_classes_occur(tmp_path: Path) -> None:
    source = dataset(tmp_path / "in", {"1": "2 0.5 0.5 0.2 0.2\n"})
    lc.convert(source, tmp_path / "out", to="yolo")
    assert (tmp_path / "out" / "labels" / "train" / "1.txt").read_text().startswith("2 ")


def test_renaming_merges_and_unknown_names_are_told(tmp_path: Path) -> None:
    source = dataset(tmp_path / "in", {"1": BOX + "1 0.3 0.3 0.2 0.2\n"})
    report = lc.convert(
        source, tmp_path / "out", to="yolo", rename={"cat": "animal", "dog": "animal", "cta": "x"}
    )
    assert {each.category for each in read(tmp_path / "out").one.annotations} == {"animal"}
    assert report.counts["O308"] == 1
