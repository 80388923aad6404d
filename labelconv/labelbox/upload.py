"""Upload MAL lines to a Labelbox project: every line once, and every line accounted for.

The file is checked, cut into parts on data-row borders and sent, one import job a part. What has
happened is written down after each step (`upload_state`), so that a run that was interrupted goes
on where it ended, and a run that had ended says the same again and sends nothing.
"""

from __future__ import annotations

import os
import time
from array import array
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

import msgspec

from labelconv import codes, registry
from labelconv.errors import OptionError, TargetError
from labelconv.io import Source
from labelconv.labelbox.upload_outcome import Outcome, all_refused, all_unknown, outcome_of
from labelconv.labelbox.upload_parts import KINDS, Index, index_of, line_of, parts_of, records
from labelconv.labelbox.upload_server import (
    ENDPOINT,
    Job,
    Patience,
    Server,
    StatusesGoneError,
    check_endpoint,
    quiet_sdk,
)
from labelconv.labelbox.upload_state import (
    Kind,
    State,
    alone,
    new_state,
    read_state,
    write_state,
)
from labelconv.problems import Code, Rejected, Report, Where
from labelconv.targets import publishing

Path_ = str | os.PathLike[str]
#: Lines of a part. No limit is published; 50,000 and more have been sent.
LINES = 10_000
#: Jobs that run at the same time.
AT_ONCE = 4
#: Looks at a job that was made and is not to be found, before it is given up.
_LOOKS = 20


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


class Uploaded(msgspec.Struct, frozen=True, kw_only=True):
    """What became of an upload.

    `report` has the problems and the ledger: of lines, accepted ones are kept and all others are
    rejected. `sent` is False when the check found errors: then nothing was sent. `jobs` are the
    import jobs by name. `state` and `failed` are files; `failed` is None when nothing failed.
    """

    report: Report
    sent: bool
    jobs: tuple[str, ...] = ()
    lines: int = 0
    accepted: int = 0
    refused: int = 0
    unknown: int = 0
    state: Path | None = None
    failed: Path | None = None


