"""The file or files that lines go to, and the form in which lines are encoded."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO, Self

import msgspec
from msgspec import UNSET, Raw

from labelconv.formats.labelbox.names import Feature
from labelconv.jobs import append

#: Few lines at a time: their points then stay in the processor cache until they are encoded.
BUFFERED_LINES = 100


class Line(msgspec.Struct, gc=False, omit_defaults=True):
    """A line as it is encoded; text comes as ASCII JSON in `Raw`."""

    uuid: Any = UNSET
    dataRow: Any = UNSET
    name: Any = UNSET
    schemaId: Any = UNSET
    bbox: Any = UNSET
    polygon: Any = UNSET
    line: Any = UNSET
    point: Any = UNSET
    mask: Any = UNSET
    answer: Any = UNSET
    relationship: Any = UNSET
    classifications: Any = UNSET
    confidence: Any = UNSET


class MediaLine(Line, gc=False, omit_defaults=True):
    """A line about other media than pictures: fields that pictures need not pay for."""

    page: Any = UNSET
    unit: Any = UNSET
    location: Any = UNSET
    textSelections: Any = UNSET
    segments: Any = UNSET
    masks: Any = UNSET
    frames: Any = UNSET
    messageId: Any = UNSET


def text_of(raw: Raw) -> str:
    """What stands in a line, which is ASCII."""
    return bytes(raw).decode("ascii")


def named(feature: Feature) -> str:
    """The fields that name a feature, as they stand in a line."""
    name, schema_id = feature
    spelled = f'"name":{text_of(name)},' if name is not UNSET else ""
    return spelled + (f'"schemaId":{text_of(schema_id)},' if schema_id is not UNSET else "")


class _Head(msgspec.Struct, gc=False):
    """What is counted of a line that was written."""

    dataRow: Raw
    name: Raw = Raw()
    schemaId: Raw = Raw()


class Output:
    """The file `target`, or files in the folder `target`: one, or one for each `limit` lines."""

    def __init__(
        self, target: Path, *, folder: bool, limit: int | None, file: BinaryIO | None = None
    ) -> None:
        """With `file`, lines go there, behind what others have written to `target`."""
        self.count = 0
        self._target = target
        self._limit = limit
        self._buffer: list[Line] = []
        self._in_part = 0
        self._encode = msgspec.json.Encoder().encode_lines
        self._paths: list[Path] = []
        if file is not None:
            self._file = file
            return
        if folder:
            target.mkdir()
        if limit is not None:
            first = self._part()
        else:
            first = target / "annotations.ndjson" if folder else target
        self._file = self._opened(first)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        try:
            if exception[0] is None:
                self.flush()
        finally:
            self._file.close()

    def _part(self) -> Path:
        return self._target / f"part-{len(self._paths) + 1:05d}.ndjson"

    def _opened(self, path: Path) -> BinaryIO:
        self._paths.append(path)
        return path.open("wb", buffering=1 << 18)

    def add(self, lines: Sequence[Line]) -> None:
        """The lines of one data row, which stay in one file, or of a piece of one."""
        if self._limit is not None:
            self._make_room(len(lines))
        buffer = self._buffer
        buffer.extend(lines)
        if len(buffer) >= BUFFERED_LINES:
            self.flush()

    def add_bytes(self, lines: bytes, count: int) -> None:
        """Lines of one data row that are encoded already."""
        if self._limit is not None:
            self._make_room(count)
        if self._buffer:
            self.flush()
        self._file.write(lines)
        self.count += count

    def _make_room(self, count: int) -> None:
        """Go on in the next file where this one would get too long."""
        assert self._limit is not None
        if self._in_part and self._in_part + count > self._limit:
            self.flush()
            self._file.close()
            self._file = self._opened(self._part())
            self._in_part = 0
        self._in_part += count

    def flush(self) -> None:
        if self._buffer:
            self._file.write(self._encode(self._buffer))
            self.count += len(self._buffer)
            self._buffer.clear()

    def append(self, lines: BinaryIO, count: int) -> None:
        """Put the lines that another process wrote behind those so far."""
        self.flush()
        append(lines, self._file)
        self.count += count

    def written(self) -> Iterator[tuple[bytes, bytes]]:
        """The data row and the feature of all lines so far, both as JSON."""
        self.flush()
        self._file.flush()
        decode = msgspec.json.Decoder(_Head).decode
        for path in self._paths:
            with path.open("rb") as file:
                for line in file:
                    head = decode(line)
                    yield bytes(head.dataRow), bytes(head.name) or bytes(head.schemaId)
