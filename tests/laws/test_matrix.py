"""Every pair of formats: nothing is invented, and what is missing is in the ledger.

For each kind of media one rich dataset goes into each format that can be read, and from there into
each that can be written. Each annotation has a category of its own, so that what arrives can be
traced. A format that can only be read starts from its fixtures. A new format is in the matrix by
being installed; a new kind of media by its line in `RICH`.
"""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import msgspec
import pytest
from rich_data import RICH

import labelconv as lc
from labelconv import geometry, registry
from labelconv.format import Format, Holds
from labelconv.model import (
    Annotation,
    Box,
    Checklist,
    Classification,
    FreeText,
    Keypoints,
    OrientedBox,
    Point,
    Radio,
    Sample,
)
from labelconv.problems import Report
from labelconv.spelling import as_path, spelled

FIXTURES = Path(__file__).parents[1] / "fixtures"
FORMATS = registry.all_formats()
ROWS = ("annotations", "classifications", "relations")


def held(format: Format, media: type[Any]) -> Holds | None:
    """What a format says it holds of a kind of media, with its usual options."""
    return format.holds_of(media, format.writer_options())


PAIRS = [
    pytest.param(media, source, target, id=f"{media.__name__}-from-{source.name}-to-{target.name}")
    for media in RICH
    for source in FORMATS
    for target in FORMATS
    if source.read and target.write and held(source, media) and held(target, media)
]


def path_of(folder: Path, format: Format) -> Path:
    folder.mkdir()
    return folder / f"data{format.extensions[0] if format.extensions else ''}"


def counted(samples: list[Sample], row: str) -> int:
    return sum(len(getattr(sample, row)) for sample in samples)


def started(source: Format, media: type[Any], folder: Path) -> tuple[Path, dict[str, Any]]:
    """The rich dataset in a format, and the options that read it."""
    start = path_of(folder / "in", source)
    if source.write is None:
        return _fixture(source, media)
    lc.write(RICH[media], start, source.name, allow=["loss"])
    table = folder / "sizes.csv"
    sizes = [
        f"{sample.key},{sample.media.width:g},{sample.media.height:g}\n"  # type: ignore[union-attr]
        for sample in RICH[media]
        if getattr(sample.media, "width", None)
    ]
    table.write_text("".join(sizes), encoding="utf-8")
    return start, {"sizes": str(table)} if sizes else {}


def _fixture(source: Format, media: type[Any]) -> tuple[Path, dict[str, Any]]:
    """The fixture of a format from which most is read, of those that have this media alone."""
    most, case = 0, FIXTURES / source.name
    for path in sorted((FIXTURES / source.name).glob("*/expect.ndjson")):
        samples = list(lc.read(path, "native"))
        number = counted(samples, "annotations")
        if number > most and all(isinstance(sample.media, media) for sample in samples):
            most, case = number, path.parent
    assert most, f"a fixture of {source.name} with annotations on {media.__name__} is needed"
    told = case / "options.json"
    settings = json.loads(told.read_text(encoding="utf-8")) if told.exists() else {}
    inside = case / "input"
    options = {
        name: value.replace("{input}", str(inside)) if isinstance(value, str) else value
        for name, value in settings.get("options", {}).items()
    }
    named = settings.get("source")
    return inside / named if named else next(inside.iterdir()), options


