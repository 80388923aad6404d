"""COCO's geometry fields → shapes: all the encodings of `segmentation`, boxes, keypoints.

Sources: cocodataset.org (format-data, format-results), cocoapi `coco.py`, `mask.py`, `maskApi.c`.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import Any

import msgspec

from labelconv import codes, geometry, masks
from labelconv.formats.coco.wire import ABSENT, AnnotationRecord, shown
from labelconv.jsonstream import UNDECODABLE
from labelconv.model import Box, Image, Keypoint, Keypoints, Mask, OrientedBox, Polygon
from labelconv.problems import Report, Where
from labelconv.unusable import Unusable

#: Boxes in COCO files are rounded; what differs by more than this from the outline is told.
BOX_TOLERANCE_PX = 0.5
#: Roundings that put a point this far past the border are not worth a note.
BORDER_DUST_PX = 0.02

_RINGS = msgspec.json.Decoder(list[tuple[float, ...]])


class Picture(msgspec.Struct, gc=False):
    """What shapes need of their picture: its size in pixels, 0 where it is not known."""

    width: float
    height: float

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) in whole pixels."""
        return round(self.height), round(self.width)


Outline = Box | OrientedBox | Polygon | Mask


def outline(
    record: AnnotationRecord, picture: Picture, want: str, report: Report, where: Where
) -> Outline | None:
    """The most exact outline that the record has and `want` asks for; None if it has none.

    `want` is `auto`, `box`, `polygon` or `mask`. Raises `Unusable`.
    """
    segmentation = record.segmentation
    if segmentation is not ABSENT and want != "box":
        shape = _segmentation(segmentation, record, picture, report, where)
        if shape is not None:
            _compare(record, shape, picture, report, where)
            return _wanted(shape, want, picture)
    if record.bbox is None:
        if segmentation is not ABSENT and want == "box":
            shape = _segmentation(segmentation, record, picture, report, where)
            return None if shape is None else geometry.bounds(shape)
        return None
    return _wanted(box_of(record.bbox, picture, report, where), want, picture)


def box_of(
    numbers: Sequence[float], picture: Picture, report: Report, where: Where
) -> Box | OrientedBox:
    """The box of x, y, width, height. Raises `Unusable` for negative sizes."""
    if len(numbers) == 5:
        x, y, width, height, angle = numbers
        report.add(
            codes.CONVENTION_GUESSED,
            where,
            what="bbox with five numbers read as centre x, y, width, height, angle",
            evidence="degrees counter-clockwise, as detectron2 writes them",
        )
        return OrientedBox(x, y, width, height, -angle)
    x, y, width, height = numbers
    if width < 0 or height < 0:
        raise Unusable(codes.BOX_IMPOSSIBLE, "/bbox", found=f"{width:g} × {height:g}")
    if width == 0 or height == 0:
        report.add(codes.AREA_ZERO, where, kind="box")
    box = Box(x, y, x + width, y + height)
    if not math.isfinite(box.x1 + box.y1):
        raise Unusable(codes.NUMBER_NOT_FINITE, "/bbox", found=f"{list(numbers)}, added up,")
    note_outside(box, "box", picture, report, where)
    return box


def note_outside(box: Box, kind: str, picture: Picture, report: Report, where: Where) -> None:
    """Tell when a shape's bounds reach past its picture."""
    if not picture.width:
        return
    drift = max(-box.x0, -box.y0, box.x1 - picture.width, box.y1 - picture.height)
    if drift > BORDER_DUST_PX:
        report.add(codes.OUTSIDE_MEDIA, where, kind=kind, drift=drift)


def plain_box(record: AnnotationRecord, media: Image) -> Box | None:
    """The box of a record about which nothing has to be said; None for every other record."""
    numbers = record.bbox
    if numbers is None:
        return None
    x, y, wide, high = numbers
    x1, y1 = x + wide, y + high
    # Without a size the sum of two large numbers may still be infinite.
    width, height = media.width, media.height
    inside = x1 <= width and y1 <= height if width and height else x1 + y1 < math.inf
    if wide > 0 and high > 0 and x >= 0 and y >= 0 and inside:
        return Box(x, y, x1, y1)
    return None


