"""Paths of pictures and labels, and folders listed.

The rule of ultralytics 8.4 (`img2label_paths`): the last `/images/` of a picture's path becomes
`/labels/`, its extension `.txt`; without `images` the labels are beside the picture.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import NamedTuple

from labelconv.errors import SourceError, reason_of
from labelconv.media import PICTURES
from labelconv.spelling import stem_of

_NINES = bytes.maketrans(b"123456789", b"000000000")
_NUMBERS = re.compile(r"([0-9]+)").split
_ENDINGS = tuple(sorted(PICTURES | {ending.upper() for ending in PICTURES}))


class Listing(NamedTuple):
    """What is directly in a folder: pictures and folders in natural order, text files."""

    pictures: list[str]
    texts: list[str]
    folders: list[str]


def label_path(picture: str) -> str:
    """The label file of a picture, by the rule."""
    folder, slash, name = picture.rpartition("/")
    return f"{label_folder(folder)}{slash}{stem_of(name)}.txt"


def label_folder(folder: str) -> str:
    """Where the labels of the pictures in a folder are, by the rule."""
    path = f"/{folder}/"
    at = path.rfind("/images/")
    if at < 0:
        return folder
    return f"{path[:at]}/labels/{path[at + 8 :]}"[1:-1]


def without(folder: str, name: str) -> str:
    """The path of a folder without the first folder of that name."""
    before, found, after = f"/{folder}/".partition(f"/{name}/")
    return f"{before}/{after}".strip("/") if found else folder


def below(folder: str, root: str) -> str | None:
    """The path of a folder from the root on; None when it is not below it."""
    if root == ".":
        return None if folder.startswith(("/", "../")) else folder.removeprefix(".")
    if folder == root:
        return ""
    return folder[len(root) + 1 :] if folder.startswith(f"{root}/") else None


def join(folder: str, name: str) -> str:
    """A name in a folder."""
    return f"{folder}/{name}" if folder not in ("", ".") else name


def spelled(path: Path) -> str:
    """A path as it is compared and shown."""
    return os.path.normpath(path).replace("\\", "/")


def listing(folder: str) -> Listing:
    """What is in a folder; hidden files are passed over. Raises `SourceError`."""
    try:
        names = os.listdir(folder or ".")  # noqa: PTH208 - faster
    except OSError as error:
        raise SourceError(f"{folder}: {reason_of(error)}") from error
    pictures = [name for name in names if name.endswith(_ENDINGS) and name[0] != "."]
    texts = [name for name in names if name.endswith(".txt") and name[0] != "."]
    folders: list[str] = []
    if len(pictures) + len(texts) < len(names):
        for name in names:
            if name.endswith((".txt", *_ENDINGS)) or name[0] == ".":
                continue
            lower = name.lower()
            if lower.endswith(".txt"):
                texts.append(name)
            elif lower.endswith(_ENDINGS):
                pictures.append(name)
            elif os.path.isdir(join(folder, name)):  # noqa: PTH112 - faster
                folders.append(name)
    return Listing(ordered(pictures), texts, ordered(folders))


def ordered(names: list[str]) -> list[str]:
    """In natural order, as `io.natural_order` has it, in less time."""
    plain = sorted(names)
    # The usual case: all numbers have as many digits, at the same places.
    together = "\n".join(plain).encode("utf-8", "surrogateescape")
    if len(set(together.translate(_NINES).split(b"\n"))) > 1:
        plain.sort(key=_natural)
    return plain


def _natural(name: str) -> list[object]:
    return [int(part) if at & 1 else part for at, part in enumerate(_NUMBERS(name))]
