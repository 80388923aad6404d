"""Relations of a record: Prodigy joins tokens, so the spans that are meant are found here."""

from __future__ import annotations

import msgspec
from msgspec import UNSET

from labelconv import codes
from labelconv.formats.spacy.records import Block, End, Record
from labelconv.formats.spacy.records import Relation as WireRelation
from labelconv.model import Annotation, Relation, TextSpan
from labelconv.problems import Report
from labelconv.texts import Chunk


def relations_of(
    record: Record,
    block: Block,
    annotations: tuple[Annotation, ...],
    chunk: Chunk[Record],
    index: int,
    path: str,
    report: Report,
) -> tuple[Relation, ...]:
    """The relations between a record's annotations; those without an end are rejected."""
    account = report.ledger.relations
    if block.relations is not None:
        account.read += len(block.relations)
        known = {annotation.id for annotation in annotations}
        kept = []
        for number, (id, name, one, other, directed) in enumerate(block.relations):
            if one in known and other in known:
                kept.append(Relation(id, name, one, other, directed))
                continue
            where = chunk.where(path, index, f"/labelconv/relations/{number}")
            raw = msgspec.json.encode(block.relations[number])
            missing = other if one in known else one
            report.reject(codes.RELATION_END_MISSING, where, raw, "relations", missing=missing)
        return tuple(kept)
    account.read += len(record.relations)
    ends = _Ends(record, annotations)
    made = []
    for number, relation in enumerate(record.relations):
        source = ends.find(relation.head_span, relation.head)
        target = ends.find(relation.child_span, relation.child)
        if relation.color is not UNSET:
            report.field("spacy:relations.color")
        if source is None or target is None:
            head = source is None
            where = chunk.where(path, index, f"/relations/{number}")
            missing = _shown(relation, head=head)
            raw = msgspec.json.encode(relation)
            code = codes.RELATION_END_MISSING
            report.reject(code, where, raw, "relations", missing=missing)
            continue
        id = relation.id or f"r{number}"
        made.append(Relation(id, relation.label, source, target, relation.directed))
    return tuple(made)


def _shown(relation: WireRelation, *, head: bool) -> str:
    span = relation.head_span if head else relation.child_span
    token = relation.head if head else relation.child
    name = "head" if head else "child"
    return f"{name} at {span.start}–{span.end}" if span is not None else f"{name} token {token}"


class _Ends:
    """Finds the annotation that an end of a relation means."""

    def __init__(self, record: Record, annotations: tuple[Annotation, ...]) -> None:
        self._ids = {each.id for each in annotations}
        self._by_place: dict[tuple[int, int, str | None], str] = {}
        self._by_token: dict[int, str] = {}
        for each in annotations:
            value = each.value
            assert isinstance(value, TextSpan)
            self._by_place.setdefault((value.start, value.end, each.category), each.id)
            self._by_place.setdefault((value.start, value.end, None), each.id)
        for span in record.spans:
            found = self._by_place.get((span.start, span.end, span.label))
            if span.token_end is not None and found is not None:
                self._by_token.setdefault(span.token_end, found)

    def find(self, end: End | None, token: int | None) -> str | None:
        if end is None:
            return None if token is None else self._by_token.get(token)
        if end.id is not None and end.id in self._ids:
            return end.id
        exact = self._by_place.get((end.start, end.end, end.label))
        return exact or self._by_place.get((end.start, end.end, None))
