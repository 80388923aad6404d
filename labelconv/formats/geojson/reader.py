"""Reads GeoJSON: the samples of a collection, of a sequence, or of one feature or geometry."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any, TypeAlias

import msgspec

from labelconv import codes
from labelconv.attributes import Keys, class_keys_in, names_a_class
from labelconv.crs.names import LON_LAT, PIXEL
from labelconv.format import Reading
from labelconv.formats.geojson import grouped
from labelconv.formats.geojson.coordinates import pairs_of, parsed
from labelconv.formats.geojson.features import Maker
from labelconv.formats.geojson.ids import FeaturesMet
from labelconv.formats.geojson.options import GeojsonReaderOptions
from labelconv.formats.geojson.outline import Outline, outline, wrong_space
from labelconv.formats.geojson.properties import keys_of
from labelconv.formats.geojson.samples import Named, SamplesMet
from labelconv.formats.geojson.shapes import DEPTHS
from labelconv.formats.geojson.windows import Broken, Share, Window, of_batch, of_lines, windows
from labelconv.formats.geojson.wire import RECORDS, Record
from labelconv.io import UTF8_MARK, Source
from labelconv.keys import Keys as SampleKeys
from labelconv.model import Annotation, Dataset, Ontology, Sample, Samples
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
    with contextlib.closing(windows(source, seen, {})) as looked_at:
        # The last feature of a small file comes by itself.
        first = [record for window in islice(looked_at, 2) for record in window.records]
    keys = keys_of(options, seen)
    _check_space(source.name, first, seen, options, report)
    keys = _with_class(keys, first, report, source.name)
    unknown: dict[str, int] = {}
    maker = Maker(keys, seen, options, reading)
    named = Named(source, options, reading, seen)
    if reading.wanted.pieces:
        if keys.sample_key is None:
            named.known(None)
        share = _share(source, options, reading, seen, keys, maker, named, unknown)
        with contextlib.closing(windows(source, seen, unknown, share)) as given:
            for window in given:
                yield from named.pieces(maker.annotations(window, named.counted))
        yield from named.empty()
    else:
        with contextlib.closing(windows(source, seen, unknown)) as given:
            if keys.sample_key is None:
                yield from _one_sample(given, maker, named)
            else:
                yield from grouped.samples(source, given, keys.sample_key, maker, named)
    _tell(source.name, report, maker, keys, seen, unknown)


def _one_sample(given: Iterator[Window], maker: Maker, named: Named) -> Iterator[Sample]:
    """The whole source as one sample; where its key cannot be used, all that it says is counted."""
    usable = named.known(None)
    held: list[Annotation] = []
    for window in given:
        held += maker.annotations(window, named.counted).get(None, [])
    if usable:
        yield named.sample(None, held)


#: What another process met, and the members that nobody knows.
_Met: TypeAlias = "tuple[FeaturesMet, SamplesMet, dict[str, int]]"


def _share(
    source: Source,
    options: GeojsonReaderOptions,
    reading: Reading,
    seen: Outline,
    keys: Keys,
    maker: Maker,
    named: Named,
    unknown: dict[str, int],
) -> Share | None:
    """How features are shared with other processes; None where there are none."""
    if reading.crew is None:
        return None
    from labelconv import sharedarrays, sharedlines

    def apart(
        report: Report,
    ) -> tuple[Callable[[Window], Iterator[Sample]], Callable[[], _Met], dict[str, int]]:
        """How another process makes samples of a window; what it met; its count of members."""
        own = msgspec.structs.replace(reading, report=report, crew=None)
        own.keys.restart()
        others: dict[str, int] = {}
        own_maker, own_named = Maker(keys, seen, options, own), Named(source, options, own, seen)
        if keys.sample_key is None:
            own_named.known(None)

        def make(window: Window) -> Iterator[Sample]:
            return own_named.pieces(own_maker.annotations(window, own_named.counted))

        return make, lambda: (own_maker.met, own_named.met, others), others

    def of_array(report: Report, before: Callable[[], int]) -> sharedarrays.Part[Record]:
        make, met, others = apart(report)
        return sharedarrays.Part(lambda batch: make(of_batch(batch, source.name, others)), met)

    def of_pieces(report: Report) -> sharedlines.Part:
        make, met, others = apart(report)

        def made(pieces: sharedlines.Pieces) -> Iterator[Sample]:
            # Samples in pieces ask for no places in the file.
            for window in of_lines(pieces, 0, source.name, others):
                yield from make(window)

        return sharedlines.Part(made, met)

    def fits(met: _Met) -> bool:
        return maker.met.fits(met[0]) and named.fits(met[1])

    def join(met: _Met) -> None:
        maker.met.join(met[0])
        named.join(met[1])
        for member, count in met[2].items():
            unknown[member] = unknown.get(member, 0) + count

    crew = reading.crew
    # Features without ids are called by their place among all.
    array = sharedarrays.Shared(
        source, crew, RECORDS, "geometry", counts=True, part=of_array, fits=fits, join=join
    )
    lined = sharedlines.Shared(source, crew, of_pieces, fits, join)
    return Share(
        lambda walker: sharedarrays.batches(walker, array),
        lambda file: sharedlines.pieces(lined, file),
    )


# ------------------------------------------------------------------------------- first looks


def _check_space(
    name: str,
    records: Sequence[Record | Broken],
    seen: Outline,
    options: GeojsonReaderOptions,
    report: Report,
) -> None:
    """Refuse a file that names no CRS and whose first shape cannot be degrees."""
    for record in records:
        if not isinstance(record, Record):
            continue
        geometry: Any = record.geometry if record.type == "Feature" else record
        if geometry is None or geometry.type not in DEPTHS:
            continue
        numbers = parsed([geometry.coordinates])[0]
        if numbers.plan is None:
            continue
        pairs, _ = pairs_of(numbers)
        xs, ys = pairs[::2], pairs[1::2]
        if options.axes == "yx":
            xs, ys = ys, xs
        for x, y in zip(xs, ys, strict=True):
            if not seen.stated and (abs(x) > 180 or abs(y) > 90):
                raise wrong_space(name, x, y)
        if seen.stated:
            _check_area(name, xs[0], ys[0], seen.crs, report)
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


def _with_class(keys: Keys, records: Sequence[Record | Broken], report: Report, name: str) -> Keys:
    """The keys with the property that names the class, found where it is not given."""
    if keys.class_key is not None:
        return keys
    listed = [r.properties for r in records if isinstance(r, Record) and r.properties]
    found = class_keys_in(listed, {keys.sample_key or "", *keys.answers})
    if not found:
        return keys
    key, *others = found
    having = sum(names_a_class(properties.get(key)) for properties in listed)
    also = f"; {', '.join(others)} would do too" if others else ""
    report.add(
        codes.CONVENTION_GUESSED,
        Where(path=name),
        what=f"the property {key!r} names the class",
        evidence=f"{having} of the first {len(records)} features have it{also} (-O class_key=…)",
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
    if maker.met.without_class:
        asked = f"property {keys.class_key!r}" if keys.class_key else "property that names a class"
        report.add(
            codes.CONVENTION_GUESSED,
            where,
            what=f"{maker.met.without_class} features are called by the option unnamed",
            evidence=f"they have no {asked} (-O class_key=…)",
        )
    if maker.met.without_geometry and seen.trailer is None:
        report.add(
            codes.SAMPLE_SKIPPED,
            where,
            count=maker.met.without_geometry,
            reason="their geometry is null or empty",
        )
    if maker.met.unclosed:
        found = f"{maker.met.unclosed} rings whose last position is not the first"
        report.add(codes.SPELLING_MENDED, where, found=found, result="closed rings")
