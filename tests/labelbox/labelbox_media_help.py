"""Lines written of samples of any media, and samples read of lines."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from labelconv.format import Reading, Wanted
from labelconv.formats.labelbox import FORMAT
from labelconv.formats.labelbox import check as rules
from labelconv.formats.labelbox.options import LabelboxReaderOptions, LabelboxWriterOptions
from labelconv.formats.labelbox.reader import read
from labelconv.formats.labelbox.writer import write
from labelconv.io import Source
from labelconv.keys import Keys
from labelconv.media import NO_MEDIA, MediaFiles
from labelconv.model import Sample, Samples
from labelconv.problems import Report
from labelconv.testing import fitted


def lines_of(
    folder: Path, *samples: Sample, report: Report | None = None, **options: Any
) -> list[dict[str, Any]]:
    """The lines of samples, cut to what is held; `check` has nothing against them."""
    target = folder / "written.ndjson"
    report = Report() if report is None else report
    settings = LabelboxWriterOptions(**options)
    write(fitted(FORMAT, Samples(samples), settings, report), target, settings, report)
    file = target / "annotations.ndjson" if target.is_dir() else target
    if file.read_bytes():
        found = Report()
        rules.check(file, found)
        assert [str(each) for each in found.problems if each.severity == "error"] == []
    lines = [json.loads(line) for line in file.read_text("ascii").splitlines()]
    assert report.ledger.balanced, report.ledger
    if target.is_file():
        target.unlink()
    return lines


def payload(line: dict[str, Any]) -> dict[str, Any]:
    """A line without its envelope."""
    return {name: value for name, value in line.items() if name not in {"uuid", "dataRow"}}


def put(folder: Path, *lines: dict[str, Any]) -> Path:
    """A file of lines; those without a data row are about the row `k`."""
    path = folder / "lines.ndjson"
    whole = ({"dataRow": {"globalKey": "k"}} | line for line in lines)
    path.write_text("".join(json.dumps(line) + "\n" for line in whole), encoding="utf-8")
    return path


def samples_of(
    path: Path,
    report: Report | None = None,
    *,
    pieces: bool = False,
    files: MediaFiles = NO_MEDIA,
    **options: Any,
) -> list[Sample]:
    """What is read; the ledger is as the samples are."""
    report = Report() if report is None else report
    reading = Reading(report=report, keys=Keys(), wanted=Wanted(pieces=pieces), media=files)
    found = list(read(Source(path), LabelboxReaderOptions(**options), reading))
    for name, account in report.ledger.rows():
        if name != "samples":
            given = sum(len(getattr(sample, name)) for sample in found)
            assert account.read - account.rejected == given, name
    return found


def told(report: Report) -> list[tuple[str, str | None]]:
    """Codes and pointers."""
    return [(problem.code, problem.where.pointer) for problem in report.problems]
