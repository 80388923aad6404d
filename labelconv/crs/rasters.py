"""What a raster says about itself, and masks as polygons. The only importer of rasterio.

Affine maps are those of pixel corners: GDAL shifts files that mean pixel centres ("PixelIsPoint")
by half a pixel when it reads them, so nothing is left to do here. Only the header is read.
"""

from __future__ import annotations

import os
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from labelconv.crs.affine import IDENTITY, Affine, bounds
from labelconv.crs.names import CrsError, normal
from labelconv.errors import SourceError
from labelconv.io import natural_order
from labelconv.model import Mask, Polygon, TiledImage

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

#: Endings of files that are looked at in a folder of rasters.
ENDINGS = (".tif", ".tiff", ".vrt", ".jp2", ".img", ".png", ".jpg", ".jpeg", ".ntf")


class Raster(msgspec.Struct, frozen=True):
    """A raster's header. `crs` is None and `affine` None where the file places it nowhere."""

    path: str
    width: int
    height: int
    crs: str | None
    affine: Affine | None

    @property
    def bounds(self) -> tuple[float, float, float, float] | None:
        """(west, south, east, north) in the raster's CRS, also of a turned one."""
        return None if self.affine is None else bounds(self.affine, self.width, self.height)

    @property
    def media(self) -> TiledImage:
        """The raster as media. Raises `SourceError` when it is placed nowhere."""
        crs, affine = placed(self)
        return TiledImage(crs, self.bounds, affine, float(self.width), float(self.height))


def placed(raster: Raster) -> tuple[str, Affine]:
    """(CRS, affine) of a raster. Raises `SourceError` when it has none."""
    if raster.crs is None or raster.affine is None:
        missing = "CRS" if raster.affine is not None else "affine map"
        raise SourceError(
            f"{raster.path}: a raster with a CRS and an affine map expected, no {missing} found. "
            f"Give it one, for example with gdal_translate -a_srs and -a_ullr, or gdalwarp."
        )
    return raster.crs, raster.affine


def read(path: str | os.PathLike[str]) -> Raster:
    """The header of a raster file.

    Raises `SourceError` when it cannot be read, and when it is placed by ground control points or
    by RPCs only: those bend, and an affine map made of them would be wrong somewhere.
    """
    import rasterio
    from rasterio.errors import NotGeoreferencedWarning, RasterioError

    name = os.fspath(path)
    if "://" in name or name.startswith("/vsi"):
        raise SourceError(f"{name}: a raster file on this machine expected; nothing is fetched")
    # A VRT or a sidecar file may point to the network.
    closed = rasterio.Env(CPL_VSIL_CURL_ALLOWED_EXTENSIONS=".none", GDAL_HTTP_TIMEOUT="1")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", NotGeoreferencedWarning)
            with closed, rasterio.open(name) as file:
                affine = _affine(file, name)
                crs = None if file.crs is None else normal(file.crs.to_wkt())
                return Raster(name, int(file.width), int(file.height), crs, affine)
    except (RasterioError, CrsError) as error:
        raise SourceError(f"{name}: a raster that GDAL can read expected; {error}") from error


def _affine(file: Any, name: str) -> Affine | None:
    a, b, c, d, e, f = map(float, file.transform[:6])
    found = a, b, c, d, e, f
    if found != IDENTITY:
        return found
    points, _ = file.gcps
    if points or file.rpcs is not None:
        by = f"{len(points)} ground control points" if points else "RPCs"
        raise SourceError(
            f"{name}: a raster with an affine map expected, one placed by {by} found. Make it "
            f"straight first, for example with `gdalwarp {Path(name).name} straight.tif`."
        )
    return None


class Rasters:
    """The rasters of a folder, found by a sample's name; headers are read once each."""

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self.folder = Path(folder)
        if not self.folder.exists():
            raise SourceError(f"{self.folder}: a folder of rasters expected, nothing found there")
        self._read: dict[str, Raster] = {}
        self._names: dict[str, str] | None = None

    def find(self, *names: str | None) -> Raster | None:
        """The raster that one of the names calls: a path in the folder, a file name, or its stem.

        Raises `SourceError` when a raster is found and cannot be used.
        """
        for name in names:
            path = None if not name else self._path(name)
            if path is not None:
                if path not in self._read:
                    self._read[path] = read(path)
                return self._read[path]
        return None

    def all(self) -> list[Raster]:
        """Every raster of the folder, in natural order. Raises `SourceError` as `read` does."""
        paths = dict.fromkeys(self._listed().values())
        found = []
        for path in paths:
            if path not in self._read:
                self._read[path] = read(path)
            found.append(self._read[path])
        return found

    def _path(self, name: str) -> str | None:
        plain = name.replace("\\", "/")
        listed = self._listed()
        base = plain.rsplit("/", 1)[-1]
        for candidate in (plain, base, base.rsplit(".", 1)[0]):
            if candidate in listed:
                return listed[candidate]
        return None

    def _listed(self) -> dict[str, str]:
        """Path, file name and stem → path. Of two files of one stem the first in order counts."""
        if self._names is None:
            self._names = {}
            if self.folder.is_file():
                files = [self.folder]
            else:
                files = sorted(
                    (p for p in self.folder.rglob("*") if p.suffix.lower() in ENDINGS),
                    key=lambda path: natural_order(path.as_posix()),
                )
            root = self.folder.parent if self.folder.is_file() else self.folder
            for file in files:
                self._names.setdefault(file.relative_to(root).as_posix(), str(file))
            for file in files:
                self._names.setdefault(file.name, str(file))
            for file in files:
                self._names.setdefault(file.stem, str(file))
        return self._names


# ----------------------------------------------------------------------------- masks on maps


def mask_polygon(mask: Mask, affine: Affine = IDENTITY) -> Polygon | None:
    """The outline of a mask's pixels on the map, with its holes; None for an empty mask.

    Pixels that only touch at a corner are parts of their own.
    """
    from labelconv import masks

    pixels = masks.to_array(mask)
    return array_polygon(pixels, affine)


def array_polygon(pixels: NDArray[np.uint8], affine: Affine = IDENTITY) -> Polygon | None:
    """The outline of all pixels that are 1 in a (height, width) array; see `mask_polygon`."""
    import numpy as np
    from rasterio.features import shapes
    from rasterio.transform import Affine as Transform

    if 0 in pixels.shape:
        return None
    array = np.ascontiguousarray(pixels, dtype=np.uint8)
    parts = []
    for geometry, _ in shapes(array, mask=array != 0, connectivity=4, transform=Transform(*affine)):
        parts.append(
            tuple(
                tuple(float(number) for point in ring[:-1] for number in point)
                for ring in geometry["coordinates"]
            )
        )
    return Polygon(tuple(parts)) if parts else None


def polygon_mask(polygon: Polygon, affine: Affine, height: int, width: int) -> Mask:
    """The pixels whose centres lie in a polygon on the map; holes are left out."""
    import numpy as np
    from rasterio.features import rasterize
    from rasterio.transform import Affine as Transform

    from labelconv import masks

    drawn = rasterize(
        [(polygon.__geo_interface__, 1)],
        out_shape=(height, width),
        transform=Transform(*affine),
        fill=0,
        dtype=np.uint8,
    )
    return masks.from_array(drawn)
