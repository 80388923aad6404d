"""Folders as they are found: devkits, lists of ImageSets, pictures beside, names that disagree."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from voc_help import VOC, box, document, edges, laid_out, read

import labelconv as lc
from labelconv.errors import LabelconvError, OptionError, SourceError
from labelconv.format import Reading
from labelconv.io import Source
from labelconv.keys import Keys
from labelconv.media import MediaFiles
from labelconv.model import Image
from labelconv.problems import Report

ONE = document(box("a", 1, 2, 3, 4), filename=None)


def keys(place: Path, **options: str) -> list[str]:
    return [sample.key for sample in read(place, **options).samples]


def picture(width: int = 40, height: int = 30) -> bytes:
    import io

    from PIL import Image as Pictures

    data = io.BytesIO()
    Pictures.new("L", (width, height)).save(data, "PNG")
    return data.getvalue()


def test_a_devkit_several_of_them_and_plain_folders_are_all_found(tmp_path: Path) -> None:
    year = {"Annotations/000001.xml": ONE, "Annotations/sub/2.xml": ONE, "README.xml": ONE}
    laid_out(tmp_path / "kit", year)
    assert keys(tmp_path / "kit") == ["000001", "sub/2"]
    assert keys(tmp_path / "kit" / "Annotations") == ["000001", "sub/2"]
    for name in ("VOC2007", "VOC2012"):
        laid_out(tmp_path / "both" / "VOCdevkit" / name, year)
    found = [
        f"VOCdevkit/{name}/{key}" for name in ("VOC2007", "VOC2012") for key in ("000001", "sub/2")
    ]
    assert keys(tmp_path / "both") == found
    laid_out(tmp_path / "plain", {"train/10.xml": ONE, "train/9.xml": ONE, "valid/1.XML": ONE})
    assert keys(tmp_path / "plain") == ["train/9", "train/10", "valid/1"]
    for place in ("kit", "both", "plain"):
        assert lc.read(tmp_path / place).report.evidence[0].startswith("voc: ")


def test_a_folder_without_any_xml_file_is_an_error_but_an_empty_devkit_is_not(
    tmp_path: Path,
) -> None:
    laid_out(tmp_path, {"notes.txt": "nothing here"})
    with pytest.raises(SourceError):
        read(tmp_path)
    (tmp_path / "Annotations").mkdir()
    assert keys(tmp_path) == []


SETS = {
    "ImageSets/Main/train.txt": "1\n\n# a comment\nsub/2\n4.jpg\n1\n",
    "ImageSets/Main/dog_train.txt": "1  1\nsub/2 -1\n3  0\n",
    "ImageSets/Layout/train.txt": "3 1\n3 2\n",
    "ImageSets/Segmentation/val.txt": '"a b" 1\na c\n',
    "Annotations/1.xml": ONE,
    "Annotations/sub/2.xml": ONE,
    "Annotations/3.xml": ONE,
    "Annotations/4.xml": ONE,
    "Annotations/a b.xml": ONE,
    "Annotations/a c.xml": ONE,
}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("train", ["1", "sub/2", "4"]),
        ("dog_train", ["1", "3"]),
        ("Layout/train", ["3"]),
        ("val", ["a b", "a c"]),
    ],
)
def test_a_list_of_imagesets_chooses_its_pictures_in_its_order(
    name: str, expected: list[str], tmp_path: Path
) -> None:
    assert keys(laid_out(tmp_path, SETS), set=name) == expected


def test_a_list_that_is_not_there_is_an_error_that_names_those_that_are(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match=r"Layout/train, Segmentation/val, dog_train, train"):
        read(laid_out(tmp_path, SETS), set="test")
    with pytest.raises(OptionError, match="no ImageSets"):
        read(laid_out(tmp_path / "plain", {"1.xml": ONE}), set="test")


def test_an_id_without_a_file_is_a_picture_without_objects_if_the_picture_is_there(
    tmp_path: Path,
) -> None:
    files = {
        "ImageSets/Main/test.txt": "1\n2\n3\n",
        "Annotations/1.xml": ONE,
        "JPEGImages/2.png": picture(),
    }
    result = read(laid_out(tmp_path, files), set="test")
    assert [(s.key, len(s.annotations), s.media) for s in result.samples] == [
        ("1", 1, Image(500, 400)),
        ("2.png", 0, Image(40, 30)),
    ]
    assert result.codes() == ["R113", "R103"]


def test_all_pictures_can_be_asked_for(tmp_path: Path) -> None:
    files = {"Annotations/1.xml": ONE, "JPEGImages/1.png": picture(), "JPEGImages/2.png": picture()}
    assert keys(laid_out(tmp_path / "kit", files)) == ["1.png"]
    assert keys(tmp_path / "kit", images="all") == ["1.png", "2.png"]
    files = {"train/1.xml": ONE, "train/1.png": picture(), "train/3.png": picture()}
    assert keys(laid_out(tmp_path / "plain", files), images="all") == ["train/1.png", "train/3.png"]


def test_the_stem_finds_the_picture_first_then_the_name_that_the_file_gives(
    tmp_path: Path,
) -> None:
    wrong = document(box("a", 1, 2, 3, 4), filename="000002.jpg", size=None)
    # mmdetection has a 000001.xml that says 000002.jpg
    files = {"Annotations/000001.xml": wrong, "JPEGImages/000001.png": picture()}
    by_stem = read(laid_out(tmp_path / "stem", files))
    assert (by_stem.one.key, by_stem.codes()) == ("000001.png", ["R113", "R133"])
    files = {"Annotations/000001_ann.xml": wrong, "JPEGImages/000002.jpg": picture()}
    by_name = read(laid_out(tmp_path / "name", files))
    assert (by_name.one.key, by_name.one.media) == ("000002.jpg", Image(40, 30))
    files = {"Annotations/000001.xml": wrong}
    assert read(laid_out(tmp_path / "none", files)).one.key == "000001.jpg"


def test_media_given_apart_settle_extensions_and_names(tmp_path: Path) -> None:
    pictures = laid_out(tmp_path / "pictures", {"100000001.png": picture(), "other.png": picture()})
    labels = laid_out(
        tmp_path / "labels",
        {
            "100000001.xml": document(box("a", 1, 2, 3, 4), filename="100000001", size=None),
            "x.xml": document(box("a", 1, 2, 3, 4), filename="other.png", size=None),
        },
    )
    result = read(labels, media=MediaFiles(pictures))
    assert [(s.key, s.media) for s in result.samples] == [
        ("100000001.png", Image(40, 30)),
        ("other.png", Image(40, 30)),
    ]


def test_a_name_without_extension_takes_that_of_the_path(tmp_path: Path) -> None:
    head = r"<path>C:\Users\me\1.jpeg</path>"
    laid_out(tmp_path, {"1.xml": document(filename="1", head=head)})
    assert keys(tmp_path) == ["1.jpeg"]


def test_a_picture_turned_by_exif_has_the_size_in_which_it_is_shown(tmp_path: Path) -> None:
    from PIL import Image as Pictures

    (tmp_path / "JPEGImages").mkdir()
    exif = Pictures.Exif()
    exif[0x0112] = 6
    Pictures.new("RGB", (40, 20)).save(tmp_path / "JPEGImages" / "1.jpg", exif=exif)
    laid_out(tmp_path, {"Annotations/1.xml": document(box("a", 1, 2, 3, 4), size=None)})
    dataset = lc.read(tmp_path, "voc")
    assert [sample.media for sample in dataset] == [Image(20, 40)]
    assert [problem.code for problem in dataset.report.problems] == ["R113", "R125"]


def test_pictures_of_one_name_in_two_folders_are_not_guessed_at(tmp_path: Path) -> None:
    files = {
        "Annotations/1.xml": ONE.replace("<width>500</width>", ""),
        "JPEGImages/a/1.png": picture(),
        "JPEGImages/b/1.png": picture(),
    }
    result = read(laid_out(tmp_path, files))
    assert (result.one.key, result.one.media) == ("1", Image(None, 400))
    assert "R116" in result.codes()


def test_two_files_about_one_picture_are_a_collision_not_a_merger(tmp_path: Path) -> None:
    files = {"1.xml": document(filename="1.jpg"), "1.XML": document(filename="1.jpg")}
    result = read(laid_out(tmp_path, files))
    assert (result.one.key, result.codes()) == ("1.jpg", ["R113", "K601"])
    files = {
        "Annotations/a.xml": document(filename="p.png"),
        "Annotations/b.xml": document(filename="p.png"),
        "JPEGImages/p.png": picture(),
    }
    result = read(laid_out(tmp_path / "kit", files))
    assert [sample.key for sample in result.samples] == ["p.png"]
    assert "K601" in result.codes()


def test_a_file_that_may_not_be_read_is_a_rejected_sample(tmp_path: Path) -> None:
    laid_out(tmp_path, {"1.xml": ONE, "2.xml": ONE})
    (tmp_path / "2.xml").unlink()
    (tmp_path / "2.xml").symlink_to("nowhere.xml")
    result = read(tmp_path)
    assert (result.one.key, result.report.ledger.samples.rejected) == ("1", 1)


def test_the_origin_is_found_by_a_look_at_many_files_and_contradictions_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from labelconv.formats.voc import origin

    monkeypatch.setattr(origin, "BOXES_LOOKED_AT", 3)
    devkit = "<source><annotation>PASCAL VOC2007</annotation></source>"
    files = {
        f"{n}.xml": document(box("a", 0 if n == 5 else 2, 2, 3, 4), filename=None, head=devkit)
        for n in range(1, 6)
    }
    result = read(laid_out(tmp_path, files))
    assert {edges(sample.annotations[0])[0] for sample in result.samples} == {1, -1}
    assert result.codes() == ["R113", "M203", "R113"]
    assert "1 boxes begin before pixel 1, the first at" in result.words("R113")[1]
    monkeypatch.setattr(origin, "BOXES_LOOKED_AT", 5)
    result = read(tmp_path)
    assert {edges(sample.annotations[0])[0] for sample in result.samples} == {2, 0}


def test_half_of_the_files_have_to_name_the_devkit(tmp_path: Path) -> None:
    head = "<folder>VOC2012</folder>"
    files = {
        f"{n}.xml": document(box("a", 2, 2, 3, 4), filename=None, head=head if n < 3 else "")
        for n in range(1, 5)
    }
    assert edges(read(laid_out(tmp_path, files)).samples[0].annotations[0])[0] == 2
    (tmp_path / "4.xml").unlink()
    assert edges(read(tmp_path).samples[0].annotations[0])[0] == 1


def first_sample(place: Path) -> float:
    """Seconds until the first sample is there."""
    assert VOC.read is not None
    started = time.perf_counter()
    dataset = VOC.read(Source(place), VOC.reader_options(), Reading(report=Report(), keys=Keys()))
    next(iter(dataset))
    return time.perf_counter() - started


def test_the_first_sample_of_many_files_does_not_wait_for_the_last(tmp_path: Path) -> None:
    text = document(box("a", 2, 2, 3, 4), filename=None).encode()
    count = 20_000
    for number in range(count):
        handle = os.open(tmp_path / f"{number}.xml", os.O_WRONLY | os.O_CREAT)
        os.write(handle, text)
        os.close(handle)
    # A fifth of the second that 100,000 files may take, and the same again for a busy machine.
    assert min(first_sample(tmp_path) for _ in range(2)) < 0.4


def test_what_is_not_a_folder_of_voc_is_not_taken_for_one(tmp_path: Path) -> None:
    laid_out(tmp_path, {"1.xml": "<annotations><image/></annotations>"})
    with pytest.raises(LabelconvError):
        lc.read(tmp_path)


def test_the_objects_of_a_picture_whose_key_is_taken_are_counted_as_rejected(
    tmp_path: Path,
) -> None:
    objects = (box("a", 1, 2, 3, 4), box("b", 1, 2, 3, 4, "<pose>Left</pose>"))
    files = {"a/1.xml": document(objects[0]), "b/1.xml": document(*objects)}
    dataset = lc.read(laid_out(tmp_path, files), "voc", key="{name}")
    assert [len(sample.annotations) for sample in dataset] == [1]
    account = dataset.report.ledger.annotations
    assert (account.read, account.rejected) == (3, 2)
