"""Google Document AI: the `Document` of an answer, as JSON.

By its reference (google.cloud.documentai.v1.Document): vertices are shares of the page, 0 to 1, and
a zero is left out, as proto3 does; text anchors are half-open code points of `text`, also without
their zeros.
"""

from __future__ import annotations

from typing import Any

from labelconv.format import Evidence, Format, Holds, NoOptions
from labelconv.io import Peek
from labelconv.model import Box, Coordinates, Polygon
from labelconv.ocr import (
    Fault,
    OutlinedOcrOptions,
    Parsed,
    Piece,
    Sheet,
    held,
    loaded,
    number,
    reader,
)
from labelconv.ocr_answers import LineStarts, count_others, listed, member, side
from labelconv.pages import Unit
from labelconv.problems import Report
from labelconv.sniffing import folder_evidence

_ENDINGS = (".docai.json", ".json")
_EXPECTED = "a Document with text and pages"
_KINDS = {"word": "tokens", "line": "lines", "block": "blocks"}
_UNITS: dict[Any, Unit] = {
    None: "pixels",
    "": "pixels",
    "pixel": "pixels",
    "pixels": "pixels",
    "inch": "inches",
    "inches": "inches",
    "point": "points",
    "points": "points",
}
#: What is read of the members of each kind; others are counted.
_OF_DOCUMENTS = frozenset(("text", "pages", "uri", "mimeType", "shardInfo"))
_OF_PAGES = frozenset(
    ("pageNumber", "dimension", "layout", "image", "paragraphs", *_KINDS.values())
)
_OF_PIECES = frozenset(("layout",))
_OF_LAYOUTS = frozenset(("textAnchor", "boundingPoly", "confidence"))


def holds(options: NoOptions) -> tuple[Holds, ...]:
    """Nothing is written."""
    return held(Box, Polygon)


def _parse(data: bytes, level: str, report: Report) -> Parsed:
    given = loaded(data, _EXPECTED)
    pointer = ""
    if isinstance(given, dict) and isinstance(given.get("document"), dict):
        given, pointer = given["document"], "/document"
    if not isinstance(given, dict) or not isinstance(given.get("pages"), list):
        raise Fault(_EXPECTED, "none", pointer=pointer)
    text = given.get("text", "")
    if not isinstance(text, str):
        raise Fault("the text as a text", repr(text)[:40], pointer=f"{pointer}/text")
    count_others(given, _OF_DOCUMENTS, report, "docai:")
    sheets = []
    kind = _KINDS[level]
    for order, page in enumerate(given["pages"]):
        place = f"{pointer}/pages/{order}"
        sheet = _sheet(page, order, place, report)
        count_others(page, _OF_PAGES, report, "docai:")
        lines = _lines(listed(page, "lines")) if level == "word" else None
        for at, each in enumerate(listed(page, kind)):
            count_others(each, _OF_PIECES, report, "docai:")
            piece = _piece(each, text, sheet, f"{place}/{kind}/{at}", report)
            start = None if lines is None else _start(each)
            line = None if lines is None or start is None else lines.at(start)
            if line is not None:
                piece.group = f"{order + 1}/{line}"
            sheet.pieces.append(piece)
        sheets.append(sheet)
    return Parsed(sheets)


def _sheet(page: Any, order: int, pointer: str, report: Report) -> Sheet:
    dimension = member(page, "dimension")
    width, height = (side(dimension, name, report, "docai:") for name in ("width", "height"))
    if width is None or height is None:
        return Sheet(order, width, height, "fractions", pieces=[])
    unit = member(dimension, "unit")
    if not isinstance(unit, (str, type(None))) or unit not in _UNITS:
        raise Fault("pixels, inches or points as unit", repr(unit), pointer=f"{pointer}/dimension")
    return Sheet(order, width, height, _UNITS[unit], pieces=[])


def _segments(given: Any) -> list[tuple[int, int]]:
    """Half-open code points of the text; numbers may be texts (int64), zeros are left out."""
    anchor = member(member(given, "layout"), "textAnchor")
    return [
        (int(member(each, "startIndex") or 0), int(member(each, "endIndex") or 0))
        for each in listed(anchor, "textSegments")
    ]


def _slice(text: str, start: int, end: int) -> str:
    if not 0 <= start <= end <= len(text):
        raise ValueError(f"{start}–{end} in a text of {len(text)} code points")
    return text[start:end]


def _start(given: Any) -> int | None:
    try:
        found = _segments(given)
    except (TypeError, ValueError):
        return None
    return found[0][0] if found else None


def _lines(lines: list[Any]) -> LineStarts:
    """Where lines start in the text."""
    return LineStarts(
        (start, number) for number, line in enumerate(lines) if (start := _start(line)) is not None
    )


def _piece(given: Any, text: str, sheet: Sheet, pointer: str, report: Report) -> Piece:
    piece = Piece("", pointer=pointer, record=given)
    layout = member(given, "layout")
    count_others(layout, _OF_LAYOUTS, report, "docai:layout.")
    try:
        piece.text = "".join(_slice(text, *segment) for segment in _segments(given)).strip()
        piece.outline = _outline(member(layout, "boundingPoly"), sheet)
        sure = member(layout, "confidence")
        if sure is not None:
            piece.confidence = number(sure)
    except (TypeError, ValueError) as error:
        piece.fault = "layout with boundingPoly and textAnchor", str(error)
    return piece


def _outline(given: Any, sheet: Sheet) -> Coordinates:
    """In the page's unit where its size is known, else in shares of it."""
    across = down = 1.0
    corners = listed(given, "normalizedVertices")
    if corners:
        if sheet.unit != "fractions":
            across, down = sheet.width or 1.0, sheet.height or 1.0
    else:
        corners = listed(given, "vertices")
        if corners and sheet.unit == "fractions":
            raise ValueError("vertices in pixels on a page without a dimension")
    if len(corners) < 3 or not all(isinstance(corner, dict) for corner in corners):
        raise ValueError(f"{len(corners)} vertices")
    numbers: list[float] = []
    for corner in corners:
        numbers += (number(corner.get("x") or 0) * across, number(corner.get("y") or 0) * down)
    return tuple(numbers)


def sniff(peek: Peek) -> Evidence:
    """By its anchors; a folder by its names."""
    if peek.is_folder:
        return folder_evidence(peek, _ENDINGS[:1], 2)
    for names in ((b'"textAnchor"', b'"boundingPoly"'), (b'"text_anchor"', b'"bounding_poly"')):
        if all(name in peek.head or name in peek.tail for name in names):
            return Evidence(3, "layouts with a text anchor and a bounding polygon")
    return Evidence(0, "no layouts with a text anchor and a bounding polygon")


FORMAT = Format(
    name="docai",
    about="Google Document AI JSON",
    url="https://cloud.google.com/document-ai/docs/reference/rest/v1/Document",
    holds=holds,
    read=reader("docai", _ENDINGS, _parse),
    reader_options=OutlinedOcrOptions,
    sniff=sniff,
)
