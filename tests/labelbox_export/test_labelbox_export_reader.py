"""The reader of exports: which records, labels, projects and keys; times; faults told apart."""

from __future__ import annotations

import gzip
import json
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from labelbox_export_help import FIXTURES, box, fixture, label, lines, row

import labelconv as lc
from labelconv import registry
from labelconv.convert import convert
from labelconv.errors import OptionError, SourceError
from labelconv.format import Reading, Wanted
from labelconv.io import Source
from labelconv.keys import Keys
from labelconv.model import (
    Audio,
    Box,
    Checklist,
    Conversation,
    Document,
    Image,
    Keyframe,
    Radio,
    Sample,
    Text,
    TextSpan,
    TiledImage,
    Track,
    Video,
)
from labelconv.problems import Report

FORMAT = "labelbox-export"


def _read(path: Path, **options: Any) -> tuple[list[Sample], lc.Report]:
    dataset = lc.read(path, FORMAT, options=options)
    return list(dataset), dataset.report


# ------------------------------------------------------------------------------ sniffing


@pytest.mark.parametrize("case", sorted(path.name for path in FIXTURES.iterdir() if path.is_dir()))
def test_every_export_is_recognised_and_by_no_other_format(case: str) -> None:
    peek = Source(fixture(case)).peek()
    sure = {
        each.name: each.sniff(peek).certainty
        for each in registry.all_formats()
        if each.sniff is not None
    }
    best = max(sure.values())
    assert [name for name, certainty in sure.items() if certainty == best] == [FORMAT]


@pytest.mark.parametrize("path", sorted((FIXTURES.parent / "labelbox").glob("*/input/*.ndjson")))
def test_mal_lines_are_no_export(path: Path) -> None:
    sniff = registry.get(FORMAT).sniff
    assert sniff is not None
    assert sniff(Source(path).peek()).certainty == 0


# ------------------------------------------------------------------------------ files


def test_a_compressed_export_and_a_printed_one_are_read_alike(tmp_path: Path) -> None:
    rows = [row(label(box("car", "f1"))), row(key="b.jpg")]
    plain, report = _read(lines(tmp_path / "a.ndjson", *rows))
    packed = tmp_path / "a.json.gz"
    packed.write_bytes(gzip.compress((tmp_path / "a.ndjson").read_bytes()))
    printed = tmp_path / "a.json"
    printed.write_text(json.dumps(rows, indent=2))
    alone = tmp_path / "one.json"
    alone.write_text(json.dumps(rows[0], indent=2))
    assert _read(packed)[0] == plain == _read(printed)[0]
    assert _read(alone)[0] == plain[:1]
    assert report.counts == {}


def test_a_list_that_is_cut_off_is_told(tmp_path: Path) -> None:
    path = tmp_path / "cut.json"
    path.write_text(json.dumps([row(label(box("car", "f1")))])[:-40])
    with pytest.raises(SourceError, match="cut off"):
        _read(path)


def test_memory_stays_flat_however_many_data_rows_there_are(tmp_path: Path) -> None:
    def peak(count: int) -> int:
        path = tmp_path / f"{count}.ndjson"
        with path.open("w") as file:
            for n in range(count):
                objects = [box("car", f"f{n}-{i}") for i in range(10)]
                file.write(json.dumps(row(label(*objects), key=f"{n}.jpg")) + "\n")
        reading = Reading(report=Report(), keys=Keys(), wanted=Wanted(extra=frozenset()))
        format = registry.get(FORMAT)
        assert format.read is not None
        tracemalloc.start()
        try:
            found = format.read(Source(path), format.reader_options(), reading)
            assert sum(len(sample.annotations) for sample in found) == 10 * count
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    # Keys are kept to find collisions; the rest is one window of the file.
    assert peak(4_000) < peak(1_000) + 1_500_000


# ------------------------------------------------------------------------------ keys, extra


