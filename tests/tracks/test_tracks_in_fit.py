"""What fit and convert do with tracks: every frame, joined segments, keyframes chosen once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import labelconv as lc
from labelconv.errors import OptionError
from labelconv.fit import fit
from labelconv.format import Format, HeldTracks, Holds, NoOptions
from labelconv.frames import FrameMap, frame_map
from labelconv.geometry import bounds
from labelconv.identity import whole_numbers
from labelconv.model import (
    Annotation,
    Box,
    Classification,
    FreeText,
    Keyframe,
    Keypoint,
    Keypoints,
    Mask,
    Sample,
    Samples,
    Track,
    Video,
)
from labelconv.problems import Keyframes, Report, Where
from labelconv.tracks import track_of


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
