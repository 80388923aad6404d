"""Reads MOT: a sequence is a video, the rows of one id and class are one track.

Rows stay arrays until the tracks are made, of many sequences at once. A file with very many rows
is spread over temporary files by id first, so that memory holds a part of it only; where videos
may come in pieces, the tracks of each such file are one.
"""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path

import msgspec
import numpy as np

from labelconv import codes
from labelconv.boxtracks import ROWS_AT_ONCE, Answers, make_tracks
from labelconv.format import Reading
from labelconv.formats.mot import classes
from labelconv.formats.mot.options import MotReaderOptions
from labelconv.formats.mot.rows import NONE, Rows, chunks, texts_of
from labelconv.formats.mot.sequences import Info, Kind, Sequence, read_info, sequences
from labelconv.formats.mot.tables import (
    CLASS,
    CONFIDENCE,
    FRAME,
    ID,
    VISIBILITY,
    Facts,
    joined,
    order_of,
    spread,
    unspread,
)
from labelconv.frames import FrameMap
from labelconv.io import Source
from labelconv.model import (
    Annotation,
    Classification,
    Dataset,
    Extra,
    FreeText,
    Sample,
    Samples,
)
from labelconv.problems import Where
from labelconv.sequencefiles import map_of
from labelconv.straight import Bools, Floats, Ints

#: Rows of one file that are held at once; beyond, they go to temporary files.
ROWS_HELD = 500_000


class _Clip(msgspec.Struct):
    """A sequence under way: what is known of it, and its annotations so far."""

    sequence: Sequence
    key: str
    info: Info
    kind: Kind
    names: classes.Names
    annotations: list[tuple[tuple[int, int, int], Annotation]] = []
    begun: bool = False


class _Part(msgspec.Struct, frozen=True):
    """Rows of some tracks of a clip, sorted by id, class and frame; `track` numbers them."""

    clip: _Clip
    rows: Rows
    track: Ints
    whole: bool


def read(source: Source, options: MotReaderOptions, reading: Reading) -> Dataset:
    """The sequences as samples. Raises `OptionError`, and `SourceError` if there are none."""
    moved = map_of(options, "mot")
    given = None if options.classes is None else classes.given(options.classes)
    found = sequences(source, options.rows)
    reader = _Reader(options, reading, moved, given)
    return Samples(lambda: reader.samples(found))


