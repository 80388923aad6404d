"""Entry points of what is installed, as `importlib.metadata` finds them, in a tenth of its time.

Most of that module's 50 milliseconds goes into parsers of e-mail and archives that this needs not.
Where anything is not a plain folder on the path (an archive, an egg, a finder of somebody else's),
it is asked after all.
"""

from __future__ import annotations

import functools
import importlib
import importlib.machinery
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

_VALUE = re.compile(r"([\w.]+)\s*(?::\s*([\w.]+)\s*)?(?:\[.*\]\s*)?")


class Point(NamedTuple):
    """What a package offers under a name: `value` is a module, a colon and an attribute."""

    name: str
    value: str

    def load(self) -> Any:
        """The object itself. Raises `ImportError` or `AttributeError`."""
        found = _VALUE.fullmatch(self.value)
        if found is None:
            raise AttributeError(f"module:attribute expected, {self.value!r} found")
        module = importlib.import_module(found[1])
        return functools.reduce(getattr, filter(None, (found[2] or "").split(".")), module)


def entry_points(group: str) -> list[Point]:
    """The entry points of a group, in the order of the path; the first of two packages of one name
    on the path is the one that is installed."""
    if any(
        hasattr(finder, "find_distributions") and finder is not importlib.machinery.PathFinder
        for finder in sys.meta_path
    ):
        return _asked(group)
    found: list[Point] = []
    met: set[str] = set()
    for place in sys.path:
        folder = place or "."
        if folder.endswith(".egg") or Path(folder).is_file():
            return _asked(group)
        try:
            names = os.listdir(folder)  # noqa: PTH208 - paths for each of thousands are slow
        except OSError:
            continue
        for name in names:
            stem, _, ending = name.rpartition(".")
            if ending.lower() not in ("dist-info", "egg-info"):
                continue
            package = re.sub(r"[-_.]+", "-", stem.partition("-")[0]).lower()
            if package not in met:
                met.add(package)
                found.extend(_listed(Path(folder, name, "entry_points.txt"), group))
    return found


def _listed(file: Path, group: str) -> Iterator[Point]:
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return
    if f"[{group}]" not in text:
        return
    section = ""
    for raw in text.splitlines():
        line = raw.strip()
        if line.startswith("[") and line.endswith("]"):
            section = line[1:-1]
        elif section == group and line and not line.startswith("#"):
            name, _, value = line.partition("=")
            yield Point(name.strip(), value.strip())


def _asked(group: str) -> list[Point]:
    from importlib import metadata

    return [Point(each.name, each.value) for each in metadata.entry_points(group=group)]
