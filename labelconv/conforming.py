"""Samples as a format can spell them: keys, names, sizes and borders, before shapes are lowered.

Formats say what they need in `Holds` (`keys`, `names`, `needs_size`, `within`); most need nothing,
and pay nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from labelconv import clipping, codes, geometry
from labelconv.format import SHAPES, Holds
from labelconv.lowering import word
from labelconv.model import (
    Annotation,
    Category,
    Checklist,
    Classification,
    FreeText,
    Keyframe,
    Keypoint,
    Keypoints,
    Ontology,
    Option,
    OrientedBox,
    Polygon,
    Question,
    Radio,
    Sample,
    Text,
    TiledImage,
    Track,
    Value,
)
from labelconv.problems import Outcome, Report, Where
from labelconv.spelling import Paths, spelled
from labelconv.tokens import flattened

if TYPE_CHECKING:
    from labelconv.moved import Moved
    from labelconv.reproject import Mover

_SHAPES = frozenset(SHAPES)
#: Values with names in them.
_WITH_NAMES = frozenset({Keypoints, Track})


def is_needed(holds: Holds) -> bool:
    """Whether a format asks for anything that is seen to here."""
    maps = holds.media is TiledImage and (bool(holds.crs) or holds.winding != "any")
    return maps or not is_of_each(holds)


def is_of_each(holds: Holds) -> bool:
    """Whether what a format asks for can be seen to sample by sample, whatever the others are like:
    in several processes, of which each says what it `moved`."""
    any_spelling = holds.keys == "any" and holds.names == "any" and holds.texts == "any"
    flat = holds.spans != "any"
    return any_spelling and not (holds.needs_size or holds.within or flat or holds.tokens)


class Conforming:
    """Makes samples conform, for one run. What it changed is in the report."""

    def __init__(self, holds: Holds, target: str, report: Report) -> None:
        self._holds = holds
        self._target = target
        self._report = report
        self._paths = None if holds.keys == "any" else Paths(stems=holds.keys == "stem")
        self._path_of: dict[str, str] = {}
        self._written: dict[str, str] = {}
        self._original: dict[str, str] = {}
        self._movers: dict[str, Mover] = {}
        self._refused: set[str] = set()

    def sample(self, sample: Sample) -> tuple[Sample | None, dict[str, Outcome]]:
        """The sample, or None if it cannot be written; and what became of annotations by id.

        Only those that are `changed` or `lost` are listed; those that are lost as a whole are
        counted and no longer in the sample.
        """
        holds = self._holds
        width, height = getattr(sample.media, "width", None), getattr(sample.media, "height", None)
        if holds.needs_size and not (
            sample.media.content is not None if isinstance(sample.media, Text) else width and height
        ):
            self._reject(sample)
            return None, {}
        outcomes: dict[str, Outcome] = {}
        if holds.crs and isinstance(sample.media, TiledImage):
            moved, outcomes = self._moved(sample, sample.media)
            if moved is None:
                return None, {}
            sample = moved
        annotations = sample.annotations
        if holds.winding != "any":
            annotations = geometry.wound(annotations)
        if holds.names != "any" or holds.texts != "any":
            annotations = self._renamed(annotations, outcomes)
            sample = self._with_names(sample)
        if holds.spans == "flat":
            annotations = self._flat(annotations, sample, outcomes)
        if holds.tokens:
            from labelconv.textlayers import as_tokens

            annotations = as_tokens(annotations, sample.key, outcomes, self._report)
        if holds.within and width and height:
            annotations = self._within(annotations, width, height, sample.key, outcomes)
        if annotations is not sample.annotations:
            sample = msgspec.structs.replace(sample, annotations=annotations)
        if self._paths is not None:
            sample = self._with_path(sample, self._paths)
        return sample, outcomes

    def ontology(self, ontology: Ontology) -> Ontology:
        """The ontology with its names as they are written."""
        if self._holds.names == "any":
            return ontology
        categories = tuple(map(self._category, ontology.categories))
        return Ontology(
            categories=categories, questions=tuple(map(self._question, ontology.questions))
        )

    def moved(self) -> dict[str, Moved]:
        """What was moved to which CRS, for `join`."""
        return {target: mover.moved.sealed() for target, mover in self._movers.items()}

    def join(self, moved: dict[str, Moved]) -> None:
        """Take in what another process moved, of later samples."""
        for target, later in moved.items():
            self._mover(target).moved.join(later)

    def finish(self) -> None:
        """Tell what is told once for all samples."""
        for mover in self._movers.values():
            mover.finish()

    # ------------------------------------------------------------------ maps

    def _moved(self, sample: Sample, media: TiledImage) -> tuple[Sample | None, dict[str, Outcome]]:
        """The sample in a CRS that is held."""
        from labelconv import reproject

        target = reproject.held(self._holds.crs, media) or media.crs
        return self._mover(target).sample(sample)

    def _mover(self, target: str) -> Mover:
        from labelconv import reproject

        mover = self._movers.get(target)
        if mover is None:
            mover = self._movers[target] = reproject.Mover(
                target, self._report, boxes=self._holds.turned_boxes
            )
        return mover

    # ------------------------------------------------------------------ keys and sizes

    def _with_path(self, sample: Sample, paths: Paths) -> Sample:
        key = sample.key
        path = self._path_of.get(key) if self._holds.pieces else None
        if path is None:
            path = paths.path(key)
            if self._holds.pieces:
                self._path_of[key] = path
            if path != key:
                self._report.add(codes.KEY_RESPELLED, Where(sample=key), name=key, spelled=path)
                self._report.ledger.samples.changed += 1
        if path == key:
            return sample
        return msgspec.structs.replace(sample, key=path)

    def _reject(self, sample: Sample) -> None:
        ledger = self._report.ledger
        ledger.annotations.rejected += len(sample.annotations)
        ledger.classifications.rejected += len(sample.classifications)
        ledger.relations.rejected += len(sample.relations)
        self._report.reject(
            codes.TEXT_UNKNOWN if isinstance(sample.media, Text) else codes.SIZE_NEEDED,
            Where(sample=sample.key),
            msgspec.json.encode(sample),
            "samples",
            name=sample.uri or sample.key,
            target=self._target,
        )
        if sample.key in self._refused:
            ledger.samples.rejected -= 1  # another piece of a sample that was counted already
        self._refused.add(sample.key)

    # ------------------------------------------------------------------ spans

    def _flat(
        self, annotations: tuple[Annotation, ...], sample: Sample, outcomes: dict[str, Outcome]
    ) -> tuple[Annotation, ...]:
        """The spans in the order of the text, none within another or with blanks at its ends."""
        flat, lost = flattened(annotations, getattr(sample.media, "content", None) or "")
        for id, kind in lost.items():
            where = Where(sample=sample.key, annotation=id)
            self._report.add(codes.VALUE_NOT_HELD, where, kind=kind, target=self._target)
            self._report.ledger.annotations.lost += 1
            outcomes[id] = "lost"
        given = {annotation.id: annotation for annotation in annotations}
        for annotation in flat:
            if annotation is not given[annotation.id]:
                where = Where(sample=sample.key, annotation=annotation.id)
                words = {"source": "span with blanks at its ends", "result": "span without them"}
                self._report.add(codes.SHAPE_RESPELLED, where, **words)
                outcomes[annotation.id] = "changed"
        return annotations if flat == list(annotations) else tuple(flat)

    # ------------------------------------------------------------------ names

    def _name(self, name: str) -> str:
        """The name as it is written; told once for each name that changes."""
        written = self._written.get(name)
        if written is None:
            written = self._written[name] = spelled(name, self._holds.names)
            if written != name:
                self._report.add(
                    codes.NAME_RESPELLED, name=name, spelled=written, target=self._target
                )
            original = self._original.setdefault(written, name)
            if original != name:
                self._report.add(codes.NAMES_MERGED, name=name, other=original, spelled=written)
        return written

    def _text(self, text: str) -> str:
        """A free text as it is written; a format of plain names is taken to be at home in XML."""
        holds = self._holds
        plain = "xml" if holds.texts == "any" and holds.names != "any" else holds.texts
        written = spelled(text, plain)
        if written != text:
            values = {"name": text, "spelled": written, "target": self._target}
            self._report.add(codes.NAME_RESPELLED, **values)
        return written

    def _renamed(
        self, annotations: tuple[Annotation, ...], outcomes: dict[str, Outcome]
    ) -> tuple[Annotation, ...]:
        written = self._written
        renamed: list[Annotation] | None = None
        for number, annotation in enumerate(annotations):
            category = annotation.category
            plain = written.get(category) == category
            value: Value = annotation.value
            asked = annotation.classifications
            if plain and not asked and type(value) not in _WITH_NAMES:
                continue
            category = self._name(category)
            if isinstance(value, Keypoints):
                value = self._skeleton(value)
            elif isinstance(value, Track):
                value = self._track(value)
            if self._holds.classifications:
                asked = self._classifications(asked)
            if (
                category == annotation.category
                and value is annotation.value
                and asked is annotation.classifications
            ):
                continue
            if renamed is None:
                renamed = list(annotations)
            outcomes[annotation.id] = "changed"
            renamed[number] = msgspec.structs.replace(
                annotation, category=category, value=value, classifications=asked
            )
        return annotations if renamed is None else tuple(renamed)

    def _track(self, track: Track) -> Track:
        """The track with the names on its keyframes as they are written."""
        asked = bool(self._holds.classifications)
        segments = tuple(
            tuple(
                self._keyframe(keyframe, asked=asked)
                if keyframe.classifications or type(keyframe.shape) is Keypoints
                else keyframe
                for keyframe in segment
            )
            for segment in track.segments
        )
        return track if segments == track.segments else Track(segments)

    def _keyframe(self, keyframe: Keyframe, *, asked: bool) -> Keyframe:
        shape, said = keyframe.shape, keyframe.classifications
        if isinstance(shape, Keypoints):
            shape = self._skeleton(shape)
        return Keyframe(keyframe.frame, shape, self._classifications(said) if asked else said)

    def _skeleton(self, skeleton: Keypoints) -> Keypoints:
        names = [self._name(point.name) for point in skeleton.points]
        if all(point.name == name for point, name in zip(skeleton.points, names, strict=True)):
            return skeleton
        points = tuple(
            Keypoint(name, point.x, point.y, point.visible)
            for point, name in zip(skeleton.points, names, strict=True)
        )
        return Keypoints(points, skeleton.outline)

    def _with_names(self, sample: Sample) -> Sample:
        """Answers and relations with their names as they are written."""
        holds = self._holds
        classifications, relations = sample.classifications, sample.relations
        if classifications and holds.questions:
            classifications = self._classifications(classifications)
        if relations and holds.relations:
            relations = tuple(
                msgspec.structs.replace(each, category=self._name(each.category))
                for each in relations
            )
        if classifications is sample.classifications and relations == sample.relations:
            return sample
        return msgspec.structs.replace(sample, classifications=classifications, relations=relations)

    def _classifications(self, given: tuple[Classification, ...]) -> tuple[Classification, ...]:
        changed = tuple(map(self._classification, given))
        return given if changed == given else changed

    def _classification(self, given: Classification) -> Classification:
        answer: Any = given.answer
        if isinstance(answer, Radio):
            answer = self._option(answer)
        elif isinstance(answer, Checklist):
            answer = Checklist(tuple(map(self._option, answer.options)))
        elif isinstance(answer, FreeText):
            below = self._classifications(answer.classifications)
            answer = FreeText(self._text(answer.text), below, answer.confidence)
        return msgspec.structs.replace(given, name=self._name(given.name), answer=answer)

    def _option(self, option: Radio) -> Radio:
        below = self._classifications(option.classifications)
        return Radio(self._name(option.name), below, option.confidence)

    def _category(self, category: Category) -> Category:
        return msgspec.structs.replace(
            category,
            name=self._name(category.name),
            keypoints=tuple(map(self._name, category.keypoints)),
            questions=tuple(map(self._question, category.questions)),
        )

    def _question(self, question: Question) -> Question:
        options = tuple(
            Option(
                name=self._name(option.name),
                questions=tuple(map(self._question, option.questions)),
            )
            for option in question.options
        )
        return msgspec.structs.replace(question, name=self._name(question.name), options=options)

    # ------------------------------------------------------------------ borders

    def _within(
        self,
        annotations: tuple[Annotation, ...],
        width: float,
        height: float,
        key: str,
        outcomes: dict[str, Outcome],
    ) -> tuple[Annotation, ...]:
        inside: list[Annotation] | None = None
        for number, annotation in enumerate(annotations):
            value: Any = annotation.value
            if type(value) not in _SHAPES:
                continue
            drift, part = clipping.overhang(value, width, height)
            if not drift:
                continue
            if isinstance(value, OrientedBox):
                if OrientedBox not in self._holds.values:
                    value = Polygon(((geometry.corners(value),),))
                elif part <= clipping.TOLERATED:
                    continue
            if inside is None:
                inside = list(annotations)
            place = Where(sample=key, annotation=annotation.id)
            small = part <= clipping.TOLERATED
            code = codes.SHAPE_CLIPPED if small else codes.SHAPE_CUT
            self._report.add(code, place, kind=word(value), drift=drift)
            self._report.measure(code, "px", drift, place)
            cut = (clipping.clamped if small else clipping.cut)(value, width, height)
            if cut is None:
                self._report.ledger.annotations.lost += 1
                outcomes[annotation.id] = "lost"
                inside[number] = _GONE
                continue
            outcomes[annotation.id] = "changed" if small else "lost"
            inside[number] = msgspec.structs.replace(annotation, value=cut)
        if inside is None:
            return annotations
        return tuple(each for each in inside if each is not _GONE)


#: Stands for an annotation of which nothing is left.
_GONE = Annotation("", "", Keypoints(()))
