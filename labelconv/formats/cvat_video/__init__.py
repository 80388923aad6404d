"""CVAT for video 1.1: one XML file, an element for each track."""

from __future__ import annotations

from pathlib import Path

from labelconv.format import Evidence, Format, HeldTracks, Holds, NoOptions, Reading
from labelconv.formats.cvat_video.options import CvatVideoReaderOptions
from labelconv.io import Peek, Source
from labelconv.model import (
    Box,
    Dataset,
    FreeText,
    Keypoints,
    Mask,
    OrientedBox,
    Point,
    Polygon,
    Polyline,
    Radio,
    Track,
    Video,
)
from labelconv.problems import Report

#: The file of CVAT's exports.
FILE = "annotations.xml"


def holds(options: NoOptions) -> tuple[Holds, ...]:
    """Tracks of all shapes, with attributes on keyframes."""
    kinds = {Box, Keypoints, Mask, OrientedBox, Point, Polygon, Polyline}
    return (
        Holds(
            media=Video,
            values=frozenset({Track}),
            keyframes=frozenset(kinds),
            outlines=frozenset(),
            parts_become="mask",
            classifications=1,
            answers=frozenset({Radio, FreeText}),
            ranges="none",
            uri=False,
            extra="own",
            keys="path",
            names="line",
            texts="xml",
            tracks=HeldTracks(answers="keyframes", joined=True),
        ),
    )


def sniff(peek: Peek) -> Evidence:
    """CVAT by its root `annotations` with a `track`, or with the mode of a task of a video."""
    if peek.is_folder:
        if FILE not in peek.entries:
            return Evidence(0, f"no {FILE} in the folder")
        with (Path(peek.name) / FILE).open("rb") as opened:
            if _is_cvat(opened.read(65_536)):
                return Evidence(3, f"a folder with CVAT's {FILE}, with tracks")
        return Evidence(0, f"{FILE} is not CVAT's for video")
    if peek.text[:1] == b"<" and _is_cvat(peek.head + peek.tail):
        return Evidence(3, "a root element annotations with tracks")
    return Evidence(0, "no root element annotations with tracks")


def _is_cvat(data: bytes) -> bool:
    if b"<annotations" not in data or b"<image " in data:
        return False
    return b"<track" in data or b"<mode>interpolation</mode>" in data


def read(source: Source, options: CvatVideoReaderOptions, reading: Reading) -> Dataset:
    """The videos of a file, or of a folder with it (see `reader`, loaded when first needed)."""
    from labelconv.formats.cvat_video.reader import read as read_now

    return read_now(source, FILE, options, reading)


def write(dataset: Dataset, target: Path, options: NoOptions, report: Report) -> None:
    """Write the file (see `writer`, loaded when first needed)."""
    from labelconv.formats.cvat_video.writer import write as write_now

    write_now(dataset, target, report)


FORMAT = Format(
    name="cvat-video",
    about="CVAT for video 1.1: one XML file",
    url="https://docs.cvat.ai/docs/manual/advanced/xml_format/#interpolation",
    holds=holds,
    read=read,
    write=write,
    reader_options=CvatVideoReaderOptions,
    sniff=sniff,
    extensions=(".xml",),
)
