"""Read → passes → fit → write, whole or not at all. The functions behind the command line."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from labelconv import codes, registry
from labelconv.errors import LabelconvError, LossError, OptionError, StrictError
from labelconv.fit import fit
from labelconv.format import Format, Reading, Wanted
from labelconv.io import Source, Target, publishing, write_beside
from labelconv.keys import Keys
from labelconv.model import Dataset
from labelconv.options import build
from labelconv.problems import Report, StopAtFirstError, Where

Path_ = str | os.PathLike[str]
Pass = Callable[[Dataset, Report], Dataset]


def read(
    source: Path_,
    format: str | None = None,
    *,
    options: Mapping[str, Any] | None = None,
    key: str | None = None,
    keys: Path_ | None = None,
    report: Report | None = None,
) -> Dataset:
    """The dataset in `source`, which may be iterated again and again.

    `format` is found out from the content when it is not given. `options` are the reader's
    (`labelconv formats NAME` lists them). `key` is a template and `keys` a CSV file for the keys
    of samples (see `labelconv.keys`). Problems and counts go into `report`.

    Raises `SourceError`, `UnknownFormatError` or `OptionError`; bad records never raise.
    """
    report = Report() if report is None else report
    opened = Source(source)
    chosen = _reader(opened, format, report)
    return _read(opened, chosen, options, key, keys, report, Wanted())


def write(
    dataset: Dataset,
    target: Path_,
    format: str | None = None,
    *,
    options: Mapping[str, Any] | None = None,
    allow: Iterable[str] = (),
    min_iou: float | None = None,
    report: Report | None = None,
) -> Report:
    """Write a dataset to a file or folder that appears whole or not at all.

    Raises `LossError` (nothing is written) when something would be lost that `allow` does not
    cover: codes (`L402`), names (`shape-lowered`), `L4` or `loss`.
    """
    report = Report() if report is None else report
    chosen = _writer(os.fspath(target), format)
    settings = build(chosen.writer_options, options, chosen.name)
    _account_for_given(dataset, report)
    _run(dataset, chosen, settings, os.fspath(target), [], report, tuple(allow), min_iou)
    return report


def convert(
    source: Path_,
    target: Path_,
    *,
    from_: str | None = None,
    to: str | None = None,
    reader_options: Mapping[str, Any] | None = None,
    writer_options: Mapping[str, Any] | None = None,
    key: str | None = None,
    keys: Path_ | None = None,
    passes: Sequence[Pass] = (),
    allow: Iterable[str] = (),
    min_iou: float | None = None,
    strict: bool = False,
    dry_run: bool = False,
    report: Report | None = None,
) -> Report:
    """Convert `source` to `target` and account for every annotation.

    Bad records are left out and written, verbatim, to `<target>.rejected.ndjson`. Raises
    `LossError` when something would be lost that is not allowed, `StrictError` at the first error
    when `strict`; nothing is written then. With `dry_run` everything but writing is done.
    """
    report = Report(strict=strict) if report is None else report
    opened = Source(source)
    reader = _reader(opened, from_, report)
    writer = _writer(os.fspath(target), to)
    settings = build(writer.writer_options, writer_options, writer.name)
    dataset = _read(opened, reader, reader_options, key, keys, report, _wanted(writer, settings))
    for change in passes:
        dataset = change(dataset, report)
    _run(
        dataset,
        writer,
        settings,
        os.fspath(target),
        [opened],
        report,
        tuple(allow),
        min_iou,
        dry_run=dry_run,
    )
    return report


def _reader(source: Source, name: str | None, report: Report) -> Format:
    if name is None:
        chosen, evidence = registry.sniff(source)
        report.evidence.extend(evidence)
    else:
        chosen = registry.get(name)
    if chosen.read is None:
        raise OptionError(f"the format {chosen.name!r} can only be written")
    return chosen


def _writer(target: str, name: str | None) -> Format:
    chosen = registry.by_target(target) if name is None else registry.get(name)
    if chosen.write is None:
        raise OptionError(f"the format {chosen.name!r} can only be read")
    return chosen


def _read(
    source: Source,
    reader: Format,
    options: Mapping[str, Any] | None,
    key: str | None,
    keys: Path_ | None,
    report: Report,
    wanted: Wanted,
) -> Dataset:
    assert reader.read is not None
    table = None if keys is None else Path(keys)
    reading = Reading(report=report, keys=Keys(template=key, table=table), wanted=wanted)
    return reader.read(source, build(reader.reader_options, options, reader.name), reading)


def _wanted(writer: Format, settings: Any) -> Wanted:
    """What this writer makes use of."""
    held = writer.holds(settings)
    extra: frozenset[str] | None = frozenset()
    if any(holds.extra == "all" for holds in held):
        extra = None
    elif any(holds.extra == "own" for holds in held):
        extra = frozenset({writer.name})
    return Wanted(pieces=all(holds.pieces for holds in held), extra=extra)


def _account_for_given(dataset: Dataset, report: Report) -> None:
    """Annotations that no reader counted, because the caller made them, are read here."""


def _run(
    dataset: Dataset,
    writer: Format,
    settings: Any,
    target: str,
    sources: list[Source],
    report: Report,
    allow: tuple[str, ...],
    min_iou: float | None,
    *,
    dry_run: bool = False,
) -> None:
    assert writer.write is not None
    fitted = fit(dataset, writer, settings, report, min_iou=min_iou)
    with publishing(target, folder=writer.folder(settings), sources=sources) as opened:
        try:
            writer.write(fitted, opened.part, settings, report)
        except StopAtFirstError as stop:
            raise StrictError(
                f"stopped at the first error, since strict was asked for; nothing was written.\n"
                f"{stop.problem}",
                report,
            ) from None
        _finish(report)
        refused = report.refused(allow)
        if refused:
            raise LossError(_refusal(refused, report), report)
        if not dry_run:
            _publish(opened, target, report)


def _finish(report: Report) -> None:
    for name, count in sorted(report.fields.items()):
        report.add(codes.FIELD_LEFT_OUT, name=name, count=count)
    if not report.ledger.balanced:
        rows = "; ".join(
            f"{name} {msgspec.to_builtins(account)}"
            for name, account in report.ledger.rows()
            if not account.balanced
        )
        raise LabelconvError(f"the ledger does not balance, which is a fault of labelconv: {rows}")


def _publish(opened: Target, target: str, report: Report) -> None:
    rejected = report.take_rejected()
    opened.publish()
    if target == "-":
        return
    beside = Path(f"{target.rstrip('/')}.rejected.ndjson")
    if rejected:
        write_beside(beside, b"".join(record.as_line() for record in rejected))
    else:
        beside.unlink(missing_ok=True)  # of an earlier run; it would be wrong now


def _refusal(refused: dict[str, int], report: Report) -> str:
    listed = "\n".join(
        f"  {id} {report.code(id).name}: {count}×  (accept with --allow {id})"
        for id, count in refused.items()
    )
    return (
        f"nothing was written, since something would be lost that was not allowed:\n{listed}\n"
        f"  accept all of it with --allow loss; `labelconv explain CODE` says how to avoid it"
    )


__all__ = ["convert", "read", "write"]
_ = Where
