"""Ultralytics NDJSON: records, members of each task, places of what is wrong, and what is kept."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import labelconv as lc
from labelconv.errors import SourceError
from labelconv.model import (
    Annotation,
    Box,
    Category,
    Image,
    Keypoint,
    Keypoints,
    Ontology,
    OrientedBox,
    Polygon,
    Radio,
    Sample,
    Samples,
)
from labelconv.problems import Problem, Report

NAME = "ultralytics-ndjson"
HEADER = {"type": "dataset", "task": "detect", "class_names": {"0": "cat", "2": "no"}}


def put(path: Path, *records: Any) -> Path:
    lines = [each if isinstance(each, str) else json.dumps(each) for each in records]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def image(file: str = "1.jpg", **rest: Any) -> dict[str, Any]:
    size = {"width": 100, "height": 50, "split": "train"}
    return {"type": "image", "file": file, **size, **rest}


def boxes(*rows: list[float]) -> dict[str, Any]:
    return {"annotations": {"boxes": list(rows)}}


class Read:
    """Samples, and the report, which must balance."""

    def __init__(self, path: Path, media: Path | None = None, **options: str) -> None:
        self.report = Report()
        data = lc.read(path, NAME, options=options, media=media, report=self.report)
        self.samples = list(data)
        self.ontology = data.ontology
        counted = self.report.ledger.annotations
        assert counted.read - counted.rejected - counted.skipped == sum(
            len(sample.annotations) for sample in self.samples
        )

    @property
    def values(self) -> list[Any]:
        return [each.value for sample in self.samples for each in sample.annotations]

    def errors(self) -> list[Problem]:
        return [each for each in self.report.problems if each.severity == "error"]


def test_a_file_is_recognised_by_its_first_line_and_read(tmp_path: Path) -> None:
    path = put(
        tmp_path / "a.ndjson",
        HEADER,
        image(url="https://example.org/1.jpg", **boxes([2, 0.5, 0.5, 0.2, 0.4])),
        image("2.jpg"),
        "",
    )
    (first, second) = lc.read(path)
    assert first.key == "1.jpg"
    assert first.uri == "https://example.org/1.jpg"
    assert first.annotations[0].category == "no"
    assert first.annotations[0].value == Box(40, 15, 60, pytest.approx(35))
    assert second.annotations == ()


@pytest.mark.parametrize(
    ("task", "member", "row", "kind"),
    [
        ("detect", "boxes", [0, 0.5, 0.5, 0.2, 0.2], Box),
        ("segment", "segments", [0, 0.1, 0.1, 0.4, 0.1, 0.4, 0.5], Polygon),
        ("obb", "obb", [0, 0.1, 0.2, 0.3, 0.2, 0.3, 0.6, 0.1, 0.6], OrientedBox),
        ("pose", "pose", [0, 0.5, 0.5, 0.2, 0.2, 0.5, 0.5, 2, 0, 0, 0], Keypoints),
        ("pose", "pose", [0, 0.5, 0.5, 0.2, 0.2, 0, 0, 0, 0, 0, 0], Box),
    ],
)
def test_each_task_has_its_member(
    task: str, member: str, row: list[float], kind: type, tmp_path: Path
) -> None:
    header = {**HEADER, "task": task, "kpt_shape": [2, 3]}
    path = put(tmp_path / "a.ndjson", header, image(annotations={member: [row]}))
    assert [type(value) for value in Read(path).values] == [kind]


def test_several_members_of_one_picture_are_all_read_under_ids_of_their_own(
    tmp_path: Path,
) -> None:
    both = {"boxes": [[0, 0.5, 0.5, 0.2, 0.2]], "segments": [[0, 0.1, 0.1, 0.4, 0.1, 0.4, 0.5]]}
    found = Read(put(tmp_path / "a.ndjson", HEADER, image(annotations=both)))
    assert [each.id for each in found.samples[0].annotations] == ["boxes/0", "segments/0"]


def test_classes_of_whole_pictures_are_answers(tmp_path: Path) -> None:
    header = {**HEADER, "task": "classify"}
    path = put(
        tmp_path / "a.ndjson",
        header,
        {"type": "image", "file": "1.jpg", "annotations": {"classification": [2, 0]}},
        {"type": "image", "file": "2.jpg", "annotations": {"classification": [1]}},
        {"type": "image", "file": "3.jpg", "annotations": {"classification": []}, "width": 5}
        | {"height": 5},
    )
    found = Read(path)
    assert [[c.answer for c in each.classifications] for each in found.samples] == [
        [Radio("no")],
        [],
        [],
    ]
    assert found.report.fields == {f"{NAME}:further classes": 1}
    assert [(each.code, each.where.pointer) for each in found.errors()] == [
        ("R103", "/annotations/classification/0")
    ]
    assert [question.name for question in found.ontology.questions] == ["class"]


@pytest.mark.parametrize(
    ("row", "code", "pointer"),
    [
        ([0, 0.5, 0.5, 0.2], "R101", "/4"),
        ([0, 0.5, 0.5, 0.2, 0.2, 0.9], "R101", "/5"),
        ([1, 0.5, 0.5, 0.2, 0.2], "R103", "/0"),
        ([0.5, 0.5, 0.5, 0.2, 0.2], "R103", "/0"),
        ([0, 0.5, 1.5, 0.2, 0.2], "R101", "/2"),
        ([0, 0.5, 0.5, -0.2, 0.2], "M201", "/3"),
        ([0, 0.5, "0.5", 0.2, 0.2], "R101", "/0"),
        ([0, 0.5, True, 0.2, 0.2], "R101", "/0"),
        ("0 0.5 0.5 0.2 0.2", "R101", "/0"),
        (None, "R101", "/0"),
    ],
)
def test_a_bad_row_is_rejected_alone_with_its_pointer(
    row: Any, code: str, pointer: str, tmp_path: Path
) -> None:
    good = [0, 0.5, 0.5, 0.2, 0.2]
    found = Read(put(tmp_path / "a.ndjson", HEADER, image(**boxes(good, row, good))))
    assert len(found.values) == 2
    (problem,) = found.errors()
    assert problem.code == code
    assert (problem.where.line, problem.where.pointer) == (2, f"/annotations/boxes/1{pointer}")


@pytest.mark.parametrize(
    "line",
    [
        "not json",
        '{"file": "1.jpg", "width": NaN}',
        "[1, 2]",
        '{"type": "image"}',
        '{"type": "image", "file": ""}',
        '{"type": "dataset", "file": "x.jpg"}',
        "[" * 5_000,
    ],
)
def test_a_bad_line_is_rejected_and_the_others_are_read(line: str, tmp_path: Path) -> None:
    path = put(tmp_path / "a.ndjson", HEADER, line, image("2.jpg"))
    found = Read(path)
    assert [sample.key for sample in found.samples] == ["2.jpg"]
    assert [(each.code, each.where.line) for each in found.errors()] == [("R101", 2)]
    assert found.report.take_rejected()[0].record == line.encode()


def test_a_size_that_is_not_said_comes_from_the_picture_or_rejects_the_sample(
    tmp_path: Path,
) -> None:
    from PIL import Image as Pillow

    (tmp_path / "photos").mkdir()
    Pillow.new("RGB", (40, 20)).save(tmp_path / "photos" / "1.jpg")
    record = {"type": "image", "file": "1.jpg", **boxes([0, 0.5, 0.5, 1, 1])}
    path = put(tmp_path / "a.ndjson", HEADER, record)
    assert Read(path, media=tmp_path / "photos").values == [Box(0, 0, 40, 20)]
    without = Read(path)
    assert [each.code for each in without.errors()] == ["R122"]
    assert without.report.ledger.annotations.rejected == 1


def test_a_split_can_be_chosen_and_the_others_are_skipped(tmp_path: Path) -> None:
    good = boxes([0, 0.5, 0.5, 0.2, 0.2])
    path = put(
        tmp_path / "a.ndjson",
        HEADER,
        image("1.jpg", **good),
        image("2.jpg", **good) | {"split": "val"},
    )
    found = Read(path, split="val")
    assert [sample.key for sample in found.samples] == ["2.jpg"]
    assert found.report.ledger.samples.skipped == 1
    assert found.report.ledger.annotations.skipped == 1


@pytest.mark.parametrize(
    "first",
    [
        "no json",
        '{"type": "image", "file": "1.jpg"}',
        "[]",
        '{"type": "dataset", "class_names": {"cat": "0"}}',
        '{"type": "dataset", "class_names": ["a", 1]}',
    ],
)
def test_a_first_line_that_is_no_dataset_record_is_an_unreadable_source(
    first: str, tmp_path: Path
) -> None:
    with pytest.raises(SourceError, match=":1: "):
        Read(put(tmp_path / "a.ndjson", first))


@pytest.mark.parametrize(
    ("tail", "shape"), [([0.1, 0.2, 2, 0.3, 0.4, 0], [2, 3]), ([0.1, 0.2, 0.3, 0.4], [2, 2])]
)
def test_the_shape_of_keypoints_is_found_out_as_ultralytics_does(
    tail: list[float], shape: list[int], tmp_path: Path
) -> None:
    header = {**HEADER, "task": "pose"}
    poses = {"pose": [[0, 0.5, 0.5, 0.2, 0.2, *tail]]}
    found = Read(put(tmp_path / "a.ndjson", header, image(annotations=poses)))
    assert found.report.counts == {"R113": 1}
    points = {point.name for point in found.values[0].points}
    assert points <= {f"keypoint_{number}" for number in range(shape[0])}


def test_a_shape_that_cannot_be_found_out_is_asked_for(tmp_path: Path) -> None:
    poses = {"pose": [[0, 0.5, 0.5, 0.2, 0.2, *[0.5] * 6]]}
    with pytest.raises(SourceError, match="kpt_shape"):
        Read(put(tmp_path / "a.ndjson", {**HEADER, "task": "pose"}, image(annotations=poses)))


# ------------------------------------------------------------------------------------ writing


def written(tmp_path: Path, *samples: Sample, **options: Any) -> list[dict[str, Any]]:
    points = Category(name="cat", keypoints=("nose", "tail"))
    data = Samples(samples, Ontology(categories=(points, Category(name="dog"))))
    lc.write(data, tmp_path / "out.ndjson", NAME, options=options, allow=["loss"])
    return [json.loads(line) for line in (tmp_path / "out.ndjson").read_text().splitlines()]


def sample(*values: Any, **rest: Any) -> Sample:
    marks = tuple(Annotation(str(at), "dog", value) for at, value in enumerate(values))
    return Sample("a/1.jpg", Image(100.0, 50.0), marks, **rest)


def test_what_ultralytics_reads_is_in_the_records(tmp_path: Path) -> None:
    header, record = written(tmp_path, sample(Box(10, 10, 30, 20), uri="https://example.org/x.jpg"))
    assert header["type"] == "dataset"
    assert header["task"] == "detect"
    assert header["class_names"] == {"0": "cat", "1": "dog"}
    assert record == {
        "type": "image",
        "file": "a/1.jpg",
        "url": "https://example.org/x.jpg",
        "width": 100.0,
        "height": 50.0,
        "split": "train",
        "annotations": {"boxes": [[1, 0.2, 0.3, 0.2, 0.2]]},
    }


def test_poses_have_a_shape_and_names_and_grow_with_what_is_met(tmp_path: Path) -> None:
    first = sample(Box(0, 0, 100, 50), Keypoints((Keypoint("x", 10, 10),), Box(0, 0, 20, 20)))
    late = Keypoints(tuple(Keypoint(name, 50, 25) for name in "xyz"), Box(0, 0, 20, 20))
    second = Sample("2.jpg", Image(100.0, 50.0), (Annotation("0", "dog", late),))
    header, one, two = written(tmp_path, first, second)
    assert header["kpt_shape"] == [3, 3]
    assert header["kpt_names"] == {"0": ["nose", "tail"], "1": ["x", "y", "z"]}
    rows = [*one["annotations"]["pose"], *two["annotations"]["pose"]]
    assert {len(row) for row in rows} == {5 + 9}
    assert rows[0][5:] == [0] * 9
    assert rows[2][5:] == [0.5, 0.5, 2] * 3


def test_what_the_header_and_the_records_say_besides_comes_back(tmp_path: Path) -> None:
    header = {**HEADER, "name": "mine", "version": 3}
    record = image(depth={"url": "x"}, **boxes([0, 0.5, 0.5, 0.2, 0.2])) | {"split": "val"}
    path = put(tmp_path / "a.ndjson", header, record)
    lc.convert(path, tmp_path / "b.ndjson", to=NAME)
    lines = [json.loads(line) for line in (tmp_path / "b.ndjson").read_text().splitlines()]
    assert (lines[0]["name"], lines[0]["version"]) == ("mine", 3)
    assert (lines[1]["split"], lines[1]["depth"]) == ("val", {"url": "x"})
    report = lc.convert(path, tmp_path / "c.ndjson", to="native")
    assert report.errors == 0
    counted = lc.convert(path, tmp_path / "d.json", to="coco").fields
    assert counted[f"{NAME}:split"] == counted[f"{NAME}:depth"] == 1


def test_yolo_and_ndjson_hold_the_same(tmp_path: Path) -> None:
    rows = [[0, 0.5, 0.5, 0.2, 0.2], [2, 0.25, 0.75, 0.125, 0.5]]
    path = put(tmp_path / "a.ndjson", HEADER, image(**boxes(*rows)))
    lc.convert(path, tmp_path / "yolo", to="yolo")
    lc.convert(tmp_path / "yolo", tmp_path / "b.ndjson", to=NAME)
    before, after = Read(path), Read(tmp_path / "b.ndjson")
    assert [each.category for each in after.samples[0].annotations] == ["cat", "no"]
    for one, other in zip(before.values, after.values, strict=True):
        assert (other.x0, other.y0, other.x1, other.y1) == pytest.approx(
            (one.x0, one.y0, one.x1, one.y1), abs=1e-5
        )


def test_labels_that_are_no_lists_are_rejected_not_passed_over(tmp_path: Path) -> None:
    path = put(
        tmp_path / "a.ndjson",
        HEADER,
        image("1.jpg", annotations=[[0, 0.5, 0.5, 0.1, 0.1]]),
        image("2.jpg", annotations={"boxes": {"0": 1}, "segments": None}),
        image("3.jpg", annotations={"classification": 2}),
        image("4.jpg", annotations=None),
    )
    found = Read(path)
    assert [sample.key for sample in found.samples] == ["2.jpg", "3.jpg", "4.jpg"]
    places = [each.where.pointer for each in found.report.problems if each.code == "R101"]
    assert places == ["/annotations", "/annotations/boxes/0/0"]
    (answer,) = found.samples[1].classifications
    assert answer.answer == Radio("no")
    ledger = found.report.ledger
    assert (ledger.samples.rejected, ledger.annotations.rejected) == (1, 1)
