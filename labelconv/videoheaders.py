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

#: Longer lists of frames (three days at 30 frames a second) are not believed.
_MOST_FRAMES = 1 << 23
_MOST_BYTES = 1 << 27
#: Boxes that hold boxes, on the way to those that are read.
_CONTAINERS = frozenset((b"moov", b"trak", b"mdia", b"minf", b"stbl", b"edts"))
_LEAVES = frozenset((b"mvhd", b"tkhd", b"mdhd", b"hdlr", b"stts", b"ctts", b"elst"))


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
    file.seek(0, 2)
    size = file.tell()
    movie_clock = 1
    tracks: list[dict[bytes, bytes]] = []
    for name, start, end in _boxes(file, 0, size, 0):
        if name == b"trak":
            tracks.append({})
        elif name in _LEAVES:
            if end - start > _MOST_BYTES:
                return None
            file.seek(start)
            data = file.read(end - start)
            if name == b"mvhd":
                movie_clock = _clock(data)
            elif tracks:
                tracks[-1].setdefault(name, data)
    for boxes in tracks:
        if boxes.get(b"hdlr", b"")[8:12] == b"vide" and {b"tkhd", b"mdhd"} <= boxes.keys():
            return _of_track(boxes, movie_clock)
    return None


def _boxes(file: BinaryIO, start: int, end: int, depth: int) -> Iterator[tuple[bytes, int, int]]:
    """(name, start and end of the contents) of boxes, those inside of containers after them."""
    at = start
    while at + 8 <= end and depth < 8:
        file.seek(at)
        head = file.read(16)
        length, name = struct.unpack_from(">I4s", head)
        inside = at + 8
        if length == 1:
            (length,) = struct.unpack_from(">Q", head, 8)
            inside = at + 16
        elif length == 0:
            length = end - at
        if length < inside - at or at + length > end:
            raise ValueError("a box that is longer than what it is in")
        yield name, inside, at + length
        if name in _CONTAINERS:
            yield from _boxes(file, inside, at + length, depth + 1)
        at += length


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
    if edits is None:
        return VideoHeader(width, height, clock, shown)
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


def _edits(data: bytes | None) -> list[tuple[int, int]] | None:
    """(length on the movie's clock, start on the track's) of what is played, -1 for a pause."""
    if data is None:
        return None
    (count,) = struct.unpack_from(">I", data, 4)
    form = ">QqI" if data[:1] == b"\1" else ">IiI"
    size = struct.calcsize(form)
    found = [struct.unpack_from(form, data, 8 + size * at)[:2] for at in range(min(count, 1_000))]
    return found or None


def _played(
    shown: Ints, edits: list[tuple[int, int]], clock: int, movie_clock: int
) -> tuple[Ints, int]:
    """When each frame appears that the edits play, and how many they leave out."""
    played: list[Ints] = []
    used = np.zeros(len(shown), np.bool_)
    begin = Fraction(0)
    for length, start in edits:
        span = Fraction(length * clock, movie_clock)
        if start >= 0:
            # A length is rounded to the movie's clock; half of its tick is no frame.
            end = start + span - Fraction(clock, 2 * movie_clock) if length else shown[-1] + 1
            inside = (shown >= start) & (shown < float(end))
            used |= inside
            played.append(shown[inside] - start + round(begin))
        begin += span
    ticks = np.concatenate(played) if played else shown[:0]
    return ticks, int(len(shown) - used.sum())
