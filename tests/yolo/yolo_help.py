"""Small YOLO datasets on disk, and short ways to read them."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path
from typing import Any

import labelconv as lc
from labelconv.format import Wanted
from labelconv.io import Source
from labelconv.model import Sample
from labelconv.problems import Problem, Report
from labelconv.reading import read_sources

NAMES = "names: [cat, dog, tabby cat]\n"


def png(width: int, height: int) -> bytes:
    """A whole PNG of grey pixels."""

    def chunk(name: bytes, data: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(name + data))
        return struct.pack(">I", len(data)) + name + data + check

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    pixels = zlib.compress(bytes(height * (width + 1)))
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
    )


def put(path: Path, data: str | bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return path


def picture(path: Path, size: tuple[int, int] = (100, 100)) -> Path:
    return put(path, png(*size))


def dataset(
    root: Path,
    labels: dict[str, str | bytes | None],
    *,
    yaml: str = NAMES,
    size: tuple[int, int] = (100, 100),
) -> Path:
    """images/train and labels/train, with a data.yaml; None for no label file."""
    for stem, rows in labels.items():
        picture(root / "images" / "train" / f"{stem}.png", size)
        if rows is not None:
            put(root / "labels" / "train" / f"{stem}.txt", rows)
    put(root / "data.yaml", f"path: .\ntrain: images/train\n{yaml}")
    return root


class Read:
    """What came of reading: samples by key, and the report."""

    def __init__(self, samples: list[Sample], report: Report) -> None:
        self.samples = {sample.key: sample for sample in samples}
        self.report = report

    @property
    def one(self) -> Sample:
        (sample,) = self.samples.values()
        return sample

    @property
    def values(self) -> list[Any]:
        return [annotation.value for annotation in self.one.annotations]

    def told(self, code: str) -> list[Problem]:
        return [problem for problem in self.report.problems if problem.code == code]

    def guesses(self) -> list[str]:
        """What was found out: the part of each note before the evidence."""
        return [problem.message.partition(": ")[0] for problem in self.told("R113")]


def read(
    source: Path, *, media: Path | None = None, key: str | None = None, **options: str
) -> Read:
    """Read with all extra fields kept; the ledger must balance."""
    report = Report()
    data = lc.read(source, "yolo", options=options, media=media, key=key, report=report)
    samples = list(data)
    counted = report.ledger.annotations
    assert counted.read - counted.rejected - counted.skipped == sum(
        len(sample.annotations) for sample in samples
    )
    return Read(samples, report)


def read_without_extra(source: Path, **options: str) -> Read:
    """Read as a target does that writes no extra fields."""
    report = Report()
    wanted = Wanted(extra=frozenset())
    made = read_sources([Source(source)], "yolo", options, None, None, report, wanted)
    return Read(list(made), report)
