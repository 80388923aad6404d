"""DICOM series, whose groups are videos, and v1's frames behind an address."""

from __future__ import annotations

import gc
import json
import tempfile
from pathlib import Path
from typing import Any

import pytest
from labelbox_export_help import box, fixture, label, lines, row
from test_labelbox_export_masks import Server
from test_labelbox_export_masks import server as _server

import labelconv as lc
from labelconv.convert import convert
from labelconv.formats.labelbox_export.addressed import cache_name
from labelconv.model import (
    Box,
    Checklist,
    Classification,
    FreeText,
    Keyframe,
    Radio,
    Track,
    Video,
)

FORMAT = "labelbox-export"
server = _server


def _read(path: Path, media: Path | None = None, **options: Any) -> tuple[list[Any], lc.Report]:
    dataset = lc.read(path, FORMAT, options=options, media=media)
    return list(dataset), dataset.report


# ---------------------------------------------------------------------------------- series


def test_the_group_that_is_asked_for_is_read_as_a_video_and_the_others_are_skipped() -> None:
    (both, one), report = _read(fixture("series"), group="AXIAL")
    assert both.media == Video(512.0, 512.0)
    assert [[[k.frame for k in s] for s in a.value.segments] for a in both.annotations] == [
        [[2, 6]],
        [[8]],
    ]
    assert [(c.name, c.answer) for c in both.classifications] == [
        ("side", Radio("left")),
        ("quality", Radio("good")),
    ]
    # Here segments are told for all groups at once; of the first, the end is on no listed frame.
    assert [[k.frame for k in s] for s in one.annotations[0].value.segments] == [[2, 4], [6]]
    ledger = report.ledger
    assert ledger.annotations.read == 6
    assert ledger.annotations.skipped == 2
    assert sum(len(sample.annotations) for sample in (both, one)) == 4
    assert report.fields[f"{FORMAT}:segments"] == 1


@pytest.mark.parametrize(
    ("options", "kept", "counts"),
    [
        # Without the option, the only group that has labels.
        ({}, [0, 2], {"R131": 2, "R113": 1}),
        ({"group": "coronal"}, [2, 0], {"R143": 1}),
        ({"group": "oblique"}, [0, 0], {"R143": 1}),
    ],
)
def test_of_several_groups_none_is_taken_for_the_other(
    options: dict[str, Any], kept: list[int], counts: dict[str, int]
) -> None:
    samples, report = _read(fixture("series"), **options)
    assert [len(sample.annotations) for sample in samples] == kept
    assert {code: report.counts.get(code) for code in counts} == counts
    account = report.ledger.annotations
    assert account.read == sum(kept) + account.rejected + account.skipped


def test_key_frames_of_a_series_are_listed_by_feature_and_then_by_group(tmp_path: Path) -> None:
    def rib(frame: int) -> dict[str, Any]:
        line = [{"x": frame, "y": 1.5}, {"x": 10.0 + frame, "y": 4}]
        kind = {"name": "rib", "annotation_kind": "DICOMPolyline"}
        return {"objects": {"f1": {"feature_id": "f1", **kind, "line": line}}}

    said = {
        "groups": {
            "Axial": {"name": "Axial", "frames": {str(n): rib(n) for n in range(1, 6)}},
            "Coronal": {"name": "Coronal", "frames": {"2": rib(2)}},
        },
        "segments": {"Axial": {"f1": [[1, 5]]}, "Coronal": {"f1": [[2, 2]]}},
        "key_frame_feature_map": {
            "f1": {"Axial": {"1": True, "2": False, "3": True, "5": True}, "Coronal": {"2": True}}
        },
    }
    path = lines(tmp_path / "a.ndjson", row({"annotations": said}))
    (sample,), _ = _read(path, group="axial")
    (track,) = (annotation.value for annotation in sample.annotations)
    # Frames 2 and 4 are interpolated; 3 is a key frame, though it lies on the way from 1 to 5.
    assert [[keyframe.frame for keyframe in segment] for segment in track.segments] == [[0, 2, 4]]


def test_groups_that_are_no_groups_are_rejected_alone(tmp_path: Path) -> None:
    bad = row({"annotations": {"groups": [1]}})
    worse = row({"annotations": {"groups": {"axial": 3}}}, key="b")
    path = lines(tmp_path / "a.ndjson", bad, worse)
    for options in ({}, {"group": "axial"}, {"group": "coronal"}):
        samples, report = _read(path, **options)
        assert [sample.annotations for sample in samples] == [(), ()]
        at = "/projects/p1/labels/0/annotations/groups"
        found = [(each.code, each.where.line, each.where.pointer) for each in report.problems]
        assert found == [("R101", 1, at), ("R101", 2, f"{at}/axial")]


