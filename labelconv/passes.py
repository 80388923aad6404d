"""Changes between reading and writing: functions from a dataset to a dataset.

A pass keeps the ledger true: what it leaves out because an option asked for it is *skipped*.
"""

from __future__ import annotations

import csv
import difflib
import io
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TypeAlias

import msgspec

from labelconv import codes
from labelconv.errors import OptionError, SourceError
from labelconv.model import Annotation, Category, Dataset, Ontology, Question, Sample, Samples
from labelconv.problems import Report

Pass: TypeAlias = Callable[[Dataset, Report], Dataset]

_HEADERS = (("from", "to"), ("old", "new"), ("source", "target"))


#: In a map of names: what becomes of all names that are not in it; as a new name, the old one.
OTHERS = "*"


def rename_categories(names: Mapping[str, str], *, ignore_case: bool = False) -> Pass:
    """A pass that gives categories new names: several old names with one new name are merged.

    An empty new name leaves the category's annotations out, with the relations that need them;
    both count as skipped. The entry `*` says what becomes of names that are not in the map: `*`
    keeps them, an empty name leaves them out, any other is their new name. Without it, a name that
    is not in the map raises `OptionError` at the end of the iteration, listing all of them; and
    the categories are in the map's order, else in the dataset's.

    Entries that name no category of the dataset are told (`rename-unused`). With `ignore_case`,
    old names are compared without regard to case. Raises `OptionError` when that makes entries
    contradict each other.
    """
    folded = _folded(names) if ignore_case else dict(names)

    def change(dataset: Dataset, report: Report) -> Dataset:
        def samples() -> Iterator[Sample]:
            new = _NewNames(folded, ignore_case=ignore_case)
            for sample in dataset:
                yield _renamed(sample, new, report)
            if new.unmapped:
                raise OptionError(_unmapped(new.unmapped, folded))
            unused = folded.keys() - new.used - {OTHERS}
            if unused:
                known = {category.name for category in dataset.ontology.categories}.union(new)
                own = {name.casefold() for name in known} if ignore_case else known
                for name in sorted(unused - own):
                    near = difflib.get_close_matches(name, known, 1)
                    hint = f"; the nearest is {near[0]!r}" if near else ""
                    report.add(codes.RENAME_UNUSED, name=name, hint=hint)

        def ontology() -> Ontology:
            new = _NewNames(folded, ignore_case=ignore_case)
            return _renamed_ontology(dataset.ontology, new, folded)

        return Samples(samples, ontology, dataset.info)

    return change


class _NewNames(dict[str, str]):
    """New names by old names as they are met; `used` has the entries that were needed."""

    def __init__(self, names: Mapping[str, str], *, ignore_case: bool) -> None:
        super().__init__()
        self._names = names
        self._ignore_case = ignore_case
        self.used: set[str] = set()
        self.unmapped: list[str] = []

    def __missing__(self, name: str) -> str:
        entry = name.casefold() if self._ignore_case else name
        new = self._names.get(entry)
        if new is not None:
            self.used.add(entry)
        else:
            new = self._names.get(OTHERS)
            if new is None:
                self.unmapped.append(name)
            if new is None or new == OTHERS:
                new = name
        self[name] = new
        return new


def _folded(names: Mapping[str, str]) -> dict[str, str]:
    folded: dict[str, str] = {}
    for old, new in names.items():
        if folded.setdefault(old.casefold(), new) != new:
            raise OptionError(
                f"one new name for {old!r} in any case expected, "
                f"{folded[old.casefold()]!r} and {new!r} found"
            )
    return folded


def _unmapped(names: list[str], given: Mapping[str, str]) -> str:
    """The sentence that lists names without an entry, with the entries that are nearest."""
    lines = []
    for name in sorted(names)[:20]:
        near = difflib.get_close_matches(name, given, 1)
        lines.append(f"\n  {name!r}" + (f" (the nearest entry is {near[0]!r})" if near else ""))
    more = f"\n  and {len(names) - 20} more" if len(names) > 20 else ""
    return (
        f"a new name for each category expected, none given for:{''.join(lines)}{more}\n"
        f"Add them, or the entry *,* to keep the names that are not listed"
    )


