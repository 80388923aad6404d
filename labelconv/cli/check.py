"""`labelconv check`."""

from __future__ import annotations

import click

from labelconv.cli import printing
from labelconv.cli.printing import number


@click.command()
@click.argument("source", metavar="SRC")
@click.option("--from", "from_", metavar="FORMAT", help="The format of SRC.")
@click.option("-O", "reader", multiple=True, metavar="KEY=VALUE", help="An option of the reader.")
@click.option("-W", "writer", multiple=True, metavar="KEY=VALUE", help="An option of --to.")
@click.option("--media", metavar="DIR", help="Where the media are, for sizes SRC does not say.")
@click.option("--ontology", metavar="FILE", help="The project's ontology, to check names.")
@click.option("--to", metavar="FORMAT", help="Say also what this format would lose.")
@click.option("--report", "report_file", metavar="FILE", help="Write the whole report as JSON.")
@click.option("--quiet", is_flag=True, help="Print errors and losses only.")
def check(
    source: str,
    from_: str | None,
    reader: tuple[str, ...],
    writer: tuple[str, ...],
    media: str | None,
    ontology: str | None,
    to: str | None,
    report_file: str | None,
    quiet: bool,
) -> int:
    """Find the problems of SRC; write nothing.

    Exit code 0 without errors, 1 with errors, 3 when --to would lose something.
    """
    from labelconv.beside import refuse_report, write_report
    from labelconv.check import check as run
    from labelconv.errors import OptionError
    from labelconv.options import parse
    from labelconv.problems import Report
    from labelconv.several import matching

    others = [] if report_file is None else matching(source)
    if report_file is not None:
        refuse_report(report_file, others)
    if writer and to is None:
        raise OptionError("-W key=value goes with --to FORMAT, which is not given")
    report = run(
        source,
        from_,
        options=parse(reader, "-O"),
        writer_options=parse(writer, "-W"),
        media=media,
        ontology=ontology,
        to=to,
        report=Report(),
    )
    if report_file is not None:
        write_report(report, report_file, beside=others)
    verdict = f"{source}: {_verdict(report.errors, report.losses, to)}"
    bad = [printing.problems(report, "error"), printing.problems(report, "loss")]
    if quiet:
        printing.say_all([*bad, verdict] if any(bad) else [])
    else:
        note, measured = printing.problems(report, "note"), printing.measures(report)
        fields = printing.fields(report)
        printing.say_all([printing.evidence(report), *bad, note, measured, fields, verdict])
    return 1 if report.errors else 3 if report.losses else 0


def _verdict(errors: int, losses: int, to: str | None) -> str:
    if errors:
        return f"{number(errors)} {'error' if errors == 1 else 'errors'}"
    if losses:
        return f"{number(losses)} {'loss' if losses == 1 else 'losses'} as {to}"
    return "no errors" if to is None else f"no errors, and {to} would lose nothing"
