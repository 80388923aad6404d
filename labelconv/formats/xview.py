"""xView: boxes of sixty classes in one GeoJSON file for all pictures (xView_train.geojson).

What is drawn is `properties.bounds_imcoords`, "xmin,ymin,xmax,ymax" in pixels; the geometry is the
same in degrees and is read by `geojson` (`-O sample_key=image_id -O class_key=type_id`).
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterator
from typing import Any, Literal

import msgspec

from labelconv import codes
from labelconv.errors import SourceError
from labelconv.format import Evidence, Format, Holds, NoOptions, Reading
from labelconv.grouping import by_row
from labelconv.io import Peek, Source, skip_mark
from labelconv.jsonstream import UNDECODABLE, Walker
from labelconv.media import Size
from labelconv.model import Annotation, Box, Category, Dataset, Image, Ontology, Sample, Samples
from labelconv.problems import Code, Where

#: The classes of the data set (xview_class_labels.txt).
CLASSES = {
    11: "Fixed-wing Aircraft",
    12: "Small Aircraft",
    13: "Cargo Plane",
    15: "Helicopter",
    17: "Passenger Vehicle",
    18: "Small Car",
    19: "Bus",
    20: "Pickup Truck",
    21: "Utility Truck",
    23: "Truck",
    24: "Cargo Truck",
    25: "Truck w/Box",
    26: "Truck Tractor",
    27: "Trailer",
    28: "Truck w/Flatbed",
    29: "Truck w/Liquid",
    32: "Crane Truck",
    33: "Railway Vehicle",
    34: "Passenger Car",
    35: "Cargo Car",
    36: "Flat Car",
    37: "Tank car",
    38: "Locomotive",
    40: "Maritime Vessel",
    41: "Motorboat",
    42: "Sailboat",
    44: "Tugboat",
    45: "Barge",
    47: "Fishing Vessel",
    49: "Ferry",
    50: "Yacht",
    51: "Container Ship",
    52: "Oil Tanker",
    53: "Engineering Vehicle",
    54: "Tower crane",
    55: "Container Crane",
    56: "Reach Stacker",
    57: "Straddle Carrier",
    59: "Mobile Crane",
    60: "Dump Truck",
    61: "Haul Truck",
    62: "Scraper/Tractor",
    63: "Front loader/Bulldozer",
    64: "Excavator",
    65: "Cement Mixer",
    66: "Ground Grader",
    71: "Hut/Tent",
    72: "Shed",
    73: "Building",
    74: "Aircraft Hangar",
    76: "Damaged Building",
    77: "Facility",
    79: "Construction Site",
    83: "Vehicle Lot",
    84: "Helipad",
    86: "Storage Tank",
    89: "Shipping container lot",
    91: "Shipping Container",
    93: "Pylon",
    94: "Tower",
}
_USED = frozenset(("bounds_imcoords", "image_id", "type_id", "feature_id"))


class XviewReaderOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Options of the xView reader (`-O key=value`).

    - `unknown`: types that the list of classes does not have: `reject` them, or keep them and call
      them by their `number`.
    """

    unknown: Literal["reject", "number"] = "reject"


class _Feature(msgspec.Struct):
    properties: dict[str, Any]


_FEATURES = msgspec.json.Decoder(list[_Feature])
_ONE = msgspec.json.Decoder(_Feature)


class _Boxes(msgspec.Struct):
    """The boxes of a file in compact arrays: four edges each, type, id, and picture."""

    edges: Any
    types: Any
    ids: Any
    rows: Any
    names: dict[str, int]


def holds(options: NoOptions) -> tuple[Holds, ...]:
    """What is read: boxes."""
    return (Holds(media=Image, values=frozenset({Box})),)


def read(source: Source, options: XviewReaderOptions, reading: Reading) -> Dataset:
    """The pictures of an xView file with their boxes. Raises `SourceError` for what is no
    FeatureCollection."""
    ontology = Ontology(
        categories=tuple(Category(name=name, source_id=id) for id, name in CLASSES.items())
    )

    def samples() -> Iterator[Sample]:
        reading.keys.restart()
        boxes = _boxes(source, options, reading)
        names = list(boxes.names)
        for row, members in by_row(boxes.rows, len(names)):
            sample = _sample(names[row], members, boxes, source.name, reading)
            if sample is not None:
                yield sample

    return Samples(samples, ontology)


def _sample(
    name: str, members: list[int], boxes: _Boxes, path: str, reading: Reading
) -> Sample | None:
    report = reading.report
    report.ledger.samples.read += 1
    key, problem = reading.keys.key(name, name, {})
    if key is None:
        assert problem is not None  # for mypy; one of the two is there
        code, values = problem
        report.ledger.annotations.rejected += len(members)
        where = Where(path, sample=name)
        report.reject(code, where, msgspec.json.encode(name), "samples", **values)
        return None
    annotations = []
    seen: set[str] = set()
    for member in members:
        id = str(boxes.ids[member])
        if id in seen:
            renamed = f"{id}#{member}"
            where = Where(path, pointer=f"/features/{member}")
            report.add(codes.ANNOTATION_ID_DUPLICATE, where, value=repr(id), renamed=renamed)
            id = renamed
        seen.add(id)
        number = boxes.types[member]
        category = CLASSES.get(number, str(number))
        edges = boxes.edges[4 * member : 4 * member + 4]
        annotations.append(Annotation(id, category, Box(*edges)))
    size = reading.media.size(name) if reading.media.given else None
    media = Image()
    if isinstance(size, Size):
        media = Image(float(size.width), float(size.height))
    uri = name if name != key else None
    return Sample(key, media, tuple(annotations), uri=uri, key_is_id=reading.keys.are_ids)