def read_names(path: str | os.PathLike[str]) -> dict[str, str]:
    """Old name → new name from a YAML mapping, a JSON object or a CSV file of two columns.

    YAML is known by its ending (`.yaml`, `.yml`), JSON by its first character. A CSV file may
    begin with the header `from,to` (or `old,new`, `source,target`). Raises `SourceError` for
    anything else, and for a name that is given two new names.
    """
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise SourceError(
            f"{path}: a YAML, CSV or JSON file of names expected; {reason}"
        ) from error
    if os.fspath(path).lower().endswith((".yaml", ".yml")):
        return _from_yaml(data, os.fspath(path))
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise SourceError(f"{path}: UTF-8 expected; {error}") from error
    if text.lstrip().startswith("{"):
        try:
            return msgspec.json.decode(text, type=dict[str, str])
        except msgspec.DecodeError as error:
            raise SourceError(
                f"{path}: a JSON object of old names and new names expected: {error}"
            ) from None
    return _from_csv(text, os.fspath(path))


def _from_yaml(data: bytes, path: str) -> dict[str, str]:
    from labelconv import yamltext

    found = yamltext.load(data, path)
    try:
        return msgspec.convert(found, dict[str, str])
    except msgspec.ValidationError as error:
        raise SourceError(
            f"{path}: a YAML mapping of old names to new names expected: {error}"
        ) from None


def _from_csv(text: str, path: str) -> dict[str, str]:
    names: dict[str, str] = {}
    for number, row in enumerate(csv.reader(io.StringIO(text)), 1):
        if not any(row):
            continue
        if len(row) != 2 or not row[0]:
            raise SourceError(
                f"{path}:{number}: two columns expected, the old name and the new one; {row} found"
            )
        if number == 1 and tuple(cell.strip().lower() for cell in row) in _HEADERS:
            continue
        old, new = row
        if names.setdefault(old, new) != new:
            raise SourceError(
                f"{path}:{number}: one new name for {old!r} expected, "
                f"{names[old]!r} and {new!r} found"
            )
    return names


def _renamed(sample: Sample, names: _NewNames, report: Report) -> Sample:
    if all(names[annotation.category] == annotation.category for annotation in sample.annotations):
        return sample
    annotations: list[Annotation] = []
    gone: set[str] = set()
    for annotation in sample.annotations:
        name = names[annotation.category]
        if not name:
            gone.add(annotation.id)
        elif name == annotation.category:
            annotations.append(annotation)
        else:
            annotations.append(msgspec.structs.replace(annotation, category=name))
    relations = sample.relations
    if gone:
        report.ledger.annotations.skipped += len(gone)
        relations = tuple(
            each for each in relations if each.source not in gone and each.target not in gone
        )
        report.ledger.relations.skipped += len(sample.relations) - len(relations)
    return msgspec.structs.replace(sample, annotations=tuple(annotations), relations=relations)


def _renamed_ontology(ontology: Ontology, names: _NewNames, given: Mapping[str, str]) -> Ontology:
    named = [
        msgspec.structs.replace(category, name=name)
        for category in ontology.categories
        if (name := names[category.name])
    ]
    categories = merged_categories(named)
    if OTHERS not in given:
        order = {name: number for number, name in reversed(list(enumerate(given.values())))}
        categories = tuple(
            sorted(categories, key=lambda category: order.get(category.name, len(order)))
        )
    return Ontology(categories=categories, questions=ontology.questions)


def merged_categories(categories: list[Category]) -> tuple[Category, ...]:
    """The categories with those of one name joined, in order of first appearance.

    The first one's source id, skeleton and extra fields stay; a source id that another category
    has already is dropped. Keypoint names and questions are united.
    """
    merged: dict[str, Category] = {}
    ids: set[int | str] = set()
    for category in categories:
        first = merged.get(category.name)
        if first is None:
            if category.source_id in ids:
                category = msgspec.structs.replace(category, source_id=None)
            elif category.source_id is not None:
                ids.add(category.source_id)
            merged[category.name] = category
            continue
        merged[category.name] = msgspec.structs.replace(
            first,
            keypoints=tuple(dict.fromkeys((*first.keypoints, *category.keypoints))),
            # Its pairs count the first one's keypoints, which stay in front.
            skeleton=first.skeleton if first.keypoints else category.skeleton,
            questions=merged_questions((*first.questions, *category.questions)),
        )
    return tuple(merged.values())


def merged_questions(questions: tuple[Question, ...]) -> tuple[Question, ...]:
    """The questions with those of one name joined: their options are united."""
    merged: dict[str, Question] = {}
    for question in questions:
        first = merged.setdefault(question.name, question)
        if first is question:
            continue
        options = {option.name: option for option in first.options}
        for option in question.options:
            same = options.get(option.name)
            below = option.questions if same is None else (*same.questions, *option.questions)
            options[option.name] = msgspec.structs.replace(
                option, questions=merged_questions(below)
            )
        merged[question.name] = msgspec.structs.replace(
            first,
            options=tuple(options.values()),
            per_frame=first.per_frame or question.per_frame,
        )
    return tuple(merged.values())
