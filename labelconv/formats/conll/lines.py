"""Lines of CoNLL files as sentences: columns, comments, blanks between tokens."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

import msgspec

from labelconv.format import Evidence
from labelconv.io import Source, skip_mark
from labelconv.jsonstream import UNDECODABLE
from labelconv.problems import Report, Where

_TAG = re.compile(r"(?:[BILUESM]-\S+|O|_|-|\(\S*?\*?\)?|\*\)?)$")
_COMMENT = re.compile(r"#\s*(?:newdoc|newpar|(?:begin|end) document|[\w.:\[\]-]+\s*=(?:\s|$))")
#: The document and the part of it that begins, in CoNLL-2012.
_BEGINS = re.compile(r"begin document(?: *\((.*)\); *part +(\d+))?")
#: What a comment is called; other comments are sentences.
_FIELD = re.compile(r"[\w.:\[\]-]{1,60}")
_DOCSTART = re.compile(r"-DOCSTART-(?=[\s|]|$)")
_UNIVERSAL = re.compile(r"[0-9]{1,9}(?:[-.][0-9]{1,9})?$")
#: How UDPipe spells blanks in SpacesAfter.
_BLANKS = {"\\s": " ", "\\t": "\t", "\\r": "\r", "\\n": "\n", "\\p": "|", "\\\\": "\\"}


class Sentence(msgspec.Struct):
    """Tokens, the blanks behind each (None where the source does not say), and their tags.

    `number` is the line of its first token or comment, `lines` its bytes. `starts` says that a new
    document begins here, `id` what it is called. `text` is the source's own.
    """

    number: int
    words: list[str] = []
    spaces: list[str | None] = []
    tags: list[str | None] = []
    starts: bool = False
    id: str | None = None
    text: str | None = None
    lines: list[bytes] = []
    fault: tuple[str, str, int] | None = None
    fields: dict[str, int] = {}


def columns_of(line: str) -> list[str]:
    """The columns of a line: between tabs if there are any, else between blanks.

    Other white space (a no-break space) is part of a token.
    """
    if "\t" in line:
        return line.split("\t")
    return line.split() if line.isascii() else [cell for cell in line.split(" ") if cell]


class Layout(msgspec.Struct):
    """How the lines of a file are laid out, found out from its first lines.

    `count` is the number of columns; where it is `varied`, each sentence has its own, as in
    CoNLL-2012, which has a column for each predicate. `token` and `tags` are the indexes of the
    columns of tokens and tags.
    """

    kind: str  # "columns", "untagged" (no tags in the last of them), "universal" or "piped"
    count: int = 0
    varied: bool = False
    token: int = 0
    tags: int = -1


#: Of the first rows, how many have to be of one kind: for the reader, and to tell the format.
MOST, NEARLY_ALL = 0.51, 0.9


def layout(head: bytes, least: float) -> Layout | None:
    """The layout that `least` of the rows have (a share), or all but one; None if there is none."""
    counts: Counter[int] = Counter()
    sentence: list[int] = []  # the columns of the rows of a sentence
    whole: Counter[int] = Counter()  # rows of sentences whose rows are alike, by their columns
    widths: list[int] = []  # the columns of each such sentence
    tagged = seen = universal = piped = 0
    place = numbered = predicates = words = 0  # `words`: rows that cannot be comments
    text = head.decode("utf-8", "replace").removeprefix("\ufeff")
    lines = text.split("\n")
    for line in (*(lines[:-1] if len(lines) > 1 else lines), ""):
        line = line.rstrip("\r")
        if not line.strip() or _DOCSTART.match(line):
            if len(sentence) > 1 and len({*sentence}) == 1:
                whole[sentence[0]] += len(sentence)
                widths.append(sentence[0])
            sentence = []
            place = 0
            continue
        if _COMMENT.match(line):
            continue
        cells = columns_of(line)
        seen += 1
        counts[len(cells)] += 1
        sentence.append(len(cells))
        if place or line[0] != "#":
            place += 1
            words += 1
            numbered += len(cells) > 2 and cells[0] == str(place)
            predicates += len(cells) > 10 and cells[2] == str(place - 1)
        universal += "\t" in line and _is_universal(cells)
        piped += "\t" not in line and all(_piped(part) for part in line.split())
        tagged += len(cells) > 1 and _TAG.match(cells[-1]) is not None
        if seen == 500:
            break

    def mostly(count: int) -> bool:
        return count >= least * seen or seen - 1 == count > 2

    if not seen:
        return None
    if mostly(universal):
        return Layout("universal", 10)
    if mostly(piped):
        return Layout("piped")
    if predicates and predicates >= NEARLY_ALL * words:
        return Layout("columns", 12, varied=True, token=3, tags=10)
    most, rows = counts.most_common(1)[0]
    kind = "columns" if mostly(tagged) else "untagged"
    alike = whole.total() - whole[most]
    several = len(widths) - widths.count(most) > 1
    if most > 1 and several and alike > seen - rows - alike and kind == "columns":
        return Layout(kind, most, varied=True)
    token = int(numbered > 0 and numbered >= NEARLY_ALL * words)
    return Layout(kind, most, token=token) if most > 1 and mostly(rows) else None


def _is_universal(cells: list[str]) -> bool:
    """Whether a row is a word of CoNLL-U: an id first, and a part of speech, which is no number."""
    return len(cells) >= 10 and bool(_UNIVERSAL.match(cells[0])) and not cells[3].isdecimal()


def _piped(part: str) -> bool:
    word, bar, tag = part.rpartition("|")
    return bool(bar) and bool(word) and _TAG.match(tag) is not None


def evidence(head: bytes) -> Evidence:
    """What the first lines say about the format."""
    found = layout(head, NEARLY_ALL)
    if found is None or found.kind == "untagged":
        return Evidence(0, "no lines of tokens with tags")
    if found.kind == "universal":
        return Evidence(3, "lines of ten columns with ids (CoNLL-U)")
    if found.kind == "piped":
        return Evidence(2, "words with tags behind bars")
    if found.tags > 0:
        return Evidence(3, "lines of columns as CoNLL-2012 has them")
    return Evidence(2, f"lines of {found.count} columns, tags in the last")


def sentences(
    source: Source, found: Layout, column: str, token: int | None, report: Report
) -> Iterator[Sentence]:
    """The sentences of a file, in order, in bounded memory."""
    reader = _Reader(found, column, token)
    with source.open() as file:
        if skip_mark(file, source.name):
            from labelconv import codes

            report.add(codes.ENCODING_MARK, Where(path=source.name))
        for number, raw in enumerate(file, 1):
            try:
                line = raw.decode("utf-8").removesuffix("\n").removesuffix("\r")
            except UnicodeDecodeError as error:
                reader.broken(number, raw, "UTF-8", f"byte 0x{raw[error.start]:02x}")
                continue
            sentence = reader.line(number, raw, line)
            if sentence is not None:
                yield sentence
        last = reader.end()
        if last is not None:
            yield last


class _Reader:
    def __init__(self, found: Layout, column: str, token: int | None) -> None:
        self._layout = found
        self._universal = found.kind == "universal"
        self._column = column
        self._token = token or (2 if self._universal else found.token + 1)
        self._now = Sentence(0)
        self._starts = False
        self._id: str | None = None
        self._covered = 0  # words of CoNLL-U that a range has given the characters of
        self._width = found.count  # columns that rows of the sentence have

    def broken(self, number: int, raw: bytes, expected: str, found: str) -> None:
        self._begin(number, raw)
        if self._now.fault is None:
            self._now.fault = (expected, found, number)

    def _begin(self, number: int, raw: bytes) -> Sentence:
        if not self._now.lines:
            self._now = Sentence(
                number,
                words=[],
                spaces=[],
                tags=[],
                lines=[],
                fields={},
                starts=self._starts,
                id=self._id,
            )
            self._starts, self._id = False, None
        self._now.lines.append(raw)
        return self._now

    def line(self, number: int, raw: bytes, line: str) -> Sentence | None:
        """Take in a line; the sentence that it ends."""
        if not line.strip():
            return self.end()
        if _DOCSTART.match(line):
            ended = self.end()
            self._starts = True
            return ended
        if line[0] == "#" and self._is_comment(line):
            self._comment(self._begin(number, raw), line)
            return None
        sentence = self._begin(number, raw)
        if self._layout.kind == "piped":
            for part in line.split(" "):
                if part:
                    self._add_piped(sentence, part, number)
            return self.end()
        cells = columns_of(line)
        if self._universal:
            self._add_universal(sentence, cells, number)
            return None
        if self._layout.varied and not sentence.words:
            self._width = len(cells)
        if len(cells) != self._width or self._token > len(cells):
            expected = f"a token and its tags in {self._width} columns"
            self.broken(number, b"", expected, f"{len(cells)} columns")
        else:
            self._add(sentence, cells[self._token - 1], cells, number)
        return None

    def _add_piped(self, sentence: Sentence, part: str, number: int) -> None:
        cells = part.split("|")
        if part.startswith("|"):  # the token itself is a bar
            cells = ["|", *part.lstrip("|").split("|")]
        if len(cells) < 2 or not cells[0]:
            self.broken(number, b"", "a token, a bar and its tag", repr(part[:40]))
        else:
            self._add(sentence, cells[0], cells, number)

    def _is_comment(self, line: str) -> bool:
        if _COMMENT.match(line) or self._universal:
            return True
        return not self._now.words and len(columns_of(line)) != self._layout.count

    def _comment(self, sentence: Sentence, line: str) -> None:
        name, sign, value = line[1:].partition("=")
        name = name.strip()
        if name.startswith("newdoc"):
            sentence.starts = True
        elif begins := _BEGINS.match(name):
            sentence.starts = True
            sentence.id = "/".join(part for part in begins.groups() if part) or None
            return
        elif name not in ("text", "text_json"):
            self._count(sentence, name if sign and _FIELD.fullmatch(name) else "comments")
            return
        value = value.removeprefix(" ")
        if name.endswith("_json"):
            try:
                value = msgspec.json.decode(value, type=str)
            except UNDECODABLE:
                self.broken(sentence.number, b"", f"a JSON text behind {name}", repr(value[:30]))
                return
        if name.startswith("text"):
            sentence.text = value
        elif sign:
            sentence.id = value

    @staticmethod
    def _count(sentence: Sentence, name: str) -> None:
        sentence.fields[name] = sentence.fields.get(name, 0) + 1

    def _add(self, sentence: Sentence, word: str, cells: list[str], number: int) -> None:
        column: int | None
        if self._column == "auto":
            column = self._layout.tags
        else:
            column = -1 if self._column == "last" else self._chosen(cells, number)
        if column is None:
            return
        if len(cells) > 2:
            self._count(sentence, _BESIDE)
        sentence.words.append(word)
        sentence.tags.append(cells[column])
        sentence.spaces.append(None)

    def _chosen(self, cells: list[str], number: int) -> int | None:
        """The index of the column that the option names by number; None where it is not there."""
        if self._column.isdecimal() and 0 < int(self._column) <= len(cells):
            return int(self._column) - 1
        self.broken(number, b"", f"a column {self._column}", f"{len(cells)} columns")
        return None

    def _add_universal(self, sentence: Sentence, cells: list[str], number: int) -> None:
        """A word of CoNLL-U: ranges (`3-4`) give the characters, their words the tags."""
        if len(cells) < 10 or not _UNIVERSAL.match(cells[0]):
            self.broken(number, b"", "ten columns, the first an id", f"{len(cells)} columns")
            return
        if "." in cells[0]:
            self._count(sentence, "empty nodes")
            return
        features = dict(each.partition("=")[::2] for each in cells[9].split("|"))
        space = _space(features)
        if self._token > len(cells):
            self.broken(number, b"", f"a column {self._token}", f"{len(cells)} columns")
            return
        if "-" in cells[0]:
            first, _, last = cells[0].partition("-")
            if int(last) < int(first):
                self.broken(number, b"", "a range of ids that rises", cells[0])
                return
            self._covered = int(last) - int(first) + 1
            sentence.words.append(cells[self._token - 1])
            sentence.tags.append(None)
            sentence.spaces.append(space)
            return
        if self._column.isdecimal():
            column = self._chosen(cells, number)
            if column is None:
                return
            tag: str | None = cells[column]
        else:
            tag = self._tag(features, cells)
        self._count(sentence, _BESIDE)
        if self._covered:
            self._covered -= 1
            held = sentence.tags[-1]
            if held in _NO_TAG:
                sentence.tags[-1] = tag
            elif tag not in _NO_TAG and tag is not None and tag[2:] != str(held)[2:]:
                self._count(sentence, "tags of words within a token")
            return
        sentence.words.append(cells[self._token - 1])
        sentence.tags.append(tag)
        sentence.spaces.append(space)

    def _tag(self, features: dict[str, str], cells: list[str]) -> str | None:
        if self._column == "last":
            return cells[-1]
        if self._column != "auto":
            return features.get(self._column)
        if len(cells) > 10:
            return cells[-1]
        return next((features[name] for name in _FEATURES if name in features), None)

    def end(self) -> Sentence | None:
        """The sentence so far, if there is one."""
        sentence, self._now = self._now, Sentence(0)
        self._covered = 0
        return sentence if sentence.lines else None


#: What rows have that is neither token nor tag, as it is counted.
_BESIDE = "rows with columns beside token and tag"
_NO_TAG = (None, "O", "_")
#: Where named entities stand in the last column of CoNLL-U.
_FEATURES = ("NE", "NER", "ner", "ne", "Entity", "NamedEntity")


def _space(features: dict[str, Any]) -> str | None:
    if "SpacesAfter" in features:
        return re.sub(
            r"\\.", lambda found: _BLANKS.get(found[0], found[0]), features["SpacesAfter"]
        )
    return "" if features.get("SpaceAfter") == "No" else None
