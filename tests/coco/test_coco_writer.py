"""The COCO writer: what is kept from COCO to COCO, and what is made for other sources."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from coco_help import document, lvis_rewritten, put, read, record, rewritten, write

import labelconv as lc
from labelconv import codes
from labelconv.model import (
    Annotation,
    Box,
    Category,
    Classification,
    Dataset,
    FreeText,
    Image,
    Keypoint,
    Keypoints,
    Mask,
    Ontology,
    Polygon,
    Radio,
    Sample,
    Samples,
)

FIXTURES = Path(__file__).parents[1] / "fixtures" / "coco"
BOX = Box(10, 20, 40, 60)


def written(
    dataset: Dataset | list[Sample], folder: Path, options: dict[str, Any] | None = None
) -> Any:
    target = folder / "out.json"
    write(dataset, target, options)
    return json.loads(target.read_bytes())


def sample(*annotations: Annotation, key: str = "a.jpg", **fields: Any) -> Sample:
    return Sample(key, Image(100, 80), annotations, uri=key, **fields)


def _measured(sample: Sample) -> Sample:
    """Without the area and the box, which every record that is written has."""
    return msgspec.structs.replace(
        sample,
        annotations=tuple(
            msgspec.structs.replace(
                annotation,
                extra={
                    name: value
                    for name, value in annotation.extra.items()
                    if name not in ("coco:area", "coco:bbox")
                },
            )
            for annotation in sample.annotations
        ),
    )


def test_coco_to_coco_keeps_every_record_of_a_ground_truth(tmp_path: Path) -> None:
    source = FIXTURES / "street" / "input" / "instances.json"
    target = tmp_path / "out.json"
    report = rewritten(source, target)
    before, after = json.loads(source.read_bytes()), json.loads(target.read_bytes())
    assert list(after) == ["info", "licenses", "images", "annotations", "categories"]
    # Pictures without annotations come last; the order of everything else stays.
    after["images"].sort(key=lambda image: image["id"])
    assert after == before
    assert set(report.counts) == {codes.CROWD_KEPT.id}
    assert report.fields == {}
    assert report.ledger.written == {"samples": 6, "annotations": 25, "categories": 4}


@pytest.mark.parametrize(
    "case", ["keypoints", "stuff", "ids-as-texts", "other-fields", "lvis", "captions"]
)
def test_coco_to_coco_reads_the_same_again(case: str, tmp_path: Path) -> None:
    (source,) = (FIXTURES / case / "input").iterdir()
    first, second = tmp_path / "first.json", tmp_path / "second.json"
    rewritten(source, first)
    rewritten(first, second)
    assert first.read_bytes() == second.read_bytes()
    assert [_measured(s) for s in read(first).samples] == [
        _measured(s) for s in read(source).samples
    ]
    one, other = (read(path).dataset.ontology.categories for path in (first, source))
    assert [(c.name, c.source_id, c.skeleton, c.extra) for c in one] == [
        (c.name, c.source_id, c.skeleton, c.extra) for c in other
    ]


def test_ids_and_fields_of_coco_stay_as_they_were(tmp_path: Path) -> None:
    source = put(
        tmp_path,
        document(
            record(id="a-1", segmentation=[[10, 20, 40, 20, 40, 61]], area=7.5, tag={"x": [1]}),
            record(id=74673216, category_id=0, image_id=900),
            record(id=0, category_id=74673216),
            images=[
                {"id": 1, "width": 100, "height": 80, "file_name": "a.jpg", "license": 3},
                {"id": 900, "width": 100, "height": 80, "file_name": "b.jpg", "coco_url": "u/v"},
            ],
            categories=[
                {"id": 0, "name": "zero", "supercategory": "s"},
                {"id": 1, "name": "one"},
                {"id": 74673216, "name": "huge"},
            ],
        ),
    )
    target = tmp_path / "out.json"
    report = rewritten(source, target)
    before, after = json.loads(source.read_bytes()), json.loads(target.read_bytes())
    assert after["images"] == before["images"]
    assert after["categories"] == before["categories"]
    first, second, third = after["annotations"]
    assert (first["id"], second["id"], third["id"]) == ("a-1", 74673216, 0)
    assert (second["image_id"], second["category_id"]) == (900, 0)
    assert (first["area"], first["bbox"], first["tag"]) == (7.5, [10, 20, 30, 40], {"x": [1]})
    assert codes.IDS_CHANGED.id not in report.counts


def test_real_lvis_comes_back_field_by_field(tmp_path: Path) -> None:
    source, target = lvis_rewritten(tmp_path)
    before, after = json.loads(source.read_bytes()), json.loads(target.read_bytes())
    by_id = {image["id"]: image for image in before["images"]}
    assert {image["id"]: image for image in after["images"]} == by_id
    assert after["categories"] == before["categories"]
    assert {k: after[k] for k in ("info", "licenses")} == {
        k: before[k] for k in ("info", "licenses")
    }
    for one, other in zip(before["annotations"], after["annotations"], strict=True):
        assert other.pop("iscrowd") == 0
        # A ring that repeats its first point at the end is the same ring.
        one["segmentation"] = [
            ring[:-2] if ring[:2] == ring[-2:] else ring for ring in one["segmentation"]
        ]
        assert other == one


def test_other_sources_get_numbers_from_one_and_are_told_once(tmp_path: Path) -> None:
    samples = [
        sample(Annotation("x", "cat", BOX), Annotation("y", "dog", BOX)),
        sample(Annotation("x", "dog", BOX), key="b.jpg"),
    ]
    target = tmp_path / "out.json"
    report = write(samples, target)
    found = json.loads(target.read_bytes())
    assert [image["id"] for image in found["images"]] == [1, 2]
    assert [a["id"] for a in found["annotations"]] == [1, 2, 3]
    assert [a["category_id"] for a in found["annotations"]] == [1, 2, 2]
    assert found["categories"] == [{"id": 1, "name": "cat"}, {"id": 2, "name": "dog"}]
    assert report.counts == {codes.IDS_CHANGED.id: 1}
    assert "3 ids" in report.problems[0].message


def test_new_numbers_avoid_the_ids_that_stay_even_those_that_come_later(tmp_path: Path) -> None:
    found = written(
        [
            sample(
                Annotation("text", "a", BOX),
                Annotation("1", "a", BOX),
                Annotation("2", "a", BOX),
                Annotation("007", "a", BOX),
                Annotation("7", "a", BOX),
            ),
            sample(Annotation("1", "a", BOX), key="b.jpg"),
        ],
        tmp_path,
    )
    assert [a["id"] for a in found["annotations"]] == [3, 1, 2, 4, 7, 5]


def test_categories_outside_the_ontology_are_appended_with_free_numbers(tmp_path: Path) -> None:
    ontology = Ontology(
        categories=(
            Category(name="b", source_id=2),
            Category(name="text id", source_id="ckrb1sf1i1g7i0ybcdc6oc8ct"),
            Category(name="same id", source_id=2),
            Category(name="c", source_id=1),
        )
    )
    found = written(Samples([sample(Annotation("1", "new", BOX))], ontology), tmp_path)
    assert [(c["name"], c["id"]) for c in found["categories"]] == [
        ("b", 2),
        ("text id", 3),
        ("same id", 4),
        ("c", 1),
        ("new", 5),
    ]
    assert found["annotations"][0]["category_id"] == 5


def test_a_sample_in_pieces_is_one_image(tmp_path: Path) -> None:
    pieces = [
        sample(Annotation("1", "a", BOX)),
        sample(Annotation("2", "a", BOX), key="b.jpg"),
        sample(Annotation("3", "a", BOX)),
    ]
    found = written(pieces, tmp_path)
    assert [image["file_name"] for image in found["images"]] == ["a.jpg", "b.jpg"]
    assert [a["image_id"] for a in found["annotations"]] == [1, 2, 1]


def test_nothing_at_all_is_still_a_whole_file(tmp_path: Path) -> None:
    assert written([], tmp_path) == {"images": [], "annotations": [], "categories": []}
    assert written([], tmp_path, {"task": "results"}) == []


def test_keys_and_addresses_that_differ_both_come_back(tmp_path: Path) -> None:
    samples = [
        Sample("key only", Image(9, 9)),
        Sample("key", Image(9, 9), uri="folder/file.jpg"),
        Sample("ckrow", Image(9, 9), uri="other.jpg", key_is_id=True),
        Sample("same.jpg", Image(9, 9), uri="same.jpg"),
        Sample("no size", Image()),
    ]
    found = written(samples, tmp_path)
    assert [image["file_name"] for image in found["images"]] == [
        "key only",
        "folder/file.jpg",
        "other.jpg",
        "same.jpg",
        "no size",
    ]
    assert "global_key" not in found["images"][3]
    again = read(tmp_path / "out.json").samples
    assert [(s.key, s.uri, s.key_is_id, s.media) for s in again] == [
        (s.key, s.uri, s.key_is_id, s.media) for s in samples
    ]


def test_a_template_wins_over_the_key_in_the_file(tmp_path: Path) -> None:
    write([Sample("key", Image(9, 9), uri="folder/file.jpg")], tmp_path / "out.json")
    assert [s.key for s in read(tmp_path / "out.json", key="{stem}").samples] == ["file"]
    assert [s.key for s in read(tmp_path / "out.json", key="{global_key}!").samples] == ["key!"]


def test_keypoints_are_in_the_order_of_the_category_with_zeros_between(tmp_path: Path) -> None:
    ontology = Ontology(
        categories=(
            Category(name="p", keypoints=("nose", "eye", "ear"), skeleton=((0, 1), (0, 2))),
        )
    )
    points = (Keypoint("ear", 5.5, 6, visible=False), Keypoint("nose", 1, 2))
    found = written(
        Samples(
            [
                sample(
                    Annotation("1", "p", Keypoints(points)),
                    Annotation("2", "p", Keypoints(points[:1], BOX)),
                    Annotation("3", "p", BOX),
                )
            ],
            ontology,
        ),
        tmp_path,
    )
    first, second, third = found["annotations"]
    assert first["keypoints"] == [1, 2, 2, 0, 0, 0, 5.5, 6, 1]
    assert (first["num_keypoints"], first["bbox"], first["area"]) == (2, [1, 2, 4.5, 4], 18)
    assert second["keypoints"] == [0, 0, 0, 0, 0, 0, 5.5, 6, 1]
    assert (second["num_keypoints"], second["bbox"]) == (1, [10, 20, 30, 40])
    assert (third["num_keypoints"], third["keypoints"]) == (0, [0] * 9)
    assert found["categories"][0]["keypoints"] == ["nose", "eye", "ear"]
    assert found["categories"][0]["skeleton"] == [[1, 2], [1, 3]]
    values = [annotation.value for annotation in read(tmp_path / "out.json").annotations]
    assert values == [Keypoints((points[1], points[0])), Keypoints(points[:1], BOX), BOX]


def test_keypoints_the_ontology_does_not_know_are_added_to_all_records(tmp_path: Path) -> None:
    found = written(
        Samples(
            [
                sample(
                    Annotation("1", "p", BOX),
                    Annotation("2", "p", Keypoints((Keypoint("a", 1, 2),))),
                    Annotation("x", "p", Keypoints((Keypoint("b", 3, 4),))),
                    Annotation("4", "other", BOX),
                )
            ],
            Ontology(categories=(Category(name="p"),)),
        ),
        tmp_path,
    )
    assert found["categories"][0]["keypoints"] == ["a", "b"]
    assert [a.get("keypoints") for a in found["annotations"]] == [
        [0] * 6,
        [1, 2, 2, 0, 0, 0],
        [0, 0, 0, 3, 4, 2],
        None,
    ]
    assert [a["id"] for a in found["annotations"]] == [1, 2, 3, 4]


def test_a_skeleton_without_points_is_told_and_only_its_outline_is_written(
    tmp_path: Path,
) -> None:
    target = tmp_path / "out.json"
    samples = [
        sample(Annotation("1", "p", Keypoints((), BOX)), Annotation("2", "p", Keypoints(())))
    ]
    report = write(samples, target)
    assert [a["id"] for a in json.loads(target.read_bytes())["annotations"]] == [1]
    assert report.counts == {codes.DETAIL_DROPPED.id: 1, codes.VALUE_NOT_HELD.id: 1}
    assert report.ledger.annotations.lost == 2


def test_a_box_that_is_the_hull_of_its_points_comes_back_if_and_only_if_it_was_there(
    tmp_path: Path,
) -> None:
    points = (Keypoint("a", 1.5, 2.25), Keypoint("b", 5.75, 9.5))
    hull, wider = Box(1.5, 2.25, 5.75, 9.5), Box(1.5, 2.25, 5.75, 10)
    values = [Keypoints(points, outline) for outline in (None, hull, wider)]
    given = [sample(*(Annotation(str(n), "p", value) for n, value in enumerate(values, 1)))]
    found = written(given, tmp_path)["annotations"]
    assert [record.get("outlined") for record in found] == [None, True, None]
    again = read(tmp_path / "out.json")
    assert [annotation.value for annotation in again.annotations] == values
    assert all("coco:outlined" not in annotation.extra for annotation in again.annotations)


def test_captions_go_to_coco_and_back_even_empty_ones(tmp_path: Path) -> None:
    def text(name: str, content: str, confidence: float | None = None) -> Classification:
        return Classification(name, FreeText(content, (), confidence))

    asked = (text("caption", ""), text("weather", "rain\n☂", 0.5), text("caption 3", "third"))
    given = [sample(classifications=asked), sample(key="b.jpg", classifications=asked[:1])]
    found = written(given, tmp_path)
    assert [a["caption"] for a in found["annotations"]] == ["", "rain\n☂", "third", ""]
    assert [a.get("question") for a in found["annotations"]] == [None, "weather", None, None]
    assert [s.classifications for s in read(tmp_path / "out.json").samples] == [asked, asked[:1]]


def test_answers_that_are_no_text_are_lost_and_told(tmp_path: Path) -> None:
    given = [sample(classifications=(Classification("weather", Radio("rain")),))]
    report = write(given, tmp_path / "out.json")
    assert report.counts == {codes.CLASSIFICATION_DROPPED.id: 1}
    assert report.ledger.classifications.lost == 1


def test_holes_become_run_lengths_and_parts_stay_polygons(tmp_path: Path) -> None:
    shell, hole = (
        (10.0, 10.0, 50.0, 10.0, 50.0, 50.0, 10.0, 50.0),
        (20.0, 20.0, 30.0, 20.0, 30.0, 30.0, 20.0, 30.0),
    )
    target = tmp_path / "out.json"
    report = write(
        [
            sample(
                Annotation("1", "ring", Polygon(((shell, hole),))),
                Annotation("2", "two", Polygon(((shell,), (hole,)))),
            )
        ],
        target,
    )
    first, second = json.loads(target.read_bytes())["annotations"]
    assert first["segmentation"]["size"] == [80, 100]
    assert first["area"] == 1600 - 100
    assert second["segmentation"] == [list(shell), list(hole)]
    assert second["area"] == 1600, "parts that overlap count once"
    assert second["bbox"] == [10, 10, 40, 40]
    assert report.losses == 0
    assert report.counts == {codes.HOLES_MASKED.id: 1}


def test_run_lengths_are_text_or_numbers_as_asked(tmp_path: Path) -> None:
    given = [Sample("a", Image(3, 2), (Annotation("1", "m", Mask((2, 3), (2, 1, 3))),))]
    (text,) = written(given, tmp_path)["annotations"]
    (numbers,) = written(given, tmp_path, {"rle": "uncompressed"})["annotations"]
    assert text["segmentation"] == {"size": [2, 3], "counts": "213"}
    assert numbers["segmentation"] == {"size": [2, 3], "counts": [2, 1, 3]}
    assert (text["area"], text["bbox"]) == (1, [1, 0, 1, 1])


def test_the_score_is_kept_in_a_ground_truth(tmp_path: Path) -> None:
    given = [sample(Annotation("1", "a", BOX, confidence=0.236), Annotation("2", "a", BOX))]
    found = written(given, tmp_path)["annotations"]
    assert [a.get("score") for a in found] == [0.236, None]


def test_results_are_one_shape_and_a_score_each(tmp_path: Path) -> None:
    given = [
        Sample(
            "a.jpg",
            Image(3, 2),
            (
                Annotation("1", "a", Box(0, 0, 1, 2), confidence=0.5),
                Annotation("2", "b", Mask((2, 3), (2, 1, 3))),
                Annotation("3", "b", Polygon((((0.0, 0.0, 3.0, 0.0, 3.0, 2.0, 0.0, 2.0),),))),
                Annotation("4", "p", Keypoints((Keypoint("k", 1, 2),))),
            ),
            extra={"coco:id": 42, "coco:license": 1},
        ),
        Sample("17", Image(3, 2), (Annotation("1", "a", Box(0, 0, 1, 2)),)),
        Sample("b.jpg", Image(3, 2), (Annotation("1", "a", Box(0, 0, 1, 2)),)),
        Sample("empty.jpg", Image(3, 2)),
    ]
    target = tmp_path / "out.json"
    report = write(given, target, {"task": "results", "score": 1.0})
    found = json.loads(target.read_bytes())
    assert found == [
        {"image_id": 42, "category_id": 1, "bbox": [0, 0, 1, 2], "score": 0.5},
        {
            "image_id": 42,
            "category_id": 2,
            "segmentation": {"size": [2, 3], "counts": "213"},
            "score": 1.0,
        },
        {
            "image_id": 42,
            "category_id": 2,
            "segmentation": {"size": [2, 3], "counts": "06"},
            "score": 1.0,
        },
        {"image_id": 42, "category_id": 3, "keypoints": [1, 2, 2], "score": 1.0},
        {"image_id": 17, "category_id": 1, "bbox": [0, 0, 1, 2], "score": 1.0},
        {"image_id": "b.jpg", "category_id": 1, "bbox": [0, 0, 1, 2], "score": 1.0},
    ]
    assert report.fields == {"coco:license": 1, "size (of samples)": 1}
    assert report.counts == {codes.SHAPE_RESPELLED.id: 1, codes.SAMPLE_EMPTY.id: 1}


def test_results_without_a_score_do_not_make_one_up(tmp_path: Path) -> None:
    (found,) = written([sample(Annotation("1", "a", BOX))], tmp_path, {"task": "results"})
    assert "score" not in found


def test_the_outline_of_a_skeleton_is_told_as_lost_in_results(tmp_path: Path) -> None:
    given = [
        sample(
            Annotation("1", "p", Keypoints((Keypoint("k", 1, 2),), BOX)),
            Annotation("2", "p", Keypoints((), BOX)),
        )
    ]
    report = write(given, tmp_path / "out.json", {"task": "results"})
    assert report.counts == {codes.DETAIL_DROPPED.id: 1, codes.VALUE_NOT_HELD.id: 1}
    assert len(json.loads((tmp_path / "out.json").read_bytes())) == 1


def test_results_go_to_results_with_the_ids_of_their_ground_truth(tmp_path: Path) -> None:
    folder = FIXTURES / "results-boxes" / "input"
    got = read(folder / "results.json", {"categories": str(folder / "ground-truth.json")})
    target = tmp_path / "out.json"
    write(Samples(got.samples, got.dataset.ontology), target, {"task": "results"})
    assert json.loads(target.read_bytes()) == json.loads((folder / "results.json").read_bytes())[:2]


def test_a_box_that_has_been_through_coco_ten_times_has_the_same_digits(tmp_path: Path) -> None:
    numbers = [[258.15, 41.29, 348.26, 243.78], [0.1, 0.2, 0.3, 0.7], [1 / 3, 2 / 3, 1e-7, 5000.1]]
    path = put(tmp_path, document(*(record(id=i, bbox=b) for i, b in enumerate(numbers, 1))))
    for hop in range(10):
        target = tmp_path / f"{hop}.json"
        rewritten(path, target)
        path = target
    boxes = [a["bbox"] for a in json.loads(path.read_bytes())["annotations"]]
    assert boxes[:2] == numbers[:2]
    assert boxes[2] == pytest.approx(numbers[2], abs=1e-9)


def test_members_that_come_late_in_the_source_are_not_lost(tmp_path: Path) -> None:
    whole = document(record())
    path = put(tmp_path, {"info": {"a": 1}, **whole, "licenses": [], "more": [1, {"b": None}]})
    target = tmp_path / "out.json"
    rewritten(path, target)
    found = json.loads(target.read_bytes())
    assert (found["info"], found["licenses"], found["more"]) == ({"a": 1}, [], [1, {"b": None}])


def test_nothing_but_the_target_is_left_beside_it(tmp_path: Path) -> None:
    write([sample(Annotation("1", "a", BOX))], tmp_path / "out.json")
    assert [path.name for path in tmp_path.iterdir()] == ["out.json"]


def test_a_name_that_another_field_stands_in_for_is_counted(tmp_path: Path) -> None:
    source = tmp_path / "lvis.json"
    categories = [{"id": 1, "name": "baby", "synset": "person.n.01"}]
    source.write_text(json.dumps({"images": [], "annotations": [], "categories": categories}))
    options = {"class_key": "synset"}
    report = lc.convert(source, tmp_path / "out.json", to="coco", reader_options=options)
    assert report.fields == {"coco:name (of categories)": 1}
