"""What `diff` calls a difference, and by how much."""

from __future__ import annotations

import time
from pathlib import Path

import msgspec
import pytest

from labelconv import geometry
from labelconv.diff import Difference, diff
from labelconv.model import (
    Annotation,
    Box,
    Category,
    Classification,
    FreeText,
    Image,
    Keypoint,
    Keypoints,
    Mask,
    Ontology,
    OrientedBox,
    Point,
    Polygon,
    Polyline,
    Radio,
    Relation,
    Sample,
    Samples,
    TextSpan,
    Value,
    Video,
)
from labelconv.sample_data import generate

SQUARE = (10.0, 10.0, 20.0, 10.0, 20.0, 20.0, 10.0, 20.0)
FAR = (50.0, 50.0, 70.0, 50.0, 70.0, 70.0, 50.0, 70.0)


def _dataset(*values: Value, category: str = "cat") -> Samples:
    annotations = tuple(
        Annotation(str(number), category, value) for number, value in enumerate(values, 1)
    )
    return Samples([Sample("a", Image(100.0, 100.0), annotations)])


def _compared(ours: Value, theirs: Value, tolerance: float = 1e-3) -> Difference:
    return diff(_dataset(ours), _dataset(theirs), tolerance=tolerance)


def test_a_dataset_is_the_same_as_itself() -> None:
    found = diff(generate(8, 3), generate(8, 3))
    assert found.is_none
    assert found.same == found.annotations_a > 20
    assert found.details == {}


@pytest.mark.parametrize(
    ("ours", "theirs", "drift"),
    [
        (Box(0, 0, 10, 10), Box(0, 0.5, 10, 10.5), 0.5),
        (Point(1, 2), Point(1, 5), 3),
        (Polyline((0, 0, 10, 0)), Polyline((12, 0, 0, 0)), 2),
        (Polygon(((SQUARE,),)), Polygon(((tuple(n + 0.25 for n in SQUARE),),)), 0.25),
        (OrientedBox(50, 50, 20, 10, 0), OrientedBox(51, 50, 20, 10, 0), 1),
        (
            Keypoints((Keypoint("nose", 1, 1), Keypoint("ear", 5, 5))),
            Keypoints((Keypoint("nose", 1, 1), Keypoint("ear", 5, 7))),
            2,
        ),
    ],
)
def test_a_shape_that_moved_is_told_with_the_distance(
    ours: Value, theirs: Value, drift: float
) -> None:
    found = _compared(ours, theirs)
    assert [change.what for change in found.changes] == ["moved"]
    assert found.changes[0].drift == pytest.approx(drift)
    assert _compared(ours, theirs, tolerance=drift).is_none


def test_a_ring_that_starts_elsewhere_or_runs_the_other_way_is_the_same() -> None:
    turned = SQUARE[4:] + SQUARE[:4]
    pairs = list(zip(SQUARE[::2], SQUARE[1::2], strict=True))[::-1]
    backward = tuple(number for pair in pairs for number in pair)
    for ring in (turned, backward):
        assert _compared(Polygon(((SQUARE,),)), Polygon(((ring,),))).is_none


def test_an_oriented_box_spelled_by_its_other_side_is_the_same() -> None:
    assert _compared(OrientedBox(50, 50, 20, 10, 0), OrientedBox(50, 50, 10, 20, 90)).is_none


def test_another_kind_of_shape_is_told_with_its_iou() -> None:
    square = Polygon(((SQUARE,),))
    mask = geometry.polygon_mask(square, 100, 100)
    found = _compared(square, mask)
    assert found.counts == {"kind": 1}
    assert found.changes[0].iou == pytest.approx(geometry.iou(square, mask))
    assert found.changes[0].words == "polygon is mask"


def test_other_points_are_told_as_reshaped_with_the_iou() -> None:
    triangle = (10.0, 10.0, 20.0, 10.0, 20.0, 20.0)
    found = _compared(Polygon(((SQUARE,),)), Polygon(((triangle,),)))
    assert found.counts == {"reshaped": 1}
    assert found.changes[0].iou == pytest.approx(0.5)


