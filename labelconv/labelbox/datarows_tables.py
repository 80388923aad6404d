"""Tables of metadata and attachments of data rows: CSV files by key."""

from __future__ import annotations

import csv
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from labelconv.errors import SourceError

#: Columns that a table of attachments has at least, and kinds of these (SDK 7.17.0).
ATTACHED = ("type", "value")
ATTACHMENTS = (
    "AUDIO",
    "VIDEO",
    "IMAGE",
    "IMAGE_OVERLAY",
    "HTML",
    "RAW_TEXT",
    "TEXT_URL",
    "PDF_URL",
    "CAMERA_IMAGE",
)


class Table(msgspec.Struct, frozen=True):
    """Rows of a CSV file by key; `used` collects the keys of samples."""

    path: str
    rows: Mapping[str, Sequence[Mapping[str, str]]]
    used: set[str] = msgspec.field(default_factory=set)

    def of(self, key: str) -> Sequence[Mapping[str, str]]:
        """The rows of a sample."""
        found = self.rows.get(key, ())
        if found:
            self.used.add(key)
        return found


def fields_of(rows: Sequence[Mapping[str, str]]) -> list[dict[str, str]]:
    """The metadata of a data row: a field for each column that is not empty."""
    return [
        {"name": name, "value": value}
        for row in rows
        for name, value in row.items()
        if name != "key" and value != ""
    ]


def attachments_of(rows: Sequence[Mapping[str, str]]) -> list[dict[str, str]]:
    """The attachments of a data row, one a row of the table."""
    return [
        {name: value for name, value in row.items() if name != "key" and value != ""}
        for row in rows
    ]


def read_attachments(path: str | os.PathLike[str]) -> Table:
    """A CSV file of attachments: `key`, `type`, `value` and, if need be, `name`.

    Raises `SourceError`, also for a type that Labelbox does not have.
    """
    table = read_table(path, ATTACHED)
    for key, rows in table.rows.items():
        for row in rows:
            if row["type"] not in ATTACHMENTS or not row["value"]:
                found = f"type {row['type']!r} and value {row['value']!r}"
                known = ", ".join(ATTACHMENTS)
                raise SourceError(f"{path}, key {key!r}: one of {known} expected, {found} found")
            more = row.keys() - {"key", *ATTACHED, "name"}
            if more:
                raise SourceError(f"{path}:1: key, type, value, name expected, {min(more)!r} found")
    return table


def read_table(path: str | os.PathLike[str], needed: tuple[str, ...] = ()) -> Table:
    """A CSV file with a header that has `key` and the `needed` columns. Raises `SourceError`."""
    rows: dict[str, list[Mapping[str, str]]] = {}
    try:
        with Path(path).open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            columns = reader.fieldnames or []
            missing = [name for name in ("key", *needed) if name not in columns]
            if missing:
                raise SourceError(
                    f"{path}:1: a column {missing[0]!r} expected, {', '.join(columns)} found"
                )
            for row in reader:
                if None in row or None in row.values():
                    raise SourceError(
                        f"{path}:{reader.line_num}: {len(columns)} columns expected, others found"
                    )
                rows.setdefault(row["key"], []).append(row)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise SourceError(f"{path}: a CSV file in UTF-8 expected; {error}") from error
    return Table(os.fspath(path), rows)
