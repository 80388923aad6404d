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
from labelconv.io import UTF8_MARK, Peek, Source, files, without_suffix
from labelconv.model import Audio, Classification, Dataset, FreeText, Radio, Sample, Samples
from labelconv.problems import Report, Where
from labelconv.timing import Clock, clock

_ENDINGS = (".srt", ".vtt")
_TIME = r"(?:(\d+):)?(\d{1,2}):(\d{1,2})[.,](\d{1,3})"
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
    return (
        Holds(
            media=Audio,
            values=frozenset(),
            questions=1,
            answers=frozenset({FreeText if options.answers == "text" else Radio}),
            question=options.question,
            ranges="only",
            size=False,
            uri=False,
            keys="path",
            names="line",
            texts="block",
        ),
    )


def read(source: Source, options: SubtitlesReaderOptions, reading: Reading) -> Dataset:
    """The cues of a file, or of all subtitles of a folder: a sample for each file."""
    found = files(source, _ENDINGS)

    def samples() -> Iterator[Sample]:
        reading.keys.restart()
        for name, file in found:
            with file.open() as opened:
                data = opened.read()
            sample = _sample(name, data, file.name, options, reading)
            if sample is not None:
                yield sample

    return Samples(samples)


def _sample(
    name: str, data: bytes, path: str, options: SubtitlesReaderOptions, reading: Reading
) -> Sample | None:
    report, account = reading.report, reading.report.ledger.classifications
    report.ledger.samples.read += 1
    stem = without_suffix(name, _ENDINGS)
    key, problem = reading.keys.key(stem, stem, {})
    if problem is not None:
        report.reject(problem[0], Where(path), data, "samples", **problem[1])
        return None
    assert key is not None
    try:
        text = data.removeprefix(UTF8_MARK).decode()
    except UnicodeDecodeError as error:
        place, found = Where(path, sample=key), f"byte {error.start} that is not ({error.reason})"
        values = {"expected": "subtitles in UTF-8", "found": found}
        report.reject(codes.RECORD_MALFORMED, place, data, "samples", **values)
        return None
    # The line ends of both formats; what is in a cue keeps its own line feeds.
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    marked = lines[0].startswith("WEBVTT")
    times = Clock(report)
    cues = []
    for number, block in _blocks(lines):
        first = block[0]
        if marked and (number == 1 or re.match(r"(NOTE|STYLE|REGION)\b", first)):
            word = "head" if number == 1 else first.split()[0].lower()
            if number > 1 or len(block) > 1:
                report.field(f"subtitles:{word}")
            continue
        account.read += 1
        where = Where(path, number, sample=key)
        cue = _cue(block, where, options, times, report, marked=marked)
        if isinstance(cue, Classification):
            cues.append(cue)
            continue
        record = "\n".join(block).encode()
        values = {"expected": "a cue with its times", "found": cue}
        report.reject(codes.RECORD_MALFORMED, where, record, "classifications", **values)
    times.finish(path)
    return Sample(key, Audio(), (), tuple(cues), key_is_id=reading.keys.are_ids)


def _blocks(lines: list[str]) -> Iterator[tuple[int, list[str]]]:
    """Runs of lines that are not blank, with the number of the first."""
    block: list[str] = []
    for number, line in enumerate((*lines, ""), 1):
        if line.strip():
            block.append(line)
        elif block:
            yield number - len(block), block
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
        if timing == 1:
            report.field("subtitles:id")
    if found[9]:
        report.field("subtitles:settings")
    start, end = _seconds(found.groups()[:4]), _seconds(found.groups()[4:8])
    when = times.range(start, end, text, where)
    if when is None:
        return f"a range from {start:g} to {end:g} s"
    if options.answers == "text":
        return Classification(options.question, FreeText(text), (when,))
    if not text:
        return "a cue without text, which is no option"
    return Classification(options.question, Radio(text), (when,))


def _seconds(groups: tuple[str | None, ...]) -> float:
    hours, minutes, whole, part = groups
    assert minutes is not None
    assert whole is not None
    assert part is not None
    milliseconds = int(part.ljust(3, "0"))
    return int(hours or 0) * 3600 + int(minutes) * 60 + int(whole) + milliseconds / 1000


def write(dataset: Dataset, target: Path, options: SubtitlesWriterOptions, report: Report) -> None:
    """A file for each sample in the folder `target`."""
    target.mkdir()
    marked = options.kind == "vtt"
    sign = "." if marked else ","
    count = 0
    for sample in dataset:
        path = target / f"{sample.key}.{options.kind}"
        path.parent.mkdir(parents=True, exist_ok=True)
        blocks = ["WEBVTT\n"] if marked else []
        for number, asked in enumerate(sample.classifications, 1):
            start, end = asked.ranges[0]
            answer = asked.answer
            assert not hasattr(answer, "options")  # for mypy; fit saw to it
            text = answer.name if isinstance(answer, Radio) else answer.text
            head = f"{clock(start, sign)} --> {clock(end, sign)}\n"
            if marked:
                text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
            else:
                head = f"{number}\n{head}"
            blocks.append(f"{head}{text}\n")
        count += len(sample.classifications)
        path.write_text("\n".join(blocks), encoding="utf-8", newline="")
    report.ledger.written["cues"] = count


def sniff(peek: Peek) -> Evidence:
    """By a head or a line of times, or by file names."""
    if peek.is_folder:
        if any(name.lower().endswith(_ENDINGS) for name in peek.entries):
            return Evidence(3, "a folder with .srt or .vtt files")
        return Evidence(0, "a folder without .srt and .vtt files")
    head = peek.text[:4_096]
    if head.startswith(b"WEBVTT"):
        return Evidence(3, "WEBVTT in the first line")
    lines = head.decode("utf-8", "replace").splitlines()[:2]
    if any(_TIMING.fullmatch(line) for line in lines):
        return Evidence(3, "a number and a line of two times")
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
