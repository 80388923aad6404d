"""Against a devkit's folder made by others (not part of this repository)."""

from __future__ import annotations

from pathlib import Path

import pytest
from voc_help import read

import labelconv as lc
from labelconv.model import Box, Image, Mask

DATA = Path(__file__).parents[3] / "shared" / "data" / "voc" / "voc_dataset1"
pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="the folder ../shared/data is missing")


def test_boxes_parts_actions_and_coloured_segments_are_read(tmp_path: Path) -> None:
    result = read(DATA)
    assert (result.one.key, result.one.media) == ("2007_000001.jpg", Image(20, 10))
    assert [(each.category, each.value) for each in result.annotations] == [
        ("cat", Box(0, 1, 3, 4)),
        ("person", Box(3, 4, 6, 7)),
        ("head", Box(4.5, 5, 7.5, 8)),
        ("bicycle", Mask((10, 20), (0, 200))),
    ]
    assert len(result.annotations[1].classifications) == 1
    assert result.codes() == ["R113"]
    report = lc.convert(DATA, tmp_path / "out", to="voc", writer_options={"masks": "png"})
    assert report.ledger.balanced
    back = read(tmp_path / "out").annotations
    assert [each.category for each in back] == [each.category for each in result.annotations]


def test_its_lists_choose_pictures_with_and_without_an_xml_file() -> None:
    assert [s.key for s in read(DATA, set="train").samples] == ["2007_000001.jpg"]
    test = read(DATA, set="Segmentation/test").one
    assert (test.key, test.media, test.annotations) == ("2007_000002.jpg", Image(20, 10), ())
    assert read(DATA, set="bus_train").samples == []
    assert [s.key for s in read(DATA, images="all").samples] == [
        "2007_000001.jpg",
        "2007_000002.jpg",
    ]
