"""Run lengths ↔ arrays ↔ PNG ↔ COCO's compressed text. The only importer of pycocotools.

A `Mask` counts column by column, background first, as COCO does (cocoapi, maskApi.c). Arrays are
(height, width), uint8, 0 or 1.
"""

from __future__ import annotations

import base64
import io
import struct
import zlib
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from labelconv.model import Box, Mask, Polygon

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

try:  # four times as fast as zlib on masks (decision 0007), for the processors it is made for
    from zlib_ng.zlib_ng import compress as _compress
except ImportError:
    from zlib import compress as _compress

#: What COCO's own code counts to.
MOST_PIXELS = 1 << 32
PNG_MAGIC = b"\x89PNG\r\n\x1a\n"


class MaskError(ValueError):
    """The run lengths or the picture cannot be a mask; the message says what was found."""


def from_runs(size: Sequence[int], runs: Iterable[int]) -> Mask:
    """A mask from run lengths in COCO's order, merged where a run in the middle is 0.

    Raises `MaskError` when they do not fill height x width, or are of more pixels than counted.
    """
    height, width = size
    given = tuple(runs)
    if not given or min(given) < 0 or 0 in given[1:]:
        given = _merged(given)
    if height * width >= MOST_PIXELS:
        raise MaskError(f"a mask of {height} × {width} pixels, which no picture has")
    if height < 0 or width < 0 or sum(given) != height * width:
        raise MaskError(f"runs of {sum(given)} pixels in all found, {height * width} expected")
    return Mask((height, width), given)


def _merged(runs: tuple[int, ...]) -> tuple[int, ...]:
    """The runs without those of 0, but for the first. Raises `MaskError` for a negative one."""
    merged = [0]
    for position, run in enumerate(runs):
        if run < 0:
            raise MaskError(f"run {position} is {run}")
        if run and position % 2 == (len(merged) - 1) % 2:
            merged[-1] += run
        elif run:
            merged.append(run)
    return tuple(merged)


def from_text(size: Sequence[int], counts: str | bytes) -> Mask:
    """A mask from COCO's compressed text: five bits a character, differences from the fourth run.

    Raises `MaskError`.
    """
    data = counts.encode("ascii", "replace") if isinstance(counts, str) else counts
    runs: list[int] = []
    value = shift = 0
    for position, byte in enumerate(data):
        bits = byte - 48
        if not 0 <= bits < 64:
            raise MaskError(f"character {chr(byte)!r} at {position} of the compressed runs")
        value |= (bits & 31) << shift
        shift += 5
        if bits & 32:
            continue
        if bits & 16:
            value -= 1 << shift
        if len(runs) > 2:
            value += runs[-2]
        runs.append(value)
        value = shift = 0
    if shift:
        raise MaskError("compressed runs that end in the middle of a number")
    return from_runs(size, runs)


def to_text(mask: Mask) -> str:
    """COCO's compressed text, by pycocotools."""
    from pycocotools import mask as coco

    height, width = mask.size
    text: bytes = coco.frPyObjects(
        {"size": [height, width], "counts": list(mask.runs)}, height, width
    )["counts"]
    return text.decode("ascii")


def to_array(mask: Mask) -> NDArray[np.uint8]:
    """The pixels, (height, width), 0 or 1."""
    import numpy as np

    height, width = mask.size
    runs = np.array(mask.runs, dtype=np.int64)
    values = np.zeros(len(runs), dtype=np.uint8)
    values[1::2] = 1
    return np.repeat(values, runs).reshape((width, height)).T


def from_array(pixels: NDArray[Any]) -> Mask:
    """The mask of all pixels that are not 0 in a (height, width) array."""
    import numpy as np

    height, width = pixels.shape
    flat = (pixels != 0).T.ravel()
    if flat.size == 0:
        return Mask((height, width), (0,))
    borders = np.flatnonzero(flat[1:] != flat[:-1]) + 1
    runs = np.diff(np.concatenate(([0], borders, [flat.size]))).tolist()
    return Mask((height, width), (0, *runs) if flat[0] else tuple(runs))


def from_polygon(polygon: Polygon, height: int, width: int) -> Mask:
    """The pixels that pycocotools gives a polygon; parts are joined, holes taken out.

    Bit for bit what `COCO.annToMask` makes of the parts.
    """
    from pycocotools import mask as coco

    shells = [list(part[0]) for part in polygon.parts]
    # frPyObjects takes a list of exactly four numbers for a box, so each ring goes in alone.
    joined = coco.merge(_rasters(shells, height, width))
    holes = [list(hole) for part in polygon.parts for hole in part[1:]]
    if not holes:
        return from_text((height, width), joined["counts"])
    cut = coco.merge(_rasters(holes, height, width))
    # Not `coco.decode`, which some versions of numpy warn about.
    inside = to_array(from_text((height, width), joined["counts"]))
    return from_array(inside & (1 - to_array(from_text((height, width), cut["counts"]))))


