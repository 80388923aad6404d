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
