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
from labelconv.errors import SourceError
from labelconv.model import Annotation, Category, Dataset, Ontology, Question, Sample, Samples
from labelconv.problems import Report

Pass: TypeAlias = Callable[[Dataset, Report], Dataset]

_HEADERS = (("from", "to"), ("old", "new"), ("source", "target"))


def rename_categories(names: Mapping[str, str]) -> Pass:
    """A pass that gives categories new names: several old names with one new name are merged.

    Names that are not in `names` stay. An empty new name leaves the category's annotations out,
    with the relations that need them; both count as skipped. Entries that name no category of the
    dataset are told at the end of the iteration (`rename-unused`).
    """

    def change(dataset: Dataset, report: Report) -> Dataset:
        def samples() -> Iterator[Sample]:
            met: set[str] = set()
            for sample in dataset:
                met.update(annotation.category for annotation in sample.annotations)
                yield _renamed(sample, names, report)
            unused = names.keys() - met
            if unused:
                known = met.union(category.name for category in dataset.ontology.categories)
                for name in sorted(unused - known):
                    near = difflib.get_close_matches(name, known, 1)
                    hint = f"; the nearest is {near[0]!r}" if near else ""
                    report.add(codes.RENAME_UNUSED, name=name, hint=hint)

        return Samples(samples, lambda: _renamed_ontology(dataset.ontology, names), dataset.info)

    return change


def read_names(path: str | os.PathLike[str]) -> dict[str, str]:
    """Old name → new name from a JSON object or from a CSV file of two columns.

    A CSV file may begin with the header `from,to` (or `old,new`, `source,target`). Raises
    `SourceError` for anything else, and for a name that is given two new names.
    """
    try:
        text = Path(path).read_bytes().decode("utf-8-sig")
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise SourceError(f"{path}: a CSV or JSON file of names expected; {reason}") from error
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


def _renamed(sample: Sample, names: Mapping[str, str], report: Report) -> Sample:
    if not any(annotation.category in names for annotation in sample.annotations):
        return sample
    annotations: list[Annotation] = []
    gone: set[str] = set()
    for annotation in sample.annotations:
        name = names.get(annotation.category, annotation.category)
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


def _renamed_ontology(ontology: Ontology, names: Mapping[str, str]) -> Ontology:
    named = [
        msgspec.structs.replace(category, name=name)
        for category in ontology.categories
        if (name := names.get(category.name, category.name))
    ]
    return Ontology(categories=merged_categories(named), questions=ontology.questions)


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
