"""What the data needs of a Labelbox project, and what a project's ontology lacks for it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from labelconv import codes, registry
from labelconv.errors import SourceError
from labelconv.fit import fit
from labelconv.format import Wanted
from labelconv.io import UTF8_MARK, Source
from labelconv.labelbox.constraints import missing_pairs, pairs_of, unconstrained
from labelconv.labelbox.ontology import ontology_for
from labelconv.model import Sample
from labelconv.options import build
from labelconv.passes import read_names, rename_categories
from labelconv.problems import Report, Where
from labelconv.reading import media_files, read_sources
from labelconv.schema import nearest
from labelconv.several import matching

Path_ = str | os.PathLike[str]


def needed_ontology(
    sources: Sequence[Path_],
    format: str | None = None,
    *,
    options: Mapping[str, Any] | None = None,
    writer_options: Mapping[str, Any] | None = None,
    rename: Path_ | Mapping[str, str] | None = None,
    ignore_case: bool = False,
    media: Path_ | None = None,
    constraints: bool = False,
    report: Report | None = None,
) -> dict[str, Any]:
    """The normalized ontology that the data of all sources needs, as it is written for Labelbox.

    What Labelbox cannot hold is left out, as `convert` would with these `writer_options` of the
    labelbox format. With `constraints`, tools for relations list the pairs of features that the
    data has, and no other can be drawn or imported; without, they may join any, which is noted
    (`edge-unconstrained`). Problems of reading go into `report`. Raises `SourceError`,
    `UnknownFormatError` or `OptionError`.
    """
    report = Report() if report is None else report
    target = registry.get("labelbox")
    settings = build(target.writer_options, writer_options, target.name)
    names = rename if rename is None or isinstance(rename, Mapping) else read_names(rename)
    wanted = Wanted(pieces=True, extra=frozenset())
    found = [name for source in sources for name in matching(source)]

    def samples() -> Iterator[Sample]:
        for name in found:
            files, own = media_files(media, options)
            given = [Source(name)]
            dataset = read_sources(given, format, own, None, None, report, wanted, files)
            if names is not None:
                dataset = rename_categories(names, ignore_case=ignore_case)(dataset, report)
            # What is lost on the way is told by `check --to labelbox` and by `convert`.
            yield from fit(dataset, target, settings, Report())

    made = ontology_for(samples(), report)
    return made if constraints else unconstrained(made, report)


def read_normalized(path: Path_) -> dict[str, Any]:
    """A project's normalized ontology. Raises `SourceError` for what is none."""
    from labelconv import schema

    with Source(path).open() as file:
        data = file.read().removeprefix(UTF8_MARK)
    try:
        found = msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise SourceError(f"{path}: JSON expected: {error}") from error
    faults = schema.errors("labelbox-ontology", found)
    if faults or not isinstance(found, dict):
        raise SourceError(f"{path}: a normalized Labelbox ontology expected: {faults[0]}")
    return found


class Surplus(msgspec.Struct, frozen=True):
    """Something of a project's ontology that the data makes no use of."""

    pointer: str
    what: str


def lacking(
    needed: Mapping[str, Any], given: Mapping[str, Any], path: Path_, report: Report
) -> list[Surplus]:
    """Report what `given` lacks for data that needs `needed`; return what the data does not use.

    Both are normalized ontologies. Names are compared exactly: tools by name, questions by
    `instructions` (or `name`), options by label. A missing name is told with the nearest there is.
    What `given` has archived cannot be imported, and is lacking. Where both list what a relation
    joins, missing pairs are told and others returned.
    """
    comparison = _Comparison(os.fspath(path), report)
    tools = given.get("tools") or []
    comparison.tools(needed.get("tools") or [], tools)
    comparison.relations(needed, given)
    asked = given.get("classifications") or []
    comparison.questions(needed.get("classifications") or [], asked, "/classifications", None)
    return comparison.surplus


