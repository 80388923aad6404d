"""Classes of whole pictures: folders of pictures, and predictions as `confidence name` lines."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from labelconv import codes
from labelconv.errors import reason_of
from labelconv.format import Reading
from labelconv.formats.yolo.deciding import content
from labelconv.formats.yolo.description import SPLITS
from labelconv.formats.yolo.layout import Layout
from labelconv.formats.yolo.places import Item
from labelconv.formats.yolo.rows import MARK
from labelconv.formats.yolo.sizes import Known
from labelconv.media import Size
from labelconv.model import Classification, Extra, Image, Radio, Sample
from labelconv.problems import Where
from labelconv.spelling import stem_of
from labelconv.tasks import QUESTION


def names(layout: Layout) -> dict[int, str]:
    """The names of the classes: those of the folders, sorted, as ultralytics numbers them."""
    found: set[str] = set()
    for split in layout.splits:
        for item in layout.items(split, set()):
            name = None if item.picture is None else _folder(item.name)[1]
            if name is not None:
                found.add(name)
    return dict(enumerate(sorted(found)))


def _folder(name: str) -> tuple[str | None, str | None]:
    """(split, class) of a picture: the folders that it is in."""
    folders = name.split("/")[:-1]
    if folders and folders[0] in SPLITS and len(folders) > 1:
        return SPLITS[folders[0]], folders[1]
    return None, folders[0] if folders else None


def samples(layout: Layout, sizes: dict[str, Known], reading: Reading) -> Iterator[Sample]:
    """A sample for each picture, or for each text file of predictions."""
    report = reading.report
    wanted = reading.wanted.extra
    keeps = wanted is None or "yolo" in wanted
    seen: set[str] = set()
    for split in layout.splits:
        for item in layout.items(split, seen):
            report.ledger.samples.read += 1
            name, in_split, size = _picture(item, sizes, reading)
            in_split = in_split or split.name
            radio = _answer(item, sizes, reading)
            key, problem = reading.keys.key(name, stem_of(name), {"split": in_split or ""})
            if key is None:
                assert problem is not None  # keys give one or the other
                report.ledger.classifications.rejected += radio is not None
                where = Where(item.labels or item.picture)
                record = b"" if radio is None else radio.name.encode()
                report.reject(problem[0], where, record, "samples", **problem[1])
                continue
            answers = () if radio is None else (Classification(QUESTION, radio),)
            extra: Extra = {}
            if in_split not in (None, "train"):
                if keeps:
                    extra = {"yolo:split": in_split}
                else:
                    report.field("yolo:split")
            media = Image(float(size.width), float(size.height)) if size is not None else Image()
            yield Sample(key, media, (), answers, (), item.uri, reading.keys.are_ids, extra)


def _picture(
    item: Item, sizes: dict[str, Known], reading: Reading
) -> tuple[str, str | None, Size | Known | None]:
    """(name, split if a folder says it, size if it can be had) of a picture."""
    name = item.name
    if item.picture is None:
        found = reading.media.find(name) if reading.media.given else None
        return name, None, _size(reading, found if isinstance(found, Path) else None)
    known = sizes.get(item.uri)
    if known is not None:
        return known.key or name, None, known if known.width else None
    exists = os.path.exists(item.picture)  # noqa: PTH110 - faster
    return name, _folder(name)[0], _size(reading, item.picture if exists else None)


def _size(reading: Reading, path: str | Path | None) -> Size | None:
    found = None if path is None else reading.media.size_of(path)
    return found if isinstance(found, Size) else None


def _answer(item: Item, sizes: dict[str, Known], reading: Reading) -> Radio | None:
    """The class of a picture: that of its folder, or the best of its predictions."""
    account = reading.report.ledger.classifications
    if item.labels is not None:
        try:
            predicted = _predicted(content(item.labels), item.labels, reading)
        except (FileNotFoundError, NotADirectoryError):
            predicted = None
        except OSError as error:
            account.read += 1
            expected, found = "a label file that can be read", reason_of(error)
            values = {"expected": expected, "found": found}
            place = Where(item.labels)
            reading.report.reject(codes.RECORD_MALFORMED, place, b"", "classifications", **values)
            predicted = None
        if predicted is not None or item.picture is None:
            return predicted
    assert item.picture is not None  # an item has one of the two
    known = sizes.get(item.uri)
    name = known.category if known is not None else _folder(item.name)[1]
    if not name:
        return None
    account.read += 1
    return Radio(name)


def _predicted(data: bytes, path: str, reading: Reading) -> Radio | None:
    """The first line of predictions, which has the highest confidence; the others are counted."""
    report = reading.report
    first: Radio | None = None
    for number, row in enumerate(data.removeprefix(MARK).splitlines(), 1):
        words = row.strip().split(None, 1)
        if not words:
            continue
        if first is not None:
            report.field("yolo:classes of lower confidence")
            continue
        report.ledger.classifications.read += 1
        try:
            confidence = float(words[0])
            name = words[1].decode("utf-8").strip()
        except (ValueError, IndexError):
            confidence, name = -1.0, ""
        if not 0 <= confidence <= 1 or not name:
            report.reject(
                codes.RECORD_MALFORMED,
                Where(path, number, 1),
                row,
                "classifications",
                expected="a confidence and the name of a class",
                found=repr(row[:40].decode("utf-8", "replace")),
            )
            continue
        first = Radio(name, (), confidence)
    return first
