"""Open Images: CSV files of boxes, image-level labels, masks and relationships. Read only.

Coordinates are fractions of the picture, so its size is needed: give the pictures with `--media`,
or `-O sizes=FILE`. Source: storage.googleapis.com/openimages/web/download_v7.html.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from labelconv.format import Evidence, Format, Holds, Reading
from labelconv.io import Peek, Source
from labelconv.model import Box, Checklist, Dataset, Mask, Radio


class OpenimagesReaderOptions(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True
):
    """Options of the Open Images reader (`-O key=value`).

    - `classes`: the CSV file with the names of classes (class-descriptions…csv); one beside the
      source is found by itself.
    - `masks`: the folder of the PNGs that MaskPath names, also in folders below it.
    """

    classes: str | None = None
    masks: str | None = None


def holds(options: object) -> tuple[Holds, ...]:
    """What is read; nothing is written."""
    return (
        Holds(
            values=frozenset({Box, Mask}),
            confidence=True,
            classifications=1,
            questions=1,
            answers=frozenset({Checklist, Radio}),
            relations=True,
        ),
    )


def read(source: Source, options: OpenimagesReaderOptions, reading: Reading) -> Dataset:
    """The samples of a file or folder (see `reader`, loaded when first needed)."""
    from labelconv.formats.openimages.reader import read as read_now

    return read_now(source, options.classes, options.masks, reading)


def sniff(peek: Peek) -> Evidence:
    """Open Images by the first line of a file, or of a CSV file in a folder."""
    from labelconv.formats.openimages.tables import columns_of, kind_of

    if peek.is_folder:
        for name in peek.entries:
            if name.lower().endswith(".csv"):
                with (Path(peek.name) / name).open("rb") as file:
                    kind = kind_of(columns_of(file.readline(4_096)))
                if kind is not None:
                    return Evidence(2, f"a folder with {name!r}, which has columns of {kind}")
        return Evidence(0, "no CSV file of Open Images in the folder")
    kind = kind_of(columns_of(peek.head.partition(b"\n")[0]))
    if kind is None:
        return Evidence(0, "no first line with columns of Open Images")
    return Evidence(2, f"a first line with the columns of {kind}")


FORMAT = Format(
    name="openimages",
    about="Open Images: CSV files of boxes, labels, masks and relationships",
    url="https://storage.googleapis.com/openimages/web/index.html",
    holds=holds,
    read=read,
    reader_options=OpenimagesReaderOptions,
    sniff=sniff,
    extensions=(".csv",),
)
