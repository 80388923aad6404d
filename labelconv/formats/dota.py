"""DOTA: oriented boxes of aerial pictures by their corners, a text file for each picture.

    imagesource:GoogleEarth
    gsd:0.146343590398
    2753 2408 2861 2385 2888 2468 2805 2502 plane 0

Corners run clockwise from the object's own top left; they may be any four points. Sources: the
dataset's page (captain-whu.github.io/DOTA/dataset.html) and DOTA_devkit, `dota_utils.py`, which
passes over lines of fewer than nine words.
"""

from __future__ import annotations

import math
import posixpath
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, unquote

from labelconv import codes, geometry, oriented
from labelconv.format import Evidence, Format, Holds, NoOptions, Reading
from labelconv.io import UTF8_MARK, Peek, Source, walk
from labelconv.media import Size
from labelconv.model import (
    Annotation,
    Coordinates,
    Dataset,
    Extra,
    Image,
    OrientedBox,
    Polygon,
    Sample,
    Samples,
    Value,
)
from labelconv.problems import Report, Where
from labelconv.spelling import stem_of

FOLDER = "labelTxt"
#: A header line of our own, which DOTA's tools pass over: the picture's name with its extension.
NAME = "imagename"


def holds(options: NoOptions) -> tuple[Holds, ...]:
    """Oriented boxes and other quadrilaterals; classes without blanks; no sizes."""
    return (
        Holds(
            values=frozenset({OrientedBox}),
            quads=True,
            size=False,
            uri=False,
            extra="own",
            keys="stem",
            names="word",
        ),
    )


# ---------------------------------------------------------------------------------------- reading


def read(source: Source, options: NoOptions, reading: Reading) -> Dataset:
    """The samples of a label file, or of the label files below a folder.

    Where there are folders called `labelTxt…`, only the files in them are labels.
    """

    def samples() -> Iterator[Sample]:
        reading.keys.restart()
        unsized = 0
        for name, file in _files(source):
            with file.open() as opened:
                data = opened.read()
            sample = _sample(data, name, file.name, reading)
            if sample is not None:
                unsized += sample.media == Image()
                yield sample
        if unsized:
            reading.report.add(codes.SIZE_UNKNOWN, Where(path=source.name), count=unsized)

    return Samples(samples)


def _files(source: Source) -> Iterator[tuple[str, Source]]:
    """The label files, with what their pictures are called but for the extension."""
    if not source.is_folder:
        yield Path(source.name).stem, source
        return
    folder = Path(source.name)
    found = walk(folder, (".txt",))
    labels = [name for name in found if any(map(_is_labels, name.split("/")[:-1]))]
    for name in labels or found:
        parts = [part for part in name.split("/")[:-1] if not _is_labels(part)]
        yield "/".join((*parts, stem_of(posixpath.basename(name)))), Source(folder / name)


def _is_labels(folder: str) -> bool:
    return folder.lower().startswith(FOLDER.lower())


def _sample(data: bytes, name: str, path: str, reading: Reading) -> Sample | None:
    report, ledger = reading.report, reading.report.ledger
    ledger.samples.read += 1
    if data.startswith(UTF8_MARK):
        report.add(codes.ENCODING_MARK, Where(path=path))
        data = data[3:]
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        text = data.decode("utf-8", "backslashreplace")
        found, result = "bytes that are no UTF-8", f"\\x{data[error.start]:02x} and the like"
        report.add(codes.SPELLING_MENDED, Where(path=path), found=found, result=result)
    lines = text.splitlines()
    header: dict[str, str] = {}
    start = 0
    while start < len(lines) and (not lines[start].strip() or _is_header(lines[start])):
        field, _, value = lines[start].partition(":")
        field = field.strip().lower()
        start += 1
        if field in header:
            report.add(codes.KEY_REPEATED, Where(path=path, line=start), key=field)
        if field:
            header[field] = value.strip()
    name, size = _picture(name, header.pop(NAME, None), reading)
    key, problem = reading.keys.key(name, stem_of(name), header)
    if key is None:
        assert problem is not None  # keys give one or the other
        objects = sum(1 for line in lines[start:] if line.strip())
        ledger.annotations.read += objects
        ledger.annotations.rejected += objects
        report.reject(problem[0], Where(path=path), data, "samples", **problem[1])
        return None
    extra: Extra = {}
    keep = reading.wanted.extra is None or "dota" in reading.wanted.extra
    for field, value in header.items():
        if keep:
            extra[f"dota:{field}"] = value
        else:
            report.field(f"dota:{field} (of files)")
    annotations = []
    for number, line in enumerate(lines[start:], start + 1):
        if not line.strip():
            continue
        ledger.annotations.read += 1
        annotation = _annotation(line, Where(path=path, line=number, sample=key), keep, report)
        if annotation is not None:
            annotations.append(annotation)
    return Sample(
        key, size, tuple(annotations), uri=name, key_is_id=reading.keys.are_ids, extra=extra
    )


def _is_header(line: str) -> bool:
    return ":" in line and len(line.split()) < 9


def _picture(name: str, said: str | None, reading: Reading) -> tuple[str, Image]:
    """The picture's name, with its extension where that is known, and its size."""
    if said:
        name = posixpath.join(posixpath.dirname(name), unquote(said)).lstrip("/")
    media = reading.media
    if not media.given:
        return name, Image()
    found = media.find(name)
    if isinstance(found, Path) and media.folder is not None and not said:
        name = found.relative_to(media.folder).as_posix()
    size = media.size(name, found if isinstance(found, Path) else None)
    if isinstance(size, Size):
        return name, Image(float(size.width), float(size.height))
    return name, Image()


