"""Writes CVAT for images, a picture at a time."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from labelconv import masks
from labelconv.formats.cvat_image.labels import Kinds, written
from labelconv.model import (
    Annotation,
    Box,
    Classification,
    Coordinates,
    Dataset,
    Extra,
    FreeText,
    Keypoints,
    Mask,
    OrientedBox,
    Point,
    Polygon,
    Polyline,
    Radio,
    Sample,
    Value,
)
from labelconv.problems import Report

_START = '<?xml version="1.0" encoding="utf-8"?>\n<annotations>\n  <version>1.1</version>\n'
_SPECIAL = re.compile(r'[&<>"\t\n\r]')
_ESCAPES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;"}
#: What is written of a shape where its source did not say it.
_USUAL = {"source": "manual", "occluded": "0", "z_order": "0"}


def write(dataset: Dataset, target: Path, report: Report) -> None:
    """Write the file: the labels first, then the pictures, in one pass."""
    ontology = dataset.ontology
    labels, kinds = written(ontology)
    points = {each.name: each.keypoints for each in ontology.categories if each.keypoints}
    pictures = _Pictures(kinds, points)
    with target.open("w", encoding="utf-8", newline="\n") as file:
        file.write(_START)
        file.write("  <meta>\n    <task>\n      <mode>annotation</mode>\n")
        file.write(labels)
        file.write("    </task>\n  </meta>\n")
        for sample in dataset:
            file.write(pictures.text(sample))
        file.write("</annotations>\n")
    report.ledger.written["images"] = pictures.count
    report.ledger.written["shapes"] = pictures.shapes
    report.ledger.written["tags"] = pictures.tags


class _Pictures:
    """Spells one picture after the other."""

    def __init__(self, kinds: Kinds, points: dict[str, tuple[str, ...]]) -> None:
        self.count = self.shapes = self.tags = 0
        self._kinds = kinds
        self._points = points
        self._ids: set[int] = set()
        self._next = 0

    def text(self, sample: Sample) -> str:
        media: Any = sample.media
        width, height = media.width, media.height
        if not width or not height:
            sizes = (a.value.size for a in sample.annotations if isinstance(a.value, Mask))
            height, width = next(sizes, (None, None))
        size = "" if width is None else f' width="{_whole(width)}" height="{_whole(height)}"'
        own = "".join(
            f' {name}="{_escaped(value)}"' for name, value in _own(sample.extra) if name != "id"
        )
        id = self._id(sample.extra.get("cvat-image:id"))
        parts = [f'  <image id="{id}" name="{_escaped(sample.key)}"{own}{size}>\n']
        parts += map(self._shape, sample.annotations)
        parts += map(self._tag, sample.classifications)
        parts.append("  </image>\n")
        self.count += 1
        self.shapes += len(sample.annotations)
        self.tags += len(sample.classifications)
        return "".join(parts)

    def _id(self, said: object) -> int:
        """The source's number where it is one and not taken, else the next that is free."""
        id = int(said) if isinstance(said, str) and said.isdecimal() and said.isascii() else None
        if id is None or id in self._ids:
            while self._next in self._ids:
                self._next += 1
            id = self._next
        self._ids.add(id)
        return id

    def _shape(self, annotation: Annotation) -> str:
        value = annotation.value
        tag, geometry = _geometry(value)
        said = {**_USUAL, **dict(_own(annotation.extra))} if annotation.extra else _USUAL
        if tag == "skeleton":
            said = {name: text for name, text in said.items() if name != "occluded"}
        common = "".join(f' {name}="{_escaped(text)}"' for name, text in said.items())
        score = "" if annotation.confidence is None else f' score="{annotation.confidence!r}"'
        start = f'    <{tag} label="{_escaped(annotation.category)}"{common}{geometry}{score}>'
        inside = []
        if isinstance(value, Keypoints):
            inside += self._elements(value, annotation.category)
        for asked in annotation.classifications:
            inside.append(self._attribute(asked, (False, annotation.category)))
        return f"{start}{''.join(inside)}</{tag}>\n"

    def _elements(self, skeleton: Keypoints, category: str) -> list[str]:
        """All points of the category, those that are not labelled as outside."""
        given = {point.name: point for point in skeleton.points}
        names = dict.fromkeys((*self._points.get(category, ()), *given))
        parts = []
        for name in names:
            point = given.get(name)
            place = "0.0,0.0" if point is None else f"{float(point.x)!r},{float(point.y)!r}"
            outside = int(point is None)
            occluded = int(point is not None and not point.visible)
            parts.append(
                f'<points label="{_escaped(name)}" source="manual" outside="{outside}" '
                f'occluded="{occluded}" points="{place}"></points>'
            )
        return parts

    def _tag(self, asked: Classification) -> str:
        """A tag, with its answer as an attribute of the same name; a bare tag says `true`."""
        answer: Any = asked.answer
        of = (True, asked.name)
        below = [self._attribute(each, of) for each in answer.classifications]
        first = answer.classifications[0].name if answer.classifications else None
        bare = isinstance(answer, Radio) and answer.name == "true" and first != asked.name
        if not bare:
            below.insert(0, self._attribute(asked, of))
        label = _escaped(asked.name)
        return f'    <tag label="{label}" source="manual">{"".join(below)}</tag>\n'

    def _attribute(self, asked: Classification, of: tuple[bool, str]) -> str:
        """An attribute; its type is said where the labels declare another one."""
        answer: Any = asked.answer
        free = isinstance(answer, FreeText)
        declared = self._kinds.get((*of, asked.name), "text")
        said = ""
        if free != (declared == "text"):
            said = f' input_type="{"text" if free else "select"}"'
        text = _escaped(answer.text if free else answer.name)
        return f'<attribute name="{_escaped(asked.name)}"{said}>{text}</attribute>'


