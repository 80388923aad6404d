"""The ontology that samples use, where no header says it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeAlias

from labelconv.model import (
    Category,
    Checklist,
    Classification,
    FreeText,
    Keypoints,
    Ontology,
    Option,
    Question,
    Radio,
    Sample,
    Track,
)


def ontology_of(samples: Iterable[Sample]) -> Ontology:
    """The categories and questions that the samples use, in order of appearance.

    Keypoint names are joined per category; options are those seen as answers. What is remembered
    grows with the names, not with the samples.
    """
    use = Use()
    for sample in samples:
        use.add(sample)
    return use.ontology()


def _in_order(known: list[str], names: list[str]) -> list[str]:
    """`known` with what is new in `names`, each before the known name that it stood before."""
    joined = list(known)
    place = len(joined)
    for name in reversed(names):
        if name in joined:
            place = joined.index(name)
        else:
            joined.insert(place, name)
    return joined


class Use:
    """The names that samples use, gathered one by one."""

    def __init__(self) -> None:
        self._keypoints: dict[str, dict[str, None]] = {}
        self._asked: dict[str, _Asked] = {}
        self._general: _Asked = {}

    def add(self, sample: Sample) -> None:
        """Note the names in a sample or in a piece of one."""
        for annotation in sample.annotations:
            category = annotation.category
            points = self._keypoints.get(category)
            if points is None:
                points = self._keypoints[category] = {}
                self._asked[category] = {}
            value = annotation.value
            if isinstance(value, Keypoints):
                names = [point.name for point in value.points]
                if not points.keys() >= {*names}:
                    self._keypoints[category] = dict.fromkeys(_in_order([*points], names))
            if annotation.classifications:
                _note(annotation.classifications, self._asked[category])
            if isinstance(value, Track):
                for segment in value.segments:
                    for keyframe in segment:
                        _note(keyframe.classifications, self._asked[category])
        if sample.classifications:
            _note(sample.classifications, self._general)

    def ontology(self) -> Ontology:
        """The categories and questions met so far."""
        return Ontology(
            categories=tuple(
                Category(
                    name=name, keypoints=tuple(points), questions=_questions(self._asked[name])
                )
                for name, points in self._keypoints.items()
            ),
            questions=_questions(self._general),
        )


class _Answers:
    """How a question was answered; `options` have the questions below them."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.per_frame = False
        self.options: dict[str, _Asked] = {}


_Asked: TypeAlias = dict[str, _Answers]


def _note(classifications: Iterable[Classification], asked: _Asked) -> None:
    for classification in classifications:
        answer = classification.answer
        found = asked.get(classification.name)
        if found is None:
            found = asked[classification.name] = _Answers(_KINDS[type(answer)])
        if classification.ranges or classification.message is not None:
            found.per_frame = True
        chosen: tuple[Radio, ...] = ()
        if isinstance(answer, Radio):
            chosen = (answer,)
        elif isinstance(answer, Checklist):
            chosen = answer.options
        for option in chosen:
            below = found.options.setdefault(option.name, {})
            if option.classifications:
                _note(option.classifications, below)


def _questions(asked: _Asked) -> tuple[Question, ...]:
    return tuple(
        Question(
            name=name,
            kind=found.kind,
            options=tuple(
                Option(name=option, questions=_questions(below))
                for option, below in found.options.items()
            ),
            per_frame=found.per_frame,
        )
        for name, found in asked.items()
    )


_KINDS: dict[type, str] = {Radio: "radio", Checklist: "checklist", FreeText: "text"}
