"""Writes brat standoff: for each text a `.txt` file, byte for byte, and an `.ann` file."""

from __future__ import annotations

import re
from pathlib import Path

from labelconv import codes
from labelconv.format import NoOptions
from labelconv.model import Annotation, Dataset, Radio, Sample, Text, TextSpan
from labelconv.problems import Report

_NEWLINE = re.compile(r"[\r\n]")
_OWN_ID = re.compile(r"T\d+$")


def write(dataset: Dataset, target: Path, options: NoOptions, report: Report) -> None:
    """Write two files for each text; keys with `/` are in folders of their own."""
    target.mkdir()
    renamed = count = 0
    for sample in dataset:
        assert isinstance(sample.media, Text)
        path = target / f"{sample.key}.txt"
        if "/" in sample.key:
            path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes((sample.media.content or "").encode("utf-8", "surrogatepass"))
        lines, anew = _lines(sample)
        renamed += anew
        beside = target / f"{sample.key}.ann"
        beside.write_bytes("".join(f"{line}\n" for line in lines).encode("utf-8", "surrogatepass"))
        count += 1
    if renamed:
        reason = "brat's are T and a number"
        report.add(codes.IDS_CHANGED, count=renamed, reason=reason)
    report.ledger.written["texts"] = count


def _lines(sample: Sample) -> tuple[list[str], int]:
    """The lines of the `.ann` file, and how many ids are made anew."""
    assert isinstance(sample.media, Text)
    text = sample.media.content or ""
    groups = _groups(sample.annotations)
    ids = [str(group[0].extra.get("brat:group", group[0].id)) for group in groups]
    if len(set(ids)) < len(ids) or not all(map(_OWN_ID.match, ids)):
        ids = [f"T{number}" for number in range(1, len(groups) + 1)]
    names: dict[str, str] = {}
    spans: list[str] = []
    beside: list[str] = []
    attributes = notes = norms = 0
    for id, group in zip(ids, groups, strict=True):
        first = group[0]
        names.update((annotation.id, id) for annotation in group)
        values = [each.value for each in group if isinstance(each.value, TextSpan)]
        places = ";".join(f"{value.start} {value.end}" for value in values)
        quote = " ".join(text[value.start : value.end] for value in values)
        spans.append(f"{id}\t{first.category} {places}\t{_NEWLINE.sub(' ', quote)}")
        for answer in first.classifications:
            attributes += 1
            assert isinstance(answer.answer, Radio)
            value = "" if answer.answer.name == "true" else f" {answer.answer.name}"
            beside.append(f"A{attributes}\t{answer.name} {id}{value}")
        for note in first.extra.get("brat:notes", ()):
            notes += 1
            kind, _, words = str(note).partition(" ")
            beside.append(f"#{notes}\t{kind} {id}\t{_NEWLINE.sub(' ', words)}")
        for norm in first.extra.get("brat:normalizations", ()):
            norms += 1
            kind, reference, named = [*str(norm).split(" ", 2), "", ""][:3]
            beside.append(f"N{norms}\t{kind} {id} {reference}\t{_NEWLINE.sub(' ', named)}")
    relations = []
    for number, relation in enumerate(sample.relations, 1):
        one, other = names[relation.source], names[relation.target]
        relations.append(
            f"R{number}\t{relation.category} Arg1:{one} Arg2:{other}"
            if relation.directed
            else f"*\t{relation.category} {one} {other}"
        )
    anew = sum(1 for id, name in names.items() if id.partition("/")[0] != name)
    return [*spans, *relations, *beside], anew


def _groups(annotations: tuple[Annotation, ...]) -> list[list[Annotation]]:
    """Annotations one by one, but the pieces of what was one span together."""
    groups: list[list[Annotation]] = []
    open_: dict[tuple[str, str], list[Annotation]] = {}
    for annotation in annotations:
        name = annotation.extra.get("brat:group")
        if not isinstance(name, str):
            groups.append([annotation])
            continue
        mark = (name, annotation.category)
        if mark in open_:
            open_[mark].append(annotation)
        else:
            open_[mark] = [annotation]
            groups.append(open_[mark])
    return groups
