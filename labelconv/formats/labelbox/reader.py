"""Reads Labelbox MAL NDJSON about pictures: objects, answers and relations, by data row.

Each line stands on its own and a bad one is left out alone. The lines of one data row need not be
neighbours: a consumer that takes pieces gets them as they come, any other gets whole data rows by
an index of where their lines are. Relations come with their ends either way.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import BinaryIO

import msgspec
from msgspec import UNSET

from labelconv import codes
from labelconv.format import Reading
from labelconv.formats.labelbox.faults import Fault
from labelconv.formats.labelbox.ontology import Ontology as GivenOntology
from labelconv.formats.labelbox.reader_files import (
    File,
    Index,
    Scanned,
    block_lines,
    decoded,
    files_of,
    kind_of,
    one_line,
    scan,
)
from labelconv.formats.labelbox.reader_lines import Lines
from labelconv.formats.labelbox.reader_masks import Pictures
from labelconv.formats.labelbox.reader_names import Features, as_model, read_given
from labelconv.formats.labelbox.reader_rows import Rows, identities, identity
from labelconv.formats.labelbox.records import Line
from labelconv.formats.labelbox.wire import PLAIN, PLAIN_REST, fault
from labelconv.io import Source, lines, skip_mark
from labelconv.model import (
    Annotation,
    Box,
    Classification,
    Dataset,
    Image,
    Ontology,
    Relation,
    Sample,
    Samples,
    ontology_of,
)
from labelconv.problems import Report, Where


class LabelboxReaderOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Options of the Labelbox reader (`-O key=value`).

    - `masks`: the folder of the pictures that `instanceURI` names; nothing is fetched.
    - `ontology`: a file with the project's normalized ontology, which turns schemaIds into names.
    """

    masks: str | None = None
    ontology: str | None = None


def read(source: Source, options: LabelboxReaderOptions, reading: Reading) -> Dataset:
    """The samples of a MAL file, or of all the `.ndjson` files of a folder.

    Raises `SourceError` when the source or the ontology cannot be read.
    """
    given = read_given(options.ontology)
    files = files_of(source)

    def samples() -> Iterator[Sample]:
        return _Run(files, options, given, reading).samples()

    def ontology() -> Ontology:
        return as_model(given) if given is not None else _used(files)

    return Samples(samples, ontology)


def _used(files: list[File]) -> Ontology:
    """The features that the lines name, by one pass that makes no shapes and reports nothing."""
    made = Lines(Features(None), Pictures(None), Report())

    def samples() -> Iterator[Sample]:
        seen: set[str] = set()
        for file in files:
            with file.source.open() as stream:
                skip_mark(stream, file.source.name)
                for _, data in lines(stream):
                    for line in decoded(data) or block_lines(data, Report()):
                        if line is None or line.relationship is not UNSET:
                            continue
                        plain = line.answer is UNSET and line.answers is UNSET
                        if plain and line.classifications is UNSET and line.name in seen:
                            continue
                        try:
                            about = made.about(line)
                        except Fault:
                            continue  # said when the samples are read
                        if isinstance(about, Annotation):
                            seen.add(about.category)
                            yield Sample("", Image(), (about,))
                        else:
                            yield Sample("", Image(), (), (about,))

    return ontology_of(samples())


