"""brat standoff: folders of texts and annotations; read and written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings

import labelconv as lc
from labelconv import testing
from labelconv.format import NoOptions
from labelconv.formats.brat import FORMAT, holds
from labelconv.model import (
    Annotation,
    Classification,
    Radio,
    Relation,
    Sample,
    Samples,
    Text,
    TextSpan,
)
from labelconv.reading import ReadDataset

ASTRAL = "I like 😂 New York City a lot.\r\ne\u0301cole 👩\u200d🚀 Łódź\n"


def folder(place: Path, text: str | bytes, *lines: str, name: str = "doc") -> Path:
    place.mkdir(exist_ok=True)
    data = text.encode() if isinstance(text, str) else text
    (place / f"{name}.txt").write_bytes(data)
    (place / f"{name}.ann").write_bytes("".join(f"{line}\n" for line in lines).encode())
    return place


def read(path: Path, **options: Any) -> ReadDataset:
    return lc.read(path, "brat", options=options)


def told(dataset: ReadDataset) -> list[tuple[str, int | None]]:
    return [(each.code, each.where.line) for each in dataset.report.problems]


def spans(sample: Sample) -> list[tuple[str, int, int, str]]:
    return [
        (each.id, each.value.start, each.value.end, each.category)
        for each in sample.annotations
        if isinstance(each.value, TextSpan)
    ]


def test_spans_count_code_points_of_the_file_as_it_is(tmp_path: Path) -> None:
    start = ASTRAL.index("Łódź")
    assert ASTRAL[start : start + 4] == "Łódź"
    path = folder(
        tmp_path / "in",
        ASTRAL,
        "T1\tCITY 9 17\tNew York",
        "T2\tGPE 9 22\tNew York City",
        f"T3\tLOC {start} {start + 4}\tŁódź",
    )
    dataset = read(path)
    (sample,) = list(dataset)
    assert sample.media == Text(ASTRAL)
    assert sample.key == "doc"
    assert spans(sample)[:3] == [
        ("T1", 9, 17, "CITY"),
        ("T2", 9, 22, "GPE"),
        ("T3", start, start + 4, "LOC"),
    ]
    target = tmp_path / "mal.ndjson"
    lc.convert(path, target, to="labelbox", from_="brat", allow=["loss"])
    first = json.loads(target.read_text(encoding="utf-8").splitlines()[0])
    assert first["location"] == {"start": 10, "end": 17}


def test_a_newline_in_a_span_is_a_blank_in_its_quote(tmp_path: Path) -> None:
    path = folder(
        tmp_path / "in", "one\r\ntwo\nthree", "T1\tX 0 8\tone  two", "T2\tX 5 14\ttwo three"
    )
    dataset = read(path)
    (sample,) = list(dataset)
    assert [each[:3] for each in spans(sample)] == [("T1", 0, 8), ("T2", 5, 14)]
    assert told(dataset) == []


def test_quotes_are_checked_and_the_unit_is_named(tmp_path: Path) -> None:
    path = folder(tmp_path / "in", ASTRAL, "T1\tCITY 10 18\tNew York", "T2\tX 12 20\tNew York")
    dataset = read(path)
    assert [spans(each) for each in dataset] == [[]]
    assert told(dataset) == [("M223", 1), ("M223", 2)]
    assert "source_offsets=utf16" in dataset.report.problems[0].message
    assert "source_offsets=utf8" in dataset.report.problems[1].message
    assert [spans(each) for each in read(path, source_offsets="utf16")] == [[("T1", 9, 17, "CITY")]]


def test_pieces_become_annotations_of_one_group_and_one_span_again(tmp_path: Path) -> None:
    text = "North and South America"
    path = folder(
        tmp_path / "in", text, "T1\tLOC 0 5;16 23\tNorth America", "T2\tLOC 10 23\tSouth America"
    )
    dataset = read(path)
    (sample,) = list(dataset)
    assert spans(sample) == [("T1/0", 0, 5, "LOC"), ("T1/1", 16, 23, "LOC"), ("T2", 10, 23, "LOC")]
    assert sample.annotations[0].extra == {"brat:group": "T1"}
    assert told(dataset) == [("R133", 1)]
    assert dataset.report.ledger.annotations.read == 3
    target = tmp_path / "out"
    lc.convert(path, target, to="brat", from_="brat")
    assert (target / "doc.ann").read_bytes() == (path / "doc.ann").read_bytes()


def test_all_kinds_of_lines_are_read(tmp_path: Path) -> None:
    path = folder(
        tmp_path / "in",
        "Ann hired Bob at Acme.",
        "T1\tPER 0 3\tAnn",
        "T2\tHire 4 9\thired",
        "T3\tPER 10 13\tBob",
        "T4\tORG 17 21\tAcme",
        "R1\tworksAt Arg1:T3 Arg2:T4",
        "*\tEquiv T1 T3 T4",
        "E1\tHire:T2 Agent:T1 Theme:T3",
        "A1\tNegation E1",
        "A2\tConfidence T3 High",
        "M1\tSpeculation T3",
        "#1\tAnnotatorNotes T1\tsee page 3",
        "N1\tReference T4 Wikipedia:1\tAcme Corporation",
    )
    dataset = read(path)
    (sample,) = list(dataset)
    assert [(r.category, r.source, r.target, r.directed) for r in sample.relations] == [
        ("worksAt", "T3", "T4", True),
        ("Equiv", "T1", "T3", False),
        ("Equiv", "T3", "T4", False),
        ("Agent", "T2", "T1", True),
        ("Theme", "T2", "T3", True),
    ]
    by_id = {each.id: each for each in sample.annotations}
    assert by_id["T2"].classifications == (Classification("Negation", Radio("true")),)
    assert by_id["T3"].classifications == (
        Classification("Confidence", Radio("High")),
        Classification("Speculation", Radio("true")),
    )
    assert by_id["T1"].extra == {"brat:notes": ["AnnotatorNotes see page 3"]}
    assert by_id["T4"].extra == {"brat:normalizations": ["Reference Wikipedia:1 Acme Corporation"]}
    assert dataset.report.fields == {"brat:event": 1}
    assert told(dataset) == []


def test_bad_lines_are_rejected_alone(tmp_path: Path) -> None:
    path = folder(
        tmp_path / "in",
        "Ann hired Bob",
        "T1\tPER 0 3\tAnn",
        "T2\tPER 0\tAnn",
        "T3\tPER 3 3\t",
        "T4\tPER 90 99\tZoe",
        "R1\tknows Arg1:T1 Arg2:T9",
        "R2\tknows Arg1:T1",
        "A1\tOld T9",
        "E1\tHire: Agent:T1",
        "nonsense",
        "T1\tPER 10 13\tBob",
        f"T7\tPER 0 {10**30}\tAnn",
    )
    dataset = read(path)
    (sample,) = list(dataset)
    assert spans(sample) == [("T1", 0, 3, "PER")]
    assert sorted(told(dataset), key=lambda each: each[1] or 0) == [
        ("R101", 2),
        ("M221", 3),
        ("M222", 4),
        ("M204", 5),
        ("R101", 6),
        ("R103", 7),
        ("R101", 8),
        ("R101", 9),
        ("R104", 10),
        ("M222", 11),
    ]
    ledger = dataset.report.ledger
    assert ledger.annotations.read == 1 + ledger.annotations.rejected
    assert ledger.relations.read == ledger.relations.rejected == 3


def test_texts_without_marks_are_empty_and_marks_without_text_are_rejected(tmp_path: Path) -> None:
    path = folder(tmp_path / "in", "a", "T1\tX 0 1\ta", name="doc10")
    folder(path, "b", name="doc2")
    (path / "sub").mkdir()
    folder(path / "sub", b"c\xff", name="bad")
    (path / "lost.ann").write_text("T1\tX 0 1\ta\n")
    dataset = read(path)
    assert [each.key for each in dataset] == ["doc2", "doc10"]
    assert sorted(each.code for each in dataset.report.problems) == ["R101", "R112"]
    assert dataset.report.ledger.samples.read == 4
    assert [each.key for each in read(path / "doc10.ann")] == ["doc10"]
    renamed = lc.read(path, "brat", key="{stem}-x")
    assert [each.key for each in renamed] == ["doc2-x", "doc10-x"]


def test_a_byte_order_mark_and_newlines_belong_to_the_text(tmp_path: Path) -> None:
    text = "\ufeffa\r\nBob\r"
    path = folder(tmp_path / "in", text, "T1\tPER 4 7\tBob")
    (sample,) = list(read(path))
    assert sample.media == Text(text)
    assert spans(sample) == [("T1", 4, 7, "PER")]
    out = tmp_path / "out"
    lc.convert(path, out, from_="brat", to="brat")
    assert (out / "doc.txt").read_bytes() == text.encode()


@pytest.mark.parametrize("broken", ["a.txt", "a.ann"])
def test_bytes_that_are_no_utf_8_are_told_by_their_file_and_line(
    tmp_path: Path, broken: str
) -> None:
    (tmp_path / "a.txt").write_bytes(b"Ann\n")
    (tmp_path / "a.ann").write_bytes(b"T1\tX 0 3\tAnn\n")
    with (tmp_path / broken).open("ab") as file:
        file.write(b"caf\xe9\n")
    dataset = lc.read(tmp_path, "brat")
    assert list(dataset) == []
    (problem,) = dataset.report.problems
    assert (problem.code, problem.where.line) == ("R101", 2)
    assert problem.where.path == str(tmp_path / broken)
    assert dataset.report.ledger.samples.rejected == 1


def test_a_folder_of_ann_files_is_recognised(tmp_path: Path) -> None:
    assert len(list(lc.read(folder(tmp_path / "in", "a", "T1\tX 0 1\ta")))) == 1


@settings(max_examples=40, deadline=None)
@given(dataset=testing.datasets(holds(NoOptions())[0]))
def test_what_is_written_is_what_brat_says(
    dataset: Samples, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """A reader of ten lines that shares nothing with ours finds the spans and their texts."""
    from labelconv.fit import fit
    from labelconv.problems import Report

    fitted = Samples(tuple(fit(dataset, FORMAT, NoOptions(), Report())), dataset.ontology)
    out = tmp_path_factory.mktemp("brat") / "out"
    assert FORMAT.write is not None
    FORMAT.write(fitted, out, NoOptions(), Report())
    for sample in fitted:
        text = (out / f"{sample.key}.txt").read_bytes().decode()
        found = []
        for line in (out / f"{sample.key}.ann").read_bytes().decode().split("\n"):
            if line.startswith("T"):
                _, place, quote = line.split("\t", 2)
                label, start, end = place.split(" ")
                held = text[int(start) : int(end)]
                assert quote == held.replace("\r", " ").replace("\n", " ")
                found.append((int(start), int(end), label))
        assert found == [each[1:] for each in spans(sample)]


def test_relations_and_attributes_are_written_and_read(tmp_path: Path) -> None:
    spoken = Sample(
        "a/b",
        Text("Ann and Bob"),
        (
            Annotation("x", "PER", TextSpan(0, 3), (Classification("Old", Radio("true")),)),
            Annotation("y", "PER", TextSpan(8, 11), (Classification("Age", Radio("9")),)),
        ),
        relations=(
            Relation("q", "likes", "x", "y"),
            Relation("p", "near", "y", "x", directed=False),
        ),
    )
    out = tmp_path / "out"
    report = lc.write(Samples([spoken]), out, "brat")
    assert (out / "a" / "b.ann").read_text().splitlines() == [
        "T1\tPER 0 3\tAnn",
        "T2\tPER 8 11\tBob",
        "R1\tlikes Arg1:T1 Arg2:T2",
        "*\tnear T2 T1",
        "A1\tOld T1",
        "A2\tAge T2 9",
    ]
    assert "L417" in [each.code for each in report.problems]
    (sample,) = list(read(out))
    assert [(r.category, r.source, r.target, r.directed) for r in sample.relations] == [
        ("likes", "T1", "T2", True),
        ("near", "T2", "T1", False),
    ]
