"""What readers of recognised text give: pieces of text on pages, in the unit of the source.

A reader's own part is a function from bytes to `Parsed`; `labelconv.ocr_samples` does the rest.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import msgspec

from labelconv.format import Holds, Reader, Reading
from labelconv.io import UTF8_MARK, Source
from labelconv.jsonstream import UNDECODABLE
from labelconv.model import Coordinates, Dataset, Document, Image, OnPage
from labelconv.pages import Unit
from labelconv.problems import Report

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

#: No document has more pages; a number beyond it is a fault, not a reason to hold so many.
MOST_PAGES = 100_000

Level: TypeAlias = Literal["word", "line", "block"]


class OcrOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Options of readers of recognised text.

    - `level`: an annotation for each word, line or block of text.
    - `category`: the name of all annotations; without it, what the source calls each
      (a picture, a header), else the level.
    - `text`: the text as an answer of each annotation (`answer`), in its extra fields
      (`extra`), or not at all (`none`).
    - `question`: the name of the question that the text answers.
    - `dpi`: pixels to an inch, where boxes are in pixels and no PDF says how large the page is.
    - `page_size`: width x height of pages in points, such as `612x792`, where no PDF
      says it.
    """

    level: Level = "word"
    category: str | None = None
    text: Literal["answer", "extra", "none"] = "answer"
    question: str = "text"
    dpi: float | None = None
    page_size: str | None = None


#: How files become documents: see `JoinedOcrOptions`.
Join: TypeAlias = Literal["none", "number", "folder", "media"]


class JoinedOcrOptions(OcrOptions, frozen=True, kw_only=True):
    """Options of readers of recognised text whose files may be pages of one document.

    - `join`: a document for each file (`none`); or files of one page each as the pages of one: by
      the number at the end of their names (`doc_0001`), or, in natural order, those of a `folder`
      or those that name the same source (`media`), where its PDF with as many pages is found by
      `--media`.
    - `first_page`: with `join=number`, the number that the file of the first page has.
    """

    join: Join = "none"
    first_page: int = 1


class OutlinedOcrOptions(OcrOptions, frozen=True, kw_only=True):
    """Options of readers of recognised text that may be outlined.

    - `shape`: the box around each outline, or the outline itself (`polygon`), which follows
      skewed text.
    """

    shape: Literal["box", "polygon"] = "box"


class Piece(msgspec.Struct, gc=False):
    """A piece of text (or a picture) of the level that was asked for.

    `box` is (x0, y0, x1, y1) in the unit of its sheet; `outline` has at least three corners; there
    is one of them at least, or `fault`: what was expected and found. `pointer` is where it stands
    in the source, `line` in which line, `record` is how it stands there (an element, bytes, or what
    JSON gives). `group` names the line (for words) or block that it is part of. `label` is what the
    source calls it. `extra` is what else the source says of it, spelled `format:field`.
    """

    text: str
    box: tuple[float, float, float, float] | None = None
    outline: Coordinates = ()
    confidence: float | None = None
    label: str | None = None
    id: str | None = None
    group: str | None = None
    pointer: str | None = None
    line: int | None = None
    record: Any = None
    fault: tuple[str, str] | None = None
    extra: dict[str, Any] = {}


class Link(msgspec.Struct, frozen=True):
    """A relation from one piece to another, by their ids.

    `pointer`, `record` and `fault` are as of a piece.
    """

    category: str
    source: str = ""
    target: str = ""
    pointer: str | None = None
    record: Any = None
    fault: tuple[str, str] | None = None


class Sheet(msgspec.Struct):
    """A page of the source: its 0-based number, and its size in `unit` where it is known.

    Where `unit` is a share of the page, the size is that of its picture, in pixels. y counts from
    the top, or from the bottom (`upwards`), for which the height is needed. `path` is its file,
    where the pages of a document are files of their own.
    """

    number: int
    width: float | None = None
    height: float | None = None
    unit: Unit = "pixels"
    dpi: float | None = None
    pieces: list[Piece] = []
    upwards: bool = False
    path: str | None = None


class Parsed(msgspec.Struct):
    """What a file says. `media` is the name of the PDF (or picture) as the source has it.

    `pages`, if given, is how many pages the document's PDF must have for the order of the sheets
    to be that of its pages.
    """

    sheets: list[Sheet]
    media: str | None = None
    links: list[Link] = []
    pages: int | None = None


