"""Records of labelme's `shapes` as values of the model.

Sources: labelme 6 `_label_file.py` and `_utils/_shape.py`; X-AnyLabeling's user guide for
`rotation`, `difficult`, `score` and `attributes`.
"""

from __future__ import annotations

import base64
import json
import math
from typing import Any

import msgspec

from labelconv import codes, geometry, masks, oriented
from labelconv.model import (
    Box,
    Checklist,
    Classification,
    Coordinates,
    Extra,
    FreeText,
    Image,
    Mask,
    OrientedBox,
    Point,
    Polygon,
    Polyline,
    Radio,
    Shape,
)
from labelconv.problems import Report, Where
from labelconv.unusable import Unusable, finite

#: The names under which flags and descriptions are answers.
FLAGS, DESCRIPTION = "flags", "description"
#: How far a circle's polygon may be from the circle, in pixels.
CIRCLE_TOLERANCE_PX = 0.05
_OUTLINES = frozenset(("polygon", "quadrilateral", "rotation", "oriented_rectangle", "rectangle"))
_OTHERS = frozenset(("point", "points", "line", "linestrip", "circle", "mask"))


def malformed(pointer: str, expected: str, found: object) -> Unusable:
    """`found` is shown as JSON, its start at least."""
    shown = json.dumps(found, ensure_ascii=False, default=str)
    return Unusable(codes.RECORD_MALFORMED, pointer, expected=expected, found=shown[:60])


class Drawn(msgspec.Struct):
    """One record of `shapes` as a value, with what is said about it."""

    id: str
    label: str
    value: Shape
    group: int | str | None
    answers: tuple[Classification, ...]
    confidence: float | None
    extra: Extra
    hidden: bool
    derived: bool


def label_of(record: dict[str, Any]) -> str:
    """The label, also where it is a bare number. Raises `Unusable`."""
    label = record.get("label")
    if isinstance(label, str):
        return label
    if label is None or isinstance(label, (bool, dict, list)):
        raise malformed("/label", "a label", label)
    return str(label)


def number_at(value: object, pointer: str) -> float:
    """A finite number. Raises `Unusable`."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise malformed(pointer, "a number", value)
    return finite(value, pointer)


def points_of(points: object) -> Coordinates:
    """The points of a record, interleaved. Raises `Unusable`."""
    if not isinstance(points, list):
        raise malformed("/points", "a list of [x, y]", points)
    numbers: list[float] = []
    for index, point in enumerate(points):
        if not isinstance(point, list) or len(point) != 2:
            raise malformed(f"/points/{index}", "[x, y]", point)
        x, y = point
        if type(x) is not float or type(y) is not float or not math.isfinite(x + y):
            x = number_at(x, f"/points/{index}/0")
            y = number_at(y, f"/points/{index}/1")
        numbers += (x, y)
    return tuple(numbers)


def values_of(
    kind: str, ring: Coordinates, record: dict[str, Any], image: Image, report: Report, where: Where
) -> list[Shape]:
    """The value of a record; several for `points`. `where.sample` is its key. Raises `Unusable`."""
    count = len(ring) // 2
    if kind == "point" and count == 1:
        return [Point(*ring)]
    if kind == "points" and count:
        return [Point(x, y) for x, y in _pairs(ring)]
    if kind in ("line", "linestrip") and count >= 2:
        return [Polyline(ring)]
    if kind == "circle" and count == 2:
        return [_circle(ring, report, where)]
    if kind == "mask" and count == 2:
        return [_mask(record.get("mask"), ring, image, report, where)]
    if kind == "rectangle" and count == 2:
        ax, ay, bx, by = ring
        if ax == bx or ay == by:
            report.add(codes.AREA_ZERO, where, kind="rectangle")
        return [Box(min(ax, bx), min(ay, by), max(ax, bx), max(ay, by))]
    if count == 4 and kind in ("rotation", "oriented_rectangle", "rectangle"):
        found = oriented.from_corners(ring)
        if found is not None:
            if kind == "rectangle":
                return [_box(ring)]
            return [_exact(found, record.get("direction"), report)]
    if kind in _OUTLINES:
        ring = geometry.opened(ring)
        if not geometry.has_three_points(ring):
            found_points = f"a {kind} of {len(set(_pairs(ring)))} different points"
            raise Unusable(codes.SHAPE_INVALID, "/points", found=found_points)
        return [Polygon(((ring,),))]
    if kind in _OTHERS:
        raise malformed("/points", f"the points of a {kind}", record.get("points"))
    raise malformed("/shape_type", "a shape_type of labelme or X-AnyLabeling", kind)


def _box(ring: Coordinates) -> Shape:
    """A rectangle that is given by four corners, upright as a rule."""
    x0, y0, x1, y1 = geometry.ring_bounds(ring)
    if {ring[0], ring[2], ring[4], ring[6]} <= {x0, x1} and {*ring[1::2]} <= {y0, y1}:
        return Box(x0, y0, x1, y1)
    found = oriented.from_corners(ring)
    return found if found is not None else Polygon(((ring,),))


def _exact(box: OrientedBox, direction: object, report: Report) -> OrientedBox:
    """The box with the angle that the record says (radians), where the corners agree with it."""
    if type(direction) is float or type(direction) is int:
        said = math.degrees(direction)
        turned = OrientedBox(box.x, box.y, box.width, box.height, said)
        off = map(abs, map(float.__sub__, geometry.corners(box), geometry.corners(turned)))
        if max(off) <= oriented.TOLERANCE_PX:
            return turned
    if direction is not None:
        report.field("labelme:direction (not that of the corners)")
    return box


def _circle(ring: Coordinates, report: Report, where: Where) -> Polygon:
    """A polygon of the circle's area; the model has no circles, and that is told."""
    x, y, edge_x, edge_y = ring
    radius = math.hypot(edge_x - x, edge_y - y)
    if not radius:
        raise Unusable(codes.SHAPE_INVALID, "/points", found="a circle of radius 0")
    flat = max(1 - CIRCLE_TOLERANCE_PX / radius, 0.5)
    count = min(max(math.ceil(math.pi / math.acos(flat)), 16), 720)
    step = 2 * math.pi / count
    around = radius * math.sqrt(step / math.sin(step))  # corners are a little outside
    points: list[float] = []
    for number in range(count):
        points += (x + around * math.cos(number * step), y + around * math.sin(number * step))
    result = f"a polygon of {count} points and the same area"
    report.add(codes.SPELLING_MENDED, where, found="a circle", result=result)
    return Polygon(((tuple(points),),))


