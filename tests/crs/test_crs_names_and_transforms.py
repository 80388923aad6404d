"""CRSs in any spelling, and the way between them: pyproj called directly is the judge."""

from __future__ import annotations

import numpy as np
import pyproj
import pytest
from hypothesis import given
from hypothesis import strategies as st

from labelconv.crs import names, transform
from labelconv.crs.names import CrsError

WGS84_WKT = pyproj.CRS("EPSG:4326").to_wkt()
UTM16_WKT = pyproj.CRS("EPSG:32616").to_wkt("WKT1_GDAL")


@pytest.mark.parametrize(
    ("spelled", "expected"),
    [
        ("EPSG:32616", "EPSG:32616"),
        ("epsg:32616", "EPSG:32616"),
        ("32616", "EPSG:32616"),
        ("EPSG::32616", "EPSG:32616"),
        ("urn:ogc:def:crs:EPSG::32616", "EPSG:32616"),
        ("urn:ogc:def:crs:EPSG:6.9:4326", "EPSG:4326"),
        ("urn:ogc:def:crs:OGC:1.3:CRS84", "EPSG:4326"),
        ("OGC:CRS84", "EPSG:4326"),
        ("http://www.opengis.net/def/crs/OGC/1.3/CRS84", "EPSG:4326"),
        ("http://www.opengis.net/def/crs/EPSG/0/3857", "EPSG:3857"),
        ("EPSG:900913", "EPSG:3857"),
        ("pixel", "pixel"),
        (WGS84_WKT, "EPSG:4326"),
        (UTM16_WKT, "EPSG:32616"),
        (pyproj.CRS("EPSG:32616").to_json(), "EPSG:32616"),
    ],
)
def test_a_crs_has_one_spelling(spelled: str, expected: str) -> None:
    assert names.normal(spelled) == expected


def test_a_crs_without_a_number_is_its_wkt_and_can_be_used() -> None:
    own = names.normal("+proj=aea +lat_1=29.5 +lat_2=45.5 +lat_0=37.5 +lon_0=-96 +datum=NAD83")
    assert own.startswith(("PROJCRS", "PROJCS"))
    assert names.normal(own) == own
    centre = transform.change("EPSG:4269", own).to(np.array([[-96.0, 37.5]]))
    assert np.abs(centre).max() < 1e-6


@pytest.mark.parametrize("name", ["EPSG:999999", "nonsense", "+proj=nothing", ""])
def test_an_unknown_crs_is_refused(name: str) -> None:
    with pytest.raises(CrsError):
        transform.change(name, "EPSG:4326")


def test_a_geocentric_crs_is_refused_since_it_is_no_map() -> None:
    with pytest.raises(CrsError, match="geocentric"):
        transform.change("EPSG:4978", "EPSG:4326")


def test_the_worked_numbers_of_the_reference_come_out() -> None:
    # source-formats.md D32 and A4.
    back = transform.change("EPSG:32616", "EPSG:4326")
    roof = back.to(np.array([[736687.5456353347, 3722455.0678027896]]))
    assert roof[0] == pytest.approx((-84.4487639, 33.6156071), abs=1e-7)
    utm = transform.change("EPSG:4326", "EPSG:32618").to(np.array([[-75.0, 40.0]]))
    assert utm[0] == pytest.approx((500000.0, 4427757.22), abs=0.01)
    nad = transform.change("EPSG:4269", "EPSG:4326").to(np.array([[-99.2, 38.0]]))
    assert nad[0] == pytest.approx((-99.2, 38.0), abs=1e-12)


#: EPSG codes whose first official axis is north, and others whose first is east.
NORTH_FIRST = ("EPSG:4326", "EPSG:4258", "EPSG:31467", "EPSG:2180", "EPSG:3035", "EPSG:3067")
EAST_FIRST = ("EPSG:32633", "EPSG:3857", "EPSG:25833", "EPSG:2154")


