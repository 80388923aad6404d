"""Texts and conversations: UTF-16 offsets with inclusive ends, there and back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from labelbox_media_help import lines_of, payload, put, samples_of, told

import labelconv as lc
from labelconv.media import MediaFiles
from labelconv.model import (
    Annotation,
    Checklist,
    Classification,
    Conversation,
    FreeText,
    Message,
    Radio,
    Relation,
    Sample,
    Text,
    TextSpan,
)
from labelconv.problems import Report

ASTRONAUT = "e\u0301cole \U0001f469\u200d\U0001f680 Łódź"


def text(content: str | None, *spans: tuple[int, int]) -> Sample:
    made = (Annotation(str(n), "entity", TextSpan(*span)) for n, span in enumerate(spans))
    return Sample("k", Text(content), tuple(made))


def said(content: str, start: int, end: int) -> str:
    """What a line's offsets hold, by the bytes of UTF-16 and nothing of ours."""
    return content.encode("utf-16-le", "surrogatepass")[2 * start : 2 * end + 2].decode(
        "utf-16-le", "surrogatepass"
    )


@pytest.mark.parametrize(
    ("content", "span", "wire", "held"),
    [
        ("Who is Shaka Khan?", (7, 17), (7, 16), "Shaka Khan"),
        ("I like \U0001f602 New York City a lot.", (9, 17), (10, 17), "New York"),
        ("I like \U0001f602 New York City a lot.", (9, 22), (10, 22), "New York City"),
        (ASTRONAUT, (11, 15), (13, 16), "Łódź"),
        ("a\r\nBob", (3, 6), (3, 5), "Bob"),
        ("ab", (1, 2), (1, 1), "b"),
        ("\U0001f602", (0, 1), (0, 1), "\U0001f602"),
    ],
)
def test_known_spans_have_the_offsets_that_labelbox_counts(
    tmp_path: Path, content: str, span: tuple[int, int], wire: tuple[int, int], held: str
) -> None:
    (line,) = lines_of(tmp_path, text(content, span))
    assert payload(line) == {"name": "entity", "location": {"start": wire[0], "end": wire[1]}}
    assert said(content, *wire) == held == content[slice(*span)]
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "k.txt").write_bytes(content.encode())
    (sample,) = samples_of(put(tmp_path, line), texts=str(tmp_path / "texts"))
    assert sample.media == Text(content)
    assert sample.annotations[0].value == TextSpan(*span)


@st.composite
def spanned(draw: st.DrawFn) -> tuple[str, list[tuple[int, int]]]:
    content = draw(st.text(min_size=1, max_size=30) | st.just(ASTRONAUT))
    ends = st.tuples(st.integers(0, len(content)), st.integers(0, len(content)))
    drawn = draw(st.lists(ends, min_size=1, max_size=5))
    return content, [(min(pair), max(pair)) for pair in drawn if pair[0] != pair[1]]


