"""Small exports for the tests of their reader."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

FIXTURES = Path(__file__).resolve().parents[1] / "fixtures" / "labelbox-export"


def fixture(case: str) -> Path:
    """The export of a case."""
    return next((FIXTURES / case / "input").glob("export.*"))


def box(name: str, id: str, left: float = 1, **more: Any) -> dict[str, Any]:
    """A box of a picture."""
    edges = {"top": 2, "left": left, "height": 3, "width": 4}
    kind = "ImageBoundingBox"
    return {"feature_id": id, "name": name, "annotation_kind": kind, "bounding_box": edges, **more}


def label(*objects: Any, **annotations: Any) -> dict[str, Any]:
    """A label with objects and whatever else is said."""
    said = {"objects": list(objects), "classifications": [], "relationships": [], **annotations}
    return {"id": "label", "label_kind": "Default", "annotations": said}


def row(
    *labels: dict[str, Any], key: str = "a.jpg", size: tuple[int, int] = (8, 6), **more: Any
) -> dict[str, Any]:
    """A data row of one project; `size` is (width, height)."""
    address = f"https://example.org/{key}"
    about = {"id": f"row-{key}", "global_key": key, "row_data": address, **more}
    return {
        "data_row": about,
        "media_attributes": {"width": size[0], "height": size[1], "mime_type": "image/png"},
        "projects": {"p1": {"name": "One", "labels": list(labels)}},
    }


def lines(path: Path, *rows: Any) -> Path:
    """The rows in a file, one a line."""
    path.write_text("".join(json.dumps(each) + "\n" for each in rows), encoding="utf-8")
    return path
