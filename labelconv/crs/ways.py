"""The way of one sample's coordinates to a target: between CRSs, and between map and pixels."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING

import msgspec

from labelconv.crs import affine as affines
from labelconv.crs import transform
from labelconv.crs.affine import Affine
from labelconv.crs.names import LON_LAT, PIXEL, WEB_MERCATOR, CrsError, normal
from labelconv.errors import SourceError
from labelconv.model import Box, Image, Sample, TiledImage

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from labelconv.crs.rasters import Raster, Rasters

    Map = Callable[[NDArray[np.float64]], NDArray[np.float64]]

#: The pixels of a picture as `model.Image`.
IMAGE = "image"


class NoWayError(ValueError):
    """A sample has no way to the target: what was expected, found, and what to do."""

    def __init__(self, expected: str, found: str, hint: str = "") -> None:
        super().__init__(f"{expected} expected, {found} found{hint}")
        self.expected, self.found, self.hint = expected, found, hint


class Way(msgspec.Struct):
    """How the coordinates of a sample change, and what its media become.

    `measure` gives (N, 2) lengths of one unit along x and y at (N, 2) places of the target, in
    metres or pixels. `joined` are the two CRSs that are joined on the way. `affine` places the
    pixels of the sample's masks, if known; `keeps_pixels` says that masks stay as they are.
    """

    source: str
    target: str
    change: Map
    measure: Map
    joined: tuple[str, str]
    media: TiledImage | Image
    from_degrees: bool
    to_degrees: bool
    clamps: bool
    affine: Affine | None
    keeps_pixels: bool

    def nowhere(self, xy: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Which of (N, 2) places at the target are none."""
        import numpy as np

        if self.target == PIXEL:
            return np.asarray(~np.isfinite(xy).all(axis=1))
        return transform.absurd(xy, self.target)


def way(sample: Sample, target: str, rasters: Rasters | None) -> Way | None:
    """The way of a sample to `target` (a normal CRS name, `pixel` or `image`); None if it is there.

    Raises `NoWayError`, and `CrsError` when the two CRSs have nothing to do with each other.
    """
    media = sample.media
    assert isinstance(media, (TiledImage, Image))  # for mypy; the caller saw to it
    in_pixels = isinstance(media, Image) or normal(media.crs) == PIXEL
    if target in (PIXEL, IMAGE):
        if in_pixels:
            return _respelled(media, target)
        assert isinstance(media, TiledImage)  # for mypy; pictures are in pixels
        return _to_pixels(sample, media, target, rasters)
    if in_pixels:
        return _from_pixels(sample, target, rasters)
    assert isinstance(media, TiledImage)
    source = normal(media.crs)
    if source == target:
        return None
    return _between(media, source, target)


def in_degrees(media: TiledImage) -> bool:
    """Whether the coordinates of tiled imagery are longitude and latitude."""
    crs = normal(media.crs)
    return crs != PIXEL and (crs == LON_LAT or transform.axes(crs).degrees)


def _respelled(media: TiledImage | Image, target: str) -> Way | None:
    """From pixels to pixels: only the media may be another."""
    if isinstance(media, Image) == (target == IMAGE):
        return None
    return Way(
        PIXEL,
        PIXEL,
        _same,
        _pixels,
        (PIXEL, PIXEL),
        Image(media.width, media.height)
        if target == IMAGE
        else TiledImage(PIXEL, width=media.width, height=media.height),
        from_degrees=False,
        to_degrees=False,
        clamps=False,
        affine=None,
        keeps_pixels=True,
    )


def _between(media: TiledImage, source: str, target: str) -> Way:
    change = transform.change(source, target)
    bounds = media.bounds
    if bounds is not None:
        try:
            bounds = transform.transform_bounds(bounds, source, target)
        except CrsError:
            bounds = None  # the area has no place there; its labels are looked at one by one
    return Way(
        source,
        target,
        change.to,
        _metres(target),
        (source, target),
        TiledImage(target, bounds, None, media.width, media.height),
        from_degrees=transform.axes(source).degrees,
        to_degrees=transform.axes(target).degrees,
        clamps=target == WEB_MERCATOR,
        affine=media.affine,
        keeps_pixels=False,
    )


