"""`labelconv diff`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from labelconv.cli.printing import number, say, table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from labelconv.diff import Change, Difference
    from labelconv.model import Dataset, Sample

_SHOWN = 5


@click.command()
@click.argument("a", metavar="A")
@click.argument("b", metavar="B")
@click.option("--from-a", metavar="FORMAT", help="The format of A.")
@click.option("--from-b", metavar="FORMAT", help="The format of B.")
@click.option("-A", "options_a", multiple=True, metavar="KEY=VALUE", help="A reader option for A.")
@click.option("-B", "options_b", multiple=True, metavar="KEY=VALUE", help="A reader option for B.")
@click.option("--media-a", metavar="DIR", help="The media of A, for sizes it does not say.")
@click.option("--media-b", metavar="DIR", help="The media of B.")
@click.option(
    "--tolerance",
    type=click.FloatRange(min=0),
    default=1e-3,
    show_default=True,
    metavar="PX",
    help="Coordinates this near are equal.",
)
@click.option("--json", "as_json", is_flag=True, help="Print all of it as JSON.")
def diff(
    a: str,
    b: str,
    from_a: str | None,
    from_b: str | None,
    options_a: tuple[str, ...],
    options_b: tuple[str, ...],
    media_a: str | None,
    media_b: str | None,
    tolerance: float,
    as_json: bool,
) -> int:
    """Compare what two datasets say, whatever their formats.

    Exit code 0 when they say the same, 1 when they differ. Sizes, addresses, ids and extra fields
    that one side lacks are details: they are listed, but make no difference.
    """
    from labelconv.diff import diff as run

    difference = run(
        _read(a, from_a, options_a, media_a, "-A"),
        _read(b, from_b, options_b, media_b, "-B"),
        tolerance=tolerance,
    )
    if as_json:
        import msgspec

        data = msgspec.json.format(msgspec.json.encode(difference.as_dict()), indent=1)
        click.echo(data.decode("utf-8"))
    else:
        _print(difference)
    return 0 if difference.is_none else 1


def _read(
    path: str, format: str | None, options: tuple[str, ...], media: str | None, flag: str
) -> Dataset:
    from labelconv.model import Samples
    from labelconv.options import parse
    from labelconv.problems import Report
    from labelconv.reading import read

    report = Report()
    dataset = read(path, format, options=parse(options, flag), media=media, report=report)

    def samples() -> Iterator[Sample]:
        yield from dataset
        if report.errors:
            say(f"{path}: {number(report.errors)} errors in it; see labelconv check")

    return Samples(samples, lambda: dataset.ontology, dataset.info)


def _print(difference: Difference) -> None:
    rows = [
        (
            "samples",
            number(difference.samples_a),
            number(difference.samples_b),
            number(len(difference.samples_only_in_a)),
            number(len(difference.samples_only_in_b)),
        ),
        (
            "annotations",
            number(difference.annotations_a),
            number(difference.annotations_b),
            number(len(difference.annotations_only_in_a)),
            number(len(difference.annotations_only_in_b)),
        ),
    ]
    click.echo(table(("", "in A", "in B", "only in A", "only in B"), rows, right=True))
    click.echo(f"equal annotations: {number(difference.same)}")
    for side, keys, empty in (
        ("A", difference.samples_only_in_a, difference.empty_only_in_a),
        ("B", difference.samples_only_in_b, difference.empty_only_in_b),
    ):
        if keys:
            note = f", {number(empty)} of them without annotations" if empty else ""
            click.echo(f"\nsamples only in {side}: {number(len(keys))}{note}")
            _some(keys)
    for side, places in (
        ("A", difference.annotations_only_in_a),
        ("B", difference.annotations_only_in_b),
    ):
        if places:
            click.echo(f"\nannotations only in {side}: {number(len(places))}")
            _some(
                [
                    f"[{p.sample}] {p.kind} {p.category!r} (annotation {p.annotation})"
                    for p in places
                ]
            )
    for what, count in difference.counts.items():
        click.echo(f"\n{what}: {number(count)}")
        _some([_changed(change) for change in difference.changes if change.what == what])
    if difference.details:
        click.echo("\ndetails (no difference)")
        for name, count in difference.details.items():
            click.echo(f"  {name}: {number(count)}×")
    if difference.is_none:
        click.echo("\nthe same")


def _some(lines: tuple[str, ...] | list[str]) -> None:
    for line in lines[:_SHOWN]:
        click.echo(f"  {line}")
    if len(lines) > _SHOWN:
        click.echo(f"  … and {number(len(lines) - _SHOWN)} more")


def _changed(change: Change) -> str:
    parts = [f"[{change.sample}]"]
    if change.category is not None and change.what != "relation":
        parts.append(repr(change.category))
    if change.a or change.b:
        ours, theirs = ", ".join(change.a), ", ".join(change.b)
        parts.append(f"({ours})" if ours == theirs else f"({ours} → {theirs})")
    if change.drift is not None:
        parts.append(f"by {change.drift:.4g} px")
    if change.iou is not None:
        parts.append(f"IoU {change.iou:.4f}")
    if change.words:
        parts.append(change.words)
    return " ".join(parts)
