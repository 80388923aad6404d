"""Label tracks, TextGrids, subtitles and turns of speakers: what is written, by which options."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

import labelconv as lc
from labelconv import codes, registry, testing
from labelconv.io import Source
from labelconv.model import Audio, Checklist, Classification, FreeText, Radio, Sample, Samples
from labelconv.problems import Account
from labelconv.registry import sniff

SAID = (
    Classification("word", FreeText("one"), ((0, 500),)),
    Classification("word", FreeText("two & <3"), ((1000, 1500), (2000, 2001))),
)


def written(tmp_path: Path, *asked: Classification, to: str, **options: Any) -> tuple[str, Any]:
    sample = Sample("a/talk.wav", Audio(3_000), (), asked)
    target = tmp_path / "out"
    report = lc.write(Samples([sample]), target, to, options=options, allow=["loss"])
    (path,) = (each for each in target.rglob("*") if each.is_file())
    assert path.relative_to(target).as_posix().startswith("a/talk.wav.")
    return path.read_bytes().decode(), report


@pytest.mark.parametrize(
    ("format", "options"),
    [
        ("audacity", {"answers": "text", "question": "what"}),
        ("textgrid", {"answers": "radio"}),
        ("subtitles", {"kind": "vtt"}),
        ("subtitles", {"kind": "vtt", "answers": "radio"}),
        ("subtitles", {"kind": "srt", "answers": "radio"}),
    ],
)
@given(data=st.data())
def test_the_laws_hold_with_the_options_of_both_sides_alike(
    format: str,
    options: dict[str, str],
    data: st.DataObject,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    found = registry.get(format)
    settings = msgspec.convert(options, found.writer_options)
    reading = msgspec.convert(
        {k: v for k, v in options.items() if k != "kind"}, found.reader_options
    )
    dataset = data.draw(testing.datasets(found.holds(settings)[0]))
    folder = tmp_path_factory.mktemp("laws")
    testing.check_laws(found, dataset, folder, options=settings, reader_options=reading)


CUE = "1\n00:00:00,000 --> 00:00:01,000\nŁódź 😂\n"


def test_labels_are_seconds_and_a_line_each(tmp_path: Path) -> None:
    text, report = written(tmp_path, *SAID, to="audacity", answers="text")
    assert text == "0.000\t0.500\tone\n1.000\t1.500\ttwo & <3\n2.000\t2.001\ttwo & <3\n"
    assert report.ledger.classifications == Account(read=2, changed=2)
    assert report.counts == {codes.NAME_RESPELLED.id: 1, codes.FIELD_LEFT_OUT.id: 1}


def test_subtitles_have_the_clock_and_the_escapes_of_their_kind(tmp_path: Path) -> None:
    late = Classification("word", FreeText("late"), ((3_661_001, 3_662_000),))
    text, _ = written(tmp_path, SAID[1], late, to="subtitles", kind="vtt")
    assert text == (
        "WEBVTT\n\n00:00:01.000 --> 00:00:01.500\ntwo &amp; &lt;3\n\n"
        "00:00:02.000 --> 00:00:02.001\ntwo &amp; &lt;3\n\n"
        "01:01:01.001 --> 01:01:02.000\nlate\n"
    )
    (tmp_path / "b").mkdir()
    text, _ = written(tmp_path / "b", SAID[1], to="subtitles")
    assert text.startswith("1\n00:00:01,000 --> 00:00:01,500\ntwo & <3\n\n2\n")


def test_intervals_that_overlap_are_in_tiers_of_their_own_and_gaps_are_filled(
    tmp_path: Path,
) -> None:
    over = Classification("word", FreeText('"over"'), ((400, 600),))
    text, report = written(tmp_path, SAID[0], over, to="textgrid")
    values = [line.strip() for line in text.splitlines() if "[" not in line]
    assert values.count('name = "word"') == 2
    assert 'text = """over"""' in values
    assert [line for line in values if line.startswith(("xmin", "xmax"))] == [
        *("xmin = 0", "xmax = 3.000"),
        *("xmin = 0", "xmax = 3.000", "xmin = 0.000", "xmax = 0.500"),
        *("xmin = 0.500", "xmax = 3.000"),
        *("xmin = 0", "xmax = 3.000", "xmin = 0.000", "xmax = 0.400"),
        *("xmin = 0.400", "xmax = 0.600", "xmin = 0.600", "xmax = 3.000"),
    ]
    assert report.ledger.classifications == Account(read=2, kept=2)


def test_what_has_no_time_or_another_question_or_kind_is_a_loss(tmp_path: Path) -> None:
    asked = (
        SAID[0],
        Classification("word", FreeText("always")),
        Classification("mood", FreeText("calm"), ((0, 5),)),
        Classification("word", Radio("yes"), ((0, 5),)),
        Classification("word", Checklist((Radio("a"),)), ((0, 5),)),
    )
    text, report = written(tmp_path, *asked, to="subtitles")
    assert "one" in text
    assert text.count("-->") == 1
    assert report.counts[codes.CLASSIFICATION_DROPPED.id] == 4
    assert report.ledger.classifications == Account(read=5, changed=1, lost=4)


@pytest.mark.parametrize(
    ("name", "data", "format"),
    [
        ("a.txt", b"0.5\t1.5\tx\n", "audacity"),
        ("a.txt", b'File type = "ooTextFile"\nObject class = "TextGrid"\n', "textgrid"),
        ("a.txt", b"1\r\n00:00:01,000 --> 00:00:02,000\r\nx\r\n", "subtitles"),
        ("a.txt", b"\xef\xbb\xbfWEBVTT\n", "subtitles"),
        ("a.txt", b";; x\nSPEAKER a 1 0 1 <NA> <NA> b <NA> <NA>\n", "rttm"),
    ],
)
def test_each_is_recognised_by_what_is_in_it(
    tmp_path: Path, name: str, data: bytes, format: str
) -> None:
    (tmp_path / name).write_bytes(data)
    found, evidence = sniff(Source(tmp_path / name))
    assert found.name == format, evidence


def test_a_folder_of_recordings_becomes_temporal_lines_of_mal(tmp_path: Path) -> None:
    folder = tmp_path / "labels"
    (folder / "b").mkdir(parents=True)
    (folder / "talk2.txt").write_text("0\t1\tspeech\n")
    (folder / "b" / "talk10.txt").write_text("0\t1\tspeech\n2\t3\tnoise\n")
    report = lc.convert(folder, tmp_path / "mal.ndjson", to="labelbox")
    lines = [
        msgspec.json.decode(line) for line in (tmp_path / "mal.ndjson").read_bytes().splitlines()
    ]
    assert [line["dataRow"]["globalKey"] for line in lines] == ["b/talk10", "talk2"]
    assert {line["name"] for line in lines} == {"label"}
    assert report.ledger.classifications == Account(read=3, kept=3)


def read(tmp_path: Path, name: str, data: str | bytes, format: str, **options: Any) -> Any:
    path = tmp_path / name
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return lc.read(path, format, options=options)


def heard(dataset: Any) -> list[tuple[str, tuple[int, int]]]:
    return [
        (each.answer.name if isinstance(each.answer, Radio) else each.answer.text, each.ranges[0])
        for sample in dataset
        for each in sample.classifications
    ]


def told(dataset: Any) -> list[tuple[str, int | None]]:
    return [(each.code, each.where.line) for each in dataset.report.problems]


TIERS = """File type = "ooTextFile"
Object class = "TextGrid"
0 4 <exists> 2
"IntervalTier" "word" 0 4 2
0 1 "one"
3 2 "back"
"TextTier" "mark" 0 4 2
1 ""
2 "click"
"""


def test_an_impossible_interval_is_rejected_alone_at_its_line(tmp_path: Path) -> None:
    dataset = read(tmp_path, "a.TextGrid", TIERS, "textgrid")
    assert heard(dataset) == [("one", (0, 1000)), ("click", (2000, 2001))]
    assert told(dataset) == [("R101", 6), (codes.TIME_EMPTY.id, 9)]
    assert dataset.report.take_rejected()[0].record == b'3.0 2.0 "back"'
    assert dataset.report.fields == {"textgrid:points without a text": 1}
    assert dataset.report.ledger.classifications == Account(read=3, rejected=1)


@pytest.mark.parametrize(
    ("found", "instead", "line"),
    [
        ("<exists> 2", "<exists> 1", 7),
        ("<exists> 2", "<exists> 3", 10),
        ("<exists> 2", "<exists> 1e999", 3),
        ("<exists> 2", "<exists> 1.5", 3),
        ("0 4 <", "0 1e999 <", 3),
        ("0 4 <", "0 -4 <", 3),
        ('"TextTier"', '"PointTier"', 7),
    ],
)
def test_a_textgrid_that_contradicts_itself_is_rejected_at_the_line(
    tmp_path: Path, found: str, instead: str, line: int
) -> None:
    dataset = read(tmp_path, "a.TextGrid", TIERS.replace(found, instead, 1), "textgrid")
    assert heard(dataset) == []
    assert told(dataset) == [("R101", line)]
    assert dataset.report.ledger.samples.rejected == 1


def test_a_byte_order_mark_is_told_and_no_part_of_the_first_label(tmp_path: Path) -> None:
    mark = b"\xef\xbb\xbf"
    for name, data, format in (
        ("a.txt", b"0\t1\tx\n", "audacity"),
        ("a.TextGrid", TIERS.encode(), "textgrid"),
        ("a.srt", b"1\n00:00:00,000 --> 00:00:01,000\nx\n", "subtitles"),
    ):
        dataset = read(tmp_path, name, mark + data, format)
        assert heard(dataset)[0][1] == (0, 1000)
        assert (codes.ENCODING_MARK.id, None) in told(dataset)


def test_words_of_subtitles_that_are_no_cue_are_counted(tmp_path: Path) -> None:
    cue = "00:00:00.000 --> 00:00:01.000\nx\n"
    dataset = read(tmp_path, "a.vtt", f"WEBVTT - a talk\n\nintro\n{cue}\nNOTE no\n", "subtitles")
    assert heard(dataset) == [("x", (0, 1000))]
    assert dataset.report.fields == {"subtitles:head": 1, "subtitles:id": 1, "subtitles:note": 1}
    dataset = read(tmp_path, "a.srt", f"1\n{cue}\nintro\n{cue}", "subtitles")
    assert len(heard(dataset)) == 2
    assert dataset.report.fields == {"subtitles:id": 1}


def test_a_line_of_blanks_in_webvtt_is_within_its_cue(tmp_path: Path) -> None:
    cues = "00:00.000 --> 00:01.000\n \nhi\n\t\n\n00:01.000 --> 00:02.000\nyo\n\nno cue\n"
    dataset = read(tmp_path, "a.vtt", f"WEBVTT\n\n{cues}", "subtitles")
    assert heard(dataset) == [("hi", (0, 1000)), ("yo", (1000, 2000))]
    assert told(dataset) == [("R101", 11)]
    dataset = read(tmp_path, "a.srt", "1\n00:00:00,000 --> 00:00:01,000\na\n \nb\n", "subtitles")
    assert heard(dataset) == [("a", (0, 1000))]
    assert told(dataset) == [("R101", 5)]


@pytest.mark.parametrize(
    ("name", "text", "format"),
    [
        ("a.txt", "0\t1e308\tx\n", "audacity"),
        ("a.txt", "1e308\t1e309\tx\n", "audacity"),
        ("a.txt", "0\tnan\tx\n", "audacity"),
        ("a.rttm", "SPEAKER a 1 1e308 1e308 <NA> <NA> x <NA> <NA>\n", "rttm"),
        ("a.TextGrid", TIERS.replace("0 4 <exists>", "0 1e308 <exists>"), "textgrid"),
    ],
)
def test_a_time_that_no_sound_has_is_rejected(
    tmp_path: Path, name: str, text: str, format: str
) -> None:
    dataset = read(tmp_path, name, text, format)
    assert heard(dataset) == []
    assert [each.code for each in dataset.report.problems] == ["R101"]


def test_seconds_are_the_nearest_milliseconds_and_what_is_finer_is_told(tmp_path: Path) -> None:
    lines = "".join(f"{start}\t{end}\tx\n" for start, end in ((0.57, 1.001), (0.0006, 8.0304)))
    dataset = read(tmp_path, "a.txt", lines, "audacity")
    assert [when for _, when in heard(dataset)] == [(570, 1001), (1, 8030)]
    (problem,) = dataset.report.problems
    assert problem.code == codes.TIME_ROUNDED.id
    assert re.findall(r"[0-9.]+", problem.message) == ["2", "0.4"]


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
@pytest.mark.parametrize(("name", "text"), [("a.srt", CUE), ("a.vtt", f"WEBVTT\n\n{CUE}")])
def test_subtitles_in_utf_16_are_read_by_their_mark_and_name(
    tmp_path: Path, name: str, text: str, encoding: str
) -> None:
    (tmp_path / name).write_bytes(f"\ufeff{text}".encode(encoding))
    dataset = lc.read(tmp_path / name)
    assert heard(dataset) == [("Łódź 😂", (0, 1000))]
    (tmp_path / name).write_bytes(b"\xff\xfe\x00\xd8")
    dataset = lc.read(tmp_path / name)
    assert (heard(dataset), told(dataset)) == ([], [("R101", None)])


def test_the_head_of_older_textgrids_is_read(tmp_path: Path) -> None:
    older = TIERS.replace('"ooTextFile"', '"ooTextFile short"').replace("Object class = ", "")
    assert older != TIERS
    found = heard(read(tmp_path, "a.TextGrid", older, "textgrid"))
    assert found == heard(read(tmp_path, "a.TextGrid", TIERS, "textgrid")) != []


def test_a_time_of_thousands_of_digits_is_a_broken_cue(tmp_path: Path) -> None:
    dataset = read(tmp_path, "a.srt", f"1\n{'1' * 5000}:00:00,0 --> 0:00:01,0\nx\n", "subtitles")
    assert heard(dataset) == []
    assert told(dataset) == [("R101", 1)]


def test_what_a_turn_says_beside_its_speaker_is_counted(tmp_path: Path) -> None:
    lines = (
        b"SPEAKER a 1 0 1 <NA> <NA> ann <NA> <NA>\n"
        b"SPEAKER a 2 1 1 <NA> loud bob 1.5 0.5\n"
        b"SPEAKER a 1 2 1 <NA> <NA> b\xffb <NA> <NA>\n"
        b"SPEAKER a 1 3 1 <NA> <NA> a b <NA> <NA>\n"
    )
    dataset = read(tmp_path, "a.rttm", lines, "rttm")
    assert heard(dataset) == [("ann", (0, 1000)), ("bob", (1000, 2000))]
    assert told(dataset) == [("R101", 3), ("R101", 4)]
    assert dataset.report.fields == {
        "rttm:channel": 1,
        "rttm:subtype": 1,
        "rttm:confidence": 1,
        "rttm:lookahead": 1,
    }
    rejected = [each.record for each in dataset.report.take_rejected()]
    assert rejected == lines.splitlines(keepends=True)[2:]


def test_every_turn_of_a_recording_without_a_key_is_in_the_rejected_lines(tmp_path: Path) -> None:
    lines = "".join(f"SPEAKER a 1 {n} 1 <NA> <NA> ann <NA> <NA>\n" for n in range(3))
    (tmp_path / "a.rttm").write_text(lines)
    dataset = lc.read(tmp_path / "a.rttm", "rttm", key="{nothing}")
    assert list(dataset) == []
    ledger = dataset.report.ledger
    assert (ledger.samples.rejected, ledger.classifications.rejected) == (1, 3)
    assert b"".join(each.record for each in dataset.report.take_rejected()) == lines.encode()
