"""One annotation file: its `object` elements as annotations, its other elements as fields.

    annotation
      folder filename path source/{database, annotation} size/{width, height, depth} segmented
      object*: name pose truncated difficult occluded bndbox/{xmin, ymin, xmax, ymax}
               part*/{name, bndbox} actions/{…} point/{x, y} attributes/attribute*/{name, value}
               polygon/{x1, y1, …} robndbox/{cx, cy, w, h, angle} confidence

In any order; nothing but a name and a shape is needed.
"""

from __future__ import annotations

from xml.etree.ElementTree import Element

import msgspec

from labelconv import codes
from labelconv.format import Reading
from labelconv.formats.voc import quick, shapes
from labelconv.formats.voc.elements import as_value, parts_of, text_of
from labelconv.formats.voc.options import VocReaderOptions
from labelconv.formats.voc.places import place_of
from labelconv.model import (
    Annotation,
    Box,
    Checklist,
    Classification,
    Extra,
    FreeText,
    Radio,
    Relation,
    Value,
)
from labelconv.problems import Code, Where
from labelconv.safexml import parse

FLAGS = ("pose", "truncated", "difficult", "occluded")
_FLAG_SET = frozenset(FLAGS)
#: Elements with a meaning of their own; all others are kept as they are, under their names.
_KNOWN = frozenset(
    {"name", "bndbox", "part", "actions", "point", "attributes", "polygon", "robndbox"}
    | {"confidence", "score", "type"}
)
_PART_OF = "part of"
_TRUTH = {"1": "true", "true": "true", "yes": "true", "0": "false", "false": "false", "no": "false"}
#: Differences of a stated box and the outline's own that rounding and counting from 1 explain.
_BOX_TOLERANCE_PX = 2.0


class File(msgspec.Struct):
    """One XML file: its bytes and tree, and its name as messages show it.

    With `quick`, the tree has only what is before the objects.
    """

    name: str
    data: bytes
    root: Element
    quick: quick.Quick | None = None

    def parse_whole(self) -> None:
        if self.quick is not None:
            self.root = parse(self.data)
            self.quick = None

    def count(self) -> int:
        """How many objects there are."""
        found = self.root.findall("object") if self.quick is None else self.quick.objects
        return len(found)

    def where(self, element: Element, pointer: str | None = None) -> Where:
        place = place_of(self.data, self.root, element)
        return Where(self.name, place.line, place.column, pointer)

    def record(self, element: Element) -> bytes:
        """The bytes of an element."""
        return place_of(self.data, self.root, element).record


class Found(msgspec.Struct):
    """What the objects of a file are. `by_number[k]` is where object k (from 1) is among the
    annotations; objects that were rejected are not there."""

    annotations: list[Annotation]
    relations: list[Relation]
    by_number: dict[int, int]


