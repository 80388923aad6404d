"""The lowering table: what a shape becomes where it is not held, and what that costs.

| shape | first choice | then | then |
|---|---|---|---|
| oriented box | polygon (respelled) | mask (measured) | box (loss) |
| box | polygon (respelled) | mask (measured) | |
| polygon with holes | mask (measured) | filled (loss) | |
| polygon of parts | one annotation each, or a mask, or the largest (loss), as the format says | | |
| polygon | mask (measured) | box (loss) | |
| mask | polygon (exact) | box (loss) | |
| keypoints | outline and single points (loss) | outline (loss) | box (loss) |
| point, polyline | left out (loss) | | |
"""

from __future__ import annotations

from typing import Any

import msgspec

from labelconv import codes, geometry
from labelconv.format import Holds
from labelconv.model import (
    Box,
    Keypoints,
    Mask,
    OrientedBox,
    Point,
    Polygon,
    Sample,
    Shape,
    Value,
)
from labelconv.problems import Code, Report, Where


class Cut(msgspec.Struct):
    """What `fit` knows while it cuts one sample."""

    holds: Holds
    target: str
    sample: Sample
    report: Report
    min_iou: float | None

    @property
    def size(self) -> tuple[int, int] | None:
        """(height, width) of the media in whole pixels, if known."""
        media: Any = self.sample.media
        width, height = getattr(media, "width", None), getattr(media, "height", None)
        if not width or not height:
            return None
        return round(height), round(width)


class Lowering(msgspec.Struct):
    """What became of a value: (category, value) pieces, none when it had to be left out."""

    pieces: list[tuple[str, Value]]
    changed: bool = False
    lost: bool = False


def lower(
    shape: Shape, category: str, allowed: frozenset[type], cut: Cut, place: Where
) -> Lowering:
    """The shape as one or more of the `allowed` kinds."""
    kind = type(shape)
    if isinstance(shape, Polygon) and Polygon in allowed:
        return _polygon(shape, category, allowed, cut, place)
    if isinstance(shape, Keypoints) and Keypoints in allowed:
        return _outlined(shape, category, allowed, cut, place)
    if kind in allowed:
        return Lowering([(category, shape)])
    if isinstance(shape, Keypoints):
        return _skeleton(shape, category, allowed, cut, place)
    if isinstance(shape, Mask) and Polygon in allowed:
        outline = geometry.mask_polygon(shape)
        if outline is not None:
            cut.report.add(codes.SHAPE_RESPELLED, place, source="mask", result="polygon")
            below = _polygon(outline, category, allowed, cut, place)
            return Lowering(below.pieces, changed=True, lost=below.lost)
    if isinstance(shape, (Box, OrientedBox)) and Polygon in allowed:
        ring = geometry.corners(shape) if isinstance(shape, OrientedBox) else None
        polygon = geometry.box_polygon(shape) if isinstance(shape, Box) else Polygon(((ring,),))  # type: ignore[arg-type]
        cut.report.add(codes.SHAPE_RESPELLED, place, source=_word(shape), result="polygon")
        return Lowering([(category, polygon)], changed=True)
    if isinstance(shape, (Box, OrientedBox, Polygon)) and Mask in allowed and cut.size:
        mask = geometry.polygon_mask(shape, *cut.size)
        return _measured(codes.SHAPE_RESPELLED, shape, mask, category, cut, place)
    if isinstance(shape, (OrientedBox, Polygon, Mask)) and Box in allowed:
        box = geometry.bounds(shape)
        if box is not None:
            return _measured(codes.SHAPE_LOWERED, shape, box, category, cut, place)
    cut.report.add(codes.VALUE_NOT_HELD, place, kind=_word(shape), target=cut.target)
    return Lowering([], lost=True)


