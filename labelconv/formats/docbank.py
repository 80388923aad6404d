"""DocBank: pages of papers, a line for each token with its box, colour, font and label.

By the data set's samples and its own scripts (github.com/doc-analysis/DocBank): ten columns apart
by tabs, `token x0 y0 x1 y1 R G B font label`, or six as `pdf_process.py` writes them, without the
colour and the label. Boxes are thousandths of the page, from the top left.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Literal

from labelconv.format import Evidence, Format, Holds, NoOptions
from labelconv.io import Peek
from labelconv.model import Box
from labelconv.ocr import (
    Fault,
    JoinedOcrOptions,
    Parsed,
    Piece,
    Placed,
    Sheet,
    around,
    held_flat,
    joined,
    lines,
    reader,
)
from labelconv.problems import Report

_ENDINGS = (".txt",)
_COLUMNS = "a token, four edges, three colours, a font and a label, apart by tabs"
#: Tokens that are drawings. They have no text.
_FIGURE, _RULE = "##LTFigure##", "##LTLine##"
#: Tokens of one label this near are one structure (DocBankLoader, `TokenInfo.is_neighbor`).
_ACROSS, _DOWN = 0.015, 0.016
#: For roundings of the quotients, far less than half of a thousandth.
_LITTLE = 1e-9


class DocBankOptions(JoinedOcrOptions, frozen=True, kw_only=True):
    """Options of the DocBank reader.

    - `media`: the pages as documents, in points, or as pictures (`image`), in pixels, as they are
      where the pictures themselves are uploaded.
    """

    media: Literal["document", "image"] = "document"
    first_page: int = 0  # in the names of the data set's files


def holds(options: NoOptions) -> tuple[Holds, ...]:
    """Nothing is written."""
    return held_flat(Box, confidence=False)


def _placed(path: str) -> Placed:
    """The picture of `a_3.txt` is `a_3_ori.jpg`; other tools leave `_ori` out."""
    return Placed(path, tuple(f"{path}{end}" for end in ("_ori.jpg", ".jpg", ".png")))


def _parse(data: bytes, level: str, report: Report) -> Parsed:
    rows = lines(data)
    tokens = [_token(row, number) for number, row in enumerate(rows, 1) if row]
    if tokens and all(token.fault is not None for token in tokens):
        first = tokens[0]
        raise Fault(_COLUMNS, repr(rows[(first.line or 1) - 1][:60]), first.line)
    rules = [token for token in tokens if token.text == _RULE]
    words = [token for token in tokens if token.text != _RULE]
    runs = list(_runs(words))
    if level == "block":
        pieces, loose = _blocks([*runs, *([rule] for rule in rules)])
    else:
        pieces, loose = _grouped(runs) if level == "line" else _single(runs), len(rules)
    if loose:
        report.field(f"docbank:{_RULE}", loose)
    for piece in pieces:
        if piece.text == _FIGURE:
            piece.text = ""
    if level != "word":
        for field in ("docbank:colour", "docbank:font"):
            if count := sum(field in token.extra for token in tokens):
                report.field(field, count)
            for piece in pieces:
                piece.extra.pop(field, None)
    return Parsed([Sheet(0, unit="fractions", pieces=pieces)])


def _token(row: str, number: int) -> Piece:
    piece = Piece("", line=number, record=row.encode())
    cells = row.split("\t")
    if len(cells) > 10:
        cells = row.rsplit("\t", 9)  # a tab may be part of the token
    if len(cells) not in (6, 10):
        piece.fault = _COLUMNS, f"{len(cells)} columns"
        return piece
    try:
        x0, y0, x1, y1 = (float(cell) / 1000 for cell in cells[1:5])
    except ValueError as error:
        piece.fault = _COLUMNS, str(error)
        return piece
    piece.text = cells[0]
    piece.box = x0, y0, x1, y1
    if len(cells) == 10:
        piece.label = cells[9] or None
        piece.extra["docbank:colour"] = [int(c) if c.isdecimal() else c for c in cells[5:8]]
        piece.extra["docbank:font"] = cells[8]
    else:
        piece.extra["docbank:font"] = cells[5]
    return piece


def _sound(piece: Piece) -> bool:
    """Whether a token can be laid to others; those that cannot are rejected on their own."""
    if piece.box is None:
        return False
    x0, y0, x1, y1 = piece.box
    return x0 <= x1 and y0 <= y1 and math.isfinite(x0 + y0 + x1 + y1)


# ------------------------------------------------------------------------------------ grouping


def _runs(tokens: list[Piece]) -> Iterator[list[Piece]]:
    """Tokens that follow each other on one line: of one label, and no gap between."""
    run: list[Piece] = []
    for token in tokens:
        if run and not _follows(run[-1], token):
            yield run
            run = []
        run.append(token)
    if run:
        yield run


def _follows(one: Piece, other: Piece) -> bool:
    if one.label != other.label or _FIGURE in (one.text, other.text):
        return False
    if one.box is None or other.box is None or not (_sound(one) and _sound(other)):
        return False
    left, top, right, bottom = one.box
    x0, y0, _, y1 = other.box
    shared = min(bottom, y1) - max(top, y0)
    on_line = shared > 0.5 * min(bottom - top, y1 - y0)
    return on_line and left <= x0 <= right + _ACROSS + _LITTLE


def _single(runs: list[list[Piece]]) -> list[Piece]:
    for number, run in enumerate(runs, 1):
        for token in run:
            token.group = f"line {number}"
    return [token for run in runs for token in run]


def _grouped(runs: list[list[Piece]]) -> list[Piece]:
    return [_whole([run]) for run in runs]


def _blocks(runs: list[list[Piece]]) -> tuple[list[Piece], int]:
    """Runs of one label that are near each other, as one piece; and the number of loose rules."""
    by_label: dict[str | None, list[int]] = {}
    hulls: list[tuple[float, float, float, float] | None] = []
    for at, run in enumerate(runs):
        boxes = [token.box for token in run if token.box is not None and _sound(token)]
        hulls.append(around(boxes) if boxes else None)
        by_label.setdefault(run[0].label, []).append(at)
    head = list(range(len(runs)))

    def first(at: int) -> int:
        while head[at] != at:
            head[at] = head[head[at]]
            at = head[at]
        return at

    for members in by_label.values():
        for one, other in _near(members, hulls):
            low, high = sorted((first(one), first(other)))
            head[high] = low
    blocks: dict[int, list[list[Piece]]] = {}
    for at, run in enumerate(runs):
        blocks.setdefault(first(at), []).append(run)
    kept, loose = [], 0
    for block in blocks.values():
        if all(run[0].text == _RULE for run in block):
            loose += len(block)
        else:
            kept.append(_whole(block))
    return kept, loose


def _near(
    members: list[int], hulls: list[tuple[float, float, float, float] | None]
) -> Iterator[tuple[int, int]]:
    """Pairs that are near: from top to bottom, each compared with those it can still touch."""
    across, down = _ACROSS + _LITTLE, _DOWN + _LITTLE
    boxed = sorted((box[1], at, box) for at in members if (box := hulls[at]) is not None)
    open_: list[tuple[float, float, float, int]] = []
    for top, at, (left, _, right, bottom) in boxed:
        still = []
        covered = False
        for each in open_:
            low, x0, x1, other = each
            if low < top - down:
                continue
            if left - x1 <= across and x0 - right <= across:
                yield other, at
            # What comes and can touch the one, touches the other that covers it, too.
            if low > bottom or x0 < left or right < x1:
                still.append(each)
                covered = covered or (bottom <= low and x0 <= left and right <= x1)
        open_ = still if covered else [*still, (bottom, left, right, at)]


def _whole(runs: list[list[Piece]]) -> Piece:
    """The piece that runs of tokens are together; one token alone stays as it is."""
    tokens = [token for run in runs for token in run]
    first = tokens[0]
    if len(tokens) == 1:
        return first
    words = [
        (str(at), token.text)
        for at, run in enumerate(runs)
        for token in run
        if token.text not in (_FIGURE, _RULE)
    ]
    box = around([token.box for token in tokens if token.box is not None])
    record = b"\n".join(token.record for token in tokens)
    return Piece(joined(words), box, label=first.label, line=first.line, record=record)


def sniff(peek: Peek) -> Evidence:
    """By the ten columns of the first line; a folder by pairs of names."""
    if peek.is_folder:
        stems = {name[:-8] for name in peek.entries if name.endswith("_ori.jpg")}
        if any(f"{stem}.txt" in peek.entries for stem in stems):
            return Evidence(2, "a folder of .txt files with pictures named _ori.jpg")
        return Evidence(0, "a folder without .txt files beside _ori.jpg")
    cells = peek.head.split(b"\n", 1)[0].split(b"\t")
    numbers = len(cells) == 10 and all(cell.isdigit() for cell in cells[1:8])
    if numbers and not cells[9].strip().isdigit():
        return Evidence(3, "a token, seven numbers, a font and a label in the first line")
    return Evidence(0, "no ten columns of DocBank in the first line")


FORMAT = Format(
    name="docbank",
    about="DocBank: tokens of papers with their structure",
    url="https://github.com/doc-analysis/DocBank",
    holds=holds,
    read=reader("docbank", _ENDINGS, _parse, _placed),
    reader_options=DocBankOptions,
    sniff=sniff,
)
