"""What VOC files say beside their boxes: parts, actions, flags, attributes, other shapes."""

from __future__ import annotations

from pathlib import Path

import pytest
from voc_help import VOC, box, document, edges, laid_out, read, read_text

import labelconv as lc
from labelconv.errors import LabelconvError, SourceError
from labelconv.io import Source
from labelconv.model import (
    Box,
    Checklist,
    Classification,
    FreeText,
    OrientedBox,
    Point,
    Polygon,
    Radio,
    Relation,
)

PERSON = box(
    "person",
    10,
    20,
    60,
    120,
    "<part><name>head</name><bndbox><xmin>20.5</xmin><ymin>21</ymin><xmax>40</xmax>"
    "<ymax>45</ymax></bndbox></part>"
    "<part><name>hand</name><bndbox><ymin>61</ymin><xmin>12</xmin><xmax>20</xmax>"
    "<ymax>70</ymax></bndbox></part>",
)


def test_parts_are_boxes_that_name_their_object(tmp_path: Path) -> None:
    person, head, hand = read_text(tmp_path, document(PERSON), origin="one").annotations
    assert (person.category, edges(person)) == ("person", (9, 19, 51, 101))
    assert (head.id, head.category, head.value) == ("1.1", "head", Box(19.5, 20, 40, 45))
    assert (hand.id, hand.extra) == ("1.2", {"voc:part_of": "1"})


def test_parts_can_be_relations_or_left_out(tmp_path: Path) -> None:
    related = read_text(tmp_path, document(PERSON), parts="relation")
    assert related.one.relations == (
        Relation("1.1 of 1", "part of", "1.1", "1"),
        Relation("1.2 of 1", "part of", "1.2", "1"),
    )
    assert related.report.ledger.relations.read == 2
    without = read_text(tmp_path, document(PERSON), parts="skip")
    assert [each.category for each in without.annotations] == ["person"]
    assert without.report.ledger.annotations.skipped == 2


def test_a_part_that_is_wrong_is_rejected_alone_and_parts_of_parts_are_read(
    tmp_path: Path,
) -> None:
    nested = PERSON.replace("<name>hand</name>", "<name>hand</name>" + _part("finger"), 1)
    nested = nested.replace("20.5", "wide")
    result = read_text(tmp_path, document(nested))
    assert [(each.id, each.category) for each in result.annotations] == [
        ("1", "person"),
        ("1.2", "hand"),
        ("1.2.1", "finger"),
    ]
    assert result.told("R101")[0].endswith("#/annotation/object[1]/part[1]/xmin")


def _part(name: str) -> str:
    return box(name, 1, 2, 3, 4).replace("object>", "part>")


def test_many_parts_inside_of_each_other_break_nothing(tmp_path: Path) -> None:
    part = _part("a").removesuffix("</part>")
    text = document(box("a", 1, 2, 3, 4, part * 3_000 + "</part>" * 3_000))
    result = read_text(tmp_path, text, extra=frozenset())
    assert len(result.annotations) == 3_001


def test_actions_are_a_checklist_of_those_that_are_1(tmp_path: Path) -> None:
    acting = box("person", 1, 2, 3, 4, "<actions><jumping>1</jumping><other>0</other></actions>")
    (person,) = read_text(tmp_path, document(acting)).annotations
    assert person.classifications == (Classification("actions", Checklist((Radio("jumping"),))),)
    assert person.extra == {"voc:actions": ["jumping", "other"]}


def test_attributes_are_chosen_options_unless_texts_are_asked_for(tmp_path: Path) -> None:
    told = (
        "<attributes><attribute><name>color</name><value>dark red</value></attribute>"
        "<attribute><name>empty</name><value/></attribute></attributes>"
    )
    result = read_text(tmp_path, document(box("car", 1, 2, 3, 4, told)))
    assert result.annotations[0].classifications == (Classification("color", Radio("dark red")),)
    assert result.annotations[0].extra == {"voc:attributes": {"name": "empty", "value": ""}}
    texts = read_text(tmp_path, document(box("car", 1, 2, 3, 4, told)), attributes="text")
    assert texts.annotations[0].classifications == (
        Classification("color", FreeText("dark red")),
        Classification("empty", FreeText("")),
    )


