"""Samples moved between CRSs and to pixels: media and shapes together, all of it told."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pyproj
import pytest
import rasterio
import shapely
from hypothesis import given
from hypothesis import strategies as st
from rasterio.transform import Affine

from labelconv.crs.rasters import Rasters, mask_polygon, polygon_mask, read
from labelconv.errors import SourceError
from labelconv.masks import from_array
from labelconv.model import (
    Annotation,
    Box,
    Image,
    Keypoint,
    Keypoints,
    Mask,
    OrientedBox,
    Point,
    Polygon,
    Polyline,
    Sample,
    Samples,
    Text,
    TextSpan,
    TiledImage,
)
from labelconv.problems import Report
from labelconv.reproject import reproject

UTM = TiledImage(
    "EPSG:32616",
    (733601.0, 3724689.0, 734051.0, 3725139.0),
    (0.5, 0.0, 733601.0, 0.0, -0.5, 3725139.0),
    900.0,
    900.0,
)
LON_LAT = TiledImage()


def moved(target: str, media: Any, *values: Any, **options: Any) -> tuple[Sample | None, Report]:
    report = Report()
    given_sample = Sample(
        "a", media, tuple(Annotation(str(at), "roof", value) for at, value in enumerate(values))
    )
    report.ledger.annotations.read = len(values)
    found = list(reproject(target, **options)(Samples([given_sample]), report))
    return (found[0] if found else None), report


def values(sample: Sample | None) -> list[Any]:
    assert sample is not None
    return [annotation.value for annotation in sample.annotations]


def codes(report: Report) -> list[str]:
    return [problem.code for problem in report.problems]


def test_the_pixel_box_of_the_reference_is_a_quadrilateral_in_degrees() -> None:
    # source-formats.md D32: columns 100–150, rows 200–260.
    sample, report = moved("EPSG:4326", UTM, Box(733651, 3725009, 733676, 3725039))
    (polygon,) = values(sample)
    corners = set(zip(polygon.parts[0][0][::2], polygon.parts[0][0][1::2], strict=True))
    assert len(corners) == 4
    expected = [(-84.48078872968587, 33.639560807551064), (-84.48079660661047, 33.63929048644987)]
    for corner in expected:
        assert min(abs(complex(*corner) - complex(*each)) for each in corners) < 1e-11
    assert sample is not None
    assert sample.media.crs == "EPSG:4326"
    assert sample.media.affine is None
    assert codes(report) == ["L441"]


def test_a_box_grows_where_that_is_asked_and_the_growth_is_told_in_metres() -> None:
    sample, report = moved("EPSG:4326", UTM, Box(733651, 3725009, 733676, 3725039), boxes="grow")
    (box,) = values(sample)
    assert (box.x0, box.y0, box.x1, box.y1) == pytest.approx(
        (-84.48079660661047, 33.63928499577614, -84.48051940876933, 33.639560807551064), abs=1e-11
    )
    assert codes(report) == ["L443", "L441"]
    assert report.measures["L443"].unit == "m"
    assert report.measures["L443"].worst == pytest.approx(0.73, abs=0.01)


def test_a_box_stays_one_where_the_axes_stay_parallel() -> None:
    sample, report = moved("EPSG:3857", LON_LAT, Box(-99.2075, 19.398, -99.2057, 19.3993))
    assert isinstance(values(sample)[0], Box)
    assert codes(report) == ["L441"]


@given(
    x=st.floats(720_000, 740_000),
    y=st.floats(3_715_000, 3_730_000),
    sides=st.lists(st.tuples(st.floats(1, 60), st.floats(0, 6.28)), min_size=3, max_size=9),
)
def test_a_roof_goes_to_degrees_and_back(
    x: float, y: float, sides: list[tuple[float, float]]
) -> None:
    ring = tuple(n for r, a in sides for n in (x + r * float(np.cos(a)), y + r * float(np.sin(a))))
    there, _ = moved("EPSG:4326", TiledImage("EPSG:32616"), Polygon(((ring,),)))
    degrees = values(there)[0]
    direct = pyproj.Transformer.from_crs("EPSG:32616", "EPSG:4326", always_xy=True)
    judged = np.column_stack(direct.transform(ring[::2], ring[1::2])).ravel()
    assert degrees.parts[0][0] == pytest.approx(judged, abs=1e-9)
    back, _ = moved("EPSG:32616", TiledImage(), degrees)
    again, _ = moved("EPSG:4326", TiledImage("EPSG:32616"), *values(back))
    assert values(again)[0].parts[0][0] == pytest.approx(degrees.parts[0][0], abs=1e-7)
    assert values(back)[0].parts[0][0] == pytest.approx(ring, abs=1e-6)


@pytest.mark.parametrize("crs", ["EPSG:4258", "EPSG:31467", "EPSG:3035", "EPSG:25832", "EPSG:3857"])
def test_every_kind_of_shape_has_x_east_in_crss_of_both_official_orders(crs: str) -> None:
    # Near Göttingen: a shape that is twice as wide as high must stay so, and lie there.
    shapes = (
        Point(9.93, 51.53),
        Box(9.93, 51.53, 9.96, 51.54),
        OrientedBox(9.93, 51.53, 0.03, 0.01, 0),
        Polyline((9.93, 51.53, 9.96, 51.53)),
        Polygon((((9.93, 51.53, 9.96, 51.53, 9.96, 51.54, 9.93, 51.54),),)),
        Keypoints((Keypoint("a", 9.93, 51.53), Keypoint("b", 9.96, 51.53))),
    )
    direct = pyproj.Transformer.from_crs("EPSG:4326", crs, always_xy=True)
    there, _ = moved(crs, LON_LAT, *shapes)
    x, y = direct.transform(9.93, 51.53)
    assert (values(there)[0].x, values(there)[0].y) == pytest.approx((x, y), abs=1e-6)
    back, _ = moved("EPSG:4326", there.media, *values(there))  # type: ignore[union-attr]
    assert (values(back)[0].x, values(back)[0].y) == pytest.approx((9.93, 51.53), abs=1e-7)
    for value in values(back)[1:5]:
        bounds = shapely.geometry.shape(value.__geo_interface__).bounds
        assert bounds[2] - bounds[0] == pytest.approx(0.03, rel=0.2)
    skeleton = values(back)[5]
    assert skeleton.points[1].x - skeleton.points[0].x == pytest.approx(0.03, rel=1e-6)


def test_latitudes_that_web_mercator_has_not_are_clamped_and_are_a_loss() -> None:
    sample, report = moved(
        "EPSG:3857", LON_LAT, Point(10, 89.9999), Point(10, 90), Box(0, 80, 10, 90), Point(10, 85)
    )
    assert codes(report) == ["M232", "M232", "M232", "L441"]
    assert [str(problem.where.annotation) for problem in report.problems[:3]] == ["0", "1", "2"]
    edge = 20037508.342789244
    assert [values(sample)[at].y for at in (0, 1)] == pytest.approx([edge, edge], abs=1e-6)
    assert values(sample)[2].y1 == pytest.approx(edge, abs=1e-6)
    assert values(sample)[3].y < edge
    assert report.measures["M232"].worst == pytest.approx((90 - 85.0511287798066) * 111319.4908)
    assert report.refused(()) == {"M232": 3}


def test_a_polygon_around_a_pole_is_rejected_and_the_others_go_on() -> None:
    around = Polygon((((-1e6, -1e6, 1e6, -1e6, 1e6, 1e6, -1e6, 1e6),),))
    beside = Polygon((((1e6, 1e6, 1.01e6, 1e6, 1.01e6, 1.01e6),),))
    sample, report = moved("EPSG:4326", TiledImage("EPSG:3413"), around, beside)
    assert len(values(sample)) == 1
    assert codes(report)[0] == "M205"
    assert report.ledger.annotations.rejected == 1
    assert json.loads(report.take_rejected()[0].record)["id"] == "0"


def test_a_polygon_of_utm_zone_1_across_the_antimeridian_is_cut() -> None:
    ring = (120000.0, 1e6, 220000.0, 1e6, 220000.0, 1.1e6, 120000.0, 1.1e6)
    sample, report = moved(
        "EPSG:4326", TiledImage("EPSG:32601"), Polygon(((ring,),)), Polyline(ring[:4])
    )
    polygon, *lines = values(sample)
    assert len(polygon.parts) == 2
    assert shapely.geometry.shape(polygon.__geo_interface__).is_valid
    assert len(lines) == 2
    assert codes(report).count("M233") == 2
    # Both pieces of the line are counted.
    assert report.ledger.annotations.read == 3
    geod = pyproj.Geod(ellps="WGS84")
    area = sum(
        abs(geod.polygon_area_perimeter(part[0][::2], part[0][1::2])[0]) for part in polygon.parts
    )
    assert area == pytest.approx(1e10, rel=0.005)


def test_a_place_that_the_target_cannot_show_is_rejected() -> None:
    sample, report = moved("EPSG:3413", LON_LAT, Point(0, -90), Point(0, 80))
    assert len(values(sample)) == 1
    assert codes(report)[0] == "M231"
    assert report.ledger.annotations.rejected == 1


def test_samples_in_degrees_already_are_cut_and_checked_too() -> None:
    shapes = (Polygon((((179.0, 1.0, -179.0, 1.0, -179.0, 2.0),),)), Point(3.0, 91.0), Point(1, 2))
    sample, report = moved("EPSG:4326", LON_LAT, *shapes)
    assert codes(report) == ["M231", "M233"]
    assert [type(value).__name__ for value in values(sample)] == ["Polygon", "Point"]


def test_vertices_that_were_added_are_told() -> None:
    sample, report = moved(
        "EPSG:4326", UTM, Polygon((((733651, 3725009, 833651, 3725009, 833651, 3895009),),))
    )
    assert codes(report) == ["L441", "L442"]
    added = len(values(sample)[0].parts[0][0]) // 2 - 3
    assert added > 50
    assert f"{added} vertices" in report.problems[1].message


def test_a_mask_becomes_the_outline_of_its_pixels_on_the_map() -> None:
    pixels = np.zeros((900, 900), np.uint8)
    pixels[200:260, 100:150] = 1
    pixels[210:220, 110:120] = 0
    sample, report = moved("EPSG:32617", UTM, from_array(pixels))
    (polygon,) = values(sample)
    assert [len(part) for part in polygon.parts] == [2]
    back, _ = moved("EPSG:32616", sample.media, polygon)  # type: ignore[union-attr]
    outline = shapely.geometry.shape(values(back)[0].__geo_interface__)
    assert outline.bounds == pytest.approx((733651, 3725009, 733676, 3725039), abs=1e-3)
    assert outline.area == pytest.approx((60 * 50 - 100) * 0.25, rel=1e-4)
    assert codes(report)[0] == "L413"


def test_an_empty_mask_and_a_mask_without_an_affine_are_rejected() -> None:
    empty = Mask((900, 900), (900 * 900,))
    sample, report = moved("EPSG:4326", UTM, empty)
    assert values(sample) == []
    assert codes(report) == ["M205"]
    _, report = moved("EPSG:4326", TiledImage("EPSG:32616"), Mask((2, 2), (1, 3)))
    assert codes(report) == ["M205"]


@given(cells=st.lists(st.booleans(), min_size=30, max_size=30))
def test_masks_and_polygons_on_a_turned_map_are_the_same_pixels(cells: list[bool]) -> None:
    mask = from_array(np.array(cells, np.uint8).reshape(5, 6))
    affine = (0.4, 0.3, 100.0, 0.3, -0.4, 200.0)
    polygon = mask_polygon(mask, affine)
    if polygon is None:
        assert not any(cells)
        return
    assert polygon_mask(polygon, affine, 5, 6) == mask
    shape = shapely.geometry.shape(polygon.__geo_interface__)
    assert shape.area == pytest.approx(sum(cells) * 0.25)


def test_what_has_no_place_on_a_map_passes_untouched() -> None:
    for media, value in ((Image(5, 5), Point(1, 2)), (Text("abc"), TextSpan(0, 1))):
        sample, report = moved("EPSG:4326", media, value)
        assert values(sample) == [value]
        assert codes(report) == []


# -------------------------------------------------------------------------------- rasters


def _raster(
    path: Path, transform: Affine | None, crs: str | None = "EPSG:32616", **more: Any
) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", rasterio.errors.NotGeoreferencedWarning)
        _written(path, transform, crs, **more)


def _written(path: Path, transform: Affine | None, crs: str | None, **more: Any) -> None:
    options = {"transform": transform} if transform is not None else {}
    with rasterio.open(
        path, "w", driver="GTiff", width=90, height=60, count=1, dtype="uint8", crs=crs, **options
    ) as file:
        file.write(np.zeros((1, 60, 90), np.uint8))
        if "gcps" in more:
            file.gcps = more["gcps"], rasterio.crs.CRS.from_epsg(4326)
        if more.get("point"):
            file.update_tags(AREA_OR_POINT="Point")


AFFINES = {
    "straight": Affine(0.5, 0, 733601, 0, -0.5, 3725139),
    "turned": Affine(0.4, 0.3, 733601, 0.3, -0.4, 3725139),
    "south-up": Affine(0.5, 0, 733601, 0, 0.5, 3724689),
}


@pytest.mark.parametrize("name", AFFINES)
@pytest.mark.parametrize("target", ["EPSG:4326", "EPSG:32616", "EPSG:3857"])
def test_labels_in_pixels_go_to_the_map_and_back_on_every_affine(
    name: str, target: str, tmp_path: Path
) -> None:
    _raster(tmp_path / "a.tif", AFFINES[name])
    rasters = Rasters(tmp_path)
    ring = (10.0, 20.0, 50.25, 20.0, 50.25, 44.5)
    there, report = moved(target, Image(90, 60), Polygon(((ring,),)), rasters=rasters)
    assert codes(report) == ["L441"]
    assert there is not None
    assert isinstance(there.media, TiledImage)
    assert there.media.crs == target
    back, _ = moved("image", there.media, *values(there), rasters=rasters)
    assert back is not None
    assert back.media == Image(90.0, 60.0)
    assert values(back)[0].parts[0][0] == pytest.approx(ring, abs=1e-6)
    simple, _ = moved("pixel", there.media, *values(there), rasters=rasters)
    assert simple is not None
    assert simple.media == TiledImage("pixel", (0.0, 0.0, 90.0, 60.0), None, 90.0, 60.0)


def test_a_raster_that_means_centres_is_shifted_by_half_a_pixel(tmp_path: Path) -> None:
    # GDAL writes the tie point at the centre then, and reads it back as the corner.
    _raster(tmp_path / "point.tif", AFFINES["straight"], point=True)
    raster = read(tmp_path / "point.tif")
    assert raster.affine == (0.5, 0.0, 733601.0, 0.0, -0.5, 3725139.0)
    with rasterio.Env(GTIFF_POINT_GEO_IGNORE=True), rasterio.open(tmp_path / "point.tif") as file:
        assert file.transform[2] == 733601.25  # what the file itself says is half a pixel on


def test_rasters_placed_by_points_only_are_refused(tmp_path: Path) -> None:
    from rasterio.control import GroundControlPoint

    points = [GroundControlPoint(row, row, row / 10, row / 10) for row in (0, 10, 50)]
    _raster(tmp_path / "a.tif", None, crs=None, gcps=points)
    with pytest.raises(SourceError, match="ground control points"):
        read(tmp_path / "a.tif")
    sample, report = moved("EPSG:4326", Image(), Point(1, 2), rasters=Rasters(tmp_path))
    assert sample is None
    assert codes(report) == ["M231"]
    assert (report.ledger.samples.rejected, report.ledger.annotations.rejected) == (1, 1)


def test_rasters_without_a_place_and_addresses_are_refused(tmp_path: Path) -> None:
    _raster(tmp_path / "nowhere.tif", None, crs=None)
    assert read(tmp_path / "nowhere.tif").affine is None
    with pytest.raises(SourceError, match="affine"):
        read(tmp_path / "nowhere.tif").media  # noqa: B018
    (tmp_path / "text.tif").write_text("no picture")
    with pytest.raises(SourceError):
        read(tmp_path / "text.tif")
    for name in ("https://example.org/a.tif", "/vsicurl/https://example.org/a.tif"):
        with pytest.raises(SourceError, match="fetched"):
            read(name)


def test_a_raster_is_found_by_path_name_or_stem(tmp_path: Path) -> None:
    (tmp_path / "north").mkdir()
    _raster(tmp_path / "north" / "a.tif", AFFINES["straight"])
    rasters = Rasters(tmp_path)
    for name in ("north/a.tif", "a.tif", "a", "s3://bucket/else/a.tif", "a.jpg"):
        found = rasters.find(name)
        assert found is not None, name
        assert Path(found.path).name == "a.tif"
    assert rasters.find("b", None, "") is None
    assert [Path(raster.path).name for raster in rasters.all()] == ["a.tif"]
    sample, report = moved("EPSG:4326", Image(), Point(1, 2), rasters=Rasters(tmp_path / "north"))
    assert sample is not None
    assert codes(report) == ["L441"]


def test_pixels_of_tiled_imagery_without_a_raster_have_no_way_to_the_map() -> None:
    sample, report = moved("EPSG:4326", TiledImage("pixel"), Point(1, 2))
    assert sample is None
    assert codes(report) == ["M231"]
    sample, _ = moved("image", TiledImage("pixel", None, None, 9.0, 8.0), Point(1, 2))
    assert sample is not None
    assert sample.media == Image(9.0, 8.0)
