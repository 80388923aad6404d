"""Data rows by number, their keys, and the identities of lines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, TypeAlias

from msgspec import UNSET, UnsetType

from labelconv.formats.labelbox.check_uuids import canonical_uuid, canonical_uuids
from labelconv.formats.labelbox.records import DataRow, Line, is_uuid
from labelconv.identity import Seen
from labelconv.keys import Keys
from labelconv.model import Conversation, Text
from labelconv.problems import Code, Report


class Rows:
    """The data rows met so far, by number.

    `numbers` has them by `row_name`, `keys` are the samples' keys, `refused` those without a usable
    key (and why), `whole` those that must be delivered whole.
    """

    def __init__(self, keys: Keys, report: Report) -> None:
        self._keys = keys
        self._report = report
        self.numbers: dict[RowName | UnsetType, int] = {}
        self.keys: list[str] = []
        self.are_ids = bytearray()
        self.used = bytearray()
        self.refused: dict[int, tuple[Code, dict[str, object]]] = {}
        self.whole: set[int] = set()
        self._answered: dict[str, Seen] = {}
        self._media: dict[int, type[Any]] = {}

    def row(self, data_row: DataRow, whole: frozenset[RowName]) -> int:
        """The number of a data row, new or not; those that `whole` names are noted."""
        row = row_name(data_row)
        number = self.numbers.get(row)
        if number is None:
            number = self.numbers[row] = len(self.keys)
            self._enter(row, number)
            if row in whole:
                self.whole.add(number)
        return number

    def _enter(self, row: RowName, number: int) -> None:
        is_id = isinstance(row, tuple)
        name = row[0] if isinstance(row, tuple) else row
        self._report.ledger.samples.read += 1
        key, problem = self._keys.key(name, name, {"id" if is_id else "globalKey": name})
        if key is None:
            assert problem is not None
            self._report.ledger.samples.rejected += 1
            self.refused[number] = problem
        self.keys.append(name if key is None else key)
        self.are_ids.append(self._keys.are_ids if self._keys.renames else is_id)
        self.used.append(0)

    def tell(self, row: int, media: type[Any] | None) -> None:
        """A line of the data row is about this kind of media; the first one that says so counts.

        `float` stands for those that have time. A text with messages is a conversation.
        """
        if media is None:
            return
        before = self._media.get(row)
        if before in (None, float) or (before is Text and media is Conversation):
            self._media[row] = media

    def media(self, row: int, in_time: type[Any]) -> type[Any] | None:
        """What the lines tell of the data row's media; `in_time` where they only say that."""
        told = self._media.get(row)
        return in_time if told is float else told

    def unused(self) -> Iterator[int]:
        """The data rows all of whose lines were bad."""
        return (row for row, used in enumerate(self.used) if not used and row not in self.refused)

    def answered(self, row: int, question: str) -> bool:
        """Remember an answer; True if the data row has one to this question already."""
        return self._answered.setdefault(question, Seen()).add(row)


#: A global key as it is, an id in a tuple: different names, though the texts may be the same.
RowName: TypeAlias = str | tuple[str]


def row_name(row: DataRow) -> RowName:
    """What tells data rows apart."""
    if row.global_key is not UNSET:
        return row.global_key
    return ("" if row.id is UNSET else row.id,)


def spelled(key: bytes) -> str:
    """The 16 bytes of a UUID in the usual spelling."""
    text = key.hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def identity(uuid: str | UnsetType) -> str | None:
    """A uuid in the usual spelling, or as it is where it is none; None where there is none."""
    if uuid is UNSET:
        return None
    return spelled(canonical_uuid(uuid)) if is_uuid(uuid) else uuid


def identities(records: Sequence[Line | None]) -> tuple[list[str | None], bool]:
    """`identity` of many lines, and whether all of them are UUIDs in the usual spelling or none."""
    uuids = [UNSET if line is None else line.uuid for line in records]
    if canonical_uuids(uuids) is not None:
        return [None if uuid is UNSET else uuid.lower() for uuid in uuids], True
    return [identity(uuid) for uuid in uuids], False
