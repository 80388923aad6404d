"""Text layers: made from every reader of recognised text, and their tokens found again."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import labelconv as lc
from labelconv import textlayers
from labelconv.model import (
    Annotation,
    Box,
    Checklist,
    Classification,
    Document,
    FreeText,
    OnPage,
    Page,
    Polygon,
    Radio,
    Sample,
    Samples,
    TokenGroup,
    TokenSpan,
)

FIXTURES = Path(__file__).parent.parent / "fixtures"
#: Sources with words, the options that their sizes need, and their first token.
SOURCES = [
    ("alto/v2-tenths-of-millimetres/input/page.xml", {}, "Łódź", 3),
    ("hocr/tesseract-xhtml/input/scan.hocr", {}, "Fish & Sons'", 4),
    ("textract/one-page/input/answer.json", {"page_size": "612x792"}, "Total", 2),
    ("azure-di/v4-inches/input/bill.json", {}, "🚀", 3),
    ("docai/zeros-left-out/input/memo.json", {"dpi": 200.0}, "😂", 3),
    ("docling/both-origins/input/paper.json", {}, "On 👩‍🚀", 4),
    ("tesseract/table/input/scan.tsv", {"dpi": 300.0}, '"Fish', 4),
    ("labelbox-text-layer/points/input/doc.json", {}, "Ann", 2),
    ("funsd/words/input/0001.json", {"level": "word"}, "DATE:", 12),
    ("docbank/lines/input/paper_3.txt", {"page_size": "612x792"}, "Stars", 13),
    ("page-xml/v2019-words/input/leaf.xml", {"level": "word"}, "ſe\u0301", 2),
    ("doctr/words/input/scan.json", {}, "Total", 7),
]


def word(id: str, text: str, box: Box, page: int = 0, group: str | None = None) -> Annotation:
    extra: dict[str, Any] = {} if group is None else {textlayers.GROUP: group}
    asked = (Classification("text", FreeText(text)),)
    return Annotation(id, "word", OnPage(page, box), asked, None, extra)


SAMPLE = Sample(
    "doc",
    Document((Page(612, 792), Page(612, 792))),
    (
        word("a", "Ada", Box(72, 72, 92, 84)),
        word("b", "e\u0301cole", Box(100, 73, 140, 85)),
        word("c", "👩‍🚀", Box(72, 90, 92, 102)),
        word("d", "Łódź", Box(72, 72, 92, 84), page=1, group="x"),
        word("e", "end", Box(300, 500, 320, 512), page=1, group="x"),
    ),
)


@pytest.mark.parametrize(("source", "options", "first", "count"), SOURCES)
def test_a_layer_is_made_from_every_reader_of_recognised_text(
    source: str, options: dict[str, Any], first: str, count: int, tmp_path: Path
) -> None:
    target = tmp_path / "layers"
    format = source.partition("/")[0]
    report = lc.convert(
        FIXTURES / source,
        target,
        from_=format,
        to="labelbox-text-layer",
        reader_options=options,
    )
    assert report.losses == 0
    assert report.ledger.balanced
    (path,) = target.iterdir()
    pages = json.loads(path.read_bytes())
    groups = [group for page in pages for group in page["groups"]]
    tokens = [token for group in groups for token in group["tokens"]]
    assert [page["number"] for page in pages] == list(range(1, len(pages) + 1))
    assert {page["units"] for page in pages} == {"POINTS"}
    assert len({group["id"] for group in groups}) == len(groups)
    assert len({token["id"] for token in tokens}) == len(tokens) == count
    assert tokens[0]["content"] == first
    for group in groups:
        assert group["content"] == " ".join(token["content"] for token in group["tokens"])
        assert set(group) == {"id", "content", "geometry", "tokens"}
        for token in group["tokens"]:
            assert set(token) == {"id", "content", "geometry"}
            inner, outer = token["geometry"], group["geometry"]
            assert inner["left"] >= outer["left"]
            assert inner["left"] + inner["width"] <= outer["left"] + outer["width"] + 1e-9


def test_a_layer_is_written_exactly_so(tmp_path: Path) -> None:
    lc.write(Samples([SAMPLE]), tmp_path / "out", "labelbox-text-layer")
    found = json.loads((tmp_path / "out" / "doc.json").read_bytes())
    assert [page["number"] for page in found] == [1, 2]
    assert found[0] == {
        "number": 1,
        "units": "POINTS",
        "width": 612,
        "height": 792,
        "groups": [
            {
                "id": "1.1",
                "content": "Ada e\u0301cole",
                "geometry": {"left": 72, "top": 72, "width": 68, "height": 13},
                "tokens": [
                    {
                        "id": "a",
                        "content": "Ada",
                        "geometry": {"left": 72, "top": 72, "width": 20, "height": 12},
                    },
                    {
                        "id": "b",
                        "content": "e\u0301cole",
                        "geometry": {"left": 100, "top": 73, "width": 40, "height": 12},
                    },
                ],
            },
            {
                "id": "1.2",
                "content": "👩‍🚀",
                "geometry": {"left": 72, "top": 90, "width": 20, "height": 12},
                "tokens": [
                    {
                        "id": "c",
                        "content": "👩‍🚀",
                        "geometry": {"left": 72, "top": 90, "width": 20, "height": 12},
                    }
                ],
            },
        ],
    }
    assert [group["id"] for group in found[1]["groups"]] == ["x"]


def test_percent_are_shares_of_the_page_and_come_back_as_points(tmp_path: Path) -> None:
    options = {"unit": "percent"}
    lc.write(Samples([SAMPLE]), tmp_path / "out", "labelbox-text-layer", options=options)
    path = tmp_path / "out" / "doc.json"
    page = json.loads(path.read_bytes())[0]
    assert page["units"] == "PERCENT"
    assert page["groups"][0]["tokens"][0]["geometry"]["left"] == pytest.approx(72 / 612)
    (back,) = lc.read(path, "labelbox-text-layer")
    assert [annotation.id for annotation in back.annotations] == ["a", "b", "c", "d", "e"]
    shape = back.annotations[1].value
    assert isinstance(shape, OnPage)
    assert isinstance(shape.shape, Box)
    assert [shape.shape.x0, shape.shape.y0, shape.shape.x1] == pytest.approx([100, 73, 140])


def test_other_names_answers_and_certainties_are_told(tmp_path: Path) -> None:
    asked = (
        Classification("kind", Radio("name")),
        Classification("reads", FreeText("Ada", (), 0.5)),
        Classification("again", FreeText("Ada")),
        Classification("ticks", Checklist((Radio("a"),))),
    )
    box = Polygon((((0.0, 0.0, 5.0, 0.0, 5.0, 4.0),),))
    sample = Sample(
        "doc",
        Document((Page(10, 10),)),
        (
            Annotation("z", "person", OnPage(0, box), asked, 0.25),
            Annotation("t", "token", TokenSpan((TokenGroup(0, "g", ("a",)),))),
        ),
    )
    report = lc.write(Samples([sample]), tmp_path / "out", "labelbox-text-layer", allow=["loss"])
    found = json.loads((tmp_path / "out" / "doc.json").read_bytes())
    token = found[0]["groups"][0]["tokens"][0]
    assert token == {
        "id": "z",
        "content": "Ada",
        "geometry": {"left": 0, "top": 0, "width": 5, "height": 4},
    }
    assert report.counts["L406"] == 3
    assert report.counts["L401"] == 1
    assert report.fields["confidence (of tokens)"] == 2
    assert report.ledger.annotations.lost == 2


def test_the_command_line_makes_a_layer_without_any_flag(tmp_path: Path) -> None:
    source = FIXTURES / "alto/v2-tenths-of-millimetres/input/page.xml"
    command = [sys.executable, "-m", "labelconv", "convert", str(source), str(tmp_path / "out")]
    run = subprocess.run([*command, "--to", "labelbox-text-layer"], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    assert (tmp_path / "out" / "page.json").is_file()


# ------------------------------------------------------------------------------------ matching


def test_a_box_names_the_tokens_that_lie_in_it_by_their_groups() -> None:
    layer = textlayers.layer_of(SAMPLE)
    found = textlayers.tokens_in(layer, 0, Box(70, 70, 125, 110))
    assert found == TokenSpan(
        (TokenGroup(0, "1.1", ("a", "b")), TokenGroup(0, "1.2", ("c",)))
    )  # 25 of 40 points of b are inside
    assert textlayers.tokens_in(layer, 0, Box(70, 70, 115, 110)) == TokenSpan(
        (TokenGroup(0, "1.1", ("a",)), TokenGroup(0, "1.2", ("c",)))
    )
    assert textlayers.tokens_in(layer, 0, Box(70, 70, 115, 86), share=0.1) == TokenSpan(
        (TokenGroup(0, "1.1", ("a", "b")),)
    )
    assert textlayers.tokens_in(layer, 0, Box(200, 200, 300, 300)) is None
    assert textlayers.tokens_in(layer, 5, Box(0, 0, 600, 700)) is None


def test_a_token_without_area_is_in_a_box_with_its_centre() -> None:
    sample = Sample("d", Document((Page(9, 9),)), (word("a", "|", Box(5, 1, 5, 3)),))
    layer = textlayers.layer_of(sample)
    assert textlayers.tokens_in(layer, 0, Box(4, 0, 6, 4)) is not None
    assert textlayers.tokens_in(layer, 0, Box(4, 0, 4.5, 4)) is None


def test_a_span_names_the_tokens_that_it_touches_over_lines_and_pages() -> None:
    layer = textlayers.layer_of(SAMPLE)
    text = layer.text
    assert text == "Ada e\u0301cole\n👩‍🚀\nŁódź end"
    places = textlayers.places_in(layer, text)
    assert isinstance(places, textlayers.Places)
    start = text.index("cole")
    end = text.index("ź") + 1
    assert textlayers.tokens_at(places, start, end) == TokenSpan(
        (
            TokenGroup(0, "1.1", ("b",)),
            TokenGroup(0, "1.2", ("c",)),
            TokenGroup(1, "x", ("d",)),
        )
    )
    assert textlayers.tokens_at(places, 3, 4) is None  # the blank
    assert textlayers.tokens_at(places, 4, 4) is None


def test_tokens_are_laid_onto_a_text_with_other_blanks_or_it_is_said_which_is_missing() -> None:
    layer = textlayers.layer_of(SAMPLE)
    other = "  Ada\r\n\r\ne\u0301cole 👩‍🚀 \tŁódź\n\nend\n"
    places = textlayers.places_in(layer, other)
    assert isinstance(places, textlayers.Places)
    at = other.index("Łódź")
    assert textlayers.tokens_at(places, at, at + 4) == TokenSpan((TokenGroup(1, "x", ("d",)),))
    assert textlayers.places_in(layer, other.replace("Łódź", "Lodz")) == 3


@given(
    st.lists(
        st.text(st.characters(codec="utf-8"), min_size=1, max_size=6).filter(
            lambda text: text.strip() == text and not any(map(str.isspace, text))
        ),
        min_size=1,
        max_size=12,
    )
)
def test_each_token_is_found_at_its_place_in_the_layers_text(texts: list[str]) -> None:
    words = [
        word(str(n), text, Box(n % 4 * 50, n // 4 * 20, n % 4 * 50 + 40, n // 4 * 20 + 10))
        for n, text in enumerate(texts)
    ]
    layer = textlayers.layer_of(Sample("d", Document((Page(200, 100),)), tuple(words)))
    places = textlayers.places_in(layer, layer.text)
    assert isinstance(places, textlayers.Places)
    for start, end, (_, _, token), text in zip(
        places.starts, places.ends, places.tokens, texts, strict=True
    ):
        assert layer.text[start:end] == token.content == text
        span = textlayers.tokens_at(places, start, end)
        assert span is not None
        assert [id for group in span.groups for id in group.tokens] == [token.id]
        value = words[int(token.id)].value
        assert isinstance(value, OnPage)
        assert isinstance(value.shape, Box)
        assert textlayers.tokens_in(layer, 0, value.shape) == span


def test_entities_made_by_matching_are_written_for_labelbox(tmp_path: Path) -> None:
    layer = textlayers.layer_of(SAMPLE)
    span = textlayers.tokens_in(layer, 1, Box(0, 0, 612, 792))
    assert span is not None
    sample = Sample("doc", SAMPLE.media, (Annotation("n", "name", span),))
    lc.write(Samples([sample]), tmp_path / "mal.ndjson", "labelbox")
    (line,) = (tmp_path / "mal.ndjson").read_text(encoding="utf-8").splitlines()
    found = json.loads(line)["textSelections"]
    assert found == [{"groupId": "x", "tokenIds": ["d", "e"], "page": 2}]  # pages from 1 here
