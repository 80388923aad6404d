"""Pictures that are frames become videos, with their objects as tracks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image as Pictures

import labelconv as lc
from labelconv import codes
from labelconv.accounting import accounted
from labelconv.clips import Clips, VideoOptions, as_videos, clips_of, frame_of
from labelconv.errors import OptionError
from labelconv.frames import FrameMap
from labelconv.model import (
    Annotation,
    Box,
    Classification,
    Image,
    Keyframe,
    Radio,
    Relation,
    Sample,
    Samples,
    Track,
    Video,
)
from labelconv.problems import Account, Report
from labelconv.tracks import expand


def frame(key: str, *boxes: tuple[object, str, float], **others: Any) -> Sample:
    annotations = tuple(
        Annotation(
            str(n), category, Box(x, 0, x + 2, 2), extra={} if id is None else {"yolo:track": id}
        )
        for n, (id, category, x) in enumerate(boxes)
    )
    return Sample(key, Image(64, 48), annotations, **others)


def joined(*frames: Sample, **how: Any) -> tuple[list[Sample], Report]:
    report = Report()
    counted = accounted(Samples(frames), report)
    return list(as_videos(Clips(**how))(counted, report)), report


@pytest.mark.parametrize(
    ("key", "place"),
    [
        ("clip/img_000012.jpg", ("clip", 12)),
        ("a/b/7.png", ("a/b", 7)),
        ("clip_3.txt", ("clip", 3)),
        ("9.jpg", ("video", 9)),
        ("a\\2.jpg", ("a", 2)),
    ],
)
def test_a_frame_is_named_by_its_folder_and_the_last_number(
    key: str, place: tuple[str, int]
) -> None:
    assert frame_of(key, Clips()) == place


def test_frames_are_placed_in_the_video_by_rule_and_never_in_between() -> None:
    clips = clips_of(VideoOptions(first=1, step=30, start=5, fps="1:30"))
    assert frame_of("a/1.jpg", clips) == ("a", 5)
    assert frame_of("a/61.jpg", clips) == ("a", 65)
    assert isinstance(frame_of("a/60.jpg", clips), str)
    assert isinstance(frame_of("a/0.jpg", clips), str)
    assert isinstance(frame_of("a/2.jpg", Clips(first=3)), str)
    with pytest.raises(OptionError):
        clips_of(VideoOptions(fps="25:30"))
    with pytest.raises(OptionError):
        as_videos(Clips(step=0))


def test_objects_are_tracks_with_a_segment_for_each_run_of_frames() -> None:
    (video,), report = joined(
        frame("c/0.jpg", (7, "car", 0), (8, "car", 20)),
        frame("c/1.jpg", (7, "car", 1), (None, "dog", 5)),
        frame("c/2.jpg", (7, "car", 2)),
        frame("c/4.jpg", (7, "car", 4), (8, "bus", 22)),
    )
    assert (video.key, video.media) == ("c", Video(64, 48))
    seven, eight, dog, bus = video.annotations
    assert isinstance(seven.value, Track)
    assert [[k.frame for k in segment] for segment in seven.value.segments] == [[0, 1, 2], [4]]
    assert (seven.id, eight.id, dog.category, bus.category) == ("7", "8", "dog", "bus")
    assert eight.id != bus.id
    assert report.counts == {codes.FRAMES_JOINED.id: 1, codes.CONVENTION_GUESSED.id: 1}
    assert report.ledger.samples == Account(read=1)
    assert report.ledger.annotations == Account(read=4)


def test_sampled_frames_are_neighbours_by_their_stride() -> None:
    (video,), _ = joined(
        frame("c/0.jpg", (7, "car", 0)),
        frame("c/1.jpg", (7, "car", 1)),
        place=FrameMap(10, 30),
    )
    value = video.annotations[0].value
    assert isinstance(value, Track)
    assert [[k.frame for k in segment] for segment in value.segments] == [[10, 40]]


def test_answers_about_pictures_hold_for_runs_of_frames() -> None:
    day, night = (Classification("light", Radio(name)) for name in ("day", "night"))
    (video,), report = joined(
        *(frame(f"c/{n}.jpg", classifications=(day if n < 3 else night,)) for n in range(5)),
        frame("c/6.jpg", classifications=(day,)),
    )
    asked = {each.answer.name: each.ranges for each in video.classifications}  # type: ignore[union-attr]
    assert asked == {"day": ((0, 3), (6, 7)), "night": ((3, 5),)}
    assert report.ledger.classifications == Account(read=2)


@pytest.mark.parametrize(
    "frames",
    [
        [frame("c/1.jpg"), frame("c/none.jpg", (1, "car", 0))],
        [frame("c/1.jpg"), frame("c/1.png", (1, "car", 0))],
        [frame("c/2.jpg"), frame("c/1.jpg", (1, "car", 0))],
        [frame("c/1.jpg"), frame("d/1.jpg"), frame("c/2.jpg", (1, "car", 0))],
        [
            frame("c/1.jpg"),
            msgspec.structs.replace(frame("c/2.jpg", (1, "car", 0)), media=Image(9, 9)),
        ],
        [frame("c/1.jpg"), msgspec.structs.replace(frame("2", (1, "car", 0)), key_is_id=True)],
    ],
)
def test_a_picture_that_is_no_next_frame_is_rejected_with_what_it_says(
    frames: list[Sample],
) -> None:
    videos, report = joined(*frames)
    assert report.ledger.samples.rejected == 1
    assert report.ledger.annotations == Account(read=1, rejected=1)
    assert report.counts[codes.RECORD_MALFORMED.id] == 1
    assert all(not video.annotations for video in videos)


def test_an_id_twice_in_a_frame_is_two_objects_and_relations_are_a_loss() -> None:
    near = (Relation("r", "near", "0", "1"),)
    (video,), report = joined(frame("c/0.jpg", (7, "car", 0), (7, "car", 9), relations=near))
    assert [annotation.id for annotation in video.annotations] == ["7", "7@0/1"]
    assert report.counts[codes.ANNOTATION_ID_DUPLICATE.id] == 1
    assert report.counts[codes.RELATION_DROPPED.id] == 1
    assert report.ledger.relations == Account(read=1, lost=1)


def test_what_a_track_has_no_place_for_is_counted_or_a_loss() -> None:
    def sure(key: str, confidence: float, field: str) -> Sample:
        extra = {"yolo:track": 7, field: 1}
        box = Annotation("0", "car", Box(0, 0, 2, 2), confidence=confidence, extra=extra)
        return Sample(key, Image(64, 48), (box,), uri="elsewhere.jpg", extra={"yolo:split": "a"})

    (video,), report = joined(sure("c/0.jpg", 0.5, "yolo:a"), sure("c/1.jpg", 0.75, "yolo:b"))
    assert video.annotations[0].confidence == 0.75
    assert report.counts[codes.DETAIL_DROPPED.id] == 1
    assert report.passed == ("c", {"7": "lost"})
    assert report.fields == {"yolo:a": 1, "yolo:b": 1, "yolo:split": 2, "uri (of frames)": 2}


def test_track_ids_are_of_one_field_for_all_frames() -> None:
    other = Annotation("0", "car", Box(0, 0, 2, 2), extra={"coco:instance_id": 7})
    (video,), report = joined(
        frame("c/0.jpg", (7, "car", 0)), Sample("c/1.jpg", Image(64, 48), (other,))
    )
    assert len(video.annotations) == 2
    assert report.fields == {"coco:instance_id": 1}
    (video,), _ = joined(
        frame("c/0.jpg", (7, "car", 0)),
        Sample("c/1.jpg", Image(64, 48), (other,)),
        track="coco:instance_id",
    )
    assert [annotation.id for annotation in video.annotations] == ["0/0", "7"]


@given(
    st.dictionaries(
        st.integers(0, 30),
        st.dictionaries(st.integers(0, 3), st.integers(0, 60)),
        min_size=1,
        max_size=12,
    )
)
def test_each_frame_of_each_track_is_what_the_picture_had(
    frames: dict[int, dict[int, int]],
) -> None:
    pictures = [
        frame(f"c/{n}.jpg", *((id, "car", float(x)) for id, x in frames[n].items()))
        for n in sorted(frames)
    ]
    (video,), _ = joined(*pictures)
    found: dict[tuple[int, int], float] = {}
    for annotation in video.annotations:
        assert isinstance(annotation.value, Track)
        for segment in expand(annotation.value).segments:
            for keyframe in segment:
                assert isinstance(keyframe, Keyframe)
                assert isinstance(keyframe.shape, Box)
                found[int(annotation.id), keyframe.frame] = keyframe.shape.x0
    assert found == {(id, n): x for n, boxes in frames.items() for id, x in boxes.items()}


def test_the_results_of_a_yolo_tracker_become_lines_of_a_labelbox_video(tmp_path: Path) -> None:
    root = tmp_path / "run"
    (root / "images" / "clip").mkdir(parents=True)
    (root / "labels" / "clip").mkdir(parents=True)
    for n in range(1, 6):
        Pictures.new("L", (100, 50)).save(root / "images" / "clip" / f"clip_{n}.png")
        rows = [f"0 {0.2 + n / 100:.4f} 0.5 0.2 0.4 1"] + ["1 0.8 0.5 0.2 0.4 2"] * (n != 3)
        (root / "labels" / "clip" / f"clip_{n}.txt").write_text("\n".join(rows))
    (root / "data.yaml").write_text("path: .\ntrain: images\nnames: [car, dog]\n")
    target = tmp_path / "mal.ndjson"
    report = lc.convert(
        root / "data.yaml",
        target,
        from_="yolo",
        to="labelbox",
        reader_options={"task": "detect", "columns": "track"},
        video={"first": 1},
    )
    lines = [msgspec.json.decode(line) for line in target.read_bytes().splitlines()]
    assert report.ledger.annotations.read == 2
    assert report.ledger.balanced
    frames = {
        line["name"]: [
            [keyframe["frame"] for keyframe in segment["keyframes"]] for segment in line["segments"]
        ]
        for line in lines
    }
    assert frames == {"car": [[1, 5]], "dog": [[1, 2], [4, 5]]}
    assert lc.check(target).errors == 0
