"""Read → passes → fit → write, whole or not at all. The functions behind the command line."""

from __future__ import annotations

import contextlib
import gc
import itertools
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from labelconv import codes, registry
from labelconv.accounting import accounted
from labelconv.errors import (
    LabelconvError,
    LossError,
    OptionError,
    StrictError,
    TargetError,
)
from labelconv.explain import granted
from labelconv.fit import fit
from labelconv.format import Format, Reading, Wanted
from labelconv.io import Source, Target, publishing, write_beside
from labelconv.jobs import Crew
from labelconv.keys import Keys
from labelconv.media import MediaFiles, MediaOptions, with_sizes
from labelconv.model import Dataset, Image, Sample, Samples, TiledImage, Video
from labelconv.options import build
from labelconv.passes import Pass, read_names, rename_categories
from labelconv.problems import Report, StopAtFirstError, Where
from labelconv.several import chain, matching
from labelconv.teamwork import crew_for, write_shared

if TYPE_CHECKING:
    from labelconv.texts import TextFiles

Path_ = str | os.PathLike[str]
#: Told which sources are being read; `Source.position` says how far.
Watch = Callable[[Sequence[Source]], None]


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
    sources = _opened(source)
    files, options = media_files(media, options)

    def again(counted: Report, wanted: Wanted) -> Dataset:
        return read_sources(sources, format, options, key, keys, counted, wanted, files)

    return ReadDataset(sources, report, again)


def write(
    dataset: Dataset,
    target: Path_,
    format: str | None = None,
    *,
    options: Mapping[str, Any] | None = None,
    allow: Iterable[str] = (),
    min_iou: float | None = None,
    report: Report | None = None,
) -> Report:
    """Write a dataset to a file or folder that appears whole or not at all.

    Raises `LossError` (nothing is written) when something would be lost that `allow` does not
    cover: codes (`L402`), names (`shape-lowered`), `L4` or `loss`.

    What comes straight from `read` is read anew for this target, into the report of this writing,
    so that it says what became of everything in the source; bad records are written, verbatim, to
    `<target>.rejected.ndjson`. Any other dataset is accounted for by what it yields (see
    `labelconv.accounting`).
    """
    report = Report() if report is None else report
    chosen = _writer(os.fspath(target), format)
    settings = build(chosen.writer_options, options, chosen.name)
    _in_range(min_iou)
    allowed = granted(allow)
    sources: list[Source] = []
    with _stopping(report):
        if isinstance(dataset, ReadDataset):
            sources = dataset.sources
            look = dataset.again(Report(), Wanted(pieces=True, extra=frozenset()))
            settings = _settled(chosen, settings, look, report)
            dataset = dataset.again(report, _wanted(chosen, settings))
        else:
            settings = _settled(chosen, settings, dataset, report)
        given = accounted(dataset, report)
        _run(given, chosen, settings, os.fspath(target), sources, report, allowed, min_iou)
    return report


