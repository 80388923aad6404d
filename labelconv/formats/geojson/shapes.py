"""Geometries as shapes of the model."""

from __future__ import annotations

from typing import Any

from labelconv import geometry
from labelconv.crs.names import LON_LAT, PIXEL
from labelconv.formats.geojson.coordinates import MalformedError, Numbers, pairs_of, parsed_together
from labelconv.formats.geojson.wire import GEOMETRY_LIST, Geometry, Record
from labelconv.jsonstream import UNDECODABLE
from labelconv.model import Coordinates, Point, Polygon, Polyline

Shapes = list[Point] | list[Polyline] | list[Polygon]
#: Nesting of `coordinates` for each type, 1 for a position.
DEPTHS = {
    "Point": 1,
    "MultiPoint": 2,
    "LineString": 2,
    "MultiLineString": 3,
    "Polygon": 3,
    "MultiPolygon": 4,
}


class InvalidError(ValueError):
    """Coordinates of the right form that no shape can have."""


def shapes(kind: str, numbers: Numbers) -> tuple[Shapes, bool, int]:
    """The shapes of a geometry of one of `DEPTHS`; whether positions had a height; unclosed rings.

    Raises `MalformedError` and `InvalidError`.
    """
    plan = numbers.plan
    if plan is None or plan.depth != DEPTHS[kind]:
        found = numbers.reason or f"lists of {plan.depth - 1 if plan else 0} levels"
        raise MalformedError(found)
    xy, high = pairs_of(numbers)
    if kind == "Point":
        return [Point(xy[0], xy[1])], high, 0
    if kind == "MultiPoint":
        points = [Point(x, y) for x, y in zip(xy[::2], xy[1::2], strict=True)]
        return points, high, 0
    runs = _runs(xy, plan.sizes)
    if kind in ("LineString", "MultiLineString"):
        if any(len(run) < 4 for run in runs):
            raise InvalidError("a line of one point")
        return [Polyline(run) for run in runs], high, 0
    unclosed = sum(run[:2] != run[-2:] for run in runs)
    rings = [geometry.opened(run) for run in runs]
    for ring in rings:
        if len(ring) < 6:
            raise InvalidError(f"a ring of {len(ring) // 2} points")
    if kind == "Polygon":
        return [Polygon((tuple(rings),))], high, unclosed
    parts: list[tuple[Coordinates, ...]] = []
    at = 0
    for part in plan.nested:
        parts.append(tuple(rings[at : at + len(part)]))
        at += len(part)
    return [Polygon(tuple(parts))], high, unclosed


def _runs(xy: list[float], sizes: tuple[int, ...]) -> list[Coordinates]:
    runs: list[Coordinates] = []
    at = 0
    for size in sizes:
        runs.append(tuple(xy[at : at + 2 * size]))
        at += 2 * size
    return runs


def is_degrees(crs: str) -> bool:
    if crs == LON_LAT:
        return True
    if crs == PIXEL:
        return False
    from labelconv.crs.transform import axes

    return axes(crs).degrees


def flattened(geometry: Geometry) -> Any:
    """The geometries of a collection, those of collections inside it too; None for what is none."""
    try:
        members = GEOMETRY_LIST.decode(geometry.geometries)
    except UNDECODABLE:
        yield None
        return
    for member in members:
        if member.type == "GeometryCollection":
            yield from flattened(member)
        else:
            yield member


def _numbers(shape: Point | Polyline | Polygon) -> tuple[float, ...]:
    if isinstance(shape, Point):
        return shape.x, shape.y
    if isinstance(shape, Polyline):
        return shape.points
    return tuple(number for part in shape.parts for ring in part for number in ring)


def beyond(shape: Point | Polyline | Polygon) -> tuple[float, float] | None:
    """The first place of a shape that no degrees can name; None if there is none.

    Longitudes up to a whole turn are places past the antimeridian.
    """
    numbers = _numbers(shape)
    xs, ys = numbers[::2], numbers[1::2]
    if max(xs) <= 360 and min(xs) >= -360 and max(ys) <= 90 and min(ys) >= -90:
        return None
    return next((x, y) for x, y in zip(xs, ys, strict=True) if not (abs(x) <= 360 and abs(y) <= 90))


def crosses(shape: Point | Polyline | Polygon) -> bool:
    xs = _numbers(shape)[::2]
    return max(xs) > 180 or min(xs) < -180 or max(xs) - min(xs) > 180


def rings_of(records: list[Any]) -> list[Coordinates] | None:
    """The ring of each record where all are features of polygons of one closed ring; else None."""
    geometries = [r.geometry for r in records if type(r) is Record and r.type == "Feature"]
    raws = [g.coordinates for g in geometries if g is not None and g.type == "Polygon"]
    if len(raws) != len(records):
        return None
    together = parsed_together(raws)
    if together is None:
        return None
    plans, values = together
    rings: list[Coordinates] = []
    start = 0
    for plan in plans:
        if not plan.ring:
            return None
        end = start + plan.count
        ring = values[start : end - 2]
        if values[end - 2] != ring[0] or values[end - 1] != ring[1]:
            return None
        # That three points differ is clear at once where their x does.
        alike = ring[0] in (ring[2], ring[4]) or ring[2] == ring[4]
        if alike and not geometry.has_three_points(ring):
            return None
        rings.append(ring)
        start = end
    return rings
