"""Lines of a file in several processes, each with a stretch of it (`labelconv.jobs`).

Lines are read in pieces of whole lines (`io.lines`), and stretches begin and end where pieces do:
so every process sees the pieces that one alone would, and makes of them what that would. Line
numbers come from the line ends before a stretch, which its process counts.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Iterable, Iterator
from typing import Any, BinaryIO, TypeAlias

import msgspec

from labelconv.io import PIECE_BYTES, Source, lines
from labelconv.jobs import Crew
from labelconv.model import Sample
from labelconv.problems import Report

#: Whole lines with the number of the first (`io.lines`).
Pieces: TypeAlias = "Iterator[tuple[int, bytes]]"


class Part(msgspec.Struct, frozen=True):
    """A reader for a stretch, with nothing met yet: makes samples of its pieces; `met` is what the
    rest depends on (pickled)."""

    make: Callable[[Pieces], Iterable[Sample]]
    met: Callable[[], Any]


class Shared(msgspec.Struct, frozen=True):
    """How lines are shared.

    - `part(report)`: a reader for a stretch, in a process of its own.
    - `fits(met)`: whether nothing of a stretch would have been made otherwise here; `join(met)`
      takes it in.
    """

    source: Source
    crew: Crew | None
    part: Callable[[Report], Part]
    fits: Callable[[Any], bool]
    join: Callable[[Any], None]


class Border(msgspec.Struct, frozen=True):
    """Where a piece begins, in bytes, and how many bytes are to be read first from there on."""

    offset: int
    first_bytes: int


class _Stretch(msgspec.Struct):
    """What another process met: the line ends, and what its reader has to say."""

    line_ends: int
    met: Any


class _Place(msgspec.Struct):
    """Where reading stands: the next byte, and the number of its line."""

    offset: int
    number: int


def pieces(shared: Shared, file: BinaryIO) -> Pieces:
    """The pieces for this process, from where the file stands; what others made of theirs is taken
    in between. All pieces, where nothing is shared."""
    place = _Place(file.tell(), 1)
    crew = shared.crew
    borders = _borders(file, crew)
    ends = [*(border.offset for border in borders[1:]), None]
    stretches = [
        functools.partial(_stretch, shared, border, end)
        for border, end in zip(borders, ends, strict=False)
    ]
    if crew is None or not borders or not crew.start(stretches):
        yield from lines(file)
        return
    yield from _until(lines(file), place, borders[0].offset)
    for number, border in enumerate(borders):
        found = None
        if place.offset == border.offset:  # else the file has changed meanwhile
            found = crew.take(number, lambda stretch: shared.fits(stretch.met))
        if found is None:
            crew.end()
            file.seek(place.offset)
            yield from lines(file, number=place.number, first_bytes=border.first_bytes)
            return
        shared.join(found.met)
        place.number += found.line_ends
        if number < len(borders) - 1:
            place.offset = borders[number + 1].offset


def _stretch(
    shared: Shared, border: Border, end: int | None, report: Report
) -> tuple[Iterator[Sample], Callable[[], _Stretch]]:
    """The samples of the lines from a border to the next, by another process."""
    part = shared.part(report)
    # A file of its own: places in it are shared between processes.
    file = shared.source.open()
    before = _line_ends(file, border.offset)
    place = _Place(border.offset, before + 1)

    def made() -> Iterator[Sample]:
        whole = lines(file, number=place.number, first_bytes=border.first_bytes)
        yield from part.make(_until(whole, place, end))
        if end is not None and place.offset != end:
            raise ValueError(f"{shared.source.name}: the end of a line expected at byte {end}")

    return made(), lambda: _Stretch(place.number - 1 - before, part.met())


def _until(pieces: Pieces, place: _Place, end: int | None) -> Pieces:
    """The pieces as far as a place; `place` goes along."""
    for number, piece in pieces:
        yield number, piece
        place.offset += len(piece)
        place.number = number + piece.count(b"\n")
        if end is not None and place.offset >= end:
            return


def _line_ends(file: BinaryIO, end: int) -> int:
    """How many lines end before a place, at which the file stands then."""
    file.seek(0)
    count = 0
    left = end
    while left and (data := file.read(min(left, 1 << 20))):
        count += data.count(b"\n")
        left -= len(data)
    return count


def _borders(file: BinaryIO, crew: Crew | None) -> list[Border]:
    """Where the stretches of the others begin, from where the file stands; none where all of it is
    for this process."""
    if crew is None or not crew.is_ready:
        return []
    start = file.tell()
    end = file.seek(0, os.SEEK_END)
    found = borders(file, start, end, crew.number_for(end - start))
    file.seek(start)
    return found


def borders(
    file: BinaryIO, start: int, end: int, count: int, piece_bytes: int = PIECE_BYTES
) -> list[Border]:
    """Where pieces begin that cut the lines from `start` to `end` into `count` parts or fewer."""
    found: list[Border] = []
    for number in range(1, count):
        # `io.lines` ends a piece at the last line end before each multiple of its size.
        multiple = start + round((end - start) * number / count / piece_bytes) * piece_bytes
        if multiple <= start or multiple >= end:
            continue
        file.seek(multiple - piece_bytes)
        cut = file.read(piece_bytes).rfind(b"\n") + 1
        offset = multiple - piece_bytes + cut
        if cut and offset < end and (not found or offset > found[-1].offset):
            found.append(Border(offset, multiple + piece_bytes - offset))
    return found