class _Reader:
    def __init__(
        self,
        options: MotReaderOptions,
        reading: Reading,
        moved: FrameMap,
        given: classes.Names | None,
    ) -> None:
        self._options = options
        self._reading = reading
        self._report = reading.report
        self._map = moved
        self._given = given
        extra = reading.wanted.extra
        self._extra = extra is None or "mot" in extra

    def samples(self, found: list[Sequence]) -> Iterator[Sample]:
        self._reading.keys.restart()
        self._report.thinned = self._reading.wanted.tolerance is not None
        waiting: list[_Part] = []
        count = 0
        for sequence in found:
            for part in self._parts(sequence):
                waiting.append(part)
                count += len(part.track)
                if count >= ROWS_AT_ONCE:
                    yield from self._made(waiting)
                    waiting, count = [], 0
        yield from self._made(waiting)

    # ------------------------------------------------------------------ rows of one sequence

    def _parts(self, sequence: Sequence) -> Iterator[_Part]:
        report = self._report
        report.ledger.samples.read += 1
        info = read_info(sequence.info, report)
        key, problem = self._reading.keys.key(sequence.name, sequence.name, dict(info.fields))
        if key is None:
            assert problem is not None  # keys give one or the other
            code, values = problem
            record = sequence.name.encode()
            place = Where(path=None if sequence.rows is None else sequence.rows.name)
            report.reject(code, place, record, "samples", **values)
            return
        clip = _Clip(sequence, key, info, "results", self._given or {}, [])
        if sequence.rows is None:
            yield self._part(clip, Rows(np.zeros((0, 10)), np.zeros(0, np.int64)), whole=True)
            return
        if self._given is None:
            beside = None if sequence.labels is None else classes.beside(sequence.labels)
            clip.names = classes.official() if beside is None else beside
        yield from self._tables(sequence.rows, clip)

    def _tables(self, source: Source, clip: _Clip) -> Iterator[_Part]:
        """The rows at once, or some ids at a time if they are too many."""
        held: list[Rows] = []
        count = 0
        with contextlib.ExitStack() as stack:
            room: Path | None = None
            for rows in chunks(source, self._report):
                if not held and room is None:
                    clip.kind = self._kind(clip.sequence, rows)
                held.append(rows)
                count += len(rows.line)
                if count >= ROWS_HELD:
                    if room is None:
                        made = tempfile.TemporaryDirectory(prefix="labelconv-")
                        room = Path(stack.enter_context(made))
                    spread(held, room)
                    held, count = [], 0
            if room is None:
                yield self._part(clip, joined(held), whole=True)
                return
            spread(held, room)
            del held
            paths = sorted(room.iterdir())
            for path in paths:
                yield self._part(clip, unspread(path), whole=path is paths[-1])

    def _kind(self, sequence: Sequence, rows: Rows) -> Kind:
        """What the rows are: by the option, by the file's name, by their numbers."""
        asked = self._options.rows
        if asked != "auto":
            return asked
        if sequence.kind is not None:
            return sequence.kind
        table = rows.table
        if not len(table):
            return "results"
        source = "" if sequence.rows is None else sequence.rows.name
        if (table[:, ID] == NONE).all():
            return "det"
        flags = np.isin(table[:, CONFIDENCE], (0.0, 1.0)).all()
        if flags and (table[:, CLASS] >= 1).all() and (table[:, CLASS] % 1 == 0).all():
            what, evidence = "rows", f"column 7 is 0 or 1 and column 8 a class in {source}"
            self._report.add(
                codes.CONVENTION_GUESSED, Where(path=source), what=f"gt {what}", evidence=evidence
            )
            return "gt"
        return "results"

    def _part(self, clip: _Clip, rows: Rows, whole: bool) -> _Part:
        """The rows sorted into tracks; rows to skip are counted and gone."""
        table = rows.table
        if clip.kind == "gt":
            rows = self._evaluated(rows)
            table = rows.table
            kind = table[:, CLASS].astype(np.int64)
        else:
            kind = np.full(len(table), -1, np.int64)
            self._count_columns(table, ((7, "mot:x"), (8, "mot:y")))
        self._count_columns(table, ((9, "mot:z"),))
        frame, id = table[:, FRAME].astype(np.int64), table[:, ID].astype(np.int64)
        # A detection without an id is a track of its own, numbered below zero by its line.
        alone = id == -1
        id[alone] = -1 - rows.line[alone]
        order = order_of(id, kind, frame)
        id, kind, frame = id[order], kind[order], frame[order]
        same = np.zeros(len(id), np.bool_)
        same[1:] = (id[1:] == id[:-1]) & (kind[1:] == kind[:-1])
        twice = same.copy()
        twice[1:] &= frame[1:] == frame[:-1]
        if twice.any():
            self._reject_repeated(clip, rows, order, twice)
            order, same = order[~twice], same[~twice]
        return _Part(clip, Rows(table[order], rows.line[order]), np.cumsum(~same) - 1, whole)

    def _count_columns(self, table: Floats, columns: tuple[tuple[int, str], ...]) -> None:
        for column, name in columns:
            count = np.count_nonzero(table[:, column] != NONE)
            if count:
                self._report.field(name, int(count))

    def _evaluated(self, rows: Rows) -> Rows:
        """The rows of gt that count, all if `ignored` is `keep`; tracks with none are skipped."""
        flags = rows.table[:, CONFIDENCE]
        out = flags == 0
        if self._options.ignored == "keep" or not out.any():
            return rows
        named = rows.table[:, [ID, CLASS]]
        left = {tuple(pair) for pair in np.unique(named[~out], axis=0).tolist()}
        gone = {tuple(pair) for pair in np.unique(named[out], axis=0).tolist()} - left
        self._report.ledger.annotations.read += len(gone)
        self._report.ledger.annotations.skipped += len(gone)
        self._report.field("mot:not evaluated (rows, left out)", int(np.count_nonzero(out)))
        return Rows(rows.table[~out], rows.line[~out])

    def _reject_repeated(
        self,
        clip: _Clip,
        rows: Rows,
        order: Ints,
        twice: Bools,
    ) -> None:
        report, source = self._report, clip.sequence.rows
        assert source is not None  # for mypy; the rows came from it
        again = np.flatnonzero(twice)
        texts = texts_of(source, set(rows.line[order[again]].tolist()))
        for at in again.tolist():
            first = at - 1
            while twice[first]:
                first -= 1
            row = order[at]
            line = int(rows.line[row])
            value = f"{rows.table[row, 0]:.0f} of id {rows.table[row, 1]:.0f}"
            report.ledger.annotations.read += 1
            report.reject(
                codes.ID_DUPLICATE,
                Where(source.name, line),
                texts.get(line, b""),
                field="frame",
                value=value,
                first=f"line {rows.line[order[first]]}",
            )

    # ------------------------------------------------------------------ tracks of many sequences

    def _made(self, parts: list[_Part]) -> Iterator[Sample]:
        """The samples that are whole with these parts."""
        filled = [part for part in parts if len(part.track)]
        if filled:
            self._annotate(filled)
        in_pieces = self._reading.wanted.video_pieces
        for part in parts:
            clip = part.clip
            if part.whole and not clip.begun:
                yield self._sample(clip)
            elif clip.annotations and (part.whole or in_pieces):
                clip.begun = True
                yield self._sample(clip)

    def _annotate(self, parts: list[_Part]) -> None:
        tables = [part.rows.table for part in parts]
        table = tables[0] if len(tables) == 1 else np.concatenate(tables)
        counts = [int(part.track[-1]) + 1 for part in parts]
        offsets = np.cumsum([0, *counts[:-1]])
        track = np.concatenate(
            [part.track + offset for part, offset in zip(parts, offsets.tolist(), strict=True)]
        )
        shift = 1.0 if self._options.origin == "one" else 0.0
        boxes = np.empty((len(table), 4))
        np.subtract(table[:, 2:4], shift, out=boxes[:, :2])
        np.add(boxes[:, :2], table[:, 4:6], out=boxes[:, 2:])
        frames = self._map.start + (table[:, FRAME].astype(np.int64) - 1) * self._map.stride
        states, answers = self._answers(parts, table)
        tolerance = self._reading.wanted.tolerance
        made = make_tracks(
            track,
            frames,
            boxes,
            max_gap=self._options.gap * self._map.stride,
            tolerance=tolerance,
            states=states,
            answers=answers,
        )
        starts = np.flatnonzero(np.diff(track, prepend=-1))
        facts = Facts(table, starts)
        number = 0
        for part, count in zip(parts, counts, strict=True):
            clip = part.clip
            lines = part.rows.line
            local = starts[number : number + count] - starts[number]
            for at in range(number, number + count):
                annotation = self._annotation(clip, facts, at, int(lines[local[at - number]]))
                order, id, category, confidence, extra = annotation
                value = made.tracks[at]
                clip.annotations.append(
                    (order, Annotation(id, category, value, (), confidence, extra))
                )
                if tolerance is not None:
                    where = Where(sample=clip.key, annotation=id)
                    self._report.keyframes.add(
                        made.before[at], made.after[at], made.drift[at], made.iou[at], where
                    )
            number += count

    def _annotation(
        self, clip: _Clip, facts: Facts, at: int, line: int
    ) -> tuple[tuple[int, int, int], str, str, float | None, Extra]:
        """What is said of a track beside where it is; its id is not unique yet."""
        number, kind = facts.id[at], facts.kind[at]
        id = str(number) if number != -1 else f"line {line}"
        category, confidence = self._options.category, None
        extra: Extra = {}
        if clip.kind == "gt":
            if kind != NONE:
                named = clip.names.get(int(kind)) if kind == int(kind) else None
                category = named or f"class {kind:g}"
            if facts.least[at] == 0 and self._extra:
                extra["mot:evaluated"] = facts.column(at, CONFIDENCE, int)
            if self._options.visibility == "extra" and facts.seen[at]:
                if self._extra:
                    extra["mot:visibility"] = facts.column(at, VISIBILITY, float)
                else:
                    self._report.field("mot:visibility", facts.sizes[at])
            elif self._options.visibility == "none" and facts.seen[at]:
                self._report.field("mot:visibility", facts.sizes[at])
        elif facts.least[at] == facts.most[at]:
            confidence = None if facts.least[at] == NONE else facts.least[at]
        elif self._extra:
            extra["mot:confidence"] = facts.column(at, CONFIDENCE, float)
        else:
            self._report.field("mot:confidence (of frames)", facts.sizes[at])
        order = (number, -1 if clip.kind != "gt" else int(kind), line)
        return order, id, category, confidence, extra

    def _answers(self, parts: list[_Part], table: Floats) -> tuple[Ints | None, list[Answers]]:
        """The visibility of each row as an answer, where that is asked for."""
        if self._options.visibility != "answer":
            return None, [()]
        of_gt = np.repeat([p.clip.kind == "gt" for p in parts], [len(p.track) for p in parts])
        seen = np.where(of_gt, table[:, VISIBILITY], NONE)
        values, states = np.unique(seen, return_inverse=True)
        answers: list[Answers] = [
            () if value == NONE else (Classification("visibility", FreeText(f"{value:g}")),)
            for value in values.tolist()
        ]
        return states.astype(np.int64), answers

    def _sample(self, clip: _Clip) -> Sample:
        report = self._report
        annotations = []
        taken: set[str] = set()
        # As they first appear in the file.
        for (_, kind, line), annotation in sorted(clip.annotations, key=lambda pair: pair[0][2]):
            id = annotation.id
            if id in taken:
                id = f"{id}/{kind}"
                rows = clip.sequence.rows
                report.add(
                    codes.ANNOTATION_ID_DUPLICATE,
                    Where(None if rows is None else rows.name, line, sample=clip.key),
                    value=annotation.id,
                    renamed=id,
                )
                annotation = msgspec.structs.replace(annotation, id=id)
            taken.add(id)
            annotations.append(annotation)
        clip.annotations = []
        report.ledger.annotations.read += len(annotations)
        info = clip.info
        media = self._map.video(info.width, info.height, info.frame_count, info.frame_rate)
        are_ids = self._reading.keys.are_ids
        return Sample(clip.key, media, tuple(annotations), key_is_id=are_ids)
