"""Videos: one line for each object, keyframes, masks as pictures, and answers over frames."""

from __future__ import annotations

import base64
import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from labelbox_media_help import lines_of, payload, put, samples_of, told
from PIL import Image as Pictures

from labelconv import masks
from labelconv.errors import OptionError
from labelconv.formats.labelbox import FORMAT, LabelboxWriterOptions
from labelconv.model import (
    Annotation,
    Box,
    Checklist,
    Classification,
    FreeText,
    Keyframe,
    Mask,
    OrientedBox,
    Point,
    Polygon,
    Polyline,
    Radio,
    Sample,
    Track,
    Video,
)
from labelconv.problems import Report

CLIP = Video(8, 6)


def still(*frames: int) -> tuple[Keyframe, ...]:
    return tuple(Keyframe(frame, Box(1, 1, 3, 4)) for frame in frames)


def clip(*annotations: Annotation, asked: tuple[Classification, ...] = ()) -> Sample:
    return Sample("k", CLIP, annotations, asked)


def frames(line: dict[str, Any]) -> list[list[int]]:
    return [[k["frame"] for k in segment["keyframes"]] for segment in line["segments"]]


def pixels(*rows: str) -> Mask:
    return masks.from_array(np.array([[c == "#" for c in row] for row in rows], dtype=np.uint8))


# ------------------------------------------------------------------------- tracks


def test_two_cars_of_one_class_in_one_clip_are_two_lines(tmp_path: Path) -> None:
    cars = [Annotation(n, "car", Track((still(0, 9),))) for n in ("1", "2")]
    lines = lines_of(tmp_path, clip(*cars))
    assert [line["name"] for line in lines] == ["car", "car"]
    assert len({line["uuid"] for line in lines}) == 2


def test_an_object_that_leaves_and_returns_is_one_line_of_two_segments(tmp_path: Path) -> None:
    track = Track((still(*range(5)), still(*range(8, 12))))
    (line,) = lines_of(tmp_path, clip(Annotation("1", "car", track)))
    assert frames(line) == [[1, 5], [9, 12]]


def test_a_box_that_stands_still_for_500_frames_is_two_keyframes(tmp_path: Path) -> None:
    report = Report()
    track = Track((still(*range(500)),))
    (line,) = lines_of(tmp_path, clip(Annotation("1", "car", track)), report=report)
    assert frames(line) == [[1, 500]]
    measured = report.keyframes
    assert (measured.tracks, measured.before, measured.after, measured.drift) == (1, 500, 2, 0.0)


@pytest.mark.parametrize(
    ("tolerance", "kept"), [(0.0, [[1, 2, 3, 4]]), (0.5, [[1, 4]]), (1.0, [[1, 4]])]
)
def test_keyframes_within_the_tolerance_are_left_out(
    tmp_path: Path, tolerance: float, kept: list[list[int]]
) -> None:
    wobbly = [Keyframe(n, Box(x, 0, 5, 5)) for n, x in enumerate((0, 0.25, -0.25, 0))]
    report = Report()
    annotation = Annotation("1", "car", Track((tuple(wobbly),)))
    (line,) = lines_of(tmp_path, clip(annotation), report=report, tolerance=tolerance)
    assert frames(line) == kept
    assert report.keyframes.drift == (0.25 if tolerance else 0.0)


@pytest.mark.parametrize("tolerance", [-1.0, float("nan"), float("inf")])
def test_a_tolerance_that_is_no_distance_is_the_callers_mistake(tolerance: float) -> None:
    with pytest.raises(OptionError):
        FORMAT.holds(LabelboxWriterOptions(tolerance=tolerance))


@pytest.mark.parametrize(
    ("shape", "wire"),
    [
        (Box(6, 5, 36, 25), {"bbox": {"top": 5, "left": 6, "height": 20, "width": 30}}),
        (Point(3, 4.5), {"point": {"x": 3, "y": 4.5}}),
        (Polyline((0, 0, 5, 5)), {"line": [{"x": 0, "y": 0}, {"x": 5, "y": 5}]}),
    ],
)
def test_each_shape_of_a_keyframe_has_its_payload_there_and_back(
    tmp_path: Path, shape: Any, wire: dict[str, Any]
) -> None:
    annotation = Annotation("1", "car", Track(((Keyframe(0, shape),),)))
    (line,) = lines_of(tmp_path, clip(annotation))
    assert line["segments"] == [{"keyframes": [{"frame": 1} | wire]}]
    (sample,) = samples_of(put(tmp_path, line))
    assert sample.annotations[0].value == annotation.value
    assert sample.media == Video()


