"""Writes spaCy's DocBin, or JSON lines as Prodigy reads them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from labelconv.formats.spacy.options import SpacyWriterOptions
from labelconv.formats.spacy.records import Block
from labelconv.model import Annotation, Checklist, Classification, Dataset, Radio, Sample, Text
from labelconv.problems import Report
from labelconv.targets import final_name
from labelconv.tokens import Tokenizer, tokenizer

_BUFFER = 500


def write(dataset: Dataset, target: Path, options: SpacyWriterOptions, report: Report) -> None:
    """Write a DocBin or JSON lines, as `style` or the target's ending says."""
    style = options.style
    if style == "auto":
        style = "docbin" if final_name(target).lower().endswith(".spacy") else "jsonl"
    cut = tokenizer(options.language)
    if style == "docbin":
        from labelconv.formats.spacy.docbin_writer import DocBinWriter

        packed = DocBinWriter(options, cut)
        cats = Cats(dataset)
        for sample in dataset:
            packed.add(sample, cats)
        target.write_bytes(packed.packed())
        report.ledger.written["docs"] = packed.count
        if packed.left_out:
            report.field("spacy:meta", packed.left_out)
        return
    report.ledger.written["lines"] = _lines(dataset, target, cut)


def _lines(dataset: Dataset, target: Path, cut: Tokenizer) -> int:
    encode = msgspec.json.Encoder().encode_lines
    cats = Cats(dataset)
    count = 0
    with target.open("wb") as file:
        buffer: list[dict[str, Any]] = []
        for sample in dataset:
            buffer.append(_line(sample, cats, cut))
            if len(buffer) == _BUFFER:
                file.write(encode(buffer))
                buffer.clear()
            count += 1
        file.write(encode(buffer))
    return count


def _line(sample: Sample, cats: Cats, cut: Tokenizer) -> dict[str, Any]:
    assert isinstance(sample.media, Text)
    text = sample.media.content or ""
    spans = [_span(annotation, number) for number, annotation in enumerate(sample.annotations)]
    line: dict[str, Any] = {"text": text, "spans": spans}
    if "spacy:meta" in sample.extra:
        line["meta"] = sample.extra["spacy:meta"]
    block = Block(key=sample.key)
    if sample.classifications:
        line["cats"] = cats.scores(sample.classifications)
        block.answers = answers(sample.classifications)
    if sample.relations:
        _add_relations(line, sample, text, cut)
    line["answer"] = "accept"
    line["labelconv"] = block
    return line


def _span(annotation: Annotation, number: int) -> dict[str, Any]:
    value: Any = annotation.value
    span = {"start": value.start, "end": value.end, "label": annotation.category}
    if annotation.id != str(number):
        span["id"] = annotation.id
    if annotation.extra:
        for name in ("group", "kb_id"):
            said = annotation.extra.get(f"spacy:{name}")
            if said is not None:
                span[name] = said
    return span


def _add_relations(line: dict[str, Any], sample: Sample, text: str, cut: Tokenizer) -> None:
    """Relations join tokens, so that Prodigy needs them; each end is told by its span as well."""
    borders = [edge for span in line["spans"] for edge in (span["start"], span["end"])]
    places = [place for place in cut(text, borders) if text[place[0] : place[1]] != " "]
    line["tokens"] = [
        {"text": text[a:b], "start": a, "end": b, "id": number, "ws": text[b : b + 1] == " "}
        for number, (a, b) in enumerate(places)
    ]
    starts: dict[int, int] = {}
    ends: dict[int, int] = {}
    for number, (start, end) in enumerate(places):
        starts[start] = ends[end] = number
    by_id = {}
    for annotation, span in zip(sample.annotations, line["spans"], strict=True):
        span["token_start"] = starts.get(span["start"], 0)
        span["token_end"] = ends.get(span["end"], span["token_start"])
        by_id[annotation.id] = span
    line["relations"] = [
        {
            "head": by_id[relation.source]["token_end"],
            "child": by_id[relation.target]["token_end"],
            "label": relation.category,
            "head_span": _end(by_id[relation.source], relation.source),
            "child_span": _end(by_id[relation.target], relation.target),
            "id": relation.id,
            **({} if relation.directed else {"directed": False}),
        }
        for relation in sample.relations
    ]


def _end(span: dict[str, Any], id: str) -> dict[str, Any]:
    names = ("start", "end", "token_start", "token_end", "label")
    return {**{name: span[name] for name in names}, "id": id}


# ------------------------------------------------------------------------------ answers


class Cats:
    """Turns answers into scores by label: 1 for what was chosen, 0 for what could have been.

    Where there are several questions, labels are spelled `question: option`.
    """

    def __init__(self, dataset: Dataset) -> None:
        self._dataset = dataset
        self._options: dict[str, list[str]] | None = None

    def scores(self, classifications: tuple[Classification, ...]) -> dict[str, float]:
        if self._options is None:
            questions = self._dataset.ontology.questions
            self._options = {each.name: [o.name for o in each.options] for each in questions}
        several = len(self._options.keys() | {each.name for each in classifications}) > 1
        scores: dict[str, float] = {}
        for each in classifications:
            start = f"{each.name}: " if several else ""
            for option in self._options.get(each.name, ()):
                scores.setdefault(start + option, 0.0)
            for chosen in _chosen(each):
                scores[start + chosen] = 1.0
        return scores


def answers(classifications: tuple[Classification, ...]) -> list[tuple[str, str, list[str]]]:
    """The answers as labelconv's own block keeps them."""
    return [
        (each.name, "radio" if isinstance(each.answer, Radio) else "checklist", _chosen(each))
        for each in classifications
    ]


def _chosen(classification: Classification) -> list[str]:
    answer = classification.answer
    if isinstance(answer, Checklist):
        return [option.name for option in answer.options]
    assert isinstance(answer, Radio)  # `fit` saw to it
    return [answer.name]
