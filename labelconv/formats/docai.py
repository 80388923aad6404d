"""Google Document AI: the `Document` of an answer, as JSON.

By its reference (google.cloud.documentai.v1.Document): vertices are shares of the page, 0 to 1, and
a zero is left out, as proto3 does; text anchors are half-open code points of `text`, also without
their zeros.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import Any

from labelconv.format import Evidence, Format, Holds, NoOptions, Reading
from labelconv.io import Peek, Source
from labelconv.model import Box, Coordinates, Dataset, Document, OnPage, Polygon
from labelconv.ocr import Fault, OutlinedOcrOptions, Parsed, Piece, Sheet, loaded, number, size
from labelconv.problems import Report

_ENDINGS = (".docai.json", ".json")
_EXPECTED = "a Document with text and pages"
_KINDS = {"word": "tokens", "line": "lines", "block": "blocks"}
_BESIDE = ("entities", "entityRelations", "textStyles", "revisions")
_ON_PAGES = ("tables", "formFields", "visualElements", "symbols", "detectedBarcodes")


def holds(options: NoOptions) -> tuple[Holds, ...]:
    """Nothing is written."""
    return (
        Holds(
            media=Document,
            values=frozenset({OnPage}),
            on_page=frozenset({Box, Polygon}),
            confidence=True,
            classifications=1,
        ),
    )


def read(source: Source, options: OutlinedOcrOptions, reading: Reading) -> Dataset:
    """A file, or the `.json` files of a folder: a document for each."""
    from labelconv.ocr_samples import read as read_now

    return read_now(source, options, reading, name="docai", endings=_ENDINGS, parse=_parse)


def _parse(data: bytes, level: str, report: Report) -> Parsed:
    given = loaded(data, _EXPECTED)
    pointer = ""
    if isinstance(given, dict) and isinstance(given.get("document"), dict):
        given, pointer = given["document"], "/document"
    if not isinstance(given, dict) or not isinstance(given.get("pages"), list):
        raise Fault(_EXPECTED, "none", pointer=pointer)
    found = given.get("text")
    text = found if isinstance(found, str) else ""
    for name in _BESIDE:
        if count := len(_list(given, name)):
            report.field(f"docai:{name}", count)
    sheets = []
    kind = _KINDS[level]
    for order, page in enumerate(given["pages"]):
        dimension = _get(page, "dimension") or {}
        width, height = size(_get(dimension, "width")), size(_get(dimension, "height"))
        sheet = Sheet(order, width, height, "pixels", pieces=[])
        if width is None or height is None:
            sheet.unit = "fractions"
        lines = _Lines(_list(page, "lines")) if level == "word" else None
        for at, each in enumerate(_list(page, kind)):
            place = f"{pointer}/pages/{order}/{kind}/{at}"
            piece = _piece(each, text, sheet, place)
            start = _start(each)
            if lines is not None and start is not None and (line := lines.at(start)) is not None:
                piece.group = f"{order + 1}/{line}"
            sheet.pieces.append(piece)
        for name in _ON_PAGES:
            if count := len(_list(page, name)):
                report.field(f"docai:{name}", count)
        sheets.append(sheet)
    return Parsed(sheets)


def _get(given: Any, name: str) -> Any:
    """A field by its JSON name, or as protocol buffers spell it."""
    if not isinstance(given, dict):
        return None
    if name in given:
        return given[name]
    return given.get("".join(f"_{c.lower()}" if c.isupper() else c for c in name))


def _list(given: Any, name: str) -> list[Any]:
    found = _get(given, name)
    return found if isinstance(found, list) else []


def _segments(given: Any) -> list[tuple[int, int]]:
    """Half-open code points of the text; numbers may be texts (int64), zeros are left out."""
    anchor = _get(_get(given, "layout"), "textAnchor")
    return [
        (int(_get(each, "startIndex") or 0), int(_get(each, "endIndex") or 0))
        for each in _list(anchor, "textSegments")
    ]


def _start(given: Any) -> int | None:
    try:
        found = _segments(given)
    except (TypeError, ValueError):
        return None
    return found[0][0] if found else None


class _Lines:
    """Which line a place in the text belongs to."""

    def __init__(self, lines: list[Any]) -> None:
        found = [(start, n) for n, line in enumerate(lines) if (start := _start(line)) is not None]
        found.sort()
        self._starts = [start for start, _ in found]
        self._numbers = [number for _, number in found]

    def at(self, start: int) -> int | None:
        place = bisect_right(self._starts, start) - 1
        return self._numbers[place] if place >= 0 else None


def _piece(given: Any, text: str, sheet: Sheet, pointer: str) -> Piece:
    piece = Piece("", pointer=pointer, record=given)
    layout = _get(given, "layout")
    try:
        piece.text = "".join(text[start:end] for start, end in _segments(given)).strip()
        piece.outline = _outline(_get(layout, "boundingPoly"), sheet)
        sure = _get(layout, "confidence")
        if sure is not None:
            piece.confidence = number(sure)
    except (TypeError, ValueError) as error:
        piece.fault = "layout with boundingPoly and textAnchor", str(error)
    return piece


def _outline(given: Any, sheet: Sheet) -> Coordinates:
    """In pixels where the page's size is known, else in shares of it."""
    across = down = 1.0
    corners = _list(given, "normalizedVertices")
    if corners:
        if sheet.width is not None and sheet.height is not None and sheet.unit == "pixels":
            across, down = sheet.width, sheet.height
    else:
        corners = _list(given, "vertices")
        if corners and sheet.unit != "pixels":
            raise ValueError("vertices in pixels on a page without a dimension")
    if len(corners) < 3:
        raise ValueError(f"{len(corners)} vertices")
    numbers: list[float] = []
    for corner in corners:
        numbers += (number(_get(corner, "x") or 0) * across, number(_get(corner, "y") or 0) * down)
    return tuple(numbers)


def sniff(peek: Peek) -> Evidence:
    """By its anchors; a folder by its names."""
    if peek.is_folder:
        if any(name.lower().endswith(".docai.json") for name in peek.entries):
            return Evidence(2, "a folder with .docai.json files")
        return Evidence(0, "a folder without .docai.json files")
    for names in ((b'"textAnchor"', b'"boundingPoly"'), (b'"text_anchor"', b'"bounding_poly"')):
        if all(name in peek.head or name in peek.tail for name in names):
            return Evidence(3, "layouts with a text anchor and a bounding polygon")
    return Evidence(0, "no layouts with a text anchor and a bounding polygon")


FORMAT = Format(
    name="docai",
    about="Google Document AI JSON",
    url="https://cloud.google.com/document-ai/docs/reference/rest/v1/Document",
    holds=holds,
    read=read,
    reader_options=OutlinedOcrOptions,
    sniff=sniff,
)
