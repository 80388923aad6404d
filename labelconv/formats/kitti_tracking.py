"""KITTI tracking labels: a text file for each sequence, a line for each object and frame.

Columns (the devkit's readme, as TrackEval's docs/KITTI-format.txt repeats it): frame from 0, track
id, type, truncated 0 to 2, occluded 0 to 3, alpha, left top right bottom (from 0), height width
length, x y z, rotation_y, and the score of a result.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, Literal

import msgspec

from labelconv import codes
from labelconv.format import Evidence, Format, Holds, Reading
from labelconv.frames import MOST_FRAME, FrameMap
from labelconv.io import Peek, Source, skip_mark
from labelconv.model import (
    Annotation,
    Box,
    Classification,
    Dataset,
    Extra,
    Radio,
    Sample,
    Track,
    Video,
)
from labelconv.problems import Code, Where
from labelconv.sequencefiles import by_object, map_of, sequence_files

#: What a line says beside the box, by its column; and what stands there when it is not known.
_BESIDE = {
    "truncated": (3, -1.0),
    "occluded": (4, -1.0),
    "alpha": (5, -10.0),
    "height": (10, -1.0),
    "width": (11, -1.0),
    "length": (12, -1.0),
    "x": (13, -1000.0),
    "y": (14, -1000.0),
    "z": (15, -1000.0),
    "rotation_y": (16, -10.0),
}
_WORDS = {
    "occluded": ("fully visible", "partly occluded", "largely occluded", "unknown"),
    "truncated": ("no", "partly", "largely"),
}


class KittiTrackingReaderOptions(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True
):
    """Options of the KITTI tracking reader (`-O key=value`).

    - `dont_care`: regions of type DontCare, where nothing was labelled: `skip` or `keep` them.
    - `attributes`: `occluded` and `truncated` of each frame: kept as `extra` (where the target
      takes it), as an `answer` on keyframes, or `none`.
    - `gap`: frames of one track that are further apart than this are two segments.
    - `start`: the frame of the video, counted from 0, that is the first frame of the source.
    - `stride`: how many frames of the video one frame of the source stands for.
    - `fps`: instead of `stride`, the frame rates of source and video, such as `5:30`.
    """

    dont_care: Literal["skip", "keep"] = "skip"
    attributes: Literal["extra", "answer", "none"] = "extra"
    gap: int = 1
    start: int = 0
    stride: int = 1
    fps: str | None = None


class _Line(msgspec.Struct):
    """A line that can be used."""

    number: int
    frame: int
    id: int
    kind: str
    fields: list[float]


def read(source: Source, options: KittiTrackingReaderOptions, reading: Reading) -> Dataset:
    """The sequences of a file or folder. Raises `OptionError`, and `SourceError` for a folder
    without text files."""
    moved = map_of(options, "kitti-tracking")

    def sample(file: Source, key: str) -> Sample:
        reading.report.thinned = reading.wanted.tolerance is not None
        return _Sequence(file, key, options, moved, reading).sample()

    return sequence_files(source, reading, sample)


class _Sequence:
    """Reads one file."""

    def __init__(
        self,
        file: Source,
        key: str,
        options: KittiTrackingReaderOptions,
        moved: FrameMap,
        reading: Reading,
    ) -> None:
        self._file = file
        self._key = key
        self._options = options
        self._map = moved
        self._reading = reading
        self._report = reading.report
        extra = reading.wanted.extra
        self._extra = extra is None or "kitti-tracking" in extra

    def sample(self) -> Sample:
        report, key = self._report, self._key

        def object(line: _Line) -> tuple[tuple[int, int, str], str]:
            # What has no id is an object of its own.
            alone = line.number if line.id == -1 else 0
            return (line.id, alone, line.kind), f"id {line.id}"

        tracks = by_object(self._lines(), object, self._file, report)
        annotations = self._annotations(tracks, key)
        report.ledger.annotations.read += len(annotations)
        return Sample(
            key, self._map.video(), tuple(annotations), key_is_id=self._reading.keys.are_ids
        )

    # ------------------------------------------------------------------ lines

    def _lines(self) -> Iterator[tuple[_Line, bytes]]:
        """The lines that can be used, and as they stand in the file."""
        report = self._report
        with self._file.open() as file:
            if skip_mark(file, self._file.name):
                report.add(codes.ENCODING_MARK, Where(self._file.name))
            for number, text in enumerate(file, 1):
                words = text.split()
                if not words:
                    continue
                place = Where(self._file.name, number)
                found = _parsed(words, number)
                if isinstance(found, _Line):
                    if found.kind == "DontCare" and self._options.dont_care == "skip":
                        report.ledger.annotations.read += 1
                        report.ledger.annotations.skipped += 1
                        continue
                    yield found, text.rstrip(b"\r\n")
                else:
                    code, values = found
                    report.ledger.annotations.read += 1
                    report.reject(code, place, text.rstrip(b"\r\n"), "annotations", **values)

    # ------------------------------------------------------------------ tracks

    def _annotations(
        self, tracks: dict[tuple[int, int, str], dict[int, _Line]], key: str
    ) -> list[Annotation]:
        annotations = []
        taken: set[str] = set()
        for (number, alone, kind), frames in tracks.items():
            lines = [frames[frame] for frame in sorted(frames)]
            id = f"line {alone}" if alone else str(number)
            if id in taken:
                renamed = f"{id}/{kind}"
                where = Where(self._file.name, lines[0].number, sample=key)
                values = {"value": id, "renamed": renamed}
                self._report.add(codes.ANNOTATION_ID_DUPLICATE, where, **values)
                id = renamed
            taken.add(id)
            confidence, extra = self._beside(lines)
            track = self._track(lines, Where(sample=key, annotation=id))
            annotations.append(Annotation(id, kind, track, (), confidence, extra))
        return annotations

    def _track(self, lines: list[_Line], where: Where) -> Track:
        from labelconv.tracks import compress_measured, track_of

        tolerance = self._reading.wanted.tolerance
        answers = None
        if self._options.attributes == "answer":
            answers = [_answers(line) for line in lines]
        track = track_of(
            [self._map.of(line.frame) for line in lines],
            [Box(*line.fields[6:10]) for line in lines],
            answers,
            max_gap=self._options.gap * self._map.stride,
        )
        if tolerance is not None:
            track, done = compress_measured(track, tolerance)
            self._report.keyframes.add(done.before, done.after, done.drift, done.iou, where)
        return track

    def _beside(self, lines: list[_Line]) -> tuple[float | None, Extra]:
        """The confidence, if it is one for all frames, and what the model has no place for."""
        lists: dict[str, list[Any]] = {}
        for name, (column, unknown) in _BESIDE.items():
            if name in _WORDS and self._options.attributes == "answer":
                continue
            values = [line.fields[column] for line in lines]
            if all(value == unknown for value in values):
                continue
            if name in _WORDS and self._options.attributes == "none":
                self._report.field(f"kitti-tracking:{name}", len(lines))
            else:
                lists[name] = values
        scores = [line.fields[17] if len(line.fields) > 17 else None for line in lines]
        confidence = scores[0] if len(set(scores)) == 1 else None
        if len(set(scores)) > 1:
            lists["score"] = scores
        if self._extra:
            return confidence, {f"kitti-tracking:{name}": said for name, said in lists.items()}
        for name in lists:
            self._report.field(f"kitti-tracking:{name}", len(lines))
        return confidence, {}


def _parsed(words: list[bytes], number: int) -> _Line | tuple[Code, dict[str, object]]:
    """A line's columns, or what is wrong with them."""
    expected = "17 or 18 columns: frame, track id, type and numbers"
    if len(words) not in (17, 18):
        return codes.RECORD_MALFORMED, {"expected": expected, "found": f"{len(words)} columns"}
    try:
        frame, id = int(words[0]), int(words[1])
        kind = words[2].decode()
        # The column of the type stays in its place, as a number that nobody reads.
        fields = [float(frame), float(id), 0.0, *map(float, words[3:])]
    except (ValueError, UnicodeDecodeError, OverflowError) as error:
        return codes.RECORD_MALFORMED, {"expected": expected, "found": str(error)}
    left, top, right, bottom = fields[6:10]
    if not all(map(math.isfinite, fields)) or max(map(abs, fields)) > 1e150:
        return codes.NUMBER_NOT_FINITE, {"found": b" ".join(words).decode(errors="replace")}
    if right < left or bottom < top:
        return codes.BOX_IMPOSSIBLE, {"found": f"{right - left:g} × {bottom - top:g}"}
    if not 0 <= frame < MOST_FRAME:
        expected = f"a frame of 0 or more, below {MOST_FRAME},"
        return codes.RECORD_MALFORMED, {"expected": expected, "found": str(frame)}
    return _Line(number, frame, id, kind, fields)


