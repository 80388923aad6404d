"""Cut a dataset down to what a format holds, and say every cut. The only place that lowers.

What fits goes through untouched. What does not is lowered along the table in `_lowered`; every step
adds a problem, geometry is measured, and the ledger's outcome of each annotation is decided here.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeVar

import msgspec

from labelconv import codes
from labelconv.answers import by_start, in_time
from labelconv.conforming import Conforming, is_needed
from labelconv.format import Format, Holds
from labelconv.lowering import Cut, Lowering, as_one, lower
from labelconv.model import (
    Annotation,
    Box,
    Checklist,
    Classification,
    Dataset,
    Extra,
    FreeText,
    Keyframe,
    Keypoints,
    Mask,
    OnPage,
    Ontology,
    OrientedBox,
    Point,
    Polygon,
    Polyline,
    Radio,
    Relation,
    Sample,
    Samples,
    Text,
    TextSpan,
    TokenSpan,
    Track,
    Value,
)
from labelconv.problems import Outcome, Report, Where


class Sums(msgspec.Struct):
    """What is told once, at the end of all samples: how many were empty, whether any of them had a
    size or an address that the target does not hold."""

    empty: int = 0
    sized: bool = False
    named: bool = False

    def add(self, other: Sums) -> None:
        self.empty += other.empty
        self.sized = self.sized or other.sized
        self.named = self.named or other.named


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
    spelled = frozenset(media for media, holds in held.items() if is_needed(holds))
    if spelled:
        samples = _without(spelled, samples)
    return _fitted(samples, held, {}, target.name, report, min_iou, sums)


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
    for sample in samples:
        holds = held.get(type(sample.media))
        if holds is None:
            _leave_out(sample, target, report)
            continue
        given = sample
        before = _before(sample, report) if report.passed[0] == sample.key else _NOTHING
        if conforming and (conform := conforming.get(holds.media)) is not None:
            conformed, outcomes = conform.sample(sample)
            if conformed is None:
                continue
            sample = conformed
            before = outcomes if not before else {**before, **outcomes}
        if not before and _fits(sample, holds, own):  # so there are no answers and no relations
            ledger.annotations.kept += len(sample.annotations)
            fitted = sample
        elif _all_changed(before, sample) and _fits(sample, holds, own):
            ledger.annotations.changed += len(sample.annotations)
            report.fates = sample.key, {id: (id, "changed") for id in before}
            fitted = sample
        else:
            cut = Cut(holds, target, sample, report, min_iou, before)
            fitted = _fit_sample(sample, cut)
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
    for conform in conforming.values():
        conform.finish()
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


def _before(sample: Sample, report: Report) -> dict[str, Outcome]:
    """What a pass did to the annotations of the sample that it gives now."""
    key, outcomes = report.passed
    if key != sample.key:
        return {}
    report.passed = ("", {})
    return outcomes


def _has_size(media: Any) -> bool:
    """Whether a medium says how large or how long it is."""
    if type(media) is Text:
        return False
    return any(getattr(media, name, None) for name in ("width", "pages", "duration"))


def _all_changed(before: dict[str, Outcome], sample: Sample) -> bool:
    """Whether all annotations of a sample are changed and none is lost, as when it was moved."""
    return len(before) == len(sample.annotations) and "lost" not in before.values()


def _fits(sample: Sample, holds: Holds, own: str) -> bool:
    """Whether a sample can be written as it is. The path that nearly all samples take.

    `own` begins the names of the extra fields that are the target's own.
    """
    if sample.classifications or sample.relations:
        return False
    if sample.extra and not _is_held(sample.extra, holds, own):
        return False
    values = holds.values
    for annotation in sample.annotations:
        kind = type(annotation.value)
        if (
            kind in _SIMPLE
            and kind in values
            and annotation.confidence is None
            and not annotation.classifications
            and not annotation.extra
        ):  # most annotations; a call for each would cost more than this
            continue
        if not _untouched(annotation, holds, own):
            return False
    return True


def _is_held(extra: Extra, holds: Holds, own: str) -> bool:
    """Whether all extra fields are written back."""
    if holds.extra != "own":
        return holds.extra == "all"
    for name in extra:  # noqa: SIM110 - a generator costs more
        if not name.startswith(own):
            return False
    return True


def _untouched(annotation: Annotation, holds: Holds, own: str) -> bool:
    """Whether an annotation can be written as it is."""
    value: Any = annotation.value
    kind = type(value)
    if kind not in holds.values or kind in _COMPOUND:
        return False
    if kind is Keypoints and value.outline is None and holds.outlined:
        return False
    if kind is Keypoints and value.outline is not None:
        value = value.outline
        kind = type(value)
        if kind not in (holds.values if holds.outlines is None else holds.outlines):
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
    if annotation.classifications:
        return False
    return not annotation.extra or _is_held(annotation.extra, holds, own)


_COMPOUND = frozenset({Track, OnPage})
#: Kinds of value that are held or not, whatever is in them.
_SIMPLE = frozenset({Box, Mask, OrientedBox, Point, Polyline, TextSpan, TokenSpan})


def _leave_out(sample: Sample, target: str, report: Report) -> None:
    media = type(sample.media).__name__
    report.add(codes.MEDIA_NOT_HELD, Where(sample=sample.key), media=media, target=target)
    report.ledger.samples.lost += 1
    report.ledger.annotations.lost += len(sample.annotations)
    report.ledger.classifications.lost += len(sample.classifications)
    report.ledger.relations.lost += len(sample.relations)


def _fit_sample(sample: Sample, cut: Cut) -> Sample:
    ledger = cut.report.ledger
    own = f"{cut.target}:"
    annotations: list[Annotation] = []
    renamed: dict[str, str] = {}
    fates: dict[str, tuple[str, Outcome]] = {}
    cut.report.fates = sample.key, fates
    for annotation in sample.annotations:
        if annotation.id not in cut.before and _untouched(annotation, cut.holds, own):
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
    if cut.holds.tracks.masks == "pictures":
        from labelconv.lowering_tracks import as_pictures

        annotations = as_pictures(annotations, fates, cut)
    classifications: list[Classification] = []
    for classification, pieces in in_time(sample.classifications, cut):
        depth = cut.holds.questions
        kept = [_fit_classification(piece, depth, cut, None, top=True) for piece in pieces]
        if not kept or any(one is not two for one, two in zip(kept, pieces, strict=True)):
            ledger.classifications.lost += 1
        elif pieces == (classification,):
            ledger.classifications.kept += 1
        else:
            ledger.classifications.changed += 1
        classifications.extend(each for each in kept if each is not None)
    classifications = by_start(classifications, cut.holds)
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
            if missing in cut.before or any(
                annotation.id == missing for annotation in sample.annotations
            ):
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
        kept = _fit_classification(classification, cut.holds.classifications, cut, annotation.id)
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
    plain = cut.holds.keyframes & _WHOLE
    changed = lost = False
    segments = []
    for segment in track.segments:
        keyframes = []
        for keyframe in segment:
            if type(keyframe.shape) in plain and not keyframe.classifications:
                keyframes.append(keyframe)
                continue
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


#: Shapes that are held or not, whatever they look like.
_WHOLE = frozenset({Box, Mask, OrientedBox, Point, Polyline})

_Chosen = TypeVar("_Chosen", bound=Radio | FreeText)


def _fit_classification(
    classification: Classification,
    depth: int,
    cut: Cut,
    annotation: str | None,
    *,
    top: bool = False,
) -> Classification | None:
    """The classification down to `depth` levels; the same object when nothing was cut."""
    place = Where(sample=cut.sample.key, annotation=annotation)
    answer = classification.answer
    if depth <= 0 or type(answer) not in cut.holds.answers:
        cut.report.add(codes.CLASSIFICATION_DROPPED, place, name=classification.name)
        return None
    held = cut.holds.ranges
    if classification.ranges and held != "all" and not (top and held in ("top", "only")):
        what = f"when the answer to {classification.name!r} holds"
        cut.report.add(codes.DETAIL_DROPPED, place, what=what)
        classification = msgspec.structs.replace(classification, ranges=())
    if classification.message is not None and not top and held != "all":
        what = f"the message of the answer to {classification.name!r}, below another,"
        cut.report.add(codes.DETAIL_DROPPED, place, what=what)
        classification = msgspec.structs.replace(classification, message=None)

    def below(nested: tuple[Classification, ...]) -> tuple[Classification, ...]:
        kept = tuple(c for n in nested if (c := _fit_classification(n, depth - 1, cut, annotation)))
        return nested if kept == nested else kept

    said = cut.holds.sure_answers
    may_be_sure = cut.holds.confidence if said is None else said

    def certainty(confidence: float | None) -> float | None:
        if confidence is None or may_be_sure:
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
