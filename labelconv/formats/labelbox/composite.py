"""Composite masks: coloured PNGs for a data row, each instance a colour of its own."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import msgspec
from msgspec import Raw

from labelconv import masks
from labelconv.formats.labelbox.names import ascii_text
from labelconv.identity import Names
from labelconv.model import Mask

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class ColouredMask(msgspec.Struct):
    """The wire form: where the PNG is, and which colour is this instance."""

    instanceURI: Raw
    colorRGB: tuple[int, int, int]


class Composites:
    """Draws the masks of one data row after the other, and writes the PNGs into a folder.

    Instances that overlap cannot share a picture, so each goes into the first picture of its data
    row where it covers no other; most rows need one picture.
    """

    def __init__(self, folder: Path, url: str) -> None:
        self._folder = folder
        self._url = url if not url or url.endswith("/") else url + "/"
        self._names = Names()
        self._pictures: list[NDArray[np.uint8]] = []
        self._counts: list[int] = []

    def place(self, key: str, mask: Mask) -> Any:
        """Draw a mask of the data row `key`; its payload."""
        import numpy as np

        pixels = masks.to_array(mask).astype(bool)
        if not pixels.any():
            # A colour that is nowhere in the picture is refused, so this one stands by itself.
            return {"png": masks.png_base64(mask)}
        number = next(
            (
                n
                for n, picture in enumerate(self._pictures)
                if picture.shape[:2] == pixels.shape and not picture[pixels].any()
            ),
            len(self._pictures),
        )
        if number == len(self._pictures):
            self._pictures.append(np.zeros((*pixels.shape, 3), dtype=np.uint8))
            self._counts.append(0)
        self._counts[number] += 1
        chosen = colour(self._counts[number])
        self._pictures[number][pixels] = chosen
        return ColouredMask(ascii_text(self._url + quote(self._name(key, number))), chosen)

    def finish(self, key: str) -> None:
        """Write the pictures of the data row `key`."""
        if self._pictures:
            self._folder.mkdir(exist_ok=True)
        for number, picture in enumerate(self._pictures):
            (self._folder / self._name(key, number)).write_bytes(masks.colours_to_png(picture))
        self._pictures, self._counts = [], []

    def put(self, key: str, name: str, png: bytes) -> Raw:
        """Write a picture of the data row `key`; its address as JSON."""
        self._folder.mkdir(exist_ok=True)
        file = f"{self._names.uuid(key, f'masks {name}')}.png"
        (self._folder / file).write_bytes(png)
        return ascii_text(self._url + quote(file))

    def _name(self, key: str, number: int) -> str:
        return f"{self._names.uuid(key, f'masks {number}')}.png"


def colour(number: int) -> tuple[int, int, int]:
    """The colour of the n-th instance, n from 1; never black, all different up to 16 million."""
    # Multiplying by an odd number permutes the 24-bit numbers, so neighbours look different.
    mixed = (number * 0x9E3779B1) & 0xFFFFFF
    return mixed >> 16, (mixed >> 8) & 255, mixed & 255
