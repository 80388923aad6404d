"""Tables of MOT rows: sorted, spread over files, and what they say of each track."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from labelconv.formats.mot.rows import NONE, Rows
from labelconv.straight import Ints

#: Files that a very long table is spread over.
BUCKETS = 256
FRAME, ID, CONFIDENCE, CLASS, VISIBILITY = 0, 1, 6, 7, 8


class Facts:
    """What the rows of each track say; tracks begin at `starts`."""

    def __init__(
        self, table: np.ndarray[tuple[int, int], np.dtype[np.float64]], starts: Ints
    ) -> None:
        self._table = table
        self._ends = np.append(starts, len(table)).tolist()
        self.id: list[int] = table[starts, ID].astype(np.int64).tolist()
        self.kind: list[float] = table[starts, CLASS].tolist()
        scores = table[:, CONFIDENCE]
        self.least: list[float] = np.minimum.reduceat(scores, starts).tolist()
        self.most: list[float] = np.maximum.reduceat(scores, starts).tolist()
        seen = table[:, VISIBILITY] != NONE
        self.seen: list[bool] = np.logical_or.reduceat(seen, starts).tolist()
        self.sizes: list[int] = np.diff(self._ends).tolist()

    def column(self, at: int, column: int, kind: type) -> list[int | float]:
        """A column of a track, frame by frame."""
        numbers = self._table[self._ends[at] : self._ends[at + 1], column]
        listed: list[int | float] = numbers.astype(kind).tolist()
        return listed


def order_of(id: Ints, kind: Ints, frame: Ints) -> Ints:
    """What sorts rows by id, class, frame and line; most files are sorted already."""
    after = id[1:] > id[:-1]
    same = id[1:] == id[:-1]
    if (same | after).all():
        after |= same & (kind[1:] > kind[:-1])
        same &= kind[1:] == kind[:-1]
        if (after | (same & (frame[1:] >= frame[:-1]))).all():
            return np.arange(len(id))
    return np.lexsort((frame, kind, id)).astype(np.int64)


def joined(held: list[Rows]) -> Rows:
    if len(held) == 1:
        return held[0]
    if not held:
        return Rows(np.zeros((0, 10)), np.zeros(0, np.int64))
    return Rows(np.concatenate([r.table for r in held]), np.concatenate([r.line for r in held]))


def spread(held: Iterable[Rows], room: Path) -> None:
    """Append rows to files in `room`, those of one id to one file."""
    rows = joined(list(held))
    id = rows.table[:, ID]
    bucket = np.where(id == NONE, rows.line, np.abs(id)).astype(np.int64) % BUCKETS
    order = np.argsort(bucket, kind="stable")
    together = np.column_stack((rows.table, rows.line))[order]
    borders = np.searchsorted(bucket[order], np.arange(BUCKETS + 1)).tolist()
    for number in range(BUCKETS):
        if borders[number] < borders[number + 1]:
            with (room / f"{number:03}").open("ab") as file:
                file.write(together[borders[number] : borders[number + 1]].tobytes())


def unspread(path: Path) -> Rows:
    together = np.frombuffer(path.read_bytes()).reshape(-1, 11)
    return Rows(together[:, :10].copy(), together[:, 10].astype(np.int64))