def _rasters(rings: list[list[float]], height: int, width: int) -> list[Any]:
    from pycocotools import mask as coco

    return [coco.frPyObjects([ring], height, width)[0] for ring in rings]


def area(mask: Mask) -> int:
    """Pixels set."""
    return sum(mask.runs[1::2])


def bounds(mask: Mask) -> Box | None:
    """The smallest box around the pixels set; None for an empty mask."""
    height = mask.size[0]
    left = right = -1
    top, bottom = height, 0
    position = 0
    for index, run in enumerate(mask.runs):
        if index % 2 and run:
            first, last = position, position + run - 1
            if left < 0:
                left = first // height
            right = last // height
            if right > first // height:
                top, bottom = 0, height
            else:
                top = min(top, first % height)
                bottom = max(bottom, last % height + 1)
        position += run
    return None if left < 0 else Box(float(left), float(top), float(right + 1), float(bottom))


def to_png(mask: Mask) -> bytes:
    """An 8-bit grey PNG of 0 and 1, as Labelbox takes masks (SDK, ndjson/objects.py, NDMask).

    Rows are stored as differences from the row above (PNG's filter "Up"), which for runs down the
    columns are 1 where a run starts and 255 (that is, -1) where it ends: the picture is never drawn
    and only zlib takes time (docs/benchmarks.md has it against Pillow).
    """
    height, width = mask.size
    stride = width + 1
    rows = bytearray(height * stride)
    rows[::stride] = b"\x02" * height
    start = 0
    for index, run in enumerate(mask.runs):
        end = start + run
        if index & 1 and run:
            first, last = -(-start // height), (end - 1) // height
            if first <= last:  # these columns are set in the topmost row
                rows[1 + first : 2 + last] = b"\x01" * (last - first + 1)
            column, row = divmod(start, height)
            if row:
                rows[row * stride + 1 + column] = 1
            column, row = divmod(end, height)
            if row:
                rows[row * stride + 1 + column] = 255
        start = end
    return _png(height, width, 0, rows)


def colours_to_png(pixels: NDArray[np.uint8]) -> bytes:
    """A 24-bit PNG of a (height, width, 3) array."""
    import numpy as np

    height, width, _ = pixels.shape
    rows = np.zeros((height, width * 3 + 1), dtype=np.uint8)
    rows[:, 1:] = pixels.reshape(height, width * 3)
    return _png(height, width, 2, rows.tobytes())


def png_base64(mask: Mask) -> str:
    """`to_png` in base64."""
    return base64.b64encode(to_png(mask)).decode("ascii")


def from_png(data: bytes) -> Mask:
    """The mask of all pixels that are not 0 in a PNG of one channel.

    Raises `MaskError`.
    """
    return from_array(_pixels(data, "L"))


def colours_from_png(data: bytes) -> NDArray[np.uint8]:
    """The (height, width, 3) pixels of a PNG. Raises `MaskError`."""
    return _pixels(data, "RGB")


def _pixels(data: bytes, mode: str) -> NDArray[np.uint8]:
    import numpy as np
    from PIL import Image

    if not data.startswith(PNG_MAGIC):
        raise MaskError(f"a PNG expected, data starting with {data[:8]!r} found")
    try:
        with Image.open(io.BytesIO(data), formats=["PNG"]) as picture:
            # A palette or a one-bit picture is read as its indices, never as its colours.
            plain = (
                picture if picture.mode in (mode, "P") and mode == "L" else picture.convert(mode)
            )
            return np.asarray(plain, dtype=np.uint8)
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise MaskError(f"a PNG that can be decoded expected: {error}") from error


def _png(height: int, width: int, colour_type: int, rows: bytes | bytearray) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, 8, colour_type, 0, 0, 0)
    return b"".join((PNG_MAGIC, _chunk(b"IHDR", header), _chunk(b"IDAT", _compress(rows, 1)), _END))


def _chunk(kind: bytes, data: bytes) -> bytes:
    checksum = zlib.crc32(kind + data)
    return b"".join((struct.pack(">I", len(data)), kind, data, struct.pack(">I", checksum)))


_END = _chunk(b"IEND", b"")
