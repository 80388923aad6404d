"""Times of labels in sounds: seconds in the sources, whole milliseconds in the model.

Also what readers and writers of files of such labels share: a sample for each file, in which
answers of one question or several have one range of time each.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal, TypeAlias

from labelconv import codes
from labelconv.format import Holds, Reading
from labelconv.io import UTF8_MARK, Source, files, without_suffix
from labelconv.model import (
    Answer,
    Audio,
    Classification,
    Dataset,
    FreeText,
    Radio,
    Sample,
    Samples,
)
from labelconv.problems import Report, Where
from labelconv.spelling import Spelling

#: Seconds from which on a float does not tell milliseconds apart: no sound is as long.
LONGEST = 2.0**53 / 1000

#: Labels are texts, or options of their question.
Kind: TypeAlias = Literal["text", "radio"]


class Clock:
    """Turns seconds into half-open ranges of milliseconds; what it rounds is told by `finish`."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._rounded = 0
        self._drift = 0.0

    def range(self, start: float, end: float, name: str, where: Where) -> tuple[int, int] | None:
        """The range from `start` to `end`, in seconds; None where that is no range of time."""
        if not 0 <= start <= end < LONGEST:  # nor is either of them no number
            return None
        first, last = self.milliseconds(start), self.milliseconds(end)
        if last == first:
            self._report.add(codes.TIME_EMPTY, where, name=name)
            last += 1
        return first, last

    def milliseconds(self, seconds: float) -> int:
        """The nearest whole number of milliseconds. `seconds` is less than `LONGEST`."""
        exact = seconds * 1000
        whole = round(exact)
        drift = abs(exact - whole)
        if drift > 1e-6 * max(1.0, seconds):  # more than the float's own rounding
            self._rounded += 1
            self._drift = max(self._drift, drift)
        return whole

    def finish(self, path: str) -> None:
        """Tell how many times were rounded since the last call."""
        if self._rounded:
            self._report.add(
                codes.TIME_ROUNDED, Where(path=path), count=self._rounded, drift=self._drift
            )
        self._rounded, self._drift = 0, 0.0


def seconds(milliseconds: int, sign: str = ".") -> str:
    """Milliseconds as seconds with three decimals."""
    return f"{milliseconds // 1000}{sign}{milliseconds % 1000:03d}"


def clock(milliseconds: int, sign: str) -> str:
    """Milliseconds as `hh:mm:ss.mmm`, with `sign` before the milliseconds."""
    minutes, rest = divmod(milliseconds, 60_000)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02d}:{minutes:02d}:{rest // 1000:02d}{sign}{rest % 1000:03d}"


# ------------------------------------------------------------------------------ label files


class LabelFault(ValueError):
    """A file that cannot be used: what was expected and found, and in which line if in one."""

    def __init__(self, expected: str, found: str, line: int | None = None) -> None:
        super().__init__(found)
        self.expected = expected
        self.found = found
        self.line = line


#: The bytes of a file without a byte order mark, its place, its clock → its duration in
#: milliseconds where it says it, and its labels. Counts what it reads; raises `LabelFault`.
Labels: TypeAlias = Callable[[bytes, Where, Clock], tuple[int | None, list[Classification]]]


_MARKS = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}


def decoded(data: bytes) -> str:
    """The text of a label file in UTF-8, or in UTF-16 with its mark. Raises `LabelFault`."""
    encoding = _MARKS.get(data[:2], "utf-8")
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        found = f"byte {error.start} that is no {encoding.upper()} ({error.reason})"
        raise LabelFault("a text in UTF-8 or UTF-16", found) from None


def label_holds(kind: Kind, texts: Spelling, question: str | None = None) -> tuple[Holds, ...]:
    """Answers with one range of time each, to one `question` if it is given."""
    return (
        Holds(
            media=Audio,
            values=frozenset(),
            questions=1,
            answers=frozenset({Radio if kind == "radio" else FreeText}),
            question=question,
            ranges="only",
            size=False,
            uri=False,
            keys="path",
            names="line",
            texts=texts,
        ),
    )


def label(kind: Kind, text: str) -> Radio | FreeText | None:
    """A label as an answer; None for an empty one that should be an option."""
    if kind == "text":
        return FreeText(text)
    return Radio(text) if text else None


def said(answer: Answer) -> str:
    """The text of an answer that `label` made."""
    assert isinstance(answer, (Radio, FreeText))  # for mypy; fit saw to it
    return answer.name if isinstance(answer, Radio) else answer.text


def label_samples(
    source: Source, endings: tuple[str, ...], reading: Reading, labels: Labels
) -> Dataset:
    """A sample for each label file of a source, called by the file's path without its ending."""
    found = files(source, endings)

    def samples() -> Iterator[Sample]:
        reading.keys.restart()
        for name, file in found:
            with file.open() as opened:
                data = opened.read()
            sample = _sample(without_suffix(name, endings), data, file.name, reading, labels)
            if sample is not None:
                yield sample

    return Samples(samples)


def _sample(name: str, data: bytes, path: str, reading: Reading, labels: Labels) -> Sample | None:
    report = reading.report
    report.ledger.samples.read += 1
    key, problem = reading.keys.key(name, name, {})
    if problem is not None:
        report.reject(problem[0], Where(path), data, "samples", **problem[1])
        return None
    assert key is not None
    if data.startswith(UTF8_MARK):
        report.add(codes.ENCODING_MARK, Where(path))
    clock = Clock(report)
    try:
        duration, made = labels(data.removeprefix(UTF8_MARK), Where(path, sample=key), clock)
    except LabelFault as fault:
        place = Where(path, fault.line, sample=key)
        values = {"expected": fault.expected, "found": fault.found}
        report.reject(codes.RECORD_MALFORMED, place, data, "samples", **values)
        return None
    clock.finish(path)
    are_ids = reading.keys.are_ids
    return Sample(key, Audio(duration), (), tuple(made), key_is_id=are_ids)


def write_labels(
    dataset: Dataset, target: Path, ending: str, spelled: Callable[[Sample], str]
) -> int:
    """A file for each sample in the folder `target`; how many labels there are in all."""
    target.mkdir()
    count = 0
    for sample in dataset:
        path = target / f"{sample.key}{ending}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(spelled(sample), encoding="utf-8", newline="")
        count += len(sample.classifications)
    return count