def plain_polygon(record: AnnotationRecord, media: Image) -> Polygon | None:
    """The polygon of a record about which nothing has to be said; None for every other record.

    Says the same as `outline`, in a fifth of the time: nearly all records come through here.
    """
    numbers = record.bbox
    if numbers is None:
        return None
    try:
        rings = _RINGS.decode(record.segmentation)
    except UNDECODABLE:
        return None
    parts = []
    x0 = y0 = math.inf
    x1 = y1 = -math.inf
    for ring in rings:
        if len(ring) < 6 or len(ring) & 1:
            return None
        ax, ay, bx, by, cx, cy = ring[:6]
        if (ax == bx and ay == by) or (bx == cx and by == cy) or (ax == cx and ay == cy):
            return None
        if ring[-2] == ax and ring[-1] == ay:
            ring = ring[:-2]
        xs, ys = sorted(ring[::2]), sorted(ring[1::2])  # faster than min and max of each
        x0, y0 = min(x0, xs[0]), min(y0, ys[0])
        x1, y1 = max(x1, xs[-1]), max(y1, ys[-1])
        parts.append((ring,))
    x, y, wide, high = numbers
    width, height = media.width, media.height
    if (
        x0 < 0
        or y0 < 0
        or (width and height and (x1 > width or y1 > height))
        or not -BOX_TOLERANCE_PX < x - x0 < BOX_TOLERANCE_PX
        or not -BOX_TOLERANCE_PX < y - y0 < BOX_TOLERANCE_PX
        or not -BOX_TOLERANCE_PX < x + wide - x1 < BOX_TOLERANCE_PX
        or not -BOX_TOLERANCE_PX < y + high - y1 < BOX_TOLERANCE_PX
    ):
        return None
    return Polygon(tuple(parts)) if parts else None


def rings_of(raw: msgspec.Raw) -> list[tuple[float, ...]] | None:
    """The rings of a plain polygon segmentation, or None when it is anything else."""
    try:
        rings = _RINGS.decode(raw)
    except UNDECODABLE:
        return None
    for ring in rings:
        if len(ring) & 1 or not geometry.has_three_points(ring):
            return None
    return rings or None


def _segmentation(
    raw: msgspec.Raw, record: AnnotationRecord, picture: Picture, report: Report, where: Where
) -> Polygon | Mask | None:
    rings = rings_of(raw)
    if rings is not None:
        return Polygon(tuple((geometry.opened(ring),) for ring in rings))
    value = json.loads(bytes(raw))
    if value is None or value in ([], [[]], {}):
        return None
    if isinstance(value, dict):
        return _mask(value, picture)
    if not isinstance(value, list):
        raise Unusable(
            codes.RECORD_MALFORMED,
            "/segmentation",
            expected="segmentation as a list of polygons or as run lengths",
            found=shown(value),
        )
    if not any(isinstance(item, list) for item in value):
        value = [value]  # one polygon that is not nested, as some tools write it
    return _lenient_polygon(value, record, report, where)


def _lenient_polygon(
    value: list[Any], record: AnnotationRecord, report: Report, where: Where
) -> Polygon | None:
    """A polygon of what is usable among the rings; the box stands in where nothing is."""
    parts: list[tuple[tuple[float, ...], ...]] = []
    faults: list[tuple[int, str]] = []
    for position, ring in enumerate(value):
        fault = _ring_fault(ring, position)
        if fault is None:
            parts.append((geometry.opened(tuple(float(number) for number in ring)),))
        elif ring != []:
            faults.append((position, fault))
    if not faults:
        return Polygon(tuple(parts)) if parts else None
    position, fault = faults[0]
    if record.bbox is None or parts:
        # Losing one part of several would change the object in silence, so all of it is refused.
        raise Unusable(codes.SHAPE_INVALID, f"/segmentation/{position}", found=fault)
    place = msgspec.structs.replace(where, pointer=f"{where.pointer or ''}/segmentation/{position}")
    report.add(codes.SHAPE_REPLACED, place, found=fault)
    return None


def _ring_fault(ring: object, position: int) -> str | None:
    """What is wrong with a ring, in words. Raises `Unusable` for what is no list of numbers."""
    if not isinstance(ring, list):
        raise Unusable(
            codes.RECORD_MALFORMED,
            f"/segmentation/{position}",
            expected="a list of numbers",
            found=shown(ring),
        )
    for index, number in enumerate(ring):
        pointer = f"/segmentation/{position}/{index}"
        if isinstance(number, bool) or not isinstance(number, (int, float)):
            raise Unusable(
                codes.RECORD_MALFORMED, pointer, expected="a number", found=shown(number)
            )
        if not math.isfinite(number):
            raise Unusable(codes.NUMBER_NOT_FINITE, pointer, found=str(number))
    if len(ring) % 2:
        return f"a polygon of {len(ring)} numbers, which are not pairs"
    if not geometry.has_three_points(tuple(ring)):
        return f"a polygon of {len(set(zip(ring[::2], ring[1::2], strict=True)))} different points"
    return None


