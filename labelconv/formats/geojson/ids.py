"""The ids of features: which were met before, in few bytes each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from labelconv.identity import Seen

#: Sets a bit that hashes have not, so that they are never taken for ids.
_ABOVE = 1 << 70
#: More digits than this are no place in a file.
_MOST_DIGITS = 15


class Ids:
    """Remembers ids by sample, and features that have none and are named by their place."""

    def __init__(self) -> None:
        self._seen = Seen()
        #: Runs of places that are ids: [start, end).
        self._runs: list[tuple[int, int]] = []
        #: Whether any feature had an id of its own, and whether any was named by its place.
        self._own = self._placed = False

    def met(self, sample: Any, id: str, *, placed: bool = False) -> bool:
        """Whether an id was met before in its sample (None: the only one); it is from now on.

        `placed`: it is made of the feature's place.
        """
        if placed:
            self._placed = True
        else:
            self._own = True
        plain = _is_plain(id)
        if plain and self._runs:
            number = int(id)
            if any(start <= number < end for start, end in self._runs):
                return True
        if sample is not None:
            return self._seen.add(hash((sample, id)) | _ABOVE)
        # Spelled as numbers are, ids cost a bit each.
        return self._seen.add(int(id) if plain else id)

    def meets(self, other: Ids) -> bool:
        """Whether an id that is met by both may be the same."""
        if (self._placed and other._own) or (self._own and other._placed):
            return True
        return self._seen.meets(other._seen)

    def update(self, other: Ids) -> None:
        """Remember all that the ids of later features do."""
        self._seen.update(other._seen)
        self._runs += other._runs
        self._own = self._own or other._own
        self._placed = self._placed or other._placed

    def add_places(self, places: Sequence[int]) -> None:
        """Remember that the features at rising places are named by them."""
        self._placed = True
        start, end = places[0], places[-1] + 1
        if end - start != len(places):
            self._runs += [(place, place + 1) for place in places]
        elif self._runs and self._runs[-1][1] == start:
            self._runs[-1] = self._runs[-1][0], end
        else:
            self._runs.append((start, end))


class FeaturesMet(msgspec.Struct):
    """What was met in features: what later ones depend on, and what is told once, at the end."""

    ids: Ids
    without_class: int = 0
    without_geometry: int = 0
    unclosed: int = 0

    def fits(self, later: FeaturesMet) -> bool:
        """Whether later features, read by another process, would have had the same ids here."""
        return not self.ids.meets(later.ids)

    def join(self, later: FeaturesMet) -> None:
        """Add what was met in later features."""
        self.ids.update(later.ids)
        self.without_class += later.without_class
        self.without_geometry += later.without_geometry
        self.unclosed += later.unclosed


def _is_plain(id: str) -> bool:
    """Whether an id is a whole number as it is written for a place."""
    if not (id.isascii() and id.isdigit() and len(id) <= _MOST_DIGITS):
        return False
    return id[0] != "0" or id == "0"
