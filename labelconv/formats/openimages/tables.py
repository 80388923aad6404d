"""The CSV files: their kinds, and where the lines of each picture are."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import BinaryIO

import msgspec

from labelconv.errors import SourceError
from labelconv.io import UTF8_MARK, Source, walk

#: The columns that tell a kind of file; the first kind whose columns are all there.
_KINDS = {
    "relationships": ("ImageID", "LabelName1", "LabelName2", "XMin1", "RelationshipLabel"),
    "masks": ("MaskPath", "ImageID", "LabelName"),
    "boxes": ("ImageID", "LabelName", "XMin", "XMax", "YMin", "YMax"),
    "labels": ("ImageID", "LabelName", "Confidence"),
}
#: Kinds in the order in which they are read: relationships look for the boxes that they join.
_ORDER = ("boxes", "masks", "relationships", "labels")


#: What a line has more of than there are columns.
BEYOND = "cells beyond the columns"


class Row(msgspec.Struct, frozen=True, gc=False):
    """A line of a file: its number, its bytes, and the cells by column, or why it has none."""

    line: int
    data: bytes
    cells: dict[str, str]
    fault: str | None = None


class Table(msgspec.Struct, frozen=True):
    """A CSV file of one kind, and where the lines of each picture are: (line, start, end)."""

    source: Source
    kind: str
    columns: tuple[str, ...]
    index: dict[str, list[tuple[int, int, int]]]

    def rows(self, image: str, file: BinaryIO) -> Iterator[Row]:
        """The lines of a picture, of the open file."""
        for line, start, end in self.index.get(image, ()):
            file.seek(start)
            for number, data in enumerate(file.read(end - start).split(b"\n"), line):
                if data:
                    yield _row(number, data, self.columns)


def tables_in(source: Source) -> list[Table]:
    """The files of annotations. Raises `SourceError` where there is none."""
    tables: list[Table] = []
    paths = [source]
    if source.is_folder:
        folder = Path(source.name)
        paths = [Source(folder / name) for name in walk(folder, (".csv",))]
    for each in paths:
        with each.open() as file:
            columns = columns_of(file.readline())
        kind = kind_of(columns)
        if kind is not None:
            tables.append(Table(each, kind, columns, _index(each, columns)))
        elif not source.is_folder:
            listed = ", ".join(columns)[:80]
            raise SourceError(
                f"{each.name}:1: the columns of an Open Images file expected, {listed!r} found"
            )
    if not tables:
        raise SourceError(f"{source.name}: a CSV file of Open Images expected, none found in it")
    return sorted(tables, key=lambda table: _ORDER.index(table.kind))


def columns_of(line: bytes) -> tuple[str, ...]:
    text = line.removeprefix(UTF8_MARK).decode("utf-8", "replace")
    return tuple(cell.strip() for cell in text.split(","))


def kind_of(columns: tuple[str, ...]) -> str | None:
    return next((kind for kind, needed in _KINDS.items() if {*needed} <= {*columns}), None)


def _index(source: Source, columns: tuple[str, ...]) -> dict[str, list[tuple[int, int, int]]]:
    """Where the lines of each picture are, in one pass that looks at nothing else."""
    at = columns.index("ImageID")
    index: dict[str, list[tuple[int, int, int]]] = {}
    with source.open() as file:
        offset = len(file.readline())
        lines = enumerate(file, 2)
        for cell, group in groupby(lines, key=lambda pair: _cell(pair[1], at)):
            (first, data), *others = group
            length = len(data) + sum(len(other) for _, other in others)
            if cell or data.strip() or any(other.strip() for _, other in others):
                name = cell.decode("utf-8", "replace")
                index.setdefault(name, []).append((first, offset, offset + length))
            offset += length
    return index


def _cell(line: bytes, at: int) -> bytes:
    cells = line.split(b",", at + 1)
    return cells[at].strip() if len(cells) > at else line.strip()


def _row(number: int, data: bytes, columns: tuple[str, ...]) -> Row:
    try:
        text = data.decode("utf-8").rstrip("\r\n")
        cells = next(csv.reader([text])) if '"' in text else text.split(",")
    except (UnicodeDecodeError, csv.Error) as error:  # a cell may also be too long for csv
        return Row(number, data, {}, str(error))
    by_column = dict(zip(columns, map(str.strip, cells), strict=False))
    if len(cells) > len(columns):
        by_column[BEYOND] = ",".join(cells[len(columns) :])
    return Row(number, data, by_column)


def class_names(source: Source, classes: str | None) -> dict[str, str]:
    """Names by label (`/m/011k07`). Raises `SourceError` for a file that cannot be read."""
    path = None if classes is None else Path(classes)
    if path is None and source.path is not None:
        beside = source.path if source.is_folder else source.path.parent
        path = next(iter(sorted(beside.glob("*class-descriptions*.csv"))), None)
    if path is None:
        return {}
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = [row for row in csv.reader(file) if len(row) >= 2]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise SourceError(f"{path}: a CSV file in UTF-8 expected; {error}") from error
    return {label: name for label, name, *_ in rows if label != "LabelName"}
