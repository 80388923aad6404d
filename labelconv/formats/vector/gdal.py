"""The doors to pyogrio and pyarrow: tables of features as batches of columns."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from labelconv.errors import MissingDependencyError, SourceError
from labelconv.jsonstream import UNDECODABLE

#: Columns that `labelconv` writes, in this order.
COLUMNS = ("class", "sample", "confidence")
GEOMETRY = "geometry"
_BATCH = 2_000
#: GeoPackages carry the time of their making; the same data must give the same bytes.
_DATE = "2000-01-01T00:00:00.000Z"


class Table(msgspec.Struct):
    """A layer: the names of its columns, its CRS as the file spells it, and its batches, each with
    the geometries in well-known binary (None where there is none) and a row for each feature."""

    columns: list[str]
    crs: str | None
    batches: Iterator[tuple[list[bytes | None], list[dict[str, Any]]]]


def pyogrio() -> Any:
    """Raises `MissingDependencyError` where it is not installed."""
    try:
        import pyogrio as module
    except ImportError as error:
        raise _missing("pyogrio") from error
    return module


def pyarrow() -> Any:
    """Raises `MissingDependencyError` where it is not installed."""
    try:
        import pyarrow as pa
        import pyarrow.parquet
    except ImportError as error:
        raise _missing("pyarrow") from error
    return pa


def _missing(name: str) -> MissingDependencyError:
    return MissingDependencyError(
        f"vector files need {name}. Install it with `pip install 'labelconv[vector]'`."
    )


def is_parquet(path: Path) -> bool:
    """By its first bytes."""
    with path.open("rb") as file:
        return file.read(4) == b"PAR1"


@contextlib.contextmanager
def _readable(path: Path, *faults: type[Exception]) -> Iterator[None]:
    """What libraries raise for a broken file (`faults` and the usual) is a `SourceError`."""
    known: tuple[type[Exception], ...] = (OSError, ValueError, *faults)
    try:
        yield
    except SourceError:
        raise
    except UnicodeDecodeError as error:
        raise SourceError(
            f"{path}: texts in UTF-8 expected, {error.object[:40]!r} found. Name the encoding of a "
            f"Shapefile that does not say its own with -O encoding=cp1252 or the like"
        ) from error
    except known as error:
        raise SourceError(f"{path}: {error}") from error


def table(path: Path, layer: str | None, encoding: str | None) -> Table:
    """A layer of a file; `encoding` is that of a Shapefile's texts. Raises `SourceError`."""
    if not is_parquet(path):
        return _layer(path, layer, encoding)
    if encoding is not None:
        raise SourceError(f"{path}: a Shapefile expected with -O encoding, Parquet found")
    return _parquet(path)


def _layer(path: Path, layer: str | None, encoding: str | None) -> Table:
    module = pyogrio()
    pyarrow()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return _described(module, path, layer, encoding)


def _described(module: Any, path: Path, layer: str | None, encoding: str | None) -> Table:
    with _readable(path, module.errors.DataSourceError, module.errors.DataLayerError):
        layers = [str(name) for name in module.list_layers(path)[:, 0]]
        if layer is None and len(layers) != 1:
            raise SourceError(
                f"{path}: one layer expected, found: {', '.join(layers) or 'none'}. Name one with "
                f"-O layer=…"
            )
        if layer is not None and layer not in layers:
            raise SourceError(f"{path}: the layer {layer!r} expected, found: {', '.join(layers)}")
        try:
            info = module.read_info(path, layer=layer or layers[0], encoding=encoding)
        except module.errors.CRSError as error:
            raise SourceError(
                f"{path}: a CRS that GDAL knows expected: {error}. Remove what names it (a .prj) "
                f"and pass -O source_crs=EPSG:…"
            ) from error
    if encoding is not None and info["driver"] != "ESRI Shapefile":
        raise SourceError(f"{path}: a Shapefile expected with -O encoding, {info['driver']} found")
    fields = [str(name) for name in info["fields"]]
    batches = _layer_batches(path, layer or layers[0], encoding, fields)
    return Table(fields, info["crs"], batches)


def _layer_batches(
    path: Path, layer: str, encoding: str | None, fields: Sequence[str]
) -> Iterator[tuple[list[bytes | None], list[dict[str, Any]]]]:
    module = pyogrio()
    arrow = pyarrow()
    with (
        _readable(path, module.errors.DataSourceError, module.errors.DataLayerError),
        warnings.catch_warnings(),
        module.raw.open_arrow(
            path, layer=layer, encoding=encoding, batch_size=_BATCH, use_pyarrow=True
        ) as opened,
    ):
        warnings.simplefilter("ignore")
        meta, reader = opened
        name = meta["geometry_name"] or "wkb_geometry"
        for batch in reader:
            yield _rows(arrow.Table.from_batches([batch]), name, fields)


