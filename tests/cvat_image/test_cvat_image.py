"""CVAT for images: every element, the header's labels, and files that come back."""

from __future__ import annotations

import time
import tracemalloc
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element, fromstring

import pytest

import labelconv as lc
from labelconv import geometry, masks
from labelconv.errors import SourceError
from labelconv.model import (
    Annotation,
    Box,
    Category,
    Classification,
    FreeText,
    Image,
    Keypoint,
    Keypoints,
    Mask,
    Ontology,
    Option,
    OrientedBox,
    Point,
    Polygon,
    Polyline,
    Question,
    Radio,
    Sample,
    Samples,
)
from labelconv.problems import Report

FIXTURES = Path(__file__).parents[1] / "fixtures" / "cvat-image"


def put(path: Path, inside: str, head: str = "") -> Path:
    image = f'<image id="0" name="1.jpg" width="60" height="50">{inside}</image>'
    path.write_text(f"<annotations>{head}{image}</annotations>", encoding="utf-8")
    return path


def read(path: Path) -> tuple[list[Sample], Report]:
    dataset = lc.read(path, "cvat-image")
    return list(dataset), dataset.report


def values(path: Path) -> list[Any]:
    return [annotation.value for annotation in read(path)[0][0].annotations]


def written(folder: Path, *samples: Sample, ontology: Ontology | None = None) -> Element:
    lc.write(Samples(samples, ontology), folder / "out.xml", "cvat-image")
    return fromstring((folder / "out.xml").read_text(encoding="utf-8"))


def test_a_rotation_of_30_degrees_on_a_picture_that_is_no_square_gives_the_known_corners(
    tmp_path: Path,
) -> None:
    box = '<box label="a" xtl="10" ytl="20" xbr="50" ybr="40" rotation="30.00"></box>'
    (found,) = values(put(tmp_path / "1.xml", box))
    assert found == OrientedBox(30, 30, 40, 20, 30)
    known = (17.6795, 11.3397, 52.3205, 31.3397, 42.3205, 48.6603, 7.6795, 28.6603)
    assert geometry.corners(found) == pytest.approx(known, abs=1e-4)


@pytest.mark.parametrize("angle", [-180.0, -30.0, 0.0, 30.0, 90.0, 359.0])
def test_a_rotated_box_stays_one_also_when_it_is_not_turned_at_all(
    angle: float, tmp_path: Path
) -> None:
    box = OrientedBox(30, 12.5, 20, 8, angle)
    root = written(tmp_path, Sample("1.jpg", Image(60, 30), (Annotation("0", "a", box),)))
    (element,) = root.iter("box")
    assert float(element.attrib["rotation"]) % 360 == angle % 360
    (found,) = values(tmp_path / "out.xml")
    assert geometry.corners(found) == pytest.approx(geometry.corners(box), abs=1e-9)


def test_a_rotation_of_0_is_an_upright_box_as_cvat_means_it(tmp_path: Path) -> None:
    box = '<box label="a" xtl="10" ytl="20" xbr="50" ybr="40" rotation="0.0"></box>'
    assert values(put(tmp_path / "1.xml", box)) == [Box(10, 20, 50, 40)]


def test_the_runs_of_a_mask_go_row_by_row_inside_its_box(tmp_path: Path) -> None:
    mask = '<mask label="a" rle="0, 2, 1, 1, 2" left="40" top="30" width="3" height="2"></mask>'
    (found,) = values(put(tmp_path / "1.xml", mask))
    assert found.size == (50, 60)
    assert masks.to_array(found)[30:32, 40:43].tolist() == [[1, 1, 0], [1, 0, 0]]
    assert masks.area(found) == 3
    again = written(tmp_path, Sample("1.jpg", Image(60, 50), (Annotation("0", "a", found),)))
    (element,) = again.iter("mask")
    wanted = {"rle": "0, 3, 1", "left": "40", "top": "30", "width": "2", "height": "2"}
    assert {name: element.attrib[name] for name in wanted} == wanted
    assert values(tmp_path / "out.xml") == [found]


