"""Where the sequences of a MOT dataset are, and what seqinfo.ini says about each."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import msgspec

from labelconv import codes
from labelconv.errors import SourceError
from labelconv.io import Source, walk
from labelconv.problems import Report, Where

Kind = Literal["gt", "det", "results"]


class Sequence(msgspec.Struct):
    """One clip: `name` as the source calls it, the file with its rows (None: there is none), the
    kind of rows as far as the name of the file tells it, and its seqinfo.ini and labels.txt."""

    name: str
    rows: Source | None
    kind: Kind | None
    info: Path | None = None
    labels: Path | None = None


class Info(msgspec.Struct):
    """What seqinfo.ini says, as far as it says it."""

    fields: dict[str, str] = {}
    width: float | None = None
    height: float | None = None
    frame_count: int | None = None
    frame_rate: float | None = None


def sequences(source: Source, wanted: str) -> list[Sequence]:
    """The sequences of a file or folder, in natural order. Raises `SourceError` if there is none.

    `wanted` is `gt`, `det`, `results`, or `auto`: gt where there is one, else det.
    """
    if source.path is None or not source.is_folder:
        return [_of_file(source)]
    folder = source.path
    names = walk(folder, (".txt", ".ini"))
    found: dict[str, dict[str, str]] = {}
    for name in names:
        for role in ("gt/gt.txt", "det/det.txt", "seqinfo.ini"):
            if name == role or name.endswith("/" + role):
                sequence = name[: -len(role)].rstrip("/")
                found.setdefault(sequence, {})[role] = name
    if found and wanted != "results":
        order = ("gt", "det") if wanted == "auto" else (wanted,)
        return [_in_folder(folder, name, roles, order) for name, roles in found.items()]
    results = [n for n in names if n.endswith(".txt") and not n.endswith("labels.txt")]
    if not results and any(folder.iterdir()):
        raise SourceError(
            f"{source.name}: a sequence (gt/gt.txt, det/det.txt or seqinfo.ini) or files of "
            f"results (.txt) expected, none found"
        )
    return [
        Sequence(name.removesuffix(".txt"), Source(folder / name), "results") for name in results
    ]


def _in_folder(folder: Path, name: str, roles: dict[str, str], order: tuple[str, ...]) -> Sequence:
    kind: Kind
    rows, labels = None, None
    told: Kind | None = None
    for kind in ("gt", "det"):
        file = roles.get(f"{kind}/{kind}.txt")
        if kind in order and rows is None and file is not None:
            rows, told = Source(folder / file), kind
            labels = (folder / file).parent / "labels.txt"
    info = roles.get("seqinfo.ini")
    return Sequence(
        name or folder.resolve().name, rows, told, None if info is None else folder / info, labels
    )


def _of_file(source: Source) -> Sequence:
    path = source.path
    if path is None:
        return Sequence(source.name, source, None)
    parent = path.resolve().parent
    for kind in ("gt", "det"):
        if path.name == f"{kind}.txt" and parent.name == kind:
            info: Path | None = parent.parent / "seqinfo.ini"
            if info is not None and not info.is_file():
                info = None
            told: Kind = "gt" if kind == "gt" else "det"
            return Sequence(parent.parent.name, source, told, info, parent / "labels.txt")
    name = path.name.removesuffix(".gz").removesuffix(".txt")
    info = path.parent / "seqinfo.ini"
    return Sequence(name, source, None, info if info.is_file() else None)


def read_info(path: Path | None, report: Report) -> Info:
    """What a seqinfo.ini says; numbers that are none are reported and not used."""
    info = Info()
    if path is None:
        return info
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise SourceError(f"{path}: a seqinfo.ini in UTF-8 expected; {error}") from error
    values: dict[str, tuple[int, str]] = {}
    for number, line in enumerate(text.splitlines(), 1):
        name, sign, value = line.partition("=")
        if sign and not line.lstrip().startswith((";", "#")):
            values[name.strip().lower()] = number, value.strip()
            info.fields[name.strip()] = value.strip()

    def number_of(name: str) -> float | None:
        number, text = values.get(name.lower(), (0, ""))
        if not text:
            return None
        try:
            found = float(text)
        except ValueError:
            found = 0.0
        if 0 < found < 1e9:
            return found
        place = Where(str(path), number)
        expected = f"a number above 0 for {name}"
        report.add(codes.RECORD_MALFORMED, place, expected=expected, found=repr(text))
        return None

    info.width, info.height = number_of("imWidth"), number_of("imHeight")
    count = number_of("seqLength")
    info.frame_count = None if count is None else int(count)
    info.frame_rate = number_of("frameRate")
    return info
