"""What the installed formats are, hold and take: the tables of `labelconv formats`."""

from __future__ import annotations

import re
import typing
from typing import Any

import msgspec

from labelconv import registry
from labelconv.errors import MissingDependencyError, UnknownFormatError
from labelconv.format import ANY_DEPTH, SHAPES, Format, Holds
from labelconv.model import Image
from labelconv.options import as_text, values_in_words


class Row(msgspec.Struct, frozen=True):
    """One format in a line. `problem` says why it cannot be used, if it cannot."""

    name: str
    read: bool
    write: bool
    media: tuple[str, ...]
    holds: tuple[str, ...]
    about: str
    problem: str | None = None


class OptionRow(msgspec.Struct, frozen=True):
    """One option of a reader or writer: its values in words, its default and what it does."""

    name: str
    values: str
    default: str
    about: str


def rows() -> list[Row]:
    """All installed formats by name, also those that cannot be loaded."""
    listed = []
    for name in registry.names():
        try:
            listed.append(_row(registry.get(name)))
        except (MissingDependencyError, UnknownFormatError) as error:
            listed.append(Row(name, False, False, (), (), "", str(error)))
    return listed


def _row(found: Format) -> Row:
    held = found.holds(found.writer_options())
    media = tuple(holds.media.__name__.lower() for holds in held)
    first = next((holds for holds in held if holds.media is Image), held[0] if held else None)
    words = () if first is None else tuple(held_words(first))
    return Row(
        found.name, found.read is not None, found.write is not None, media, words, found.about
    )


def held_words(holds: Holds) -> list[str]:
    """What is held for one kind of media, as single words, shapes first."""
    order = {kind: number for number, kind in enumerate(SHAPES)}
    kinds = sorted(holds.values, key=lambda kind: (order.get(kind, len(order)), kind.__name__))
    words = [kind.__name__.lower() for kind in kinds]
    for word, held in (
        ("parts", holds.parts),
        ("holes", holds.holes),
        ("confidence", holds.confidence),
        ("answers", holds.classifications),
        ("questions", holds.questions),
        ("relations", holds.relations),
        ("ids", holds.ids),
        ("size", holds.size),
        ("uri", holds.uri),
        ("empty samples", holds.empty),
    ):
        if isinstance(held, bool):
            words.extend([word] if held else [])
        elif held:
            words.append(word if held >= ANY_DEPTH else f"{word} (depth {held})")
    return words


def options(kind: type[Any]) -> list[OptionRow]:
    """The options in a record; what each does is taken from the record's docstring."""
    # A record may add options to those of another one, whose docstring says them.
    told = _told("\n\n".join(each.__doc__ or "" for each in kind.__mro__))
    hints = typing.get_type_hints(kind)
    listed = []
    for field in msgspec.structs.fields(kind):
        given = field.default if field.default is not msgspec.NODEFAULT else None
        default = "" if given is None else as_text(given)
        listed.append(
            OptionRow(
                field.name, values_in_words(hints[field.name]), default, told.get(field.name, "")
            )
        )
    return listed


def _told(docstring: str) -> dict[str, str]:
    """``- `name`: sentence`` items of a docstring; a sentence may go on in the next lines."""
    told: dict[str, str] = {}
    for item in re.split(r"^\s*- (?=`)", docstring, flags=re.MULTILINE)[1:]:
        # A blank line ends the list.
        head, _, rest = item.split("\n\n")[0].partition(":")
        sentence = " ".join(rest.split())
        for name in re.findall(r"`(\w+)`", head):
            told[name] = sentence
    return told
