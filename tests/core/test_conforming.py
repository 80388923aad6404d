"""`fit` for formats that ask for file names, plain names, sizes, or shapes within the picture."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given

from labelconv import clipping, codes, geometry, testing
from labelconv.accounting import accounted
from labelconv.fit import fit
from labelconv.format import ANY_DEPTH, SHAPES, Format, Holds
from labelconv.model import (
    Annotation,
    Box,
    Category,
    Checklist,
    Classification,
    FreeText,
    Image,
    Keypoint,
    Keypoints,
    Ontology,
    OrientedBox,
    Point,
    Polygon,
    Polyline,
    Radio,
    Relation,
    Sample,
    Samples,
    Shape,
)
from labelconv.problems import Account, Report

BOX = Box(0, 0, 2, 2)


def made(**rest: Any) -> Format:
    rest.setdefault("values", frozenset(SHAPES))
    held = (Holds(media=Image, **rest),)
    return Format(name="here", about="", url="", holds=lambda options: held)


def cut(samples: list[Sample], target: Format) -> tuple[list[Sample], Report]:
    report = Report()
    fitted = list(fit(accounted(Samples(samples), report), target, None, report))
    assert report.ledger.balanced
    return fitted, report


def on_picture(*shapes: Shape, size: tuple[float, float] = (100, 50)) -> Sample:
    annotations = tuple(Annotation(str(n), "thing", shape) for n, shape in enumerate(shapes))
    return Sample("a.jpg", Image(*size), annotations)


def test_keys_that_are_no_file_names_are_respelled_and_their_samples_changed() -> None:
    samples = [Sample(key, Image(9, 9)) for key in ("a.jpg", "../b.jpg", "a.png")]
    fitted, report = cut(samples, made(keys="stem"))
    assert [sample.key for sample in fitted] == ["a.jpg", "..%2Fb.jpg", "a~2.png"]
    assert report.counts == {codes.KEY_RESPELLED.id: 2}
    assert report.ledger.samples == Account(read=3, kept=1, changed=2)


def test_names_that_cannot_be_carried_are_respelled_everywhere_and_told_once() -> None:
    skeleton = Keypoints((Keypoint("left ear", 1, 1),), BOX)
    below = Classification("how much", Checklist((Radio("a bit"),)))
    asked = Classification("in use", Radio("not now", (below,)))
    sample = Sample(
        "k",
        Image(9, 9),
        (
            Annotation("1", "traffic light", BOX, (asked,)),
            Annotation("2", "traffic light", BOX),
            Annotation("3", "dog", skeleton),
            Annotation("4", "dog", BOX),
        ),
        (
            Classification("what else", FreeText("two\rlines")),
            Classification("plain", FreeText("one line")),
        ),
        (Relation("r", "next to", "1", "2"), Relation("s", "behind", "1", "2")),
    )
    target = made(
        names="word", classifications=ANY_DEPTH, questions=ANY_DEPTH, relations=True, ids=True
    )
    fitted, report = cut([sample], target)
    one, two, three, four = fitted[0].annotations
    assert (one.category, two.category) == ("traffic%20light",) * 2
    assert one.classifications[0].name == "in%20use"
    answer = one.classifications[0].answer
    assert isinstance(answer, Radio)
    assert answer.name == "not%20now"
    assert answer.classifications[0].answer == Checklist((Radio("a%20bit"),))
    assert isinstance(three.value, Keypoints)
    assert three.value.points[0].name == "left%20ear"
    assert three.value.outline == BOX
    assert four is sample.annotations[3]
    assert fitted[0].classifications[0] == Classification("what%20else", FreeText("two%0Dlines"))
    assert fitted[0].relations[0].category == "next%20to"
    assert report.counts == {codes.NAME_RESPELLED.id: 9}
    assert report.ledger.annotations == Account(read=4, kept=1, changed=3)
    assert report.ledger.classifications == Account(read=2, kept=1, changed=1)
    assert report.ledger.relations == Account(read=2, kept=1, changed=1)


def test_the_ontology_has_the_names_of_the_samples() -> None:
    ontology = Ontology(categories=(Category(name="a b", keypoints=("c d",)),))
    report = Report()
    fitted = fit(Samples([], ontology), made(names="word"), None, report)
    assert fitted.ontology == Ontology(categories=(Category(name="a%20b", keypoints=("c%20d",)),))


def test_two_names_that_become_one_are_a_loss() -> None:
    sample = Sample("k", Image(9, 9), (Annotation("1", "a%20b", BOX), Annotation("2", "a b", BOX)))
    _, report = cut([sample], made(names="word"))
    assert report.counts == {codes.NAME_RESPELLED.id: 1, codes.NAMES_MERGED.id: 1}
    assert report.losses == 1


def test_samples_of_unknown_size_are_rejected_with_all_they_say() -> None:
    sample = Sample(
        "k",
        Image(),
        (Annotation("1", "a", BOX), Annotation("2", "b", BOX)),
        (Classification("q", FreeText("t")),),
        (Relation("r", "n", "1", "2"),),
    )
    fitted, report = cut([sample, Sample("l", Image(9, 9))], made(needs_size=True))
    assert [each.key for each in fitted] == ["l"]
    assert report.counts == {codes.SIZE_NEEDED.id: 1}
    assert report.ledger.samples == Account(read=2, kept=1, rejected=1)
    assert report.ledger.annotations == Account(read=2, rejected=2)
    assert report.ledger.classifications == Account(read=1, rejected=1)
    assert report.ledger.relations == Account(read=1, rejected=1)
    assert b'"key":"k"' in report.take_rejected()[0].record


@pytest.mark.parametrize(
    ("shape", "inside"),
    [
        (Box(-0.5, 0, 100.5, 50), Box(0, 0, 100, 50)),
        (Polyline((-1.0, 0.0, 5.0, 5.0)), Polyline((0.0, 0.0, 5.0, 5.0))),
        (Point(100.5, 3), Point(100, 3)),
        (
            Keypoints((Keypoint("a", -1, 50.5, False),), Box(0, 0, 100.5, 9)),
            Keypoints((Keypoint("a", 0, 50, False),), Box(0, 0, 100, 9)),
        ),
        (
            Polygon((((-0.5, 0.0, 9.0, 0.0, 9.0, 9.0),),)),
            Polygon((((0.0, 0.0, 9.0, 0.0, 9.0, 9.0),),)),
        ),
    ],
)
def test_what_is_past_the_border_by_a_hundredth_is_clipped_with_a_note(
    shape: Shape, inside: Shape
) -> None:
    fitted, report = cut([on_picture(shape, BOX)], made(within=True, parts=True))
    assert [each.value for each in fitted[0].annotations] == [inside, BOX]
    assert report.counts == {codes.SHAPE_CLIPPED.id: 1}
    assert report.ledger.annotations == Account(read=2, kept=1, changed=1)
    assert report.measures[codes.SHAPE_CLIPPED.id].worst in (0.5, 1)


@pytest.mark.parametrize(
    ("shape", "inside"),
    [
        (Box(-10, 0, 20, 20), Box(0, 0, 20, 20)),
        (Polyline((-10.0, 10.0, 20.0, 10.0)), Polyline((0.0, 10.0, 20.0, 10.0))),
        (
            Keypoints((Keypoint("a", -10, 5), Keypoint("b", 5, 5)), Box(-10, 0, 9, 9)),
            Keypoints((Keypoint("b", 5, 5),), Box(0, 0, 9, 9)),
        ),
        (Keypoints((Keypoint("a", -10, 5),), Box(-10, 0, 9, 9)), Box(0, 0, 9, 9)),
        (OrientedBox(0, 20, 20, 10, 90), OrientedBox(2.5, 20, 5, 20, 0)),
    ],
)
def test_what_reaches_farther_is_cut_and_a_loss(shape: Shape, inside: Shape) -> None:
    fitted, report = cut([on_picture(shape)], made(within=True, parts=True))
    assert [each.value for each in fitted[0].annotations] == [inside]
    assert report.counts == {codes.SHAPE_CUT.id: 1}
    assert report.ledger.annotations == Account(read=1, lost=1)


def test_of_a_polygon_that_reaches_farther_the_part_inside_stays() -> None:
    triangle = Polygon((((-20.0, 0.0, 20.0, 0.0, 20.0, 40.0),),))
    fitted, _ = cut([on_picture(triangle)], made(within=True, parts=True))
    inside = fitted[0].annotations[0].value
    assert isinstance(inside, Polygon)
    assert geometry.area(inside) == pytest.approx(600)


@pytest.mark.parametrize(
    "shape",
    [
        Box(200, 0, 220, 20),
        Point(200, 5),
        Polyline((200.0, 0.0, 220.0, 20.0)),
        Polygon((((200.0, 0.0, 220.0, 20.0, 200.0, 20.0),),)),
        OrientedBox(300, 20, 20, 10, 30),
        Keypoints((Keypoint("a", 200, 5),)),
    ],
)
def test_what_lies_outside_is_lost_with_the_relations_that_need_it(shape: Shape) -> None:
    sample = on_picture(shape, BOX)
    sample = Sample(
        sample.key,
        sample.media,
        sample.annotations,
        relations=(Relation("r", "near", "0", "1"),),
    )
    fitted, report = cut([sample], made(within=True, parts=True, relations=True))
    assert [each.value for each in fitted[0].annotations] == [BOX]
    assert report.ledger.annotations == Account(read=2, kept=1, lost=1)
    assert report.ledger.relations == Account(read=1, lost=1)


def test_a_turned_box_that_is_hardly_past_the_border_stays_as_it_is() -> None:
    shape = OrientedBox(10, 10, 20.5, 20.5, 0)
    fitted, report = cut([on_picture(shape)], made(within=True))
    assert fitted[0].annotations[0].value == shape
    assert report.counts == {}


@given(dataset=testing.everything())
def test_what_conforms_has_nothing_left_to_say_the_second_time(dataset: Samples) -> None:
    target = made(
        keys="stem",
        names="word",
        needs_size=True,
        within=True,
        parts=True,
        holes=True,
        confidence=True,
        classifications=ANY_DEPTH,
        questions=ANY_DEPTH,
        relations=True,
        ids=True,
        extra="all",
    )
    fitted, _ = cut(list(dataset), target)
    again, report = cut(fitted, target)
    assert again == fitted
    assert report.counts.keys() <= {codes.SHAPE_CLIPPED.id}
    for sample in again:
        width, height = sample.media.width, sample.media.height
        for annotation in sample.annotations:
            drift, part = clipping.overhang(annotation.value, width, height)
            assert drift <= 1e-9 or isinstance(annotation.value, OrientedBox)
            assert part <= clipping.TOLERATED
