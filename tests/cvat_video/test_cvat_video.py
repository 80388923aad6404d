"""CVAT for video: rows, segments, skeletons, attributes, numbers of frames."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

import labelconv as lc
from labelconv import geometry
from labelconv.errors import OptionError, SourceError
from labelconv.formats.cvat_video import FORMAT
from labelconv.io import Source
from labelconv.model import (
    Annotation,
    Box,
    Classification,
    FreeText,
    Keyframe,
    Keypoint,
    Keypoints,
    Mask,
    OrientedBox,
    Point,
    Polygon,
    Polyline,
    Radio,
    Sample,
    Samples,
    Track,
    Video,
)
from labelconv.problems import Report
from labelconv.tracks import track_of

REAL = Path(__file__).parents[3] / "shared" / "data" / "cvat" / "video.xml"
SIZE = "<original_size><width>25</width><height>20</height></original_size>"
TASK = f"<task><name>t</name>{SIZE}{{}}</task>"
BOX = 'xtl="3" ytl="4" xbr="10" ybr="5"'


def file(folder: Path, tracks: str, meta: str = TASK.format("")) -> Path:
    path = folder / "video.xml"
    head = "<?xml version='1.0'?><annotations><version>1.1</version>"
    path.write_text(f"{head}<meta>{meta}</meta>{tracks}</annotations>", encoding="utf-8")
    return path


def track(rows: str, id: int = 0, label: str = "car") -> str:
    return f'<track id="{id}" label="{label}" source="manual">{rows}</track>'


def row(tag: str, frame: int, fields: str, *, inside: str = "", **said: int) -> str:
    known = {"outside": 0, "occluded": 0, "keyframe": 1, **said}
    flags = " ".join(f'{name}="{value}"' for name, value in known.items())
    return f'<{tag} frame="{frame}" {flags} {fields} z_order="0">{inside}</{tag}>'


def read(path: Path, report: Report | None = None, **options: Any) -> list[Annotation]:
    samples = list(lc.read(path, "cvat-video", options=options, report=report))
    return [annotation for sample in samples for annotation in sample.annotations]


def keyframes(annotation: Annotation) -> list[list[tuple[int, Any]]]:
    assert isinstance(annotation.value, Track)
    return [[(k.frame, k.shape) for k in segment] for segment in annotation.value.segments]


def frames(annotation: Annotation) -> list[list[int]]:
    return [[frame for frame, _ in segment] for segment in keyframes(annotation)]


# ---------------------------------------------------------------------------- segments


def test_case_36_a_track_ends_on_the_frame_before_it_is_outside(tmp_path: Path) -> None:
    rows = row("box", 10, BOX, occluded=1) + row("box", 13, BOX, outside=1)
    rows += row("box", 16, 'xtl="8" ytl="7" xbr="14" ybr="17"', outside=1)
    (annotation,) = read(file(tmp_path, track(rows)))
    box = Box(3.0, 4.0, 10.0, 5.0)
    assert keyframes(annotation) == [[(10, box), (12, box)]]
    assert isinstance(annotation.value, Track)
    hidden = (Classification("occluded", Radio("true")),)
    assert [k.classifications for k in annotation.value.segments[0]] == [hidden, hidden]


def test_a_computed_row_is_where_a_track_is_that_is_outside_some_frames_later(
    tmp_path: Path,
) -> None:
    moved = 'xtl="8" ytl="4" xbr="15" ybr="5"'
    rows = row("box", 0, BOX) + row("box", 4, moved, keyframe=0) + row("box", 9, moved, outside=1)
    (annotation,) = read(file(tmp_path, track(rows)))
    there = Box(8.0, 4.0, 15.0, 5.0)
    assert keyframes(annotation) == [[(0, Box(3.0, 4.0, 10.0, 5.0)), (4, there), (8, there)]]


def test_masks_say_how_large_a_video_of_unknown_size_is(tmp_path: Path) -> None:
    mask = Mask((6, 8), (9, 3, 36))
    made = Annotation("0", "cell", Track(((Keyframe(2, mask),),)))
    lc.write(Samples([Sample("clip", Video(), (made,))]), tmp_path / "out.xml", "cvat-video")
    (sample,) = lc.read(tmp_path / "out.xml", "cvat-video")
    assert sample.media == Video(8.0, 6.0)
    assert keyframes(sample.annotations[0]) == [[(2, mask)]]


def test_case_36_is_what_the_real_file_of_cvat_says() -> None:
    if not REAL.is_file():
        pytest.skip("needs ../shared/data")
    report = Report()
    dataset = lc.read(REAL, report=report)
    (sample,) = dataset
    assert (sample.key, sample.media) == ("t.mp4", Video(25.0, 20.0))
    found = {annotation.id: annotation for annotation in sample.annotations}
    box = Box(3.0, 4.0, 10.0, 5.0)
    assert keyframes(found["0"]) == [[(10, box), (12, box)]]
    assert [a.id for a in sample.annotations] == ["0", "1/0", "1/1", "1/2", "2", "3"]
    assert frames(found["2"]) == [[13, 15]]
    assert frames(found["3"]) == [[10, 13, 16]]
    names = [[p.name for p in shape.points] for _, shape in keyframes(found["3"])[0]]
    assert names == [["1", "2", "3", "4"], ["1", "2", "4"], ["1", "2", "4"]]
    said = found["1/0"].value.segments[0][0].classifications  # type: ignore[union-attr]
    assert said == (Classification("hgl", Radio("hgkf")),)
    skeleton = dataset.ontology.categories[-1]
    assert (skeleton.name, skeleton.keypoints, skeleton.skeleton) == (
        "skeleton",
        ("1", "2", "3", "4"),
        ((2, 1), (0, 3)),
    )
    assert (report.errors, report.losses, report.ledger.annotations.read) == (0, 0, 6)


def test_frames_that_cvat_computed_are_left_out_of_boxes_and_the_last_one_ends_the_track(
    tmp_path: Path,
) -> None:
    rows = "".join(
        row("box", f, f'xtl="{f}" ytl="0" xbr="9" ybr="5"', keyframe=int(f in (0, 4)))
        for f in range(8)
    )
    path = file(tmp_path, track(rows))
    assert frames(read(path)[0]) == [[0, 4, 7]]
    assert frames(read(path, interpolated="keep")[0]) == [list(range(8))]


def test_frames_that_cvat_computed_are_kept_for_polygons(tmp_path: Path) -> None:
    ring = 'points="0,0;4,0;4,4"'
    rows = "".join(row("polygon", f, ring, keyframe=int(f == 0)) for f in range(4))
    path = file(tmp_path, track(rows))
    assert frames(read(path)[0]) == [[0, 1, 2, 3]]
    assert frames(read(path, interpolated="skip")[0]) == [[0, 3]]


def test_a_track_that_returns_is_two_segments_and_one_that_is_never_inside_is_skipped(
    tmp_path: Path,
) -> None:
    back = row("box", 0, BOX) + row("box", 5, BOX, outside=1) + row("box", 9, BOX)
    never = row("box", 0, BOX, outside=1)
    report = Report()
    (annotation,) = read(file(tmp_path, track(back) + track(never, 1)), report)
    assert frames(annotation) == [[0, 4], [9]]
    assert (report.ledger.annotations.read, report.ledger.annotations.skipped) == (2, 1)
    assert report.fields == {"cvat-video:track (never inside)": 1}


def test_a_track_that_ends_and_goes_on_on_one_frame_at_a_border_of_jobs_is_one(
    tmp_path: Path,
) -> None:
    rows = (
        row("box", 0, BOX) + row("box", 5, BOX, outside=1) + row("box", 5, BOX) + row("box", 9, BOX)
    )
    report = Report()
    (annotation,) = read(file(tmp_path, track(rows)), report)
    assert frames(annotation) == [[0, 5, 9]]
    assert report.problems == []


def test_attributes_change_with_the_keyframes_and_their_kind_is_declared(tmp_path: Path) -> None:
    labels = (
        "<labels><label><name>car</name><attributes>"
        "<attribute><name>place</name><input_type>select</input_type><values>in\nout</values></attribute>"
        "<attribute><name>plate</name><input_type>text</input_type><values></values></attribute>"
        "</attributes></label></labels>"
    )
    said = '<attribute name="place">{}</attribute><attribute name="plate">{}</attribute>'
    rows = row("box", 0, BOX, inside=said.format("in", "A 1"))
    rows += row("box", 4, BOX, inside=said.format("out", ""))
    path = file(tmp_path, track(rows), TASK.format(labels))
    (annotation,) = read(path)
    assert isinstance(annotation.value, Track)
    assert [k.classifications for k in annotation.value.segments[0]] == [
        (Classification("place", Radio("in")), Classification("plate", FreeText("A 1"))),
        (Classification("place", Radio("out")), Classification("plate", FreeText(""))),
    ]
    (category,) = lc.read(path, "cvat-video").ontology.categories
    assert [(q.name, q.kind) for q in category.questions] == [("place", "radio"), ("plate", "text")]


@pytest.mark.parametrize("how", ["answer", "extra", "none"])
def test_occlusion_is_an_answer_or_kept_beside_or_counted(tmp_path: Path, how: str) -> None:
    rows = row("box", 0, BOX) + row("box", 4, BOX, occluded=1)
    report = Report()
    (annotation,) = read(file(tmp_path, track(rows)), report, occluded=how)
    assert isinstance(annotation.value, Track)
    said = [k.classifications for k in annotation.value.segments[0]]
    answers = [(Classification("occluded", Radio(text)),) for text in ("false", "true")]
    assert said == (answers if how == "answer" else [(), ()])
    assert annotation.extra == ({"cvat-video:occluded": [4]} if how == "extra" else {})
    assert report.fields == ({"cvat-video:occluded": 1} if how == "none" else {})


# ---------------------------------------------------------------------------- shapes


def test_case_38_a_rotation_turns_about_the_centre(tmp_path: Path) -> None:
    rows = row("box", 0, 'xtl="10" ytl="20" xbr="50" ybr="40" rotation="30"')
    (annotation,) = read(file(tmp_path, track(rows)))
    shape = keyframes(annotation)[0][0][1]
    assert shape == OrientedBox(30.0, 30.0, 40.0, 20.0, 30.0)
    expected = (17.6795, 11.3397, 52.3205, 31.3397, 42.3205, 48.6603, 7.6795, 28.6603)
    assert geometry.corners(shape) == pytest.approx(expected, abs=1e-4)


def test_where_one_box_of_a_track_is_turned_all_are_oriented(tmp_path: Path) -> None:
    rows = row("box", 0, BOX) + row("box", 4, BOX + ' rotation="90"')
    (annotation,) = read(file(tmp_path, track(rows)))
    assert [shape.angle for _, shape in keyframes(annotation)[0]] == [0.0, 90.0]


def test_polylines_masks_and_ellipses_are_read(tmp_path: Path) -> None:
    report = Report()
    line = row("polyline", 0, 'points="1,2;3,4"')
    mask = row("mask", 0, 'rle="1, 2, 3" left="2" top="1" width="3" height="2"')
    ellipse = row("ellipse", 0, 'cx="10" cy="8" rx="4" ry="2" rotation="90"')
    found = read(file(tmp_path, track(line) + track(mask, 1) + track(ellipse, 2)), report)
    shapes = [keyframes(annotation)[0][0][1] for annotation in found]
    assert shapes[0] == Polyline((1.0, 2.0, 3.0, 4.0))
    assert isinstance(shapes[1], Mask)
    assert shapes[1].size == (20, 25)
    # Rows 1 and 2 of the picture, background first: pixels 3 and 4 of row 1.
    assert shapes[1].runs == (61, 1, 19, 1, 418)
    assert isinstance(shapes[2], Polygon)
    assert geometry.area(shapes[2]) == pytest.approx(math.pi * 8, rel=1e-9)
    around = geometry.bounds(shapes[2])
    assert around is not None
    assert (around.x0, around.y0, around.x1, around.y1) == pytest.approx((8, 4, 12, 12), abs=0.01)
    assert [problem.code for problem in report.problems] == ["R133"]


def test_what_cannot_be_used_is_rejected_alone_with_its_place(tmp_path: Path) -> None:
    rows = row("box", 0, BOX) + row("box", 1, 'xtl="9" ytl="0" xbr="3" ybr="5"')
    rows += row("box", 2, 'xtl="a" ytl="0" xbr="3" ybr="5"') + row("box", -1, BOX)
    rows += row("box", 0, BOX) + row("box", 3, BOX.replace("10", "inf")) + row("blob", 4, "")
    cuboid = row("cuboid", 0, 'xtl1="1"')
    unnamed = f'<track id="2">{row("box", 0, BOX)}</track>'
    report = Report()
    path = file(tmp_path, track(rows) + track(cuboid, 1) + unnamed)
    (annotation,) = read(path, report)
    assert frames(annotation) == [[0]]
    assert [(p.code, p.where.pointer) for p in report.problems] == [
        ("M201", "/annotations/track[1]/box[2]"),
        ("R101", "/annotations/track[1]/box[3]/@xtl"),
        ("R101", "/annotations/track[1]/box[4]/@frame"),
        ("R104", "/annotations/track[1]/box[5]/@frame"),
        ("R102", "/annotations/track[1]/box[6]/@xbr"),
        ("R101", "/annotations/track[1]/blob[1]"),
        ("M205", "/annotations/track[2]"),
        ("R101", "/annotations/track[3]/@label"),
    ]
    assert (report.ledger.annotations.read, report.ledger.annotations.rejected) == (9, 8)


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ('rle="1, 2" left="0" top="0" width="3" height="2"', "R110"),
        ('rle="1, x" left="0" top="0" width="3" height="2"', "R110"),
        ('rle="6" left="24" top="0" width="3" height="2"', "R111"),
        ('rle="10000000000" left="0" top="0" width="100000" height="100000"', "R110"),
    ],
)
def test_a_mask_that_cannot_be_is_rejected(tmp_path: Path, fields: str, code: str) -> None:
    report = Report()
    assert read(file(tmp_path, track(row("mask", 0, fields))), report) == []
    assert list(report.counts) == [code]


def test_a_mask_needs_the_size_of_the_video(tmp_path: Path) -> None:
    report = Report()
    mask = row("mask", 0, 'rle="1, 2, 3" left="2" top="1" width="3" height="2"')
    assert read(file(tmp_path, track(mask), "<task/>"), report) == []
    assert report.counts == {"M205": 1}


def test_points_of_several_points_are_a_track_each_and_must_stay_as_many(tmp_path: Path) -> None:
    rows = row("points", 0, 'points="1,2;3,4"') + row("points", 2, 'points="5,2;3,8"')
    (first, second) = read(file(tmp_path, track(rows)))
    assert (first.id, second.id) == ("0/0", "0/1")
    assert keyframes(second) == [[(0, Point(3.0, 4.0)), (2, Point(3.0, 8.0))]]
    report = Report()
    changing = rows + row("points", 3, 'points="5,2"')
    assert read(file(tmp_path, track(changing)), report) == []
    assert report.counts == {"M205": 1}


def test_a_skeleton_moves_with_each_of_its_points(tmp_path: Path) -> None:
    one = row("points", 0, 'points="0,0"') + row("points", 4, 'points="8,0"')
    two = row("points", 0, 'points="0,5"') + row("points", 2, 'points="0,9"', occluded=1)
    two += row("points", 4, 'points="0,9"', keyframe=0, occluded=1)
    rows = (
        row("skeleton", 0, "")
        + row("skeleton", 4, "", keyframe=0)
        + track(one, 0, "a")
        + track(two, 1, "b")
    )
    (annotation,) = read(file(tmp_path, track(rows, label="man")))
    assert keyframes(annotation) == [
        [
            (0, Keypoints((Keypoint("a", 0.0, 0.0), Keypoint("b", 0.0, 5.0)))),
            (2, Keypoints((Keypoint("a", 4.0, 0.0), Keypoint("b", 0.0, 9.0, False)))),
            (4, Keypoints((Keypoint("a", 8.0, 0.0), Keypoint("b", 0.0, 9.0, False)))),
        ]
    ]


# ---------------------------------------------------------------------------- frames and tasks


STEPPED = TASK.format(
    "<start_frame>10</start_frame><frame_filter>step=3</frame_filter><size>4</size>"
)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, [[10, 12]]),
        ({"frames": "task"}, [[0]]),
        ({"start": 5}, [[15, 17]]),
        ({"fps": "30:60"}, [[20, 24]]),
    ],
)
def test_frames_are_those_of_the_video_or_of_the_task(
    tmp_path: Path, options: dict[str, Any], expected: list[list[int]]
) -> None:
    rows = row("box", 10, BOX) + row("box", 13, BOX, outside=1)
    (annotation,) = read(file(tmp_path, track(rows), STEPPED), **options)
    assert frames(annotation) == expected


def test_a_frame_between_those_of_the_task_is_refused(tmp_path: Path) -> None:
    rows = row("box", 10, BOX) + row("box", 14, BOX)
    report = Report()
    (annotation,) = read(file(tmp_path, track(rows), STEPPED), report, frames="task")
    assert frames(annotation) == [[0]]
    assert report.counts == {"R101": 1}
    with pytest.raises(OptionError):
        read(file(tmp_path, track(rows), STEPPED), fps="24:30")


def test_a_project_is_a_sample_for_each_task(tmp_path: Path) -> None:
    task = "<task><id>{}</id><name>{}</name><size>{}</size></task>"
    meta = f"<project><tasks>{task.format(7, 'one', 5)}{task.format(8, 'two', 6)}</tasks></project>"
    rows = row("box", 0, BOX)
    tracks = f'<track id="0" label="car" task_id="8">{rows}</track>'
    tracks += f'<track id="0" label="van" task_id="7">{rows}</track>'
    samples = list(lc.read(file(tmp_path, tracks, meta), "cvat-video"))
    assert [(s.key, s.annotations[0].category) for s in samples] == [("one", "van"), ("two", "car")]
    assert [s.media for s in samples] == [Video(frame_count=5), Video(frame_count=6)]
    report = Report()
    lost = f'<track id="1" label="car" task_id="9">{rows}</track>{track(rows, 2)}'
    path = file(tmp_path, tracks + lost, meta)
    samples = list(lc.read(path, "cvat-video", report=report))
    assert [len(s.annotations) for s in samples] == [1, 1]
    assert [(p.code, p.where.pointer) for p in report.problems] == [
        ("R103", "/annotations/track[3]/@task_id"),
        ("R103", "/annotations/track[4]/@task_id"),
    ]
    assert (report.ledger.annotations.read, report.ledger.annotations.rejected) == (4, 2)


def test_ids_that_occur_twice_are_told_apart(tmp_path: Path) -> None:
    report = Report()
    rows = row("box", 0, BOX)
    found = read(file(tmp_path, track(rows) + track(rows)), report)
    assert [annotation.id for annotation in found] == ["0", "0~2"]
    assert report.counts == {"R105": 1}


def test_a_sample_without_a_key_takes_its_tracks_with_it(tmp_path: Path) -> None:
    report = Report()
    path = file(tmp_path, track(row("box", 0, BOX)))
    assert list(lc.read(path, "cvat-video", key="{nothing}", report=report)) == []
    assert (report.ledger.samples.rejected, report.ledger.annotations.rejected) == (1, 1)
    assert report.counts == {"K605": 1}


def test_files_of_pictures_and_broken_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="CVAT for images"):
        read(file(tmp_path, '<image id="0" name="a.jpg" width="5" height="5"></image>'))
    path = tmp_path / "broken.xml"
    path.write_text("<annotations><track", encoding="utf-8")
    with pytest.raises(SourceError, match="broken.xml:1:"):
        read(path)
    bomb = tmp_path / "bomb.xml"
    bomb.write_text(
        '<!DOCTYPE a [<!ENTITY b "bbbb">]><annotations><track>&b;</track></annotations>',
        encoding="utf-8",
    )
    with pytest.raises(SourceError, match="declares"):
        read(bomb)


def test_cvat_for_video_is_told_from_cvat_for_images(tmp_path: Path) -> None:
    assert FORMAT.sniff is not None
    path = file(tmp_path, track(row("box", 0, BOX)))
    assert FORMAT.sniff(Source(path).peek()).certainty == 3
    assert lc.read(path).report.evidence[0].startswith("cvat-video:")
    (tmp_path / "job").mkdir()
    path.rename(tmp_path / "job" / "annotations.xml")
    assert FORMAT.sniff(Source(tmp_path / "job").peek()).certainty == 3
    assert len(list(lc.read(tmp_path / "job", "cvat-video"))) == 1


# ---------------------------------------------------------------------------- writing


def test_written_files_have_cvats_layout_and_end_each_segment_with_a_row_outside(
    tmp_path: Path,
) -> None:
    value = Track(
        (
            (Keyframe(2, Box(1.0, 2.0, 3.0, 4.0)), Keyframe(5, Box(2.0, 2.0, 4.0, 4.0))),
            (Keyframe(8, Box(1.0, 2.0, 3.0, 4.0)), Keyframe(9, Box(1.0, 2.0, 3.0, 4.0))),
        )
    )
    sample = Sample("t.mp4", Video(64.0, 48.0, 10, 25.0), (Annotation("3", "car", value),))
    lc.write(Samples([sample]), tmp_path / "out.xml", "cvat-video")
    root = ET.parse(tmp_path / "out.xml").getroot()
    assert root.tag == "annotations"
    assert root.findtext("version") == "1.1"
    assert root.findtext("meta/task/mode") == "interpolation"
    assert root.findtext("meta/task/size") == "10"
    assert root.findtext("meta/task/original_size/width") == "64"
    assert root.findtext("meta/task/labels/label/name") == "car"
    (element,) = root.findall("track")
    assert (element.get("id"), element.get("label")) == ("3", "car")
    rows = [(e.tag, e.get("frame"), e.get("outside"), e.get("keyframe")) for e in element]
    assert rows == [
        ("box", "2", "0", "1"),
        ("box", "5", "0", "1"),
        ("box", "6", "1", "1"),
        ("box", "8", "0", "1"),
        ("box", "9", "0", "1"),
    ]
    assert (element[0].get("xtl"), element[0].get("ybr")) == ("1.0", "4.0")
    assert next(iter(lc.read(tmp_path / "out.xml"))).annotations == sample.annotations


def test_occlusion_goes_back_to_cvats_own_field(tmp_path: Path) -> None:
    said = [(Classification("occluded", Radio(text)),) for text in ("false", "true")]
    value = track_of([0, 1], [Point(1.0, 2.0), Point(2.0, 2.0)], said)
    sample = Sample("t", Video(), (Annotation("0", "car", value),))
    lc.write(Samples([sample]), tmp_path / "out.xml", "cvat-video")
    root = ET.parse(tmp_path / "out.xml").getroot()
    assert [e.get("occluded") for e in root.iter("points")] == ["0", "1", "0"]
    assert list(root.iter("attribute")) == [*root.iterfind("meta//attribute")]
    assert next(iter(lc.read(tmp_path / "out.xml"))).annotations == sample.annotations


def test_a_real_file_comes_back_from_being_written() -> None:
    if not REAL.is_file():
        pytest.skip("needs ../shared/data")
    import tempfile

    with tempfile.TemporaryDirectory() as room:
        target = Path(room) / "out.xml"
        report = lc.convert(REAL, target, from_="cvat-video", to="cvat-video")
        assert (report.errors, report.losses) == (0, 0)
        before, after = (list(lc.read(path, "cvat-video")) for path in (REAL, target))
        assert [a.value for a in before[0].annotations] == [a.value for a in after[0].annotations]
