"""What texts and keys a format can carry, and how others are spelled so that it can.

What a format cannot carry is percent-encoded (UTF-8, as in URLs), the rest of the text stays.
"""

from __future__ import annotations

import re
from functools import lru_cache
from hashlib import sha1
from typing import Literal, TypeAlias

#: What texts may hold: anything; what XML 1.0 carries unchanged (no carriage return); one line
#: without control characters and without blanks at its ends; a line without any blanks; lines none
#: of which is blank.
Spelling: TypeAlias = Literal["any", "xml", "line", "word", "block"]
#: What keys may be: anything; a relative file path; a path that is unique without its extension.
KeySpelling: TypeAlias = Literal["any", "path", "stem"]

_NOT_XML = r"\x00-\x08\x0b-\x1f\ud800-\udfff\ufffe\uffff"
_CONTROL = rf"{_NOT_XML}\t\n\x7f-\x9f\u2028\u2029"
_REFUSED: dict[str, re.Pattern[str]] = {
    "xml": re.compile(f"[{_NOT_XML}]"),
    "line": re.compile(rf"[{_CONTROL}]|^\s|\s$"),
    "word": re.compile(rf"[{_CONTROL}\s]"),
    "block": re.compile(rf"[{_NOT_XML}\x7f-\x9f\u2028\u2029]|^\s|\s$|\n(?=[^\S\n]*\n)"),
}
#: Beside control characters: what some file system refuses in a name, and the dot of hidden files,
#: which readers of folders pass over.
_NOT_IN_PATHS = re.compile(
    rf'[{_CONTROL}\\:*?"<>|]|(?:^|(?<=/))\s|\s(?=/|$)|(?:^|(?<=/))\.(?=[^./]|\.[^/])'
)
_ODD_COMPONENT = re.compile(r"(?:^|/)\.{0,2}(?:/|$)")
#: Bytes of a file name that file systems take (255), less what a suffix may need.
LONGEST_COMPONENT = 240


@lru_cache(maxsize=65_536)
def spelled(text: str, spelling: Spelling) -> str:
    """The text as a format of this spelling carries it: itself, if it can.

    Only `any` and `xml` have an empty text; `%00` stands for it elsewhere.
    """
    if spelling == "any":
        return text
    if not text:
        return text if spelling == "xml" else "%00"
    return _REFUSED[spelling].sub(_encoded, text)


@lru_cache(maxsize=1_024)
def as_path(key: str) -> str:
    """The key as a relative path with `/`: no empty, `.` or `..` component, none too long."""
    path = _NOT_IN_PATHS.sub(_encoded, key)
    if _ODD_COMPONENT.search(path):
        path = path.replace("/", "%2F")
    if path in ("", ".", ".."):
        path = path.replace(".", "%2E") or "%00"
    if len(path) > LONGEST_COMPONENT // 4:
        path = "/".join(map(_shortened, path.split("/")))
    return path


def _encoded(found: re.Match[str]) -> str:
    return "".join(f"%{byte:02X}" for byte in found[0].encode("utf-8", "surrogatepass"))


def _shortened(component: str) -> str:
    """A component of at most `LONGEST_COMPONENT` bytes; a digest tells it from its like."""
    data = component.encode()
    if len(data) <= LONGEST_COMPONENT:
        return component
    stem, dot, extension = component.rpartition(".")
    if not stem or len(extension) > 10:
        stem, dot, extension = component, "", ""
    digest = sha1(data, usedforsecurity=False).hexdigest()[:12]
    kept = stem.encode()[: LONGEST_COMPONENT - 26].decode(errors="ignore")
    return f"{kept}~{digest}{dot}{extension}"


class Paths:
    """Gives each key a path that no other key has.

    With `stems`, paths differ even without their extensions, as label files beside pictures need.
    """

    def __init__(self, *, stems: bool = False) -> None:
        self._stems = stems
        self._taken: set[int] = set()

    def path(self, key: str) -> str:
        """The key's path: the key itself where it can be one."""
        path = as_path(key)
        mark = hash(stem_of(path) if self._stems else path)
        if mark not in self._taken:
            self._taken.add(mark)
            return path
        number = 2
        while True:
            stem = stem_of(path)
            other = f"{stem}~{number}{path[len(stem) :]}"
            mark = hash(stem_of(other) if self._stems else other)
            if mark not in self._taken:
                self._taken.add(mark)
                return other
            number += 1


def stem_of(path: str) -> str:
    """A path without its extension, which is what follows the last dot of its last component."""
    folder, slash, name = path.rpartition("/")
    stem, dot, _ = name.rpartition(".")
    return f"{folder}{slash}{stem}" if dot and stem else path
