"""What the MOT reader makes of rows, folders and options."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import labelconv as lc
from labelconv.convert import convert
from labelconv.errors import OptionError, SourceError
from labelconv.formats.mot import FORMAT, reader
from labelconv.io import Source
from labelconv.model import Annotation, Box, Classification, FreeText, Sample, Samples, Track, Video
from labelconv.problems import Report


def file(folder: Path, text: str | bytes, name: str = "clip.txt") -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def read(path: Path, report: Report | None = None, **options: Any) -> list[Sample]:
    dataset = lc.read(path, "mot", options=options, report=report)
    return list(dataset)


def one(path: Path, **options: Any) -> Annotation:
    (sample,) = read(path, **options)
    (annotation,) = sample.annotations
    return annotation


def boxes(annotation: Annotation) -> list[list[tuple[int, float, float, float, float]]]:
    """Of each segment (frame, left, top, width, height) of its keyframes."""
    assert isinstance(annotation.value, Track)
    found = []
    for segment in annotation.value.segments:
        rows = []
        for keyframe in segment:
            box = keyframe.shape
            assert isinstance(box, Box)
            rows.append((keyframe.frame, box.x0, box.y0, box.x1 - box.x0, box.y1 - box.y0))
        found.append(rows)
    return found


def places(report: Report) -> list[tuple[str, int | None]]:
    return [(problem.code, problem.where.line) for problem in report.problems]


# ---------------------------------------------------------------------------- rows


@pytest.mark.parametrize(
    ("origin", "left", "top"), [("one", 793.27, 246.59), ("zero", 794.27, 247.59)]
)
def test_case_34_frame_1_is_frame_0_and_the_origin_is_an_option(
    tmp_path: Path, origin: str, left: float, top: float
) -> None:
    path = file(tmp_path, "1, 3, 794.27, 247.59, 71.245, 174.88, -1,-1,-1,-1\n")
    annotation = one(path, origin=origin)
    assert boxes(annotation)[0][0] == pytest.approx((0, left, top, 71.245, 174.88), abs=1e-9)
    assert (annotation.id, annotation.category, annotation.confidence) == ("3", "pedestrian", None)


def test_the_origin_is_one_when_nothing_is_said(tmp_path: Path) -> None:
    assert boxes(one(file(tmp_path, "1,1,1,1,4,4,1,-1,-1,-1")))[0][0] == (0, 0.0, 0.0, 4.0, 4.0)


def test_case_34_rows_that_are_not_to_be_evaluated_are_skipped_and_counted(tmp_path: Path) -> None:
    text = "1,1,10,10,5,5,1,1,1\n1,2,10,10,5,5,0,8,0.77647\n2,2,10,10,5,5,0,8,0.7\n"
    path = file(tmp_path, text, "SEQ/gt/gt.txt")
    report = Report()
    (sample,) = read(path, report)
    assert [a.id for a in sample.annotations] == ["1"]
    assert (report.ledger.annotations.read, report.ledger.annotations.skipped) == (2, 1)
    assert report.fields == {"mot:not evaluated (rows, left out)": 2}
    (kept,) = [a for s in read(path, ignored="keep") for a in s.annotations if a.id == "2"]
    assert kept.category == "distractor"
    assert kept.extra["mot:evaluated"] == [0, 0]


def test_frames_1_to_5_and_9_to_12_of_one_id_are_one_annotation_of_two_segments(
    tmp_path: Path,
) -> None:
    rows = [f"{f},7,{100 + 2 * f},50,20,30,1,3,1" for f in (1, 2, 3, 4, 5, 9, 10, 11, 12)]
    annotation = one(file(tmp_path, "\n".join(rows)))
    assert [[row[0] for row in segment] for segment in boxes(annotation)] == [
        [0, 1, 2, 3, 4],
        [8, 9, 10, 11],
    ]
    assert annotation.category == "car"
    assert len(boxes(one(file(tmp_path, "\n".join(rows)), gap=4))) == 1


@pytest.mark.parametrize(
    "row",
    [
        "3,5,10,20,30,40,0.5,-1,-1,-1",
        "3 5 10 20 30 40 0.5 -1 -1 -1",
        "3, 5, 10, 20, 30, 40, 0.5",
        "  3,5,1e1,20.,30.0,+40,.5,-1,-1,-1,  ",
        "000003,000005,10,20,30,40,0.5",
        "3\t5\t10\t20\t30\t40\t0.5\t-1\t-1\t-1",
    ],
)
def test_commas_blanks_and_other_spellings_of_numbers_are_read_alike(
    tmp_path: Path, row: str
) -> None:
    annotation = one(file(tmp_path, f"{row}\r\n"), rows="results")
    assert boxes(annotation) == [[(2, 9.0, 19.0, 30.0, 40.0)]]
    assert (annotation.id, annotation.confidence) == ("5", 0.5)


def test_lines_of_different_length_and_blank_lines_and_a_byte_order_mark_are_read(
    tmp_path: Path,
) -> None:
    report = Report()
    path = file(tmp_path, b"\xef\xbb\xbf1,1,5,5,2,2\n\n2,1,5,5,2,2,1,-1,-1,-1\n\n")
    (sample,) = read(path, report)
    assert boxes(sample.annotations[0]) == [[(0, 4.0, 4.0, 2.0, 2.0), (1, 4.0, 4.0, 2.0, 2.0)]]
    assert [problem.code for problem in report.problems] == ["R107"]


def test_bad_rows_are_rejected_alone_with_their_line_and_their_bytes(tmp_path: Path) -> None:
    rows = [
        "1,1,5,5,2,2,1",
        "2,1,5,5,-2,2,1",
        "3,1,nan,5,2,2,1",
        "0,1,5,5,2,2,1",
        "1.5,1,5,5,2,2,1",
        "4,1,5,5,2,2,1",
        "frame,id,left",
        "5,1,5",
        "4,1,9,9,2,2,1",
        "6,1,1e300,5,2,2,1",
    ]
    report = Report()
    path = file(tmp_path, "\n".join(rows))
    (sample,) = read(path, report, rows="results")
    assert [row[0] for segment in boxes(sample.annotations[0]) for row in segment] == [0, 3]
    assert sorted(places(report), key=lambda place: place[1] or 0) == [
        ("M201", 2),
        ("R102", 3),
        ("R101", 4),
        ("R101", 5),
        ("R101", 7),
        ("R101", 8),
        ("R104", 9),
        ("R101", 10),
    ]
    records = {record.where.line: record.record for record in report.take_rejected()}
    assert records == {n: rows[n - 1].encode() for n in (2, 3, 4, 5, 7, 8, 9, 10)}
    assert (report.ledger.annotations.read, report.ledger.annotations.rejected) == (9, 8)


def test_detections_without_an_id_are_tracks_of_one_frame(tmp_path: Path) -> None:
    path = file(
        tmp_path,
        "1,-1,5,5,2,2,0.25,-1,-1,-1\n1,-1,7,7,2,2,-0.5\n2,-1,5,5,2,2,31\n",
        "S/det/det.txt",
    )
    (sample,) = read(path)
    assert [(a.id, a.confidence) for a in sample.annotations] == [
        ("line 1", 0.25),
        ("line 2", -0.5),
        ("line 3", 31.0),
    ]
    assert [boxes(a)[0][0][0] for a in sample.annotations] == [0, 0, 1]


def test_a_class_that_changes_is_another_annotation_and_said(tmp_path: Path) -> None:
    report = Report()
    path = file(
        tmp_path, "1,4,5,5,2,2,1,3,1\n2,4,5,5,2,2,1,3,1\n3,4,5,5,2,2,1,5,1\n", "S/gt/gt.txt"
    )
    (sample,) = read(path, report)
    assert [(a.id, a.category) for a in sample.annotations] == [("4", "car"), ("4/5", "motorbike")]
    assert places(report) == [("R105", 3)]


def test_rows_in_any_order_are_the_same_tracks(tmp_path: Path) -> None:
    rows = [f"{f},{i},{f + i},5,2,2,1,1,1" for i in (1, 2, 10) for f in range(1, 30)]
    by_id = read(file(tmp_path, "\n".join(rows), "a.txt"), rows="gt")
    shuffled = [rows[i] for i in np.random.default_rng(1).permutation(len(rows))]
    other = read(file(tmp_path, "\n".join(shuffled), "b.txt"), rows="gt")
    assert by_id[0].annotations == other[0].annotations
    assert [a.id for a in by_id[0].annotations] == ["1", "2", "10"]


def test_confidences_that_differ_from_frame_to_frame_are_kept_beside(tmp_path: Path) -> None:
    path = file(tmp_path, "1,1,5,5,2,2,0.25\n2,1,5,5,2,2,0.5\n")
    annotation = one(path, rows="results")
    assert annotation.confidence is None
    assert annotation.extra == {"mot:confidence": [0.25, 0.5]}
    report = convert(path, tmp_path / "out.ndjson", from_="mot", to="labelbox")
    assert report.fields["mot:confidence (of frames)"] == 2


@pytest.mark.parametrize("how", ["extra", "answer", "none"])
def test_visibility_is_kept_beside_or_answered_or_left_out(tmp_path: Path, how: str) -> None:
    path = file(tmp_path, "1,1,5,5,2,2,1,1,0.5\n2,1,5,5,2,2,1,1,1\n", "S/gt/gt.txt")
    report = Report()
    ((annotation,),) = [sample.annotations for sample in read(path, report, visibility=how)]
    assert report.fields == ({"mot:visibility": 2} if how == "none" else {})
    assert isinstance(annotation.value, Track)
    answers = [k.classifications for k in annotation.value.segments[0]]
    assert annotation.extra == ({"mot:visibility": [0.5, 1.0]} if how == "extra" else {})
    said = [(Classification("visibility", FreeText(text)),) for text in ("0.5", "1")]
    assert answers == (said if how == "answer" else [(), ()])


def test_a_keyframe_stays_where_the_visibility_changes_and_the_worst_drift_is_told(
    tmp_path: Path,
) -> None:
    edges = [(5, 1), (6, 1), (5, 1), (5, 0.5), (5, 0.5), (5, 0.5), (5, 1), (5, 1)]
    rows = "".join(f"{n},1,{x},5,2,2,1,1,{seen}\n" for n, (x, seen) in enumerate(edges, 1))
    still = "".join(f"{n},2,50,5,2,2,1,1,1\n" for n in range(1, 9))
    path, target = file(tmp_path, rows + still, "S/gt/gt.txt"), tmp_path / "out.ndjson"
    options = {"visibility": "answer"}
    report = convert(path, target, from_="mot", to="labelbox", reader_options=options)
    first, second = map(json.loads, target.read_text().splitlines())
    said = [
        (keyframe["frame"], keyframe["classifications"][0]["answer"])
        for keyframe in first["segments"][0]["keyframes"]
    ]
    assert said == [(1, "1"), (4, "0.5"), (7, "1"), (8, "1")]
    assert [k["frame"] for k in second["segments"][0]["keyframes"]] == [1, 8]
    done = report.keyframes
    assert (done.before, done.after, done.drift) == (16, 6, 1.0)


# ---------------------------------------------------------------------------- what the rows are


@pytest.mark.parametrize(
    ("text", "category", "confidence"),
    [
        ("1,1,5,5,2,2,1,4,0.5\n", "bicycle", None),
        ("1,1,5,5,2,2,1,-1,-1,-1\n", "pedestrian", 1.0),
        ("1,1,5,5,2,2,0.75,4,0.5\n", "pedestrian", 0.75),
        ("1,1,5,5,2,2\n", "pedestrian", None),
    ],
)
def test_what_the_rows_are_is_seen_from_the_numbers_where_the_name_does_not_say(
    tmp_path: Path, text: str, category: str, confidence: float | None
) -> None:
    annotation = one(file(tmp_path, text))
    assert (annotation.category, annotation.confidence) == (category, confidence)


def test_that_rows_look_like_ground_truth_is_told(tmp_path: Path) -> None:
    report = Report()
    read(file(tmp_path, "1,1,5,5,2,2,1,4,0.5\n"), report)
    assert [problem.code for problem in report.problems] == ["R113"]


def test_classes_come_from_the_option_then_from_labels_txt_then_from_mot16(tmp_path: Path) -> None:
    path = file(tmp_path, "1,1,5,5,2,2,1,2,1\n", "S/gt/gt.txt")
    assert one(path).category == "person_on_vehicle"
    file(tmp_path, "cat\nblack dog\n", "S/gt/labels.txt")
    assert one(path).category == "black dog"
    plain = file(tmp_path, "one\ntwo two\n", "plain.txt")
    assert one(path, classes=str(plain)).category == "two two"
    numbered = file(tmp_path, "2: horse\n7 cow\n", "numbered.txt")
    assert one(path, classes=str(numbered)).category == "horse"
    assert one(file(tmp_path, "1,1,5,5,2,2,1,99,1\n", "T/gt/gt.txt")).category == "class 99"
    with pytest.raises(OptionError):
        read(path, classes=str(tmp_path / "missing.txt"))


# ---------------------------------------------------------------------------- folders


def sequence(folder: Path, name: str, *, gt: str | None = None, det: str | None = None) -> None:
    if gt is not None:
        file(folder, gt, f"{name}/gt/gt.txt")
    if det is not None:
        file(folder, det, f"{name}/det/det.txt")
    facts = ["imDir=img1", "frameRate=25", "seqLength=71", "imWidth=640", "imHeight=480"]
    file(folder, "\n".join(["[Sequence]", f"name={name}", *facts, ""]), f"{name}/seqinfo.ini")


def test_a_folder_of_sequences_is_read_in_natural_order_with_their_facts(tmp_path: Path) -> None:
    row = "1,1,5,5,2,2,1,1,1\n"
    for name in ("train/MOT-10", "train/MOT-9"):
        sequence(tmp_path, name, gt=row, det="1,-1,5,5,2,2,0.5\n" * 2)
    sequence(tmp_path, "test/MOT-1", det="1,-1,5,5,2,2,0.5\n" * 2)
    sequence(tmp_path, "test/MOT-2")
    dataset = lc.read(tmp_path)
    samples = list(dataset)
    assert dataset.report.evidence[0].startswith("mot:")
    assert [(s.key, len(s.annotations)) for s in samples] == [
        ("test/MOT-1", 2),
        ("test/MOT-2", 0),
        ("train/MOT-9", 1),
        ("train/MOT-10", 1),
    ]
    assert {s.media for s in samples} == {Video(640.0, 480.0, 71, 25.0)}
    assert [len(s.annotations) for s in read(tmp_path, rows="det")] == [2, 0, 2, 2]


def test_a_folder_of_results_is_a_sequence_for_each_file(tmp_path: Path) -> None:
    for name in ("MOT16-02.txt", "MOT16-04.txt"):
        file(tmp_path, "1,1,5,5,2,2,0.5,-1,-1,-1\n", name)
    assert [s.key for s in read(tmp_path)] == ["MOT16-02", "MOT16-04"]


def test_a_folder_without_anything_of_mot_is_refused(tmp_path: Path) -> None:
    file(tmp_path, "x", "picture.png")
    with pytest.raises(SourceError, match="expected, none found"):
        read(tmp_path)


def test_seqinfo_may_lack_fields_and_wrong_numbers_are_told(tmp_path: Path) -> None:
    path = file(tmp_path, "1,1,5,5,2,2,1,1,1\n", "S/gt/gt.txt")
    file(tmp_path, "[Sequence]\nimWidth=wide\nseqLength=9\n", "S/seqinfo.ini")
    report = Report()
    (sample,) = read(path, report)
    assert sample.media == Video(None, None, 9, None)
    assert places(report) == [("R101", 2)]


def test_keys_come_from_a_template_and_collisions_reject_the_second_sequence(
    tmp_path: Path,
) -> None:
    for name in ("a/S", "b/S"):
        sequence(tmp_path, name, gt="1,1,5,5,2,2,1,1,1\n")
    report = Report()
    samples = list(lc.read(tmp_path, "mot", key="{stem}", report=report))
    assert [s.key for s in samples] == ["S"]
    assert report.counts == {"K601": 1}
    assert (report.ledger.samples.read, report.ledger.samples.rejected) == (2, 1)


# ---------------------------------------------------------------------------- frames


@pytest.mark.parametrize(
    ("options", "frames"),
    [
        ({"start": 10}, [10, 11, 14]),
        ({"stride": 3}, [0, 3, 12]),
        ({"start": 10, "stride": 3}, [10, 13, 22]),
        ({"fps": "5:30"}, [0, 6, 24]),
        ({"fps": "29.97:59.94"}, [0, 2, 8]),
    ],
)
def test_frames_map_to_the_video_by_the_rule_that_is_given(
    tmp_path: Path, options: dict[str, Any], frames: list[int]
) -> None:
    rows = "".join(f"{f},1,5,5,2,2,1,1,1\n" for f in (1, 2, 5))
    annotation = one(file(tmp_path, rows), **options)
    assert [row[0] for segment in boxes(annotation) for row in segment] == frames
    assert len(boxes(annotation)) == 2


@pytest.mark.parametrize(
    "options",
    [
        {"fps": "25:30"},
        {"fps": "30:5"},
        {"fps": "30"},
        {"fps": "5:30", "stride": 2},
        {"stride": 0},
        {"stride": "1.5"},
        {"start": -1},
        {"gap": 0},
    ],
)
def test_a_rule_that_would_be_a_guess_is_refused(tmp_path: Path, options: dict[str, Any]) -> None:
    with pytest.raises(OptionError):
        read(file(tmp_path, "1,1,5,5,2,2\n"), **options)


# ---------------------------------------------------------------------------- keyframes


def test_the_reader_leaves_out_what_the_target_would_and_it_is_in_the_report(
    tmp_path: Path,
) -> None:
    frames = range(1, 101)
    rows = [f"{f},1,{100 + 2 * f},50,20,30,1,3,1" for f in frames]
    rows += [f"{f},2,{300 + 2 * f},50,20,30,1,3,1" for f in frames]
    path = file(tmp_path, "\n".join(rows), "S/gt/gt.txt")
    target = tmp_path / "mal.ndjson"
    report = convert(path, target, from_="mot", to="labelbox")
    lines = [json.loads(line) for line in target.read_bytes().splitlines()]
    assert [(line["name"], len(line["segments"])) for line in lines] == [("car", 1), ("car", 1)]
    assert len({line["uuid"] for line in lines}) == 2
    keyframes = [k["frame"] for line in lines for k in line["segments"][0]["keyframes"]]
    assert keyframes == [1, 100, 1, 100]
    done = report.keyframes
    assert (done.tracks, done.before, done.after, done.drift, done.iou) == (2, 200, 4, 0.0, 1.0)
    assert report.counts["L432"] == 1
    assert report.as_dict()["keyframes"]["after"] == 4
    assert report.ledger.balanced


@pytest.mark.parametrize("tolerance", [0.0, 0.5, 2.0])
def test_keyframes_chosen_while_reading_are_those_chosen_by_the_writer(
    tmp_path: Path, tolerance: float
) -> None:
    random = np.random.default_rng(3)
    walk = np.cumsum(random.integers(-1, 2, (12, 80, 4)), axis=1) + 40
    rows = [
        f"{f + 1},{i + 1},{','.join(map(str, walk[i, f]))},1,1,1"
        for i in range(12)
        for f in range(80)
        if (f + i) % 17
    ]
    path = file(tmp_path, "\n".join(rows), "S/gt/gt.txt")
    options = {"tolerance": tolerance}
    lc.convert(path, tmp_path / "a.ndjson", from_="mot", to="labelbox", writer_options=options)
    dense = lc.read(path, "mot")
    held = Samples(list(dense))
    lc.write(held, tmp_path / "b.ndjson", "labelbox", options=options)
    assert (tmp_path / "a.ndjson").read_bytes() == (tmp_path / "b.ndjson").read_bytes()


def make_files_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files of 500 rows are too long to be held, and 300 rows are a chunk."""
    monkeypatch.setattr(reader, "ROWS_HELD", 500)
    whole = reader.chunks

    def small(source: Source, report: Report) -> Any:
        from labelconv.formats.mot.rows import Rows

        for rows in whole(source, report):
            for at in range(0, len(rows.line), 300):
                yield Rows(rows.table[at : at + 300], rows.line[at : at + 300])

    monkeypatch.setattr(reader, "chunks", small)


