"""Where pictures, labels and names are found."""

from __future__ import annotations

from pathlib import Path

import pytest
from yolo_help import NAMES, dataset, picture, put, read, read_without_extra

import labelconv as lc
from labelconv import registry
from labelconv.errors import OptionError, SourceError
from labelconv.formats.yolo.paths import ordered
from labelconv.io import Source, natural_order

BOX = "0 0.5 0.5 0.2 0.2\n"


# --------------------------------------------------------------------------------- data.yaml


@pytest.mark.parametrize(
    ("pictures", "labels", "train", "key"),
    [
        ("images/train", "labels/train", "images/train", "train/1.png"),
        ("train/images", "train/labels", "train/images", "train/1.png"),
        ("train/images", "train/labels", "../train/images", "train/1.png"),
        ("train/images", "train/labels", "train", "train/1.png"),
        ("images", "labels", "images", "1.png"),
        ("images", "labels", "./images/", "1.png"),
        ("all", "all", "all", "all/1.png"),
        ("a/images/b/images/c", "a/images/b/labels/c", "a", "a/b/images/c/1.png"),
        ("images/train", "labels/train", "/content/drive/ds/images/train", "train/1.png"),
        ("images/train", "images/train", "images/train", "train/1.png"),
    ],
)
def test_layouts_in_the_wild_are_read_and_keys_leave_out_the_folder_of_images(
    pictures: str, labels: str, train: str, key: str, tmp_path: Path
) -> None:
    picture(tmp_path / pictures / "1.png")
    put(tmp_path / labels / "1.txt", BOX)
    put(tmp_path / "data.yaml", f"train: {train}\n{NAMES}")
    found = read(tmp_path / "data.yaml")
    assert list(found.samples) == [key]
    assert len(found.one.annotations) == 1
    assert found.one.uri == f"{pictures}/1.png"
    assert found.report.errors == 0


def test_a_path_that_is_taken_for_another_is_noted(tmp_path: Path) -> None:
    dataset(tmp_path, {"1": BOX})
    put(tmp_path / "data.yaml", f"train: /content/ds/images/train\n{NAMES}")
    found = read(tmp_path)
    assert any("/content/ds/images/train" in guess for guess in found.guesses())


def test_a_root_that_is_elsewhere_is_used(tmp_path: Path) -> None:
    dataset(tmp_path / "here", {"1": BOX})
    for path in ("../here", str(tmp_path / "here")):
        described = f"path: {path}\ntrain: images/train\n{NAMES}"
        found = read(put(tmp_path / "yamls" / "my.yaml", described))
        assert list(found.samples) == ["train/1.png"]


def test_splits_are_read_in_order_and_kept_and_one_can_be_chosen(tmp_path: Path) -> None:
    for split in ("test", "valid", "train"):
        picture(tmp_path / split / "images" / "1.png")
        put(tmp_path / split / "labels" / "1.txt", BOX)
    yaml = f"test: test/images\nval: valid/images\ntrain: train/images\n{NAMES}"
    put(tmp_path / "data.yaml", yaml)
    found = read(tmp_path)
    assert {key: sample.extra["yolo:split"] for key, sample in found.samples.items()} == {
        "train/1.png": "train",
        "valid/1.png": "val",
        "test/1.png": "test",
    }
    assert list(found.samples) == ["train/1.png", "valid/1.png", "test/1.png"]
    for name in ("val", "valid", "validation"):
        assert list(read(tmp_path, split=name).samples) == ["valid/1.png"]
    assert len(read(tmp_path, split="train, test").samples) == 2
    with pytest.raises(SourceError, match="train, val, test"):
        read(tmp_path, split="trian")
    assert read_without_extra(tmp_path).report.fields == {"yolo:split": 3}


def test_a_split_may_be_several_folders_and_lists(tmp_path: Path) -> None:
    for folder in ("a", "b", "c"):
        picture(tmp_path / "images" / folder / "1.png")
        put(tmp_path / "labels" / folder / "1.txt", BOX)
    put(tmp_path / "c.txt", "./images/c/1.png\r\n\r\n")
    put(tmp_path / "data.yaml", f"train: [images/b, images/a, c.txt]\n{NAMES}")
    assert list(read(tmp_path).samples) == ["b/1.png", "a/1.png", "c/1.png"]


