"""Shapes of another kind than the project's tools draw are lowered, when allowed."""

from __future__ import annotations

import base64
import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import PIL.Image
import pytest
from labelbox_project_help import TOOLS, converted, told, tool

import labelconv as lc
from labelconv import masks
from labelconv.errors import LossError
from labelconv.labelbox.needed import needed_ontology
from labelconv.model import (
    Annotation,
    Box,
    Document,
    Image,
    Keyframe,
    Keypoint,
    Keypoints,
    Mask,
    Media,
    OnPage,
    OrientedBox,
    Point,
    Polygon,
    Polyline,
    Relation,
    Sample,
    Samples,
    Shape,
    Text,
    TextSpan,
    TiledImage,
    Track,
    Video,
)

IMAGE = Image(40, 30)
TRIANGLE = Polygon((((0.0, 0.0, 20.0, 0.0, 0.0, 20.0),),))
HOLED = Polygon((((0.0, 0.0, 20.0, 0.0, 20.0, 20.0, 0.0, 20.0), (5.0, 5.0, 9.0, 5.0, 9.0, 9.0)),))
PARTS = Polygon((*TRIANGLE.parts, ((22.0, 0.0, 30.0, 0.0, 30.0, 8.0),)))
BOX = Box(2.0, 3.0, 12.0, 9.0)
TURNED = OrientedBox(15.0, 12.0, 10.0, 4.0, 30.0)
LINE = Polyline((0.0, 0.0, 9.0, 9.0))


def blob() -> Mask:
    pixels = np.zeros((30, 40), dtype=np.uint8)
    pixels[2:8, 3:13] = 1
    pixels[8:12, 3:6] = 1
    return masks.from_array(pixels)


def one(value: Any, name: str, media: Media = IMAGE) -> Sample:
    return Sample("a", media, (Annotation("1", name, value), Annotation("2", "point", Point(1, 1))))


# ------------------------------------------------------------------------- pictures


@pytest.mark.parametrize(
    ("shape", "name", "payload", "loss", "outcome"),
    [
        (TRIANGLE, "box", "bbox", "L402", "lost"),
        (HOLED, "box", "bbox", "L402", "lost"),
        (PARTS, "box", "bbox", "L402", "lost"),
        (TURNED, "box", "bbox", "L402", "lost"),
        (blob(), "box", "bbox", "L402", "lost"),
        (HOLED, "polygon", "polygon", "L403", "lost"),
        (blob(), "polygon", "polygon", None, "changed"),
        (BOX, "polygon", "polygon", None, "changed"),
        (BOX, "mask", "mask", None, "changed"),
        (TRIANGLE, "mask", "mask", None, "changed"),
        (PARTS, "mask", "mask", None, "changed"),
        (TURNED, "mask", "mask", None, "changed"),
        (BOX, "box", "bbox", None, "kept"),
        (TRIANGLE, "polygon", "polygon", None, "kept"),
    ],
)
def test_a_shape_becomes_what_its_tool_draws_and_a_loss_must_be_allowed(
    tmp_path: Path, shape: Shape, name: str, payload: str, loss: str | None, outcome: str
) -> None:
    sample = one(shape, name)
    if loss is not None:
        with pytest.raises(LossError, match=f"--allow {loss}"):
            converted(tmp_path, sample)
        assert not (tmp_path / "out.ndjson").exists()
    lines, report = converted(tmp_path, sample, allow=[] if loss is None else [loss])
    assert [(line["name"], payload in line) for line in lines[:1]] == [(name, True)]
    assert len(lines) == 2
    account = report.ledger.annotations
    assert (account.read, account.rejected, report.errors) == (2, 0, 0)
    assert getattr(account, outcome) == (2 if outcome == "kept" else 1)


def test_the_cost_is_measured_and_the_sentence_says_who_asked_for_it(tmp_path: Path) -> None:
    lines, report = converted(tmp_path, one(TRIANGLE, "box"), allow=["loss"])
    assert lines[0]["bbox"] == {"top": 0, "left": 0, "height": 20, "width": 20}
    assert report.measures["L402"].worst == pytest.approx(0.5)
    problem = report.problems[0]
    assert (problem.code, problem.where.annotation) == ("L402", "1")
    assert problem.message == "a polygon became a box, as 'box' is drawn in the ontology"


def test_an_iou_below_the_limit_is_a_loss_of_its_own(tmp_path: Path) -> None:
    with pytest.raises(LossError) as refused:
        converted(tmp_path, one(TRIANGLE, "box"), allow=["L402"], min_iou=0.75)
    assert told(refused.value.report) == {"L402": 1, "L416": 1}
    _, report = converted(tmp_path, one(TRIANGLE, "box"), allow=["L402"], min_iou=0.4)
    assert told(report) == {"L402": 1}


