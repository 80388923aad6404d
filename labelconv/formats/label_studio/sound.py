"""Label Studio's results about sounds: labels over ranges of seconds, and answers within them."""

from __future__ import annotations

from typing import Any

import msgspec

from labelconv.formats.label_studio.answers import answer_of
from labelconv.formats.label_studio.results import Means, row_of
from labelconv.model import Annotation, Audio, Checklist, Classification, Radio, Relation
from labelconv.texts import Chunk, Fault
from labelconv.timing import LONGEST, Clock

#: Endings of names by which an address in `data` is that of a sound.
ENDINGS = (".mp3", ".wav", ".flac", ".ogg", ".oga", ".m4a", ".aac", ".opus")
FIELDS = ("audio", "audio_url", "sound", "recording")


class Heard:
    """What the results of one task about a sound become: answers, most of them over a range."""

    def __init__(self, means: Means, clock: Clock, chunk: Chunk[Any], index: int) -> None:
        self._means = means
        self._clock = clock
        self._chunk = chunk
        self._index = index
        self._duration: int | None = None
        self.answers: list[Classification] = []

    def media(self) -> Audio:
        """The sound as far as it is known."""
        return Audio(self._duration)

    def done(self) -> tuple[tuple[Annotation, ...], tuple[Relation, ...]]:
        """There are neither annotations nor relations in a sound."""
        return (), ()

    def add(self, results: list[Any], place: str) -> None:
        """The results of one annotator. Answers about a range have the id of its label."""
        labelled = {str(each["id"]) for each in results if _is_region(each) and "id" in each}
        below: dict[str, list[Classification]] = {}
        regions: list[tuple[Any, str]] = []
        for number, each in enumerate(results):
            pointer = f"{place}/{number}"
            if _is_region(each):
                regions.append((each, pointer))
                continue
            kind = each.get("type") if isinstance(each, dict) else None
            row = "relations" if kind == "relation" else "classifications"
            within = row_of(kind) == "classifications" and str(each.get("id", "")) in labelled
            if not within:
                getattr(self._means.report.ledger, row).read += 1
            try:
                answer = self._answer(each, pointer)
            except Fault as fault:
                if within:
                    self._means.report.ledger.classifications.read += 1
                self._refuse(each, pointer, fault, row)
                continue
            if within:
                below.setdefault(str(each["id"]), []).append(answer)
            else:
                self.answers.append(answer)
        for each, pointer in regions:
            self._means.report.ledger.classifications.read += 1
            try:
                self.answers.append(self._labels(each, pointer, below.pop(str(each.get("id")), [])))
            except Fault as fault:
                self._refuse(each, pointer, fault, "classifications")

    def _refuse(self, each: Any, pointer: str, fault: Fault, row: str) -> None:
        found = Fault(fault.expected, fault.found, pointer + fault.pointer, each)
        self._means.rows.refuse(self._chunk, found, self._index, row)

    def _labels(self, each: Any, pointer: str, below: list[Classification]) -> Classification:
        """The labels of a range as options that are chosen there."""
        value = each["value"]
        names = value["labels"]
        if not names:
            raise Fault("labels", "none", "/value/labels")
        when = self._range(value, str(names[0]), pointer)
        options = tuple(Radio(str(name), tuple(below)) for name in names)
        answer = options[0] if len(options) == 1 else Checklist(options)
        length = _seconds(each.get("original_length"))
        if length is not None and length > 0:
            self._duration = self._clock.milliseconds(length)
        if value.get("channel"):
            self._means.report.field("label-studio:value.channel")
        return Classification(str(each.get("from_name") or "labels"), answer, (when,))

    def _answer(self, each: Any, pointer: str) -> Classification:
        """An answer about the sound, or about the range that it names."""
        kind = each.get("type") if isinstance(each, dict) else None
        if row_of(kind) != "classifications" or kind == "timelinelabels":
            raise Fault("labels or answers of a sound", repr(kind)[:40], "/type")
        answer = answer_of(each, self._means.options.choices)
        value = each["value"]
        if "start" not in value and "end" not in value:
            return answer
        when = self._range(value, answer.name, pointer)
        return msgspec.structs.replace(answer, ranges=(when,))

    def _range(self, value: dict[str, Any], name: str, pointer: str) -> tuple[int, int]:
        start, end = value.get("start"), value.get("end")
        where = self._chunk.where(self._means.rows.path, self._index, pointer)
        first, last = _seconds(start), _seconds(end)
        when = None
        if first is not None and last is not None:
            when = self._clock.range(first, last, name, where)
        if when is None:
            raise Fault("start and end in seconds", f"{start!r}, {end!r}"[:60], "/value")
        return when


def _seconds(value: object) -> float | None:
    """A number of seconds that a sound can have; JSON has numbers of any length."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return float(value) if abs(value) < LONGEST else None


def _is_region(each: Any) -> bool:
    value = each.get("value") if isinstance(each, dict) else None
    return isinstance(value, dict) and isinstance(value.get("labels"), list)
