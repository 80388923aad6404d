"""Text layers of documents: the words that entities on a page are made of, and finding them.

A text layer is what Labelbox shows over a PDF (`text_layer_url` of a data row): pages, groups of
tokens on them, each with an id, a text and a box. Entities name tokens by those ids
(`model.TokenSpan`). Here pages count from 0 and boxes are in points, as everywhere inside; the wire
form is the format `labelbox-text-layer`.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence

import msgspec

from labelconv import codes
from labelconv.model import (
    Annotation,
    Box,
    Classification,
    Document,
    FreeText,
    OnPage,
    Page,
    Sample,
    TokenGroup,
    TokenSpan,
)
from labelconv.ocr import around
from labelconv.problems import Outcome, Report, Where

#: The `extra` field by which words say which of them are one group.
GROUP = "labelbox-text-layer:group"
#: The category and the question of tokens, as the reader of text layers calls them.
CATEGORY = "word"
QUESTION = "text"


class Token(msgspec.Struct, frozen=True, gc=False):
    """A word: its text and where it is, in points."""

    id: str
    content: str
    box: Box


class Group(msgspec.Struct, frozen=True):
    """Tokens in the order they are read, a line most often."""

    id: str
    tokens: tuple[Token, ...]

    @property
    def content(self) -> str:
        """The texts of the tokens with blanks between."""
        return " ".join(token.content for token in self.tokens)

    @property
    def box(self) -> Box:
        """The box around the tokens."""
        boxes = [(t.box.x0, t.box.y0, t.box.x1, t.box.y1) for t in self.tokens]
        return Box(*around(boxes))


class LayerPage(msgspec.Struct, frozen=True):
    """A page: its 0-based number, its size in points where it is known, its groups."""

    number: int
    size: Page | None
    groups: tuple[Group, ...]


class Layer(msgspec.Struct, frozen=True):
    """The text layer of one document."""

    pages: tuple[LayerPage, ...]

    @property
    def text(self) -> str:
        """All texts: blanks between tokens, line feeds between groups."""
        return "\n".join(group.content for page in self.pages for group in page.groups)


def layer_of(sample: Sample) -> Layer:
    """The text layer of a document's words: its annotations that are boxes on pages.

    A word's text is its first answer that is a text. Words are one group as `extra` says
    (`labelbox-text-layer:group`, which all readers of recognised text give); those that say
    nothing, while they follow each other on one line.
    """
    sizes = sample.media.pages if isinstance(sample.media, Document) else ()
    by_page: dict[int, list[tuple[str | None, Token]]] = {n: [] for n in range(len(sizes))}
    for annotation in sample.annotations:
        value = annotation.value
        if not isinstance(value, OnPage) or not isinstance(value.shape, Box):
            continue
        said = (each.answer for each in annotation.classifications)
        content = next((each.text for each in said if isinstance(each, FreeText)), "")
        token = Token(annotation.id, content, value.shape)
        named = annotation.extra.get(GROUP)
        group = named if isinstance(named, str) else None
        by_page.setdefault(value.page, []).append((group, token))
    taken: set[str] = set()
    pages = []
    for number, words in sorted(by_page.items()):
        size = sizes[number] if number < len(sizes) else None
        pages.append(LayerPage(number, size, tuple(_groups(number, words, taken))))
    return Layer(tuple(pages))


def _groups(
    page: int, words: Sequence[tuple[str | None, Token]], taken: set[str]
) -> Iterable[Group]:
    """Runs of words of one group, each with an id that no other group has."""
    run: list[Token] = []
    before: str | None = None
    runs: list[tuple[str | None, list[Token]]] = []
    for name, token in words:
        same = bool(run) and name == before
        if not same or (name is None and not _on_one_line(run[-1].box, token.box)):
            run = []
            runs.append((name, run))
        run.append(token)
        before = name
    for order, (name, tokens) in enumerate(runs, 1):
        id = name or f"{page + 1}.{order}"
        while id in taken:
            id += "~"
        taken.add(id)
        yield Group(id, tuple(tokens))


def _on_one_line(one: Box, other: Box) -> bool:
    """Whether a word stands to the right of another, half of the lower one beside it."""
    shared = min(one.y1, other.y1) - max(one.y0, other.y0)
    return shared > 0.5 * min(one.y1 - one.y0, other.y1 - other.y0) and other.x0 >= one.x0


# ------------------------------------------------------------------------------------ finding


def tokens_in(layer: Layer, page: int, box: Box, *, share: float = 0.5) -> TokenSpan | None:
    """The tokens of a 0-based page of which `share` of the area or more is in the box (points).

    A token without an area is in it when its centre is. None when there is no such token.
    """
    found: list[tuple[LayerPage, Group, Token]] = []
    for each in layer.pages:
        if each.number == page:
            found += (
                (each, group, token)
                for group in each.groups
                for token in group.tokens
                if _covered(token.box, box) >= share
            )
    return _span(found)


def _covered(token: Box, box: Box) -> float:
    """The share of a token's area that is in a box."""
    area = (token.x1 - token.x0) * (token.y1 - token.y0)
    if area <= 0:
        x, y = (token.x0 + token.x1) / 2, (token.y0 + token.y1) / 2
        return 1.0 if box.x0 <= x <= box.x1 and box.y0 <= y <= box.y1 else 0.0
    width = min(token.x1, box.x1) - max(token.x0, box.x0)
    height = min(token.y1, box.y1) - max(token.y0, box.y0)
    return max(width, 0.0) * max(height, 0.0) / area


