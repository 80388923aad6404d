"""One place in CRSs of both official orders of axes, for the tests of what comes first."""

from __future__ import annotations

from typing import Any, TypeAlias

import pyproj
import pytest

from labelconv.model import Annotation, Point, Sample, Samples, TiledImage

#: By the official order of their axes; pyproj says so below.
NORTH_FIRST = ("EPSG:4326", "EPSG:4258", "EPSG:31467", "EPSG:2180", "EPSG:3035")
EAST_FIRST = ("EPSG:32633", "EPSG:3857", "EPSG:3067")
LONGITUDE, LATITUDE = 16.25, 52.5

Place: TypeAlias = tuple[float, float]

both_orders = pytest.mark.parametrize("crs", NORTH_FIRST + EAST_FIRST)


def there(crs: str) -> Place:
    """The place in a CRS, by pyproj: x, then y."""
    x, y = pyproj.Transformer.from_crs("EPSG:4326", crs, always_xy=True).transform(
        LONGITUDE, LATITUDE
    )
    return x, y


def near(found: Any, crs: str = "EPSG:4326") -> bool:
    """Whether x and y are those of the place, to a millimetre or so."""
    tolerance = 1e-8 if pyproj.CRS(crs).is_geographic else 1e-3
    return list(found) == pytest.approx(there(crs), abs=tolerance)


def dataset(crs: str) -> Samples:
    annotations = (Annotation("1", "a", Point(*there(crs))),)
    return Samples([Sample("k", TiledImage(crs), annotations)])
