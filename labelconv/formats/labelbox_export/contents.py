"""The texts that offsets count in: an export has their address, files beside it may have them."""

from __future__ import annotations

import json
from pathlib import Path, PurePosixPath
from typing import Any

from labelconv import codes
from labelconv.formats.labelbox_export.faults import Refused, malformed, record, text, whole
from labelconv.formats.labelbox_export.options import LabelboxExportReaderOptions
from labelconv.media import MediaFiles
from labelconv.model import Conversation, Message, Text, TextSpan
from labelconv.offsets import WORDS, Offsets, hint
from labelconv.problems import Report, Where


class Contents:
    """Finds the texts of data rows, and makes spans of offsets in them."""

    def __init__(self, options: LabelboxExportReaderOptions, media: MediaFiles) -> None:
        self._folder = None if options.texts is None else Path(options.texts)
        self._media = media
        self._unit = options.source_offsets
        self._content: str | None = None
        self._offsets = Offsets("", "codepoint")
        #: Spans whose offsets are as they were, since their text is not at hand.
        self._kept = 0

    def text(self, names: list[str], row_data: Any) -> Text:
        """The text of a data row that is called by one of the names, if it is at hand.

        v1 has short texts in the place of their address.
        """
        if isinstance(row_data, str) and "://" not in row_data[:12] and " " in row_data.strip():
            return Text(row_data)
        data = self._read(names, ".txt")
        try:
            # The exact text: no newline is translated, no byte order mark taken away.
            return Text(None if data is None else data.decode("utf-8"))
        except UnicodeDecodeError:
            return Text()

    def conversation(self, names: list[str], row_data: Any) -> Conversation:
        """The messages of a data row, as its data-row JSON has them; none without that file."""
        given = row_data
        if not isinstance(given, dict):
            data = self._read(names, ".json")
            try:
                given = None if data is None else json.loads(data)
            except (ValueError, RecursionError):
                return Conversation()
        if isinstance(given, dict) and isinstance(given.get("row_data"), dict):
            given = given["row_data"]
        messages = given.get("messages") if isinstance(given, dict) else None
        found = [_message(each) for each in messages] if isinstance(messages, list) else []
        return Conversation(tuple(each for each in found if each is not None))

    def span(
        self, given: Any, at: str, media: Text | Conversation, message: str | None
    ) -> TextSpan:
        """`{start, end, token}` as half-open code points. Raises `Refused`.

        The end is inclusive (labelbox's own exports: a token of 17 characters from 112 to 128).
        Where the text is not known, the offsets stay what they count, but for what the token tells
        about the end.
        """
        location = record(given, at, "a location with start and end")
        start = whole(location.get("start"), f"{at}/start", 0)
        end = whole(location.get("end"), f"{at}/end") + 1
        if end <= start:
            raise malformed(f"{at}/end", f"an end of {start} or more", end - 1)
        token = location.get("token")
        if token is not None and not isinstance(token, str):
            raise malformed(f"{at}/token", "a text", token)
        content = _content(media, message)
        if content is None:
            self._kept += self._unit == "utf16"
            if token and self._unit == "utf16" and Offsets(token, "utf16").length == end - start:
                end = start + len(token)
            return TextSpan(start, end, message)
        if content is not self._content:
            self._content, self._offsets = content, Offsets(content, self._unit)
        offsets = self._offsets
        first = last = None
        if end <= offsets.length:
            first, last = offsets.codepoints(start), offsets.codepoints(end)
        if token is not None and (first is None or last is None or content[first:last] != token):
            raise Refused(
                codes.QUOTE_MISMATCH,
                at,
                start=start,
                end=end,
                unit=WORDS[self._unit],
                quote=token[:40],
                held="" if first is None or last is None else content[first:last][:40],
                hint=hint(content, start, end, token),
            )
        if first is None or last is None:
            found = f"{start}–{end}" + (" (inside a character)" if end <= offsets.length else "")
            values: dict[str, object] = {"length": offsets.length, "unit": WORDS[self._unit]}
            raise Refused(codes.SPAN_IMPOSSIBLE, at, found=found, **values)
        return TextSpan(first, last, message)

    def conversational(self, given: Any, at: str, media: Conversation) -> TextSpan:
        """A span in one message. Raises `Refused`."""
        said = record(given, at, "a location in a message")
        message = text(said.get("message_id"), f"{at}/message_id", "the id of a message")
        return self.span(said.get("location"), f"{at}/location", media, message)

    def tell(self, report: Report, where: Where) -> None:
        """Note what was taken as it is."""
        if self._kept:
            what = f"{self._kept} spans keep their offsets in UTF-16 units"
            evidence = "their texts are not given (-O texts=FOLDER)"
            report.add(codes.CONVENTION_GUESSED, where, what=what, evidence=evidence)

    def _read(self, names: list[str], ending: str) -> bytes | None:
        """The file that is called by one of the names, with or without the ending."""
        for key in names:
            path = PurePosixPath(key)
            # Data must not name files elsewhere on this machine.
            if path.is_absolute() or ".." in path.parts or "\0" in key:
                continue
            for name in (key, key + ending):
                found: object = None
                if self._folder is not None:
                    found = self._folder / name
                elif self._media.given:
                    found = self._media.find(name)
                try:
                    if isinstance(found, Path) and found.is_file():
                        return found.read_bytes()
                except (OSError, ValueError):
                    continue  # a name that no file system takes
        return None


def _content(media: Text | Conversation, message: str | None) -> str | None:
    if isinstance(media, Text):
        return media.content
    return next((each.content for each in media.messages if each.id == message), None)


def _message(given: Any) -> Message | None:
    if not isinstance(given, dict):
        return None
    id, content, user = given.get("messageId"), given.get("content"), given.get("user")
    if not isinstance(id, str) or not isinstance(content, str):
        return None
    name = user.get("name", user.get("userId")) if isinstance(user, dict) else None
    return Message(id, content, name if isinstance(name, str) else None)
