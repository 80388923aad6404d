"""What fit and convert do with tracks: every frame, joined segments, keyframes chosen once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import labelconv as lc
from labelconv import codes
from labelconv.errors import OptionError
from labelconv.fit import fit
from labelconv.format import Format, HeldTracks, Holds, NoOptions
from labelconv.frames import FrameMap, frame_map
from labelconv.geometry import bounds
from labelconv.identity import whole_numbers
from labelconv.masks import from_array
from labelconv.model import (
    Annotation,
    Box,
    Classification,
    FreeText,
    Keyframe,
    Keypoint,
    Keypoints,
    Mask,
    Radio,
    Sample,
    Samples,
    Track,
    Video,
)
from labelconv.problems import Keyframes, Report, Where
from labelconv.tracks import MOST_FRAMES, track_of


def held(tracks: HeldTracks, **more: Any) -> Format:
    holds = Holds(
        media=Video,
        values=frozenset({Track}),
        keyframes=frozenset({Box, Keypoints}),
        tracks=tracks,
        **more,
    )
    return Format(name="some", about="", url="", holds=lambda options: (holds,))


def clip(track: Track) -> Samples:
    return Samples([Sample("clip", Video(640.0, 480.0), (Annotation("1", "car", track),))])


def fitted(track: Track, tracks: HeldTracks, report: Report, **more: Any) -> Track:
    (sample,) = fit(clip(track), held(tracks, **more), NoOptions(), report)
    (annotation,) = sample.annotations
    assert isinstance(annotation.value, Track)
    return annotation.value


def box(x: float) -> Box:
    return Box(x, 0.0, x + 10.0, 10.0)


def frames(track: Track) -> list[list[int]]:
    return [[keyframe.frame for keyframe in segment] for segment in track.segments]


def test_a_format_of_every_frame_gets_every_frame_and_that_is_a_change() -> None:
    report = Report()
    sparse = track_of([0, 4], [box(0.0), box(4.0)], max_gap=4)
    assert frames(fitted(sparse, HeldTracks(every_frame=True), report)) == [[0, 1, 2, 3, 4]]
    assert report.ledger.annotations.changed == 1
    dense = track_of([0, 1], [box(0.0), box(4.0)])
    assert fitted(dense, HeldTracks(every_frame=True), Report()) == dense


def test_masks_follow_a_box_that_moves_and_stay_where_it_stands() -> None:
    holds = Holds(media=Video, values=frozenset({Track}), keyframes=frozenset({Mask}))
    masks = Format(name="some", about="", url="", holds=lambda options: (holds,))
    keyframes = tuple(Keyframe(n, box(x)) for n, x in ((0, 0.0), (3, 6.0), (9, 6.0)))
    (sample,) = fit(clip(Track((keyframes,))), masks, NoOptions(), Report())
    value = sample.annotations[0].value
    assert isinstance(value, Track)
    assert frames(value) == [[0, 1, 2, 3, 9]]
    lefts = [bounds(keyframe.shape) for keyframe in value.segments[0]]
    assert [each.x0 for each in lefts if each] == [0, 2, 4, 6, 6]


def test_segments_without_a_frame_between_are_joined_where_a_format_cannot_tell_them_apart() -> (
    None
):
    halves = Track(((Keyframe(0, box(0.0)),), (Keyframe(1, box(0.0)),), (Keyframe(3, box(0.0)),)))
    assert frames(fitted(halves, HeldTracks(joined=True), Report())) == [[0, 1], [3]]
    assert frames(fitted(halves, HeldTracks(), Report())) == [[0], [1], [3]]


def test_keyframes_are_chosen_with_the_tolerance_of_the_format_and_measured() -> None:
    report = Report()
    track = track_of(range(5), [box(x) for x in (0.0, 1.0, 0.0, 0.0, 0.0)])
    assert frames(fitted(track, HeldTracks(tolerance=1.0), report)) == [[0, 4]]
    done = report.keyframes
    assert (done.tracks, done.before, done.after, done.drift) == (1, 5, 2, 1.0)
    assert done.drift_where == Where(sample="clip", annotation="1")
    assert done.iou == pytest.approx(9 / 11)


def test_keyframes_that_the_reader_has_chosen_are_not_chosen_again() -> None:
    report = Report()
    report.thinned = True
    track = track_of(range(5), [box(x) for x in (0.0, 1.0, 0.0, 0.0, 0.0)])
    assert fitted(track, HeldTracks(tolerance=1.0), report) == track


def test_names_on_keyframes_are_spelled_as_the_format_can() -> None:
    asked = (Classification("a\nb", FreeText("c\x00")),)
    shapes = [Keypoints((Keypoint("left ear\t", 1.0, 1.0),))]
    report = Report()
    fit_ = fitted(
        track_of([0], shapes, [asked]),
        HeldTracks(),
        report,
        names="line",
        texts="xml",
        classifications=1,
        outlines=frozenset(),
    )
    (keyframe,) = fit_.segments[0]
    assert isinstance(keyframe.shape, Keypoints)
    assert keyframe.shape.points[0].name == "left ear%09"
    assert keyframe.classifications == (Classification("a%0Ab", FreeText("c%00")),)
    assert report.ledger.annotations.changed == 1


def test_measures_of_several_tracks_add_up_and_the_worst_has_its_place() -> None:
    done = Keyframes()
    done.add(10, 10, 0.0, 1.0, Where(annotation="untouched"))
    done.add(10, 2, 0.5, 0.75, Where(annotation="a"))
    done.add(10, 3, 0.25, None, Where(annotation="b"))
    assert (done.tracks, done.before, done.after) == (3, 30, 15)
    assert (done.drift, done.iou) == (0.5, 0.75)
    assert done.drift_where == done.iou_where == Where(annotation="a")


def pixels(*rows: str) -> Mask:
    return from_array(np.array([[each == "#" for each in row] for row in rows], np.uint8))


def test_masks_that_a_later_one_covers_are_measured_at_their_worst_and_are_gaps_where_hidden() -> (
    None
):
    four, three, one = (pixels(row) for row in ("####....", ".###....", "...#...."))
    below = track_of(range(4), [four] * 4)
    above = Track(
        ((Keyframe(0, one),), (Keyframe(1, three),), (Keyframe(2, four),), (Keyframe(3, one),))
    )
    annotations = Annotation("a", "cell", below), Annotation("b", "cell", above)
    holds = Holds(
        media=Video,
        values=frozenset({Track}),
        keyframes=frozenset({Mask}),
        tracks=HeldTracks(masks="pictures"),
    )
    format = Format(name="some", about="", url="", holds=lambda options: (holds,))
    report = Report()
    (sample,) = fit(
        Samples([Sample("clip", Video(8.0, 1.0), annotations)]), format, NoOptions(), report
    )
    first, second = (each.value for each in sample.annotations)
    assert isinstance(first, Track)
    assert isinstance(second, Track)
    assert frames(first) == [[0, 1], [3]]
    assert [k.shape for s in first.segments for k in s] == [
        pixels("###....."), pixels("#......."), pixels("###....."),
    ]  # fmt: skip
    assert frames(second) == [[0, 1, 2, 3]]
    (measured,) = (m for m in report.measures.values())
    assert measured.worst == 0.0
    ledger = report.ledger.annotations
    assert (ledger.lost, ledger.changed, ledger.kept) == (1, 1, 0)


def test_answers_about_masks_in_pictures_are_a_loss() -> None:
    answer = (Classification("alive", FreeText("yes")),)
    mask = pixels("#.", "##")
    for track, asked in (
        (track_of([0, 1], [mask, mask], [answer, answer]), ()),
        (track_of([0, 1], [mask, mask]), answer),
    ):
        holds = Holds(
            media=Video,
            values=frozenset({Track}),
            keyframes=frozenset({Mask}),
            classifications=1,
            tracks=HeldTracks(masks="pictures"),
        )
        format = Format(name="some", about="", url="", holds=lambda o, h=holds: (h,))  # type: ignore[misc]
        made = Annotation("1", "cell", track, asked)
        report = Report()
        dataset = Samples([Sample("clip", Video(2.0, 2.0), (made,))])
        (sample,) = fit(dataset, format, NoOptions(), report)
        (annotation,) = sample.annotations
        assert isinstance(annotation.value, Track)
        assert not any(k.classifications for s in annotation.value.segments for k in s)
        assert annotation.classifications == ()
        assert report.counts[codes.DETAIL_DROPPED.id] == 1
        assert report.ledger.annotations.lost == 1


def test_an_answer_below_one_on_a_keyframe_is_a_loss_of_the_track_where_it_is_not_held() -> None:
    below = (Classification("why", FreeText("rain")),)
    asked = (Classification("wet", Radio("yes", below)),)
    report = Report()
    track = fitted(track_of([0], [box(1.0)], [asked]), HeldTracks(), report, classifications=1)
    assert track.segments[0][0].classifications == (Classification("wet", Radio("yes")),)
    assert report.ledger.annotations.lost == 1


@pytest.mark.parametrize(
    "orders", [[], [[]], [[0], []], [[3, 3]], [[3], [2]], [[0, 4], [4]], [[-1, 3]]]
)
@pytest.mark.parametrize("target", ["labelbox", "mot", "cvat-video", "coco-video", "native"])
def test_a_track_without_keyframes_that_rise_from_0_on_is_rejected_alone(
    tmp_path: Path, target: str, orders: list[list[int]]
) -> None:
    bad = Track(tuple(tuple(Keyframe(f, box(1.0)) for f in order) for order in orders))
    good = track_of([0, 1], [box(1.0), box(9.0)])
    made = tuple(Annotation(id, "car", each) for id, each in (("1", bad), ("2", good)))
    dataset = Samples([Sample("clip", Video(640.0, 480.0), made)])
    report = lc.write(dataset, tmp_path / "out", target)
    ledger = report.ledger.annotations
    assert (ledger.rejected, ledger.kept) == (1, 1)
    (problem,) = (each for each in report.problems if each.code.startswith("M"))
    assert (problem.code, problem.where.annotation) == ("M205", "1")
    (back,) = lc.read(tmp_path / "out", target)
    assert len(back.annotations) == 1


def far(*values: Any) -> Track:
    """A track of two keyframes with more frames between than can be spelled out."""
    return Track((tuple(map(Keyframe, (0, MOST_FRAMES), values)),))


def test_a_track_of_more_frames_than_can_be_spelled_out_is_lost_only_where_they_must_be() -> None:
    still, mask = box(1.0), Mask((4, 4), (0, 16))
    near = Track(((Keyframe(5, still), Keyframe(MOST_FRAMES + 4, still)),))
    pictures = HeldTracks(masks="pictures")
    every = HeldTracks(every_frame=True)
    for track, tracks, kinds, kept in (
        (far(still, box(2.0)), every, {Box}, False),
        (near, every, {Box}, True),
        (far(still, box(2.0)), HeldTracks(), {Box}, True),
        (far(still, box(2.0)), HeldTracks(), {Mask}, False),
        (far(mask, mask), pictures, {Mask}, False),
        (far(mask, mask), HeldTracks(), {Mask}, True),
        (far(still, still), pictures, {Box, Mask}, True),
    ):
        holds = Holds(
            media=Video, values=frozenset({Track}), keyframes=frozenset(kinds), tracks=tracks
        )
        format = Format(name="some", about="", url="", holds=lambda o, h=holds: (h,))  # type: ignore[misc]
        report = Report()
        (sample,) = fit(clip(track), format, NoOptions(), report)
        assert len(sample.annotations) == kept, (tracks, kinds)
        assert report.counts.get("L401", 0) == (not kept)
        assert report.ledger.annotations.lost == (not kept)


def test_a_run_without_tracks_says_nothing_about_keyframes(tmp_path: Path) -> None:
    report = lc.write(Samples([]), tmp_path / "out.ndjson", "labelbox")
    assert "L432" not in report.counts


# ---------------------------------------------------------------------------- frames and numbers


def test_a_frame_map_is_a_start_and_a_stride() -> None:
    assert FrameMap().is_identity
    assert frame_map(2, 1, "10:30", "some") == FrameMap(2, 3, 30.0)
    assert [FrameMap(2, 3).of(frame) for frame in range(3)] == [2, 5, 8]


@pytest.mark.parametrize("fps", ["24:30", "30:15", "0:30", "30", "a:b", "1:2:3"])
def test_frame_rates_that_leave_frames_without_a_place_are_refused(fps: str) -> None:
    with pytest.raises(OptionError):
        frame_map(0, 1, fps, "some")


def test_ids_that_are_numbers_stay_and_others_get_those_that_are_free() -> None:
    assert whole_numbers(["2", "a", "1", "007", "0", "99999999999"]) == ([2, 3, 1, 4, 5, 6], 4)
    assert whole_numbers(["0", "x"], 0) == ([0, 1], 1)
