"""Objects as values: shapes of pictures and maps, boxes and tokens of documents, spans of texts."""

from __future__ import annotations

from itertools import chain
from typing import Any

from labelconv import codes, geometry
from labelconv.formats.labelbox_export.contents import Contents
from labelconv.formats.labelbox_export.faults import (
    Refused,
    listed,
    malformed,
    number,
    positions,
    record,
    shown,
    text,
    whole,
)
from labelconv.formats.labelbox_export.options import LabelboxExportReaderOptions
from labelconv.formats.labelbox_export.pictures import Pictures
from labelconv.model import (
    Audio,
    Box,
    Conversation,
    Coordinates,
    Document,
    Image,
    Mask,
    Media,
    OnPage,
    Point,
    Polygon,
    Polyline,
    Shape,
    Text,
    TiledImage,
    TokenGroup,
    TokenSpan,
    Value,
    Video,
)

#: Members that hold the geometry of an object, v2's and v1's.
GEOMETRY = (
    "bounding_box",
    "bbox",
    "polygon",
    "line",
    "point",
    "mask",
    "composite_mask",
    "instanceURI",
    "geojson",
    "location",
    "conversational_location",
    "data",
)
_CHATS = ("selected_message", "selected_messages", "ranked_messages")
#: How kinds begin that judge messages, whatever members they have. (Tools of SDK 7.17.0; no export
#: of the last three is public.)
_NO_GEOMETRY = ("Message", "StepReasoning", "FactChecking", "PromptIssue")


class Shapes:
    """Makes the values of objects of one kind of media after the other."""

    def __init__(
        self, options: LabelboxExportReaderOptions, pictures: Pictures, contents: Contents
    ) -> None:
        self._pictures = pictures
        self._contents = contents
        self._page_base = options.page_base
        self._dpi = options.dpi

    def value(self, given: dict[str, Any], at: str, media: Media, feature: str | None) -> Value:
        """The value of an object that is no track. Raises `Refused`."""
        kind = type(media)
        if isinstance(media, (Text, Conversation)):
            if "conversational_location" in given:
                if isinstance(media, Text):
                    raise _elsewhere(given, at, "conversational_location", "conversations")
                where = f"{at}/conversational_location"
                return self._contents.conversational(given["conversational_location"], where, media)
            if "location" in given and isinstance(media, Text):
                return self._contents.span(given["location"], f"{at}/location", media, None)
            if isinstance(given.get("data"), dict) and isinstance(media, Text):
                location = given["data"].get("location")
                return self._contents.span(location, f"{at}/data/location", media, None)
        elif kind is Document:
            if "location" in given:
                return _tokens(given["location"], f"{at}/location")
            if "page_number" in given or "bounding_box" in given or "bbox" in given:
                return self._on_page(given, at)
        elif kind in (Image, TiledImage):
            mapped = isinstance(media, TiledImage) and media.crs != "pixel"
            if mapped and "geojson" in given:
                return _map_shape(given["geojson"], f"{at}/geojson")
            if not mapped and "geojson" not in given:
                return self.shape(given, at, feature, size_of(media))
            raise _elsewhere(given, at, _payload(given), "another kind of layer")
        raise _elsewhere(given, at, _payload(given), _belongs(given))

    def shape(
        self, given: dict[str, Any], at: str, feature: str | None, size: tuple[int, int] | None
    ) -> Shape:
        """A shape in pixels. `size` is (height, width) where it is known. Raises `Refused`."""
        if "bounding_box" in given:
            return _box(given["bounding_box"], f"{at}/bounding_box")
        if "bbox" in given:
            return _box(given["bbox"], f"{at}/bbox")
        if "polygon" in given:
            return _polygon(given["polygon"], f"{at}/polygon")
        if "line" in given:
            return Polyline(positions(given["line"], f"{at}/line", 2))
        if "point" in given:
            place = f"{at}/point"
            point = record(given["point"], place, "a point with x and y")
            return Point(number(point.get("x"), f"{place}/x"), number(point.get("y"), f"{place}/y"))
        for key in ("mask", "composite_mask"):
            if key in given:
                return self._mask(given[key], f"{at}/{key}", feature, size)
        if "instanceURI" in given:
            return self._mask(given["instanceURI"], f"{at}/instanceURI", feature, size)
        raise _elsewhere(given, at, _payload(given), _belongs(given))

    def _mask(self, given: Any, at: str, feature: str | None, size: tuple[int, int] | None) -> Mask:
        return self._pictures.mask(given, at, feature, size)

    def _on_page(self, given: dict[str, Any], at: str) -> OnPage:
        key = "bounding_box" if "bounding_box" in given else "bbox"
        place = f"{at}/{key}"
        page = given.get("page_number", given.get("page"))
        base = self._page_base
        page = whole(page, f"{at}/page_number", base) - base
        box = _box(given.get(key), place)
        unit = given[key].get("unit", given.get("unit", "POINTS"))
        if not isinstance(unit, str):
            raise malformed(f"{place}/unit", "points, inches, pixels or percent", unit)
        across = down = 1.0
        name = unit.upper()
        if name == "INCHES":
            across = down = 72.0
        elif name == "PIXELS":
            if self._dpi is None:
                raise malformed(
                    f"{place}/unit", "pixels an inch (-O dpi=…)", "a box in pixels alone"
                )
            across = down = 72.0 / self._dpi
        elif name == "PERCENT":
            # Shares of the page from 0 to 1 (SDK 7.17.0, a test), whatever the word says.
            across, down = _page_size(given.get("page_dimensions"), f"{at}/page_dimensions")
        elif name != "POINTS":
            raise malformed(f"{place}/unit", "points, inches, pixels or percent", unit)
        if name == "POINTS":
            return OnPage(page, box)
        return OnPage(page, Box(box.x0 * across, box.y0 * down, box.x1 * across, box.y1 * down))


