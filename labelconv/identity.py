"""Identities: a compact set of ids, and UUIDs made from names (RFC 9562, version 5)."""

from __future__ import annotations

import hashlib
import uuid

#: The namespace of the UUIDs of annotations. Never change it: uploads are told apart by it.
NAMESPACE = uuid.UUID("8b0e6f2a-52c7-5d0e-9a55-3f1d8f6f1c11")

_PAGE_BITS = 12
_MOST_PAGES = 20_000


class Seen:
    """Remembers ids. Dense whole numbers, as most files have, cost about a bit each."""

    def __init__(self) -> None:
        self._pages: dict[int, bytearray] = {}
        self._others: set[int | str] = set()

    def add(self, id: int | str) -> bool:
        """Remember `id`; True if it was there already."""
        if isinstance(id, int) and id >= 0:
            page = self._pages.get(id >> _PAGE_BITS)
            if page is None and len(self._pages) < _MOST_PAGES:
                page = self._pages[id >> _PAGE_BITS] = bytearray(1 << (_PAGE_BITS - 3))
            if page is not None:
                at, bit = (id >> 3) & ((1 << (_PAGE_BITS - 3)) - 1), 1 << (id & 7)
                if page[at] & bit:
                    return True
                page[at] |= bit
                return False
        if id in self._others:
            return True
        self._others.add(id)
        return False


class Names:
    """UUIDv5 of (sample key, name), made by hand: a third of `uuid.uuid5`'s time."""

    def __init__(self) -> None:
        self._key: str | None = None
        self._start = b""
        self._prefix: hashlib._Hash | None = None

    def uuid(self, key: str, name: str) -> str:
        encoded = name.encode("utf-8", "surrogatepass")
        if key != self._key:
            self._key = key
            self._start = _NAMESPACE_BYTES + key.encode("utf-8", "surrogatepass") + b"\0"
            self._prefix = None
            digest = hashlib.sha1(self._start + encoded, usedforsecurity=False)
        else:
            # Only from the second annotation of a sample on does a common start pay.
            if self._prefix is None:
                self._prefix = hashlib.sha1(self._start, usedforsecurity=False)
            digest = self._prefix.copy()
            digest.update(encoded)
        text = digest.hexdigest()
        variant = _VARIANT[text[16]]
        return f"{text[:8]}-{text[8:12]}-5{text[13:16]}-{variant}{text[17:20]}-{text[20:32]}"


_NAMESPACE_BYTES = NAMESPACE.bytes
_VARIANT = {digit: "89ab"[int(digit, 16) & 3] for digit in "0123456789abcdef"}
