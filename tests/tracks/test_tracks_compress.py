"""compress and expand: the keyframe figures of our format notes, exactness, and the fewest."""

from __future__ import annotations

import math
from itertools import combinations, pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labelconv import keyframes, straight, tracks, walking
from labelconv.model import (
    Box,
    Classification,
    Keyframe,
    Keypoint,
    Keypoints,
    Mask,
    OrientedBox,
    Point,
    Polygon,
    Polyline,
    Radio,
    Track,
)

INDOOR = (Classification("place", Radio("indoor")),)
OUTDOOR = (Classification("place", Radio("outdoor")),)


def boxes(xs: list[float], start: int = 1) -> Track:
    """A box 10 wide at each x, on frames from `start` on."""
    frames = range(start, start + len(xs))
    return tracks.track_of(frames, [Box(float(x), 0.0, x + 10.0, 10.0) for x in xs])


def frames_of(track: Track) -> list[list[int]]:
    return [[keyframe.frame for keyframe in segment] for segment in track.segments]


def numbers_of(keyframe: Keyframe) -> tuple[float, ...]:
    return tracks.numbers_of(keyframe.shape)


# ---------------------------------------------------------------------------- the known figures


@pytest.mark.parametrize("method", ["reach", "fewest"])
def test_a_box_that_moves_evenly_is_two_keyframes(method: keyframes.Method) -> None:
    track = boxes([100 + 2 * frame for frame in range(1, 11)])
    assert frames_of(tracks.compress(track, 0, method=method)) == [[1, 10]]


@pytest.mark.parametrize("method", ["reach", "fewest"])
def test_a_change_of_speed_is_a_third_keyframe(method: keyframes.Method) -> None:
    track = boxes([100 + 2 * f if f <= 5 else 110 + 7 * (f - 5) for f in range(1, 11)])
    assert frames_of(tracks.compress(track, 0, method=method)) == [[1, 5, 10]]


def test_frames_1_to_5_and_9_to_12_are_two_segments() -> None:
    frames = [1, 2, 3, 4, 5, 9, 10, 11, 12]
    track = tracks.track_of(frames, [Box(100.0 + 2 * f, 0.0, 110.0 + 2 * f, 5.0) for f in frames])
    assert frames_of(tracks.compress(track, 0)) == [[1, 5], [9, 12]]


def test_a_box_that_stands_still_for_500_frames_is_two_keyframes() -> None:
    assert frames_of(tracks.compress(boxes([37.25] * 500), 0)) == [[1, 500]]


def test_frames_30_apart_are_one_segment_for_a_source_sampled_every_30_frames() -> None:
    shapes = [Box(0.0, 0.0, 4.0, 4.0), Box(30.0, 0.0, 34.0, 4.0)]
    assert frames_of(tracks.track_of([390, 420], shapes, max_gap=30)) == [[390, 420]]
    assert frames_of(tracks.track_of([390, 420], shapes)) == [[390], [420]]


def test_frames_that_do_not_rise_are_refused() -> None:
    with pytest.raises(ValueError, match="3 found after 3"):
        tracks.track_of([3, 3], [Point(0.0, 0.0), Point(1.0, 1.0)])


def test_two_frames_off_by_the_tolerance_are_left_out_and_one_further_off_stays() -> None:
    at_limit = boxes([0, 1, 0, 1, 0])
    assert frames_of(tracks.compress(at_limit, 1)) == [[1, 5]]
    beyond = boxes([0, 0, 1.001, 0, 0])
    assert 3 in frames_of(tracks.compress(beyond, 1))[0]


# ---------------------------------------------------------------------------- forced keyframes


def test_a_keyframe_stays_where_the_answer_changes_and_both_answers_are_kept() -> None:
    frames = range(80)
    answers = [INDOOR if frame < 40 else OUTDOOR for frame in frames]
    track = tracks.track_of(frames, [Box(5.0, 5.0, 9.0, 9.0)] * 80, answers)
    smaller = tracks.compress(track, 1)
    assert frames_of(smaller) == [[0, 40, 79]]
    assert [k.classifications for k in smaller.segments[0]] == [INDOOR, OUTDOOR, OUTDOOR]
    assert tracks.expand(smaller) == track


