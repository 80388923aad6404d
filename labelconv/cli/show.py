"""`labelconv show`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from labelconv.cli import printing
from labelconv.cli.printing import number, table

if TYPE_CHECKING:
    from collections import Counter

    from labelconv.show import Summary

_SIZES_SHOWN = 5


@click.command()
@click.argument("source", metavar="SRC")
@click.option("--from", "from_", metavar="FORMAT", help="The format of SRC.")
@click.option("-O", "reader", multiple=True, metavar="KEY=VALUE", help="An option of the reader.")
@click.option("--media", metavar="DIR", help="Where the media are, for sizes SRC does not say.")
@click.option(
    "--limit",
    type=click.IntRange(min=0),
    default=3,
    show_default=True,
    metavar="N",
    help="Samples to list.",
)
def show(
    source: str, from_: str | None, reader: tuple[str, ...], media: str | None, limit: int
) -> int:
    """Say what is in SRC: samples, annotations by category and kind, sizes, problems."""
    from labelconv.format import Wanted
    from labelconv.io import Source
    from labelconv.options import parse
    from labelconv.problems import Report
    from labelconv.reading import media_files, read_sources
    from labelconv.several import matching
    from labelconv.show import summary

    report = Report()
    sources = [Source(name) for name in matching(source)]
    # Pieces are enough for counting, and fields without a place in the model stay undecoded.
    wanted = Wanted(pieces=True, extra=frozenset())
    files, options = media_files(media, parse(reader, "-O"))
    dataset = read_sources(sources, from_, options, None, None, report, wanted, files)
    found = summary(dataset, limit)
    if report.evidence:
        click.echo(f"recognised as {report.evidence[0]}")
    _print(found)
    sections = [printing.problems(report, severity) for severity in ("error", "loss", "note")]
    sections.append(printing.fields(report, "fields that the model has no place for"))
    for section in filter(None, sections):
        click.echo(f"\n{section}")
    return 1 if report.errors else 0


def _print(found: Summary) -> None:
    empty = f" ({number(found.empty)} without annotations)" if found.empty else ""
    click.echo(f"samples: {number(found.samples)}{empty}")
    click.echo(f"annotations: {number(found.annotations)}")
    if found.media:
        click.echo(f"media: {_listed(found.media)}")
        sizes = dict(found.sizes.most_common(_SIZES_SHOWN))
        more = len(found.sizes) - len(sizes)
        click.echo(f"sizes: {_listed(sizes)}{f', … and {number(more)} more' if more else ''}")
    if found.kinds:
        click.echo()
        click.echo(_kinds(found.kinds))
    for head, counts in (
        ("questions", found.questions),
        ("relations", found.relations),
        ("also", found.traits),
    ):
        if counts:
            click.echo(f"\n{head}: {_listed(dict(sorted(counts.items())))}")
    if found.first:
        click.echo("\nfirst samples")
    for each in found.first:
        parts = [f"{count} × {words}" for words, count in each.annotations.items()]
        if each.answers:
            parts.append(f"{each.answers} × answer")
        click.echo(f"  {each.key} ({each.media}): {', '.join(parts) or 'nothing'}")


def _kinds(counts: Counter[tuple[str, str]]) -> str:
    columns = sorted({kind for _, kind in counts})
    totals: dict[str, int] = {}
    for (category, _), count in counts.items():
        totals[category] = totals.get(category, 0) + count
    rows = [
        (category, number(total), *(number(counts[category, kind]) for kind in columns))
        for category, total in sorted(totals.items(), key=lambda item: (-item[1], item[0]))
    ]
    return table(("category", "all", *columns), rows, right=True)


def _listed(counts: Counter[str] | dict[str, int]) -> str:
    return ", ".join(f"{name} {number(count)}" for name, count in counts.items())
