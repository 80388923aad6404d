"""ALTO, versions 2 to 4: recognised text of scanned pages in XML.

By the schemas of the Library of Congress (standards/alto). Namespaces differ by version, so names
are compared without them. Positions are in pixels, tenths of a millimetre or 1/1200 inch.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from labelconv.format import Evidence, Format, Holds, NoOptions, Reading
from labelconv.io import Peek, Source
from labelconv.model import Box, Coordinates, Dataset, Document, OnPage, Polygon
from labelconv.ocr import Fault, OutlinedOcrOptions, Parsed, Piece, Sheet, around, joined, size
from labelconv.pages import Unit
from labelconv.problems import Report

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
_USED = frozenset(("ID", "HPOS", "VPOS", "WIDTH", "HEIGHT", "CONTENT", "WC", "TAGREFS"))


def holds(options: NoOptions) -> tuple[Holds, ...]:
    """Nothing is written."""
    return (
        Holds(
            media=Document,
            values=frozenset({OnPage}),
            on_page=frozenset({Box, Polygon}),
            confidence=True,
            classifications=1,
        ),
    )


def read(source: Source, options: OutlinedOcrOptions, reading: Reading) -> Dataset:
    """A file, or the `.xml` files of a folder: a document for each."""
    from labelconv.ocr_samples import read as read_now

    return read_now(source, options, reading, name="alto", endings=_ENDINGS, parse=_parse)


def _parse(data: bytes, level: str, report: Report) -> Parsed:
    from labelconv.safexml import XmlFault, parse

    try:
        root = parse(data)
    except XmlFault as fault:
        raise Fault("ALTO XML", fault.found, fault.line, fault.column) from None
    if _name(root) != "alto":
        raise Fault("the element alto", f"<{_name(root)}>")
    media = labels = None
    unit: tuple[Unit, float] = _UNITS["pixel"]
    for element in root.iter():
        name = _name(element)
        if name == "MeasurementUnit":
            said = (element.text or "").strip()
            if said not in _UNITS:
                raise Fault("pixel, mm10 or inch1200 as MeasurementUnit", repr(said))
            unit = _UNITS[said]
        elif name == "fileName" and media is None:
            media = (element.text or "").strip() or None
        elif name == "Tags":
            labels = {tag.get("ID"): tag.get("LABEL") for tag in element}
        elif name == "Layout":
            break
    pages = [element for element in root.iter() if _name(element) == "Page"]
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
        width, height = size(page.get("WIDTH")), size(page.get("HEIGHT"))
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
        except (TypeError, ValueError) as error:
            if not piece.outline:
                piece.fault = "HPOS, VPOS, WIDTH and HEIGHT", str(error)
        sure = element.get("WC")
        if sure is not None:
            try:
                piece.confidence = float(sure)
            except ValueError:
                self._report.field("alto:WC")
        for tag in (element.get("TAGREFS") or "").split():
            piece.label = piece.label or self._labels.get(tag)
        for name in set(element.keys()) - _USED:
            self._report.field(f"alto:{name}")
        return piece

    def _outline(self, element: Element) -> Coordinates:
        """The points of Shape/Polygon, spelled `x,y x,y` or `x y x y`."""
        for shape in element:
            if _name(shape) == "Shape":
                for polygon in shape:
                    numbers = (polygon.get("POINTS") or "").replace(",", " ").split()
                    if _name(polygon) == "Polygon" and len(numbers) >= 6 and not len(numbers) % 2:
                        try:
                            return tuple(float(each) * self._factor for each in numbers)
                        except ValueError:
                            return ()
        return ()


def _blocks(element: Element) -> Iterator[Element]:
    for each in element:
        name = _name(each)
        if name in _BLOCKS:
            yield each
        elif name in _CONTAINERS or name == "ComposedBlock":
            yield from _blocks(each)


def _name(element: Element) -> str:
    return element.tag.rpartition("}")[2]


def _box(element: Element, factor: float) -> tuple[float, float, float, float]:
    found = [element.get(name) for name in ("HPOS", "VPOS", "WIDTH", "HEIGHT")]
    if None in found:
        raise ValueError("not all of them")
    x, y, width, height = (float(each) * factor for each in found)  # type: ignore[arg-type]
    return x, y, x + width, y + height


def _or_around(piece: Piece, strings: list[Element], factor: float) -> Piece:
    """Lines and blocks need no place of their own: then they are around their words."""
    if piece.box is None and not piece.outline:
        boxes = []
        for string in strings:
            if _name(string) == "String":
                try:
                    boxes.append(_box(string, factor))
                except ValueError:
                    continue
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
        if any(name.lower().endswith((".alto.xml", ".alto")) for name in peek.entries):
            return Evidence(2, "a folder with .alto.xml files")
        return Evidence(0, "a folder without .alto.xml files")
    head = peek.text[:8_192]
    if head[:1] == b"<" and (b"<alto" in head or b":alto" in head):
        return Evidence(3, "the element alto")
    return Evidence(0, "no element alto")


FORMAT = Format(
    name="alto",
    about="ALTO XML: recognised text",
    url="https://www.loc.gov/standards/alto/",
    holds=holds,
    read=read,
    reader_options=OutlinedOcrOptions,
    sniff=sniff,
)
