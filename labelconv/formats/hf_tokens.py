"""Hugging Face token classification: tokens with tags by number or name, in JSONL or Parquet."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any, TypeAlias

import msgspec

from labelconv import codes
from labelconv.errors import MissingDependencyError, OptionError, SourceError
from labelconv.format import Evidence, Format, Holds, NoOptions, Reading
from labelconv.io import Peek, Source
from labelconv.jsonstream import UNDECODABLE
from labelconv.model import Annotation, Dataset, Sample, Samples, Text, TextSpan
from labelconv.offsets import Spans
from labelconv.problems import Where
from labelconv.tags import Tags
from labelconv.texts import Chunk, Fault, Rows, values
from labelconv.tokens import align

_TOKENS = ("tokens", "words", "sentence")
#: Names of tags by number; None where a number has none.
Names: TypeAlias = Sequence[str | None]
_TAGS = ("ner_tags", "tags", "labels", "ner_labels", "ner")


class HfTokensReaderOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Options of the hf-tokens reader (`-O key=value`).

    - `tokens`, `tags`: the columns; the usual names are tried when not given.
    - `names`: the names of tags by number: a list such as `O,B-PER,I-PER`, or a JSON file of a
      list, of `features` (`dataset_info.json`), or of a model's `id2label`. Parquet files that
      Hugging Face wrote have the names in them.
    - `join`: what stands between tokens in the text that is put together from them.
    """

    tokens: str | None = None
    tags: str | None = None
    names: str | None = None
    join: str = " "


def holds(options: NoOptions) -> tuple[Holds, ...]:
    """Nothing is written."""
    return (Holds(media=Text, values=frozenset({TextSpan})),)


def sniff(peek: Peek) -> Evidence:
    """JSON records with tokens and tags, or a Parquet file with such columns."""
    if peek.is_folder:
        return Evidence(0, "a folder, not a file")
    if peek.head[:4] == b"PAR1":
        ends = peek.head + peek.tail
        for name in _TAGS:
            if name.encode() in ends and any(each.encode() in ends for each in _TOKENS):
                return Evidence(3, f"a Parquet file with columns of tokens and {name}")
        return Evidence(0, "a Parquet file without tokens and tags")
    if peek.text[:1] not in (b"{", b"["):
        return Evidence(0, "neither JSON nor Parquet")
    from labelconv.texts import first_names

    names = set(first_names(peek))
    found = [name for name in _TAGS if name in names]
    if found and names & {*_TOKENS} and not names & {"spans", "entities"}:
        return Evidence(3, f"JSON records with tokens and {found[0]}")
    return Evidence(0, "no records with tokens and tags")


def read(source: Source, options: HfTokensReaderOptions, reading: Reading) -> Dataset:
    """The texts, put together from tokens. Raises `SourceError` when a column is missing."""

    return Samples(lambda: _Run(source, options, reading).samples())


class _Run:
    """One iteration over the rows."""

    def __init__(self, source: Source, options: HfTokensReaderOptions, reading: Reading) -> None:
        self._source = source
        self._options = options
        self._report = reading.report
        self._rows = Rows(source, reading)
        self._spans = Spans("codepoint", reading.report, source.name)
        self._tags = Tags()
        self._names = _named(options.names) if options.names is not None else None
        if self._names is None:
            self._names = _beside(source)
        self._rebuilt = 0

    def samples(self) -> Iterator[Sample]:
        with self._source.open() as file:
            parquet = file.read(4) == b"PAR1"
        yield from self._parquet() if parquet else self._json()
        path = self._source.name
        self._spans.tell()
        self._tags.tell(self._report, path)
        if self._rebuilt:
            self._report.add(codes.TEXT_REBUILT, Where(path=path), count=self._rebuilt)

    def _json(self) -> Iterator[Sample]:
        for value, chunk, index in values(self._source, self._report, self._rows):
            yield from self._sample(value, chunk, index)

    def _parquet(self) -> Iterator[Sample]:
        try:
            import pyarrow as pa
            from pyarrow import parquet
        except ImportError as error:
            raise MissingDependencyError(
                "Parquet files need pyarrow. Install it with `pip install 'labelconv[parquet]'`."
            ) from error
        with self._source.open() as file:
            try:
                table = parquet.ParquetFile(file)
                if self._names is None:
                    said = (table.schema_arrow.metadata or {}).get(b"huggingface")
                    self._names = _features(said, self._options.tags) if said else None
                number = 1
                for batch in table.iter_batches(batch_size=1000):
                    rows = batch.to_pylist()
                    chunk: Chunk[Any] = Chunk(number, rows, partial(_encoded, rows), in_list=True)
                    for index, value in enumerate(rows):
                        yield from self._sample(value, chunk, index)
                    number += len(rows)
            except pa.ArrowInvalid as error:
                found = str(error).partition(".")[0]
                raise SourceError(
                    f"{self._source.name}: a Parquet file expected; {found}"
                ) from None

    def _sample(self, value: Any, chunk: Chunk[Any], index: int) -> Iterator[Sample]:
        if not isinstance(value, dict):
            fault = Fault("an object with tokens and tags", type(value).__name__)
            self._rows.malformed(chunk, fault, index)
            return
        tokens, tags = self._column(value, "tokens"), self._column(value, "tags")
        words, named = value.get(tokens), value.get(tags)
        wrong = _faulty(words, named, tokens, tags)
        if wrong is None:
            assert isinstance(named, list)
            unknown = self._numbers_fit(named, tags)
            if unknown is not None:
                wrong = Fault("tags that have a name", unknown, f"/{tags}")
        if wrong is not None:
            self._rows.malformed(chunk, wrong, index)
            return
        assert isinstance(words, list)
        assert isinstance(named, list)
        id = value.get("id")
        key = self._rows.key(None if id is None else str(id), chunk, index)
        if key is None:
            return
        text = value.get("text")
        places = align(words, text) if isinstance(text, str) else 0
        if isinstance(places, int):
            if text is not None:
                self._report.field("hf-tokens:text")  # it is not that of the tokens
            text, places = _joined(words, self._options.join)
            self._rebuilt += 1
        assert isinstance(text, str)
        for name in value:
            if name not in (tokens, tags, "id", "text"):
                self._report.field(f"hf-tokens:{name}")
        annotations: list[Annotation] = []
        where = chunk.where(self._rows.path, index, f"/{tags}")
        spelled = [self._name(tag) for tag in named]
        for first, beyond, label in self._tags.entities(spelled, where):
            self._report.ledger.annotations.read += 1
            start, end = places[first][0], places[beyond - 1][1]
            span = self._spans.span(text, start, end, where, label.encode())
            if span is not None:
                annotations.append(Annotation(str(len(annotations)), label, span))
        yield Sample(key, Text(text), tuple(annotations), key_is_id=self._rows.are_ids)

    def _column(self, value: dict[str, Any], which: str) -> str:
        given = getattr(self._options, which)
        usual = _TOKENS if which == "tokens" else _TAGS
        if isinstance(given, str):
            return given
        return next((name for name in usual if name in value), usual[0])

    def _name(self, tag: object) -> str | None:
        if tag is None or isinstance(tag, str):
            return tag
        assert isinstance(tag, int)
        return None if tag == -100 else (self._names or ())[tag]

    def _numbers_fit(self, named: list[Any], column: str) -> str | None:
        """What is wrong with tags that are numbers, if anything; -100 stands for no tag.

        Raises `SourceError` where nothing says what they are called.
        """
        numbers = [tag for tag in named if isinstance(tag, int) and tag != -100]
        if not numbers:
            return None
        if self._names is None:
            raise SourceError(
                f"{self._source.name}: names for the numbers in {column} expected; give them with "
                f"`-O names=O,B-PER,…` or `-O names=dataset_info.json`"
            )
        wrong = [
            number
            for number in numbers
            if not 0 <= number < len(self._names) or self._names[number] is None
        ]
        return f"{wrong[0]}, and names from 0 to {len(self._names) - 1}" if wrong else None


