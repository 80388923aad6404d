"""Writes Labelbox MAL NDJSON for images: one line for each object, answer and relation.

Payloads as in labelbox SDK 7.17.0, `data/serialization/ndjson/` (our reference: docs/labelbox.md).
Lines are ASCII, ended by a line feed, never blank; numbers are shortest decimals, never NaN. What
cannot be written is rejected alone, with its line as it would have been.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec
from msgspec import UNSET, Raw

from labelconv import codes
from labelconv.errors import OptionError
from labelconv.formats.labelbox.composite import Composites
from labelconv.formats.labelbox.faults import Fault
from labelconv.formats.labelbox.names import Feature, Names, ascii_name
from labelconv.formats.labelbox.options import LabelboxWriterOptions
from labelconv.formats.labelbox.reader_names import read_given
from labelconv.formats.labelbox.writer_cap import FEATURE_CAP, Cap
from labelconv.formats.labelbox.writer_output import Line, Output
from labelconv.formats.labelbox.writer_shapes import PAYLOADS, put_shape
from labelconv.formats.labelbox.writer_uuids import Uuids
from labelconv.model import Annotation, Classification, Dataset, Relation, Sample
from labelconv.problems import Outcome, Report, Where


def write(dataset: Dataset, target: Path, options: LabelboxWriterOptions, report: Report) -> None:
    """Write the lines to the file `target`, or to files in the folder `target`.

    Raises `OptionError` and, for the ontology, `SourceError`.
    """
    if options.lines is not None and options.lines < 1:
        raise OptionError(f"lines of 1 or more expected, {options.lines} found")
    if options.names == "schemaId" and options.ontology is None:
        raise OptionError("names=schemaId needs the project's ontology: pass --ontology FILE")
    names = Names(read_given(options.ontology), by_id=options.names == "schemaId")
    composites = None
    if options.masks == "composite":
        composites = Composites(target / "masks", options.mask_url)
    folder = composites is not None or options.lines is not None
    with Output(target, folder=folder, limit=options.lines) as output:
        builder = _Builder(names, composites, report, output, uuids=options.uuid)
        for sample in dataset:
            builder.add(sample)
    report.ledger.written["lines"] = output.count


class _Builder:
    """Builds lines from samples."""

    def __init__(
        self,
        names: Names,
        composites: Composites | None,
        report: Report,
        output: Output,
        *,
        uuids: bool,
    ) -> None:
        self._names = names
        self._composites = composites
        self._report = report
        self._output = output
        self._with_uuids = uuids
        self._uuids = Uuids()
        self._cap = Cap(output)
        self._row: tuple[str, bool, Raw] | None = None
        self._features: dict[type, dict[str, Feature]] = {kind: {} for kind in PAYLOADS}
        self._decided: dict[str, Outcome] = {}

    def add(self, sample: Sample) -> None:
        """Write all lines of a sample or of a piece of one."""
        if self._decided:
            self._decided = {}
        try:
            row = self._data_row(sample)
        except Fault as problem:
            self._refuse_all(sample, problem)
            return
        more = len(sample.classifications) + len(sample.relations)
        if not more and len(sample.annotations) == 1 and self._composites is None:
            self._add_single(sample, row)
            return
        annotations: Sequence[Annotation] = sample.annotations
        lines: list[Line] = []
        refused: set[int] = set()
        for position, annotation in enumerate(annotations):
            try:
                lines.append(self._object(annotation, sample, row))
            except Fault as problem:
                self._reject_annotation(annotation, sample, problem)
                refused.add(position)
        if self._composites is not None:
            self._composites.finish(sample.key)
        if refused:
            annotations = [each for n, each in enumerate(annotations) if n not in refused]
        if self._cap.may_exceed(sample.key, len(lines) + more):
            annotations, lines = self._within_cap(annotations, lines, sample)
        uuids: list[str] = []
        if self._with_uuids or more:
            uuids = self._uuids.of(sample.key, [each.id for each in annotations])
        if self._with_uuids:
            for line, uuid in zip(lines, uuids, strict=True):
                line.uuid = uuid
        if more:
            self._add_others(sample, row, annotations, lines, uuids)
        if lines:
            self._output.add(lines)

    def _add_single(self, sample: Sample, row: Raw) -> None:
        """The one annotation of a piece: what comes from a file that is not ordered by sample."""
        annotation = sample.annotations[0]
        try:
            line = self._object(annotation, sample, row)
        except Fault as problem:
            self._reject_annotation(annotation, sample, problem)
            return
        large = self._cap.may_exceed(sample.key, 1)
        if large and not self._within_cap([annotation], [line], sample)[0]:
            return
        if self._with_uuids:
            line.uuid = self._uuids.one(sample.key, annotation.id)
        self._output.add((line,))

    def _add_others(
        self,
        sample: Sample,
        row: Raw,
        annotations: Sequence[Annotation],
        lines: list[Line],
        uuids: list[str],
    ) -> None:
        """Answers and relations, after the objects in `lines`."""
        taken = set(uuids)
        lines.extend(self._answers(sample, row, taken))
        if sample.relations:
            places = {each.id: n for n, each in reversed(list(enumerate(annotations)))}
            for relation in sample.relations:
                try:
                    line = self._relation(relation, annotations, places, uuids, row)
                except Fault as problem:
                    self._reject_relation(relation, sample, problem)
                    continue
                if not self._cap.takes(sample.key, line):
                    self._told_capped(sample.key, relation.id, relation.category)
                    ledger = self._report.ledger.relations
                    ledger.move(self._relation_fate(relation, sample.key), "lost")
                    continue
                for end in (relation.source, relation.target):
                    lines[places[end]].uuid = uuids[places[end]]
                if self._with_uuids:
                    line.uuid = self._uuids.other(sample.key, relation.id, "relation", taken)
                lines.append(line)

    # ------------------------------------------------------------------ envelope

    def _data_row(self, sample: Sample) -> Raw:
        held = self._row
        if held is None or held[0] != sample.key or held[1] != sample.key_is_id:
            kind = b'{"id":' if sample.key_is_id else b'{"globalKey":'
            row = Raw(kind + bytes(ascii_name(sample.key)) + b"}")
            self._row = held = (sample.key, sample.key_is_id, row)
        return held[2]

    def _within_cap(
        self, annotations: Sequence[Annotation], lines: list[Line], sample: Sample
    ) -> tuple[list[Annotation], list[Line]]:
        """What Labelbox takes; one too many of a feature is left out and told."""
        kept: tuple[list[Annotation], list[Line]] = [], []
        for annotation, line in zip(annotations, lines, strict=True):
            if self._cap.takes(sample.key, line):
                kept[0].append(annotation)
                kept[1].append(line)
                continue
            self._told_capped(sample.key, annotation.id, annotation.category)
            self._decide(annotation.id, sample.key, "lost")
        return kept

    def _told_capped(self, key: str, id: str | None, name: str) -> None:
        place = Where(sample=key, annotation=id)
        self._report.add(codes.FEATURE_CAP, place, limit=FEATURE_CAP, name=name)

    # ------------------------------------------------------------------ objects

    def _object(self, annotation: Annotation, sample: Sample, row: Raw) -> Line:
        """The line of an annotation, without its uuid. Raises `Fault`."""
        value, category = annotation.value, annotation.category
        kind = type(value)
        features = self._features[kind]
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

    def _put_answers(self, line: Line, annotation: Annotation, sample: Sample) -> None:
        payload = PAYLOADS[type(annotation.value)]
        try:
            answers = self._names.nested(annotation.classifications, annotation.category, payload)
        except RecursionError:
            raise _too_deep() from None
        if answers:
            line.classifications = answers
        if self._told_left_out(Where(sample=sample.key, annotation=annotation.id)):
            self._decide(annotation.id, sample.key, "lost")

    def _without_confidence(self, id: str, sample: Sample) -> None:
        """Labelbox takes confidences from 0 to 1 and refuses lines with any other."""
        self._report.add(codes.CONFIDENCE_DROPPED, Where(sample=sample.key, annotation=id))
        self._decide(id, sample.key, "lost")

    def _told_left_out(self, place: Where) -> bool:
        """Tell what was left out of answers, if anything was."""
        names = self._names
        left_out = bool(names.unsure or names.unticked)
        for _ in range(names.unsure):
            self._report.add(codes.CONFIDENCE_DROPPED, place)
        for question in names.unticked:
            what = f"the answer to {question!r}, a checklist without a tick,"
            self._report.add(codes.DETAIL_DROPPED, place, what=what)
        names.unsure, names.unticked = 0, []
        return left_out

    # ------------------------------------------------------------------ answers, relations

    def _answers(self, sample: Sample, row: Raw, taken: set[str]) -> Iterator[Line]:
        account = self._report.ledger.classifications
        answered: set[str] = set()
        for classification in sample.classifications:
            try:
                if classification.name in answered:
                    raise _repeated(classification)
                answered.add(classification.name)
                line = self._answer(classification, row)
            except Fault as problem:
                self._reject_answer(classification, sample, problem)
                continue
            if self._told_left_out(Where(sample=sample.key)):
                account.move("kept", "lost")
            if line is None:
                continue
            if not self._cap.takes(sample.key, line):
                self._told_capped(sample.key, None, classification.name)
                account.move("kept", "lost")
                continue
            if self._with_uuids:
                line.uuid = self._uuids.other(sample.key, classification.name, "answer", taken)
            yield line

    def _answer(self, classification: Classification, row: Raw) -> Line | None:
        try:
            answered = self._names.answered(classification)
        except RecursionError:
            raise _too_deep() from None
        if answered is None:
            return None
        line = Line(UNSET, row, answered.get("name", UNSET), answered.get("schemaId", UNSET))
        line.answer = answered["answer"]
        line.classifications = answered.get("classifications", UNSET)
        line.confidence = answered.get("confidence", UNSET)
        return line

    def _relation(
        self,
        relation: Relation,
        annotations: Sequence[Annotation],
        places: dict[str, int],
        uuids: list[str],
        row: Raw,
    ) -> Line:
        ends = []
        for end in (relation.source, relation.target):
            if end not in places:
                raise Fault(codes.RELATION_END_MISSING, missing=end)
            ends.append(places[end])
        source, target = ends
        name, schema = self._names.feature(relation.category, "relationship")
        joined = annotations[source].category, annotations[target].category
        self._names.joins(relation.category, *joined, directed=relation.directed)
        line = Line(UNSET, row, name, schema)
        line.relationship = {
            "source": uuids[source],
            "target": uuids[target],
            "type": "unidirectional" if relation.directed else "bidirectional",
        }
        return line

    # ------------------------------------------------------------------ what is not written

    def _decide(self, id: str, key: str, outcome: Outcome) -> None:
        """Correct what `fit` decided about an annotation; once, though it may be several lines."""
        source, before = self._fate(id, key)
        before = self._decided.get(source, before)
        if before not in ("rejected", outcome):
            self._report.ledger.annotations.move(before, outcome)
        if before != "rejected":
            self._decided[source] = outcome

    def _fate(self, id: str, key: str) -> tuple[str, Outcome]:
        of, fates = self._report.fates
        return fates.get(id, (id, "kept")) if of == key else (id, "kept")

    def _refuse_all(self, sample: Sample, problem: Fault) -> None:
        for annotation in sample.annotations:
            self._reject_annotation(annotation, sample, problem)
        for classification in sample.classifications:
            self._reject_answer(classification, sample, problem)
        for relation in sample.relations:
            self._reject_relation(relation, sample, problem)

    def _reject_annotation(self, annotation: Annotation, sample: Sample, problem: Fault) -> None:
        self._decide(annotation.id, sample.key, "rejected")
        self._reject(annotation, sample, problem, "annotations", annotation.id)

    def _reject_answer(
        self, classification: Classification, sample: Sample, problem: Fault
    ) -> None:
        self._told_left_out(Where(sample=sample.key))
        self._report.ledger.classifications.move("kept", "rejected")
        self._reject(classification, sample, problem, "classifications", None)

    def _reject_relation(self, relation: Relation, sample: Sample, problem: Fault) -> None:
        before = self._relation_fate(relation, sample.key)
        self._report.ledger.relations.move(before, "rejected")
        self._reject(relation, sample, problem, "relations", relation.id)

    def _relation_fate(self, relation: Relation, key: str) -> Outcome:
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


def _repeated(classification: Classification) -> Fault:
    value = f"{classification.name!r} of this data row"
    first = "an earlier answer"
    return Fault(codes.ID_DUPLICATE, "", field="question", value=value, first=first)


def _too_deep() -> Fault:
    found = "classifications that are nested too deeply"
    return Fault(codes.RECORD_MALFORMED, "/classifications", expected="a line", found=found)


def refused_line(record: Annotation | Classification | Relation, sample: Sample) -> bytes:
    """The line that is not written, by names; what cannot even be spelled, as the model has it."""
    row = Raw(json.dumps({"id" if sample.key_is_id else "globalKey": sample.key}))
    names = Names()
    line = Line(UNSET, row)
    try:
        if isinstance(record, Annotation):
            line.name = ascii_name(record.category)
            put_shape(line, record.value, sample, None)
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
