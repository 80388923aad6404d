"""COCO of document pages: uneven pixels of DocLayNet, names of PubLayNet, boxes in points."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import labelconv as lc
from labelconv.errors import OptionError
from labelconv.model import Box, Document, OnPage, Page, Polygon, Sample
from labelconv.problems import Report

FIRST = [210.06018382352943, 31.14536268939389, 173.9850743464052, 39.270946654040586]
#: From 0.379105 points above the page, to 455.684461 below its top.
SECOND = [100.0, -0.379105 * 1025 / 792, 50.0, (455.684461 + 0.379105) * 1025 / 792]


def doclaynet(**about: Any) -> dict[str, Any]:
    sizes = {"original_width": 612, "original_height": 792, "coco_width": 1025, "coco_height": 1025}
    page = {"width": 1025, "height": 1025, "doc_name": "report.pdf", "precedence": 0, **sizes}
    return {
        "images": [
            {**page, "id": 1, "file_name": "a.png", "page_no": 9, **about},
            {**page, "id": 2, "file_name": "b.png", "page_no": 2, **about},
            {**page, "id": 3, "file_name": "c.png", "page_no": 9, **about, "precedence": 1},
        ],
        "annotations": [
            {"id": 10, "image_id": 1, "category_id": 1, "bbox": FIRST, "precedence": 0},
            {"id": 11, "image_id": 1, "category_id": 1, "bbox": SECOND},
            {"id": 12, "image_id": 2, "category_id": 1, "bbox": FIRST},
            {"id": 13, "image_id": 2, "category_id": 1, "bbox": FIRST, "precedence": 2},
            {"id": 14, "image_id": 3, "category_id": 1, "bbox": FIRST},
        ],
        "categories": [{"id": 1, "name": "Table"}],
    }


def read(
    given: dict[str, Any], tmp_path: Path, media: Path | None = None, **options: Any
) -> tuple[list[Sample], Report]:
    (tmp_path / "coco.json").write_text(json.dumps(given), encoding="utf-8")
    report = Report()
    target = tmp_path / "out.native.ndjson"
    options = {"documents": "whole", **options}
    lc.convert(
        tmp_path / "coco.json",
        target,
        from_="coco",
        reader_options=options,
        media=media,
        report=report,
    )
    assert report.ledger.balanced
    return list(lc.read(target)), report


def ltwh(sample: Sample, number: int) -> tuple[float, float, float, float]:
    value = sample.annotations[number].value
    assert isinstance(value, OnPage)
    box = value.shape
    assert isinstance(box, Box)
    return box.x0, box.y0, box.x1 - box.x0, box.y1 - box.y0


def test_case_46_uneven_pixels_become_points_on_the_page_of_the_document(tmp_path: Path) -> None:
    (sample,), report = read(doclaynet(), tmp_path)
    assert sample.key == "report.pdf"
    assert [a.id for a in sample.annotations] == ["12", "10", "11"]
    pages = [a.value.page for a in sample.annotations if isinstance(a.value, OnPage)]
    assert pages == [1, 8, 8]  # page_no 9
    assert isinstance(sample.media, Document)
    assert sample.media.pages[8] == sample.media.pages[1] == Page(612, 792)
    assert len(sample.media.pages) == 9
    assert ltwh(sample, 1) == pytest.approx((125.4213, 24.06549, 103.88182, 30.34399), abs=1e-4)
    left, top, _, height = ltwh(sample, 2)
    # -0.4906 pixels are -0.379 points: cut off at the border of the page.
    assert (left, top) == (pytest.approx(100 * 612 / 1025), 0)
    assert height == pytest.approx(455.684461, abs=1e-6)
    assert report.counts["L422"] == 1


def test_what_was_annotated_again_is_skipped_and_counted(tmp_path: Path) -> None:
    _, report = read(doclaynet(), tmp_path)
    assert report.ledger.annotations.read == 5
    assert report.ledger.annotations.skipped == 2
    assert report.fields["coco:precedence above 0 (annotated again)"] == 2


def test_pages_may_stay_documents_of_their_own(tmp_path: Path) -> None:
    samples, report = read(doclaynet(), tmp_path, documents="pages")
    assert [sample.key for sample in samples] == ["a.png", "b.png", "c.png"]
    assert [len(sample.annotations) for sample in samples] == [2, 1, 0]
    assert samples[0].media == Document((Page(612, 792),))
    assert samples[0].extra["coco:doc_name"] == "report.pdf"
    value = samples[0].annotations[0].value
    assert isinstance(value, OnPage)
    assert value.page == 0
    assert report.ledger.samples.read == 3


def test_sizes_come_from_the_pages_own_json_as_doclaynet_gives_it(tmp_path: Path) -> None:
    media = tmp_path / "JSON"
    media.mkdir()
    given = doclaynet()
    for image in given["images"]:
        about = {name: image.pop(name) for name in ("original_width", "original_height")}
        stem = image["file_name"].removesuffix(".png")
        (media / f"{stem}.json").write_text(json.dumps({"metadata": about}), encoding="utf-8")
    (sample,), report = read(given, tmp_path, media)
    assert ltwh(sample, 1) == pytest.approx((125.4213, 24.06549, 103.88182, 30.34399), abs=1e-4)
    assert "R113" not in report.counts


def test_publaynets_names_say_document_and_page_and_pdfs_the_size(tmp_path: Path) -> None:
    from pypdf import PdfWriter

    media = tmp_path / "pdfs"
    media.mkdir()
    writer = PdfWriter()
    for width in (595, 612):
        writer.add_blank_page(width, 792)
    writer.write(media / "PMC123.pdf")
    given = {
        "images": [{"id": 1, "width": 601, "height": 792, "file_name": "PMC123_00001.jpg"}],
        "annotations": [
            {
                "id": 1,
                "image_id": 1,
                "category_id": 1,
                "bbox": [60.1, 79.2, 300.5, 79.2],
                "segmentation": [[60.1, 79.2, 360.6, 79.2, 60.1, 158.4]],
            }
        ],
        "categories": [{"id": 1, "name": "figure"}],
    }
    (sample,), report = read(given, tmp_path, media)
    assert sample.key == "PMC123"
    assert sample.media == Document((Page(0, 0), Page(612, 792)))
    assert ltwh(sample, 0) == pytest.approx((61.2, 79.2, 306, 79.2))
    (sample,), _ = read(given, tmp_path, media, shape="polygon")
    value = sample.annotations[0].value
    assert isinstance(value, OnPage)
    assert value.page == 1
    assert isinstance(value.shape, Polygon)
    (sample,), report = read(given, tmp_path)
    assert report.counts["R113"] == 1
    assert ltwh(sample, 0) == pytest.approx((60.1, 79.2, 300.5, 79.2))


def test_a_damaged_pdf_is_told_once(tmp_path: Path) -> None:
    media = tmp_path / "pdfs"
    media.mkdir()
    (media / "report.pdf").write_bytes(b"%PDF-1.4 cut")
    given = doclaynet(original_width=None)
    (sample,), report = read(given, tmp_path, media)
    assert report.counts["R124"] == 1
    assert len(sample.annotations) == 3


def test_masks_are_refused_on_documents(tmp_path: Path) -> None:
    with pytest.raises(OptionError):
        read(doclaynet(), tmp_path, shape="mask")


def test_documents_go_to_labelbox_with_pages_and_points(tmp_path: Path) -> None:
    (tmp_path / "coco.json").write_text(json.dumps(doclaynet()), encoding="utf-8")
    lc.convert(
        tmp_path / "coco.json",
        tmp_path / "mal.ndjson",
        from_="coco",
        to="labelbox",
        reader_options={"documents": "whole"},
    )
    lines = (tmp_path / "mal.ndjson").read_text(encoding="utf-8").splitlines()
    found = [json.loads(line) for line in lines]
    assert [each["page"] for each in found] == [1, 8, 8]
    assert {each["unit"] for each in found} == {"POINTS"}
    assert found[1]["bbox"]["left"] == pytest.approx(125.4213, abs=1e-4)


def test_pictures_of_one_page_number_and_pixels_that_are_not_scaled_are_told(
    tmp_path: Path,
) -> None:
    given = doclaynet(page_no=3)
    samples, report = read(given, tmp_path)
    assert [len(sample.annotations) for sample in samples] == [3]
    assert report.counts["R113"] == 1
    unsized = doclaynet()
    for image in unsized["images"]:
        for name in ("width", "height", "coco_width", "coco_height"):
            del image[name]
    samples, report = read(unsized, tmp_path)
    value = samples[0].annotations[1].value
    assert isinstance(value, OnPage)
    assert isinstance(value.shape, Box)
    assert value.shape.x0 == pytest.approx(FIRST[0])
    assert report.counts["R113"] == 1
