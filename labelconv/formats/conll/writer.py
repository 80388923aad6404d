"""Writes a token a line with its tag; comments keep what lines cannot say."""

from __future__ import annotations

from pathlib import Path

import msgspec

from labelconv.formats.conll.options import ConllWriterOptions
from labelconv.model import Dataset, Sample, Text, TextSpan
from labelconv.problems import Report
from labelconv.tags import biluo, iob2
from labelconv.tokens import Tokenizer, tokenizer


def write(dataset: Dataset, target: Path, options: ConllWriterOptions, report: Report) -> None:
    """Write the texts one after the other, a blank line after each."""
    cut = tokenizer(options.language)
    count = 0
    with target.open("w", encoding="utf-8", errors="surrogatepass", newline="\n") as file:
        for sample in dataset:
            file.write(_block(sample, options, cut))
            count += 1
    if count and not options.comments:
        report.field("conll:key", count)
        report.field("conll:blanks of texts", count)
    report.ledger.written["texts"] = count


def _block(sample: Sample, options: ConllWriterOptions, cut: Tokenizer) -> str:
    assert isinstance(sample.media, Text)
    text = sample.media.content or ""
    spans = [(each.category, each.value) for each in sample.annotations]
    borders = [
        edge
        for _, value in spans
        if isinstance(value, TextSpan)
        for edge in (value.start, value.end)
    ]
    places = [place for place in cut(text, borders) if not text[place[0] : place[1]].isspace()]
    firsts = {start: number for number, (start, _) in enumerate(places)}
    lasts = {end: number + 1 for number, (_, end) in enumerate(places)}
    entities = [
        (firsts[value.start], lasts[value.end], label)
        for label, value in spans
        if isinstance(value, TextSpan)
    ]
    if options.scheme == "iob2":
        tags = iob2(len(places), entities)
    else:
        tags = biluo(len(places), entities, "BIES" if options.scheme == "bioes" else "BILU")
    lines = [f"{text[a:b]}\t{tag}" for (a, b), tag in zip(places, tags, strict=True)]
    if options.comments:
        head = [_comment("newdoc id", sample.key), _comment("text", text)]
    else:
        head = ["-DOCSTART-\tO", ""]
    return "\n".join([*head, *lines, "", ""])


def _comment(name: str, value: str) -> str:
    """A comment; what is no plain line is spelled as JSON."""
    if value.isprintable() and value.strip() == value and value:
        return f"# {name} = {value}"
    return f"# {name}_json = {_escaped(value)}"


def _escaped(value: str) -> str:
    """JSON in which every character that might end a line is escaped."""
    text = msgspec.json.encode(value).decode()
    return "".join(
        each if each.isprintable() else "".join(f"\\u{unit:04x}" for unit in _units(each))
        for each in text
    )


def _units(character: str) -> list[int]:
    data = character.encode("utf-16-be", "surrogatepass")
    return [int.from_bytes(data[at : at + 2]) for at in range(0, len(data), 2)]