def upload(
    file: Path_,
    project: str,
    *,
    kind: Kind = "mal",
    api_key_env: str = "LABELBOX_API_KEY",
    ontology: Path_ | None = None,
    lines: int = LINES,
    name: str = "labelconv",
    state: Path_ | None = None,
    failed: Path_ | None = None,
    endpoint: str = ENDPOINT,
    patience: Patience = Patience(),  # noqa: B008 - frozen
    report: Report | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> Uploaded:
    """Upload a MAL NDJSON file to a project, as pre-labels (`mal`) or finished labels (`label`).

    The API key is read from the environment variable `api_key_env`. The file is checked first, with
    the project's `ontology` if it is given; with errors, nothing is sent. Parts have about `lines`
    lines and never tear a data row apart. `state` (by default `<file>.upload.json`) is where an
    interrupted upload goes on; `failed` (by default `<file>.failed.ndjson`) gets the lines that
    were not accepted, with the reasons. `name` begins the names of the import jobs: under another
    one, the same file is sent again.

    Raises `OptionError` (no key, a key that is not accepted, a state of another upload),
    `SourceError`, `MissingDependencyError`, or `TargetError` when Labelbox cannot be reached or
    refuses a job as a whole; run it again to go on. Lines that Labelbox refuses never raise.
    """
    report = Report() if report is None else report
    if lines < 1:
        raise OptionError(f"a part of 1 line or more expected, {lines} found")
    if kind not in ("mal", "label"):
        raise OptionError(f"mal or label expected, {kind!r} found")
    check_endpoint(endpoint)
    key = os.environ.get(api_key_env, "").strip()
    if not key:
        raise OptionError(
            f"the API key expected in the environment variable {api_key_env}, which is empty or "
            f"not set"
        )
    source = Source(file)
    if source.path is None or source.is_folder:
        raise OptionError(f"{source.name}: a local file expected, so that an upload can go on")
    place = Path(f"{source.name}.upload.json" if state is None else state)
    beside = Path(f"{source.name}.failed.ndjson" if failed is None else failed)
    _check_places(source.path, place, beside)
    with quiet_sdk():
        server = Server(key, project, kind, endpoint=endpoint, patience=patience)
        with source.open() as opened, alone(opened, source.name):
            if not _checked(source, ontology, kind, report):
                return Uploaded(report=report, sent=False)
            index = index_of(opened, source.name)
            parts = parts_of(index, lines)
            known = read_state(place, new_state(index, parts, project, kind, name, lines))
            run = _Run(opened, index, parts, known, place, server, patience, progress)
            server.told = run.tell
            _all_parts(run)
            return _accounted(run, report, beside)


def _check_places(file: Path, state: Path, failed: Path) -> None:
    """Raise before anything is sent where the files could not be written at its end."""
    if len({file.resolve(), state.resolve(), failed.resolve()}) < 3:
        raise OptionError(
            f"three files expected: what is uploaded ({file}), its state ({state}) and what failed "
            f"({failed})"
        )
    for path in (state, failed):
        if path.is_dir() or not path.parent.is_dir():
            found = "a folder" if path.is_dir() else f"no folder {str(path.parent)!r}"
            raise TargetError(f"{path}: a file expected that can be written, {found} found")


def _checked(source: Source, ontology: Path_ | None, kind: Kind, report: Report) -> bool:
    """Whether the file has no errors; they are in the report."""
    before = report.errors
    check = registry.get("labelbox").check
    assert check is not None  # for mypy
    with source.open() as file:
        check(file, report, ontology=None if ontology is None else os.fspath(ontology), sizes=None)
    if kind == "label" and report.errors == before:
        with source.open() as file:
            for number, raw in enumerate(file, 1):
                if b'"relationship"' in raw and KINDS[line_of(raw).kind] == "relations":
                    where = Where(path=source.name, line=number, pointer="/relationship")
                    words = "a relation cannot be imported into finished labels, only as mal"
                    report.add(codes.SCHEMA_BROKEN, where, message=words)
    return report.errors == before


# ------------------------------------------------------------------------------------- sending


class _Run(msgspec.Struct):
    """One run of an upload."""

    file: BinaryIO
    index: Index
    parts: Sequence[array[int]]
    state: State
    place: Path
    server: Server
    patience: Patience
    progress: Callable[[Progress], None] | None

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
            refused=sum(_count(each.refused) for each in parts),
            unknown=sum(_count(each.unknown) for each in parts),
            sent=sum(each.lines for each in parts if each.phase in ("running", "done")),
            parts=len(parts),
            parts_done=sum(each.phase == "done" for each in parts),
            news=news,
        )
        self.progress(told)


def _all_parts(run: _Run) -> None:
    """Send what is not sent and wait for what runs, `AT_ONCE` jobs at a time."""
    parts = run.state.parts
    todo = deque(number for number, part in enumerate(parts) if part.phase != "done")
    running: dict[int, int] = {}  # part → looks in vain
    pause = run.patience.look
    run.save()
    while todo or running:
        while todo and len(running) < AT_ONCE:
            number = todo.popleft()
            if parts[number].phase != "running":
                _send(run, number)
            running[number] = 0
        done = [number for number in running if _is_done(run, number, running)]
        for number in done:
            del running[number]
        if running and not done:
            time.sleep(pause)
        pause = run.patience.look if done else min(run.patience.look_most, 1.5 * pause)


def _send(run: _Run, number: int) -> None:
    """Make the job of a part, unless it is there already: then its making was not written down."""
    part = run.state.parts[number]
    job = run.server.find(part.job)
    if job is None and part.phase == "sending":
        # The run before ended while it sent this; Labelbox may still be about to make the job.
        time.sleep(run.patience.look_most)
        job = run.server.find(part.job)
    if job is None:
        part.phase = "sending"
        run.save()
        # Beside the state: what a killed run leaves there, the next one overwrites and removes.
        content = run.place.with_name(f".{run.place.name}.part")
        try:
            with content.open("wb") as written:
                for at, record in enumerate(records(run.file, run.index, run.parts[number])):
                    written.write(b"\n" + record if at else record)
            job = run.server.make(part.job, content)
        finally:
            content.unlink(missing_ok=True)
    part.phase, part.job_id = "running", job.id
    run.save()


def _is_done(run: _Run, number: int, looks: dict[int, int]) -> bool:
    """Look at a job that runs; True when it has ended and its outcome is written down."""
    part = run.state.parts[number]
    job = run.server.find(part.job)
    lines = [line + 1 for line in run.parts[number]]
    if job is None:
        looks[number] += 1
        if looks[number] < _LOOKS:
            return False
        found = all_unknown(lines, f"the import job {part.job} is not to be found any more")
    elif job.state == "RUNNING":
        return False
    else:
        found = _outcome(run, number, job, lines)
    part.accepted, part.refused, part.unknown = found.accepted, found.refused, found.unknown
    part.phase = "done"
    run.save()
    return True