@pytest.mark.parametrize(
    ("about", "options", "key", "is_id"),
    [
        ({}, {}, "a.jpg", False),
        ({"global_key": None, "external_id": "x.jpg"}, {}, "x.jpg", False),
        ({"global_key": None}, {}, "row-a.jpg", True),
        ({"external_id": "x.jpg"}, {"key": "external_id"}, "x.jpg", False),
        ({}, {"key": "id"}, "row-a.jpg", True),
    ],
)
def test_the_key_is_what_names_the_data_row(
    about: dict[str, Any], options: dict[str, Any], key: str, is_id: bool, tmp_path: Path
) -> None:
    (sample,), _ = _read(lines(tmp_path / "a.ndjson", row(**about)), **options)
    assert (sample.key, sample.key_is_id) == (key, is_id)


def test_a_data_row_without_the_key_that_is_asked_for_is_rejected(tmp_path: Path) -> None:
    path = lines(tmp_path / "a.ndjson", row(label(box("car", "f1"))), row(external_id="x", key="b"))
    samples, report = _read(path, key="external_id")
    assert [sample.key for sample in samples] == ["x"]
    assert report.counts == {"R101": 1}
    assert report.problems[0].where.line == 1
    assert report.ledger.samples.rejected == report.ledger.annotations.rejected == 1


def test_key_templates_take_any_field_of_the_data_row(tmp_path: Path) -> None:
    path = lines(tmp_path / "a.ndjson", row(external_id="x", details={}))
    (sample,) = lc.read(path, FORMAT, key="{id}/{external_id}/{stem}")
    assert sample.key == "row-a.jpg/x/a"


def test_what_has_no_place_is_kept_for_those_who_want_it_and_else_counted(tmp_path: Path) -> None:
    thing = box("car", "f1", feature_schema_id="s1", value="car")
    path = lines(tmp_path / "a.ndjson", row(label(thing), external_id="x"))
    (sample,), report = _read(path)
    assert sample.annotations[0].extra == {
        "labelbox-export:feature_schema_id": "s1",
        "labelbox-export:value": "car",
    }
    assert sample.uri is None
    assert sample.extra["labelbox-export:data_row_id"] == "row-a.jpg"
    assert sample.extra["labelbox-export:row_data"] == "https://example.org/a.jpg"
    assert sample.extra["labelbox-export:labels"] == [
        {"id": "label", "project": "p1", "project_name": "One", "label_kind": "Default"}
    ]
    assert report.fields == {}
    counted = convert(path, tmp_path / "c.json", to="coco")
    fields = {name: n for name, n in counted.fields.items() if name.startswith(FORMAT)}
    assert fields == {
        "labelbox-export:data_row_id": 1,
        "labelbox-export:external_id": 1,
        "labelbox-export:feature_schema_id": 1,
        "labelbox-export:labels": 1,
        "labelbox-export:row_data": 1,
        "labelbox-export:value": 1,
    }
    assert next(iter(_read(path, uri=True)[0])).uri == "https://example.org/a.jpg"


# ------------------------------------------------------------------------------ which labels


@pytest.mark.parametrize(
    ("options", "categories", "skipped"),
    [
        ({}, ["new", "sign"], 4),
        ({"project": "Street"}, ["new"], 5),
        ({"project": "ckproject2"}, ["sign"], 5),
        ({"project": "Street", "label": "all"}, ["old", "new", "gold"], 3),
        ({"project": "Street", "label": "consensus"}, ["old"], 5),
        ({"project": "Street", "label": "benchmark"}, ["gold"], 5),
        ({"project": "Signs", "label": "benchmark"}, [], 6),
        ({"model_run": "v1"}, ["guess"], 5),
        ({"model_run": "ckrun1", "run_part": "labels"}, ["truth"], 5),
    ],
)
def test_the_labels_that_are_asked_for_are_read_and_the_others_counted_as_skipped(
    options: dict[str, Any], categories: list[str], skipped: int
) -> None:
    (sample,), report = _read(fixture("several"), **options)
    assert [annotation.category for annotation in sample.annotations] == categories
    account = report.ledger.annotations
    assert (account.read, account.skipped) == (6, skipped)
    assert report.counts["R143"] >= 1


@pytest.mark.parametrize("options", [{"project": "Stret"}, {"model_run": "v2"}])
def test_a_project_or_run_that_the_export_does_not_have_is_told_with_those_it_has(
    options: dict[str, Any],
) -> None:
    with pytest.raises(OptionError, match=r"Street|'v1'"):
        _read(fixture("several"), **options)


