"""Reads panoptic COCO: a JSON file that lists segments, and a PNG for each picture with their ids.

A pixel's id is R + 256 G + 65536 B, and 0 is void (panopticapi, format.md and utils.py).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import msgspec

from labelconv import codes, geometry, masks
from labelconv.errors import OptionError
from labelconv.formats.coco.categories import Categories
from labelconv.formats.coco.pictures import Pictures
from labelconv.formats.coco.shapes import compare_box
from labelconv.formats.coco.wire import REFUSED, Lenient, dangling, fields_of, shown
from labelconv.io import Source
from labelconv.jsonstream import UNDECODABLE, Walker
from labelconv.model import Annotation, Extra, Mask, Value
from labelconv.problems import Report, Where
from labelconv.unusable import Unusable

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_MARK = re.compile(rb'"segments_info"[ \t\r\n]*:')
_LOOK_BYTES = 262_144
_RAWS = msgspec.json.Decoder(list[msgspec.Raw])
_LISTED = 5
_AREA_TOLERANCE = 0.5
#: PNG colour types: grey, RGB, palette, grey with alpha, RGB with alpha.
_COLOURS = {0: "grey only", 4: "grey and alpha, the layout of two channels"}
_KNOWN = frozenset({"id", "category_id", "area", "bbox", "iscrowd"})


class Context(msgspec.Struct):
    """What is known when the annotations are reached."""

    source: Source
    folder: str | None
    shape: str
    crowd: str
    pictures: Pictures
    categories: Categories
    report: Report
    keep_extra: bool
    crowds: int = 0


def is_panoptic(source: Source, offset: int) -> bool:
    """Whether the array at `offset` of the source starts with a record of segments."""
    with source.open() as file:
        file.seek(offset)
        return _MARK.search(file.read(_LOOK_BYTES)) is not None


def samples(walker: Walker, context: Context) -> Iterator[tuple[int, list[Annotation]]]:
    """(row of the picture, its annotations) of each record that can be used.

    Raises `OptionError` when the folder of the PNGs that was named is not there.
    """
    folder = _folder(context)
    for batch in walker.array(_RAWS):
        for position, raw in enumerate(batch.raws()):
            where = Where(context.source.name, pointer=f"/annotations/{batch.index + position}")
            made = _record(raw, folder, where, context)
            if made is not None:
                yield made


def _folder(context: Context) -> Path | None:
    if context.folder is not None:
        named = Path(context.folder)
        if not named.is_dir():
            raise OptionError(f"segments={context.folder}: a folder of PNGs expected, none there")
        return named
    path = context.source.path
    if path is None:
        return None
    beside = path.parent / path.name.removesuffix(".gz").removesuffix(".json")
    return beside if beside.is_dir() else path.parent


def _record(
    raw: bytes, folder: Path | None, where: Where, context: Context
) -> tuple[int, list[Annotation]] | None:
    """One picture's segments. What cannot be used is rejected, with as many as it lists."""
    account = context.report.ledger.annotations
    count = 1
    try:
        fields = fields_of(raw)
        listed = _listed(raw, fields)
        count = len(listed)
        lenient = Lenient(fields, context.report, where)
        row = _row(lenient, context.pictures)
        name, ids = _png(lenient, folder, context.pictures, row)
    except Unusable as problem:
        count = max(count, 1)
        account.read += count
        account.rejected += count - 1
        place = msgspec.structs.replace(where, pointer=f"{where.pointer}{problem.pointer}")
        context.report.reject(problem.code, place, raw, "annotations", **problem.values)
        return None
    account.read += count
    context.pictures.used[row] = 1
    found = _Segments(ids)
    annotations = []
    for position, segment in enumerate(listed):
        place = msgspec.structs.replace(where, pointer=f"{where.pointer}/segments_info/{position}")
        try:
            annotation = _segment(bytes(segment), found, name, place, context)
        except Unusable as problem:
            exact = msgspec.structs.replace(place, pointer=f"{place.pointer}{problem.pointer}")
            context.report.reject(
                problem.code, exact, bytes(segment), "annotations", **problem.values
            )
            continue
        if annotation is not None:
            annotations.append(annotation)
    unlisted = found.unused()
    if unlisted:
        context.report.add(
            codes.SEGMENT_UNLISTED,
            where,
            file=name,
            count=len(unlisted),
            segments=", ".join(map(str, unlisted[:_LISTED]))
            + (", …" if len(unlisted) > _LISTED else ""),
        )
    return row, annotations


