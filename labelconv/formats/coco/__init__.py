"""COCO: ground truth, results lists, LVIS and panoptic."""

from __future__ import annotations

from pathlib import Path

from labelconv.format import Evidence, Format, Holds, Reading
from labelconv.formats.coco.options import CocoReaderOptions, CocoWriterOptions
from labelconv.io import Peek, Source
from labelconv.model import Box, Dataset, FreeText, Image, Keypoints, Mask, Polygon
from labelconv.problems import Report


def holds(options: CocoWriterOptions) -> tuple[Holds, ...]:
    """What a ground truth holds, or a results list: there one shape, no pictures and no classes.

    Text answers about the whole picture are captions. Annotation ids come back where they are
    whole numbers that occur once, which is not certain.
    """
    results = options.task == "results"
    outlines = {Box, Mask} if results else {Box, Polygon, Mask}
    return (
        Holds(
            media=Image,
            values=frozenset({*outlines, Keypoints}),
            parts=not results,
            confidence=True,
            questions=1,
            answers=frozenset({FreeText}),
            empty=not results,
            size=not results,
            uri=not results,
            extra="own",
            pieces=True,
        ),
    )


def sniff(peek: Peek) -> Evidence:
    """COCO by its members: `images` with `annotations`, or a list of records with `image_id`."""
    if peek.is_folder:
        return Evidence(0, "a folder, not a JSON file")
    text = peek.text
    first, _, rest = text.partition(b"\n")
    if first.rstrip().endswith(b"}") and rest.lstrip()[:1] == b"{":
        return Evidence(0, "lines of JSON objects, not one")
    if text[:1] == b"{":
        both = text + peek.tail
        found = [
            name for name in ("images", "annotations", "categories") if f'"{name}"'.encode() in both
        ]
        if b'"videos"' in both and b'"video_id"' in both:
            return Evidence(0, "a JSON object with videos")
        if len(found) >= 2:
            return Evidence(3, f"a JSON object with {', '.join(found)}")
        return Evidence(0, "a JSON object without images, annotations and categories")
    if text[:1] == b"[" and b'"image_id"' in text:
        return Evidence(3, "a JSON list of records with image_id (results)")
    if text[:1] == b"[":
        return Evidence(0, "a JSON list without image_id")
    return Evidence(0, "not a JSON object or list")


def read(source: Source, options: CocoReaderOptions, reading: Reading) -> Dataset:
    """The samples of a COCO file (see `reader`, loaded when first needed)."""
    if options.documents != "none":
        from labelconv.formats.coco.documents import read as read_documents

        return read_documents(source, options, reading)
    from labelconv.formats.coco.reader import read as read_now

    return read_now(source, options, reading)


def write(dataset: Dataset, target: Path, options: CocoWriterOptions, report: Report) -> None:
    """Write a COCO file (see `writer`, loaded when first needed)."""
    from labelconv.formats.coco.writer import write as write_now

    write_now(dataset, target, options, report)


FORMAT = Format(
    name="coco",
    about="COCO JSON: instances, keypoints, stuff, captions, panoptic, results; LVIS",
    url="https://cocodataset.org/#format-data",
    holds=holds,
    read=read,
    write=write,
    reader_options=CocoReaderOptions,
    writer_options=CocoWriterOptions,
    sniff=sniff,
    extensions=(".json",),
)
