"""What is written: the folder, its rows, its names; and that ultralytics' own rules take it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from yolo_help import NAMES, dataset, picture, put, read
from yolo_judge import Refused, description, take, verify

import labelconv as lc
from labelconv.errors import LossError, TargetError
from labelconv.model import (
    Annotation,
    Box,
    Category,
    Classification,
    Image,
    Keypoint,
    Keypoints,
    Mask,
    Ontology,
    OrientedBox,
    Polygon,
    Radio,
    Sample,
    Samples,
)

SQUARE = (10.0, 10.0, 30.0, 10.0, 30.0, 30.0, 10.0, 30.0)
HOLE = (15.0, 15.0, 25.0, 15.0, 25.0, 25.0, 15.0, 25.0)
FAR = (40.0, 10.0, 50.0, 10.0, 45.0, 30.0)
SIZE = (64, 48)


def sample(*values: Any, key: str = "1.png", category: str = "cat", **rest: Any) -> Sample:
    annotations = tuple(
        Annotation(str(number), category, value) for number, value in enumerate(values)
    )
    return Sample(key, Image(*map(float, SIZE)), annotations, **rest)


def ontology(*names: str) -> Ontology:
    return Ontology(categories=tuple(Category(name=name) for name in names))


def write(
    tmp_path: Path,
    *samples: Sample,
    names: Ontology | None = None,
    allow: tuple[str, ...] = (),
    **options: Any,
) -> tuple[Path, Any]:
    """Written with pictures at hand, so that the judge can look at it."""
    for each in samples:
        picture(tmp_path / "photos" / each.key, SIZE)
    target = tmp_path / "out"
    data = Samples(samples, names or ontology("cat", "dog"))
    report = lc.write(
        data,
        target,
        "yolo",
        options={"media": str(tmp_path / "photos"), **options},
        allow=allow,
    )
    return target, report


def rows(target: Path, key: str = "1") -> list[str]:
    return (target / "labels" / f"{key}.txt").read_text().splitlines()


# ------------------------------------------------------------------------------------ judge


TURNED = OrientedBox(30, 20, 20, 10, 30)
POSE = Keypoints(
    (Keypoint("nose", 16, 12), Keypoint("tail", 32, 24, visible=False)), Box(8, 6, 40, 30)
)


@pytest.mark.parametrize(
    ("value", "task"),
    [
        (Box(10, 10, 30, 30), "detect"),
        (Polygon(((SQUARE,),)), "segment"),
        (Polygon(((SQUARE, HOLE), (FAR,))), "segment"),
        (Mask(SIZE[::-1], (50, 10, 38, 10, 2964)), "segment"),
        (TURNED, "obb"),
        (POSE, "pose"),
    ],
)
def test_the_rules_of_ultralytics_take_what_is_written(
    value: Any, task: str, tmp_path: Path
) -> None:
    points = Ontology(categories=(Category(name="cat", keypoints=("nose", "tail")),))
    target, _ = write(
        tmp_path,
        sample(value, value),
        sample(key="2.png"),
        names=points if task == "pose" else None,
    )
    names, splits = take(target, task)
    assert names[0] == "cat"
    assert list(splits) == ["train", "val"]
    assert list(splits["train"]) == ["1.png", "2.png"]
    assert len(splits["train"]["1.png"].classes) == 2
    assert len(splits["train"]["2.png"].classes) == 0
    assert yaml.safe_load((target / "data.yaml").read_text())["task"] == task


def test_the_judge_sees_the_same_boxes(tmp_path: Path) -> None:
    target, _ = write(tmp_path, sample(Box(16, 12, 32, 36)))
    _, splits = take(target, "detect")
    assert splits["train"]["1.png"].boxes[0] == pytest.approx([0.375, 0.5, 0.25, 0.5])


def test_the_judge_sees_the_same_corners_and_points(tmp_path: Path) -> None:
    target, _ = write(tmp_path, sample(TURNED))
    ring = take(target, "obb")[1]["train"]["1.png"].segments[0] * SIZE
    sides = [float(np.hypot(*(ring[(at + 1) % 4] - ring[at]))) for at in range(4)]
    assert sides == pytest.approx([20, 10, 20, 10], abs=1e-4)
    edge = ring[1] - ring[0]
    assert np.degrees(np.arctan2(edge[1], edge[0])) == pytest.approx(30, abs=1e-4)


def test_poses_have_their_visibility_and_those_without_points_are_zeros(tmp_path: Path) -> None:
    points = Ontology(categories=(Category(name="cat", keypoints=("nose", "ear", "tail")),))
    target, _ = write(tmp_path, sample(POSE, Box(0, 0, 64, 48)), names=points)
    found = take(target, "pose")[1]["train"]["1.png"].keypoints
    assert found[0].tolist() == [[0.25, 0.25, 2], [0, 0, 0], [0.5, 0.5, 1]]
    assert found[1].tolist() == [[0, 0, 0]] * 3


def test_the_judge_refuses_what_the_loader_refuses(tmp_path: Path) -> None:
    said = {"names": {0: "cat"}, "kpt_shape": None}
    good = picture(tmp_path / "images" / "1.png")
    for text in (
        "0 0.5 0.5 0.2 0.2 0.9",
        "0 0.5 0.5 0.2 0.2\n0 0.1 0.1 0.2 0.2 0.3 0.1",
        "1 0.5 0.5 0.2 0.2",
        "0 0.5 1.02 0.2 0.2",
        "0 0.5 0.5 -0.005 0.2",
        "0.5 0.5 0.5 0.2 0.2",
    ):
        put(tmp_path / "labels" / "1.txt", text)
        with pytest.raises(Refused):
            verify(str(good), said, "detect")
    with pytest.raises(Refused):
        description(put(tmp_path / "data.yaml", "train: images\nnames: [a]\n"))


# ------------------------------------------------------------------------------------ rows


def test_numbers_are_fixed_point_with_the_digits_that_the_size_needs(tmp_path: Path) -> None:
    tiny = sample(Box(0, 0, 1e-4, 1e-4))
    large = Sample("2.png", Image(40_000.0, 100.0), (Annotation("0", "dog", Box(0, 0, 1, 1)),))
    target, _ = write(tmp_path, tiny, large)
    assert rows(target) == ["0 0.000000781 0.000001042 0.000001563 0.000002083"]
    assert rows(target, "2") == ["1 0.0000125000 0.0050000000 0.0000250000 0.0100000000"]


def test_shapes_at_the_border_are_cut_with_their_measure(tmp_path: Path) -> None:
    target, report = write(
        tmp_path, sample(Box(-0.5, 0, 64, 48), Box(-30, 0, 64, 48)), allow=("loss",)
    )
    assert report.counts["L422"] == 1
    assert report.counts["L423"] == 1
    assert report.measures["L423"].worst == 30
    assert rows(target)[0].split()[1:] == [
        "0.500000000",
        "0.500000000",
        "1.000000000",
        "1.000000000",
    ]


def test_confidence_is_written_when_asked_and_a_loss_when_not(tmp_path: Path) -> None:
    annotations = (
        Annotation("0", "cat", Box(16, 12, 32, 36), (), 0.875),
        Annotation("1", "cat", Box(16, 12, 32, 36)),
        Annotation("2", "cat", Box(16, 12, 32, 36), (), 1e-7),
    )
    one = Sample("1.png", Image(64.0, 48.0), annotations)
    with pytest.raises(LossError, match="L405"):
        write(tmp_path / "a", one)
    target, _ = write(tmp_path / "b", one, confidence=True)
    assert [row.split()[5:] for row in rows(target)] == [["0.875"], [], ["0.00000010000000000000"]]
    assert [a.confidence for a in read(target).one.annotations] == [0.875, None, 1e-7]


def test_a_keypoint_that_no_ontology_lists_widens_all_rows(tmp_path: Path) -> None:
    first = sample(Keypoints((Keypoint("nose", 1, 1),), Box(0, 0, 2, 2)))
    second = sample(
        Keypoints((Keypoint("ear", 3, 3), Keypoint("nose", 1, 1)), Box(0, 0, 4, 4)), key="2.png"
    )
    names = Ontology(categories=(Category(name="cat", keypoints=("nose",)),))
    target, _ = write(tmp_path, first, second, names=names)
    found = take(target, "pose")[1]["train"]
    assert found["1.png"].keypoints.shape == found["2.png"].keypoints.shape == (1, 2, 3)
    back = read(target).samples
    assert [p.name for p in back["2.png"].annotations[0].value.points] == ["nose", "ear"]


# ------------------------------------------------------------------------ parts and holes


def test_parts_and_holes_are_joined_to_one_outline_that_covers_the_same(tmp_path: Path) -> None:
    target, report = write(tmp_path, sample(Polygon(((SQUARE, HOLE), (FAR,)))))
    assert len(rows(target)) == 1
    assert report.measures["L413"].worst == pytest.approx(1.0)
    assert report.ledger.annotations.changed == 1
    ring = np.array(rows(target)[0].split()[1:], float).reshape(-1, 2) * SIZE
    x, y = ring.T
    area = abs(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))) / 2
    assert area == pytest.approx(400 - 100 + 100, abs=1e-4)


def test_overlapping_parts_are_joined_as_their_union(tmp_path: Path) -> None:
    shifted = tuple(number + 10 for number in SQUARE)
    _, report = write(tmp_path, sample(Polygon(((SQUARE,), (shifted,)))))
    assert report.measures["L413"].worst == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("options", "lines", "code", "iou"),
    [
        ({"parts": "split"}, 2, "L411", None),
        ({"parts": "largest"}, 1, "L404", 0.8),
        ({"holes": "fill", "parts": "split"}, 2, "L411", None),
    ],
)
def test_other_policies_of_parts_say_what_they_cost(
    options: dict[str, Any], lines: int, code: str, iou: float | None, tmp_path: Path
) -> None:
    value = Polygon(((SQUARE,), (FAR,)))
    target, report = write(tmp_path, sample(value), allow=("loss",), **options)
    assert len(rows(target)) == lines
    assert report.counts[code] == 1
    if iou is not None:
        assert report.measures[code].worst == pytest.approx(iou)


def test_filled_holes_are_a_measured_loss(tmp_path: Path) -> None:
    value = Polygon(((SQUARE, HOLE),))
    with pytest.raises(LossError, match="L403"):
        write(tmp_path / "a", sample(value), holes="fill")
    _, report = write(tmp_path / "b", sample(value), holes="fill", allow=("L403",))
    assert report.measures["L403"].worst == pytest.approx(0.75)


# --------------------------------------------------------------------------------- names


AWKWARD = ["no", "007", "1.0", "~", "null", "a: b", "# x", "- x", "'q'", '"q"', "a, b", "ö é 猫"]
AWKWARD += ["yes", "on", "0x10", "1e3", "2024-01-01", "[x]", "{x}", "*x", "&x", "!x", "%x", "@x"]
AWKWARD += ["NaN", ".inf", "=", "<<", "traffic light", "a\\b", "\U0001f600", "x" * 200, "12:30:45"]


def test_names_come_back_from_any_yaml_parser_as_they_were(tmp_path: Path) -> None:
    target, _ = write(tmp_path, sample(), names=ontology(*AWKWARD))
    said = yaml.safe_load((target / "data.yaml").read_text(encoding="utf-8"))
    assert said["names"] == dict(enumerate(AWKWARD))
    assert said["nc"] == len(AWKWARD)
    described = lc.read(target, "yolo").ontology
    assert [category.name for category in described.categories] == AWKWARD


def test_classes_have_the_order_of_the_ontology_in_every_split(tmp_path: Path) -> None:
    names = ontology("zebra", "ant", "cat", "dog")
    one = sample(Box(0, 0, 5, 5), category="dog", extra={"yolo:split": "val"})
    two = sample(Box(0, 0, 5, 5), category="ant", key="2.png")
    target, _ = write(tmp_path, one, two, names=names)
    assert [rows(target)[0][0], rows(target, "2")[0][0]] == ["3", "1"]
    assert take(target, "detect")[0] == {0: "zebra", 1: "ant", 2: "cat", 3: "dog"}


def test_a_class_that_the_ontology_does_not_list_comes_last(tmp_path: Path) -> None:
    target, _ = write(tmp_path, sample(Box(0, 0, 5, 5), category="new"))
    assert take(target, "detect")[0] == {0: "cat", 1: "dog", 2: "new"}
    assert rows(target)[0][0] == "2"


# ----------------------------------------------------------------------- splits and pictures


def test_splits_are_kept_and_the_rest_goes_where_the_option_says(tmp_path: Path) -> None:
    samples = (
        sample(key="a/1.png", extra={"yolo:split": "train"}),
        sample(key="b/1.png", extra={"yolo:split": "val"}),
        sample(key="c/1.png"),
    )
    target, _ = write(tmp_path, *samples, split="test")
    assert (target / "train.txt").read_text() == "./images/a/1.png\n"
    splits = take(target, "detect")[1]
    assert {name: len(listed) for name, listed in splits.items()} == {
        "train": 1,
        "val": 1,
        "test": 1,
    }
    back = read(target).samples
    assert {key: each.extra["yolo:split"] for key, each in back.items()} == {
        "a/1.png": "train",
        "b/1.png": "val",
        "c/1.png": "test",
    }


def test_a_split_whose_name_means_something_else_in_data_yaml_gets_another(
    tmp_path: Path,
) -> None:
    target, _ = write(tmp_path, sample(extra={"yolo:split": "names"}))
    assert (target / "split_names.txt").exists()
    assert len(read(target).samples) == 1


@pytest.mark.parametrize("images", ["link", "copy", "auto"])
def test_pictures_are_linked_or_copied(images: str, tmp_path: Path) -> None:
    target, _ = write(tmp_path, sample(key="a/1.png"), images=images)
    placed = target / "images" / "a" / "1.png"
    assert placed.is_symlink() == (images != "copy")
    assert placed.read_bytes() == (tmp_path / "photos" / "a" / "1.png").read_bytes()


def test_pictures_are_only_listed_without_a_folder_of_them(tmp_path: Path) -> None:
    target = tmp_path / "out"
    lc.write(Samples([sample(Box(0, 0, 5, 5))], ontology("cat")), target, "yolo")
    assert sorted(path.name for path in target.iterdir()) == [
        "data.yaml",
        "labels",
        "sizes.csv",
        "train.txt",
    ]
    assert (target / "sizes.csv").read_text() == "name,width,height\nimages/1.png,64,48\n"
    assert read(target).values == [Box(0, 0, pytest.approx(5), pytest.approx(5))]


def test_a_picture_that_is_not_found_is_an_error_and_its_labels_are_written(
    tmp_path: Path,
) -> None:
    one = sample(Box(0, 0, 5, 5))
    data = Samples([one], ontology("cat"))
    (tmp_path / "empty").mkdir()
    report = lc.write(
        data, tmp_path / "out", "yolo", options={"media": str(tmp_path / "empty"), "images": "link"}
    )
    assert report.counts == {"R122": 1, "R113": 1}
    assert len(rows(tmp_path / "out")) == 1


def test_a_key_without_an_extension_gets_that_of_its_picture_and_comes_back(
    tmp_path: Path,
) -> None:
    picture(tmp_path / "photos" / "a.b.JPG", SIZE)
    data = Samples([sample(Box(0, 0, 5, 5), key="a.b")], ontology("cat"))
    lc.write(data, tmp_path / "out", "yolo", options={"media": str(tmp_path / "photos")})
    assert (tmp_path / "out" / "images" / "a.JPG").is_symlink()
    found = read(tmp_path / "out")
    assert list(found.samples) == ["a.b"]
    assert len(found.values) == 1


def test_an_address_that_is_a_file_can_be_linked_without_a_folder(tmp_path: Path) -> None:
    at = picture(tmp_path / "somewhere" / "x.png", SIZE)
    data = Samples([sample(uri=str(at))], ontology("cat"))
    lc.write(data, tmp_path / "out", "yolo", options={"images": "copy"})
    assert (tmp_path / "out" / "images" / "1.png").read_bytes() == at.read_bytes()


def test_samples_without_a_size_are_rejected_with_a_sentence(tmp_path: Path) -> None:
    data = Samples([Sample("1.png", Image(), (Annotation("0", "cat", Box(0, 0, 1, 1)),))])
    report = lc.write(data, tmp_path / "out", "yolo")
    assert report.counts["L419"] == 1
    assert report.ledger.samples.rejected == 1


def test_keys_named_like_the_folders_come_back(tmp_path: Path) -> None:
    keys = ["images/1.png", "a/images/2.png", "labels/3.png", "a/labels/4.png", "images"]
    data = Samples([sample(Box(0, 0, 5, 5), key=key) for key in keys], ontology("cat"))
    lc.write(data, tmp_path / "out", "yolo")
    back = read(tmp_path / "out").samples
    assert sorted(back) == sorted(keys)
    assert all(len(each.annotations) == 1 for each in back.values())


# --------------------------------------------------------------------------- classification


def test_classes_of_whole_pictures_are_folders(tmp_path: Path) -> None:
    def answered(key: str, name: str, **rest: Any) -> Sample:
        answer = Classification("species", Radio(name, (), 0.5))
        return Sample(key, Image(64.0, 48.0), (), (answer,), **rest)

    target, report = write(
        tmp_path,
        answered("1.png", "tabby/cat"),
        answered("2.png", "dog", extra={"yolo:split": "val"}),
        Sample("3.png", Image(64.0, 48.0)),
        allow=("loss",),
        task="classify",
        confidence=True,
    )
    assert (target / "train" / "tabby%2Fcat" / "1.png").is_symlink()
    assert (target / "val" / "dog" / "2.png").is_symlink()
    assert report.counts["L414"] == 1
    back = read(target).samples
    assert {key: each.classifications[0].answer for key, each in back.items()} == {
        "1.png": Radio("tabby/cat", (), 0.5),
        "2.png": Radio("dog", (), 0.5),
    }


# --------------------------------------------------------------------------------- choosing


@pytest.mark.parametrize(
    ("values", "task"),
    [
        ([Box(0, 0, 5, 5)], "detect"),
        ([], "detect"),
        ([Box(0, 0, 5, 5), Polygon(((SQUARE,),))], "segment"),
        ([Mask(SIZE[::-1], (50, 10, 3012))], "segment"),
        ([Box(0, 0, 5, 5), TURNED], "obb"),
        ([TURNED, Polygon(((SQUARE,),))], "segment"),
        ([POSE, Polygon(((SQUARE,),))], "pose"),
    ],
)
def test_the_task_is_chosen_from_the_data_and_said(
    values: list[Any], task: str, tmp_path: Path
) -> None:
    target, report = write(tmp_path, sample(*values), allow=("loss",))
    assert yaml.safe_load((target / "data.yaml").read_text())["task"] == task
    (note,) = [problem for problem in report.problems if problem.code == "R113"]
    assert note.message.startswith(f"task={task}: ")


def test_what_was_read_as_yolo_is_written_the_same_again(tmp_path: Path) -> None:
    first = dataset(tmp_path / "first", {"1": "0 0.5 0.5 0.2 0.2\n2 0.3 0.3 0.1 0.1\n", "2": ""})
    lc.convert(first, tmp_path / "second", to="yolo")
    lc.convert(tmp_path / "second", tmp_path / "third", to="yolo")
    for path in (tmp_path / "second").rglob("*.*"):
        same = tmp_path / "third" / path.relative_to(tmp_path / "second")
        assert path.is_dir() or path.read_bytes() == same.read_bytes()
    assert read(tmp_path / "third").samples.keys() == read(first).samples.keys()


def test_exporting_twice_does_not_append(tmp_path: Path) -> None:
    source = dataset(tmp_path / "in", {"1": "0 0.5 0.5 0.2 0.2\n"}, yaml=NAMES)
    lc.convert(source, tmp_path / "out", to="yolo")
    with pytest.raises(TargetError):
        lc.convert(source, tmp_path / "out", to="yolo")
    assert len((tmp_path / "out" / "labels" / "train" / "1.txt").read_text().splitlines()) == 1