#: The bytes of a file, the level asked for, where fields without a place are counted → its pages.
Parser: TypeAlias = Callable[[bytes, str, Report], Parsed]


class Placed(msgspec.Struct, frozen=True):
    """What the path of a file says, without its ending.

    `stem` is what the document is called; its key is made of it. `pictures` are the paths at which
    its picture may be, the likeliest first.
    """

    stem: str
    pictures: tuple[str, ...] = ()


class Fault(ValueError):
    """A file that cannot be used: what was expected and found, and where."""

    def __init__(
        self,
        expected: str,
        found: str,
        line: int | None = None,
        column: int | None = None,
        pointer: str | None = None,
    ) -> None:
        super().__init__(found)
        self.expected = expected
        self.found = found
        self.place = line, column, pointer


def loaded(data: bytes, expected: str) -> Any:
    """What a JSON file has. Raises `Fault`."""
    try:
        return msgspec.json.decode(data.removeprefix(UTF8_MARK))
    except UNDECODABLE as error:
        raise Fault(expected, str(error)) from None


def element(data: bytes, name: str, expected: str) -> Element:
    """The root element of an XML file, of this name in any namespace. Raises `Fault`."""
    from labelconv.safexml import XmlFault, parse

    try:
        root = parse(data)
    except XmlFault as fault:
        raise Fault(expected, fault.found, fault.line, fault.column) from None
    if local(root) != name:
        raise Fault(f"the element {name}", f"<{local(root)}>")
    return root


def local(element: Element) -> str:
    """The name of an element without its namespace."""
    return element.tag.rpartition("}")[2]


def held(*shapes: type, confidence: bool = True, relations: bool = False) -> tuple[Holds, ...]:
    """What readers of recognised text give: shapes on pages, with a text each."""
    return (
        Holds(
            media=Document,
            values=frozenset({OnPage}),
            on_page=frozenset(shapes),
            confidence=confidence,
            classifications=1,
            relations=relations,
        ),
    )


def held_flat(*shapes: type, confidence: bool = True, relations: bool = False) -> tuple[Holds, ...]:
    """What readers of pictures with recognised text give: on pages, or on the pictures."""
    (pages,) = held(*shapes, confidence=confidence, relations=relations)
    pictures = msgspec.structs.replace(
        pages, media=Image, values=frozenset(shapes), on_page=frozenset()
    )
    return pages, pictures


def reader(
    name: str,
    endings: tuple[str, ...],
    parse: Parser,
    placed: Callable[[str], Placed] = Placed,
) -> Reader:
    """The reader of a format whose files, or those in a folder, are a document each.

    `endings` are those of files in a folder; `placed` says what the path of a file, without its
    ending, means. `labelconv.ocr_samples` is loaded when first needed.
    """

    def read(source: Source, options: Any, reading: Reading) -> Dataset:
        from labelconv.ocr_samples import read as read_now

        return read_now(
            source, options, reading, name=name, endings=endings, parse=parse, placed=placed
        )

    return read


def lines(data: bytes) -> list[str]:
    """The lines of a file of text, at line feeds only. Raises `Fault`."""
    try:
        text = data.removeprefix(UTF8_MARK).decode()
    except UnicodeDecodeError as error:
        raise Fault("text in UTF-8", f"byte {error.start} that is not ({error.reason})") from None
    return [line.removesuffix("\r") for line in text.split("\n")]


def number(given: Any) -> float:
    """A number, or one as text. Raises ValueError for anything else."""
    if isinstance(given, (int, float, str)) and not isinstance(given, bool):
        with contextlib.suppress(OverflowError):  # a whole number beyond all floats
            return float(given)
    raise ValueError(f"a number expected, {given!r:.40} found")


def size(given: Any) -> float | None:
    """A size above 0, else None."""
    try:
        found = number(given)
    except ValueError:
        return None
    return found if 0 < found < math.inf else None


def joined(words: list[tuple[str, str]]) -> str:
    """The text of (line, word) pairs: a blank between words, a line feed between lines."""
    out = ""
    before: str | None = None
    for line, word in words:
        if not word:
            continue
        out += word if before is None else f" {word}" if before == line else f"\n{word}"
        before = line
    return out


def around(boxes: list[tuple[float, float, float, float]]) -> tuple[float, float, float, float]:
    """The box around boxes."""
    x0, y0, x1, y1 = zip(*boxes, strict=True)
    return min(x0), min(y0), max(x1), max(y1)