@given(case=spanned())
def test_every_span_written_holds_its_text_by_utf_16_with_an_inclusive_end(
    case: tuple[str, list[tuple[int, int]]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    content, spans = case
    folder = tmp_path_factory.mktemp("spans")
    lines = lines_of(folder, text(content, *spans))
    assert len(lines) == len(spans)
    for line, span in zip(lines, spans, strict=True):
        held = said(content, line["location"]["start"], line["location"]["end"])
        assert held == content[slice(*span)]
    (folder / "k").write_bytes(content.encode())
    found = samples_of(put(folder, *lines), texts=str(folder)) if lines else []
    read = [each.value for sample in found for each in sample.annotations]
    assert read == [TextSpan(*span) for span in spans]


def test_code_points_are_written_and_read_by_the_option(tmp_path: Path) -> None:
    (line,) = lines_of(tmp_path, text(ASTRONAUT, (11, 15)), offset_unit="codepoint")
    assert line["location"] == {"start": 11, "end": 14}
    (sample,) = samples_of(put(tmp_path, line), offset_unit="codepoint")
    assert sample.annotations[0].value == TextSpan(11, 15)


@pytest.mark.parametrize("span", [(3, 3), (4, 3), (-1, 2), (0, 7), (9, 12)])
def test_a_span_that_is_empty_or_leaves_its_text_is_rejected_alone(
    tmp_path: Path, span: tuple[int, int]
) -> None:
    report = Report()
    lines = lines_of(tmp_path, text("a text", span, (0, 1)), report=report)
    assert len(lines) == 1
    code = "M221" if span[0] == span[1] else "M222"
    assert [(each.code, each.where.annotation) for each in report.take_rejected()] == [(code, "0")]


def test_spans_of_an_unknown_text_are_rejected_unless_the_option_keeps_them(tmp_path: Path) -> None:
    report = Report()
    assert lines_of(tmp_path, text(None, (3, 6)), report=report) == []
    assert told(report) == [("L431", "/location")]
    report = Report()
    (line,) = lines_of(tmp_path, text(None, (3, 6)), report=report, unknown_text="keep")
    assert line["location"] == {"start": 3, "end": 5}
    assert report.counts == {"R113": 1}
    report = Report()
    (line,) = lines_of(tmp_path, text(None, (3, 6)), report=report, offset_unit="codepoint")
    assert line["location"] == {"start": 3, "end": 5}


def test_without_the_text_offsets_are_read_as_they_are_and_that_is_noted(tmp_path: Path) -> None:
    report = Report()
    path = put(tmp_path, {"name": "PER", "location": {"start": 4, "end": 9}})
    (sample,) = samples_of(path, report)
    assert sample.annotations[0].value == TextSpan(4, 10)
    assert sample.media == Text()
    assert told(report) == [("R113", None)]


def test_a_text_is_found_among_the_media_files(tmp_path: Path) -> None:
    (tmp_path / "media").mkdir()
    (tmp_path / "media" / "k.txt").write_bytes(ASTRONAUT.encode())
    path = put(tmp_path, {"name": "LOC", "location": {"start": 13, "end": 16}})
    report = Report()
    (sample,) = samples_of(path, report, files=MediaFiles(tmp_path / "media"))
    assert sample.annotations[0].value == TextSpan(11, 15)
    assert report.problems == []


def test_no_key_names_a_file_outside_of_the_folder(tmp_path: Path) -> None:
    (tmp_path / "texts").mkdir()
    (tmp_path / "secret.txt").write_text("secret")
    for key in ("../secret.txt", "../secret", str(tmp_path / "secret.txt"), "a\0b"):
        line = {"dataRow": {"globalKey": key}, "name": "n", "location": {"start": 0, "end": 1}}
        (sample,) = samples_of(put(tmp_path, line), texts=str(tmp_path / "texts"))
        assert sample.media == Text()


@pytest.mark.parametrize(
    ("location", "code"),
    [
        ({"start": 14, "end": 17}, "M222"),
        ({"start": 8, "end": 9}, "M222"),
        ({"start": 7, "end": 7}, "M222"),
        ({"start": 4, "end": 3}, "R101"),
    ],
)
def test_offsets_that_are_not_in_the_text_or_inside_a_character_are_rejected(
    tmp_path: Path, location: dict[str, int], code: str
) -> None:
    (tmp_path / "k").write_bytes(ASTRONAUT.encode())
    report = Report()
    (sample,) = samples_of(
        put(tmp_path, {"name": "n", "location": location}), report, texts=str(tmp_path)
    )
    assert sample.annotations == ()
    assert [problem.code for problem in report.problems] == [code]


def test_relations_answers_and_confidence_of_texts_are_there_and_back(tmp_path: Path) -> None:
    asked = Classification("sure", Radio("yes", (Classification("why", FreeText("so")),)))
    sample = Sample(
        "k",
        Text("Ann met Bob"),
        (
            Annotation("1", "PER", TextSpan(0, 3), (asked,), 0.5),
            Annotation("2", "PER", TextSpan(8, 11)),
        ),
        (Classification("tone", Checklist((Radio("calm"),))), Classification("sum", FreeText("x"))),
        (Relation("3", "met", "1", "2"),),
    )
    lines = lines_of(tmp_path, sample)
    assert lines[4]["relationship"]["source"] == lines[0]["uuid"]
    (tmp_path / "k").write_text("Ann met Bob")
    (found,) = samples_of(put(tmp_path, *lines), texts=str(tmp_path))
    assert [msg.value for msg in found.annotations] == [TextSpan(0, 3), TextSpan(8, 11)]
    assert found.annotations[0].classifications == (asked,)
    assert found.annotations[0].confidence == 0.5
    assert found.classifications == sample.classifications
    assert found.relations[0].target == found.annotations[1].id


# ------------------------------------------------------------------------- conversations


TALK = Conversation((Message("m1", "Hi \U0001f602 Ann", "u1"), Message("4", "Bye Bob", "u2")))


def talk(*spans: TextSpan, asked: tuple[Classification, ...] = ()) -> Sample:
    made = (Annotation(str(n), "PER", span) for n, span in enumerate(spans))
    return Sample("k", TALK, tuple(made), asked)


def test_entities_and_answers_of_a_conversation_have_their_message(tmp_path: Path) -> None:
    asked = (
        Classification("tone", Radio("polite"), message="m1"),
        Classification("tone", Radio("rude"), message="4"),
        Classification("tags", Checklist((Radio("a"),)), message="4"),
        Classification("sum", FreeText("x"), message="4"),
        Classification("overall", Radio("good")),
    )
    lines = lines_of(tmp_path, talk(TextSpan(5, 8, "m1"), TextSpan(4, 7, "4"), asked=asked))
    assert [payload(line) for line in lines] == [
        {"name": "PER", "location": {"start": 6, "end": 8}, "messageId": "m1"},
        {"name": "PER", "location": {"start": 4, "end": 6}, "messageId": "4"},
        {"name": "tone", "answer": {"name": "polite"}, "messageId": "m1"},
        {"name": "tone", "answer": {"name": "rude"}, "messageId": "4"},
        {"name": "tags", "answer": [{"name": "a"}], "messageId": "4"},
        {"name": "sum", "answer": "x", "messageId": "4"},
        {"name": "overall", "answer": {"name": "good"}},
    ]
    data_row = {
        "type": "application/vnd.labelbox.conversational",
        "version": 1,
        "messages": [
            {"messageId": m.id, "content": m.content, "user": {"name": m.author}}
            for m in TALK.messages
        ],
    }
    (tmp_path / "k.json").write_text(json.dumps(data_row))
    report = Report()
    (found,) = samples_of(put(tmp_path, *lines), report, texts=str(tmp_path))
    assert found.media == TALK
    assert [each.value for each in found.annotations] == [
        TextSpan(5, 8, "m1"),
        TextSpan(4, 7, "4"),
    ]
    assert found.classifications == asked
    assert report.problems == []


def test_without_its_data_row_a_conversation_is_told_by_its_messages(tmp_path: Path) -> None:
    report = Report()
    line = {"name": "PER", "location": {"start": 0, "end": 8}, "messageId": "4"}
    (sample,) = samples_of(put(tmp_path, {"name": "q", "answer": "a"}, line), report)
    assert sample.media == Conversation()
    assert sample.annotations[0].value == TextSpan(0, 9, "4")
    assert told(report) == [("R113", None)]


def test_one_question_has_one_answer_in_a_message(tmp_path: Path) -> None:
    line = {"name": "tone", "answer": {"name": "polite"}, "messageId": "4"}
    report = Report()
    (sample,) = samples_of(put(tmp_path, line, line, line | {"messageId": "5"}), report)
    assert [each.message for each in sample.classifications] == ["4", "5"]
    assert [problem.code for problem in report.problems] == ["R104"]


@pytest.mark.parametrize(
    "sample",
    [
        talk(TextSpan(0, 1)),
        Sample("k", Text("abc"), (Annotation("1", "PER", TextSpan(0, 1, "m1")),)),
    ],
)
def test_a_span_without_its_message_or_with_one_too_many_is_rejected(
    tmp_path: Path, sample: Sample
) -> None:
    report = Report()
    assert lines_of(tmp_path, sample, report=report) == []
    assert [each.code for each in report.take_rejected()] == ["M205"]


def test_an_answer_about_a_message_has_no_place_in_a_picture(tmp_path: Path) -> None:
    asked: Any = Classification("tone", Radio("a"), message="m")
    report = Report()
    assert lines_of(tmp_path, Sample("k", Text("abc"), (), (asked,)), report=report) == []
    assert [each.code for each in report.take_rejected()] == ["M205"]


def test_a_message_that_is_not_there_makes_its_spans_unknown(tmp_path: Path) -> None:
    report = Report()
    assert lines_of(tmp_path, talk(TextSpan(0, 1, "m9")), report=report) == []
    assert told(report) == [("L431", "/location")]


@pytest.mark.parametrize(
    ("content", "told_of"),
    [
        (b"\xff\xfe", {"k.txt", "c.json"}),
        (b'{"messages": ', {"c.json"}),
        (b"[" * 100_000, {"c.json"}),
        (b"[]", {"c.json"}),
        (b'{"messages": 7}', {"c.json"}),
        (b'{"messages": [{"messageId": "1", "content": "\\ud800"}]}', {"c.json"}),
        (b'\xef\xbb\xbf{"messages": [{"messageId": "1", "content": "ab"}]}', set()),
        (b'{"messages": [{"messageId": "1", "content": "ab"}, 7]}', {"the conversation of 'c'"}),
    ],
)
@pytest.mark.parametrize("format", ["labelbox", "labelbox-export"])
def test_texts_and_conversations_that_cannot_be_read_are_told_and_their_spans_kept(
    format: str, content: bytes, told_of: set[str], tmp_path: Path
) -> None:
    texts = tmp_path / "texts"
    texts.mkdir()
    (texts / "k.txt").write_bytes(content)
    (texts / "c.json").write_bytes(content)
    location = {"start": 0, "end": 0}
    if format == "labelbox":
        lines = [
            {"dataRow": {"globalKey": "k"}, "name": "n", "location": location},
            {"dataRow": {"globalKey": "c"}, "name": "n", "location": location, "messageId": "1"},
        ]
    else:
        talk = {"message_id": "1", "location": location}
        lines = [
            exported("k", "text/plain", "TextEntity", {"location": location}),
            exported(
                "c",
                "application/json",
                "ConversationalTextEntity",
                {"conversational_location": talk},
            ),
        ]
    source = tmp_path / "lines.ndjson"
    source.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    dataset = lc.read(source, format, options={"texts": str(texts)})
    spans = {sample.key: [each.value for each in sample.annotations] for sample in dataset}
    assert spans == {"k": [TextSpan(0, 1)], "c": [TextSpan(0, 1, "1")]}
    unread = [each.message for each in dataset.report.problems if each.code == "R124"]
    assert len(unread) == len(told_of)
    assert all(any(name in message for message in unread) for name in told_of)


def exported(key: str, mime: str, kind: str, payload: dict[str, Any]) -> dict[str, Any]:
    """A data row of an export with one entity."""
    entity = {"feature_id": "f", "name": "n", "annotation_kind": kind, **payload}
    label = {"id": "l", "annotations": {"objects": [entity]}}
    return {
        "data_row": {"id": f"row-{key}", "global_key": key, "row_data": f"https://e.org/{key}"},
        "media_attributes": {"mime_type": mime},
        "projects": {"p": {"name": "P", "labels": [label]}},
    }


def test_a_text_that_the_system_does_not_give_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "k.txt").write_text("abc")

    def refused(path: Path) -> bytes:
        raise PermissionError(13, "Permission denied", str(path))

    report = Report()
    source = put(tmp_path, {"name": "n", "location": {"start": 0, "end": 0}})
    monkeypatch.setattr(Path, "read_bytes", refused)
    samples_of(source, report, texts=str(tmp_path))
    assert report.counts["R124"] == 1
