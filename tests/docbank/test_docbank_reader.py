"""DocBank: thousandths of pages, odd tokens, lines and structures, where sizes come from."""

from __future__ import annotations

import itertools
import json
import tempfile
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import labelconv as lc
from labelconv.io import Source
from labelconv.model import Box, Document, FreeText, Image, OnPage, Page, Sample
from labelconv.problems import Report
from labelconv.registry import sniff

FIXTURES = Path(__file__).parent.parent / "fixtures" / "docbank"
PAPER = FIXTURES / "blocks" / "input" / "paper_3.txt"


def row(token: str, *edges: Any, label: str = "paragraph") -> str:
    return "\t".join((token, *map(str, edges), "0", "0", "0", "ABCDEF+CMR10", label)) + "\n"


def read(path: Path, **options: Any) -> tuple[Sample, Report]:
    report = Report()
    options = {"page_size": "1000x1000", **options}
    (sample,) = lc.read(path, "docbank", options=options, report=report)
    return sample, report


def write(path: Path, *rows: str) -> Path:
    path.write_bytes("".join(rows).encode())
    return path


def boxes(sample: Sample) -> list[list[float]]:
    """Edges, to a millionth."""
    found = []
    for annotation in sample.annotations:
        assert isinstance(annotation.value, OnPage)
        shape = annotation.value.shape
        assert isinstance(shape, Box)
        found.append([round(n, 6) for n in (shape.x0, shape.y0, shape.x1, shape.y1)])
    return found


def texts(sample: Sample) -> list[str]:
    answers = ([each.answer for each in a.classifications] for a in sample.annotations)
    return [one.text for each in answers for one in each if isinstance(one, FreeText)]


def test_case_50_thousandths_are_of_the_pages_width_and_height(tmp_path: Path) -> None:
    path = write(tmp_path / "a_0.txt", row("x", 100, 200, 350, 1000))
    sample, _ = read(path, page_size="612x792")
    x, y = 0.612, 0.792
    assert boxes(sample) == [[round(n, 6) for n in (100 * x, 200 * y, 350 * x, 1000 * y)]]
    assert sample.media == Document((Page(612, 792),))


@pytest.mark.parametrize("ending", ["_ori.jpg", ".jpg", ".png"])
def test_the_pages_size_is_that_of_its_picture(ending: str, tmp_path: Path) -> None:
    from PIL import Image as Pictures

    path = write(tmp_path / "a_0.txt", row("x", 100, 200, 350, 400))
    Pictures.new("RGB", (1700, 2200)).save(tmp_path / f"a_0{ending}")
    report = Report()
    (sample,) = lc.read(path, "docbank", options={"dpi": 200.0}, report=report)
    assert boxes(sample) == [[61.2, 158.4, 214.2, 316.8]]
    assert (sample.media, sample.uri) == (Document((Page(612, 792),)), f"a_0{ending}")
    assert report.counts == {}
    (sample,) = lc.read(path, "docbank", report=report)
    assert boxes(sample) == [[170, 440, 595, 880]]
    assert report.counts == {"R113": 1}


def test_a_table_of_sizes_will_do(tmp_path: Path) -> None:
    path = write(tmp_path / "a_0.txt", row("x", 100, 200, 350, 400))
    (tmp_path / "sizes.csv").write_text("a_0_ori.jpg,1700,2200\n", encoding="utf-8")
    options = {"dpi": 200.0, "sizes": str(tmp_path / "sizes.csv")}
    target = tmp_path / "out.native.ndjson"
    lc.convert(path, target, from_="docbank", to="native", reader_options=options)
    (sample,) = lc.read(target)
    assert boxes(sample) == [[61.2, 158.4, 214.2, 316.8]]


def test_a_page_of_unknown_size_is_rejected_alone(tmp_path: Path) -> None:
    from PIL import Image as Pictures

    for name in ("a_0", "a_1"):
        write(tmp_path / f"{name}.txt", row("x", 100, 200, 350, 400))
    Pictures.new("RGB", (100, 100)).save(tmp_path / "a_1_ori.jpg")
    report = Report()
    samples = list(lc.read(tmp_path, "docbank", report=report))
    assert [sample.key for sample in samples] == ["a_1"]
    assert report.counts == {"R113": 1, "R122": 1}
    assert report.take_rejected()[0].record == (tmp_path / "a_0.txt").read_bytes()