def test_flags_are_fields_unless_answers_are_asked_for(tmp_path: Path) -> None:
    flags = (
        "<pose>Left</pose><truncated>1</truncated><difficult>0</difficult><occluded>yes</occluded>"
    )
    text = document(box("car", 1, 2, 3, 4, flags))
    plain = read_text(tmp_path, text).annotations[0]
    assert plain.extra == {
        "voc:pose": "Left",
        "voc:truncated": "1",
        "voc:difficult": "0",
        "voc:occluded": "yes",
    }
    asked = read_text(tmp_path, text, flags="classifications").annotations[0]
    assert asked.extra == {}
    assert asked.classifications == (
        Classification("pose", Radio("Left")),
        Classification("truncated", Radio("true")),
        Classification("difficult", Radio("false")),
        Classification("occluded", Radio("true")),
    )


def test_polygons_of_rectlabel_and_roboflow_are_the_shape_and_boxes_only_beside(
    tmp_path: Path,
) -> None:
    ring = "<polygon><x1>10</x1><y1>10</y1><x2>30</x2><y2>10.5</y2><x3>20</x3><y3>40</y3></polygon>"
    value = read_text(tmp_path, document(box("a", 10, 10, 30, 40, ring))).annotations[0].value
    assert value == Polygon((((10, 10, 30, 10.5, 20, 40),),))
    odd = read_text(tmp_path, document(box("a", 90, 10, 99, 40, ring)))
    assert odd.words("R109")[0].endswith("by 80 px")


@pytest.mark.parametrize(
    "ring",
    [
        "<x1>1</x1><y1>1</y1><x2>2</x2><y2>2</y2>",
        "<x1>1</x1><y1>1</y1><x2>2</x2><y2>2</y2><x3>2</x3>",
        "<x1>1</x1><y1>1</y1><x2>2</x2><y2>2</y2><x4>2</x4><y4>3</y4>",
        "<x1>1</x1><y1>one</y1>",
    ],
    ids=["two points", "odd", "gap", "no number"],
)
def test_polygons_that_are_none_reject_their_object(ring: str, tmp_path: Path) -> None:
    text = document(box("a", 1, 1, 2, 2, f"<polygon>{ring}</polygon>"), box("b", 1, 1, 2, 2))
    result = read_text(tmp_path, text)
    assert [each.category for each in result.annotations] == ["b"]
    assert result.codes() == ["R113", "R101"]


def test_an_object_of_a_point_alone_is_a_point_at_the_middle_of_its_pixel(tmp_path: Path) -> None:
    point = "<object><name>person</name><point><x>5</x><y>7</y></point></object>"
    assert read_text(tmp_path, document(point), origin="one").annotations[0].value == Point(
        4.5, 6.5
    )
    assert read_text(tmp_path, document(point), origin="zero").annotations[0].value == Point(5, 7)
    both = box("person", 1, 2, 3, 4, "<point><x>5</x><y>7</y></point>")
    assert read_text(tmp_path, document(both)).annotations[0].extra == {
        "voc:point": {"x": "5", "y": "7"}
    }


def test_a_rotated_box_is_read_as_it_is_in_a_set_counted_from_1(tmp_path: Path) -> None:
    turned = "<robndbox><cx>50</cx><cy>40</cy><w>20</w><h>40</h><angle>0</angle></robndbox>"
    value = read_text(tmp_path, document(box("a", 41, 21, 60, 60, turned)), origin="one")
    assert value.annotations[0].value == OrientedBox(50, 40, 20, 40, 0)


def test_a_detectors_confidence_is_read_and_one_out_of_range_is_only_kept(tmp_path: Path) -> None:
    text = document(
        box("a", 1, 2, 3, 4, "<confidence>0.75</confidence>"),
        box("b", 1, 2, 3, 4, "<score>87</score>"),
    )
    first, second = read_text(tmp_path, text).annotations
    assert (first.confidence, first.extra) == (0.75, {})
    assert (second.confidence, second.extra) == (None, {"voc:score": "87"})


def test_fields_of_the_picture_are_kept_for_voc_and_counted_for_others(tmp_path: Path) -> None:
    head = (
        "<folder>x</folder><owner><name>me</name><name>you</name></owner><segmented>0</segmented>"
    )
    text = document(box("a", 1, 2, 3, 4, "<track_id>7</track_id>"), head=head)
    text = text.replace("<annotation>", '<annotation verified="yes">')
    kept = read_text(tmp_path, text)
    assert kept.one.extra == {
        "voc:folder": "x",
        "voc:owner": {"name": ["me", "you"]},
        "voc:segmented": "0",
        "voc:depth": "3",
        "voc:@verified": "yes",
    }
    assert kept.annotations[0].extra == {"voc:track_id": "7"}
    assert kept.report.fields == {}
    counted = read_text(tmp_path, text, extra=frozenset())
    assert set(counted.report.fields) == {*kept.one.extra, "voc:track_id"}
    assert counted.one.extra == {}


