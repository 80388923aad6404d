"""The native format: header, lines, bad lines, keys."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

import labelconv as lc
from labelconv import registry
from labelconv.errors import SourceError
from labelconv.io import Source
from labelconv.model import (
    Annotation,
    Box,
    Category,
    Classification,
    FreeText,
    Image,
    Ontology,
    Point,
    Radio,
    Relation,
    Sample,
    Samples,
)
from labelconv.problems import Account, Report

HEADER = b'{"labelconv":1}\n'
ONE = b'{"key":"a","media":{"type":"Image"}}\n'


def written(folder: Path, data: bytes) -> Path:
    path = folder / "data.native.ndjson"
    path.write_bytes(data)
    return path


def read(path: Path, **options: str) -> tuple[list[Sample], Report]:
    report = Report()
    return list(lc.read(path, "native", report=report, key=options.get("key"))), report


def test_header_ontology_and_info_come_back(tmp_path: Path) -> None:
    ontology = Ontology(categories=(Category(name="cat", source_id=74673216),))
    given = Samples([Sample("a", Image(4, 5))], ontology, {"coco:info": {"year": 2026}})
    lc.write(given, tmp_path / "x.native.ndjson")
    back = lc.read(tmp_path / "x.native.ndjson")
    assert back.ontology == ontology
    assert back.info == {"coco:info": {"year": 2026}}
    assert list(back) == list(given)


def test_more_samples_than_are_encoded_at_once_come_back(tmp_path: Path) -> None:
    given = Samples(
        [Sample(f"{n}", Image(), (Annotation("1", "c", Point(n, n)),)) for n in range(1201)]
    )
    report = lc.write(given, tmp_path / "x.native.ndjson")
    assert list(lc.read(tmp_path / "x.native.ndjson")) == list(given)
    assert report.ledger.written == {"samples": 1201}


@pytest.mark.parametrize(
    "data", [b"", b"\n", ONE, b'{"labelconv":2}\n', b'{"labelconv":"1"}\n', b"[]\n", b"\xff\n"]
)
def test_a_file_without_the_right_header_is_refused(data: bytes, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"data\.native\.ndjson"):
        read(written(tmp_path, data))


def test_bad_lines_are_rejected_alone_with_line_and_pointer(tmp_path: Path) -> None:
    bad = b'{"key":"b","media":{"type":"Image"},"annotations":[{"id":1}]}\n'
    path = written(tmp_path, HEADER + ONE + bad + b"nonsense\n" + ONE.replace(b'"a"', b'"d"'))
    samples, report = read(path)
    assert [sample.key for sample in samples] == ["a", "d"]
    assert [(p.code, p.where.line) for p in report.problems] == [("R101", 3), ("R101", 4)]
    assert report.problems[0].where.pointer is not None
    assert "annotations" in report.problems[0].where.pointer
    assert report.ledger.samples == Account(read=4, rejected=2)
    assert [each.record + b"\n" for each in report.take_rejected()] == [bad, b"nonsense\n"]


def test_what_stands_in_the_lines_is_counted(tmp_path: Path) -> None:
    sample = Sample(
        "a",
        Image(),
        (Annotation("1", "c", Point(0, 0)), Annotation("2", "c", Box(0, 0, 1, 1))),
        (Classification("q", FreeText("t")),),
        (Relation("r", "near", "1", "2"),),
    )
    _, report = read(written(tmp_path, HEADER + msgspec.json.encode(sample) + b"\n"))
    assert [account.read for _, account in report.ledger.rows()] == [1, 2, 1, 1]


def test_a_byte_order_mark_is_a_note(tmp_path: Path) -> None:
    samples, report = read(written(tmp_path, b"\xef\xbb\xbf" + HEADER + ONE))
    assert len(samples) == 1
    assert report.counts == {"R107": 1}


def test_two_samples_of_one_key_are_an_error(tmp_path: Path) -> None:
    samples, report = read(written(tmp_path, HEADER + ONE + ONE))
    assert len(samples) == 1
    assert [(p.code, p.where.line) for p in report.problems] == [("K601", 3)]


def test_keys_are_made_from_the_address_and_from_fields(tmp_path: Path) -> None:
    line = (
        b'{"key":"17","media":{"type":"Image"},"uri":"a/b.jpg","extra":{"coco:url":"http://x"}}\n'
    )
    path = written(tmp_path, HEADER + line)
    assert [s.key for s in read(path, key="{stem}-{id}")[0]] == ["b-17"]
    assert [s.key for s in read(path, key="{url}")[0]] == ["http://x"]
    assert [s.key for s in read(path)[0]] == ["17"]


def test_keys_of_a_table_may_be_ids(tmp_path: Path) -> None:
    (tmp_path / "keys.csv").write_text("name,data_row_id\na,row-1\n")
    (sample,) = lc.read(written(tmp_path, HEADER + ONE), keys=tmp_path / "keys.csv")
    assert (sample.key, sample.key_is_id) == ("row-1", True)


def test_it_is_known_by_its_header_alone(tmp_path: Path) -> None:
    chosen, _ = registry.sniff(Source(written(tmp_path, b"\xef\xbb\xbf" + HEADER)))
    assert chosen.name == "native"
    assert chosen.sniff is not None
    path = written(tmp_path, ONE)
    assert chosen.sniff(Source(path).peek()).certainty == 0


def test_all_of_a_sample_whose_key_is_taken_is_counted_as_rejected(tmp_path: Path) -> None:
    box = Annotation("1", "a", Box(0, 0, 1, 1))
    relation = Relation("r", "on", "1", "1")
    asked = Classification("q", Radio("yes"))
    samples = [Sample(f"{n}/a.jpg", Image(9, 9), (box,), (asked,), (relation,)) for n in (1, 2)]
    path = tmp_path / "d.native.ndjson"
    lc.write(Samples(samples), path)
    dataset = lc.read(path, key="{name}")
    assert len(list(dataset)) == 1
    ledger = dataset.report.ledger
    for account in (ledger.annotations, ledger.classifications, ledger.relations, ledger.samples):
        assert (account.read, account.rejected) == (2, 1)
