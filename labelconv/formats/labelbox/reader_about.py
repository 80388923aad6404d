"""What lines name, without their shapes: for the ontology."""

from __future__ import annotations

from msgspec import UNSET

from labelconv.formats.labelbox.reader_lines import Lines
from labelconv.formats.labelbox.reader_timed import Clock, answers
from labelconv.formats.labelbox.reader_told import has_times
from labelconv.formats.labelbox.records import Line
from labelconv.model import Annotation, Classification, Point

_NOWHERE = Point(0.0, 0.0)


class About:
    """Says what lines name."""

    def __init__(self, lines: Lines) -> None:
        self._lines = lines

    def of(self, line: Line) -> list[Annotation | Classification]:
        """The features, and the questions with their answers, of one line. Raises `Fault`."""
        features = self._lines.features
        if line.answer is not UNSET or line.answers is not UNSET:
            if line.frames is not UNSET or has_times(line):
                # Milliseconds are taken as they are, which is right for all that is asked here.
                return list(answers(self._lines, line, Clock(None)))
            return [self._lines.classification(line, "")]
        if line.masks is not UNSET:
            return [
                Annotation("", features.name(each.name, each.schema_id), _NOWHERE)
                for each in line.masks.instances
            ]
        given = [] if line.classifications is UNSET else [line.classifications]
        for segment in () if line.segments is UNSET else line.segments:
            given += [
                k.classifications for k in segment.keyframes if k.classifications is not UNSET
            ]
        asked = tuple(found for each in given for found in self._lines.nested(each, ""))
        return [Annotation("", features.name(line.name, line.schema_id), _NOWHERE, asked)]
