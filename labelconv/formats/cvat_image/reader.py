"""Reads CVAT for images, a picture's element at a time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from xml.etree.ElementTree import Element, tostring

from labelconv import codes
from labelconv.cvatxml import answer_of, elements, file_of, number_of
from labelconv.errors import SourceError
from labelconv.format import Reading
from labelconv.formats.cvat_image.labels import Kinds, kinds_of, ontology_of_labels
from labelconv.formats.cvat_image.shapes import SHAPE_FIELDS, text_of, values_of
from labelconv.io import Source
from labelconv.model import (
    Annotation,
    Classification,
    Dataset,
    Extra,
    FreeText,
    Image,
    Keypoints,
    Radio,
    Sample,
    Samples,
    Value,
)
from labelconv.problems import Where
from labelconv.unusable import Unusable

_TAGS = frozenset({"meta", "image", "track"})
_IMAGE_FIELDS = frozenset({"id", "name", "width", "height"})
#: What CVAT writes where nobody said anything.
_DEFAULTS = {"occluded": "0", "outside": "0", "z_order": "0", "source": "manual", "group_id": "0"}


def read(source: Source, reading: Reading) -> Dataset:
    """The samples of the XML file at `source`, or of the one in that folder."""
    file = file_of(source)
    labels = _labels(file)

    def samples() -> Iterator[Sample]:
        reading.keys.restart()
        images = _Images(reading, file.name)
        images.kinds = kinds_of(labels)
        for event, element in elements(file, _TAGS):
            if event == "end" and element.tag == "image":
                sample = images.sample(element)
                if sample is not None:
                    yield sample
            elif event == "start" and element.tag == "track":
                raise SourceError(
                    f"{file.name}: CVAT for images expected, a track found; it is CVAT for video"
                )
        images.finish()

    return Samples(samples, ontology_of_labels(labels))


def _labels(file: Source) -> list[Element]:
    """The labels that the header declares, before the first picture."""
    for event, element in elements(file, _TAGS):
        if element.tag != "meta":
            break
        if event == "end":
            return list(element.iter("label"))
    return []


class _Images:
    """Reads one picture after the other."""

    def __init__(self, reading: Reading, path: str) -> None:
        self.kinds: Kinds = {}
        self._reading = reading
        self._report = reading.report
        self._path = path
        wanted = reading.wanted.extra
        self._keep = wanted is None or "cvat-image" in wanted
        self._number = 0
        self._unsized = 0

    def sample(self, element: Element) -> Sample | None:
        report, ledger = self._report, self._report.ledger
        self._number += 1
        ledger.samples.read += 1
        place = f"/annotations/image[{self._number}]"
        fields = element.attrib
        try:
            name = text_of(fields, "name")
            image = self._image(fields, name)
            key = self._key(name, fields)
        except Unusable as bad:
            # What is said about a refused picture goes with it, in the same record.
            report.reject(
                bad.code,
                Where(path=self._path, pointer=place + bad.pointer),
                tostring(element),
                "samples",
                **bad.values,
            )
            return None
        extra: Extra = {}
        for field in fields:
            if field not in _IMAGE_FIELDS:
                self._beside(field, fields[field], extra, " (of images)")
        if self._keep and "id" in fields:
            extra["cvat-image:id"] = fields["id"]
        annotations: list[Annotation] = []
        answers: list[Classification] = []
        positions: dict[str, int] = {}
        for child in element:
            tag = child.tag
            positions[tag] = positions.get(tag, 0) + 1
            pointer = f"{place}/{tag}[{positions[tag]}]"
            if tag == "tag":
                ledger.classifications.read += 1
                try:
                    answers.append(self._tag(child))
                except Unusable as bad:
                    where = Where(path=self._path, pointer=pointer + bad.pointer, sample=key)
                    record = tostring(child)
                    report.reject(bad.code, where, record, "classifications", **bad.values)
                continue
            try:
                made = self._annotations(child, str(len(annotations)), image, key, pointer)
            except Unusable as bad:
                where = Where(path=self._path, pointer=pointer + bad.pointer, sample=key)
                report.reject(bad.code, where, tostring(child), **bad.values)
                made = []
            ledger.annotations.read += max(len(made), 1)
            annotations += made
        return Sample(
            key,
            image,
            tuple(annotations),
            tuple(answers),
            uri=name,
            key_is_id=self._reading.keys.are_ids,
            extra=extra,
        )

    def finish(self) -> None:
        if self._unsized:
            self._report.add(codes.SIZE_UNKNOWN, Where(path=self._path), count=self._unsized)

    def _key(self, name: str, fields: dict[str, str]) -> str:
        key, problem = self._reading.keys.key(name, fields.get("id", name), fields)
        if key is None:
            assert problem is not None  # keys give one or the other
            code, values = problem
            raise Unusable(code, "", **values)
        return key

    def _image(self, fields: dict[str, str], name: str) -> Image:
        if "width" in fields and "height" in fields:
            width, height = number_of(fields, "width"), number_of(fields, "height")
            if width > 0 and height > 0:
                return Image(width, height)
        media = self._reading.media
        if media.given:
            size = media.size(name)
            if not isinstance(size, tuple):
                return Image(float(size.width), float(size.height))
        self._unsized += 1
        return Image()

    def _beside(self, field: str, value: str, extra: Extra, of: str = "") -> None:
        """A field that the model has no place for: kept where somebody writes it, else counted."""
        if value == _DEFAULTS.get(field):
            return
        if self._keep:
            extra[f"cvat-image:{field}"] = value
        else:
            self._report.field(f"cvat-image:{field}{of}")

    # ------------------------------------------------------------------ shapes and tags

    def _annotations(
        self, element: Element, id: str, image: Image, key: str, pointer: str
    ) -> list[Annotation]:
        """The annotation of an element; several for `points` of several. Raises `Unusable`."""
        fields = element.attrib
        label = text_of(fields, "label")
        where = Where(path=self._path, pointer=pointer, sample=key)
        values: list[Value] = values_of(element, image, self._report, where)
        confidence = number_of(fields, "score") if "score" in fields else None
        extra: Extra = {}
        own = SHAPE_FIELDS.get(element.tag, SHAPE_FIELDS[""])
        for field in fields:
            if field not in own:
                self._beside(field, fields[field], extra)
        if isinstance(values[0], Keypoints):
            self._of_points(element)
        answers = self._answers(element, label)
        if len(values) == 1:
            return [Annotation(id, label, values[0], answers, confidence, extra)]
        return [
            Annotation(f"{id}/{number}", label, value, answers, confidence, extra)
            for number, value in enumerate(values)
        ]

    def _of_points(self, element: Element) -> None:
        """Count what is said of a skeleton's points and has no place in the model."""
        for point in element:
            if point.tag != "attribute":
                for _ in point.iter("attribute"):
                    self._report.field("cvat-image:attribute (of the points of skeletons)")

    def _answers(self, element: Element, label: str) -> tuple[Classification, ...]:
        if not len(element):
            return ()
        return tuple(
            self._answer(child, (False, label)) for child in element if child.tag == "attribute"
        )

    def _answer(self, element: Element, of: tuple[bool, str]) -> Classification:
        return answer_of(element, self.kinds.get((*of, element.get("name", "")), "text"))

    def _tag(self, element: Element) -> Classification:
        """A tag: its label is the question, an attribute of the same name its answer.

        A tag without such an attribute is there or not: its answer is `true`. Other attributes are
        answers below it. Raises `Unusable`.
        """
        label = text_of(element.attrib, "label")
        for field, value in element.attrib.items():
            if field != "label" and value != _DEFAULTS.get(field):
                self._report.field(f"cvat-image:{field} (of tags)")
        asked = [self._answer(child, (True, label)) for child in element.iter("attribute")]
        answer: Any = Radio("true")
        if asked and asked[0].name == label:
            answer = asked.pop(0).answer
        made = type(answer)(*_first(answer), tuple(asked))
        return Classification(label, made)


def _first(answer: Radio | FreeText) -> tuple[str]:
    return (answer.name if isinstance(answer, Radio) else answer.text,)
