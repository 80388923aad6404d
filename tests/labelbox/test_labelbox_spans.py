"""Lines of plain entities spelled in one go: the bytes of lines that are made one by one."""

from __future__ import annotations

import json
import uuid
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

import labelconv as lc
from labelconv.formats.labelbox import writer_cap
from labelconv.formats.labelbox.writer_spans import PlainSpans
from labelconv.model import (
    Annotation,
    Classification,
    FreeText,
    Radio,
    Sample,
    Samples,
    Text,
    TextSpan,
)

#: Among them ids that occur twice, and UUIDs in two spellings.
IDS = ("0", "1", "é😂", str(uuid.UUID(int=1)), uuid.UUID(int=1).hex, "x" * 40)


class Written(msgspec.Struct):
    """The target's bytes, the report, and how often all lines of a sample were made in one go."""

    target: bytes
    report: dict[str, Any]
    at_once: int


def written(
    samples: list[Sample], folder: Path, *, at_once: bool = True, **options: Any
) -> Written:
    count = 0
    make = PlainSpans.lines

    def counted(self: PlainSpans, sample: Sample, row: msgspec.Raw) -> bytes | None:
        nonlocal count
        lines = make(self, sample, row) if at_once else None
        count += lines is not None
        return lines

    target = folder / "out.ndjson"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(PlainSpans, "lines", counted)
        report = lc.write(Samples(samples), target, "labelbox", options=options, allow=["loss"])
    return Written(target.read_bytes(), report.as_dict(), count)


def same(samples: list[Sample], folder: Path, **options: Any) -> Written:
    made = written(samples, folder, **options)
    slow = written(samples, folder, at_once=False, **options)
    assert slow.at_once == 0
    assert (made.target, made.report) == (slow.target, slow.report)
    return made


@st.composite
def texts(draw: st.DrawFn, key: str) -> Sample:
    content = draw(st.text(max_size=20) | st.just("e\u0301cole \U0001f469\u200d\U0001f680 Łódź"))
    annotations = []
    for id in draw(st.lists(st.sampled_from(IDS), max_size=5)):
        ends = st.integers(-1, len(content) + 1)
        span = TextSpan(draw(ends), draw(ends), draw(st.sampled_from([None] * 9 + ["m"])))
        category = draw(st.sampled_from(["PER", 'Łódź "1"', "\U0001f602", "", "\ud800"]))
        asked = draw(st.sampled_from([(), (), (), (Classification("q", Radio("a")),)]))
        sure = draw(st.sampled_from([None, None, None, 0.5, 7.0]))
        annotations.append(Annotation(id, category, span, asked, sure))
    answers = draw(st.sampled_from([(), (), (Classification("q", FreeText("a")),)]))
    known = draw(st.sampled_from([True, True, True, False]))
    return Sample(key, Text(content if known else None), tuple(annotations), answers)


@given(
    samples=st.tuples(texts("a"), texts("b/é"), texts("c")).map(list),
    uuids=st.booleans(),
    unit=st.sampled_from(["utf16", "codepoint"]),
)
def test_the_bytes_and_the_report_are_those_of_lines_made_one_by_one(
    samples: list[Sample], uuids: bool, unit: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    same(samples, tmp_path_factory.mktemp("t"), uuid=uuids, offset_unit=unit)


def entities(key: str, content: str, *spans: tuple[int, int], first: str = "0") -> Sample:
    made = (
        Annotation(str(n) if n else first, "PER", TextSpan(*span)) for n, span in enumerate(spans)
    )
    return Sample(key, Text(content), tuple(made))


def test_plain_entities_are_made_in_one_go_and_others_are_not(tmp_path: Path) -> None:
    plain = entities("a", "Anna \U0001f602 Bob", (0, 4), (7, 10))
    empty = entities("b", "Anna", (2, 2))
    made = same([plain, empty], tmp_path)
    assert made.at_once == 1
    found = [json.loads(line)["location"] for line in made.target.splitlines()]
    assert found == [{"start": 0, "end": 3}, {"start": 8, "end": 10}]


def test_a_uuid_that_two_data_rows_have_is_kept_by_the_first(tmp_path: Path) -> None:
    id = str(uuid.UUID(int=5))
    made = same([entities(key, "Anna", (0, 4), first=id) for key in "ab"], tmp_path)
    assert made.at_once == 2
    found = [json.loads(line)["uuid"] for line in made.target.splitlines()]
    assert found[0] == id
    assert found[1] != id


def test_ids_that_occur_twice_in_a_data_row_get_uuids_of_their_own(tmp_path: Path) -> None:
    sample = entities("a", "Anna", (0, 4), (0, 3), (0, 2), first="1")
    made = same([sample], tmp_path)
    assert len({json.loads(line)["uuid"] for line in made.target.splitlines()}) == 3


def test_a_data_row_above_the_cap_is_counted_line_by_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer_cap, "FEATURE_CAP", 3)
    small, large = entities("a", "Anna", (0, 4)), entities("b", "Anna", *[(0, 4)] * 5)
    made = same([small, large, small], tmp_path)
    assert made.at_once == 1
    assert len(made.target.splitlines()) == 1 + 3 + 1
    assert made.report["ledger"]["annotations"]["lost"] == 2


def test_names_that_the_project_does_not_have_are_told_as_for_single_lines(tmp_path: Path) -> None:
    tool = {"tool": "named-entity", "name": "PER", "featureSchemaId": "c" * 25}
    ontology = tmp_path / "ontology.json"
    ontology.write_text(json.dumps({"tools": [tool], "classifications": []}))
    other = Sample("b", Text("Anna"), (Annotation("0", "LOC", TextSpan(0, 4)),))
    folder = tmp_path / "out"
    folder.mkdir()
    given = [entities("a", "Anna", (0, 4)), other]
    made = same(given, folder, ontology=str(ontology), names="schemaId")
    assert made.at_once == 1
    (line,) = made.target.splitlines()
    assert json.loads(line)["schemaId"] == "c" * 25
    assert made.report["ledger"]["annotations"]["rejected"] == 1
