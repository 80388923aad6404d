"""What rows mean where nothing says it: found out from all rows of a dataset, never from one.

Rows of 5 are boxes in any task. All others can be read in several ways:

| numbers | readings |
|---|---|
| 6 | box and confidence, box and track id |
| 7 | triangle; box, confidence and track id |
| 9 | four corners of an oriented box; polygon of four points |
| 10, 11 | the same with one or two columns behind; 11 is a polygon of five points, too |
| odd from 13 | polygon; polygon with two columns |
| even from 8 | polygon and one column |
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator

import msgspec

from labelconv.fractions import infer_dims

#: How far a corner may be from where it closes a parallelogram, as a part of the picture.
_CLOSES = 0.002
_READ_AT_ONCE = 1 << 16
_FLAGS = os.O_RDONLY | getattr(os, "O_BINARY", 0)
BASE = {"detect": 5, "obb": 9}


class Counted(msgspec.Struct):
    """Rows of one length: how many of them end with a whole number above 1, with a number from 0
    to 1, with a whole number; have a number from 0 to 1 before the last one; and how many have
    four corners of a parallelogram."""

    rows: int = 0
    large: int = 0
    unit: int = 0
    whole: int = 0
    unit_before: int = 0
    closed: int = 0


class Decision(msgspec.Struct, frozen=True):
    """What rows mean. `words` are (what, evidence) of what was found out, empty if nothing was."""

    task: str
    columns: str
    words: tuple[tuple[str, str], ...] = ()


def content(path: str) -> bytes:
    """A whole file, in as few calls as can be. Raises `OSError`."""
    file = os.open(path, _FLAGS)
    try:
        data = os.read(file, _READ_AT_ONCE)
        if len(data) < _READ_AT_ONCE:
            return data
        pieces = [data]
        while piece := os.read(file, _READ_AT_ONCE << 4):
            pieces.append(piece)
        return b"".join(pieces)
    finally:
        os.close(file)


def count(paths: Iterable[str]) -> dict[int, Counted]:
    """The rows of all files, by how many numbers they have; 0 for rows that have others words."""
    counted: dict[int, Counted] = {}
    for fields in _rows(paths):
        length = len(fields)
        row = counted.get(length)
        if row is None:
            row = counted[length] = Counted()
        if length < 6:
            if length > 1 and not _is_number(fields[1]) and _is_number(fields[0]):
                counted.setdefault(0, Counted()).rows += 1
                continue
            row.rows += 1
            continue
        try:
            last, before = float(fields[-1]), float(fields[-2])
            if 9 <= length <= 11:
                row.closed += _closes([float(each) for each in fields[1:9]])
        except ValueError:
            if _is_number(fields[0]):
                counted.setdefault(0, Counted()).rows += 1
            continue
        row.rows += 1
        row.unit_before += 0 <= before <= 1
        if 0 <= last <= 1:
            row.unit += 1
            row.whole += last in (0, 1)
        elif last > 1 and last == int(last):
            row.whole += 1
            row.large += 1
    return {length: row for length, row in counted.items() if row.rows}


def _rows(paths: Iterable[str]) -> Iterator[list[bytes]]:
    for path in paths:
        try:
            data = content(path)
        except OSError:
            continue
        for row in data.removeprefix(b"\xef\xbb\xbf").splitlines():
            fields = row.split()
            if fields:
                yield fields


def _is_number(word: bytes) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True


def _closes(corners: list[float]) -> bool:
    """Whether four corners are a parallelogram's, as those of rectangles are in any unit."""
    ax, ay, bx, by, cx, cy, dx, dy = corners
    return abs(ax + cx - bx - dx) <= _CLOSES and abs(ay + cy - by - dy) <= _CLOSES


def decide(
    counted: dict[int, Counted], task: str | None, columns: str | None, keypoints: int
) -> Decision:
    """The task and the columns behind the coordinates; what is given is not asked for.

    `keypoints` are the numbers of a pose row behind its box.
    """
    words: list[tuple[str, str]] = []
    if task is None:
        task, found, evidence = _task(counted, columns)
        words.append((f"task={task}", evidence))
        columns = columns or found
    if columns is None:
        columns, evidence = _columns(counted, task, keypoints)
        if columns != "none":
            words.append((f"columns={columns}", evidence))
    return Decision(task, columns, tuple(words))


