"""The labelbox SDK's own classes of tiled imagery judge ours, where they work."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from labelbox.data.annotation_types import Point
from labelbox.data.annotation_types.data import tiled_image as module

from labelconv import tiles
from labelconv.crs import transform
from labelconv.tiles import TileLayer, TileRow

URL = "https://c.tile.openstreetmap.org/{z}/{x}/{y}.png"
#: The area of the SDK's documentation.
ROW = TileRow(
    layer=TileLayer(URL, "slippy map tile"),
    bounds=(-99.21052827588443, 19.400498983095076, -99.20534818927473, 19.405662413477728),
    min_zoom=12,
    max_zoom=20,
    alternative_layers=(TileLayer("https://example.org/{z}/{x}/{y}", "aerial"),),
)


def test_the_json_is_that_of_the_sdk() -> None:
    west, south, east, north = ROW.bounds
    judged = module.TiledImageData(
        tile_layer=module.TileLayer(url=URL, name="slippy map tile"),
        tile_bounds=module.TiledBounds(
            epsg=module.EPSG.EPSG4326, bounds=[Point(x=west, y=south), Point(x=east, y=north)]
        ),
        alternative_layers=[module.TileLayer(url="https://example.org/{z}/{x}/{y}", name="aerial")],
        zoom_levels=(12, 20),
    ).asdict()
    assert tiles.as_row_data(ROW) == judged


#: A fifth of a degree at zoom 20, where the SDK rounds to whole pixels, of which 150 are one of the
#: 1,000 × 1,000 below.
WEST, SOUTH, EAST, NORTH = 10.0, 50.0, 10.2, 50.2
PRECISION = 0.01
PIXELS = (0.0, 0.0, 1000.0, 1000.0)


def sdk(kind: str, source: Any) -> Any:
    make = {
        "to pixels": module.EPSGTransformer.create_geo_to_pixel_transformer,
        "to the map": module.EPSGTransformer.create_pixel_to_geo_transformer,
    }[kind]
    target = source if kind == "to the map" else module.EPSG.EPSG4326
    return make(
        src_epsg=module.EPSG.SIMPLEPIXEL if kind == "to the map" else source,
        pixel_bounds=module.TiledBounds(
            epsg=module.EPSG.SIMPLEPIXEL, bounds=[Point(x=0, y=0), Point(x=1000, y=1000)]
        ),
        geo_bounds=module.TiledBounds(
            epsg=target, bounds=[Point(x=WEST, y=SOUTH), Point(x=EAST, y=NORTH)]
        ),
        zoom=20,
    )


def row_in(epsg: Any) -> tuple[TileRow, Any]:
    """The area as a layer of a CRS, and the way from degrees to it."""
    change = transform.change("EPSG:4326", f"EPSG:{epsg.value}").to
    (west, south), (east, north) = change(np.array([[WEST, SOUTH], [EAST, NORTH]])).tolist()
    row = TileRow(
        layer=TileLayer(URL),
        bounds=(west, south, east, north),
        min_zoom=0,
        max_zoom=20,
        epsg=epsg.name,
    )
    return row, change


@pytest.mark.parametrize("epsg", [module.EPSG.EPSG4326, module.EPSG.EPSG3857])
@pytest.mark.parametrize("share", [0.1, 0.37, 0.8])
def test_the_sdks_transformer_to_pixels_agrees_within_its_precision(
    epsg: Any, share: float
) -> None:
    row, change = row_in(epsg)
    forth, _ = tiles.to_pixels(row, PIXELS)
    place = change(np.array([[WEST + share * 0.2, SOUTH + share / 2 * 0.2]]))
    theirs = sdk("to pixels", epsg)(Point(x=place[0, 0], y=place[0, 1]))
    assert forth(place)[0] == pytest.approx((theirs.x, theirs.y), abs=PRECISION)


@pytest.mark.parametrize("epsg", [module.EPSG.EPSG4326, module.EPSG.EPSG3857])
@pytest.mark.parametrize("share", [0.1, 0.37, 0.8])
def test_the_sdks_transformer_to_the_map_agrees_within_its_precision(
    epsg: Any, share: float
) -> None:
    row, _ = row_in(epsg)
    forth, back = tiles.to_pixels(row, PIXELS)
    pixel = np.array([[share * 1000, share / 2 * 1000]])
    theirs = sdk("to the map", epsg)(Point(x=pixel[0, 0], y=pixel[0, 1]))
    pixel_size = (row.bounds[2] - row.bounds[0]) / 1000
    assert back(pixel)[0] == pytest.approx((theirs.x, theirs.y), abs=pixel_size * PRECISION)
    assert forth(np.array([[theirs.x, theirs.y]]))[0] == pytest.approx(pixel[0], abs=PRECISION)


def test_the_sdks_transformer_between_degrees_and_metres_agrees() -> None:
    pair = module.EPSG.EPSG4326, module.EPSG.EPSG3857
    there = module.EPSGTransformer.create_geo_to_geo_transformer(*pair)
    theirs = there(Point(x=WEST, y=SOUTH))
    ours = transform.change("EPSG:4326", "EPSG:3857").to(np.array([[WEST, SOUTH]]))[0]
    assert ours == pytest.approx((theirs.x, theirs.y), abs=1e-6)
    back = module.EPSGTransformer.create_geo_to_geo_transformer(*reversed(pair))(theirs)
    assert (back.x, back.y) == pytest.approx((WEST, SOUTH), abs=1e-12)
