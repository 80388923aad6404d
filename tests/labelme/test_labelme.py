"""labelme and X-AnyLabeling: what their files say, and files that they read back."""

from __future__ import annotations

import base64
import io
import json
import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import labelconv as lc
from labelconv import geometry, masks, registry, testing
from labelconv.format import Wanted
from labelconv.formats.labelme.options import LabelmeWriterOptions
from labelconv.model import (
    Annotation,
    Box,
    Checklist,
    Classification,
    FreeText,
    Image,
    Keypoint,
    Keypoints,
    Mask,
    OrientedBox,
    Point,
    Polygon,
    Radio,
    Sample,
    Samples,
)
from labelconv.problems import Report

FORMAT = registry.get("labelme")


def put(path: Path, *shapes: dict[str, Any], **fields: Any) -> Path:
    plain = {"imagePath": "1.jpg", "imageData": None, "imageHeight": 30, "imageWidth": 60}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"shapes": list(shapes), **plain, **fields}), encoding="utf-8")
    return path


def shape(kind: str | None, *points: tuple[float, float], **fields: Any) -> dict[str, Any]:
    return {"label": "a", "shape_type": kind, "points": points, **fields}


def read(path: Path, **options: str) -> tuple[list[Sample], Report]:
    dataset = lc.read(path, "labelme", options=options)
    return list(dataset), dataset.report


def values(path: Path) -> list[Any]:
    return [annotation.value for annotation in read(path)[0][0].annotations]


def written(folder: Path, sample: Sample, report: Report | None = None, **options: str) -> Any:
    """The record of the one file that a sample gives."""
    lc.write(Samples([sample]), folder / "out", "labelme", options=options, report=report)
    (file,) = (folder / "out").rglob("*.json")
    return json.loads(file.read_text(encoding="utf-8"))


def test_either_diagonal_of_a_rectangle_gives_the_same_box(tmp_path: Path) -> None:
    corners = [((10, 5), (30, 20)), ((30, 20), (10, 5)), ((30, 5), (10, 20)), ((10, 20), (30, 5))]
    path = put(tmp_path / "1.json", *(shape("rectangle", *pair) for pair in corners))
    assert values(path) == [Box(10, 5, 30, 20)] * 4


def test_a_rectangle_of_four_upright_corners_is_a_box_and_a_turned_one_an_oriented_box(
    tmp_path: Path,
) -> None:
    upright = shape("rectangle", (1, 1), (11, 1), (11, 6), (1, 6))
    turned = shape("rectangle", (10, 0), (20, 10), (15, 15), (5, 5))
    path = put(tmp_path / "1.json", upright, turned)
    box, found = values(path)
    assert box == Box(1, 1, 11, 6)
    assert isinstance(found, OrientedBox)
    assert (round(found.angle, 9), found.x, found.y) == (45.0, 12.5, 7.5)


def test_a_shape_without_a_type_is_a_polygon_as_old_files_have_it(tmp_path: Path) -> None:
    path = put(tmp_path / "1.json", shape(None, (0, 0), (9, 0), (9, 9), (0, 0)))
    assert values(path) == [Polygon((((0, 0, 9, 0, 9, 9),),))]


@pytest.mark.parametrize("radius", [0.3, 5.0, 400.0])
def test_a_circle_becomes_a_polygon_of_its_area_that_stays_near_it_and_that_is_told(
    radius: float, tmp_path: Path
) -> None:
    path = put(tmp_path / "1.json", shape("circle", (10, 20), (10 + radius, 20)))
    samples, report = read(path)
    (annotation,) = samples[0].annotations
    assert isinstance(annotation.value, Polygon)
    assert geometry.area(annotation.value) == pytest.approx(math.pi * radius**2, rel=1e-9)
    ring = annotation.value.parts[0][0]
    off = [
        abs(math.hypot(x - 10, y - 20) - radius) for x, y in zip(ring[::2], ring[1::2], strict=True)
    ]
    assert max(off) < 0.06
    assert report.counts == {"R133": 1}


