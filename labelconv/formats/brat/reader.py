"""Reads brat standoff: texts as they are in their files, annotations by character."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from labelconv import codes
from labelconv.errors import SourceError
from labelconv.format import Reading
from labelconv.formats.brat.lines import Attribute, Event, Line, Link, Remark, Span, parsed
from labelconv.formats.brat.options import BratReaderOptions
from labelconv.io import Source, walk
from labelconv.model import (
    Annotation,
    Classification,
    Dataset,
    Extra,
    Radio,
    Relation,
    Sample,
    Samples,
    Text,
    TextSpan,
)
from labelconv.offsets import Spans
from labelconv.problems import Report, Where
from labelconv.texts import Chunk, Fault, Rows

_NEWLINE = re.compile(r"[\r\n]")
#: Offsets of more digits are no offsets.
_LONG_INT = 18


def read(source: Source, options: BratReaderOptions, reading: Reading) -> Dataset:
    """The texts of a folder with all that is below it, or of one `.ann` or `.txt` file."""
    if source.path is None:
        raise SourceError(f"{source.name}: a folder or a file beside its text expected")
    root, stems = _stems(source)

    return Samples(lambda: _Run(source, root, stems, options, reading).samples())


def _stems(source: Source) -> tuple[Path, list[str]]:
    """The folder, and the paths of texts in it without their endings, in natural order."""
    assert source.path is not None
    if not source.is_folder:
        return source.path.parent, [source.path.stem]
    found = walk(source.path, (".ann", ".txt"))
    return source.path, list(dict.fromkeys(name[:-4] for name in found))


class _Run:
    """One iteration over the texts."""

    def __init__(
        self,
        source: Source,
        root: Path,
        stems: list[str],
        options: BratReaderOptions,
        reading: Reading,
    ) -> None:
        self._root = root
        self._stems = stems
        self._report = reading.report
        self._ledger = reading.report.ledger
        self._rows = Rows(source, reading)
        self._renames = reading.keys.renames
        self._spans = Spans(options.source_offsets, reading.report, source.name)
        wanted = reading.wanted.extra
        self._extra = wanted is None or "brat" in wanted
        self._events = 0

    def samples(self) -> Iterator[Sample]:
        for number, stem in enumerate(self._stems, 1):
            sample = self._sample(stem, number)
            if sample is not None:
                yield sample
        self._spans.tell()
        if self._events:
            self._report.field("brat:event", self._events)

    def _sample(self, stem: str, number: int) -> Sample | None:
        path, marks = self._root / f"{stem}.txt", self._root / f"{stem}.ann"
        content = _bytes(path)
        lines = _bytes(marks)
        chunk: Chunk[None] = Chunk(number, None, lambda: [lines or b""], line=1)
        self._rows.path = str(marks if lines is not None else path)
        if content is None:
            self._ledger.samples.read += 1
            where = Where(path=str(marks))
            code = codes.FILE_MISSING
            self._report.reject(code, where, lines or b"", "samples", file=str(path))
            return None
        try:
            text = content.decode("utf-8")
            said = (lines or b"").decode("utf-8")
        except UnicodeDecodeError as error:
            found = f"byte 0x{error.object[error.start]:02x}"
            self._rows.path = str(path if error.object == content else marks)
            chunk.line = error.object.count(b"\n", 0, error.start) + 1
            self._rows.malformed(chunk, Fault("UTF-8", found))
            return None
        id = f"{stem}.txt" if self._renames else stem
        key = self._rows.key(id, chunk, 0, {})
        if key is None:
            return None
        made = _Made(self._report, self._rows.path, text, self._spans, extra=self._extra)
        for line_number, line in enumerate(said.split("\n"), 1):
            if line.strip():
                made.add(line.removesuffix("\r"), line_number)
        annotations, relations = made.done()
        self._events += made.events
        return Sample(key, Text(text), annotations, (), relations, key_is_id=self._rows.are_ids)


def _bytes(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise SourceError(f"{path}: {error.strerror}") from error


class _Made:
    """What the lines of one file become. Lines may refer to lines that come later."""

    def __init__(self, report: Report, path: str, text: str, spans: Spans, *, extra: bool) -> None:
        self._report = report
        self._path = path
        self._text = text
        self._spans = spans
        self._extra = extra
        self._lines: list[tuple[Line, int, str]] = []
        self._ids: dict[str, int] = {}
        self.events = 0

    def add(self, line: str, number: int) -> None:
        where = Where(self._path, number)
        try:
            found = parsed(line)
        except Fault as fault:
            kind = "relations" if line[:1] in "R*E" else "annotations"
            getattr(self._report.ledger, kind).read += 1
            raw = line.encode()
            code = codes.RECORD_MALFORMED
            values = {"expected": fault.expected, "found": fault.found}
            self._report.reject(code, where, raw, kind, **values)
            return
        if isinstance(found, (Span, Event)) or (isinstance(found, Link) and found.directed):
            first = self._ids.setdefault(found.id, number)
            if first != number:
                kind = "annotations" if isinstance(found, Span) else "relations"
                getattr(self._report.ledger, kind).read += 1
                code = codes.ID_DUPLICATE
                values = {"field": "id", "value": found.id, "first": f"line {first}"}
                self._report.reject(code, where, line.encode(), kind, **values)
                return
        self._lines.append((found, number, line))

    def done(self) -> tuple[tuple[Annotation, ...], tuple[Relation, ...]]:
        """Annotations and relations, in the order of their lines."""
        #: Of each span of the file, the annotations that it became.
        pieces: dict[str, list[str]] = {}
        values: list[tuple[str, str, TextSpan]] = []
        extras: dict[str, Extra] = {}
        answers: dict[str, list[Classification]] = {}
        triggers: dict[str, str] = {}
        for found, number, line in self._lines:
            if isinstance(found, Span):
                made = self._made(found, number, line)
                pieces[found.id] = [id for id, _ in made]
                values.extend((id, found.type, span) for id, span in made)
                if len(found.pieces) > 1:
                    for id, _ in made:
                        self._add_extra(extras, id, "group", found.id)
            elif isinstance(found, Event):
                triggers[found.id] = found.trigger
        relations: list[Relation] = []
        for found, number, line in self._lines:
            if isinstance(found, Attribute):
                about = triggers.get(found.about, found.about)
                if about not in pieces:
                    self._unused(found.about, number, line, "annotations")
                    continue
                if not pieces[about]:  # its span was rejected
                    self._report.field("brat:attributes of rejected spans")
                answer = Classification(found.name, Radio(found.value or "true"))
                for id in pieces[about]:
                    answers.setdefault(id, []).append(answer)
            elif isinstance(found, Remark):
                about = triggers.get(found.about, found.about)
                for id in pieces.get(about, ())[:1]:
                    self._add_extra(extras, id, found.kind, found.said)
                if not pieces.get(about):
                    self._report.field(f"brat:{found.kind}")
            elif isinstance(found, Link):
                relations.extend(self._linked(found, pieces, triggers, number, line))
            elif isinstance(found, Event):
                self.events += 1
                for place, (role, target) in enumerate(found.roles):
                    link = Link(f"{found.id}/{place}", role, [found.trigger, target])
                    relations.extend(self._linked(link, pieces, triggers, number, line))
        annotations = tuple(
            Annotation(id, type, span, tuple(answers.get(id, ())), None, extras.get(id, {}))
            for id, type, span in values
        )
        return annotations, tuple(relations)

    def _add_extra(self, extras: dict[str, Extra], id: str, name: str, value: str) -> None:
        if not self._extra:
            self._report.field(f"brat:{name}")
            return
        extra = extras.setdefault(id, {})
        if name == "group":
            extra["brat:group"] = value
        else:
            extra.setdefault(f"brat:{name}", []).append(value)

    def _made(self, found: Span, number: int, line: str) -> list[tuple[str, TextSpan]]:
        """The annotations of a span: one for each of its pieces."""
        where = Where(self._path, number)
        self._report.ledger.annotations.read += len(found.pieces)
        quote = found.quote
        made = []
        for place, (start, end) in enumerate(found.pieces):
            id = found.id if len(found.pieces) == 1 else f"{found.id}/{place}"
            if max(start, end) >= 10**_LONG_INT:
                start = end = 10**_LONG_INT - 1
            whole = None if len(found.pieces) > 1 else self._quoted(start, end, quote)
            span = self._spans.span(self._text, start, end, where, line.encode(), whole)
            if span is not None:
                made.append((id, span))
        if len(found.pieces) > 1:
            if quote is not None and len(made) == len(found.pieces):
                held = " ".join(self._text[span.start : span.end] for _, span in made)
                if _NEWLINE.sub(" ", held) != _NEWLINE.sub(" ", quote):
                    account = self._report.ledger.annotations
                    account.rejected += len(made) - 1
                    self._report.reject(
                        codes.QUOTE_MISMATCH,
                        where,
                        line.encode(),
                        start=found.pieces[0][0],
                        end=found.pieces[-1][1],
                        unit="in pieces",
                        held=held[:40],
                        quote=quote[:40],
                        hint="",
                    )
                    return []
            result = f"{len(made)} annotations of one group"
            self._report.add(
                codes.SPELLING_MENDED,
                where,
                found=f"a span of {len(found.pieces)} pieces",
                result=result,
            )
        return made

    def _quoted(self, start: int, end: int, quote: str | None) -> str | None:
        """The quote as it is in the text, where newlines are not spelled as blanks."""
        if quote is None:
            return None
        if self._spans.unit == "codepoint" and 0 <= start < end <= len(self._text):
            held = self._text[start:end]
            if held == quote or _NEWLINE.sub(" ", held) == _NEWLINE.sub(" ", quote):
                return held
        return quote

    def _linked(
        self,
        link: Link,
        pieces: dict[str, list[str]],
        triggers: dict[str, str],
        number: int,
        line: str,
    ) -> Iterator[Relation]:
        """The relations of a line: one, or one between each two neighbours of a list."""
        ends = [triggers.get(end, end) for end in link.ends]
        for place in range(len(ends) - 1):
            self._report.ledger.relations.read += 1
            missing = [end for end in ends[place : place + 2] if not pieces.get(end)]
            if missing:
                self._unused(missing[0], number, line, "relations", counted=True)
                continue
            id = f"*{number}/{place}" if not link.directed else link.id
            one, other = pieces[ends[place]][0], pieces[ends[place + 1]][0]
            yield Relation(id, link.type, one, other, link.directed)

    def _unused(self, id: str, number: int, line: str, kind: str, *, counted: bool = False) -> None:
        where = Where(self._path, number)
        if kind == "relations":
            if not counted:
                self._report.ledger.relations.read += 1
            code = codes.RELATION_END_MISSING
            self._report.reject(code, where, line.encode(), kind, missing=id)
            return
        self._report.ledger.annotations.read += 1
        code = codes.REFERENCE_DANGLING
        values = {"field": "id", "value": id, "known": "spans and events of the file"}
        self._report.reject(code, where, line.encode(), kind, **values)
