"""Does a line fit the project's ontology: features, kinds, options, nesting and scope.

Yields findings as `check_values` does. The server matches names exactly (labels of options, never
their values); a nested question is only accepted where the ontology has it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeAlias

from msgspec import UNSET, UnsetType

from labelconv.codes import (
    FEATURE_UNKNOWN,
    KIND_WRONG,
    NESTING_WRONG,
    OPTION_BY_VALUE,
    OPTION_UNKNOWN,
    SCOPE_WRONG,
)
from labelconv.formats.labelbox import ontology as known
from labelconv.formats.labelbox.check_values import Finding
from labelconv.formats.labelbox.ontology import Ontology, Question, Questions
from labelconv.formats.labelbox.wire import (
    Line,
    MaskInstance,
    Nested,
    Option,
    Relationship,
    payload,
)

#: Payload → the kinds of tool that take it (and how messages call it).
TOOLS: dict[str, tuple[str, tuple[str, ...]]] = {
    "bbox": ("box", ("rectangle",)),
    "polygon": ("polygon", ("polygon",)),
    "line": ("line", ("line",)),
    "point": ("point", ("point",)),
    "mask": ("mask", ("raster-segmentation", "superpixel")),
    "location": ("text entity", ("named-entity",)),
    "text_selections": ("text entity", ("named-entity",)),
    "relationship": ("relation", ("edge",)),
}

Feature: TypeAlias = Line | Nested | Option | MaskInstance

_ARCHIVED = "; it is archived in the project"


def ontology_findings(line: Line, ontology: Ontology) -> Iterator[Finding]:
    """What of a line that `wire` accepts does not fit the ontology."""
    kind = payload(line)
    if kind in ("answer", "answers"):
        yield from _question_line(line, ontology)
        return
    if line.masks is not UNSET:
        for i, instance in enumerate(line.masks.instances):
            yield from _tool(f"/masks/instances/{i}", instance, "mask", TOOLS["mask"][1], ontology)
        return
    kinds: tuple[str, ...] = ()
    for found, wanted in _wanted(line, kind):
        yield from _tool("", line, found, wanted, ontology)
        kinds += wanted
    tool = known.find_tool(ontology, *_names(line), kinds)
    if tool is None:
        return
    if line.classifications is not UNSET:
        yield from _nested("", line.classifications, tool.questions, tool.name, ontology)
    for i, segment in enumerate(() if line.segments is UNSET else line.segments):
        for j, keyframe in enumerate(segment.keyframes):
            if keyframe.classifications is not UNSET:
                at = f"/segments/{i}/keyframes/{j}"
                yield from _nested(
                    at, keyframe.classifications, tool.questions, tool.name, ontology
                )
    if line.relationship is not UNSET:
        yield from _relation_source(line.relationship, ontology)


def _relation_source(relation: Relationship, ontology: Ontology) -> Iterator[Finding]:
    """A relation may start at the answer to a question about the whole data row."""
    name, at = relation.source_ontology_name, "/relationship/sourceOntologyName"
    if name is UNSET:
        return
    question = ontology.questions.get(name)
    if question is not None:
        yield from _scope(at, question, "global")
    elif name in ontology.tools:
        yield _wrong_kind(at, name, f"{ontology.tools[name].kind} tool", "question")
    else:
        yield _unknown(at, name, known.hint(name, ontology.questions))


def plain_fits(name: str, ontology: Ontology) -> bool:
    """Whether a line with nothing but this name and a box fits: the quick case of the above."""
    return any(tool.kind == "rectangle" for tool in ontology.alike.get(name, ()))


def _wanted(line: Line, kind: str) -> list[tuple[str, tuple[str, ...]]]:
    """What the payload is called, and the kinds of tool that take it; a track may mix them."""
    if line.message_evaluation_task is not UNSET:
        form = line.message_evaluation_task.__struct_config__.tag
        return [(str(form), (str(form),))]
    if line.segments is UNSET:
        return [TOOLS[kind]]
    shapes = {
        name
        for segment in line.segments
        for keyframe in segment.keyframes
        for name in ("bbox", "point", "line")
        if getattr(keyframe, name) is not UNSET
    }
    return [TOOLS[shape] for shape in sorted(shapes)]


def _names(feature: Feature) -> tuple[str | None, str | None]:
    name, schema_id = feature.name, feature.schema_id
    return (None if name is UNSET else name), (None if schema_id is UNSET else schema_id)


def _place(at: str, feature: Feature) -> str:
    return f"{at}/name" if feature.name is not UNSET else f"{at}/schemaId"


def _label(feature: Feature) -> str:
    name, schema_id = _names(feature)
    return name or schema_id or ""


def _unknown(at: str, name: str, hint: str) -> Finding:
    return FEATURE_UNKNOWN, at, {"name": name, "hint": hint}


def _wrong_kind(at: str, name: str, expected: str, found: str) -> Finding:
    return KIND_WRONG, at, {"name": name, "expected": expected, "found": found}


def _missing(at: str, feature: Feature, names: Sequence[str], ontology: Ontology) -> Finding:
    """An unknown feature: a wrong name, a wrong id, or a name and an id that differ."""
    name, schema_id = _names(feature)
    if schema_id is None:
        hint = _ARCHIVED if name in ontology.archived else known.hint(name or "", names)
        return _unknown(f"{at}/name", name or "", hint)
    hint = _ARCHIVED if schema_id in ontology.archived else _id_hint(schema_id, ontology)
    if name is not None and name in names:
        hint = f"; it is not the schemaId of {name!r}"
    return _unknown(f"{at}/schemaId", schema_id, hint)


def _id_hint(schema_id: str, ontology: Ontology) -> str:
    """What an unknown schemaId may be instead."""
    if schema_id in ontology.nodes:
        name, right = ontology.nodes[schema_id]
        return f"; it is the schemaNodeId of {name!r}, whose featureSchemaId is {right!r}"
    return "" if ontology.has_ids else "; this ontology has no ids, take it from the server"


def _tool(
    at: str, feature: Feature, found: str, wanted: tuple[str, ...], ontology: Ontology
) -> Iterator[Finding]:
    name, schema_id = _names(feature)
    tool = known.find_tool(ontology, name, schema_id, wanted)
    if tool is not None:
        if tool.kind not in wanted:
            yield _wrong_kind(_place(at, feature), tool.name, f"{tool.kind} tool", found)
        return
    question = known.find_question(ontology.questions, name, schema_id)
    if question is not None:
        yield _wrong_kind(_place(at, feature), question.name, f"{question.kind} question", found)
    else:
        yield _missing(at, feature, list(ontology.tools), ontology)


def _question_line(line: Line, ontology: Ontology) -> Iterator[Finding]:
    name, schema_id = _names(line)
    question = known.find_question(ontology.questions, name, schema_id)
    if question is None:
        tool = known.find_tool(ontology, name, schema_id)
        if tool is not None:
            yield _wrong_kind(_place("", line), tool.name, f"{tool.kind} tool", "answer")
        else:
            yield _misplaced("", line, "dataRow", ontology.questions, ontology)
        return
    indexed = line.frames is not UNSET or line.message_id is not UNSET or _timed(line)
    yield from _scope(_place("", line), question, "index" if indexed else "global")
    yield from _answer("", line, question, ontology, nested=False)


def _scope(at: str, question: Question, used: str) -> Iterator[Finding]:
    if question.scope is not None and question.scope != used:
        yield SCOPE_WRONG, at, {"name": question.name, "expected": question.scope, "found": used}


def _timed(given: Line | Nested) -> bool:
    answer = given.answer if given.answer is not UNSET else given.answers
    options = (answer,) if isinstance(answer, Option) else answer
    return isinstance(options, tuple) and all(o.frames is not UNSET for o in options)


def _answer(
    at: str, given: Line | Nested, question: Question, ontology: Ontology, *, nested: bool
) -> Iterator[Finding]:
    """The answer's kind, its options, and what is asked below them."""
    answer = given.answer if given.answer is not UNSET else given.answers
    kinds, found = _kinds(answer, timed=_timed(given), nested=nested)
    if question.kind not in kinds:
        yield _wrong_kind(_place(at, given), question.name, f"{question.kind} question", found)
        return
    key = "answer" if given.answer is not UNSET else "answers"
    options = (answer,) if isinstance(answer, Option) else answer
    below: dict[str, Question] = {}
    for i, option in enumerate(options if isinstance(options, tuple) else ()):
        here = f"{at}/{key}" if isinstance(answer, Option) else f"{at}/{key}/{i}"
        if option.value is not UNSET:
            questions: Questions = _text_questions(question)
            parent = question.name
        else:
            chosen = known.find_option(question, *_names(option))
            if chosen is None:
                yield _unknown_option(here, option, question, ontology)
                continue
            questions, parent = chosen.questions, chosen.label
        below.update(questions)
        if option.classifications is not UNSET:
            yield from _nested(here, option.classifications, questions, parent, ontology)
    if given.classifications is not UNSET:
        # Beside the answer: 2023 samples for options, today's place for a plain text (SDK 7.5.0).
        questions = _text_questions(question) if isinstance(answer, str) else below
        yield from _nested(at, given.classifications, questions, question.name, ontology)