def _from_pixels(sample: Sample, target: str, rasters: Rasters | None) -> Way | None:
    """From a picture to the map. A picture that no raster places passes untouched without a folder
    of rasters."""
    if rasters is None:
        if isinstance(sample.media, Image):
            return None
        raise NoWayError(
            f"coordinates of a map, for {target},",
            "pixels without a raster",
            "; give the folder of the rasters (--media)",
        )
    raster = _found(sample, rasters)
    from labelconv.crs.rasters import placed

    crs, affine = placed(raster)
    change = transform.change(crs, target)

    def to(pixels: NDArray[np.float64]) -> NDArray[np.float64]:
        return change.to(affines.to_map(affine, pixels))

    media: TiledImage | Image = raster.media
    if crs != target:
        media = _between(raster.media, crs, target).media
    return Way(
        PIXEL,
        target,
        to,
        _metres(target),
        (crs, target),
        media,
        from_degrees=False,
        to_degrees=transform.axes(target).degrees,
        clamps=target == WEB_MERCATOR,
        affine=affines.IDENTITY,
        keeps_pixels=crs == target,
    )


def _to_pixels(sample: Sample, media: TiledImage, target: str, rasters: Rasters | None) -> Way:
    source = normal(media.crs)
    crs, affine = source, media.affine
    width, height = media.width, media.height
    if rasters is not None:
        from labelconv.crs.rasters import placed

        raster = _found(sample, rasters)
        crs, affine = placed(raster)
        width, height = float(raster.width), float(raster.height)
    if affine is None:
        raise NoWayError(
            "a raster's affine map, to go to pixels,",
            "none",
            "; give the folder of the rasters (--media)",
        )
    known = affine
    affines.determinant(known)
    change = transform.change(source, crs)

    def to(places: NDArray[np.float64]) -> NDArray[np.float64]:
        return affines.to_pixels(known, change.to(places))

    return Way(
        source,
        PIXEL,
        to,
        _pixels,
        (source, crs),
        Image(width, height) if target == IMAGE else _simple(width, height),
        from_degrees=transform.axes(source).degrees,
        to_degrees=False,
        clamps=False,
        affine=media.affine,
        # Masks are pixels of the sample's own raster.
        keeps_pixels=media.affine is not None and media.affine == known and crs == source,
    )


def _simple(width: float | None, height: float | None) -> TiledImage:
    bounds = (0.0, 0.0, width, height) if width and height else None
    return TiledImage(PIXEL, bounds, None, width, height)


def _found(sample: Sample, rasters: Rasters) -> Raster:
    try:
        raster = rasters.find(sample.uri, sample.key)
    except SourceError as error:
        raise NoWayError("a raster that is placed on the map", "none", f": {error}") from None
    if raster is None:
        raise NoWayError(f"a raster called {sample.uri or sample.key!r}", "none", "")
    return raster


def _same(places: NDArray[np.float64]) -> NDArray[np.float64]:
    return places


def _pixels(at: NDArray[np.float64]) -> NDArray[np.float64]:
    import numpy as np

    return np.ones_like(at)


@lru_cache(maxsize=64)
def _metres(target: str) -> Map:
    def measure(at: NDArray[np.float64]) -> NDArray[np.float64]:
        return transform.metres_a_unit(at, target)

    return measure


def operation(source: str, target: str) -> transform.Operation:
    """What led from one to the other, pixels included."""
    if source == target:
        return transform.Operation("affine map of the raster", 0.0, ())
    return transform.operation(source, target)


def growth(ring: tuple[float, ...], box: Box, way: Way) -> float:
    """How far the box around a ring reaches beyond it, in the unit of `way.measure`."""
    import numpy as np
    import shapely

    xy = np.array(ring, dtype=np.float64).reshape(-1, 2)
    origin = np.array([[box.x0, box.y0]])
    unit = way.measure(origin)
    outline = shapely.polygons((xy - origin) * unit)
    corners = np.array([(0, 0), (box.x1 - box.x0, 0), (0, box.y1 - box.y0)], dtype=np.float64)
    corners = np.concatenate((corners, [[box.x1 - box.x0, box.y1 - box.y0]])) * unit
    return float(shapely.distance(shapely.points(corners), outline).max())
