"""Reads Label Studio's tasks: which of the results about a text, picture, video or sound count."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

from labelconv import codes
from labelconv.format import Reading
from labelconv.formats.label_studio import sound, video
from labelconv.formats.label_studio.minimal import unfolded
from labelconv.formats.label_studio.options import LabelStudioReaderOptions
from labelconv.formats.label_studio.results import Made, Means, row_of
from labelconv.formats.label_studio.sound import Heard
from labelconv.formats.label_studio.video import Clip, Rules
from labelconv.io import Source
from labelconv.model import Dataset, Sample, Samples
from labelconv.offsets import Spans
from labelconv.problems import Where
from labelconv.texts import Chunk, Fault, Rows, values
from labelconv.timing import Clock

_LISTS = ("annotations", "completions", "predictions")
_TEXTS = ("text", "content", "body")
_PICTURES = ("image", "img", "image_url", "ocr")
_Kind = Literal["text", "picture", "video", "sound"]


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
        self._options = options
        self._rules = rules
        self._files = reading.media
        self._report = reading.report
        self._rows = Rows(source, reading)
        self._spans = Spans(options.source_offsets, reading.report, source.name)
        self._clock = Clock(reading.report)
        self._means = Means(options, reading.report, self._rows, self._spans)
        self._texts = frozenset((options.texts or "").split(","))
        self._left: dict[str, int] = {}

    def samples(self) -> Iterator[Sample]:
        for value, chunk, index in values(self._source, self._report, self._rows):
            sample = self._sample(value, chunk, index)
            if sample is not None:
                yield sample
        self._spans.tell()
        self._clock.finish(self._source.name)
        where = Where(path=self._source.name)
        for reason, count in self._left.items():
            self._report.add(codes.SAMPLE_SKIPPED, where, count=count, reason=reason)

    def _sample(self, task: Any, chunk: Chunk[Any], index: int) -> Sample | None:
        data = task.get("data") if isinstance(task, dict) else None
        minimal = None
        if isinstance(task, dict) and "data" not in task:
            minimal = unfolded(task, self._texts)
            data = None if minimal is None else minimal.data
        if not isinstance(data, dict):
            fault = Fault("a task with data", type(task).__name__, "/data")
            self._rows.malformed(chunk, fault, index)
            return None
        found = self._media(data)
        if found is None:
            names = ", ".join(map(repr, data)) or "no member"
            fault = Fault("a text, a picture, a video or a sound in data", f"{names}", "/data")
            self._rows.malformed(chunk, fault, index)
            return None
        kind, said = found
        text, address = (said, None) if kind == "text" else (None, said)
        self._count_fields(task, data, said)
        id = task.get("id")
        fields = {**data, **task}
        key = self._rows.key(address or (None if id is None else str(id)), chunk, index, fields)
        if key is None:
            return None
        made: Made | Heard
        if kind == "sound":
            made = Heard(self._means, self._clock, chunk, index)
        else:
            clip = Clip(said, self._rules, self._files, self._report) if kind == "video" else None
            made = Made(self._means, text, clip, chunk, index)
        for results, place in self._results(task) if minimal is None else minimal.results:
            made.add(results, place)
        annotations, relations = made.done()
        return Sample(
            key,
            made.media(),
            annotations,
            tuple(made.answers),
            relations,
            uri=address,
            key_is_id=self._rows.are_ids,
        )

    def _media(self, data: dict[str, Any]) -> tuple[_Kind, str] | None:
        """What the task is about: a text itself, or the address of something else."""
        name = self._options.field
        if name is None:
            for name in (*_TEXTS, *_PICTURES, *video.FIELDS, *sound.FIELDS):
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
        if name in video.FIELDS or ending.endswith(video.ENDINGS):
            return "video", said
        if name in sound.FIELDS or ending.endswith(sound.ENDINGS):
            return "sound", said
        picture = name in _PICTURES or ending.endswith((".jpg", ".jpeg", ".png", ".webp", ".gif"))
        return "picture" if picture else "text", said

    def _count_fields(self, task: dict[str, Any], data: dict[str, Any], used: str | None) -> None:
        """Count what else a task says, and lists that are none."""
        for name, value in task.items():
            if name in _LISTS and not isinstance(value, (list, type(None))):
                self._report.field(f"label-studio:{name}")
            elif name == "meta" and value:
                self._report.field("label-studio:meta")
        for name, value in data.items():
            if value != used:
                self._report.field(f"label-studio:data.{name}")

    def _results(self, task: dict[str, Any]) -> Iterator[tuple[list[Any], str]]:
        """The lists of results that count, with their places; the others are skipped."""
        options = self._options
        listed: list[tuple[dict[str, Any], str]] = []
        for name in ("annotations", "completions"):
            for number, each in enumerate(_listed(task.get(name))):
                if not isinstance(each, dict):
                    self._report.field(f"label-studio:{name}")
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
                self._report.field("label-studio:predictions")
                continue
            if wanted:
                listed.append((each, f"/predictions/{number}"))
            else:
                self._skip(each, "they are predictions (predictions=instead)")
        for each, place in listed:
            results = each.get("result")
            if results is not None and not isinstance(results, list):
                self._report.field("label-studio:result")
            yield _listed(results), f"{place}/result"

    def _skip(self, annotation: dict[str, Any], reason: str) -> None:
        self._left[reason] = self._left.get(reason, 0) + 1
        for result in _listed(annotation.get("result")):
            kind = result.get("type") if isinstance(result, dict) else None
            account = getattr(self._report.ledger, row_of(kind))
            account.read += 1
            account.skipped += 1


def _listed(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
