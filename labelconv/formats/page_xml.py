"""PAGE XML: regions, lines, words and glyphs of a page, as Transkribus and OCR-D write it.

By PRImA's schemas of 2010 to 2019 (github.com/PRImA-Research-Lab/PAGE-XML). Namespaces differ by
version, so names are compared without them. Outlines are in pixels of the picture: the attribute
`points` since 2013, elements `Point` before.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from labelconv.format import Evidence, Format, Holds, NoOptions
from labelconv.io import Peek
from labelconv.model import Box, Coordinates, Polygon
from labelconv.ocr import Fault, Join, Parsed, Piece, Sheet, element, held_flat, local, reader, size
from labelconv.problems import Report
from labelconv.sniffing import folder_evidence

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

_ENDINGS = (".page.xml", ".xml")
#: By level: the elements from a region down to those of the level.
_BELOW: dict[str, tuple[str, ...]] = {
    "line": ("TextLine",),
    "word": ("TextLine", "Word"),
    "glyph": ("TextLine", "Word", "Glyph"),
}
_USED = frozenset(("id", "custom"))
_ON_PAGE_USED = frozenset(
    (
        *("imageFilename", "imageWidth", "imageHeight"),
        *("imageXResolution", "imageYResolution", "imageResolutionUnit"),
    )
)
#: Regions with lines of text in them; cells of tables are Transkribus' own.
_TEXTS = ("TextRegion", "TableCell")
#: Parts of an element that are pieces of their own, or said by the piece.
_READ = frozenset(("Coords", "TextEquiv", "TextLine", "Word", "Glyph"))
#: What the text of an element is made of, where it says none, and what stands between.
_PARTS = {
    **dict.fromkeys(_TEXTS, ("TextLine", "\n")),
    "TextLine": ("Word", " "),
    "Word": ("Glyph", ""),
}
_INCHES = {"PPI": 1.0, "PPCM": 2.54}


class PageXmlOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Options of the PAGE XML reader.

    - `level`: an annotation for each glyph, word, line or region (`block`).
    - `category`: the name of all annotations; without it, the type of a text region or line
      (heading, page-number), the name of another region (ImageRegion), else the level.
    - `text`: the text as an answer of each annotation (`answer`), in its extra fields
      (`extra`), or not at all (`none`).
    - `question`: the name of the question that the text answers.
    - `media`: the pages as documents, in points, or as pictures (`image`), in pixels, as they are
      where the pictures themselves are uploaded.
    - `dpi`: pixels to an inch, where the file does not say it and no PDF says how large the page
      is.
    - `page_size`: width x height of pages in points, such as `612x792`, where no PDF
      says it.
    - `join`: a document for each file (`none`); or files as the pages of one: by the number at the
      end of their names (`doc_0001`), or, in natural order, those of a `folder` or those that name
      the same picture (`media`), where its PDF with as many pages is found by `--media`.
    - `first_page`: with `join=number`, the number that the file of the first page has.
    - `shape`: the box around each outline, or the outline itself (`polygon`).
    """

    level: Literal["glyph", "word", "line", "block"] = "line"
    category: str | None = None
    text: Literal["answer", "extra", "none"] = "answer"
    question: str = "text"
    media: Literal["document", "image"] = "document"
    dpi: float | None = None
    page_size: str | None = None
    join: Join = "none"
    first_page: int = 1
    shape: Literal["box", "polygon"] = "box"


def holds(options: NoOptions) -> tuple[Holds, ...]:
    """Nothing is written."""
    return held_flat(Box, Polygon)


def _parse(data: bytes, level: str, report: Report) -> Parsed:
    root = element(data, "PcGts", "PAGE XML")
    pages = [each for each in root if local(each) == "Page"]
    if not pages:
        raise Fault("an element Page", "none")
    sheets = []
    for number, page in enumerate(pages):
        width, height = size(page.get("imageWidth")), size(page.get("imageHeight"))
        sheet = Sheet(number, width, height, dpi=_resolution(page))
        sheet.pieces = list(_Regions(level, f"/Page[{number + 1}]", report).pieces(page))
        sheets.append(sheet)
        for name in page.attrib.keys() - _ON_PAGE_USED:
            report.field(f"page-xml:Page@{name}")
        for each in page:
            name = local(each)
            if not _is_region(name):
                report.field(f"page-xml:{name}", _references(each))
    return Parsed(sheets, pages[0].get("imageFilename") or None)


def _references(element: Element) -> int:
    """How many regions a reading order or a list of relations names; 1 for anything else."""
    return sum(each.get("regionRef") is not None for each in element.iter()) or 1


def _resolution(page: Element) -> float | None:
    """Pixels to an inch; None where the two axes differ, or the unit is another."""
    unit = _INCHES.get(page.get("imageResolutionUnit") or "PPI")
    across = size(page.get("imageXResolution"))
    down = size(page.get("imageYResolution")) or across
    if unit is None or across is None or across != down:
        return None
    return across * unit


