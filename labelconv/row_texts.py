"""The texts that offsets of Labelbox's data rows count in: its lines do not hold them, files may.

Data rows are called by keys. A key finds its file in the folder of texts, else among the media
files, with or without an ending.
"""

from __future__ import annotations

from codecs import BOM_UTF8
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import msgspec

from labelconv import codes
from labelconv.jsonstream import UNDECODABLE
from labelconv.media import MediaFiles
from labelconv.model import Conversation, Message, Text
from labelconv.offsets import WORDS, Offsets, Unit
from labelconv.problems import Report, Where


class RowTexts:
    """Finds the texts of data rows, and counts offsets in them as code points."""

    def __init__(self, folder: str | None, media: MediaFiles, unit: Unit) -> None:
        self._folder = None if folder is None else Path(folder)
        self._media = media
        self.unit: Unit = unit
        self._content: str | None = None
        self._offsets = Offsets("", "codepoint")
        #: Spans whose offsets are as they were, since their text is not at hand.
        self.kept = 0
        #: Files that were found and are of no use, with the reason.
        self._unread: dict[str, str] = {}

    def text(self, names: Sequence[str]) -> Text:
        """The text of a data row that is called by one of the names, without content if there is
        no file of it."""
        path, data = self._read(names, ".txt")
        try:
            # The exact text: no newline is translated, no byte order mark taken away.
            return Text(None if path is None else data.decode("utf-8"))
        except UnicodeDecodeError as error:
            self._unread[str(path)] = f"byte {error.start} is not of a text in UTF-8"
            return Text()

    def conversation(self, names: Sequence[str], given: Any = None) -> Conversation:
        """The messages of a data row, as its data-row JSON has them; none without that file.

        `given` is that JSON, where it is known.
        """
        path: Path | None = None
        if not isinstance(given, dict):
            path, data = self._read(names, ".json")
            try:
                # A surrogate that stands alone is no character, and is refused here.
                given = None if path is None else msgspec.json.decode(data.removeprefix(BOM_UTF8))
            except UNDECODABLE as error:
                self._unread[str(path)] = f"it is no JSON ({error})"
                return Conversation()
        if isinstance(given, dict) and isinstance(given.get("row_data"), dict):
            given = given["row_data"]
        messages = given.get("messages") if isinstance(given, dict) else None
        if path is not None and not isinstance(messages, list):
            self._unread[str(path)] = "it has no list of messages"
        found = [_message(each) for each in messages] if isinstance(messages, list) else []
        if None in found:
            reason = f"message {found.index(None) + 1} has no messageId and content"
            self._unread[f"the conversation of {names[0]!r}" if names else "a conversation"] = (
                reason
            )
        return Conversation(tuple(each for each in found if each is not None))

    def codepoints(self, content: str, start: int, end: int) -> tuple[int, int] | None:
        """Half-open code points of half-open offsets in the unit; None where those are not whole
        characters of the content."""
        if content is not self._content:
            self._content, self._offsets = content, Offsets(content, self.unit)
        offsets = self._offsets
        if end > offsets.length:
            return None
        first, last = offsets.codepoints(start), offsets.codepoints(end)
        return None if first is None or last is None else (first, last)

    def impossible(self, start: int, end: int) -> dict[str, object]:
        """What is to be said (`codes.SPAN_IMPOSSIBLE`) of offsets `codepoints` did not find."""
        length = self._offsets.length
        inside = " (inside a character)" if end <= length else ""
        return {"length": length, "unit": WORDS[self.unit], "found": f"{start}–{end}{inside}"}

    def tell(self, report: Report, where: Where) -> None:
        """Note what was taken as it is."""
        if self.kept:
            what = f"{self.kept} spans keep their offsets in UTF-16 units"
            evidence = "their texts are not given (-O texts=FOLDER)"
            report.add(codes.CONVENTION_GUESSED, where, what=what, evidence=evidence)
        for file, reason in self._unread.items():
            report.add(codes.MEDIA_UNREADABLE, where, file=file, reason=reason)

    def _read(self, names: Sequence[str], ending: str) -> tuple[Path | None, bytes]:
        """The file that is called by one of the names, with or without the ending; its bytes."""
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
                    if not isinstance(found, Path) or not found.is_file():
                        continue
                except (OSError, ValueError):
                    continue  # a name that no file system takes
                try:
                    return found, found.read_bytes()
                except OSError as error:
                    self._unread[str(found)] = (error.strerror or str(error)).lower()
        return None, b""


def content_of(media: Text | Conversation, message: str | None) -> str | None:
    """What offsets count in: the text, or the message of that id, where it is known."""
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
