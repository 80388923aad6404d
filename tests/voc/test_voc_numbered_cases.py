"""The VOC cases of the list of tricky cases (27 to 30) and of the peers' quirks, with numbers."""

from __future__ import annotations

import math
import time
from pathlib import Path

import pytest
from voc_help import box, document, edges, laid_out, read, read_text

from labelconv import geometry
from labelconv.media import MediaFiles
from labelconv.model import Box, Image, OrientedBox

DEVKIT = "<folder>VOC2007</folder><source><database>The VOC2007 Database</database></source>"


def test_27_a_dog_of_voc2007_is_counted_from_1(tmp_path: Path) -> None:
    result = read_text(tmp_path, document(box("dog", 48, 240, 195, 371), head=DEVKIT))
    assert edges(result.annotations[0]) == (47, 239, 148, 132)
    assert result.codes() == ["R113"]
    assert "VOC2007" in result.words("R113")[0]


def test_27_from_1_to_the_width_is_the_whole_picture(tmp_path: Path) -> None:
    result = read_text(tmp_path, document(box("sky", 1, 1, 500, 400), head=DEVKIT))
    assert edges(result.annotations[0]) == (0, 0, 500, 400)


def test_27_boxes_of_labelimg_are_edges(tmp_path: Path) -> None:
    labelimg = "<folder>JPEGImages</folder><source><database>Unknown</database></source>"
    text = document(box("cat", 13, 875, 275, 1249), size=(600, 1300), head=labelimg)
    result = read_text(tmp_path, text)
    assert edges(result.annotations[0]) == (13, 875, 262, 374)
    assert "edges" in result.words("R113")[0]


def test_27_a_box_of_roboflow_at_0_makes_the_whole_set_one_of_edges(tmp_path: Path) -> None:
    files = {
        f"Annotations/{number}.xml": document(
            box("dog", 48, 240, 195, 371), filename=f"{number}.jpg", head=DEVKIT
        )
        for number in range(1, 5)
    }
    assert {edges(s.annotations[0])[0] for s in read(laid_out(tmp_path, files)).samples} == {47}
    files["Annotations/5.xml"] = document(box("dog", 0, 0, 9, 1), filename="5.jpg", head=DEVKIT)
    result = read(laid_out(tmp_path, files))
    assert [edges(sample.annotations[0])[0] for sample in result.samples] == [48] * 4 + [0]
    assert edges(result.samples[4].annotations[0]) == (0, 0, 9, 1)
    assert "5.xml has a box with xmin 0" in result.words("R113")[0]


def test_28_a_rotated_box_of_30_degrees_has_these_corners(tmp_path: Path) -> None:
    turned = (
        "<object><type>robndbox</type><name>ship</name><robndbox><cx>50</cx><cy>40</cy><w>20</w>"
        f"<h>40</h><angle>{math.pi / 6}</angle></robndbox></object>"
    )
    value = read_text(tmp_path, document(turned)).annotations[0].value
    assert isinstance(value, OrientedBox)
    assert value.angle == pytest.approx(30)
    assert geometry.corners(value) == pytest.approx(
        (51.3397, 17.6795, 68.6603, 27.6795, 48.6603, 62.3205, 31.3397, 52.3205), abs=1e-4
    )


def test_28_the_box_of_rolabelimgs_readme_has_these_corners(tmp_path: Path) -> None:
    turned = (
        "<object><type>robndbox</type><name>ship</name><pose>Unspecified</pose><robndbox>"
        "<cx>580.7887</cx><cy>343.2913</cy><w>775.0449</w><h>170.2159</h><angle>2.889813</angle>"
        "</robndbox></object>"
    )
    value = read_text(tmp_path, document(turned, size=(1200, 800))).annotations[0].value
    assert isinstance(value, OrientedBox)
    assert geometry.corners(value) == pytest.approx(
        (977.296, 329.173, 226.687, 522.258, 184.282, 357.409, 934.89, 164.324), abs=1e-3
    )


def test_29_odd_flags_sizes_floats_and_corners_are_read(tmp_path: Path) -> None:
    text = document(
        box("a", 5.5, 6, 7.5, 8, "<difficult>Unspecified</difficult>"),
        box("b", 10, 835, 20, 833),
        size=None,
    )
    result = read_text(tmp_path, text)
    first, second = result.annotations
    assert edges(first) == (5.5, 6, 2, 2)
    assert first.extra["voc:difficult"] == "Unspecified"
    assert edges(second) == (10, 833, 10, 2)
    assert result.codes() == ["R113", "R133", "R116"]
    assert result.told("R133")[0].endswith("1.xml:4:1#/annotation/object[2]")
    assert result.one.media == Image()
    asked = read_text(tmp_path, text, flags="classifications")
    assert asked.annotations[0].classifications == ()
    assert asked.annotations[0].extra["voc:difficult"] == "Unspecified"


def test_29_a_size_that_is_missing_comes_from_the_pictures_header(tmp_path: Path) -> None:
    from PIL import Image as Pictures

    (tmp_path / "JPEGImages").mkdir()
    Pictures.new("RGB", (40, 30)).save(tmp_path / "JPEGImages" / "1.png")
    laid_out(tmp_path, {"Annotations/1.xml": document(box("a", 1, 2, 3, 4), size=(0, 0))})
    result = read(tmp_path)
    assert result.one.media == Image(40, 30)
    assert "R116" not in result.codes()
    elsewhere = tmp_path / "elsewhere"
    laid_out(elsewhere, {"1.xml": document(box("a", 1, 2, 3, 4), size=None, filename="1.png")})
    assert read(elsewhere).one.media == Image()
    media = MediaFiles(tmp_path / "JPEGImages")
    assert read(elsewhere, media=media).one.media == Image(40, 30)


