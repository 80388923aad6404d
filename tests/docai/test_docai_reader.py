"""Document AI: zeros that are left out, anchors into the text, pages with and without a size."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import labelconv as lc
from labelconv.io import Source
from labelconv.model import Box, FreeText, OnPage
from labelconv.problems import Report
from labelconv.registry import sniff

MEMO = Path(__file__).parent.parent / "fixtures/docai/zeros-left-out/input/memo.json"


def test_zeros_that_are_left_out_are_zeros() -> None:
    (sample,) = lc.read(MEMO, "docai", options={"dpi": 200.0})
    value = sample.annotations[0].value
    assert isinstance(value, OnPage)
    assert isinstance(value.shape, Box)
    box = value.shape
    assert [box.x0, box.y0, box.x1, box.y1] == pytest.approx([0, 0, 61.2, 39.6])


def test_anchors_count_code_points() -> None:
    (sample,) = lc.read(MEMO, "docai", options={"dpi": 200.0})
    answers = [annotation.classifications[0].answer for annotation in sample.annotations]
    assert answers == [FreeText("😂"), FreeText("top"), FreeText("next")]


def test_a_document_with_entities_is_still_told_from_texts_with_entities(tmp_path: Path) -> None:
    document = json.loads(MEMO.read_text(encoding="utf-8"))
    whole = {"text": document.pop("text"), "entities": [{"type": "x"}], **document}
    (tmp_path / "doc.json").write_text(json.dumps(whole))
    assert sniff(Source(tmp_path / "doc.json"))[0].name == "docai"


def test_a_page_without_a_dimension_needs_its_pdf(tmp_path: Path) -> None:
    given = json.loads(MEMO.read_bytes())
    del given["pages"][0]["dimension"]
    (tmp_path / "a.json").write_text(json.dumps(given), encoding="utf-8")
    report = Report()
    assert list(lc.read(tmp_path / "a.json", "docai", report=report)) == []
    assert report.counts == {"R122": 1}
    (sample,) = lc.read(tmp_path / "a.json", "docai", options={"page_size": "612x792"})
    value = sample.annotations[0].value
    assert isinstance(value, OnPage)
    assert isinstance(value.shape, Box)
    assert value.shape.x1 == pytest.approx(61.2)


@pytest.mark.parametrize("text", ["{}", "[]", "no", '{"document": {"text": ""}}'])
def test_what_is_no_document_is_rejected(text: str, tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(text, encoding="utf-8")
    report = Report()
    assert list(lc.read(tmp_path / "a.json", "docai", report=report)) == []
    assert report.counts == {"R101": 1}
