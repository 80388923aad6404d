"""The model: frozen, tagged, hashable where it matters, and its own ontology."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
import pytest
import shapely.geometry
from hypothesis import given

from labelconv import model, testing
from labelconv.model import (
    Annotation,
    Box,
    Category,
    Checklist,
    Classification,
    Dataset,
    FreeText,
    Image,
    Keyframe,
    Keypoint,
    Keypoints,
    Ontology,
    Option,
    Point,
    Polygon,
    Polyline,
    Question,
    Radio,
    Sample,
    Samples,
    Track,
)
from labelconv.usage import ontology_of

SQUARE = (0.0, 0.0, 4.0, 0.0, 4.0, 4.0, 0.0, 4.0)
HOLE = (1.0, 1.0, 2.0, 1.0, 2.0, 2.0, 1.0, 2.0)


@given(testing.everything())
def test_any_sample_comes_back_from_json(dataset: Samples) -> None:
    for sample in dataset:
        assert msgspec.json.decode(msgspec.json.encode(sample), type=Sample) == sample


@given(testing.everything())
def test_the_ontology_found_has_what_the_samples_use(dataset: Samples) -> None:
    ontology = ontology_of(dataset)
    used = {a.category for sample in dataset for a in sample.annotations}
    assert {category.name for category in ontology.categories} == used
    asked = {c.name for sample in dataset for c in sample.classifications}
    assert {question.name for question in ontology.questions} == asked


def test_values_are_frozen() -> None:
    for value in (Box(0, 0, 1, 1), Annotation("a", "c", Point(0, 0)), Sample("k", Image())):
        with pytest.raises(AttributeError):
            setattr(value, value.__struct_fields__[0], 5)


def test_each_annotation_has_an_extra_of_its_own() -> None:
    one, other = Annotation("a", "c", Point(0, 0)), Annotation("b", "c", Point(0, 0))
    one.extra["x:y"] = 1
    assert other.extra == {}


@pytest.mark.parametrize(
    ("shape", "kind", "area", "length"),
    [
        (Point(1, 2), "Point", 0, 0),
        (Box(0, 0, 4, 2), "Polygon", 8, 12),
        (Polyline((0, 0, 3, 4)), "LineString", 0, 5),
        (Polygon(((SQUARE, HOLE),)), "Polygon", 15, 20),
        (Polygon(((SQUARE,), (HOLE,))), "MultiPolygon", 17, 20),
    ],
)
def test_shapes_are_understood_by_whoever_reads_geo_interfaces(
    shape: object, kind: str, area: float, length: float
) -> None:
    judged = shapely.geometry.shape(shape)
    assert judged.geom_type == kind
    assert (judged.area, judged.length) == (area, length)


def test_coordinates_come_as_pairs() -> None:
    assert list(model.pairs((1, 2, 3, 4))) == [(1, 2), (3, 4)]
    with pytest.raises(ValueError, match="zip"):
        list(model.pairs((1, 2, 3)))


def test_the_ontology_joins_what_the_samples_say_in_order_of_appearance() -> None:
    nested = Classification("inner", Checklist((Radio("x"), Radio("y"))))
    samples = [
        Sample(
            "1",
            Image(),
            (
                Annotation("a", "person", Keypoints((Keypoint("b", 0, 0),))),
                Annotation("b", "car", Point(0, 0), (Classification("colour", Radio("red")),)),
            ),
            (Classification("day", Radio("yes", (nested,))),),
        ),
        Sample(
            "2",
            Image(),
            (
                Annotation("a", "person", Keypoints((Keypoint("a", 0, 0), Keypoint("b", 0, 0)))),
                Annotation("b", "car", Point(0, 0), (Classification("colour", Radio("blue")),)),
                Annotation(
                    "c",
                    "dog",
                    Track(((Keyframe(0, Point(0, 0), (Classification("gait", FreeText("t")),)),),)),
                ),
            ),
            (
                Classification("day", Radio("no"), ((0, 5),)),
                Classification("note", FreeText("t")),
            ),
        ),
    ]
    assert ontology_of(samples) == Ontology(
        categories=(
            Category(name="person", keypoints=("a", "b")),
            Category(
                name="car",
                questions=(
                    Question(
                        name="colour",
                        kind="radio",
                        options=(Option(name="red"), Option(name="blue")),
                    ),
                ),
            ),
            Category(name="dog", questions=(Question(name="gait", kind="text"),)),
        ),
        questions=(
            Question(
                name="day",
                kind="radio",
                per_frame=True,
                options=(
                    Option(
                        name="yes",
                        questions=(
                            Question(
                                name="inner",
                                kind="checklist",
                                options=(Option(name="x"), Option(name="y")),
                            ),
                        ),
                    ),
                    Option(name="no"),
                ),
            ),
            Question(name="note", kind="text"),
        ),
    )


def test_samples_can_be_iterated_again_and_find_their_ontology_once() -> None:
    starts: list[int] = []

    def start() -> Iterator[Sample]:
        starts.append(1)
        return iter([Sample("k", Image(), (Annotation("a", "cat", Point(0, 0)),))])

    dataset = Samples(start)
    assert isinstance(dataset, Dataset)
    assert [s.key for s in dataset] == [s.key for s in dataset] == ["k"]
    assert dataset.ontology is dataset.ontology
    assert len(starts) == 3
    assert dataset.info == {}


def test_an_ontology_that_is_given_costs_no_pass() -> None:
    calls: list[int] = []

    def ontology() -> Ontology:
        calls.append(1)
        return Ontology()

    dataset = Samples([], ontology, {"a:b": 1})
    assert dataset.ontology == dataset.ontology == Ontology()
    assert calls == [1]
    assert Samples([], Ontology()).ontology == Ontology()
