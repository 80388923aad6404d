"""Reads Label Studio's tasks: results about a text or a picture, by one annotator or all."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

import msgspec

from labelconv import codes
from labelconv.format import Reading
from labelconv.formats.label_studio.options import LabelStudioReaderOptions
from labelconv.formats.label_studio.shapes import shape_of
from labelconv.io import Source
from labelconv.model import (
    Annotation,
    Answer,
    Checklist,
    Classification,
    Dataset,
    FreeText,
    Image,
    Radio,
    Relation,
    Sample,
    Samples,
    Text,
    Value,
)
from labelconv.offsets import Spans
from labelconv.problems import Where
from labelconv.texts import Chunk, Fault, Rows, answered, plain, records

_ANY: msgspec.json.Decoder[Any] = msgspec.json.Decoder()
_TEXTS = ("text", "content", "body")
_PICTURES = ("image", "img", "image_url", "ocr")
_SPANS = frozenset(("labels", "text"))
_ANSWERS = frozenset(("choices", "textarea", "rating", "number", "taxonomy", "datetime"))
#: Results about parts of other media.
_ELSEWHERE = frozenset(
    ("hypertextlabels", "paragraphlabels", "timeserieslabels", "videorectangle", "timelinelabels")
)


def read(source: Source, options: LabelStudioReaderOptions, reading: Reading) -> Dataset:
    """The tasks of a JSON export, a list or lines."""

    return Samples(lambda: _Run(source, options, reading).samples())


class _Run:
    """One iteration over the tasks."""

    def __init__(self, source: Source, options: LabelStudioReaderOptions, reading: Reading) -> None:
        self._source = source
        self.options = options
        self.report = reading.report
        self.ledger = reading.report.ledger
        self.rows = Rows(source, reading)
        self.spans = Spans(options.source_offsets, reading.report, source.name)
        self._left: dict[str, int] = {}

    def samples(self) -> Iterator[Sample]:
        for chunk in records(self._source, _ANY, self.report):
            if chunk.values is None:
                try:
                    plain(chunk.raw())
                except Fault as fault:
                    self.rows.malformed(chunk, fault)
                continue
            for index, value in enumerate(chunk.values):
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
            fault = Fault("a text or a picture in data", f"{names}", "/data")
            self.rows.malformed(chunk, fault, index)
            return None
        text, address = found
        id = task.get("id")
        fields = {**data, **task}
        key = self.rows.key(address or (None if id is None else str(id)), chunk, index, fields)
        if key is None:
            return None
        made = _Made(self, text, chunk, index)
        for results, place in self._results(task):
            made.add(results, place)
        annotations, relations = made.done()
        media = Image(*made.size) if text is None else Text(text)
        return Sample(
            key,
            media,
            annotations,
            tuple(made.answers),
            relations,
            uri=address,
            key_is_id=self.rows.are_ids,
        )

    def _media(self, data: dict[str, Any]) -> tuple[str | None, str | None] | None:
        """(text, None) or (None, address of a picture)."""
        name = self.options.field
        if name is None:
            for name in (*_TEXTS, *_PICTURES):
                if isinstance(data.get(name), str):
                    break
            else:
                name = next((each for each, said in data.items() if isinstance(said, str)), None)
        said = data.get(name) if name is not None else None
        if name is None or not isinstance(said, str):
            return None
        picture = name in _PICTURES or (
            name not in _TEXTS
            and said.lower().partition("?")[0].endswith((".jpg", ".jpeg", ".png", ".webp", ".gif"))
        )
        return (None, said) if picture else (said, None)

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
                continue
            if wanted:
                listed.append((each, f"/predictions/{number}"))
            else:
                self._skip(each, "they are predictions (predictions=instead)")
        for each, place in listed:
            results = each.get("result")
            yield results if isinstance(results, list) else [], f"{place}/result"

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

    def __init__(self, run: _Run, text: str | None, chunk: Chunk[Any], index: int) -> None:
        self._run = run
        self._report = run.report
        self._text = text
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
                    answer = _answer(each, self._run.options.choices)
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
            raise Fault("a result about a text or a picture", kind, "/type")
        names = value.get(kind) or value.get("labels")
        labels = [str(name) for name in names] if isinstance(names, list) else []
        if not labels:
            labels = [str(each.get("from_name") or kind)]
        self._run.ledger.annotations.read += len(labels) - 1
        shape = self._value(kind, each, value, pointer, len(labels))
        if shape is None:
            return
        region = str(each.get("id", ""))
        score = each.get("score")
        sure = float(score) if isinstance(score, (int, float)) and 0 <= score <= 1 else None
        for label in labels:
            id = region or str(len(self._annotations))
            while id in self._annotations:
                id += f"/{len(self._annotations)}"
            self._annotations[id] = Annotation(id, label, shape, (), sure)
            self._regions.setdefault(region, id)

    def _value(
        self, kind: str, each: dict[str, Any], value: dict[str, Any], pointer: str, count: int
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
            span = self._run.spans.span(self._text, start, end, where, raw, quote)
            if span is None:
                self._run.ledger.annotations.rejected += count - 1
            return span
        if self._text is not None:
            raise Fault("a span of a text", kind, "/type")
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


def _answer(each: dict[str, Any], choices: Literal["checklist", "radio"]) -> Classification:
    """The answer of a result that is no region. Raises `Fault`."""
    value = each.get("value")
    kind = each["type"]
    name = str(each.get("from_name") or kind)
    if not isinstance(value, dict):
        raise Fault("a result with a value", repr(value)[:40], "/value")
    said = value.get("text" if kind == "textarea" else kind)
    listed = said if isinstance(said, list) else [] if said is None else [said]
    answer: Answer
    if not listed:
        raise Fault("an answer", repr(value)[:40], "/value")
    if kind == "choices":
        return answered([(str(option), None) for option in listed], name, choices)
    if kind == "taxonomy":
        paths = [path if isinstance(path, list) else [path] for path in listed]
        answer = Checklist(tuple(Radio(" / ".join(map(str, path))) for path in paths))
    else:
        answer = FreeText("\n".join(str(part) for part in listed))
    return Classification(name, answer)
