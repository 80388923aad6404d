"""Labels cut to windows: shapely is the judge, and the ledger balances."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
import shapely
from hypothesis import given
from hypothesis import strategies as st
from rasterio.transform import Affine

from labelconv import masks, registry, testing
from labelconv.accounting import accounted
from labelconv.chips import chips, grid, parse_size
from labelconv.convert import convert
from labelconv.crs.rasters import Rasters
from labelconv.errors import OptionError
from labelconv.fit import fit
from labelconv.format import NoOptions
from labelconv.model import (
    Annotation,
    Box,
    Classification,
    Image,
    Keypoint,
    Keypoints,
    OrientedBox,
    Point,
    Polygon,
    Polyline,
    Radio,
    Relation,
    Sample,
    Samples,
    Text,
    TiledImage,
)
from labelconv.problems import Report


def cut(media: Any, windows: Any, *values: Any, **options: Any) -> tuple[list[Sample], Report]:
    annotations = tuple(Annotation(str(at), "a", value) for at, value in enumerate(values))
    return run(Samples([Sample("s", media, annotations)]), windows, **options)


def run(dataset: Samples, windows: Any, **options: Any) -> tuple[list[Sample], Report]:
    report = Report()
    changed = chips(windows, **options)(accounted(dataset, report), report)
    native = registry.get("native")
    samples = list(fit(changed, native, NoOptions(), report))
    assert report.ledger.balanced, report.as_dict()["ledger"]
    return samples, report


def test_a_box_on_a_border_is_in_both_windows_with_one_share_id() -> None:
    samples, report = cut(Image(100, 50), (50, 50), Box(40, 10, 60, 20), Box(1, 2, 3, 4))
    assert [sample.key for sample in samples] == ["s@0,0", "s@50,0"]
    assert [sample.media for sample in samples] == [Image(50, 50), Image(50, 50)]
    left, right = samples
    assert [a.value for a in left.annotations] == [Box(40, 10, 50, 20), Box(1, 2, 3, 4)]
    assert [a.value for a in right.annotations] == [Box(0, 10, 10, 20)]
    assert left.annotations[0].extra == right.annotations[0].extra == {"chips:share": "s/0"}
    assert left.annotations[0].id == right.annotations[0].id == "0"
    assert left.annotations[1].extra == {}
    assert report.counts == {"L445": 1}
    ledger = report.ledger
    assert (ledger.samples.read, ledger.annotations.read) == (2, 3)
    assert (ledger.annotations.kept, ledger.annotations.changed) == (1, 2)


def test_slivers_below_the_stated_area_are_left_out_and_told() -> None:
    samples, report = cut(Image(100, 50), (50, 50), Box(40, 10, 50.5, 11), smallest=1.0)
    assert [len(sample.annotations) for sample in samples] == [1, 0]
    assert report.counts == {"L446": 1}
    samples, report = cut(Image(100, 50), (50, 50), Box(49.5, 1, 50.5, 2), smallest=1.0)
    assert sum(len(sample.annotations) for sample in samples) == 0
    assert report.ledger.annotations.skipped == 1
    assert "R143" not in report.counts


@given(
    rings=st.lists(
        st.lists(
            st.tuples(st.floats(0, 60), st.floats(0, 40)), min_size=3, max_size=7, unique=True
        ),
        min_size=1,
        max_size=4,
    ),
    size=st.tuples(st.floats(7, 70), st.floats(7, 70)),
)
def test_no_area_is_gained_or_lost_in_a_grid_without_overlap(
    rings: list[list[tuple[float, float]]], size: tuple[float, float]
) -> None:
    shapes = [shapely.make_valid(shapely.Polygon(ring)) for ring in rings]
    polygons = [Polygon(((tuple(n for xy in ring for n in xy),),)) for ring in rings]
    samples, _ = cut(Image(60, 40), size, *polygons)
    for at, shape in enumerate(shapes):
        pieces = [
            shapely.geometry.shape(a.value.__geo_interface__)  # type: ignore[union-attr]
            for sample in samples
            for a in sample.annotations
            if a.id == str(at)
        ]
        areas = sum(shapely.make_valid(piece).area for piece in pieces)
        assert areas == pytest.approx(shape.area, rel=1e-6, abs=1e-6)


@given(dataset=testing.everything(Image), size=st.tuples(st.floats(3, 20), st.floats(3, 20)))
def test_the_ledger_balances_whatever_is_cut(dataset: Samples, size: tuple[float, float]) -> None:
    run(dataset, size)


def test_every_kind_of_shape_is_cut() -> None:
    pixels = np.zeros((20, 40), np.uint8)
    pixels[5:10, 15:25] = 1
    shapes = (
        Point(20, 5),
        Polyline((10, 5, 30, 5, 30, 15, 10, 15)),
        OrientedBox(20, 10, 10, 4, 0),
        Keypoints((Keypoint("a", 5, 5), Keypoint("b", 25, 5)), Box(5, 5, 25, 6)),
        masks.from_array(pixels),
        Polygon(
            (((15.0, 1.0, 25.0, 1.0, 25.0, 3.0, 15.0, 3.0),), ((1.0, 1.0, 2.0, 1.0, 2.0, 2.0),))
        ),
    )
    samples, report = cut(Image(40, 20), (20, 20), *shapes, Point(40, 20))
    left, right = ({a.id: a.value for a in sample.annotations} for sample in samples)
    assert "0" not in left  # a point on a border is in one window only
    assert right["0"] == Point(0, 5)
    assert right["6"] == Point(20, 20)  # on the picture's border, where no other window is
    assert sorted(id for id in left if id.startswith("1")) == ["1", "1/1"]
    assert right["1"] == Polyline((0, 5, 10, 5, 10, 15, 0, 15))
    assert left["2"].parts[0][0][::2]  # type: ignore[union-attr]
    assert right["3"] == Keypoints((Keypoint("b", 5, 5),), Box(0, 5, 5, 6))
    assert masks.area(left["4"]) == masks.area(right["4"]) == 25  # type: ignore[arg-type]
    assert left["4"].size == (20, 20)  # type: ignore[union-attr]
    assert len(left["5"].parts) == 2  # type: ignore[union-attr]
    assert report.ledger.annotations.lost == 0


def test_grids_on_maps_begin_in_the_north_west_and_keep_coordinates() -> None:
    media = TiledImage("EPSG:32616", (100.0, 200.0, 130.0, 220.0))
    samples, _ = cut(media, (20, 20), Box(110, 205, 125, 215))
    assert [sample.key for sample in samples] == ["s@0,0", "s@20,0"]
    assert samples[0].media == TiledImage("EPSG:32616", (100.0, 200.0, 120.0, 220.0))
    assert samples[1].media == TiledImage("EPSG:32616", (120.0, 200.0, 130.0, 220.0))
    assert samples[0].annotations[0].value == Box(110, 205, 120, 215)


def test_overlapping_windows_show_things_twice() -> None:
    samples, report = cut(Image(100, 50), (60, 50), Box(45, 1, 50, 2), overlap=20)
    assert [sample.key for sample in samples] == ["s@0,0", "s@40,0"]
    assert [sample.annotations[0].value for sample in samples] == [
        Box(45, 1, 50, 2),
        Box(5, 1, 10, 2),
    ]
    assert report.counts == {"L445": 1}
    with pytest.raises(OptionError):
        grid(samples[0], (10, 10), overlap=10)


def test_windows_without_labels_can_be_left_away() -> None:
    samples, report = cut(Image(100, 50), (50, 50), Box(1, 2, 3, 4), empty=False)
    assert len(samples) == 1
    samples, report = cut(Image(100, 50), (50, 50), Box(200, 2, 300, 4), empty=False)
    assert samples == []
    assert report.counts == {"R143": 1}


def test_answers_and_relations_go_with_their_windows() -> None:
    sample = Sample(
        "s",
        Image(100, 50),
        (Annotation("1", "a", Box(1, 1, 2, 2)), Annotation("2", "a", Box(60, 1, 61, 2))),
        (Classification("sky", Radio("clear")),),
        (Relation("r", "near", "1", "2"), Relation("q", "near", "1", "1")),
    )
    samples, report = run(Samples([sample]), (50, 50))
    assert [len(each.classifications) for each in samples] == [1, 1]
    assert [[relation.id for relation in each.relations] for each in samples] == [["q"], []]
    assert report.ledger.relations.skipped == 1


def test_what_is_no_picture_passes_whole() -> None:
    samples, _ = cut(Text("abc"), (2, 2))
    assert [sample.key for sample in samples] == ["s"]
    samples, report = cut(Image(), (2, 2))
    assert samples == []
    assert report.ledger.samples.skipped == 1


def _raster(path: Path, affine: Affine, crs: str = "EPSG:32616") -> None:
    with rasterio.open(
        path,
        "w",
        driver="GTiff",
        width=90,
        height=60,
        count=1,
        dtype="uint8",
        crs=crs,
        transform=affine,
    ) as file:
        file.write(np.zeros((1, 60, 90), np.uint8))


def test_labels_are_cut_to_the_rasters_of_a_folder(tmp_path: Path) -> None:
    _raster(tmp_path / "a.tif", Affine(1, 0, 733600, 0, -1, 3725100))
    _raster(tmp_path / "b.tif", Affine(1, 0, 733690, 0, -1, 3725100))
    _raster(tmp_path / "turned.tif", Affine(0.8, 0.6, 733600, 0.6, -0.8, 3725100))
    (tmp_path / "notes.txt").write_text("not a raster")
    box = Box(733680, 3725050, 733700, 3725060)
    samples, report = cut(TiledImage("EPSG:32616"), Rasters(tmp_path), box)
    assert [sample.key for sample in samples] == ["a.tif", "b.tif", "turned.tif"]
    assert [sample.annotations[0].value for sample in samples[:2]] == [
        Box(733680, 3725050, 733690, 3725060),
        Box(733690, 3725050, 733700, 3725060),
    ]
    assert samples[0].media.affine == (1, 0, 733600, 0, -1, 3725100)  # type: ignore[union-attr]
    assert report.counts["L445"] == 1


def test_from_geojson_to_pictures_in_one_command(tmp_path: Path) -> None:
    (tmp_path / "rasters").mkdir()
    _raster(tmp_path / "rasters" / "a.tif", Affine(0.5, 0, 733600, 0, -0.5, 3725100))
    source = tmp_path / "labels.geojson"
    source.write_text(
        '{"type":"FeatureCollection","crs":{"type":"name","properties":{"name":"EPSG:32616"}},'
        '"features":[{"type":"Feature","properties":{"class":"roof"},"geometry":{"type":"Polygon",'
        '"coordinates":[[[733605,3725090],[733615,3725090],[733615,3725095],[733605,3725090]]]}}]}'
    )
    target = tmp_path / "out.json"
    report = convert(
        source,
        target,
        to="coco",
        chips=str(tmp_path / "rasters"),
        crs="image",
        media=tmp_path / "rasters",
    )
    assert report.ledger.balanced
    import json

    found = json.loads(target.read_text())
    assert found["images"][0]["file_name"] == "a.tif"
    assert (found["images"][0]["width"], found["images"][0]["height"]) == (90, 60)
    ring = found["annotations"][0]["segmentation"][0]
    corners = sorted(zip(ring[::2], ring[1::2], strict=True))
    assert np.array(corners) == pytest.approx(np.array([(10, 20), (30, 10), (30, 20)]))


def test_sizes_are_read_as_written() -> None:
    assert parse_size("512x256") == (512, 256)
    assert parse_size("0.5 × 2") == (0.5, 2)
    assert parse_size("folder/x") is None
    with pytest.raises(OptionError):
        parse_size("0x5")