class _Comparison:
    """One comparison; pointers are into the given ontology."""

    def __init__(self, path: str, report: Report) -> None:
        self._path = path
        self._report = report
        self.surplus: list[Surplus] = []

    def tools(self, needed: list[Any], given: list[Any]) -> None:
        # Of several tools of one name, the one of the needed kind.
        kinds = {tool["name"]: tool["tool"] for tool in needed}
        places = {id(tool): place for place, tool in _active(given)}
        active = [tool for _, tool in _active(given)]
        ranked = sorted(active, key=lambda tool: _alike(kinds.get(tool["name"], ""), tool["tool"]))
        known = {tool["name"]: (places[id(tool)], tool) for tool in ranked}
        for tool in needed:
            name = tool["name"]
            if name not in known:
                self._unknown(name, _hint(name, known, given), "/tools")
                continue
            place, found = known.pop(name)
            del places[id(found)]
            at = f"/tools/{place}"
            if not _alike(tool["tool"], found["tool"]):
                values = {"name": name, "expected": f"{found['tool']} tool", "found": tool["tool"]}
                self._report.add(codes.KIND_WRONG, self._place(f"{at}/tool"), **values)
            below = found.get("classifications") or []
            self.questions(tool["classifications"], below, f"{at}/classifications", name)
        for place in places.values():
            tool = given[place]
            self.surplus.append(Surplus(f"/tools/{place}", f"{tool['tool']} tool {tool['name']!r}"))

    def relations(self, needed: Mapping[str, Any], given: Mapping[str, Any]) -> None:
        wanted, listed = pairs_of(needed), pairs_of(given)
        for name, (place, allowed) in listed.items():
            if name not in wanted:
                continue
            at = f"/tools/{place}/definition/constraints"
            for source, target in missing_pairs(wanted[name][1], allowed).values():
                values = {"name": name, "source": source, "target": target, "hint": ""}
                self._report.add(codes.RELATION_NOT_ALLOWED, self._place(at), **values)
            for number, (source, target) in missing_pairs(allowed, wanted[name][1]).items():
                what = f"relation {name!r} from {source!r} to {target!r}"
                self.surplus.append(Surplus(f"{at}/{number}", what))

    def questions(
        self, needed: list[Any], given: list[Any], pointer: str, parent: str | None
    ) -> None:
        known = {_text(each): (place, each) for place, each in _active(given)}
        for question in needed:
            name = _text(question)
            if name not in known:
                hint = _hint(name, known, given)
                if parent is None:
                    self._unknown(name, hint, pointer)
                else:
                    values = {"name": name, "parent": parent, "hint": hint}
                    self._report.add(codes.NESTING_WRONG, self._place(pointer), **values)
                continue
            place, found = known.pop(name)
            self._question(question, found, f"{pointer}/{place}")
        for name, (place, question) in known.items():
            what = f"{question['type']} question {name!r}"
            if parent is not None:
                what += f" of {parent!r}"
            self.surplus.append(Surplus(f"{pointer}/{place}", what))

    def _question(self, needed: Any, given: Any, at: str) -> None:
        name = _text(needed)
        if needed["type"] != given["type"]:
            values = {
                "name": name,
                "expected": f"{given['type']} question",
                "found": needed["type"],
            }
            self._report.add(codes.KIND_WRONG, self._place(f"{at}/type"), **values)
            return
        scopes = needed.get("scope"), given.get("scope")
        if None not in scopes and scopes[0] != scopes[1]:
            values = {"name": name, "expected": scopes[1], "found": scopes[0]}
            self._report.add(codes.SCOPE_WRONG, self._place(f"{at}/scope"), **values)
        options = given.get("options") or []
        known = {_text(each): (place, each) for place, each in _active(options)}
        for option in needed["options"]:
            label = option["label"]
            if label not in known:
                hint = _hint(label, known, options)
                values = {"name": label, "question": name, "hint": hint}
                self._report.add(codes.OPTION_UNKNOWN, self._place(f"{at}/options"), **values)
                continue
            place, found = known.pop(label)
            below = f"{at}/options/{place}/options"
            self.questions(option["options"], found.get("options") or [], below, label)
        for label, (place, _) in known.items():
            what = f"option {label!r} of {name!r}"
            self.surplus.append(Surplus(f"{at}/options/{place}", what))

    def _unknown(self, name: str, hint: str, pointer: str) -> None:
        values = {"name": name, "hint": hint}
        self._report.add(codes.FEATURE_UNKNOWN, self._place(pointer), **values)

    def _place(self, pointer: str) -> Where:
        return Where(path=self._path, pointer=pointer)


def _alike(needed: str, given: str) -> bool:
    masks = ("raster-segmentation", "superpixel")
    return needed == given or (needed in masks and given in masks)


def _active(given: list[Any]) -> Iterator[tuple[int, Any]]:
    """What is not archived, with its place."""
    return ((place, each) for place, each in enumerate(given) if not each.get("archived"))


def _text(feature: Any) -> str:
    """The text that lines use: an option's label, or the instructions, else the name."""
    if "label" in feature:
        return str(feature["label"])  # the SDK makes options of numbers, too
    return str(feature.get("instructions") or feature.get("name") or "")


def _hint(name: str, known: Iterable[str], given: list[Any]) -> str:
    if any(each.get("archived") and _text(each) == name for each in given):
        return "; it is archived there"
    near = nearest(name, known)
    return "" if near is None else f"; did you mean {near!r}?"


def as_json(ontology: Mapping[str, Any]) -> bytes:
    """The ontology as a file has it."""
    return msgspec.json.format(msgspec.json.encode(ontology), indent=1) + b"\n"


def write_ontology(ontology: Mapping[str, Any], path: Path_) -> None:
    """Write the ontology whole or not at all. Raises `TargetError`."""
    from labelconv.targets import write_beside

    write_beside(Path(path), as_json(ontology))


__all__ = [
    "Surplus",
    "as_json",
    "lacking",
    "needed_ontology",
    "read_normalized",
    "write_ontology",
]
