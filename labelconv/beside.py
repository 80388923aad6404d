"""The files beside a target: its rejected records, and the report of its run."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec

from labelconv.errors import TargetError
from labelconv.problems import Rejected, Report
from labelconv.targets import write_beside

Path_ = str | os.PathLike[str]


def rejected_path(target: Path_) -> Path:
    """Where the records go that could not be used: beside the target."""
    return Path(f"{os.fspath(target).rstrip('/')}.rejected.ndjson")


def write_rejected(records: Sequence[Rejected], target: Path_) -> None:
    """Write what was rejected on the way to this target; remove what an earlier run rejected."""
    path = rejected_path(target)
    if records:
        write_beside(path, b"".join(record.as_line() for record in records))
    else:
        path.unlink(missing_ok=True)


def write_report(report: Report, path: Path_, *, beside: Iterable[Path_] = ()) -> None:
    """Write the report as JSON, whole or not at all.

    Raises `TargetError` when `path` is one of `beside`, the source and the target of the run.
    """
    refuse_report(path, beside)
    data = msgspec.json.format(msgspec.json.encode(report.as_dict()), indent=1)
    write_beside(Path(path), data + b"\n")


def refuse_report(path: Path_, beside: Iterable[Path_]) -> None:
    """Raise `TargetError` when a report there would take the place of another file of the run."""
    wanted = Path(path)
    if wanted.is_dir():
        raise TargetError(f"{wanted}: a file expected for the report, a folder found")
    if not wanted.parent.is_dir():
        raise TargetError(f"{wanted}: its folder {str(wanted.parent)!r} does not exist")
    for other in map(Path, beside):
        if wanted.resolve() == other.resolve() or (
            wanted.exists() and other.exists() and wanted.samefile(other)
        ):
            raise TargetError(
                f"{wanted}: a file of its own expected, {str(other)!r} is the source or the target"
            )
