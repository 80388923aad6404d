"""doccano JSONL: spans, labels, relations; read and written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings

import labelconv as lc
from labelconv import testing
from labelconv.formats.doccano import FORMAT, DoccanoWriterOptions, holds
from labelconv.model import (
    Checklist,
    Classification,
    FreeText,
    Radio,
    Sample,
    Samples,
    Text,
    TextSpan,
)
from labelconv.reading import ReadDataset

ASTRAL = "I like 😂 New York City a lot."
GOOGLE = (
    "Google was founded on September 4, 1998, by Larry Page and Sergey Brin 👩\u200d🚀 e\u0301."
)


def read(path: Path, *records: Any, **options: Any) -> ReadDataset:
    path.write_bytes(
        b"".join(json.dumps(each, ensure_ascii=False).encode() + b"\n" for each in records)
    )
    return lc.read(path, "doccano", options=options)


def spans(sample: Sample) -> list[tuple[int, int, str]]:
    return [
        (each.value.start, each.value.end, each.category)
        for each in sample.annotations
        if isinstance(each.value, TextSpan)
    ]


def relational() -> dict[str, Any]:
    entities = [(7, 0, 6, "ORG"), (9, 22, 39, "DATE"), (12, 44, 54, "PER"), (4, 59, 70, "PER")]
    return {
        "id": 3,
        "text": GOOGLE,
        "entities": [
            {"id": id, "start_offset": start, "end_offset": end, "label": label}
            for id, start, end, label in entities
        ],
        "relations": [
            {"id": 0, "from_id": 7, "to_id": 9, "type": "foundedAt"},
            {"id": 1, "from_id": 7, "to_id": 12, "type": "foundedBy"},
            {"id": 2, "from_id": 7, "to_id": 4, "type": "foundedBy"},
            {"id": 3, "from_id": 7, "to_id": 0, "type": "foundedBy"},
        ],
    }


def test_relations_name_ids_of_entities_not_positions(tmp_path: Path) -> None:
    """source-formats.md D 42."""
    dataset = read(tmp_path / "d.jsonl", relational())
    (sample,) = list(dataset)
    assert GOOGLE[22:39] == "September 4, 1998"
    assert [(r.category, r.source, r.target) for r in sample.relations] == [
        ("foundedAt", "7", "9"),
        ("foundedBy", "7", "12"),
        ("foundedBy", "7", "4"),
    ]
    assert [(p.code, p.where.pointer) for p in dataset.report.problems] == [
        ("M204", "/relations/3")
    ]
    target = tmp_path / "mal.ndjson"
    lc.convert(tmp_path / "d.jsonl", target, from_="doccano", to="labelbox", allow=["loss"])
    located = [json.loads(line).get("location") for line in target.read_text().splitlines()]
    assert located[1] == {"start": 22, "end": 38}


def test_lists_of_start_end_and_label_are_spans(tmp_path: Path) -> None:
    dataset = read(
        tmp_path / "d.jsonl",
        {"id": 1, "text": ASTRAL, "label": [[9, 17, "CITY"], [9, 22, "GPE"]], "Comments": []},
        {"text": "a\r\nBob", "labels": [[3, 6, "PER"], [3, 3, "PER"], [3, 9, "PER"], [1]]},
        {"id": "x", "text": "a", "annotations": [{"label": 4, "start_offset": 0, "end_offset": 1}]},
    )
    samples = list(dataset)
    assert [each.key for each in samples] == ["1", "d-2", "x"]
    assert [spans(each) for each in samples] == [
        [(9, 17, "CITY"), (9, 22, "GPE")],
        [(3, 6, "PER")],
        [(0, 1, "4")],
    ]
    assert [(p.code, p.where.line, p.where.pointer) for p in dataset.report.problems] == [
        ("M221", 2, "/labels/1"),
        ("M222", 2, "/labels/2"),
        ("R101", 2, "/labels/3"),
    ]
    assert dataset.report.fields == {"doccano:Comments": 1}
    assert dataset.report.ledger.annotations.read == 7


@pytest.mark.parametrize(
    ("label", "options", "answer"),
    [
        (["A", "B"], {}, Checklist((Radio("A"), Radio("B")))),
        ("A", {}, Checklist((Radio("A"),))),
        (["A"], {"cats": "radio", "question": "topic"}, Radio("A")),
    ],
)
def test_labels_of_texts_are_answers(
    tmp_path: Path, label: object, options: dict[str, Any], answer: object
) -> None:
    dataset = read(tmp_path / "d.jsonl", {"text": "a", "label": label}, **options)
    (sample,) = list(dataset)
    (found,) = sample.classifications
    assert found.answer == answer
    assert found.name == options.get("question", "category")


def test_labels_that_are_texts_are_answers_each(tmp_path: Path) -> None:
    record = {"text": "Hello", "label": ["Bonjour", "Salut"]}
    dataset = read(tmp_path / "d.jsonl", record, cats="text", question="french")
    (sample,) = list(dataset)
    assert sample.classifications == (
        Classification("french", FreeText("Bonjour")),
        Classification("french", FreeText("Salut")),
    )
    assert dataset.report.ledger.classifications.read == 2


def test_several_labels_are_no_radio(tmp_path: Path) -> None:
    dataset = read(tmp_path / "d.jsonl", {"text": "a", "label": ["A", "B"]}, cats="radio")
    assert [each.classifications for each in dataset] == [()]
    assert dataset.report.ledger.classifications.rejected == 1


@pytest.mark.parametrize(
    ("unit", "start", "end"), [("codepoint", 9, 17), ("utf16", 10, 18), ("utf8", 12, 20)]
)
def test_offsets_of_any_unit_are_read(tmp_path: Path, unit: str, start: int, end: int) -> None:
    record = {"text": ASTRAL, "label": [[start, end, "X"]]}
    (sample,) = list(read(tmp_path / "d.jsonl", record, source_offsets=unit))
    assert spans(sample) == [(9, 17, "X")]


def test_lines_that_are_no_records_are_rejected_alone(tmp_path: Path) -> None:
    path = tmp_path / "d.jsonl"
    path.write_bytes(b'{"text": "a"}\n{"text":\n[1]\n{"label": ["A"]}\n{"data": "b"}\n')
    dataset = lc.read(path, "doccano")
    assert [each.media for each in dataset] == [Text("a"), Text("b")]
    assert [(p.code, p.where.line) for p in dataset.report.problems] == [
        ("R101", 2),
        ("R101", 3),
        ("R101", 4),
    ]


def test_ids_that_repeat_are_told_apart(tmp_path: Path) -> None:
    entity = {"id": 1, "start_offset": 0, "end_offset": 1, "label": "X"}
    dataset = read(tmp_path / "d.jsonl", {"text": "a b", "entities": [entity, entity]})
    (sample,) = list(dataset)
    assert len({each.id for each in sample.annotations}) == 2
    assert [p.code for p in dataset.report.problems] == ["R105"]


@pytest.mark.parametrize("style", ["auto", "entities", "spans"])
@settings(max_examples=40, deadline=None)
@given(dataset=testing.datasets(holds(DoccanoWriterOptions())[0]))
def test_every_style_obeys_the_laws(
    style: str, dataset: Samples, tmp_path_factory: pytest.TempPathFactory
) -> None:
    options = DoccanoWriterOptions(style=style)  # type: ignore[arg-type]
    testing.check_laws(FORMAT, dataset, tmp_path_factory.mktemp("laws"), options=options)


def test_what_doccano_exports_is_written_again(tmp_path: Path) -> None:
    path, target = tmp_path / "d.jsonl", tmp_path / "out.doccano.jsonl"
    record = relational()
    del record["relations"][3]
    read(path, record)
    lc.convert(path, target, from_="doccano")
    line = json.loads(target.read_text(encoding="utf-8"))
    assert line["text"] == GOOGLE
    assert [(e["start_offset"], e["end_offset"], e["label"]) for e in line["entities"]] == [
        (0, 6, "ORG"),
        (22, 39, "DATE"),
        (44, 54, "PER"),
        (59, 70, "PER"),
    ]
    assert [(r["from_id"], r["to_id"], r["type"]) for r in line["relations"]] == [
        (0, 1, "foundedAt"),
        (0, 2, "foundedBy"),
        (0, 3, "foundedBy"),
    ]
