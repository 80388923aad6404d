"""Labels of videos beside the very files: what they agree on, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from mp4_made import mp4

import labelconv as lc
from labelconv.media import MediaFiles
from labelconv.model import Annotation, Box, Image, Keyframe, Sample, Samples, Track, Video
from labelconv.problems import Report
from labelconv.videofiles import with_videos

ROWS = "".join(f"{frame},1,{frame},5,20,30,1,1,1\n" for frame in range(1, 11))
EVEN, VARYING = [(30, 20)], [(15, 20), (15, 40)]


def folder(path: Path, data: bytes | None, info: str = "") -> Path:
    """A sequence `clip` of ten frames in `labels`, and its file in `media`."""
    (path / "labels" / "clip" / "gt").mkdir(parents=True)
    (path / "labels" / "clip" / "gt" / "gt.txt").write_text(ROWS)
    (path / "labels" / "clip" / "seqinfo.ini").write_text(f"[Sequence]\nname=clip\n{info}")
    (path / "media").mkdir()
    if data is not None:
        (path / "media" / "clip.mp4").write_bytes(data)
    return path / "labels"


def read(path: Path, **options: Any) -> tuple[list[Sample], Report]:
    dataset = lc.read(path / "labels", "mot", media=path / "media", options=options)
    return list(dataset), dataset.report


def test_what_the_source_does_not_say_comes_from_the_file(tmp_path: Path) -> None:
    folder(tmp_path, mp4(EVEN))
    (sample,), report = read(tmp_path)
    assert sample.media == Video(640.0, 480.0, 30, 30.0)
    assert report.counts == {}


def test_without_a_file_or_with_one_of_another_kind_nothing_is_said(tmp_path: Path) -> None:
    folder(tmp_path, None)
    (sample,), report = read(tmp_path)
    assert (sample.media, report.counts) == (Video(), {})
    (tmp_path / "media" / "clip.mp4").write_bytes(b"no video")
    (sample,), report = read(tmp_path)
    assert (sample.media, report.counts) == (Video(), {})


@pytest.mark.parametrize(
    ("data", "info", "count"),
    [
        (mp4(EVEN), "frameRate=30\nseqLength=30\nimWidth=640\nimHeight=480\n", 0),
        (mp4(EVEN), "frameRate=25\n", 1),
        (mp4(VARYING), "frameRate=30\n", 1),
        (mp4(EVEN), "seqLength=29\n", 1),
        (mp4(EVEN), "imWidth=320\nimHeight=240\n", 1),
        (mp4(EVEN, edits=[(900, 40)]), "", 1),
        (mp4([(9, 20)]), "", 1),
        (mp4([(9, 20)]), "frameRate=25\nseqLength=10\n", 3),
    ],
    ids=["all agree", "rate", "varying", "length", "size", "edit list", "labels beyond", "several"],
)
def test_where_source_and_file_differ_that_is_noted_and_the_source_stays(
    tmp_path: Path, data: bytes, info: str, count: int
) -> None:
    folder(tmp_path, data, info)
    (sample,), report = read(tmp_path)
    assert report.counts == ({"R146": count} if count else {})
    assert [problem.where.sample for problem in report.problems] == ["clip"] * count
    assert len(sample.annotations) == 1


def test_labels_beyond_the_end_that_the_source_says_are_noted_without_any_file(
    tmp_path: Path,
) -> None:
    labels = folder(tmp_path, None, "seqLength=10\n")
    for count, noted in ((10, 0), (9, 1)):
        (labels / "clip" / "seqinfo.ini").write_text(f"[Sequence]\nseqLength={count}\n")
        dataset = lc.read(labels, "mot")
        assert [sample.key for sample in dataset] == ["clip"]
        assert dataset.report.counts.get("R146", 0) == noted


def test_a_rate_a_little_off_is_another_once_the_last_frame_is_off_by_half(tmp_path: Path) -> None:
    # 30 and 29.97 are half a frame apart after 500 frames.
    folder(tmp_path, mp4([(400, 20)]), "frameRate=29.97\n")
    assert read(tmp_path)[1].counts == {}
    (tmp_path / "media" / "clip.mp4").write_bytes(mp4([(600, 20)]))
    assert read(tmp_path)[1].counts == {"R146": 1}


@pytest.mark.parametrize(
    ("data", "fps", "refused", "noted"),
    [
        (mp4(EVEN), "10:30", False, False),
        (mp4(EVEN), "5:25", True, False),
        (mp4(VARYING), "10:30", True, False),
        (mp4([(1, 20)]), "10:30", False, True),
        (mp4([]), "10:30", False, True),
        (None, "10:30", False, True),
    ],
    ids=["right", "wrong", "varying", "one frame", "in fragments", "missing"],
)
def test_frames_placed_by_rates_that_the_file_does_not_have_are_refused_with_all_they_say(
    tmp_path: Path, data: bytes | None, fps: str, refused: bool, noted: bool
) -> None:
    folder(tmp_path, data)
    samples, report = read(tmp_path, fps=fps)
    ledger = report.ledger
    assert report.counts.get("R146", 0) == noted
    assert (len(samples), report.counts.get("R145", 0)) == ((0, 1) if refused else (1, 0))
    assert (ledger.samples.rejected, ledger.annotations.rejected) == (refused, refused)
    assert len(report.take_rejected()) == refused
    for sample in samples:
        assert isinstance(sample.media, Video)
        assert sample.media.frame_rate == 30.0
        assert sample.annotations[0].value.segments[0][-1].frame == 27  # type: ignore[union-attr]


def test_what_is_refused_is_in_the_ledger_of_a_conversion(tmp_path: Path) -> None:
    source, target = folder(tmp_path, mp4(VARYING)), tmp_path / "mal.ndjson"
    report = lc.convert(
        source,
        target,
        from_="mot",
        to="labelbox",
        media=tmp_path / "media",
        reader_options={"fps": "10:30"},
    )
    assert report.counts["R145"] == 1
    assert target.read_bytes() == b""
    assert report.ledger.balanced


@pytest.mark.parametrize(("steps", "lines"), [(EVEN, 1), (VARYING, 0)], ids=["right", "varying"])
def test_pictures_that_are_frames_are_compared_with_the_video_that_they_become(
    tmp_path: Path, steps: list[tuple[int, int]], lines: int
) -> None:
    labels = [
        Sample(f"clip/{n}.png", Image(640.0, 480.0), (Annotation("1", "car", Box(n, 5, n + 9, 9)),))
        for n in range(5)
    ]
    lc.write(Samples(labels), tmp_path / "frames.ndjson", "native")
    (tmp_path / "media").mkdir()
    (tmp_path / "media" / "clip.mp4").write_bytes(mp4(steps))
    target = tmp_path / "mal.ndjson"
    report = lc.convert(
        tmp_path / "frames.ndjson",
        target,
        to="labelbox",
        media=tmp_path / "media",
        video={"fps": "10:30"},
    )
    assert len(target.read_bytes().splitlines()) == 5 * lines  # each frame's box is an object
    assert report.counts.get("R145", 0) == 1 - lines
    assert report.ledger.balanced


def test_a_video_in_pieces_is_compared_once_and_refused_as_one(tmp_path: Path) -> None:
    folder(tmp_path, mp4(VARYING, size=(64, 48)))
    files, report = MediaFiles(tmp_path / "media"), Report()
    box = Track(((Keyframe(0, Box(1, 2, 3, 4)),),))
    pieces = [
        Sample("clip", Video(640.0, 480.0, 30, 30.0), (Annotation(id, "car", box),)) for id in "ab"
    ]
    assert len(list(with_videos(pieces, files, report, by_rate=False))) == 2
    assert report.counts == {"R146": 2}  # the rate and the size
    report = Report()
    assert list(with_videos(pieces, files, report, by_rate=True)) == []
    assert (report.ledger.samples.rejected, report.ledger.annotations.rejected) == (1, 2)
