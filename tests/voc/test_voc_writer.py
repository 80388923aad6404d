"""What is written, as others read it: by the devkit's rules, torchvision's, and our reader."""

from __future__ import annotations

import collections
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from voc_help import box, document, edges, laid_out, read, read_text

import labelconv as lc
from labelconv.errors import LabelconvError
from labelconv.model import (
    Annotation,
    Box,
    Checklist,
    Classification,
    FreeText,
    Image,
    OrientedBox,
    Point,
    Polygon,
    Radio,
    Sample,
    Samples,
)
from labelconv.problems import Report

BOXES = Samples(
    [
        Sample(
            "train/a/1.jpg",
            Image(500, 400),
            (
                Annotation("1", "dog", Box(47, 239, 195, 371)),
                Annotation("2", "a & b <c>", Box(0, 0, 500, 400)),
                Annotation("3", "v1.0", Box(0.25, 1.5, 45.70000076293945, 1e-7)),
            ),
        ),
        Sample("val/2.png", Image()),
    ]
)


def write(dataset: Samples, folder: Path, **options: Any) -> tuple[Path, Report]:
    report = lc.write(dataset, folder / "kit", "voc", options=options, allow=["loss"])
    assert report.ledger.balanced
    return folder / "kit", report


def parse_voc_xml(node: ET.Element) -> dict[str, Any]:
    """torchvision's reading of an element (`torchvision/datasets/voc.py`, VOCDetection, 0.20),
    re-told: leaves are texts; children are gathered by tag in lists; `object` stays a list, lists
    of one are unpacked."""
    children = list(node)
    if not children:
        return {node.tag: (node.text or "").strip()}
    gathered: dict[str, list[Any]] = collections.defaultdict(list)
    for child in children:
        for tag, value in parse_voc_xml(child).items():
            gathered[tag].append(value)
    if node.tag == "annotation":
        gathered["object"] = [gathered["object"]]
    return {node.tag: {tag: v[0] if len(v) == 1 else v for tag, v in gathered.items()}}


def test_torchvisions_parser_finds_the_devkits_fields(tmp_path: Path) -> None:
    place, _ = write(BOXES, tmp_path)
    ids = (place / "ImageSets" / "Main" / "trainval.txt").read_text().splitlines()
    assert ids == ["train/a/1", "val/2"]
    found = parse_voc_xml(ET.parse(place / "Annotations" / f"{ids[0]}.xml").getroot())
    annotation = found["annotation"]
    assert annotation["filename"] == "1.jpg"
    assert annotation["size"] == {"width": "500", "height": "400", "depth": "3"}
    assert [each["name"] for each in annotation["object"]] == ["dog", "a & b <c>", "v1.0"]
    assert annotation["object"][0] == {
        "name": "dog",
        "pose": "Unspecified",
        "truncated": "0",
        "difficult": "0",
        "bndbox": {"xmin": "48", "ymin": "240", "xmax": "195", "ymax": "371"},
    }
    assert annotation["object"][1]["bndbox"]["xmin"] == "1"
    negative = parse_voc_xml(ET.parse(place / "Annotations" / "val" / "2.xml").getroot())
    assert negative["annotation"]["object"] == []
    assert "size" not in negative["annotation"]


def test_detectron2s_rule_gives_the_boxes_back(tmp_path: Path) -> None:
    """`detectron2/data/datasets/pascal_voc.py`: minus 1 from xmin and ymin, as they are 1-based."""
    place, _ = write(BOXES, tmp_path)
    tree = ET.parse(place / "Annotations" / "train" / "a" / "1.xml")
    for element, annotation in zip(
        tree.findall("object"), next(iter(BOXES)).annotations, strict=True
    ):
        box = [
            float(element.findtext(f"bndbox/{edge}") or "nan")
            for edge in ("xmin", "ymin", "xmax", "ymax")
        ]
        box[0] -= 1.0
        box[1] -= 1.0
        value = annotation.value
        assert isinstance(value, Box)
        assert box == pytest.approx([value.x0, value.y0, value.x1, value.y1], abs=1e-9)