def test_very_long_files_go_through_temporary_files_with_the_same_result(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [
        f"{f},{i},{f + i},5,{i + 2},2,1,{1 + i % 3},1" for f in range(1, 60) for i in range(1, 40)
    ]
    rows.insert(100, rows[3])
    rows.insert(200, "1,2,3")
    rows += [f"{f},-1,5,5,2,2,1,1,1" for f in range(1, 40)]
    path = file(tmp_path, "\n".join(rows), "S/gt/gt.txt")
    usual, spread = Report(), Report()
    before = read(path, usual)
    make_files_long(monkeypatch)
    after = read(path, spread)
    assert before == after
    assert sorted(places(usual)) == sorted(places(spread)) != []
    assert usual.ledger == spread.ledger


@pytest.mark.parametrize(
    ("options", "in_pieces"), [({}, True), ({"lines": 5}, False)], ids=["one file", "files of 5"]
)
def test_a_video_of_very_many_rows_is_written_in_pieces_unless_a_data_row_must_stay_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: dict[str, Any], in_pieces: bool
) -> None:
    rows = [f"{f},{i},{f * i},5,20,20,1,3,1" for f in range(1, 60) for i in range(1, 40)]
    path = file(tmp_path, "\n".join(rows), "S/gt/gt.txt")

    def run(target: Path) -> tuple[set[bytes], Report]:
        made = lc.convert(path, target, from_="mot", to="labelbox", writer_options=options)
        files = sorted(target.iterdir()) if target.is_dir() else [target]
        return {line for each in files for line in each.read_bytes().splitlines()}, made

    usual, before = run(tmp_path / "usual")
    make_files_long(monkeypatch)
    yielded: list[int] = []
    whole = reader._Reader._sample

    def counted(self: Any, clip: Any) -> Any:
        sample = whole(self, clip)
        yielded.append(len(sample.annotations))
        return sample

    monkeypatch.setattr(reader._Reader, "_sample", counted)
    monkeypatch.setattr(reader, "ROWS_AT_ONCE", 500)
    spread, after = run(tmp_path / "spread")
    assert len(usual) == 39
    assert spread == usual
    assert after.ledger == before.ledger
    assert after.ledger.balanced
    assert after.ledger.samples.read == 1
    assert sum(yielded) == 39
    assert (len(yielded) > 1) == in_pieces


def test_mot_is_recognised_by_its_rows_and_its_folders(tmp_path: Path) -> None:
    assert FORMAT.sniff is not None
    rows = file(tmp_path, "1,1,794.27,247.59,71.245,174.88,-1,-1,-1,-1\n")
    assert FORMAT.sniff(Source(rows).peek()).certainty == 2
    for text in ("1 0.5 0.5 0.2 0.2\n", "a,b,c\n", "0,1,2,3,4,5,6\n", "1,1,2\n"):
        assert FORMAT.sniff(Source(file(tmp_path, text, "x.txt")).peek()).certainty == 0
    file(tmp_path, "1,1,5,5,2,2\n", "f/S/gt/gt.txt")
    assert FORMAT.sniff(Source(tmp_path / "f").peek()).certainty == 3
    assert FORMAT.sniff(Source(tmp_path / "f" / "S" / "gt").peek()).certainty == 0
