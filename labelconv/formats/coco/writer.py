"""Writes COCO: a ground truth, or a results list, in one pass and in memory that does not grow.

Images go straight into the target, annotations into a nameless temporary file beside it, which is
appended in the end. The order is that of COCO's own files: info, licenses, images, annotations,
categories.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, cast

import msgspec

from labelconv import codes, io
from labelconv.corrections import correct, with_points
from labelconv.formats.coco import records
from labelconv.formats.coco.numbers import UNNUMBERED, Classes, Numbers, Pictures, as_number, is_id
from labelconv.formats.coco.options import CocoWriterOptions
from labelconv.formats.coco.wire import Id
from labelconv.model import (
    Annotation,
    Classification,
    Dataset,
    Extra,
    FreeText,
    Keypoints,
    Sample,
)
from labelconv.problems import Report, Where

#: Records encoded at a time: enough to be fast, few enough to stay small.
_BATCH = 500
_CHUNK_BYTES = 1 << 20


def write(dataset: Dataset, target: Path, options: CocoWriterOptions, report: Report) -> None:
    """Write a COCO file at `target`. Samples may come in pieces.

    Ids are kept where they are whole numbers (or COCO's own texts) and unique; the others are
    numbered anew and told once (`IDS_CHANGED`). Raises `OSError` when the disk does not take it.
    """
    if options.task == "results":
        _write_results(dataset, target, options, report)
    else:
        _write_ground_truth(dataset, target, options, report)


# --------------------------------------------------------------------------------- ground truth


def _write_ground_truth(
    dataset: Dataset, target: Path, options: CocoWriterOptions, report: Report
) -> None:
    samples = iter(dataset)
    classes = Classes(dataset.ontology.categories)
    pictures = Pictures(texts=False)
    ids = Numbers()
    captions = _Captions()
    with target.open("wb") as file, tempfile.TemporaryFile(dir=target.parent) as spool:
        first = next(samples, None)
        # A reader knows `info` once it has come to the images.
        info = _Members(dataset)
        file.write(b"{\n")
        file.write(info.new())
        file.write(b'"images":[')
        images = _Array(file)
        annotations = _Array(spool)
        for sample in _all(first, samples):
            id, is_first = pictures.find(sample.key, sample.extra.get("coco:id"))
            if is_first:
                images.add(records.image(sample, id))
            for annotation in with_points(sample, "coco", report):
                entry = classes.find(annotation.category)
                chosen = _annotation_id(annotation, ids)
                annotations.add(records.annotation(annotation, chosen, id, entry, options.rle))
            for classification in sample.classifications:
                ids.changed += 1
                # pycocotools asks for the category of each record wherever there are categories.
                caption = captions.record(classification, sample, id)
                annotations.add({"id": UNNUMBERED, "category_id": None, **caption})
        images.flush()
        annotations.flush()
        file.write(b'\n],\n"annotations":[')
        needed = records.padding_needed(classes.all)
        for piece in _numbered(spool, ids, needed):
            file.write(piece)
        file.write(b'\n],\n"categories":[')
        entries = _Array(file)
        for entry in classes.all:
            entries.add(records.category(entry))
            if "coco:name" in entry.category.extra:  # read by another field than the name
                report.field("coco:name (of categories)")
        entries.flush()
        file.write(b"\n]")
        late = info.new()
        file.write(b",\n" + late.removesuffix(b",\n") if late else b"")
        file.write(b"\n}\n")
    _tell_ids(report, annotations=ids, images=pictures.numbers, categories=classes.numbers)
    report.ledger.written.update(
        samples=images.count, annotations=annotations.count, categories=entries.count
    )


def _all(first: Sample | None, rest: Iterator[Sample]) -> Iterator[Sample]:
    if first is not None:
        yield first
        yield from rest


class _Members:
    """The members beside the three arrays, each written once: `info`, `licenses` and others."""

    def __init__(self, dataset: Dataset) -> None:
        self._dataset = dataset
        self._written = {"coco:images", "coco:annotations", "coco:categories"}

    def new(self) -> bytes:
        """What is known now and was not before, a line each, each with a comma."""
        told = [
            (name, value)
            for name, value in self._dataset.info.items()
            if name.startswith("coco:") and name not in self._written
        ]
        self._written.update(name for name, _ in told)
        told.sort(key=lambda member: _ORDER.get(member[0], len(_ORDER)))
        encode = msgspec.json.encode
        return b"".join(
            encode(name.removeprefix("coco:")) + b":" + encode(value) + b",\n"
            for name, value in told
        )


_ORDER = {"coco:info": 0, "coco:licenses": 1}


class _Array:
    """The elements of a JSON array, one on each line, encoded in batches."""

    def __init__(self, file: BinaryIO | Any) -> None:
        self._file = file
        self._encode = msgspec.json.Encoder().encode_lines
        self._waiting: list[records.Record] = []
        self.count = 0

    def add(self, record: records.Record) -> None:
        self._waiting.append(record)
        if len(self._waiting) == _BATCH:
            self.flush()

    def flush(self) -> None:
        if not self._waiting:
            return
        # A line's end never stands raw inside JSON text, so this is only the one after a record.
        lines = self._encode(self._waiting)[:-1].replace(b"\n", b",\n")
        self._file.write((b",\n" if self.count else b"\n") + lines)
        self.count += len(self._waiting)
        self._waiting.clear()


def _annotation_id(annotation: Annotation, ids: Numbers) -> Any:
    own = annotation.extra.get("coco:id") if annotation.extra else None
    chosen: Id | None = own if is_id(own) else as_number(annotation.id)
    if chosen is not None and ids.keep(chosen):
        return chosen
    ids.changed += 1
    return UNNUMBERED


class _Captions:
    """Text answers about whole pictures, as COCO's captions."""

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}

    def record(self, asked: Classification, sample: Sample, image_id: Id) -> records.Record:
        """`question` is added where the reader would not find the answer's name by itself."""
        answer = cast("FreeText", asked.answer)  # `fit` lets no other answer through
        number = self._counts[sample.key] = self._counts.get(sample.key, 0) + 1
        record: records.Record = {"image_id": image_id, "caption": answer.text}
        if answer.confidence is not None:
            record["score"] = answer.confidence
        if asked.name != ("caption" if number == 1 else f"caption {number}"):
            record["question"] = asked.name
        return record


