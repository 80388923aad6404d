"""One line's record as what the model has for it: an annotation, an answer or a relation."""

from __future__ import annotations

from itertools import chain
from pathlib import Path
from typing import NoReturn

import msgspec
from msgspec import UNSET

from labelconv import codes, geometry
from labelconv.formats.labelbox.faults import Fault, malformed
from labelconv.formats.labelbox.reader_lenient import ELSEWHERE
from labelconv.formats.labelbox.reader_masks import Pictures
from labelconv.formats.labelbox.reader_names import Features
from labelconv.formats.labelbox.records import Box as WireBox
from labelconv.formats.labelbox.records import Line, Nested, Position
from labelconv.formats.labelbox.records import Option as WireOption
from labelconv.formats.labelbox.wire import payload
from labelconv.model import (
    Annotation,
    Answer,
    Box,
    Checklist,
    Classification,
    FreeText,
    Point,
    Polygon,
    Polyline,
    Radio,
    Relation,
    Value,
)
from labelconv.problems import Report, Where

#: The fields of lines that are about other media, as the wire spells them.
_ELSEWHERE = {
    "segments": "segments",
    "masks": "masks",
    "frames": "frames",
    "location": "location",
    "text_selections": "textSelections",
    "page": "page",
    "message_id": "messageId",
    "message_evaluation_task": "messageEvaluationTask",
}


