"""Conversations: chat JSONL with role and content, and Labelbox's conversation data rows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

import msgspec

from labelconv import codes
from labelconv.format import Evidence, Format, Holds, NoOptions, Reading
from labelconv.io import Peek, Source
from labelconv.model import (
    Annotation,
    Classification,
    Conversation,
    Dataset,
    Message,
    Sample,
    Samples,
    TextSpan,
)
from labelconv.offsets import Spans
from labelconv.problems import Where
from labelconv.texts import Chunk, Fault, Rows, answered, as_list, shown, values

_LISTS = ("messages", "conversation", "conversations", "turns", "dialog", "dialogue")
_AUTHORS = ("role", "from", "speaker", "author", "user", "name")
#: What an assistant's message may have in place of a content.
_CALLS = ("tool_calls", "function_call")
_CONTENTS = ("content", "value", "text", "message")
_GROUPS = ("conversation_id", "conversationId", "thread_id", "session_id", "dialogue_id")
_IDS = ("messageId", "message_id", "id")
_SPANS = ("spans", "entities")
_OF_SPANS = frozenset(("start", "end", "label", "text"))
_LABELS = ("labels", "label")
_TYPE = "application/vnd.labelbox.conversational"
_ROW_KNOWN = frozenset(
    ("type", "version", "messages", "id", "key", "global_key", "globalKey", "external_id")
)


class ChatReaderOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Options of the chat reader (`-O key=value`).

    - `first_id`: the number of a conversation's first message, where messages have no ids.
    - `question`: the name of the question that `labels` of messages and conversations answer.
    - `cats`: the kind of that question: a `checklist`, or a `radio`.
    - `source_offsets`: what offsets inside a message count.
    """

    first_id: int = 0
    question: str = "category"
    cats: Literal["checklist", "radio"] = "checklist"
    source_offsets: Literal["codepoint", "utf16", "utf8"] = "codepoint"


def holds(options: NoOptions) -> tuple[Holds, ...]:
    """Nothing is written."""
    return (Holds(media=Conversation, values=frozenset({TextSpan}), questions=1),)


def sniff(peek: Peek) -> Evidence:
    """JSON records with messages of role and content, or with Labelbox's type."""
    if peek.is_folder or peek.text[:1] not in (b"{", b"["):
        return Evidence(0, "no JSON records")
    from labelconv.texts import first_names

    names = set(first_names(peek))
    if "data_row" in names:
        return Evidence(0, "JSON records with data_row: an export, which names the type only")
    if _TYPE.encode() in peek.text:
        return Evidence(3, "Labelbox's type of conversations")
    if "role" in names and "content" in names:
        return Evidence(3, "JSON records with role and content")
    text = peek.text
    spoken = any(f'"{name}"'.encode() in text for name in ("role", "from", "speaker", "messageId"))
    if names & set(_LISTS) and spoken and not names & {"images", "categories"}:
        return Evidence(3, f"JSON records with {min(names & set(_LISTS))}")
    return Evidence(0, "no JSON records with messages")


def read(source: Source, options: ChatReaderOptions, reading: Reading) -> Dataset:
    """The conversations of a file."""

    return Samples(lambda: _Run(source, options, reading).samples())


