"""Pixels ↔ map (judge: rasterio) and tiles (judge: mercantile)."""

from __future__ import annotations

import math

import mercantile
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rasterio.transform import Affine as RasterioAffine
from rasterio.transform import xy as rasterio_xy

from labelconv.crs import affine, tiling, transform
from labelconv.crs.names import CrsError

STRAIGHT = (0.5, 0.0, 733601.0, 0.0, -0.5, 3725139.0)
SOUTH_UP = (0.5, 0.0, 733601.0, 0.0, 0.5, 3724689.0)
TURNED = (
    0.5 * math.cos(0.7),
    0.5 * math.sin(0.7),
    733601.0,
    0.5 * math.sin(0.7),
    -0.5 * math.cos(0.7),
    3725139.0,
)


@pytest.mark.parametrize("given_affine", [STRAIGHT, SOUTH_UP, TURNED])
@given(column=st.floats(0, 20000), row=st.floats(0, 20000))
def test_pixels_go_to_degrees_and_back_within_a_millionth(
    given_affine: affine.Affine, column: float, row: float
) -> None:
    change = transform.change("EPSG:32616", "EPSG:4326")
    on_map = affine.to_map(given_affine, np.array([[column, row]]))
    judged = rasterio_xy(RasterioAffine(*given_affine), row, column, offset="ul")
    assert on_map[0] == pytest.approx(judged, abs=1e-6)
    back = affine.to_pixels(given_affine, change.back(change.to(on_map)))
    assert back[0] == pytest.approx((column, row), abs=1e-6)


def test_the_worked_pixel_of_the_reference_comes_out() -> None:
    # source-formats.md D32; the corner of the first pixel is the origin, its centre (0.5, 0.5).
    places = np.array([[733633.917563494, 3724917.3270592587], [733601.25, 3725138.75]])
    pixels = affine.to_pixels(STRAIGHT, places)
    assert pixels[0] == pytest.approx((65.83512698789127, 443.34588148258626), abs=1e-9)
    assert pixels[1] == pytest.approx((0.5, 0.5), abs=1e-9)


def test_an_affine_without_an_inverse_is_refused() -> None:
    with pytest.raises(CrsError):
        affine.to_pixels((1, 2, 0, 2, 4, 0), np.array([[1.0, 2.0]]))
    with pytest.raises(CrsError):
        affine.from_bounds((0, 0, 1, 1), 0, 10)


def test_windows_and_bounds_of_a_turned_picture() -> None:
    window = affine.of_window(TURNED, 100, 200)
    corner = affine.to_map(TURNED, np.array([[100.0, 200.0]]))[0]
    assert (window[2], window[5]) == pytest.approx(tuple(corner))
    west, south, east, north = affine.bounds(TURNED, 900, 900)
    assert east - west == pytest.approx(450 * (math.cos(0.7) + math.sin(0.7)))
    assert affine.from_bounds((733601, 3724689, 734051, 3725139), 900, 900) == STRAIGHT
    assert north - south == pytest.approx(east - west)


@given(
    zoom=st.integers(0, 24), share_x=st.floats(0, 1, exclude_max=True), share_y=st.floats(0, 0.999)
)
def test_bounds_of_tiles_are_those_of_mercantile(zoom: int, share_x: float, share_y: float) -> None:
    x, y = int(share_x * 2**zoom), int(share_y * 2**zoom)
    judged = mercantile.bounds(x, y, zoom)
    found = tiling.tile_bounds(x, y, zoom)
    assert found == pytest.approx((judged.west, judged.south, judged.east, judged.north), abs=1e-11)
    metres = mercantile.xy_bounds(x, y, zoom)
    assert tiling.tile_bounds_metres(x, y, zoom) == pytest.approx(tuple(metres), abs=1e-6)
    assert tiling.quadkey(x, y, zoom) == mercantile.quadkey(x, y, zoom)
    assert tiling.from_quadkey(tiling.quadkey(x, y, zoom)) == (x, y, zoom)
    assert tiling.flipped(tiling.flipped(y, zoom), zoom) == y


@given(x=st.floats(-180, 179.999), y=st.floats(-85.05, 85.05), zoom=st.integers(0, 22))
def test_a_place_lies_in_the_tile_that_mercantile_says(x: float, y: float, zoom: int) -> None:
    judged = mercantile.tile(x, y, zoom)
    assert tiling.tile_at(x, y, zoom) == (judged.x, judged.y)
    back = tiling.place(*tiling.fraction(x, y))
    assert back == pytest.approx((x, y), abs=1e-9)


@given(
    x=st.floats(-180, 179),
    y=st.floats(-80, 80),
    width=st.floats(0.001, 1),
    height=st.floats(0.001, 1),
    zoom=st.integers(0, 9),
)
def test_tiles_that_cover_an_area_are_those_of_mercantile(
    x: float, y: float, width: float, height: float, zoom: int
) -> None:
    found = set(tiling.covering((x, y, x + width, y + height), zoom))
    judged = {(t.x, t.y) for t in mercantile.tiles(x, y, x + width, y + height, [zoom])}
    assert found == judged


def test_the_rows_of_tms_count_from_the_south() -> None:
    # source-formats.md D33: TMS z16 y36369 is XYZ 29166.
    assert tiling.flipped(36369, 16) == 29166


def test_poles_and_the_date_line_lie_in_the_outer_tiles() -> None:
    assert tiling.tile_at(180.0, 90.0, 3) == (7, 0)
    assert tiling.tile_at(-180.0, -90.0, 3) == (0, 7)
    across = set(tiling.covering((179.0, 10.0, -179.0, 11.0), 4))
    assert {column for column, _ in across} == {0, 15}
    judged = mercantile.tiles(179.0, 10.0, -179.0, 11.0, [4])
    assert across == {(tile.x, tile.y) for tile in judged}


def test_zoom_levels_are_as_fine_as_asked() -> None:
    assert tiling.resolution(0, 0) == pytest.approx(156543.03392804097)
    assert tiling.zoom_for(156543.04) == 0
    assert tiling.zoom_for(0.3, latitude=33.6) == 19
    for wrong in (0.0, -1.0):
        with pytest.raises(CrsError):
            tiling.zoom_for(wrong)


@pytest.mark.parametrize(("x", "y", "zoom"), [(8, 0, 3), (0, -1, 3), (0, 0, 31), (0, 0, -1)])
def test_tiles_that_do_not_exist_are_refused(x: int, y: int, zoom: int) -> None:
    with pytest.raises(CrsError):
        tiling.tile_bounds(x, y, zoom)
    with pytest.raises(CrsError):
        tiling.from_quadkey("0124")
