"""CVAT's XML format 1.1: what its files for images and for video share.

Source: docs.cvat.ai, "XML annotation format", and CVAT's `dataset_manager/formats/cvat.py`.
Coordinates are pixels from the outer corner of the top-left pixel; `rotation` is in degrees
clockwise about the centre; run lengths of a mask go row by row inside its box, background first.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.etree.ElementTree import Element

from labelconv import codes, geometry, masks, safexml
from labelconv.errors import SourceError
from labelconv.format import Evidence
from labelconv.io import Peek, Source
from labelconv.model import (
    Box,
    Category,
    Classification,
    Coordinates,
    FreeText,
    Mask,
    Option,
    OrientedBox,
    Point,
    Polygon,
    Polyline,
    Question,
    Radio,
    Shape,
)
from labelconv.unusable import Unusable

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

#: The file of CVAT's exports.
FILE = "annotations.xml"
_ROOT = "annotations"
#: Input types of attributes that are answered by a text.
TEXTS = ("text", "number")
#: Larger masks are not believed, so that a few bytes cannot ask for all memory.
_MOST_PIXELS = 20_000 * 20_000
#: Larger coordinates are as good as infinite: sums and products of them are.
_LARGEST = 1e150
_ANSWERS = ("true", "false")
_NODE = re.compile(r"<circle\b[^<>]*>")
_EDGE = re.compile(r"<line\b[^<>]*>")
_FIELD = re.compile(r"([\w-]+)=\"([^\"]*)\"")
_SPECIAL = re.compile(r'[&<>"\t\n\r]')
_ESCAPES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;"}


def sniffed(peek: Peek, is_it: Callable[[bytes], bool], what: str) -> Evidence:
    """Whether a file, or the one of the usual name in a folder, has a root `annotations` with
    `what`, by a look at its bytes."""
    if peek.is_folder:
        if FILE not in peek.entries:
            return Evidence(0, f"no {FILE} in the folder")
        with (Path(peek.name) / FILE).open("rb") as opened:
            if is_it(opened.read(65_536)):
                return Evidence(3, f"a folder with CVAT's {FILE}, with {what}")
        return Evidence(0, f"{FILE} is not one of CVAT with {what}")
    if peek.text[:1] == b"<" and is_it(peek.head + peek.tail):
        return Evidence(3, f"a root element annotations with {what}")
    return Evidence(0, f"no root element annotations with {what}")


def file_of(source: Source) -> Source:
    """The XML file itself, or the one of the usual name in a folder."""
    return Source(Path(source.name) / FILE) if source.is_folder else source


def elements(file: Source, tags: frozenset[str]) -> Iterator[tuple[str, Element]]:
    """The elements of these names in the file. Raises `SourceError` where the XML breaks off."""
    with file.open() as opened:
        try:
            yield from safexml.elements(opened, tags, _ROOT)
        except safexml.XmlFault as fault:
            place = f":{fault.line}:{fault.column}" if fault.line else ""
            raise SourceError(f"{file.name}{place}: XML expected; {fault.found}") from None


# ------------------------------------------------------------------------------ fields


def whole_number(text: str) -> int | None:
    """The whole number of 0 or more, of 15 digits at most; None where the text is none."""
    plain = text.isascii() and text.isdecimal() and len(text) <= 15
    return int(text) if plain else None


def number_of(fields: Mapping[str, str], name: str) -> float:
    """The number in a field. Raises `Unusable`."""
    text = fields.get(name)
    try:
        number = float(text or "")
    except ValueError:
        found = "nothing" if text is None else repr(text[:40])
        raise Unusable(
            codes.RECORD_MALFORMED, f"/@{name}", expected="a number", found=found
        ) from None
    if not math.isfinite(number):
        raise Unusable(codes.NUMBER_NOT_FINITE, f"/@{name}", found=text)
    return number


def points_of(fields: Mapping[str, str]) -> Coordinates:
    """`x,y;x,y…`, interleaved. Raises `Unusable`."""
    text = fields.get("points", "")
    numbers: list[float] = []
    for pair in text.split(";"):
        x, _, y = pair.partition(",")
        try:
            numbers += (float(x), float(y))
        except ValueError:
            raise Unusable(
                codes.RECORD_MALFORMED, "/@points", expected="x,y;x,y…", found=repr(pair[:40])
            ) from None
    if not all(-_LARGEST <= number <= _LARGEST for number in numbers):
        raise Unusable(codes.NUMBER_NOT_FINITE, "/@points", found=repr(text[:40]))
    return tuple(numbers)


# ------------------------------------------------------------------------------ shapes


def box_of(fields: Mapping[str, str]) -> Box:
    """A box, without its rotation. Raises `Unusable`."""
    x0, y0 = number_of(fields, "xtl"), number_of(fields, "ytl")
    x1, y1 = number_of(fields, "xbr"), number_of(fields, "ybr")
    if x1 < x0 or y1 < y0:
        raise Unusable(codes.BOX_IMPOSSIBLE, found=f"{x1 - x0:g} × {y1 - y0:g}")
    if max(map(abs, (x0, y0, x1, y1))) > _LARGEST:  # centre and size would be no numbers
        raise Unusable(codes.NUMBER_NOT_FINITE, found=f"{x1 - x0:g} × {y1 - y0:g}")
    return Box(x0, y0, x1, y1)


def turned(box: Box, angle: float) -> OrientedBox:
    """The box turned about its centre."""
    x0, y0, x1, y1 = box.x0, box.y0, box.x1, box.y1
    return OrientedBox((x0 + x1) / 2, (y0 + y1) / 2, x1 - x0, y1 - y0, angle)


def outline_of(tag: str, fields: Mapping[str, str]) -> Polygon | Polyline:
    """A `polygon` or `polyline`. Raises `Unusable`, for anything else as well."""
    ring = points_of(fields)
    if tag == "polyline" and len(ring) >= 4:
        return Polyline(ring)
    ring = geometry.opened(ring)
    if tag == "polygon" and geometry.has_three_points(ring):
        return Polygon(((ring,),))
    count = len(set(zip(ring[::2], ring[1::2], strict=True)))
    raise Unusable(codes.SHAPE_INVALID, "/@points", found=f"a {tag} of {count} different points")


def no_cuboid() -> Unusable:
    """What refuses a cuboid."""
    said = "a cuboid, for which there is no shape here; draw its box or its faces instead"
    return Unusable(codes.SHAPE_INVALID, found=said)


def patch_of(fields: Mapping[str, str]) -> tuple[int, int, NDArray[np.uint8]]:
    """Left and top of a mask's box, and its pixels (height, width), 0 or 1. Raises `Unusable`."""
    import numpy as np

    left, top, wide, high = (
        round(number_of(fields, name)) for name in ("left", "top", "width", "height")
    )
    try:
        runs = [int(run) for run in fields.get("rle", "").split(",")]
    except ValueError:
        found = "run lengths that are no whole numbers"
        raise Unusable(
            codes.MASK_MALFORMED, "/@rle", height=high, width=wide, found=found
        ) from None
    pixels = wide * high if wide >= 0 and high >= 0 else -1
    # Python's numbers: a sum of numpy's may come round to the right one, and `repeat` trusts it.
    if min(runs) < 0 or sum(runs) != pixels or pixels > _MOST_PIXELS:
        found = f"runs of {sum(runs)} pixels in all found"
        raise Unusable(codes.MASK_MALFORMED, "/@rle", height=high, width=wide, found=found)
    values = (np.arange(len(runs)) % 2).astype(np.uint8)
    return left, top, np.repeat(values, runs).reshape(high, wide)


