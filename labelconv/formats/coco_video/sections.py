"""Videos, frames, tracks and classes of a COCO video file, and where its annotations are."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from typing import Any, TypeVar

import msgspec

from labelconv import codes
from labelconv.errors import OptionError, SourceError
from labelconv.formats.coco_video import wire
from labelconv.frames import MOST_FRAME
from labelconv.io import Source, skip_mark
from labelconv.jsonstream import UNDECODABLE, Batch, Walker
from labelconv.problems import Report, Where

T = TypeVar("T", bound=msgspec.Struct)
_HEADS = msgspec.json.Decoder(list[wire.Head])
#: Fields of each kind of record that are made use of, or that follow from others.
_KNOWN: dict[type[msgspec.Struct], frozenset[str]] = {
    wire.Video: frozenset(wire.Video.__struct_fields__),
    wire.Image: frozenset({*wire.Image.__struct_fields__, "file_name"}),
    wire.Track: frozenset({*wire.Track.__struct_fields__, "video_id"}),
    wire.Category: frozenset(wire.Category.__struct_fields__),
}
_RAWS = msgspec.json.Decoder(list[msgspec.Raw])
_FIELDS = msgspec.json.Decoder(dict[str, Any])


class Clip(msgspec.Struct):
    """A video and the frames that are listed of it."""

    record: wire.Video
    fields: dict[str, Any]
    pointer: str
    frames: list[int] = []
    width: float | None = None
    height: float | None = None

    @property
    def name(self) -> str:
        """Its name; of YouTube-VIS, the folder of its frames."""
        if self.record.name:
            return self.record.name
        for name in self.record.file_names or ():
            folder = name.replace("\\", "/").rpartition("/")[0]
            if folder:
                return folder
        return str(self.record.id)

    def usual_step(self) -> int:
        """The commonest distance between two listed frames."""
        steps = Counter(b - a for a, b in pairwise(sorted(set(self.frames))))
        return min(steps, key=lambda step: (-steps[step], step)) if steps else 1


class Sections(msgspec.Struct):
    """What annotations refer to, and of each annotation its video, its number in the file, and
    its place in bytes."""

    clips: list[Clip] = []
    clip_of: dict[wire.Id, int] = {}
    frame_of: dict[wire.Id, tuple[int, int]] = {}
    tracks: dict[wire.Id, wire.Id | None] = {}
    categories: dict[wire.Id, str] = {}
    clip: array[int] = msgspec.field(default_factory=lambda: array("l"))
    number: array[int] = msgspec.field(default_factory=lambda: array("q"))
    start: array[int] = msgspec.field(default_factory=lambda: array("q"))
    length: array[int] = msgspec.field(default_factory=lambda: array("l"))
    has_tracks: bool = False


def read_sections(
    source: Source, given: str | None, report: Report, *, annotations: bool = True
) -> Sections:
    """One pass over the file. Counts and rejects records that cannot be used.

    Raises `SourceError` for what is not a COCO video file, `OptionError` for a results list
    without the file that has its videos.
    """
    found = Sections()
    with source.open() as file:
        if skip_mark(file, source.name):
            report.add(codes.ENCODING_MARK, Where(path=source.name))
        walker = Walker(file, source.name)
        start = walker.peek()
        if start == b"[":
            if given is None:
                raise OptionError(
                    f"{source.name}: a results list, which needs the file with its videos and "
                    f"categories: `-O categories=FILE`"
                )
            others = read_sections(Source(given), None, Report(), annotations=False)
            _annotations(walker, others, source, report, prefix="")
            return others
        if start != b"{":
            raise SourceError(f"{source.name}: a JSON object with videos expected")
        pending: list[tuple[str, int]] = []
        seen: set[str] = set()
        for name in walker.members():
            seen.add(name)
            if walker.peek() != b"[":
                _beside(walker, name, report)
            elif name == "annotations" and annotations and {"videos", "images"} <= seen:
                _annotations(walker, found, source, report)
            elif name == "annotations" or (name == "images" and "videos" not in seen):
                pending.append((name, walker.offset))
                _skip(walker)
            elif not _section(walker, name, found, source, report):
                report.field(f"coco-video:{name} (of the file)")
        if "videos" not in seen:
            raise SourceError(
                f"{source.name}: a COCO file with videos expected; only "
                f"{', '.join(sorted(seen)) or 'an empty object'} found"
            )
        for name, offset in sorted(pending, reverse=True):  # images before annotations
            walker.seek(offset)
            if name == "images":
                _frames(walker, found, source, report)
            elif annotations:
                _annotations(walker, found, source, report)
    return found


def _section(walker: Walker, name: str, found: Sections, source: Source, report: Report) -> bool:
    """Read a section that annotations refer to; False if it is not one."""
    if name == "videos":
        for video, fields, pointer in _records(walker, name, wire.Video, source, report):
            if video.id in found.clip_of:
                where = Where(source.name, pointer=pointer)
                first = found.clips[found.clip_of[video.id]].pointer
                values: dict[str, object] = {"field": "id", "value": video.id, "first": first}
                report.ledger.samples.read += 1
                raw = msgspec.json.encode(fields)
                report.reject(codes.ID_DUPLICATE, where, raw, "samples", **values)
                continue
            found.clip_of[video.id] = len(found.clips)
            clip = Clip(video, fields, pointer, [], video.width, video.height)
            if video.file_names is not None:
                clip.frames = list(range(len(video.file_names)))
            found.clips.append(clip)
    elif name == "images":
        _frames(walker, found, source, report)
    elif name == "tracks":
        found.has_tracks = True
        for track, _, _ in _records(walker, name, wire.Track, source, report):
            found.tracks[track.id] = track.category_id
    elif name == "categories":
        for category, _, pointer in _records(walker, name, wire.Category, source, report):
            if found.categories.setdefault(category.id, category.name) != category.name:
                first = repr(found.categories[category.id])
                _tell_twice("category id", category.id, first, source, pointer, report)
    else:
        _skip(walker)
        return False
    return True


def _frames(walker: Walker, found: Sections, source: Source, report: Report) -> None:
    """Frames by image id; of videos that may come later in the file, kept by the video's id."""
    for image, _, pointer in _records(walker, "images", wire.Image, source, report):
        frame = image.frame_id if image.frame_id is not None else image.frame_index
        if image.video_id is None:
            report.field("coco-video:images (of no video)")
            continue
        row = found.clip_of.get(image.video_id)
        if row is None or frame is None or not 0 <= frame < MOST_FRAME:
            where = Where(source.name, pointer=pointer)
            if row is None:
                report.add(
                    codes.REFERENCE_DANGLING,
                    where,
                    field="video_id",
                    value=image.video_id,
                    known="videos",
                )
            else:
                expected = "frame_id or frame_index, a whole number of 0 or more, below 2 ** 32,"
                report.add(codes.RECORD_MALFORMED, where, expected=expected, found=repr(frame))
            continue
        clip = found.clips[row]
        if found.frame_of.setdefault(image.id, (row, frame)) != (row, frame):
            video, number = found.frame_of[image.id]
            first = f"frame {number} of {found.clips[video].name!r}"
            _tell_twice("image id", image.id, first, source, pointer, report)
            continue
        clip.frames.append(frame)
        if clip.width is None and clip.height is None:
            clip.width, clip.height = image.width, image.height


