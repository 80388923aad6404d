"""Features as annotations: geometry, class, confidence, answers, and what is left over."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any, TypeAlias

from labelconv import codes
from labelconv.attributes import (
    Answers,
    Keys,
    answer_of,
    confidence_of,
    id_of,
    names_a_sample,
    text_of,
)
from labelconv.crossings import cut_at_seam
from labelconv.format import Reading
from labelconv.formats.geojson import refusals
from labelconv.formats.geojson.coordinates import MalformedError, Numbers, parsed
from labelconv.formats.geojson.ids import FeaturesMet, Ids
from labelconv.formats.geojson.options import GeojsonReaderOptions
from labelconv.formats.geojson.outline import Outline
from labelconv.formats.geojson.shapes import (
    DEPTHS,
    InvalidError,
    beyond,
    crosses,
    flattened,
    is_degrees,
    rings_of,
    shapes,
)
from labelconv.formats.geojson.windows import Window
from labelconv.formats.geojson.wire import GEOMETRIES, Geometry, Record
from labelconv.geometry import has_three_points, map_xy
from labelconv.model import (
    Annotation,
    Classification,
    Extra,
    Polygon,
)
from labelconv.problems import Where

#: Annotations by the sample that their features name.
Made: TypeAlias = dict[Any, list[Annotation]]


#: Told of a sample's name and of annotations; whether the sample can be used.
Counted: TypeAlias = Callable[[Any, int], bool]
_NOTHING: dict[str, Any] = {}


class Maker:
    """Makes annotations of the records of a window; counts and tells what it decides."""

    def __init__(
        self, keys: Keys, outline: Outline, options: GeojsonReaderOptions, reading: Reading
    ) -> None:
        self.keys = keys
        self._report = reading.report
        self._unnamed = options.unnamed
        wanted = reading.wanted.extra
        self.keeps_extra = wanted is None or "geojson" in wanted
        self._degrees = is_degrees(outline.crs)
        self._crs = outline.crs
        self.met = FeaturesMet(Ids())
        self._used = keys.used()
        self._swaps = options.axes == "yx"
        asked = self._swaps or bool(keys.answers) or keys.others is not None
        self._simple = not self._degrees and not asked

    def annotations(self, window: Window, counted: Counted) -> Made:
        """The annotations of a window by sample. `counted(sample, count)` is told of each feature,
        with the annotations it counts for; False refuses its sample and all it says."""
        made: Made = {}
        if self._simple and self._quick(window, counted, made):
            return made
        geometries, raws = self._geometries(window)
        numbers = parsed(raws) if raws else []
        sample_key = self.keys.sample_key
        indexes = window.indexes
        at = 0
        for place, geometry in enumerate(geometries):
            if geometry is None:
                self._without_shape(window, place, counted)
                continue
            own = None
            if geometry.type in DEPTHS:
                own = numbers[at]
                at += 1
            record: Record = window.records[place]  # type: ignore[assignment] # it has a geometry
            sample = None
            if sample_key is not None:
                sample = (record.properties or {}).get(sample_key)
                if not names_a_sample(sample):
                    expected = f"a property {sample_key!r} that names the image"
                    refusals.malformed(self._report, window, place, expected, repr(sample))
                    continue
            index = indexes[place]
            if own is not None:
                self._from_geometry(window, place, index, geometry, own, sample, counted, made)
            else:
                self._from_collection(window, place, index, geometry, sample, counted, made)
        return made

    def _quick(self, window: Window, counted: Counted, made: Made) -> bool:
        """Make the annotations of a window that is as nearly all are: polygons of one closed ring,
        each in a feature. False where one is not so; nothing has been counted then."""
        records: list[Any] = window.records
        rings = rings_of(records)
        if rings is None:
            return False
        sample_key, class_key = self.keys.sample_key, self.keys.class_key
        confidence_key = self.keys.confidence_key
        listed = [record.properties or _NOTHING for record in records]
        names = [None] * len(listed) if sample_key is None else _names(listed, sample_key)
        if names is None:
            return False
        indexes = window.indexes
        keeps_extra, ids = self.keeps_extra, self.met.ids
        unnumbered = all(record.id is None for record in records)
        if unnumbered:
            ids.add_places(indexes)
        used: list[dict[str, Any]] = []
        sample: Any = _NOTHING
        usable = False
        group: list[Annotation] = []
        for place, (properties, name, ring) in enumerate(zip(listed, names, rings, strict=True)):
            if not usable or name != sample:  # features of one sample mostly come together
                sample = name
                usable = counted(sample, 1)
                if not usable:
                    continue
                group = made.setdefault(sample, [])
            if unnumbered:
                id = str(indexes[place])
            else:
                id = id_of(records[place].id, indexes[place])
                if ids.met(sample, id):
                    id = self._renamed(sample, id, window.where(place))
            category = None if class_key is None else properties.get(class_key)
            if type(category) is not str or not category:
                category = self._category(properties, class_key)
            extra: Extra = _NOTHING
            if keeps_extra:
                extra = self._left(properties)
            used.append(properties)
            confidence = self._confidence(properties) if confidence_key in properties else None
            group.append(Annotation(id, category, Polygon(((ring,),)), (), confidence, extra))
        self._report.ledger.annotations.read += len(used)
        if not keeps_extra:
            for members, times in Counter(map(tuple, used)).items():
                for member in members:
                    if member not in self._used:
                        self._report.field(f"geojson:{member}", times)
        return True

    # ------------------------------------------------------------------ geometry

    def _geometries(self, window: Window) -> tuple[list[Any], list[Any]]:
        """The geometry of each record, None for those without; and the coordinates of those that
        have some. Records that cannot be used are rejected later, in order."""
        geometries: list[Any] = []
        raws: list[Any] = []
        for record in window.records:
            geometry: Any = None
            if isinstance(record, Record):
                if record.type == "Feature":
                    geometry = record.geometry
                elif record.type in GEOMETRIES:
                    geometry = Geometry(record.type, record.coordinates, record.geometries)
            if geometry is not None and geometry.type in DEPTHS:
                raws.append(geometry.coordinates)
            geometries.append(geometry)
        return geometries, raws

    def _without_shape(self, window: Window, place: int, counted: Counted) -> None:
        record = window.records[place]
        if isinstance(record, Record) and record.type == "Feature":
            self.met.without_geometry += 1
            key = self.keys.sample_key
            sample = None if key is None else (record.properties or {}).get(key)
            if key is None or names_a_sample(sample):
                counted(sample, 0)
            return
        refusals.no_feature(self._report, window, place, record)

    def _from_collection(
        self,
        window: Window,
        place: int,
        index: int,
        geometry: Geometry,
        sample: Any,
        counted: Counted,
        made: Made,
    ) -> None:
        """A collection of geometries: one annotation or more for each, with one group id."""
        if geometry.type != "GeometryCollection":
            found = f"the type {geometry.type!r}"
            refusals.malformed(self._report, window, place, "a geometry's type", found)
            return
        members = list(flattened(geometry))
        if any(member is None or member.type not in DEPTHS for member in members):
            refusals.malformed(self._report, window, place, "geometries", "something else")
            return
        numbers = parsed([member.coordinates for member in members])
        shaped: list[Any] = []
        try:
            for member, own in zip(members, numbers, strict=True):
                shaped.extend(self._shapes(member.type, own))
        except (MalformedError, InvalidError) as error:
            refusals.shape(self._report, window, place, error)
            return
        self._add(window, place, index, geometry.type, shaped, sample, counted, made)

    def _from_geometry(
        self,
        window: Window,
        place: int,
        index: int,
        geometry: Geometry,
        own: Numbers,
        sample: Any,
        counted: Counted,
        made: Made,
    ) -> None:
        if not len(geometry.coordinates):
            refusals.malformed(self._report, window, place, "coordinates", "none")
            return
        try:
            shaped = self._shapes(geometry.type, own)
        except (MalformedError, InvalidError) as error:
            if bytes(geometry.coordinates).strip() == b"[]":  # an empty geometry: RFC 7946, 3.1
                self.met.without_geometry += 1
                counted(sample, 0)
            else:
                refusals.shape(self._report, window, place, error)
            return
        self._add(window, place, index, geometry.type, shaped, sample, counted, made)

    def _shapes(self, kind: str, numbers: Numbers) -> list[Any]:
        found, high, unclosed = shapes(kind, numbers)
        if high:
            self._report.field("geojson:z (of positions)")
        self.met.unclosed += unclosed
        if self._swaps:
            return [map_xy(shape, lambda xy: xy[:, ::-1]) for shape in found]
        return list(found)

    def _add(
        self,
        window: Window,
        place: int,
        index: int,
        kind: str,
        shaped: list[Any],
        sample: Any,
        counted: Counted,
        made: Made,
    ) -> None:
        record: Record = window.records[place]  # type: ignore[assignment] # it has a geometry
        where = window.where(place)
        if self._degrees:
            for shape in shaped:
                wrong = beyond(shape)
                if wrong is not None:
                    refusals.outside(self._report, window, place, self._crs, wrong)
                    return
        if not counted(sample, len(shaped)):
            return
        ledger = self._report.ledger
        ledger.annotations.read += len(shaped)
        properties = record.properties or {}
        id = str(index) if record.id is None else id_of(record.id, index)
        classifications = self._answers(properties)
        category = self._category(properties, self.keys.class_key)
        confidence = self._confidence(properties)
        extra = self._left(properties)
        several = len(shaped) > 1
        if several:
            found = f"a {kind} of {len(shaped)}"
            result = f"{len(shaped)} annotations of one group"
            self._report.add(codes.SPELLING_MENDED, where, found=found, result=result)
            if self.keeps_extra:
                extra = {**extra, "geojson:group": id}
        for number, shape in enumerate(shaped):
            if isinstance(shape, Polygon) and not has_three_points(shape.parts[0][0]):
                self._report.add(codes.AREA_ZERO, where, kind="polygon")
            name = f"{id}/{number}" if several else id
            if self.met.ids.met(sample, name, placed=record.id is None):
                name = self._renamed(sample, name, where)
            annotation = Annotation(name, category, shape, classifications, confidence, extra)
            if self._degrees and crosses(shape):
                pieces = cut_at_seam(annotation, "", {name}, self._report, where)
                made.setdefault(sample, []).extend(pieces)
            else:
                made.setdefault(sample, []).append(annotation)

    # ------------------------------------------------------------------ properties

    def _category(self, properties: dict[str, Any], key: str | None) -> str:
        value = None if key is None else properties.get(key)
        if type(value) is str and value:
            return value
        if value is None or value == "":
            self.met.without_class += 1
            return self._unnamed
        return text_of(value)

    def _confidence(self, properties: dict[str, Any]) -> float | None:
        value = properties.get(self.keys.confidence_key)
        if value is None:
            return None
        found = confidence_of(value)
        if found is None and not self.keeps_extra:
            self._report.field(f"geojson:{self.keys.confidence_key}")
        return found

    def _answers(self, properties: dict[str, Any]) -> tuple[Classification, ...]:
        out: list[Classification] = []
        answers, others = self.keys.answers, self.keys.others
        if not answers and others is None:
            return ()
        for name, value in properties.items():
            asked = answers.get(name)
            if asked is None:
                if others is None or name in self._used:
                    continue
                asked = Answers(name, others)
            answer = answer_of(value, asked.kind)
            if answer is not None:
                out.append(Classification(asked.name, answer))
        return tuple(out)

    def _left(self, properties: dict[str, Any]) -> Extra:
        """What no one asked for, as extra fields where they are wanted, else counted by name."""
        left = [name for name in properties if name not in self._used]
        if self.keys.others is not None:
            left = []  # they are answers
        if self.keeps_extra:
            extra = {f"geojson:{name}": properties[name] for name in left}
            key = self.keys.confidence_key
            value = properties.get(key)
            if value is not None and confidence_of(value) is None:
                extra[f"geojson:{key}"] = value
            return extra
        for name in left:
            self._report.field(f"geojson:{name}")
        return {}

    def _renamed(self, sample: Any, id: str, where: Where) -> str:
        number = 2
        while self.met.ids.met(sample, f"{id}#{number}"):
            number += 1
        renamed = f"{id}#{number}"
        self._report.add(codes.ANNOTATION_ID_DUPLICATE, where, value=repr(id), renamed=renamed)
        return renamed


def _names(listed: list[dict[str, Any]], key: str) -> list[Any] | None:
    """What the features name as their sample; None where one names nothing."""
    names = [properties.get(key) for properties in listed]
    if set(map(type, names)) == {str}:
        return names if all(names) else None
    return names if all(map(names_a_sample, names)) else None
