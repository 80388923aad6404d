"""`labelconv datarows`."""

from __future__ import annotations

import click

from labelconv.cli import printing
from labelconv.cli.printing import number, say


@click.command()
@click.argument("source", metavar="SRC")
@click.option("--from", "from_", metavar="FORMAT", help="The format of SRC.")
@click.option("-O", "reader", multiple=True, metavar="KEY=VALUE", help="An option of the reader.")
@click.option("--media", metavar="URL", help="The start of the media's URLs, or a template.")
@click.option("--text-layer", metavar="URL", help="Likewise, of the text layers of documents.")
@click.option("--zoom", nargs=2, type=int, default=(0, 22), help="Levels of tile layers.")
@click.option("--key", metavar="TEMPLATE", help="Keys of samples, such as '{stem}'.")
@click.option("--keys", metavar="FILE.csv", help="Keys of samples: source name, key.")
@click.option("--keys-out", metavar="FILE.csv", help="Write the keys there, for --keys.")
@click.option("--metadata", metavar="FILE.csv", help="Metadata: key, and a column for each field.")
@click.option("--attachments", metavar="FILE.csv", help="Attachments: key, type, value, name.")
@click.option("--out", metavar="FILE", default="-", help="Write there, 150,000 rows a file.")
def datarows(
    source: str,
    from_: str | None,
    reader: tuple[str, ...],
    media: str | None,
    text_layer: str | None,
    zoom: tuple[int, int],
    key: str | None,
    keys: str | None,
    keys_out: str | None,
    metadata: str | None,
    attachments: str | None,
    out: str,
) -> int:
    """Print the Labelbox data rows of the samples of SRC, as JSON.

    It is what `dataset.create_data_rows` takes: where each medium is, its global key and its kind.
    URL is the start of an address, to which the path of the medium is added, or a template with
    {key}, {path}, {name} or {stem}; for tiles with {z}, {x} and {y} too.
    """
    from labelconv.beside import refuse_report
    from labelconv.labelbox import datarows as rows
    from labelconv.labelbox import datarows_tables as tables
    from labelconv.options import parse
    from labelconv.problems import Report
    from labelconv.several import matching

    for path in filter(None, (keys_out, None if out == "-" else out)):
        given = [each for each in (keys, metadata, attachments) if each is not None]
        refuse_report(path, [*matching(source), *given])
    report = Report()
    found = rows.needed_rows(
        source,
        from_,
        rows.Places(media=media, text_layer=text_layer, zoom=zoom),
        report,
        options=parse(reader, "-O"),
        key=key,
        keys=keys,
        metadata=None if metadata is None else tables.read_table(metadata),
        attachments=None if attachments is None else tables.read_attachments(attachments),
    )
    count = rows.write_data_rows(found, out, keys=keys_out)
    told = [printing.problems(report, severity) for severity in ("error", "note")]
    printing.say_all([printing.evidence(report), *told])
    say(f"data rows: {number(count)}")
    return 1 if report.errors else 0
