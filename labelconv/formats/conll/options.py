"""Options of the CoNLL reader and writer."""

from __future__ import annotations

from typing import Literal

import msgspec


class ConllReaderOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Options of the CoNLL reader (`-O key=value`).

    - `column`: the column of the tags, from 1, or `last`; in CoNLL-U the name of a feature in the
      last column, such as `NE`; `auto` finds it.
    - `token`: the column of the tokens, from 1; found when not given.
    - `documents`: what becomes a text: what stands between marks (`-DOCSTART-`, `# newdoc`) or,
      without those, each sentence (`auto`); each `sentence`; or the whole `file`.
    """

    column: str = "auto"
    token: int | None = None
    documents: Literal["auto", "sentence", "file"] = "auto"


class ConllWriterOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Options of the CoNLL writer (`-W key=value`).

    - `scheme`: `iob2`, `bioes` or `biluo`.
    - `comments`: whether comment lines keep each text's key and exact characters. Without them,
      `-DOCSTART-` stands between texts, and blanks and keys do not come back.
    - `language`: the spaCy tokenizer that cuts texts, such as `en` (needs `labelconv[spacy]`); by
      default words and other characters.
    """

    scheme: Literal["iob2", "bioes", "biluo"] = "iob2"
    comments: bool = True
    language: str | None = None
