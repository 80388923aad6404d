"""Azure AI Document Intelligence (Form Recognizer), versions 2, 3 and 4 of its answers.

By the REST reference of `analyzeResult`: pages have their own size and unit, inches for PDFs and
pixels for pictures; polygons have the four corners, as eight numbers or as points. Words are laid
to lines by their spans, which count alike (`stringIndexType`), whatever it is.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import Any

from labelconv.format import Evidence, Format, Holds, NoOptions, Reading
from labelconv.io import Peek, Source
from labelconv.model import Box, Coordinates, Dataset, Document, OnPage, Polygon
from labelconv.ocr import Fault, OutlinedOcrOptions, Parsed, Piece, Sheet, loaded, number, size
from labelconv.pages import Unit
from labelconv.problems import Report

_ENDINGS = (".azure.json", ".json")
_EXPECTED = "an analyzeResult with pages (v3, v4) or readResults (v2)"
_UNITS: dict[Any, Unit] = {"inch": "inches", "pixel": "pixels"}
_BESIDE = ("tables", "keyValuePairs", "documents", "figures", "sections", "documentResults")


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

    return read_now(source, options, reading, name="azure-di", endings=_ENDINGS, parse=_parse)


def _parse(data: bytes, level: str, report: Report) -> Parsed:
    given = loaded(data, _EXPECTED)
    pointer = ""
    if isinstance(given, dict):
        for name in ("analyzeResult", "analyze_result"):
            if isinstance(given.get(name), dict):
                given, pointer = given[name], f"/{name}"
    if not isinstance(given, dict):
        raise Fault(_EXPECTED, f"a {type(given).__name__}")
    for name in _BESIDE:
        if count := len(_list(given, name)):
            report.field(f"azure-di:{name}", count)
    if "readResults" in given or "read_results" in given:
        return _second(given, level, pointer)
    if not isinstance(given.get("pages"), list):
        raise Fault(_EXPECTED, "neither", pointer=pointer)
    sheets: dict[int, Sheet] = {}
    for order, page in enumerate(given["pages"]):
        place = f"{pointer}/pages/{order}"
        sheet = _sheet(page, "pageNumber", place)
        sheets[sheet.number] = sheet
        if level == "block":
            continue
        starts, names = _lines(page)
        for at, each in enumerate(_list(page, "lines" if level == "line" else "words")):
            piece = _piece(each, "polygon", f"{place}/{level}s/{at}")
            if level == "word":
                start = _start(each)
                line = None if start is None else bisect_right(starts, start) - 1
                if line is not None and line >= 0:
                    piece.group = f"{sheet.number + 1}/{names[line]}"
            sheet.pieces.append(piece)
        if marks := len(_list(page, "selectionMarks")):
            report.field("azure-di:selectionMarks", marks)
    if level == "block":
        for at, paragraph in enumerate(_list(given, "paragraphs")):
            for piece, page_number in _paragraph(paragraph, f"{pointer}/paragraphs/{at}"):
                if page_number not in sheets:
                    sheets[page_number] = Sheet(page_number, unit="inches", pieces=[])
                sheets[page_number].pieces.append(piece)
    return Parsed([sheets[each] for each in sorted(sheets)])


def _second(given: dict[str, Any], level: str, pointer: str) -> Parsed:
    """Version 2: words are inside their lines."""
    if level == "block":
        raise Fault("paragraphs (v3, v4) to read blocks from", "readResults (v2)", pointer=pointer)
    sheets = []
    for order, page in enumerate(_list(given, "readResults")):
        place = f"{pointer}/readResults/{order}"
        sheet = _sheet(page, "page", place)
        for at, line in enumerate(_list(page, "lines")):
            if level == "line":
                sheet.pieces.append(_piece(line, "boundingBox", f"{place}/lines/{at}"))
                continue
            for inner, word in enumerate(_list(line, "words")):
                piece = _piece(word, "boundingBox", f"{place}/lines/{at}/words/{inner}")
                piece.group = f"{sheet.number + 1}/{at}"
                sheet.pieces.append(piece)
        sheets.append(sheet)
    return Parsed(sheets)


def _get(given: Any, name: str) -> Any:
    """A field by the name of the REST answer, or as the Python SDK's `to_dict` spells it."""
    if not isinstance(given, dict):
        return None
    if name in given:
        return given[name]
    return given.get("".join(f"_{c.lower()}" if c.isupper() else c for c in name))


