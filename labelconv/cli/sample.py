"""`labelconv sample`."""

from __future__ import annotations

from pathlib import Path

import click

from labelconv.cli.printing import number, say


@click.command()
@click.argument("format")
@click.argument("target", metavar="DIR_OR_FILE")
@click.option("--samples", type=click.IntRange(min=1), default=10, show_default=True, metavar="N")
@click.option("--seed", type=int, default=0, show_default=True, metavar="S")
@click.option("--broken", is_flag=True, help="Damage about every third record.")
def sample(format: str, target: str, samples: int, seed: int, broken: bool) -> None:
    """Write a small dataset in FORMAT, always the same for the same seed.

    It has every kind of annotation that the format holds; what it does not hold is left out.
    """
    from labelconv import registry
    from labelconv.errors import OptionError
    from labelconv.sample_data import generate
    from labelconv.sampling import media_of, write_sample

    chosen = registry.get(format)
    place = Path(target)
    if place.is_dir() and not chosen.folder(chosen.writer_options()):
        place = place / f"sample{chosen.extensions[0] if chosen.extensions else '.txt'}"
    if chosen.write is None:
        raise OptionError(f"the format {chosen.name!r} can only be read")
    dataset = generate(samples, seed, media_of(chosen))
    report = write_sample(dataset, place, chosen, broken=broken, seed=seed)
    written = ", ".join(f"{number(count)} {kind}" for kind, count in report.ledger.written.items())
    say(f"{place}: {written or 'written'}{', then damaged' if broken else ''}")
