"""MOTS: object ids, regions to ignore, the number of the first frame."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import labelconv as lc
from labelconv.errors import OptionError
from labelconv.formats.mots import FORMAT
from labelconv.io import Source
from labelconv.masks import from_runs, to_text
from labelconv.model import Annotation, Mask, Sample, Track, Video
from labelconv.problems import Report

SIZE = (4, 6)
MASK = from_runs(SIZE, (2, 5, 17))


def line(frame: int, id: int, mask: Mask = MASK) -> str:
    return f"{frame} {id} {id // 1000} {mask.size[0]} {mask.size[1]} {to_text(mask)}"


def file(folder: Path, *lines: str, name: str = "0002.txt") -> Path:
    path = folder / name
    path.write_text("\n".join(lines) + "\n", encoding="ascii")
    return path


def read(path: Path, report: Report | None = None, **options: Any) -> list[Sample]:
    return list(lc.read(path, "mots", options=options, report=report))


def frames(annotation: Annotation) -> list[list[int]]:
    assert isinstance(annotation.value, Track)
    return [[keyframe.frame for keyframe in segment] for segment in annotation.value.segments]


def test_case_38_id_10000_is_skipped_and_1005_is_instance_5_of_class_1(tmp_path: Path) -> None:
    report = Report()
    path = file(
        tmp_path,
        line(1, 10_000),
        line(1, 10_003),
        line(1, 1005),
        line(2, 1005),
        line(4, 1005),
        line(1, 2001),
    )
    (sample,) = read(path, report)
    assert (sample.key, sample.media) == ("0002", Video(6.0, 4.0))
    assert [(a.id, a.category, frames(a)) for a in sample.annotations] == [
        ("1005", "car", [[0, 1], [3]]),
        ("2001", "pedestrian", [[0]]),
    ]
    assert sample.annotations[0].value.segments[0][0].shape == MASK  # type: ignore[union-attr]
    assert (report.ledger.annotations.read, report.ledger.annotations.skipped) == (4, 2)


def test_a_class_that_changes_is_another_annotation_and_said(tmp_path: Path) -> None:
    report = Report()
    path = file(tmp_path, line(1, 1005), line(2, 1005).replace("1005 1", "1005 2"), line(3, 1005))
    (sample,) = read(path, report)
    assert [(a.id, a.category, frames(a)) for a in sample.annotations] == [
        ("1005", "car", [[0], [2]]),
        ("1005/2", "pedestrian", [[1]]),
    ]
    (problem,) = [each for each in report.problems if each.code == "R105"]
    assert (problem.where.line, problem.where.sample) == (2, "0002")


def test_a_mask_of_another_size_than_the_first_is_rejected_alone(tmp_path: Path) -> None:
    report = Report()
    other = from_runs((4, 7), (2, 5, 21))
    (sample,) = read(file(tmp_path, line(1, 1005), line(2, 1005, other), line(3, 2001)), report)
    assert [(a.id, frames(a)) for a in sample.annotations] == [("1005", [[0]]), ("2001", [[2]])]
    assert [(p.code, p.where.line) for p in report.problems if p.severity == "error"] == [
        ("R111", 2)
    ]
    assert (report.ledger.annotations.read, report.ledger.annotations.rejected) == (3, 1)


@pytest.mark.parametrize(
    ("first", "lowest", "expected"),
    [("auto", 0, [[0, 1]]), ("auto", 1, [[0, 1]]), ("zero", 1, [[1, 2]]), ("one", 1, [[0, 1]])],
)
def test_the_first_frame_is_0_or_1_and_what_it_was_taken_for_is_told(
    tmp_path: Path, first: str, lowest: int, expected: list[list[int]]
) -> None:
    report = Report()
    path = file(tmp_path, line(lowest, 1005), line(lowest + 1, 1005))
    (sample,) = read(path, report, first=first)
    assert frames(sample.annotations[0]) == expected
    assert list(report.counts) == (["R113"] if first == "auto" else [])


def test_frames_before_the_first_and_beyond_any_video_are_rejected_alone(tmp_path: Path) -> None:
    report = Report()
    path = file(tmp_path, line(0, 1005), line(1, 1005), line(2**32, 1005))
    (sample,) = read(path, report, first="one")
    assert [frames(a) for a in sample.annotations] == [[[0]]]
    assert [(p.code, p.where.line) for p in report.problems] == [("R101", 1), ("R101", 3)]
    assert (report.ledger.annotations.read, report.ledger.annotations.rejected) == (3, 2)


def test_bad_lines_are_rejected_alone_with_their_line(tmp_path: Path) -> None:
    lines = [
        line(1, 1005),
        line(1, 1005),
        "1 1006 1 4 6",
        "1 1006 1 4 six x",
        "-1 1006 1 4 6 " + to_text(MASK),
        "1 1006 1 9 9 " + to_text(MASK),
        "",
        line(2, 1005),
    ]
    report = Report()
    (sample,) = read(file(tmp_path, *lines), report, first="one")
    assert [frames(a) for a in sample.annotations] == [[[0, 1]]]
    assert [(p.code, p.where.line) for p in report.problems] == [
        ("R104", 2),
        ("R101", 3),
        ("R101", 4),
        ("R101", 5),
        ("R110", 6),
    ]
    assert [r.record.decode() for r in report.take_rejected()] == lines[1:6]


def test_folders_frames_and_what_is_a_guess(tmp_path: Path) -> None:
    for name in ("0010.txt", "0002.txt"):
        file(tmp_path, line(1, 1005), line(2, 1005), name=name)
    samples = read(tmp_path, first="one", start=1, fps="10:20")
    assert [(s.key, frames(s.annotations[0])) for s in samples] == [
        ("0002", [[1, 3]]),
        ("0010", [[1, 3]]),
    ]
    for options in ({"fps": "10:25"}, {"gap": 0}):
        with pytest.raises(OptionError):
            read(tmp_path, **options)


def test_every_frame_of_a_track_of_masks_stays(tmp_path: Path) -> None:
    path = file(tmp_path, *(line(frame, 1005) for frame in range(1, 6)))
    report = lc.convert(path, tmp_path / "out.ndjson", from_="mots", to="native")
    assert report.ledger.balanced
    (sample,) = lc.read(tmp_path / "out.ndjson", "native")
    assert frames(sample.annotations[0]) == [[0, 1, 2, 3, 4]]


def test_mots_is_recognised_by_its_columns(tmp_path: Path) -> None:
    assert FORMAT.sniff is not None
    path = file(tmp_path, line(1, 1005))
    assert FORMAT.sniff(Source(path).peek()).certainty == 3
    assert FORMAT.sniff(Source(tmp_path).peek()).certainty == 3
    assert lc.read(path).report.evidence[0].startswith("mots:")
    for text in ("1 2 3 4 5", "1 2 3 4 5 6", "1,1,5,5,2,2"):
        assert FORMAT.sniff(Source(file(tmp_path, text)).peek()).certainty == 0
