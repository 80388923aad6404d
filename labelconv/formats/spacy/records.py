"""The records of spaCy and Prodigy, as JSON lines spell them; what the other dialects become."""

from __future__ import annotations

import zlib
from typing import Any

import msgspec
from msgspec import UNSET, Raw, UnsetType


class Span(msgspec.Struct, forbid_unknown_fields=True, gc=False, rename={"place": "_place"}):
    """Half-open offsets and a label; `text` is the source's own quote, `group` a span group.

    A span without a label says that there is no entity (tuples) or is only the end of a relation.
    `token_end` is inclusive. `place` is where it stands in its record, if not under `spans`.
    """

    start: int
    end: int
    label: str | None = None
    id: str | int | None = None
    group: str | None = None
    kb_id: str | int | None = None
    text: str | None = None
    token_start: int | None = None
    token_end: int | None = None
    place: str | None = None
    source: Raw | UnsetType = UNSET
    input_hash: Raw | UnsetType = UNSET


class End(msgspec.Struct, gc=False):
    """The end of a relation: where it is, and the span's id where labelconv wrote it."""

    start: int
    end: int
    label: str | None = None
    id: str | None = None


class Relation(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """Head to child. `head` and `child` are the last tokens of the spans."""

    label: str
    head: int | None = None
    child: int | None = None
    head_span: End | None = None
    child_span: End | None = None
    id: str | None = None
    directed: bool = True
    color: Raw | UnsetType = UNSET


class Block(msgspec.Struct, gc=False, omit_defaults=True):
    """What labelconv writes for itself, because spaCy has no place for it.

    `answers`: (question, kind, chosen options). `ids`, `order`, `relations`: only in a DocBin.
    `order[i]` is the number of the span, as the DocBin gives them, that comes i-th.
    """

    key: str | None = None
    answers: list[tuple[str, str, list[str]]] | None = None
    ids: list[str] | None = None
    order: list[int] | None = None
    relations: list[tuple[str, str, str, str, bool]] | None = None


class Record(
    msgspec.Struct,
    forbid_unknown_fields=True,
    gc=False,
    rename={
        "input_hash": "_input_hash",
        "task_hash": "_task_hash",
        "session": "_session_id",
        "annotator": "_annotator_id",
        "view": "_view_id",
        "time": "_timestamp",
        "binary": "_is_binary",
    },
):
    """One text. The fields that stay Raw have no place in the model and are only counted."""

    text: str
    spans: list[Span] = []
    cats: dict[str, float] | None = None
    answer: str = "accept"
    meta: Raw | UnsetType = UNSET
    label: str | None = None
    accept: list[str | int] | None = None
    relations: list[Relation] = []
    id: str | int | None = None
    key: str | None = None
    labelconv: Block | None = None
    tokens: Raw | UnsetType = UNSET
    options: Raw | UnsetType = UNSET
    versions: Raw | UnsetType = UNSET
    config: Raw | UnsetType = UNSET
    input_hash: Raw | UnsetType = UNSET
    task_hash: Raw | UnsetType = UNSET
    session: Raw | UnsetType = UNSET
    annotator: Raw | UnsetType = UNSET
    view: Raw | UnsetType = UNSET
    time: Raw | UnsetType = UNSET
    binary: Raw | UnsetType = UNSET


#: The attribute and the name in the source of each field that is only counted.
COUNTED: tuple[tuple[str, str], ...] = (
    ("tokens", "tokens"),
    ("options", "options"),
    ("versions", "versions"),
    ("config", "config"),
    ("input_hash", "_input_hash"),
    ("task_hash", "_task_hash"),
    ("session", "_session_id"),
    ("annotator", "_annotator_id"),
    ("view", "_view_id"),
    ("time", "_timestamp"),
    ("binary", "_is_binary"),
)


def is_docbin(head: bytes) -> bool:
    """Whether the start of a file is packed and unpacks to a DocBin's first member."""
    if head[:1] != b"\x78":
        return False
    try:
        start = zlib.decompressobj().decompress(head[:4096], 64)
    except zlib.error:
        return False
    # A small msgpack object whose first name is a text of 7 characters, `version`, or another.
    return (start[:1] >= b"\x80" and b"\xa5attrs" in start) or start[1:9] == b"\xa7version"


class Broken(msgspec.Struct):
    """A part of a record that cannot be used: its place, its JSON, what was expected and found."""

    pointer: str
    part: Any
    expected: str
    found: str
    kind: str = "annotations"
