"""What stands beside the labels: data.yaml, obj.data, and files with names of classes.

Rules of ultralytics 8.4 (`check_det_dataset`, `check_class_names`) and of darknet's `data.c`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from labelconv import codes, yamltext
from labelconv.errors import OptionError, SourceError, reason_of
from labelconv.model import Category, Extra, Ontology, Option, Question
from labelconv.problems import Code, Report, Where
from labelconv.tasks import QUESTION, TASKS

#: Keys of a data.yaml that name pictures, and what the split is called; in the order of reading.
SPLITS = {
    "train": "train",
    "val": "val",
    "validation": "val",
    "valid": "val",
    "test": "test",
    "minival": "minival",
}
#: Keys that are read, and keys of other tools; any further one with a folder or a list as its
#: value is a split, too.
_READ = frozenset(
    {"path", "names", "nc", "kpt_shape", "kpt_names", "flip_idx", "channels"}
    | {"task", "columns", "skeleton"}
)
_UNREAD = frozenset({"masks_dir", "download", "roboflow", "yaml_file", "depth_scale"})
_NO_SPLITS = _READ | _UNREAD
#: Names of the file that describes a dataset, where a folder has several YAML files.
YAML_NAMES = ("data.yaml", "dataset.yaml", "data.yml", "dataset.yml")
NAMES_FILES = ("classes.txt", "obj.names", "_darknet.labels", "names.txt", "predefined_classes.txt")


class Description(msgspec.Struct, kw_only=True):
    """What is said about all labels. `names` by class number; `splits` as the source spells them.

    `kpt_shape` is (keypoints, numbers for each). `complaints` are told when the reading starts, and
    so are the `unread` fields.
    """

    file: Path | None = None
    names: dict[int, str] = {}
    task: str | None = None
    columns: str | None = None
    kpt_shape: tuple[int, int] | None = None
    kpt_names: dict[int, tuple[str, ...]] = {}
    skeletons: dict[int, tuple[tuple[int, int], ...]] = {}
    path: str | None = None
    splits: dict[str, tuple[str, ...]] = {}
    info: Extra = {}
    complaints: list[tuple[Code, dict[str, object]]] = []
    unread: tuple[str, ...] = ()

    def keypoints(self, number: int) -> tuple[str, ...]:
        """The names of a class's keypoints, made up where nothing says them."""
        if self.kpt_shape is None:
            return ()
        given = self.kpt_names.get(number, ())
        made_up = (f"keypoint_{index}" for index in range(len(given), self.kpt_shape[0]))
        return (*given, *made_up)[: max(self.kpt_shape[0], len(given))]

    def ontology(self, *, pose: bool, classify: bool) -> Ontology:
        """The classes in the order of their numbers, or the question that they answer."""
        if classify:
            options = tuple(Option(name=name) for name in dict.fromkeys(self.names.values()))
            return Ontology(questions=(Question(name=QUESTION, kind="radio", options=options),))
        categories: dict[str, Category] = {}
        for number, name in self.names.items():
            if name not in categories:
                points = self.keypoints(number) if pose else ()
                skeleton = self.skeletons.get(number, ()) if pose else ()
                categories[name] = Category(
                    name=name, source_id=number, keypoints=points, skeleton=skeleton
                )
        return Ontology(categories=tuple(categories.values()))

    def complain(self, report: Report) -> None:
        """Tell what is odd about the description."""
        where = Where(path=None if self.file is None else str(self.file))
        for code, values in self.complaints:
            report.add(code, where, **values)
        for name in self.unread:
            report.field(f"yolo:{name} (of the dataset)")


# ------------------------------------------------------------------------------------- data.yaml


def is_yaml(path: Path) -> bool:
    return path.suffix.lower() in (".yaml", ".yml")


def find_yaml(folder: Path) -> Path | None:
    """The file that describes the dataset in a folder: by its name, or the only YAML file."""
    found = sorted(path for path in folder.iterdir() if is_yaml(path) and path.is_file())
    for name in YAML_NAMES:
        for path in found:
            if path.name.lower() == name:
                return path
    if len(found) > 1:
        found = [path for path in found if path.stem == folder.resolve().name]
    return found[0] if len(found) == 1 else None


