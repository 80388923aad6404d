"""Annotations as the text of VOC's XML: tabs, one element a line, as the devkit's files have it."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

from labelconv import geometry
from labelconv.formats.voc.elements import as_text, escape, is_name
from labelconv.formats.voc.origin import MARK
from labelconv.model import (
    Annotation,
    Box,
    Checklist,
    Classification,
    Extra,
    FreeText,
    OrientedBox,
    Point,
    Polygon,
    Radio,
    Sample,
    Value,
)

#: The devkit wants these three of every object.
PLAIN_FLAGS = (
    "\t\t<pose>Unspecified</pose>\n\t\t<truncated>0</truncated>\n\t\t<difficult>0</difficult>\n"
)
_BOX = (
    "<bndbox>\n{0}\t<xmin>%s</xmin>\n{0}\t<ymin>%s</ymin>\n{0}\t<xmax>%s</xmax>\n"
    "{0}\t<ymax>%s</ymax>\n{0}</bndbox>\n"
)
_BOX_OF_OBJECT = "\t\t" + _BOX.format("\t\t")
_BOX_OF_PART = "\t\t\t" + _BOX.format("\t\t\t")
#: A plain object whole: name, four numbers.
PLAIN_OBJECT = f"\t<object>\n\t\t<name>%s</name>\n{PLAIN_FLAGS}{_BOX_OF_OBJECT}\t</object>\n"
_FLAGS = ("pose", "truncated", "difficult", "occluded")
_FLAG_DEFAULTS = {"pose": "Unspecified", "truncated": "0", "difficult": "0"}
#: Elements of an object that are made from the annotation itself.
_MADE = frozenset(("voc:bndbox", "voc:part_of", "voc:actions", "voc:point"))
_HEAD_ORDER = ("folder", "filename", "path", "source", "owner", "size", "segmented")

name_text = lru_cache(maxsize=4_096)(escape)


def spelled(number: float) -> float | int:
    """A number as it is written: whole ones without a point."""
    whole = int(number)
    return whole if whole == number else number


def head(sample: Sample, filename: str, first: int, *, segmented: bool) -> str:
    """The elements before the objects."""
    extra = sample.extra
    media: Any = sample.media
    if not extra:
        size = _size(media.width, media.height, "3")
        return f"\t<filename>{escape(filename)}</filename>\n{_source(first)}{size}" + (
            "\t<segmented>1</segmented>\n" if segmented else "\t<segmented>0</segmented>\n"
        )
    depth = extra.get("voc:depth", "3")
    size = _size(media.width, media.height, depth if isinstance(depth, str) else "3")
    given = {
        name.removeprefix("voc:"): value
        for name, value in extra.items()
        if name.startswith("voc:") and name != "voc:depth" and name[4] != "@"
    }
    texts = {name: as_text(name, value, "\t") for name, value in given.items()}
    texts["filename"] = f"\t<filename>{escape(filename)}</filename>\n"
    texts["source"] = _marked(given.get("source"), first)
    texts["size"] = size
    texts.setdefault("segmented", f"\t<segmented>{segmented:d}</segmented>\n")
    if segmented:
        texts["segmented"] = "\t<segmented>1</segmented>\n"
    last = sorted(texts.keys() - set(_HEAD_ORDER))
    return "".join(texts.get(name, "") for name in (*_HEAD_ORDER, *last))


@lru_cache(maxsize=256)
def _size(width: float | None, height: float | None, depth: str) -> str:
    """`<size>`, with what is known; nothing where neither is."""
    if width is None and height is None:
        return ""
    rows = [] if width is None else [f"\t\t<width>{spelled(width)}</width>\n"]
    rows += [] if height is None else [f"\t\t<height>{spelled(height)}</height>\n"]
    rows.append(as_text("depth", depth, "\t\t"))
    return f"\t<size>\n{''.join(rows)}\t</size>\n"


@lru_cache(maxsize=2)
def _source(first: int) -> str:
    return _marked(None, first)


def _marked(given: Any, first: int) -> str:
    """`<source>` with the mark by which the reader knows what pixels are counted from."""
    fields = given if isinstance(given, dict) else {"database": given or "Unknown"}
    return as_text("source", {**fields, "annotation": MARK % first}, "\t")


def plain_objects(values: list[Any]) -> str:
    """Objects of a name (escaped) and four numbers each, the numbers spelled as `spelled` does."""
    text = PLAIN_OBJECT * (len(values) // 5) % tuple(values)
    # Only numbers end before these tags.
    return text.replace(".0</x", "</x").replace(".0</y", "</y")


def box_numbers(box: Box, first: int, *, rounded: bool) -> tuple[Any, Any, Any, Any]:
    """xmin, ymin, xmax, ymax: the edges, xmin and ymin one more where pixels count from 1."""
    if rounded:
        x0, x1 = _whole(box.x0, box.x1)
        y0, y1 = _whole(box.y0, box.y1)
        return x0 + first, y0 + first, x1, y1
    return spelled(box.x0 + first), spelled(box.y0 + first), spelled(box.x1), spelled(box.y1)


def _whole(low: float, high: float) -> tuple[int, int]:
    """The nearest whole edges; a box that has a width keeps one."""
    start, end = math.floor(low + 0.5), math.floor(high + 0.5)
    if start == end and low < high:
        return math.floor(low), math.ceil(high)
    return start, end


def one_object(
    annotation: Annotation,
    box: Box,
    parts: list[tuple[Annotation, Box]],
    first: int,
    *,
    rounded: bool,
) -> str:
    """An `object` element with everything that an annotation has; `box` is around its shape."""
    extra = annotation.extra
    rows = ["\t<object>\n", f"\t\t<name>{escape(annotation.category)}</name>\n", _flags(extra)]
    value = annotation.value
    if isinstance(value, Point):
        shift = first / 2
        x, y = spelled(value.x + shift), spelled(value.y + shift)
        rows.append(f"\t\t<point>\n\t\t\t<x>{x}</x>\n\t\t\t<y>{y}</y>\n\t\t</point>\n")
    else:
        rows.append(_shape(value))
        rows.append(_BOX_OF_OBJECT % box_numbers(box, first, rounded=rounded))
        if "voc:point" in extra:
            rows.append(as_text("point", extra["voc:point"], "\t\t"))
    for part, around in parts:
        rows.append(f"\t\t<part>\n\t\t\t<name>{escape(part.category)}</name>\n")
        rows.append(_BOX_OF_PART % box_numbers(around, first, rounded=rounded))
        rows.append(_others(part.extra, "\t\t\t"))
        rows.append("\t\t</part>\n")
    rows.append(_answers(annotation.classifications, extra))
    rows.append(_others(extra, "\t\t"))
    rows.append("\t</object>\n")
    return "".join(rows)


def _flags(extra: Extra) -> str:
    if not extra:
        return PLAIN_FLAGS
    rows = []
    for name in _FLAGS:
        value = extra.get(f"voc:{name}", _FLAG_DEFAULTS.get(name))
        if value is not None:
            rows.append(as_text(name, value, "\t\t"))
    return "".join(rows)


def _others(extra: Extra, indent: str) -> str:
    """The fields that the reader kept under the names of their elements."""
    rows = []
    for name, value in extra.items():
        plain = name.removeprefix("voc:")
        if plain != name and name not in _MADE and plain not in _FLAGS:
            rows.append(as_text(plain, value, indent))
    return "".join(rows)


def _shape(value: Value) -> str:
    """The extended dialect's own element of a shape."""
    if isinstance(value, OrientedBox):
        numbers = (value.x, value.y, value.width, value.height, math.radians(value.angle))
        named = zip(("cx", "cy", "w", "h", "angle"), numbers, strict=True)
        rows = "".join(f"\t\t\t<{name}>{spelled(each)}</{name}>\n" for name, each in named)
        return f"\t\t<type>robndbox</type>\n\t\t<robndbox>\n{rows}\t\t</robndbox>\n"
    if isinstance(value, Polygon):
        ring = value.parts[0][0]
        rows = "".join(
            f"\t\t\t<x{number}>{spelled(ring[2 * number - 2])}</x{number}>\n"
            f"\t\t\t<y{number}>{spelled(ring[2 * number - 1])}</y{number}>\n"
            for number in range(1, len(ring) // 2 + 1)
        )
        return f"\t\t<polygon>\n{rows}\t\t</polygon>\n"
    return ""


def bounds_of(annotation: Annotation) -> Box | None:
    """The box that goes with an annotation; None for a mask without pixels."""
    value: Any = annotation.value
    if type(value) is Box:
        return value
    kept = annotation.extra.get("voc:bndbox")
    if isinstance(kept, list) and len(kept) == 4 and all(isinstance(n, (int, float)) for n in kept):
        return Box(*kept)
    return geometry.bounds(value)


# -------------------------------------------------------------------------------------- answers


def _answers(classifications: tuple[Classification, ...], extra: Extra) -> str:
    """Answers as CVAT's attributes, which say their kind where it is not a chosen option.

    A checklist named `actions` is the devkit's own element.
    """
    known = extra.get("voc:actions")
    names = known if isinstance(known, list) and all(isinstance(n, str) for n in known) else []
    names = [name for name in names if is_name(name)]
    rows: list[str] = []
    attributes: list[str] = []
    acted = False
    for asked in classifications:
        answer = asked.answer
        if asked.name == "actions" and isinstance(answer, Checklist):
            ticked = [option.name for option in answer.options]
            if all(map(is_name, ticked)) and len(set(ticked)) == len(ticked):
                _close(attributes, rows)
                in_order = not acted and [name for name in names if name in ticked] == ticked
                rows.append(_actions(names if in_order else ticked, ticked))
                acted = True
                continue
        attributes.append(_attribute(asked))
    _close(attributes, rows)
    if names and not acted:
        rows.append(_actions(names, []))
    return "".join(rows)


def _close(attributes: list[str], rows: list[str]) -> None:
    if attributes:
        rows.append(f"\t\t<attributes>\n{''.join(attributes)}\t\t</attributes>\n")
        attributes.clear()


def _actions(names: list[str], ticked: list[str]) -> str:
    rows = "".join(f"\t\t\t<{name}>{name in ticked:d}</{name}>\n" for name in names)
    return f"\t\t<actions>\n{rows}\t\t</actions>\n"


def _attribute(asked: Classification) -> str:
    answer = asked.answer
    kind = ""
    if isinstance(answer, Radio):
        values = [answer.name]
    elif isinstance(answer, FreeText):
        values, kind = [answer.text], "text"
    else:
        values, kind = [option.name for option in answer.options], "checklist"
    rows = "".join(f"\t\t\t\t<value>{escape(value)}</value>\n" for value in values)
    typed = f"\t\t\t\t<type>{kind}</type>\n" if kind else ""
    return (
        f"\t\t\t<attribute>\n\t\t\t\t<name>{escape(asked.name)}</name>\n{rows}{typed}"
        f"\t\t\t</attribute>\n"
    )