@pytest.mark.parametrize(
    ("shape", "name"),
    [(LINE, "box"), (LINE, "polygon"), (LINE, "mask"), (BOX, "line"), (TRIANGLE, "point"),
     (BOX, "entity")],
)  # fmt: skip
def test_what_cannot_be_lowered_to_its_tool_is_rejected_though_losses_are_allowed(
    tmp_path: Path, shape: Shape, name: str
) -> None:
    lines, report = converted(tmp_path, one(shape, name), allow=["loss"])
    assert [line["name"] for line in lines] == ["point"]
    assert told(report) == {"O303": 1}
    assert report.problems[0].where.annotation == "1"
    assert (report.ledger.annotations.rejected, report.ledger.annotations.kept) == (1, 1)


def test_a_mask_tool_needs_the_size_of_the_picture(tmp_path: Path) -> None:
    lines, report = converted(tmp_path, one(TRIANGLE, "mask", Image()))
    assert (len(lines), told(report)) == (1, {"O303": 1})


def test_any_kind_of_the_tools_of_one_name_fits(tmp_path: Path) -> None:
    tools = [tool("line", "thing"), tool("rectangle", "thing"), tool("point", "point")]
    shapes = (BOX, LINE, TRIANGLE)
    annotations = tuple(Annotation(str(n), "thing", shape) for n, shape in enumerate(shapes))
    lines, report = converted(
        tmp_path, Sample("a", IMAGE, annotations), tools=tools, allow=["L402"]
    )
    assert [("bbox" in line, "line" in line) for line in lines] == [
        (True, False),
        (False, True),
        (True, False),
    ]
    assert told(report) == {"L402": 1}


def test_all_misfits_are_in_one_report_and_relations_follow_their_ends(tmp_path: Path) -> None:
    shapes = (TRIANGLE, blob(), LINE, BOX)
    annotations = tuple(Annotation(str(n), "box", shape) for n, shape in enumerate(shapes))
    relations = (Relation("r", "near", "0", "1"), Relation("s", "near", "2", "0"))
    sample = Sample("a", IMAGE, annotations, (), relations)
    tools = [*TOOLS, tool("edge", "near")]
    with pytest.raises(LossError) as refused:
        converted(tmp_path, sample, tools=tools)
    counts = {"L402": 2, "O303": 1, "M204": 1}
    assert told(refused.value.report) == counts
    lines, report = converted(tmp_path, sample, tools=tools, allow=["L402"])
    assert told(report) == counts
    assert [line["name"] for line in lines] == ["box", "box", "box", "near"]
    assert lines[3]["relationship"]["source"] == lines[0]["uuid"]
    account = report.ledger.annotations
    assert (account.kept, account.lost, account.rejected) == (1, 2, 1)


def test_a_skeleton_is_a_box_where_its_points_have_no_tools(tmp_path: Path) -> None:
    nose = Keypoints((Keypoint("nose", 5, 6), Keypoint("ear", 9, 8)))
    tools = [tool("rectangle", "person"), tool("point", "point")]
    lines, report = converted(tmp_path, one(nose, "person"), tools=tools, allow=["L402"])
    assert [line["name"] for line in lines] == ["person", "point"]
    assert told(report) == {"L402": 1}
    tools = [*tools, tool("point", "person nose"), tool("point", "person ear")]
    lines, report = converted(tmp_path, one(nose, "person"), tools=tools, allow=["L408"])
    assert [line["name"] for line in lines] == ["person nose", "person ear", "point"]


def test_a_holed_polygon_of_a_name_that_is_not_known_is_rejected_as_before(tmp_path: Path) -> None:
    _, report = converted(tmp_path, one(HOLED, "bus"))
    assert told(report) == {"L412": 1, "O301": 1}


# ------------------------------------------------------------------------- other media


def test_keyframes_become_what_the_tool_draws(tmp_path: Path) -> None:
    turning = Track(((Keyframe(0, TURNED), Keyframe(5, OrientedBox(16.0, 12.0, 10.0, 4.0, 45.0))),))
    sample = one(turning, "box", Video(40, 30))
    sample = Sample("a", sample.media, sample.annotations[:1])
    with pytest.raises(LossError, match="--allow L402"):
        converted(tmp_path, sample)
    lines, report = converted(tmp_path, sample, allow=["L402"])
    assert [list(each) for each in lines[0]["segments"][0]["keyframes"]] == [["frame", "bbox"]] * 2
    assert report.ledger.annotations.lost == 1


@pytest.mark.parametrize("shape", [TURNED, BOX], ids=str)
def test_keyframes_become_masks_without_a_loss(tmp_path: Path, shape: Shape) -> None:
    track = Track(((Keyframe(0, shape), Keyframe(5, shape)),))
    sample = Sample("a", Video(40, 30), (Annotation("1", "mask", track),))
    lines, report = converted(tmp_path, sample)
    assert [each["name"] for each in lines[0]["masks"]["instances"]] == ["mask"]
    assert [frame["index"] for frame in lines[0]["masks"]["frames"]] == [1, 2, 3, 4, 5, 6]
    assert (report.losses, report.errors) == (0, 0)
    assert report.ledger.annotations.changed == 1


