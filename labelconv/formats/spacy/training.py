"""spaCy's training JSON of version 2: documents of paragraphs of sentences of tokens with tags."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from labelconv.formats.spacy.dialects import Loose, cats
from labelconv.formats.spacy.records import Block, Broken, Record, Span
from labelconv.tags import Tags
from labelconv.texts import Fault, as_list
from labelconv.tokens import align


def paragraphs(document: dict[str, Any], tags: Tags) -> Iterator[Loose]:
    """A record for each paragraph. It is called by the document's id and the paragraph's number.

    Tags are laid onto the raw text; without one, the tokens are joined by single blanks.
    """
    listed = document["paragraphs"]
    if not isinstance(listed, list):
        raise Fault("a list of paragraphs", type(listed).__name__, "/paragraphs")
    id = document.get("id")
    for number, paragraph in enumerate(listed):
        place = f"/paragraphs/{number}"
        if not isinstance(paragraph, dict):
            raise Fault("a paragraph as an object", type(paragraph).__name__, place)
        made = _paragraph(paragraph, tags)
        made.pointer = place
        if isinstance(id, (str, int)):
            made.record.labelconv = Block(key=str(id) if len(listed) == 1 else f"{id}-{number + 1}")
        yield made


def _paragraph(paragraph: dict[str, Any], tags: Tags) -> Loose:
    words, named, unusable = [], [], []
    for token in _tokens(paragraph):
        if not isinstance(token, dict) or not isinstance(token.get("orth"), str):
            unusable.append("tokens without orth")
            continue
        words.append(token["orth"])
        tag = token.get("ner")
        named.append(tag if isinstance(tag, str) else None)
        if not isinstance(tag, (str, type(None))):
            unusable.append("tokens.ner")
    raw = paragraph.get("raw")
    text = raw if isinstance(raw, str) else " ".join(words)
    made = Loose(Record(text), broken=[], left_out=unusable)
    made.record.cats = cats(paragraph.get("cats"), made)
    entities = tags.entities(named)
    places = align(words, text)
    if isinstance(places, int):
        expected = "tokens that are the text's own"
        found = f"token {places}, {words[places]!r}, which is not there"
        made.broken.extend(
            Broken("/sentences", [first, beyond, label], expected, found)
            for first, beyond, label in entities
            if beyond > places
        )
        places = align(words[:places], text)
        assert not isinstance(places, int)
        entities = [entity for entity in entities if entity[1] <= len(places)]
    made.record.spans = [Span(places[a][0], places[b - 1][1], label) for a, b, label in entities]
    for name in ("head", "dep", "tag", "lemma"):
        if any(isinstance(token, dict) and name in token for token in _tokens(paragraph)):
            made.left_out.append(f"tokens.{name}")
    made.left_out.extend(name for name in paragraph if name not in ("raw", "sentences", "cats"))
    return made


def _tokens(paragraph: dict[str, Any]) -> Iterator[Any]:
    """The tokens of all sentences; a sentence that is none stands for a token that is none."""
    for sentence in as_list(paragraph.get("sentences")):
        yield from as_list(sentence.get("tokens")) if isinstance(sentence, dict) else (sentence,)
