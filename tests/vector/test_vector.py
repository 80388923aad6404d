"""Vector files: what GDAL and pyarrow read of ours, and what we read of theirs."""

from __future__ import annotations

import builtins
import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet
import pyogrio
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

import labelconv as lc
from labelconv import registry, testing
from labelconv.convert import convert
from labelconv.errors import MissingDependencyError, SourceError
from labelconv.format import Reading, Wanted
from labelconv.formats.vector import FORMAT, gdal
from labelconv.formats.vector.options import VectorReaderOptions, VectorWriterOptions
from labelconv.formats.vector.reader import read
from labelconv.io import Source
from labelconv.keys import Keys
from labelconv.model import Annotation, Point, Polygon, Polyline, Sample, Samples, TiledImage
from labelconv.problems import Report
from labelconv.simple_features import SimpleError, from_wkb, from_wkt, to_wkb, to_wkt

ENDINGS = {"gpkg": ".gpkg", "flatgeobuf": ".fgb", "geoparquet": ".parquet"}
HOLED = Polygon(
    (
        ((0.0, 0.0, 4.0, 0.0, 4.0, 4.0, 0.0, 4.0), (1.0, 1.0, 1.0, 2.0, 2.0, 2.0)),
        ((10.0, 10.0, 12.0, 10.0, 12.0, 12.0),),
    )
)
SAMPLE = Sample(
    "north.tif",
    TiledImage(),
    (
        Annotation("0", "roof", HOLED, confidence=0.5),
        Annotation("1", "road", Polyline((1.0, 2.0, 3.0, 4.0))),
        Annotation("2", "tree", Point(-84.5, 33.6)),
    ),
)


def theirs(path: Path, **options: Any) -> Path:
    """A file that pyogrio wrote of a point and a box."""
    # A FlatGeobuf's index holds no null geometries.
    shapes = np.array([shapely.Point(5, 6, 7), shapely.box(1, 2, 3, 4), None])
    count = 2 if path.suffix == ".fgb" else 3
    pyogrio.raw.write(
        path,
        geometry=shapely.to_wkb(shapes[:count]),
        field_data=[
            np.array(["a", "b", "c"][:count], dtype=object),
            np.array([1.5, np.nan, 3.0][:count]),
            np.array(["n.tif", "s.tif", "w.tif"][:count], dtype=object),
        ],
        fields=["label", "height", "image"],
        geometry_type="Unknown",
        crs="EPSG:4326",
        **options,
    )
    return path


@pytest.mark.parametrize("driver", ENDINGS)
@pytest.mark.parametrize("crs", [None, "EPSG:3857", "EPSG:2180"])
def test_what_is_written_comes_back_and_others_read_it(
    driver: str, crs: str | None, tmp_path: Path
) -> None:
    path = tmp_path / f"a{ENDINGS[driver]}"
    lc.write(Samples([SAMPLE]), path, "vector", options={"driver": driver, "crs": crs})
    if driver == "geoparquet":
        table = pyarrow.parquet.read_table(path)
        geo = json.loads(table.schema.metadata[b"geo"])
        assert geo["primary_column"] == "geometry"
        if crs:
            assert geo["columns"]["geometry"]["crs"]["id"]["code"] == int(crs[5:])
        shapes = shapely.from_wkb(np.array(table["geometry"].to_pylist(), dtype=object))
        classes = table["class"].to_pylist()
    else:
        meta, _, geometries, fields = pyogrio.raw.read(path)
        assert meta["crs"] == (crs or "EPSG:4326")
        shapes = shapely.from_wkb(geometries)
        classes = list(fields[0])
    assert sorted(classes) == ["road", "roof", "tree"]
    assert all(shapely.is_valid(shapes))
    (back,) = list(lc.read(path))
    assert back.key == "north.tif"
    assert back.media == TiledImage(crs or "EPSG:4326")
    values = {annotation.category: annotation for annotation in back.annotations}
    assert values["roof"].confidence == 0.5
    if crs is None:
        assert values["roof"].value == HOLED
        assert values["tree"].value == Point(-84.5, 33.6)


