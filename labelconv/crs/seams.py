"""Where degrees end: shapes across the antimeridian are cut there, shapes around a pole have no
form in longitude and latitude.

An edge over more than 180° is taken to go the short way, across the antimeridian, as nearly all
writers mean it; one of a whole turn (from -180 to 180) is the edge of a map of the world and stays.
RFC 7946 (section 3.1.9) asks for shapes that are cut.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from labelconv.model import Coordinates, Point, Polygon, Polyline

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_TURN = 360.0
_HALF = 180.0
_HAIR = 1e-9


class AroundPoleError(ValueError):
    """A ring goes around a pole: in degrees it does not close."""


def meets(xy: NDArray[np.float64], leads: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which vertices of (N, 2) degrees lie beyond ±180 or begin an edge across the antimeridian."""
    import numpy as np

    x = xy[:, 0]
    west, east = x.min(initial=0.0), x.max(initial=0.0)
    if west >= -_HALF and east <= _HALF and east - west <= _HALF:
        return np.zeros(len(xy), dtype=bool)
    with np.errstate(invalid="ignore"):
        step = np.abs(x[leads] - x)
        return (np.abs(x) > _HALF) | ((step > _HALF) & (step < _TURN - _HAIR))


def cut(shape: Point | Polyline | Polygon) -> list[Any]:
    """The shape within ±180°: a polygon is one of more parts then, a line may be several.

    Raises `AroundPoleError`.
    """
    if isinstance(shape, Point):
        return [Point(wrapped(shape.x), shape.y)]
    if isinstance(shape, Polyline):
        return [Polyline(line) for line in _lines(shape.points)]
    parts: list[tuple[Coordinates, ...]] = []
    for part in shape.parts:
        parts.extend(_parts(part))
    return [Polygon(tuple(parts))]


def wrapped(x: float) -> float:
    """A longitude from -180 to 180."""
    return x if -_HALF <= x <= _HALF else (x + _HALF) % _TURN - _HALF


def unrolled(ring: Coordinates, *, closed: bool) -> Coordinates:
    """The coordinates with longitudes that run on past ±180. Raises `AroundPoleError`."""
    out = [ring[0], ring[1]]
    turns = 0
    for before, x, y in zip(ring[:-2:2], ring[2::2], ring[3::2], strict=True):
        turns += _turn(before, x)
        out += (x + turns * _TURN, y)
    if closed and turns + _turn(ring[-2], ring[0]) != 0:
        raise AroundPoleError
    return tuple(out)


def _turn(before: float, after: float) -> int:
    step = after - before
    if abs(step) >= _TURN - _HAIR:  # a whole turn: the edge of the world
        return 0
    return -1 if step > _HALF else 1 if step < -_HALF else 0


def _parts(part: tuple[Coordinates, ...]) -> list[tuple[Coordinates, ...]]:
    import shapely

    rings = [unrolled(ring, closed=True) for ring in part]
    low, high = min(rings[0][::2]), max(rings[0][::2])
    first, last = _worlds(low, high)
    if first == last == 0:
        return [tuple(rings)]
    middle = (low + high) / 2
    holes = [_near(ring, middle) for ring in rings[1:]]
    whole = shapely.Polygon(_pairs(rings[0]), [_pairs(hole) for hole in holes])
    whole = whole if whole.is_valid else shapely.make_valid(whole)
    found: list[tuple[Coordinates, ...]] = []
    for world in range(first, last + 1):
        west = world * _TURN - _HALF
        piece = whole.intersection(shapely.box(west, -1e6, west + _TURN, 1e6))
        found.extend(
            tuple(_ring(ring, world * _TURN) for ring in (each.exterior, *each.interiors))
            for each in shapely.get_parts(shapely.get_parts(piece))
            if each.geom_type == "Polygon" and each.area > 0
        )
    return found


def _worlds(low: float, high: float) -> tuple[int, int]:
    """Which copies of the world longitudes from `low` to `high` lie in; 0 is the usual one."""
    first, last = (low + _HALF) // _TURN, (high + _HALF) // _TURN
    if (high + _HALF) % _TURN == 0 and last > first:
        last -= 1  # touches the next one's border only
    return int(first), int(last)


def _near(ring: Coordinates, middle: float) -> Coordinates:
    """A hole moved by whole turns to where its shell is."""
    xs = ring[::2]
    turns = round((middle - (min(xs) + max(xs)) / 2) / _TURN) * _TURN
    if not turns:
        return ring
    return tuple(n + turns if at % 2 == 0 else n for at, n in enumerate(ring))


def _pairs(ring: Coordinates) -> list[tuple[float, float]]:
    return list(zip(ring[::2], ring[1::2], strict=True))


def _ring(ring: Any, shift: float) -> Coordinates:
    out: list[float] = []
    for x, y in ring.coords[:-1]:
        out += (max(-_HALF, min(_HALF, x - shift)), y)
    return tuple(out)


def _lines(points: Coordinates) -> list[Coordinates]:
    """An open line in pieces, cut by hand so that it keeps its order and direction."""
    line = unrolled(points, closed=False)
    pieces: list[Coordinates] = []
    current: list[float] = []
    world = None
    previous: tuple[float, float] | None = None
    for x, y in _pairs(line):
        if previous is None:
            world = _world_of(x, line)
        else:
            while world is not None and not world * _TURN - _HALF <= x <= world * _TURN + _HALF:
                forward = x > world * _TURN + _HALF
                edge = world * _TURN + (_HALF if forward else -_HALF)
                share = (edge - previous[0]) / (x - previous[0])
                crossing = previous[1] + share * (y - previous[1])
                current += (_HALF if forward else -_HALF, crossing)
                pieces.append(tuple(current))
                world += 1 if forward else -1
                current = [-_HALF if forward else _HALF, crossing]
        assert world is not None  # for mypy; the first point sets it
        current += (x - world * _TURN, y)
        previous = x, y
    pieces.append(tuple(current))
    return [piece for piece in map(_without_repeats, pieces) if len(piece) >= 4]


def _world_of(x: float, line: Coordinates) -> int:
    """The world of the first point; on a border, the one that the line goes on in."""
    world, rest = divmod(x + _HALF, _TURN)
    if rest == 0 and min(line[::2]) < x and not max(line[::2]) > x:
        return int(world) - 1
    return int(world)


def _without_repeats(points: Coordinates) -> Coordinates:
    """Without a point that repeats the one before it, as a cut at a vertex makes them."""
    out = list(points[:2])
    for x, y in zip(points[2::2], points[3::2], strict=True):
        if (x, y) != (out[-2], out[-1]):
            out += (x, y)
    return tuple(out)