def test_frames_count_from_where_the_option_says(tmp_path: Path) -> None:
    (line,) = lines_of(
        tmp_path,
        clip(
            Annotation("1", "car", Track((still(0),))),
            asked=(Classification("scene", Radio("in"), ((0, 2),)),),
        ),
        frame_base=0,
    )[:1]
    assert frames(line) == [[0]]
    path = put(
        tmp_path, {"name": "scene", "answer": {"name": "in"}, "frames": [{"start": 0, "end": 1}]}
    )
    (sample,) = samples_of(path, frame_base=0)
    assert sample.classifications[0].ranges == ((0, 2),)


def test_answers_about_a_whole_track_stand_on_its_keyframes(tmp_path: Path) -> None:
    colour, wet = Classification("colour", Radio("red")), Classification("wet", Radio("yes"))
    dry = Classification("wet", Radio("no"))
    track = Track(((Keyframe(0, Box(0, 0, 1, 1), (wet,)), Keyframe(9, Box(0, 0, 1, 1))),))
    report = Report()
    annotation = Annotation("1", "car", track, (colour, dry))
    (line,) = lines_of(tmp_path, clip(annotation), report=report)
    said = [k["classifications"] for k in line["segments"][0]["keyframes"]]
    red = {"name": "colour", "answer": {"name": "red"}}
    assert said == [
        [{"name": "wet", "answer": {"name": "yes"}}, red],
        [red, {"name": "wet", "answer": {"name": "no"}}],
    ]
    assert report.counts == {"L413": 1}
    assert report.ledger.annotations.changed == 1


def test_answers_below_answers_on_keyframes_are_a_loss_since_the_server_drops_them(
    tmp_path: Path,
) -> None:
    deep = Classification("colour", Radio("red", (Classification("shade", Radio("dark")),)))
    track = Track(((Keyframe(0, Box(0, 0, 1, 1), (deep,)),),))
    report = Report()
    (line,) = lines_of(tmp_path, clip(Annotation("1", "car", track)), report=report)
    (keyframe,) = line["segments"][0]["keyframes"]
    assert keyframe["classifications"] == [{"name": "colour", "answer": {"name": "red"}}]
    assert report.counts == {"L406": 1}


@pytest.mark.parametrize("shape", [Polygon((((0, 0, 4, 0, 4, 3),),)), OrientedBox(2, 2, 2, 1, 30)])
def test_polygons_and_turned_boxes_become_boxes_and_the_loss_is_measured(
    tmp_path: Path, shape: Any
) -> None:
    report = Report()
    annotation = Annotation("1", "car", Track(((Keyframe(0, shape),),)))
    (line,) = lines_of(tmp_path, clip(annotation), report=report)
    assert "bbox" in line["segments"][0]["keyframes"][0]
    assert report.counts == {"L402": 1}
    assert 0 < (report.measures["L402"].worst or 0) < 0.7


def test_polygons_become_masks_by_the_option(tmp_path: Path) -> None:
    square = Polygon((((1, 1, 3, 1, 3, 3, 1, 3),),))
    annotation = Annotation("1", "car", Track(((Keyframe(0, square),),)))
    (line,) = lines_of(tmp_path, clip(annotation), video_polygon="mask")
    assert list(payload(line)) == ["masks"]
    (sample,) = samples_of(put(tmp_path, line))
    (found,) = sample.annotations
    assert masks.area(found.value.segments[0][0].shape) == 4


def test_confidence_and_shapes_without_a_track_have_no_place(tmp_path: Path) -> None:
    report = Report()
    sure = Annotation("1", "car", Track((still(0),)), confidence=0.5)
    lines = lines_of(tmp_path, clip(sure, Annotation("2", "car", Box(0, 0, 1, 1))), report=report)
    assert len(lines) == 1
    assert report.counts == {"L405": 1, "L401": 1}


@pytest.mark.parametrize("order", [(5, 5), (5, 4), (-1, 3)])
def test_frames_that_do_not_rise_reject_the_track_alone(
    tmp_path: Path, order: tuple[int, int]
) -> None:
    report = Report()
    bad = Track((still(order[0]), still(order[1])))
    good = Annotation("2", "car", Track((still(0),)))
    lines = lines_of(tmp_path, clip(Annotation("1", "car", bad), good), report=report)
    assert len(lines) == 1
    assert [(each.code, each.where.annotation) for each in report.take_rejected()] == [
        ("M205", "1")
    ]


