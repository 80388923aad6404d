"""Offsets into texts: code points, UTF-16 units and UTF-8 bytes; checks of spans and quotes.

Inside labelconv a span is half-open and counts code points of the exact text: no newline is
translated, nothing is normalised. Here are the units of others, once.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left, bisect_right
from typing import Literal, TypeAlias

import msgspec

from labelconv import codes
from labelconv.model import TextSpan
from labelconv.problems import Report, Where

#: What an offset counts. JavaScript counts UTF-16 units, Python code points, C and Go bytes.
Unit: TypeAlias = Literal["codepoint", "utf16", "utf8"]
UNITS: tuple[Unit, ...] = ("codepoint", "utf16", "utf8")
WORDS: dict[Unit, str] = {
    "codepoint": "code points",
    "utf16": "UTF-16 units",
    "utf8": "UTF-8 bytes",
}

_ASTRAL = re.compile("[\U00010000-\U0010ffff]")
_NOT_ASCII = re.compile("[^\x00-\x7f]")


def wide(text: str) -> list[int]:
    """Where the characters of two UTF-16 units are, those above U+FFFF.

    An offset in units is the code-point offset and one for each of them before it.
    """
    return [] if text.isascii() else [found.start() for found in _ASTRAL.finditer(text)]


class Offsets:
    """Translates offsets of one text from and to one unit.

    A text in which every character is one unit (ASCII; for UTF-16 all below U+10000) costs one
    scan by the regular-expression engine and nothing for each offset.
    """

    __slots__ = ("_extra", "_places", "_starts", "length")

    def __init__(self, text: str, unit: Unit) -> None:
        self._places: list[int] = []  # code-point offset of each character of several units
        self._starts: list[int] = []  # its offset in units
        self._extra: list[int] = [0]  # units beyond one each, before each of them and at the end
        if unit != "codepoint" and not text.isascii():
            extra = 0
            if unit == "utf16":
                self._places = wide(text)
                self._starts = [place + extra for extra, place in enumerate(self._places)]
                self._extra = [*range(len(self._places) + 1)]
                self.length = len(text) + len(self._places)
                return
            for found in _NOT_ASCII.finditer(text):
                place = found.start()
                self._places.append(place)
                self._starts.append(place + extra)
                extra += _bytes_beyond_one(found[0])
                self._extra.append(extra)
        #: The length of the text in units.
        self.length = len(text) + self._extra[-1]

    @property
    def plain(self) -> bool:
        """Whether both kinds of offset are the same everywhere in the text."""
        return not self._places

    def units(self, offset: int) -> int:
        """The offset in units of a code-point offset from 0 to the text's length."""
        return offset + self._extra[bisect_left(self._places, offset)]

    def codepoints(self, offset: int) -> int | None:
        """The code-point offset of an offset in units; None if it is inside a character."""
        number = bisect_right(self._starts, offset)
        if number == 0:
            return offset
        last = number - 1
        if offset == self._starts[last]:
            return self._places[last]
        found = offset - self._extra[number]
        return found if found > self._places[last] else None


def _bytes_beyond_one(character: str) -> int:
    point = ord(character)
    return 1 if point < 0x800 else 2 if point < 0x10000 else 3


def slice_of(text: str, start: int, end: int, unit: Unit) -> str | None:
    """What the half-open span holds; None where it has no whole characters in the text."""
    offsets = Offsets(text, unit)
    if not 0 <= start <= end <= offsets.length:
        return None
    first, last = offsets.codepoints(start), offsets.codepoints(end)
    return None if first is None or last is None else text[first:last]


def fitting(text: str, start: int, end: int, quote: str) -> str | None:
    """The reading of the offsets by which they hold `quote`, in words; None if there is none.

    Tried are the units, an inclusive end, counting from 1, and `\\r\\n` counted as one.
    """
    for first, beyond, words in (
        (start, end, ""),
        (start, end + 1, " with an inclusive end"),
        (start - 1, end - 1, " counted from 1"),
        (start - 1, end, " counted from 1 with an inclusive end"),
    ):
        for unit in UNITS:
            if slice_of(text, first, beyond, unit) == quote:
                return f"{WORDS[unit]}{words}"
    if "\r\n" in text:
        joined = text.replace("\r\n", "\n")
        for unit in UNITS:
            if slice_of(joined, start, end, unit) == quote.replace("\r\n", "\n"):
                return f"{WORDS[unit]} with every \\r\\n counted as one character"
    return None


def hint(text: str, start: int, end: int, quote: str) -> str:
    """What to say after a quote that the offsets do not hold; `; …` or nothing."""
    words = fitting(text, start, end, quote)
    if words is not None:
        unit = next((u for u in UNITS if words == WORDS[u]), None)
        do = f" (-O source_offsets={unit})" if unit is not None else ""
        return f"; as {words} they would{do}"
    at = text.find(quote)
    if at >= 0 and text.find(quote, at + 1) < 0:
        return f"; it stands at {at}–{at + len(quote)} (code points)"
    return "" if at >= 0 else "; it is nowhere in the text"


# ------------------------------------------------------------------------------ checked spans


def clean(text: str, start: int, end: int) -> bool:
    """Whether a span needs no word said about it: possible, and between words. For hot loops.

    Offsets are code points. False means only that `Spans.span` has to look.
    """
    length = len(text)
    if not 0 <= start < end <= length:
        return False
    first, last = text[start], text[end - 1]
    if first.isspace() or last.isspace() or first >= "\u0300":
        return False
    if start and first.isalnum() and text[start - 1].isalnum():
        return False
    if end == length:
        return True
    after = text[end]
    return after < "\u0300" and not (after.isalnum() and last.isalnum())


