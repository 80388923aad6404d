"""Label Studio's JSON: texts in UTF-16 units, pictures in percent, annotators and predictions."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest

import labelconv as lc
from labelconv import geometry, masks
from labelconv.formats.label_studio.shapes import unpacked
from labelconv.model import (
    Box,
    Checklist,
    FreeText,
    Image,
    Mask,
    OrientedBox,
    Point,
    Polygon,
    Polyline,
    Radio,
    Sample,
    Text,
    TextSpan,
)
from labelconv.reading import ReadDataset

ASTRAL = "I like 😂 New York City a lot."


def read(path: Path, *tasks: Any, **options: Any) -> ReadDataset:
    path.write_text(json.dumps(tasks, ensure_ascii=False, indent=1), encoding="utf-8")
    return lc.read(path, "label-studio", options=options)


def span(start: int, end: int, label: str = "X", **more: Any) -> dict[str, Any]:
    value = {"start": start, "end": end, "labels": [label], **more.pop("value", {})}
    return {"type": "labels", "from_name": "ner", "to_name": "t", "value": value, **more}


def task(*results: Any, **more: Any) -> dict[str, Any]:
    return {"id": 1, "data": {"text": ASTRAL}, "annotations": [{"result": [*results]}], **more}


def values(sample: Sample) -> list[Any]:
    return [each.value for each in sample.annotations]


def test_offsets_are_utf16_units_unless_said_otherwise(tmp_path: Path) -> None:
    result = span(10, 18, "CITY", id="a", value={"text": "New York"})
    dataset = read(tmp_path / "d.json", task(result))
    (sample,) = list(dataset)
    assert (sample.key, sample.media) == ("1", Text(ASTRAL))
    assert values(sample) == [TextSpan(9, 17)]
    assert sample.annotations[0].id == "a"
    dataset = read(tmp_path / "d.json", task(result), source_offsets="codepoint")
    assert [values(each) for each in dataset] == [[]]
    (problem,) = dataset.report.problems
    assert problem.code == "M223"
    assert problem.where.pointer == "/0/annotations/0/result/0"
    assert "source_offsets=utf16" in problem.message


def test_empty_and_impossible_spans_are_rejected_alone(tmp_path: Path) -> None:
    dataset = read(tmp_path / "d.json", task(span(3, 3), span(8, 9), span(0, 1), span(5, 99)))
    assert [values(each) for each in dataset] == [[TextSpan(0, 1)]]
    assert [each.code for each in dataset.report.problems] == ["M221", "M222", "M222"]
    assert dataset.report.ledger.annotations.read == 4


def picture(*results: Any, width: int = 200, height: int = 100) -> dict[str, Any]:
    sized = [{"original_width": width, "original_height": height, **each} for each in results]
    return {"data": {"image": "/data/a.jpg"}, "annotations": [{"result": sized}]}


def shape(kind: str, **value: Any) -> dict[str, Any]:
    return {"type": kind, "value": {**value, kind: ["X"]}}


def test_percent_are_of_width_and_height(tmp_path: Path) -> None:
    dataset = read(
        tmp_path / "d.json",
        picture(
            shape("rectanglelabels", x=10, y=20, width=30, height=40, rotation=0),
            shape("polygonlabels", points=[[0, 0], [50, 0], [50, 50]]),
            shape("keypointlabels", x=50, y=50, width=1),
            shape("vectorlabels", vertices=[{"x": 0, "y": 0}, {"x": 100, "y": 100}]),
        ),
    )
    (sample,) = list(dataset)
    assert sample.media == Image(200, 100)
    assert sample.uri == "/data/a.jpg"
    assert values(sample) == [
        Box(20, 20, 80, 60),
        Polygon((((0, 0, 100, 0, 100, 50),),)),
        Point(100, 50),
        Polyline((0, 0, 200, 100)),
    ]


def test_a_rectangle_is_turned_in_pixels_about_its_top_left_corner(tmp_path: Path) -> None:
    given = shape("rectanglelabels", x=50, y=50, width=20, height=20, rotation=90)
    (sample,) = list(read(tmp_path / "d.json", picture(given)))
    (value,) = values(sample)
    assert isinstance(value, OrientedBox)
    assert (value.width, value.height, value.angle) == (40, 20, 90)
    bounds = geometry.bounds(value)
    assert bounds is not None
    # 40 × 20 px from (100, 50), turned clockwise: it now reaches 20 to the left and 40 down.
    assert [round(edge, 9) for edge in (bounds.x0, bounds.y0, bounds.x1, bounds.y1)] == [
        80,
        50,
        100,
        90,
    ]


def test_an_ellipse_has_its_area(tmp_path: Path) -> None:
    given = shape("ellipselabels", x=50, y=50, radiusX=10, radiusY=30, rotation=30)
    (sample,) = list(read(tmp_path / "d.json", picture(given)))
    assert geometry.area(values(sample)[0]) == pytest.approx(math.pi * 20 * 30, rel=0.01)


def packed(values_: list[int], runs: list[tuple[bool, int]]) -> list[int]:
    """Label Studio's run lengths, written for the test: 8-bit values, lengths of 3 to 16 bits."""
    sizes = (3, 4, 8, 16)
    bits = f"{len(values_):032b}{7:05b}" + "".join(f"{size - 1:04b}" for size in sizes)
    at = 0
    for same, length in runs:
        which = next(n for n, size in enumerate(sizes) if length - 1 < 1 << size)
        bits += f"{int(same)}{which:02b}{length - 1:0{sizes[which]}b}"
        bits += "".join(f"{v:08b}" for v in ([values_[at]] if same else values_[at : at + length]))
        at += length
    bits += "0" * (-len(bits) % 8)
    return [int(bits[n : n + 8], 2) for n in range(0, len(bits), 8)]


