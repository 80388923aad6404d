"""The lines of objects: shapes, spans and tracks with the answers about them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from msgspec import UNSET, Raw

from labelconv import codes
from labelconv.formats.labelbox.composite import Composites
from labelconv.formats.labelbox.names import Feature, Names
from labelconv.formats.labelbox.writer_media import Payloads, payload_of
from labelconv.formats.labelbox.writer_output import Line, MediaLine
from labelconv.formats.labelbox.writer_refusals import Refusals, too_deep
from labelconv.formats.labelbox.writer_shapes import PAYLOADS, put_shape
from labelconv.model import Annotation, Classification, Sample, Track
from labelconv.problems import Report, Where


class Objects:
    """Makes the lines of annotations, without their uuids."""

    def __init__(
        self,
        names: Names,
        composites: Composites | None,
        payloads: Payloads,
        refusals: Refusals,
        report: Report,
    ) -> None:
        self._names = names
        self._composites = composites
        self._payloads = payloads
        self._refusals = refusals
        self._report = report
        self._features: dict[type, dict[str, Feature]] = {kind: {} for kind in PAYLOADS}
        self._others: dict[str, dict[str, Feature]] = {}

    def line(self, annotation: Annotation, sample: Sample, row: Raw) -> Line:
        """The line of an annotation, without its uuid. Raises `Fault`."""
        value, category = annotation.value, annotation.category
        kind = type(value)
        features = self._features.get(kind)
        if features is None:
            return self._other_object(annotation, sample, row)
        feature = features.get(category)
        if feature is None:
            feature = features[category] = self._names.feature(category, PAYLOADS[kind])
        line = Line(UNSET, row, feature[0], feature[1])
        if annotation.classifications:
            self._put_answers(line, annotation, sample)
        put_shape(line, value, sample, self._composites)
        confidence = annotation.confidence
        if confidence is not None:
            if 0 <= confidence <= 1:
                line.confidence = confidence
            else:
                self._without_confidence(annotation.id, sample)
        return line

    def _other_object(self, annotation: Annotation, sample: Sample, row: Raw) -> MediaLine:
        """The line of what is no shape of a picture. Raises `Fault`."""
        value = annotation.value
        payload = payload_of(value)
        name, schema_id = self.feature(annotation.category, payload)
        line = MediaLine(UNSET, row, name, schema_id)

        if isinstance(value, Track) or annotation.classifications:
            self._put_with_answers(line, annotation, sample, payload)
        else:
            self._payloads.put(line, value, sample, None)
        confidence = annotation.confidence
        if confidence is not None and 0 <= confidence <= 1:
            line.confidence = confidence
        elif confidence is not None:
            self._without_confidence(annotation.id, sample)
        return line

    def _put_with_answers(
        self, line: MediaLine, annotation: Annotation, sample: Sample, payload: str
    ) -> None:
        """Put a payload, and the answers about it or its keyframes. Raises `Fault`."""

        def answers(asked: tuple[Classification, ...]) -> list[dict[str, Any]]:
            return self._nested(asked, annotation, payload)

        try:
            if annotation.classifications:
                line.classifications = answers(annotation.classifications) or UNSET
            self._payloads.put(line, annotation.value, sample, answers)
        finally:
            place = Where(sample=sample.key, annotation=annotation.id)
            if self._refusals.told_left_out(self._names, place):
                self._refusals.decide(annotation.id, sample.key, "lost")

    def feature(self, category: str, payload: str) -> Feature:
        features = self._others.setdefault(payload, {})
        found = features.get(category)
        if found is None:
            found = features[category] = self._names.feature(category, payload)
        return found

    def _nested(
        self, asked: Sequence[Classification], annotation: Annotation, payload: str
    ) -> list[dict[str, Any]]:
        try:
            return self._names.nested(asked, annotation.category, payload)
        except RecursionError:
            raise too_deep() from None

    def _put_answers(self, line: Line, annotation: Annotation, sample: Sample) -> None:
        payload = PAYLOADS[type(annotation.value)]
        answers = self._nested(annotation.classifications, annotation, payload)
        if answers:
            line.classifications = answers
        if self._refusals.told_left_out(
            self._names, Where(sample=sample.key, annotation=annotation.id)
        ):
            self._refusals.decide(annotation.id, sample.key, "lost")

    def _without_confidence(self, id: str, sample: Sample) -> None:
        """Labelbox takes confidences from 0 to 1 and refuses lines with any other."""
        self._report.add(codes.CONFIDENCE_DROPPED, Where(sample=sample.key, annotation=id))
        self._refusals.decide(id, sample.key, "lost")
