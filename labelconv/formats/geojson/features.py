"""Features as annotations: geometry, class, confidence, answers, and what is left over."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from labelconv import codes
from labelconv.attributes import Answers, Keys, answer_of, id_of, names_a_sample, text_of
from labelconv.crossings import cut_at_seam
from labelconv.format import Reading
from labelconv.formats.geojson.coordinates import MalformedError, Numbers, parsed
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
from labelconv.formats.geojson.windows import Broken, Window
from labelconv.formats.geojson.wire import GEOMETRIES, Geometry, Record
from labelconv.geometry import has_three_points
from labelconv.identity import Seen
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
        self._seen = Seen()
        self.without_class = 0
        self.without_geometry = 0
        self.unclosed = 0
        self._used = keys.used()
        self._simple = not self._degrees and not keys.answers and keys.others is None
        #: Runs of features without ids of their own, which are named by their place: [start, end).
        self._runs: list[tuple[int, int]] = []

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
            record: Record = window.records[place]  # type: ignore[assignment]
            sample = None
            if sample_key is not None:
                sample = (record.properties or {}).get(sample_key)
                if not names_a_sample(sample):
                    self._reject_nameless(window, place, sample)
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
        if sample_key is not None:
            for record in records:
                if not names_a_sample((record.properties or {}).get(sample_key)):
                    return False
        shapes: dict[tuple[str, ...], int] = {}
        keeps_extra, met = self.keeps_extra, self._met
        indexes = window.indexes
        unnumbered = all(record.id is None for record in records)
        if unnumbered:
            self._unnumbered(indexes)
        sample = None
        count = 0
        for place, record in enumerate(records):
            properties = record.properties or _NOTHING
            if sample_key is not None:
                sample = properties[sample_key]
            if not counted(sample, 1):
                continue
            count += 1
            if unnumbered:
                id = str(indexes[place])
            else:
                id = str(indexes[place]) if record.id is None else id_of(record.id, indexes[place])
                if met(sample, id):
                    id = self._renamed(sample, id, window.where(place))
            category = None if class_key is None else properties.get(class_key)
            if type(category) is not str or not category:
                category = self._category(properties, class_key)
            extra: Extra = _NOTHING
            if keeps_extra:
                extra = self._left(properties)
            else:
                names = tuple(properties)
                shapes[names] = shapes.get(names, 0) + 1
            annotation = Annotation(
                id,
                category,
                Polygon(((rings[place],),)),
                (),
                self._confidence(properties) if confidence_key in properties else None,
                extra,
            )
            group = made.get(sample)
            if group is None:
                made[sample] = [annotation]
            else:
                group.append(annotation)
        self._report.ledger.annotations.read += count
        for names, times in shapes.items():
            for name in names:
                if name not in self._used:
                    self._report.field(f"geojson:{name}", times)
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
            self.without_geometry += 1
            key = self.keys.sample_key
            sample = None if key is None else (record.properties or {}).get(key)
            if key is None or names_a_sample(sample):
                counted(sample, 0)
            return
        self._report.ledger.annotations.read += 1
        found = record.why if isinstance(record, Broken) else f"the type {record.type!r}"
        raw = window.raws()[place]
        endless = _ENDLESS.search(raw) if isinstance(record, Broken) else None
        if endless is not None:
            number = endless.group().decode()
            self._report.reject(codes.NUMBER_NOT_FINITE, window.where(place), raw, found=number)
            return
        self._report.reject(
            codes.RECORD_MALFORMED,
            window.where(place),
            raw,
            expected="a Feature or a geometry",
            found=found,
        )

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
            self._reject(window, place, codes.RECORD_MALFORMED, "a geometry's type", found)
            return
        members = list(flattened(geometry))
        if any(member is None or member.type not in DEPTHS for member in members):
            self._reject(window, place, codes.RECORD_MALFORMED, "geometries", "something else")
            return
        numbers = parsed([member.coordinates for member in members])
        shaped: list[Any] = []
        try:
            for member, own in zip(members, numbers, strict=True):
                shaped.extend(self._shapes(member.type, own))
        except (MalformedError, InvalidError) as error:
            self._reject_shape(window, place, error)
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
            self._reject(window, place, codes.RECORD_MALFORMED, "coordinates", "none")
            return
        try:
            shaped = self._shapes(geometry.type, own)
        except (MalformedError, InvalidError) as error:
            if bytes(geometry.coordinates).strip() == b"[]":  # an empty geometry: RFC 7946, 3.1
                self.without_geometry += 1
                counted(sample, 0)
            else:
                self._reject_shape(window, place, error)
            return
        self._add(window, place, index, geometry.type, shaped, sample, counted, made)

    def _shapes(self, kind: str, numbers: Numbers) -> list[Any]:
        found, high, unclosed = shapes(kind, numbers)
        if high:
            self._report.field("geojson:z (of positions)")
        self.unclosed += unclosed
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
        record: Record = window.records[place]  # type: ignore[assignment]
        where = window.where(place)
        if self._degrees:
            wrong = next((each for each in shaped if beyond(each) is not None), None)
            if wrong is not None:
                self._report.ledger.annotations.read += 1
                self._reject_outside(window, place, beyond(wrong))
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
            if self._met(sample, name):
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
            self.without_class += 1
            return self._unnamed
        return text_of(value)

    def _confidence(self, properties: dict[str, Any]) -> float | None:
        value = properties.get(self.keys.confidence_key)
        if isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value <= 1:
            return float(value)
        return None

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
        used = self._used
        if self.keys.others is not None or len(properties) == 0:
            return {}
        if self.keeps_extra:
            extra = {
                f"geojson:{name}": value for name, value in properties.items() if name not in used
            }
            value = properties.get(self.keys.confidence_key)
            if value is not None and self._confidence(properties) is None:
                extra[f"geojson:{self.keys.confidence_key}"] = value
            return extra
        for name in properties:
            if name not in used:
                self._report.field(f"geojson:{name}")
        return {}

    def _met(self, sample: Any, id: str) -> bool:
        """Whether an id was met before in its sample; it is from now on."""
        if self._runs and id.isdigit() and self._is_unnumbered(id):
            return True
        if sample is not None:
            return self._seen.add(hash((sample, id)) | _ABOVE)
        # Spelled as numbers are, ids cost a bit each.
        plain = id.isascii() and id.isdigit() and len(id) < 16 and (id[0] != "0" or id == "0")
        return self._seen.add(int(id) if plain else id)

    def _unnumbered(self, indexes: Sequence[int]) -> None:
        """Remember that these features are named by their place, as a run where they are one."""
        start, end = indexes[0], indexes[-1] + 1
        if end - start != len(indexes):
            for index in indexes:
                self._runs.append((index, index + 1))
        elif self._runs and self._runs[-1][1] == start:
            self._runs[-1] = self._runs[-1][0], end
        else:
            self._runs.append((start, end))

    def _is_unnumbered(self, id: str) -> bool:
        if not id.isascii() or (id[0] == "0" and id != "0") or len(id) > 15:
            return False
        number = int(id)
        return any(start <= number < end for start, end in self._runs)

    def _renamed(self, sample: Any, id: str, where: Where) -> str:
        number = 2
        while self._met(sample, f"{id}#{number}"):
            number += 1
        renamed = f"{id}#{number}"
        self._report.add(codes.ANNOTATION_ID_DUPLICATE, where, value=repr(id), renamed=renamed)
        return renamed

    # ------------------------------------------------------------------ what cannot be used

    def _reject(self, window: Window, place: int, code: Any, expected: str, found: str) -> None:
        self._report.ledger.annotations.read += 1
        self._report.reject(
            code, window.where(place), window.raws()[place], expected=expected, found=found
        )

    def _reject_nameless(self, window: Window, place: int, found: Any) -> None:
        expected = f"a property {self.keys.sample_key!r} that names the image"
        self._reject(window, place, codes.RECORD_MALFORMED, expected, repr(found))

    def _reject_shape(self, window: Window, place: int, error: ValueError) -> None:
        self._report.ledger.annotations.read += 1
        where, raw = window.where(place), window.raws()[place]
        endless = _ENDLESS.search(str(error).encode())
        if isinstance(error, InvalidError):
            self._report.reject(codes.SHAPE_INVALID, where, raw, found=f"{error} found")
        elif endless is not None:
            number = endless.group().decode()
            self._report.reject(codes.NUMBER_NOT_FINITE, where, raw, found=number)
        else:
            expected = "coordinates as the geometry's type has them"
            self._report.reject(
                codes.RECORD_MALFORMED, where, raw, expected=expected, found=str(error)
            )

    def _reject_outside(self, window: Window, place: int, found: Any) -> None:
        x, y = found
        swapped = abs(x) <= 90 and abs(y) <= 180
        hint = "; are x and y swapped?" if swapped else "; name the CRS with -O source_crs=EPSG:…"
        self._report.reject(
            codes.COORDINATES_OUTSIDE,
            window.where(place),
            window.raws()[place],
            expected=f"longitude and latitude in degrees ({self._crs})",
            found=f"({x:g}, {y:g})",
            hint=hint,
        )


#: Sets a bit that hashes have not, so that they are never taken for ids.
_ABOVE = 1 << 70
#: Numbers that JSON has not, or that no float can be.
_ENDLESS = re.compile(rb"-?(?:NaN|Infinity)|-?\d[\d.]*[eE]\+?\d{3,}")
