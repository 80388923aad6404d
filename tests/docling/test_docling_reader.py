"""Docling: both origins, texts on several pages, labels."""

from __future__ import annotations

from pathlib import Path

import pytest

import labelconv as lc
from labelconv.model import Box, FreeText, OnPage
from labelconv.problems import Report

PAPER = Path(__file__).parent.parent / "fixtures/docling/both-origins/input/paper.json"


def test_case_47_a_box_from_the_bottom_and_one_from_the_top() -> None:
    (sample,) = lc.read(PAPER, "docling")
    values = [annotation.value for annotation in sample.annotations[:2]]
    assert values == [OnPage(0, Box(72, 72, 200, 92)), OnPage(0, Box(72, 700, 200, 720))]
    assert sample.uri == "paper.pdf"


def test_a_text_on_two_pages_is_two_annotations_with_their_part_of_it() -> None:
    (sample,) = lc.read(PAPER, "docling")
    parts = sample.annotations[1:3]
    assert [a.value.page for a in parts if isinstance(a.value, OnPage)] == [0, 1]
    assert [a.classifications[0].answer for a in parts] == [FreeText("one"), FreeText("two")]
    assert len({a.id for a in sample.annotations}) == len(sample.annotations)


def test_labels_are_categories_unless_one_is_given() -> None:
    (sample,) = lc.read(PAPER, "docling")
    assert [a.category for a in sample.annotations] == ["title", "text", "text", "table"]
    (sample,) = lc.read(PAPER, "docling", options={"category": "region"})
    assert {a.category for a in sample.annotations} == {"region"}


@pytest.mark.parametrize(
    "text", ["{}", '{"pages": []}', '{"pages": {"0": {}}}', '{"pages": {"one": {}}}', "[1", "7"]
)
def test_what_is_no_document_is_rejected(text: str, tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(text, encoding="utf-8")
    report = Report()
    assert list(lc.read(tmp_path / "a.json", "docling", report=report)) == []
    assert report.counts == {"R101": 1}
