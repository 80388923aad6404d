"""Options of the Pascal VOC reader and writer."""

from __future__ import annotations

from typing import Literal

import msgspec


class VocReaderOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Options of the Pascal VOC reader (`-O key=value`).

    - `origin`: pixels of boxes are counted from 1 and inclusive (`one`, as the devkit does), are
      edges counted from 0 (`zero`, as most tools write), or it is found out (`auto`).
    - `set`: only what this list of ImageSets names: `train`, or with its folder `Layout/train`.
    - `flags`: pose, truncated, difficult and occluded are kept beside the annotation (`extra`), or
      are answers about it (`classifications`).
    - `attributes`: values of `<attribute>` are chosen options (`radio`), or texts (`text`).
    - `parts`: `<part>` (head, hand, foot) is an annotation that names its object in
      `voc:part_of` (`extra`), or by a relation `part of` (`relation`), or is left out (`skip`).
    - `masks`: `read` SegmentationObject and SegmentationClass where there are any, or `skip` them.
    - `images`: pictures that have an annotation file (`labelled`), or all of JPEGImages (`all`).
    """

    origin: Literal["auto", "one", "zero"] = "auto"
    set: str | None = None
    flags: Literal["extra", "classifications"] = "extra"
    attributes: Literal["radio", "text"] = "radio"
    parts: Literal["extra", "relation", "skip"] = "extra"
    masks: Literal["read", "skip"] = "read"
    images: Literal["labelled", "all"] = "labelled"


class VocWriterOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Options of the Pascal VOC writer (`-W key=value`).

    - `origin`: count pixels of boxes from 1, inclusive, as the devkit does (`one`), or write edges
      counted from 0 (`zero`).
    - `round`: whole pixels only, as the devkit has them; how far that moves a box is measured.
    - `dialect`: boxes only (`devkit`), or also polygons, rotated boxes and points, as
      RectLabel, Roboflow and roLabelImg write them (`extended`).
    - `masks`: `png` writes SegmentationObject, SegmentationClass and `labelmap.txt`, `none` does
      not, and masks are cut down to what is left.
    - `set`: the name of the list in ImageSets/Main that has all pictures.
    """

    origin: Literal["one", "zero"] = "one"
    round: bool = False
    dialect: Literal["devkit", "extended"] = "devkit"
    masks: Literal["none", "png"] = "none"
    set: str = "trainval"
