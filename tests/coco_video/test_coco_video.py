"""COCO with videos: CocoVID, TAO, YouTube-VIS, their faults, and what is written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import labelconv as lc
from labelconv.errors import OptionError, SourceError
from labelconv.formats.coco_video import FORMAT
from labelconv.io import Source
from labelconv.model import (
    Annotation,
    Box,
    Classification,
    FreeText,
    Keyframe,
    Mask,
    Polygon,
    Sample,
    Samples,
    Track,
    Video,
)
from labelconv.problems import Report

CATEGORIES = [{"id": 3, "name": "car"}, {"id": 9, "name": "dog"}]


def file(folder: Path, data: Any, name: str = "tracks.json") -> Path:
    path = folder / name
    path.write_text(data if isinstance(data, str) else json.dumps(data), encoding="utf-8")
    return path


def vid(annotations: list[dict[str, Any]], frames: int = 12, **more: Any) -> dict[str, Any]:
    """A CocoVID file with one video; image i + 1 is frame i."""
    return {
        "videos": [{"id": 1, "name": "clip", "width": 640, "height": 480, "fps": 30}],
        "images": [
            {"id": f + 1, "video_id": 1, "frame_id": f, "file_name": f"clip/{f}.jpg"}
            for f in range(frames)
        ],
        "categories": CATEGORIES,
        "annotations": annotations,
        **more,
    }


def seen(frame: int, id: int = 5, x: float = 10.0, **more: Any) -> dict[str, Any]:
    return {
        "id": 100 + frame,
        "video_id": 1,
        "image_id": frame + 1,
        "category_id": 3,
        "instance_id": id,
        "bbox": [x, 20, 30, 40],
        **more,
    }


def read(path: Path, report: Report | None = None, **options: Any) -> list[Sample]:
    return list(lc.read(path, "coco-video", options=options, report=report))


def frames(annotation: Annotation) -> list[list[int]]:
    assert isinstance(annotation.value, Track)
    return [[keyframe.frame for keyframe in segment] for segment in annotation.value.segments]


def shapes(annotation: Annotation) -> list[Any]:
    assert isinstance(annotation.value, Track)
    return [keyframe.shape for segment in annotation.value.segments for keyframe in segment]


# ---------------------------------------------------------------------------- three dialects


def test_the_boxes_of_one_instance_are_a_track_with_its_gaps(tmp_path: Path) -> None:
    listed = [seen(f, x=10.0 + f) for f in (0, 1, 2, 6, 7)] + [seen(3, id=8)]
    (sample,) = read(file(tmp_path, vid(listed)))
    assert (sample.key, sample.media) == ("clip", Video(640.0, 480.0, None, 30.0))
    first, second = sample.annotations
    assert (first.id, first.category, frames(first)) == ("5", "car", [[0, 1, 2], [6, 7]])
    assert shapes(first)[1] == Box(11.0, 20.0, 41.0, 60.0)
    assert (second.id, frames(second)) == ("8", [[3]])
    assert frames(read(file(tmp_path, vid(listed)), gap=4)[0].annotations[0]) == [[0, 1, 2, 6, 7]]


def test_case_37_frames_390_and_420_of_tao_are_one_segment(tmp_path: Path) -> None:
    data = {
        "videos": [{"id": 0, "name": "val/a/b", "width": 640, "height": 480}],
        "images": [
            {"id": 7, "video_id": 0, "frame_index": 390, "file_name": "frame0391.jpg"},
            {"id": 8, "video_id": 0, "frame_index": 420, "file_name": "frame0421.jpg"},
        ],
        "tracks": [{"id": 4, "category_id": 9, "video_id": 0}],
        "categories": CATEGORIES,
        "annotations": [
            {
                "id": n,
                "image_id": image,
                "video_id": 0,
                "track_id": 4,
                "bbox": [1, 2, 3, 4],
                "segmentation": [[1, 2, 1, 6, 4, 6, 4, 2]],
            }
            for n, image in enumerate((7, 8))
        ],
    }
    (sample,) = read(file(tmp_path, data))
    (annotation,) = sample.annotations
    assert frames(annotation) == [[390, 420]]
    assert (annotation.category, set(shapes(annotation))) == ("dog", {Box(1.0, 2.0, 4.0, 6.0)})
    data["images"].append({"id": 9, "video_id": 0, "frame_index": 480})
    data["annotations"].append({**data["annotations"][0], "id": 9, "image_id": 9})
    (sample,) = read(file(tmp_path, data))
    assert frames(sample.annotations[0]) == [[390, 420], [480]]


def vis(**lists: Any) -> dict[str, Any]:
    return {
        "videos": [
            {
                "id": 1,
                "width": 8,
                "height": 6,
                "length": 3,
                "file_names": [
                    "0043f083b5/00000.jpg",
                    "0043f083b5/00005.jpg",
                    "0043f083b5/00010.jpg",
                ],
            }
        ],
        "categories": CATEGORIES,
        "annotations": [{"id": 2, "video_id": 1, "category_id": 3, "iscrowd": 0, **lists}],
    }


def test_case_37_nothing_is_interpolated_across_null_of_youtube_vis(tmp_path: Path) -> None:
    (sample,) = read(file(tmp_path, vis(bboxes=[[1, 2, 3, 4], None, [5, 6, 7, 8]])))
    (annotation,) = sample.annotations
    assert (sample.key, sample.media) == ("0043f083b5", Video(8.0, 6.0, 3))
    assert (annotation.id, frames(annotation)) == ("2", [[0], [2]])
    assert shapes(annotation) == [Box(1.0, 2.0, 4.0, 6.0), Box(5.0, 6.0, 12.0, 14.0)]


def test_segmentations_of_youtube_vis_are_masks_and_polygons_and_boxes_on_request(
    tmp_path: Path,
) -> None:
    runs = {"size": [6, 8], "counts": [0, 6, 42]}
    outlines = [runs, None, [[0, 0, 4, 0, 4, 4]]]
    boxes = [[0, 0, 1, 6], None, [0, 0, 4, 4]]
    path = file(tmp_path, vis(bboxes=boxes, segmentations=outlines, areas=[6, None, 8]))
    found = shapes(read(path)[0].annotations[0])
    assert found == [Mask((6, 8), (0, 6, 42)), Polygon((((0.0, 0.0, 4.0, 0.0, 4.0, 4.0),),))]
    found = shapes(read(path, shape="box")[0].annotations[0])
    assert found == [Box(0.0, 0.0, 1.0, 6.0), Box(0.0, 0.0, 4.0, 4.0)]
    path = file(tmp_path, vis(segmentations=outlines))
    found = shapes(read(path, shape="box")[0].annotations[0])
    assert found == [Box(0.0, 0.0, 1.0, 6.0), Box(0.0, 0.0, 4.0, 4.0)]


def test_results_need_the_file_with_the_videos(tmp_path: Path) -> None:
    runs = {"size": [6, 8], "counts": [0, 6, 42]}
    results = [{"video_id": 1, "category_id": 9, "score": 0.5, "segmentations": [runs, None, runs]}]
    path = file(tmp_path, results, "results.json")
    with pytest.raises(OptionError, match="categories=FILE"):
        read(path)
    truth = file(tmp_path, vis(bboxes=[]), "truth.json")
    (sample,) = read(path, categories=str(truth))
    (annotation,) = sample.annotations
    assert (sample.key, annotation.category, annotation.confidence) == ("0043f083b5", "dog", 0.5)
    assert frames(annotation) == [[0], [2]]


# ---------------------------------------------------------------------------- what is said beside


@pytest.mark.parametrize("how", ["extra", "answer", "none"])
def test_occlusion_and_the_like_are_kept_beside_or_answered_or_left_out(
    tmp_path: Path, how: str
) -> None:
    listed = [seen(0, occluded=1, truncated=False), seen(1, occluded=0, truncated=True)]
    report = Report()
    (annotation,) = read(file(tmp_path, vid(listed)), report, attributes=how)[0].annotations
    counted = {f"coco-video:{name}": 1 for name in ("occluded", "truncated")}
    assert report.fields == (counted if how == "none" else {})
    assert isinstance(annotation.value, Track)
    said = [k.classifications for k in annotation.value.segments[0]]
    answers = [
        (Classification("occluded", FreeText(a)), Classification("truncated", FreeText(b)))
        for a, b in (("1", "false"), ("0", "true"))
    ]
    assert said == (answers if how == "answer" else [(), ()])
    kept = {"coco-video:occluded": [1, 0], "coco-video:truncated": [False, True]}
    assert annotation.extra == (kept if how == "extra" else {})


def test_scores_that_are_one_for_all_frames_are_the_confidence(tmp_path: Path) -> None:
    path = file(
        tmp_path,
        vid([seen(0, score=0.5), seen(1, score=0.5), seen(2, 6, score=0.5), seen(3, 6, score=1)]),
    )
    first, second = read(path)[0].annotations
    assert (first.confidence, first.extra) == (0.5, {})
    assert (second.confidence, second.extra) == (None, {"coco-video:score": [0.5, 1.0]})


def test_fields_that_have_no_place_are_counted(tmp_path: Path) -> None:
    report = Report()
    read(
        file(tmp_path, vid([seen(0, colour="red"), seen(1, colour="red")], info={"year": 2020})),
        report,
    )
    assert report.fields == {"coco-video:colour": 2, "coco-video:info (of the file)": 1}


def test_what_has_no_track_is_a_track_of_one_frame(tmp_path: Path) -> None:
    listed = [{**seen(f), "instance_id": -1} for f in (0, 1)]
    del listed[1]["instance_id"]
    found = read(file(tmp_path, vid(listed)))[0].annotations
    assert [(a.id, frames(a)) for a in found] == [
        ("annotation 100", [[0]]),
        ("annotation 101", [[1]]),
    ]


def test_a_class_that_changes_is_another_annotation_and_said(tmp_path: Path) -> None:
    report = Report()
    found = read(file(tmp_path, vid([seen(0), {**seen(1), "category_id": 9}])), report)[
        0
    ].annotations
    assert [(a.id, a.category) for a in found] == [("5", "car"), ("5/2", "dog")]
    assert report.counts == {"R105": 1}


# ---------------------------------------------------------------------------- faults


def test_bad_records_are_rejected_alone_with_their_place(tmp_path: Path) -> None:
    listed = [
        seen(0),
        {**seen(1), "image_id": 999, "video_id": None},
        {**seen(1), "category_id": 77},
        {**seen(1), "bbox": [1, 2, -3, 4]},
        {**seen(1), "bbox": [1, 2, 3]},
        {**seen(1), "bbox": None},
        seen(0),
        {**seen(1), "video_id": 1, "image_id": 888},
        {**seen(1), "segmentation": [[1, 2, 3, 4]]},
        {**seen(1), "segmentation": {"size": [2, 2], "counts": [9]}},
        {**seen(1), "segmentation": {"size": [2, 2], "counts": "\u00e9"}},
        {**seen(1), "segmentation": "x"},
        {**seen(1), "bbox": [1e300, 2, 3, 4]},
        7,
    ]
    report = Report()
    (sample,) = read(file(tmp_path, vid(listed)), report)
    assert [frames(a) for a in sample.annotations] == [[[0]]]
    assert sorted((p.where.pointer or "", p.code) for p in report.problems) == sorted(
        [
            ("/annotations/1", "R103"),
            ("/annotations/2/category_id", "R103"),
            ("/annotations/3/bbox", "M201"),
            ("/annotations/4/bbox", "R101"),
            ("/annotations/5", "R101"),
            ("/annotations/6", "R104"),
            ("/annotations/7/image_id", "R103"),
            ("/annotations/8/segmentation", "M205"),
            ("/annotations/9/segmentation", "R110"),
            ("/annotations/10/segmentation", "R110"),
            ("/annotations/11/segmentation", "R101"),
            ("/annotations/12/bbox", "R102"),
            ("/annotations/13", "R101"),
        ]
    )
    assert (report.ledger.annotations.read, report.ledger.annotations.rejected) == (14, 13)
    records = [json.loads(record.record) for record in report.take_rejected()]
    assert all(record in listed for record in records)
    assert len(records) == 13


def test_frames_and_videos_that_cannot_be_used_are_told(tmp_path: Path) -> None:
    data = vid([seen(0)])
    data["videos"] += [{"id": 1, "name": "again"}, {"name": "without id"}]
    data["images"] += [
        {"id": 50, "video_id": 1},
        {"id": 51, "video_id": 9, "frame_id": 0},
        {"id": 52, "file_name": "picture.jpg"},
        {"id": 53, "video_id": 1, "frame_id": 1.5},
    ]
    report = Report()
    assert [s.key for s in read(file(tmp_path, data), report)] == ["clip"]
    assert [(p.code, p.where.pointer) for p in report.problems] == [
        ("R104", "/videos/1"),
        ("R101", "/videos/2"),
        ("R101", "/images/12"),
        ("R103", "/images/13"),
        ("R101", "/images/15/frame_id"),
    ]
    assert report.fields == {"coco-video:images (of no video)": 1}
    assert (report.ledger.samples.read, report.ledger.samples.rejected) == (3, 2)


def test_a_frame_of_another_video_than_the_one_named_is_a_dangling_reference(
    tmp_path: Path,
) -> None:
    data = vid([seen(0), seen(1, id=6)])
    data["videos"].append({"id": 2, "name": "other"})
    data["images"].append({"id": 90, "video_id": 2, "frame_id": 7})
    data["annotations"][1]["image_id"] = 90
    report = Report()
    clip, other = read(file(tmp_path, data), report)
    assert [frames(a) for a in clip.annotations] == [[[0]]]
    assert other.annotations == ()
    (problem,) = report.problems
    assert (problem.code, problem.where.pointer) == ("R103", "/annotations/1/image_id")


def test_a_video_keeps_its_annotations_where_only_its_size_cannot_be_meant(tmp_path: Path) -> None:
    data = vid([seen(0)])
    data["videos"][0] |= {"width": "640", "height": -480, "fps": 0, "length": [12], "name": 7}
    data["images"][0]["width"] = "640"
    report = Report()
    (sample,) = read(file(tmp_path, data), report)
    assert (sample.key, sample.media, len(sample.annotations)) == ("1", Video(), 1)
    assert [(p.code, p.where.pointer) for p in report.problems] == [
        ("R101", "/videos/0/name"),
        ("R101", "/videos/0/width"),
        ("R101", "/videos/0/height"),
        ("R101", "/videos/0/length"),
        ("R101", "/videos/0/fps"),
        ("R101", "/images/0/width"),
    ]
    assert report.ledger.samples.rejected == 0


@pytest.mark.parametrize(
    ("section", "change", "problems"),
    [
        ("videos", [{"id": [1]}], [("R101", "/videos/0/id"), ("R103", "/images/0")]),
        ("videos", 5, [("R103", "/images/0")]),
        ("images", [{"id": 1, "video_id": {}}], [("R101", "/images/0/video_id")]),
        ("images", [{"id": 1, "video_id": 1, "frame_id": "0"}], [("R101", "/images/0/frame_id")]),
        ("images", [None, 3], [("R101", "/images/0"), ("R101", "/images/1")]),
        ("images", [{"id": 1, "video_id": 1, "frame_id": 2**32}], [("R101", "/images/0")]),
        ("categories", [{"id": 3, "name": 9}], [("R101", "/categories/0/name")]),
        ("tracks", [{"id": None}], [("R101", "/tracks/0/id")]),
    ],
)
def test_a_section_of_records_of_the_wrong_kind_is_told_record_by_record(
    tmp_path: Path, section: str, change: Any, problems: list[tuple[str, str]]
) -> None:
    path = file(tmp_path, vid([seen(0)], frames=1) | {section: change})
    report = lc.convert(path, tmp_path / "out.ndjson", from_="coco-video", to="native")
    found = [(p.code, p.where.pointer) for p in report.problems if p.where.pointer]
    assert found[: len(problems)] == problems
    left_out = section != "tracks"
    assert report.ledger.annotations.rejected == left_out
    assert report.ledger.balanced


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"image_id": [1]}, ""),
        ({"category_id": {}}, "/category_id"),
        ({"instance_id": [5]}, "/instance_id"),
        ({"bbox": "1,2,3,4"}, "/bbox"),
        ({"bbox": [1, 2, 3, None]}, "/bbox/3"),
        ({"bboxes": [[1, 2, 3, 4], [1, 2, 3]]}, "/bboxes/1"),
        ({"bboxes": {}}, "/bboxes"),
        ({"segmentations": [None, "x"], "bbox": None}, "/segmentations/1"),
        ({"segmentations": [[[1, 2, 3, 4, 5, "6"]]], "bbox": None}, "/segmentations/0"),
        ({"segmentation": [[0, 0, 1e200, 0, 5, 5]]}, "/segmentation"),
        ({"segmentation": {"size": [1 << 20, 1 << 20], "counts": [1 << 40]}}, "/segmentation"),
        ({"score": "high"}, "/score"),
    ],
)
def test_a_field_of_the_wrong_type_rejects_its_annotation_alone(
    tmp_path: Path, change: dict[str, Any], pointer: str
) -> None:
    report = Report()
    (sample,) = read(file(tmp_path, vid([seen(0, id=6) | change, seen(1)])), report)
    assert [frames(a) for a in sample.annotations] == [[[1]]]
    (problem,) = report.problems
    assert problem.where.pointer == f"/annotations/0{pointer}"
    assert (report.ledger.annotations.read, report.ledger.annotations.rejected) == (2, 1)


def test_a_video_without_a_key_takes_its_annotations_with_it(tmp_path: Path) -> None:
    report = Report()
    path = file(tmp_path, vid([seen(0), seen(1)]))
    assert list(lc.read(path, "coco-video", key="{nothing}", report=report)) == []
    assert (report.ledger.samples.rejected, report.ledger.annotations.rejected) == (1, 2)


def test_sections_may_stand_in_any_order(tmp_path: Path) -> None:
    usual = vid([seen(f) for f in range(4)])
    order = ["annotations", "images", "categories", "videos"]
    turned = file(tmp_path, {name: usual[name] for name in order}, "turned.json")
    assert read(turned) == read(file(tmp_path, usual))


def test_videos_without_annotations_are_samples_in_their_order(tmp_path: Path) -> None:
    data = vid([seen(0)])
    data["videos"] = [{"id": 7, "name": "a"}, *data["videos"], {"id": 9, "name": "z"}]
    found = read(file(tmp_path, data))
    assert [(s.key, len(s.annotations)) for s in found] == [("a", 0), ("clip", 1), ("z", 0)]


@pytest.mark.parametrize("text", ['{"images": []}', "{}", "3", '{"videos": ['])
def test_what_is_no_coco_video_file_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(SourceError):
        read(file(tmp_path, text))


@pytest.mark.parametrize("options", [{"fps": "24:30"}, {"gap": 0}, {"stride": "0.5"}])
def test_a_rule_that_would_be_a_guess_is_refused(tmp_path: Path, options: dict[str, Any]) -> None:
    with pytest.raises(OptionError):
        read(file(tmp_path, vid([seen(0)])), **options)


def test_frames_map_to_the_video_by_the_rule_that_is_given(tmp_path: Path) -> None:
    path = file(tmp_path, vid([seen(0), seen(1), seen(3)]))
    assert frames(read(path, start=2, stride=5)[0].annotations[0]) == [[2, 7], [17]]
    assert read(path, stride=5)[0].media == Video(640.0, 480.0)


# ---------------------------------------------------------------------------- keyframes, writing


def test_the_reader_leaves_out_what_the_target_would(tmp_path: Path) -> None:
    listed = [seen(f, x=10.0 + 2 * f) for f in range(40)]
    path, target = file(tmp_path, vid(listed, frames=40)), tmp_path / "mal.ndjson"
    report = lc.convert(path, target, from_="coco-video", to="labelbox")
    (line,) = map(json.loads, target.read_text().splitlines())
    assert [k["frame"] for k in line["segments"][0]["keyframes"]] == [1, 40]
    assert (report.keyframes.before, report.keyframes.after) == (40, 2)
    ring = [[0, 0, 4, 0, 4, 4]]
    outlined = file(tmp_path, vid([seen(f, segmentation=ring) for f in range(9)]), "rings.json")
    options = {"video_polygon": "box"}
    report = lc.convert(
        outlined, target, from_="coco-video", to="labelbox", writer_options=options, allow=["loss"]
    )
    assert (report.keyframes.before, report.keyframes.after) == (9, 2)


def test_every_frame_is_written_and_comes_back(tmp_path: Path) -> None:
    moving = Track(
        (
            (Keyframe(1, Box(0.0, 0.0, 4.0, 4.0)), Keyframe(3, Box(2.0, 0.0, 6.0, 4.0))),
            (Keyframe(6, Box(0.0, 0.0, 4.0, 4.0)),),
        )
    )
    extra = {"coco-video:occluded": [0, 1, 0, 1], "coco-video:iscrowd": 1}
    sample = Sample(
        "clip", Video(64.0, 48.0, 10, 25.0), (Annotation("x", "car", moving, (), 0.5, extra),)
    )
    target = tmp_path / "out.json"
    report = lc.write(Samples([sample]), target, "coco-video")
    data = json.loads(target.read_text())
    assert data["videos"] == [
        {"id": 1, "name": "clip", "width": 64, "height": 48, "length": 10, "fps": 25}
    ]
    assert [image["frame_id"] for image in data["images"]] == list(range(7))
    records = data["annotations"]
    assert [(r["image_id"], r["bbox"], r["occluded"], r["iscrowd"]) for r in records] == [
        (2, [0.0, 0.0, 4.0, 4.0], 0, 1),
        (3, [1.0, 0.0, 4.0, 4.0], 1, 1),
        (4, [2.0, 0.0, 4.0, 4.0], 0, 1),
        (7, [0.0, 0.0, 4.0, 4.0], 1, 1),
    ]
    assert report.counts["L417"] == 1
    (back,) = read(target)
    assert back.media == sample.media
    assert (back.annotations[0].id, frames(back.annotations[0])) == ("1", [[1, 2, 3], [6]])
    assert back.annotations[0].extra == extra
    assert back.annotations[0].confidence == 0.5


def test_frames_too_far_on_to_list_them_all_keep_their_gaps(tmp_path: Path) -> None:
    late = 1 << 30
    parts = [[Keyframe(f, Box(0.0, 0.0, 4.0, 4.0)) for f in some] for some in ((5,), (late,))]
    track = Track(tuple(map(tuple, parts)))
    sample = Sample("clip", Video(64.0, 48.0), (Annotation("1", "car", track),))
    target = tmp_path / "out.json"
    lc.write(Samples([sample]), target, "coco-video")
    listed = [image["frame_id"] for image in json.loads(target.read_text())["images"]]
    assert listed == [5, 6, late, late + 1]
    assert frames(read(target)[0].annotations[0]) == [[5], [late]]


def test_coco_video_is_told_from_coco(tmp_path: Path) -> None:
    assert FORMAT.sniff is not None
    path = file(tmp_path, vid([seen(0)]))
    assert FORMAT.sniff(Source(path).peek()).certainty == 3
    plain = file(tmp_path, {"images": [], "annotations": [], "categories": []}, "plain.json")
    assert FORMAT.sniff(Source(plain).peek()).certainty == 0
    results = file(tmp_path, [{"video_id": 1, "segmentations": []}], "results.json")
    assert FORMAT.sniff(Source(results).peek()).certainty == 3
    assert lc.read(path).report.evidence[0].startswith("coco-video:")


def test_ids_that_stand_for_two_things_stay_what_they_were_first_and_that_is_told(
    tmp_path: Path,
) -> None:
    data = vid([seen(0), seen(1)], categories=[*CATEGORIES, {"id": 3, "name": "bus"}])
    data["images"].append({"id": 2, "video_id": 1, "frame_id": 7})
    report = Report()
    (sample,) = read(file(tmp_path, data), report)
    assert sample.annotations[0].category == "car"
    assert frames(sample.annotations[0]) == [[0, 1]]
    places = {each.where.pointer for each in report.problems if each.code == "R104"}
    assert places == {"/images/12", "/categories/2"}


def test_fields_of_videos_and_of_whole_tracks_that_have_no_place_are_counted(
    tmp_path: Path,
) -> None:
    track = {"id": 1, "video_id": 1, "category_id": 3, "bboxes": [[1, 2, 3, 4]], "occlusion": "x"}
    data = vid([track])
    data["videos"][0]["split"] = "val"
    data["images"][3]["mot_frame_id"] = 4
    data["categories"] = [{**CATEGORIES[0], "supercategory": "vehicle"}]
    data["tracks"] = [{"id": 4, "video_id": 1, "category_id": 3, "speed": 5}]
    report = Report()
    assert len(read(file(tmp_path, data), report)[0].annotations) == 1
    assert report.fields["coco-video:split (of videos)"] == 1
    assert report.fields["coco-video:mot_frame_id (of images)"] == 1
    assert report.fields["coco-video:supercategory (of categories)"] == 1
    assert report.fields["coco-video:speed (of tracks)"] == 1
    assert report.fields["coco-video:occlusion (of whole tracks)"] == 1