def _mask(text: object, ring: Coordinates, image: Image, report: Report, where: Where) -> Mask:
    """The patch in its place on the picture; whole corners are its first and its last pixel.

    labelme cuts a patch that is larger than whole corners say, and takes the patch's own size
    where the corners are fractions (`shapes_to_label`).
    """
    import numpy as np

    if not image.width or not image.height:
        hint = "a mask needs its size; give the pictures with --media, or `-O sizes=FILE`"
        raise Unusable(codes.MEDIA_MISSING, "/mask", name=where.sample, hint=hint)
    try:
        data = base64.b64decode(text if isinstance(text, str) else "", validate=True)
        patch = masks.to_array(masks.from_png(data))
    except ValueError as error:
        raise malformed("/mask", f"a PNG in base64 ({error})", text) from None
    left, top, right, bottom = (math.floor(number + 0.5) for number in ring)
    if list(ring) == [left, top, right, bottom]:
        said, own = (bottom - top + 1, right - left + 1), patch.shape
        if said != own:
            drift = float(max(abs(said[0] - own[0]), abs(said[1] - own[1])))
            values: dict[str, object] = {"declared": list(said), "computed": list(own)}
            report.add(codes.BOX_MISMATCH, where, drift=drift, **values)
            patch = patch[: max(said[0], 0), : max(said[1], 0)]
    height, width = round(image.height), round(image.width)
    y0, x0 = max(top, 0), max(left, 0)
    y1, x1 = min(top + patch.shape[0], height), min(left + patch.shape[1], width)
    drift = float(max(-left, -top, left + patch.shape[1] - width, top + patch.shape[0] - height))
    if drift > 0:
        report.add(codes.OUTSIDE_MEDIA, where, kind="mask", drift=drift)
    whole = np.zeros((height, width), dtype=np.uint8)
    if y1 > y0 and x1 > x0:
        whole[y0:y1, x0:x1] = patch[y0 - top : y1 - top, x0 - left : x1 - left]
    return masks.from_array(whole)


def _pairs(ring: Coordinates) -> list[tuple[float, float]]:
    return list(zip(ring[::2], ring[1::2], strict=True))


# ---------------------------------------------------------------------------------------- answers


def answers_of(fields: dict[str, Any], report: Report) -> tuple[Classification, ...]:
    """Flags that are set, attributes and the description, as answers.

    A flag that is not set says nothing that the checklist would not say.
    """
    answers: list[Classification] = []
    flags, attributes = fields.get("flags"), fields.get("attributes")
    if isinstance(flags, dict):
        ticked = tuple(Radio(name) for name, value in flags.items() if value is True)
        if ticked:
            answers.append(Classification(FLAGS, Checklist(ticked)))
        others = sum(not isinstance(value, bool) for value in flags.values())
        if others:
            report.field("labelme:flags (neither true nor false)", others)
    elif flags:
        report.field("labelme:flags")
    if isinstance(attributes, dict):
        for name, value in attributes.items():
            answer = _answer(value)
            if answer is not None:
                answers.append(Classification(name, answer))
            elif value is not None:
                report.field("labelme:attributes")
    elif attributes:
        report.field("labelme:attributes")
    text = fields.get("description")
    if isinstance(text, str) and text:
        answers.append(Classification(DESCRIPTION, FreeText(text)))
    elif text:
        report.field("labelme:description (no text)")
    return tuple(answers)


def _answer(value: object) -> Radio | Checklist | FreeText | None:
    """A text is a choice; a list of texts, several; {"text": …} and numbers are free text."""
    if isinstance(value, str):
        return Radio(value)
    if isinstance(value, bool):
        return Radio("true" if value else "false")
    if isinstance(value, (int, float)):
        return FreeText(str(value))
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        return Checklist(tuple(map(Radio, value)))
    if isinstance(value, dict) and value.keys() == {"text"} and isinstance(value["text"], str):
        return FreeText(value["text"])
    return None
