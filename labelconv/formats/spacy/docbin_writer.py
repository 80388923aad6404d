"""Packs texts into a DocBin as spaCy 3 reads it, without spaCy."""

from __future__ import annotations

import zlib
from array import array
from itertools import pairwise
from typing import Any

import msgspec
import numpy as np

from labelconv.formats.spacy.docbin import SPAN, Group, Packed
from labelconv.formats.spacy.options import SpacyWriterOptions
from labelconv.formats.spacy.records import Block
from labelconv.formats.spacy.symbols import ENT_IOB, ENT_KB_ID, ENT_TYPE, ORTH, hashes
from labelconv.formats.spacy.writer import Cats, answers
from labelconv.model import Annotation, Sample, Text, TextSpan
from labelconv.tokens import Tokenizer

_INSIDE, _OUT, _BEGIN, _MISSING = 1, 2, 3, 0
_encode = msgspec.msgpack.encode


class DocBinWriter:
    """Collects texts, and packs them when all are there: a DocBin is one packed object.

    Strings get numbers while texts come, and are hashed together at the end.
    """

    def __init__(self, options: SpacyWriterOptions, cut: Tokenizer) -> None:
        self._options = options
        self._cut = cut
        self._numbers: dict[str, int] = {"": 0}
        self._words = array("Q")
        self._types = array("Q")
        self._kb_ids = array("Q")
        self._iobs = bytearray()
        self._spaces = bytearray()
        self._lengths = array("i")
        self._cats: list[dict[str, float] | None] = []
        self._groups: list[list[tuple[str, list[tuple[int, ...]]]]] = []
        self._user_data: list[bytes | None] = []
        self.count = 0
        #: Texts whose `meta` msgpack cannot hold.
        self.left_out = 0

    def _number(self, string: str) -> int:
        return self._numbers.setdefault(string, len(self._numbers))

    def add(self, sample: Sample, cats: Cats) -> None:
        """Take in one text. All of its spans become entities, or all of them span groups."""
        assert isinstance(sample.media, Text)
        text = sample.media.content or ""
        annotations = sample.annotations
        values: list[Any] = [annotation.value for annotation in annotations]
        starts = {value.start for value in values}
        ends = {value.end for value in values}
        places, spaces = self._tokens(text, starts, ends)
        firsts = {place[0]: number for number, place in enumerate(places)}
        lasts = {place[1]: number for number, place in enumerate(places)}
        numbers = self._numbers
        self._words.extend([numbers.setdefault(text[a:b], len(numbers)) for a, b in places])
        self._spaces.extend(spaces)
        self._lengths.append(len(places))
        spans = [(firsts[value.start], lasts[value.end] + 1) for value in values]
        order = _as_entities(annotations, spans) if self._options.spans == "auto" else None
        if order is None:
            order = self._add_groups(annotations, spans, len(places))
        else:
            self._add_entities(annotations, spans, len(places))
        user_data = _user_data(sample, order)
        try:
            self._user_data.append(_encode(user_data))
        except OverflowError:  # whole numbers of more than 64 bits, which JSON may have
            del user_data["meta"]
            self.left_out += 1
            self._user_data.append(_encode(user_data))
        self._cats.append(cats.scores(sample.classifications) if sample.classifications else {})
        self.count += 1

    def _add_entities(
        self, annotations: tuple[Annotation, ...], spans: list[tuple[int, int]], count: int
    ) -> None:
        """Three columns of the table for `count` tokens."""
        iobs = bytearray([_OUT]) * count
        types, kb_ids = array("Q", bytes(8 * count)), array("Q", bytes(8 * count))
        for annotation, (first, beyond) in zip(annotations, spans, strict=True):
            iobs[first:beyond] = bytes([_BEGIN]) + bytes([_INSIDE]) * (beyond - first - 1)
            label = self._number(annotation.category)
            kb_id = self._number(str(annotation.extra.get("spacy:kb_id") or ""))
            for token in range(first, beyond):
                types[token] = label
                kb_ids[token] = kb_id
        self._iobs.extend(iobs)
        self._types.extend(types)
        self._kb_ids.extend(kb_ids)
        self._groups.append([])

    def _add_groups(
        self, annotations: tuple[Annotation, ...], spans: list[tuple[int, int]], count: int
    ) -> list[int]:
        """Span groups; the numbers of the annotations in the order in which they lie there."""
        groups: dict[str, list[int]] = {}
        for number, annotation in enumerate(annotations):
            name = str(annotation.extra.get("spacy:group") or self._options.group)
            groups.setdefault(name, []).append(number)
        packed = []
        for name, members in groups.items():
            rows: list[tuple[int, ...]] = []
            for number in members:
                annotation, value = annotations[number], annotations[number].value
                assert isinstance(value, TextSpan)
                kb_id = self._number(str(annotation.extra.get("spacy:kb_id") or ""))
                label = self._number(annotation.category)
                rows.append((kb_id, label, *spans[number], value.start, value.end))
            packed.append((name, rows))
        self._groups.append(packed)
        self._iobs.extend(bytes([_MISSING]) * count)
        self._types.extend(array("Q", bytes(8 * count)))
        self._kb_ids.extend(array("Q", bytes(8 * count)))
        return [number for members in groups.values() for number in members]

    def _tokens(
        self, text: str, starts: set[int], ends: set[int]
    ) -> tuple[list[tuple[int, int]], list[bool]]:
        """Tokens, and whether a blank follows each; a blank at the end of a span is a token."""
        places: list[tuple[int, int]] = []
        spaces: list[bool] = []
        for start, end in self._cut(text, [*starts, *ends]):
            lone = end - start == 1 and text[start] == " "
            if lone and places and not spaces[-1] and start not in starts and end not in ends:
                spaces[-1] = True
                continue
            places.append((start, end))
            spaces.append(False)
        return places, spaces

    def packed(self) -> bytes:
        """The file's bytes."""
        strings = list(self._numbers)
        table = np.array(hashes(strings), np.uint64)
        columns = [(ORTH, table[np.frombuffer(self._words, np.uint64).astype(np.int64)])]
        columns.append((ENT_IOB, np.frombuffer(bytes(self._iobs), np.uint8).astype(np.uint64)))
        columns.append((ENT_TYPE, table[np.frombuffer(self._types, np.uint64).astype(np.int64)]))
        if any(self._kb_ids):
            found = table[np.frombuffer(self._kb_ids, np.uint64).astype(np.int64)]
            columns.append((ENT_KB_ID, found))
        lengths = np.array(self._lengths, "<i4")
        packed = Packed(
            attrs=[number for number, _ in columns],
            tokens=np.column_stack([column for _, column in columns]).astype("<u8").tobytes(),
            spaces=bytes(self._spaces),
            lengths=lengths.tobytes(),
            strings=sorted(strings),
            cats=self._cats,
            flags=[{"has_unknown_spaces": False}] * self.count,
            span_groups=[self._packed_groups(groups, table) for groups in self._groups],
            user_data=self._user_data,
        )
        return zlib.compress(_encode(packed))

    def _packed_groups(self, groups: list[tuple[str, list[tuple[int, ...]]]], table: Any) -> bytes:
        if not groups:
            return b"\x90"
        named = {}
        for name, spans in groups:
            rows = [
                SPAN.pack(0, int(table[kb_id]), int(table[label]), *places)
                for kb_id, label, *places in spans
            ]
            named[_encode(Group(name, rows))] = [name]
        return _encode(named)


