"""Label maps and palettes: which class a pixel's index or colour stands for.

The devkit's palette is made by its `VOCcolormap.m`: the bits of an index, three at a time, from the
lowest, go to the highest bits of red, green and blue. Index 255 is the void around objects.
"""

from __future__ import annotations

import re
from pathlib import Path

from labelconv.errors import SourceError

VOID = 255
#: The classes of VOC2007 to VOC2012, in the order of their indexes, which is that of the alphabet.
CLASSES = (  # noqa: SIM905 - twenty-one texts in quotes say no more
    "background aeroplane bicycle bird boat bottle bus car cat chair cow diningtable dog horse "
    "motorbike person pottedplant sheep sofa train tvmonitor"
).split()
Colour = tuple[int, int, int]
_ENTRY = re.compile(r"(.+?):(?:\s*(\d+)\s*,\s*(\d+)\s*,\s*(\d+)\s*)?(?::[^:]*(?::[^:]*)?)?")
_BACKGROUND = ("background", "")


def colour_of(index: int) -> Colour:
    """The devkit's colour of an index from 0 to 255."""
    red = green = blue = 0
    for bit in range(7, -1, -1):
        red |= (index & 1) << bit
        green |= (index >> 1 & 1) << bit
        blue |= (index >> 2 & 1) << bit
        index >>= 3
    return red, green, blue


#: Index of each colour of the devkit's palette.
INDEX_OF = {colour_of(index): index for index in range(256)}
VOID_COLOUR = colour_of(VOID)


class Labels:
    """Names of classes by index and by colour. None stands for background and void."""

    def __init__(self, entries: list[tuple[str, Colour]], name: str) -> None:
        self.name = name
        self.by_index: dict[int, str | None] = {VOID: None}
        self.by_colour: dict[Colour, str | None] = {VOID_COLOUR: None, (0, 0, 0): None}
        for index, (label, colour) in enumerate(entries):
            known = None if label in _BACKGROUND else label
            self.by_index[index] = known
            self.by_colour[colour] = known


def devkit_labels() -> Labels:
    return Labels(
        [(name, colour_of(i)) for i, name in enumerate(CLASSES)], "the classes of VOC2012"
    )


def read_labels(folder: Path) -> Labels:
    """The label map of a devkit's folder, or the classes of VOC. Raises `SourceError`.

    A line of `labelmap.txt` is `name:red,green,blue:parts:actions` (CVAT, Datumaro); without a
    colour, it is the devkit's for the index.
    """
    path = folder / "labelmap.txt"
    if not path.is_file():
        return devkit_labels()
    try:
        lines = path.read_text(encoding="utf-8-sig").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise SourceError(f"{path}: a label map in UTF-8 expected; {error}") from error
    entries: list[tuple[str, Colour]] = []
    for number, line in enumerate(lines, 1):
        text = line.strip()
        entry = _ENTRY.fullmatch(text)
        if entry is None:
            if text and not text.startswith("#"):
                raise SourceError(
                    f"{path}:{number}: `name:red,green,blue:parts:actions` expected, {text!r} found"
                )
            continue
        colour = colour_of(len(entries) & 255)
        if entry[2] is not None:
            colour = (int(entry[2]), int(entry[3]), int(entry[4]))
        entries.append((entry[1].strip(), colour))
    return Labels(entries, str(path))


def label_map(names: list[str]) -> str:
    """The text of `labelmap.txt` for classes of index 1 and up."""
    rows = ["# label:color_rgb:parts:actions", "background:0,0,0::"]
    rows += [
        f"{name}:{','.join(map(str, colour_of(index)))}::" for index, name in enumerate(names, 1)
    ]
    return "\n".join(rows) + "\n"
