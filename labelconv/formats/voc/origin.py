"""Whether pixels are counted from 1 or edges from 0, found out for a whole dataset.

The devkit counts pixels from 1, inclusive: (1, 1, W, H) is the whole picture. Nearly all tools that
write the same elements mean edges counted from 0. A file does not say which, a dataset gives hints:

1. what labelconv wrote says it in `<source>`;
2. a name of the devkit (`VOC2007`, `PASCAL`) in `database`, `annotation` or `folder`: from 1;
3. but a box that begins before pixel 1 (below 0.5) cannot be counted from 1: from 0;
4. without such a name: from 0.

Fractions say nothing: VOC2012 has 45.70000076293945 (2011_003353.xml), counted from 1.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import msgspec

#: Files looked at for the devkit's name, spread evenly, and for boxes that begin before pixel 1.
NAMED_LOOKED_AT = 200
BOXES_LOOKED_AT = 20_000
#: What the writer says in `<source><annotation>`.
MARK = "labelconv (pixels counted from %d)"

_MARKED = re.compile(rb"<annotation>labelconv \(pixels counted from ([01])\)</annotation>")
_DEVKIT = re.compile(rb"(?i)<(?:database|annotation|folder)>\s*([^<]*(?:VOC ?20\d\d|PASCAL)[^<]*)<")
_BEFORE_ONE = re.compile(rb"<[xy]min>\s*(?:-|0*\.[0-4]|0+(?:\.0*)?\s*<)")


class Origin(msgspec.Struct, frozen=True):
    """The choice, 1 or 0, and what speaks for it; no words where nothing was guessed.

    `looked_at` says how many of the first files were searched for boxes that speak against 1.
    """

    first: int
    words: str | None = None
    looked_at: int = 0


def find_origin(
    count: int, name_of: Callable[[int], str], content: Callable[[int], bytes]
) -> Origin:
    """The origin of `count` files; `content(i)` gives the bytes of one, b"" if unreadable."""
    looked = range(count) if count <= NAMED_LOOKED_AT else spread(count, NAMED_LOOKED_AT)
    marks: set[int] = set()
    devkit = 0
    name = ""
    for number in looked:
        data = content(number)
        mark = _MARKED.search(data)
        if mark is not None:
            marks.add(int(mark[1]))
            continue
        found = _DEVKIT.search(data)
        if found is not None:
            devkit += 1
            name = name or found[1].strip().decode("utf-8", "replace")[:60]
    if len(marks) == 1 and devkit == 0:
        return Origin(marks.pop())
    among = f"{devkit} of {len(looked)} files looked at"
    if devkit * 2 <= len(looked):
        words = f"{among} name the devkit" if devkit else "no file looked at names the devkit"
        return Origin(0, f"{words}, and other tools write edges")
    searched = min(count, BOXES_LOOKED_AT)
    for number in range(searched):
        found = _BEFORE_ONE.search(content(number))
        if found is not None:
            line = found.string[found.start() : found.end() + 12].split(b"</")[0]
            place = line.decode("ascii", "replace").lstrip("<").replace(">", " ")
            return Origin(0, f"{name_of(number)} has a box with {' '.join(place.split())}")
    return Origin(1, f"{among} name the devkit ({name!r}), no box begins before pixel 1", searched)


def spread(count: int, most: int) -> range:
    """Indexes from 0 to `count - 1`, about `most` of them, evenly."""
    return range(0, count, -(-count // most))
