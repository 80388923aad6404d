"""The import jobs of an upload: a part is a job; what a FAILED job leaves open is sent again.

A job that is FAILED as a whole seldom says why (SDK; its issue 1219), and nothing published says
whether it has imported some of its lines. But a line with a uuid replaces itself on its data row
(Labelbox's reference), so that sending it again is safe. So the lines are sent again after a pause,
then in halves: one line that no job survives costs its own data row and no other.
"""

from __future__ import annotations

import contextlib
import time
from array import array
from collections import Counter, deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import BinaryIO

import msgspec

from labelconv.labelbox.upload_outcome import Outcome, all_unknown, outcome_of, reason_of
from labelconv.labelbox.upload_parts import Index, line_of, records
from labelconv.labelbox.upload_server import (
    Job,
    Patience,
    Server,
    Status,
    StatusesGoneError,
)
from labelconv.labelbox.upload_state import (
    PartState,
    State,
    half_of,
    lines_of,
    runs_of,
    write_state,
)

#: Jobs that run at the same time.
AT_ONCE = 4
#: Looks at a job that was made and is not to be found, before it is given up.
_LOOKS = 20
_NAMELESS = "not sent again, since a line of its data row has no uuid and might then be there twice"
_TORN = "not sent again, since other lines of its data row were accepted"


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """How far an upload is; `news` is a sentence on a failure that may pass."""

    lines: int
    accepted: int
    refused: int
    unknown: int
    sent: int
    parts: int
    parts_done: int
    news: str | None = None


class Run(msgspec.Struct):
    """One run of an upload.

    `lines` has, for each part of the state, its lines (0-based) that are not decided. `failures`
    counts the FAILED jobs of a part in this run, `due` says when it is to be sent again, `halves`
    how many were made.
    """

    file: BinaryIO
    index: Index
    lines: list[array[int]]
    state: State
    place: Path
    server: Server
    patience: Patience
    progress: Callable[[Progress], None] | None
    failures: Counter[int] = msgspec.field(default_factory=Counter)
    due: dict[int, float] = msgspec.field(default_factory=dict)
    halves: int = 0

    def save(self) -> None:
        """Write the state down and tell how far it is."""
        write_state(self.place, self.state)
        self.tell()

    def tell(self, news: str | None = None) -> None:
        """Tell how far it is, and what may pass."""
        if self.progress is None:
            return
        parts = self.state.parts
        told = Progress(
            lines=len(self.index),
            accepted=sum(each.accepted for each in parts),
            refused=sum(_count(each.refused) + each.failed for each in parts),
            unknown=sum(_count(each.unknown) for each in parts),
            sent=sum(
                each.lines for each in parts if each.phase in ("running", "done") and not each.half
            ),
            parts=len(parts),
            parts_done=sum(each.phase == "done" for each in parts),
            news=news,
        )
        self.progress(told)


def run_of(
    file: BinaryIO,
    index: Index,
    parts: list[array[int]],
    state: State,
    place: Path,
    server: Server,
    patience: Patience,
    progress: Callable[[Progress], None] | None,
) -> Run:
    """A run that goes on from a state; `parts` are the lines (0-based) of those that are whole."""
    lines = [
        parts[number] if part.open is None else lines_of(part.open)
        for number, part in enumerate(state.parts)
    ]
    run = Run(file, index, lines, state, place, server, patience, progress)
    server.told = run.tell
    return run


def all_jobs(run: Run) -> None:
    """Send what is not sent and wait for what runs, `AT_ONCE` jobs at a time.

    What FAILED jobs of an earlier run have left is sent again.
    """
    parts = run.state.parts
    for part in parts:
        if part.failed:
            part.phase, part.again, part.reason = "waiting", part.again + 1, ""
    todo = deque(number for number, part in enumerate(parts) if part.phase != "done")
    running: dict[int, int] = {}  # part → looks in vain
    pause = run.patience.look
    run.save()
    while todo or running or run.due:
        now = time.monotonic()
        for number in [number for number, at in run.due.items() if at <= now]:
            del run.due[number]
            todo.append(number)
        while todo and len(running) < AT_ONCE:
            number = todo.popleft()
            if parts[number].phase != "running":
                _send(run, number)
            running[number] = 0
        count = len(parts)
        done = [number for number in running if _is_done(run, number, running)]
        for number in done:
            del running[number]
        todo.extendleft(reversed(range(count, len(parts))))  # halves first: to know is better
        if not done and (running or run.due):
            next_due = min(run.due.values(), default=now + pause) - now
            time.sleep(min(pause, max(0.0, next_due)))
        pause = run.patience.look if done else min(run.patience.look_most, 1.5 * pause)


def _send(run: Run, number: int) -> None:
    """Make the job of a part, unless it is there already: then its making was not written down."""
    part = run.state.parts[number]
    job = run.server.find(part.name)
    if job is None and part.phase == "sending":
        # The run before ended while it sent this; Labelbox may still be about to make the job.
        time.sleep(run.patience.look_most)
        job = run.server.find(part.name)
    if job is None:
        part.phase = "sending"
        run.save()
        # Beside the state: what a killed run leaves there, the next one overwrites and removes.
        content = run.place.with_name(f".{run.place.name}.part")
        try:
            with content.open("wb") as written:
                for at, record in enumerate(records(run.file, run.index, run.lines[number])):
                    written.write(b"\n" + record if at else record)
            job = run.server.make(part.name, content)
        finally:
            content.unlink(missing_ok=True)
    part.phase, part.job_id = "running", job.id
    run.save()