@pytest.mark.parametrize(
    "line",
    [
        "./images/sub dir/1.png",
        "images/sub dir/1.png",
        "data/images/sub dir/1.png",
        "/home/me/ds/images/sub dir/1.png",
        "images\\sub dir\\1.png",
        "  ./images/sub dir/1.png  ",
        "ABSOLUTE/images/sub dir/1.png",
    ],
)
def test_lists_name_pictures_in_many_ways(line: str, tmp_path: Path) -> None:
    picture(tmp_path / "images" / "sub dir" / "1.png")
    put(tmp_path / "labels" / "sub dir" / "1.txt", BOX)
    put(tmp_path / "train.txt", f"\ufeff{line.replace('ABSOLUTE', str(tmp_path))}\n")
    put(tmp_path / "data.yaml", f"train: train.txt\n{NAMES}")
    found = read(tmp_path)
    assert list(found.samples) == ["sub dir/1.png"]
    assert len(found.one.annotations) == 1


def test_pictures_of_a_list_that_lie_elsewhere_are_named_from_their_common_folder(
    tmp_path: Path,
) -> None:
    lines = []
    for name in ("a/1", "b/1"):
        lines.append(str(picture(tmp_path / "far" / "images" / f"{name}.png")))
        put(tmp_path / "far" / "labels" / f"{name}.txt", BOX)
    put(tmp_path / "ds" / "train.txt", "\n".join(lines))
    put(tmp_path / "ds" / "data.yaml", f"train: train.txt\n{NAMES}")
    found = read(tmp_path / "ds")
    assert list(found.samples) == ["a/1.png", "b/1.png"]
    assert all(len(sample.annotations) == 1 for sample in found.samples.values())


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ("names: [cat, dog]", ["cat", "dog"]),
        ("names: {1: cat, 0: dog}", ["dog", "cat"]),
        ("names: {'1': cat, '0': dog}", ["dog", "cat"]),
        ("names:\n  0: cat\n  1: dog\nnc: 2", ["cat", "dog"]),
        ("nc: 2", ["class_0", "class_1"]),
        ("nc: '2'", ["class_0", "class_1"]),
        ("nc: 2.0", ["class_0", "class_1"]),
        ("names: {0: ö, 1: 'a, b'}", ["ö", "a, b"]),
    ],
)
def test_names_come_as_lists_and_as_mappings(
    names: str, expected: list[str], tmp_path: Path
) -> None:
    rows = "0 0.5 0.5 0.2 0.2\n1 0.5 0.5 0.2 0.2\n"
    found = read(dataset(tmp_path, {"1": rows}, yaml=f"{names}\n"))
    assert [annotation.category for annotation in found.one.annotations] == expected


def test_names_with_gaps_keep_their_numbers_and_the_gaps_are_no_classes(tmp_path: Path) -> None:
    data = dataset(
        tmp_path, {"1": "7 0.5 0.5 0.2 0.2\n3 0.5 0.5 0.2 0.2\n"}, yaml="names: {0: a, 7: b}\n"
    )
    found = read(data)
    assert [annotation.category for annotation in found.one.annotations] == ["b"]
    assert [problem.where.line for problem in found.told("R103")] == [2]


def test_a_count_that_differs_from_the_names_is_an_error_that_stops_nothing(
    tmp_path: Path,
) -> None:
    found = read(dataset(tmp_path, {"1": BOX}, yaml=f"{NAMES}nc: 80\n"))
    assert len(found.one.annotations) == 1
    assert [problem.code for problem in found.report.problems if problem.severity == "error"] == [
        "R101"
    ]


def test_two_classes_of_one_name_are_one_and_it_is_said(tmp_path: Path) -> None:
    rows = "0 0.5 0.5 0.2 0.2\n2 0.5 0.5 0.2 0.2\n"
    found = read(dataset(tmp_path, {"1": rows}, yaml="names: [car, dog, car]\n"))
    assert [annotation.category for annotation in found.one.annotations] == ["car", "car"]
    assert "'car' is one class" in found.guesses()


@pytest.mark.parametrize(
    "yaml",
    [
        "train: images/train\n",
        "train: images/train\nnames: cat\n",
        "train: images/train\nnames: {a: cat}\n",
        "train: images/train\nnames: [[cat]]\n",
        "train: images/train\nnc: many\n",
        "train: {a: b}\nnames: [cat]\n",
        "train: nowhere\nnames: [cat]\n",
        "- just a list\n",
        "names: [cat\n",
        "",
    ],
)
def test_a_description_that_says_too_little_is_an_unreadable_source(
    yaml: str, tmp_path: Path
) -> None:
    picture(tmp_path / "images" / "train" / "1.png")
    put(tmp_path / "data.yaml", yaml)
    with pytest.raises(SourceError, match=r"data\.yaml"):
        read(tmp_path / "data.yaml")