@pytest.mark.parametrize("kind", ["oriented_rectangle", "rotation"])
@pytest.mark.parametrize("angle", [-180.0, -30.0, 0.0, 30.0, 90.0, 179.5])
def test_a_rotated_box_on_a_picture_that_is_no_square_comes_back_with_its_angle(
    angle: float, kind: str, tmp_path: Path
) -> None:
    box = OrientedBox(30, 12.5, 20, 8, angle)
    sample = Sample("1.jpg", Image(60, 30), (Annotation("0", "ship", box),))
    record = written(tmp_path, sample, rotated=kind)
    (drawn,) = record["shapes"]
    assert drawn["shape_type"] == kind
    assert drawn["direction"] == pytest.approx(math.radians(angle))
    corners = [number for point in drawn["points"] for number in point]
    assert corners == pytest.approx(geometry.corners(box))
    assert values(tmp_path / "out") == [
        OrientedBox(*(pytest.approx(n) for n in (30, 12.5, 20, 8, angle)))
    ]


def test_a_direction_that_the_corners_contradict_is_not_believed(tmp_path: Path) -> None:
    corners = ((0, 0), (10, 0), (10, 5), (0, 5))
    path = put(tmp_path / "1.json", shape("rotation", *corners, direction=1.0))
    assert values(path) == [OrientedBox(5, 2.5, 10, 5, 0)]


def test_the_whole_corners_of_a_mask_are_its_first_and_its_last_pixel(tmp_path: Path) -> None:
    pixels = [[1, 0, 1], [0, 1, 1]]
    patch = masks.from_array(_array(pixels))
    mask = shape("mask", (50, 10), (52, 11), mask=masks.png_base64(patch))
    path = put(tmp_path / "1.json", mask)
    (found,) = values(path)
    assert found.size == (30, 60)
    assert masks.to_array(found)[10:12, 50:53].tolist() == pixels
    assert masks.area(found) == 4


def test_fractions_as_corners_of_a_mask_leave_its_own_size(tmp_path: Path) -> None:
    patch = masks.from_array(_array([[1] * 4] * 3))
    path = put(
        tmp_path / "1.json",
        shape("mask", (9.6, 4.4), (13.2, 6.9), mask=masks.png_base64(patch)),
    )
    (found,) = values(path)
    assert masks.bounds(found) == Box(10, 4, 14, 7)


def test_a_mask_comes_back_pixel_by_pixel_and_is_written_as_labelme_writes_it(
    tmp_path: Path,
) -> None:
    from PIL import Image as Pictures

    pixels = _array([[0] * 60] * 30)
    pixels[3:7, 50:60] = 1
    pixels[4, 52] = 0
    mask = masks.from_array(pixels)
    sample = Sample("1.jpg", Image(60, 30), (Annotation("0", "hole", mask),))
    (drawn,) = written(tmp_path, sample)["shapes"]
    assert drawn["points"] == [[50, 3], [59, 6]]
    with Pictures.open(io.BytesIO(base64.b64decode(drawn["mask"]))) as png:
        assert png.size == (10, 4)
    assert values(tmp_path / "out") == [mask]


def test_polygons_of_one_label_and_group_are_one_object_as_labelme_counts_instances(
    tmp_path: Path,
) -> None:
    one, two = (0, 0, 9, 0, 9, 9), (20, 0, 29, 0, 29, 9)
    polygon = Polygon(((one,), (two,)))
    sample = Sample("1.jpg", Image(60, 30), (Annotation("0", "dog", polygon, confidence=0.5),))
    drawn = written(tmp_path, sample)["shapes"]
    assert [each["group_id"] for each in drawn] == [1, 1]
    samples, report = read(tmp_path / "out")
    (annotation,) = samples[0].annotations
    assert (annotation.value, annotation.confidence) == (polygon, 0.5)
    assert report.ledger.annotations.read == 1
    apart, report = read(tmp_path / "out", groups="apart")
    assert [a.value for a in apart[0].annotations] == [Polygon(((one,),)), Polygon(((two,),))]
    assert report.ledger.annotations.read == 2


