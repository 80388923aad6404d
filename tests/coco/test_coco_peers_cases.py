"""The hard inputs that other converters stumble over: P1 to P7 and P12 to P19.

Those that are about other formats alone (YOLO, VOC: P8 to P11) are tested with those formats.
"""

from __future__ import annotations

import json
import unicodedata
from pathlib import Path
from typing import Any

import pytest
from coco_help import document, picture, put, read, read_all_ways, record, rewritten, write

from labelconv import codes, geometry, masks
from labelconv.model import Box, Mask, Polygon, Samples

SQUARE = [10, 20, 40, 20, 40, 60, 10, 60]


def names(*file_names: str) -> list[dict[str, Any]]:
    return [
        {"id": number, "width": 100, "height": 80, "file_name": name}
        for number, name in enumerate(file_names, 1)
    ]


def test_P1_category_ids_may_have_gaps_be_zero_or_huge(tmp_path: Path) -> None:
    classes = [{"id": id, "name": f"class {id}"} for id in (0, 7, 74673216)]
    path = put(
        tmp_path,
        document(
            *(record(id=number, category_id=entry["id"]) for number, entry in enumerate(classes)),
            categories=classes,
        ),
    )
    got = read_all_ways(path)
    assert [a.category for a in got.annotations] == ["class 0", "class 7", "class 74673216"]
    assert got.problems == []
    target = tmp_path / "out.json"
    rewritten(path, target)
    assert json.loads(target.read_bytes())["categories"] == classes


def test_P2_classes_are_written_in_the_order_of_the_ontology_whatever_is_used(
    tmp_path: Path,
) -> None:
    paths = []
    for split, used in (("train", 4), ("val", 2)):
        source = put(tmp_path, document(record(category_id=used)), f"{split}.json")
        paths.append(tmp_path / f"{split}-out.json")
        rewritten(source, paths[-1])
    first, second = (json.loads(path.read_bytes())["categories"] for path in paths)
    assert first == second
    assert [entry["id"] for entry in first] == [1, 2, 4]


@pytest.mark.parametrize("crowd", [0, 1, None])
def test_P3_run_lengths_are_read_whatever_iscrowd_says(tmp_path: Path, crowd: int | None) -> None:
    mask = {"size": [80, 100], "counts": [0, 80, 7920]}
    path = put(tmp_path, document(record(segmentation=mask, iscrowd=crowd, bbox=[0, 0, 1, 80])))
    got = read_all_ways(path)
    assert got.only().value == Mask((80, 100), (0, 80, 7920))
    assert got.report.counts == ({codes.CROWD_KEPT.id: 1} if crowd else {})
    target = tmp_path / "out.json"
    rewritten(path, target)
    (written,) = json.loads(target.read_bytes())["annotations"]
    assert written["iscrowd"] == (crowd or 0), "a mask alone does not make a crowd"


def test_P4_run_lengths_three_ways_are_one_mask(tmp_path: Path) -> None:
    expected = Mask((2, 3), (2, 1, 3))
    spelled = json.dumps("213")
    for counts in ("[2,1,3]", spelled, "[2,1,0,0,3]"):
        text = json.dumps(
            document(
                record(segmentation="@", bbox=[1, 0, 1, 1]),
                images=[picture(3, 2)],
            )
        ).replace('"@"', '{"size": [2, 3], "counts": ' + counts + "}")
        assert read_all_ways(put(tmp_path, text)).only().value == expected
    write([*read(put(tmp_path, text)).samples], tmp_path / "out.json")
    assert isinstance(
        json.loads((tmp_path / "out.json").read_bytes())["annotations"][0]["segmentation"][
            "counts"
        ],
        str,
    )


