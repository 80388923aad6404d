"""Hugging Face token classification: JSONL and Parquet, tags by number or name."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import labelconv as lc
from labelconv.errors import SourceError
from labelconv.model import Sample, Text, TextSpan
from labelconv.reading import ReadDataset

NAMES = ["O", "B-PER", "I-PER", "B-LOC", "I-LOC"]
ROW = {"id": "7", "tokens": ["Ann", "😂", "e\u0301", "Łódź"], "ner_tags": [1, 2, 0, 3]}
JOINED = "Ann 😂 e\u0301 Łódź"
FEATURES = {"ner_tags": {"feature": {"names": NAMES, "_type": "ClassLabel"}, "_type": "Sequence"}}


def read(path: Path, *rows: Any, **options: Any) -> ReadDataset:
    lines = (json.dumps(each, ensure_ascii=False) + "\n" for each in rows)
    path.write_bytes("".join(lines).encode())
    return lc.read(path, "hf-tokens", options=options)


def spans(sample: Sample) -> list[tuple[int, int, str]]:
    return [
        (each.value.start, each.value.end, each.category)
        for each in sample.annotations
        if isinstance(each.value, TextSpan)
    ]


def test_numbers_are_named_by_a_list(tmp_path: Path) -> None:
    dataset = read(tmp_path / "d.jsonl", ROW, names=",".join(NAMES))
    (sample,) = list(dataset)
    assert (sample.key, sample.media) == ("7", Text(JOINED))
    assert spans(sample) == [(0, 5, "PER"), (9, 13, "LOC")]
    assert [each.code for each in dataset.report.problems] == ["R141"]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("dataset_info.json", {"features": FEATURES}),
        ("config.json", {"id2label": {str(n): name for n, name in enumerate(NAMES)}}),
    ],
)
def test_names_beside_the_file_are_found(tmp_path: Path, name: str, content: object) -> None:
    (tmp_path / name).write_text(json.dumps(content))
    assert [spans(each) for each in read(tmp_path / "d.jsonl", ROW)] == [
        [(0, 5, "PER"), (9, 13, "LOC")]
    ]


def test_names_can_be_in_a_file_of_any_form(tmp_path: Path) -> None:
    other = tmp_path / "elsewhere.json"
    for content in (NAMES, {"features": FEATURES}, {"id2label": dict(enumerate(NAMES))}):
        other.write_text(json.dumps(content))
        dataset = read(tmp_path / "d.jsonl", ROW, names=str(other))
        assert [spans(each) for each in dataset] == [[(0, 5, "PER"), (9, 13, "LOC")]]


def test_numbers_without_names_are_no_tags(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="names"):
        list(read(tmp_path / "d.jsonl", ROW))


def test_tags_that_are_names_need_no_list(tmp_path: Path) -> None:
    dataset = read(
        tmp_path / "d.jsonl",
        {"words": ["a", "b"], "labels": ["B-X", "I-X"], "source": "s"},
        join="",
    )
    (sample,) = list(dataset)
    assert sample.media == Text("ab")
    assert spans(sample) == [(0, 2, "X")]
    assert sample.key == "d-1"
    assert dataset.report.fields == {"hf-tokens:source": 1}


def test_a_text_beside_the_tokens_is_used_when_they_are_its_own(tmp_path: Path) -> None:
    good = {"tokens": ["Ann", "."], "ner_tags": ["B-P", "O"], "text": " Ann."}
    other = {"tokens": ["Bob", "."], "ner_tags": ["B-P", "O"], "text": "Rob."}
    dataset = read(tmp_path / "d.jsonl", good, other)
    assert [each.media for each in dataset] == [Text(" Ann."), Text("Bob .")]


def test_bad_rows_are_rejected_alone(tmp_path: Path) -> None:
    dataset = read(
        tmp_path / "d.jsonl",
        {"tokens": ["a"], "ner_tags": [1, 2]},
        {"tokens": ["a"], "ner_tags": [9]},
        {"tokens": "a", "ner_tags": [1]},
        {"tokens": ["a"]},
        [1],
        {"tokens": ["a", "b"], "ner_tags": [1, -100]},
        {"tokens": ["", "b"], "ner_tags": [1, 0]},
        names=",".join(NAMES),
    )
    assert [spans(each) for each in dataset] == [[(0, 1, "PER")], []]
    assert [(each.code, each.where.line) for each in dataset.report.problems][:5] == [
        ("R101", line) for line in (1, 2, 3, 4, 5)
    ]
    assert "M221" in {each.code for each in dataset.report.problems}
    ledger = dataset.report.ledger
    assert (ledger.samples.read, ledger.samples.rejected) == (7, 5)
    assert (ledger.annotations.read, ledger.annotations.rejected) == (2, 1)


def parquet(path: Path, rows: list[dict[str, Any]], *, names: bool) -> Path:
    table = pa.Table.from_pylist(rows)
    if names:
        said = json.dumps({"info": {"features": FEATURES}})
        table = table.replace_schema_metadata({"huggingface": said})
    pq.write_table(table, path, row_group_size=2)
    return path


def test_parquet_has_the_names_in_it(tmp_path: Path) -> None:
    path = parquet(
        tmp_path / "d.parquet", [ROW, {**ROW, "id": "8"}, {**ROW, "id": "9"}], names=True
    )
    samples = list(lc.read(path))
    assert [each.key for each in samples] == ["7", "8", "9"]
    assert {tuple(spans(each)) for each in samples} == {((0, 5, "PER"), (9, 13, "LOC"))}
    assert samples[0].media == Text(JOINED)


def test_parquet_without_names_takes_them_from_the_option(tmp_path: Path) -> None:
    path = parquet(tmp_path / "d.parquet", [ROW], names=False)
    with pytest.raises(SourceError, match="names"):
        list(lc.read(path, "hf-tokens"))
    given = {"names": ",".join(NAMES)}
    assert [len(spans(each)) for each in lc.read(path, "hf-tokens", options=given)] == [2]


def test_a_parquet_file_that_is_cut_off_gives_one_sentence(tmp_path: Path) -> None:
    path = parquet(tmp_path / "d.parquet", [ROW], names=True)
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(SourceError, match=r"d\.parquet"):
        list(lc.read(path, "hf-tokens"))