def convert(
    source: Path_ | Source,
    target: Path_,
    *,
    from_: str | None = None,
    to: str | None = None,
    reader_options: Mapping[str, Any] | None = None,
    writer_options: Mapping[str, Any] | None = None,
    key: str | None = None,
    keys: Path_ | None = None,
    ontology: Path_ | None = None,
    rename: Path_ | Mapping[str, str] | None = None,
    ignore_case: bool = False,
    media: Path_ | None = None,
    media_out: Path_ | None = None,
    crs: str | None = None,
    chips: str | None = None,
    smallest: float = 0.0,
    video: Mapping[str, Any] | None = None,
    passes: Sequence[Pass] = (),
    allow: Iterable[str] = (),
    min_iou: float | None = None,
    strict: bool = False,
    dry_run: bool = False,
    jobs: int | None = None,
    report: Report | None = None,
    watch: Watch | None = None,
) -> Report:
    """Convert `source` to `target` and account for every annotation.

    `ontology` is the file that the writer checks names against (`OptionError` where it checks
    none), `media` the folder where reader and writer find media files and their sizes, or, for
    writers that take one, the start of a URL.
    `rename` maps categories to new names, or names a file that does; with `ignore_case`, old names
    are compared without regard to case (see `labelconv.passes`).

    `jobs` is how many processes may work on a large source; without it, as many as help where that
    is certain to be safe (`labelconv.jobs`). What is written and reported does not depend on it.

    `crs` is where the coordinates of maps are moved (`EPSG:32616`, WKT, a PROJ string), or `pixel`
    or `image` for the pixels of their rasters, which are found in `media`; likewise for pictures
    that rasters in `media` place on the map (see `labelconv.reproject`).

    `media_out` is a new or empty folder into which the texts and conversations of the source are
    written as files to upload (see `labelconv.texts`): offsets belong to these, character by
    character.

    `chips` cuts samples to windows: of a size (`512x512`, in pixels or units of the CRS), or those
    of the GeoTIFFs in a folder; cut pieces below the area `smallest` are left out (see
    `labelconv.chips`).

    With `video`, pictures that are frames become videos; its entries say how (see
    `labelconv.clips.VideoOptions`).

    Bad records are left out and written, verbatim, to `<target>.rejected.ndjson`. Raises
    `LossError` when something would be lost that is not allowed, `StrictError` at the first error
    when `strict`; nothing is written then. With `dry_run` everything but writing is done.
    """
    report = Report() if report is None else report
    report.strict = report.strict or strict
    _in_range(min_iou)
    if jobs is not None and jobs < 0:
        raise OptionError(f"a number of processes expected, 0 for as many as help; {jobs} found")
    allowed = granted(allow)
    sources = _opened(source)
    if watch is not None:
        watch(sources)
    writer = _writer(os.fspath(target), to)
    given = _with(writer_options, "ontology", ontology, writer.name, writer.writer_options)
    if media is not None and "media" in writer.writer_options.__struct_fields__:
        given = {"media": os.fspath(media), **(given or {})}
    settings = build(writer.writer_options, given, writer.name)
    changes = [*passes]
    if rename is not None:
        names = rename if isinstance(rename, Mapping) else read_names(rename)
        changes.insert(0, rename_categories(names, ignore_case=ignore_case))
    if video is not None:
        from labelconv.clips import VideoOptions, as_videos, clips_of

        changes.append(as_videos(clips_of(build(VideoOptions, video, "-V"))))
    files, reader_options = media_files(media, reader_options)
    if chips is not None:
        changes.append(_to_chips(chips, smallest))
    if crs is not None:
        changes.append(_to_crs(crs, files))
    with _stopping(report), _texts_beside(media_out, sources, dry_run=dry_run) as texts:
        if writer.settle is not None:
            some = Wanted(pieces=True, extra=frozenset())
            look = read_sources(sources, from_, reader_options, key, keys, Report(), some, files)
            settings = _settled(writer, settings, look, report)
        wanted = _wanted(writer, settings)
        if chips is not None:  # a sample is cut whole
            wanted = msgspec.structs.replace(wanted, pieces=False)
        if video is not None:  # track ids are among what the source says beside
            wanted = msgspec.structs.replace(wanted, pieces=False, extra=None)
        # What is said or written at their end needs all samples.
        alone = bool(changes) or media is not None or texts is not None
        crew = None if alone else crew_for(jobs, sources, writer, settings, report)
        dataset = read_sources(
            sources, from_, reader_options, key, keys, report, wanted, files, crew
        )
        if media is not None and "media" not in writer.writer_options.__struct_fields__:
            dataset = _told_unused(dataset, files, report)
        for change in changes:
            dataset = change(dataset, report)
        if texts is not None:
            dataset = texts.passing(dataset, report)
        _run(
            dataset,
            writer,
            settings,
            os.fspath(target),
            sources,
            report,
            allowed,
            min_iou,
            dry_run=dry_run,
            crew=crew,
        )
    return report


@contextlib.contextmanager
def _texts_beside(
    folder: Path_ | None, sources: list[Source], *, dry_run: bool
) -> Iterator[TextFiles | None]:
    """What writes texts into a folder, which appears when all went well; None without a folder."""
    if folder is None:
        yield None
        return
    from labelconv.texts import TextFiles

    with publishing(folder, folder=True, sources=sources) as opened:
        yield TextFiles(opened.part)
        if not dry_run:
            opened.publish()