def test_a_split_that_is_not_there_is_an_error_and_the_others_are_read(tmp_path: Path) -> None:
    dataset(tmp_path, {"1": BOX}, yaml=f"{NAMES}test: images/test\n")
    found = read(tmp_path)
    assert len(found.samples) == 1
    (missing,) = found.told("R112")
    assert missing.where.pointer == "/test"


def test_a_picture_in_two_splits_is_read_once_and_it_is_said(tmp_path: Path) -> None:
    dataset(tmp_path, {"1": BOX, "2": BOX}, yaml=f"{NAMES}val: val.txt\n")
    put(tmp_path / "val.txt", "./images/train/2.png\n")
    found = read(tmp_path)
    assert found.report.ledger.samples.read == 2
    assert "a picture is read with the first split that has it" in found.guesses()


def test_a_training_set_that_is_its_own_validation_set_is_one_split(tmp_path: Path) -> None:
    dataset(tmp_path, {"1": BOX}, yaml=f"{NAMES}val: images/train\n")
    found = read(tmp_path)
    assert found.guesses() == ["task=detect"]
    assert list(read(tmp_path, split="val").samples) == list(found.samples)


# ------------------------------------------------------------------------- without data.yaml


def test_darknet_folders_are_read_from_obj_data(tmp_path: Path) -> None:
    put(tmp_path / "obj.names", "cat\r\ndog\r\n\r\n")
    put(
        tmp_path / "obj.data",
        "classes = 2\ntrain = data/train.txt\nvalid = data/valid.txt\nnames = data/obj.names\n",
    )
    for split, name in (("train", "1"), ("valid", "2")):
        picture(tmp_path / f"obj_{split}_data" / f"{name}.png")
        put(tmp_path / f"obj_{split}_data" / f"{name}.txt", "1 0.5 0.5 0.2 0.2\n")
        put(tmp_path / f"{split}.txt", f"data/obj_{split}_data/{name}.png\n")
    for source in (tmp_path, tmp_path / "obj.data"):
        found = read(source)
        assert {k: s.extra["yolo:split"] for k, s in found.samples.items()} == {
            "obj_train_data/1.png": "train",
            "obj_valid_data/2.png": "val",
        }
        assert {s.annotations[0].category for s in found.samples.values()} == {"dog"}


def test_labelimg_keeps_labels_and_classes_beside_the_pictures(tmp_path: Path) -> None:
    picture(tmp_path / "1.png")
    put(tmp_path / "1.txt", "1 0.5 0.5 0.2 0.2\n")
    put(tmp_path / "README.txt", "made with care")
    put(tmp_path / "classes.txt", "cat\ndog\n")
    found = read(tmp_path)
    assert list(found.samples) == ["1.png"]
    assert found.one.annotations[0].category == "dog"


def test_a_folder_of_labels_alone_takes_names_and_pictures_from_elsewhere(
    tmp_path: Path,
) -> None:
    put(tmp_path / "labels" / "a" / "1.txt", BOX)
    put(tmp_path / "labels" / "b" / "1.txt", BOX)
    picture(tmp_path / "photos" / "a" / "1.JPG", (50, 40))
    picture(tmp_path / "photos" / "b" / "1.png", (60, 40))
    names = put(tmp_path / "my.names", "cat\n")
    found = read(tmp_path / "labels", names=str(names), media=tmp_path / "photos")
    sizes = {key: sample.media.width for key, sample in found.samples.items()}
    assert sizes == {"a/1.JPG": 50, "b/1.png": 60}


def test_sizes_of_pictures_that_are_not_at_hand_come_from_a_table(tmp_path: Path) -> None:
    put(tmp_path / "labels" / "1.txt", BOX)
    names = put(tmp_path / "my.names", "cat\n")
    table = put(tmp_path / "sizes.csv", "name,width,height\n1.jpg,200,100\n")
    found = read(tmp_path / "labels", names=str(names), sizes=str(table))
    assert found.values[0].x1 - found.values[0].x0 == pytest.approx(40)


def test_without_names_a_folder_of_labels_says_what_to_give(tmp_path: Path) -> None:
    put(tmp_path / "labels" / "1.txt", BOX)
    with pytest.raises(SourceError, match="-O names=FILE"):
        read(tmp_path / "labels")
    with pytest.raises(SourceError, match=r"none\.txt"):
        read(tmp_path / "labels", names=str(tmp_path / "none.txt"))


