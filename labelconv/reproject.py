"""Samples moved from one CRS to another, or between a map and a picture's pixels.

All coordinates of a sample (or of a piece of one) are changed in one call. Edges get vertices where
they would bend by more than the tolerance; shapes across the antimeridian are cut; what has no
place in the target is rejected. Media and shapes change together.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from labelconv import codes
from labelconv.crossings import cut_at_seam, geometry_word
from labelconv.crs import edges, seams, ways
from labelconv.crs.names import LON_LAT, PIXEL, normal
from labelconv.model import (
    Annotation,
    Box,
    Dataset,
    Image,
    OrientedBox,
    Polygon,
    Sample,
    Samples,
    TiledImage,
)
from labelconv.moved import Moved
from labelconv.problems import Outcome, Report, Where
from labelconv.runs import Runs, moved_annotations
from labelconv.unmasked import unmasked

if TYPE_CHECKING:
    from labelconv.crs.rasters import Rasters

#: What an edge may be off by, in metres on a map and in pixels on a picture.
TOLERANCE = 0.1
#: As a target: the pixels of a picture as `model.Image`, for formats of pictures.
IMAGE = "image"


def reproject(
    target: str,
    *,
    tolerance: float = TOLERANCE,
    boxes: Literal["polygon", "grow"] = "polygon",
    rasters: Rasters | None = None,
) -> Callable[[Dataset, Report], Dataset]:
    """A pass that moves samples to a CRS, to `pixel` (tiled imagery of its own pixels) or `image`.

    `tolerance`: by how much an edge may be off, in metres, or in pixels where these are the target.
    `boxes`: what a box becomes that would not stay one: a polygon, or the box around it.
    `rasters` places pictures on the map and finds the pixels of map samples that do not say
    theirs; without it, pictures and texts pass untouched. Raises `CrsError`.
    """
    asked = target if target == IMAGE else normal(target)

    def change(dataset: Dataset, report: Report) -> Dataset:
        def samples() -> Iterator[Sample]:
            mover = Mover(asked, report, tolerance=tolerance, boxes=boxes, rasters=rasters)
            for sample in dataset:
                moved, outcomes = mover.sample(sample)
                if moved is not None:
                    report.passed = moved.key, outcomes
                    yield moved
            mover.finish()

        return Samples(samples, lambda: dataset.ontology, dataset.info)

    return change


def held(crs: Iterable[str], media: TiledImage) -> str | None:
    """The CRS among those that a format holds that a sample moves to; None if it may stay.

    Longitude and latitude come first, then the others by name.
    """
    known = {normal(name) for name in crs}
    if not known or normal(media.crs) in known:
        return None
    if LON_LAT in known:
        return LON_LAT
    return min(known - {PIXEL}, default=PIXEL)


class Mover:
    """Moves samples, for one run; `finish` tells what was done."""

    def __init__(
        self,
        target: str,
        report: Report,
        *,
        tolerance: float = TOLERANCE,
        boxes: Literal["polygon", "grow"] = "polygon",
        rasters: Rasters | None = None,
    ) -> None:
        self._target = target
        self._report = report
        self._tolerance = tolerance
        self._grow = boxes == "grow"
        self._rasters = rasters
        #: What `finish` tells.
        self.moved = Moved()
        self._known: dict[tuple[str, ...], edges.Known] = {}
        self._refused: set[str] = set()

    def sample(self, sample: Sample) -> tuple[Sample | None, dict[str, Outcome]]:
        """The sample in the target's coordinates, or None if it has no place there; and what became
        of its annotations, by id. A sample that is there already is returned as it is."""
        media = sample.media
        if not isinstance(media, (TiledImage, Image)):
            return sample, {}
        try:
            way = ways.way(sample, self._target, self._rasters)
        except ways.NoWayError as error:
            self._reject(sample, error)
            return None, {}
        if way is None:
            if isinstance(media, TiledImage) and ways.in_degrees(media):
                return self._checked(sample)
            return sample, {}
        annotations, outcomes = self._annotations(sample, way)
        self.moved.count(way, len(annotations))
        moved = msgspec.structs.replace(sample, media=way.media, annotations=tuple(annotations))
        return moved, outcomes

    def finish(self) -> None:
        """Tell what was moved so far (`Moved.tell`), once."""
        unit = "px" if self._target in (PIXEL, IMAGE) else "m"
        self.moved.tell(self._report, self._tolerance, unit)
        self.moved = Moved()

    def _reject(self, sample: Sample, error: ways.NoWayError) -> None:
        ledger = self._report.ledger
        ledger.annotations.rejected += len(sample.annotations)
        ledger.classifications.rejected += len(sample.classifications)
        ledger.relations.rejected += len(sample.relations)
        self._report.reject(
            codes.COORDINATES_OUTSIDE,
            Where(sample=sample.key),
            msgspec.json.encode(sample),
            "samples",
            expected=error.expected,
            found=error.found,
            hint=error.hint,
        )
        if sample.key in self._refused:
            ledger.samples.rejected -= 1  # another piece of a sample that was counted already
        self._refused.add(sample.key)

    # ------------------------------------------------------------------ coordinates

    def _checked(self, sample: Sample) -> tuple[Sample, dict[str, Outcome]]:
        """A sample that is where it should be, in degrees: cut at ±180, without what is beyond a
        pole."""
        import numpy as np

        annotations = list(sample.annotations)
        runs = Runs(annotations)
        xy = runs.array()
        if not len(xy) or (np.abs(xy).max(axis=0) <= (90, 90)).all():
            return sample, {}
        beyond = np.abs(xy[:, 1]) > 90
        across = seams.meets(xy, edges.following(runs.lengths, runs.kinds))
        if not beyond.any() and not across.any():
            return sample, {}
        left_out = runs.owners(beyond) if beyond.any() else set()
        for index in sorted(left_out):
            y = float(
                xy[runs.vertices_of(index), 1][np.abs(xy[runs.vertices_of(index), 1]).argmax()]
            )
            self._report.reject(
                codes.COORDINATES_OUTSIDE,
                Where(sample=sample.key, annotation=annotations[index].id),
                msgspec.json.encode(annotations[index]),
                expected="a latitude from -90 to 90",
                found=f"{y:g}",
                hint="; are x and y swapped?",
            )
        crossing = (runs.owners(across) if across.any() else set()) - left_out
        kept = self._cut(annotations, crossing, sample.key, left_out)
        before = {annotation.id: annotation for annotation in annotations}
        outcomes: dict[str, Outcome] = {
            each.id: "changed" for each in kept if before.get(each.id) is not each
        }
        return msgspec.structs.replace(sample, annotations=tuple(kept)), outcomes

    def _annotations(
        self, sample: Sample, way: ways.Way
    ) -> tuple[list[Annotation], dict[str, Outcome]]:

        annotations: list[Annotation] = unmasked(
            sample, way.affine, keep=way.keeps_pixels, report=self._report
        )
        runs = Runs(annotations)
        xy = runs.array()
        if way.from_degrees and len(xy):
            across = seams.meets(xy, edges.following(runs.lengths, runs.kinds))
            if across.any():
                annotations = self._cut(annotations, runs.owners(across), sample.key)
                runs = Runs(annotations)
                xy = runs.array()
        if not len(xy):
            return annotations, dict.fromkeys([a.id for a in annotations], "changed")
        outcomes: dict[str, Outcome] = dict.fromkeys([a.id for a in annotations], "changed")
        if way.clamps and way.from_degrees:
            xy = self._clamped_degrees(xy, runs, annotations, sample.key, outcomes)
        bent = edges.bend(
            xy,
            runs.lengths,
            runs.kinds,
            way.change,
            self._tolerance,
            way.measure,
            wraps=way.to_degrees,
            known=self._known.setdefault((way.source, *way.joined), edges.Known()),
        )
        if bent.added:
            self._count_added(runs, bent)
            runs.lengths = list(bent.lengths)
        xy = bent.xy
        if way.clamps:
            xy = self._clamped(xy, runs, annotations, sample.key, outcomes)
        left_out = {runs.owner_of(run) for run in bent.refused}
        nowhere = way.nowhere(xy)
        if nowhere.any():
            left_out |= runs.owners(nowhere)
        for index in sorted(left_out):
            self._reject_one(annotations[index], sample.key, way)
        beyond: set[int] | None = None
        if way.to_degrees:
            found = seams.meets(xy, bent.leads)
            beyond = runs.owners(found) if found.any() else None

        def boxed(
            ring: tuple[float, ...], before: Box | OrientedBox, annotation: Annotation
        ) -> Box | Polygon:
            return self._box(ring, before, annotation, sample.key, way, outcomes)

        rebuilt = moved_annotations(annotations, runs, xy.ravel().tolist(), boxed, way.change)
        if beyond is not None:
            rebuilt = self._cut(rebuilt, beyond - left_out, sample.key, left_out)
        elif left_out:
            rebuilt = [each for at, each in enumerate(rebuilt) if at not in left_out]
        if len(rebuilt) != len(outcomes):
            for each in rebuilt:
                outcomes.setdefault(each.id, "changed")
        return rebuilt, outcomes

    def _count_added(self, runs: Runs, bent: edges.Bent) -> None:
        self.moved.added += bent.added
        grown = [at for at, size in enumerate(runs.lengths) if bent.lengths[at] != size]
        self.moved.bent += len({runs.owner_of(at) for at in grown})

    def _clamped(
        self,
        xy: Any,
        runs: Runs,
        annotations: list[Annotation],
        key: str,
        outcomes: dict[str, Outcome],
    ) -> Any:
        import numpy as np

        from labelconv.crs import transform

        clamped, outside = transform.clamp_mercator(xy)
        if not outside.any():
            return xy
        for index in sorted(runs.owners(outside)):
            y = float(np.abs(xy[runs.vertices_of(index), 1]).max())
            latitude = transform.mercator_latitude(y)
            self._tell_clamped(annotations[index], key, latitude, outcomes)
        return clamped

    def _clamped_degrees(
        self,
        xy: Any,
        runs: Runs,
        annotations: list[Annotation],
        key: str,
        outcomes: dict[str, Outcome],
    ) -> Any:
        """Degrees with latitudes that Web Mercator has; an edge to a pole is cut off before it."""
        import numpy as np

        from labelconv.crs.transform import HIGHEST_LATITUDE

        outside = np.abs(xy[:, 1]) > HIGHEST_LATITUDE + 1e-9
        if not outside.any():
            return xy
        for index in sorted(runs.owners(outside)):
            latitude = float(np.abs(xy[runs.vertices_of(index), 1]).max())
            self._tell_clamped(annotations[index], key, latitude, outcomes)
        clamped = xy.copy()
        clamped[:, 1] = np.clip(xy[:, 1], -HIGHEST_LATITUDE, HIGHEST_LATITUDE)
        return clamped

    def _tell_clamped(
        self, annotation: Annotation, key: str, latitude: float, outcomes: dict[str, Outcome]
    ) -> None:
        from labelconv.crs import transform

        place = Where(sample=key, annotation=annotation.id)
        kind = geometry_word(annotation)
        self._report.add(codes.LATITUDE_CLAMPED, place, kind=kind, latitude=latitude)
        drift = (latitude - transform.HIGHEST_LATITUDE) * transform.METRES_A_DEGREE
        self._report.measure(codes.LATITUDE_CLAMPED, "m", drift, place)
        outcomes[annotation.id] = "lost"

    def _reject_one(self, annotation: Annotation, key: str, way: ways.Way) -> None:
        self._report.reject(
            codes.COORDINATES_OUTSIDE,
            Where(sample=key, annotation=annotation.id),
            msgspec.json.encode(annotation),
            expected=f"a place that {way.target} can show",
            found=f"a {geometry_word(annotation)} that it cannot",
            hint="",
        )

    def _cut(
        self,
        annotations: list[Annotation],
        across: set[int],
        key: str,
        left_out: frozenset[int] | set[int] = frozenset(),
    ) -> list[Annotation]:
        """The annotations with those at `across` within ±180°."""
        taken = {annotation.id for annotation in annotations}
        out: list[Annotation] = []
        for index, annotation in enumerate(annotations):
            if index in left_out:
                continue
            if index not in across:
                out.append(annotation)
                continue
            out.extend(cut_at_seam(annotation, key, taken, self._report))
        return out

    # ------------------------------------------------------------------ boxes

    def _box(
        self,
        ring: tuple[float, ...],
        before: Box | OrientedBox,
        annotation: Annotation,
        key: str,
        way: ways.Way,
        outcomes: dict[str, Outcome],
    ) -> Box | Polygon:
        if isinstance(before, OrientedBox):
            return Polygon(((ring,),))
        xs, ys = ring[::2], ring[1::2]
        box = Box(min(xs), min(ys), max(xs), max(ys))
        growth = ways.growth(ring, box, way)
        if growth <= _STILL_A_BOX:
            return box
        if not self._grow:
            return Polygon(((ring,),))
        place = Where(sample=key, annotation=annotation.id)
        self._report.add(codes.BOX_GROWN, place, target=way.target, growth=growth)
        self._report.measure(codes.BOX_GROWN, "m", growth, place)
        outcomes[annotation.id] = "lost"
        return box


#: A box is one as long as its sides are straight to this length (metres or pixels): rounding.
_STILL_A_BOX = 1e-6


__all__ = ["IMAGE", "TOLERANCE", "Mover", "held", "reproject"]
