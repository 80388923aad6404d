"""Formats by name: entry points of the group `labelconv.formats`, loaded when first needed.

Ours and strangers' are found the same way. Sniffing asks every installed format and states what
each one saw.
"""

from __future__ import annotations

import difflib
from functools import cache

from labelconv.entrypoints import Point, entry_points
from labelconv.errors import MissingDependencyError, UnknownFormatError
from labelconv.format import Evidence, Format
from labelconv.io import Source

GROUP = "labelconv.formats"


@cache
def _found() -> dict[str, Point]:
    found: dict[str, Point] = {}
    for point in entry_points(GROUP):
        other = found.setdefault(point.name, point)
        if other.value != point.value:
            raise UnknownFormatError(
                f"one owner of the format name {point.name!r} expected, two found: "
                f"{other.value} and {point.value}. Uninstall one of them."
            )
    return found


def names() -> list[str]:
    """The names of all installed formats, sorted. Loads none of them."""
    return sorted(_found())


@cache
def get(name: str) -> Format:
    """The format of that name.

    Raises `UnknownFormatError` with the nearest name, or `MissingDependencyError` when the format
    is installed but what it needs is not.
    """
    point = _found().get(name)
    if point is None:
        near = difflib.get_close_matches(name, names(), 1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise UnknownFormatError(
            f"the name of a format expected, {name!r} found.{hint} Installed: {', '.join(names())}."
        )
    try:
        loaded = point.load()
    except ImportError as error:
        owner = point.value.partition(":")[0].partition(".")[0]
        missing = (error.name or "").partition(".")[0]
        if not isinstance(error, ModuleNotFoundError) or missing in ("", owner):
            raise UnknownFormatError(
                f"the format {name!r} cannot be loaded, which is a fault of {point.value}: {error}"
            ) from error
        raise MissingDependencyError(
            f"the format {name!r} needs {missing}, which is not installed. "
            f"Install it with `pip install {missing}`."
        ) from error
    except AttributeError as error:
        raise UnknownFormatError(
            f"{point.value}: a labelconv Format expected, nothing found there: {error}"
        ) from error
    if not isinstance(loaded, Format):
        raise UnknownFormatError(f"{point.value}: a labelconv Format expected, {loaded!r} found")
    return loaded


def all_formats() -> list[Format]:
    """Every installed format that can be loaded, by name."""
    loaded = []
    for name in names():
        try:
            loaded.append(get(name))
        except (MissingDependencyError, UnknownFormatError):
            continue  # said by `labelconv formats`, which lists the names
    return loaded


def sniff(source: Source) -> tuple[Format, list[str]]:
    """The format of a source, and what every format saw in it, the chosen one first.

    Raises `UnknownFormatError` when none or several fit equally well.
    """
    peek = source.peek()
    seen: list[tuple[Evidence, Format]] = [
        (candidate.sniff(peek), candidate)
        for candidate in all_formats()
        if candidate.sniff is not None and candidate.read is not None
    ]
    # After the surest, those that might have been meant, by the ending of the name.
    seen.sort(
        key=lambda pair: (
            -pair[0].certainty,
            not source.name.lower().endswith(pair[1].extensions or "/"),
            pair[1].name,
        )
    )
    said = [f"{found.name}: {evidence.words}" for evidence, found in seen]
    listed = "".join(f"\n  {line}" for line in said)
    if not seen or seen[0][0].certainty == 0:
        raise UnknownFormatError(
            f"{source.name}: no format recognises it; name it with --from.{listed}"
        )
    if len(seen) > 1 and seen[1][0].certainty == seen[0][0].certainty:
        raise UnknownFormatError(
            f"{source.name}: {seen[0][1].name} and {seen[1][1].name} fit equally well; name one "
            f"with --from.{listed}"
        )
    return seen[0][1], said


def by_target(name: str) -> Format:
    """The format to write to a target of this name, by its ending, when only one has it.

    Raises `UnknownFormatError` otherwise.
    """
    endings = [
        (len(ending), candidate)
        for candidate in all_formats()
        if candidate.write is not None
        for ending in candidate.extensions
        if name.lower().endswith(ending)
    ]
    # `.native.ndjson` says more than `.ndjson`.
    longest = max((length for length, _ in endings), default=0)
    matching = [candidate for length, candidate in endings if length == longest]
    if len(matching) != 1:
        among = ", ".join(f.name for f in matching) or "none of the installed formats"
        raise UnknownFormatError(
            f"{name}: --to expected, since its ending belongs to {among}. "
            f"Formats: {', '.join(names())}."
        )
    return matching[0]
