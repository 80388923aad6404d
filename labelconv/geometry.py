"""Geometry of values: one hook over all coordinates, areas, bounds, and box ↔ polygon ↔ mask.

Planar geometry is shapely's; it and numpy are imported when first needed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from labelconv import masks
from labelconv.model import (
    Box,
    Keyframe,
    Keypoints,
    Mask,
    OnPage,
    OrientedBox,
    Point,
    Polygon,
    Polyline,
    Shape,
    Track,
    Value,
)
from labelconv.rings import (
    corners,
    has_three_points,
    opened,
    ring_area,
    ring_bounds,
    unclosed,
    wound,
)

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Map = Callable[[NDArray[np.float64]], NDArray[np.float64]]


def map_xy(value: Value, change: Map) -> Value:
    """The value with all its coordinates changed by one call of `change`: (N, 2) → (N, 2).

    A box is mapped by its four corners and becomes a `Polygon` when the map turns or bends it; an
    oriented box becomes a polygon likewise. Spans and masks have no coordinates of this kind:
    spans come back as they are, masks raise TypeError (resample them instead).
    """
    import numpy as np

    gathered: list[float] = []
    _gather(value, gathered)
    if not gathered:
        return value
    before = np.array(gathered, dtype=np.float64).reshape(-1, 2)
    after = np.asarray(change(before), dtype=np.float64)
    if after.shape != before.shape:
        raise ValueError(f"a map to shape {before.shape} expected, {after.shape} found")
    numbers = iter(after.ravel().tolist())
    rebuilt: Value = _rebuilt(value, numbers)
    return rebuilt


def _gather(value: Value, into: list[float]) -> None:
    if isinstance(value, Box):
        into.extend((value.x0, value.y0, value.x1, value.y0))
        into.extend((value.x1, value.y1, value.x0, value.y1))
    elif isinstance(value, Polygon):
        for part in value.parts:
            for ring in part:
                into.extend(ring)
    elif isinstance(value, Point):
        into.extend((value.x, value.y))
    elif isinstance(value, Polyline):
        into.extend(value.points)
    elif isinstance(value, OrientedBox):
        into.extend(corners(value))
    elif isinstance(value, Keypoints):
        for point in value.points:
            into.extend((point.x, point.y))
        if value.outline is not None:
            _gather(value.outline, into)
    elif isinstance(value, OnPage):
        _gather(value.shape, into)
    elif isinstance(value, Track):
        for segment in value.segments:
            for keyframe in segment:
                _gather(keyframe.shape, into)
    elif isinstance(value, Mask):
        raise TypeError("a mask has pixels, not coordinates; make it a polygon first")


def _rebuilt(value: Value, numbers: Any) -> Any:
    def ring(length: int) -> tuple[float, ...]:
        return tuple(next(numbers) for _ in range(length))

    if isinstance(value, Box):
        return _box_or_polygon(ring(8))
    if isinstance(value, OrientedBox):
        return Polygon(((ring(8),),))
    if isinstance(value, Polygon):
        return Polygon(tuple(tuple(ring(len(r)) for r in part) for part in value.parts))
    if isinstance(value, Point):
        return Point(next(numbers), next(numbers))
    if isinstance(value, Polyline):
        return Polyline(ring(len(value.points)))
    if isinstance(value, Keypoints):
        points = tuple(
            msgspec.structs.replace(point, x=next(numbers), y=next(numbers))
            for point in value.points
        )
        outline = None if value.outline is None else _rebuilt(value.outline, numbers)
        return Keypoints(points, outline)
    if isinstance(value, OnPage):
        return OnPage(value.page, _rebuilt(value.shape, numbers))
    if isinstance(value, Track):
        return Track(
            tuple(
                tuple(
                    Keyframe(k.frame, _rebuilt(k.shape, numbers), k.classifications)
                    for k in segment
                )
                for segment in value.segments
            )
        )
    return value


def _box_or_polygon(ring: tuple[float, ...]) -> Box | Polygon:
    xs, ys = ring[::2], ring[1::2]
    box = Box(min(xs), min(ys), max(xs), max(ys))
    size = max(abs(v) for v in ring) or 1.0
    for x, y in zip(xs, ys, strict=True):
        on_x = min(abs(x - box.x0), abs(x - box.x1)) <= 1e-12 * size
        on_y = min(abs(y - box.y0), abs(y - box.y1)) <= 1e-12 * size
        if not (on_x and on_y):
            return Polygon(((ring,),))
    return box


def bounds(shape: Shape) -> Box | None:
    """The smallest box around a shape; None for an empty mask or no points."""
    if isinstance(shape, Box):
        return shape
    if isinstance(shape, Mask):
        return masks.bounds(shape)
    if isinstance(shape, Point):
        return Box(shape.x, shape.y, shape.x, shape.y)
    if isinstance(shape, Polygon):
        ring = tuple(number for part in shape.parts for number in part[0])
    elif isinstance(shape, Polyline):
        ring = shape.points
    elif isinstance(shape, OrientedBox):
        ring = corners(shape)
    elif shape.outline is not None:
        return bounds(shape.outline)
    else:
        ring = tuple(number for point in shape.points for number in (point.x, point.y))
    return Box(*ring_bounds(ring)) if ring else None


def area(shape: Shape) -> float:
    """The area of a shape in square units of its frame; parts that overlap count once."""
    if isinstance(shape, Box):
        return (shape.x1 - shape.x0) * (shape.y1 - shape.y0)
    if isinstance(shape, Mask):
        return float(masks.area(shape))
    if isinstance(shape, Polygon):
        if len(shape.parts) == 1 and len(shape.parts[0]) == 1:
            return ring_area(shape.parts[0][0])
        return float(_shapely(shape).area)
    if isinstance(shape, OrientedBox):
        return shape.width * shape.height
    if isinstance(shape, Keypoints) and shape.outline is not None:
        return area(shape.outline)
    return 0.0


# ------------------------------------------------------------------------------------ lowering


def box_polygon(box: Box) -> Polygon:
    """The box as a polygon of four corners, clockwise on the screen from the top left."""
    return Polygon((((box.x0, box.y0, box.x1, box.y0, box.x1, box.y1, box.x0, box.y1),),))


def mask_polygon(mask: Mask) -> Polygon | None:
    """The exact outline of a mask's pixels with its holes, on pixel edges; None if it is empty."""
    import shapely

    rectangles = _rectangles(mask)
    if len(rectangles) == 0:
        return None
    return polygon_of(shapely.union_all(rectangles).simplify(0))