@pytest.mark.parametrize(("media", "source", "target"), PAIRS)
def test_nothing_is_invented_and_what_is_missing_is_in_the_ledger(
    media: type[Any], source: Format, target: Format, tmp_path: Path
) -> None:
    start, options = started(source, media, tmp_path)
    end = path_of(tmp_path / "out", target)
    reading = lc.read(start, source.name, options=options)
    left = list(reading)
    assert counted(left, "annotations") >= (4 if source.write else 1)
    given = held(source, media)
    assert given is not None
    assert len(left) == len(list(RICH[media])) or source.write is None or not given.empty

    report = lc.convert(
        start,
        end,
        from_=source.name,
        to=target.name,
        reader_options=options,
        allow=["loss"],
        report=Report(),
    )
    holds = held(target, media)
    assert holds is not None
    unsized = {
        sample.key
        for sample in left
        if holds.needs_size and not getattr(sample.media, "width", True)
    }
    faults = [str(p) for p in report.problems if p.severity == "error"]
    assert len(faults) == reading.report.errors + len(unsized), faults
    assert report.ledger.balanced
    for row in ("samples", *ROWS):
        account = dict(report.ledger.rows())[row]
        rejected = dict(reading.report.ledger.rows())[row].rejected
        number = len(left) if row == "samples" else counted(left, row)
        assert account.read == number + rejected, row
        assert min(msgspec.to_builtins(account).values()) >= 0, row
    if target.read is None:
        return
    again = {"sizes": options["sizes"]} if "sizes" in options else {}
    arrived = list(lc.read(end, target.name, options=again))
    expected = [as_spelled(sample, holds) for sample in left if sample.key not in unsized]
    assert {sample.key for sample in arrived} <= {sample.key for sample in expected}
    _check_annotations(expected, arrived, report)
    _check_answers(expected, arrived, report)
    _check_relations(expected, arrived, report)


# ------------------------------------------------------------------------------------- spelling


def as_spelled(sample: Sample, holds: Holds) -> Sample:
    """The sample with its key and names as a format can carry them."""

    def name(text: str) -> str:
        return spelled(text, holds.names)

    def option(chosen: Any) -> Any:
        below = tuple(map(asked, chosen.classifications))
        if isinstance(chosen, FreeText):
            # A format of plain names is taken to be at home in XML.
            plain = "xml" if holds.texts == "any" and holds.names != "any" else holds.texts
            return FreeText(spelled(chosen.text, plain), below, chosen.confidence)
        return Radio(name(chosen.name), below, chosen.confidence)

    def asked(given: Classification) -> Classification:
        answer: Any = given.answer
        if isinstance(answer, Checklist):
            answer = Checklist(tuple(map(option, answer.options)))
        else:
            answer = option(answer)
        return msgspec.structs.replace(given, name=name(given.name), answer=answer)

    def annotation(given: Annotation) -> Annotation:
        value: Any = given.value
        if isinstance(value, Keypoints):
            points = (msgspec.structs.replace(p, name=name(p.name)) for p in value.points)
            value = Keypoints(tuple(points), value.outline)
        return msgspec.structs.replace(
            given,
            category=name(given.category),
            value=value,
            classifications=tuple(map(asked, given.classifications)),
        )

    return msgspec.structs.replace(
        sample,
        key=sample.key if holds.keys == "any" else as_path(sample.key),
        annotations=tuple(map(annotation, sample.annotations)),
        classifications=tuple(map(asked, sample.classifications)),
        relations=tuple(
            msgspec.structs.replace(each, category=name(each.category)) for each in sample.relations
        ),
    )


# ---------------------------------------------------------------------------------- annotations


def _check_annotations(left: list[Sample], arrived: list[Sample], report: Report) -> None:
    """Each that arrives descends from one; each that does not arrive is lost, with its problem."""
    sources: dict[tuple[str, str], list[Annotation]] = {}
    for sample in left:
        for annotation in sample.annotations:
            sources.setdefault((sample.key, annotation.category), []).append(annotation)
    descendants: dict[tuple[str, str], list[Annotation]] = {place: [] for place in sources}
    for sample in arrived:
        for annotation in sample.annotations:
            ancestor = _ancestor(sample.key, annotation, sources)
            assert ancestor is not None, f"{sample.key}: {annotation} was invented"
            descendants[ancestor].append(annotation)
    missing: list[tuple[str, str]] = []
    for place, found in descendants.items():
        before = sources[place]
        missing.extend((place[0], each.id) for each in before[len(found) :])
        for annotation in found:
            assert any(_inside(each, annotation) for each in before), annotation
            assert annotation.confidence in {None, *(each.confidence for each in before)}
            answers = {_plain(answer) for each in before for answer in each.classifications}
            assert {_plain(answer) for answer in annotation.classifications} <= answers
    account = report.ledger.annotations
    assert len(missing) <= account.lost
    assert account.read - len(missing) >= account.kept + account.changed
    told = {(p.where.sample, p.where.annotation) for p in report.problems if p.severity == "loss"}
    assert set(missing) <= told
    for kind, name in (("confidence", "L405"), ("classifications", "L406")):
        bereft = sum(
            bool(found) and bool(getattr(before, kind)) and not getattr(found[0], kind)
            for place, found in descendants.items()
            for before in sources[place]
        )
        assert bereft <= account.lost
        assert report.counts.get(name, 0) >= bereft


