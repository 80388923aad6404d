"""What readers of recognised text cannot use is counted or rejected, whatever is wrong with it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import labelconv as lc
from labelconv.problems import Report
from labelconv.reading import ReadDataset

RING = [0, 0, 9, 0, 9, 9, 0, 9]
VERTICES = [{"x": x, "y": y} for x, y in ((0.1, 0.1), (0.2, 0.1), (0.2, 0.2))]
BOX = {"BoundingBox": {"Left": 0.1, "Top": 0.1, "Width": 0.1, "Height": 0.1}}
PLACE = 'HPOS="1" VPOS="1" WIDTH="5" HEIGHT="5"'
HEAD = (
    "level\tpage_num\tblock_num\tpar_num\tline_num\tword_num\tleft\ttop\twidth\theight\tconf\ttext"
)


def read(tmp_path: Path, format: str, content: Any, **options: Any) -> ReadDataset:
    path = tmp_path / "in"
    path.write_text(
        content if isinstance(content, str) else json.dumps(content), encoding="utf-8", newline=""
    )
    dataset = lc.read(path, format, options=options)
    for _ in dataset:
        pass
    return dataset


def alto(inside: str, *, page: str = 'WIDTH="100" HEIGHT="100"') -> str:
    return (
        f'<alto><Tags><OtherTag ID="t" LABEL="tag"/></Tags><Layout><Page {page}><PrintSpace>'
        f"<TextBlock><TextLine>{inside}</TextLine></TextBlock></PrintSpace></Page></Layout></alto>"
    )


def word(polygon: str) -> str:
    return f'<String CONTENT="a" {PLACE}><Shape>{polygon}</Shape></String>'


def azure(*words: Any, **more: Any) -> dict[str, Any]:
    page = {"pageNumber": 1, "unit": "pixel", "width": 99, "height": 99, "words": [*words]}
    return {"pages": [{**page, **more}]}


def docai(layout: dict[str, Any], **more: Any) -> dict[str, Any]:
    page = {"dimension": {"width": 100, "height": 100, **more}, "tokens": [{"layout": layout}]}
    return {"text": "a", "pages": [page]}


def anchored(start: int, end: int) -> dict[str, Any]:
    segments = [{"startIndex": start, "endIndex": end}]
    return {
        "textAnchor": {"textSegments": segments},
        "boundingPoly": {"normalizedVertices": VERTICES},
    }


def docling(*texts: Any, **more: Any) -> dict[str, Any]:
    return {"pages": {"1": {"size": {"width": 9, "height": 9}}}, "texts": [*texts], **more}


@pytest.mark.parametrize("broken", ["1,1 2,x 3,3", "1,1 2,2", "1,1 2,2 3", ""])
def test_a_broken_outline_of_alto_is_counted_and_the_box_stays(tmp_path: Path, broken: str) -> None:
    dataset = read(tmp_path, "alto", alto(word(f'<Polygon POINTS="{broken}"/>')), shape="polygon")
    assert dataset.report.fields == {"alto:Polygon": 1}
    assert [len(sample.annotations) for sample in dataset] == [1]


def test_a_broken_outline_of_alto_without_a_box_rejects_the_word(tmp_path: Path) -> None:
    text = alto('<String CONTENT="a"><Shape><Polygon POINTS="1,1 2,x 3,3"/></Shape></String>')
    dataset = read(tmp_path, "alto", text)
    assert dataset.report.counts["R101"] == 1
    assert b"2,x" in dataset.report.take_rejected()[0].record


@pytest.mark.parametrize(
    ("format", "content", "fields"),
    [
        ("alto", alto(word('<Circle HPOS="1" VPOS="1" RADIUS="1"/>')), {"alto:Circle": 1}),
        (
            "alto",
            alto(word('<Polygon POINTS="1 1 2 2 3 1"/>' * 2)),
            {"alto:Polygon": 1, "alto:outline": 1},
        ),
        ("alto", alto(f'<String {PLACE} TAGREFS="t u"/>'), {"alto:TAGREFS": 1}),
        ("alto", alto(f'<String {PLACE} WC="x"/>'), {"alto:WC": 1}),
        ("alto", alto(f"<String {PLACE}><ALTERNATIVE/></String>"), {"alto:ALTERNATIVE": 1}),
        ("alto", alto(f"<String {PLACE}/>", page='WIDTH="wide"'), {"alto:WIDTH of pages": 1}),
        (
            "hocr",
            (
                '<div class="ocr_page" title="bbox 0 0 9 y; ppageno 4; x_size 3">'
                '<b class="ocrx_word" title="bbox 1 1 2 2; x_wconf high">a</b>'
            ),
            {"hocr:bbox": 1, "hocr:ppageno": 1, "hocr:x_size": 1, "hocr:x_wconf": 1},
        ),
        (
            "hocr",
            '<div class="ocr_page"><b class="ocrx_word" title="bbox 1 1 2 2">a</b><!-- on and on',
            {"hocr:characters behind what is never closed": 14},
        ),
        (
            "textract",
            {
                "Blocks": [
                    {
                        "BlockType": "WORD",
                        "Text": 7,
                        "TextType": "PRINTED",
                        "Id": [],
                        "Relationships": 7,
                        "Geometry": {**BOX, "Polygon": [{"X": 1, "Y": 1}]},
                    },
                    {"BlockType": ["WORD"]},
                ]
            },
            {
                "textract:Text": 1,
                "textract:TextType": 1,
                "textract:Polygon": 1,
                "textract:None": 1,
            },
        ),
        (
            "azure-di",
            azure({"content": 7, "polygon": RING, "language": "en"}, angle=3, barcodes=[1, 2]),
            {
                "azure-di:content": 1,
                "azure-di:language": 1,
                "azure-di:angle": 1,
                "azure-di:barcodes": 2,
            },
        ),
        (
            "azure-di",
            azure(unit=None),
            {"azure-di:pages without a unit, taken to be in inches": 1},
        ),
        (
            "docai",
            {**docai({**anchored(0, 1), "orientation": "PAGE_UP"}), "entities": [1, 2]},
            {"docai:layout.orientation": 1, "docai:entities": 2, "docai:outline": 1},
        ),
        (
            "docling",
            docling(
                {
                    "text": "a",
                    "level": 2,
                    "prov": [{"page_no": 1, "bbox": {"l": 1, "t": 1, "r": 2, "b": 2}}],
                },
                form_items=[1],
            ),
            {"docling:level": 1, "docling:form_items": 1},
        ),
        (
            "tesseract",
            f"{HEAD}\n5\t1\t1\t1\t1\t1\t1\t1\t5\t5\t-7\ta\n",
            {"tesseract:confidence": 1},
        ),
    ],
)
def test_what_has_no_place_is_counted(
    tmp_path: Path, format: str, content: Any, fields: dict[str, int]
) -> None:
    page = {} if format == "docling" else {"dpi": 72.0}
    dataset = read(tmp_path, format, content, page_size="99x99", **page)
    assert dataset.report.fields == fields
    assert dataset.report.errors == 0


@pytest.mark.parametrize(
    ("format", "content", "pointer"),
    [
        ("textract", {"Blocks": [7]}, "/Blocks/0"),
        (
            "textract",
            {"Blocks": [{"BlockType": "WORD", "Page": "two", "Geometry": BOX}]},
            "/Blocks/0",
        ),
        ("azure-di", azure() | {"pages": [azure(words=7)["pages"][0]]}, "/pages/0/words/0"),
        ("docai", docai({**anchored(0, 9)}), "/pages/0/tokens/0"),
        (
            "docai",
            docai({"boundingPoly": {"normalizedVertices": [1, 2, 3]}}),
            "/pages/0/tokens/0",
        ),
        ("docling", docling({"text": "a"}), "/texts/0/prov/0"),
        ("docling", docling({"text": 7}), "/texts/0"),
        (
            "docling",
            docling(
                {"prov": [{"page_no": 1, "bbox": dict.fromkeys("ltrb", 1) | {"coord_origin": "X"}}]}
            ),
            "/texts/0/prov/0",
        ),
        ("docling", docling({"prov": [{"page_no": 1.5, "bbox": {}}]}), "/texts/0/prov/0"),
        ("docling", docling() | {"texts": 7}, "/texts/0"),
    ],
)
def test_what_is_broken_is_rejected_alone_at_its_place(
    tmp_path: Path, format: str, content: Any, pointer: str
) -> None:
    dataset = read(tmp_path, format, content, page_size="99x99")
    (problem,) = (each for each in dataset.report.problems if each.severity == "error")
    assert (problem.code, problem.where.pointer) == ("R101", pointer)
    ledger = dataset.report.ledger
    assert (ledger.samples.rejected, ledger.annotations.rejected) == (0, 1)


@pytest.mark.parametrize(
    ("content", "level", "pointer"),
    [
        (azure() | {"paragraphs": [{"content": "a"}]}, "block", "/paragraphs/0/boundingRegions/0"),
        (
            azure() | {"paragraphs": [{"boundingRegions": [{"pageNumber": 2, "polygon": RING}]}]},
            "block",
            "/paragraphs/0/boundingRegions/0",
        ),
    ],
)
def test_a_paragraph_that_is_nowhere_is_rejected(
    tmp_path: Path, content: Any, level: str, pointer: str
) -> None:
    dataset = read(tmp_path, "azure-di", content, level=level, dpi=72.0)
    assert [(p.code, p.where.pointer) for p in dataset.report.problems] == [("R101", pointer)]


@pytest.mark.parametrize(
    ("format", "content", "pointer"),
    [
        ("azure-di", {"pages": azure()["pages"] * 2}, "/pages/1"),
        ("docai", {"text": 7, "pages": []}, "/text"),
        ("docai", docai({}, unit="ells"), "/pages/0/dimension"),
    ],
)
def test_an_answer_that_contradicts_itself_is_rejected_whole(
    tmp_path: Path, format: str, content: Any, pointer: str
) -> None:
    dataset = read(tmp_path, format, content)
    assert [(p.code, p.where.pointer) for p in dataset.report.problems] == [("R101", pointer)]
    assert dataset.report.ledger.samples.rejected == 1


def test_a_broken_size_of_a_page_is_counted(tmp_path: Path) -> None:
    for format, content, field in (
        ("azure-di", azure(width="wide"), "azure-di:width"),
        ("docai", docai(anchored(0, 1), width=-1), "docai:width"),
        ("docling", docling() | {"pages": {"1": {"size": {"height": []}}}}, "docling:size.height"),
        (
            "labelbox-text-layer",
            [{"number": 1, "units": "POINTS", "width": "x"}],
            "labelbox-text-layer:width",
        ),
    ):
        dataset = read(tmp_path, format, content, page_size="99x99")
        assert dataset.report.fields[field] == 1


@pytest.mark.parametrize(("unit", "points"), [("inches", 7200), ("points", 100), ("pixels", 50)])
def test_pages_of_document_ai_are_in_the_unit_that_they_name(
    tmp_path: Path, unit: str, points: float
) -> None:
    dataset = read(tmp_path, "docai", docai(anchored(0, 1), unit=unit), dpi=144.0)
    (sample,) = dataset
    assert sample.media.pages[0].width == pytest.approx(points)
    assert sample.annotations[0].value.shape.x0 == pytest.approx(points / 10)


def test_broken_lines_of_boxes_are_rejected_alone_wherever_they_stand(tmp_path: Path) -> None:
    lines = f"no box\nA 1 1 2 2 0\nB 1 1 2 2 {'9' * 5000}\n"
    (tmp_path / "sizes.csv").write_text("in,99,99\n")
    (tmp_path / "in").write_text(lines)
    report = Report()
    lc.convert(
        tmp_path / "in",
        tmp_path / "out.ndjson",
        from_="tesseract",
        to="native",
        media=tmp_path,
        reader_options={"sizes": str(tmp_path / "sizes.csv")},
        report=report,
    )
    errors = [(p.code, p.where.line) for p in report.problems if p.severity == "error"]
    assert errors == [("R101", 1), ("R101", 3)]
    assert report.ledger.annotations.rejected == 2
    assert report.ledger.samples.rejected == 0


def test_the_second_of_two_kinds_of_a_line_is_counted(tmp_path: Path) -> None:
    line = '<p class="ocr_header ocr_footer" title="bbox 1 1 2 2">a</p>'
    dataset = read(tmp_path, "hocr", f'<div class="ocr_page">{line}</div>', level="line")
    assert dataset.report.fields == {"hocr:ocr_header": 1}
    assert [each.category for sample in dataset for each in sample.annotations] == ["footer"]


def test_a_row_of_a_level_that_tesseract_does_not_have_is_rejected(tmp_path: Path) -> None:
    rows = f"{HEAD}\n7\t1\t1\t1\t1\t1\t1\t1\t5\t5\t9\ta\n"
    dataset = read(tmp_path, "tesseract", rows)
    assert [(p.code, p.where.line) for p in dataset.report.problems][-1] == ("R101", 2)
