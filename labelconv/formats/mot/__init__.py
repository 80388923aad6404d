"""MOT Challenge: one row for each object and frame."""

from __future__ import annotations

import re
from itertools import islice
from pathlib import Path

from labelconv.format import Evidence, Format, HeldTracks, Holds, Reading
from labelconv.formats.mot.options import MotReaderOptions, MotWriterOptions
from labelconv.io import Peek, Source
from labelconv.model import Box, Dataset, Track, Video
from labelconv.problems import Report

_NUMBER = rb"\s*[-+]?\d[-+.\deE]*\s*"
_ROW = re.compile(rb"\s*[1-9]\d*\s*,\s*-?\d+\s*(?:,%b){5,8}\r?" % _NUMBER)


def holds(options: MotWriterOptions) -> tuple[Holds, ...]:
    """Boxes for every frame, and what seqinfo.ini says."""
    return (
        Holds(
            media=Video,
            values=frozenset({Track}),
            keyframes=frozenset({Box}),
            uri=False,
            extra="own",
            keys="path",
            names="line",
            tracks=HeldTracks(every_frame=True),
        ),
    )


def sniff(peek: Peek) -> Evidence:
    """MOT by its folders, or by rows of numbers."""
    if peek.is_folder:
        root = Path(peek.name)
        inside = [root / name for name in peek.entries[:20] if name.endswith("/")]
        below = [path for folder in inside for path in islice(folder.iterdir(), 20)]
        for folder in (root, *inside, *below):
            for name in ("seqinfo.ini", "gt/gt.txt", "det/det.txt"):
                if (folder / name).is_file():
                    return Evidence(3, f"a folder with sequences ({name})")
        return Evidence(0, "a folder without seqinfo.ini, gt/gt.txt and det/det.txt")
    first = peek.text.split(b"\n", 1)[0]
    if _ROW.fullmatch(first):
        return Evidence(2, "7 to 10 numbers with commas on the first line, frame and id first")
    return Evidence(0, "no row of 7 to 10 numbers with commas")


def read(source: Source, options: MotReaderOptions, reading: Reading) -> Dataset:
    """The sequences (see `reader`, loaded when first needed)."""
    from labelconv.formats.mot.reader import read as read_now

    return read_now(source, options, reading)


def write(dataset: Dataset, target: Path, options: MotWriterOptions, report: Report) -> None:
    """Write a folder of sequences (see `writer`, loaded when first needed)."""
    from labelconv.formats.mot.writer import write as write_now

    write_now(dataset, target, options, report)


FORMAT = Format(
    name="mot",
    about="MOT Challenge 15 to 20: ground truth, detections, results of trackers",
    url="https://motchallenge.net/instructions/",
    holds=holds,
    read=read,
    write=write,
    reader_options=MotReaderOptions,
    writer_options=MotWriterOptions,
    sniff=sniff,
    folder=lambda options: True,
)