def _outcome(run: _Run, number: int, job: Job, lines: list[int]) -> Outcome:
    part = run.state.parts[number]
    failed = job.state == "FAILED"
    words = f"the import job {part.job} has FAILED as a whole"
    if failed and not job.status_file_url:
        return all_refused(lines, f"{words}, without a reason")
    try:
        statuses = run.server.statuses(part.job, job)
    except StatusesGoneError as error:
        if failed:
            return all_refused(lines, f"{words}, without a reason")
        return all_unknown(lines, f"{error}; job {part.job}")
    given = records(run.file, run.index, run.parts[number])
    found = outcome_of(zip(lines, map(line_of, given), strict=True), statuses)
    if failed:
        # Lines that it does not name are refused with the rest.
        unnamed = sorted(line for each in found.unknown.values() for line in each)
        if unnamed:
            found.refused.setdefault(words, []).extend(unnamed)
            found.unknown = {}
    for place in (found.refused, found.unknown):
        for reason in list(place):
            shown = run.server.without_key(reason)
            if shown != reason:
                place.setdefault(shown, []).extend(place.pop(reason))
    return found


def _count(by_reason: dict[str, list[int]]) -> int:
    return sum(map(len, by_reason.values()))


# ---------------------------------------------------------------------------------- accounting


def _accounted(run: _Run, report: Report, beside: Path) -> Uploaded:
    """Report what became of each line, and write those that failed with their reasons."""
    parts = run.state.parts
    fates: dict[int, tuple[Code, str]] = {}
    for part in parts:
        for code, by_reason in (
            (codes.IMPORT_REFUSED, part.refused),
            (codes.IMPORT_UNKNOWN, part.unknown),
        ):
            for reason, numbers in by_reason.items():
                fates.update((number, (code, reason)) for number in numbers)
    accepted = sum(part.accepted for part in parts)
    if accepted + len(fates) != len(run.index):
        raise TargetError(
            f"{run.place}: {len(run.index)} lines expected, {accepted + len(fates)} found; the "
            f"state was changed"
        )
    _ledger(run.index, fates, report)
    if fates:
        with publishing(beside, folder=False, sources=[Source(run.index.name)]) as target:
            with target.part.open("wb") as written:
                written.writelines(_failures(run, fates, report))
            target.publish()
    else:
        beside.unlink(missing_ok=True)  # of an earlier run; it would be wrong now
    return Uploaded(
        report=report,
        sent=True,
        jobs=tuple(part.job for part in parts),
        lines=len(run.index),
        accepted=accepted,
        refused=sum(_count(part.refused) for part in parts),
        unknown=sum(_count(part.unknown) for part in parts),
        state=run.place,
        failed=beside if fates else None,
    )


def _ledger(index: Index, fates: Iterable[int], report: Report) -> None:
    bad = set(fates)
    fine = bytearray(index.row_count)  # data rows of which a line was accepted
    for number, (kind, row) in enumerate(zip(index.kinds, index.rows, strict=True), 1):
        account = getattr(report.ledger, KINDS[kind])
        account.read += 1
        if number in bad:
            account.rejected += 1
        else:
            account.kept += 1
            fine[row] = 1
    samples = report.ledger.samples
    samples.read += len(fine)
    samples.kept += sum(fine)
    samples.rejected += len(fine) - sum(fine)
    report.ledger.written["lines accepted"] = len(index) - len(bad)


def _failures(run: _Run, fates: dict[int, tuple[Code, str]], report: Report) -> Iterator[bytes]:
    """Lines for the file of what failed, in the order of the file; each one is reported too."""
    numbers = sorted(fates)
    places = array("I", [number - 1 for number in numbers])
    for number, record in zip(numbers, records(run.file, run.index, places), strict=True):
        code, reason = fates[number]
        line = line_of(record)
        where = Where(path=run.index.name, line=number, sample=line.key, annotation=line.uuid)
        report.add(code, where, reason=reason)
        yield Rejected(code.id, code.message.format(reason=reason), where, record).as_line()
