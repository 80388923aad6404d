"""Reads Open Images, a picture at a time."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator
from pathlib import Path
from typing import TypeAlias

import msgspec

from labelconv import codes, masks
from labelconv.errors import OptionError
from labelconv.format import Reading
from labelconv.formats.openimages.tables import Row, Table, class_names, tables_in
from labelconv.io import Source, walk
from labelconv.media import Size
from labelconv.model import (
    Annotation,
    Box,
    Checklist,
    Classification,
    Dataset,
    Image,
    Mask,
    Radio,
    Relation,
    Sample,
    Samples,
)
from labelconv.problems import Where
from labelconv.unusable import Unusable

_FLAGS = ("IsOccluded", "IsTruncated", "IsGroupOf", "IsDepiction", "IsInside")
_USED = {
    "boxes": {"ImageID", "LabelName", "Confidence", "XMin", "XMax", "YMin", "YMax", *_FLAGS},
    "masks": {"ImageID", "LabelName", "MaskPath"},
    "labels": {"ImageID", "LabelName", "Confidence"},
    "relationships": {f"{name}{n}" for name in ("LabelName", "XMin", "XMax", "YMin", "YMax")
                      for n in "12"} | {"ImageID", "RelationshipLabel"},
}  # fmt: skip
#: The questions that the flags of boxes and the labels of pictures answer.
ATTRIBUTES, LABELS = "attributes", "labels"


Rows: TypeAlias = list[tuple[Table, list[Row]]]


def read(source: Source, classes: str | None, pngs: str | None, reading: Reading) -> Dataset:
    """The samples of one CSV file, or of all that are in a folder, joined by picture."""
    names = class_names(source, classes)
    tables = tables_in(source)
    folder = None if pngs is None else Path(pngs)
    if folder is not None and not folder.is_dir():
        raise OptionError(f"{folder}: a folder of masks expected, none found there")

    def samples() -> Iterator[Sample]:
        reading.keys.restart()
        pictures = _Pictures(names, folder, reading)
        images = dict.fromkeys(image for table in tables for image in table.index)
        with contextlib.ExitStack() as stack:
            opened = [(table, stack.enter_context(table.source.open())) for table in tables]
            for image in images:
                rows = [
                    (table, list(table.rows(image, file)))
                    for table, file in opened
                    if image in table.index
                ]
                sample = pictures.sample(image, rows)
                if sample is not None:
                    yield sample
        pictures.finish(source.name)

    return Samples(samples)


# ---------------------------------------------------------------------------------------- samples


class _Pictures:
    """Makes a sample of the rows of one picture after the other."""

    def __init__(self, names: dict[str, str], folder: Path | None, reading: Reading) -> None:
        self._names = names
        self._folder = folder
        self._reading = reading
        self._report = reading.report
        self._unnamed: set[str] = set()
        self._listed: dict[str, Path] | None = None

    def sample(self, image: str, rows: Rows) -> Sample | None:
        report, ledger = self._report, self._report.ledger
        ledger.samples.read += 1
        key, problem = self._reading.keys.key(image, image, {})
        size = self._reading.media.size(image)
        if not isinstance(size, Size):  # all pictures of Open Images are JPEG files
            with_ending = self._reading.media.size(f"{image}.jpg")
            size = with_ending if isinstance(with_ending, Size) else size
        trouble = problem or (None if isinstance(size, Size) else size)
        if key is None or not isinstance(size, Size):
            assert trouble is not None  # there is a problem where there is no key
            code, values = trouble
            table, first = rows[0]
            where = Where(path=table.source.name, line=first[0].line)
            record = b"".join(row.data for _, each in rows for row in each)
            drawn = sum(len(each) for table, each in rows if table.kind != "labels")
            ledger.annotations.read += drawn
            ledger.annotations.rejected += drawn
            labelled = any(table.kind == "labels" for table, _ in rows)
            ledger.classifications.read += labelled
            ledger.classifications.rejected += labelled
            report.reject(code, where, record, "samples", **values)
            return None
        media = Image(float(size.width), float(size.height))
        made = _Made([], [], [])
        for table, each in rows:
            for row in each:
                where = Where(path=table.source.name, line=row.line, sample=key)
                if table.kind != "labels":
                    ledger.annotations.read += 1
                try:
                    self._add(table.kind, row, media, made, where)
                except Unusable as bad:
                    where = msgspec.structs.replace(where, pointer=bad.pointer)
                    kind = "classifications" if table.kind == "labels" else "annotations"
                    ledger.classifications.read += table.kind == "labels"
                    report.reject(bad.code, where, row.data, kind, **bad.values)
        answers: tuple[Classification, ...] = ()
        if made.labels:
            ledger.classifications.read += 1
            answers = (Classification(LABELS, Checklist(tuple(made.labels))),)
        return Sample(
            key,
            media,
            tuple(made.annotations),
            answers,
            tuple(made.relations),
            uri=image,
            key_is_id=self._reading.keys.are_ids,
        )

    def finish(self, path: str) -> None:
        if self._unnamed:
            what = (
                f"{len(self._unnamed)} labels such as {min(self._unnamed)!r} stand for themselves"
            )
            evidence = "no names are known for them; give them with `-O classes=FILE`"
            self._report.add(
                codes.CONVENTION_GUESSED, Where(path=path), what=what, evidence=evidence
            )

    def _add(self, kind: str, row: Row, media: Image, made: _Made, where: Where) -> None:
        """Add what a row says. Raises `Unusable`."""
        cells = row.cells
        if row.fault is not None:
            expected = "a line of CSV in UTF-8"
            raise Unusable(codes.RECORD_MALFORMED, expected=expected, found=row.fault)
        for column in cells.keys() - _USED[kind]:
            if cells[column]:
                self._report.field(f"openimages:{column} (of {kind})")
        if kind == "boxes":
            made.annotations.append(self._box(row, media, where))
        elif kind == "masks":
            mask = self._mask(cells.get("MaskPath", ""), media, where)
            made.annotations.append(Annotation(f"m{row.line}", self._name(cells), mask))
        elif kind == "labels":
            confidence = _number(cells, "Confidence")
            if confidence > 0:
                sure = None if confidence == 1 else confidence
                made.labels.append(Radio(self._name(cells), confidence=sure))
            else:
                self._report.field("openimages:labels that are verified to be absent")
        else:
            self._relate(row, media, made)

    def _name(self, cells: dict[str, str], column: str = "LabelName") -> str:
        label = cells.get(column, "")
        if not label:
            raise Unusable(
                codes.RECORD_MALFORMED, f"/{column}", expected="a label", found="nothing"
            )
        name = self._names.get(label)
        if name is None:
            self._unnamed.add(label)
            return label
        return name

    def _box(self, row: Row, media: Image, where: Where) -> Annotation:
        cells = row.cells
        box = _scaled(cells, "", media)
        if box.x0 == box.x1 or box.y0 == box.y1:
            self._report.add(codes.AREA_ZERO, where, kind="box")
        width, height = media.width or 0.0, media.height or 0.0
        drift = max(-box.x0, -box.y0, box.x1 - width, box.y1 - height)
        if drift > 0.02:  # fractions are rounded
            self._report.add(codes.OUTSIDE_MEDIA, where, kind="box", drift=drift)
        ticked = tuple(Radio(flag) for flag in _FLAGS if cells.get(flag) == "1")
        for flag in _FLAGS:
            if cells.get(flag) == "-1":
                self._report.field(f"openimages:{flag} (unknown)")
        confidence = _number(cells, "Confidence") if cells.get("Confidence") else 1.0
        return Annotation(
            str(row.line),
            self._name(cells),
            box,
            (Classification(ATTRIBUTES, Checklist(ticked)),) if ticked else (),
            None if confidence == 1 else confidence,  # of boxes it is a dummy, always 1
        )

    def _relate(self, row: Row, media: Image, made: _Made) -> None:
        """Two boxes and what joins them; for `is`, one box and what it is."""
        cells, ledger = row.cells, self._report.ledger
        label = cells["RelationshipLabel"] or "related"
        one, two = _scaled(cells, "1", media), _scaled(cells, "2", media)
        first, second = self._name(cells, "LabelName1"), self._name(cells, "LabelName2")
        before = len(made.annotations)
        source = made.find(first, one, f"r{row.line}a")
        if label == "is":
            asked = Classification("is", Radio(second))
            number = made.annotations.index(source)
            made.annotations[number] = msgspec.structs.replace(
                source, classifications=(*source.classifications, asked)
            )
        else:
            target = made.find(second, two, f"r{row.line}b")
            ledger.relations.read += 1
            made.relations.append(Relation(f"r{row.line}", label, source.id, target.id))
        # The row was counted as one annotation; it may have brought none, one or two.
        ledger.annotations.read += len(made.annotations) - before - 1

    def _mask(self, name: str, media: Image, where: Where) -> Mask:
        """The PNG as a mask of the picture's size, which masks of Open Images need not have."""
        path = self._find(name)
        try:
            if path is None:
                raise Unusable(
                    codes.FILE_MISSING, "/MaskPath", file=f"the mask {name!r} (-O masks=…)"
                )
            mask = masks.from_png(path.read_bytes())
        except (OSError, masks.MaskError) as error:
            raise Unusable(
                codes.MEDIA_UNREADABLE, "/MaskPath", file=str(path), reason=str(error)
            ) from None
        height, width = round(media.height or 0), round(media.width or 0)
        if mask.size == (height, width):
            return mask
        import numpy as np

        found = f"a mask of {mask.size[1]} × {mask.size[0]}"
        result = f"scaled to its picture, {width} × {height}"
        self._report.add(codes.SPELLING_MENDED, where, found=found, result=result)
        pixels = masks.to_array(mask)
        rows = (np.arange(height) * mask.size[0] + mask.size[0] // 2) // height
        columns = (np.arange(width) * mask.size[1] + mask.size[1] // 2) // width
        return masks.from_array(pixels[rows][:, columns])

    def _find(self, name: str) -> Path | None:
        if self._folder is None or not name:
            return None
        if self._listed is None:
            found = walk(self._folder, (".png",))
            self._listed = {each.rpartition("/")[2]: self._folder / each for each in found}
        return self._listed.get(name.rpartition("/")[2])


class _Made(msgspec.Struct):
    """What the rows of one picture have given so far."""

    annotations: list[Annotation]
    relations: list[Relation]
    labels: list[Radio]

    def find(self, name: str, box: Box, id: str) -> Annotation:
        """The box of that name and place, made if it is not there yet."""
        for annotation in self.annotations:
            if annotation.category == name and annotation.value == box:
                return annotation
        self.annotations.append(Annotation(id, name, box))
        return self.annotations[-1]


def _number(cells: dict[str, str], column: str) -> float:
    text = cells.get(column, "")
    try:
        number = float(text)
    except ValueError:
        raise Unusable(
            codes.RECORD_MALFORMED, f"/{column}", expected="a number", found=repr(text) or "nothing"
        ) from None
    if not math.isfinite(number):
        raise Unusable(codes.NUMBER_NOT_FINITE, f"/{column}", found=text)
    return number


def _scaled(cells: dict[str, str], suffix: str, media: Image) -> Box:
    """The box in pixels. Raises `Unusable` for fractions beyond the picture by more than 1 %."""
    x0, x1 = _number(cells, f"XMin{suffix}"), _number(cells, f"XMax{suffix}")
    y0, y1 = _number(cells, f"YMin{suffix}"), _number(cells, f"YMax{suffix}")
    if x1 < x0 or y1 < y0:
        raise Unusable(codes.BOX_IMPOSSIBLE, f"/XMin{suffix}", found=f"{x1 - x0:g} × {y1 - y0:g}")
    if min(x0, y0) < -0.01 or max(x1, y1) > 1.01:
        found = f"{x0:g} to {x1:g} and {y0:g} to {y1:g}"
        expected = "fractions of the picture, from 0 to 1"
        raise Unusable(codes.RECORD_MALFORMED, f"/XMin{suffix}", expected=expected, found=found)
    width, height = media.width or 0.0, media.height or 0.0
    return Box(x0 * width, y0 * height, x1 * width, y1 * height)
