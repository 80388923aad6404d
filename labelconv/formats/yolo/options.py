"""Options of the YOLO reader and writer."""

from __future__ import annotations

from typing import Literal

import msgspec


class YoloReaderOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Options of the YOLO reader (`-O key=value`).

    - `task`: what rows mean; found out from `kpt_shape` or from all rows (`auto`) when not given.
    - `columns`: what stands behind the coordinates of predictions: confidence, track id, or both.
    - `names`: the file of class names, where none is beside the labels: a YAML file, or one a line.
    - `split`: reads this split alone, such as `train`; several with commas.
    - `kpt_shape`: keypoints and numbers for each, such as `17x3`, where no data.yaml says it.
    - `duplicates`: rows that stand twice in a file are kept, or left out (`skip`).
    """

    task: Literal["auto", "detect", "segment", "obb", "pose", "classify"] = "auto"
    columns: Literal["auto", "none", "conf", "track", "conf+track"] = "auto"
    names: str | None = None
    split: str | None = None
    kpt_shape: str | None = None
    duplicates: Literal["keep", "skip"] = "keep"


class YoloWriterOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Options of the YOLO writer (`-W key=value`).

    - `task`: which kind of labels; chosen by a look at the first samples when not given.
    - `split`: the split of samples that say none.
    - `images`: pictures are only listed (`refer`), linked or copied into the folder; linked when
      their folder is given (`auto`).
    - `media`: the folder of the pictures; `--media` gives it as well.
    - `confidence`: writes the confidence behind the coordinates, as predictions have it.
    - `parts`: the parts of a polygon are joined to one outline, become objects of their own
      (`split`), or only the `largest` stays.
    - `holes`: holes are joined to the outline by a cut of no width, or filled.
    """

    task: Literal["auto", "detect", "segment", "obb", "pose", "classify"] = "auto"
    split: str = "train"
    images: Literal["auto", "refer", "link", "copy"] = "auto"
    media: str | None = None
    confidence: bool = False
    parts: Literal["join", "split", "largest"] = "join"
    holes: Literal["join", "fill"] = "join"