@pytest.mark.parametrize("name", NORTH_FIRST[:-1] + EAST_FIRST)
def test_x_is_always_east_whatever_the_authority_says(name: str) -> None:
    official = [axis.direction for axis in pyproj.CRS(name).axis_info]
    expected = "north" if name in NORTH_FIRST else "east"
    assert official[0] == expected
    area = transform.area_of_use(name)
    assert area is not None
    x, y = (area[0] + area[2]) / 2, max(-60.0, min(60.0, (area[1] + area[3]) / 2))
    here, east = transform.change("EPSG:4326", name).to(np.array([[x, y], [x + 0.01, y]]))
    assert east[0] - here[0] > 10 * abs(east[1] - here[1])
    again = transform.change(name, "EPSG:4326").to(np.array([here]))
    assert again[0] == pytest.approx((x, y), abs=1e-7)


@given(x=st.floats(-87, -81), y=st.floats(0.01, 84))
def test_a_place_of_utm_16_comes_back_within_1e_7_degrees(x: float, y: float) -> None:
    there = transform.change("EPSG:4326", "EPSG:32616")
    direct = pyproj.Transformer.from_crs("EPSG:4326", "EPSG:32616", always_xy=True)
    moved = there.to(np.array([[x, y]]))
    assert moved[0] == pytest.approx(direct.transform(x, y), abs=1e-6)
    assert there.back(moved)[0] == pytest.approx((x, y), abs=1e-7)


def test_the_accuracy_and_the_grids_that_are_missing_are_told() -> None:
    transform.change("EPSG:4267", "EPSG:4326").to(np.array([[-99.2, 38.0]]))
    used = transform.operation("EPSG:4267", "EPSG:4326")
    assert used.accuracy is not None
    assert used.accuracy >= 5
    assert "us_noaa_conus.tif" in used.missing
    exact = transform.operation("EPSG:4326", "EPSG:32618")
    assert (exact.accuracy, exact.missing) == (0.0, ())


def test_nothing_goes_to_the_network() -> None:
    transform.change("EPSG:4267", "EPSG:4326")
    assert pyproj.network.is_network_enabled() is False


def test_web_mercator_is_clamped_to_its_square() -> None:
    to = transform.change("EPSG:4326", "EPSG:3857").to
    places = to(np.array([[10.0, 90.0], [10.0, 89.9999], [10.0, transform.HIGHEST_LATITUDE]]))
    assert places[0, 1] == pytest.approx(242_528_680.94, abs=1)  # peers.md: finite at the pole
    clamped, outside = transform.clamp_mercator(places)
    assert outside.tolist() == [True, True, False]
    assert np.abs(clamped[:, 1]).max() <= transform.MERCATOR_EDGE + 1e-6
    assert clamped[:, 0] == pytest.approx(places[:, 0])
    assert transform.mercator_latitude(float(places[1, 1])) == pytest.approx(89.9999, abs=1e-9)
    southern, outside = transform.clamp_mercator(places * (1, -1))
    assert outside.tolist() == [True, True, False]
    assert np.array_equal(southern, clamped * (1, -1))


def test_bounds_hold_what_bulges_out_between_their_corners() -> None:
    found = transform.transform_bounds((-10, 60, 10, 70), "EPSG:4326", "EPSG:3035")
    corners = transform.change("EPSG:4326", "EPSG:3035").to(
        np.array([[-10.0, 60], [10, 60], [-10, 70], [10, 70], [0, 60], [5, 70]])
    )
    assert found[0] <= corners[:, 0].min()
    assert found[1] <= corners[:, 1].min()
    assert found[3] >= corners[:, 1].max()
    with pytest.raises(CrsError):
        transform.transform_bounds((0, -90, 10, -89), "EPSG:4326", "EPSG:3413")


@pytest.mark.parametrize(
    ("name", "place", "east", "north"),
    [
        ("EPSG:4326", (10.0, 60.0), 111319.49 / 2, 111319.49),
        ("EPSG:3857", (0.0, 8399737.89), 0.5, 0.5),  # at 60° north
        ("EPSG:32633", (500000.0, 6e6), 1.0, 1.0),
        ("EPSG:2272", (2.6e6, 2e5), 0.3048006, 0.3048006),  # US survey feet
    ],
)
def test_a_unit_is_so_many_metres(
    name: str, place: tuple[float, float], east: float, north: float
) -> None:
    factors = transform.metres_a_unit(np.array([place]), name)
    assert factors[0] == pytest.approx((east, north), rel=1e-6)
