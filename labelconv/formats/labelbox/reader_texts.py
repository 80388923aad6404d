"""The texts that offsets of lines count in: MAL lines do not hold them, files beside them may."""

from __future__ import annotations

import json
from pathlib import Path, PurePosixPath
from typing import Any

from labelconv import codes
from labelconv.formats.labelbox.faults import Fault, malformed
from labelconv.formats.labelbox.options import LabelboxReaderOptions
from labelconv.formats.labelbox.records import Location
from labelconv.media import MediaFiles
from labelconv.model import Conversation, Message, Text, TextSpan
from labelconv.offsets import WORDS, Offsets
from labelconv.problems import Report


class Texts:
    """Finds the text of a data row, and counts offsets in it as code points."""

    def __init__(self, options: LabelboxReaderOptions, media: MediaFiles) -> None:
        self._folder = None if options.texts is None else Path(options.texts)
        self._media = media
        self._unit = options.offset_unit
        self._content: str | None = None
        self._offsets = Offsets("", "codepoint")
        #: Spans whose offsets are as they were, since their text is not at hand.
        self.kept = 0

    def text(self, key: str) -> Text:
        """The text of a data row, without content where there is no file of it."""
        data = self._read(key, ".txt")
        return Text(None if data is None else _decoded(data))

    def conversation(self, key: str) -> Conversation:
        """The messages of a data row, as its data-row JSON has them; none without that file."""
        data = self._read(key, ".json")
        if data is None:
            return Conversation()
        try:
            given = json.loads(data)
        except (ValueError, RecursionError):
            return Conversation()
        if isinstance(given, dict) and isinstance(given.get("row_data"), dict):
            given = given["row_data"]
        messages = given.get("messages") if isinstance(given, dict) else None
        found = [_message(each) for each in messages] if isinstance(messages, list) else []
        return Conversation(tuple(each for each in found if each is not None))

    def span(self, location: Location, media: Text | Conversation, message: str | None) -> TextSpan:
        """The span of a line as half-open code points; raises `Fault` where it is not in its text.

        Where the text is not known, the offsets stay what they count.
        """
        start, end = location.start, location.end + 1
        if end <= start:
            malformed("/location/end", f"an end of at least {start}", str(location.end))
        content = _content(media, message)
        if content is None:
            self.kept += self._unit == "utf16"
            return TextSpan(start, end, message)
        if content is not self._content:
            self._content, self._offsets = content, Offsets(content, self._unit)
        offsets = self._offsets
        first = last = None
        if end <= offsets.length:
            first, last = offsets.codepoints(start), offsets.codepoints(end)
        if first is None or last is None:
            found = f"{start}–{end}" + (" (inside a character)" if end <= offsets.length else "")
            values: dict[str, object] = {"length": offsets.length, "unit": WORDS[self._unit]}
            raise Fault(codes.SPAN_IMPOSSIBLE, "/location", found=found, **values)
        return TextSpan(first, last, message)

    def tell(self, report: Report) -> None:
        """Note what was taken as it is."""
        if self.kept:
            what = f"{self.kept} spans keep their offsets in UTF-16 units"
            evidence = "their texts are not given (-O texts=FOLDER)"
            report.add(codes.CONVENTION_GUESSED, what=what, evidence=evidence)

    def _read(self, key: str, ending: str) -> bytes | None:
        """The file of a data row: named as its key, with or without the ending."""
        path = PurePosixPath(key)
        # Data must not name files elsewhere on this machine.
        if path.is_absolute() or ".." in path.parts or "\0" in key:
            return None
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
                continue  # a key that no file system takes
        return None


def _content(media: Text | Conversation, message: str | None) -> str | None:
    if isinstance(media, Text):
        return media.content
    return next((each.content for each in media.messages if each.id == message), None)


def _decoded(data: bytes) -> str | None:
    """The exact text: no newline is translated, no byte order mark taken away."""
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return None


def _message(given: Any) -> Message | None:
    if not isinstance(given, dict):
        return None
    id, content, user = given.get("messageId"), given.get("content"), given.get("user")
    if not isinstance(id, str) or not isinstance(content, str):
        return None
    name = user.get("name", user.get("userId")) if isinstance(user, dict) else None
    return Message(id, content, name if isinstance(name, str) else None)