def _text_questions(question: Question) -> Questions:
    """Questions below a text stand in the only option of its question, if it has one."""
    return {k: v for option in question.options.values() for k, v in option.questions.items()}


def _kinds(
    answer: str | Option | tuple[Option, ...] | UnsetType, *, timed: bool, nested: bool
) -> tuple[tuple[str, ...], str]:
    """The kinds of question that take an answer of this form, and what to call it."""
    if isinstance(answer, Option):
        # Official notebooks write a nested checklist of one tick as an object.
        return (("radio", "checklist") if nested else ("radio",)), "radio answer"
    if isinstance(answer, tuple) and answer[0].value is UNSET:
        # A radio that changes over time is a list as well; only the ontology tells them apart.
        return (("radio", "checklist") if timed else ("checklist",)), "checklist answer"
    return ("text",), "text"


def _unknown_option(at: str, option: Option, question: Question, ontology: Ontology) -> Finding:
    name = _label(option)
    for other in question.options.values():
        if option.name is not UNSET and other.value == option.name:
            return OPTION_BY_VALUE, f"{at}/name", {"name": name, "label": other.label}
    if name in question.archived:
        hint = _ARCHIVED
    elif option.name is UNSET:
        hint = _id_hint(name, ontology)
    else:
        hint = _owner(name, ontology) or known.hint(name, question.options)
    values: dict[str, object] = {"name": name, "question": question.name, "hint": hint}
    return OPTION_UNKNOWN, _place(at, option), values


