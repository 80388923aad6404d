"""The rules by which ultralytics 8.4.190 takes or refuses a dataset, stated once more.

After `check_det_dataset`, `img2label_paths` and `verify_image_label` of `data/utils.py`, and
`get_img_files` of `data/base.py`, as source-formats.md A2 lists them. Pillow, PyYAML and numpy
read; nothing of labelconv is used.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import yaml
from PIL import Image

SUFFIXES = {"avif", "bmp", "dng", "heic", "heif", "jp2", "jpeg", "jpg", "mpo", "png"} | {
    "tif",
    "tiff",
    "webp",
}


class Refused(AssertionError):
    """The loader would refuse this."""


def ask(right: bool, why: str) -> None:
    if not right:
        raise Refused(why)


def description(path: Path) -> dict[str, Any]:
    """A data.yaml as the loader takes it; splits as lists of pictures."""
    data = yaml.safe_load(path.read_text(encoding="utf-8"))
    for key in ("train", "val"):
        ask(key in data, f"{key} is missing")
    names = data.get("names")
    ask(names is not None or "nc" in data, "names or nc are missing")
    if names is None:
        names = [f"class_{number}" for number in range(data["nc"])]
    if "nc" in data:
        ask(int(data["nc"]) == len(names), "nc and names differ")
    if isinstance(names, list):
        names = dict(enumerate(names))
    names = {int(key): str(name) for key, name in names.items()}
    ask(sorted(names) == list(range(len(names))), "numbers of classes have gaps")
    root = Path(data.get("path") or path.parent)
    splits = {}
    for key in ("train", "val", "test", "minival"):
        if data.get(key):
            places = data[key] if isinstance(data[key], list) else [data[key]]
            splits[key] = pictures([(root / place).resolve() for place in places])
    return {"names": names, "splits": splits, "kpt_shape": data.get("kpt_shape"), "yaml": data}


def pictures(places: list[Path]) -> list[str]:
    found: list[str] = []
    for place in places:
        if place.is_dir():
            found += [str(each) for each in place.rglob("*.*")]
        else:
            ask(place.is_file(), f"{place} does not exist")
            lines = place.read_text(encoding="utf-8-sig").strip().splitlines()
            parent = f"{place.parent}/"
            found += [
                line.replace("./", parent, 1) if line.startswith("./") else line for line in lines
            ]
    return sorted(each for each in found if each.rpartition(".")[-1].lower() in SUFFIXES)


def labels_of(picture: str) -> Path:
    before, folder, after = picture.rpartition("/images/")
    path = f"{before}/labels/{after}" if folder else picture
    return Path(path.rpartition(".")[0] + ".txt")


class Labels:
    """What the loader makes of one picture: classes, boxes, polygons, keypoints."""

    def __init__(self, size: tuple[int, int]) -> None:
        self.size = size
        self.classes = np.zeros(0)
        self.boxes = np.zeros((0, 4))
        self.segments: list[np.ndarray] = []
        self.keypoints = np.zeros((0, 0, 3))


def verify(picture: str, said: dict[str, Any], task: str) -> Labels:
    """One picture with its labels. Raises `Refused` where the loader drops them as corrupt."""
    with Image.open(picture) as image:
        size = image.size
    ask(min(size) > 9, f"{picture}: smaller than 10 pixels")
    found = Labels(size)
    path = labels_of(picture)
    if not path.is_file():
        return found
    text = path.read_text(encoding="utf-8-sig")
    rows = [row.split() for row in text.strip().splitlines() if row.strip()]
    if not rows:
        return found
    shape = said["kpt_shape"] if task == "pose" else None
    if any(len(row) > 6 for row in rows) and shape is None:
        ask(not any(len(row) == 5 for row in rows), f"{path}: boxes and polygons are mixed")
        segments = [np.array(row[1:], np.float32).reshape(-1, 2) for row in rows]
        numbers = np.array(
            [[float(row[0]), *_around(ring)] for row, ring in zip(rows, segments, strict=True)],
            np.float32,
        )
        found.segments = segments
    else:
        width = 5 if shape is None else 5 + shape[0] * shape[1]
        ask(all(len(row) == width for row in rows), f"{path}: {width} numbers a row expected")
        numbers = np.array(rows, np.float32)
    points = numbers[:, 1:] if shape is None else numbers[:, 5:].reshape(-1, shape[1])[:, :2]
    ask(points.max() <= 1.01, f"{path}: coordinates above 1.01")
    low = numbers.min()
    ask(low >= 0 or (low >= -0.01 and numbers[:, 3:5].min() >= 0), f"{path}: negative values")
    ask((numbers[:, 0] % 1 == 0).all(), f"{path}: classes that are not whole")
    ask(numbers[:, 0].max() < len(said["names"]), f"{path}: classes beyond the names")
    found.classes, found.boxes = numbers[:, 0], numbers[:, 1:5]
    if shape is not None:
        found.keypoints = numbers[:, 5:].reshape(-1, *shape)
    return found


def _around(ring: np.ndarray) -> tuple[float, ...]:
    low, high = ring.min(axis=0), ring.max(axis=0)
    return (*((low + high) / 2), *(high - low))


def take(folder: Path, task: str) -> tuple[dict[int, str], dict[str, dict[str, Labels]]]:
    """(names of classes, labels by split and picture) of a dataset, as training would have it."""
    said = description(folder / "data.yaml")
    return said["names"], {
        split: {Path(each).name: verify(each, said, task) for each in listed}
        for split, listed in said["splits"].items()
    }
