"""GeoJSON as others write it: QGIS, GeoServer, geojson.io, and files with latitude first."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import labelconv as lc
from labelconv.convert import convert
from labelconv.errors import SourceError
from labelconv.model import Point, Polygon, TiledImage

CRS84 = {"type": "name", "properties": {"name": "urn:ogc:def:crs:OGC:1.3:CRS84"}}


def point(x: float, y: float, **properties: Any) -> dict[str, Any]:
    geometry = {"type": "Point", "coordinates": [x, y]}
    return {"type": "Feature", "geometry": geometry, "properties": properties}


def collection(path: Path, *features: dict[str, Any], **after: Any) -> Path:
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features, **after}))
    return path


def fields(path: Path, **options: Any) -> dict[str, int]:
    """The fields that a conversion to Labelbox leaves out."""
    report = convert(path, path.with_suffix(".ndjson"), to="labelbox", reader_options=options)
    return dict(report.fields)


def test_qgis_has_the_bounds_before_the_features_and_only_they_are_left_out(tmp_path: Path) -> None:
    path = tmp_path / "a.geojson"
    members = {"name": "roofs", "crs": CRS84, "bbox": [1.0, 2.0, 3.0, 4.0]}
    features = [point(1, 2, label="roof", fid=1)]
    path.write_text(json.dumps({"type": "FeatureCollection", **members, "features": features}))
    (sample,) = list(lc.read(path))
    assert sample.media == TiledImage("EPSG:4326")
    assert fields(path) == {"geojson:bbox": 1, "geojson:fid": 1, "geojson:name": 1}


@pytest.mark.parametrize("count", [0, 1, 3])
def test_members_after_the_features_are_counted_and_go_through(count: int, tmp_path: Path) -> None:
    features = [point(1, n, label="roof", tags=["a", "b"]) for n in range(count)]
    said = {"totalFeatures": count, "links": [{"rel": "self"}], "numberReturned": count}
    path = collection(tmp_path / "a.geojson", *features, **said)
    left = {f"geojson:{name}": 1 for name in said}
    assert fields(path) == (left | {"geojson:tags": count} if count else left)
    convert(path, tmp_path / "b.geojson")
    found = json.loads((tmp_path / "b.geojson").read_text())
    assert {name: found[name] for name in said} == said


def test_a_class_that_only_the_last_feature_names_is_found(tmp_path: Path) -> None:
    path = collection(tmp_path / "a.geojson", point(1, 2), point(3, 4, stroke="#555", label="roof"))
    dataset = lc.read(path)
    assert [a.category for s in dataset for a in s.annotations] == ["feature", "roof"]


def test_the_class_is_found_in_capitals_and_small_letters_come_first(tmp_path: Path) -> None:
    path = tmp_path / "a.geojson"
    collection(path, point(1, 2, OBJECTID=7, CLASS="roof"))
    assert [a.category for s in lc.read(path) for a in s.annotations] == ["roof"]
    collection(path, point(1, 2, CLASS="A1", Class="A2", **{"class": "roof"}))
    dataset = lc.read(path)
    assert [a.category for s in dataset for a in s.annotations] == ["roof"]
    (told,) = [problem for problem in dataset.report.problems if problem.code == "R113"]
    assert "Class, CLASS" in told.message


@pytest.mark.parametrize("unsure", ["0.7", 70, True, [0.5]])
@pytest.mark.parametrize("text", ["", "*"])
def test_a_confidence_that_is_none_is_counted_or_kept(
    unsure: Any, text: str, tmp_path: Path
) -> None:
    path = collection(
        tmp_path / "a.geojson",
        point(1, 2, label="a", confidence=0.5),
        point(1, 2, label="a", confidence=unsure),
        point(1, 2, label="a", confidence=None),
    )
    assert fields(path, text=text) == {"geojson:confidence": 1}
    (sample,) = list(lc.read(path, options={"text": text}))
    assert [a.confidence for a in sample.annotations] == [0.5, None, None]
    left = [a.extra.get("geojson:confidence") for a in sample.annotations]
    assert left == [None, unsure, None]


def test_a_confidence_of_polygons_in_metres_is_counted_too(tmp_path: Path) -> None:
    # They go another, quicker way.
    ring = [[0, 0], [9, 0], [9, 9], [0, 0]]
    roof = point(0, 0, label="a", confidence=70)
    roof["geometry"] = {"type": "Polygon", "coordinates": [ring]}
    path = collection(tmp_path / "a.geojson", roof, roof)
    assert fields(path, source_crs="EPSG:32616") == {"geojson:confidence": 2}


def test_latitude_first_is_said_where_it_shows_and_read_where_it_is_asked_for(
    tmp_path: Path,
) -> None:
    ring = [[37.7, -122.4], [37.8, -122.4], [37.8, -122.3], [37.7, -122.4]]
    roof = point(37.75, -122.35, label="a")
    area = roof | {"geometry": {"type": "Polygon", "coordinates": [ring]}}
    path = collection(tmp_path / "a.geojson", roof, area)
    with pytest.raises(SourceError, match="axes=yx"):
        list(lc.read(path))
    named = lc.read(path, options={"source_crs": "EPSG:4326"})
    assert next(iter(named)).annotations == ()
    rejected = [problem for problem in named.report.problems if problem.code == "M231"]
    assert all("axes=yx" in problem.message for problem in rejected)
    assert len(rejected) == 2
    (sample,) = list(lc.read(path, options={"axes": "yx"}))
    assert [a.value for a in sample.annotations] == [
        Point(-122.35, 37.75),
        Polygon((((-122.4, 37.7, -122.4, 37.8, -122.3, 37.8),),)),
    ]


def test_northing_first_is_read_in_metres(tmp_path: Path) -> None:
    ring = [[5500000, 400000], [5500009, 400000], [5500009, 400009], [5500000, 400000]]
    roof = point(0, 0, label="a") | {"geometry": {"type": "Polygon", "coordinates": [ring]}}
    path = collection(tmp_path / "a.geojson", roof)
    options = {"axes": "yx", "source_crs": "EPSG:32633"}
    dataset = lc.read(path, options=options)
    (sample,) = list(dataset)
    assert sample.annotations[0].value == Polygon(
        (((400000, 5500000, 400000, 5500009, 400009, 5500009),),)
    )
    # They lie where the CRS is used; the other way round that is noted.
    assert dataset.report.counts == {"R113": 1}
    swapped = lc.read(path, options={"source_crs": "EPSG:32633"})
    assert len(list(swapped)) == 1
    assert swapped.report.counts == {"R113": 2}


@pytest.mark.parametrize("how", ["media not held", "no raster", "key respelled"])
def test_a_sample_in_pieces_is_counted_once_whatever_becomes_of_it(
    how: str, tmp_path: Path
) -> None:
    # So many features come in several windows, each a piece of the sample.
    features = [point(1, 2, label="roof", image="/a b.tif") for _ in range(3_000)]
    path = collection(tmp_path / "a.geojson", *features)
    crs = None
    if how == "media not held":
        target, to = tmp_path / "out.json", "coco"
    elif how == "no raster":
        (tmp_path / "rasters").mkdir()
        (tmp_path / "rasters" / "other.tif").touch()
        target, to, crs = tmp_path / "out.ndjson", "labelbox", "pixel"
    else:
        target, to = tmp_path / "out.gpkg", "vector"
    report = convert(
        path,
        target,
        to=to,
        crs=crs,
        media=tmp_path / "rasters" if crs else None,
        reader_options={"sample_key": "image"},
        allow=("loss",),
    )
    samples, annotations = report.ledger.samples, report.ledger.annotations
    decided = (samples.kept, samples.changed, samples.lost, samples.rejected)
    expected = {"media not held": (0, 0, 1, 0), "no raster": (0, 0, 0, 1)}
    assert decided == expected.get(how, (0, 1, 0, 0))
    assert (samples.read, annotations.read) == (1, 3_000)
    assert report.ledger.balanced
    code = {"media not held": "L409", "key respelled": "K606"}.get(how)
    assert code is None or report.counts[code] == 1