def _mask(value: dict[str, Any], picture: Picture) -> Mask:
    size, counts = value.get("size"), value.get("counts")
    if (
        not isinstance(size, list)
        or len(size) != 2
        or not all(isinstance(n, int) and not isinstance(n, bool) and n > 0 for n in size)
    ):
        raise Unusable(
            codes.RECORD_MALFORMED,
            "/segmentation/size",
            expected="size as [height, width]",
            found=shown(size),
        )
    height, width = size
    if picture.width and (height, width) != picture.size:
        swapped = ", with height and width swapped" if (width, height) == picture.size else ""
        raise Unusable(
            codes.MASK_SIZE_MISMATCH,
            "/segmentation/size",
            expected=f"[{picture.height:g}, {picture.width:g}]",
            found=f"[{height}, {width}]{swapped}",
        )
    try:
        if isinstance(counts, str):
            return masks.from_text(size, counts)
        if isinstance(counts, list) and all(
            isinstance(n, int) and not isinstance(n, bool) for n in counts
        ):
            return masks.from_runs(size, counts)
    except masks.MaskError as error:
        raise Unusable(
            codes.MASK_MALFORMED,
            "/segmentation/counts",
            height=height,
            width=width,
            found=str(error),
        ) from None
    raise Unusable(
        codes.RECORD_MALFORMED,
        "/segmentation/counts",
        expected="counts as whole numbers or as COCO's text",
        found=shown(counts),
    )


def _compare(
    record: AnnotationRecord, shape: Polygon | Mask, picture: Picture, report: Report, where: Where
) -> None:
    """Tell when the declared box is not the outline's own, and when the outline is outside."""
    computed = geometry.bounds(shape)
    if computed is None:
        report.add(codes.AREA_ZERO, where, kind="mask")
        return
    if isinstance(shape, Polygon):
        note_outside(computed, "polygon", picture, report, where)
    if record.bbox is None or len(record.bbox) != 4:
        return
    _, _, width, height = record.bbox
    if width < 0 or height < 0:
        raise Unusable(codes.BOX_IMPOSSIBLE, "/bbox", found=f"{width:g} × {height:g}")
    compare_box(record.bbox, computed, report, where)


def compare_box(declared: Sequence[float], own: Box, report: Report, where: Where) -> None:
    """Tell when a declared box (x, y, width, height in pixels) is not the outline's own."""
    x, y, width, height = declared
    drift = max(abs(x - own.x0), abs(y - own.y0), abs(x + width - own.x1), abs(y + height - own.y1))
    if drift > BOX_TOLERANCE_PX:
        computed = (own.x0, own.y0, own.x1 - own.x0, own.y1 - own.y0)
        report.add(
            codes.BOX_MISMATCH,
            where,
            declared=list(declared),
            computed=[float(f"{number:.6g}") for number in computed],
            drift=drift,
        )


def _wanted(shape: Outline, want: str, picture: Picture) -> Outline:
    """The outline as the kind asked for, where it can be made without guessing."""
    if want == "mask" and not isinstance(shape, Mask) and picture.width:
        return geometry.polygon_mask(shape, *picture.size)
    if want == "polygon" and isinstance(shape, Mask):
        return geometry.mask_polygon(shape) or shape
    return shape


def skeleton(
    numbers: tuple[float, ...],
    names: tuple[str, ...],
    outline_shape: Outline | None,
    *,
    outlined: bool,
) -> Keypoints | None:
    """The labelled points (v > 0) by name; None when no point is labelled. Raises `Unusable`.

    The box around the points is an outline only where that is said (`outlined`). Points with v = 0
    are not labelled whatever their coordinates: results carry leftovers there.
    """
    if len(numbers) % 3 or (names and len(numbers) != 3 * len(names)):
        raise Unusable(
            codes.KEYPOINTS_MISMATCH,
            "/keypoints",
            expected=3 * len(names) if names else "a multiple of three",
            found=len(numbers),
        )
    points = tuple(
        Keypoint(
            names[position] if names else f"kp_{position}",
            numbers[3 * position],
            numbers[3 * position + 1],
            numbers[3 * position + 2] > 1,
        )
        for position in range(len(numbers) // 3)
        if numbers[3 * position + 2] > 0
    )
    if not points:
        return None
    if isinstance(outline_shape, OrientedBox):  # skeletons have no turned boxes
        outline_shape = Polygon(((geometry.corners(outline_shape),),))
    if not outlined and is_hull(outline_shape, points):
        return Keypoints(points)  # the box says nothing that the points do not say
    return Keypoints(points, outline_shape)


def is_hull(outline: Outline | None, points: tuple[Keypoint, ...]) -> bool:
    """Whether an outline is the box around the points, but for what sums of floats differ by."""
    if not isinstance(outline, Box) or not points:
        return False
    xs = [point.x for point in points]
    if not _same(min(xs), outline.x0) or not _same(max(xs), outline.x1):
        return False
    ys = [point.y for point in points]
    return _same(min(ys), outline.y0) and _same(max(ys), outline.y1)


def _same(one: float, other: float) -> bool:
    return math.isclose(one, other, rel_tol=1e-12, abs_tol=1e-9)
