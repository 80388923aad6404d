"""Which annotation of one sample is which of another: exact first, then what covers it best."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias, cast

import msgspec

from labelconv import geometry
from labelconv.model import (
    Annotation,
    Box,
    Keypoints,
    Mask,
    OnPage,
    OrientedBox,
    Point,
    Polygon,
    Polyline,
    Shape,
    Value,
)

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

#: Shapes with an area that cover each other less than this are different objects.
LEAST_IOU = 0.1
#: Points, lines and skeletons farther apart than this (in the unit of the media) likewise.
FARTHEST = 20.0
#: Parts whose union covers the whole at least so well are the whole, split up.
SPLIT_IOU = 0.99

#: Pairs this near to equal (1 - IoU, or the share of `FARTHEST`) need no look at their parts.
_LIKE = 0.1
#: Shapes with an area are compared when their bounds, grown by so much, meet.
_REACH = 1.0
_AREAL = (Box, OrientedBox, Polygon, Mask)


class Pair(msgspec.Struct, frozen=True):
    """Two annotations that are one object, by their positions. `drift` is the largest distance of
    a coordinate, None where the shapes cannot be compared so; then `iou` says how they cover."""

    a: int
    b: int
    drift: float | None
    iou: float | None = None


class Group(msgspec.Struct, frozen=True):
    """One annotation that is several on the other side, and the IoU of it with their union."""

    one: int
    several: tuple[int, ...]
    iou: float


class Matches(msgspec.Struct):
    """All that was found; what is in none of the lists is on one side only (`left_a`, `left_b`)."""

    pairs: list[Pair]
    splits: list[Group]
    joins: list[Group]
    renamed: list[tuple[int, int]]
    left_a: list[int]
    left_b: list[int]


_Side: TypeAlias = dict[int, Annotation]
_Find: TypeAlias = Callable[[int, Polygon | Mask, _Side], Group | None]


def match(a: Sequence[Annotation], b: Sequence[Annotation]) -> Matches:
    """Match the annotations of one sample. Only annotations of one category are paired.

    First equal values; then one of several parts against its parts; then greedily the pairs that
    cover each other best, or are nearest, wholes and what covers them together in between; last,
    equal values under another category (`renamed`).
    Tracks and spans are matched when they are equal.
    """
    left_a, left_b = dict(enumerate(a)), dict(enumerate(b))
    pairs = _equal(left_a, left_b)
    splits: list[Group] = []
    joins: list[Group] = []
    if left_a and left_b:
        splits = _split(left_a, left_b, _several_parts)
        joins = _split(left_b, left_a, _several_parts)
        scored = _scored(left_a, left_b)
        pairs += _taken(scored, _LIKE, left_a, left_b)
        splits += _split(left_a, left_b, _covering_parts)
        joins += _split(left_b, left_a, _covering_parts)
        pairs += _taken(scored, math.inf, left_a, left_b)
    renamed = _elsewhere(left_a, left_b)
    return Matches(pairs, splits, joins, renamed, list(left_a), list(left_b))


def _equal(left_a: _Side, left_b: _Side) -> list[Pair]:
    where: dict[tuple[str, Value], list[int]] = {}
    for position, annotation in left_b.items():
        where.setdefault((annotation.category, annotation.value), []).append(position)
    pairs = []
    for position, annotation in list(left_a.items()):
        found = where.get((annotation.category, annotation.value))
        if found:
            same = [other for other in found if left_b[other].id == annotation.id]
            other = same[0] if same else found[0]
            found.remove(other)
            pairs.append(Pair(position, other, 0.0))
            del left_a[position], left_b[other]
    return pairs


def _elsewhere(left_a: _Side, left_b: _Side) -> list[tuple[int, int]]:
    where: dict[Value, list[int]] = {}
    for position, annotation in left_b.items():
        where.setdefault(annotation.value, []).append(position)
    renamed = []
    for position, annotation in list(left_a.items()):
        found = where.get(annotation.value)
        if found:
            other = found.pop(0)
            renamed.append((position, other))
            del left_a[position], left_b[other]
    return renamed


# ------------------------------------------------------------------------------------ several parts


def _split(whole: _Side, pieces: _Side, find: _Find) -> list[Group]:
    """Wholes that are several pieces on the other side; taken out of both."""
    groups = []
    for position, annotation in list(whole.items()):
        if not isinstance(annotation.value, (Polygon, Mask)):
            continue
        near = {
            other: piece
            for other, piece in pieces.items()
            if piece.category == annotation.category and isinstance(piece.value, _AREAL)
        }
        group = find(position, annotation.value, near) if len(near) > 1 else None
        if group is not None:
            groups.append(group)
            del whole[position]
            for other in group.several:
                del pieces[other]
    return groups


def _several_parts(position: int, value: Polygon | Mask, near: _Side) -> Group | None:
    """The parts of a polygon that has several: the very same, or what covers it together."""
    if not isinstance(value, Polygon) or len(value.parts) < 2:
        return None
    where = {
        piece.value.parts[0]: other
        for other, piece in near.items()
        if isinstance(piece.value, Polygon) and len(piece.value.parts) == 1
    }
    found = tuple(where[part] for part in value.parts if part in where)
    if len(set(found)) == len(value.parts):
        return Group(position, found, 1.0)
    return _covering_parts(position, value, near)


def _covering_parts(position: int, value: Polygon | Mask, near: _Side) -> Group | None:
    """Pieces that lie inside the whole and together cover it."""
    around = geometry.bounds(value)
    if around is None:
        return None
    inside: dict[int, Shape] = {}
    for other, piece in near.items():
        shape = cast("Shape", piece.value)  # only shapes come here
        box = geometry.bounds(shape)
        if (
            box is not None
            and box.x0 >= around.x0 - 1
            and box.y0 >= around.y0 - 1
            and box.x1 <= around.x1 + 1
            and box.y1 <= around.y1 + 1
        ):
            inside[other] = shape
    if len(inside) < 2:
        return None
    shared = geometry.covered(value, list(inside.values()))
    members = tuple(o for o, part in zip(inside, shared.parts, strict=True) if part >= SPLIT_IOU)
    if len(members) < 2:
        return None
    if len(members) < len(inside):
        shared = geometry.covered(value, [inside[other] for other in members])
    return Group(position, members, shared.iou) if shared.iou >= SPLIT_IOU else None


# ------------------------------------------------------------------------------------ best first


def _scored(left_a: _Side, left_b: _Side) -> list[tuple[float, Pair]]:
    """Pairs that may be one object, best first, with how far they are from equal (0 is equal)."""
    by_category: dict[str, tuple[list[int], list[int]]] = {}
    for side, left in enumerate((left_a, left_b)):
        for position, annotation in left.items():
            by_category.setdefault(annotation.category, ([], []))[side].append(position)
    scored = [
        pair
        for ours, theirs in by_category.values()
        if ours and theirs
        for pair in _scored_of(ours, theirs, left_a, left_b)
    ]
    return sorted(scored, key=lambda item: (item[0], item[1].a, item[1].b))


def _taken(
    scored: list[tuple[float, Pair]], worst: float, left_a: _Side, left_b: _Side
) -> list[Pair]:
    """The pairs up to `worst`, greedily; taken out of both sides."""
    pairs = []
    for score, pair in scored:
        if score <= worst and pair.a in left_a and pair.b in left_b:
            pairs.append(pair)
            del left_a[pair.a], left_b[pair.b]
    return pairs


def _scored_of(
    ours: list[int], theirs: list[int], left_a: _Side, left_b: _Side
) -> list[tuple[float, Pair]]:
    import numpy as np

    boxes = _boxes([left_b[position].value for position in theirs])
    scored = []
    for position in ours:
        value = left_a[position].value
        x0, y0, x1, y1 = _boxes([value])[0]
        reach = _REACH if isinstance(value, _AREAL) else FARTHEST
        near = (
            (boxes[:, 0] <= x1 + reach)
            & (boxes[:, 2] >= x0 - reach)
            & (boxes[:, 1] <= y1 + reach)
            & (boxes[:, 3] >= y0 - reach)
        )
        for index in np.flatnonzero(near).tolist():
            pair = _pair(position, theirs[index], value, left_b[theirs[index]].value)
            if pair is not None:
                scored.append(pair)
    return scored


def _boxes(values: list[Value]) -> NDArray[np.float64]:
    """(N, 4) bounds; NaN, which is near nothing, for values without any."""
    import numpy as np

    rows = []
    for value in values:
        shape: Any = value.shape if isinstance(value, OnPage) else value
        plain = isinstance(shape, (*_AREAL, Point, Polyline, Keypoints))
        box = geometry.bounds(shape) if plain else None
        rows.append((math.nan,) * 4 if box is None else (box.x0, box.y0, box.x1, box.y1))
    return np.array(rows, dtype=np.float64)


def _pair(a: int, b: int, one: Value, other: Value) -> tuple[float, Pair] | None:
    if isinstance(one, OnPage) and isinstance(other, OnPage) and one.page == other.page:
        one, other = one.shape, other.shape
    distance = drift(one, other)
    if isinstance(one, _AREAL) and isinstance(other, _AREAL):
        iou = geometry.iou(one, other)
        if iou < LEAST_IOU and (distance is None or distance > _REACH):
            return None
        return 1 - iou, Pair(a, b, distance, iou)
    if distance is not None and distance <= FARTHEST:
        return distance / FARTHEST, Pair(a, b, distance)
    return None


# ------------------------------------------------------------------------------------ distances


def drift(one: Value, other: Value) -> float | None:
    """The largest distance of a coordinate of one shape from that of the other.

    None for shapes of different kinds or of different numbers of points, and for masks. A ring may
    start at another point and run the other way round.
    """
    if isinstance(one, Box) and isinstance(other, Box):
        corner = max(abs(one.x0 - other.x0), abs(one.y0 - other.y0))
        return max(corner, abs(one.x1 - other.x1), abs(one.y1 - other.y1))
    if isinstance(one, Point) and isinstance(other, Point):
        return max(abs(one.x - other.x), abs(one.y - other.y))
    if isinstance(one, OrientedBox) and isinstance(other, OrientedBox):
        return _ring_drift(geometry.corners(one), geometry.corners(other))
    if isinstance(one, Polyline) and isinstance(other, Polyline):
        return _line_drift(one.points, other.points)
    if isinstance(one, Polygon) and isinstance(other, Polygon):
        return _polygon_drift(one, other)
    if isinstance(one, Keypoints) and isinstance(other, Keypoints):
        return _skeleton_drift(one, other)
    return None


def _polygon_drift(one: Polygon, other: Polygon) -> float | None:
    if len(one.parts) != len(other.parts):
        return None
    worst = 0.0
    for part, against in zip(one.parts, other.parts, strict=True):
        if len(part) != len(against):
            return None
        for ring, opposite in zip(part, against, strict=True):
            distance = _ring_drift(ring, opposite)
            if distance is None:
                return None
            worst = max(worst, distance)
    return worst


def _ring_drift(one: tuple[float, ...], other: tuple[float, ...]) -> float | None:
    if len(one) != len(other):
        return None
    points = list(zip(other[::2], other[1::2], strict=True))
    x, y = one[0], one[1]
    start = min(range(len(points)), key=lambda i: max(abs(points[i][0] - x), abs(points[i][1] - y)))
    forward = points[start:] + points[:start]
    backward = [forward[0], *reversed(forward[1:])]
    ours = list(zip(one[::2], one[1::2], strict=True))
    return min(_apart(ours, forward), _apart(ours, backward))


def _line_drift(one: tuple[float, ...], other: tuple[float, ...]) -> float | None:
    if len(one) != len(other):
        return None
    ours = list(zip(one[::2], one[1::2], strict=True))
    theirs = list(zip(other[::2], other[1::2], strict=True))
    return min(_apart(ours, theirs), _apart(ours, theirs[::-1]))


def _skeleton_drift(one: Keypoints, other: Keypoints) -> float | None:
    ours = {point.name: (point.x, point.y, point.visible) for point in one.points}
    theirs = {point.name: (point.x, point.y, point.visible) for point in other.points}
    if ours.keys() != theirs.keys() or len(ours) != len(one.points):
        return None
    if any(ours[name][2] != theirs[name][2] for name in ours):
        return None
    outlines = 0.0
    if one.outline is not None and one.outline != other.outline:
        found = None if other.outline is None else drift(one.outline, other.outline)
        if found is None:
            return None
        outlines = found
    elif one.outline is None and other.outline is not None:
        return None
    pairs = [(ours[name][:2], theirs[name][:2]) for name in ours]
    return max(outlines, _apart([p for p, _ in pairs], [q for _, q in pairs]))


def _apart(ours: list[tuple[float, float]], theirs: list[tuple[float, float]]) -> float:
    """The largest distance along an axis."""
    return max(
        (max(abs(p[0] - q[0]), abs(p[1] - q[1])) for p, q in zip(ours, theirs, strict=True)),
        default=0.0,
    )
