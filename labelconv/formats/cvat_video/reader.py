"""Reads CVAT for video: a task is a video, a track is a track. One pass over the file."""

from __future__ import annotations

from collections.abc import Iterator
from xml.etree.ElementTree import Element, tostring

import msgspec

from labelconv import codes
from labelconv.cvatxml import answer_of, file_of, turned
from labelconv.errors import SourceError
from labelconv.format import Reading
from labelconv.formats.cvat_video.header import Header, elements, headers, ontology_of
from labelconv.formats.cvat_video.labels import Texts, texts_of
from labelconv.formats.cvat_video.options import CvatVideoReaderOptions
from labelconv.formats.cvat_video.rows import Answers, Row, segments_of, skeleton_of
from labelconv.formats.cvat_video.shapes import ELLIPSE_POINTS, TAGS, shapes_of, whole_of
from labelconv.frames import MOST_FRAME, FrameMap, frame_map
from labelconv.io import Source
from labelconv.model import (
    Annotation,
    Box,
    Classification,
    Dataset,
    Extra,
    Keyframe,
    OrientedBox,
    Point,
    Radio,
    Sample,
    Samples,
    Shape,
    Track,
)
from labelconv.problems import Where
from labelconv.unusable import Unusable

#: Shapes that move on straight lines between the keyframes of CVAT.
_STRAIGHT = frozenset({"box", "points", "ellipse", "skeleton"})
#: The mark of an occluded point of a skeleton.
_OCCLUDED: Answers = (Classification("occluded", Radio("true")),)
#: What CVAT writes where nobody said anything.
_USUAL = {"source": "manual", "group_id": "0"}


def read(source: Source, options: CvatVideoReaderOptions, reading: Reading) -> Dataset:
    """The samples of the XML file at `source`, or of the one in that folder."""
    file = file_of(source)
    moved = frame_map(options.start, options.stride, options.fps, "cvat-video")

    def samples() -> Iterator[Sample]:
        reading.keys.restart()
        readers: dict[str | None, _Reader] = {}
        begun = False
        number = 0

        def begin(meta: Element | None) -> None:
            for header in headers(meta, file):
                readers[header.id] = _Reader(header, options, moved, reading, file.name)

        for event, element in elements(file):
            if element.tag == "image":
                raise SourceError(
                    f"{file.name}: CVAT for video expected, an image found; it is CVAT for images"
                )
            if event == "start":
                continue
            if not begun:
                begin(element if element.tag == "meta" else None)
                begun = True
            if element.tag == "track":
                number += 1
                if not readers:
                    begin(None)
                reader = readers.get(element.get("task_id"))
                if reader is None and len(readers) > 1:
                    _reject_taskless(element, number, file, reading)
                    continue
                (reader or next(iter(readers.values()))).track(element, number)
        if not begun:
            begin(None)
        for reader in readers.values():
            sample = reader.sample()
            if sample is not None:
                yield sample

    return Samples(samples, lambda: ontology_of(file, answered=options.occluded == "answer"))


def _reject_taskless(element: Element, position: int, file: Source, reading: Reading) -> None:
    """Reject a track that is of none of several tasks."""
    place = Where(file.name, pointer=f"/annotations/track[{position}]/@task_id")
    reading.report.ledger.annotations.read += 1
    reading.report.reject(
        codes.REFERENCE_DANGLING,
        place,
        tostring(element),
        field="task_id",
        value=element.get("task_id"),
        known="tasks",
    )


