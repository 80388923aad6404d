"""Options of the COCO video reader."""

from __future__ import annotations

from typing import Literal

import msgspec


class CocoVideoReaderOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Options of the COCO video reader (`-O key=value`).

    - `shape`: the most exact outline of each frame (`auto`), or boxes only (`box`).
    - `attributes`: `occluded`, `truncated`, `visibility` and the like of each frame: kept as
      `extra` (where the target takes it), as an `answer` on keyframes, or `none`.
    - `gap`: frames of one track that are further apart than this are two segments; without it,
      those that are two usual steps between frames of the video apart.
    - `categories`: for results lists: the file with `videos` and `categories`.
    - `start`: the frame of the uploaded video, counted from 0, that is frame 0 of the source.
    - `stride`: how many frames of the uploaded video one frame of the source stands for.
    - `fps`: instead of `stride`, the frame rates of source and uploaded video, such as `5:30`.
    """

    shape: Literal["auto", "box"] = "auto"
    attributes: Literal["extra", "answer", "none"] = "extra"
    gap: int | None = None
    categories: str | None = None
    start: int = 0
    stride: int = 1
    fps: str | None = None
