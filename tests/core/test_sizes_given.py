"""Sizes that a source does not say come from the files or the table that a user gives."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import labelconv as lc
from labelconv.errors import LabelconvError
from labelconv.model import Box, Image, OrientedBox, Polygon

LINE = {
    "uuid": "0b5a1e6e-52c7-4d0e-9a55-3f1d8f6f1c11",
    "dataRow": {"globalKey": "a/1.png"},
    "name": "car",
    "bbox": {"left": 10, "top": 5, "width": 20, "height": 10},
}


@pytest.fixture
def lines(tmp_path: Path) -> Path:
    """A Labelbox file, which never says sizes."""
    path = tmp_path / "mal.ndjson"
    path.write_text(json.dumps(LINE) + "\n", encoding="utf-8")
    return path


def test_a_format_without_sizes_gets_them_from_the_headers_of_pictures(
    lines: Path, tmp_path: Path
) -> None:
    from PIL import Image as Pictures

    (tmp_path / "pictures" / "a").mkdir(parents=True)
    Pictures.new("L", (40, 20)).save(tmp_path / "pictures" / "a" / "1.png")
    (sample,) = lc.read(lines, media=tmp_path / "pictures")
    assert sample.media == Image(40, 20)
    report = lc.convert(lines, tmp_path / "out", to="yolo", media=tmp_path / "pictures")
    assert report.errors == 0
    assert report.ledger.annotations.kept == 1


def test_a_table_of_sizes_does_as_well_and_without_either_the_picture_is_rejected(
    lines: Path, tmp_path: Path
) -> None:
    table = tmp_path / "sizes.csv"
    table.write_text("a/1.png,40,20\n", encoding="utf-8")
    given = lc.convert(lines, tmp_path / "out", to="yolo", reader_options={"sizes": str(table)})
    assert (given.errors, given.ledger.samples.kept) == (0, 1)
    missing = lc.convert(lines, tmp_path / "none", to="yolo")
    assert missing.counts["L419"] == 1
    assert missing.ledger.annotations.rejected == 1


def test_a_size_that_the_source_says_is_not_looked_up(tmp_path: Path) -> None:
    source = tmp_path / "coco.json"
    images = [{"id": 1, "file_name": "1.png", "width": 64, "height": 48}]
    coco = {"images": images, "annotations": [], "categories": []}
    source.write_text(json.dumps(coco), encoding="utf-8")
    table = tmp_path / "sizes.csv"
    table.write_text("1.png,40,20\n", encoding="utf-8")
    (sample,) = lc.read(source, options={"sizes": str(table)})
    assert sample.media == Image(64, 48)


def test_boxes_rectangles_and_quadrilaterals_go_through_formats_of_corners_unlost(
    tmp_path: Path,
) -> None:
    from labelconv.model import Annotation, Sample, Samples

    quad = Polygon((((10, 5, 30, 8, 28, 20, 12, 22),),))
    values = (Box(1, 2, 5, 4), OrientedBox(30, 20, 20, 10, 30), quad)
    shapes = tuple(Annotation(str(n), "a", value) for n, value in enumerate(values))
    sample = Sample("1.png", Image(64, 48), shapes)
    for name, options in (("dota", {}), ("yolo", {"task": "obb"})):
        try:
            report = lc.write(Samples([sample]), tmp_path / name, name, options=options)
        except LabelconvError as error:
            pytest.fail(str(error))
        account = report.ledger.annotations
        assert (account.kept, account.changed, account.lost) == (2, 1, 0), name
