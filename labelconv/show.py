"""What is in a dataset: counts, and its first samples."""

from __future__ import annotations

from collections import Counter

import msgspec

from labelconv.model import Dataset, Image, Keypoints, OnPage, Polygon, Sample, TiledImage, Video


class First(msgspec.Struct):
    """One of the first samples: its key, its media in words, and what is on it."""

    key: str
    media: str
    annotations: dict[str, int] = {}
    answers: int = 0


class Summary(msgspec.Struct):
    """Counts over a dataset.

    `kinds` counts annotations by category and kind of value; `sizes` samples by the media's size in
    words; `questions` answers on samples and annotations; `traits` whatever is remarkable: polygons
    of several parts or with holes, confidence, answers and relations.
    """

    samples: int = 0
    empty: int = 0
    annotations: int = 0
    media: Counter[str] = msgspec.field(default_factory=Counter)
    sizes: Counter[str] = msgspec.field(default_factory=Counter)
    kinds: Counter[tuple[str, str]] = msgspec.field(default_factory=Counter)
    questions: Counter[str] = msgspec.field(default_factory=Counter)
    relations: Counter[str] = msgspec.field(default_factory=Counter)
    traits: Counter[str] = msgspec.field(default_factory=Counter)
    first: list[First] = []


def summary(dataset: Dataset, limit: int = 3) -> Summary:
    """Count what is in a dataset, whose samples may come in pieces; `limit` samples are kept."""
    out = Summary(first=[])
    filled: dict[str, bool] = {}
    first: dict[str, First] = {}
    for sample in dataset:
        if sample.key not in filled:
            filled[sample.key] = False
            out.media[type(sample.media).__name__.lower()] += 1
            out.sizes[_size(sample)] += 1
            if len(first) < limit:
                first[sample.key] = First(sample.key, _size(sample), {}, 0)
        if sample.annotations or sample.classifications:
            filled[sample.key] = True
        _count(sample, out)
        if sample.key in first:
            _look(sample, first[sample.key])
    out.samples = len(filled)
    out.empty = sum(not used for used in filled.values())
    out.first = list(first.values())
    return out


def _count(sample: Sample, out: Summary) -> None:
    out.annotations += len(sample.annotations)
    for annotation in sample.annotations:
        value = annotation.value
        shape = value.shape if isinstance(value, OnPage) else value
        out.kinds[annotation.category, type(shape).__name__.lower()] += 1
        if isinstance(shape, Polygon):
            if len(shape.parts) > 1:
                out.traits["polygons of several parts"] += 1
            if any(len(part) > 1 for part in shape.parts):
                out.traits["polygons with holes"] += 1
        elif isinstance(shape, Keypoints) and shape.outline is not None:
            out.traits["skeletons with an outline"] += 1
        if annotation.confidence is not None:
            out.traits["annotations with confidence"] += 1
        for answered in annotation.classifications:
            out.questions[answered.name] += 1
    for answered in sample.classifications:
        out.questions[answered.name] += 1
    for relation in sample.relations:
        out.relations[relation.category] += 1


def _look(sample: Sample, first: First) -> None:
    for annotation in sample.annotations:
        words = f"{type(annotation.value).__name__.lower()} {annotation.category!r}"
        first.annotations[words] = first.annotations.get(words, 0) + 1
    first.answers += len(sample.classifications)


def _size(sample: Sample) -> str:
    media = sample.media
    if isinstance(media, (Image, Video, TiledImage)):
        known = media.width is not None and media.height is not None
        return f"{media.width:g}×{media.height:g}" if known else "unknown"
    return type(media).__name__.lower()
