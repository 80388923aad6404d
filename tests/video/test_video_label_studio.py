"""Label Studio's rectangles over time: percent, frames from 1, and the rate that they count by."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from mp4_made import mp4

import labelconv as lc
from labelconv.errors import OptionError
from labelconv.model import (
    Box,
    Checklist,
    Classification,
    Keyframe,
    OrientedBox,
    Radio,
    Sample,
    Track,
    Video,
)
from labelconv.problems import Report


def key(frame: int, x: float = 10, *, rate: float = 24, **more: Any) -> dict[str, Any]:
    """A keyframe as Label Studio writes it, of 20 × 30 percent."""
    said = {"frame": frame, "time": frame / rate, "x": x, "y": 50, "width": 20, "height": 30}
    return {**said, "rotation": 0, "enabled": True, **more}


def rectangle(*keys: dict[str, Any], **more: Any) -> dict[str, Any]:
    value = {"sequence": list(keys), "labels": ["Car"], **more}
    names = {"id": "r1", "from_name": "box", "to_name": "video", "type": "videorectangle"}
    return {**names, "origin": "manual", "value": value}


def export(path: Path, *results: dict[str, Any]) -> Path:
    task = {"id": 7, "data": {"video": "/data/upload/1/clip.mp4"}}
    file = path / "export.json"
    file.write_text(json.dumps([{**task, "annotations": [{"result": list(results)}]}]))
    (path / "sizes.csv").write_text("clip.mp4,200,100\n")
    return file


def read(path: Path, *results: dict[str, Any], **options: Any) -> tuple[Sample, Report]:
    """The sample, in a video of 200 × 100 pixels."""
    options = {"sizes": str(path / "sizes.csv"), **options}
    dataset = lc.read(export(path, *results), "label-studio", options=options)
    (sample,) = list(dataset)
    return sample, dataset.report


def beside(path: Path, data: bytes, *results: dict[str, Any], **options: Any) -> Any:
    """The sample and the report, with the video file at hand."""
    media = path / "media"
    media.mkdir(exist_ok=True)
    (media / "clip.mp4").write_bytes(data)
    dataset = lc.read(export(path, *results), "label-studio", options=options, media=media)
    (sample,) = list(dataset)
    return sample, dataset.report


def frames(sample: Sample) -> list[list[int]]:
    (annotation,) = sample.annotations
    assert isinstance(annotation.value, Track)
    return [[keyframe.frame for keyframe in segment] for segment in annotation.value.segments]


def codes_of(report: Report) -> dict[str, int]:
    return {code: count for code, count in report.counts.items() if code != "L415"}


# ------------------------------------------------------------------------------ rectangles


def test_frame_1_is_frame_0_and_percent_are_of_the_video_s_size(tmp_path: Path) -> None:
    sample, report = read(tmp_path, rectangle(key(1), key(25, 30, enabled=False)), fps="24:24")
    assert sample.key == "/data/upload/1/clip.mp4"
    assert sample.media == Video(200.0, 100.0, None, 24.0)
    (annotation,) = sample.annotations
    assert (annotation.id, annotation.category) == ("r1", "Car")
    first = Keyframe(0, Box(20.0, 50.0, 60.0, 80.0))
    assert annotation.value == Track(((first, Keyframe(24, Box(60.0, 50.0, 100.0, 80.0))),))
    assert codes_of(report) == {}


def test_a_keyframe_that_is_not_enabled_ends_its_segment_and_the_last_one_lasts_to_the_end(
    tmp_path: Path,
) -> None:
    keys = [key(5), key(9, enabled=False), key(20), key(21), key(30, enabled=False), key(40)]
    sample, _ = read(tmp_path, rectangle(*keys, framesCount=50, duration=50 / 24))
    assert frames(sample) == [[4, 8], [19, 20, 29], [39, 49]]
    sample, _ = read(tmp_path, rectangle(key(40)))
    assert frames(sample) == [[39]]


def test_keyframes_in_any_order_and_without_enabled_are_read(tmp_path: Path) -> None:
    bare = key(3)
    del bare["enabled"]
    sample, _ = read(tmp_path, rectangle(key(9, enabled=False), bare))
    assert frames(sample) == [[2, 8]]


def test_a_rectangle_that_is_turned_once_is_oriented_on_all_keyframes(tmp_path: Path) -> None:
    turned = rectangle(key(1), key(9, rotation=90, enabled=False))
    sample, report = read(tmp_path, turned, fps="24:24")
    (annotation,) = sample.annotations
    assert isinstance(annotation.value, Track)
    one, other = [keyframe.shape for keyframe in annotation.value.segments[0]]
    assert one == OrientedBox(40.0, 65.0, 40.0, 30.0, 0.0)
    assert isinstance(other, OrientedBox)
    # Turned about its top left corner at (20, 50).
    assert (other.x, other.y, other.angle) == (pytest.approx(5.0), pytest.approx(70.0), 90.0)
    assert codes_of(report) == {"R113": 1}


@pytest.mark.parametrize(
    ("value", "pointer"),
    [
        ({"sequence": []}, "/sequence"),
        ({"sequence": [key(0)]}, "/sequence/0/frame"),
        ({"sequence": [key(1), {"frame": 2.5}]}, "/sequence/1/frame"),
        ({"sequence": [key(1), key(1)]}, "/sequence/1/frame"),
        ({"sequence": [key(1), key(2, x="a")]}, "/sequence/1/x"),
        ({"sequence": [key(1, width=-3)]}, "/sequence/0"),
    ],
)
def test_what_cannot_be_a_rectangle_is_rejected_alone_with_its_place(
    tmp_path: Path, value: dict[str, Any], pointer: str
) -> None:
    bad = rectangle(key(1))
    bad["value"] = {"labels": ["Car"], **value}
    sample, report = read(tmp_path, bad, {**rectangle(key(1)), "id": "r2"}, fps="24:24")
    assert [each.id for each in sample.annotations] == ["r2"]
    (problem,) = [each for each in report.problems if each.code == "R101"]
    assert problem.where.pointer is not None
    assert problem.where.pointer.endswith(f"/result/0/value{pointer}")
    assert (report.ledger.annotations.read, report.ledger.annotations.rejected) == (2, 1)


def test_a_video_without_a_known_size_has_no_pixels_and_its_rectangles_are_rejected(
    tmp_path: Path,
) -> None:
    dataset = lc.read(export(tmp_path, rectangle(key(1))), "label-studio")
    (sample,) = list(dataset)
    assert (sample.annotations, sample.media) == ((), Video())
    assert dataset.report.counts == {"R122": 1}
    assert dataset.report.ledger.annotations.rejected == 1


def test_shapes_of_pictures_are_none_of_a_video_and_the_other_way_round(tmp_path: Path) -> None:
    shape = {"type": "rectanglelabels", "value": {"x": 1, "y": 1, "width": 2, "height": 2}}
    sample, report = read(tmp_path, shape)
    assert (sample.annotations, report.ledger.annotations.rejected) == ((), 1)
    file = tmp_path / "picture.json"
    results = [rectangle(key(1)), {"type": "timelinelabels", "value": {}}]
    file.write_text(
        json.dumps([{"data": {"image": "a.jpg"}, "annotations": [{"result": results}]}])
    )
    dataset = lc.read(file, "label-studio")
    assert next(iter(dataset)).annotations == ()
    assert dataset.report.ledger.annotations.rejected == 1
    assert dataset.report.ledger.classifications.rejected == 1


# ------------------------------------------------------------------------------ frames


def test_without_a_word_about_the_rate_label_studio_s_is_told_once_for_a_video(
    tmp_path: Path,
) -> None:
    two = rectangle(key(1), key(48)), {**rectangle(key(1)), "id": "r2"}
    sample, report = read(tmp_path, *two)
    assert len(sample.annotations) == 2
    assert codes_of(report) == {"R113": 1}
    (problem,) = [each for each in report.problems if each.code == "R113"]
    assert "24" in problem.message


def test_rates_that_are_no_whole_multiple_are_refused(tmp_path: Path) -> None:
    sample, _ = read(tmp_path, rectangle(key(1), key(3, enabled=False)), fps="10:30")
    assert frames(sample) == [[0, 6]]
    with pytest.raises(OptionError):
        read(tmp_path, rectangle(key(1)), fps="24:29.97")


def test_a_file_of_the_same_rate_makes_sure_and_gives_the_size(tmp_path: Path) -> None:
    same = mp4([(48, 25)], ticks=600, size=(400, 200))  # 24 a second
    sample, report = beside(tmp_path, same, rectangle(key(1), key(40), framesCount=48))
    assert sample.media == Video(400.0, 200.0, 48, 24.0)
    assert frames(sample) == [[0, 39, 47]]
    assert codes_of(report) == {}


@pytest.mark.parametrize("steps", [[(30, 20)], [(24, 25), (24, 50)]], ids=["30", "varying"])
def test_a_file_of_another_rate_refuses_frames_counted_at_label_studio_s(
    tmp_path: Path, steps: list[tuple[int, int]]
) -> None:
    timeline = {"type": "timelinelabels", "from_name": "t", "value": {"timelinelabels": ["a"]}}
    timeline["value"] |= {"ranges": [{"start": 1, "end": 4}], "framesCount": 24, "duration": 1}  # type: ignore[operator]
    sample, report = beside(tmp_path, mp4(steps), rectangle(key(1)), timeline)
    assert (sample.annotations, sample.classifications) == ((), ())
    assert codes_of(report) == {"R145": 2}
    assert report.ledger.annotations.rejected == 1
    assert report.ledger.classifications.rejected == 1


def test_times_place_each_frame_where_the_video_was_then_whatever_its_rate(tmp_path: Path) -> None:
    # 12 frames of 1/24 s, then 6 of 1/12 s: Label Studio counts 24 of them.
    varying = mp4([(12, 25), (6, 50)], ticks=600)
    keys = [key(1), key(12), key(13), key(24, enabled=False)]
    sample, report = beside(tmp_path, varying, rectangle(*keys), timestamps="media")
    assert frames(sample) == [[0, 11, 12, 17]]
    assert codes_of(report) == {}
    times = tmp_path / "times.txt"
    times.write_text("".join(f"{n / 24:.6f}\n" for n in (*range(12), *range(12, 24, 2))))
    sample, report = read(tmp_path, rectangle(*keys), timestamps=str(times))
    assert frames(sample) == [[0, 11, 12, 17]]
    assert codes_of(report) == {}


def test_two_keyframes_on_one_frame_of_the_video_are_the_first_and_the_other_is_counted(
    tmp_path: Path,
) -> None:
    slow = mp4([(12, 50)], ticks=600)  # 12 a second
    keys = [key(1), key(2, 30), key(5, 50), key(6, 60, enabled=False), key(11)]
    sample, report = beside(tmp_path, slow, rectangle(*keys), timestamps="media")
    assert frames(sample) == [[0, 2], [5]]
    assert report.fields["label-studio:sequence (of two on one frame of the video)"] == 2


def test_an_edit_list_shifts_times_and_what_lies_outside_of_them_is_rejected(
    tmp_path: Path,
) -> None:
    paused = mp4([(24, 25)], ticks=600, edits=[(500, -1), (1000, 0)])  # half a second of nothing
    sample, _ = beside(tmp_path, paused, rectangle(key(13), key(36)), timestamps="media")
    assert frames(sample) == [[0, 23]]
    sample, report = beside(tmp_path, paused, rectangle(key(12)), timestamps="media")
    assert sample.annotations == ()
    (problem,) = [each for each in report.problems if each.code == "R101"]
    assert str(problem.where.pointer).endswith("/value/sequence/0")
    cut = mp4([(48, 25)], ticks=600, edits=[(1000, 600)])  # the second half alone is played
    sample, report = beside(tmp_path, cut, rectangle(key(1), key(24)))
    assert frames(sample) == [[0, 23]]
    assert codes_of(report) == {"R146": 1}


def test_the_end_is_the_last_frame_there_is_where_label_studio_counts_one_more(
    tmp_path: Path,
) -> None:
    video = mp4([(24, 25)], ticks=600)
    box = rectangle(key(3), framesCount=26, duration=26 / 24)
    for options in ({}, {"timestamps": "media"}):
        sample, _ = beside(tmp_path, video, box, **options)
        assert frames(sample) == [[2, 23]]


def test_times_need_a_rate_to_count_by_and_a_file_that_has_them(tmp_path: Path) -> None:
    bare = key(1)
    del bare["time"]
    sample, report = beside(tmp_path, mp4([(24, 25)]), rectangle(bare), timestamps="media")
    assert (sample.annotations, codes_of(report)) == ((), {"R101": 1})
    sample, report = read(tmp_path, rectangle(key(1)), timestamps="media")
    assert (sample.annotations, codes_of(report)) == ((), {"R122": 1})


# ------------------------------------------------------------------------------ answers


def test_timeline_labels_are_answers_over_ranges_of_frames(tmp_path: Path) -> None:
    one = {"type": "timelinelabels", "from_name": "act", "id": "t1"}
    ranges = [{"start": 1, "end": 10}, {"start": 21, "end": 21}]
    results = [
        {**one, "value": {"timelinelabels": ["walk"], "ranges": ranges}},
        {**one, "value": {"timelinelabels": ["walk", "talk"], "ranges": ranges[:1]}},
    ]
    sample, report = read(tmp_path, *results, fps="25:25")
    both = Checklist((Radio("walk"), Radio("talk")))
    assert sample.classifications == (
        Classification("act", Radio("walk"), ((0, 10), (20, 21))),
        Classification("act", both, ((0, 10),)),
    )
    assert (report.ledger.classifications.read, codes_of(report)) == (2, {})


@pytest.mark.parametrize(
    "value",
    [
        None,
        {"timelinelabels": [], "ranges": [{"start": 1, "end": 2}]},
        {"timelinelabels": ["a"], "ranges": []},
        {"timelinelabels": ["a"], "ranges": [{"start": 3, "end": 2}]},
        {"timelinelabels": ["a"], "ranges": [7]},
    ],
)
def test_timeline_labels_without_labels_or_ranges_are_rejected_alone(
    tmp_path: Path, value: Any
) -> None:
    sample, report = read(tmp_path, {"type": "timelinelabels", "value": value}, fps="25:25")
    assert sample.classifications == ()
    ledger = report.ledger.classifications
    assert (ledger.read, ledger.rejected, codes_of(report)) == (1, 1, {"R101": 1})


def test_answers_about_a_rectangle_are_its_own_and_lines_of_labelbox_have_them(
    tmp_path: Path,
) -> None:
    answer = {"type": "choices", "id": "r1", "from_name": "kind", "value": {"choices": ["old"]}}
    source = export(tmp_path, rectangle(key(1), key(20, enabled=False)), answer)
    target = tmp_path / "mal.ndjson"
    options = {"sizes": str(tmp_path / "sizes.csv"), "fps": "24:24", "choices": "radio"}
    report = lc.convert(source, target, to="labelbox", reader_options=options)
    (line,) = [json.loads(text) for text in target.read_bytes().splitlines()]
    shown = [keyframe["frame"] for keyframe in line["segments"][0]["keyframes"]]
    assert (line["name"], shown) == ("Car", [1, 20])
    assert line["segments"][0]["keyframes"][0]["classifications"][0]["name"] == "kind"
    assert report.ledger.balanced
