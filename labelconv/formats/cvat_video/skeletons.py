"""What of skeletons CVAT cannot tell: keyframes without points, and several points of one name."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from labelconv import codes
from labelconv.corrections import correct
from labelconv.model import Annotation, Keyframe, Keypoint, Keypoints, Sample, Shape, Track
from labelconv.problems import Report, Where


def usable(sample: Sample, report: Report) -> tuple[Annotation, ...]:
    """The annotations of a video, skeletons with what can be written of them.

    Where a skeleton has no points it is not seen, and of points of one name the first is left.
    That is told, and counted as lost.
    """
    found = (_usable(each, sample.key, report) for each in sample.annotations)
    return tuple(each for each in found if each is not None)


def _usable(annotation: Annotation, key: str, report: Report) -> Annotation | None:
    track = annotation.value
    assert isinstance(track, Track)  # for mypy; `fit` sees to it
    if not isinstance(track.segments[0][0].shape, Keypoints):
        return annotation
    shapes = [keyframe.shape for segment in track.segments for keyframe in segment]
    if all(0 < len(_named(shape)) == len(_points(shape)) for shape in shapes):
        return annotation
    place = Where(sample=key, annotation=annotation.id)
    correct(report, key, annotation.id, "lost")
    left = tuple(seen for segment in track.segments for seen in _seen(segment))
    if not left:
        kind = "track of a skeleton without points"
        report.add(codes.VALUE_NOT_HELD, place, kind=kind, target="cvat-video")
        return None
    what = "where the skeleton has no points, or several of one name, that"
    report.add(codes.DETAIL_DROPPED, place, what=what)
    return msgspec.structs.replace(annotation, value=Track(left))


def _seen(segment: tuple[Keyframe, ...]) -> Iterator[tuple[Keyframe, ...]]:
    """The parts of a segment in which the skeleton has points."""
    part: list[Keyframe] = []
    for keyframe in segment:
        points = _named(keyframe.shape)
        if points:
            shape = Keypoints(tuple(points.values()))
            part.append(Keyframe(keyframe.frame, shape, keyframe.classifications))
        elif part:
            last, end = part[-1], keyframe.frame - 1
            if last.frame < end:  # it stays until then, since it has nothing to move into
                part.append(Keyframe(end, last.shape, last.classifications))
            yield tuple(part)
            part = []
    if part:
        yield tuple(part)


def _points(shape: Shape) -> tuple[Keypoint, ...]:
    return shape.points if isinstance(shape, Keypoints) else ()


def _named(shape: Shape) -> dict[str, Keypoint]:
    """The points by name, the first of each."""
    named: dict[str, Keypoint] = {}
    for point in _points(shape):
        named.setdefault(point.name, point)
    return named
