"""Lines of plain entities in a text, which most data about texts consist of, in one go."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable

from msgspec import Raw

from labelconv.formats.labelbox.names import Feature
from labelconv.formats.labelbox.options import LabelboxWriterOptions
from labelconv.formats.labelbox.writer_output import named, text_of
from labelconv.formats.labelbox.writer_uuids import Uuids
from labelconv.model import Sample, Text, TextSpan
from labelconv.offsets import wide


class PlainSpans:
    """Spells the lines of samples that have nothing but entities with a name and a place.

    The bytes are those that lines one by one would give.
    """

    def __init__(
        self,
        feature: Callable[[str, str], Feature],
        uuids: Uuids,
        options: LabelboxWriterOptions,
    ) -> None:
        self._feature = feature
        self._uuids = uuids
        self._with_uuids = options.uuid
        #: What is before the data row; a uuid comes before that.
        self._start = '",' if options.uuid else "{"
        self._in_utf16 = options.offset_unit == "utf16"
        self._heads: dict[str, str] = {}

    def lines(self, sample: Sample, row: Raw) -> bytes | None:
        """All lines of a sample; None where any is not plain, and nothing is used up then."""
        media = sample.media
        if not isinstance(media, Text) or media.content is None:
            return None
        length = len(media.content)
        wide_ones = wide(media.content) if self._in_utf16 else []
        beginning = f'{self._start}"dataRow":{text_of(row)},'
        heads = self._heads
        ids: list[str] = []
        spelled: list[str] = []
        for annotation in sample.annotations:
            span = annotation.value
            if (
                type(span) is not TextSpan
                or span.message is not None
                or annotation.classifications
                or annotation.confidence is not None
            ):
                return None
            start, end = span.start, span.end
            if not 0 <= start < end <= length:
                return None
            if wide_ones:
                start += bisect_left(wide_ones, start)
                end += bisect_left(wide_ones, end)
            head = heads.get(annotation.category)
            if head is None:
                head = heads[annotation.category] = named(
                    self._feature(annotation.category, "location")
                )
            ids.append(annotation.id)
            spelled.append(f'{beginning}{head}"location":{{"start":{start},"end":{end - 1}}}}}\n')
        if not self._with_uuids:
            return "".join(spelled).encode("ascii")
        return self._uuids.between(sample.key, ids, '{"uuid":"', spelled).encode("ascii")
