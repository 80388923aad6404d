"""CVAT's elements as shapes of the model (`labelconv.cvatxml` has what they say)."""

from __future__ import annotations

from collections.abc import Mapping

from labelconv import codes, cvatxml, masks
from labelconv.model import Box, Mask, OrientedBox, Point, Shape
from labelconv.unusable import Unusable

#: Points of the polygon that an ellipse becomes: always as many, so that it can move.
ELLIPSE_POINTS = 72
#: The elements that are rows of a track.
TAGS = frozenset({"box", "polygon", "polyline", "points", "mask", "ellipse", "cuboid", "skeleton"})


def whole_of(fields: Mapping[str, str], name: str) -> int:
    """The whole number of 0 or more in a field. Raises `Unusable`."""
    text = fields.get(name, "")
    number = cvatxml.whole_number(text)
    if number is None:
        found = repr(text[:40]) if text else "nothing"
        expected = "a whole number of 0 or more"
        raise Unusable(codes.RECORD_MALFORMED, f"/@{name}", expected=expected, found=found)
    return number


def shapes_of(tag: str, fields: Mapping[str, str], size: tuple[int, int] | None) -> list[Shape]:
    """The shape of an element; `points` may be several. `size` is (height, width) of the video.

    A box that says a rotation is oriented, whatever the angle. Raises `Unusable`.
    """
    if tag == "box":
        return [_box(fields)]
    if tag == "mask":
        return [_mask(fields, size)]
    if tag == "ellipse":
        return [cvatxml.ellipse_of(fields, lambda radius: ELLIPSE_POINTS)]
    if tag == "cuboid":
        raise cvatxml.no_cuboid()
    if tag == "points":
        ring = cvatxml.points_of(fields)
        return [Point(x, y) for x, y in zip(ring[::2], ring[1::2], strict=True)]
    return [cvatxml.outline_of(tag, fields)]


def _box(fields: Mapping[str, str]) -> Box | OrientedBox:
    box = cvatxml.box_of(fields)
    return (
        cvatxml.turned(box, cvatxml.number_of(fields, "rotation")) if "rotation" in fields else box
    )


def _mask(fields: Mapping[str, str], size: tuple[int, int] | None) -> Mask:
    if size is None:
        found = "a mask in a video without original_size, where the size of masks is not known"
        raise Unusable(codes.SHAPE_INVALID, found=found)
    left, top, patch = cvatxml.patch_of(fields)
    (high, wide), (height, width) = patch.shape, size
    if not (0 <= left <= width - wide and 0 <= top <= height - high):
        found = f"{wide} × {high} pixels at {left}, {top}"
        raise Unusable(codes.MASK_SIZE_MISMATCH, expected=[height, width], found=found)
    whole = cvatxml.canvas(height, width)
    whole[top : top + high, left : left + wide] = patch
    return masks.from_array(whole)
