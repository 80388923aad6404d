"""Size and frame times from the header of an MP4 or QuickTime file; nothing is decoded.

ISO/IEC 14496-12 (the same boxes as in Apple's QuickTime File Format): `tkhd` has the size and how
the picture is turned, `mdhd` the clock, `stts` and `ctts` when each frame is shown, and `elst` what
of it is played. Only `moov` is looked at; files in fragments, without a list of frames, have none.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import BinaryIO

import msgspec
import numpy as np

from labelconv.straight import Ints

#: Longer lists of frames (three days at 30 frames a second) are not believed, nor what is longer
#: than them, nor more boxes than the fragments of such a video are.
_MOST_FRAMES = 1 << 23
_MOST_BYTES = 1 << 27
_MOST_BOXES = 1 << 18
_MOST_EDITS = 1_000
#: Boxes that hold boxes, on the way to those that are read.
_CONTAINERS = frozenset((b"trak", b"mdia", b"minf", b"stbl", b"edts"))
_LEAVES = frozenset((b"mvhd", b"tkhd", b"mdhd", b"hdlr", b"stts", b"ctts", b"elst"))
#: Ticks beyond are no time of a frame.
_LATEST = 1 << 56
#: The rate of an edit that plays as fast as the video is.
_AS_IT_IS = 1 << 16


class VideoHeader(msgspec.Struct, frozen=True):
    """What a header says of the first video track.

    `width`, `height`: in pixels as displayed. `ticks`: when each frame that is played appears,
    rising, in parts of a second (`clock` of them a second), from the beginning of the video; None
    where the header has no list of frames. `hidden`: frames in the file that its edit list leaves
    out.
    """

    width: int
    height: int
    clock: int
    ticks: Ints | None
    hidden: int = 0

    @property
    def count(self) -> int | None:
        """How many frames are played, if it is known."""
        return None if self.ticks is None else len(self.ticks)

    @property
    def rate(self) -> Fraction | None:
        """Frames a second; None where that varies or is not known.

        A frame may be a tick off its place, since clocks are often too coarse for the rate.
        """
        ticks = self.ticks
        if ticks is None or len(ticks) < 2:
            return None
        count, whole = len(ticks) - 1, int(ticks[-1] - ticks[0])
        if whole <= 0:
            return None
        even = ticks[0] + np.arange(count + 1) * (whole / count)
        if np.abs(ticks - even).max() > 1:
            return None
        return Fraction(count * self.clock, whole)

    def seconds(self) -> list[float]:
        """When each frame appears, in seconds."""
        return [] if self.ticks is None else (self.ticks / self.clock).tolist()


def read_video_header(path: str | Path) -> VideoHeader | None:
    """The header of a video file; None when it is none that is known. Raises `OSError`."""
    with Path(path).open("rb") as file:
        try:
            return _header(file)
        except (struct.error, ValueError, ZeroDivisionError):  # cut off, or nonsense
            return None


def _header(file: BinaryIO) -> VideoHeader | None:
    movie = next((box for box in _boxes(file, 0, file.seek(0, 2)) if box[0] == b"moov"), None)
    if movie is None:
        return None
    movie_clock = 1
    tracks: list[dict[bytes, bytes]] = []
    left = _MOST_BYTES
    in_fragments = False
    for name, start, end in _boxes(file, *movie[1:]):
        if name == b"trak":
            tracks.append({})
        elif name == b"mvex":  # more frames follow than the lists in here have
            in_fragments = True
        elif name in _LEAVES:
            left -= end - start
            if left < 0:
                return None
            file.seek(start)
            data = file.read(end - start)
            if name == b"mvhd":
                movie_clock = _clock(data)
            elif tracks:
                tracks[-1].setdefault(name, data)
    for boxes in tracks:
        if boxes.get(b"hdlr", b"")[8:12] == b"vide" and {b"tkhd", b"mdhd"} <= boxes.keys():
            if in_fragments:
                boxes.pop(b"stts", None)
            return _of_track(boxes, movie_clock)
    return None


def _boxes(file: BinaryIO, start: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """(name, start and end of the contents) of boxes; those inside of containers follow them."""
    outer = [end]
    at = start
    for _ in range(_MOST_BOXES):
        while outer and at + 8 > outer[-1]:
            at = outer.pop()
        if not outer:
            return
        file.seek(at)
        head = file.read(16)
        length, name = struct.unpack_from(">I4s", head)
        inside = at + 8
        if length == 1:
            (length,) = struct.unpack_from(">Q", head, 8)
            inside = at + 16
        elif length == 0:
            length = outer[-1] - at
        beyond = at + length
        if not inside <= beyond <= outer[-1]:
            raise ValueError("a box that is longer than what it is in")
        yield name, inside, beyond
        at = beyond
        if name in _CONTAINERS:
            outer.append(beyond)
            at = inside
    raise ValueError("more boxes than a video has")


def _clock(data: bytes) -> int:
    """Ticks a second, in `mvhd` and `mdhd`."""
    (ticks,) = struct.unpack_from(">I", data, 20 if data[:1] == b"\1" else 12)
    if not ticks:
        raise ValueError("a clock that stands still")
    return int(ticks)


def _of_track(boxes: dict[bytes, bytes], movie_clock: int) -> VideoHeader:
    size = boxes[b"tkhd"]
    matrix = 52 if size[:1] == b"\1" else 40
    a, b, _, c, d = struct.unpack_from(">5i", size, matrix)
    width, height = (number >> 16 for number in struct.unpack_from(">2I", size, matrix + 36))
    if not a and not d and b and c:  # turned by a quarter
        width, height = height, width
    clock = _clock(boxes[b"mdhd"])
    shown = _shown(boxes)
    if shown is None:
        return VideoHeader(width, height, clock, None)
    edits = _edits(boxes.get(b"elst"))
    if not edits:
        return VideoHeader(width, height, clock, shown)
    if any(rate != _AS_IT_IS for _, start, rate in edits if start >= 0):
        return VideoHeader(width, height, clock, None)  # slowed down, or a frame that stands still
    return VideoHeader(width, height, clock, *_played(shown, edits, clock, movie_clock))


def _shown(boxes: dict[bytes, bytes]) -> Ints | None:
    """When each frame is due on the clock of the file, rising; None without a list of frames."""
    steps = _table(boxes.get(b"stts", b""), ">u4")
    if not len(steps) or not steps[:, 0].any():
        return None
    counts = steps[:, 0]
    if counts.sum() > _MOST_FRAMES:
        raise ValueError("more frames than a video has")
    lengths = np.repeat(steps[:, 1], counts)
    shown = np.cumsum(lengths) - lengths
    data = boxes.get(b"ctts", b"")
    later = _table(data, ">i4" if data[:1] == b"\1" else ">u4")
    if len(later):
        if later[:, 0].sum() != len(shown):
            raise ValueError("offsets for another number of frames")
        shown += np.repeat(later[:, 1], later[:, 0])
        shown.sort()
    return shown


def _table(data: bytes, second: str) -> Ints:
    """(N, 2) numbers of a box: version and flags, N, and N pairs."""
    if not data:
        return np.zeros((0, 2), np.int64)
    (count,) = struct.unpack_from(">I", data, 4)
    pairs = np.frombuffer(data, np.dtype([("n", ">u4"), ("v", second)]), count, 8)
    return np.stack((pairs["n"].astype(np.int64), pairs["v"].astype(np.int64)), axis=1)


def _edits(data: bytes | None) -> list[tuple[int, int, int]]:
    """(length on the movie's clock, start on the track's, rate) of what is played; the start is -1
    for a pause, and the rate in parts of 65,536."""
    if data is None:
        return []
    (count,) = struct.unpack_from(">I", data, 4)
    if count > _MOST_EDITS:
        raise ValueError("more edits than a video has")
    form = ">QqI" if data[:1] == b"\1" else ">IiI"
    size = struct.calcsize(form)
    return [struct.unpack_from(form, data, 8 + size * at) for at in range(count)]


def _played(
    shown: Ints, edits: list[tuple[int, int, int]], clock: int, movie_clock: int
) -> tuple[Ints, int]:
    """When each frame appears that the edits play, and how many they leave out."""
    played: list[Ints] = []
    used = np.zeros(len(shown), np.bool_)
    begin = Fraction(0)
    count = 0
    for length, start, _ in edits:
        span = Fraction(length * clock, movie_clock)
        if start >= 0:
            # A length is rounded to the movie's clock; half of its tick is no frame.
            end = start + span - Fraction(clock, 2 * movie_clock) if length else shown[-1] + 1
            first, last = np.searchsorted(shown, (start, float(end))).tolist()
            count += max(last - first, 0)
            if count > _MOST_FRAMES or begin > _LATEST:
                raise ValueError("more that is played than a video has")
            used[first:last] = True
            played.append(shown[first:last] - start + round(begin))
        begin += span
    ticks = np.concatenate(played) if played else shown[:0]
    if (ticks[1:] < ticks[:-1]).any():
        raise ValueError("edits that play at once")
    return ticks, int(len(shown) - used.sum())