class Noted(msgspec.Struct):
    """How many spans cut a word or touch a blank, and where the first of them is."""

    cut: int
    cut_first: Where | None
    blank: int
    blank_first: Where | None


class Spans:
    """Makes spans of offsets as a source counts them; what is wrong goes into the report.

    One for each source: notes about spans that cut a word or touch a blank are counted and told
    once, by `tell`.
    """

    def __init__(self, unit: Unit, report: Report, path: str) -> None:
        self.unit = unit
        self._report = report
        self._path = path
        self._text = ""
        self._offsets = Offsets("", unit)
        self._cut = 0
        self._cut_first: Where | None = None
        self._blank = 0
        self._blank_first: Where | None = None

    def span(
        self,
        text: str,
        start: int,
        end: int,
        where: Where,
        record: bytes,
        quote: str | None = None,
        message: str | None = None,
    ) -> TextSpan | None:
        """The span, or None when it is rejected (`record` verbatim).

        Rejected are spans that are empty, outside of the text, within a character, or other than
        the source's own `quote` of them.
        """
        if self.unit != "codepoint":
            if text is not self._text:
                self._text, self._offsets = text, Offsets(text, self.unit)
            offsets = self._offsets
            if not offsets.plain:
                length = offsets.length
                first, last = offsets.codepoints(start), offsets.codepoints(end)
                if 0 <= start < end <= length and (first is None or last is None):
                    if quote is not None and fitting(text, start, end, quote) is not None:
                        return self._misquoted(text, start, end, where, record, quote)
                    inside = start if first is None else end
                    found = f"an offset inside a character ({inside})"
                    self._impossible(length, found, where, record)
                    return None
                if first is not None and last is not None:
                    if quote is not None and text[first:last] != quote and end > start >= 0:
                        return self._misquoted(text, start, end, where, record, quote)
                    start, end = first, last
        length = len(text)
        if not 0 <= start < end <= length:
            if start == end and 0 <= start <= length:
                self._report.reject(codes.SPAN_EMPTY, where, record, start=start)
                return None
            if quote is not None and fitting(text, start, end, quote) is not None:
                return self._misquoted(text, start, end, where, record, quote)
            self._impossible(self._offsets.length or length, f"{start}–{end}", where, record)
            return None
        if quote is not None and text[start:end] != quote:
            return self._misquoted(text, start, end, where, record, quote)
        # Both ends of nearly every span lie between a word and something else.
        first_char, last_char = text[start], text[end - 1]
        if first_char.isspace() or last_char.isspace():
            self._blank += 1
            self._blank_first = self._blank_first or where
        if (start and _one_word(text[start - 1], first_char)) or (
            end < length and _one_word(last_char, text[end])
        ):
            self._cut += 1
            self._cut_first = self._cut_first or where
        return TextSpan(start, end, message)

    def _impossible(self, length: int, found: str, where: Where, record: bytes) -> None:
        unit = WORDS[self.unit]
        self._report.reject(
            codes.SPAN_IMPOSSIBLE, where, record, length=length, unit=unit, found=found
        )

    def _misquoted(
        self, text: str, start: int, end: int, where: Where, record: bytes, quote: str
    ) -> TextSpan | None:
        self._report.reject(
            codes.QUOTE_MISMATCH,
            where,
            record,
            start=start,
            end=end,
            unit=WORDS[self.unit],
            held=_short(slice_of(text, start, end, self.unit) or ""),
            quote=_short(quote),
            hint=hint(text, start, end, quote),
        )
        return None

    def met(self) -> Noted:
        """The notes counted since the last `tell`."""
        return Noted(self._cut, self._cut_first, self._blank, self._blank_first)

    def join(self, met: Noted) -> None:
        """Add what was counted in a later part of the source."""
        self._cut += met.cut
        self._cut_first = self._cut_first or met.cut_first
        self._blank += met.blank
        self._blank_first = self._blank_first or met.blank_first

    def tell(self) -> None:
        """Report the notes counted since the last call."""
        if self._cut:
            where = self._cut_first or Where(path=self._path)
            self._report.add(codes.SPAN_CUTS_WORD, where, count=self._cut)
        if self._blank:
            where = self._blank_first or Where(path=self._path)
            self._report.add(codes.SPAN_AT_BLANK, where, count=self._blank)
        self._cut = self._blank = 0
        self._cut_first = self._blank_first = None


def _one_word(before: str, after: str) -> bool:
    """Whether a border between these characters cuts a word or a composed character.

    Scripts that put no blanks between words (Thai to Chinese and Japanese, U+0E00 on but for
    Hangul and what follows the CJK blocks) have no words to cut.
    """
    if before.isalnum() and after.isalnum():
        return not (_without_blanks(before) or _without_blanks(after))
    if after < "\u0300":  # no combining mark, joiner or variation selector is below
        return False
    return (
        after in _JOINING
        or before == "\u200d"
        or "\U0001f3fb" <= after <= "\U0001f3ff"  # skin tones
        or unicodedata.combining(after) != 0
    )


_JOINING = ("\u200d", "\ufe0e", "\ufe0f", "\u20e3")


def _without_blanks(character: str) -> bool:
    return (
        "\u0e00" <= character <= "\u0fff"
        or "\u1000" <= character <= "\u109f"
        or (
            "\u1780" <= character <= "\u17ff"
            or "\u2e80" <= character <= "\uabff"
            or "\uf900" <= character <= "\ufaff"
            or "\uff66" <= character <= "\uff9f"
            or "\U00020000" <= character <= "\U0003ffff"
        )
    )


def _short(text: str) -> str:
    return text if len(text) <= 40 else text[:39] + "…"
