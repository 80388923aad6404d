"""hOCR: as XML and as HTML that is not closed; texts, levels, properties."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

import labelconv as lc
from labelconv.model import Box, Document, FreeText, OnPage, Page, Sample
from labelconv.problems import Report

SCAN = Path(__file__).parent.parent / "fixtures/hocr/tesseract-xhtml/input/scan.hocr"
PAGE = '<div class="ocr_page" title="bbox 0 0 600 800">{}</div>'


def texts(sample: Sample) -> list[str]:
    return [
        each.answer.text
        for annotation in sample.annotations
        for each in annotation.classifications
        if isinstance(each.answer, FreeText)
    ]


def read(text: str, tmp_path: Path, **options: str) -> tuple[list[Sample], Report]:
    path = tmp_path / "a.hocr"
    path.write_bytes(text.encode("utf-8"))
    report = Report()
    return list(lc.read(path, "hocr", options=options, report=report)), report


def test_the_resolution_of_the_scan_gives_the_size_of_the_pages() -> None:
    (sample,) = lc.read(SCAN, "hocr")
    assert sample.media == Document((Page(612, 792), Page(612, 792)))
    assert [a.value.page for a in sample.annotations if isinstance(a.value, OnPage)] == [0, 0, 0, 1]
    assert sample.uri == "in/bill; 1.png"  # a semicolon inside of quotes


def test_characters_stay_as_they_are_composed() -> None:
    (sample,) = lc.read(SCAN, "hocr")
    assert texts(sample) == ["Fish & Sons'", "e\u0301cole", "😂", "end"]
    (sample,) = lc.read(SCAN, "hocr", options={"level": "block"})
    assert texts(sample) == ["Fish & Sons' e\u0301cole\n😂"]
    assert [annotation.category for annotation in sample.annotations] == ["block", "photo"]


def test_percent_of_certainty_become_shares() -> None:
    (sample,) = lc.read(SCAN, "hocr")
    assert [annotation.confidence for annotation in sample.annotations] == [0.96, 0.45, 0.0, 0.9]


def test_html_that_is_no_xml_gives_the_same_as_xml(tmp_path: Path) -> None:
    inside = (
        '<p class="ocr_par" title="bbox 1 2 99 50"><span class="ocr_line" title="bbox 1 2 99 20">'
        '<span class="ocrx_word" title="bbox 1 2 40 20; x_wconf 50">A &amp; B</span> '
        '<span class="ocrx_word" title="bbox 50 2 99 20; x_wconf 50">&#128514;</span></span></p>'
    )
    page = PAGE.format(inside)
    xml, _ = read(f"<html><body>{page}</body></html>", tmp_path)
    html, _ = read(f"<!DOCTYPE html><html><meta charset=utf-8><body><br>{page}", tmp_path)
    assert xml == html
    assert texts(xml[0]) == ["A & B", "😂"]
    blocks, _ = read(f"<html><body>{page}</body></html>", tmp_path, level="block")
    assert [annotation.value for annotation in blocks[0].annotations] == [
        OnPage(0, Box(1, 2, 99, 50))
    ]  # paragraphs, where there are no areas


def test_a_charset_that_the_page_names_is_used(tmp_path: Path) -> None:
    word = '<span class="ocrx_word" title="bbox 1 2 40 20">Größe</span>'
    text = f"<html><meta charset=iso-8859-1><body>{PAGE.format(word)}"
    (tmp_path / "a.hocr").write_bytes(text.encode("latin-1"))
    (sample,) = lc.read(tmp_path / "a.hocr", "hocr")
    assert texts(sample) == ["Größe"]


def test_properties_without_a_place_are_counted() -> None:
    report = Report()
    list(lc.read(SCAN, "hocr", options={"level": "line"}, report=report))
    assert report.fields == {"hocr:baseline": 1, "hocr:x_size": 1}


def test_lines_without_words_are_counted_where_words_are_asked_for(tmp_path: Path) -> None:
    word = '<span class="ocrx_word" title="bbox 1 2 9 9">one</span>'
    inside = "".join(
        f'<span class="ocr_line" title="bbox 1 2 40 20">{said}</span>'
        for said in (word, "two", " ")
    )
    samples, report = read(f"<html><body>{PAGE.format(inside)}</body></html>", tmp_path)
    assert texts(samples[0]) == ["one"]
    assert report.fields == {"hocr:lines without words": 1}
    text = f"<html><body>{PAGE.format(inside)}</body></html>"
    samples, report = read(text, tmp_path, level="line")
    assert texts(samples[0]) == ["one", "two"]
    assert report.fields == {}


@pytest.mark.parametrize("text", ["<html><body/></html>", "", "not html at all", "<a><b>"])
def test_what_has_no_page_is_rejected(text: str, tmp_path: Path) -> None:
    samples, report = read(text, tmp_path)
    assert samples == []
    assert report.counts == {"R101": 1}
    assert report.ledger.samples.rejected == 1


@pytest.mark.parametrize(
    "junk",
    [
        "<![",
        "<a ",
        "<!--",
        'a="',
        "< ",
        "/",
        "</",
        "<!DOCTYPE",
        "&",
        "<a>",
        "='",
        '\\"',
        "<br>x",
        "x</q>",
    ],
)
@pytest.mark.parametrize("place", ["inside", "in a tag", "in a title"])
def test_what_is_never_closed_takes_no_longer_than_its_length(
    junk: str, place: str, tmp_path: Path
) -> None:
    many = junk * (300_000 // len(junk))
    text = {
        "inside": f'<html><div class="ocr_page">{many}=',
        "in a tag": f"<html><div class=ocr_page {many}=",
        "in a title": f"<html><div class='ocr_page' title='{many}= ><p>",
    }[place]
    start = time.perf_counter()
    samples, report = read(text, tmp_path)
    # The square of the length would take minutes.
    assert time.perf_counter() - start < 10
    assert len(samples) + report.counts.get("R101", 0) == 1
