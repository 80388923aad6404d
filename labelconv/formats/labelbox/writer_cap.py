"""The most lines of one feature that Labelbox takes for one data row."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import UNSET, Raw

from labelconv.formats.labelbox.names import ascii_name
from labelconv.formats.labelbox.writer_output import Line, Output

#: Labelbox takes this many annotations of a feature on a data row (SDK, schema/annotation_import).
FEATURE_CAP = 5_000
#: Data rows with so many lines are counted along when the file is looked through for another.
_LIKELY = FEATURE_CAP // 10


class Cap:
    """Counts lines by data row, and by feature only where there are many.

    A data row may come in pieces; when it turns out to be a large one, what was written of it is
    counted in the output.
    """

    limit = FEATURE_CAP

    def __init__(self, output: Output) -> None:
        self._output = output
        self._totals: dict[str, int] = {}
        self._features: dict[str, dict[bytes, int]] = {}

    def may_exceed(self, key: str, count: int) -> bool:
        """Count `count` more lines of a data row; True if `takes` must be asked for each."""
        before = self._totals.get(key, 0)
        total = self._totals[key] = before + count
        if total <= FEATURE_CAP and key not in self._features:
            return False
        if key not in self._features:
            self._features[key] = {}
            if before:
                self._recount()
        return True

    @property
    def totals(self) -> dict[str, int]:
        """Lines of each data row so far."""
        return self._totals

    def stays_below(self, totals: Mapping[str, int]) -> bool:
        """Whether no data row gets large by so many more lines of it."""
        if self._features:
            return False
        known = self._totals.get
        return all(count + known(key, 0) <= FEATURE_CAP for key, count in totals.items())

    def has_room(self, key: str, count: int) -> bool:
        """As `stays_below`, for one data row."""
        return not self._features and self._totals.get(key, 0) + count <= FEATURE_CAP

    def count(self, key: str, count: int) -> None:
        """Count lines of a data row that has room for them."""
        self._totals[key] = self._totals.get(key, 0) + count

    def counted(self, key: str, count: int) -> bool:
        """Count lines of a data row if it has room for them; False, and no count, if not."""
        total = self._totals.get(key, 0) + count
        if self._features or total > FEATURE_CAP:
            return False
        self._totals[key] = total
        return True

    def add(self, totals: Mapping[str, int]) -> None:
        """Count lines that another process wrote."""
        known = self._totals
        for key, count in totals.items():
            known[key] = known.get(key, 0) + count

    def takes(self, key: str, line: Line) -> bool:
        """Whether Labelbox takes one more line of this feature; counts it if so."""
        counts = self._features.get(key)
        if counts is None:
            return True
        feature = _feature(line)
        count = counts.get(feature, 0)
        if count >= FEATURE_CAP:
            return False
        counts[feature] = count + 1
        return True

    def _recount(self) -> None:
        """Count what was written of all data rows that are large or on the way to it."""
        rows = {
            kind + bytes(ascii_name(key)) + b"}": key
            for key, total in self._totals.items()
            if total >= _LIKELY
            for kind in (b'{"id":', b'{"globalKey":')
        }
        self._features.update({key: {} for key in rows.values()})
        for row, feature in self._output.written():
            key = rows.get(row)
            if key is not None:
                counts = self._features[key]
                counts[feature] = counts.get(feature, 0) + 1


def _feature(line: Line) -> bytes:
    named = line.schemaId if line.name is UNSET else line.name
    return bytes(named) if isinstance(named, Raw) else b""
