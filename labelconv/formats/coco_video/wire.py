"""Records of COCO video files, and what of them can be used.

Sources: mmtracking's CocoVID (`frame_id`, `instance_id`), TAO's annotation format
(`frame_index`, `track_id`, `tracks`), YouTube-VIS and OVIS (one annotation for a track, with lists
of `bboxes` and `segmentations` by frame, null where it is not seen).
"""

from __future__ import annotations

import math
from typing import Annotated, Any, TypeVar

import msgspec

from labelconv import codes, geometry, masks
from labelconv.model import Box, Mask, Polygon, Shape
from labelconv.unusable import Unusable

Id = int | str
ABSENT = msgspec.Raw(b"")
Four = tuple[float, float, float, float]
#: Sizes, lengths and rates that can be meant.
Size = Annotated[float, msgspec.Meta(gt=0, lt=1e9)]
Count = Annotated[int, msgspec.Meta(gt=0, lt=1 << 32)]
#: Coordinates beyond are not meant, and their products are no numbers.
_LARGEST = 1e150
T = TypeVar("T", bound=msgspec.Struct)


class Video(msgspec.Struct):
    """A video; `file_names` is YouTube-VIS's list of frames."""

    id: Id
    name: str | None = None
    width: Size | None = None
    height: Size | None = None
    file_names: list[str] | None = None
    length: Count | None = None
    fps: Size | None = None


class Image(msgspec.Struct):
    """A frame. The numbers count from 0."""

    id: Id
    video_id: Id | None = None
    frame_id: int | None = None
    frame_index: int | None = None
    width: Size | None = None
    height: Size | None = None


class Track(msgspec.Struct):
    """A track of TAO."""

    id: Id
    category_id: Id | None = None


class Category(msgspec.Struct):
    """A class."""

    id: Id
    name: str


class Head(msgspec.Struct, gc=False):
    """What grouping by video needs of an annotation."""

    image_id: Id | None = None
    video_id: Id | None = None


class Annotation(msgspec.Struct):
    """An annotation: of one frame, or, with lists, of a whole track."""

    id: Id | None = None
    image_id: Id | None = None
    video_id: Id | None = None
    category_id: Id | None = None
    track_id: Id | None = None
    instance_id: Id | None = None
    score: float | None = None
    iscrowd: int | None = None
    bbox: Four | None = None
    segmentation: msgspec.Raw = ABSENT
    bboxes: list[Four | None] | None = None
    segmentations: list[msgspec.Raw] | None = None


#: Fields that say something about one frame, and may be answers.
ATTRIBUTES = ("occluded", "truncated", "visibility", "occlusion", "generated", "difficult")
#: Fields that follow from others.
DERIVED = frozenset({"area", "areas", "length", "width", "height", "num_keypoints"})
FIELDS = frozenset(Annotation.__struct_fields__)
#: Fields that a record can do without.
_BESIDE = frozenset({"name", "width", "height", "file_names", "length", "fps"})
_RINGS = msgspec.json.Decoder(list[tuple[float, ...]])


def told(error: Exception) -> tuple[str, str]:
    """What a decoder says of a record, and the pointer in the record to where it says it."""
    sentence, _, place = str(error).partition(" - at `$")
    return sentence, place.strip("`").replace(".", "/").replace("[", "/").replace("]", "")


def without_faults(kind: type[T], fields: dict[str, Any]) -> tuple[T, dict[str, str]]:
    """A record without those fields that are wrong and that it can do without, and what is wrong
    with them. Raises `msgspec.ValidationError` where others are wrong."""
    faults: dict[str, str] = {}
    for field in msgspec.structs.fields(kind):
        if field.name in _BESIDE and not field.required and field.name in fields:
            try:
                msgspec.convert(fields[field.name], field.type)
            except msgspec.ValidationError as error:
                faults[field.name] = str(error)
    left = {name: value for name, value in fields.items() if name not in faults}
    return msgspec.convert(left, kind), faults


def box_of(numbers: Four, pointer: str) -> Box:
    """The box of x, y, width, height. Raises `Unusable`."""
    x, y, width, height = numbers
    if not math.isfinite(x + y + width + height) or max(map(abs, numbers)) > _LARGEST:
        raise Unusable(codes.NUMBER_NOT_FINITE, pointer, found=str(list(numbers)))
    if width < 0 or height < 0:
        raise Unusable(codes.BOX_IMPOSSIBLE, pointer, found=f"{width:g} × {height:g}")
    return Box(x, y, x + width, y + height)


def outline_of(raw: msgspec.Raw, pointer: str) -> Shape | None:
    """The polygon or mask of a segmentation; None where there is none. Raises `Unusable`."""
    data = bytes(raw)
    if data in (b"", b"null", b"[]", b"{}", b"[[]]"):
        return None
    if data[:1] == b"{":
        return _mask(data, pointer)
    try:
        rings = _RINGS.decode(data)
    except (msgspec.DecodeError, RecursionError) as error:
        raise Unusable(
            codes.RECORD_MALFORMED,
            pointer,
            expected="a list of polygons, or run lengths",
            found=str(error),
        ) from None
    for ring in rings:
        if len(ring) & 1 or not geometry.has_three_points(ring):
            found = f"a polygon of {len(ring)} numbers that has no area"
            raise Unusable(codes.SHAPE_INVALID, pointer, found=found)
        if max(map(abs, ring)) > _LARGEST:
            found = f"a polygon that reaches to {max(ring, key=abs):g}"
            raise Unusable(codes.NUMBER_NOT_FINITE, pointer, found=found)
    return Polygon(tuple((geometry.opened(ring),) for ring in rings))


class _Runs(msgspec.Struct):
    size: tuple[int, int]
    counts: str | list[int]


def _mask(data: bytes, pointer: str) -> Mask:
    try:
        runs = msgspec.json.decode(data, type=_Runs)
    except (msgspec.DecodeError, RecursionError) as error:
        expected = "size and counts of run lengths"
        raise Unusable(
            codes.RECORD_MALFORMED, pointer, expected=expected, found=str(error)
        ) from None
    height, width = runs.size
    try:
        if isinstance(runs.counts, str):
            return masks.from_text(runs.size, runs.counts)
        return masks.from_runs(runs.size, runs.counts)
    except masks.MaskError as error:
        raise Unusable(
            codes.MASK_MALFORMED, pointer, height=height, width=width, found=f"{error}"
        ) from None


def is_box(shape: Shape, box: Box) -> bool:
    """Whether a polygon only repeats its box, as TAO's do."""
    if not isinstance(shape, Polygon) or len(shape.parts) != 1:
        return False
    ring = shape.parts[0][0]
    found = geometry.bounds(shape)
    corners = set(zip(ring[::2], ring[1::2], strict=True))
    return (
        len(corners) == 4 == len(ring) // 2
        and found is not None
        and all(
            abs(a - b) < 1e-3
            for a, b in (
                (found.x0, box.x0),
                (found.y0, box.y0),
                (found.x1, box.x1),
                (found.y1, box.y1),
            )
        )
        and corners == {(x, y) for x in (found.x0, found.x1) for y in (found.y0, found.y1)}
    )
