"""xView: sixty classes, boxes in pixels, and sureness beside GeoJSON."""

from __future__ import annotations

import json
from pathlib import Path

import labelconv as lc
from labelconv import registry
from labelconv.convert import convert
from labelconv.formats.xview import CLASSES
from labelconv.io import Source
from labelconv.model import Box

FIXTURES = Path(__file__).parents[1] / "fixtures" / "xview"
BOXES = FIXTURES / "boxes" / "input" / "xView_train.geojson"


def test_there_are_sixty_classes() -> None:
    assert len(CLASSES) == len(set(CLASSES.values())) == 60
    assert (CLASSES[11], CLASSES[73], CLASSES[94]) == ("Fixed-wing Aircraft", "Building", "Tower")


def test_xview_is_surer_than_geojson_and_read_without_being_named() -> None:
    peek = Source(BOXES).peek()
    sure = {name: registry.get(name).sniff(peek).certainty for name in ("xview", "geojson")}  # type: ignore[misc]
    assert sure == {"xview": 3, "geojson": 2}
    samples = list(lc.read(BOXES))
    assert samples[0].annotations[0].value == Box(2712, 1145, 2746, 1177)


def test_the_same_file_is_read_as_geojson_on_the_map() -> None:
    options = {"sample_key": "image_id", "class_key": "type_id"}
    samples = list(lc.read(BOXES, "geojson", options=options))
    assert [sample.key for sample in samples] == ["2355.tif", "100.tif"]
    assert [annotation.category for annotation in samples[0].annotations] == ["73", "18"]


def test_the_ledger_balances_with_a_key_that_cannot_be_used(tmp_path: Path) -> None:
    keys = tmp_path / "keys.csv"
    keys.write_text("100.tif,second\n")
    report = convert(BOXES, tmp_path / "a.ndjson", to="native", keys=keys)
    assert report.ledger.balanced
    assert report.ledger.annotations.rejected == 2


def test_a_type_too_large_for_a_class_is_rejected_alone(tmp_path: Path) -> None:
    properties = {"image_id": "a.tif", "bounds_imcoords": "1,2,3,4"}
    features = [{"properties": {**properties, "type_id": type_id}} for type_id in (75, 10**25)]
    (tmp_path / "a.geojson").write_text(json.dumps({"features": features}))
    options = {"unknown": "number"}
    dataset = lc.read(tmp_path / "a.geojson", "xview", options=options)
    assert [a.category for sample in dataset for a in sample.annotations] == ["75"]
    assert dataset.report.counts == {"R101": 1}
