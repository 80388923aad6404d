"""Label Studio's results about videos: rectangles over time, and answers for ranges of frames.

A rectangle is keyframes in `sequence`, in percent of the picture; `enabled` says whether it is seen
between one and the next, after the last one until the video ends (label-studio-sdk,
`label_studio_tools/core/utils`). Frames count from 1, and not those of the file: Label Studio
plays the video and counts time, at the rate that the project's `<Video framerate>` says (24 where
it says nothing), so that frame n stands for the n-th part of that length.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import msgspec

from labelconv import codes
from labelconv.formats.label_studio.options import LabelStudioReaderOptions
from labelconv.formats.label_studio.shapes import shape_of
from labelconv.frames import FrameMap, frame_map
from labelconv.frametimes import FrameTimes, read_times
from labelconv.media import MediaFiles, Size
from labelconv.model import Box, Classification, Keyframe, OrientedBox, Shape, Track, Video
from labelconv.problems import Report, Where
from labelconv.texts import Fault, answered
from labelconv.unusable import Unusable
from labelconv.videofiles import agrees, header_of, rate_in_words

if TYPE_CHECKING:
    from labelconv.videoheaders import VideoHeader

#: Endings of names by which an address in `data` is that of a video.
ENDINGS = (".mp4", ".m4v", ".mov", ".webm", ".mkv", ".avi", ".ogv", ".3gp")
FIELDS = ("video", "video_url", "clip", "movie")


class Rules:
    """How frames are placed in all videos of a source. Raises `OptionError` and `SourceError`."""

    def __init__(self, options: LabelStudioReaderOptions) -> None:
        self.map: FrameMap | None = None
        self.times: FrameTimes | None = None
        self.by_file = options.timestamps == "media"
        if options.fps is not None:
            self.map = frame_map(0, 1, options.fps, "label-studio")
        if options.timestamps is not None and not self.by_file:
            self.times = read_times(options.timestamps)


class Clip:
    """One video: its size, and where its frames are."""

    def __init__(self, name: str, rules: Rules, files: MediaFiles, report: Report) -> None:
        self._name = name
        self._rules = rules
        self._report = report
        self._header: VideoHeader | None = header_of(files, name)
        self._times = rules.times
        header = self._header
        if rules.by_file and header is not None and (header.count or 0) > 1:
            self._times = FrameTimes(header.seconds())
        self._guessed = False
        self.size: tuple[float, float] | None = None
        if header is not None and header.width and header.height:
            self.size = float(header.width), float(header.height)
        elif files.given and isinstance(found := files.size(name), Size):
            self.size = float(found.width), float(found.height)

    def media(self) -> Video:
        """The video as far as it is known."""
        width, height = self.size or (None, None)
        if self._rules.map is not None:
            return self._rules.map.video(width, height)
        return Video(width, height, self._count())

    # ------------------------------------------------------------------ rectangles

    def track(self, value: dict[str, Any], where: Where) -> Track:
        """The track of a `videorectangle`. Raises `Fault` and `Unusable`."""
        if self.size is None:
            hint = "rectangles in percent need it: give the video with --media, or `-O sizes=FILE`"
            raise Unusable(codes.MEDIA_MISSING, name=self._name, hint=hint)
        items = _items(value)
        place = self._placing(value, items)
        form: type = OrientedBox if any(item.get("rotation") for item in items) else Box
        segments: list[list[Keyframe]] = []
        goes_on = False
        for number, item in enumerate(items):
            try:
                shape = _as(form, shape_of("rectangle", item, *self.size))
                frame = place(item["frame"])
            except Fault as fault:
                pointer = f"/value/sequence/{number}{fault.pointer.removeprefix('/value')}"
                raise Fault(fault.expected, fault.found, pointer) from None
            if segments and segments[-1][-1].frame >= frame:
                self._report.field("label-studio:sequence (of two on one frame of the video)")
                goes_on = item.get("enabled", True)
                continue
            if not goes_on:
                segments.append([])
            segments[-1].append(Keyframe(frame, shape))
            goes_on = item.get("enabled", True)
        if goes_on:
            self._until_the_end(segments[-1], value, place)
        if form is OrientedBox and len({item.get("rotation", 0) for item in items}) > 1:
            where_it_turns = "a box that turns moves with its centre, not with its corner"
            self._report.add(
                codes.CONVENTION_GUESSED, where, what="rotation", evidence=where_it_turns
            )
        return Track(tuple(map(tuple, segments)))

    def _until_the_end(
        self, segment: list[Keyframe], value: dict[str, Any], place: Callable[[int], int]
    ) -> None:
        """The rectangle stays as it is until the video ends, if it is known when it does."""
        count = value.get("framesCount")
        if type(count) is not int or count < 1:
            return
        known = self._count()
        try:
            last = place(count)
        except Fault:  # beyond the last time: the length in frames is rounded up
            last = -1 if known is None else known - 1
        if known is not None:
            last = min(last, known - 1)
        if last > segment[-1].frame:
            segment.append(Keyframe(last, segment[-1].shape))

    def _count(self) -> int | None:
        if self._times is not None:
            return self._times.count
        return None if self._header is None else self._header.count

    # ------------------------------------------------------------------ answers

    def answer(self, each: dict[str, Any]) -> Classification:
        """The answer of `timelinelabels`, over its ranges. Raises `Fault` and `Unusable`."""
        value = each.get("value")
        if not isinstance(value, dict):
            raise Fault("a result with a value", repr(value)[:40], "/value")
        labels, listed = value.get("timelinelabels"), value.get("ranges")
        if not isinstance(labels, list) or not labels:
            raise Fault("labels", repr(labels)[:40], "/value/timelinelabels")
        if not isinstance(listed, list) or not listed:
            raise Fault("ranges of frames", repr(listed)[:40], "/value/ranges")
        place = self._placing(value, [])
        ranges = []
        for number, said in enumerate(listed):
            ends = [said.get(n) if isinstance(said, dict) else None for n in ("start", "end")]
            first, last = ends
            if type(first) is not int or type(last) is not int or not 1 <= first <= last:
                found = repr(said)[:40]
                raise Fault("start and end from 1 on", found, f"/value/ranges/{number}")
            ranges.append((place(first), place(last) + 1))
        said = [(str(label), None) for label in labels]
        name = str(each.get("from_name") or "timelinelabels")
        made = answered(said, name, "radio" if len(said) == 1 else "checklist")
        return msgspec.structs.replace(made, ranges=tuple(ranges))

    # ------------------------------------------------------------------ frames

    def _placing(self, value: dict[str, Any], items: list[dict[str, Any]]) -> Callable[[int], int]:
        """What gives the frame of the video, from 0, for one of Label Studio's. Raises `Fault` and
        `Unusable`."""
        rules, header = self._rules, self._header
        if rules.map is not None:
            shift = rules.map
            return lambda frame: shift.of(frame - 1)
        rate = _rate(value, items)
        if rules.by_file and self._times is None:
            hint = "give its folder with --media, for the times of its frames"
            raise Unusable(codes.MEDIA_MISSING, name=self._name, hint=hint)
        if self._times is not None:
            return _by_time(self._times, rate)
        agreed = None if header is None or rate is None else agrees(header, rate)
        if agreed is False:
            assert header is not None  # for mypy
            expected, found = f"{rate:g} frames a second", rate_in_words(header)
            raise Unusable(codes.FRAMES_UNPLACED, name=self._name, expected=expected, found=found)
        if agreed is None and not self._guessed:
            self._guessed = True
            at = "at the rate of the project" if rate is None else f"at {rate:g} a second"
            evidence = (
                f"counted {at} by Label Studio, taken for those of the video "
                "(-O fps=, -O timestamps=, or --media to make sure)"
            )
            self._report.add(codes.CONVENTION_GUESSED, what="frames", evidence=evidence)
        return lambda frame: frame - 1


def _by_time(times: FrameTimes, rate: float | None) -> Callable[[int], int]:
    """By the frame on screen in the middle of the time that Label Studio's frame stands for."""
    if rate is None:
        raise Fault("time beside frame, or duration beside framesCount,", "neither", "/value")

    def place(frame: int) -> int:
        time = (frame - 0.5) / rate
        found = times.on_screen(time)
        if found is None:
            raise Fault("a time within the video", f"frame {frame}, at {time:.3f} s", "/value")
        return found

    return place


