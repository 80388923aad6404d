"""Reads GeoJSON: the samples of a collection, of a sequence, or of one feature or geometry."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any

import msgspec

from labelconv import codes, media
from labelconv.attributes import CLASS_KEYS, Keys, class_key_in, names_a_class
from labelconv.crs.names import LON_LAT, PIXEL
from labelconv.format import Reading
from labelconv.formats.geojson import grouped
from labelconv.formats.geojson.coordinates import pairs_of, parsed
from labelconv.formats.geojson.features import Made, Maker
from labelconv.formats.geojson.options import GeojsonReaderOptions
from labelconv.formats.geojson.outline import Outline, outline, wrong_space
from labelconv.formats.geojson.properties import keys_of
from labelconv.formats.geojson.shapes import DEPTHS
from labelconv.formats.geojson.windows import Window, windows
from labelconv.formats.geojson.wire import Record
from labelconv.io import UTF8_MARK, Source
from labelconv.keys import Keys as SampleKeys
from labelconv.model import Annotation, Dataset, Image, Ontology, Sample, Samples, TiledImage
from labelconv.problems import Report, Where
from labelconv.usage import ontology_of


def read(source: Source, options: GeojsonReaderOptions, reading: Reading) -> Dataset:
    """The samples of a GeoJSON source: one for the file, or one for each value of `sample_key`.

    Raises `SourceError` for what is no GeoJSON, and for coordinates that cannot be degrees where
    the file names no CRS; `CrsError` for an unknown `source_crs`.
    """
    seen = outline(source, options)
    info = {f"geojson:{name}": each for name, each in seen.members.items() if name != "bbox"}

    def samples() -> Iterator[Sample]:
        yield from _samples(source, options, reading, seen)

    def ontology() -> Ontology:
        quiet = Reading(
            report=Report(),
            keys=SampleKeys(),
            wanted=msgspec.structs.replace(reading.wanted, pieces=True, extra=frozenset()),
        )
        return ontology_of(_samples(source, options, quiet, seen))

    return Samples(samples, ontology, info)


#: Degrees that a place may lie outside the area of use of a CRS before it is noted.
_MARGIN = 1.0


def _samples(
    source: Source, options: GeojsonReaderOptions, reading: Reading, seen: Outline
) -> Iterator[Sample]:
    report = reading.report
    reading.keys.restart()
    if source.size() and source.peek().head.startswith(UTF8_MARK):
        report.add(codes.ENCODING_MARK, Where(path=source.name))
    unknown: dict[str, int] = {}
    with contextlib.closing(windows(source, seen, unknown)) as given:
        first = next(given, None)
        keys = keys_of(options, seen)
        if first is not None:
            _check_space(source.name, first, seen, report)
            keys = _with_class(keys, first, seen, report, source.name)
        maker = Maker(keys, seen, options, reading)
        named = Named(source, options, reading, seen)

        def all_windows() -> Iterator[Window]:
            if first is not None:
                yield first
                yield from given

        if keys.sample_key is None:
            yield from _one_sample(all_windows(), maker, named, reading)
        elif reading.wanted.pieces:
            for window in all_windows():
                yield from _pieces(maker.annotations(window, named.counted), named)
            yield from named.empty()
        else:
            yield from grouped.samples(source, all_windows(), keys.sample_key, maker, named)
    _tell(source.name, report, maker, keys, seen, unknown)


def _one_sample(
    given: Iterator[Window], maker: Maker, named: Named, reading: Reading
) -> Iterator[Sample]:
    """The whole source as one sample, in pieces where they are wanted."""
    if not named.known(None):
        # Its key cannot be used: all that it says is counted and left out.
        for window in given:
            maker.annotations(window, named.counted)
        return
    held: list[Annotation] = []
    given_any = False
    for window in given:
        annotations = maker.annotations(window, named.counted).get(None, [])
        if not reading.wanted.pieces:
            held += annotations
        elif annotations:
            given_any = True
            yield named.sample(None, annotations)
    if held or not given_any:
        yield named.sample(None, held)


def _pieces(made: Made, named: Named) -> Iterator[Sample]:
    """The annotations of a window by their samples, in order of appearance."""
    for name, held in made.items():
        yield named.sample(name, held)


class Named:
    """The samples that features name, with their keys; counts them."""

    def __init__(
        self, source: Source, options: GeojsonReaderOptions, reading: Reading, seen: Outline
    ) -> None:
        self._file = PurePosixPath(source.name.replace("\\", "/")).name or source.name
        self._source = source.name
        self._pixels = options.space == "pixel"
        self._reading = reading
        self._crs = seen.crs
        self._single = options.sample_key is None and (
            seen.trailer is None or seen.trailer.sample_key is None
        )
        #: What a feature calls its sample → its key, None where it has none that can be used.
        self._keys: dict[Any, str | None] = {}
        self._given: set[Any] = set()
        self._media: dict[Any, TiledImage | Image] = {}

    def counted(self, name: Any, count: int) -> bool:
        """Whether the sample can be used; what is not is counted as rejected with its sample."""
        known = self._keys.get(name)
        if known is not None:
            return True
        if self.known(name):
            return True
        annotations = self._reading.report.ledger.annotations
        annotations.read += count
        annotations.rejected += count
        return False

    def known(self, name: Any) -> bool:
        if name in self._keys:
            return self._keys[name] is not None
        report = self._reading.report
        report.ledger.samples.read += 1
        called = self._file if self._single else name
        if not isinstance(called, str):
            called = str(int(called)) if called == int(called) else repr(called)
        key, problem = self._reading.keys.key(called, called, {})
        self._keys[name] = key
        if key is None:
            assert problem is not None  # for mypy; one of the two is there
            code, values = problem
            record = msgspec.json.encode(called)
            report.reject(code, Where(self._source, sample=called), record, "samples", **values)
            return False
        return True

    def sample(self, name: Any, annotations: list[Annotation]) -> Sample:
        """The sample of a name that `known` knows."""
        self._given.add(name)
        key = self._keys[name]
        assert key is not None  # for mypy; `known` saw to it
        kept = self._media.get(name)
        if kept is None:
            kept = self._media[name] = self._media_of(name)
        uri = None if self._single else str(name)
        return Sample(
            key,
            kept,
            tuple(annotations),
            uri=uri if uri != key else None,
            key_is_id=self._reading.keys.are_ids,
        )

    def empty(self) -> Iterator[Sample]:
        """The samples that were named and had no annotations."""
        for name, key in self._keys.items():
            if key is not None and name not in self._given:
                yield self.sample(name, [])

    def _media_of(self, name: Any) -> TiledImage | Image:
        if not self._pixels:
            return TiledImage(self._crs)
        if not self._reading.media.given:
            return Image()
        size = self._reading.media.size(self._file if self._single else str(name))
        if isinstance(size, media.Size):
            return Image(float(size.width), float(size.height))
        return Image()


# ------------------------------------------------------------------------------- first looks


def _check_space(name: str, window: Window, seen: Outline, report: Report) -> None:
    """Refuse a file that names no CRS and whose first shape cannot be degrees."""
    for record in window.records:
        if not isinstance(record, Record):
            continue
        geometry: Any = record.geometry if record.type == "Feature" else record
        if geometry is None or geometry.type not in DEPTHS:
            continue
        numbers = parsed([geometry.coordinates])[0]
        if numbers.plan is None:
            continue
        xy, _ = pairs_of(numbers)
        for x, y in zip(xy[::2], xy[1::2], strict=True):
            if not seen.stated and (abs(x) > 180 or abs(y) > 90):
                raise wrong_space(name, x, y)
        if seen.stated:
            _check_area(name, xy[0], xy[1], seen.crs, report)
        return


def _check_area(name: str, x: float, y: float, crs: str, report: Report) -> None:
    """Note coordinates that lie far from where their CRS is made for: it may not be theirs."""
    if crs in (PIXEL, LON_LAT):
        return
    import numpy as np

    from labelconv.crs import transform

    area = transform.area_of_use(crs)
    if area is None or transform.axes(crs).degrees:
        return
    place = transform.change(crs, LON_LAT).to(np.array([[x, y]]))[0].tolist()
    west, south, east, north = area
    inside = south - _MARGIN <= place[1] <= north + _MARGIN
    across = (place[0] - west) % 360 <= (east - west) % 360 or west == -180 == east - 360
    across = across or min(abs(place[0] - west), abs(place[0] - east)) <= _MARGIN
    if not (inside and across):
        report.add(
            codes.CONVENTION_GUESSED,
            Where(path=name),
            what=f"the coordinates are those of {transform.short(crs)}, as is stated",
            evidence=f"({x:g}, {y:g}) lies outside the area it is made for; pixels are read with "
            f"-O space=pixel, others with -O source_crs=EPSG:…",
        )


def _with_class(keys: Keys, window: Window, seen: Outline, report: Report, name: str) -> Keys:
    """The keys with the property that names the class, found where it is not given."""
    if keys.class_key is not None:
        return keys
    listed = [r.properties for r in window.records if isinstance(r, Record) and r.properties]
    key = class_key_in(listed, {keys.sample_key or "", *keys.answers})
    if key is None:
        return keys
    having = sum(names_a_class(properties.get(key)) for properties in listed)
    others = [
        other
        for other in CLASS_KEYS
        if other != key and any(names_a_class(properties.get(other)) for properties in listed)
    ]
    also = f"; {', '.join(others)} would do too" if others else ""
    report.add(
        codes.CONVENTION_GUESSED,
        Where(path=name),
        what=f"the property {key!r} names the class",
        evidence=f"{having} of the first {len(window.records)} features have it{also} "
        f"(-O class_key=…)",
    )
    return msgspec.structs.replace(keys, class_key=key)


def _tell(
    name: str,
    report: Report,
    maker: Maker,
    keys: Keys,
    seen: Outline,
    unknown: dict[str, int],
) -> None:
    """What is told once, at the end."""
    where = Where(path=name)
    for member, count in sorted(unknown.items()):
        report.field(f"geojson:{member} (of features)", count)
    for member in sorted(seen.members):
        if member == "bbox" or not maker.keeps_extra:
            report.field(f"geojson:{member}")
    if maker.without_class:
        asked = f"property {keys.class_key!r}" if keys.class_key else "property that names a class"
        report.add(
            codes.CONVENTION_GUESSED,
            where,
            what=f"{maker.without_class} features are called by the option unnamed",
            evidence=f"they have no {asked} (-O class_key=…)",
        )
    if maker.without_geometry and seen.trailer is None:
        report.add(
            codes.SAMPLE_SKIPPED,
            where,
            count=maker.without_geometry,
            reason="their geometry is null or empty",
        )
    if maker.unclosed:
        found = f"{maker.unclosed} rings whose last position is not the first"
        report.add(codes.SPELLING_MENDED, where, found=found, result="closed rings")
