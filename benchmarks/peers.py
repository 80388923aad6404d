"""What labelconv is measured against; one piece of work a process.

    python peers.py json-load coco.json
    python peers.py json-lines boxes.ndjson
    python peers.py sdk-list-boxes coco.json out.ndjson

The `sdk-` works need the labelbox SDK in the interpreter that runs them; the others need nothing.
A crowd's run lengths are left out of the SDK's polygons, so it has a little less to do there than
labelconv, which writes them as masks.
"""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

Record = dict[str, Any]
Shapes = Callable[[Record], list[Any]]


def load_json(source: Path) -> None:
    """Read the whole file into Python objects."""
    with source.open("rb") as stream:
        json.load(stream)


def load_json_lines(source: Path) -> None:
    """Decode every line by itself and keep none."""
    with source.open("rb") as stream:
        for line in stream:
            json.loads(line)


def rectangle(annotation: Record) -> list[Any]:
    """The annotation's box as an SDK rectangle."""
    from labelbox.types import Point, Rectangle

    x, y, width, height = annotation["bbox"]
    return [Rectangle(start=Point(x=x, y=y), end=Point(x=x + width, y=y + height))]


def polygons(annotation: Record) -> list[Any]:
    """One SDK polygon for each part of the annotation; none for a crowd."""
    from labelbox.types import Point, Polygon

    if annotation["iscrowd"]:
        return []
    return [
        Polygon(points=[Point(x=x, y=y) for x, y in zip(part[0::2], part[1::2], strict=True)])
        for part in annotation["segmentation"]
    ]


def sdk_labels(source: Path, shapes: Shapes) -> Iterator[Any]:
    """One SDK label a picture, with all its annotations."""
    from labelbox.types import Label, ObjectAnnotation

    with source.open("rb") as stream:
        content = json.load(stream)
    names = {category["id"]: category["name"] for category in content["categories"]}
    grouped: dict[int, list[Record]] = defaultdict(list)
    for annotation in content["annotations"]:
        grouped[annotation["image_id"]].append(annotation)
    for image in content["images"]:
        yield Label(
            data={"global_key": image["file_name"]},
            annotations=[
                ObjectAnnotation(name=names[annotation["category_id"]], value=value)
                for annotation in grouped[image["id"]]
                for value in shapes(annotation)
            ],
        )


def write_sdk_lines(batches: Iterable[list[Any]], target: Path) -> None:
    """Serialize each batch of labels with the SDK's converter and write the lines."""
    from labelbox.data.serialization import NDJsonConverter

    with target.open("w", encoding="utf-8") as stream:
        for labels in batches:
            for line in NDJsonConverter.serialize(labels):
                stream.write(json.dumps(line) + "\n")


def sdk_list(source: Path, target: Path, shapes: Shapes) -> None:
    """All labels first, then the lines: the order of steps in the SDK's guide."""
    write_sdk_lines([list(sdk_labels(source, shapes))], target)


def sdk_one_at_a_time(source: Path, target: Path, shapes: Shapes) -> None:
    """Each label is serialized and dropped before the next one is built."""
    write_sdk_lines(([label] for label in sdk_labels(source, shapes)), target)


WORKS: dict[str, Callable[..., None]] = {
    "json-load": load_json,
    "json-lines": load_json_lines,
    "sdk-list-boxes": lambda source, target: sdk_list(source, target, rectangle),
    "sdk-list-polygons": lambda source, target: sdk_list(source, target, polygons),
    "sdk-one-boxes": lambda source, target: sdk_one_at_a_time(source, target, rectangle),
    "sdk-one-polygons": lambda source, target: sdk_one_at_a_time(source, target, polygons),
}


def main() -> None:
    """Do the named work on the given paths."""
    if len(sys.argv) < 3 or sys.argv[1] not in WORKS:
        sys.exit(f"usage: peers.py {{{'|'.join(WORKS)}}} SOURCE [TARGET]")
    WORKS[sys.argv[1]](*map(Path, sys.argv[2:]))


if __name__ == "__main__":
    main()
