"""Options of the MOT reader and writer."""

from __future__ import annotations

from typing import Literal

import msgspec


class MotReaderOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Options of the MOT reader (`-O key=value`).

    - `origin`: the top left pixel is at 1, 1 (`one`, as motchallenge.net says), or at 0, 0 (`zero`,
      as many tools write it).
    - `rows`: what the rows are: annotations (`gt`), detections, or results of a tracker; `auto`
      goes by the file's name, then by its numbers.
    - `classes`: a file with the names of the classes, one a line from class 1 on, or each line a
      number and a name. Without it `gt/labels.txt` is used, then the 13 classes of MOT16.
    - `category`: the class of rows that name none.
    - `ignored`: rows of `gt` that are not to be evaluated (0 in column 7): `skip` or `keep` them.
    - `visibility`: of each frame: kept as `extra` (where the target takes it), as an `answer` on
      keyframes, or `none`.
    - `gap`: frames of one track that are further apart than this are two segments.
    - `start`: the frame of the video, counted from 0, that is the first frame of the source.
    - `stride`: how many frames of the video one frame of the source stands for.
    - `fps`: instead of `stride`, the frame rates of source and video, such as `5:30`.
    """

    origin: Literal["one", "zero"] = "one"
    rows: Literal["auto", "gt", "det", "results"] = "auto"
    classes: str | None = None
    category: str = "pedestrian"
    ignored: Literal["skip", "keep"] = "skip"
    visibility: Literal["extra", "answer", "none"] = "extra"
    gap: int = 1
    start: int = 0
    stride: int = 1
    fps: str | None = None


class MotWriterOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Options of the MOT writer (`-W key=value`).

    - `origin`: the top left pixel is at 1, 1 (`one`, as motchallenge.net says), or at 0, 0.
    """

    origin: Literal["one", "zero"] = "one"
