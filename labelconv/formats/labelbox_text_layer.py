"""Labelbox's text layers: the words of documents that entities are marked on, a JSON file each.

By Labelbox's documentation of `text_layer_url`: a list of pages from 1, in points or in percent
(shares of the page, 0 to 1) from the top left, with groups of tokens.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import msgspec

from labelconv.format import Evidence, Format, Holds, Reading
from labelconv.io import Peek, Source
from labelconv.model import Box, Dataset, Document, FreeText, OnPage, Page
from labelconv.ocr import Fault, OcrOptions, Parsed, Piece, Sheet, loaded, number
from labelconv.ocr_answers import listed, said, side
from labelconv.pages import Unit
from labelconv.problems import Report

_ENDINGS = (".json",)
_EXPECTED = "a text layer, a list of pages with number, units and groups"
_UNITS: dict[Any, Unit] = {"POINTS": "points", "PERCENT": "fractions"}


class TextLayerWriterOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Options of the text layer writer.

    - `unit`: points, or shares of the page (`percent`), where the pages' sizes are known.
    """

    unit: Literal["points", "percent"] = "points"


def holds(options: TextLayerWriterOptions) -> tuple[Holds, ...]:
    """Words on pages, each with its text."""
    return (
        Holds(
            media=Document,
            values=frozenset({OnPage}),
            on_page=frozenset({Box}),
            classifications=1,
            answers=frozenset({FreeText}),
            ids=True,
            uri=False,
            keys="path",
            tokens=True,
            extra="own",
        ),
    )


def read(source: Source, options: OcrOptions, reading: Reading) -> Dataset:
    """A file, or the `.json` files of a folder: a document for each."""
    from labelconv.ocr_samples import read as read_now

    name = "labelbox-text-layer"
    return read_now(source, options, reading, name=name, endings=_ENDINGS, parse=_parse)


def _parse(data: bytes, level: str, report: Report) -> Parsed:
    given = loaded(data, _EXPECTED)
    if not isinstance(given, list):
        raise Fault(_EXPECTED, f"a {type(given).__name__}")
    sheets: dict[int, Sheet] = {}
    for order, page in enumerate(given):
        pointer = f"/{order}"
        if not isinstance(page, dict):
            raise Fault(_EXPECTED, repr(page)[:40], pointer=pointer)
        count, unit = page.get("number"), page.get("units")
        known = isinstance(unit, str) and unit in _UNITS
        if not isinstance(count, int) or count < 1 or not known:
            found = f"number {count!r}, units {unit!r}"
            raise Fault("number from 1, and units POINTS or PERCENT", found, pointer=pointer)
        if count - 1 in sheets:
            raise Fault("pages of different numbers", f"another page {count}", pointer=pointer)
        prefix = "labelbox-text-layer:"
        width, height = (side(page, name, report, prefix) for name in ("width", "height"))
        sheet = Sheet(count - 1, width, height, _UNITS[unit], pieces=[])
        scale = (1.0, 1.0)
        if unit == "PERCENT" and width is not None and height is not None:
            sheet.unit, scale = "points", (width, height)
        sheets[count - 1] = sheet
        for at, group in enumerate(listed(page, "groups")):
            sheet.pieces += _group(group, level, scale, f"{pointer}/groups/{at}", report)
    return Parsed([sheets[page] for page in sorted(sheets)])


def _group(
    group: Any, level: str, scale: tuple[float, float], pointer: str, report: Report
) -> Iterator[Piece]:
    """The group itself, or its tokens where words are asked for."""
    id = group.get("id") if isinstance(group, dict) else None
    if level != "word" or not isinstance(group, dict):
        yield _piece(group, scale, pointer)
        return
    if "typography" in group:
        report.field("labelbox-text-layer:typography")
    for at, token in enumerate(listed(group, "tokens")):
        piece = _piece(token, scale, f"{pointer}/tokens/{at}")
        piece.group = id if isinstance(id, str) else None
        yield piece


def _piece(given: Any, scale: tuple[float, float], pointer: str) -> Piece:
    piece = Piece("", pointer=pointer, record=given)
    try:
        place, text, id = given["geometry"], given["content"], given["id"]
        left, top = number(place["left"]) * scale[0], number(place["top"]) * scale[1]
        right = left + number(place["width"]) * scale[0]
        piece.box = left, top, right, top + number(place["height"]) * scale[1]
    except (KeyError, TypeError, ValueError) as error:
        piece.fault = "id, content and geometry (left, top, width, height)", said(error)
        return piece
    piece.text, piece.id = str(text), str(id)
    return piece


# ------------------------------------------------------------------------------------ writing


def write(dataset: Dataset, target: Path, options: TextLayerWriterOptions, report: Report) -> None:
    """A file for each sample in the folder `target`."""
    from labelconv.textlayers import layer_of

    target.mkdir()
    count = 0
    for sample in dataset:
        layer = layer_of(sample)
        path = target / f"{sample.key}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        pages = []
        for page in layer.pages:
            across, down = _shares(page.size, options)
            wire: dict[str, Any] = {"number": page.number + 1}
            wire["units"] = "POINTS" if across is None else "PERCENT"
            if page.size is not None and page.size.width and page.size.height:
                wire["width"], wire["height"] = page.size.width, page.size.height
            wire["groups"] = [
                {
                    "id": group.id,
                    "content": group.content,
                    "geometry": _geometry(group.box, across, down),
                    "tokens": [
                        {
                            "id": token.id,
                            "content": token.content,
                            "geometry": _geometry(token.box, across, down),
                        }
                        for token in group.tokens
                    ],
                }
                for group in page.groups
            ]
            count += sum(len(group.tokens) for group in page.groups)
            pages.append(wire)
        path.write_bytes(msgspec.json.encode(pages) + b"\n")
    report.ledger.written["tokens"] = count


def _shares(
    page: Page | None, options: TextLayerWriterOptions
) -> tuple[float, float] | tuple[None, None]:
    """The page's size where boxes become shares of it; (None, None) where they stay points."""
    if options.unit == "points" or page is None or not (page.width and page.height):
        return None, None
    return page.width, page.height


def _geometry(box: Box, across: float | None, down: float | None) -> dict[str, float]:
    x, y = across or 1.0, down or 1.0
    return {
        "left": box.x0 / x,
        "top": box.y0 / y,
        "width": (box.x1 - box.x0) / x,
        "height": (box.y1 - box.y0) / y,
    }


def sniff(peek: Peek) -> Evidence:
    """A list whose first page has units and groups of tokens."""
    if peek.is_folder:
        return Evidence(0, "a folder, which does not tell a text layer")
    head = peek.head
    if peek.text[:1] == b"[" and b'"groups"' in head and b'"units"' in head:
        return Evidence(3, "a list of pages with units and groups")
    return Evidence(0, "no list of pages with units and groups")


FORMAT = Format(
    name="labelbox-text-layer",
    about="Labelbox text layers of documents",
    url="https://docs.labelbox.com/reference/text-layer",
    holds=holds,
    read=read,
    write=write,
    reader_options=OcrOptions,
    writer_options=TextLayerWriterOptions,
    sniff=sniff,
    folder=lambda options: True,
)
