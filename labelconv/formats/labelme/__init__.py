"""labelme: a JSON file for each picture, as labelme and X-AnyLabeling keep them."""

from __future__ import annotations

from pathlib import Path

from labelconv.format import SHAPES, Evidence, Format, Holds, Reading
from labelconv.formats.labelme.options import LabelmeReaderOptions, LabelmeWriterOptions
from labelconv.io import Peek, Source
from labelconv.model import Dataset
from labelconv.problems import Report


def holds(options: LabelmeWriterOptions) -> tuple[Holds, ...]:
    """All shapes; parts of polygons by group_id, as labelme itself joins them; no holes."""
    return (
        Holds(
            values=frozenset(SHAPES),
            parts=True,
            confidence=True,
            classifications=1,
            questions=1,
            sure_answers=False,
            uri=False,
            extra="own",
            keys="stem",
        ),
    )


def sniff(peek: Peek) -> Evidence:
    """labelme by its members; a folder by the JSON files in it, or in the folders in it."""
    if peek.is_folder:
        for file in (name for name in peek.entries if name.lower().endswith(".json")):
            try:
                with (Path(peek.name) / file).open("rb") as opened:
                    found = _is_labelme(opened.read(65_536))
            except OSError:
                continue
            if found:
                return Evidence(2, f"a folder with {file!r}, which has shapes and imagePath")
            break
        return Evidence(0, "no JSON file with shapes and imagePath in the folder")
    if peek.text[:1] == b"{" and _is_labelme(peek.head + peek.tail):
        return Evidence(3, "a JSON object with shapes and imagePath")
    return Evidence(0, "not a JSON object with shapes and imagePath")


def _is_labelme(data: bytes) -> bool:
    return b'"shapes"' in data and b'"imagePath"' in data


def read(source: Source, options: LabelmeReaderOptions, reading: Reading) -> Dataset:
    """The samples of a file or folder (see `reader`, loaded when first needed)."""
    from labelconv.formats.labelme.reader import read as read_now

    return read_now(source, options, reading)


def write(dataset: Dataset, target: Path, options: LabelmeWriterOptions, report: Report) -> None:
    """Write a folder of JSON files (see `writer`, loaded when first needed)."""
    from labelconv.formats.labelme.writer import write as write_now

    write_now(dataset, target, options, report)


FORMAT = Format(
    name="labelme",
    about="labelme and X-AnyLabeling: a JSON file for each picture",
    url="https://github.com/wkentaro/labelme",
    holds=holds,
    read=read,
    write=write,
    reader_options=LabelmeReaderOptions,
    writer_options=LabelmeWriterOptions,
    sniff=sniff,
    folder=lambda options: True,
)
