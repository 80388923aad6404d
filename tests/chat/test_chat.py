"""Conversations: chat JSONL and Labelbox's JSON for data rows; texts as files to upload."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import labelconv as lc
from labelconv.errors import StrictError
from labelconv.model import (
    Annotation,
    Checklist,
    Classification,
    Conversation,
    Message,
    Radio,
    TextSpan,
)
from labelconv.reading import ReadDataset

ASTRAL = "I like 😂 New York City a lot.\r\ne\u0301 👩\u200d🚀"


def read(path: Path, *records: Any, **options: Any) -> ReadDataset:
    lines = (json.dumps(each, ensure_ascii=False) + "\n" for each in records)
    path.write_bytes("".join(lines).encode())
    return lc.read(path, "chat", options=options)


def test_a_line_is_a_conversation_with_numbered_messages(tmp_path: Path) -> None:
    messages = [{"role": "user", "content": ASTRAL}, {"role": "assistant", "content": "So?"}]
    dataset = read(tmp_path / "d.jsonl", {"messages": messages}, {"id": "x", "messages": messages})
    first, second = list(dataset)
    said = (Message("0", ASTRAL, "user"), Message("1", "So?", "assistant"))
    assert (first.key, first.media) == ("d-1", Conversation(said))
    assert second.key == "x"
    (third,) = list(read(tmp_path / "d.jsonl", {"messages": messages}, first_id=1))
    assert isinstance(third.media, Conversation)
    assert [each.id for each in third.media.messages] == ["1", "2"]


@pytest.mark.parametrize(
    "record",
    [
        {"conversations": [{"from": "user", "value": "Hi"}]},
        {"turns": [{"speaker": "user", "text": "Hi"}]},
        {"messages": [{"role": "user", "content": [{"type": "text", "text": "Hi"}]}]},
        [{"role": "user", "content": "Hi"}],
    ],
)
def test_usual_spellings_are_read(tmp_path: Path, record: Any) -> None:
    (sample,) = list(read(tmp_path / "d.jsonl", record))
    assert sample.media == Conversation((Message("0", "Hi", "user"),))


def test_messages_of_their_own_belong_together_while_their_conversation_does(
    tmp_path: Path,
) -> None:
    def said(text: str, **more: Any) -> dict[str, Any]:
        return {"role": "user", "content": text, **more}

    dataset = read(
        tmp_path / "d.jsonl",
        said("a", conversation_id="x"),
        said("b", conversation_id="x"),
        said("c", conversation_id="y"),
    )
    found = [(each.key, [m.content for m in each.media.messages]) for each in dataset]  # type: ignore[union-attr]
    assert found == [("x", ["a", "b"]), ("y", ["c"])]
    dataset = read(tmp_path / "e.jsonl", said("a"), said("b"))
    assert [(each.key, len(each.media.messages)) for each in dataset] == [("e-1", 2)]  # type: ignore[union-attr]
    assert dataset.report.ledger.samples.read == 1


def row() -> dict[str, Any]:
    return {
        "type": "application/vnd.labelbox.conversational",
        "version": 1,
        "messages": [
            {
                "messageId": "m-1",
                "content": ASTRAL,
                "user": {"userId": "u1", "name": "Ann"},
                "align": "left",
                "canLabel": True,
                "timestampUsec": 1,
            },
            {"messageId": "m-2", "content": "So?", "user": {"userId": "u2", "name": "Bob"}},
        ],
    }


@pytest.mark.parametrize("wrapped", [False, True])
@pytest.mark.parametrize("indent", [None, 2])
def test_labelbox_data_rows_are_read(tmp_path: Path, wrapped: bool, indent: int | None) -> None:
    path = tmp_path / "talk.json"
    content = [{"global_key": "g", "row_data": row()}] if wrapped else row()
    path.write_text(json.dumps(content, indent=indent), encoding="utf-8")
    dataset = lc.read(path)
    (sample,) = list(dataset)
    assert sample.key == ("g" if wrapped else "talk-1")
    assert sample.media == Conversation(
        (Message("m-1", ASTRAL, "Ann"), Message("m-2", "So?", "Bob"))
    )
    assert dataset.report.fields["chat:messages.timestampUsec"] == 1


def test_spans_and_labels_belong_to_their_message(tmp_path: Path) -> None:
    record = row()
    record["messages"][0]["spans"] = [
        {"start": 9, "end": 17, "label": "CITY", "text": "New York"},
        [9, 22, "GPE"],
        {"start": 3, "end": 3, "label": "X"},
        {"start": 10, "end": 18, "label": "X", "text": "New York"},
        {"start": 1},
    ]
    record["messages"][1]["labels"] = ["question", "short"]
    record["label"] = "travel"
    path = tmp_path / "d.jsonl"
    dataset = read(path, record)
    (sample,) = list(dataset)
    assert sample.annotations == (
        Annotation("0", "CITY", TextSpan(9, 17, "m-1")),
        Annotation("1", "GPE", TextSpan(9, 22, "m-1")),
    )
    assert sample.classifications == (
        Classification("category", Checklist((Radio("question"), Radio("short"))), (), "m-2"),
        Classification("category", Checklist((Radio("travel"),))),
    )
    assert [(each.code, each.where.pointer) for each in dataset.report.problems] == [
        ("M221", "/messages/0/spans/2"),
        ("M223", "/messages/0/spans/3"),
        ("R101", "/messages/0/spans/4"),
    ]
    target = tmp_path / "mal.ndjson"
    lc.convert(path, target, from_="chat", to="labelbox", allow=["loss"])
    lines = [json.loads(line) for line in target.read_text(encoding="utf-8").splitlines()]
    assert [(each.get("messageId"), each.get("location")) for each in lines][:2] == [
        ("m-1", {"start": 10, "end": 17}),
        ("m-1", {"start": 10, "end": 22}),
    ]


def test_bad_records_are_rejected_alone(tmp_path: Path) -> None:
    good = {"messages": [{"role": "user", "content": "Hi"}]}
    twice = {"messages": [{"id": 1, "content": "a"}, {"id": 1, "content": "b"}]}
    dataset = read(
        tmp_path / "d.jsonl", good, {"messages": [{"role": "user"}]}, 7, {"a": 1}, twice, good
    )
    assert [each.key for each in dataset] == ["d-1", "d-6"]
    assert [(each.code, each.where.line) for each in dataset.report.problems] == [
        ("R101", 2),
        ("R101", 3),
        ("R101", 4),
        ("R104", 5),
    ]
    assert dataset.report.ledger.samples.read == 6


def test_pictures_and_calls_in_messages_are_counted_and_the_conversation_stays(
    tmp_path: Path,
) -> None:
    picture = {"type": "image_url", "image_url": {"url": "a.png"}}
    parts = [{"type": "text", "text": "What "}, picture, {"type": "text", "text": "is 😂?"}]
    record = {
        "messages": [
            {"role": "user", "content": parts, "spans": [[8, 9, "E"]]},
            {"role": "assistant", "content": None, "tool_calls": [{"id": "c"}]},
            {"role": "tool", "content": [picture]},
        ]
    }
    dataset = read(tmp_path / "d.jsonl", record, {"messages": [{"content": [{"a": 1}]}]})
    (sample,) = list(dataset)
    assert isinstance(sample.media, Conversation)
    assert [each.content for each in sample.media.messages] == ["What is 😂?", "", ""]
    assert [each.value for each in sample.annotations] == [TextSpan(8, 9, "0")]
    assert dataset.report.fields == {"chat:content.image_url": 2, "chat:messages.tool_calls": 1}
    assert [(each.code, each.where.line) for each in dataset.report.problems] == [("R101", 2)]


def test_several_labels_are_no_radio(tmp_path: Path) -> None:
    record = {"messages": [{"content": "a", "labels": ["x", "y"]}, {"content": "b", "label": "x"}]}
    dataset = read(tmp_path / "d.jsonl", record, cats="radio", question="kind")
    (sample,) = list(dataset)
    assert sample.classifications == (Classification("kind", Radio("x"), (), "1"),)
    assert dataset.report.ledger.classifications.rejected == 1


def test_conversations_and_texts_are_written_as_files_to_upload(tmp_path: Path) -> None:
    path, texts = tmp_path / "d.jsonl", tmp_path / "texts"
    read(path, {**row(), "id": "talk"})
    report = lc.convert(
        path,
        tmp_path / "o.native.ndjson",
        from_="chat",
        media_out=texts,
    )
    assert report.ledger.written["text files"] == 1
    (again,) = list(lc.read(texts / "talk.json", key="{stem}"))
    (before,) = list(lc.read(path))
    assert again.media == before.media


def test_texts_put_together_are_written_beside_the_conversion(tmp_path: Path) -> None:
    (tmp_path / "d.conll").write_bytes("# newdoc id = a/b\n😂\tB-X\nYork\tI-X\n".encode())
    target, texts = tmp_path / "mal.ndjson", tmp_path / "texts"
    lc.convert(tmp_path / "d.conll", target, to="labelbox", media_out=texts)
    content = (texts / "a" / "b.txt").read_bytes()
    assert content == "😂 York".encode()
    (line,) = [json.loads(line) for line in target.read_text().splitlines()]
    located = line["location"]
    units = content.decode().encode("utf-16-le")
    held = units[located["start"] * 2 : (located["end"] + 1) * 2].decode("utf-16-le")
    assert held == "😂 York"


def test_no_folder_of_texts_is_left_when_nothing_is_written(tmp_path: Path) -> None:
    source = tmp_path / "d.conll"
    source.write_bytes(b"a\tB-X\n" * 30 + b"\nb\n")
    target, texts = tmp_path / "o.native.ndjson", tmp_path / "texts"
    lc.convert(source, target, media_out=texts, dry_run=True)
    with pytest.raises(StrictError):
        lc.convert(source, target, media_out=texts, strict=True)
    assert [each.name for each in tmp_path.iterdir()] == ["d.conll"]