def test_masks_and_polygons_that_change_their_length_all_stay() -> None:
    mask = Mask((2, 2), (1, 2, 1))
    still = tracks.track_of(range(5), [mask] * 5)
    assert tracks.compress(still, 5) is still
    three, four = (0.0, 0.0, 4.0, 0.0, 4.0, 4.0), (0.0, 0.0, 4.0, 0.0, 4.0, 4.0, 0.0, 4.0)
    turning = tracks.track_of(range(6), [Polygon(((r,),)) for r in (three, four) * 3])
    assert tracks.compress(turning, 5) is turning


def test_runs_of_polygons_of_one_length_are_compressed_between_those_of_others() -> None:
    three, four = (0.0, 0.0, 4.0, 0.0, 4.0, 4.0), (0.0, 0.0, 4.0, 0.0, 4.0, 4.0, 0.0, 4.0)
    shapes = [Polygon(((ring,),)) for ring in [three] * 5 + [four] * 5]
    track = tracks.track_of(range(10), shapes)
    smaller = tracks.compress(track, 0)
    assert frames_of(smaller) == [[0, 4, 5, 9]]
    assert tracks.expand(smaller) == track


@pytest.mark.parametrize(
    "shape",
    [
        lambda f: Point(2.0 * f, 3.0 * f),
        lambda f: Polyline((2.0 * f, 0.0, 8.0, 3.0 * f)),
        lambda f: Polygon(
            (((0.0, 0.0, 4.0 + f, 0.0, 4.0, 4.0 * f), (1.0, 1.0, 2.0, 1.0, 2.0, 2.0 + f)),)
        ),
        lambda f: OrientedBox(2.0 * f, 1.0, 8.0, 4.0 + f, 30.0),
        lambda f: Keypoints(
            (Keypoint("a", 2.0 * f, 1.0), Keypoint("b", 1.0, 5.0 * f, visible=False))
        ),
        lambda f: Keypoints((Keypoint("a", 2.0 * f, 1.0),), Box(0.0, 0.0, 9.0 * f, 4.0)),
    ],
)
def test_every_kind_of_shape_that_moves_evenly_is_two_keyframes_and_comes_back(shape) -> None:  # type: ignore[no-untyped-def]
    track = tracks.track_of(range(1, 8), [shape(f) for f in range(1, 8)])
    smaller = tracks.compress(track, 0)
    assert frames_of(smaller) == [[1, 7]]
    assert tracks.expand(smaller) == track


def test_a_point_that_becomes_hidden_is_a_keyframe_though_it_does_not_move() -> None:
    seen = [Keypoints((Keypoint("a", 1.0, 1.0, frame < 3),)) for frame in range(6)]
    assert frames_of(tracks.compress(tracks.track_of(range(6), seen), 1)) == [[0, 2, 3, 5]]


def test_an_oriented_box_that_turns_keeps_all_keyframes_and_expands_the_shorter_way() -> None:
    turning = [OrientedBox(5.0, 5.0, 4.0, 2.0, float(angle)) for angle in (0, 10, 20)]
    track = tracks.track_of(range(3), turning)
    assert tracks.compress(track, 9) is track
    ends = tracks.track_of(
        [0, 2], [OrientedBox(5, 5, 4, 2, 350), OrientedBox(5, 5, 4, 2, 10)], max_gap=2
    )
    middle = tracks.expand(ends).segments[0][1].shape
    assert isinstance(middle, OrientedBox)
    assert middle.angle == 360.0


def test_the_corners_of_an_oriented_box_are_what_must_stay_within_the_tolerance() -> None:
    # Widening by 2 moves corners by 1, so all but the ends can go.
    shapes = [OrientedBox(0.0, 0.0, w, 4.0, 45.0) for w in (10.0, 12.0, 10.0)]
    track = tracks.track_of(range(3), shapes)
    assert frames_of(tracks.compress(track, 1.01)) == [[0, 2]]
    assert frames_of(tracks.compress(track, 0.99)) == [[0, 1, 2]]


