"""YOLO as ultralytics and darknet have it: a text file of rows for each picture, five tasks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from labelconv import tasks
from labelconv.format import Evidence, Format, Holds, Reading
from labelconv.formats.yolo.options import YoloReaderOptions, YoloWriterOptions
from labelconv.io import Peek, Source
from labelconv.model import Dataset
from labelconv.problems import Report


def holds(options: YoloWriterOptions) -> tuple[Holds, ...]:
    """What labels of a task hold; pictures are files, and those of classes have one each."""
    held = tasks.held(options.task, options.parts, options.holes)
    return (
        msgspec.structs.replace(
            held,
            confidence=options.confidence,
            empty=options.task != "classify",
            uri=False,
            keys="stem",
            names="line",
        ),
    )


def sniff(peek: Peek) -> Evidence:
    """YOLO by its data.yaml, by darknet's obj.data, or by names of classes beside text files."""
    if not peek.is_folder:
        return _sniff_file(peek)
    names = {name.lower() for name in peek.entries}
    described = sorted(name for name in names if name.endswith((".yaml", ".yml")))
    folders = {"images/", "labels/", "train/", "val/", "valid/", "test/"} & names
    if described and (folders or {"train.txt", "val.txt"} & names):
        found = sorted(folders) or ["train.txt"]
        return Evidence(3, f"{described[0]} beside {' and '.join(found)}")
    if "obj.data" in names or "obj.names" in names:
        return Evidence(3, "darknet's obj.data or obj.names")
    if {"classes.txt", "_darknet.labels"} & names:
        return Evidence(2, "names of classes (classes.txt) in a folder")
    if "images/" in names and "labels/" in names:
        return Evidence(1, "folders images and labels")
    return Evidence(0, "a folder without data.yaml, obj.data and classes.txt")


def _sniff_file(peek: Peek) -> Evidence:
    name = peek.name.lower()
    if name.endswith((".yaml", ".yml")):
        lines = [line.partition(b":")[0].strip() for line in peek.text.splitlines()]
        found = [word for word in (b"names", b"nc", b"train", b"val", b"path") if word in lines]
        if (b"names" in found or b"nc" in found) and len(found) > 1:
            listed = ", ".join(word.decode() for word in found)
            return Evidence(3, f"YAML with {listed}")
        return Evidence(0, "YAML without names and train")
    if name.endswith(".data") and b"names" in peek.text and b"=" in peek.text:
        return Evidence(3, "darknet's data file with names")
    return Evidence(0, "not a folder, a data.yaml or an obj.data")


def read(source: Source, options: YoloReaderOptions, reading: Reading) -> Dataset:
    """The samples of a YOLO dataset (see `reader`, loaded when first needed)."""
    from labelconv.formats.yolo.reader import read as read_now

    return read_now(source, options, reading)


def write(dataset: Dataset, target: Path, options: YoloWriterOptions, report: Report) -> None:
    """Write a YOLO folder (see `writer`, loaded when first needed)."""
    from labelconv.formats.yolo.writer import write as write_now

    write_now(dataset, target, options, report)


def folder(options: Any) -> bool:
    """Always a folder."""
    return True


FORMAT = Format(
    name="yolo",
    about="YOLO: a text file of rows for each picture; detect, segment, obb, pose, classify",
    url="https://docs.ultralytics.com/datasets/",
    holds=holds,
    read=read,
    write=write,
    reader_options=YoloReaderOptions,
    writer_options=YoloWriterOptions,
    sniff=sniff,
    folder=folder,
    settle=tasks.settle,
)
