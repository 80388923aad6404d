"""Rarer kinds of objects: pages in other units, parts and holes of maps, v1's spellings."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from labelbox_export_help import box, fixture, label, lines, row

import labelconv as lc
from labelconv.errors import OptionError
from labelconv.model import Box, OnPage, Polygon, Track

FORMAT = "labelbox-export"
SQUARE = [[0, 0], [9, 0], [9, 9], [0, 9], [0, 0]]
HOLE = [[2, 2], [2, 3], [3, 3], [2, 2]]


def _read(path: Path, **options: Any) -> tuple[list[Any], lc.Report]:
    dataset = lc.read(path, FORMAT, options=options)
    return list(dataset), dataset.report


def _on_page(unit: str, **more: Any) -> dict[str, Any]:
    thing = box("figure", "f", annotation_kind="DocumentBoundingBox", page_number=1, **more)
    thing["bounding_box"]["unit"] = unit
    return row(label(thing))


@pytest.mark.parametrize(
    ("unit", "options", "more", "expected"),
    [
        ("points", {}, {}, Box(1.0, 2.0, 5.0, 5.0)),
        ("INCHES", {}, {}, Box(72.0, 144.0, 360.0, 360.0)),
        ("pixels", {"dpi": 144}, {}, Box(0.5, 1.0, 2.5, 2.5)),
        (
            "percent",
            {},
            {"page_dimensions": {"width": 10, "height": 1, "unit": "inches"}},
            Box(720.0, 144.0, 3600.0, 360.0),
        ),
    ],
)
def test_boxes_of_documents_are_in_points_whatever_their_unit(
    unit: str, options: dict[str, Any], more: dict[str, Any], expected: Box, tmp_path: Path
) -> None:
    (sample,), report = _read(lines(tmp_path / "a.ndjson", _on_page(unit, **more)), **options)
    assert sample.annotations[0].value == OnPage(1, expected)
    assert report.counts == {}
    based, _ = _read(tmp_path / "a.ndjson", **options, page_base=1)
    assert based[0].annotations[0].value == OnPage(0, expected)


@pytest.mark.parametrize(
    ("unit", "more", "pointer"),
    [
        ("pixels", {}, "bounding_box/unit"),
        ("percent", {}, "page_dimensions"),
        ("percent", {"page_dimensions": {"width": 0, "height": 1}}, "page_dimensions"),
        ("cubits", {}, "bounding_box/unit"),
    ],
)
def test_a_unit_that_says_no_place_is_rejected_alone(
    unit: str, more: dict[str, Any], pointer: str, tmp_path: Path
) -> None:
    (sample,), report = _read(lines(tmp_path / "a.ndjson", _on_page(unit, **more)))
    assert sample.annotations == ()
    assert report.counts == {"R101": 1}
    assert str(report.problems[0].where.pointer).endswith(f"/objects/0/{pointer}")


@pytest.mark.parametrize(
    ("kind", "coordinates", "parts"),
    [
        ("Polygon", [SQUARE, HOLE], [2]),
        ("MultiPolygon", [[SQUARE], [HOLE]], [1, 1]),
    ],
)
def test_polygons_of_maps_keep_their_parts_and_holes(
    kind: str, coordinates: Any, parts: list[int], tmp_path: Path
) -> None:
    geometry = {"type": kind, "coordinates": coordinates}
    thing = {"feature_id": "f", "name": "field", "geojson": geometry}
    (sample,), _ = _read(lines(tmp_path / "a.ndjson", row(label(thing))))
    value = sample.annotations[0].value
    assert isinstance(value, Polygon)
    assert [len(part) for part in value.parts] == parts
    assert value.parts[0][0] == (0.0, 0.0, 9.0, 0.0, 9.0, 9.0, 0.0, 9.0)


def test_a_square_polygon_of_a_map_stays_one_unless_its_kind_is_a_box(tmp_path: Path) -> None:
    geometry = {"type": "Polygon", "coordinates": [SQUARE]}
    things = [
        {"feature_id": kind, "name": "x", "annotation_kind": kind, "geojson": geometry}
        for kind in ("GeoPolygon", "GeoBoundingBox")
    ]
    (sample,), _ = _read(lines(tmp_path / "a.ndjson", row(label(*things))))
    kinds = [type(annotation.value) for annotation in sample.annotations]
    assert kinds == [Polygon, Box]


def test_objects_of_a_frame_may_be_a_list_and_segments_may_be_missing(tmp_path: Path) -> None:
    frames = {
        str(frame): {"objects": [box("car", "f", frame)], "classifications": []}
        for frame in (3, 2, 10)
    }
    (sample,), report = _read(
        lines(tmp_path / "a.ndjson", row({"annotations": {"frames": frames}}))
    )
    track = sample.annotations[0].value
    assert isinstance(track, Track)
    assert [[k.frame for k in segment] for segment in track.segments] == [[1, 2], [9]]
    assert report.counts == {}


def test_labels_of_videos_that_are_not_read_are_counted_by_their_features(tmp_path: Path) -> None:
    scene = {"feature_id": "s", "name": "scene", "radio_answer": {"name": "in"}}
    said = {
        "frames": {
            str(frame): {"objects": {"f": box("car", "f")}, "classifications": [scene]}
            for frame in (1, 2, 3)
        },
        "segments": {"f": [[1, 3]], "s": [[1, 3]]},
    }
    value = row({"annotations": said, "label_details": {"updated_at": "1"}})
    newer = {"annotations": {"frames": {}}, "label_details": {"updated_at": "2"}}
    value["projects"]["p1"]["labels"].append(newer)
    (sample,), report = _read(lines(tmp_path / "a.ndjson", value))
    assert sample.annotations == ()
    ledger = report.ledger
    assert (ledger.annotations.read, ledger.annotations.skipped) == (1, 1)
    assert (ledger.classifications.read, ledger.classifications.skipped) == (1, 1)


def test_an_answer_in_frames_without_segments_holds_in_these_frames(tmp_path: Path) -> None:
    def scene(name: str) -> dict[str, Any]:
        return {"feature_id": "s", "name": "scene", "radio_answer": {"name": name}}

    frames = {
        str(frame): {"objects": {}, "classifications": [scene(name)]}
        for frame, name in ((1, "in"), (2, "in"), (3, "out"), (7, "in"))
    }
    (sample,), _ = _read(lines(tmp_path / "a.ndjson", row({"annotations": {"frames": frames}})))
    assert {c.answer.name: c.ranges for c in sample.classifications} == {
        "in": ((0, 2), (6, 7)),
        "out": ((2, 3),),
    }


def test_objects_of_sounds_and_frames_of_pictures_are_rejected_alone(tmp_path: Path) -> None:
    sound = row({"annotations": {"timestamp": {"5": {"objects": {"f": box("car", "f")}}}}})
    still = row(label(box("car", "f", annotation_kind="ImageBoundingBox")), key="b.jpg")
    moving = {"annotations": {"frames": {"1": {"objects": {"g": box("car", "g")}}}}}
    still["projects"]["p1"]["labels"].append(moving)
    samples, report = _read(lines(tmp_path / "a.ndjson", sound, still), label="all")
    assert [len(sample.annotations) for sample in samples] == [0, 1]
    assert report.counts == {"R131": 2}
    assert str(report.problems[0].where.pointer).endswith("/timestamp/5/objects/f")
    assert str(report.problems[1].where.pointer).endswith("/labels/1/annotations/frames")


def test_v1_reads_the_label_that_was_changed_last_wherever_it_stands(tmp_path: Path) -> None:
    records = json.loads(fixture("v1").read_text())
    two = [each for each in records if each["DataRow ID"] == "row2"]
    other = [each for each in records if each["DataRow ID"] == "row3"]
    path = tmp_path / "v1.json"
    for order in ([two[0], *other, two[1]], [two[1], *other, two[0]]):
        path.write_text(json.dumps(order))
        samples, report = _read(path)
        by_key = {sample.key: [a.id for a in sample.annotations] for sample in samples}
        assert by_key == {"two.jpg": ["g1"], "skipped.jpg": []}
        assert report.ledger.annotations.skipped == 1


def test_v1_as_lines_is_recognised_and_read_too(tmp_path: Path) -> None:
    records = json.loads(fixture("v1").read_text())
    samples = list(lc.read(lines(tmp_path / "v1.ndjson", *records[:2])))
    assert [sample.key for sample in samples] == ["bird.jpg", "two.jpg"]


def test_an_option_that_there_is_not_is_refused() -> None:
    with pytest.raises(OptionError, match="latest"):
        _read(fixture("pictures"), label="newest")
