"""sizes.csv: the sizes of pictures beside their labels, so that labels can be read without them.

Columns: the picture's path, width and height as displayed; where pictures lie in folders of their
class, also the sample's key and the class.
"""

from __future__ import annotations

import csv
from pathlib import Path
from typing import NamedTuple

from labelconv.errors import SourceError

HEADER = ("name", "width", "height")
CLASS_HEADER = (*HEADER, "key", "class")


class Known(NamedTuple):
    """A row of the file."""

    width: float
    height: float
    key: str | None = None
    category: str | None = None


def read_sizes(path: Path) -> dict[str, Known]:
    """The rows by the picture's path; nothing where there is no such file, or one of other columns.

    Raises `SourceError` for a row that makes no sense.
    """
    sizes: dict[str, Known] = {}
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            for number, row in enumerate(csv.reader(file), 1):
                if number == 1:
                    if tuple(row[:3]) != HEADER:
                        return {}  # somebody else's
                    continue
                if not row:
                    continue
                try:
                    width, height = float(row[1] or 0), float(row[2] or 0)
                except (ValueError, IndexError):
                    raise SourceError(
                        f"{path}:{number}: a picture's name, width and height expected, {row} found"
                    ) from None
                sizes[row[0]] = Known(width, height, *row[3:5])
    except FileNotFoundError:
        return {}
    except SourceError:
        raise
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise SourceError(f"{path}: a CSV file in UTF-8 expected; {error}") from error
    return sizes


def spelled(number: float | None) -> str:
    """A size as it is written: without a fraction where it has none."""
    if not number:
        return ""
    return str(int(number)) if number == int(number) else repr(float(number))
