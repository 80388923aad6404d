"""The labels that a file's header declares: attributes, skeletons, and their types."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from typing import TypeAlias
from xml.etree.ElementTree import Element

from labelconv.cvatxml import (
    drawing,
    edges_of,
    kind_of,
    points_of_skeletons,
    question_of,
    text_in,
)
from labelconv.model import Category, Ontology, Option, Question

#: input_type by (whether the label is a tag's, label, attribute).
Kinds: TypeAlias = dict[tuple[bool, str, str], str]
#: Categories of tags are told from those of shapes by the label's type.
TAG = "tag"


def kinds_of(labels: Iterable[Element]) -> Kinds:
    """The input_type of each attribute. A label of any type may be a tag's."""
    kinds: Kinds = {}
    for label in labels:
        name, type_ = text_in(label, "name"), text_in(label, "type")
        for attribute in label.iter("attribute"):
            kind = text_in(attribute, "input_type")
            asked = text_in(attribute, "name")
            if type_ != TAG:
                kinds[False, name, asked] = kind
            if type_ in (TAG, "any", ""):
                kinds.setdefault((True, name, asked), kind)
                if type_ == TAG:
                    kinds[True, name, asked] = kind
    return kinds


def ontology_of_labels(labels: list[Element]) -> Ontology | None:
    """The ontology that the labels declare; None where there are none."""
    if not labels:
        return None
    points = points_of_skeletons(labels)
    categories, questions = [], []
    for label in labels:
        if text_in(label, "parent"):
            continue
        name = text_in(label, "name")
        asked = tuple(question_of(each) for each in label.iter("attribute"))
        if text_in(label, "type") != TAG:
            names = tuple(points.get(name, ()))
            skeleton = edges_of(text_in(label, "svg"), names)
            category = Category(name=name, keypoints=names, skeleton=skeleton, questions=asked)
            categories.append(category)
        elif asked and asked[0].name == name:
            questions.append(asked[0])
        else:
            present = Option(name="true", questions=asked)
            questions.append(Question(name=name, kind="radio", options=(present,)))
    return Ontology(categories=tuple(categories), questions=tuple(questions))


# ---------------------------------------------------------------------------------------- writing


def written(ontology: Ontology) -> tuple[str, Kinds]:
    """The `labels` element of an ontology, and the types it declares."""
    kinds: Kinds = {}
    parts = ["      <labels>\n"]
    for category in ontology.categories:
        parts += _label(category, kinds)
    for question in ontology.questions:
        asked = [question, *(q for option in question.options for q in option.questions)]
        parts.append(f"        <label><name>{_escaped(question.name)}</name><type>{TAG}</type>\n")
        parts += _attributes(asked, True, question.name, kinds)
        parts.append("        </label>\n")
    parts.append("      </labels>\n")
    return "".join(parts), kinds


def _label(category: Category, kinds: Kinds) -> list[str]:
    name = _escaped(category.name)
    type_ = "skeleton" if category.keypoints else "any"
    parts = [f"        <label><name>{name}</name><type>{type_}</type>\n"]
    parts += _attributes(list(category.questions), False, category.name, kinds)
    if category.keypoints:
        parts.append(f"          <svg>{_escaped(drawing(category))}</svg>\n")
    parts.append("        </label>\n")
    for point in category.keypoints:
        parts.append(
            f"        <label><name>{_escaped(point)}</name><type>points</type>"
            f"<attributes></attributes><parent>{name}</parent></label>\n"
        )
    return parts


def _attributes(asked: list[Question], tag: bool, label: str, kinds: Kinds) -> list[str]:
    parts = ["          <attributes>\n"]
    for question in asked:
        if (tag, label, question.name) in kinds:
            continue
        kind, names = kind_of(question)
        kinds[tag, label, question.name] = kind
        first = names[0] if names else ""
        parts.append(
            f"            <attribute><name>{_escaped(question.name)}</name>"
            f"<mutable>False</mutable><input_type>{kind}</input_type>"
            f"<default_value>{_escaped(first)}</default_value>"
            f"<values>{_escaped(chr(10).join(names))}</values></attribute>\n"
        )
    parts.append("          </attributes>\n")
    return parts


def _escaped(text: str) -> str:
    return escape(text, quote=False)
