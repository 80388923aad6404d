"""Pictures that are frames become videos: a pass for folders of labels, frame by frame.

A frame's picture is named by the folder that is its video and by a number: `clip/img_000012.jpg`,
or `clip_12.txt` as trackers write it. Objects of one track are told by a field of the source, such
as the track id of YOLO's tracker results.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import msgspec

from labelconv import codes
from labelconv.errors import OptionError
from labelconv.frames import FrameMap, frame_map
from labelconv.model import (
    Annotation,
    Classification,
    Dataset,
    Image,
    Sample,
    Samples,
)
from labelconv.passes import Pass
from labelconv.problems import Outcome, Report, Where
from labelconv.tracks import track_of

#: Fields that have the id of a track, as formats call them (after `format:`).
TRACK_FIELDS = ("track", "track_id", "instance_id")
_NUMBERED = re.compile(r"^(?P<before>.*?)(?P<number>\d+)(?P<after>\D*)$")


class Clips(msgspec.Struct, frozen=True, kw_only=True):
    """How pictures are frames.

    `first` is the number that the first frame's name has; numbers are `step` apart, and frames are
    placed in the video by `place`. `track` names the field that has the track id (`yolo:track`).
    """

    first: int = 0
    step: int = 1
    place: FrameMap = FrameMap()
    track: str | None = None


class VideoOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How pictures become videos (`-V key=value`).

    - `track`: the field that has the track id, such as `yolo:track`; found out when not given.
    - `first`: the number in the name of the first frame.
    - `step`: how far the numbers in the names are apart.
    - `start`: the frame of the uploaded video that the first one is.
    - `stride`: frames of the uploaded video from one to the next.
    - `fps`: instead of `stride`, the frame rates of source and video, `5:30`.
    """

    track: str | None = None
    first: int = 0
    step: int = 1
    start: int = 0
    stride: int = 1
    fps: str | None = None


def clips_of(options: VideoOptions) -> Clips:
    """What the options say. Raises `OptionError`."""
    place = frame_map(options.start, options.stride, options.fps, "-V")
    return Clips(first=options.first, step=options.step, place=place, track=options.track)


def as_videos(clips: Clips) -> Pass:
    """A pass by which consecutive pictures of one folder become one video.

    A picture without a number in its name, with one between two steps, or of another size than the
    first is rejected. Annotations without a track id are tracks of one frame; a track whose
    category changes becomes two. A track has one confidence: the highest of its frames, a loss
    where they differ. Answers about a picture hold for its frame; neighbours with the same answer
    are joined. Fields beside are counted. The ledger counts tracks and videos. Raises
    `OptionError` for a step below 1.
    """
    if clips.step < 1:
        raise OptionError(f"a step of 1 or more expected between frames, {clips.step} found")

    def change(dataset: Dataset, report: Report) -> Dataset:
        def samples() -> Iterator[Sample]:
            held: _Clip | None = None
            ids = _Ids(clips.track, report)
            done: set[str] = set()
            for sample in dataset:
                if not isinstance(sample.media, Image):
                    yield sample
                    continue
                named = frame_of(sample.key, clips)
                if sample.key_is_id:
                    named = "a data-row id"
                if isinstance(named, str):
                    _reject(sample, named, report)
                    continue
                key, frame = named
                if held is None or held.key != key:
                    if held is not None:
                        yield held.sample()
                        done.add(held.key)
                    if key in done:
                        _reject(sample, f"another run of frames of {key!r}", report)
                        held = None
                        continue
                    held = _Clip(key, clips, ids, report)
                refused = held.refused(sample, frame)
                if refused is None:
                    held.add(sample, frame)
                else:
                    _reject(sample, refused, report)
            if held is not None:
                yield held.sample()

        return Samples(samples, lambda: dataset.ontology, dataset.info)

    return change


