"""The labels that the header of a CVAT file declares: attributes and skeletons."""

from __future__ import annotations

from collections.abc import Iterable
from xml.etree.ElementTree import Element

from labelconv.cvatxml import (
    TEXTS,
    drawing,
    edges_of,
    escaped,
    kind_of,
    points_of_skeletons,
    question_of,
    text_in,
)
from labelconv.model import Category, Ontology, Question

#: Whether an attribute is answered by a text: (label, attribute) → True; else an option is chosen.
Texts = dict[tuple[str, str], bool]


def texts_of(labels: Iterable[Element]) -> Texts:
    """Which attributes are texts, by the labels' own word."""
    return {
        (text_in(label, "name"), text_in(asked, "name")): text_in(asked, "input_type") in TEXTS
        for label in labels
        for asked in label.iter("attribute")
    }


def ontology_of_labels(labels: Iterable[Element]) -> Ontology:
    """The ontology that the labels declare."""
    listed = list(labels)
    points = points_of_skeletons(listed)
    categories = []
    for label in listed:
        if text_in(label, "parent") or text_in(label, "type") == "tag":
            continue
        name = text_in(label, "name")
        names = tuple(points.get(name, ()))
        categories.append(
            Category(
                name=name,
                keypoints=names,
                skeleton=edges_of(text_in(label, "svg"), names),
                questions=tuple(question_of(asked) for asked in label.iter("attribute")),
            )
        )
    return Ontology(categories=tuple(categories))


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
            parts.append(f"{indent}    <svg>{escaped(drawing(category))}</svg>\n")
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
    kind, names = kind_of(question)
    first = escaped(names[0]) if names else ""
    return (
        f"<attribute><name>{escaped(question.name)}</name><mutable>True</mutable>"
        f"<input_type>{kind}</input_type><default_value>{first}</default_value>"
        f"<values>{escaped(chr(10).join(names))}</values></attribute>"
    )
