"""x is east at every entry point of coordinates, in CRSs of both official orders.

One place is brought in, or taken out, by each of them, and pyproj says where it is. It is chosen so
that x and y are far apart in every CRS used here: a swapped pair is another place.
"""

from __future__ import annotations

import json
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pyogrio
import pyproj
import pytest
import rasterio
import shapely
from crs_axis_help import (
    EAST_FIRST,
    LATITUDE,
    LONGITUDE,
    NORTH_FIRST,
    Place,
    both_orders,
    dataset,
    near,
    there,
)

import labelconv as lc
from labelconv import chips, registry
from labelconv.convert import convert
from labelconv.crs import rasters
from labelconv.model import (
    Annotation,
    Box,
    Image,
    Mask,
    Point,
    Polygon,
    Polyline,
    Sample,
    Samples,
    TiledImage,
)
from labelconv.problems import Report
from labelconv.reproject import reproject

Feature: TypeAlias = dict[str, Any]


def test_crss_of_both_official_orders_are_used_and_no_swap_goes_unseen() -> None:
    for crs in NORTH_FIRST + EAST_FIRST:
        first = pyproj.CRS(crs).axis_info[0].direction
        assert first == ("north" if crs in NORTH_FIRST else "east")
        x, y = there(crs)
        assert near((x, y), crs)
        assert not near((y, x), crs)


# ------------------------------------------------------------------------------- files in


def in_geojson(folder: Path, crs: str, how: str) -> Path:
    feature = {"type": "Feature", "geometry": {"type": "Point", "coordinates": list(there(crs))}}
    whole: Feature = {"type": "FeatureCollection", "features": [feature | {"properties": {}}]}
    names = {"member": crs, "urn": f"urn:ogc:def:crs:EPSG::{crs[5:]}"}
    if how in names:
        whole["crs"] = {"type": "name", "properties": {"name": names[how]}}
    path = folder / "a.geojson"
    path.write_text(json.dumps(whole))
    return path


@both_orders
@pytest.mark.parametrize("how", ["member", "urn", "option"])
def test_geojson_is_read(crs: str, how: str, tmp_path: Path) -> None:
    options = {"source_crs": crs} if how == "option" else {}
    path = in_geojson(tmp_path, crs, how)
    (sample,) = lc.read(path, "geojson", options=options)
    (point,) = [annotation.value for annotation in sample.annotations]
    assert isinstance(point, Point)
    assert near((point.x, point.y), crs)
    line = to_labelbox(path, tmp_path, options)
    assert near((line["point"]["x"], line["point"]["y"]))


def to_labelbox(path: Path, folder: Path, options: dict[str, Any], **more: Any) -> Feature:
    """The only line for a file."""
    convert(path, folder / "out.ndjson", to="labelbox", reader_options=options, **more)
    (line,) = (folder / "out.ndjson").read_text().splitlines()
    found: Feature = json.loads(line)
    return found


@both_orders
@pytest.mark.parametrize("how", ["layer", "option"])
@pytest.mark.parametrize("ending", ["gpkg", "fgb"])
def test_vector_files_are_read(crs: str, how: str, ending: str, tmp_path: Path) -> None:
    path = tmp_path / f"a.{ending}"
    pyogrio.raw.write(
        path,
        geometry=shapely.to_wkb(np.array([shapely.Point(there(crs))])),
        field_data=[np.array(["a"], dtype=object)],
        fields=["class"],
        geometry_type="Point",
        crs=crs if how == "layer" else "EPSG:32616",  # which the option overrules
    )
    options = {"source_crs": crs} if how == "option" else {}
    (sample,) = lc.read(path, "vector", options=options)
    point: Any = sample.annotations[0].value
    assert near((point.x, point.y), crs)
    line = to_labelbox(path, tmp_path, options)
    assert near((line["point"]["x"], line["point"]["y"]))


