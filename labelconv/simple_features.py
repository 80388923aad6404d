"""OGC simple features (ISO 19125): shapes ↔ well-known binary and text.

The binary form is taken apart by hand, a ring at a time, which is several times as fast as asking
an object for each ring. Text is made binary by shapely, all of it in one call.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence
from typing import Any, TypeAlias

import msgspec

from labelconv import geometry
from labelconv.model import Coordinates, Point, Polygon, Polyline

Simple: TypeAlias = Point | Polyline | Polygon

_POINT, _LINE, _POLYGON, _MULTI_POINT, _MULTI_LINE, _MULTI_POLYGON, _COLLECTION = range(1, 8)
_NAMES = {
    1: "POINT",
    2: "LINESTRING",
    3: "POLYGON",
    4: "MULTIPOINT",
    5: "MULTILINESTRING",
    6: "MULTIPOLYGON",
    7: "GEOMETRYCOLLECTION",
}


_ENDLESS = "a coordinate that is not a finite number"


class SimpleError(ValueError):
    """A geometry cannot be read, or is no shape; the message says what it is."""


class Parsed(msgspec.Struct):
    """The shapes of a geometry, none of an empty one. A multi-polygon is one shape, other multi
    geometries and collections are several. `high` says that positions had more than x and y."""

    kind: str
    shapes: list[Simple]
    high: bool = False


def from_wkb(data: bytes) -> Parsed:
    """A geometry in well-known binary, ISO or extended. Raises `SimpleError`."""
    try:
        parsed, end = _read(data, 0)
    except struct.error:
        raise SimpleError("well-known binary that is cut off") from None
    except RecursionError:
        raise SimpleError("collections within collections without end") from None
    if end != len(data):
        raise SimpleError(f"well-known binary with {len(data) - end} bytes too many")
    return parsed


def from_wkt(texts: Sequence[str]) -> list[Parsed | SimpleError]:
    """Geometries in well-known text, of which some may be broken."""
    import numpy as np
    import shapely

    with np.errstate(all="ignore"):  # numbers that are none are said one by one
        found = shapely.from_wkt(list(texts), on_invalid="ignore")
        binary = shapely.to_wkb(found, output_dimension=2)
    out: list[Parsed | SimpleError] = []
    for text, geom, data in zip(texts, found, binary, strict=True):
        if geom is None:
            out.append(SimpleError(f"{text[:40]!r}{'…' if len(text) > 40 else ''}"))
            continue
        try:
            parsed = from_wkb(data)
        except SimpleError as error:
            out.append(error)
            continue
        parsed.high = bool(geom.has_z)
        out.append(parsed)
    return out


def to_wkb(shape: Simple) -> bytes:
    """A shape in well-known binary (ISO, little endian); rings are closed."""
    if isinstance(shape, Point):
        return struct.pack("<BIdd", 1, _POINT, shape.x, shape.y)
    if isinstance(shape, Polyline):
        points = shape.points
        return struct.pack(f"<BII{len(points)}d", 1, _LINE, len(points) // 2, *points)
    parts = [_polygon(part) for part in shape.parts]
    if len(parts) == 1:
        return parts[0]
    return struct.pack("<BII", 1, _MULTI_POLYGON, len(parts)) + b"".join(parts)


def to_wkt(shape: Simple) -> str:
    """A shape in well-known text, with all digits that it needs."""
    if isinstance(shape, Point):
        return f"POINT ({shape.x!r} {shape.y!r})"
    if isinstance(shape, Polyline):
        return f"LINESTRING {_text(shape.points)}"
    parts = [
        "(" + ", ".join(_text((*ring, *ring[:2])) for ring in part) + ")" for part in shape.parts
    ]
    if len(parts) == 1:
        return f"POLYGON {parts[0]}"
    return f"MULTIPOLYGON ({', '.join(parts)})"


def _text(numbers: Coordinates) -> str:
    pairs = zip(numbers[::2], numbers[1::2], strict=True)
    return "(" + ", ".join(f"{float(x)!r} {float(y)!r}" for x, y in pairs) + ")"


def _polygon(part: tuple[Coordinates, ...]) -> bytes:
    out = [struct.pack("<BII", 1, _POLYGON, len(part))]
    for ring in part:
        count = len(ring) + 2
        out.append(struct.pack(f"<I{count}d", count // 2, *ring, *ring[:2]))
    return b"".join(out)


def _read(data: bytes, at: int) -> tuple[Parsed, int]:
    order = "<" if data[at : at + 1] == b"\x01" else ">"
    (code,) = struct.unpack_from(order + "I", data, at + 1)
    at += 5
    width = 2
    if code & 0xE0000000:  # extended: flags for Z, M and a CRS's number
        width += bool(code & 0x80000000) + bool(code & 0x40000000)
        at += 4 if code & 0x20000000 else 0
        code &= 0x1FFFFFFF
    if code >= 1000:  # ISO: 1000 for Z, 2000 for M, 3000 for both
        width += 1 if code < 3000 else 2
        code %= 1000
    kind = _NAMES.get(code)
    if kind is None:
        raise SimpleError(f"a geometry of type {code}, of curves or surfaces,")
    if code == _POINT:
        x, y = struct.unpack_from(order + "2d", data, at)
        empty = x != x and y != y  # noqa: PLR0124 - an empty point is not a number
        if not (empty or math.isfinite(x + y) or (math.isfinite(x) and math.isfinite(y))):
            raise SimpleError(_ENDLESS)
        return Parsed(kind, [] if empty else [Point(x, y)], width > 2), at + 8 * width
    if code == _LINE:
        line, at = _run(data, at, order, width)
        if line and len(line) < 4:
            raise SimpleError("a line of one point")
        return Parsed(kind, [Polyline(line)] if line else [], width > 2), at
    if code == _POLYGON:
        part, at = _rings(data, at, order, width)
        return Parsed(kind, [Polygon((part,))] if part else [], width > 2), at
    (count,) = struct.unpack_from(order + "I", data, at)
    at += 4
    shapes: list[Simple] = []
    parts: list[tuple[Coordinates, ...]] = []
    high = width > 2
    for _ in range(count):
        member, at = _read(data, at)
        shapes.extend(member.shapes)
        parts.extend(p for each in member.shapes if isinstance(each, Polygon) for p in each.parts)
        high = high or member.high
    if code == _MULTI_POLYGON and parts:
        shapes = [Polygon(tuple(parts))]
    return Parsed(kind, shapes, high), at


def _rings(data: bytes, at: int, order: str, width: int) -> tuple[tuple[Coordinates, ...], int]:
    (count,) = struct.unpack_from(order + "I", data, at)
    at += 4
    rings: list[Coordinates] = []
    for _ in range(count):
        ring, at = _run(data, at, order, width)
        ring = geometry.opened(ring)
        if len(ring) < 6:
            raise SimpleError(f"a ring of {len(ring) // 2} points")
        rings.append(ring)
    return tuple(rings), at


def _run(data: bytes, at: int, order: str, width: int) -> tuple[Coordinates, int]:
    (count,) = struct.unpack_from(order + "I", data, at)
    at += 4
    if count * width * 8 > len(data) - at:
        raise SimpleError("well-known binary that is cut off")
    numbers: Any = struct.unpack_from(f"{order}{count * width}d", data, at)
    at += count * width * 8
    if width > 2:
        pairs = zip(numbers[::width], numbers[1::width], strict=True)
        numbers = tuple(number for pair in pairs for number in pair)
    # One sum tells nearly always; numbers near the largest may add up to infinity.
    if not math.isfinite(sum(numbers)) and not all(map(math.isfinite, numbers)):
        raise SimpleError(_ENDLESS)
    return numbers, at