def _ancestor(
    key: str, annotation: Annotation, sources: dict[tuple[str, str], list[Annotation]]
) -> tuple[str, str] | None:
    if (key, annotation.category) in sources:
        return key, annotation.category
    for (sample, category), (before, *_) in sources.items():
        if sample == key and isinstance(before.value, Keypoints):
            names = [f"{category} {point.name}" for point in before.value.points]
            if annotation.category in names and isinstance(annotation.value, Point):
                return sample, category
    return None


def _inside(before: Annotation, after: Annotation) -> bool:
    """Whether what arrives lies where its ancestor lay, to the border of a pixel.

    The smallest rotated box around a shape may have corners outside of the upright one.
    """
    outer, inner = _bounds(before), _bounds(after)
    room = 1.0
    if isinstance(after.value, OrientedBox) and not isinstance(before.value, OrientedBox):
        room += max(outer.x1 - outer.x0, outer.y1 - outer.y0) / 2
    return (
        inner.x0 >= outer.x0 - room
        and inner.y0 >= outer.y0 - room
        and inner.x1 <= outer.x1 + room
        and inner.y1 <= outer.y1 + room
    )


def _bounds(annotation: Annotation) -> Box:
    value = annotation.value
    if isinstance(value, Keypoints):
        xs, ys = [p.x for p in value.points], [p.y for p in value.points]
        around = None if value.outline is None else geometry.bounds(value.outline)
        if around is not None:
            xs, ys = [*xs, around.x0, around.x1], [*ys, around.y0, around.y1]
        return Box(min(xs), min(ys), max(xs), max(ys))
    found = geometry.bounds(value)  # type: ignore[arg-type]
    assert found is not None
    return found


# -------------------------------------------------------------------------- answers, relations


def _plain(asked: Classification) -> tuple[str, str]:
    """A question and its answer, without what stands below and how sure it is."""
    return asked.name, _words(asked.answer)


def _words(answer: Radio | Checklist | FreeText) -> str:
    if isinstance(answer, FreeText):
        return answer.text
    return answer.name if isinstance(answer, Radio) else " ".join(o.name for o in answer.options)


def _check_answers(left: list[Sample], arrived: list[Sample], report: Report) -> None:
    before = {(s.key, c.name): c.answer for s in left for c in s.classifications}
    after = {(s.key, c.name): c.answer for s in arrived for c in s.classifications}
    account = report.ledger.classifications
    same = [place for place, answer in after.items() if before.get(place) == answer]
    assert len(same) >= account.kept
    assert len(before) - len(same) <= account.lost + account.changed
    texts = {_words(answer) for answer in before.values()}
    assert {_words(answer) for answer in after.values()} <= texts


def _check_relations(left: list[Sample], arrived: list[Sample], report: Report) -> None:
    before = Counter((s.key, r.category, r.directed) for s in left for r in s.relations)
    after = Counter((s.key, r.category, r.directed) for s in arrived for r in s.relations)
    assert after <= before
    account = report.ledger.relations
    assert (before - after).total() == account.lost + account.rejected
    for sample in arrived:
        ids = {annotation.id for annotation in sample.annotations}
        assert all({r.source, r.target} <= ids for r in sample.relations)


def test_the_matrix_has_every_format_of_pictures() -> None:
    from labelconv.model import Image

    pictures = {each.name for each in FORMATS if held(each, Image)}
    assert {"native", "coco", "labelbox", "labelme", "cvat-image", "dota"} <= pictures
    for media in RICH:
        sources = {each.name for each in FORMATS if each.read and held(each, media)}
        assert sources == {pair.values[1].name for pair in PAIRS if pair.values[0] is media}