def _answers(line: _Line) -> tuple[Classification, ...]:
    answers = []
    for name, words in _WORDS.items():
        value = line.fields[_BESIDE[name][0]]
        if value >= 0:
            known = value == int(value) and int(value) < len(words)
            answers.append(
                Classification(name, Radio(words[int(value)] if known else f"{value:g}"))
            )
    return tuple(answers)


def holds(options: object) -> tuple[Holds, ...]:
    """What is read: boxes over time, with answers about each frame."""
    return (
        Holds(
            media=Video, values=frozenset({Track}), keyframes=frozenset({Box}), classifications=1
        ),
    )


def sniff(peek: Peek) -> Evidence:
    """KITTI tracking by the columns of a line: the type is the third word."""
    text = peek.text
    if peek.is_folder:
        names = [name for name in peek.entries if name.endswith(".txt")]
        if not names:
            return Evidence(0, "a folder without .txt files")
        text = Source(f"{peek.name}/{names[0]}").peek().text
    words = text.split(b"\n", 1)[0].split()
    if len(words) in (17, 18) and words[2][:1].isalpha():
        if isinstance(_parsed(words, 1), _Line):
            return Evidence(3, "17 columns of KITTI tracking on the first line, the type third")
        return Evidence(1, "17 columns on the first line, the third a word")
    return Evidence(0, "no line of 17 columns with the type third")


FORMAT = Format(
    name="kitti-tracking",
    about="KITTI tracking: a text file for each sequence",
    url="https://www.cvlibs.net/datasets/kitti/eval_tracking.php",
    holds=holds,
    read=read,
    reader_options=KittiTrackingReaderOptions,
    sniff=sniff,
)