class Objects:
    """Reads the objects of one file after another, with one origin and one set of options.

    `first` is 1 where pixels are counted from 1, else 0. `uncounted` counts boxes that begin
    before pixel 1 nevertheless; `flags` counts those of objects read the short way, by their text.
    """

    def __init__(self, options: VocReaderOptions, reading: Reading, first: int) -> None:
        self._options = options
        self._reading = reading
        self._report = reading.report
        self._first = first
        wanted = reading.wanted.extra
        self._keeps = wanted is None or "voc" in wanted
        #: Whether nothing but names and boxes is asked for.
        self.plain = not self._keeps and options.flags == "extra"
        self.uncounted = 0
        self.uncounted_at: str | None = None
        self.flags: dict[bytes, int] = {}
        self._names = quick.Names()

    def read(self, file: File, key: str, width: float | None, height: float | None) -> Found:
        """The annotations of a file, whose picture is `width` x `height` pixels, if known."""
        account = self._report.ledger.annotations
        if file.quick is not None:
            right, bottom = width or shapes.FAR, height or shapes.FAR
            made = quick.boxes(file.quick, self._names, self._first, right, bottom, self.flags)
            if made is not None:
                account.read += len(made)
                return Found(made, [], {number: number - 1 for number in range(1, len(made) + 1)})
            file.parse_whole()
        found = Found([], [], {})
        number = 0
        for element in file.root:
            if element.tag == "object":
                number += 1
                self._object(element, number, file, key, (width, height), found)
        account.read += number
        return found

    # ------------------------------------------------------------------ the long way

    def _object(
        self,
        element: Element,
        number: int,
        file: File,
        key: str,
        size: tuple[float | None, float | None],
        found: Found,
    ) -> None:
        pointer = f"/annotation/object[{number}]"
        category = text_of(element.find("name"))
        if not category:
            self._reject(file, element, pointer, "an object with a name", "one without")
            return
        value = self._value(element, file, key, pointer, size, str(number))
        if value is None:
            return
        extra = self._extra(element)
        point = element.find("point")
        if point is not None and element.find("bndbox") is not None:
            self._leave(extra, "point", point)
        found.by_number[number] = len(found.annotations)
        found.annotations.append(
            Annotation(
                str(number),
                category,
                value,
                self._answers(element, extra),
                self._confidence(element, extra),
                extra,
            )
        )
        self._parts(element, str(number), pointer, file, key, size, found)

    def _parts(
        self,
        element: Element,
        owner: str,
        pointer: str,
        file: File,
        key: str,
        size: tuple[float | None, float | None],
        found: Found,
    ) -> None:
        """The parts of an object, and theirs, each before what belongs to it."""
        account = self._report.ledger.annotations
        waiting = parts_of(element, owner, pointer)
        while waiting:
            part, id, whole, place = waiting.pop()
            account.read += 1
            below = parts_of(part, id, place)
            if self._options.parts == "skip":
                account.skipped += 1
                waiting += below
                continue
            category = text_of(part.find("name"))
            value = None
            if not category:
                self._reject(file, part, place, "a part with a name", "one without")
            else:
                value = self._value(part, file, key, place, size, id)
            if value is None:
                account.read += len(below)
                for inner, _, _, at in below:
                    self._reject(file, inner, at, "a part of an object", "one of a rejected part")
                continue
            extra = self._extra(part)
            if self._options.parts == "relation":
                self._report.ledger.relations.read += 1
                found.relations.append(Relation(f"{id} of {whole}", _PART_OF, id, whole))
            elif self._keeps:
                extra["voc:part_of"] = whole
            else:
                self._report.field("voc:part_of")
            answers = self._answers(part, extra)
            found.annotations.append(
                Annotation(id, category, value, answers, self._confidence(part, extra), extra)
            )
            waiting += below

    # ------------------------------------------------------------------ shapes

    def _value(
        self,
        element: Element,
        file: File,
        key: str,
        pointer: str,
        size: tuple[float | None, float | None],
        id: str,
    ) -> Value | None:
        """The most exact shape of an object; None where it was rejected."""
        try:
            box = shapes.box(element, self._first)
            value = shapes.outline(element, self._first) or box
        except shapes.ShapeFault as fault:
            self._faulty(fault, element, file, pointer)
            return None
        if value is None:
            self._reject(file, element, pointer, "a bndbox or another shape", "none")
            return None
        if box is not None and (box.swapped or (self._first and min(box.raw[:2]) < 0.5)):
            where = file.where(element, pointer)
            if box.swapped:
                self._report.add(
                    codes.SPELLING_MENDED,
                    where,
                    found=f"corners {box.raw} that are the wrong way round",
                    result=f"a box from ({box.x0:g}, {box.y0:g}) to ({box.x1:g}, {box.y1:g})",
                )
            else:
                self.uncounted += 1
                self.uncounted_at = self.uncounted_at or str(where)
        if isinstance(value, shapes.Corners):
            told = self._tell(value.as_box(), size)
            if told is not None:
                code, values = told
                where = file.where(element, pointer)
                where = msgspec.structs.replace(where, sample=key, annotation=id)
                self._report.add(code, where, **values)
            return value.as_box()
        drift = 0.0 if box is None else shapes.drift(box.as_box(), value)
        if box is not None and drift > _BOX_TOLERANCE_PX:
            self._report.add(
                codes.BOX_MISMATCH,
                file.where(element, pointer),
                declared=list(box.raw),
                computed=shapes.bounds_in_words(value),
                drift=drift,
            )
        return value

    def _faulty(self, fault: shapes.ShapeFault, element: Element, file: File, pointer: str) -> None:
        at = element if fault.element is None else fault.element
        place = pointer if at is element else f"{pointer}/{at.tag}"
        if not fault.not_finite:
            self._reject(file, element, place, fault.expected, fault.found, at)
            return
        self._report.reject(
            codes.NUMBER_NOT_FINITE, file.where(at, place), file.record(element), found=fault.found
        )

    def _tell(
        self, box: Box, size: tuple[float | None, float | None]
    ) -> tuple[Code, dict[str, object]] | None:
        """What is odd about a box that is read as it is."""
        width, height = size
        if box.x0 == box.x1 or box.y0 == box.y1:
            return codes.AREA_ZERO, {"kind": "box"}
        drift = max(
            -box.x0,
            -box.y0,
            box.x1 - width if width else 0.0,
            box.y1 - height if height else 0.0,
        )
        if drift > shapes.BORDER_DUST_PX:
            return codes.OUTSIDE_MEDIA, {"kind": "box", "drift": drift}
        return None

    def _reject(
        self,
        file: File,
        element: Element,
        pointer: str,
        expected: str,
        found: str,
        at: Element | None = None,
    ) -> None:
        where = file.where(element if at is None else at, pointer)
        self._report.reject(
            codes.RECORD_MALFORMED, where, file.record(element), expected=expected, found=found
        )

    # ------------------------------------------------------------------ what is said beside

    def _extra(self, element: Element) -> Extra:
        """Flags and elements that have no meaning here."""
        extra: Extra = {}
        for name in element.attrib:
            self._report.field(f"voc:@{name} (of objects)")
        flagged = self._options.flags == "extra"
        for child in element:
            tag = child.tag
            if (tag in _FLAG_SET and flagged) or (tag not in _KNOWN and tag not in _FLAG_SET):
                self._leave(extra, tag, child)
        return extra

    def _leave(self, extra: Extra, name: str, element: Element) -> None:
        """Keep what has no place in the model beside the annotation, or count it."""
        if not self._keeps:
            self._report.field(f"voc:{name}")
            return
        value = as_value(element)
        if f"voc:{name}" in extra:
            before = extra[f"voc:{name}"]
            value = [*before, value] if isinstance(before, list) else [before, value]
        extra[f"voc:{name}"] = value

    def _confidence(self, element: Element, extra: Extra) -> float | None:
        given, score = element.find("confidence"), element.find("score")
        if given is None:
            given = score
        elif score is not None:
            self._leave(extra, "score", score)
        if given is None:
            return None
        number = shapes.number(text_of(given))
        if number is None or not 0 <= number <= 1:
            self._leave(extra, given.tag, given)
            return None
        return number

    def _answers(self, element: Element, extra: Extra) -> tuple[Classification, ...]:
        """Actions, attributes and (where asked for) flags, in the order of the file."""
        answers: list[Classification] = []
        for child in element:
            if child.tag == "actions":
                self._actions(child, extra, answers)
            elif child.tag == "attributes":
                for attribute in child:
                    answer = self._attribute(attribute)
                    if answer is None:
                        self._leave(extra, "attributes", attribute)
                    else:
                        answers.append(answer)
            elif child.tag in _FLAG_SET and self._options.flags == "classifications":
                text = text_of(child)
                known = text if child.tag == "pose" else _TRUTH.get(text.lower())
                if known is None or known in ("", "Unspecified"):
                    self._leave(extra, child.tag, child)
                else:
                    answers.append(Classification(child.tag, Radio(known)))
        return tuple(answers)

    def _actions(self, element: Element, extra: Extra, answers: list[Classification]) -> None:
        names = [child.tag for child in element]
        ticked = [child.tag for child in element if _TRUTH.get(text_of(child).lower()) == "true"]
        if ticked:
            answers.append(Classification("actions", Checklist(tuple(map(Radio, ticked)))))
        if len(ticked) < len(names):
            if self._keeps:
                extra["voc:actions"] = names
            else:
                self._report.field("voc:actions (those that are 0)", len(names) - len(ticked))

    def _attribute(self, element: Element) -> Classification | None:
        name = text_of(element.find("name"))
        values = element.findall("value")
        kind = text_of(element.find("type")) or self._options.attributes
        if not name or element.tag != "attribute":
            return None
        if kind == "text":
            text = (values[0].text or "") if values else ""
            return Classification(
                name, FreeText(text if element.find("type") is not None else text.strip())
            )
        chosen = [text_of(value) for value in values]
        if not chosen or not all(chosen):
            return None
        if kind == "checklist":
            return Classification(name, Checklist(tuple(map(Radio, chosen))))
        return Classification(name, Radio(chosen[0])) if len(chosen) == 1 else None
