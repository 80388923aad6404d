"""A normalized Labelbox ontology (`project.ontology().normalized`) in a form for fast look-ups.

Read from bytes with `read_ontology`. Names are exact and case-sensitive. A question is found by its
`instructions` and by its `name` (they may differ; lines use the instructions); an option by its
label, never by its value. `featureSchemaId`s exist only in ontologies fetched from a server. What
the server marks as `archived` cannot be imported: it is known by name alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias, TypeVar

import msgspec

from labelconv import schema
from labelconv.errors import SourceError
from labelconv.io import UTF8_MARK

Found = TypeVar("Found")

#: Characters of a featureSchemaId (SDK 7.17.0, `Cuid`). Others in an ontology that is not made yet
#: stand for those that the server will give (docs/decisions/0014).
SCHEMA_ID_LENGTH = 25


class Option(msgspec.Struct, frozen=True):
    """An option: `label` is what answers name, `value` a slug that they must not use."""

    label: str
    value: str | None
    id: str | None
    questions: Questions


class Question(msgspec.Struct, frozen=True):
    """A question. `kind` is `radio`, `checklist`, `text` or one that cannot be imported.

    `scope` is `global` or `index` (answers per frame, time or message), None for nested ones.
    `archived` has the labels and ids of options that are archived.
    """

    name: str
    kind: str
    id: str | None
    scope: str | None
    options: Mapping[str, Option]
    archived: frozenset[str] = frozenset()

    @property
    def options_by_id(self) -> dict[str, Option]:
        return {option.id: option for option in self.options.values() if option.id}


#: The questions of one place by each text they go by: instructions and name, as far as they differ.
Questions: TypeAlias = Mapping[str, Question]


class Tool(msgspec.Struct, frozen=True):
    """A tool for objects. `kind` is `rectangle`, `polygon`, `named-entity`, `edge` …

    `constraints` are the pairs of featureSchemaIds that an edge may join, source first; empty if it
    may join any.
    """

    name: str
    kind: str
    id: str | None
    questions: Questions
    constraints: frozenset[tuple[str, str]]


class Ontology(msgspec.Struct, frozen=True):
    """All tools and top-level questions, by name and by featureSchemaId.

    `tools` has the first of each name and `alike` all of them: the SDK makes no two tools of one
    name, but nothing keeps a project from having a box and a polygon of one name. `nodes` has the
    name and the featureSchemaId of whatever has a schemaNodeId, which lines must not use;
    `archived` the names and ids of tools and questions that are archived.
    """

    tools: Mapping[str, Tool]
    questions: Questions
    tools_by_id: Mapping[str, Tool]
    questions_by_id: Mapping[str, Question]
    alike: Mapping[str, tuple[Tool, ...]]
    nodes: Mapping[str, tuple[str, str]]
    archived: frozenset[str] = frozenset()

    @property
    def has_ids(self) -> bool:
        return bool(self.tools_by_id or self.questions_by_id)


def read_ontology(data: bytes, path: str = "the ontology") -> Ontology:
    """The ontology in `data` (JSON); raises `SourceError` with a sentence if it is not one.

    `path` names the source in that sentence. Unknown keys are ignored.
    """
    data = data.removeprefix(UTF8_MARK)
    try:
        try:
            wire = _DECODER.decode(data)
        except msgspec.ValidationError as error:
            found = schema.errors("labelbox-ontology", msgspec.json.decode(data))
            sentence = str(found[0]) if found else str(error)
            message = f"{path} is not a normalized Labelbox ontology: {sentence}"
            raise SourceError(message) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise SourceError(f"{path} is not JSON: {error}") from error
    if wire.tools is None and wire.classifications is None:
        raise SourceError(f"{path} has neither tools nor classifications")
    tools = [_tool(tool) for tool in _active(wire.tools)]
    alike: dict[str, tuple[Tool, ...]] = {}
    for tool in tools:
        others = alike.get(tool.name, ())
        if any(other.kind == tool.kind for other in others):
            raise SourceError(f"{path} has two {tool.kind} tools named {tool.name!r}")
        alike[tool.name] = (*others, tool)
    questions = _questions(wire.classifications)
    return Ontology(
        tools={name: each[0] for name, each in alike.items()},
        questions=questions,
        tools_by_id={tool.id: tool for tool in tools if tool.id},
        questions_by_id=by_id(questions),
        alike=alike,
        nodes=dict(_nodes(wire)),
        archived=frozenset(_archived(f for f in _features(wire) if not isinstance(f, _Option))),
    )


def by_id(questions: Questions) -> dict[str, Question]:
    """The questions of one place by featureSchemaId."""
    return {question.id: question for question in questions.values() if question.id}


def find_tool(
    ontology: Ontology, name: str | None, schema_id: str | None, kinds: Sequence[str] = ()
) -> Tool | None:
    """The tool of a line; with both, the one that both mean, else None.

    Of several tools of the name, the first that is of one of the `kinds`, else the first.
    """
    if schema_id is not None:
        found = ontology.tools_by_id.get(schema_id)
        return found if found is None or name in (None, found.name) else None
    alike = ontology.alike.get(name or "", ())
    return next((tool for tool in alike if tool.kind in kinds), alike[0] if alike else None)


def may_join(
    ontology: Ontology, relation: str, source: str, target: str, *, directed: bool
) -> bool:
    """Whether the constraints of a relation's tool list these features; all by name.

    Features that the ontology does not have join anything: they are reported by themselves.
    """
    edge = find_tool(ontology, relation, None, ("edge",))
    sources, targets = (
        {tool.id for tool in ontology.alike.get(name, ())} for name in (source, target)
    )
    if edge is None or not edge.constraints or not sources or not targets:
        return True
    return any(
        (one in sources and two in targets) or (not directed and one in targets and two in sources)
        for one, two in edge.constraints
    )


def find_question(questions: Questions, name: str | None, schema_id: str | None) -> Question | None:
    """The question of an answer among `questions`; with both, the one that both mean."""
    return _both(questions, by_id(questions) if schema_id else {}, name, schema_id)


def find_option(question: Question, name: str | None, schema_id: str | None) -> Option | None:
    """The option of an answer; with both, the one that both mean."""
    ids = question.options_by_id if schema_id else {}
    return _both(question.options, ids, name, schema_id)


def joined_hint(ontology: Ontology, relation: str) -> str:
    """The end of a sentence: which features the constraints of a relation's tool list."""
    edge = find_tool(ontology, relation, None, ("edge",))
    names = {id: tool.name for id, tool in ontology.tools_by_id.items()}
    listed = sorted(
        f"{names[one]!r} to {names[two]!r}"
        for one, two in (edge.constraints if edge else ())
        if one in names and two in names
    )
    more = "" if len(listed) <= 5 else f" and {len(listed) - 5} more pairs"
    return f"; it joins {', '.join(listed[:5])}{more}" if listed else ""


