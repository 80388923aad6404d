"""Text files of which each is a sequence, with a line for each object and frame."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator
from typing import Protocol, TypeVar

from labelconv import codes
from labelconv.errors import OptionError
from labelconv.format import Reading
from labelconv.frames import FrameMap, frame_map
from labelconv.io import Source, files
from labelconv.model import Dataset, Sample, Samples
from labelconv.problems import Report, Where


class Placed(Protocol):
    """Options that place frames."""

    @property
    def gap(self) -> int: ...
    @property
    def start(self) -> int: ...
    @property
    def stride(self) -> int: ...
    @property
    def fps(self) -> str | None: ...


class Line(Protocol):
    """A line about an object in a frame; `number` is its own in the file."""

    @property
    def number(self) -> int: ...
    @property
    def frame(self) -> int: ...


L = TypeVar("L", bound=Line)
K = TypeVar("K", bound=Hashable)


def map_of(options: Placed, format: str) -> FrameMap:
    """How frames are placed. Raises `OptionError`, for a gap that is none as well."""
    if options.gap < 1:
        raise OptionError(f"gap of 1 or more expected for {format}, {options.gap} found")
    return frame_map(options.start, options.stride, options.fps, format)


def sequence_files(
    source: Source, reading: Reading, sample: Callable[[Source, str], Sample]
) -> Dataset:
    """A sample for each text file, made by `sample` from the file and its key.

    Raises `SourceError` for a folder without text files.
    """
    found = files(source, (".txt",))

    def samples() -> Iterator[Sample]:
        reading.keys.restart()
        for name, file in found:
            stem = name.removesuffix(".gz").removesuffix(".txt")
            short = stem if source.is_folder else stem.replace("\\", "/").rpartition("/")[2]
            reading.report.ledger.samples.read += 1
            key, problem = reading.keys.key(short, short, {})
            if key is not None:
                yield sample(file, key)
            elif problem is not None:
                code, values = problem
                place = Where(file.name)
                reading.report.reject(code, place, short.encode(), "samples", **values)

    return Samples(samples)


def by_object(
    lines: Iterable[tuple[L, bytes]],
    object: Callable[[L], tuple[K, str]],
    file: Source,
    report: Report,
) -> dict[K, dict[int, L]]:
    """Lines by object and frame. `object` gives an object's key and its name for messages; a
    second line about a frame of it is rejected, as the bytes beside it."""
    found: dict[K, dict[int, L]] = {}
    for line, text in lines:
        key, name = object(line)
        frames = found.setdefault(key, {})
        first = frames.setdefault(line.frame, line)
        if first is not line:
            report.ledger.annotations.read += 1
            report.reject(
                codes.ID_DUPLICATE,
                Where(file.name, line.number),
                text,
                field="frame",
                value=f"{line.frame} of {name}",
                first=f"line {first.number}",
            )
    return found
