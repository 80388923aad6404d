"""Frames of videos in export v1: NDJSON behind an address, a frame a line, as v2 has them.

A frame is listed for each object that is to be seen in it, `keyframe` or not, so that runs of
frames are the segments of an object. (The members of a line are those that the SDK's reader of
v1, gone since 6.0.0, asked for.)
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import msgspec

from labelconv.formats.labelbox_export.addressed import Addressed, is_address, path_of
from labelconv.formats.labelbox_export.faults import Refused, malformed, record, whole
from labelconv.formats.labelbox_export.timed import track_id

_ANY: msgspec.json.Decoder[Any] = msgspec.json.Decoder()
#: (place, fault, part) of what cannot be used.
Fault = tuple[str, Refused, Any]


def fetched_frames(
    said: dict[str, Any], at: str, label: str | None, addressed: Addressed
) -> tuple[dict[str, Any], list[Fault]]:
    """What a label says, with the frames in the place of their address. Raises `Refused`.

    A file in the folder of media may be called by the label's id, or as its address ends.
    """
    place, address = f"{at}/frames", said["frames"]
    if not is_address(address):
        raise malformed(place, "frames by their number, or their address", address)
    names = [f"{label}.ndjson"] if label is not None else []
    last = path_of(address).rpartition("/")[2]
    if last.endswith((".ndjson", ".json")):
        names.append(last)
    data = addressed.data(address, place, names, ".ndjson", _is_whole, each_pass=True)
    frames: dict[str, Any] = {}
    faults: list[Fault] = []
    for number, raw in enumerate(data.splitlines(), 1):
        if not raw.strip():
            continue
        frame: Any = raw.decode("utf-8", "replace")
        try:
            try:
                frame = _ANY.decode(raw)
            except (msgspec.DecodeError, UnicodeDecodeError):
                raise malformed(f"{place}/{number}", "a JSON record", frame) from None
            given = record(frame, f"{place}/{number}", "a frame")
            key = str(whole(given.get("frameNumber"), f"{place}/{number}/frameNumber", 0))
            if key in frames:
                raise malformed(f"{place}/{number}/frameNumber", "one record for a frame", key)
        except Refused as fault:
            faults.append((f"{place}/{number}", fault, frame))
            continue
        frames[key] = {name: each for name, each in given.items() if name != "frameNumber"}
    seen, keys = _seen(frames)
    segments = {feature: _runs(sorted(numbers)) for feature, numbers in seen.items()}
    found = {"frames": frames, "segments": segments, "key_frame_feature_map": keys}
    return {**said, **found}, faults


def _is_whole(data: bytes) -> bool:
    """Whether it is what was asked for, and no page that says why not."""
    try:
        return all(isinstance(_ANY.decode(line), dict) for line in data.splitlines() if line)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return False


def _seen(frames: dict[str, Any]) -> tuple[dict[str, list[int]], dict[str, list[int]]]:
    """The frames of each object, and its key frames where they are told."""
    seen: dict[str, list[int]] = defaultdict(list)
    keys: dict[str, list[int]] = {}
    for key, frame in frames.items():
        for n, each in _objects(frame):
            feature = track_id(each, n)
            seen[feature].append(int(key))
            if "keyframe" in each:
                told = keys.setdefault(feature, [])
                if each["keyframe"] is True:
                    told.append(int(key))
    return seen, keys


def _objects(frame: dict[str, Any]) -> Iterator[tuple[int, dict[str, Any]]]:
    objects = frame.get("objects")
    for n, each in enumerate(objects if isinstance(objects, list) else ()):
        if isinstance(each, dict):
            yield n, each


def _runs(numbers: list[int]) -> list[list[int]]:
    """The first and the last of each run of consecutive numbers."""
    ends = [n for n, after in pairwise(numbers) if after > n + 1]
    starts = [after for n, after in pairwise(numbers) if after > n + 1]
    return [list(run) for run in zip((numbers[0], *starts), (*ends, numbers[-1]), strict=True)]
