"""The lowering table: what a shape becomes where it is not held, and what that costs.

| shape | first choice | then | then |
|---|---|---|---|
| oriented box | polygon (respelled) | mask (measured) | box (loss) |
| box | polygon (respelled) | mask (measured) | |
| polygon with holes | mask (measured) | filled (loss) | |
| polygon of parts | one annotation each, or a mask, or the largest (loss), as the format says | | |
| polygon | mask (measured) | box (loss) | |
| box, polygon, mask, to rotated boxes alone | rotated box (respelled, or loss) | | |
| mask | polygon (exact) | box (loss) | |
| keypoints | outline and single points (loss) | outline (loss) | box (loss) |
| point, polyline | left out (loss) | | |
"""

from __future__ import annotations

from typing import Any

import msgspec

from labelconv import clipping, codes, geometry, oriented
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
    TiledImage,
    Value,
)
from labelconv.problems import Code, Outcome, Report, Where

#: Larger pictures are not drawn: a mask takes a byte for each pixel.
_MOST_PIXELS = 1 << 30


class Cut(msgspec.Struct):
    """What `fit` knows while it cuts one sample.

    `before` is what became of annotations before their shapes are lowered, by id (see
    `labelconv.conforming`). `reason` ends the sentences about shapes, where it is not the format
    that asks for another kind (see `labelconv.features`).
    """

    holds: Holds
    target: str
    sample: Sample
    report: Report
    min_iou: float | None
    before: dict[str, Outcome] = {}
    reason: str = ""

    @property
    def size(self) -> tuple[int, int] | None:
        """(height, width) of the media in whole pixels, if known and if coordinates are pixels."""
        media: Any = self.sample.media
        if on_map(media):
            return None
        width, height = getattr(media, "width", None), getattr(media, "height", None)
        if not width or not height or not width * height <= _MOST_PIXELS:
            return None
        return round(height), round(width)

    def reaches_out(self, shape: Shape) -> bool:
        """Whether a shape reaches past a border by more than is taken for rounding."""
        media: Any = self.sample.media
        if not media.width or not media.height:
            return False
        return clipping.overhang(shape, media.width, media.height)[1] > clipping.TOLERATED


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
        outline = _outline(shape, cut)
        if outline is not None:
            result = f"polygon{cut.reason}"
            cut.report.add(codes.SHAPE_RESPELLED, place, source="mask", result=result)
            below = _polygon(outline, category, allowed, cut, place)
            return Lowering(below.pieces, changed=True, lost=below.lost)
    if isinstance(shape, (Box, OrientedBox)) and Polygon in allowed:
        if isinstance(shape, Box):
            polygon = geometry.box_polygon(shape)
        else:
            polygon = Polygon(((geometry.corners(shape),),))
        result = f"polygon{cut.reason}"
        cut.report.add(codes.SHAPE_RESPELLED, place, source=word(shape), result=result)
        return Lowering([(category, polygon)], changed=True)
    if OrientedBox in allowed and isinstance(shape, (Box, Polygon)):
        turned = oriented.respelled(shape)
        if turned is not None:
            cut.report.add(codes.SHAPE_RESPELLED, place, source=word(shape), result=word(turned))
            return Lowering([(category, turned)], changed=True)
        if cut.holds.quads and isinstance(shape, Polygon) and oriented.is_quad(shape):
            return Lowering([(category, shape)])
    boxed = Box in allowed and cut.holds.tracks.outlines_become == "box"
    size = None if boxed or Mask not in allowed else cut.size
    if size is not None and isinstance(shape, (Box, OrientedBox, Polygon)):
        mask = geometry.polygon_mask(shape, *size)
        return _measured(codes.SHAPE_RESPELLED, shape, mask, category, cut, place)
    if isinstance(shape, Mask) and on_map(cut.sample.media):
        # Its pixels are no places: its outline is, or it has none here.
        outline = _outline(shape, cut)
        if outline is not None:
            return lower(outline, category, allowed, cut, place)
    elif isinstance(shape, (Polygon, Mask)) and OrientedBox in allowed and Box not in allowed:
        around = oriented.smallest_around(shape)
        if around is not None and cut.holds.within and cut.reaches_out(around):
            around = oriented.respelled(geometry.bounds(shape) or Box(0, 0, 0, 0))
        if around is not None:
            return _measured(codes.SHAPE_LOWERED, shape, around, category, cut, place)
    may_box = Box in allowed and not (isinstance(shape, Mask) and on_map(cut.sample.media))
    if may_box and isinstance(shape, (OrientedBox, Polygon, Mask)):
        box = geometry.bounds(shape)
        if box is not None:
            return _measured(codes.SHAPE_LOWERED, shape, box, category, cut, place)
    cut.report.add(codes.VALUE_NOT_HELD, place, kind=word(shape), target=cut.target)
    return Lowering([], lost=True)


