"""The texts that offsets count in: an export has their address, files beside it may have them."""

from __future__ import annotations

from typing import Any

from labelconv import codes
from labelconv.formats.labelbox_export.faults import Refused, malformed, record, text, whole
from labelconv.formats.labelbox_export.options import LabelboxExportReaderOptions
from labelconv.media import MediaFiles
from labelconv.model import Conversation, Text, TextSpan
from labelconv.offsets import WORDS, Offsets, hint
from labelconv.problems import Report, Where
from labelconv.row_texts import RowTexts, content_of


class Contents:
    """Finds the texts of data rows, and makes spans of offsets in them."""

    def __init__(self, options: LabelboxExportReaderOptions, media: MediaFiles) -> None:
        self._texts = RowTexts(options.texts, media, options.source_offsets)

    def text(self, names: list[str], row_data: Any) -> Text:
        """The text of a data row that is called by one of the names, if it is at hand.

        v1 has short texts in the place of their address.
        """
        if isinstance(row_data, str) and "://" not in row_data[:12] and " " in row_data.strip():
            return Text(row_data)
        return self._texts.text(names)

    def conversation(self, names: list[str], row_data: Any) -> Conversation:
        """The messages of a data row, as its data-row JSON has them; none without that file."""
        return self._texts.conversation(names, row_data)

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
        texts = self._texts
        content = content_of(media, message)
        if content is None:
            in_utf16 = texts.unit == "utf16"
            texts.kept += in_utf16
            if token and in_utf16 and Offsets(token, "utf16").length == end - start:
                end = start + len(token)
            return TextSpan(start, end, message)
        found = texts.codepoints(content, start, end)
        held = "" if found is None else content[found[0] : found[1]]
        if token is not None and (found is None or held != token):
            raise Refused(
                codes.QUOTE_MISMATCH,
                at,
                start=start,
                end=end,
                unit=WORDS[texts.unit],
                quote=token[:40],
                held=held[:40],
                hint=hint(content, start, end, token),
            )
        if found is None:
            raise Refused(codes.SPAN_IMPOSSIBLE, at, **texts.impossible(start, end))
        return TextSpan(*found, message)

    def conversational(self, given: Any, at: str, media: Conversation) -> TextSpan:
        """A span in one message. Raises `Refused`."""
        said = record(given, at, "a location in a message")
        message = text(said.get("message_id"), f"{at}/message_id", "the id of a message")
        return self.span(said.get("location"), f"{at}/location", media, message)

    def tell(self, report: Report, where: Where) -> None:
        """Note what was taken as it is."""
        self._texts.tell(report, where)