def feature_id(ontology: Ontology, name: str) -> str | None:
    """The featureSchemaId of the tool `name`, None if there is none."""
    tool = ontology.tools.get(name)
    return tool.id if tool else None


def question_id(questions: Questions, name: str) -> str | None:
    """The featureSchemaId of a question: of `ontology.questions`, or of a tool's or an option's."""
    question = questions.get(name)
    return question.id if question else None


def option_id(question: Question, label: str) -> str | None:
    """The featureSchemaId of the option with this label, None if there is none."""
    option = question.options.get(label)
    return option.id if option else None


def hint(name: str, known: Iterable[str]) -> str:
    """The end of a sentence about an unknown name: the nearest spelling, or what there is."""
    names = list(known)
    near = schema.nearest(name, names)
    if near is not None:
        return f"; did you mean {near!r}?"
    if not names:
        return ""
    more = "" if len(names) <= 5 else f" and {len(names) - 5} more"
    return f" (it has {', '.join(map(repr, names[:5]))}{more})"


def _both(
    names: Mapping[str, Found], ids: Mapping[str, Found], name: str | None, schema_id: str | None
) -> Found | None:
    if schema_id is None:
        return names.get(name or "")
    found = ids.get(schema_id)
    if name is None or found is None:
        return found
    return found if names.get(name) is found else None


