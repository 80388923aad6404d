"""Documents: boxes on pages in points, tokens of the text layer, relations of questions."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from labelbox_media_help import lines_of, payload, put, samples_of, told

from labelconv.convert import convert
from labelconv.errors import OptionError
from labelconv.model import (
    Annotation,
    Box,
    Classification,
    Document,
    OnPage,
    Page,
    Point,
    Polygon,
    Radio,
    Relation,
    Sample,
    TokenGroup,
    TokenSpan,
)
from labelconv.problems import Report

PAGES = Document((Page(612, 792),))
FIGURE = {"name": "figure", "page": 0, "unit": "POINTS"}


def paper(*annotations: Annotation, **more: Any) -> Sample:
    return Sample("k", PAGES, annotations, **more)


def boxed(page: int, box: Box = Box(1, 2, 4, 6)) -> Annotation:  # noqa: B008 - frozen
    return Annotation(f"p{page}", "figure", OnPage(page, box), confidence=0.5)


def test_a_box_has_its_page_and_points(tmp_path: Path) -> None:
    (line,) = lines_of(tmp_path, paper(boxed(3)))
    assert payload(line) == {
        "name": "figure",
        "bbox": {"top": 2, "left": 1, "height": 4, "width": 3},
        "confidence": 0.5,
        "page": 3,
        "unit": "POINTS",
    }
    (sample,) = samples_of(put(tmp_path, line))
    assert sample.media == Document()
    assert sample.annotations[0].value == OnPage(3, Box(1, 2, 4, 6))


def test_pages_of_boxes_count_from_where_the_option_says_and_those_of_tokens_from_one(
    tmp_path: Path,
) -> None:
    tokens = TokenSpan((TokenGroup(2, "g", ("t1", "t2")),))
    lines = lines_of(tmp_path, paper(boxed(2), Annotation("t", "title", tokens)), page_base=1)
    assert lines[0]["page"] == 3
    assert lines[1]["textSelections"] == [{"groupId": "g", "tokenIds": ["t1", "t2"], "page": 3}]
    (sample,) = samples_of(put(tmp_path, *lines), page_base=1)
    assert [each.value for each in sample.annotations] == [OnPage(2, Box(1, 2, 4, 6)), tokens]


@pytest.mark.parametrize(
    ("unit", "options", "box"),
    [
        ("POINTS", {}, (1, 0.5, 3, 2.5)),
        ("INCHES", {}, (72, 36, 216, 180)),
        ("PIXELS", {"dpi": 144}, (0.5, 0.25, 1.5, 1.25)),
        ("PERCENT", {"page_size": "612x792"}, (612, 396, 1836, 1980)),
    ],
)
def test_every_unit_becomes_points(
    tmp_path: Path, unit: str, options: dict[str, Any], box: tuple[float, ...]
) -> None:
    line = FIGURE | {"unit": unit, "bbox": {"top": 0.5, "left": 1, "height": 2, "width": 2}}
    (sample,) = samples_of(put(tmp_path, line), **options)
    assert sample.annotations[0].value == OnPage(0, Box(*box))


@pytest.mark.parametrize("unit", ["PIXELS", "PERCENT"])
def test_a_unit_that_needs_more_than_the_line_is_rejected_without_it(
    tmp_path: Path, unit: str
) -> None:
    line = FIGURE | {"unit": unit, "bbox": {"top": 0.5, "left": 1, "height": 2, "width": 2}}
    report = Report()
    (sample,) = samples_of(put(tmp_path, line), report)
    assert sample.annotations == ()
    assert told(report) == [("R101", "/unit")]


@pytest.mark.parametrize("size", ["612", "612 792", "0x5", "axb", "infx2", "nanx1"])
def test_a_page_size_that_is_none_is_the_callers_mistake(tmp_path: Path, size: str) -> None:
    with pytest.raises(OptionError):
        samples_of(put(tmp_path, FIGURE), page_size=size)


def test_a_page_before_the_first_is_rejected_on_both_ways(tmp_path: Path) -> None:
    report = Report()
    assert lines_of(tmp_path, paper(boxed(-1)), report=report) == []
    assert [each.code for each in report.take_rejected()] == ["M205"]
    line = FIGURE | {"bbox": {"top": 0, "left": 1, "height": 2, "width": 2}}
    (sample,) = samples_of(put(tmp_path, line), report, page_base=1)
    assert sample.annotations == ()


def test_polygons_on_pages_become_boxes_and_points_are_lost(tmp_path: Path) -> None:
    triangle = Annotation("1", "figure", OnPage(0, Polygon((((0, 0, 4, 0, 4, 3),),))))
    dot = Annotation("2", "figure", OnPage(0, Point(1, 1)))
    report = Report()
    (line,) = lines_of(tmp_path, paper(triangle, dot), report=report)
    assert line["bbox"] == {"top": 0, "left": 0, "height": 3, "width": 4}
    assert report.counts == {"L402": 1, "L401": 1}


def test_an_entity_without_tokens_is_rejected(tmp_path: Path) -> None:
    report = Report()
    empty = [TokenSpan(()), TokenSpan((TokenGroup(0, "g", ()),))]
    made = [Annotation(str(n), "title", value) for n, value in enumerate(empty)]
    assert lines_of(tmp_path, paper(*made), report=report) == []
    assert [each.code for each in report.take_rejected()] == ["M205", "M205"]


def test_relations_of_documents_keep_what_the_model_has_no_place_for(tmp_path: Path) -> None:
    lines = lines_of(
        tmp_path,
        paper(
            boxed(0),
            boxed(1),
            classifications=(Classification("doc type", Radio("invoice")),),
            relations=(Relation("r", "under", "p0", "p1"), Relation("s", "by", "p1", "p0", False)),
        ),
    )
    lines[3]["relationship"]["readonly"] = True
    beyond = {
        "sourceOntologyName": "doc type",
        "target": lines[0]["uuid"],
        "type": "bidirectional",
        "readonly": True,
    }
    lines.append(
        {"uuid": "7d0f0d1c-8f5b-4a77-9f0e-0c6a1a6f0009", "name": "is", "relationship": beyond}
    )
    lines[-1]["dataRow"] = lines[0]["dataRow"]
    target = tmp_path / "back.ndjson"
    report = convert(put(tmp_path, *lines), target, from_="labelbox", to="labelbox")
    assert [problem.code for problem in report.problems] == []
    assert [json.loads(each) for each in target.read_text("ascii").splitlines()] == lines
    back = samples_of(target)
    assert [each.category for each in back[0].relations] == ["under", "by"]


def test_a_relation_of_a_question_to_nothing_is_rejected(tmp_path: Path) -> None:
    beyond = {"sourceOntologyName": "q", "target": f"{7:032x}", "type": "unidirectional"}
    report = Report()
    (sample,) = samples_of(put(tmp_path, {"name": "is", "relationship": beyond}), report)
    assert sample.extra == {}
    assert told(report) == [("M204", "/relationship/target")]
    assert report.ledger.relations.rejected == 1