def _geometry(value: Value) -> tuple[str, str]:
    """The element's name, and the fields that say the shape."""
    if isinstance(value, Box):
        return "box", _corners(value.x0, value.y0, value.x1, value.y1)
    if isinstance(value, OrientedBox):
        wide, high = value.width / 2, value.height / 2
        corners = _corners(value.x - wide, value.y - high, value.x + wide, value.y + high)
        # A rotation of 0 means an upright box; a full turn says the same and stays a rotation.
        return "box", f'{corners} rotation="{float(value.angle or 360.0)!r}"'
    if isinstance(value, Polygon):
        return "polygon", _points(value.parts[0][0])
    if isinstance(value, Polyline):
        return "polyline", _points(value.points)
    if isinstance(value, Point):
        return "points", _points((value.x, value.y))
    if isinstance(value, Keypoints):
        return "skeleton", ""
    assert isinstance(value, Mask)
    around = masks.bounds(value) or Box(0, 0, 1, 1)
    left, top, right, bottom = (int(e) for e in (around.x0, around.y0, around.x1, around.y1))
    patch = masks.to_array(value)[top:bottom, left:right]
    runs = masks.from_array(patch.T).runs  # turned about, columns are rows
    rle = ", ".join(map(str, runs))
    return "mask", (
        f' rle="{rle}" left="{left}" top="{top}" width="{right - left}" height="{bottom - top}"'
    )


def _corners(x0: float, y0: float, x1: float, y1: float) -> str:
    return f' xtl="{float(x0)!r}" ytl="{float(y0)!r}" xbr="{float(x1)!r}" ybr="{float(y1)!r}"'


def _points(ring: Coordinates) -> str:
    numbers = map(repr, map(float, ring))
    pairs = zip(numbers, numbers, strict=True)
    return f' points="{";".join(f"{x},{y}" for x, y in pairs)}"'


def _own(extra: Extra) -> list[tuple[str, str]]:
    return [(name[11:], str(v)) for name, v in extra.items() if name.startswith("cvat-image:")]


def _escaped(text: str) -> str:
    return _SPECIAL.sub(_escape, text)


def _escape(found: re.Match[str]) -> str:
    return _ESCAPES.get(found[0]) or f"&#{ord(found[0])};"


def _whole(number: float) -> str:
    return str(int(number)) if number == int(number) else repr(number)
