"""Writes CVAT for images, a picture at a time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from labelconv.corrections import with_points
from labelconv.cvatxml import attribute, escaped, spelled, whole_number
from labelconv.formats.cvat_image.labels import Kinds, written
from labelconv.model import (
    Annotation,
    Classification,
    Dataset,
    Extra,
    Keypoint,
    Keypoints,
    Mask,
    OrientedBox,
    Radio,
    Sample,
    Value,
)
from labelconv.problems import Report

_START = '<?xml version="1.0" encoding="utf-8"?>\n<annotations>\n  <version>1.1</version>\n'
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
            drawn = with_points(sample, "cvat-image", report)
            file.write(pictures.text(msgspec.structs.replace(sample, annotations=drawn)))
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
            f' {name}="{escaped(value)}"' for name, value in _own(sample.extra) if name != "id"
        )
        id = self._id(sample.extra.get("cvat-image:id"))
        parts = [f'  <image id="{id}" name="{escaped(sample.key)}"{own}{size}>\n']
        parts += map(self._shape, sample.annotations)
        parts += map(self._tag, sample.classifications)
        parts.append("  </image>\n")
        self.count += 1
        self.shapes += len(sample.annotations)
        self.tags += len(sample.classifications)
        return "".join(parts)

    def _id(self, said: object) -> int:
        """The source's number where it is one and not taken, else the next that is free."""
        id = whole_number(said) if isinstance(said, str) else None
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
        common = "".join(f' {name}="{escaped(text)}"' for name, text in said.items())
        score = "" if annotation.confidence is None else f' score="{annotation.confidence!r}"'
        start = f'    <{tag} label="{escaped(annotation.category)}"{common}{geometry}{score}>'
        inside = []
        if isinstance(value, Keypoints):
            inside += self._elements(value, annotation.category)
        for asked in annotation.classifications:
            inside.append(self._attribute(asked, (False, annotation.category)))
        return f"{start}{''.join(inside)}</{tag}>\n"

    def _elements(self, skeleton: Keypoints, category: str) -> list[str]:
        """All points of the category, those that are not labelled as outside.

        Points of one name follow each other.
        """
        given: dict[str, list[Keypoint | None]] = {}
        for labelled in skeleton.points:
            given.setdefault(labelled.name, []).append(labelled)
        parts = []
        for name in dict.fromkeys((*self._points.get(category, ()), *given)):
            for point in given.get(name, [None]):
                place = "0.0,0.0" if point is None else f"{float(point.x)!r},{float(point.y)!r}"
                outside = int(point is None)
                occluded = int(point is not None and not point.visible)
                parts.append(
                    f'<points label="{escaped(name)}" source="manual" outside="{outside}" '
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
        label = escaped(asked.name)
        return f'    <tag label="{label}" source="manual">{"".join(below)}</tag>\n'

    def _attribute(self, asked: Classification, of: tuple[bool, str]) -> str:
        declared = self._kinds.get((*of, asked.name), "text")
        return attribute(asked, declared_text=declared == "text")


def _geometry(value: Value) -> tuple[str, str]:
    """The element's name, and the fields that say the shape."""
    if isinstance(value, Keypoints):
        return "skeleton", ""
    if isinstance(value, OrientedBox) and not value.angle:
        # A rotation of 0 means an upright box; a full turn says the same and stays a rotation.
        value = msgspec.structs.replace(value, angle=360.0)
    shape: Any = value  # `fit` sees to it
    return spelled(shape)


def _own(extra: Extra) -> list[tuple[str, str]]:
    return [(name[11:], str(v)) for name, v in extra.items() if name.startswith("cvat-image:")]


def _whole(number: float) -> str:
    return str(int(number)) if number == int(number) else repr(number)
