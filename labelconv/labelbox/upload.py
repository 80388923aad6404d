"""Upload MAL lines to a Labelbox project: every line once, and every line accounted for.

The file is checked, cut into parts on data-row borders and sent, one import job a part. What has
happened is written down after each step (`upload_state`), so that a run that was interrupted goes
on where it ended, and a run that had ended sends only what jobs that FAILED have left.
"""

from __future__ import annotations

import os
from array import array
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import msgspec

from labelconv import codes, registry
from labelconv.errors import OptionError, TargetError
from labelconv.io import Source
from labelconv.labelbox.upload_jobs import Progress, Run, all_jobs, run_of
from labelconv.labelbox.upload_parts import KINDS, Index, index_of, line_of, parts_of, records
from labelconv.labelbox.upload_server import (
    ENDPOINT,
    Patience,
    Server,
    check_endpoint,
    quiet_sdk,
)
from labelconv.labelbox.upload_state import Kind, alone, lines_of, new_state, read_state
from labelconv.problems import Code, Rejected, Report, Where
from labelconv.targets import publishing

Path_ = str | os.PathLike[str]
#: Lines of a part. No limit is published; 50,000 and more have been sent.
LINES = 10_000

__all__ = ["LINES", "Progress", "Uploaded", "upload"]


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
            run = run_of(opened, index, parts, known, place, server, patience, progress)
            all_jobs(run)
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


# ---------------------------------------------------------------------------------- accounting


def _accounted(run: Run, report: Report, beside: Path) -> Uploaded:
    """Report what became of each line, and write those that failed with their reasons."""
    parts = run.state.parts
    fates: dict[int, tuple[Code, str]] = {}
    for part in parts:
        left = {part.reason: [line + 1 for line in lines_of(part.open or [])]}
        for code, by_reason in (
            (codes.IMPORT_REFUSED, part.refused),
            (codes.IMPORT_REFUSED, left),
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
        jobs=tuple(name for part in parts for name in part.names),
        lines=len(run.index),
        accepted=accepted,
        refused=sum(code is codes.IMPORT_REFUSED for code, _ in fates.values()),
        unknown=sum(code is codes.IMPORT_UNKNOWN for code, _ in fates.values()),
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


def _failures(run: Run, fates: dict[int, tuple[Code, str]], report: Report) -> Iterator[bytes]:
    """Lines for the file of what failed, in the order of the file; each one is reported too."""
    numbers = sorted(fates)
    places = array("I", [number - 1 for number in numbers])
    for number, record in zip(numbers, records(run.file, run.index, places), strict=True):
        code, reason = fates[number]
        line = line_of(record)
        where = Where(path=run.index.name, line=number, sample=line.key, annotation=line.uuid)
        report.add(code, where, reason=reason)
        yield Rejected(code.id, code.message.format(reason=reason), where, record).as_line()
