"""What the labels of one data row say, as annotations, answers and relations."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from labelconv import codes
from labelconv.formats.labelbox_export.answers import Answers, confidence, named
from labelconv.formats.labelbox_export.faults import (
    Refused,
    listed,
    malformed,
    record,
    verbatim,
)
from labelconv.formats.labelbox_export.labels import Label, Spot
from labelconv.formats.labelbox_export.shapes import GEOMETRY, Shapes, as_box, size_of
from labelconv.formats.labelbox_export.timed import Gathered, Segments, Timed, gathered
from labelconv.model import Annotation, Audio, Classification, Extra, Media, Relation, Video
from labelconv.problems import Report

_USED = frozenset(
    (
        *("feature_id", "featureId", "name", "title", "annotation_kind", "classifications"),
        *("confidence", "page_number", "page", "unit"),
        *GEOMETRY,
    )
)
_ENDS = ("unidirectional_relationship", "bidirectional_relationship", "relationship", "data")
_USED_RELATION = frozenset(("feature_id", "featureId", "name", "title", "annotation_kind", *_ENDS))
#: What is read of the annotations of a label.
_PARTS = frozenset(
    (
        *("objects", "classifications", "relationships", "frames", "segments", "timestamp"),
        *("key_frame_feature_map", "groups"),
    )
)

NAME = "labelbox-export"


class Maker(msgspec.Struct):
    """What a run needs to make annotations. `extra`: whether what has no place is kept."""

    report: Report
    path: str
    shapes: Shapes
    answers: Answers
    timed: Timed
    note: Callable[[str], None]
    extra: bool
    frame_base: int


class Said:
    """Gathers what labels say of one data row."""

    def __init__(self, maker: Maker, media: Media, *, several: bool) -> None:
        self._maker = maker
        self._media = media
        self._several = several
        self._ledger = maker.report.ledger
        self._spot: Spot | None = None
        self._label: str | None = None
        self._ids: dict[str, str] = {}
        self._used: set[str] = set()
        self.annotations: list[Annotation] = []
        self.classifications: list[Classification] = []
        self.relations: list[Relation] = []

    def add(self, label: Label) -> None:
        """What one label says; what cannot be used is rejected alone."""
        self._spot, self._label, self._ids = label.spot, label.id, {}
        said, at = label.said, label.at
        for name in said:
            if name not in _PARTS and said[name]:
                self._maker.note(name)
        if "groups" in said:
            self._refuse_groups(said["groups"], f"{at}/groups")
        elif isinstance(self._media, (Video, Audio)):
            self._add_timed(said, at)
        else:
            for n, each in self._each(said, at, "objects", "annotations"):
                self._object(each, f"{at}/objects/{n}")
            for n, each in self._each(said, at, "classifications", "classifications"):
                self._answer(each, f"{at}/classifications/{n}")
            self._only_still(said, at)
        for n, each in self._each(said, at, "relationships", "relations"):
            self._relation(each, f"{at}/relationships/{n}", n)

    def _each(self, said: dict[str, Any], at: str, name: str, kind: str) -> list[tuple[int, Any]]:
        try:
            return list(enumerate(listed(said.get(name), f"{at}/{name}")))
        except Refused as fault:
            getattr(self._ledger, kind).read += 1
            self.reject(fault, said[name], kind, f"{at}/{name}")
            return []

    # ------------------------------------------------------------------ objects, answers

    def _object(self, given: Any, at: str) -> None:
        self._ledger.annotations.read += 1
        try:
            item = record(given, at, "an object")
            name = named(item, at)
            feature = _feature(item)
            value = self._maker.shapes.value(item, at, self._media, feature)
            kind = item.get("annotation_kind")
            if "geojson" in item and isinstance(kind, str) and kind.endswith("BoundingBox"):
                value = as_box(value)  # type: ignore[arg-type]
            asked: tuple[Classification, ...] = ()
            if item.get("classifications"):
                asked = self._maker.answers.all(item["classifications"], at)
            sure = confidence(item, at) if "confidence" in item else None
        except (Refused, RecursionError) as fault:
            self.reject(fault, given, "annotations", at)
            return
        id = self._id(feature, at)
        self.annotations.append(Annotation(id, name, value, asked, sure, self._extra(item)))

    def _answer(self, given: Any, at: str) -> None:
        self._ledger.classifications.read += 1
        try:
            made = self._maker.answers.one(given, at)
        except (Refused, RecursionError) as fault:
            self.reject(fault, given, "classifications", at)
            return
        self._keep(made)

    def _keep(self, made: Classification) -> None:
        """Several labels may answer a question alike; once is enough."""
        if self._several and made in self.classifications:
            self._ledger.classifications.skipped += 1
        else:
            self.classifications.append(made)

    def _extra(self, given: dict[str, Any]) -> Extra:
        """What an object has beside; counted where nobody wants it."""
        beside = {name: said for name, said in given.items() if name not in _USED}
        if not self._maker.extra:
            for name, said in beside.items():
                if said not in (None, [], {}, ""):
                    self._maker.note(name)
            return {}
        if self._several and self._label is not None:
            beside["label"] = self._label
        return {f"{NAME}:{name}": said for name, said in beside.items()}

    def _id(self, feature: str | None, at: str) -> str:
        """The feature's id; told apart where the sample has it already."""
        wanted = feature if feature is not None else f"#{len(self.annotations)}"
        id = wanted
        number = 2
        while id in self._used:
            id = f"{wanted}#{number}"
            number += 1
        if feature is not None:
            self._ids.setdefault(feature, id)
            if id != feature:
                values = {"value": feature, "renamed": id}
                self._maker.report.add(codes.ANNOTATION_ID_DUPLICATE, self._where(at), **values)
        self._used.add(id)
        return id

    # ------------------------------------------------------------------ relations

    def _relation(self, given: Any, at: str, n: int) -> None:
        self._ledger.relations.read += 1
        try:
            made = self._related(given, at, n)
        except (Refused, RecursionError) as fault:
            self.reject(fault, given, "relations", at)
            return
        self.relations.append(made)

    def _related(self, given: Any, at: str, n: int) -> Relation:
        """A relation between two objects of one label. Raises `Refused`."""
        item = record(given, at, "a relationship")
        name = named(item, at)
        key = next((key for key in _ENDS if key in item), None)
        if key is None:
            raise malformed(at, "a relationship with source and target", ", ".join(item))
        ends = record(item[key], f"{at}/{key}", "source and target")
        found = []
        for end in ("source", "target"):
            id = self._ids.get(ends[end]) if isinstance(ends.get(end), str) else None
            if id is None:
                missing = ends.get(end)
                raise Refused(codes.RELATION_END_MISSING, f"{at}/{key}/{end}", missing=missing)
            found.append(id)
        for member in (*(m for m in item if m not in _USED_RELATION), *ends):
            if member not in ("source", "target", "type"):
                self._maker.note(member)
        both = key.startswith("bi") or ends.get("type") == "bidirectional"
        both = both or "bidirectional" in str(item.get("annotation_kind", "")).lower()
        id = _feature(item) or f"r{n}"
        taken = {each.id for each in self.relations}
        while id in taken:
            id += "#2"
        return Relation(id, name, found[0], found[1], not both)

    # ------------------------------------------------------------------ videos, sounds

    def _add_timed(self, said: dict[str, Any], at: str) -> None:
        sound = isinstance(self._media, Audio)
        member = "timestamp" if sound else "frames"
        base = 0 if sound else self._maker.frame_base
        found = gathered(said.get(member) or {}, f"{at}/{member}", base)
        segments = Segments(said, at, base, inclusive=not sound)
        for place, fault, part in found.faults:
            self._ledger.annotations.read += 1
            self.reject(fault, part, "annotations", place)
        self._tracks(found, segments, sound=sound)
        self._global(said, at, segments)
        for feature, moments in found.questions.items():
            part = [moment.given for moment in moments]
            try:
                made = self._maker.timed.answered(feature, moments, segments, sound=sound)
            except (Refused, RecursionError) as fault:
                self._ledger.classifications.read += 1
                self.reject(fault, part, "classifications", moments[0].at)
                continue
            self._ledger.classifications.read += len(made)
            for each in made:
                self._keep(each)
        for n, each in self._each(said, at, "objects", "annotations"):
            self._ledger.annotations.read += 1
            place = f"{at}/objects/{n}"
            payload = next((key for key in GEOMETRY if isinstance(each, dict) and key in each), "")
            values = {"found": payload or "an object without frames", "media": "pictures"}
            refused = Refused(codes.PAYLOAD_NOT_READ, place, **values)
            self.reject(refused, each, "annotations", place)

    def _tracks(self, found: Gathered, segments: Segments, *, sound: bool) -> None:
        size = size_of(self._media)
        for feature, moments in found.objects.items():
            self._ledger.annotations.read += 1
            part = [moment.given for moment in moments]
            if sound:
                values = {"found": "an object", "media": "videos"}
                refused = Refused(codes.PAYLOAD_NOT_READ, moments[0].at, **values)
                self.reject(refused, part, "annotations", moments[0].at)
                continue
            try:
                first = record(moments[0].given, moments[0].at, "an object")
                name = named(first, moments[0].at)
                track = self._maker.timed.track(feature, moments, segments, size)
                sure = confidence(first, moments[0].at) if "confidence" in first else None
            except (Refused, RecursionError) as fault:
                self.reject(fault, part, "annotations", moments[0].at)
                continue
            id = self._id(feature, moments[0].at)
            self.annotations.append(Annotation(id, name, track, (), sure, self._extra(first)))

    def _global(self, said: dict[str, Any], at: str, segments: Segments) -> None:
        """Answers beside the frames: for ever, or in the segments of their feature."""
        for n, given in self._each(said, at, "classifications", "classifications"):
            place = f"{at}/classifications/{n}"
            self._ledger.classifications.read += 1
            try:
                made = self._maker.answers.one(given, place)
                feature = _feature(given)
                ranges = segments.of(feature) if feature is not None else ()
            except (Refused, RecursionError) as fault:
                self.reject(fault, given, "classifications", place)
                continue
            if ranges:
                made = msgspec.structs.replace(made, ranges=ranges)
            self._keep(made)

    def _only_still(self, said: dict[str, Any], at: str) -> None:
        """Frames in a label about something that does not move."""
        for name in ("frames", "timestamp"):
            if said.get(name):
                self._ledger.annotations.read += 1
                values = {"found": name, "media": "videos and sounds"}
                fault = Refused(codes.PAYLOAD_NOT_READ, f"{at}/{name}", **values)
                self.reject(fault, said[name], "annotations", f"{at}/{name}")

    def _refuse_groups(self, groups: Any, at: str) -> None:
        """DICOM: three videos in one data row, which the model has no place for."""
        self._ledger.annotations.read += 1
        values = {"found": "groups", "media": "DICOM series"}
        self.reject(Refused(codes.PAYLOAD_NOT_READ, at, **values), groups, "annotations", at)

    # ------------------------------------------------------------------ faults

    def _where(self, at: str) -> Any:
        assert self._spot is not None
        return self._spot.chunk.where(self._maker.path, self._spot.index, at)

    def reject(
        self,
        fault: Refused | RecursionError,
        part: Any,
        kind: str,
        at: str,
        spot: Spot | None = None,
    ) -> None:
        """Leave a part out that was counted as read."""
        if spot is not None:
            self._spot = spot
        if isinstance(fault, RecursionError):
            values = {"expected": "questions nested less deep", "found": "thousands of levels"}
            fault = Refused(codes.RECORD_MALFORMED, at, **values)
        where = self._where(fault.pointer)
        self._maker.report.reject(fault.code, where, verbatim(part), kind, **fault.values)


def _feature(given: Any) -> str | None:
    """The id of a feature."""
    if isinstance(given, dict):
        for key in ("feature_id", "featureId"):
            found = given.get(key)
            if isinstance(found, str) and found:
                return found
    return None
