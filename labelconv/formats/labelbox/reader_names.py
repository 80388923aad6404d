"""What the names and schemaIds of lines mean: from the project's ontology where it is given."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import UNSET, UnsetType

from labelconv import codes
from labelconv.formats.labelbox import ontology as wire
from labelconv.io import Source
from labelconv.model import Category, Ontology, Option, Question
from labelconv.problems import Report, Where

#: So many ids are named in the note about those that could not be resolved.
_NAMED = 5


class Features:
    """Names of features, questions and options; ids without a name stand for themselves."""

    def __init__(self, ontology: wire.Ontology | None) -> None:
        self._ids: dict[str, str] = {}
        self._kinds: dict[str, set[str]] = {}
        self._unresolved: dict[str, None] = {}
        if ontology is not None:
            self._ids.update((id, tool.name) for id, tool in ontology.tools_by_id.items())
            for question in _all_questions(ontology):
                self._kinds.setdefault(question.name, set()).add(question.kind)
                if question.id:
                    self._ids[question.id] = question.name
                self._ids.update((o.id, o.label) for o in question.options.values() if o.id)

    def name(self, name: str | UnsetType, schema_id: str | UnsetType) -> str:
        """The name, or what the ontology calls the id, or the id itself."""
        if name is not UNSET:
            return name
        if schema_id is UNSET:
            return ""
        found = self._ids.get(schema_id)
        if found is None:
            self._unresolved[schema_id] = None
            return schema_id
        return found

    def kind(self, question: str) -> str | None:
        """`radio`, `checklist`, `text` … where the ontology is given and all of that name agree."""
        kinds = self._kinds.get(question, ())
        return next(iter(kinds)) if len(kinds) == 1 else None

    def tell(self, report: Report, path: str) -> None:
        """Note the ids that stand for themselves."""
        if self._unresolved:
            listed = ", ".join(list(self._unresolved)[:_NAMED])
            more = len(self._unresolved) - _NAMED
            ids = f"{listed} and {more} more" if more > 0 else listed
            report.add(
                codes.NAME_UNRESOLVED, Where(path=path), count=len(self._unresolved), ids=ids
            )


def read_given(path: str | None) -> wire.Ontology | None:
    """The ontology in the file of the option, if there is one. Raises `SourceError`."""
    if path is None:
        return None
    with Source(path).open() as file:
        return wire.read_ontology(file.read(), path)


def as_model(ontology: wire.Ontology) -> Ontology:
    """A Labelbox ontology as the model has it: tools for objects are categories."""
    return Ontology(
        categories=tuple(
            Category(name=tool.name, source_id=tool.id, questions=_questions(tool.questions))
            for tool in ontology.tools.values()
            if tool.kind != "edge"
        ),
        questions=_questions(ontology.questions),
    )


def joined(given: Ontology, used: Ontology) -> Ontology:
    """The given ontology with what is used beyond it."""
    categories = {category.name for category in given.categories}
    questions = {question.name for question in given.questions}
    return Ontology(
        categories=given.categories
        + tuple(each for each in used.categories if each.name not in categories),
        questions=given.questions
        + tuple(each for each in used.questions if each.name not in questions),
    )


_KINDS = ("radio", "checklist", "text")


def _questions(questions: wire.Questions) -> tuple[Question, ...]:
    return tuple(
        Question(
            name=question.name,
            kind=question.kind,
            options=tuple(
                Option(name=option.label, questions=_questions(option.questions))
                for option in question.options.values()
            )
            if question.kind != "text"
            else (),
            per_frame=question.scope == "index",
        )
        for question in _once(questions)
        if question.kind in _KINDS
    )


def _once(questions: wire.Questions) -> Iterator[wire.Question]:
    """Each question once; those with a name and an instruction are listed under both."""
    return iter({id(question): question for question in questions.values()}.values())


def _all_questions(ontology: wire.Ontology) -> Iterator[wire.Question]:
    tools = [tool for alike in ontology.alike.values() for tool in alike]
    waiting = [ontology.questions, *(tool.questions for tool in tools)]
    while waiting:
        for question in _once(waiting.pop()):
            yield question
            waiting.extend(option.questions for option in question.options.values())
