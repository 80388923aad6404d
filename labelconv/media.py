"""Media files beside the labels: where they are, and how large pictures are.

Sizes come, in this order, from the record itself (the reader's business), from a table of sizes,
and from the header of the file; no picture is ever decoded. EXIF orientation is applied unless
asked otherwise: a picture stored 40 × 20 and shown turned by 90° is 20 × 40 (CIPA DC-008, tag
0x0112; orientations 5 to 8 swap width and height).
"""

from __future__ import annotations

import csv
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Generic, Literal, TypeAlias, TypeVar

import msgspec

from labelconv import codes
from labelconv.errors import OptionError, SourceError, reason_of
from labelconv.imageheaders import Header, read_header
from labelconv.io import walk
from labelconv.keys import normal
from labelconv.model import Image, Sample
from labelconv.problems import Code, Report

#: What labels are commonly drawn on; lower case (ultralytics 8.4 `IMG_FORMATS`, and GIF).
PICTURES = frozenset(
    f".{ending}"
    for ending in (
        *("jpg", "jpeg", "png", "webp", "bmp", "tif", "tiff", "gif", "avif"),
        *("heic", "heif", "jp2", "mpo", "dng"),
    )
)
#: A problem and what fills its sentence.
Trouble: TypeAlias = tuple[Code, dict[str, object]]


class Size(msgspec.Struct, frozen=True, gc=False):
    """A picture's size in pixels, as displayed and as stored; `orientation` is EXIF's, 1 to 8."""

    width: int
    height: int
    stored_width: int
    stored_height: int
    orientation: int = 1


class MediaOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Options that every reader takes (`-O key=value`).

    - `exif`: pictures are as EXIF turns them (`apply`), or as they are stored (`ignore`).
    - `sizes`: a CSV file of picture name, width and height, for pictures that are not at hand.
    """

    exif: Literal["apply", "ignore"] = "apply"
    sizes: str | None = None


class MediaFiles:
    """Finds media files in a folder, and sizes. `place` is a folder or None.

    The folder is listed once, when first needed. `asked` says whether a reader made use of it.
    """

    def __init__(
        self,
        place: str | os.PathLike[str] | None = None,
        options: MediaOptions = MediaOptions(),  # noqa: B008 - frozen
    ) -> None:
        self.folder = None if place is None else Path(place)
        self.asked = False
        self._apply = options.exif == "apply"
        self._sizes = None if options.sizes is None else _read_sizes(Path(options.sizes))
        self._listed: _Endings[str] | None = None
        self._turned: set[str] = set()
        if self.folder is not None and not self.folder.is_dir():
            raise OptionError(f"{self.folder}: a folder of media files expected, none found there")

    @property
    def given(self) -> bool:
        """Whether there is anything to ask."""
        return self.folder is not None or self._sizes is not None

    def find(self, name: str) -> Path | Trouble:
        """The file that a source calls `name`.

        By its whole path; else the file whose path ends like the name, or is the longest ending of
        it: `a/1.jpg` is found as `photos/a/1.jpg` and as `1.jpg`, but never as `b/1.jpg`. A name
        without an extension finds the picture of that stem. Blanks at the ends, `\\`, `%20` and
        the form of Unicode may differ.
        """
        self.asked = True
        if self.folder is None:
            return codes.MEDIA_MISSING, {"name": name, "hint": "give their folder with --media"}
        for plain in dict.fromkeys((name, normal(name))):
            direct = self.folder / plain
            # Path.is_file raises for names that are too long for a file.
            if not _leaves(plain) and os.path.isfile(direct):  # noqa: PTH113 - see above
                return direct
        listed = self._list()
        plain = normal(name)
        found = listed.close(plain)
        if not found:
            return codes.MEDIA_MISSING, {"name": name, "hint": f"it is not in {self.folder}"}
        if len(found) > 1:
            shown = ", ".join(repr(each) for each in sorted(found)[:5])
            return codes.MEDIA_AMBIGUOUS, {"name": name, "candidates": shown}
        return self.folder / found[0]

    def size(self, name: str, path: str | Path | None = None) -> Size | Trouble:
        """The size of the picture `name`; `path` is its file, where the reader knows it."""
        self.asked = True
        if self._sizes is not None:
            known = self._sizes.close(normal(name))
            if known and all(size == known[0] for size in known):
                return known[0]
        if path is None:
            found = self.find(name)
            if not isinstance(found, Path):
                return found
            path = found
        return self.size_of(path)

    def image(self, name: str) -> Image | None:
        """The picture `name` in its size, where that can be had."""
        size = self.size(name)
        return Image(float(size.width), float(size.height)) if isinstance(size, Size) else None

    def size_of(self, path: str | Path) -> Size | Trouble:
        """The size in the header of a picture file."""
        try:
            header: Header | None = read_header(path)
        except FileNotFoundError:
            return codes.MEDIA_MISSING, {"name": str(path), "hint": "nothing is there"}
        except OSError as error:
            reason = reason_of(error)
            return codes.MEDIA_UNREADABLE, {"file": str(path), "reason": reason}
        if header is None:
            reason = "no width and height in its header"
            return codes.MEDIA_UNREADABLE, {"file": str(path), "reason": reason}
        turned = self._apply and header.orientation >= 5
        width, height = header.width, header.height
        if turned:
            self._turned.add(os.fspath(path))
            width, height = height, width
        return Size(width, height, header.width, header.height, header.orientation)

    def tell(self, report: Report) -> None:
        """Note, once, how many pictures EXIF turned since this was told last."""
        if self._turned:
            report.add(codes.MEDIA_TURNED, count=len(self._turned))
            self._turned.clear()

    def _list(self) -> _Endings[str]:
        """The files below the folder."""
        if self._listed is None:
            assert self.folder is not None
            self._listed = _Endings()
            for path in walk(self.folder):
                self._listed.add(normal(path), path)
        return self._listed


def with_sizes(samples: Iterable[Sample], files: MediaFiles, report: Report) -> Iterator[Sample]:
    """The samples; pictures without a size get the one of their file, where it is found.

    At their end `report` is told which were turned, whoever asked for their sizes.
    """
    if files.given:
        for sample in samples:
            media = sample.media
            if isinstance(media, Image) and not (media.width and media.height):
                found = files.image(sample.uri or sample.key)
                if found is not None:
                    sample = msgspec.structs.replace(sample, media=found)
            yield sample
    else:
        yield from samples
    files.tell(report)


def is_picture(name: str) -> bool:
    """Whether a file name has the extension of a picture."""
    return os.path.splitext(name)[1].lower() in PICTURES  # noqa: PTH122 - ten times faster


def _leaves(path: str) -> bool:
    return path.startswith("/") or ".." in path.split("/")


T = TypeVar("T")


class _Endings(Generic[T]):
    """Values by paths, found by paths that end alike."""

    def __init__(self) -> None:
        self._by_last: dict[str, list[tuple[str, T]]] = {}
        self._by_stem: dict[str, list[tuple[str, T]]] = {}

    def add(self, path: str, value: T) -> None:
        last = path.rpartition("/")[2]
        self._by_last.setdefault(last, []).append((path, value))
        if is_picture(last):
            stem = path.rpartition(".")[0]
            self._by_stem.setdefault(stem.rpartition("/")[2], []).append((stem, value))

    def close(self, path: str) -> list[T]:
        """The values whose path is this one or ends like it; else of the longest ending of it."""
        last = path.rpartition("/")[2]
        among = self._by_last.get(last) or self._by_stem.get(last) or []
        slashed = f"/{path}"
        exact = [value for other, value in among if other == path]
        longer = exact or [value for other, value in among if other.endswith(slashed)]
        if longer:
            return longer
        endings = [(len(other), value) for other, value in among if slashed.endswith(f"/{other}")]
        longest = max((length for length, _ in endings), default=0)
        return [value for length, value in endings if length == longest]


def _read_sizes(path: Path) -> _Endings[Size]:
    """A CSV file of name, width, height. Raises `SourceError` with the line at fault."""
    sizes: _Endings[Size] = _Endings()
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            for number, row in enumerate(csv.reader(file), 1):
                if not any(row) or (number == 1 and not _whole(row[-1:])):
                    continue
                if len(row) != 3 or not _whole(row[1:]):
                    raise SourceError(
                        f"{path}:{number}: a picture's name, width and height expected, {row} found"
                    )
                width, height = int(row[1]), int(row[2])
                sizes.add(normal(row[0]), Size(width, height, width, height))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise SourceError(f"{path}: a CSV file in UTF-8 expected; {error}") from error
    return sizes


def _whole(cells: list[str]) -> bool:
    return all(cell.strip().isdecimal() and int(cell) > 0 for cell in cells)


NO_MEDIA: Any = MediaFiles()