def _listed(raw: bytes, fields: dict[str, Any]) -> list[msgspec.Raw]:
    """The raw segments of a record. Raises `Unusable`."""
    segments = fields.get("segments_info")
    if not isinstance(segments, list):
        raise Unusable(
            codes.RECORD_MALFORMED,
            "/segments_info",
            expected="segments_info as a list",
            found=shown(segments),
        )
    try:
        return _RAWS.decode(msgspec.json.decode(raw, type=dict[str, msgspec.Raw])["segments_info"])
    except UNDECODABLE:  # a NaN somewhere, which only the lenient parser takes
        return [msgspec.Raw(msgspec.json.encode(segment)) for segment in segments]


def _row(lenient: Lenient, pictures: Pictures) -> int:
    """The row of the record's picture, which must not have had a record before."""
    id = lenient.id("image_id")
    row = None if id is None else pictures.find(id)
    if row is None or pictures.refused(row):
        raise dangling("image_id", id, "images" if row is None else REFUSED)
    if pictures.used[row]:
        raise Unusable(
            codes.ID_DUPLICATE,
            "/image_id",
            field="image_id",
            value=shown(id),
            first="an earlier record, and a picture has one",
        )
    return row


def _png(
    lenient: Lenient, folder: Path | None, pictures: Pictures, row: int
) -> tuple[str, NDArray[np.uint32]]:
    """The PNG's name and the ids of its pixels, (height, width). Raises `Unusable`."""
    name = lenient.text("file_name") or ""
    plain = PurePosixPath(name.replace("\\", "/"))
    if not name or plain.is_absolute() or ".." in plain.parts:
        raise Unusable(
            codes.RECORD_MALFORMED,
            "/file_name",
            expected="file_name as the name of a PNG inside the folder of segments",
            found=shown(name),
        )
    path = None if folder is None else folder / plain
    try:
        data = b"" if path is None else path.read_bytes()
    except OSError:
        path, data = None, b""
    if path is None:
        where = name if folder is None else str(folder / plain)
        raise Unusable(codes.FILE_MISSING, "/file_name", file=where)
    ids = _ids(data)
    size = pictures.picture(row)
    width, height = size.width, size.height
    if width and ids.shape != (round(height), round(width)):
        raise Unusable(
            codes.MASK_SIZE_MISMATCH,
            "/file_name",
            expected=f"[{height:g}, {width:g}]",
            found=f"[{ids.shape[0]}, {ids.shape[1]}]",
        )
    return name, ids


def _ids(data: bytes) -> NDArray[np.uint32]:
    """The id of each pixel. Raises `Unusable` for what is not a PNG of three colours of 8 bits."""
    import numpy as np

    depth, colour = (data[24], data[25]) if len(data) > 25 else (8, 2)
    if colour in _COLOURS or depth > 8:
        raise Unusable(
            codes.RECORD_MALFORMED,
            "/file_name",
            expected="a PNG of red, green and blue, 8 bits each (id = R + 256 G + 65536 B)",
            found=f"one of {_COLOURS.get(colour, 'colours')} with {depth} bits",
        )
    try:
        pixels = masks.colours_from_png(data)
    except masks.MaskError as error:
        raise Unusable(
            codes.RECORD_MALFORMED, "/file_name", expected="a PNG", found=str(error)
        ) from None
    # In 8 bits the sum would overflow, or raise, depending on the version of numpy.
    wide = pixels.astype(np.uint32)
    ids: NDArray[np.uint32] = wide[..., 0] + (wide[..., 1] << 8) + (wide[..., 2] << 16)
    return ids


