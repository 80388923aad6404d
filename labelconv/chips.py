"""Labels cut to windows: a grid over each picture or map, or the GeoTIFFs of a folder.

Each window is a sample of its own. What lies on a border is cut there and kept on both sides; the
pieces have the annotation's id, and a share id (`chips:share`) that is the same in all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import msgspec

from labelconv import codes, geometry
from labelconv.crs.names import normal
from labelconv.model import (
    Annotation,
    Classification,
    Dataset,
    Image,
    Keypoints,
    Mask,
    OrientedBox,
    Point,
    Polyline,
    Relation,
    Sample,
    Samples,
    TiledImage,
)
from labelconv.problems import Outcome, Report
from labelconv.windows import Window, grid, in_pixels, of_raster, parse_size

if TYPE_CHECKING:
    from labelconv.crs.rasters import Rasters


def chips(
    windows: tuple[float, float] | Rasters,
    *,
    overlap: float = 0.0,
    smallest: float = 0.0,
    empty: bool = True,
) -> Callable[[Dataset, Report], Dataset]:
    """A pass that cuts samples to windows: of a size, or those of the rasters of a folder.

    `overlap`: of the windows of a grid, in its unit. `smallest`: pieces of an area below it (square
    units of the window's coordinates) that were cut are left out and told (`SLIVER_LEFT_OUT`).
    `empty`: windows without labels are samples too.

    With rasters, labels are moved to each raster's CRS first. A sample is cut whole, so it must not
    come in pieces.
    """

    def change(dataset: Dataset, report: Report) -> Dataset:
        def samples() -> Iterator[Sample]:
            cutter = _Cutter(report, smallest, empty=empty)
            for sample in dataset:
                if not isinstance(sample.media, (Image, TiledImage)):
                    yield sample
                    continue
                yield from cutter.cut(sample, windows, overlap)
            cutter.finish()

        return Samples(samples, lambda: dataset.ontology, dataset.info)

    return change


class _Cutter:
    def __init__(self, report: Report, smallest: float, *, empty: bool) -> None:
        self._report = report
        self._smallest = smallest
        self._empty = empty
        self._shared = self._slivers = self._outside = 0
        #: Annotations of the sample that some sliver was of.
        self._dropped: set[int] = set()
        self._unit = "px"
        self._movers: dict[str, Any] = {}

    def cut(
        self, sample: Sample, windows: tuple[float, float] | Rasters, overlap: float
    ) -> Iterator[Sample]:
        """The samples of the windows that a sample is cut to."""
        if isinstance(windows, tuple):
            yield from self._cut(sample, grid(sample, windows, overlap), {})
            return
        from labelconv.reproject import Mover

        grouped: dict[str, list[Window]] = {}
        for raster in windows.all():
            grouped.setdefault(normal(raster.media.crs), []).append(of_raster(raster))
        first = True
        for crs, some in grouped.items():
            mover = self._movers.get(crs)
            if mover is None:
                mover = self._movers[crs] = Mover(crs, self._report)
            if not first:
                self._read_again(sample)
            first = False
            moved, outcomes = mover.sample(sample)
            if moved is not None:
                yield from self._cut(moved, some, outcomes)

    def _read_again(self, sample: Sample) -> None:
        """Rasters of another CRS see the sample once more."""
        ledger = self._report.ledger
        ledger.samples.read += 1
        ledger.annotations.read += len(sample.annotations)
        ledger.classifications.read += len(sample.classifications)
        ledger.relations.read += len(sample.relations)

    def finish(self) -> None:
        """Tell what is told once."""
        for mover in self._movers.values():
            mover.finish()
        report = self._report
        if self._shared:
            report.add(codes.PIECES_SHARED, count=self._shared)
        if self._slivers:
            report.add(
                codes.SLIVER_LEFT_OUT, count=self._slivers, limit=self._smallest, unit=self._unit
            )
        if self._outside:
            reason = "they lie in no window"
            report.add(codes.SAMPLE_SKIPPED, count=self._outside, reason=reason)

    def _cut(
        self, sample: Sample, windows: list[Window], before: dict[str, Outcome]
    ) -> Iterator[Sample]:
        ledger = self._report.ledger
        if isinstance(sample.media, TiledImage) and not in_pixels(sample.media):
            self._unit = "units of the CRS"
        pieces = self._pieces(sample.annotations, windows)
        times = [0] * len(sample.annotations)
        for found in pieces.values():
            for index, _, _ in found:
                times[index] += 1
        self._shared += sum(count > 1 for count in times)
        nowhere = times.count(0)
        self._outside += nowhere - sum(times[index] == 0 for index in self._dropped)
        ledger.annotations.read += sum(times) - len(times) + nowhere
        ledger.annotations.skipped += nowhere
        given = 0
        related = 0
        for number, window in enumerate(windows):
            found = pieces.get(number, [])
            if not found and not self._empty:
                continue
            given += 1
            made = self._sample(sample, window, found, times, before)
            related += len(made.relations)
            yield made
        ledger.samples.read += given - 1
        ledger.classifications.read += (given - 1) * len(sample.classifications)
        missing = len(sample.relations) - related
        if missing > 0:
            ledger.relations.skipped += missing
        else:
            ledger.relations.read -= missing
        if not given:  # the sample itself is nowhere
            ledger.samples.read += 1
            ledger.samples.skipped += 1
            ledger.classifications.read += len(sample.classifications)
            ledger.classifications.skipped += len(sample.classifications)

    def _sample(
        self,
        sample: Sample,
        window: Window,
        found: list[tuple[int, Any, bool]],
        times: list[int],
        before: dict[str, Outcome],
    ) -> Sample:
        annotations: list[Annotation] = []
        outcomes: dict[str, Outcome] = {}
        used: set[str] = set()
        shifted = window.origin != (0.0, 0.0)
        for index, shape, was_cut in found:
            annotation = sample.annotations[index]
            extra = annotation.extra
            if times[index] > 1:
                extra = {**extra, "chips:share": f"{sample.key}/{annotation.id}"}
            value = _shifted(shape, window.origin) if shifted else shape
            id, number = annotation.id, 0
            while id in used:
                number += 1
                id = f"{annotation.id}/{number}"
            used.add(id)
            if value is not annotation.value or times[index] > 1:
                annotation = Annotation(
                    id,
                    annotation.category,
                    value,
                    annotation.classifications,
                    annotation.confidence,
                    extra,
                )
            annotations.append(annotation)
            outcome = before.get(sample.annotations[index].id)
            if outcome is not None:
                outcomes[id] = outcome
            elif was_cut or shifted:
                outcomes[id] = "changed"
        here = {annotation.id for annotation in annotations}
        relations: tuple[Relation, ...] = tuple(
            each for each in sample.relations if each.source in here and each.target in here
        )
        classifications: tuple[Classification, ...] = sample.classifications
        self._report.passed = window.key, outcomes
        return Sample(
            window.key,
            window.media,
            tuple(annotations),
            classifications,
            relations,
            window.uri,
            sample.key_is_id and window.key == sample.key,
            sample.extra,
        )

    def _pieces(
        self, annotations: tuple[Annotation, ...], windows: list[Window]
    ) -> dict[int, list[tuple[int, Any, bool]]]:
        """For each window the annotations in it: their index, their shape there, whether cut."""
        import numpy as np
        import shapely

        from labelconv.cutting import outlines, piece

        self._dropped = set()
        if not annotations or not windows:
            return {}
        shapes = outlines([annotation.value for annotation in annotations])
        areas = np.array([window.bounds for window in windows])
        boxes = shapely.box(*areas.T)
        for number, window in enumerate(windows):
            if window.outline is not None:
                boxes[number] = window.outline
        tree = shapely.STRtree(shapes)
        of_window, of_shape = tree.query(boxes, predicate="intersects")
        limits = shapely.bounds(shapes)[of_shape]
        inside = (limits[:, :2] >= areas[of_window, :2]).all(axis=1)
        inside &= (limits[:, 2:] <= areas[of_window, 2:]).all(axis=1)
        turned = np.array([window.outline is not None for window in windows])
        inside &= ~turned[of_window]
        inside &= shapely.get_type_id(shapes)[of_shape] != 0  # points on borders are seen to below
        order = np.lexsort((of_shape, of_window))
        of_window, of_shape, inside = of_window[order], of_shape[order], inside[order]
        clipped = np.full(len(order), None, dtype=object)
        border = np.flatnonzero(~inside)
        clipped[border] = shapely.intersection(shapes[of_shape[border]], boxes[of_window[border]])
        sizes = np.zeros(len(order))
        sizes[border] = shapely.area(clipped[border])
        smallest = self._smallest
        out: dict[int, list[tuple[int, Any, bool]]] = {}
        for number, index, whole, size, common in zip(
            of_window.tolist(),
            of_shape.tolist(),
            inside.tolist(),
            sizes.tolist(),
            clipped,
            strict=True,
        ):
            value = annotations[index].value
            if whole:
                out.setdefault(number, []).append((index, value, False))
                continue
            found = piece(value, common, windows[number].bounds, windows[number].closed)
            if size < smallest and not isinstance(value, (Point, Polyline, Keypoints)):
                self._slivers += bool(found)
                self._dropped.add(index)
                continue
            # None for what only touches the border; a line may come in several times.
            cut = len(found) > 1 or found[:1] != [value]
            out.setdefault(number, []).extend((index, shape, cut) for shape in found)
        return out


def _shifted(value: Any, origin: tuple[float, float]) -> Any:
    """A shape with the window's first corner as its origin; a mask was cut out already."""
    import numpy as np

    if isinstance(value, Mask):
        return value
    if isinstance(value, OrientedBox):
        return msgspec.structs.replace(value, x=value.x - origin[0], y=value.y - origin[1])
    return geometry.map_xy(value, lambda xy: xy - np.array(origin))


__all__ = ["Window", "chips", "grid", "of_raster", "parse_size"]
