"""The pixels of masks: in the record, in the folder of media, or at their address."""

from __future__ import annotations

import binascii
import struct
import zlib
from typing import TYPE_CHECKING, Any

from labelconv import codes, masks
from labelconv.formats.labelbox_export.addressed import Addressed, is_address, path_of
from labelconv.formats.labelbox_export.faults import Refused, malformed, record, text, whole
from labelconv.media import is_picture
from labelconv.model import Mask

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

#: Pictures that are kept decoded: the objects of one data row or frame share one.
_KEPT = 2
_BROKEN = (masks.MaskError, struct.error, zlib.error, OverflowError, IndexError, EOFError)
_NOTHING = Mask((1, 1), (1,))


class Pictures:
    """Decodes masks. `blind` ones are one pixel, for those who want names alone."""

    def __init__(self, addressed: Addressed, *, blind: bool = False) -> None:
        self._addressed = addressed
        self._blind = blind
        self._colours: dict[str, NDArray[np.uint32]] = {}

    def mask(self, given: Any, at: str, feature: str | None, size: tuple[int, int] | None) -> Mask:
        """The pixels of `mask`, `composite_mask` or v1's address. Raises `Refused`.

        `feature` is the id by which a picture of this mask alone may be called. `size` is (height,
        width) of what it lies on, if known.
        """
        if self._blind:
            return _NOTHING
        source, place, colour = given, at, None
        if not isinstance(given, str):
            said = record(given, at, "a mask with its url")
            colour = _colour(said, at)
            source, place = _source(said, at)
        if colour is None:
            made = _grey(self._data(source, place, feature), place)
        else:
            made = self._of_colour(source, place, colour)
        if size is not None and made.size != size:
            raise Refused(
                codes.MASK_SIZE_MISMATCH,
                place,
                expected=f"{size[1]}×{size[0]}",
                found=f"{made.size[1]}×{made.size[0]}",
            )
        return made

    def _of_colour(self, source: str, at: str, colour: tuple[int, int, int]) -> Mask:
        colours = self._colours.get(source)
        if colours is None:
            colours = _packed(self._data(source, at, None), at)
            while len(self._colours) >= _KEPT:
                del self._colours[next(iter(self._colours))]
            self._colours[source] = colours
        red, green, blue = colour
        made = masks.from_array(colours == (red << 16 | green << 8 | blue))
        if len(made.runs) < 2:
            raise Refused(
                codes.SEGMENT_MISSING,
                at.rpartition("/")[0],
                segment=list(colour),
                file=source if is_address(source) else "the picture in the record",
            )
        return made

    def _data(self, source: str, at: str, feature: str | None) -> bytes:
        """The bytes of a picture: base64, or at an address that the folder of media may have."""
        if not is_address(source):
            start = source.find(",") + 1 if source.startswith("data:") else 0
            try:
                return binascii.a2b_base64(source[start:] if start else source)
            except (binascii.Error, ValueError):
                message = "base64 of a PNG expected, other text found"
                raise Refused(codes.MASK_UNUSABLE, at, message=message) from None
        names = [] if feature is None else [f"{feature}.png"]
        path = path_of(source).lstrip("/")
        if is_picture(path):
            names.append(path)
        return self._addressed.data(source, at, names, ".png", _is_png)


def _is_png(data: bytes) -> bool:
    return data.startswith(masks.PNG_MAGIC)


def _source(said: dict[str, Any], at: str) -> tuple[str, str]:
    """The address or the base64 of the picture, and where it stands."""
    for key in ("url", "instanceURI", "png", "im_bytes", "imBytes"):
        if said.get(key):
            return text(said[key], f"{at}/{key}", "an address or base64"), f"{at}/{key}"
    raise malformed(at, "a mask with its url", said)


def _colour(said: dict[str, Any], at: str) -> tuple[int, int, int] | None:
    for key in ("color_rgb", "colorRGB"):
        given = said.get(key)
        if given is not None:
            if not isinstance(given, list) or len(given) != 3:
                raise malformed(f"{at}/{key}", "red, green and blue", given)
            red, green, blue = (whole(n, f"{at}/{key}/{i}", 0) for i, n in enumerate(given))
            if max(red, green, blue) > 255:
                raise malformed(f"{at}/{key}", "red, green and blue from 0 to 255", given)
            return red, green, blue
    return None


def _grey(data: bytes, at: str) -> Mask:
    try:
        return masks.from_png(data)
    except _BROKEN as error:
        raise Refused(codes.MASK_UNUSABLE, at, message=str(error)) from None


def _packed(data: bytes, at: str) -> NDArray[np.uint32]:
    """(height, width) colours as numbers, red first."""
    import numpy as np

    try:
        pixels = masks.colours_from_png(data).astype(np.uint32)
    except _BROKEN as error:
        raise Refused(codes.MASK_UNUSABLE, at, message=str(error)) from None
    packed = pixels[:, :, 0] << 16 | pixels[:, :, 1] << 8 | pixels[:, :, 2]
    return packed.astype(np.uint32, copy=False)
