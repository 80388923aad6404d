"""Which kind of media a line is about, as far as it tells."""

from __future__ import annotations

from typing import Any

from msgspec import UNSET

from labelconv.formats.labelbox.records import Line, Nested, Option
from labelconv.model import Audio, Conversation, Document, Image, Text, TiledImage, Video

#: Ends of keys, one of which is in each line that is not about a picture: `frames` and `keyframes`
#: (with `segments` and `masks`), `page` (with `textSelections`) and so on. Few and long ones, since
#: files about pictures are searched for all of them.
TELLING = (b'frames"', b'page"', b'"location"', b'essageId"', b'"sourceOntologyName"')
#: Kinds of media by the values of the reader's option `media`.
MEDIA: dict[str, type[Any]] = {
    "image": Image,
    "video": Video,
    "text": Text,
    "conversation": Conversation,
    "document": Document,
    "tiled": TiledImage,
    "audio": Audio,
}
PICTURES = frozenset({Image, TiledImage})


def is_telling(data: bytes) -> bool:
    """Whether some bytes of lines look as if one were not about a picture."""
    return any(key in data for key in TELLING)


def told(line: Line) -> type[Any] | None:
    """The kind of media that a line is about; None for a line of any, `float` for one of those
    that have time."""
    if line.segments is not UNSET or line.masks is not UNSET or line.frames is not UNSET:
        return Video
    if line.message_id is not UNSET:
        return Conversation
    if line.location is not UNSET:
        return Text
    if line.text_selections is not UNSET or line.page is not UNSET:
        return Document
    relation = line.relationship
    if relation is not UNSET and relation.source_ontology_name is not UNSET:
        return Document
    return float if has_times(line) else None


def has_times(given: Line | Nested) -> bool:
    """Whether an answer has ranges inside of it."""
    answer = given.answer if given.answer is not UNSET else given.answers
    options = (answer,) if isinstance(answer, Option) else answer
    return isinstance(options, tuple) and any(
        option.frames is not UNSET or option.value is not UNSET for option in options
    )