@pytest.mark.parametrize("origin", ["one", "zero"])
def test_our_reader_knows_the_origin_without_a_guess(origin: str, tmp_path: Path) -> None:
    place, report = write(BOXES, tmp_path, origin=origin)
    assert report.counts == {"R116": 1}
    result = read(place)
    assert "R113" not in result.codes()
    assert edges(result.samples[0].annotations[0]) == (47, 239, 148, 132)
    text = (place / "Annotations" / "train" / "a" / "1.xml").read_text()
    assert ("<xmin>48</xmin>" in text) is (origin == "one")


def test_a_name_that_ends_like_a_whole_number_keeps_its_digits(tmp_path: Path) -> None:
    place, _ = write(BOXES, tmp_path)
    text = (place / "Annotations" / "train" / "a" / "1.xml").read_text()
    assert "<name>v1.0</name>" in text
    assert "<xmax>45.70000076293945</xmax>" in text


def test_whole_pixels_are_written_when_asked_for_and_the_difference_is_measured(
    tmp_path: Path,
) -> None:
    given = [Box(0.4, 0.6, 10.5, 10), Box(3.1, 3, 3.4, 9), Box(1, 2, 3, 4)]
    annotations = tuple(Annotation(str(n), "a", value) for n, value in enumerate(given))
    place, report = write(
        Samples([Sample("1.jpg", Image(20, 20), annotations)]), tmp_path, round="true"
    )
    assert [each.value for each in read(place).annotations] == [
        Box(0, 1, 11, 10),
        Box(3, 3, 4, 9),
        Box(1, 2, 3, 4),
    ]
    assert report.counts["L413"] == 2
    assert report.measures["L413"].worst == pytest.approx(0.3)
    assert (report.ledger.annotations.kept, report.ledger.annotations.changed) == (1, 2)


RING = (10.0, 10.0, 30.5, 10.0, 20.0, 40.0)
TURNED = OrientedBox(50, 40, 20, 40, 30)
SHAPES = Samples(
    [
        Sample(
            "1.jpg",
            Image(100, 100),
            (
                Annotation("1", "a", Polygon(((RING,),))),
                Annotation("2", "b", TURNED),
                Annotation("3", "c", Point(5.5, 6)),
            ),
        )
    ]
)


def test_the_extended_dialect_keeps_shapes_and_writes_boxes_around_them(tmp_path: Path) -> None:
    place, report = write(SHAPES, tmp_path, dialect="extended")
    assert report.ledger.annotations.kept == 3
    polygon, turned, point = read(place).annotations
    assert polygon.value == Polygon(((RING,),))
    assert point.value == Point(5.5, 6)
    assert isinstance(turned.value, OrientedBox)
    assert turned.value.angle == pytest.approx(30)
    root = ET.parse(place / "Annotations" / "1.xml").getroot()
    assert root.findtext("object/bndbox/xmin") == "11"
    assert root.findall("object")[1].find("bndbox") is not None


def test_the_devkits_dialect_has_boxes_alone_and_the_loss_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LabelconvError):
        lc.write(SHAPES, tmp_path / "kit", "voc")
    place, report = write(SHAPES, tmp_path)
    assert [type(each.value) for each in read(place).annotations] == [Box, Box]
    assert report.counts == {"L401": 1, "L402": 2}


def test_answers_of_all_kinds_come_back_in_their_order(tmp_path: Path) -> None:
    answers = (
        Classification("color", Radio("dark red")),
        Classification("actions", Checklist((Radio("jumping"), Radio("other")))),
        Classification("note", FreeText(" two\nlines & <more> ")),
        Classification("tags", Checklist((Radio("b"), Radio("a")))),
        Classification("actions", Checklist((Radio("not a name"),))),
    )
    dataset = Samples(
        [Sample("1.jpg", Image(9, 9), (Annotation("1", "a", Box(0, 0, 1, 1), answers),))]
    )
    place, report = write(dataset, tmp_path)
    assert read(place).annotations[0].classifications == answers
    assert report.ledger.annotations.kept == 1