def test_labels_of_series_that_are_not_read_are_counted_group_by_group(tmp_path: Path) -> None:
    groups = {
        name: {"frames": {"1": {"objects": {f"{name}{n}": box("x", "y") for n in range(2)}}}}
        for name in ("axial", "coronal")
    }
    old = {"annotations": {"groups": groups}, "label_details": {"updated_at": "1"}}
    new = {"annotations": {"objects": []}, "label_details": {"updated_at": "2"}}
    _, report = _read(lines(tmp_path / "a.ndjson", row(old, new)))
    assert (report.ledger.annotations.read, report.ledger.annotations.skipped) == (4, 4)


# ------------------------------------------------------------------------------ frames of v1


def _shown(frame: int, left: float, *, keyframe: bool, id: str = "f1") -> dict[str, Any]:
    edges = {"top": 10, "left": left, "height": 20, "width": 30}
    said = {"featureId": id, "schemaId": "s1", "title": "car", "value": "car", "color": "#f00"}
    return {**said, "keyframe": keyframe, "bbox": edges}


def _frames(*more: Any) -> bytes:
    """A car that moves from frame 1 to 5, and is seen again in 8."""
    scene = {"featureId": "c1", "title": "scene", "value": "s", "answer": {"title": "town"}}
    found: list[Any] = [
        {
            "frameNumber": frame,
            "objects": [_shown(frame, 10 * frame, keyframe=frame in (1, 5, 8))],
            "classifications": [scene] if frame < 3 else [],
        }
        for frame in (1, 2, 3, 4, 5, 8)
    ]
    return "\n".join(
        each if isinstance(each, str) else json.dumps(each) for each in (*found, *more)
    ).encode()


def _v1(folder: Path, address: str) -> Path:
    record = {
        "ID": "l1",
        "DataRow ID": "r1",
        "External ID": "drive.mp4",
        "Labeled Data": "https://example.org/drive.mp4",
        "Label": {"frames": address},
        "Project Name": "Street",
    }
    path = folder / "v1.json"
    path.write_text(json.dumps([record]))
    return path


def _car(*frames: int) -> tuple[Keyframe, ...]:
    return tuple(Keyframe(f - 1, Box(10.0 * f, 10.0, 10.0 * f + 30, 30.0), ()) for f in frames)


ADDRESS = "https://api.labelbox.com/v1/frames/ckq"


@pytest.mark.parametrize("name", [cache_name(ADDRESS, ".ndjson"), "l1.ndjson"])
def test_frames_of_v1_are_found_in_the_folder_of_media(name: str, tmp_path: Path) -> None:
    media = tmp_path / "frames"
    media.mkdir()
    (media / name).write_bytes(_frames())
    (sample,), report = _read(_v1(tmp_path, ADDRESS), media)
    assert report.counts == {}
    (car,) = sample.annotations
    # Frames between key frames say nothing new and are left out.
    assert car.value == Track((_car(1, 5), _car(8)))
    assert (car.id, car.category) == ("f1", "car")
    assert car.extra[f"{FORMAT}:color"] == "#f00"
    assert [(c.name, c.answer, c.ranges) for c in sample.classifications] == [
        ("scene", Radio("town"), ((0, 2),))
    ]
    assert (report.ledger.annotations.read, report.ledger.classifications.read) == (1, 1)


def test_frames_of_v1_that_are_not_at_hand_are_told_and_what_to_do(tmp_path: Path) -> None:
    (sample,), report = _read(_v1(tmp_path, ADDRESS))
    assert sample.key == "drive.mp4"
    assert isinstance(sample.media, Video)
    assert report.counts == {"R112": 1}
    assert report.problems[0].where.pointer == "/0/Label/frames"
    (_,), report = _read(_v1(tmp_path, "nowhere"))
    assert report.counts == {"R101": 1}


