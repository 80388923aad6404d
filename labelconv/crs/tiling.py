"""Tiles of the Web Mercator square: XYZ and TMS numbers, zoom levels, quadkeys, bounds.

At zoom z the world is 2^z × 2^z tiles. XYZ counts y from the north, TMS from the south. Formulas:
OpenStreetMap wiki, "Slippy map tilenames". Written without pyproj: a few lines of arithmetic.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from labelconv.crs.names import CrsError
from labelconv.crs.transform import HIGHEST_LATITUDE, MERCATOR_EDGE

#: What a zoom level may be here; deeper ones have no meaning on the ground.
DEEPEST_ZOOM = 30
Bounds = tuple[float, float, float, float]


def tile_at(longitude: float, latitude: float, zoom: int) -> tuple[int, int]:
    """(x, y) of the XYZ tile that a place lies in.

    A place on a border belongs to the tile east and south of it; latitudes beyond Web Mercator's
    belong to the first or last row, 180° to the last column.
    """
    x, y = fraction(longitude, latitude)
    count = _count(zoom)
    # Floating point may fall a hair short of a border that it means; mercantile does likewise.
    return (
        min(max(math.floor((x + 1e-14) * count), 0), count - 1),
        min(max(math.floor((y + 1e-14) * count), 0), count - 1),
    )


def fraction(longitude: float, latitude: float) -> tuple[float, float]:
    """(x, y) in the square of the world: 0 to 1 from west to east and from north to south."""
    latitude = max(-HIGHEST_LATITUDE, min(HIGHEST_LATITUDE, latitude))
    sine = math.sin(math.radians(latitude))
    return longitude / 360 + 0.5, 0.5 - 0.25 * math.log((1 + sine) / (1 - sine)) / math.pi


def place(x: float, y: float) -> tuple[float, float]:
    """(longitude, latitude) of a place in the square of the world; the inverse of `fraction`."""
    return x * 360 - 180, math.degrees(math.atan(math.sinh(math.pi * (1 - 2 * y))))


def tile_bounds(x: int, y: int, zoom: int) -> Bounds:
    """(west, south, east, north) in degrees of an XYZ tile."""
    count = _count(zoom)
    _within(x, y, zoom)
    west, north = place(x / count, y / count)
    east, south = place((x + 1) / count, (y + 1) / count)
    return west, south, east, north


def tile_bounds_metres(x: int, y: int, zoom: int) -> Bounds:
    """(west, south, east, north) in metres of Web Mercator of an XYZ tile."""
    _within(x, y, zoom)
    size = 2 * MERCATOR_EDGE / _count(zoom)
    west, north = -MERCATOR_EDGE + x * size, MERCATOR_EDGE - y * size
    return west, north - size, west + size, north


def flipped(y: int, zoom: int) -> int:
    """The row of a TMS tile as XYZ counts it, and the other way."""
    _within(0, y, zoom)
    return _count(zoom) - 1 - y


def quadkey(x: int, y: int, zoom: int) -> str:
    """The quadkey of an XYZ tile; empty at zoom 0."""
    _within(x, y, zoom)
    return "".join(
        str((x >> level & 1) + 2 * (y >> level & 1)) for level in range(zoom - 1, -1, -1)
    )


def from_quadkey(key: str) -> tuple[int, int, int]:
    """(x, y, zoom) of a quadkey. Raises `CrsError`."""
    x = y = 0
    for digit in key:
        if digit not in "0123":
            raise CrsError(f"a quadkey of the digits 0 to 3 expected, {key!r} found")
        x, y = x << 1 | int(digit) & 1, y << 1 | int(digit) >> 1
    return x, y, len(key)


def covering(bounds: Bounds, zoom: int) -> Iterator[tuple[int, int]]:
    """(x, y) of the XYZ tiles that cover (west, south, east, north), row by row from the north.

    Where west is greater than east the area crosses the antimeridian.
    """
    west, south, east, north = bounds
    if west > east:
        yield from covering((west, south, 180.0, north), zoom)
        yield from covering((-180.0, south, east, north), zoom)
        return
    left, top = tile_at(west, north, zoom)
    # What only touches a tile's west or north border does not reach into it.
    x, y = fraction(east, south)
    count = _count(zoom)
    right = max(left, min(math.ceil((x - 1e-14) * count) - 1, count - 1))
    bottom = max(top, min(math.ceil((y - 1e-14) * count) - 1, count - 1))
    for row in range(top, bottom + 1):
        for column in range(left, right + 1):
            yield column, row


def resolution(latitude: float, zoom: int, tile_size: int = 256) -> float:
    """Metres on the ground of a pixel of a tile, at a latitude."""
    shrunk = math.cos(math.radians(latitude))
    return shrunk * 2 * MERCATOR_EDGE / (_count(zoom) * tile_size)


def zoom_for(metres: float, latitude: float = 0.0, tile_size: int = 256) -> int:
    """The first zoom level whose pixels are as small as `metres` on the ground, at most 30."""
    if not metres > 0:
        raise CrsError(f"a length above 0 expected, {metres} found")
    exact = math.log2(resolution(latitude, 0, tile_size) / metres)
    return min(max(math.ceil(exact - 1e-9), 0), DEEPEST_ZOOM)


def _count(zoom: int) -> int:
    if not 0 <= zoom <= DEEPEST_ZOOM:
        raise CrsError(f"a zoom level from 0 to {DEEPEST_ZOOM} expected, {zoom} found")
    return 1 << zoom


def _within(x: int, y: int, zoom: int) -> None:
    count = _count(zoom)
    if not (0 <= x < count and 0 <= y < count):
        raise CrsError(f"a tile from (0, 0) to {count - 1, count - 1} expected, {x, y} found")