def _user_data(sample: Sample, order: list[int]) -> dict[str, Any]:
    """What a DocBin has no place for; the i-th span of the file is annotation `order[i]`."""
    block = Block(key=sample.key)
    ids = [sample.annotations[number].id for number in order]
    if order != sorted(order):
        block.order = sorted(range(len(order)), key=order.__getitem__)
    if ids != [str(number) for number in range(len(ids))]:
        block.ids = ids
    if sample.classifications:
        block.answers = answers(sample.classifications)
    if sample.relations:
        block.relations = [
            (each.id, each.category, each.source, each.target, each.directed)
            for each in sample.relations
        ]
    user_data: dict[str, Any] = {"labelconv": block}
    if "spacy:meta" in sample.extra:
        user_data["meta"] = sample.extra["spacy:meta"]
    return user_data


def _as_entities(
    annotations: tuple[Annotation, ...], spans: list[tuple[int, int]]
) -> list[int] | None:
    """The annotations' numbers in text order; None where they cannot be entities.

    Entities do not overlap, and what was in a span group goes back there.
    """
    if any("spacy:group" in annotation.extra for annotation in annotations):
        return None
    order = sorted(range(len(spans)), key=spans.__getitem__)
    for one, other in pairwise(order):
        if spans[one][1] > spans[other][0]:
            return None
    return order
