"""Amazon Textract: what DetectDocumentText and AnalyzeDocument give, as JSON.

Positions are shares of the page, 0 to 1, from the top left; confidences are percent (AWS, Amazon
Textract Developer Guide, "Block"). The page's size is in its PDF only.
"""

from __future__ import annotations

from typing import Any

from labelconv.format import Evidence, Format, Holds, NoOptions
from labelconv.io import Peek
from labelconv.model import Box, Polygon
from labelconv.ocr import (
    Fault,
    OutlinedOcrOptions,
    Parsed,
    Piece,
    Sheet,
    held,
    joined,
    loaded,
    number,
    reader,
)
from labelconv.ocr_answers import count_others, listed, said
from labelconv.problems import Report
from labelconv.sniffing import folder_evidence

_ENDINGS = (".textract.json", ".json")
_EXPECTED = "Textract's answer, an object with Blocks,"
_KINDS = {"word": "WORD", "line": "LINE"}
#: Told by the level or by other blocks; all others are counted.
_TOLD = frozenset(("PAGE", "WORD", "LINE"))
#: What is read of a block; other members are counted.
_OF_BLOCKS = frozenset(
    ("BlockType", "Id", "Page", "Text", "Geometry", "Confidence", "Relationships")
)


def holds(options: NoOptions) -> tuple[Holds, ...]:
    """Nothing is written."""
    return held(Box, Polygon)


def _parse(data: bytes, level: str, report: Report) -> Parsed:
    blocks, broken = _blocks(loaded(data, _EXPECTED))
    by_id = {id: block for _, block in blocks if (id := _word(block, "Id")) is not None}
    line_of: dict[str, str | None] = {}
    for _, block in blocks:
        if block.get("BlockType") == "LINE":
            line_of.update((child, _word(block, "Id")) for child in _children(block))
    sheets: dict[int, Sheet] = {}
    for pointer, block in blocks:
        kind = _word(block, "BlockType")
        page = block.get("Page", 1)
        is_page = isinstance(page, int) and page >= 1
        at = page - 1 if is_page else 0
        sheet = sheets.get(at) or sheets.setdefault(at, Sheet(at, unit="fractions", pieces=[]))
        is_layout = kind is not None and kind.startswith("LAYOUT_")
        if kind is not None and (kind == _KINDS.get(level) or (level == "block" and is_layout)):
            piece = _piece(block, pointer, report)
            count_others(block, _OF_BLOCKS, report, "textract:")
            if is_layout:
                piece.label = kind.removeprefix("LAYOUT_").lower()
                piece.text = _lines(block, by_id)
            if not is_page:
                piece.fault = "Page from 1", repr(page)[:40]
            id = _word(block, "Id")
            piece.group = line_of.get(id) if kind == "WORD" and id is not None else None
            sheet.pieces.append(piece)
        elif kind not in _TOLD and not is_layout:
            report.field(f"textract:{kind}")
    for pointer, record in broken:
        sheet = sheets.get(0) or sheets.setdefault(0, Sheet(0, unit="fractions", pieces=[]))
        fault = "a block as an object", repr(record)[:40]
        sheet.pieces.append(Piece("", pointer=pointer, record=record, fault=fault))
    return Parsed([sheets[page] for page in sorted(sheets)])


def _blocks(given: Any) -> tuple[list[tuple[str, dict[str, Any]]], list[tuple[str, Any]]]:
    """(JSON pointer, block) of one answer or of a list of them; and what is no block."""
    answers = given if isinstance(given, list) else [given]
    found: list[tuple[str, dict[str, Any]]] = []
    broken: list[tuple[str, Any]] = []
    for order, answer in enumerate(answers):
        blocks = answer.get("Blocks") if isinstance(answer, dict) else None
        if not isinstance(blocks, list):
            raise Fault(_EXPECTED, "none", pointer=f"/{order}" if isinstance(given, list) else "")
        start = f"/{order}/Blocks" if isinstance(given, list) else "/Blocks"
        for at, each in enumerate(blocks):
            if isinstance(each, dict):
                found.append((f"{start}/{at}", each))
            else:
                broken.append((f"{start}/{at}", each))
    return found, broken


def _word(block: dict[str, Any], name: str) -> str | None:
    found = block.get(name)
    return found if isinstance(found, str) else None


def _children(block: dict[str, Any]) -> list[str]:
    return [
        each
        for relation in listed(block, "Relationships")
        if isinstance(relation, dict) and relation.get("Type") == "CHILD"
        for each in listed(relation, "Ids")
        if isinstance(each, str)
    ]


def _lines(block: dict[str, Any], by_id: dict[str, dict[str, Any]]) -> str:
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
            lines.append((str(each.get("Id")), _word(each, "Text") or ""))
            continue
        waiting += [by_id[child] for child in reversed(_children(each)) if child in by_id]
    return joined(lines)


def _piece(block: dict[str, Any], pointer: str, report: Report) -> Piece:
    text = _word(block, "Text")
    if text is None and block.get("Text") is not None:
        report.field("textract:Text")
    piece = Piece(text or "", pointer=pointer, record=block, id=_word(block, "Id"))
    try:
        geometry = block["Geometry"]
        box = geometry["BoundingBox"]
        left, top = number(box["Left"]), number(box["Top"])
        piece.box = left, top, left + number(box["Width"]), top + number(box["Height"])
        corners = listed(geometry, "Polygon")
        piece.outline = tuple(number(corner[axis]) for corner in corners for axis in ("X", "Y"))
        if 0 < len(corners) < 3:
            piece.outline = ()
            report.field("textract:Polygon")
        if "Confidence" in block:
            piece.confidence = number(block["Confidence"]) / 100
    except (KeyError, TypeError, ValueError) as error:
        piece.fault = "Geometry with BoundingBox (Left, Top, Width, Height)", said(error)
    return piece


def sniff(peek: Peek) -> Evidence:
    """By its blocks; a folder by its names."""
    if peek.is_folder:
        return folder_evidence(peek, _ENDINGS[:1], 2)
    if b'"Blocks"' in peek.head and b'"BlockType"' in peek.head:
        return Evidence(3, "Blocks with BlockType")
    return Evidence(0, "no Blocks with BlockType")


FORMAT = Format(
    name="textract",
    about="Amazon Textract JSON",
    url="https://docs.aws.amazon.com/textract/latest/dg/API_Block.html",
    holds=holds,
    read=reader("textract", _ENDINGS, _parse),
    reader_options=OutlinedOcrOptions,
    sniff=sniff,
)
