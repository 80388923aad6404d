"""GeoJSON: RFC 7946, the specification of 2008 with its CRSs, and sequences of features."""

from __future__ import annotations

import re
from pathlib import Path

from labelconv.crs.names import LON_LAT, normal
from labelconv.format import Evidence, Format, Holds, Reading
from labelconv.formats.geojson.options import GeojsonReaderOptions, GeojsonWriterOptions
from labelconv.io import Peek, Source
from labelconv.model import Dataset, Point, Polygon, Polyline, TiledImage
from labelconv.problems import Report

_TYPE = re.compile(
    rb'"type"\s*:\s*"(FeatureCollection|Feature|GeometryCollection|(?:Multi)?(?:Point|LineString|'
    rb'Polygon))"'
)


def holds(options: GeojsonWriterOptions) -> tuple[Holds, ...]:
    """Points, lines and polygons on maps, with answers one level deep, in longitude and latitude
    or the CRS that was asked for."""
    from labelconv.formats.geojson.writer import precision

    return (
        Holds(
            media=TiledImage,
            values=frozenset({Point, Polyline, Polygon}),
            parts=True,
            holes=True,
            confidence=True,
            classifications=1,
            ids=True,
            empty=bool(options.sample_key),
            size=False,
            uri=False,
            extra="own",
            pieces=True,
            crs=frozenset({LON_LAT if options.crs is None else normal(options.crs)}),
            winding="right-hand",
            precision=precision(options.digits),
        ),
    )


def sniff(peek: Peek) -> Evidence:
    """GeoJSON by its types, in an object, in lines or in a sequence; formats that are made of it
    are surer of theirs."""
    if peek.is_folder:
        return Evidence(0, "a folder, not a JSON file")
    text = peek.text
    if text.startswith(b"\x1e"):
        found = _TYPE.search(text)
        if found is not None:
            return Evidence(2, f"a JSON text sequence with the type {found[1].decode()}")
        return Evidence(0, "a JSON text sequence without types of GeoJSON")
    if not text.startswith(b"{"):
        return Evidence(0, "not a JSON object")
    found = _TYPE.search(text) or _TYPE.search(peek.tail)
    if found is None:
        return Evidence(0, "a JSON object without types of GeoJSON")
    kind = found[1].decode()
    members = (b'"features"', b'"geometry"', b'"coordinates"', b'"geometries"')
    if any(member in text for member in members):
        return Evidence(2, f"a JSON object of the type {kind}")
    return Evidence(0, f"the type {kind} without features, geometry or coordinates")


def read(source: Source, options: GeojsonReaderOptions, reading: Reading) -> Dataset:
    """The samples of a GeoJSON file (see `reader`, loaded when first needed)."""
    from labelconv.formats.geojson.reader import read as read_now

    return read_now(source, options, reading)


def write(dataset: Dataset, target: Path, options: GeojsonWriterOptions, report: Report) -> None:
    """Write a GeoJSON file (see `writer`, loaded when first needed)."""
    from labelconv.formats.geojson.writer import write as write_now

    write_now(dataset, target, options, report)


FORMAT = Format(
    name="geojson",
    about="GeoJSON: RFC 7946, CRSs of the specification of 2008, sequences (RFC 8142)",
    url="https://www.rfc-editor.org/rfc/rfc7946",
    holds=holds,
    read=read,
    write=write,
    reader_options=GeojsonReaderOptions,
    writer_options=GeojsonWriterOptions,
    sniff=sniff,
    extensions=(".geojson", ".geojsonl", ".geojsons", ".geojsonseq"),
)
