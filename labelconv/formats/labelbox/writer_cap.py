"""The most lines of one feature that Labelbox takes for one data row."""

from __future__ import annotations

from array import array
from operator import add

import msgspec
from msgspec import UNSET, Raw

from labelconv.formats.labelbox.writer_output import Line, Output

#: Labelbox takes this many annotations of a feature on a data row (SDK, schema/annotation_import).
FEATURE_CAP = 5_000
#: Groups of data rows with so many lines are counted along when the file is looked through for one.
_LIKELY = FEATURE_CAP // 10
#: Groups that data rows are counted in, by the hashes of their keys: few enough for the processor's
#: cache, since a file that is not ordered by data row comes to another one with each line.
_GROUPS = 1 << 16


class Cap:
    """Counts lines by data row, and by feature only where there are many.

    A data row may come in pieces. Lines are counted in groups of data rows; when a group has more
    lines than one data row may have of a feature, what was written of the data rows in it is
    counted in the output, and from then on each of them by itself.
    """

    def __init__(self, output: Output) -> None:
        self._output = output
        self._totals = array("I", bytes(4 * _GROUPS))
        #: The groups whose data rows are counted by feature, and these counts.
        self._exact: set[int] = set()
        self._features: dict[str, dict[bytes, int]] = {}

    def may_exceed(self, key: str, count: int) -> bool:
        """Count `count` more lines of a data row; True if `takes` must be asked for each."""
        group = hash(key) % _GROUPS
        before = self._totals[group]
        total = self._totals[group] = before + count
        if total > FEATURE_CAP and group not in self._exact:
            self._count_by_feature(group)
        return group in self._exact

    @property
    def totals(self) -> array[int]:
        """Lines of each group of data rows so far; the groups are those of forked processes too."""
        return self._totals

    def stays_below(self, totals: array[int]) -> bool:
        """Whether no group gets large by so many more lines of it."""
        return not self._exact and max(map(add, self._totals, totals)) <= FEATURE_CAP

    def has_room(self, key: str, count: int) -> bool:
        """Whether a data row has room for so many more lines."""
        return not self._exact and self._totals[hash(key) % _GROUPS] + count <= FEATURE_CAP

    def counted(self, key: str, count: int) -> bool:
        """Count lines of a data row if it has room for them; False, and no count, if not."""
        group = hash(key) % _GROUPS
        total = self._totals[group] + count
        if total > FEATURE_CAP or self._exact:
            return False
        self._totals[group] = total
        return True

    def add(self, totals: array[int]) -> None:
        """Count lines that another process wrote."""
        self._totals = array("I", map(add, self._totals, totals))

    def takes(self, key: str, line: Line) -> bool:
        """Whether Labelbox takes one more line of this feature; counts it if so."""
        if hash(key) % _GROUPS not in self._exact:
            return True
        counts = self._features.setdefault(key, {})
        feature = _feature(line)
        count = counts.get(feature, 0)
        if count >= FEATURE_CAP:
            return False
        counts[feature] = count + 1
        return True

    def _count_by_feature(self, group: int) -> None:
        """Count what was written of a group, and of others that are on the way to be large."""
        # Above twice the mean, so that a file of very many small data rows has few of them.
        likely = _LIKELY + 2 * sum(self._totals) // _GROUPS
        groups = {at for at, total in enumerate(self._totals) if total >= likely}
        groups = (groups | {group}) - self._exact
        for row, feature in self._output.written():
            names = _ROW.decode(row)
            key = names.id if names.globalKey is None else names.globalKey
            if key is not None and hash(key) % _GROUPS in groups:
                counts = self._features.setdefault(key, {})
                counts[feature] = counts.get(feature, 0) + 1
        self._exact |= groups


class _Row(msgspec.Struct, gc=False):
    """The data row of a line that was written."""

    globalKey: str | None = None
    id: str | None = None


_ROW = msgspec.json.Decoder(_Row)


def _feature(line: Line) -> bytes:
    named = line.schemaId if line.name is UNSET else line.name
    return bytes(named) if isinstance(named, Raw) else b""
