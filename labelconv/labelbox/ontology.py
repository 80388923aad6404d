"""The Labelbox ontology that a dataset needs, in the normalized form.

The form is that of SDK 7.17.0, `OntologyBuilder.asdict()`, which `client.create_ontology(name, …)`
takes. Constraints of edge tools are in `labelconv.labelbox.constraints`.
"""

from __future__ import annotations

import colorsys
from collections import Counter
from collections.abc import Iterable
from hashlib import sha1
from typing import Any

from labelconv import codes
from labelconv.labelbox.constraints import Pair, add_pairs, constraining, give_ids
from labelconv.model import (
    Box,
    Mask,
    OnPage,
    Option,
    Point,
    Polygon,
    Polyline,
    Question,
    Sample,
    TextSpan,
    TokenSpan,
    Track,
    Value,
)
from labelconv.problems import Report
from labelconv.usage import Use

#: The tool that draws a kind of value.
TOOLS: dict[type, str] = {
    Box: "rectangle",
    Polygon: "polygon",
    Polyline: "line",
    Point: "point",
    Mask: "raster-segmentation",
    TextSpan: "named-entity",
    TokenSpan: "named-entity",
}


def ontology_for(samples: Iterable[Sample], report: Report) -> dict[str, Any]:
    """The normalized ontology that these samples need, as they are written for Labelbox.

    Tools and questions are in order of appearance, relations last; these list the pairs of features
    that they join (`labelconv.labelbox.constraints`). A name that is drawn in several
    ways gets the tool that draws most of it, since names of tools are unique; that is told
    (`tool-ambiguous`).
    """
    use = Use()
    drawn: dict[str, Counter[str]] = {}
    joined: dict[str, dict[Pair, None]] = {}
    for sample in samples:
        use.add(sample)
        for annotation in sample.annotations:
            drawn.setdefault(annotation.category, Counter()).update(_tools(annotation.value))
        add_pairs(sample, joined)
    found = use.ontology()
    questions = {category.name: category.questions for category in found.categories}
    tools = [
        _tool(name, _chosen(name, kinds, report), questions[name])
        for name, kinds in drawn.items()
        if kinds
    ]
    for name, pairs in joined.items():
        if name in drawn:
            report.add(
                codes.TOOL_AMBIGUOUS, name=name, kinds="objects and relations", chosen="the first"
            )
            continue
        tools.append({**_tool(name, "edge", ()), **constraining(pairs)})
    give_ids(tools)
    asked = [
        {**_question(each), "scope": "index" if each.per_frame else "global"}
        for each in found.questions
    ]
    return {"tools": tools, "classifications": asked}


def _tools(value: Value) -> set[str]:
    if isinstance(value, Track):
        shapes = {type(keyframe.shape) for segment in value.segments for keyframe in segment}
        return {TOOLS[kind] for kind in shapes if kind in TOOLS}
    shape = value.shape if isinstance(value, OnPage) else value
    return {TOOLS[type(shape)]} if type(shape) in TOOLS else set()


def _chosen(name: str, kinds: Counter[str], report: Report) -> str:
    """The kind of tool that most annotations of a name need; the first of several such."""
    chosen = kinds.most_common(1)[0][0]
    if len(kinds) > 1:
        listed = ", ".join(f"{count}× {kind}" for kind, count in kinds.most_common())
        report.add(codes.TOOL_AMBIGUOUS, name=name, kinds=listed, chosen=chosen)
    return chosen


def _tool(name: str, kind: str, questions: tuple[Question, ...]) -> dict[str, Any]:
    return {
        "tool": kind,
        "name": name,
        "required": False,
        "color": color_of(name),
        "classifications": [_question(each) for each in questions],
        **_IDS,
    }


def _question(question: Question) -> dict[str, Any]:
    return {
        "type": question.kind,
        "instructions": question.name,
        "name": question.name,
        "required": False,
        "options": [_option(each) for each in question.options],
        **_IDS,
    }


def _option(option: Option) -> dict[str, Any]:
    return {
        "schemaNodeId": None,
        "featureSchemaId": None,
        "label": option.name,
        "value": option.name,
        "options": [_question(each) for each in option.questions],
    }


_IDS: dict[str, None] = {"schemaNodeId": None, "featureSchemaId": None, "attributes": None}


def color_of(name: str) -> str:
    """A colour (`#rrggbb`) that a name always has, whatever else is in the ontology."""
    digest = sha1(name.encode("utf-8", "surrogatepass"), usedforsecurity=False).digest()
    hue, lightness = digest[0] / 256, 0.4 + digest[1] / 256 * 0.2
    red, green, blue = colorsys.hls_to_rgb(hue, lightness, 0.85)
    return f"#{round(red * 255):02x}{round(green * 255):02x}{round(blue * 255):02x}"
