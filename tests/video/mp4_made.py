"""Makes the header of an MP4 file from what its boxes say; there is no picture in it."""

from __future__ import annotations

import struct
from collections.abc import Sequence

Pairs = Sequence[tuple[int, int]]
UPRIGHT = (1 << 16, 0, 0, 0, 1 << 16, 0, 0, 0, 1 << 30)
QUARTER = (0, 1 << 16, 0, -(1 << 16), 0, 0, 0, 0, 1 << 30)


def box(name: bytes, *parts: bytes, long: bool = False) -> bytes:
    inside = b"".join(parts)
    if long:
        return struct.pack(">I4sQ", 1, name, len(inside) + 16) + inside
    return struct.pack(">I4s", len(inside) + 8, name) + inside


def table(name: bytes, pairs: Pairs, version: int = 0) -> bytes:
    form = ">Ii" if version else ">II"
    rows = b"".join(struct.pack(form, *pair) for pair in pairs)
    return box(name, struct.pack(">B3xI", version, len(pairs)), rows)


def clock(name: bytes, ticks: int, version: int = 0) -> bytes:
    times = struct.pack(">QQIQ" if version else ">IIII", 0, 0, ticks, 0)
    return box(name, bytes([version, 0, 0, 0]), times, bytes(80))


def mp4(
    steps: Pairs,
    *,
    ticks: int = 600,
    offsets: Pairs | None = None,
    signed: bool = False,
    edits: Sequence[tuple[int, int]] | None = None,
    speed: int = 1 << 16,
    movie_ticks: int = 1000,
    size: tuple[int, int] = (640, 480),
    matrix: tuple[int, ...] = UPRIGHT,
    version: int = 0,
    kind: bytes = b"vide",
    before: bytes = b"",
) -> bytes:
    """A file of one track. `steps` are (frames, ticks each), `offsets` (frames, ticks later), and
    `edits` (length on the movie's clock, start on the track's), played at `speed` parts of 65,536.
    """
    wide, high = size
    times = bytes(32 if version else 20)
    head = box(
        b"tkhd",
        bytes([version, 0, 0, 7]),
        times,
        bytes(16),
        struct.pack(">9i", *matrix),
        struct.pack(">II", wide << 16, high << 16),
    )
    played = b""
    if edits is not None:
        form = ">QqI" if version else ">IiI"
        rows = b"".join(struct.pack(form, *edit, speed) for edit in edits)
        played = box(b"edts", box(b"elst", struct.pack(">B3xI", version, len(edits)), rows))
    tables = [table(b"stts", steps)]
    if offsets is not None:
        tables.append(table(b"ctts", offsets, int(signed)))
    media = box(
        b"mdia",
        clock(b"mdhd", ticks, version),
        box(b"hdlr", bytes(8), kind, bytes(13)),
        box(b"minf", box(b"stbl", *tables)),
    )
    movie = box(
        b"moov", clock(b"mvhd", movie_ticks, version), before, box(b"trak", head, played, media)
    )
    return box(b"ftyp", b"isom") + box(b"mdat", bytes(100), long=True) + movie