def test_voc_to_voc_keeps_what_only_voc_has(tmp_path: Path) -> None:
    more = (
        "<pose>Left</pose><truncated>1</truncated><occluded>1</occluded><difficult>1</difficult>"
        "<part><name>head</name><bndbox><xmin>2.5</xmin><ymin>2</ymin><xmax>3</xmax><ymax>4</ymax>"
        "</bndbox></part><actions><jumping>0</jumping><running>1</running></actions>"
        "<point><x>2</x><y>3</y></point><track>7</track>"
    )
    head = (
        "<folder>VOC2012</folder><path>C:/x/1.jpg</path><source><database>The VOC2012 Database"
        "</database><image>flickr</image></source><owner><name>me</name></owner>"
    )
    text = document(box("person", 1, 2, 30, 40, more), box("dog", 1, 2, 3, 4), head=head)
    (tmp_path / "in").mkdir()
    before = read_text(tmp_path / "in", text).one
    report = lc.convert(tmp_path / "in", tmp_path / "out", from_="voc", to="voc")
    assert report.losses == 0
    result = read(tmp_path / "out")
    after = result.one
    assert after.annotations[0] == before.annotations[0]
    assert after.annotations[1] == before.annotations[1]
    assert after.annotations[2].value == before.annotations[2].value
    assert after.extra["voc:owner"] == {"name": "me"}
    assert after.extra["voc:source"] == {
        "database": "The VOC2012 Database",
        "image": "flickr",
        "annotation": "labelconv (pixels counted from 1)",
    }
    xml = (tmp_path / "out" / "Annotations" / "1.xml").read_text()
    assert xml.count("<part>") == 1
    assert "<jumping>0</jumping>" in xml


def test_fields_that_cannot_be_elements_do_no_harm(tmp_path: Path) -> None:
    extra = {"voc:a b": "x", "voc:c": {"1": "y", "d": ["\x00", None, 3]}, "coco:id": 3}
    dataset = Samples(
        [
            Sample(
                "1.jpg",
                Image(9, 9),
                (Annotation("1", "a", Box(0, 0, 1, 1), extra=extra),),
                extra=extra,
            )
        ]
    )
    place, _ = write(dataset, tmp_path)
    assert read(place).annotations[0].extra["voc:c"] == {"d": ["%00", "", "3"]}


def test_a_part_whose_object_is_not_there_is_an_object_of_its_own(tmp_path: Path) -> None:
    lone = Annotation("9", "head", Box(0, 0, 1, 1), extra={"voc:part_of": "1"})
    place, report = write(Samples([Sample("1.jpg", Image(9, 9), (lone,))]), tmp_path)
    assert [each.category for each in read(place).annotations] == ["head"]
    assert report.fields == {"voc:part_of": 1}


def test_the_list_of_pictures_has_the_name_that_is_asked_for(tmp_path: Path) -> None:
    place, _ = write(BOXES, tmp_path, set="val")
    assert [s.key for s in read(place, set="val").samples] == ["train/a/1.jpg", "val/2.png"]
    with pytest.raises(LabelconvError):
        write(BOXES, laid_out(tmp_path / "b", {"x": ""}), set="a/b")


def test_writing_twice_gives_the_same_bytes(tmp_path: Path) -> None:
    contents = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        place, _ = write(SHAPES, tmp_path / name, dialect="extended")
        contents.append({p.relative_to(place): p.read_bytes() for p in place.rglob("*.*")})
    assert contents[0] == contents[1]
    assert len(contents[0]) == 2


def test_attributes_of_the_root_come_back_and_those_of_objects_are_counted(tmp_path: Path) -> None:
    text = document(box("a", 1, 2, 3, 4)).replace("<object>", '<object id="7">')
    text = text.replace("<annotation>", '<annotation verified="&quot;yes&amp;no&quot;">')
    source = laid_out(tmp_path / "in", {"1.xml": text})
    report = lc.convert(source, tmp_path / "out", from_="voc", to="voc")
    assert report.fields["voc:@id (of objects)"] == 1
    root = ET.parse(tmp_path / "out" / "Annotations" / "1.xml").getroot()
    assert root.attrib == {"verified": '"yes&no"'}
    assert read(tmp_path / "out").one.extra["voc:@verified"] == '"yes&no"'


def test_a_score_beside_a_confidence_is_kept_beside_the_annotation(tmp_path: Path) -> None:
    both = "<confidence>0.5</confidence><score>0.25</score>"
    (annotation,) = read_text(tmp_path, document(box("a", 1, 2, 3, 4, both))).annotations
    assert (annotation.confidence, annotation.extra) == (0.5, {"voc:score": "0.25"})
