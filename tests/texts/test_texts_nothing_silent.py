"""What readers of texts cannot use is counted or rejected, whatever is wrong with it."""

from __future__ import annotations

import json
import zlib
from pathlib import Path
from typing import Any

import msgspec
import pytest
import spacy
from spacy.tokens import DocBin, Span

import labelconv as lc
from labelconv.convert import convert
from labelconv.problems import Report

SPAN = {"start": 0, "end": 3, "label": "X"}


def converted(tmp_path: Path, format: str, content: Any, name: str = "in.jsonl") -> Report:
    path = tmp_path / name
    path.write_bytes(
        content if isinstance(content, bytes) else json.dumps(content, ensure_ascii=False).encode()
    )
    report = Report()
    convert(path, tmp_path / "out.ndjson", from_=format, to="native", report=report)
    assert report.ledger.balanced
    return report


@pytest.mark.parametrize(
    ("format", "record", "fields", "rejected"),
    [
        ("doccano", {"text": "Ann", "cats": ["a", 7]}, {}, ["/cats/1"]),
        (
            "doccano",
            {"text": "Ann", "label": [{"label": "X", "start_offset": 0, "end_offset": 3, "by": 1}]},
            {"doccano:spans.by": 1},
            [],
        ),
        ("chat", {"messages": [{"role": "u", "content": "Ann", "labels": ["a", 7]}]}, {}, [""]),
        ("chat", {"messages": [{"role": "u", "content": "Ann", "spans": 7}]}, {}, ["/spans/0"]),
        (
            "chat",
            {"messages": [{"role": "u", "content": "Ann", "spans": [{**SPAN, "by": 1}]}]},
            {"chat:spans.by": 1},
            [],
        ),
        (
            "chat",
            {"row_data": {"messages": [{"messageId": "m", "content": "Ann"}], "modelOutputs": []}},
            {"chat:modelOutputs": 1},
            [],
        ),
        (
            "label-studio",
            {"data": {"text": "Ann", "page": 3}, "meta": {"a": 1}, "predictions": [7, {}]},
            {"label-studio:data.page": 1, "label-studio:meta": 1, "label-studio:predictions": 2},
            [],
        ),
        (
            "label-studio",
            {"data": {"text": "Ann"}, "annotations": {"result": []}},
            {"label-studio:annotations": 1},
            [],
        ),
        (
            "label-studio",
            {"data": {"text": "Ann"}, "annotations": [{"result": {}}]},
            {"label-studio:result": 1},
            [],
        ),
        (
            "label-studio",
            {
                "data": {"text": "Ann"},
                "annotations": [
                    {"result": [{"type": "labels", "value": {**SPAN, "labels": ["X"]}, "score": 7}]}
                ],
            },
            {"label-studio:score": 1},
            [],
        ),
        (
            "hf-tokens",
            {"tokens": ["Ann"], "tags": ["B-X"], "text": "Bob"},
            {"hf-tokens:text": 1},
            [],
        ),
        ("hf-tokens", {"tokens": ["Ann"], "tags": [True]}, {}, ["/tags"]),
        ("spacy", {"text": "Ann", "cats": [{"label": "a"}, 7]}, {}, ["/cats/1"]),
        ("spacy", {"text": "Ann", "accept": ["a", None]}, {}, ["/accept/1"]),
        ("spacy", {"text": "Ann", "relations": 7}, {}, ["/relations/0"]),
        (
            "spacy",
            {"text": "Ann", "answer": 7, "label": 7, "id": [], "labelconv": {"key": 7}},
            {"spacy:answer": 1, "spacy:label": 1, "spacy:id": 1, "spacy:labelconv": 1},
            [],
        ),
        (
            "spacy",
            {"text": "Ann", "spans": [{**SPAN, "group": 1.5, "token_end": "2"}]},
            {"spacy:spans.group": 1, "spacy:spans.token_end": 1},
            [],
        ),
        (
            "spacy",
            {"text": "Ann Lee", "entities": ["U-X", 7]},
            {"spacy:entities": 1},
            [],
        ),
        (
            "spacy",
            {
                "id": 1,
                "paragraphs": [
                    {"sentences": [7, {"tokens": [{"orth": "Ann", "ner": 7}, {"ner": "U-X"}]}]}
                ],
            },
            {"spacy:tokens without orth": 2, "spacy:tokens.ner": 1},
            [],
        ),
    ],
)
def test_what_is_of_no_use_is_counted_or_rejected(
    tmp_path: Path, format: str, record: Any, fields: dict[str, int], rejected: list[str]
) -> None:
    report = converted(tmp_path, format, record)
    assert {name: report.fields.get(name) for name in fields} == fields
    found = [problem for problem in report.problems if problem.severity == "error"]
    assert [problem.code for problem in found] == ["R101"] * len(rejected)
    for problem, end in zip(found, rejected, strict=True):
        assert (problem.where.pointer or "").endswith(end)
    assert report.ledger.samples.kept + report.ledger.samples.changed == 1 - (
        format == "hf-tokens" and bool(rejected)
    )


