"""The shapes of an `object` element: numbers to values of the model.

Only `bndbox` and `point` are the devkit's and count pixels from 1; `polygon` (RectLabel, Roboflow)
and `robndbox` (roLabelImg) come from tools that mean edges, whatever their `bndbox` counts from.
"""

from __future__ import annotations

import math
from typing import Any
from xml.etree.ElementTree import Element

import msgspec

from labelconv import geometry
from labelconv.formats.voc.elements import text_of
from labelconv.model import Box, OrientedBox, Point, Polygon

#: Larger than any picture: the border where the size is not known.
FAR = 1e18
#: Past the border by less than this is dust of calculating, not worth a word.
BORDER_DUST_PX = 1e-3
#: A box of width 0 counted from 1 has xmin = xmax + 1, but for the dust of calculating.
_DUST_PX = 1e-6
_EDGES = ("xmin", "ymin", "xmax", "ymax")


class ShapeFault(Exception):
    """A shape that cannot be read: what was expected and found, and the element at fault."""

    def __init__(
        self, expected: str, found: str, element: Element | None, *, not_finite: bool = False
    ) -> None:
        super().__init__(found)
        self.expected = expected
        self.found = found
        self.element = element
        self.not_finite = not_finite


class Corners(msgspec.Struct, frozen=True):
    """A box as edges; `raw` as it stands in the file, `swapped` where its corners were."""

    x0: float
    y0: float
    x1: float
    y1: float
    raw: tuple[float, float, float, float]
    swapped: bool

    def as_box(self) -> Box:
        return Box(self.x0, self.y0, self.x1, self.y1)


def number(text: str) -> float | None:
    """A finite number, or None."""
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) and "_" not in text else None


def box(element: Element, first: int) -> Corners | None:
    """The `bndbox` of an object; None where it has none. Raises `ShapeFault`.

    `first` is 1 where pixels are counted from 1, inclusive: then xmin and ymin are one more than
    the edges, xmax and ymax are the edges.
    """
    found = element.find("bndbox")
    if found is None:
        return None
    xmin, ymin, xmax, ymax = (_needed(found, name) for name in _EDGES)
    raw = (xmin, ymin, xmax, ymax)
    x0, x1, x_swapped = _edges(xmin, xmax, first)
    y0, y1, y_swapped = _edges(ymin, ymax, first)
    return Corners(x0, y0, x1, y1, raw, x_swapped or y_swapped)


def _edges(low: float, high: float, first: int) -> tuple[float, float, bool]:
    edge = low - first
    if edge <= high:
        return edge, high, False
    if edge - high < _DUST_PX:
        return high, high, False
    return high - first, low, True


def outline(element: Element, first: int) -> Polygon | OrientedBox | Point | None:
    """What an object has beside or instead of a box. Raises `ShapeFault`."""
    turned = element.find("robndbox")
    if turned is not None:
        cx, cy, width, height, angle = (
            _needed(turned, name) for name in ("cx", "cy", "w", "h", "angle")
        )
        if width < 0 or height < 0:
            raise ShapeFault("w and h of 0 or more", f"{width:g} and {height:g}", turned)
        return OrientedBox(cx, cy, width, height, math.degrees(angle))
    rings = [ring for each in element.findall("polygon") if (ring := _ring(each))]
    if rings:
        return Polygon(tuple((ring,) for ring in rings))
    point = element.find("point")
    if point is not None and element.find("bndbox") is None:
        # Pixel 1 of the devkit reaches from 0 to 1.
        return Point(_needed(point, "x") - first / 2, _needed(point, "y") - first / 2)
    return None


def _ring(element: Element) -> tuple[float, ...]:
    """x1, y1, x2, y2, …, by their numbers, in whatever order they stand; empty without any."""
    if len(element) == 0:
        return ()
    if element.find("pt") is not None:
        raise ShapeFault("a polygon of x1, y1, x2, …", "LabelMe's pt", element)
    values: dict[str, float] = {}
    for child in element:
        value = number(text_of(child))
        if value is None:
            raise _bad(child)
        values[child.tag] = value
    count = len(values) // 2
    try:
        ring = tuple(
            values[f"{axis}{position}"] for position in range(1, count + 1) for axis in ("x", "y")
        )
    except KeyError as error:
        raise ShapeFault("a polygon of x1, y1, x2, …", f"none called {error}", element) from None
    ring = geometry.opened(ring)
    if len(values) % 2 or not geometry.has_three_points(ring):
        found = f"{len(values)} numbers"
        raise ShapeFault("a polygon of three points or more", found, element)
    return ring


def _needed(element: Element, name: str) -> float:
    child = element.find(name)
    if child is None:
        raise ShapeFault(f"{name} in {element.tag}", "nothing", element)
    value = number(text_of(child))
    if value is None:
        raise _bad(child)
    return value


def _bad(element: Element) -> ShapeFault:
    text = text_of(element)
    not_finite = text.lower().lstrip("+-") in ("nan", "inf", "infinity")
    return ShapeFault("a number", repr(text), element, not_finite=not_finite)


def drift(declared: Box, value: Any) -> float:
    """How far a stated box is from the outline's own, in pixels; 0 for rotated boxes and points.

    roLabelImg writes no box, others write one of their own making around a rotated one.
    """
    own = geometry.bounds(value) if isinstance(value, Polygon) else None
    if own is None:
        return 0.0
    return max(
        abs(own.x0 - declared.x0),
        abs(own.y0 - declared.y0),
        abs(own.x1 - declared.x1),
        abs(own.y1 - declared.y1),
    )


def bounds_in_words(value: Any) -> list[float]:
    own = geometry.bounds(value)
    assert own is not None
    return [own.x0, own.y0, own.x1, own.y1]