class Places(msgspec.Struct, frozen=True):
    """Where the tokens of a layer stand in a text: half-open code points, in order."""

    tokens: tuple[tuple[LayerPage, Group, Token], ...]
    starts: tuple[int, ...]
    ends: tuple[int, ...]


def places_in(layer: Layer, text: str) -> Places | int:
    """The layer's tokens laid onto a text, of which only blanks may stand between them.

    Its own is `layer.text`. An int is the number of the first token (from 0) that is not found.
    Tokens without a text are passed over.
    """
    from labelconv.tokens import align

    held = tuple(
        (page, group, token)
        for page in layer.pages
        for group in page.groups
        for token in group.tokens
        if token.content.strip()
    )
    found = align([token.content.strip() for _, _, token in held], text)
    if isinstance(found, int):
        return found
    starts = tuple(start for start, _ in found)
    return Places(held, starts, tuple(end for _, end in found))


def tokens_at(places: Places, start: int, end: int) -> TokenSpan | None:
    """The tokens of which half-open code points [start, end) hold anything; None when none."""
    first = bisect_right(places.ends, start)
    last = bisect_left(places.starts, end)
    return _span(places.tokens[first:last]) if end > start else None


def _span(found: Iterable[tuple[LayerPage, Group, Token]]) -> TokenSpan | None:
    """By groups, as an entity names them."""
    by_group: dict[tuple[int, str], list[str]] = {}
    for page, group, token in found:
        by_group.setdefault((page.number, group.id), []).append(token.id)
    if not by_group:
        return None
    groups = (TokenGroup(page, group, tuple(ids)) for (page, group), ids in by_group.items())
    return TokenSpan(tuple(groups))


# ------------------------------------------------------------------------------------ fitting


def as_tokens(
    annotations: tuple[Annotation, ...], key: str, outcomes: dict[str, Outcome], report: Report
) -> tuple[Annotation, ...]:
    """Annotations as a text layer holds them (`Holds.tokens`): words by page, with one text each.

    Other names of category and question are changed to the reader's; certainty is counted and left
    out, since it is of the recognition, not of a label. Answers beside the text are lost.
    """
    ordered = sorted(annotations, key=_page_of)
    fitted = []
    for annotation in ordered:
        place = Where(sample=key, annotation=annotation.id)
        asked: tuple[Classification, ...] = ()
        outcome: Outcome = "kept"
        for given in annotation.classifications:
            answer = given.answer
            if asked or not isinstance(answer, FreeText):
                report.add(codes.CLASSIFICATION_DROPPED, place, name=given.name)
                outcome = "lost"
            elif answer.text:
                if given.name != QUESTION:
                    _respelled(given.name, QUESTION, place, report)
                    given = msgspec.structs.replace(given, name=QUESTION)
                    outcome = "changed" if outcome == "kept" else outcome
                if answer.confidence is not None:
                    report.field("confidence (of tokens)")
                    answer = msgspec.structs.replace(answer, confidence=None)
                asked = (msgspec.structs.replace(given, answer=answer),)
        if annotation.category != CATEGORY:
            _respelled(annotation.category, CATEGORY, place, report)
            outcome = "changed" if outcome == "kept" else outcome
        if annotation.confidence is not None:
            report.field("confidence (of tokens)")
        if outcome != "kept":
            outcomes[annotation.id] = outcome
        fitted.append(
            msgspec.structs.replace(
                annotation, category=CATEGORY, classifications=asked, confidence=None
            )
        )
    return tuple(fitted)


def _page_of(annotation: Annotation) -> int:
    return annotation.value.page if isinstance(annotation.value, OnPage) else 0


def _respelled(name: str, spelled: str, place: Where, report: Report) -> None:
    values = {"name": name, "spelled": spelled, "target": "labelbox-text-layer"}
    report.add(codes.NAME_RESPELLED, place, **values)
