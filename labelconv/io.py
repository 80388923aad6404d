"""Files: sources that can be read again, atomic targets, NDJSON lines with numbers, natural order.

Only this module opens what a user named. Remote files go through fsspec (the extra
`labelconv[remote]`).
"""

from __future__ import annotations

import contextlib
import errno
import io
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

from labelconv.errors import MissingDependencyError, SourceError, TargetError

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
                raise SourceError(f"{self.name}: {_reason(error)}") from error

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
            raise SourceError(f"{self.name}: {_reason(error)}") from error
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
            raise SourceError(f"{self.name}: {_reason(error)}") from error
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
        raise SourceError(f"{folder}: {_reason(error)}") from error


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
            raise SourceError(f"{place}: {_reason(error)}") from error
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


# --------------------------------------------------------------------------------------- targets


class Target:
    """A file or folder that appears whole or not at all.

    The writer works at `part`, beside the target; `publish` moves it into place, `discard` removes
    it. `-` is standard output, written when all went well.
    """

    def __init__(
        self, name: str | os.PathLike[str], *, folder: bool, sources: list[Source]
    ) -> None:
        self.name = os.fspath(name)
        self.folder = folder
        self._room: Path | None = None
        if self.name == "-":
            if folder:
                raise TargetError("a folder expected as the target, standard output given")
            self._room = Path(tempfile.mkdtemp(prefix="labelconv-"))
            self.part = self._room / "stdout.part"
            return
        path = Path(self.name)
        _refuse_input(path, sources)
        if path.is_dir() and not folder:
            raise TargetError(f"{path}: a file expected as the target, a folder found")
        if folder and path.exists() and (not path.is_dir() or any(path.iterdir())):
            raise TargetError(f"{path}: a new or empty folder expected as the target")
        if not path.parent.is_dir():
            raise TargetError(f"{path}: its folder {str(path.parent)!r} does not exist")
        self.part = path.parent / f".{path.name}.{os.getpid()}.part"
        _remove_stale(path)
        _remove(self.part)

    def publish(self) -> None:
        """Move the part into place; a crash before this leaves the old target untouched.

        It is not synced to the disk first (docs/decisions/0009).
        """
        try:
            if self._room is not None:
                with self.part.open("rb") as file:
                    _to_standard_output(file)
                self.discard()
                return
            if self.folder and Path(self.name).is_dir():
                Path(self.name).rmdir()
            self.part.replace(self.name)
        except BrokenPipeError:
            raise  # whoever read the stream has seen enough
        except OSError as error:
            raise TargetError(f"{self.name}: {_reason(error)}. Nothing was written.") from error

    def discard(self) -> None:
        _remove(self.part)
        if self._room is not None:
            shutil.rmtree(self._room, ignore_errors=True)


def final_name(part: Path) -> str:
    """The name that a `Target.part` will have, for writers that go by the ending."""
    found = re.fullmatch(r"\.(.*)\.\d+\.part", part.name, re.DOTALL)
    return found[1] if found else part.name


@contextlib.contextmanager
def publishing(
    name: str | os.PathLike[str], *, folder: bool, sources: list[Source]
) -> Iterator[Target]:
    """A `Target` that is discarded unless `publish` was called. OS errors become `TargetError`."""
    target = Target(name, folder=folder, sources=sources)
    try:
        yield target
    except OSError as error:
        unwrapped = isinstance(error, (SourceError, TargetError, BrokenPipeError))
        if unwrapped or error.errno is None:
            raise
        raise TargetError(f"{target.name}: {_reason(error)}. Nothing was written.") from error
    finally:
        target.discard()


def write_beside(path: Path, data: bytes) -> None:
    """Write a small file whole or not at all."""
    part = path.parent / f".{path.name}.{os.getpid()}.part"
    try:
        part.write_bytes(data)
        part.replace(path)
    except OSError as error:
        _remove(part)
        raise TargetError(f"{path}: {_reason(error)}") from error


def _refuse_input(path: Path, sources: list[Source]) -> None:
    for source in sources:
        if source.path is None or not path.exists():
            continue
        if path.samefile(source.path):
            raise TargetError(
                f"{path}: is the source; a target of another name expected, so that the source "
                f"stays"
            )


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def _remove_stale(path: Path) -> None:
    """Remove what a killed run left for this target; a running one is left alone."""
    pattern = re.compile(re.escape(f".{path.name}.") + r"(\d+)\.part")
    for other in path.parent.iterdir():
        found = pattern.fullmatch(other.name)
        if found and not _alive(int(found[1])):
            _remove(other)


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        return True
    return True


# ------------------------------------------------------------------------------------- innards


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


def _to_standard_output(file: BinaryIO) -> None:
    output = sys.stdout.buffer
    if isinstance(output, io.RawIOBase):
        # With PYTHONUNBUFFERED a write may end half-way, on a full disk say, without an error.
        whole = io.BufferedWriter(output)
        try:
            shutil.copyfileobj(file, whole)
            whole.flush()
        finally:
            with contextlib.suppress(OSError):
                whole.detach()
        return
    shutil.copyfileobj(file, output)
    output.flush()


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
        raise SourceError(f"{name}: a whole gzip file expected; {_lower(str(error))}") from error
    finally:
        copy.unlink()
    return plain


def _temporary() -> Path:
    handle, name = tempfile.mkstemp(prefix="labelconv-")
    os.close(handle)
    return Path(name)


def _reason(error: OSError) -> str:
    known = {
        errno.ENOENT: "it does not exist",
        errno.EACCES: "no permission to read or write it",
        errno.EISDIR: "a file expected, a folder found",
        errno.ENOSPC: "the disk is full",
        errno.EDQUOT: "the disk quota is used up",
        errno.EFBIG: "the file would be larger than allowed",
        errno.EROFS: "the disk is read-only",
    }
    reason = known.get(error.errno or 0)
    return reason or _lower(error.strerror or str(error))


def _lower(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:]