def _rows(
    columns: Any, geometry: str, fields: Sequence[str]
) -> tuple[list[bytes | None], list[dict[str, Any]]]:
    geometries = columns.column(geometry).to_pylist()
    kept = [name for name in fields if name in columns.column_names]
    return geometries, columns.select(kept).to_pylist()


class _GeoColumn(msgspec.Struct):
    encoding: str
    crs: Any = msgspec.UNSET


class _Geo(msgspec.Struct):
    primary_column: str
    columns: dict[str, _GeoColumn]


def _parquet(path: Path) -> Table:
    arrow = pyarrow()
    with _readable(path, arrow.ArrowException):
        file = arrow.parquet.ParquetFile(path)
    try:
        schema = file.schema_arrow
        geo = msgspec.json.decode((schema.metadata or {}).get(b"geo", b"null"), type=_Geo)
        column = geo.columns[geo.primary_column]
    except (*UNDECODABLE, KeyError) as error:
        file.close()
        raise SourceError(f"{path}: the metadata of GeoParquet expected; {error}") from None
    if column.encoding != "WKB":
        file.close()
        raise SourceError(f"{path}: geometries in WKB expected, {column.encoding} found")
    crs: str | None = "OGC:CRS84"  # what the specification says where nothing is said
    if column.crs is None:
        crs = None
    elif column.crs is not msgspec.UNSET:
        crs = msgspec.json.encode(column.crs).decode()
    fields = [name for name in schema.names if name != geo.primary_column]

    def batches() -> Iterator[tuple[list[bytes | None], list[dict[str, Any]]]]:
        with file, _readable(path, arrow.ArrowException):
            for batch in file.iter_batches(batch_size=_BATCH):
                yield _rows(arrow.Table.from_batches([batch]), geo.primary_column, fields)

    return Table(fields, crs, batches())


# ------------------------------------------------------------------------------- writing


def schema() -> Any:
    """The columns of a written table, the geometry last."""
    arrow = pyarrow()
    kinds = (arrow.string(), arrow.string(), arrow.float64())
    named = [arrow.field(name, kind) for name, kind in zip(COLUMNS, kinds, strict=True)]
    return arrow.schema([*named, arrow.field(GEOMETRY, arrow.binary())])


def batches(rows: Iterator[tuple[str, str, float | None, bytes]]) -> Iterator[Any]:
    """Rows of class, sample, confidence and geometry as batches of `schema`."""
    arrow = pyarrow()
    columns = schema()
    held: list[tuple[str, str, float | None, bytes]] = []
    for row in rows:
        held.append(row)
        if len(held) == _BATCH:
            yield _batch(arrow, columns, held)
            held = []
    if held:
        yield _batch(arrow, columns, held)


def _batch(arrow: Any, columns: Any, rows: list[tuple[str, str, float | None, bytes]]) -> Any:
    arrays = [
        arrow.array(values, type=field.type)
        for values, field in zip(zip(*rows, strict=True), columns, strict=True)
    ]
    return arrow.RecordBatch.from_arrays(arrays, schema=columns)


def write_layer(
    path: Path, driver: str, given: Iterator[Any], crs: str, layer: str, kind: str
) -> None:
    """Write batches with GDAL. `kind` is the type of geometry, `Unknown` for any."""
    module, arrow = pyogrio(), pyarrow()
    # Not synced to the disk, like all that labelconv writes (docs/decisions/0009).
    module.set_gdal_config_options({"OGR_CURRENT_DATE": _DATE, "OGR_SQLITE_SYNCHRONOUS": "OFF"})
    try:
        reader = arrow.RecordBatchReader.from_batches(schema(), given)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            module.write_arrow(
                reader,
                path,
                driver=driver,
                layer=layer,
                geometry_name=GEOMETRY,
                geometry_type=kind,
                crs=crs,
            )
    finally:
        module.set_gdal_config_options({"OGR_CURRENT_DATE": None, "OGR_SQLITE_SYNCHRONOUS": None})


def write_parquet(path: Path, given: Iterator[Any], crs: str) -> None:
    """Write batches as GeoParquet 1.0; the CRS is told as PROJJSON, or left away for CRS84."""
    from labelconv.crs.names import LON_LAT
    from labelconv.crs.transform import projjson

    arrow = pyarrow()
    column: dict[str, Any] = {"encoding": "WKB", "geometry_types": []}
    if crs != LON_LAT:
        column["crs"] = projjson(crs)
    geo = {"version": "1.0.0", "primary_column": GEOMETRY, "columns": {GEOMETRY: column}}
    columns = schema().with_metadata({"geo": msgspec.json.encode(geo).decode()})
    with arrow.parquet.ParquetWriter(path, columns) as writer:
        for batch in given:
            writer.write_batch(batch.replace_schema_metadata(columns.metadata))
