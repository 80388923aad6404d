"""Labelbox around its import lines: ontology, data rows, upload, and the SDK's own types."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from labelconv.labelbox.sdk import from_sdk, to_sdk

__all__ = ["from_sdk", "to_sdk"]


def __getattr__(name: str) -> Any:
    """Load what is for people who use the SDK when it is first asked for."""
    if name not in __all__:
        raise AttributeError(f"module 'labelconv.labelbox' has no attribute {name!r}")
    from labelconv.labelbox import sdk

    return getattr(sdk, name)
