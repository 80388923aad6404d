"""Data converted against the ontology of a project."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import labelconv as lc
from labelconv.model import Sample, Samples
from labelconv.problems import Report


def tool(kind: str, name: str, *asked: dict[str, Any]) -> dict[str, Any]:
    return {"tool": kind, "name": name, "classifications": list(asked)}


def question(kind: str, name: str, *labels: str, **more: Any) -> dict[str, Any]:
    options = [{"label": label, "value": label, "options": []} for label in labels]
    return {"type": kind, "name": name, "instructions": name, "options": options, **more}


KINDS = {
    "box": "rectangle",
    "polygon": "polygon",
    "mask": "raster-segmentation",
    "line": "line",
    "point": "point",
    "entity": "named-entity",
}
TOOLS = [tool(kind, name) for name, kind in KINDS.items()]


def converted(
    folder: Path,
    sample: Sample,
    *,
    tools: Sequence[dict[str, Any]] = TOOLS,
    asked: Sequence[dict[str, Any]] = (),
    allow: Sequence[str] = (),
    **options: Any,
) -> tuple[list[dict[str, Any]], Report]:
    source, project = folder / "source.native.ndjson", folder / "ontology.json"
    lc.write(Samples([sample]), source)
    project.write_text(json.dumps({"tools": tools, "classifications": asked}))
    target = folder / "out.ndjson"
    report = lc.convert(source, target, to="labelbox", ontology=project, allow=allow, **options)
    assert report.ledger.balanced
    assert lc.check(target, ontology=project).errors == 0
    return [json.loads(line) for line in target.read_text().splitlines()], report


def told(report: Report) -> dict[str, int]:
    """How often each code came, without the note that sizes are not written."""
    return {code: count for code, count in report.counts.items() if code != "L415"}