def polygon_mask(shape: Polygon | Box | OrientedBox, height: int, width: int) -> Mask:
    """The pixels of a shape, by COCO's rule (pycocotools)."""
    if isinstance(shape, Box):
        shape = box_polygon(shape)
    elif isinstance(shape, OrientedBox):
        shape = Polygon(((corners(shape),),))
    return masks.from_polygon(shape, height, width)


def iou(one: Shape, other: Shape) -> float:
    """Intersection over union of two shapes, exact; masks are their pixels. 1 for both empty."""
    if isinstance(one, Mask) and isinstance(other, Mask) and one.size == other.size:
        first, second = masks.to_array(one), masks.to_array(other)
        union = int((first | second).sum())
        return float((first & second).sum() / union) if union else 1.0
    if isinstance(one, Box) and isinstance(other, Box):
        width = min(one.x1, other.x1) - max(one.x0, other.x0)
        height = min(one.y1, other.y1) - max(one.y0, other.y0)
        shared = max(0.0, width) * max(0.0, height)
        union_area = area(one) + area(other) - shared
        return shared / union_area if union_area else 1.0
    import shapely

    if isinstance(one, Mask):
        one, other = other, one
    first_shape = _shapely(one)
    if isinstance(other, Mask):
        rectangles = _rectangles(other)
        shapely.prepare(first_shape)
        shared = float(shapely.area(shapely.intersection(first_shape, rectangles)).sum())
        total = float(first_shape.area) + masks.area(other) - shared
    else:
        second_shape = _shapely(other)
        shared = float(first_shape.intersection(second_shape).area)
        total = float(first_shape.area + second_shape.area) - shared
    return shared / total if total else 1.0


class Covered(msgspec.Struct, frozen=True):
    """How several shapes cover one: the share of each that lies inside it (0 to 1), and the IoU of
    the one with their union."""

    parts: tuple[float, ...]
    iou: float


