"""The labels that the header of a CVAT file declares: attributes and skeletons."""

from __future__ import annotations

import re
from collections.abc import Iterable
from html import escape
from xml.etree.ElementTree import Element

from labelconv.model import Category, Ontology, Option, Question

#: Whether an attribute is answered by a text: (label, attribute) → True; else an option is chosen.
Texts = dict[tuple[str, str], bool]
_NODE = re.compile(r"<circle\b[^>]*>")
_EDGE = re.compile(r"<line\b[^>]*>")
_FIELD = re.compile(r"([\w-]+)=\"([^\"]*)\"")


def texts_of(labels: Iterable[Element]) -> Texts:
    """Which attributes are texts, by the labels' own word."""
    return {
        (_text(label, "name"), _text(asked, "name")): _text(asked, "input_type")
        in ("text", "number")
        for label in labels
        for asked in label.iter("attribute")
    }


def ontology_of_labels(labels: Iterable[Element]) -> Ontology:
    """The ontology that the labels declare."""
    listed = list(labels)
    points: dict[str, list[str]] = {}
    for label in listed:
        parent = _text(label, "parent")
        if parent:
            points.setdefault(parent, []).append(_text(label, "name"))
    categories = []
    for label in listed:
        if _text(label, "parent") or _text(label, "type") == "tag":
            continue
        name = _text(label, "name")
        names = tuple(points.get(name, ()))
        categories.append(
            Category(
                name=name,
                keypoints=names,
                skeleton=_edges(_text(label, "svg"), names),
                questions=tuple(_question(asked) for asked in label.iter("attribute")),
            )
        )
    return Ontology(categories=tuple(categories))


def _question(attribute: Element) -> Question:
    name, kind = _text(attribute, "name"), _text(attribute, "input_type")
    if kind in ("text", "number"):
        return Question(name=name, kind="text")
    values = ["true", "false"] if kind == "checkbox" else _text(attribute, "values").split("\n")
    options = tuple(Option(name=value.strip()) for value in values if value.strip())
    return Question(name=name, kind="radio", options=options)


def _edges(svg: str, names: tuple[str, ...]) -> tuple[tuple[int, int], ...]:
    """The skeleton's edges as pairs into `names`, from the drawing that CVAT keeps of it."""
    nodes: dict[str, int] = {}
    for drawn in _NODE.findall(svg):
        fields = dict(_FIELD.findall(drawn))
        if fields.get("data-label-name") in names:
            nodes[fields.get("data-node-id", "")] = names.index(fields["data-label-name"])
    edges = []
    for drawn in _EDGE.findall(svg):
        fields = dict(_FIELD.findall(drawn))
        start, end = (nodes.get(fields.get(f"data-node-{way}", "")) for way in ("from", "to"))
        if start is not None and end is not None:
            edges.append((start, end))
    return tuple(edges)


def _text(element: Element, name: str) -> str:
    return (element.findtext(name) or "").strip()


# ---------------------------------------------------------------------------------------- writing


def written(ontology: Ontology, *, indent: str) -> str:
    """The `labels` element of an ontology."""
    parts = [f"{indent}<labels>\n"]
    for category in ontology.categories:
        name, kind = escaped(category.name), "skeleton" if category.keypoints else "any"
        parts.append(f"{indent}  <label>\n{indent}    <name>{name}</name>\n")
        parts.append(f"{indent}    <type>{kind}</type>\n{indent}    <attributes>\n")
        parts += (f"{indent}      {_attribute(each)}\n" for each in category.questions)
        parts.append(f"{indent}    </attributes>\n")
        if category.keypoints:
            parts.append(f"{indent}    <svg>{escaped(_drawing(category))}</svg>\n")
        parts.append(f"{indent}  </label>\n")
        parts += (
            f"{indent}  <label>\n{indent}    <name>{escaped(point)}</name>\n"
            f"{indent}    <type>points</type>\n{indent}    <attributes>\n"
            f"{indent}    </attributes>\n{indent}    <parent>{name}</parent>\n{indent}  </label>\n"
            for point in category.keypoints
        )
    parts.append(f"{indent}</labels>\n")
    return "".join(parts)


def _attribute(question: Question) -> str:
    names = [option.name for option in question.options]
    kind = "text" if question.kind == "text" else "select"
    if kind == "select" and names and set(names) <= {"true", "false"}:
        kind, names = "checkbox", ["true", "false"]
    first = escaped(names[0]) if names else ""
    return (
        f"<attribute><name>{escaped(question.name)}</name><mutable>True</mutable>"
        f"<input_type>{kind}</input_type><default_value>{first}</default_value>"
        f"<values>{escaped(chr(10).join(names))}</values></attribute>"
    )


def _drawing(category: Category) -> str:
    """A drawing of a skeleton as CVAT reads it: nodes with number and name, edges between."""
    edges = (
        f'<line data-type="edge" data-node-from="{start + 1}" data-node-to="{end + 1}"></line>'
        for start, end in category.skeleton
    )
    nodes = (
        f'<circle r="1.5" cx="{10 * number}" cy="50" data-type="element node" '
        f'data-element-id="{number}" data-node-id="{number}" '
        f'data-label-name="{escape(name)}"></circle>'
        for number, name in enumerate(category.keypoints, 1)
    )
    return "".join((*edges, *nodes))


def escaped(text: str) -> str:
    """Text as it stands in an element or in a field's quotes."""
    return escape(text).replace("\n", "&#10;").replace("\r", "&#13;").replace("\t", "&#9;")
