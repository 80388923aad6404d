"""The COCO cases of the project's list of hard inputs, D1 to D14, with exactly its numbers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from coco_help import document, picture, put, read, read_all_ways, record
from PIL import Image as Picture
from pycocotools import mask as coco_mask

from labelconv import codes, geometry, masks
from labelconv.errors import OptionError
from labelconv.fit import fit
from labelconv.keys import Keys
from labelconv.model import Box, Keypoints, Mask, Polygon, Samples
from labelconv.problems import Report
from labelconv.registry import get


def test_D1_a_result_keeps_its_numbers_and_its_score(tmp_path: Path) -> None:
    classes = put(tmp_path, {"categories": [{"id": 18, "name": "dog"}]}, "classes.json")
    path = put(
        tmp_path,
        [
            {
                "image_id": 42,
                "category_id": 18,
                "bbox": [258.15, 41.29, 348.26, 243.78],
                "score": 0.236,
            }
        ],
    )
    got = read_all_ways(path, {"categories": str(classes)})
    found = got.only()
    assert found.category == "dog"
    assert found.confidence == 0.236
    assert isinstance(found.value, Box)
    box = found.value
    sides = [box.x0, box.y0, box.x1 - box.x0, box.y1 - box.y0]
    assert sides == pytest.approx([258.15, 41.29, 348.26, 243.78], abs=1e-6)
    assert [sample.key for sample in got.samples] == ["42"]
    assert got.report.errors == 0


def test_D2_a_flat_list_is_one_polygon(tmp_path: Path) -> None:
    flat = [60.03, 74.87, 73.83, 90.0, 51.52, 90.0, 40.0, 80.0]
    path = put(
        tmp_path,
        document(
            record(segmentation=flat, bbox=None),
            images=[picture(100, 100)],
        ),
    )
    assert read_all_ways(path).only().value == Polygon(((tuple(flat),),))


def test_D3_run_lengths_win_over_a_declared_box_that_differs(tmp_path: Path) -> None:
    path = put(
        tmp_path,
        document(
            record(
                segmentation={"size": [10, 5], "counts": [0, 20, 30]},
                bbox=[0, 0, 1, 9],
                area=20,
                iscrowd=1,
            ),
            images=[picture(5, 10)],
        ),
    )
    got = read_all_ways(path)
    mask = got.only().value
    assert isinstance(mask, Mask)
    assert masks.to_array(mask).tolist() == [[1, 1, 0, 0, 0]] * 10
    assert masks.area(mask) == 20
    assert masks.bounds(mask) == Box(0, 0, 2, 10)
    assert (codes.BOX_MISMATCH.id, "/annotations/0") in got.problems


def test_D4_run_lengths_go_down_the_columns(tmp_path: Path) -> None:
    expected = [[0, 1, 0], [0, 0, 0]]
    for counts in ([2, 1, 3], "213"):
        path = put(
            tmp_path,
            document(
                record(segmentation={"size": [2, 3], "counts": counts}, bbox=[1, 0, 1, 1]),
                images=[picture(3, 2)],
            ),
        )
        mask = read_all_ways(path).only().value
        assert isinstance(mask, Mask)
        assert mask.runs == (2, 1, 3)
        assert masks.to_array(mask).tolist() == expected
        assert masks.to_text(mask) == "213"


def test_D5_compressed_runs_of_a_large_picture_have_their_area_and_box(tmp_path: Path) -> None:
    pixels = np.zeros((720, 1280), np.uint8, order="F")
    pixels[100:150, 100:150] = 1
    text = coco_mask.encode(pixels)["counts"].decode()
    assert text.startswith("T]V2b1nd0000")
    assert text.endswith("l]jh0")
    path = put(
        tmp_path,
        document(
            record(segmentation={"size": [720, 1280], "counts": text}, bbox=[100, 100, 50, 50]),
            images=[picture(1280, 720)],
        ),
    )
    mask = read_all_ways(path).only().value
    assert isinstance(mask, Mask)
    assert masks.area(mask) == 2500
    assert masks.bounds(mask) == Box(100, 100, 150, 150)


def test_D6_parts_that_overlap_are_one_object_of_175_pixels(tmp_path: Path) -> None:
    parts = [[0, 0, 10, 0, 10, 10, 0, 10], [5, 5, 15, 5, 15, 15, 5, 15]]
    path = put(tmp_path, document(record(segmentation=parts, bbox=[0, 0, 15, 15])))
    got = read_all_ways(path)
    polygon = got.only().value
    assert isinstance(polygon, Polygon)
    assert len(polygon.parts) == 2
    assert geometry.area(polygon) == 175
    assert geometry.bounds(polygon) == Box(0, 0, 15, 15)
    mask = read(path, {"shape": "mask"}).only().value
    assert isinstance(mask, Mask)
    assert masks.area(mask) == 175
    target = get("labelbox")
    report = Report()
    split = [
        annotation
        for sample in fit(Samples(got.samples), target, target.writer_options(), report)
        for annotation in sample.annotations
    ]
    assert [geometry.area(annotation.value) for annotation in split] == [100, 100]
    assert report.counts[codes.PARTS_SPLIT.id] == 1
    assert report.losses == 0


def test_D7_a_polygon_of_two_points_gives_way_to_the_declared_box(tmp_path: Path) -> None:
    path = put(tmp_path, document(record(segmentation=[[10, 10, 20, 20]], bbox=[10, 10, 10, 10])))
    got = read_all_ways(path)
    assert got.only().value == Box(10, 10, 20, 20)
    assert got.problems == [(codes.SHAPE_REPLACED.id, "/annotations/0/segmentation/0")]


def test_D8_keypoints_that_are_not_labelled_are_left_out_whatever_they_say(
    tmp_path: Path,
) -> None:
    path = put(
        tmp_path,
        document(
            record(keypoints=[36, 181, 2, 20.25, 191, 0, 35, 166, 2], num_keypoints=3, bbox=None),
            categories=[{"id": 1, "name": "person", "keypoints": ["nose", "eye", "ear"]}],
        ),
    )
    value = read_all_ways(path).only().value
    assert isinstance(value, Keypoints)
    assert [(point.name, point.x, point.y) for point in value.points] == [
        ("nose", 36, 181),
        ("ear", 35, 166),
    ]


def test_D9_gapped_category_ids_are_names_and_a_missing_one_dangles(tmp_path: Path) -> None:
    path = put(tmp_path, document(record(category_id=4), record(id=2, category_id=3)))
    got = read_all_ways(path)
    assert got.only().category == "c"
    assert got.problems == [(codes.REFERENCE_DANGLING.id, "/annotations/1/category_id")]


def test_D10_numbers_as_names_keep_their_spelling(tmp_path: Path) -> None:
    text = (
        '{"images":[],"annotations":[],'
        '"categories":[{"id":0,"name":1.0},{"id":1,"name":0.0},{"id":2,"name":0}]}'
    )
    got = read(put(tmp_path, text))
    assert [category.name for category in got.dataset.ontology.categories] == ["1.0", "0.0", "0"]


def test_D11_a_file_with_every_kind_of_wrong_id_gives_exactly_its_good_boxes(
    tmp_path: Path,
) -> None:
    path = put(
        tmp_path,
        document(
            record(id=1),
            record(id=1, bbox=[1, 2, 3, 4]),
            record(id=2, image_id=999),
            record(id=3, category_id=999),
            record(id=4, image_id=3),
            images=[
                picture(100, 80),
                {"id": 1, "width": 100, "height": 80, "file_name": "b.jpg"},
                {"id": 3, "width": 100, "height": 0, "file_name": "c.jpg"},
            ],
        ),
    )
    got = read_all_ways(path)
    assert [annotation.id for annotation in got.annotations] == ["1", "1@1"]
    assert sorted(got.problems, key=str) == sorted(
        [
            (codes.ID_DUPLICATE.id, "/images/1/id"),
            (codes.RECORD_MALFORMED.id, "/images/2/height"),
            (codes.REFERENCE_DANGLING.id, "/annotations/2/image_id"),
            (codes.REFERENCE_DANGLING.id, "/annotations/3/category_id"),
            (codes.REFERENCE_DANGLING.id, "/annotations/4/image_id"),
            (codes.ANNOTATION_ID_DUPLICATE.id, "/annotations/1"),
        ],
        key=str,
    )


def test_D12_a_panoptic_pixel_is_red_and_green_and_blue(tmp_path: Path) -> None:
    pixels = np.zeros((480, 640, 3), np.uint8)
    pixels[0, 0] = (7, 1, 0)
    id = 3937500
    red, green, blue = id % 256, id // 256 % 256, id // 65536
    pixels[207:280, 282:330] = (red, green, blue)  # 73 rows of 48, and half a row far below:
    pixels[355, 282:306] = (red, green, blue)  # 3528 in all, in a box of 48 × 149
    Picture.fromarray(pixels).save(tmp_path / "a.png")
    path = put(
        tmp_path,
        {
            "images": [picture(640, 480)],
            "annotations": [
                {
                    "image_id": 1,
                    "file_name": "a.png",
                    "segments_info": [
                        {"id": 263, "category_id": 1, "area": 1, "bbox": [0, 0, 1, 1]},
                        {"id": id, "category_id": 1, "area": 3528, "bbox": [282, 207, 48, 149]},
                    ],
                }
            ],
            "categories": [{"id": 1, "name": "sky", "isthing": 0}],
        },
    )
    got = read_all_ways(path)
    first, second = got.annotations
    assert (first.id, second.id) == ("263", "3937500")
    assert isinstance(second.value, Mask)
    assert masks.area(second.value) == 3528
    assert got.problems == []


def test_D13_a_base_name_that_two_folders_have_is_ambiguous(tmp_path: Path) -> None:
    table = put(tmp_path, "name,key\na/1.jpg,one\nb/1.jpg,two\n", "keys.csv")
    keys = Keys(table=table)
    assert keys.key("1.jpg", "1", {})[0] is None
    path = put(
        tmp_path,
        document(images=[{"id": 1, "width": 9, "height": 9, "file_name": "1.jpg"}]),
    )
    got = read(path, table=table)
    assert got.problems == [(codes.KEY_AMBIGUOUS.id, "/images/0")]
    assert got.samples == []


@pytest.mark.parametrize(("crowd", "count"), [("keep", 2), ("skip", 1)])
def test_D14_crowds_are_kept_with_a_note_or_skipped_and_counted(
    tmp_path: Path, crowd: str, count: int
) -> None:
    region = {"size": [80, 100], "counts": [0, 80, 7920]}
    path = put(
        tmp_path,
        document(
            record(),
            record(id=2, iscrowd=1, segmentation=region, bbox=[0, 0, 1, 80]),
        ),
    )
    got = read_all_ways(path, {"crowd": crowd})
    assert len(got.annotations) == count
    assert got.report.ledger.annotations.read == 2
    assert got.report.ledger.annotations.skipped == 2 - count
    assert got.report.counts.get(codes.CROWD_KEPT.id, 0) == count - 1


def test_an_option_of_a_crowd_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OptionError):
        read(put(tmp_path, document()), {"crowd": "maybe"})
