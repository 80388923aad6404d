"""Praat TextGrids: tiers of intervals and of points, in the long and in the short text form.

The forms are those of the Praat manual, "TextGrid file formats": free-standing numbers, texts in
quotes and flags in angle brackets count, everything else is comment. An interval without text is a
gap.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

import msgspec

from labelconv import codes
from labelconv.format import Evidence, Format, Holds, Reading
from labelconv.io import Peek, Source, files, without_suffix
from labelconv.model import Audio, Classification, Dataset, FreeText, Radio, Sample, Samples
from labelconv.problems import Report, Where
from labelconv.timing import Clock, seconds

_ENDINGS = (".textgrid",)
#: What counts: a text in quotes (doubled inside), a flag, or a number between blanks.
_TOKEN = re.compile(
    r'"(?P<text>(?:[^"]|"")*)"|(?P<flag><[a-z]+>)|(?<!\S)(?P<number>[-+]?\d[\d.eE+-]*)(?!\S)|!.*'
)
_MARKS = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16", b"\xef\xbb": "utf-8-sig"}


class TextGridOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Options of the TextGrid reader and writer.

    - `answers`: what stands in an interval is a text (`text`), or an option of the question that
      the tier is (`radio`).
    """

    answers: Literal["radio", "text"] = "text"


def holds(options: TextGridOptions) -> tuple[Holds, ...]:
    """Answers with one range of time each; a tier for each question."""
    return (
        Holds(
            media=Audio,
            values=frozenset(),
            questions=1,
            answers=frozenset({Radio if options.answers == "radio" else FreeText}),
            ranges="only",
            size=False,
            uri=False,
            keys="path",
            names="line",
            texts="block",
        ),
    )


class _Fault(ValueError):
    """What was found in place of what was expected, and in which line."""

    def __init__(self, expected: str, found: str, line: int) -> None:
        super().__init__(found)
        self.expected = expected
        self.found = found
        self.line = line


