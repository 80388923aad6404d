"""`labelconv upload`."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Literal

import click

from labelconv.cli import printing
from labelconv.cli.printing import number, say

if TYPE_CHECKING:
    from labelconv.labelbox.upload import Progress, Uploaded

ENDPOINT = "https://api.labelbox.com/graphql"


@click.command()
@click.argument("file", metavar="FILE")
@click.option("--project", required=True, metavar="ID", help="The project to import into.")
@click.option(
    "--as",
    "kind",
    type=click.Choice(["mal", "label"]),
    default="mal",
    show_default=True,
    help="As pre-labels, or as finished labels.",
)
@click.option(
    "--api-key-env",
    default="LABELBOX_API_KEY",
    show_default=True,
    metavar="NAME",
    help="The environment variable that has the API key.",
)
@click.option("--ontology", metavar="FILE", help="The project's ontology, to check names first.")
@click.option(
    "--lines",
    type=click.IntRange(min=1),
    default=10_000,
    show_default=True,
    metavar="N",
    help="About so many lines an import job.",
)
@click.option(
    "--name",
    default="labelconv",
    show_default=True,
    help="How names of jobs begin; another one sends the same file again.",
)
@click.option("--state", metavar="FILE", help="Where to go on from.  [default: FILE.upload.json]")
@click.option(
    "--failed",
    metavar="FILE",
    help="What was not accepted, with reasons.  [default: FILE.failed.ndjson]",
)
@click.option("--endpoint", default=ENDPOINT, metavar="URL", help="Labelbox's API, if elsewhere.")
@click.option("--report", "report_file", metavar="FILE", help="Write the whole report as JSON.")
@click.option("--quiet", is_flag=True, help="Print errors only.")
def upload(
    file: str,
    project: str,
    kind: Literal["mal", "label"],
    api_key_env: str,
    ontology: str | None,
    lines: int,
    name: str,
    state: str | None,
    failed: str | None,
    endpoint: str,
    report_file: str | None,
    quiet: bool,
) -> int:
    """Upload the MAL lines of FILE to a Labelbox project.

    They are checked first; with errors, nothing is sent. Run the same command again after an
    interruption: it goes on, and no line is sent twice. Exit code 1 when lines were not accepted.
    Needs `pip install 'labelconv[labelbox]'`.
    """
    from labelconv.beside import refuse_report, write_report
    from labelconv.labelbox.upload import upload as run

    others = [each for each in (file, ontology, state, failed) if each is not None]
    if report_file is not None:
        refuse_report(report_file, others)
    with _shown(quiet=quiet) as progress:
        done = run(
            file,
            project,
            kind=kind,
            api_key_env=api_key_env,
            ontology=ontology,
            lines=lines,
            name=name,
            state=state,
            failed=failed,
            endpoint=endpoint,
            progress=progress,
        )
    report = done.report
    if report_file is not None:
        write_report(report, report_file, beside=others)
    bad = printing.problems(report, "error")
    if quiet:
        printing.say_all([bad])
    else:
        printing.say_all([bad, printing.problems(report, "note"), _verdict(file, done)])
    return 1 if report.errors else 0


def _verdict(file: str, done: Uploaded) -> str:
    if not done.sent:
        return f"{file}: nothing was sent; mend the errors first"
    parts = "1 job" if len(done.jobs) == 1 else f"{number(len(done.jobs))} jobs"
    lines = [f"{file}: {number(done.accepted)} of {number(done.lines)} lines accepted, in {parts}"]
    if done.failed is not None:
        unknown = f", {number(done.unknown)} not known" if done.unknown else ""
        lines.append(f"{number(done.refused)} refused{unknown}: see {done.failed}")
    return "\n".join(lines)


@contextlib.contextmanager
def _shown(*, quiet: bool) -> Iterator[Callable[[Progress], None] | None]:
    """A bar on a terminal; news of failures that may pass as lines, wherever."""
    if quiet:
        yield None
        return
    if not sys.stderr.isatty():
        yield lambda told: say(told.news) if told.news else None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bar

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Bar(*columns, TimeElapsedColumn(), console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("uploading")

        def tell(told: Progress) -> None:
            done = told.accepted + told.refused + told.unknown
            words = f"part {told.parts_done} of {told.parts}, {number(told.sent)} lines sent"
            bar.update(task, completed=done, total=told.lines, description=words)
            if told.news:
                bar.console.print(told.news, highlight=False, markup=False)

        yield tell