def test_tokens_are_cut_at_tabs_and_lines_at_line_feeds_only(tmp_path: Path) -> None:
    odd = ["two words", "caf\u00e9\u00a0bar", "line\u2028break", "a\x0bb\x85c", "e\u0301", "👩‍🚀"]
    odd += ["𝔸", "a\ttab", " ", '"', "\ufeff"]
    rows = [row(token, 10, 10 + 50 * n, 20, 40 + 50 * n) for n, token in enumerate(odd)]
    sample, report = read(write(tmp_path / "a_0.txt", *rows))
    assert texts(sample) == odd
    assert report.errors == 0
    crlf = [each.replace("\n", "\r\n") for each in rows]
    sample, _ = read(write(tmp_path / "b_0.txt", "\ufeff", *crlf, "\r\n"))
    assert texts(sample) == odd
    assert {a.category for a in sample.annotations} == {"paragraph"}


def test_fonts_and_colours_are_extra_fields_or_counted(tmp_path: Path) -> None:
    path = write(tmp_path / "a_0.txt", row("x", 1, 2, 3, 4), row("y", 100, 2, 103, 4))
    sample, report = read(path)
    assert sample.annotations[0].extra == {
        "docbank:colour": [0, 0, 0],
        "docbank:font": "ABCDEF+CMR10",
        "labelbox-text-layer:group": "line 1",
    }
    assert report.fields == {}
    counted = {"docbank:colour": 2, "docbank:font": 2}
    sample, report = read(path, level="line")
    assert report.fields == counted
    assert sample.annotations[0].extra == {}
    options = {"page_size": "612x792"}
    target = tmp_path / "mal.ndjson"
    report = lc.convert(path, target, from_="docbank", to="labelbox", reader_options=options)
    assert {name: report.fields[name] for name in counted} == counted


def test_figures_have_no_text_and_rules_are_counted() -> None:
    sample, report = read(PAPER)
    (figure,) = (a for a in sample.annotations if a.category == "figure")
    assert figure.classifications == ()
    assert figure.value == OnPage(0, Box(540, 300, 900, 600))
    assert "##LTLine##" not in texts(sample)
    assert report.fields == {"docbank:##LTLine##": 3}
    assert report.ledger.annotations.read == 13  # 16 lines, of which 3 are rules


def test_lines_end_at_gaps_so_columns_stay_apart() -> None:
    sample, _ = read(PAPER, level="line")
    assert texts(sample)[:5] == [
        "Stars and",
        "e\u0301cole 👩‍🚀 𝔸\u2028b",
        "right",
        "below caf\u00e9\u00a0bar",
        "column",
    ]
    assert boxes(sample)[1] == [100, 150, 240, 165]


def test_structures_are_tokens_of_one_label_near_each_other() -> None:
    sample, report = read(PAPER, level="block")
    assert [a.category for a in sample.annotations] == [
        *("title", "paragraph", "paragraph", "figure", "table", "paragraph")
    ]
    assert texts(sample)[1:3] == [
        "e\u0301cole 👩‍🚀 𝔸\u2028b\nbelow caf\u00e9\u00a0bar",
        "right\ncolumn",
    ]
    # The table is as wide as its rules, and a rule beside nothing is none of the structures.
    assert boxes(sample)[4] == [540, 620, 900, 645]
    assert report.fields["docbank:##LTLine##"] == 1


@pytest.mark.parametrize(
    ("gap", "joined"), [((15, 0), 1), ((16, 0), 2), ((0, 16), 1), ((0, 17), 2)]
)
def test_structures_end_where_the_data_sets_own_loader_ends_them(
    gap: tuple[int, int], joined: int, tmp_path: Path
) -> None:
    right, down = gap
    other = (150 + right, 100, 200 + right, 110) if right else (100, 110 + down, 150, 120 + down)
    path = write(tmp_path / "a_0.txt", row("a", 100, 100, 150, 110), row("b", *other))
    sample, _ = read(path, level="block")
    assert len(sample.annotations) == joined


