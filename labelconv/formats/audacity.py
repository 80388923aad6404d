"""Audacity label tracks: start, end and label in a line, parted by tabs; seconds.

The layout is that of Audacity's manual, "Importing and Exporting Labels": a line may be followed by
one that begins with a backslash and has the lowest and highest frequency of the selection.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import msgspec

from labelconv import codes
from labelconv.format import Evidence, Format, Holds, Reading
from labelconv.io import Peek, Source
from labelconv.model import Classification, Dataset, Sample
from labelconv.problems import Report, Where
from labelconv.timing import Clock, label, label_holds, label_samples, said, seconds, write_labels

_ENDINGS = (".txt",)
_LINE = re.compile(rb"\s*\d+[.,]?\d*\t\d+[.,]?\d*(?:\t[^\n]*)?\s*$")


class AudacityOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Options of the Audacity reader and writer.

    - `question`: the question that labels answer.
    - `answers`: labels are options of it (`radio`), or texts (`text`).
    """

    question: str = "label"
    answers: Literal["radio", "text"] = "radio"


def holds(options: AudacityOptions) -> tuple[Holds, ...]:
    """Answers to one question, each with one range of time."""
    return label_holds(options.answers, "line", options.question)


def read(source: Source, options: AudacityOptions, reading: Reading) -> Dataset:
    """The labels of a file, or of all `.txt` files of a folder: a sample for each file."""

    def labels(data: bytes, where: Where, clock: Clock) -> tuple[None, list[Classification]]:
        return None, [*_labels(data, where, clock, options, reading.report)]

    return label_samples(source, _ENDINGS, reading, labels)


def _labels(
    data: bytes, where: Where, clock: Clock, options: AudacityOptions, report: Report
) -> Iterator[Classification]:
    for number, line in enumerate(data.split(b"\n"), 1):
        if not line.strip():
            continue
        if line.startswith(b"\\"):
            report.field("audacity:frequencies")
            continue
        report.ledger.classifications.read += 1
        place = Where(where.path, number, sample=where.sample)
        label = _label(line.removesuffix(b"\r"), place, options, clock)
        if isinstance(label, Classification):
            yield label
        else:
            report.reject(
                codes.RECORD_MALFORMED,
                place,
                line,
                "classifications",
                expected="start and end in seconds, and a label, parted by tabs",
                found=label,
            )


def _label(
    line: bytes, where: Where, options: AudacityOptions, clock: Clock
) -> Classification | str:
    """The label of a line, or what was found in its stead."""
    try:
        text = line.decode()
    except UnicodeDecodeError as error:
        return f"a line that is not UTF-8 ({error.reason})"
    start, _, rest = text.partition("\t")
    end, _, words = rest.partition("\t")
    try:
        # Old versions wrote the decimal comma of the system's language.
        times = float(start.replace(",", ".")), float(end.replace(",", "."))
    except ValueError:
        return repr(text)
    answer = label(options.answers, words)
    if answer is None:
        return "an empty label, which is no option"
    when = clock.range(*times, words, where)
    if when is None:
        return f"a range from {start} to {end}"
    return Classification(options.question, answer, (when,))


def write(dataset: Dataset, target: Path, options: AudacityOptions, report: Report) -> None:
    """A file for each sample in the folder `target`."""
    report.ledger.written["labels"] = write_labels(dataset, target, ".txt", _spelled)


def _spelled(sample: Sample) -> str:
    lines = []
    for asked in sample.classifications:
        start, end = asked.ranges[0]
        lines.append(f"{seconds(start)}\t{seconds(end)}\t{said(asked.answer)}\n")
    return "".join(lines)


def sniff(peek: Peek) -> Evidence:
    """By a first line of two times and a label."""
    head = peek.text
    if peek.is_folder:
        names = [name for name in peek.entries if name.lower().endswith(_ENDINGS)]
        if not names:
            return Evidence(0, "a folder without .txt files")
        head = Source(Path(peek.name) / names[0]).peek().text
    first = head.split(b"\n", 1)[0]
    if _LINE.match(first):
        return Evidence(2, "a line of two times and a label, parted by tabs")
    return Evidence(0, "no line of two times and a label")


FORMAT = Format(
    name="audacity",
    about="Audacity label tracks",
    url="https://manual.audacityteam.org/man/importing_and_exporting_labels.html",
    holds=holds,
    read=read,
    write=write,
    reader_options=AudacityOptions,
    writer_options=AudacityOptions,
    sniff=sniff,
    folder=lambda options: True,
)
