"""Small VOC data for the tests: XML text, folders, and what is read from them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from labelconv import registry
from labelconv.format import Reading, Wanted
from labelconv.io import Source
from labelconv.keys import Keys
from labelconv.media import NO_MEDIA, MediaFiles
from labelconv.model import Annotation, Box, Sample
from labelconv.options import build
from labelconv.problems import Report

VOC = registry.get("voc")


class Result(msgspec.Struct):
    """What was read, and what was said about it."""

    samples: list[Sample]
    report: Report

    @property
    def one(self) -> Sample:
        assert len(self.samples) == 1, [sample.key for sample in self.samples]
        return self.samples[0]

    @property
    def annotations(self) -> tuple[Annotation, ...]:
        return self.one.annotations

    def codes(self) -> list[str]:
        return [problem.code for problem in self.report.problems]

    def told(self, code: str) -> list[str]:
        """The places at which a code was told."""
        return [str(each.where) for each in self.report.problems if each.code == code]

    def words(self, code: str) -> list[str]:
        return [each.message for each in self.report.problems if each.code == code]


def box(name: str, xmin: object, ymin: object, xmax: object, ymax: object, more: str = "") -> str:
    """An `object` element."""
    return (
        f"<object><name>{name}</name>{more}<bndbox><xmin>{xmin}</xmin><ymin>{ymin}</ymin>"
        f"<xmax>{xmax}</xmax><ymax>{ymax}</ymax></bndbox></object>"
    )


def document(
    *objects: str,
    filename: str | None = "1.jpg",
    size: tuple[object, object] | None = (500, 400),
    head: str = "",
) -> str:
    """An `annotation` document."""
    named = "" if filename is None else f"<filename>{filename}</filename>"
    sized = ""
    if size is not None:
        sized = f"<size><width>{size[0]}</width><height>{size[1]}</height><depth>3</depth></size>"
    return f"<annotation>\n{head}{named}{sized}\n" + "\n".join(objects) + "\n</annotation>\n"


def laid_out(folder: Path, files: Mapping[str, str | bytes]) -> Path:
    """The folder with these files."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return folder


def read(
    place: Path,
    *,
    media: MediaFiles = NO_MEDIA,
    extra: frozenset[str] | None = None,
    **options: Any,
) -> Result:
    """Everything in a file or folder. `extra` as `Wanted` has it: None keeps all."""
    report = Report()
    reading = Reading(report=report, keys=Keys(), wanted=Wanted(extra=extra), media=media)
    assert VOC.read is not None
    settings = build(VOC.reader_options, options, "voc")
    samples = list(VOC.read(Source(place), settings, reading))
    ledger = report.ledger
    counted = sum(len(sample.annotations) for sample in samples)
    account = ledger.annotations
    assert account.read == counted + account.rejected + account.skipped
    assert ledger.samples.read == len(samples) + ledger.samples.rejected
    return Result(samples, report)


def read_text(folder: Path, text: str | bytes, **options: Any) -> Result:
    """One XML file named 1.xml."""
    return read(laid_out(folder, {"1.xml": text}) / "1.xml", **options)


def edges(annotation: Annotation) -> tuple[float, float, float, float]:
    """Left, top, width, height of a box."""
    value = annotation.value
    assert isinstance(value, Box), value
    return value.x0, value.y0, value.x1 - value.x0, value.y1 - value.y0
