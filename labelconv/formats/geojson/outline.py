"""What a GeoJSON source is, before its features are read: form, CRS, which property is what.

Members may stand before or after the features, so both ends of the file are looked at.
"""

from __future__ import annotations

import contextlib
import re
from typing import Any, Literal

import msgspec

from labelconv.crs.names import LON_LAT, PIXEL, CrsError, normal
from labelconv.errors import SourceError
from labelconv.formats.geojson.options import GeojsonReaderOptions
from labelconv.formats.geojson.wire import MEMBERS, TRAILER, Trailer
from labelconv.io import PEEK_BYTES, Source, skip_mark
from labelconv.jsonstream import UNDECODABLE, Walker

SEPARATOR = b"\x1e"
_BLANKS = b" \t\r\n"
#: Where the features may end and other members follow.
_AFTER = re.compile(rb'\]\s*,\s*(?=")')

Form = Literal["collection", "single", "lines", "rs", "empty"]


class Outline(msgspec.Struct):
    """`crs` as `names.normal` spells it; `stated` says that the file or an option names it.

    `members` are those of a collection beside type, features, crs and labelconv.
    """

    form: Form
    crs: str = LON_LAT
    stated: bool = False
    trailer: Trailer | None = None
    members: dict[str, Any] = {}


def outline(source: Source, options: GeojsonReaderOptions) -> Outline:
    """Look at both ends of a source. Raises `SourceError` and, for `source_crs`, `CrsError`."""
    if source.is_folder:
        raise SourceError(f"{source.name}: a GeoJSON file expected, a folder found")
    peek = source.peek()
    form = form_of(peek.text)
    found = Outline(form)
    raws: dict[str, msgspec.Raw] = {}
    if form in ("collection", "single"):
        raws = _members(source) if form == "collection" else _of_one(source)
    trailer = raws.pop("labelconv", None)
    if trailer is not None:
        try:
            found.trailer = TRAILER.decode(trailer)
        except UNDECODABLE:
            raws["labelconv"] = trailer  # another's
    crs = raws.pop("crs", None)
    if options.space == "pixel":
        found.crs, found.stated = PIXEL, True
    elif options.source_crs is not None:
        found.crs, found.stated = normal(options.source_crs), True
    elif crs is not None and bytes(crs) != b"null":
        found.crs, found.stated = _declared(bytes(crs), source.name), True
    for name, raw in raws.items():
        try:
            found.members[name] = msgspec.json.decode(raw)
        except UNDECODABLE as error:
            raise SourceError(
                f"{source.name}: JSON expected in the member {name}: {error}"
            ) from None
    return found


def form_of(text: bytes) -> Form:
    """The form of a source by its first bytes, without mark and blanks before."""
    if not text:
        return "empty"
    if text.startswith(SEPARATOR):
        return "rs"
    first, _, rest = text.partition(b"\n")
    if rest.lstrip()[:1] == b"{" and first.rstrip().endswith(b"}"):
        with contextlib.suppress(*UNDECODABLE):
            MEMBERS.decode(first)
            return "lines"
    return "collection" if _is_collection(text) else "single"


def _is_collection(text: bytes) -> bool:
    """Whether the object that begins here has the member `features` (or its type says so), before
    another type of geometry is met."""
    found = re.search(rb'"(?:features|FeatureCollection|Feature|coordinates|geometries)"', text)
    return found is not None and found.group() in (b'"features"', b'"FeatureCollection"')


def _members(source: Source) -> dict[str, msgspec.Raw]:
    """The members of a collection before and after its features, as text."""
    found: dict[str, msgspec.Raw] = {}
    with source.open() as file:
        skip_mark(file, source.name)
        walker = Walker(file, source.name)
        for name in walker.members():
            if name == "features":
                break
            found[name] = msgspec.Raw(walker.value())
        size = source.size()
        file.seek(max(0, size - PEEK_BYTES))
        tail = file.read()
    for place in _AFTER.finditer(tail):
        try:
            found.update(MEMBERS.decode(b"{" + tail[place.end() :]))
            break
        except UNDECODABLE:
            continue
    # The array of a member before the features may be what ends in the tail.
    return {name: raw for name, raw in found.items() if name not in ("type", "features")}


def _of_one(source: Source) -> dict[str, msgspec.Raw]:
    """The `crs` of a bare feature or geometry, which may have one too."""
    with source.open() as file:
        skip_mark(file, source.name)
        try:
            members = MEMBERS.decode(file.read())
        except UNDECODABLE:
            return {}  # said when the record is read
    return {"crs": members["crs"]} if "crs" in members else {}


class _Name(msgspec.Struct):
    name: str


class _Declared(msgspec.Struct):
    type: str
    properties: _Name


def _declared(raw: bytes, name: str) -> str:
    """The CRS of the member `crs` of 2008. Raises `SourceError`."""
    try:
        declared = msgspec.json.decode(raw, type=_Declared)
        return normal(declared.properties.name)
    except (*UNDECODABLE, CrsError) as error:
        shown = raw[:120].decode("utf-8", "replace")
        raise SourceError(
            f"{name}: a crs member that names a CRS expected, {shown} found. Name the CRS with "
            f"-O source_crs=EPSG:… ({error})"
        ) from None


def wrong_space(name: str, x: float, y: float) -> SourceError:
    """What to say of coordinates that cannot be degrees in a file that names no CRS."""
    likely = ""
    if abs(x) <= 90 and abs(y) <= 180:
        likely = " If latitude stands first, pass -O axes=yx."
    elif abs(x) <= 360 and abs(y) <= 90:
        likely = " If the longitudes run on past 180, pass -O source_crs=EPSG:4326."
    return SourceError(
        f"{name}: longitude and latitude in degrees expected, since the file names no CRS; "
        f"({x:g}, {y:g}) found. Name the CRS with -O source_crs=EPSG:…, or pass -O space=pixel for "
        f"the pixels of a picture.{likely}"
    )
