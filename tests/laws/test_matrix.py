"""Every pair of formats: nothing is invented, and what is missing is in the ledger.

One rich dataset goes into each format that can be read, and from there into each that can be
written. Each annotation has a category of its own, so that what arrives can be traced.
"""

from __future__ import annotations

from pathlib import Path

import pytest

import labelconv as lc
from labelconv import geometry, registry
from labelconv.format import Format
from labelconv.model import (
    Annotation,
    Box,
    Checklist,
    Classification,
    FreeText,
    Image,
    Keypoint,
    Keypoints,
    Mask,
    OrientedBox,
    Point,
    Polygon,
    Polyline,
    Radio,
    Relation,
    Sample,
    Samples,
)
from labelconv.problems import Report

SQUARE = (10.0, 10.0, 30.0, 10.0, 30.0, 30.0, 10.0, 30.0)
HOLE = (15.0, 15.0, 25.0, 15.0, 25.0, 25.0, 15.0, 25.0)
FAR = (40.0, 10.0, 50.0, 10.0, 45.0, 30.0)
POINTS = (Keypoint("nose", 5, 6), Keypoint("left ear", 7, 8, visible=False))
NESTED = Classification(
    "weather",
    Radio("wet", (Classification("how", Checklist((Radio("rain"), Radio("fog")))),), 0.5),
)

RICH = Samples(
    [
        Sample(
            "train/a/1.jpg",
            Image(64, 48),
            (
                Annotation("1", "box", Box(1.5, 2.25, 20, 30), confidence=0.75),
                Annotation("2", "turned box", OrientedBox(30, 20, 20, 10, 30)),
                Annotation("3", "two parts", Polygon(((SQUARE,), (FAR,)))),
                Annotation("4", "with a hole", Polygon(((SQUARE, HOLE),))),
                Annotation(
                    "5",
                    "crowd",
                    Mask((48, 64), (50, 10, 38, 10, 2964)),
                    extra={"coco:iscrowd": 1},
                ),
                Annotation("6", "skeleton", Keypoints(POINTS, Box(2, 2, 12, 12))),
                Annotation("7", "bare skeleton", Keypoints(POINTS)),
                Annotation("8", "line", Polyline((0, 0, 10, 10, 20, 5))),
                Annotation("9", "point", Point(3.5, 4.5)),
                Annotation("10", "ﬁlé \u2028 \U0001f600", Box(0, 0, 64, 48)),
                Annotation("11", "answered", Box(3, 3, 9, 9), (NESTED,)),
            ),
            (NESTED, Classification("note", FreeText("dusk, \u2028 rain"))),
            (
                Relation("r1", "near", "1", "3"),
                Relation("r2", "on", "8", "10", directed=False),
            ),
        ),
        Sample("val/a/1.jpg", Image(10, 10), (Annotation("1", "dog", Box(0, 0, 5, 5)),)),
        Sample("val/negative.jpg", Image(12, 10)),
    ]
)

SOURCES = [each for each in registry.all_formats() if each.read and each.write]
TARGETS = [each for each in registry.all_formats() if each.write]
ROWS = ("annotations", "classifications", "relations")


def path_of(folder: Path, format: Format) -> Path:
    return folder / f"data{format.extensions[0] if format.extensions else ''}"


def counted(samples: list[Sample], row: str) -> int:
    return sum(len(getattr(sample, row)) for sample in samples)


@pytest.mark.parametrize("target", TARGETS, ids=lambda each: f"to-{each.name}")
@pytest.mark.parametrize("source", SOURCES, ids=lambda each: f"from-{each.name}")
def test_nothing_is_invented_and_what_is_missing_is_in_the_ledger(
    source: Format, target: Format, tmp_path: Path
) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "out").mkdir()
    start, end = path_of(tmp_path / "in", source), path_of(tmp_path / "out", target)
    lc.write(RICH, start, source.name, allow=["loss"])
    left = list(lc.read(start, source.name))
    assert counted(left, "annotations") >= 8

    report = lc.convert(
        start, end, from_=source.name, to=target.name, allow=["loss"], report=Report()
    )
    assert report.errors == 0
    assert report.ledger.balanced
    assert report.ledger.samples.read == len(left)
    for row in ROWS:
        assert dict(report.ledger.rows())[row].read == counted(left, row)
    if target.read is None:
        return
    arrived = list(lc.read(end, target.name))
    assert {sample.key for sample in arrived} <= {sample.key for sample in left}
    _check_annotations(left, arrived, report)
    _check_answers(left, arrived, report)
    _check_relations(left, arrived, report)


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
            answers = {answer for each in before for answer in each.classifications}
            assert set(annotation.classifications) <= answers
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
    """Whether what arrives lies where its ancestor lay, to the border of a pixel."""
    outer, inner = _bounds(before), _bounds(after)
    return (
        inner.x0 >= outer.x0 - 1
        and inner.y0 >= outer.y0 - 1
        and inner.x1 <= outer.x1 + 1
        and inner.y1 <= outer.y1 + 1
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


def _check_answers(left: list[Sample], arrived: list[Sample], report: Report) -> None:
    before = {(s.key, c.name): c.answer for s in left for c in s.classifications}
    after = {(s.key, c.name): c.answer for s in arrived for c in s.classifications}
    account = report.ledger.classifications
    same = [place for place, answer in after.items() if before.get(place) == answer]
    assert len(same) >= account.kept
    assert len(before) - len(same) <= account.lost + account.changed
    texts = {_words(answer) for answer in before.values()}
    assert {_words(answer) for answer in after.values()} <= texts


def _words(answer: Radio | Checklist | FreeText) -> str:
    if isinstance(answer, FreeText):
        return answer.text
    return answer.name if isinstance(answer, Radio) else " ".join(o.name for o in answer.options)


def _check_relations(left: list[Sample], arrived: list[Sample], report: Report) -> None:
    before = {(s.key, r.category, r.directed) for s in left for r in s.relations}
    after = {(s.key, r.category, r.directed) for s in arrived for r in s.relations}
    assert after <= before
    account = report.ledger.relations
    assert len(before - after) == account.lost + account.rejected
    for sample in arrived:
        ids = {annotation.id for annotation in sample.annotations}
        assert all({r.source, r.target} <= ids for r in sample.relations)


def test_the_matrix_has_every_format_that_can_be_read_and_written() -> None:
    assert {"native", "coco", "labelbox"} <= {each.name for each in SOURCES}
