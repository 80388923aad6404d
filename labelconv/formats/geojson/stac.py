"""STAC label items (extension 1.0.1): the item says what is labelled, an asset has the labels.

In the package of `geojson`, since the labels are GeoJSON. Nothing is fetched: the asset must lie
beside the item.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal
from urllib.parse import unquote

import msgspec

from labelconv.crs.names import LON_LAT
from labelconv.errors import SourceError
from labelconv.format import Evidence, Format, Holds, NoOptions, Reading
from labelconv.formats.geojson.options import GeojsonReaderOptions
from labelconv.io import Peek, Source
from labelconv.jsonstream import UNDECODABLE
from labelconv.keys import Keys
from labelconv.model import (
    Category,
    Dataset,
    Ontology,
    Point,
    Polygon,
    Polyline,
    Sample,
    Samples,
    TiledImage,
)
from labelconv.problems import Where


class StacReaderOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Options of the reader of STAC label items (`-O key=value`).

    - `asset`: the asset with the labels; the one with the role or the name `labels` when not given.
    - `class_key`: the property of a label that names its class; the first of `label:properties`
      when not given. The others answer questions, with one option each.
    - `answers`: what the other properties of `label:properties` are: `radio` or `text`.
    """

    asset: str | None = None
    class_key: str | None = None
    answers: Literal["radio", "text"] = "radio"


class _Link(msgspec.Struct):
    rel: str
    href: str


class _Asset(msgspec.Struct):
    href: str
    roles: list[str] = []
    type: str | None = None


class _Class(msgspec.Struct):
    name: str | None = None
    classes: list[Any] = []


class _Properties(msgspec.Struct):
    kind: str = msgspec.field(default="vector", name="label:type")
    names: list[str] | None = msgspec.field(default=None, name="label:properties")
    classes: list[_Class] | None = msgspec.field(default=None, name="label:classes")


class _Item(msgspec.Struct):
    id: str
    properties: _Properties
    assets: dict[str, _Asset]
    links: list[_Link] = []
    bbox: list[float] | None = None


def holds(options: NoOptions) -> tuple[Holds, ...]:
    """What is read: shapes on the map."""
    return (
        Holds(
            media=TiledImage,
            values=frozenset({Point, Polyline, Polygon}),
            parts=True,
            holes=True,
            classifications=1,
        ),
    )


def read(source: Source, options: StacReaderOptions, reading: Reading) -> Dataset:
    """The labels of an item as one sample, named by what the item's link `source` leads to.

    Raises `SourceError` for what is no label item, for labels that are pictures, and for an asset
    that is not on this machine.
    """
    from labelconv.formats.geojson.reader import read as read_geojson

    item = _item(source)
    labels = _asset(item, options, source)
    names = item.properties.names or []
    class_key = options.class_key or (names[0] if names else None)
    others = ",".join(name for name in names if name != class_key)
    inner_options = GeojsonReaderOptions(
        class_key=class_key,
        radio=others if options.answers == "radio" else "",
        text=others if options.answers == "text" else "",
    )
    uri = next((link.href for link in item.links if link.rel == "source"), None)
    several = sum(link.rel == "source" for link in item.links)

    def samples() -> Iterator[Sample]:
        reading.keys.restart()
        key, problem = reading.keys.key(uri or item.id, item.id, {"id": item.id})
        report = reading.report
        if key is None:
            assert problem is not None  # for mypy; one of the two is there
            report.ledger.samples.read += 1
            record = msgspec.json.encode(item.id)
            report.reject(problem[0], Where(source.name), record, "samples", **problem[1])
            return
        if several > 1:
            report.field("stac-label:links (sources beside the first)", several - 1)
        inner = msgspec.structs.replace(reading, keys=Keys(), crew=None)
        for sample in read_geojson(labels, inner_options, inner):
            media = sample.media
            if isinstance(media, TiledImage) and item.bbox and len(item.bbox) in (4, 6):
                west, south = item.bbox[0], item.bbox[1]
                east, north = item.bbox[len(item.bbox) // 2 : len(item.bbox) // 2 + 2]
                if media.crs == LON_LAT:
                    media = TiledImage(media.crs, (west, south, east, north))
                else:  # an item's are degrees, whatever its labels are
                    report.field("stac-label:bbox")
            yield Sample(
                key,
                media,
                sample.annotations,
                uri=uri if uri != key else None,
                key_is_id=reading.keys.are_ids,
            )

    classes = _classes(item, class_key)
    return Samples(samples, Ontology(categories=classes) if classes else None)


def _item(source: Source) -> _Item:
    with source.open() as file:
        data = file.read()
    try:
        item = msgspec.json.decode(data, type=_Item)
    except UNDECODABLE as error:
        raise SourceError(f"{source.name}: a STAC item with labels expected: {error}") from None
    if item.properties.kind != "vector":
        raise SourceError(
            f"{source.name}: labels of the type vector expected, {item.properties.kind!r} found"
        )
    return item


def _asset(item: _Item, options: StacReaderOptions, source: Source) -> Source:
    if options.asset is not None:
        found = item.assets.get(options.asset)
    else:
        found = next((a for a in item.assets.values() if "labels" in a.roles), None)
        found = found or item.assets.get("labels")
    if found is None:
        wanted = options.asset or "labels"
        known = ", ".join(item.assets) or "none"
        raise SourceError(f"{source.name}: an asset {wanted!r} expected, found: {known}")
    href = found.href.removeprefix("file://")
    if "://" in href or source.path is None:
        raise SourceError(
            f"{source.name}: labels beside the item expected, {href} found. Nothing is fetched: "
            f"download it, and let the item name the copy."
        )
    path = Path(unquote(href))
    return Source(path if path.is_absolute() else source.path.parent / path)


def _classes(item: _Item, class_key: str | None) -> tuple[Category, ...]:
    for each in item.properties.classes or []:
        if each.name == class_key or each.name is None:
            return tuple(Category(name=str(name)) for name in each.classes)
    return ()


def sniff(peek: Peek) -> Evidence:
    """A STAC item with labels by the fields of the extension."""
    if not peek.is_folder and peek.text.startswith(b"{"):
        both = peek.text + peek.tail
        if b'"label:type"' in both and b'"assets"' in both:
            return Evidence(3, "a STAC item with label:type")
    return Evidence(0, "no STAC item with label:type")


FORMAT = Format(
    name="stac-label",
    about="STAC label items: GeoJSON labels of imagery (label extension 1.0.1)",
    url="https://github.com/stac-extensions/label",
    holds=holds,
    read=read,
    reader_options=StacReaderOptions,
    sniff=sniff,
)
