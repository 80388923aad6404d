"""Find problems without writing anything: in a source, and in what a target would lose of it."""

from __future__ import annotations

import io
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

import msgspec

from labelconv import registry
from labelconv.convert import convert
from labelconv.errors import LossError, OptionError
from labelconv.format import Format, Wanted
from labelconv.io import Source
from labelconv.problems import Report
from labelconv.reading import media_files, read_sources
from labelconv.several import matching

Path_ = str | os.PathLike[str]


def check(
    source: Path_,
    format: str | None = None,
    *,
    options: Mapping[str, Any] | None = None,
    writer_options: Mapping[str, Any] | None = None,
    media: Path_ | None = None,
    ontology: Path_ | None = None,
    to: str | None = None,
    report: Report | None = None,
) -> Report:
    """Report the problems of `source`: `report.errors` and `report.losses` count them.

    A format with a check of its own (Labelbox MAL) is held against its target's rules and, with
    `ontology`, against the project's ontology. Any other is read through. With `to`, a conversion
    to that format is tried as well and thrown away, unless errors were found before: it adds what
    would be lost, and checks the names against `ontology`.

    Raises `SourceError`, `UnknownFormatError` or `OptionError`; what is wrong in the data never
    raises.
    """
    report = Report() if report is None else report
    asked = _Asked(options, writer_options, media, ontology, to)
    for name in matching(source):
        _check_one(Source(name), format, asked, report)
    return report


class _Asked(msgspec.Struct, frozen=True):
    """What a check was asked to use."""

    options: Mapping[str, Any] | None
    writer_options: Mapping[str, Any] | None
    media: Path_ | None
    ontology: Path_ | None
    to: str | None


def _check_one(opened: Source, format: str | None, asked: _Asked, report: Report) -> None:
    ontology, to = asked.ontology, asked.to
    if format is None:
        chosen, evidence = registry.sniff(opened)
        report.evidence.extend(evidence)
    else:
        chosen = registry.get(format)
    if chosen.check is not None:
        given = None if ontology is None else os.fspath(ontology)
        with _named(opened) as file:
            chosen.check(file, report, ontology=given, sizes=None)
        if report.errors:
            return
    elif to is None:
        if ontology is not None:
            raise OptionError(
                f"{chosen.name} has no check against an ontology; name the format that has, with "
                f"--to"
            )
        _read_through(opened, chosen, asked, report)
    if to is not None:
        _try(opened, chosen, asked, to, report)


class _Named(io.BufferedReader):
    """A file that goes by the name its user gave, not by that of a temporary copy."""

    name: str = ""


def _named(opened: Source) -> BinaryIO:
    file = opened.open()
    if file.name == opened.name or not isinstance(file, io.BufferedReader):
        return file
    named = _Named(file.detach())
    named.name = opened.name
    return named


def _read_through(opened: Source, chosen: Format, asked: _Asked, report: Report) -> None:
    if chosen.read is None:
        raise OptionError(f"the format {chosen.name!r} can only be written")
    ledger = report.ledger
    wanted = Wanted(pieces=True)
    files, options = media_files(asked.media, asked.options)
    for sample in read_sources([opened], chosen.name, options, None, None, report, wanted, files):
        ledger.annotations.kept += len(sample.annotations)
        ledger.classifications.kept += len(sample.classifications)
        ledger.relations.kept += len(sample.relations)
    # Samples may come in pieces, so they are counted by their reader alone.
    ledger.samples.kept += ledger.samples.read - ledger.samples.rejected - ledger.samples.skipped


def _try(opened: Source, chosen: Format, asked: _Asked, to: str, report: Report) -> None:
    """Convert into a folder that is removed, so that the writer says what it would leave out."""
    with tempfile.TemporaryDirectory(prefix="labelconv-check-") as room:
        try:
            convert(
                opened,
                Path(room) / "target",
                from_=chosen.name,
                to=to,
                reader_options=asked.options,
                writer_options=asked.writer_options,
                media=asked.media,
                ontology=asked.ontology,
                dry_run=True,
                report=report,
            )
        except LossError:
            return  # the report has them
