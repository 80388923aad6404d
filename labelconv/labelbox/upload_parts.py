"""The lines of a file as parts to send: whole data rows together, in the order of the file.

Lines of a data row need not stand together: what is kept of each line is where it begins, its data
row and its kind, so that a part may gather lines from anywhere.
"""

from __future__ import annotations

import hashlib
import os
from array import array
from collections.abc import Iterator
from typing import BinaryIO

import msgspec
from msgspec import UNSET, Raw, UnsetType

from labelconv import io
from labelconv.errors import SourceError

#: The kinds of lines, as the ledger names them.
KINDS = ("annotations", "classifications", "relations")
#: Bytes of a part, whatever its number of lines; no limit is published, so this is cautious.
MOST_BYTES = 32_000_000


class _Row(msgspec.Struct, rename="camel"):
    id: str | None = None
    global_key: str | None = None


class Line(msgspec.Struct, rename="camel"):
    """What must be known of a line to send it and to find it again."""

    data_row: _Row
    uuid: str | None = None
    answer: Raw | UnsetType = UNSET
    answers: Raw | UnsetType = UNSET
    relationship: Raw | UnsetType = UNSET

    @property
    def key(self) -> str:
        """The data row's global key or id."""
        return self.data_row.global_key or self.data_row.id or ""

    @property
    def row(self) -> str:
        """A text that tells data rows apart: ids and global keys are different names."""
        return self.data_row.global_key or f"\0{self.data_row.id}"

    @property
    def kind(self) -> int:
        """The index in `KINDS`."""
        if self.relationship is not UNSET:
            return 2
        return 0 if self.answer is UNSET and self.answers is UNSET else 1


_DECODER = msgspec.json.Decoder(Line)


def line_of(record: bytes) -> Line:
    """What a line says of itself. Raises `msgspec.DecodeError`."""
    return _DECODER.decode(record)


class Index(msgspec.Struct):
    """Where the lines of a file are.

    Of line n + 1, `starts[n]` is the first byte, `rows[n]` the number of its data row, in the order
    in which data rows first appear, and `kinds[n]` an index in `KINDS`. `starts` has one more: the
    file's end. `sha256` is of the whole content.
    """

    name: str
    sha256: str
    changed: float
    starts: array[int]
    rows: array[int]
    kinds: bytearray
    row_count: int

    def __len__(self) -> int:
        return len(self.rows)


def index_of(file: BinaryIO, name: str) -> Index:
    """The index of an open file that was checked. Raises `SourceError` when it has changed."""
    digest = hashlib.sha256()
    starts, rows, kinds = array("Q", [0]), array("I"), bytearray()
    numbers: dict[str, int] = {}
    changed = _changed(file)
    offset = 0
    for _, data in io.lines(file):
        digest.update(data)
        for raw in data.removesuffix(b"\n").split(b"\n"):
            try:
                line = _DECODER.decode(raw)
            except (msgspec.DecodeError, UnicodeDecodeError) as error:
                raise _not_as_checked(name) from error
            rows.append(numbers.setdefault(line.row, len(numbers)))
            kinds.append(line.kind)
            offset += len(raw) + 1
            starts.append(offset)
    return Index(name, digest.hexdigest(), changed, starts, rows, kinds, len(numbers))


def parts_of(index: Index, most_lines: int, most_bytes: int = MOST_BYTES) -> list[array[int]]:
    """The lines (0-based) of each part, rising.

    Data rows are put into parts in the order in which they first appear, until the next one would
    make more than `most_lines` lines or `most_bytes` bytes; a larger one has a part of its own.
    """
    lines, sizes = [0] * index.row_count, [0] * index.row_count
    for number, row in enumerate(index.rows):
        lines[row] += 1
        sizes[row] += index.starts[number + 1] - index.starts[number]
    part_of = array("I", bytes(4 * index.row_count))
    count = size = part = 0
    for row in range(index.row_count):
        if count and (count + lines[row] > most_lines or size + sizes[row] > most_bytes):
            part, count, size = part + 1, 0, 0
        part_of[row] = part
        count, size = count + lines[row], size + sizes[row]
    parts = [array("I") for _ in range(part + 1 if index.row_count else 0)]
    for number, row in enumerate(index.rows):
        parts[part_of[row]].append(number)
    return parts


def records(file: BinaryIO, index: Index, lines: array[int]) -> Iterator[bytes]:
    """The lines of a part as they stand in the file, without their ends.

    Raises `SourceError` when the file is another one than when its index was made.
    """
    if _changed(file) != index.changed:
        raise _not_as_checked(index.name)
    starts = index.starts
    at = 0
    while at < len(lines):
        end = at + 1
        while end < len(lines) and lines[end] == lines[end - 1] + 1:
            end += 1
        first, last = starts[lines[at]], starts[lines[end - 1] + 1]
        file.seek(first)
        data = file.read(last - first)
        for number in range(at, end):
            line = lines[number]
            record = data[starts[line] - first : starts[line + 1] - first]
            yield record.removesuffix(b"\n").removesuffix(b"\r")
        at = end


def _changed(file: BinaryIO) -> float:
    """When the file was written last, in nanoseconds."""
    return os.fstat(file.fileno()).st_mtime_ns


def _not_as_checked(name: str) -> SourceError:
    return SourceError(
        f"{name}: the file expected as it was checked, it was changed since; run the same command "
        f"again once it is whole"
    )