@pytest.mark.parametrize(
    ("record", "pointer"),
    [
        ("<object><bndbox/></object>", "object[1]"),
        ("<object><name>a</name></object>", "object[1]"),
        ("<object><name>a</name><bndbox><xmin>1</xmin></bndbox></object>", "object[1]/bndbox"),
        (box("a", 1, 2, "1,5", 4), "object[1]/xmax"),
        (box("", 1, 2, 3, 4), "object[1]"),
    ],
    ids=["no name", "no shape", "three corners missing", "comma", "name empty"],
)
def test_an_object_that_cannot_be_read_is_rejected_alone_verbatim_with_its_place(
    record: str, pointer: str, tmp_path: Path
) -> None:
    result = read_text(tmp_path, document(record, box("b", 1, 2, 3, 4)))
    assert [each.category for each in result.annotations] == ["b"]
    assert result.told("R101")[0].endswith(f"#/annotation/{pointer}")
    (rejected,) = result.report.take_rejected()
    assert (rejected.record, rejected.where.line) == (record.encode(), 3)


@pytest.mark.parametrize(
    ("data", "place"),
    [
        (b"<annotation>\n<object>", "1.xml:2:9"),
        (b"", "1.xml:1:1"),
        (b"<annotations><image/></annotations>", "1.xml#/annotations"),
        (b"<annotation>\xff</annotation>", "1.xml:1:13"),
    ],
    ids=["cut", "empty", "CVAT", "bytes"],
)
def test_a_file_that_cannot_be_read_is_a_rejected_sample(
    data: bytes, place: str, tmp_path: Path
) -> None:
    laid_out(tmp_path, {"1.xml": data, "2.xml": document(filename="2.jpg")})
    result = read(tmp_path)
    assert result.one.key == "2.jpg"
    assert [told.endswith(place) for told in result.told("R101")] == [True]
    assert result.report.take_rejected()[0].record == data


LABELME = (
    "<annotation><filename>1.jpg</filename><folder>f</folder><source><sourceImage>x</sourceImage>"
    "</source><object><name>car</name><deleted>0</deleted><polygon><username>me</username>"
    "<pt><x>1</x><y>2</y></pt><pt><x>3</x><y>2</y></pt><pt><x>3</x><y>5</y></pt></polygon>"
    "</object></annotation>"
)


def test_labelmes_files_are_refused_by_their_name(tmp_path: Path) -> None:
    laid_out(
        tmp_path, {"1.xml": LABELME, "2.xml": "<annotation><filename>2.jpg</filename></annotation>"}
    )
    with pytest.raises(SourceError, match="LabelMe"):
        read(tmp_path)
    with pytest.raises(LabelconvError, match="voc: LabelMe"):
        lc.read(tmp_path)
    with pytest.raises(LabelconvError, match="voc: LabelMe"):
        lc.read(tmp_path / "1.xml")


def test_one_file_of_labelme_among_others_is_rejected_alone(tmp_path: Path) -> None:
    laid_out(tmp_path, {"1.xml": document(box("a", 1, 2, 3, 4)), "2.xml": LABELME})
    result = read(tmp_path)
    assert result.one.key == "1.jpg"
    assert "LabelMe" in result.words("R101")[0]


def test_a_file_in_an_encoding_of_many_bytes_is_read_and_its_faults_are_placed(
    tmp_path: Path,
) -> None:
    text = document(box("汽车", 1, 2, 3, 4), box("狗", 1, 2, "x", 4))
    data = f'<?xml version="1.0" encoding="gbk"?>\n{text}'.encode("gbk")
    result = read_text(tmp_path, data)
    assert [each.category for each in result.annotations] == ["汽车"]
    (rejected,) = result.report.take_rejected()
    assert (rejected.where.line, rejected.record.decode()) == (5, box("狗", 1, 2, "x", 4))


def test_reading_again_gives_the_same_and_the_ontology_counts_nothing(tmp_path: Path) -> None:
    laid_out(tmp_path, {"1.xml": document(PERSON)})
    dataset = lc.read(tmp_path, "voc")
    names = [each.name for each in dataset.ontology.categories]
    assert names == ["person", "head", "hand"]
    assert dataset.report.ledger.annotations.read == 0
    assert list(dataset) == list(dataset)


def test_a_single_file_is_read_from_a_stream_of_bytes_as_well(tmp_path: Path) -> None:
    import gzip

    packed = laid_out(tmp_path, {"1.xml.gz": gzip.compress(document(PERSON).encode())})
    assert VOC.read is not None
    result = read(packed / "1.xml.gz")
    assert len(result.annotations) == 3
    assert Source(packed / "1.xml.gz").is_folder is False
