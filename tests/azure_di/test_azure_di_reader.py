"""Azure Document Intelligence: inches and pixels, corners as numbers and as points, spans."""

from __future__ import annotations

from pathlib import Path

import pytest

import labelconv as lc
from labelconv.model import Box, FreeText, OnPage, Polygon
from labelconv.problems import Report
from labelconv.textlayers import GROUP

FIXTURES = Path(__file__).parent.parent / "fixtures" / "azure-di"
BILL = FIXTURES / "v4-inches" / "input" / "bill.json"


def test_case_49_a_box_in_inches() -> None:
    (sample,) = lc.read(BILL, "azure-di")
    first = sample.annotations[0]
    assert isinstance(first.value, OnPage)
    assert first.value.page == 0
    box = first.value.shape
    assert isinstance(box, Box)
    found = box.x0, box.y0, box.x1 - box.x0, box.y1 - box.y0
    assert found == pytest.approx((97.7616, 16.1568, 27.0, 9.0576))


def test_words_find_their_line_by_spans_in_utf16_units() -> None:
    (sample,) = lc.read(BILL, "azure-di")
    groups = [annotation.extra.get(GROUP) for annotation in sample.annotations]
    assert groups == ["1/0", "1/0", None]  # the second page has no lines


def test_a_skewed_outline_stays_one_where_it_is_asked_for() -> None:
    report = Report()
    (sample,) = lc.read(BILL, "azure-di", options={"shape": "polygon"}, report=report)
    first, second = (annotation.value for annotation in sample.annotations[:2])
    assert isinstance(first, OnPage)
    assert isinstance(second, OnPage)
    assert isinstance(first.shape, Box)
    assert isinstance(second.shape, Polygon)
    assert second.shape.parts[0][0] == pytest.approx((144, 14.4, 180, 18, 180, 25.2, 144, 21.6))
    assert "azure-di:outline" not in report.fields


def test_paragraphs_have_roles_and_a_box_on_each_page() -> None:
    (sample,) = lc.read(BILL, "azure-di", options={"level": "block"})
    pages = [a.value.page for a in sample.annotations if isinstance(a.value, OnPage)]
    assert pages == [0, 0, 1]
    assert [a.category for a in sample.annotations] == ["title", "block", "block"]
    answer = sample.annotations[2].classifications[0].answer
    assert answer == FreeText("now end")


@pytest.mark.parametrize(
    ("text", "pointer"),
    [
        ('{"analyzeResult": {}}', "/analyzeResult"),
        ('{"analyzeResult": {"pages": [{"pageNumber": 0}]}}', "/analyzeResult/pages/0"),
        ('{"pages": [{"pageNumber": 1, "unit": "cubit"}]}', "/pages/0"),
        ("[]", None),
        ("", None),
    ],
)
def test_what_is_no_result_is_rejected_with_its_place(
    text: str, pointer: str | None, tmp_path: Path
) -> None:
    (tmp_path / "a.json").write_text(text, encoding="utf-8")
    report = Report()
    assert list(lc.read(tmp_path / "a.json", "azure-di", report=report)) == []
    (problem,) = report.problems
    assert (problem.code, problem.where.pointer) == ("R101", pointer)
