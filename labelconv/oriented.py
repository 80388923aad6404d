"""Rectangles that are turned: from four corners, and the smallest one around a shape."""

from __future__ import annotations

import math

from labelconv import geometry
from labelconv.model import Box, Coordinates, Mask, OrientedBox, Polygon

#: Corners that are this near to those of a rectangle, in pixels, are a rectangle's.
TOLERANCE_PX = 1e-3


def from_corners(ring: Coordinates, tolerance: float = TOLERANCE_PX) -> OrientedBox | None:
    """The rectangle of four corners x0, y0, … x3, y3; None when they are no rectangle's.

    The first side is the width. Corners that run counter-clockwise on the screen are taken the
    other way round from the first one on. They may be `tolerance` pixels away from a rectangle's.
    """
    if len(ring) != 8:
        return None
    ax, ay, bx, by, cx, cy, dx, dy = ring
    if abs(ax + cx - bx - dx) > tolerance or abs(ay + cy - by - dy) > tolerance:
        return None
    if (bx - ax) * (cy - by) - (by - ay) * (cx - bx) < 0:
        bx, by, dx, dy = dx, dy, bx, by
    wide_x, wide_y, high_x, high_y = bx - ax, by - ay, cx - bx, cy - by
    width, height = math.hypot(wide_x, wide_y), math.hypot(high_x, high_y)
    longer = max(width, height)
    if longer and abs(wide_x * high_x + wide_y * high_y) > tolerance * longer:
        return None
    if not longer:
        return OrientedBox(ax, ay, 0.0, 0.0, 0.0)
    # The longer side gives the direction: a side of no length has none.
    if width >= height:
        angle = math.degrees(math.atan2(wide_y, wide_x))
    else:
        angle = math.degrees(math.atan2(-high_x, high_y)) + 0.0  # no -0.0
    return OrientedBox((ax + cx) / 2, (ay + cy) / 2, width, height, angle)


def respelled(shape: Box | Polygon) -> OrientedBox | None:
    """The same shape as an oriented box; None for a polygon that is no rectangle."""
    if isinstance(shape, Box):
        width, height = shape.x1 - shape.x0, shape.y1 - shape.y0
        return OrientedBox(shape.x0 + width / 2, shape.y0 + height / 2, width, height, 0.0)
    return from_corners(shape.parts[0][0]) if is_quad(shape) else None


def is_quad(polygon: Polygon) -> bool:
    """Whether a polygon is one ring of four points."""
    parts = polygon.parts
    return len(parts) == 1 and len(parts[0]) == 1 and len(parts[0][0]) == 8


def smallest_around(shape: Polygon | Mask) -> OrientedBox | None:
    """The oriented box of the smallest area around a shape; None for an empty mask."""
    import shapely

    if isinstance(shape, Mask):
        outline = geometry.mask_polygon(shape)
        if outline is None:
            return None
        shape = outline
    points = [pair for part in shape.parts for pair in _pairs(part[0])]
    around = shapely.minimum_rotated_rectangle(shapely.multipoints(points))
    if around.geom_type != "Polygon":  # all points on one line
        (ax, ay), *_, (bx, by) = shapely.get_coordinates(around).tolist()
        angle = math.degrees(math.atan2(by - ay, bx - ax))
        return OrientedBox((ax + bx) / 2, (ay + by) / 2, math.hypot(bx - ax, by - ay), 0.0, angle)
    found = from_corners(tuple(shapely.get_coordinates(around)[:4].ravel().tolist()))
    return found or respelled(geometry.bounds(shape) or Box(0, 0, 0, 0))


def _pairs(ring: Coordinates) -> list[tuple[float, float]]:
    return list(zip(ring[::2], ring[1::2], strict=True))
