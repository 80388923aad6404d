"""Identities: a compact set of ids, and UUIDs made from names (RFC 9562, version 5)."""

from __future__ import annotations

import hashlib
import re
import uuid
from collections.abc import Iterable, Sequence

#: The namespace of the UUIDs of annotations. Never change it: uploads are told apart by it.
NAMESPACE = uuid.UUID("8b0e6f2a-52c7-5d0e-9a55-3f1d8f6f1c11")

_PAGE_BITS = 12
_PAGE_BYTES = 1 << (_PAGE_BITS - 3)
_LAST_BYTE = _PAGE_BYTES - 1
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
                page = self._pages[id >> _PAGE_BITS] = bytearray(_PAGE_BYTES)
            if page is not None:
                at, bit = id >> 3 & _LAST_BYTE, 1 << (id & 7)
                if page[at] & bit:
                    return True
                page[at] |= bit
                return False
        if id in self._others:
            return True
        self._others.add(id)
        return False

    def __contains__(self, id: int | str) -> bool:
        if isinstance(id, int) and id >= 0:
            page = self._pages.get(id >> _PAGE_BITS)
            if page is not None:
                return bool(page[id >> 3 & _LAST_BYTE] & 1 << (id & 7))
        return id in self._others

    def meets(self, other: Seen) -> bool:
        """Whether any id is remembered by both."""
        for number, page in self._pages.items():
            there = other._pages.get(number)
            if there is not None and int.from_bytes(page) & int.from_bytes(there):
                return True
        # Where pages ran out, a number may be on a page of one and among the others of the other.
        return any(id in other for id in self._others) or any(id in self for id in other._others)

    def update(self, other: Seen) -> None:
        """Remember all that another one does."""
        for number, page in other._pages.items():
            own = self._pages.get(number)
            if own is not None:
                both = int.from_bytes(own) | int.from_bytes(page)
                own[:] = both.to_bytes(len(own))
            elif len(self._pages) < _MOST_PAGES:
                self._pages[number] = page
            else:
                start = number << _PAGE_BITS
                bits = (
                    start + at for at in range(1 << _PAGE_BITS) if page[at >> 3] & 1 << (at & 7)
                )
                self._others.update(bits)
        for id in other._others:
            self.add(id)


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
        return _uuid(digest.hexdigest())


def _uuid(digits: str) -> str:
    variant = _VARIANT[digits[16]]
    return f"{digits[:8]}-{digits[8:12]}-5{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:32]}"


def uuids_between(
    keys: Iterable[str], names: Iterable[str], before: str, after: Iterable[str]
) -> str:
    """The UUID of each key and name, behind `before` and with its own text after it.

    They are those of `Names.uuid`, made in a third of its time.
    """
    sha1, namespace = hashlib.sha1, _NAMESPACE_BYTES
    # For starts as short as most are, a hash from the start is faster than a copy.
    digests = [
        sha1(
            namespace + f"{key}\0{name}".encode("utf-8", "surrogatepass"), usedforsecurity=False
        ).digest()
        for key, name in zip(keys, names, strict=True)
    ]
    if len(digests) < _MANY:
        return "".join(
            [
                f"{before}{_uuid(digest.hex())}{behind}"
                for digest, behind in zip(digests, after, strict=True)
            ]
        )
    uuids = _spelled(digests)
    places = range(0, len(uuids), _LETTERS)
    return "".join(
        [
            f"{before}{uuids[at : at + _LETTERS]}{behind}"
            for at, behind in zip(places, after, strict=True)
        ]
    )


def _spelled(digests: Sequence[bytes]) -> str:
    """UUIDs of hashes of 20 bytes, one after the other: each digit is put at its place in all of
    them at once."""
    whole = bytearray().join(digests)
    whole[6::20] = whole[6::20].translate(_VERSION_BYTES)
    whole[8::20] = whole[8::20].translate(_VARIANT_BYTES)
    digits = whole.hex().encode("ascii")
    letters = bytearray(b"-") * (_LETTERS * len(digests))
    for digit, letter in enumerate(_PLACES):
        letters[letter::_LETTERS] = digits[digit::40]
    return letters.decode("ascii")


_NAMESPACE_BYTES = NAMESPACE.bytes
#: From how many UUIDs on it is faster to spell all at once; a text has a few.
_MANY = 64
#: Where the 32 digits are among the letters of a UUID: behind 8, 12, 16 and 20 of them is a dash.
_LETTERS = 36
_PLACES = [digit + min(max(digit // 4 - 1, 0), 4) for digit in range(32)]
_VERSION_BYTES = bytes(byte & 0x0F | 0x50 for byte in range(256))
_VARIANT_BYTES = bytes(byte & 0x3F | 0x80 for byte in range(256))
_VARIANT = {digit: "89ab"[int(digit, 16) & 3] for digit in "0123456789abcdef"}


def whole_numbers(ids: Sequence[str], first: int = 1) -> tuple[list[int], int]:
    """A number of `first` or more for each id: the id itself where it is one, else one that is
    free; and how many ids are not the number that they get."""
    own = {id: int(id) for id in ids if _WHOLE.fullmatch(id) and int(id) >= first}
    taken = set(own.values())
    numbers = []
    free = first
    for id in ids:
        number = own.get(id)
        if number is None:
            while free in taken:
                free += 1
            number = free
            taken.add(number)
        numbers.append(number)
    return numbers, sum(id not in own for id in ids)


_WHOLE = re.compile(r"0|[1-9][0-9]{0,8}")
