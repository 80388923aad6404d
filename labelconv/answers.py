"""Answers for formats that have nothing but labels in time, such as label tracks and subtitles."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from labelconv import codes
from labelconv.format import Holds
from labelconv.lowering import Cut
from labelconv.model import Classification
from labelconv.problems import Where


def in_time(
    asked: tuple[Classification, ...], cut: Cut
) -> Iterator[tuple[Classification, tuple[Classification, ...]]]:
    """Each answer with what becomes of it: with one range each, to the one question there is.

    Nothing becomes of what has no range where only ranges are held; nor, where the format has one
    question, of answers to others than the first one of a sample, which takes its name. Both are
    told.
    """
    holds = cut.holds
    place = Where(sample=cut.sample.key)
    if holds.ranges != "only" and holds.question is None:
        yield from ((given, (given,)) for given in asked)
        return
    timed = holds.ranges == "only"
    first = next(
        (
            each.name
            for each in asked
            if type(each.answer) in holds.answers and (each.ranges or not timed)
        ),
        None,
    )
    if first is not None and holds.question not in (None, first):
        values = {"name": first, "spelled": holds.question, "target": cut.target}
        cut.report.add(codes.NAME_RESPELLED, place, **values)
    for given in asked:
        if (timed and not given.ranges) or (holds.question is not None and given.name != first):
            cut.report.add(codes.CLASSIFICATION_DROPPED, place, name=given.name)
            yield given, ()
            continue
        named = given
        if holds.question not in (None, given.name):
            named = msgspec.structs.replace(given, name=holds.question)
        if not timed or len(given.ranges) == 1:
            yield given, (named,)
        else:
            pieces = (msgspec.structs.replace(named, ranges=(each,)) for each in given.ranges)
            yield given, tuple(pieces)


def by_start(answers: list[Classification], holds: Holds) -> list[Classification]:
    """By their start, where answers are labels in time; else as they are."""
    return sorted(answers, key=lambda each: each.ranges) if holds.ranges == "only" else answers