class _Regions:
    """Reads the regions of a page."""

    def __init__(self, level: str, where: str, report: Report) -> None:
        self._level = level
        self._where = where
        self._report = report

    def pieces(self, above: Element) -> Iterator[Piece]:
        """The pieces of the regions in an element, and of those in them."""
        for region in above:
            name = local(region)
            if not _is_region(name):
                continue
            if self._level == "block":
                yield self._piece(region, _label(region, name))
            elif name in _TEXTS:
                yield from self._inside(region, _BELOW[self._level])
            else:
                self._report.field(f"page-xml:{name}")
            yield from self.pieces(region)

    def _inside(self, outer: Element, names: tuple[str, ...]) -> Iterator[Piece]:
        """The pieces of the level in a region, line or word."""
        name, *further = names
        inner = [each for each in outer if local(each) == name]
        if not inner and _text(outer):
            self._report.field(f"page-xml:text of {local(outer)} without {name}")
        for each in inner:
            if further:
                yield from self._inside(each, tuple(further))
                continue
            piece = self._piece(each, _structure(each) if name == "TextLine" else None)
            piece.group = outer.get("id")
            yield piece

    def _piece(self, element: Element, label: str | None) -> Piece:
        name, id = local(element), element.get("id")
        pointer = f"{self._where}//{name}" + (f"[@id='{id}']" if id else "")
        piece = Piece(_text(element), label=label, id=id, pointer=pointer, record=element)
        try:
            piece.outline = _outline(element)
        except ValueError as error:
            piece.fault = "Coords with at least three points", str(error)
        said = _equivalent(element)
        sure = None if said is None else said.get("conf")
        if sure is not None:
            try:
                piece.confidence = float(sure)
            except ValueError:
                self._report.field("page-xml:conf")
        custom = element.get("custom")
        if custom:
            piece.extra = {"page-xml:custom": custom}
        self._count(element, label)
        return piece

    def _count(self, element: Element, label: str | None) -> None:
        """Count what is said of a piece beside its text and place."""
        report = self._report
        for name in element.attrib.keys() - _USED:
            if name != "type" or element.get(name) != label:
                report.field(f"page-xml:{name}")
        texts = -1
        for each in element:
            name = local(each)
            texts += name == "TextEquiv"
            if name not in _READ and not _is_region(name):
                report.field(f"page-xml:{name}")
        if texts > 0:
            report.field("page-xml:TextEquiv beside the first", texts)


def _is_region(name: str) -> bool:
    return name.endswith("Region") or name == "TableCell"


def _label(region: Element, name: str) -> str | None:
    """What a region is: a type of text, or its name."""
    if name == "TextRegion":
        return region.get("type") or _structure(region)
    return name


def _structure(element: Element) -> str | None:
    """The type in `custom`, as Transkribus tags it: `structure {type:heading;}`."""
    for part in (element.get("custom") or "").split("}"):
        name, _, fields = part.partition("{")
        if name.strip() == "structure":
            for field in fields.split(";"):
                key, _, value = field.partition(":")
                if key.strip() == "type" and value.strip():
                    return value.strip()
    return None


def _outline(element: Element) -> Coordinates:
    """The corners in Coords. Raises ValueError where they are missing, or too few."""
    coords = next((each for each in element if local(each) == "Coords"), None)
    if coords is None:
        raise ValueError("no Coords")
    points = coords.get("points")
    if points is not None:
        pairs: list[list[Any]] = [pair.split(",") for pair in points.split()]
    else:
        pairs = [[each.get("x"), each.get("y")] for each in coords if local(each) == "Point"]
    if len(pairs) < 3 or any(len(pair) != 2 or None in pair for pair in pairs):
        raise ValueError(f"{len(pairs)} points" if points is None else repr(points[:60]))
    return tuple(float(each) for pair in pairs for each in pair)


def _equivalent(element: Element) -> Element | None:
    """The text to use of several: that of the lowest index, else the first."""
    found = [each for each in element if local(each) == "TextEquiv"]
    return min(found, key=_index) if found else None


def _index(text: Element) -> float:
    index = text.get("index") or ""
    return float(index) if index.isdecimal() else float("inf")


def _text(element: Element) -> str:
    """The text of an element, else of what is in it: Transkribus leaves that of regions empty."""
    said = _equivalent(element)
    if said is not None:
        for name in ("Unicode", "PlainText"):
            text = next((each.text for each in said if local(each) == name), None)
            if text:
                return text
    name = local(element)
    inner, between = _PARTS.get(name, ("", ""))
    texts = (_text(each) for each in element if local(each) == inner)
    return between.join(text for text in texts if text)


def sniff(peek: Peek) -> Evidence:
    """By the root element; a folder by its names."""
    if peek.is_folder:
        return folder_evidence(peek, (".page.xml",), 2)
    head = peek.text[:8_192]
    if head[:1] == b"<" and (b"<PcGts" in head or b":PcGts" in head):
        return Evidence(3, "the element PcGts")
    return Evidence(0, "no element PcGts")


FORMAT = Format(
    name="page-xml",
    about="PAGE XML: transcribed and recognised text",
    url="https://github.com/PRImA-Research-Lab/PAGE-XML",
    holds=holds,
    read=reader("page-xml", _ENDINGS, _parse),
    reader_options=PageXmlOptions,
    sniff=sniff,
)
