"""Pages of documents: their geometry in a PDF, and the units that boxes on them are given in.

Inside labelconv a box on a page is in points (1/72 inch) from the top left of the page as it is
displayed: the CropBox after /Rotate (PDF 32000-1, 14.11.2 and 8.3). All changes of unit, origin
and axis are maps for `geometry.map_xy`: (N, 2) arrays of x, y to arrays of that shape.
"""

from __future__ import annotations

import contextlib
import logging
import math
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import msgspec

from labelconv import codes
from labelconv.errors import MissingDependencyError
from labelconv.media import Trouble
from labelconv.model import Page

if TYPE_CHECKING:
    from labelconv.geometry import Map

#: What boxes on pages are given in. `fractions` are shares of the page's width and height, 0 to 1;
#: `percent` are 0 to 100.
Unit: TypeAlias = Literal["points", "inches", "pixels", "fractions", "percent"]
#: What a page is where a PDF says nothing of its size, as PDFium takes it: US Letter.
_LETTER = (0.0, 0.0, 612.0, 792.0)
#: Nodes above a page that attributes are inherited from; more are a loop.
_DEEPEST = 64


class PdfPage(msgspec.Struct, frozen=True, gc=False):
    """A page of a PDF.

    `crop` is (left, bottom, right, top) in user space, y up, in what is displayed; `rotation` is
    0, 90, 180 or 270 degrees clockwise. `user_unit` is the size of a unit in points as the PDF
    says it. Viewers and extractors (PDFium, pdfplumber, poppler) take it as 1, and so does all that
    is here, so that their coordinates are ours (docs/formats/alto.md).
    """

    crop: tuple[float, float, float, float]
    rotation: int = 0
    user_unit: float = 1.0

    @property
    def size(self) -> Page:
        """The page as displayed."""
        width, height = self.crop[2] - self.crop[0], self.crop[3] - self.crop[1]
        return Page(height, width) if self.rotation in (90, 270) else Page(width, height)


def to_displayed(page: PdfPage) -> Map:
    """User space (origin and axes of the PDF, y up) → points from the displayed top left."""
    import numpy as np

    left, bottom, right, top = page.crop
    turn = page.rotation

    def change(xy: Any) -> Any:
        x, y = xy[:, 0], xy[:, 1]
        if turn == 90:
            pair = y - bottom, x - left
        elif turn == 180:
            pair = right - x, y - bottom
        elif turn == 270:
            pair = top - y, right - x
        else:
            pair = x - left, top - y
        return np.stack(pair, axis=1)

    return change


def to_user_space(page: PdfPage) -> Map:
    """Points from the displayed top left → user space; the inverse of `to_displayed`."""
    import numpy as np

    left, bottom, right, top = page.crop
    turn = page.rotation

    def change(xy: Any) -> Any:
        x, y = xy[:, 0], xy[:, 1]
        if turn == 90:
            pair = left + y, bottom + x
        elif turn == 180:
            pair = right - x, bottom + y
        elif turn == 270:
            pair = right - y, top - x
        else:
            pair = left + x, top - y
        return np.stack(pair, axis=1)

    return change


def flipped(height: float) -> Map:
    """Bottom-left origin ↔ top-left origin on a page of this height: y → height - y."""
    import numpy as np

    return lambda xy: np.stack((xy[:, 0], height - xy[:, 1]), axis=1)


def scales(
    unit: Unit,
    page: Page | None = None,
    *,
    pixels: tuple[float, float] | None = None,
    dpi: float = 72.0,
) -> tuple[float, float]:
    """Points that one unit is, along x and along y.

    `page` is needed for fractions and percent. Pixels go by the page's size and that of its
    picture, (width, height) in `pixels`, where both are known; that holds for pictures scaled
    unevenly. Else they go by `dpi`. Raises ValueError for a page that is needed and not given.
    """
    if unit == "points":
        return 1.0, 1.0
    if unit == "inches":
        return 72.0, 72.0
    if unit == "pixels":
        if page is not None and pixels is not None:
            return page.width / pixels[0], page.height / pixels[1]
        return 72.0 / dpi, 72.0 / dpi
    if page is None:
        raise ValueError(f"the page's size expected, since boxes are given in {unit}")
    whole = 1.0 if unit == "fractions" else 100.0
    return page.width / whole, page.height / whole


