"""What a data row is about: told by its annotations, by its MIME type, or by its address."""

from __future__ import annotations

from math import isfinite
from typing import Any

from labelconv.formats.labelbox_export.addressed import path_of
from labelconv.formats.labelbox_export.labels import Label, Row
from labelconv.formats.labelbox_export.shapes import KINDS
from labelconv.media import PICTURES
from labelconv.model import (
    Audio,
    Conversation,
    Document,
    Image,
    Media,
    Text,
    TiledImage,
    Video,
)

#: Kinds of media by the values of the option `media`.
NAMES: dict[str, type[Media]] = {
    "image": Image,
    "video": Video,
    "text": Text,
    "conversation": Conversation,
    "document": Document,
    "tiled": TiledImage,
    "audio": Audio,
}
_TYPES: dict[str, type[Media]] = {"image": Image, "video": Video, "audio": Audio, "text": Text}
_ENDINGS: dict[str, type[Media]] = {
    **dict.fromkeys(PICTURES, Image),
    **dict.fromkeys((".mp4", ".mov", ".webm", ".avi", ".mkv", ".m4v"), Video),
    **dict.fromkeys((".mp3", ".wav", ".m4a", ".flac", ".ogg"), Audio),
    **dict.fromkeys((".txt", ".html", ".htm"), Text),
    ".pdf": Document,
}


def kind_of(row: Row, labels: list[Label], option: str) -> type[Media]:
    """The kind of media; what the annotations of the labels tell comes first."""
    wanted = NAMES.get(option)
    told = next((kind for kind in map(_told, labels) if kind is not None), None)
    if told is Image and wanted is TiledImage:
        return TiledImage  # layers that are no map have the shapes of pictures
    given = row.attributes
    typed = _by_type(given.get("mime_type")) or _by_type(given.get("asset_type"))
    return told or wanted or typed or _by_name(row) or Image


def media_of(kind: type[Media], row: Row, labels: list[Label]) -> Media:
    """The media with its size, without its text. `labels` tell maps from layers in pixels."""
    given = row.attributes
    width, height = _positive(given.get("width")), _positive(given.get("height"))
    if kind is Image:
        return Image(width, height)
    if kind is Video:
        count, rate = given.get("frame_count"), _positive(given.get("frame_rate"))
        return Video(width, height, count if type(count) is int and count > 0 else None, rate)
    if kind is TiledImage:
        objects = [each for label in labels for each in _listed(label.said.get("objects"))]
        mapped = not objects or any("geojson" in each for each in objects if _is_object(each))
        return TiledImage("EPSG:4326" if mapped else "pixel", width=width, height=height)
    return kind()


def _told(label: Label) -> type[Media] | None:
    said = label.said
    if "timestamp" in said or label.kind == "Audio":
        return Audio
    if "frames" in said or "segments" in said or "groups" in said or label.kind == "Video":
        return Video
    guess: type[Media] | None = None
    for each in _listed(said.get("objects")):
        if not _is_object(each):
            continue
        kind = each.get("annotation_kind")
        if isinstance(kind, str):
            found = next((media for start, media in KINDS if kind.startswith(start)), None)
            if found is not None:
                return found
        guess = guess or _by_payload(each)
    if guess is not None:
        return guess
    if any(_is_object(c) and "message_id" in c for c in _listed(said.get("classifications"))):
        return Conversation
    return None


def _by_payload(given: dict[str, Any]) -> type[Media] | None:
    if "geojson" in given:
        return TiledImage
    if "conversational_location" in given:
        return Conversation
    location = given.get("location")
    if "page_number" in given or (isinstance(location, dict) and "groups" in location):
        return Document
    if location is not None or isinstance(given.get("data"), dict):
        return Text
    return None


def _by_type(mime: Any) -> type[Media] | None:
    if not isinstance(mime, str):
        return None
    name = mime.lower()
    if "conversational" in name or "chat" in name:
        return Conversation
    if "pdf" in name:
        return Document
    if "dicom" in name:
        return Video  # a series of pictures, as its frames are numbered
    if "tile" in name or "tms" in name:
        return TiledImage
    return _TYPES.get(name.partition("/")[0])


def _by_name(row: Row) -> type[Media] | None:
    for name in (row.row_data, row.external_id, row.global_key):
        if isinstance(name, dict):
            return Conversation if "messages" in name else None
        if isinstance(name, str):
            _, dot, ending = path_of(name).lower().rpartition(".")
            found = _ENDINGS.get(dot + ending)
            if found is not None:
                return found
    return None


def last_of(address: Any) -> str | None:
    """The last part of an address, without what follows `?`."""
    return path_of(address).rpartition("/")[2] or None if isinstance(address, str) else None


def _positive(given: Any) -> float | None:
    if isinstance(given, bool) or not isinstance(given, (int, float)):
        return None
    return float(given) if 0 < given < 1e12 and isfinite(given) else None


def _listed(given: Any) -> list[Any]:
    return given if isinstance(given, list) else []


def _is_object(given: Any) -> bool:
    return isinstance(given, dict)
