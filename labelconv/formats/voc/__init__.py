"""Pascal VOC: a folder of XML files, one for each picture, and its neighbours' dialects."""

from __future__ import annotations

from pathlib import Path

from labelconv.format import Evidence, Format, Holds, Reading
from labelconv.formats.voc.options import VocReaderOptions, VocWriterOptions
from labelconv.io import Peek, Source
from labelconv.model import Box, Dataset, Image, Mask, OrientedBox, Point, Polygon
from labelconv.problems import Report


def holds(options: VocWriterOptions) -> tuple[Holds, ...]:
    """Boxes; masks where PNGs are asked for; the shapes of the extended dialect.

    Answers about objects are CVAT's attributes. A picture's size is left out where it is not known.
    """
    values: set[type] = {Box}
    if options.masks == "png":
        values.add(Mask)
    if options.dialect == "extended":
        values |= {Polygon, OrientedBox, Point}
    return (
        Holds(
            media=Image,
            values=frozenset(values),
            classifications=1,
            uri=False,
            extra="own",
            keys="stem",
            names="line",
            precision=1.0 if options.round else 1e-6,
        ),
    )


def sniff(peek: Peek) -> Evidence:
    """VOC by an `annotation` element that has boxes or names its picture."""
    from labelconv.formats.voc.sniffing import evidence

    return evidence(peek)


def read(source: Source, options: VocReaderOptions, reading: Reading) -> Dataset:
    """The samples of XML files (see `reader`, loaded when first needed)."""
    from labelconv.formats.voc.reader import read as read_now

    return read_now(source, options, reading)


def write(dataset: Dataset, target: Path, options: VocWriterOptions, report: Report) -> None:
    """Write a VOC folder (see `writer`, loaded when first needed)."""
    from labelconv.formats.voc.writer import write as write_now

    write_now(dataset, target, options, report)


FORMAT = Format(
    name="voc",
    about="Pascal VOC XML: boxes, parts, actions, palette PNGs; labelImg, Roboflow, roLabelImg",
    url="http://host.robots.ox.ac.uk/pascal/VOC/voc2012/htmldoc/index.html",
    holds=holds,
    read=read,
    write=write,
    reader_options=VocReaderOptions,
    writer_options=VocWriterOptions,
    sniff=sniff,
    folder=lambda options: True,
)
