"""What writers take back of what `fit` said of an annotation, where only they see its fault."""

from __future__ import annotations

import msgspec

from labelconv import codes, geometry
from labelconv.model import Annotation, Keypoints, Sample
from labelconv.problems import Outcome, Report, Where


def correct(report: Report, key: str, id: str, outcome: Outcome) -> None:
    """Count an annotation of the sample `key` that was fitted last as `outcome`.

    `id` is the annotation's as it is written. Once lost it stays so; what became several
    annotations is counted as the one that it was.
    """
    of, fates = report.fates
    if of != key:
        fates = {}
        report.fates = key, fates
    source, before = fates.get(id, (id, "kept"))
    if before in ("lost", outcome):
        return
    report.ledger.annotations.move(before, outcome)
    fates[id] = source, outcome
    for other, (origin, _) in fates.items():
        if origin == source:
            fates[other] = source, outcome


def with_points(sample: Sample, target: str, report: Report) -> tuple[Annotation, ...]:
    """The annotations of a sample, for a target in which a skeleton is told by its points.

    Of a skeleton without points its outline is left, or nothing where it has none. That is told,
    and counted as lost.
    """
    annotations = sample.annotations
    for annotation in annotations:
        value = annotation.value
        if type(value) is Keypoints and not value.points:
            break
    else:
        return annotations
    left = (_outline_left(each, sample.key, target, report) for each in annotations)
    return tuple(each for each in left if each is not None)


def _outline_left(
    annotation: Annotation, key: str, target: str, report: Report
) -> Annotation | None:
    value = annotation.value
    if not isinstance(value, Keypoints) or value.points:
        return annotation
    place = Where(sample=key, annotation=annotation.id)
    correct(report, key, annotation.id, "lost")
    if value.outline is None or geometry.bounds(value.outline) is None:
        report.add(codes.VALUE_NOT_HELD, place, kind="skeleton without points", target=target)
        return None
    report.add(codes.DETAIL_DROPPED, place, what="a skeleton without a labelled point")
    return msgspec.structs.replace(annotation, value=value.outline)
