"""Docling documents (`DoclingDocument` JSON): texts, tables and pictures with their place.

By docling-core's own types: `prov` has the 1-based page and a box in points, whose origin is at the
top left unless `coord_origin` says `BOTTOMLEFT`, as it does for texts of PDFs.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from labelconv.format import Evidence, Format, Holds, NoOptions
from labelconv.io import Peek
from labelconv.model import Box
from labelconv.ocr import Fault, Parsed, Piece, Sheet, held, loaded, number, reader
from labelconv.ocr_answers import count_others, listed, member, said, side
from labelconv.problems import Report
from labelconv.sniffing import folder_evidence

_ENDINGS = (".docling.json", ".json")
_EXPECTED = "a DoclingDocument, an object with schema_name and pages,"
_LISTS = ("texts", "tables", "pictures")
#: What is read of the members of each kind, and what only says how they hang together; others are
#: counted.
_OF_DOCUMENTS = frozenset(
    (
        *("schema_name", "version", "name", "origin", "pages", *_LISTS),
        *("body", "furniture", "groups"),
    )
)
_OF_ITEMS = frozenset(
    ("self_ref", "parent", "children", "label", "prov", "text", "orig", "content_layer")
)


class DoclingOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Options of the Docling reader.

    - `category`: the name of all annotations; without it, Docling's label of each.
    - `text`: the text as an answer of each annotation (`answer`), in its extra fields
      (`extra`), or not at all (`none`).
    - `question`: the name of the question that the text answers.
    - `page_size`: width x height of pages in points, such as `612x792`, where neither the
      document nor its PDF says it.
    """

    category: str | None = None
    text: Literal["answer", "extra", "none"] = "answer"
    question: str = "text"
    page_size: str | None = None


def holds(options: NoOptions) -> tuple[Holds, ...]:
    """Nothing is written."""
    return held(Box, confidence=False)


def _parse(data: bytes, level: str, report: Report) -> Parsed:
    given = loaded(data, _EXPECTED)
    if not isinstance(given, dict) or not isinstance(given.get("pages"), dict):
        raise Fault(_EXPECTED, "none")
    sheets: dict[int, Sheet] = {}
    for name, page in given["pages"].items():
        if not name.isdecimal() or len(name) > 9 or int(name) < 1:
            raise Fault("pages by number from 1", repr(name), pointer="/pages")
        width, height = (
            side(member(page, "size"), each, report, "docling:size.")
            for each in ("width", "height")
        )
        sheets[int(name) - 1] = Sheet(int(name) - 1, width, height, "points", pieces=[])
    for kind in _LISTS:
        for order, item in enumerate(listed(given, kind)):
            count_others(item, _OF_ITEMS, report, "docling:")
            for piece, page in _pieces(item, f"/{kind}/{order}", sheets):
                sheet = sheets.get(page) or sheets.setdefault(
                    page, Sheet(page, unit="points", pieces=[])
                )
                sheet.pieces.append(piece)
    count_others(given, _OF_DOCUMENTS, report, "docling:")
    origin = given.get("origin")
    media = origin.get("filename") if isinstance(origin, dict) else None
    return Parsed(
        [sheets[page] for page in sorted(sheets)], media if isinstance(media, str) else None
    )


def _pieces(item: Any, pointer: str, sheets: dict[int, Sheet]) -> list[tuple[Piece, int]]:
    """What an item says, with its 0-based page: a piece for each place that it has."""
    if not isinstance(item, dict):
        fault = "an object", repr(item)[:40]
        return [(Piece("", pointer=pointer, record=item, fault=fault), 0)]
    text = item.get("text", "")
    if not isinstance(text, str):
        fault = "text as a text", repr(text)[:40]
        return [(Piece("", pointer=pointer, record=item, fault=fault), 0)]
    places = listed(item, "prov") or [None]  # what is nowhere is rejected as what is broken
    label, id = item.get("label"), item.get("self_ref")
    found = []
    for order, place in enumerate(places):
        piece = Piece(text, pointer=f"{pointer}/prov/{order}", record=item)
        piece.label = label if isinstance(label, str) else None
        piece.id = (id if order == 0 else f"{id}/{order}") if isinstance(id, str) else None
        page = 0
        try:
            page = _page(place["page_no"])
            piece.box = _box(place["bbox"], sheets.get(page))
            start, end = place.get("charspan") or (0, 0)
            if len(places) > 1 and end > start:
                piece.text = text[start:end]
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            piece.fault = "prov with page_no and bbox (l, t, r, b, coord_origin)", said(error)
        found.append((piece, page))
    return found


def _page(given: Any) -> int:
    """The 0-based page. Raises ValueError."""
    count = number(given)
    if count < 1 or not count.is_integer():
        raise ValueError(f"page_no {given!r}")
    return int(count) - 1


def _box(given: dict[str, Any], sheet: Sheet | None) -> tuple[float, float, float, float]:
    left, top, right, bottom = (number(given[edge]) for edge in ("l", "t", "r", "b"))
    origin = given.get("coord_origin", "TOPLEFT")
    if origin == "TOPLEFT":
        return left, top, right, bottom
    if origin != "BOTTOMLEFT":
        raise ValueError(f"coord_origin {origin!r}")
    if sheet is None or sheet.height is None:
        raise ValueError("an origin at the bottom of a page without a height")
    return left, sheet.height - top, right, sheet.height - bottom


def sniff(peek: Peek) -> Evidence:
    """By the name of its schema; a folder by its names."""
    if peek.is_folder:
        return folder_evidence(peek, _ENDINGS[:1], 2)
    if b'"schema_name"' in peek.head and b'"DoclingDocument"' in peek.head:
        return Evidence(3, "the schema name DoclingDocument")
    return Evidence(0, "no schema name DoclingDocument")


FORMAT = Format(
    name="docling",
    about="Docling documents (JSON)",
    url="https://docling-project.github.io/docling/concepts/docling_document/",
    holds=holds,
    read=reader("docling", _ENDINGS, _parse),
    reader_options=DoclingOptions,
    sniff=sniff,
)
