"""Where an element stands in its file, found out only when something is to be said about it."""

from __future__ import annotations

import contextlib
from xml.etree.ElementTree import Element
from xml.parsers import expat

import msgspec

from labelconv.safexml import decoded


class Place(msgspec.Struct, frozen=True):
    """Line and column count from 1; `record` is the element's text, verbatim."""

    line: int
    column: int
    record: bytes


class _Found(Exception):
    pass


def place_of(data: bytes, root: Element, element: Element) -> Place:
    """The place of an element of the tree that was parsed from `data`."""
    wanted = next(number for number, each in enumerate(root.iter(), 1) if each is element)
    text = decoded(data)
    if isinstance(text, str):
        data = text.encode()
    parser = expat.ParserCreate()
    met = depth = inside = 0
    line = column = start = end = 0

    def begun(tag: str, attributes: dict[str, str]) -> None:
        nonlocal met, depth, inside, line, column, start
        met += 1
        depth += 1
        if met == wanted:
            inside = depth
            line, column = parser.CurrentLineNumber, parser.CurrentColumnNumber + 1
            start = parser.CurrentByteIndex

    def ended(tag: str) -> None:
        nonlocal depth, end
        if depth == inside:
            end = data.find(b">", parser.CurrentByteIndex) + 1 or len(data)
            raise _Found
        depth -= 1

    parser.StartElementHandler = begun
    parser.EndElementHandler = ended
    with contextlib.suppress(_Found):
        parser.Parse(text, True)
    return Place(line, column, data[start:end])