def _is_done(run: Run, number: int, looks: dict[int, int]) -> bool:
    """Look at a job that runs; True when it has ended and what came of it is written down."""
    part = run.state.parts[number]
    job = run.server.find(part.name)
    if job is None:
        looks[number] += 1
        if looks[number] < _LOOKS:
            return False
        words = f"the import job {part.name} is not to be found any more"
        _end(part, all_unknown((line + 1 for line in run.lines[number]), words))
    elif job.state == "RUNNING":
        return False
    elif job.state == "FAILED":
        _failed(run, number, job)
    else:
        _finished(run, number, job)
    run.save()
    return True


def _finished(run: Run, number: int, job: Job) -> None:
    part, lines = run.state.parts[number], run.lines[number]
    try:
        statuses = run.server.statuses(part.name, job)
    except StatusesGoneError as error:
        _end(part, all_unknown((line + 1 for line in lines), f"{error}; job {part.name}"))
    else:
        _end(part, _told(run, lines, statuses))


def _told(run: Run, lines: array[int], statuses: Sequence[Status]) -> Outcome:
    """What statuses say of each line of a job."""
    given = records(run.file, run.index, lines)
    found = outcome_of(((n + 1, line_of(r)) for n, r in zip(lines, given, strict=True)), statuses)
    for place in (found.refused, found.unknown):
        for reason in list(place):
            shown = run.server.without_key(reason)
            if shown != reason:
                place.setdefault(shown, []).extend(place.pop(reason))
    return found


def _end(part: PartState, found: Outcome) -> None:
    """Write down what became of lines that were open; none are left."""
    part.accepted += found.accepted
    for kept, more in ((part.refused, found.refused), (part.unknown, found.unknown)):
        for reason, lines in more.items():
            kept.setdefault(reason, []).extend(lines)
    part.open, part.phase = [], "done"


# ---------------------------------------------------------------------------- jobs that FAILED


def _failed(run: Run, number: int, job: Job) -> None:
    """Write down what a FAILED job says of lines; those that it does not name are sent again."""
    part, lines = run.state.parts[number], run.lines[number]
    statuses: Sequence[Status] = ()
    with contextlib.suppress(StatusesGoneError):
        statuses = run.server.statuses(part.name, job)
    found = _told(run, lines, statuses)
    left = array("I", sorted(n - 1 for each in found.unknown.values() for n in each))
    found.unknown = {}
    words = f"the import job {part.name} has FAILED as a whole"
    said = run.server.without_key(reason_of(statuses))
    reason = f"{words}: {said}" if said else f"{words}, without a reason"
    rows = run.index.rows
    why_not = _bound(run, lines, left, {n - 1 for each in found.refused.values() for n in each})
    again = array("I")
    for line in left:
        words = why_not.get(rows[line], "")
        if words:
            found.refused.setdefault(f"{reason}; {words}", []).append(line + 1)
        else:
            again.append(line)
    _end(part, found)
    if not again:
        return
    run.lines[number], part.open = again, runs_of(again)
    failures = run.failures[number] = run.failures[number] + 1
    # A half that fails tells where the fault is; it is looked for there at once.
    halves = _halves(rows, again) if part.half or failures >= run.patience.jobs else None
    if halves is not None and run.halves + 2 <= run.patience.halves:
        part.open, run.halves = [], run.halves + 2
        for letter, half in zip("ab", halves, strict=True):
            run.lines.append(half)
            run.state.parts.append(half_of(part, letter, half, run.index))
        run.tell(f"{reason}; sending its lines again in halves")
    elif failures < run.patience.jobs:
        part.phase, part.again = "waiting", part.again + 1
        pause = min(run.patience.most, run.patience.first * 2 ** (failures - 1))
        run.due[number] = time.monotonic() + pause
        run.tell(f"{reason}; sending its {len(again)} lines again in {pause:g} s")
    else:
        part.reason = reason if failures == 1 else f"{reason}; sent {failures} times"


def _bound(run: Run, lines: array[int], left: array[int], refused: set[int]) -> dict[int, str]:
    """Data rows whose lines must not be sent again, with the reason."""
    rows, bound = run.index.rows, {}
    decided = refused.union(left)
    for line, record in zip(lines, records(run.file, run.index, lines), strict=True):
        if line_of(record).uuid is None:
            bound[rows[line]] = _NAMELESS
        elif line not in decided:
            bound.setdefault(rows[line], _TORN)
    return bound


def _halves(rows: array[int], lines: array[int]) -> tuple[array[int], array[int]] | None:
    """The lines in two, on a border of data rows; None where they are of one data row."""
    order = list(dict.fromkeys(rows[line] for line in lines))
    if len(order) < 2:
        return None
    first = set(order[: len(order) // 2])
    return (
        array("I", (line for line in lines if rows[line] in first)),
        array("I", (line for line in lines if rows[line] not in first)),
    )


def _count(by_reason: dict[str, list[int]]) -> int:
    return sum(map(len, by_reason.values()))
