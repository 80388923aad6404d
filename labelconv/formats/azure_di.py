"""Azure AI Document Intelligence (Form Recognizer), versions 2, 3 and 4 of its answers.

By the REST reference of `analyzeResult`: pages have their own size and unit, inches for PDFs and
pixels for pictures; polygons have the four corners, as eight numbers or as points. Words are laid
to lines by their spans, which count alike (`stringIndexType`), whatever it is.
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
from labelconv.ocr_answers import LineStarts, count_others, listed, member, said, side
from labelconv.pages import Unit
from labelconv.problems import Report
from labelconv.sniffing import folder_evidence

_ENDINGS = (".azure.json", ".json")
_EXPECTED = "an analyzeResult with pages (v3, v4) or readResults (v2)"
_UNITS: dict[Any, Unit] = {"inch": "inches", "pixel": "pixels"}
#: What is read of the members of each kind; others are counted.
_OF_ANSWERS = frozenset(
    (
        *("pages", "readResults", "paragraphs", "content", "contentFormat"),
        *("apiVersion", "modelId", "modelVersion", "stringIndexType", "version"),
    )
)
_OF_PAGES = frozenset(
    ("pageNumber", "page", "unit", "width", "height", "lines", "words", "spans", "kind")
)
_OF_PIECES = frozenset(
    (
        *("content", "text", "polygon", "boundingBox", "confidence", "span", "spans", "words"),
        *("boundingRegions", "pageNumber", "role"),
    )
)


def holds(options: NoOptions) -> tuple[Holds, ...]:
    """Nothing is written."""
    return held(Box, Polygon)


def _parse(data: bytes, level: str, report: Report) -> Parsed:
    given = loaded(data, _EXPECTED)
    pointer = ""
    if isinstance(given, dict):
        for name in ("analyzeResult", "analyze_result"):
            if isinstance(given.get(name), dict):
                given, pointer = given[name], f"/{name}"
    if not isinstance(given, dict):
        raise Fault(_EXPECTED, f"a {type(given).__name__}")
    count_others(given, _OF_ANSWERS, report, "azure-di:")
    if "readResults" in given or "read_results" in given:
        return _second(given, level, pointer, report)
    if not isinstance(given.get("pages"), list):
        raise Fault(_EXPECTED, "neither", pointer=pointer)
    sheets: dict[int, Sheet] = {}
    for order, page in enumerate(given["pages"]):
        place = f"{pointer}/pages/{order}"
        sheet = _sheet(page, "pageNumber", place, report)
        if sheet.number in sheets:
            found = f"another page {sheet.number + 1}"
            raise Fault("pages of different numbers", found, pointer=place)
        sheets[sheet.number] = sheet
        if level == "block":
            continue
        lines = _lines(page)
        for at, each in enumerate(listed(page, "lines" if level == "line" else "words")):
            piece = _piece(each, "polygon", f"{place}/{level}s/{at}", report)
            start = _start(each) if level == "word" else None
            line = None if start is None else lines.at(start)
            if line is not None:
                piece.group = f"{sheet.number + 1}/{line}"
            sheet.pieces.append(piece)
    if level == "block":
        for at, paragraph in enumerate(listed(given, "paragraphs")):
            place = f"{pointer}/paragraphs/{at}"
            for piece, page_number in _paragraph(paragraph, sheets, place, report):
                if page_number not in sheets:  # rejected, and so in any place
                    sheets[page_number] = Sheet(page_number, unit="points", pieces=[])
                sheets[page_number].pieces.append(piece)
    return Parsed([sheets[each] for each in sorted(sheets)])


def _second(given: dict[str, Any], level: str, pointer: str, report: Report) -> Parsed:
    """Version 2: words are inside their lines."""
    if level == "block":
        raise Fault("paragraphs (v3, v4) to read blocks from", "readResults (v2)", pointer=pointer)
    sheets = []
    for order, page in enumerate(listed(given, "readResults")):
        place = f"{pointer}/readResults/{order}"
        sheet = _sheet(page, "page", place, report)
        for at, line in enumerate(listed(page, "lines")):
            if level == "line":
                sheet.pieces.append(_piece(line, "boundingBox", f"{place}/lines/{at}", report))
                continue
            for inner, word in enumerate(listed(line, "words")):
                piece = _piece(word, "boundingBox", f"{place}/lines/{at}/words/{inner}", report)
                piece.group = f"{sheet.number + 1}/{at}"
                sheet.pieces.append(piece)
        sheets.append(sheet)
    return Parsed(sheets)


def _sheet(page: Any, numbered: str, pointer: str, report: Report) -> Sheet:
    count = member(page, numbered)
    if not isinstance(count, int) or count < 1:
        raise Fault(f"{numbered} from 1", repr(count), pointer=pointer)
    unit = member(page, "unit")
    if unit is None:
        unit = "inch"  # pages of other files than PDFs and pictures have no unit and no polygons
        report.field("azure-di:pages without a unit, taken to be in inches")
    if not isinstance(unit, str) or unit not in _UNITS:
        raise Fault("inch or pixel as unit", repr(unit), pointer=pointer)
    count_others(page, _OF_PAGES, report, "azure-di:")
    width, height = (side(page, name, report, "azure-di:") for name in ("width", "height"))
    return Sheet(count - 1, width, height, _UNITS[unit], pieces=[])


def _lines(page: Any) -> LineStarts:
    """Where lines start in the text."""
    return LineStarts(
        (span["offset"], order)
        for order, line in enumerate(listed(page, "lines"))
        for span in listed(line, "spans")
        if isinstance(span, dict) and isinstance(span.get("offset"), int)
    )


def _start(word: Any) -> int | None:
    start = member(member(word, "span"), "offset")
    return start if isinstance(start, int) else None


def _paragraph(
    paragraph: Any, sheets: dict[int, Sheet], pointer: str, report: Report
) -> list[tuple[Piece, int]]:
    """A piece, with its 0-based page, for each region of a paragraph."""
    found = []
    count_others(paragraph, _OF_PIECES, report, "azure-di:")
    for order, region in enumerate(listed(paragraph, "boundingRegions") or [None]):
        piece = _piece(region, "polygon", f"{pointer}/boundingRegions/{order}", report)
        piece.text, piece.record = _text(paragraph, report), paragraph
        role = member(paragraph, "role")
        piece.label = role if isinstance(role, str) else None
        page = member(region, "pageNumber")
        if not isinstance(page, int) or page - 1 not in sheets:
            piece.fault, page = ("pageNumber of one of the pages", repr(page)), 1
        found.append((piece, page - 1))
    return found


def _piece(given: Any, field: str, pointer: str, report: Report) -> Piece:
    piece = Piece(_text(given, report), pointer=pointer, record=given)
    count_others(given, _OF_PIECES, report, "azure-di:")
    other = "boundingBox" if field == "polygon" else "polygon"
    try:
        piece.outline = _outline(member(given, field) or member(given, other))
        sure = member(given, "confidence")
        if sure is not None:
            piece.confidence = number(sure)
    except (TypeError, KeyError, ValueError) as error:
        piece.fault = f"{field} with four corners", said(error)
    return piece


def _text(given: Any, report: Report) -> str:
    for name in ("content", "text"):
        found = member(given, name)
        if isinstance(found, str):
            return found
        if found is not None:
            report.field(f"azure-di:{name}")
    return ""


def _outline(given: Any) -> Coordinates:
    if not isinstance(given, list):
        raise TypeError("none")
    if given and isinstance(given[0], dict):
        given = [point[axis] for point in given for axis in ("x", "y")]
    if len(given) < 6 or len(given) % 2:
        raise ValueError(f"{len(given)} numbers")
    return tuple(map(number, given))


def sniff(peek: Peek) -> Evidence:
    """By its pages; a folder by its names."""
    if peek.is_folder:
        return folder_evidence(peek, _ENDINGS[:1], 2)
    head = peek.head
    if b'"analyzeResult"' in head or (b'"modelId"' in head and b'"stringIndexType"' in head):
        return Evidence(3, "an analyzeResult")
    if b'"model_id"' in head and b'"page_number"' in head:
        return Evidence(3, "an analyze result as the Python SDK spells it")
    return Evidence(0, "no analyzeResult")


FORMAT = Format(
    name="azure-di",
    about="Azure AI Document Intelligence JSON",
    url="https://learn.microsoft.com/azure/ai-services/document-intelligence/",
    holds=holds,
    read=reader("azure-di", _ENDINGS, _parse),
    reader_options=OutlinedOcrOptions,
    sniff=sniff,
)
