"""xBD (xView2): buildings and their damage, one JSON file for each picture.

`features.xy` are outlines in pixels and `features.lng_lat` the same on the map, in well-known text;
`metadata` has the picture's name and size. Pictures from before a disaster have no `subtype`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import msgspec

from labelconv import codes
from labelconv.crs.names import LON_LAT
from labelconv.errors import SourceError
from labelconv.format import Evidence, Format, Holds, NoOptions, Reading
from labelconv.io import Peek, Source, skip_mark, walk
from labelconv.jsonstream import UNDECODABLE
from labelconv.model import (
    Annotation,
    Category,
    Classification,
    Dataset,
    Image,
    Ontology,
    Option,
    Polygon,
    Question,
    Radio,
    Sample,
    Samples,
    TiledImage,
)
from labelconv.problems import Where
from labelconv.simple_features import Parsed, SimpleError, from_wkt

#: What the data set calls the damage of a building, and what it says where it cannot be seen.
DAMAGES = ("no-damage", "minor-damage", "major-damage", "destroyed", "un-classified")
_KNOWN = frozenset(("feature_type", "subtype", "uid"))


class XbdReaderOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Options of the xBD reader (`-O key=value`).

    - `space`: the outlines in `pixel`s, or on the `map` in longitude and latitude.
    - `question`: the question about a building that its damage answers.
    """

    space: Literal["pixel", "map"] = "pixel"
    question: str = "damage"


class _Feature(msgspec.Struct):
    wkt: str
    properties: dict[str, Any] = {}


class _Features(msgspec.Struct):
    xy: list[msgspec.Raw] = []
    lng_lat: list[msgspec.Raw] = []


class _Label(msgspec.Struct):
    features: _Features
    metadata: dict[str, Any] = {}


_LABEL = msgspec.json.Decoder(_Label)
_FEATURE = msgspec.json.Decoder(_Feature)


def holds(options: NoOptions) -> tuple[Holds, ...]:
    """What is read: buildings, in pixels or on the map, with their damage."""
    return (
        *(
            Holds(
                media=media, values=frozenset({Polygon}), parts=True, holes=True, classifications=1
            )
            for media in (Image, TiledImage)
        ),
    )


def read(source: Source, options: XbdReaderOptions, reading: Reading) -> Dataset:
    """The picture of a label file, or those of a folder of them, in natural order.

    Raises `SourceError` for a folder without label files and for a file that is none.
    """
    files = _files(source)
    question = Question(
        name=options.question,
        kind="radio",
        options=tuple(Option(name=damage) for damage in DAMAGES),
    )
    ontology = Ontology(categories=(Category(name="building", questions=(question,)),))

    def samples() -> Iterator[Sample]:
        reading.keys.restart()
        for file in files:
            sample = _sample(file, options, reading, alone=not source.is_folder)
            if sample is not None:
                yield sample

    return Samples(samples, ontology)


def _files(source: Source) -> list[Source]:
    if not source.is_folder:
        return [source]
    assert source.path is not None  # for mypy; a folder has one
    found = [source.path / name for name in walk(source.path) if name.lower().endswith(".json")]
    if not found:
        raise SourceError(f"{source.name}: label files (.json) expected in the folder, none found")
    return [Source(path) for path in found]


def _sample(
    source: Source, options: XbdReaderOptions, reading: Reading, *, alone: bool
) -> Sample | None:
    report, ledger = reading.report, reading.report.ledger
    where = Where(source.name)
    with source.open() as file:
        if skip_mark(file, source.name):
            report.add(codes.ENCODING_MARK, where)
        data = file.read()
    try:
        label = _LABEL.decode(data)
    except UNDECODABLE as error:
        if alone:
            raise SourceError(f"{source.name}: a label file of xBD expected: {error}") from None
        ledger.samples.read += 1
        expected = "a label file of xBD"
        report.reject(
            codes.RECORD_MALFORMED, where, data, "samples", expected=expected, found=str(error)
        )
        return None
    ledger.samples.read += 1
    name = label.metadata.get("img_name")
    if not isinstance(name, str) or not name:
        name = Path(source.name).with_suffix(".png").name
    key, problem = reading.keys.key(name, Path(name).stem, label.metadata)
    if key is None:
        assert problem is not None  # for mypy; one of the two is there
        report.reject(problem[0], where, data, "samples", **problem[1])
        return None
    in_pixels = options.space == "pixel"
    raws = label.features.xy if in_pixels else label.features.lng_lat
    others = label.features.lng_lat if in_pixels else label.features.xy
    for field in label.metadata:
        if field not in ("img_name", "width", "height"):
            report.field(f"xbd:{field}")
    if others:
        report.field(f"xbd:{'lng_lat' if in_pixels else 'xy'}", len(others))
    pointer = "/features/xy" if in_pixels else "/features/lng_lat"
    return Sample(
        key,
        _media(label.metadata, in_pixels=in_pixels),
        tuple(_annotations(raws, source.name, pointer, options, reading)),
        uri=name if name != key else None,
        key_is_id=reading.keys.are_ids,
    )


