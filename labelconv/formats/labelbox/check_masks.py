"""What Labelbox would refuse in the PNGs of masks, from a few bytes of them where possible."""

from __future__ import annotations

import binascii
import io
import struct

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
#: The last bytes of every whole PNG: the chunk IEND with its checksum.
_END = b"IEND\xaeB`\x82"
_COLOUR_TYPES = {0: "grey", 2: "RGB", 3: "palette", 4: "grey with alpha", 6: "RGB with alpha"}
#: Pictures above this many pixels are not unpacked (a hostile PNG may claim any size).
_MOST_PIXELS = 50_000_000
_NO_BASE64 = "base64 of a PNG expected, other text found"


def png_fault(
    text: str, *, grey: bool, size: tuple[float, float] | None = None, pixels: bool = False
) -> str | None:
    """What is wrong with the PNG in the base64 `text`, as a sentence, or None.

    `grey`: 8-bit grey is expected (a mask of its own), else 8-bit RGB (a composite picture).
    `size` is the media's width and height in pixels. Only the head and the end are read, unless
    `pixels` asks for a look at the values of a grey mask (0 and 1: SDK 7.17.0 NDMask).
    """
    if text.startswith("data:"):
        return "base64 alone expected, a data URI found"
    # The end is read in whole groups of four characters.
    end = text[-24:] if len(text) % 4 == 0 else ""
    try:
        head = binascii.a2b_base64(text[:44], strict_mode=True)
        tail = binascii.a2b_base64(end, strict_mode=True)
    except ValueError:  # binascii.Error is one, but not that of characters beyond ASCII
        return _NO_BASE64
    if not head.startswith(_SIGNATURE) or head[12:16] != b"IHDR" or len(head) < 29:
        return "a PNG expected, something else found in the base64"
    width, height, depth, kind = struct.unpack(">IIBB", head[16:26])
    wanted = 0 if grey else 2
    if (depth, kind) != (8, wanted):
        found = f"{depth}-bit {_COLOUR_TYPES.get(kind, f'colour type {kind}')}"
        return f"an 8-bit {_COLOUR_TYPES[wanted]} PNG expected, {found} found"
    if not tail.endswith(_END):
        return "a whole PNG expected, its end is missing"
    if size is not None and (width, height) != tuple(size):
        media = f"{size[0]:g}×{size[1]:g}"
        return f"a mask as large as the media ({media}) expected, {width}×{height} found"
    if grey and pixels and width * height <= _MOST_PIXELS:
        return _pixel_fault(text)
    return None


def _pixel_fault(text: str) -> str | None:
    from PIL import Image

    try:
        data = binascii.a2b_base64(text, strict_mode=True)
    except ValueError:  # in the middle, where nobody has looked yet
        return _NO_BASE64
    try:
        with Image.open(io.BytesIO(data), formats=["PNG"]) as picture:
            highest = picture.getextrema()[1]
    except (OSError, SyntaxError, ValueError) as error:
        return f"a PNG that can be unpacked expected: {error}"
    return None if highest in (0, 1) else f"pixels of 0 and 1 expected, {highest} found"
