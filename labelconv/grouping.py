"""Groups records by what they belong to, from whole numbers alone, in memory that stays flat."""

from __future__ import annotations

from array import array
from collections.abc import Iterator


def by_row(rows: array[int], count: int) -> Iterator[tuple[int, list[int]]]:
    """The indexes of each row that has any: rows rising, the indexes of a row in their order.

    `rows[i]` is the row of record i, from 0 to `count - 1`. A counting sort: two arrays of whole
    numbers, no object for each record.
    """
    starts = array("L", bytes(array("L").itemsize * (count + 2)))
    for row in rows:
        starts[row + 2] += 1
    for row in range(2, count + 2):
        starts[row] += starts[row - 1]
    order = array("L", bytes(array("L").itemsize * len(rows)))
    for index, row in enumerate(rows):
        order[starts[row + 1]] = index
        starts[row + 1] += 1
    for row in range(count):
        if starts[row + 1] > starts[row]:
            yield row, list(order[starts[row] : starts[row + 1]])
