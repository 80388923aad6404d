"""Subtitles: SubRip (`.srt`) and WebVTT (`.vtt`).

WebVTT by the W3C's text (webvtt1, sections 3 and 4): blocks parted by blank lines, `-->` in the
first or second line of a cue, character references in its text. SubRip has no standard; it is read
as the same without the head, with a decimal comma, and its text as it stands.
"""

from __future__ import annotations

import html
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
from labelconv.sniffing import folder_evidence
from labelconv.timing import (
    Clock,
    clock,
    decoded,
    label,
    label_holds,
    label_samples,
    said,
    write_labels,
)

_ENDINGS = (".srt", ".vtt")
_TIME = r"(?:(\d{1,6}):)?(\d{1,2}):(\d{1,2})[.,](\d{1,3})"
_TIMING = re.compile(rf"\s*{_TIME}\s*-->\s*{_TIME}(?:[ \t]+(\S.*))?\s*")
_TAG = re.compile(r"</?[a-z0-9.:]*(?:[ \t][^>]*)?>", re.IGNORECASE)


class SubtitlesReaderOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Options of the subtitles reader.

    - `question`: the question that the texts answer.
    - `answers`: what is said is a text (`text`), or an option of the question (`radio`).
    """

    question: str = "transcript"
    answers: Literal["text", "radio"] = "text"


class SubtitlesWriterOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Options of the subtitles writer.

    - `kind`: SubRip (`srt`) or WebVTT (`vtt`).
    - `question`: the question that the reader takes the texts to answer.
    - `answers`: the answers that are written: texts (`text`), or options (`radio`).
    """

    kind: Literal["srt", "vtt"] = "srt"
    question: str = "transcript"
    answers: Literal["text", "radio"] = "text"


def holds(options: SubtitlesWriterOptions) -> tuple[Holds, ...]:
    """Answers to one question, each with one range of time."""
    return label_holds(options.answers, "block", options.question)


def read(source: Source, options: SubtitlesReaderOptions, reading: Reading) -> Dataset:
    """The cues of a file, or of all subtitles of a folder: a sample for each file."""

    def labels(data: bytes, where: Where, times: Clock) -> tuple[None, list[Classification]]:
        return None, [*_cues(data, where, times, options, reading.report)]

    return label_samples(source, _ENDINGS, reading, labels)


def _cues(
    data: bytes, where: Where, times: Clock, options: SubtitlesReaderOptions, report: Report
) -> Iterator[Classification]:
    text = decoded(data)
    # The line ends of both formats; what is in a cue keeps its own line feeds.
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    marked = lines[0].startswith("WEBVTT")
    for number, block in _blocks(lines, marked=marked):
        first = block[0]
        if marked and (number == 1 or re.match(r"(NOTE|STYLE|REGION)\b", first)):
            word = "head" if number == 1 else first.split()[0].lower()
            if number > 1 or len(block) > 1 or first.strip() != "WEBVTT":
                report.field(f"subtitles:{word}")
            continue
        report.ledger.classifications.read += 1
        place = Where(where.path, number, sample=where.sample)
        cue = _cue(block, place, options, times, report, marked=marked)
        if isinstance(cue, Classification):
            yield cue
            continue
        record = "\n".join(block).encode()
        values = {"expected": "a cue with its times", "found": cue}
        report.reject(codes.RECORD_MALFORMED, place, record, "classifications", **values)


def _blocks(lines: list[str], *, marked: bool) -> Iterator[tuple[int, list[str]]]:
    """Runs of lines that are not blank, with the number of the first.

    In WebVTT a line that has blanks does not end its cue, in which it says nothing.
    """
    block: list[str] = []
    first = 0
    for number, line in enumerate((*lines, ""), 1):
        if line.strip():
            first = first if block else number
            block.append(line)
        elif block and not (marked and line):
            yield first, block
            block = []


def _cue(
    block: list[str],
    where: Where,
    options: SubtitlesReaderOptions,
    times: Clock,
    report: Report,
    *,
    marked: bool,
) -> Classification | str:
    """The cue of a block, or what was found in its stead."""
    timing = next((place for place, line in enumerate(block[:2]) if "-->" in line), None)
    if timing is None:
        return repr(block[0][:60])
    found = _TIMING.fullmatch(block[timing])
    if found is None:
        return repr(block[timing][:60])
    text = "\n".join(block[timing + 1 :])
    if marked:
        plain = _TAG.sub("", text)
        if plain != text:
            report.field("subtitles:tags", len(_TAG.findall(text)))
        text = html.unescape(plain)
    if timing == 1 and (marked or not block[0].strip().isdecimal()):
        report.field("subtitles:id")
    if found[9]:
        report.field("subtitles:settings")
    answer = label(options.answers, text)
    if answer is None:
        return "a cue without text, which is no option"
    start, end = _seconds(found.groups()[:4]), _seconds(found.groups()[4:8])
    when = times.range(start, end, text, where)
    if when is None:
        return f"a range from {start:g} to {end:g} s"
    return Classification(options.question, answer, (when,))


def _seconds(groups: tuple[str | None, ...]) -> float:
    hours, minutes, whole, part = groups
    assert minutes is not None
    assert whole is not None
    assert part is not None
    milliseconds = int(part.ljust(3, "0"))
    return int(hours or 0) * 3600 + int(minutes) * 60 + int(whole) + milliseconds / 1000


def write(dataset: Dataset, target: Path, options: SubtitlesWriterOptions, report: Report) -> None:
    """A file for each sample in the folder `target`."""
    spelled = _as_vtt if options.kind == "vtt" else _as_srt
    count = write_labels(dataset, target, f".{options.kind}", spelled)
    report.ledger.written["cues"] = count


def _as_vtt(sample: Sample) -> str:
    blocks = ["WEBVTT\n"]
    for asked in sample.classifications:
        text = said(asked.answer)
        text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        blocks.append(f"{_times(asked, '.')}{text}\n")
    return "\n".join(blocks)


def _as_srt(sample: Sample) -> str:
    return "\n".join(
        f"{number}\n{_times(asked, ',')}{said(asked.answer)}\n"
        for number, asked in enumerate(sample.classifications, 1)
    )


def _times(asked: Classification, sign: str) -> str:
    start, end = asked.ranges[0]
    return f"{clock(start, sign)} --> {clock(end, sign)}\n"


def sniff(peek: Peek) -> Evidence:
    """By a head or a line of times, or by file names."""
    if peek.is_folder:
        return folder_evidence(peek, _ENDINGS)
    head = peek.text[:4_096]
    if head.startswith(b"WEBVTT"):
        return Evidence(3, "WEBVTT in the first line")
    lines = head.decode("utf-8", "replace").splitlines()[:2]
    if any(_TIMING.fullmatch(line) for line in lines):
        return Evidence(3, "a number and a line of two times")
    if peek.name.lower().endswith(_ENDINGS):
        return Evidence(1, "a name that ends with .srt or .vtt")
    return Evidence(0, "no line of two times")


FORMAT = Format(
    name="subtitles",
    about="subtitles: SubRip and WebVTT",
    url="https://www.w3.org/TR/webvtt1/",
    holds=holds,
    read=read,
    write=write,
    reader_options=SubtitlesReaderOptions,
    writer_options=SubtitlesWriterOptions,
    sniff=sniff,
    folder=lambda options: True,
)
