"""Texts and their tokens: laid onto a text, cut out of it, and spans as tags can say them."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from typing import TypeAlias

import msgspec

from labelconv.errors import MissingDependencyError, OptionError
from labelconv.model import Annotation, TextSpan


def align(tokens: list[str], text: str, start: int = 0) -> list[tuple[int, int]] | int:
    """Where each token stands in the text, in order, from `start` on: half-open code points.

    Between tokens only blanks may stand. Quotes and brackets as the Penn Treebank spells them
    (two backquotes, `-LRB-`) match what they stand for. An int is the number of the first token
    that is not found.
    """
    places: list[tuple[int, int]] = []
    at = start
    for number, token in enumerate(tokens):
        end = at + len(token)
        if text[at:end] != token or not token:
            while at < len(text) and text[at].isspace() and not text.startswith(token, at):
                at += 1
            for spelled in (token, *_RESPELLED.get(token, ())):
                if spelled and text.startswith(spelled, at):
                    end = at + len(spelled)
                    break
            else:
                return number
        places.append((at, end))
        at = end
    return places


#: What tokens of the Penn Treebank stand for in running text.
_RESPELLED: dict[str, tuple[str, ...]] = {
    "``": ('"', "“", "''", "„", "«"),
    "''": ('"', "”", "“", "»"),
    "`": ("'", "‘"),
    "'": ("’", "‘"),
    '"': ("“", "”", "``", "''"),
    "-LRB-": ("(",),
    "-RRB-": (")",),
    "-LSB-": ("[",),
    "-RSB-": ("]",),
    "-LCB-": ("{",),
    "-RCB-": ("}",),
    "...": ("…",),
    "--": ("–", "—"),
    "\\/": ("/",),
    "\\*": ("*",),
}


#: Cuts a text into tokens, blanks included, and at every border given.
Tokenizer: TypeAlias = Callable[[str, Iterable[int]], list[tuple[int, int]]]

_TOKEN = re.compile(r"\w+|[^\w\s]|\s+")


def tokens(text: str, borders: Iterable[int]) -> list[tuple[int, int]]:
    """The text cut into words, single other characters and runs of blanks: half-open offsets.

    Also cut at every one of `borders`, so that spans begin and end with tokens.
    """
    return cut_at([found.span() for found in _TOKEN.finditer(text)], borders)


def cut_at(places: list[tuple[int, int]], borders: Iterable[int]) -> list[tuple[int, int]]:
    """The pieces, cut also at the borders."""
    cuts = sorted({*borders})
    if not cuts:
        return places
    pieces: list[tuple[int, int]] = []
    number = 0
    for start, end in places:
        while number < len(cuts) and cuts[number] <= start:
            number += 1
        while number < len(cuts) and cuts[number] < end:
            pieces.append((start, cuts[number]))
            start = cuts[number]
            number += 1
        pieces.append((start, end))
    return pieces


def tokenizer(language: str | None) -> Tokenizer:
    """spaCy's tokenizer of a language, without a model; None for `tokens`.

    Raises `MissingDependencyError` without spaCy, `OptionError` for a language it does not know.
    """
    if language is None:
        return tokens
    try:
        import spacy
    except ImportError as error:
        raise MissingDependencyError(
            "the tokenizer of a language needs spaCy. Install it with "
            "`pip install 'labelconv[spacy]'`."
        ) from error
    try:
        blank = spacy.blank(language)
    except ImportError as error:
        raise OptionError(
            f"a language that spaCy knows expected, such as 'en', {language!r} found"
        ) from error

    def cut(text: str, borders: Iterable[int]) -> list[tuple[int, int]]:
        places: list[tuple[int, int]] = []
        for token in blank.make_doc(text):
            start = token.idx
            end = start + len(token.text)
            places.append((start, end))
            if token.whitespace_:
                places.append((end, end + 1))
        return cut_at(places, borders)

    return cut


# ------------------------------------------------------------------------------ spans of tokens


def flattened(
    annotations: Sequence[Annotation], text: str
) -> tuple[list[Annotation], dict[str, str]]:
    """Annotations as tags of tokens can say them, and what the others are, by id.

    Blanks at the ends of spans are cut off. Of spans that overlap the longest stays, then the
    first. The result is in the order of the text; others than text spans are left as they are.
    """
    lost: dict[str, str] = {}
    trimmed: list[tuple[int, int, Annotation]] = []
    for annotation in annotations:
        value = annotation.value
        if not isinstance(value, TextSpan):
            return list(annotations), {}
        start, end = value.start, value.end
        while start < end and text[start : start + 1].isspace():
            start += 1
        while start < end and text[end - 1 : end].isspace():
            end -= 1
        if start == end:
            lost[annotation.id] = "span of nothing but blanks"
        elif (start, end) == (value.start, value.end):
            trimmed.append((start, end, annotation))
        else:
            span = TextSpan(start, end, value.message)
            trimmed.append((start, end, msgspec.structs.replace(annotation, value=span)))
    trimmed.sort(key=lambda each: (each[0], each[1]))
    if all(one[1] <= other[0] for one, other in pairwise(trimmed)):
        return [annotation for _, _, annotation in trimmed], lost
    starts: list[int] = []
    kept: list[tuple[int, int, Annotation]] = []
    for each in sorted(trimmed, key=lambda each: each[0] - each[1]):
        at = bisect_left(starts, each[0])
        before = at > 0 and kept[at - 1][1] > each[0]
        after = at < len(kept) and kept[at][0] < each[1]
        if before or after:
            lost[each[2].id] = "span that overlaps another"
            continue
        starts.insert(at, each[0])
        kept.insert(at, each)
    return [annotation for _, _, annotation in kept], lost