def _boxes(source: Source, options: XviewReaderOptions, reading: Reading) -> _Boxes:
    boxes = _Boxes(array("d"), array("l"), array("q"), array("L"), {})
    left: dict[str, int] = {}
    with source.open() as file:
        if skip_mark(file, source.name):
            reading.report.add(codes.ENCODING_MARK, Where(path=source.name))
        walker = Walker(file, source.name)
        met = False
        for member in walker.members():
            if member != "features":
                walker.value()
                continue
            met = True
            for batch in walker.array(_FEATURES):
                raws = None
                values: list[Any] = (
                    [None] * len(batch) if batch.values is None else list(batch.values)
                )
                for at, feature in enumerate(values):
                    where = Where(source.name, pointer=f"/features/{batch.index + at}")
                    reading.report.ledger.annotations.read += 1
                    if feature is None:
                        raws = batch.raws() if raws is None else raws
                        trouble = _alone(raws[at], batch.index + at, options, boxes, left)
                    else:
                        trouble = _add(feature.properties, batch.index + at, options, boxes, left)
                    if trouble is not None:
                        raws = batch.raws() if raws is None else raws
                        code, filled = trouble
                        reading.report.reject(code, where, raws[at], "annotations", **filled)
        if not met:
            raise SourceError(f"{source.name}: the member features expected, not found")
    for name, count in sorted(left.items()):
        reading.report.field(f"xview:{name}", count)
    return boxes


_Trouble = tuple[Code, dict[str, object]]


def _alone(
    raw: bytes, index: int, options: XviewReaderOptions, boxes: _Boxes, left: dict[str, int]
) -> _Trouble | None:
    try:
        feature = _ONE.decode(raw)
    except UNDECODABLE as error:
        return codes.RECORD_MALFORMED, {"expected": "a feature", "found": str(error)}
    return _add(feature.properties, index, options, boxes, left)


def _add(
    properties: dict[str, Any],
    index: int,
    options: XviewReaderOptions,
    boxes: _Boxes,
    left: dict[str, int],
) -> _Trouble | None:
    """Add the box of a feature, or say what is wrong with it."""
    image, number = properties.get("image_id"), properties.get("type_id")
    if not isinstance(image, str) or not image:
        return codes.RECORD_MALFORMED, {"expected": "image_id as a name", "found": repr(image)}
    if not isinstance(number, (int, float)) or number != int(number) or abs(number) >= 1 << 60:
        return codes.RECORD_MALFORMED, {"expected": "type_id as a number", "found": repr(number)}
    if int(number) not in CLASSES and options.unknown != "number":
        values: dict[str, object] = {"field": "type_id", "value": int(number)}
        return codes.REFERENCE_DANGLING, {**values, "known": "classes of xView"}
    given = properties.get("bounds_imcoords")
    try:
        edges = [float(part) for part in str(given).split(",")]
    except ValueError:
        edges = []
    if len(edges) != 4 or not all(abs(edge) < float("inf") for edge in edges):
        expected = "bounds_imcoords of four numbers"
        return codes.RECORD_MALFORMED, {"expected": expected, "found": repr(given)}
    if edges[2] < edges[0] or edges[3] < edges[1]:
        found = f"{edges[2] - edges[0]:g} × {edges[3] - edges[1]:g}"
        return codes.BOX_IMPOSSIBLE, {"found": found}
    id = properties.get("feature_id")
    boxes.edges.extend(edges)
    boxes.types.append(int(number))
    boxes.ids.append(id if isinstance(id, int) and 0 <= id < 1 << 60 else index)
    boxes.rows.append(boxes.names.setdefault(image, len(boxes.names)))
    for name in properties:
        if name not in _USED:
            left[name] = left.get(name, 0) + 1
    return None


_MARKS = re.compile(rb'"bounds_imcoords"')


def sniff(peek: Peek) -> Evidence:
    """xView by the property that has its boxes."""
    if peek.is_folder or not peek.text.startswith(b"{"):
        return Evidence(0, "not a JSON object")
    if _MARKS.search(peek.text) and b'"type_id"' in peek.text:
        return Evidence(3, "features with bounds_imcoords and type_id")
    return Evidence(0, "no features with bounds_imcoords")


FORMAT = Format(
    name="xview",
    about="xView: boxes of sixty classes in pixels, in one GeoJSON file",
    url="http://xviewdataset.org",
    holds=holds,
    read=read,
    reader_options=XviewReaderOptions,
    sniff=sniff,
)