def test_30_hostile_xml_is_rejected_at_once_and_a_bare_document_type_is_not(
    tmp_path: Path,
) -> None:
    laughs = "".join(f'<!ENTITY x{n} "{f"&x{n - 1};" * 10}">' for n in range(1, 10))
    whole = document(box("a", 1, 2, 3, 4))
    laid_out(
        tmp_path,
        {
            "1.xml": f'<!DOCTYPE annotation [<!ENTITY x0 "lol">{laughs}]>{whole}',
            "2.xml": '<!DOCTYPE annotation [<!ENTITY x SYSTEM "file:///etc/hostname">]>\n'
            "<annotation>&x;</annotation>",
            "3.xml": f"<!DOCTYPE annotation>{whole}".replace("1.jpg", "3.jpg"),
        },
    )
    started = time.perf_counter()
    result = read(tmp_path)
    assert time.perf_counter() - started < 0.3
    assert result.one.key == "3.jpg"
    assert [place.rpartition("/")[2] for place in result.told("R101")] == [
        "1.xml:1:22",
        "2.xml:1:22",
    ]
    assert result.report.take_rejected()[1].record.startswith(b"<!DOCTYPE annotation [")


def test_peers_8_fractions_do_not_make_a_devkits_set_one_of_edges(tmp_path: Path) -> None:
    # VOC2012, 2011_003353.xml
    text = document(box("train", "45.70000076293945", 74, "500", "335.5"), head=DEVKIT)
    value = read_text(tmp_path, text).annotations[0].value
    assert value == Box(45.70000076293945 - 1, 73, 500, 335.5)


def test_peers_8_the_origin_is_what_the_option_says_whatever_the_files_look_like(
    tmp_path: Path,
) -> None:
    text = document(box("dog", 48, 240, 195, 371), head=DEVKIT)
    zero = read_text(tmp_path, text, origin="zero")
    assert (edges(zero.annotations[0]), zero.codes()) == ((48, 240, 147, 131), [])
    text = document(box("dog", 0, 240, 195, 371))
    one = read_text(tmp_path, text, origin="one")
    assert edges(one.annotations[0]) == (-1, 239, 196, 132)
    assert one.codes() == ["M203"]


def test_peers_8_boxes_past_the_border_are_kept_and_told(tmp_path: Path) -> None:
    result = read_text(tmp_path, document(box("a", -3, 5, 510, 20)))
    assert edges(result.annotations[0]) == (-3, 5, 513, 15)
    assert result.words("M203") == ["the box reaches 10 px past the picture's border"]


def test_peers_14_a_file_without_objects_is_a_picture_without_objects(tmp_path: Path) -> None:
    laid_out(tmp_path, {"a/1.xml": document(filename="1.jpg"), "a/2.xml": document(filename=None)})
    result = read(tmp_path)
    assert [(s.key, s.annotations) for s in result.samples] == [("a/1.jpg", ()), ("a/2", ())]


def test_peers_15_pictures_of_one_name_in_two_folders_stay_two(tmp_path: Path) -> None:
    text = document(box("a", 1, 2, 3, 4))
    laid_out(tmp_path, {"Annotations/a/1.xml": text, "Annotations/b/1.xml": text})
    assert [sample.key for sample in read(tmp_path).samples] == ["a/1.jpg", "b/1.jpg"]


def test_peers_16_odd_spellings_of_file_names_find_their_picture(tmp_path: Path) -> None:
    names = {
        "1.xml": r"C:\data\pictures\1.jpg",
        "caf\u00e9.xml": "cafe\u0301.jpg",
        "r\u00e9.xml": "r%C3%A9.jpg",
        "a b.xml": " a b.jpg ",
        "._1.xml": "1.jpg",
        "x.y.xml": "x.y.jpeg",
    }
    files = {name: document(box("a", 1, 2, 3, 4), filename=given) for name, given in names.items()}
    laid_out(tmp_path, files)
    result = read(tmp_path)
    assert sorted(sample.key for sample in result.samples) == sorted(
        ["1.jpg", "caf\u00e9.jpg", "r\u00e9.jpg", "a b.jpg", "x.y.jpeg"]
    )
    assert "R133" not in result.codes()


@pytest.mark.parametrize("number", ["nan", "inf", "-Infinity", "1e999"])
def test_peers_18_numbers_that_are_none_reject_their_object_alone(
    number: str, tmp_path: Path
) -> None:
    text = document(box("a", 1, 2, number, 4), box("b", 1, 2, 3, 4))
    result = read_text(tmp_path, text)
    assert [annotation.id for annotation in result.annotations] == ["2"]
    rejected = result.report.take_rejected()
    assert [each.record for each in rejected] == [box("a", 1, 2, number, 4).encode()]
    assert [each.where.line for each in rejected] == [3]


def test_peers_18_boxes_without_area_are_kept_and_told(tmp_path: Path) -> None:
    result = read_text(tmp_path, document(box("a", 5, 5, 5, 9)), origin="zero")
    assert edges(result.annotations[0]) == (5, 5, 0, 4)
    assert result.codes() == ["M202"]
