"""What becomes of tracks beyond their shapes: where their answers stand, keyframes, masks."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

import msgspec

from labelconv import codes, geometry, masks
from labelconv.answers import fit_answer
from labelconv.features import as_drawn
from labelconv.lowering import Cut, Lowering, as_one, word
from labelconv.model import (
    Annotation,
    Box,
    Classification,
    Keyframe,
    Mask,
    OrientedBox,
    Point,
    Polyline,
    Shape,
    Track,
)
from labelconv.problems import Outcome, Where
from labelconv.tracks import (
    MOST_FRAMES,
    between,
    compress_measured,
    expand,
    form_of,
    frames_in,
    joined,
)

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


#: Shapes that are held or not, whatever they look like.
_WHOLE = frozenset({Box, Mask, OrientedBox, Point, Polyline})


def lower_track(track: Track, category: str, cut: Cut, place: Where) -> Lowering:
    """Each keyframe on its own; a keyframe cannot become several objects, so the largest stays.

    Masks do not move: where a shape that moves becomes one, each frame until the next keyframe has
    its own. A track of more frames than can be spelled out one by one is lost where they must be.
    """
    cut = as_one(cut)
    held = cut.holds.tracks
    count = frames_in(track)
    if count > MOST_FRAMES and (held.every_frame or (held.masks == "pictures" and _masked(track))):
        return _too_long(count, cut, place)
    plain = cut.holds.keyframes & _WHOLE
    if cut.holds.features is not None:
        plain &= cut.holds.features.kinds.get(category, plain)
    changed = lost = False
    segments = []
    for segment in track.segments:
        keyframes = []
        waiting = deque(segment)
        while waiting:
            keyframe = waiting.popleft()
            if type(keyframe.shape) in plain and not keyframe.classifications:
                keyframes.append(keyframe)
                continue
            lowering = as_drawn(keyframe.shape, category, cut.holds.keyframes, cut, place)
            changed, lost = changed or lowering.changed, lost or lowering.lost
            if not lowering.pieces:
                return Lowering([], lost=True)
            asked = [
                fit_answer(c, cut.holds.classifications, cut, place.annotation)
                for c in keyframe.classifications
            ]
            lost = lost or any(
                a is not b for a, b in zip(asked, keyframe.classifications, strict=True)
            )
            shape = cast("Shape", lowering.pieces[0][1])  # as kinds held on keyframes are
            kept = tuple(c for c in asked if c is not None)
            keyframes.append(Keyframe(keyframe.frame, shape, kept))
            if waiting and isinstance(shape, Mask):
                if count > MOST_FRAMES:
                    return _too_long(count, cut, place)
                waiting.extendleft(reversed(_on_the_way(keyframe, waiting[0])))
        segments.append(tuple(keyframes))
    return Lowering([(category, Track(tuple(segments)))], changed=changed, lost=lost)


def _masked(track: Track) -> bool:
    return any(type(k.shape) is Mask for segment in track.segments for k in segment)


def _too_long(count: int, cut: Cut, place: Where) -> Lowering:
    kind = f"track of {count:,} frames, each of which has to be spelled out,"
    cut.report.add(codes.VALUE_NOT_HELD, place, kind=kind, target=cut.target)
    return Lowering([], lost=True)


def _on_the_way(before: Keyframe, after: Keyframe) -> list[Keyframe]:
    """The frames between two keyframes whose shapes move into each other."""
    form = form_of(before.shape)
    if form is None or form != form_of(after.shape) or before.shape == after.shape:
        return []
    frames = range(before.frame + 1, after.frame)
    return [Keyframe(frame, between(before, after, frame)) for frame in frames]


class Finished(msgspec.Struct):
    """A track as it is held, None if nothing is left of it; and the answers left to its whole."""

    track: Track | None
    classifications: tuple[Classification, ...]
    changed: bool = False
    lost: bool = False


def finish(
    track: Track, classifications: tuple[Classification, ...], cut: Cut, place: Where
) -> Finished:
    """The track with one kind of shape, answers where they are held, keyframes as few as asked."""
    done = Finished(track, classifications)
    _one_kind(done, cut, place)
    if done.track is None:
        return done
    if done.classifications and cut.holds.tracks.answers == "keyframes":
        spread = tuple(
            tuple(_answered(keyframe, done.classifications) for keyframe in segment)
            for segment in done.track.segments
        )
        done.track, done.classifications, done.changed = Track(spread), (), True
        words = {"source": "whole track's answer", "result": "answer on each of its keyframes"}
        cut.report.add(codes.SHAPE_RESPELLED, place, **words)
    tolerance = cut.holds.tracks.tolerance
    if cut.holds.tracks.every_frame:
        every = expand(done.track)
        done.changed, done.track = done.changed or every != done.track, every
    elif cut.holds.tracks.joined:
        done.track = joined(done.track)
    elif tolerance is not None and not isinstance(done.track.segments[0][0].shape, Mask):
        done.track = _thinned(done.track, tolerance, cut, place)
    return done


def _answered(keyframe: Keyframe, given: tuple[Classification, ...]) -> Keyframe:
    """The keyframe with the answers of its track, but for questions it answers itself."""
    own = {each.name for each in keyframe.classifications}
    added = tuple(each for each in given if each.name not in own)
    return Keyframe(keyframe.frame, keyframe.shape, keyframe.classifications + added)


def _one_kind(done: Finished, cut: Cut, place: Where) -> None:
    """A track of several kinds of shape becomes one of boxes: none moves into another."""
    assert done.track is not None
    kinds = {type(keyframe.shape) for segment in done.track.segments for keyframe in segment}
    if len(kinds) == 1:
        return
    segments = []
    for segment in done.track.segments:
        boxed = []
        for keyframe in segment:
            box = geometry.bounds(keyframe.shape)
            if box is not None:
                boxed.append(Keyframe(keyframe.frame, box, keyframe.classifications))
        segments.append(tuple(boxed))
    done.track = _track(segments)
    if not kinds:
        found = "track without a keyframe"
        cut.report.add(codes.VALUE_NOT_HELD, place, kind=found, target=cut.target)
    else:
        cut.report.add(
            codes.SHAPE_LOWERED, place, source="track of several kinds of shape", result="box"
        )
    done.lost = True


def _track(segments: Sequence[Sequence[Keyframe]]) -> Track | None:
    kept = tuple(tuple(segment) for segment in segments if segment)
    return Track(kept) if kept else None


def _thinned(track: Track, tolerance: float, cut: Cut, place: Where) -> Track:
    """The track with the keyframes that interpolation needs; says how many and how far off."""
    if cut.report.thinned:
        return track
    thinned, done = compress_measured(track, tolerance)
    cut.report.keyframes.add(done.before, done.after, done.drift, done.iou, place)
    return thinned


# ------------------------------------------------------------------------- masks as pictures


def as_pictures(
    annotations: list[Annotation], fates: dict[str, tuple[str, Outcome]], cut: Cut
) -> list[Annotation]:
    """The annotations with tracks of masks as pictures hold them, and those tracks at the end.

    Between keyframes a mask stays as it is. Where masks of a frame overlap, the later one lies on
    top; what it covers of others is lost, and measured. Corrects the ledger.
    """
    moved = [each for each in annotations if _is_masks(each)]
    if not moved:
        return annotations
    frames: list[dict[int, Keyframe]] = [_every_frame(each.value) for each in moved]
    covered: list[tuple[float, int] | None] = [None] * len(moved)
    by_frame: dict[int, list[int]] = {}
    for number, track in enumerate(frames):
        for frame in track:
            by_frame.setdefault(frame, []).append(number)
    for frame, numbers in by_frame.items():
        if len(numbers) > 1:
            _apart(frame, numbers, frames, covered)
    left = [each for each in annotations if not _is_masks(each)]
    for annotation, track, cost in zip(moved, frames, covered, strict=True):
        value = _segments(track)
        left.extend(_settled(annotation, value, cost, fates, cut))
    return left


def _is_masks(annotation: Annotation) -> bool:
    value = annotation.value
    return isinstance(value, Track) and isinstance(value.segments[0][0].shape, Mask)


def _every_frame(track: Any) -> dict[int, Keyframe]:
    """A keyframe for each frame in which there is a pixel, without answers."""
    found: dict[int, Keyframe] = {}
    for segment in track.segments:
        for number, keyframe in enumerate(segment):
            beyond = segment[number + 1].frame if number + 1 < len(segment) else keyframe.frame + 1
            if len(keyframe.shape.runs) > 1:
                for frame in range(keyframe.frame, beyond):
                    found[frame] = Keyframe(frame, keyframe.shape)
    return found


def _apart(
    frame: int,
    numbers: list[int],
    frames: list[dict[int, Keyframe]],
    covered: list[tuple[float, int] | None],
) -> None:
    """Take from masks of a frame what later ones cover; the worst IoU of each into `covered`."""
    taken: NDArray[np.bool_] | None = None
    for number in reversed(numbers):
        before: Any = frames[number][frame].shape
        pixels = masks.to_array(before).astype(bool)
        if taken is None:
            taken = pixels
            continue
        if taken.shape != pixels.shape:
            continue  # masks of two sizes; the writer says which does not fit the video
        if (pixels & taken).any():
            rest = pixels & ~taken
            share = float(rest.sum() / pixels.sum())
            worst = covered[number]
            if worst is None or share < worst[0]:
                covered[number] = share, frame
            if rest.any():
                frames[number][frame] = Keyframe(frame, masks.from_array(rest))
            else:
                del frames[number][frame]
        taken = taken | pixels


def _segments(track: dict[int, Keyframe]) -> Track | None:
    segments: list[list[Keyframe]] = []
    last = None
    for frame in sorted(track):
        if last is None or frame != last + 1:
            segments.append([])
        segments[-1].append(track[frame])
        last = frame
    return _track(segments)


def _settled(
    annotation: Annotation,
    value: Track | None,
    cost: tuple[float, int] | None,
    fates: dict[str, tuple[str, Outcome]],
    cut: Cut,
) -> list[Annotation]:
    """The annotation with its new value, its outcome in the ledger and the fates."""
    place = Where(sample=cut.sample.key, annotation=annotation.id)
    given: Any = annotation.value
    asked = bool(annotation.classifications) or any(
        keyframe.classifications for segment in given.segments for keyframe in segment
    )
    if asked:
        cut.report.add(codes.DETAIL_DROPPED, place, what="the answers about a track of masks")
    if cost is not None:
        result = "mask without what lies under others"
        cut.report.add(codes.SHAPE_LOWERED, place, source="mask", result=result)
        cut.report.measure(codes.SHAPE_LOWERED, "iou", cost[0], place)
    elif value is None:
        kind = f"{word(given)} of masks without a pixel"
        cut.report.add(codes.VALUE_NOT_HELD, place, kind=kind, target=cut.target)
    source, outcome = fates.get(annotation.id, (annotation.id, "kept"))
    after: Outcome = outcome
    if asked or cost is not None or value is None:
        after = "lost"
    elif value != given and outcome == "kept":
        after = "changed"
        words = {"source": "track of masks", "result": "mask in every frame"}
        cut.report.add(codes.SHAPE_RESPELLED, place, **words)
    if after != outcome:
        cut.report.ledger.annotations.move(outcome, after)
        fates[annotation.id] = source, after
    if value is None:
        return []
    return [msgspec.structs.replace(annotation, value=value, classifications=())]