def test_shapefiles_are_a_folder_with_a_file_for_each_kind_of_shape(tmp_path: Path) -> None:
    target = tmp_path / "shapes"
    lc.write(Samples([SAMPLE]), target, "vector", options={"driver": "shapefile"})
    assert {path.name for path in target.glob("*.shp")} == {
        "points.shp",
        "lines.shp",
        "polygons.shp",
    }
    (back,) = list(lc.read(target / "polygons.shp"))
    (annotation,) = back.annotations
    assert (back.key, annotation.category, annotation.confidence) == ("north.tif", "roof", 0.5)
    shape = shapely.geometry.shape(annotation.value.__geo_interface__)  # type: ignore[union-attr]
    assert shape.area == pytest.approx(16 - 0.5 + 2)


@pytest.mark.parametrize("ending", [".gpkg", ".fgb"])
def test_files_of_others_are_read_with_their_columns(ending: str, tmp_path: Path) -> None:
    path = theirs(tmp_path / f"a{ending}")
    dataset = lc.read(path)
    (sample,) = list(dataset)
    found = {annotation.category: annotation for annotation in sample.annotations}
    assert set(found) == {"a", "b"}
    assert found["a"].value == Point(5, 6)
    assert found["a"].extra == {"vector:height": 1.5, "vector:image": "n.tif"}
    assert found["b"].extra["vector:height"] is None
    nulls = {"R143": 1} if ending == ".gpkg" else {}
    assert dataset.report.counts == {"R113": 1, **nulls}
    if ending == ".gpkg":  # the other one lost the height when it was written
        assert dataset.report.fields == {"vector:z (of positions)": 1}
    samples = list(lc.read(path, options={"sample_key": "image", "radio": "height"}))
    empty = ["w.tif"] if nulls else []
    assert sorted(sample.key for sample in samples) == ["n.tif", "s.tif", *empty]
    answers = {s.key: [c.name for a in s.annotations for c in a.classifications] for s in samples}
    assert answers == {"n.tif": ["height"], "s.tif": [], **{key: [] for key in empty}}


