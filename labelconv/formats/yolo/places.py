"""Items of a dataset: pictures with their label files, from folders or from lists of pictures."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from labelconv.errors import SourceError
from labelconv.formats.yolo.description import NAMES_FILES
from labelconv.formats.yolo.paths import (
    Listing,
    below,
    join,
    label_folder,
    label_path,
    listing,
    ordered,
    spelled,
    without,
)
from labelconv.spelling import stem_of

#: Text files beside labels that are none; lower case, without the ending.
_NO_LABELS = frozenset(("train", "val", "valid", "test", *map(stem_of, NAMES_FILES)))


class Item(NamedTuple):
    """A picture and its label file, as paths; one of them may not be there.

    `picture` is None where there is a label file alone. `labels` may name a file that is not there
    where the pictures come from a list. `name` is what the sample is called, `uri` where it is from
    the root on.
    """

    picture: str | None
    labels: str | None
    name: str
    uri: str


class _Texts(NamedTuple):
    """The stems of text files in a folder; `odd` has the names that do not end with `.txt`.
    And the folders in it."""

    stems: set[str]
    odd: dict[str, str]
    folders: list[str]


class Tree:
    """Pictures below a folder, then label files that have none.

    Each folder is listed once, when it is reached, so that the first samples come at once.
    """

    def __init__(self, place: str, root: str) -> None:
        self._place = place
        self._root = root
        self._walker = self._walk()
        self._walked: list[tuple[str, Listing]] = []
        self._texts: dict[str, _Texts] = {}

    def items(self) -> Iterator[Item]:
        """The items, in natural order."""
        left: dict[str, set[str]] = {}
        pictures = False
        for folder, listed in self._folders():
            beside = self._texts_of(folder, listed)
            if beside.stems:
                left.setdefault(folder, set(beside.stems))
            if not listed.pictures:
                continue
            pictures = True
            labels_at = label_folder(folder)
            texts = beside if labels_at == folder else self._texts_of(labels_at, None)
            rest = left.setdefault(labels_at, set(texts.stems))
            rest_beside = left.get(folder, rest)
            name_at, uri_at = self._called(folder, "images")
            for name in listed.pictures:
                stem = name[: name.rfind(".")]
                labels: str | None = None
                if stem in texts.stems:
                    rest.discard(stem)
                    labels = join(labels_at, texts.odd.get(stem) or f"{stem}.txt")
                elif stem in beside.stems:
                    rest_beside.discard(stem)
                    labels = join(folder, beside.odd.get(stem) or f"{stem}.txt")
                yield Item(join(folder, name), labels, f"{name_at}{name}", f"{uri_at}{name}")
        yield from self._alone(left, pictures=pictures)

    def _alone(self, left: dict[str, set[str]], *, pictures: bool) -> Iterator[Item]:
        """Label files without a picture: README files and lists are none."""
        labels_at = label_folder(self._place)
        if labels_at != self._place and os.path.isdir(labels_at):  # noqa: PTH112 - faster
            waiting, met = [labels_at], set[tuple[int, int]]()
            while waiting:
                folder = waiting.pop()
                if _met(folder, met):
                    continue
                texts = self._texts_of(folder, None)
                left.setdefault(folder, set(texts.stems))
                waiting.extend(join(folder, name) for name in texts.folders)
        for folder in ordered(list(left)):
            texts = self._texts[folder]
            used = len(left[folder]) < len(texts.stems)
            if pictures and not used and "labels" not in folder.split("/"):
                continue
            name_at, uri_at = self._called(folder, "labels")
            for stem in ordered(list(left[folder])):
                if stem.lower() in _NO_LABELS or stem.lower().startswith("readme"):
                    continue
                name = texts.odd.get(stem) or f"{stem}.txt"
                yield Item(None, join(folder, name), f"{name_at}{stem}", f"{uri_at}{name}")

    def _called(self, folder: str, kind: str) -> tuple[str, str]:
        """What goes before a file's name in the sample's name and in its address."""
        inside = below(folder, self._root)
        if inside is None:
            inside = below(folder, self._place) or ""
            uri = folder
        else:
            uri = inside
        name = without(inside, kind)
        return f"{name}/" if name else "", f"{uri}/" if uri else ""

    def _folders(self) -> Iterator[tuple[str, Listing]]:
        at = 0
        while True:
            if at == len(self._walked):
                found = next(self._walker, None)
                if found is None:
                    return
                self._walked.append(found)
            yield self._walked[at]
            at += 1

    def _walk(self) -> Iterator[tuple[str, Listing]]:
        """Folders in natural order; those met already, by a link, are passed over."""
        waiting = [self._place]
        met: set[tuple[int, int]] = set()
        while waiting:
            folder = waiting.pop()
            listed = listing(folder)
            if _met(folder, met):
                continue
            waiting.extend(join(folder, name) for name in reversed(listed.folders))
            yield folder, listed

    def _texts_of(self, folder: str, listed: Listing | None) -> _Texts:
        known = self._texts.get(folder)
        if known is None:
            if listed is None:
                there = os.path.isdir(folder)  # noqa: PTH112 - faster
                listed = listing(folder) if there else Listing([], [], [])
            names = listed.texts
            stems = {name[:-4] for name in names}
            odd = {name[:-4]: name for name in names if not name.endswith(".txt")}
            known = self._texts[folder] = _Texts(stems, odd, listed.folders)
        return known


def _met(folder: str, met: set[tuple[int, int]]) -> bool:
    """Whether a folder was met already, by another name; it is remembered."""
    status = os.stat(folder or ".")  # noqa: PTH116 - faster
    identity = (status.st_dev, status.st_ino)
    known = identity in met
    met.add(identity)
    return known


class Listed:
    """The pictures of a list, or one picture: `./a.jpg` is beside the list, others are where they
    are found."""

    def __init__(self, path: Path, bases: list[Path], root: str) -> None:
        self._path = path
        self._bases = bases
        self._root = root

    def items(self) -> Iterator[Item]:
        """The items, in the order of the list."""
        home = spelled(self._path.parent)
        if self._path.suffix.lower() != ".txt":
            yield self._item(join(home, self._path.name), home)
            return
        lines = self._lines()
        places: dict[str, str] = {}
        called: dict[str, tuple[str, str, str]] = {}
        common: str | None = None
        for line in lines:
            above, _, last = line.rpartition("/")
            place = places.get(above)
            if place is None:
                place = places[above] = self._folder(above, last, home)
            known = called.get(place)
            if known is None:
                inside = below(place, self._root)
                if inside is None and common is None:
                    common = self._common(lines, home)
                named = inside if inside is not None else below(place, common or "") or ""
                name_at = without(named, "images")
                uri_at = place if inside is None else inside
                known = called[place] = (label_folder(place), name_at, uri_at)
            labels_at, name_at, uri_at = known
            labels = join(labels_at, f"{stem_of(last)}.txt")
            yield Item(join(place, last), labels, join(name_at, last), join(uri_at, last))

    def _item(self, picture: str, home: str) -> Item:
        inside = below(home, self._root)
        name = picture.rpartition("/")[2]
        named = join(without(inside or "", "images"), name)
        return Item(picture, label_path(picture), named, join(inside or "", name))

    def _lines(self) -> list[str]:
        try:
            text = self._path.read_text(encoding="utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            raise SourceError(f"{self._path}: a list of pictures in UTF-8 expected; {error}") from (
                error
            )
        lines = (line.strip().replace("\\", "/") for line in text.split("\n"))
        return [line for line in lines if line]

    def _common(self, lines: list[str], home: str) -> str:
        """The folder that all pictures of the list are below."""
        folders = {self._folder(*line.rpartition("/")[::2], home) for line in lines}
        return os.path.commonpath([os.path.abspath(each) for each in folders])  # noqa: PTH100 - texts

    def _folder(self, above: str, last: str, home: str) -> str:
        """The folder of listed pictures: where one of them, or its labels, is."""
        if above == "." or above.startswith("./"):
            return os.path.normpath(join(home, above))
        if above.startswith("/") and os.path.isdir(above):  # noqa: PTH112 - faster
            return above
        parts = [part for part in above.split("/") if part]
        for start in range(len(parts) + 1):
            inside = "/".join(parts[start:])
            for base in (Path(home), *self._bases, Path()):
                folder = spelled(base / inside)
                picture = join(folder, last)
                if any(map(os.path.exists, (picture, label_path(picture)))):
                    return folder
        return os.path.normpath(join(home, above))
