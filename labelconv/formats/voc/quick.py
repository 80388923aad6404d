"""The short way through a file that is spelled as nearly all are: a third of the parser's time.

Everything up to the first object goes to the XML parser; the objects are matched by one pattern
that takes nothing but a name, flags and four numbers in one of two orders: no attribute, no
comment, no reference, no character that XML would change or refuse. A file that has anything else,
or anything odd, is read whole by the parser.
"""

from __future__ import annotations

import re
from xml.etree.ElementTree import Element

import msgspec

from labelconv.model import Annotation, Box
from labelconv.safexml import XmlFault, parse

_BLANK = rb"[ \t\r\n]*"
_FLAG = b"|".join(
    b"<%b>[^<>&\\x00-\\x1f\\x80-\\xff]*</%b>" % (name, name)
    for name in (b"pose", b"truncated", b"difficult", b"occluded")
)
_FLAGS = b"((?:(?:" + _FLAG + b")" + _BLANK + b")*)"


def _object(edges: tuple[bytes, ...]) -> re.Pattern[bytes]:
    """An object whose corners stand in this order."""
    corners = _BLANK.join(
        b"<%b>%b([-+.0-9eE]+)%b</%b>" % (name, _BLANK, _BLANK, name) for name in edges
    )
    parts = (
        rb"<object>",
        rb"<name>([^<>&\x00-\x1f]*)</name>",
        _FLAGS + rb"<bndbox>",
        corners,
        rb"</bndbox>",
        _FLAGS + rb"</object>",
    )
    return re.compile(_BLANK.join((b"", *parts)))


_OBJECT = _object((b"xmin", b"ymin", b"xmax", b"ymax"))
#: Roboflow's order.
_CROSSED = _object((b"xmin", b"xmax", b"ymin", b"ymax"))
_END = re.compile(_BLANK + rb"</annotation>" + _BLANK + rb"\Z")
_FLAG_NAME = re.compile(rb"<([a-z]+)>")
#: The encodings in which the pattern's bytes are what they look like.
_ENCODING = re.compile(rb"<\?xml[^>]*?encoding\s*=\s*[\"'](?i:utf-8|us-ascii|ascii)[\"']")


class Quick(msgspec.Struct):
    """What was matched: the elements before the objects, and the objects as text.

    `objects` are (name, flags, xmin, ymin, xmax, ymax, flags).
    """

    head: Element
    objects: list[tuple[bytes, ...]]


def match(data: bytes) -> Quick | None:
    """The file, if all of it is spelled as expected."""
    start = data.find(b"<object>")
    if start < 0:
        return None
    if data.startswith(b"<?xml"):
        stop = data.find(b"?>")
        if b"encoding" in data[:stop] and not _ENCODING.match(data):
            return None
    objects = []
    end = start
    crossed = data.find(b"<xmax>", start) < data.find(b"<ymin>", start)
    for found in (_CROSSED if crossed else _OBJECT).finditer(data, start):
        if found.start() != end:
            return None
        end = found.end()
        objects.append(found.groups())
    if crossed:
        objects = [(a, b, xmin, ymin, xmax, ymax, c) for a, b, xmin, xmax, ymin, ymax, c in objects]
    if not _END.match(data, end):
        return None
    try:
        head = parse(data[:start] + b"</annotation>")
    except XmlFault:
        return None
    return Quick(head, objects) if head.tag == "annotation" else None


class Names:
    """Names of classes from their bytes; None where XML would refuse them or they are empty."""

    def __init__(self) -> None:
        self._known: dict[bytes, str | None] = {}

    def name(self, data: bytes) -> str | None:
        if data not in self._known:
            self._known[data] = _name(data)
        return self._known[data]


def _name(data: bytes) -> str | None:
    try:
        text = data.decode().strip()
    except UnicodeDecodeError:
        return None
    return None if not text or "\ufffe" in text or "\uffff" in text else text


def boxes(
    quick: Quick,
    names: Names,
    first: float,
    right: float,
    bottom: float,
    flags: dict[bytes, int],
) -> list[Annotation] | None:
    """The objects as annotations; None where one of them has something odd.

    `first` is 1 where pixels are counted from 1; `right` and `bottom` are the picture's borders.
    `flags` counts the flags of objects by their text.
    """
    made: list[Annotation] = []
    add, name_of = made.append, names.name
    try:
        for number, (name, before, xmin, ymin, xmax, ymax, after) in enumerate(quick.objects, 1):
            category = name_of(name)
            x0 = float(xmin) - first
            y0 = float(ymin) - first
            x1 = float(xmax)
            y1 = float(ymax)
            if category is None or not (0 <= x0 < x1 <= right and 0 <= y0 < y1 <= bottom):
                return None
            flags[before] = flags.get(before, 0) + 1
            if after:
                flags[after] = flags.get(after, 0) + 1
            add(Annotation(str(number), category, Box(x0, y0, x1, y1)))
    except ValueError:
        return None
    return made


def count_flags(flags: dict[bytes, int]) -> dict[str, int]:
    """How often each flag was met, from the texts that were counted."""
    counts: dict[str, int] = {}
    for text, count in flags.items():
        for name in _FLAG_NAME.findall(text):
            tag = name.decode()
            counts[tag] = counts.get(tag, 0) + count
    return counts
