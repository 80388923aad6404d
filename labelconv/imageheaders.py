"""Width, height and EXIF orientation from the header of a picture file; nothing is decoded.

JPEG (ISO/IEC 10918-1), PNG (W3C), GIF, BMP and WebP (RFC 9649) are read here, in one or two reads
of a file; all others by Pillow, which also reads headers only.
"""

from __future__ import annotations

import os
import struct
from pathlib import Path

import msgspec

#: Enough for the frame header of nearly all JPEG files, thumbnails included.
_HEAD_BYTES = 4_096
_FLAGS = os.O_RDONLY | getattr(os, "O_BINARY", 0)
_STANDALONE = frozenset((0x01, *range(0xD0, 0xD9)))
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}


class Header(msgspec.Struct, frozen=True, gc=False):
    """Stored size in pixels, and EXIF's orientation, 1 to 8."""

    width: int
    height: int
    orientation: int = 1


def read_header(path: str | Path) -> Header | None:
    """The header of a picture file; None when it is none. Raises `OSError`."""
    file = os.open(path, _FLAGS)
    try:
        head = os.read(file, _HEAD_BYTES)
        if head[:2] == b"\xff\xd8":
            header = _jpeg(file, head)
        elif head[:8] == b"\x89PNG\r\n\x1a\n":
            header = _png(file, head)
        elif head[:6] in (b"GIF87a", b"GIF89a") and len(head) >= 10:
            header = Header(*struct.unpack_from("<HH", head, 6))
        elif head[:2] == b"BM" and len(head) >= 26:
            header = _bmp(head)
        elif head[:4] == b"RIFF" and head[8:12] == b"WEBP":
            header = _webp(file, head)
        else:
            header = _by_pillow(path)
    finally:
        os.close(file)
    if header is None or header.width <= 0 or header.height <= 0:
        return None
    return header


def _at(file: int, place: int, length: int) -> bytes:
    """Bytes from a place of a file; fewer at its end."""
    os.lseek(file, place, os.SEEK_SET)
    return os.read(file, length)


def _jpeg(file: int, head: bytes) -> Header | None:
    """From marker to marker up to the frame; EXIF comes before it."""
    orientation = 1
    at = 2
    base = 0  # where `head` begins in the file
    while True:
        if at + 20 > len(head):
            base, at = base + at, 0
            head = _at(file, base, _HEAD_BYTES)
            if len(head) < 4:
                return None
        if head[at] != 0xFF:
            return None
        marker = head[at + 1]
        if marker == 0xFF:
            at += 1
            continue
        if marker in _STANDALONE:
            at += 2
            continue
        length = int.from_bytes(head[at + 2 : at + 4], "big")
        if marker in _FRAMES:
            if at + 9 > len(head):
                return None
            height, width = struct.unpack_from(">HH", head, at + 5)
            return Header(width, height, orientation)
        if marker in (0xD9, 0xDA) or length < 2:
            return None
        if marker == 0xE1 and head[at + 4 : at + 10] == b"Exif\0\0":
            data = head[at + 10 : at + 2 + length]
            if len(data) < length - 8:
                data = _at(file, base + at + 10, length - 8)
            orientation = _exif(data)
        at += 2 + length


def _png(file: int, head: bytes) -> Header | None:
    if len(head) < 24 or head[12:16] != b"IHDR":
        return None
    width, height = struct.unpack_from(">II", head, 16)
    at = 8
    while True:  # eXIf comes before the pixels or, seldom, after them, where readers ignore it
        start = head[at : at + 8] if at + 8 <= len(head) else _at(file, at, 8)
        if len(start) < 8 or start[4:] in (b"IDAT", b"IEND"):
            return Header(width, height)
        length = int.from_bytes(start[:4], "big")
        if start[4:] == b"eXIf":
            return Header(width, height, _exif(_at(file, at + 8, length)))
        at += 12 + length


def _bmp(head: bytes) -> Header:
    if struct.unpack_from("<I", head, 14)[0] == 12:
        return Header(*struct.unpack_from("<HH", head, 18))
    width, height = struct.unpack_from("<ii", head, 18)
    return Header(width, abs(height))  # negative: rows from the top


def _webp(file: int, head: bytes) -> Header | None:
    kind = head[12:16]
    if kind == b"VP8 " and len(head) >= 30:
        width, height = struct.unpack_from("<HH", head, 26)
        return Header(width & 0x3FFF, height & 0x3FFF)
    if kind == b"VP8L" and len(head) >= 25:
        bits = int.from_bytes(head[21:25], "little")
        return Header((bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1)
    if kind == b"VP8X" and len(head) >= 30:
        width = int.from_bytes(head[24:27], "little") + 1
        height = int.from_bytes(head[27:30], "little") + 1
        return Header(width, height, _webp_orientation(file) if head[20] & 0x08 else 1)
    return None


def _webp_orientation(file: int) -> int:
    """From the EXIF chunk, which comes after the pixels."""
    at = 12
    while len(start := _at(file, at, 8)) == 8:
        length = int.from_bytes(start[4:], "little")
        if start[:4] == b"EXIF":
            return _exif(_at(file, at + 8, length).removeprefix(b"Exif\0\0"))
        at += 8 + length + (length & 1)
    return 1


def _exif(data: bytes) -> int:
    """The orientation in a TIFF structure; 1 where there is none or it makes no sense."""
    order = {b"II": "<", b"MM": ">"}.get(data[:2])
    if order is None:
        return 1
    try:
        (start,) = struct.unpack_from(f"{order}I", data, 4)
        (count,) = struct.unpack_from(f"{order}H", data, start)
        for entry in range(count):
            tag, kind, _, value = struct.unpack_from(f"{order}HHIH", data, start + 2 + 12 * entry)
            if tag == 0x0112 and kind == 3:
                return value if 1 <= value <= 8 else 1
    except struct.error:
        return 1
    return 1


def _by_pillow(path: str | Path) -> Header | None:
    """TIFF, AVIF, JPEG 2000 and whatever else Pillow knows.

    Pillow's limit of pixels is for decoding, so it is set aside: satellite pictures are larger.
    """
    import warnings

    from PIL import Image, UnidentifiedImageError

    limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
    try:
        with warnings.catch_warnings(action="ignore"), Image.open(path) as picture:
            width, height = picture.size
            orientation = picture.getexif().get(0x0112, 1)
            if picture.format == "TIFF":
                # Pillow turns TIFF files by itself; its tags have the stored size.
                tags = getattr(picture, "tag_v2", {})
                width, height = tags.get(256, width), tags.get(257, height)
    except (UnidentifiedImageError, ValueError, SyntaxError, EOFError, TypeError, struct.error):
        return None
    finally:
        Image.MAX_IMAGE_PIXELS = limit
    usable = isinstance(orientation, int) and 1 <= orientation <= 8
    return Header(int(width), int(height), orientation if usable else 1)
