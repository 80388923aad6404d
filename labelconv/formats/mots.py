"""MOTS: masks of tracks, a line for each object and frame, a text file for each sequence.

Columns (vision.rwth-aachen.de/page/mots, as TrackEval's docs/MOTS-format.txt repeats it): frame,
object id, class, height, width, and the run lengths as COCO's text. An object id is class × 1000 +
instance, and 10000 marks regions to ignore.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import msgspec

from labelconv import codes, masks
from labelconv.format import Evidence, Format, Holds, Reading
from labelconv.frames import MOST_FRAME, FrameMap
from labelconv.io import Peek, Source, skip_mark
from labelconv.model import (
    Annotation,
    Dataset,
    Mask,
    Sample,
    Track,
    Video,
)
from labelconv.problems import Code, Where
from labelconv.sequencefiles import by_object, map_of, sequence_files
from labelconv.tracks import track_of

#: The object id of a region to ignore, and its class.
_IGNORED, _IGNORED_CLASS = 10_000, 10
_NAMES = {1: "car", 2: "pedestrian"}


class MotsReaderOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Options of the MOTS reader (`-O key=value`).

    - `first`: the number of the first frame: `one` in MOTSChallenge, `zero` in KITTI MOTS; `auto`
      takes a file with a frame 0 for KITTI's and says what it took it for.
    - `gap`: frames of one track that are further apart than this are two segments.
    - `start`: the frame of the video, counted from 0, that is the first frame of the source.
    - `stride`: how many frames of the video one frame of the source stands for.
    - `fps`: instead of `stride`, the frame rates of source and video, such as `5:30`.
    """

    first: Literal["auto", "one", "zero"] = "auto"
    gap: int = 1
    start: int = 0
    stride: int = 1
    fps: str | None = None


class _Line(msgspec.Struct):
    number: int
    frame: int
    id: int
    kind: int
    mask: Mask


_Trouble = tuple[Code, dict[str, object]]


def read(source: Source, options: MotsReaderOptions, reading: Reading) -> Dataset:
    """The sequences of a file or folder. Raises `OptionError`, and `SourceError` for a folder
    without text files."""
    moved = map_of(options, "mots")

    def sample(file: Source, key: str) -> Sample:
        return _sample(file, key, options, moved, reading)

    return sequence_files(source, reading, sample)


def _sample(
    file: Source, key: str, options: MotsReaderOptions, moved: FrameMap, reading: Reading
) -> Sample:
    report = reading.report

    def object(line: _Line) -> tuple[tuple[int, int], str]:
        return (line.id, line.kind), f"object {line.id}"

    least = int(options.first == "one")
    tracks = by_object(_lines(file, least, reading), object, file, report)
    first = _first(tracks, options, file, reading)
    annotations = []
    taken: set[str] = set()
    for (number, kind), frames in tracks.items():
        lines = [frames[frame] for frame in sorted(frames)]
        shown = [moved.of(line.frame - first) for line in lines]
        shapes = [line.mask for line in lines]
        id = str(number)
        if id in taken:  # of another class
            renamed = f"{id}/{kind}"
            where = Where(file.name, lines[0].number, sample=key)
            report.add(codes.ANNOTATION_ID_DUPLICATE, where, value=id, renamed=renamed)
            id = renamed
        taken.add(id)
        track = track_of(shown, shapes, max_gap=options.gap * moved.stride)
        annotations.append(Annotation(id, _NAMES.get(kind, f"class {kind}"), track))
    report.ledger.annotations.read += len(annotations)
    sizes = [line.mask.size for frames in tracks.values() for line in frames.values()]
    media = moved.video(*((float(sizes[0][1]), float(sizes[0][0])) if sizes else ()))
    return Sample(key, media, tuple(annotations), key_is_id=reading.keys.are_ids)


