"""The first line: the dataset record, with classes and the shape of keypoints."""

from __future__ import annotations

from typing import Any

import msgspec

from labelconv import fractions, tasks
from labelconv.errors import SourceError
from labelconv.formats.ultralytics_ndjson.options import NAME
from labelconv.io import Source, skip_mark
from labelconv.model import Category, Extra, Ontology, Option, Question

_LOOKED_AT = 50  # poses, where nothing says their shape; as many as ultralytics looks at
_SAID = frozenset(("type", "task", "class_names", "kpt_shape", "kpt_names"))


class Header(msgspec.Struct, kw_only=True):
    """The dataset record. `shape` is (keypoints, numbers for each)."""

    task: str
    names: dict[int, str]
    shape: tuple[int, int] | None
    points: dict[int, tuple[str, ...]]
    info: Extra
    found_out: str | None = None

    def keypoints(self, number: int) -> tuple[str, ...]:
        """The names of a class's keypoints, made up where nothing says them."""
        if self.shape is None:
            return ()
        given = self.points.get(number, ())
        made_up = (f"keypoint_{index}" for index in range(len(given), self.shape[0]))
        return (*given, *made_up)

    def ontology(self) -> Ontology:
        """The classes in the order of their numbers, or the question that they answer."""
        if self.task == "classify":
            options = tuple(Option(name=name) for name in dict.fromkeys(self.names.values()))
            question = Question(name=tasks.QUESTION, kind="radio", options=options)
            return Ontology(questions=(question,))
        categories: dict[str, Category] = {}
        for number, name in self.names.items():
            made = Category(name=name, source_id=number, keypoints=self.keypoints(number))
            categories.setdefault(name, made)
        return Ontology(categories=tuple(categories.values()))


def read_header(source: Source) -> Header:
    with source.open() as file:
        skip_mark(file, source.name)
        try:
            record = msgspec.json.decode(file.readline())
        except (msgspec.DecodeError, RecursionError) as error:
            raise SourceError(f"{source.name}:1: a dataset record expected; {error}") from None
    if not isinstance(record, dict) or record.get("type", "dataset") != "dataset":
        raise SourceError(f'{source.name}:1: a record of "type": "dataset" expected, another found')
    names = record.get("class_names") or {}
    if isinstance(names, list):
        names = {str(number): name for number, name in enumerate(names)}
    if not isinstance(names, dict) or not all(
        key.isdecimal() and isinstance(name, str) for key, name in names.items()
    ):
        raise SourceError(f"{source.name}:1: numbers and names as `class_names` expected")
    header = Header(
        task=record.get("task") or "detect",
        names=dict(sorted((int(key), name) for key, name in names.items())),
        shape=None,
        points={},
        info={f"{NAME}:{key}": value for key, value in record.items() if key not in _SAID},
    )
    given = record.get("kpt_shape")
    if isinstance(given, list) and len(given) == 2 and given[1] in (2, 3) and _whole(given[0]):
        header.shape = (given[0], given[1])
    elif header.task == "pose":
        _find_shape(source, header)
    points = record.get("kpt_names")
    for key, listed in (points or {}).items() if isinstance(points, dict) else ():
        if key.isdecimal() and isinstance(listed, list):
            header.points[int(key)] = tuple(map(str, listed))
    return header


def _whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0


def _find_shape(source: Source, header: Header) -> None:
    """The shape of keypoints from the first poses, as ultralytics finds it out."""
    found: list[list[float]] = []
    with source.open() as file:
        for line in file:
            try:
                record = msgspec.json.decode(line)
                found.extend(row[5:] for row in record["annotations"]["pose"] if len(row) > 5)
            except (msgspec.DecodeError, RecursionError, KeyError, TypeError):
                continue
            if len(found) >= _LOOKED_AT:
                break
    lengths = {len(row) for row in found}
    visible = all(value in (0, 1, 2) for row in found for value in row[2::3])
    dims = fractions.infer_dims(max(lengths), visible=visible) if len(lengths) == 1 else None
    if dims is None:
        if found:
            raise SourceError(f"{source.name}:1: `kpt_shape` expected, which the poses do not tell")
        return
    header.shape = (max(lengths) // dims, dims)
    header.found_out = f"the first {len(found)} poses have {max(lengths)} numbers behind the box"
