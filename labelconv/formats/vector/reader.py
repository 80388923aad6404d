"""Reads vector files: features of a layer as annotations on maps."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any

import msgspec

from labelconv import codes
from labelconv.attributes import (
    Answers,
    Keys,
    answer_of,
    class_key_in,
    confidence_of,
    listed,
    names_a_sample,
    text_of,
)
from labelconv.crs.names import CrsError, normal
from labelconv.errors import SourceError
from labelconv.format import Reading
from labelconv.formats.vector import gdal
from labelconv.formats.vector.options import VectorReaderOptions
from labelconv.io import Source
from labelconv.model import (
    Annotation,
    Classification,
    Dataset,
    Extra,
    Sample,
    Samples,
    TiledImage,
)
from labelconv.problems import Where
from labelconv.simple_features import SimpleError, from_wkb


def read(source: Source, options: VectorReaderOptions, reading: Reading) -> Dataset:
    """The samples of a layer: one for the file, or one for each value of `sample_key`.

    Raises `SourceError` for a file that GDAL cannot read or that names no CRS, and
    `MissingDependencyError` without the extra `vector`.
    """
    if source.path is None or source.is_folder:
        raise SourceError(f"{source.name}: a vector file on this machine expected")
    path = source.path

    def samples() -> Iterator[Sample]:
        reading.keys.restart()
        yield from _Reader(source, options, reading).samples(
            gdal.table(path, options.layer, options.encoding)
        )

    return Samples(samples)


class _Reader:
    """What is known while the features of a layer go by."""

    def __init__(self, source: Source, options: VectorReaderOptions, reading: Reading) -> None:
        self._name = source.name
        self._file = PurePosixPath(source.name.replace("\\", "/")).name
        self._options = options
        self._reading = reading
        self._report = reading.report
        wanted = reading.wanted.extra
        self._extra = wanted is None or "vector" in wanted
        self._keys: dict[Any, str | None] = {}
        self._held: dict[Any, list[Annotation]] = {}
        self._given: set[Any] = set()
        self._without_class = self._without_geometry = 0
        self._media = TiledImage()

    def samples(self, table: gdal.Table) -> Iterator[Sample]:
        self._media = TiledImage(self._crs(table))
        attributes: Keys | None = None
        index = 0
        for geometries, rows in table.batches:
            if attributes is None:
                attributes = self._attributes(table, rows)
            made: dict[Any, list[Annotation]] = {}
            for geometry, row in zip(geometries, rows, strict=True):
                self._feature(index, geometry, row, attributes, made)
                index += 1
            for name, some in made.items():
                if self._reading.wanted.pieces:
                    yield self._sample(name, some)
                else:
                    self._held.setdefault(name, []).extend(some)
        if attributes is None:
            attributes = self._attributes(table, [])
        if attributes.sample_key is None:
            self._known(None)
        for name, key in self._keys.items():
            if key is not None and name not in self._given:
                yield self._sample(name, self._held.pop(name, []))
        self._tell(attributes)

    def _crs(self, table: gdal.Table) -> str:
        named = self._options.source_crs or table.crs
        if named is None:
            raise SourceError(
                f"{self._name}: a layer that names its CRS expected, none found. Name it with "
                f"-O source_crs=EPSG:…"
            )
        try:
            return normal(named)
        except CrsError as error:
            if self._options.source_crs is not None:
                raise
            raise SourceError(
                f"{self._name}: {error}. Name the CRS with -O source_crs=EPSG:…"
            ) from error

    def _attributes(self, table: gdal.Table, rows: list[dict[str, Any]]) -> Keys:
        options = self._options
        asked, others = listed({"radio": options.radio, "text": options.text})
        sample_key, class_key = options.sample_key, options.class_key
        if tuple(table.columns[:3]) == gdal.COLUMNS:  # of our own making
            class_key = class_key or "class"
            sample_key = sample_key or "sample"
        for name in (sample_key, class_key):
            if name is not None and name not in table.columns:
                known = ", ".join(table.columns) or "none"
                raise SourceError(f"{self._name}: the column {name!r} expected, found: {known}")
        if class_key is None:
            class_key = class_key_in(rows, {sample_key or "", *asked})
            if class_key is not None:
                self._report.add(
                    codes.CONVENTION_GUESSED,
                    Where(path=self._name),
                    what=f"the column {class_key!r} names the class",
                    evidence="it is the likeliest of those that are there (-O class_key=…)",
                )
        return Keys(class_key, sample_key, options.confidence_key, asked, others)

    def _feature(
        self,
        index: int,
        geometry: bytes | None,
        row: dict[str, Any],
        keys: Keys,
        made: dict[Any, list[Annotation]],
    ) -> None:
        ledger = self._report.ledger.annotations
        where = Where(self._name, pointer=f"/{index}")
        name = None
        if keys.sample_key is not None:
            name = row.get(keys.sample_key)
            if not names_a_sample(name):
                ledger.read += 1
                expected = f"a value of {keys.sample_key!r} that names the image"
                self._reject(where, row, expected, repr(name))
                return
        if geometry is None:
            self._without_geometry += 1
            self._known(name)
            return
        try:
            parsed = from_wkb(geometry)
        except SimpleError as error:
            ledger.read += 1
            self._reject(where, row, "a geometry of points, lines or polygons", str(error))
            return
        if not parsed.shapes:
            self._without_geometry += 1
            self._known(name)
            return
        count = len(parsed.shapes)
        ledger.read += count
        if not self._known(name):
            ledger.rejected += count
            return
        if parsed.high:
            self._report.field("vector:z (of positions)")
        if count > 1:
            result = f"{count} annotations"
            self._report.add(
                codes.SPELLING_MENDED, where, found=f"a {parsed.kind} of {count}", result=result
            )
        category, confidence = self._class(row, keys), confidence_of(row.get(keys.confidence_key))
        classifications, extra = _answers(row, keys), self._left(row, keys)
        for number, shape in enumerate(parsed.shapes):
            id = str(index) if count == 1 else f"{index}/{number}"
            made.setdefault(name, []).append(
                Annotation(id, category, shape, classifications, confidence, extra)
            )

    def _class(self, row: dict[str, Any], keys: Keys) -> str:
        value = None if keys.class_key is None else row.get(keys.class_key)
        if value is None or value == "":
            self._without_class += 1
            return self._options.unnamed
        return value if isinstance(value, str) else text_of(value)

    def _left(self, row: dict[str, Any], keys: Keys) -> Extra:
        used = keys.used() if keys.others is None else row.keys()
        left = {name: value for name, value in row.items() if name not in used}
        unsure = _plain(row.get(keys.confidence_key))
        if unsure is not None and confidence_of(unsure) is None:
            left[keys.confidence_key] = unsure
        if self._extra:
            return {f"vector:{name}": _plain(value) for name, value in left.items()}
        for name in left:
            self._report.field(f"vector:{name}")
        return {}

    def _reject(self, where: Where, row: dict[str, Any], expected: str, found: str) -> None:
        record = msgspec.json.encode({name: _plain(value) for name, value in row.items()})
        self._report.reject(codes.RECORD_MALFORMED, where, record, expected=expected, found=found)

    # ------------------------------------------------------------------ samples

    def _known(self, name: Any) -> bool:
        if name in self._keys:
            return self._keys[name] is not None
        self._report.ledger.samples.read += 1
        called = self._file if name is None else name if isinstance(name, str) else text_of(name)
        key, problem = self._reading.keys.key(called, called, {})
        self._keys[name] = key
        if key is None:
            assert problem is not None  # for mypy; one of the two is there
            code, values = problem
            record = msgspec.json.encode(called)
            self._report.reject(code, Where(self._name), record, "samples", **values)
        return key is not None

    def _sample(self, name: Any, annotations: list[Annotation]) -> Sample:
        self._given.add(name)
        key = self._keys[name]
        assert key is not None  # for mypy; `_known` saw to it
        uri = None if name is None or str(name) == key else str(name)
        return Sample(
            key,
            self._media,
            tuple(annotations),
            uri=uri,
            key_is_id=self._reading.keys.are_ids,
        )

    def _tell(self, keys: Keys) -> None:
        where = Where(path=self._name)
        if self._without_class:
            asked = f"column {keys.class_key!r}" if keys.class_key else "column"
            self._report.add(
                codes.CONVENTION_GUESSED,
                where,
                what=f"{self._without_class} features are called by the option unnamed",
                evidence=f"they have no {asked} that names a class (-O class_key=…)",
            )
        if self._without_geometry:
            self._report.add(
                codes.SAMPLE_SKIPPED,
                where,
                count=self._without_geometry,
                reason="their geometry is null or empty",
            )


def _answers(row: dict[str, Any], keys: Keys) -> tuple[Classification, ...]:
    out: list[Classification] = []
    used = keys.used()
    for name, value in row.items():
        asked = keys.answers.get(name)
        if asked is None and keys.others is not None and name not in used:
            asked = Answers(name, keys.others)
        if asked is None:
            continue
        answer = answer_of(_plain(value), asked.kind)
        if answer is not None:
            out.append(Classification(asked.name, answer))
    return tuple(out)


def _plain(value: Any) -> Any:
    """A value of a column as JSON has it: dates as text, NaN as null, bytes as hex."""
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if value is None or isinstance(value, (str, int, float, bool)):
        return value
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, (list, tuple)):
        return [_plain(each) for each in value]
    if isinstance(value, dict):
        return {str(name): _plain(each) for name, each in value.items()}
    return str(value)
