"""Spans of lines in the texts that they count in, where those are at hand."""

from __future__ import annotations

from labelconv import codes
from labelconv.formats.labelbox.faults import Fault, malformed
from labelconv.formats.labelbox.options import LabelboxReaderOptions
from labelconv.formats.labelbox.records import Location
from labelconv.media import MediaFiles
from labelconv.model import Conversation, Text, TextSpan
from labelconv.problems import Report, Where
from labelconv.row_texts import RowTexts, content_of


class Texts:
    """Finds the text of a data row, and counts offsets in it as code points."""

    def __init__(self, options: LabelboxReaderOptions, media: MediaFiles) -> None:
        self._texts = RowTexts(options.texts, media, options.offset_unit)

    def text(self, key: str) -> Text:
        """The text of a data row, without content where there is no file of it."""
        return self._texts.text((key,))

    def conversation(self, key: str) -> Conversation:
        """The messages of a data row, as its data-row JSON has them; none without that file."""
        return self._texts.conversation((key,))

    def span(self, location: Location, media: Text | Conversation, message: str | None) -> TextSpan:
        """The span of a line as half-open code points; raises `Fault` where it is not in its text.

        Where the text is not known, the offsets stay what they count.
        """
        start, end = location.start, location.end + 1
        if end <= start:
            malformed("/location/end", f"an end of at least {start}", str(location.end))
        content = content_of(media, message)
        if content is None:
            self._texts.kept += self._texts.unit == "utf16"
            return TextSpan(start, end, message)
        found = self._texts.codepoints(content, start, end)
        if found is None:
            values = self._texts.impossible(start, end)
            raise Fault(codes.SPAN_IMPOSSIBLE, "/location", **values)
        return TextSpan(*found, message)

    def tell(self, report: Report) -> None:
        """Note what was taken as it is."""
        self._texts.tell(report, Where())
