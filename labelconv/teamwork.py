"""A conversion in several processes: when it may be, and who does what (`labelconv.jobs`)."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO

from labelconv.conforming import is_needed
from labelconv.fit import Sums, fit, fit_part
from labelconv.format import Format
from labelconv.io import Source
from labelconv.jobs import Crew, Joint, number_of
from labelconv.model import Dataset, Sample
from labelconv.problems import Report


def crew_for(
    jobs: int | None, sources: Sequence[Source], writer: Format, settings: Any, report: Report
) -> Crew | None:
    """The processes for a conversion; None where one does all of it.

    One does it where nothing else would give the same result or be faster: several sources, a
    strict report (which stops at the first error), a small source, a writer that is not made for
    it, a target for which names and keys are spelled anew.
    """
    if len(sources) != 1 or sources[0].is_folder or report.strict:
        return None
    if writer.shared(settings) is None or all(map(is_needed, writer.holds(settings))):
        return None
    number = number_of(jobs, sources[0].size())
    return Crew(number) if number > 1 else None


def write_shared(
    dataset: Dataset,
    writer: Format,
    settings: Any,
    part: Path,
    report: Report,
    min_iou: float | None,
    crew: Crew,
) -> None:
    """Fit and write a dataset whose reader may hand stretches of it to other processes."""
    shared = writer.shared(settings)
    assert shared is not None  # for mypy; crew_for saw to it
    others = Sums()

    def work(samples: Iterator[Sample], own: Report, file: BinaryIO) -> dict[str, Any]:
        sums = Sums()
        fitted = fit_part(samples, writer, settings, own, sums, min_iou=min_iou)
        return {"writer": shared.write_part(fitted, file, settings, own), "fit": sums}

    crew.prepare(part.parent, work)
    crew.enroll("report", Joint(_always, lambda sealed, _: report.join(sealed)))
    crew.enroll("fit", Joint(_always, lambda sums, _: others.add(sums)))
    try:
        fitted = fit(dataset, writer, settings, report, min_iou=min_iou, others=others)
        shared.write(fitted, part, settings, report, functools.partial(crew.enroll, "writer"))
    finally:
        crew.end()


def _always(_: object) -> bool:
    return True
