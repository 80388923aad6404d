"""What is known of an upload, on disk after every step, so that it can go on after an interruption.

The names of import jobs are made from the content of the file, so that a job whose making was not
written down any more is found by its name. Nothing of the API key is in it.
"""

from __future__ import annotations

import contextlib
import hashlib
from array import array
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, Literal

import msgspec

from labelconv.errors import OptionError, SourceError
from labelconv.labelbox.upload_parts import Index
from labelconv.targets import write_beside

Kind = Literal["mal", "label"]
Phase = Literal["waiting", "sending", "running", "done"]
_VERSION = 1


class PartState(msgspec.Struct, omit_defaults=True):
    """A part and its import job.

    `first` and `last` are lines (1-based), `start` and `end` the bytes from the first to the end of
    the last; lines of other parts may lie between. `refused` and `unknown` have lines by reason.
    """

    job: str
    lines: int
    first: int
    last: int
    start: int
    end: int
    phase: Phase = "waiting"
    job_id: str | None = None
    accepted: int = 0
    refused: dict[str, list[int]] = {}
    unknown: dict[str, list[int]] = {}


class State(msgspec.Struct):
    """An upload: which file, where to, and how far it is."""

    version: int
    file: str
    sha256: str
    project: str
    kind: Kind
    name: str
    lines: int
    parts: list[PartState]


def new_state(
    index: Index, parts: Sequence[array[int]], project: str, kind: Kind, name: str, lines: int
) -> State:
    """The state of an upload of which nothing is sent."""
    mark = hashlib.sha256(
        "\0".join((index.sha256, project, kind, str(lines))).encode()
    ).hexdigest()[:16]
    count = len(parts)
    made = [
        PartState(
            f"{name}-{mark}-{number}-of-{count}",
            len(part),
            part[0] + 1,
            part[-1] + 1,
            index.starts[part[0]],
            index.starts[part[-1] + 1],
        )
        for number, part in enumerate(parts, 1)
    ]
    file = Path(index.name).name
    return State(_VERSION, file, index.sha256, project, kind, name, lines, made)


def read_state(path: Path, fresh: State) -> State:
    """The state on disk, or `fresh` where there is none.

    Raises `OptionError` when it is that of another upload, `SourceError` when it cannot be read.
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return fresh
    except OSError as error:
        raise SourceError(f"{path}: {(error.strerror or str(error)).lower()}") from error
    try:
        state = msgspec.json.decode(data, type=State)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise SourceError(f"{path}: the state of an upload expected; {error}") from error
    asked = ("version", "sha256", "project", "kind", "name", "lines")
    for field in asked:
        found, expected = getattr(state, field), getattr(fresh, field)
        if found != expected:
            what = "content (sha256)" if field == "sha256" else field
            raise OptionError(
                f"{path}: the state of this upload expected, that of another one found: its {what} "
                f"is {found!r}, here it is {expected!r}. End that upload first, or name another "
                f"file with --state"
            )
    if [part.job for part in state.parts] != [part.job for part in fresh.parts]:
        raise OptionError(f"{path}: {len(fresh.parts)} parts expected, others found")
    return state


def write_state(path: Path, state: State) -> None:
    """Write it whole or not at all. Raises `TargetError`."""
    write_beside(path, msgspec.json.encode(state) + b"\n")


@contextlib.contextmanager
def alone(file: BinaryIO, name: str) -> Iterator[None]:
    """Keep two runs from uploading one file at the same time. Raises `OptionError`.

    The lock is the system's, on the file itself: it goes with the process, however that ends.
    """
    try:
        import fcntl
    except ImportError:  # not a system with such locks
        yield
        return
    try:
        fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise OptionError(
            f"{name}: is being uploaded by another process; wait until that has ended"
        ) from None
    except OSError:  # a file system without locks
        yield
        return
    try:
        yield
    finally:
        fcntl.flock(file.fileno(), fcntl.LOCK_UN)
