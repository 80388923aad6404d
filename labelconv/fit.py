"""Cut a dataset down to what a format holds, and say every cut. The only place that lowers.

What fits goes through untouched. What does not is lowered along the table in `_lowered`; every step
adds a problem, geometry is measured, and the ledger's outcome of each annotation is decided here.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal, TypeVar

import msgspec

from labelconv import codes, problems
from labelconv.format import Format, Holds
from labelconv.lowering import Cut, Lowering, as_one, lower
from labelconv.model import (
    Annotation,
    Checklist,
    Classification,
    Dataset,
    Extra,
    FreeText,
    Keyframe,
    Keypoints,
    OnPage,
    Polygon,
    Radio,
    Relation,
    Sample,
    Samples,
    TextSpan,
    TokenSpan,
    Track,
    Value,
)
from labelconv.problems import Report, Where


def fit(
    dataset: Dataset,
    target: Format,
    options: object,
    report: Report,
    *,
    min_iou: float | None = None,
) -> Dataset:
    """The dataset as `target` can write it with these writer options.

    Iterating the result reports and counts, so a report accounts for one iteration. `min_iou` adds
    `IOU_LOW` for every shape that covers its source less than that (0 to 1).
    """
    held = {holds.media: holds for holds in target.holds(options)}

    def start() -> Iterator[Sample]:
        ledger = report.ledger
        empty = 0
        sized = named = False
        for sample in dataset:
            holds = held.get(type(sample.media))
            if holds is None:
                _leave_out(sample, target.name, report)
                continue
            if _fits(sample, holds):  # which says that there are no answers and no relations
                ledger.annotations.kept += len(sample.annotations)
                fitted = sample
            else:
                cut = Cut(holds, target.name, sample, report, min_iou)
                fitted = _fit_sample(sample, cut)
            if not holds.empty and not fitted.annotations and not fitted.classifications:
                empty += not sample.annotations and not sample.classifications
                continue
            if not holds.size and not sized:
                sized = getattr(sample.media, "width", None) is not None
            if not holds.uri and not named:
                named = sample.uri is not None and sample.uri != sample.key
            yield fitted
        if empty:
            report.add(codes.SAMPLE_EMPTY, count=empty)
        samples = ledger.samples
        samples.changed += empty
        samples.kept += (
            samples.read
            - samples.kept
            - samples.changed
            - samples.lost
            - samples.rejected
            - samples.skipped
        )
        if sized:
            report.field("size (of samples)", max(samples.kept, 1))
        if named:
            report.field("uri (of samples)", max(samples.kept, 1))

    return Samples(start, lambda: dataset.ontology, dataset.info)


def _fits(sample: Sample, holds: Holds) -> bool:
    """Whether a sample can be written as it is. The path that nearly all samples take."""
    if sample.classifications or sample.relations or sample.extra:
        return False
    for annotation in sample.annotations:  # noqa: SIM110 - a generator costs more
        if not _untouched(annotation, holds):
            return False
    return True


def _untouched(annotation: Annotation, holds: Holds) -> bool:
    """Whether an annotation can be written as it is."""
    value: Any = annotation.value
    kind = type(value)
    if kind not in holds.values or kind in _COMPOUND:
        return False
    if kind is Keypoints and value.outline is not None:
        value = value.outline
        kind = type(value)
        if kind not in holds.values:
            return False
    if kind is Polygon:
        parts = value.parts
        if len(parts) > 1 and not holds.parts:
            return False
        if not holds.holes:
            for part in parts:
                if len(part) > 1:
                    return False
    if annotation.confidence is not None and not holds.confidence:
        return False
    return not annotation.classifications and not annotation.extra


_COMPOUND = frozenset({Track, OnPage})


def _leave_out(sample: Sample, target: str, report: Report) -> None:
    media = type(sample.media).__name__
    report.add(codes.MEDIA_NOT_HELD, Where(sample=sample.key), media=media, target=target)
    report.ledger.samples.lost += 1
    report.ledger.annotations.lost += len(sample.annotations)
    report.ledger.classifications.lost += len(sample.classifications)
    report.ledger.relations.lost += len(sample.relations)


def _fit_sample(sample: Sample, cut: Cut) -> Sample:
    ledger = cut.report.ledger
    annotations: list[Annotation] = []
    renamed: dict[str, str] = {}
    fates: dict[str, tuple[str, problems.Outcome]] = {}
    cut.report.fates = sample.key, fates
    for annotation in sample.annotations:
        if _untouched(annotation, cut.holds):
            ledger.annotations.kept += 1
            renamed[annotation.id] = annotation.id
            annotations.append(annotation)
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
    classifications = []
    for classification in sample.classifications:
        kept = _fit_classification(classification, cut.holds.questions, cut, None)
        if kept is classification:
            ledger.classifications.kept += 1
        else:
            ledger.classifications.lost += 1
        if kept is not None:
            classifications.append(kept)
    return msgspec.structs.replace(
        sample,
        annotations=tuple(annotations),
        classifications=tuple(classifications),
        relations=tuple(_fit_relations(sample, renamed, cut)),
        extra=_fit_extra(sample.extra, cut),
    )


def _fit_relations(sample: Sample, renamed: dict[str, str], cut: Cut) -> Iterator[Relation]:
    account = cut.report.ledger.relations
    for relation in sample.relations:
        place = Where(sample=sample.key, annotation=relation.id)
        source, target = renamed.get(relation.source), renamed.get(relation.target)
        if not cut.holds.relations:
            cut.report.add(codes.RELATION_DROPPED, place, name=relation.category)
            account.lost += 1
        elif source is None or target is None:
            missing = relation.source if source is None else relation.target
            if any(annotation.id == missing for annotation in sample.annotations):
                what = f"the relation {relation.category!r}, whose end {missing} is left out,"
                cut.report.add(codes.DETAIL_DROPPED, place, what=what)
                account.lost += 1
            else:
                cut.report.add(codes.RELATION_END_MISSING, place, missing=missing)
                account.rejected += 1
        elif (source, target) == (relation.source, relation.target):
            account.kept += 1
            yield relation
        else:
            account.changed += 1
            yield msgspec.structs.replace(relation, source=source, target=target)


Outcome = Literal["kept", "changed", "lost"]


def _fit_annotation(annotation: Annotation, cut: Cut) -> tuple[list[Annotation], Outcome]:
    place = Where(sample=cut.sample.key, annotation=annotation.id)
    lowering = _fit_value(annotation.value, annotation.category, cut, place)
    if not lowering.pieces:
        return [], "lost"
    lost = lowering.lost
    confidence = annotation.confidence
    if confidence is not None and not cut.holds.confidence:
        cut.report.add(codes.CONFIDENCE_DROPPED, place)
        confidence, lost = None, True
    classifications = []
    for classification in annotation.classifications:
        kept = _fit_classification(classification, cut.holds.classifications, cut, annotation.id)
        lost = lost or kept is not classification
        if kept is not None:
            classifications.append(kept)
    extra = _fit_extra(annotation.extra, cut)
    names = _piece_names(annotation.id, len(lowering.pieces), cut.sample)
    fitted = [
        Annotation(
            names[number],
            category,
            value,
            tuple(classifications),
            confidence,
            extra,
        )
        for number, (category, value) in enumerate(lowering.pieces)
    ]
    return fitted, "lost" if lost else "changed" if lowering.changed else "kept"


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
        return _fit_track(value, category, cut, place)
    if isinstance(value, OnPage) and OnPage in holds.values:
        lowering = lower(value.shape, category, holds.on_page, cut, place)
        lowering.pieces = [(name, OnPage(value.page, s)) for name, s in lowering.pieces]  # type: ignore[arg-type]
        return lowering
    if isinstance(value, (Track, OnPage, TextSpan, TokenSpan)):
        if type(value) in holds.values:
            return Lowering([(category, value)])
        cut.report.add(codes.VALUE_NOT_HELD, place, kind=type(value).__name__, target=cut.target)
        return Lowering([], lost=True)
    return lower(value, category, holds.values, cut, place)


def _fit_track(track: Track, category: str, cut: Cut, place: Where) -> Lowering:
    """Each keyframe on its own; a keyframe cannot become several objects, so the largest stays."""
    single = as_one(cut)
    changed = lost = False
    segments = []
    for segment in track.segments:
        keyframes = []
        for keyframe in segment:
            lowering = lower(keyframe.shape, category, cut.holds.keyframes, single, place)
            changed, lost = changed or lowering.changed, lost or lowering.lost
            if not lowering.pieces:
                return Lowering([], lost=True)
            asked = [
                _fit_classification(c, cut.holds.classifications, cut, place.annotation)
                for c in keyframe.classifications
            ]
            lost = lost or any(
                a is not b for a, b in zip(asked, keyframe.classifications, strict=True)
            )
            shape = lowering.pieces[0][1]
            kept = tuple(c for c in asked if c is not None)
            keyframes.append(Keyframe(keyframe.frame, shape, kept))  # type: ignore[arg-type]
        segments.append(tuple(keyframes))
    return Lowering([(category, Track(tuple(segments)))], changed=changed, lost=lost)


_Chosen = TypeVar("_Chosen", bound=Radio | FreeText)


def _fit_classification(
    classification: Classification, depth: int, cut: Cut, annotation: str | None
) -> Classification | None:
    """The classification down to `depth` levels; the same object when nothing was cut."""
    place = Where(sample=cut.sample.key, annotation=annotation)
    answer = classification.answer
    if depth <= 0 or type(answer) not in cut.holds.answers:
        cut.report.add(codes.CLASSIFICATION_DROPPED, place, name=classification.name)
        return None

    def below(nested: tuple[Classification, ...]) -> tuple[Classification, ...]:
        kept = tuple(c for n in nested if (c := _fit_classification(n, depth - 1, cut, annotation)))
        return nested if kept == nested else kept

    def certainty(confidence: float | None) -> float | None:
        if confidence is None or cut.holds.confidence:
            return confidence
        cut.report.add(codes.CONFIDENCE_DROPPED, place)
        return None

    def option(chosen: _Chosen) -> _Chosen:
        kept, sure = below(chosen.classifications), certainty(chosen.confidence)
        if kept is chosen.classifications and sure is chosen.confidence:
            return chosen
        return msgspec.structs.replace(chosen, classifications=kept, confidence=sure)

    fitted: Radio | Checklist | FreeText
    if isinstance(answer, (Radio, FreeText)):
        fitted = option(answer)
    else:
        options = tuple(option(chosen) for chosen in answer.options)
        same = all(a is b for a, b in zip(options, answer.options, strict=True))
        fitted = answer if same else Checklist(options)
    if fitted is answer:
        return classification
    return msgspec.structs.replace(classification, answer=fitted)


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
