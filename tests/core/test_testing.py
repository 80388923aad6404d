"""The laws find what they are for: formats that break one of them each, and values that differ."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from labelconv import codes, model, registry, testing
from labelconv.format import Format, Holds, NoOptions, Reading
from labelconv.io import Source
from labelconv.model import (
    Annotation,
    Box,
    Dataset,
    Image,
    Keypoints,
    Point,
    Polygon,
    Polyline,
    Relation,
    Sample,
    Samples,
)
from labelconv.problems import Report, Where

NATIVE = registry.get("native")
DATA = Samples(
    [
        Sample(
            "k",
            Image(8, 8),
            (Annotation("a", "cat", Box(0, 0, 2, 2)), Annotation("b", "cat", Point(1, 1))),
            extra={"x:list": [1]},
        )
    ]
)

Law = Callable[..., None]


def written(dataset: Dataset, target: Path, report: Report) -> None:
    assert NATIVE.write is not None
    NATIVE.write(dataset, target, NoOptions(), report)


def changed(change: Callable[[Sample], Sample]) -> Format:
    """Native, but for a change to each sample before it is written."""

    def write(dataset: Dataset, target: Path, options: object, report: Report) -> None:
        written(Samples([change(s) for s in dataset], dataset.ontology), target, report)

    return msgspec.structs.replace(NATIVE, write=write)


def reading(change: Callable[[Sample, Reading], list[Sample]]) -> Format:
    """Native, but for a change to each sample after it is read."""

    def read(source: Source, options: object, given: Reading) -> Dataset:
        assert NATIVE.read is not None
        dataset = NATIVE.read(source, NoOptions(), given)
        return Samples(lambda: (made for s in dataset for made in change(s, given)))

    return msgspec.structs.replace(NATIVE, read=read)


def _shifted(sample: Sample) -> Sample:
    moved = msgspec.structs.replace(sample.annotations[0], value=Box(0, 0, 2, 2.5))
    return msgspec.structs.replace(sample, annotations=(moved, *sample.annotations[1:]))


def _short(sample: Sample) -> Sample:
    return msgspec.structs.replace(sample, annotations=sample.annotations[:1])


def _other_key(sample: Sample) -> Sample:
    return msgspec.structs.replace(sample, key="other")


def _spoiled(sample: Sample) -> Sample:
    sample.extra["x:list"].append(2)
    return sample


def _random_id(sample: Sample) -> Sample:
    return msgspec.structs.replace(sample, uri=str(random.random()))


def _complaining(sample: Sample, given: Reading) -> list[Sample]:
    given.report.add(codes.AREA_ZERO, kind="box")
    given.report.add(codes.CONFIDENCE_DROPPED, Where(sample=sample.key))
    return [sample]


def _uncounted(sample: Sample, given: Reading) -> list[Sample]:
    given.report.ledger.annotations.read -= 1
    return [sample]


def _other_media(sample: Sample, given: Reading) -> list[Sample]:
    return [msgspec.structs.replace(sample, media=model.Text("t"))]


def _littering(dataset: Dataset, target: Path, options: object, report: Report) -> None:
    written(dataset, target, report)
    (target.parent / "beside").write_bytes(b"")


def _folder(dataset: Dataset, target: Path, options: object, report: Report) -> None:
    target.mkdir()
    written(dataset, target / "a", report)


def _sometimes(dataset: Dataset, target: Path, options: object, report: Report) -> None:
    target.mkdir()
    written(dataset, target / str(random.random()), report)


def _miscounting(dataset: Dataset, target: Path, options: object, report: Report) -> None:
    written(dataset, target, report)
    report.ledger.annotations.kept += 1


def _overdrawn(dataset: Dataset, target: Path, options: object, report: Report) -> None:
    written(dataset, target, report)
    report.ledger.annotations.kept += 1
    report.ledger.annotations.lost -= 1


def _eager(dataset: Dataset, target: Path, options: object, report: Report) -> None:
    written(dataset, target, report)
    report.ledger.annotations.read += 1
    report.ledger.annotations.kept += 1


def writing(write: Any) -> Format:
    return msgspec.structs.replace(NATIVE, write=write)


BROKEN: list[tuple[Format, Law, str]] = [
    (changed(_shifted), testing.check_round_trip, r"annotations\[0\].value.y1: 2.0 and 2.5"),
    (changed(_short), testing.check_round_trip, "2 items and 1"),
    (changed(_other_key), testing.check_round_trip, r"samples \['k'\] written, \['other'\] read"),
    (reading(_complaining), testing.check_round_trip, "problems reading what it wrote.*L405"),
    (reading(_uncounted), testing.check_round_trip, "counted by it"),
    (reading(_other_media), testing.check_round_trip, "and Text"),
    (changed(_random_id), testing.check_deterministic, "wrote other bytes"),
    (writing(_sometimes), testing.check_deterministic, "wrote other files"),
    (changed(_spoiled), testing.check_unchanged, "changed the dataset"),
    (writing(_littering), testing.check_only_target, "beside"),
    (writing(_folder), testing.check_only_target, "said it makes a file and made a folder"),
    (writing(_miscounting), testing.check_ledger, "does not balance"),
    (writing(_overdrawn), testing.check_ledger, "below nothing"),
    (writing(_eager), testing.check_ledger, "accounted for"),
]


@pytest.mark.parametrize(("format", "law", "words"), BROKEN)
def test_a_format_that_breaks_a_law_is_found_out(
    format: Format, law: Law, words: str, tmp_path: Path
) -> None:
    data = Samples([msgspec.json.decode(msgspec.json.encode(s), type=Sample) for s in DATA])
    with pytest.raises(AssertionError, match=words):
        law(format, data, tmp_path)
    again = tmp_path / "all"
    again.mkdir()
    with pytest.raises(AssertionError):
        testing.check_laws(format, data, again)


def test_a_format_that_obeys_is_let_through(tmp_path: Path) -> None:
    testing.check_laws(NATIVE, DATA, tmp_path, reader_options=NoOptions(), options=NoOptions())


def test_what_cannot_be_written_or_read_is_not_tried(tmp_path: Path) -> None:
    testing.check_laws(msgspec.structs.replace(NATIVE, write=None), DATA, tmp_path)
    assert list(tmp_path.iterdir()) == []
    testing.check_laws(msgspec.structs.replace(NATIVE, read=None), DATA, tmp_path)
    assert len(list(tmp_path.iterdir())) == 5


# ------------------------------------------------------------------------------ comparing


@pytest.mark.parametrize(
    ("one", "other", "precision", "place"),
    [
        (Point(1, 2), Point(1, 2.5), 0.5, None),
        (Point(1, 2), Point(1, 2.5), 0.4, ".y: 2 and 2.5"),
        (Point(1, 2), Box(1, 2, 3, 4), 9, "the whole"),
        (1, 1.0, 0, None),
        (True, 1, 0, "the whole"),
        (True, True, 0, None),
        ("1", 1, 0, "the whole"),
        ((1, 2), [1, 2], 0, None),
        ((1, 2), (1,), 0, "the whole: 2 items and 1"),
        ({"a": 1}, {"a": 2}, 0, "['a']: 1 and 2"),
        ({"a": 1}, {"a": 1}, 0, None),
        ({"a": 1}, {"b": 1}, 0, "the whole"),
        (None, None, 0, None),
        (Polyline((0, 0, 1, 1)), Polyline((0, 0, 1, 2)), 0, ".points[3]: 1 and 2"),
        (float("nan"), 1.0, 5, "the whole"),
    ],
)
def test_a_difference_has_its_place(
    one: object, other: object, precision: float, place: str | None
) -> None:
    found = testing.difference(one, other, precision)
    if place is None:
        assert found is None
    else:
        assert found is not None
        assert found.startswith(place)


def test_what_a_format_does_not_promise_is_not_compared() -> None:
    sample = Sample(
        "k",
        Image(8, 8),
        (
            Annotation("x", "cat", Point(0, 0), extra={"a:b": 1}),
            Annotation("y", "cat", Point(0, 0)),
        ),
        relations=(Relation("r", "near", "y", "gone"),),
        uri="somewhere",
        extra={"a:b": 1},
    )
    plain = testing.comparable(sample, Holds(size=False, uri=False))
    assert plain == Sample(
        "k",
        Image(),
        (Annotation("0", "cat", Point(0, 0)), Annotation("1", "cat", Point(0, 0))),
        relations=(Relation("r0", "near", "1", "gone"),),
    )
    assert testing.comparable(sample, Holds(ids=True, extra="all")) == sample


# ------------------------------------------------------------------------------ strategies

_NARROW = Holds(values=frozenset({Polygon, Keypoints}))


@given(testing.datasets(_NARROW))
def test_a_dataset_has_nothing_that_is_not_held(dataset: Samples) -> None:
    for sample in dataset:
        assert not sample.classifications
        assert not sample.relations
        assert not sample.extra
        for annotation in sample.annotations:
            assert annotation.confidence is None
            assert not annotation.classifications
            value = annotation.value
            polygon = value.outline if isinstance(value, Keypoints) else value
            if isinstance(polygon, Polygon):
                assert len(polygon.parts) == len(polygon.parts[0]) == 1
            else:
                assert polygon is None


@given(st.data())
def test_a_sample_can_be_drawn_alone_also_of_skeletons_alone(data: st.DataObject) -> None:
    holds = Holds(values=frozenset({Keypoints}))
    sample = data.draw(testing.samples(holds))
    assert all(isinstance(annotation.value, Keypoints) for annotation in sample.annotations)


@pytest.mark.parametrize(
    "media",
    [
        model.Image,
        model.Video,
        model.Text,
        model.Conversation,
        model.Document,
        model.TiledImage,
        model.Audio,
    ],
)
def test_everything_draws_all_kinds_of_values(media: type[Any]) -> None:
    seen: set[str] = set()

    @given(testing.everything(media))
    def look(dataset: Samples) -> None:
        for sample in dataset:
            assert type(sample.media) is media
            seen.update(type(annotation.value).__name__ for annotation in sample.annotations)

    look()
    assert len(seen) >= 4
