"""Shapes cut off at the borders of the media."""

from __future__ import annotations

from typing import Any

import msgspec

from labelconv import geometry
from labelconv.model import (
    Box,
    Keypoint,
    Keypoints,
    Mask,
    OrientedBox,
    Point,
    Polygon,
    Polyline,
    Shape,
)

#: What reaches past a border by less than this part of the size is taken for rounding, as
#: ultralytics 8.4 `verify_image_label` does (coordinates up to 1.01).
TOLERATED = 0.01


def overhang(shape: Shape, width: float, height: float) -> tuple[float, float]:
    """How far a shape reaches past the borders: in pixels, and as a part of the size."""
    if isinstance(shape, Mask):
        return 0.0, 0.0
    if isinstance(shape, Box):
        x0, y0, x1, y1 = shape.x0, shape.y0, shape.x1, shape.y1
    elif isinstance(shape, Polygon) and len(shape.parts) == 1:
        x0, y0, x1, y1 = geometry.ring_bounds(shape.parts[0][0])
    elif isinstance(shape, Keypoints):
        xs = [point.x for point in shape.points]
        ys = [point.y for point in shape.points]
        box = None if shape.outline is None else geometry.bounds(shape.outline)
        if box is not None:
            xs += [box.x0, box.x1]
            ys += [box.y0, box.y1]
        if not xs:
            return 0.0, 0.0
        x0, y0, x1, y1 = min(xs), min(ys), max(xs), max(ys)
    else:
        found = geometry.bounds(shape)
        if found is None:
            return 0.0, 0.0
        x0, y0, x1, y1 = found.x0, found.y0, found.x1, found.y1
    across, down = max(-x0, x1 - width, 0.0), max(-y0, y1 - height, 0.0)
    if not across and not down:
        return 0.0, 0.0
    return max(across, down), max(across / width, down / height)


def clamped(shape: Shape, width: float, height: float) -> Shape:
    """The shape with each coordinate moved to the border that it is past.

    An oriented box stays as it is: its corners cannot be moved one by one.
    """
    if isinstance(shape, Box):
        return Box(
            min(max(shape.x0, 0.0), width),
            min(max(shape.y0, 0.0), height),
            min(max(shape.x1, 0.0), width),
            min(max(shape.y1, 0.0), height),
        )
    if isinstance(shape, Polygon):
        parts = tuple(
            tuple(geometry.unclosed(_clamped(ring, width, height)) for ring in part)
            for part in shape.parts
        )
        return Polygon(parts)
    if isinstance(shape, Polyline):
        return Polyline(_clamped(shape.points, width, height))
    if isinstance(shape, Point):
        return Point(*_clamped((shape.x, shape.y), width, height))
    if isinstance(shape, Keypoints):
        points = tuple(
            Keypoint(
                each.name,
                min(max(each.x, 0.0), width),
                min(max(each.y, 0.0), height),
                each.visible,
            )
            for each in shape.points
        )
        outline: Any = shape.outline
        if outline is not None:
            outline = clamped(outline, width, height)
        return Keypoints(points, outline)
    return shape


def cut(shape: Shape, width: float, height: float) -> Shape | None:
    """What of a shape lies inside; None when nothing does.

    An oriented box becomes the upright box of what is inside. Of a line that leaves and returns,
    the longest piece stays. Points outside are left out of a skeleton.
    """
    if isinstance(shape, Box):
        box = clamped(shape, width, height)
        assert isinstance(box, Box)
        touches = shape.x0 <= width and shape.x1 >= 0 and shape.y0 <= height and shape.y1 >= 0
        flat = box.x0 >= box.x1 or box.y0 >= box.y1
        was_flat = shape.x0 >= shape.x1 or shape.y0 >= shape.y1
        return box if touches and (was_flat or not flat) else None
    if isinstance(shape, Polygon):
        return geometry.intersection(shape, Box(0, 0, width, height))
    if isinstance(shape, OrientedBox):
        inside = geometry.intersection(shape, Box(0, 0, width, height))
        box_inside = None if inside is None else geometry.bounds(inside)
        if box_inside is None:
            return None
        x0, y0, x1, y1 = box_inside.x0, box_inside.y0, box_inside.x1, box_inside.y1
        return OrientedBox((x0 + x1) / 2, (y0 + y1) / 2, x1 - x0, y1 - y0, 0.0)
    if isinstance(shape, Point):
        return shape if _inside(shape, width, height) else None
    if isinstance(shape, Polyline):
        return geometry.longest_inside(shape, Box(0, 0, width, height))
    if isinstance(shape, Keypoints):
        points = tuple(each for each in shape.points if _inside(each, width, height))
        outline = None if shape.outline is None else cut(shape.outline, width, height)
        if not points:
            return outline
        return msgspec.structs.replace(shape, points=points, outline=outline)
    return shape


def _inside(point: Point | Keypoint, width: float, height: float) -> bool:
    return 0 <= point.x <= width and 0 <= point.y <= height


def _clamped(coordinates: tuple[float, ...], width: float, height: float) -> tuple[float, ...]:
    limits = (width, height)
    return tuple(
        min(max(number, 0.0), limits[index & 1]) for index, number in enumerate(coordinates)
    )
