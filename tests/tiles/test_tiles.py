"""Data rows of tile layers: the SDK's own classes are the judge, where they work."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from labelconv import tiles
from labelconv.model import TiledImage
from labelconv.tiles import TileError, TileLayer, TileRow

URL = "https://c.tile.openstreetmap.org/{z}/{x}/{y}.png"
#: The area of the SDK's documentation.
ROW = TileRow(
    layer=TileLayer(URL, "slippy map tile"),
    bounds=(-99.21052827588443, 19.400498983095076, -99.20534818927473, 19.405662413477728),
    min_zoom=12,
    max_zoom=20,
    alternative_layers=(TileLayer("https://example.org/{z}/{x}/{y}", "aerial"),),
)


def test_a_row_comes_back_from_its_json() -> None:
    data = json.dumps(tiles.as_row_data(ROW))
    back = tiles.from_row_data(data)
    assert tiles.as_row_data(back) == json.loads(data)
    assert back.bounds == ROW.bounds
    assert back.media == TiledImage("EPSG:4326", ROW.bounds)
    assert tiles.data_row(ROW, "k")["media_type"] == "TMS_GEO"


@pytest.mark.parametrize("version", [1, None])
def test_version_1_has_latitude_first(version: int | None) -> None:
    data: dict[str, Any] = tiles.as_row_data(ROW)
    data["bounds"] = [[y, x] for x, y in reversed(data["bounds"])]
    data["version"] = version
    assert tiles.from_row_data(data).bounds == ROW.bounds


def test_simple_layers_are_in_pixels_whatever_the_version_says() -> None:
    data = tiles.as_row_data(ROW) | {"epsg": "SIMPLEPIXEL", "bounds": [[0, 0], [900, 600]]}
    del data["version"]
    row = tiles.from_row_data(data)
    assert row.media == TiledImage("pixel", (0.0, 0.0, 900.0, 600.0), None, 900.0, 600.0)
    assert tiles.data_row(row, "k")["media_type"] == "TMS_SIMPLE"
    assert list(tiles.tiles(row, 0)) == [(x, y) for y in range(3) for x in range(4)]
    assert 512 * tiles.simple_scale(3) == 64


@pytest.mark.parametrize(
    "change",
    [
        {"tileLayerUrl": "https://example.org/{x}/{y}"},
        {"bounds": [[1, 2], [1, 3]]},
        {"bounds": [[1, 2], [3, 91]]},
        {"bounds": [[-181, 2], [3, 4]]},
        {"bounds": [[1, 2]]},
        {"minZoom": 21},
        {"minZoom": -1},
        {"epsg": "EPSG2154"},
        {"version": 3},
        {"tileSize": -1},
        {"minZoom": "low"},
        {"alternativeLayers": [{"tileLayerUrl": "no places"}]},
    ],
)
def test_a_row_that_labelbox_refuses_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(TileError):
        tiles.from_row_data(tiles.as_row_data(ROW) | change)
    with pytest.raises(TileError):
        tiles.from_row_data(b"[]")


@pytest.mark.parametrize("bounds", [(-180.0, -90.0, 180.0, 90.0), (0.0, 89.9, 180.0, 90.0)])
def test_the_poles_and_the_date_line_are_allowed(bounds: tuple[float, ...]) -> None:
    # The SDK's check, int(latitude) in range(-90, 90), refuses +90 and takes -90.5.
    row = TileRow(layer=TileLayer(URL), bounds=bounds, min_zoom=0, max_zoom=3)  # type: ignore[arg-type]
    assert tiles.from_row_data(tiles.as_row_data(row)).bounds == bounds
    if bounds[1] < 0:
        forth, _ = tiles.to_pixels(row, (0, 0, 256, 256))
        corners = forth(np.array([[-180.0, 90.0], [180.0, -90.0], [0.0, 0.0]]))
        assert corners == pytest.approx(np.array([[0, 0], [256, 256], [128, 128]]), abs=1e-9)


@given(
    x=st.floats(-179, 179),
    y=st.floats(-84, 84),
    metres=st.floats(2, 100_000),
    share=st.tuples(st.floats(0, 1), st.floats(0, 1)),
)
def test_areas_of_a_few_metres_go_to_pixels_and_back(
    x: float, y: float, metres: float, share: tuple[float, float]
) -> None:
    size = metres / 111_320
    row = TileRow(layer=TileLayer(URL), bounds=(x, y, x + size, y + size), min_zoom=0, max_zoom=22)
    forth, back = tiles.to_pixels(row, (100.0, 50.0, 1100.0, 1050.0))
    place = np.array([[x + share[0] * size, y + share[1] * size]])
    pixels = forth(place)
    assert 100 - 1e-3 <= pixels[0, 0] <= 1100 + 1e-3
    assert 50 - 1e-3 <= pixels[0, 1] <= 1050 + 1e-3
    assert back(pixels) == pytest.approx(place, abs=1e-9)


def test_layers_in_metres_are_as_exact_and_cover_the_same_tiles() -> None:
    degrees = TileRow(layer=TileLayer(URL), bounds=(10, 50, 10.01, 50.01), min_zoom=0, max_zoom=20)
    metres = TileRow(
        layer=TileLayer(URL),
        bounds=(1113194.9079327357, 6446275.841017158, 1114308.102840668, 6448007.727451138),
        min_zoom=0,
        max_zoom=20,
        epsg="EPSG3857",
    )
    assert list(tiles.tiles(degrees, 15)) == list(tiles.tiles(metres, 15))
    forth, back = tiles.to_pixels(metres, (0, 0, 1000, 1000))
    middle = forth(np.array([[1113751.5053867018, 6447141.784234148]]))
    assert middle[0] == pytest.approx((500, 500), abs=1e-6)
    assert back(middle)[0] == pytest.approx((1113751.5053867018, 6447141.784234148), abs=1e-6)


def test_pixels_have_no_other_pixels() -> None:
    simple = TileRow(
        layer=TileLayer(URL), bounds=(0, 0, 9, 9), min_zoom=0, max_zoom=1, epsg="SIMPLEPIXEL"
    )
    with pytest.raises(TileError):
        tiles.to_pixels(simple, (0, 0, 9, 9))
    with pytest.raises(TileError):
        tiles.to_pixels(ROW, (0, 0, 0, 9))
