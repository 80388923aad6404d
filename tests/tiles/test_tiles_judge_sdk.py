"""The labelbox SDK's own classes of tiled imagery judge ours, where they work."""

from __future__ import annotations

import numpy as np
import pytest
from labelbox.data.annotation_types import Point
from labelbox.data.annotation_types.data import tiled_image as module

from labelconv import tiles
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


def test_the_sdks_transformer_agrees_within_its_precision() -> None:
    west, south, east, north = 10.0, 50.0, 10.01, 50.01
    row = TileRow(layer=TileLayer(URL), bounds=(west, south, east, north), min_zoom=0, max_zoom=20)
    forth, _ = tiles.to_pixels(row, (0, 0, 1000, 1000))
    judge = module.EPSGTransformer.create_geo_to_pixel_transformer(
        src_epsg=module.EPSG.EPSG4326,
        pixel_bounds=module.TiledBounds(
            epsg=module.EPSG.SIMPLEPIXEL, bounds=[Point(x=0, y=0), Point(x=1000, y=1000)]
        ),
        geo_bounds=module.TiledBounds(
            epsg=module.EPSG.EPSG4326, bounds=[Point(x=west, y=south), Point(x=east, y=north)]
        ),
        zoom=20,
    )
    for share in (0.1, 0.37, 0.8):
        x, y = west + share * 0.01, south + share * 0.01
        ours = forth(np.array([[x, y]]))[0]
        theirs = judge(Point(x=x, y=y))
        # One Mercator pixel at zoom 20 is 0.14 of these; both ends and the place are rounded.
        assert ours == pytest.approx((theirs.x, theirs.y), abs=0.4)