def _to_chips(chips: str, smallest: float) -> Pass:
    """The pass that cuts samples to a grid of windows or to the rasters of a folder."""
    from labelconv import chips as cutting
    from labelconv.crs.rasters import Rasters

    size = cutting.parse_size(chips)
    return cutting.chips(Rasters(chips) if size is None else size, smallest=smallest)


def _to_crs(crs: str, files: MediaFiles) -> Pass:
    """The pass that moves samples to a CRS; rasters are looked for among the media files."""
    from labelconv.crs.rasters import Rasters
    from labelconv.reproject import reproject

    rasters = None if files.folder is None else Rasters(files.folder)
    files.asked = files.asked or rasters is not None
    return reproject(crs, rasters=rasters)


def _opened(source: Path_ | Source) -> list[Source]:
    if isinstance(source, Source):
        return [source]
    return [Source(name) for name in matching(source)]


def _in_range(min_iou: float | None) -> None:
    if min_iou is not None and not 0 <= min_iou <= 1:
        raise OptionError(f"an IoU from 0 to 1 expected as the lowest allowed, {min_iou} found")


def _with(
    options: Mapping[str, Any] | None, name: str, value: object, format: str, kind: type[Any]
) -> Mapping[str, Any] | None:
    """The options with one more, which the format must have. Raises `OptionError`."""
    if value is None:
        return options
    if name not in kind.__struct_fields__:
        raise OptionError(f"{format} takes no {name}; leave --{name} away")
    if name in (options or {}):
        raise OptionError(f"{name} is given twice, by itself and among the options of {format}")
    return {**(options or {}), name: os.fspath(value) if isinstance(value, os.PathLike) else value}


@contextlib.contextmanager
def _stopping(report: Report) -> Iterator[None]:
    """Turn the first error of a strict run into `StrictError`."""
    try:
        yield
    except StopAtFirstError as stop:
        raise StrictError(
            f"stopped at the first error, since strict was asked for; nothing was written.\n"
            f"{stop.problem}",
            report,
        ) from None


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


def _writer(target: str, name: str | None) -> Format:
    chosen = registry.by_target(target) if name is None else registry.get(name)
    if chosen.write is None:
        raise OptionError(f"the format {chosen.name!r} can only be read")
    return chosen


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
    if len(datasets) == 1:
        return datasets[0]
    return chain(datasets, [source.name for source in sources], report)


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
    if not reading.media.given:
        return dataset
    return Samples(
        lambda: with_sizes(dataset, reading.media), lambda: dataset.ontology, dataset.info
    )


#: Samples that a writer looks at to settle its options.
LOOKED_AT = 1_000


def _settled(writer: Format, settings: Any, samples: Dataset, report: Report) -> Any:
    """The writer's options with nothing left to be found out."""
    if writer.settle is None:
        return settings
    settled, evidence = writer.settle(settings, itertools.islice(samples, LOOKED_AT))
    for sentence in evidence:
        what, _, seen = sentence.partition(": ")
        report.add(codes.CONVENTION_GUESSED, what=what, evidence=seen)
    return settled


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


def _told_unused(dataset: Dataset, files: MediaFiles, report: Report) -> Dataset:
    """The dataset; a note at its end when nothing asked for media files."""

    def samples() -> Iterator[Sample]:
        yield from dataset
        if not files.asked:
            report.add(codes.MEDIA_UNUSED)

    return Samples(samples, lambda: dataset.ontology, dataset.info)


def _wanted(writer: Format, settings: Any) -> Wanted:
    """What this writer makes use of."""
    held = writer.holds(settings)
    extra: frozenset[str] | None = frozenset()
    if any(holds.extra == "all" for holds in held):
        extra = None
    elif any(holds.extra == "own" for holds in held):
        extra = frozenset({writer.name})
    pictures = [holds for holds in held if holds.media is Image] or [
        holds for holds in held if holds.media is TiledImage
    ]
    videos = [holds for holds in held if holds.media is Video]
    return Wanted(
        pieces=any(holds.pieces for holds in pictures),
        extra=extra,
        tolerance=videos[0].tracks.tolerance if videos else None,
    )


