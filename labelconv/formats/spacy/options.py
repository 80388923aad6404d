"""Options of the spaCy reader and writer."""

from __future__ import annotations

from typing import Literal

import msgspec


class SpacyReaderOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Options of the spaCy reader (`-O key=value`).

    - `cats`: the labels of a text as one question: a `checklist`, or a `radio` where labels exclude
      each other, which spaCy does not store.
    - `threshold`: the score from which on a label holds.
    - `question`: the name of that question.
    - `spans`: `all`, only entities (`ents`), or only the span group of this name.
    - `groups`: spans of a group are named by their `label`, or as `group:label` (`named`).
    - `answers`: with `accept`, texts that Prodigy's annotators refused or ignored are left out.
    - `source_offsets`: what offsets in JSON count.
    """

    cats: Literal["checklist", "radio"] = "checklist"
    threshold: float = 0.5
    question: str = "category"
    spans: str = "all"
    groups: Literal["label", "named"] = "label"
    answers: Literal["accept", "all"] = "accept"
    source_offsets: Literal["codepoint", "utf16", "utf8"] = "codepoint"


class SpacyWriterOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Options of the spaCy writer (`-W key=value`).

    - `style`: a `docbin`, or `jsonl` as Prodigy reads it; `auto` goes by the target's ending,
      `.spacy` or another.
    - `spans`: a text's spans become entities if none overlap, else a span group (`auto`); or always
      a span group (`group`).
    - `group`: the name of the span group.
    - `language`: the spaCy tokenizer that cuts texts, such as `en` (needs `labelconv[spacy]`); by
      default words and other characters. Tokens are cut at the ends of spans either way.
    """

    style: Literal["auto", "docbin", "jsonl"] = "auto"
    spans: Literal["auto", "group"] = "auto"
    group: str = "sc"
    language: str | None = None
