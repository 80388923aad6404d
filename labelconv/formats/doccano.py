"""doccano: JSONL of texts with spans, labels, and relations between spans."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import msgspec

from labelconv import codes
from labelconv.format import Evidence, Format, Holds, Reading
from labelconv.io import Peek, Source
from labelconv.model import (
    Annotation,
    Checklist,
    Classification,
    Dataset,
    FreeText,
    Radio,
    Relation,
    Sample,
    Samples,
    Text,
    TextSpan,
)
from labelconv.offsets import Spans
from labelconv.problems import Report
from labelconv.texts import Chunk, Fault, Rows, answered, as_list, shown, values

_BUFFER = 500
_KNOWN = frozenset(
    ("id", "key", "text", "data", "label", "labels", "entities", "relations", "cats", "annotations")
)

#: Labels of intents beside their slots; in spaCy's records they have scores.
_INTENTS = re.compile(rb'"cats"\s*:\s*\[\s*"')
_OF_SPANS = frozenset(("id", "label", "start_offset", "end_offset"))


class DoccanoReaderOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Options of the doccano reader (`-O key=value`).

    - `cats`: the labels of a whole text as one question: a `checklist`, a `radio`, or a `text`, as
      projects of sequence to sequence have them.
    - `question`: the name of that question.
    - `source_offsets`: what offsets count. doccano itself counts code points.
    """

    cats: Literal["checklist", "radio", "text"] = "checklist"
    question: str = "category"
    source_offsets: Literal["codepoint", "utf16", "utf8"] = "codepoint"


class DoccanoWriterOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Options of the doccano writer (`-W key=value`).

    - `style`: spans as `[start, end, label]` (`spans`), or as `entities` with `relations`, which
      is what doccano's relation projects take; `auto` has entities where there are relations.
    - `question`: the one question whose answers become labels of the text.
    - `cats`: the kind of that question: a `checklist`, or a `radio`.
    """

    style: Literal["auto", "spans", "entities"] = "auto"
    question: str = "category"
    cats: Literal["checklist", "radio"] = "checklist"


def holds(options: DoccanoWriterOptions) -> tuple[Holds, ...]:
    """Spans, labels of one question, and relations."""
    return (
        Holds(
            media=Text,
            values=frozenset({TextSpan}),
            questions=1,
            answers=frozenset({Checklist if options.cats == "checklist" else Radio}),
            question=options.question,
            relations=options.style != "spans",
            uri=False,
            needs_size=True,
            precision=0.0,
        ),
    )


def sniff(peek: Peek) -> Evidence:
    """JSON records with a text and doccano's spelling of spans."""
    if peek.is_folder or peek.text[:1] not in (b"{", b"["):
        return Evidence(0, "no JSON records")
    from labelconv.texts import first_names

    names = set(first_names(peek))
    if not names & {"text", "data"}:
        return Evidence(0, "no JSON records with text")
    if b'"start_offset"' in peek.text:
        return Evidence(3, "JSON records with start_offset")
    if "text" in names and _INTENTS.search(peek.text) is not None:
        return Evidence(3, "JSON records with text and labels in cats")
    if names & {"_input_hash", "spans", "tokens", "answer"}:
        return Evidence(0, "no JSON records with label or entities of doccano's")
    if names & {"label", "labels"}:
        return Evidence(2, "JSON records with text and label")
    if {"text", "entities", "relations"} <= names:
        return Evidence(2, "JSON records with text, entities and relations")
    return Evidence(0, "no JSON records with label or entities of doccano's")


# ------------------------------------------------------------------------------ reading


def read(source: Source, options: DoccanoReaderOptions, reading: Reading) -> Dataset:
    """The texts of an export in JSONL or JSON."""

    return Samples(lambda: _Run(source, options, reading).samples())


