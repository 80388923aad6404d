"""Docling documents (`DoclingDocument` JSON): texts, tables and pictures with their place.

By docling-core's own types: `prov` has the 1-based page and a box in points, whose origin is at the
top left unless `coord_origin` says `BOTTOMLEFT`, as it does for texts of PDFs.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from labelconv.format import Evidence, Format, Holds, NoOptions, Reading
from labelconv.io import Peek, Source
from labelconv.model import Box, Dataset, Document, OnPage
from labelconv.ocr import Fault, Parsed, Piece, Sheet, loaded, number, size
from labelconv.problems import Report

_ENDINGS = (".docling.json", ".json")
_EXPECTED = "a DoclingDocument, an object with schema_name and pages,"
_LISTS = ("texts", "tables", "pictures")
_BESIDE = ("key_value_items", "form_items")


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
    return (
        Holds(
            media=Document,
            values=frozenset({OnPage}),
            on_page=frozenset({Box}),
            confidence=False,
            classifications=1,
        ),
    )


def read(source: Source, options: DoclingOptions, reading: Reading) -> Dataset:
    """A file, or the `.json` files of a folder: a document for each."""
    from labelconv.ocr_samples import read as read_now

    return read_now(source, options, reading, name="docling", endings=_ENDINGS, parse=_parse)


def _parse(data: bytes, level: str, report: Report) -> Parsed:
    given = loaded(data, _EXPECTED)
    if not isinstance(given, dict) or not isinstance(given.get("pages"), dict):
        raise Fault(_EXPECTED, "none")
    sheets: dict[int, Sheet] = {}
    for name, page in given["pages"].items():
        if not name.isdecimal() or int(name) < 1:
            raise Fault("pages by number from 1", repr(name), pointer="/pages")
        said = page.get("size") if isinstance(page, dict) else None
        sized = said if isinstance(said, dict) else {}
        sheets[int(name) - 1] = _sheet(int(name) - 1, sized)
    for kind in _LISTS:
        for order, item in enumerate(given.get(kind) or ()):
            for piece, page in _pieces(item, f"/{kind}/{order}", sheets):
                sheet = sheets.get(page) or sheets.setdefault(page, _sheet(page, {}))
                sheet.pieces.append(piece)
    for kind in _BESIDE:
        if count := len(given.get(kind) or ()):
            report.field(f"docling:{kind}", count)
    origin = given.get("origin")
    media = origin.get("filename") if isinstance(origin, dict) else None
    return Parsed(
        [sheets[page] for page in sorted(sheets)], media if isinstance(media, str) else None
    )


def _sheet(number: int, sized: dict[str, Any]) -> Sheet:
    sheet = Sheet(number, size(sized.get("width")), size(sized.get("height")), "points")
    sheet.pieces = []
    return sheet


def _pieces(item: Any, pointer: str, sheets: dict[int, Sheet]) -> list[tuple[Piece, int]]:
    """What an item says, with its 0-based page: a piece for each place that it has."""
    if not isinstance(item, dict):
        fault = "an object", repr(item)[:40]
        return [(Piece("", pointer=pointer, record=item, fault=fault), 0)]
    text = item.get("text")
    text = text if isinstance(text, str) else ""
    places = item.get("prov") or ()
    label, id = item.get("label"), item.get("self_ref")
    found = []
    for order, place in enumerate(places):
        piece = Piece(text, pointer=f"{pointer}/prov/{order}", record=item)
        piece.label = label if isinstance(label, str) else None
        piece.id = (id if order == 0 else f"{id}/{order}") if isinstance(id, str) else None
        page = 0
        try:
            page = int(place["page_no"]) - 1
            if page < 0:
                raise ValueError(f"page_no {page + 1}")  # noqa: TRY301
            piece.box = _box(place["bbox"], sheets.get(page))
            start, end = place.get("charspan") or (0, 0)
            if len(places) > 1 and end > start:
                piece.text = text[start:end]
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            page = max(page, 0)
            said = f"no {error}" if isinstance(error, KeyError) else str(error)
            piece.fault = "prov with page_no and bbox (l, t, r, b, coord_origin)", said
        found.append((piece, page))
    return found


def _box(given: dict[str, Any], sheet: Sheet | None) -> tuple[float, float, float, float]:
    left, top, right, bottom = (number(given[edge]) for edge in ("l", "t", "r", "b"))
    if given.get("coord_origin", "TOPLEFT") == "TOPLEFT":
        return left, top, right, bottom
    if sheet is None or sheet.height is None:
        raise ValueError("an origin at the bottom of a page without a height")
    return left, sheet.height - top, right, sheet.height - bottom


def sniff(peek: Peek) -> Evidence:
    """By the name of its schema; a folder by its names."""
    if peek.is_folder:
        if any(name.lower().endswith(".docling.json") for name in peek.entries):
            return Evidence(2, "a folder with .docling.json files")
        return Evidence(0, "a folder without .docling.json files")
    if b'"schema_name"' in peek.head and b'"DoclingDocument"' in peek.head:
        return Evidence(3, "the schema name DoclingDocument")
    return Evidence(0, "no schema name DoclingDocument")


FORMAT = Format(
    name="docling",
    about="Docling documents (JSON)",
    url="https://docling-project.github.io/docling/concepts/docling_document/",
    holds=holds,
    read=read,
    reader_options=DoclingOptions,
    sniff=sniff,
)
