"""Every pair of formats there and back: what both hold comes through, to the stated precision.

A dataset that both formats hold goes A → B → A through files, and is compared with the same dataset
cut to A, to B and to A again without any file. Formats with a task or a dialect are there with each
that holds something else. In the `ci` profile each pair gets 200 datasets.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any, TypeAlias

import msgspec
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from labelconv import codes, geometry, registry, testing
from labelconv.format import Format, Holds, Reading, Wanted
from labelconv.io import Source
from labelconv.keys import Keys
from labelconv.model import Annotation, Image, Keypoints, Polygon, Sample, Samples
from labelconv.options import build
from labelconv.problems import Report

#: What is run here is measured elsewhere too; measuring it 20,000 times more takes minutes.
pytestmark = pytest.mark.no_cover

Options: TypeAlias = Any
#: How often each pair is tried, by the examples of the profile (see tests/conftest.py).
EXAMPLES = 8 if os.environ.get("HYPOTHESIS_PROFILE", "small") == "small" else 200
_TASKS = tuple({"task": task} for task in ("detect", "segment", "obb", "pose"))
#: The writer options with which a format is tried, where its usual ones hold less.
VARIANTS: dict[str, tuple[dict[str, str], ...]] = {
    "yolo": _TASKS,
    "ultralytics-ndjson": _TASKS,
    "voc": ({"dialect": "extended"},),
}


class Side(msgspec.Struct, frozen=True):
    """A format with writer options, and what it holds then."""

    name: str
    format: Format
    options: Options
    holds: Holds


def sides() -> list[Side]:
    """All formats of pictures that can be read and written."""
    found = []
    for format in registry.all_formats():
        for given_ in VARIANTS.get(format.name, ({},)) if format.read and format.write else ():
            options = build(format.writer_options, given_, format.name)
            holds = format.holds_of(Image, options)
            if holds is not None:
                name = "-".join((format.name, *given_.values()))
                found.append(Side(name, format, options, holds))
    return found


def both(one: Holds, other: Holds) -> Holds:
    """What two formats hold."""
    values = one.values & other.values
    quads = Polygon not in values and all(h.quads or Polygon in h.values for h in (one, other))
    outlines = [h.values if h.outlines is None else h.outlines for h in (one, other)]
    return Holds(
        values=values,
        quads=quads and bool(values),
        outlines=outlines[0] & outlines[1],
        parts=one.parts and other.parts,
        holes=one.holes and other.holes,
        confidence=one.confidence and other.confidence,
        classifications=min(one.classifications, other.classifications),
        questions=min(one.questions, other.questions),
        answers=one.answers & other.answers,
        relations=one.relations and other.relations,
        ids=one.ids and other.ids,
        size=one.size and other.size,
        uri=one.uri and other.uri,
        precision=2 * one.precision + other.precision,
    )


def pairs() -> list[Any]:
    """Each two formats, once for each set of values that their variants have in common."""
    seen = set()
    found = []
    for one in sides():
        for other in sides():
            held = both(one.holds, other.holds)
            common = one.format.name, other.format.name, held.values, held.quads
            if one.format is not other.format and held.values and common not in seen:
                seen.add(common)
                found.append(pytest.param(one, other, id=f"{one.name}-{other.name}-{one.name}"))
    return found


PAIRS = pairs()


@pytest.mark.parametrize(("one", "other"), PAIRS)
@settings(max_examples=EXAMPLES)
@given(data=st.data())
def test_what_both_hold_comes_back_from_there(
    one: Side, other: Side, data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    held = both(one.holds, other.holds)
    dataset = data.draw(testing.datasets(held, most=1))
    expected: Samples = dataset
    report = Report()
    for side in (one, other, one):
        expected = testing.fitted(side.format, expected, side.options, report)
    # Names that collide when spelled, and corners beyond the border, are what one does not hold.
    assume(not report.losses and not report.errors)

    folder = tmp_path_factory.mktemp("pairs")
    found: Samples = dataset
    for number, side in enumerate((one, other, one)):
        found = _through(side, found, folder / str(number))
    compared = [
        sorted((_plain(testing.comparable(s, held), held) for s in each), key=lambda s: s.key)
        for each in (expected, found)
    ]
    assert [s.key for s in compared[0]] == [s.key for s in compared[1]]
    for before, after in zip(*compared, strict=True):
        different = testing.difference(before, after, held.precision)
        assert different is None, f"{before.key!r}{different}"


def _plain(sample: Sample, held: Holds) -> Sample:
    """Without those outlines of skeletons that are just the box around their points, which COCO and
    YOLO write for skeletons that have none; and with points by name: where no header says their
    order, it is that of their appearance.
    """

    def plain(annotation: Annotation) -> Annotation:
        value = annotation.value
        if not isinstance(value, Keypoints):
            return annotation
        bare = Keypoints(tuple(sorted(value.points, key=lambda point: point.name)))
        around = geometry.bounds(bare)
        if testing.difference(around, value.outline, held.precision) is not None:
            bare = Keypoints(bare.points, value.outline)
        return msgspec.structs.replace(annotation, value=bare)

    return msgspec.structs.replace(sample, annotations=tuple(map(plain, sample.annotations)))


def _through(side: Side, dataset: Samples, folder: Path) -> Samples:
    """The dataset once through a file or folder of a format, with its sizes given beside."""
    folder.mkdir()
    target = folder / f"data{side.format.extensions[0] if side.format.extensions else ''}"
    cut = testing.fitted(side.format, dataset, side.options, Report())
    assert side.format.write is not None
    assert side.format.read is not None
    side.format.write(cut, target, side.options, Report())
    report = Report()
    reading = Reading(report=report, keys=Keys(), wanted=Wanted(extra=frozenset()))
    back = side.format.read(Source(target), side.format.reader_options(), reading)
    samples = list(back)
    told = [str(problem) for problem in report.problems if problem.severity != "note"]
    assert not told, told
    sized = _sized(samples, {sample.key: sample.media for sample in cut})
    return Samples(sized, back.ontology)


def _sized(samples: Iterable[Sample], sizes: dict[str, Any]) -> list[Sample]:
    """The samples; those that came back without a size get the one they had (as with --media)."""
    return [
        sample
        if getattr(sample.media, "width", None)
        else msgspec.structs.replace(sample, media=sizes[sample.key])
        for sample in samples
    ]


def test_all_formats_of_pictures_are_in_pairs_with_each_other() -> None:
    names = {side.format.name for side in sides()}
    assert {"native", "coco", "labelbox", "labelme", "cvat-image", "dota", "yolo", "voc"} <= names
    joined = {(pair.values[0].format.name, pair.values[1].format.name) for pair in PAIRS}
    apart = {(one, other) for one in names for other in names if one != other} - joined
    assert {tuple(sorted(pair)) for pair in apart} == {("coco", "dota"), ("dota", "labelbox")}
    assert codes.SIZE_NEEDED.severity == "error"  # which `assume` takes for "not held"
