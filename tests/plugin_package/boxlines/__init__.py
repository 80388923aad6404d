"""One box a line: key, category, x0, y0, x1, y1, with tabs in between."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from labelconv import codes
from labelconv.format import Evidence, Format, Holds, NoOptions, Reading
from labelconv.io import Peek, Source
from labelconv.model import Annotation, Box, Dataset, Image, Sample, Samples
from labelconv.problems import Report, Where

HOLDS = Holds(media=Image, values=frozenset({Box}), empty=False, size=False, uri=False)


def read(source: Source, options: NoOptions, reading: Reading) -> Dataset:
    def samples() -> Iterator[Sample]:
        reading.keys.restart()
        ledger = reading.report.ledger
        found: dict[str, list[Annotation]] = {}
        with source.open() as file:
            for number, line in enumerate(file, 1):
                ledger.annotations.read += 1
                try:
                    name, category, *numbers = line.decode("utf-8").rstrip("\n").split("\t")
                    box = Box(*map(float, numbers))
                except (ValueError, TypeError) as error:
                    place = Where(path=source.name, line=number)
                    expected = "key, category and four numbers"
                    reading.report.reject(
                        codes.RECORD_MALFORMED, place, line, expected=expected, found=str(error)
                    )
                    continue
                annotations = found.setdefault(name, [])
                annotations.append(Annotation(str(len(annotations) + 1), category, box))
        for name, annotations in found.items():
            ledger.samples.read += 1
            key, _ = reading.keys.key(name, name, {})
            yield Sample(key or name, Image(), tuple(annotations))

    return Samples(samples)


def write(dataset: Dataset, target: Path, options: NoOptions, report: Report) -> None:
    with target.open("w", encoding="utf-8") as file:
        for sample in dataset:
            for each in sample.annotations:
                box = each.value
                assert isinstance(box, Box)  # what was not a box, `fit` has made one
                numbers = (f"{number:g}" for number in (box.x0, box.y0, box.x1, box.y1))
                file.write("\t".join((sample.key, each.category, *numbers)) + "\n")
                report.ledger.written["lines"] = report.ledger.written.get("lines", 0) + 1


def sniff(peek: Peek) -> Evidence:
    tabs = peek.text.split(b"\n", 1)[0].count(b"\t")
    return Evidence(2, "five tabs in the first line") if tabs == 5 else Evidence(0, "no five tabs")


FORMAT = Format(
    name="boxlines",
    about="boxes, one a line",
    url="https://example.org/boxlines",
    holds=lambda options: (HOLDS,),
    read=read,
    write=write,
    sniff=sniff,
    extensions=(".boxlines",),
)
