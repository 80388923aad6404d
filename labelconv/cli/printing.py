"""How reports look on a terminal and in a log: plain aligned text, coloured only on a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from labelconv.problems import Measure, Problem, Report

#: Problems shown of one code; the rest is counted. `--report FILE` has more.
SHOWN_PER_CODE = 3
_HEADS = {"error": ("errors", "red"), "loss": ("losses", "yellow"), "note": ("notes", "cyan")}
_FIELD_LEFT_OUT = "L415"


def say(text: str = "", color: str | None = None) -> None:
    """A line for a person, to standard error: standard output is for data."""
    click.secho(text, err=True, fg=color)


def number(count: int) -> str:
    return f"{count:,}"


def times(count: int) -> str:
    return f"{count:,}×"


def table(head: Sequence[str], rows: Iterable[Sequence[str]], *, right: bool = False) -> str:
    """Aligned columns; with `right`, all but the first are aligned to the right."""
    lines = [list(head), *map(list, rows)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(head))]
    texts = []
    for line in lines:
        cells = [
            cell.rjust(width) if right and position else cell.ljust(width)
            for position, (cell, width) in enumerate(zip(line, widths, strict=True))
        ]
        texts.append("  ".join(cells).rstrip())
    return "\n".join(texts)


def ledger(report: Report) -> str:
    """What became of everything read."""
    from labelconv.problems import OUTCOMES

    rows = [
        (name, *(number(getattr(account, column)) for column in ("read", *OUTCOMES)))
        for name, account in report.ledger.rows()
        if account.read or name in ("samples", "annotations")
    ]
    return table(("", "read", *OUTCOMES), rows, right=True)


def print_evidence(report: Report) -> None:
    """Which format was recognised by what, and why it was none of the others."""
    for position, words in enumerate(report.evidence):
        if position == 0:
            say(f"recognised as {words}")
        else:
            say(f"  not {words}")


def print_problems(report: Report, *, errors_only: bool = False) -> None:
    """Counts by code with the first problems of each, errors first."""
    first: dict[str, list[Problem]] = {}
    for problem in report.problems:
        kept = first.setdefault(problem.code, [])
        if len(kept) < SHOWN_PER_CODE:
            kept.append(problem)
    for severity, (head, color) in _HEADS.items():
        if errors_only and severity != "error":
            continue
        ids = [
            id
            for id in sorted(report.counts)
            if report.code(id).severity == severity and id != _FIELD_LEFT_OUT
        ]
        if not ids:
            continue
        say(f"\n{head}", color)
        for id in ids:
            count = report.counts[id]
            say(f"  {id} {report.code(id).name}: {times(count)}")
            for problem in first.get(id, ()):
                place = str(problem.where)
                say(f"    {place}: {problem.message}" if place else f"    {problem.message}")
            if count > SHOWN_PER_CODE:
                say(f"    … and {number(count - SHOWN_PER_CODE)} more")


def print_measures(report: Report) -> None:
    """How far changed geometry is from what was read."""
    if not report.measures:
        return
    say("\nmeasured")
    for id, measure in sorted(report.measures.items()):
        say(f"  {id} {report.code(id).name}: {_measured(measure)}")


def _measured(measure: Measure) -> str:
    mean = measure.total / measure.count
    where = "" if measure.worst_where is None else f" at {measure.worst_where}"
    if measure.unit == "iou":
        return f"IoU {mean:.4f} in the mean, {measure.worst:.4f} at worst{where} ({times(measure.count)})"
    return (
        f"{mean:.4g} {measure.unit} in the mean, {measure.worst:.4g} {measure.unit} at worst{where} "
        f"({times(measure.count)})"
    )


def print_fields(report: Report) -> None:
    """Fields of the source that have no place in the target."""
    if not report.fields:
        return
    say("\nfields left out")
    for name, count in sorted(report.fields.items()):
        say(f"  {name}: {times(count)}")
