"""What the MOT writer writes."""

from __future__ import annotations

from pathlib import Path

import pytest

import labelconv as lc
from labelconv.errors import LossError
from labelconv.model import Annotation, Box, Keyframe, Point, Sample, Samples, Track, Video
from labelconv.tracks import track_of


def box(x: float) -> Box:
    return Box(x, 20.0, x + 30.0, 60.5)


def clip(*annotations: Annotation, key: str = "clip") -> Samples:
    return Samples([Sample(key, Video(640.0, 480.0, 100, 29.97), annotations)])


def rows(folder: Path, key: str = "clip") -> list[str]:
    return (folder / key / "gt" / "gt.txt").read_text().splitlines()


def test_every_frame_between_keyframes_is_a_row_and_the_top_left_pixel_is_at_1_1(
    tmp_path: Path,
) -> None:
    track = Track(((Keyframe(4, box(10.0)), Keyframe(6, box(14.0))), (Keyframe(9, box(0.0)),)))
    report = lc.write(clip(Annotation("12", "car", track)), tmp_path / "out", "mot")
    assert rows(tmp_path / "out") == [
        "5,12,11,21,30,40.5,1,3,1",
        "6,12,13,21,30,40.5,1,3,1",
        "7,12,15,21,30,40.5,1,3,1",
        "10,12,1,21,30,40.5,1,3,1",
    ]
    assert report.ledger.annotations.changed == 1
    assert report.ledger.written == {"rows": 4}
    info = (tmp_path / "out" / "clip" / "seqinfo.ini").read_text()
    assert "frameRate=29.97\nseqLength=100\nimWidth=640\nimHeight=480\n" in info
    assert not (tmp_path / "out" / "clip" / "gt" / "labels.txt").exists()


def test_origin_zero_writes_coordinates_as_they_are(tmp_path: Path) -> None:
    made = clip(Annotation("1", "car", track_of([0], [box(10.0)])))
    lc.write(made, tmp_path / "out", "mot", options={"origin": "zero"})
    assert rows(tmp_path / "out") == ["1,1,10,20,30,40.5,1,3,1"]


def test_ids_that_are_no_numbers_are_numbered_and_told(tmp_path: Path) -> None:
    named = [Annotation(id, "car", track_of([0], [box(1.0)])) for id in ("b", "2", "a", "007")]
    report = lc.write(clip(*named), tmp_path / "out", "mot")
    assert [row.split(",")[1] for row in rows(tmp_path / "out")] == ["1", "2", "3", "4"]
    assert report.counts["L417"] == 1


def test_classes_that_mot_does_not_have_are_listed_beside(tmp_path: Path) -> None:
    two = [
        Annotation(str(n), name, track_of([n], [box(1.0)]))
        for n, name in enumerate(("cat", "car", "a dog"), 1)
    ]
    lc.write(clip(*two), tmp_path / "out", "mot")
    assert [row.split(",")[7] for row in rows(tmp_path / "out")] == ["14", "3", "15"]
    names = (tmp_path / "out" / "clip" / "gt" / "labels.txt").read_text().splitlines()
    assert names[13:] == ["cat", "a dog"]
    (sample,) = lc.read(tmp_path / "out")
    assert [a.category for a in sample.annotations] == ["cat", "car", "a dog"]


def test_visibility_and_the_flag_go_back_to_their_columns(tmp_path: Path) -> None:
    source = tmp_path / "S" / "gt"
    source.mkdir(parents=True)
    text = "1,1,5,5,2,2,0,1,0.25\n2,1,5,5,2,2,0,1,0.5\n1,2,5,5,2,2,1,1,0.75\n"
    (source / "gt.txt").write_text(text)
    options = {"ignored": "keep"}
    lc.convert(tmp_path / "S", tmp_path / "out", from_="mot", to="mot", reader_options=options)
    assert rows(tmp_path / "out", "S") == [
        "1,1,5,5,2,2,0,1,0.25",
        "2,1,5,5,2,2,0,1,0.5",
        "1,2,5,5,2,2,1,1,0.75",
    ]


def test_visibility_of_another_number_of_frames_is_counted_and_not_written(tmp_path: Path) -> None:
    track = Track(((Keyframe(0, box(10.0)), Keyframe(4, box(14.0))),))
    extra = {"mot:visibility": [0.5, 0.25], "mot:evaluated": "x"}
    made = clip(Annotation("1", "car", track, (), None, extra))
    report = lc.write(made, tmp_path / "out", "mot")
    assert [row.rpartition(",1,3,")[2] for row in rows(tmp_path / "out")] == ["1"] * 5
    assert report.fields == {"mot:visibility": 1, "mot:evaluated": 1}


def test_what_is_no_box_is_a_loss(tmp_path: Path) -> None:
    made = clip(Annotation("1", "car", track_of([0], [Point(1.0, 1.0)])))
    with pytest.raises(LossError):
        lc.write(made, tmp_path / "out", "mot")
