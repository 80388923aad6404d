"""Tracks as segments of keyframes, and tracks of masks as one coloured picture for each frame."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import msgspec
from msgspec import UNSET, Raw

from labelconv import codes, masks
from labelconv.formats.labelbox.composite import Composites, colour
from labelconv.formats.labelbox.faults import Fault
from labelconv.formats.labelbox.names import Feature
from labelconv.formats.labelbox.options import LabelboxWriterOptions
from labelconv.formats.labelbox.writer_output import MediaLine
from labelconv.formats.labelbox.writer_refusals import Refusals
from labelconv.formats.labelbox.writer_shapes import box_sizes, points
from labelconv.model import (
    Annotation,
    Box,
    Classification,
    Keyframe,
    Mask,
    Point,
    Polyline,
    Sample,
    Track,
    Video,
)

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

#: Spells the answers on a keyframe.
Answers: TypeAlias = Callable[[tuple[Classification, ...]], Any]


class WireKeyframe(msgspec.Struct, gc=False, omit_defaults=True):
    """A keyframe as it is encoded."""

    frame: int
    bbox: Any = UNSET
    point: Any = UNSET
    line: Any = UNSET
    classifications: Any = UNSET


class WireSegment(msgspec.Struct, gc=False):
    """A segment as it is encoded."""

    keyframes: list[WireKeyframe]


def track_shape(track: Track) -> type:
    """The kind of shape of a track. Raises `Fault` for none, or several."""
    kinds = {type(keyframe.shape) for segment in track.segments for keyframe in segment}
    if len(kinds) != 1 or not kinds <= {Box, Point, Polyline, Mask}:
        names = ", ".join(sorted(kind.__name__ for kind in kinds)) or "nothing"
        found = f"a track of {names}, where boxes, points, lines or masks alone are needed"
        raise Fault(codes.SHAPE_INVALID, "/segments", found=found)
    return next(iter(kinds))


def segments(track: Track, frame_base: int, answers: Answers) -> list[WireSegment]:
    """The segments of a line. Frames rise through all of them. Raises `Fault`."""
    found: list[WireSegment] = []
    last = -1
    for segment in track.segments:
        keyframes: list[WireKeyframe] = []
        for keyframe in segment:
            frame = keyframe.frame + frame_base
            if frame <= last or keyframe.frame < 0:
                raise _order(keyframe.frame, last - frame_base)
            last = frame
            keyframes.append(_keyframe(keyframe, frame, answers))
        if keyframes:
            found.append(WireSegment(keyframes))
    return found


def _keyframe(keyframe: Keyframe, frame: int, answers: Answers) -> WireKeyframe:
    shape: Any = keyframe.shape
    out = WireKeyframe(frame)
    if isinstance(shape, Box):
        out.bbox = box_sizes(shape)
    elif isinstance(shape, Point):
        out.point = points((shape.x, shape.y), 1)[0]
    else:
        out.line = points(shape.points, 2)
    if keyframe.classifications:
        said = answers(keyframe.classifications)
        if said:
            out.classifications = said
    return out


def _order(frame: int, last: int) -> Fault:
    found = f"frame {frame} after frame {last}, where frames from 0 on that rise are needed"
    return Fault(codes.SHAPE_INVALID, "/segments", found=found)


# ------------------------------------------------------------------------- masks


class Drawn(msgspec.Struct):
    """One object of a picture: the annotation, and its name as JSON (see `names.Feature`)."""

    annotation: Annotation
    name: Any
    schema_id: Any


class _Instance(msgspec.Struct, omit_defaults=True):
    colorRGB: tuple[int, int, int]
    name: Any = UNSET
    schemaId: Any = UNSET


class _Frame(msgspec.Struct, omit_defaults=True):
    index: int
    instanceURI: Raw | msgspec.UnsetType = UNSET
    imBytes: str | msgspec.UnsetType = UNSET


def is_masks(annotation: Annotation) -> bool:
    """Whether an annotation is a track of masks."""
    value = annotation.value
    return isinstance(value, Track) and any(
        isinstance(keyframe.shape, Mask) for keyframe in _keyframes(value)
    )


def _size(annotation: Annotation, sample: Sample, size: tuple[int, int] | None) -> tuple[int, int]:
    """The size of the masks of a track: the video's, or `size`. Raises `Fault`."""
    media, value = sample.media, annotation.value
    assert isinstance(value, Track)
    track_shape(value)
    if isinstance(media, Video) and media.width and media.height:
        size = (round(media.height), round(media.width))
    last = -1
    for keyframe in _keyframes(value):
        shape: Any = keyframe.shape
        size = size or shape.size
        if shape.size != size:
            raise Fault(codes.MASK_SIZE_MISMATCH, expected=list(size), found=list(shape.size))
        if keyframe.frame <= last:
            raise _order(keyframe.frame, last)
        last = keyframe.frame
    assert size is not None
    return size


def _keyframes(value: Any) -> Sequence[Keyframe]:
    return [keyframe for segment in value.segments for keyframe in segment]


def masks_line(
    annotations: Sequence[Annotation],
    sample: Sample,
    row: Raw,
    feature: Callable[[str, str], Feature],
    refusals: Refusals,
    options: LabelboxWriterOptions,
    composites: Composites | None,
) -> Iterator[MediaLine]:
    """The one line of all tracks of masks, if any can be written; without its uuid."""
    drawn: list[Drawn] = []
    size: tuple[int, int] | None = None
    for annotation in annotations:
        try:
            size = _size(annotation, sample, size)
            name, schema_id = feature(annotation.category, "mask")
            drawn.append(Drawn(annotation, name, schema_id))
        except Fault as problem:
            refusals.annotation(annotation, sample, problem)
    if drawn:
        line = MediaLine(UNSET, row)
        line.masks = _pictures(drawn, sample.key, options.frame_base, composites)
        yield line


def _pictures(
    drawn: Sequence[Drawn], key: str, frame_base: int, composites: Composites | None
) -> dict[str, object]:
    """The one payload for all masks of a video: a picture for each frame, a colour for each
    object."""
    by_frame: dict[int, list[tuple[int, Mask]]] = {}
    for number, each in enumerate(drawn, 1):
        for keyframe in _keyframes(each.annotation.value):
            shape: Any = keyframe.shape
            by_frame.setdefault(keyframe.frame, []).append((number, shape))
    frames: list[_Frame] = []
    for frame in sorted(by_frame):
        png = masks.colours_to_png(_picture(by_frame[frame]))
        if composites is not None:
            address = composites.put(key, f"frame {frame}", png)
            frames.append(_Frame(frame + frame_base, address))
        else:
            text = base64.b64encode(png).decode("ascii")
            frames.append(_Frame(frame + frame_base, UNSET, text))
    instances = [
        _Instance(colour(number), each.name, each.schema_id) for number, each in enumerate(drawn, 1)
    ]
    return {"frames": frames, "instances": instances}


def _picture(shown: list[tuple[int, Mask]]) -> NDArray[np.uint8]:
    import numpy as np

    picture = np.zeros((*shown[0][1].size, 3), dtype=np.uint8)
    for number, mask in shown:
        picture[masks.to_array(mask).astype(bool)] = colour(number)
    return picture
