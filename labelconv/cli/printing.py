"""How reports look on a terminal and in a log: plain aligned text, coloured only on a terminal."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from labelconv.problems import Measure, Problem, Report, Severity

#: Problems shown of one code; the rest is counted. `--report FILE` has more.
SHOWN_PER_CODE = 3
#: Formats shown that did not recognise a source.
OTHERS_SHOWN = 3
_HEADS = {"error": ("errors", "red"), "loss": ("losses", "yellow"), "note": ("notes", "cyan")}
_FIELD_LEFT_OUT = "L415"


def say(text: str = "") -> None:
    """Text for a person, to standard error: standard output is for data."""
    click.echo(text, err=True)


def plain(text: str) -> str:
    """Text of a source in one line, with what would steer the terminal spelled out."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def number(count: int) -> str:
    return f"{count:,}"


def times(count: int) -> str:
    return f"{count:,}×"


def table(head: Sequence[str], rows: Iterable[Sequence[str]], *, right: bool = False) -> str:
    """Aligned columns; with `right`, all but the first are aligned to the right."""
    lines = [list(head), *map(list, rows)]
    widths = [max(_columns(line[i]) for line in lines) for i in range(len(head))]
    texts = []
    for line in lines:
        cells = []
        for position, (cell, width) in enumerate(zip(line, widths, strict=True)):
            gap = " " * (width - _columns(cell))
            cells.append(gap + cell if right and position else cell + gap)
        texts.append("  ".join(cells).rstrip())
    return "\n".join(texts)


def _columns(text: str) -> int:
    """Columns of a terminal that a text takes: East Asian characters and emoji take two."""
    return sum(
        0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1
        for c in text
    )


def ledger(report: Report) -> str:
    """What became of everything read."""
    from labelconv.problems import OUTCOMES

    rows = [
        (name, *(number(getattr(account, column)) for column in ("read", *OUTCOMES)))
        for name, account in report.ledger.rows()
        if account.read or name in ("samples", "annotations")
    ]
    return table(("", "read", *OUTCOMES), rows, right=True)


def evidence(report: Report) -> str:
    """Which format was recognised by what, and why it was none of those that come nearest."""
    if not report.evidence:
        return ""
    chosen, *others = report.evidence
    lines = [f"recognised as {chosen}", *(f"  not {words}" for words in others[:OTHERS_SHOWN])]
    if len(others) > OTHERS_SHOWN:
        lines.append("  nor any other; --report FILE has what each of them saw")
    return "\n".join(lines)


def problems(report: Report, severity: Severity) -> str:
    """Counts by code with the first problems of each."""
    ids = [
        id
        for id in sorted(report.counts)
        if report.code(id).severity == severity and id != _FIELD_LEFT_OUT
    ]
    if not ids:
        return ""
    first: dict[str, list[Problem]] = {id: [] for id in ids}
    for problem in report.problems:
        kept = first.get(problem.code)
        if kept is not None and len(kept) < SHOWN_PER_CODE:
            kept.append(problem)
    head, color = _HEADS[severity]
    lines = [click.style(head, fg=color)]
    for id in ids:
        count = report.counts[id]
        lines.append(f"  {id} {report.code(id).name}: {times(count)}")
        for problem in first[id]:
            place = str(problem.where)
            told = f"{place}: {problem.message}" if place else problem.message
            lines.append(f"    {plain(told)}")
        if count > SHOWN_PER_CODE:
            lines.append(f"    … and {number(count - SHOWN_PER_CODE)} more")
    return "\n".join(lines)


def measures(report: Report) -> str:
    """How far changed geometry is from what was read."""
    lines = [
        f"  {id} {report.code(id).name}: {_measured(measure)}"
        for id, measure in sorted(report.measures.items())
    ]
    return "\n".join(["measured", *lines]) if lines else ""


def _measured(measure: Measure) -> str:
    mean = measure.total / measure.count
    where = "" if measure.worst_where is None else f" at {measure.worst_where}"
    unit = "" if measure.unit == "iou" else f" {measure.unit}"
    form = ".4f" if measure.unit == "iou" else ".4g"
    name = "IoU " if measure.unit == "iou" else ""
    return (
        f"{name}{mean:{form}}{unit} in the mean, {measure.worst:{form}}{unit} at worst{where} "
        f"({times(measure.count)})"
    )


def fields(report: Report, head: str = "fields left out") -> str:
    """Fields of the source that have no place in the target."""
    lines = [f"  {plain(name)}: {times(count)}" for name, count in sorted(report.fields.items())]
    return "\n".join([head, *lines]) if lines else ""


def say_all(sections: Iterable[str]) -> None:
    """The sections that are not empty, with a blank line between them."""
    text = "\n\n".join(section for section in sections if section)
    if text:
        say(text)
