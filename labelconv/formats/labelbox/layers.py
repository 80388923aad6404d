"""Layers of tiles that are no map: what their pixels are counted in.

Leaflet, which Labelbox draws with, counts pixels at zoom 0 (SDK, `_get_simple_image_params`), and
exports were seen that count those of the full resolution: which one a layer has is an option.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import msgspec

from labelconv import geometry
from labelconv.crs.names import PIXEL
from labelconv.errors import OptionError
from labelconv.model import Annotation, Dataset, Sample, Samples, TiledImage


def scaled(dataset: Dataset, scale: float) -> Dataset:
    """The samples with the coordinates of layers in pixels, and their bounds, multiplied.

    Raises `OptionError` for a scale that is none.
    """
    if not 0 < scale < math.inf:
        raise OptionError(f"a scale above 0 expected, {scale:g} found")

    def samples() -> Iterator[Sample]:
        for sample in dataset:
            yield _scaled(sample, scale)

    return Samples(samples, lambda: dataset.ontology, dataset.info)


def _scaled(sample: Sample, scale: float) -> Sample:
    media = sample.media
    if not isinstance(media, TiledImage) or media.crs != PIXEL:
        return sample
    if media.bounds is not None:
        x0, y0, x1, y1 = media.bounds
        bounds = (x0 * scale, y0 * scale, x1 * scale, y1 * scale)
        media = msgspec.structs.replace(media, bounds=bounds)
    annotations = tuple(_annotation(annotation, scale) for annotation in sample.annotations)
    return msgspec.structs.replace(sample, media=media, annotations=annotations)


def _annotation(annotation: Annotation, scale: float) -> Annotation:
    value = geometry.map_xy(annotation.value, lambda places: places * scale)
    return msgspec.structs.replace(annotation, value=value)
