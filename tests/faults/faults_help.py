"""What the tests of faults share: sources, and ways to run the command line."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

COMMAND = [sys.executable, "-m", "labelconv"]
OLD = "what was there before\n"


def unmeasured() -> dict[str, str]:
    """An environment in which coverage is not measured: it has to write files of its own."""
    return {name: value for name, value in os.environ.items() if not name.startswith("COV")}


def coco_file(path: Path, images: int, boxes: int = 8) -> Path:
    whole = {
        "images": [
            {"id": n, "file_name": f"{n}.jpg", "width": 640, "height": 480} for n in range(images)
        ],
        "annotations": [
            {
                "id": n * boxes + k,
                "image_id": n,
                "category_id": 1,
                "bbox": [k, k, 10.5, 20.25],
                "segmentation": [[k, k, k + 10, k, k + 10, k + 20]],
            }
            for n in range(images)
            for k in range(boxes)
        ],
        "categories": [{"id": 1, "name": "cat"}],
    }
    path.write_text(json.dumps(whole))
    return path


def run(*arguments: object, **others: object) -> subprocess.CompletedProcess[bytes]:
    done = subprocess.run(
        [*COMMAND, *map(str, arguments)],
        capture_output=True,
        timeout=120,
        **others,  # type: ignore[call-overload]
    )
    assert b"Traceback" not in done.stderr, done.stderr.decode()
    return done


def convert(source: object, target: object, *more: str, **others: object):  # type: ignore[no-untyped-def]
    return run("convert", source, target, "--from", "coco", "--to", "labelbox", *more, **others)


def parts(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.name.endswith(".part"))
