"""Answers with ranges of time, in all the forms of lines about videos and sounds.

`frames` beside the answer hold for all of it. `frames` inside an option, alone or in a list, hold
for this one; a radio that changes and a checklist have the same form then, and only the ontology
tells them apart. Without it, options that hold at the same time are a checklist, and so is what
stands under `answers`; others are a radio.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import TypeAlias

import msgspec
from msgspec import UNSET

from labelconv import codes
from labelconv.formats.labelbox.faults import Fault, malformed
from labelconv.formats.labelbox.reader_lines import Lines
from labelconv.formats.labelbox.reader_told import has_times
from labelconv.formats.labelbox.records import Line, Nested, Option, Range
from labelconv.model import Checklist, Classification, FreeText, Radio

Ranges: TypeAlias = tuple[tuple[int, int], ...]


class Clock(msgspec.Struct, frozen=True):
    """How ranges are read: frames that count from `frame_base` with inclusive ends; or, where it
    is None, milliseconds."""

    frame_base: int | None

    def ranges(self, given: Sequence[Range], at: str) -> Ranges:
        """Half-open ranges, in the order given, each once. Raises `Fault`."""
        base = self.frame_base
        found: dict[tuple[int, int], None] = {}
        for number, each in enumerate(given):
            pair = (
                (each.start, each.end) if base is None else (each.start - base, each.end + 1 - base)
            )
            if pair[0] < 0:
                self.too_early(f"{at}/{number}/start", each.start)
            if pair[1] < pair[0] + (base is not None):
                expected = f"an end of at least {each.start}"
                malformed(f"{at}/{number}/end", expected, str(each.end))
            found[pair] = None
        return tuple(found)

    def too_early(self, at: str, frame: int) -> None:
        """Raise the `Fault` of a frame before the first."""
        expected = f"a frame of {self.frame_base} or more (-O frame_base=0 counts from 0)"
        malformed(at, expected, str(frame))


def answers(lines: Lines, given: Line | Nested, clock: Clock, at: str = "") -> list[Classification]:
    """What was answered to one question, by ranges of time. Raises `Fault`."""
    name = lines.features.name(given.name, given.schema_id)
    if isinstance(given, Line) and given.frames is not UNSET:
        if has_times(given):
            malformed("/frames", "frames beside the answer or inside it", "both")
        said = lines.answer(given, name, at)
        return [Classification(name, said, clock.ranges(given.frames, "/frames"))]
    return _listed(lines, given, clock, at, ())


class _Said(msgspec.Struct):
    """An option or a text with its ranges; `at` is where it stands."""

    at: str
    answer: Radio | FreeText
    ranges: Ranges


def _listed(
    lines: Lines, given: Line | Nested, clock: Clock, at: str, above: Ranges
) -> list[Classification]:
    """A question whose answers have ranges inside; those equal to the ones `above` say nothing."""
    name = lines.features.name(given.name, given.schema_id)
    if isinstance(given, Nested):
        lines.count(given)
    answer = given.answer if given.answer is not UNSET else given.answers
    key = "answer" if given.answer is not UNSET else "answers"
    several = not isinstance(answer, Option)
    options = (answer,) if isinstance(answer, Option) else answer
    assert isinstance(options, tuple)
    said: list[_Said] = []
    for number, option in enumerate(options):
        here = f"{at}/{key}/{number}" if several else f"{at}/{key}"
        said.append(_said(lines, option, clock, here, above))
    if given.classifications is not UNSET:
        # 2023 samples have what is asked below an option beside its answer.
        if len(said) != 1:
            found = f"them beside {len(said)} options"
            expected = "nested classifications inside the option they belong to"
            malformed(f"{at}/classifications", expected, found)
        beside = _below(lines, given.classifications, clock, at, said[0].ranges or above)
        nested = said[0].answer.classifications + beside
        said[0].answer = msgspec.structs.replace(said[0].answer, classifications=nested)
    if isinstance(said[0].answer, FreeText):
        return [Classification(name, each.answer, each.ranges) for each in said]
    kind = lines.features.kind(name)
    if kind == "checklist" or (kind != "radio" and (key == "answers" or _together(said))):
        return _checklists(name, said)
    return [Classification(name, each.answer, each.ranges) for each in said]


def _said(lines: Lines, option: Option, clock: Clock, at: str, above: Ranges) -> _Said:
    ranges: Ranges = ()
    if option.frames is not UNSET:
        ranges = clock.ranges(option.frames, f"{at}/frames")
        for number, (start, end) in enumerate(ranges):
            if above and not any(a <= start and end <= b for a, b in above):
                expected = "a range within those of the answer above"
                malformed(f"{at}/frames/{number}", expected, f"one from {start} to {end}")
    ranges = () if ranges == above else ranges
    below: tuple[Classification, ...] = ()
    if option.classifications is not UNSET:
        below = _below(lines, option.classifications, clock, at, ranges or above)
    confidence = None if option.confidence is UNSET else option.confidence
    if option.value is not UNSET:
        lines.count(option)
        return _Said(at, FreeText(option.value, below, confidence), ranges)
    bare = msgspec.structs.replace(option, classifications=UNSET)
    return _Said(at, lines.chosen(bare, at, below), ranges)


def _below(
    lines: Lines, given: Sequence[Nested], clock: Clock, at: str, above: Ranges
) -> tuple[Classification, ...]:
    """What was asked below an answer, with ranges or without."""
    found: list[Classification] = []
    for number, nested in enumerate(given):
        here = f"{at}/classifications/{number}"
        if has_times(nested):
            found += _listed(lines, nested, clock, here, above)
        else:
            found.append(lines.classification(nested, here))
    return tuple(found)


def _together(said: Sequence[_Said]) -> bool:
    """Whether two options hold at the same time."""
    return any(
        not one.ranges
        or not other.ranges
        or any(a < d and c < b for a, b in one.ranges for c, d in other.ranges)
        for one, other in combinations(said, 2)
    )


def _checklists(name: str, said: Sequence[_Said]) -> list[Classification]:
    """The options that have the same ranges are ticked together. Raises `Fault`."""
    ticked: dict[Ranges, list[_Said]] = {}
    for each in said:
        group = ticked.setdefault(each.ranges, [])
        assert isinstance(each.answer, Radio)
        for earlier in group:
            if isinstance(earlier.answer, Radio) and earlier.answer.name == each.answer.name:
                values = {"name": each.answer.name, "first": earlier.at}
                raise Fault(codes.OPTION_REPEATED, each.at, **values)
        group.append(each)
    return [
        Classification(
            name, Checklist(tuple(e.answer for e in group if isinstance(e.answer, Radio))), ranges
        )
        for ranges, group in ticked.items()
    ]
