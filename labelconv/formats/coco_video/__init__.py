"""COCO with videos: mmtracking's CocoVID, TAO, YouTube-VIS and OVIS."""

from __future__ import annotations

from pathlib import Path

from labelconv.format import Evidence, Format, HeldTracks, Holds, NoOptions, Reading
from labelconv.formats.coco_video.options import CocoVideoReaderOptions
from labelconv.io import Peek, Source
from labelconv.model import Box, Dataset, Mask, Polygon, Track, Video
from labelconv.problems import Report


def holds(options: NoOptions) -> tuple[Holds, ...]:
    """Boxes, polygons and masks for every frame."""
    return (
        Holds(
            media=Video,
            values=frozenset({Track}),
            keyframes=frozenset({Box, Mask, Polygon}),
            parts=True,
            confidence=True,
            uri=False,
            extra="own",
            tracks=HeldTracks(every_frame=True),
        ),
    )


def sniff(peek: Peek) -> Evidence:
    """COCO with videos by its members, or by the lists of YouTube-VIS's results."""
    if peek.is_folder:
        return Evidence(0, "a folder, not a JSON file")
    text = peek.text
    both = text + peek.tail
    if text[:1] == b"{" and b'"videos"' in both and b'"categories"' in both:
        return Evidence(3, "a JSON object with videos and categories")
    if text[:1] == b"[" and b'"video_id"' in text and b'"segmentations"' in text:
        return Evidence(3, "a JSON list of records with video_id and segmentations (results)")
    return Evidence(0, "no JSON object with videos and categories")


def read(source: Source, options: CocoVideoReaderOptions, reading: Reading) -> Dataset:
    """The videos (see `reader`, loaded when first needed)."""
    from labelconv.formats.coco_video.reader import read as read_now

    return read_now(source, options, reading)


def write(dataset: Dataset, target: Path, options: NoOptions, report: Report) -> None:
    """Write the file (see `writer`, loaded when first needed)."""
    from labelconv.formats.coco_video.writer import write as write_now

    write_now(dataset, target, report)


FORMAT = Format(
    name="coco-video",
    about="COCO with videos: CocoVID, TAO, YouTube-VIS, OVIS",
    url="https://github.com/TAO-Dataset/tao/blob/master/docs/annotations.md",
    holds=holds,
    read=read,
    write=write,
    reader_options=CocoVideoReaderOptions,
    sniff=sniff,
    extensions=(".json",),
)