@pytest.mark.parametrize(
    ("size", "counts", "code", "place"),
    [
        ([80, 100], [1, 2], codes.MASK_MALFORMED, "/counts"),
        ([80, 100], [8001], codes.MASK_MALFORMED, "/counts"),
        ([80, 100], [-1, 8001], codes.MASK_MALFORMED, "/counts"),
        ([80, 100], "~", codes.MASK_MALFORMED, "/counts"),
        ([80, 100], "213", codes.MASK_MALFORMED, "/counts"),
        ([80, 100], "é", codes.MASK_MALFORMED, "/counts"),
        ([80, 100], [1.5, 7998.5], codes.RECORD_MALFORMED, "/counts"),
        ([100, 80], [8000], codes.MASK_SIZE_MISMATCH, "/size"),
        ([40, 100], [4000], codes.MASK_SIZE_MISMATCH, "/size"),
        ([80], [8000], codes.RECORD_MALFORMED, "/size"),
        (["80", 100], [8000], codes.RECORD_MALFORMED, "/size"),
        ([10**9, 10**9], [10**18], codes.MASK_SIZE_MISMATCH, "/size"),
    ],
)
def test_P4_run_lengths_that_do_not_fill_the_picture_are_refused_alone(
    tmp_path: Path, size: Any, counts: Any, code: Any, place: str
) -> None:
    path = put(
        tmp_path, document(record(segmentation={"size": size, "counts": counts}), record(id=2))
    )
    got = read_all_ways(path)
    assert got.only().id == "2"
    assert got.problems == [(code.id, f"/annotations/0/segmentation{place}")]


@pytest.mark.parametrize("empty", [[], [[]], None, {}, "absent"])
def test_P5_no_outline_leaves_the_box(tmp_path: Path, empty: Any) -> None:
    one = record()
    if empty != "absent":
        one["segmentation"] = empty
    got = read_all_ways(put(tmp_path, document(one)))
    assert got.only().value == Box(10, 20, 40, 60)
    assert got.problems == []


@pytest.mark.parametrize("outline", [SQUARE[:-1], [[10, 20, 40]], [[10, 20, 40, 60]], [[1, 2] * 4]])
def test_P5_an_outline_that_cannot_be_drawn_leaves_the_box_and_is_told(
    tmp_path: Path, outline: Any
) -> None:
    got = read_all_ways(put(tmp_path, document(record(segmentation=outline))))
    assert got.only().value == Box(10, 20, 40, 60)
    assert got.problems == [(codes.SHAPE_REPLACED.id, "/annotations/0/segmentation/0")]


def test_P5_without_a_box_it_is_refused_alone(tmp_path: Path) -> None:
    path = put(tmp_path, document(record(segmentation=[[1, 2, 3, 4]], bbox=None), record(id=2)))
    got = read_all_ways(path)
    assert got.only().id == "2"
    assert got.problems == [(codes.SHAPE_INVALID.id, "/annotations/0/segmentation/0")]


def test_P6_a_hole_is_never_filled_and_never_an_object_of_its_own(tmp_path: Path) -> None:
    pixels = [[1, 1, 1], [1, 0, 1], [1, 1, 1]]
    ring = {"size": [3, 3], "counts": [0, 4, 1, 4]}
    path = put(
        tmp_path,
        document(
            record(segmentation=ring, bbox=[0, 0, 3, 3]),
            images=[picture(3, 3)],
        ),
    )
    mask = read(path).only().value
    assert isinstance(mask, Mask)
    assert masks.to_array(mask).tolist() == pixels
    got = read_all_ways(path, {"shape": "polygon"})
    polygon = got.only().value
    assert isinstance(polygon, Polygon)
    assert [len(part) for part in polygon.parts] == [2], "a shell and its hole"
    assert geometry.area(polygon) == 8
    target = tmp_path / "out.json"
    report = write(Samples(got.samples), target)
    (again,) = read(target).annotations
    assert again.value == mask
    assert report.losses == 0


@pytest.mark.parametrize(
    "ring",
    [
        [10, 20, 40, 60, 40, 20, 10, 60],
        [10, 20, 10, 20, 40, 20, 40, 60],
        [10, 20, 40, 60, 25, 40],
        SQUARE[::-1],
    ],
    ids=["crossing itself", "a point twice", "without area", "turned round"],
)
def test_P7_polygons_are_not_repaired_unasked(tmp_path: Path, ring: list[float]) -> None:
    got = read_all_ways(put(tmp_path, document(record(segmentation=[ring], bbox=None))))
    assert got.only().value == Polygon(((tuple(map(float, ring)),),))
    target = tmp_path / "out.json"
    write(Samples(got.samples), target)
    (written,) = json.loads(target.read_bytes())["annotations"]
    assert written["segmentation"] == [ring]


