"""CVAT for video 1.1: one XML file, an element for each track."""

from __future__ import annotations

from pathlib import Path

from labelconv.cvatxml import sniffed
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
    return sniffed(peek, _is_cvat, "tracks")


def _is_cvat(data: bytes) -> bool:
    if b"<annotations" not in data or b"<image " in data:
        return False
    return b"<track" in data or b"<mode>interpolation</mode>" in data


def read(source: Source, options: CvatVideoReaderOptions, reading: Reading) -> Dataset:
    """The videos of a file, or of a folder with it (see `reader`, loaded when first needed)."""
    from labelconv.formats.cvat_video.reader import read as read_now

    return read_now(source, options, reading)


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
