"""Which pictures a dataset has, which split they are in, and where the labels of each are."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TypeAlias

import msgspec

from labelconv.errors import SourceError
from labelconv.formats.yolo.description import (
    NAMES_FILES,
    SPLITS,
    Description,
    find_yaml,
    is_yaml,
    located,
    read_data,
    read_names,
    read_yaml,
)
from labelconv.formats.yolo.paths import label_folder, spelled
from labelconv.formats.yolo.places import Item, Listed, Tree
from labelconv.io import Source

SIZES_NAME = "sizes.csv"


class Split(msgspec.Struct):
    """One split; `name` is None where the source has no splits.

    `others` are further names for the same pictures: a training set that is its own validation set.
    """

    name: str | None
    places: list[Tree | Listed]
    others: tuple[str, ...] = ()


class Layout(msgspec.Struct, kw_only=True):
    """A dataset's files. `root` is what names are relative to.

    `missing` are (split, place) of what splits name and is not there; `guesses` say which paths
    were taken for others. `repeated` counts pictures of a second split, `shared` label files of two
    pictures; both are known at the end of an iteration.
    """

    root: str
    described: Description
    splits: list[Split]
    missing: list[tuple[str, str]] = []
    guesses: list[tuple[str, str]] = []
    repeated: int = 0
    shared: list[str] = []

    @property
    def named_by_yaml(self) -> bool:
        """Whether a description says where the labels are: they are a dataset, not predictions."""
        return bool(self.described.splits)

    def items(self, split: Split, seen: set[str]) -> Iterator[Item]:
        """The items of a split, without those that were `seen` in another one."""
        several = len(self.splits) > 1
        met: set[str] = set()
        last = ""
        for place in split.places:
            for item in place.items():
                if several:
                    path = item.picture or item.labels or ""
                    if path in seen and path not in met:
                        self.repeated += 1
                        continue
                    met.add(path)
                if item.labels is not None:
                    if item.labels == last:
                        self.shared.append(last)
                    last = item.labels
                yield item
        seen |= met

    def label_files(self) -> Iterator[str]:
        """The label files of all items."""
        for split in self.splits:
            for place in split.places:
                for item in place.items():
                    if item.labels is not None:
                        yield item.labels

    def are_classes(self) -> bool:
        """Whether all that there is are pictures in folders, without a label."""
        some = False
        for split in self.splits:
            for place in split.places:
                for item in place.items():
                    if item.labels is not None or "/" not in item.name:
                        return False
                    some = True
        return some


# ------------------------------------------------------------------------------------- reading


def describe(source: Source, names: str | None) -> tuple[Path, Description]:
    """The folder of a source, and what is said about its labels.

    Raises `SourceError` when it is no local file or folder, or the file of names is not there.
    """
    path = source.path
    if path is None:
        raise SourceError(f"{source.name}: a folder or a data.yaml expected, a stream found")
    if not path.is_dir():
        folder = path.parent
        if is_yaml(path):
            described = read_yaml(path)
        elif path.suffix.lower() == ".data":
            described = read_data(path)
        else:
            raise SourceError(
                f"{path}: a folder, a data.yaml or an obj.data expected, another file found"
            )
    else:
        folder = path
        described = _described(path)
    if names is not None:
        given = read_names(_existing(names))
        described.file = described.file or given.file
        described.names = given.names
        described.kpt_shape = described.kpt_shape or given.kpt_shape
        described.kpt_names = described.kpt_names or given.kpt_names
        described.complaints = [*described.complaints, *given.complaints]
    return folder, described


def _existing(names: str) -> Path:
    path = Path(names)
    if not path.is_file():
        raise SourceError(f"{names}: a file with the names of the classes expected, none found")
    return path


def _described(folder: Path) -> Description:
    """What a folder says itself, or nothing."""
    found = find_yaml(folder)
    if found is not None:
        return read_yaml(found)
    data = sorted(folder.glob("*.data"))
    if len(data) == 1:
        return read_data(data[0])
    for place in (folder, folder / "labels", folder.parent):
        for name in NAMES_FILES:
            if (place / name).is_file():
                return read_names(place / name)
    return Description()


def lay_out(folder: Path, described: Description, wanted: str | None) -> Layout:
    """Where the files are. `wanted` are the splits asked for, with commas; None for all.

    Raises `SourceError` when there is nothing, or no such split.
    """
    if not described.splits:
        root = spelled(folder)
        layout = Layout(root=root, described=described, splits=[Split(None, [Tree(root, root)])])
    else:
        layout = _from_splits(folder, described)
    if wanted is not None:
        asked = [SPLITS.get(name.strip(), name.strip()) for name in wanted.split(",")]
        known = [name for split in layout.splits for name in (split.name, *split.others)]
        for name in asked:
            if name not in known:
                listed = ", ".join(str(each) for each in known if each) or "none"
                raise SourceError(
                    f"{folder}: a split {name!r} expected, not found; there are: {listed}"
                )
        layout.splits = [s for s in layout.splits if {s.name, *s.others} & {*asked}]
        layout.missing = [each for each in layout.missing if each[0] in asked]
    return layout


def _from_splits(folder: Path, described: Description) -> Layout:
    own = described.file.parent if described.file is not None else folder
    bases = [own]
    if described.path is not None:
        given = Path(described.path)
        for base in (own / given, given):
            if base.is_dir():
                bases.insert(0, base)
                break
    root = spelled(bases[0])
    layout = Layout(root=root, described=described, splits=[])
    for name, others, places in _alike(described.splits):
        found = [_place(place, bases, layout) for place in places]
        gone = [place for place, path in zip(places, found, strict=True) if path is None]
        layout.missing.extend((name, place) for place in gone)
        there: list[Tree | Listed] = [
            Tree(spelled(path), root) if path.is_dir() else Listed(path, bases, root)
            for path in found
            if path is not None
        ]
        if there:
            layout.splits.append(Split(name, there, others))
    if not layout.splits:
        listed = ", ".join(place for places in described.splits.values() for place in places)
        raise SourceError(f"{described.file or folder}: pictures expected at {listed}, none found")
    return layout


_Alike: TypeAlias = tuple[str, tuple[str, ...], tuple[str, ...]]


def _alike(splits: dict[str, tuple[str, ...]]) -> list[_Alike]:
    """(name, other names, places) of splits; those of the same places are one, called as its list
    of pictures is, or as the first of them."""
    names: dict[tuple[str, ...], list[str]] = {}
    for name, places in splits.items():
        names.setdefault(places, []).append(name)
    alike = []
    for places, called in names.items():
        lists = [name for name in called if places == (f"{name}.txt",)]
        name = (lists or called)[0]
        alike.append((name, tuple(other for other in called if other != name), places))
    return alike


def _place(place: str, bases: list[Path], layout: Layout) -> Path | None:
    """The folder, list or picture that a split names; the folder of the labels where it has no
    pictures."""
    plain = place.replace("\\", "/")
    for base in bases:
        if (base / plain).exists():
            return base / plain
    for base in bases:
        labels = Path(label_folder(spelled(base / plain)))
        if labels.is_dir():
            return labels
    found = located(place, bases)
    if found is not None and not plain.startswith("../"):
        layout.guesses.append((f"{place} is {spelled(found)}", f"nothing is at {place}"))
    return found
