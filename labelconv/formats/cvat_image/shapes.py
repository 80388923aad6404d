"""CVAT's elements as shapes of the model (`labelconv.cvatxml` has what they say)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from xml.etree.ElementTree import Element

from labelconv import codes, masks
from labelconv.cvatxml import (
    box_of,
    canvas,
    ellipse_of,
    no_cuboid,
    number_of,
    outline_of,
    patch_of,
    points_of,
    turned,
)
from labelconv.model import (
    Box,
    Image,
    Keypoint,
    Keypoints,
    Mask,
    OrientedBox,
    Point,
    Polygon,
    Value,
)
from labelconv.problems import Report, Where
from labelconv.unusable import Unusable

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


def text_of(fields: Mapping[str, str], name: str) -> str:
    """The text in a field, which must not be empty. Raises `Unusable`."""
    text = fields.get(name)
    if not text:
        raise Unusable(codes.RECORD_MALFORMED, f"/@{name}", expected=f"a {name}", found="nothing")
    return text


def values_of(element: Element, image: Image, report: Report, where: Where) -> list[Value]:
    """The values of an element; several for `points` of several points. Raises `Unusable`."""
    tag, fields = element.tag, element.attrib
    if tag == "box":
        return [_box(fields, report, where)]
    if tag == "mask":
        return [_mask(fields, image, report, where)]
    if tag == "skeleton":
        return [_skeleton(element)]
    if tag == "ellipse":
        return [_ellipse(fields, report, where)]
    if tag == "points":
        ring = points_of(fields)
        found: list[Value] = [Point(x, y) for x, y in zip(ring[::2], ring[1::2], strict=True)]
        if len(found) > 1:
            said, result = f"one object of {len(found)} points", f"{len(found)} points"
            report.add(codes.SPELLING_MENDED, where, found=said, result=result)
        return found
    if tag in ("polygon", "polyline"):
        return [outline_of(tag, fields)]
    if tag == "cuboid":
        raise no_cuboid()
    raise Unusable(codes.RECORD_MALFORMED, expected="a shape of CVAT", found=f"<{tag}>")


def _box(fields: Mapping[str, str], report: Report, where: Where) -> Box | OrientedBox:
    """A box; an oriented one where a rotation is said. CVAT leaves out a rotation of 0."""
    box = box_of(fields)
    if box.x1 == box.x0 or box.y1 == box.y0:
        report.add(codes.AREA_ZERO, where, kind="box")
    angle = number_of(fields, "rotation") if "rotation" in fields else 0.0
    return turned(box, angle) if angle else box


def _mask(fields: Mapping[str, str], image: Image, report: Report, where: Where) -> Mask:
    """Run lengths row by row inside a box, background first, on the whole picture."""
    if not image.width or not image.height:
        hint = "a mask needs its size; give the pictures with --media, or `-O sizes=FILE`"
        raise Unusable(codes.MEDIA_MISSING, name=where.sample, hint=hint)
    left, top, patch = patch_of(fields)
    high, wide = patch.shape
    height, width = round(image.height), round(image.width)
    y0, x0, y1, x1 = max(top, 0), max(left, 0), min(top + high, height), min(left + wide, width)
    drift = max(-left, -top, left + wide - width, top + high - height)
    if drift > 0:
        report.add(codes.OUTSIDE_MEDIA, where, kind="mask", drift=float(drift))
    whole = canvas(height, width)
    if y1 > y0 and x1 > x0:
        whole[y0:y1, x0:x1] = patch[y0 - top : y1 - top, x0 - left : x1 - left]
    return masks.from_array(whole)


def _skeleton(element: Element) -> Keypoints:
    """The points that are inside; an occluded one is not visible. Raises `Unusable`."""
    points = []
    for index, child in enumerate(element.findall("points"), 1):
        fields = child.attrib
        if fields.get("outside") == "1":
            continue
        try:
            ring = points_of(fields)
        except Unusable as bad:
            pointer = f"/points[{index}]{bad.pointer}"
            raise Unusable(bad.code, pointer, **bad.values) from None
        if len(ring) != 2:
            said = f"{len(ring) // 2} points in one element of a skeleton"
            raise Unusable(codes.SHAPE_INVALID, f"/points[{index}]", found=said)
        points.append(Keypoint(fields.get("label", ""), *ring, fields.get("occluded") != "1"))
    if not points:
        raise Unusable(codes.SHAPE_INVALID, found="a skeleton without a point that is inside")
    return Keypoints(tuple(points))


def _ellipse(fields: Mapping[str, str], report: Report, where: Where) -> Polygon:
    """A polygon of the ellipse's area; the model has no ellipses, and that is told."""
    polygon = ellipse_of(fields, _corners)
    result = f"a polygon of {len(polygon.parts[0][0]) // 2} points and the same area"
    report.add(codes.SPELLING_MENDED, where, found="an ellipse", result=result)
    return polygon


def _corners(radius: float) -> int:
    """How many corners a circle of this radius needs."""
    angle = math.acos(max(1 - ELLIPSE_TOLERANCE_PX / radius, 0.5))  # 0 for a very large one
    return min(max(math.ceil(math.pi / max(angle, 1e-3)), 16), 720)
