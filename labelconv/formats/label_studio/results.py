"""What the results of a task become: annotations, their answers, and relations between them."""

from __future__ import annotations

from typing import Any, NamedTuple

import msgspec

from labelconv import codes
from labelconv.formats.label_studio.answers import answer_of
from labelconv.formats.label_studio.options import LabelStudioReaderOptions
from labelconv.formats.label_studio.shapes import MOST, kind_of, shape_of
from labelconv.formats.label_studio.video import Clip
from labelconv.model import Annotation, Classification, Image, Relation, Text, Value, Video
from labelconv.offsets import Spans
from labelconv.problems import Report
from labelconv.texts import Chunk, Fault, Rows
from labelconv.unusable import Unusable

_SPANS = frozenset(("labels", "text"))
_ANSWERS = frozenset(
    ("choices", "textarea", "rating", "number", "taxonomy", "datetime", "timelinelabels")
)
#: Shapes of controls without labels.
_SHAPES = frozenset(("rectangle", "polygon", "ellipse", "keypoint", "brush", "vector"))
#: Results about parts of other media.
_ELSEWHERE = frozenset(("hypertextlabels", "paragraphlabels", "timeserieslabels"))


class Means(NamedTuple):
    """What all tasks of a source share."""

    options: LabelStudioReaderOptions
    report: Report
    rows: Rows
    spans: Spans


def row_of(kind: object) -> str:
    """The row of the ledger in which a result of this type is counted."""
    if kind == "relation":
        return "relations"
    answered = isinstance(kind, str) and kind in _ANSWERS
    return "classifications" if answered else "annotations"


def _is_drawn(each: Any) -> bool:
    """Whether a result is a shape that names no labels itself."""
    kind = each.get("type") if isinstance(each, dict) and "id" in each else None
    return isinstance(kind, str) and kind in _SHAPES


