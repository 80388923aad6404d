"""Options of the Label Studio reader."""

from __future__ import annotations

from typing import Literal

import msgspec


class LabelStudioReaderOptions(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True
):
    """Options of the Label Studio reader (`-O key=value`).

    - `annotators`: where several people annotated a task: the `first` annotation that counts (the
      ground truth, if one is marked), or `all` of them together.
    - `predictions`: `skip` them, take them where nobody annotated (`instead`), or `only` them.
    - `choices`: the answers of `choices`: a `checklist`, or a `radio`; an export does not say.
    - `field`: the member of `data` with the text, or the address of the picture, video or sound;
      found when not given.
    - `texts`: in JSON-MIN, which has texts and single choices alike, the names of the controls
      whose answers are texts, such as `note,why`.
    - `fps`: the frame rates of the Label Studio project and of the uploaded video, such as `25:25`;
      one is a whole multiple of the other.
    - `timestamps`: a file with the time of each frame of the video in seconds, one a line, by which
      frames are placed; or `media`, for the times in the file that --media has.
    - `source_offsets`: what offsets in texts count. Label Studio counts as JavaScript does.
    """

    annotators: Literal["first", "all"] = "first"
    predictions: Literal["skip", "instead", "only"] = "skip"
    choices: Literal["checklist", "radio"] = "checklist"
    field: str | None = None
    texts: str | None = None
    fps: str | None = None
    timestamps: str | None = None
    source_offsets: Literal["codepoint", "utf16", "utf8"] = "utf16"
