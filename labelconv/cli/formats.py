"""`labelconv formats`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from labelconv.cli.printing import table

if TYPE_CHECKING:
    from labelconv.format import Format


@click.command()
@click.argument("name", required=False)
def formats(name: str | None) -> None:
    """List the installed formats, or all about one: what it holds and its options."""
    from labelconv import registry

    if name is None:
        _print_all()
    else:
        _print_one(registry.get(name))


def _print_all() -> None:
    from labelconv.listing import rows

    listed = rows()
    usable = [row for row in listed if row.problem is None]
    marks = {True: "yes", False: "-"}
    click.echo(
        table(
            ("format", "read", "write", "media", "about"),
            [
                (
                    row.name,
                    marks[row.read],
                    marks[row.write],
                    " ".join(row.media) if len(row.media) < 4 else "all",
                    row.about,
                )
                for row in usable
            ],
        )
    )
    click.echo("\nholds")
    width = max((len(row.name) for row in usable), default=0)
    for row in usable:
        click.echo(f"  {row.name.ljust(width)}  {', '.join(row.holds)}")
    for row in listed:
        if row.problem is not None:
            click.echo(f"\n{row.name} cannot be used: {row.problem}")


def _print_one(found: Format) -> None:
    from labelconv.listing import held_words

    click.echo(f"{found.name}: {found.about}")
    click.echo(found.url)
    ways = [way for way, how in (("read", found.read), ("write", found.write)) if how is not None]
    click.echo(f"can be: {' and '.join(ways)}")
    if found.extensions:
        click.echo(f"endings: {' '.join(found.extensions)}")
    media: dict[str, list[str]] = {}
    for holds in found.holds(found.writer_options()):
        media.setdefault(", ".join(held_words(holds)), []).append(holds.media.__name__.lower())
    for words, kinds in media.items():
        click.echo(f"holds ({', '.join(kinds)}): {words}")
    if found.read is not None:
        _print_options("reader options (-O)", found.reader_options)
    if found.write is not None:
        _print_options("writer options (-W)", found.writer_options)


def _print_options(head: str, kind: type[Any]) -> None:
    from labelconv.listing import options

    listed = options(kind)
    if not listed:
        return
    click.echo(f"\n{head}")
    for option in listed:
        default = f" [{option.default}]" if option.default else ""
        click.echo(f"  {option.name}={option.values}{default}")
        if option.about:
            click.echo(click.wrap_text(option.about, 96, "      ", "      "))
