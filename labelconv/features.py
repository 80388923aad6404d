"""Shapes and answers as the target's own features take them (`Holds.features`).

A shape of another kind than its category is drawn as is lowered to that kind, and an answer of
another form than its question takes is respelled, where there is a way. Where there is none they go
on as they are: the writer refuses them, each with its place (docs/decisions/0014).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

import msgspec

from labelconv import codes
from labelconv.format import HeldFeatures, HeldQuestion
from labelconv.lowering import Cut, Lowering, lower, point_names, reaches
from labelconv.model import (
    Annotation,
    Checklist,
    Classification,
    FreeText,
    Keyframe,
    Keypoints,
    Point,
    Radio,
    Sample,
    Shape,
    Track,
)
from labelconv.problems import Outcome, Report, Where

Questions: TypeAlias = Mapping[str, HeldQuestion]
Classifications: TypeAlias = tuple[Classification, ...]


def as_drawn(
    shape: Shape, category: str, held: frozenset[type], cut: Cut, place: Where
) -> Lowering:
    """The shape as one or more of the `held` kinds, those that its category is drawn as."""
    own = None if cut.holds.features is None else cut.holds.features.kinds.get(category)
    if own is None:
        return lower(shape, category, held, cut, place)
    if isinstance(shape, Keypoints) and _has_points(shape, category, cut):
        own = own | {Point}
    kinds = held & own
    if not reaches(shape, kinds, cut):
        return lower(shape, category, held, cut, place)
    reason = f", as {category!r} is drawn in the ontology"
    return lower(shape, category, kinds, msgspec.structs.replace(cut, reason=reason), place)


def _has_points(skeleton: Keypoints, category: str, cut: Cut) -> bool:
    """Whether any point of a skeleton, by the name that it gets alone, is drawn as a point."""
    features = cut.holds.features
    assert features is not None  # for mypy; the caller has looked
    names = point_names(skeleton, category, cut)
    return any(Point in features.kinds.get(name, ()) for name in names)


def as_asked(
    sample: Sample, before: dict[str, Outcome], features: HeldFeatures, report: Report
) -> tuple[Sample, dict[str, Outcome]]:
    """The sample with its answers in the form that their questions take.

    A radio answer and a checklist of one tick say the same. `before` is what was done to
    annotations already; returned with those whose answers are changed here.
    """
    changed: dict[str, Outcome] = {}
    annotations: list[Annotation] = []
    for annotation in sample.annotations:
        below = features.below.get(annotation.category)
        place = Where(sample=sample.key, annotation=annotation.id)
        asked = _about(annotation, below, report, place) if below else annotation
        if asked is not annotation:
            changed[annotation.id] = "changed"
        annotations.append(asked)
    place = Where(sample=sample.key)
    classifications = _all(sample.classifications, features.questions, report, place)
    if not changed and classifications is sample.classifications:
        return sample, before
    asked_sample = msgspec.structs.replace(
        sample, annotations=tuple(annotations), classifications=classifications
    )
    return asked_sample, {**changed, **before}


def _about(
    annotation: Annotation, questions: Questions, report: Report, place: Where
) -> Annotation:
    """The annotation with the answers about it and about its keyframes; itself if all fit."""
    asked = _all(annotation.classifications, questions, report, place)
    value = annotation.value
    if isinstance(value, Track):
        segments = tuple(
            tuple(_keyframe(each, questions, report, place) for each in segment)
            for segment in value.segments
        )
        if segments != value.segments:
            value = Track(segments)
    if asked is annotation.classifications and value is annotation.value:
        return annotation
    return msgspec.structs.replace(annotation, classifications=asked, value=value)


def _keyframe(keyframe: Keyframe, questions: Questions, report: Report, place: Where) -> Keyframe:
    asked = _all(keyframe.classifications, questions, report, place)
    if asked is keyframe.classifications:
        return keyframe
    return msgspec.structs.replace(keyframe, classifications=asked)


def _all(
    given: Classifications, questions: Questions, report: Report, place: Where
) -> Classifications:
    """The answers in the form of their questions; the same tuple when all of them have it."""
    if not given:
        return given
    asked = tuple(_one(each, questions.get(each.name), report, place) for each in given)
    same = all(one is two for one, two in zip(asked, given, strict=True))
    return given if same else asked


def _one(
    given: Classification, question: HeldQuestion | None, report: Report, place: Where
) -> Classification:
    if question is None:
        return given
    answer = given.answer
    if isinstance(answer, FreeText):
        below = {name: one for each in question.options.values() for name, one in each.items()}
        nested = _all(answer.classifications, below, report, place)
        if nested is answer.classifications:
            return given
        spelled: Radio | Checklist | FreeText = msgspec.structs.replace(
            answer, classifications=nested
        )
        return msgspec.structs.replace(given, answer=spelled)
    before = (answer,) if isinstance(answer, Radio) else answer.options
    options = tuple(_option(each, question, report, place) for each in before)
    same = all(one is two for one, two in zip(options, before, strict=True))
    words = {"source": f"radio answer to {given.name!r}", "result": "checklist of one tick"}
    if isinstance(answer, Radio) and question.answer is Checklist:
        spelled = Checklist(options)
    elif isinstance(answer, Checklist) and question.answer is Radio and len(options) == 1:
        spelled = options[0]
        words = {"source": f"checklist of one tick for {given.name!r}", "result": "radio answer"}
    elif same:
        return given
    else:
        spelled = options[0] if isinstance(answer, Radio) else Checklist(options)
        return msgspec.structs.replace(given, answer=spelled)
    report.add(codes.SHAPE_RESPELLED, place, **words)
    return msgspec.structs.replace(given, answer=spelled)


def _option(chosen: Radio, question: HeldQuestion, report: Report, place: Where) -> Radio:
    below = question.options.get(chosen.name, {})
    nested = _all(chosen.classifications, below, report, place)
    if nested is chosen.classifications:
        return chosen
    return msgspec.structs.replace(chosen, classifications=nested)