def _polygon(
    polygon: Polygon, category: str, allowed: frozenset[type], cut: Cut, place: Where
) -> Lowering:
    """A polygon in a format that has polygons, perhaps without holes or parts."""
    holds = cut.holds
    holes = sum(len(part) - 1 for part in polygon.parts)
    parts = len(polygon.parts)
    may_mask = Mask in allowed and cut.size is not None
    if holes and not holds.holes:
        if holds.holes_become == "mask" and may_mask:
            mask = geometry.polygon_mask(polygon, *cut.size)  # type: ignore[misc]
            return _measured(codes.HOLES_MASKED, polygon, mask, category, cut, place, count=holes)
        filled = Polygon(tuple(part[:1] for part in polygon.parts))
        cost = _measured(codes.HOLES_FILLED, polygon, filled, category, cut, place, count=holes)
        below = _polygon(filled, category, allowed, cut, place)
        return Lowering(below.pieces, changed=below.changed, lost=cost.lost or below.lost)
    if parts > 1 and not holds.parts:
        if holds.parts_become == "mask" and may_mask:
            mask = geometry.polygon_mask(polygon, *cut.size)  # type: ignore[misc]
            return _measured(codes.SHAPE_RESPELLED, polygon, mask, category, cut, place)
        pieces = [Polygon((part,)) for part in polygon.parts]
        if holds.parts_become == "largest":
            largest = max(pieces, key=geometry.area)
            return _measured(
                codes.PARTS_DROPPED, polygon, largest, category, cut, place, count=parts - 1
            )
        cut.report.add(codes.PARTS_SPLIT, place, count=parts)
        return Lowering([(category, piece) for piece in pieces], changed=True)
    return Lowering([(category, polygon)])


def as_one(cut: Cut) -> Cut:
    """For a shape that cannot become several objects: the largest of its parts stays."""
    holds = msgspec.structs.replace(cut.holds, skeleton_points=None)
    if holds.parts_become == "annotations":
        holds = msgspec.structs.replace(holds, parts_become="largest")
    return msgspec.structs.replace(cut, holds=holds)


def _outlined(
    skeleton: Keypoints, category: str, allowed: frozenset[type], cut: Cut, place: Where
) -> Lowering:
    """A skeleton in a format that has skeletons: its outline must fit as well."""
    outline = skeleton.outline
    kinds = allowed & {Box, Polygon, Mask}
    if outline is None:
        return Lowering([(category, skeleton)])
    if not kinds:
        cut.report.add(codes.DETAIL_DROPPED, place, what="the outline of a skeleton")
        return Lowering([(category, Keypoints(skeleton.points))], lost=True)
    below = lower(outline, category, kinds, as_one(cut), place)
    fitted: Any = below.pieces[0][1] if below.pieces else None
    return Lowering(
        [(category, Keypoints(skeleton.points, fitted))], changed=below.changed, lost=below.lost
    )


def _skeleton(
    skeleton: Keypoints, category: str, allowed: frozenset[type], cut: Cut, place: Where
) -> Lowering:
    pieces: list[tuple[str, Value]] = []
    if skeleton.outline is not None:
        pieces = lower(skeleton.outline, category, allowed, cut, place).pieces
    template = cut.holds.skeleton_points
    if template is not None and Point in allowed:
        visible = [point for point in skeleton.points if point.visible]
        cut.report.add(codes.SKELETON_SPLIT, place, count=len(visible))
        for point in visible:
            name = template.replace("{category}", category).replace("{keypoint}", point.name)
            pieces.append((name, Point(point.x, point.y)))
        return Lowering(pieces, lost=True)
    if not pieces and Box in allowed:
        box = geometry.bounds(skeleton)
        pieces = [] if box is None else [(category, box)]
    if pieces:
        result = _word(pieces[0][1])
        cut.report.add(codes.SHAPE_LOWERED, place, source="skeleton", result=result)
    else:
        cut.report.add(codes.VALUE_NOT_HELD, place, kind="skeleton", target=cut.target)
    return Lowering(pieces, lost=True)


def _measured(
    code: Code,
    before: Shape,
    after: Shape,
    category: str,
    cut: Cut,
    place: Where,
    *,
    count: int = 0,
) -> Lowering:
    """Report a step with the IoU of what comes out with what went in."""
    report = cut.report
    report.add(code, place, source=_word(before), result=_word(after), count=count)
    value = geometry.iou(before, after)
    report.measure(code, "iou", value, place)
    lost = code.severity == "loss"
    if cut.min_iou is not None and value < cut.min_iou:
        report.add(codes.IOU_LOW, place, value=value, limit=cut.min_iou)
        lost = True
    return Lowering([(category, after)], changed=True, lost=lost)


_WORDS = {"OrientedBox": "rotated box", "Keypoints": "skeleton"}


def _word(value: Value) -> str:
    name = type(value).__name__
    return _WORDS.get(name, name.lower())
