"""Options of the reader and writer of vector files."""

from __future__ import annotations

from typing import Literal

import msgspec

Driver = Literal["gpkg", "flatgeobuf", "geoparquet", "shapefile"]


class VectorReaderOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Options of the reader of vector files (`-O key=value`).

    - `layer`: the layer to read, needed where the file has several.
    - `source_crs`: the CRS of the coordinates, against what the file says or where it says nothing.
    - `encoding`: of the texts of a Shapefile that does not say its own (`cp1252`); else UTF-8.
    - `class_key`: the column that names the class; found and noted where not given.
    - `unnamed`: the class of features that have none.
    - `sample_key`: the column that names the image of a feature; without it the file is one.
    - `confidence_key`: the column that is the confidence, 0 to 1.
    - `radio`: columns that answer a question with one option each, with commas; `*` for all.
    - `text`: columns that are answers in words, with commas; `*` for all.
    """

    layer: str | None = None
    source_crs: str | None = None
    encoding: str | None = None
    class_key: str | None = None
    unnamed: str = "feature"
    sample_key: str | None = None
    confidence_key: str = "confidence"
    radio: str = ""
    text: str = ""


class VectorWriterOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Options of the writer of vector files (`-W key=value`).

    - `driver`: what is written: `gpkg` (GeoPackage), `flatgeobuf`, `geoparquet`, or a folder of
      Shapefiles (`shapefile`), one for each kind of shape.
    - `crs`: the CRS to write; longitude and latitude when not given.
    - `layer`: what the layer is called.
    """

    driver: Driver = "gpkg"
    crs: str | None = None
    layer: str = "labels"
