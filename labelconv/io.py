"""Sources that can be read again, NDJSON lines with numbers, names in natural order.

Only this module and `labelconv.targets` open what a user named. Remote files go through fsspec (the
extra `labelconv[remote]`).
"""

from __future__ import annotations

import itertools
import os
import re
import shutil
import sys
import tempfile
import weakref
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import BinaryIO

import msgspec

from labelconv.errors import MissingDependencyError, SourceError, in_a_sentence, reason_of

GZIP_MAGIC = b"\x1f\x8b"
UTF8_MARK = b"\xef\xbb\xbf"
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")
_DIGITS = re.compile(r"([0-9]+)")
_REMOTE = re.compile(r"^[a-z][a-z0-9+.-]+://", re.IGNORECASE)
#: Bytes looked at from each end of a file when its format is found out.
PEEK_BYTES = 65_536
#: Names looked at in a folder.
PEEK_ENTRIES = 2_000


class Source:
    """What a user named: a file, a folder, a stream (`-`) or a URL, always readable again.

    A stream, a compressed file and a remote file are copied once to a temporary file, since readers
    need to seek. `name` is what messages show.
    """

    def __init__(self, name: str | os.PathLike[str]) -> None:
        self.name = os.fspath(name)
        self._copy: Path | None = None
        self._latest: BinaryIO | None = None
        if self.name != "-" and not _REMOTE.match(self.name):
            try:
                Path(self.name).stat()
            except OSError as error:
                raise SourceError(f"{self.name}: {reason_of(error)}") from error
            except ValueError:  # no name has a NUL
                raise SourceError(f"{self.name!r}: the name of a file expected") from None

    @property
    def path(self) -> Path | None:
        """The local path, if it is one."""
        if self.name == "-" or _REMOTE.match(self.name):
            return None
        return Path(self.name)

    @property
    def is_folder(self) -> bool:
        return self.path is not None and self.path.is_dir()

    def open(self) -> BinaryIO:
        """The content as a seekable binary file, positioned at the start.

        Raises `SourceError` when it cannot be read.
        """
        self._latest = self._opened()
        return self._latest

    def position(self) -> int | None:
        """How far the file opened last has been read, in bytes; None when it is closed."""
        if self._latest is None or self._latest.closed:
            return None
        try:
            # Asks the system, not the file object, so that another thread may ask.
            return os.lseek(self._latest.fileno(), 0, os.SEEK_CUR)
        except (OSError, ValueError):
            return None

    def _opened(self) -> BinaryIO:
        if self.is_folder:
            raise SourceError(f"{self.name}: a file expected, a folder found")
        if self._copy is not None:
            return self._copy.open("rb")
        try:
            if self.path is None:
                return self._keep(_copied(_stream(self.name), self.name))
            file = self.path.open("rb")
        except OSError as error:
            raise SourceError(f"{self.name}: {reason_of(error)}") from error
        try:
            if file.read(2) == GZIP_MAGIC:
                file.seek(0)
                with file:
                    return self._keep(_copied(file, self.name))
            seekable = file.seekable()
            if not seekable:
                raise SourceError(f"{self.name}: a file that can be read again expected")
            file.seek(0)
        except OSError as error:
            file.close()
            raise SourceError(f"{self.name}: {reason_of(error)}") from error
        return file

    def size(self) -> int:
        """Bytes of the content, uncompressed; 0 for a folder."""
        if self.is_folder:
            return 0
        with self._opened() as file:
            return file.seek(0, os.SEEK_END)

    def peek(self) -> Peek:
        """The ends of the content, for finding out its format."""
        if self.is_folder:
            return Peek(self.name, True, b"", b"", 0, _entries(self.name))
        with self._opened() as file:
            head = file.read(PEEK_BYTES)
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - PEEK_BYTES))
            tail = file.read()
        return Peek(self.name, False, head, tail, size)

    def _keep(self, copy: Path) -> BinaryIO:
        self._copy = copy
        weakref.finalize(self, copy.unlink, missing_ok=True)
        return copy.open("rb")


class Peek(msgspec.Struct, frozen=True):
    """The first and last bytes of a source (no byte order mark), for finding out its format.

    Of a folder, `entries` has the names of what is directly in it, sorted; folders end with `/`;
    not more than the first `PEEK_ENTRIES` that the system lists.
    """

    name: str
    is_folder: bool
    head: bytes
    tail: bytes
    size: int
    entries: tuple[str, ...] = ()

    @property
    def text(self) -> bytes:
        """The head without a byte order mark and leading white space."""
        return self.head.removeprefix(UTF8_MARK).lstrip()


def _entries(folder: str) -> tuple[str, ...]:
    try:
        with os.scandir(folder) as found:
            first = itertools.islice(found, PEEK_ENTRIES)
            return tuple(sorted(f"{e.name}/" if e.is_dir() else e.name for e in first))
    except OSError as error:
        raise SourceError(f"{folder}: {reason_of(error)}") from error


