"""The header of a CVAT file: the tasks it is of, and the labels they declare."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from xml.etree.ElementTree import Element

import msgspec

from labelconv import cvatxml
from labelconv.formats.cvat_video.labels import ontology_of_labels
from labelconv.io import Source
from labelconv.model import Category, Ontology, Option, Question

_TAGS = frozenset({"meta", "track", "image"})
#: The question that CVAT's own field answers.
_OCCLUSION = Question(
    name="occluded", kind="radio", options=(Option(name="true"), Option(name="false"))
)


class Header(msgspec.Struct):
    """What `meta` says of the video."""

    name: str
    id: str
    labels: list[Element]
    width: float | None = None
    height: float | None = None
    frame_count: int | None = None
    frame_rate: float | None = None
    start: int = 0
    step: int = 1
    fields: dict[str, str] = {}


def elements(file: Source) -> Iterator[tuple[str, Element]]:
    """The elements of the file, those inside of tracks left to these. Raises `SourceError`."""
    depth = 0
    for event, element in cvatxml.elements(file, _TAGS):
        depth -= event == "end"
        if depth == 0:
            yield event, element
        depth += event == "start"


def headers(meta: Element | None, file: Source) -> list[Header]:
    """The header of each task, or that of a job; of a file without any, one by the file's name."""
    stem = Path(file.name).name.removesuffix(".gz").removesuffix(".xml")
    if meta is None:
        return [Header(stem, stem, [])]
    about = list(meta.iter("task")) or list(meta.iter("job"))
    if not about and meta.find("project") is None:
        about = [meta]
    return [_header(meta, each, stem, alone=len(about) == 1) for each in about]


def _header(meta: Element, about: Element, stem: str, *, alone: bool) -> Header:
    header = Header(stem, stem, list(meta.iter("label")))
    said = (*meta, *about) if alone else about
    told = {e.tag: (e.text or "").strip() for e in said if not len(e)}
    header.fields = {name: text for name, text in told.items() if text}
    header.name = told.get("source") or told.get("name") or stem
    header.id = told.get("id") or stem
    size = next((meta if alone else about).iter("original_size"), None)
    if size is not None:
        header.width, header.height = (_positive(size.findtext(n)) for n in ("width", "height"))
    header.start = _whole(told.get("start_frame"), 0)
    words = dict(part.partition("=")[::2] for part in told.get("frame_filter", "").split())
    header.step = max(_whole(words.get("step"), 1), 1)
    count = _whole(told.get("size"), 0)
    header.frame_rate = _positive(told.get("frame_rate"))
    if count and header.start == 0 and header.step == 1:
        header.frame_count = count
    return header


def _positive(text: str | None) -> float | None:
    try:
        number = float(text or "")
    except ValueError:
        return None
    return number if 0 < number < 1e9 else None


def _whole(text: str | None, default: int) -> int:
    number = cvatxml.whole_number(text or "")
    return default if number is None else number


def ontology_of(file: Source, *, answered: bool) -> Ontology:
    """What the labels declare; with the question `occluded` where a track answers it, and labels
    that only tracks have."""
    declared = Ontology()
    occluded: dict[str, bool] = {}
    for event, element in elements(file):
        if event == "end" and element.tag == "meta":
            declared = ontology_of_labels(element.iter("label"))
        elif event == "end" and element.tag == "track":
            label = element.get("label", "")
            now = answered and any(each.get("occluded") == "1" for each in element)
            occluded[label] = occluded.get(label, False) or now
    known = {category.name for category in declared.categories}
    new = tuple(Category(name=label) for label in occluded if label and label not in known)
    return Ontology(
        categories=tuple(
            msgspec.structs.replace(each, questions=(*each.questions, _OCCLUSION))
            if occluded.get(each.name)
            else each
            for each in (*declared.categories, *new)
        )
    )
