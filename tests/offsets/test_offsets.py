"""Offsets in code points, UTF-16 and UTF-8; spans, quotes, tokens; texts as files."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labelconv import offsets, tags, tokens
from labelconv.errors import TargetError
from labelconv.model import (
    Annotation,
    Conversation,
    Image,
    Message,
    Sample,
    Samples,
    Text,
    TextSpan,
)
from labelconv.offsets import Offsets, Spans
from labelconv.problems import Report, Where
from labelconv.text_files import write_texts

ASTRAL = "I like 😂 New York City a lot."
CLUSTERS = "e\u0301cole 👩\u200d🚀 Łódź"


def encoded(text: str, unit: str) -> int:
    if unit == "utf8":
        return len(text.encode("utf-8"))
    return len(text.encode("utf-16-le")) // 2 if unit == "utf16" else len(text)


@given(text=st.text(), unit=st.sampled_from(offsets.UNITS))
def test_units_are_what_encoding_the_front_of_the_text_says(text: str, unit: offsets.Unit) -> None:
    found = Offsets(text, unit)
    assert found.length == encoded(text, unit)
    for offset in range(len(text) + 1):
        units = encoded(text[:offset], unit)
        assert found.units(offset) == units
        assert found.codepoints(units) == offset
    assert found.plain == (encoded(text, unit) == len(text))


@given(text=st.text(), unit=st.sampled_from(("utf16", "utf8")))
def test_an_offset_inside_a_character_is_none(text: str, unit: offsets.Unit) -> None:
    found = Offsets(text, unit)
    borders = {encoded(text[:offset], unit) for offset in range(len(text) + 1)}
    for offset in range(found.length + 1):
        assert (found.codepoints(offset) is None) == (offset not in borders)


@given(text=st.text(min_size=1), data=st.data())
def test_a_span_cut_by_utf16_with_an_inclusive_end_is_the_entity(
    text: str, data: st.DataObject
) -> None:
    start = data.draw(st.integers(0, len(text) - 1))
    end = data.draw(st.integers(start + 1, len(text)))
    found = Offsets(text, "utf16")
    wire = found.units(start), found.units(end) - 1
    held = text.encode("utf-16-le")[wire[0] * 2 : (wire[1] + 1) * 2].decode("utf-16-le")
    assert held == text[start:end]


def test_the_numbered_cases_have_their_numbers() -> None:
    """source-formats.md D 40, 41 and 44."""
    found = Offsets(ASTRAL, "utf16")
    assert [(found.units(a), found.units(b) - 1) for a, b in ((9, 17), (9, 22))] == [
        (10, 17),
        (10, 22),
    ]
    found = Offsets(CLUSTERS, "utf16")
    assert CLUSTERS[11:15] == "Łódź"
    assert (found.units(11), found.units(15) - 1) == (13, 16)
    assert offsets.slice_of("a\r\nBob", 3, 6, "utf16") == "Bob"


def spanned(text: str, start: int, end: int, unit: offsets.Unit = "codepoint", quote=None):
    report = Report()
    spans = Spans(unit, report, "f")
    span = spans.span(text, start, end, Where("f", 1), b"raw", quote)
    spans.tell()
    return span, [problem.code for problem in report.problems], report


@pytest.mark.parametrize(
    ("start", "end", "code"),
    [(3, 3, "M221"), (0, 0, "M221"), (5, 3, "M222"), (-1, 2, "M222"), (0, 99, "M222")],
)
def test_an_impossible_span_is_rejected_alone(start: int, end: int, code: str) -> None:
    span, told, report = spanned(ASTRAL, start, end)
    assert span is None
    assert told == [code]
    assert report.ledger.annotations.rejected == 1
    assert [record.record for record in report.take_rejected()] == [b"raw"]


@pytest.mark.parametrize("start", [8])
def test_an_offset_in_the_middle_of_an_emoji_is_rejected(start: int) -> None:
    assert spanned(ASTRAL, start, 12, "utf16")[1] == ["M222"]
    assert spanned(ASTRAL, start, 12, "utf8")[1] == ["M222"]


@pytest.mark.parametrize(
    ("start", "end", "fitting"),
    [
        (10, 18, "source_offsets=utf16"),
        (12, 20, "source_offsets=utf8"),
        (9, 16, "inclusive end"),
        (10, 17, "UTF-16 units with an inclusive end"),
        (11, 19, "UTF-16 units counted from 1"),
        (0, 3, "9–17"),
    ],
)
def test_a_quote_that_does_not_fit_is_diagnosed(start: int, end: int, fitting: str) -> None:
    span, told, report = spanned(ASTRAL, start, end, quote="New York")
    assert span is None
    assert told == ["M223"]
    assert fitting in report.problems[0].message


def test_newlines_that_were_collapsed_are_diagnosed() -> None:
    text = "one\r\ntwo\r\nBob"
    assert "\\r\\n" in (offsets.fitting(text, 8, 11, "Bob") or "")
    assert spanned(text, 8, 11, quote="Bob")[1] == ["M223"]


def test_the_right_unit_makes_the_quote_fit() -> None:
    for unit, start, end in (("codepoint", 9, 17), ("utf16", 10, 18), ("utf8", 12, 20)):
        span, told, _ = spanned(ASTRAL, start, end, unit, "New York")
        assert span == TextSpan(9, 17)
        assert told == []


@pytest.mark.parametrize(
    ("text", "start", "end", "codes"),
    [
        ("in London", 4, 9, ["M224"]),
        ("in London ", 3, 10, ["M225"]),
        ("in London", 3, 9, []),
        ("e\u0301cole", 0, 1, ["M224"]),
        ("e\u0301cole", 1, 6, ["M224"]),
        ("👩\u200d🚀 x", 0, 1, ["M224"]),
        ("👍🏽 x", 0, 1, ["M224"]),
        ("我在东京工作", 2, 4, []),
        ("กรุงเทพ", 3, 6, []),
        ("서울은", 0, 2, ["M224"]),
    ],
)
def test_spans_that_cut_or_touch_are_noted_once(
    text: str, start: int, end: int, codes: list[str]
) -> None:
    span, told, _ = spanned(text, start, end)
    assert span == TextSpan(start, end)
    assert told == codes


@given(text=st.text(min_size=1, max_size=8), data=st.data())
def test_a_clean_span_is_one_about_which_nothing_is_said(text: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(-1, len(text)))
    end = data.draw(st.integers(-1, len(text) + 1))
    if offsets.clean(text, start, end):
        assert spanned(text, start, end)[:2] == (TextSpan(start, end), [])


# ------------------------------------------------------------------------------ tokens


@given(text=st.text(), data=st.data())
def test_tokens_are_the_text_and_are_cut_at_every_border(text: str, data: st.DataObject) -> None:
    borders = data.draw(st.lists(st.integers(0, len(text)), max_size=4))
    places = tokens.tokens(text, borders)
    assert "".join(text[start:end] for start, end in places) == text
    assert all(start < end for start, end in places)
    edges = {0, len(text), *(start for start, _ in places)}
    assert set(borders) <= edges


@given(text=st.text())
def test_tokens_without_blanks_are_found_again_in_the_text(text: str) -> None:
    places = [p for p in tokens.tokens(text, []) if not text[p[0] : p[1]].isspace()]
    assert tokens.align([text[a:b] for a, b in places], text) == places


def test_penn_treebank_quotes_stand_for_what_the_text_has() -> None:
    assert tokens.align(["``", "Hi", "''", "-LRB-", "x", "-RRB-"], '"Hi" (x)') == [
        (0, 1),
        (1, 3),
        (3, 4),
        (5, 6),
        (6, 7),
        (7, 8),
    ]
    assert tokens.align(["a", "b"], "a c") == 1


def annotations(*spans: tuple[int, int]) -> list[Annotation]:
    return [Annotation(str(n), "X", TextSpan(a, b)) for n, (a, b) in enumerate(spans)]


def test_of_spans_that_overlap_the_longest_stays_in_the_order_of_the_text() -> None:
    flat, lost = tokens.flattened(annotations((4, 7), (0, 3), (4, 12), (11, 13)), "a" * 20)
    assert [(each.id, each.value) for each in flat] == [
        ("1", TextSpan(0, 3)),
        ("2", TextSpan(4, 12)),
    ]
    assert set(lost) == {"0", "3"}


def test_blanks_at_the_ends_of_spans_are_cut_off() -> None:
    flat, lost = tokens.flattened(annotations((0, 3), (3, 4)), " a  b")
    assert [each.value for each in flat] == [TextSpan(1, 2)]
    assert set(lost) == {"1"}


# ------------------------------------------------------------------------------ tags


@pytest.mark.parametrize(
    ("given_tags", "entities"),
    [
        (["I-PER", "I-PER", "O", "I-ORG"], [(0, 2, "PER"), (3, 4, "ORG")]),
        (["I-PER", "B-PER"], [(0, 1, "PER"), (1, 2, "PER")]),
        (["B-PER", "I-ORG"], [(0, 1, "PER"), (1, 2, "ORG")]),
        (["B-PER", "I-PER", "L-PER", "U-ORG", "O"], [(0, 3, "PER"), (3, 4, "ORG")]),
        (["B-PER", "E-PER", "S-ORG", "S-ORG"], [(0, 2, "PER"), (2, 3, "ORG"), (3, 4, "ORG")]),
        (["B-PER", "M-PER", "E-PER"], [(0, 3, "PER")]),
        (["PER", "PER", "O", None, "LOC"], [(0, 2, "PER"), (4, 5, "LOC")]),
        (["(PER*", "*", "*)", "(ORG)", "*"], [(0, 3, "PER"), (3, 4, "ORG")]),
        (["B-a-b", "I-a-b"], [(0, 2, "a-b")]),
    ],
)
def test_every_scheme_of_tags_is_read(given_tags, entities) -> None:
    assert tags.Tags().entities(given_tags) == entities


@given(
    st.lists(
        st.tuples(st.integers(0, 2), st.integers(1, 3), st.sampled_from(("A", "B"))), max_size=5
    )
)
def test_written_tags_are_read_again(parts: list[tuple[int, int, str]]) -> None:
    entities, at = [], 0
    for gap, length, label in parts:
        entities.append((at + gap, at + gap + length, label))
        at += gap + length
    for made in (
        tags.iob2(at, entities),
        tags.biluo(at, entities),
        tags.biluo(at, entities, "BIES"),
    ):
        assert tags.Tags().entities(made) == entities


def test_the_scheme_is_said_where_tags_leave_it_open() -> None:
    report = Report()
    first = tags.Tags()
    first.entities(["I-PER", "O"])
    first.tell(report, "f")
    mixed = tags.Tags()
    mixed.entities(["B-PER", "O", "I-PER"], Where("f", 7))
    mixed.tell(report, "f")
    assert [problem.code for problem in report.problems] == ["R113", "R144"]
    assert report.problems[1].where.line == 7


# ------------------------------------------------------------------------------ texts as files


def test_texts_are_written_byte_for_byte(tmp_path) -> None:
    content = "\ufeffa\r\nB\u0301ob 😂\n\r"
    samples = [
        Sample("docs/a", Text(content)),
        Sample("b.txt", Text("b")),
        Sample("c:d", Text("c")),
        Sample("p.jpg", Image(1, 1)),
        Sample("no text", Text()),
        Sample("talk", Conversation((Message("m1", "Hi 😂", "Ann"), Message("m2", "x", "Bob")))),
    ]
    assert write_texts(Samples(samples), tmp_path / "out") == 4
    found = {
        path.relative_to(tmp_path / "out").as_posix(): path.read_bytes()
        for path in (tmp_path / "out").rglob("*")
        if path.is_file()
    }
    assert found["docs/a.txt"] == content.encode()
    assert found["b.txt"] == b"b"
    assert found["c%3Ad.txt"] == b"c"
    assert b'"messageId":"m2"' in found["talk.json"]
    assert len(found) == 4


def test_a_folder_of_texts_that_is_not_empty_is_refused(tmp_path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "x").write_text("")
    with pytest.raises(TargetError):
        write_texts(Samples([]), tmp_path / "out")
