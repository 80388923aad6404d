"""Writes a Pascal VOC folder: Annotations, ImageSets and, where asked for, the PNGs of masks."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from labelconv import codes, geometry
from labelconv.corrections import correct
from labelconv.errors import OptionError
from labelconv.formats.voc import wire
from labelconv.formats.voc.elements import opening
from labelconv.formats.voc.options import VocWriterOptions
from labelconv.formats.voc.painter import Painter
from labelconv.model import Annotation, Box, Dataset, Mask, Sample
from labelconv.problems import Report, Where
from labelconv.spelling import stem_of


def write(dataset: Dataset, target: Path, options: VocWriterOptions, report: Report) -> None:
    """Write the folder. `fit` has seen to it that keys are paths and texts fit into lines."""
    if "/" in options.set or not options.set.strip():
        raise OptionError(f"the name of a list expected as `set` of voc, {options.set!r} found")
    (target / "Annotations").mkdir(parents=True)
    (target / "ImageSets" / "Main").mkdir(parents=True)
    writer = _Writer(dataset, target, options, report)
    for sample in dataset:
        writer.sample(sample)
    writer.finish()


class _Writer:
    def __init__(
        self, dataset: Dataset, target: Path, options: VocWriterOptions, report: Report
    ) -> None:
        self._target = target
        self._options = options
        self._report = report
        self._first = 1 if options.origin == "one" else 0
        self._start = f"{target / 'Annotations'}/"
        self._folders: set[str] = set()
        self._ids: list[str] = []
        self._segmented: list[str] = []
        self._painter: Painter | None = None
        if options.masks == "png":
            names = sorted(each.name for each in dataset.ontology.categories)
            self._painter = Painter(target, list(dict.fromkeys(names)), report)
        self._unsized = 0

    def sample(self, sample: Sample) -> None:
        """One XML file, and the PNGs of its masks."""
        stem = stem_of(sample.key)
        folder, slash, _ = stem.rpartition("/")
        if slash and folder not in self._folders:
            os.makedirs(self._start + folder, exist_ok=True)  # noqa: PTH103 - a text, not a path
            self._folders.add(folder)
        annotations = sample.annotations
        nested = self._parts(annotations)
        segmented = False
        if self._painter is not None and any(type(a.value) is Mask for a in annotations):
            annotations = self._without_empty(sample)
            whole = [each for each in annotations if nested.get(each.id) is not _INSIDE]
            changed = self._painter.paint(sample, whole, stem) if whole else None
            if changed is not None:
                annotations = tuple(changed.get(each.id, each) for each in annotations)
                segmented = any(type(each.value) is Mask for each in annotations)
            if segmented:
                self._segmented.append(stem)
        filename = sample.key.rpartition("/")[2]
        media: Any = sample.media
        if media.width is None or media.height is None:
            self._unsized += 1
        text = "".join(
            (
                opening(sample.extra),
                wire.head(sample, filename, self._first, segmented=segmented),
                *self._objects(annotations, nested, sample.key),
                "</annotation>\n",
            )
        )
        place = f"{self._start}{stem}.xml"
        handle = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
        try:
            data = text.encode()
            written = os.write(handle, data)
            while written < len(data):
                written += os.write(handle, data[written:])
        finally:
            os.close(handle)
        self._ids.append(stem)

    def _without_empty(self, sample: Sample) -> tuple[Annotation, ...]:
        """The annotations but for masks without pixels, which `fit` cannot see and no PNG has."""
        left = []
        for annotation in sample.annotations:
            value = annotation.value
            if isinstance(value, Mask) and not any(value.runs[1::2]):
                place = Where(sample=sample.key, annotation=annotation.id)
                kind = "mask without pixels"
                self._report.add(codes.VALUE_NOT_HELD, place, kind=kind, target="voc")
                correct(self._report, sample.key, annotation.id, "lost")
                continue
            left.append(annotation)
        return tuple(left)

    def _objects(
        self, annotations: tuple[Annotation, ...], nested: dict[str, Any], key: str
    ) -> list[str]:
        texts: list[str] = []
        values: list[Any] = []
        rounded, first, name_text = self._options.round, self._first, wire.name_text
        for annotation in annotations:
            value: Any = annotation.value
            if (
                type(value) is Box
                and not annotation.extra
                and not annotation.classifications
                and not rounded
                and annotation.id not in nested
            ):
                name = name_text(annotation.category)
                values += (name, value.x0 + first, value.y0 + first, value.x1, value.y1)
                continue
            if values:
                texts.append(wire.plain_objects(values))
                values = []
            if nested and nested.get(annotation.id) is _INSIDE:
                continue
            box = wire.bounds_of(annotation)
            assert box is not None  # masks without pixels are left out before
            parts = [(part, part.value) for part in nested.get(annotation.id, ())]
            if rounded:
                for each, around in ((annotation, box), *parts):
                    self._measure(each, around, key)
            texts.append(wire.one_object(annotation, box, parts, first, rounded=rounded))
        if values:
            texts.append(wire.plain_objects(values))
        return texts

    def _parts(self, annotations: tuple[Annotation, ...]) -> dict[str, Any]:
        """The parts of each annotation that has some; those parts are marked as inside of it.

        A part is a box of an object that is not a part itself; others are objects of their own.
        """
        nested: dict[str, Any] = {}
        for annotation in [each for each in annotations if each.extra]:
            if "voc:part_of" not in annotation.extra:
                continue
            owner = next(
                (each for each in annotations if each.id == annotation.extra["voc:part_of"]), None
            )
            if (
                owner is None
                or "voc:part_of" in owner.extra
                or type(annotation.value) is not Box
                or annotation.classifications
            ):
                self._report.field("voc:part_of")
                continue
            nested.setdefault(owner.id, []).append(annotation)
            nested[annotation.id] = _INSIDE
        return nested

    def _measure(self, annotation: Annotation, box: Box, key: str) -> None:
        """Say how far whole pixels are from what was given."""
        if type(annotation.value) is not Box:
            return
        xmin, ymin, xmax, ymax = wire.box_numbers(box, 0, rounded=True)
        if (xmin, ymin, xmax, ymax) == (box.x0, box.y0, box.x1, box.y1):
            return
        place = Where(sample=key, annotation=annotation.id)
        code = codes.SHAPE_RESPELLED
        self._report.add(code, place, source="box", result="box of whole pixels")
        value = geometry.iou(box, Box(xmin, ymin, xmax, ymax))
        self._report.measure(code, "iou", value, place)
        correct(self._report, key, annotation.id, "changed")

    def finish(self) -> None:
        """The lists of pictures, and what is said once."""
        sets = self._target / "ImageSets"
        name = f"{self._options.set}.txt"
        (sets / "Main" / name).write_text(_lines(self._ids), encoding="utf-8", newline="\n")
        if self._painter is not None:
            self._painter.finish()
            (sets / "Segmentation").mkdir()
            (sets / "Segmentation" / name).write_text(
                _lines(self._segmented), encoding="utf-8", newline="\n"
            )
        if self._unsized:
            self._report.add(codes.SIZE_UNKNOWN, count=self._unsized)
        self._report.ledger.written.update(samples=len(self._ids))


#: Marks a part that is written inside of another object.
_INSIDE = object()


def _lines(ids: list[str]) -> str:
    return "".join(f"{id}\n" for id in ids)
