"""Shapes as fractions of the displayed picture, as the formats of ultralytics have them.

Read: what is out of the picture by less than a hundredth of its size is cut off with a note; what
is further out is refused, as the loader of ultralytics 8.4 does (`verify_image_label`). Written:
fixed-point numbers with as many digits as the size of the picture needs.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import cycle
from operator import mul, truediv

import msgspec

from labelconv import codes, geometry, oriented
from labelconv.clipping import TOLERATED, clamped
from labelconv.model import Box, Coordinates, Keypoint, Keypoints, OrientedBox, Polygon
from labelconv.problems import Code, Report, Where

#: What reaches past a border by less than this, in pixels, is rounding (`0.133333` of 15).
DUST_PX = 1e-3
#: Largest difference of a coordinate that is written with `digits`, in pixels.
PRECISION_PX = 1e-5
_DIGITS, _DIGITS_SIZE = 9, 10_000
#: How far corners written with six digits may be from a rectangle's, as a part of the size.
_CORNERS_PART = 4e-6


class Bad(Exception):
    """Numbers that cannot be used: the code, its values, and which number is at fault (from 0)."""

    def __init__(self, code: Code, at: int, **values: object) -> None:
        super().__init__(code.id)
        self.code = code
        self.at = at
        self.values = values


class Frame(msgspec.Struct, frozen=True):
    """The picture that numbers are fractions of, in pixels, and where to tell what is odd."""

    width: float
    height: float
    report: Report
    place: Where

    def clipped(self, kind: str, drift: float) -> None:
        """Tell that something was cut off at a border, unless it is rounding."""
        if drift > DUST_PX:
            self.report.add(codes.SHAPE_CLIPPED, self.place, kind=kind, drift=drift)
            self.report.measure(codes.SHAPE_CLIPPED, "px", drift, self.place)


def check_range(values: Sequence[float], first: int = 0) -> None:
    """Raise `Bad` for a value more than a hundredth outside of 0 to 1, or none. `first` is the
    place of the first value."""
    for at, value in enumerate(values, first):
        if not math.isfinite(value):
            raise Bad(codes.NUMBER_NOT_FINITE, at, found=value)
        if not -TOLERATED <= value <= 1 + TOLERATED:
            raise Bad(
                codes.RECORD_MALFORMED,
                at,
                expected="a fraction of the picture's size, from 0 to 1,",
                found=f"{value:g}",
            )


def box(values: Sequence[float], frame: Frame) -> Box:
    """Centre x, centre y, width, height as a box. Raises `Bad`."""
    x, y, across, down = values
    if across < 0 or down < 0:
        found = f"{across:g} × {down:g}"
        raise Bad(codes.BOX_IMPOSSIBLE, 2 if across < 0 else 3, found=found)
    check_range(values)
    width, height = frame.width, frame.height
    half_width, half_height = across * width / 2, down * height / 2
    made = Box(
        x * width - half_width,
        y * height - half_height,
        x * width + half_width,
        y * height + half_height,
    )
    across, down = max(-made.x0, made.x1 - width), max(-made.y0, made.y1 - height)
    drift = max(across, down)
    if drift <= 0:
        return made
    if drift > DUST_PX and max(across / width, down / height) > TOLERATED:
        # The numbers are in range, so training takes it: the box is kept.
        frame.report.add(codes.OUTSIDE_MEDIA, frame.place, kind="box", drift=drift)
        return made
    frame.clipped("box", drift)
    inside = clamped(made, width, height)
    assert isinstance(inside, Box)  # as what was given
    return inside


def polygon(values: Sequence[float], frame: Frame) -> Polygon:
    """x and y of three points or more as a polygon. Raises `Bad`."""
    low, high = min(values), max(values)
    ring = _pixels(values, frame)
    if low < 0 or high > 1:
        check_range(values)
        ring = _inside(ring, "polygon", frame)
    return Polygon(((geometry.unclosed(ring),),))


def corners(values: Sequence[float], frame: Frame) -> OrientedBox | Polygon:
    """Four corners: an oriented box where they are a rectangle's, to the digits written; else a
    polygon. Raises `Bad`."""
    check_range(values)
    ring = _pixels(values, frame)
    tolerance = max(oriented.TOLERANCE_PX, _CORNERS_PART * max(frame.width, frame.height))
    made = oriented.from_corners(ring, tolerance)
    if made is None:
        return Polygon(((_inside(ring, "polygon", frame),),))
    xs, ys = ring[::2], ring[1::2]
    drift = max(-min(xs), -min(ys), max(xs) - frame.width, max(ys) - frame.height)
    if drift > DUST_PX:
        # Corners cannot be moved one by one, so the box stays as it is.
        frame.report.add(codes.OUTSIDE_MEDIA, frame.place, kind="rotated box", drift=drift)
    return made


def skeleton(
    values: Sequence[float], names: Sequence[str], dims: int, frame: Frame
) -> tuple[Keypoints | Box, int]:
    """A box and keypoints of `dims` numbers each: (skeleton, or the box if no point is labelled;
    how many points have a confidence instead of a visibility). Raises `Bad`.

    With two numbers a point is labelled unless one is negative; the third says 0 for not labelled,
    1 for covered, 2 for visible, and predictions how sure they are.
    """
    outline = box(values[:4], frame)
    points: list[Keypoint] = []
    unsure = 0
    for number, at in enumerate(range(4, len(values), dims)):
        x, y = values[at], values[at + 1]
        visible = True
        if dims == 3:
            seen = values[at + 2]
            if seen <= 0:
                continue
            visible = seen > 1
            if seen < 1:
                visible = seen >= 0.5
                unsure += 1
        elif x < 0 or y < 0:
            continue
        if not (0 <= x <= 1 and 0 <= y <= 1):
            check_range((x, y), at)
            x, y = _inside(_pixels((x, y), frame), "keypoint", frame)
        else:
            x, y = x * frame.width, y * frame.height
        points.append(Keypoint(names[number], x, y, visible))
    return (Keypoints(tuple(points), outline) if points else outline), unsure


def _pixels(values: Sequence[float], frame: Frame) -> Coordinates:
    return tuple(map(mul, values, cycle((frame.width, frame.height))))


def _inside(ring: Coordinates, kind: str, frame: Frame) -> Coordinates:
    limits = (frame.width, frame.height)
    inside = tuple(min(max(value, 0.0), limits[at & 1]) for at, value in enumerate(ring))
    frame.clipped(kind, max(abs(a - b) for a, b in zip(ring, inside, strict=True)))
    return inside


def infer_dims(length: int, *, visible: bool) -> int | None:
    """How many numbers each keypoint has where all rows have `length` behind the box: three where
    each third one may be a visibility (`visible`), else two where three do not fit."""
    if length > 0 and length % 3 == 0 and visible:
        return 3
    return 2 if length > 0 and length % 2 == 0 and length % 3 else None


# ------------------------------------------------------------------------------------- writing


def digits(width: float, height: float) -> int:
    """Digits behind the point that keep edges right to `PRECISION_PX` in a picture of this size."""
    larger = max(width, height)
    needed = _DIGITS
    while larger > _DIGITS_SIZE:
        larger /= 10
        needed += 1
    return needed


def of_box(box: Box, width: float, height: float) -> tuple[float, float, float, float]:
    """Centre x, centre y, width and height of a box in a picture of this size."""
    return (
        (box.x0 + box.x1) / 2 / width,
        (box.y0 + box.y1) / 2 / height,
        (box.x1 - box.x0) / width,
        (box.y1 - box.y0) / height,
    )


def of_ring(ring: Coordinates, width: float, height: float) -> tuple[float, ...]:
    """A ring in a picture of this size."""
    return tuple(map(truediv, ring, cycle((width, height))))


def of_corners(value: OrientedBox | Polygon, width: float, height: float) -> tuple[float, ...]:
    """The four corners of an oriented box, or of a polygon of four points."""
    ring = geometry.corners(value) if isinstance(value, OrientedBox) else value.parts[0][0]
    return of_ring(ring, width, height)
