"""Amazon Textract: what DetectDocumentText and AnalyzeDocument give, as JSON.

Positions are shares of the page, 0 to 1, from the top left; confidences are percent (AWS, Amazon
Textract Developer Guide, "Block"). The page's size is in its PDF only.
"""

from __future__ import annotations

from typing import Any

from labelconv.format import Evidence, Format, Holds, NoOptions, Reading
from labelconv.io import Peek, Source
from labelconv.model import Box, Dataset, Document, OnPage, Polygon
from labelconv.ocr import Fault, OutlinedOcrOptions, Parsed, Piece, Sheet, joined, loaded, number
from labelconv.problems import Report

_ENDINGS = (".textract.json", ".json")
_EXPECTED = "Textract's answer, an object with Blocks,"
_KINDS = {"word": "WORD", "line": "LINE"}
#: Told by the level or by other blocks; all others are counted.
_TOLD = frozenset(("PAGE", "WORD", "LINE"))


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
    """A file, or the `.json` files of a folder: a document for each.

    A file has one answer, or a list of the answers that one document came in.
    """
    from labelconv.ocr_samples import read as read_now

    return read_now(source, options, reading, name="textract", endings=_ENDINGS, parse=_parse)


def _parse(data: bytes, level: str, report: Report) -> Parsed:
    blocks = _blocks(loaded(data, _EXPECTED))
    by_id: dict[Any, dict[str, Any]] = {block.get("Id"): block for _, block in blocks}
    line_of: dict[Any, Any] = {}
    for _, block in blocks:
        if block.get("BlockType") == "LINE":
            line_of.update((child, block.get("Id")) for child in _children(block))
    sheets: dict[int, Sheet] = {}
    for pointer, block in blocks:
        kind = block.get("BlockType")
        page = block.get("Page", 1)
        if not isinstance(page, int) or page < 1:
            page = 1
        sheet = sheets.get(page - 1)
        if sheet is None:
            sheet = sheets[page - 1] = Sheet(page - 1, unit="fractions")
            sheet.pieces = []
        is_layout = isinstance(kind, str) and kind.startswith("LAYOUT_")
        if kind == _KINDS.get(level) or (level == "block" and is_layout):
            piece = _piece(block, pointer)
            if is_layout:
                piece.label = str(kind).removeprefix("LAYOUT_").lower()
                piece.text = _lines(block, by_id)
            piece.group = line_of.get(block.get("Id")) if kind == "WORD" else None
            sheet.pieces.append(piece)
        elif kind not in _TOLD and not is_layout:
            report.field(f"textract:{kind}")
    return Parsed([sheets[page] for page in sorted(sheets)])


def _blocks(given: Any) -> list[tuple[str, dict[str, Any]]]:
    """(JSON pointer, block) of one answer or of a list of them."""
    answers = given if isinstance(given, list) else [given]
    found = []
    for order, answer in enumerate(answers):
        blocks = answer.get("Blocks") if isinstance(answer, dict) else None
        if not isinstance(blocks, list):
            raise Fault(_EXPECTED, "none", pointer=f"/{order}" if isinstance(given, list) else "")
        start = f"/{order}/Blocks" if isinstance(given, list) else "/Blocks"
        found += [(f"{start}/{n}", each) for n, each in enumerate(blocks) if isinstance(each, dict)]
    return found


def _children(block: dict[str, Any]) -> list[Any]:
    found: list[Any] = []
    for relation in block.get("Relationships") or ():
        if isinstance(relation, dict) and relation.get("Type") == "CHILD":
            found += [each for each in relation.get("Ids") or () if isinstance(each, str)]
    return found


def _lines(block: dict[str, Any], by_id: dict[Any, dict[str, Any]]) -> str:
    """The text of the lines below a block of the layout; lists have blocks below them."""
    lines = []
    waiting = [block]
    met: set[int] = set()
    while waiting:
        each = waiting.pop()
        if id(each) in met:
            continue
        met.add(id(each))
        if each.get("BlockType") == "LINE":
            lines.append((each.get("Id"), str(each.get("Text") or "")))
            continue
        waiting += [by_id[child] for child in reversed(_children(each)) if child in by_id]
    return joined([(str(name), text) for name, text in lines])


def _piece(block: dict[str, Any], pointer: str) -> Piece:
    id, text = block.get("Id"), block.get("Text")
    piece = Piece(text if isinstance(text, str) else "", pointer=pointer, record=block)
    piece.id = id if isinstance(id, str) else None
    try:
        geometry = block["Geometry"]
        box = geometry["BoundingBox"]
        left, top = number(box["Left"]), number(box["Top"])
        piece.box = left, top, left + number(box["Width"]), top + number(box["Height"])
        corners = geometry.get("Polygon") or ()
        piece.outline = tuple(number(corner[axis]) for corner in corners for axis in ("X", "Y"))
        if len(corners) < 3:
            piece.outline = ()
        if "Confidence" in block:
            piece.confidence = number(block["Confidence"]) / 100
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        piece.fault = "Geometry with BoundingBox (Left, Top, Width, Height)", _said(error)
    return piece


def _said(error: Exception) -> str:
    return f"no {error}" if isinstance(error, KeyError) else str(error)


def sniff(peek: Peek) -> Evidence:
    """By its blocks; a folder by its names."""
    if peek.is_folder:
        if any(name.lower().endswith(".textract.json") for name in peek.entries):
            return Evidence(2, "a folder with .textract.json files")
        return Evidence(0, "a folder without .textract.json files")
    if b'"Blocks"' in peek.head and b'"BlockType"' in peek.head:
        return Evidence(3, "Blocks with BlockType")
    return Evidence(0, "no Blocks with BlockType")


FORMAT = Format(
    name="textract",
    about="Amazon Textract JSON",
    url="https://docs.aws.amazon.com/textract/latest/dg/API_Block.html",
    holds=holds,
    read=read,
    reader_options=OutlinedOcrOptions,
    sniff=sniff,
)
