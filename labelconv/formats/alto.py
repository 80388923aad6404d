"""ALTO, versions 2 to 4: recognised text of scanned pages in XML.

By the schemas of the Library of Congress (standards/alto). Namespaces differ by version, so names
are compared without them. Positions are in pixels, tenths of a millimetre or 1/1200 inch.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Literal

from labelconv.format import Evidence, Format, Holds, NoOptions
from labelconv.io import Peek
from labelconv.model import Box, Coordinates, Polygon
from labelconv.ocr import (
    Fault,
    JoinedOcrOptions,
    Parsed,
    Piece,
    Sheet,
    around,
    element,
    held,
    joined,
    reader,
    size,
)
from labelconv.ocr import local as _name
from labelconv.pages import Unit
from labelconv.problems import Report
from labelconv.sniffing import folder_evidence

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

_ENDINGS = (".alto.xml", ".xml", ".alto")
#: Measurement units, with points to one of them.
_UNITS: dict[str, tuple[Unit, float]] = {
    "pixel": ("pixels", 1.0),
    "mm10": ("points", 72 / 254),
    "inch1200": ("points", 72 / 1200),
}
_BLOCKS = ("TextBlock", "Illustration", "GraphicalElement")
#: What holds other blocks; it is no block itself, or words would be in two.
_CONTAINERS = ("PrintSpace", "TopMargin", "BottomMargin", "LeftMargin", "RightMargin")
#: What stands in an element and has no place.
_BESIDE = frozenset(("ALTERNATIVE", "Glyph"))
_USED = frozenset(("ID", "HPOS", "VPOS", "WIDTH", "HEIGHT", "CONTENT", "WC", "TAGREFS"))


class AltoOptions(JoinedOcrOptions, frozen=True, kw_only=True):
    """Options of the ALTO reader.

    - `shape`: the box around each outline, or the outline itself (`polygon`), which follows
      skewed text.
    """

    shape: Literal["box", "polygon"] = "box"


def holds(options: NoOptions) -> tuple[Holds, ...]:
    """Nothing is written."""
    return held(Box, Polygon)


def _parse(data: bytes, level: str, report: Report) -> Parsed:
    root = element(data, "alto", "ALTO XML")
    media = labels = None
    unit: tuple[Unit, float] = _UNITS["pixel"]
    for each in root.iter():
        name = _name(each)
        if name == "MeasurementUnit":
            said = (each.text or "").strip()
            if said not in _UNITS:
                raise Fault("pixel, mm10 or inch1200 as MeasurementUnit", repr(said))
            unit = _UNITS[said]
        elif name == "fileName" and media is None:
            media = (each.text or "").strip() or None
        elif name == "Tags":
            labels = {tag.get("ID"): tag.get("LABEL") for tag in each}
        elif name == "Layout":
            break
    pages = [each for each in root.iter() if _name(each) == "Page"]
    run = _Pages(level, unit, labels or {}, report)
    return Parsed([run.sheet(number, page) for number, page in enumerate(pages)], media)


class _Pages:
    """Reads the pages of one file."""

    def __init__(
        self, level: str, unit: tuple[Unit, float], labels: dict[Any, Any], report: Report
    ) -> None:
        self._level = level
        self._unit, self._factor = unit
        self._labels = labels
        self._report = report
        self._count = 0

    def sheet(self, number: int, page: Element) -> Sheet:
        width, height = self._side(page, "WIDTH"), self._side(page, "HEIGHT")
        factor = self._factor
        if width is not None and height is not None:
            width, height = width * factor, height * factor
        sheet = Sheet(number, width, height, self._unit)
        sheet.pieces = []
        for order, block in enumerate(_blocks(page), 1):
            lines = [each for each in block if _name(each) == "TextLine"]
            where = f"/Page[{number + 1}]"
            if self._level == "block":
                sheet.pieces.append(self._block(block, lines, where))
                continue
            for line in lines:
                strings = [each for each in line if _name(each) == "String"]
                self._count += 1
                if self._level == "line":
                    piece = self._piece(line, _text(line), where)
                    sheet.pieces.append(_or_around(piece, strings, factor))
                    piece.group = block.get("ID") or f"block {order}"
                    continue
                group = line.get("ID") or f"line {self._count}"
                for string in strings:
                    piece = self._piece(string, string.get("CONTENT") or "", where)
                    piece.group = group
                    sheet.pieces.append(piece)
        return sheet

    def _side(self, page: Element, name: str) -> float | None:
        """The width or height of a page; None where it is 0, or not said."""
        given = page.get(name)
        found = size(given)
        if found is None and given is not None and given.strip() not in ("", "0"):
            self._report.field(f"alto:{name} of pages")
        return found

    def _block(self, block: Element, lines: list[Element], where: str) -> Piece:
        words = [(str(number), _text(line)) for number, line in enumerate(lines)]
        piece = self._piece(block, joined(words), where)
        if _name(block) != "TextBlock" and piece.label is None:
            piece.label = _name(block)
        return _or_around(piece, [each for line in lines for each in line], self._factor)

    def _piece(self, element: Element, text: str, where: str) -> Piece:
        id = element.get("ID")
        pointer = f"{where}//{_name(element)}" + (f"[@ID='{id}']" if id else "")
        piece = Piece(text, id=id, pointer=pointer, record=element)
        piece.outline = self._outline(element)
        try:
            piece.box = _box(element, self._factor)
        except ValueError as error:
            if not piece.outline:
                piece.fault = "HPOS, VPOS, WIDTH and HEIGHT", str(error)
        sure = element.get("WC")
        if sure is not None:
            try:
                piece.confidence = float(sure)
            except ValueError:
                self._report.field("alto:WC")
        for tag in (element.get("TAGREFS") or "").split():
            label = self._labels.get(tag)
            if label is None or piece.label is not None:
                self._report.field("alto:TAGREFS")
            piece.label = piece.label or label
        for name in set(element.keys()) - _USED:
            self._report.field(f"alto:{name}")
        for each in element:
            if _name(each) in _BESIDE:
                self._report.field(f"alto:{_name(each)}")
        return piece

    def _outline(self, element: Element) -> Coordinates:
        """The points of Shape/Polygon, spelled `x,y x,y` or `x y x y`; the first of several."""
        outline: Coordinates = ()
        for shape in element:
            for each in shape if _name(shape) == "Shape" else ():
                found = self._points(each) if _name(each) == "Polygon" else ()
                if outline or not found:
                    self._report.field(f"alto:{_name(each)}")
                outline = outline or found
        return outline

    def _points(self, polygon: Element) -> Coordinates:
        """Three points at least; none where they are broken."""
        numbers = (polygon.get("POINTS") or "").replace(",", " ").split()
        if len(numbers) < 6 or len(numbers) % 2:
            return ()
        try:
            return tuple(float(each) * self._factor for each in numbers)
        except ValueError:
            return ()


def _blocks(element: Element) -> Iterator[Element]:
    for each in element:
        name = _name(each)
        if name in _BLOCKS:
            yield each
        elif name in _CONTAINERS or name == "ComposedBlock":
            yield from _blocks(each)


def _box(element: Element, factor: float) -> tuple[float, float, float, float]:
    """The edges, in points or pixels. Raises ValueError where there are not four numbers."""
    given = [element.get(name) for name in ("HPOS", "VPOS", "WIDTH", "HEIGHT")]
    found = [each for each in given if each is not None]
    if len(found) < 4:
        raise ValueError("not all of them")
    x, y, width, height = (float(each) * factor for each in found)
    return x, y, x + width, y + height


def _or_around(piece: Piece, strings: list[Element], factor: float) -> Piece:
    """Lines and blocks need no place of their own: then they are around their words."""
    if piece.box is None and not piece.outline:
        boxes = []
        for string in strings:
            if _name(string) == "String":
                # Words without a place are rejected where words are asked for.
                with contextlib.suppress(ValueError):
                    boxes.append(_box(string, factor))
        if boxes:
            piece.box, piece.fault = around(boxes), None
    return piece


def _text(line: Element) -> str:
    """The words of a line with blanks between, and the hyphen at its end."""
    out = ""
    for each in line:
        name = _name(each)
        if name == "String":
            out += f" {each.get('CONTENT') or ''}" if out else each.get("CONTENT") or ""
        elif name == "HYP":
            out += each.get("CONTENT") or ""
    return out


def sniff(peek: Peek) -> Evidence:
    """By the root element; a folder by its names."""
    if peek.is_folder:
        return folder_evidence(peek, (".alto.xml", ".alto"), 2)
    head = peek.text[:8_192]
    if head[:1] == b"<" and (b"<alto" in head or b":alto" in head):
        return Evidence(3, "the element alto")
    return Evidence(0, "no element alto")


FORMAT = Format(
    name="alto",
    about="ALTO XML: recognised text",
    url="https://www.loc.gov/standards/alto/",
    holds=holds,
    read=reader("alto", _ENDINGS, _parse),
    reader_options=AltoOptions,
    sniff=sniff,
)
