"""Composite masks: one coloured PNG for a data row, each instance a colour of its own."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import msgspec

from labelconv import masks
from labelconv.identity import Names
from labelconv.model import Annotation, Mask

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class ColouredMask(msgspec.Struct):
    """The wire form: where the PNG is, and which colour is this instance."""

    instanceURI: str
    colorRGB: tuple[int, int, int]


class Composites:
    """Writes the PNGs of a run into a folder.

    Instances that overlap cannot share a picture, so each goes into the first picture of its data
    row where it covers no other; most rows need one picture.
    """

    def __init__(self, folder: Path, url: str) -> None:
        self._folder = folder
        self._url = url if not url or url.endswith("/") else url + "/"
        self._names = Names()

    def add(self, key: str, annotations: Iterable[Annotation]) -> dict[str, object]:
        """Write the pictures of one data row; the mask payload of each annotation by its id."""
        import numpy as np

        layers: list[NDArray[np.uint8]] = []
        counts: list[int] = []
        placed: dict[str, object] = {}
        for annotation in annotations:
            if not isinstance(annotation.value, Mask):
                continue
            pixels = masks.to_array(annotation.value).astype(bool)
            number = next(
                (
                    n
                    for n, layer in enumerate(layers)
                    if layer.shape[:2] == pixels.shape and not layer[pixels].any()
                ),
                len(layers),
            )
            if number == len(layers):
                layers.append(np.zeros((*pixels.shape, 3), dtype=np.uint8))
                counts.append(0)
            counts[number] += 1
            colour = _colour(counts[number])
            layers[number][pixels] = colour
            name = quote(f"{self._names.uuid(key, f'masks {number}')}.png")
            placed[annotation.id] = ColouredMask(self._url + name, colour)
        if layers:
            self._folder.mkdir(exist_ok=True)
        for number, layer in enumerate(layers):
            name = f"{self._names.uuid(key, f'masks {number}')}.png"
            (self._folder / name).write_bytes(masks.colours_to_png(layer))
        return placed


def _colour(number: int) -> tuple[int, int, int]:
    """The colour of the n-th instance, n from 1; never black, all different up to 16 million."""
    # Multiplying by an odd number permutes the 24-bit numbers, so neighbours look different.
    mixed = (number * 0x9E3779B1) & 0xFFFFFF
    return mixed >> 16, (mixed >> 8) & 255, mixed & 255