def test_an_empty_mask_comes_back_empty(tmp_path: Path) -> None:
    mask = Mask((50, 60), (3000,))
    written(tmp_path, Sample("1.jpg", Image(60, 50), (Annotation("0", "a", mask),)))
    assert values(tmp_path / "out.xml") == [mask]


def test_a_skeleton_has_its_points_by_name_and_those_outside_are_left_away(tmp_path: Path) -> None:
    samples, _ = read(FIXTURES / "street" / "input" / "annotations.xml")
    (skeleton,) = [a for a in samples[0].annotations if isinstance(a.value, Keypoints)]
    assert skeleton.value == Keypoints(
        (Keypoint("left ear", 7, 8, visible=False), Keypoint("nose", 5, 6))
    )
    ontology = lc.read(FIXTURES / "street" / "input" / "annotations.xml").ontology
    person = next(each for each in ontology.categories if each.name == "person")
    assert person.keypoints == ("nose", "left ear", "right ear")
    assert person.skeleton == ((0, 2),)


def test_a_skeleton_is_written_with_all_points_of_its_label_and_read_back(tmp_path: Path) -> None:
    person = Category(name="person", keypoints=("nose", "ear", "eye"), skeleton=((0, 1), (2, 0)))
    value = Keypoints((Keypoint("nose", 5, 6), Keypoint("eye", 7, 8, visible=False)))
    sample = Sample("1.jpg", Image(60, 50), (Annotation("0", "person", value),))
    root = written(tmp_path, sample, ontology=Ontology(categories=(person,)))
    (skeleton,) = root.iter("skeleton")
    told = [(p.get("label"), p.get("outside"), p.get("occluded")) for p in skeleton]
    assert told == [("nose", "0", "0"), ("ear", "1", "0"), ("eye", "0", "1")]
    assert values(tmp_path / "out.xml") == [value]
    again = lc.read(tmp_path / "out.xml").ontology.categories
    assert [(c.name, c.keypoints, c.skeleton) for c in again] == [
        ("person", person.keypoints, person.skeleton)
    ]


def test_the_outline_of_a_skeleton_is_told_as_lost_since_a_skeletons_label_has_no_box(
    tmp_path: Path,
) -> None:
    value = Keypoints((Keypoint("nose", 5, 6),), Box(0, 0, 9, 9))
    sample = Sample("1.jpg", Image(60, 50), (Annotation("0", "person", value),))
    report = Report()
    lc.write(Samples([sample]), tmp_path / "o.xml", "cvat-image", allow=["loss"], report=report)
    assert report.counts == {"L418": 1}
    assert report.ledger.annotations.lost == 1
    assert values(tmp_path / "o.xml") == [Keypoints(value.points)]


def test_parts_and_holes_become_masks_so_that_one_object_stays_one(tmp_path: Path) -> None:
    one, two = (0, 0, 9, 0, 9, 9, 0, 9), (20, 0, 29, 0, 29, 9, 20, 9)
    hole = (2, 2, 6, 2, 6, 6, 2, 6)
    parts, ring = Polygon(((one,), (two,))), Polygon(((one, hole),))
    shapes = tuple(Annotation(str(n), "a", value) for n, value in enumerate((parts, ring)))
    written(tmp_path, Sample("1.jpg", Image(60, 50), shapes))
    found = values(tmp_path / "out.xml")
    assert [masks.area(each) for each in found] == [162, 65]


def test_attributes_are_answers_by_their_input_type(tmp_path: Path) -> None:
    samples, report = read(FIXTURES / "street" / "input" / "annotations.xml")
    car = samples[0].annotations[0]
    assert car.classifications == (
        Classification("colour", Radio("dark blue")),
        Classification("parked", Radio("true")),
        Classification("plate", FreeText("B & C 1")),
        Classification("doors", FreeText("5")),
    )
    questions = lc.read(FIXTURES / "street" / "input" / "annotations.xml").ontology
    colour = questions.categories[0].questions[0]
    assert [option.name for option in colour.options] == ["red", "dark blue"]
    assert report.ledger.classifications.read == 2


