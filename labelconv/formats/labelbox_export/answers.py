"""Answers to questions, as v2 spells them (a member for each kind) and as v1 does (`answer`)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from labelconv import codes
from labelconv.formats.labelbox_export.faults import Refused, listed, malformed, record, text
from labelconv.model import Answer, Checklist, Classification, FreeText, Radio

_RADIO = ("radio_answer", "conversational_radio_answer")
_CHECKLIST = ("checklist_answers", "conversational_checklist_answers", "answers")
_TEXT = ("text_answer", "conversational_text_answer")
_ANSWERS = frozenset((*_RADIO, *_CHECKLIST, *_TEXT, "answer"))
_USED = _ANSWERS.union(
    ("feature_id", "featureId", "name", "title", "message_id", "classifications")
)
#: Editors have two levels; what comes after can be sure of a bound.
_DEEPEST = 50
_USED_OPTION = frozenset(
    ("feature_id", "featureId", "name", "title", "classifications", "confidence", "content")
)


class Answers:
    """Makes answers; `note` is told the names of members that have no place in them."""

    def __init__(self, note: Callable[[str], None]) -> None:
        self._note = note

    def all(self, given: Any, at: str) -> tuple[Classification, ...]:
        """The answers in a list that may be missing. Raises `Refused`."""
        if not given:
            return ()
        place = f"{at}/classifications"
        if at.count("/classifications/") > _DEEPEST:
            raise malformed(place, f"questions nested at most {_DEEPEST} deep", "more")
        found = listed(given, place, "a list of classifications")
        return tuple(self.one(each, f"{place}/{n}") for n, each in enumerate(found))

    def one(self, given: Any, at: str) -> Classification:
        """The answer to one question, without ranges of time. Raises `Refused`."""
        question = record(given, at, "a classification")
        name = named(question, at)
        for member in question:
            if member not in _USED:
                self._note(member)
        answer = self._answer(question, at)
        for other in sorted(_ANSWERS.intersection(question))[1:]:
            self._note(other)
        message = question.get("message_id")
        if message is not None:
            message = text(message, f"{at}/message_id", "the id of a message")
        return Classification(name, answer, (), message)

    def _answer(self, given: dict[str, Any], at: str) -> Answer:
        for key in _RADIO:
            if key in given:
                return self._chosen(given[key], f"{at}/{key}", given, at)
        for key in _CHECKLIST:
            if key in given:
                return self._ticked(given[key], f"{at}/{key}", given)
        for key in _TEXT:
            if key in given:
                return self._written(given[key], f"{at}/{key}", given, at)
        answer = given.get("answer")
        if isinstance(answer, str):
            return FreeText(answer, self.all(given.get("classifications"), at))
        if isinstance(answer, list):
            return self._ticked(answer, f"{at}/answer", given)
        if isinstance(answer, dict):
            return self._chosen(answer, f"{at}/answer", given, at)
        raise malformed(at, "a classification with an answer", ", ".join(given) or "nothing")

    def _chosen(self, given: Any, at: str, question: dict[str, Any], above: str) -> Radio:
        """The one option; questions may hang beside it as well as under it (docs of 2023)."""
        made = self._option(given, at)
        beside = self.all(question.get("classifications"), above)
        return Radio(made.name, made.classifications + beside, made.confidence) if beside else made

    def _option(self, given: Any, at: str) -> Radio:
        option = record(given, at, "an option")
        name = named(option, at)
        self._count(option)
        below = self.all(option.get("classifications"), at)
        return Radio(name, below, confidence(option, at))

    def _ticked(self, given: Any, at: str, question: dict[str, Any]) -> Checklist:
        if question.get("classifications"):
            self._note("classifications")  # of which option they are is not said
        found = listed(given, at, "a list of options")
        if not found:
            raise malformed(at, "a list of one option or more", given)
        options = tuple(self._option(each, f"{at}/{n}") for n, each in enumerate(found))
        first: dict[str, int] = {}
        for n, option in enumerate(options):
            if first.setdefault(option.name, n) != n:
                values = {"name": option.name, "first": f"{at}/{first[option.name]}"}
                raise Refused(codes.OPTION_REPEATED, f"{at}/{n}", **values)
        return Checklist(options)

    def _written(self, given: Any, at: str, question: dict[str, Any], above: str) -> FreeText:
        if isinstance(given, str):
            return FreeText(given, self.all(question.get("classifications"), above))
        written = record(given, at, "a text with content")
        content = written.get("content")
        if not isinstance(content, str):
            raise malformed(f"{at}/content", "a text", content)
        self._count(written)
        below = self.all(written.get("classifications"), at)
        below += self.all(question.get("classifications"), above)
        return FreeText(content, below, confidence(written, at))

    def _count(self, option: dict[str, Any]) -> None:
        for member in option:
            if member not in _USED_OPTION:
                self._note(member)


def named(given: dict[str, Any], at: str) -> str:
    """The name as people see it: `name`, or v1's `title`. Raises `Refused`."""
    key = "title" if "title" in given and "name" not in given else "name"
    return text(given.get(key), f"{at}/{key}", "a name")


def confidence(given: dict[str, Any], at: str) -> float | None:
    """The confidence of a prediction, 0 to 1. Raises `Refused`."""
    found = given.get("confidence")
    if found is None:
        return None
    if isinstance(found, bool) or not isinstance(found, (int, float)) or not 0 <= found <= 1:
        raise malformed(f"{at}/confidence", "a confidence from 0 to 1", found)
    return float(found)
