"""Writes Ultralytics NDJSON in one pass, in memory that does not grow."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from labelconv import fractions, tasks
from labelconv.corrections import with_points
from labelconv.formats.ultralytics_ndjson.options import (
    CLASSIFY,
    MEMBERS,
    NAME,
    UltralyticsNdjsonWriterOptions,
)
from labelconv.model import Annotation, Box, Dataset, Keypoints, Polygon, Radio, Sample
from labelconv.problems import Report


def write(
    dataset: Dataset, target: Path, options: UltralyticsNdjsonWriterOptions, report: Report
) -> None:
    """Write the dataset record and a line for each sample."""
    task = "detect" if options.task == "auto" else options.task
    encode = msgspec.json.Encoder().encode
    samples = iter(dataset)
    classes = tasks.Classes.of(dataset.ontology, task)
    first_width = classes.width
    pictures = annotations = 0
    # Classes and keypoints that no ontology lists are met on the way, so the header comes last.
    with target.open("wb") as file, tempfile.TemporaryFile(dir=target.parent) as body:
        for sample in samples:
            drawn = with_points(sample, NAME, report)
            body.write(encode(_record(sample, drawn, task, classes, options)) + b"\n")
            pictures += 1
            annotations += len(drawn)
        file.write(encode(_dataset_record(dataset, task, classes)) + b"\n")
        body.seek(0)
        for line in body:
            if task == "pose" and classes.width > first_width:
                line = encode(_widened(msgspec.json.decode(line), classes.width)) + b"\n"
            file.write(line)
    report.ledger.written.update(samples=pictures, annotations=annotations)


def _record(
    sample: Sample,
    drawn: tuple[Annotation, ...],
    task: str,
    classes: tasks.Classes,
    options: UltralyticsNdjsonWriterOptions,
) -> dict[str, Any]:
    record: dict[str, Any] = {"type": "image", "file": sample.key}
    if sample.uri is not None:
        record["url" if "://" in sample.uri else "uri"] = sample.uri
    media: Any = sample.media
    if media.width and media.height:
        record["width"], record["height"] = media.width, media.height
    record["split"] = sample.extra.get(f"{NAME}:split", options.split)
    for name, value in sample.extra.items():
        record.setdefault(name.removeprefix(f"{NAME}:"), value)
    rows: list[Any]
    if task == "classify":
        answers = [each.answer for each in sample.classifications]
        rows = [classes.number(each.name) for each in answers if isinstance(each, Radio)]
    else:
        precision = fractions.digits(media.width, media.height)
        rows = [
            [
                classes.number(annotation.category),
                *(
                    round(number, precision)
                    for number in _numbers(annotation, media, task, classes)
                ),
            ]
            for annotation in drawn
        ]
    if rows:
        record["annotations"] = {MEMBERS.get(task, CLASSIFY): rows}
    return record


def _numbers(
    annotation: Annotation, media: Any, task: str, classes: tasks.Classes
) -> Sequence[float]:
    """The numbers of a row behind its class."""
    value: Any = annotation.value
    width, height = media.width, media.height
    if isinstance(value, Keypoints):
        places = classes.places(annotation.category, value)
        points = [0.0] * (3 * classes.width)
        for place, point in zip(places, value.points, strict=True):
            at, seen = 3 * place, 2.0 if point.visible else 1.0
            points[at : at + 3] = (point.x / width, point.y / height, seen)
        assert isinstance(value.outline, Box)  # what outlines are held
        return (*fractions.of_box(value.outline, width, height), *points)
    if isinstance(value, Box):
        bare = 3 * classes.width if task == "pose" else 0
        return (*fractions.of_box(value, width, height), *[0.0] * bare)
    if isinstance(value, Polygon):
        return fractions.of_ring(value.parts[0][0], width, height)
    return fractions.of_corners(value, width, height)


def _widened(record: dict[str, Any], width: int) -> dict[str, Any]:
    """A record whose poses have places for so many keypoints; those added are not labelled."""
    for row in record.get("annotations", {}).get("pose", ()):
        row.extend([0] * (5 + 3 * width - len(row)))
    return record


def _dataset_record(dataset: Dataset, task: str, classes: tasks.Classes) -> dict[str, Any]:
    names = {str(number): name for name, number in classes.numbers.items()}
    record: dict[str, Any] = {"type": "dataset", "task": task}
    for name, value in dataset.info.items():
        if name.startswith(f"{NAME}:"):
            record[name.removeprefix(f"{NAME}:")] = value
    record["class_names"] = names
    if task == "pose":
        record["kpt_shape"] = [classes.width, 3]
        record["kpt_names"] = {
            str(classes.number(name)): points for name, points in classes.keypoints.items()
        }
    return record