class Lines:
    """Makes values of the model from lines; what it says goes into `report`."""

    def __init__(
        self, features: Features, pictures: Pictures, report: Report, *, tiled: bool = False
    ) -> None:
        self.features = features
        self._pictures = pictures
        self._report = report
        self._tiled = tiled

    def made(
        self, line: Line, id: str, where: Where, beside: Path | None
    ) -> Annotation | Classification | Relation:
        """What a line says. `id` is the annotation's or the relation's. Raises `Fault`.

        A relation's ends are uuids in any spelling. `beside` is the folder of the file.
        """
        name = self.features.name(line.name, line.schema_id)
        self.count(line)
        if line.answer is not UNSET or line.answers is not UNSET:
            _only_pictures(line)
            return self.classification(line, "")
        if line.relationship is not UNSET:
            if line.relationship.readonly is not UNSET:
                self._report.field("labelbox:readonly")
            return self.relation(line, name, id)
        value = self._value(line, where, beside)
        classifications: tuple[Classification, ...] = ()
        if line.classifications is not UNSET:
            classifications = self.nested(line.classifications, "")
        confidence = None if line.confidence is UNSET else line.confidence
        return Annotation(id, name, value, classifications, confidence)

    def count(self, line: Line | Nested | WireOption) -> None:
        """Fields that a line may have and the model has no place for."""
        if line.custom_metrics is not UNSET:
            self._report.field("labelbox:customMetrics")
        if isinstance(line, Line):
            if line.group_key is not UNSET:
                self._report.field("labelbox:groupKey")
            if line.is_benchmark_reference_label is not UNSET:
                self._report.field("labelbox:isBenchmarkReferenceLabel")

    # ------------------------------------------------------------------ shapes

    def _value(self, line: Line, where: Where, beside: Path | None) -> Value:
        if line.polygon is not UNSET:
            return self._polygon(line.polygon, where)
        if line.bbox is not UNSET:
            _only_pictures(line)
            return self.box(line.bbox, where)
        if line.line is not UNSET:
            return Polyline(coordinates(line.line))
        if line.point is not UNSET:
            return Point(line.point.x, line.point.y)
        if line.mask is UNSET:
            _only_pictures(line)
            malformed("", "a payload of pictures", payload(line))
        return self._pictures.mask(line.mask, beside)

    def box(self, box: WireBox, where: Where) -> Box:
        """A box by its edges."""
        top, left, height, width = box.top, box.left, box.height, box.width
        if height < 0 and self._tiled:
            # Notebooks for maps give the north edge as top; the rectangle is the same.
            top, height = top + height, -height
        elif height < 0:
            place = msgspec.structs.replace(where, pointer="/bbox/height")
            found = f"a height of {height:g}"
            self._report.add(codes.SPELLING_MENDED, place, found=found, result="the box above")
            top, height = top + height, -height
        return Box(left, top, left + width, top + height)

    def _polygon(self, positions: tuple[Position, ...], where: Where) -> Polygon:
        ring = geometry.opened(coordinates(positions))
        if len(ring) < 6:
            found = "a polygon of two points, the first of them twice"
            raise Fault(codes.SHAPE_INVALID, "/polygon", found=found)
        if not geometry.has_three_points(ring):
            place = msgspec.structs.replace(where, pointer="/polygon")
            self._report.add(codes.AREA_ZERO, place, kind="polygon")
        return Polygon(((ring,),))

    # ------------------------------------------------------------------ relations

    def relation(self, line: Line, name: str, id: str) -> Relation:
        """A relation between two lines; its ends are uuids in any spelling. Raises `Fault`."""
        assert line.relationship is not UNSET
        ends = line.relationship
        if ends.source is UNSET:
            at = "/relationship/sourceOntologyName"
            found = "sourceOntologyName"
            raise Fault(codes.PAYLOAD_NOT_READ, at, found=found, media="documents")
        return Relation(id, name, ends.source, ends.target, ends.type == "unidirectional")

    # ------------------------------------------------------------------ answers

    def nested(self, given: tuple[Nested, ...], at: str) -> tuple[Classification, ...]:
        """Answers to questions below an object, an option or a text. Raises `Fault`."""
        return tuple(
            self.classification(nested, f"{at}/classifications/{i}")
            for i, nested in enumerate(given)
        )

    def classification(self, given: Line | Nested, at: str) -> Classification:
        """The answer to one question, without ranges of time. Raises `Fault`."""
        name = self.features.name(given.name, given.schema_id)
        if isinstance(given, Nested):
            self.count(given)
        return Classification(name, self.answer(given, name, at))

    def answer(self, given: Line | Nested, question: str, at: str) -> Answer:
        """What was answered to a question, without ranges of time. Raises `Fault`."""
        answer = given.answer if given.answer is not UNSET else given.answers
        key = "answer" if given.answer is not UNSET else "answers"
        beside: tuple[Classification, ...] = ()
        if given.classifications is not UNSET:
            beside = self.nested(given.classifications, at)
        kind = self.features.kind(question)
        if isinstance(answer, str):
            confidence = None if given.confidence is UNSET else given.confidence
            if kind in ("radio", "checklist"):
                # Hand-made files name the option alone; the ontology says that it is one.
                chosen = Radio(answer, beside, confidence)
                return chosen if kind == "radio" else Checklist((chosen,))
            return FreeText(answer, beside, confidence)
        if isinstance(answer, WireOption):
            chosen = self.option(answer, f"{at}/{key}", beside)
            # Notebooks write a nested checklist of one tick as an object.
            return Checklist((chosen,)) if kind == "checklist" else chosen
        assert answer is not UNSET
        if beside and len(answer) != 1:
            malformed(
                f"{at}/classifications",
                "nested classifications inside the option they belong to",
                f"them beside {len(answer)} options",
            )
        options = tuple(
            self.option(option, f"{at}/{key}/{i}", beside) for i, option in enumerate(answer)
        )
        if kind == "radio" and len(options) == 1:
            return options[0]
        names = [option.name for option in options]
        for i, name in enumerate(names):
            if name in names[:i]:
                first = f"{at}/{key}/{names.index(name)}"
                raise Fault(codes.OPTION_REPEATED, f"{at}/{key}/{i}", name=name, first=first)
        return Checklist(options)

    def option(self, given: WireOption, at: str, beside: tuple[Classification, ...]) -> Radio:
        """An option with what is asked below it, which 2023 samples have `beside` the answer."""
        if given.value is not UNSET or given.frames is not UNSET:
            _timed(f"{at}/frames" if given.frames is not UNSET else f"{at}/value")
        return self.chosen(given, at, beside)

    def chosen(self, given: WireOption, at: str, beside: tuple[Classification, ...]) -> Radio:
        """`option`, whether or not it has ranges of time."""
        self.count(given)
        below = beside
        if given.classifications is not UNSET:
            below = self.nested(given.classifications, at) + beside
        confidence = None if given.confidence is UNSET else given.confidence
        return Radio(self.features.name(given.name, given.schema_id), below, confidence)


def _timed(pointer: str) -> NoReturn:
    found = "an answer with ranges of time"
    raise Fault(codes.PAYLOAD_NOT_READ, pointer, found=found, media=ELSEWHERE["frames"])


def _only_pictures(line: Line) -> None:
    """Raise `Fault` for a line about other media."""
    for field, name in _ELSEWHERE.items():
        if getattr(line, field) is not UNSET:
            raise Fault(codes.PAYLOAD_NOT_READ, f"/{name}", found=name, media=ELSEWHERE[name])


def coordinates(positions: tuple[Position, ...]) -> tuple[float, ...]:
    """Positions interleaved."""
    return tuple(chain.from_iterable(map(msgspec.structs.astuple, positions)))