def around(crs: str = "EPSG:4326") -> tuple[float, ...]:
    """A triangle whose first corner is the place, twice as wide as high."""
    x, y = there(crs)
    size = 0.001 if pyproj.CRS(crs).is_geographic else 100.0
    return (x, y, x + 2 * size, y, x + 2 * size, y + size)


def well_known(ring: tuple[float, ...]) -> str:
    pairs = [f"{x!r} {y!r}" for x, y in zip(ring[::2], ring[1::2], strict=True)]
    return f"POLYGON (({', '.join([*pairs, pairs[0]])}))"


def of_line(line: Feature) -> Place:
    first = line["polygon"][0]
    return first["x"], first["y"]


def test_spacenet_is_read_from_the_map(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(
        "ImageId,BuildingId,PolygonWKT_Pix,PolygonWKT_Geo\n"
        f'i,1,"POLYGON ((1 2,3 2,3 4,1 2))","{well_known(around())}"\n'
    )
    line = to_labelbox(path, tmp_path, {"space": "map"}, from_="spacenet")
    assert near(of_line(line))


def test_xbd_is_read_from_the_map(tmp_path: Path) -> None:
    feature = {"properties": {"feature_type": "building", "uid": "u"}, "wkt": well_known(around())}
    label = {"features": {"lng_lat": [feature], "xy": []}, "metadata": {"img_name": "i.png"}}
    path = tmp_path / "a.json"
    path.write_text(json.dumps(label))
    line = to_labelbox(path, tmp_path, {"space": "map"}, from_="xbd")
    assert near(of_line(line))


def test_xview_is_read_in_pixels_and_as_geojson_on_the_map(tmp_path: Path) -> None:
    ring = around()
    pairs = list(zip(ring[::2], ring[1::2], strict=True))
    feature = {
        "type": "Feature",
        "geometry": {"type": "Polygon", "coordinates": [[*pairs, pairs[0]]]},
        "properties": {"image_id": "i.tif", "type_id": 73, "bounds_imcoords": "30,7,41,11"},
    }
    path = tmp_path / "a.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}))
    (sample,) = lc.read(path, "xview")
    assert sample.annotations[0].value == Box(30, 7, 41, 11)
    line = to_labelbox(path, tmp_path, {"class_key": "type_id"}, from_="geojson")
    assert near(of_line(line))


def test_stac_labels_and_the_area_of_their_item_are_read(tmp_path: Path) -> None:
    in_geojson(tmp_path, "EPSG:4326", "none")
    west, south = LONGITUDE - 1, LATITUDE - 0.5
    item = {
        "id": "i",
        "bbox": [west, south, west + 4, south + 1],
        "properties": {"label:type": "vector"},
        "assets": {"labels": {"href": "a.geojson"}},
    }
    path = tmp_path / "item.json"
    path.write_text(json.dumps(item))
    (sample,) = lc.read(path, "stac-label")
    assert isinstance(sample.media, TiledImage)
    assert sample.media.bounds == (west, south, west + 4, south + 1)
    line = to_labelbox(path, tmp_path, {}, from_="stac-label")
    assert near((line["point"]["x"], line["point"]["y"]))


def test_labelbox_lines_and_exports_are_read(tmp_path: Path) -> None:
    x, y = there("EPSG:4326")
    line = {
        "uuid": "8b0e6f2a-52c7-5d0e-9a55-3f1d8f6f1c11",
        "dataRow": {"globalKey": "k"},
        "name": "a",
        "point": {"x": x, "y": y},
    }
    (tmp_path / "a.ndjson").write_text(json.dumps(line) + "\n")
    (sample,) = lc.read(tmp_path / "a.ndjson", "labelbox", options={"media": "tiled"})
    assert sample.annotations[0].value == Point(x, y)
    said = {"feature_id": "f", "name": "a", "geojson": {"type": "Point", "coordinates": [x, y]}}
    row = {
        "data_row": {"id": "r", "global_key": "k", "row_data": "https://example.org/k"},
        "media_attributes": {"mime_type": "image/png"},
        "projects": {"p": {"name": "P", "labels": [{"annotations": {"objects": [said]}}]}},
    }
    (tmp_path / "export.ndjson").write_text(json.dumps(row) + "\n")
    (sample,) = lc.read(tmp_path / "export.ndjson", "labelbox-export")
    assert sample.annotations[0].value == Point(x, y)


# ------------------------------------------------------------------------------- files out


@both_orders
def test_geojson_is_written_in_degrees_and_in_the_crs_asked_for(crs: str, tmp_path: Path) -> None:
    path = tmp_path / "a.geojson"
    for asked in (None, crs):
        lc.write(dataset(crs), path, "geojson", options={"crs": asked})
        (feature,) = json.loads(path.read_text())["features"]
        assert near(feature["geometry"]["coordinates"], asked or "EPSG:4326")


@both_orders
@pytest.mark.parametrize("driver", ["gpkg", "flatgeobuf", "geoparquet"])
def test_vector_files_are_written(crs: str, driver: str, tmp_path: Path) -> None:
    path = tmp_path / f"a.{driver}"
    lc.write(dataset("EPSG:4326"), path, "vector", options={"crs": crs, "driver": driver})
    if driver == "geoparquet":
        import pyarrow.parquet

        (geometry,) = pyarrow.parquet.read_table(path)["geometry"].to_pylist()
    else:
        (geometry,) = pyogrio.raw.read(path)[2]
    point = shapely.from_wkb(geometry)
    assert near((point.x, point.y), crs)


@both_orders
def test_labelbox_lines_are_written(crs: str, tmp_path: Path) -> None:
    path = tmp_path / "a.ndjson"
    x, y = there(crs)
    box = Box(x, y, x + 1e-4, y + 1e-5)
    shapes = (Point(x, y), Polyline(around(crs)), Polygon(((around(crs),),)), box)
    made = tuple(Annotation(str(n), "a", shape) for n, shape in enumerate(shapes))
    lc.write(Samples([Sample("k", TiledImage(crs), made)]), path, "labelbox")
    point, line, polygon, boxed = map(json.loads, path.read_text().splitlines())
    assert near((point["point"]["x"], point["point"]["y"]))
    assert near((line["line"][0]["x"], line["line"][0]["y"]))
    assert near(of_line(polygon))
    # A box turns a little on the way from some CRSs, and is a polygon then.
    corner = (boxed["bbox"]["left"], boxed["bbox"]["top"]) if "bbox" in boxed else of_line(boxed)
    assert list(corner) == pytest.approx((LONGITUDE, LATITUDE), abs=2e-4)
    if crs in ("EPSG:4326", "EPSG:4258"):
        assert boxed["bbox"]["width"] == pytest.approx(1e-4, rel=1e-6)
        assert boxed["bbox"]["height"] == pytest.approx(1e-5, rel=1e-6)


@both_orders
def test_native_files_are_written_and_read(crs: str, tmp_path: Path) -> None:
    path = tmp_path / "a.ndjson"
    lc.write(dataset(crs), path, "native")
    (sample,) = lc.read(path)
    point: Any = sample.annotations[0].value
    assert near((point.x, point.y), crs)


#: Formats that have shapes on maps, read or written: each has a test here.
TESTED = frozenset(
    ("geojson", "labelbox", "labelbox-export", "native", "spacenet", "stac-label", "vector", "xbd")
)


def test_no_format_with_maps_is_without_a_test_here() -> None:
    with_maps = set()
    for name in {point.name for point in entry_points(group="labelconv.formats")}:
        found = registry.get(name)
        if any(holds.media is TiledImage for holds in found.holds(found.writer_options())):
            with_maps.add(name)
    assert with_maps == TESTED


# ------------------------------------------------------------------------------- passes, rasters


@both_orders
def test_samples_are_moved_by_the_command_line(crs: str, tmp_path: Path) -> None:
    source = in_geojson(tmp_path, "EPSG:4326", "none")
    convert(source, tmp_path / "a.ndjson", to="native", crs=crs)
    (sample,) = lc.read(tmp_path / "a.ndjson")
    point: Any = sample.annotations[0].value
    assert near((point.x, point.y), crs)


def raster(folder: Path, crs: str) -> Path:
    """A GeoTIFF of 90 × 60 pixels, the place at column 30, row 20."""
    x, y = there(crs)
    size = 1e-5 if pyproj.CRS(crs).is_geographic else 1.0
    folder.mkdir()
    path = folder / "k.tif"
    placed = rasterio.transform.Affine(size, 0, x - 30 * size, 0, -size, y + 20 * size)
    with rasterio.open(
        path,
        "w",
        "GTiff",
        90,
        60,
        1,
        crs=rasterio.CRS.from_string(crs),
        transform=placed,
        dtype="uint8",
    ) as file:
        file.write(np.zeros((1, 60, 90), np.uint8))
    return path


@both_orders
def test_pixels_of_a_raster_go_to_degrees_and_degrees_to_its_pixels(
    crs: str, tmp_path: Path
) -> None:
    found = rasters.Rasters(raster(tmp_path / "rasters", crs).parent)
    pixels = Sample("k.tif", Image(90, 60), (Annotation("1", "a", Point(30, 20)),))
    (moved,) = reproject("EPSG:4326", rasters=found)(Samples([pixels]), Report())
    point: Any = moved.annotations[0].value
    assert near((point.x, point.y))
    (back,) = reproject("image", rasters=found)(Samples([moved]), Report())
    again: Any = back.annotations[0].value
    assert (again.x, again.y) == pytest.approx((30, 20), abs=1e-3)


@both_orders
def test_masks_go_to_the_map_and_back(crs: str, tmp_path: Path) -> None:
    placed = rasters.read(raster(tmp_path / "rasters", crs)).affine
    assert placed is not None
    runs = (30 * 60 + 20, 1, 90 * 60 - 30 * 60 - 21)  # columns first: column 30, row 20
    polygon = rasters.mask_polygon(Mask((60, 90), runs), placed)
    assert polygon is not None
    ring = polygon.parts[0][0]
    assert near((min(ring[::2]), max(ring[1::2])), crs)
    assert rasters.polygon_mask(polygon, placed, 60, 90) == Mask((60, 90), runs)


@both_orders
def test_windows_of_a_grid_and_of_rasters_have_what_lies_in_them(crs: str, tmp_path: Path) -> None:
    x, y = there(crs)
    size = 1e-5 if pyproj.CRS(crs).is_geographic else 1.0
    bounds = (x - 30 * size, y - 40 * size, x + 60 * size, y + 20 * size)
    sample = Sample("k", TiledImage(crs, bounds), (Annotation("1", "a", Point(x, y)),))
    cut = list(chips.chips((20 * size, 15 * size), empty=False)(Samples([sample]), Report()))
    # From the north-west: the second column and row.
    assert len(cut) == 1
    media: Any = cut[0].media
    assert media.bounds == pytest.approx(
        (x - 10 * size, y - 10 * size, x + 10 * size, y + 5 * size), abs=size / 100
    )
    found = rasters.Rasters(raster(tmp_path / "rasters", crs).parent)
    degrees = dataset("EPSG:4326")
    (here,) = chips.chips(found)(degrees, Report())
    point: Any = here.annotations[0].value
    assert near((point.x, point.y), crs)
    convert(
        in_geojson(tmp_path, "EPSG:4326", "none"),
        tmp_path / "a.ndjson",
        to="native",
        chips=str(tmp_path / "rasters"),
        crs="image",
        media=tmp_path / "rasters",
    )
    (sample,) = lc.read(tmp_path / "a.ndjson")
    pixel: Any = sample.annotations[0].value
    assert (pixel.x, pixel.y) == pytest.approx((30, 20), abs=1e-3)
