"""Tesseract's tables (TSV) and its `.box` files.

TSV: a row for each page, block, paragraph, line and word, told apart by `level` 1 to 5; pixels from
the top left; `conf` in percent, -1 for none. Box files: `symbol left bottom right top page` with y
up from the bottom of the picture, whose height is in its own file (`--media`, `-O sizes=FILE`).
"""

from __future__ import annotations

import re

from labelconv.format import Evidence, Format, Holds, NoOptions, Reading
from labelconv.io import UTF8_MARK, Peek, Source
from labelconv.model import Box, Dataset, Document, OnPage
from labelconv.ocr import Fault, OcrOptions, Parsed, Piece, Sheet, joined
from labelconv.problems import Report

_ENDINGS = (".tsv", ".box")
_HEAD = (
    *("level", "page_num", "block_num", "par_num", "line_num", "word_num"),
    *("left", "top", "width", "height", "conf", "text"),
)
_LEVELS = {"block": 2, "line": 4, "word": 5}
_BOX = re.compile(r"(.+?) (-?\d+) (-?\d+) (-?\d+) (-?\d+)(?: (\d+))?(?: #(.*))?", re.DOTALL)


def holds(options: NoOptions) -> tuple[Holds, ...]:
    """Nothing is written."""
    return (
        Holds(
            media=Document,
            values=frozenset({OnPage}),
            on_page=frozenset({Box}),
            confidence=True,
            classifications=1,
        ),
    )


def read(source: Source, options: OcrOptions, reading: Reading) -> Dataset:
    """A file, or the `.tsv` and `.box` files of a folder: a document for each."""
    from labelconv.ocr_samples import read as read_now

    return read_now(source, options, reading, name="tesseract", endings=_ENDINGS, parse=_parse)


def _parse(data: bytes, level: str, report: Report) -> Parsed:
    try:
        text = data.removeprefix(UTF8_MARK).decode()
    except UnicodeDecodeError as error:
        raise Fault("text in UTF-8", f"byte {error.start} that is not ({error.reason})") from None
    lines = [line.removesuffix("\r") for line in text.split("\n")]
    if lines[0].split("\t") == list(_HEAD):
        return _table(lines, level)
    return _boxes(lines)


def _table(lines: list[str], level: str) -> Parsed:
    wanted = _LEVELS[level]
    sheets: dict[int, Sheet] = {}
    inside: list[tuple[Piece, tuple[str, ...]]] = []
    words: dict[tuple[str, ...], list[tuple[str, str]]] = {}
    for number, line in enumerate(lines[1:], 2):
        if not line:
            continue
        cells = line.split("\t", 11)
        try:
            kind, page, *_, left, top, width, height = map(int, cells[:10])
            sure = float(cells[10])
            kept = range(1, 1 << 31).index(page)  # pages count from 1
        except (ValueError, IndexError) as error:
            sheet = sheets.setdefault(0, _sheet(0))
            fault = "ten whole numbers, a confidence and a text", str(error)
            sheet.pieces.append(Piece("", line=number, record=line.encode(), fault=fault))
            continue
        sheet = sheets.get(kept) or sheets.setdefault(kept, _sheet(kept))
        if kind == 1:
            if width > 0 and height > 0:
                sheet.width, sheet.height = float(width), float(height)
            continue
        text = cells[11].strip() if len(cells) > 11 else ""
        if kind == 5:
            line_key = tuple(cells[1:5])
            words.setdefault(tuple(cells[1:3]), []).append((cells[3] + "." + cells[4], text))
            words.setdefault(line_key, []).append(("", text))
        if kind != wanted:
            continue
        piece = Piece(text, (left, top, left + width, top + height), line=number)
        piece.record = line.encode()
        if kind == 5:
            piece.group = "/".join(cells[1:5])
            piece.confidence = sure / 100 if sure >= 0 else None
        else:
            if kind == 4:
                piece.group = "/".join(cells[1:3])
            inside.append((piece, tuple(cells[1:5] if kind == 4 else cells[1:3])))
        sheet.pieces.append(piece)
    for piece, key in inside:
        piece.text = joined(words.get(key, []))
    return Parsed([sheets[page] for page in sorted(sheets)])


def _boxes(lines: list[str]) -> Parsed:
    """Glyphs, or lines (`WordStr … #text`): what a box file has, whatever the level asked for."""
    sheets: dict[int, Sheet] = {}
    for number, line in enumerate(lines, 1):
        if not line or line.startswith("\t "):  # the end of a line, in files for training
            continue
        found = _BOX.fullmatch(line)
        if found is None:
            if not sheets:
                raise Fault("a table with the head of Tesseract, or boxes", repr(line[:40]), number)
            fault = "a symbol, four edges and a page", repr(line[:60])
            piece = Piece("", line=number, record=line.encode(), fault=fault)
            next(iter(sheets.values())).pieces.append(piece)
            continue
        left, bottom, right, top = (float(found[each]) for each in (2, 3, 4, 5))
        text, label = (found[7], "line") if found[7] is not None else (found[1], "character")
        piece = Piece(text, (left, bottom, right, top), label=label, line=number)
        piece.record = line.encode()
        page = int(found[6] or 0)
        sheet = sheets.get(page) or sheets.setdefault(page, _sheet(page))
        sheet.upwards = True
        sheet.pieces.append(piece)
    return Parsed([sheets[page] for page in sorted(sheets)])


def _sheet(number: int) -> Sheet:
    sheet = Sheet(number)
    sheet.pieces = []
    return sheet


def sniff(peek: Peek) -> Evidence:
    """By the head of the table, by lines of boxes, or by names in a folder."""
    if peek.is_folder:
        if any(name.lower().endswith(".box") for name in peek.entries):
            return Evidence(2, "a folder with .box files")
        return Evidence(0, "a folder without .box files")
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
    read=read,
    reader_options=OcrOptions,
    sniff=sniff,
)