def test_an_answer_that_two_labels_share_is_read_once(tmp_path: Path) -> None:
    weather = {"name": "weather", "radio_answer": {"name": "sunny"}}
    other = {"name": "weather", "radio_answer": {"name": "rain"}}
    path = lines(
        tmp_path / "a.ndjson",
        row(*(label(classifications=[each]) for each in (weather, weather, other))),
    )
    (sample,), report = _read(path, label="all")
    answers = [each.answer for each in sample.classifications]
    assert answers == [Radio("sunny"), Radio("rain")]
    assert report.ledger.classifications.skipped == 1


@pytest.mark.parametrize("how", ["latest", "all", "consensus"])
def test_labels_marked_as_skipped_are_no_labels_even_if_they_are_the_latest(
    how: str, tmp_path: Path
) -> None:
    real = label(box("car", "f1"))
    left = label(box("van", "f2"), box("van", "f3")) | {
        "label_details": {"updated_at": "2026-01-02T00:00:00Z"},
        "performance_details": {"skipped": True, "consensus_score": 1},
    }
    done = label(box("sign", "f4")) | {"performance_details": {"skipped": False}}
    path = lines(tmp_path / "a.ndjson", row(left, real, done), row(left, key="b.jpg"))
    (first, second), report = _read(path, label=how)
    found = [annotation.category for annotation in first.annotations]
    assert found == (["car", "sign"] if how == "all" else ["sign"])
    assert second.annotations == ()
    account = report.ledger.annotations
    assert (account.read, account.skipped) == (6, 6 - len(found))
    assert "2 records" in next(p.message for p in report.problems if "marked" in p.message)


# ------------------------------------------------------------------------------ media


@pytest.mark.parametrize(
    ("attributes", "address", "media"),
    [
        ({"mime_type": "image/jpeg"}, "a", Image()),
        ({"mime_type": "video/mp4", "frame_count": 9}, "a", Video(frame_count=9)),
        ({"asset_type": "video", "mime_type": "application/octet-stream"}, "a.bin", Video()),
        ({"mime_type": "audio/mpeg"}, "a", Audio()),
        ({"mime_type": "application/pdf"}, "a", Document()),
        ({"mime_type": "text/html"}, "a", Text()),
        ({"mime_type": "application/vnd.labelbox.conversational"}, "a", Conversation()),
        ({}, "https://example.org/a.mp4?Expires=1", Video()),
        ({}, "https://example.org/a.PDF", Document()),
        ({}, "https://example.org/a", Image()),
        ({"width": 0, "height": -3}, "https://example.org/a.png", Image()),
    ],
)
def test_data_rows_without_labels_tell_their_media_by_type_and_address(
    attributes: dict[str, Any], address: str, media: Any, tmp_path: Path
) -> None:
    value = {"data_row": {"id": "1", "row_data": address}, "media_attributes": attributes}
    (sample,), _ = _read(lines(tmp_path / "a.ndjson", value))
    assert sample.media == media


def test_annotations_tell_the_media_before_its_type_does(tmp_path: Path) -> None:
    point = {"type": "Point", "coordinates": [9.0, 50.0]}
    well = {"feature_id": "f", "name": "well", "geojson": point}
    (sample,), _ = _read(lines(tmp_path / "a.ndjson", row(label(well))))
    assert sample.media == TiledImage("EPSG:4326", width=8.0, height=6.0)


# ------------------------------------------------------------------------------ time


def _video(objects: dict[str, float], **said: Any) -> dict[str, Any]:
    frames = {
        frame: {"objects": {"f": box("car", "f", left)}, "classifications": []}
        for frame, left in objects.items()
    }
    return row({"id": "l", "annotations": {"frames": frames, **said}})


@pytest.mark.parametrize(
    "keys", [[1, 5], {"1": True, "2": False, "3": False, "4": False, "5": True}]
)
def test_interpolated_frames_say_nothing_new_beside_key_frames_in_either_shape(
    keys: Any, tmp_path: Path
) -> None:
    value = _video(
        {"1": 0, "2": 2, "3": 4.2, "4": 6, "5": 8},
        segments={"f": [[1, 5]]},
        key_frame_feature_map={"f": keys},
    )
    (sample,), _ = _read(lines(tmp_path / "a.ndjson", value))
    track = sample.annotations[0].value
    assert isinstance(track, Track)
    assert track.segments == (
        (Keyframe(0, Box(0.0, 2.0, 4.0, 5.0)), Keyframe(4, Box(8.0, 2.0, 12.0, 5.0))),
    )