def canvas(height: int, width: int) -> NDArray[np.uint8]:
    """The pixels of a whole picture, (height, width), for a mask. Raises `Unusable` where they are
    more than is believed."""
    import numpy as np

    if height * width > _MOST_PIXELS:
        found = f"{_MOST_PIXELS} pixels at most"
        raise Unusable(codes.MASK_SIZE_MISMATCH, expected=[height, width], found=found)
    return np.zeros((height, width), dtype=np.uint8)


def ellipse_of(fields: Mapping[str, str], points: Callable[[float], int]) -> Polygon:
    """A polygon of the ellipse's area, of as many `points` as its longer radius asks for.

    Raises `Unusable`.
    """
    x, y, wide, high = (number_of(fields, name) for name in ("cx", "cy", "rx", "ry"))
    if wide <= 0 or high <= 0:
        raise Unusable(codes.SHAPE_INVALID, found=f"an ellipse with radii of {wide:g} and {high:g}")
    turn = math.radians(number_of(fields, "rotation") if "rotation" in fields else 0.0)
    cosine, sine = math.cos(turn), math.sin(turn)
    count = points(max(wide, high))
    step = 2 * math.pi / count
    larger = math.sqrt(step / math.sin(step))  # corners stand out so that the area is the same
    ring: list[float] = []
    for number in range(count):
        along = wide * larger * math.cos(number * step)
        across = high * larger * math.sin(number * step)
        ring += (x + along * cosine - across * sine, y + along * sine + across * cosine)
    if not all(-_LARGEST <= number <= _LARGEST for number in ring):
        raise Unusable(
            codes.NUMBER_NOT_FINITE, found=f"an ellipse with radii of {wide:g}, {high:g}"
        )
    return Polygon(((tuple(ring),),))


def spelled(shape: Shape) -> tuple[str, str]:
    """The element's name, and its fields that say the shape; not for skeletons."""
    if isinstance(shape, Box):
        return "box", _corners(shape.x0, shape.y0, shape.x1, shape.y1)
    if isinstance(shape, OrientedBox):
        wide, high = shape.width / 2, shape.height / 2
        corners = _corners(shape.x - wide, shape.y - high, shape.x + wide, shape.y + high)
        return "box", f'{corners} rotation="{float(shape.angle)!r}"'
    if isinstance(shape, Polygon):
        return "polygon", _listed(shape.parts[0][0])
    if isinstance(shape, Polyline):
        return "polyline", _listed(shape.points)
    if isinstance(shape, Point):
        return "points", _listed((shape.x, shape.y))
    assert isinstance(shape, Mask)  # for mypy; `fit` sees to it
    around = masks.bounds(shape) or Box(0, 0, 1, 1)
    left, top, right, bottom = (int(e) for e in (around.x0, around.y0, around.x1, around.y1))
    patch = masks.to_array(shape)[top:bottom, left:right]
    rle = ", ".join(map(str, masks.from_array(patch.T).runs))  # turned about, columns are rows
    return "mask", (
        f' rle="{rle}" left="{left}" top="{top}" width="{right - left}" height="{bottom - top}"'
    )


