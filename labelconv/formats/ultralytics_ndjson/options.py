"""Options of the Ultralytics NDJSON reader and writer, and the names of members."""

from __future__ import annotations

from typing import Literal

import msgspec

NAME = "ultralytics-ndjson"
#: The member of `annotations` that has the labels of a task.
MEMBERS = {"detect": "boxes", "segment": "segments", "obb": "obb", "pose": "pose"}
CLASSIFY = "classification"


class UltralyticsNdjsonReaderOptions(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True
):
    """Options of the reader (`-O key=value`).

    - `split`: reads the pictures of this split alone; the others are counted as skipped.
    """

    split: str | None = None


class UltralyticsNdjsonWriterOptions(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True
):
    """Options of the writer (`-W key=value`).

    - `task`: which kind of labels; chosen by a look at the first samples when not given.
    - `split`: the split of samples that say none.
    - `parts`: the parts of a polygon are joined to one outline, become objects of their own
      (`split`), or only the `largest` stays.
    - `holes`: holes are joined to the outline by a cut of no width, or filled.
    """

    task: Literal["auto", "detect", "segment", "obb", "pose", "classify"] = "auto"
    split: Literal["train", "val", "test"] = "train"
    parts: Literal["join", "split", "largest"] = "join"
    holes: Literal["join", "fill"] = "join"