def reaches(shape: Shape, kinds: frozenset[type], cut: Cut) -> bool:
    """Whether `lower` has a way from the shape to one of the `kinds`."""
    kind = type(shape)
    if kind in kinds:
        return True
    if isinstance(shape, Keypoints):
        outline = shape.outline
        return (
            bool(kinds & {Box, OrientedBox})
            or (Point in kinds and cut.holds.skeleton_points is not None)
            or (outline is not None and reaches(outline, kinds, cut))
        )
    if not isinstance(shape, (Box, OrientedBox, Polygon, Mask)):
        return False
    if isinstance(shape, Mask) and on_map(cut.sample.media):
        known = getattr(cut.sample.media, "affine", None) is not None
        return known and not kinds.isdisjoint(_AROUND[Mask])
    if Mask in kinds and cut.size is not None:
        return True
    return not kinds.isdisjoint(_AROUND[kind])


#: What shapes that have an inside become, whatever the size of their media.
_AROUND = {
    Box: frozenset({Polygon, OrientedBox}),
    OrientedBox: frozenset({Polygon, Box}),
    Polygon: frozenset({Box, OrientedBox}),
    Mask: frozenset({Polygon, Box, OrientedBox}),
}


def on_map(media: Any) -> bool:
    """Whether coordinates on a medium are of a map, while masks are of pixels."""
    return isinstance(media, TiledImage) and media.crs not in ("pixel", "image")


def _outline(mask: Mask, cut: Cut) -> Polygon | None:
    """The outline of a mask in the coordinates of its sample; None where it is not known."""
    media = cut.sample.media
    if not on_map(media):
        return geometry.mask_polygon(mask)
    affine = media.affine if isinstance(media, TiledImage) else None
    if affine is None:
        return None
    from labelconv.crs.rasters import mask_polygon

    return mask_polygon(mask, affine)


def _polygon(
    polygon: Polygon, category: str, allowed: frozenset[type], cut: Cut, place: Where
) -> Lowering:
    """A polygon in a format that has polygons, perhaps without holes or parts."""
    holds = cut.holds
    holes = sum(len(part) - 1 for part in polygon.parts)
    parts = len(polygon.parts)
    size = cut.size if Mask in allowed else None
    if holes and not holds.holes and holds.holes_become != "joined":
        if holds.holes_become == "mask" and size is not None:
            mask = geometry.polygon_mask(polygon, *size)
            return _measured(codes.HOLES_MASKED, polygon, mask, category, cut, place, count=holes)
        filled = Polygon(tuple(part[:1] for part in polygon.parts))
        cost = _measured(codes.HOLES_FILLED, polygon, filled, category, cut, place, count=holes)
        below = _polygon(filled, category, allowed, cut, place)
        return Lowering(below.pieces, changed=below.changed, lost=cost.lost or below.lost)
    if parts > 1 and not holds.parts:
        if holds.parts_become == "mask" and size is not None:
            mask = geometry.polygon_mask(polygon, *size)
            return _measured(codes.SHAPE_RESPELLED, polygon, mask, category, cut, place)
        if holds.parts_become == "joined":
            return _joined(polygon, category, cut, place)
        pieces = [Polygon((part,)) for part in polygon.parts]
        if holds.parts_become == "largest":
            largest = max(pieces, key=geometry.area)
            cost = _measured(
                codes.PARTS_DROPPED, polygon, largest, category, cut, place, count=parts - 1
            )
            cost.pieces = _polygon(largest, category, allowed, cut, place).pieces
            return cost
        cut.report.add(codes.PARTS_SPLIT, place, count=parts)
        fitted = [_polygon(piece, category, allowed, cut, place) for piece in pieces]
        lost = any(each.lost for each in fitted)
        return Lowering([p for each in fitted for p in each.pieces], changed=True, lost=lost)
    if holes and not holds.holes:
        return _joined(polygon, category, cut, place)
    return Lowering([(category, polygon)])


