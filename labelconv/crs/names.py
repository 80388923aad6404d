"""The many spellings of a coordinate reference system, as one.

Inside labelconv a CRS is an authority string such as `EPSG:32616`, or WKT where there is none, and
its coordinates are x, y (longitude, latitude) whatever order its authority declares. So `OGC:CRS84`
and `EPSG:4326` are the same here. `pixel` stands for the pixels of a picture, y down.
"""

from __future__ import annotations

import re
from functools import lru_cache

from labelconv.errors import LabelconvError

#: Longitude and latitude on WGS 84, in this order.
LON_LAT = "EPSG:4326"
WEB_MERCATOR = "EPSG:3857"
PIXEL = "pixel"

_CODE = re.compile(r"(?:EPSG:{1,2})?(\d{4,6})", re.IGNORECASE)
_URN = re.compile(r"(?:urn:(?:x-)?ogc:def:crs:)EPSG:[\d.]*:(\d{1,9})", re.IGNORECASE)
_URL = re.compile(
    r"https?://www\.opengis\.net/(?:def/crs/EPSG/[\d.]+/|gml/srs/epsg\.xml#)(\d{1,9})"
)
_CRS84 = re.compile(
    r"(?:urn:(?:x-)?ogc:def:crs:|https?://www\.opengis\.net/def/crs/)?"
    r"OGC[:/]{1,2}(?:[\d.]*[:/])?CRS84h?",
    re.IGNORECASE,
)
#: Other numbers of EPSG:3857, used before it had one.
_MERCATORS = {"EPSG:900913": WEB_MERCATOR, "EPSG:3785": WEB_MERCATOR, "EPSG:102100": WEB_MERCATOR}


class CrsError(LabelconvError, ValueError):
    """A CRS is not known, or nothing leads from one to the other."""


@lru_cache(maxsize=256)
def normal(name: str) -> str:
    """The one spelling of a CRS: `EPSG:n`, `pixel`, or the WKT of what has no number.

    Takes `EPSG:4326`, `4326`, URNs and URLs of the OGC, WKT of any version, PROJ strings, PROJJSON.
    Raises `CrsError`.
    """
    text = name.strip()
    if text.lower() == PIXEL:
        return PIXEL
    if _CRS84.fullmatch(text) or text.upper() in ("CRS84", "WGS84"):
        return LON_LAT
    for pattern in (_CODE, _URN, _URL):
        found = pattern.fullmatch(text)
        if found:
            code = f"EPSG:{int(found[1])}"
            return _MERCATORS.get(code, code)
    from labelconv.crs.transform import authority_or_wkt

    return authority_or_wkt(text)


def same(one: str, other: str) -> bool:
    """Whether two spellings name one CRS. Raises `CrsError`."""
    return normal(one) == normal(other)