class _Run:
    """One iteration over the records."""

    def __init__(self, source: Source, options: DoccanoReaderOptions, reading: Reading) -> None:
        self._source = source
        self._options = options
        self._report = reading.report
        self._rows = Rows(source, reading)
        self._spans = Spans(options.source_offsets, reading.report, source.name)

    def samples(self) -> Iterator[Sample]:
        for value, chunk, index in values(self._source, self._report, self._rows):
            sample = self._sample(value, chunk, index)
            if sample is not None:
                yield sample
        self._spans.tell()

    def _sample(self, value: Any, chunk: Chunk[Any], index: int) -> Sample | None:
        text = value.get("text", value.get("data")) if isinstance(value, dict) else None
        if not isinstance(text, str):
            self._rows.malformed(chunk, Fault("an object with a text", shown(value)), index)
            return None
        id = value.get("key", value.get("id"))
        key = self._rows.key(None if id is None else str(id), chunk, index)
        if key is None:
            return None
        annotations: list[Annotation] = []
        labels: list[tuple[str, float | None]] = []
        ids: dict[str, str] = {}
        for name in ("label", "labels", "annotations", "entities"):
            listed = value.get(name)
            for number, each in enumerate(as_list(listed)):
                if isinstance(each, str):
                    labels.append((each, None))
                    continue
                annotation = self._annotation(each, text, f"/{name}/{number}", chunk, index)
                if annotation is not None:
                    own = each.get("id") if isinstance(each, dict) else None
                    given = None if own is None else str(own)
                    unique = self._unique(given, len(annotations), ids, chunk, index)
                    annotations.append(msgspec.structs.replace(annotation, id=unique))
        for number, each in enumerate(as_list(value.get("cats"))):
            if isinstance(each, str):
                labels.append((each, None))
                continue
            self._report.ledger.classifications.read += 1
            fault = Fault("a label as a text", shown(each), f"/cats/{number}", each)
            self._rows.refuse(chunk, fault, index, "classifications")
        for name in value:
            if name not in _KNOWN:
                self._report.field(f"doccano:{name}")
        return Sample(
            key,
            Text(text),
            tuple(annotations),
            self._answers(labels, chunk, index),
            self._relations(value, ids, chunk, index),
            key_is_id=self._rows.are_ids,
        )

    def _annotation(
        self, each: Any, text: str, pointer: str, chunk: Chunk[Any], index: int
    ) -> Annotation | None:
        """A span as `[start, end, label]` or as an object; its id is not settled yet."""
        self._report.ledger.annotations.read += 1
        start: Any
        end: Any
        label: Any
        if isinstance(each, list) and len(each) == 3:
            start, end, label = each
        elif isinstance(each, dict):
            start, end, label = each.get("start_offset"), each.get("end_offset"), each.get("label")
            for name in each.keys() - _OF_SPANS:
                self._report.field(f"doccano:spans.{name}")
        else:
            start = end = label = None
        whole = type(start) is int and type(end) is int
        if not whole or not isinstance(label, (str, int)) or isinstance(label, bool):
            expected = "a label, or a span with start, end and label"
            self._rows.refuse(chunk, Fault(expected, shown(each), pointer, each), index)
            return None
        where = chunk.where(self._rows.path, index, pointer)
        span = self._spans.span(text, start, end, where, msgspec.json.encode(each))
        return None if span is None else Annotation("", str(label), span)

    def _unique(
        self, given: str | None, number: int, ids: dict[str, str], chunk: Chunk[Any], index: int
    ) -> str:
        id = given if given is not None else str(number)
        if id in ids:
            while id in ids:
                id += f"/{number}"
            if given is not None:
                where = chunk.where(self._rows.path, index)
                code = codes.ANNOTATION_ID_DUPLICATE
                self._report.add(code, where, value=given, renamed=id)
        ids[id] = id
        return id

    def _answers(
        self, labels: list[tuple[str, float | None]], chunk: Chunk[Any], index: int
    ) -> tuple[Classification, ...]:
        if not labels:
            return ()
        name, kind = self._options.question, self._options.cats
        if kind == "text":
            self._report.ledger.classifications.read += len(labels)
            return tuple(Classification(name, FreeText(text)) for text, _ in labels)
        self._report.ledger.classifications.read += 1
        try:
            return (answered(labels, name, kind),)
        except Fault as fault:
            fault.part = [name for name, _ in labels]
            self._rows.refuse(chunk, fault, index, "classifications")
            return ()

    def _relations(
        self, value: dict[str, Any], ids: dict[str, str], chunk: Chunk[Any], index: int
    ) -> tuple[Relation, ...]:
        """Relations name the ids of entities, not their positions."""
        made = []
        for number, each in enumerate(as_list(value.get("relations"))):
            self._report.ledger.relations.read += 1
            pointer = f"/relations/{number}"
            if not isinstance(each, dict) or not {"from_id", "to_id", "type"} <= each.keys():
                fault = Fault("from_id, to_id and type", shown(each), pointer, each)
                self._rows.refuse(chunk, fault, index, "relations")
                continue
            ends = [ids.get(str(each[name])) for name in ("from_id", "to_id")]
            if ends[0] is None or ends[1] is None:
                where = chunk.where(self._rows.path, index, pointer)
                missing = each["from_id"] if ends[0] is None else each["to_id"]
                raw = msgspec.json.encode(each)
                code = codes.RELATION_END_MISSING
                self._report.reject(code, where, raw, "relations", missing=missing)
                continue
            id = f"r{each.get('id', number)}"
            directed = each.get("directed") is not False
            made.append(Relation(id, str(each["type"]), ends[0], ends[1], directed))
        return tuple(made)


