"""What the COCO tests share: reading in every way there is, and writing."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import msgspec
import pytest

from labelconv import registry
from labelconv.fit import fit
from labelconv.format import Reading, Wanted
from labelconv.formats.coco import FORMAT
from labelconv.io import Source
from labelconv.keys import Keys
from labelconv.model import Annotation, Dataset, Sample, Samples
from labelconv.options import build
from labelconv.problems import Report

ALL = Wanted()
SHARED = Path(__file__).parents[3] / "shared" / "data"


class Got(msgspec.Struct):
    """What reading gave: whole samples in order, and the report of that one iteration."""

    samples: list[Sample]
    report: Report
    dataset: Dataset

    @property
    def annotations(self) -> list[Annotation]:
        return [annotation for sample in self.samples for annotation in sample.annotations]

    @property
    def problems(self) -> list[tuple[str, str | None]]:
        return [(problem.code, problem.where.pointer) for problem in self.report.problems]

    def only(self) -> Annotation:
        (annotation,) = self.annotations
        return annotation


def picture(width: int, height: int) -> dict[str, Any]:
    """The record of the one picture of a ground truth."""
    return {"id": 1, "width": width, "height": height, "file_name": "a.jpg"}


def document(*annotations: object, **members: object) -> dict[str, Any]:
    """A small ground truth: one picture of 100 × 80, categories 1, 2 and 4."""
    return {
        "images": [picture(100, 80)],
        "annotations": list(annotations),
        "categories": [{"id": 1, "name": "a"}, {"id": 2, "name": "b"}, {"id": 4, "name": "c"}],
        **members,
    }


def record(**fields: object) -> dict[str, Any]:
    """An annotation that is in order, but for `fields`; None takes a field away."""
    whole = {"id": 1, "image_id": 1, "category_id": 1, "bbox": [10, 20, 30, 40], **fields}
    return {name: value for name, value in whole.items() if value is not None}


def put(folder: Path, content: object, name: str = "instances.json") -> Path:
    path = folder / name
    if not isinstance(content, bytes):
        content = (content if isinstance(content, str) else json.dumps(content)).encode()
    path.write_bytes(content)
    return path


def read(
    path: Path,
    options: dict[str, Any] | None = None,
    *,
    wanted: Wanted = ALL,
    key: str | None = None,
    table: Path | None = None,
    strict: bool = False,
) -> Got:
    """Read one way, through `fit` to the native form, so that the ledger is complete."""
    report = Report(strict=strict)
    reading = Reading(report=report, keys=Keys(template=key, table=table), wanted=wanted)
    settings = build(FORMAT.reader_options, options, "coco")
    dataset = FORMAT.read(Source(path), settings, reading)
    native = registry.get("native")
    fitted = fit(dataset, native, native.writer_options(), report)
    return Got(_joined(fitted), report, dataset)


def read_all_ways(
    path: Path, options: dict[str, Any] | None = None, *, key: str | None = None
) -> Got:
    """Read whole, in pieces, and without extras; all must say the same and balance."""
    whole = read(path, options, key=key)
    for wanted in (
        Wanted(pieces=True),
        Wanted(pieces=True, extra=frozenset()),
        Wanted(extra=frozenset()),
    ):
        other = read(path, options, key=key, wanted=wanted)
        assert _plain(other) == _plain(whole)
        assert Counter(other.problems) == Counter(whole.problems)
        assert other.report.ledger == whole.report.ledger
    assert whole.report.ledger.balanced
    return whole


def write(
    dataset: Dataset | list[Sample],
    target: Path,
    options: dict[str, Any] | None = None,
    report: Report | None = None,
) -> Report:
    """Cut to what COCO holds and write; the ledger counts the samples as read."""
    report = Report() if report is None else report
    settings = build(FORMAT.writer_options, options, "coco")
    given = Samples(dataset) if isinstance(dataset, list) else dataset
    FORMAT.write(fit(given, FORMAT, settings, report), target, settings, report)
    return report


def rewritten(path: Path, target: Path, options: dict[str, Any] | None = None) -> Report:
    """COCO → COCO, as `convert` does it."""
    report = Report()
    reading = Reading(
        report=report, keys=Keys(), wanted=Wanted(pieces=True, extra=frozenset({"coco"}))
    )
    dataset = FORMAT.read(Source(path), FORMAT.reader_options(), reading)
    write(dataset, target, options, report)
    assert report.ledger.balanced
    return report


def _joined(samples: Dataset) -> list[Sample]:
    """The pieces of each sample together, in the order in which samples first appear."""
    found: dict[str, Sample] = {}
    for sample in samples:
        first = found.get(sample.key)
        if first is None:
            found[sample.key] = sample
        else:
            found[sample.key] = msgspec.structs.replace(
                first,
                annotations=first.annotations + sample.annotations,
                classifications=first.classifications + sample.classifications,
            )
    return list(found.values())


def _plain(got: Got) -> list[Sample]:
    """By key, since pieces come in the order of the annotations, and without extras."""
    return [
        msgspec.structs.replace(
            sample,
            extra={},
            annotations=tuple(
                msgspec.structs.replace(annotation, extra={}) for annotation in sample.annotations
            ),
        )
        for sample in sorted(got.samples, key=lambda sample: sample.key)
    ]


def lvis_rewritten(folder: Path) -> tuple[Path, Path]:
    """A hundred pictures of LVIS as they were downloaded, and as they are read and written."""
    source = SHARED / "lvis" / "lvis_val_100.json"
    if not source.exists():
        pytest.skip("no ../shared/data")
    target = folder / "out.json"
    rewritten(source, target)
    return source, target