def covered(whole: Shape, pieces: Sequence[Shape]) -> Covered:
    """How `pieces` cover `whole`; see `Covered`."""
    import shapely

    one = _shapely(whole)
    shapely.prepare(one)
    shapes = [_shapely(piece) for piece in pieces]
    parts = tuple(
        float(one.intersection(shape).area / shape.area) if shape.area else 0.0 for shape in shapes
    )
    together = shapely.union_all(shapes)
    shared = float(one.intersection(together).area)
    total = float(one.area + together.area) - shared
    return Covered(parts, shared / total if total else 1.0)


def intersection(shape: Polygon | OrientedBox, frame: Box) -> Polygon | None:
    """What of a shape lies in a box, as a polygon of one or more parts; None when nothing does."""
    import shapely

    return polygon_of(shapely.intersection(_shapely(shape), _shapely(frame)))


def merged(polygon: Polygon) -> Polygon:
    """The polygon with its parts as one area: valid, and no two parts overlap."""
    return polygon_of(_shapely(polygon)) or polygon


def longest_inside(line: Polyline, frame: Box) -> Polyline | None:
    """The longest piece of a line that lies in a box; None when none does."""
    import shapely

    common = shapely.intersection(shapely.linestrings(_pairs(line.points)), _shapely(frame))
    pieces = [each for each in shapely.get_parts(common) if each.length > 0]
    if not pieces:
        return None
    longest = max(pieces, key=lambda piece: piece.length)
    return Polyline(tuple(shapely.get_coordinates(longest).ravel().tolist()))


def polygon_of(geometry: Any) -> Polygon | None:
    """What of a shapely geometry has an area, as one polygon; None when nothing does."""
    import shapely

    parts = [
        tuple(
            tuple(shapely.get_coordinates(ring)[:-1].ravel().tolist())
            for ring in (piece.exterior, *piece.interiors)
        )
        # Twice, since collections have parts of parts.
        for piece in shapely.get_parts(shapely.get_parts(geometry))
        if piece.geom_type == "Polygon" and piece.area > 0
    ]
    return Polygon(tuple(parts)) if parts else None


def _rectangles(mask: Mask) -> Any:
    """The runs of a mask as shapely rectangles that do not overlap, one for each column."""
    import numpy as np
    import shapely

    height = mask.size[0]
    runs = np.array(mask.runs, dtype=np.int64)
    ends = np.cumsum(runs)[1::2]
    starts = ends - runs[1::2]
    starts, ends = starts[ends > starts], ends[ends > starts]
    x0: list[int] = []
    y0: list[int] = []
    y1: list[int] = []
    for start, end in zip(starts.tolist(), ends.tolist(), strict=True):
        while start < end:
            column, row = divmod(start, height)
            stop = min(end, (column + 1) * height)
            x0.append(column)
            y0.append(row)
            y1.append(row + stop - start)
            start = stop
    left = np.array(x0)
    return shapely.box(left, y0, left + 1, y1)


def _shapely(shape: Shape) -> Any:
    """A valid shapely geometry: parts joined, crossings resolved even-odd."""
    import shapely

    if isinstance(shape, Mask):
        return shapely.union_all(_rectangles(shape))
    if isinstance(shape, Box):
        return shapely.box(shape.x0, shape.y0, shape.x1, shape.y1)
    if isinstance(shape, OrientedBox):
        return shapely.polygons(_pairs(corners(shape)))
    if isinstance(shape, Polygon):
        pieces = [
            # As rings: holes of different lengths do not fit into one array.
            shapely.polygons(_ring(part[0]), [*map(_ring, part[1:])] or None)
            for part in shape.parts
        ]
        valid = [p if p.is_valid else shapely.make_valid(p) for p in pieces]
        return valid[0] if len(valid) == 1 else shapely.union_all(valid)
    if isinstance(shape, Keypoints):
        return _shapely(shape.outline) if shape.outline is not None else shapely.Polygon()
    return shapely.Polygon()


def _ring(ring: tuple[float, ...]) -> Any:
    import shapely

    return shapely.linearrings(_pairs(ring))


def _pairs(ring: tuple[float, ...]) -> Any:
    import numpy as np

    return np.array(ring, dtype=np.float64).reshape(-1, 2)


__all__ = [
    "Covered",
    "area",
    "bounds",
    "box_polygon",
    "corners",
    "covered",
    "has_three_points",
    "intersection",
    "iou",
    "longest_inside",
    "map_xy",
    "mask_polygon",
    "merged",
    "opened",
    "polygon_mask",
    "polygon_of",
    "ring_area",
    "ring_bounds",
    "unclosed",
    "wound",
]
