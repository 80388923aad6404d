"""Between our model and the annotation types of the labelbox SDK, both ways.

Both go through MAL lines, whose rules are the labelbox format's. The SDK is imported when one of
these functions is called.
"""

from __future__ import annotations

import itertools
import os
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from labelconv import codes, registry
from labelconv.accounting import accounted
from labelconv.errors import LossError, OptionError
from labelconv.explain import granted
from labelconv.fit import fit
from labelconv.format import Wanted
from labelconv.labelbox import sdk_in, sdk_out
from labelconv.model import Dataset, Samples
from labelconv.options import build
from labelconv.problems import Report, Where
from labelconv.reading import ReadDataset, read


def to_sdk(
    dataset: Dataset,
    *,
    options: Mapping[str, Any] | None = None,
    allow: Iterable[str] = (),
    report: Report | None = None,
) -> list[Any]:
    """The SDK's `Label`s of a dataset, for `NDJsonConverter.serialize` or `create_from_objects`.

    `options` are those of `--to labelbox` (`labelconv formats labelbox`). What Labelbox cannot hold
    is lowered and reported, as when a file is written: raises `LossError` for losses that `allow`
    does not cover (codes, names, `L4` or `loss`). Bad records are left out, into `report`.

    A data row has one label, or several where the SDK would take several objects of a video for
    one. Raises `OptionError`, or `MissingDependencyError` without the SDK.
    """
    types = sdk_out.sdk_types()
    report = Report() if report is None else report
    chosen = registry.get("labelbox")
    assert chosen.write is not None  # for mypy
    settings = build(chosen.writer_options, options, chosen.name)
    if chosen.folder(settings):
        raise OptionError("options under which one file is written expected, for the SDK's types")
    allowed = granted(allow)
    if isinstance(dataset, ReadDataset):
        dataset = dataset.again(report, Wanted(extra=frozenset({chosen.name})))
    labels: list[Any] = []
    with tempfile.TemporaryDirectory(prefix="labelconv-sdk-") as room:
        target = Path(room) / "lines.ndjson"
        fitted = fit(accounted(dataset, report), chosen, settings, report)
        chosen.write(fitted, target, settings, report)
        with target.open("rb") as lines:
            decoded = map(msgspec.json.decode, lines)
            for row, group in itertools.groupby(decoded, key=lambda line: line["dataRow"]):
                labels += sdk_out.labels_of(row, group, types, report)
    refused = report.refused(allowed)
    if refused:
        listed = ", ".join(f"{id} {report.code(id).name} ({n}×)" for id, n in refused.items())
        raise LossError(
            f"something would be lost that was not allowed: {listed}; accept it with "
            f"allow=[...], or allow=['loss']",
            report,
        )
    return labels


class SdkSamples(Samples):
    """What was read of labels of the SDK; `report` has the problems and the ledger."""

    def __init__(self, samples: Samples, report: Report) -> None:
        super().__init__(samples.__iter__, lambda: samples.ontology, samples.info)
        self.report = report


def from_sdk(
    labels: Iterable[Any],
    *,
    options: Mapping[str, Any] | None = None,
    report: Report | None = None,
) -> SdkSamples:
    """The samples of `Label`s of the SDK, which can be iterated again and written in any format.

    `options` are those of the labelbox reader: `media` where the annotations do not tell what the
    data rows are, `texts` for offsets into texts, `masks` for the pictures of masks by URL (nothing
    is fetched). Labels of one data row become one sample. In place of its line, a problem names the
    data row.

    Annotations that the SDK cannot serialize are rejected, into `report` (by default the result's).
    Raises `OptionError` for labels that have an external id alone, or `MissingDependencyError`.
    """
    types = sdk_out.sdk_types()
    report = Report() if report is None else report
    noted = Report(part=True)
    with tempfile.TemporaryDirectory(prefix="labelconv-sdk-") as room:
        path = Path(room) / "lines.ndjson"
        count = _write_lines(labels, types, path, noted)
        if not count:
            found = Samples(())
        else:
            dataset = read(path, "labelbox", options=options, report=noted)
            found = Samples(tuple(dataset), dataset.ontology, dataset.info)
    _without_path(noted, os.fspath(path))
    report.join(noted.sealed())
    return SdkSamples(found, report)


def _write_lines(labels: Iterable[Any], types: Any, path: Path, report: Report) -> int:
    count = 0
    with path.open("wb") as written:
        for label in labels:
            for line in sdk_in.lines_of(label, types):
                if isinstance(line, sdk_in.Faulty):
                    row = sdk_in.row_of(label)
                    where = Where(sample=row.get("globalKey") or row.get("id"))
                    report.ledger.annotations.read += 1
                    record = repr(line.annotation).encode()
                    values = {"expected": "an annotation for MAL", "found": str(line)}
                    report.reject(codes.RECORD_MALFORMED, where, record, **values)
                else:
                    written.write(msgspec.json.encode(line) + b"\n")
                    count += 1
    return count


def _without_path(report: Report, path: str) -> None:
    """Take the name of our own file out of the places of problems."""
    for number, problem in enumerate(report.problems):
        if problem.where.path == path:
            where = msgspec.structs.replace(problem.where, path=None, line=None, column=None)
            report.problems[number] = msgspec.structs.replace(problem, where=where)
