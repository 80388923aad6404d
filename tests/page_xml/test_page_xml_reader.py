"""PAGE XML: both spellings of outlines, the levels, texts, what Transkribus adds and leaves out."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

import labelconv as lc
from labelconv.errors import OptionError
from labelconv.io import Source
from labelconv.model import Box, Document, FreeText, Image, OnPage, Page, Polygon, Sample
from labelconv.problems import Report
from labelconv.registry import sniff

FIXTURES = Path(__file__).parent.parent / "fixtures" / "page-xml"
LEAF = FIXTURES / "v2019-words" / "input" / "leaf.xml"
OLD = FIXTURES / "v2010-points" / "input" / "old.xml"
TRANSKRIBUS = FIXTURES / "transkribus" / "input" / "0001.xml"
SQUARE = '<Coords points="10,10 60,10 60,40 10,40"/>'


def read(path: Path, **options: Any) -> tuple[Sample, Report]:
    report = Report()
    (sample,) = lc.read(path, "page-xml", options=options, report=report)
    return sample, report


def write(path: Path, inside: str, said: str = 'imageWidth="1000" imageHeight="2000"') -> Path:
    path.write_text(f"<PcGts><Page {said}>{inside}</Page></PcGts>", encoding="utf-8")
    return path


def line(inside: str, said: str = "") -> str:
    return f"<TextRegion>{SQUARE}<TextLine {said}>{inside}</TextLine></TextRegion>"


def texts(sample: Sample) -> list[str]:
    answers = (each.answer for a in sample.annotations for each in a.classifications)
    return [answer.text for answer in answers if isinstance(answer, FreeText)]


@pytest.mark.parametrize("version", ["", "2010-03-19", "2013-07-15", "2019-07-15"])
@pytest.mark.parametrize(
    "coords",
    [
        '<Coords points="10,20 60.5,20 60.5,40 10,40"/>',
        '<Coords points=" 10,20\n60.5,20  60.5,40 10,40 "/>',
        """<Coords><Point x="10" y="20"/><Point x="60.5" y="20"/><Point x="60.5" y="40"/>
        <Point x="10" y="40"/></Coords>""",
    ],
)
def test_outlines_are_points_in_all_versions(version: str, coords: str, tmp_path: Path) -> None:
    place = "http://schema.primaresearch.org/PAGE/gts/pagecontent/"
    said = f' xmlns="{place}{version}"' if version else ""
    text = f'<PcGts{said}><Page imageWidth="1000" imageHeight="2000">{line(coords)}</Page></PcGts>'
    (tmp_path / "a.xml").write_text(text, encoding="utf-8")
    sample, _ = read(tmp_path / "a.xml", dpi=144.0)
    assert sample.annotations[0].value == OnPage(0, Box(5, 10, 30.25, 20))
    assert sample.media == Document((Page(500, 1000),))
    sample, _ = read(tmp_path / "a.xml", page_size="2000x2000", shape="polygon")
    assert sample.annotations[0].value == OnPage(0, Box(20, 20, 121, 40))


@pytest.mark.parametrize(
    ("level", "ids"),
    [
        ("block", ["r0", "r1", "r2", "r3"]),
        ("line", ["l1", "l6", "l7"]),
        ("word", ["w2", "w5"]),
        ("glyph", ["c3", "c4"]),
    ],
)
def test_the_level_says_what_becomes_an_annotation(level: str, ids: list[str]) -> None:
    sample, report = read(LEAF, level=level)
    assert [a.id for a in sample.annotations] == ids
    assert report.ledger.annotations.read == len(ids)


def test_lines_are_the_default_since_many_files_have_no_words() -> None:
    assert [a.category for a in read(LEAF)[0].annotations] == ["line"] * 3


def test_texts_that_the_level_leaves_out_are_counted() -> None:
    _, report = read(LEAF, level="word")
    assert report.fields["page-xml:text of TextLine without Word"] == 2
    _, report = read(LEAF, level="glyph")
    assert report.fields["page-xml:text of Word without Glyph"] == 1
    _, report = read(TRANSKRIBUS)
    assert report.fields["page-xml:text of TextRegion without TextLine"] == 1


def test_regions_have_their_type_or_name_and_those_inside_others_are_kept() -> None:
    sample, report = read(LEAF, level="block")
    assert [a.category for a in sample.annotations] == [
        *("heading", "TableRegion", "block", "ImageRegion")
    ]
    assert "page-xml:type" not in report.fields
    _, report = read(LEAF, level="line")
    assert report.fields["page-xml:ImageRegion"] == report.fields["page-xml:TableRegion"] == 1


def test_skewed_outlines_are_polygons_or_boxes_around_them() -> None:
    sample, report = read(LEAF, level="word", shape="polygon")
    ring = (76.8, 25.2, 144.0, 26.4, 141.6, 48.0, 76.8, 46.8)
    assert sample.annotations[1].value == OnPage(0, Polygon(((ring,),)))
    assert "page-xml:outline" not in report.fields
    sample, report = read(LEAF, level="word")
    assert sample.annotations[1].value == OnPage(0, Box(76.8, 25.2, 144, 48))
    assert report.fields["page-xml:outline"] == 1


def test_the_text_of_the_lowest_index_is_the_text_with_its_confidence() -> None:
    sample, report = read(LEAF, level="word")
    assert texts(sample) == ["ſe\u0301", "👩‍🚀𝔸"]
    assert [a.confidence for a in sample.annotations] == [0.9, None]
    assert report.fields["page-xml:TextEquiv beside the first"] == 1


def test_texts_stay_as_they_are_spelled() -> None:
    sample, _ = read(LEAF, level="block")
    assert texts(sample) == ["ſe\u0301 👩‍🚀𝔸\r\nno words here", "cell"]


def test_what_has_no_text_of_its_own_has_that_of_its_parts(tmp_path: Path) -> None:
    parts = (
        f"<TextRegion>{SQUARE}<TextLine>{SQUARE}<Word>{SQUARE}<TextEquiv><Unicode>a</Unicode>"
        f"</TextEquiv></Word><Word>{SQUARE}<Glyph>{SQUARE}<TextEquiv><Unicode>b</Unicode>"
        f"</TextEquiv></Glyph><Glyph>{SQUARE}<TextEquiv><PlainText>c</PlainText><Unicode/>"
        f"</TextEquiv></Glyph></Word></TextLine><TextLine>{SQUARE}<TextEquiv><Unicode>d</Unicode>"
        f"</TextEquiv></TextLine><TextEquiv><Unicode/></TextEquiv></TextRegion>"
    )
    path = write(tmp_path / "a.xml", parts)
    assert texts(read(path, level="block")[0]) == ["a bc\nd"]
    assert texts(read(path, level="line")[0]) == ["a bc", "d"]
    assert texts(read(path, level="word")[0]) == ["a", "bc"]


@pytest.mark.parametrize(
    ("coords", "code"),
    [
        ("", "R101"),
        ("<Coords/>", "R101"),
        ('<Coords points=""/>', "R101"),
        ('<Coords points="206,1554"/>', "R101"),
        ('<Coords points="1,2 3,4"/>', "R101"),
        ('<Coords points="1,2 3,4 5"/>', "R101"),
        ('<Coords points="1,2 3,4 5,6,7"/>', "R101"),
        ('<Coords points="1,2 3,4 5,x"/>', "R101"),
        ('<Coords><Point x="1" y="2"/><Point x="3" y="4"/><Point x="5"/></Coords>', "R101"),
        ('<Coords points="1,2 3,4 5,NaN"/>', "R102"),
        ('<Coords points="1,2 3,4 5,1e999"/>', "R102"),
    ],
)
def test_a_line_without_an_outline_is_rejected_alone(
    coords: str, code: str, tmp_path: Path
) -> None:
    inside = line(coords, 'id="bad"') + line(SQUARE, 'id="good"')
    sample, report = read(write(tmp_path / "a.xml", inside), dpi=72.0)
    assert [a.id for a in sample.annotations] == ["good"]
    (problem,) = report.problems
    assert (problem.code, problem.where.pointer) == (code, "/Page[1]//TextLine[@id='bad']")
    (record,) = report.take_rejected()
    assert b'<TextLine id="bad"' in record.record
    assert (report.ledger.annotations.read, report.ledger.annotations.rejected) == (2, 1)


def test_the_tags_of_transkribus_are_kept_and_its_structure_is_the_category() -> None:
    sample, report = read(TRANSKRIBUS)
    assert [(a.id, a.category) for a in sample.annotations] == [
        *(("l1", "heading"), ("l7", "line"), ("l8", "line"))
    ]
    assert sample.annotations[0].extra["page-xml:custom"] == (
        "readingOrder {index:0;} structure {type:heading;} "
        "abbrev {offset:0; length:3;expansion:Doctor;}"
    )
    assert texts(sample) == ["D\u0304r. Ada", "skew", "in a cell"]
    assert report.fields["page-xml:conf"] == 1
    sample, _ = read(TRANSKRIBUS, level="block")
    assert [a.category for a in sample.annotations] == [
        *("marginalia", "block", "TableRegion", "TableCell")
    ]


def test_the_reading_order_and_what_else_has_no_place_are_counted(tmp_path: Path) -> None:
    _, report = read(LEAF)
    assert report.fields["page-xml:ReadingOrder"] == 2
    assert report.fields["page-xml:Baseline"] == 1
    assert report.fields["page-xml:production"] == 1
    relations = (
        '<Relations><Relation type="link"><SourceRegionRef regionRef="a"/>'
        '<TargetRegionRef regionRef="b"/></Relation></Relations>'
    )
    report = lc.convert(
        write(tmp_path / "a.xml", relations + line(SQUARE, 'custom="x {a:b;}"')),
        tmp_path / "mal.ndjson",
        from_="page-xml",
        to="labelbox",
    )
    assert report.fields["page-xml:Relations"] == 2
    assert report.fields["page-xml:custom"] == 1


@pytest.mark.parametrize(
    ("said", "width"),
    [
        ('imageXResolution="300"', 240),
        ('imageXResolution="300" imageYResolution="300" imageResolutionUnit="PPI"', 240),
        ('imageXResolution="100" imageYResolution="100" imageResolutionUnit="PPCM"', 72 / 0.254),
        ('imageXResolution="300" imageYResolution="200"', None),
        ('imageXResolution="300" imageResolutionUnit="other"', None),
        ('imageXResolution="0"', None),
    ],
)
def test_the_resolution_of_the_file_gives_the_pages_size(
    said: str, width: float | None, tmp_path: Path
) -> None:
    path = write(tmp_path / "a.xml", line(SQUARE), f'imageWidth="1000" imageHeight="2000" {said}')
    sample, report = read(path)
    assert isinstance(sample.media, Document)
    assert sample.media.pages[0].width == pytest.approx(1000 if width is None else width)
    assert ("R113" in report.counts) == (width is None)


@pytest.mark.parametrize("said", ["", 'imageWidth="0" imageHeight="-5"', 'imageWidth="wide"'])
def test_a_page_without_a_size_is_known_by_its_pixels_only(said: str, tmp_path: Path) -> None:
    path = write(tmp_path / "a.xml", line(SQUARE), said)
    sample, report = read(path)
    assert sample.media == Document()
    assert sample.annotations[0].value == OnPage(0, Box(10, 10, 60, 40))
    assert report.counts == {"R113": 1}


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("<alto/>", None),
        ("<PcGts><Metadata/></PcGts>", None),
        ("<PcGts><Page>", 1),
        ("<PcGts><Page>&nbsp;</Page></PcGts>", 1),
        ("", 1),
    ],
)
def test_what_is_no_page_is_rejected_with_its_place(text: str, place: Any, tmp_path: Path) -> None:
    (tmp_path / "a.xml").write_text(text, encoding="utf-8")
    report = Report()
    assert list(lc.read(tmp_path / "a.xml", "page-xml", report=report)) == []
    (problem,) = report.problems
    assert (problem.code, problem.where.line) == ("R101", place)
    assert report.take_rejected()[0].record == text.encode()


def test_tags_without_end_take_no_more_time_than_others(tmp_path: Path) -> None:
    custom = "structure {type " * 60_000
    path = write(tmp_path / "a.xml", line(SQUARE, f'custom="{custom}"'))
    start = time.perf_counter()
    sample, _ = read(path)
    assert time.perf_counter() - start < 2
    assert sample.annotations[0].category == "line"


def test_a_page_is_told_by_its_content(tmp_path: Path) -> None:
    for path in (LEAF, OLD, TRANSKRIBUS):
        assert sniff(Source(path))[0].name == "page-xml"
    write(tmp_path / "a.page.xml", line(SQUARE))
    assert sniff(Source(tmp_path))[0].name == "page-xml"


def test_pages_are_pictures_where_the_pictures_are_uploaded() -> None:
    sample, report = read(LEAF, level="word", media="image", shape="polygon")
    assert sample.media == Image(1457, 2084)
    ring = (320.0, 105.0, 600.0, 110.0, 590.0, 200.0, 320.0, 195.0)
    values = [annotation.value for annotation in sample.annotations]
    assert values == [Box(100, 100, 300, 200), Polygon(((ring,),))]
    assert report.counts == {}


def test_files_of_one_document_are_its_pages(tmp_path: Path) -> None:
    for number in (1, 3):
        inside = line(SQUARE, f'id="l{number}"')
        write(tmp_path / f"book_{number:04}.xml", inside, 'imageWidth="720" imageHeight="1440"')
    sample, _ = read(tmp_path, join="number", dpi=144.0)
    assert sample.key == "book"
    assert [a.value for a in sample.annotations] == [
        OnPage(page, Box(5, 5, 30, 20)) for page in (0, 2)
    ]
    with pytest.raises(OptionError):
        read(tmp_path, join="number", media="image")


def test_two_pages_are_no_picture(tmp_path: Path) -> None:
    text = f"<PcGts><Page>{line(SQUARE)}</Page><Page>{line(SQUARE)}</Page></PcGts>"
    (tmp_path / "a.xml").write_text(text, encoding="utf-8")
    report = Report()
    options = {"media": "image"}
    assert list(lc.read(tmp_path / "a.xml", "page-xml", options=options, report=report)) == []
    assert report.counts == {"R101": 1}
    assert len(read(tmp_path / "a.xml")[0].annotations) == 2


def test_labelbox_gets_boxes_in_points(tmp_path: Path) -> None:
    target = tmp_path / "mal.ndjson"
    options = {"level": "word"}
    report = lc.convert(LEAF, target, from_="page-xml", to="labelbox", reader_options=options)
    assert report.ledger.balanced
    assert report.losses == report.errors == 0
    first, second = (json.loads(line) for line in target.read_bytes().splitlines())
    edges = [second["bbox"][name] for name in ("left", "top", "width", "height")]
    # 320, 105 to 600, 200 at 300 pixels to an inch
    assert edges == pytest.approx([76.8, 25.2, 67.2, 22.8])
    assert (second["page"], second["unit"], second["name"]) == (0, "POINTS", "word")
    assert (first["confidence"], "confidence" in second) == (0.9, False)
    assert second["classifications"] == [{"name": "text", "answer": "👩‍🚀𝔸"}]


def test_an_index_of_thousands_of_digits_is_the_last(tmp_path: Path) -> None:
    first, second = (
        f'<TextEquiv index="{index}"><Unicode>{text}</Unicode></TextEquiv>'
        for index, text in (("9" * 5_000, "last"), ("7", "first"))
    )
    sample, _ = read(write(tmp_path / "a.xml", line(SQUARE + first + second)))
    (asked,) = sample.annotations[0].classifications
    assert asked.answer == FreeText("first")