def _task(counted: dict[int, Counted], columns: str | None) -> tuple[str, str | None, str]:
    """(task, columns if they follow, evidence)."""
    lengths = {length for length in counted if length >= 5}
    shown = in_words(counted)
    if 0 in counted and counted[0].rows >= sum(counted[length].rows for length in lengths):
        return "classify", "none", f"{counted[0].rows} rows are a confidence and a name"
    if not lengths - {5, 6}:
        return "detect", None, shown
    seven = counted.get(7)
    if seven is not None and not lengths - {5, 6, 7}:
        tracked = seven.whole == seven.rows and seven.unit_before == seven.rows
        if columns == "conf+track" or (columns is None and tracked):
            return "detect", "conf+track", f"{shown}; all of 7 end with a whole number"
        if columns in ("conf", "track") or (6 in lengths and seven.large):
            return "detect", columns, shown
        return "segment", None, f"{shown}; those of 7 do not end with whole numbers"
    if not lengths - {9, 10, 11}:
        rows = sum(counted[length].rows for length in lengths)
        closed = sum(counted[length].closed for length in lengths)
        bare = 11 not in lengths or columns == "conf+track" or _ids(counted[11])
        if bare and 2 * closed > rows:
            return "obb", None, f"{shown}; the corners of {closed} are a parallelogram's"
        if bare:
            return "segment", None, f"{shown}; the corners of only {closed} are a parallelogram's"
    return "segment", None, shown


def _ids(row: Counted) -> bool:
    """Whether rows end with a confidence and a track id."""
    return row.large > 0 and row.whole == row.rows and row.unit_before == row.rows


def _columns(counted: dict[int, Counted], task: str, keypoints: int) -> tuple[str, str]:
    """What stands behind the coordinates, by the values there."""
    if task == "classify":
        return "none", ""
    if task == "segment":
        one = [row for length, row in counted.items() if length >= 6 and length % 2 == 0]
        odd = [row for length, row in counted.items() if length >= 7 and length % 2 == 1]
        two = odd if odd and all(map(_whole_ids, odd)) and any(map(_ids, odd)) else []
    else:
        base = BASE.get(task, 5 + keypoints)
        one = [row for length, row in counted.items() if length == base + 1]
        two = [row for length, row in counted.items() if length == base + 2]
    if two:
        return "conf+track", f"{sum(row.rows for row in two)} rows end with two more numbers"
    rows = sum(row.rows for row in one)
    if not rows:
        return "none", ""
    large = sum(row.large for row in one)
    if large:
        return "track", f"the number behind the coordinates is whole and above 1 in {large} rows"
    if all(row.unit == row.rows for row in one):
        return "conf", f"the number behind the coordinates is from 0 to 1 in all of {rows} rows"
    return "none", ""


def _whole_ids(row: Counted) -> bool:
    return row.whole == row.rows and row.unit_before == row.rows


def in_words(counted: dict[int, Counted]) -> str:
    """How many rows have how many numbers."""
    rows = {length: row.rows for length, row in sorted(counted.items()) if length}
    if len(rows) == 1:
        length, number = next(iter(rows.items()))
        return f"all {number} rows have {length} numbers"
    most = sorted(rows, key=lambda length: -rows[length])[:6]
    listed = ", ".join(f"{rows[length]} of {length}" for length in sorted(most))
    more = sum(rows.values()) - sum(rows[length] for length in most)
    return f"{listed} numbers{f', {more} of others' if more else ''}"


def infer_kpt_shape(paths: Iterable[str]) -> tuple[int, int] | None:
    """(keypoints, numbers for each) where all rows agree, as ultralytics does for NDJSON: three
    where each third number is 0, 1 or 2; else two where three do not fit."""
    lengths: set[int] = set()
    visible = True
    for fields in _rows(paths):
        lengths.add(len(fields) - 5)
        visible = visible and all(
            each.rstrip(b"0").rstrip(b".") in (b"", b"1", b"2") for each in fields[7::3]
        )
    if len(lengths) != 1:
        return None
    number = lengths.pop()
    dims = infer_dims(number, visible=visible)
    return None if dims is None else (number // dims, dims)
