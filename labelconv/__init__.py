"""labelconv: annotations from any common format into any other, nothing lost in silence.

import labelconv as lc

for sample in lc.read("instances.json"):
    ...
report = lc.convert("instances.json", "mal.ndjson", to="labelbox", key="{stem}")
lc.write(lc.read("instances.json"), "copy.json", "coco")
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from labelconv import labelbox as labelbox
    from labelconv.check import check
    from labelconv.convert import convert, write
    from labelconv.diff import diff
    from labelconv.model import Dataset, Ontology, Sample, Samples
    from labelconv.problems import Report
    from labelconv.reading import read
    from labelconv.registry import names as formats

_HOMES = {
    "Dataset": "model",
    "Ontology": "model",
    "Report": "problems",
    "Sample": "model",
    "Samples": "model",
    "check": "check",
    "convert": "convert",
    "diff": "diff",
    "formats": "registry:names",
    "read": "reading",
    "write": "convert",
}

__all__ = [
    "Dataset",
    "Ontology",
    "Report",
    "Sample",
    "Samples",
    "check",
    "convert",
    "diff",
    "formats",
    "read",
    "write",
]


def __getattr__(name: str) -> Any:
    """Load the part that a name lives in when it is first asked for: importing stays cheap."""
    import importlib

    if name == "labelbox":  # a module, for people who use the SDK
        return importlib.import_module("labelconv.labelbox")
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'labelconv' has no attribute {name!r}")
    module, _, attribute = home.partition(":")
    value = getattr(importlib.import_module(f"labelconv.{module}"), attribute or name)
    globals()[name] = value
    return value


class _Package(ModuleType):
    """Importing the module `labelconv.convert` must not hide the function of that name."""

    def __setattr__(self, name: str, value: object) -> None:
        if name not in _HOMES or not isinstance(value, ModuleType):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package


def __dir__() -> list[str]:
    return sorted(__all__)
