"""spaCy and Prodigy: DocBin, training JSON, tuples with offsets or tags, JSONL with spans."""

from __future__ import annotations

import re
from pathlib import Path

from labelconv.format import Evidence, Format, Holds, Reading
from labelconv.formats.spacy.options import SpacyReaderOptions, SpacyWriterOptions
from labelconv.io import Peek, Source
from labelconv.model import Checklist, Dataset, Radio, Text, TextSpan
from labelconv.problems import Report


def holds(options: SpacyWriterOptions) -> tuple[Holds, ...]:
    """Spans, one level of choices, and relations; the same in a DocBin and in JSON lines."""
    return (
        Holds(
            media=Text,
            values=frozenset({TextSpan}),
            questions=1,
            answers=frozenset({Radio, Checklist}),
            relations=True,
            ids=True,
            uri=False,
            extra="own",
            needs_size=True,
            precision=0.0,
        ),
    )


_OWN = frozenset(
    ("spans", "ents", "cats", "entities", "tokens", "answer", "_input_hash", "_task_hash")
)
#: Labels without scores, as doccano has them.
_LABELS = re.compile(rb'"cats"\s*:\s*\[\s*"')


def sniff(peek: Peek) -> Evidence:
    """A packed DocBin, or JSON records with a text and what spaCy or Prodigy say about it."""
    if peek.is_folder:
        return Evidence(0, "a folder, not a file")
    if peek.head[:1] == b"\x78":
        from labelconv.formats.spacy.records import is_docbin

        if is_docbin(peek.head):
            return Evidence(3, "a packed DocBin")
    text = peek.text
    if text[:1] == b"[" and text[1:].lstrip()[:1] in (b"[", b'"'):
        if b'"entities"' in text or b'"cats"' in text or b'"spans"' in text:
            return Evidence(3, "lists of a text and its entities")
        return Evidence(0, "a JSON list of lists without entities")
    if text[:1] not in (b"{", b"["):
        return Evidence(0, "neither a DocBin nor JSON")
    from labelconv.texts import first_names

    names = set(first_names(peek))
    if text[:1] == b"[" and "paragraphs" in names:
        return Evidence(3, "a JSON list of records with paragraphs (training data)")
    if {"classes", "annotations"} <= names and b'"entities"' in text:
        return Evidence(3, "a JSON object of classes and annotations with entities")
    others = "pages" in names or b'"start_offset"' in text[:4096]
    if "text" not in names or others or _LABELS.search(text) is not None:
        return Evidence(0, "no JSON records with text and spans")
    own = sorted(names & _OWN)
    if own:
        return Evidence(3, f"JSON records with text, {', '.join(own)}")
    if names <= {"text", "meta", "id", "key", "labelconv"}:
        return Evidence(2, "JSON records with nothing but a text")
    return Evidence(0, "JSON records with a text, without spans, entities or cats")


def read(source: Source, options: SpacyReaderOptions, reading: Reading) -> Dataset:
    """The texts of a file of spaCy's or Prodigy's (see `reader`, loaded when first needed)."""
    from labelconv.formats.spacy.reader import read as read_now

    return read_now(source, options, reading)


def write(dataset: Dataset, target: Path, options: SpacyWriterOptions, report: Report) -> None:
    """Write a DocBin or JSON lines (see `writer`, loaded when first needed)."""
    from labelconv.formats.spacy.writer import write as write_now

    write_now(dataset, target, options, report)


FORMAT = Format(
    name="spacy",
    about="spaCy and Prodigy: DocBin, training JSON, tuples, JSONL",
    url="https://spacy.io/api/data-formats",
    holds=holds,
    read=read,
    write=write,
    reader_options=SpacyReaderOptions,
    writer_options=SpacyWriterOptions,
    sniff=sniff,
    extensions=(".spacy",),
)
