"""Reads COCO video files: CocoVID, TAO, YouTube-VIS and OVIS.

One pass finds the videos and where the annotations of each are; then they are read video by video.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, BinaryIO

import msgspec

from labelconv import codes, grouping
from labelconv.boxtracks import make_tracks
from labelconv.errors import OptionError
from labelconv.format import Reading
from labelconv.formats.coco_video import wire
from labelconv.formats.coco_video.options import CocoVideoReaderOptions
from labelconv.formats.coco_video.sections import Clip, Sections, read_sections
from labelconv.frames import FrameMap, frame_map
from labelconv.io import Source
from labelconv.jsonstream import UNDECODABLE
from labelconv.model import (
    Annotation,
    Box,
    Category,
    Classification,
    Dataset,
    Extra,
    FreeText,
    Ontology,
    Sample,
    Samples,
    Shape,
    Track,
)
from labelconv.problems import Report, Where
from labelconv.tracks import compress_measured, track_of
from labelconv.unusable import Unusable

_DECODER = msgspec.json.Decoder(wire.Annotation)
_KNOWN = wire.FIELDS | wire.DERIVED | set(wire.ATTRIBUTES)


class _Seen(msgspec.Struct):
    """An object on one frame: the shape, and what else is said of it."""

    shape: Shape
    said: dict[str, Any]
    score: float | None
    where: str


class _Object(msgspec.Struct):
    """A track under way: its name and class, and where it is by frame."""

    id: str
    category: str
    frames: dict[int, _Seen]
    is_whole: bool = False
    crowd: bool = False


def read(source: Source, options: CocoVideoReaderOptions, reading: Reading) -> Dataset:
    """The videos as samples. Raises `SourceError` and `OptionError`."""
    if options.gap is not None and options.gap < 1:
        raise OptionError(f"gap of 1 or more expected for coco-video, {options.gap} found")
    moved = frame_map(options.start, options.stride, options.fps, "coco-video")

    def ontology() -> Ontology:
        given = Source(options.categories) if options.categories else source
        found = read_sections(given, None, Report(), annotations=False)
        return Ontology(
            categories=tuple(
                Category(name=name, source_id=id) for id, name in found.categories.items()
            )
        )

    return Samples(lambda: _Reader(source, options, moved, reading).samples(), ontology)


class _Reader:
    def __init__(
        self, source: Source, options: CocoVideoReaderOptions, moved: FrameMap, reading: Reading
    ) -> None:
        self._source = source
        #: The pointer to the list of annotations; a results list is nothing else.
        self._prefix = "" if options.categories is not None else "/annotations"
        self._options = options
        self._map = moved
        self._reading = reading
        self._report = reading.report
        extra = reading.wanted.extra
        self._extra = extra is None or "coco-video" in extra

    def samples(self) -> Iterator[Sample]:
        self._reading.keys.restart()
        self._report.thinned = self._reading.wanted.tolerance is not None
        found = read_sections(self._source, self._options.categories, self._report)
        done = 0
        with self._source.open() as file:
            for row, indexes in grouping.by_row(found.clip, len(found.clips)):
                yield from self._empty(found.clips[done:row])
                done = row + 1
                sample = self._sample(file, found, row, indexes)
                if sample is not None:
                    yield sample
        yield from self._empty(found.clips[done:])

    def _empty(self, clips: list[Clip]) -> Iterator[Sample]:
        for clip in clips:
            key = self._key(clip)
            if key is not None:
                yield self._made(clip, key, [])

    # ------------------------------------------------------------------ one video

    def _key(self, clip: Clip) -> str | None:
        self._report.ledger.samples.read += 1
        keys = self._reading.keys
        key, problem = keys.key(clip.name, str(clip.record.id), clip.fields)
        if key is None:
            assert problem is not None  # keys give one or the other
            code, values = problem
            where = Where(self._source.name, pointer=clip.pointer)
            raw = msgspec.json.encode(clip.fields)
            self._report.reject(code, where, raw, "samples", **values)
        return key

    def _made(self, clip: Clip, key: str, annotations: list[Annotation]) -> Sample:
        self._report.ledger.annotations.read += len(annotations)
        record = clip.record
        count = record.length
        if count is None and record.file_names is not None:
            count = len(record.file_names)
        media = self._map.video(clip.width, clip.height, count, record.fps)
        are_ids = self._reading.keys.are_ids
        return Sample(key, media, tuple(annotations), key_is_id=are_ids)

    def _sample(
        self, file: BinaryIO, found: Sections, row: int, indexes: list[int]
    ) -> Sample | None:
        clip = found.clips[row]
        key = self._key(clip)
        if key is None:
            self._report.ledger.annotations.read += len(indexes)
            self._report.ledger.annotations.rejected += len(indexes)
            return None
        objects: dict[object, _Object] = {}
        for index in indexes:
            file.seek(found.start[index])
            raw = file.read(found.length[index])
            try:
                self._record(raw, found.number[index], found, row, objects)
            except Unusable as problem:
                pointer = f"{self._prefix}/{found.number[index]}{problem.pointer}"
                where = Where(self._source.name, pointer=pointer, sample=key)
                self._report.ledger.annotations.read += 1
                self._report.reject(problem.code, where, raw, **problem.values)
        return self._made(clip, key, self._annotations(objects, clip, key))

    def _record(
        self, raw: bytes, index: int, found: Sections, row: int, objects: dict[object, _Object]
    ) -> None:
        """Put a record of a video (by its row) to its object. Raises `Unusable`."""
        try:
            record = _DECODER.decode(raw)
            said: dict[str, Any] = msgspec.json.decode(raw)
        except UNDECODABLE as error:
            sentence, pointer = wire.told(error)
            raise Unusable(
                codes.RECORD_MALFORMED, pointer, expected="an annotation", found=sentence
            ) from None
        for name in said.keys() - _KNOWN:
            self._report.field(f"coco-video:{name}")
        said = {name: said[name] for name in wire.ATTRIBUTES if name in said}
        category = self._category(record, found)
        if record.bboxes is not None or record.segmentations is not None:
            self._whole(record, said, category, index, objects)
            return
        place = None if record.image_id is None else found.frame_of.get(record.image_id)
        if place is None or place[0] != row:
            raise Unusable(
                codes.REFERENCE_DANGLING,
                "/image_id",
                field="image_id",
                value=record.image_id,
                known="images" if place is None else f"images of video {record.video_id}",
            )
        frame = place[1]
        shape = self._shape(record.bbox, record.segmentation, "", found)
        if shape is None:
            raise Unusable(codes.RECORD_MALFORMED, expected="bbox or segmentation", found="neither")
        number = record.track_id if record.track_id is not None else record.instance_id
        alone = number is None or number == -1
        id = str(number) if not alone else f"annotation {index if record.id is None else record.id}"
        held = objects.setdefault(
            index if alone else (number, category), _Object(id, category, {}, is_whole=alone)
        )
        if frame in held.frames:
            first = held.frames[frame].where
            value = f"{frame} of track {id}"
            raise Unusable(codes.ID_DUPLICATE, field="frame", value=value, first=first)
        held.crowd = held.crowd or bool(record.iscrowd)
        held.frames[frame] = _Seen(shape, said, record.score, f"{self._prefix}/{index}")

    def _category(self, record: wire.Annotation, found: Sections) -> str:
        category = record.category_id
        if category is None and record.track_id is not None:
            category = found.tracks.get(record.track_id)
        name = None if category is None else found.categories.get(category)
        if name is None:
            raise Unusable(
                codes.REFERENCE_DANGLING,
                "/category_id",
                field="category_id",
                value=category,
                known="categories",
            )
        return name

    def _whole(
        self,
        record: wire.Annotation,
        said: dict[str, Any],
        category: str,
        index: int,
        objects: dict[object, _Object],
    ) -> None:
        """A record of a whole track: an entry for each frame, null where it is not seen."""
        boxes, outlines = record.bboxes or [], record.segmentations or []
        frames: dict[int, _Seen] = {}
        for name, value in said.items():
            if not isinstance(value, list):
                self._report.field(f"coco-video:{name} (of whole tracks)")
        for frame in range(max(len(boxes), len(outlines))):
            box = boxes[frame] if frame < len(boxes) else None
            raw = outlines[frame] if frame < len(outlines) else wire.ABSENT
            shape = self._shape(box, raw, f"s/{frame}", None)
            if shape is not None:
                own = {
                    name: value[frame]
                    for name, value in said.items()
                    if isinstance(value, list) and frame < len(value)
                }
                frames[frame] = _Seen(shape, own, record.score, f"{self._prefix}/{index}")
        if not frames:
            raise Unusable(codes.SHAPE_INVALID, found="a track that is seen on no frame")
        id = str(index if record.id is None else record.id)
        objects[index] = _Object(id, category, frames, True, bool(record.iscrowd))

    def _shape(
        self,
        numbers: wire.Four | None,
        raw: msgspec.Raw,
        suffix: str,
        found: Sections | None,
    ) -> Shape | None:
        box = None if numbers is None else wire.box_of(numbers, f"/bbox{_plural(suffix)}")
        if self._options.shape == "box" and box is not None:
            return box
        shape = wire.outline_of(raw, f"/segmentation{suffix}")
        if shape is None:
            return box
        if self._options.shape == "box":
            from labelconv import geometry

            return geometry.bounds(shape)
        if box is not None and found is not None and found.has_tracks and wire.is_box(shape, box):
            return box
        return shape

    # ------------------------------------------------------------------ tracks

    def _annotations(
        self, objects: dict[object, _Object], clip: Clip, key: str
    ) -> list[Annotation]:
        gap = self._options.gap or 2 * clip.usual_step() - 1
        made: list[Annotation] = []
        taken: set[str] = set()
        for held in objects.values():
            id = held.id
            if id in taken:
                number = 2
                while f"{id}/{number}" in taken:
                    number += 1
                where = Where(self._source.name, pointer=next(iter(held.frames.values())).where)
                renamed = f"{id}/{number}"
                values = {"value": id, "renamed": renamed}
                self._report.add(codes.ANNOTATION_ID_DUPLICATE, where, **values)
                id = renamed
            taken.add(id)
            frames = sorted(held.frames)
            seen = [held.frames[frame] for frame in frames]
            track = self._track(frames, seen, gap, Where(sample=key, annotation=id))
            confidence, extra = self._beside(held, seen)
            made.append(Annotation(id, held.category, track, (), confidence, extra))
        return made

    def _track(self, frames: list[int], seen: list[_Seen], gap: int, where: Where) -> Track:
        tolerance = self._reading.wanted.tolerance
        shown = [self._map.of(frame) for frame in frames]
        gap *= self._map.stride
        answers = None
        if self._options.attributes == "answer":
            answers = [_answers(each.said) for each in seen]
        shapes = [each.shape for each in seen]
        if tolerance is None:
            return track_of(shown, shapes, answers, max_gap=gap)
        if answers is None and all(type(shape) is Box for shape in shapes):
            return self._boxes(shown, shapes, gap, tolerance, where)
        dense = track_of(shown, shapes, answers, max_gap=gap)
        track, done = compress_measured(dense, tolerance)
        self._report.keyframes.add(done.before, done.after, done.drift, done.iou, where)
        return track

    def _boxes(
        self, frames: list[int], shapes: list[Any], gap: int, tolerance: float, where: Where
    ) -> Track:
        import numpy as np

        edges = np.array([(b.x0, b.y0, b.x1, b.y1) for b in shapes], np.float64)
        numbers = np.zeros(len(frames), np.int64)
        made = make_tracks(
            numbers, np.array(frames, np.int64), edges, max_gap=gap, tolerance=tolerance
        )
        self._report.keyframes.add(made.before[0], made.after[0], made.drift[0], made.iou[0], where)
        return made.tracks[0]

    def _beside(self, held: _Object, seen: list[_Seen]) -> tuple[float | None, Extra]:
        """The confidence, if it is one for all frames, and what the model has no place for."""
        extra: Extra = {}
        lists: dict[str, list[Any]] = {}
        for name in wire.ATTRIBUTES if self._options.attributes != "answer" else ():
            if not any(name in each.said for each in seen):
                continue
            if self._options.attributes == "extra":
                lists[name] = [each.said.get(name) for each in seen]
            else:
                self._report.field(f"coco-video:{name}")
        scores = [each.score for each in seen]
        confidence = scores[0] if len(set(scores)) == 1 else None
        if len(set(scores)) > 1:
            lists["score"] = scores
        if held.crowd:
            lists["iscrowd"] = [1]
        for name, values in lists.items():
            if self._extra:
                extra[f"coco-video:{name}"] = values[0] if name == "iscrowd" else values
            else:
                self._report.field(f"coco-video:{name}")
        if confidence is not None and not math.isfinite(confidence):
            self._report.field("coco-video:score (no finite number)")
            confidence = None
        return confidence, extra


def _plural(suffix: str) -> str:
    return suffix.replace("s/", "es/", 1)


def _answers(said: dict[str, Any]) -> tuple[Classification, ...]:
    return tuple(
        Classification(name, FreeText(value if isinstance(value, str) else _word(value)))
        for name, value in said.items()
        if value is not None
    )


def _word(value: object) -> str:
    return msgspec.json.encode(value).decode()
