"""Tracks of boxes from tables: dense rows stay arrays until the keyframes are chosen.

Readers of dense formats gather rows of several samples and make their tracks in one call, since
keyframes are chosen many tracks at a time (`labelconv.keyframes`).
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np

from labelconv.keyframes import choose, ious
from labelconv.model import Box, Classification, Keyframe, Track
from labelconv.straight import Bools, Floats, Ints

#: Rows that a reader gathers before it makes tracks of them.
ROWS_AT_ONCE = 300_000

Answers = tuple[Classification, ...]


class Made(msgspec.Struct, frozen=True):
    """Tracks in order; of each, keyframes before and after, drift in pixels, and lowest IoU."""

    tracks: list[Track]
    before: list[int]
    after: list[int]
    drift: list[float]
    iou: list[float]


def make_tracks(
    numbers: Ints,
    frames: Ints,
    boxes: Floats,
    *,
    max_gap: int = 1,
    tolerance: float | None = None,
    states: Ints | None = None,
    answers: Sequence[Answers] = ((),),
) -> Made:
    """A track for each run of equal `numbers` (N,).

    `frames` (N,) are those of the video and rise strictly within a run; further apart than
    `max_gap`, they are two segments. `boxes` (N, 4) are edges x0, y0, x1, y1. `states` (N,) say
    which of `answers` a keyframe has, all the first when None. With a `tolerance` keyframes are
    left out as `labelconv.tracks.compress` does.
    """
    count = len(numbers)
    if not count:
        return Made([], [], [], [], [])
    new_track = np.ones(count, np.bool_)
    new_track[1:] = numbers[1:] != numbers[:-1]
    new_segment = new_track.copy()
    new_segment[1:] |= frames[1:] - frames[:-1] > max_gap
    starts = np.flatnonzero(new_track)
    kept: Bools = np.ones(count, np.bool_)
    drift, iou = [0.0] * len(starts), [1.0] * len(starts)
    if tolerance is not None:
        borders = new_segment.copy()
        if states is not None:
            borders[1:] |= states[1:] != states[:-1]
        first = np.flatnonzero(borders)
        # A piece ends where the next begins, unless that is another segment.
        last = np.append(first[1:], count)
        last -= np.append(new_segment[first[1:]], True)
        chosen = choose(frames, boxes, first, last, tolerance)
        kept = chosen.kept
        drift = np.maximum.reduceat(chosen.error, starts).tolist()
        iou = np.minimum.reduceat(ious(boxes, chosen), starts).tolist()
    before = np.diff(np.append(starts, count)).tolist()
    after = np.add.reduceat(kept.astype(np.int64), starts).tolist()
    tracks = _built(frames, boxes, kept, new_segment, after, states, answers)
    return Made(tracks, before, after, drift, iou)


def _built(
    frames: Ints,
    boxes: Floats,
    kept: Bools,
    new_segment: Bools,
    sizes: list[int],
    states: Ints | None,
    answers: Sequence[Answers],
) -> list[Track]:
    rows = np.flatnonzero(kept)
    shapes = map(Box, *(column.tolist() for column in boxes[rows].T))
    shown = frames[rows].tolist()
    keyframes: list[Keyframe]
    if states is None and not answers[0]:
        keyframes = list(map(Keyframe, shown, shapes))
    else:
        said = (
            [answers[0]] * len(rows)
            if states is None
            else [answers[state] for state in states[rows].tolist()]
        )
        keyframes = list(map(Keyframe, shown, shapes, said))
    tracks = []
    begins = np.flatnonzero(new_segment[rows]).tolist()
    begins.append(len(keyframes))
    at = 0
    end = 0
    for size in sizes:
        end += size
        segments = []
        while begins[at] < end:
            segments.append(tuple(keyframes[begins[at] : begins[at + 1]]))
            at += 1
        tracks.append(Track(tuple(segments)))
    return tracks
