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
from labelconv.io import UTF8_MARK, Peek, Source, files, without_suffix
from labelconv.model import Audio, Classification, Dataset, FreeText, Radio, Sample, Samples
from labelconv.problems import Report, Where
from labelconv.timing import Clock, seconds

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
    return (
        Holds(
            media=Audio,
            values=frozenset(),
            questions=1,
            answers=frozenset({Radio if options.answers == "radio" else FreeText}),
            question=options.question,
            ranges="only",
            size=False,
            uri=False,
            keys="path",
            names="line",
            texts="line",
        ),
    )


def read(source: Source, options: AudacityOptions, reading: Reading) -> Dataset:
    """The labels of a file, or of all `.txt` files of a folder: a sample for each file."""
    found = files(source, _ENDINGS)

    def samples() -> Iterator[Sample]:
        reading.keys.restart()
        for name, file in found:
            with file.open() as opened:
                data = opened.read()
            sample = _sample(without_suffix(name, _ENDINGS), data, file.name, options, reading)
            if sample is not None:
                yield sample

    return Samples(samples)


def _sample(
    name: str, data: bytes, path: str, options: AudacityOptions, reading: Reading
) -> Sample | None:
    report, account = reading.report, reading.report.ledger.classifications
    report.ledger.samples.read += 1
    key, problem = reading.keys.key(name, name, {})
    if problem is not None:
        report.reject(problem[0], Where(path), data, "samples", **problem[1])
        return None
    assert key is not None
    if data.startswith(UTF8_MARK):
        report.add(codes.ENCODING_MARK, Where(path))
        data = data.removeprefix(UTF8_MARK)
    clock = Clock(report)
    labels = []
    for number, line in enumerate(data.split(b"\n"), 1):
        if not line.strip():
            continue
        if line.startswith(b"\\"):
            report.field("audacity:frequencies")
            continue
        account.read += 1
        label = _label(line.removesuffix(b"\r"), Where(path, number, sample=key), options, clock)
        if isinstance(label, Classification):
            labels.append(label)
        else:
            report.reject(
                codes.RECORD_MALFORMED,
                Where(path, number, sample=key),
                line,
                "classifications",
                expected="start and end in seconds, and a label, parted by tabs",
                found=label,
            )
    clock.finish(path)
    return Sample(key, Audio(), (), tuple(labels), key_is_id=reading.keys.are_ids)


def _label(
    line: bytes, where: Where, options: AudacityOptions, clock: Clock
) -> Classification | str:
    """The label of a line, or what was found in its stead."""
    try:
        text = line.decode()
    except UnicodeDecodeError as error:
        return f"a line that is not UTF-8 ({error.reason})"
    start, _, rest = text.partition("\t")
    end, _, label = rest.partition("\t")
    try:
        # Old versions wrote the decimal comma of the system's language.
        times = float(start.replace(",", ".")), float(end.replace(",", "."))
    except ValueError:
        return repr(text)
    when = clock.range(*times, label, where)
    if when is None:
        return f"a range from {start} to {end}"
    if options.answers == "text":
        return Classification(options.question, FreeText(label), (when,))
    if not label:
        return "an empty label, which is no option"
    return Classification(options.question, Radio(label), (when,))


def write(dataset: Dataset, target: Path, options: AudacityOptions, report: Report) -> None:
    """A file for each sample in the folder `target`."""
    target.mkdir()
    count = 0
    for sample in dataset:
        path = target / f"{sample.key}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        lines = []
        for asked in sample.classifications:
            start, end = asked.ranges[0]
            answer = asked.answer
            assert not hasattr(answer, "options")  # for mypy; fit saw to it
            label = answer.name if isinstance(answer, Radio) else answer.text
            lines.append(f"{seconds(start)}\t{seconds(end)}\t{label}\n")
        count += len(lines)
        path.write_text("".join(lines), encoding="utf-8", newline="")
    report.ledger.written["labels"] = count


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