def walk(folder: Path, suffixes: Collection[str] | None = None) -> list[str]:
    """The files below a folder as relative paths with `/`, in natural order.

    Only those whose name ends with one of `suffixes` (lower case, with the dot), if given. Hidden
    files and folders (`.git`, `.DS_Store`, `._1.jpg`) are passed over; folders that were met
    already, by a link, too. Raises `SourceError` for a folder that cannot be listed.
    """
    endings = None if suffixes is None else tuple(suffixes)
    found: list[str] = []
    waiting = [""]
    met: set[tuple[int, int]] = set()
    while waiting:
        inside = waiting.pop()
        place = folder / inside if inside else folder
        try:
            status = place.stat()
            if (status.st_dev, status.st_ino) in met:
                continue
            met.add((status.st_dev, status.st_ino))
            with os.scandir(place) as entries:
                for entry in entries:
                    name = entry.name
                    if name.startswith("."):
                        continue
                    path = f"{inside}/{name}" if inside else name
                    if entry.is_dir():
                        waiting.append(path)
                    elif endings is None or name.lower().endswith(endings):
                        found.append(path)
        except OSError as error:
            raise SourceError(f"{place}: {reason_of(error)}") from error
    found.sort(key=natural_order)
    return found


def files(source: Source, suffixes: Collection[str]) -> list[tuple[str, Source]]:
    """(name, file) for each file of a source with one of the endings, in natural order.

    Names are relative to the folder; a source that is a file is the only one, whatever its ending.
    Raises `SourceError` for a folder that has other files only.
    """
    if not source.is_folder:
        name = "stdin" if source.name == "-" else source.name.replace("\\", "/").rpartition("/")[2]
        return [(name, source)]
    folder = Path(source.name)
    found = [(name, Source(folder / name)) for name in walk(folder, suffixes)]
    if not found and any(folder.iterdir()):
        listed = ", ".join(sorted(suffixes))
        raise SourceError(f"{source.name}: files that end with {listed} expected, none found")
    return found


def without_suffix(name: str, suffixes: Collection[str]) -> str:
    """The name without the ending it has of `suffixes`, in any case."""
    for suffix in suffixes:
        if name.lower().endswith(suffix) and len(name) > len(suffix):
            return name[: -len(suffix)]
    return name


def skip_mark(file: BinaryIO, name: str) -> bool:
    """Position `file` after a UTF-8 byte order mark; True if there was one.

    Raises `SourceError` for UTF-16, which no supported format uses.
    """
    start = file.read(3)
    if start == UTF8_MARK:
        return True
    if start[:2] in _UTF16_MARKS:
        raise SourceError(
            f"{name}: UTF-8 expected, UTF-16 found. Save it as UTF-8, for example with "
            f"`iconv -f UTF-16 -t UTF-8`."
        )
    file.seek(0)
    return False


def natural_order(name: str) -> tuple[tuple[int, int, str], ...]:
    """A sort key by which `image2` comes before `image10`; total, so order is always the same."""
    parts = enumerate(_DIGITS.split(name))  # text and digits by turns
    return tuple([(0, int(part), part) if at & 1 else (1, 0, part) for at, part in parts if part])


#: `lines` ends a piece at the last line end before each multiple of this.
PIECE_BYTES = 262_144


def lines(
    file: BinaryIO,
    chunk_bytes: int = PIECE_BYTES,
    *,
    number: int = 1,
    first_bytes: int | None = None,
) -> Iterator[tuple[int, bytes]]:
    """Whole lines in pieces: (number of the first line, bytes that end at a line's end).

    From within a file: `number` is that of the first line, `first_bytes` are read first.
    """
    held: list[bytes] = []  # the start of a line; a line of many megabytes is joined only once
    size = chunk_bytes if first_bytes is None else first_bytes
    while data := file.read(size):
        size = chunk_bytes
        cut = data.rfind(b"\n") + 1
        if not cut:
            held.append(data)
            continue
        piece = b"".join((*held, data[:cut]))
        held = [data[cut:]]
        yield number, piece
        number += piece.count(b"\n")
    rest = b"".join(held)
    if rest:
        yield number, rest


def _stream(name: str) -> BinaryIO:
    if name == "-":
        return sys.stdin.buffer
    try:
        import fsspec
    except ImportError as error:
        raise MissingDependencyError(
            f"{name}: remote files need fsspec. Install it with `pip install 'labelconv[remote]'`."
        ) from error
    try:
        opened: BinaryIO = fsspec.open(name, "rb").open()
    except (ImportError, ValueError) as error:
        raise SourceError(f"{name}: {error}") from error
    return opened


def _copied(file: BinaryIO, name: str) -> Path:
    """The whole stream in a temporary file, decompressed if it is gzip."""
    copy = _temporary()
    with copy.open("wb") as written:
        shutil.copyfileobj(file, written, 1 << 20)
    with copy.open("rb") as packed:
        if packed.read(2) != GZIP_MAGIC:
            return copy
    import gzip
    import zlib

    plain = _temporary()
    try:
        with gzip.open(copy) as unpacked, plain.open("wb") as written:
            shutil.copyfileobj(unpacked, written, 1 << 20)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        plain.unlink()
        raise SourceError(
            f"{name}: a whole gzip file expected; {in_a_sentence(str(error))}"
        ) from error
    finally:
        copy.unlink()
    return plain


def _temporary() -> Path:
    handle, name = tempfile.mkstemp(prefix="labelconv-")
    os.close(handle)
    return Path(name)
