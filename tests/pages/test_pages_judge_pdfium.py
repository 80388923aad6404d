"""PDFium as the judge: boxes written in points cover the words that they claim, in every turn."""

from __future__ import annotations

import json
from pathlib import Path

import pypdfium2 as pdfium
import pytest
from pages_help import page_object, write_pdf

import labelconv as lc
from labelconv import pages
from labelconv.geometry import map_xy
from labelconv.model import Annotation, Box, Dataset, Document, OnPage, Sample, Samples
from labelconv.pages import PdfPage

WORDS = ((80.0, 160.0, "Alpha"), (120.0, 300.0, "Beta"), (200.0, 215.0, "Gamma"))
#: Crops of a page of 612 × 792 that hold all words; one of them reaches past the page.
CROPS = ("", "[50 100 290 390]", "[20 30 612 792]", "[-40 -40 400 500]")
TURNS = (0, 90, 180, 270, -90)


def around(word: tuple[float, float, str]) -> Box:
    """The box of a word in user space: Helvetica of 12 points, with room for descenders."""
    x, y, text = word
    return Box(x - 1, y - 3, x + 8.8 * len(text) + 1, y + 10)


def written_boxes(path: Path, page: PdfPage, tmp_path: Path) -> list[dict[str, float]]:
    """The boxes as Labelbox gets them."""
    annotations = [
        Annotation(word[2], "word", OnPage(0, map_xy(around(word), pages.to_displayed(page))))  # type: ignore[arg-type]
        for word in WORDS
    ]
    dataset: Dataset = Samples([Sample("doc", Document((page.size,)), tuple(annotations))])
    lc.write(dataset, tmp_path / "mal.ndjson", "labelbox", allow=["loss"])
    lines = (tmp_path / "mal.ndjson").read_text(encoding="utf-8").splitlines()
    payloads = [json.loads(line) for line in lines]
    assert {(each["page"], each["unit"]) for each in payloads} == {(0, "POINTS")}
    return [each["bbox"] for each in payloads]


@pytest.mark.parametrize("crop", CROPS)
@pytest.mark.parametrize("turn", TURNS)
def test_text_inside_a_written_box_is_the_word_that_it_claims(
    turn: int, crop: str, tmp_path: Path
) -> None:
    entries = page_object(crop=crop, rotate=str(turn))
    path = write_pdf(tmp_path / "a.pdf", [(entries, WORDS)])
    (page,) = pages.read_pdf(path)
    assert isinstance(page, PdfPage)
    document = pdfium.PdfDocument(path)
    judge = document[0]
    width, height = judge.get_size()
    assert (page.size.width, page.size.height) == pytest.approx((width, height), abs=1e-3)
    rendered = judge.render(scale=2, grayscale=True).to_numpy()
    rendered = rendered.reshape(rendered.shape[:2])
    assert rendered.shape == pytest.approx((height * 2, width * 2), abs=1)
    text = judge.get_textpage()
    for box, (_, _, word) in zip(written_boxes(path, page, tmp_path), WORDS, strict=True):
        left, top = box["left"], box["top"]
        right, bottom = left + box["width"], top + box["height"]
        # What is drawn there is ink, and all that is drawn near it is inside.
        inside = rendered[round(top * 2) : round(bottom * 2), round(left * 2) : round(right * 2)]
        assert (inside < 128).sum() > 40
        around_it = rendered[
            max(0, round(top * 2) - 12) : round(bottom * 2) + 12,
            max(0, round(left * 2) - 12) : round(right * 2) + 12,
        ]
        assert (around_it < 128).sum() == (inside < 128).sum()
        # PDFium's own way from the displayed page to user space, where it extracts text.
        x0, y0 = _to_user_space(judge, left, top, width, height)
        x1, y1 = _to_user_space(judge, right, bottom, width, height)
        found = text.get_text_bounded(min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1))
        assert found.strip() == word
    document.close()


def _to_user_space(
    judge: object, x: float, y: float, width: float, height: float
) -> tuple[float, float]:
    """FPDF_DeviceToPage at 1000 pixels to the point."""
    import ctypes

    raw = pdfium.raw
    found_x, found_y = ctypes.c_double(), ctypes.c_double()
    size = round(width * 1000), round(height * 1000)
    place = round(x * 1000), round(y * 1000)
    assert raw.FPDF_DeviceToPage(judge, 0, 0, *size, 0, *place, found_x, found_y)
    return found_x.value, found_y.value


def test_pdfium_takes_user_units_as_points_as_we_do(tmp_path: Path) -> None:
    path = write_pdf(tmp_path / "a.pdf", [(page_object(unit="2"), WORDS)])
    (page,) = pages.read_pdf(path)
    assert isinstance(page, PdfPage)
    document = pdfium.PdfDocument(path)
    assert document[0].get_size() == (page.size.width, page.size.height) == (612, 792)
    document.close()
