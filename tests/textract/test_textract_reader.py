"""Textract: shares of the page become points, percent of certainty shares; lines have words."""

from __future__ import annotations

from pathlib import Path

import pytest

import labelconv as lc
from labelconv.model import Box, OnPage
from labelconv.problems import Report
from labelconv.textlayers import GROUP

FIXTURES = Path(__file__).parent.parent / "fixtures" / "textract"
ONE = FIXTURES / "one-page" / "input" / "answer.json"


def test_case_49_a_share_of_a_letter_page() -> None:
    (sample,) = lc.read(ONE, "textract", options={"page_size": "612x792"})
    first = sample.annotations[0]
    assert isinstance(first.value, OnPage)
    assert first.value.page == 0  # an answer that names no page is of the first
    box = first.value.shape
    assert isinstance(box, Box)
    found = box.x0, box.y0, box.x1 - box.x0, box.y1 - box.y0
    assert found == pytest.approx((61.2, 158.4, 183.6, 39.6))
    assert first.confidence == pytest.approx(0.991)


def test_words_are_grouped_by_the_line_that_has_them() -> None:
    (sample,) = lc.read(ONE, "textract", options={"page_size": "612x792"})
    assert [annotation.extra[GROUP] for annotation in sample.annotations] == ["l", "l"]


def test_outlines_and_kinds_that_are_not_read_are_counted() -> None:
    report = Report()
    list(lc.read(ONE, "textract", options={"page_size": "612x792"}, report=report))
    assert report.fields == {
        "textract:KEY_VALUE_SET": 1,
        "textract:TextType": 1,
        "textract:outline": 1,
    }
    assert report.ledger.annotations.read == 3
    assert report.ledger.annotations.rejected == 1
    (rejected,) = report.take_rejected()
    assert b'"Id":"w3"' in rejected.record


@pytest.mark.parametrize("text", ["{}", "[{}]", "[1]", "3", "{", '{"Blocks": 1}'])
def test_what_is_no_answer_is_rejected(text: str, tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(text, encoding="utf-8")
    report = Report()
    assert list(lc.read(tmp_path / "a.json", "textract", report=report)) == []
    assert report.counts == {"R101": 1}


def test_blocks_that_lead_back_to_themselves_are_read_once(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(
        '{"Blocks": [{"BlockType": "LAYOUT_LIST", "Id": "a", "Geometry": {"BoundingBox": {"Left":'
        ' 0, "Top": 0, "Width": 1, "Height": 1}}, "Relationships": [{"Type": "CHILD", "Ids":'
        ' ["a", "a"]}]}]}',
        encoding="utf-8",
    )
    (sample,) = lc.read(
        tmp_path / "a.json", "textract", options={"level": "block", "page_size": "10x10"}
    )
    assert [annotation.category for annotation in sample.annotations] == ["list"]
