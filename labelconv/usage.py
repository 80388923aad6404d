"""The ontology that samples use, where no header says it."""

from __future__ import annotations

from collections.abc import Iterable

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

    Keypoint names are joined per category; options are those seen as answers.
    """
    categories: dict[str, dict[str, None]] = {}
    nested: dict[str, list[Classification]] = {}
    general: list[Classification] = []
    for sample in samples:
        for annotation in sample.annotations:
            points = categories.setdefault(annotation.category, {})
            if isinstance(annotation.value, Keypoints):
                points.update(dict.fromkeys(p.name for p in annotation.value.points))
            questions = nested.setdefault(annotation.category, [])
            questions.extend(annotation.classifications)
            if isinstance(annotation.value, Track):
                for segment in annotation.value.segments:
                    for keyframe in segment:
                        questions.extend(keyframe.classifications)
            nested[annotation.category] = _unique(questions)
        general = _unique([*general, *sample.classifications])
    return Ontology(
        categories=tuple(
            Category(name=name, keypoints=tuple(points), questions=_questions(nested.get(name, [])))
            for name, points in categories.items()
        ),
        questions=_questions(general),
    )


def _unique(classifications: list[Classification]) -> list[Classification]:
    return list(dict.fromkeys(classifications))


def _questions(classifications: Iterable[Classification]) -> tuple[Question, ...]:
    grouped: dict[str, list[Classification]] = {}
    for classification in classifications:
        grouped.setdefault(classification.name, []).append(classification)
    return tuple(
        Question(
            name=name,
            kind=_KINDS[type(asked[0].answer)],
            options=_options(asked),
            per_frame=any(c.ranges for c in asked),
        )
        for name, asked in grouped.items()
    )


_KINDS: dict[type, str] = {Radio: "radio", Checklist: "checklist", FreeText: "text"}


def _options(asked: list[Classification]) -> tuple[Option, ...]:
    below: dict[str, list[Classification]] = {}
    for classification in asked:
        answer = classification.answer
        chosen: tuple[Radio, ...] = ()
        if isinstance(answer, Radio):
            chosen = (answer,)
        elif isinstance(answer, Checklist):
            chosen = answer.options
        for option in chosen:
            below.setdefault(option.name, []).extend(option.classifications)
    return tuple(Option(name=n, questions=_questions(q)) for n, q in below.items())
