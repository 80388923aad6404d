"""Times of labels in sounds: seconds in the sources, whole milliseconds in the model."""

from __future__ import annotations

import math

from labelconv import codes
from labelconv.problems import Report, Where


class Clock:
    """Turns seconds into half-open ranges of milliseconds; what it rounds is told by `finish`."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._rounded = 0
        self._drift = 0.0

    def range(self, start: float, end: float, name: str, where: Where) -> tuple[int, int] | None:
        """The range from `start` to `end`, in seconds; None where that is no range of time."""
        if not (math.isfinite(start) and math.isfinite(end)) or start < 0 or end < start:
            return None
        first, last = self._milliseconds(start), self._milliseconds(end)
        if last == first:
            self._report.add(codes.TIME_EMPTY, where, name=name)
            last += 1
        return first, last

    def _milliseconds(self, seconds: float) -> int:
        exact = seconds * 1000
        whole = round(exact)
        drift = abs(exact - whole)
        if drift > 1e-6 * max(1.0, seconds):  # more than the float's own rounding
            self._rounded += 1
            self._drift = max(self._drift, drift)
        return whole

    def finish(self, path: str) -> None:
        """Tell how many times were rounded since the last call."""
        if self._rounded:
            self._report.add(
                codes.TIME_ROUNDED, Where(path=path), count=self._rounded, drift=self._drift
            )
        self._rounded, self._drift = 0, 0.0


def seconds(milliseconds: int, sign: str = ".") -> str:
    """Milliseconds as seconds with three decimals."""
    return f"{milliseconds // 1000}{sign}{milliseconds % 1000:03d}"


def clock(milliseconds: int, sign: str) -> str:
    """Milliseconds as `hh:mm:ss.mmm`, with `sign` before the milliseconds."""
    minutes, rest = divmod(milliseconds, 60_000)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02d}:{minutes:02d}:{rest // 1000:02d}{sign}{rest % 1000:03d}"
