"""Which features a relation joins, as the edge tools of a normalized ontology list it.

Constraints are pairs of featureSchemaIds, source first. For an ontology that is not made yet, SDK
7.17.0 (`RelationshipTool.add_constraint`) gives the tools that are joined UUIDs of its own, as
featureSchemaId and as schemaNodeId, and the server puts its ids in their place. So do we, with the
same UUIDs each time. `client.create_ontology` sends a dictionary as it is; the SDK's
`OntologyBuilder.from_dict` drops the constraints, since it makes each tool a plain `Tool`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias
from uuid import uuid5

from labelconv import codes
from labelconv.identity import NAMESPACE
from labelconv.model import Sample
from labelconv.problems import Report

#: Names of the features that are joined, source first.
Pair: TypeAlias = tuple[str, str]

#: So many pairs are named in a sentence.
_NAMED = 5


def add_pairs(sample: Sample, joined: dict[str, dict[Pair, None]]) -> None:
    """Add the pairs that the relations of a sample join, by relation, in order of appearance.

    A relation without a direction joins both ways.
    """
    if not sample.relations:
        return
    categories = {annotation.id: annotation.category for annotation in sample.annotations}
    for relation in sample.relations:
        pairs = joined.setdefault(relation.category, {})
        source, target = categories[relation.source], categories[relation.target]
        pairs[source, target] = None
        if not relation.directed:
            pairs[target, source] = None


def constraining(pairs: Iterable[Pair]) -> dict[str, Any]:
    """What an edge tool has beside other tools, so that it joins these features alone."""
    listed = [[_id("featureSchema", name) for name in pair] for pair in pairs]
    return {"definition": {"constraints": listed}}


def give_ids(tools: list[dict[str, Any]]) -> None:
    """Give the tools that constraints name the ids that these use."""
    named = {id for tool in tools for pair in _listed(tool) for id in pair}
    for tool in tools:
        id = _id("featureSchema", tool["name"])
        if id in named:
            tool |= {"featureSchemaId": id, "schemaNodeId": _id("schemaNode", tool["name"])}


def unconstrained(ontology: Mapping[str, Any], report: Report) -> dict[str, Any]:
    """An ontology made here without constraints and the ids for them; what they are is noted."""
    for name, (_, pairs) in pairs_of(ontology).items():
        listed = ", ".join(f"{source!r} to {target!r}" for source, target in pairs[:_NAMED])
        more = f" and {len(pairs) - _NAMED} more pairs" if len(pairs) > _NAMED else ""
        report.add(codes.EDGE_UNCONSTRAINED, name=name, pairs=f"{listed}{more}")
    without = {"featureSchemaId": None, "schemaNodeId": None}
    tools = [
        {key: value for key, value in tool.items() if key != "definition"} | without
        for tool in ontology["tools"]
    ]
    return {**ontology, "tools": tools}


def pairs_of(ontology: Mapping[str, Any]) -> dict[str, tuple[int, list[Pair]]]:
    """The place of each edge tool among the tools, and the names that its constraints list.

    Ids without a tool stand for themselves.
    """
    tools = ontology.get("tools") or []
    names = {tool.get("featureSchemaId"): tool["name"] for tool in tools}
    return {
        tool["name"]: (place, [(names.get(one, one), names.get(two, two)) for one, two in listed])
        for place, tool in enumerate(tools)
        if tool["tool"] == "edge" and not tool.get("archived") and (listed := _listed(tool))
    }


def missing_pairs(wanted: list[Pair], given: list[Pair]) -> dict[int, Pair]:
    """The wanted pairs that are not given, by their place among the wanted."""
    there = set(given)
    return {place: pair for place, pair in enumerate(wanted) if pair not in there}


def _listed(tool: Mapping[str, Any]) -> list[list[str]]:
    return (tool.get("definition") or {}).get("constraints") or []


def _id(kind: str, name: str) -> str:
    """A UUID that stands for the id that the server will give to the tool of this name."""
    return str(uuid5(NAMESPACE, f"{kind}\0{name}"))