def test_a_segment_between_listed_frames_begins_where_the_object_is_on_its_way(
    tmp_path: Path,
) -> None:
    value = _video(
        {"1": 0, "9": 8},
        segments={"f": [[1, 3], [7, 9]]},
        key_frame_feature_map={"f": [1, 9]},
    )
    (sample,), report = _read(lines(tmp_path / "a.ndjson", value))
    track = sample.annotations[0].value
    assert isinstance(track, Track)
    places = [
        [(k.frame, k.shape.x0) for k in segment if isinstance(k.shape, Box)]
        for segment in track.segments
    ]
    assert places == [[(0, 0), (2, 2)], [(6, 6), (8, 8)]]
    assert report.counts == {"R113": 1}


def test_frames_count_from_zero_where_the_option_says_so(tmp_path: Path) -> None:
    path = lines(tmp_path / "a.ndjson", _video({"0": 0}))
    _, report = _read(path)
    assert report.counts == {"R101": 1}
    (sample,), report = _read(path, frame_base=0)
    track = sample.annotations[0].value
    assert isinstance(track, Track)
    assert track.segments[0][0].frame == 0
    assert report.counts == {}


def test_a_sound_s_answer_without_a_segment_is_rejected_since_its_end_is_not_known(
    tmp_path: Path,
) -> None:
    speaker = {"name": "speaker", "feature_id": "s", "checklist_answers": [{"name": "agent"}]}
    said = {"timestamp": {"200": {"classifications": [speaker]}}, "segments": {}}
    path = lines(tmp_path / "a.ndjson", row({"annotations": said}))
    (sample,), report = _read(path)
    assert sample.media == Audio()
    assert report.counts == {"R101": 1}
    said["segments"] = {"s": [[200, 900]]}
    (sample,), report = _read(lines(path, row({"annotations": said})))
    (answer,) = sample.classifications
    assert answer.answer == Checklist((Radio("agent"),))
    assert answer.ranges == ((200, 900),)


# ------------------------------------------------------------------------------ texts


def test_without_the_text_the_quoted_token_tells_the_end_in_code_points(tmp_path: Path) -> None:
    location = {"start": 2, "end": 4, "token": "\U0001f600!"}
    thing = {"feature_id": "f", "name": "X", "annotation_kind": "TextEntity", "location": location}
    path = lines(tmp_path / "a.ndjson", row(label(thing), key="a"))
    (sample,), report = _read(path)
    assert sample.annotations[0].value == TextSpan(2, 4)
    assert report.counts == {"R113": 1}


