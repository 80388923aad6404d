"""Label Studio's JSON-MIN, labels of sounds, and shapes whose labels are results of their own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import labelconv as lc
from labelconv import registry
from labelconv.io import Source
from labelconv.model import (
    Audio,
    Box,
    Checklist,
    Classification,
    FreeText,
    Image,
    Point,
    Polygon,
    Radio,
    Text,
    TextSpan,
)
from labelconv.reading import ReadDataset

TEXT = "I 😂 New York"
BEHIND = {
    "annotator": 1,
    "annotation_id": 7,
    "created_at": "2026-11-24",
    "updated_at": "2026-11-24",
    "lead_time": 1.5,
}
BOX = {"x": 10, "y": 20, "width": 30, "height": 40, "rotation": 0}
SIZE = {"original_width": 200, "original_height": 100}


def read(path: Path, *records: Any, **options: Any) -> ReadDataset:
    path.write_text(json.dumps(records, ensure_ascii=False, indent=1), encoding="utf-8")
    return lc.read(path, options=options)


def told(dataset: ReadDataset) -> list[tuple[str, str | None]]:
    return [(each.code, each.where.pointer) for each in dataset.report.problems]


def test_the_short_export_has_answers_between_id_and_annotator(tmp_path: Path) -> None:
    record = {
        "text": TEXT,
        "source": "web",
        "id": 3,
        "ner": [
            {"start": 5, "end": 13, "text": "New York", "labels": ["CITY"]},
            {"start": 5, "end": 99, "labels": ["CITY"]},
            7,
        ],
        "mood": "good",
        "why": "one text",
        "notes": {"text": ["a", "b"]},
        "tags": {"choices": ["x", "y"]},
        "stars": [{"rating": 4}],
        **BEHIND,
    }
    dataset = read(tmp_path / "d.json", record, texts="why")
    assert registry.sniff(Source(tmp_path / "d.json"))[0].name == "label-studio"
    (sample,) = list(dataset)
    assert (sample.key, sample.media) == ("3", Text(TEXT))
    assert [(each.category, each.value) for each in sample.annotations] == [
        ("CITY", TextSpan(4, 12))
    ]
    assert [(each.name, each.answer) for each in sample.classifications] == [
        ("mood", Checklist((Radio("good"),))),
        ("why", FreeText("one text")),
        ("notes", FreeText("a\nb")),
        ("tags", Checklist((Radio("x"), Radio("y")))),
        ("stars", FreeText("4")),
    ]
    assert told(dataset) == [("M222", "/0/ner/1"), ("R101", "/0/ner/2")]
    assert dataset.report.fields == {"label-studio:data.source": 1}
    ledger = dataset.report.ledger
    assert (ledger.annotations.read, ledger.annotations.rejected) == (3, 2)
    dataset = read(tmp_path / "d.json", record)
    (sample,) = list(dataset)
    assert sample.classifications[1].answer == Checklist((Radio("one text"),))


def test_shapes_of_the_short_export_are_told_by_their_members(tmp_path: Path) -> None:
    points = [[0, 0], [50, 0], [50, 50]]
    record = {
        "image": "/data/a.jpg",
        "id": 3,
        "tag": [{**BOX, "rectanglelabels": ["cat"], **SIZE}],
        "outline": [{"points": points, **SIZE}],
        "nose": [{"x": 50, "y": 50, "width": 1, "labels": ["tip"], **SIZE}],
        **BEHIND,
    }
    expected = [
        ("cat", Box(20, 20, 80, 60)),
        ("outline", Polygon((((0, 0, 100, 0, 100, 50),),))),
        ("tip", Point(100, 50)),
    ]
    dataset = read(tmp_path / "d.json", record)
    (sample,) = list(dataset)
    assert (sample.uri, sample.media) == ("/data/a.jpg", Image(200, 100))
    assert [(each.category, each.value) for each in sample.annotations] == expected
    bare = {name: value for name, value in record.items() if name not in {*BEHIND, "id"}}
    path = tmp_path / "bare.json"
    path.write_text(json.dumps([bare]))
    (sample,) = lc.read(path, "label-studio")
    assert [(each.category, each.value) for each in sample.annotations] == expected


def task(media: dict[str, str], *results: Any) -> dict[str, Any]:
    return {"id": 1, "data": media, "annotations": [{"result": [*results]}]}


def test_labels_beside_their_shape_are_its_labels(tmp_path: Path) -> None:
    def result(kind: str, id: str, **value: Any) -> dict[str, Any]:
        return {"type": kind, "from_name": kind, "id": id, "value": value, **SIZE}

    dataset = read(
        tmp_path / "d.json",
        task(
            {"image": "a.jpg"},
            result("rectangle", "a", **BOX),
            result("labels", "a", **BOX, labels=["Text"]),
            result("textarea", "a", **BOX, text=["words"]),
            result("labels", "b", **BOX, labels=["Alone"]),
            result("rectangle", "c", **BOX),
            result("labels", "d", labels=["Nowhere"]),
        ),
    )
    (sample,) = list(dataset)
    box = Box(20, 20, 80, 60)
    assert [(each.id, each.category, each.value) for each in sample.annotations] == [
        ("a", "Text", box),
        ("b", "Alone", box),
        ("c", "rectangle", box),
    ]
    assert sample.annotations[0].classifications == (Classification("textarea", FreeText("words")),)
    assert told(dataset) == [("R101", "/0/annotations/0/result/5/value")]
    ledger = dataset.report.ledger
    assert (ledger.annotations.read, ledger.annotations.rejected) == (4, 1)


@pytest.mark.parametrize(
    ("value", "size"), [({"x": 10**400}, {}), ({}, {"original_width": 10**400}), ({"x": 1e300}, {})]
)
def test_numbers_beyond_all_pictures_are_rejected(
    tmp_path: Path, value: dict[str, Any], size: dict[str, Any]
) -> None:
    given = {"type": "rectangle", "from_name": "b", "value": {**BOX, **value}, **SIZE, **size}
    dataset = read(tmp_path / "d.json", task({"image": "a.jpg"}, given))
    assert [each.annotations for each in dataset] == [()]
    assert [each.code for each in dataset.report.problems] == ["R101"]


def heard(kind: str, id: str, start: Any, end: Any, **value: Any) -> dict[str, Any]:
    span = {"start": start, "end": end, **value}
    return {"type": kind, "from_name": kind, "id": id, "original_length": 10.5, "value": span}


def test_labels_of_a_sound_are_answers_over_their_range(tmp_path: Path) -> None:
    mood = {"type": "choices", "from_name": "mood", "id": "z", "value": {"choices": ["calm"]}}
    dataset = read(
        tmp_path / "d.json",
        task(
            {"audio": "/data/a.mp3"},
            heard("labels", "a", 1.25, 3.5, labels=["speech"], channel=0),
            heard("textarea", "a", 1.25, 3.5, text=["hello"]),
            heard("labels", "b", 4, 5, labels=["noise", "music"], channel=1),
            heard("textarea", "t", 6, 7.0, text=["alone"]),
            mood,
        ),
    )
    (sample,) = list(dataset)
    assert (sample.uri, sample.media) == ("/data/a.mp3", Audio(10_500))
    assert sample.annotations == ()
    below = Classification("textarea", FreeText("hello"), ((1250, 3500),))
    several = Checklist((Radio("noise"), Radio("music")))
    assert set(sample.classifications) == {
        Classification("labels", Radio("speech", (below,)), ((1250, 3500),)),
        Classification("labels", several, ((4000, 5000),)),
        Classification("textarea", FreeText("alone"), ((6000, 7000),)),
        Classification("mood", Checklist((Radio("calm"),))),
    }
    assert dataset.report.fields == {"label-studio:value.channel": 1}
    assert dataset.report.ledger.classifications.read == 4


@pytest.mark.parametrize(
    ("result", "row"),
    [
        (heard("labels", "a", "1", 2, labels=["x"]), "classifications"),
        (heard("labels", "a", 2, 1, labels=["x"]), "classifications"),
        (heard("labels", "a", 1, 10**400, labels=["x"]), "classifications"),
        (heard("labels", "a", 1, 2, labels=[]), "classifications"),
        (heard("textarea", "a", None, 2, text=["x"]), "classifications"),
        (heard("rectanglelabels", "a", 1, 2), "classifications"),
        ({"type": "relation", "from_id": "a", "to_id": "b"}, "relations"),
        (7, "classifications"),
    ],
)
def test_what_is_broken_in_a_sound_is_rejected_alone(tmp_path: Path, result: Any, row: str) -> None:
    whole = heard("labels", "ok", 0, 1, labels=["x"])
    path = tmp_path / "d.json"
    path.write_text(json.dumps([task({"audio": "a.wav"}, result, whole)]))
    report = lc.convert(path, tmp_path / "o.native.ndjson")
    assert report.counts == {"R101": 1}
    assert report.problems[0].where.pointer is not None
    assert report.problems[0].where.pointer.startswith("/0/annotations/0/result/0")
    assert getattr(report.ledger, row).rejected == 1
    assert report.ledger.classifications.kept == 1
    assert report.ledger.balanced