@pytest.mark.parametrize("level", ["word", "line", "block"])
def test_rows_that_are_none_are_rejected_alone(level: str) -> None:
    sample, report = read(FIXTURES / "faults" / "input" / "p_0.txt", level=level)
    assert "good" in " ".join(texts(sample))
    assert sorted((p.code, p.where.line or 0) for p in report.problems if p.code != "M202") == [
        *(("M201", 4), ("R101", 2), ("R101", 5), ("R102", 3), ("R102", 8))
    ]
    assert report.ledger.annotations.rejected == 5
    rejected = report.take_rejected()
    assert b"seven\t1\t2\t3\t4\t0\tx" in [each.record for each in rejected]


def test_pages_without_labels_are_read_as_the_data_sets_script_writes_them() -> None:
    sample, report = read(FIXTURES / "without-labels" / "input" / "own_0.txt")
    assert [(a.category, a.extra["docbank:font"]) for a in sample.annotations] == [
        *(("word", "Helvetica"), ("word", "Helvetica"))
    ]
    assert texts(sample) == ["Hello", "world"]
    assert report.errors == 0
    sample, report = read(FIXTURES / "without-labels" / "input" / "own_0.txt", level="line")
    assert (texts(sample), report.fields) == (["Hello world"], {"docbank:font": 2})


