"""CVAT's elements as shapes of the model, and back.

Source: CVAT's XML format 1.1 (docs.cvat.ai, "XML annotation format", interpolation). Coordinates
are pixels from the outer corner of the top-left pixel; `rotation` is in degrees clockwise about
the centre; run lengths of a mask go row by row inside its box, background first.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from labelconv import codes, geometry, masks
from labelconv.model import Box, Coordinates, Mask, OrientedBox, Point, Polygon, Polyline, Shape
from labelconv.problems import Code

#: Points of the polygon that an ellipse becomes: always as many, so that it can move.
ELLIPSE_POINTS = 72
#: The elements that are rows of a track.
TAGS = frozenset({"box", "polygon", "polyline", "points", "mask", "ellipse", "cuboid", "skeleton"})


class Bad(Exception):
    """An element that cannot be used: the code, the path inside it, the values."""

    def __init__(self, code: Code, pointer: str = "", **values: object) -> None:
        super().__init__(code.id)
        self.code = code
        self.pointer = pointer
        self.values: dict[str, Any] = values


def number_of(fields: Mapping[str, str], name: str) -> float:
    """The number in a field. Raises `Bad`."""
    text = fields.get(name)
    try:
        number = float(text)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        found = "nothing" if text is None else repr(text[:40])
        raise Bad(codes.RECORD_MALFORMED, f"/@{name}", expected="a number", found=found) from None
    if not math.isfinite(number):
        raise Bad(codes.NUMBER_NOT_FINITE, f"/@{name}", found=text)
    return number


def whole_of(fields: Mapping[str, str], name: str) -> int:
    """The whole number of 0 or more in a field. Raises `Bad`."""
    text = fields.get(name, "")
    if not (text.isascii() and text.isdecimal()) or len(text) > 15:
        found = repr(text[:40]) if text else "nothing"
        expected = "a whole number of 0 or more"
        raise Bad(codes.RECORD_MALFORMED, f"/@{name}", expected=expected, found=found)
    return int(text)


def shapes_of(tag: str, fields: Mapping[str, str], size: tuple[int, int] | None) -> list[Shape]:
    """The shape of an element; `points` may be several. `size` is (height, width) of the video.

    A box that says a rotation is oriented, whatever the angle. Raises `Bad`.
    """
    if tag == "box":
        return [_box(fields)]
    if tag == "mask":
        return [_mask(fields, size)]
    if tag == "ellipse":
        return [_ellipse(fields)]
    if tag == "cuboid":
        said = "a cuboid, for which there is no shape here; draw its box or its faces instead"
        raise Bad(codes.SHAPE_INVALID, found=said)
    ring = _points(fields)
    if tag == "points":
        return [Point(x, y) for x, y in zip(ring[::2], ring[1::2], strict=True)]
    if tag == "polyline" and len(ring) >= 4:
        return [Polyline(ring)]
    if tag == "polygon":
        ring = geometry.opened(ring)
        if geometry.has_three_points(ring):
            return [Polygon(((ring,),))]
    raise Bad(codes.SHAPE_INVALID, "/@points", found=f"a {tag} of {len(ring) // 2} points")


def _box(fields: Mapping[str, str]) -> Box | OrientedBox:
    x0, y0 = number_of(fields, "xtl"), number_of(fields, "ytl")
    x1, y1 = number_of(fields, "xbr"), number_of(fields, "ybr")
    if x1 < x0 or y1 < y0:
        raise Bad(codes.BOX_IMPOSSIBLE, found=f"{x1 - x0:g} × {y1 - y0:g}")
    if "rotation" in fields:
        angle = number_of(fields, "rotation")
        return OrientedBox((x0 + x1) / 2, (y0 + y1) / 2, x1 - x0, y1 - y0, angle)
    return Box(x0, y0, x1, y1)


def _points(fields: Mapping[str, str]) -> Coordinates:
    """`x,y;x,y…`, interleaved. Raises `Bad`."""
    text = fields.get("points", "")
    numbers: list[float] = []
    for pair in text.split(";"):
        x, _, y = pair.partition(",")
        try:
            numbers += (float(x), float(y))
        except ValueError:
            raise Bad(
                codes.RECORD_MALFORMED, "/@points", expected="x,y;x,y…", found=repr(pair[:40])
            ) from None
    if not all(map(math.isfinite, numbers)):
        raise Bad(codes.NUMBER_NOT_FINITE, "/@points", found=repr(text[:40]))
    return tuple(numbers)


def _mask(fields: Mapping[str, str], size: tuple[int, int] | None) -> Mask:
    import numpy as np

    if size is None:
        found = "a mask in a video without original_size, where the size of masks is not known"
        raise Bad(codes.SHAPE_INVALID, found=found)
    left, top, wide, high = (
        round(number_of(fields, name)) for name in ("left", "top", "width", "height")
    )
    try:
        runs = [int(run) for run in fields.get("rle", "").split(",")]
    except ValueError:
        raise Bad(
            codes.MASK_MALFORMED, "/@rle", height=high, width=wide, found="a text found"
        ) from None
    height, width = size
    if min(runs) < 0 or sum(runs) != wide * high:
        said = f"runs of {sum(runs)} pixels in all found"
        raise Bad(codes.MASK_MALFORMED, "/@rle", height=high, width=wide, found=said)
    if not (0 <= left <= width - wide and 0 <= top <= height - high):
        found = f"{wide} × {high} pixels at {left}, {top}"
        raise Bad(codes.MASK_SIZE_MISMATCH, expected=[height, width], found=found)
    whole = np.zeros(size, dtype=np.uint8)
    values = (np.arange(len(runs)) % 2).astype(np.uint8)
    whole[top : top + high, left : left + wide] = np.repeat(values, runs).reshape(high, wide)
    return masks.from_array(whole)


def _ellipse(fields: Mapping[str, str]) -> Polygon:
    """A polygon of the ellipse's area."""
    x, y, wide, high = (number_of(fields, name) for name in ("cx", "cy", "rx", "ry"))
    if wide <= 0 or high <= 0:
        raise Bad(codes.SHAPE_INVALID, found=f"an ellipse with radii of {wide:g} and {high:g}")
    turn = math.radians(number_of(fields, "rotation") if "rotation" in fields else 0.0)
    cosine, sine = math.cos(turn), math.sin(turn)
    step = 2 * math.pi / ELLIPSE_POINTS
    larger = math.sqrt(step / math.sin(step))  # corners stand out so that the area is the same
    points: list[float] = []
    for number in range(ELLIPSE_POINTS):
        along = wide * larger * math.cos(number * step)
        across = high * larger * math.sin(number * step)
        points += (x + along * cosine - across * sine, y + along * sine + across * cosine)
    return Polygon(((tuple(points),),))


