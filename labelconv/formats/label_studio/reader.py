"""Reads Label Studio's tasks: results about a text, picture or video, by one annotator or all."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

import msgspec

from labelconv import codes
from labelconv.format import Reading
from labelconv.formats.label_studio.answers import answer_of
from labelconv.formats.label_studio.options import LabelStudioReaderOptions
from labelconv.formats.label_studio.shapes import shape_of
from labelconv.formats.label_studio.video import ENDINGS, FIELDS, Clip, Rules
from labelconv.io import Source
from labelconv.model import (
    Annotation,
    Classification,
    Dataset,
    Image,
    Relation,
    Sample,
    Samples,
    Text,
    Value,
)
from labelconv.offsets import Spans
from labelconv.problems import Where
from labelconv.texts import Chunk, Fault, Rows, values
from labelconv.unusable import Unusable

_LISTS = ("annotations", "completions", "predictions")
_TEXTS = ("text", "content", "body")
_PICTURES = ("image", "img", "image_url", "ocr")
_SPANS = frozenset(("labels", "text"))
_ANSWERS = frozenset(
    ("choices", "textarea", "rating", "number", "taxonomy", "datetime", "timelinelabels")
)
#: Results about parts of other media.
_ELSEWHERE = frozenset(("hypertextlabels", "paragraphlabels", "timeserieslabels"))
_Kind = Literal["text", "picture", "video"]


def read(source: Source, options: LabelStudioReaderOptions, reading: Reading) -> Dataset:
    """The tasks of a JSON export, a list or lines. Raises `OptionError` and `SourceError`."""
    rules = Rules(options)
    return Samples(lambda: _Run(source, options, rules, reading).samples())


class _Run:
    """One iteration over the tasks."""

    def __init__(
        self, source: Source, options: LabelStudioReaderOptions, rules: Rules, reading: Reading
    ) -> None:
        self._source = source
        self.options = options
        self._rules = rules
        self._files = reading.media
        self.report = reading.report
        self.ledger = reading.report.ledger
        self.rows = Rows(source, reading)
        self.spans = Spans(options.source_offsets, reading.report, source.name)
        self._left: dict[str, int] = {}

    def samples(self) -> Iterator[Sample]:
        for value, chunk, index in values(self._source, self.report, self.rows):
            sample = self._sample(value, chunk, index)
            if sample is not None:
                yield sample
        self.spans.tell()
        where = Where(path=self._source.name)
        for reason, count in self._left.items():
            self.report.add(codes.SAMPLE_SKIPPED, where, count=count, reason=reason)

    def _sample(self, task: Any, chunk: Chunk[Any], index: int) -> Sample | None:
        data = task.get("data") if isinstance(task, dict) else None
        if not isinstance(data, dict):
            fault = Fault("a task with data", type(task).__name__, "/data")
            self.rows.malformed(chunk, fault, index)
            return None
        found = self._media(data)
        if found is None:
            names = ", ".join(map(repr, data)) or "no member"
            fault = Fault("a text, a picture or a video in data", f"{names}", "/data")
            self.rows.malformed(chunk, fault, index)
            return None
        kind, said = found
        text, address = (said, None) if kind == "text" else (None, said)
        self._count_fields(task, data, said)
        id = task.get("id")
        fields = {**data, **task}
        key = self.rows.key(address or (None if id is None else str(id)), chunk, index, fields)
        if key is None:
            return None
        clip = Clip(said, self._rules, self._files, self.report) if kind == "video" else None
        made = _Made(self, text, clip, chunk, index)
        for results, place in self._results(task):
            made.add(results, place)
        annotations, relations = made.done()
        media = Image(*made.size) if clip is None else clip.media()
        return Sample(
            key,
            media if text is None else Text(text),
            annotations,
            tuple(made.answers),
            relations,
            uri=address,
            key_is_id=self.rows.are_ids,
        )

    def _media(self, data: dict[str, Any]) -> tuple[_Kind, str] | None:
        """What the task is about: a text itself, or the address of something else."""
        name = self.options.field
        if name is None:
            for name in (*_TEXTS, *_PICTURES, *FIELDS):
                if isinstance(data.get(name), str):
                    break
            else:
                name = next((each for each, said in data.items() if isinstance(said, str)), None)
        said = data.get(name) if name is not None else None
        if name is None or not isinstance(said, str):
            return None
        ending = said.lower().partition("?")[0]
        if name in _TEXTS:
            return "text", said
        if name in FIELDS or ending.endswith(ENDINGS):
            return "video", said
        picture = name in _PICTURES or ending.endswith((".jpg", ".jpeg", ".png", ".webp", ".gif"))
        return "picture" if picture else "text", said

    def _count_fields(self, task: dict[str, Any], data: dict[str, Any], used: str | None) -> None:
        """Count what else a task says, and lists that are none."""
        for name, value in task.items():
            if name in _LISTS and not isinstance(value, (list, type(None))):
                self.report.field(f"label-studio:{name}")
            elif name == "meta" and value:
                self.report.field("label-studio:meta")
        for name, value in data.items():
            if value != used:
                self.report.field(f"label-studio:data.{name}")

    def _results(self, task: dict[str, Any]) -> Iterator[tuple[list[Any], str]]:
        """The lists of results that count, with their places; the others are skipped."""
        options = self.options
        listed: list[tuple[dict[str, Any], str]] = []
        for name in ("annotations", "completions"):
            for number, each in enumerate(_listed(task.get(name))):
                if not isinstance(each, dict):
                    self.report.field(f"label-studio:{name}")
                    continue
                if each.get("was_cancelled") or each.get("skipped"):
                    self._skip(each, "the annotator skipped the task")
                elif options.predictions == "only":
                    self._skip(each, "predictions alone are asked for")
                else:
                    listed.append((each, f"/{name}/{number}"))
        if len(listed) > 1 and options.annotators == "first":
            listed.sort(key=lambda pair: not pair[0].get("ground_truth"))
            for each, _ in listed[1:]:
                self._skip(each, "another annotation of the same task is read (annotators=all)")
            listed = listed[:1]
        for number, each in enumerate(_listed(task.get("predictions"))):
            wanted = options.predictions == "only" or (
                options.predictions == "instead" and not listed
            )
            if not isinstance(each, dict) or "result" not in each:
                self.report.field("label-studio:predictions")
                continue
            if wanted:
                listed.append((each, f"/predictions/{number}"))
            else:
                self._skip(each, "they are predictions (predictions=instead)")
        for each, place in listed:
            results = each.get("result")
            if results is not None and not isinstance(results, list):
                self.report.field("label-studio:result")
            yield _listed(results), f"{place}/result"

    def _skip(self, annotation: dict[str, Any], reason: str) -> None:
        self._left[reason] = self._left.get(reason, 0) + 1
        for result in _listed(annotation.get("result")):
            kind = result.get("type") if isinstance(result, dict) else None
            account = getattr(self.ledger, _row_of(kind))
            account.read += 1
            account.skipped += 1


def _listed(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _row_of(kind: object) -> str:
    if kind == "relation":
        return "relations"
    answered = isinstance(kind, str) and kind in _ANSWERS
    return "classifications" if answered else "annotations"


class _Made:
    """What the results of one task become."""

    def __init__(
        self, run: _Run, text: str | None, clip: Clip | None, chunk: Chunk[Any], index: int
    ) -> None:
        self._run = run
        self._report = run.report
        self._text = text
        self._clip = clip
        self._chunk = chunk
        self._index = index
        self.answers: list[Classification] = []
        self.size: tuple[float | None, float | None] = (None, None)
        self._annotations: dict[str, Annotation] = {}
        self._regions: dict[str, str] = {}
        self._answers_of: dict[str, list[Classification]] = {}
        self._relations: list[tuple[dict[str, Any], str]] = []
        self._linked: list[Relation] = []

    def add(self, results: list[Any], place: str) -> None:
        """The results of one annotator. Answers about a region have the region's id."""
        shaped = {
            str(each["id"])
            for each in results
            if isinstance(each, dict)
            and "id" in each
            and _row_of(each.get("type")) == "annotations"
        }
        self._regions = {}
        pending: list[tuple[str, Classification]] = []
        for number, each in enumerate(results):
            pointer = f"{place}/{number}"
            kind = each.get("type") if isinstance(each, dict) else None
            if kind == "relation":
                self._relations.append((each, pointer))
                continue
            about = _row_of(kind) == "classifications"
            below = about and str(each.get("id", "")) in shaped
            account = self._run.ledger
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
                where = self._chunk.where(self._run.rows.path, self._index, pointer)
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

    def _refuse(self, each: Any, pointer: str, fault: Fault, kind: str) -> None:
        found = Fault(fault.expected, fault.found, pointer + fault.pointer, each)
        self._run.rows.refuse(self._chunk, found, self._index, kind)

    def _annotate(self, each: Any, pointer: str) -> None:
        value = each.get("value") if isinstance(each, dict) else None
        if not isinstance(value, dict) or not isinstance(each.get("type"), str):
            raise Fault("a result with type and value", repr(each)[:40])
        kind = each["type"]
        if kind in _ELSEWHERE:
            raise Fault("a result about a text, a picture or a video", kind, "/type")
        names = value.get(kind) or value.get("labels")
        labels = [str(name) for name in names] if isinstance(names, list) else []
        if not labels:
            labels = [str(each.get("from_name") or kind)]
        shape = self._value(kind, each, value, pointer)
        if shape is None:
            return
        self._run.ledger.annotations.read += len(labels) - 1
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
        if kind in _SPANS:
            start, end = value.get("start"), value.get("end")
            if self._text is None:
                raise Fault("a shape in a picture", "a span of a text", "/value")
            if type(start) is not int or type(end) is not int:
                raise Fault("whole numbers as start and end", f"{start!r}, {end!r}", "/value")
            where = self._chunk.where(self._run.rows.path, self._index, pointer)
            quote = value.get("text") if isinstance(value.get("text"), str) else None
            raw = msgspec.json.encode(each)
            return self._run.spans.span(self._text, start, end, where, raw, quote)
        if self._text is not None:
            raise Fault("a span of a text", kind, "/type")
        if (kind == "videorectangle") != (self._clip is not None):
            what = "a shape in a picture" if self._clip is None else "rectangles of a video"
            raise Fault(what, kind, "/type")
        if self._clip is not None:
            where = self._chunk.where(self._run.rows.path, self._index, pointer)
            return self._clip.track(value, where)
        width, height = each.get("original_width"), each.get("original_height")
        for name, said in (("original_width", width), ("original_height", height)):
            if isinstance(said, bool) or not isinstance(said, (int, float)) or not said > 0:
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
            return answer_of(each, self._run.options.choices)
        if self._clip is None:
            raise Fault("an answer about a text or a picture", "ranges of frames", "/type")
        return self._clip.answer(each)

    def _link(self) -> None:
        waiting, self._relations = self._relations, []
        for each, pointer in waiting:
            self._run.ledger.relations.read += 1
            ends = [self._regions.get(str(each.get(name))) for name in ("from_id", "to_id")]
            if ends[0] is None or ends[1] is None:
                where = self._chunk.where(self._run.rows.path, self._index, pointer)
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

    def done(self) -> tuple[tuple[Annotation, ...], tuple[Relation, ...]]:
        annotations = tuple(
            msgspec.structs.replace(each, classifications=tuple(self._answers_of[each.id]))
            if each.id in self._answers_of
            else each
            for each in self._annotations.values()
        )
        return annotations, tuple(self._linked)
