"""Masks as the devkit's palette PNGs: SegmentationObject, SegmentationClass and the label map."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import msgspec

from labelconv import codes, geometry, masks
from labelconv.corrections import correct
from labelconv.formats.voc.files import SEGMENTATION
from labelconv.formats.voc.palette import VOID, colour_of, label_map
from labelconv.model import Annotation, Mask, Sample
from labelconv.problems import Report, Where

#: Numbers of objects and indexes of classes: 0 is background, 255 void.
_MOST = VOID - 1


class Painter:
    """Paints the masks of one sample after another. `names` are the classes from index 1 up."""

    def __init__(self, target: Path, names: list[str], report: Report) -> None:
        self._folders = [target / name for name in SEGMENTATION]
        for folder in self._folders:
            folder.mkdir()
        self._label_map = target / "labelmap.txt"
        self._names = names
        self._index = {name: number for number, name in enumerate(names, 1)}
        self._report = report
        self._palette = [value for index in range(256) for value in colour_of(index)]

    def paint(
        self, sample: Sample, objects: list[Annotation], stem: str
    ) -> dict[str, Annotation] | None:
        """Write the PNGs of a picture whose XML file has these objects, in this order.

        Returns the annotations whose masks could not be painted as they are, by id: as boxes; or
        None where no mask was painted. Where masks overlap, the smaller one is seen, and the
        others' loss is told and measured.
        """
        import numpy as np

        size = self._size(sample, objects)
        changed: dict[str, Annotation] = {}
        layers: list[tuple[int, int, Annotation, Any]] = []
        for number, annotation in enumerate(objects, 1):
            mask: Any = annotation.value
            if type(mask) is not Mask:
                continue
            index = self._index_of(annotation.category)
            if mask.size != size or number > _MOST or index > _MOST:
                changed[annotation.id] = self._as_box(sample.key, annotation)
                continue
            layers.append((number, index, annotation, masks.to_array(mask) != 0))
        if not layers:
            return changed or None
        numbers = np.zeros(size, dtype=np.uint8)
        classes = np.zeros(size, dtype=np.uint8)
        for number, index, _, pixels in sorted(layers, key=lambda layer: -int(layer[3].sum())):
            numbers[pixels] = number
            classes[pixels] = index
        for number, _, annotation, pixels in layers:
            left, whole = int((numbers == number).sum()), int(pixels.sum())
            if left == 0:
                changed[annotation.id] = self._as_box(sample.key, annotation)
            elif left < whole:
                self._tell(sample.key, annotation, "mask without what others cover", left / whole)
        for folder, values in zip(self._folders, (numbers, classes), strict=True):
            path = folder / f"{stem}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(self._png(values))
        return changed

    def finish(self) -> None:
        self._label_map.write_text(label_map(self._names[:_MOST]), encoding="utf-8", newline="\n")

    def _size(self, sample: Sample, objects: list[Annotation]) -> tuple[int, int]:
        """(height, width) of the PNGs: the picture's, or the first mask's where it is not known."""
        media: Any = sample.media
        if media.width and media.height:
            return round(media.height), round(media.width)
        return next(each.value.size for each in objects if isinstance(each.value, Mask))

    def _index_of(self, category: str) -> int:
        index = self._index.get(category)
        if index is None:
            self._names.append(category)
            index = self._index[category] = len(self._names)
        return index

    def _as_box(self, key: str, annotation: Annotation) -> Annotation:
        mask: Any = annotation.value  # nothing else is painted
        box = geometry.bounds(mask)
        assert box is not None  # empty masks are left out before
        self._tell(key, annotation, "box", geometry.iou(mask, box))
        return msgspec.structs.replace(annotation, value=box)

    def _tell(self, key: str, annotation: Annotation, result: str, iou: float) -> None:
        place = Where(sample=key, annotation=annotation.id)
        self._report.add(codes.SHAPE_LOWERED, place, source="mask", result=result)
        self._report.measure(codes.SHAPE_LOWERED, "iou", iou, place)
        correct(self._report, key, annotation.id, "lost")

    def _png(self, values: Any) -> bytes:
        from PIL import Image

        picture = Image.fromarray(values)
        picture.putpalette(self._palette)
        data = io.BytesIO()
        picture.save(data, format="PNG", compress_level=3)
        return data.getvalue()
