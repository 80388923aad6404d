"""Writes Labelbox MAL NDJSON: one line for each object, answer and relation.

The masks of a video are one line together, and so are the answers to a question over time.

Payloads as in labelbox SDK 7.17.0, `data/serialization/ndjson/` (our reference: docs/labelbox.md).
Lines are ASCII, ended by a line feed, never blank; numbers are shortest decimals, never NaN. What
cannot be written is rejected alone, with its line as it would have been.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

import msgspec
from msgspec import UNSET, Raw

from labelconv import codes
from labelconv.errors import OptionError
from labelconv.formats.labelbox.composite import Composites
from labelconv.formats.labelbox.faults import Fault
from labelconv.formats.labelbox.names import Names, ascii_name
from labelconv.formats.labelbox.options import LabelboxWriterOptions
from labelconv.formats.labelbox.reader_names import read_given
from labelconv.formats.labelbox.writer_answers import Answers
from labelconv.formats.labelbox.writer_beyond import (
    add_beyond,
    readonly_relations,
    relations_beyond,
)
from labelconv.formats.labelbox.writer_boxes import PlainBoxes
from labelconv.formats.labelbox.writer_cap import Cap
from labelconv.formats.labelbox.writer_media import Payloads, check_media
from labelconv.formats.labelbox.writer_objects import Objects
from labelconv.formats.labelbox.writer_output import Line, Output
from labelconv.formats.labelbox.writer_refusals import Refusals
from labelconv.formats.labelbox.writer_spans import PlainSpans
from labelconv.formats.labelbox.writer_uuids import Uuids
from labelconv.formats.labelbox.writer_video import is_masks, masks_line
from labelconv.jobs import Joint, SharedWriting
from labelconv.model import (
    Annotation,
    Dataset,
    Image,
    Relation,
    Sample,
    Text,
    TiledImage,
    Video,
)
from labelconv.problems import Report


def write(dataset: Dataset, target: Path, options: LabelboxWriterOptions, report: Report) -> None:
    """Write the lines to the file `target`, or to files in the folder `target`.

    Raises `OptionError` and, for the ontology, `SourceError`.
    """
    _write(dataset, target, options, report, lambda joint: None)


def _write(
    dataset: Dataset,
    target: Path,
    options: LabelboxWriterOptions,
    report: Report,
    enroll: Callable[[Joint], None],
) -> None:
    if options.lines is not None and options.lines < 1:
        raise OptionError(f"lines of 1 or more expected, {options.lines} found")
    if options.names == "schemaId" and options.ontology is None:
        raise OptionError("names=schemaId needs the project's ontology: pass --ontology FILE")
    names = _names(options)
    composites = None
    if options.masks == "composite":
        composites = Composites(target / "masks", options.mask_url)
    folder = composites is not None or options.lines is not None
    with Output(target, folder=folder, limit=options.lines) as output:
        builder = _Builder(names, composites, report, output, options)
        enroll(builder.joint())
        for sample in dataset:
            builder.add(sample)
        builder.tell()
    report.ledger.written["lines"] = output.count


def _write_part(
    samples: Iterator[Sample], file: BinaryIO, options: LabelboxWriterOptions, report: Report
) -> Lines:
    """The lines of a part of the samples, by another process; nothing is told at the end."""
    output = Output(Path(), folder=False, limit=None, file=file)
    builder = _Builder(_names(options), None, report, output, options)
    for sample in samples:
        builder.add(sample)
    return builder.lines()


SHARED = SharedWriting(write=_write, write_part=_write_part)


def _names(options: LabelboxWriterOptions) -> Names:
    return Names(read_given(options.ontology), by_id=options.names == "schemaId")


class Lines(msgspec.Struct):
    """Lines that a process wrote: what those of the others must not repeat or exceed, and what
    is told at the end."""

    count: int
    totals: array[int]
    kept: set[bytes]
    guessed: int


class _Builder:
    """Builds lines from samples."""

    def __init__(
        self,
        names: Names,
        composites: Composites | None,
        report: Report,
        output: Output,
        options: LabelboxWriterOptions,
    ) -> None:
        self._names = names
        self._composites = composites
        self._report = report
        self._output = output
        self._options = options
        self._with_uuids = options.uuid
        self._uuids = Uuids()
        self._cap = Cap(output)
        self._row: tuple[str, bool, Raw] | None = None
        self._refusals = Refusals(report)
        self._answers = Answers(names, options, report, self._refusals, self._cap, self._uuids)
        self._payloads = Payloads(options)
        self._objects = Objects(names, composites, self._payloads, self._refusals, report)
        feature = self._objects.feature
        self._spans = PlainSpans(feature, self._uuids, options)
        self._boxes = PlainBoxes(feature, output, self._cap, options)
        #: Whether lines may be written in any pieces, whatever data row they are of.
        self._freely = composites is None and options.lines is None

    def lines(self) -> Lines:
        """What was written here, once all is."""
        self._boxes.flush()
        self._output.flush()
        kept = self._uuids.kept
        return Lines(self._output.count, self._cap.totals, kept, self._payloads.kept)

    def joint(self) -> Joint:
        """How lines of another process are taken in: where none would have been another here."""

        def fits(lines: Lines) -> bool:
            kept = self._uuids.kept
            return kept.isdisjoint(lines.kept) and self._cap.stays_below(lines.totals)

        def join(lines: Lines, file: BinaryIO) -> None:
            self._boxes.flush()
            self._output.append(file, lines.count)
            self._cap.add(lines.totals)
            self._uuids.kept.update(lines.kept)
            self._payloads.kept += lines.guessed

        return Joint(fits=fits, join=join)

    def add(self, sample: Sample) -> None:
        """Write all lines of a sample or of a piece of one."""
        media = type(sample.media)
        pieces = self._freely and media is Image
        if pieces and self._boxes.take(sample):
            return
        self._boxes.flush()
        self._refusals.decided = {}
        more = len(sample.classifications) + len(sample.relations)
        try:
            row = self._data_row(sample)
            if type(sample.media) is TiledImage:
                check_media(sample)
        except Fault as problem:
            self._refusals.everything(sample, problem)
            return
        if pieces and not more and len(sample.annotations) == 1:
            self._add_single(sample, row)
            return
        if media is Text and not more and not sample.extra and self._add_spans(sample, row):
            return
        self._add_lines(sample, row, more)

    def _add_lines(self, sample: Sample, row: Raw, more: int) -> None:
        """Write lines one by one; `more` is how many answers and relations there are."""
        annotations: Sequence[Annotation] = sample.annotations
        shown: list[Annotation] = []
        if type(sample.media) is Video:
            shown = [each for each in annotations if is_masks(each)]
            annotations = (
                [each for each in annotations if not is_masks(each)] if shown else annotations
            )
        elif sample.extra:
            more += len(relations_beyond(sample))
        lines: list[Line] = []
        refused: set[int] = set()
        for position, annotation in enumerate(annotations):
            try:
                lines.append(self._objects.line(annotation, sample, row))
            except Fault as problem:
                self._refusals.annotation(annotation, sample, problem)
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
        if shown:
            taken = set(uuids)
            for line in masks_line(
                shown,
                sample,
                row,
                self._objects.feature,
                self._refusals,
                self._options,
                self._composites,
            ):
                if self._with_uuids:
                    line.uuid = self._uuids.other(sample.key, "", "masks", taken)
                lines.append(line)
        if more:
            self._add_others(sample, row, annotations, lines, uuids)
        if lines:
            self._output.add(lines)
            if (
                type(sample.media) is Video
            ):  # a line of a long track is as large as thousands of others
                self._output.flush()

    def _add_spans(self, sample: Sample, row: Raw) -> bool:
        """Write the lines of a text if all are plain entities; False if something is not."""
        key, count = sample.key, len(sample.annotations)
        if not self._cap.has_room(key, count):
            return False
        try:
            lines = self._spans.lines(sample, row)
        except Fault:  # told by the way that goes line by line
            return False
        if lines is None or not self._cap.counted(key, count):
            return False
        self._output.add_bytes(lines, count)
        return True

    def tell(self) -> None:
        """Write what waits, and say what was taken for granted."""
        self._boxes.flush()
        if self._payloads.kept:
            what = f"{self._payloads.kept} offsets are written as if no character were above U+FFFF"
            evidence = "their texts are not known, and unknown_text=keep was asked for"
            self._report.add(codes.CONVENTION_GUESSED, what=what, evidence=evidence)

    def _add_single(self, sample: Sample, row: Raw) -> None:
        """The one annotation of a piece: what comes from a file that is not ordered by sample."""
        annotation = sample.annotations[0]
        try:
            line = self._objects.line(annotation, sample, row)
        except Fault as problem:
            self._refusals.annotation(annotation, sample, problem)
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
        taken = {line.uuid for line in lines}.union(uuids)
        lines.extend(self._answers.lines(sample, row, taken))
        if sample.relations:
            places = {each.id: n for n, each in reversed(list(enumerate(annotations)))}
            for relation in sample.relations:
                try:
                    line = self._relation(relation, annotations, places, uuids, row, sample)
                except Fault as problem:
                    self._refusals.relation(relation, sample, problem)
                    continue
                if not self._cap.takes(sample.key, line):
                    self._refusals.told_capped(sample.key, relation.id, relation.category)
                    ledger = self._report.ledger.relations
                    ledger.move(self._refusals.relation_fate(relation, sample.key), "lost")
                    continue
                for end in (relation.source, relation.target):
                    lines[places[end]].uuid = uuids[places[end]]
                if self._with_uuids:
                    line.uuid = self._uuids.other(sample.key, relation.id, "relation", taken)
                lines.append(line)
        if sample.extra:
            add_beyond(sample, row, annotations, lines, uuids, self._report)

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
            self._refusals.told_capped(sample.key, annotation.id, annotation.category)
            self._refusals.decide(annotation.id, sample.key, "lost")
        return kept

    # ------------------------------------------------------------------ relations

    def _relation(
        self,
        relation: Relation,
        annotations: Sequence[Annotation],
        places: dict[str, int],
        uuids: list[str],
        row: Raw,
        sample: Sample,
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
        if sample.extra and relation.id in readonly_relations(sample):
            line.relationship["readonly"] = True
        return line