def read_yaml(path: Path) -> Description:
    """A data.yaml. Raises `SourceError` when it says neither `names` nor `nc`."""
    said = yamltext.load(_bytes(path), str(path))
    if not isinstance(said, dict):
        raise SourceError(f"{path}: `names` and `train` expected in it, {_kind(said)} found")
    described = Description(file=path)
    described.names = _names(said, path, described)
    _duplicates(described)
    described.task = _one_of(said.get("task"), TASKS)
    described.columns = _one_of(said.get("columns"), ("none", "conf", "track", "conf+track"))
    if said.get("kpt_shape"):
        described.kpt_shape = kpt_shape(said["kpt_shape"], f"{path}: kpt_shape")
        _keypoint_names(said, path, described)
        _skeletons(said, described)
    described.path = _text(said.get("path"))
    described.splits = _splits(said, path)
    others = (
        key for key in said if key not in _READ and SPLITS.get(key, key) not in described.splits
    )
    described.unread = tuple(key for key in others if said[key])
    for name in ("flip_idx", "channels"):
        if said.get(name):
            described.info[f"yolo:{name}"] = said[name]
    return described


def _names(said: dict[str, Any], path: Path, described: Description) -> dict[int, str]:
    given, count = said.get("names"), _count(said.get("nc"), path)
    if isinstance(given, list):
        names = {number: _name(name, path) for number, name in enumerate(given)}
    elif isinstance(given, dict):
        names = {}
        for key, name in given.items():
            if not key.strip().isdecimal():
                raise SourceError(
                    f"{path}: whole numbers as the keys of `names` expected, {key!r} found"
                )
            names[int(key)] = _name(name, path)
        names = dict(sorted(names.items()))
    elif given not in (None, ""):
        raise SourceError(f"{path}: a list or a mapping as `names` expected, {given!r} found")
    elif count is None:
        raise SourceError(f"{path}: `names` or `nc` expected in it, neither found")
    else:
        return {number: f"class_{number}" for number in range(count)}
    if count is not None and count != len(names):
        values = {"expected": f"nc: {len(names)}, as `names` has", "found": f"nc: {count}"}
        described.complaints.append((codes.RECORD_MALFORMED, {**values}))
    return names


def _name(name: Any, path: Path) -> str:
    if not isinstance(name, str):
        raise SourceError(f"{path}: a text as the name of a class expected, {name!r} found")
    return name


def _duplicates(described: Description) -> None:
    numbers: dict[str, list[int]] = {}
    for number, name in described.names.items():
        numbers.setdefault(name, []).append(number)
    for name, used in numbers.items():
        if len(used) > 1:
            listed = " and ".join(map(str, used))
            values: dict[str, object] = {
                "what": f"{name!r} is one class",
                "evidence": f"the classes {listed} have the same name",
            }
            described.complaints.append((codes.CONVENTION_GUESSED, values))


def _count(given: Any, path: Path) -> int | None:
    """`nc`, which may be written 10, "10" or 10.0."""
    if given in (None, ""):
        return None
    try:
        count = float(given)
    except (TypeError, ValueError):
        count = -1.0
    if count < 0 or count != int(count):
        raise SourceError(f"{path}: a whole number as `nc` expected, {given!r} found")
    return int(count)


def kpt_shape(given: Any, place: str) -> tuple[int, int]:
    """(keypoints, numbers for each) from `[17, 3]`, `17x3` or `17,3`. Raises `OptionError`."""
    parts = given if isinstance(given, list) else given.replace("x", ",").strip("[]").split(",")
    try:
        count, numbers = (int(part) for part in parts)
    except (TypeError, ValueError):
        count, numbers = 0, 0
    if count < 1 or numbers not in (2, 3):
        raise OptionError(f"{place}: a count and 2 or 3 expected, such as 17x3; {given!r} found")
    return count, numbers


def _keypoint_names(said: dict[str, Any], path: Path, described: Description) -> None:
    given = said.get("kpt_names")
    if isinstance(given, list):
        given = dict.fromkeys(map(str, described.names), given)
    for number, names in (given or {}).items() if isinstance(given, dict) else ():
        if not number.isdecimal() or not isinstance(names, list):
            raise SourceError(
                f"{path}: a list of names for each class as `kpt_names` expected, {names!r} found"
            )
        described.kpt_names[int(number)] = tuple(_name(name, path) for name in names)


