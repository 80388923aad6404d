"""Makes schemas/labelconv.schema.json from the model: `python tools/generate_model_schema.py`."""

from __future__ import annotations

from pathlib import Path

import msgspec

from labelconv.formats.native import Header
from labelconv.model import Sample

PATH = Path(__file__).parent.parent / "schemas" / "labelconv.schema.json"


def text() -> str:
    """The JSON Schema (2020-12) of a line of the native format, as it is kept in the repository."""
    lines, defined = msgspec.json.schema_components((Header, Sample), ref_template="#/$defs/{name}")
    whole = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A line of labelconv's native format: the header, then one sample a line",
        "anyOf": list(lines),
        "$defs": dict(sorted(defined.items())),
    }
    return msgspec.json.format(msgspec.json.encode(whole), indent=2).decode() + "\n"


if __name__ == "__main__":
    PATH.write_text(text(), encoding="utf-8")
