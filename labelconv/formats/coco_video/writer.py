"""Writes COCO video files as mmtracking's CocoVID: a record for each object and frame.

Images and annotations wait in files of their own until the videos are known, so that memory stays
flat in the number of videos.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any, BinaryIO

import msgspec

from labelconv import codes, geometry, masks
from labelconv.identity import whole_numbers
from labelconv.model import (
    Annotation,
    Box,
    Dataset,
    Mask,
    Ontology,
    Polygon,
    Sample,
    Shape,
    Track,
    Video,
)
from labelconv.problems import Report
from labelconv.tracks import MOST_FRAMES

_encode = msgspec.json.Encoder().encode


def write(dataset: Dataset, target: Path, report: Report) -> None:
    """Write the file: categories and videos first, then images and annotations."""
    room = target.parent
    with (
        tempfile.TemporaryFile(dir=room) as images,
        tempfile.TemporaryFile(dir=room) as annotations,
    ):
        writing = _Writing(dataset.ontology, images, annotations)
        for sample in dataset:
            writing.add(sample, report)
        with target.open("wb") as file:
            file.write(b'{"categories":' + _encode(writing.categories))
            file.write(b',\n"videos":[' + b",\n".join(map(_encode, writing.videos)) + b"]")
            for name, waiting in ((b"images", images), (b"annotations", annotations)):
                waiting.seek(0)
                file.write(b',\n"' + name + b'":[')
                shutil.copyfileobj(waiting, file, 1 << 20)
                file.write(b"]")
            file.write(b"}\n")
    if writing.renamed:
        reason = "COCO video files have whole numbers from 1 on"
        report.add(codes.IDS_CHANGED, count=writing.renamed, reason=reason)
    report.ledger.written["videos"] = len(writing.videos)
    report.ledger.written["images"] = writing.image_count
    report.ledger.written["annotations"] = writing.annotation_count


class _Writing:
    def __init__(self, ontology: Ontology, images: BinaryIO, annotations: BinaryIO) -> None:
        self.categories: list[dict[str, Any]] = []
        self.videos: list[dict[str, Any]] = []
        self.image_count = self.annotation_count = self.renamed = 0
        self._numbers: dict[str, int] = {}
        self._images = images
        self._annotations = annotations
        used = {c.source_id for c in ontology.categories if isinstance(c.source_id, int)}
        own = len(used) == len(ontology.categories)
        for category in ontology.categories:
            self._number(category.name, category.source_id if own else None)

    def _number(self, name: str, own: Any = None) -> int:
        """The number of a class: its own, or the next."""
        if name not in self._numbers:
            number = max(self._numbers.values(), default=0) + 1 if own is None else own
            self._numbers[name] = number
            self.categories.append({"id": number, "name": name})
        return self._numbers[name]

    def add(self, sample: Sample, report: Report) -> None:
        """Write the images and annotations of a video."""
        media = sample.media
        assert isinstance(media, Video)  # for mypy; `fit` sees to it
        id = len(self.videos) + 1
        video: dict[str, Any] = {"id": id, "name": sample.key}
        known = (
            ("width", media.width),
            ("height", media.height),
            ("length", media.frame_count),
            ("fps", media.frame_rate),
        )
        video |= {name: _plain(value) for name, value in known if value is not None}
        self.videos.append(video)
        images = self._write_images(sample, video)
        ids, changed = whole_numbers([annotation.id for annotation in sample.annotations])
        self.renamed += changed
        for annotation, number in zip(sample.annotations, ids, strict=True):
            self._write_track(annotation, number, id, images, report)

    def _write_images(self, sample: Sample, video: dict[str, Any]) -> dict[int, int]:
        """A record for each frame that is listed; their ids by frame."""
        size: dict[str, Any] = {name: video[name] for name in ("width", "height") if name in video}
        images: dict[int, int] = {}
        parts = []
        for frame in _listed(sample):
            self.image_count += 1
            images[frame] = self.image_count
            record: dict[str, Any] = {
                "id": self.image_count,
                "video_id": video["id"],
                "frame_id": frame,
                "file_name": f"{sample.key}/{frame:06d}.jpg",
                **size,
            }
            parts.append(self._separated(_encode(record), self.image_count))
        self._images.write(b"".join(parts))
        return images

    def _write_track(
        self,
        annotation: Annotation,
        number: int,
        video: int,
        images: dict[int, int],
        report: Report,
    ) -> None:
        track = annotation.value
        assert isinstance(track, Track)  # for mypy; `fit` sees to it
        category = self._number(annotation.category)
        beside = _beside(annotation, sum(map(len, track.segments)), report)
        parts = []
        at = 0
        for segment in track.segments:
            for keyframe in segment:
                self.annotation_count += 1
                record: dict[str, Any] = {
                    "id": self.annotation_count,
                    "video_id": video,
                    "image_id": images[keyframe.frame],
                    "category_id": category,
                    "instance_id": number,
                    **_drawn(keyframe.shape),
                    "iscrowd": 0,
                }
                if annotation.confidence is not None:
                    record["score"] = annotation.confidence
                for name, values in beside.items():
                    if values[at] is not None:
                        record[name] = values[at]
                at += 1
                parts.append(self._separated(_encode(record), self.annotation_count))
        self._annotations.write(b"".join(parts))

    @staticmethod
    def _separated(record: bytes, number: int) -> bytes:
        return record if number == 1 else b",\n" + record


def _listed(sample: Sample) -> Iterable[int]:
    """The frames up to the last that shows something: readers take frames that are not listed for
    frames that nobody looked at. Of a video longer than can be listed, those that show something
    and those after each segment, so that it still ends there."""
    segments = [
        segment
        for annotation in sample.annotations
        if isinstance(annotation.value, Track)
        for segment in annotation.value.segments
    ]
    beyond = max((segment[-1].frame + 1 for segment in segments), default=0)
    if beyond <= MOST_FRAMES:
        return range(beyond)
    shown = {keyframe.frame for segment in segments for keyframe in segment}
    return sorted(shown | {segment[-1].frame + 1 for segment in segments})


def _beside(annotation: Annotation, count: int, report: Report) -> dict[str, list[Any]]:
    """What the source said of each frame, as far as there is something for each record."""
    beside = {}
    for field, said in annotation.extra.items():
        name = field.partition(":")[2]
        if name == "iscrowd":
            beside[name] = [said] * count
        elif isinstance(said, list) and len(said) == count:
            beside[name] = said
        else:
            report.field(field)
    return beside


def _drawn(shape: Shape) -> dict[str, Any]:
    box = geometry.bounds(shape)
    record: dict[str, Any] = {}
    if box is not None:
        record["bbox"] = [box.x0, box.y0, box.x1 - box.x0, box.y1 - box.y0]
    if isinstance(shape, Polygon):
        record["segmentation"] = [part[0] for part in shape.parts]
        record["area"] = geometry.area(shape)
    elif isinstance(shape, Mask):
        record["segmentation"] = {"size": list(shape.size), "counts": masks.to_text(shape)}
        record["area"] = masks.area(shape)
    elif isinstance(shape, Box):
        record["area"] = (shape.x1 - shape.x0) * (shape.y1 - shape.y0)
    return record


def _plain(number: float) -> float:
    return int(number) if number == int(number) else number
