"""Frames of every format on the way to Labelbox, whose frames count from 1 (peers.md §4, case 22).

What the other tests of formats have one by one, in one place and with the numbers on the wire.
Edit lists, varying rates and Label Studio's own rate are in the files beside this one.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import labelconv as lc

#: A box from (10, 20) to (40, 60) in a video of 100 × 100 pixels, on its first and third frame.
CVAT_META = (
    "<meta><task><name>a</name><mode>interpolation</mode><size>9</size>"
    "<original_size><width>100</width><height>100</height></original_size>"
    "<labels><label><name>car</name><attributes><attribute><name>light</name>"
    "<input_type>select</input_type><values>on\noff</values></attribute></attributes></label>"
    "</labels></task></meta>"
)
CVAT_BOX = 'xtl="10" ytl="20" xbr="40" ybr="60" occluded="0" z_order="0"'


def cvat(folder: Path, *rows: str) -> Path:
    path = folder / "a.xml"
    track = f'<track id="0" label="car" source="manual">{"".join(rows)}</track>'
    path.write_text(f"<annotations><version>1.1</version>{CVAT_META}{track}</annotations>")
    return path


def row(frame: int, inside: str = "", fields: str = CVAT_BOX, **flags: int) -> str:
    said = {"outside": 0, "keyframe": 1, **flags}
    listed = " ".join(f'{name}="{value}"' for name, value in said.items())
    return f'<box frame="{frame}" {listed} {fields}>{inside}</box>'


def light(text: str) -> str:
    return f'<attribute name="light">{text}</attribute>'


def moved(x: int) -> str:
    return f'xtl="{x}" ytl="20" xbr="{x + 30}" ybr="60" occluded="0" z_order="0"'


def text(folder: Path, name: str, said: str) -> Path:
    (folder / name).write_text(said)
    return folder / name


def coco_video(folder: Path) -> Path:
    boxes = [
        {"id": n, "image_id": n, "category_id": 1, "track_id": 1, "bbox": [10, 20, 30, 40]}
        for n in (0, 2)
    ]
    images = [{"id": n, "video_id": 1, "frame_id": n, "file_name": f"{n}.jpg"} for n in range(3)]
    whole = {
        "videos": [{"id": 1, "name": "a", "width": 100, "height": 100}],
        "categories": [{"id": 1, "name": "car"}],
        "images": images,
        "annotations": boxes,
    }
    return text(folder, "a.json", json.dumps(whole))


def label_studio(folder: Path) -> Path:
    box = {"x": 10, "y": 20, "width": 30, "height": 40, "rotation": 0}
    keys = [{**box, "frame": n, "time": n / 24, "enabled": n < 3} for n in (1, 3)]
    result = {"id": "0", "type": "videorectangle", "value": {"sequence": keys, "labels": ["car"]}}
    task = {"data": {"video": "a.mp4"}, "annotations": [{"result": [result]}]}
    text(folder, "sizes.csv", "a.mp4,100,100\n")
    return text(folder, "a.json", json.dumps([task]))


def mot(folder: Path) -> Path:
    return text(folder, "a.txt", "".join(f"{n},1,11,21,30,40,1,3,1\n" for n in (1, 3)))


def kitti(folder: Path) -> Path:
    rest = "0 0 -10 10 20 40 60 -1 -1 -1 -1000 -1000 -1000 -10"
    return text(folder, "a.txt", "".join(f"{n} 1 car {rest}\n" for n in (0, 2)))


def wire(path: Path, source: Path, format: str, **options: Any) -> tuple[list[Any], lc.Report]:
    """The segments of the one line, as lists of keyframes; and the report."""
    target = path / "mal.ndjson"
    report = lc.convert(source, target, from_=format, to="labelbox", reader_options=options)
    (line,) = [json.loads(each) for each in target.read_bytes().splitlines()]
    return [segment["keyframes"] for segment in line["segments"]], report


def frames(segments: list[Any]) -> list[list[int]]:
    return [[keyframe["frame"] for keyframe in segment] for segment in segments]


@pytest.mark.parametrize(
    ("format", "made", "options"),
    [
        ("cvat-video", lambda folder: cvat(folder, row(0), row(2)), {}),
        ("mot", mot, {"gap": 2}),
        ("kitti-tracking", kitti, {"gap": 2}),
        ("coco-video", coco_video, {"gap": 2}),
        ("label-studio", label_studio, {"fps": "24:24"}),
    ],
)
def test_the_first_frame_of_every_format_is_frame_1_of_labelbox_and_the_third_is_3(
    tmp_path: Path, format: str, made: Any, options: dict[str, Any]
) -> None:
    source = made(tmp_path)
    if format == "label-studio":
        options = {**options, "sizes": str(tmp_path / "sizes.csv")}
    segments, report = wire(tmp_path, source, format, **options)
    assert frames(segments) == [[1, 3]]
    box = {"top": 20.0, "left": 10.0, "height": 40.0, "width": 30.0}
    assert [keyframe["bbox"] for keyframe in segments[0]] == [box, box]
    assert report.ledger.balanced


def test_the_doubled_end_keyframe_of_cvat_is_not_seen_twice(tmp_path: Path) -> None:
    # The last keyframe, and the same once more, outside, on the frame after.
    segments, _ = wire(tmp_path, cvat(tmp_path, row(0), row(4), row(5, outside=1)), "cvat-video")
    assert frames(segments) == [[1, 5]]
    # Outside already on the last keyframe's own next row but one: seen until the frame before.
    segments, _ = wire(tmp_path, cvat(tmp_path, row(0), row(6, outside=1)), "cvat-video")
    assert frames(segments) == [[1, 6]]


def test_a_track_that_is_cut_at_the_border_of_two_jobs_is_one_segment(tmp_path: Path) -> None:
    parts = row(0), row(4, outside=1), row(4), row(8)
    segments, _ = wire(tmp_path, cvat(tmp_path, *parts), "cvat-video")
    assert frames(segments) == [[1, 9]]


def test_dense_rows_and_their_keyframes_are_the_same_line(tmp_path: Path) -> None:
    sparse = [row(0, fields=moved(10)), row(8, fields=moved(50))]
    dense = [row(n, fields=moved(10 + 5 * n), keyframe=int(n in (0, 8))) for n in range(9)]
    all_keys = [row(n, fields=moved(10 + 5 * n)) for n in range(9)]
    found = [wire(tmp_path, cvat(tmp_path, *rows), "cvat-video")[0] for rows in (sparse, dense)]
    found.append(wire(tmp_path, cvat(tmp_path, *all_keys), "cvat-video")[0])
    assert found[0] == found[1] == found[2]
    assert [(k["frame"], k["bbox"]["left"]) for k in found[0][0]] == [(1, 10.0), (9, 50.0)]


def test_a_box_that_jumps_keeps_the_keyframe_before_the_jump(tmp_path: Path) -> None:
    # Step interpolation, said with rows for all frames: still for five frames, then elsewhere.
    rows = [row(n, fields=moved(10 if n < 5 else 60)) for n in range(9)]
    segments, _ = wire(tmp_path, cvat(tmp_path, *rows), "cvat-video")
    found = [(k["frame"], k["bbox"]["left"]) for k in segments[0]]
    assert found == [(1, 10.0), (5, 10.0), (6, 60.0), (9, 60.0)]


def test_a_keyframe_that_only_changes_an_attribute_stays_with_its_answer(tmp_path: Path) -> None:
    rows = [row(n, light("off" if n in (3, 4) else "on")) for n in range(9)]
    segments, _ = wire(tmp_path, cvat(tmp_path, *rows), "cvat-video")
    found = [(k["frame"], k["classifications"][0]["answer"]["name"]) for k in segments[0]]
    assert found == [(1, "on"), (4, "off"), (6, "on"), (9, "on")]
