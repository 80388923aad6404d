"""Rows as they are written: fractions of the picture, in fixed-point numbers, never `%g`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from labelconv.fractions import of_box, of_corners, of_ring
from labelconv.model import Annotation, Box
from labelconv.tasks import Classes


def row_maker(task: str, classes: Classes) -> Callable[[Annotation, float, float, int], str]:
    """What makes the row of an annotation (without its end) of a picture's size, to so many
    digits."""
    return {
        "detect": _box_rows,
        "segment": _polygon_rows,
        "obb": _corner_rows,
        "pose": _pose_rows,
    }[task](classes)


def _text(numbers: tuple[float, ...], precision: int) -> str:
    return f" %.{precision}f" * len(numbers) % numbers


def _box_rows(classes: Classes) -> Callable[[Annotation, float, float, int], str]:
    numbers = classes.numbers
    templates: dict[int, str] = {}

    def row(annotation: Annotation, width: float, height: float, precision: int) -> str:
        box: Any = annotation.value
        x0, y0, x1, y1 = box.x0, box.y0, box.x1, box.y1
        number = numbers.get(annotation.category)
        if number is None:
            number = classes.number(annotation.category)
        template = templates.get(precision)
        if template is None:
            template = templates[precision] = "%d" + f" %.{precision}f" * 4
        return template % (
            number,
            (x0 + x1) / 2 / width,
            (y0 + y1) / 2 / height,
            (x1 - x0) / width,
            (y1 - y0) / height,
        )

    return row


def _polygon_rows(classes: Classes) -> Callable[[Annotation, float, float, int], str]:
    def row(annotation: Annotation, width: float, height: float, precision: int) -> str:
        polygon: Any = annotation.value
        numbers = of_ring(polygon.parts[0][0], width, height)
        return f"{classes.number(annotation.category)}{_text(numbers, precision)}"

    return row


def _corner_rows(classes: Classes) -> Callable[[Annotation, float, float, int], str]:
    def row(annotation: Annotation, width: float, height: float, precision: int) -> str:
        value: Any = annotation.value
        numbers = of_corners(value, width, height)
        return f"{classes.number(annotation.category)}{_text(numbers, precision)}"

    return row


def _pose_rows(classes: Classes) -> Callable[[Annotation, float, float, int], str]:
    def row(annotation: Annotation, width: float, height: float, precision: int) -> str:
        value: Any = annotation.value
        number = classes.number(annotation.category)
        if isinstance(value, Box):
            numbers = of_box(value, width, height)
            return f"{number}{_text(numbers, precision)}{' 0 0 0' * classes.width}"
        places = classes.places(annotation.category, value)
        points = [" 0 0 0"] * classes.width
        for place, point in zip(places, value.points, strict=True):
            position = _text((point.x / width, point.y / height), precision)
            points[place] = f"{position} {2 if point.visible else 1}"
        numbers = of_box(value.outline, width, height)
        return f"{number}{_text(numbers, precision)}{''.join(points)}"

    return row


def widened(rows: bytes, width: int) -> bytes:
    """Pose rows with places for so many keypoints; those added are not labelled."""
    lines = []
    for row in rows.splitlines():
        words = row.split()
        behind = (len(words) - 5) % 3  # the confidence, if there is one
        end = len(words) - behind
        missing = width - (end - 5) // 3
        lines.append(b" ".join((*words[:end], *[b"0"] * (3 * missing), *words[end:])) + b"\n")
    return b"".join(lines)
