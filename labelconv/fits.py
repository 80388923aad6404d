"""Whether values can be written as they are: the path that nearly all of them take."""

from __future__ import annotations

from typing import Any

from labelconv.format import Holds
from labelconv.model import (
    Annotation,
    Box,
    Extra,
    Keypoints,
    Mask,
    OnPage,
    OrientedBox,
    Point,
    Polygon,
    Polyline,
    Sample,
    TextSpan,
    TokenSpan,
    Track,
)

_COMPOUND = frozenset({Track, OnPage})
#: Kinds of value that are held or not, whatever is in them.
_SIMPLE = frozenset({Box, Mask, OrientedBox, Point, Polyline, TextSpan, TokenSpan})


def fits(sample: Sample, holds: Holds, own: str) -> bool:
    """Whether a sample can be written as it is.

    `own` begins the names of the extra fields that are the target's own.
    """
    if sample.classifications or sample.relations:
        return False
    if sample.extra and not is_held(sample.extra, holds, own):
        return False
    values = holds.values
    drawn = None if holds.features is None else holds.features.kinds
    for annotation in sample.annotations:
        value: Any = annotation.value
        kind = type(value)
        if (
            (kind in _SIMPLE or (kind is Polygon and len(value.parts) == 1 == len(value.parts[0])))
            and kind in values
            and (drawn is None or kind in drawn.get(annotation.category, values))
            and annotation.confidence is None
            and not annotation.classifications
            and not annotation.extra
        ):  # most annotations; a call for each would cost more than this
            continue
        if not untouched(annotation, holds, own):
            return False
    return True


def is_held(extra: Extra, holds: Holds, own: str) -> bool:
    """Whether all extra fields are written back."""
    if holds.extra != "own":
        return holds.extra == "all"
    for name in extra:  # noqa: SIM110 - a generator costs more
        if not name.startswith(own):
            return False
    return True


def untouched(annotation: Annotation, holds: Holds, own: str) -> bool:
    """Whether an annotation can be written as it is."""
    value: Any = annotation.value
    kind = type(value)
    if kind not in holds.values or kind in _COMPOUND:
        return False
    if holds.features is not None:
        drawn = holds.features.kinds.get(annotation.category)
        if drawn is not None and kind not in drawn:
            return False
    if kind is Keypoints and value.outline is None and holds.outlined:
        return False
    if kind is Keypoints and value.outline is not None:
        value = value.outline
        kind = type(value)
        if kind not in (holds.values if holds.outlines is None else holds.outlines):
            return False
    if kind is Polygon:
        parts = value.parts
        if len(parts) > 1 and not holds.parts:
            return False
        if not holds.holes:
            for part in parts:
                if len(part) > 1:
                    return False
    if annotation.confidence is not None and not holds.confidence:
        return False
    if annotation.classifications:
        return False
    return not annotation.extra or is_held(annotation.extra, holds, own)
