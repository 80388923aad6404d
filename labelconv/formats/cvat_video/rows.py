"""Rows of a CVAT track as segments of keyframes.

What a row says (CVAT's XML format 1.1): the shape at `frame`; `outside` from that frame on, until
a row that is not outside; `keyframe` 0 where CVAT computed the shape. So a segment ends on the
frame before a row that is outside, with the shape it had.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable

import msgspec

from labelconv.model import Classification, Keyframe, Keypoint, Keypoints, Point, Shape
from labelconv.tracks import between, form_of

Answers = tuple[Classification, ...]


class Row(msgspec.Struct, frozen=True):
    """One row; `shape` is None where it is outside."""

    frame: int
    shape: Shape | None
    is_keyframe: bool = True
    occluded: bool = False
    answers: Answers = ()


def segments_of(rows: Iterable[Row], *, computed: bool) -> list[list[Keyframe]]:
    """Segments of rows by rising frame; `computed`: rows that CVAT computed are keyframes too."""
    segments: list[list[Keyframe]] = []
    open: list[Keyframe] = []
    latest: Keyframe | None = None
    for row in rows:
        if row.shape is None:
            _close(segments, open, latest, row.frame - 1)
            open, latest = [], None
            continue
        latest = Keyframe(row.frame, row.shape, row.answers)
        if not open or row.is_keyframe or computed:
            open.append(latest)
    _close(segments, open, latest, None if latest is None else latest.frame)
    return segments


def _close(
    segments: list[list[Keyframe]],
    open: list[Keyframe],
    latest: Keyframe | None,
    end: int | None,
) -> None:
    """End a segment at a frame, where it has the shape of its latest row."""
    if latest is None or end is None:
        return
    if open[-1].frame < latest.frame:
        open.append(latest)
    if open[-1].frame < end:
        open.append(Keyframe(end, latest.shape, latest.classifications))
    segments.append(open)


def skeleton_of(
    whole: list[list[Keyframe]], elements: dict[str, list[list[Keyframe]]]
) -> list[list[Keyframe]]:
    """The segments of a skeleton from its own rows and those of its points.

    `whole` says where the skeleton is seen and what is said of it, `elements` where each point is;
    a point with an answer is occluded. A keyframe is wherever a point has one, appears or
    disappears.
    """
    parts = [_Part(name, part) for name, found in elements.items() for part in found]
    marks = {frame for part in parts for frame in (*part.frames, part.frames[-1] + 1)}
    segments = []
    for segment in whole:
        said = {keyframe.frame: keyframe.classifications for keyframe in segment}
        answered = segment[0].classifications
        made: list[Keyframe] = []
        for frame in sorted(marks | said.keys()):
            if not segment[0].frame <= frame <= segment[-1].frame:
                continue
            answered = said.get(frame, answered)
            points = tuple(point for part in parts if (point := part.at(frame)) is not None)
            if points:
                made.append(Keyframe(frame, Keypoints(points), answered))
        if made:
            segments.append(_held(made))
    return segments


class _Part:
    """A segment of one point of a skeleton."""

    def __init__(self, name: str, keyframes: list[Keyframe]) -> None:
        self.frames = [keyframe.frame for keyframe in keyframes]
        self._name = name
        self._keyframes = keyframes

    def at(self, frame: int) -> Keypoint | None:
        if not self.frames[0] <= frame <= self.frames[-1]:
            return None
        number = bisect_right(self.frames, frame) - 1
        before = self._keyframes[number]
        shape = before.shape
        if before.frame != frame:
            shape = between(before, self._keyframes[number + 1], frame)
        assert isinstance(shape, Point)  # for mypy; the reader sees to it
        return Keypoint(self._name, shape.x, shape.y, not before.classifications)


def _held(keyframes: list[Keyframe]) -> list[Keyframe]:
    """Without keyframes that only say that a shape holds until it changes its form."""
    kept: list[Keyframe] = []
    for number, keyframe in enumerate(keyframes):
        after = keyframes[number + 1] if number + 1 < len(keyframes) else None
        if (
            kept
            and after is not None
            and after.frame == keyframe.frame + 1
            and kept[-1].shape == keyframe.shape
            and kept[-1].classifications == keyframe.classifications
            and form_of(after.shape) != form_of(keyframe.shape)
        ):
            continue
        kept.append(keyframe)
    return kept