@pytest.mark.parametrize("driver", ENDINGS)
def test_a_layer_is_read_some_features_at_a_time(
    driver: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    points = tuple(Annotation(str(n), "tree", Point(n, n / 2)) for n in range(35))
    path = tmp_path / f"a{ENDINGS[driver]}"
    options = {"driver": driver}
    lc.write(Samples([Sample("k", TiledImage(), points)]), path, "vector", options=options)
    monkeypatch.setattr(gdal, "_BATCH", 10)
    sizes = {}
    for pieces in (True, False):
        reading = Reading(report=Report(), keys=Keys(), wanted=Wanted(pieces=pieces))
        samples = list(read(Source(path), VectorReaderOptions(), reading))
        sizes[pieces] = [len(sample.annotations) for sample in samples]
        read_points = [each.value for sample in samples for each in sample.annotations]
        assert sorted(read_points, key=str) == sorted((each.value for each in points), key=str)
        assert reading.report.ledger.samples.read == 1
    assert sizes == {True: [10, 10, 10, 5], False: [35]}


def test_one_layer_of_several_must_be_named(tmp_path: Path) -> None:
    path = theirs(tmp_path / "a.gpkg", layer="one")
    theirs(path, layer="two", append=True)
    with pytest.raises(SourceError, match="layer"):
        list(lc.read(path))
    with pytest.raises(SourceError, match="three"):
        list(lc.read(path, options={"layer": "three"}))
    (sample,) = list(lc.read(path, options={"layer": "two"}))
    assert len(sample.annotations) == 2


def test_texts_of_a_shapefile_that_names_no_encoding_need_one(tmp_path: Path) -> None:
    path = tmp_path / "a.shp"
    pyogrio.raw.write(
        path,
        geometry=shapely.to_wkb(np.array([shapely.box(1, 2, 3, 4)])),
        field_data=[np.array(["H\u00e4user"], dtype=object)],
        fields=["CLASS"],
        geometry_type="Polygon",
        crs="EPSG:4326",
        encoding="cp1252",
    )
    (tmp_path / "a.cpg").unlink()
    with pytest.raises(SourceError, match="-O encoding=cp1252"):
        list(lc.read(path))
    (sample,) = list(lc.read(path, options={"encoding": "cp1252"}))
    # The name of the column is found in capitals too.
    assert [annotation.category for annotation in sample.annotations] == ["H\u00e4user"]
    for other in (theirs(tmp_path / "b.gpkg"), tmp_path / "c.parquet"):
        if other.suffix == ".parquet":
            _without_crs(other)
        with pytest.raises(SourceError, match="a Shapefile expected"):
            list(lc.read(other, "vector", options={"encoding": "cp1252"}))


@pytest.mark.parametrize("wanted", [None, frozenset[str]()])
@pytest.mark.parametrize("text", ["", "*"])
def test_a_confidence_that_is_none_is_kept_or_counted(
    wanted: frozenset[str] | None, text: str, tmp_path: Path
) -> None:
    path = tmp_path / "a.fgb"
    pyogrio.raw.write(
        path,
        geometry=shapely.to_wkb(np.array([shapely.Point(1, 2), shapely.Point(1, 3)])),
        field_data=[np.array([0.5, 70.0])],
        fields=["confidence"],
        geometry_type="Point",
        crs="EPSG:4326",
    )
    reading = Reading(report=Report(), keys=Keys(), wanted=Wanted(extra=wanted))
    (sample,) = list(read(Source(path), VectorReaderOptions(text=text), reading))
    sure = {a.confidence: a.extra for a in sample.annotations}
    assert sure == {0.5: {}, None: {} if wanted is not None else {"vector:confidence": 70.0}}
    assert reading.report.fields == ({} if wanted is None else {"vector:confidence": 1})


def test_a_file_that_names_no_crs_needs_one(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    _without_crs(path)
    with pytest.raises(SourceError, match="source_crs"):
        list(lc.read(path, "vector"))
    (sample,) = list(lc.read(path, "vector", options={"source_crs": "EPSG:32616"}))
    assert sample.media == TiledImage("EPSG:32616")


def _without_crs(path: Path) -> None:
    geo = {
        "version": "1.0.0",
        "primary_column": "g",
        "columns": {"g": {"encoding": "WKB", "crs": None}},
    }
    table = pyarrow.table({"g": pyarrow.array([shapely.Point(736687.5, 3722455).wkb])})
    table = table.replace_schema_metadata({"geo": json.dumps(geo)})
    pyarrow.parquet.write_table(table, path)


def test_parquet_without_or_with_other_geo_metadata_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pyarrow.parquet.write_table(pyarrow.table({"a": [1]}), path)
    assert FORMAT.sniff is not None
    assert FORMAT.sniff(Source(path).peek()).certainty == 0
    with pytest.raises(SourceError):
        list(lc.read(path, "vector"))
    geo = {"primary_column": "g", "columns": {"g": {"encoding": "point"}}}
    table = pyarrow.table({"g": [[1.0, 2.0]]}).replace_schema_metadata({"geo": json.dumps(geo)})
    pyarrow.parquet.write_table(table, path)
    with pytest.raises(SourceError, match="WKB"):
        list(lc.read(path, "vector"))


def test_unreadable_files_and_folders_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.gpkg").write_bytes(b"SQLite format 3\x00" + bytes(52) + b"GPKG" + bytes(100))
    for path in (tmp_path / "a.gpkg", tmp_path):
        with pytest.raises(SourceError):
            list(lc.read(path, "vector"))


def test_a_missing_library_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *rest: Any, **more: Any) -> Any:
        if name.partition(".")[0] == "pyogrio":
            raise ModuleNotFoundError(name)
        return real(name, *rest, **more)

    path = theirs(tmp_path / "a.gpkg")
    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(MissingDependencyError, match=r"labelconv\[vector\]"):
        list(lc.read(path, "vector"))
    with pytest.raises(MissingDependencyError):
        lc.write(Samples([SAMPLE]), tmp_path / "b.gpkg", "vector")


def test_vector_files_become_labelbox_lines_in_degrees(tmp_path: Path) -> None:
    path = tmp_path / "a.gpkg"
    lc.write(Samples([SAMPLE]), path, "vector", options={"crs": "EPSG:3857"})
    target = tmp_path / "out.ndjson"
    convert(path, target, to="labelbox", allow=("loss",))
    lines = [json.loads(line) for line in target.read_text().splitlines()]
    tree = next(line for line in lines if line["name"] == "tree")
    assert (tree["point"]["x"], tree["point"]["y"]) == pytest.approx((-84.5, 33.6), abs=1e-9)


@pytest.mark.parametrize("name", ["a.gpkg", "a.fgb", "a.shp", "a.txt"])
def test_files_are_recognised_by_their_first_bytes(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    if name.endswith(".txt"):
        path.write_text("text")
    elif name.endswith(".shp"):
        lc.write(Samples([SAMPLE]), tmp_path / "s", "vector", options={"driver": "shapefile"})
        path = tmp_path / "s" / "points.shp"
    else:
        theirs(path)
    found = registry.get("vector").sniff(Source(path).peek())  # type: ignore[misc]
    assert found.certainty == (0 if name == "a.txt" else 3)


# ------------------------------------------------------------------------------- simple features


@given(dataset=testing.datasets(FORMAT.holds_of(TiledImage, VectorWriterOptions())))  # type: ignore[arg-type]
def test_well_known_binary_and_text_are_those_of_shapely(dataset: Samples) -> None:
    for sample in dataset:
        for annotation in sample.annotations:
            shape: Any = annotation.value
            judged = shapely.from_wkb(to_wkb(shape))
            assert judged == shapely.geometry.shape(shape.__geo_interface__)
            assert shapely.from_wkt(to_wkt(shape)) == judged
            assert from_wkb(judged.wkb).shapes == [shape]
            big_endian = shapely.to_wkb(judged, byte_order=0)
            assert from_wkb(big_endian).shapes == [shape]
            (parsed,) = from_wkt([judged.wkt])
            assert not isinstance(parsed, SimpleError)
            assert len(parsed.shapes) == 1


@pytest.mark.parametrize("flavor", ["iso", "extended"])
def test_heights_and_numbers_of_crss_are_passed_over(flavor: Any) -> None:
    solid = shapely.set_srid(shapely.Polygon([(0, 0, 1), (4, 0, 2), (4, 4, 3)]), 4326)
    data = shapely.to_wkb(solid, flavor=flavor, include_srid=flavor == "extended")
    parsed = from_wkb(data)
    assert parsed.high
    assert parsed.shapes == [Polygon((((0.0, 0.0, 4.0, 0.0, 4.0, 4.0),),))]


def test_collections_and_empty_geometries_are_flattened() -> None:
    members = shapely.from_wkt(
        "GEOMETRYCOLLECTION (POINT (1 2), MULTIPOINT ((3 4), (5 6)), LINESTRING EMPTY, POINT EMPTY)"
    )
    assert from_wkb(members.wkb).shapes == [Point(1, 2), Point(3, 4), Point(5, 6)]
    assert from_wkb(shapely.from_wkt("MULTIPOLYGON EMPTY").wkb).shapes == []


@given(data=st.binary(max_size=60))
def test_bytes_that_are_no_geometry_are_said_to_be_none(data: bytes) -> None:
    with pytest.raises(SimpleError):
        from_wkb(b"\x01" + struct.pack("<I", 17) + data)
    whole = shapely.box(0, 0, 1, 1).wkb
    for wrong in (whole[:-3], whole + b"x", whole[:5], b""):
        with pytest.raises(SimpleError):
            from_wkb(wrong)
