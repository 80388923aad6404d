"""CVAT for images 1.1: one XML file, an element for each picture."""

from __future__ import annotations

from pathlib import Path

from labelconv.cvatxml import sniffed
from labelconv.format import SHAPES, Evidence, Format, Holds, NoOptions, Reading
from labelconv.io import Peek, Source
from labelconv.model import Dataset, FreeText, Radio
from labelconv.problems import Report


def holds(options: NoOptions) -> tuple[Holds, ...]:
    """All shapes: polygons of one ring, skeletons without an outline of their own.

    Attributes answer questions about shapes; tags, which have attributes too, those about pictures.
    """
    return (
        Holds(
            values=frozenset(SHAPES),
            outlines=frozenset(),
            parts_become="mask",
            confidence=True,
            classifications=1,
            questions=2,
            answers=frozenset({Radio, FreeText}),
            sure_answers=False,
            uri=False,
            extra="own",
            keys="path",
            names="line",
            texts="xml",
        ),
    )


def sniff(peek: Peek) -> Evidence:
    """CVAT by its root `annotations` with an `image`, or with the mode of a task of pictures."""
    return sniffed(peek, _is_cvat, "images")


def _is_cvat(data: bytes) -> bool:
    if b"<annotations" not in data or b"<track" in data:
        return False
    return b"<image " in data or b"<mode>annotation</mode>" in data


def read(source: Source, options: NoOptions, reading: Reading) -> Dataset:
    """The samples of a file, or of a folder with it (see `reader`, loaded when first needed)."""
    from labelconv.formats.cvat_image.reader import read as read_now

    return read_now(source, reading)


def write(dataset: Dataset, target: Path, options: NoOptions, report: Report) -> None:
    """Write the file (see `writer`, loaded when first needed)."""
    from labelconv.formats.cvat_image.writer import write as write_now

    write_now(dataset, target, report)


FORMAT = Format(
    name="cvat-image",
    about="CVAT for images 1.1: one XML file",
    url="https://docs.cvat.ai/docs/manual/advanced/xml_format/",
    holds=holds,
    read=read,
    write=write,
    sniff=sniff,
    extensions=(".xml",),
)
