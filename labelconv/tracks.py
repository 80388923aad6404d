"""Tracks: from a shape for every frame to keyframes, and back.

How a shape moves between two keyframes a and b of a segment (`between`): each of its numbers is

    a + (b - a) * (frame - a's frame) / (b's frame - a's frame)

computed from left to right in double precision. The numbers are a box's edges, a point's and a
line's coordinates, those of polygons whose rings have equally many points and of skeletons of the
same points, and the centre, sides and angle of an oriented box, which turns the shorter way. A
shape that does not move into the next one (a mask, a polygon of another length) holds until the
next keyframe, and so do a keyframe's classifications.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import msgspec

from labelconv.model import (
    Box,
    Classification,
    Keyframe,
    Keypoint,
    Keypoints,
    OrientedBox,
    Point,
    Polygon,
    Polyline,
    Shape,
    Track,
)

if TYPE_CHECKING:
    from labelconv.keyframes import Method

Segment = tuple[Keyframe, ...]

#: Frames of one track that are spelled out one by one at most: five hours at 60 a second. Two
#: keyframes may be as far apart as numbers go, and no memory holds what lies between.
MOST_FRAMES = 1 << 20


class Measures(msgspec.Struct, frozen=True):
    """What choosing keyframes did to a track.

    `before`, `after`: keyframes in and out. `drift`: the largest distance, in pixels, of a skipped
    frame from its place. `iou`: the lowest IoU of a skipped box with where it is now; 1.0 where
    nothing is skipped, None where what is skipped are not boxes.
    """

    before: int
    after: int
    drift: float = 0.0
    iou: float | None = 1.0


def compress(track: Track, tolerance: float, *, method: Method = "reach") -> Track:
    """The track with the fewest keyframes such that no frame left out is off by more.

    `tolerance` is in pixels, for each edge of a box and each vertex of other shapes; with 0 what
    is left out comes back bit by bit with `expand`. `reach` takes linear time and is, on real
    tracks, within 15 % of `fewest`, which finds the smallest number there is and takes longer.

    A segment's first and last keyframe stay, and where classifications change one stays. What does
    not move into the next shape stays. Between keyframes that were far apart already the track
    keeps within the tolerance of its straight way.

    Raises `ValueError` for a tolerance that is negative or not a number.
    """
    return compress_measured(track, tolerance, method=method)[0]


def compress_measured(
    track: Track, tolerance: float, *, method: Method = "reach"
) -> tuple[Track, Measures]:
    """`compress`, and what it did."""
    segments = []
    drift, iou = 0.0, 1.0
    boxes = True
    for segment in track.segments:
        kept, far, lowest = _compressed(segment, tolerance, method)
        segments.append(kept)
        drift = max(drift, far)
        if lowest is None:
            boxes = False
        else:
            iou = min(iou, lowest)
    before = sum(map(len, track.segments))
    after = sum(map(len, segments))
    smaller = track if before == after else Track(tuple(segments))
    return smaller, Measures(before, after, drift, iou if boxes else None)


def expand(track: Track, *, stride: int = 1) -> Track:
    """The track with a keyframe at every `stride`-th frame of each segment, from its first on.

    Keyframes that are there stay as they are, whether the stride meets them or not. Segments that
    follow each other without a gap are joined.
    """
    segments = (tuple(_expanded(segment, stride)) for segment in track.segments)
    return joined(Track(tuple(filter(None, segments))), max_gap=stride)


def frames_in(track: Track) -> int:
    """How many frames a track is seen in, those between keyframes too."""
    return sum(segment[-1].frame - segment[0].frame + 1 for segment in track.segments if segment)


def fault_of(track: Track) -> str | None:
    """Why a track is none: a segment without keyframes, or frames that do not rise from 0 on."""
    latest = -1
    for segment in track.segments:
        if not segment:
            return "a segment without a keyframe"
        for keyframe in segment:
            frame = keyframe.frame
            if frame <= latest:
                before = f" after frame {latest}" if latest >= 0 else ""
                return f"frame {frame}{before}, where frames from 0 on that rise are needed"
            latest = frame
    return None if latest >= 0 else "a track without a keyframe"


def joined(track: Track, *, max_gap: int = 1) -> Track:
    """The track with segments that follow each other within `max_gap` frames as one."""
    segments: list[list[Keyframe]] = []
    for segment in track.segments:
        if segments and 0 < segment[0].frame - segments[-1][-1].frame <= max_gap:
            segments[-1].extend(segment)
        else:
            segments.append(list(segment))
    if len(segments) == len(track.segments):
        return track
    return Track(tuple(map(tuple, segments)))


def between(before: Keyframe, after: Keyframe, frame: int) -> Shape:
    """The shape at a frame between two keyframes (see above for the rule)."""
    first, second = before.shape, after.shape
    form = form_of(first)
    if form is None or form != form_of(second):
        return first
    done, whole = frame - before.frame, after.frame - before.frame
    origin, goal = numbers_of(first), numbers_of(second)
    if isinstance(first, OrientedBox):
        turn = (goal[4] - origin[4] + 180.0) % 360.0 - 180.0
        goal = (*goal[:4], origin[4] + turn)
    return shaped(first, [a + (b - a) * done / whole for a, b in zip(origin, goal, strict=True)])


def track_of(
    frames: Sequence[int],
    shapes: Iterable[Shape],
    classifications: Iterable[tuple[Classification, ...]] | None = None,
    *,
    max_gap: int = 1,
) -> Track:
    """A track with a keyframe for each frame; further apart than `max_gap`, they are two segments.

    `frames` rise strictly. `max_gap` is 1 for a source that has every frame, and the stride for
    one that was sampled. Raises `ValueError` for frames that do not rise.
    """
    answers = ((),) * len(frames) if classifications is None else classifications
    segments: list[list[Keyframe]] = []
    latest: int | None = None
    for frame, shape, answered in zip(frames, shapes, answers, strict=True):
        if latest is not None and frame <= latest:
            raise ValueError(f"frames that rise expected, {frame} found after {latest}")
        if latest is None or frame - latest > max_gap:
            segments.append([])
        segments[-1].append(Keyframe(frame, shape, answered))
        latest = frame
    return Track(tuple(map(tuple, segments)))


# ------------------------------------------------------------------------------- one segment


def _expanded(segment: Segment, stride: int) -> Iterator[Keyframe]:
    for before, after in pairwise(segment):
        yield before
        start = before.frame + stride - (before.frame - segment[0].frame) % stride
        for frame in range(start, after.frame, stride):
            yield Keyframe(frame, between(before, after, frame), before.classifications)
    yield from segment[-1:]


def _compressed(
    segment: Segment, tolerance: float, method: Method
) -> tuple[Segment, float, float | None]:
    """The smaller segment, the drift, and the lowest IoU if all that is left out are boxes."""
    if not tolerance >= 0:
        raise ValueError(f"a tolerance of 0 or more expected, {tolerance} found")
    if len(segment) < 3 or any(b.frame <= a.frame for a, b in pairwise(segment)):
        return segment, 0.0, 1.0
    stay: list[Keyframe] = []
    drift, iou = 0.0, 1.0
    boxes = True
    for run in _runs(segment):
        kind = type(run[0].shape)
        if len(run) < 3 or form_of(run[0].shape) is None:
            stay.extend(run)
            continue
        kept, far, lowest = _chosen(run, tolerance, method)
        if len(kept) < len(run) and kind is not Box:
            boxes = False
        stay.extend(kept)
        drift, iou = max(drift, far), min(iou, lowest)
    return tuple(stay), drift, iou if boxes else None


def _runs(segment: Segment) -> Iterator[list[Keyframe]]:
    """Neighbours whose shapes move into each other; oriented boxes only while they do not turn,
    since the corners of one that turns do not move on straight lines."""
    run: list[Keyframe] = []
    form: object = None
    for keyframe in segment:
        shape = keyframe.shape
        kind = type(shape)
        its: object = kind if kind is Box else form_of(shape)
        if isinstance(shape, OrientedBox):
            its = (its, shape.angle)
        if run and its != form:
            yield run
            run = []
        run.append(keyframe)
        form = its
    yield run


def _chosen(
    run: list[Keyframe], tolerance: float, method: Method
) -> tuple[list[Keyframe], float, float]:
    import numpy as np

    from labelconv.keyframes import choose

    shape = run[0].shape
    try:
        values = np.array([numbers_of(keyframe.shape) for keyframe in run], np.float64)
        frames = np.array([keyframe.frame for keyframe in run], np.int64)
    except OverflowError:  # a whole number that no float can be
        return run, 0.0, 1.0
    borders = [0]
    borders += [
        at for at, (a, b) in enumerate(pairwise(run), 1) if a.classifications != b.classifications
    ]
    if borders[-1] != len(run) - 1:
        borders.append(len(run) - 1)
    ends = np.array(borders, np.int64)
    measured = values
    if isinstance(shape, OrientedBox):
        # Bit by bit it is the box that must come back, else its corners are what must not move.
        measured = values[:, :4] if tolerance == 0 else _corners(values)
    result = choose(
        frames,
        measured,
        ends[:-1],
        ends[1:],
        tolerance if not isinstance(shape, OrientedBox) else tolerance * (1 - 1e-9),
        method=method,
        vertices=not isinstance(shape, Box),
    )
    if np.abs(values).max() > 2.0**53:  # where whole numbers may not be what floats make of them
        for at in np.flatnonzero(~result.kept).tolist():
            numbers = numbers_of(run[at].shape)
            if any(isinstance(n, int) and float(n) != n for n in numbers):
                return run, 0.0, 1.0
    kept = [run[at] for at in np.flatnonzero(result.kept).tolist()]
    iou = 1.0
    if isinstance(shape, Box) and len(kept) < len(run):
        from labelconv.keyframes import ious

        iou = float(ious(values, result).min())
    return kept, float(result.error.max()), iou


def _corners(boxes: Any) -> Any:
    """(N, 8) corners of oriented boxes (N, 5)."""
    import numpy as np

    x, y, width, height, angle = boxes.T
    turn = np.deg2rad(angle)
    right = np.stack((np.cos(turn) * width / 2, np.sin(turn) * width / 2))
    down = np.stack((-np.sin(turn) * height / 2, np.cos(turn) * height / 2))
    centre = np.stack((x, y))
    signs = ((-1, -1), (1, -1), (1, 1), (-1, 1))
    return np.concatenate([centre + a * right + b * down for a, b in signs]).T.copy()


# ------------------------------------------------------------------------------- shapes as numbers


def form_of(shape: Shape) -> object:
    """What two shapes must share to move into each other; None for what never moves."""
    kind = type(shape)
    if kind in (Box, Point, OrientedBox):
        return kind
    if isinstance(shape, Polyline):
        return kind, len(shape.points)
    if isinstance(shape, Polygon):
        return kind, tuple(tuple(map(len, part)) for part in shape.parts)
    if isinstance(shape, Keypoints):
        outline = shape.outline
        below = None if outline is None else form_of(outline)
        if outline is not None and below is None:
            return None
        return kind, tuple((point.name, point.visible) for point in shape.points), below
    return None


def numbers_of(shape: Shape) -> tuple[float, ...]:
    """The numbers that move, in the order of the model's fields."""
    if isinstance(shape, Box):
        return shape.x0, shape.y0, shape.x1, shape.y1
    if isinstance(shape, Point):
        return shape.x, shape.y
    if isinstance(shape, Polyline):
        return shape.points
    if isinstance(shape, OrientedBox):
        return shape.x, shape.y, shape.width, shape.height, shape.angle
    if isinstance(shape, Polygon):
        return tuple(n for part in shape.parts for ring in part for n in ring)
    if isinstance(shape, Keypoints):
        own = [n for point in shape.points for n in (point.x, point.y)]
        return (*own, *(() if shape.outline is None else numbers_of(shape.outline)))
    return ()


def shaped(form: Shape, numbers: Sequence[float]) -> Shape:
    """A shape like `form` with other numbers."""
    if isinstance(form, (Box, Point, OrientedBox)):
        return type(form)(*numbers)
    if isinstance(form, Polyline):
        return Polyline(tuple(numbers))
    if isinstance(form, Polygon):
        rest = iter(numbers)
        return Polygon(
            tuple(tuple(tuple(next(rest) for _ in ring) for ring in part) for part in form.parts)
        )
    if isinstance(form, Keypoints):
        count = len(form.points)
        points = tuple(
            Keypoint(point.name, x, y, point.visible)
            for point, x, y in zip(
                form.points, numbers[0 : 2 * count : 2], numbers[1 : 2 * count : 2], strict=True
            )
        )
        outline: Any = form.outline
        if outline is not None:
            outline = shaped(outline, numbers[2 * count :])
        return Keypoints(points, outline)
    return form
