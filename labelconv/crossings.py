"""Annotations across the antimeridian: cut there, with what is told and counted."""

from __future__ import annotations

from typing import Any

import msgspec

from labelconv import codes, geometry
from labelconv.crs import seams
from labelconv.model import Annotation, Box, OrientedBox, Point, Polygon, Polyline
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
    if isinstance(value, Box):
        value = geometry.box_polygon(value)
    elif isinstance(value, OrientedBox):
        value = Polygon(((geometry.corners(value),),))
    elif not isinstance(value, (Point, Polyline, Polygon)):
        return [annotation]  # skeletons: each point is a place of its own
    try:
        pieces = seams.cut(value)
    except seams.AroundPoleError:
        found = f"a {kind} around a pole, which has no form in longitude and latitude, found"
        report.reject(codes.SHAPE_INVALID, place, msgspec.json.encode(annotation), found=found)
        return []
    count = len(pieces)
    first = pieces[0]
    shown = len(first.parts) if isinstance(first, Polygon) else count
    if not isinstance(first, Point) and first != value:
        report.add(codes.SEAM_CUT, place, kind=kind, count=shown)
    if count == 1:
        return [msgspec.structs.replace(annotation, value=first)]
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
