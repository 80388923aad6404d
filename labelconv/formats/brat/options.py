"""Options of the brat reader."""

from __future__ import annotations

from typing import Literal

import msgspec


class BratReaderOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Options of the brat reader (`-O key=value`).

    - `source_offsets`: what offsets count. brat itself counts code points.
    """

    source_offsets: Literal["codepoint", "utf16", "utf8"] = "codepoint"
