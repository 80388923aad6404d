"""Vector files that are broken: what GDAL and Arrow raise is a `SourceError`, never another."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pyogrio
import pytest
import shapely

import labelconv as lc
from labelconv.errors import SourceError
from labelconv.simple_features import SimpleError, from_wkb, from_wkt


def written(path: Path, classes: list[str]) -> Path:
    shapes = np.array([shapely.box(n, 2, n + 1, 4) for n in range(len(classes))])
    pyogrio.raw.write(
        path,
        geometry=shapely.to_wkb(shapes),
        field_data=[np.array(classes, dtype=object)],
        fields=["class"],
        geometry_type="Polygon",
        crs="EPSG:4326",
    )
    return path


def test_a_prj_that_names_no_crs_is_refused_with_what_to_do(tmp_path: Path) -> None:
    path = written(tmp_path / "a.shp", ["a"])
    (tmp_path / "a.prj").write_text('GEOGCS["broken')
    with pytest.raises(SourceError):
        list(lc.read(path))
    (tmp_path / "a.prj").unlink()
    (sample,) = list(lc.read(path, options={"source_crs": "EPSG:4326"}))
    assert len(sample.annotations) == 1


def test_a_layer_that_is_cut_off_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path / "a.fgb", ["a"] * 200)
    path.write_bytes(path.read_bytes()[:-2_000])
    with pytest.raises(SourceError):
        list(lc.read(path))


def test_a_broken_page_of_a_parquet_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    shapes = [shapely.box(n, n, n + 1, n + 1).wkb for n in range(400)]
    geo = b'{"primary_column": "g", "columns": {"g": {"encoding": "WKB"}}}'
    table = pa.table({"g": shapes}).replace_schema_metadata({b"geo": geo})
    pyarrow.parquet.write_table(table, path)
    data = bytearray(path.read_bytes())
    data[300:1_300] = bytes(1_000)
    path.write_bytes(data)
    with pytest.raises(SourceError):
        list(lc.read(path, "vector"))


def test_geo_metadata_that_are_no_text_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    geo = b'{"primary_column": "g\xff"}'
    pyarrow.parquet.write_table(pa.table({"g": [b""]}).replace_schema_metadata({b"geo": geo}), path)
    with pytest.raises(SourceError, match="GeoParquet"):
        list(lc.read(path, "vector"))


@pytest.mark.parametrize(
    "shape",
    [
        "POINT (1 inf)",
        "POINT (nan 1)",
        "LINESTRING (0 0, inf 1)",
        "POLYGON ((0 0, 1 0, 1 nan, 0 0))",
        "POLYGON ((0 0, inf 0, -inf 1, 0 0))",
    ],
)
def test_coordinates_that_are_no_numbers_are_no_shape(shape: str) -> None:
    (found,) = from_wkt([shape])
    assert isinstance(found, SimpleError)


def test_an_empty_point_and_numbers_near_the_largest_are_read() -> None:
    assert from_wkb(struct.pack("<BIdd", 1, 1, *2 * (np.nan,))).shapes == []
    huge = 1.7e308
    assert len(from_wkb(struct.pack("<BIdd", 1, 1, huge, huge)).shapes) == 1
    line = struct.pack("<BIIdddd", 1, 2, 2, huge, huge, huge, 0)
    assert len(from_wkb(line).shapes) == 1


def test_collections_in_collections_without_end_are_no_shape() -> None:
    with pytest.raises(SimpleError):
        from_wkb(struct.pack("<BII", 1, 7, 1) * 100_000)
