"""Annotations across the antimeridian: cut there, with what is told and counted."""

from __future__ import annotations

from typing import Any

import msgspec

from labelconv import codes, geometry
from labelconv.crs import seams
from labelconv.model import Annotation, Box, Keypoint, Keypoints, OrientedBox, Point, Polygon
from labelconv.problems import Report, Where


def geometry_word(annotation: Annotation) -> str:
    """What an annotation's shape is called in a sentence."""
    return type(annotation.value).__name__.lower()


def cut_at_seam(
    annotation: Annotation, key: str, taken: set[str], report: Report, where: Where | None = None
) -> list[Annotation]:
    """An annotation in degrees within ±180°, in one or more; none when it goes around a pole.

    `taken` are the ids of the sample's annotations; a line in pieces gets more of them. What is
    rejected and what is added is counted, `where` is its place.
    """
    value: Any = annotation.value
    place = where or Where(sample=key, annotation=annotation.id)
    kind = geometry_word(annotation)
    try:
        pieces, shown = _pieces(value)
    except seams.AroundPoleError:
        found = f"a {kind} around a pole, which has no form in longitude and latitude, found"
        report.reject(codes.SHAPE_INVALID, place, msgspec.json.encode(annotation), found=found)
        return []
    count = len(pieces)
    if shown:
        report.add(codes.SEAM_CUT, place, kind=kind, count=shown)
    if count == 1:
        return [msgspec.structs.replace(annotation, value=pieces[0])]
    report.ledger.annotations.read += count - 1
    names: list[str] = []
    for number in range(count):
        name = f"{annotation.id}/{number}"
        while name in taken:
            name += "'"
        taken.add(name)
        names.append(name)
    return [
        msgspec.structs.replace(annotation, id=name, value=piece)
        for name, piece in zip(names, pieces, strict=True)
    ]


def _pieces(value: Any) -> tuple[list[Any], int]:
    """A shape within ±180°, in one piece or more, and what it was cut to: how many pieces, or parts
    of one; 0 where nothing was cut. Raises `AroundPoleError`.

    Points are places of their own, also those of a skeleton: they come back into the world.
    """
    if isinstance(value, Keypoints):
        points = tuple(
            Keypoint(point.name, seams.wrapped(point.x), point.y, point.visible)
            for point in value.points
        )
        if not isinstance(value.outline, (Box, Polygon)):  # none, or pixels
            return [Keypoints(points, value.outline)], 0
        (outline,), shown = _pieces(value.outline)
        return [Keypoints(points, outline if shown else value.outline)], shown
    if isinstance(value, Box):
        value = geometry.box_polygon(value)
    elif isinstance(value, OrientedBox):
        value = Polygon(((geometry.corners(value),),))
    pieces = seams.cut(value)
    first = pieces[0]
    if isinstance(first, Point) or first == value:
        return pieces, 0
    return pieces, len(first.parts) if isinstance(first, Polygon) else len(pieces)