def test_a_skeleton_is_an_outline_and_points_of_one_group_with_hidden_points_marked(
    tmp_path: Path,
) -> None:
    points = (Keypoint("nose", 5, 6), Keypoint("left ear", 7, 8, visible=False))
    outlines: list[Any] = [Box(1, 1, 20, 20), Polygon((((0, 0, 9, 0, 9, 9),),)), None]
    annotations = tuple(
        Annotation(str(number), "person", Keypoints(points, outline))
        for number, outline in enumerate(outlines)
    )
    drawn = written(tmp_path, Sample("1.jpg", Image(60, 30), annotations))["shapes"]
    assert [each["group_id"] for each in drawn] == [1] * 3 + [2] * 3 + [3] * 3
    assert [each["label"] for each in drawn[:3]] == ["person", "nose", "left ear"]
    assert [each.get("difficult", False) for each in drawn[:3]] == [False, False, True]
    assert drawn[6]["derived"] is True
    assert drawn[6]["points"] == [[5, 6], [7, 8]]
    assert values(tmp_path / "out") == [Keypoints(points, outline) for outline in outlines]


def test_points_of_two_names_and_one_box_are_a_skeleton_but_two_points_of_a_name_are_not(
    tmp_path: Path,
) -> None:
    box = shape("rectangle", (0, 0), (9, 9), group_id=1, label="person")
    nose = shape("point", (1, 1), group_id=1, label="nose")
    path = put(tmp_path / "1.json", box, nose, nose)
    assert values(path) == [Box(0, 0, 9, 9), Point(1, 1), Point(1, 1)]


def test_points_of_skeletons_have_one_order_also_where_some_are_missing(tmp_path: Path) -> None:
    seen = [("ear",), ("nose", "ear", "mouth"), ("eye", "mouth")]
    shapes = []
    for group, names in enumerate(seen, 1):
        shapes.append(shape("rectangle", (0, 0), (9, 9), group_id=group))
        shapes += [shape("point", (1, 1), group_id=group, label=name) for name in names]
    ontology = lc.read(put(tmp_path / "1.json", *shapes)).ontology
    assert ontology.categories[0].keypoints == ("nose", "ear", "eye", "mouth")


def test_flags_attributes_and_descriptions_are_answers_and_come_back(tmp_path: Path) -> None:
    asked = (
        Classification("flags", Checklist((Radio("night"), Radio("rain")))),
        Classification("colour", Radio("red")),
        Classification("lights", Checklist((Radio("front"), Radio("rear")))),
        Classification("plate", FreeText("B C")),
        Classification("description", FreeText("a car")),
    )
    box = Annotation("0", "car", Box(0, 0, 9, 9), asked)
    record = written(tmp_path, Sample("1.jpg", Image(60, 30), (box,), asked))
    for place in (record, record["shapes"][0]):
        assert place["flags"] == {"night": True, "rain": True}
        assert place["description"] == "a car"
        assert place["attributes"] == {
            "colour": "red",
            "lights": ["front", "rear"],
            "plate": {"text": "B C"},
        }
    (sample,) = read(tmp_path / "out")[0]
    assert set(sample.classifications) == set(sample.annotations[0].classifications) == set(asked)


def test_a_second_answer_to_a_question_and_the_confidence_of_an_answer_are_told_as_lost(
    tmp_path: Path,
) -> None:
    twice = (Classification("colour", Radio("red")), Classification("colour", Radio("blue")))
    sure = (Classification("wet", Radio("yes", confidence=0.5)),)
    box = Annotation("0", "car", Box(0, 0, 9, 9), twice)
    report = Report()
    lc.write(
        Samples([Sample("1.jpg", Image(60, 30), (box,), twice + sure)]),
        tmp_path / "out",
        "labelme",
        allow=["loss"],
        report=report,
    )
    assert report.counts["L406"] == 2
    assert report.counts["L405"] == 1
    assert report.ledger.annotations.lost == 1
    assert report.ledger.classifications.lost == 2
    assert report.ledger.balanced


