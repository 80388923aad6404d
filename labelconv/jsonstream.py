"""JSON files of any size in bounded memory: windows over the arrays of a top-level object or array.

A window is cut at the last `},{` it holds and decoded as a whole list. A piece that starts at an
element and decodes as a list can only end at an element's end, so a wrong cut always raises and
never misreads; then an exact scanner of brackets and strings decides.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from itertools import accumulate
from typing import BinaryIO, Generic, TypeVar

import msgspec

from labelconv.errors import SourceError

#: All that msgspec raises for bytes that are not the JSON expected: wrong UTF-8 and values nested
#: too deep have exceptions of their own.
UNDECODABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)

#: Small windows beat large ones: few live objects, so the collector has little to do.
WINDOW_BYTES = 262_144
_RAWS = msgspec.json.Decoder(list[msgspec.Raw])
#: Places looked at for a border before a stretch is given up: objects may be nested in elements.
_MOST_TRIES = 200
_BLANK = re.compile(rb"[ \t\r\n]*")
_BLANKS = b" \t\r\n"
_STRUCTURE = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"|["\[\]{}]', re.DOTALL)
_STRING = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
_SCALAR = re.compile(rb"[^,\[\]{}\"\s]+")

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
        return list(zip(*self.places_apart(), strict=True))

    def places_apart(self) -> tuple[list[int], list[int]]:
        """The offsets in the file, and the lengths, of the elements."""
        if self.spans is not None:
            starts = [self.offset + start for start, _ in self.spans]
            return starts, [end - start for start, end in self.spans]
        views: Iterator[memoryview[int]]
        views = map(memoryview, _RAWS.decode(self.piece))
        lengths = list(map(len, views))
        if sum(lengths) + len(lengths) + 1 == len(self.piece):
            # Nothing but a comma between elements, and the brackets.
            steps = accumulate((length + 1 for length in lengths), initial=self.offset + 1)
            return list(steps)[:-1], lengths
        starts, end, piece = [], 1, self.piece
        for length in lengths:
            # Between elements there are only blanks and a comma, which cannot start an element.
            while piece[end] in b", \t\r\n":
                end += 1
            starts.append(self.offset + end)
            end += length
        return starts, lengths


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
        self.enter()
        yield from self.elements(decoder)

    def enter(self) -> None:
        """Go to the first element of the array here, or to its end."""
        self._take(b"[")
        self.peek()

    def elements(
        self, decoder: msgspec.json.Decoder[list[T]], index: int = 0, until: int | None = None
    ) -> Iterator[Batch[T]]:
        """The elements from here on, of which the first has this index, up to the array's end.

        With `until`, the walk ends before the window that begins at this byte, if one does: then
        `offset` is `until`. Windows end at whole multiples of `WINDOW_BYTES` as far as elements
        let them, wherever the walk began, so that several walks of one array agree on them.
        """
        path = self._path
        if self.peek() == b"]":
            self._at += 1
            return
        while True:
            self._path = f"{path}/{index}"
            batch = self._window(index, decoder)
            index += len(batch)
            yield batch
            following = self.peek()
            if following == b",":
                self._at += 1
                self.peek()
                if self.offset == until:
                    self._path = path
                    return
                continue
            self._path = f"{path}/{index}"
            self._take(b"]")
            return

    def _window(self, index: int, decoder: msgspec.json.Decoder[list[T]]) -> Batch[T]:
        """The elements up to the last border before a limit that depends on nothing but `offset`.

        Where no border is quickly found, or is none, exact scanning decides.
        """
        start = self.offset
        limit = ((start + WINDOW_BYTES // 4) // WINDOW_BYTES + 1) * WINDOW_BYTES
        attempt = 0
        while True:
            self._reach(limit)
            end = _last_border(self._buffer, self._at, limit - self._base)
            if end is not None:
                batch = _decoded(index, self._buffer[self._at : end], start, decoder)
                if batch is not None:
                    self._at = end
                    return batch
            if end is not None or attempt or self._base + len(self._buffer) < limit:
                scanned = self._scanned(index, decoder, limit)
                if scanned is not None:
                    return scanned
            attempt += 1
            limit += max(WINDOW_BYTES, limit - start)

    def _reach(self, limit: int) -> None:
        """Read on up to this byte of the file, or to its end."""
        missing = limit - self._base - len(self._buffer)
        if missing <= 0 or self._ended:
            return
        data = self._file.read(missing)
        self._ended = len(data) < missing
        self._buffer = self._buffer[self._at :] + data
        self._base += self._at
        self._at = 0

    def _scanned(
        self, index: int, decoder: msgspec.json.Decoder[list[T]], limit: int
    ) -> Batch[T] | None:
        """The elements before the limit by exact scanning; None when more must be read for one."""
        size = limit - self._base
        buffer, ended = self._buffer, self._ended
        if size < len(buffer):
            buffer, ended = buffer[:size], False
        spans = list(_elements(buffer, self._at, ended))
        if not spans:
            if _element_end(buffer, self._at, ended) == self._at < len(buffer):
                raise self._broken("a value expected")
            if ended:
                self._at = len(buffer)
                raise self._broken("the rest of an element expected")
            return None
        start, end = self._at, spans[-1][1]
        piece = b"[" + buffer[start:end] + b"]"
        offset = self.offset - 1
        self._at = end
        try:
            return Batch(index, decoder.decode(piece), piece, offset)
        except UNDECODABLE:
            shifted = [(a - start + 1, b - start + 1) for a, b in spans]
            return Batch(index, None, piece, offset, shifted)


def _decoded(
    index: int, data: bytes, offset: int, decoder: msgspec.json.Decoder[list[T]]
) -> Batch[T] | None:
    """The elements in `data`, which begins with one; None when it does not end with one."""
    piece = b"[" + data + b"]"
    try:
        return Batch(index, decoder.decode(piece), piece, offset - 1)
    except UNDECODABLE:
        pass
    batch: Batch[T] = Batch(index, None, piece, offset - 1)
    try:
        starts, lengths = batch.places_apart()
    except UNDECODABLE:
        return None
    first = offset - 1
    ends = zip(starts, lengths, strict=True)
    batch.spans = [(start - first, start - first + length) for start, length in ends]
    return batch


def likely_borders(
    file: BinaryIO, start: int, end: int, count: int, accepts: Callable[[bytes], bool]
) -> list[int]:
    """Where windows probably begin that cut an array into `count` stretches of about one length.

    `start` and `end` are the array's in the file. `accepts` says of the bytes of an object whether
    they can be an element. Only a walk that comes by can tell whether a border is one (`until`);
    there may be fewer than asked for, rising and all different.
    """
    found: list[int] = []
    for number in range(1, count):
        limit = (start + (end - start) * number // count) // WINDOW_BYTES * WINDOW_BYTES
        base = max(start, limit - WINDOW_BYTES)
        if limit <= base or (found and limit <= found[-1]):
            continue
        file.seek(base)
        buffer = file.read(2 * WINDOW_BYTES)
        border = _border_before(buffer, 0, limit - base)
        for _ in range(_MOST_TRIES):
            if border is None:
                break
            opening = border[1]
            closing = _element_end(buffer, opening, False)
            if closing is not None and accepts(buffer[opening:closing]):
                if not found or base + opening > found[-1]:
                    found.append(base + opening)
                break
            border = _border_before(buffer, 0, opening)
    return found


def _last_border(buffer: bytes, start: int, end: int) -> int | None:
    """After the `}` of the last `},{` (blanks allowed between) before `end`, or None."""
    border = _border_before(buffer, start, end)
    return None if border is None else border[0]


def _border_before(buffer: bytes, start: int, end: int) -> tuple[int, int] | None:
    """The last `},{` whose `{` is before `end`: (after the `}`, the place of the `{`)."""
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
                return at + 1, opening
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