def _list(given: Any, name: str) -> list[Any]:
    found = _get(given, name)
    return found if isinstance(found, list) else []


def _sheet(page: Any, numbered: str, pointer: str) -> Sheet:
    count = _get(page, numbered)
    if not isinstance(count, int) or count < 1:
        raise Fault(f"{numbered} from 1", repr(count), pointer=pointer)
    unit = _get(page, "unit") or "inch"
    if unit not in _UNITS:
        raise Fault("inch or pixel as unit", repr(unit), pointer=pointer)
    width, height = size(_get(page, "width")), size(_get(page, "height"))
    return Sheet(count - 1, width, height, _UNITS[unit], pieces=[])


def _lines(page: Any) -> tuple[list[int], list[int]]:
    """Where lines start in the text, sorted, and their numbers."""
    found = sorted(
        (span["offset"], order)
        for order, line in enumerate(_list(page, "lines"))
        for span in _list(line, "spans")
        if isinstance(span, dict) and isinstance(span.get("offset"), int)
    )
    return [start for start, _ in found], [order for _, order in found]


def _start(word: Any) -> int | None:
    span = _get(word, "span")
    start = span.get("offset") if isinstance(span, dict) else None
    return start if isinstance(start, int) else None


def _paragraph(paragraph: Any, pointer: str) -> list[tuple[Piece, int]]:
    """A piece, with its 0-based page, for each region of a paragraph."""
    found = []
    for order, region in enumerate(_list(paragraph, "boundingRegions")):
        piece = _piece(region, "polygon", f"{pointer}/boundingRegions/{order}")
        piece.text, piece.record = _text(paragraph), paragraph
        role = _get(paragraph, "role")
        piece.label = role if isinstance(role, str) else None
        page = _get(region, "pageNumber")
        if not isinstance(page, int) or page < 1:
            piece.fault, page = ("pageNumber from 1", repr(page)), 1
        found.append((piece, page - 1))
    return found


def _piece(given: Any, field: str, pointer: str) -> Piece:
    piece = Piece(_text(given), pointer=pointer, record=given)
    other = "boundingBox" if field == "polygon" else "polygon"
    try:
        piece.outline = _outline(_get(given, field) or _get(given, other))
        sure = _get(given, "confidence")
        if sure is not None:
            piece.confidence = number(sure)
    except (TypeError, KeyError, ValueError) as error:
        piece.fault = f"{field} with four corners", str(error)
    return piece


def _text(given: Any) -> str:
    for name in ("content", "text"):
        found = _get(given, name)
        if isinstance(found, str):
            return found
    return ""


def _outline(given: Any) -> Coordinates:
    if not isinstance(given, list):
        raise ValueError("none")  # noqa: TRY004 - all that is wrong here is one problem
    if given and isinstance(given[0], dict):
        given = [point[axis] for point in given for axis in ("x", "y")]
    if len(given) < 6 or len(given) % 2:
        raise ValueError(f"{len(given)} numbers")
    return tuple(map(number, given))


def sniff(peek: Peek) -> Evidence:
    """By its pages; a folder by its names."""
    if peek.is_folder:
        if any(name.lower().endswith(".azure.json") for name in peek.entries):
            return Evidence(2, "a folder with .azure.json files")
        return Evidence(0, "a folder without .azure.json files")
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
    read=read,
    reader_options=OutlinedOcrOptions,
    sniff=sniff,
)
