"""What the writer does not write: told, kept verbatim, and corrected in the ledger."""

from __future__ import annotations

import json

import msgspec
from msgspec import UNSET, Raw

from labelconv import codes
from labelconv.formats.labelbox.faults import Fault
from labelconv.formats.labelbox.names import Names, ascii_name
from labelconv.formats.labelbox.writer_cap import FEATURE_CAP
from labelconv.formats.labelbox.writer_output import MediaLine
from labelconv.formats.labelbox.writer_shapes import put_shape
from labelconv.model import Annotation, Classification, Relation, Sample
from labelconv.problems import Outcome, Report, Where


class Refusals:
    """Rejections of one run. `fit` has counted all that comes to the writer; this corrects it."""

    def __init__(self, report: Report) -> None:
        self._report = report
        #: What was decided about the annotations of this sample, or piece of one, by source id.
        self.decided: dict[str, Outcome] = {}

    def decide(self, id: str, key: str, outcome: Outcome) -> None:
        """Correct what `fit` decided about an annotation; once, though it may be several lines."""
        source, before = self._fate(id, key)
        before = self.decided.get(source, before)
        if before not in ("rejected", outcome):
            self._report.ledger.annotations.move(before, outcome)
        if before != "rejected":
            self.decided[source] = outcome

    def _fate(self, id: str, key: str) -> tuple[str, Outcome]:
        of, fates = self._report.fates
        return fates.get(id, (id, "kept")) if of == key else (id, "kept")

    def told_left_out(self, names: Names, place: Where) -> bool:
        """Tell what was left out of answers since the last look, if anything was."""
        left_out = bool(names.unsure or names.unticked)
        for _ in range(names.unsure):
            self._report.add(codes.CONFIDENCE_DROPPED, place)
        for question in names.unticked:
            what = f"the answer to {question!r}, a checklist without a tick,"
            self._report.add(codes.DETAIL_DROPPED, place, what=what)
        names.unsure, names.unticked = 0, []
        return left_out

    def told_capped(self, key: str, id: str | None, name: str) -> None:
        """Tell of a line beyond what Labelbox takes."""
        place = Where(sample=key, annotation=id)
        self._report.add(codes.FEATURE_CAP, place, limit=FEATURE_CAP, name=name)

    def everything(self, sample: Sample, problem: Fault) -> None:
        """Reject all that a sample says."""
        for annotation in sample.annotations:
            self.annotation(annotation, sample, problem)
        for classification in sample.classifications:
            self.answer(classification, sample, problem)
        for relation in sample.relations:
            self.relation(relation, sample, problem)

    def annotation(self, annotation: Annotation, sample: Sample, problem: Fault) -> None:
        self.decide(annotation.id, sample.key, "rejected")
        self._reject(annotation, sample, problem, "annotations", annotation.id)

    def answer(self, classification: Classification, sample: Sample, problem: Fault) -> None:
        self._report.ledger.classifications.move("kept", "rejected")
        self._reject(classification, sample, problem, "classifications", None)

    def relation(self, relation: Relation, sample: Sample, problem: Fault) -> None:
        before = self.relation_fate(relation, sample.key)
        self._report.ledger.relations.move(before, "rejected")
        self._reject(relation, sample, problem, "relations", relation.id)

    def relation_fate(self, relation: Relation, key: str) -> Outcome:
        """What `fit` decided: a relation is changed when an end is a piece of what it was."""
        ends = (relation.source, relation.target)
        return "changed" if any(self._fate(end, key)[0] != end for end in ends) else "kept"

    def _reject(
        self,
        record: Annotation | Classification | Relation,
        sample: Sample,
        problem: Fault,
        kind: str,
        id: str | None,
    ) -> None:
        named = None if id is None else shown(id)
        where = Where(pointer=problem.pointer or None, sample=shown(sample.key), annotation=named)
        # The ledger is right already: several lines may be of one annotation.
        getattr(self._report.ledger, kind).rejected -= 1
        raw = refused_line(record, sample)
        self._report.reject(problem.code, where, raw, kind, **problem.values)


def repeated(classification: Classification) -> Fault:
    """A second answer to one question."""
    value = f"{classification.name!r} of this data row"
    first = "an earlier answer"
    return Fault(codes.ID_DUPLICATE, "", field="question", value=value, first=first)


def too_deep() -> Fault:
    """Answers that no recursion gets to the end of."""
    found = "classifications that are nested too deeply"
    return Fault(codes.RECORD_MALFORMED, "/classifications", expected="a line", found=found)


def refused_line(record: Annotation | Classification | Relation, sample: Sample) -> bytes:
    """The line that is not written, by names; what cannot even be spelled, as the model has it."""
    row = Raw(json.dumps({"id" if sample.key_is_id else "globalKey": sample.key}))
    names = Names()
    line = MediaLine(UNSET, row)
    try:
        if isinstance(record, Annotation):
            line.name = ascii_name(record.category)
            if put_shape(line, record.value, sample, None):
                if record.classifications:
                    line.classifications = names.nested(record.classifications, "", "")
                return msgspec.json.encode(line)
        if isinstance(record, Classification):
            answered = names.answered(record)
            if answered is not None:
                return msgspec.json.encode({"dataRow": row, **answered})
    except (Fault, RecursionError):
        pass
    kind, fields = type(record).__name__.lower(), msgspec.to_builtins(record)
    return json.dumps({"dataRow": json.loads(bytes(row)), kind: fields}).encode("ascii")


def shown(text: str) -> str:
    """A text as reports can hold it: half of a surrogate pair is spelled out."""
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()
