"""What the tests of the spaCy format share."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import labelconv as lc
from labelconv.model import Sample, TextSpan
from labelconv.reading import ReadDataset

ASTRAL = "I like 😂 New York City a lot."
CLUSTERS = "e\u0301cole 👩\u200d🚀 Łódź"
WINDOWS = "a\r\nBob, \u00a0x\ufeff\u2028y"


def lines(path: Path, *records: Any) -> Path:
    path.write_bytes(
        b"".join(json.dumps(each, ensure_ascii=False).encode() + b"\n" for each in records)
    )
    return path


def read(path: Path, format: str = "spacy", **options: Any) -> ReadDataset:
    return lc.read(path, format, options=options)


def spans(sample: Sample) -> list[tuple[int, int, str]]:
    found = []
    for each in sample.annotations:
        assert isinstance(each.value, TextSpan)
        found.append((each.value.start, each.value.end, each.category))
    return found


def told(dataset: ReadDataset) -> list[tuple[str, str | None]]:
    return [(each.code, each.where.pointer) for each in dataset.report.problems]


def labelbox(path: Path, folder: Path, **options: Any) -> list[dict[str, Any]]:
    target = folder / "mal.ndjson"
    lc.convert(path, target, to="labelbox", from_="spacy", reader_options=options, allow=["loss"])
    return [json.loads(line) for line in target.read_text(encoding="utf-8").splitlines()]