def test_labels_without_a_picture_are_rejected_with_their_rows(tmp_path: Path) -> None:
    dataset(tmp_path, {"1": BOX})
    put(tmp_path / "labels" / "train" / "2.txt", BOX * 3)
    put(tmp_path / "labels" / "train" / "deep" / "3.txt", BOX)
    found = read(tmp_path)
    assert list(found.samples) == ["train/1.png"]
    assert [problem.where.sample for problem in found.told("R122")] == ["train/2", "train/deep/3"]
    assert found.report.ledger.annotations.rejected == 4


def test_labels_of_pictures_that_are_not_there_find_them_by_media(tmp_path: Path) -> None:
    put(tmp_path / "ds" / "labels" / "train" / "1.txt", BOX)
    put(tmp_path / "ds" / "data.yaml", f"train: images/train\n{NAMES}")
    picture(tmp_path / "photos" / "1.png", (50, 40))
    found = read(tmp_path / "ds", media=tmp_path / "photos")
    assert list(found.samples) == ["train/1.png"]
    assert found.one.media.width == 50


def test_two_pictures_of_one_stem_share_their_labels_and_it_is_said(tmp_path: Path) -> None:
    dataset(tmp_path, {"1": BOX})
    picture(tmp_path / "images" / "train" / "1.JPG")
    found = read(tmp_path)
    assert [len(sample.annotations) for sample in found.samples.values()] == [1, 1]
    assert "the labels are read for each picture" in found.guesses()


def test_blanks_upper_case_and_dots_in_names_are_read(tmp_path: Path) -> None:
    for name in ("a b.PNG", "x.y.png", "é.Png"):
        picture(tmp_path / "images" / "train" / name)
        put(tmp_path / "labels" / "train" / f"{name[:-4]}.txt", BOX)
    put(tmp_path / "labels" / "train" / "UP.TXT", BOX)
    picture(tmp_path / "images" / "train" / "UP.PNG")
    dataset(tmp_path, {})
    found = read(tmp_path)
    assert len(found.samples) == 4
    assert all(len(sample.annotations) == 1 for sample in found.samples.values())


def test_hidden_files_caches_and_links_in_a_circle_are_passed_over(tmp_path: Path) -> None:
    dataset(tmp_path, {"1": BOX})
    put(tmp_path / "labels" / "train.cache", b"\x80numpy")
    put(tmp_path / "images" / "train" / "._1.png", b"macOS")
    put(tmp_path / "labels" / "train" / "._1.txt", b"\x00\x05")
    (tmp_path / "images" / "train" / "loop").symlink_to(tmp_path / "images")
    found = read(tmp_path)
    assert list(found.samples) == ["train/1.png"]
    assert found.report.errors == 0


def test_pictures_come_in_natural_order(tmp_path: Path) -> None:
    dataset(tmp_path, dict.fromkeys(("img10", "img2", "img1", "b", "img01")))
    keys = [key.removeprefix("train/") for key in read(tmp_path).samples]
    assert keys == ["b.png", "img01.png", "img1.png", "img2.png", "img10.png"]


def test_the_quick_order_is_the_natural_order() -> None:
    names = ["a10", "a9", "a1b2", "a1b10", "b", "a", "1", "10", "9", "a-1", "a_1", "ä2", "a2x"]
    assert ordered(names) == sorted(names, key=natural_order)
    padded = [f"img_{number:04d}.jpg" for number in range(50, 0, -1)]
    assert ordered(padded) == sorted(padded, key=natural_order)


def test_a_folder_is_listed_once_and_read_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import os

    dataset(tmp_path, {"1": "0 0.1 0.1 0.2 0.1 0.2 0.2", "2": BOX})
    listed: list[object] = []
    original = os.listdir

    def counted(place: object) -> list[str]:
        listed.append(str(place))
        return original(place)

    monkeypatch.setattr(os, "listdir", counted)
    read(tmp_path)
    assert len(listed) == len(set(listed)) == 3


def test_a_stream_and_other_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError):
        read(put(tmp_path / "notes.txt", "hello"))


# ------------------------------------------------------------------------------- classification


def test_folders_of_classes_are_answers_about_whole_pictures(tmp_path: Path) -> None:
    for name in ("train/tabby cat/1.png", "train/dog/1.png", "val/dog/2.png"):
        picture(tmp_path / name, (20, 10))
    found = read(tmp_path)
    answers = {
        key: (sample.classifications[0].answer.name, sample.extra.get("yolo:split"))
        for key, sample in found.samples.items()
    }
    assert answers == {
        "train/dog/1.png": ("dog", None),
        "train/tabby cat/1.png": ("tabby cat", None),
        "val/dog/2.png": ("dog", "val"),
    }
    assert found.guesses() == ["task=classify"]
    assert read(tmp_path, task="classify").guesses() == []


