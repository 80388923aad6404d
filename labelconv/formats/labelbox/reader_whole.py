"""All that the lines of one data row say, gathered."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import UNSET

from labelconv import codes
from labelconv.format import Reading
from labelconv.formats.labelbox.faults import Fault
from labelconv.formats.labelbox.reader_files import Spot
from labelconv.formats.labelbox.reader_media import Made
from labelconv.formats.labelbox.reader_rows import identity
from labelconv.formats.labelbox.records import Line
from labelconv.formats.labelbox.writer_beyond import BEYOND, READONLY, Beyond
from labelconv.model import Annotation, Classification, Extra, Relation


class Whole:
    """What the lines of one data row say; `ends` are the ids of its annotations."""

    def __init__(self) -> None:
        self.annotations: list[Annotation] = []
        self.asked: list[Classification] = []
        self.relations: list[tuple[Relation, Spot]] = []
        self.beyond: list[tuple[Beyond, Spot]] = []
        self.readonly: list[str] = []
        self.ends: set[str] = set()

    def add(self, made: Made, line: Line, spot: Spot) -> None:
        """What a line says."""
        if isinstance(made, Annotation):
            self.ends.add(made.id)
            self.annotations.append(made)
        elif isinstance(made, Classification):
            self.asked.append(made)
        elif isinstance(made, Beyond):
            self.beyond.append((made, spot))
        elif isinstance(made, Relation):
            self.relations.append((made, spot))
            if line.relationship is not UNSET and line.relationship.readonly is True:
                self.readonly.append(made.id)

    def beyond_model(self, reading: Reading) -> tuple[Extra, list[tuple[Beyond, Spot]]]:
        """What relations say beyond the model, where the consumer wants it; counted elsewhere.

        Also those without their target. A relation with a question as its source is none of the
        model, so that the ledger has no row for it unless it is rejected.
        """
        report = reading.report
        wanted = reading.wanted.extra
        kept = wanted is None or "labelbox" in wanted
        extra: Extra = {}
        if self.readonly and kept:
            extra[READONLY] = self.readonly
        elif self.readonly:
            report.field(READONLY, len(self.readonly))
        found: list[Any] = []
        dangling: list[tuple[Beyond, Spot]] = []
        for relation, spot in self.beyond:
            target = identity(relation.target)
            if target is None or target not in self.ends:
                dangling.append((relation, spot))
                continue
            report.ledger.relations.read -= 1
            if kept:
                found.append(msgspec.to_builtins(msgspec.structs.replace(relation, target=target)))
            else:
                report.field(BEYOND)
        if found:
            extra[BEYOND] = found
        return extra, dangling


def kind_of_line(line: Line) -> str:
    """The row of the ledger that a line belongs to."""
    if line.relationship is not UNSET:
        return "relations"
    answered = line.answer is not UNSET or line.answers is not UNSET
    return "classifications" if answered else "annotations"


def too_deep() -> Fault:
    """A line that no recursion gets to the end of."""
    found = "one that is nested too deeply"
    return Fault(codes.RECORD_MALFORMED, expected="a line", found=found)