def _faulty(words: object, named: object, tokens: str, tags: str) -> Fault | None:
    for name, value, kinds in ((tokens, words, str), (tags, named, (str, int, type(None)))):
        if not isinstance(value, list) or not all(
            isinstance(each, kinds) and not isinstance(each, bool) for each in value
        ):
            what = "texts" if name == tokens else "tags"
            return Fault(f"a list of {what} in {name}", repr(value)[:40], f"/{name}")
    assert isinstance(words, list)
    assert isinstance(named, list)
    if len(words) != len(named):
        return Fault(f"as many tags as tokens ({len(words)})", str(len(named)), f"/{tags}")
    return None


def _joined(words: Sequence[str], between: str) -> tuple[str, list[tuple[int, int]]]:
    """The text of the tokens, and where each of them is."""
    places = []
    at = 0
    for word in words:
        places.append((at, at + len(word)))
        at += len(word) + len(between)
    return between.join(words), places


def _encoded(rows: Sequence[object]) -> list[bytes]:
    return [msgspec.json.encode(row, enc_hook=str) for row in rows]


# ------------------------------------------------------------------------------ names of tags


def _named(given: str) -> Names:
    """Names from a list in the option itself, or from a JSON file."""
    if not given.endswith(".json"):
        return [name.strip() for name in given.split(",")]
    with Source(given).open() as file:
        found = _in_json(file.read(), None)
    if found is None:
        raise OptionError(f"{given}: a list of names, features or id2label expected")
    return found


def _beside(source: Source) -> Names | None:
    """Names from the `dataset_info.json` or `config.json` in the folder of the source."""
    for name in ("dataset_info.json", "config.json") if source.path is not None else ():
        assert source.path is not None
        path = source.path.parent / name
        if path.is_file():
            found = _in_json(path.read_bytes(), None)
            if found is not None:
                return found
    return None


def _features(said: bytes, column: str | None) -> Names | None:
    return _in_json(said, column)


def _in_json(data: bytes, column: str | None) -> Names | None:
    """Names in any of the places where Hugging Face keeps them."""
    try:
        found: Any = msgspec.json.decode(data)
    except UNDECODABLE:
        return None
    if isinstance(found, list):
        return [str(each) for each in found]
    if not isinstance(found, dict):
        return None
    if isinstance(found.get("id2label"), dict):
        named = found["id2label"].items()
        if not all(number.isdecimal() and len(number) < 7 for number, _ in named):
            return None
        by_number = {int(number): str(name) for number, name in named}
        return [by_number.get(number) for number in range(max(by_number, default=-1) + 1)]
    features = found.get("info", found).get("features") if isinstance(found, dict) else None
    if not isinstance(features, dict):
        return None
    for name in (column,) if column else _TAGS:
        feature = features.get(name)
        inner = feature.get("feature", feature) if isinstance(feature, dict) else None
        if isinstance(inner, dict) and isinstance(inner.get("names"), list):
            return [str(each) for each in inner["names"]]
    return None


FORMAT = Format(
    name="hf-tokens",
    about="Hugging Face token classification: tokens and ner_tags, JSONL and Parquet",
    url="https://huggingface.co/docs/datasets",
    holds=holds,
    read=read,
    reader_options=HfTokensReaderOptions,
    sniff=sniff,
)
