"""docTR: what `Document.export()`, `Page.export()` and the predictor of forms (KIE) give, as JSON.

By docTR's own classes (doctr/io/elements.py): pages with their index from 0 and `dimensions`
(height, width) in pixels; blocks, lines and words with shares of the page, as two corners or, for
turned text, as four.
"""

from __future__ import annotations

from collections.abc import Iterator
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
    size,
)
from labelconv.ocr_answers import count_others, listed, said
from labelconv.problems import Report
from labelconv.sniffing import folder_evidence

_ENDINGS = (".doctr.json", ".json")
_EXPECTED = "docTR's export, an object with pages,"
_GEOMETRY = "a geometry of two corners or four"
#: What is read of pages, and of what is on them; other members are counted.
_OF_PAGES = frozenset(
    (
        *("page_idx", "dimensions", "blocks", "layout", "tables", "predictions"),
        *("orientation", "language"),
    )
)
_OF_PIECES = frozenset(
    ("geometry", "value", "confidence", "type", "lines", "words", "artefacts", "cells")
)


def holds(options: NoOptions) -> tuple[Holds, ...]:
    """Nothing is written."""
    return held(Box, Polygon)


def _parse(data: bytes, level: str, report: Report) -> Parsed:
    given = loaded(data, _EXPECTED)
    pages, start = given.get("pages") if isinstance(given, dict) else None, "/pages/"
    if pages is None and isinstance(given, dict) and "dimensions" in given:
        pages, start = [given], ""  # one page, exported alone
    if not isinstance(pages, list):
        raise Fault(_EXPECTED, "none")
    sheets: dict[int, Sheet] = {}
    for order, page in enumerate(pages):
        pointer = f"{start}{order}" if start else ""
        if not isinstance(page, dict):
            raise Fault("a page, an object", repr(page)[:40], pointer=pointer)
        index = page.get("page_idx", order)
        if isinstance(index, bool) or not isinstance(index, int) or index < 0 or index in sheets:
            raise Fault("a page_idx of its own, from 0", repr(index)[:40], pointer=pointer)
        count_others(page, _OF_PAGES, report, "doctr:")
        for name in ("orientation", "language"):
            if _get(page.get(name), "value") is not None:
                report.field(f"doctr:{name}")
        sheets[index] = _sheet(index, page, pointer, level, report)
    return Parsed([sheets[index] for index in sorted(sheets)])


def _sheet(index: int, page: dict[str, Any], pointer: str, level: str, report: Report) -> Sheet:
    dimensions = page.get("dimensions")
    known = dimensions if isinstance(dimensions, list) and len(dimensions) == 2 else [None, None]
    height, width = size(known[0]), size(known[1])
    sheet = Sheet(index, width, height, "fractions")
    if width is None or height is None:
        sheet.width = sheet.height = None
    sheet.pieces = list(_pieces(page, pointer, level, report))
    return sheet


def _pieces(page: dict[str, Any], start: str, level: str, report: Report) -> Iterator[Piece]:
    for at, block in _listed(page, "blocks", start):
        lines = list(_listed(block, "lines", at))
        if level == "block" or not isinstance(block, dict):
            yield _piece(block, at, "\n".join(_text(line) for _, line in lines), report)
        for where, line in lines:
            if level == "line" or not isinstance(line, dict):
                yield _piece(line, where, _text(line), report, group=at)
            elif level == "word":
                for place, word in _listed(line, "words", where):
                    yield _piece(word, place, _value(word), report, group=where)
        yield from _regions(block, "artefacts", at, level, report)
    yield from _regions(page, "layout", start, level, report)
    for at, table in _listed(page, "tables", start):
        cells = list(_listed(table, "cells", at))
        if level == "block" or not isinstance(table, dict):
            rows = [(str(_get(cell, "row_start")), _value(cell)) for _, cell in cells]
            yield _piece(table, at, joined(rows), report, label="table")
            continue
        for where, cell in cells:  # their words are in no line
            yield _piece(cell, where, _value(cell), report, label="cell", group=where)
    found = page.get("predictions") or {}
    if not isinstance(found, dict):
        raise Fault("predictions by class", repr(found)[:40], pointer=f"{start}/predictions")
    for name in found:
        for place, word in _listed(found, name, f"{start}/predictions"):
            yield _piece(word, place, _value(word), report, label=name)


def _regions(given: Any, name: str, start: str, level: str, report: Report) -> Iterator[Piece]:
    """What is no text, with its type; pieces where blocks are asked for."""
    for at, region in _listed(given, name, start):
        if level == "block":
            label = _get(region, "type")
            yield _piece(region, at, "", report, label=label if isinstance(label, str) else None)
        else:
            report.field(f"doctr:{name}")


def _piece(
    given: Any,
    pointer: str,
    text: str,
    report: Report,
    *,
    label: str | None = None,
    group: str | None = None,
) -> Piece:
    piece = Piece(text, label=label or None, group=group, pointer=pointer, record=given)
    if not isinstance(given, dict):
        piece.fault = "an object", repr(given)[:40]
        return piece
    try:
        numbers = _numbers(given["geometry"])
        if len(numbers) == 4:
            piece.box = numbers[0], numbers[1], numbers[2], numbers[3]
        elif len(numbers) == 8:
            piece.outline = numbers
        else:
            piece.fault = _GEOMETRY, f"{len(numbers)} numbers"
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        piece.fault = _GEOMETRY, said(error)
        return piece
    if not isinstance(given.get("value") or "", str):
        piece.fault = "a value that is a text", repr(given["value"])[:40]
    if given.get("confidence") is not None:
        try:
            piece.confidence = number(given["confidence"])
        except ValueError:
            report.field("doctr:confidence")
    count_others(given, _OF_PIECES, report, "doctr:")
    return piece


def _numbers(geometry: Any) -> tuple[float, ...]:
    """Of points, or one after the other, as docTR's own server gives them."""
    if all(isinstance(each, list) and len(each) == 2 for each in geometry):
        return tuple(number(each) for point in geometry for each in point)
    return tuple(number(each) for each in geometry)


def _listed(given: Any, name: str, start: str) -> Iterator[tuple[str, Any]]:
    """What a member lists, with its place."""
    for at, each in enumerate(listed(given, name)):
        yield f"{start}/{_escaped(name)}/{at}", each


def _get(given: Any, name: str) -> Any:
    return given.get(name) if isinstance(given, dict) else None


def _value(word: Any) -> str:
    value = _get(word, "value")
    return value if isinstance(value, str) else ""


def _text(line: Any) -> str:
    words = (_value(word) for _, word in _listed(line, "words", ""))
    return " ".join(word for word in words if word)


def _escaped(name: str) -> str:
    """A key as JSON pointers spell it (RFC 6901)."""
    return name.replace("~", "~0").replace("/", "~1")


def sniff(peek: Peek) -> Evidence:
    """By the keys of a page; a folder by its names."""
    if peek.is_folder:
        return folder_evidence(peek, (".doctr.json",), 2)
    if b'"page_idx"' in peek.head and b'"dimensions"' in peek.head:
        return Evidence(3, "pages with page_idx and dimensions")
    return Evidence(0, "no pages with page_idx and dimensions")


FORMAT = Format(
    name="doctr",
    about="docTR's export: recognised text (JSON)",
    url="https://mindee.github.io/doctr/",
    holds=holds,
    read=reader("doctr", _ENDINGS, _parse),
    reader_options=OutlinedOcrOptions,
    sniff=sniff,
)