def test_tags_are_answers_about_the_picture(tmp_path: Path) -> None:
    samples, _ = read(FIXTURES / "street" / "input" / "annotations.xml")
    assert samples[0].classifications == (
        Classification("weather", Radio("wet")),
        Classification("blurred", Radio("true")),
    )


def test_answers_keep_their_kind_also_where_one_name_asks_for_both(tmp_path: Path) -> None:
    nested = Classification("car", FreeText("a &lt; <b>\n c"))
    asked = (
        Classification("car", Radio("true", (nested,))),
        Classification("car", Radio("car", (Classification("car", Radio("no")),))),
        Classification("note", FreeText(" two\nlines ")),
    )
    box = Annotation("0", "car", Box(0, 0, 9, 9), (Classification("car", FreeText("x")),))
    sample = Sample("1.jpg", Image(60, 50), (box,), asked)
    written(tmp_path, sample)
    (found,) = read(tmp_path / "out.xml")[0]
    assert found.classifications == asked
    assert found.annotations[0].classifications == box.classifications


def test_the_labels_of_the_header_say_what_questions_there_are(tmp_path: Path) -> None:
    yes, no = Option(name="true"), Option(name="false")
    ontology = Ontology(
        categories=(
            Category(
                name="car & van",
                questions=(
                    Question(name="parked", kind="radio", options=(yes, no)),
                    Question(name="plate", kind="text"),
                    Question(
                        name="colour",
                        kind="radio",
                        options=(Option(name="red"), Option(name="light <blue>")),
                    ),
                ),
            ),
        ),
        questions=(Question(name="note", kind="text"),),
    )
    root = written(tmp_path, ontology=ontology)
    kinds = [each.text for each in root.iter("input_type")]
    assert kinds == ["checkbox", "text", "select", "text"]
    assert lc.read(tmp_path / "out.xml", "cvat-image").ontology == ontology


def test_an_ellipse_becomes_a_polygon_of_its_area_turned_as_it_is(tmp_path: Path) -> None:
    turned = '<ellipse label="a" cx="20" cy="20" rx="8" ry="4" rotation="90"></ellipse>'
    (found,) = values(put(tmp_path / "1.xml", turned))
    assert geometry.area(found) == pytest.approx(3.141592653589793 * 32)
    around = geometry.bounds(found)
    assert around is not None
    assert (around.x1 - around.x0, around.y1 - around.y0) == pytest.approx((8, 16), abs=0.2)


def test_several_points_in_one_element_are_points_of_their_own_and_that_is_told(
    tmp_path: Path,
) -> None:
    points = '<points label="a" points="1,2;3,4;5,6"></points>'
    samples, report = read(put(tmp_path / "1.xml", points))
    assert [a.value for a in samples[0].annotations] == [Point(1, 2), Point(3, 4), Point(5, 6)]
    assert report.counts == {"R133": 1}
    assert report.ledger.annotations.read == 3


def test_a_cuboid_is_rejected_with_its_place_and_the_rest_is_read(tmp_path: Path) -> None:
    inside = '<cuboid label="a" xtl1="1"></cuboid><polyline label="b" points="1,2;3,4"></polyline>'
    samples, report = read(put(tmp_path / "1.xml", inside))
    assert [a.value for a in samples[0].annotations] == [Polyline((1, 2, 3, 4))]
    (rejected,) = report.take_rejected()
    assert rejected.code == "M205"
    assert rejected.where.pointer == "/annotations/image[1]/cuboid[1]"
    assert rejected.record == b'<cuboid label="a" xtl1="1" />'


