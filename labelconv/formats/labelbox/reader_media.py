"""Lines about videos, texts, conversations, documents and sounds as what the model has for them."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeAlias

import msgspec
from msgspec import UNSET

from labelconv import codes
from labelconv.errors import OptionError
from labelconv.formats.labelbox.faults import Fault, malformed
from labelconv.formats.labelbox.options import LabelboxReaderOptions
from labelconv.formats.labelbox.reader_lenient import ELSEWHERE
from labelconv.formats.labelbox.reader_lines import Lines
from labelconv.formats.labelbox.reader_masks import Pictures
from labelconv.formats.labelbox.reader_texts import Texts
from labelconv.formats.labelbox.reader_timed import Clock, answers
from labelconv.formats.labelbox.reader_told import has_times
from labelconv.formats.labelbox.reader_video import mask_tracks, track
from labelconv.formats.labelbox.records import Line, TextSelection
from labelconv.formats.labelbox.wire import payload
from labelconv.formats.labelbox.writer_beyond import Beyond
from labelconv.model import (
    Annotation,
    Audio,
    Box,
    Classification,
    Conversation,
    Document,
    Media,
    OnPage,
    Relation,
    Text,
    TokenGroup,
    TokenSpan,
    Value,
    Video,
)
from labelconv.problems import Report, Where

#: What a line says, or why one of the objects in it cannot be read.
Made: TypeAlias = Annotation | Classification | Relation | Beyond | Fault


class MediaLines:
    """Makes values of the model from lines about one kind of media each."""

    def __init__(
        self,
        lines: Lines,
        pictures: Pictures,
        texts: Texts,
        options: LabelboxReaderOptions,
        report: Report,
    ) -> None:
        self._lines = lines
        self._pictures = pictures
        self._texts = texts
        self._options = options
        self._report = report
        self._points = _page_size(options.page_size)

    def media(self, kind: type[Any], key: str) -> Media:
        """The media of a data row, with its text where that is at hand."""
        if kind is Text:
            return self._texts.text(key)
        if kind is Conversation:
            return self._texts.conversation(key)
        made: Media = kind()
        return made

    def made(
        self, line: Line, id: str, where: Where, beside: Path | None, media: Media
    ) -> list[Made]:
        """What a line says of this media. `id` is the annotation's or the relation's.

        Raises `Fault` for a line that cannot be used.
        """
        self._lines.count(line)
        if line.answer is not UNSET or line.answers is not UNSET:
            return self._answers(line, media)
        name = self._lines.features.name(line.name, line.schema_id)
        if line.relationship is not UNSET:
            return [self._relation(line, name, id)]
        if line.masks is not UNSET and isinstance(media, Video):
            base = self._options.frame_base
            found = self._pictures, self._lines, beside, where, self._report
            return mask_tracks(line.masks, id, base, *found)
        value = self._value(line, media, where)
        classifications: tuple[Classification, ...] = ()
        if line.classifications is not UNSET:
            classifications = self._lines.nested(line.classifications, "")
        confidence = None if line.confidence is UNSET else line.confidence
        return [Annotation(id, name, value, classifications, confidence)]

    # ------------------------------------------------------------------ answers, relations

    def _answers(self, line: Line, media: Media) -> list[Made]:
        timed = line.frames is not UNSET or has_times(line)
        message = None if line.message_id is UNSET else line.message_id
        if (message is not None and not isinstance(media, Conversation)) or line.page is not UNSET:
            raise _strange("messageId" if message is not None else "page")
        if timed and not isinstance(media, (Video, Audio)):
            raise _strange("frames")
        if timed:
            clock = Clock(None if isinstance(media, Audio) else self._options.frame_base)
            return list(answers(self._lines, line, clock))
        asked = self._lines.classification(line, "")
        return [asked if message is None else msgspec.structs.replace(asked, message=message)]

    def _relation(self, line: Line, name: str, id: str) -> Relation | Beyond:
        ends = line.relationship
        assert ends is not UNSET
        if ends.source_ontology_name is UNSET:
            return self._lines.relation(line, name, id)
        return Beyond(
            name=name,
            source=ends.source_ontology_name,
            target=ends.target,
            directed=ends.type == "unidirectional",
            readonly=ends.readonly is True,
            uuid=None if line.uuid is UNSET else id,
        )

    # ------------------------------------------------------------------ objects

    def _value(self, line: Line, media: Media, where: Where) -> Value:
        if isinstance(media, Video) and line.segments is not UNSET:
            return track(self._lines, line.segments, self._options.frame_base, where, self._report)
        if isinstance(media, (Text, Conversation)) and line.location is not UNSET:
            message = None if line.message_id is UNSET else line.message_id
            if (message is None) is isinstance(media, Conversation):
                raise _strange("location" if message is None else "messageId")
            return self._texts.span(line.location, media, message)
        if isinstance(media, Document):
            if line.text_selections is not UNSET:
                return _tokens(line.text_selections)
            if line.bbox is not UNSET and line.page is not UNSET:
                return self._on_page(line, where)
        raise _strange(payload(line))

    def _on_page(self, line: Line, where: Where) -> OnPage:
        assert line.page is not UNSET
        assert line.bbox is not UNSET
        page = line.page - self._options.page_base
        if page < 0:
            expected = f"a page of {self._options.page_base} or more"
            malformed("/page", expected, str(line.page))
        box = self._lines.box(line.bbox, where)
        across = down = 1.0
        if line.unit == "INCHES":
            across = down = 72.0
        elif line.unit == "PIXELS":
            if self._options.dpi is None:
                malformed("/unit", "pixels an inch (-O dpi=…)", "a box in PIXELS alone")
            across = down = 72.0 / self._options.dpi
        elif line.unit == "PERCENT":
            # Shares of the page from 0 to 1 (SDK 7.17.0, a test), whatever the word says.
            if self._points is None:
                expected = "the size of the pages (-O page_size=WIDTHxHEIGHT in points)"
                malformed("/unit", expected, "a box in PERCENT alone")
            across, down = self._points
        if line.unit == "POINTS":
            return OnPage(page, box)
        return OnPage(page, Box(box.x0 * across, box.y0 * down, box.x1 * across, box.y1 * down))


def _tokens(given: tuple[TextSelection, ...]) -> TokenSpan:
    return TokenSpan(
        tuple(TokenGroup(each.page - 1, each.group_id, each.token_ids) for each in given)
    )


def _strange(key: str) -> Fault:
    """The `Fault` of a line that is about other media than its data row."""
    fields = {each.name: each.encode_name for each in msgspec.structs.fields(Line)}
    found = fields.get(key, key)
    raise Fault(
        codes.PAYLOAD_NOT_READ, f"/{found}", found=found, media=ELSEWHERE.get(found, "pictures")
    )


def _page_size(text: str | None) -> tuple[float, float] | None:
    """Width and height of pages; raises `OptionError`."""
    if text is None:
        return None
    width, _, height = text.partition("x")
    try:
        size = float(width), float(height)
    except ValueError:
        size = (0.0, 0.0)
    if not (0 < size[0] < float("inf") and 0 < size[1] < float("inf")):
        raise OptionError(f"page_size as WIDTHxHEIGHT in points expected, {text!r} found")
    return size
