"""What the reader says of features that cannot be used. Each counts as one annotation read."""

from __future__ import annotations

import re

from labelconv import codes
from labelconv.formats.geojson.shapes import InvalidError
from labelconv.formats.geojson.windows import Broken, Window
from labelconv.formats.geojson.wire import Record
from labelconv.problems import Report

#: Numbers that JSON has not, or that no float can be.
_ENDLESS = re.compile(rb"-?(?:NaN|Infinity)|-?\d[\d.]*[eE]\+?\d{3,}")


def malformed(report: Report, window: Window, place: int, expected: str, found: str) -> None:
    """A feature that is not written as one."""
    report.ledger.annotations.read += 1
    report.reject(
        codes.RECORD_MALFORMED,
        window.where(place),
        window.raws()[place],
        expected=expected,
        found=found,
    )


def no_feature(report: Report, window: Window, place: int, record: Record | Broken) -> None:
    """A record that is neither a feature nor a geometry."""
    found = record.why if isinstance(record, Broken) else f"the type {record.type!r}"
    endless = _ENDLESS.search(window.raws()[place]) if isinstance(record, Broken) else None
    if endless is not None:
        _not_finite(report, window, place, endless)
    else:
        malformed(report, window, place, "a Feature or a geometry", found)


def shape(report: Report, window: Window, place: int, error: ValueError) -> None:
    """Coordinates that are no shape (`InvalidError`) or no coordinates (`MalformedError`)."""
    endless = _ENDLESS.search(str(error).encode())
    if isinstance(error, InvalidError):
        report.ledger.annotations.read += 1
        raw = window.raws()[place]
        report.reject(codes.SHAPE_INVALID, window.where(place), raw, found=f"{error} found")
    elif endless is not None:
        _not_finite(report, window, place, endless)
    else:
        expected = "coordinates as the geometry's type has them"
        malformed(report, window, place, expected, str(error))


def outside(
    report: Report, window: Window, place: int, crs: str, found: tuple[float, float]
) -> None:
    """A place that is none in degrees."""
    x, y = found
    swapped = abs(x) <= 90 and abs(y) <= 180
    hint = (
        "; if y stands first, pass -O axes=yx"
        if swapped
        else "; name the CRS with -O source_crs=EPSG:…"
    )
    report.ledger.annotations.read += 1
    report.reject(
        codes.COORDINATES_OUTSIDE,
        window.where(place),
        window.raws()[place],
        expected=f"longitude and latitude in degrees ({crs})",
        found=f"({x:g}, {y:g})",
        hint=hint,
    )


def _not_finite(report: Report, window: Window, place: int, found: re.Match[bytes]) -> None:
    report.ledger.annotations.read += 1
    raw = window.raws()[place]
    number = found.group().decode()
    report.reject(codes.NUMBER_NOT_FINITE, window.where(place), raw, found=number)
