"""The uuids of lines: the same for the same data row and annotation, and never twice in a run."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import repeat

from labelconv.formats.labelbox.check_uuids import canonical_uuid
from labelconv.formats.labelbox.reader_rows import spelled
from labelconv.formats.labelbox.records import is_uuid
from labelconv.identity import Names, uuids_between

#: Shorter texts are no UUID: 32 hex digits at least.
SHORTEST_UUID = 32


class Uuids:
    """Makes uuids from the data row's key and an annotation's id.

    An id that is a UUID already, in any spelling that Labelbox takes, is kept in the usual one, so
    that lines that were read and are written again keep theirs. One that an earlier data row has
    used gets a new one, since Labelbox refuses a uuid that occurs twice.
    """

    def __init__(self) -> None:
        self._made = Names()
        self._kept: set[bytes] = set()

    @property
    def kept(self) -> set[bytes]:
        """The ids that were UUIDs already and are used."""
        return self._kept

    def one(self, key: str, id: str) -> str:
        """The uuid of an annotation that came alone."""
        return self._made.uuid(key, id) if len(id) < SHORTEST_UUID else self._keep(key, id)

    def of(self, key: str, ids: Sequence[str]) -> list[str]:
        """The uuids of annotations of one data row, all different."""
        make = self._made.uuid
        uuids = [make(key, id) if len(id) < SHORTEST_UUID else self._keep(key, id) for id in ids]
        return uuids if len(set(uuids)) == len(uuids) else self._apart(key, ids, uuids)

    def between(self, key: str, ids: Sequence[str], before: str, after: Sequence[str]) -> str:
        """The uuids that `of` gives, each behind `before` and with its own text after it."""
        if len(set(ids)) == len(ids) and max(map(len, ids), default=0) < SHORTEST_UUID:
            return uuids_between(repeat(key, len(ids)), ids, before, after)
        uuids = self.of(key, ids)
        return "".join([f"{before}{uuid}{text}" for uuid, text in zip(uuids, after, strict=True)])

    def other(self, key: str, id: str, kind: str, taken: set[str]) -> str:
        """The uuid of an answer or a relation; `taken` has those of the data row and gets it."""
        uuid = self._keep(key, id) if kind == "relation" and len(id) >= SHORTEST_UUID else ""
        number = 0
        while not uuid or uuid in taken:
            uuid = self._made.uuid(key, f"{kind}:{id}" + (f"#{number}" if number else ""))
            number += 1
        taken.add(uuid)
        return uuid

    def _keep(self, key: str, id: str) -> str:
        if not is_uuid(id):
            return self._made.uuid(key, id)
        raw = canonical_uuid(id)
        if raw in self._kept:
            return self._made.uuid(key, id)
        self._kept.add(raw)
        return spelled(raw)

    def _apart(self, key: str, ids: Sequence[str], uuids: list[str]) -> list[str]:
        taken: set[str] = set()
        for position, id in enumerate(ids):
            number = 1
            while uuids[position] in taken:
                number += 1
                uuids[position] = self._made.uuid(key, f"{id}#{number}")
            taken.add(uuids[position])
        return uuids