class _Option(msgspec.Struct, rename="camel"):
    label: str | int | float  # the SDK makes options of numbers, too
    value: str | int | float | None = None
    feature_schema_id: str | None = None
    schema_node_id: str | None = None
    options: list[_Question] | None = None
    archived: Any = None  # the server says false or 0


class _Question(msgspec.Struct, rename="camel"):
    type: str
    name: str | None = None
    instructions: str | None = None
    feature_schema_id: str | None = None
    schema_node_id: str | None = None
    scope: str | None = None
    options: list[_Option] | None = None
    archived: Any = None


class _Definition(msgspec.Struct):
    constraints: list[tuple[str, str]] | None = None


class _Tool(msgspec.Struct, rename="camel"):
    tool: str
    name: str
    feature_schema_id: str | None = None
    schema_node_id: str | None = None
    classifications: list[_Question] | None = None
    definition: _Definition | None = None
    archived: Any = None


class _Wire(msgspec.Struct):
    tools: list[_Tool] | None = None
    classifications: list[_Question] | None = None


_DECODER = msgspec.json.Decoder(_Wire)


def _tool(wire: _Tool) -> Tool:
    constraints = wire.definition.constraints if wire.definition else None
    return Tool(
        name=wire.name,
        kind=wire.tool,
        id=wire.feature_schema_id,
        questions=_questions(wire.classifications),
        constraints=frozenset(constraints or ()),
    )


_Feature: TypeAlias = _Tool | _Question | _Option
_AnyFeature = TypeVar("_AnyFeature", _Tool, _Question, _Option)


def _active(features: Iterable[_AnyFeature] | None) -> list[_AnyFeature]:
    """Those that are not archived."""
    return [each for each in features or () if not each.archived]


def _archived(features: Iterable[_Feature]) -> Iterator[str]:
    """The names and ids of those that are archived."""
    for each in features:
        if each.archived:
            yield _name(each)
            if each.feature_schema_id:
                yield each.feature_schema_id


def _features(wire: _Wire) -> Iterator[_Feature]:
    """Every tool, question and option."""
    waiting: list[_Feature] = [*(wire.tools or ()), *(wire.classifications or ())]
    while waiting:
        each = waiting.pop()
        yield each
        below = each.classifications if isinstance(each, _Tool) else each.options
        waiting.extend(below or ())


def _nodes(wire: _Wire) -> Iterator[tuple[str, tuple[str, str]]]:
    """schemaNodeId → (name, featureSchemaId), where something has both."""
    for each in _features(wire):
        if each.schema_node_id and each.feature_schema_id and not each.archived:
            yield each.schema_node_id, (_name(each), each.feature_schema_id)


def _name(wire: _Feature) -> str:
    if isinstance(wire, _Option):
        return str(wire.label)
    return (wire.instructions if isinstance(wire, _Question) else None) or wire.name or ""


def _questions(wires: list[_Question] | None) -> Questions:
    found: dict[str, Question] = {}
    asked = [(_question(wire), wire.name) for wire in _active(wires)]
    found.update((question.name, question) for question, _ in asked)
    # Builders may give a slug as the name; the text shown (instructions) wins where they collide.
    for question, name in asked:
        if name:
            found.setdefault(name, question)
    return found


def _question(wire: _Question) -> Question:
    return Question(
        name=_name(wire),
        kind=_KINDS.get(wire.type, wire.type),
        id=wire.feature_schema_id,
        scope=wire.scope,
        options={option.label: option for option in map(_option, _active(wire.options))},
        archived=frozenset(_archived(wire.options or ())),
    )


def _option(wire: _Option) -> Option:
    value = None if wire.value is None else str(wire.value)
    return Option(str(wire.label), value, wire.feature_schema_id, _questions(wire.options))


#: Kinds of the removed prompt-response projects that take the same answers.
_KINDS = {
    "response-radio": "radio",
    "response-checklist": "checklist",
    "response-text": "text",
    "prompt": "text",
}