def test_P7_a_closing_point_repeated_is_the_same_ring(tmp_path: Path) -> None:
    got = read_all_ways(put(tmp_path, document(record(segmentation=[SQUARE + SQUARE[:2]]))))
    assert got.only().value == Polygon(((tuple(map(float, SQUARE)),),))


def test_P12_sizes_that_are_missing_are_never_zero(tmp_path: Path) -> None:
    images = [
        {"id": 1, "width": None, "height": None, "file_name": "null.jpg"},
        {"id": 2, "file_name": "absent.jpg"},
        {"id": 3, "width": "100", "height": "80", "file_name": "text.jpg"},
        {"id": 4, "width": 0, "height": 0, "file_name": "zero.jpg"},
    ]
    path = put(tmp_path, document(*(record(id=n, image_id=n) for n in (1, 2, 3, 4)), images=images))
    got = read_all_ways(path)
    sizes = {s.key: (s.media.width, s.media.height) for s in got.samples}
    assert sizes == {
        "null.jpg": (None, None),
        "absent.jpg": (None, None),
        "text.jpg": (100, 80),
    }
    assert (codes.RECORD_MALFORMED.id, "/images/3/width") in got.problems
    assert (codes.REFERENCE_DANGLING.id, "/annotations/3/image_id") in got.problems
    target = tmp_path / "out.json"
    write(Samples(got.samples), target)
    assert all(0 not in image.values() for image in json.loads(target.read_bytes())["images"])


def test_P13_the_size_is_the_one_in_the_file_and_no_picture_is_opened(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"not a picture")
    got = read_all_ways(put(tmp_path, document(record())))
    assert (got.samples[0].media.width, got.samples[0].media.height) == (100, 80)
    assert got.problems == []


def test_P14_pictures_without_annotations_come_through(tmp_path: Path) -> None:
    path = put(tmp_path, document(record(image_id=2), images=names("a.jpg", "b.jpg", "c.jpg")))
    got = read_all_ways(path)
    assert [(s.key, len(s.annotations)) for s in got.samples] == [
        ("a.jpg", 0),
        ("b.jpg", 1),
        ("c.jpg", 0),
    ]
    target = tmp_path / "out.json"
    rewritten(path, target)
    assert {i["file_name"] for i in json.loads(target.read_bytes())["images"]} == {
        "a.jpg",
        "b.jpg",
        "c.jpg",
    }


@pytest.mark.parametrize("annotations", ["absent", None, []])
def test_P14_a_file_of_pictures_alone_is_a_set_of_negatives(
    tmp_path: Path, annotations: Any
) -> None:
    whole = document(images=names("a.jpg", "b.jpg"))
    whole["annotations"] = annotations
    if annotations == "absent":
        del whole["annotations"]
    got = read_all_ways(put(tmp_path, whole))
    assert [s.key for s in got.samples] == ["a.jpg", "b.jpg"]
    assert got.problems == []


def test_P15_one_base_name_in_two_folders_is_two_pictures(tmp_path: Path) -> None:
    path = put(
        tmp_path,
        document(
            record(image_id=1),
            record(id=2, image_id=2),
            images=names("a/1.jpg", "b/1.jpg", "a/1.png"),
        ),
    )
    assert [s.key for s in read_all_ways(path).samples] == ["a/1.jpg", "b/1.jpg", "a/1.png"]
    collided = read_all_ways(path, key="{name}")
    assert [s.key for s in collided.samples] == ["1.jpg", "1.png"]
    assert sorted(collided.problems, key=str) == sorted(
        [
            (codes.KEY_COLLISION.id, "/images/1"),
            (codes.REFERENCE_DANGLING.id, "/annotations/1/image_id"),
        ],
        key=str,
    )
    assert len(read_all_ways(path, key="{stem}").samples) == 1
    assert len(read_all_ways(path, key="{path}").samples) == 3