class _Run:
    """One iteration over the records."""

    def __init__(self, source: Source, options: ChatReaderOptions, reading: Reading) -> None:
        self._source = source
        self._options = options
        self._report = reading.report
        self._rows = Rows(source, reading)
        self._spans = Spans(options.source_offsets, reading.report, source.name)

    def samples(self) -> Iterator[Sample]:
        """Records are conversations; or messages, which belong together while their group does."""
        lone: list[tuple[Any, Where, bytes]] = []
        group: object = None
        number = 0
        first: Chunk[Any] | None = None
        for value, chunk, index in values(self._source, self._report, self._rows):
            row = _row(value)
            if row is not None:
                yield from self._conversation(*row, chunk, index)
                continue
            if not isinstance(value, dict) or _found(value, _CONTENTS) is None:
                fault = Fault("a conversation, or a message with role and content", shown(value))
                self._rows.malformed(chunk, fault, index)
                continue
            mark = _found(value, _GROUPS)
            if lone and mark != group:
                yield from self._gathered(lone, group, number, first)
                lone = []
            if not lone:
                number += 1
                first = Chunk(number, None, list, in_list=chunk.in_list, line=chunk.number + index)
            group = mark
            where = chunk.where(self._rows.path, index)
            lone.append((value, where, b""))
        if lone:
            yield from self._gathered(lone, group, number, first)
        self._spans.tell()

    def _gathered(
        self,
        lone: list[tuple[Any, Where, bytes]],
        group: object,
        number: int,
        first: Chunk[Any] | None,
    ) -> Iterator[Sample]:
        """A conversation of messages that are records of their own."""
        assert first is not None
        values = [value for value, _, _ in lone]
        raw = b"\n".join(map(msgspec.json.encode, values))
        chunk: Chunk[Any] = Chunk(number, None, lambda: [raw], line=first.line)
        id = None if group is None else str(group)
        key = self._rows.key(id, chunk, 0, {})
        if key is None:
            return
        places = [where for _, where, _ in lone]
        sample = self._made(key, values, places, {}, chunk, 0)
        if sample is not None:
            yield sample

    def _conversation(
        self, row: dict[str, Any], messages: list[Any], within: str, chunk: Chunk[Any], index: int
    ) -> Iterator[Sample]:
        names = ("key", "global_key", "globalKey", "external_id", "id")
        id = _found(row, (*names, *_GROUPS))
        key = self._rows.key(None if id is None else str(id), chunk, index)
        if key is None:
            return
        path = self._rows.path
        places = [chunk.where(path, index, f"{within}/{n}") for n in range(len(messages))]
        sample = self._made(key, messages, places, row, chunk, index)
        if sample is not None:
            yield sample

    def _made(
        self,
        key: str,
        values: list[Any],
        places: list[Where],
        row: dict[str, Any],
        chunk: Chunk[Any],
        index: int,
    ) -> Sample | None:
        messages: list[Message] = []
        annotations: list[Annotation] = []
        answers: list[Classification] = []
        taken: dict[str, int] = {}
        for number, (value, where) in enumerate(zip(values, places, strict=True)):
            content = self._content(value) if isinstance(value, dict) else None
            if content is None:
                wrong = Fault("a message with a text", shown(value))
                code = codes.RECORD_MALFORMED
                self._report.reject(
                    code,
                    where,
                    chunk.raw(index),
                    "samples",
                    expected=wrong.expected,
                    found=wrong.found,
                )
                return None
            given = _found(value, _IDS)
            id = str(number + self._options.first_id) if given is None else str(given)
            if id in taken:
                code = codes.ID_DUPLICATE
                first = f"message {taken[id]}"
                values_ = {"field": "message id", "value": id, "first": first}
                self._report.reject(code, where, chunk.raw(index), "samples", **values_)
                return None
            taken[id] = number
            messages.append(Message(id, content, _author(value)))
        for value, where, message in zip(values, places, messages, strict=True):
            self._add(value, where, message, annotations, answers)
        self._answer(_found(row, _LABELS), None, chunk.where(self._rows.path, index), answers)
        inner = row.get("row_data")
        for name in (*row, *(inner if isinstance(inner, dict) else ())):
            if name not in _ROW_KNOWN and name not in (*_LISTS, *_GROUPS, *_LABELS, "row_data"):
                self._report.field(f"chat:{name}")
        conversation = Conversation(tuple(messages))
        return Sample(
            key,
            conversation,
            tuple(annotations),
            tuple(answers),
            key_is_id=self._rows.are_ids,
        )

    def _add(
        self,
        value: dict[str, Any],
        where: Where,
        message: Message,
        annotations: list[Annotation],
        answers: list[Classification],
    ) -> None:
        """What a message says about itself: spans, and labels."""
        for name, said in value.items():
            if name in _SPANS:
                for number, each in enumerate(as_list(said)):
                    place = msgspec.structs.replace(
                        where, pointer=f"{where.pointer or ''}/{name}/{number}"
                    )
                    self._annotate(each, place, message, annotations)
            elif name not in (*_AUTHORS, *_CONTENTS, *_IDS, *_LABELS, *_GROUPS):
                self._report.field(f"chat:messages.{name}")
        self._answer(_found(value, _LABELS), message.id, where, answers)

    def _content(self, message: dict[str, Any]) -> str | None:
        """A message's text; the texts of one in parts, one after the other; None if it has none.

        Parts of another kind are counted. A message that only calls tools has an empty text.
        """
        content = _found(message, _CONTENTS)
        if content is None and any(message.get(name) for name in _CALLS):
            return ""
        if not isinstance(content, list):
            return content if isinstance(content, str) else None
        texts: list[str] = []
        others: list[str] = []
        for part in content:
            said = part.get("text") if isinstance(part, dict) else part
            kind = part.get("type") if isinstance(part, dict) else None
            if isinstance(said, str):
                texts.append(said)
            elif isinstance(kind, str) and kind != "text":
                others.append(kind[:60])
            else:
                return None
        for kind in others:
            self._report.field(f"chat:content.{kind}")
        return "".join(texts)

    def _annotate(
        self, each: Any, where: Where, message: Message, annotations: list[Annotation]
    ) -> None:
        self._report.ledger.annotations.read += 1
        raw = msgspec.json.encode(each)
        if isinstance(each, list) and len(each) == 3:
            each = dict(zip(("start", "end", "label"), each, strict=True))
        found = each if isinstance(each, dict) else {}
        start, end, label = found.get("start"), found.get("end"), found.get("label")
        for name in found.keys() - _OF_SPANS:
            self._report.field(f"chat:spans.{name}")
        if type(start) is not int or type(end) is not int or not isinstance(label, str):
            expected = "a span with start, end and label"
            code = codes.RECORD_MALFORMED
            self._report.reject(code, where, raw, expected=expected, found=shown(each))
            return
        quote = found.get("text") if isinstance(found.get("text"), str) else None
        span = self._spans.span(message.content, start, end, where, raw, quote, message.id)
        if span is not None:
            annotations.append(Annotation(str(len(annotations)), label, span))

    def _answer(
        self, given: Any, message: str | None, where: Where, answers: list[Classification]
    ) -> None:
        """What the labels of a message or of the whole say, if there are any."""
        if not as_list(given):
            return
        self._report.ledger.classifications.read += 1
        try:
            made = answered(_labels(given), self._options.question, self._options.cats)
        except Fault as fault:
            code = codes.RECORD_MALFORMED
            raw = msgspec.json.encode(given)
            values = {"expected": fault.expected, "found": fault.found}
            self._report.reject(code, where, raw, "classifications", **values)
            return
        answers.append(msgspec.structs.replace(made, message=message))


