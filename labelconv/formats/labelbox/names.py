"""How features, questions and options are named on the wire: by name, or by schema id.

With the project's ontology, what it does not have raises a `Fault` with the code that `check` would
give: both ask `check_ontology`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from json.encoder import encode_basestring_ascii
from typing import Any, TypeAlias

import msgspec
from msgspec import UNSET, Raw, UnsetType

from labelconv import codes
from labelconv.formats.labelbox import records
from labelconv.formats.labelbox.check_ontology import TOOLS, ontology_findings
from labelconv.formats.labelbox.faults import Fault, malformed
from labelconv.formats.labelbox.ontology import (
    SCHEMA_ID_LENGTH,
    Ontology,
    Option,
    Question,
    Questions,
    Tool,
    find_tool,
    joined_hint,
    may_join,
)
from labelconv.model import Checklist, Classification, FreeText, Radio

#: (name, schemaId) as JSON; one of them is UNSET.
Feature: TypeAlias = tuple[Raw | UnsetType, Raw | UnsetType]

_ROW = records.DataRow(global_key="-")
_BOX = records.Box(top=0, left=0, height=1, width=1)
_XY = records.Position(x=0, y=0)
_UUID = "00000000-0000-0000-0000-000000000000"
#: A line of each kind, by which the ontology is asked whether a feature takes it.
_LINES = {
    "bbox": records.Line(data_row=_ROW, bbox=_BOX),
    "polygon": records.Line(data_row=_ROW, polygon=(_XY, _XY, _XY)),
    "line": records.Line(data_row=_ROW, line=(_XY, _XY)),
    "point": records.Line(data_row=_ROW, point=_XY),
    "mask": records.Line(data_row=_ROW, mask=records.Mask(png="-")),
    "location": records.Line(data_row=_ROW, location=records.Location(start=0, end=0)),
    "text_selections": records.Line(
        data_row=_ROW,
        text_selections=(records.TextSelection(group_id="-", token_ids=("-",), page=1),),
    ),
    "relationship": records.Line(
        data_row=_ROW,
        relationship=records.Relationship(source=_UUID, target=_UUID, type="unidirectional"),
    ),
}
_LINE = msgspec.json.Decoder(records.Line)
_NESTED = msgspec.json.Decoder(tuple[records.Nested, ...])
_encode = msgspec.json.Encoder().encode


class Names:
    """Spells names. `ontology` is what they are checked against, `by_id` writes its ids instead."""

    def __init__(self, ontology: Ontology | None = None, *, by_id: bool = False) -> None:
        self._ontology = ontology
        self._by_id = by_id
        #: What was left out since the last look: confidences of answers that are not within 0 and
        #: 1, and checklists without a tick.
        self.unsure = 0
        self.unticked: list[str] = []

    def feature(self, name: str, payload: str) -> Feature:
        """How a line with this payload (`bbox`, `mask` …) names its tool. Raises `Fault`."""
        spelled = ascii_name(name)
        if self._ontology is None:
            return spelled, UNSET
        _check(msgspec.structs.replace(_LINES[payload], name=name), self._ontology)
        tool = self._tool(name, payload)
        return (UNSET, self._id(tool.id, name)) if self._by_id else (spelled, UNSET)

    def nested(
        self, classifications: Sequence[Classification], tool: str, payload: str
    ) -> list[dict[str, Any]]:
        """The answers below an object. Raises `Fault`."""
        plain = Speller(self, None).all(classifications)
        if self._ontology is None:
            return plain
        below = _NESTED.decode(_encode(plain))
        line = msgspec.structs.replace(_LINES[payload], name=tool, classifications=below)
        _check(line, self._ontology)
        return Speller(self, self._tool(tool, payload).questions).all(classifications)

    def answered(self, classification: Classification) -> dict[str, Any] | None:
        """The answer to a question about a whole data row, or about one message of it; None if it
        says nothing. Raises `Fault`."""

        def spell(questions: Questions | None) -> dict[str, Any] | None:
            out = Speller(self, questions).answered(classification)
            if out is not None and classification.message is not None:
                out["messageId"] = ascii_name(classification.message)
            return out

        return self.checked(spell)

    def checked(
        self, spell: Callable[[Questions | None], dict[str, Any] | None]
    ) -> dict[str, Any] | None:
        """What `spell` makes of an answer line: by its names, and with the ontology's questions
        after these were checked. Raises `Fault`."""
        plain = spell(None)
        if self._ontology is None or plain is None:
            return plain
        line = _LINE.decode(_encode({"dataRow": {"globalKey": "-"}, **plain}))
        _check(line, self._ontology)
        return spell(self._ontology.questions)

    def joins(self, relation: str, source: str, target: str, *, directed: bool) -> None:
        """Whether a relation may join these features; raises `Fault` where it may not."""
        known = self._ontology
        if known is not None and not may_join(known, relation, source, target, directed=directed):
            values = {"name": relation, "source": source, "target": target}
            hint = joined_hint(known, relation)
            raise Fault(codes.RELATION_NOT_ALLOWED, "", **values, hint=hint)

    def sure(self, out: dict[str, Any], answer: Radio | FreeText, *, counted: bool) -> None:
        """Put the confidence of an answer; what cannot be written is `counted` once."""
        if answer.confidence is None:
            return
        if 0 <= answer.confidence <= 1:
            out["confidence"] = answer.confidence
        elif counted:
            self.unsure += 1

    def spelled(self, name: str, found: Question | Option | None) -> dict[str, Any]:
        """A question or an option: as the ontology has it where it was `found`."""
        if found is not None and self._by_id:
            return {"schemaId": self._id(found.id, name)}
        if isinstance(found, Question):
            name = found.name  # the text shown, where it differs from the slug
        return {"name": ascii_name(name)}

    def _tool(self, name: str, payload: str) -> Tool:
        """The tool of a line that was checked."""
        assert self._ontology is not None  # for mypy; nothing is checked without one
        tool = find_tool(self._ontology, name, None, TOOLS[payload][1])
        assert tool is not None  # for mypy; `_check` found it
        return tool

    def _id(self, id: str | None, name: str) -> Raw:
        if id is None or len(id) != SCHEMA_ID_LENGTH:  # others stand for ids to come
            hint = " with an id; take the ontology from the server, which gives ids"
            raise Fault(codes.FEATURE_UNKNOWN, "/schemaId", name=name, hint=hint)
        return ascii_text(id)


class Speller:
    """Spells answers, and with `questions` what the ontology calls them (checked before)."""

    def __init__(self, names: Names, questions: Questions | None) -> None:
        self._names = names
        self._questions = questions

    def all(self, classifications: Sequence[Classification]) -> list[dict[str, Any]]:
        """All of them that say anything."""
        return [found for each in classifications if (found := self.answered(each)) is not None]

    def answered(self, classification: Classification) -> dict[str, Any] | None:
        name, answer = classification.name, classification.answer
        question = None if self._questions is None else self._questions[name]
        out = self._names.spelled(name, question)
        if isinstance(answer, Radio):
            out["answer"] = self._option(answer, question)
        elif isinstance(answer, Checklist):
            if not answer.options:
                # Labelbox refuses an empty list; no line says the same.
                self._names.unticked += [name] if self._questions is None else []
                return None
            out["answer"] = [self._option(option, question) for option in answer.options]
        else:
            self._text(out, answer, question)
        return out

    def _text(self, out: dict[str, Any], answer: FreeText, question: Question | None) -> None:
        """Nested answers stand beside a text (SDK 7.5.0), which has no object of its own."""
        out["answer"] = ascii_text(answer.text)
        if answer.classifications:
            speller = Speller(self._names, None if question is None else below_text(question))
            out["classifications"] = speller.all(answer.classifications)
        self._names.sure(out, answer, counted=self._questions is None)

    def _option(self, chosen: Radio, question: Question | None) -> dict[str, Any]:
        option = None if question is None else question.options[chosen.name]
        out = self._names.spelled(chosen.name, option)
        if chosen.classifications:
            speller = Speller(self._names, None if option is None else option.questions)
            out["classifications"] = speller.all(chosen.classifications)
        self._names.sure(out, chosen, counted=self._questions is None)
        return out


def below_text(question: Question) -> Questions:
    """The questions below a text, which stand in the only option of its question."""
    options = question.options.values()
    return {name: found for each in options for name, found in each.questions.items()}


def _check(line: records.Line, ontology: Ontology) -> None:
    found = next(ontology_findings(line, ontology), None)
    if found is not None:
        code, pointer, values = found
        raise Fault(code, pointer, **values)


def ascii_name(text: str) -> Raw:
    """`ascii_text` of a name, which must not be empty."""
    if not text:
        malformed("/name", "a name", "an empty text")
    return ascii_text(text)


def ascii_text(text: str) -> Raw:
    """A JSON string with nothing but ASCII in it. Raises `Fault` for half of a character."""
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError as error:
            half = f"half of a surrogate pair (U+{ord(text[error.start]):04X})"
            malformed("", "text of whole characters", half)
    return Raw(encode_basestring_ascii(text).encode("ascii"))