# ------------------------------------------------------------------------------ writing


def write(dataset: Dataset, target: Path, options: DoccanoWriterOptions, report: Report) -> None:
    """Write one JSON line for each text. `key` is kept by doccano as a field of metadata."""
    encode = msgspec.json.Encoder().encode_lines
    count = 0
    with target.open("wb") as file:
        buffer: list[dict[str, Any]] = []
        for sample in dataset:
            buffer.append(_line(sample, options))
            count += 1
            if len(buffer) == _BUFFER:
                file.write(encode(buffer))
                buffer.clear()
        file.write(encode(buffer))
    report.ledger.written["lines"] = count


def _line(sample: Sample, options: DoccanoWriterOptions) -> dict[str, Any]:
    assert isinstance(sample.media, Text)
    spans: list[tuple[int, int, str]] = []
    for annotation in sample.annotations:
        value = annotation.value
        assert isinstance(value, TextSpan)
        spans.append((value.start, value.end, annotation.category))
    labels = [
        option.name
        for each in sample.classifications
        for option in ((each.answer,) if isinstance(each.answer, Radio) else _ticked(each.answer))
    ]
    line: dict[str, Any] = {"key": sample.key, "text": sample.media.content}
    if options.style == "entities" or (options.style == "auto" and sample.relations):
        line["entities"] = [
            {"id": number, "label": label, "start_offset": start, "end_offset": end}
            for number, (start, end, label) in enumerate(spans)
        ]
        numbers = {annotation.id: n for n, annotation in enumerate(sample.annotations)}
        line["relations"] = [
            {
                "id": number,
                "from_id": numbers[each.source],
                "to_id": numbers[each.target],
                "type": each.category,
                **({} if each.directed else {"directed": False}),
            }
            for number, each in enumerate(sample.relations)
        ]
        if labels:
            line["cats"] = labels
        return line
    if labels and not spans:
        return {**line, "label": labels}
    line["label"] = spans
    return {**line, "cats": labels} if labels else line


def _ticked(answer: Any) -> tuple[Radio, ...]:
    return answer.options if isinstance(answer, Checklist) else ()


FORMAT = Format(
    name="doccano",
    about="doccano JSONL: spans, labels of texts, relations",
    url="https://doccano.github.io/doccano/",
    holds=holds,
    read=read,
    write=write,
    reader_options=DoccanoReaderOptions,
    writer_options=DoccanoWriterOptions,
    sniff=sniff,
    extensions=(".doccano.jsonl",),
)
