"""Ultralytics NDJSON: a dataset record, then a picture with its labels a line.

Rules of ultralytics 8.4 (`convert_ndjson_to_yolo`): the numbers are those of its label files.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import msgspec

from labelconv import tasks
from labelconv.format import Evidence, Format, Holds, Reading
from labelconv.formats.ultralytics_ndjson.options import (
    NAME,
    UltralyticsNdjsonReaderOptions,
    UltralyticsNdjsonWriterOptions,
)
from labelconv.fractions import PRECISION_PX
from labelconv.io import Peek, Source
from labelconv.model import Dataset, Image, Radio, Sample
from labelconv.problems import Report

_PARTS: dict[str, Literal["joined", "annotations", "largest"]] = {
    "join": "joined",
    "split": "annotations",
    "largest": "largest",
}


def holds(options: UltralyticsNdjsonWriterOptions) -> tuple[Holds, ...]:
    """What labels of a task hold. A task that is still to be chosen is taken for `detect`."""
    task = "detect" if options.task == "auto" else options.task
    classify = task == "classify"
    return (
        Holds(
            media=Image,
            values=tasks.VALUES[task],
            parts_become=_PARTS[options.parts],
            holes_become="joined" if options.holes == "join" else "filled",
            questions=1 if classify else 0,
            answers=frozenset({Radio}),
            question=tasks.QUESTION if classify else None,
            extra="own",
            precision=PRECISION_PX,
            needs_size=not classify,
            within=not classify,
            quads=task == "obb",
            outlined=task == "pose",
        ),
    )


def settle(
    options: UltralyticsNdjsonWriterOptions, samples: Iterator[Sample]
) -> tuple[UltralyticsNdjsonWriterOptions, list[str]]:
    """The options with a task: the one that holds most of what the first samples have."""
    if options.task != "auto":
        return options, []
    task, evidence = tasks.choose(samples)
    return msgspec.structs.replace(options, task=task), [evidence]


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
    settle=settle,
    extensions=(".ultralytics.ndjson",),
)