def _box(given: Any, at: str) -> Box:
    try:
        top, left = given["top"], given["left"]
        height, width = given["height"], given["width"]
    except (KeyError, TypeError, IndexError):
        raise malformed(at, "top, left, height and width", given) from None
    top, left = number(top, f"{at}/top"), number(left, f"{at}/left")
    height, width = number(height, f"{at}/height"), number(width, f"{at}/width")
    if height < 0 or width < 0:
        raise Refused(codes.BOX_IMPOSSIBLE, at, found=f"{width:g} × {height:g}")
    return Box(left, top, left + width, top + height)


def _polygon(given: Any, at: str) -> Polygon:
    ring = geometry.opened(positions(given, at, 3))
    if len(ring) < 6:
        raise Refused(codes.SHAPE_INVALID, at, found="a polygon of two points")
    return Polygon(((ring,),))


def _page_size(given: Any, at: str) -> tuple[float, float]:
    """Width and height of a page in points. Raises `Refused`."""
    size = record(given, at, "the dimensions of the page")
    width, height = number(size.get("width"), f"{at}/width"), number(size.get("height"), at)
    unit = str(size.get("unit", "points")).upper()
    if unit not in ("POINTS", "INCHES") or width <= 0 or height <= 0:
        raise malformed(at, "the dimensions of the page in points or inches", given)
    return (width * 72, height * 72) if unit == "INCHES" else (width, height)


def _tokens(given: Any, at: str) -> TokenSpan:
    """Tokens of the text layer; their pages count from 1 (SDK, its validator)."""
    said = record(given, at, "a location with groups")
    groups = listed(said.get("groups"), f"{at}/groups", "a list of groups")
    if not groups:
        raise malformed(f"{at}/groups", "a group of tokens or more", said.get("groups"))
    made = []
    for n, each in enumerate(groups):
        place = f"{at}/groups/{n}"
        group = record(each, place, "a group of tokens")
        tokens = listed(group.get("tokens"), f"{place}/tokens", "a list of tokens")
        if not tokens:
            raise malformed(f"{place}/tokens", "a token or more", tokens)
        page = whole(group.get("page_number"), f"{place}/page_number", 1) - 1
        ids = tuple(
            text(t, f"{place}/tokens/{i}", "the id of a token") for i, t in enumerate(tokens)
        )
        made.append(TokenGroup(page, text(group.get("id"), f"{place}/id", "an id"), ids))
    return TokenSpan(tuple(made))


