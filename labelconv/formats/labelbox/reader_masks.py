"""The pixels of mask lines: grey PNGs in the line, colours in a picture of many objects."""

from __future__ import annotations

import binascii
import struct
import zlib
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from msgspec import UNSET

from labelconv import codes, masks
from labelconv.formats.labelbox import records
from labelconv.formats.labelbox.faults import Fault, malformed
from labelconv.model import Mask

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

#: Composite pictures that are kept decoded; the masks of one data row share one picture.
_KEPT = 2


class Pictures:
    """Decodes masks. `folder` is where pictures are that the lines only name (`-O masks=DIR`)."""

    def __init__(self, folder: str | None) -> None:
        self._folder = None if folder is None else Path(folder)
        self._decoded: dict[str, NDArray[np.uint32]] = {}

    def mask(self, given: records.Mask, beside: Path | None) -> Mask:
        """The pixels of a mask; raises `Fault`. Relative addresses start at the folder `beside`."""
        if given.png is not UNSET:
            return _grey(_base64(given.png, "/mask/png"), "/mask/png")
        if given.im_bytes is not UNSET:
            name, at = given.im_bytes, "/mask/imBytes"
        else:
            assert given.instance_uri is not UNSET
            name, at = given.instance_uri, "/mask/instanceURI"
        assert given.color_rgb is not UNSET
        colours = self._decoded.get(name)
        if colours is None:
            inside = given.im_bytes is not UNSET
            data = _base64(name, at) if inside else self._read(name, beside, at)
            colours = _colours(data, at)
            while len(self._decoded) >= _KEPT:
                del self._decoded[next(iter(self._decoded))]
            self._decoded[name] = colours
        red, green, blue = given.color_rgb
        mask = masks.from_array(colours == (red << 16 | green << 8 | blue))
        if len(mask.runs) < 2:
            file = "the picture in the line" if given.im_bytes is not UNSET else name
            raise Fault(
                codes.SEGMENT_MISSING, "/mask/colorRGB", segment=[red, green, blue], file=file
            )
        return mask

    def all_masks(
        self, given: records.MaskFrame, beside: Path | None, at: str
    ) -> dict[tuple[int, int, int], Mask]:
        """The pixels of each colour of a picture but black. Raises `Fault`."""
        import numpy as np

        if given.im_bytes is not UNSET:
            at = f"{at}/imBytes"
            data = _base64(given.im_bytes, at)
        else:
            assert given.instance_uri is not UNSET
            at = f"{at}/instanceURI"
            data = self._read(given.instance_uri, beside, at)
        colours = _colours(data, at)
        return {
            (colour >> 16, colour >> 8 & 255, colour & 255): masks.from_array(colours == colour)
            for colour in np.unique(colours).tolist()
            if colour
        }

    def _read(self, uri: str, beside: Path | None, at: str) -> bytes:
        """The picture at an address: in the folder of the option, or beside the lines."""
        try:
            parts = urlsplit(uri)
        except ValueError:  # such as half of a pair of brackets
            malformed(at, "an address", uri)
        path = PurePosixPath(unquote(parts.path))
        places = []
        # Data must not name files elsewhere on this machine.
        inside = not parts.scheme and not parts.netloc
        inside = inside and not path.is_absolute() and ".." not in path.parts
        if self._folder is not None:
            places = [self._folder / path] if inside else []
            places.append(self._folder / path.name)
        elif inside and beside is not None:
            places = [beside / path]
        for place in places:
            try:
                if place.is_file():
                    return place.read_bytes()
            except OSError as error:  # also of a name that is too long for a file
                raise Fault(codes.FILE_MISSING, at, file=f"{place} ({error.strerror})") from None
        if places:
            raise Fault(codes.FILE_MISSING, at, file=str(places[0]))
        raise Fault(
            codes.FILE_MISSING,
            at,
            file=f"a copy of {uri} on this machine (-O masks=DIR names its folder)",
        )


def _base64(text: str, pointer: str) -> bytes:
    # The SDK writes base64 alone; browsers put the kind before it.
    start = text.find(",") + 1 if text.startswith("data:") else 0
    try:
        return binascii.a2b_base64(text[start:] if start else text)
    except (binascii.Error, ValueError):
        message = "base64 of a PNG expected, other text found"
        raise Fault(codes.MASK_UNUSABLE, pointer, message=message) from None


_BROKEN = (masks.MaskError, struct.error, zlib.error, OverflowError, IndexError, EOFError)


def _grey(data: bytes, pointer: str) -> Mask:
    try:
        return masks.from_png(data)
    except _BROKEN as error:
        raise Fault(codes.MASK_UNUSABLE, pointer, message=str(error)) from None


def _colours(data: bytes, pointer: str) -> NDArray[np.uint32]:
    """The colours of a picture as numbers, red first."""
    import numpy as np

    try:
        pixels = masks.colours_from_png(data).astype(np.uint32)
    except _BROKEN as error:
        raise Fault(codes.MASK_UNUSABLE, pointer, message=str(error)) from None
    packed = pixels[:, :, 0] << 16 | pixels[:, :, 1] << 8 | pixels[:, :, 2]
    return packed.astype(np.uint32, copy=False)
