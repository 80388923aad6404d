"""Options of readers and writers: frozen records filled from text or from values, all checked."""

from __future__ import annotations

import difflib
import types
import typing
from collections.abc import Mapping
from typing import Any

import msgspec

from labelconv.errors import OptionError


def build(kind: type[Any], given: Mapping[str, Any] | None, format: str) -> Any:
    """The options record of a format. Text becomes what the field needs (`lines=1000`).

    Raises `OptionError` for an unknown name, with the nearest, and for a value that does not fit.
    """
    fields = {field.name: field for field in msgspec.structs.fields(kind)}
    for name in given or {}:
        if name not in fields:
            near = difflib.get_close_matches(name, fields, 1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            known = ", ".join(fields) or "none"
            raise OptionError(f"{format} has no option {name!r}.{hint} Its options here: {known}.")
    try:
        return msgspec.convert(dict(given or {}), kind, strict=False)
    except msgspec.ValidationError as error:
        name = str(error).rpartition("`$.")[2].removesuffix("`")
        if name not in fields or name not in (given or {}):
            raise OptionError(f"an option of {format} has a wrong value: {error}") from None
        expected = values_in_words(typing.get_type_hints(kind)[name])
        raise OptionError(
            f"{expected} expected for the option {name!r} of {format}, "
            f"{(given or {})[name]!r} found"
        ) from None


def values_in_words(hint: Any) -> str:
    """The values that an option takes, from its type: `text`, `whole number`, `a|b|c` …"""
    if typing.get_origin(hint) is typing.Literal:
        return "|".join(as_text(choice) for choice in typing.get_args(hint))
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        given = (each for each in typing.get_args(hint) if each is not type(None))
        return "|".join(map(values_in_words, given))
    words = {str: "text", int: "whole number", float: "number", bool: "true|false"}
    return words.get(hint, getattr(hint, "__name__", str(hint)))


def as_text(value: object) -> str:
    """A value as it is written on a command line."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def parse(pairs: tuple[str, ...], flag: str) -> dict[str, str]:
    """`key=value` texts as a mapping. Raises `OptionError`."""
    parsed: dict[str, str] = {}
    for pair in pairs:
        name, sign, value = pair.partition("=")
        if not sign or not name:
            raise OptionError(f"{flag} key=value expected, {pair!r} found")
        if name in parsed:
            raise OptionError(f"{flag} {name} is given twice")
        parsed[name] = value
    return parsed
