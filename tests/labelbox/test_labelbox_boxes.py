"""Lines of plain boxes spelled many at a time: the bytes of lines that are made one by one."""

from __future__ import annotations

import json
import math
import uuid
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import labelconv as lc
from labelconv.formats.labelbox import writer_boxes, writer_cap
from labelconv.formats.labelbox.writer_boxes import PlainBoxes
from labelconv.model import (
    Annotation,
    Box,
    Classification,
    Image,
    Mask,
    Point,
    Radio,
    Relation,
    Sample,
    Samples,
)

UUID = str(uuid.UUID(int=1))
NUMBERS = st.sampled_from([0, 0.1, 1.5, 7, 1e300, math.inf, math.nan]) | st.floats(-1e9, 1e9)


def written(
    samples: list[Sample], target: Path, *, together: bool, **options: Any
) -> tuple[bytes, dict[str, Any]]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(writer_boxes, "TOGETHER", 3)
        if not together:
            patch.setattr(PlainBoxes, "take", lambda self, sample: False)
        report = lc.write(Samples(samples), target, "labelbox", options=options, allow=["loss"])
    return target.read_bytes(), report.as_dict()


def same(samples: list[Sample], folder: Path, **options: Any) -> tuple[bytes, dict[str, Any]]:
    made = written(samples, folder / "together.ndjson", together=True, **options)
    assert made == written(samples, folder / "alone.ndjson", together=False, **options)
    return made


@st.composite
def pictures(draw: st.DrawFn) -> Sample:
    annotations = []
    for id in draw(st.lists(st.sampled_from(["0", "1", "é😂", UUID, "x" * 40]), max_size=4)):
        box = Box(draw(NUMBERS), draw(NUMBERS), draw(NUMBERS), draw(NUMBERS))
        value = draw(st.sampled_from([*[box] * 8, Point(1, 2)]))
        category = draw(st.sampled_from(["car", "car", 'Łódź "1"', "\U0001f602", "", "\ud800"]))
        asked = draw(st.sampled_from([(), (), (), (Classification("q", Radio("a")),)]))
        sure = draw(st.sampled_from([None, None, None, 0.5, 7.0]))
        annotations.append(Annotation(id, category, value, asked, sure))
    ends = [each.id for each in annotations]
    joined = (Relation("r", "near", ends[0], ends[-1]),) if ends and draw(st.booleans()) else ()
    key = draw(st.sampled_from(["a.jpg", "b/é.jpg", 'c"\\.jpg', "d\x7f", "e\ud800", ""]))
    return Sample(key, Image(), tuple(annotations), (), joined, key_is_id=draw(st.booleans()))


@given(samples=st.lists(pictures(), max_size=5), uuids=st.booleans())
def test_the_bytes_and_the_report_are_those_of_lines_made_one_by_one(
    samples: list[Sample], uuids: bool, tmp_path_factory: pytest.TempPathFactory
) -> None:
    same(samples, tmp_path_factory.mktemp("t"), uuid=uuids)


def boxes(key: str, count: int) -> Sample:
    made = (Annotation(str(n), "car", Box(n, 0, n + 1, 2.5)) for n in range(count))
    return Sample(key, Image(), tuple(made))


def test_boxes_wait_for_each_other_and_are_written_before_other_lines(tmp_path: Path) -> None:
    point = Sample("b", Image(), (Annotation("0", "car", Point(1, 2)),))
    target, _ = same([boxes("a", 2), point, boxes("c", 5), boxes("a", 1)], tmp_path)
    lines = [json.loads(line) for line in target.splitlines()]
    assert [line["dataRow"]["globalKey"] for line in lines] == [*"aab", *"ccccc", "a"]
    assert lines[3]["bbox"] == {"top": 0, "left": 0, "height": 2.5, "width": 1}


@pytest.mark.parametrize("groups", [1, 2, writer_cap._GROUPS])
def test_a_data_row_above_the_cap_is_counted_with_what_was_written_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, groups: int
) -> None:
    monkeypatch.setattr(writer_cap, "_GROUPS", groups)
    monkeypatch.setattr(writer_cap, "FEATURE_CAP", 3)
    monkeypatch.setattr(writer_cap, "_LIKELY", 1)
    other = Sample("a", Image(), (Annotation("9", "dog", Box(0, 0, 1, 1)),))
    target, report = same([boxes("a", 2), boxes("b", 1), boxes("a", 2), other], tmp_path)
    assert len(target.splitlines()) == 2 + 1 + 1 + 1
    assert report["ledger"]["annotations"]["lost"] == 1


@pytest.mark.parametrize("uuids", [True, False])
def test_data_rows_that_are_counted_together_have_a_cap_each(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, uuids: bool
) -> None:
    monkeypatch.setattr(writer_cap, "_GROUPS", 1)
    monkeypatch.setattr(writer_cap, "FEATURE_CAP", 3)
    ids = Sample("é", Image(), boxes("é", 2).annotations, key_is_id=True)
    pieces = [boxes("a", 2), ids, boxes("b", 3), boxes("c", 5), boxes("a", 1), ids, boxes("d", 1)]
    target, report = same(pieces, tmp_path, uuid=uuids)
    rows = [[*json.loads(line)["dataRow"].values()] for line in target.splitlines()]
    assert [name for (name,) in rows] == [*"aaéébbbccca", "é", "d"]
    assert report["counts"] == {"L410": 2 + 1}


def test_names_that_the_project_does_not_have_are_told_as_for_single_lines(tmp_path: Path) -> None:
    tool = {"tool": "rectangle", "name": "car", "featureSchemaId": "c" * 25}
    ontology = tmp_path / "ontology.json"
    ontology.write_text(json.dumps({"tools": [tool], "classifications": []}))
    bus = Annotation("9", "bus", Box(0, 0, 1, 1))
    mixed = Sample("b", Image(), (*boxes("b", 2).annotations, bus))
    given = [boxes("a", 1), mixed]
    target, report = same(given, tmp_path, ontology=str(ontology), names="schemaId")
    assert [json.loads(line)["schemaId"] for line in target.splitlines()] == ["c" * 25] * 3
    assert report["ledger"]["annotations"]["rejected"] == 1


@pytest.mark.parametrize("options", [{"lines": 2}, {"masks": "composite"}])
def test_files_in_folders_have_the_same_lines(options: dict[str, Any], tmp_path: Path) -> None:
    mask = Sample("m", Image(4, 4), (Annotation("0", "sky", Mask((4, 4), (8, 8))),))
    samples = [boxes("a", 1), boxes("b", 2), mask, boxes("c", 4)]
    lc.write(Samples(samples), tmp_path / "out", "labelbox", options=options, allow=["loss"])
    found = [
        json.loads(line)["dataRow"]["globalKey"]
        for file in sorted((tmp_path / "out").glob("*.ndjson"))
        for line in file.read_bytes().splitlines()
    ]
    assert found == [*"abb", "m", *"cccc"]
