"""The windows that labels are cut to (`labelconv.chips`): of a grid, and of rasters."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import msgspec

from labelconv import geometry
from labelconv.crs import affine as affines
from labelconv.crs.names import PIXEL, normal
from labelconv.errors import OptionError
from labelconv.model import (
    Box,
    Image,
    Keypoints,
    Mask,
    OrientedBox,
    Point,
    Polygon,
    Polyline,
    Sample,
    TiledImage,
)

if TYPE_CHECKING:
    from labelconv.crs.rasters import Raster

Bounds = tuple[float, float, float, float]
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*[x×]\s*(\d+(?:\.\d+)?)")


class Window(msgspec.Struct, frozen=True):
    """A window: the key of its sample, its area in the coordinates of what is cut, its media, and
    what is taken off all coordinates. `closed` says whether points on its far borders (in x, in y)
    are in it. `outline` is its area where that is no upright box."""

    key: str
    bounds: Bounds
    media: Image | TiledImage
    origin: tuple[float, float] = (0.0, 0.0)
    closed: tuple[bool, bool] = (True, True)
    uri: str | None = None
    outline: Any = None


def parse_size(text: str) -> tuple[float, float] | None:
    """(width, height) of a text such as `512x512`; None if it is none. Raises `OptionError`."""
    found = _SIZE.fullmatch(text.strip())
    if found is None:
        return None
    width, height = float(found[1]), float(found[2])
    if not width or not height:
        raise OptionError(f"windows with a width and a height expected, {text!r} found")
    return width, height


def grid(sample: Sample, size: tuple[float, float], overlap: float = 0.0) -> list[Window]:
    """Windows of a size over a sample, row by row from its first corner: pixels of a picture, units
    of the CRS on a map (from the north-west). Those at the end are cut off at its border.

    The area is the media's, or, where that is not known, that of its labels. Keys are the sample's
    with `@column,row` of the window's first corner.
    """
    media = sample.media
    area = _area(sample)
    if area is None:
        return []
    x0, y0, x1, y1 = area
    width, height = size
    if overlap < 0 or overlap >= min(width, height):
        raise OptionError(
            f"an overlap from 0 to less than the window's {width:g} × {height:g} expected, "
            f"{overlap:g} found"
        )
    windows: list[Window] = []
    down = isinstance(media, Image) or in_pixels(media)
    for top in _steps(y1 - y0, height, overlap):
        for left in _steps(x1 - x0, width, overlap):
            across, high = min(width, x1 - x0 - left), min(height, y1 - y0 - top)
            south = y0 + top if down else y1 - top - high
            bounds = (x0 + left, south, x0 + left + across, south + high)
            key = f"{sample.key}@{left:g},{top:g}"
            # The next window has the points on the border between them.
            closed = left + width >= x1 - x0, top + height >= y1 - y0 if down else top == 0
            windows.append(_window(key, bounds, media, closed, sample.uri))
    return windows


def _steps(length: float, size: float, overlap: float) -> Iterator[float]:
    """Where windows begin along a length; the last one reaches its end."""
    step = size - overlap
    at = 0
    while True:
        start = at * step
        yield start
        if start + size >= length:
            return
        at += 1


def _window(
    key: str, bounds: Bounds, media: Any, closed: tuple[bool, bool], uri: str | None
) -> Window:
    x0, y0, x1, y1 = bounds
    if isinstance(media, Image):
        return Window(key, bounds, Image(x1 - x0, y1 - y0), (x0, y0), closed, uri)
    if in_pixels(media):
        cut = TiledImage(PIXEL, (0.0, 0.0, x1 - x0, y1 - y0), None, x1 - x0, y1 - y0)
        return Window(key, bounds, cut, (x0, y0), closed, uri)
    return Window(key, bounds, TiledImage(media.crs, bounds), closed=closed, uri=uri)


def in_pixels(media: Any) -> bool:
    """Whether a medium is tiled imagery that is counted in pixels."""
    return isinstance(media, TiledImage) and normal(media.crs) == PIXEL


def _area(sample: Sample) -> Bounds | None:
    media: Any = sample.media
    if isinstance(media, TiledImage) and media.bounds is not None:
        return media.bounds
    if (isinstance(media, Image) or in_pixels(media)) and media.width and media.height:
        return 0.0, 0.0, media.width, media.height
    boxes = [box for a in sample.annotations if (box := _bounds(a.value)) is not None]
    if not boxes:
        return None
    return (
        min(box.x0 for box in boxes),
        min(box.y0 for box in boxes),
        max(box.x1 for box in boxes),
        max(box.y1 for box in boxes),
    )


def _bounds(value: Any) -> Box | None:
    if isinstance(value, (Box, OrientedBox, Polygon, Polyline, Point, Keypoints, Mask)):
        return geometry.bounds(value)
    return None


def of_raster(raster: Raster) -> Window:
    """A raster as a window, in its own CRS. Raises `SourceError` when it is placed nowhere."""
    import shapely

    media = raster.media
    assert media.affine is not None  # for mypy; `raster.media` saw to it
    assert media.bounds is not None
    turned = media.affine[1] != 0
    name = raster.path.replace("\\", "/").rsplit("/", 1)[-1]
    outline = None
    if turned:  # its bounds are larger than it is
        import numpy as np

        width, height = raster.width, raster.height
        corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], dtype=np.float64)
        outline = shapely.polygons(affines.to_map(media.affine, corners))
    return Window(name, media.bounds, media, uri=name, outline=outline)