def test_a_vertex_is_measured_by_its_distance_not_by_x_and_y_apart() -> None:
    track = tracks.track_of(range(3), [Point(0.0, 0.0), Point(3.0, 4.0), Point(0.0, 0.0)])
    assert frames_of(tracks.compress(track, 5)) == [[0, 2]]
    assert frames_of(tracks.compress(track, 4.9)) == [[0, 1, 2]]


def test_a_negative_tolerance_is_refused() -> None:
    for tolerance in (-1.0, math.nan):
        with pytest.raises(ValueError, match="0 or more expected"):
            tracks.compress(boxes([1, 2, 3]), tolerance)


def test_what_was_done_is_measured() -> None:
    _, measures = tracks.compress_measured(boxes([0, 1, 0, 0, 0]), 1)
    assert (measures.before, measures.after, measures.drift) == (5, 2, 1.0)
    assert measures.iou == pytest.approx(9 / 11)


def test_the_measures_of_a_track_are_those_of_its_worst_segment() -> None:
    worst, still = boxes([0, 1, 0, 0, 0]).segments[0], boxes([0, 0, 0]).segments[0]
    later = tuple(Keyframe(k.frame + 20, k.shape) for k in still)
    _, measures = tracks.compress_measured(Track((worst, later)), 1)
    assert (measures.before, measures.after, measures.drift) == (8, 4, 1.0)
    assert measures.iou == pytest.approx(9 / 11)


def test_a_zero_below_zero_is_not_the_zero_above_it_at_tolerance_0() -> None:
    signs = [Point(0.0, 0.0), Point(-0.0, 0.0), Point(0.0, 0.0)]
    track = tracks.track_of(range(3), signs)
    assert tracks.compress(track, 0) is track
    assert frames_of(tracks.compress(track, 1e-9)) == [[0, 2]]


def test_a_line_holds_until_one_of_another_number_of_points() -> None:
    two, three = Polyline((0.0, 0.0, 4.0, 4.0)), Polyline((0.0, 0.0, 2.0, 4.0, 4.0, 4.0))
    whole = tracks.expand(tracks.track_of([0, 3], [two, three], max_gap=3))
    assert [k.shape for k in whole.segments[0]] == [two, two, two, three]
    assert frames_of(tracks.compress(whole, 9)) == [[0, 2, 3]]


def test_expand_with_a_stride_keeps_to_the_frames_counted_from_the_first() -> None:
    shapes = [Point(float(frame), 0.0) for frame in (4, 7, 14)]
    track = tracks.track_of([4, 7, 14], shapes, max_gap=9)
    assert frames_of(tracks.expand(track, stride=2)) == [[4, 6, 7, 8, 10, 12, 14]]


def test_segments_that_overlap_are_not_joined() -> None:
    early, late = boxes([0, 0, 0]).segments[0], boxes([5, 5, 5]).segments[0]
    track = Track((early, late))
    assert tracks.joined(track) is track


def test_numbers_beyond_what_floats_hold_are_left_alone() -> None:
    huge = [Box(2**60 + 1, 0, 2**60 + 5, 4), Box(2**60 + 2, 0, 2**60 + 6, 4)]
    still = tracks.track_of(range(4), [huge[0], huge[1], huge[0], huge[0]])
    assert tracks.compress(still, 0).segments == still.segments
    beyond = tracks.track_of(range(3), [Point(10**400, 0), Point(10**400, 0), Point(10**400, 0)])
    assert tracks.compress(beyond, 1) is beyond


def test_segments_that_follow_each_other_are_joined_by_expand_and_joined() -> None:
    halves = Track(
        (
            (Keyframe(0, Point(0.0, 0.0)), Keyframe(2, Point(2.0, 0.0))),
            (Keyframe(3, Point(9.0, 0.0)),),
            (Keyframe(5, Point(9.0, 0.0)),),
        )
    )
    assert frames_of(tracks.joined(halves)) == [[0, 2, 3], [5]]
    assert frames_of(tracks.expand(halves)) == [[0, 1, 2, 3], [5]]


# ---------------------------------------------------------------------------- for any track

whole = st.integers(-50, 50).map(float)
fraction = st.floats(-1e4, 1e4, allow_subnormal=False)
any_float = st.floats(allow_nan=False, allow_infinity=False)