def _owner(label: str, ontology: Ontology) -> str:
    """The other question that has this very option, as the end of a sentence."""
    for _, questions in _all_places(ontology):
        for question in questions.values():
            if label in question.options:
                return f"; it is one of {question.name!r}"
    return ""


def _nested(
    at: str,
    classifications: Sequence[Nested],
    questions: Questions,
    parent: str,
    ontology: Ontology,
) -> Iterator[Finding]:
    for i, nested in enumerate(classifications):
        here = f"{at}/classifications/{i}"
        question = known.find_question(questions, *_names(nested))
        if question is not None:
            yield from _answer(here, nested, question, ontology, nested=True)
            continue
        yield _misplaced(here, nested, parent, questions, ontology)


def _misplaced(
    at: str, given: Line | Nested, parent: str, questions: Questions, ontology: Ontology
) -> Finding:
    """A question that is not among those of its place: one of another place, or of none."""
    for place, there in _all_places(ontology):
        if known.find_question(there, *_names(given)):
            values: dict[str, object] = {"name": _label(given), "parent": parent}
            return NESTING_WRONG, _place(at, given), values | {"hint": f"; it belongs {place}"}
    return _missing(at, given, list(questions), ontology)


def _all_places(ontology: Ontology) -> Iterator[tuple[str, Questions]]:
    """Every place of the ontology that has questions, with words for it."""
    yield "at the top, on a line of its own", ontology.questions
    yield from _below(ontology.questions)
    for tool in (tool for alike in ontology.alike.values() for tool in alike):
        yield f"under {tool.name!r}", tool.questions
        yield from _below(tool.questions)


def _below(questions: Questions) -> Iterator[tuple[str, Questions]]:
    for question in questions.values():
        for option in question.options.values():
            if option.questions:
                yield f"under {option.label!r} of {question.name!r}", option.questions
                yield from _below(option.questions)
