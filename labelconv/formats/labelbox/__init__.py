"""Labelbox model-assisted-labeling (MAL) NDJSON."""

from __future__ import annotations

from labelconv.format import ANY_DEPTH, Evidence, Format, Holds
from labelconv.formats.labelbox.writer import LabelboxWriterOptions, write
from labelconv.io import Peek
from labelconv.model import Box, Image, Mask, Point, Polygon, Polyline


def holds(options: LabelboxWriterOptions) -> tuple[Holds, ...]:
    """What MAL lines hold. Whole samples are needed where a data row must not be torn apart."""
    return (
        Holds(
            media=Image,
            values=frozenset({Point, Box, Polyline, Polygon, Mask}),
            parts_become="annotations" if options.parts == "split" else "mask",
            holes_become="mask" if options.holes == "mask" else "filled",
            skeleton_points=options.keypoint,
            confidence=True,
            classifications=ANY_DEPTH,
            questions=ANY_DEPTH,
            relations=True,
            empty=False,
            size=False,
            uri=False,
            pieces=options.masks == "png" and options.lines is None,
        ),
    )


def sniff(peek: Peek) -> Evidence:
    """MAL by its lines: JSON objects with `dataRow`."""
    if peek.is_folder:
        return Evidence(0, "a folder, not an NDJSON file")
    first = peek.text.split(b"\n", 1)[0]
    if first[:1] == b"{" and b'"dataRow"' in first:
        return Evidence(3, "lines of JSON objects with dataRow")
    return Evidence(0, "no dataRow in the first line")


FORMAT = Format(
    name="labelbox",
    about="Labelbox model-assisted-labeling (MAL) NDJSON, images",
    url="https://docs.labelbox.com/reference/import-image-annotations",
    holds=holds,
    write=write,
    writer_options=LabelboxWriterOptions,
    sniff=sniff,
    extensions=(".ndjson", ".jsonl"),
    folder=lambda options: options.masks == "composite" or options.lines is not None,
)
