"""The coordinates of many annotations as one array, so that one call can change them all."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import accumulate
from typing import Any

from labelconv import geometry
from labelconv.crs.edges import ALONE, CLOSED, OPEN
from labelconv.model import (
    Annotation,
    Box,
    Keypoint,
    Keypoints,
    OnPage,
    OrientedBox,
    Point,
    Polygon,
    Polyline,
    Track,
)


class Runs:
    """The coordinates of annotations, gathered: flat numbers, and runs of vertices."""

    def __init__(self, annotations: list[Annotation]) -> None:
        numbers: list[float] = []
        lengths: list[int] = []
        kinds: list[int] = []
        #: How many runs came before each annotation.
        self.starts: Sequence[int] = []
        self.numbers, self.lengths, self.kinds = numbers, lengths, kinds
        #: Whether each annotation is a polygon of one ring, as nearly always.
        self.simple = False
        rings = _rings(annotations)
        if rings is not None:
            self.simple = True
            for ring in rings:
                numbers += ring
            self.lengths = [len(ring) >> 1 for ring in rings]
            self.kinds = [CLOSED] * len(rings)
            self.starts = range(len(rings) + 1)
            return
        starts: list[int] = []
        for annotation in annotations:
            starts.append(len(lengths))
            value: Any = annotation.value
            kind = type(value)
            if kind is Polygon:
                for part in value.parts:
                    for ring in part:
                        numbers += ring
                        lengths.append(len(ring) >> 1)
                        kinds.append(CLOSED)
            else:
                self._gather(value)
        starts.append(len(lengths))
        self.starts = starts

    def _gather(self, value: Any) -> None:
        if isinstance(value, Point):
            self._add((value.x, value.y), ALONE)
        elif isinstance(value, Polyline):
            self._add(value.points, OPEN)
        elif isinstance(value, Box):
            x0, y0, x1, y1 = value.x0, value.y0, value.x1, value.y1
            self._add((x0, y0, x1, y0, x1, y1, x0, y1), CLOSED)
        elif isinstance(value, OrientedBox):
            self._add(geometry.corners(value), CLOSED)
        elif isinstance(value, Polygon):
            for part in value.parts:
                for ring in part:
                    self._add(ring, CLOSED)
        elif isinstance(value, Keypoints):
            for point in value.points:
                self._add((point.x, point.y), ALONE)
            if value.outline is not None:
                self._gather(value.outline)

    def _add(self, numbers: tuple[float, ...], kind: int) -> None:
        self.numbers += numbers
        self.lengths.append(len(numbers) >> 1)
        self.kinds.append(kind)

    def array(self) -> Any:
        """The vertices, (N, 2)."""
        import numpy as np

        return np.array(self.numbers, dtype=np.float64).reshape(-1, 2)

    def owner_of(self, run: int) -> int:
        """The index of the annotation that a run belongs to."""
        import bisect

        return bisect.bisect_right(self.starts, run) - 1

    def owners(self, chosen: Any) -> set[int]:
        """The indexes of the annotations that own the chosen vertices, (N,) of bool."""
        import numpy as np

        ends = np.cumsum(self.lengths)
        runs = np.unique(np.searchsorted(ends, np.flatnonzero(chosen), side="right"))
        # Annotations without coordinates have no runs: the last one that starts there owns it.
        return set(np.searchsorted(self.starts[:-1], runs, side="right") - 1)

    def vertices_of(self, index: int) -> Any:
        """A slice of the vertices of an annotation."""
        first = sum(self.lengths[: self.starts[index]])
        count = sum(self.lengths[self.starts[index] : self.starts[index + 1]])
        return slice(first, first + count)


def _rings(annotations: list[Annotation]) -> list[tuple[float, ...]] | None:
    """The ring of each annotation where all are polygons of one ring."""
    rings = []
    for annotation in annotations:
        value: Any = annotation.value
        if type(value) is not Polygon:
            return None
        parts = value.parts
        if len(parts) != 1 or len(parts[0]) != 1:
            return None
        rings.append(parts[0][0])
    return rings


def moved_annotations(
    annotations: list[Annotation],
    runs: Runs,
    numbers: list[float],
    boxed: Callable[[tuple[float, ...], Any, Annotation], Box | Polygon],
    change: Callable[[Any], Any],
) -> list[Annotation]:
    """The annotations with other coordinates: `numbers` in runs of `runs.lengths` vertices.

    `boxed` makes the shape of what was a box of its ring; `change` moves what has no runs, which
    are tracks and shapes on pages.
    """
    if runs.simple:
        return _moved_rings(annotations, runs, tuple(numbers))
    out: list[Annotation] = []
    lengths = iter(runs.lengths)
    at = 0

    def run() -> tuple[float, ...]:
        nonlocal at
        start, at = at, at + 2 * next(lengths)
        return tuple(numbers[start:at])

    for annotation in annotations:
        value: Any = annotation.value
        kind = type(value)
        if kind is Polygon:
            value = Polygon(tuple(tuple(run() for _ in part) for part in value.parts))
        elif kind is Point:
            value = Point(*run())
        elif kind is Polyline:
            value = Polyline(run())
        elif kind is Box or kind is OrientedBox:
            value = boxed(run(), value, annotation)
        elif kind is Keypoints:
            points = tuple(_keypoint(point, run()) for point in value.points)
            outline = value.outline
            if isinstance(outline, Box):
                outline = boxed(run(), outline, annotation)
            elif isinstance(outline, Polygon):
                outline = Polygon(tuple(tuple(run() for _ in part) for part in outline.parts))
            value = Keypoints(points, outline)
        elif kind is Track or kind is OnPage:
            value = geometry.map_xy(value, change)
        out.append(
            Annotation(
                annotation.id,
                annotation.category,
                value,
                annotation.classifications,
                annotation.confidence,
                annotation.extra,
            )
        )
    return out


def _moved_rings(
    annotations: list[Annotation], runs: Runs, numbers: tuple[float, ...]
) -> list[Annotation]:
    ends = list(accumulate([2 * length for length in runs.lengths], initial=0))
    return [
        Annotation(
            annotation.id,
            annotation.category,
            Polygon(((numbers[start:end],),)),
            annotation.classifications,
            annotation.confidence,
            annotation.extra,
        )
        for annotation, start, end in zip(annotations, ends, ends[1:], strict=False)
    ]


def _keypoint(point: Keypoint, place: tuple[float, ...]) -> Keypoint:
    return Keypoint(point.name, place[0], place[1], point.visible)
