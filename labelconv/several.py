"""Several files as one dataset: globs in natural order, ontologies merged, keys told apart."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterator, Sequence

import msgspec

from labelconv import codes
from labelconv.errors import SourceError
from labelconv.io import natural_order
from labelconv.model import Dataset, Extra, Ontology, Sample, Samples
from labelconv.passes import merged_categories, merged_questions
from labelconv.problems import Report, Where


def matching(source: str | os.PathLike[str]) -> list[str]:
    """The files that a source names: itself, or what a glob matches, in natural order.

    `**` matches folders to any depth. A name that exists is never taken for a glob, nor is a URL.
    Raises `SourceError` when a glob matches nothing.
    """
    name = os.fspath(source)
    if not glob.has_magic(name) or "://" in name or os.path.lexists(name):
        return [name]
    found = sorted(glob.glob(name, recursive=True), key=natural_order)  # noqa: PTH207 - it takes patterns that are absolute
    if not found:
        raise SourceError(f"{name}: files that match expected, none found")
    return found


def chain(datasets: Sequence[Dataset], names: Sequence[str], report: Report) -> Dataset:
    """The samples of all datasets, one after the other. `names` are their files, for messages.

    Categories of one name are one category. A sample whose key an earlier file has is rejected
    with all it says (`key-collision`), since two samples cannot share a data row. Facts about a
    whole file stay where all files agree; else they are counted as left out.
    """

    info: Extra = {}

    def samples() -> Iterator[Sample]:
        first: dict[str, int] = {}
        refused: set[str] = set()
        for number, dataset in enumerate(datasets):
            refused.clear()
            for sample in dataset:
                owner = first.setdefault(sample.key, number)
                if owner == number:
                    yield sample
                else:
                    _reject(sample, names[number], names[owner], refused, report)
        for name in _unite_info(info, datasets):
            report.field(f"{name} (which differs between the files)")

    _unite_info(info, datasets)
    return Samples(samples, lambda: _united([each.ontology for each in datasets]), info)


def _reject(sample: Sample, path: str, owner: str, refused: set[str], report: Report) -> None:
    ledger = report.ledger
    ledger.annotations.rejected += len(sample.annotations)
    ledger.classifications.rejected += len(sample.classifications)
    ledger.relations.rejected += len(sample.relations)
    where = Where(path=path, sample=sample.key)
    record = msgspec.json.encode(sample)
    report.reject(
        codes.KEY_COLLISION,
        where,
        record,
        "samples",
        key=sample.key,
        first=f"a sample of {owner!r}",
    )
    if sample.key in refused:
        ledger.samples.rejected -= 1  # another piece of a sample that was counted already
    refused.add(sample.key)


def _united(ontologies: Sequence[Ontology]) -> Ontology:
    return Ontology(
        categories=merged_categories([c for each in ontologies for c in each.categories]),
        questions=merged_questions(tuple(q for each in ontologies for q in each.questions)),
    )


def _unite_info(info: Extra, datasets: Sequence[Dataset]) -> list[str]:
    """Fill `info` with what the files agree on; the names of what differs.

    Some readers know their file's facts only when they have passed them, so this runs again then.
    """
    info.clear()
    differing: set[str] = set()
    for dataset in datasets:
        for name, value in dataset.info.items():
            if info.setdefault(name, value) != value:
                differing.add(name)
    for name in differing:
        del info[name]
    return sorted(differing)
