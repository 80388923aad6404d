"""Writes a folder that ultralytics trains on: data.yaml, lists of pictures, and label files.

    data.yaml   sizes.csv   train.txt   val.txt …
    images/<key>            where the pictures are, or belong
    labels/<key>.txt

The lists name the pictures, so the splits need no folders of their own, and a sample's key is its
picture's path. Classes of whole pictures lie in `<split>/<class>/<key>` instead.
"""

from __future__ import annotations

import contextlib
import csv
import os
import shutil
from pathlib import Path
from typing import IO, Any

from labelconv import codes
from labelconv.corrections import with_points
from labelconv.formats.yolo import sizes
from labelconv.formats.yolo.describing import data_yaml
from labelconv.formats.yolo.layout import SIZES_NAME
from labelconv.formats.yolo.lines import row_maker, widened
from labelconv.formats.yolo.options import YoloWriterOptions
from labelconv.formats.yolo.paths import label_path
from labelconv.fractions import digits
from labelconv.media import MediaFiles, is_picture
from labelconv.model import Dataset, Image, Radio, Sample
from labelconv.problems import Report, Where
from labelconv.spelling import as_path, stem_of
from labelconv.tasks import Classes

_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
#: Keys of data.yaml that no split may be called.
_TAKEN = frozenset(("path", "names", "nc", "task", "columns", "skeleton", "channels", "download"))


def write(dataset: Dataset, target: Path, options: YoloWriterOptions, report: Report) -> None:
    """Write the folder at `target`. Raises `OSError` when the disk does not take it."""
    target.mkdir()
    with contextlib.ExitStack() as files:
        folder = _Folder(target, options, report, files)
        if options.task == "classify":
            _write_classes(dataset, folder)
        else:
            _write_labels(dataset, folder, "detect" if options.task == "auto" else options.task)


def _write_labels(dataset: Dataset, folder: _Folder, task: str) -> None:
    options, report = folder.options, folder.report
    samples = iter(dataset)
    classes = Classes.of(dataset.ontology, task)
    row = row_maker(task, classes)
    first_width = classes.width
    confidence = options.confidence
    written: list[str] | None = [] if task == "pose" else None
    pictures = annotations = tracks = 0
    for sample in samples:
        media: Any = sample.media
        width, height = media.width, media.height
        precision = digits(width, height)
        rows = []
        for annotation in with_points(sample, "yolo", report):
            text = row(annotation, width, height, precision)
            if confidence and annotation.confidence is not None:
                text = f"{text} {_decimal(annotation.confidence)}"
            if annotation.extra:
                tracks += "yolo:track" in annotation.extra
            rows.append(text)
        rows.append("")
        picture = f"images/{sample.key}"
        labels = label_path(picture)
        folder.put(labels, "\n".join(rows).encode())
        if written is not None:
            written.append(labels)
        listed, key = folder.picture(picture, sample)
        folder.enlist(sample, listed)
        folder.size(listed, width, height, key)
        pictures += 1
        annotations += len(rows) - 1
    if tracks:
        report.field("yolo:track", tracks)
    if written is not None and classes.width > first_width:
        folder.widen(written, classes.width)
    folder.finish()
    text = data_yaml(task, classes, dataset, folder.splits, confidence=confidence)
    (folder.target / "data.yaml").write_text(text, encoding="utf-8", newline="\n")
    report.ledger.written.update(samples=pictures, annotations=annotations)


def _write_classes(dataset: Dataset, folder: _Folder) -> None:
    samples = iter(dataset)
    classes = Classes.of(dataset.ontology, "classify")
    pictures = 0
    for sample in samples:
        answer = sample.classifications[0].answer
        assert isinstance(answer, Radio)  # what answers are held
        classes.number(answer.name)
        home = as_path(answer.name).replace("/", "%2F")
        split = folder.split_of(sample)
        listed, _ = folder.picture(f"{split}/{home}/{sample.key}", sample)
        if folder.options.confidence and answer.confidence is not None:
            text = f"{_decimal(answer.confidence)} {answer.name}\n"
            folder.put(label_path(listed), text.encode())
        folder.enlist(sample, listed)
        media: Any = sample.media
        folder.size(listed, media.width, media.height, sample.key, answer.name)
        pictures += 1
    folder.finish()
    text = data_yaml("classify", classes, dataset, folder.splits, confidence=False)
    (folder.target / "data.yaml").write_text(text, encoding="utf-8", newline="\n")
    folder.report.ledger.written.update(samples=pictures)


def _decimal(confidence: float) -> str:
    """A number as it comes back exactly, without an exponent."""
    text = repr(confidence)
    return f"{confidence:.20f}" if "e" in text else text


