"""JSON files of any size in bounded memory: windows over the arrays of a top-level object or array.

A window is cut at the last `},{` it holds and decoded as a whole list. A piece that starts at an
element and decodes as a list can only end at an element's end, so a wrong cut always raises and
never misreads; then an exact scanner of brackets and strings decides.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import BinaryIO, Generic, TypeVar

import msgspec

from labelconv.errors import SourceError

#: All that msgspec raises for bytes that are not the JSON expected: wrong UTF-8 and values nested
#: too deep have exceptions of their own.
UNDECODABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)

#: Small windows beat large ones: few live objects, so the collector has little to do.
WINDOW_BYTES = 262_144
_RAWS = msgspec.json.Decoder(list[msgspec.Raw])
_BLANK = re.compile(rb"[ \t\r\n]*")
_BLANKS = b" \t\r\n"
_STRUCTURE = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"|["\[\]{}]', re.DOTALL)
_STRING = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
_SCALAR = re.compile(rb"[^,\[\]{}\"\s]+")
_BORDER = re.compile(rb"\}[ \t\r\n]*,[ \t\r\n]*\{")

T = TypeVar("T")


class Batch(msgspec.Struct, Generic[T]):
    """Consecutive elements of an array, the first at `index`.

    Either `values` are decoded, or, where some element is not as expected, `values` is None. The
    exact bytes of each element are in `raws()` either way. `offset` is where `piece` begins in the
    file, so `piece[i]` is the byte at `offset + i` (its brackets are put on).
    """

    index: int
    values: list[T] | None
    piece: bytes
    offset: int
    spans: list[tuple[int, int]] | None = None

    def __len__(self) -> int:
        return len(self.values) if self.values is not None else len(self.spans or ())

    def raws(self) -> list[bytes]:
        if self.spans is not None:
            return [self.piece[start:end] for start, end in self.spans]
        return [bytes(raw) for raw in _RAWS.decode(self.piece)]

    def places(self) -> list[tuple[int, int]]:
        """(offset in the file, length) of each element."""
        if self.spans is not None:
            return [(self.offset + start, end - start) for start, end in self.spans]
        places = []
        end = 1
        for raw in _RAWS.decode(self.piece):
            # Between elements there are only blanks and a comma, which cannot start an element.
            while self.piece[end] in b", \t\r\n":
                end += 1
            length = len(memoryview(raw))
            places.append((self.offset + end, length))
            end += length
        return places


class Walker:
    """Walks a JSON file from its start (or from `seek`). `name` is for messages."""

    def __init__(self, file: BinaryIO, name: str) -> None:
        self._file = file
        self._name = name
        self._buffer = b""
        self._base = file.tell()
        self._at = 0
        self._ended = False
        self._path = ""

    # ------------------------------------------------------------------ position

    @property
    def offset(self) -> int:
        """The byte offset in the file of what comes next."""
        return self._base + self._at

    def seek(self, offset: int) -> None:
        self._file.seek(offset)
        self._buffer, self._base, self._at, self._ended = b"", offset, 0, False

    def peek(self) -> bytes:
        """The next byte that is not blank; empty at the end."""
        while True:
            found = _BLANK.match(self._buffer, self._at)
            self._at = found.end() if found else self._at
            if self._at < len(self._buffer):
                return self._buffer[self._at : self._at + 1]
            if not self._more():
                return b""

    def _more(self) -> bool:
        """Read on; as much as is held already, so that a huge value is not scanned too often."""
        if self._ended:
            return False
        data = self._file.read(max(WINDOW_BYTES, len(self._buffer) - self._at))
        if not data:
            self._ended = True
            return False
        self._buffer = self._buffer[self._at :] + data
        self._base += self._at
        self._at = 0
        return True

    def _take(self, expected: bytes) -> None:
        found = self.peek()
        if found != expected:
            raise self._broken(f"{expected.decode()!r} expected")
        self._at += 1

    def _broken(self, what: str) -> SourceError:
        shown = self._buffer[self._at : self._at + 20].decode("utf-8", "backslashreplace")
        if not shown:
            return SourceError(
                f"{self._name}: the file is cut off at byte {self.offset}"
                f"{f', in {self._path}' if self._path else ''}; {what}. Get a whole copy of it."
            )
        place = f" (in {self._path})" if self._path else ""
        return SourceError(
            f"{self._name}: not valid JSON at byte {self.offset}{place}: {what}, {shown!r} found"
        )

    # ------------------------------------------------------------------ the top-level object

    def members(self) -> Iterator[str]:
        """The keys of the object here; each value must be consumed before the next key."""
        self._take(b"{")
        if self.peek() == b"}":
            self._at += 1
            return
        while True:
            self._path = ""
            raw = self._whole()
            try:
                key = msgspec.json.decode(raw, type=str)
            except UNDECODABLE:
                raise self._broken("a key in quotes expected") from None
            self._take(b":")
            self._path = "/" + key
            self.peek()
            yield key
            self._path = ""
            if self.peek() == b",":
                self._at += 1
                continue
            self._take(b"}")
            return

    def value(self) -> bytes:
        """The whole value that comes next, as bytes. Raises `SourceError` when there is none."""
        found = self._whole()
        if not found:
            raise self._broken("a value expected")
        return found

    def ended(self) -> bool:
        """Whether nothing but blanks follows."""
        return self.peek() == b""

    def _whole(self) -> bytes:
        self.peek()
        while True:
            end = _element_end(self._buffer, self._at, self._ended)
            if end is not None:
                taken = self._buffer[self._at : end]
                self._at = end
                return taken
            if not self._more():
                end = _element_end(self._buffer, self._at, True)
                if end is None or end == self._at:
                    self._at = len(self._buffer)
                    raise self._broken("the rest of a value expected")

    # ------------------------------------------------------------------ arrays

    def array(self, decoder: msgspec.json.Decoder[list[T]]) -> Iterator[Batch[T]]:
        """The elements of the array here, in windows. Raises `SourceError` if it never ends."""
        path = self._path
        self._take(b"[")
        index = 0
        if self.peek() == b"]":
            self._at += 1
            return
        while True:
            self._path = f"{path}/{index}"
            while len(self._buffer) - self._at < WINDOW_BYTES and self._more():
                pass
            batch = self._window(index, decoder)
            if batch is None:
                batch = self._scanned(index, decoder)
            index += len(batch.values) if batch.values is not None else len(batch.spans or ())
            yield batch
            following = self.peek()
            if following == b",":
                self._at += 1
                self.peek()
                continue
            self._path = f"{path}/{index}"
            self._take(b"]")
            return

    def _window(self, index: int, decoder: msgspec.json.Decoder[list[T]]) -> Batch[T] | None:
        """The elements up to the last border in the buffer, if that is quickly found."""
        end = _last_border(self._buffer, self._at)
        if end is None:
            return None
        piece = b"[" + self._buffer[self._at : end] + b"]"
        try:
            batch = Batch(index, decoder.decode(piece), piece, self.offset - 1)
        except UNDECODABLE:
            return None
        self._at = end
        return batch

    def _scanned(self, index: int, decoder: msgspec.json.Decoder[list[T]]) -> Batch[T]:
        """The elements in the buffer by exact scanning, at least one."""
        while True:
            spans = list(_elements(self._buffer, self._at, self._ended))
            if spans:
                break
            if _element_end(self._buffer, self._at, self._ended) == self._at < len(self._buffer):
                raise self._broken("a value expected")
            if not self._more():
                self._at = len(self._buffer)
                raise self._broken("the rest of an element expected")
        start, end = self._at, spans[-1][1]
        piece = b"[" + self._buffer[start:end] + b"]"
        offset = self.offset - 1
        self._at = end
        try:
            return Batch(index, decoder.decode(piece), piece, offset)
        except UNDECODABLE:
            shifted = [(a - start + 1, b - start + 1) for a, b in spans]
            return Batch(index, None, piece, offset, shifted)


def _last_border(buffer: bytes, start: int) -> int | None:
    """After the `}` of the last `},{` (blanks allowed between) in the buffer, or None."""
    end = len(buffer)
    while True:
        opening = buffer.rfind(b"{", start, end)
        if opening <= start:
            return None
        at = opening - 1
        while at > start and buffer[at] in _BLANKS:
            at -= 1
        if buffer[at] == 44:  # a comma
            at -= 1
            while at > start and buffer[at] in _BLANKS:
                at -= 1
            if buffer[at] == 125:  # a closing brace
                return at + 1
        end = opening


def _elements(buffer: bytes, start: int, ended: bool) -> Iterator[tuple[int, int]]:
    """(start, end) of each whole element from `start` on, up to the array's end."""
    at = start
    while True:
        found = _BLANK.match(buffer, at)
        at = found.end() if found else at
        end = _element_end(buffer, at, ended)
        if end is None or end == at:
            return
        found = _BLANK.match(buffer, end)
        following = found.end() if found else end
        if following >= len(buffer):
            return  # nothing closes the array yet, and a scalar may go on in what is not read
        yield at, end
        if buffer[following : following + 1] != b",":
            return
        at = following + 1


def _element_end(buffer: bytes, start: int, ended: bool) -> int | None:
    """Where the JSON value at `start` ends; None when the buffer does not hold all of it."""
    first = buffer[start : start + 1]
    if first == b'"':
        string = _STRING.match(buffer, start)
        return string.end() if string else None
    if first in (b"{", b"["):
        depth = 0
        for token in _STRUCTURE.finditer(buffer, start):
            found = token.group()
            if found in (b"{", b"["):
                depth += 1
            elif found in (b"}", b"]"):
                depth -= 1
                if depth == 0:
                    return token.end()
            elif found == b'"':
                return None  # a string that goes on in what is not read yet
        return None
    scalar = _SCALAR.match(buffer, start)
    if scalar is None:
        return start if start < len(buffer) or ended else None
    if scalar.end() == len(buffer) and not ended:
        return None
    return scalar.end()
