"""One CRS to another, always x (east, longitude) before y. The only importer of pyproj.

Most EPSG CRSs of degrees declare latitude first, and pyproj obeys them unless told otherwise: a
swapped pair gives garbage without an error. Everything here is told otherwise (`always_xy`).
"""

from __future__ import annotations

import contextlib
import math
import warnings
from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import msgspec

from labelconv.crs.names import LON_LAT, PIXEL, WEB_MERCATOR, CrsError, normal

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Map = Callable[[NDArray[np.float64]], NDArray[np.float64]]

#: Where Web Mercator is cut so that the world is a square: atan(sinh(π)).
HIGHEST_LATITUDE = 85.0511287798066
#: π times the radius of WGS 84: Web Mercator's x and y go from its negative to it.
MERCATOR_EDGE = 20037508.342789244
#: The length of a degree of latitude, for tolerances in metres.
METRES_A_DEGREE = 111_319.49079327358


#: No map reaches so many metres from its origin: what lies beyond is the fault of a formula that
#: was used far from where it holds, such as a polar map's other pole.
_FARTHEST = 1e8


class Change(msgspec.Struct):
    """The way from `source` to `target`, both as `names.normal` spells them.

    `to` and `back` are coordinate maps. A place that the target cannot show comes out as infinity,
    or absurdly far away (`absurd`); latitudes beyond Web Mercator's come out far away and are the
    caller's to clamp.
    """

    source: str
    target: str
    to: Map
    back: Map


class Operation(msgspec.Struct, frozen=True):
    """What was done: its name, its accuracy in metres (None where not known), and the grids that a
    better operation would need and that are not installed."""

    name: str
    accuracy: float | None
    missing: tuple[str, ...]


class Axes(msgspec.Struct, frozen=True):
    """What coordinates of a CRS are: degrees or a length, and metres a unit."""

    degrees: bool
    metres: float


@lru_cache(maxsize=1)
def _pyproj() -> Any:
    import pyproj

    module: Any = pyproj
    # Grids come from what is installed or not at all.
    module.network.set_network_enabled(active=False)
    return module


@lru_cache(maxsize=128)
def _crs(name: str) -> Any:
    pyproj = _pyproj()
    if name == PIXEL:
        raise CrsError("a CRS of a map expected, pixels found: a raster must say where they lie")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return pyproj.CRS.from_user_input(name)
    except pyproj.exceptions.CRSError as error:
        found = str(error).partition("\n")[0]
        raise CrsError(
            f"an EPSG code, WKT or PROJ string expected, {name!r} found: {found}"
        ) from None


def authority_or_wkt(text: str) -> str:
    """`EPSG:n` where the definition is one of EPSG's, else its WKT. Raises `CrsError`.

    A definition with x first and otherwise like one of EPSG's is that one, since x is first here
    anyway.
    """
    crs = _crs(text)
    found = crs.to_authority(auth_name="EPSG", min_confidence=100) or _despite_axes(crs)
    if found is None:
        return str(crs.to_wkt())
    return normal(f"{found[0]}:{found[1]}")


def _despite_axes(crs: Any) -> tuple[str, str] | None:
    found = crs.to_authority(auth_name="EPSG", min_confidence=25)
    if found is None:
        return None
    other = _crs(f"{found[0]}:{found[1]}")
    return found if crs.equals(other, ignore_axis_order=True) else None


@lru_cache(maxsize=128)
def axes(name: str) -> Axes:
    """What the coordinates of a CRS are. Raises `CrsError` for one that is no map (geocentric)."""
    crs = _crs(name)
    if crs.is_geographic:
        return Axes(True, METRES_A_DEGREE)
    if not crs.is_projected and crs.is_geocentric:
        raise CrsError(f"a CRS of a map expected, the geocentric {crs.name} found")
    if len(crs.axis_info) == 1:
        raise CrsError(f"a CRS of a map expected, the vertical {crs.name} found")
    factor = crs.axis_info[0].unit_conversion_factor if crs.axis_info else 1.0
    return Axes(False, factor or 1.0)


@lru_cache(maxsize=128)
def area_of_use(name: str) -> tuple[float, float, float, float] | None:
    """(west, south, east, north) in degrees that a CRS is made for, if it says so."""
    area = _crs(name).area_of_use
    return None if area is None else (area.west, area.south, area.east, area.north)


@lru_cache(maxsize=64)
def change(source: str, target: str) -> Change:
    """The way between two CRSs, in any spelling. Raises `CrsError`."""
    one, other = normal(source), normal(target)
    if one == other:
        return Change(one, other, _same, _same)
    axes(one)
    axes(other)
    transformer = _transformer(one, other)

    def to(places: NDArray[np.float64]) -> NDArray[np.float64]:
        return _transformed(transformer, places, "FORWARD")

    def back(places: NDArray[np.float64]) -> NDArray[np.float64]:
        return _transformed(transformer, places, "INVERSE")

    return Change(one, other, to, back)


def _same(places: NDArray[np.float64]) -> NDArray[np.float64]:
    return places


def _transformed(
    transformer: Any, places: NDArray[np.float64], direction: str
) -> NDArray[np.float64]:
    """(N, 2) places, changed in one copy of them whose columns lie together."""
    import numpy as np

    columns = np.array(places.T, dtype=np.float64, order="C")
    x, y = transformer.transform(*columns, inplace=True, direction=direction)
    if x is not columns[0] and (x.base is not columns or y.base is not columns):
        columns = np.stack((x, y))
    return columns.T