def _numbered(spool: Any, ids: Numbers, needed: dict[bytes, int]) -> Iterator[bytes]:
    """The spooled annotations with the ids that were left open, and all their keypoints."""
    spool.seek(0)
    for _, piece in io.lines(spool, _CHUNK_BYTES):
        parts = piece.split(b"\x00")
        if len(parts) > 1:
            piece = b"".join(
                part + (b"%d" % ids.new() if number else b"")
                for number, part in zip(range(len(parts) - 1, -1, -1), parts, strict=True)
            )
        if needed:
            piece = b"".join(_padded(line, needed) for line in piece.splitlines(keepends=True))
        yield piece


def _padded(line: bytes, needed: dict[bytes, int]) -> bytes:
    plain = line.rstrip(b",\n")
    return records.padded(plain, needed) + line[len(plain) :] if plain else line


def _tell_ids(report: Report, **numbers: Numbers) -> None:
    changed = {name: counted.changed for name, counted in numbers.items() if counted.changed}
    if changed:
        listed = ", ".join(f"{count} of {name}" for name, count in changed.items())
        report.add(
            codes.IDS_CHANGED,
            count=sum(changed.values()),
            reason=f"COCO needs whole numbers that occur once ({listed})",
        )


# -------------------------------------------------------------------------------------- results


def _write_results(
    dataset: Dataset, target: Path, options: CocoWriterOptions, report: Report
) -> None:
    classes = Classes(dataset.ontology.categories)
    pictures = Pictures(texts=True)
    captions = _Captions()
    with target.open("wb") as file:
        file.write(b"[")
        written = _Array(file)
        for sample in dataset:
            id, is_first = pictures.find(sample.key, sample.extra.get("coco:id"))
            if is_first:
                _tell_fields(sample.extra, report)
            for annotation in sample.annotations:
                _tell_fields(annotation.extra, report)
                if not _said(annotation, sample, report):
                    continue
                entry = classes.find(annotation.category)
                written.add(records.result(annotation, id, entry, options.score))
            for classification in sample.classifications:
                written.add(captions.record(classification, sample, id))
        written.flush()
        file.write(b"\n]\n")
    _tell_ids(report, images=pictures.numbers, categories=classes.numbers)
    report.ledger.written.update(annotations=written.count)


def _said(annotation: Annotation, sample: Sample, report: Report) -> bool:
    """Whether a results record can be made; tells what of a skeleton is not in it."""
    value = annotation.value
    if not isinstance(value, Keypoints) or (value.points and value.outline is None):
        return True
    place = Where(sample=sample.key, annotation=annotation.id)
    correct(report, sample.key, annotation.id, "lost")
    if not value.points:
        report.add(codes.VALUE_NOT_HELD, place, kind="skeleton without points", target="results")
        return False
    report.add(codes.DETAIL_DROPPED, place, what="the outline of a skeleton")
    return True


def _tell_fields(extra: Extra, report: Report) -> None:
    for name in extra:
        if name != "coco:id":
            report.field(name)