def test_a_mask_that_lost_a_pixel_is_reshaped() -> None:
    found = _compared(Mask((10, 10), (0, 50, 50)), Mask((10, 10), (0, 49, 51)))
    assert found.counts == {"reshaped": 1}
    assert found.changes[0].iou == pytest.approx(0.98)


def test_parts_as_annotations_of_their_own_are_one_split_and_back_one_join() -> None:
    whole = _dataset(Polygon(((SQUARE,), (FAR,))))
    parts = _dataset(Polygon(((SQUARE,),)), Polygon(((FAR,),)))
    there, back = diff(whole, parts), diff(parts, whole)
    assert there.counts == {"split": 1}
    assert there.changes[0].a == ("1",)
    assert there.changes[0].b == ("1", "2")
    assert there.changes[0].iou == 1.0
    assert back.counts == {"joined": 1}
    assert back.changes[0].a == ("1", "2")


def test_parts_that_were_redrawn_a_little_are_still_a_split() -> None:
    nudged = tuple(number + 0.001 for number in FAR)
    mask = geometry.polygon_mask(Polygon(((SQUARE,),)), 100, 100)
    found = diff(_dataset(Polygon(((SQUARE,), (FAR,)))), _dataset(Polygon(((nudged,),)), mask))
    assert found.counts == {"split": 1}
    assert 0.99 < (found.changes[0].iou or 0) < 1


def test_a_mask_that_became_polygons_is_a_split() -> None:
    both = Polygon(((SQUARE,), (FAR,)))
    mask = geometry.polygon_mask(both, 100, 100)
    found = diff(_dataset(mask), _dataset(Polygon(((SQUARE,),)), Polygon(((FAR,),))))
    assert found.counts == {"split": 1}


def test_half_of_the_parts_is_no_split() -> None:
    found = diff(
        _dataset(Polygon(((SQUARE,), (FAR,)))),
        _dataset(Polygon(((FAR,),)), Box(0, 80, 5, 95)),
    )
    assert "split" not in found.counts
    assert len(found.annotations_only_in_b) == 1


def test_what_is_far_away_is_another_object() -> None:
    found = _compared(Box(0, 0, 10, 10), Box(80, 80, 90, 90))
    assert found.changes == ()
    assert [place.annotation for place in found.annotations_only_in_a] == ["1"]
    assert [place.kind for place in found.annotations_only_in_b] == ["box"]


def test_the_best_pairs_are_taken_first() -> None:
    ours = (Box(0, 0, 10, 10), Box(2, 0, 12, 10))
    theirs = (Box(2.1, 0, 12.1, 10), Box(0.1, 0, 10.1, 10))
    found = diff(_dataset(*ours), _dataset(*theirs))
    assert sorted((change.a, change.b) for change in found.changes) == [
        (("1",), ("2",)),
        (("2",), ("1",)),
    ]


def test_an_equal_shape_of_another_category_is_told_as_that() -> None:
    found = diff(_dataset(Box(0, 0, 1, 1)), _dataset(Box(0, 0, 1, 1), category="dog"))
    assert found.counts == {"category": 1}
    assert found.changes[0].words == "'cat' is 'dog'"
    assert found.details == {"category only in A": 1, "category only in B": 1}


def test_equal_annotations_that_are_there_twice_are_counted_twice() -> None:
    found = diff(_dataset(Box(0, 0, 1, 1), Box(0, 0, 1, 1)), _dataset(Box(0, 0, 1, 1)))
    assert found.same == 1
    assert len(found.annotations_only_in_a) == 1


def _with(sample: Sample, **changes: object) -> Samples:
    return Samples([msgspec.structs.replace(sample, **changes)])


def _sample() -> Sample:
    first = Annotation("1", "cat", Box(0, 0, 10, 10), (Classification("fur", Radio("long")),), 0.5)
    second = Annotation("2", "dog", Point(5, 5))
    return Sample(
        "a",
        Image(100.0, 80.0),
        (first, second),
        (Classification("remark", FreeText("x")),),
        (Relation("r", "near", "1", "2"),),
        "a.jpg",
        extra={"coco:id": 7},
    )


