"""Tiled imagery in Labelbox: boxes that grow, and layers that count pixels at another zoom."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyproj
import pytest

import labelconv as lc
from labelconv import tiles
from labelconv.errors import LossError, OptionError
from labelconv.formats.labelbox import FORMAT
from labelconv.formats.labelbox.options import LabelboxWriterOptions
from labelconv.model import Annotation, Box, Point, Sample, Samples, TiledImage

HOUSE = Box(478000, 2145000, 478100, 2145100)


def line(path: Path, sample: Sample, *, allow: tuple[str, ...] = (), **options: Any) -> Any:
    lc.write(Samples([sample]), path, "labelbox", options=options, allow=allow)
    return json.loads(path.read_text())


def test_a_box_of_metres_becomes_a_polygon_or_grows_where_it_is_asked(tmp_path: Path) -> None:
    sample = Sample("s", TiledImage("EPSG:32614"), (Annotation("0", "house", HOUSE),))
    path = tmp_path / "a.ndjson"
    assert len(line(path, sample)["polygon"]) == 5
    with pytest.raises(LossError):
        line(path, sample, boxes="grow")
    found = line(path, sample, allow=("L443",), boxes="grow")["bbox"]
    # The box around the four corners, as pyproj has them.
    way = pyproj.Transformer.from_crs("EPSG:32614", "EPSG:4326", always_xy=True)
    xs, ys = way.transform([478000, 478100, 478100, 478000], [2145000, 2145000, 2145100, 2145100])
    assert found["left"] == pytest.approx(min(xs), abs=1e-9)
    assert found["top"] == pytest.approx(min(ys), abs=1e-9)
    assert found["width"] == pytest.approx(max(xs) - min(xs), abs=1e-9)
    assert found["height"] == pytest.approx(max(ys) - min(ys), abs=1e-9)


def test_a_layer_that_is_no_map_is_scaled_on_the_way_there_and_back(tmp_path: Path) -> None:
    annotations = (
        Annotation("0", "house", Box(1024, 2048, 3072, 4096)),
        Annotation("1", "well", Point(640, 64)),
    )
    sample = Sample("s", TiledImage("pixel"), annotations)
    path = tmp_path / "a.ndjson"
    scale = tiles.simple_scale(6)
    lc.write(Samples([sample]), path, "labelbox", options={"scale": scale})
    house, well = map(json.loads, path.read_text().splitlines())
    assert house["bbox"] == {"top": 32, "left": 16, "height": 32, "width": 32}
    assert well["point"] == {"x": 10, "y": 1}
    options = {"media": "tiled", "crs": "pixel", "scale": 1 / scale}
    (back,) = list(lc.read(path, "labelbox", options=options))
    assert [each.value for each in back.annotations] == [each.value for each in annotations]


def test_what_is_scaled_is_written_by_one_process() -> None:
    # Other processes write what is not scaled yet.
    assert FORMAT.shared is not None
    assert FORMAT.shared(LabelboxWriterOptions()) is not None
    assert FORMAT.shared(LabelboxWriterOptions(scale=2.0)) is None


def test_the_scale_leaves_degrees_alone_and_must_be_one(tmp_path: Path) -> None:
    sample = Sample("s", TiledImage(), (Annotation("1", "well", Point(10, 50)),))
    path = tmp_path / "a.ndjson"
    assert line(path, sample, scale=4.0)["point"] == {"x": 10, "y": 50}
    for scale in (0.0, -1.0):
        with pytest.raises(OptionError, match="scale"):
            line(path, sample, scale=scale)