def test_frames_of_v1_are_fetched_with_the_key_and_stay_in_the_folder(
    server: Server, tmp_path: Path
) -> None:
    media = tmp_path / "frames"
    media.mkdir()
    address = f"http://{server.host}/frames"
    server.files["/frames"] = _frames()
    options = {"fetch": True, "api_key_env": "MASK_KEY", "api_host": server.host}
    (sample,), report = _read(_v1(tmp_path, address), media, **options)
    assert sample.annotations[0].value == Track((_car(1, 5), _car(8)))
    assert report.counts == {}
    assert server.asked == [("/frames", "Bearer secret")]
    assert [path.name for path in media.iterdir()] == [cache_name(address, ".ndjson")]
    dataset = lc.read(_v1(tmp_path, address), FORMAT, media=media)
    assert [category.name for category in dataset.ontology.categories] == ["car"]
    assert len(server.asked) == 1


def test_without_a_folder_frames_of_v1_are_fetched_once_for_ontology_and_samples(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    server.files["/frames"] = _frames()
    source = _v1(tmp_path, f"http://{server.host}/frames")
    options = {"fetch": True, "api_key_env": "MASK_KEY", "api_host": server.host}
    dataset = lc.read(source, FORMAT, options=options)
    assert [category.name for category in dataset.ontology.categories] == ["car"]
    (sample,) = dataset
    assert sample.annotations[0].value == Track((_car(1, 5), _car(8)))
    assert server.asked == [("/frames", "Bearer secret")]
    assert len(list((tmp_path / "temporary").iterdir())) == 1
    del dataset
    gc.collect()
    assert list((tmp_path / "temporary").iterdir()) == []


def test_what_is_no_frames_is_not_kept_in_the_folder(server: Server, tmp_path: Path) -> None:
    media = tmp_path / "frames"
    media.mkdir()
    server.files["/page"] = b"<html>come back later</html>"
    address = f"http://{server.host}/page"
    options = {"fetch": True, "api_key_env": "MASK_KEY", "api_host": server.host}
    (_,), report = _read(_v1(tmp_path, address), media, **options)
    assert report.counts == {"R101": 1}
    assert report.problems[0].where.pointer == "/0/Label/frames/1"
    assert list(media.iterdir()) == []


def test_a_frame_that_cannot_be_used_is_rejected_alone_with_its_line(tmp_path: Path) -> None:
    bad = ("{", {"objects": []}, {"frameNumber": 5, "objects": []}, [1], "")
    (tmp_path / "l1.ndjson").write_bytes(_frames(*bad))
    (sample,), report = _read(_v1(tmp_path, ADDRESS), tmp_path)
    assert sample.annotations[0].value == Track((_car(1, 5), _car(8)))
    assert [(each.code, each.where.pointer) for each in report.problems] == [
        ("R101", "/0/Label/frames/7"),
        ("R101", "/0/Label/frames/8/frameNumber"),
        ("R101", "/0/Label/frames/9/frameNumber"),
        ("R101", "/0/Label/frames/10"),
    ]
    account = report.ledger.annotations
    assert (account.read, account.rejected) == (5, 4)


def test_frames_of_v1_become_mot_and_come_back_from_mal(tmp_path: Path) -> None:
    (tmp_path / "l1.ndjson").write_bytes(_frames())
    source, mal = _v1(tmp_path, ADDRESS), tmp_path / "mal.ndjson"
    convert(source, tmp_path / "mot", to="mot", media=tmp_path, allow=["loss"])
    rows = (tmp_path / "mot/drive.mp4/gt/gt.txt").read_text().splitlines()
    assert [[float(n) for n in line.split(",")[:3]] for line in rows] == [
        [frame, 1, 10 * frame + 1] for frame in (1, 2, 3, 4, 5, 8)
    ]
    convert(source, mal, to="labelbox", media=tmp_path, writer_options={"tolerance": 0})
    (back,) = lc.read(mal, "labelbox", options={"media": "video"})
    assert back.annotations[0].value == Track((_car(1, 5), _car(8)))


# ------------------------------------------------------------------------- nothing in silence


def test_what_frames_and_tracks_say_besides_is_counted(tmp_path: Path) -> None:
    frames = {
        "1": {"objects": {"f": box("car", "f", 1, confidence=0.5)}, "relationships": [1]},
        "2": {"objects": {"f": box("car", "f", 2, confidence=0.25, note="x")}},
        "3": {"objects": {"f": box("car", "f", 3, confidence=0.5)}},
    }
    said = {"frames": frames, "segments": {"f": [[1, 3]], "gone": [[1, 2]]}}
    (sample,), report = _read(lines(tmp_path / "a.ndjson", row({"annotations": said})))
    assert sample.annotations[0].confidence == 0.5
    assert {name: report.fields.get(f"{FORMAT}:{name}") for name in _BESIDE} == _BESIDE


_BESIDE = {"relationships": 1, "segments": 1, "confidence": 1, "note": 1}


def test_the_second_of_two_geometries_is_kept_beside(tmp_path: Path) -> None:
    thing = box("car", "f", mask={"url": "https://example.org/m"})
    (sample,), report = _read(lines(tmp_path / "a.ndjson", row(label(thing))))
    assert sample.annotations[0].extra[f"{FORMAT}:mask"] == {"url": "https://example.org/m"}
    assert report.counts == {}


def test_labels_that_v1_marks_as_skipped_are_counted_as_such(tmp_path: Path) -> None:
    edges = {"top": 1, "left": 1, "height": 1, "width": 1}
    record = {
        "ID": "l",
        "DataRow ID": "r",
        "Labeled Data": "https://example.org/a.png",
        "Skipped": True,
        "Label": {"objects": [{"featureId": "f", "title": "car", "bbox": edges}]},
    }
    path = tmp_path / "v1.json"
    path.write_text(json.dumps([record]))
    (sample,), report = _read(path)
    assert sample.annotations == ()
    assert (report.ledger.annotations.read, report.ledger.annotations.skipped) == (1, 1)
    assert report.counts["R143"] == 1


def test_what_media_and_runs_say_besides_is_kept(tmp_path: Path) -> None:
    value = row(label(), size=(8, 6), global_key=7)
    value["media_attributes"]["width"] = "wide"
    value["experiments"] = {
        "e": {
            "name": "Trial",
            "runs": {"r": {"name": "v1", "run_data_row_id": "rr", "predictions": [label()]}},
        }
    }
    path = lines(tmp_path / "a.ndjson", value)
    (sample,), _ = _read(path)
    assert sample.extra[f"{FORMAT}:global_key"] == 7
    assert sample.extra[f"{FORMAT}:width"] == "wide"
    (sample,), _ = _read(path, model_run="v1")
    (told,) = sample.extra[f"{FORMAT}:labels"]
    assert (told["experiment_name"], told["run_data_row_id"]) == ("Trial", "rr")


def test_questions_beside_an_answer_hang_under_it_where_it_is_one(tmp_path: Path) -> None:
    why = {"name": "why", "text_answer": {"content": "so"}}
    told = [
        {"name": "mood", "radio_answer": {"name": "good"}, "classifications": [why]},
        {"name": "note", "text_answer": {"content": "x"}, "classifications": [why]},
        {"name": "tags", "checklist_answers": [{"name": "a"}], "classifications": [why]},
        {"name": "two", "radio_answer": {"name": "a"}, "text_answer": {"content": "b"}},
    ]
    (sample,), report = _read(lines(tmp_path / "a.ndjson", row(label(classifications=told))))
    below = (Classification("why", FreeText("so")),)
    assert [asked.answer for asked in sample.classifications] == [
        Radio("good", below),
        FreeText("x", below),
        Checklist((Radio("a"),)),
        Radio("a"),
    ]
    assert report.fields[f"{FORMAT}:classifications"] == 1
    assert report.fields[f"{FORMAT}:text_answer"] == 1


STILL = {"objects": [box("x", "y")]}
MOVING = {"frames": {"1": {"objects": {"y": box("x", "y")}}}}


@pytest.mark.parametrize(
    ("first", "second", "bad", "fields"),
    [
        ({"timestamp": {"5": {}}}, MOVING, ["frames"], {}),
        (MOVING, {"timestamp": {"5": {}}}, ["timestamp"], {}),
        (STILL, MOVING, ["frames"], {}),
        (STILL, {**STILL, "segments": {"y": [[1, 2]]}}, [], {"segments": 1}),
        ({"groups": {}, **MOVING}, STILL, ["frames", "0"], {}),
        ({"groups": {}, **STILL}, {"groups": {}}, ["objects"], {}),
    ],
)
def test_parts_of_a_label_that_belong_to_other_media_are_told(
    first: dict[str, Any],
    second: dict[str, Any],
    bad: list[str],
    fields: dict[str, int],
    tmp_path: Path,
) -> None:
    value = row({"id": "one", "annotations": first}, {"id": "two", "annotations": second})
    _, report = _read(lines(tmp_path / "a.ndjson", value), label="all")
    errors = [each for each in report.problems if each.severity == "error"]
    assert [str(each.where.pointer).rpartition("/")[2] for each in errors] == bad
    assert {each.code for each in errors} <= {"R131"}
    assert {name: report.fields.get(f"{FORMAT}:{name}") for name in fields} == fields
