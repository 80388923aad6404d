"""The hard input number 24 of peers.md, section 4: origins, units and turns of pages of PDFs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from pages_help import page_object, write_pdf

import labelconv as lc
from labelconv.problems import Report

#: Left, top, right, bottom in points of the page as displayed, 400 × 200.
BOX = 40, 60, 140, 90


def docling(origin: str) -> Any:
    left, top, right, bottom = BOX
    if origin == "BOTTOMLEFT":
        top, bottom = 200 - top, 200 - bottom
    box = {"l": left, "t": top, "r": right, "b": bottom, "coord_origin": origin}
    text = {"text": "a", "prov": [{"page_no": 1, "bbox": box}]}
    return {"pages": {"1": {"size": {"width": 400, "height": 200}}}, "texts": [text]}


def textract(*, reverse: bool = False) -> Any:
    left, top, right, bottom = (BOX[0] / 400, BOX[1] / 200, BOX[2] / 400, BOX[3] / 200)
    width, height = right - left, bottom - top
    if reverse:
        left, width = right, -width
    box = {"Left": left, "Top": top, "Width": width, "Height": height}
    block = {"BlockType": "WORD", "Text": "a", "Geometry": {"BoundingBox": box}}
    return {"Blocks": [block]}


def azure(unit: str, factor: float) -> Any:
    """`factor`: units of the source in a point."""
    left, top, right, bottom = (edge * factor for edge in BOX)
    ring = [left, top, right, top, right, bottom, left, bottom]
    page = {"pageNumber": 1, "unit": unit, "width": 400 * factor, "height": 200 * factor}
    return {"pages": [{**page, "words": [{"content": "a", "polygon": ring}]}]}


SOURCES = {
    "points from the bottom left": ("docling", docling("BOTTOMLEFT")),
    "points from the top left": ("docling", docling("TOPLEFT")),
    "shares of the page": ("textract", textract()),
    "inches": ("azure-di", azure("inch", 1 / 72)),
    "pixels at 300 to an inch": ("azure-di", azure("pixel", 300 / 72)),
}
#: Each is displayed as 400 × 200 points.
PDFS = {
    "a plain page": page_object("[0 0 400 200]"),
    "a crop inside of the page": page_object("[0 0 900 900]", crop="[30 50 430 250]"),
    "an origin that is not zero": page_object("[-100 700 300 900]"),
    "turned by 90": page_object("[0 0 200 400]", rotate="90"),
    "turned by 270, with a crop": page_object(
        "[-50 -50 900 900]", crop="[10 20 210 420]", rotate="270"
    ),
    "upside down": page_object("[0 0 400 200]", rotate="180"),
    "a unit of two points": page_object("[0 0 400 200]", unit="2"),
}


def lines(
    tmp_path: Path, format: str, content: Any, pdf: str, report: Report, **options: Any
) -> list[dict[str, Any]]:
    (tmp_path / "media").mkdir()
    write_pdf(tmp_path / "media" / "doc.pdf", [(pdf, ())])
    (tmp_path / "doc.json").write_text(json.dumps(content), encoding="utf-8")
    lc.convert(
        tmp_path / "doc.json",
        tmp_path / "mal.ndjson",
        from_=format,
        to="labelbox",
        media=tmp_path / "media",
        writer_options=options,
        allow=["loss"],
        report=report,
    )
    return [json.loads(line) for line in (tmp_path / "mal.ndjson").read_text("ascii").splitlines()]


@pytest.mark.parametrize("pdf", PDFS)
@pytest.mark.parametrize("source", SOURCES)
def test_quirk_24_a_box_is_where_it_is_displayed_whatever_the_page_and_the_unit(
    tmp_path: Path, source: str, pdf: str
) -> None:
    report = Report()
    format, content = SOURCES[source]
    (line,) = lines(tmp_path, format, content, PDFS[pdf], report)
    assert (line["page"], line["unit"]) == (0, "POINTS")
    found = [line["bbox"][edge] for edge in ("left", "top", "width", "height")]
    assert found == pytest.approx([40, 60, 100, 30])
    assert report.errors == 0
    assert ("R113" in report.counts) == (pdf == "a unit of two points")


def test_quirk_24_a_reversed_box_is_rejected(tmp_path: Path) -> None:
    report = Report()
    assert lines(tmp_path, "textract", textract(reverse=True), PDFS["a plain page"], report) == []
    assert report.counts["M201"] == 1
    assert report.ledger.annotations.rejected == 1


def test_quirk_24_the_first_page_is_0_or_what_the_option_says(tmp_path: Path) -> None:
    format, content = SOURCES["inches"]
    (line,) = lines(tmp_path, format, content, PDFS["upside down"], Report(), page_base=1)
    assert line["page"] == 1
