"""Answers that hold for stretches of time: frames of a video, milliseconds of a sound.

One line for each question. In a video, an answer that is the same in all its ranges is said once,
with `frames` beside it (SDK, live); otherwise, and in sounds always, `answer` is a list whose items
have ranges of their own (SDK: temporal classifications; the forms of our reference, 3.9 and 3.10).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import msgspec

from labelconv import codes
from labelconv.formats.labelbox.faults import Fault
from labelconv.formats.labelbox.names import Names, Speller, ascii_text, below_text
from labelconv.formats.labelbox.ontology import Question, Questions
from labelconv.model import Checklist, Classification, FreeText, Radio

Ranges: TypeAlias = tuple[tuple[int, int], ...]


class Clock(msgspec.Struct, frozen=True):
    """How ranges are written: frames that count from `frame_base` with inclusive ends; or, where
    it is None, milliseconds, whose ends are the instant where the answer stops."""

    frame_base: int | None

    def frames(self, ranges: Ranges) -> list[dict[str, int]]:
        """Half-open ranges as the wire has them. Raises `Fault`."""
        least = 0 if self.frame_base is None else 1
        for start, end in ranges:
            if start < 0 or end - start < least:
                found = f"a range from {start} to {end}"
                raise Fault(codes.SHAPE_INVALID, "/frames", found=found)
        if self.frame_base is None:
            return [{"start": start, "end": end} for start, end in ranges]
        base = self.frame_base
        return [{"start": start + base, "end": end - 1 + base} for start, end in ranges]


def timed_line(
    names: Names, group: Sequence[Classification], clock: Clock, questions: Questions | None
) -> dict[str, Any] | None:
    """The answers to one question, all of them with ranges; None if they say nothing."""
    first = group[0]
    if len(group) == 1 and clock.frame_base is not None and not isinstance(first.answer, FreeText):
        out = Speller(names, questions).answered(first)
        return None if out is None else out | {"frames": clock.frames(first.ranges)}
    return _listed(names, group, clock, questions, ())


def _listed(
    names: Names,
    group: Sequence[Classification],
    clock: Clock,
    questions: Questions | None,
    above: Ranges,
) -> dict[str, Any] | None:
    """A question whose answers have ranges of their own, those of `above` where they have none."""
    question = None if questions is None else questions[group[0].name]
    out = names.spelled(group[0].name, question)
    ranges: dict[Radio | FreeText, list[tuple[int, int]]] = {}
    texts = isinstance(group[0].answer, FreeText)
    for asked in group:
        answer = asked.answer
        if isinstance(answer, FreeText) is not texts:
            found = f"a text and an option as answers to {asked.name!r}"
            raise Fault(codes.SHAPE_INVALID, "/answer", found=found)
        if isinstance(answer, Checklist) and not answer.options:
            names.unticked += [asked.name] if questions is None else []
        for said in answer.options if isinstance(answer, Checklist) else (answer,):
            held = ranges.setdefault(said, [])
            for each in asked.ranges or above:
                if above and not any(a <= each[0] and each[1] <= b for a, b in above):
                    found = f"an answer from {each[0]} to {each[1]} beyond the one above it"
                    raise Fault(codes.SHAPE_INVALID, "/classifications", found=found)
                held += [] if each in held else [each]
    if not ranges:
        return None
    out["answer"] = [
        _item(names, said, tuple(when), clock, question) for said, when in ranges.items()
    ]
    return out


def _item(
    names: Names,
    said: Radio | FreeText,
    when: Ranges,
    clock: Clock,
    question: Question | None,
) -> dict[str, Any]:
    """One answer with its ranges; in sounds, what is below it has ranges too."""
    out: dict[str, Any]
    below: Questions | None = None
    if isinstance(said, FreeText):
        out = {"value": ascii_text(said.text)}
        below = None if question is None else below_text(question)
    else:
        option = None if question is None else question.options[said.name]
        out = names.spelled(said.name, option)
        below = None if option is None else option.questions
    out["frames"] = clock.frames(when)
    if said.classifications and clock.frame_base is not None:
        out["classifications"] = Speller(names, below).all(said.classifications)
    elif said.classifications:
        groups: dict[str, list[Classification]] = {}
        for asked in said.classifications:
            groups.setdefault(asked.name, []).append(asked)
        found = (_listed(names, group, clock, below, when) for group in groups.values())
        out["classifications"] = [each for each in found if each is not None]
    names.sure(out, said, counted=question is None)
    return out
