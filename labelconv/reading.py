"""What is in a source: its format found out, its options read, several sources as one dataset."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from labelconv import registry
from labelconv.errors import OptionError
from labelconv.format import Format, Reading, Wanted
from labelconv.io import Source
from labelconv.jobs import Crew
from labelconv.keys import Keys
from labelconv.media import MediaFiles, MediaOptions, with_sizes
from labelconv.model import Dataset, Sample, Samples
from labelconv.options import build
from labelconv.problems import Report
from labelconv.several import chain, matching
from labelconv.videofiles import with_videos

Path_ = str | os.PathLike[str]


class ReadDataset(Samples):
    """A dataset straight from a source, and the report that its reader counts into.

    `report` accounts for one iteration: iterated twice, everything is counted twice.
    """

    def __init__(
        self, sources: list[Source], report: Report, again: Callable[[Report, Wanted], Dataset]
    ) -> None:
        self.sources = sources
        self.report = report
        self.again = again
        dataset = again(report, Wanted())
        super().__init__(dataset.__iter__, lambda: dataset.ontology, dataset.info)


def read(
    source: Path_,
    format: str | None = None,
    *,
    options: Mapping[str, Any] | None = None,
    key: str | None = None,
    keys: Path_ | None = None,
    media: Path_ | None = None,
    report: Report | None = None,
) -> ReadDataset:
    """The dataset in `source`, which may be iterated again and again.

    A glob that matches several files gives one dataset, in natural order (`labelconv.several`).
    `format` is found out from the content when it is not given. `options` are the reader's
    (`labelconv formats NAME` lists them). `key` is a template and `keys` a CSV file for the keys
    of samples (see `labelconv.keys`), `media` the folder of the media files, for sizes that the
    source does not say (see `labelconv.media`). Problems and counts go into `report`, which the
    dataset has as its `report`; one report accounts for one iteration.

    Raises `SourceError`, `UnknownFormatError` or `OptionError`; bad records never raise.
    """
    report = Report() if report is None else report
    sources = opened(source)
    files, options = media_files(media, options)

    def again(counted: Report, wanted: Wanted) -> Dataset:
        return read_sources(sources, format, options, key, keys, counted, wanted, files)

    return ReadDataset(sources, report, again)


def read_sources(
    sources: Sequence[Source],
    format: str | None,
    options: Mapping[str, Any] | None,
    key: str | None,
    keys: Path_ | None,
    report: Report,
    wanted: Wanted,
    files: MediaFiles | None = None,
    crew: Crew | None = None,
) -> Dataset:
    """The samples of one or several sources, as `read` gives them, for a consumer that `wanted`.

    `files` finds media; without it, those options of readers that are about media make one.
    """
    if files is None:
        files, options = media_files(None, options)
    datasets: list[Dataset] = []
    table = None if keys is None else Path(keys)
    reader = _reader(sources[0], format, report)
    assert reader.read is not None  # for mypy; _reader saw to it
    settings = build(reader.reader_options, options, reader.name)
    for source in sources:
        if format is None and source is not sources[0]:
            _same_format(source, sources[0], reader)
        # Keys of its own for each: a reader forgets them when it starts again.
        given = Keys(template=key, table=table)
        reading = Reading(report=report, keys=given, wanted=wanted, media=files, crew=crew)
        datasets.append(_read_one(reader, source, settings, reading))
    names = [source.name for source in sources]
    dataset = datasets[0] if len(datasets) == 1 else chain(datasets, names, report)
    # Of those formats that have frames, where there are files to ask.
    by_rate = getattr(settings, "fps", None) is not None and files.folder is not None

    def samples() -> Iterator[Sample]:
        sized = with_sizes(dataset, files, report)
        return with_videos(sized, files, report, by_rate=by_rate)

    return Samples(samples, lambda: dataset.ontology, dataset.info)


def _read_one(reader: Format, source: Source, settings: Any, reading: Reading) -> Dataset:
    """What is read from one source; where the reader knows no ontology, a pass of its own does."""
    read = reader.read
    assert read is not None  # for mypy; _reader saw to it
    dataset = read(source, settings, reading)

    def apart() -> Iterator[Sample]:
        wanted = Wanted(pieces=reading.wanted.pieces, extra=frozenset())
        alone = Reading(report=Report(), keys=Keys(), wanted=wanted, media=reading.media)
        return iter(read(source, settings, alone))

    if isinstance(dataset, Samples):
        dataset.find_ontology_in(apart)
    return dataset


def _reader(source: Source, name: str | None, report: Report) -> Format:
    if name is None:
        chosen, evidence = registry.sniff(source)
        report.evidence.extend(evidence)
    else:
        chosen = registry.get(name)
    if chosen.read is None:
        raise OptionError(f"the format {chosen.name!r} can only be written")
    return chosen


def _same_format(source: Source, first: Source, reader: Format) -> None:
    """Raise `OptionError` when a file is of another format than the first one."""
    found, evidence = registry.sniff(source)
    if found.name != reader.name:
        raise OptionError(
            f"{source.name}: {reader.name} expected, as {first.name} is; {evidence[0]}. "
            f"Convert them apart, or name the format with --from"
        )


def opened(source: Path_ | Source) -> list[Source]:
    """The sources of this name, of which a glob has several."""
    if isinstance(source, Source):
        return [source]
    return [Source(name) for name in matching(source)]


def media_files(
    media: Path_ | None, options: Mapping[str, Any] | None
) -> tuple[MediaFiles, dict[str, Any]]:
    """What finds media files in a folder, and reader options without those that are about it.

    A URL is no folder: it is for writers that take one.
    """
    given = dict(options or {})
    about = {name: given.pop(name) for name in MediaOptions.__struct_fields__ if name in given}
    folder = None if media is None or "://" in os.fspath(media) else media
    return MediaFiles(folder, build(MediaOptions, about, "every reader")), given