def frame_of(key: str, clips: Clips) -> tuple[str, int] | str:
    """(the video's key, the frame in the video) of a picture; else what was found instead."""
    folder, _, name = key.replace("\\", "/").rpartition("/")
    stem = name.rpartition(".")[0] or name
    found = _NUMBERED.match(stem)
    if found is None:
        return f"{name!r}, which has no number"
    number = int(found["number"]) - clips.first
    if number < 0 or number % clips.step:
        return f"frame {int(found['number'])}, counted from {clips.first} in steps of {clips.step}"
    video = folder or found["before"].rstrip("_-. ") or "video"
    return video, clips.place.of(number // clips.step)


def _reject(sample: Sample, found: str, report: Report) -> None:
    ledger = report.ledger
    ledger.annotations.rejected += len(sample.annotations)
    ledger.classifications.rejected += len(sample.classifications)
    ledger.relations.rejected += len(sample.relations)
    report.reject(
        codes.RECORD_MALFORMED,
        Where(sample=sample.key),
        msgspec.json.encode(sample),
        "samples",
        expected="pictures of one video that are named by rising numbers of frames",
        found=found,
    )


class _Ids:
    """Finds the track id of annotations: in one field for all of a source."""

    def __init__(self, field: str | None, report: Report) -> None:
        self.field = field
        self._report = report

    def of(self, annotation: Annotation) -> object:
        """The id, None where there is none. The field is found out, and told, by the first."""
        if self.field is None:
            for field in annotation.extra:
                if field.rpartition(":")[2] in TRACK_FIELDS:
                    self.field = field
                    what, evidence = "track ids", f"taken from the field {field} (-V track=…)"
                    self._report.add(codes.CONVENTION_GUESSED, what=what, evidence=evidence)
                    break
        return None if self.field is None else annotation.extra.get(self.field)


class _Track:
    """An object as it is gathered, frame by frame."""

    def __init__(self) -> None:
        self.frames: list[int] = []
        self.shapes: list[Any] = []
        self.answers: list[tuple[Classification, ...]] = []
        self.confidences: set[float | None] = set()


class _Clip:
    """The frames of one video so far."""

    def __init__(self, key: str, clips: Clips, ids: _Ids, report: Report) -> None:
        self.key = key
        self._clips = clips
        self._ids = ids
        self._report = report
        self._tracks: dict[tuple[object, str], _Track] = {}
        self._asked: dict[Classification, list[tuple[int, int]]] = {}
        self._size: tuple[float | None, float | None] = (None, None)
        self._latest = -1
        self._pictures = 0
        self._pieces = 0
        self._answers = 0

    def refused(self, sample: Sample, frame: int) -> str | None:
        """Why a picture cannot be the next frame; None if it can."""
        if frame <= self._latest:
            return f"a second picture of frame {frame}, or one out of order"
        size = _size(sample)
        if None not in (*size, *self._size) and size != self._size:
            wide, high = self._size
            return f"a picture of {size[0]:g} × {size[1]:g} after others of {wide:g} × {high:g}"
        return None

    def add(self, sample: Sample, frame: int) -> None:
        """Add the picture of a later frame."""
        report = self._report
        self._latest = frame
        self._pictures += 1
        if None in self._size:
            self._size = _size(sample)
        for annotation in sample.annotations:
            self._add(annotation, frame)
        for name in sample.extra:
            report.field(name)
        if sample.uri is not None and sample.uri != sample.key:
            report.field("uri (of frames)")
        stride = self._clips.place.stride
        for asked in sample.classifications:
            ranges = self._asked.setdefault(asked, [])
            self._answers += 1
            if ranges and ranges[-1][1] >= frame - stride + 1:
                ranges[-1] = (ranges[-1][0], frame + 1)
            else:
                ranges.append((frame, frame + 1))
        report.ledger.relations.lost += len(sample.relations)
        for relation in sample.relations:
            where = Where(sample=sample.key, annotation=relation.id)
            report.add(codes.RELATION_DROPPED, where, name=relation.category)

    def _add(self, annotation: Annotation, frame: int) -> None:
        self._pieces += 1
        id = self._ids.of(annotation)
        name: tuple[object, str] = (id, annotation.category)
        if id is None:
            name = ((frame, annotation.id), annotation.category)
        track = self._tracks.get(name)
        if track is not None and track.frames[-1] == frame:
            # Twice in one frame: an object of its own.
            renamed = f"{id}@{frame}/{annotation.id}"
            where = Where(sample=self.key, annotation=str(id))
            values = {"value": id, "renamed": renamed}
            self._report.add(codes.ANNOTATION_ID_DUPLICATE, where, **values)
            name = (renamed, annotation.category)
            track = None
        if track is None:
            track = self._tracks[name] = _Track()
        track.frames.append(frame)
        track.shapes.append(annotation.value)
        track.answers.append(annotation.classifications)
        track.confidences.add(annotation.confidence)
        for field in annotation.extra:
            if field != self._ids.field:
                self._report.field(field)

    def sample(self) -> Sample:
        """The video. Frames count as one sample, and what is on them as tracks, in the ledger."""
        report = self._report
        annotations = []
        taken: set[str] = set()
        lost: dict[str, Outcome] = {}
        stride = self._clips.place.stride
        for (id, category), track in self._tracks.items():
            name = "/".join(map(str, id)) if isinstance(id, tuple) else str(id)
            if name in taken:
                name = f"{name}/{category}"
            taken.add(name)
            if len(track.confidences) > 1:
                what = "the confidence of single frames, of which the highest stays,"
                where = Where(sample=self.key, annotation=name)
                report.add(codes.DETAIL_DROPPED, where, what=what)
                lost[name] = "lost"
            sure = max((each for each in track.confidences if each is not None), default=None)
            value = track_of(track.frames, track.shapes, track.answers, max_gap=stride)
            annotations.append(Annotation(name, category, value, (), sure))
        asked = tuple(
            msgspec.structs.replace(given, ranges=tuple(ranges))
            for given, ranges in self._asked.items()
        )
        ledger = report.ledger
        ledger.samples.read -= self._pictures - 1
        ledger.annotations.read -= self._pieces - len(annotations)
        ledger.classifications.read -= self._answers - len(asked)
        values = {"pieces": self._pieces, "pictures": self._pictures, "tracks": len(annotations)}
        report.add(codes.FRAMES_JOINED, Where(sample=self.key), **values)
        if lost:
            report.passed = self.key, lost
        width, height = self._size
        media = self._clips.place.video(width, height)
        return Sample(self.key, media, tuple(annotations), asked)


def _size(sample: Sample) -> tuple[float | None, float | None]:
    media = sample.media
    return (media.width, media.height) if isinstance(media, Image) else (None, None)
