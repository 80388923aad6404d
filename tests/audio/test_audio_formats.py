"""Label tracks, TextGrids, subtitles and turns of speakers: what is written, by which options."""

from __future__ import annotations

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
