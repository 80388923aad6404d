"""Reads what spaCy and Prodigy write, told apart by content."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

import msgspec
from msgspec import UNSET

from labelconv import codes, sharedlines
from labelconv.format import Reading
from labelconv.formats.spacy.answers import answer, answers_of, labels_of
from labelconv.formats.spacy.dialects import Loose, loose, unwrapped
from labelconv.formats.spacy.options import SpacyReaderOptions
from labelconv.formats.spacy.records import COUNTED, Block, Record, Span, is_docbin
from labelconv.formats.spacy.relations import relations_of
from labelconv.io import Source
from labelconv.keys import Keys
from labelconv.model import (
    Annotation,
    Category,
    Classification,
    Dataset,
    Extra,
    Ontology,
    Relation,
    Sample,
    Samples,
    Text,
    TextSpan,
)
from labelconv.offsets import Noted, Spans, clean
from labelconv.problems import Report, Where
from labelconv.sharedlines import Part, Pieces, Shared
from labelconv.tags import Tags
from labelconv.texts import Chunk, Fault, Rows, chunks, plain, records, with_options

if TYPE_CHECKING:
    from labelconv.formats.spacy.docbin import Bin

_RECORD = msgspec.json.Decoder(Record)
_NUMBERS = tuple(map(str, range(1000)))
_NO_EXTRA: Extra = {}
_NO_BLOCK = Block()
#: What ends a word for certain; a quick answer before the exact one.
_BEHIND = frozenset(" .,;:!?)'\"\n")
_PRINTED = frozenset(map(chr, range(0x21, 0x7F)))


def read(source: Source, options: SpacyReaderOptions, reading: Reading) -> Dataset:
    """The texts of a DocBin or of a JSON file. Raises `SourceError` when it cannot be unpacked."""

    def ontology() -> Ontology:
        apart = Reading(report=Report(), keys=Keys())
        return _Run(source, options, apart).ontology()

    return Samples(lambda: _Run(source, options, reading).samples(), ontology)


class _Met(msgspec.Struct):
    """What a process met that others must not repeat, or that is told at the end."""

    keys: dict[str, str]
    spans: Noted
    tags: tuple[int, int, Where | None]
    skipped: int


class _Run:
    """One iteration over the texts of a source."""

    def __init__(self, source: Source, options: SpacyReaderOptions, reading: Reading) -> None:
        self._source = source
        self._path = source.name
        self._options = options
        self._reading = reading
        self._report = reading.report
        self._ledger = reading.report.ledger
        self._rows = Rows(source, reading)
        self._spans = Spans(options.source_offsets, reading.report, source.name)
        self._tags = Tags()
        wanted = reading.wanted.extra
        self._extra = wanted is None or "spacy" in wanted
        self._skipped = 0

    def samples(self) -> Iterator[Sample]:
        with self._source.open() as file:
            packed = is_docbin(file.read(4096))
        yield from self._docbin() if packed else self._json()
        self._spans.tell()
        self._tags.tell(self._report, self._path)
        if self._skipped:
            reason = "their answer is reject or ignore"
            where = Where(path=self._path)
            self._report.add(codes.SAMPLE_SKIPPED, where, count=self._skipped, reason=reason)

    def ontology(self) -> Ontology:
        """The labels of all spans and the questions, without making samples."""
        names: dict[str, None] = {}
        labels: dict[str, None] = {}
        questions: list[Classification] = []
        options = self._options
        every, named = options.spans == "all", options.groups == "named"
        for record in self._records():
            if record.answer != "accept" and self._refused(record):
                continue
            for span in record.spans:
                label = span.label
                if label and (every or options.spans == (span.group or "ents")):
                    if named and span.group is not None:
                        label = f"{span.group}:{label}"
                    names[label] = None
            block = record.labelconv
            if block is not None and block.answers is not None:
                questions.extend(answer(*each) for each in block.answers)
                questions = list(dict.fromkeys(questions))
                continue
            if record.cats is not None or record.label is not None or record.accept is not None:
                labels.update(dict.fromkeys(record.cats or ()))
                labels.update(dict.fromkeys(name for name, _ in labels_of(record, options)))
        found = Samples([Sample("", Text(), classifications=tuple(questions))]).ontology
        categories = tuple(Category(name=name) for name in names)
        whole = msgspec.structs.replace(found, categories=categories)
        return with_options(whole, options.question, options.cats, labels)

    def _records(self) -> Iterator[Record]:
        """All records, of any dialect, as they are."""
        with self._source.open() as file:
            packed = is_docbin(file.read(4096))
        if packed:
            yield from (record for record, _ in self._bin().records())
            return
        for chunk in unwrapped(records(self._source, _RECORD, self._report)):
            if chunk.values is not None:
                yield from chunk.values
                continue
            with contextlib.suppress(Fault):
                for each in loose(plain(chunk.raw()), self._tags):
                    yield each.record

    # ------------------------------------------------------------------ files

    def _json(self) -> Iterator[Sample]:
        crew = self._reading.crew
        shared = Shared(self._source, crew, self._of_part, self._can_join, self._join)
        pieces = partial(sharedlines.pieces, shared)
        for chunk in unwrapped(records(self._source, _RECORD, self._report, pieces=pieces)):
            yield from self._of_chunk(chunk)

    def _of_chunk(self, chunk: Chunk[Record]) -> Iterator[Sample]:
        if chunk.values is None:
            yield from self._loose(chunk)
            return
        for index, record in enumerate(chunk.values):
            sample = self._made(record, chunk, index)
            if sample is not None:
                yield sample

    def _of_part(self, report: Report) -> Part:
        reading = msgspec.structs.replace(self._reading, report=report, crew=None)
        run = _Run(self._source, self._options, reading)

        def make(pieces: Pieces) -> Iterator[Sample]:
            for chunk in chunks(pieces, _RECORD):
                yield from run._of_chunk(chunk)

        return Part(make, run._met)

    def _met(self) -> _Met:
        return _Met(self._rows.met(), self._spans.met(), self._tags.met(), self._skipped)

    def _can_join(self, met: _Met) -> bool:
        return self._rows.fits(met.keys)

    def _join(self, met: _Met) -> None:
        self._rows.join(met.keys)
        self._spans.join(met.spans)
        self._tags.join(met.tags)
        self._skipped += met.skipped

    def _loose(self, chunk: Chunk[Record]) -> Iterator[Sample]:
        """One JSON value of another dialect, or with something wrong in it."""
        try:
            found = list(loose(plain(chunk.raw()), self._tags))
        except Fault as fault:
            self._rows.malformed(chunk, fault)
            return
        for each in found:
            within = chunk.within + each.pointer
            own: Chunk[Record] = Chunk(
                chunk.number, None, lambda: [chunk.raw()], chunk.in_list, within, chunk.line
            )
            sample = self._made(each.record, own, 0)
            self._count(each, own)
            if sample is not None:
                yield sample

    def _count(self, found: Loose, chunk: Chunk[Record]) -> None:
        for name in found.left_out:
            self._report.field(f"spacy:{name}")
        for fault in found.broken:
            getattr(self._ledger, fault.kind).read += 1
            place = Fault(fault.expected, fault.found, fault.pointer, fault.part)
            self._rows.refuse(chunk, place, 0, fault.kind)

    def _bin(self) -> Bin:
        from labelconv.formats.spacy.docbin import Bin, unpacked

        with self._source.open() as file:
            return Bin(unpacked(file.read(), self._path), self._path)

    def _docbin(self) -> Iterator[Sample]:
        texts = self._bin()
        for number, (record, left_out) in enumerate(texts.records(), 1):
            for name in left_out:
                self._report.field(f"spacy:{name}")
            chunk = _alone(number, record)
            sample = self._made(record, chunk, 0, binary=True)
            if sample is not None:
                yield sample
        for name, count in texts.left_out.items():
            self._report.field(f"spacy:{name}", count)

    # ------------------------------------------------------------------ samples

    def _made(
        self, record: Record, chunk: Chunk[Record], index: int, *, binary: bool = False
    ) -> Sample | None:
        """The sample of a record; None when it is rejected or skipped."""
        if record.answer != "accept" and self._refused(record):
            return None
        block = record.labelconv or _NO_BLOCK
        id = block.key or record.key or (None if record.id is None else str(record.id))
        key = self._rows.key(id, chunk, index)
        if key is None:
            return None
        text = record.text
        annotations: tuple[Annotation, ...] = ()
        if record.spans:
            annotations = self._annotations(record, block, chunk, index, binary=binary)
        answers: tuple[Classification, ...] = ()
        if record.cats is not None or record.label is not None or record.accept is not None:
            answers = answers_of(
                record, block, chunk, index, self._options, self._rows, self._ledger
            )
        relations: tuple[Relation, ...] = ()
        if record.relations or block.relations:
            relations = relations_of(
                record, block, annotations, chunk, index, self._path, self._report
            )
        extra = _NO_EXTRA
        if not (
            record.tokens is UNSET
            and record.input_hash is UNSET
            and record.view is UNSET
            and record.time is UNSET
            and record.session is UNSET
            and record.annotator is UNSET
            and record.binary is UNSET
            and record.options is UNSET
            and record.config is UNSET
            and record.versions is UNSET
            and record.task_hash is UNSET
        ):
            self._count_fields(record)
        if record.meta is not UNSET:
            if self._extra:
                extra = {"spacy:meta": msgspec.json.decode(record.meta)}
            else:
                self._report.field("spacy:meta")
        return Sample(
            key, Text(text), annotations, answers, relations, None, self._rows.are_ids, extra
        )

    def _count_fields(self, record: Record) -> None:
        for attribute, name in COUNTED:
            if getattr(record, attribute) is not UNSET:
                self._report.field(f"spacy:{name}")

    def _refused(self, record: Record) -> bool:
        """Whether an annotator's answer leaves a record out; it is counted then.

        A refused label is an answer: the text does not have it.
        """
        if self._options.answers == "all":
            return False
        if record.answer == "reject" and record.label is not None and not record.spans:
            record.label = None
            return False
        self._skipped += 1
        ledger = self._ledger
        spans = sum(1 for span in record.spans if span.label)
        asked = record.cats is not None or record.label is not None or record.accept is not None
        for account, count in (
            (ledger.samples, 1),
            (ledger.annotations, spans),
            (ledger.classifications, int(asked)),
            (ledger.relations, len(record.relations)),
        ):
            account.read += count
            account.skipped += count
        return True

    # ------------------------------------------------------------------ spans

    def _annotations(
        self, record: Record, block: Block, chunk: Chunk[Record], index: int, *, binary: bool
    ) -> tuple[Annotation, ...]:
        text = record.text
        options = self._options
        direct = binary or self._spans.unit == "codepoint"
        length = len(text)
        every = options.spans == "all"
        ids = block.ids if block.ids is not None and len(block.ids) == len(record.spans) else None
        made: list[Annotation] = []
        append = made.append
        taken: set[str] = set()
        # Numbers cannot repeat by themselves; only where an id is given they must be told apart.
        named = False
        for span in record.spans:
            if span.id is not None:
                named = True
                break
        read = skipped = 0
        for number, span in enumerate(record.spans):
            label = span.label
            if not label:
                continue
            read += 1
            group = span.group
            if not every and options.spans != (group or "ents"):
                skipped += 1
                continue
            start, end, quote = span.start, span.end, span.text
            value: TextSpan | None
            if (
                direct
                and quote is None
                and 0 <= start < end <= length
                and text[start] in _PRINTED
                and text[end - 1] in _PRINTED
                and (start == 0 or text[start - 1] == " ")
                and (end == length or text[end] in _BEHIND)
            ) or (direct and quote is None and clean(text, start, end)):
                value = TextSpan(start, end)
            else:
                where = chunk.where(self._path, index, span.place or f"/spans/{number}")
                value = self._spans.span(text, start, end, where, msgspec.json.encode(span), quote)
                if value is None:
                    continue
            if ids is not None:
                id = ids[number]
            elif not named or span.id is None:
                id = _NUMBERS[number] if number < 1000 else str(number)
            else:
                id = str(span.id)
            if named:
                if id in taken:
                    id = self._renamed(id, number, taken, chunk, index)
                taken.add(id)
            extra = _NO_EXTRA
            if group is not None or span.kb_id is not None:
                extra = self._span_extra(span)
                if options.groups == "named" and group is not None:
                    label = f"{group}:{label}"
            append(Annotation(id, label, value, (), None, extra))
        self._ledger.annotations.read += read
        self._ledger.annotations.skipped += skipped
        if block.order is not None and sorted(block.order) == list(range(len(made))):
            return tuple(made[place] for place in block.order)
        return tuple(made)

    def _renamed(
        self, id: str, number: int, taken: set[str], chunk: Chunk[Record], index: int
    ) -> str:
        renamed = f"{id}/{number}"
        while renamed in taken:
            renamed += "/"
        where = chunk.where(self._path, index, f"/spans/{number}/id")
        self._report.add(codes.ANNOTATION_ID_DUPLICATE, where, value=id, renamed=renamed)
        return renamed

    def _span_extra(self, span: Span) -> Extra:
        extra: Extra = {}
        for name, value in (("group", span.group), ("kb_id", span.kb_id)):
            if value is None:
                continue
            if self._extra:
                extra[f"spacy:{name}"] = value
            else:
                self._report.field(f"spacy:{name}")
        return extra


def _alone(number: int, record: Record) -> Chunk[Record]:
    """A text of a DocBin, which has no bytes of its own, as a record of JSON."""
    return Chunk(number, None, lambda: [msgspec.json.encode(record)], True)
