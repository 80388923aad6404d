"""brat standoff: a text file and a file of annotations (`.ann`) beside it for each text."""

from __future__ import annotations

from pathlib import Path

from labelconv.format import Evidence, Format, Holds, NoOptions, Reading
from labelconv.formats.brat.options import BratReaderOptions
from labelconv.io import Peek, Source
from labelconv.model import Dataset, Radio, Text, TextSpan
from labelconv.problems import Report


def holds(options: NoOptions) -> tuple[Holds, ...]:
    """Spans with attributes, and relations. Keys are the names of the files."""
    return (
        Holds(
            media=Text,
            values=frozenset({TextSpan}),
            classifications=1,
            answers=frozenset({Radio}),
            relations=True,
            uri=False,
            extra="own",
            keys="path",
            names="word",
            needs_size=True,
            precision=0.0,
        ),
    )


def sniff(peek: Peek) -> Evidence:
    """A folder with `.ann` files, or one such file, whose lines are told by their first letter."""
    if peek.is_folder:
        if any(name.endswith(".ann") for name in peek.entries):
            return Evidence(3, "a folder with .ann files")
        return Evidence(0, "a folder without .ann files")
    first = peek.text.split(b"\n", 1)[0].split(b"\t")
    if peek.name.endswith(".ann") and first[0][:1] in (
        b"T",
        b"R",
        b"E",
        b"A",
        b"M",
        b"N",
        b"#",
        b"*",
    ):
        return Evidence(3, "a file of standoff annotations")
    return Evidence(0, "no .ann file")


def read(source: Source, options: BratReaderOptions, reading: Reading) -> Dataset:
    """The texts of a folder (see `reader`, loaded when first needed)."""
    from labelconv.formats.brat.reader import read as read_now

    return read_now(source, options, reading)


def write(dataset: Dataset, target: Path, options: NoOptions, report: Report) -> None:
    """Write two files for each text (see `writer`, loaded when first needed)."""
    from labelconv.formats.brat.writer import write as write_now

    write_now(dataset, target, options, report)


FORMAT = Format(
    name="brat",
    about="brat standoff: .txt and .ann files",
    url="https://brat.nlplab.org/standoff.html",
    holds=holds,
    read=read,
    write=write,
    reader_options=BratReaderOptions,
    sniff=sniff,
    folder=lambda options: True,
)
