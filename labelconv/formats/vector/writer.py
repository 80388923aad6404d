"""Writes vector files: a row for each annotation, with its class, sample and confidence."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from labelconv.crs.names import LON_LAT, normal
from labelconv.formats.vector import gdal
from labelconv.formats.vector.options import VectorWriterOptions
from labelconv.model import Dataset, Point, Polyline
from labelconv.problems import Report
from labelconv.simple_features import to_wkb

_DRIVERS = {"gpkg": ("GPKG", ".gpkg"), "flatgeobuf": ("FlatGeobuf", ".fgb")}
#: One Shapefile holds one kind of shape.
_KINDS = {"points": "Point", "lines": "LineString", "polygons": "MultiPolygon"}

Row = tuple[str, str, float | None, bytes]


def write(dataset: Dataset, target: Path, options: VectorWriterOptions, report: Report) -> None:
    """Write a file (or, for Shapefiles, a folder) at `target`. Samples may come in pieces.

    Raises `MissingDependencyError` without the extra `vector`.
    """
    gdal.pyogrio()
    crs = LON_LAT if options.crs is None else normal(options.crs)
    if options.driver == "shapefile":
        _shapefiles(dataset, target, crs, report)
        return
    rows = gdal.batches(_counted((row for _, row in _rows(dataset)), report))
    # GDAL chooses its ways by the file's name, which is a temporary one here.
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".labelconv-") as room:
        if options.driver == "geoparquet":
            made = Path(room) / "labels.parquet"
            gdal.write_parquet(made, rows, crs)
        else:
            driver, ending = _DRIVERS[options.driver]
            made = Path(room) / f"labels{ending}"
            gdal.write_layer(made, driver, rows, crs, options.layer, "Unknown")
        shutil.move(made, target)


def _rows(dataset: Dataset) -> Iterator[tuple[str, Row]]:
    for sample in dataset:
        for annotation in sample.annotations:
            shape: Any = annotation.value
            kind = "polygons"
            if isinstance(shape, Point):
                kind = "points"
            elif isinstance(shape, Polyline):
                kind = "lines"
            yield kind, (annotation.category, sample.key, annotation.confidence, to_wkb(shape))


def _counted(rows: Iterator[Row], report: Report) -> Iterator[Row]:
    count = 0
    for row in rows:
        count += 1
        yield row
    report.ledger.written["features"] = count


def _shapefiles(dataset: Dataset, target: Path, crs: str, report: Report) -> None:
    """One file for each kind of shape that there is; the rows are held until all are known."""
    held: dict[str, list[Row]] = {kind: [] for kind in _KINDS}
    for kind, row in _rows(dataset):
        held[kind].append(row)
    target.mkdir()
    for kind, rows in held.items():
        if rows:
            given = gdal.batches(iter(rows))
            gdal.write_layer(
                target / f"{kind}.shp", "ESRI Shapefile", given, crs, kind, _KINDS[kind]
            )
    report.ledger.written["features"] = sum(map(len, held.values()))
