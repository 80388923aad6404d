"""What a line is about: its data row, and whether it is an object or an answer."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import UNSET

from labelconv.formats.labelbox.wire import Line


def is_object(line: Line) -> bool:
    """Whether a relation may have the line as an end: whatever a tool drew."""
    return line.answer is UNSET and line.answers is UNSET and line.relationship is UNSET


def has_ranges(line: Line) -> bool:
    """Whether an answer holds for ranges of time, all of it or each of its options."""
    if line.frames is not UNSET:
        return True
    answer = line.answer if line.answer is not UNSET else line.answers
    options = answer if isinstance(answer, tuple) else (answer,)
    return any(getattr(option, "frames", UNSET) is not UNSET for option in options)


def key_of(line: Line) -> str:
    """What the line calls its data row, as problems name it."""
    row = line.data_row
    return row.global_key if row.global_key is not UNSET else str(row.id)


def row_of(line: Line) -> str:
    """A text that tells data rows apart: ids and global keys are different names."""
    row = line.data_row
    return row.global_key if row.global_key is not UNSET else f"\0{row.id}"


def row_texts(lines: Sequence[Line]) -> Sequence[object] | None:
    """`row_of` of many lines; None if they do not all have a global key alone, or an id alone."""
    rows = [line.data_row for line in lines]
    keys = [row.global_key for row in rows]
    ids = [row.id for row in rows]
    if UNSET not in keys and ids.count(UNSET) == len(ids):
        return keys
    if UNSET not in ids and keys.count(UNSET) == len(keys):
        return [f"\0{each}" for each in ids]
    return None
