"""data.yaml as it is written: names that every YAML parser takes for texts, in stable order."""

from __future__ import annotations

import json
import re
from typing import Any

from labelconv.model import Dataset
from labelconv.tasks import Classes

_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_]*(?:[ /-][A-Za-z0-9_]+)*")
#: What YAML 1.1 takes for something else than a text (yaml.org/type); compared in lower case.
_NOT_TEXT = frozenset(("y", "n", "yes", "no", "on", "off", "true", "false", "null", "nan", "inf"))


def data_yaml(
    task: str, classes: Classes, dataset: Dataset, splits: dict[str, str], *, confidence: bool
) -> str:
    """The text of a data.yaml. `splits` has the names of splits as they are written."""
    names = list(classes.numbers)
    written = list(dict.fromkeys(splits.values()))
    lines = ["# Written by labelconv. Splits are lists of pictures beside this file."]
    lines += [f"{split}: {split}.txt" for split in written]
    # Training asks for both.
    lines += [
        f"{split}: {written[0]}.txt  # there is no other"
        for split in ("train", "val")
        if split not in written
    ]
    lines.append(f"task: {task}")
    if confidence:
        lines.append("columns: conf")
    lines.append(f"nc: {len(names)}")
    if task == "pose":
        lines += _keypoints(classes, dataset)
    lines.append("names:" if names else "names: {}")
    lines += [f"  {number}: {quoted(name)}" for number, name in enumerate(names)]
    return "\n".join(lines) + "\n"


def _keypoints(classes: Classes, dataset: Dataset) -> list[str]:
    lines = [f"kpt_shape: [{classes.width}, 3]"]
    mirrored: Any = dataset.info.get("yolo:flip_idx")
    if isinstance(mirrored, list) and len(mirrored) == classes.width:
        lines.append(f"flip_idx: [{', '.join(map(str, mirrored))}]")
    named = {name: points for name, points in classes.keypoints.items() if points}
    if named:
        lines.append("kpt_names:")
        for name, points in named.items():
            listed = ", ".join(map(quoted, points))
            lines.append(f"  {classes.numbers[name]}: [{listed}]")
    edges = {
        category.name: category.skeleton
        for category in dataset.ontology.categories
        if category.skeleton
    }
    if edges:
        lines.append("skeleton:  # pairs of keypoints of each class, counted from 0")
        for name, pairs in edges.items():
            listed = ", ".join(f"[{start}, {end}]" for start, end in pairs)
            lines.append(f"  {classes.number(name)}: [{listed}]")
    return lines


def quoted(name: str) -> str:
    """A name as a YAML scalar that is a text to any parser: in quotes where it needs them."""
    if _PLAIN.fullmatch(name) and name.lower() not in _NOT_TEXT:
        return name
    return json.dumps(name, ensure_ascii=False)
