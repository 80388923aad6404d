"""CVAT for images 1.1: one XML file, an element for each picture."""

from __future__ import annotations

from pathlib import Path

from labelconv.format import SHAPES, Evidence, Format, Holds, NoOptions, Reading
from labelconv.io import Peek, Source
from labelconv.model import Dataset, FreeText, Radio
from labelconv.problems import Report

#: The file of CVAT's exports.
FILE = "annotations.xml"


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
    if peek.is_folder:
        if FILE not in peek.entries:
            return Evidence(0, f"no {FILE} in the folder")
        with (Path(peek.name) / FILE).open("rb") as opened:
            found = _is_cvat(opened.read(65_536))
        words = f"a folder with CVAT's {FILE}" if found else f"{FILE} is not CVAT's for images"
        return Evidence(3 if found else 0, words)
    if peek.text[:1] == b"<" and _is_cvat(peek.head + peek.tail):
        return Evidence(3, "a root element annotations with images")
    return Evidence(0, "no root element annotations with images")


def _is_cvat(data: bytes) -> bool:
    if b"<annotations" not in data or b"<track" in data:
        return False
    return b"<image " in data or b"<mode>annotation</mode>" in data


def read(source: Source, options: NoOptions, reading: Reading) -> Dataset:
    """The samples of a file, or of a folder with it (see `reader`, loaded when first needed)."""
    from labelconv.formats.cvat_image.reader import read as read_now

    return read_now(source, FILE, reading)


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