def test_keyframes_out_of_order_are_read_in_order_and_those_of_one_frame_are_not(
    tmp_path: Path,
) -> None:
    box = {"bbox": {"top": 0, "left": 0, "height": 1, "width": 1}}

    def line(*segments: list[int]) -> dict[str, Any]:
        return {
            "name": "car",
            "segments": [{"keyframes": [{"frame": f} | box for f in each]} for each in segments],
        }

    report = Report()
    (sample,) = samples_of(
        put(tmp_path, line([9, 7], [3, 1]), line([1, 1]), line([1, 5], [3])), report
    )
    (track,) = (each.value for each in sample.annotations)
    assert [[k.frame for k in segment] for segment in track.segments] == [[0, 2], [6, 8]]
    assert told(report) == [
        ("R133", "/segments"),
        ("R101", "/segments/0/keyframes/1/frame"),
        ("R101", "/segments/1/keyframes/0/frame"),
    ]


def test_frame_zero_is_refused_unless_frames_count_from_zero(tmp_path: Path) -> None:
    keyframe = {"frame": 0, "point": {"x": 1, "y": 1}}
    path = put(tmp_path, {"name": "tip", "segments": [{"keyframes": [keyframe]}]})
    report = Report()
    assert samples_of(path, report)[0].annotations == ()
    assert told(report) == [("R101", "/segments/0/keyframes/0/frame")]
    (sample,) = samples_of(path, frame_base=0)
    assert sample.annotations[0].value == Track(((Keyframe(0, Point(1, 1)),),))


# ------------------------------------------------------------------------- masks


LEFT = pixels("##......", *["........"] * 5)
BOTH = pixels("####....", *["........"] * 5)


def masked(id: str, *keyframes: tuple[int, Mask]) -> Annotation:
    return Annotation(id, f"car {id}", Track((tuple(Keyframe(f, m) for f, m in keyframes),)))


def test_all_masks_of_a_video_are_one_line_with_a_picture_for_each_frame(tmp_path: Path) -> None:
    right = pixels("......##", *["........"] * 5)
    sample = clip(
        masked("1", (0, LEFT), (1, LEFT)),
        Annotation("3", "box", Track((still(0),))),
        masked("2", (1, right)),
    )
    box, line = lines_of(tmp_path, sample)
    assert "segments" in box
    assert "name" not in line
    shown = line["masks"]
    assert [each["index"] for each in shown["frames"]] == [1, 2]
    assert [each["name"] for each in shown["instances"]] == ["car 1", "car 2"]
    picture = np.asarray(Pictures.open(io.BytesIO(base64.b64decode(shown["frames"][1]["imBytes"]))))
    assert picture.shape == (6, 8, 3)
    for place, instance in ((0, 0), (7, 1)):
        assert picture[0, place].tolist() == shown["instances"][instance]["colorRGB"]
    assert not picture[1:].any()

    (found,) = samples_of(put(tmp_path, box, line))
    assert [each.category for each in found.annotations] == ["box", "car 1", "car 2"]
    assert found.annotations[1].value == Track((still_masks((0, LEFT), (1, LEFT)),))
    assert found.annotations[2].value == Track((still_masks((1, right)),))


def still_masks(*keyframes: tuple[int, Mask]) -> tuple[Keyframe, ...]:
    return tuple(Keyframe(frame, mask) for frame, mask in keyframes)


def test_pictures_are_files_with_the_option_and_read_from_beside_the_lines(tmp_path: Path) -> None:
    sample = clip(masked("1", (0, LEFT), (1, LEFT)))
    (line,) = lines_of(tmp_path, sample, masks="composite")
    names = [each["instanceURI"] for each in line["masks"]["frames"]]
    assert sorted(names) == sorted(
        f"masks/{path.name}" for path in (tmp_path / "written.ndjson" / "masks").iterdir()
    )
    (found,) = samples_of(tmp_path / "written.ndjson" / "annotations.ndjson")
    assert found.annotations[0].value == sample.annotations[0].value


def test_a_mask_holds_until_its_next_keyframe_and_is_in_every_picture(tmp_path: Path) -> None:
    report = Report()
    (line,) = lines_of(tmp_path, clip(masked("1", (0, LEFT), (3, BOTH))), report=report)
    assert [each["index"] for each in line["masks"]["frames"]] == [1, 2, 3, 4]
    (found,) = samples_of(put(tmp_path, line))
    (segment,) = found.annotations[0].value.segments
    assert [k.shape for k in segment] == [LEFT, LEFT, LEFT, BOTH]
    assert report.counts == {"L413": 1}