def _items(value: dict[str, Any]) -> list[dict[str, Any]]:
    """The keyframes by rising frame. Raises `Fault`."""
    listed = value.get("sequence")
    if not isinstance(listed, list) or not listed:
        raise Fault("a sequence of keyframes", repr(listed)[:40], "/value/sequence")
    seen: set[int] = set()
    for number, item in enumerate(listed):
        pointer = f"/value/sequence/{number}"
        frame = item.get("frame") if isinstance(item, dict) else None
        if type(frame) is not int or frame < 1:
            raise Fault("a frame from 1 on", repr(frame)[:40], f"{pointer}/frame")
        if frame in seen:
            raise Fault("a frame once", f"frame {frame} twice", f"{pointer}/frame")
        seen.add(frame)
    return sorted(listed, key=lambda item: int(item["frame"]))


def _as(form: type, shape: Shape) -> Shape:
    """The rectangle as an oriented one, where the others of its track are."""
    if form is OrientedBox and isinstance(shape, Box):
        wide, high = shape.x1 - shape.x0, shape.y1 - shape.y0
        return OrientedBox(shape.x0 + wide / 2, shape.y0 + high / 2, wide, high, 0.0)
    return shape


def _rate(value: dict[str, Any], items: list[dict[str, Any]]) -> float | None:
    """Label Studio's frames a second, by a keyframe's time or by the whole; None if neither is."""
    pairs = [(item["frame"], item.get("time")) for item in reversed(items)]
    for frame, time in (*pairs, (value.get("framesCount"), value.get("duration"))):
        usable = all(type(n) in (int, float) and 0 < n < 1e9 for n in (frame, time))
        if usable:
            return float(frame / time)
    return None
