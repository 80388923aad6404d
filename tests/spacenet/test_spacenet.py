"""SpaceNet: the same building in pixels and on the map, and how files are recognised."""

from __future__ import annotations

from pathlib import Path

import pytest

import labelconv as lc
from labelconv import registry
from labelconv.convert import convert
from labelconv.io import Source
from labelconv.model import Image, TiledImage

FIXTURES = Path(__file__).parents[1] / "fixtures" / "spacenet"
BUILDINGS = FIXTURES / "buildings" / "input" / "buildings.csv"


def test_pixels_are_pictures_and_degrees_are_maps_of_the_same_buildings() -> None:
    pixels = list(lc.read(BUILDINGS))
    places = list(lc.read(BUILDINGS, options={"space": "map"}))
    assert [sample.key for sample in pixels] == [sample.key for sample in places]
    assert {type(sample.media) for sample in pixels} == {Image}
    assert {sample.media for sample in places} == {TiledImage("EPSG:4326")}
    first = places[0].annotations[0].value.parts[0][0]  # type: ignore[union-attr]
    assert first[:2] == (-43.1, -22.9)  # longitude first


def test_the_ledger_balances_with_a_key_that_cannot_be_used(tmp_path: Path) -> None:
    keys = tmp_path / "keys.csv"
    keys.write_text("AOI_1_RIO_img2,second\n")
    report = convert(BUILDINGS, tmp_path / "a.ndjson", to="native", keys=keys)
    assert report.ledger.balanced
    assert report.counts["K603"] == 1
    assert report.ledger.samples.rejected == 1


@pytest.mark.parametrize(
    ("text", "certainty"),
    [("ImageId,BuildingId,PolygonWKT_Pix\n", 3), ("imageid,x,polygonwkt_geo\n", 3), ("a,b\n", 0)],
)
def test_files_are_recognised_by_their_columns(text: str, certainty: int, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(text)
    found = registry.get("spacenet").sniff(Source(tmp_path / "a.csv").peek())  # type: ignore[misc]
    assert found.certainty == certainty


def test_pictures_are_named_by_their_column_wherever_it_stands(tmp_path: Path) -> None:
    # pandas writes a column of row numbers first unless told not to.
    (tmp_path / "a.csv").write_text(
        ",ImageId,BuildingId,PolygonWKT_Pix\n"
        '0,"img,1",1,"POLYGON ((1 2,3 4,5 9,1 2))"\n'
        '1,"img,1",2,"POLYGON ((1 2,3 4,5 8,1 2))"\n'
        "2,img2,-1,POLYGON EMPTY\n"
    )
    samples = list(lc.read(tmp_path / "a.csv"))
    assert {s.key: len(s.annotations) for s in samples} == {"img,1": 2, "img2": 0}


@pytest.mark.parametrize(
    "row",
    [b'a,2,"POLYGON ((1 2,3 4,1e999 9,1 2))"', b"a,2,POLYGON \r((1 2))", b"a,2,POINT (1 nan)"],
)
def test_a_row_that_is_no_csv_or_no_number_is_rejected_alone(row: bytes, tmp_path: Path) -> None:
    good = b'a,1,"POLYGON ((1 2,3 4,5 9,1 2))"'
    head = b"ImageId,BuildingId,PolygonWKT_Pix"
    (tmp_path / "a.csv").write_bytes(b"\n".join((head, good, row, b"")))
    report = convert(tmp_path / "a.csv", tmp_path / "a.ndjson", to="native")
    annotations = report.ledger.annotations
    assert (annotations.read, annotations.kept, annotations.rejected) == (2, 1, 1)
    assert report.counts == {"R101": 1}
    assert report.problems[0].where.line == 3
