"""Shapes as payloads of lines."""

from __future__ import annotations

from math import inf

import msgspec

from labelconv import codes, masks
from labelconv.formats.labelbox.composite import Composites
from labelconv.formats.labelbox.faults import Fault
from labelconv.formats.labelbox.writer_output import Line
from labelconv.model import Box, Coordinates, Image, Mask, Point, Polygon, Polyline, Sample, Value

#: Kind of value → its payload.
PAYLOADS: dict[type, str] = {
    Box: "bbox",
    Polygon: "polygon",
    Polyline: "line",
    Point: "point",
    Mask: "mask",
}


class BoxSizes(msgspec.Struct, gc=False):
    """A box as the wire has it: its top left corner and its size."""

    top: float
    left: float
    height: float
    width: float


class XY(msgspec.Struct, gc=False):
    """A position as the wire has it."""

    x: float
    y: float


def put_shape(line: Line, value: Value, sample: Sample, composites: Composites | None) -> bool:
    """Put the payload of a value into its line; False for what is not a shape of pictures.

    Raises `Fault` for what cannot be written.
    """
    if isinstance(value, Box):
        x0, y0 = value.x0, value.y0
        width, height = value.x1 - x0, value.y1 - y0
        if not (0 <= width < inf and 0 <= height < inf):
            raise _box_fault(value)
        line.bbox = BoxSizes(y0, x0, height, width)
    elif isinstance(value, Polygon):
        ring = value.parts[0][0]
        closed = points(ring, 3)
        closed.append(closed[0])  # as the SDK writes it
        line.polygon = closed
    elif isinstance(value, Polyline):
        line.line = points(value.points, 2)
    elif isinstance(value, Point):
        line.point = points((value.x, value.y), 1)[0]
    elif isinstance(value, Mask):
        line.mask = _mask(value, sample, composites)
    else:
        return False
    return True


def box_sizes(box: Box) -> BoxSizes:
    """A box on the wire. Raises `Fault`."""
    width, height = box.x1 - box.x0, box.y1 - box.y0
    if not (0 <= width < inf and 0 <= height < inf):
        raise _box_fault(box)
    return BoxSizes(box.y0, box.x0, height, width)


def points(coordinates: Coordinates, least: int) -> list[XY]:
    """At least `least` positions on the wire. Raises `Fault`."""
    count = len(coordinates)
    if count < 2 * least or count & 1:
        found = f"a shape of {count} numbers, where {least} points or more are needed"
        raise Fault(codes.SHAPE_INVALID, found=found)
    total = sum(coordinates)
    if total - total != 0:  # not finite, and then so is a coordinate
        odd = next((number for number in coordinates if number - number != 0), total)
        raise Fault(codes.NUMBER_NOT_FINITE, found=str(odd))
    return list(map(XY, coordinates[::2], coordinates[1::2]))


def _box_fault(box: Box) -> Fault:
    for number in (box.x0, box.y0, box.x1, box.y1):
        if number - number != 0:
            return Fault(codes.NUMBER_NOT_FINITE, found=str(number))
    found = f"{box.x1 - box.x0:g} × {box.y1 - box.y0:g}"
    return Fault(codes.BOX_IMPOSSIBLE, found=found)


def _mask(mask: Mask, sample: Sample, composites: Composites | None) -> object:
    media = sample.media
    if isinstance(media, Image) and media.width and media.height:
        size = (round(media.height), round(media.width))
        if mask.size != size:
            raise Fault(
                codes.MASK_SIZE_MISMATCH, expected=[size[0], size[1]], found=list(mask.size)
            )
    if composites is not None:
        return composites.place(sample.key, mask)
    return {"png": masks.png_base64(mask)}