def test_the_later_mask_lies_on_top_and_what_it_covers_is_a_measured_loss(tmp_path: Path) -> None:
    report = Report()
    (line,) = lines_of(
        tmp_path, clip(masked("1", (0, BOTH)), masked("2", (0, LEFT))), report=report
    )
    (found,) = samples_of(put(tmp_path, line))
    first, second = (each.value.segments[0][0].shape for each in found.annotations)
    assert first == pixels("..##....", *["........"] * 5)
    assert second == LEFT
    assert report.counts == {"L402": 1}
    assert report.measures["L402"].worst == 0.5
    assert (report.ledger.annotations.lost, report.ledger.annotations.kept) == (1, 1)


def test_a_mask_without_a_pixel_is_a_gap_and_a_track_of_them_is_lost(tmp_path: Path) -> None:
    empty = pixels(*["........"] * 6)
    report = Report()
    sample = clip(masked("1", (0, LEFT), (1, empty), (2, LEFT)), masked("2", (0, empty)))
    (line,) = lines_of(tmp_path, sample, report=report)
    assert [each["index"] for each in line["masks"]["frames"]] == [1, 3]
    assert [each["name"] for each in line["masks"]["instances"]] == ["car 1"]
    assert report.counts == {"L413": 1, "L401": 1}


def test_a_colour_that_the_line_does_not_name_is_told(tmp_path: Path) -> None:
    right = pixels("......##", *["........"] * 5)
    (line,) = lines_of(tmp_path, clip(masked("1", (0, LEFT), (1, LEFT)), masked("2", (0, right))))
    colour = line["masks"]["instances"].pop()["colorRGB"]
    report = Report()
    (found,) = samples_of(put(tmp_path, line), report)
    assert [each.category for each in found.annotations] == ["car 1"]
    assert told(report) == [("R120", "/masks/instances")]
    assert str(tuple(colour)) in report.problems[0].message


def test_a_colour_that_no_picture_has_is_rejected_alone(tmp_path: Path) -> None:
    (line,) = lines_of(tmp_path, clip(masked("1", (0, LEFT))))
    line["masks"]["instances"].append({"colorRGB": [1, 2, 3], "name": "ghost"})
    report = Report()
    (found,) = samples_of(put(tmp_path, line), report)
    assert [each.category for each in found.annotations] == ["car 1"]
    assert told(report) == [("R119", "/masks/instances/1/colorRGB")]


@pytest.mark.parametrize(
    ("change", "code", "pointer"),
    [
        (lambda m: m["frames"].append(m["frames"][0]), "R101", "/masks/frames/1/index"),
        (lambda m: m["instances"].append(m["instances"][0]), "R101", "/masks/instances/1/colorRGB"),
        (lambda m: m["frames"][0].update(imBytes="bm8="), "S510", "/masks/frames/0/imBytes"),
        (lambda m: m["frames"][0].update(index=0), "R101", "/masks/frames/0/index"),
    ],
)
def test_a_faulty_line_of_masks_is_rejected(
    tmp_path: Path, change: Any, code: str, pointer: str
) -> None:
    (line,) = lines_of(tmp_path, clip(masked("1", (0, LEFT))))
    change(line["masks"])
    report = Report()
    (found,) = samples_of(put(tmp_path, line), report)
    assert found.annotations == ()
    assert told(report) == [(code, pointer)]


# ------------------------------------------------------------------------- answers


def test_a_radio_that_changes_at_frame_40_keeps_both_answers_and_ranges(tmp_path: Path) -> None:
    asked = (
        Classification("scene", Radio("indoor"), ((0, 40),)),
        Classification("scene", Radio("outdoor"), ((40, 100),)),
    )
    (line,) = lines_of(tmp_path, clip(asked=asked))
    assert payload(line) == {
        "name": "scene",
        "answer": [
            {"name": "indoor", "frames": [{"start": 1, "end": 40}]},
            {"name": "outdoor", "frames": [{"start": 41, "end": 100}]},
        ],
    }
    (sample,) = samples_of(put(tmp_path, line))
    assert sample.classifications == asked


