"""Shapes as shapely's, many at once, and pieces of them as shapes again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from labelconv import geometry, masks
from labelconv.model import (
    Box,
    Keypoints,
    Mask,
    OrientedBox,
    Point,
    Polygon,
    Polyline,
)

Bounds = tuple[float, float, float, float]


def outlines(values: Sequence[Any]) -> Any:
    """One shapely geometry for each value, valid; None for what is no shape.

    Polygons of one ring, as nearly all are, are made in one call.
    """
    import numpy as np
    import shapely

    out = np.full(len(values), None, dtype=object)
    simple: list[int] = []
    numbers: list[float] = []
    lengths: list[int] = []
    for at, value in enumerate(values):
        if type(value) is Polygon and len(value.parts) == 1 and len(value.parts[0]) == 1:
            ring = value.parts[0][0]
            simple.append(at)
            numbers += ring
            lengths.append(len(ring) >> 1)
        else:
            out[at] = _outline(value)
    if simple:
        xy = np.array(numbers, dtype=np.float64).reshape(-1, 2)
        rings = shapely.linearrings(xy, indices=np.repeat(np.arange(len(lengths)), lengths))
        polygons = shapely.polygons(rings)
        broken = ~shapely.is_valid(polygons)
        if broken.any():
            polygons[broken] = shapely.make_valid(polygons[broken])
        out[simple] = polygons
    return out


def _outline(value: Any) -> Any:
    import shapely

    if isinstance(value, Point):
        return shapely.Point(value.x, value.y)
    if isinstance(value, Polyline):
        return shapely.LineString(list(_pairs(value.points)))
    if isinstance(value, Box):
        return shapely.box(value.x0, value.y0, value.x1, value.y1)
    if isinstance(value, OrientedBox):
        return shapely.Polygon(list(_pairs(geometry.corners(value))))
    if isinstance(value, Keypoints):
        inside = [shapely.Point(point.x, point.y) for point in value.points]
        around = [] if value.outline is None else [_outline(value.outline)]
        return shapely.union_all([*inside, *around])
    if isinstance(value, Mask):
        box = masks.bounds(value)
        return None if box is None else shapely.box(box.x0, box.y0, box.x1, box.y1)
    if isinstance(value, Polygon):
        parts = [
            shapely.Polygon(list(_pairs(part[0])), [list(_pairs(hole)) for hole in part[1:]])
            for part in value.parts
        ]
        valid = [part if part.is_valid else shapely.make_valid(part) for part in parts]
        return valid[0] if len(valid) == 1 else shapely.union_all(valid)
    return None


def _pairs(ring: tuple[float, ...]) -> Any:
    return zip(ring[::2], ring[1::2], strict=True)


def piece(
    value: Any, common: Any, bounds: Bounds, closed: tuple[bool, bool] = (True, True)
) -> list[Any]:
    """What of a shape lies in a window, given what its outline has in common with the window: one
    shape, several pieces of a line, or nothing where that has no extent (for points, where they
    lie outside, or on a far border that is not `closed`)."""
    found: Any = None
    if isinstance(value, Point):
        found = value if _holds(bounds, closed, value.x, value.y) else None
    elif isinstance(value, Box):
        x0, y0 = max(value.x0, bounds[0]), max(value.y0, bounds[1])
        x1, y1 = min(value.x1, bounds[2]), min(value.y1, bounds[3])
        found = Box(x0, y0, x1, y1) if x0 < x1 and y0 < y1 else None
    elif isinstance(value, Polyline):
        return _lines(common)
    elif isinstance(value, Mask):
        found = _window_of_mask(value, bounds)
    elif isinstance(value, Keypoints):
        found = _skeleton(value, bounds, closed)
    else:
        found = geometry.polygon_of(common)
    return [] if found is None else [found]


def _skeleton(value: Keypoints, bounds: Bounds, closed: tuple[bool, bool]) -> Keypoints | None:
    import shapely

    points = tuple(p for p in value.points if _holds(bounds, closed, p.x, p.y))
    if not points:
        return None
    outline = value.outline
    if outline is not None:
        common = shapely.intersection(_outline(outline), shapely.box(*bounds))
        outline = next(iter(piece(outline, common, bounds)), None)
    return Keypoints(points, outline)


def _holds(bounds: Bounds, closed: tuple[bool, bool], x: float, y: float) -> bool:
    """Half-open, so that a point on a border is in one window only, but where there is no next."""
    x0, y0, x1, y1 = bounds
    return x0 <= x <= x1 and y0 <= y <= y1 and (closed[0] or x < x1) and (closed[1] or y < y1)


def _lines(common: Any) -> list[Any]:
    import shapely

    return [
        Polyline(tuple(shapely.get_coordinates(each).ravel().tolist()))
        for each in shapely.get_parts(shapely.line_merge(common))
        if each.geom_type == "LineString" and each.length > 0
    ]


def _window_of_mask(mask: Mask, bounds: Bounds) -> Mask | None:
    """The pixels of a mask in a window of whole pixels."""
    left, top, right, bottom = (round(edge) for edge in bounds)
    pixels = masks.to_array(mask)[max(0, top) : bottom, max(0, left) : right]
    return masks.from_array(pixels) if pixels.any() else None