# ---------------------------------------------------------------------------------------- writing


def spelled(shape: Shape) -> tuple[str, str]:
    """The element's name, and its fields that say the shape."""
    if isinstance(shape, Box):
        return "box", _corners(shape.x0, shape.y0, shape.x1, shape.y1)
    if isinstance(shape, OrientedBox):
        wide, high = shape.width / 2, shape.height / 2
        corners = _corners(shape.x - wide, shape.y - high, shape.x + wide, shape.y + high)
        return "box", f'{corners} rotation="{float(shape.angle)!r}"'
    if isinstance(shape, Polygon):
        return "polygon", _listed(shape.parts[0][0])
    if isinstance(shape, Polyline):
        return "polyline", _listed(shape.points)
    if isinstance(shape, Point):
        return "points", _listed((shape.x, shape.y))
    assert isinstance(shape, Mask)  # for mypy; `fit` sees to it
    around = masks.bounds(shape) or Box(0, 0, 1, 1)
    left, top, right, bottom = (int(e) for e in (around.x0, around.y0, around.x1, around.y1))
    patch = masks.to_array(shape)[top:bottom, left:right]
    rle = ", ".join(map(str, masks.from_array(patch.T).runs))  # turned about, columns are rows
    return "mask", (
        f' rle="{rle}" left="{left}" top="{top}" width="{right - left}" height="{bottom - top}"'
    )


def _corners(x0: float, y0: float, x1: float, y1: float) -> str:
    return f' xtl="{float(x0)!r}" ytl="{float(y0)!r}" xbr="{float(x1)!r}" ybr="{float(y1)!r}"'


def _listed(ring: Coordinates) -> str:
    numbers = map(repr, map(float, ring))
    pairs = zip(numbers, numbers, strict=True)
    return f' points="{";".join(f"{x},{y}" for x, y in pairs)}"'