def test_offsets_in_code_points_are_taken_as_they_are(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("\U0001f600 Ada", encoding="utf-8")
    location = {"start": 2, "end": 4, "token": "Ada"}
    thing = {"feature_id": "f", "name": "X", "annotation_kind": "TextEntity", "location": location}
    path = lines(tmp_path / "a.ndjson", row(label(thing), key="a"))
    _, report = _read(path, texts=str(tmp_path))
    assert report.counts == {"M223": 1}
    (sample,), report = _read(path, texts=str(tmp_path), source_offsets="codepoint")
    assert sample.annotations[0].value == TextSpan(2, 5)
    assert report.counts == {}


def test_texts_are_not_looked_for_outside_of_their_folder(tmp_path: Path) -> None:
    (tmp_path / "texts").mkdir()
    (tmp_path / "secret.txt").write_text("secret")
    value = {"data_row": {"id": "1", "global_key": "../secret", "row_data": "x.txt"}}
    (sample,), _ = _read(lines(tmp_path / "a.ndjson", value), texts=str(tmp_path / "texts"))
    assert sample.media == Text()


# ------------------------------------------------------------------------------ hostile input


def test_questions_nested_hundreds_deep_are_rejected_alone(tmp_path: Path) -> None:
    question = '{"name":"q","radio_answer":{"name":"a","classifications":['
    nested = question * 300 + "]}}" * 300
    good = json.dumps(box("car", "f2"))
    deep = json.dumps(box("car", "f1", classifications=["DEEP"])).replace('"DEEP"', nested)
    text = json.dumps(row(label("A", "B"))).replace('"A"', deep).replace('"B"', good)
    path = tmp_path / "a.ndjson"
    path.write_text(text + "\n" + "[" * 200_000 + "\n" + json.dumps(row(key="b.jpg")) + "\n")
    samples, report = _read(path)
    assert [sample.key for sample in samples] == ["a.jpg", "b.jpg"]
    assert [annotation.id for annotation in samples[0].annotations] == ["f2"]
    assert [problem.where.line for problem in report.problems] == [1, 2]
    assert report.problems[0].where.pointer is not None
    assert report.problems[0].where.pointer.count("/radio_answer") == 51
    assert report.ledger.annotations.rejected == report.ledger.samples.rejected == 1


@pytest.mark.parametrize("value", [None, 7, "x", [], {}, [[]], True, 1e300, {"": None}])
@pytest.mark.parametrize(
    "place",
    [
        ("data_row", "global_key"),
        ("data_row", "row_data"),
        ("data_row", "external_id"),
        ("media_attributes",),
        ("media_attributes", "width"),
        ("projects",),
        ("projects", "p1"),
        ("projects", "p1", "name"),
        ("projects", "p1", "labels"),
        ("projects", "p1", "labels", 0),
        ("projects", "p1", "labels", 0, "label_details"),
        ("projects", "p1", "labels", 0, "annotations"),
        ("projects", "p1", "labels", 0, "annotations", "objects"),
        ("projects", "p1", "labels", 0, "annotations", "objects", 0),
        ("projects", "p1", "labels", 0, "annotations", "objects", 0, "name"),
        ("projects", "p1", "labels", 0, "annotations", "objects", 0, "feature_id"),
        ("projects", "p1", "labels", 0, "annotations", "objects", 0, "annotation_kind"),
        ("projects", "p1", "labels", 0, "annotations", "objects", 0, "classifications"),
        ("projects", "p1", "labels", 0, "annotations", "objects", 0, "confidence"),
        ("projects", "p1", "labels", 0, "annotations", "objects", 0, "bounding_box"),
        ("projects", "p1", "labels", 0, "annotations", "objects", 0, "bounding_box", "top"),
        ("projects", "p1", "labels", 0, "annotations", "classifications"),
        ("projects", "p1", "labels", 0, "annotations", "relationships"),
        ("projects", "p1", "labels", 0, "annotations", "frames"),
        ("projects", "p1", "labels", 0, "annotations", "segments"),
        ("projects", "p1", "labels", 0, "annotations", "timestamp"),
        ("experiments",),
    ],
)
def test_nothing_that_may_stand_in_an_export_stops_the_reading(
    place: tuple[Any, ...], value: Any, tmp_path: Path
) -> None:
    broken: Any = row(label(box("car", "f1"), box("bus", "f2", 3)))
    inside = broken
    for step in place[:-1]:
        inside = inside[step]
    inside[place[-1]] = value
    path = lines(tmp_path / "a.ndjson", broken, row(label(box("car", "f3")), key="b.jpg"))
    report = Report()
    convert(path, tmp_path / "n.ndjson", from_=FORMAT, to="native", report=report)
    assert report.ledger.balanced
    keys = [sample.key for sample in lc.read(tmp_path / "n.ndjson")]
    assert keys[-1] == "b.jpg"
    assert all(p.where.line == 1 for p in report.problems if p.severity == "error")


@pytest.mark.parametrize("place", ["name", "global_key", "value"])
def test_half_a_character_is_no_text_and_rejects_its_record_alone(
    place: str, tmp_path: Path
) -> None:
    half = "\ud800"
    broken = row(label(box("n", "f", **({"value": half} if place == "value" else {}))), key="b.jpg")
    if place == "name":
        broken = row(label(box(half, "f")), key="b.jpg")
    elif place == "global_key":
        broken["data_row"]["global_key"] = half
    source = lines(tmp_path / "a.ndjson", row(label(box("n", "g"))), broken)
    report = lc.convert(source, tmp_path / "out.ndjson", from_="labelbox-export", to="native")
    assert [(each.code, each.where.line) for each in report.problems] == [("R101", 2)]
    assert (report.ledger.samples.read, report.ledger.samples.rejected) == (2, 1)
