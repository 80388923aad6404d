"""Options of the COCO reader and writer."""

from __future__ import annotations

from typing import Literal

import msgspec


class CocoReaderOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Options of the COCO reader (`-O key=value`).

    - `shape`: which outline is read: the most exact (`auto`), boxes only (`box`, polygons stay
      undecoded), polygons (masks are traced), or masks (polygons are drawn, sizes needed).
    - `crowd`: `keep` crowd regions as annotations, or `skip` and count them.
    - `class_key`: the field of a category that names the class, such as `synset` in LVIS.
    - `categories`: for results lists: the ground-truth file with `categories` (and `images`).
    - `segments`: for panoptic files: the folder of the PNGs.
    - `caption`: the name of the question that captions answer.
    - `documents`: pictures are pictures (`none`), or pages of documents, with boxes in points: a
      document for each page (`pages`), or all pages of one together (`whole`).
    """

    shape: Literal["auto", "box", "polygon", "mask"] = "auto"
    crowd: Literal["keep", "skip"] = "keep"
    class_key: str = "name"
    categories: str | None = None
    segments: str | None = None
    caption: str = "caption"
    documents: Literal["none", "pages", "whole"] = "none"


class CocoWriterOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Options of the COCO writer (`-W key=value`).

    - `task`: a ground truth (`auto`), or a results list (`results`), as detectors write it.
    - `rle`: masks as COCO's text (`compressed`), or as lists of run lengths (`uncompressed`).
      Results are always compressed: pycocotools takes nothing else there.
    - `score`: what results say where there is no confidence; left out when not given.
    """

    task: Literal["auto", "results"] = "auto"
    rle: Literal["compressed", "uncompressed"] = "compressed"
    score: float | None = None
