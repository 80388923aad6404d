"""Labelbox's data rows of tile layers: the JSON that names the layer, its area and its zoom levels.

What the SDK's `TileLayer`, `TiledBounds`, `TiledImageData` and `EPSGTransformer` do
(labelbox-python, data/annotation_types/data/tiled_image.py), in exact numbers: latitude 90 and
longitude 180 are allowed, areas of a few metres keep their digits, and the offset of pixel bounds
is not lost.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from labelconv.crs import tiling
from labelconv.crs.names import LON_LAT, PIXEL, WEB_MERCATOR
from labelconv.crs.transform import HIGHEST_LATITUDE, MERCATOR_EDGE
from labelconv.errors import LabelconvError
from labelconv.model import TiledImage

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Map = Callable[[NDArray[np.float64]], NDArray[np.float64]]

Bounds = tuple[float, float, float, float]
Epsg = Literal["EPSG4326", "EPSG3857", "SIMPLEPIXEL"]

#: What an address of tiles must have (SDK, `TileLayer.validate_url`).
TILE_PLACES = "/{z}/{x}/{y}"
DEFAULT_TILE_SIZE = 256
_CRS: dict[Epsg, str] = {"EPSG4326": LON_LAT, "EPSG3857": WEB_MERCATOR, "SIMPLEPIXEL": PIXEL}
#: The SDK's own numbers (`EPSG.SIMPLEPIXEL` is 1), and other spellings that are met.
_SPELLED: dict[str, Epsg] = {
    **{name: name for name in _CRS},
    "4326": "EPSG4326",
    "EPSG:4326": "EPSG4326",
    "3857": "EPSG3857",
    "EPSG:3857": "EPSG3857",
    "1": "SIMPLEPIXEL",
    "SIMPLE": "SIMPLEPIXEL",
    "Simple": "SIMPLEPIXEL",
}


class TileError(LabelconvError, ValueError):
    """A tile layer is not as Labelbox takes it; the message says what was found and expected."""


class TileLayer(msgspec.Struct, frozen=True):
    """An address of tiles, with `/{z}/{x}/{y}` in it, and what the editor calls it."""

    url: str
    name: str = "default"


class TileRow(msgspec.Struct, frozen=True, kw_only=True):
    """A tile layer as a data row.

    `bounds` is (west, south, east, north): degrees for EPSG4326, metres for EPSG3857, and for
    SIMPLEPIXEL pixels (left, top, right, bottom) as the layer counts them at its own zoom.
    """

    layer: TileLayer
    bounds: Bounds
    min_zoom: int
    max_zoom: int
    epsg: Epsg = "EPSG4326"
    max_native_zoom: int | None = None
    tile_size: int = DEFAULT_TILE_SIZE
    alternative_layers: tuple[TileLayer, ...] = ()

    @property
    def media(self) -> TiledImage:
        """The row as media."""
        if self.epsg != "SIMPLEPIXEL":
            return TiledImage(_CRS[self.epsg], self.bounds)
        width, height = self.bounds[2] - self.bounds[0], self.bounds[3] - self.bounds[1]
        return TiledImage(PIXEL, self.bounds, None, width, height)


def checked(row: TileRow) -> TileRow:
    """The row, if Labelbox can take it. Raises `TileError`."""
    for layer in (row.layer, *row.alternative_layers):
        if TILE_PLACES not in layer.url:
            raise TileError(f"an address with {TILE_PLACES} expected, {layer.url!r} found")
    west, south, east, north = row.bounds
    if west == east or south == north:
        raise TileError(f"bounds that differ on both axes expected, {row.bounds} found")
    if row.epsg == "EPSG4326" and not (-180 <= west < east <= 180 and -90 <= south < north <= 90):
        raise TileError(
            f"west, south, east, north from -180 to 180 and -90 to 90 expected, {row.bounds} found"
        )
    if not 0 <= row.min_zoom <= row.max_zoom:
        raise TileError(
            f"a minimum zoom of 0 or more and a maximum above it expected, "
            f"{row.min_zoom} and {row.max_zoom} found"
        )
    if row.tile_size <= 0:
        raise TileError(f"a tile size above 0 expected, {row.tile_size} found")
    return row


# ------------------------------------------------------------------------------- the wire


class _Layer(msgspec.Struct, rename="camel"):
    tile_layer_url: str
    name: str = "default"


class _Row(msgspec.Struct, rename="camel"):
    tile_layer_url: str
    bounds: tuple[tuple[float, float], tuple[float, float]]
    min_zoom: int
    max_zoom: int
    epsg: str | int = "EPSG4326"
    max_native_zoom: int | None = None
    tile_size: int | None = DEFAULT_TILE_SIZE
    alternative_layers: tuple[_Layer, ...] | None = ()
    version: int | None = None
    name: str = "default"


def as_row_data(row: TileRow) -> dict[str, Any]:
    """The row's JSON, version 2: corners are [longitude, latitude]. Raises `TileError`.

    `maxNativeZoom` is null where it is not known, as the SDK writes it. The version is always
    written: without it, layers of tiles would be read as version 1 ([latitude, longitude]).
    """
    row = checked(row)
    west, south, east, north = row.bounds
    return {
        "tileLayerUrl": row.layer.url,
        "bounds": [[west, south], [east, north]],
        "minZoom": row.min_zoom,
        "maxZoom": row.max_zoom,
        "maxNativeZoom": row.max_native_zoom,
        "epsg": row.epsg,
        "tileSize": row.tile_size,
        "alternativeLayers": [
            {"tileLayerUrl": layer.url, "name": layer.name} for layer in row.alternative_layers
        ],
        "version": 2,
    }


def from_row_data(data: bytes | str | dict[str, Any]) -> TileRow:
    """The row of such JSON, of version 1 or 2. Raises `TileError`.

    Corners may be any two opposite ones. Without a version, corners of a simple layer are [x, y]
    and of others [latitude, longitude] (Labelbox's documentation of tiled imagery).
    """
    try:
        if isinstance(data, dict):
            wire = msgspec.convert(data, _Row)
        else:
            wire = msgspec.json.decode(data, type=_Row)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise TileError(f"the JSON of a tile layer expected: {error}") from None
    epsg = _SPELLED.get(str(wire.epsg))
    if epsg is None:
        known = ", ".join(_CRS)
        raise TileError(f"one of {known} expected as epsg, {wire.epsg!r} found")
    version = wire.version
    if version not in (None, 1, 2):
        raise TileError(f"version 1 or 2 expected, {version} found")
    if version is None:
        version = 2 if epsg == "SIMPLEPIXEL" else 1
    corners = wire.bounds if version == 2 else tuple((x, y) for y, x in wire.bounds)
    (x0, y0), (x1, y1) = corners
    return checked(
        TileRow(
            layer=TileLayer(wire.tile_layer_url, wire.name),
            bounds=(min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1)),
            min_zoom=wire.min_zoom,
            max_zoom=wire.max_zoom,
            epsg=epsg,
            max_native_zoom=wire.max_native_zoom,
            tile_size=wire.tile_size or DEFAULT_TILE_SIZE,
            alternative_layers=tuple(
                TileLayer(layer.tile_layer_url, layer.name)
                for layer in wire.alternative_layers or ()
            ),
        )
    )


def data_row(row: TileRow, global_key: str) -> dict[str, Any]:
    """What `Dataset.create_data_rows` takes for the row. Raises `TileError`."""
    simple = row.epsg == "SIMPLEPIXEL"
    return {
        "row_data": as_row_data(row),
        "global_key": global_key,
        "media_type": "TMS_SIMPLE" if simple else "TMS_GEO",
    }


# ------------------------------------------------------------------------------- coordinates


def to_pixels(geographic: TileRow, pixels: Bounds) -> tuple[Map, Map]:
    """The maps between a layer's coordinates and pixels (left, top, right, bottom), and back.

    Both areas are the same picture: straight in Web Mercator, as tiles are drawn, so that heights
    are not stretched. Latitudes beyond Web Mercator's are at its border. Raises `TileError` for a
    layer of pixels, and for pixel bounds without an extent.
    """
    if geographic.epsg == "SIMPLEPIXEL":
        raise TileError("a layer in degrees or metres expected, SIMPLEPIXEL found")
    left, top, right, bottom = pixels
    if left == right or top == bottom:
        raise TileError(f"pixel bounds that differ on both axes expected, {pixels} found")
    import numpy as np

    west, south, east, north = geographic.bounds
    corners = _square(np.array([[west, north], [east, south]]), geographic.epsg)
    start, size = corners[0], corners[1] - corners[0]
    origin, extent = np.array([left, top]), np.array([right - left, bottom - top])

    def forth(places: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(origin + (_square(places, geographic.epsg) - start) / size * extent)

    def back(places: NDArray[np.float64]) -> NDArray[np.float64]:
        return _from_square(start + (places - origin) / extent * size, geographic.epsg)

    return forth, back


def _square(places: NDArray[np.float64], epsg: str) -> NDArray[np.float64]:
    """Places in Web Mercator's square in metres, y down from the north. The middle of the world is
    0, so that small areas keep their digits."""
    import numpy as np

    if epsg == "EPSG3857":
        return np.asarray(places * (1.0, -1.0))
    latitude = np.radians(np.clip(places[:, 1], -HIGHEST_LATITUDE, HIGHEST_LATITUDE))
    turned = np.column_stack((np.radians(places[:, 0]), -np.arcsinh(np.tan(latitude))))
    return np.asarray(turned * (MERCATOR_EDGE / np.pi))


def _from_square(square: NDArray[np.float64], epsg: str) -> NDArray[np.float64]:
    import numpy as np

    if epsg == "EPSG3857":
        return np.asarray(square * (1.0, -1.0))
    metres = MERCATOR_EDGE / np.pi
    x, y = square[:, 0] / metres, -square[:, 1] / metres
    return np.asarray(np.degrees(np.column_stack((x, np.arctan(np.sinh(y))))))


def simple_scale(zoom: int) -> float:
    """What pixels of a simple layer at a zoom are multiplied by to be its pixels at zoom 0, which
    Leaflet counts in (SDK, `_get_simple_image_params`)."""
    return 1.0 / (1 << zoom)


def tiles(row: TileRow, zoom: int) -> Iterator[tuple[int, int]]:
    """(x, y) of the tiles of a row at a zoom level, row by row from the north."""
    if row.epsg == "SIMPLEPIXEL":
        share = (1 << zoom) / row.tile_size
        left, top, right, bottom = (edge * share for edge in row.bounds)
        for y in range(int(top), max(int(top) + 1, int(-(-bottom // 1)))):
            for x in range(int(left), max(int(left) + 1, int(-(-right // 1)))):
                yield x, y
        return
    bounds = row.bounds
    if row.epsg == "EPSG3857":
        bounds = _degrees(bounds)
    yield from tiling.covering(bounds, zoom)


def _degrees(bounds: Bounds) -> Bounds:
    import numpy as np

    west, south, east, north = bounds
    (a, b), (c, d) = _from_square(np.array([[west, -south], [east, -north]]), "EPSG4326").tolist()
    return a, b, c, d
