"""Targets that appear whole or not at all, and small files beside them."""

from __future__ import annotations

import contextlib
import io
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from labelconv.errors import SourceError, TargetError, reason_of
from labelconv.io import Source


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
        refuse_device(path)
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
            raise TargetError(f"{self.name}: {reason_of(error)}. Nothing was written.") from error

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
        raise TargetError(f"{target.name}: {reason_of(error)}. Nothing was written.") from error
    finally:
        target.discard()


def write_beside(path: Path, data: bytes) -> None:
    """Write a small file whole or not at all."""
    refuse_device(path)
    part = path.parent / f".{path.name}.{os.getpid()}.part"
    try:
        part.write_bytes(data)
        part.replace(path)
    except OSError as error:
        _remove(part)
        raise TargetError(f"{path}: {reason_of(error)}") from error


def refuse_device(path: Path) -> None:
    """Raise `TargetError` for what is neither a file nor a folder: a file would take its place."""
    if path.exists() and not path.is_file() and not path.is_dir():
        raise TargetError(
            f"{path}: a file expected as the target, a device or a pipe found; `-` is standard "
            f"output"
        )


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