def test_a_brush_is_its_pixels(tmp_path: Path) -> None:
    pixels = [0] * 12 + [1, 2, 3, 255] * 2 + [0] * 4
    data = packed(pixels, [(True, 12), (False, 8), (True, 4)])
    assert list(unpacked(bytes(data))) == pixels
    given = shape("brushlabels", format="rle", rle=data)
    (sample,) = list(read(tmp_path / "d.json", picture(given, width=3, height=2)))
    (value,) = values(sample)
    assert isinstance(value, Mask)
    assert masks.to_array(value).tolist() == [[0, 0, 0], [1, 1, 0]]


@pytest.mark.parametrize("rle", [[0, 1], [255] * 40, "x", [0, 0, 0, 24, 57]])
def test_a_broken_brush_is_rejected(tmp_path: Path, rle: Any) -> None:
    given = shape("brushlabels", format="rle", rle=rle)
    dataset = read(tmp_path / "d.json", picture(given, width=3, height=2))
    assert [values(each) for each in dataset] == [[]]
    assert [each.code for each in dataset.report.problems] == ["R101"]


@pytest.mark.parametrize(
    "given",
    [
        shape("rectanglelabels", x="a", y=1, width=1, height=1),
        shape("rectanglelabels", x=1, y=1, width=-1, height=1),
        shape("polygonlabels", points=[[1, 1]]),
        {**shape("keypointlabels", x=1, y=1), "original_width": None},
        shape("timeserieslabels", start=1),
        {"type": "rectanglelabels"},
        span(0, 1),
    ],
)
def test_shapes_that_cannot_be_drawn_are_rejected_alone(
    tmp_path: Path, given: dict[str, Any]
) -> None:
    good = shape("keypointlabels", x=50, y=50)
    dataset = read(tmp_path / "d.json", picture(given, good))
    assert [values(each) for each in dataset] == [[Point(100, 50)]]
    assert [each.code for each in dataset.report.problems] == ["R101"]


def test_answers_belong_to_the_task_or_to_the_region_of_their_id(tmp_path: Path) -> None:
    choice = {"type": "choices", "from_name": "mood", "value": {"choices": ["good"]}}
    dataset = read(
        tmp_path / "d.json",
        task(
            span(0, 1, id="r1"),
            {**choice, "id": "r1"},
            {**choice, "id": "c2"},
            {"type": "textarea", "from_name": "why", "id": "c3", "value": {"text": ["a", "b"]}},
            {"type": "taxonomy", "from_name": "t", "id": "c4", "value": {"taxonomy": [["a", "b"]]}},
            {"type": "rating", "from_name": "stars", "id": "c5", "value": {"rating": 4}},
        ),
        choices="radio",
    )
    (sample,) = list(dataset)
    (below,) = sample.annotations[0].classifications
    assert (below.name, below.answer) == ("mood", Radio("good"))
    assert [(each.name, each.answer) for each in sample.classifications] == [
        ("mood", Radio("good")),
        ("why", FreeText("a\nb")),
        ("t", Checklist((Radio("a / b"),))),
        ("stars", FreeText("4")),
    ]
    assert dataset.report.ledger.classifications.read == 4