class Made:
    """What the results of one task about a text, a picture or a video become."""

    def __init__(
        self, means: Means, text: str | None, clip: Clip | None, chunk: Chunk[Any], index: int
    ) -> None:
        self._means = means
        self._report = means.report
        self._text = text
        self._clip = clip
        self._chunk = chunk
        self._index = index
        self.answers: list[Classification] = []
        self.size: tuple[float | None, float | None] = (None, None)
        self._annotations: dict[str, Annotation] = {}
        self._regions: dict[str, str] = {}
        self._answers_of: dict[str, list[Classification]] = {}
        self._names: dict[str, list[str]] = {}
        self._relations: list[tuple[dict[str, Any], str]] = []
        self._linked: list[Relation] = []

    def add(self, results: list[Any], place: str) -> None:
        """The results of one annotator. Answers about a region have the region's id."""
        shaped = {
            str(each["id"])
            for each in results
            if isinstance(each, dict) and "id" in each and row_of(each.get("type")) == "annotations"
        }
        self._regions = {}
        naming = self._named(results)
        pending: list[tuple[str, Classification]] = []
        for number, each in enumerate(results):
            pointer = f"{place}/{number}"
            kind = each.get("type") if isinstance(each, dict) else None
            if number in naming:
                continue
            if kind == "relation":
                self._relations.append((each, pointer))
                continue
            about = row_of(kind) == "classifications"
            below = about and str(each.get("id", "")) in shaped
            account = self._report.ledger
            if not below:
                getattr(account, "classifications" if about else "annotations").read += 1
            try:
                if about:
                    answer = self._answer(each)
                    if below:
                        pending.append((str(each["id"]), answer))
                    else:
                        self.answers.append(answer)
                else:
                    self._annotate(each, pointer)
            except Fault as fault:
                if below:
                    account.classifications.read += 1
                self._refuse(each, pointer, fault, "classifications" if about else "annotations")
            except Unusable as refused:
                where = self._chunk.where(self._means.rows.path, self._index, pointer)
                raw = msgspec.json.encode(each)
                row = "classifications" if about else "annotations"
                self._report.reject(refused.code, where, raw, row, **refused.values)
        for region, answer in pending:
            id = self._regions.get(region)
            if id is None:
                self._report.field("label-studio:answers of regions left out")
            else:
                self._answers_of.setdefault(id, []).append(answer)
        self._link()

    def _named(self, results: list[Any]) -> set[int]:
        """Take in the labels that are results beside their shape; the numbers of these results.

        That is how shapes and labels of controls of their own come (`<Rectangle>`, `<Labels>`).
        """
        self._names = {}
        if self._text is not None:
            return set()
        drawn = {str(each["id"]) for each in results if _is_drawn(each)}
        naming = set()
        for number, each in enumerate(results):
            if not isinstance(each, dict) or each.get("type") != "labels":
                continue
            value = each.get("value")
            labels = value.get("labels") if isinstance(value, dict) else None
            if isinstance(labels, list) and str(each.get("id")) in drawn:
                self._names.setdefault(str(each["id"]), []).extend(map(str, labels))
                naming.add(number)
        return naming

    def _refuse(self, each: Any, pointer: str, fault: Fault, kind: str) -> None:
        found = Fault(fault.expected, fault.found, pointer + fault.pointer, each)
        self._means.rows.refuse(self._chunk, found, self._index, kind)

    def _annotate(self, each: Any, pointer: str) -> None:
        value = each.get("value") if isinstance(each, dict) else None
        if not isinstance(value, dict) or not isinstance(each.get("type"), str):
            raise Fault("a result with type and value", repr(each)[:40])
        kind = each["type"]
        if kind in _ELSEWHERE:
            raise Fault("a result about a text, a picture or a video", kind, "/type")
        names = value.get(kind) or value.get("labels")
        labels = [str(name) for name in names] if isinstance(names, list) else []
        labels = labels or self._names.get(str(each.get("id")), [])
        if not labels:
            labels = [str(each.get("from_name") or kind)]
        shape = self._value(kind, each, value, pointer)
        if shape is None:
            return
        self._report.ledger.annotations.read += len(labels) - 1
        region = str(each.get("id", ""))
        score = each.get("score")
        sure = float(score) if isinstance(score, (int, float)) and 0 <= score <= 1 else None
        if sure is None and score is not None:
            self._report.field("label-studio:score")
        for label in labels:
            id = region or str(len(self._annotations))
            while id in self._annotations:
                id += f"/{len(self._annotations)}"
            self._annotations[id] = Annotation(id, label, shape, (), sure)
            self._regions.setdefault(region, id)

    def _value(
        self, kind: str, each: dict[str, Any], value: dict[str, Any], pointer: str
    ) -> Value | None:
        """The span or shape; None when a span was rejected already."""
        if kind == "labels" and self._text is None and self._clip is None:
            kind = kind_of(value) or kind
        if kind in _SPANS:
            start, end = value.get("start"), value.get("end")
            if self._text is None:
                raise Fault("a shape in a picture", "a span of a text", "/value")
            if type(start) is not int or type(end) is not int:
                raise Fault("whole numbers as start and end", f"{start!r}, {end!r}", "/value")
            where = self._chunk.where(self._means.rows.path, self._index, pointer)
            quote = value.get("text") if isinstance(value.get("text"), str) else None
            raw = msgspec.json.encode(each)
            return self._means.spans.span(self._text, start, end, where, raw, quote)
        if self._text is not None:
            raise Fault("a span of a text", kind, "/type")
        if (kind == "videorectangle") != (self._clip is not None):
            what = "a shape in a picture" if self._clip is None else "rectangles of a video"
            raise Fault(what, kind, "/type")
        if self._clip is not None:
            where = self._chunk.where(self._means.rows.path, self._index, pointer)
            return self._clip.track(value, where)
        width, height = each.get("original_width"), each.get("original_height")
        for name, said in (("original_width", width), ("original_height", height)):
            if isinstance(said, bool) or not isinstance(said, (int, float)) or not 0 < said < MOST:
                raise Fault("the size of the picture", repr(said), f"/{name}")
        assert isinstance(width, (int, float))
        assert isinstance(height, (int, float))
        if each.get("image_rotation"):
            raise Fault(
                "a picture that was not turned", f"{each['image_rotation']}°", "/image_rotation"
            )
        self.size = (float(width), float(height))
        return shape_of(kind, value, width, height)

    def _answer(self, each: dict[str, Any]) -> Classification:
        if each["type"] != "timelinelabels":
            return answer_of(each, self._means.options.choices)
        if self._clip is None:
            raise Fault("an answer about a text or a picture", "ranges of frames", "/type")
        return self._clip.answer(each)

    def _link(self) -> None:
        waiting, self._relations = self._relations, []
        for each, pointer in waiting:
            self._report.ledger.relations.read += 1
            ends = [self._regions.get(str(each.get(name))) for name in ("from_id", "to_id")]
            if ends[0] is None or ends[1] is None:
                where = self._chunk.where(self._means.rows.path, self._index, pointer)
                missing = each.get("from_id") if ends[0] is None else each.get("to_id")
                code = codes.RELATION_END_MISSING
                raw = msgspec.json.encode(each)
                self._report.reject(code, where, raw, "relations", missing=missing)
                continue
            source, target = ends[0], ends[1]
            if each.get("direction") == "left":
                source, target = target, source
            names = each.get("labels")
            name = ", ".join(map(str, names)) if isinstance(names, list) and names else "relation"
            both = each.get("direction") == "bi"
            self._linked.append(
                Relation(f"r{len(self._linked)}", name, source, target, directed=not both)
            )

    def media(self) -> Image | Text | Video:
        """What the task is about, as far as it is known."""
        if self._text is not None:
            return Text(self._text)
        return Image(*self.size) if self._clip is None else self._clip.media()

    def done(self) -> tuple[tuple[Annotation, ...], tuple[Relation, ...]]:
        annotations = tuple(
            msgspec.structs.replace(each, classifications=tuple(self._answers_of[each.id]))
            if each.id in self._answers_of
            else each
            for each in self._annotations.values()
        )
        return annotations, tuple(self._linked)
