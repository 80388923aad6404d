"""What a run moved from one CRS to another, and what is told of it once, at the end."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import msgspec

from labelconv import codes
from labelconv.crs import ways
from labelconv.problems import Report

if TYPE_CHECKING:
    from labelconv.crs.transform import Operation
    from labelconv.crs.ways import Way

#: The way's source and target, and the two CRSs that are joined on it.
_Pair: TypeAlias = tuple[str, str, str, str]


class Moved(msgspec.Struct):
    """Annotations by the way they went, and what led there; the vertices that edges got, and how
    many shapes got some. The moves of another process are added with `join`."""

    counts: dict[_Pair, int] = {}
    operations: dict[_Pair, Operation] = {}
    added: int = 0
    bent: int = 0

    def count(self, way: Way, annotations: int) -> None:
        """So many annotations went this way."""
        pair = way.source, way.target, *way.joined
        self.counts[pair] = self.counts.get(pair, 0) + annotations

    def sealed(self) -> Moved:
        """With the operations, of which only the process that used them knows."""
        used = {pair: ways.operation(*pair[2:]) for pair, count in self.counts.items() if count}
        return Moved(self.counts, {**self.operations, **used}, self.added, self.bent)

    def join(self, later: Moved) -> None:
        """Add the moves of later samples, as `sealed` gives them."""
        for pair, count in later.counts.items():
            self.counts[pair] = self.counts.get(pair, 0) + count
        self.operations.update(later.operations)
        self.added += later.added
        self.bent += later.bent

    def tell(self, report: Report, tolerance: float, unit: str) -> None:
        """Note how many annotations were moved, how well, and how many vertices were added."""
        from labelconv.crs import transform

        for pair, count in self.counts.items():
            if not count:
                continue
            source, target = map(transform.short, pair[:2])
            # Of several operations between two CRSs, the one that was used last is told.
            done = self.operations.get(pair) or ways.operation(*pair[2:])
            accuracy = "accuracy not known"
            if done.accuracy is not None:
                accuracy = f"accurate to {done.accuracy:g} m" if done.accuracy else "exact"
            report.add(
                codes.REPROJECTED,
                count=count,
                source=source,
                target=target,
                operation=done.name,
                accuracy=accuracy,
            )
            if done.missing:
                report.add(
                    codes.GRID_MISSING,
                    source=source,
                    target=target,
                    count=len(done.missing),
                    grids=", ".join(done.missing[:5]) + (" …" if len(done.missing) > 5 else ""),
                )
        if self.added:
            report.add(
                codes.VERTICES_ADDED,
                count=self.added,
                shapes=self.bent,
                tolerance=tolerance,
                unit=unit,
            )
