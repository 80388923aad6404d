"""UUIDs in any spelling as their 16 bytes, one by one or many at once."""

from __future__ import annotations

import re
import struct
from collections.abc import Sequence
from typing import cast

from msgspec import UNSET, UnsetType

_NOT_HEX = re.compile(r"[{}-]")


def canonical_uuid(uuid: str) -> bytes:
    """The 16 bytes of a UUID in any spelling that `wire` accepts."""
    return bytes.fromhex(_NOT_HEX.sub("", uuid))


def canonical_uuids(uuids: Sequence[str | UnsetType]) -> list[bytes | None] | None:
    """The 16 bytes of many UUIDs at once, or None if one is not in the usual spelling."""
    if UNSET in uuids or not uuids:
        return [None] * len(uuids) if uuids.count(UNSET) == len(uuids) else None
    given = cast("Sequence[str]", uuids)  # as was just looked up; a check of each would cost more
    if set(map(len, given)) != {36}:
        return None
    joined = "".join(given)
    dashes = "-" * len(uuids)
    if any(joined[place::36] != dashes for place in (8, 13, 18, 23)):
        return None
    try:
        raw = bytes.fromhex(joined.replace("-", ""))
    except ValueError:
        return None
    # fromhex skips white space and dashes may be elsewhere too; both leave too few bytes.
    if len(raw) != 16 * len(uuids):
        return None
    return [key for (key,) in struct.iter_unpack("16s", raw)]
