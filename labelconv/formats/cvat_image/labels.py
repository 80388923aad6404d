"""The labels that a file's header declares: attributes, skeletons, and their types."""

from __future__ import annotations

import re
from collections.abc import Iterable
from html import escape
from typing import TypeAlias
from xml.etree.ElementTree import Element

from labelconv.model import Category, Ontology, Option, Question

#: input_type by (whether the label is a tag's, label, attribute).
Kinds: TypeAlias = dict[tuple[bool, str, str], str]
_NODE = re.compile(r"<circle\b[^>]*>")
_EDGE = re.compile(r"<line\b[^>]*>")
_FIELD = re.compile(r"([\w-]+)=\"([^\"]*)\"")
#: Categories of tags are told from those of shapes by the label's type.
TAG = "tag"
_ANSWERS = ("true", "false")


def kinds_of(labels: Iterable[Element]) -> Kinds:
    """The input_type of each attribute. A label of any type may be a tag's."""
    kinds: Kinds = {}
    for label in labels:
        name, type_ = _text(label, "name"), _text(label, "type")
        for attribute in label.iter("attribute"):
            kind = _text(attribute, "input_type")
            asked = _text(attribute, "name")
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
    points: dict[str, list[str]] = {}
    for label in labels:
        parent = _text(label, "parent")
        if parent:
            points.setdefault(parent, []).append(_text(label, "name"))
    categories, questions = [], []
    for label in labels:
        if _text(label, "parent"):
            continue
        name = _text(label, "name")
        asked = tuple(_question(each) for each in label.iter("attribute"))
        if _text(label, "type") != TAG:
            names = tuple(points.get(name, ()))
            skeleton = _edges(_text(label, "svg"), names)
            category = Category(name=name, keypoints=names, skeleton=skeleton, questions=asked)
            categories.append(category)
        elif asked and asked[0].name == name:
            questions.append(asked[0])
        else:
            present = Option(name="true", questions=asked)
            questions.append(Question(name=name, kind="radio", options=(present,)))
    return Ontology(categories=tuple(categories), questions=tuple(questions))


def _question(attribute: Element) -> Question:
    name, kind = _text(attribute, "name"), _text(attribute, "input_type")
    if kind in ("text", "number"):
        return Question(name=name, kind="text")
    values = _text(attribute, "values").split("\n")
    if kind == "checkbox":
        values = list(_ANSWERS)
    return Question(
        name=name, kind="radio", options=tuple(Option(name=value) for value in values if value)
    )


def _edges(svg: str, names: tuple[str, ...]) -> tuple[tuple[int, int], ...]:
    """The skeleton's edges as pairs into `names`, from the drawing that CVAT keeps of it."""
    nodes: dict[str, int] = {}
    for drawn in _NODE.findall(svg):
        fields = dict(_FIELD.findall(drawn))
        label = fields.get("data-label-name")
        if label in names:
            nodes[fields.get("data-node-id", "")] = names.index(label)
        elif fields.get("data-node-id", "").isdecimal():
            position = int(fields["data-node-id"]) - 1
            if position < len(names):
                nodes[fields["data-node-id"]] = position
    edges = []
    for drawn in _EDGE.findall(svg):
        fields = dict(_FIELD.findall(drawn))
        ends = fields.get("data-node-from", ""), fields.get("data-node-to", "")
        if ends[0] in nodes and ends[1] in nodes:
            edges.append((nodes[ends[0]], nodes[ends[1]]))
    return tuple(edges)


def _text(element: Element, name: str) -> str:
    return (element.findtext(name) or "").strip()


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
        parts.append(f"          <svg>{_escaped(_drawing(category))}</svg>\n")
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
        names = [option.name for option in question.options]
        kind = "text" if question.kind == "text" else "select"
        if kind == "select" and names and set(names) <= set(_ANSWERS):
            kind, names = "checkbox", list(_ANSWERS)
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


def _drawing(category: Category) -> str:
    """CVAT's drawing of a skeleton: nodes by number and name, edges between the numbers."""
    lines = [
        f'<line data-type="edge" data-node-from="{start + 1}" data-node-to="{end + 1}"></line>'
        for start, end in category.skeleton
    ]
    circles = [
        f'<circle r="1.5" cx="{10 * number}" cy="50" data-type="element node" '
        f'data-element-id="{number}" data-node-id="{number}" '
        f'data-label-name="{escape(name)}"></circle>'
        for number, name in enumerate(category.keypoints, 1)
    ]
    return "".join((*lines, *circles))


def _escaped(text: str) -> str:
    return escape(text, quote=False)
