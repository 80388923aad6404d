"""Payloads of lines about texts, conversations, documents and maps."""

from __future__ import annotations

from typing import Any, TypeAlias

import msgspec

from labelconv import codes
from labelconv.formats.labelbox.faults import Fault
from labelconv.formats.labelbox.names import ascii_name, ascii_text
from labelconv.formats.labelbox.options import LabelboxWriterOptions
from labelconv.formats.labelbox.writer_output import MediaLine
from labelconv.formats.labelbox.writer_shapes import PAYLOADS, box_sizes
from labelconv.formats.labelbox.writer_video import segments, track_shape
from labelconv.model import (
    Box,
    Conversation,
    OnPage,
    Sample,
    Text,
    TextSpan,
    TiledImage,
    TokenSpan,
    Track,
    Value,
)
from labelconv.offsets import WORDS, Offsets

#: What is degrees or pixels in lines about maps.
CRS_WRITTEN = frozenset({"EPSG:4326", "OGC:CRS84", "pixel"})


def payload_of(value: Value) -> str:
    """The payload of a value, by the records' name for it; of a track, that of its shapes.

    Raises `Fault` for a value that no line holds.
    """
    found = PAYLOADS.get(type(value))
    if found is not None:
        return found
    if isinstance(value, TextSpan):
        return "location"
    if isinstance(value, TokenSpan):
        return "text_selections"
    if isinstance(value, OnPage):
        return "bbox"
    if isinstance(value, Track):
        return PAYLOADS[track_shape(value)]
    raise Fault(codes.SHAPE_INVALID, found=f"a {type(value).__name__}, which no line holds")


def check_media(sample: Sample) -> None:
    """Raise `Fault` where coordinates are not what a line's would be taken for."""
    media = sample.media
    if isinstance(media, TiledImage) and media.crs not in CRS_WRITTEN:
        found = f"coordinates in {media.crs}, where degrees (EPSG:4326) or pixels are needed"
        raise Fault(codes.SHAPE_INVALID, found=found)


class Location(msgspec.Struct, gc=False):
    """Offsets as the wire has them: `end` is inclusive."""

    start: int
    end: int


#: A function that spells the answers on a keyframe.
Answers: TypeAlias = Any


class Payloads:
    """Puts payloads into lines. Raises `Fault` for what cannot be written."""

    def __init__(self, options: LabelboxWriterOptions) -> None:
        self._options = options
        self._content: str | None = None
        self._offsets = Offsets("", "codepoint")
        #: Data rows whose offsets were written though their text is not known.
        self.kept = 0

    def put(self, line: MediaLine, value: Value, sample: Sample, answers: Answers) -> None:
        """Put the payload of a value; `answers` spells classifications of keyframes."""
        if isinstance(value, TextSpan):
            self._span(line, value, sample)
        elif isinstance(value, OnPage):
            self._on_page(line, value)
        elif isinstance(value, TokenSpan):
            line.textSelections = _selections(value)
        elif isinstance(value, Track):
            line.segments = segments(value, self._options.frame_base, answers)

    # ------------------------------------------------------------------ texts

    def _span(self, line: MediaLine, span: TextSpan, sample: Sample) -> None:
        content = _content(span, sample)
        if span.message is not None:
            line.messageId = ascii_name(span.message)
        if span.start == span.end:
            raise Fault(codes.SPAN_EMPTY, "/location", start=span.start)
        unit = self._options.offset_unit
        if content is None:
            if unit == "utf16" and self._options.unknown_text == "reject":
                raise Fault(codes.TEXT_NEEDED, "/location", name=sample.key)
            self.kept += 1
            if not 0 <= span.start < span.end:
                raise _outside(span, "?")
            line.location = Location(span.start, span.end - 1)
            return
        if not 0 <= span.start < span.end <= len(content):
            raise _outside(span, len(content))
        if content is not self._content:
            self._content, self._offsets = content, Offsets(content, unit)
        units = self._offsets.units
        line.location = Location(units(span.start), units(span.end) - 1)

    # ------------------------------------------------------------------ documents

    def _on_page(self, line: MediaLine, value: OnPage) -> None:
        if not isinstance(value.shape, Box):
            found = f"a {type(value.shape).__name__} on a page, where a box is needed"
            raise Fault(codes.SHAPE_INVALID, found=found)
        line.page = _page(value.page, self._options.page_base)
        line.unit = "POINTS"
        line.bbox = box_sizes(value.shape)


def _content(span: TextSpan, sample: Sample) -> str | None:
    """The text that offsets are in, None if it is not known. Raises `Fault`."""
    media = sample.media
    if isinstance(media, Text) and span.message is None:
        return media.content
    if isinstance(media, Conversation) and span.message is not None:
        for message in media.messages:
            if message.id == span.message:
                return message.content
        return None
    found = "a span of a message outside of a conversation"
    if span.message is None:
        found = "a span without its message in a conversation"
    raise Fault(codes.SHAPE_INVALID, found=found)


def _outside(span: TextSpan, length: object) -> Fault:
    found = f"{span.start}–{span.end}"
    unit = WORDS["codepoint"]
    return Fault(codes.SPAN_IMPOSSIBLE, "/location", length=length, unit=unit, found=found)


def _page(page: int, base: int) -> int:
    if page + base < 0:
        found = f"page {page}, which counts {page + base} on the wire"
        raise Fault(codes.SHAPE_INVALID, "/page", found=found)
    return page + base


def _selections(value: TokenSpan) -> list[dict[str, object]]:
    """Tokens by group; pages count from 1 here, whatever boxes do (SDK, a validator)."""
    if not value.groups or not all(group.tokens for group in value.groups):
        raise Fault(codes.SHAPE_INVALID, "/textSelections", found="an entity without tokens")
    return [
        {
            "groupId": ascii_name(group.group),
            "tokenIds": [ascii_name(token) for token in group.tokens],
            "page": _page(group.page, 1),
        }
        for group in value.groups
    ]


def message_id(message: str) -> Any:
    """The id of a message as it is written."""
    return ascii_text(message)