@st.composite
def dense(draw: st.DrawFn, number: st.SearchStrategy[float], longest: int = 24) -> Track:
    """A track of boxes or points with gaps, that often moves evenly for a while."""
    count = draw(st.integers(1, longest))
    steps = draw(st.lists(st.sampled_from((1, 1, 1, 1, 2, 5)), min_size=count, max_size=count))
    frames = np.cumsum(steps).tolist()
    size = draw(st.sampled_from((2, 4)))
    at = [draw(number) for _ in range(size)]
    speed = [0.0] * size
    shapes: list[Box | Point] = []
    for _ in range(count):
        if draw(st.integers(0, 3)) == 0:
            speed = [draw(number) / 4 for _ in range(size)]
        if draw(st.integers(0, 9)) == 0:
            at = [draw(number) for _ in range(size)]
        at = [max(min(a + v, 1.7e308), -1.7e308) for a, v in zip(at, speed, strict=True)]
        shapes.append(Point(*at) if size == 2 else Box(*at))
    answers = [INDOOR if draw(st.integers(0, 9)) else OUTDOOR for _ in range(count)]
    return tracks.track_of(frames, shapes, answers, max_gap=draw(st.sampled_from((1, 2))))


def restored(track: Track, smaller: Track) -> list[Keyframe]:
    """The keyframes of the smaller track, expanded, at the frames of the larger one."""
    there = {k.frame: k for segment in tracks.expand(smaller).segments for k in segment}
    return [there[keyframe.frame] for segment in track.segments for keyframe in segment]


@given(
    track=dense(whole) | dense(fraction) | dense(any_float),
    method=st.sampled_from(("reach", "fewest")),
)
def test_with_tolerance_0_every_track_comes_back_bit_by_bit(
    track: Track, method: keyframes.Method
) -> None:
    smaller = tracks.compress(track, 0, method=method)
    given_ = [keyframe for segment in track.segments for keyframe in segment]
    back = restored(track, smaller)
    assert back == given_
    bits = [np.array([numbers_of(k) for k in each]).tobytes() for each in (given_, back)]
    assert bits[0] == bits[1]


@given(
    track=dense(whole) | dense(fraction) | dense(any_float),
    tolerance=st.sampled_from((0.25, 0.5, 1.0, 2.0)) | st.floats(0, 100),
    method=st.sampled_from(("reach", "fewest")),
)
def test_no_frame_is_further_off_than_the_tolerance(
    track: Track, tolerance: float, method: keyframes.Method
) -> None:
    smaller, measures = tracks.compress_measured(track, tolerance, method=method)
    for before, after in zip(
        (k for segment in track.segments for k in segment), restored(track, smaller), strict=True
    ):
        assert after.classifications == before.classifications
        apart = [abs(a - b) for a, b in zip(numbers_of(before), numbers_of(after), strict=True)]
        if isinstance(before.shape, Point):
            apart.append(float(np.hypot(*apart)))
        assert max(apart) <= tolerance
        assert max(apart) <= measures.drift
    assert [s[0] for s in smaller.segments] == [s[0] for s in track.segments]
    assert [s[-1] for s in smaller.segments] == [s[-1] for s in track.segments]


@given(track=dense(whole) | dense(fraction), tolerance=st.sampled_from((0.0, 0.5, 1.0, 3.0)))
def test_the_default_is_never_better_than_the_fewest(track: Track, tolerance: float) -> None:
    default = sum(map(len, tracks.compress(track, tolerance).segments))
    fewest = sum(map(len, tracks.compress(track, tolerance, method="fewest").segments))
    assert fewest <= default


@settings(deadline=None)
@given(
    values=st.lists(st.tuples(whole, whole), min_size=3, max_size=9)
    | st.lists(st.tuples(fraction, fraction), min_size=3, max_size=9),
    scale=st.sampled_from((1.0, 0.1, 1 / 3)),
    tolerance=st.sampled_from((0.0, 0.5, 1.0, 5.0, 40.0)),
    vertices=st.booleans(),
)
def test_the_fewest_are_what_trying_all_subsets_finds(
    values: list[tuple[float, float]], scale: float, tolerance: float, vertices: bool
) -> None:
    table = np.array(values) * scale
    frames = np.arange(len(values)) * 2
    first, last = np.array([0]), np.array([len(values) - 1])
    chosen = keyframes.choose(
        frames, table, first, last, tolerance, method="fewest", vertices=vertices
    )
    given_ = straight.Given(frames, table, tolerance, vertices)
    inner = range(1, len(values) - 1)
    least = next(
        count + 2
        for count in range(len(values) - 1)
        for middle in combinations(inner, count)
        if all(
            straight.is_straight(given_, a, b) for a, b in pairwise((0, *middle, len(values) - 1))
        )
    )
    assert chosen.kept.sum() == least