@pytest.mark.parametrize(
    "name",
    [
        "folder\\picture.jpg",
        "caf%C3%A9.jpg",
        unicodedata.normalize("NFD", "café.jpg"),
        " leading and trailing ",
        "https://host/a/b.jpg?size=2&x=%20",
        "gs://bucket/b.jpg",
        "__MACOSX/._x.jpg",
        "x" * 200,
        "東/😀.jpg",
    ],
)
def test_P16_names_are_kept_to_the_letter(tmp_path: Path, name: str) -> None:
    path = put(tmp_path, document(record(), images=names(name)))
    got = read_all_ways(path)
    assert [s.key for s in got.samples] == [name]
    target = tmp_path / "out.json"
    rewritten(path, target)
    assert json.loads(target.read_bytes())["images"][0]["file_name"] == name


@pytest.mark.parametrize(
    ("name", "row"),
    [
        ("folder\\picture.jpg", "folder/picture.jpg"),
        ("caf%C3%A9.jpg", "café.jpg"),
        (unicodedata.normalize("NFD", "café.jpg"), "café.jpg"),
        ("./a/b.jpg", "a/b.jpg"),
        ("data/a/b.jpg", "a/b.jpg"),
        ("a b.jpg ", "a%20b.jpg"),
    ],
)
def test_P16_names_find_their_row_in_a_table_spelled_by_another_system(
    tmp_path: Path, name: str, row: str
) -> None:
    table = put(tmp_path, f"name,key\r\n{row},found\r\nother.jpg,no\r\n", "keys.csv")
    path = put(tmp_path, document(record(), images=names(name)))
    assert [s.key for s in read(path, table=table).samples] == ["found"]


def test_P16_a_name_of_more_than_200_characters_needs_another_key(tmp_path: Path) -> None:
    path = put(tmp_path, document(images=names("x" * 300 + ".jpg")))
    assert read_all_ways(path).problems == [(codes.KEY_TOO_LONG.id, "/images/0")]


@pytest.mark.parametrize(
    ("id", "text"),
    [
        (0, "0"),
        ("a-1", "a-1"),
        (2**53 + 1, "9007199254740993"),
        (2**63 + 5, "9223372036854775813"),
        (2**70, "1180591620717411303424"),
        (7.0, "7"),
        (-3, "-3"),
    ],
)
def test_P17_annotation_ids_of_every_size_are_kept(tmp_path: Path, id: Any, text: str) -> None:
    path = put(tmp_path, document(record(id=id)))
    assert read_all_ways(path).only().id == text
    target = tmp_path / "out.json"
    rewritten(path, target)
    assert json.loads(target.read_bytes())["annotations"][0]["id"] == id


@pytest.mark.parametrize("field", ["id", "image_id", "category_id"])
@pytest.mark.parametrize("value", [True, 1.5, [1], {"a": 1}])
def test_P17_an_id_that_is_none_is_refused_with_its_place(
    tmp_path: Path, field: str, value: Any
) -> None:
    path = put(tmp_path, document(record(**{field: value}), record(id=2)))
    got = read_all_ways(path)
    assert got.only().id == "2"
    assert got.problems == [(codes.RECORD_MALFORMED.id, f"/annotations/0/{field}")]


def test_P17_an_annotation_without_an_id_is_named_by_its_place(tmp_path: Path) -> None:
    path = put(tmp_path, document(record(id=None), record(id=None), record(id=5)))
    assert [a.id for a in read_all_ways(path).annotations] == ["0", "1", "5"]


def test_P17_ids_as_texts_and_as_numbers_find_each_other(tmp_path: Path) -> None:
    path = put(
        tmp_path,
        document(
            record(image_id=139, category_id="2"),
            images=[{"id": "139", "width": 9, "height": 9, "file_name": "a.jpg"}],
        ),
    )
    assert read_all_ways(path).only().category == "b"