class _Run:
    """One iteration over the lines."""

    def __init__(
        self,
        files: list[File],
        options: LabelboxReaderOptions,
        given: GivenOntology | None,
        reading: Reading,
    ) -> None:
        self._files = files
        self._report = reading.report
        self._reading = reading
        self._features = Features(given)
        self._lines = Lines(self._features, Pictures(options.masks), reading.report)
        self._rows = Rows(reading.keys, reading.report)
        self._scanned = Scanned()
        self._index = Index()
        self._first_lines: dict[tuple[int, str], int] = {}
        self._blank = 0

    def samples(self) -> Iterator[Sample]:
        self._reading.keys.restart()
        if self._reading.wanted.pieces:
            self._scanned = scan(self._files)
        for number, file in enumerate(self._files):
            with file.source.open() as stream:
                offset = 0
                if skip_mark(stream, file.source.name):
                    self._report.add(codes.ENCODING_MARK, Where(path=file.source.name))
                    offset = 3
                for first, data in lines(stream):
                    yield from self._block(number, first, offset, data)
                    offset += len(data)
        yield from self._whole_rows()
        for row in self._rows.unused():
            yield self._sample(row, [], [], [])
        path = self._files[0].source.name
        self._features.tell(self._report, path)
        if self._blank:
            found = f"{self._blank} blank lines"
            self._report.add(codes.SPELLING_MENDED, Where(path=path), found=found, result="nothing")

    # ------------------------------------------------------------------ lines as they come

    def _block(self, file: int, first: int, offset: int, data: bytes) -> Iterator[Sample]:
        """The samples of a block of whole lines, neighbours of one data row together."""
        block = decoded(data)
        records = self._each_line(file, first, data) if block is None else block
        ids = identities(records)
        rows = self._rows
        row_of, refused, whole = rows.numbers.get, rows.refused, rows.whole
        all_whole = not self._reading.wanted.pieces
        suspects = self._scanned.suspects
        as_tuple = msgspec.structs.astuple
        account = self._report.ledger.annotations
        raws: list[bytes] = []
        if all_whole or self._scanned.whole:
            raws = data.split(b"\n")
        current = -1
        annotations: list[Annotation] = []
        asked: list[Classification] = []
        at = -1
        for line in records:
            at += 1
            if raws:
                place = offset
                offset += len(raws[at]) + 1
            if line is None:
                continue
            row = row_of(line.data_row.global_key)
            if row is None:
                row = rows.row(line.data_row, self._scanned.whole)
            if all_whole or row in whole:
                self._index.add(row, file, place, len(raws[at]), first + at)
                continue
            if row != current:
                if annotations or asked:
                    yield self._sample(current, annotations, asked, [])
                    annotations, asked = [], []
                current = row
            box, id, name = line.bbox, ids[at], line.name
            if (
                box is not UNSET
                and id is not None
                and name is not UNSET
                and as_tuple(line)[PLAIN:] == PLAIN_REST
                and line.schema_id is UNSET
                and box.height >= 0
                and line.data_row.id is UNSET
                and not suspects
                and not refused
            ):
                left, top = box.left, box.top
                shape = Box(left, top, left + box.width, top + box.height)
                account.read += 1
                annotations.append(Annotation(id, name, shape))
                continue
            made = self._made(line, row, file, first + at, data if not raws else raws[at], at)
            if isinstance(made, Annotation):
                annotations.append(self._told_apart(made, row, file, first + at))
            elif isinstance(made, Classification):
                asked.append(made)
        if annotations or asked:
            yield self._sample(current, annotations, asked, [])

    def _each_line(self, file: int, first: int, data: bytes) -> list[Line | None]:
        """The lines of a block with something unusual in it; None for blank and bad ones."""
        found: list[Line | None] = []
        for number, raw in enumerate(data.removesuffix(b"\n").split(b"\n"), first):
            if not raw.strip():
                self._blank += 1
                found.append(None)
                continue
            try:
                found.append(one_line(raw, Report(), Where()))
            except Fault as problem:
                kind = kind_of(raw)
                getattr(self._report.ledger, kind).read += 1
                self._reject(problem, file, number, raw, kind, None)
                found.append(None)
        return found

    def _made(
        self, line: Line, row: int, file: int, number: int, data: bytes, at: int | None
    ) -> Annotation | Classification | Relation | None:
        """What a line says, counted; None when it was rejected.

        `data` is the line, or with `at` the block whose line of that index it may be.
        """
        path = self._files[file].source.name
        kind = "annotations"
        if line.relationship is not UNSET:
            kind = "relations"
        elif line.answer is not UNSET or line.answers is not UNSET:
            kind = "classifications"
        getattr(self._report.ledger, kind).read += 1
        where = Where(path, number, None, None, self._rows.keys[row])
        try:
            problem = self._rows.refused.get(row)
            if problem is not None:
                raise Fault(problem[0], "/dataRow", **problem[1])
            if fault(line) is not None:
                # Once more, now that the notes about it may be told.
                line = one_line(_line_at(data, at), self._report, where)
            id = identity(line.uuid) or f"line {number}"
            made = self._lines.made(line, id, where, self._files[file].folder)
            if isinstance(made, Classification) and self._rows.answered(row, made.name):
                value = f"{made.name!r} of this data row"
                raise Fault(
                    codes.ID_DUPLICATE, "", field="question", value=value, first="an earlier line"
                )
            if isinstance(made, Relation) and at is not None:
                raise Fault(codes.RELATION_END_MISSING, "/relationship", missing=made.source)
        except Fault as problem:
            self._reject(problem, file, number, _line_at(data, at), kind, row)
            return None
        return made

    def _told_apart(self, made: Annotation, row: int, file: int, number: int) -> Annotation:
        """The annotation, under another id when its data row has one of that id already."""
        if self._scanned.suspects and hash(made.id.encode()) in self._scanned.suspects:
            first = self._first_lines.setdefault((row, made.id), number)
            if first != number:
                return self._renamed(made, row, file, number)
        return made

    def _renamed(self, made: Annotation, row: int, file: int, number: int) -> Annotation:
        where = Where(self._files[file].source.name, number, None, "/uuid", self._rows.keys[row])
        id = f"{made.id}@{number}"
        self._report.add(codes.ANNOTATION_ID_DUPLICATE, where, value=made.id, renamed=id)
        return msgspec.structs.replace(made, id=id)

    def _reject(
        self, problem: Fault, file: int, number: int, raw: bytes, kind: str, row: int | None
    ) -> None:
        key = None if row is None else self._rows.keys[row]
        where = Where(self._files[file].source.name, number, None, problem.pointer, key)
        self._report.reject(problem.code, where, raw, kind, **problem.values)

    def _sample(
        self,
        row: int,
        annotations: list[Annotation],
        asked: list[Classification],
        relations: list[Relation],
    ) -> Sample:
        rows = self._rows
        rows.used[row] = 1
        return Sample(
            rows.keys[row],
            Image(),
            tuple(annotations),
            tuple(asked),
            tuple(relations),
            None,
            bool(rows.are_ids[row]),
        )

    # ------------------------------------------------------------------ whole data rows

    def _whole_rows(self) -> Iterator[Sample]:
        """The data rows whose lines were only noted down, in the order they first came."""
        with ExitStack() as stack:
            streams = [stack.enter_context(file.source.open()) for file in self._files]
            for row, places in self._index.by_row(len(self._rows.keys)):
                sample = self._whole_row(row, places, streams)
                if row not in self._rows.refused:
                    yield sample

    def _whole_row(self, row: int, places: list[int], streams: list[BinaryIO]) -> Sample:
        annotations: list[Annotation] = []
        asked: list[Classification] = []
        relations: list[tuple[Relation, int, int, bytes]] = []
        ends: set[str] = set()
        for place in places:
            file, offset, length, number = self._index.place(place)
            stream = streams[file]
            stream.seek(offset)
            raw = stream.read(length).removesuffix(b"\r")
            made = self._made(one_line(raw, Report(), Where()), row, file, number, raw, None)
            if isinstance(made, Annotation):
                if made.id in ends:
                    made = self._renamed(made, row, file, number)
                ends.add(made.id)
                annotations.append(made)
            elif isinstance(made, Relation):
                relations.append((made, file, number, raw))
            elif made is not None:
                asked.append(made)
        joined = [found for each in relations if (found := self._joined(row, ends, *each))]
        return self._sample(row, annotations, asked, joined)

    def _joined(
        self, row: int, ends: set[str], relation: Relation, file: int, number: int, raw: bytes
    ) -> Relation | None:
        """The relation with its ends as annotation ids; None when one is not there."""
        found = []
        for name, end in (("source", relation.source), ("target", relation.target)):
            id = identity(end)
            if id is None or id not in ends:
                problem = Fault(codes.RELATION_END_MISSING, f"/relationship/{name}", missing=end)
                self._reject(problem, file, number, raw, "relations", row)
                return None
            found.append(id)
        return msgspec.structs.replace(relation, source=found[0], target=found[1])


def _line_at(data: bytes, at: int | None) -> bytes:
    """The line in question: `data` itself, or one line of the block `data`."""
    if at is None:
        return data
    return data.split(b"\n")[at].removesuffix(b"\r")
