"""COCO's annotations as whole samples: an index of where the records are, then picture by picture.

Real files are not ordered by picture. The index has three whole numbers for each record; records
are read again in the order of the pictures, many at a time, and never held for longer.
"""

from __future__ import annotations

import os
from array import array
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, BinaryIO, cast

import msgspec

from labelconv.formats.coco.usual import NO_OTHERS, Others, Record, alone, records_of
from labelconv.formats.coco.wire import (
    HEADS,
    AnnotationRecord,
    Head,
    Id,
    Lenient,
    annotation_record,
    fields_of,
)
from labelconv.grouping import by_row
from labelconv.jsonstream import Batch, Walker
from labelconv.model import Annotation, Classification, Sample
from labelconv.problems import Report, Where
from labelconv.unusable import Unusable

if TYPE_CHECKING:
    from labelconv.formats.coco.annotations import Annotations

#: Records of so many bytes are decoded together.
_TOGETHER_BYTES = 1 << 17


class _Index(msgspec.Struct):
    """Where records are: the row of the picture, the place in the file, the length in bytes."""

    rows: array[int]
    offsets: array[int]
    lengths: array[int]


def samples(stream: Annotations, walker: Walker) -> Iterator[Sample]:
    """Whole samples in the order of the pictures, with those that have no annotations."""
    index = _Index(array("I"), array("Q"), array("I"))
    find = stream.pictures.rows.get
    for batch in walker.array(HEADS):
        found = [None if id is None else find(id) for id in _image_ids(batch)]
        _add(index, batch, found, stream)
    after = walker.offset
    count = len(stream.pictures.heads)
    order = by_row(index.rows, max(count, 1))  # without any picture, all records wait in row 0
    next_row = 0
    with stream.file.source.open() as file:
        read = _reader(file, index)
        for row, made in _made(stream, order, index, read):
            yield from _without_annotations(stream, next_row, row)
            next_row = row + 1
            if row < count and not stream.pictures.refused(row):
                stream.pictures.used[row] = 1
                annotations = [each for each in made if type(each) is Annotation]
                asked = [each for each in made if type(each) is Classification]
                yield stream.sample(row, annotations, asked)
    yield from _without_annotations(stream, next_row, count)
    walker.seek(after)


def _image_ids(batch: Batch[Head]) -> list[Id | None]:
    """The picture of each record; None for what will be rejected when its turn comes."""
    if batch.values is not None:
        return [head.image_id for head in batch.values]
    ids: list[Id | None] = []
    for raw in batch.raws():
        try:
            ids.append(annotation_record(Lenient(fields_of(raw), Report(), Where())).image_id)
        except Unusable:
            ids.append(None)
    return ids


def _add(
    index: _Index, batch: Batch[Head], found: Sequence[int | None], stream: Annotations
) -> None:
    if None in found:
        rows = [
            _row(stream, id) if row is None else row
            for id, row in zip(_image_ids(batch), found, strict=True)
        ]
    else:
        rows = cast("list[int]", found)
    index.rows.extend(rows)
    offsets, lengths = batch.places_apart()
    index.offsets.extend(offsets)
    index.lengths.extend(lengths)


def _row(stream: Annotations, id: Id | None) -> int:
    """The row of a picture that is not found at once; 0 for what will be rejected."""
    if id is None:
        return 0
    try:
        return stream.picture(AnnotationRecord(id))
    except Unusable:
        return 0


def _reader(file: BinaryIO, index: _Index) -> Callable[[int, int], bytes]:
    """A function that gives the bytes from the first record to the last one of neighbours."""
    offsets, lengths = index.offsets, index.lengths
    if hasattr(os, "pread"):
        number, pread = file.fileno(), os.pread

        def read(first: int, last: int) -> bytes:
            start = offsets[first]
            return pread(number, offsets[last] + lengths[last] - start, start)

        return read

    def sought(first: int, last: int) -> bytes:
        file.seek(offsets[first])
        return file.read(offsets[last] + lengths[last] - offsets[first])

    return sought


Made = Annotation | Classification | None


def _made(
    stream: Annotations,
    order: Iterator[tuple[int, Sequence[int]]],
    index: _Index,
    read: Callable[[int, int], bytes],
) -> Iterator[tuple[int, list[Made]]]:
    """What the records of each row say, decoded many rows at a time."""
    rows: list[tuple[int, Sequence[int]]] = []
    size = 0
    lengths = index.lengths
    for row, indexes in order:
        rows.append((row, indexes))
        for each in indexes:
            size += lengths[each]
        if size >= _TOGETHER_BYTES:
            yield from _made_together(stream, rows, read)
            rows, size = [], 0
    yield from _made_together(stream, rows, read)


def _made_together(
    stream: Annotations,
    rows: list[tuple[int, Sequence[int]]],
    read: Callable[[int, int], bytes],
) -> Iterator[tuple[int, list[Made]]]:
    records, others = _decoded([each for _, indexes in rows for each in indexes], read)
    usual, careful = stream.usual, stream.made
    at = 0
    for row, indexes in rows:
        made: list[Made] = []
        for index in indexes:
            record = records[at]
            beside = NO_OTHERS if others is None else others[at]
            at += 1
            found = usual(record, beside)
            if found is not None:
                made.append(found[1])
                continue
            try:
                made.append(careful(record, index, beside)[1])
            except Unusable as problem:
                stream.reject(problem, index, read(index, index))
        yield row, made


def _decoded(
    indexes: list[int], read: Callable[[int, int], bytes]
) -> tuple[Sequence[Record], list[Others] | None]:
    """The records, with their other fields if any has some; as bytes where they are not usual."""
    pieces: list[bytes] = []
    first = last = -1
    for each in indexes:
        if each != last + 1 or first < 0:
            if first >= 0:
                pieces.append(read(first, last))
            first = each
        last = each
    if first >= 0:
        pieces.append(read(first, last))
    # Between neighbours there are a comma and blanks, as between the elements of any list.
    found = records_of(b"[" + b",".join(pieces) + b"]")
    if found is not None:
        return found
    return [alone(read(each, each)) for each in indexes], None


def _without_annotations(stream: Annotations, start: int, end: int) -> Iterator[Sample]:
    pictures = stream.pictures
    for row in range(start, end):
        if not pictures.used[row] and not pictures.refused(row):
            pictures.used[row] = 1
            yield stream.sample(row, [], [])