@pytest.mark.parametrize("data", [b"not a table\n", b"a\tb\n\nc\n", b"a\xff\t1\t2\t3\t4\tf\n"])
def test_what_has_no_row_of_docbank_is_rejected_whole(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(data)
    report = Report()
    options = {"page_size": "612x792"}
    assert list(lc.read(tmp_path / "a.txt", "docbank", options=options, report=report)) == []
    assert report.counts == {"R101": 1}
    assert report.take_rejected()[0].record == data


def test_an_empty_page_has_no_annotations(tmp_path: Path) -> None:
    sample, report = read(write(tmp_path / "a_0.txt"))
    assert sample.annotations == ()
    assert report.counts == {}


def test_a_page_is_told_by_its_content_and_a_folder_by_its_pictures(tmp_path: Path) -> None:
    assert sniff(Source(PAPER))[0].name == "docbank"
    write(tmp_path / "a_0.txt", row("x", 100, 200, 350, 400))
    (tmp_path / "a_0_ori.jpg").touch()
    assert sniff(Source(tmp_path))[0].name == "docbank"


def test_structures_of_a_full_page_are_found_in_a_moment(tmp_path: Path) -> None:
    rows = [
        row("x", x, y, x + 8, y + 4, label="table" if y % 3 else "list")
        for y in range(0, 1000, 5)
        for x in range(0, 1000, 40)
    ]
    path = write(tmp_path / "a_0.txt", *rows)
    start = time.perf_counter()
    sample, _ = read(path, level="block")
    assert time.perf_counter() - start < 3
    assert len(sample.annotations) == 2 * 25  # a column of each label, at each of 25 places


def test_pages_are_pictures_where_the_pictures_are_uploaded(tmp_path: Path) -> None:
    path = FIXTURES / "tokens" / "input" / "paper_3.txt"
    report = Report()
    (sample,) = lc.read(path, "docbank", options={"media": "image"}, report=report)
    assert (sample.media, sample.uri) == (Image(1700, 2200), "paper_3.png")
    box = sample.annotations[0].value
    assert isinstance(box, Box)
    assert [box.x0, box.y0, box.x1, box.y1] == pytest.approx([170, 220, 306, 264])
    assert report.counts == {}
    shares = write(tmp_path / "a_0.txt", row("x", 100, 200, 350, 400))
    assert list(lc.read(shares, "docbank", options={"media": "image"}, report=report)) == []
    assert report.counts == {"R122": 1}


def _structures(boxes: list[tuple[int, int, int, int]]) -> list[list[float]]:
    """The boxes around those that are near each other, by trying all pairs again and again."""
    found = [[each] for each in boxes]
    met = True
    while met:
        met = False
        for one, other in itertools.combinations(found, 2):
            if any(_near(a, b) for a in one for b in other):
                one += other
                found.remove(other)
                met = True
                break
    hulls = [list(zip(*each, strict=True)) for each in found]
    return sorted(
        [float(n) for n in (min(x0), min(y0), max(x1), max(y1))] for x0, y0, x1, y1 in hulls
    )


def _near(one: tuple[int, int, int, int], other: tuple[int, int, int, int]) -> bool:
    across = other[0] - one[2] <= 15 and one[0] - other[2] <= 15
    return across and other[1] - one[3] <= 16 and one[1] - other[3] <= 16


@given(
    st.lists(
        st.tuples(*[st.integers(0, 900)] * 2, st.integers(0, 90), st.integers(0, 90)),
        min_size=1,
        max_size=20,
        unique_by=lambda each: each[0],
    )
)
def test_structures_are_those_that_trying_all_pairs_finds(
    places: list[tuple[int, int, int, int]],
) -> None:
    # From right to left, so that no token goes on with a line.
    boxes_ = sorted(((x, y, x + w, y + h) for x, y, w, h in places), reverse=True)
    with tempfile.TemporaryDirectory() as room:
        path = write(Path(room) / "a_0.txt", *(row("x", *edges) for edges in boxes_))
        sample, _ = read(path, level="block")
    assert sorted(boxes(sample)) == _structures(boxes_)


def test_tall_boxes_side_by_side_take_no_more_time_than_others(tmp_path: Path) -> None:
    rows = [row("x", n % 30 * 33, n / 1000, n % 30 * 33 + 1, 990) for n in range(10_000)]
    start = time.perf_counter()
    sample, _ = read(write(tmp_path / "a_0.txt", *rows), level="block")
    assert time.perf_counter() - start < 3
    assert len(sample.annotations) == 30


def test_pages_of_one_paper_are_those_of_its_pdf(tmp_path: Path) -> None:
    from pypdf import PdfWriter

    (tmp_path / "txt").mkdir()
    (tmp_path / "media").mkdir()
    for number in (0, 2):
        write(tmp_path / "txt" / f"own_{number}.txt", row(f"p{number}", 100, 200, 350, 400))
    writer = PdfWriter()
    for width in (100, 200, 400):
        writer.add_blank_page(width, 1000)
    writer.write(tmp_path / "media" / "own.pdf")
    target = tmp_path / "mal.ndjson"
    report = lc.convert(
        tmp_path / "txt",
        target,
        from_="docbank",
        to="labelbox",
        media=tmp_path / "media",
        reader_options={"join": "number"},
    )
    assert report.errors == report.losses == 0
    first, second = (json.loads(line) for line in target.read_bytes().splitlines())
    assert [(line["dataRow"]["globalKey"], line["page"]) for line in (first, second)] == [
        *(("own", 0), ("own", 2))
    ]
    assert (first["bbox"]["left"], second["bbox"]["left"]) == (10, 40)


def test_labelbox_gets_structures_in_points(tmp_path: Path) -> None:
    target = tmp_path / "mal.ndjson"
    options = {"page_size": "612x792", "level": "block"}
    report = lc.convert(PAPER, target, from_="docbank", to="labelbox", reader_options=options)
    assert report.ledger.balanced
    assert report.losses == report.errors == 0
    lines = [json.loads(line) for line in target.read_bytes().splitlines()]
    assert [line["name"] for line in lines] == [
        *("title", "paragraph", "paragraph", "figure", "table", "paragraph")
    ]
    bbox = lines[3]["bbox"]
    edges = [bbox[name] for name in ("left", "top", "width", "height")]
    assert edges == pytest.approx([540 * 0.612, 300 * 0.792, 360 * 0.612, 300 * 0.792])
    assert {(line["page"], line["unit"]) for line in lines} == {(0, "POINTS")}
    text = "e\u0301cole 👩‍🚀 𝔸\u2028b\nbelow caf\u00e9\u00a0bar"
    assert lines[1]["classifications"] == [{"name": "text", "answer": text}]