def _corners(x0: float, y0: float, x1: float, y1: float) -> str:
    return f' xtl="{float(x0)!r}" ytl="{float(y0)!r}" xbr="{float(x1)!r}" ybr="{float(y1)!r}"'


def _listed(ring: Coordinates) -> str:
    numbers = map(repr, map(float, ring))
    pairs = zip(numbers, numbers, strict=True)
    return f' points="{";".join(f"{x},{y}" for x, y in pairs)}"'


# ------------------------------------------------------------------------------ attributes


def answer_of(element: Element, kind: str) -> Classification:
    """The answer that an attribute of this input type gives; the element may say another type.

    Raises `Unusable` for an attribute without a name.
    """
    name, text = element.get("name", ""), element.text or ""
    if not name:
        found = f"{element.tag} of {text[:40]!r} without one"
        raise Unusable(codes.RECORD_MALFORMED, expected="a name of an attribute", found=found)
    free = (element.get("input_type") or kind) in TEXTS
    return Classification(name, FreeText(text) if free else Radio(text))


def attribute(asked: Classification, *, declared_text: bool) -> str:
    """The element of an answer; its type is said where the labels declare another one."""
    answer: Any = asked.answer
    free = isinstance(answer, FreeText)
    said = ""
    if free != declared_text:
        said = f' input_type="{"text" if free else "select"}"'
    text = escaped(answer.text if free else answer.name)
    return f'<attribute name="{escaped(asked.name)}"{said}>{text}</attribute>'


def escaped(text: str) -> str:
    """Text as it stands in an element or in a field's quotes."""
    return _SPECIAL.sub(_escape, text)


def _escape(found: re.Match[str]) -> str:
    return _ESCAPES.get(found[0]) or f"&#{ord(found[0])};"


# ------------------------------------------------------------------------------ labels


def text_in(element: Element, name: str) -> str:
    """The text of the first child of this name, without blanks around it."""
    return (element.findtext(name) or "").strip()


def points_of_skeletons(labels: Collection[Element]) -> dict[str, list[str]]:
    """The names of the points of each skeleton, by its label."""
    points: dict[str, list[str]] = {}
    for label in labels:
        if parent := text_in(label, "parent"):
            points.setdefault(parent, []).append(text_in(label, "name"))
    return points


def question_of(declared: Element) -> Question:
    """The question that an attribute of a label is."""
    name, kind = text_in(declared, "name"), text_in(declared, "input_type")
    if kind in TEXTS:
        return Question(name=name, kind="text")
    values = list(_ANSWERS) if kind == "checkbox" else text_in(declared, "values").split("\n")
    options = tuple(Option(name=value.strip()) for value in values if value.strip())
    return Question(name=name, kind="radio", options=options)


def kind_of(question: Question) -> tuple[str, list[str]]:
    """The input type of a question's attribute, and its values."""
    names = [option.name for option in question.options]
    if question.kind == "text":
        return "text", names
    if names and set(names) <= set(_ANSWERS):
        return "checkbox", list(_ANSWERS)
    return "select", names


def edges_of(svg: str, names: tuple[str, ...]) -> tuple[tuple[int, int], ...]:
    """The skeleton's edges as pairs into `names`, from the drawing that CVAT keeps of it.

    A node without a name is the point of its number.
    """
    nodes: dict[str, int] = {}
    for drawn in _NODE.findall(svg):
        fields = dict(_FIELD.findall(drawn))
        label, number = fields.get("data-label-name"), fields.get("data-node-id", "")
        if label in names:
            nodes[number] = names.index(label)
        elif (at := whole_number(number)) is not None and 0 < at <= len(names):
            nodes[number] = at - 1
    edges = []
    for drawn in _EDGE.findall(svg):
        fields = dict(_FIELD.findall(drawn))
        ends = fields.get("data-node-from", ""), fields.get("data-node-to", "")
        if ends[0] in nodes and ends[1] in nodes:
            edges.append((nodes[ends[0]], nodes[ends[1]]))
    return tuple(edges)


def drawing(category: Category) -> str:
    """A drawing of a skeleton as CVAT reads it: nodes with number and name, edges between."""
    edges = (
        f'<line data-type="edge" data-node-from="{start + 1}" data-node-to="{end + 1}"></line>'
        for start, end in category.skeleton
    )
    nodes = (
        f'<circle r="1.5" cx="{10 * number}" cy="50" data-type="element node" '
        f'data-element-id="{number}" data-node-id="{number}" '
        f'data-label-name="{escape(name)}"></circle>'
        for number, name in enumerate(category.keypoints, 1)
    )
    return "".join((*edges, *nodes))
