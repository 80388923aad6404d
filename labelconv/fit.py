"""Cut a dataset down to what a format holds, and say every cut. The only place that lowers.

What fits goes through untouched. What does not is lowered (`labelconv.lowering`); every step
adds a problem, geometry is measured, and the ledger's outcome of each annotation is decided here.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, cast

import msgspec

from labelconv import codes
from labelconv.answers import fit_answer, fit_answers, fit_relations
from labelconv.conforming import Conforming, is_needed, is_of_each
from labelconv.features import as_asked, as_drawn
from labelconv.fits import fits, untouched
from labelconv.format import Format, Holds
from labelconv.lowering import Cut, Lowering
from labelconv.model import (
    Annotation,
    Classification,
    Dataset,
    Extra,
    OnPage,
    Ontology,
    Sample,
    Samples,
    Shape,
    Text,
    TextSpan,
    TiledImage,
    TokenSpan,
    Track,
    Value,
)
from labelconv.problems import Outcome, Report, Where
from labelconv.tracks import fault_of

if TYPE_CHECKING:
    from labelconv.moved import Moved


class Sums(msgspec.Struct):
    """What is told once, at the end of all samples: how many were empty, whether any of them had a
    size or an address that the target does not hold; what was moved to which CRS."""

    empty: int = 0
    sized: bool = False
    named: bool = False
    moved: dict[str, Moved] = {}

    def add(self, other: Sums) -> None:
        self.empty += other.empty
        self.sized = self.sized or other.sized
        self.named = self.named or other.named
        for target, moved in other.moved.items():
            known = self.moved.setdefault(target, moved)
            if known is not moved:
                known.join(moved)


def fit(
    dataset: Dataset,
    target: Format,
    options: object,
    report: Report,
    *,
    min_iou: float | None = None,
    others: Sums | None = None,
) -> Dataset:
    """The dataset as `target` can write it with these writer options.

    Iterating the result reports and counts, so a report accounts for one iteration. `min_iou` adds
    `IOU_LOW` for every shape that covers its source less than that (0 to 1). `others` is what other
    processes met, complete when the samples are at their end (`fit_part`).
    """
    held = {holds.media: holds for holds in target.holds(options)}
    #: Of the latest iteration; the ontology's names are those of its samples.
    conforming = _conforming(held, target.name, report)
    started = False

    def start() -> Iterator[Sample]:
        nonlocal started
        if started:
            conforming.update(_conforming(held, target.name, report))
        started = True
        sums = Sums()
        yield from _fitted(iter(dataset), held, conforming, target.name, report, min_iou, sums)
        if others is not None:
            sums.add(others)
        for media, each in conforming.items():
            if media is TiledImage:
                each.join(sums.moved)
            each.finish()
        _tell(sums, report)

    def ontology() -> Ontology:
        found = dataset.ontology
        for each in conforming.values():
            found = each.ontology(found)
        return found

    return Samples(start, ontology, dataset.info)


def fit_part(
    samples: Iterator[Sample],
    target: Format,
    options: object,
    report: Report,
    sums: Sums,
    *,
    min_iou: float | None = None,
) -> Iterator[Sample]:
    """The samples of a part of a dataset, fitted by another process than its first part.

    Nothing is told at the end; what `fit` must know of them then is added to `sums`. Raises
    `ValueError` at a sample that must be seen with all others, to be spelled for the target.
    """
    held = {holds.media: holds for holds in target.holds(options)}
    spelled = frozenset(media for media, holds in held.items() if not is_of_each(holds))
    if spelled:
        samples = _without(spelled, samples)
    conforming = _conforming(held, target.name, report)
    yield from _fitted(samples, held, conforming, target.name, report, min_iou, sums)
    for each in conforming.values():
        sums.moved.update(each.moved())


def _without(media: frozenset[type[Any]], samples: Iterator[Sample]) -> Iterator[Sample]:
    for sample in samples:
        if type(sample.media) in media:
            raise ValueError(f"{sample.key}: a sample that is fitted with all others expected")
        yield sample


def _fitted(
    samples: Iterator[Sample],
    held: dict[type[Any], Holds],
    conforming: dict[type[Any], Conforming],
    target: str,
    report: Report,
    min_iou: float | None,
    sums: Sums,
) -> Iterator[Sample]:
    ledger = report.ledger
    own = f"{target}:"
    empty = 0
    sized = named = False
    left_out: set[str] = set()
    for sample in samples:
        holds = held.get(type(sample.media))
        if holds is None:
            _leave_out(sample, target, left_out, report)
            continue
        given = sample
        before = _NOTHING
        if report.passed[0] == sample.key:
            (_, before), report.passed = report.passed, _PASSED
        if conforming and (conform := conforming.get(holds.media)) is not None:
            conformed, outcomes = conform.sample(sample)
            if conformed is None:
                continue
            sample = conformed
            before = outcomes if not before else {**before, **outcomes}
        if not before and fits(sample, holds, own):  # so there are no answers and no relations
            ledger.annotations.kept += len(sample.annotations)
            fitted = sample
        elif _all_changed(before, sample) and fits(sample, holds, own):
            ledger.annotations.changed += len(sample.annotations)
            report.fates = sample.key, {id: (id, "changed") for id in before}
            fitted = sample
        else:
            if holds.features is not None:
                sample, before = as_asked(sample, before, holds.features, report)
            cut = Cut(holds, target, sample, report, min_iou, before)
            fitted = _fit_sample(sample, given, cut)
        if not holds.empty and not fitted.annotations and not fitted.classifications:
            empty += not given.annotations and not given.classifications
            if sample.key != given.key:
                report.ledger.samples.changed -= 1  # it was counted with its key
            continue
        if not holds.size and not sized:
            sized = _has_size(sample.media)
        if not holds.uri and not named:
            named = sample.uri is not None and sample.uri != sample.key
        yield fitted
    sums.add(Sums(empty, sized, named))


def _tell(sums: Sums, report: Report) -> None:
    """Tell what is told once, and count the samples that nobody decided about as kept."""
    samples = report.ledger.samples
    if sums.empty:
        report.add(codes.SAMPLE_EMPTY, count=sums.empty)
    samples.changed += sums.empty
    samples.kept += (
        samples.read
        - samples.kept
        - samples.changed
        - samples.lost
        - samples.rejected
        - samples.skipped
    )
    if sums.sized:
        report.field("size (of samples)", max(samples.kept, 1))
    if sums.named:
        report.field("uri (of samples)", max(samples.kept, 1))


def _conforming(
    held: dict[type[Any], Holds], target: str, report: Report
) -> dict[type[Any], Conforming]:
    """What makes samples conform, by media; empty where nothing is asked for."""
    if not any(map(is_needed, held.values())):
        return {}
    return {
        media: Conforming(holds, target, report)
        for media, holds in held.items()
        if is_needed(holds)
    }


_NOTHING: dict[str, Outcome] = {}
_PASSED: tuple[str, dict[str, Outcome]] = ("", {})


def _has_size(media: Any) -> bool:
    """Whether a medium says how large or how long it is."""
    if type(media) is Text:
        return False
    return any(getattr(media, name, None) for name in ("width", "pages", "duration"))


def _all_changed(before: dict[str, Outcome], sample: Sample) -> bool:
    """Whether all annotations of a sample are changed and none is lost, as when it was moved."""
    return len(before) == len(sample.annotations) and "lost" not in before.values()


def _leave_out(sample: Sample, target: str, left_out: set[str], report: Report) -> None:
    """Count a sample, or another piece of one that is `left_out` already."""
    if sample.key not in left_out:
        left_out.add(sample.key)
        media = type(sample.media).__name__
        report.add(codes.MEDIA_NOT_HELD, Where(sample=sample.key), media=media, target=target)
        report.ledger.samples.lost += 1
    report.ledger.annotations.lost += len(sample.annotations)
    report.ledger.classifications.lost += len(sample.classifications)
    report.ledger.relations.lost += len(sample.relations)


def _fit_sample(sample: Sample, given: Sample, cut: Cut) -> Sample:
    ledger = cut.report.ledger
    own = f"{cut.target}:"
    annotations: list[Annotation] = []
    renamed: dict[str, str] = {}
    fates: dict[str, tuple[str, Outcome]] = {}
    cut.report.fates = sample.key, fates
    for annotation in sample.annotations:
        if annotation.id not in cut.before and untouched(annotation, cut.holds, own):
            ledger.annotations.kept += 1
            renamed[annotation.id] = annotation.id
            annotations.append(annotation)
            continue
        if isinstance(annotation.value, Track) and (fault := fault_of(annotation.value)):
            place = Where(sample=sample.key, annotation=annotation.id)
            record = msgspec.json.encode(annotation)
            cut.report.reject(codes.SHAPE_INVALID, place, record, found=fault)
            continue
        fitted, outcome = _fit_annotation(annotation, cut)
        if outcome == "kept":
            ledger.annotations.kept += 1
        elif outcome == "changed":
            ledger.annotations.changed += 1
        else:
            ledger.annotations.lost += 1
        fates.update({piece.id: (annotation.id, outcome) for piece in fitted})
        if fitted:
            renamed[annotation.id] = fitted[0].id
        annotations.extend(fitted)
    if cut.holds.tracks.masks == "pictures":
        from labelconv.lowering_tracks import as_pictures

        annotations = as_pictures(annotations, fates, cut)
    return msgspec.structs.replace(
        sample,
        annotations=tuple(annotations),
        classifications=fit_answers(sample, given, cut),
        relations=tuple(fit_relations(sample, given, renamed, cut)),
        extra=_fit_extra(sample.extra, cut),
    )


def _fit_annotation(annotation: Annotation, cut: Cut) -> tuple[list[Annotation], Outcome]:
    place = Where(sample=cut.sample.key, annotation=annotation.id)
    lowering = _fit_value(annotation.value, annotation.category, cut, place)
    if not lowering.pieces:
        return [], "lost"
    before = cut.before.get(annotation.id, "kept")
    lost = lowering.lost or before == "lost"
    confidence = annotation.confidence
    if confidence is not None and not cut.holds.confidence:
        cut.report.add(codes.CONFIDENCE_DROPPED, place)
        confidence, lost = None, True
    classifications = []
    for classification in annotation.classifications:
        kept = fit_answer(classification, cut.holds.classifications, cut, annotation.id)
        lost = lost or kept is not classification
        if kept is not None:
            classifications.append(kept)
    asked = tuple(classifications)
    if isinstance(annotation.value, Track):
        asked, lost = _finish_tracks(lowering, asked, cut, place, lost=lost)
        if not lowering.pieces:
            return [], "lost"
    extra = _fit_extra(annotation.extra, cut)
    names = _piece_names(annotation.id, len(lowering.pieces), cut.sample)
    fitted = [
        Annotation(
            names[number],
            category,
            value,
            asked,
            confidence,
            extra,
        )
        for number, (category, value) in enumerate(lowering.pieces)
    ]
    changed = lowering.changed or before == "changed"
    return fitted, "lost" if lost else "changed" if changed else "kept"


def _finish_tracks(
    lowering: Lowering,
    asked: tuple[Classification, ...],
    cut: Cut,
    place: Where,
    *,
    lost: bool,
) -> tuple[tuple[Classification, ...], bool]:
    """Tracks as they are held, put into `lowering`; the answers left to the whole of them."""
    from labelconv.lowering_tracks import finish

    pieces: list[tuple[str, Value]] = []
    left = asked
    for category, value in lowering.pieces:
        if isinstance(value, Track):
            done = finish(value, asked, cut, place)
            left, lost = done.classifications, lost or done.lost
            lowering.changed = lowering.changed or done.changed
            pieces += [] if done.track is None else [(category, done.track)]
    lowering.pieces = pieces
    return left, lost


def _piece_names(id: str, count: int, sample: Sample) -> list[str]:
    """Ids for the pieces of an annotation, none of which another annotation has already."""
    if count == 1:
        return [id]
    taken = {annotation.id for annotation in sample.annotations}
    start = f"{id}/"
    while any(f"{start}{number}" in taken for number in range(count)):
        start += "/"
    return [f"{start}{number}" for number in range(count)]


def _fit_value(value: Value, category: str, cut: Cut, place: Where) -> Lowering:
    holds = cut.holds
    if isinstance(value, Track) and Track in holds.values:
        from labelconv.lowering_tracks import lower_track

        return lower_track(value, category, cut, place)
    if isinstance(value, OnPage) and OnPage in holds.values:
        lowering = as_drawn(value.shape, category, holds.on_page, cut, place)
        # What is lowered to kinds held on pages is a shape.
        shapes = ((name, cast("Shape", shape)) for name, shape in lowering.pieces)
        lowering.pieces = [(name, OnPage(value.page, shape)) for name, shape in shapes]
        return lowering
    if isinstance(value, (Track, OnPage, TextSpan, TokenSpan)):
        if type(value) in holds.values:
            return Lowering([(category, value)])
        cut.report.add(codes.VALUE_NOT_HELD, place, kind=type(value).__name__, target=cut.target)
        return Lowering([], lost=True)
    return as_drawn(value, category, holds.values, cut, place)


def _fit_extra(extra: Extra, cut: Cut) -> Extra:
    if not extra or cut.holds.extra == "all":
        return extra
    own = f"{cut.target}:"
    kept: Extra = {}
    for name, value in extra.items():
        if cut.holds.extra == "own" and name.startswith(own):
            kept[name] = value
        else:
            cut.report.field(name)
    return kept