def _tell_twice(
    field: str, value: wire.Id, first: str, source: Source, pointer: str, report: Report
) -> None:
    """Tell that an id stands for two things; it is what it was first."""
    where = Where(source.name, pointer=pointer)
    report.add(codes.ID_DUPLICATE, where, field=field, value=value, first=first)


def _annotations(
    walker: Walker,
    found: Sections,
    source: Source,
    report: Report,
    *,
    prefix: str = "/annotations",
) -> None:
    """The places of the annotations, by video."""
    for batch in walker.array(_HEADS):
        heads: list[wire.Head | None] = []
        if batch.values is None:
            heads += map(_head, batch.raws())
        else:
            heads += batch.values
        starts, lengths = batch.places_apart()
        for at, head in enumerate(heads):
            row = None if head is None else _row_of(head, found)
            if row is None:
                _reject_lost(batch, at, head, prefix, source, report)
                continue
            found.clip.append(row)
            found.number.append(batch.index + at)
            found.start.append(starts[at])
            found.length.append(lengths[at])


def _row_of(head: wire.Head, found: Sections) -> int | None:
    """The video of an annotation: the one it names, or that of its frame."""
    row = None if head.video_id is None else found.clip_of.get(head.video_id)
    if row is None and head.image_id is not None and head.image_id in found.frame_of:
        row = found.frame_of[head.image_id][0]
    return row


def _head(raw: bytes) -> wire.Head | None:
    try:
        return msgspec.json.decode(raw, type=wire.Head)
    except UNDECODABLE:
        return None


def _reject_lost(
    batch: Batch[wire.Head],
    at: int,
    head: wire.Head | None,
    prefix: str,
    source: Source,
    report: Report,
) -> None:
    where = Where(source.name, pointer=f"{prefix}/{batch.index + at}")
    report.ledger.annotations.read += 1
    raw = batch.raws()[at]
    if head is None:
        expected = "an annotation with image_id or video_id"
        found = raw[:40].decode(errors="replace")
        report.reject(codes.RECORD_MALFORMED, where, raw, expected=expected, found=found)
        return
    field, value, known = "image_id", head.image_id, "images"
    if head.image_id is None:
        field, value, known = "video_id", head.video_id, "videos"
    report.reject(codes.REFERENCE_DANGLING, where, raw, field=field, value=value, known=known)


def _records(
    walker: Walker, name: str, kind: type[T], source: Source, report: Report
) -> Iterator[tuple[T, dict[str, Any], str]]:
    """The records of a section that can be used, with all their fields and their places."""
    known = _KNOWN[kind]
    decoder = msgspec.json.Decoder(kind)
    for batch in walker.array(_RAWS):
        for at, raw in enumerate(batch.raws()):
            pointer = f"/{name}/{batch.index + at}"
            fields: dict[str, Any] = {}
            faults: dict[str, str] = {}
            try:
                fields = _FIELDS.decode(raw)
                try:
                    record = decoder.decode(raw)
                except msgspec.ValidationError:
                    record, faults = wire.without_faults(kind, fields)
            except UNDECODABLE as error:
                found, place = wire.told(error)
                where = Where(source.name, pointer=pointer + place)
                values: dict[str, object] = {"expected": f"a record of {name}", "found": found}
                if kind is wire.Video:
                    report.ledger.samples.read += 1
                    report.reject(codes.RECORD_MALFORMED, where, raw, "samples", **values)
                else:
                    report.add(codes.RECORD_MALFORMED, where, **values)
                continue
            for field, found in faults.items():
                where = Where(source.name, pointer=f"{pointer}/{field}")
                expected = f"{field} that can be used, or none,"
                report.add(codes.RECORD_MALFORMED, where, expected=expected, found=found)
            for field in fields.keys() - known:
                report.field(f"coco-video:{field} (of {name})")
            yield record, fields, pointer


def _beside(walker: Walker, name: str, report: Report) -> None:
    walker.value()
    report.field(f"coco-video:{name} (of the file)")


def _skip(walker: Walker) -> None:
    for _ in walker.array(_RAWS):
        pass
