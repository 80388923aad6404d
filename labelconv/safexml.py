"""XML from strangers: no entities, no external files, an exact place for what is wrong.

`<!DOCTYPE name>` alone is accepted; a document type that declares anything is refused before it
is expanded. Undeclared names such as `&nbsp;` are faults, never left out in silence.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, BinaryIO
from xml.etree import ElementTree as ET
from xml.parsers import expat

from labelconv.io import UTF8_MARK

#: Elements in more others than this are not looked into: what goes through them calls itself.
_DEEPEST = 200
_DECLARATION = b"<!DOCTYPE"
#: In these encodings `<!DOCTYPE` is spelled with the bytes of ASCII.
_PLAIN_ENCODING = re.compile(rb"^\s*<\?xml[^>]*encoding\s*=\s*[\"']([A-Za-z0-9._-]+)[\"']")
_ASCII_LIKE = re.compile(rb"(?i)utf-?8|us-ascii|iso-8859-\d+|latin-?1|windows-125\d")
#: These expat does not know, Python does.
_MANY_BYTES = re.compile(rb"(?i)gbk|gb2312|gb18030|big5|shift_jis|euc-jp|euc-kr")


class XmlFault(ValueError):
    """What is wrong with a document. `line` and `column` count from 1."""

    def __init__(self, found: str, line: int | None = None, column: int | None = None) -> None:
        super().__init__(found)
        self.found = found
        self.line = line
        self.column = column


def parse(data: bytes) -> ET.Element:
    """The root element. Raises `XmlFault`."""
    data = data.removeprefix(UTF8_MARK)
    try:
        if _suspicious(data):
            text = decoded(data)
            _guard(text)
            return ET.fromstring(text)  # noqa: S314 - guarded above
        return ET.fromstring(data)  # noqa: S314 - it declares nothing
    except ET.ParseError as error:
        raise _fault(error) from None
    except XmlFault:
        raise
    except (ValueError, LookupError) as error:  # an encoding that nobody knows
        raise XmlFault(str(error)) from None


def elements(
    file: BinaryIO, tags: frozenset[str], root: str | None = None
) -> Iterator[tuple[str, ET.Element]]:
    """("start" or "end", element) of each element whose tag is in `tags`, in bounded memory.

    What is outside of these elements is dropped as soon as it has passed; an element in `tags` is
    dropped after its end was taken, unless it stands inside another of them. Raises `XmlFault`,
    for another `root` than the one that is given as well.
    """
    parser: ET.XMLPullParser[ET.Element] = ET.XMLPullParser(("start", "end"))
    depth = 0
    path: list[ET.Element] = []
    try:
        first = True
        while data := file.read(262_144):
            if first:
                data = data.removeprefix(UTF8_MARK)
                first = False
                if not _guard(data) and (more := file.read(1)):
                    raise XmlFault(f"no element in the first {len(data + more) - 1} bytes")
            parser.feed(data)
            events: Iterator[Any] = parser.read_events()
            for event, element in events:
                if event == "start":
                    if not path and root not in (None, element.tag):
                        raise XmlFault(f"a root element {element.tag[:40]!r}, not {root!r}")
                    path.append(element)
                    if len(path) > _DEEPEST:
                        raise XmlFault(f"elements in more than {_DEEPEST} others")
                    if element.tag in tags:
                        depth += 1
                        yield "start", element
                    continue
                path.pop()
                if element.tag in tags:
                    depth -= 1
                    yield "end", element
                if depth == 0 and path:
                    path[-1].remove(element)
        parser.close()
    except ET.ParseError as error:
        raise _fault(error) from None
    except (ValueError, LookupError) as error:
        if isinstance(error, XmlFault):
            raise
        raise XmlFault(str(error)) from None


def _suspicious(data: bytes) -> bool:
    """Whether a document may declare a type. Other encodings are looked at by the parser."""
    if _DECLARATION in data or b"<!ENTITY" in data:
        return True
    declared = _PLAIN_ENCODING.match(data)
    if declared is not None:
        return _ASCII_LIKE.fullmatch(declared[1]) is None
    return b"\0" in data[:8]


def decoded(data: bytes) -> bytes | str:
    """The document as text where its encoding is one that the parser does not know."""
    declared = _PLAIN_ENCODING.match(data)
    if declared is None or _MANY_BYTES.fullmatch(declared[1]) is None:
        return data
    return data.decode(declared[1].decode("ascii"))


class _Begun(Exception):
    """The first element begins: no document type can follow."""


def _guard(data: bytes | str) -> bool:
    """Raise `XmlFault` if the document type declares anything; stops before any expansion.

    Returns whether an element begins in `data` (or something is wrong with it, which the parser
    proper says).
    """
    parser = expat.ParserCreate()

    def refused(what: str) -> None:
        line, column = parser.CurrentLineNumber, parser.CurrentColumnNumber + 1
        raise XmlFault(f"a document type that declares {what}", line, column)

    def doctype(_name: str, _system: str | None, _public: str | None, subset: int) -> None:
        if subset:
            refused("something of its own")

    def begun(_name: str, _attributes: dict[str, str]) -> None:
        raise _Begun

    parser.StartDoctypeDeclHandler = doctype
    parser.EntityDeclHandler = lambda *_given: refused("entities")
    parser.StartElementHandler = begun
    try:
        parser.Parse(data, False)
    except (expat.ExpatError, _Begun):
        return True
    return False


def _fault(error: ET.ParseError) -> XmlFault:
    line, column = error.position
    return XmlFault(expat.ErrorString(error.code), line, column + 1)