def test_relations_join_regions(tmp_path: Path) -> None:
    relation = {"type": "relation", "from_id": "a", "to_id": "b", "labels": ["of"]}
    dataset = read(
        tmp_path / "d.json",
        task(
            {**relation, "direction": "right"},
            span(0, 1, id="a"),
            span(2, 6, id="b"),
            {**relation, "direction": "left"},
            {**relation, "direction": "bi"},
            {**relation, "to_id": "zzz"},
        ),
    )
    (sample,) = list(dataset)
    assert [(r.source, r.target, r.directed) for r in sample.relations] == [
        ("a", "b", True),
        ("b", "a", True),
        ("a", "b", False),
    ]
    assert [each.code for each in dataset.report.problems] == ["M204"]


def several() -> dict[str, Any]:
    return {
        "id": 5,
        "data": {"text": ASTRAL},
        "annotations": [
            {"result": [span(0, 1, "skipped")], "was_cancelled": True},
            {"result": [span(0, 1, "first")]},
            {"result": [span(0, 1, "truth")], "ground_truth": True},
        ],
        "predictions": [{"result": [span(0, 1, "guess", score=0.5)]}],
    }


@pytest.mark.parametrize(
    ("options", "labels", "skipped"),
    [
        ({}, ["truth"], 3),
        ({"annotators": "all"}, ["first", "truth"], 2),
        ({"predictions": "instead"}, ["truth"], 3),
        ({"predictions": "only"}, ["guess"], 3),
    ],
)
def test_who_annotated_is_chosen_and_the_others_are_counted(
    tmp_path: Path, options: dict[str, str], labels: list[str], skipped: int
) -> None:
    dataset = read(tmp_path / "d.json", several(), **options)
    (sample,) = list(dataset)
    assert [each.category for each in sample.annotations] == labels
    assert dataset.report.ledger.annotations.skipped == skipped
    assert {each.code for each in dataset.report.problems} == {"R143"}


def test_predictions_stand_in_where_nobody_annotated(tmp_path: Path) -> None:
    given = {**several(), "annotations": []}
    (sample,) = list(read(tmp_path / "d.json", given, predictions="instead"))
    assert [(each.category, each.confidence) for each in sample.annotations] == [("guess", 0.5)]


def test_tasks_without_media_are_rejected_and_a_field_can_be_named(tmp_path: Path) -> None:
    tasks = [{"data": {"n": 1}, "annotations": []}, {"id": 3}, 7]
    dataset = read(tmp_path / "d.json", *tasks)
    assert list(dataset) == []
    assert [each.code for each in dataset.report.problems] == ["R101"] * 3
    given = {"data": {"text": "a", "note": "b"}, "annotations": []}
    (sample,) = list(read(tmp_path / "d.json", given, field="note"))
    assert sample.media == Text("b")


@pytest.mark.parametrize(
    "broken",
    [
        {"annotations": 1.5},
        {"annotations": [None, {"result": 7}]},
        {"annotations": [{"result": [None, 3, {"type": []}, {"type": "choices"}]}]},
        {"annotations": [{"result": [{"type": "choices", "id": [], "value": {"choices": 3}}]}]},
        {"annotations": [{"result": [{"type": "relation", "from_id": {}}]}]},
        {"annotations": [{"was_cancelled": True, "result": 3}], "predictions": 4},
    ],
)
def test_records_of_wrong_types_never_raise_and_the_ledger_balances(
    tmp_path: Path, broken: dict[str, Any]
) -> None:
    path = tmp_path / "d.json"
    path.write_text(json.dumps([{"id": 1, "data": {"text": "a"}, **broken}]), encoding="utf-8")
    report = lc.convert(path, tmp_path / "o.native.ndjson", from_="label-studio")
    assert report.ledger.balanced
    assert report.ledger.samples.kept == 1
