"""How features, questions and options are named on the wire: by name, or by schema id."""

from __future__ import annotations

from json.encoder import encode_basestring_ascii
from typing import Any

from msgspec import UNSET, Raw

from labelconv.problems import Report


class Names:
    """Names as they are."""

    def feature(self, name: str, report: Report) -> tuple[Any, Any]:
        """(name, schemaId) of a tool; one of them is UNSET."""
        return ascii_text(name), UNSET

    def question(self, name: str, under: str | None, report: Report) -> dict[str, Any]:
        return {"name": ascii_text(name)}

    def option(self, name: str, question: str, report: Report) -> dict[str, Any]:
        return {"name": ascii_text(name)}


def names_for(ontology: str | None, *, by_id: bool) -> Names:
    return Names()


def ascii_text(text: str) -> Raw:
    """A JSON string with nothing but ASCII in it."""
    return Raw(encode_basestring_ascii(text).encode("ascii"))
