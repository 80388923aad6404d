"""What readers of recognised text give: pieces of text on pages, in the unit of the source.

A reader's own part is a function from bytes to `Parsed`; `labelconv.ocr_samples` does the rest.
"""

from __future__ import annotations

import math
from typing import Any, Literal, TypeAlias

import msgspec

from labelconv.io import UTF8_MARK
from labelconv.jsonstream import UNDECODABLE
from labelconv.model import Coordinates
from labelconv.pages import Unit

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


class OutlinedOcrOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Options of readers of recognised text that may be outlined.

    - `level`: an annotation for each word, line or block of text.
    - `category`: the name of all annotations; without it, what the source calls each
      (a picture, a header), else the level.
    - `text`: the text as an answer of each annotation (`answer`), in its extra fields
      (`extra`), or not at all (`none`).
    - `question`: the name of the question that the text answers.
    - `dpi`: pixels to an inch, where boxes are in pixels and no PDF says how large the page is.
    - `page_size`: width x height of pages in points, such as `612x792`, where no PDF
      says it.
    - `shape`: the box around each outline, or the outline itself (`polygon`), which follows
      skewed text.
    """

    level: Level = "word"
    category: str | None = None
    text: Literal["answer", "extra", "none"] = "answer"
    question: str = "text"
    dpi: float | None = None
    page_size: str | None = None
    shape: Literal["box", "polygon"] = "box"


class Piece(msgspec.Struct, gc=False):
    """A piece of text (or a picture) of the level that was asked for.

    `box` is (x0, y0, x1, y1) in the unit of its sheet; `outline` has at least three corners; there
    is one of them at least, or `fault`: what was expected and found. `pointer` is where it stands
    in the source, `line` in which line, `record` is how it stands there (an element, bytes, or what
    JSON gives). `group` names the line (for words) or block that it is part of. `label` is what the
    source calls it.
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


class Sheet(msgspec.Struct):
    """A page of the source: its 0-based number, and its size in `unit` where it is known.

    y counts from the top, or from the bottom (`upwards`), for which the height is needed.
    """

    number: int
    width: float | None = None
    height: float | None = None
    unit: Unit = "pixels"
    dpi: float | None = None
    pieces: list[Piece] = []
    upwards: bool = False


class Parsed(msgspec.Struct):
    """What a file says. `media` is the name of the PDF (or picture) as the source has it."""

    sheets: list[Sheet]
    media: str | None = None


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


def number(given: Any) -> float:
    """A number, or one as text. Raises ValueError for anything else."""
    if isinstance(given, (int, float, str)) and not isinstance(given, bool):
        return float(given)
    raise ValueError(f"a number expected, {given!r} found")


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
