"""COCO's array of annotations in several processes (`labelconv.sharedarrays`)."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import TYPE_CHECKING

import msgspec

from labelconv.formats.coco.wire import ANNOTATIONS, AnnotationRecord
from labelconv.identity import Seen
from labelconv.jsonstream import Walker
from labelconv.model import Sample
from labelconv.problems import Report
from labelconv.sharedarrays import Part, Shared, batches

if TYPE_CHECKING:
    from labelconv.formats.coco.annotations import Annotations


class Met(msgspec.Struct):
    """What was met in a stretch: what the next ones and the sums at the end depend on."""

    ids: Seen
    used: bytearray
    captions: dict[int, int]
    crowds: int
    unread: int
    fields: dict[str, int]


def samples(stream: Annotations, walker: Walker) -> Generator[Sample, None, int | None]:
    """The samples of the array where the walker has just entered it.

    Returns the index of the element at which the walker stands then, or None when all were read.
    One process alone numbers what nothing but its place tells apart: pictures that only results
    name, ids that an earlier array has.
    """
    if stream.unlisted or not stream.is_fresh:
        return 0
    given = batches(walker, _shared(stream))
    while True:
        try:
            batch = next(given)
        except StopIteration as end:
            index: int | None = end.value
            return index
        yield from stream.of_batch(batch)


def _shared(stream: Annotations) -> Shared[AnnotationRecord]:
    file = stream.file

    def part(report: Report, before: Callable[[], int]) -> Part[AnnotationRecord]:
        file.reading = msgspec.structs.replace(file.reading, report=report, crew=None)
        own = type(stream)(file, stream.pictures, results=stream.is_results, before=before)

        def met() -> Met:
            return Met(own.ids, own.pictures.used, own.captions, own.crowds, own.unread, own.fields)

        return Part(own.of_batch, met)

    return Shared(
        file.source,
        stream.reading.crew,
        ANNOTATIONS,
        "image_id",
        counts=False,
        part=part,
        fits=lambda met: _fits(stream, met),
        join=lambda met: _join(stream, met),
    )


def _fits(stream: Annotations, met: Met) -> bool:
    """Whether nothing in a stretch would have been read otherwise after what was read here."""
    return not stream.ids.meets(met.ids) and stream.captions.keys().isdisjoint(met.captions)


def _join(stream: Annotations, met: Met) -> None:
    stream.ids.update(met.ids)
    stream.captions.update(met.captions)
    used = stream.pictures.used
    both = int.from_bytes(used) | int.from_bytes(met.used)
    used[:] = both.to_bytes(len(used))
    stream.crowds += met.crowds
    stream.unread += met.unread
    for name, count in met.fields.items():
        stream.fields[name] = stream.fields.get(name, 0) + count
