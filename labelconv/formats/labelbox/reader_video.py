"""Tracks of video lines: segments of keyframes, and pictures of masks, a colour for each object."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
from msgspec import UNSET

from labelconv import codes
from labelconv.formats.labelbox import records
from labelconv.formats.labelbox.faults import Fault, malformed
from labelconv.formats.labelbox.reader_lines import Lines, coordinates
from labelconv.formats.labelbox.reader_masks import Pictures
from labelconv.formats.labelbox.reader_timed import Clock
from labelconv.model import Annotation, Box, Keyframe, Point, Polyline, Shape, Track
from labelconv.problems import Report, Where

#: Colours that a sentence lists.
_MOST_LISTED = 5


def track(
    lines: Lines,
    given: Sequence[records.Segment],
    frame_base: int,
    where: Where,
    report: Report,
) -> Track:
    """The segments of a line, by rising frames; raises `Fault` where two claim one frame."""
    segments: list[list[tuple[Keyframe, str]]] = []
    for i, segment in enumerate(given):
        keyframes: list[tuple[Keyframe, str]] = []
        for j, keyframe in enumerate(segment.keyframes):
            at = f"/segments/{i}/keyframes/{j}"
            keyframes.append((_keyframe(lines, keyframe, frame_base, at), at))
        segments.append(keyframes)
    frames = [keyframe.frame for each in segments for keyframe, _ in each]
    if any(a >= b for a, b in pairwise(frames)):
        for each in segments:
            each.sort(key=lambda pair: pair[0].frame)
        segments.sort(key=lambda each: each[0][0].frame)
        last = -1
        for each in segments:
            for moved, at in each:
                if moved.frame <= last:
                    expected = f"frames of one segment each, after {last + frame_base},"
                    malformed(f"{at}/frame", expected, str(moved.frame + frame_base))
                last = moved.frame
        place = msgspec.structs.replace(where, pointer="/segments")
        report.add(
            codes.SPELLING_MENDED, place, found="keyframes out of order", result="them in order"
        )
    return Track(tuple(tuple(keyframe for keyframe, _ in each) for each in segments))


def _keyframe(lines: Lines, given: records.Keyframe, frame_base: int, at: str) -> Keyframe:
    frame = given.frame - frame_base
    if frame < 0:
        Clock(frame_base).too_early(f"{at}/frame", given.frame)
    shape: Shape
    if given.bbox is not UNSET:
        box = given.bbox
        shape = Box(box.left, box.top, box.left + box.width, box.top + box.height)
    elif given.point is not UNSET:
        shape = Point(given.point.x, given.point.y)
    else:
        assert given.line is not UNSET
        shape = Polyline(coordinates(given.line))
    if given.classifications is UNSET:
        return Keyframe(frame, shape)
    return Keyframe(frame, shape, lines.nested(given.classifications, at))


def mask_tracks(
    given: records.VideoMasks,
    id: str,
    frame_base: int,
    pictures: Pictures,
    lines: Lines,
    beside: Path | None,
    where: Where,
    report: Report,
) -> list[Any]:
    """A track for each colour of the line, a `Fault` for one that no picture has. Colours that the
    line does not name are told.

    Raises `Fault` for a picture that cannot be read. One picture is held at a time.
    """
    colours: dict[tuple[int, int, int], int] = {}
    for number, instance in enumerate(given.instances):
        if colours.setdefault(instance.color_rgb, number) != number:
            at = f"/masks/instances/{number}/colorRGB"
            malformed(at, "a colour of its own", f"{list(instance.color_rgb)} once more")
    shown: list[dict[int, Keyframe]] = [{} for _ in given.instances]
    seen: set[int] = set()
    unlisted: set[tuple[int, int, int]] = set()
    for number in sorted(range(len(given.frames)), key=lambda n: given.frames[n].index):
        picture = given.frames[number]
        at = f"/masks/frames/{number}"
        frame = picture.index - frame_base
        if frame < 0:
            Clock(frame_base).too_early(f"{at}/index", picture.index)
        if frame in seen:
            malformed(f"{at}/index", "one picture for a frame", f"frame {picture.index} again")
        seen.add(frame)
        for colour, mask in pictures.all_masks(picture, beside, at).items():
            owner = colours.get(colour)
            if owner is None:
                unlisted.add(colour)
            else:
                shown[owner][frame] = Keyframe(frame, mask)
    if unlisted:
        place = msgspec.structs.replace(where, pointer="/masks/instances")
        listed = ", ".join(map(str, sorted(unlisted)[:_MOST_LISTED]))
        values = {"file": "the line's pictures", "count": len(unlisted), "segments": listed}
        report.add(codes.SEGMENT_UNLISTED, place, **values)
    made: list[Any] = []
    for number, (instance, keyframes) in enumerate(zip(given.instances, shown, strict=True)):
        name = lines.features.name(instance.name, instance.schema_id)
        if keyframes:
            made.append(Annotation(f"{id}/{number}", name, _segmented(keyframes)))
        else:
            at = f"/masks/instances/{number}/colorRGB"
            values = {"segment": list(instance.color_rgb), "file": "the pictures of the line"}
            made.append(Fault(codes.SEGMENT_MISSING, at, **values))
    return made


def _segmented(keyframes: dict[int, Keyframe]) -> Track:
    """Runs of frames without a gap."""
    segments: list[list[Keyframe]] = []
    for frame in sorted(keyframes):
        if not segments or segments[-1][-1].frame + 1 != frame:
            segments.append([])
        segments[-1].append(keyframes[frame])
    return Track(tuple(map(tuple, segments)))
