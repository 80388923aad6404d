"""Tesseract's tables (TSV) and its `.box` files.

TSV: a row for each page, block, paragraph, line and word, told apart by `level` 1 to 5; pixels from
the top left; `conf` in percent, -1 for none. Box files: `symbol left bottom right top page` with y
up from the bottom of the picture, whose height is in its own file (`--media`, `-O sizes=FILE`).
"""

from __future__ import annotations

import re

from labelconv.format import Evidence, Format, Holds, NoOptions
from labelconv.io import Peek
from labelconv.model import Box
from labelconv.ocr import (
    Fault,
    OcrOptions,
    Parsed,
    Piece,
    Sheet,
    held,
    joined,
    lines,
    number,
    reader,
)
from labelconv.problems import Report
from labelconv.sniffing import folder_evidence

_ENDINGS = (".tsv", ".box")
_HEAD = (
    *("level", "page_num", "block_num", "par_num", "line_num", "word_num"),
    *("left", "top", "width", "height", "conf", "text"),
)
_LEVELS = {"block": 2, "line": 4, "word": 5}
_BOX = re.compile(
    r"(.+?) (-?\d{1,9}) (-?\d{1,9}) (-?\d{1,9}) (-?\d{1,9})(?: (\d{1,9}))?(?: #(.*))?", re.DOTALL
)


def holds(options: NoOptions) -> tuple[Holds, ...]:
    """Nothing is written."""
    return held(Box)


def _parse(data: bytes, level: str, report: Report) -> Parsed:
    found = lines(data)
    if found[0].split("\t") == list(_HEAD):
        return _table(found, level)
    return _boxes(found)


def _table(rows: list[str], level: str) -> Parsed:
    wanted = _LEVELS[level]
    sheets: dict[int, Sheet] = {}
    inside: list[tuple[Piece, tuple[str, ...]]] = []
    words: dict[tuple[str, ...], list[tuple[str, str]]] = {}
    for place, line in enumerate(rows[1:], 2):
        if not line:
            continue
        cells = line.split("\t", 11)
        try:
            kind, page = map(int, cells[:2])
            left, top, width, height = (number(int(each)) for each in cells[6:10])
            sure = float(cells[10])
            kept = range(1, 1 << 31).index(page)  # pages count from 1
            range(1, 6).index(kind)
        except (ValueError, IndexError) as error:
            sheet = sheets.setdefault(0, Sheet(0, pieces=[]))
            fault = "a level of 1 to 5, nine whole numbers, a confidence and a text", str(error)
            sheet.pieces.append(Piece("", line=place, record=line.encode(), fault=fault))
            continue
        sheet = sheets.get(kept) or sheets.setdefault(kept, Sheet(kept, pieces=[]))
        if kind == 1:
            if width > 0 and height > 0:
                sheet.width, sheet.height = width, height
            continue
        text = cells[11].strip() if len(cells) > 11 else ""
        if kind == 5:
            line_key = tuple(cells[1:5])
            words.setdefault(tuple(cells[1:3]), []).append((cells[3] + "." + cells[4], text))
            words.setdefault(line_key, []).append(("", text))
        if kind != wanted:
            continue
        piece = Piece(text, (left, top, left + width, top + height), line=place)
        piece.record = line.encode()
        if kind == 5:
            piece.group = "/".join(cells[1:5])
            piece.confidence = None if sure == -1 else sure / 100
        else:
            if kind == 4:
                piece.group = "/".join(cells[1:3])
            inside.append((piece, tuple(cells[1:5] if kind == 4 else cells[1:3])))
        sheet.pieces.append(piece)
    for piece, key in inside:
        piece.text = joined(words.get(key, []))
    return Parsed([sheets[page] for page in sorted(sheets)])


def _boxes(rows: list[str]) -> Parsed:
    """Glyphs, or lines (`WordStr … #text`): what a box file has, whatever the level asked for."""
    sheets: dict[int, Sheet] = {}
    pieces: list[Piece] = []  # of the first page, which has the broken lines of all
    for place, line in enumerate(rows, 1):
        if not line or line.startswith("\t "):  # the end of a line, in files for training
            continue
        piece = Piece("", line=place, record=line.encode())
        found = _BOX.fullmatch(line)
        if found is None:
            piece.fault = "a symbol, four edges and a page", repr(line[:60])
            pieces.append(piece)
            continue
        left, bottom, right, top = (float(found[each]) for each in (2, 3, 4, 5))
        piece.box = left, bottom, right, top
        whole = found[7] is not None
        piece.text, piece.label = (found[7], "line") if whole else (found[1], "character")
        page = int(found[6] or 0)
        if page not in sheets:
            sheets[page] = Sheet(page, pieces=[] if sheets else pieces, upwards=True)
        sheets[page].pieces.append(piece)
    if pieces and not sheets:
        expected = "a table with the head of Tesseract, or boxes"
        raise Fault(expected, repr(rows[0][:40]), pieces[0].line)
    return Parsed([sheets[page] for page in sorted(sheets)])


def sniff(peek: Peek) -> Evidence:
    """By the head of the table, by lines of boxes, or by names in a folder."""
    if peek.is_folder:
        return folder_evidence(peek, (".box",), 2)
    if peek.text.startswith(b"level\tpage_num\tblock_num"):
        return Evidence(3, "the head of Tesseract's table")
    first = peek.text.split(b"\n", 1)[0].decode("utf-8", "replace").rstrip("\r")
    if peek.name.lower().endswith(".box") and _BOX.fullmatch(first):
        return Evidence(2, "a symbol and five numbers in the first line")
    return Evidence(0, "neither Tesseract's table nor its boxes")


FORMAT = Format(
    name="tesseract",
    about="Tesseract tables (TSV) and box files",
    url="https://tesseract-ocr.github.io/tessdoc/Command-Line-Usage.html",
    holds=holds,
    read=reader("tesseract", _ENDINGS, _parse),
    reader_options=OcrOptions,
    sniff=sniff,
)
