"""Praat TextGrids: tiers of intervals and of points, in the long and in the short text form.

The forms are those of the Praat manual, "TextGrid file formats": free-standing numbers, texts in
quotes and flags in angle brackets count, everything else is comment. An interval without text is a
gap.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal, NamedTuple

import msgspec

from labelconv import codes
from labelconv.format import Evidence, Format, Holds, Reading
from labelconv.io import Peek, Source
from labelconv.model import Audio, Classification, Dataset, Sample
from labelconv.problems import Report, Where
from labelconv.sniffing import folder_evidence
from labelconv.timing import (
    LONGEST,
    Clock,
    LabelFault,
    decoded,
    label,
    label_holds,
    label_samples,
    said,
    seconds,
    write_labels,
)

_ENDINGS = (".textgrid",)
#: What counts: a text in quotes (doubled inside), a flag, or a number between blanks.
_TOKEN = re.compile(
    r'"(?P<text>(?:[^"]|"")*)"|(?P<flag><[a-z]+>)|(?<!\S)(?P<number>[-+]?\d[\d.eE+-]*)(?!\S)|!.*'
)


class TextGridOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Options of the TextGrid reader and writer.

    - `answers`: what stands in an interval is a text (`text`), or an option of the question that
      the tier is (`radio`).
    """

    answers: Literal["radio", "text"] = "text"


def holds(options: TextGridOptions) -> tuple[Holds, ...]:
    """Answers with one range of time each; a tier for each question."""
    return label_holds(options.answers, "block")


class _Tokens:
    """The tokens of a file, one after the other, with their lines."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._found = _TOKEN.finditer(text)
        self._at = 0
        #: Of the token that was taken last.
        self.line = 1

    def _next(self) -> re.Match[str] | None:
        """The next token that is no comment, or None at the end."""
        for token in self._found:
            if token.lastgroup is not None:
                self.line += self._text.count("\n", self._at, token.start())
                self._at = token.start()
                return token
        return None

    def _of(self, kind: str, expected: str) -> str:
        token = self._next()
        if token is None:
            last = self.line + self._text.count("\n", self._at)
            raise LabelFault(expected, "the end of the file", last)
        if token.lastgroup != kind:
            raise LabelFault(expected, repr(token[0][:40]), self.line)
        return token[kind]

    def end(self) -> None:
        """Raises `LabelFault` where anything that counts is left."""
        token = self._next()
        if token is not None:
            raise LabelFault("the end of the last tier", repr(token[0][:40]), self.line)

    def text(self, expected: str) -> str:
        return self._of("text", expected).replace('""', '"')

    def flag(self, expected: str) -> str:
        return self._of("flag", expected)

    def number(self, expected: str) -> float:
        found = self._of("number", expected)
        try:
            number = float(found)
        except ValueError:
            number = LONGEST
        if not abs(number) < LONGEST:
            raise LabelFault(expected, found[:40], self.line)
        return number

    def count(self, expected: str) -> int:
        found = self.number(expected)
        if found < 0 or found != int(found):
            raise LabelFault(expected, f"{found:g}", self.line)
        return int(found)


def read(source: Source, options: TextGridOptions, reading: Reading) -> Dataset:
    """The tiers of a file, or of all `.TextGrid` files of a folder: a sample for each file."""

    def labels(data: bytes, where: Where, clock: Clock) -> tuple[int, list[Classification]]:
        return _tiers(_Tokens(decoded(data)), options, where, reading.report, clock)

    return label_samples(source, _ENDINGS, reading, labels)


class _Interval(NamedTuple):
    """What an interval or a point says, in seconds, and in which line it ends."""

    tier: str
    start: float
    stop: float
    text: str
    line: int


def _tiers(
    tokens: _Tokens, options: TextGridOptions, where: Where, report: Report, clock: Clock
) -> tuple[int, list[Classification]]:
    """The duration in milliseconds and the labels by tier; counted once all of it was read."""
    # Older versions of Praat say which form it is; both forms are read alike.
    for wanted in (("ooTextFile", "ooTextFile short"), ("TextGrid",)):
        if (found := tokens.text(f'"{wanted[0]}"')) not in wanted:
            raise LabelFault(f'"{wanted[0]}"', repr(found), tokens.line)
    tokens.number("the start of the file")
    end = tokens.number("the end of the file")
    if end < 0:
        raise LabelFault("an end of the file of 0 or more", f"{end:g}", tokens.line)
    intervals: list[_Interval] = []
    if tokens.flag("<exists> or <absent>") == "<exists>":
        for _ in range(tokens.count("the number of tiers")):
            intervals += _tier(tokens, report)
    tokens.end()
    labels = []
    report.ledger.classifications.read += len(intervals)
    for tier, start, stop, text, line in intervals:
        place = Where(where.path, line, sample=where.sample)
        when = clock.range(start, stop, text, place)
        if when is None:
            record = f"{start!r} {stop!r} {_quoted(text)}".encode()
            values = {"expected": "an interval of time", "found": f"{start:g} to {stop:g}"}
            report.reject(codes.RECORD_MALFORMED, place, record, "classifications", **values)
            continue
        answer = label(options.answers, text)
        assert answer is not None  # for mypy; every interval here has a text
        labels.append(Classification(tier, answer, (when,)))
    return clock.milliseconds(end), labels


def _tier(tokens: _Tokens, report: Report) -> Iterator[_Interval]:
    """The intervals or points of a tier. An interval without a text is a gap."""
    kind = tokens.text('"IntervalTier" or "TextTier"')
    if kind not in ("IntervalTier", "TextTier"):
        raise LabelFault('"IntervalTier" or "TextTier"', repr(kind), tokens.line)
    tier = tokens.text("the name of the tier")
    tokens.number("the start of the tier")
    tokens.number("the end of the tier")
    for _ in range(tokens.count("the number of intervals")):
        start = tokens.number("the start of an interval")
        stop = tokens.number("its end") if kind == "IntervalTier" else start
        text = tokens.text("its text")
        if text.strip():
            yield _Interval(tier, start, stop, text, tokens.line)
        elif kind == "TextTier":
            report.field("textgrid:points without a text")


def write(dataset: Dataset, target: Path, options: TextGridOptions, report: Report) -> None:
    """A file for each sample in the folder `target`, in the long form.

    Intervals of a tier cannot overlap: those that do go into another tier of the same name.
    """
    count = write_labels(dataset, target, ".TextGrid", _spelled)
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
        intervals.append((start, stop, said(asked.answer)))
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
        return folder_evidence(peek, _ENDINGS)
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