def test_what_is_said_beside_a_shape_is_kept_for_cvat_and_counted_for_others(
    tmp_path: Path,
) -> None:
    source = FIXTURES / "street" / "input" / "annotations.xml"
    lc.convert(source, tmp_path / "o.xml", from_="cvat-image", to="cvat-image")
    root = fromstring((tmp_path / "o.xml").read_text(encoding="utf-8"))
    box, turned = list(root.iter("box"))
    assert (box.get("occluded"), box.get("z_order"), box.get("source")) == ("1", "2", "manual")
    assert (turned.get("group_id"), turned.get("source")) == ("4", "auto")
    (first, _) = root.iter("image")
    assert (first.get("subset"), first.get("task_id")) == ("train", "7")
    report = lc.convert(source, tmp_path / "o.json", from_="cvat-image", to="coco", allow=["loss"])
    told = {name: n for name, n in report.fields.items() if name.startswith("cvat-image:")}
    assert told == {
        "cvat-image:occluded": 1,
        "cvat-image:z_order": 1,
        "cvat-image:source": 2,
        "cvat-image:group_id": 1,
        "cvat-image:subset (of images)": 1,
        "cvat-image:task_id (of images)": 1,
    }


def test_numbers_of_pictures_are_kept_and_no_number_is_given_twice(tmp_path: Path) -> None:
    said: list[dict[str, Any]] = [{"cvat-image:id": "1"}, {}, {"cvat-image:id": "1"}, {}]
    samples = [Sample(f"{n}.jpg", Image(9, 9), extra=extra) for n, extra in enumerate(said)]
    root = written(tmp_path, *samples)
    assert [image.get("id") for image in root.iter("image")] == ["1", "0", "2", "3"]


def test_names_that_xml_cannot_carry_are_spelled_and_come_back_as_spelled(tmp_path: Path) -> None:
    box = Annotation("0", 'a"b<c>&\x00', Box(0, 0, 9, 9))
    written(tmp_path, Sample('a/"&<ü>\x01.jpg', Image(60, 50), (box,)))
    (found,) = read(tmp_path / "out.xml")[0]
    assert found.annotations[0].category == 'a"b<c>&%00'
    assert found.key == "a/%22&%3Cü%3E%01.jpg"


def test_a_document_type_with_entities_is_refused_in_no_time() -> None:
    started = time.perf_counter()
    with pytest.raises(SourceError):
        read(FIXTURES / "bomb" / "input" / "annotations.xml")
    assert time.perf_counter() - started < 1


def test_tracks_are_refused_with_the_name_of_the_right_format() -> None:
    with pytest.raises(SourceError, match="video"):
        read(FIXTURES / "video" / "input" / "annotations.xml")


def test_an_export_is_found_as_a_file_and_as_a_folder(tmp_path: Path) -> None:
    for place in (
        FIXTURES / "street" / "input" / "annotations.xml",
        FIXTURES / "folder" / "input" / "export",
    ):
        assert "cvat-image" in lc.read(place).report.evidence[0]
    put(tmp_path / "video.xml", "", "<track></track>")
    with pytest.raises(SourceError):
        list(lc.read(tmp_path / "video.xml", "cvat-image"))


def test_memory_does_not_grow_with_the_number_of_pictures(tmp_path: Path) -> None:
    box = '<box label="a" occluded="0" xtl="1" ytl="2" xbr="3" ybr="4" z_order="0"></box>'
    peaks = []
    for count in (200, 1_000):
        images = "".join(
            f'<image id="{n}" name="{n}.jpg" width="60" height="50">{box * 20}</image>'
            for n in range(count)
        )
        path = tmp_path / f"{count}.xml"
        path.write_text(f"<annotations>{images}</annotations>", encoding="utf-8")
        tracemalloc.start()
        assert sum(len(s.annotations) for s in lc.read(path, "cvat-image")) == 20 * count
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < peaks[0] + 700_000
