"""Options of the CVAT video reader and writer."""

from __future__ import annotations

from typing import Literal

import msgspec


class CvatVideoReaderOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Options of the CVAT video reader (`-O key=value`).

    - `occluded`: of each keyframe: an `answer` (true or false) in tracks that are ever occluded,
      kept as `extra` (where the target takes it), or `none`.
    - `interpolated`: frames that CVAT computed: left out for boxes and points, which move on
      straight lines, and kept for other shapes, which do not (`auto`); or always `keep` or `skip`.
    - `frames`: numbers are those of the `video`, as CVAT writes them, or count the frames of the
      `task` alone, for a video made of these.
    - `start`: the frame of the uploaded video, counted from 0, that is frame 0 of the source.
    - `stride`: how many frames of the uploaded video one frame of the source stands for.
    - `fps`: instead of `stride`, the frame rates of source and uploaded video, such as `5:30`.
    """

    occluded: Literal["answer", "extra", "none"] = "answer"
    interpolated: Literal["auto", "keep", "skip"] = "auto"
    frames: Literal["video", "task"] = "video"
    start: int = 0
    stride: int = 1
    fps: str | None = None
