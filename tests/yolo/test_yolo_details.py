"""Corners of the YOLO reader and writer that no other file goes to."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import yaml
from PIL import Image as Pillow
from yolo_help import NAMES, dataset, picture, put, read, read_without_extra

import labelconv as lc
from labelconv.errors import OptionError, SourceError
from labelconv.formats.yolo.deciding import content, count
from labelconv.io import Source
from labelconv.model import Box, Category, Image, Keypoints, Ontology, Sample, Samples

BOX = "0 0.5 0.5 0.2 0.2\n"


def test_label_files_of_any_length_are_read_whole(tmp_path: Path) -> None:
    for size in (0, 1, 65_535, 65_536, 65_537, 3_000_000):
        data = os.urandom(size)
        assert content(str(put(tmp_path / str(size), data))) == data


def test_rows_of_no_known_length_are_told_with_what_was_expected(tmp_path: Path) -> None:
    found = read(dataset(tmp_path, {"1": "0 0.5\n0 0.5 0.5\nword\n"}))
    assert [problem.code for problem in found.report.problems if problem.severity == "error"] == [
        "R101"
    ] * 3
    assert found.guesses() == ["task=detect"]


def test_predictions_of_a_classifier_beside_names_ask_for_the_task(tmp_path: Path) -> None:
    put(tmp_path / "labels" / "1.txt", "0.93 tabby cat\n")
    put(tmp_path / "classes.txt", "cat\ntabby cat\n")
    picture(tmp_path / "images" / "1.png")
    found = read(tmp_path)
    assert found.guesses() == ["task=classify"]
    assert len(found.told("R101")) == 1
    answered = read(tmp_path, task="classify")
    assert answered.one.classifications[0].answer.confidence == 0.93
    assert answered.one.media == Image(100, 100)


def test_predictions_of_a_classifier_without_names_need_none(tmp_path: Path) -> None:
    put(tmp_path / "1.txt", "0.93 tabby cat\n\n0.01 dog\n")
    put(tmp_path / "2.txt", "")
    found = read(tmp_path)
    assert found.guesses() == ["task=classify"]
    assert [len(sample.classifications) for sample in found.samples.values()] == [1, 0]


def test_counting_passes_over_what_cannot_be_read(tmp_path: Path) -> None:
    good = put(tmp_path / "1.txt", BOX + "0 0.1 0.2 0.4 0.5 x 0.6\n")
    counted = count([str(good), str(tmp_path / "none.txt")])
    assert {length: row.rows for length, row in counted.items()} == {5: 1, 0: 1}


def test_a_column_that_is_neither_confidence_nor_id_is_rejected(tmp_path: Path) -> None:
    found = read(dataset(tmp_path, {"1": "0 0.5 0.5 0.2 0.2 1.5\n0 0.5 0.5 0.2 0.2 0.5\n"}))
    assert len(found.told("R101")) == 2


def test_seven_numbers_with_columns_by_option_are_boxes(tmp_path: Path) -> None:
    data = dataset(tmp_path, {"1": "0 0.5 0.5 0.2 0.2 0.9 0.5\n"})
    found = read(data, columns="conf+track")
    assert [problem.where.column for problem in found.told("R101")] == [23]
    assert [type(value).__name__ for value in read(data).values] == ["Polygon"]


def test_one_picture_as_a_split_is_read(tmp_path: Path) -> None:
    dataset(tmp_path, {"1": BOX, "2": BOX})
    put(tmp_path / "data.yaml", f"train: images/train/2.png\n{NAMES}")
    found = read(tmp_path)
    assert list(found.samples) == ["train/2.png"]
    assert len(found.values) == 1


def test_a_list_in_another_encoding_is_an_unreadable_source(tmp_path: Path) -> None:
    dataset(tmp_path, {"1": BOX})
    put(tmp_path / "train.txt", "images/é.png".encode("latin-1"))
    put(tmp_path / "data.yaml", f"train: train.txt\n{NAMES}")
    with pytest.raises(SourceError, match=r"train\.txt"):
        read(tmp_path)


def test_names_in_another_encoding_are_an_unreadable_source(tmp_path: Path) -> None:
    put(tmp_path / "classes.txt", "é".encode("latin-1"))
    with pytest.raises(SourceError, match=r"classes\.txt"):
        read(tmp_path)


def test_names_are_taken_from_a_data_yaml_elsewhere(tmp_path: Path) -> None:
    put(tmp_path / "run" / "1.txt", BOX)
    picture(tmp_path / "run" / "1.png")
    described = put(tmp_path / "data.yaml", "train: nowhere\nnames: {0: bird}\n")
    found = read(tmp_path / "run", names=str(described))
    assert found.one.annotations[0].category == "bird"


def test_an_obj_data_without_its_names_is_an_unreadable_source(tmp_path: Path) -> None:
    put(tmp_path / "obj.data", "classes = 1\nnames = gone.names\ntrain = train.txt\n")
    with pytest.raises(SourceError, match="gone"):
        read(tmp_path / "obj.data")


@pytest.mark.parametrize(
    ("skeleton", "edges"),
    [
        ("[[0, 1]]", ((0, 1),)),
        ("[[1, 2], [2, 3]]", ((0, 1), (1, 2))),
        ("{0: [[0, 2]]}", ((0, 2),)),
        ("[]", ()),
        ("[[1], x]", ()),
    ],
)
def test_skeletons_are_counted_from_0_within(
    skeleton: str, edges: tuple[tuple[int, int], ...], tmp_path: Path
) -> None:
    text = f"kpt_shape: [3, 3]\nskeleton: {skeleton}\n{NAMES}"
    data = lc.read(dataset(tmp_path, {"1": ""}, yaml=text), "yolo")
    assert data.ontology.categories[0].skeleton == edges


@pytest.mark.parametrize(
    "text", ["kpt_names: [nose, tail]\n", "kpt_names: {0: [nose, tail], 1: [a, b], 2: [c, d]}\n"]
)
def test_names_of_keypoints_for_all_classes_or_for_each(text: str, tmp_path: Path) -> None:
    data = lc.read(dataset(tmp_path, {"1": ""}, yaml=f"kpt_shape: [2, 3]\n{text}{NAMES}"), "yolo")
    assert data.ontology.categories[0].keypoints == ("nose", "tail")


@pytest.mark.parametrize("text", ["kpt_names: {0: nose}\n", "kpt_shape: [17]\n", "kpt_shape: x\n"])
def test_keypoints_that_make_no_sense_are_told(text: str, tmp_path: Path) -> None:
    yaml_text = text if "shape" in text else f"kpt_shape: [2, 3]\n{text}"
    with pytest.raises((SourceError, OptionError)):
        read(dataset(tmp_path, {"1": ""}, yaml=f"{yaml_text}{NAMES}"))


def test_what_a_pose_dataset_says_about_points_is_written_again(tmp_path: Path) -> None:
    text = (
        "kpt_shape: [2, 3]\nflip_idx: [1, 0]\nkpt_names: {0: [left, 'no']}\n"
        f"skeleton: {{0: [[0, 1]]}}\n{NAMES}"
    )
    source = dataset(tmp_path / "in", {"1": f"{BOX[:-1]} 0.5 0.5 2 0 0 0\n"}, yaml=text)
    lc.convert(source, tmp_path / "out", to="yolo")
    said = yaml.safe_load((tmp_path / "out" / "data.yaml").read_text())
    assert said["kpt_shape"] == [2, 3]
    assert said["flip_idx"] == [1, 0]
    assert said["kpt_names"][0] == ["left", "no"]
    assert said["skeleton"] == {0: [[0, 1]]}
    assert isinstance(read(tmp_path / "out").values[0], Keypoints)


def test_a_file_of_sizes_by_somebody_else_is_left_alone(tmp_path: Path) -> None:
    data = dataset(tmp_path, {"1": BOX})
    put(data / "sizes.csv", "file;bytes\n1.png;77\n")
    assert read(data).one.media == Image(100, 100)


@pytest.mark.parametrize("row", ["images/train/1.png,x,5", "images/train/1.png"])
def test_our_own_file_of_sizes_must_make_sense(row: str, tmp_path: Path) -> None:
    data = dataset(tmp_path, {"1": BOX})
    put(data / "sizes.csv", f"name,width,height\n\n{row}\n")
    with pytest.raises(SourceError, match=r"sizes\.csv:3"):
        list(lc.read(data, "yolo"))


def test_a_file_of_sizes_in_another_encoding_is_told(tmp_path: Path) -> None:
    data = dataset(tmp_path, {"1": BOX})
    put(data / "sizes.csv", b"name,width,height\n\xe9.png,1,1\n")
    with pytest.raises(SourceError, match=r"sizes\.csv"):
        list(lc.read(data, "yolo"))


def test_sizes_with_fractions_come_back(tmp_path: Path) -> None:
    data = Samples([Sample("1.png", Image(10.5, 20.25))], Ontology(categories=()))
    lc.write(data, tmp_path / "out", "yolo")
    assert read(tmp_path / "out").one.media == Image(10.5, 20.25)


def test_turned_pictures_in_folders_of_classes_are_noted(tmp_path: Path) -> None:
    exif = Pillow.Exif()
    exif[0x0112] = 6
    (tmp_path / "train" / "cat").mkdir(parents=True)
    Pillow.new("RGB", (40, 20)).save(tmp_path / "train" / "cat" / "1.jpg", exif=exif)
    picture(tmp_path / "val" / "cat" / "1.png")
    found = read(tmp_path, task="classify")
    assert found.report.counts == {"R125": 1}
    assert found.samples["train/cat/1.jpg"].media == Image(20, 40)
    assert read_without_extra(tmp_path, task="classify").report.fields == {"yolo:split": 1}


def test_keys_that_collide_in_folders_of_classes_are_rejected(tmp_path: Path) -> None:
    for folder in ("train/cat", "train/dog"):
        picture(tmp_path / folder / "1.png")
    found = read(tmp_path, task="classify", key="{name}")
    assert list(found.samples) == ["1.png"]
    assert len(found.told("K601")) == 1
    account = found.report.ledger.classifications
    assert (account.read, account.rejected) == (2, 1)
    (rejected,) = found.report.take_rejected()
    assert rejected.record == b"dog"


def test_a_stream_is_refused() -> None:
    from labelconv.format import Reading
    from labelconv.formats.yolo import FORMAT
    from labelconv.formats.yolo.options import YoloReaderOptions
    from labelconv.keys import Keys
    from labelconv.problems import Report

    assert FORMAT.read is not None
    with pytest.raises(SourceError, match="stream"):
        FORMAT.read(Source("-"), YoloReaderOptions(), Reading(report=Report(), keys=Keys()))


def test_tracks_are_counted_where_they_are_not_written(tmp_path: Path) -> None:
    source = dataset(tmp_path / "in", {"1": "0 0.5 0.5 0.2 0.2 7\n"})
    report = lc.convert(source, tmp_path / "out", to="yolo")
    assert report.fields["yolo:track"] == 1
    assert read(tmp_path / "out").values == [Box(40, 40, pytest.approx(60), pytest.approx(60))]


def test_a_relative_source_is_read_like_an_absolute_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = dataset(tmp_path / "data", {"1": BOX})
    put(tmp_path / "data" / "val.txt", "./images/train/1.png\n")
    monkeypatch.chdir(data)
    for source in (Path(), Path("data.yaml"), Path("../data"), Path("images/../data.yaml")):
        found = read(source)
        assert list(found.samples) == ["train/1.png"]
        assert found.one.uri == "images/train/1.png"
        assert len(found.values) == 1


def test_an_ontology_without_categories_is_read_back(tmp_path: Path) -> None:
    data = Samples([Sample("1.png", Image(10, 10))], Ontology(categories=(Category(name="a"),)))
    lc.write(data, tmp_path / "out", "yolo", options={"task": "pose"})
    assert yaml.safe_load((tmp_path / "out" / "data.yaml").read_text())["kpt_shape"] == [1, 3]
    assert list(read(tmp_path / "out").samples) == ["1.png"]


def test_predictions_that_cannot_be_read_are_rejected_and_the_folder_tells_the_class(
    tmp_path: Path,
) -> None:
    picture(tmp_path / "train" / "cat" / "1.png")
    put(tmp_path / "train" / "cat" / "1.txt", "0.9 dog\n")
    (tmp_path / "train" / "cat" / "1.txt").unlink()
    (tmp_path / "train" / "cat" / "1.txt").mkdir()
    listed = put(tmp_path / "all.txt", "./train/cat/1.png\n")
    put(tmp_path / "data.yaml", f"path: .\ntrain: {listed.name}\nnames: [cat, dog]\n")
    found = read(tmp_path, task="classify")
    assert [each.answer.name for each in found.one.classifications] == ["cat"]
    account = found.report.ledger.classifications
    assert (account.read, account.rejected) == (2, 1)
    assert [each.where.path for each in found.told("R101")] == [
        str(tmp_path / "train" / "cat" / "1.txt")
    ]


def test_a_split_that_cannot_be_a_file_name_gets_one_of_its_own_and_that_is_told(
    tmp_path: Path,
) -> None:
    splits = ("train", "night shift", "night_shift", "names")
    samples = [
        Sample(f"{n}.png", Image(10, 10), extra={"yolo:split": split})
        for n, split in enumerate(splits)
    ]
    report = lc.write(Samples(samples), tmp_path / "out", "yolo")
    assert report.counts["L420"] == 3
    back = read(tmp_path / "out").samples.values()
    assert [sample.extra["yolo:split"] for sample in back] == [
        *("train", "night_shift", "night_shift_2", "split_names")
    ]
