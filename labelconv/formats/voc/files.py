"""Which files there are: annotation files, lists of ImageSets, pictures beside them.

A source is one XML file, a folder of XML files at any depth, a devkit's folder (`Annotations`,
`ImageSets`, `JPEGImages`, `SegmentationClass`, `SegmentationObject`), or a folder of such folders.
"""

from __future__ import annotations

import itertools
import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from labelconv.errors import OptionError, SourceError
from labelconv.io import PEEK_ENTRIES, Source, walk
from labelconv.keys import normal
from labelconv.media import PICTURES
from labelconv.spelling import stem_of

ANNOTATIONS = "Annotations"
SEGMENTATION = ("SegmentationObject", "SegmentationClass")
#: Where pictures are, seen from the folder that has `Annotations`.
_PICTURE_FOLDERS = ("JPEGImages", "images", "Images")
#: The folders of ImageSets, the one that names all pictures first.
_SETS = ("Main", "Segmentation", "Layout", "Action")


class Root(msgspec.Struct, frozen=True):
    """A folder of annotation files. `prefix` is what the keys of its samples begin with.

    `devkit` is the folder that has `Annotations` and the others; None for plain XML files.
    """

    annotations: Path
    prefix: str
    devkit: Path | None


class Entry(msgspec.Struct, frozen=True, gc=False):
    """One sample to be read: the relative path of its XML file, or of where that would be.

    `labelled` is False where there is no such file; `root` is the place in the list of roots.
    """

    path: str
    root: int
    labelled: bool = True


def roots_of(source: Source) -> list[Root]:
    """The folders of annotation files in a source that is a folder."""
    assert source.path is not None
    top = source.path
    found = _devkits(top)
    if found:
        alone = len(found) == 1
        return [
            Root(
                folder / ANNOTATIONS,
                "" if alone else f"{folder.relative_to(top).as_posix()}/",
                folder,
            )
            for folder in found
        ]
    if top.name == ANNOTATIONS and _is_devkit(top.parent):
        return [Root(top, "", top.parent)]
    return [Root(top, "", None)]


def _devkits(top: Path) -> list[Path]:
    """The folder itself, or those one or two levels below it, that are laid out as a devkit.

    Two levels are for an unpacked archive, so a few folders are looked into, not all of many.
    """
    if _is_devkit(top):
        return [top]
    below = _folders(top)
    found = [folder for folder in below if _is_devkit(folder)]
    if not found:
        found = [inner for folder in below[:20] for inner in _folders(folder) if _is_devkit(inner)]
    return found


def _is_devkit(folder: Path) -> bool:
    return any((folder / name).is_dir() for name in (ANNOTATIONS, *SEGMENTATION))


def _folders(folder: Path) -> list[Path]:
    try:
        with os.scandir(folder) as entries:
            names = [e.name for e in entries if not e.name.startswith(".") and e.is_dir()]
    except OSError:
        return []
    return [folder / name for name in sorted(names)[:200]]


def first_files(top: Path, most: int = 5) -> list[Path]:
    """A few XML files of a folder, by name, found without listing all of a large one."""
    below = _folders(top)
    for folder in (*(kit / ANNOTATIONS for kit in _devkits(top)), top, *below):
        found = _xml_files(folder)[:most]
        if found:
            return found
    inner = (each for folder in below for each in _folders(folder))
    return next((found[:most] for folder in inner if (found := _xml_files(folder))), [])


def _xml_files(folder: Path) -> list[Path]:
    try:
        with os.scandir(folder) as entries:
            names = [
                e.name
                for e in itertools.islice(entries, PEEK_ENTRIES)
                if e.name.lower().endswith(".xml") and e.name[0] != "."
            ]
    except OSError:
        return []
    return [folder / name for name in sorted(names)]


def entries_of(roots: list[Root], name: str, chosen: str | None, *, all: bool) -> list[Entry]:
    """The samples of a source in natural order; `chosen` names a list of ImageSets.

    Raises `SourceError` where there is nothing, `OptionError` where no such list is.
    """
    listed: list[Entry] = []
    found_set = False
    for number, root in enumerate(roots):
        paths = walk(root.annotations, (".xml",)) if root.annotations.is_dir() else []
        if chosen is not None:
            ids = _ids_of(root, chosen, {stem_of(path): path for path in paths})
            found_set = found_set or ids is not None
            listed += [Entry(path, number, known) for path, known in ids or ()]
            continue
        listed += [Entry(path, number) for path in paths]
        # Without any annotation file, the PNGs say which pictures are labelled.
        others = _pictures_of(root, all=all) if all or not paths else ()
        if others:
            known_stems = {stem_of(path) for path in paths}
            listed += [
                Entry(f"{stem}.xml", number, labelled=False)
                for stem in dict.fromkeys(map(stem_of, others))
                if stem not in known_stems
            ]
    if chosen is not None and not found_set:
        near = sorted({s for root in roots for s in _set_names(root)})
        known = f"; there are {', '.join(near[:12])}" if near else ", and it has no ImageSets"
        raise OptionError(f"{name}: a list {chosen!r} of ImageSets expected, none found{known}")
    if not listed and all_plain(roots):
        raise SourceError(f"{name}: XML files of Pascal VOC expected in the folder, none found")
    return listed


