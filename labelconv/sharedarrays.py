"""An array of a JSON file in several processes, each with a stretch of it (`labelconv.jobs`).

A process begins at a place that looks like the start of an element. Whether it is one is known when
the process before it has come to it in whole windows; the first one began at the array's start, so
each that is reached is a true one. Windows are the same as in one process, and so is what is made
of them.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Generator, Iterable, Iterator
from typing import Any, Generic, TypeVar

import msgspec

from labelconv.io import Source
from labelconv.jobs import Crew
from labelconv.jsonstream import UNDECODABLE, Batch, Walker, likely_borders
from labelconv.model import Sample
from labelconv.problems import Report

T = TypeVar("T")
_COUNTED = msgspec.json.Decoder(list[msgspec.Raw])


class Part(msgspec.Struct, Generic[T], frozen=True):
    """A reader for a stretch, with nothing met yet: makes samples of batches; `met` is what the
    rest depends on (pickled)."""

    make: Callable[[Batch[T]], Iterable[Sample]]
    met: Callable[[], Any]


class Shared(msgspec.Struct, Generic[T], frozen=True):
    """How an array is shared.

    - `member`: what an object must have to be an element.
    - `counts`: whether what is made of an element depends on how many are before it. They are
      counted first then, in a tenth of the time that reading them takes; else each stretch begins
      at 0.
    - `part(report, before)`: a reader for a stretch, in a process of its own; `before()` counts the
      elements before it.
    - `fits(met)`: whether nothing of a stretch would have been made otherwise here; `join(met)`
      takes it in.
    """

    source: Source
    crew: Crew | None
    decoder: msgspec.json.Decoder[list[T]]
    member: str
    counts: bool
    part: Callable[[Report, Callable[[], int]], Part[T]]
    fits: Callable[[Any], bool]
    join: Callable[[Any], None]


class Stretch(msgspec.Struct):
    """What another process met: where it ended, how many elements it had, what its reader says."""

    end: int
    count: int
    met: Any


class _Astray(Exception):
    """The walk came past the place where the next stretch begins."""


def batches(walker: Walker, shared: Shared[T]) -> Generator[Batch[T], None, int | None]:
    """The elements for this process; the walker has just entered the array, and stands behind what
    the others read at the end.

    Returns the index of the element at which the walker stands then, or None when all were read.
    """
    borders = _borders(walker, shared)
    crew = shared.crew
    if crew is None or not borders:
        return 0
    ends = [*borders[1:], None]
    stretches = [
        functools.partial(_stretch, shared, walker.offset, start, end)
        for start, end in zip(borders, ends, strict=True)
    ]
    if not crew.start(stretches):
        return 0
    index = 0
    for batch in walker.elements(shared.decoder, 0, borders[0]):
        index += len(batch)
        yield batch
    if walker.offset != borders[0]:
        crew.end()
        return None
    for number, end in enumerate(ends):
        found = crew.take(number, lambda stretch: shared.fits(stretch.met))
        if found is None:
            crew.end()
            return index
        shared.join(found.met)
        walker.seek(found.end)
        index += found.count
        if end is None:
            break
    return None


def _borders(walker: Walker, shared: Shared[T]) -> list[int]:
    """Where the stretches of the others begin; none where all of it is for this process."""
    crew = shared.crew
    if crew is None or not crew.is_ready:
        return []

    def accepts(data: bytes) -> bool:
        try:
            return shared.member in msgspec.json.decode(data, type=dict[str, msgspec.Raw])
        except UNDECODABLE:
            return False

    with shared.source.open() as file:
        end = file.seek(0, os.SEEK_END)
        count = crew.number_for(end - walker.offset)
        return likely_borders(file, walker.offset, end, count, accepts)


def _stretch(
    shared: Shared[T], first: int, start: int, end: int | None, report: Report
) -> tuple[Iterator[Sample], Callable[[], Stretch]]:
    """The samples from one place in the array, whose first element is at `first`, to the next."""
    source = shared.source
    before = functools.cache(functools.partial(_count, source, first, start))
    part = shared.part(report, before)
    index = before() if shared.counts else 0
    # A file of its own: places in it are shared between processes.
    walker = Walker(source.open(), source.name)
    walker.seek(start)
    count = 0

    def made() -> Iterator[Sample]:
        nonlocal count
        for batch in walker.elements(shared.decoder, index, end):
            count += len(batch)
            yield from part.make(batch)
            if end is not None and walker.offset > end:
                break
        if end is not None and walker.offset != end:
            raise _Astray

    return made(), lambda: Stretch(walker.offset, count, part.met())


def _count(source: Source, first: int, start: int) -> int:
    """How many elements are before a stretch."""
    with source.open() as file:
        walker = Walker(file, source.name)
        walker.seek(first)
        return sum(map(len, walker.elements(_COUNTED, 0, start)))
