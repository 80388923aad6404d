"""What is known of an upload, on disk after every step, so that it can go on after an interruption.

The names of import jobs are made from the content of the file, so that a job whose making was not
written down any more is found by its name. Nothing of the API key is in it.
"""

from __future__ import annotations

import contextlib
import hashlib
from array import array
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import BinaryIO, Literal

import msgspec

from labelconv.errors import OptionError, SourceError
from labelconv.jsonstream import UNDECODABLE
from labelconv.labelbox.upload_parts import Index
from labelconv.targets import write_beside

Kind = Literal["mal", "label"]
Phase = Literal["waiting", "sending", "running", "done"]
_VERSION = 2


class PartState(msgspec.Struct, omit_defaults=True):
    """A part, or a half of one whose job has FAILED, and its import job.

    `first` and `last` are lines (1-based), `start` and `end` the bytes from the first to the end of
    the last; lines of other parts may lie between. `refused` and `unknown` have lines by reason.
    `again` is how often what is open was sent again. `open` are the lines (first and last of runs)
    that are not decided, None while these are all; of a part that is done they are those of a job
    that has FAILED for the `reason`.
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
    half: bool = False
    again: int = 0
    open: list[list[int]] | None = None
    reason: str = ""

    @property
    def name(self) -> str:
        """The name of the job that it is in now, or will be."""
        return self.names[-1]

    @property
    def names(self) -> list[str]:
        """The names of all its jobs."""
        return [self.job, *(f"{self.job}-again-{n}" for n in range(1, self.again + 1))]

    @property
    def failed(self) -> int:
        """How many of its lines have failed with their job."""
        return len(lines_of(self.open or [])) if self.phase == "done" else 0


def runs_of(lines: Iterable[int]) -> list[list[int]]:
    """Rising 0-based lines as runs: the first and the last of each, 1-based."""
    runs: list[list[int]] = []
    for line in lines:
        if runs and runs[-1][1] == line:
            runs[-1][1] = line + 1
        else:
            runs.append([line + 1, line + 1])
    return runs


def lines_of(runs: list[list[int]]) -> array[int]:
    """The 0-based lines of runs."""
    return array("I", chain.from_iterable(range(first - 1, last) for first, last in runs))


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
        _part(f"{name}-{mark}-{number}-of-{count}", part, index)
        for number, part in enumerate(parts, 1)
    ]
    file = Path(index.name).name
    return State(_VERSION, file, index.sha256, project, kind, name, lines, made)


def half_of(part: PartState, letter: str, lines: array[int], index: Index) -> PartState:
    """A part of its own for half of the lines (0-based) of another."""
    made = _part(f"{part.name}-{letter}", lines, index)
    made.half, made.open = True, runs_of(lines)
    return made


def _part(job: str, lines: array[int], index: Index) -> PartState:
    first, last = lines[0], lines[-1]
    start, end = index.starts[first], index.starts[last + 1]
    return PartState(job, len(lines), first + 1, last + 1, start, end)


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
    except UNDECODABLE as error:
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
    whole = [_extent(part) for part in state.parts if not part.half]
    halves_first = any(part.half for part in state.parts[: len(whole)])
    if halves_first or whole != [_extent(part) for part in fresh.parts]:
        raise OptionError(f"{path}: {len(fresh.parts)} parts expected, others found")
    last = max((part.last for part in fresh.parts), default=0)
    for part in state.parts:
        if not _is_sound(part, last):
            raise SourceError(
                f"{path}: lines from 1 to {last} expected of the part {part.job!r}, others found; "
                f"the state was changed"
            )
    return state


def _extent(part: PartState) -> tuple[object, ...]:
    return part.job, part.lines, part.first, part.last, part.start, part.end


def _is_sound(part: PartState, last: int) -> bool:
    """Whether what a part says is about lines that there are."""
    runs = part.open or []
    told = chain(*part.refused.values(), *part.unknown.values(), (part.first, part.last))
    return (
        not (part.half and part.open is None)
        and all(len(run) == 2 and 1 <= run[0] <= run[1] <= last for run in runs)
        and all(1 <= line <= last for line in told)
        and part.accepted >= 0
        and part.again >= 0
    )


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