class _Reader:
    """Reads the tracks of one video."""

    def __init__(
        self,
        header: Header,
        options: CvatVideoReaderOptions,
        moved: FrameMap,
        reading: Reading,
        path: str,
    ) -> None:
        self._header = header
        self._options = options
        self._map = moved
        self._report = reading.report
        self._reading = reading
        self._path = path
        extra = reading.wanted.extra
        self._extra = extra is None or "cvat-video" in extra
        self._texts: Texts = texts_of(header.labels)
        self._occluded: list[int] = []
        self._taken: set[str] = set()
        self._annotations: list[Annotation] = []
        width, height = header.width, header.height
        self._size = (round(height), round(width)) if width and height else None

    def sample(self) -> Sample | None:
        """The video with the tracks read so far; None if it has no key."""
        header, report = self._header, self._report
        report.ledger.samples.read += 1
        keys = self._reading.keys
        key, problem = keys.key(header.name, header.id, header.fields)
        if key is None:
            assert problem is not None  # keys give one or the other
            code, values = problem
            where = Where(path=self._path)
            report.reject(code, where, header.name.encode(), "samples", **values)
            report.ledger.annotations.read += len(self._annotations)
            report.ledger.annotations.rejected += len(self._annotations)
            return None
        report.ledger.annotations.read += len(self._annotations)
        whole = self._options.frames == "video"
        length = (header.frame_count, header.frame_rate) if whole else (None, None)
        media = self._map.video(header.width, header.height, *length)
        return Sample(
            key,
            media,
            tuple(self._annotations),
            uri=header.fields.get("source"),
            key_is_id=keys.are_ids,
        )

    # ------------------------------------------------------------------ one track

    def track(self, element: Element, position: int) -> None:
        """Read the track of this position. What cannot be used is rejected: rows alone, if the
        rest can be."""
        place = f"/annotations/track[{position}]"
        self._occluded = []
        fields = element.attrib
        label = fields.get("label", "")
        try:
            segments = self._segments(element, label, place)
        except Unusable as bad:
            where = Where(self._path, pointer=place + bad.pointer)
            self._report.ledger.annotations.read += 1
            self._report.reject(bad.code, where, tostring(element), **bad.values)
            return
        id = self._id(fields.get("id") or f"track {position}", place)
        extra = self._beside(fields)
        tracks = [Track(tuple(map(tuple, found))) for found in segments if found]
        if not tracks:
            # A track that is outside all the time shows nothing, and nothing of it is lost.
            self._report.ledger.annotations.read += 1
            self._report.ledger.annotations.skipped += 1
            self._report.field("cvat-video:track (never inside)")
        for number, track in enumerate(tracks):
            own = id if len(tracks) == 1 else f"{id}/{number}"
            self._annotations.append(Annotation(own, label, track, extra=extra))

    def _id(self, id: str, place: str) -> str:
        if id in self._taken:
            number = 2
            while f"{id}~{number}" in self._taken:
                number += 1
            renamed = f"{id}~{number}"
            where = Where(self._path, pointer=place)
            self._report.add(codes.ANNOTATION_ID_DUPLICATE, where, value=id, renamed=renamed)
            id = renamed
        self._taken.add(id)
        return id

    def _beside(self, fields: dict[str, str]) -> Extra:
        extra: Extra = {}
        for name, text in fields.items():
            if name in ("id", "label", "task_id") or text == _USUAL.get(name):
                continue
            if self._extra:
                extra[f"cvat-video:{name}"] = text
            else:
                self._report.field(f"cvat-video:{name}")
        if self._occluded and self._extra:
            extra["cvat-video:occluded"] = self._occluded
        elif self._occluded:
            self._report.field("cvat-video:occluded")
        return extra

    def _segments(self, element: Element, label: str, place: str) -> list[list[list[Keyframe]]]:
        """The segments of each object of a track: `points` of several points are several."""
        if not label:
            raise Unusable(codes.RECORD_MALFORMED, "/@label", expected="a label", found="nothing")
        tags = {child.tag for child in element if child.tag in TAGS}
        if "cuboid" in tags:
            shapes_of("cuboid", {}, None)
        if "ellipse" in tags:
            found, result = "an ellipse", f"a polygon of {ELLIPSE_POINTS} points"
            where = Where(self._path, pointer=place)
            self._report.add(codes.SPELLING_MENDED, where, found=found, result=result)
        rows = self._rows(element, label, place)
        if "skeleton" in tags or element.find("track") is not None:
            return [self._skeleton(element, rows, place)]
        computed = self._options.interpolated == "keep" or (
            self._options.interpolated == "auto" and not tags <= _STRAIGHT
        )
        lists = [_single(rows, number) for number in range(_count(rows))]
        if len(lists) > 1:
            said, result = f"one object of {len(lists)} points", f"{len(lists)} points"
            where = Where(self._path, pointer=place)
            self._report.add(codes.SPELLING_MENDED, where, found=said, result=result)
        return [self._moved(segments_of(_one_kind(each), computed=computed)) for each in lists]

    def _skeleton(self, element: Element, rows: list[_Rows], place: str) -> list[list[Keyframe]]:
        elements: dict[str, list[list[Keyframe]]] = {}
        for number, child in enumerate(element.findall("track"), 1):
            pointer = f"{place}/track[{number}]"
            name = child.get("label", "")
            found = self._rows(child, name, pointer, of_skeleton=True)
            points = [
                Row(
                    row.frame,
                    row.shapes[0] if row.shapes else None,
                    row.is_keyframe,
                    answers=_OCCLUDED if row.occluded else (),
                )
                for row in found
            ]
            elements.setdefault(name, []).extend(segments_of(points, computed=False))
        whole = segments_of(_single(rows, 0), computed=False)
        if not rows:
            frames = [k.frame for parts in elements.values() for part in parts for k in part]
            stand_in = Point(0.0, 0.0)
            whole = [[Keyframe(f, stand_in) for f in (min(frames), max(frames))]] if frames else []
        return self._moved(skeleton_of(whole, elements))

    # ------------------------------------------------------------------ rows

    def _rows(
        self, element: Element, label: str, place: str, *, of_skeleton: bool = False
    ) -> list[_Rows]:
        """The rows of a track by rising frame, each frame once."""
        found: dict[int, _Rows] = {}
        positions: dict[str, int] = {}
        for child in element:
            tag = child.tag
            if tag == "track":
                continue
            positions[tag] = positions.get(tag, 0) + 1
            pointer = f"{place}/{tag}[{positions[tag]}]"
            try:
                row = self._row(child, label, of_skeleton=of_skeleton)
                _check_alone(row, found.get(row.frame))
            except Unusable as bad:
                where = Where(self._path, pointer=pointer + bad.pointer)
                self._report.ledger.annotations.read += 1
                self._report.reject(bad.code, where, tostring(child), **bad.values)
                continue
            if row.shapes or row.frame not in found:
                found[row.frame] = row
        rows = [found[frame] for frame in sorted(found)]
        if not of_skeleton and any(row.occluded for row in rows):
            self._tell_occluded(rows)
        return rows

    def _tell_occluded(self, rows: list[_Rows]) -> None:
        if self._options.occluded == "answer":
            for row in rows:
                said = "true" if row.occluded else "false"
                row.answers += (Classification("occluded", Radio(said)),)
        elif self._options.occluded == "extra":
            self._occluded = [self._map.of(r.frame) for r in rows if r.occluded and r.is_keyframe]
        else:
            self._report.field("cvat-video:occluded")

    def _row(self, child: Element, label: str, *, of_skeleton: bool) -> _Rows:
        tag, fields = child.tag, child.attrib
        if tag not in TAGS:
            raise Unusable(codes.RECORD_MALFORMED, expected="a shape of CVAT", found=f"<{tag}>")
        frame = self._frame(whole_of(fields, "frame"))
        shapes: list[Shape] = []
        if fields.get("outside") != "1":
            shapes = [Point(0.0, 0.0)] if tag == "skeleton" else shapes_of(tag, fields, self._size)
            if of_skeleton and not (len(shapes) == 1 and isinstance(shapes[0], Point)):
                raise Unusable(codes.SHAPE_INVALID, found=f"a {tag} as a point of a skeleton")
        occluded = fields.get("occluded") == "1"
        if fields.get("z_order", "0") != "0":
            self._report.field("cvat-video:z_order")
        answers = tuple(self._answer(each, label) for each in child.iter("attribute"))
        if answers and of_skeleton:
            self._report.field("cvat-video:attribute (of the points of skeletons)", len(answers))
        is_keyframe = fields.get("keyframe", "1") != "0"
        return _Rows(frame, shapes, is_keyframe, occluded, answers)

    def _frame(self, frame: int) -> int:
        header = self._header
        if frame >= MOST_FRAME:
            expected = f"a frame below {MOST_FRAME}"
            raise Unusable(codes.RECORD_MALFORMED, "/@frame", expected=expected, found=frame)
        if self._options.frames == "task":
            frame, odd = divmod(frame - header.start, header.step)
            if odd or frame < 0:
                expected = f"a frame of the task, from {header.start} on in steps of {header.step},"
                found = str(frame * header.step + odd + header.start)
                raise Unusable(codes.RECORD_MALFORMED, "/@frame", expected=expected, found=found)
        return frame

    def _answer(self, element: Element, label: str) -> Classification:
        is_text = self._texts.get((label, element.get("name", "")), True)
        return answer_of(element, "text" if is_text else "select")

    def _moved(self, segments: list[list[Keyframe]]) -> list[list[Keyframe]]:
        """The segments at the frames of the uploaded video."""
        if self._map.is_identity:
            return segments
        of = self._map.of
        return [
            [Keyframe(of(k.frame), k.shape, k.classifications) for k in segment]
            for segment in segments
        ]


