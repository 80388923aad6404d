"""`fit` beyond shapes: answers, relations, confidence, extras, empty samples, media, ids."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given

from labelconv import codes, testing
from labelconv.accounting import accounted
from labelconv.fit import fit
from labelconv.format import ANY_DEPTH, Format, Holds
from labelconv.model import (
    Annotation,
    Audio,
    Box,
    Checklist,
    Classification,
    FreeText,
    Image,
    Keyframe,
    Point,
    Polygon,
    Polyline,
    Radio,
    Relation,
    Sample,
    Samples,
    Track,
    Video,
)
from labelconv.problems import Account, Report

BOX = Box(0, 0, 2, 2)
TWO = Polygon((((0.0, 0.0, 2.0, 0.0, 2.0, 2.0),), ((4.0, 4.0, 6.0, 4.0, 6.0, 6.0),)))
DEEP = Classification(
    "q1",
    Radio(
        "o",
        (Classification("q2", Checklist((Radio("p", (Classification("q3", FreeText("t")),)),))),),
    ),
)


def made(*, media: type[Any] = Image, **rest: Any) -> Format:
    rest.setdefault("values", frozenset({Box, Polygon}))
    held = (Holds(media=media, **rest),)
    return Format(name="here", about="", url="", holds=lambda options: held)


def cut(sample: Sample, target: Format) -> tuple[list[Sample], Report]:
    report = Report()
    fitted = list(fit(accounted(Samples([sample]), report), target, None, report))
    assert report.ledger.balanced
    return fitted, report


def account(**counts: int) -> Account:
    return Account(read=sum(counts.values()), **counts)


def test_what_fits_is_handed_on_as_it_is() -> None:
    sample = Sample("s", Image(8, 8), (Annotation("a", "cat", BOX),))
    fitted, report = cut(sample, made())
    assert fitted[0] is sample
    assert report.problems == []
    assert report.ledger.annotations == account(kept=1)
    assert report.ledger.samples == account(kept=1)


def test_confidence_that_is_not_held_is_a_loss() -> None:
    sample = Sample("s", Image(8, 8), (Annotation("a", "cat", BOX, confidence=0.5),))
    fitted, report = cut(sample, made())
    assert fitted[0].annotations == (Annotation("a", "cat", BOX),)
    assert [(p.code, p.where.annotation) for p in report.problems] == [("L405", "a")]
    assert report.ledger.annotations == account(lost=1)
    fitted, report = cut(sample, made(confidence=True))
    assert fitted[0] is sample


def test_confidence_of_answers_that_is_not_held_is_a_loss() -> None:
    unsure = (
        Classification("q", Radio("o", confidence=0.5)),
        Classification("r", Checklist((Radio("o", confidence=0.25), Radio("p")))),
        Classification("t", FreeText("x", confidence=0.75)),
        Classification("u", FreeText("x")),
    )
    sample = Sample("s", Image(8, 8), classifications=unsure)
    fitted, report = cut(sample, made(questions=1))
    assert fitted[0].classifications == (
        Classification("q", Radio("o")),
        Classification("r", Checklist((Radio("o"), Radio("p")))),
        Classification("t", FreeText("x")),
        unsure[3],
    )
    assert report.counts == {codes.CONFIDENCE_DROPPED.id: 3}
    assert report.ledger.classifications == account(kept=1, lost=3)
    fitted, report = cut(sample, made(questions=1, confidence=True))
    assert fitted[0].classifications == unsure
    assert report.counts == {}


@pytest.mark.parametrize(
    ("depth", "dropped"), [(0, ["q1"]), (1, ["q2"]), (2, ["q3"]), (3, []), (ANY_DEPTH, [])]
)
def test_answers_are_cut_at_the_depth_held(depth: int, dropped: list[str]) -> None:
    sample = Sample("s", Image(8, 8), (Annotation("a", "cat", BOX, (DEEP,)),), (DEEP,))
    fitted, report = cut(sample, made(classifications=depth, questions=depth))
    told = [p.message for p in report.problems]
    assert len(told) == 2 * len(dropped)
    assert all(repr(name) in message for name in dropped for message in told)
    lost = len(dropped)
    assert report.ledger.classifications == account(kept=1 - lost, lost=lost)
    assert report.ledger.annotations == account(kept=1 - lost, lost=lost)
    names = _names(fitted[0].classifications)
    assert names == [n for n in ("q1", "q2", "q3") if n not in dropped][: min(depth, 3)]
    assert _names(fitted[0].annotations[0].classifications) == names


def _names(asked: tuple[Classification, ...]) -> list[str]:
    names = []
    for each in asked:
        names.append(each.name)
        answer = each.answer
        chosen = answer.options if isinstance(answer, Checklist) else (answer,)
        for option in chosen:
            names.extend(_names(option.classifications))
    return names


def test_answers_of_a_kind_that_is_not_held_are_left_out() -> None:
    asked = (Classification("q", Radio("o")), Classification("t", FreeText("x")))
    sample = Sample("s", Image(8, 8), classifications=asked)
    fitted, report = cut(sample, made(questions=1, answers=frozenset({FreeText})))
    assert fitted[0].classifications == asked[1:]
    assert report.counts == {codes.CLASSIFICATION_DROPPED.id: 1}
    assert report.ledger.classifications == account(kept=1, lost=1)


def test_answers_below_a_text_are_cut_too() -> None:
    asked = Classification("t", FreeText("x", (Classification("q", Radio("o")),)))
    fitted, report = cut(Sample("s", Image(8, 8), classifications=(asked,)), made(questions=1))
    assert fitted[0].classifications == (Classification("t", FreeText("x")),)
    assert report.counts == {codes.CLASSIFICATION_DROPPED.id: 1}


def test_answers_in_keyframes_are_cut_too() -> None:
    track = Track(((Keyframe(0, BOX, (DEEP, Classification("k", Radio("o")))),),))
    sample = Sample("s", Video(8, 8), (Annotation("a", "cat", track),))
    target = made(
        media=Video,
        values=frozenset({Track}),
        keyframes=frozenset({Box}),
        classifications=1,
    )
    fitted, report = cut(sample, target)
    value = fitted[0].annotations[0].value
    assert isinstance(value, Track)
    assert [c.name for c in value.segments[0][0].classifications] == ["q1", "k"]
    assert report.counts == {codes.CLASSIFICATION_DROPPED.id: 1}
    assert report.ledger.annotations == account(lost=1)


# ------------------------------------------------------------------------------ relations


def related(first: Any, *, ends: tuple[str, str] = ("a", "b")) -> Sample:
    return Sample(
        "s",
        Image(8, 8),
        (Annotation("a", "cat", first), Annotation("b", "dog", BOX)),
        relations=(Relation("r", "sees", *ends),),
    )


def test_a_relation_follows_the_first_piece_of_what_was_split() -> None:
    fitted, report = cut(related(TWO), made(relations=True))
    assert [each.id for each in fitted[0].annotations] == ["a/0", "a/1", "b"]
    assert fitted[0].relations == (Relation("r", "sees", "a/0", "b"),)
    assert report.ledger.relations == account(changed=1)


def test_a_relation_between_what_fits_is_kept() -> None:
    fitted, report = cut(related(BOX), made(relations=True))
    assert fitted[0].relations == (Relation("r", "sees", "a", "b"),)
    assert report.ledger.relations == account(kept=1)


def test_a_relation_that_is_not_held_is_a_loss() -> None:
    fitted, report = cut(related(BOX), made())
    assert fitted[0].relations == ()
    assert [(p.code, p.where.annotation) for p in report.problems] == [("L407", "r")]
    assert report.ledger.relations == account(lost=1)


@pytest.mark.parametrize("ends", [("a", "b"), ("b", "a")])
def test_a_relation_is_lost_with_an_end_that_is_left_out(ends: tuple[str, str]) -> None:
    fitted, report = cut(related(Polyline((0, 0, 1, 1)), ends=ends), made(relations=True))
    assert fitted[0].relations == ()
    assert report.counts == {codes.VALUE_NOT_HELD.id: 1, codes.DETAIL_DROPPED.id: 1}
    assert report.ledger.relations == account(lost=1)


@pytest.mark.parametrize("ends", [("a", "z"), ("z", "b")])
def test_a_relation_to_nothing_is_rejected(ends: tuple[str, str]) -> None:
    fitted, report = cut(related(BOX, ends=ends), made(relations=True))
    assert fitted[0].relations == ()
    assert report.counts == {codes.RELATION_END_MISSING.id: 1}
    assert report.ledger.relations == account(rejected=1)


# ------------------------------------------------------------------------------ ids, extras


def test_pieces_never_take_the_id_of_another_annotation() -> None:
    sample = Sample("s", Image(8, 8), (Annotation("a/1", "cat", BOX), Annotation("a", "cat", TWO)))
    fitted, _ = cut(sample, made())
    assert [each.id for each in fitted[0].annotations] == ["a/1", "a//0", "a//1"]


EXTRA = {"here:area": 4, "elsewhere:note": "x"}


@pytest.mark.parametrize(
    ("holds", "kept", "fields"),
    [
        ("all", EXTRA, {}),
        ("own", {"here:area": 4}, {"elsewhere:note": 2}),
        ("none", {}, {"here:area": 2, "elsewhere:note": 2}),
    ],
)
def test_extras_are_kept_as_held_and_the_others_counted_by_name(
    holds: str, kept: dict[str, Any], fields: dict[str, int]
) -> None:
    sample = Sample("s", Image(8, 8), (Annotation("a", "cat", BOX, extra=EXTRA),), extra=EXTRA)
    fitted, report = cut(sample, made(extra=holds))
    assert fitted[0].extra == kept
    assert fitted[0].annotations[0].extra == kept
    assert report.fields == fields
    assert report.ledger.annotations == account(kept=1)


# ------------------------------------------------------------------------------ samples


def test_empty_samples_without_a_place_are_counted_in_one_note() -> None:
    report = Report()
    dataset = accounted(Samples([Sample(key, Image(8, 8)) for key in "abc"]), report)
    assert list(fit(dataset, made(empty=False), None, report)) == []
    assert [(p.code, p.severity) for p in report.problems] == [("L414", "note")]
    assert "3 samples" in report.problems[0].message
    assert report.ledger.samples == account(changed=3)


def test_empty_samples_with_a_place_are_kept() -> None:
    fitted, report = cut(Sample("s", Image(8, 8)), made())
    assert [sample.key for sample in fitted] == ["s"]
    assert report.problems == []


def test_media_that_are_not_held_are_lost_with_all_they_say() -> None:
    sample = related(BOX)
    sample = Sample("s", Audio(5), sample.annotations, (DEEP,), sample.relations)
    fitted, report = cut(sample, made())
    assert fitted == []
    assert [(p.code, p.where.sample) for p in report.problems] == [("L409", "s")]
    assert report.ledger.samples == account(lost=1)
    assert report.ledger.annotations == account(lost=2)
    assert report.ledger.classifications == account(lost=1)
    assert report.ledger.relations == account(lost=1)


def test_the_result_has_the_ontology_and_the_info_of_the_source() -> None:
    dataset = Samples([Sample("s", Image(), (Annotation("a", "cat", BOX),))], info={"x:y": 1})
    fitted = fit(dataset, made(), None, Report())
    assert [category.name for category in fitted.ontology.categories] == ["cat"]
    assert fitted.info == {"x:y": 1}


@given(testing.everything(Image))
def test_what_is_fitted_fits(dataset: Samples) -> None:
    """A second cut finds nothing to do; ids stay unique; every loss has its problem."""
    target = made(
        values=frozenset({Box, Polygon, Point}),
        skeleton_points="{category} {keypoint}",
        relations=True,
        questions=1,
        empty=False,
    )
    report = Report()
    once = list(fit(accounted(dataset, report), target, None, report))
    assert report.ledger.balanced
    assert report.losses >= report.ledger.annotations.lost
    again = Report()
    assert list(fit(accounted(Samples(once), again), target, None, again)) == [
        sample for sample in once if sample.annotations or sample.classifications
    ]
    assert not again.problems or set(again.counts) <= {codes.SAMPLE_EMPTY.id}
    for sample in once:
        ids = [annotation.id for annotation in sample.annotations]
        assert len(set(ids)) == len(ids)