def test_P17_a_file_listed_twice_with_other_ids_is_a_collision(tmp_path: Path) -> None:
    path = put(tmp_path, document(images=names("a.jpg", "a.jpg")))
    assert read_all_ways(path).problems == [(codes.KEY_COLLISION.id, "/images/1")]


@pytest.mark.parametrize(
    ("box", "code", "place"),
    [
        ([50, 60, -10, 20], codes.BOX_IMPOSSIBLE, "/bbox"),
        ([1, 2, 3], codes.RECORD_MALFORMED, "/bbox"),
        ([1, 2, 3, 4, 5, 6], codes.RECORD_MALFORMED, "/bbox"),
        (["x", 2, 3, 4], codes.RECORD_MALFORMED, "/bbox/0"),
        ([1, 2, None, 4], codes.RECORD_MALFORMED, "/bbox/2"),
        ("1,2,3,4", codes.RECORD_MALFORMED, "/bbox"),
        ([True, 2, 3, 4], codes.RECORD_MALFORMED, "/bbox/0"),
        ([1e308, 1, 1e308, 1], codes.NUMBER_NOT_FINITE, "/bbox"),
        ([10**400, 1, 2, 3], codes.NUMBER_NOT_FINITE, "/bbox/0"),
    ],
)
def test_P18_boxes_that_cannot_be_are_refused_alone(
    tmp_path: Path, box: Any, code: Any, place: str
) -> None:
    for size in ({"width": 100, "height": 80}, {}):
        path = put(
            tmp_path,
            document(
                record(bbox=box), record(id=2), images=[{"id": 1, "file_name": "a.jpg", **size}]
            ),
        )
        got = read_all_ways(path)
        assert got.only().id == "2"
        assert (code.id, f"/annotations/0{place}") in got.problems


@pytest.mark.parametrize("token", ["NaN", "Infinity", "-Infinity", "1e400"])
def test_P18_numbers_that_are_none_are_refused_alone(tmp_path: Path, token: str) -> None:
    text = json.dumps(document(record(bbox=["@", 3, 4, 5]), record(id=2)))
    got = read_all_ways(put(tmp_path, text.replace('"@"', token)))
    assert got.only().id == "2"
    assert got.problems == [(codes.NUMBER_NOT_FINITE.id, "/annotations/0/bbox/0")]


@pytest.mark.parametrize(
    ("box", "code"),
    [
        ([-5, 5, 10, 10], codes.OUTSIDE_MEDIA),
        ([500, 500, 10, 10], codes.OUTSIDE_MEDIA),
        ([5, 6, 0, 7], codes.AREA_ZERO),
        (["12.0", 3, 4, 5], codes.NUMBER_AS_TEXT),
        ([50, 40, 20, 10, 30], codes.CONVENTION_GUESSED),
    ],
)
def test_P18_odd_boxes_are_read_as_they_are_and_told(
    tmp_path: Path, box: list[Any], code: Any
) -> None:
    got = read_all_ways(put(tmp_path, document(record(bbox=box))))
    assert list(got.report.counts) == [code.id]
    value = got.only().value
    if len(box) == 4:
        assert isinstance(value, Box)
        assert [value.x0, value.y0] == [float(number) for number in box[:2]]


def test_P18_rounding_at_the_border_is_not_worth_a_note(tmp_path: Path) -> None:
    assert read_all_ways(put(tmp_path, document(record(bbox=[-0.01, 0, 10, 80])))).problems == []


def test_P19_coordinates_keep_all_their_digits(tmp_path: Path) -> None:
    ring = [7679.123456789, 4319.987654321, 0.1, 1 / 3, 1e-9, 4000.000000001]
    path = put(
        tmp_path,
        document(
            record(segmentation=[ring], bbox=None),
            images=[picture(7680, 4320)],
        ),
    )
    assert read_all_ways(path).only().value == Polygon(((tuple(ring),),))
    for hop in range(3):
        target = tmp_path / f"{hop}.json"
        rewritten(path, target)
        path = target
    assert json.loads(path.read_bytes())["annotations"][0]["segmentation"] == [ring]