def _run(
    dataset: Dataset,
    writer: Format,
    settings: Any,
    target: str,
    sources: list[Source],
    report: Report,
    allow: tuple[str, ...],
    min_iou: float | None,
    *,
    dry_run: bool = False,
    crew: Crew | None = None,
) -> None:
    assert writer.write is not None  # for mypy; _writer saw to it
    folder = writer.folder(settings)
    with quiet_collector(), publishing(target, folder=folder, sources=sources) as opened:
        if crew is None:
            fitted = fit(dataset, writer, settings, report, min_iou=min_iou)
            writer.write(fitted, opened.part, settings, report)
        else:
            write_shared(dataset, writer, settings, opened.part, report, min_iou, crew)
        _finish(report)
        refused = report.refused(allow)
        if refused:
            raise LossError(_refusal(refused, report), report)
        if not dry_run:
            _publish(opened, target, report)


@contextlib.contextmanager
def quiet_collector() -> Iterator[None]:
    """Let the garbage collector look less often while values stream by.

    Frozen values have no cycles, so its passes find nothing, yet would cost a tenth of the time.
    """
    before = gc.get_threshold()
    gc.set_threshold(50_000, 20, 100)
    try:
        yield
    finally:
        gc.set_threshold(*before)


def _finish(report: Report) -> None:
    for name, count in sorted(report.fields.items()):
        report.add(codes.FIELD_LEFT_OUT, name=name, count=count)
    keyframes = report.keyframes
    if keyframes.after < keyframes.before:
        iou = "" if keyframes.iou is None else f", and has an IoU of {keyframes.iou:.4f} or more"
        report.add(
            codes.TRACK_THINNED,
            keyframes.drift_where or Where(),
            tracks=keyframes.tracks,
            before=keyframes.before,
            after=keyframes.after,
            worst=keyframes.drift,
            iou=iou,
        )
    if not report.ledger.balanced:
        rows = "; ".join(
            f"{name} {msgspec.to_builtins(account)}"
            for name, account in report.ledger.rows()
            if not account.balanced
        )
        raise LabelconvError(f"the ledger does not balance, which is a fault of labelconv: {rows}")


def _publish(opened: Target, target: str, report: Report) -> None:
    rejected = report.take_rejected()
    opened.publish()
    if target == "-":
        return
    beside = rejected_path(target)
    if rejected:
        write_beside(beside, b"".join(record.as_line() for record in rejected))
    else:
        beside.unlink(missing_ok=True)  # of an earlier run; it would be wrong now


def rejected_path(target: Path_) -> Path:
    """Where the records go that could not be used: beside the target."""
    return Path(f"{os.fspath(target).rstrip('/')}.rejected.ndjson")


def write_report(report: Report, path: Path_, *, beside: Iterable[Path_] = ()) -> None:
    """Write the report as JSON, whole or not at all.

    Raises `TargetError` when `path` is one of `beside`, the source and the target of the run.
    """
    refuse_report(path, beside)
    data = msgspec.json.format(msgspec.json.encode(report.as_dict()), indent=1)
    write_beside(Path(path), data + b"\n")


def refuse_report(path: Path_, beside: Iterable[Path_]) -> None:
    """Raise `TargetError` when a report there would take the place of another file of the run."""
    wanted = Path(path)
    if wanted.is_dir():
        raise TargetError(f"{wanted}: a file expected for the report, a folder found")
    if not wanted.parent.is_dir():
        raise TargetError(f"{wanted}: its folder {str(wanted.parent)!r} does not exist")
    for other in map(Path, beside):
        if wanted.resolve() == other.resolve() or (
            wanted.exists() and other.exists() and wanted.samefile(other)
        ):
            raise TargetError(
                f"{wanted}: a file of its own expected, {str(other)!r} is the source or the target"
            )


def _refusal(refused: dict[str, int], report: Report) -> str:
    listed = "\n".join(
        f"  {id} {report.code(id).name}: {count}×  (accept with --allow {id})"
        for id, count in refused.items()
    )
    return (
        f"nothing was written, since something would be lost that was not allowed:\n{listed}\n"
        f"  accept all of it with --allow loss; `labelconv explain CODE` says how to avoid it"
    )


__all__ = [
    "ReadDataset",
    "convert",
    "read",
    "refuse_report",
    "rejected_path",
    "write",
    "write_report",
]
