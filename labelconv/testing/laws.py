"""The laws of every format, as functions that raise AssertionError where one is broken.

Each takes the format's record itself, so it need not be installed; `folder` is an empty folder
of the caller's, one for each call; `options` are the writer's (its defaults when None), and
`reader_options` the reader's.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import msgspec

from labelconv.accounting import accounted
from labelconv.fit import fit
from labelconv.format import Format, Reading
from labelconv.io import Source
from labelconv.keys import Keys
from labelconv.model import Dataset, Sample, Samples
from labelconv.problems import Report
from labelconv.testing.comparing import comparable_dataset, difference


def check_laws(
    format: Format,
    dataset: Dataset,
    folder: Path,
    *,
    options: Any = None,
    reader_options: Any = None,
) -> None:
    """All laws, each in a folder of its own. What cannot be written or read is not tried."""
    if format.write is None:
        return
    rooms = [folder / name for name in ("same", "only", "unchanged", "ledger", "back")]
    for room in rooms:
        room.mkdir()
    check_deterministic(format, dataset, rooms[0], options=options)
    check_only_target(format, dataset, rooms[1], options=options)
    check_unchanged(format, dataset, rooms[2], options=options)
    check_ledger(format, dataset, rooms[3], options=options)
    if format.read is not None:
        check_round_trip(format, dataset, rooms[4], options=options, reader_options=reader_options)


def fitted(format: Format, dataset: Dataset, options: Any, report: Report) -> Samples:
    """The dataset cut down to what the format holds, in memory; `report` accounts for it."""
    cut = fit(accounted(dataset, report), format, options, report)
    return Samples(tuple(cut), cut.ontology, cut.info)


def check_round_trip(
    format: Format,
    dataset: Dataset,
    folder: Path,
    *,
    options: Any = None,
    reader_options: Any = None,
) -> None:
    """read(write(fit(d))) == fit(d) to the stated precision, and the reading has no errors or
    losses to report."""
    options = _options(format, options)
    assert format.read is not None, f"{format.name} cannot be read"
    before = fitted(format, dataset, options, Report())
    target = _written(format, before, folder, options, Report())
    report = Report()
    if reader_options is None:
        reader_options = _told(format, before, options)
    after = list(format.read(Source(target), reader_options, Reading(report=report, keys=Keys())))
    told = [str(problem) for problem in report.problems if problem.severity != "note"]
    assert not told, f"{format.name} has problems reading what it wrote: {told}"
    expected = comparable_dataset(before, format, options)
    found = comparable_dataset(after, format, options)
    keys = [sample.key for sample in expected], [sample.key for sample in found]
    assert keys[0] == keys[1], f"{format.name}: samples {keys[0]} written, {keys[1]} read"
    for one, other in zip(expected, found, strict=True):
        holds = format.holds_of(type(one.media), options)
        different = difference(one, other, holds.precision if holds else 0.0)
        assert different is None, f"{format.name}, sample {one.key!r}{different}"
    _check_counts(format, found, report)


def check_deterministic(
    format: Format, dataset: Dataset, folder: Path, *, options: Any = None
) -> None:
    """The same data gives the same bytes, file by file."""
    options = _options(format, options)
    contents = []
    for name in ("one", "two"):
        room = folder / name
        room.mkdir()
        before = fitted(format, dataset, options, Report())
        contents.append(_contents(_written(format, before, room, options, Report())))
    assert contents[0].keys() == contents[1].keys(), f"{format.name} wrote other files"
    for path, data in contents[0].items():
        assert data == contents[1][path], f"{format.name} wrote other bytes to {path}"


def check_unchanged(format: Format, dataset: Dataset, folder: Path, *, options: Any = None) -> None:
    """Fitting and writing leave the dataset as it was, also what hangs in its `extra`."""
    options = _options(format, options)
    before = _spelled(dataset)
    cut = fit(dataset, format, options, Report())
    _written(format, cut, folder, options, Report())
    assert _spelled(dataset) == before, f"{format.name} changed the dataset given to it"


def check_only_target(
    format: Format, dataset: Dataset, folder: Path, *, options: Any = None
) -> None:
    """Writing creates the target, as a file or folder as stated, and nothing beside it."""
    options = _options(format, options)
    before = fitted(format, dataset, options, Report())
    target = _written(format, before, folder, options, Report())
    beside = sorted(path.name for path in folder.iterdir())
    assert beside == [target.name], f"{format.name} created {beside}, not {target.name} alone"
    wanted = "folder" if format.folder(options) else "file"
    found = "folder" if target.is_dir() else "file"
    assert wanted == found, f"{format.name} said it makes a {wanted} and made a {found}"


def check_ledger(format: Format, dataset: Dataset, folder: Path, *, options: Any = None) -> None:
    """All that the dataset holds is in the ledger, and the ledger balances after writing."""
    options = _options(format, options)
    report = Report()
    _written(
        format, fit(accounted(dataset, report), format, options, report), folder, options, report
    )
    given = list(dataset)
    read = {name: account.read for name, account in report.ledger.rows()}
    assert read == _counted(given), f"{format.name}: {_counted(given)} given, {read} accounted for"
    rows = {name: msgspec.to_builtins(account) for name, account in report.ledger.rows()}
    assert report.ledger.balanced, f"{format.name}: the ledger does not balance: {rows}"
    below = [name for name, account in rows.items() if min(account.values()) < 0]
    assert not below, f"{format.name}: counts below nothing for {below}: {rows}"


def _options(format: Format, options: Any) -> Any:
    return format.writer_options() if options is None else options


def _told(format: Format, dataset: Dataset, options: Any) -> Any:
    """The reader's options; with the kind of media where lines may not tell it."""
    media = {type(sample.media) for sample in dataset}
    found = {h.read_as for h in format.holds(options) if h.media in media and h.read_as}
    assert len(found) <= 1, f"samples of one kind of media expected, {found} found"
    return format.reader_options(media=found.pop()) if found else format.reader_options()


def _written(format: Format, dataset: Dataset, folder: Path, options: Any, report: Report) -> Path:
    assert format.write is not None, f"{format.name} cannot be written"
    target = folder / f"target{format.extensions[0] if format.extensions else ''}"
    format.write(dataset, target, options, report)
    return target


def _contents(target: Path) -> dict[str, bytes]:
    if target.is_file():
        return {"": target.read_bytes()}
    return {
        path.relative_to(target).as_posix(): path.read_bytes()
        for path in target.rglob("*")
        if path.is_file()
    }


def _spelled(dataset: Dataset) -> bytes:
    return msgspec.json.encode([list(dataset), dataset.ontology, dataset.info])


def _counted(samples: list[Sample]) -> dict[str, int]:
    counts = Counter[str]()
    for sample in samples:
        counts["samples"] += 1
        counts["annotations"] += len(sample.annotations)
        counts["classifications"] += len(sample.classifications)
        counts["relations"] += len(sample.relations)
    return {
        name: counts[name] for name in ("samples", "annotations", "classifications", "relations")
    }


def _check_counts(format: Format, samples: list[Sample], report: Report) -> None:
    """The reader counted just what it gave."""
    given = _counted(samples)
    read = {name: account.read for name, account in report.ledger.rows()}
    assert read == given, f"{format.name}: {given} came from the reader, {read} counted by it"