def test_a_number_without_a_name_among_others_rejects_its_row(tmp_path: Path) -> None:
    (tmp_path / "names.json").write_text('{"id2label": {"0": "O", "2": "B-X"}}')
    rows = [{"tokens": ["Ann"], "tags": [tag]} for tag in (2, 1)]
    (tmp_path / "in.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    options = {"names": str(tmp_path / "names.json")}
    dataset = lc.read(tmp_path / "in.jsonl", "hf-tokens", options=options)
    assert [each.category for sample in dataset for each in sample.annotations] == ["X"]
    first = dataset.report.problems[0]
    assert (first.code, first.where.line) == ("R101", 2)


def test_names_that_are_no_numbers_are_no_names(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"id2label": {"one": "B-X"}}')
    (tmp_path / "in.jsonl").write_text('{"tokens": ["Ann"], "tags": ["B-X"]}\n')
    (sample,) = lc.read(tmp_path / "in.jsonl", "hf-tokens")
    assert [each.category for each in sample.annotations] == ["X"]


def test_what_is_said_of_a_rejected_span_of_brat_is_counted(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.txt").write_text("Ann")
    lines = ["T1\tX 0 9\tAnn", "A1\tSure T1", "#1\tNote T1\tno", f"T2\tX 0 {'1' * 5000}\tAnn"]
    (tmp_path / "in" / "a.ann").write_text("\n".join(lines))
    dataset = lc.read(tmp_path / "in", "brat")
    assert [sample.annotations for sample in dataset] == [()]
    assert dataset.report.fields == {"brat:attributes of rejected spans": 1, "brat:notes": 1}
    assert [problem.where.line for problem in dataset.report.problems] == [4, 1]
    assert dataset.report.ledger.annotations.rejected == 2


@pytest.mark.parametrize(("lost", "kind"), [("WHO", "ents"), ("WHOM", "spans")])
def test_a_label_of_a_docbin_without_its_string_is_counted(
    tmp_path: Path, lost: str, kind: str
) -> None:
    document = spacy.blank("en")("Ann met Lee")
    document.set_ents([Span(document, 0, 1, "WHO")])
    document.spans["sc"] = [Span(document, 2, 3, "WHOM")]
    packed = msgspec.msgpack.decode(zlib.decompress(DocBin(docs=[document]).to_bytes()))
    packed["strings"] = [each for each in packed["strings"] if each != lost]
    path = tmp_path / "in.spacy"
    path.write_bytes(zlib.compress(msgspec.msgpack.encode(packed)))
    dataset = lc.read(path, "spacy")
    found = {each.category for sample in dataset for each in sample.annotations}
    assert found == {"WHO", "WHOM"} - {lost}
    assert dataset.report.fields == {f"spacy:{kind} whose label's string is missing": 1}
