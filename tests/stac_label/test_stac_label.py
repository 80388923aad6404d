"""STAC label items: the labels beside them, the classes they name."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import labelconv as lc
from labelconv import registry
from labelconv.convert import convert
from labelconv.errors import SourceError
from labelconv.io import Source
from labelconv.model import TiledImage

FIXTURES = Path(__file__).parents[1] / "fixtures" / "stac-label"
ITEM = FIXTURES / "item" / "input" / "item.json"


def test_the_item_is_recognised_before_geojson() -> None:
    peek = Source(ITEM).peek()
    assert registry.get("stac-label").sniff(peek).certainty == 3  # type: ignore[misc]
    dataset = lc.read(ITEM)
    assert [category.name for category in dataset.ontology.categories] == ["building", "road"]
    (sample,) = list(dataset)
    assert sample.media.bounds == (10, 50, 11, 51)  # type: ignore[union-attr]


def test_a_key_that_cannot_be_used_rejects_the_item(tmp_path: Path) -> None:
    keys = tmp_path / "keys.csv"
    keys.write_text("else,key\n")
    report = convert(ITEM, tmp_path / "a.ndjson", to="native", keys=keys)
    assert report.ledger.balanced
    assert report.ledger.samples.rejected == 1


@pytest.mark.parametrize("change", ["no item", "six numbers", "two sources"])
def test_items_that_are_a_little_different(change: str, tmp_path: Path) -> None:
    item = json.loads(ITEM.read_text())
    (tmp_path / "labels 1.geojson").write_bytes((ITEM.parent / "labels 1.geojson").read_bytes())
    if change == "no item":
        item = {"type": "Feature"}
    elif change == "six numbers":
        item["bbox"] = [10, 50, 0, 11, 51, 9]
    else:
        item["links"].append({"rel": "source", "href": "other.json"})
    (tmp_path / "item.json").write_text(json.dumps(item))
    if change == "no item":
        with pytest.raises(SourceError):
            lc.read(tmp_path / "item.json", "stac-label")
        return
    dataset = lc.read(tmp_path / "item.json", "stac-label")
    (sample,) = list(dataset)
    assert sample.media.bounds == (10, 50, 11, 51)  # type: ignore[union-attr]
    left = "stac-label:links (sources beside the first)" in dataset.report.fields
    assert left == (change == "two sources")


def test_bounds_in_degrees_are_not_those_of_labels_in_metres(tmp_path: Path) -> None:
    labels = json.loads((ITEM.parent / "labels 1.geojson").read_text())
    labels["crs"] = {"type": "name", "properties": {"name": "EPSG:32633"}}
    (tmp_path / "labels 1.geojson").write_text(json.dumps(labels))
    (tmp_path / "item.json").write_bytes(ITEM.read_bytes())
    dataset = lc.read(tmp_path / "item.json", "stac-label")
    (sample,) = list(dataset)
    assert sample.media == TiledImage("EPSG:32633")
    assert dataset.report.fields["stac-label:bbox"] == 1


def test_labels_that_no_file_can_be_called_are_refused(tmp_path: Path) -> None:
    item = json.loads(ITEM.read_text())
    item["assets"]["labels"]["href"] = "labels%00.geojson"
    (tmp_path / "item.json").write_text(json.dumps(item))
    with pytest.raises(SourceError, match="the name of a file"):
        list(lc.read(tmp_path / "item.json", "stac-label"))