def _annotation(line: str, where: Where, keep: bool, report: Report) -> Annotation | None:
    """The object of a line; None when it is rejected."""
    fields = line.split()
    if len(fields) not in (9, 10):
        expected = "eight coordinates, a class and 0 or 1 for difficult"
        found = f"{len(fields)} words"
        report.reject(codes.RECORD_MALFORMED, where, line.encode(), expected=expected, found=found)
        return None
    ring: list[float] = []
    for number, text in enumerate(fields[:8]):
        try:
            ring.append(float(text))
        except ValueError:
            place = _column(where, line, number)
            report.reject(
                codes.RECORD_MALFORMED, place, line.encode(), expected="a number", found=repr(text)
            )
            return None
        if not math.isfinite(ring[-1]):
            place = _column(where, line, number)
            report.reject(codes.NUMBER_NOT_FINITE, place, line.encode(), found=text)
            return None
    value = _value(tuple(ring))
    if value is None:
        found = f"corners that are {len(set(zip(ring[::2], ring[1::2], strict=True)))} points"
        report.reject(codes.SHAPE_INVALID, where, line.encode(), found=found)
        return None
    if isinstance(value, OrientedBox) and not (value.width and value.height):
        report.add(codes.AREA_ZERO, where, kind="oriented box")
    extra: Extra = {}
    difficult = fields[9] if len(fields) == 10 else "0"
    if difficult != "0":
        if keep:
            extra["dota:difficult"] = difficult
        else:
            report.field("dota:difficult")
    return Annotation(str(where.line), fields[8], value, extra=extra)


def _value(ring: Coordinates) -> Value | None:
    """A rectangle as an oriented box, any other four points as a polygon; None for a line."""
    found = oriented.from_corners(ring)
    if found is not None:
        return found
    return Polygon(((ring,),)) if geometry.has_three_points(ring) else None


def _column(where: Where, line: str, number: int) -> Where:
    """The place of a word in a line, both counted from 1."""
    at = 0
    for text in line.split()[: number + 1]:
        at = line.index(text, at) + len(text)
    column = at - len(line.split()[number]) + 1
    return Where(path=where.path, line=where.line, column=column, sample=where.sample)


# ---------------------------------------------------------------------------------------- writing


def write(dataset: Dataset, target: Path, options: NoOptions, report: Report) -> None:
    """Write the folder `labelTxt` in a folder; `fit` saw to it that stems differ."""
    root = target / FOLDER
    root.mkdir(parents=True)
    made = {""}
    files = objects = 0
    for sample in dataset:
        stem = stem_of(sample.key)
        folder, name = posixpath.dirname(stem), posixpath.basename(sample.key)
        if folder not in made:
            (root / folder).mkdir(parents=True, exist_ok=True)
            made.add(folder)
        lines = [f"{field[5:]}:{value}" for field, value in sample.extra.items()]
        if any(map(_is_labels, folder.split("/"))):
            lines.append(f"{NAME}:/{quote(sample.key)}")  # the whole path, since it looks like ours
        elif name != posixpath.basename(stem):
            lines.append(f"{NAME}:{quote(name)}")
        lines += map(_line, sample.annotations)
        text = "".join(f"{line}\n" for line in lines)
        (root / f"{stem}.txt").write_text(text, encoding="utf-8", newline="\n")
        files += 1
        objects += len(sample.annotations)
    report.ledger.written["files"] = files
    report.ledger.written["objects"] = objects


def _line(annotation: Annotation) -> str:
    value = annotation.value
    if isinstance(value, OrientedBox):
        ring = geometry.corners(value)
    else:
        assert isinstance(value, Polygon)
        ring = value.parts[0][0]
    numbers = " ".join(map(repr, map(float, ring)))
    return f"{numbers} {annotation.category} {annotation.extra.get('dota:difficult', 0)}"


def sniff(peek: Peek) -> Evidence:
    """DOTA by a folder `labelTxt`, or by lines of eight numbers, a word and a digit."""
    if peek.is_folder:
        found = next((name for name in peek.entries if _is_labels(name) and name[-1] == "/"), None)
        below = (f"{name}{FOLDER}/" for name in peek.entries if name[-1] == "/")
        found = found or next((name for name in below if (Path(peek.name) / name).is_dir()), None)
        if found:
            return Evidence(2, f"a folder {found.rstrip('/')!r}")
        return Evidence(0, f"no folder {FOLDER}")
    for line in peek.text.splitlines()[:20]:
        fields = line.decode("utf-8", "replace").split()
        if len(fields) in (9, 10) and _are_numbers(fields[:8]) and not _are_numbers(fields[8:9]):
            return Evidence(2, "a line of eight numbers and a class")
    return Evidence(0, "no line of eight numbers and a class")


def _are_numbers(words: list[str]) -> bool:
    try:
        return all(math.isfinite(float(word)) for word in words)
    except ValueError:
        return False


FORMAT = Format(
    name="dota",
    about="DOTA: oriented boxes by their corners, a text file for each picture",
    url="https://captain-whu.github.io/DOTA/dataset.html",
    holds=holds,
    read=read,
    write=write,
    sniff=sniff,
    folder=lambda options: True,
)
