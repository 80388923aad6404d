"""Shapes of Label Studio: percent of the picture's width and height, clockwise degrees.

A turned rectangle is given by its top left corner before turning, about which it is turned
(label-studio's own `rotation`); percents are of different lengths in x and y, so that turning is
done in pixels.
"""

from __future__ import annotations

import math
from typing import Any

from labelconv import masks
from labelconv.model import Box, Mask, OrientedBox, Point, Polygon, Polyline, Shape
from labelconv.texts import Fault

#: What no percent or pixel reaches; JSON has whole numbers that are beyond all floats.
MOST = 1e9


def shape_of(kind: str, value: dict[str, Any], width: float, height: float) -> Shape:
    """The shape of a result of this type in a picture of this size, in pixels. Raises `Fault`."""
    if kind in ("rectanglelabels", "rectangle"):
        return _rectangle(value, width, height)
    if kind in ("polygonlabels", "polygon", "vectorlabels", "vector"):
        return _outline(value, width, height, closed=kind.startswith("polygon"))
    if kind in ("keypointlabels", "keypoint"):
        return Point(_number(value, "x") * width / 100, _number(value, "y") * height / 100)
    if kind in ("ellipselabels", "ellipse"):
        return _ellipse(value, width, height)
    if kind in ("brushlabels", "brush"):
        return _brush(value, round(width), round(height))
    raise Fault("a shape in a picture, a span or a choice", kind, "/type")


def kind_of(value: dict[str, Any]) -> str | None:
    """The type of a result that has a shape without saying which."""
    if "points" in value:
        return "polygon"
    if "radiusX" in value:
        return "ellipse"
    if "rle" in value:
        return "brush"
    if "x" in value and "y" in value:
        return "rectangle" if "height" in value else "keypoint"
    return None


def _number(value: dict[str, Any], name: str) -> float:
    found = value.get(name)
    if isinstance(found, bool) or not isinstance(found, (int, float)) or not abs(found) < MOST:
        raise Fault(f"a number as {name}", repr(found), f"/value/{name}")
    return float(found)


def _rectangle(value: dict[str, Any], width: float, height: float) -> Shape:
    x, y = _number(value, "x") * width / 100, _number(value, "y") * height / 100
    w, h = _number(value, "width") * width / 100, _number(value, "height") * height / 100
    if w < 0 or h < 0:
        raise Fault("a width and height of 0 or more", f"{w:g} × {h:g}", "/value")
    angle = _number(value, "rotation") if value.get("rotation") else 0.0
    if not angle:
        return Box(x, y, x + w, y + h)
    cosine, sine = math.cos(math.radians(angle)), math.sin(math.radians(angle))
    centre_x = x + cosine * w / 2 - sine * h / 2
    centre_y = y + sine * w / 2 + cosine * h / 2
    return OrientedBox(centre_x, centre_y, w, h, angle)


def _outline(value: dict[str, Any], width: float, height: float, *, closed: bool) -> Shape:
    points = value.get("points") or value.get("vertices")
    ring: list[float] = []
    for point in points if isinstance(points, list) else ():
        if isinstance(point, dict):
            point = [point.get("x"), point.get("y")]
        if not isinstance(point, list) or len(point) != 2:
            raise Fault("points of x and y", repr(point)[:40], "/value/points")
        pair = {"x": point[0], "y": point[1]}
        ring.extend((_number(pair, "x") * width / 100, _number(pair, "y") * height / 100))
    least = 3 if closed else 2
    if len(ring) < 2 * least:
        raise Fault(f"{least} points or more", str(len(ring) // 2), "/value/points")
    return Polygon(((tuple(ring),),)) if closed else Polyline(tuple(ring))


_CORNERS = 64


def _ellipse(value: dict[str, Any], width: float, height: float) -> Polygon:
    """An ellipse as a polygon of 64 points on it."""
    x, y = _number(value, "x") * width / 100, _number(value, "y") * height / 100
    a, b = _number(value, "radiusX") * width / 100, _number(value, "radiusY") * height / 100
    turn = math.radians(_number(value, "rotation") if value.get("rotation") else 0.0)
    ring: list[float] = []
    for corner in range(_CORNERS):
        angle = 2 * math.pi * corner / _CORNERS
        u, v = a * math.cos(angle), b * math.sin(angle)
        ring.append(x + u * math.cos(turn) - v * math.sin(turn))
        ring.append(y + u * math.sin(turn) + v * math.cos(turn))
    return Polygon(((tuple(ring),),))


# ------------------------------------------------------------------------------ brushes


def _brush(value: dict[str, Any], width: int, height: int) -> Mask:
    """The pixels of a brush: where the fourth byte of each is not 0."""
    import numpy as np

    packed = value.get("rle")
    if value.get("format", "rle") != "rle" or not isinstance(packed, list):
        raise Fault("a brush as rle", str(value.get("format")), "/value/format")
    try:
        pixels = np.frombuffer(unpacked(bytes(packed)), np.uint8)
    except (IndexError, ValueError, TypeError) as error:
        raise Fault(
            "run lengths of a brush", str(error) or "a list cut off", "/value/rle"
        ) from None
    if pixels.size != 4 * width * height:
        raise Fault(f"{4 * width * height} bytes of a picture", str(pixels.size), "/value/rle")
    return masks.from_array(pixels.reshape(height, width, 4)[:, :, 3] > 0)


#: Pictures of more pixels are refused, so that a few bytes cannot ask for all memory.
_MOST_BYTES = 4 * 20_000 * 20_000


def unpacked(data: bytes) -> bytes:
    """Bytes from Label Studio's run lengths, which are not whole bytes themselves.

    First 32 bits: how many values; 5 bits: bits of a value, less one; four times 4 bits: the sizes
    of lengths, less one. Then for each stretch: one bit, whether all its values are one; two bits,
    which size its length has; the length, less one; and the value, or as many values.
    (label-studio-sdk, `converter/brush.py`, describes the decoder.)
    """
    bits = f"{int.from_bytes(data):0{len(data) * 8}b}" if data else ""
    at = 0

    def take(count: int) -> int:
        nonlocal at
        if at + count > len(bits):
            raise IndexError("a list of bytes cut off")
        at += count
        return int(bits[at - count : at], 2)

    total = take(32)
    if total > _MOST_BYTES:
        raise ValueError(f"{total} bytes, more than any picture has")
    size = take(5) + 1
    lengths = [take(4) + 1 for _ in range(4)]
    found = bytearray()
    while len(found) < total:
        same = take(1)
        count = take(lengths[take(2)]) + 1
        count = min(count, total - len(found))
        if same:
            found.extend(bytes([take(size) & 0xFF]) * count)
        else:
            found.extend(take(size) & 0xFF for _ in range(count))
    return bytes(found)
