"""Lines of `.ann` files as what they say, still with the ids of the file."""

from __future__ import annotations

import re

import msgspec

from labelconv.texts import Fault

#: Numbers of thousands of digits are refused by `int`.
_PIECES = re.compile(r"[0-9]{1,99} [0-9]{1,99}(?:;[0-9]{1,99} [0-9]{1,99})*$")


class Span(msgspec.Struct):
    """`T`: a type, its pieces as half-open offsets, the quoted text."""

    id: str
    type: str
    pieces: list[tuple[int, int]]
    quote: str | None


class Link(msgspec.Struct):
    """`R`: a relation, or `*`: a symmetric one between neighbours of a list."""

    id: str
    type: str
    ends: list[str]
    directed: bool = True


class Event(msgspec.Struct):
    """`E`: a trigger and its roles, each a name and the id of a span or an event."""

    id: str
    type: str
    trigger: str
    roles: list[tuple[str, str]]


class Attribute(msgspec.Struct):
    """`A` or `M`: a name, what it is about, its value; None for a plain yes."""

    id: str
    name: str
    about: str
    value: str | None


class Remark(msgspec.Struct):
    """`#` and `N`: what is said beside: a note, or a reference to a knowledge base."""

    kind: str
    about: str
    said: str


Line = Span | Link | Event | Attribute | Remark


def parsed(line: str) -> Line:
    """One line. Raises `Fault`."""
    id, tab, rest = line.partition("\t")
    letter = id[:1]
    if not tab or letter not in "TREAMN#*":
        raise Fault("an id that begins with T, R, E, A, M, N, # or *, and a tab", repr(line[:40]))
    if letter == "T":
        return _span(id, rest)
    words = rest.split("\t")[0].split()
    if letter == "R":
        ends = [word.partition(":")[2] for word in words[1:3]]
        if len(words) != 3 or not all(ends):
            raise Fault("a relation such as `Type Arg1:T1 Arg2:T2`", repr(rest[:40]))
        return Link(id, words[0], ends)
    if letter == "*":
        if len(words) < 3:
            raise Fault("a type and two ids or more", repr(rest[:40]))
        return Link(id, words[0], words[1:], directed=False)
    if letter == "E":
        pairs = [word.rpartition(":") for word in words]
        if not pairs or not all(name and target for name, _, target in pairs):
            raise Fault("an event such as `Type:T1 Role:T2`", repr(rest[:40]))
        (type, _, trigger), *roles = pairs
        return Event(id, type, trigger, [(name, target) for name, _, target in roles])
    if letter in "AM":
        if len(words) not in (2, 3):
            raise Fault("an attribute such as `Name T1 Value`", repr(rest[:40]))
        return Attribute(id, words[0], words[1], words[2] if len(words) == 3 else None)
    if len(words) < 2:
        raise Fault("a type and an id", repr(rest[:40]))
    said = rest.partition("\t")[2]
    if letter == "N":
        return Remark("normalizations", words[1], " ".join((words[0], *words[2:], said)).strip())
    return Remark("notes", words[1], f"{words[0]} {said}".strip())


def _span(id: str, rest: str) -> Span:
    head, tab, quote = rest.partition("\t")
    type, _, places = head.partition(" ")
    if not type or not _PIECES.match(places):
        raise Fault("a span such as `Type 0 5`, then a tab and its text", repr(rest[:40]))
    pieces = []
    for piece in places.split(";"):
        start, _, end = piece.partition(" ")
        pieces.append((int(start), int(end)))
    return Span(id, type, pieces, quote if tab else None)
