"""User code, checked by `mypy --strict` and never run: the public names have the types they say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, assert_type

from hypothesis import strategies as st

import labelconv as lc
from labelconv import testing
from labelconv.format import Evidence, Format, Holds, NoOptions, Reading
from labelconv.io import Peek, Source
from labelconv.model import Annotation, Box, Image, Sample, Samples, Value
from labelconv.problems import Problem


def reading(path: Path) -> list[str]:
    dataset = lc.read(path, options={"shape": "box"}, key="{stem}")
    for sample in dataset:
        assert_type(sample, lc.Sample)
        for annotation in sample.annotations:
            assert_type(annotation, Annotation)
            assert_type(annotation.value, Value)
            assert_type(annotation.confidence, float | None)
    assert_type(dataset.ontology, lc.Ontology)
    assert_type(dataset.report, lc.Report)
    return [category.name for category in dataset.ontology.categories]


def converting(source: str, options: Mapping[str, Any]) -> list[Problem]:
    report = lc.convert(source, "out.ndjson", to="labelbox", writer_options=options, allow=["L4"])
    assert_type(report, lc.Report)
    assert_type(report.ledger.annotations.kept, int)
    return report.problems


def writing(given: lc.Dataset) -> bool:
    made = Samples([Sample("a", Image(4, 4), (Annotation("1", "cat", Box(0, 0, 1, 1)),))])
    one: lc.Dataset = made
    first = lc.write(one, "a.json", "coco")
    second = lc.write(given, Path("b.native.ndjson"), min_iou=0.9, report=first)
    return second.ledger.balanced


def names() -> list[str]:
    return lc.formats()


def holds(options: NoOptions) -> tuple[Holds, ...]:
    return (Holds(media=Image, values=frozenset({Box})),)


def read(source: Source, options: NoOptions, given: Reading) -> lc.Dataset:
    def start() -> Iterator[lc.Sample]:
        given.report.ledger.samples.read += 1
        yield Sample(source.name, Image())

    return Samples(start)


def write(dataset: lc.Dataset, target: Path, options: NoOptions, report: lc.Report) -> None:
    target.write_text("\n".join(sample.key for sample in dataset))


def sniff(peek: Peek) -> Evidence:
    return Evidence(1 if peek.name.endswith(".keys") else 0, "its name")


FORMAT = Format(name="keys", about="keys", url="", holds=holds, read=read, write=write, sniff=sniff)


def laws(folder: Path) -> st.SearchStrategy[Samples]:
    testing.check_laws(FORMAT, Samples([]), folder)
    return testing.datasets(Holds())