# --------------------------------------------------------------------------------- maps


def _map_shape(given: Any, at: str) -> Shape:
    """A GeoJSON geometry in longitude and latitude; a ring along the edges of a box is one."""
    said = record(given, at, "a GeoJSON geometry")
    kind, places = said.get("type"), said.get("coordinates")
    place = f"{at}/coordinates"
    if kind == "Point":
        return Point(*_pairs([places], place))
    if kind == "LineString":
        line = _pairs(places, place)
        if len(line) < 4:
            raise malformed(place, "a line of two points or more", places)
        return Polyline(line)
    if kind == "Polygon":
        return Polygon((_rings(places, place),))
    if kind == "MultiPolygon":
        parts = listed(places, place, "a list of polygons")
        if not parts:
            raise malformed(place, "a polygon or more", places)
        return Polygon(tuple(_rings(part, f"{place}/{n}") for n, part in enumerate(parts)))
    raise malformed(f"{at}/type", "Point, LineString, Polygon or MultiPolygon", kind)


def _rings(given: Any, at: str) -> tuple[Coordinates, ...]:
    rings = tuple(
        geometry.opened(_pairs(ring, f"{at}/{n}"))
        for n, ring in enumerate(listed(given, at, "a list of rings"))
    )
    if not rings or any(len(ring) < 6 for ring in rings):
        raise malformed(at, "rings of three points or more", given)
    return rings


def _pairs(given: Any, at: str) -> Coordinates:
    found = []
    for n, each in enumerate(listed(given, at, "a list of positions")):
        if not isinstance(each, list) or len(each) < 2:
            raise malformed(f"{at}/{n}", "longitude and latitude", each)
        found.append((number(each[0], f"{at}/{n}/0"), number(each[1], f"{at}/{n}/1")))
    return tuple(chain.from_iterable(found))


def as_box(shape: Value) -> Value:
    """A polygon that runs along the edges of a box (kind GeoBoundingBox) as the box."""
    if not isinstance(shape, Polygon) or len(shape.parts) != 1 or len(shape.parts[0]) != 1:
        return shape
    ring = shape.parts[0][0]
    x0, y0, x1, y1 = geometry.ring_bounds(ring)
    corners = {(x0, y0), (x1, y0), (x1, y1), (x0, y1)}
    if len(ring) == 8 and set(zip(ring[::2], ring[1::2], strict=True)) == corners:
        return Box(x0, y0, x1, y1)
    return shape


# ------------------------------------------------------------------------- what does not fit


def size_of(media: Media) -> tuple[int, int] | None:
    """(height, width) of a picture or a video, where both are known."""
    if isinstance(media, (Image, Video)) and media.height and media.width:
        return int(media.height), int(media.width)
    return None


def _payload(given: dict[str, Any]) -> str:
    for key in (*GEOMETRY, *_CHATS):
        if key in given:
            return key
    return ""


def _belongs(given: dict[str, Any]) -> str:
    payload = _payload(given)
    if payload in _CHATS:
        return "chats with several models"
    if payload == "geojson":
        return "maps"
    if payload in ("location", "data"):
        return "texts and documents"
    if payload == "conversational_location":
        return "conversations"
    return "pictures"


def _elsewhere(given: dict[str, Any], at: str, payload: str, media: str) -> Refused:
    """What to raise for an object about other media than its data row."""
    if not payload:
        kind = given.get("annotation_kind")
        if isinstance(kind, str) and kind.startswith(_NO_GEOMETRY):
            return Refused(
                codes.PAYLOAD_NOT_READ, at, found=kind, media="chats with several models"
            )
        found = f"{', '.join(given)} ({shown(kind)})"
        return malformed(at, "an object with a geometry", found)
    return Refused(codes.PAYLOAD_NOT_READ, f"{at}/{payload}", found=payload, media=media)


#: Kinds of media by what the names of annotation kinds begin with.
KINDS: tuple[tuple[str, type[Media]], ...] = (
    ("Image", Image),
    ("Video", Video),
    ("Text", Text),
    ("Conversational", Conversation),
    ("Message", Conversation),
    ("Document", Document),
    ("Geo", TiledImage),
    ("Audio", Audio),
)