def to_points(
    unit: Unit,
    page: Page | None = None,
    *,
    pixels: tuple[float, float] | None = None,
    dpi: float = 72.0,
) -> Map:
    """Coordinates in a unit → points; see `scales`."""
    import numpy as np

    factors = np.array(scales(unit, page, pixels=pixels, dpi=dpi))
    return lambda xy: xy * factors


def from_points(
    unit: Unit,
    page: Page | None = None,
    *,
    pixels: tuple[float, float] | None = None,
    dpi: float = 72.0,
) -> Map:
    """Points → coordinates in a unit; the inverse of `to_points`."""
    import numpy as np

    factors = np.array(scales(unit, page, pixels=pixels, dpi=dpi))
    return lambda xy: xy / factors


# ------------------------------------------------------------------------------------ PDF files


def read_pdf(path: Path) -> tuple[PdfPage, ...] | Trouble:
    """The pages of a PDF in order, or what is wrong with the file. Nothing on them is decoded.

    Raises `MissingDependencyError` without pypdf.
    """
    try:
        import pypdf
        import pypdf.errors
    except ImportError as error:
        raise MissingDependencyError(
            f"{path}: the sizes of its pages need pypdf. Install it with "
            f"`pip install 'labelconv[pdf]'`."
        ) from error
    try:
        if path.stat().st_size == 0:
            return _unreadable(path, "it is empty")
        with _quiet(), path.open("rb") as file:
            reader = pypdf.PdfReader(file)
            if reader.is_encrypted and not reader.decrypt(""):
                return _unreadable(path, "it is encrypted and needs a password")
            pages = tuple(_page(page) for page in reader.pages)
    except OSError as error:
        return _unreadable(path, (error.strerror or str(error)).lower())
    except pypdf.errors.DependencyError:
        return _unreadable(path, "it is encrypted by AES; reading that needs `cryptography`")
    except Exception as error:  # a damaged file makes pypdf raise anything
        return _unreadable(path, f"a whole PDF expected; {_sentence(error)}")
    if not pages:
        return _unreadable(path, "it has no pages")
    return pages


def _unreadable(path: Path, reason: str) -> Trouble:
    return codes.MEDIA_UNREADABLE, {"file": str(path), "reason": reason}


def _sentence(error: Exception) -> str:
    said = str(error).strip().split("\n")[0] or type(error).__name__
    return said[:1].lower() + said[1:120]


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Without pypdf's remarks on damaged files, which it would write to stderr."""
    logger = logging.getLogger("pypdf")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)


def _page(page: Any) -> PdfPage:
    media = _box(_inherited(page, "/MediaBox")) or _LETTER
    crop = _box(_inherited(page, "/CropBox")) or media
    shown = (
        max(crop[0], media[0]),
        max(crop[1], media[1]),
        min(crop[2], media[2]),
        min(crop[3], media[3]),
    )
    if shown[0] >= shown[2] or shown[1] >= shown[3]:
        shown = media  # a crop outside of the page crops nothing
    turned = _number(_inherited(page, "/Rotate"))
    rotation = 0 if turned is None or turned % 90 else int(turned) % 360
    unit = _number(page.get("/UserUnit"))
    return PdfPage(shown, rotation, unit if unit is not None and unit > 0 else 1.0)


def _inherited(page: Any, name: str) -> Any:
    """An attribute of the page, or of the nearest node above that has it."""
    node = page
    for _ in range(_DEEPEST):
        found = node.get(name)
        if found is not None:
            return found.get_object()
        above = node.get("/Parent")
        if above is None:
            return None
        node = above.get_object()
    return None


def _box(given: Any) -> tuple[float, float, float, float] | None:
    """Corners in any order as (left, bottom, right, top); None for what is no area."""
    try:
        x0, y0, x1, y1 = (float(each.get_object()) for each in given)
    except (AttributeError, TypeError, ValueError):
        return None
    if not all(map(math.isfinite, (x0, y0, x1, y1))) or x0 == x1 or y0 == y1:
        return None
    return min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1)


def _number(given: Any) -> float | None:
    try:
        number = float(given.get_object())
    except (AttributeError, TypeError, ValueError):
        return None
    return number if math.isfinite(number) else None
