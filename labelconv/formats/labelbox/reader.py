"""Reads Labelbox MAL NDJSON: objects, answers and relations, by data row.

Each line stands on its own and a bad one is left out alone. The lines of one data row need not be
neighbours: a consumer that takes pieces gets them as they come, any other gets whole data rows by
an index of where their lines are. Relations come with their ends either way.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from typing import BinaryIO

import msgspec
from msgspec import UNSET

from labelconv import codes
from labelconv.format import Reading
from labelconv.formats.labelbox.faults import Fault
from labelconv.formats.labelbox.ontology import Ontology as GivenOntology
from labelconv.formats.labelbox.options import LabelboxReaderOptions
from labelconv.formats.labelbox.reader_files import (
    File,
    Index,
    Scanned,
    Spot,
    decoded,
    files_of,
    scan,
    strict_line,
)
from labelconv.formats.labelbox.reader_lines import Lines
from labelconv.formats.labelbox.reader_masks import Pictures
from labelconv.formats.labelbox.reader_media import Made, MediaLines
from labelconv.formats.labelbox.reader_names import Features, read_given
from labelconv.formats.labelbox.reader_ontology import ontology_in
from labelconv.formats.labelbox.reader_rows import Rows, identities, identity
from labelconv.formats.labelbox.reader_said import Said
from labelconv.formats.labelbox.reader_texts import Texts
from labelconv.formats.labelbox.reader_told import MEDIA, PICTURES, is_telling, told
from labelconv.formats.labelbox.reader_whole import Whole
from labelconv.formats.labelbox.records import Line
from labelconv.formats.labelbox.wire import PLAIN, PLAIN_REST
from labelconv.io import Source, lines, skip_mark
from labelconv.model import (
    Annotation,
    Audio,
    Box,
    Classification,
    Dataset,
    Extra,
    Image,
    Media,
    Ontology,
    Relation,
    Sample,
    Samples,
    TiledImage,
    Video,
)
from labelconv.problems import Where


def read(source: Source, options: LabelboxReaderOptions, reading: Reading) -> Dataset:
    """The samples of a MAL file, or of all the `.ndjson` files of a folder.

    Raises `SourceError` when the source or the ontology cannot be read.
    """
    given = read_given(options.ontology)
    files = files_of(source)

    def samples() -> Iterator[Sample]:
        return _Run(files, options, given, reading).samples()

    def ontology() -> Ontology:
        return ontology_in(files, given)

    return Samples(samples, ontology)


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
        self._default = MEDIA[options.media]
        pictures = Pictures(options.masks)
        tiled = self._default is TiledImage
        said = Lines(self._features, pictures, reading.report, tiled=tiled)
        self._texts = Texts(options, reading.media)
        self._media = MediaLines(said, pictures, self._texts, options, reading.report)
        self._picture = TiledImage(options.crs) if tiled else Image()
        # Pieces of one data row must agree about its media; only shapes tell a picture.
        self._pieces = reading.wanted.pieces and self._default in PICTURES
        self._rows = Rows(reading.keys, reading.report)
        self._said = Said(files, self._rows, said, self._media, reading.report)
        self._scanned = Scanned()
        self._index = Index()
        self._blank = 0

    def samples(self) -> Iterator[Sample]:
        self._reading.keys.restart()
        if self._pieces:
            self._scanned = scan(self._files)
            self._said.suspects = self._scanned.suspects
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
        self._texts.tell(self._report)
        path = self._files[0].source.name
        self._features.tell(self._report, path)
        if self._blank:
            found = f"{self._blank} blank lines"
            self._report.add(codes.SPELLING_MENDED, Where(path=path), found=found, result="nothing")

    # ------------------------------------------------------------------ lines as they come

    def _block(self, file: int, first: int, offset: int, data: bytes) -> Iterator[Sample]:
        """The samples of a block of whole lines, neighbours of one data row together."""
        odd: set[int] = set()
        records: Sequence[Line | None] | None = decoded(data)
        if records is None:
            records = self._each_line(file, first, data, odd)
        if self._scanned.whole or not self._pieces:
            records = self._put_aside(records, file, first, offset, data)
        ids, usual = identities(records)
        row_of, refused = self._rows.numbers.get, self._rows.refused
        quick = usual and not odd and not self._scanned.suspects
        as_tuple = msgspec.structs.astuple
        account = self._report.ledger.annotations
        current = at = -1
        annotations: list[Annotation] = []
        asked: list[Classification] = []
        for line in records:
            at += 1
            if line is None:
                continue
            row = row_of(line.data_row.global_key)
            if row is None:
                row = self._new_row(line, Spot(file, first + at, data, at))
                if row is None:
                    continue
            if row != current:
                if annotations or asked:
                    yield self._sample(current, annotations, asked, [])
                    annotations, asked = [], []
                current = row
            box, name = line.bbox, line.name
            if (
                quick
                and box is not UNSET
                and name is not UNSET
                and as_tuple(line)[PLAIN:] == PLAIN_REST
                and line.schema_id is UNSET
                and box.height >= 0
                and line.data_row.id is UNSET
                and not refused
            ):
                left, top = box.left, box.top
                shape = Box(left, top, left + box.width, top + box.height)
                account.read += 1
                annotations.append(Annotation(ids[at] or f"line {first + at}", name, shape))
                continue
            spot = Spot(file, first + at, data, at)
            made = self._said.made(line, row, spot, ids[at], at in odd)
            if isinstance(made, Annotation):
                annotations.append(self._said.told_apart(made, row, spot))
            elif isinstance(made, Classification):
                asked.append(made)
            elif made is not None:
                self._said.joined(row, set(), made, spot)
        if annotations or asked:
            yield self._sample(current, annotations, asked, [])

    def _put_aside(
        self, records: Sequence[Line | None], file: int, first: int, offset: int, data: bytes
    ) -> list[Line | None]:
        """Note where the lines are that come with their whole data row; the lines that are left."""
        left: list[Line | None] = []
        all_whole = not self._pieces
        telling = is_telling(data)
        for at, (line, raw) in enumerate(zip(records, data.split(b"\n"), strict=False)):
            row = None
            if line is not None:
                row = self._rows.numbers.get(line.data_row.global_key)
                if row is None:
                    row = self._new_row(line, Spot(file, first + at, raw))
                if telling and row is not None:
                    self._rows.tell(row, told(line))
            if row is not None and (all_whole or row in self._rows.whole):
                self._index.add(row, file, offset, len(raw), first + at)
                row = None
            left.append(None if row is None else line)
            offset += len(raw) + 1
        return left

    def _new_row(self, line: Line, spot: Spot) -> int | None:
        """The number of a line's data row; None when it has none, and is rejected."""
        if line.data_row.global_key is UNSET and line.data_row.id is UNSET:
            self._said.by_older_rules(spot)
            return None
        return self._rows.row(line.data_row, self._scanned.whole)

    def _each_line(self, file: int, first: int, data: bytes, odd: set[int]) -> list[Line | None]:
        """The lines of a block with something unusual in it; None for blank and bad ones.

        `odd` is filled with the indexes of those that only older rules accept.
        """
        found: list[Line | None] = []
        for at, raw in enumerate(data.removesuffix(b"\n").split(b"\n")):
            if not raw.strip():
                self._blank += 1
                found.append(None)
                continue
            line = strict_line(raw)
            if line is None:
                odd.add(at)
                line = self._said.by_older_rules(Spot(file, first + at, raw))
            found.append(line)
        return found

    def _sample(
        self,
        row: int,
        annotations: list[Annotation],
        asked: list[Classification],
        relations: list[Relation],
        media: Media | None = None,
        extra: Extra | None = None,
    ) -> Sample:
        rows = self._rows
        rows.used[row] = 1
        if media is None:
            media = self._picture
            if not annotations and self._default not in PICTURES:
                media = self._default()
        return Sample(
            rows.keys[row],
            media,
            tuple(annotations),
            tuple(asked),
            tuple(relations),
            None,
            bool(rows.are_ids[row]),
            {} if extra is None else extra,
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
        kind = self._rows.media(row, Audio if self._default is Audio else Video)
        media = None if kind is None else self._media.media(kind, self._rows.keys[row])
        whole = Whole()
        for place in places:
            file, offset, length, number = self._index.place(place)
            stream = streams[file]
            stream.seek(offset)
            spot = Spot(file, number, stream.read(length))
            strict = strict_line(spot.raw)
            # Lines that were decoded many at a time were not looked at one by one.
            line = self._said.by_older_rules(spot, row) if strict is None else strict
            if line is None:
                continue
            id = identity(line.uuid)
            if media is None:
                made = self._said.made(line, row, spot, id, strict is None)
                found: list[Made] = [] if made is None else [made]
            else:
                found = self._said.made_of_media(line, row, spot, id, strict is None, media)
            for each in found:
                if isinstance(each, Annotation) and each.id in whole.ends:
                    each = self._said.renamed(each, row, spot)
                whole.add(each, line, spot)
        relations = []
        for relation, spot in whole.relations:
            joined = self._said.joined(row, whole.ends, relation, spot)
            relations += [] if joined is None else [joined]
        extra, dangling = whole.beyond_model(self._reading)
        for beyond, spot in dangling:
            missing = {"missing": beyond.target}
            problem = Fault(codes.RELATION_END_MISSING, "/relationship/target", **missing)
            self._said.reject(problem, spot, "relations", row)
        return self._sample(row, whole.annotations, whole.asked, relations, media, extra)
