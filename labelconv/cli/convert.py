"""`labelconv convert`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from labelconv.cli import printing
from labelconv.cli.printing import number, say

if TYPE_CHECKING:
    from labelconv.problems import Report


@click.command()
@click.argument("source", metavar="SRC")
@click.argument("target", metavar="DST")
@click.option("--from", "from_", metavar="FORMAT", help="The format of SRC.")
@click.option("--to", metavar="FORMAT", help="The format of DST.")
@click.option("-O", "reader", multiple=True, metavar="KEY=VALUE", help="An option of the reader.")
@click.option("-W", "writer", multiple=True, metavar="KEY=VALUE", help="An option of the writer.")
@click.option("--key", metavar="TEMPLATE", help="Keys of samples, such as '{stem}'.")
@click.option("--keys", metavar="FILE.csv", help="Keys of samples: source name, key.")
@click.option("--ontology", metavar="FILE", help="The target project's ontology, to check names.")
@click.option(
    "--rename", metavar="FILE", help="New names of categories: CSV, YAML or JSON, old to new."
)
@click.option("--ignore-case", is_flag=True, help="Compare the old names of --rename in any case.")
@click.option("--media", metavar="DIR|URL", help="Where the media are, for readers that need them.")
@click.option("--crs", metavar="CRS", help="Move maps there: EPSG:n, or pixel or image of rasters.")
@click.option("--media-out", metavar="DIR", help="Write the texts to upload into a new folder.")
@click.option("--video", is_flag=True, help="Pictures named by frame numbers become videos.")
@click.option("-V", "frames", multiple=True, metavar="KEY=VALUE", help="How, with --video.")
@click.option("--chips", metavar="WxH|DIR", help="Cut to windows of a size, or to GeoTIFFs.")
@click.option("--smallest", type=float, default=0.0, metavar="AREA", help="Of pieces cut off.")
@click.option("--min-iou", type=float, metavar="X", help="Refuse shapes that fit less (0 to 1).")
@click.option("--allow", multiple=True, metavar="CODE", help="Accept this loss; 'loss' for all.")
@click.option("--strict", is_flag=True, help="Stop at the first error and write nothing.")
@click.option("--dry-run", is_flag=True, help="Do everything but write.")
@click.option("--report", "report_file", metavar="FILE", help="Write the whole report as JSON.")
@click.option("--jobs", type=int, metavar="N", help="Processes; as many as help when not given.")
@click.option("--quiet", is_flag=True, help="Print errors only.")
def convert(
    source: str,
    target: str,
    from_: str | None,
    to: str | None,
    reader: tuple[str, ...],
    writer: tuple[str, ...],
    key: str | None,
    keys: str | None,
    ontology: str | None,
    rename: str | None,
    ignore_case: bool,
    media: str | None,
    media_out: str | None,
    crs: str | None,
    video: bool,
    frames: tuple[str, ...],
    chips: str | None,
    smallest: float,
    min_iou: float | None,
    allow: tuple[str, ...],
    strict: bool,
    dry_run: bool,
    report_file: str | None,
    jobs: int | None,
    quiet: bool,
) -> int:
    """Convert SRC to DST and account for every annotation.

    A quoted glob that matches several files makes one dataset of them. Records that cannot be used
    go, verbatim, to DST.rejected.ndjson (exit code 1). When something would be lost that --allow
    does not cover, nothing is written (exit code 3).
    """
    from labelconv import progress
    from labelconv.beside import refuse_report, rejected_path, write_report
    from labelconv.convert import convert as run
    from labelconv.errors import LossError, StrictError
    from labelconv.options import parse
    from labelconv.problems import Report
    from labelconv.several import matching

    others: list[str] = []
    if report_file is not None:
        others = [target, str(rejected_path(target)), *matching(source)]
        refuse_report(report_file, others)
    report = Report(strict=strict)
    try:
        with progress.shown(quiet=quiet) as watch:
            run(
                source,
                target,
                from_=from_,
                to=to,
                reader_options=parse(reader, "-O"),
                writer_options=parse(writer, "-W"),
                key=key,
                keys=keys,
                ontology=ontology,
                rename=rename,
                ignore_case=ignore_case,
                media=media,
                media_out=media_out,
                crs=crs,
                video=parse(frames, "-V") if video or frames else None,
                chips=chips,
                smallest=smallest,
                allow=allow,
                min_iou=min_iou,
                strict=strict,
                dry_run=dry_run,
                jobs=jobs,
                report=report,
                watch=watch,
            )
    except (LossError, StrictError) as stop:
        if isinstance(stop, LossError):  # a strict run has counted a part only
            _print(report, quiet=quiet, written=False)
            if not quiet:
                say()
        if report_file is not None:
            write_report(report, report_file, beside=others)
        raise
    _print(report, quiet=quiet, written=not dry_run)
    if report_file is not None:
        write_report(report, report_file, beside=others)
    if dry_run and not quiet:
        say("\ndry run: nothing was written")
    elif report.errors and target != "-" and rejected_path(target).exists():
        say(f"\nrejected records are in {rejected_path(target)}")
    return 1 if report.errors else 0


def _print(report: Report, *, quiet: bool, written: bool) -> None:
    errors = printing.problems(report, "error")
    if quiet:
        printing.say_all([errors])
        return
    word = "written" if written else "to be written"
    counts = [f"{kind} {word}: {number(n)}" for kind, n in sorted(report.ledger.written.items())]
    printing.say_all(
        [
            printing.evidence(report),
            "\n".join([printing.ledger(report), *counts]),
            errors,
            printing.problems(report, "loss"),
            printing.problems(report, "note"),
            printing.measures(report),
            printing.fields(report),
        ]
    )
