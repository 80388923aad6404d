"""Answers about whole texts: categories with scores, Prodigy's labels, and what labelconv wrote."""

from __future__ import annotations

from labelconv.formats.spacy.options import SpacyReaderOptions
from labelconv.formats.spacy.records import Block, Record
from labelconv.model import Checklist, Classification, Radio
from labelconv.problems import Ledger
from labelconv.texts import Chunk, Fault, Rows, answered


def answers_of(
    record: Record,
    block: Block,
    chunk: Chunk[Record],
    index: int,
    options: SpacyReaderOptions,
    rows: Rows,
    ledger: Ledger,
) -> tuple[Classification, ...]:
    """The answers about a text, which are counted as read."""
    account = ledger.classifications
    if block.answers is not None:
        account.read += len(block.answers)
        return tuple(answer(*each) for each in block.answers)
    labels = labels_of(record, options)
    if not labels:
        return ()
    account.read += 1
    try:
        return (answered(labels, options.question, options.cats),)
    except Fault as fault:
        fault.pointer, fault.part = "/cats", record.cats
        rows.refuse(chunk, fault, index, "classifications")
        return ()


def labels_of(record: Record, options: SpacyReaderOptions) -> list[tuple[str, float | None]]:
    """The labels that hold, with their scores where they are no plain yes."""
    labels: list[tuple[str, float | None]] = []
    for name, score in (record.cats or {}).items():
        if score >= options.threshold:
            labels.append((name, score if 0 < score < 1 else None))
    if record.label is not None:
        labels.append((record.label, None))
    labels.extend((str(each), None) for each in record.accept or ())
    return labels


def answer(question: str, kind: str, options: list[str]) -> Classification:
    """The answer that labelconv wrote down."""
    if kind == "radio" and len(options) == 1:
        return Classification(question, Radio(options[0]))
    return Classification(question, Checklist(tuple(map(Radio, options))))