def _skeletons(said: dict[str, Any], described: Description) -> None:
    """Pairs of keypoints: for each class, from 0; or one list for all, whose base is found out."""
    given = said.get("skeleton")
    assert described.kpt_shape is not None
    if isinstance(given, list):
        pairs = _pairs(given)
        numbers = [number for pair in pairs for number in pair]
        if not numbers:
            return
        base = 0 if 0 in numbers else 1
        why = "0 is among them" if base == 0 else "0 is not among them, as in COCO"
        described.complaints.append(
            (
                codes.CONVENTION_GUESSED,
                {"what": f"the skeleton counts keypoints from {base}", "evidence": why},
            )
        )
        shifted = tuple((a - base, b - base) for a, b in pairs)
        described.skeletons = dict.fromkeys(described.names, shifted)
        _left_out(len(given) - len(pairs), described)
    elif isinstance(given, dict):
        listed = {key: edges for key, edges in given.items() if isinstance(edges, list)}
        for number, edges in listed.items():
            if number.isdecimal():
                described.skeletons[int(number)] = tuple(_pairs(edges))
        kept = sum(map(len, described.skeletons.values()))
        _left_out(sum(map(len, listed.values())) + len(given) - len(listed) - kept, described)


def _left_out(edges: int, described: Description) -> None:
    """Tell that edges of the skeleton could not be read, if some could not."""
    if edges:
        what = f"{edges} edges of the skeleton are left out"
        evidence = "pairs of whole numbers are edges, those of a class stand under its number"
        values: dict[str, object] = {"what": what, "evidence": evidence}
        described.complaints.append((codes.CONVENTION_GUESSED, values))


def _pairs(given: list[Any]) -> list[tuple[int, int]]:
    return [
        (int(pair[0]), int(pair[1]))
        for pair in given
        if isinstance(pair, list)
        and len(pair) == 2
        and all(isinstance(end, str) and end.isdecimal() for end in pair)
    ]


def _splits(said: dict[str, Any], path: Path) -> dict[str, tuple[str, ...]]:
    splits: dict[str, tuple[str, ...]] = {}
    ordered = [*SPLITS, *(key for key in said if key not in SPLITS)]
    for key in ordered:
        value = said.get(key)
        if key in _NO_SPLITS or not value:
            continue
        places = [value] if isinstance(value, str) else value
        if not isinstance(places, list) or not all(isinstance(each, str) for each in places):
            if key in SPLITS:
                raise SourceError(
                    f"{path}: a folder, a list of pictures or several of them as `{key}` "
                    f"expected, {value!r} found"
                )
            continue
        name = SPLITS.get(key, key)
        splits[name] = (*splits.get(name, ()), *(each for each in places if each))
    return splits


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _one_of(value: Any, known: tuple[str, ...]) -> str | None:
    return value if value in known else None


def _kind(value: Any) -> str:
    words: dict[type, str] = {list: "a list", str: "a text"}
    return words.get(type(value), "nothing")


# ------------------------------------------------------------------------- obj.data and the rest


def read_data(path: Path) -> Description:
    """Darknet's obj.data: `key = value` lines, of which `names`, `train` and `valid` count."""
    said: dict[str, str] = {}
    for line in _lines(path):
        key, sign, value = line.partition("=")
        if sign:
            said[key.strip()] = value.strip()
    described = Description(file=path)
    named = said.get("names")
    beside = [path.with_name(name) for name in NAMES_FILES]
    file = located(named, [path.parent]) if named else None
    file = file or next((each for each in beside if each.is_file()), None)
    if file is None:
        raise SourceError(
            f"{path}: a file with the names of the classes expected, {named!r} is not found"
        )
    described.names = read_names(file).names
    _duplicates(described)
    keys = {"train": "train", "valid": "val", "test": "test"}
    described.splits = {split: (said[key],) for key, split in keys.items() if said.get(key)}
    return described


def read_names(path: Path) -> Description:
    """The names of classes from a YAML file, an obj.data, or a text file with one a line."""
    if is_yaml(path):
        return read_yaml(path)
    if path.suffix.lower() == ".data":
        return read_data(path)
    lines = _lines(path)
    while lines and not lines[-1]:
        lines.pop()
    described = Description(file=path)
    described.names = {number: name for number, name in enumerate(lines) if name}
    _duplicates(described)
    return described


def located(name: str, bases: list[Path]) -> Path | None:
    """What a description calls `name`, if it is there: below a base as it is, without leading
    `../` (as Roboflow writes them), or by the longest ending of the path that is there."""
    plain = name.replace("\\", "/").strip()
    for base in bases:
        if (base / plain).exists():
            return base / plain
    parts = [part for part in plain.split("/") if part not in ("", ".")]
    while parts:
        if parts[0] != "..":
            for base in bases:
                path = base.joinpath(*parts)
                if path.exists():
                    return path
        parts = parts[1:]
    return None


def _lines(path: Path) -> list[str]:
    try:
        text = _bytes(path).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise SourceError(f"{path}: UTF-8 expected; {error}") from error
    return [line.strip() for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n")]


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise SourceError(f"{path}: {reason_of(error)}") from error