def all_plain(roots: Iterable[Root]) -> bool:
    return not any(root.devkit is not None for root in roots)


def _pictures_of(root: Root, *, all: bool) -> list[str]:
    """What PNGs of segmentation there are, or all pictures, as relative paths."""
    if root.devkit is None:
        return walk(root.annotations, PICTURES) if all else []
    names = (*_PICTURE_FOLDERS, *SEGMENTATION) if all else SEGMENTATION
    found: list[str] = []
    for name in names:
        folder = root.devkit / name
        if folder.is_dir():
            found += walk(folder, PICTURES)
    return found


# ------------------------------------------------------------------------------------ ImageSets

_FLAGS = frozenset(("-1", "0", "1"))


def _set_file(root: Root, chosen: str) -> Path | None:
    if root.devkit is None:
        return None
    place = root.devkit / "ImageSets"
    tried = [place / f"{chosen}.txt"] if "/" in chosen else []
    tried += [place / folder / f"{chosen}.txt" for folder in _SETS]
    return next((path for path in tried if path.is_file()), None)


def _set_names(root: Root) -> Iterator[str]:
    if root.devkit is None or not (root.devkit / "ImageSets").is_dir():
        return
    for path in walk(root.devkit / "ImageSets", (".txt",)):
        yield stem_of(path).removeprefix("Main/")


def _ids_of(root: Root, chosen: str, labelled: dict[str, str]) -> list[tuple[str, bool]] | None:
    """(relative path of the XML file, whether there is one) of each picture of a list.

    A line is an id, alone or with numbers behind it: of a class's list, 1 where the picture has
    the class, 0 where only difficult objects are of it, -1 where it has none (left out here). Ids
    may stand in quotes, with folders, or with the picture's extension.
    """
    path = _set_file(root, chosen)
    if path is None:
        return None
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise SourceError(f"{path}: a list of ids in UTF-8 expected; {error}") from error
    wanted: dict[str, bool] = {}
    for line in text.split("\n"):
        line = line.strip()
        stem = _id_of(line, labelled)
        if stem is None:
            continue
        known = labelled.get(stem)
        wanted[f"{stem}.xml" if known is None else known] = known is not None
    return list(wanted.items())


def _id_of(line: str, labelled: dict[str, str]) -> str | None:
    """The stem that a line names; None for a comment, and where the class is absent."""
    if line in labelled:
        return line
    if not line or line.startswith("#"):
        return None
    quoted = re.fullmatch(r'"([^"]*)"\s*(.*)', line)
    if quoted:
        stem, numbers = quoted[1], quoted[2].split()
    else:
        words = line.split()
        numbers = words[1:]
        stem = words[0]
        if not all(number.lstrip("-").isdigit() for number in numbers):
            stem, numbers = line, []
    if numbers and numbers[-1] == "-1":
        return None
    if stem not in labelled and os.path.splitext(stem)[1].lower() in PICTURES:  # noqa: PTH122 - faster
        stem = stem_of(stem)
    return stem


# ------------------------------------------------------------------------------------- pictures


class Pictures:
    """The picture files of a root, listed when first asked for."""

    def __init__(self, root: Root) -> None:
        self._root = root
        self._folder: Path | None = None
        self._by_stem: dict[str, list[str]] | None = None
        self._by_name: dict[str, list[str]] = {}

    def find(self, stem: str, filename: str) -> tuple[str, Path] | None:
        """(relative path, file) of a picture: by the XML file's stem, by the name that it gives,
        by the last component of either, where only one picture has it."""
        if self._by_stem is None:
            self._by_stem = self._list()
        plain = normal(filename)
        last, last_stem = plain.rpartition("/")[2], stem.rpartition("/")[2]
        found = (
            self._by_stem.get(stem)
            or self._by_name.get(plain)
            or self._by_stem.get(f"*/{last_stem}")
            or self._by_name.get(f"*/{last}")
            or (self._by_stem.get(f"*/{stem_of(last)}") if last else None)
        )
        if not found or len(found) > 1 or self._folder is None:
            return None
        return found[0], self._folder / found[0]

    def _list(self) -> dict[str, list[str]]:
        """Paths by their stem, and by `*/` and the stem's last component."""
        by_stem: dict[str, list[str]] = {}
        folders = [self._root.annotations]
        if self._root.devkit is not None:
            folders = [self._root.devkit / name for name in _PICTURE_FOLDERS]
        for folder in folders:
            paths = walk(folder, PICTURES) if folder.is_dir() else []
            if not paths:
                continue
            self._folder = folder
            for path in paths:
                name = normal(path)
                stem = stem_of(name)
                by_stem.setdefault(stem, []).append(path)
                by_stem.setdefault(f"*/{stem.rpartition('/')[2]}", []).append(path)
                self._by_name.setdefault(name, []).append(path)
                self._by_name.setdefault(f"*/{name.rpartition('/')[2]}", []).append(path)
            break
        return by_stem
