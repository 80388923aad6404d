"""Answers about whole data rows, about messages, and over time, as lines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec import UNSET, Raw

from labelconv import codes
from labelconv.formats.labelbox.faults import Fault
from labelconv.formats.labelbox.names import Names
from labelconv.formats.labelbox.options import LabelboxWriterOptions
from labelconv.formats.labelbox.writer_cap import Cap
from labelconv.formats.labelbox.writer_output import Line, MediaLine
from labelconv.formats.labelbox.writer_refusals import Refusals, repeated, too_deep
from labelconv.formats.labelbox.writer_timed import Clock, timed_line
from labelconv.formats.labelbox.writer_uuids import Uuids
from labelconv.model import Audio, Classification, Conversation, Sample, Video
from labelconv.problems import Report, Where

#: Media whose answers may have ranges of time.
_IN_TIME = frozenset({Video, Audio})


class Answers:
    """Makes lines of the classifications of samples."""

    def __init__(
        self,
        names: Names,
        options: LabelboxWriterOptions,
        report: Report,
        refusals: Refusals,
        cap: Cap,
        uuids: Uuids,
    ) -> None:
        self._names = names
        self._options = options
        self._report = report
        self._refusals = refusals
        self._cap = cap
        self._uuids = uuids

    def lines(self, sample: Sample, row: Raw, taken: set[str]) -> Iterator[Line]:
        """The lines; `taken` has the uuids of the data row and gets theirs."""
        account = self._report.ledger.classifications
        answered: set[tuple[str, str | None]] = set()
        for group in _groups(sample):
            first = group[0]
            timed = _is_timed(first, sample)
            try:
                if not timed:
                    if (first.name, first.message) in answered:
                        raise repeated(first)
                    answered.add((first.name, first.message))
                line = self._line(group, sample, row)
            except Fault as problem:
                self._refusals.told_left_out(self._names, Where(sample=sample.key))
                for each in group:
                    self._refusals.answer(each, sample, problem)
                continue
            if self._refusals.told_left_out(self._names, Where(sample=sample.key)):
                account.move("kept", "lost", len(group))
            if line is None:
                continue
            if not self._cap.takes(sample.key, line):
                self._refusals.told_capped(sample.key, None, first.name)
                account.move("kept", "lost", len(group))
                continue
            # The SDK has no uuid on texts in time, nor on any answer about a sound in time.
            bare = timed and (type(sample.media) is Audio or line.frames is UNSET)
            if self._options.uuid and not bare:
                line.uuid = self._uuids.other(sample.key, answer_id(first), "answer", taken)
            yield line

    def _line(self, group: Sequence[Classification], sample: Sample, row: Raw) -> MediaLine | None:
        asked = group[0]
        if asked.message is not None and type(sample.media) is not Conversation:
            found = "an answer about a message outside of a conversation"
            raise Fault(codes.SHAPE_INVALID, "/messageId", found=found)
        try:
            if _is_timed(asked, sample):
                clock = Clock(None if type(sample.media) is Audio else self._options.frame_base)
                answered = self._names.checked(
                    lambda questions: timed_line(self._names, group, clock, questions)
                )
            else:
                answered = self._names.answered(asked)
        except RecursionError:
            raise too_deep() from None
        if answered is None:
            return None
        line = MediaLine(UNSET, row)
        for name, value in answered.items():
            setattr(line, name, value)
        return line


def answer_id(asked: Classification) -> str:
    """What tells answers of a data row apart, where they are uuids' names."""
    return asked.name if asked.message is None else f"{asked.message}:{asked.name}"


def _is_timed(asked: Classification, sample: Sample) -> bool:
    return bool(asked.ranges) and type(sample.media) in _IN_TIME


def _groups(sample: Sample) -> list[list[Classification]]:
    """Answers that are one line: those to one question that have ranges of time."""
    groups: list[list[Classification]] = []
    timed: dict[str, list[Classification]] = {}
    for asked in sample.classifications:
        if not _is_timed(asked, sample):
            groups.append([asked])
        elif asked.name in timed:
            timed[asked.name].append(asked)
        else:
            timed[asked.name] = [asked]
            groups.append(timed[asked.name])
    return groups
