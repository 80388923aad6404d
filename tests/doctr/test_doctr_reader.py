"""docTR: shares of pages, turned words, levels, tables and forms, sizes of pages."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import labelconv as lc
from labelconv.io import Source
from labelconv.model import Box, Document, FreeText, OnPage, Page, Polygon, Sample
from labelconv.problems import Report
from labelconv.registry import sniff

FIXTURES = Path(__file__).parent.parent / "fixtures" / "doctr"
SCAN = FIXTURES / "words" / "input" / "scan.json"
TURNED = FIXTURES / "turned" / "input" / "scan.json"
FORMS = FIXTURES / "forms" / "input" / "scan.json"


def read(path: Path, **options: Any) -> tuple[Sample, Report]:
    report = Report()
    (sample,) = lc.read(path, "doctr", options=options, report=report)
    return sample, report


def write(path: Path, *words: Any, **page: Any) -> Path:
    blocks = [{"lines": [{"words": words}]}]
    given = {"pages": [{"page_idx": 0, "dimensions": [2000, 1000], "blocks": blocks, **page}]}
    path.write_text(json.dumps(given), encoding="utf-8")
    return path


def texts(sample: Sample) -> list[str]:
    answers = (each.answer for a in sample.annotations for each in a.classifications)
    return [answer.text for answer in answers if isinstance(answer, FreeText)]


@pytest.mark.parametrize(
    "geometry",
    [
        [[0.1, 0.2], [0.3, 0.25]],
        [0.1, 0.2, 0.3, 0.25],
        [[0.1, 0.2], [0.3, 0.2], [0.3, 0.25], [0.1, 0.25]],
        [0.1, 0.2, 0.3, 0.2, 0.3, 0.25, 0.1, 0.25],
    ],
)
def test_geometry_is_shares_of_the_page_whose_dimensions_are_height_and_width(
    geometry: Any, tmp_path: Path
) -> None:
    path = write(tmp_path / "a.json", {"value": "x", "geometry": geometry})
    sample, report = read(path, dpi=144.0)
    assert sample.media == Document((Page(500, 1000),))
    (annotation,) = sample.annotations
    assert isinstance(annotation.value, OnPage)
    box = annotation.value.shape
    assert isinstance(box, Box)
    assert [box.x0, box.y0, box.x1, box.y1] == pytest.approx([50, 200, 150, 250])
    assert report.counts == {}


def test_turned_words_are_outlines_or_boxes_around_them() -> None:
    sample, report = read(TURNED, shape="polygon", page_size="800x1000")
    skew, flat = (annotation.value for annotation in sample.annotations)
    assert isinstance(skew, OnPage)
    assert isinstance(skew.shape, Polygon)
    assert skew.shape.parts[0][0] == pytest.approx((80, 100, 400, 200, 384, 250, 64, 150))
    assert isinstance(flat, OnPage)
    assert isinstance(flat.shape, Box)
    sample, report = read(TURNED, page_size="800x1000")
    box = sample.annotations[0].value
    assert box == OnPage(0, Box(64, 100, 400, 250))
    assert report.fields["doctr:outline"] == 1


@pytest.mark.parametrize(
    ("level", "found"),
    [
        ("word", ["Total", "🚀👩‍🚀", "e\u0301cole", "1 𝔸", "2\r\n3", "second"]),
        ("line", ["Total 🚀👩‍🚀", "e\u0301cole", "1 𝔸", "2\r\n3", "second"]),
        ("block", ["Total 🚀👩‍🚀\ne\u0301cole", "1 𝔸 2\r\n3", "second"]),
    ],
)
def test_the_level_says_what_becomes_an_annotation(level: str, found: list[str]) -> None:
    sample, _ = read(SCAN, level=level)
    assert texts(sample) == found


def test_regions_without_text_are_blocks_with_their_type_or_counted() -> None:
    sample, report = read(SCAN, level="block")
    assert [(a.category, a.confidence) for a in sample.annotations] == [
        *(("block", None), ("qr_code", 0.75), ("Text", 0.6), ("table", 0.7), ("block", None))
    ]
    assert report.fields == {
        "doctr:language": 1,
        "doctr:num_cols": 1,
        "doctr:num_rows": 1,
        "doctr:objectness_score": 2,
        "doctr:orientation": 1,
    }
    _, report = read(SCAN)
    assert report.fields["doctr:artefacts"] == report.fields["doctr:layout"] == 1


def test_the_words_of_a_table_are_its_cells() -> None:
    sample, _ = read(SCAN)
    assert [a.category for a in sample.annotations] == ["word"] * 4 + ["cell"] * 2 + ["word"]


def test_pages_count_from_0_and_stand_in_order(tmp_path: Path) -> None:
    sample, _ = read(SCAN, dpi=200.0)
    assert sample.media == Document((Page(612, 792), Page(792, 612)))
    assert sample.annotations[-1].value == OnPage(1, Box(396, 306, 594, 459))
    given = json.loads(SCAN.read_bytes())
    given["pages"].reverse()
    (tmp_path / "a.json").write_text(json.dumps(given), encoding="utf-8")
    again, _ = read(tmp_path / "a.json", dpi=200.0)
    assert [a.value for a in again.annotations] == [a.value for a in sample.annotations]


def test_words_of_forms_have_their_class_as_category() -> None:
    sample, report = read(FORMS, page_size="800x1000")
    assert texts(sample) == ["3 May", "7"]
    assert [a.category for a in sample.annotations] == ["date", "sum/total"]
    assert sample.annotations[1].value == OnPage(0, Box(240, 300, 320, 400))
    assert report.problems[0].where.pointer == "/pages/0/predictions/sum~1total/1"


def test_one_page_exported_alone_is_a_document_of_it(tmp_path: Path) -> None:
    page = json.loads(SCAN.read_bytes())["pages"][0]
    (tmp_path / "a.json").write_text(json.dumps(page), encoding="utf-8")
    sample, _ = read(tmp_path / "a.json")
    assert texts(sample)[0] == "Total"
    assert sniff(Source(tmp_path / "a.json"))[0].name == "doctr"


@pytest.mark.parametrize(
    "dimensions", [None, [], [100], [0, 5], ["a", "b"], {"height": 5}, [5, -1]]
)
def test_a_page_without_dimensions_needs_a_size_from_elsewhere(
    dimensions: Any, tmp_path: Path
) -> None:
    word = {"value": "x", "geometry": [[0.5, 0.5], [1, 1]]}
    path = write(tmp_path / "a.json", word, dimensions=dimensions)
    report = Report()
    assert list(lc.read(path, "doctr", report=report)) == []
    assert report.counts == {"R122": 1}
    sample, _ = read(path, page_size="100x200")
    assert sample.annotations[0].value == OnPage(0, Box(50, 100, 100, 200))


def test_pieces_without_a_place_are_rejected_alone(tmp_path: Path) -> None:
    path = FIXTURES / "faults" / "input" / "page.json"
    sample, report = read(path, page_size="100x200")
    assert texts(sample) == ["good", "sure"]
    assert [a.confidence for a in sample.annotations] == [0.99, None]
    words = "/blocks/0/lines/0/words/"
    assert [(p.code, p.where.pointer) for p in report.problems] == [
        ("R101", f"{words}1"),
        ("R101", f"{words}2"),
        ("M201", f"{words}3"),
        ("R101", f"{words}4"),
        ("R101", f"{words}5"),
        ("R101", "/blocks/0/lines/1"),
        ("R101", "/blocks/1"),
    ]
    assert report.ledger.annotations.read == 9
    assert report.ledger.annotations.rejected == 7
    assert report.fields["doctr:confidence"] == 1


@pytest.mark.parametrize(
    "text",
    [
        *(
            "[]",
            "7",
            "{}",
            '{"pages": [{"predictions": 7}]}',
            '{"pages": {}}',
            '{"pages": [7]}',
            '{"pages": [{"page_idx": -1}]}',
        ),
        '{"pages": [{"page_idx": "0"}]}',
        '{"pages": [{"page_idx": 0}, {"page_idx": 0}]}',
        '{"pages": [{"page_idx": 0, "dim',
    ],
)
def test_what_is_no_export_is_rejected_verbatim(text: str, tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(text, encoding="utf-8")
    report = Report()
    assert list(lc.read(tmp_path / "a.json", "doctr", report=report)) == []
    assert report.counts == {"R101": 1}
    assert report.take_rejected()[0].record == text.encode()


def test_an_export_is_told_by_its_content_and_a_folder_by_its_names(tmp_path: Path) -> None:
    for path in (SCAN, TURNED, FORMS):
        assert sniff(Source(path))[0].name == "doctr"
    (tmp_path / "a.doctr.json").write_bytes(SCAN.read_bytes())
    assert sniff(Source(tmp_path))[0].name == "doctr"
    assert [sample.key for sample in lc.read(tmp_path)] == ["a"]


def test_labelbox_gets_boxes_in_points_on_their_pages(tmp_path: Path) -> None:
    target = tmp_path / "mal.ndjson"
    options = {"dpi": 200.0}
    report = lc.convert(SCAN, target, from_="doctr", to="labelbox", reader_options=options)
    assert report.ledger.balanced
    assert report.losses == report.errors == 0
    lines = [json.loads(line) for line in target.read_bytes().splitlines()]
    assert [line["page"] for line in lines] == [0] * 6 + [1]
    edges = [[line["bbox"][name] for name in ("left", "top", "width", "height")] for line in lines]
    assert edges[1] == pytest.approx([153, 79.2, 30.6, 19.8])
    assert edges[6] == pytest.approx([396, 306, 198, 153])
    assert (lines[1]["confidence"], lines[1]["unit"]) == (0.5, "POINTS")
    assert lines[1]["classifications"] == [{"name": "text", "answer": "🚀👩‍🚀"}]
    assert lines[5]["classifications"] == [{"name": "text", "answer": "2\r\n3"}]


def test_numbers_that_no_float_can_be_are_rejected_alone(tmp_path: Path) -> None:
    wide = {"value": "wide", "geometry": [[0, 0], [10**400, 1]]}
    sure = {"value": "sure", "geometry": [[0, 0], [1, 1]], "confidence": 10**400}
    sample, report = read(write(tmp_path / "1.json", wide, sure))
    assert texts(sample) == ["sure"]
    assert sample.annotations[0].confidence is None
    assert report.fields["doctr:confidence"] == 1
    assert report.ledger.annotations.rejected == report.counts["R101"] == 1
