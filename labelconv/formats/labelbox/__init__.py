"""Labelbox model-assisted-labeling (MAL) NDJSON."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO

from labelconv.format import Evidence, Format, Reading
from labelconv.formats.labelbox.held import holds
from labelconv.formats.labelbox.options import LabelboxReaderOptions, LabelboxWriterOptions
from labelconv.io import Peek, Source
from labelconv.jobs import SharedWriting
from labelconv.model import Dataset
from labelconv.problems import Report


def sniff(peek: Peek) -> Evidence:
    """MAL by its lines: JSON objects with `dataRow`."""
    text = peek.text
    if peek.is_folder:
        from labelconv.formats.labelbox.reader_files import lines_in

        found = lines_in(Path(peek.name))
        if not found:
            return Evidence(0, "a folder without .ndjson files")
        text = Source(found[0]).peek().text
    first = text.split(b"\n", 1)[0]
    if first[:1] == b"{" and b'"dataRow"' in first:
        return Evidence(3, "lines of JSON objects with dataRow")
    return Evidence(0, "no dataRow in the first line")


def check_file(
    source: str | BinaryIO,
    report: Report,
    *,
    ontology: str | None = None,
    sizes: Mapping[str, tuple[float, float]] | None = None,
) -> int:
    """Report what Labelbox would refuse; `ontology` is the path of the project's ontology."""
    from labelconv.formats.labelbox import check as rules
    from labelconv.formats.labelbox.ontology import read_ontology

    known = None
    if ontology is not None:
        with Source(ontology).open() as file:
            known = read_ontology(file.read(), ontology)
    return rules.check(source, report, ontology=known, sizes=sizes)


def read(source: Source, options: LabelboxReaderOptions, reading: Reading) -> Dataset:
    """The samples of MAL lines (see `reader`, loaded when first needed)."""
    from labelconv.formats.labelbox.reader import read as read_now

    dataset = read_now(source, options, reading)
    if options.scale == 1.0:
        return dataset
    from labelconv.formats.labelbox.layers import scaled

    return scaled(dataset, options.scale)


def write(dataset: Dataset, target: Path, options: LabelboxWriterOptions, report: Report) -> None:
    """Write MAL lines (see `writer`, loaded when first needed)."""
    from labelconv.formats.labelbox.writer import write as write_now

    if options.scale != 1.0:
        from labelconv.formats.labelbox.layers import scaled

        dataset = scaled(dataset, options.scale)
    write_now(dataset, target, options, report)


def shared(options: LabelboxWriterOptions) -> SharedWriting | None:
    """How to write one file of lines in several processes; what is a folder or scaled is for
    one alone."""
    if options.masks == "composite" or options.lines is not None or options.scale != 1.0:
        return None
    from labelconv.formats.labelbox.writer import SHARED

    return SHARED


FORMAT = Format(
    name="labelbox",
    about="Labelbox model-assisted-labeling (MAL) NDJSON, all kinds of media",
    url="https://docs.labelbox.com/reference/import-image-annotations",
    holds=holds,
    read=read,
    write=write,
    reader_options=LabelboxReaderOptions,
    writer_options=LabelboxWriterOptions,
    sniff=sniff,
    shared=shared,
    check=check_file,
    extensions=(".ndjson", ".jsonl"),
    folder=lambda options: options.masks == "composite" or options.lines is not None,
)
