"""x is east in layers of tiles, in data rows and in the functions of the library.

As `test_crs_axis_order`, which goes through files and passes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mercantile
import numpy as np
import pyproj
import pytest
from crs_axis_help import LATITUDE, LONGITUDE, both_orders, dataset, near, there

from labelconv import tiles
from labelconv.crs import affine, edges, seams, tiling, transform, ways
from labelconv.labelbox.datarows import Places, data_rows
from labelconv.model import Point, Sample, TiledImage
from labelconv.problems import Report

# ------------------------------------------------------------------------------- tile layers


def layer(epsg: tiles.Epsg, bounds: tiles.Bounds) -> tiles.TileRow:
    return tiles.TileRow(
        layer=tiles.TileLayer("https://t.example/{z}/{x}/{y}"),
        bounds=bounds,
        min_zoom=3,
        max_zoom=20,
        epsg=epsg,
    )


@pytest.mark.parametrize(("epsg", "crs"), [("EPSG4326", "EPSG:4326"), ("EPSG3857", "EPSG:3857")])
def test_layers_of_tiles_are_written_read_and_covered(epsg: tiles.Epsg, crs: str) -> None:
    x, y = there(crs)
    size = 1e-3 if crs == "EPSG:4326" else 100.0
    row = layer(epsg, (x, y - size, x + 2 * size, y))
    data = tiles.as_row_data(row)
    assert data["bounds"] == [[x, y - size], [x + 2 * size, y]]
    assert tiles.from_row_data(data).bounds == row.bounds
    turned = data | {"version": 1, "bounds": [[y - size, x], [y, x + 2 * size]]}
    assert tiles.from_row_data(turned).bounds == row.bounds
    assert row.media == TiledImage(crs, row.bounds)
    forth, back = tiles.to_pixels(row, (0.0, 0.0, 200.0, 100.0))
    assert forth(np.array([[x, y]]))[0] == pytest.approx((0, 0), abs=1e-6)
    assert forth(np.array([[x + 2 * size, y]]))[0] == pytest.approx((200, 0), abs=1e-6)
    assert near(back(np.array([[0.0, 0.0]]))[0], crs)
    column, line = next(iter(tiles.tiles(row, 12)))
    assert (column, line) == tiling.tile_at(LONGITUDE + 1e-9, LATITUDE - 1e-9, 12)
    judged = mercantile.tile(LONGITUDE + 1e-9, LATITUDE - 1e-9, 12)
    assert (column, line) == (judged.x, judged.y)


def test_data_rows_of_maps_have_longitude_first() -> None:
    bounds = (LONGITUDE, LATITUDE, LONGITUDE + 1, LATITUDE + 0.5)
    sample = Sample("k", TiledImage("EPSG:4326", bounds), ())
    places = Places(media="https://t.example/{key}/{z}/{x}/{y}", zoom=(3, 21))
    ((_, row),) = data_rows([sample], places, Report())
    corners = [[LONGITUDE, LATITUDE], [LONGITUDE + 1, LATITUDE + 0.5]]
    assert row["row_data"]["bounds"] == corners


# ------------------------------------------------------------------------------- the library


def _by_way(crs: str) -> Any:
    way = ways.way(next(iter(dataset("EPSG:4326"))), crs, None)
    place = np.array([[LONGITUDE, LATITUDE]])
    return place[0] if way is None else way.change(place)[0]


#: Functions that take or give coordinates of a CRS, as a map from degrees to it.
LIBRARY: dict[str, Callable[[str], Any]] = {
    "change.to": lambda crs: transform.change("EPSG:4326", crs).to(
        np.array([[LONGITUDE, LATITUDE]])
    )[0],
    "change.back": lambda crs: transform.change(crs, "EPSG:4326").back(
        np.array([[LONGITUDE, LATITUDE]])
    )[0],
    "transform_bounds": lambda crs: transform.transform_bounds(
        (LONGITUDE, LATITUDE, LONGITUDE, LATITUDE), "EPSG:4326", crs
    )[:2],
    "edges.bend": lambda crs: edges.bend(
        np.array([[LONGITUDE, LATITUDE]]),
        [1],
        [edges.ALONE],
        transform.change("EPSG:4326", crs).to,
        0.1,
        lambda at: transform.metres_a_unit(at, crs),
        wraps=False,
    ).xy[0],
    "ways.way": _by_way,
    "affine": lambda crs: affine.to_map(
        (1, 0, there(crs)[0], 0, -1, there(crs)[1]), np.zeros((1, 2))
    )[0],
}


@both_orders
@pytest.mark.parametrize("name", LIBRARY)
def test_functions_of_the_library_have_x_first(name: str, crs: str) -> None:
    assert near(LIBRARY[name](crs), crs)


def test_areas_lengths_seams_and_tiles_have_longitude_first() -> None:
    for crs in ("EPSG:31467", "EPSG:32633"):
        area = transform.area_of_use(crs)
        assert area is not None
        judged = pyproj.CRS(crs).area_of_use
        assert area == (judged.west, judged.south, judged.east, judged.north)
    # A degree of longitude is half as long at 60° north, one of latitude is not.
    along, up = transform.metres_a_unit(np.array([[10.0, 60.0]]), "EPSG:4326")[0]
    assert along / up == pytest.approx(0.5)
    beyond = seams.meets(np.array([[170.0, 10.0], [190.0, 10.0]]), np.array([1, 1]))
    assert beyond.tolist() == [False, True]
    assert seams.cut(Point(190.0, 10.0)) == [Point(-170.0, 10.0)]
    clamped, outside = transform.clamp_mercator(np.array([[0.0, 3e7], [1e7, 0.0]]))
    assert outside.tolist() == [True, False]
    assert clamped[0].tolist() == [0.0, transform.MERCATOR_EDGE]
