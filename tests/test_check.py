"""`check`: problems of a source, and what a target would lose of it; nothing is written."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

import labelconv
from labelconv.errors import OptionError
from labelconv.sample_data import generate

LINE = (
    '{"uuid":"8b0e6f2a-52c7-4d0e-9a55-3f1d8f6f1c11","dataRow":{"globalKey":"a"},"name":"cat",'
    '"bbox":{"top":1,"left":2,"height":3,"width":4}}\n'
)
ONTOLOGY = '{"tools": [{"tool": "rectangle", "name": "car"}], "classifications": []}'


@pytest.fixture
def native(tmp_path: Path) -> Path:
    source = tmp_path / "in" / "a.native.ndjson"
    source.parent.mkdir()
    labelconv.write(generate(3), source, "native")
    return source


def test_a_sound_source_has_no_problems_and_a_ledger_that_balances(native: Path) -> None:
    report = labelconv.check(native)
    assert report.counts == {}
    assert report.evidence[0].startswith("native: ")
    assert report.ledger.balanced
    assert report.ledger.annotations.kept == report.ledger.annotations.read > 0


def test_what_a_target_would_lose_is_counted_and_nothing_is_written(native: Path) -> None:
    report = labelconv.check(native, to="labelbox")
    assert report.losses == report.counts["L408"] > 0
    assert report.errors == 0
    assert [path.name for path in native.parent.iterdir()] == [native.name]
    assert labelconv.check(native, to="native").losses == 0


def test_lines_are_held_against_the_ontology_of_the_project(tmp_path: Path) -> None:
    lines, ontology = tmp_path / "a.ndjson", tmp_path / "ontology.json"
    lines.write_text(LINE)
    ontology.write_text(ONTOLOGY)
    assert labelconv.check(lines, "labelbox").counts == {}
    report = labelconv.check(lines, "labelbox", ontology=ontology)
    assert report.counts == {"O301": 1}
    assert report.problems[0].where.pointer == "/name"
    assert report.problems[0].where.line == 1


def test_a_packed_file_is_named_as_it_was_given(tmp_path: Path) -> None:
    lines = tmp_path / "a.ndjson.gz"
    lines.write_bytes(gzip.compress((LINE * 2).encode()))
    report = labelconv.check(lines, "labelbox")
    assert report.counts == {"S502": 1}
    assert report.problems[0].where.path == str(lines)


def test_what_a_target_would_lose_is_not_asked_of_lines_with_errors(tmp_path: Path) -> None:
    lines = tmp_path / "a.ndjson"
    lines.write_text(LINE * 2)
    assert labelconv.check(lines, "labelbox", to="native").counts == {"S502": 1}
    lines.write_text(LINE)
    assert labelconv.check(lines, "labelbox", to="native").errors == 0


def test_an_ontology_for_a_format_that_knows_none_is_refused(native: Path) -> None:
    with pytest.raises(OptionError, match="--to"):
        labelconv.check(native, ontology="ontology.json")


def test_names_are_held_against_the_ontology_of_the_target(native: Path, tmp_path: Path) -> None:
    (tmp_path / "ontology.json").write_text(ONTOLOGY)
    report = labelconv.check(native, to="labelbox", ontology=tmp_path / "ontology.json")
    assert report.counts["O301"] > 0


def test_all_files_of_a_glob_are_checked(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / f"{name}.ndjson").write_text(LINE * 2)
    report = labelconv.check(tmp_path / "*.ndjson", "labelbox")
    assert [problem.where.path for problem in report.problems] == [
        str(tmp_path / "a.ndjson"),
        str(tmp_path / "b.ndjson"),
    ]
