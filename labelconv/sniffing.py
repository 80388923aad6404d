"""What names say of a format, for the `sniff` of formats whose files have endings of their own."""

from __future__ import annotations

from labelconv.format import Evidence
from labelconv.io import Peek


def folder_evidence(peek: Peek, endings: tuple[str, ...], certainty: int = 3) -> Evidence:
    """What the names in a folder say: whether there is a file with one of the endings."""
    listed = " or ".join(endings)
    if any(name.lower().endswith(endings) for name in peek.entries):
        return Evidence(certainty, f"a folder with {listed} files")
    return Evidence(0, f"a folder without {listed} files")
