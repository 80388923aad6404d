"""Read → passes → fit → write, whole or not at all. The functions behind the command line."""

from __future__ import annotations

import contextlib
import gc
import itertools
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from labelconv import codes, registry
from labelconv.accounting import accounted, finish
from labelconv.beside import write_rejected
from labelconv.errors import (
    LossError,
    OptionError,
    StrictError,
)
from labelconv.explain import granted
from labelconv.fit import fit
from labelconv.format import Format, Wanted
from labelconv.io import Source
from labelconv.jobs import Crew
from labelconv.media import MediaFiles
from labelconv.model import Dataset, Image, Sample, Samples, TiledImage, Video
from labelconv.options import build
from labelconv.passes import Pass, read_names, rename_categories
from labelconv.problems import Report, StopAtFirstError
from labelconv.reading import Path_, ReadDataset, media_files, opened, read_sources
from labelconv.targets import Target, publishing
from labelconv.teamwork import crew_for, write_shared
from labelconv.videofiles import with_videos

if TYPE_CHECKING:
    from labelconv.text_files import TextFiles

#: Told which sources are being read; `Source.position` says how far.
Watch = Callable[[Sequence[Source]], None]


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
    sources = opened(source)
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
    files, reader_options = media_files(media, reader_options)
    if video is not None:
        changes += _to_videos(video, files)
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
    from labelconv.text_files import TextFiles

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


def _to_videos(asked: Mapping[str, Any], files: MediaFiles) -> list[Pass]:
    """The passes that make videos of frames, and compare them with their files."""
    from labelconv.clips import VideoOptions, as_videos, clips_of

    options = build(VideoOptions, asked, "-V")
    by_rate = options.fps is not None

    def compare(dataset: Dataset, report: Report) -> Dataset:
        def samples() -> Iterator[Sample]:
            return with_videos(dataset, files, report, by_rate=by_rate)

        return Samples(samples, lambda: dataset.ontology, dataset.info)

    made = as_videos(clips_of(options))
    return [made] if files.folder is None else [made, compare]


def _to_crs(crs: str, files: MediaFiles) -> Pass:
    """The pass that moves samples to a CRS; rasters are looked for among the media files."""
    from labelconv.crs.rasters import Rasters
    from labelconv.reproject import reproject

    rasters = None if files.folder is None else Rasters(files.folder)
    files.asked = files.asked or rasters is not None
    return reproject(crs, rasters=rasters)


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


def _writer(target: str, name: str | None) -> Format:
    chosen = registry.by_target(target) if name is None else registry.get(name)
    if chosen.write is None:
        raise OptionError(f"the format {chosen.name!r} can only be read")
    return chosen


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
        video_pieces=any(holds.pieces for holds in videos),
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
        finish(report)
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


def _publish(opened: Target, target: str, report: Report) -> None:
    rejected = report.take_rejected()
    opened.publish()
    if target != "-":
        write_rejected(rejected, target)


def _refusal(refused: dict[str, int], report: Report) -> str:
    listed = "\n".join(
        f"  {id} {report.code(id).name}: {count}×  (accept with --allow {id})"
        for id, count in refused.items()
    )
    return (
        f"nothing was written, since something would be lost that was not allowed:\n{listed}\n"
        f"  accept all of it with --allow loss; `labelconv explain CODE` says how to avoid it"
    )
