"""Masks of a raster as polygons of the map that it lies on."""

from __future__ import annotations

from typing import Any

import msgspec

from labelconv import codes
from labelconv.crs.affine import Affine
from labelconv.model import Annotation, Keypoints, Mask, Sample
from labelconv.problems import Report, Where


def unmasked(
    sample: Sample, affine: Affine | None, *, keep: bool, report: Report
) -> list[Annotation]:
    """The annotations of a sample with polygons for masks, whose pixels lie as `affine` says.

    With `keep` they stay masks. One without pixels, or without an affine map, is rejected.
    """
    annotations = list(sample.annotations)
    kinds = {type(annotation.value) for annotation in annotations}
    if keep or not kinds & {Mask, Keypoints}:
        return annotations
    from labelconv.crs.rasters import mask_polygon

    out: list[Annotation] = []
    for annotation in annotations:
        value: Any = annotation.value
        if not _masked(value):
            out.append(annotation)
            continue
        place = Where(sample=sample.key, annotation=annotation.id)
        mask = value if isinstance(value, Mask) else value.outline
        outline = None if affine is None else mask_polygon(mask, affine)
        if outline is None:
            found = "a mask without an affine map" if affine is None else "an empty mask"
            report.reject(codes.SHAPE_INVALID, place, msgspec.json.encode(annotation), found=found)
            continue
        report.add(codes.SHAPE_RESPELLED, place, source="mask", result="polygon")
        drawn = Keypoints(value.points, outline) if isinstance(value, Keypoints) else outline
        out.append(msgspec.structs.replace(annotation, value=drawn))
    return out


def _masked(value: Any) -> bool:
    return isinstance(value, Mask) or (
        isinstance(value, Keypoints) and isinstance(value.outline, Mask)
    )