def test_a_bad_line_of_a_classifier_is_rejected_alone(tmp_path: Path) -> None:
    put(tmp_path / "1.txt", "cat\n0.9 dog\n")
    put(tmp_path / "2.txt", "1.5 dog\n")
    found = read(tmp_path, task="classify")
    assert [problem.where.line for problem in found.told("R101")] == [1, 1]
    assert found.report.ledger.classifications.read == 3
    assert found.report.ledger.classifications.rejected == 2


# ------------------------------------------------------------------------------- recognised


@pytest.mark.parametrize(
    ("files", "certainty"),
    [
        ({"data.yaml": NAMES, "images/train/1.png": ""}, 3),
        ({"my.yml": NAMES, "train.txt": ""}, 3),
        ({"obj.data": "names = a", "obj_train_data/1.txt": ""}, 3),
        ({"classes.txt": "cat", "1.txt": ""}, 2),
        ({"images/1.png": "", "labels/1.txt": ""}, 1),
        ({"1.txt": "0 0.5 0.5 1 1"}, 0),
        ({"config.yaml": "a: 1"}, 0),
    ],
)
def test_folders_are_recognised_by_what_is_in_them(
    files: dict[str, str], certainty: int, tmp_path: Path
) -> None:
    for name, text in files.items():
        put(tmp_path / name, text)
    sniff = registry.get("yolo").sniff
    assert sniff is not None
    assert sniff(Source(tmp_path).peek()).certainty == certainty


@pytest.mark.parametrize(
    ("name", "text", "certainty"),
    [
        ("data.yaml", "train: x\nnames: [a]\n", 3),
        ("data.yaml", "# comment\npath: .\nnc: 3\n", 3),
        ("compose.yaml", "services: {}\n", 0),
        ("obj.data", "classes = 1\nnames = obj.names\n", 3),
        ("notes.txt", "names: [a]\ntrain: b\n", 0),
    ],
)
def test_files_are_recognised_by_name_and_content(
    name: str, text: str, certainty: int, tmp_path: Path
) -> None:
    sniff = registry.get("yolo").sniff
    assert sniff is not None
    assert sniff(Source(put(tmp_path / name, text)).peek()).certainty == certainty


def test_a_shape_of_keypoints_that_makes_no_sense_is_the_callers_mistake(tmp_path: Path) -> None:
    data = dataset(tmp_path, {"1": "0 0.5 0.5 0.2 0.2 0.1 0.1 2"})
    for shape in ("17", "0x3", "2x4", "axb"):
        with pytest.raises(OptionError):
            read(data, task="pose", kpt_shape=shape)


def test_a_place_of_a_split_that_is_not_there_is_told_beside_one_that_is(tmp_path: Path) -> None:
    data = dataset(tmp_path, {"1": "0 0.5 0.5 0.2 0.2"})
    put(data / "data.yaml", f"train: [images/train, images/more]\n{NAMES}")
    found = read(data)
    assert len(found.samples) == 1
    (problem,) = found.told("R112")
    assert problem.where.pointer == "/train"
    assert "images/more" in problem.message
    assert "images/train" not in problem.message


def test_fields_of_a_description_that_nobody_reads_are_counted(tmp_path: Path) -> None:
    data = dataset(tmp_path, {"1": "0 0.5 0.5 0.2 0.2"})
    more = "download: https://example.org\nauthors: {first: me}\nminival:\n"
    put(data / "data.yaml", f"train: images/train\n{more}{NAMES}")
    assert read(data).report.fields == {
        "yolo:download (of the dataset)": 1,
        "yolo:authors (of the dataset)": 1,
    }


@pytest.mark.parametrize("edges", ["[[0, 1], [1]]", "{0: [[0, 1], [a, 1]]}", "{0: [[0, 1]], 1: 2}"])
def test_edges_of_a_skeleton_that_are_no_pairs_are_told(edges: str, tmp_path: Path) -> None:
    data = dataset(tmp_path, {"1": "0 0.5 0.5 0.2 0.2 0.5 0.5 0.6 0.6"})
    text = f"train: images/train\nkpt_shape: [2, 2]\nskeleton: {edges}\n{NAMES}"
    put(data / "data.yaml", text)
    assert "1 edges of the skeleton are left out" in read(data).guesses()
    assert lc.read(data, "yolo").ontology.categories[0].skeleton == ((0, 1),)
