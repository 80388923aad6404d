"""Options of the labelme reader and writer."""

from __future__ import annotations

from typing import Literal

import msgspec


class LabelmeReaderOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Options of the labelme reader (`-O key=value`).

    - `groups`: `join` shapes of one group_id (polygons of one label are parts of one object, an
      outline and named points are a skeleton), or leave them `apart`.
    """

    groups: Literal["join", "apart"] = "join"


class LabelmeWriterOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Options of the labelme writer (`-W key=value`).

    - `rotated`: the shape_type of rotated boxes, labelme's `oriented_rectangle` or
      X-AnyLabeling's `rotation`.
    """

    rotated: Literal["oriented_rectangle", "rotation"] = "oriented_rectangle"