@pytest.mark.parametrize(("name", "options"), [("mask", {}), ("free", {"video_polygon": "mask"})])
def test_masks_follow_a_shape_that_moves(tmp_path: Path, name: str, options: Any) -> None:
    first, last = (Polygon((((x, 0.0, x + 4, 0.0, x + 4, 4.0, x, 4.0),),)) for x in (0.0, 8.0))
    track = Track(((Keyframe(0, first), Keyframe(4, last)),))
    sample = Sample("a", Video(40, 30), (Annotation("1", name, track),))
    tools = [*TOOLS, tool("rectangle", "free"), tool("raster-segmentation", "free")]
    lines, report = converted(tmp_path, sample, tools=tools, writer_options=options)
    pictures = [base64.b64decode(frame["imBytes"]) for frame in lines[0]["masks"]["frames"]]
    drawn = [np.asarray(PIL.Image.open(io.BytesIO(each)).convert("L")) for each in pictures]
    assert [int(each.any(axis=0).argmax()) for each in drawn] == [0, 2, 4, 6, 8]
    assert [int((each > 0).sum()) for each in drawn] == [16] * 5
    assert (report.losses, report.ledger.annotations.changed) == (0, 1)


def test_a_track_that_its_tool_cannot_draw_is_rejected(tmp_path: Path) -> None:
    track = Track(((Keyframe(0, BOX), Keyframe(4, BOX)),))
    other = Annotation("2", "box", track)
    sample = Sample("a", Video(40, 30), (Annotation("1", "line", track), other))
    lines, report = converted(tmp_path, sample, allow=["loss"])
    assert [line["name"] for line in lines] == ["box"]
    assert report.counts["O303"] == 1


def test_shapes_on_pages_and_maps_become_what_the_tool_draws(tmp_path: Path) -> None:
    page = Sample("a", Document(), (Annotation("1", "box", OnPage(2, TRIANGLE)),))
    lines, _ = converted(tmp_path, page, allow=["L402"])
    assert (lines[0]["page"], "bbox" in lines[0]) == (2, True)
    place = Polygon((((7.0, 46.0, 7.5, 46.0, 7.0, 46.5),),))
    area = Sample("a", TiledImage(), (Annotation("1", "box", place),))
    with pytest.raises(LossError, match="--allow L402"):
        converted(tmp_path, area)
    lines, report = converted(tmp_path, area, allow=["L402"])
    assert lines[0]["bbox"] == {"top": 46, "left": 7, "height": 0.5, "width": 0.5}
    assert report.measures["L402"].worst == pytest.approx(0.5)


def test_spans_of_texts_have_no_other_kind(tmp_path: Path) -> None:
    spans = (Annotation("1", "entity", TextSpan(0, 2)), Annotation("2", "box", TextSpan(0, 2)))
    lines, report = converted(tmp_path, Sample("a", Text("Ann"), spans), allow=["loss"])
    assert ([line["name"] for line in lines], told(report)) == (["entity"], {"O303": 1})


# ------------------------------------------------------------------------- the command


def test_the_command_names_the_flag_and_writes_nothing_without_it(tmp_path: Path) -> None:
    other = msgspec.structs.replace(one(blob(), "box"), key="b")
    lc.write(Samples([one(TRIANGLE, "box"), other]), tmp_path / "s.native.ndjson")
    (tmp_path / "o.json").write_text(json.dumps({"tools": TOOLS, "classifications": []}))
    arguments = ["convert", "s.native.ndjson", "out.ndjson", "--to", "labelbox"]
    command = [sys.executable, "-m", "labelconv", *arguments, "--ontology", "o.json"]
    refused = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert refused.returncode == 3
    assert "L402 shape-lowered: 2×  (accept with --allow L402)" in refused.stderr
    assert not (tmp_path / "out.ndjson").exists()
    done = subprocess.run([*command, "--allow", "L402"], cwd=tmp_path)
    assert (done.returncode, (tmp_path / "out.ndjson").exists()) == (0, True)


def test_outlines_of_real_data_become_boxes_for_box_tools(tmp_path: Path) -> None:
    source = Path(__file__).parents[3] / "shared" / "data" / "lvis" / "lvis_val_100.json"
    if not source.exists():
        pytest.skip("no ../shared/data")
    needed = needed_ontology([source])
    assert {each["tool"] for each in needed["tools"]} == {"polygon"}
    for each in needed["tools"]:
        each["tool"] = "rectangle"
    project, target = tmp_path / "o.json", tmp_path / "out.ndjson"
    project.write_text(json.dumps(needed))
    report = lc.convert(source, target, to="labelbox", ontology=project, allow=["L402"])
    account = report.ledger.annotations
    assert (account.read, account.lost, account.kept) == (977, 977, 0)
    assert report.ledger.written == {"lines": 977}
    assert lc.check(target, ontology=project).problems == []


def test_the_check_says_what_an_ontology_would_cost(tmp_path: Path) -> None:
    lc.write(Samples([one(TRIANGLE, "box")]), tmp_path / "s.native.ndjson")
    (tmp_path / "o.json").write_text(json.dumps({"tools": TOOLS, "classifications": []}))
    source = tmp_path / "s.native.ndjson"
    report = lc.check(source, to="labelbox", ontology=tmp_path / "o.json")
    assert told(report) == {"L402": 1}
