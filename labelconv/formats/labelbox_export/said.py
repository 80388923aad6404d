"""What the labels of one data row say, as annotations, answers and relations."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from labelconv import codes
from labelconv.formats.labelbox_export.addressed import Addressed
from labelconv.formats.labelbox_export.answers import Answers, confidence, named
from labelconv.formats.labelbox_export.faults import (
    Refused,
    escaped,
    listed,
    malformed,
    record,
    verbatim,
)
from labelconv.formats.labelbox_export.frames_v1 import fetched_frames
from labelconv.formats.labelbox_export.labels import Label, Spot, counted_of
from labelconv.formats.labelbox_export.related import feature_of, related
from labelconv.formats.labelbox_export.series import BY_GROUP, has_labels, is_group, of_group
from labelconv.formats.labelbox_export.shapes import (
    GEOMETRY,
    Shapes,
    as_box,
    size_of,
)
from labelconv.formats.labelbox_export.timed import Gathered, Moment, Segments, Timed, gathered
from labelconv.model import Annotation, Audio, Classification, Extra, Media, Relation, Video
from labelconv.problems import Report

_USED = frozenset(
    (
        *("feature_id", "featureId", "name", "title", "annotation_kind", "classifications"),
        *("confidence", "page_number", "page", "unit", "keyframe"),
    )
)
#: What may differ from frame to frame and is read of each.
_OF_EACH_FRAME = frozenset(("classifications", "keyframe", *GEOMETRY))
#: What is read of the annotations of a label.
_PARTS = frozenset(
    (
        *("objects", "classifications", "relationships", "frames", "segments", "timestamp"),
        *("key_frame_feature_map", "groups"),
    )
)

#: Parts that are about some media alone, and those that are not about videos or sounds.
_PARTS_OF = {"frames": "videos", "timestamp": "sounds", "objects": "pictures"}
_NOT_IN: dict[type, tuple[str, ...]] = {Video: ("timestamp",), Audio: ("frames",)}

NAME = "labelbox-export"


class Maker(msgspec.Struct):
    """What a run needs to make annotations.

    `note` is told names of members that have no place, `left` counts what options leave out, by
    reason; `extra`: whether what has no place is kept.
    """

    report: Report
    path: str
    shapes: Shapes
    answers: Answers
    timed: Timed
    addressed: Addressed
    note: Callable[[str], None]
    left: Counter[str]
    extra: bool
    frame_base: int
    group: str | None


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
            self._add_groups(said, at)
        elif isinstance(self._media, (Video, Audio)):
            segments = Segments(said, at, self._base(), inclusive=isinstance(self._media, Video))
            self._add_timed(said, at, segments)
            self._tell_unasked(segments)
            self._refuse_parts(said, at, _NOT_IN[type(self._media)])
        else:
            for n, each in self._each(said, at, "objects", "annotations"):
                self._object(each, f"{at}/objects/{n}")
            for n, each in self._each(said, at, "classifications", "classifications"):
                self._answer(each, f"{at}/classifications/{n}")
            self._refuse_parts(said, at, ("frames", "timestamp"))
            self._note_parts(said)
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
            feature = feature_of(item)
            value = self._maker.shapes.value(item, at, self._media, feature)
            kind = item.get("annotation_kind")
            if "geojson" in item and isinstance(kind, str) and kind.endswith("BoundingBox"):
                value = as_box(value)
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
        for name in GEOMETRY:  # the first was read; v1 has the mask of a box beside it
            if name in beside:
                del beside[name]
                break
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
            made = related(given, at, self._ids, self._maker.note)
        except (Refused, RecursionError) as fault:
            self.reject(fault, given, "relations", at)
            return
        id, taken = made.id or f"r{n}", {each.id for each in self.relations}
        while id in taken:
            id += "#2"
        self.relations.append(made if id == made.id else msgspec.structs.replace(made, id=id))

    # ------------------------------------------------------------------ videos, sounds

    def _base(self) -> int:
        """The number of the first frame, or of the first millisecond."""
        return 0 if isinstance(self._media, Audio) else self._maker.frame_base

    def _tell_unasked(self, segments: Segments) -> None:
        for _ in range(segments.unasked()):
            self._maker.note("segments")

    def _add_timed(self, said: dict[str, Any], at: str, segments: Segments) -> None:
        sound = isinstance(self._media, Audio)
        member = "timestamp" if sound else "frames"
        faults: list[tuple[str, Refused, Any]] = []
        if not sound and isinstance(said.get("frames"), str):
            try:
                said, faults = fetched_frames(said, at, self._label, self._maker.addressed)
                segments = Segments(said, at, self._base(), inclusive=True)
            except Refused as fault:
                faults = [(f"{at}/frames", fault, said["frames"])]
                said = {**said, "frames": {}}
        found = gathered(said.get(member) or {}, f"{at}/{member}", self._base())
        for place, refused, part in (*faults, *found.faults):
            self._ledger.annotations.read += 1
            self.reject(refused, part, "annotations", place)
        for name in found.beside:
            self._maker.note(name)
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
            self.reject(
                Refused(codes.PAYLOAD_NOT_READ, place, **values), each, "annotations", place
            )

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
            self._note_changes(first, moments)

    def _note_changes(self, first: dict[str, Any], moments: list[Moment]) -> None:
        """Count what changes from frame to frame: a track has one name and one confidence."""
        lasting = {m: said for m, said in first.items() if m not in _OF_EACH_FRAME}.items()
        known = first.keys() | _OF_EACH_FRAME
        for moment in moments:
            given = moment.given
            if lasting <= given.items() and given.keys() <= known:
                continue
            for member, said in given.items():
                if member not in _OF_EACH_FRAME and said != first.get(member):
                    self._maker.note(member)

    def _global(self, said: dict[str, Any], at: str, segments: Segments) -> None:
        """Answers beside the frames: for ever, or in the segments of their feature."""
        for n, given in self._each(said, at, "classifications", "classifications"):
            place = f"{at}/classifications/{n}"
            self._ledger.classifications.read += 1
            try:
                made = self._maker.answers.one(given, place)
                feature = feature_of(given)
                ranges = segments.of(feature) if feature is not None else ()
            except (Refused, RecursionError) as fault:
                self.reject(fault, given, "classifications", place)
                continue
            if ranges:
                made = msgspec.structs.replace(made, ranges=ranges)
            self._keep(made)

    def _note_parts(self, said: dict[str, Any]) -> None:
        """Count what tells of time in a label about something that has none."""
        for name in BY_GROUP:
            if said.get(name):
                self._maker.note(name)

    def _refuse_parts(self, said: dict[str, Any], at: str, names: Sequence[str]) -> None:
        """Reject parts of a label that belong to other media than its own."""
        for name in names:
            if said.get(name):
                self._ledger.annotations.read += 1
                values = {"found": name, "media": _PARTS_OF[name]}
                fault = Refused(codes.PAYLOAD_NOT_READ, f"{at}/{name}", **values)
                self.reject(fault, said[name], "annotations", f"{at}/{name}")

    def _add_groups(self, said: dict[str, Any], at: str) -> None:
        """DICOM: up to three videos, seen from three sides, in one data row; one of them is read.

        Segments and key frames stand in maps by group, or for all groups in one.
        """
        place = f"{at}/groups"
        try:
            groups = record(said["groups"], place, "frames by the names of groups")
        except Refused as fault:
            self._ledger.annotations.read += 1
            self.reject(fault, said["groups"], "annotations", place)
            return
        wanted = self._maker.group
        filled = [name for name, group in groups.items() if has_labels(group)]
        read = next((name for name in filled if is_group(name, wanted, filled)), None)
        for name in filled:
            inside = f"{place}/{escaped(name)}"
            if not isinstance(groups[name], dict):
                self._ledger.annotations.read += 1
                refused = malformed(inside, "a group with frames", groups[name])
                self.reject(refused, groups[name], "annotations", inside)
            elif name == read:
                parts = {key: of_group(said.get(key), name) for key in BY_GROUP}
                segments = Segments(parts, at, self._base(), inclusive=True)
                self._add_timed(groups[name], inside, segments)
                self._tell_unasked(segments)
            elif wanted is not None:
                self._skip(groups[name])
                self._maker.left[f"they are of other groups than the one asked for ({wanted})"] += 1
            else:
                self._ledger.annotations.read += 1
                values = {"found": f"the group {name}", "media": "DICOM series (-O group=NAME)"}
                refused = Refused(codes.PAYLOAD_NOT_READ, inside, **values)
                self.reject(refused, groups[name], "annotations", inside)
        for n, given in self._each(said, at, "classifications", "classifications"):
            self._answer(given, f"{at}/classifications/{n}")
        self._refuse_parts(said, at, ("frames", "timestamp", "objects"))

    def _skip(self, group: Any) -> None:
        """Count what is said of a group that an option leaves out."""
        accounts = (self._ledger.annotations, self._ledger.classifications)
        for account, count in zip(accounts, counted_of(group), strict=False):
            account.read += count
            account.skipped += count

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
