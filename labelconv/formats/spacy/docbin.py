"""DocBin, spaCy's binary file of texts: zlib around msgpack, read without spaCy.

The layout is that of spaCy 3 (`tokens/_serialize.py`, `tokens/_dict_proxies.py`): a table of 64-bit
numbers with a row for each token and a column for each attribute, ORTH first; strings by hash; a
flag for the blank behind each token; groups of spans as msgpack within msgpack.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from itertools import accumulate
from typing import Any

import msgspec
import numpy as np

from labelconv.errors import SourceError
from labelconv.formats.spacy.records import Block, Record, Span
from labelconv.formats.spacy.symbols import (
    ENT_ID,
    ENT_IOB,
    ENT_KB_ID,
    ENT_TYPE,
    LEFT_OUT,
    ORTH,
    SYMBOLS,
    hashes,
)

#: Id, knowledge-base id, label, then half-open tokens and characters.
SPAN = struct.Struct(">QQQllll")
_BEGIN, _INSIDE = 3, 1
_IDS = (("id", ENT_ID), ("kb_id", ENT_KB_ID))
_EMPTY_GROUPS = (b"", b"\x90")  # nothing, or an empty list in msgpack


class Packed(msgspec.Struct):
    """The msgpack object of a DocBin."""

    attrs: list[int]
    tokens: bytes
    spaces: bytes
    lengths: bytes
    strings: list[str]
    cats: list[dict[str, float] | None]
    version: str = "0.1"
    flags: list[dict[str, Any]] = []
    span_groups: list[bytes] = []
    user_data: list[bytes | None] = []


class Group(msgspec.Struct):
    """A span group, packed by itself."""

    name: str
    spans: list[bytes]
    attrs: dict[Any, Any] = {}


def unpacked(data: bytes, name: str) -> Packed:
    """The object in the file. Raises `SourceError` when it is not a whole DocBin."""
    try:
        packed = msgspec.msgpack.decode(zlib.decompress(data), type=Packed)
    except (zlib.error, msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise SourceError(f"{name}: a whole DocBin expected; {error}") from None
    count = len(packed.lengths) // 4
    columns = len(packed.attrs)
    rows = int(np.frombuffer(packed.lengths, "<i4").sum()) if len(packed.lengths) % 4 == 0 else -1
    whole = (
        rows == len(packed.spaces)
        and rows * columns * 8 == len(packed.tokens)
        and len(packed.cats) == count
        and ORTH in packed.attrs
        and all(len(each) in (0, count) for each in (packed.flags, packed.user_data))
        and len(packed.span_groups) in (0, count)
        and bool((np.frombuffer(packed.lengths, "<i4") >= 0).all())
    )
    if not whole:
        raise SourceError(f"{name}: a whole DocBin expected; its tables are not of one length")
    return packed


class Bin:
    """The texts of a DocBin as records, in order; iterated as often as wanted."""

    def __init__(self, packed: Packed, name: str) -> None:
        self._packed = packed
        self._name = name
        self.left_out: dict[str, int] = {}
        self._table = np.frombuffer(packed.tokens, "<u8").reshape(-1, len(packed.attrs))
        self._strings = {number: text for text, number in SYMBOLS.items()}
        self._strings.update(zip(hashes(packed.strings), packed.strings, strict=True))
        for number, field in LEFT_OUT.items():
            if number in packed.attrs:
                said = int(np.count_nonzero(self._column(number)))
                if said:
                    self.left_out[f"tokens.{field}"] = said

    def _column(self, attribute: int) -> np.ndarray[Any, np.dtype[np.uint64]]:
        return self._table[:, self._packed.attrs.index(attribute)]

    def records(self) -> Iterator[tuple[Record, list[str]]]:
        """Each text, with the names of its user data that have no place."""
        packed = self._packed
        strings = self._strings
        spaced = {number: f"{text} " for number, text in strings.items()}
        words = self._column(ORTH)
        spaces = packed.spaces
        lengths = np.frombuffer(packed.lengths, "<i4")
        firsts, beyonds, labels = self._entities(lengths)
        ids = [(name, self._column(n)) for name, n in _IDS if n in packed.attrs]
        ids = [(name, column) for name, column in ids if column.any()]
        count = len(firsts)
        at = entity = 0
        for number, length in enumerate(lengths.tolist()):
            end = at + length
            row = words[at:end].tolist()
            flags = packed.flags[number] if packed.flags else {}
            try:
                if flags.get("has_unknown_spaces"):
                    pieces = [spaced[word] for word in row]
                else:
                    pieces = [
                        spaced[word] if blank else strings[word]
                        for word, blank in zip(row, spaces[at:end], strict=True)
                    ]
            except KeyError as error:
                raise SourceError(
                    f"{self._name}: the strings of all tokens expected in the file, that of hash "
                    f"{error} (text {number + 1}) is missing"
                ) from None
            record = Record("".join(pieces))
            if entity < count and firsts[entity] < end:
                starts = [0, *accumulate(map(len, pieces))]
                spans = []
                while entity < count and firsts[entity] < end:
                    first, last = firsts[entity] - at, beyonds[entity] - at - 1
                    beyond = starts[last] + len(strings[row[last]])
                    label = strings.get(labels[entity])
                    if label is None:
                        self._count("ents whose label's string is missing")
                    span = Span(starts[first], beyond, label)
                    for name, column in ids:
                        setattr(span, name, strings.get(int(column[at + first])) or None)
                    spans.append(span)
                    entity += 1
                record.spans = spans
            if packed.span_groups and packed.span_groups[number] not in _EMPTY_GROUPS:
                record.spans = [*record.spans, *self._groups(packed.span_groups[number], number)]
            record.cats = packed.cats[number] or None
            left_out: list[str] = []
            if packed.user_data and packed.user_data[number]:
                left_out = _user_data(record, packed.user_data[number] or b"")
            yield record, left_out
            at = end

    def _count(self, name: str) -> None:
        self.left_out[name] = self.left_out.get(name, 0) + 1

    def _entities(self, lengths: Any) -> tuple[list[int], list[int], list[int]]:
        """First token, token behind the last, and label's hash of each entity of all texts.

        3 begins an entity, 1 goes on with it, 2 and 0 are outside. An entity ends with its text.
        """
        if ENT_IOB not in self._packed.attrs or ENT_TYPE not in self._packed.attrs:
            return [], [], []
        iobs, types = self._column(ENT_IOB), self._column(ENT_TYPE)
        inside = ((iobs == _BEGIN) | (iobs == _INSIDE)) & (types != 0)
        goes_on = inside & (iobs == _INSIDE)
        goes_on[1:] &= inside[:-1] & (types[1:] == types[:-1])
        beginnings = np.concatenate(([0], np.cumsum(lengths)))[:-1]
        goes_on[beginnings[beginnings < len(goes_on)]] = False
        last = inside.copy()
        last[:-1] &= ~goes_on[1:]
        firsts = np.flatnonzero(inside & ~goes_on)
        beyonds = np.flatnonzero(last) + 1
        return firsts.tolist(), beyonds.tolist(), types[firsts].tolist()

    def _groups(self, data: bytes, number: int) -> Iterator[Span]:
        """Spans of all groups. Groups are a list of them, or (spaCy 3.4) names by group."""
        strings = self._strings
        try:
            listed = msgspec.msgpack.decode(data)
            named = listed.items() if isinstance(listed, dict) else ((each, ()) for each in listed)
            for packed, names in named:
                group = msgspec.msgpack.decode(packed, type=Group)
                for name in names or (group.name,):
                    for each in group.spans:
                        id, kb, label, _, _, start, end = SPAN.unpack(each)
                        if label not in strings:
                            self._count("spans whose label's string is missing")
                        span = Span(start, end, strings.get(label), group=name)
                        span.id, span.kb_id = strings.get(id) or None, strings.get(kb) or None
                        yield span
        except (msgspec.DecodeError, struct.error, TypeError, AttributeError) as error:
            raise SourceError(
                f"{self._name}: span groups as spaCy packs them expected, in text {number + 1}; "
                f"{error}"
            ) from None


def _user_data(record: Record, data: bytes) -> list[str]:
    """Take labelconv's own block out of a text's user data; the names of the rest."""
    try:
        found = msgspec.msgpack.decode(data)
    except (msgspec.DecodeError, ValueError):
        return ["user_data"]
    names = []
    for name, value in found.items() if isinstance(found, dict) else ():
        if name == "labelconv":
            try:
                record.labelconv = msgspec.convert(value, Block)
            except msgspec.ValidationError:
                names.append("user_data.labelconv")
        elif name == "meta":
            record.meta = msgspec.Raw(msgspec.json.encode(value))
        elif isinstance(name, str):
            names.append(f"user_data.{name}")
        else:  # what `Doc.set_extension` keeps: ("._.", name, start, end)
            names.append(
                f"_.{name[1]}" if isinstance(name, tuple) and len(name) > 1 else "user_data"
            )
    return names
