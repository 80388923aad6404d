"""`labelconv convert`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import click

from labelconv.cli import printing
from labelconv.cli.printing import say


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
@click.option("--rename", metavar="FILE", help="New names of categories: CSV or JSON, old to new.")
@click.option("--media", metavar="DIR|URL", help="Where the media are, for readers that need them.")
@click.option("--min-iou", type=float, metavar="X", help="Refuse shapes that fit less (0 to 1).")
@click.option("--allow", multiple=True, metavar="CODE", help="Accept this loss; 'loss' for all.")
@click.option("--strict", is_flag=True, help="Stop at the first error and write nothing.")
@click.option("--dry-run", is_flag=True, help="Do everything but write.")
@click.option("--report", "report_file", metavar="FILE", help="Write the whole report as JSON.")
@click.option("--jobs", type=int, default=1, metavar="N", help="Processes; only 1 so far.")
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
    media: str | None,
    min_iou: float | None,
    allow: tuple[str, ...],
    strict: bool,
    dry_run: bool,
    report_file: str | None,
    jobs: int,
    quiet: bool,
) -> int:
    """Convert SRC to DST and account for every annotation.

    A quoted glob that matches several files makes one dataset of them. Records that cannot be used
    go, verbatim, to DST.rejected.ndjson (exit code 1). When something would be lost that --allow
    does not cover, nothing is written (exit code 3).
    """
    from labelconv import convert as library
    from labelconv import progress
    from labelconv.convert import refuse_report, rejected_path, write_report
    from labelconv.errors import LossError, OptionError, StrictError
    from labelconv.options import parse
    from labelconv.problems import Report
    from labelconv.several import matching

    if jobs != 1:
        raise OptionError(f"--jobs 1 expected, {jobs} found: this version converts in one process")
    others: list[str] = []
    if report_file is not None:
        others = [target, str(rejected_path(target)), *matching(source)]
        refuse_report(report_file, others)
    report = Report(strict=strict)
    try:
        with progress.shown(quiet=quiet) as watch:
            library.convert(
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
                media=media,
                allow=allow,
                min_iou=min_iou,
                strict=strict,
                dry_run=dry_run,
                report=report,
                watch=watch,
            )
    except (LossError, StrictError):
        _print(report, quiet=quiet)
        say()
        _keep(report_file, lambda path: write_report(report, path, beside=others))
        raise
    _print(report, quiet=quiet)
    _keep(report_file, lambda path: write_report(report, path, beside=others))
    if dry_run and not quiet:
        say("\ndry run: nothing was written")
    elif report.errors and target != "-" and rejected_path(target).exists():
        say(f"\nrejected records are in {rejected_path(target)}")
    return 1 if report.errors else 0


def _keep(path: str | None, write: Callable[[Path], None]) -> None:
    if path is not None:
        write(Path(path))


def _print(report: printing.Report, *, quiet: bool) -> None:
    if quiet:
        printing.print_problems(report, errors_only=True)
        return
    printing.print_evidence(report)
    if report.evidence:
        say()
    say(printing.ledger(report))
    for kind, count in sorted(report.ledger.written.items()):
        say(f"written: {printing.number(count)} {kind}")
    printing.print_problems(report)
    printing.print_measures(report)
    printing.print_fields(report)