def _media(metadata: dict[str, Any], *, in_pixels: bool) -> Image | TiledImage:
    if not in_pixels:
        return TiledImage(LON_LAT)
    width, height = (_size(metadata.get(name)) for name in ("width", "height"))
    return Image(width, height) if width and height else Image()


def _size(given: Any) -> float:
    """How many pixels a picture is wide or high; 0 for what cannot be that."""
    if isinstance(given, bool) or not isinstance(given, (int, float)) or not 0 < given < math.inf:
        return 0.0
    return float(given)


def _annotations(
    raws: list[msgspec.Raw],
    path: str,
    pointer: str,
    options: XbdReaderOptions,
    reading: Reading,
) -> Iterator[Annotation]:
    report = reading.report
    report.ledger.annotations.read += len(raws)
    features: list[_Feature | str] = []
    for raw in raws:
        try:
            features.append(_FEATURE.decode(raw))
        except UNDECODABLE as error:
            features.append(str(error))
    texts = ["" if isinstance(each, str) else each.wkt for each in features]
    seen: set[str] = set()
    for at, (raw, feature, parsed) in enumerate(zip(raws, features, from_wkt(texts), strict=True)):
        where = Where(path, pointer=f"{pointer}/{at}")
        trouble = _trouble(feature, parsed)
        if trouble:
            expected = "a feature with a polygon in well-known text"
            report.reject(
                codes.RECORD_MALFORMED, where, bytes(raw), expected=expected, found=trouble
            )
            continue
        assert isinstance(feature, _Feature)  # for mypy; what is none has trouble
        assert isinstance(parsed, Parsed)
        properties = feature.properties
        id = str(properties.get("uid") or at)
        if id in seen:
            renamed = f"{id}#{at}"
            report.add(codes.ANNOTATION_ID_DUPLICATE, where, value=repr(id), renamed=renamed)
            id = renamed
        seen.add(id)
        for name in properties:
            if name not in _KNOWN:
                report.field(f"xbd:{name}")
        asked: tuple[Classification, ...] = ()
        damage = properties.get("subtype")
        if damage:
            asked = (Classification(options.question, Radio(str(damage))),)
        category = str(properties.get("feature_type") or "building")
        yield Annotation(id, category, parsed.shapes[0], asked)


def _trouble(feature: _Feature | str, parsed: Parsed | SimpleError) -> str:
    if isinstance(feature, str):
        return feature
    if isinstance(parsed, SimpleError):
        return str(parsed)
    return "" if len(parsed.shapes) == 1 else f"{parsed.kind} of {len(parsed.shapes)} shapes"


def sniff(peek: Peek) -> Evidence:
    """xBD by its two lists of features and the metadata of a picture."""
    if peek.is_folder:
        return Evidence(0, "a folder; name the format with --from xbd")
    both = peek.text + peek.tail
    if peek.text.startswith(b"{") and b'"lng_lat"' in both and b'"xy"' in both:
        return Evidence(3, "a JSON object with lng_lat and xy")
    return Evidence(0, "no JSON object with lng_lat and xy")


FORMAT = Format(
    name="xbd",
    about="xBD (xView2): buildings and their damage, a JSON file a picture",
    url="https://xview2.org",
    holds=holds,
    read=read,
    reader_options=XbdReaderOptions,
    sniff=sniff,
)
