"""SegmentationObject and SegmentationClass: palette PNGs as masks.

A pixel of SegmentationObject is the number of an object, counted from 1 in the order of the XML
file; a pixel of SegmentationClass the index of a class; 0 is background, 255 void (VOC2012 devkit,
section 4). PNGs with a palette and grey ones are read as indices. Those in colours are read by the
label map, and the numbers of objects by the devkit's palette.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from labelconv import codes, masks
from labelconv.formats.voc.files import SEGMENTATION, Root
from labelconv.formats.voc.palette import INDEX_OF, VOID, Colour, Labels, read_labels
from labelconv.io import walk
from labelconv.masks import MaskError
from labelconv.model import Mask
from labelconv.problems import Code
from labelconv.spelling import stem_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

#: A problem: file, code, what fills its sentence.
Trouble = tuple[str, Code, dict[str, object]]


class Segment(msgspec.Struct, frozen=True):
    """The pixels of object `number` (None where only classes are known) of a class (None where
    only objects are)."""

    number: int | None
    category: str | None
    mask: Mask


class Segmentation:
    """The PNGs of a root; listed when first asked for."""

    def __init__(self, root: Root) -> None:
        self._folder = root.devkit
        self._objects: dict[str, Path] = {}
        self._classes: dict[str, Path] = {}
        self._labels: Labels | None = None
        if root.devkit is not None:
            self._objects, self._classes = (_pngs(root.devkit / name) for name in SEGMENTATION)

    @property
    def found(self) -> bool:
        return bool(self._objects or self._classes)

    @property
    def labels(self) -> Labels:
        if self._labels is None:
            assert self._folder is not None
            self._labels = read_labels(self._folder)
        return self._labels

    def has(self, stem: str) -> bool:
        return stem in self._objects or stem in self._classes

    def segments(self, stem: str) -> tuple[list[Segment], list[Trouble]]:
        """The segments of a picture, objects in order of their numbers, else classes."""
        import numpy as np

        troubles: list[Trouble] = []
        objects = self._pixels(self._objects.get(stem), troubles)
        classes = self._pixels(self._classes.get(stem), troubles)
        if objects is None and classes is None:
            return [], troubles
        named = None if classes is None else _Classes(classes, self.labels)
        if objects is not None and named is not None and not _same_size(objects, named, troubles):
            return [], troubles
        found: list[Segment] = []
        if objects is None:
            assert named is not None
            for value in np.unique(named.values).tolist():
                self._of_class(named, value, found, troubles)
            return found, troubles
        numbers = _numbers(objects, troubles)
        for value in np.unique(numbers).tolist():
            if value in (0, VOID):
                continue
            pixels = numbers == value
            category = None
            if named is not None:
                category = named.most_common(pixels)
                if category is None:
                    troubles.append(_unnamed(objects.name, value, named.name))
                    continue
            found.append(Segment(value, category, masks.from_array(pixels)))
        return found, troubles

    def _of_class(
        self, named: _Classes, value: int, found: list[Segment], troubles: list[Trouble]
    ) -> None:
        known, category = named.name_of(value)
        if not known:
            values: dict[str, object] = {
                "field": "class",
                "value": named.spelled(value),
                "known": self.labels.name,
            }
            troubles.append((named.name, codes.REFERENCE_DANGLING, values))
        elif category is not None:
            mask = masks.from_array(named.values == value)
            found.append(Segment(None, category, mask))

    def _pixels(self, path: Path | None, troubles: list[Trouble]) -> Pixels | None:
        if path is None:
            return None
        try:
            return read_pixels(path)
        except MaskError as error:
            values: dict[str, object] = {"expected": "a PNG of indices", "found": str(error)}
            troubles.append((str(path), codes.RECORD_MALFORMED, values))
            return None


class Pixels(msgspec.Struct, frozen=True):
    """A PNG: `values` (height, width), uint8 indices, or uint32 colours as 0xRRGGBB where
    `coloured`; `palette` has the colours of indices, if there is one."""

    name: str
    values: Any
    coloured: bool
    palette: tuple[Colour, ...] = ()


def read_pixels(path: Path) -> Pixels:
    """The indices or colours of a PNG. Raises `MaskError`."""
    import numpy as np
    from PIL import Image

    try:
        with Image.open(path, formats=["PNG"]) as picture:
            if picture.mode in ("P", "L", "1"):
                values = np.asarray(picture, dtype=np.uint8)
                given = picture.getpalette() if picture.mode == "P" else None
                flat = given or []
                palette = tuple(zip(flat[::3], flat[1::3], flat[2::3], strict=False))
                return Pixels(str(path), values, False, palette)
            colours = np.asarray(picture.convert("RGB"), dtype=np.uint32)
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise MaskError(f"{path.name}: {error}") from error
    packed = colours[..., 0] << 16 | colours[..., 1] << 8 | colours[..., 2]
    return Pixels(str(path), packed, True)


class _Classes:
    """The pixels of SegmentationClass with the names that they stand for."""

    def __init__(self, pixels: Pixels, labels: Labels) -> None:
        self.name = pixels.name
        self.values: NDArray[Any] = pixels.values
        self._coloured = pixels.coloured
        self._palette = pixels.palette
        self._labels = labels
        self._by_palette = bool(pixels.palette) and labels.name.endswith(".txt")

    def name_of(self, value: int) -> tuple[bool, str | None]:
        """(whether the value is known, its class, None for background and void).

        With a label map, the palette's colour says more than the index, which the map does not
        state; without one, and for grey pictures, the index is all there is.
        """
        if self._coloured:
            colour = (value >> 16, value >> 8 & 255, value & 255)
            return colour in self._labels.by_colour, self._labels.by_colour.get(colour)
        if self._by_palette and value < len(self._palette):
            colour = self._palette[value]
            if colour in self._labels.by_colour:
                return True, self._labels.by_colour[colour]
        return value in self._labels.by_index, self._labels.by_index.get(value)

    def most_common(self, pixels: NDArray[np.bool_]) -> str | None:
        """The class that most of these pixels have."""
        import numpy as np

        values, counts = np.unique(self.values[pixels], return_counts=True)
        for position in np.argsort(-counts, kind="stable").tolist():
            category = self.name_of(int(values[position]))[1]
            if category is not None:
                return category
        return None

    def spelled(self, value: int) -> str:
        return f"of colour #{value:06x}" if self._coloured else str(value)


def _numbers(objects: Pixels, troubles: list[Trouble]) -> NDArray[Any]:
    """Numbers of objects, colours by the devkit's palette; others than those are left out."""
    import numpy as np

    if not objects.coloured:
        values: NDArray[Any] = objects.values
        return values
    numbers = np.zeros(objects.values.shape, dtype=np.uint8)
    for packed in np.unique(objects.values).tolist():
        index = INDEX_OF.get((packed >> 16, packed >> 8 & 255, packed & 255))
        if index is None:
            known = "colours of VOC's palette"
            values_: dict[str, object] = {
                "field": "colour",
                "value": f"#{packed:06x}",
                "known": known,
            }
            troubles.append((objects.name, codes.REFERENCE_DANGLING, values_))
            continue
        numbers[objects.values == packed] = index
    return numbers


def _same_size(objects: Pixels, named: _Classes, troubles: list[Trouble]) -> bool:
    if objects.values.shape == named.values.shape:
        return True
    values: dict[str, object] = {
        "expected": _size_in_words(objects.values.shape),
        "found": _size_in_words(named.values.shape),
    }
    troubles.append((named.name, codes.MASK_SIZE_MISMATCH, values))
    return False


def _unnamed(name: str, number: int, classes: str) -> Trouble:
    expected = f"a class for object {number} in {Path(classes).parent.name}"
    return name, codes.RECORD_MALFORMED, {"expected": expected, "found": "background"}


def _size_in_words(shape: tuple[int, ...]) -> str:
    return f"[{shape[0]}, {shape[1]}]"


def _pngs(folder: Path) -> dict[str, Path]:
    if not folder.is_dir():
        return {}
    return {stem_of(path): folder / path for path in walk(folder, (".png",))}
