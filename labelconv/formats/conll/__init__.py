"""CoNLL: a token a line with its tags; IOB1, IOB2, BIOES, BILUO, `token|tag`, CoNLL-U."""

from __future__ import annotations

from pathlib import Path

from labelconv.format import Evidence, Format, Holds, Reading
from labelconv.formats.conll.options import ConllReaderOptions, ConllWriterOptions
from labelconv.io import Peek, Source
from labelconv.model import Dataset, Text, TextSpan
from labelconv.problems import Report


def holds(options: ConllWriterOptions) -> tuple[Holds, ...]:
    """Spans that tags of tokens can say: none within another."""
    return (
        Holds(
            media=Text,
            values=frozenset({TextSpan}),
            spans="flat",
            names="word",
            uri=False,
            needs_size=True,
            precision=0.0,
        ),
    )


def sniff(peek: Peek) -> Evidence:
    """Lines of as many columns each, the last of them tags."""
    from labelconv.formats.conll.lines import evidence

    if peek.is_folder or peek.text[:1] in (b"{", b"[", b"<"):
        return Evidence(0, "no lines of tokens")
    return evidence(peek.head)


def read(source: Source, options: ConllReaderOptions, reading: Reading) -> Dataset:
    """The texts of a file (see `reader`, loaded when first needed)."""
    from labelconv.formats.conll.reader import read as read_now

    return read_now(source, options, reading)


def write(dataset: Dataset, target: Path, options: ConllWriterOptions, report: Report) -> None:
    """Write a token a line (see `writer`, loaded when first needed)."""
    from labelconv.formats.conll.writer import write as write_now

    write_now(dataset, target, options, report)


FORMAT = Format(
    name="conll",
    about="CoNLL: a token a line with its tag; CoNLL-2003, CoNLL-U, IOB",
    url="https://universaldependencies.org/format.html",
    holds=holds,
    read=read,
    write=write,
    reader_options=ConllReaderOptions,
    writer_options=ConllWriterOptions,
    sniff=sniff,
    extensions=(".conll", ".conllu", ".iob", ".bio"),
)