@settings(deadline=None)
@given(data=st.data(), tolerance=st.sampled_from((0.0, 0.5, 1.0, 4.0)), vertices=st.booleans())
def test_walks_in_lockstep_take_the_same_steps_as_one_by_one(
    data: st.DataObject, tolerance: float, vertices: bool
) -> None:
    sizes = data.draw(st.lists(st.integers(1, 40), min_size=1, max_size=30))
    seed = data.draw(st.integers(0, 2**32 - 1))
    random = np.random.default_rng(seed)
    values = np.cumsum(random.integers(-1, 2, (sum(sizes), 4)), axis=0) * random.choice((1.0, 0.37))
    frames = np.concatenate([np.cumsum(random.integers(1, 3, size)) for size in sizes])
    ends = np.cumsum(sizes)
    before = walking.LEAST_LANES
    results = []
    try:
        for least in (1, 10**9):
            walking.LEAST_LANES = least
            first = ends - sizes
            results.append(
                keyframes.choose(frames, values, first, ends - 1, tolerance, vertices=vertices)
            )
    finally:
        walking.LEAST_LANES = before
    assert (results[0].kept == results[1].kept).all()
    assert (results[0].error <= tolerance).all()


# ---------------------------------------------------------------------------- near the fewest


def jittered(noise: float, rounded: bool, count: int = 12, length: int = 240) -> list[Track]:
    """Tracks that change their speed every 30 frames, as detectors and annotators see them."""
    random = np.random.default_rng(7)
    turns = np.cumsum(random.normal(0, 2, (count, length // 30 + 2, 4)), axis=1) * 10
    at, part = np.divmod(np.arange(length) / 30, 1)
    at = at.astype(int)
    path = turns[:, at] * (1 - part)[None, :, None] + turns[:, at + 1] * part[None, :, None]
    path += random.normal(0, noise, path.shape) if noise else 0
    path = np.round(path) if rounded else np.round(path, 2)
    return [tracks.track_of(range(length), [Box(*row) for row in rows]) for rows in path.tolist()]


@pytest.mark.parametrize("tolerance", [0.5, 1.0, 2.0])
@pytest.mark.parametrize("rounded", [False, True])
@pytest.mark.parametrize("noise", [0.0, 0.3])
def test_the_default_needs_at_most_15_percent_more_keyframes_than_the_fewest(
    noise: float, rounded: bool, tolerance: float
) -> None:
    made = jittered(noise, rounded)
    default, fewest = (
        sum(len(s) for track in made for s in tracks.compress(track, tolerance, method=m).segments)
        for m in ("reach", "fewest")
    )
    assert fewest <= default <= 1.15 * fewest


def test_data_that_would_make_a_careless_walk_quadratic_take_linear_time() -> None:
    # Every row lies in the cone of the first, and none can be stepped to.
    values = np.full((40_001, 1), 0.9)
    values[1::2] *= -1
    values[0] = 0.0
    looked = 0
    fitting = walking.Table.fitting

    class Counting(walking.Table):
        def fitting(self, anchor: int, reach: float) -> list[int]:
            nonlocal looked
            found = fitting(self, anchor, reach)
            looked += found[-1] - anchor + walking.LOOK_AHEAD
            return found

    kept = np.zeros(len(values), bool)
    given_ = straight.Given(np.arange(len(values)), values, 1.0, False)
    original = walking.Table
    walking.Table = Counting  # type: ignore[misc]
    try:
        walking.walk(given_, 0, len(values) - 1, 1.0, kept)
    finally:
        walking.Table = original  # type: ignore[misc]
    assert kept[-1]
    assert looked < 4 * (walking.LOOK_AHEAD + 1) * len(values)
