"""GeoJSON: what is written is valid for others, what is read is in x, y."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyogrio
import pyproj
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

import labelconv as lc
from labelconv import registry, testing
from labelconv.convert import convert
from labelconv.crs.names import CrsError
from labelconv.errors import OptionError, SourceError
from labelconv.format import Wanted
from labelconv.formats.geojson import FORMAT
from labelconv.formats.geojson.options import GeojsonReaderOptions, GeojsonWriterOptions
from labelconv.io import Source
from labelconv.model import (
    Annotation,
    Box,
    Point,
    Polygon,
    Polyline,
    Sample,
    Samples,
    TiledImage,
)
from labelconv.problems import Report
from labelconv.reading import read_sources

RFC = {"type", "id", "geometry", "properties"}


def collection(*features: dict[str, Any], **members: Any) -> str:
    return json.dumps({"type": "FeatureCollection", **members, "features": list(features)})


def feature(geometry: dict[str, Any] | None, **properties: Any) -> dict[str, Any]:
    return {"type": "Feature", "geometry": geometry, "properties": properties}


def point(x: float, y: float, **properties: Any) -> dict[str, Any]:
    return feature({"type": "Point", "coordinates": [x, y]}, **properties)


def square(x: float, y: float, size: float = 1.0, **properties: Any) -> dict[str, Any]:
    ring = [[x, y], [x + size, y], [x + size, y + size], [x, y + size], [x, y]]
    return feature({"type": "Polygon", "coordinates": [ring]}, **properties)


def read(path: Path, **options: Any) -> list[Sample]:
    return list(lc.read(path, "geojson", options=options))


def written(path: Path, *samples: Sample, **options: Any) -> dict[str, Any]:
    lc.write(Samples(samples), path, "geojson", options=options, allow=("loss",))
    found: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return found


# ------------------------------------------------------------------------------- judges


@given(dataset=testing.datasets(FORMAT.holds_of(TiledImage, GeojsonWriterOptions())))  # type: ignore[arg-type]
def test_what_is_written_follows_rfc_7946(
    dataset: Samples, tmp_path_factory: pytest.TempPathFactory
) -> None:
    target = tmp_path_factory.mktemp("rfc") / "a.geojson"
    found = written(target, *dataset)
    assert "crs" not in found
    for each in found["features"]:
        assert set(each) <= RFC
        assert each["type"] == "Feature"
        if each["geometry"] is None:
            continue
        kind, coordinates = each["geometry"]["type"], each["geometry"]["coordinates"]
        parts = {"Polygon": [coordinates], "MultiPolygon": coordinates}.get(kind, [])
        for part in parts:
            for number, ring in enumerate(part):
                assert ring[0] == ring[-1]
                assert len(ring) >= 4
                area = shapely.LinearRing(ring)
                if shapely.Polygon(ring).area and area.is_simple:
                    assert area.is_ccw == (number == 0)


def test_gdal_reads_what_is_written_place_by_place(tmp_path: Path) -> None:
    holed = Polygon(
        (
            ((0.0, 0.0, 0.0, 4.0, 4.0, 4.0, 4.0, 0.0), (1.0, 1.0, 2.0, 1.0, 2.0, 2.0)),
            ((10.0, 10.0, 12.0, 10.0, 12.0, 12.0),),
        )
    )
    shapes = (holed, Polyline((1.0, 2.0, 3.0, 4.0)), Point(-84.5, 33.6))
    annotations = tuple(Annotation(str(at), "roof", each) for at, each in enumerate(shapes))
    written(tmp_path / "a.geojson", Sample("s", TiledImage(), annotations))
    meta, _, geometries, fields = pyogrio.raw.read(tmp_path / "a.geojson")
    assert meta["crs"] == "EPSG:4326"
    judged = shapely.from_wkb(geometries)
    assert judged[0].area == pytest.approx(16 - 0.5 + 2)
    assert all(shapely.is_valid(judged))
    assert judged[0].geoms[0].exterior.is_ccw
    assert judged[1].equals(shapely.LineString([(1, 2), (3, 4)]))
    assert (judged[2].x, judged[2].y) == (-84.5, 33.6)
    assert list(fields[list(meta["fields"]).index("class")]) == ["roof"] * 3


def test_gdal_knows_the_crs_that_the_member_of_2008_names(tmp_path: Path) -> None:
    place = Annotation("1", "roof", Point(-84.4487639, 33.6156071))
    sample = Sample("s", TiledImage(), (place,))
    found = written(tmp_path / "a.geojson", sample, crs="EPSG:32616")
    assert found["crs"]["properties"]["name"] == "urn:ogc:def:crs:EPSG::32616"
    meta, _, geometries, _ = pyogrio.raw.read(tmp_path / "a.geojson")
    assert meta["crs"] == "EPSG:32616"
    utm = shapely.from_wkb(geometries)[0]
    assert (utm.x, utm.y) == pytest.approx((736687.5456, 3722455.0678), abs=0.01)
    back = read(tmp_path / "a.geojson")[0]
    assert back.media == TiledImage("EPSG:32616")


def test_gdal_reads_our_sequences_and_we_read_gdals(tmp_path: Path) -> None:
    sample = Sample("s", TiledImage(), tuple(Annotation(str(n), "a", Point(n, 2)) for n in (1, 2)))
    for form, ending in (("lines", "geojsonl"), ("rs", "geojsons")):
        path = tmp_path / f"a.{ending}"
        lc.write(Samples([sample]), path, "geojson", options={"form": form})
        assert path.read_bytes().startswith(b"\x1e" if form == "rs" else b"{")
        _, _, geometries, _ = pyogrio.raw.read(path)
        assert [each.x for each in shapely.from_wkb(geometries)] == [1, 2]
        again = read(path, sample_key="sample")
        assert [value.value for value in again[0].annotations] == [Point(1, 2), Point(2, 2)]
    for driver, name, options in (
        ("GeoJSONSeq", "gdal.geojsonl", {}),
        ("GeoJSONSeq", "gdal.geojsons", {"RS": "YES"}),
        ("GeoJSON", "gdal.geojson", {"RFC7946": "YES"}),
    ):
        path = tmp_path / name
        pyogrio.raw.write(
            path,
            geometry=shapely.to_wkb(np.array([shapely.Point(5, 6), shapely.box(1, 2, 3, 4)])),
            field_data=[np.array(["a", "b"], dtype=object)],
            fields=["class"],
            geometry_type="Unknown",
            crs="EPSG:4326",
            driver=driver,
            layer_options=options,
        )
        (found,) = read(path)
        assert [annotation.category for annotation in found.annotations] == ["a", "b"]
        assert found.annotations[0].value == Point(5, 6)


# ------------------------------------------------------------------------------- axis order

NORTH_FIRST = ("EPSG:4326", "EPSG:4258", "EPSG:3035", "EPSG:2180")
EAST_FIRST = ("EPSG:32633", "EPSG:3857")


@pytest.mark.parametrize("crs", NORTH_FIRST + EAST_FIRST)
@pytest.mark.parametrize("how", ["option", "member", "urn"])
def test_x_stays_east_however_the_crs_is_named(crs: str, how: str, tmp_path: Path) -> None:
    longitude, latitude = 16.0, 52.0
    to = pyproj.Transformer.from_crs("EPSG:4326", crs, always_xy=True)
    x, y = to.transform(longitude, latitude)
    name = crs if how == "member" else f"urn:ogc:def:crs:EPSG::{crs[5:]}"
    members = {} if how == "option" else {"crs": {"type": "name", "properties": {"name": name}}}
    source = tmp_path / "a.geojson"
    source.write_text(collection(point(x, y, **{"class": "a"}), **members))
    options = {"source_crs": crs} if how == "option" else {}
    target = tmp_path / "b.geojson"
    convert(source, target, from_="geojson", reader_options=options)
    found = json.loads(target.read_text())["features"][0]["geometry"]["coordinates"]
    assert found == pytest.approx([longitude, latitude], abs=1e-7)
    third = tmp_path / "c.geojson"
    convert(target, third, writer_options={"crs": crs})
    again = json.loads(third.read_text())["features"][0]["geometry"]["coordinates"]
    assert again == pytest.approx([x, y], abs=1e-3)
    moved = tmp_path / "d.ndjson"
    convert(target, moved, to="native", crs=crs)
    value = next(iter(lc.read(moved))).annotations[0].value
    assert (value.x, value.y) == pytest.approx((x, y), abs=1e-3)  # type: ignore[union-attr]


# ------------------------------------------------------------------------------- reading


def test_coordinates_that_cannot_be_degrees_are_refused_with_what_to_pass(tmp_path: Path) -> None:
    source = tmp_path / "a.geojson"
    source.write_text(collection(point(-658589, 3722455)))
    with pytest.raises(SourceError, match=r"source_crs=EPSG") as raised:
        read(source)
    assert "space=pixel" in str(raised.value)
    source.write_text(collection(point(181, 20)))
    with pytest.raises(SourceError, match="EPSG:4326"):
        read(source)
    (found,) = read(source, source_crs="EPSG:4326")
    assert found.annotations[0].value == Point(-179, 20)


def test_an_option_wins_over_the_member_and_the_member_over_degrees(tmp_path: Path) -> None:
    member = {"type": "name", "properties": {"name": "EPSG:32616"}}
    source = tmp_path / "a.geojson"
    source.write_text(collection(point(500000, 3722455), crs=member))
    assert read(source)[0].media == TiledImage("EPSG:32616")
    assert read(source, source_crs="EPSG:32617")[0].media == TiledImage("EPSG:32617")
    source.write_text(collection(point(5, 37), crs=None))
    assert read(source)[0].media == TiledImage("EPSG:4326")


@pytest.mark.parametrize(
    "crs", [{"type": "link", "properties": {"href": "https://x"}}, {"type": "name"}, 4326]
)
def test_a_crs_member_that_names_none_is_refused(crs: Any, tmp_path: Path) -> None:
    source = tmp_path / "a.geojson"
    source.write_text(collection(point(5, 37), crs=crs))
    with pytest.raises(SourceError, match="source_crs"):
        read(source)
    with pytest.raises(CrsError):
        read(source, source_crs="EPSG:nothing")


def test_the_class_is_found_and_said_or_taken_from_the_option(tmp_path: Path) -> None:
    source = tmp_path / "a.geojson"
    source.write_text(collection(point(1, 2, type_id=73, building="yes")))
    dataset = lc.read(source)
    assert [a.category for sample in dataset for a in sample.annotations] == ["73"]
    assert "R113" in dataset.report.counts
    (found,) = read(source, class_key="building")
    assert found.annotations[0].category == "yes"
    (found,) = read(source, class_key="absent", unnamed="thing")
    assert found.annotations[0].category == "thing"


def test_properties_become_answers_where_that_is_asked(tmp_path: Path) -> None:
    source = tmp_path / "a.geojson"
    source.write_text(collection(point(1, 2, label="roof", form="flat", year=1990, gone=None)))
    (found,) = read(source, radio="*")
    asked = {each.name: each.answer.name for each in found.annotations[0].classifications}  # type: ignore[union-attr]
    assert asked == {"form": "flat", "year": "1990"}
    (found,) = read(source)
    assert found.annotations[0].extra == {
        "geojson:form": "flat",
        "geojson:year": 1990,
        "geojson:gone": None,
    }


def test_a_sequence_with_options_gives_back_what_was_written(tmp_path: Path) -> None:
    options = GeojsonWriterOptions(form="lines")
    holds = FORMAT.holds_of(TiledImage, options)
    assert holds is not None
    sample = Sample("s", TiledImage(), (Annotation("7", "a", Point(1, 2)),))
    testing.check_laws(
        FORMAT,
        Samples([sample]),
        tmp_path,
        options=options,
        reader_options=GeojsonReaderOptions(sample_key="sample", class_key="class"),
    )


@pytest.mark.parametrize("name", ["urn:ogc:def:crs:EPSG::" + "9" * 5_000, "EPSG:5773", "EPSG:4978"])
def test_a_crs_that_is_of_no_map_is_refused(name: str, tmp_path: Path) -> None:
    path = tmp_path / "a.geojson"
    crs = {"type": "name", "properties": {"name": name}}
    path.write_text(collection(square(0, 0), crs=crs))
    with pytest.raises((CrsError, SourceError)):
        read(path)


@pytest.mark.parametrize("member", [b'"note":"\x88"', b'"labelconv":["\x88"]', b'"note":[1e999]'])
def test_a_member_that_is_no_json_is_named(member: bytes, tmp_path: Path) -> None:
    path = tmp_path / "a.geojson"
    text = collection(square(0, 0)).encode()
    path.write_bytes(text.replace(b'"features"', member + b',"features"'))
    name = member.split(b'"')[1].decode()
    with pytest.raises(SourceError, match=f"member {name}"):
        read(path)


@pytest.mark.parametrize("northing", [12_345_678_901.0, 1e30, 1e300])
def test_an_edge_many_times_around_the_world_is_rejected_alone_and_soon(
    northing: float, tmp_path: Path
) -> None:
    ring = [[736687.5, northing], [736697, 3722455], [736697, 3722465], [736687.5, northing]]
    wrong = feature({"type": "Polygon", "coordinates": [ring]})
    path, target = tmp_path / "a.geojson", tmp_path / "out.ndjson"
    crs = {"type": "name", "properties": {"name": "EPSG:32616"}}
    path.write_text(collection(square(736690, 3722450), wrong, crs=crs))
    began = time.process_time()
    report = convert(path, target, from_="geojson", to="labelbox")
    assert time.process_time() - began < 2  # it was 22 seconds, and gigabytes
    assert report.ledger.annotations.rejected == report.counts["M231"] == 1
    assert target.read_bytes().count(b"\n") == 1


def test_a_sequence_in_another_crs_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OptionError):
        lc.write(
            Samples([]), tmp_path / "a", "geojson", options={"form": "lines", "crs": "EPSG:32616"}
        )


def test_digits_are_as_many_as_asked(tmp_path: Path) -> None:
    sample = Sample("s", TiledImage(), (Annotation("7", "a", Point(1.123456789, 2.98765)),))
    found = written(tmp_path / "a.geojson", sample, digits=3)
    assert found["features"][0]["geometry"]["coordinates"] == [1.123, 2.988]


def test_own_members_and_properties_go_through(tmp_path: Path) -> None:
    source = tmp_path / "a.geojson"
    source.write_text(collection(point(1, 2, label="roof", height=3.5), name="layer"))
    found = json.loads(_converted(source, tmp_path / "b.geojson"))
    assert found["name"] == "layer"
    assert found["features"][0]["properties"]["height"] == 3.5


def _converted(source: Path, target: Path) -> str:
    convert(source, target)
    return target.read_text("utf-8")


def test_boxes_are_polygons_and_shapes_past_180_are_cut_when_written(tmp_path: Path) -> None:
    annotations = (
        Annotation("1", "a", Box(179, 1, 181, 2)),
        Annotation("2", "a", Polygon((((179.0, 1.0, -179.0, 1.0, -179.0, 2.0, 179.0, 2.0),),))),
        Annotation("3", "a", Point(5, 95)),
    )
    report = lc.write(
        Samples([Sample("s", TiledImage(), annotations)]),
        tmp_path / "a.geojson",
        "geojson",
        allow=("loss",),
    )
    found = json.loads((tmp_path / "a.geojson").read_text())["features"]
    assert [each["geometry"]["type"] for each in found] == ["MultiPolygon", "MultiPolygon"]
    assert report.counts["M233"] == 2
    assert report.counts["M231"] == 1
    assert report.ledger.balanced


# ------------------------------------------------------------------------------- samples


def test_samples_in_any_order_are_put_together_or_come_in_pieces(tmp_path: Path) -> None:
    source = tmp_path / "a.geojson"
    features = [point(n % 90, 2, label="a", image=f"{n % 7}.tif") for n in range(5000)]
    source.write_text(collection(*features))
    whole = read(source, sample_key="image")
    assert [sample.key for sample in whole] == [f"{n}.tif" for n in range(7)]
    pieces = read_sources(
        [Source(source)],
        "geojson",
        {"sample_key": "image"},
        None,
        None,
        Report(),
        Wanted(pieces=True),
    )
    gathered: dict[str, list[Annotation]] = {}
    for sample in pieces:
        gathered.setdefault(sample.key, []).extend(sample.annotations)
    assert {sample.key: list(sample.annotations) for sample in whole} == gathered
    assert [annotation.id for annotation in whole[0].annotations[:3]] == ["0", "7", "14"]


def test_a_large_file_comes_in_pieces_and_is_counted_once(tmp_path: Path) -> None:
    source = tmp_path / "a.geojson"
    source.write_text(collection(*(square(n % 80, 3, label="roof") for n in range(4000))))
    report = Report()
    pieces = list(
        read_sources([Source(source)], "geojson", None, None, None, report, Wanted(pieces=True))
    )
    assert len(pieces) > 1
    assert {piece.key for piece in pieces} == {"a.geojson"}
    assert (report.ledger.samples.read, report.ledger.annotations.read) == (1, 4000)
    ids = [annotation.id for piece in pieces for annotation in piece.annotations]
    assert ids == [str(n) for n in range(4000)]


def test_a_key_template_applies_to_the_file_and_to_named_images(tmp_path: Path) -> None:
    source = tmp_path / "north.geojson"
    source.write_text(collection(point(1, 2, label="a", image="deep/x.tif")))
    (found,) = list(lc.read(source, key="{stem}"))
    assert found.key == "north"
    (found,) = list(lc.read(source, options={"sample_key": "image"}, key="{stem}"))
    assert (found.key, found.uri) == ("x", "deep/x.tif")


def test_ids_that_meet_are_told_apart(tmp_path: Path) -> None:
    source = tmp_path / "a.geojson"
    text = json.loads(collection(point(1, 2, label="a"), point(3, 4, label="a")))
    text["features"][1]["id"] = 0
    source.write_text(json.dumps(text))
    (found,) = read(source)
    assert len({annotation.id for annotation in found.annotations}) == 2


@given(
    number=st.floats(-180, 180), other=st.floats(-90, 90), blanks=st.sampled_from(["", " ", "\n"])
)
def test_numbers_come_as_json_has_them_whatever_the_blanks(
    number: float, other: float, blanks: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("n") / "a.geojson"
    text = f"[{blanks}{number!r}{blanks},{blanks}{other!r}{blanks}]"
    path.write_text(
        f'{{"type":"Feature","properties":null,"geometry":{{"type":"Point","coordinates":{text}}}}}'
    )
    (found,) = read(path)
    assert found.annotations[0].value == Point(number, other)


@pytest.mark.parametrize(
    ("head", "certain"),
    [
        (b'{"type":"FeatureCollection","features":[', 2),
        (b"\x1e" + b'{"type":"Feature","geometry":null}', 2),
        (b'{"features":[],"type":"FeatureCollection"}', 2),
        (b'{"type":"Point","coordinates":[1,2]}', 2),
        (b'{"images":[],"annotations":[],"categories":[]}', 0),
        (b'{"labelconv":1}', 0),
        (b"[1]", 0),
        (b"\x1e{}", 0),
        (b'{"type":"Feature"}', 0),
    ],
)
def test_geojson_is_recognised_by_its_types(head: bytes, certain: int, tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(head)
    assert registry.get("geojson").sniff is not None
    assert registry.get("geojson").sniff(Source(path).peek()).certainty == certain  # type: ignore[misc]


def test_a_folder_is_no_geojson(tmp_path: Path) -> None:
    assert registry.get("geojson").sniff(Source(tmp_path).peek()).certainty == 0  # type: ignore[misc]
    with pytest.raises(SourceError):
        read(tmp_path)


@pytest.mark.parametrize(
    "text", ['{"type":"FeatureCollection"}', '{"type":"FeatureCollection","features":[]}{}']
)
def test_what_is_no_whole_collection_is_refused(text: str, tmp_path: Path) -> None:
    path = tmp_path / "a.geojson"
    path.write_text(text)
    with pytest.raises(SourceError):
        read(path)