def _first(
    tracks: dict[tuple[int, int], dict[int, _Line]],
    options: MotsReaderOptions,
    file: Source,
    reading: Reading,
) -> int:
    """The number of the first frame of the source."""
    if options.first != "auto" or not tracks:
        return int(options.first != "zero")
    least = min(min(frames) for frames in tracks.values())
    evidence = f"the lowest frame of {file.name} is {least}"
    what = "frames count from 0, as in KITTI" if least == 0 else "frames count from 1"
    reading.report.add(codes.CONVENTION_GUESSED, Where(file.name), what=what, evidence=evidence)
    return int(least > 0)


def _lines(file: Source, least: int, reading: Reading) -> Iterator[tuple[_Line, bytes]]:
    """The lines that can be used, of frames from `least` on, and as they stand in the file."""
    report = reading.report
    size: tuple[int, int] | None = None
    with file.open() as opened:
        if skip_mark(opened, file.name):
            report.add(codes.ENCODING_MARK, Where(file.name))
        for number, text in enumerate(opened, 1):
            words = text.split()
            if not words:
                continue
            found = _parsed(words, number)
            if isinstance(found, _Line) and not least <= found.frame < MOST_FRAME:
                expected = f"a frame of {least} or more, below {MOST_FRAME},"
                found = codes.RECORD_MALFORMED, {"expected": expected, "found": found.frame}
            if isinstance(found, _Line) and found.mask.size != (size or found.mask.size):
                found = codes.MASK_SIZE_MISMATCH, {"expected": size, "found": found.mask.size}
            if isinstance(found, _Line):
                if found.id == _IGNORED or found.kind == _IGNORED_CLASS:
                    report.ledger.annotations.read += 1
                    report.ledger.annotations.skipped += 1
                    continue
                size = found.mask.size
                yield found, text.rstrip(b"\r\n")
                continue
            code, values = found
            report.ledger.annotations.read += 1
            where = Where(file.name, number)
            report.reject(code, where, text.rstrip(b"\r\n"), "annotations", **values)


def _parsed(words: list[bytes], number: int) -> _Line | _Trouble:
    """A line's columns, or what is wrong with them."""
    expected = "frame, id, class, height, width and run lengths"
    if len(words) != 6:
        return codes.RECORD_MALFORMED, {"expected": expected, "found": f"{len(words)} columns"}
    try:
        frame, id, kind, height, width = map(int, words[:5])
    except ValueError as error:
        return codes.RECORD_MALFORMED, {"expected": expected, "found": str(error)}
    if min(frame, id, kind, height, width) < 0:
        found = b" ".join(words[:5]).decode()
        return codes.RECORD_MALFORMED, {"expected": "numbers of 0 or more", "found": found}
    try:
        mask = masks.from_text((height, width), words[5])
    except masks.MaskError as error:
        return codes.MASK_MALFORMED, {"height": height, "width": width, "found": str(error)}
    return _Line(number, frame, id, kind, mask)


def holds(options: object) -> tuple[Holds, ...]:
    """What is read: masks over time."""
    return (Holds(media=Video, values=frozenset({Track}), keyframes=frozenset({Mask})),)


def sniff(peek: Peek) -> Evidence:
    """MOTS by a line of five whole numbers and run lengths."""
    text = peek.text
    if peek.is_folder:
        names = [name for name in peek.entries if name.endswith(".txt")]
        if not names:
            return Evidence(0, "a folder without .txt files")
        text = Source(f"{peek.name}/{names[0]}").peek().text
    words = text.split(b"\n", 1)[0].split()
    if len(words) == 6 and b"\t" not in text[:200] and isinstance(_parsed(words, 1), _Line):
        return Evidence(3, "five whole numbers and run lengths of a mask on the first line")
    return Evidence(0, "no line of five whole numbers and run lengths")


FORMAT = Format(
    name="mots",
    about="MOTS: masks of tracks, of MOTSChallenge and KITTI",
    url="https://www.vision.rwth-aachen.de/page/mots",
    holds=holds,
    read=read,
    reader_options=MotsReaderOptions,
    sniff=sniff,
)
