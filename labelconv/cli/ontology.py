"""`labelconv ontology`."""

from __future__ import annotations

import click

from labelconv.cli import printing
from labelconv.cli.printing import number, say


@click.command()
@click.argument("sources", metavar="SRC...", nargs=-1, required=True)
@click.option("--from", "from_", metavar="FORMAT", help="The format of SRC.")
@click.option("-O", "reader", multiple=True, metavar="KEY=VALUE", help="An option of the reader.")
@click.option("-W", "writer", multiple=True, metavar="KEY=VALUE", help="As for --to labelbox.")
@click.option("--media", metavar="DIR", help="Where the media are, for sizes SRC does not say.")
@click.option("--rename", metavar="FILE", help="New names of categories, as for convert.")
@click.option("--ignore-case", is_flag=True, help="Compare the old names of --rename in any case.")
@click.option("--constraints", is_flag=True, help="Let relations join only what the data joins.")
@click.option("--out", metavar="FILE", help="Write it there instead of standard output.")
@click.option("--diff", "given", metavar="FILE", help="Compare a project's ontology with it.")
def ontology(
    sources: tuple[str, ...],
    from_: str | None,
    reader: tuple[str, ...],
    writer: tuple[str, ...],
    media: str | None,
    rename: str | None,
    ignore_case: bool,
    constraints: bool,
    out: str | None,
    given: str | None,
) -> int:
    """Print the Labelbox ontology that the data of SRC needs, as JSON.

    It is the normalized form that `client.create_ontology` takes. With --diff, say instead what a
    project's ontology lacks for the data, and what of it the data does not use; exit code 1 when
    something is lacking.
    """
    from labelconv.beside import refuse_report
    from labelconv.labelbox import needed
    from labelconv.labelbox.constraints import unconstrained
    from labelconv.options import parse
    from labelconv.problems import Report
    from labelconv.several import matching

    if out is not None:
        others = [name for source in sources for name in matching(source)]
        refuse_report(out, [*others, *filter(None, (given, rename))])
    report = Report()
    project = None if given is None else needed.read_normalized(given)
    found = needed.needed_ontology(
        sources,
        from_,
        options=parse(reader, "-O"),
        writer_options=parse(writer, "-W"),
        rename=rename,
        ignore_case=ignore_case,
        media=media,
        constraints=True,
        report=report,
    )
    is_shown = project is None or out is not None
    shown = unconstrained(found, report) if is_shown and not constraints else found
    told = [printing.problems(report, severity) for severity in ("error", "note")]
    printing.say_all([printing.evidence(report), *told])
    if out is not None:
        needed.write_ontology(shown, out)
    elif project is None:
        click.echo(needed.as_json(shown).decode(), nl=False)
    if project is None or given is None:
        return 1 if report.errors else 0
    lacks = Report()
    surplus = needed.lacking(found, project, given, lacks)
    printing.say_all([printing.problems(lacks, "error")])
    if surplus:
        say("not used by the data")
        for each in surplus:
            say(f"  {given}#{each.pointer}: {each.what}")
    missing = "nothing" if not lacks.errors else f"{number(lacks.errors)} things"
    say(f"{given} lacks {missing} that the data needs")
    return 1 if report.errors or lacks.errors else 0
