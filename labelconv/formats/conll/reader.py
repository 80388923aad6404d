"""Reads CoNLL files: texts are put together from tokens, or taken from comments."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from labelconv import codes
from labelconv.errors import SourceError
from labelconv.format import Reading
from labelconv.formats.conll.lines import MOST, Layout, Sentence, layout, sentences
from labelconv.formats.conll.options import ConllReaderOptions
from labelconv.io import PEEK_BYTES, Source
from labelconv.model import Annotation, Dataset, Sample, Samples, Text, TextSpan
from labelconv.offsets import Spans, clean
from labelconv.problems import Code, Where
from labelconv.tags import Tags
from labelconv.texts import Chunk, Rows
from labelconv.tokens import align


def read(source: Source, options: ConllReaderOptions, reading: Reading) -> Dataset:
    """The texts of a file. Raises `SourceError` when its lines are no tokens."""
    with source.open() as file:
        head = file.read(PEEK_BYTES)
    found = layout(head, MOST)
    if found is None and head.strip():
        raise SourceError(
            f"{source.name}: lines of one number of columns expected, or words as token|tag"
        )
    found = found or Layout("columns", 2)

    return Samples(lambda: _Run(source, found, options, reading).samples())


class _Run:
    """One iteration over the sentences."""

    def __init__(
        self, source: Source, found: Layout, options: ConllReaderOptions, reading: Reading
    ) -> None:
        self._source = source
        self._layout = found
        self._options = options
        self._report = reading.report
        self._rows = Rows(source, reading)
        self._spans = Spans("codepoint", reading.report, source.name)
        self._tags = Tags()
        self._rebuilt = 0
        self._number = 0

    def samples(self) -> Iterator[Sample]:
        """A document is what follows a mark; a file without marks has sentences."""
        options = self._options
        group: list[Sentence] = []
        marked = False
        found = sentences(self._source, self._layout, options.column, options.token, self._report)
        for sentence in found:
            marked = marked or sentence.starts
            alone = options.documents == "sentence" or (options.documents == "auto" and not marked)
            begins = options.documents != "file" and (alone or sentence.starts)
            if begins and group:
                yield from self._sample(group)
                group = []
            group.append(sentence)
        if group:
            yield from self._sample(group)
        self._spans.tell()
        self._tags.tell(self._report, self._source.name)
        if self._rebuilt:
            where = Where(path=self._source.name)
            self._report.add(codes.TEXT_REBUILT, where, count=self._rebuilt)

    def _sample(self, group: list[Sentence]) -> Iterator[Sample]:
        """The text of a document. Sentences that cannot be used are rejected alone."""
        self._number += 1
        report = self._report
        laid: list[_Laid] = []
        broken: list[_Broken] = []
        for sentence in group:
            found = _placed(sentence)
            if isinstance(found, _Broken):
                broken.append(found)
            elif sentence.words or sentence.text is not None:
                laid.append(_Laid(sentence, found))
            else:
                self._count_fields(sentence)
        if not laid:
            if broken:
                report.ledger.samples.read += 1
                self._reject(broken[0], group, "samples")
            return
        lines = [line for sentence in group for line in sentence.lines]
        chunk: Chunk[None] = Chunk(
            self._number, None, lambda: [b"".join(lines)], line=group[0].number
        )
        key = self._rows.key(next((s.id for s in group if s.id), None), chunk, 0, {})
        if key is None:
            return
        for each in broken:
            count = max(1, len(Tags().entities(each.sentence.tags)))
            report.ledger.annotations.read += count
            report.ledger.annotations.rejected += count - 1  # `_reject` counts one itself
            self._reject(each, [each.sentence], "annotations")
        text, places, rebuilt = _laid_out(laid)
        self._rebuilt += rebuilt
        annotations: list[Annotation] = []
        at = 0
        for sentence in (each.sentence for each in laid):
            where = Where(self._source.name, sentence.number)
            self._count_fields(sentence)
            for first, beyond, label in self._tags.entities(sentence.tags, where):
                report.ledger.annotations.read += 1
                start, end = places[at + first][0], places[at + beyond - 1][1]
                span: TextSpan | None = TextSpan(start, end)
                if not clean(text, start, end):
                    span = self._spans.span(text, start, end, where, label.encode())
                if span is not None:
                    annotations.append(Annotation(str(len(annotations)), label, span))
            at += len(sentence.words)
        yield Sample(key, Text(text), tuple(annotations), key_is_id=self._rows.are_ids)

    def _reject(self, broken: _Broken, sentences: list[Sentence], kind: str) -> None:
        where = Where(self._source.name, broken.line)
        record = b"".join(line for sentence in sentences for line in sentence.lines)
        self._report.reject(broken.code, where, record, kind, **broken.values)

    def _count_fields(self, sentence: Sentence) -> None:
        for name, count in sentence.fields.items():
            self._report.field(f"conll:{name}", count)


class _Broken(NamedTuple):
    """A sentence that cannot be used: the code, the line, and what fills the code's message."""

    sentence: Sentence
    code: Code
    line: int
    values: dict[str, object]


class _Laid(NamedTuple):
    """A sentence and, where it has a text of its own, where its tokens are in that."""

    sentence: Sentence
    places: list[tuple[int, int]]


def _placed(sentence: Sentence) -> list[tuple[int, int]] | _Broken:
    """Where the tokens are in the sentence's own text; nothing where it has none."""
    if sentence.fault is not None:
        expected, found, line = sentence.fault
        values: dict[str, object] = {"expected": expected, "found": found}
        return _Broken(sentence, codes.RECORD_MALFORMED, line, values)
    if sentence.text is None:
        return []
    places = align(sentence.words, sentence.text)
    if isinstance(places, int):
        values = {"number": places, "token": sentence.words[places]}
        return _Broken(sentence, codes.TOKEN_UNALIGNED, sentence.number, values)
    return places


def _laid_out(group: list[_Laid]) -> tuple[str, list[tuple[int, int]], bool]:
    """The text of a document, where its tokens are, and whether it was put together here.

    Sentences follow each other on lines of their own, unless the source says what blanks they have
    between them. Tokens have a blank between them, unless the source says otherwise.
    """
    pieces: list[str] = []
    places: list[tuple[int, int]] = []
    at = 0
    rebuilt = False
    for number, (sentence, own) in enumerate(group):
        last = number == len(group) - 1
        behind = sentence.spaces[-1] if sentence.spaces else None
        if sentence.text is not None:
            places.extend((at + start, at + end) for start, end in own)
            text = sentence.text
        else:
            rebuilt = True
            parts: list[str] = []
            length = 0
            for word, space in zip(sentence.words, sentence.spaces, strict=True):
                places.append((at + length, at + length + len(word)))
                blank = " " if space is None else space
                parts.extend((word, blank))
                length += len(word) + len(blank)
            text = "".join(parts[:-1])
        pieces.append(text)
        at += len(text)
        if not last:
            between = "\n" if behind is None else behind
            pieces.append(between)
            at += len(between)
        elif behind and sentence.text is None:
            pieces.append(behind)
    return "".join(pieces), places, rebuilt
