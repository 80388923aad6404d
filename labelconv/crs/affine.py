"""Affine maps between pixels and a map, as `TiledImage.affine` has them: (a, b, c, d, e, f).

x = a·column + b·row + c and y = d·column + e·row + f, where (column, row) are continuous and (0, 0)
is the outer corner of the first pixel, as in GDAL and rasterio. Turned and south-up maps are affine
like any other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from labelconv.crs.names import CrsError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Affine: TypeAlias = tuple[float, float, float, float, float, float]

IDENTITY: Affine = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)


def to_map(affine: Affine, pixels: NDArray[Any]) -> NDArray[np.float64]:
    """(N, 2) columns and rows as x and y."""
    import numpy as np

    a, b, c, d, e, f = affine
    columns, rows = pixels[:, 0], pixels[:, 1]
    return np.stack((a * columns + b * rows + c, d * columns + e * rows + f), axis=1)


def to_pixels(affine: Affine, places: NDArray[Any]) -> NDArray[np.float64]:
    """(N, 2) x and y as columns and rows. Raises `CrsError` when the affine has no inverse."""
    import numpy as np

    a, b, c, d, e, f = affine
    # The origin is taken off first: the digits of large map coordinates stay.
    x, y = places[:, 0] - c, places[:, 1] - f
    size = determinant(affine)
    return np.stack(((e * x - b * y) / size, (a * y - d * x) / size), axis=1)


def determinant(affine: Affine) -> float:
    """Map units² of a pixel, negative when north is up. Raises `CrsError` when it is 0."""
    a, b, _, d, e, _ = affine
    size = a * e - b * d
    if size == 0:
        raise CrsError(f"an affine map with an inverse expected, {affine} found")
    return size


def bounds(affine: Affine, width: float, height: float) -> tuple[float, float, float, float]:
    """(west, south, east, north) of a picture, also of a turned one."""
    a, b, c, d, e, f = affine
    xs = [a * column + b * row + c for column in (0, width) for row in (0, height)]
    ys = [d * column + e * row + f for column in (0, width) for row in (0, height)]
    return min(xs), min(ys), max(xs), max(ys)


def of_window(affine: Affine, column: float, row: float) -> Affine:
    """The affine of a window of the picture whose first pixel is at (column, row)."""
    a, b, c, d, e, f = affine
    return a, b, a * column + b * row + c, d, e, d * column + e * row + f


def from_bounds(bounds: tuple[float, float, float, float], width: float, height: float) -> Affine:
    """The north-up affine of a picture that fills (west, south, east, north)."""
    west, south, east, north = bounds
    if not width or not height:
        raise CrsError(f"a picture with pixels expected, {width} × {height} found")
    return (east - west) / width, 0.0, west, 0.0, (south - north) / height, north
