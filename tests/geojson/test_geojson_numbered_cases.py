"""The map cases of the references with their numbers: source-formats.md D31–33, peers.md 25."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio

import labelconv as lc
from labelconv.convert import convert
from labelconv.crs import tiling
from labelconv.errors import SourceError
from labelconv.model import Annotation, Box, Sample, Samples, TiledImage
from labelconv.problems import Report

WEST, SOUTH = -99.20746564865112, 19.39799442829336
EAST, NORTH = -99.20568466186523, 19.39925939999194


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def to_labelbox(source: Path, target: Path, **options: Any) -> tuple[list[dict[str, Any]], Report]:
    report = convert(source, target, to="labelbox", reader_options=options, allow=("loss",))
    return lines(target), report


def collection(path: Path, *geometries: Any, **members: Any) -> Path:
    features = [
        {"type": "Feature", "geometry": each, "properties": {"class": "roof"}}
        for each in geometries
    ]
    path.write_text(json.dumps({"type": "FeatureCollection", **members, "features": features}))
    return path


def test_d31_a_rectangle_is_a_box_from_its_minimum_latitude(tmp_path: Path) -> None:
    sample = Sample("s", TiledImage(), (Annotation("1", "roof", Box(WEST, SOUTH, EAST, NORTH)),))
    target = tmp_path / "a.ndjson"
    lc.write(Samples([sample]), target, "labelbox")
    (line,) = lines(target)
    assert line["bbox"] == {
        "top": 19.39799442829336,
        "left": -99.20746564865112,
        "height": pytest.approx(0.0012649716985819737, abs=1e-15),
        "width": pytest.approx(0.0017809867858886719, abs=1e-15),
    }


def test_d32_a_vertex_of_utm_16_north_comes_out_in_degrees(tmp_path: Path) -> None:
    ring = [[736687.5456353347, 3722455.0678027896], [736697.0, 3722455.0], [736697.0, 3722465.0]]
    crs = {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::32616"}}
    source = collection(
        tmp_path / "a.geojson", {"type": "Polygon", "coordinates": [[*ring, ring[0]]]}, crs=crs
    )
    (line,), report = to_labelbox(source, tmp_path / "a.ndjson")
    first = line["polygon"][0]
    assert (first["x"], first["y"]) == pytest.approx((-84.4487639, 33.6156071), abs=1e-7)
    assert report.ledger.annotations.changed == 1
    assert report.counts["L441"] == 1


def test_d33_winding_holes_parts_nulls_and_heights(tmp_path: Path) -> None:
    shell = [[0, 0], [0, 4], [4, 4], [4, 0], [0, 0]]  # clockwise
    hole = [[1, 1], [2, 1], [2, 2], [1, 1]]
    far = [[10, 10], [12, 10], [12, 12], [10, 10]]
    geometries = (
        {"type": "Polygon", "coordinates": [shell, hole]},
        {
            "type": "MultiPolygon",
            "coordinates": [[shell], [far]],
        },
        None,
        {"type": "Point", "coordinates": [5, 6, 7.5]},
    )
    found, report = to_labelbox(collection(tmp_path / "a.geojson", *geometries), tmp_path / "a")
    kinds = [next(kind for kind in ("polygon", "point") if kind in line) for line in found]
    assert kinds == ["polygon", "polygon", "polygon", "point"]
    assert len(found[0]["polygon"]) in (4, 5)  # the shell alone
    assert report.counts["L403"] == 1
    assert report.counts["L411"] == 1
    assert report.counts["R143"] == 1
    assert report.fields["geojson:z (of positions)"] == 1
    assert (found[3]["point"]["x"], found[3]["point"]["y"]) == (5, 6)


def test_d33_a_stream_with_separators_is_one_of_lines(tmp_path: Path) -> None:
    texts = [
        json.dumps(
            {
                "type": "Feature",
                "geometry": {"type": "Point", "coordinates": [n, 2]},
                "properties": {"class": "a"},
            }
        )
        for n in range(3)
    ]
    (tmp_path / "a.geojsons").write_text("".join(f"\x1e{text}\n" for text in texts))
    (tmp_path / "a.geojsonl").write_text("".join(f"{text}\n" for text in texts))
    separated, plain = (list(lc.read(tmp_path / f"a.geojson{end}")) for end in ("s", "l"))
    assert separated[0].annotations == plain[0].annotations
    assert len(plain[0].annotations) == 3


def test_d33_no_crs_and_x_of_minus_658589_is_refused(tmp_path: Path) -> None:
    source = collection(tmp_path / "a.geojson", {"type": "Point", "coordinates": [-658589, 20]})
    with pytest.raises(SourceError, match="-658589"):
        list(lc.read(source))


def test_d33_row_36369_of_tms_is_row_29166_of_xyz() -> None:
    assert tiling.flipped(36369, 16) == 29166


def test_peers_25_latitude_90_and_longitude_180_are_allowed(tmp_path: Path) -> None:
    # The SDK's check, int(latitude) in range(-90, 90), refuses them.
    source = collection(
        tmp_path / "a.geojson",
        {"type": "Point", "coordinates": [180, 90]},
        {"type": "Point", "coordinates": [-180, -90]},
    )
    found, report = to_labelbox(source, tmp_path / "a.ndjson")
    assert [(line["point"]["x"], line["point"]["y"]) for line in found] == [(180, 90), (-180, -90)]
    assert report.ledger.annotations.kept == 2


def test_peers_25_web_mercator_and_its_old_number_are_read(tmp_path: Path) -> None:
    for name in ("EPSG:3857", "urn:ogc:def:crs:EPSG::900913"):
        crs = {"type": "name", "properties": {"name": name}}
        point = {"type": "Point", "coordinates": [-9400793.395469384, 3977303.4988607103]}
        source = collection(tmp_path / "a.geojson", point, crs=crs)
        (line,), _ = to_labelbox(source, tmp_path / "a.ndjson")
        place = line["point"]["x"], line["point"]["y"]
        assert place == pytest.approx((-84.4487639, 33.6156071), abs=1e-7)


def test_peers_25_a_shape_across_the_antimeridian_becomes_two_lines(tmp_path: Path) -> None:
    ring = [[179, 1], [-179, 1], [-179, 2], [179, 2], [179, 1]]
    source = collection(tmp_path / "a.geojson", {"type": "Polygon", "coordinates": [ring]})
    found, report = to_labelbox(source, tmp_path / "a.ndjson")
    assert len(found) == 2
    assert report.counts["M233"] == 1
    longitudes = [place["x"] for line in found for place in line["polygon"]]
    assert {abs(x) for x in longitudes} == {179.0, 180.0}


def test_a_collection_of_geometries_is_one_group(tmp_path: Path) -> None:
    members = [{"type": "Point", "coordinates": [1, 2]}, {"type": "Point", "coordinates": [3, 4]}]
    source = collection(
        tmp_path / "a.geojson", {"type": "GeometryCollection", "geometries": members}
    )
    (sample,) = list(lc.read(source))
    groups = {annotation.extra["geojson:group"] for annotation in sample.annotations}
    assert groups == {"0"}
    assert len(sample.annotations) == 2


def test_peers_25_features_outside_a_raster_are_left_out_and_counted(tmp_path: Path) -> None:
    rasters = tmp_path / "rasters"
    rasters.mkdir()
    with rasterio.open(
        rasters / "a.tif",
        "w",
        "GTiff",
        90,
        60,
        1,
        crs="EPSG:32616",
        transform=rasterio.transform.Affine(0.5, 0, 733600, 0, -0.5, 3725100),
        dtype="uint8",
    ) as file:
        file.write(np.zeros((1, 60, 90), np.uint8))
    inside = [[733605, 3725090], [733615, 3725090], [733615, 3725095], [733605, 3725090]]
    partly = [[733640, 3725090], [733650, 3725090], [733650, 3725095], [733640, 3725095]]
    beyond = [[x + 500, y] for x, y in inside]
    polygons = [{"type": "Polygon", "coordinates": [ring]} for ring in (inside, partly, beyond)]
    crs = {"type": "name", "properties": {"name": "EPSG:32616"}}
    source = collection(tmp_path / "a.geojson", *polygons, crs=crs)
    report = convert(
        source,
        tmp_path / "a.ndjson",
        to="native",
        chips=str(rasters),
        crs="image",
        media=rasters,
    )
    (sample,) = lc.read(tmp_path / "a.ndjson")
    shapes: list[Any] = [annotation.value for annotation in sample.annotations]
    rings = [shape.parts[0][0] for shape in shapes]
    first, second = (np.array(sorted(zip(r[::2], r[1::2], strict=True))) for r in rings)
    assert first == pytest.approx(np.array([(10, 20), (30, 10), (30, 20)]))
    assert second == pytest.approx(np.array([(80, 10), (80, 20), (90, 10), (90, 20)]))
    assert report.ledger.annotations.skipped == 1
    assert report.counts["R143"] == 1
    assert report.ledger.balanced