def test_confidence_answers_and_relations_are_compared() -> None:
    sample = _sample()
    first, second = sample.annotations
    for changes, counts in (
        ({"annotations": (msgspec.structs.replace(first, confidence=0.6), second)}, "confidence"),
        ({"annotations": (msgspec.structs.replace(first, confidence=None), second)}, "confidence"),
        ({"annotations": (msgspec.structs.replace(first, classifications=()), second)}, "answers"),
        ({"classifications": ()}, "answers"),
        ({"relations": ()}, "relation"),
        ({"media": Image(100.0, 81.0)}, "media"),
        ({"media": Video(100.0, 80.0)}, "media"),
    ):
        found = diff(Samples([sample]), _with(sample, **changes))
        assert found.counts == {counts: 1}, changes


def test_a_relation_follows_its_ends_when_they_have_other_ids() -> None:
    sample = _sample()
    renamed = tuple(msgspec.structs.replace(a, id=f"x{a.id}") for a in sample.annotations)
    found = diff(
        Samples([sample]),
        _with(sample, annotations=renamed, relations=(Relation("q", "near", "x1", "x2"),)),
    )
    assert found.is_none
    assert found.details == {"annotation id differs": 2}


def test_a_relation_the_other_way_round_is_two_differences() -> None:
    sample = _sample()
    turned = (Relation("r", "near", "2", "1"),)
    assert diff(Samples([sample]), _with(sample, relations=turned)).counts == {"relation": 2}


def test_what_one_side_does_not_say_is_a_detail_and_no_difference() -> None:
    sample = _sample()
    found = diff(Samples([sample]), _with(sample, media=Image(), uri=None, extra={"coco:id": 8}))
    assert found.is_none
    assert found.details == {
        "coco:id (of the sample) differs": 1,
        "height only in A": 1,
        "uri only in A": 1,
        "width only in A": 1,
    }


def test_categories_that_nobody_uses_are_details() -> None:
    ours = Samples([], Ontology(categories=(Category(name="cat"), Category(name="hen"))))
    theirs = Samples([], Ontology(categories=(Category(name="cat"),)))
    found = diff(ours, theirs)
    assert found.is_none
    assert found.details == {"category only in A": 1}


def test_samples_on_one_side_are_listed_and_the_empty_ones_counted() -> None:
    empty = Sample("e", Image())
    found = diff(Samples([_sample(), empty]), Samples([]))
    assert found.samples_only_in_a == ("a", "e")
    assert found.empty_only_in_a == 1
    assert len(found.annotations_only_in_a) == 2
    assert not found.is_none


def test_spans_are_matched_when_they_are_equal() -> None:
    assert _compared(TextSpan(0, 3), TextSpan(0, 3)).is_none
    assert len(_compared(TextSpan(0, 3), TextSpan(0, 4)).annotations_only_in_a) == 1


def test_files_are_read_when_paths_are_given(tmp_path: Path) -> None:
    import labelconv

    for name in ("a", "b"):
        labelconv.write(generate(2), tmp_path / f"{name}.native.ndjson", "native")
    found = labelconv.diff(tmp_path / "a.native.ndjson", tmp_path / "b.native.ndjson")
    assert found.is_none
    assert found.as_dict()["same_content"] is True


def test_a_thousand_annotations_in_one_sample_are_compared_in_seconds() -> None:
    ours = [
        Box(10.0 * (n % 50), 10.0 * (n // 50), 10.0 * (n % 50) + 9, 10.0 * (n // 50) + 9)
        for n in range(1000)
    ]
    theirs = [Box(b.x0 + 0.5, b.y0, b.x1 + 0.5, b.y1) for b in reversed(ours)]
    start = time.perf_counter()
    found = diff(_dataset(*ours), _dataset(*theirs))
    assert found.counts == {"moved": 1000}
    assert all(change.drift == pytest.approx(0.5) for change in found.changes)
    assert time.perf_counter() - start < 10
