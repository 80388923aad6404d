"""Sounds: answers over milliseconds. Maps: degrees. And which media lines are about."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from labelbox_media_help import lines_of, payload, put, samples_of, told

from labelconv.formats.labelbox import LabelboxWriterOptions
from labelconv.formats.labelbox.writer import write
from labelconv.model import (
    Annotation,
    Audio,
    Box,
    Checklist,
    Classification,
    Conversation,
    Document,
    FreeText,
    Image,
    Mask,
    Point,
    Polygon,
    Polyline,
    Radio,
    Sample,
    Samples,
    Text,
    TiledImage,
    Video,
)
from labelconv.problems import Report

# ------------------------------------------------------------------------- sounds


def sound(*asked: Classification) -> Sample:
    return Sample("k", Audio(5000), (), asked)


def test_the_nested_transcript_of_the_reference_is_there_and_back(tmp_path: Path) -> None:
    line = {
        "name": "transcript",
        "answer": [
            {
                "value": "Hello",
                "frames": [{"start": 1600, "end": 2000}],
                "classifications": [
                    {
                        "name": "note",
                        "answer": [{"value": "polite", "frames": [{"start": 1600, "end": 1800}]}],
                    }
                ],
            }
        ],
    }
    (sample,) = samples_of(put(tmp_path, line), media="audio")
    note = Classification("note", FreeText("polite"), ((1600, 1800),))
    assert sample.media == Audio()
    assert sample.classifications == (
        Classification("transcript", FreeText("Hello", (note,)), ((1600, 2000),)),
    )
    (written,) = lines_of(tmp_path, sample)
    assert payload(written) == line
    assert "uuid" not in written


def test_options_over_time_are_lists_and_those_at_the_same_time_a_checklist(tmp_path: Path) -> None:
    asked = (
        Classification("speaker", Radio("agent"), ((200, 1600),)),
        Classification("speaker", Radio("caller"), ((1600, 2000),)),
        Classification("noise", Checklist((Radio("hum"),)), ((0, 1500), (2000, 3000))),
        Classification("noise", Checklist((Radio("echo"),)), ((2200, 2900),)),
        Classification("overall", Radio("good")),
    )
    lines = lines_of(tmp_path, sound(*asked))
    assert [payload(line) for line in lines] == [
        {
            "name": "speaker",
            "answer": [
                {"name": "agent", "frames": [{"start": 200, "end": 1600}]},
                {"name": "caller", "frames": [{"start": 1600, "end": 2000}]},
            ],
        },
        {
            "name": "noise",
            "answer": [
                {
                    "name": "hum",
                    "frames": [{"start": 0, "end": 1500}, {"start": 2000, "end": 3000}],
                },
                {"name": "echo", "frames": [{"start": 2200, "end": 2900}]},
            ],
        },
        {"name": "overall", "answer": {"name": "good"}},
    ]
    (sample,) = samples_of(put(tmp_path, *lines), media="audio")
    assert sample.classifications == asked


def test_answers_below_have_the_ranges_of_the_one_above_unless_they_say_others(
    tmp_path: Path,
) -> None:
    below = (
        Classification("mood", Radio("calm")),
        Classification("word", FreeText("hi"), ((10, 20),)),
    )
    asked = Classification("speaker", Radio("agent", below), ((10, 50), (60, 70)))
    (line,) = lines_of(tmp_path, sound(asked))
    ranges = [{"start": 10, "end": 50}, {"start": 60, "end": 70}]
    assert line["answer"][0]["classifications"] == [
        {"name": "mood", "answer": [{"name": "calm", "frames": ranges}]},
        {"name": "word", "answer": [{"value": "hi", "frames": [{"start": 10, "end": 20}]}]},
    ]
    (sample,) = samples_of(put(tmp_path, line), media="audio")
    assert sample.classifications == (asked,)


def test_an_answer_below_that_holds_longer_is_rejected_on_both_ways(tmp_path: Path) -> None:
    below = Classification("word", FreeText("hi"), ((40, 60),))
    report = Report()
    sample = sound(Classification("speaker", Radio("agent", (below,)), ((10, 50),)))
    assert lines_of(tmp_path, sample, report=report) == []
    assert [each.code for each in report.take_rejected()] == ["M205"]
    nested = {"name": "word", "answer": [{"value": "hi", "frames": [{"start": 40, "end": 60}]}]}
    item = {"name": "agent", "frames": [{"start": 10, "end": 50}], "classifications": [nested]}
    report = Report()
    (found,) = samples_of(
        put(tmp_path, {"name": "speaker", "answer": [item]}), report, media="audio"
    )
    assert found.classifications == ()
    assert told(report) == [("R101", "/answer/0/classifications/0/answer/0/frames/0")]


def test_the_same_text_twice_is_one_item_with_both_ranges(tmp_path: Path) -> None:
    asked = [Classification("t", FreeText("uh"), (each,)) for each in ((0, 5), (7, 9))]
    (line,) = lines_of(tmp_path, sound(*asked))
    ranges = [{"start": 0, "end": 5}, {"start": 7, "end": 9}]
    assert line["answer"] == [{"value": "uh", "frames": ranges}]


# ------------------------------------------------------------------------- maps


FIELD = Polygon((((-99.21, 19.40, -99.20, 19.40, -99.20, 19.39),),))


def map_of(*annotations: Annotation, crs: str = "EPSG:4326") -> Sample:
    return Sample("k", TiledImage(crs), annotations)


def test_shapes_of_maps_are_longitude_and_latitude(tmp_path: Path) -> None:
    shapes = [
        Point(-99.2065, 19.4002),
        Polyline((-99.21, 19.405, -99.20, 19.401)),
        FIELD,
        Box(-99.25, 19.25, -99.0, 19.5),
    ]
    made = [Annotation(str(n), "thing", shape) for n, shape in enumerate(shapes)]
    lines = lines_of(tmp_path, map_of(*made))
    assert lines[0]["point"] == {"x": -99.2065, "y": 19.4002}
    assert lines[1]["line"][0] == {"x": -99.21, "y": 19.405}
    assert lines[2]["polygon"][0] == {"x": -99.21, "y": 19.40}
    assert lines[3]["bbox"] == {"top": 19.25, "left": -99.25, "height": 0.25, "width": 0.25}
    (sample,) = samples_of(put(tmp_path, *lines), media="tiled")
    assert sample.media == TiledImage("EPSG:4326")
    assert [each.value for each in sample.annotations] == shapes


def test_boxes_of_both_signs_are_the_same_rectangle(tmp_path: Path) -> None:
    north = {"top": 19.5, "left": -99.25, "height": -0.25, "width": 0.25}
    south = {"top": 19.25, "left": -99.25, "height": 0.25, "width": 0.25}
    path = put(tmp_path, {"name": "house", "bbox": north}, {"name": "house", "bbox": south})
    report = Report()
    (sample,) = samples_of(path, report, media="tiled")
    assert [each.value for each in sample.annotations] == [Box(-99.25, 19.25, -99.0, 19.5)] * 2
    assert report.problems == []
    report = Report()
    samples_of(path, report)
    assert report.counts == {"R133": 1}


def test_holes_and_parts_of_maps_are_filled_and_split_and_masks_become_polygons(
    tmp_path: Path,
) -> None:
    shell = (0.0, 0.0, 9.0, 0.0, 9.0, 9.0)
    hole = (4.0, 1.0, 8.0, 1.0, 8.0, 5.0)
    far = tuple(n + 20 for n in shell)
    made = [
        Annotation("1", "field", Polygon(((shell, hole), (far,)))),
        Annotation("2", "field", Mask((2, 3), (2, 2, 2))),
    ]
    report = Report()
    lines = lines_of(tmp_path, map_of(*made, crs="pixel"), report=report)
    assert [list(payload(line)) for line in lines] == [["name", "polygon"]] * 3
    assert report.counts == {"L403": 1, "L411": 1, "L413": 1}
    (sample,) = samples_of(put(tmp_path, *lines), media="tiled", crs="pixel")
    assert sample.media == TiledImage("pixel")


def test_coordinates_of_another_crs_are_never_written_as_degrees(tmp_path: Path) -> None:
    sample = map_of(Annotation("1", "field", Point(448000, 5411000)), crs="EPSG:32633")
    (line,) = lines_of(tmp_path, sample)
    assert line["point"] == pytest.approx({"x": 14.291186, "y": 48.849789}, abs=1e-6)
    report = Report()
    settings = LabelboxWriterOptions()
    write(Samples([sample]), tmp_path / "raw.ndjson", settings, report)
    assert (tmp_path / "raw.ndjson").read_bytes() == b""
    assert [each.code for each in report.take_rejected()] == ["M205"]


# ------------------------------------------------------------------------- which media

BOX = {"bbox": {"top": 1, "left": 2, "height": 3, "width": 4}}
GLOBAL = {"answer": {"name": "a"}}
TELLING: list[tuple[dict[str, Any], type[Any]]] = [
    (BOX, Image),
    ({"segments": [{"keyframes": [{"frame": 1} | BOX]}]}, Video),
    (GLOBAL | {"frames": [{"start": 1, "end": 2}]}, Video),
    ({"answer": [{"name": "a", "frames": [{"start": 1, "end": 2}]}]}, Video),
    ({"location": {"start": 1, "end": 2}}, Text),
    ({"location": {"start": 1, "end": 2}, "messageId": "1"}, Conversation),
    (GLOBAL | {"messageId": "1"}, Conversation),
    (BOX | {"page": 0, "unit": "POINTS"}, Document),
    ({"textSelections": [{"groupId": "g", "tokenIds": ["t"], "page": 1}]}, Document),
    (GLOBAL, Image),
]


@pytest.mark.parametrize("pieces", [False, True])
@pytest.mark.parametrize(("line", "media"), TELLING, ids=lambda v: str(v)[:30])
def test_a_data_row_is_about_what_its_lines_tell(
    tmp_path: Path, line: dict[str, Any], media: type[Any], pieces: bool
) -> None:
    before = {"name": "global"} | GLOBAL
    (sample,) = samples_of(put(tmp_path, before, {"name": "n"} | line), pieces=pieces)
    assert type(sample.media) is media
    (alone,) = samples_of(put(tmp_path, {"name": "n"} | line), pieces=pieces)
    assert type(alone.media) is media


@pytest.mark.parametrize(
    ("option", "media"),
    [
        ("image", Image),
        ("video", Video),
        ("text", Text),
        ("conversation", Conversation),
        ("document", Document),
        ("tiled", TiledImage),
        ("audio", Audio),
    ],
)
def test_the_option_decides_where_lines_do_not_tell_and_only_there(
    tmp_path: Path, option: str, media: type[Any]
) -> None:
    rows = [
        {"dataRow": {"globalKey": str(n)}, "name": "n"} | line
        for n, (line, _) in enumerate(TELLING)
    ]
    for pieces in (False, True):
        samples = samples_of(put(tmp_path, *rows), media=option, pieces=pieces)
        found = {sample.key: type(sample.media) for sample in samples}
        for number, (line, told_media) in enumerate(TELLING):
            expected = told_media
            if line is GLOBAL:
                expected = media
            elif line is BOX and option == "tiled":
                expected = TiledImage
            elif line.get("answer") == TELLING[3][0]["answer"] and option == "audio":
                expected = Audio
            assert found[str(number)] is expected


def test_lines_of_several_media_in_one_file_stay_apart_in_any_order(tmp_path: Path) -> None:
    rows = [
        {"dataRow": {"globalKey": str(n)}, "name": f"n{turn}"} | line
        for turn in range(2)
        for n, (line, _) in enumerate(TELLING)
    ]
    for pieces in (False, True):
        report = Report()
        samples = samples_of(put(tmp_path, *rows), report, pieces=pieces)
        assert [problem.code for problem in report.problems] == ["R113"]
        kinds: dict[str, set[type[Any]]] = {}
        for sample in samples:
            kinds.setdefault(sample.key, set()).add(type(sample.media))
        assert kinds == {str(n): {media} for n, (_, media) in enumerate(TELLING)}


def test_a_line_about_other_media_than_its_data_row_is_rejected_alone(tmp_path: Path) -> None:
    track = {"name": "car", "segments": [{"keyframes": [{"frame": 1} | BOX]}]}
    lines = [
        track,
        {"name": "PER", "location": {"start": 1, "end": 2}},
        {"name": "box"} | BOX,
        {"name": "q", "messageId": "1"} | GLOBAL,
    ]
    report = Report()
    (sample,) = samples_of(put(tmp_path, *lines), report)
    assert isinstance(sample.media, Video)
    assert [each.category for each in sample.annotations] == ["car"]
    assert told(report) == [("R131", "/location"), ("R131", "/bbox"), ("R131", "/messageId")]


def test_older_spellings_of_other_media_are_read_too(tmp_path: Path) -> None:
    keyframe = {"frame": 1, "bbox": BOX["bbox"] | {"x": 1}, "classifications": None, "note": "n"}
    track = {"name": "car", "segments": [{"keyframes": [keyframe]}], "classifications": None}
    where = {"name": "PER", "location": {"start": 1, "end": 2, "token": "ab"}}
    report = Report()
    rows = [{"dataRow": {"globalKey": "v"}} | track, {"dataRow": {"globalKey": "t"}} | where]
    samples = samples_of(put(tmp_path, *rows), report)
    assert [len(sample.annotations) for sample in samples] == [1, 1]
    assert report.errors == 0
    assert set(report.fields) == {"labelbox:x", "labelbox:note", "labelbox:token"}
