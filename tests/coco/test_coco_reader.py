"""The COCO reader: kinds of file, whole files that are wrong, options, captions, results, LVIS."""

from __future__ import annotations

import gzip
import importlib
import json
from pathlib import Path
from typing import Any

import pytest
from coco_help import SHARED, document, picture, put, read, read_all_ways, record
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from labelconv import codes, geometry
from labelconv.errors import OptionError, SourceError
from labelconv.format import Wanted
from labelconv.model import Box, FreeText, Keypoint, Keypoints, Mask, Polygon

SQUARE = [10, 20, 40, 20, 40, 60, 10, 60]


# ------------------------------------------------------------------------- files as a whole


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"  \n",
        b'"images"',
        b"17",
        b"null",
        b"{}",
        b'{"annotations": []}',
        b'{"images": {}}',
        b'{"images": [}',
        b'{"images": []} []',
        b'{"images": [], "annotations": [], "categories": {}}',
        b'{"images": [], "categories": [{"id": 1}], "categories": []}',
        b'{"videos": [], "annotations": []}',
        '{"images": []}'.encode("utf-16"),
        b"\x00\x01\x02",
        gzip.compress(b'{"images": []}', mtime=0)[:-9],
    ],
)
def test_what_is_no_coco_file_is_refused_in_a_sentence(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(SourceError) as caught:
        read(put(tmp_path, content))
    assert "instances.json" in str(caught.value)


def test_a_file_cut_off_anywhere_is_refused_and_never_read_as_less(tmp_path: Path) -> None:
    whole = json.dumps(document(record(), record(id=2, segmentation=[SQUARE]))).encode()
    for end in range(1, len(whole)):
        with pytest.raises(SourceError):
            read(put(tmp_path, whole[:end]))


@settings(
    max_examples=300,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
def test_a_byte_changed_anywhere_is_a_problem_or_a_sentence_and_never_a_traceback(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    whole = bytearray(
        json.dumps(document(record(), record(id=2, segmentation=[SQUARE]), record(id=3))).encode()
    )
    for _ in range(data.draw(st.integers(1, 3))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    path = put(tmp_path_factory.mktemp("fuzz"), bytes(whole))
    try:
        got = read(path)
    except SourceError:
        return
    assert got.report.ledger.balanced


def test_a_packed_file_and_one_with_a_byte_order_mark_are_read(tmp_path: Path) -> None:
    plain = json.dumps(document(record())).encode()
    packed = read_all_ways(put(tmp_path, gzip.compress(plain), "instances.json.gz"))
    marked = read_all_ways(put(tmp_path, b"\xef\xbb\xbf" + plain))
    assert packed.samples == marked.samples
    assert packed.problems == []
    assert marked.problems == [(codes.ENCODING_MARK.id, None)]


@pytest.mark.parametrize(
    "order",
    [
        ["annotations", "categories", "images"],
        ["categories", "annotations", "images"],
        ["images", "categories", "annotations"],
        ["annotations", "images", "categories"],
    ],
)
@pytest.mark.parametrize("indent", [None, 1])
def test_the_order_of_the_arrays_does_not_matter(
    tmp_path: Path, order: list[str], indent: int | None
) -> None:
    usual = document(record(), record(id=2, category_id=4, segmentation=[SQUARE]))
    expected = read_all_ways(put(tmp_path, usual)).samples
    text = json.dumps({name: usual[name] for name in order}, indent=indent)
    got = read_all_ways(put(tmp_path, text))
    assert got.samples == expected
    assert got.problems == []


def test_two_arrays_of_annotations_are_both_read_and_told(tmp_path: Path) -> None:
    one, two = json.dumps([record()]), json.dumps([record(id=2)])
    images = json.dumps(document()["images"])
    text = (
        f'{{"images":{images},"annotations":{one},"annotations":{two},'
        '"categories":[{"id":1,"name":"a"}]}'
    )
    got = read(put(tmp_path, text), wanted=Wanted(pieces=True))
    assert sorted(a.id for a in got.annotations) == ["1", "2"]
    assert (codes.KEY_REPEATED.id, "/annotations") in got.problems


def test_a_record_too_deep_to_parse_is_refused_alone(tmp_path: Path) -> None:
    text = json.dumps(document(record(), record(id=2, x="@"), record(id=3)))
    got = read_all_ways(put(tmp_path, text.replace('"@"', "[" * 5000 + "]" * 5000)))
    assert [a.id for a in got.annotations] == ["1", "3"]
    assert got.problems == [(codes.RECORD_MALFORMED.id, "/annotations/1")]


@pytest.mark.parametrize("junk", [7, None, "x", [], [1, 2]])
def test_a_record_that_is_no_object_is_refused_alone(tmp_path: Path, junk: Any) -> None:
    got = read_all_ways(put(tmp_path, document(record(), junk, record(id=3))))
    assert [a.id for a in got.annotations] == ["1", "3"]
    assert got.problems == [(codes.RECORD_MALFORMED.id, "/annotations/1")]


def test_an_annotation_longer_than_any_window_is_read(tmp_path: Path) -> None:
    ring = [float(number % 97) for number in range(400_000)]
    got = read_all_ways(
        put(tmp_path, document(record(), record(id=2, segmentation=[ring], bbox=None)))
    )
    value = got.annotations[1].value
    assert isinstance(value, Polygon)
    assert len(value.parts[0][0]) == 400_000


def test_without_pictures_every_annotation_dangles(tmp_path: Path) -> None:
    got = read_all_ways(put(tmp_path, document(record(), record(id=2), images=[])))
    assert got.samples == []
    assert got.problems == [
        (codes.REFERENCE_DANGLING.id, f"/annotations/{n}/image_id") for n in (0, 1)
    ]


@pytest.mark.parametrize("member", ["images", "categories", "annotations"])
def test_bytes_that_are_no_utf8_cost_one_record(tmp_path: Path, member: str) -> None:
    whole = document(record(), record(id=2, category_id=2))
    whole["images"].append({"id": 2, "width": 1, "height": 1, "file_name": "b.jpg"})
    whole[member][1]["x"] = "@"
    text = json.dumps(whole).encode().replace(b'"@"', b'"\xff\xfe"')
    expected = [(codes.RECORD_MALFORMED.id, f"/{member}/1")]
    if member == "categories":
        expected.append((codes.REFERENCE_DANGLING.id, "/annotations/1/category_id"))
    # Where nobody wants the extra fields, those of pictures are not even looked at.
    assert read(put(tmp_path, text)).problems == expected


# ------------------------------------------------------------------------- options


@pytest.mark.parametrize(
    ("shape", "kinds"),
    [
        ("auto", [Polygon, Mask, Box]),
        ("box", [Box, Box, Box]),
        ("polygon", [Polygon, Polygon, Box]),
        ("mask", [Mask, Mask, Mask]),
    ],
)
def test_the_shape_that_was_asked_for_is_read(
    tmp_path: Path, shape: str, kinds: list[type]
) -> None:
    path = put(
        tmp_path,
        document(
            record(segmentation=[SQUARE]),
            record(
                id=2, segmentation={"size": [80, 100], "counts": [0, 80, 7920]}, bbox=[0, 0, 1, 80]
            ),
            record(id=3),
        ),
    )
    got = read_all_ways(path, {"shape": shape})
    assert [type(a.value) for a in got.annotations] == kinds
    assert got.report.counts == ({codes.SHAPE_NOT_READ.id: 1} if shape == "box" else {})


def test_the_class_may_come_from_another_field(tmp_path: Path) -> None:
    classes = [{"id": 1, "name": "baby", "synset": "person.n.01", "synonyms": ["child", "baby"]}]
    path = put(tmp_path, document(record(), categories=classes))
    found = {
        key: read_all_ways(path, {"class_key": key}).only().category
        for key in ("name", "synset", "synonyms", "id")
    }
    assert found == {"name": "baby", "synset": "person.n.01", "synonyms": "child", "id": "1"}


def test_two_ids_of_one_name_are_one_class_and_told(tmp_path: Path) -> None:
    classes = [{"id": 1, "name": "a"}, {"id": 2, "name": "a"}]
    path = put(tmp_path, document(record(), record(id=2, category_id=2), categories=classes))
    got = read_all_ways(path)
    assert [a.category for a in got.annotations] == ["a", "a"]
    assert got.problems == [(codes.CONVENTION_GUESSED.id, "/categories/1")]


# ------------------------------------------------------------------------- keypoints


def test_keypoints_keep_names_visibility_and_outline(tmp_path: Path) -> None:
    classes = [{"id": 1, "name": "p", "keypoints": ["nose", "eye"], "skeleton": [[1, 2]]}]
    path = put(
        tmp_path,
        document(
            record(segmentation=[SQUARE], keypoints=[20, 30, 2, 25, 31, 1], num_keypoints=2),
            record(id=2, keypoints=[20, 30, 2, 25, 31, 0], bbox=None),
            record(id=3, keypoints=[0] * 6, num_keypoints=0),
            categories=classes,
        ),
    )
    got = read_all_ways(path)
    nose, eye = Keypoint("nose", 20, 30), Keypoint("eye", 25, 31, visible=False)
    square = Polygon(((tuple(map(float, SQUARE)),),))
    assert [a.value for a in got.annotations] == [
        Keypoints((nose, eye), square),
        Keypoints((nose,)),
        Box(10, 20, 40, 60),
    ]
    (category,) = got.dataset.ontology.categories
    assert category.skeleton == ((0, 1),)


def test_a_skeleton_that_counts_from_zero_is_recognised(tmp_path: Path) -> None:
    classes = [{"id": 1, "name": "p", "keypoints": ["a", "b", "c"], "skeleton": [[0, 1], [1, 2]]}]
    got = read(put(tmp_path, document(categories=classes)))
    assert got.dataset.ontology.categories[0].skeleton == ((0, 1), (1, 2))


def test_keypoints_without_names_are_numbered(tmp_path: Path) -> None:
    path = put(tmp_path, document(record(keypoints=[1, 2, 2, 3, 4, 2], bbox=None)))
    value = read_all_ways(path).only().value
    assert isinstance(value, Keypoints)
    assert [point.name for point in value.points] == ["kp_0", "kp_1"]


def test_a_box_that_is_only_the_hull_of_its_points_is_no_outline(tmp_path: Path) -> None:
    path = put(tmp_path, document(record(keypoints=[1, 2, 2, 5.5, 9, 1], bbox=[1, 2, 4.5, 7])))
    value = read_all_ways(path).only().value
    assert isinstance(value, Keypoints)
    assert value.outline is None


# ------------------------------------------------------------------------- captions, fields


def test_captions_are_answers_about_the_picture(tmp_path: Path) -> None:
    captions = [
        {"id": 1, "image_id": 1, "caption": "one"},
        {"id": 2, "image_id": 1, "caption": ""},
        {"id": 3, "image_id": 9, "caption": "lost"},
        {"id": 4, "image_id": 1, "caption": 7},
        {"id": 5, "image_id": 1, "caption": "third", "mood": "good"},
    ]
    got = read_all_ways(put(tmp_path, document(*captions)), {"caption": "text"})
    (found,) = got.samples
    assert [(c.name, c.answer) for c in found.classifications] == [
        ("text", FreeText("one")),
        ("text 2", FreeText("")),
        ("text 3", FreeText("third")),
    ]
    assert got.problems == [
        (codes.REFERENCE_DANGLING.id, "/annotations/2/image_id"),
        (codes.RECORD_MALFORMED.id, "/annotations/3/caption"),
    ]
    assert got.report.ledger.classifications.read == 4
    assert got.report.fields == {"coco:mood": 1}


def test_fields_nobody_writes_are_counted_by_name(tmp_path: Path) -> None:
    path = put(
        tmp_path,
        document(
            record(area=5, iscrowd=1, dp_x=[1], attributes={"occluded": True}),
            record(id=2, area=5, dp_x=[1]),
            info={"year": 2026},
            images=[{"id": 1, "width": 100, "height": 80, "file_name": "a.jpg", "license": 1}],
            categories=[{"id": 1, "name": "a", "supercategory": "b"}],
        ),
    )
    left = read(path, wanted=Wanted(pieces=True, extra=frozenset())).report.fields
    assert left == {
        "coco:area": 2,
        "coco:iscrowd": 1,
        "coco:dp_x": 2,
        "coco:attributes": 1,
        "coco:license (of images)": 1,
        "coco:supercategory (of categories)": 1,
        "coco:info (of the file)": 1,
    }
    kept = read(path)
    assert kept.report.fields == {}
    assert kept.annotations[0].extra["coco:attributes"] == {"occluded": True}
    assert kept.dataset.info == {"coco:info": {"year": 2026}}


@pytest.mark.parametrize("extra", [None, frozenset[str]()])
@pytest.mark.parametrize("pieces", [True, False])
@pytest.mark.parametrize("more", [{}, {"unusual": [1, {"a": None}], "num_keypoints": 0}])
def test_the_usual_way_and_the_careful_way_say_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, more: Any, pieces: bool, extra: Any
) -> None:
    """What is fast reads records about which nothing has to be said; here it is left out once."""
    shapes: list[dict[str, Any]] = [
        {"segmentation": [SQUARE]},
        {"segmentation": [SQUARE + SQUARE[:2]]},
        {"segmentation": [SQUARE, [1, 2, 3, 4, 5, 9]], "bbox": [1, 2, 39, 58]},
        {"segmentation": [SQUARE], "bbox": [11, 20, 30, 40]},
        {"segmentation": [[1, 2, 1, 2, 5, 9]], "bbox": [1, 2, 4, 7]},
        {"segmentation": []},
        {"bbox": [0, 0, 100, 80], "score": 0.25, "area": 3},
        {"bbox": [0, 0, 101, 80]},
        {"bbox": [0, 0, 0, 80], "id": "seven"},
        {"iscrowd": 1},
        {"id": 3},
        {"keypoints": [1, 1, 2]},
    ]
    records = [record(**{"id": n, **each, **more}) for n, each in enumerate(shapes)]
    path = put(tmp_path, document(*records))
    wanted = Wanted(pieces=pieces, extra=extra)
    options = [{"shape": shape} for shape in ("auto", "box", "polygon", "mask")]
    fast = [read(path, each, wanted=wanted) for each in options]
    # The package has an attribute of that name from its first line, `from __future__`.
    module = importlib.import_module("labelconv.formats.coco.annotations")
    monkeypatch.setattr(module, "usual", lambda stream: lambda record, others: None)
    for each, quick in zip(options, fast, strict=True):
        slow = read(path, each, wanted=wanted)
        assert quick.annotations == slow.annotations
        assert quick.problems == slow.problems
        assert quick.report.as_dict() == slow.report.as_dict()
    if extra is None and more:
        assert fast[0].annotations[0].extra["coco:unusual"] == more["unusual"]


@pytest.mark.parametrize("key", [None, "{id}"])
def test_the_usual_pictures_and_the_careful_way_say_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, key: str | None
) -> None:
    plain = {"width": 100, "height": 80}
    pictures: list[dict[str, Any]] = [
        {"id": 1, "file_name": "a.jpg", **plain},
        {"id": 2, "file_name": "b/a.jpg", **plain, "license": 3, "coco_url": "http://h/a.jpg"},
        {"id": 2, "file_name": "again.jpg", **plain},
        {"id": 3, "file_name": "a.jpg", **plain},
        {"id": "1", "file_name": "c.jpg", **plain},
        {"id": 1, "file_name": "d.jpg", **plain},
        {"id": "8", "file_name": "e.jpg", **plain},
        {"id": 8, "file_name": "f.jpg", **plain},
        {"id": 9, "file_name": "g" * 201, **plain},
        {"id": 10, "coco_url": "http://h/h.jpg", **plain},
        {"id": 11, "file_name": "i.jpg"},
        {"id": 12, "file_name": "j.jpg", "width": -1, "height": 80},
        {"id": 13, "file_name": "", **plain},
    ]
    boxes = [record(id=n, image_id=each["id"]) for n, each in enumerate(pictures)]
    path = put(tmp_path, document(*boxes, images=pictures))
    wanted = Wanted(pieces=True, extra=frozenset())
    fast = read(path, wanted=wanted, key=key)
    module = importlib.import_module("labelconv.formats.coco.pictures")
    monkeypatch.setattr(module._Adding, "usual", lambda self, record: False)
    slow = read(path, wanted=wanted, key=key)
    assert (fast.samples, fast.problems) == (slow.samples, slow.problems)
    assert fast.report.as_dict() == slow.report.as_dict()


# ------------------------------------------------------------------------- results


def test_results_need_their_categories(tmp_path: Path) -> None:
    results = [{"image_id": n, "category_id": 18, "bbox": [1, 2, 3, 4], "score": 1} for n in (1, 2)]
    path = put(tmp_path, results)
    without = read_all_ways(path)
    assert without.annotations == []
    assert without.problems == [(codes.REFERENCE_DANGLING.id, f"/{n}/category_id") for n in (0, 1)]
    classes = put(tmp_path, [{"id": 18, "name": "dog"}], "classes.json")
    with_them = read_all_ways(path, {"categories": str(classes)})
    assert [(s.key, len(s.annotations)) for s in with_them.samples] == [("1", 1), ("2", 1)]
    assert with_them.problems == []


def test_a_file_without_categories_is_not_taken_for_one_with(tmp_path: Path) -> None:
    with pytest.raises(OptionError):
        read(put(tmp_path, []), {"categories": str(put(tmp_path, {"a": 1}, "classes.json"))})


def test_results_take_names_and_sizes_from_the_ground_truth(tmp_path: Path) -> None:
    truth = put(tmp_path, document(), "truth.json")
    path = put(
        tmp_path,
        [
            {"image_id": 1, "category_id": 4, "bbox": [1, 2, 3, 4], "score": 0.5},
            {"image_id": 2, "category_id": 4, "bbox": [1, 2, 3, 4], "score": 0.5},
        ],
    )
    got = read_all_ways(path, {"categories": str(truth)})
    assert got.only().category == "c"
    assert got.samples[0].key == "a.jpg"
    assert got.problems == [(codes.REFERENCE_DANGLING.id, "/1/image_id")]


@pytest.mark.parametrize("kind", ["bbox", "segm"])
def test_real_results_are_read_whole(tmp_path: Path, kind: str) -> None:
    path = SHARED / "coco-results" / f"instances_val2014_fake{kind}100_results.json"
    if not path.exists():
        pytest.skip("no ../shared/data")
    classes = put(tmp_path, [{"id": n, "name": f"class {n}"} for n in range(1, 91)], "c.json")
    got = read_all_ways(path, {"categories": str(classes)})
    assert len(got.annotations) == len(json.loads(path.read_bytes()))
    assert got.report.errors == 0
    assert {type(a.value) for a in got.annotations} == {Box if kind == "bbox" else Mask}


# ------------------------------------------------------------------------- LVIS


def test_lvis_pictures_are_named_by_their_address(tmp_path: Path) -> None:
    image = {
        "id": 5,
        "width": 100,
        "height": 80,
        "coco_url": "http://images.cocodataset.org/val2017/000000000005.jpg?x=1",
        "neg_category_ids": [3],
        "not_exhaustive_category_ids": [],
    }
    got = read_all_ways(put(tmp_path, document(record(image_id=5), images=[image])))
    (found,) = got.samples
    assert found.key == "val2017/000000000005.jpg"
    assert found.extra["coco:neg_category_ids"] == [3]


def test_real_lvis_is_read_whole_with_its_parts() -> None:
    path = SHARED / "lvis" / "lvis_val_100.json"
    if not path.exists():
        pytest.skip("no ../shared/data")
    got = read_all_ways(path)
    parts = [a for a in got.annotations if isinstance(a.value, Polygon) and len(a.value.parts) > 1]
    assert (len(got.samples), len(got.annotations), len(parts)) == (100, 977, 98)
    assert len(got.dataset.ontology.categories) == 1230
    assert got.report.errors == 0


def test_the_turned_box_of_a_skeleton_is_its_outline_as_a_polygon(tmp_path: Path) -> None:
    points = [10, 20, 2, 14, 22, 1]
    path = put(tmp_path, document(record(keypoints=points, bbox=[20, 20, 10, 4, 90])))
    value = read_all_ways(path).only().value
    assert isinstance(value, Keypoints)
    assert isinstance(value.outline, Polygon)
    around = geometry.bounds(value.outline)
    assert around is not None
    edges = (around.x0, around.y0, around.x1, around.y1)
    assert edges == pytest.approx((18, 15, 22, 25))


@pytest.mark.parametrize("ids", [[7, 9, 2], [7, 900_000_000, 2], [7, -1, 2], [7, "9", 2]], ids=str)
def test_pictures_are_found_whatever_numbers_or_texts_their_ids_are(
    tmp_path: Path, ids: list[int | str]
) -> None:
    unknown: list[Any] = [-7, 8, 10**6, 2**70, "x"]
    wanted = [*reversed(ids), *unknown, *ids]
    annotations = [record(id=at, image_id=id) for at, id in enumerate(wanted)]
    images = [{**picture(100, 80), "id": id, "file_name": f"{id}.jpg"} for id in ids]
    got = read_all_ways(put(tmp_path, document(*annotations, images=images)))
    found = [[sample.key, *(each.id for each in sample.annotations)] for sample in got.samples]
    first, second, third = (f"{id}.jpg" for id in ids)
    assert found == [[first, "2", "8"], [second, "1", "9"], [third, "0", "10"]]
    assert got.report.counts == {"R103": len(unknown)}
