"""What becomes of answers and relations: what a format does not hold of them is told and cut."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeVar

import msgspec

from labelconv import codes
from labelconv.lowering import Cut
from labelconv.model import Checklist, Classification, FreeText, Radio, Relation, Sample
from labelconv.problems import Where

_Chosen = TypeVar("_Chosen", bound=Radio | FreeText)


def fit_answers(sample: Sample, given: Sample, cut: Cut) -> tuple[Classification, ...]:
    """The answers about a sample, counted; `given` is the sample before its names were spelled."""
    account = cut.report.ledger.classifications
    depth = cut.holds.questions
    fitted: list[Classification] = []
    asked = _in_time(sample.classifications, cut)
    for pieces, original in zip(asked, given.classifications, strict=True):
        kept = [fit_answer(piece, depth, cut, None, top=True) for piece in pieces]
        if not kept or any(one is not two for one, two in zip(kept, pieces, strict=True)):
            account.lost += 1
        elif pieces == (original,):
            account.kept += 1
        else:
            account.changed += 1
        fitted.extend(each for each in kept if each is not None)
    if cut.holds.ranges == "only":
        fitted.sort(key=lambda each: each.ranges)
    return tuple(fitted)


def fit_answer(
    classification: Classification,
    depth: int,
    cut: Cut,
    annotation: str | None,
    *,
    top: bool = False,
) -> Classification | None:
    """The answer down to `depth` levels; the same object when nothing was cut, None for all."""
    place = Where(sample=cut.sample.key, annotation=annotation)
    answer = classification.answer
    if depth <= 0 or type(answer) not in cut.holds.answers:
        cut.report.add(codes.CLASSIFICATION_DROPPED, place, name=classification.name)
        return None
    held = cut.holds.ranges
    if classification.ranges and held != "all" and not (top and held in ("top", "only")):
        what = f"when the answer to {classification.name!r} holds"
        cut.report.add(codes.DETAIL_DROPPED, place, what=what)
        classification = msgspec.structs.replace(classification, ranges=())
    if classification.message is not None and not top and held != "all":
        what = f"the message of the answer to {classification.name!r}, below another,"
        cut.report.add(codes.DETAIL_DROPPED, place, what=what)
        classification = msgspec.structs.replace(classification, message=None)

    def below(nested: tuple[Classification, ...]) -> tuple[Classification, ...]:
        kept = tuple(c for n in nested if (c := fit_answer(n, depth - 1, cut, annotation)))
        return nested if kept == nested else kept

    said = cut.holds.sure_answers
    may_be_sure = cut.holds.confidence if said is None else said

    def certainty(confidence: float | None) -> float | None:
        if confidence is None or may_be_sure:
            return confidence
        cut.report.add(codes.CONFIDENCE_DROPPED, place)
        return None

    def option(chosen: _Chosen) -> _Chosen:
        kept, sure = below(chosen.classifications), certainty(chosen.confidence)
        if kept is chosen.classifications and sure is chosen.confidence:
            return chosen
        return msgspec.structs.replace(chosen, classifications=kept, confidence=sure)

    fitted: Radio | Checklist | FreeText
    if isinstance(answer, (Radio, FreeText)):
        fitted = option(answer)
    else:
        options = tuple(option(chosen) for chosen in answer.options)
        same = all(a is b for a, b in zip(options, answer.options, strict=True))
        fitted = answer if same else Checklist(options)
    if fitted is answer:
        return classification
    return msgspec.structs.replace(classification, answer=fitted)


def _in_time(asked: tuple[Classification, ...], cut: Cut) -> Iterator[tuple[Classification, ...]]:
    """What becomes of each answer: with one range each, to the one question there is.

    So that formats are served which have labels in time only, such as label tracks and subtitles.

    Nothing becomes of what has no range where only ranges are held; nor, where the format has one
    question, of answers to others than the first one of a sample, which takes its name. Both are
    told.
    """
    holds = cut.holds
    place = Where(sample=cut.sample.key)
    if holds.ranges != "only" and holds.question is None:
        yield from ((given,) for given in asked)
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
            yield ()
            continue
        named = given
        if holds.question not in (None, given.name):
            named = msgspec.structs.replace(given, name=holds.question)
        if not timed or len(given.ranges) == 1:
            yield (named,)
        else:
            yield tuple(msgspec.structs.replace(named, ranges=(each,)) for each in given.ranges)


def fit_relations(
    sample: Sample, given: Sample, renamed: dict[str, str], cut: Cut
) -> Iterator[Relation]:
    """The relations whose ends are left, counted; `renamed` has the ids of what is left by id.

    `given` is the sample before its names were spelled.
    """
    account = cut.report.ledger.relations
    for relation, original in zip(sample.relations, given.relations, strict=True):
        place = Where(sample=sample.key, annotation=relation.id)
        source, target = renamed.get(relation.source), renamed.get(relation.target)
        if not cut.holds.relations:
            cut.report.add(codes.RELATION_DROPPED, place, name=relation.category)
            account.lost += 1
        elif source is None or target is None:
            missing = relation.source if source is None else relation.target
            if missing in cut.before or any(
                annotation.id == missing for annotation in sample.annotations
            ):
                what = f"the relation {relation.category!r}, whose end {missing} is left out,"
                cut.report.add(codes.DETAIL_DROPPED, place, what=what)
                account.lost += 1
            else:
                cut.report.add(codes.RELATION_END_MISSING, place, missing=missing)
                account.rejected += 1
        elif (source, target) == (relation.source, relation.target):
            if relation.category == original.category:
                account.kept += 1
            else:
                account.changed += 1
            yield relation
        else:
            account.changed += 1
            yield msgspec.structs.replace(relation, source=source, target=target)
