"""From frames of a source to frames of the uploaded video, by a rule stated and never guessed."""

from __future__ import annotations

from fractions import Fraction

import msgspec

from labelconv.errors import OptionError
from labelconv.model import Video

#: Numbers of frames from here on are not meant; rates neither.
MOST_FRAME = 1 << 32
#: With it and the start all frames are below 2 ** 53, up to where floats and JSON hold each.
_MOST_STRIDE = 1 << 20


class FrameMap(msgspec.Struct, frozen=True):
    """Frame n of the source, counted from 0, is frame `start` + n * `stride` of the video.

    `rate`: frames a second of the video, where it was given with the rule.
    """

    start: int = 0
    stride: int = 1
    rate: float | None = None

    @property
    def is_identity(self) -> bool:
        return self.start == 0 and self.stride == 1

    def of(self, frame: int) -> int:
        return self.start + frame * self.stride

    def video(
        self,
        width: float | None = None,
        height: float | None = None,
        count: int | None = None,
        rate: float | None = None,
    ) -> Video:
        """The uploaded video: of the source's size; of its length and rate only if it is the same,
        else of the rate that the rule says."""
        own = self.is_identity
        return Video(width, height, count if own else None, self.rate or (rate if own else None))


def frame_map(start: int, stride: int, fps: str | None, format: str) -> FrameMap:
    """The map that a reader's options `start`, `stride` and `fps` say.

    `fps` is the frame rate of the source and of the video, `5:30`; one must be a whole multiple of
    the other, so that every frame has a place. Raises `OptionError`.
    """
    if not 0 <= start <= MOST_FRAME:
        raise OptionError(f"start of 0 to {MOST_FRAME} expected for {format}, {start} found")
    if not 1 <= stride <= _MOST_STRIDE:
        raise OptionError(f"stride of 1 to {_MOST_STRIDE} expected for {format}, {stride} found")
    if fps is None:
        return FrameMap(start, stride)
    if stride != 1:
        raise OptionError(f"one of stride and fps expected for {format}, both given")
    try:
        source, video = map(_rate, fps.split(":"))
        ratio = video / source
    except (ValueError, ZeroDivisionError):
        raise OptionError(
            f"fps of {format}: the frame rates of source and video expected, such as 5:30, "
            f"{fps!r} found"
        ) from None
    if ratio.denominator != 1 or not 1 <= ratio <= _MOST_STRIDE:
        raise OptionError(
            f"fps of {format}: a video whose frame rate is a whole multiple of the source's, at "
            f"most {_MOST_STRIDE}, expected, {fps!r} is {float(ratio):g} frames of the video for "
            f"one of the source; frames in between would be a guess. State the stride with "
            f"`-O stride=`"
        )
    return FrameMap(start, int(ratio), float(video))


def _rate(text: str) -> Fraction:
    """Frames a second: `30`, `29.97` or `30000/1001`. Raises `ValueError`."""
    if len(text) > 40 or "e" in text.lower():  # a power of ten may ask for all memory
        raise ValueError(text)
    rate = Fraction(text.strip())
    if not 0 < rate <= _MOST_STRIDE:
        raise ValueError(text)
    return rate