def _joined(polygon: Polygon, category: str, cut: Cut, place: Where) -> Lowering:
    """Parts and holes as one ring, joined by cuts of no width."""
    from labelconv import joining

    holes = sum(len(part) - 1 for part in polygon.parts)
    source = f"polygon of {len(polygon.parts)} parts and {holes} holes"
    result = "polygon of one outline, joined by cuts of no width"
    cut.report.add(codes.SHAPE_RESPELLED, place, source=source, result=result)
    ring, value = joining.joined(polygon)
    lost = _gated(codes.SHAPE_RESPELLED, value, cut, place)
    return Lowering([(category, ring)], changed=True, lost=lost)


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
    held = cut.holds.outlines
    kinds = (allowed if held is None else held) & {Box, Polygon, Mask}
    if outline is None and cut.holds.outlined:
        box = geometry.bounds(skeleton)
        cut.report.add(
            codes.SHAPE_RESPELLED, place, source=word(skeleton), result="skeleton with a box around"
        )
        return Lowering([(category, Keypoints(skeleton.points, box))], changed=True)
    if outline is None:
        return Lowering([(category, skeleton)])
    if not kinds:
        cut.report.add(codes.DETAIL_DROPPED, place, what="the outline of a skeleton")
        return Lowering([(category, Keypoints(skeleton.points))], lost=True)
    below = lower(outline, category, kinds, as_one(cut), place)
    fitted: Any = below.pieces[0][1] if below.pieces else None
    if fitted is None and cut.holds.outlined:
        fitted = geometry.bounds(Keypoints(skeleton.points))
    return Lowering(
        [(category, Keypoints(skeleton.points, fitted))], changed=below.changed, lost=below.lost
    )


def point_names(skeleton: Keypoints, category: str, cut: Cut) -> list[str]:
    """The categories that the visible points of a skeleton get, where they become single ones."""
    template = cut.holds.skeleton_points
    if template is None:
        return []
    named = template.replace("{category}", category)
    return [named.replace("{keypoint}", point.name) for point in skeleton.points if point.visible]


def _skeleton(
    skeleton: Keypoints, category: str, allowed: frozenset[type], cut: Cut, place: Where
) -> Lowering:
    pieces: list[tuple[str, Value]] = []
    if skeleton.outline is not None:
        pieces = lower(skeleton.outline, category, allowed, cut, place).pieces
    if cut.holds.skeleton_points is not None and Point in allowed:
        visible = [point for point in skeleton.points if point.visible]
        cut.report.add(codes.SKELETON_SPLIT, place, count=len(visible))
        names = point_names(skeleton, category, cut)
        for name, point in zip(names, visible, strict=True):
            pieces.append((name, Point(point.x, point.y)))
        return Lowering(pieces, lost=True)
    if not pieces and Box in allowed:
        box = geometry.bounds(skeleton)
        pieces = [] if box is None else [(category, box)]
    elif not pieces and OrientedBox in allowed:
        box = geometry.bounds(skeleton)
        turned = None if box is None else oriented.respelled(box)
        pieces = [] if turned is None else [(category, turned)]
    if pieces:
        result = word(pieces[0][1]) + cut.reason
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
    result = word(after) + cut.reason
    report.add(code, place, source=word(before), result=result, count=count)
    lost = _gated(code, geometry.iou(before, after), cut, place)
    return Lowering([(category, after)], changed=True, lost=lost or code.severity == "loss")


def _gated(code: Code, value: float, cut: Cut, place: Where) -> bool:
    """Record an IoU; whether it is lower than asked for."""
    cut.report.measure(code, "iou", value, place)
    if cut.min_iou is None or value >= cut.min_iou:
        return False
    cut.report.add(codes.IOU_LOW, place, value=value, limit=cut.min_iou)
    return True


_WORDS = {"OrientedBox": "rotated box", "Keypoints": "skeleton"}


def word(value: Value) -> str:
    """A kind of value as sentences name it."""
    name = type(value).__name__
    return _WORDS.get(name, name.lower())