class _Folder:
    """The folder that is being written."""

    def __init__(
        self, target: Path, options: YoloWriterOptions, report: Report, files: contextlib.ExitStack
    ) -> None:
        self.target = target
        self.options = options
        self.report = report
        self.splits: dict[str, str] = {}
        self._files = files
        self._prefix = f"{target}/"
        self._made: set[str] = set()
        self._lists: dict[str, IO[str]] = {}
        self._sizes_file = self._opened(SIZES_NAME)
        self._sizes = csv.writer(self._sizes_file, lineterminator="\n")
        header = sizes.CLASS_HEADER if options.task == "classify" else sizes.HEADER
        self._sizes.writerow(header)
        place = options.media
        self._media = MediaFiles(None if place is None or "://" in place else place)
        self._linked = options.images
        if options.images == "auto":
            self._linked = "refer" if self._media.folder is None else "link"

    def put(self, path: str, data: bytes) -> None:
        """Write a file below the target."""
        self._make_room(path)
        file = os.open(self._prefix + path, _FLAGS, 0o666)
        try:
            done = os.write(file, data)
            while done < len(data):
                done += os.write(file, data[done:])
        finally:
            os.close(file)

    def split_of(self, sample: Sample) -> str:
        """The name of a sample's split, as it is written."""
        said = sample.extra.get("yolo:split") if sample.extra else None
        if not isinstance(said, str) or not said:
            said = self.options.split
        known = self.splits.get(said)
        if known is None:
            known = as_path(said).replace("/", "%2F").replace(" ", "_")
            if known in _TAKEN or not known[:1].isalpha():
                known = f"split_{known}"
            while known in self.splits.values():
                known += "_2"
            if known != said:
                self.report.add(codes.NAME_RESPELLED, name=said, spelled=known, target="yolo")
            self.splits[said] = known
        return known

    def enlist(self, sample: Sample, picture: str) -> None:
        """Add a picture to the list of its split."""
        split = self.split_of(sample)
        file = self._lists.get(split)
        if file is None:
            file = self._lists[split] = self._opened(f"{split}.txt")
        file.write(f"./{picture}\n")

    def size(
        self,
        picture: str,
        width: float | None,
        height: float | None,
        key: str | None,
        category: str | None = None,
    ) -> None:
        """Note the size of a picture, its key where the path does not say it, and its class."""
        said = [] if key is None else [key] if category is None else [key, category]
        self._sizes.writerow((picture, sizes.spelled(width), sizes.spelled(height), *said))

    def picture(self, path: str, sample: Sample) -> tuple[str, str | None]:
        """Put the picture into the folder, if asked for: (its path there, the sample's key where
        the path does not say it)."""
        if self._linked == "refer":
            return path, None
        found = self._found(sample)
        if found is None:
            name = sample.uri or sample.key
            hint = "it is not linked or copied; give the folder of the pictures with --media"
            self.report.add(codes.MEDIA_MISSING, Where(sample=sample.key), name=name, hint=hint)
            return path, None
        key = None
        if not is_picture(path):
            path, key = f"{stem_of(path)}{found.suffix}", sample.key
        self._make_room(path)
        place = self._prefix + path
        if self._linked == "copy":
            shutil.copyfile(found, place)
        else:
            os.symlink(os.path.abspath(found), place)  # noqa: PTH100, PTH211 - texts, as `place` is
        return path, key

    def _found(self, sample: Sample) -> Path | None:
        for name in dict.fromkeys((sample.uri, sample.key)):
            if name is None:
                continue
            if self._media.folder is not None:
                found = self._media.find(name)
                if isinstance(found, Path):
                    return found
            elif Path(name).is_file():
                return Path(name)
        return None

    def widen(self, labels: list[str], width: int) -> None:
        """Give all rows written so far places for so many keypoints."""
        for path in labels:
            place = self.target / path
            place.write_bytes(widened(place.read_bytes(), width))

    def finish(self) -> None:
        """Close the lists; there is one at least."""
        if not self._lists:
            split = self.split_of(Sample("", Image()))
            self._opened(f"{split}.txt")
        self._files.close()

    def _opened(self, name: str) -> IO[str]:
        path = self.target / name
        return self._files.enter_context(path.open("w", encoding="utf-8", newline="\n"))

    def _make_room(self, path: str) -> None:
        room = path.rpartition("/")[0]
        if room not in self._made:
            os.makedirs(self._prefix + room, exist_ok=True)  # noqa: PTH103 - a text, not a path
            self._made.add(room)
