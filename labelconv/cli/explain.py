"""`labelconv explain`."""

from __future__ import annotations

import click


@click.command()
@click.argument("code")
def explain(code: str) -> None:
    """Say what a problem means, why it matters and what to do. CODE is an id or a name."""
    from labelconv.explain import find, page

    click.echo(page(find(code)))
