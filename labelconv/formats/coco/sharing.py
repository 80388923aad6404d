"""COCO's array of annotations in several processes, each with a stretch of it (`labelconv.jobs`).

A process begins at a place that looks like the start of an element. Whether it is one is known when
the process before it has come to it in whole windows; the first one began at the array's start, so
each that is reached is a true one. Windows are the same as in one process, and so is what is made
of them.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Generator, Iterator
from typing import TYPE_CHECKING, Any

import msgspec

from labelconv.formats.coco.wire import ANNOTATIONS
from labelconv.identity import Seen
from labelconv.jsonstream import UNDECODABLE, Walker, likely_borders
from labelconv.model import Sample
from labelconv.problems import Report

if TYPE_CHECKING:
    from labelconv.formats.coco.annotations import Annotations

_COUNTED = msgspec.json.Decoder(list[msgspec.Raw])


class Stretch(msgspec.Struct):
    """What was met in a stretch: what the next ones and the sums at the end depend on."""

    end: int
    count: int
    ids: Seen
    used: bytearray
    captions: dict[int, int]
    crowds: int
    unread: int
    fields: dict[str, int]


class _Astray(Exception):
    """The walk came past the place where the next stretch begins."""


def samples(stream: Annotations, walker: Walker) -> Generator[Sample, None, int | None]:
    """The samples of the array where the walker has just entered it.

    Returns the index of the element at which the walker stands then, or None when all were read.
    """
    borders = _borders(stream, walker)
    if not borders:
        return 0
    crew = stream.reading.crew
    assert crew is not None  # for mypy; _borders saw to it
    starts, ends = borders, [*borders[1:], None]
    stretches = [
        functools.partial(_stretch, stream, walker.offset, start, end)
        for start, end in zip(starts, ends, strict=True)
    ]
    if not crew.start(stretches):
        return 0
    index = 0
    for batch in walker.elements(ANNOTATIONS, 0, starts[0]):
        index += len(batch)
        yield from stream.of_batch(batch)
    if walker.offset != starts[0]:
        crew.end()
        return None
    for number, end in enumerate(ends):
        met = crew.take(number, functools.partial(_fits, stream))
        if met is None:
            crew.end()
            return index
        _join(stream, met)
        walker.seek(met.end)
        index += met.count
        if end is None:
            break
    return None


def _borders(stream: Annotations, walker: Walker) -> list[int]:
    """Where the stretches of the others begin; none where all of it is for this process.

    One process alone numbers what nothing but its place tells apart: pictures that only results
    name, ids that an earlier array has.
    """
    crew = stream.reading.crew
    if crew is None or not crew.is_ready or stream.unlisted or not stream.is_fresh:
        return []
    with stream.file.source.open() as file:
        end = file.seek(0, os.SEEK_END)
        count = crew.number_for(end - walker.offset)
        return likely_borders(file, walker.offset, end, count, _is_annotation)


def _is_annotation(data: bytes) -> bool:
    try:
        return "image_id" in msgspec.json.decode(data, type=dict[str, msgspec.Raw])
    except UNDECODABLE:
        return False


def _stretch(
    stream: Annotations, first: int, start: int, end: int | None, report: Report
) -> tuple[Iterator[Sample], Callable[[], Stretch]]:
    """The samples from one place in the array, whose first element is at `first`, to the next."""
    file = stream.file
    file.reading = msgspec.structs.replace(file.reading, report=report, crew=None)
    # A file of its own: places in it are shared between processes.
    walker = Walker(file.source.open(), file.source.name)
    before = functools.cache(functools.partial(_count, stream, first, start))
    own = type(stream)(file, stream.pictures, results=stream.is_results, before=before)
    walker.seek(start)
    count = 0

    def made() -> Iterator[Sample]:
        nonlocal count
        for batch in walker.elements(ANNOTATIONS, 0, end):
            count += len(batch)
            yield from own.of_batch(batch)
            if end is not None and walker.offset > end:
                break
        if end is not None and walker.offset != end:
            raise _Astray

    def met() -> Stretch:
        return Stretch(
            walker.offset,
            count,
            own.ids,
            own.pictures.used,
            own.captions,
            own.crowds,
            own.unread,
            own.fields,
        )

    return made(), met


def _count(stream: Annotations, first: int, start: int) -> int:
    """How many elements are before a stretch; asked for when a place must be told."""
    with stream.file.source.open() as file:
        walker = Walker(file, stream.path)
        walker.seek(first)
        return sum(map(len, walker.elements(_COUNTED, 0, start)))


def _fits(stream: Annotations, met: Any) -> bool:
    """Whether nothing in a stretch would have been read otherwise after what was read here."""
    return not stream.ids.meets(met.ids) and stream.captions.keys().isdisjoint(met.captions)


def _join(stream: Annotations, met: Stretch) -> None:
    stream.ids.update(met.ids)
    stream.captions.update(met.captions)
    used = stream.pictures.used
    both = int.from_bytes(used) | int.from_bytes(met.used)
    used[:] = both.to_bytes(len(used))
    stream.crowds += met.crowds
    stream.unread += met.unread
    for name, count in met.fields.items():
        stream.fields[name] = stream.fields.get(name, 0) + count
