"""What readers raise inside for a record that cannot be used, and reject where they catch it."""

from __future__ import annotations

import math
from typing import Any

from labelconv import codes
from labelconv.problems import Code


class Unusable(Exception):
    """A record that cannot be used: the code, the place inside the record, the code's values."""

    def __init__(self, code: Code, pointer: str = "", /, **values: object) -> None:
        super().__init__(code.name)
        self.code = code
        self.pointer = pointer
        self.values: dict[str, Any] = values


def finite(value: float, pointer: str) -> float:
    """The number (of a JSON decoder: whole, perhaps larger than any float). Raises `Unusable`."""
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise Unusable(codes.NUMBER_NOT_FINITE, pointer, found=str(value)[:40])
    return number
