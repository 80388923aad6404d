"""From times to frames of the uploaded video, by a list of when each frame appears.

It serves videos whose rate varies and those that an edit list cuts: what is in the list is what is
played, in order, whatever the file says of its rate.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

from labelconv.errors import SourceError

#: Times are often printed with six decimals.
_ROUNDING_S = 1e-6


class FrameTimes:
    """When each frame appears: `seconds` (two or more) rise, the first is frame 0."""

    def __init__(self, seconds: Sequence[float]) -> None:
        self.count = len(seconds)
        self._seconds = seconds
        self._end = seconds[-1] + max(b - a for a, b in pairwise(seconds))

    def on_screen(self, time: float) -> int | None:
        """The frame that is seen at a time in seconds; None before the first and after the last,
        which is taken to last as long as the longest of the others."""
        if not self._seconds[0] - _ROUNDING_S <= time < self._end:
            return None
        return max(bisect_right(self._seconds, time + _ROUNDING_S) - 1, 0)


def read_times(path: str | Path) -> FrameTimes:
    """The times in a text file, one a line in seconds, in any order.

    As `ffprobe -v error -select_streams v:0 -show_entries frame=pts_time -of csv=p=0 VIDEO` prints
    them. Raises `SourceError` with the line at fault.
    """
    found: list[float] = []
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise SourceError(f"{path}: a file of times in UTF-8 expected; {error}") from error
    for number, line in enumerate(text.splitlines(), 1):
        said = line.strip().rstrip(",")
        if not said:
            continue
        try:
            seconds = float(said)
        except ValueError:
            seconds = math.nan
        if not math.isfinite(seconds):
            raise SourceError(
                f"{path}:{number}: the time of a frame in seconds expected, {line!r} found"
            )
        found.append(seconds)
    found.sort()
    if len(found) < 2 or any(a == b for a, b in pairwise(found)):
        what = "one time twice" if len(found) > 1 else f"{len(found)} of them"
        raise SourceError(f"{path}: the times of two frames or more expected, {what} found")
    return FrameTimes(found)