class _Segments:
    """The run lengths of all segments of a picture, found in one go over its pixels."""

    def __init__(self, ids: NDArray[np.uint32]) -> None:
        import numpy as np

        self.size = (int(ids.shape[0]), int(ids.shape[1]))
        flat = ids.T.ravel()
        borders = np.flatnonzero(flat[1:] != flat[:-1]) + 1
        self._starts = np.concatenate(([0], borders))
        self._ends = np.concatenate((borders, [flat.size]))
        self._values = flat[self._starts]
        self._open = {int(value) for value in np.unique(self._values)} - {0}

    def take(self, id: int) -> Mask | None:
        """The pixels of a segment; None if there are none."""
        import numpy as np

        chosen = self._values == id
        starts, ends = self._starts[chosen], self._ends[chosen]
        if id == 0 or len(starts) == 0:
            return None
        self._open.discard(id)
        gaps = starts - np.concatenate(([0], ends[:-1]))
        runs = np.column_stack((gaps, ends - starts)).ravel().tolist()
        rest = self.size[0] * self.size[1] - int(ends[-1])
        return Mask(self.size, tuple([*runs, rest] if rest else runs))

    def unused(self) -> list[int]:
        """Ids of pixels, void left aside, that were never taken."""
        return sorted(self._open)


def _segment(
    raw: bytes, found: _Segments, name: str, where: Where, context: Context
) -> Annotation | None:
    """A segment as an annotation; None when an option skips it. Raises `Unusable`."""
    fields = fields_of(raw)
    lenient = Lenient(fields, context.report, where)
    id, category_id = lenient.id("id"), lenient.id("category_id")
    category = None if category_id is None else context.categories.find(category_id)
    mask = found.take(id) if isinstance(id, int) else None
    if category is None:
        raise dangling("category_id", category_id, "categories")
    if mask is None:
        raise Unusable(codes.SEGMENT_MISSING, "/id", segment=shown(id), file=name)
    crowd = lenient.number("iscrowd")
    if crowd:
        context.crowds += 1
        if context.crowd == "skip":
            context.report.ledger.annotations.skipped += 1
            return None
    _compare(mask, lenient, context.report, where)
    return Annotation(
        str(id), category.name, _wanted(mask, context.shape), (), None, _extra(fields, context)
    )


def _compare(mask: Mask, lenient: Lenient, report: Report, where: Where) -> None:
    """Tell when the declared area or box is not that of the pixels."""
    own = float(masks.area(mask))
    area = lenient.number("area")
    if area is not None and abs(area - own) > _AREA_TOLERANCE:
        place = msgspec.structs.replace(where, pointer=f"{where.pointer}/area")
        report.add(codes.AREA_MISMATCH, place, declared=area, computed=own)
    declared = lenient.numbers("bbox")
    around = masks.bounds(mask)
    if declared is None or len(declared) != 4 or around is None:
        return
    place = msgspec.structs.replace(where, pointer=f"{where.pointer}/bbox")
    compare_box(declared, around, report, place)


def _wanted(mask: Mask, shape: str) -> Value:
    if shape == "box":
        return masks.bounds(mask) or mask
    if shape == "polygon":
        return geometry.mask_polygon(mask) or mask
    return mask


def _extra(fields: dict[str, Any], context: Context) -> Extra:
    """What the model has no place for; area and box follow from the pixels."""
    others = {name: value for name, value in fields.items() if name not in _KNOWN}
    if fields.get("iscrowd"):
        others["iscrowd"] = 1
    if context.keep_extra:
        return {f"coco:{name}": value for name, value in others.items()}
    for name in others:
        context.report.field(f"coco:{name}")
    return {}