@pytest.mark.parametrize(
    ("answer", "wire"),
    [
        (Radio("indoor"), {"answer": {"name": "indoor"}}),
        (Checklist((Radio("a"), Radio("b"))), {"answer": [{"name": "a"}, {"name": "b"}]}),
        (Checklist((Radio("a"),)), {"answer": [{"name": "a"}]}),
    ],
)
def test_one_answer_for_all_ranges_has_them_beside_it(
    tmp_path: Path, answer: Any, wire: dict[str, Any]
) -> None:
    asked = Classification("scene", answer, ((6, 13), (17, 19)))
    (line,) = lines_of(tmp_path, clip(asked=(asked,)))
    ranges = [{"start": 7, "end": 13}, {"start": 18, "end": 19}]
    assert payload(line) == {"name": "scene", **wire, "frames": ranges}
    assert "uuid" in line
    (sample,) = samples_of(put(tmp_path, line))
    assert sample.classifications == (asked,)


def test_texts_over_frames_are_a_list_without_a_uuid_as_the_sdk_writes_them(tmp_path: Path) -> None:
    asked = (
        Classification("caption", FreeText("hello"), ((0, 5), (9, 10))),
        Classification("caption", FreeText("bye"), ((5, 9),)),
    )
    (line,) = lines_of(tmp_path, clip(asked=asked))
    assert "uuid" not in line
    assert line["answer"] == [
        {"value": "hello", "frames": [{"start": 1, "end": 5}, {"start": 10, "end": 10}]},
        {"value": "bye", "frames": [{"start": 6, "end": 9}]},
    ]
    (sample,) = samples_of(put(tmp_path, line))
    assert sample.classifications == asked


def test_lists_that_change_have_the_ranges_of_each_option(tmp_path: Path) -> None:
    asked = (
        Classification("tags", Checklist((Radio("a"), Radio("b"))), ((0, 5),)),
        Classification("tags", Checklist((Radio("a"),)), ((5, 9),)),
    )
    (line,) = lines_of(tmp_path, clip(asked=asked))
    assert line["answer"] == [
        {"name": "a", "frames": [{"start": 1, "end": 5}, {"start": 6, "end": 9}]},
        {"name": "b", "frames": [{"start": 1, "end": 5}]},
    ]


def test_several_lines_of_one_radio_and_a_range_inside_the_option_are_read(tmp_path: Path) -> None:
    lines = [
        {"name": "scene", "answer": {"name": "in"}, "frames": [{"start": 1, "end": 4}]},
        {"name": "scene", "answer": {"name": "out", "frames": [{"start": 5, "end": 9}]}},
        {"name": "tags", "answers": [{"name": "a", "frames": [{"start": 1, "end": 2}]}]},
    ]
    report = Report()
    (sample,) = samples_of(put(tmp_path, *lines), report)
    assert report.problems == []
    assert sample.classifications == (
        Classification("scene", Radio("in"), ((0, 4),)),
        Classification("scene", Radio("out"), ((4, 9),)),
        Classification("tags", Checklist((Radio("a"),)), ((0, 2),)),
    )


@pytest.mark.parametrize(
    ("line", "pointer"),
    [
        ({"answer": {"name": "a"}, "frames": [{"start": 3, "end": 2}]}, "/frames/0/end"),
        ({"answer": {"name": "a"}, "frames": [{"start": 0, "end": 2}]}, "/frames/0/start"),
        (
            {"answer": [{"value": "a", "frames": [{"start": 3, "end": 2}]}]},
            "/answer/0/frames/0/end",
        ),
        (
            {
                "answer": {"name": "a", "frames": [{"start": 1, "end": 2}]},
                "frames": [{"start": 1, "end": 2}],
            },
            "/frames",
        ),
    ],
)
def test_ranges_that_cannot_be_are_rejected(
    tmp_path: Path, line: dict[str, Any], pointer: str
) -> None:
    report = Report()
    (sample,) = samples_of(put(tmp_path, {"name": "q"} | line), report)
    assert sample.classifications == ()
    assert told(report) == [("R101", pointer)]


def test_an_empty_range_and_answers_of_two_kinds_are_not_written(tmp_path: Path) -> None:
    report = Report()
    asked = (
        Classification("a", Radio("x"), ((4, 4),)),
        Classification("b", Radio("x"), ((0, 4),)),
        Classification("b", FreeText("x"), ((4, 8),)),
        Classification("c", Radio("x"), ((0, 4),)),
    )
    lines = lines_of(tmp_path, clip(asked=asked), report=report)
    assert [line["name"] for line in lines] == ["c"]
    assert [each.code for each in report.take_rejected()] == ["M205", "M205", "M205"]
    assert report.ledger.classifications.rejected == 3
