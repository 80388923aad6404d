"""CVAT's elements as shapes of the model.

Source: CVAT's XML format 1.1 and `dataset_manager/formats/cvat.py`. Coordinates are pixels from
the outer corner of the top-left pixel; `rotation` is in degrees clockwise about the centre.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any
from xml.etree.ElementTree import Element

from labelconv import codes, geometry, masks
from labelconv.model import (
    Box,
    Coordinates,
    Image,
    Keypoint,
    Keypoints,
    Mask,
    OrientedBox,
    Point,
    Polygon,
    Polyline,
    Value,
)
from labelconv.problems import Code, Report, Where

#: How far an ellipse's polygon may be from the ellipse, in pixels.
ELLIPSE_TOLERANCE_PX = 0.05
_EVERY = frozenset({"label", "score"})
#: The fields of each element that its shape uses up; those of an unknown element under "".
SHAPE_FIELDS = {
    "box": _EVERY | {"xtl", "ytl", "xbr", "ybr", "rotation"},
    "ellipse": _EVERY | {"cx", "cy", "rx", "ry", "rotation"},
    "mask": _EVERY | {"rle", "left", "top", "width", "height"},
    "": _EVERY | {"points"},
}


class Bad(Exception):
    """An element that cannot be used: the code, the path inside it, the values."""

    def __init__(self, code: Code, pointer: str = "", **values: object) -> None:
        super().__init__(code.id)
        self.code = code
        self.pointer = pointer
        self.values: dict[str, Any] = values


def number_of(fields: Mapping[str, str], name: str) -> float:
    """The number in a field. Raises `Bad`."""
    text = fields.get(name)
    try:
        number = float(text)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        found = "nothing" if text is None else repr(text[:40])
        raise Bad(codes.RECORD_MALFORMED, f"/@{name}", expected="a number", found=found) from None
    if not math.isfinite(number):
        raise Bad(codes.NUMBER_NOT_FINITE, f"/@{name}", found=text)
    return number


def text_of(fields: Mapping[str, str], name: str) -> str:
    """The text in a field, which must not be empty. Raises `Bad`."""
    text = fields.get(name)
    if not text:
        raise Bad(codes.RECORD_MALFORMED, f"/@{name}", expected=f"a {name}", found="nothing")
    return text


def values_of(element: Element, image: Image, report: Report, where: Where) -> list[Value]:
    """The values of an element; several for `points` of several points. Raises `Bad`."""
    tag, fields = element.tag, element.attrib
    if tag == "box":
        return [_box(fields, report, where)]
    if tag == "mask":
        return [_mask(fields, image, report, where)]
    if tag == "skeleton":
        return [_skeleton(element)]
    if tag == "ellipse":
        return [_ellipse(fields, report, where)]
    if tag in ("polygon", "polyline", "points"):
        ring = _points(fields)
        if tag == "points":
            found: list[Value] = [Point(x, y) for x, y in _pairs(ring)]
            if len(found) > 1:
                said, result = f"one object of {len(found)} points", f"{len(found)} points"
                report.add(codes.SPELLING_MENDED, where, found=said, result=result)
            return found
        if tag == "polyline" and len(ring) >= 4:
            return [Polyline(ring)]
        ring = geometry.opened(ring)
        if tag == "polygon" and geometry.has_three_points(ring):
            return [Polygon(((ring,),))]
        said = f"a {tag} of {len(set(_pairs(ring)))} different points"
        raise Bad(codes.SHAPE_INVALID, "/@points", found=said)
    if tag == "cuboid":
        said = "a cuboid, for which there is no shape here; draw its box or its faces instead"
        raise Bad(codes.SHAPE_INVALID, found=said)
    raise Bad(codes.RECORD_MALFORMED, expected="a shape of CVAT", found=f"<{tag}>")


def _box(fields: Mapping[str, str], report: Report, where: Where) -> Box | OrientedBox:
    """A box; an oriented one where a rotation is said. CVAT leaves out a rotation of 0."""
    x0, y0 = number_of(fields, "xtl"), number_of(fields, "ytl")
    x1, y1 = number_of(fields, "xbr"), number_of(fields, "ybr")
    if x1 < x0 or y1 < y0:
        raise Bad(codes.BOX_IMPOSSIBLE, found=f"{x1 - x0:g} × {y1 - y0:g}")
    if x1 == x0 or y1 == y0:
        report.add(codes.AREA_ZERO, where, kind="box")
    angle = number_of(fields, "rotation") if "rotation" in fields else 0.0
    if angle:
        return OrientedBox((x0 + x1) / 2, (y0 + y1) / 2, x1 - x0, y1 - y0, angle)
    return Box(x0, y0, x1, y1)


def _points(fields: Mapping[str, str]) -> Coordinates:
    """`x,y;x,y…`, interleaved. Raises `Bad`."""
    text = fields.get("points", "")
    numbers: list[float] = []
    for pair in text.split(";"):
        x, _, y = pair.partition(",")
        try:
            numbers += (float(x), float(y))
        except ValueError:
            raise Bad(
                codes.RECORD_MALFORMED, "/@points", expected="x,y;x,y…", found=repr(pair[:40])
            ) from None
    if not math.isfinite(sum(numbers)):
        raise Bad(codes.NUMBER_NOT_FINITE, "/@points", found=repr(text[:40]))
    return tuple(numbers)


def _mask(fields: Mapping[str, str], image: Image, report: Report, where: Where) -> Mask:
    """Run lengths row by row inside a box, background first, on the whole picture."""
    import numpy as np

    if not image.width or not image.height:
        hint = "a mask needs its size; give the pictures with --media, or `-O sizes=FILE`"
        raise Bad(codes.MEDIA_MISSING, name=where.sample, hint=hint)
    left, top, wide, high = (
        round(number_of(fields, name)) for name in ("left", "top", "width", "height")
    )
    try:
        runs = np.array([int(run) for run in fields.get("rle", "").split(",")], dtype=np.int64)
    except (ValueError, OverflowError) as error:
        raise Bad(
            codes.MASK_MALFORMED, "/@rle", height=high, width=wide, found=str(error)
        ) from None
    if runs.min() < 0 or wide < 0 or high < 0 or runs.sum() != wide * high:
        said = f"runs of {runs.sum()} pixels in all found"
        raise Bad(codes.MASK_MALFORMED, "/@rle", height=high, width=wide, found=said)
    height, width = round(image.height), round(image.width)
    values = np.arange(len(runs)) % 2
    patch = np.repeat(values.astype(np.uint8), runs).reshape((high, wide))
    y0, x0, y1, x1 = max(top, 0), max(left, 0), min(top + high, height), min(left + wide, width)
    drift = max(-left, -top, left + wide - width, top + high - height)
    if drift > 0:
        report.add(codes.OUTSIDE_MEDIA, where, kind="mask", drift=float(drift))
    whole = np.zeros((height, width), dtype=np.uint8)
    if y1 > y0 and x1 > x0:
        whole[y0:y1, x0:x1] = patch[y0 - top : y1 - top, x0 - left : x1 - left]
    return masks.from_array(whole)


def _skeleton(element: Element) -> Keypoints:
    """The points that are inside; an occluded one is not visible. Raises `Bad`."""
    points = []
    for index, child in enumerate(element.findall("points"), 1):
        fields = child.attrib
        if fields.get("outside") == "1":
            continue
        try:
            ring = _points(fields)
        except Bad as bad:
            pointer = f"/points[{index}]{bad.pointer}"
            raise Bad(bad.code, pointer, **bad.values) from None
        if len(ring) != 2:
            said = f"{len(ring) // 2} points in one element of a skeleton"
            raise Bad(codes.SHAPE_INVALID, f"/points[{index}]", found=said)
        points.append(Keypoint(fields.get("label", ""), *ring, fields.get("occluded") != "1"))
    if not points:
        raise Bad(codes.SHAPE_INVALID, found="a skeleton without a point that is inside")
    return Keypoints(tuple(points))


def _ellipse(fields: Mapping[str, str], report: Report, where: Where) -> Polygon:
    """A polygon of the ellipse's area; the model has no ellipses, and that is told."""
    x, y, wide, high = (number_of(fields, name) for name in ("cx", "cy", "rx", "ry"))
    if wide <= 0 or high <= 0:
        raise Bad(codes.SHAPE_INVALID, found=f"an ellipse with radii of {wide:g} and {high:g}")
    angle = math.radians(number_of(fields, "rotation") if "rotation" in fields else 0.0)
    flat = max(1 - ELLIPSE_TOLERANCE_PX / max(wide, high), 0.5)
    count = min(max(math.ceil(math.pi / math.acos(flat)), 16), 720)
    step = 2 * math.pi / count
    larger = math.sqrt(step / math.sin(step))  # corners are a little outside
    cosine, sine = math.cos(angle), math.sin(angle)
    points: list[float] = []
    for number in range(count):
        along, across = (
            wide * larger * math.cos(number * step),
            high * larger * math.sin(number * step),
        )
        points += (x + along * cosine - across * sine, y + along * sine + across * cosine)
    result = f"a polygon of {count} points and the same area"
    report.add(codes.SPELLING_MENDED, where, found="an ellipse", result=result)
    return Polygon(((tuple(points),),))


def _pairs(ring: Coordinates) -> list[tuple[float, float]]:
    return list(zip(ring[::2], ring[1::2], strict=True))
