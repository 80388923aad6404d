"""Rows of a MOT file as arrays. What cannot be a row is rejected alone.

Columns: frame, id, left, top, width, height, and then, as far as there are any, confidence (or
whether to evaluate), class (or x), visibility (or y), z. Separated by commas or blanks.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator

import msgspec
import numpy as np

from labelconv import codes
from labelconv.frames import MOST_FRAME
from labelconv.io import Source, lines, skip_mark
from labelconv.problems import Report, Where
from labelconv.straight import Bools, Floats, Ints

COLUMNS = 10
#: What stands where a row has no such column.
NONE = -1.0
#: Ids above this are not whole numbers any more, as floats.
_MOST = 2.0**53
#: The edges are sums, and differences of them are taken.
_LARGEST = 1e150
_decode = msgspec.json.Decoder(list[float]).decode
_BETWEEN = re.compile(rb"\s*,\s*|\s+")


class Rows(msgspec.Struct):
    """`table` (N, 10) and the number of the line (N,) that each row stands on."""

    table: Floats
    line: Ints


def chunks(source: Source, report: Report) -> Iterator[Rows]:
    """The good rows of a file, in chunks. Counts the bad ones as read and rejected."""
    with source.open() as file:
        if skip_mark(file, source.name):
            report.add(codes.ENCODING_MARK, Where(path=source.name))
        for number, piece in lines(file, 1 << 20):
            rows = _regular(piece, number)
            if rows is None:
                rows = _irregular(piece, number, source, report)
            yield _sound(rows, piece, number, source, report)


def _regular(piece: bytes, number: int) -> Rows | None:
    """The rows of lines that all have equally many plain numbers and commas; else None."""
    if b"\r" in piece:
        piece = piece.replace(b"\r\n", b"\n")
    if not piece.endswith(b"\n"):
        piece += b"\n"
    tail, ending = _common_ending(piece)
    if tail:
        piece = piece.replace(ending, b"\n")
    data = np.frombuffer(piece, np.uint8)
    ends, commas = np.flatnonzero(data == 10), np.flatnonzero(data == 44)
    width, odd = divmod(len(commas), len(ends))
    width += 1
    if odd or not 6 <= width <= COLUMNS - len(tail):
        return None
    if (np.searchsorted(commas, ends) != np.arange(1, len(ends) + 1) * (width - 1)).any():
        return None
    try:
        numbers = _decode(b"[" + piece[:-1].replace(b"\n", b",") + b"]")
    except msgspec.DecodeError:
        return None
    if len(numbers) != len(ends) * width:
        return None
    table = np.full((len(ends), COLUMNS), NONE)
    table[:, :width] = np.fromiter(numbers, np.float64, len(numbers)).reshape(-1, width)
    table[:, width : width + len(tail)] = tail
    return Rows(table, np.arange(number, number + len(ends)))


def _common_ending(piece: bytes) -> tuple[list[float], bytes]:
    """The last columns, if they are the same on all lines, as they mostly are: numbers, and text.

    They need not be read again and again then.
    """
    last = piece[piece.rfind(b"\n", 0, -1) + 1 : -1].split(b",")
    lines = piece.count(b"\n")
    for width in range(min(len(last) - 6, 4), 0, -1):
        ending = b"," + b",".join(last[-width:]) + b"\n"
        if piece.count(ending) == lines:
            try:
                return [float(field) for field in last[-width:]], ending
            except ValueError:
                return [], b""
    return [], b""


def _irregular(piece: bytes, number: int, source: Source, report: Report) -> Rows:
    """The rows of any lines, one by one."""
    table: list[list[float]] = []
    at: list[int] = []
    for line, text in enumerate(piece.split(b"\n"), number):
        fields = [field for field in _BETWEEN.split(text.strip().rstrip(b",")) if field]
        if not fields:
            continue
        try:
            numbers = [float(field) for field in fields]
        except ValueError:
            numbers = []
        if not 6 <= len(numbers) <= COLUMNS:
            count = f"{len(fields)} fields" if numbers else "a text"
            report.ledger.annotations.read += 1
            report.reject(
                codes.RECORD_MALFORMED,
                Where(source.name, line),
                text.rstrip(b"\r"),
                expected="6 to 10 numbers, from frame and id on,",
                found=count,
            )
            continue
        table.append(numbers + [NONE] * (COLUMNS - len(numbers)))
        at.append(line)
    return Rows(np.array(table).reshape(-1, COLUMNS), np.array(at, np.int64))


def _sound(rows: Rows, piece: bytes, number: int, source: Source, report: Report) -> Rows:
    """The rows whose numbers can be meant."""
    table = rows.table
    if not len(table) or _all_sound(table):
        return rows
    frame, id = table[:, 0], table[:, 1]
    with np.errstate(invalid="ignore", over="ignore"):
        finite = np.isfinite(table[:, :6]).all(axis=1)
        good: Bools = np.logical_and(finite, (table[:, 4:6] >= 0).all(axis=1))
        good &= (frame >= 1) & (frame < MOST_FRAME) & (frame == np.floor(frame))
        good &= (np.abs(id) < _MOST) & (id == np.floor(id))
        good &= (np.abs(table[:, 2:6]) < _LARGEST).all(axis=1)
        good &= (np.abs(table[:, 6:]) < _MOST).all(axis=1)
    texts = piece.split(b"\n")
    for at in np.flatnonzero(~good).tolist():
        line = int(rows.line[at])
        _reject(table[at].tolist(), texts[line - number].rstrip(b"\r"), line, source, report)
    return Rows(table[good], rows.line[good])


def _all_sound(table: Floats) -> bool:
    """Whether all rows can be meant, found out in a few looks at all of them."""
    whole = table[:, :2]
    with np.errstate(invalid="ignore", over="ignore"):
        least, most = table[:, :6].min(axis=0), table[:, :6].max(axis=0)
        return bool(
            least[0] >= 1
            and least[1] > -_MOST
            and most[0] < MOST_FRAME
            and most[1] < _MOST
            and least[2:4].min() > -_LARGEST
            and least[4:].min() >= 0
            and most[2:].max() < _LARGEST
            and table[:, 6:].min() > -_MOST
            and table[:, 6:].max() < _MOST
            and (whole == np.floor(whole)).all()
        )


def _reject(numbers: list[float], text: bytes, line: int, source: Source, report: Report) -> None:
    report.ledger.annotations.read += 1
    place = Where(source.name, line)
    odd = next((n for n in numbers if not math.isfinite(n)), None)
    if odd is not None:
        report.reject(codes.NUMBER_NOT_FINITE, place, text, found=str(odd))
    elif numbers[4] < 0 or numbers[5] < 0:
        found = f"{numbers[4]:g} × {numbers[5]:g}"
        report.reject(codes.BOX_IMPOSSIBLE, place, text, found=found)
    else:
        report.reject(
            codes.RECORD_MALFORMED,
            place,
            text,
            expected="a frame of 1 or more, a whole number as id, and numbers of possible size",
            found=", ".join(f"{n:g}" for n in numbers),
        )


def texts_of(source: Source, wanted: set[int]) -> dict[int, bytes]:
    """The lines of these numbers, as they stand in the file."""
    found = {}
    with source.open() as file:
        skip_mark(file, source.name)
        for number, text in enumerate(file, 1):
            if number in wanted:
                found[number] = text.rstrip(b"\r\n")
    return found
