"""Panoptic COCO: segments listed in JSON, their pixels in PNGs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from coco_help import put, read, read_all_ways, rewritten
from numpy.typing import NDArray
from PIL import Image as Picture

from labelconv import codes, masks
from labelconv.errors import OptionError
from labelconv.model import Box, Mask, Polygon


def colours(ids: NDArray[np.uint32]) -> NDArray[np.uint8]:
    return np.stack([ids & 255, ids >> 8 & 255, ids >> 16 & 255], -1).astype(np.uint8)


def segment(id: int, category_id: int = 1, **fields: Any) -> dict[str, Any]:
    return {"id": id, "category_id": category_id, "iscrowd": 0, **fields}


def panoptic(*segments: dict[str, Any], file_name: str = "a.png") -> dict[str, Any]:
    return {
        "images": [{"id": 1, "width": 6, "height": 4, "file_name": "a.jpg"}],
        "annotations": [{"image_id": 1, "file_name": file_name, "segments_info": list(segments)}],
        "categories": [
            {"id": 1, "name": "sky", "isthing": 0},
            {"id": 2, "name": "dog", "isthing": 1},
        ],
    }


@pytest.fixture
def ids() -> NDArray[np.uint32]:
    """Two segments: 16777215 on top, 300 in two corners below; the rest is void."""
    pixels = np.zeros((4, 6), np.uint32)
    pixels[:2] = 16777215
    pixels[3, 0] = pixels[2:, 5] = 300
    return pixels


def test_segments_are_masks_of_exactly_their_pixels(
    tmp_path: Path, ids: NDArray[np.uint32]
) -> None:
    Picture.fromarray(colours(ids)).save(tmp_path / "a.png")
    path = put(tmp_path, panoptic(segment(300, 2), segment(16777215)))
    got = read_all_ways(path)
    assert got.problems == []
    assert [(a.id, a.category) for a in got.annotations] == [("300", "dog"), ("16777215", "sky")]
    for annotation in got.annotations:
        assert isinstance(annotation.value, Mask)
        expected = (ids == int(annotation.id)).astype(np.uint8)
        assert masks.to_array(annotation.value).tolist() == expected.tolist()
    assert [c.extra["coco:isthing"] for c in got.dataset.ontology.categories] == [0, 1]


@pytest.mark.parametrize("seed", range(5))
def test_run_lengths_are_those_of_pycocotools(tmp_path: Path, seed: int) -> None:
    pixels = np.random.default_rng(seed).integers(0, 4, (4, 6)).astype(np.uint32) * 1000
    Picture.fromarray(colours(pixels)).save(tmp_path / "a.png")
    found = [int(id) for id in np.unique(pixels) if id]
    got = read_all_ways(put(tmp_path, panoptic(*(segment(id) for id in found))))
    assert [a.value for a in got.annotations] == [masks.from_array(pixels == id) for id in found]


@pytest.mark.parametrize("where", ["beside", "named after the file", "given"])
def test_the_folder_of_the_pictures_is_found(
    tmp_path: Path, ids: NDArray[np.uint32], where: str
) -> None:
    folder = {
        "beside": tmp_path,
        "named after the file": tmp_path / "panoptic_val",
        "given": tmp_path / "elsewhere",
    }[where]
    folder.mkdir(exist_ok=True)
    Picture.fromarray(colours(ids)).save(folder / "a.png")
    path = put(tmp_path, panoptic(segment(300), segment(16777215)), "panoptic_val.json")
    options = {"segments": str(folder)} if where == "given" else None
    assert len(read_all_ways(path, options).annotations) == 2


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OptionError):
        read(put(tmp_path, panoptic(segment(1))), {"segments": str(tmp_path / "none")})


@pytest.mark.parametrize("mode", ["RGBA", "P"])
def test_other_spellings_of_the_same_colours_are_read(tmp_path: Path, mode: str) -> None:
    pixels = np.zeros((4, 6), np.uint32)
    pixels[:2] = 263
    picture = Picture.fromarray(colours(pixels))
    picture.convert(mode, **({"palette": Picture.Palette.ADAPTIVE} if mode == "P" else {})).save(
        tmp_path / "a.png"
    )
    assert masks.area(read(put(tmp_path, panoptic(segment(263)))).only().value) == 12


def test_a_picture_that_is_missing_costs_only_its_own_segments(
    tmp_path: Path, ids: NDArray[np.uint32]
) -> None:
    Picture.fromarray(colours(ids)).save(tmp_path / "b.png")
    whole = panoptic(segment(1), segment(2), segment(3))
    whole["images"].append({"id": 2, "width": 6, "height": 4, "file_name": "b.jpg"})
    whole["annotations"].append(
        {
            "image_id": 2,
            "file_name": "b.png",
            "segments_info": [segment(300), segment(16777215)],
        }
    )
    got = read_all_ways(put(tmp_path, whole))
    assert got.problems == [(codes.FILE_MISSING.id, "/annotations/0/file_name")]
    account = got.report.ledger.annotations
    assert (account.read, account.kept, account.rejected) == (5, 2, 3)
    assert {s.key: len(s.annotations) for s in got.samples} == {"a.jpg": 0, "b.jpg": 2}


@pytest.mark.parametrize(("mode", "shape"), [("LA", (4, 6, 2)), ("L", (4, 6)), ("I;16", (4, 6))])
def test_pictures_of_other_channels_are_refused(
    tmp_path: Path, mode: str, shape: tuple[int, ...]
) -> None:
    pixels = np.zeros(shape, np.uint16 if mode == "I;16" else np.uint8)
    Picture.fromarray(pixels).save(tmp_path / "a.png")
    got = read_all_ways(put(tmp_path, panoptic(segment(1))))
    assert got.problems == [(codes.RECORD_MALFORMED.id, "/annotations/0/file_name")]


@pytest.mark.parametrize("content", [b"", b"not a PNG", b"\x89PNG\r\n\x1a\n broken"])
def test_a_picture_that_cannot_be_read_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.png").write_bytes(content)
    got = read_all_ways(put(tmp_path, panoptic(segment(1))))
    assert got.problems == [(codes.RECORD_MALFORMED.id, "/annotations/0/file_name")]


@pytest.mark.parametrize("name", ["../a.png", "/etc/a.png", "", None, 7, "x/../../a.png"])
def test_a_name_that_leads_out_of_the_folder_is_refused(tmp_path: Path, name: Any) -> None:
    (tmp_path / "in").mkdir()
    Picture.fromarray(np.zeros((4, 6, 3), np.uint8)).save(tmp_path / "a.png")
    got = read_all_ways(put(tmp_path / "in", panoptic(segment(1), file_name=name)))
    assert got.problems == [(codes.RECORD_MALFORMED.id, "/annotations/0/file_name")]


def test_list_and_pixels_that_disagree_are_told(tmp_path: Path, ids: NDArray[np.uint32]) -> None:
    Picture.fromarray(colours(ids)).save(tmp_path / "a.png")
    path = put(
        tmp_path,
        panoptic(
            segment(300, area=4, bbox=[0, 2, 5, 1]),
            segment(9),
            segment(300, 77),
            segment("300"),
            segment(0),
        ),
    )
    got = read_all_ways(path)
    at = "/annotations/0"
    assert got.problems == [
        (codes.AREA_MISMATCH.id, f"{at}/segments_info/0/area"),
        (codes.BOX_MISMATCH.id, f"{at}/segments_info/0/bbox"),
        (codes.SEGMENT_MISSING.id, f"{at}/segments_info/1/id"),
        (codes.REFERENCE_DANGLING.id, f"{at}/segments_info/2/category_id"),
        (codes.SEGMENT_MISSING.id, f"{at}/segments_info/3/id"),
        (codes.SEGMENT_MISSING.id, f"{at}/segments_info/4/id"),
        (codes.SEGMENT_UNLISTED.id, at),
    ]
    assert got.only().id == "300"


def test_options_hold_for_segments_too(tmp_path: Path, ids: NDArray[np.uint32]) -> None:
    Picture.fromarray(colours(ids)).save(tmp_path / "a.png")
    path = put(tmp_path, panoptic(segment(300, iscrowd=1), segment(16777215)))
    boxes = [a.value for a in read_all_ways(path, {"shape": "box"}).annotations]
    assert boxes == [Box(0, 2, 6, 4), Box(0, 0, 6, 2)]
    outlines = [a.value for a in read_all_ways(path, {"shape": "polygon"}).annotations]
    assert [type(outline) for outline in outlines] == [Polygon, Polygon]
    skipped = read_all_ways(path, {"crowd": "skip"})
    assert skipped.only().id == "16777215"
    assert skipped.report.ledger.annotations.skipped == 1
    kept = read_all_ways(path)
    assert kept.report.counts == {codes.CROWD_KEPT.id: 1}
    assert kept.annotations[0].extra == {"coco:iscrowd": 1}


def test_segments_become_run_lengths_of_a_plain_ground_truth(
    tmp_path: Path, ids: NDArray[np.uint32]
) -> None:
    Picture.fromarray(colours(ids)).save(tmp_path / "a.png")
    path = put(tmp_path, panoptic(segment(300, iscrowd=1), segment(16777215)))
    target = tmp_path / "out.json"
    rewritten(path, target)
    found = json.loads(target.read_bytes())
    assert [(a["id"], a["area"], a["iscrowd"]) for a in found["annotations"]] == [
        (300, 3, 1),
        (16777215, 12, 0),
    ]
    assert [c["isthing"] for c in found["categories"]] == [0, 1]
    assert [a.value for a in read(target).annotations] == [a.value for a in read(path).annotations]


def test_a_picture_without_segments_and_one_with_two_records(
    tmp_path: Path, ids: NDArray[np.uint32]
) -> None:
    Picture.fromarray(colours(ids * 0)).save(tmp_path / "a.png")
    whole = panoptic()
    whole["annotations"] *= 2
    got = read_all_ways(put(tmp_path, whole))
    assert [(s.key, s.annotations) for s in got.samples] == [("a.jpg", ())]
    assert got.problems == [(codes.ID_DUPLICATE.id, "/annotations/1/image_id")]
