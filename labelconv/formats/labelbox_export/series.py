"""DICOM series: the groups of a label, each a video of the same body seen from another side."""

from __future__ import annotations

from typing import Any

#: What stands beside the groups, for each of them or for all at once.
BY_GROUP = ("segments", "key_frame_feature_map")


def has_labels(group: Any) -> bool:
    """Whether something is said in a group; what is no group counts, so that it is told."""
    if not isinstance(group, dict):
        return True
    return any(group.get(name) for name in ("frames", "objects", "classifications"))


def is_group(name: str, wanted: str | None, filled: list[str]) -> bool:
    """Whether a group is the one to read: the one that is asked for, or the only one filled."""
    return len(filled) == 1 if wanted is None else name.lower() == wanted.lower()


def of_group(given: Any, name: str) -> Any:
    """The part of `BY_GROUP` that is about a group.

    Exports have segments by group and key frames by feature, then by group (tests of the SDK); maps
    without groups are about whichever is read.
    """
    if not isinstance(given, dict):
        return given
    inside = given.get(name)
    if isinstance(inside, dict):
        return inside
    return {feature: _inside(said, name) for feature, said in given.items()}


def _inside(said: Any, name: str) -> Any:
    return said[name] if isinstance(said, dict) and isinstance(said.get(name), dict) else said