class _Rows(msgspec.Struct):
    """A row as it stands in the file; `shapes` is empty where it is outside."""

    frame: int
    shapes: list[Shape]
    is_keyframe: bool
    occluded: bool
    answers: Answers


def _check_alone(row: _Rows, before: _Rows | None) -> None:
    """Raise `Unusable` for a second shape on one frame. One that is outside and one that is not is
    how CVAT goes on with a track at the border of two jobs."""
    if before is not None and before.shapes and row.shapes:
        first = "another row of this track"
        raise Unusable(codes.ID_DUPLICATE, "/@frame", field="frame", value=row.frame, first=first)


def _count(rows: list[_Rows]) -> int:
    """How many objects the rows are of. Raises `Unusable` where that changes."""
    counts = {len(row.shapes) for row in rows if row.shapes}
    if len(counts) > 1:
        found = f"points whose number changes from frame to frame: {sorted(counts)}"
        raise Unusable(codes.SHAPE_INVALID, found=found)
    return counts.pop() if counts else 1


def _single(rows: list[_Rows], number: int) -> list[Row]:
    return [
        Row(
            row.frame,
            row.shapes[number] if row.shapes else None,
            row.is_keyframe,
            row.occluded,
            row.answers,
        )
        for row in rows
    ]


def _one_kind(rows: list[Row]) -> list[Row]:
    """CVAT leaves out a rotation of 0: where one box of a track is oriented, all of them are."""
    if not any(isinstance(row.shape, OrientedBox) for row in rows):
        return rows
    return [msgspec.structs.replace(row, shape=_oriented(row.shape)) for row in rows]


def _oriented(shape: Shape | None) -> Shape | None:
    return turned(shape, 0.0) if isinstance(shape, Box) else shape