def test_flags_that_are_not_set_say_nothing_and_texts_among_flags_are_counted(
    tmp_path: Path,
) -> None:
    path = put(tmp_path / "1.json", flags={"night": False, "rain": True, "odd": "x"})
    samples, report = read(path)
    assert samples[0].classifications == (Classification("flags", Checklist((Radio("rain"),))),)
    assert report.fields == {"labelme:flags (neither true nor false)": 1}


@pytest.mark.parametrize(
    ("inside", "picture", "key"),
    [
        ("1.json", "1.jpg", "1.jpg"),
        ("a/1.json", "1.jpg", "a/1.jpg"),
        ("a/1.json", "..\\b\\1.jpg", "b/1.jpg"),
        ("a/1.json", "../../outside/1.jpg", "outside/1.jpg"),
        ("a/1.json", "C:\\Users\\x\\1.jpg", "a/1.jpg"),
        ("a/1.json", "/home/x/1.jpg", "a/1.jpg"),
        ("a/1.json", "", "a/1"),
        ("a/1.json", None, "a/1"),
    ],
)
def test_a_key_is_where_the_picture_is_seen_from_the_folder_that_is_read(
    inside: str, picture: str | None, key: str, tmp_path: Path
) -> None:
    put(tmp_path / inside, imagePath=picture)
    assert [sample.key for sample in read(tmp_path)[0]] == [key]


def test_files_are_read_in_natural_order_and_written_in_the_tree_of_the_keys(
    tmp_path: Path,
) -> None:
    samples = [Sample(f"{folder}/{n}.jpg", Image(9, 9)) for folder in "ab" for n in (2, 10)]
    lc.write(Samples(samples), tmp_path / "out", "labelme")
    assert [sample.key for sample in read(tmp_path / "out")[0]] == [s.key for s in samples]
    assert (tmp_path / "out" / "b" / "10.json").is_file()


def test_one_stem_with_two_extensions_in_a_folder_gives_two_files(tmp_path: Path) -> None:
    pair = [Sample("a/1.jpg", Image(9, 9)), Sample("a/1.png", Image(9, 9))]
    report = Report()
    lc.write(Samples(pair), tmp_path / "out", "labelme", report=report)
    assert report.counts == {"K606": 1}
    assert len(list((tmp_path / "out").rglob("*.json"))) == 2


def test_sizes_come_from_the_pictures_where_files_do_not_say_them(tmp_path: Path) -> None:
    from PIL import Image as Pictures

    (tmp_path / "pictures").mkdir()
    Pictures.new("L", (60, 30)).save(tmp_path / "pictures" / "1.png")
    patch = masks.png_base64(Mask((1, 1), (0, 1)))
    mask = shape("mask", (59, 29), (59, 29), mask=patch)
    path = put(tmp_path / "1.json", mask, imagePath="1.png", imageHeight=-1, imageWidth=None)
    dataset = lc.read(path, "labelme", media=tmp_path / "pictures")
    (sample,) = dataset
    assert sample.media == Image(60, 30)
    assert [a.value for a in sample.annotations] == [Mask((30, 60), (1799, 1))]
    alone = lc.read(path, "labelme")
    assert [sample.annotations for sample in alone] == [()]
    assert alone.report.counts == {"R122": 1, "R116": 1}


def test_fields_of_other_tools_are_kept_for_labelme_and_counted_for_others(tmp_path: Path) -> None:
    box = shape("rectangle", (0, 0), (9, 9), group_id=7, difficult=True, track=3)
    path = put(tmp_path / "1.json", box, lineColor=[0, 255, 0, 128], imageData="aGk=")
    report = lc.convert(path, tmp_path / "same", from_="labelme", to="labelme")
    again = json.loads((tmp_path / "same" / "1.json").read_text(encoding="utf-8"))
    kept = {name: again["shapes"][0][name] for name in ("group_id", "difficult", "track")}
    assert kept == {"group_id": 7, "difficult": True, "track": 3}
    assert again["lineColor"] == [0, 255, 0, 128]
    assert set(report.fields) == {"labelme:imageData (of files)"}
    report = lc.convert(path, tmp_path / "x.json", from_="labelme", to="coco")
    assert {name for name in report.fields if name.startswith("labelme:")} == {
        "labelme:imageData (of files)",
        "labelme:lineColor (of files)",
        "labelme:group_id",
        "labelme:difficult",
        "labelme:track",
    }


