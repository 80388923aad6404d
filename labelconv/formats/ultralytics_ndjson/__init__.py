"""Ultralytics NDJSON: a dataset record, then a picture with its labels a line.

Rules of ultralytics 8.4 (`convert_ndjson_to_yolo`): the numbers are those of its label files.
"""

from __future__ import annotations

import json
from pathlib import Path

from labelconv import tasks
from labelconv.format import Evidence, Format, Holds, Reading
from labelconv.formats.ultralytics_ndjson.options import (
    NAME,
    UltralyticsNdjsonReaderOptions,
    UltralyticsNdjsonWriterOptions,
)
from labelconv.io import Peek, Source
from labelconv.model import Dataset
from labelconv.problems import Report


def holds(options: UltralyticsNdjsonWriterOptions) -> tuple[Holds, ...]:
    """What labels of a task hold."""
    return (tasks.held(options.task, options.parts, options.holes),)


def sniff(peek: Peek) -> Evidence:
    """By its first line: a record of type `dataset`."""
    first = peek.text.partition(b"\n")[0]
    try:
        record = json.loads(first)
    except (ValueError, RecursionError):
        return Evidence(0, "no JSON object in the first line")
    if isinstance(record, dict) and record.get("type") == "dataset":
        return Evidence(3, "a first line of type dataset")
    return Evidence(0, "no type dataset in the first line")


def read(source: Source, options: UltralyticsNdjsonReaderOptions, reading: Reading) -> Dataset:
    """The samples of a file (see `reader`, loaded when first needed)."""
    from labelconv.formats.ultralytics_ndjson.reader import read as read_now

    return read_now(source, options, reading)


def write(
    dataset: Dataset, target: Path, options: UltralyticsNdjsonWriterOptions, report: Report
) -> None:
    """Write a file (see `writer`, loaded when first needed)."""
    from labelconv.formats.ultralytics_ndjson.writer import write as write_now

    write_now(dataset, target, options, report)


FORMAT = Format(
    name=NAME,
    about="Ultralytics NDJSON: a dataset record, then a picture a line",
    url="https://docs.ultralytics.com/datasets/detect/#ultralytics-ndjson-format",
    holds=holds,
    read=read,
    write=write,
    reader_options=UltralyticsNdjsonReaderOptions,
    writer_options=UltralyticsNdjsonWriterOptions,
    sniff=sniff,
    settle=tasks.settle,
    extensions=(".ultralytics.ndjson",),
)
