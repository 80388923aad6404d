"""What makes a record of MAL unusable: said by raising, and turned into a rejection above."""

from __future__ import annotations

from typing import NoReturn

from labelconv.codes import RECORD_MALFORMED
from labelconv.problems import Code


class Fault(Exception):
    """A record that cannot be read or written: the code, its values, the pointer inside it."""

    def __init__(self, code: Code, pointer: str = "", /, **values: object) -> None:
        super().__init__(code.name)
        self.code = code
        self.pointer = pointer
        self.values = values


def malformed(pointer: str, expected: str, found: str) -> NoReturn:
    """Raise the `Fault` of a record that has not the form its format asks for."""
    raise Fault(RECORD_MALFORMED, pointer, expected=expected, found=found)