def test_the_format_is_found_by_the_content_of_a_file_and_of_a_folder(tmp_path: Path) -> None:
    path = put(tmp_path / "1.json")
    for place in (path, tmp_path):
        assert lc.read(place).report.evidence[0].startswith("recognised as labelme") or (
            "labelme" in lc.read(place).report.evidence[0]
        )


def test_a_broken_file_is_rejected_whole_and_the_others_are_read(tmp_path: Path) -> None:
    put(tmp_path / "good.json", imagePath="good.jpg")
    (tmp_path / "bad.json").write_bytes(b'{"shapes": [')
    samples, report = read(tmp_path)
    assert [sample.key for sample in samples] == ["good.jpg"]
    (rejected,) = report.take_rejected()
    assert (rejected.code, rejected.record) == ("R101", b'{"shapes": [')
    assert report.ledger.samples.read == 2


@pytest.mark.parametrize("name", ["shapes", "imageWidth", "imageHeight", "imagePath"])
def test_what_cannot_be_decoded_is_not_taken_for_nothing(tmp_path: Path, name: str) -> None:
    path = put(tmp_path / "1.json", **{name: "broken"})
    path.write_bytes(path.read_bytes().replace(b'"broken"', b'"\xff"'))
    samples, report = read(path)
    assert samples == []
    assert [(each.code, each.where.pointer) for each in report.problems] == [("R101", f"/{name}")]
    assert report.take_rejected()[0].record == path.read_bytes()
    samples, _ = read(put(tmp_path / "1.json", shapes=None))
    assert [sample.annotations for sample in samples] == [()]


@given(data=st.data())
def test_what_x_anylabeling_holds_obeys_the_laws(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    options = LabelmeWriterOptions(rotated="rotation")
    dataset = data.draw(testing.datasets(FORMAT.holds(options)[0]))
    testing.check_laws(FORMAT, dataset, tmp_path_factory.mktemp("laws"), options=options)


def _array(pixels: list[list[int]]) -> Any:
    import numpy as np

    return np.array(pixels, dtype=np.uint8)


def test_what_is_said_in_a_way_that_cannot_be_read_is_counted(tmp_path: Path) -> None:
    corners = ((10, 5), (20, 5), (20, 9), (10, 9))
    shapes = [
        shape("rectangle", (1, 2), (3, 4), group_id=1.5, description=7),
        shape("rotation", *corners, direction=1.0),
        shape("rotation", *corners, direction=0),
    ]
    dataset = lc.read(put(tmp_path / "1.json", *shapes), "labelme")
    first, *_ = next(iter(dataset)).annotations
    assert first.extra == {"labelme:group_id": 1.5}
    list(dataset.again(report := Report(), Wanted(extra=frozenset())))
    assert report.fields == {
        "labelme:group_id": 1,
        "labelme:description (no text)": 1,
        "labelme:direction (not that of the corners)": 1,
    }


def test_the_shapes_of_a_picture_whose_key_is_taken_are_counted_as_rejected(
    tmp_path: Path,
) -> None:
    for folder, shapes in (("a", 1), ("b", 2)):
        put(tmp_path / folder / "1.json", *[shape("point", (1, 2))] * shapes)
    dataset = lc.read(tmp_path, "labelme", key="{name}")
    assert [len(sample.annotations) for sample in dataset] == [1]
    ledger = dataset.report.ledger
    assert (ledger.annotations.read, ledger.annotations.rejected) == (3, 2)
    assert ledger.samples.rejected == 1
