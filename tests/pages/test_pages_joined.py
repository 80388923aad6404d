"""Files of one page each become the pages of one document, where an option says how."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from pages_help import page_object, write_pdf

import labelconv as lc
from labelconv.model import Document, OnPage, Page, Sample
from labelconv.problems import Report


def alto(word: str, media: str = "", pages: int = 1) -> str:
    said = f"<fileName>{media}</fileName>" if media else ""
    page = (
        '<Page WIDTH="100" HEIGHT="100"><PrintSpace><TextBlock><TextLine ID="l">'
        f'<String ID="s" CONTENT="{word}" HPOS="10" VPOS="20" WIDTH="30" HEIGHT="5"/>'
        "</TextLine></TextBlock></PrintSpace></Page>"
    )
    return f"<alto><Description>{said}</Description><Layout>{page * pages}</Layout></alto>"


def hocr(word: str, media: str = "", pages: int = 1) -> str:
    said = f"; image &quot;{media}&quot;" if media else ""
    page = (
        f'<div class="ocr_page" title="bbox 0 0 100 100{said}"><span class="ocr_line" id="l">'
        f'<span class="ocrx_word" id="s" title="bbox 10 20 40 25">{word}</span></span></div>'
    )
    return f"<html><body>{page * pages}</body></html>"


MAKE = {"alto": (alto, ".xml"), "hocr": (hocr, ".hocr")}


def put(folder: Path, format: str, name: str, media: str = "", pages: int = 1) -> Path:
    make, ending = MAKE[format]
    path = folder / f"{name}{ending}"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(make(name.rpartition("/")[2], media, pages), encoding="utf-8")
    return path


def pdf(tmp_path: Path, name: str, count: int) -> Path:
    (tmp_path / "media").mkdir(exist_ok=True)
    sizes = [(page_object(f"[0 0 {200 + n} {400 + n}]"), ()) for n in range(count)]
    write_pdf(tmp_path / "media" / name, sizes)
    return tmp_path / "media"


def read(
    tmp_path: Path, format: str, media: Path | None = None, **options: Any
) -> tuple[list[Sample], Report]:
    report = Report()
    lc.convert(
        tmp_path / "in",
        tmp_path / "out.native.ndjson",
        from_=format,
        reader_options={"dpi": 72.0, **options},
        media=media,
        report=report,
    )
    assert report.ledger.balanced
    return list(lc.read(tmp_path / "out.native.ndjson", "native")), report


def said(sample: Sample) -> list[tuple[int, str, str]]:
    """(page, id, word) of each annotation."""
    return [
        (each.value.page, each.id, each.classifications[0].answer.text)
        for each in sample.annotations
        if isinstance(each.value, OnPage)
    ]


formats = pytest.mark.parametrize("format", MAKE)


@formats
def test_without_the_option_each_file_is_a_document(tmp_path: Path, format: str) -> None:
    for number in (1, 2):
        put(tmp_path / "in", format, f"doc_000{number}")
    samples, _ = read(tmp_path, format)
    assert [sample.key for sample in samples] == ["doc_0001", "doc_0002"]
    assert [said(sample)[0][0] for sample in samples] == [0, 0]


@formats
def test_numbers_at_the_end_of_names_are_pages(tmp_path: Path, format: str) -> None:
    for name in ("doc_0010", "doc_0002", "doc_0001", "other-1", "deep/0001", "deep/0002"):
        put(tmp_path / "in", format, name)
    samples, report = read(tmp_path, format, join="number")
    assert {sample.key: said(sample) for sample in samples} == {
        "deep": [(0, "1/s", "0001"), (1, "2/s", "0002")],
        "doc": [(0, "1/s", "doc_0001"), (1, "2/s", "doc_0002"), (9, "10/s", "doc_0010")],
        "other": [(0, "1/s", "other-1")],
    }
    assert report.ledger.samples.read == 3
    document = next(sample.media for sample in samples if sample.key == "doc")
    assert isinstance(document, Document)
    assert [page.width for page in document.pages] == [100, 100, *[0] * 7, 100]
    samples, _ = read(tmp_path, format, join="number", first_page=0)
    assert [page for page, _, _ in said(samples[-1])] == [1]


@formats
def test_files_called_by_numbers_alone_are_called_by_the_folder(
    tmp_path: Path, format: str
) -> None:
    for number in (1, 2):
        put(tmp_path / "in", format, str(number))
    (sample,), _ = read(tmp_path, format, join="number")
    assert sample.key == "in"
    assert [page for page, _, _ in said(sample)] == [0, 1]


@formats
def test_numbered_pages_have_the_sizes_of_the_pdf_s(tmp_path: Path, format: str) -> None:
    for number in (1, 3):
        put(tmp_path / "in", format, f"doc_{number}")
    (sample,), report = read(tmp_path, format, pdf(tmp_path, "doc.pdf", 3), join="number")
    assert sample.media == Document((Page(200, 400), Page(201, 401), Page(202, 402)))
    boxes = [each.value.shape for each in sample.annotations if isinstance(each.value, OnPage)]
    assert [box.x0 for box in boxes] == pytest.approx([20, 20.2])
    assert report.errors == 0


@formats
def test_what_is_no_page_is_rejected_alone_and_the_others_keep_their_numbers(
    tmp_path: Path, format: str
) -> None:
    put(tmp_path / "in", format, "doc_1")
    again = put(tmp_path / "in", format, "doc_4")
    broken = put(tmp_path / "in", format, "doc_2")
    broken.write_bytes(b"<nothing/>")
    two = put(tmp_path / "in", format, "doc_3", pages=2)
    put(tmp_path / "in", format, "doc_04")  # comes before doc_4, which is page 4 again
    early = put(tmp_path / "in", format, "doc_0")
    unnumbered = put(tmp_path / "in", format, "notes")
    samples, report = read(tmp_path, format, join="number")
    (sample,) = samples
    assert [page for page, _, _ in said(sample)] == [0, 3]
    assert sorted(problem.where.path or "" for problem in report.problems) == sorted(
        map(str, (broken, two, again, early, unnumbered))
    )
    assert {problem.code for problem in report.problems} == {"R101"}
    assert (report.ledger.annotations.read, report.ledger.annotations.rejected) == (6, 4)
    assert (report.ledger.samples.read, report.ledger.samples.rejected) == (2, 1)


@formats
def test_a_folder_is_a_document_where_its_pdf_has_as_many_pages(
    tmp_path: Path, format: str
) -> None:
    for name in ("a/x10", "a/x9", "b/only"):
        put(tmp_path / "in", format, name)
    media = pdf(tmp_path, "a.pdf", 2)
    samples, report = read(tmp_path, format, media, join="folder")
    assert [(sample.key, said(sample)) for sample in samples] == [
        ("a", [(0, "1/s", "x9"), (1, "2/s", "x10")])
    ]
    assert report.counts == {"R122": 1}  # b has no PDF
    pdf(tmp_path, "b.pdf", 2)
    samples, report = read(tmp_path, format, media, join="folder")
    assert [sample.key for sample in samples] == ["a"]
    assert report.counts == {"R101": 1}
    assert report.ledger.samples.rejected == 1


@formats
def test_files_that_name_one_source_are_its_pages(tmp_path: Path, format: str) -> None:
    for name, source in (("p1", "scans/x.pdf"), ("q1", "scans/y.pdf"), ("p2", "scans/x.pdf")):
        put(tmp_path / "in", format, name, source)
    unnamed = put(tmp_path / "in", format, "r1")
    pdf(tmp_path, "x.pdf", 2)
    samples, report = read(tmp_path, format, pdf(tmp_path, "y.pdf", 1), join="media")
    assert [(sample.key, sample.uri, said(sample)) for sample in samples] == [
        ("scans/x", "scans/x.pdf", [(0, "1/s", "p1"), (1, "2/s", "p2")]),
        ("scans/y", "scans/y.pdf", [(0, "1/s", "q1")]),
    ]
    assert [problem.where.path for problem in report.problems] == [str(unnamed)]


@formats
def test_places_of_problems_name_the_file_of_the_page(tmp_path: Path, format: str) -> None:
    put(tmp_path / "in", format, "doc_1")
    path = put(tmp_path / "in", format, "doc_2")
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace('HPOS="10"', 'HPOS="x"').replace("bbox 10 20", "bbox x 20"))
    (sample,), report = read(tmp_path, format, join="number")
    assert said(sample) == [(0, "1/s", "doc_1")]
    (problem,) = report.problems
    assert (problem.code, problem.where.path) == ("R101", str(path))
    (rejected,) = tmp_path.glob("*.rejected.ndjson")
    assert "doc_2" in json.loads(rejected.read_bytes())["record"]


@formats
def test_joined_pages_reach_labelbox_with_their_number(tmp_path: Path, format: str) -> None:
    for number in (1, 2):
        put(tmp_path / "in", format, f"doc_{number}")
    lc.convert(
        tmp_path / "in",
        tmp_path / "mal.ndjson",
        from_=format,
        to="labelbox",
        reader_options={"join": "number", "dpi": 72.0},
    )
    mal = [json.loads(line) for line in (tmp_path / "mal.ndjson").read_text().splitlines()]
    assert [(line["dataRow"]["globalKey"], line["page"]) for line in mal] == [
        ("doc", 0),
        ("doc", 1),
    ]