def _labels(given: Any) -> list[tuple[str, None]]:
    """Labels without a certainty. Raises `Fault` where they are no texts."""
    labels = [(name, None) for name in as_list(given) if isinstance(name, str)]
    if len(labels) < len(as_list(given)):
        raise Fault("labels as texts", shown(given))
    return labels


def _row(value: Any) -> tuple[dict[str, Any], list[Any], str] | None:
    """(what holds the key, the messages, where they are), or None for a lone message."""
    if isinstance(value, list) and value and all(isinstance(each, dict) for each in value):
        return {}, value, ""
    if not isinstance(value, dict):
        return None
    inner = value.get("row_data")
    if isinstance(inner, dict) and isinstance(inner.get("messages"), list):
        return value, inner["messages"], "/row_data/messages"
    for name in _LISTS:
        if isinstance(value.get(name), list):
            return value, value[name], f"/{name}"
    return None


def _found(value: dict[str, Any], names: tuple[str, ...]) -> Any:
    """The first of the members that is there and not null."""
    return next((value[name] for name in names if value.get(name) is not None), None)


def _author(value: dict[str, Any]) -> str | None:
    found = _found(value, _AUTHORS)
    if isinstance(found, dict):
        found = found.get("name") or found.get("userId")
    return None if found is None else str(found)


FORMAT = Format(
    name="chat",
    about="conversations: chat JSONL with role and content, Labelbox conversation data rows",
    url="https://docs.labelbox.com/reference/import-conversational-text-data",
    holds=holds,
    read=read,
    reader_options=ChatReaderOptions,
    sniff=sniff,
)