class _Tokens:
    """The tokens of a file, one after the other, with their lines."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._found = _TOKEN.finditer(text)

    def _next(self, kind: str, expected: str) -> tuple[str, int]:
        for token in self._found:
            if token.lastgroup is None:
                continue  # a comment
            line = self._text.count("\n", 0, token.start()) + 1
            if token.lastgroup != kind:
                raise _Fault(expected, repr(token[0][:40]), line)
            return token[kind], line
        raise _Fault(expected, "the end of the file", self._text.count("\n") + 1)

    def text(self, expected: str) -> str:
        return self._next("text", expected)[0].replace('""', '"')

    def flag(self, expected: str) -> str:
        return self._next("flag", expected)[0]

    def number(self, expected: str) -> float:
        found, line = self._next("number", expected)
        try:
            return float(found)
        except ValueError:
            raise _Fault(expected, found, line) from None

    def count(self, expected: str) -> int:
        found = self.number(expected)
        if found < 0 or found != int(found):
            raise _Fault(expected, f"{found:g}", 1)
        return int(found)


def read(source: Source, options: TextGridOptions, reading: Reading) -> Dataset:
    """The tiers of a file, or of all `.TextGrid` files of a folder: a sample for each file."""
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
    name: str, data: bytes, path: str, options: TextGridOptions, reading: Reading
) -> Sample | None:
    report = reading.report
    report.ledger.samples.read += 1
    key, problem = reading.keys.key(name, name, {})
    if problem is not None:
        report.reject(problem[0], Where(path), data, "samples", **problem[1])
        return None
    assert key is not None
    clock = Clock(report)
    try:
        duration, labels = _tiers(data, options, Where(path, sample=key), report, clock)
    except UnicodeDecodeError as error:
        expected, found = "a TextGrid in UTF-8 or UTF-16", str(error.reason)
        place = Where(path, sample=key)
    except _Fault as fault:
        expected, found, place = fault.expected, fault.found, Where(path, fault.line, sample=key)
    else:
        clock.finish(path)
        media = Audio(duration)
        return Sample(key, media, (), tuple(labels), key_is_id=reading.keys.are_ids)
    values = {"expected": expected, "found": found}
    report.reject(codes.RECORD_MALFORMED, place, data, "samples", **values)
    return None


def _tiers(
    data: bytes, options: TextGridOptions, where: Where, report: Report, clock: Clock
) -> tuple[int, list[Classification]]:
    """The duration in milliseconds and the labels by tier; counted once all of it was read."""
    tokens = _Tokens(data.decode(_MARKS.get(data[:2], "utf-8")))
    for wanted in ("ooTextFile", "TextGrid"):
        if (found := tokens.text(f'"{wanted}"')) != wanted:
            raise _Fault(f'"{wanted}"', repr(found), 1)
    tokens.number("the start of the file")
    end = tokens.number("the end of the file")
    labels: list[Classification] = []
    if tokens.flag("<exists> or <absent>") == "<exists>":
        for _ in range(tokens.count("the number of tiers")):
            kind = tokens.text('"IntervalTier" or "TextTier"')
            tier = tokens.text("the name of the tier")
            tokens.number("the start of the tier")
            tokens.number("the end of the tier")
            if kind not in ("IntervalTier", "TextTier"):
                raise _Fault('"IntervalTier" or "TextTier"', repr(kind), 1)
            for _ in range(tokens.count("the number of intervals")):
                start = tokens.number("the start of an interval")
                stop = tokens.number("its end") if kind == "IntervalTier" else start
                text = tokens.text("its text")
                if not text.strip():
                    continue  # a gap: nothing is said here
                when = clock.range(start, stop, text, where)
                if when is None:
                    raise _Fault("an interval of time", f"{start:g} to {stop:g}", 1)
                answer = FreeText(text) if options.answers == "text" else Radio(text)
                labels.append(Classification(tier, answer, (when,)))
    report.ledger.classifications.read += len(labels)
    return max(0, round(end * 1000)), labels


def write(dataset: Dataset, target: Path, options: TextGridOptions, report: Report) -> None:
    """A file for each sample in the folder `target`, in the long form.

    Intervals of a tier cannot overlap: those that do go into another tier of the same name.
    """
    target.mkdir()
    count = 0
    for sample in dataset:
        path = target / f"{sample.key}.TextGrid"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(_spelled(sample), encoding="utf-8", newline="")
        count += len(sample.classifications)
    report.ledger.written["intervals"] = count


def _spelled(sample: Sample) -> str:
    assert isinstance(sample.media, Audio)  # for mypy; fit saw to it
    tiers: list[tuple[str, list[Classification]]] = []
    for asked in sample.classifications:
        start = asked.ranges[0][0]
        for name, tier in tiers:
            if name == asked.name and tier[-1].ranges[0][1] <= start:
                tier.append(asked)
                break
        else:
            tiers.append((asked.name, [asked]))
    last = max((asked.ranges[0][1] for asked in sample.classifications), default=0)
    end = max(sample.media.duration or 0, last, 1)
    lines = ['File type = "ooTextFile"', 'Object class = "TextGrid"', "", "xmin = 0"]
    lines += [f"xmax = {seconds(end)}", "tiers? <exists>", f"size = {len(tiers)}", "item []:"]
    for number, (name, tier) in enumerate(tiers, 1):
        intervals = _with_gaps(tier, end)
        lines += [f"    item [{number}]:", '        class = "IntervalTier"']
        lines += [f"        name = {_quoted(name)}", "        xmin = 0"]
        lines += [f"        xmax = {seconds(end)}", f"        intervals: size = {len(intervals)}"]
        for place, (start, stop, text) in enumerate(intervals, 1):
            lines += [f"        intervals [{place}]:", f"            xmin = {seconds(start)}"]
            lines += [f"            xmax = {seconds(stop)}", f"            text = {_quoted(text)}"]
    return "\n".join((*lines, ""))


def _with_gaps(tier: Sequence[Classification], end: int) -> list[tuple[int, int, str]]:
    """(start, end, text) of intervals that leave nothing out from 0 to `end`."""
    intervals = []
    at = 0
    for asked in tier:
        start, stop = asked.ranges[0]
        if start > at:
            intervals.append((at, start, ""))
        answer = asked.answer
        assert not hasattr(answer, "options")  # for mypy; fit saw to it
        intervals.append((start, stop, answer.name if isinstance(answer, Radio) else answer.text))
        at = stop
    if at < end:
        intervals.append((at, end, ""))
    return intervals


def _quoted(text: str) -> str:
    doubled = text.replace('"', '""')
    return f'"{doubled}"'


def sniff(peek: Peek) -> Evidence:
    """By the first line, or by file names."""
    if peek.is_folder:
        if any(name.lower().endswith(_ENDINGS) for name in peek.entries):
            return Evidence(3, "a folder with .TextGrid files")
        return Evidence(0, "a folder without .TextGrid files")
    start = peek.text[:200].replace(b"\0", b"")
    if b"ooTextFile" in start and b"TextGrid" in start:
        return Evidence(3, "the head of a Praat TextGrid")
    return Evidence(0, "no head of a Praat TextGrid")


FORMAT = Format(
    name="textgrid",
    about="Praat TextGrid",
    url="https://www.fon.hum.uva.nl/praat/manual/TextGrid_file_formats.html",
    holds=holds,
    read=read,
    write=write,
    reader_options=TextGridOptions,
    writer_options=TextGridOptions,
    sniff=sniff,
    folder=lambda options: True,
)
