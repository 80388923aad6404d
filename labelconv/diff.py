"""What differs between two datasets in what they say, whatever formats they came from."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from typing import Any, Literal

import msgspec

from labelconv.matching import Matches, Pair, match
from labelconv.model import Annotation, Dataset, Sample

#: Coordinates that differ by no more than this, in the unit of the media, are equal.
TOLERANCE = 1e-3
#: Confidences that differ by no more than this are equal.
_SAME_CONFIDENCE = 1e-6
_SAME_IOU = 1 - 1e-9

Kind = Literal[
    "moved",
    "reshaped",
    "kind",
    "split",
    "joined",
    "category",
    "confidence",
    "answers",
    "relation",
    "media",
]


class Place(msgspec.Struct, frozen=True):
    """An annotation of one side."""

    sample: str
    annotation: str
    category: str
    kind: str


class Change(msgspec.Struct, frozen=True, omit_defaults=True):
    """Something that both sides have and that differs.

    `a` and `b` are the ids of the annotations; several where an object was split or joined, none
    where it is about the whole sample. `drift` is in the unit of the media, `iou` from 0 to 1.

    - `moved`: the same points elsewhere, by `drift`; `reshaped`: other points, with the `iou`.
    - `kind`: another kind of shape, such as a mask for a polygon; `split`, `joined`: one object as
      several, or the other way round.
    - `category`, `confidence`, `answers`, `relation`, `media`: that differs.
    """

    what: Kind
    sample: str
    a: tuple[str, ...] = ()
    b: tuple[str, ...] = ()
    category: str | None = None
    drift: float | None = None
    iou: float | None = None
    words: str = ""


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """The difference of two datasets.

    `same` counts the annotations that are equal on both sides. `empty_only_in_a` and
    `empty_only_in_b` count those of the samples on one side that have no annotations. `details` are
    sizes, addresses, ids, categories and extra fields that one side lacks, by name: they do not
    make two datasets different.
    """

    samples_a: int
    samples_b: int
    annotations_a: int
    annotations_b: int
    same: int
    samples_only_in_a: tuple[str, ...]
    samples_only_in_b: tuple[str, ...]
    empty_only_in_a: int
    empty_only_in_b: int
    annotations_only_in_a: tuple[Place, ...]
    annotations_only_in_b: tuple[Place, ...]
    changes: tuple[Change, ...]
    details: dict[str, int]

    @property
    def is_none(self) -> bool:
        """Whether the datasets say the same."""
        return not (
            self.samples_only_in_a
            or self.samples_only_in_b
            or self.annotations_only_in_a
            or self.annotations_only_in_b
            or self.changes
        )

    @property
    def counts(self) -> dict[str, int]:
        """How many changes there are of each kind."""
        counts: dict[str, int] = {}
        for change in self.changes:
            counts[change.what] = counts.get(change.what, 0) + 1
        return dict(sorted(counts.items()))

    def as_dict(self) -> dict[str, Any]:
        """The difference as plain data."""
        plain: dict[str, Any] = msgspec.to_builtins(self)
        return {"same_content": self.is_none, "counts": self.counts, **plain}


def diff(
    a: Dataset | str | os.PathLike[str],
    b: Dataset | str | os.PathLike[str],
    *,
    tolerance: float = TOLERANCE,
) -> Difference:
    """Compare two datasets, or the files they are in. Samples are matched by their keys.

    `tolerance` is the largest distance of coordinates that counts as equal, in the unit of the
    media. Keeps the samples of `a` in memory.
    """
    return _Comparison(tolerance).run(_dataset(a), _dataset(b))


def _dataset(given: Dataset | str | os.PathLike[str]) -> Dataset:
    if isinstance(given, (str, os.PathLike)):
        from labelconv.reading import read

        return read(given)
    return given


class _Comparison:
    """What was found so far."""

    def __init__(self, tolerance: float) -> None:
        self.tolerance = tolerance
        self.same = 0
        self.only_a: list[Place] = []
        self.only_b: list[Place] = []
        self.changes: list[Change] = []
        self.details: dict[str, int] = {}

    def run(self, a: Dataset, b: Dataset) -> Difference:
        waiting: dict[str, Sample] = {}
        samples_a = samples_b = annotations_a = annotations_b = 0
        for sample in a:
            samples_a += 1
            annotations_a += len(sample.annotations)
            waiting[sample.key] = sample
        extra: list[Sample] = []
        for sample in b:
            samples_b += 1
            annotations_b += len(sample.annotations)
            ours = waiting.pop(sample.key, None)
            if ours is None:
                extra.append(sample)
            else:
                self._sample(ours, sample)
        self._categories(a, b)
        missing = list(waiting.values())
        return Difference(
            samples_a=samples_a,
            samples_b=samples_b,
            annotations_a=annotations_a,
            annotations_b=annotations_b,
            same=self.same,
            samples_only_in_a=tuple(sample.key for sample in missing),
            samples_only_in_b=tuple(sample.key for sample in extra),
            empty_only_in_a=sum(_is_empty(sample) for sample in missing),
            empty_only_in_b=sum(_is_empty(sample) for sample in extra),
            annotations_only_in_a=(*self.only_a, *_places(missing)),
            annotations_only_in_b=(*self.only_b, *_places(extra)),
            changes=tuple(self.changes),
            details=dict(sorted(self.details.items())),
        )

    # ------------------------------------------------------------------ one sample

    def _sample(self, a: Sample, b: Sample) -> None:
        self._media(a, b)
        self._fields(a.extra, b.extra, "sample")
        if _set(a.classifications) != _set(b.classifications):
            self._change("answers", a, words=_answers_words(a.classifications, b.classifications))
        ours, theirs = a.annotations, b.annotations
        found = match(ours, theirs)
        for pair in found.pairs:
            self._pair(a, ours[pair.a], theirs[pair.b], pair)
        split: Kind = "split"
        joined: Kind = "joined"
        for what, groups, one, several in (
            (split, found.splits, ours, theirs),
            (joined, found.joins, theirs, ours),
        ):
            for group in groups:
                single: tuple[str, ...] = (one[group.one].id,)
                many = tuple(several[position].id for position in group.several)
                left, right = (single, many) if what == split else (many, single)
                self._change(what, a, left, right, one[group.one].category, iou=group.iou)
        for left_one, right_one in found.renamed:
            before, after = ours[left_one], theirs[right_one]
            words = f"{before.category!r} is {after.category!r}"
            self._change("category", a, (before.id,), (after.id,), before.category, words=words)
        self.only_a.extend(_place(a.key, ours[position]) for position in found.left_a)
        self.only_b.extend(_place(a.key, theirs[position]) for position in found.left_b)
        if a.relations or b.relations:
            self._relations(a, b, found)

    def _pair(self, sample: Sample, a: Annotation, b: Annotation, pair: Pair) -> None:
        before = len(self.changes)
        ids = ((a.id,), (b.id,), a.category)
        if type(a.value) is not type(b.value):
            words = f"{_word(a)} is {_word(b)}"
            self._change("kind", sample, *ids, iou=pair.iou, words=words)
        elif pair.drift is not None:
            if pair.drift > self.tolerance:
                self._change("moved", sample, *ids, drift=pair.drift, iou=pair.iou)
        elif pair.iou is None or pair.iou < _SAME_IOU:
            self._change("reshaped", sample, *ids, iou=pair.iou)
        if not _same_confidence(a.confidence, b.confidence):
            words = f"{a.confidence} in A, {b.confidence} in B"
            self._change("confidence", sample, *ids, words=words)
        if _set(a.classifications) != _set(b.classifications):
            words = _answers_words(a.classifications, b.classifications)
            self._change("answers", sample, *ids, words=words)
        self.same += len(self.changes) == before
        if a.id != b.id:
            self._detail("annotation id differs")
        self._fields(a.extra, b.extra, "annotation")

    def _relations(self, a: Sample, b: Sample, found: Matches) -> None:
        names = {b.annotations[p.b].id: a.annotations[p.a].id for p in found.pairs}
        names |= {
            b.annotations[after].id: a.annotations[before].id for before, after in found.renamed
        }
        for group in found.splits:
            names |= {b.annotations[p].id: a.annotations[group.one].id for p in group.several}
        ours = {(r.category, r.source, r.target, r.directed) for r in a.relations}
        theirs = {
            (r.category, names.get(r.source, ""), names.get(r.target, ""), r.directed)
            for r in b.relations
        }
        for side, only in (("A", ours - theirs), ("B", theirs - ours)):
            for category, source, target, _ in sorted(only):
                words = f"{category!r} from {source or '?'} to {target or '?'} only in {side}"
                self._change("relation", a, category=category, words=words)

    # ------------------------------------------------------------------ details

    def _media(self, a: Sample, b: Sample) -> None:
        if type(a.media) is not type(b.media):
            words = f"{type(a.media).__name__} is {type(b.media).__name__}"
            self._change("media", a, words=words)
        elif a.media != b.media:
            for field in a.media.__struct_fields__:
                ours, theirs = getattr(a.media, field), getattr(b.media, field)
                if ours == theirs:
                    continue
                if ours and theirs:
                    self._change("media", a, words=f"{field} {ours} is {theirs}")
                else:
                    self._detail(f"{field} only in {'A' if ours else 'B'}")
        if a.uri != b.uri:
            one_sided = (
                "only in A" if b.uri is None else "only in B" if a.uri is None else "differs"
            )
            self._detail(f"uri {one_sided}")

    def _fields(self, a: dict[str, Any], b: dict[str, Any], of: str) -> None:
        if a == b:
            return
        for name in a.keys() | b.keys():
            if name not in b:
                self._detail(f"{name} (of the {of}) only in A")
            elif name not in a:
                self._detail(f"{name} (of the {of}) only in B")
            elif a[name] != b[name]:
                self._detail(f"{name} (of the {of}) differs")

    def _categories(self, a: Dataset, b: Dataset) -> None:
        ours = {category.name for category in a.ontology.categories}
        theirs = {category.name for category in b.ontology.categories}
        for side, only in (("A", ours - theirs), ("B", theirs - ours)):
            if only:
                self._detail(f"category only in {side}", len(only))

    def _detail(self, name: str, count: int = 1) -> None:
        self.details[name] = self.details.get(name, 0) + count

    def _change(
        self,
        what: Kind,
        sample: Sample,
        a: tuple[str, ...] = (),
        b: tuple[str, ...] = (),
        category: str | None = None,
        *,
        drift: float | None = None,
        iou: float | None = None,
        words: str = "",
    ) -> None:
        self.changes.append(Change(what, sample.key, a, b, category, drift, iou, words))


def _is_empty(sample: Sample) -> bool:
    return not sample.annotations and not sample.classifications


def _places(samples: Iterable[Sample]) -> Iterator[Place]:
    for sample in samples:
        for annotation in sample.annotations:
            yield _place(sample.key, annotation)


def _place(key: str, annotation: Annotation) -> Place:
    return Place(key, annotation.id, annotation.category, _word(annotation))


def _word(annotation: Annotation) -> str:
    return type(annotation.value).__name__.lower()


def _set(values: tuple[Any, ...]) -> frozenset[Any]:
    return frozenset(values)


def _answers_words(a: tuple[Any, ...], b: tuple[Any, ...]) -> str:
    parts = []
    for side, only in (("A", _set(a) - _set(b)), ("B", _set(b) - _set(a))):
        if only:
            names = ", ".join(sorted({repr(each.name) for each in only}))
            parts.append(f"{names} as in {side} only")
    return "; ".join(parts)


def _same_confidence(a: float | None, b: float | None) -> bool:
    if a is None or b is None:
        return a is b
    return abs(a - b) <= _SAME_CONFIDENCE