@lru_cache(maxsize=64)
def _transformer(source: str, target: str) -> Any:
    pyproj = _pyproj()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return pyproj.Transformer.from_crs(
                _crs(source), _crs(target), always_xy=True, only_best=False
            )
    except pyproj.exceptions.ProjError as error:
        raise CrsError(f"no way from {source} to {target}: {error}") from None


def operation(source: str, target: str) -> Operation:
    """What leads from one CRS to the other, as far as is known.

    Ask after something was transformed: where several operations lead there, PROJ chooses by place
    and only the one used last is known.
    """
    one, other = normal(source), normal(target)
    if one == other:
        return Operation("nothing to do", 0.0, ())
    pyproj = _pyproj()
    used = _transformer(one, other)
    with contextlib.suppress(pyproj.exceptions.ProjError):  # when nothing was transformed yet
        used = used.get_last_used_operation()
    accuracy = used.accuracy
    known = accuracy if accuracy is not None and math.isfinite(accuracy) and accuracy >= 0 else None
    return Operation(used.description, known, _missing_grids(one, other, known))


@lru_cache(maxsize=64)
def _missing_grids(source: str, target: str, accuracy: float | None) -> tuple[str, ...]:
    """Grids of operations that are more exact than the one used and cannot be used without them."""
    pyproj = _pyproj()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        group = pyproj.transformer.TransformerGroup(_crs(source), _crs(target), always_xy=True)
    names: dict[str, None] = {}
    for other in group.unavailable_operations:
        better = accuracy is None or (other.accuracy is not None and 0 <= other.accuracy < accuracy)
        if better:
            names.update((g.short_name, None) for g in other.grids if not g.available)
    return tuple(names)


def clamp_mercator(places: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Web Mercator's coordinates with y within its square, and which of them were outside.

    At a pole y is finite but 242,528,680 m, twelve worlds away, and may be infinite beside it.
    """
    import numpy as np

    # A hair of room, so that what was written at the very edge is not told as outside.
    outside = np.abs(places[:, 1]) > MERCATOR_EDGE + 1e-6
    if not outside.any():
        return places, outside
    clamped = places.copy()
    clamped[:, 1] = np.clip(places[:, 1], -MERCATOR_EDGE, MERCATOR_EDGE)
    return clamped, outside


def absurd(places: NDArray[np.float64], name: str) -> NDArray[np.bool_]:
    """Which of (N, 2) places of a CRS are none: infinite, or farther away than any map reaches."""
    import numpy as np

    kind = axes(name)
    limit = np.inf if kind.degrees else _FARTHEST / kind.metres
    if np.abs(places).max(initial=0.0) < limit:  # false where there is a NaN
        return np.zeros(len(places), dtype=bool)
    with np.errstate(invalid="ignore"):
        near = (np.abs(places) < limit) & np.isfinite(places)
    return np.asarray(~near.all(axis=1))


def mercator_latitude(y: float) -> float:
    """The latitude of a y of Web Mercator, both as distances from the equator."""
    return math.degrees(math.atan(math.sinh(min(y * (math.pi / MERCATOR_EDGE), 700.0))))


def projjson(name: str) -> dict[str, Any]:
    """A CRS as PROJJSON."""
    found: dict[str, Any] = _crs(name).to_json_dict()
    return found


def short(name: str) -> str:
    """A CRS for a sentence: its number, or the name that its definition gives it."""
    if name.startswith("EPSG:") or name == PIXEL:
        return name
    return str(_crs(name).name)


def metres_a_unit(at: NDArray[np.float64], name: str) -> NDArray[np.float64]:
    """(N, 2) metres on the ground of one unit along x and along y, at (N, 2) places of a CRS."""
    import numpy as np

    kind = axes(name)
    factors = np.full(at.shape, kind.metres)
    if kind.degrees:
        factors[:, 0] *= np.cos(np.radians(np.clip(at[:, 1], -90, 90)))
    elif name == WEB_MERCATOR:
        factors /= np.cosh(np.clip(at[:, 1:] * (math.pi / MERCATOR_EDGE), -50, 50))
    return factors


def transform_bounds(
    bounds: tuple[float, float, float, float], source: str, target: str
) -> tuple[float, float, float, float]:
    """(west, south, east, north) around what an area covers in another CRS, its edges included.

    Across the antimeridian west is greater than east, as RFC 7946 (section 5.2) has it. Raises
    `CrsError` when the target cannot show the area.
    """
    one, other = normal(source), normal(target)
    if one == other:
        return bounds
    pyproj = _pyproj()
    try:
        found = _transformer(one, other).transform_bounds(*bounds, densify_pts=21)
    except pyproj.exceptions.ProjError as error:
        raise CrsError(f"the bounds {bounds} of {one} have no place in {other}: {error}") from None
    west, south, east, north = map(float, found)
    limit = _FARTHEST / axes(other).metres
    if not all(abs(edge) < limit for edge in (west, south, east, north)):
        raise CrsError(f"the bounds {bounds} of {one} have no place in {other}")
    return west, south, east, north


__all__ = [
    "HIGHEST_LATITUDE",
    "LON_LAT",
    "MERCATOR_EDGE",
    "METRES_A_DEGREE",
    "Axes",
    "Change",
    "Operation",
    "absurd",
    "area_of_use",
    "authority_or_wkt",
    "axes",
    "change",
    "clamp_mercator",
    "mercator_latitude",
    "metres_a_unit",
    "operation",
    "projjson",
    "short",
    "transform_bounds",
]
