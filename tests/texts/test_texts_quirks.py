"""The hard inputs of texts that peers.md lists in section 4: numbers 23 and 28."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import labelconv as lc
from labelconv.model import Text, TextSpan
from labelconv.reading import ReadDataset

TEXT = "I like 😂 New York\r\nand e\u0301cole 👩\u200d🚀 𝕏.\r\n"


def read(tmp_path: Path, format: str, *records: Any, **options: Any) -> ReadDataset:
    path = tmp_path / "in.jsonl"
    path.write_bytes("".join(json.dumps(each) + "\n" for each in records).encode())
    return lc.read(path, format, options=options)


def quoted(start: int, end: int, quote: str) -> dict[str, Any]:
    """Label Studio quotes what its spans hold; so does Prodigy."""
    value = {"start": start, "end": end, "labels": ["X"], "text": quote}
    return {"type": "labels", "value": value}


def found(dataset: ReadDataset) -> list[tuple[int, int]]:
    return [
        (each.value.start, each.value.end)
        for sample in dataset
        for each in sample.annotations
        if isinstance(each.value, TextSpan)
    ]


@pytest.mark.parametrize("unit", ["codepoint", "utf16", "utf8"])
@pytest.mark.parametrize("quote", ["New York", "e\u0301cole", "👩\u200d🚀", "York\r\nand"])
def test_quirk_23_offsets_of_each_unit_hold_the_quote_and_no_other_does(
    tmp_path: Path, unit: str, quote: str
) -> None:
    at = TEXT.index(quote)
    encoding, width = {"codepoint": ("utf-32-le", 4), "utf16": ("utf-16-le", 2)}.get(
        unit, ("utf-8", 1)
    )
    start, end = (
        len(part.encode(encoding)) // width for part in (TEXT[:at], TEXT[: at + len(quote)])
    )
    task = {"data": {"text": TEXT}, "annotations": [{"result": [quoted(start, end, quote)]}]}
    for other in ("codepoint", "utf16", "utf8"):
        dataset = read(tmp_path, "label-studio", task, source_offsets=other)
        if other == unit:
            assert found(dataset) == [(at, at + len(quote))]
            assert dataset.report.errors == 0
        else:
            assert found(dataset) == []
            (problem,) = (each for each in dataset.report.problems if each.severity == "error")
            assert problem.code == "M223"
            assert f"-O source_offsets={unit}" in problem.message


@pytest.mark.parametrize(
    ("start", "end", "quote", "code", "words"),
    [
        (9, 16, "New York", "M223", "code points with an inclusive end"),
        (10, 18, "New York", "M223", "UTF-16 units"),
        (18, 21, "and", "M223", "with every \\r\\n counted as one character"),
        (3, 6, "like", "M223", "counted from 1 with an inclusive end"),
        (9, 9, "", "M221", ""),
        (9, 999, "New York", "M222", ""),
        (-3, 2, "", "M222", ""),
    ],
)
def test_quirk_23_a_wrong_base_is_diagnosed_and_what_cannot_be_is_rejected(
    tmp_path: Path, start: int, end: int, quote: str, code: str, words: str
) -> None:
    task = {"data": {"text": TEXT}, "annotations": [{"result": [quoted(start, end, quote)]}]}
    dataset = read(tmp_path, "label-studio", task, source_offsets="codepoint")
    assert found(dataset) == []
    (problem,) = dataset.report.problems
    assert (problem.code, problem.where.pointer) == (code, "/annotations/0/result/0")
    assert words in problem.message
    (rejected,) = dataset.report.take_rejected()
    assert json.loads(rejected.record)["value"]["start"] == start


def test_quirk_23_spans_that_cut_words_overlap_or_nest_stay_and_are_noted(tmp_path: Path) -> None:
    spans = [(9, 17), (9, 12), (10, 15), (8, 12), (13, 22)]
    record = {"text": TEXT, "spans": [{"start": a, "end": b, "label": "X"} for a, b in spans]}
    dataset = read(tmp_path, "spacy", record)
    assert found(dataset) == spans
    assert dataset.report.counts == {"M224": 1, "M225": 1}


def test_quirk_28_rejected_answers_of_prodigy_are_skipped_and_counted(tmp_path: Path) -> None:
    span = {"start": 9, "end": 17, "label": "X"}
    records = [
        {"text": TEXT, "spans": [span], "answer": answer}
        for answer in ("accept", "reject", "ignore")
    ]
    dataset = read(tmp_path, "spacy", *records)
    assert found(dataset) == [(9, 17)]
    ledger = dataset.report.ledger
    assert (ledger.samples.read, ledger.samples.skipped) == (3, 2)
    assert (ledger.annotations.read, ledger.annotations.skipped) == (3, 2)
    assert dataset.report.counts == {"R143": 1}
    assert len(found(read(tmp_path, "spacy", *records, answers="all"))) == 3


@pytest.mark.parametrize(
    ("options", "spans", "skipped"),
    [
        ({}, [(0, 1)], 3),
        ({"annotators": "all"}, [(0, 1), (2, 6)], 2),
        ({"predictions": "only"}, [(7, 8)], 3),
    ],
)
def test_quirk_28_of_annotators_cancelled_ones_and_predictions_one_is_read(
    tmp_path: Path, options: dict[str, str], spans: list[tuple[int, int]], skipped: int
) -> None:
    task = {
        "data": {"text": TEXT},
        "annotations": [
            {"result": [quoted(9, 17, "New York")], "was_cancelled": True},
            {"result": [quoted(0, 1, "I")]},
            {"result": [quoted(2, 6, "like")]},
        ],
        "predictions": [{"result": [quoted(7, 8, "😂")]}],
    }
    dataset = read(tmp_path, "label-studio", task, source_offsets="codepoint", **options)
    assert found(dataset) == spans
    ledger = dataset.report.ledger
    assert ledger.annotations.skipped == skipped
    assert dataset.report.counts["R143"] >= 2
    (sample,) = dataset
    assert sample.media == Text(TEXT)
