"""GeoPackage, FlatGeobuf, GeoParquet and Shapefile, through GDAL (pyogrio) and pyarrow.

Needs the extra `labelconv[vector]`, which is imported when a file is read or written.
"""

from __future__ import annotations

from pathlib import Path

from labelconv.crs.names import LON_LAT, normal
from labelconv.format import Evidence, Format, Holds, Reading
from labelconv.formats.vector.options import VectorReaderOptions, VectorWriterOptions
from labelconv.io import Peek, Source
from labelconv.model import Dataset, Point, Polygon, Polyline, TiledImage
from labelconv.problems import Report


def holds(options: VectorWriterOptions) -> tuple[Holds, ...]:
    """Points, lines and polygons on maps, with class, sample and confidence as columns."""
    return (
        Holds(
            media=TiledImage,
            values=frozenset({Point, Polyline, Polygon}),
            parts=True,
            holes=True,
            confidence=True,
            empty=False,
            size=False,
            uri=False,
            pieces=True,
            keys="path",
            names="line",
            crs=frozenset({LON_LAT if options.crs is None else normal(options.crs)}),
            precision=0.0,
        ),
    )


def sniff(peek: Peek) -> Evidence:
    """By the first bytes that each kind of file has."""
    head = peek.head
    if peek.is_folder:
        return Evidence(0, "a folder, not a file")
    if head.startswith(b"SQLite format 3\x00"):
        if head[68:72] in (b"GPKG", b"GP10", b"GP11"):
            return Evidence(3, "a GeoPackage")
        return Evidence(0, "an SQLite file that is no GeoPackage")
    if head.startswith(b"fgb\x03fgb"):
        return Evidence(3, "a FlatGeobuf file")
    if head.startswith(b"PAR1"):
        if b"geo" in peek.tail:
            return Evidence(2, "a Parquet file with geo metadata")
        return Evidence(0, "a Parquet file without geo metadata")
    if head.startswith(b"\x00\x00\x27\x0a") and peek.name.lower().endswith(".shp"):
        return Evidence(3, "a Shapefile")
    return Evidence(0, "no GeoPackage, FlatGeobuf, GeoParquet or Shapefile")


def folder(options: VectorWriterOptions) -> bool:
    """Shapefiles are several files each."""
    return options.driver == "shapefile"


def read(source: Source, options: VectorReaderOptions, reading: Reading) -> Dataset:
    """The samples of a vector file (see `reader`, loaded when first needed)."""
    from labelconv.formats.vector.reader import read as read_now

    return read_now(source, options, reading)


def write(dataset: Dataset, target: Path, options: VectorWriterOptions, report: Report) -> None:
    """Write a vector file (see `writer`, loaded when first needed)."""
    from labelconv.formats.vector.writer import write as write_now

    write_now(dataset, target, options, report)


FORMAT = Format(
    name="vector",
    about="GeoPackage, FlatGeobuf, GeoParquet, Shapefile (extra labelconv[vector])",
    url="https://www.geopackage.org",
    holds=holds,
    read=read,
    write=write,
    reader_options=VectorReaderOptions,
    writer_options=VectorWriterOptions,
    sniff=sniff,
    extensions=(".gpkg", ".fgb", ".parquet", ".shp"),
    folder=folder,
    extra_needed="vector",
)
