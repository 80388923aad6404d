"""What the tools and questions of a project's ontology hold, by name."""

from __future__ import annotations

from collections.abc import Mapping

from labelconv.format import HeldFeatures, HeldQuestion
from labelconv.formats.labelbox.check_ontology import TOOLS
from labelconv.formats.labelbox.ontology import Ontology, Questions
from labelconv.formats.labelbox.writer_shapes import PAYLOADS
from labelconv.model import Checklist, FreeText, Radio

_ANSWERS: dict[str, type] = {"radio": Radio, "checklist": Checklist, "text": FreeText}


def held_features(ontology: Ontology) -> HeldFeatures:
    """What is held of each name: any kind of shape that one of its tools draws, and its questions.

    Names of tools that draw no shape, such as entities and relations, are not listed.
    """
    kinds: dict[str, frozenset[type]] = {}
    below: dict[str, Mapping[str, HeldQuestion]] = {}
    for name, alike in ontology.alike.items():
        drawn = frozenset(
            shape
            for shape, payload in PAYLOADS.items()
            if any(tool.kind in TOOLS[payload][1] for tool in alike)
        )
        if drawn:
            kinds[name] = drawn
        asked = {text: each for tool in alike for text, each in tool.questions.items()}
        if asked:
            below[name] = _questions(asked)
    return HeldFeatures(kinds, below, _questions(ontology.questions))


def _questions(questions: Questions) -> dict[str, HeldQuestion]:
    return {
        name: HeldQuestion(
            _ANSWERS[question.kind],
            {label: _questions(option.questions) for label, option in question.options.items()},
        )
        for name, question in questions.items()
        if question.kind in _ANSWERS
    }
