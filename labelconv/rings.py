"""Rings and other runs of interleaved coordinates: bounds, area, direction, closed or not."""

from __future__ import annotations

import math

import msgspec

from labelconv.model import Annotation, OrientedBox, Polygon


def corners(box: OrientedBox) -> tuple[float, ...]:
    """The four corners, interleaved: the turned top-left first, then along the width."""
    cosine, sine = _cosine_sine(box.angle)
    half_width, half_height = box.width / 2, box.height / 2
    out: list[float] = []
    for along, across in ((-1, -1), (1, -1), (1, 1), (-1, 1)):
        u, v = along * half_width, across * half_height
        out.append(box.x + u * cosine - v * sine)
        out.append(box.y + u * sine + v * cosine)
    return tuple(out)


def _cosine_sine(degrees: float) -> tuple[float, float]:
    quarter = degrees / 90
    if quarter == round(quarter):  # exact for right angles, where math.cos(pi / 2) is not 0
        return ((1.0, 0.0), (0.0, 1.0), (-1.0, 0.0), (0.0, -1.0))[round(quarter) % 4]
    return math.cos(math.radians(degrees)), math.sin(math.radians(degrees))


def ring_bounds(ring: tuple[float, ...]) -> tuple[float, float, float, float]:
    """(x0, y0, x1, y1) of interleaved coordinates."""
    xs, ys = ring[::2], ring[1::2]
    return min(xs), min(ys), max(xs), max(ys)


def ring_area(ring: tuple[float, ...]) -> float:
    """The area inside a ring, never negative (shoelace formula)."""
    return abs(_doubled(ring)) / 2


def _doubled(ring: tuple[float, ...]) -> float:
    """Twice the area inside a ring, negative where it runs clockwise (y up)."""
    xs, ys = ring[::2], ring[1::2]
    # Relative to the first point, so that small shapes far from the origin keep their digits.
    x0, y0 = xs[0], ys[0]
    double = 0.0
    previous_x, previous_y = xs[-1] - x0, ys[-1] - y0
    for x, y in zip(xs, ys, strict=True):
        x, y = x - x0, y - y0
        double += previous_x * y - x * previous_y
        previous_x, previous_y = x, y
    return double


def wound(annotations: tuple[Annotation, ...]) -> tuple[Annotation, ...]:
    """The annotations with the shells of polygons counter-clockwise (y up) and holes clockwise.

    A ring that is turned keeps its first point. What is as asked for is the same object.
    """
    changed = False
    out: list[Annotation] = []
    for annotation in annotations:
        value = annotation.value
        if type(value) is Polygon:
            parts = value.parts
            if len(parts) == 1 and len(parts[0]) == 1:
                turned = _clockwise(parts[0][0])
            else:
                turned = any(
                    _clockwise(ring) != (at > 0) for part in parts for at, ring in enumerate(part)
                )
            if turned:
                rings = tuple(
                    tuple(
                        _turned(ring) if _clockwise(ring) != (at > 0) else ring
                        for at, ring in enumerate(part)
                    )
                    for part in parts
                )
                annotation = msgspec.structs.replace(annotation, value=Polygon(rings))
                changed = True
        out.append(annotation)
    return tuple(out) if changed else annotations


def _clockwise(ring: tuple[float, ...]) -> bool:
    return _doubled(ring) < 0


def _turned(ring: tuple[float, ...]) -> tuple[float, ...]:
    rest = zip(ring[-2:0:-2], ring[:1:-2], strict=True)
    return (*ring[:2], *(number for pair in rest for number in pair))


def has_three_points(ring: tuple[float, ...]) -> bool:
    """Whether a ring has at least three different points."""
    if len(ring) < 6:
        return False
    a, b, c = ring[0:2], ring[2:4], ring[4:6]
    if len({a, b, c}) == 3:
        return True
    return len(set(zip(ring[::2], ring[1::2], strict=True))) >= 3


def opened(ring: tuple[float, ...]) -> tuple[float, ...]:
    """The ring without a repeated first point at its end."""
    if len(ring) >= 4 and ring[0] == ring[-2] and ring[1] == ring[-1]:
        return ring[:-2]
    return ring


def unclosed(ring: tuple[float, ...]) -> tuple[float, ...]:
    """The ring with its first point once, if it has three different points."""
    while len(ring) > 6 and ring[0] == ring[-2] and ring[1] == ring[-1]:
        if not has_three_points(ring[:-2]):
            break
        ring = ring[:-2]
    return ring
