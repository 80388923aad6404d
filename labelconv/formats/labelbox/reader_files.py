"""The lines of MAL files: decoded in blocks, looked over in advance, and found again."""

from __future__ import annotations

import re
from array import array
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import msgspec
from msgspec import UNSET

from labelconv.errors import SourceError
from labelconv.formats.labelbox.check_uuids import canonical_uuid
from labelconv.formats.labelbox.faults import Fault
from labelconv.formats.labelbox.reader_lenient import lenient_line
from labelconv.formats.labelbox.reader_rows import RowName, row_name, spelled
from labelconv.formats.labelbox.reader_told import is_telling, told
from labelconv.formats.labelbox.records import Line, is_uuid
from labelconv.formats.labelbox.wire import DECODER, fault
from labelconv.grouping import by_row
from labelconv.io import Source, lines, natural_order, skip_mark
from labelconv.problems import Report, Where

#: The endings of files with MAL lines, as they are looked for in a folder.
ENDINGS = (".ndjson", ".jsonl")
_RELATION = b'"relationship"'
_UUID = re.compile(rb'"uuid"\s*:\s*"([^"]*)"')
#: From so many uuids on it is worth the import of numpy to look for equal ones.
_MANY = 20_000


class File(msgspec.Struct, frozen=True):
    """A file of lines, and the folder where relative addresses start."""

    source: Source
    folder: Path | None


def files_of(source: Source) -> list[File]:
    """The files of a source: itself, or those of a folder in natural order.

    Raises `SourceError` for a folder without any.
    """
    if source.path is None or not source.is_folder:
        return [File(source, None if source.path is None else source.path.parent)]
    found = lines_in(source.path)
    if not found:
        raise SourceError(f"{source.name}: a folder with .ndjson files expected, none found in it")
    return [File(Source(path), source.path) for path in found]


def lines_in(folder: Path) -> list[Path]:
    """The files in a folder that may have lines, in natural order."""
    found = [path for path in folder.iterdir() if path.name.lower().endswith(ENDINGS)]
    return sorted(found, key=lambda path: natural_order(path.name))


class Spot(msgspec.Struct):
    """Where a line is: its file, its number, and the data it is, or of which it is the `at`th."""

    file: int
    number: int
    data: bytes
    at: int | None = None

    @property
    def raw(self) -> bytes:
        data = self.data if self.at is None else self.data.split(b"\n")[self.at]
        return data.removesuffix(b"\r")


# ------------------------------------------------------------------------------------ decoding


def decoded(data: bytes) -> list[Line] | None:
    """All lines of a block, or None where one is unusual or they are not one to a line.

    msgspec takes any white space between values. In values that decode, `}`, line feed, `{` only
    stands between two of them: as many of these as gaps means a line for each.
    """
    if b"\r" in data:
        data = data.replace(b"\r\n", b"\n")
    try:
        found = DECODER.decode_lines(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    whole = data.startswith(b"{") and data.endswith((b"}\n", b"}"))
    return found if whole and data.count(b"}\n{") == len(found) - 1 else None


def strict_line(raw: bytes) -> Line | None:
    """One line by today's rules, or None."""
    try:
        line = DECODER.decode(raw)
        return line if fault(line) is None else None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def any_line(raw: bytes) -> Line:
    """One line by today's rules or by older ones, about which nothing is said. Raises `Fault`."""
    line = strict_line(raw)
    return lenient_line(Report(), Where(), raw) if line is None else line


def block_lines(data: bytes) -> Iterator[Line | None]:
    """The lines of a block one by one; None for blank and bad ones."""
    for raw in data.removesuffix(b"\n").split(b"\n"):
        try:
            yield any_line(raw) if raw.strip() else None
        except Fault:
            yield None


def kind_of(raw: bytes) -> str:
    """The row of the ledger that a line belongs to which cannot be decoded."""
    if _RELATION in raw:
        return "relations"
    if b'"answer' in raw and b'"classifications"' not in raw:
        return "classifications"
    return "annotations"


# ------------------------------------------------------------------------------------ in advance


class Scanned(msgspec.Struct):
    """What is known before lines are delivered in pieces.

    `whole`: data rows with relations or of other media than pictures, which must come whole.
    `suspects`: hashes of uuids (as `spelled`) of which there may be two.
    """

    whole: frozenset[RowName] = frozenset()
    suspects: frozenset[int] = frozenset()


def scan(files: list[File]) -> Scanned:
    """Look all files over: a search of bytes, which decodes nothing but relations."""
    whole: set[RowName] = set()
    hashes = array("q")
    for file in files:
        with file.source.open() as stream:
            skip_mark(stream, file.source.name)
            for _, data in lines(stream):
                hashes.extend([hash(_plain(uuid)) for uuid in _UUID.findall(data)])
                if _RELATION not in data and not is_telling(data):
                    continue
                for raw in data.split(b"\n"):
                    if _RELATION in raw or is_telling(raw):
                        try:
                            line = any_line(raw)
                        except Fault:
                            continue  # said when its turn comes
                        if line.relationship is not UNSET or told(line) is not None:
                            whole.add(row_name(line.data_row))
    return Scanned(frozenset(whole), _repeated(hashes))


def _plain(uuid: bytes) -> bytes:
    """A uuid as `spelled`, in bytes."""
    if len(uuid) == 36:
        return uuid.lower()
    text = uuid.decode("utf-8", "replace")
    return spelled(canonical_uuid(text)).encode() if is_uuid(text) else uuid


def _repeated(hashes: array[int]) -> frozenset[int]:
    """The numbers that occur more than once, without an object for each."""
    if len(hashes) < _MANY:
        return frozenset(number for number, count in Counter(hashes).items() if count > 1)
    import numpy as np

    ordered = np.sort(np.frombuffer(hashes, dtype=np.int64))
    return frozenset(ordered[1:][ordered[1:] == ordered[:-1]].tolist())


class Index:
    """Where lines are, for those that have to be read once more: 30 bytes for each."""

    def __init__(self) -> None:
        self._rows, self._files = array("L"), array("H")
        self._offsets, self._lengths, self._numbers = array("Q"), array("L"), array("L")

    def add(self, row: int, file: int, offset: int, length: int, number: int) -> None:
        self._rows.append(row)
        self._files.append(file)
        self._offsets.append(offset)
        self._lengths.append(length)
        self._numbers.append(number)

    def place(self, index: int) -> tuple[int, int, int, int]:
        """(file, offset, length, line number)."""
        return (
            self._files[index],
            self._offsets[index],
            self._lengths[index],
            self._numbers[index],
        )

    def by_row(self, count: int) -> Iterator[tuple[int, list[int]]]:
        return by_row(self._rows, count)
