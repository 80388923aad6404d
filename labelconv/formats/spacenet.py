"""SpaceNet: building footprints as CSV with well-known text, in pixels and on the map.

`ImageId,BuildingId,PolygonWKT_Pix,PolygonWKT_Geo` for the first rounds; later ones leave `_Geo`
out and add `Confidence`. A row `-1,POLYGON EMPTY` stands for a picture without buildings.
"""

from __future__ import annotations

import csv
from array import array
from collections.abc import Iterator
from typing import BinaryIO, Literal

import msgspec

from labelconv import codes
from labelconv.crs.names import LON_LAT
from labelconv.errors import SourceError
from labelconv.format import Evidence, Format, Holds, NoOptions, Reading
from labelconv.grouping import by_row
from labelconv.identity import Seen
from labelconv.io import Peek, Source, skip_mark
from labelconv.media import Size
from labelconv.model import (
    Annotation,
    Category,
    Dataset,
    Image,
    Ontology,
    Polygon,
    Sample,
    Samples,
    TiledImage,
)
from labelconv.problems import Report, Where
from labelconv.simple_features import Parsed, SimpleError, from_wkt

_COLUMNS = ("ImageId", "BuildingId", "PolygonWKT_Pix", "PolygonWKT_Geo", "Confidence")
_KNOWN = {name.lower(): name for name in _COLUMNS}
_NO_BUILDING = "-1"


class SpacenetReaderOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Options of the SpaceNet reader (`-O key=value`).

    - `space`: the outlines in `pixel`s, or on the `map` in longitude and latitude; pixels where the
      file has them when not given.
    - `category`: what each footprint is called.
    """

    space: Literal["auto", "pixel", "map"] = "auto"
    category: str = "building"


def holds(options: NoOptions) -> tuple[Holds, ...]:
    """What is read: footprints, in pixels or on the map."""
    return (
        *(
            Holds(media=media, values=frozenset({Polygon}), parts=True, holes=True, confidence=True)
            for media in (Image, TiledImage)
        ),
    )


class _Row(msgspec.Struct):
    """One line of the file: its number, its own text, and its fields by column name."""

    line: int
    text: bytes
    fields: dict[str, str]


def read(source: Source, options: SpacenetReaderOptions, reading: Reading) -> Dataset:
    """The pictures of a SpaceNet CSV file, in order of appearance, with their footprints.

    Raises `SourceError` for a file without its columns.
    """
    columns, start = _header(source)
    space = options.space
    if space == "auto":
        space = "pixel" if "PolygonWKT_Pix" in columns else "map"
    wanted = "PolygonWKT_Pix" if space == "pixel" else "PolygonWKT_Geo"
    if wanted not in columns:
        raise SourceError(f"{source.name}: the column {wanted} expected, {columns} found")

    def samples() -> Iterator[Sample]:
        reading.keys.restart()
        with source.open() as file:
            if skip_mark(file, source.name):
                reading.report.add(codes.ENCODING_MARK, Where(path=source.name))
            names, rows, offsets, lines = _index(file, start, columns.index("ImageId"))
            for row, members in by_row(rows, len(names)):
                given = [_row(file, offsets[member], lines[member], columns) for member in members]
                sample = _sample(names[row], given, wanted, source.name, options, reading)
                if sample is not None:
                    yield sample
        if space == "pixel" and "PolygonWKT_Geo" in columns:
            reading.report.field("spacenet:PolygonWKT_Geo", len(rows))

    return Samples(samples, Ontology(categories=(Category(name=options.category),)))


def _header(source: Source) -> tuple[list[str], int]:
    """The columns by their usual names, and where the rows begin (after a mark)."""
    with source.open() as file:
        skip_mark(file, source.name)
        line = file.readline()
        columns = [_KNOWN.get(name.strip().lower(), name.strip()) for name in _values(line)]
        start = file.tell()
    if "ImageId" not in columns or not any(name.startswith("PolygonWKT") for name in columns):
        raise SourceError(
            f"{source.name}: the columns ImageId and PolygonWKT_Pix or PolygonWKT_Geo expected, "
            f"{', '.join(columns) or 'nothing'} found"
        )
    return columns, start


def _values(line: bytes) -> list[str]:
    """The fields of a line, none where it is not CSV."""
    try:
        return next(csv.reader([line.decode("utf-8", "replace").rstrip("\r\n")]), [])
    except csv.Error:
        return []


def _index(
    file: BinaryIO, start: int, column: int
) -> tuple[list[str], array[int], array[int], array[int]]:
    """The pictures' names; of each line which of them it names (in the field of this number),
    where it begins and its number."""
    names: dict[str, int] = {}
    rows, offsets, lines = array("L"), array("Q"), array("L")
    file.seek(start)
    offset = start
    for number, line in enumerate(file, 2):
        if line.strip():
            name = _name(line, column)
            rows.append(names.setdefault(name, len(names)))
            offsets.append(offset)
            lines.append(number)
        offset += len(line)
    return list(names), rows, offsets, lines


def _name(line: bytes, column: int) -> str:
    if column == 0 and not line.startswith(b'"'):
        return line.partition(b",")[0].strip().decode("utf-8", "replace")
    values = _values(line)
    return values[column].strip() if column < len(values) else ""


def _row(file: BinaryIO, offset: int, line: int, columns: list[str]) -> _Row:
    file.seek(offset)
    text = file.readline()
    return _Row(line, text, dict(zip(columns, _values(text), strict=False)))


def _sample(
    name: str,
    rows: list[_Row],
    column: str,
    path: str,
    options: SpacenetReaderOptions,
    reading: Reading,
) -> Sample | None:
    report, ledger = reading.report, reading.report.ledger
    ledger.samples.read += 1
    key, problem = reading.keys.key(name, name, {})
    if key is None:
        assert problem is not None  # for mypy; one of the two is there
        code, values = problem
        text = b"".join(row.text for row in rows)
        report.reject(code, Where(path, rows[0].line), text, "samples", **values)
        return None
    parsed = from_wkt([row.fields.get(column, "") for row in rows])
    annotations: list[Annotation] = []
    seen = Seen()
    for row, found in zip(rows, parsed, strict=True):
        building = row.fields.get("BuildingId", "").strip()
        if building == _NO_BUILDING and isinstance(found, Parsed) and not found.shapes:
            continue
        ledger.annotations.read += 1
        annotation = _annotation(row, building, found, path, seen, options, reading)
        if annotation is not None:
            annotations.append(annotation)
    return Sample(
        key,
        _media(name, column, reading),
        tuple(annotations),
        uri=name if name != key else None,
        key_is_id=reading.keys.are_ids,
    )


def _media(name: str, column: str, reading: Reading) -> Image | TiledImage:
    if column == "PolygonWKT_Geo":
        return TiledImage(LON_LAT)
    size = reading.media.size(name) if reading.media.given else None
    if isinstance(size, Size):
        return Image(float(size.width), float(size.height))
    return Image()


def _annotation(
    row: _Row,
    building: str,
    found: Parsed | SimpleError,
    path: str,
    seen: Seen,
    options: SpacenetReaderOptions,
    reading: Reading,
) -> Annotation | None:
    report = reading.report
    where = Where(path, row.line)
    expected = "a polygon in well-known text"
    if isinstance(found, SimpleError) or len(found.shapes) != 1:
        what = str(found) if isinstance(found, SimpleError) else f"{found.kind} of no polygon"
        report.reject(codes.RECORD_MALFORMED, where, row.text, expected=expected, found=what)
        return None
    shape = found.shapes[0]
    if not isinstance(shape, Polygon):
        report.reject(codes.RECORD_MALFORMED, where, row.text, expected=expected, found=found.kind)
        return None
    if found.high:
        report.field("spacenet:z (of positions)")
    id = building or str(row.line)
    if seen.add(id):
        renamed = f"{id}#{row.line}"
        seen.add(renamed)
        report.add(codes.ANNOTATION_ID_DUPLICATE, where, value=repr(id), renamed=renamed)
        id = renamed
    confidence = _confidence(row, where, report)
    for name, value in row.fields.items():
        if name not in _COLUMNS and value:
            report.field(f"spacenet:{name}")
    return Annotation(id, options.category, shape, (), confidence)


def _confidence(row: _Row, where: Where, report: Report) -> float | None:
    text = row.fields.get("Confidence", "").strip()
    if not text:
        return None
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if 0 <= value <= 1:
        return value
    report.field("spacenet:Confidence (not from 0 to 1)")
    return None


def sniff(peek: Peek) -> Evidence:
    """SpaceNet by its columns."""
    first = peek.text.split(b"\n", 1)[0].lower()
    if b"imageid" in first and b"polygonwkt" in first:
        return Evidence(3, "the columns ImageId and PolygonWKT")
    return Evidence(0, "no columns ImageId and PolygonWKT")


FORMAT = Format(
    name="spacenet",
    about="SpaceNet CSV: footprints in well-known text, in pixels or on the map",
    url="https://spacenet.ai",
    holds=holds,
    read=read,
    reader_options=SpacenetReaderOptions,
    sniff=sniff,
    extensions=(),
)
