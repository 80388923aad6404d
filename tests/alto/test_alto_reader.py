"""ALTO: the versions, units and namespaces; text of lines with hyphens; boxes that are left out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import labelconv as lc
from labelconv.model import Box, FreeText, OnPage, Sample
from labelconv.problems import Report

FIXTURES = Path(__file__).parent.parent / "fixtures" / "alto"
V2 = FIXTURES / "v2-tenths-of-millimetres" / "input" / "page.xml"


def texts(sample: Sample) -> list[str]:
    return [
        each.answer.text
        for annotation in sample.annotations
        for each in annotation.classifications
        if isinstance(each.answer, FreeText)
    ]


@pytest.mark.parametrize(
    ("unit", "points"), [("pixel", 72 / 300), ("mm10", 72 / 254), ("inch1200", 0.06)]
)
@pytest.mark.parametrize("namespace", ["", "ns-v2#", "ns-v3#", "ns-v4#"])
def test_units_and_namespaces_of_all_versions(
    unit: str, points: float, namespace: str, tmp_path: Path
) -> None:
    said = f' xmlns="http://www.loc.gov/standards/alto/{namespace}"' if namespace else ""
    (tmp_path / "a.xml").write_text(
        f"<alto{said}><Description><MeasurementUnit>{unit}</MeasurementUnit></Description><Layout>"
        f'<Page WIDTH="1000" HEIGHT="2000"><PrintSpace><TextBlock><TextLine>'
        f'<String CONTENT="a" HPOS="100.5" VPOS="200" WIDTH="50" HEIGHT="25"/>'
        f"</TextLine></TextBlock></PrintSpace></Page></Layout></alto>",
        encoding="utf-8",
    )
    (sample,) = lc.read(tmp_path / "a.xml", "alto", options={"dpi": 300.0})
    value = sample.annotations[0].value
    assert isinstance(value, OnPage)
    assert isinstance(value.shape, Box)
    box = value.shape
    edges = [100.5 * points, 200 * points, 150.5 * points, 225 * points]
    assert [box.x0, box.y0, box.x1, box.y1] == pytest.approx(edges)


def test_words_stay_as_printed_and_lines_keep_their_hyphen() -> None:
    (words,) = lc.read(V2, "alto")
    assert texts(words) == ["Łódź", "har", "bour"]
    (lines,) = lc.read(V2, "alto", options={"level": "line"})
    assert texts(lines) == ["Łódź har-", "bour"]
    (blocks,) = lc.read(V2, "alto", options={"level": "block"})
    assert texts(blocks) == ["Łódź har-\nbour"]


def test_a_line_without_a_place_is_around_its_words() -> None:
    (sample,) = lc.read(V2, "alto", options={"level": "line"})
    first, second = (annotation.value for annotation in sample.annotations)
    (words,) = lc.read(V2, "alto")
    assert isinstance(first, OnPage)
    assert second == words.annotations[2].value
    assert first.shape == Box(72, 72, 1254 * 72 / 254, 304 * 72 / 254)


def test_hyphenation_and_odd_confidences_are_counted() -> None:
    report = Report()
    list(lc.read(V2, "alto", report=report))
    assert report.fields == {"alto:SUBS_CONTENT": 2, "alto:SUBS_TYPE": 2}
    report = Report()
    list(lc.read(FIXTURES / "faults" / "input" / "page.xml", "alto", report=report))
    assert report.fields == {"alto:confidence": 1}
    assert report.ledger.annotations.read == 6
    assert report.ledger.annotations.rejected == 4


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("<PcGts/>", None),
        ("<alto><Layout>", 1),
        ("<alto><Description><MeasurementUnit>cubit</MeasurementUnit></Description></alto>", None),
    ],
)
def test_what_is_no_alto_is_rejected_with_its_place(text: str, place: Any, tmp_path: Path) -> None:
    (tmp_path / "a.xml").write_text(text, encoding="utf-8")
    report = Report()
    assert list(lc.read(tmp_path / "a.xml", "alto", report=report)) == []
    (problem,) = report.problems
    assert (problem.code, problem.where.line) == ("R101", place)
    assert report.take_rejected()[0].record == text.encode()


def test_a_folder_gives_a_document_for_each_file_in_natural_order(tmp_path: Path) -> None:
    for number in (10, 2, 1):
        (tmp_path / f"p{number}.alto.xml").write_bytes(V2.read_bytes())
    assert [sample.key for sample in lc.read(tmp_path, "alto")] == ["p1", "p2", "p10"]


def test_the_text_may_go_to_extra_fields_or_nowhere() -> None:
    (sample,) = lc.read(V2, "alto", options={"text": "extra"})
    assert sample.annotations[0].extra["alto:text"] == "Łódź"
    report = Report()
    (sample,) = lc.read(V2, "alto", options={"text": "none", "category": "token"}, report=report)
    assert texts(sample) == []
    assert {annotation.category for annotation in sample.annotations} == {"token"}
    assert report.fields["alto:text"] == 3
