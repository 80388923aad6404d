"""Readers of recognised text take the sizes of pages from PDFs, and go on where one is damaged."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
from pages_help import page_object, write_pdf

import labelconv as lc
from labelconv.convert import convert
from labelconv.errors import OptionError
from labelconv.io import Source
from labelconv.model import Box, Document, OnPage, Page, Sample
from labelconv.problems import Report
from labelconv.registry import sniff

ALTO = """<alto><Description><MeasurementUnit>pixel</MeasurementUnit></Description><Layout>
<Page WIDTH="1025" HEIGHT="1025"><PrintSpace><TextBlock><TextLine>
<String CONTENT="hi" HPOS="102.5" VPOS="205" WIDTH="307.5" HEIGHT="51.25"/>
</TextLine></TextBlock></PrintSpace></Page></Layout></alto>"""
HOCR = """<html><body><div class="ocr_page" title="bbox 0 0 1025 1025">
<span class="ocrx_word" title="bbox 102.5 205 410 256.25">hi</span></div></body></html>"""
TEXTRACT = json.dumps(
    {
        "Blocks": [
            {
                "BlockType": "WORD",
                "Text": "hi",
                "Geometry": {
                    "BoundingBox": {"Left": 0.1, "Top": 0.2, "Width": 0.3, "Height": 0.05}
                },
            }
        ]
    }
)
_RING = [102.5, 205, 410, 205, 410, 256.25, 102.5, 256.25]
AZURE = json.dumps(
    {
        "analyzeResult": {
            "pages": [
                {
                    "pageNumber": 1,
                    "unit": "pixel",
                    "width": 1025,
                    "height": 1025,
                    "words": [{"content": "hi", "polygon": _RING}],
                }
            ]
        }
    }
)
DOCAI = json.dumps(
    {
        "text": "hi",
        "pages": [
            {
                "tokens": [
                    {
                        "layout": {
                            "textAnchor": {"textSegments": [{"endIndex": "2"}]},
                            "boundingPoly": {
                                "normalizedVertices": [
                                    {"x": 0.1, "y": 0.2},
                                    {"x": 0.4, "y": 0.2},
                                    {"x": 0.4, "y": 0.25},
                                    {"x": 0.1, "y": 0.25},
                                ]
                            },
                        }
                    }
                ]
            }
        ],
    }
)
DOCLING = json.dumps(
    {
        "schema_name": "DoclingDocument",
        "pages": {"1": {"size": {"width": 1025, "height": 1025}}},
        "texts": [
            {
                "label": "text",
                "text": "hi",
                "prov": [
                    {
                        "page_no": 1,
                        "bbox": {
                            "l": 102.5,
                            "t": 820,
                            "r": 410,
                            "b": 768.75,
                            "coord_origin": "BOTTOMLEFT",
                        },
                    }
                ],
            }
        ],
    }
)
TSV = (
    "level\tpage_num\tblock_num\tpar_num\tline_num\tword_num\tleft\ttop\twidth\theight\tconf\ttext\n"
    "1\t1\t0\t0\t0\t0\t0\t0\t2040\t2640\t-1\t\n"
    "5\t1\t1\t1\t1\t1\t204\t528\t612\t132\t95\thi\n"
)
LAYER = json.dumps(
    [
        {
            "number": 1,
            "units": "PERCENT",
            "groups": [
                {
                    "id": "g",
                    "content": "hi",
                    "geometry": {},
                    "tokens": [
                        {
                            "id": "t",
                            "content": "hi",
                            "geometry": {"left": 0.1, "top": 0.2, "width": 0.3, "height": 0.05},
                        }
                    ],
                }
            ],
        }
    ]
)
PAGE_XML = """<PcGts><Page imageWidth="1025" imageHeight="1025"><TextRegion><TextLine>
<Coords points="102.5,205 410,205 410,256.25 102.5,256.25"/>
<TextEquiv><Unicode>hi</Unicode></TextEquiv></TextLine></TextRegion></Page></PcGts>"""
DOCTR = json.dumps(
    {
        "pages": [
            {
                "page_idx": 0,
                "dimensions": [1025, 1025],
                "blocks": [
                    {"lines": [{"words": [{"value": "hi", "geometry": [[0.1, 0.2], [0.4, 0.25]]}]}]}
                ],
            }
        ]
    }
)
DOCBANK = "hi\t100\t200\t400\t250\t0\t0\t0\tABCDEF+CMR10\tparagraph\n"
#: Each says one word at 10 % and 20 % of its page, 30 % wide and 5 % high.
SOURCES = {
    "alto": ("doc.xml", ALTO),
    "hocr": ("doc.hocr", HOCR),
    "textract": ("doc.json", TEXTRACT),
    "azure-di": ("doc.json", AZURE),
    "docai": ("doc.json", DOCAI),
    "docling": ("doc.json", DOCLING),
    "tesseract": ("doc.tsv", TSV),
    "labelbox-text-layer": ("doc.json", LAYER),
    "page-xml": ("doc.xml", PAGE_XML),
    "doctr": ("doc.json", DOCTR),
    "docbank": ("doc.txt", DOCBANK),
}


def read(
    format: str, tmp_path: Path, media: Path | None = None, **options: Any
) -> tuple[list[Sample], Report]:
    name, content = SOURCES[format]
    source = tmp_path / name
    source.write_text(content, encoding="utf-8")
    report = Report()
    convert(
        source,
        tmp_path / "read.native.ndjson",
        from_=format,
        to="native",
        reader_options=options,
        media=media,
        report=report,
    )
    assert report.ledger.balanced
    return list(lc.read(tmp_path / "read.native.ndjson")), report


def written(path: Path, content: str) -> Path:
    path.write_text(content, encoding="utf-8")
    return path


def media_of(tmp_path: Path) -> Path:
    folder = tmp_path / "media"
    folder.mkdir(exist_ok=True)
    return folder


@pytest.mark.parametrize("format", SOURCES)
def test_case_49_boxes_lie_on_the_pdfs_page_with_a_scale_for_each_axis(
    format: str, tmp_path: Path
) -> None:
    media = media_of(tmp_path)
    entries = page_object("[0 0 792 612]", rotate="90")  # shown as 612 × 792
    write_pdf(media / "doc.pdf", [(entries, ()), (page_object("[0 0 100 200]"), ())])
    (sample,), report = read(format, tmp_path, media)
    assert sample.media == Document((Page(612, 792), Page(100, 200)))
    (annotation,) = sample.annotations
    assert isinstance(annotation.value, OnPage)
    box = annotation.value.shape
    assert isinstance(box, Box)
    found = box.x0, box.y0, box.x1 - box.x0, box.y1 - box.y0
    assert found == pytest.approx((61.2, 158.4, 183.6, 39.6))
    assert report.errors == 0


@pytest.mark.parametrize("damage", ["encrypted", "empty", "truncated"])
@pytest.mark.parametrize("format", SOURCES)
def test_a_damaged_pdf_is_one_problem_and_the_rest_goes_on(
    format: str, damage: str, tmp_path: Path
) -> None:
    from pypdf import PdfWriter

    media = media_of(tmp_path)
    path = write_pdf(media / "doc.pdf", [(page_object(), ())])
    data = path.read_bytes()
    if damage == "encrypted":
        writer = PdfWriter()
        writer.add_blank_page(612, 792)
        writer.encrypt("secret", algorithm="RC4-128")
        writer.write(path)
    else:
        path.write_bytes(b"" if damage == "empty" else data[: len(data) // 3])
    samples, report = read(format, tmp_path, media, page_size="612x792")
    assert report.counts["R124"] == 1
    assert report.errors == 1
    assert [len(sample.annotations) for sample in samples] == [1]


def test_one_damaged_pdf_among_several_costs_only_the_document_that_needs_it(
    tmp_path: Path,
) -> None:
    media = media_of(tmp_path)
    write_pdf(media / "good.pdf", [(page_object(), ())])
    (media / "bad.pdf").touch()
    source = tmp_path / "answers"
    source.mkdir()
    for name in ("bad", "good", "none"):
        (source / f"{name}.json").write_text(TEXTRACT, encoding="utf-8")
    report = Report()
    target = tmp_path / "out.ndjson"
    convert(
        source,
        target,
        from_="textract",
        to="labelbox",
        media=media,
        allow=["loss"],
        report=report,
    )
    (line,) = target.read_text(encoding="utf-8").splitlines()
    payload = json.loads(line)
    assert (payload["dataRow"], payload["page"], payload["unit"]) == (
        {"globalKey": "good"},
        0,
        "POINTS",
    )
    assert list(payload["bbox"].values()) == pytest.approx([158.4, 61.2, 39.6, 183.6])
    assert report.counts["R124"] == 1  # the damaged one
    assert report.counts["R122"] == 2  # it, and the one without a PDF, have no page
    assert report.ledger.samples.rejected == 2
    assert report.ledger.balanced


@pytest.mark.parametrize("format", ["alto", "hocr", "azure-di", "tesseract", "page-xml", "doctr"])
def test_pixels_that_nothing_gives_a_size_are_points_and_it_is_said(
    format: str, tmp_path: Path
) -> None:
    (sample,), report = read(format, tmp_path)
    assert report.counts["R113"] == 1
    (other,), told = read(format, tmp_path, dpi=144.0)
    assert "R113" not in told.counts
    one, two = sample.annotations[0].value, other.annotations[0].value
    assert isinstance(one, OnPage)
    assert isinstance(two, OnPage)
    assert isinstance(one.shape, Box)
    assert two.shape == Box(
        *(n / 2 for n in (one.shape.x0, one.shape.y0, one.shape.x1, one.shape.y1))
    )


def test_a_user_unit_is_said(tmp_path: Path) -> None:
    media = media_of(tmp_path)
    write_pdf(media / "doc.pdf", [(page_object(unit="2"), ())])
    (sample,), report = read("textract", tmp_path, media)
    assert sample.media == Document((Page(612, 792),))
    assert report.counts["R113"] == 1


def test_a_record_that_disagrees_with_its_pdf_is_stretched_and_it_is_said(tmp_path: Path) -> None:
    media = media_of(tmp_path)
    write_pdf(media / "doc.pdf", [(page_object(), ())])
    _, report = read("docling", tmp_path, media)
    assert report.counts == {"R113": 1}


@pytest.mark.parametrize("wrong", [{"page_size": "letter"}, {"page_size": "0x5"}, {"dpi": -1.0}])
def test_options_that_are_no_sizes_are_refused(wrong: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(OptionError):
        read("alto", tmp_path, **wrong)


@pytest.mark.parametrize(
    ("format", "text"),
    [
        ("textract", TEXTRACT.replace('"Text"', '"Page": 1000000000, "Text"')),
        ("azure-di", AZURE.replace('"pageNumber": 1', '"pageNumber": 1000000000')),
        ("docling", DOCLING.replace('"page_no": 1', '"page_no": 1000000000')),
        ("tesseract", TSV.replace("5\t1\t1\t", "5\t1000000000\t1\t")),
        ("labelbox-text-layer", LAYER.replace('"number": 1', '"number": 1000000000')),
        ("doctr", DOCTR.replace('"page_idx": 0', '"page_idx": 1000000000')),
    ],
)
def test_a_page_number_beyond_all_documents_is_refused_at_once(
    format: str, text: str, tmp_path: Path
) -> None:
    (tmp_path / "a.json").write_text(text, encoding="utf-8")
    report = Report()
    assert list(lc.read(tmp_path / "a.json", format, report=report)) == []
    assert report.counts == {"R101": 1}


@pytest.mark.parametrize("format", ["textract", "azure-di", "docai", "docling", "doctr", "funsd"])
@pytest.mark.parametrize("data", [b'{"a": "\xff"}', b"\xff\xfe", b"[" * 100_000, b"{} x"])
def test_bytes_that_are_no_json_are_rejected(format: str, data: bytes, tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes(data)
    report = Report()
    assert list(lc.read(tmp_path / "a.json", format, report=report)) == []
    assert report.counts == {"R101": 1}
    assert report.take_rejected()[0].record == data


@pytest.mark.parametrize("format", SOURCES)
def test_each_source_is_told_by_its_content(format: str, tmp_path: Path) -> None:
    name, content = SOURCES[format]
    (tmp_path / name).write_text(content, encoding="utf-8")
    assert lc.read(tmp_path / name) is not None
    assert sniff(Source(tmp_path / name))[0].name == format


@pytest.mark.parametrize("format", ["alto", "hocr", "page-xml"])
@pytest.mark.parametrize(
    "bomb",
    [
        "<!DOCTYPE x [<!ENTITY a0 'lol'>"
        + "".join(f"<!ENTITY a{n} '{f'&a{n - 1};' * 10}'>" for n in range(1, 12))
        + "]>",
        "<!DOCTYPE x [<!ENTITY a11 SYSTEM 'file:///etc/passwd'>]>",
        "<!DOCTYPE x [<!ENTITY % a SYSTEM 'http://localhost:9/'> %a;]>",
    ],
)
def test_hostile_xml_is_refused_in_less_than_a_tenth_of_a_second(
    format: str, bomb: str, tmp_path: Path
) -> None:
    document = SOURCES[format][1]  # nothing else is wrong with it
    assert len(list(lc.read(written(tmp_path / "good.xml", document), format))) == 1
    hostile = document.replace(">hi<", ">&a11;<").replace('"hi"', '"&a11;"')
    assert hostile != document
    source = written(tmp_path / "bomb.xml", bomb + hostile)
    read_once = lc.read(source, format)  # modules are loaded
    list(read_once)
    report = Report()
    start = time.perf_counter()
    samples = list(lc.read(source, format, report=report))
    elapsed = time.perf_counter() - start
    assert samples == []
    assert report.counts == {"R101": 1}
    assert report.problems[0].where.line == 1  # where it declares something
    assert elapsed < 0.1


@pytest.mark.parametrize("format", ["alto", "hocr", "page-xml"])
def test_elements_without_end_are_refused_or_read_but_never_too_deep(
    format: str, tmp_path: Path
) -> None:
    source = tmp_path / "deep.xml"
    if format == "alto":
        inner = "<ComposedBlock>" * 50_000 + "</ComposedBlock>" * 50_000
        text = f"<alto><Layout><Page><PrintSpace>{inner}</PrintSpace></Page></Layout></alto>"
    elif format == "page-xml":
        inner = "<TextRegion>" * 50_000 + "</TextRegion>" * 50_000
        text = f"<PcGts><Page>{inner}</Page></PcGts>"
    else:
        text = (
            '<html><div class="ocr_page">' + "<div>" * 50_000 + "</div>" * 50_000 + "</div></html>"
        )
    source.write_text(text, encoding="utf-8")
    report = Report()
    samples = list(lc.read(source, format, report=report))
    assert len(samples) + report.counts.get("R101", 0) == 1
