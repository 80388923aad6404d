"""Videos and sounds: tracks out of frames, and answers with their ranges of time.

An export lists objects and answers frame by frame; `segments` say from which frame to which,
inclusive, each is to be seen, `key_frame_feature_map` which frames are key frames. Frames between
them are there only when asked for (`interpolated_frames`), and say nothing that is new.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from itertools import pairwise
from typing import Any, TypeAlias

import msgspec

from labelconv import tracks
from labelconv.formats.labelbox_export.answers import Answers
from labelconv.formats.labelbox_export.faults import (
    Refused,
    escaped,
    listed,
    malformed,
    record,
    whole,
)
from labelconv.formats.labelbox_export.shapes import Shapes
from labelconv.model import Answer, Classification, Keyframe, Mask, Track

#: An interpolated frame that is further than this (in pixels) from the straight way is kept.
_NEAR = 0.5

Ranges: TypeAlias = tuple[tuple[int, int], ...]


class Moment(msgspec.Struct, frozen=True):
    """What is said at a time (a 0-based frame, or a millisecond), and where it stands."""

    time: int
    given: Any
    at: str


class Gathered(msgspec.Struct):
    """What the frames of one label say, by feature; `faults` are (place, fault, part).

    `beside` are the names of members of frames that are not read.
    """

    objects: dict[str, list[Moment]] = {}
    questions: dict[str, list[Moment]] = {}
    faults: list[tuple[str, Refused, Any]] = []
    beside: list[str] = []


def gathered(frames: Any, at: str, base: int) -> Gathered:
    """The objects and answers of all frames, by feature, each by rising time."""
    found = Gathered({}, {}, [], [])
    try:
        listing = record(frames, at, "frames by their number")
    except Refused as fault:
        found.faults.append((at, fault, frames))
        return found
    for key, frame in listing.items():
        place = f"{at}/{escaped(key)}"
        try:
            if not key.isdecimal() or len(key) > 15 or int(key) < base:
                raise malformed(place, f"the number of a frame, {base} or more", key)
            said = {"classifications": frame} if isinstance(frame, list) else frame
            _gather(record(said, place, "a frame"), int(key) - base, place, found)
        except Refused as fault:
            found.faults.append((place, fault, frame))
    for moments in (*found.objects.values(), *found.questions.values()):
        moments.sort(key=lambda moment: moment.time)
    return found


_OF_A_FRAME = frozenset(("objects", "classifications"))


def _gather(frame: dict[str, Any], time: int, at: str, found: Gathered) -> None:
    found.beside += [name for name in frame if name not in _OF_A_FRAME and frame[name]]
    objects = frame.get("objects") or {}
    if isinstance(objects, list):
        each: Iterator[tuple[str, Any, str]] = (
            (track_id(o, n), o, f"{at}/objects/{n}") for n, o in enumerate(objects)
        )
    else:
        mapped = record(objects, f"{at}/objects", "objects by the id of their feature")
        each = ((f, o, f"{at}/objects/{escaped(f)}") for f, o in mapped.items())
    for feature, given, place in each:
        found.objects.setdefault(feature, []).append(Moment(time, given, place))
    answers = listed(frame.get("classifications"), f"{at}/classifications")
    for n, given in enumerate(answers):
        moment = Moment(time, given, f"{at}/classifications/{n}")
        found.questions.setdefault(track_id(given, n), []).append(moment)


def track_id(given: Any, n: int) -> str:
    """The id of a feature, else its name, which is the same in all frames."""
    if isinstance(given, dict):
        for key in ("feature_id", "featureId", "name", "title"):
            if isinstance(given.get(key), str):
                found: str = given[key]
                return found
    return f"#{n}"


class Segments:
    """From when to when features are to be seen, and which of their frames are key frames."""

    def __init__(self, said: dict[str, Any], at: str, base: int, *, inclusive: bool) -> None:
        self._said = said.get("segments")
        self._keys = said.get("key_frame_feature_map")
        self._at = at
        self._base = base
        self._more = 1 if inclusive else 0
        self._asked: set[str] = set()

    def unasked(self) -> int:
        """How many features have segments and nothing else, so that nobody asked for them."""
        if not isinstance(self._said, dict):
            return 1 if self._said else 0
        return len(self._said.keys() - self._asked)

    def of(self, feature: str) -> Ranges:
        """Half-open ranges by rising start; none where nothing is said. Raises `Refused`."""
        self._asked.add(feature)
        given = self._said.get(feature) if isinstance(self._said, dict) else None
        if given is None:
            return ()
        at = f"{self._at}/segments/{escaped(feature)}"
        ranges = []
        for n, each in enumerate(listed(given, at, "a list of segments")):
            place = f"{at}/{n}"
            if not isinstance(each, list) or len(each) != 2:
                raise malformed(place, "the first and the last frame", each)
            start = whole(each[0], f"{place}/0", self._base) - self._base
            end = whole(each[1], f"{place}/1") - self._base + self._more
            if end <= start:
                raise malformed(f"{place}/1", f"an end after {each[0]}", each[1])
            ranges.append((start, end))
        return tuple(sorted(ranges))

    def keys(self, feature: str) -> frozenset[int] | None:
        """The key frames, where they are told: as a list, or as a map to true and false."""
        given = self._keys.get(feature) if isinstance(self._keys, dict) else None
        if isinstance(given, dict):
            given = [int(k) for k, yes in given.items() if yes is True and k.isdecimal()]
        if not isinstance(given, list):
            return None
        return frozenset(n - self._base for n in given if type(n) is int)


class Timed:
    """Makes tracks and timed answers. `filled` counts ends of segments without a shape of their
    own, `outside` frames that belong to no segment."""

    def __init__(self, shapes: Shapes, answers: Answers) -> None:
        self._shapes = shapes
        self._answers = answers
        self.filled = 0
        self.outside = 0

    def track(
        self, feature: str, moments: list[Moment], segments: Segments, size: tuple[int, int] | None
    ) -> Track:
        """The track of one feature. Raises `Refused`, whose pointer is a whole one."""
        shown: list[Keyframe] = []
        for moment in moments:
            given = record(moment.given, moment.at, "an object")
            shape = self._shapes.shape(given, moment.at, None, size)
            asked = self._answers.all(given.get("classifications"), moment.at)
            shown.append(Keyframe(moment.time, shape, asked))
        for one, other in pairwise(moments):
            if one.time == other.time:
                raise malformed(other.at, "one shape for a frame", f"frame {one.time} once more")
        keys = segments.keys(feature)
        ranges = segments.of(feature)
        if not ranges:
            if keys is None:
                return tracks.track_of(
                    [k.frame for k in shown],
                    [k.shape for k in shown],
                    [k.classifications for k in shown],
                )
            ranges = ((shown[0].frame, shown[-1].frame + 1),)
        made = []
        inside = 0
        latest = -1
        listed_at = [k.frame for k in shown]
        for start, end in ranges:
            first = max(start, latest + 1)  # segments that share a frame are told once
            if end <= first:
                continue
            latest = end - 1
            among = shown[bisect_left(listed_at, first) : bisect_left(listed_at, end)]
            inside += len(among)
            if not among or among[0].frame != first:
                among.insert(0, _at(shown, listed_at, first))
                self.filled += 1
            if among[-1].frame != end - 1:
                among.append(_at(shown, listed_at, end - 1))
                self.filled += 1
            made.append(tuple(_thinned(among, keys)))
        self.outside += len(shown) - inside
        return Track(tuple(made))

    def answered(
        self, feature: str, moments: list[Moment], segments: Segments, *, sound: bool
    ) -> list[Classification]:
        """A question asked at moments: one classification for each different answer, with ranges.

        An answer holds until the next one of its segment. Raises `Refused`, whose pointer is a
        whole one.
        """
        told = [(m.time, self._answers.one(m.given, m.at)) for m in moments]
        ranges = segments.of(feature)
        by_answer: dict[tuple[str, Answer], list[tuple[int, int]]] = {}
        if not ranges:
            if sound:
                raise malformed(
                    moments[0].at, "segments that say how long the answer holds", feature
                )
            ranges = tuple((time, time + 1) for time, _ in told)
        times = [time for time, _ in told]
        for start, end in ranges:
            current = max(bisect_right(times, start) - 1, 0)
            at = start
            while at < end:
                following = told[current + 1][0] if current + 1 < len(told) else end
                until = max(at, min(following, end))
                asked = told[current][1]
                if until > at:
                    by_answer.setdefault((asked.name, asked.answer), []).append((at, until))
                at = until
                current += 1
                if current >= len(told):
                    break
        return [
            Classification(name, answer, _merged(spans))
            for (name, answer), spans in by_answer.items()
        ]


def _merged(spans: list[tuple[int, int]]) -> Ranges:
    merged: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return tuple(merged)


def _at(shown: list[Keyframe], listed_at: list[int], frame: int) -> Keyframe:
    """Where an object is in a frame that is not listed: on its way, or where it is nearest."""
    following = bisect_left(listed_at, frame)
    nearest = shown[max(following - 1, 0)]
    shape = nearest.shape
    if 0 < following < len(shown):
        shape = tracks.between(nearest, shown[following], frame)
    return Keyframe(frame, shape, nearest.classifications)


def _thinned(among: list[Keyframe], keys: frozenset[int] | None) -> Iterator[Keyframe]:
    """The first, the last, the key frames, and what is not on the straight way between them."""
    if keys is None or len(among) < 3:
        yield from among
        return
    latest = among[0]
    yield latest
    waiting: list[Keyframe] = []
    for keyframe in among[1:]:
        last = keyframe is among[-1]
        changed = keyframe.classifications != latest.classifications
        if last or changed or keyframe.frame in keys or isinstance(keyframe.shape, Mask):
            if all(_is_near(latest, keyframe, each) for each in waiting):
                waiting = []
            yield from waiting
            yield keyframe
            latest, waiting = keyframe, []
        else:
            waiting.append(keyframe)


def _is_near(before: Keyframe, after: Keyframe, given: Keyframe) -> bool:
    straight = tracks.between(before, after, given.frame)
    if tracks.form_of(straight) != tracks.form_of(given.shape):
        return straight == given.shape
    pairs = zip(tracks.numbers_of(straight), tracks.numbers_of(given.shape), strict=True)
    return all(abs(a - b) <= _NEAR for a, b in pairs)
