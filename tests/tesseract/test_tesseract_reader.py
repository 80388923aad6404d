"""Tesseract: rows of its table, boxes counted from the bottom."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

import labelconv as lc
from labelconv.io import Source
from labelconv.model import Box, FreeText, OnPage
from labelconv.problems import Report
from labelconv.registry import sniff

FIXTURES = Path(__file__).parent.parent / "fixtures" / "tesseract"
HEAD = (
    "level\tpage_num\tblock_num\tpar_num\tline_num\tword_num\tleft\ttop\twidth\theight\tconf\ttext"
)
TABLE = FIXTURES / "table" / "input" / "scan.tsv"


def test_case_50_a_box_from_the_bottom_of_a_picture_1000_high(tmp_path: Path) -> None:
    (tmp_path / "labels").mkdir()
    (tmp_path / "labels" / "eng.box").write_text("A 10 20 30 50 0\n", encoding="utf-8")
    (tmp_path / "media").mkdir()
    Image.new("1", (800, 1000)).save(tmp_path / "media" / "eng.tif")
    report = lc.convert(
        tmp_path / "labels" / "eng.box",
        tmp_path / "out.native.ndjson",
        from_="tesseract",
        reader_options={"dpi": 72},
        media=tmp_path / "media",
    )
    assert report.problems == []
    (sample,) = lc.read(tmp_path / "out.native.ndjson")
    (annotation,) = sample.annotations
    assert annotation.value == OnPage(0, Box(10, 950, 30, 980))  # left 10, top 950, 20 × 30
    assert annotation.category == "character"
    assert annotation.classifications[0].answer == FreeText("A")


def test_no_certainty_is_none_and_quotes_are_text() -> None:
    (sample,) = lc.read(TABLE, "tesseract", options={"dpi": 300.0})
    assert [a.confidence for a in sample.annotations] == pytest.approx(
        [0.96063751, None, 0.91, 0.91]
    )
    assert sample.annotations[0].classifications[0].answer == FreeText('"Fish')
    pages = [a.value.page for a in sample.annotations if isinstance(a.value, OnPage)]
    assert pages == [0, 0, 0, 1]


@pytest.mark.parametrize(
    ("level", "expected"), [("line", ['"Fish 😂', "Łódź"]), ("block", ['"Fish 😂\nŁódź'])]
)
def test_lines_and_blocks_have_the_text_of_their_words(level: str, expected: list[str]) -> None:
    (sample,) = lc.read(TABLE, "tesseract", options={"dpi": 300.0, "level": level})
    answers = [annotation.classifications[0].answer for annotation in sample.annotations]
    assert answers == [FreeText(text) for text in expected]


@pytest.mark.parametrize("data", [b"", b"\xff\xfe\x00", b"a,b,c\n1,2,3\n"])
def test_what_is_neither_table_nor_boxes_is_rejected_or_empty(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "a.tsv").write_bytes(data)
    report = Report()
    samples = list(lc.read(tmp_path / "a.tsv", "tesseract", report=report))
    assert [len(sample.annotations) for sample in samples] == ([] if data else [0])
    assert report.counts == ({"R101": 1} if data else {})


@pytest.mark.parametrize("words", [1, 300])
def test_a_table_is_told_from_lines_of_tokens(tmp_path: Path, words: int) -> None:
    levels = (1, 2, 3, 4, *[5] * words)
    rows = [f"{level}\t1\t1\t1\t1\t0\t0\t0\t9\t9\t-1\t" for level in levels]
    (tmp_path / "doc.tsv").write_text("\n".join((HEAD, *rows)))
    assert sniff(Source(tmp_path / "doc.tsv"))[0].name == "tesseract"


@pytest.mark.parametrize("level", ["word", "line"])
def test_numbers_beyond_all_others_are_rejected_alone(tmp_path: Path, level: str) -> None:
    beyond = "9" * 400
    rows = [
        f"1\t1\t0\t0\t0\t0\t0\t0\t{beyond}\t9\t-1\t",
        f"{4 if level == 'line' else 5}\t1\t1\t1\t1\t0\t{beyond}\t0\t9\t9\t-1\t",
        f"{4 if level == 'line' else 5}\t1\t1\t1\t1\t0\t1\t2\t9\t9\t-1\t",
    ]
    (tmp_path / "a.tsv").write_text("\n".join((HEAD, *rows)))
    report = Report()
    options = {"level": level, "dpi": 72}
    (sample,) = lc.read(tmp_path / "a.tsv", "tesseract", options=options, report=report)
    assert [each.value for each in sample.annotations] == [OnPage(0, Box(1, 2, 10, 11))]
    assert [(each.code, each.where.line) for each in report.problems if each.code == "R101"] == [
        ("R101", 2),
        ("R101", 3),
    ]


def test_pages_that_do_not_count_from_one_are_rejected(tmp_path: Path) -> None:
    head = TABLE.read_text(encoding="utf-8").split("\n")[0]
    text = f"{head}\n5\t0\t1\t1\t1\t1\t1\t1\t1\t1\t9\ta\n"
    (tmp_path / "a.tsv").write_text(text, encoding="utf-8")
    report = Report()
    (sample,) = lc.read(tmp_path / "a.tsv", "tesseract", report=report)
    assert sample.annotations == ()
    assert report.counts["R101"] == 1
    assert report.ledger.annotations.rejected == report.ledger.annotations.read == 1
