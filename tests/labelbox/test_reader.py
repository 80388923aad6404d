"""Lines become samples, whole or in pieces, with their relations; bad lines alone are left out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import labelconv as lc
from labelconv import masks, testing
from labelconv.convert import convert
from labelconv.errors import SourceError
from labelconv.format import Reading, Wanted
from labelconv.formats.labelbox import FORMAT, sniff
from labelconv.formats.labelbox.reader import LabelboxReaderOptions, read
from labelconv.formats.labelbox.reader_files import _repeated
from labelconv.formats.labelbox.writer import LabelboxWriterOptions, write
from labelconv.io import Source
from labelconv.keys import Keys
from labelconv.model import Box, Image, Sample, Samples
from labelconv.problems import Report

BOX = {"top": 1, "left": 2, "height": 3, "width": 4}


def uuid(number: int) -> str:
    return f"00000000-0000-4000-8000-{number:012d}"


def line(number: int, key: str = "a", **payload: Any) -> dict[str, Any]:
    return {"uuid": uuid(number), "dataRow": {"globalKey": key}, "name": "car"} | (
        payload or {"bbox": BOX}
    )


def relation(number: int, source: int, target: int, key: str = "a") -> dict[str, Any]:
    ends = {"source": uuid(source), "target": uuid(target), "type": "unidirectional"}
    return line(number, key, relationship=ends)


def written(folder: Path, *lines: Any) -> Path:
    path = folder / "labels.ndjson"
    texts = [each if isinstance(each, str) else json.dumps(each) for each in lines]
    path.write_text("".join(f"{text}\n" for text in texts), encoding="utf-8")
    return path


def samples_of(
    path: Path,
    *,
    pieces: bool = False,
    keys: Keys | None = None,
    options: LabelboxReaderOptions | None = None,
    report: Report | None = None,
) -> list[Sample]:
    reading = Reading(report=report or Report(), keys=keys or Keys(), wanted=Wanted(pieces=pieces))
    return list(read(Source(path), options or LabelboxReaderOptions(), reading))


def joined(pieces: list[Sample]) -> list[Sample]:
    """Pieces of one key put together, in the order of first appearance."""
    whole: dict[str, Sample] = {}
    for piece in pieces:
        before = whole.get(piece.key)
        if before is None:
            whole[piece.key] = piece
            continue
        whole[piece.key] = msgspec.structs.replace(
            before,
            annotations=before.annotations + piece.annotations,
            classifications=before.classifications + piece.classifications,
            relations=before.relations + piece.relations,
        )
    return sorted(whole.values(), key=lambda sample: sample.key)


@given(
    dataset=testing.datasets(FORMAT.holds_of(Image, LabelboxWriterOptions()), most=4),
    order=st.randoms(use_true_random=False),
)
def test_lines_in_any_order_say_the_same_in_pieces_and_whole(
    dataset: Samples, order: Any, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("order") / "labels.ndjson"
    fitted = testing.fitted(FORMAT, dataset, LabelboxWriterOptions(), Report())
    write(fitted, path, LabelboxWriterOptions(), Report())
    lines = path.read_bytes().splitlines(keepends=True)
    order.shuffle(lines)
    path.write_bytes(b"".join(lines))
    reports = Report(), Report()
    whole = samples_of(path, report=reports[0])
    pieces = samples_of(path, pieces=True, report=reports[1])
    assert joined(pieces) == joined(whole)
    assert reports[0].ledger == reports[1].ledger
    for piece in pieces:
        ids = {annotation.id for annotation in piece.annotations}
        assert all({each.source, each.target} <= ids for each in piece.relations)


def test_neighbours_come_together_and_others_in_pieces(tmp_path: Path) -> None:
    path = written(tmp_path, line(1), line(2), line(3, "b"), line(4))
    found = samples_of(path, pieces=True)
    assert [(each.key, len(each.annotations)) for each in found] == [("a", 2), ("b", 1), ("a", 1)]
    whole = samples_of(path)
    assert [(each.key, len(each.annotations)) for each in whole] == [("a", 3), ("b", 1)]


def test_a_data_row_with_a_relation_comes_whole_even_where_pieces_are_taken(
    tmp_path: Path,
) -> None:
    path = written(tmp_path, line(1), line(2, "b"), relation(3, 4, 1), line(4), line(5, "b"))
    found = samples_of(path, pieces=True)
    assert [each.key for each in found] == ["b", "b", "a"] or [each.key for each in found] == [
        "b",
        "a",
    ]
    (row,) = [each for each in found if each.key == "a"]
    assert [each.id for each in row.annotations] == [uuid(1), uuid(4)]
    assert [(each.source, each.target) for each in row.relations] == [(uuid(4), uuid(1))]


@pytest.mark.parametrize("pieces", [True, False])
def test_a_relation_without_its_end_is_rejected_with_its_line(tmp_path: Path, pieces: bool) -> None:
    lost = relation(3, 1, 9)
    path = written(tmp_path, line(1), lost, line(2, "b"), relation(4, 1, 2, "b"))
    report = Report()
    found = samples_of(path, pieces=pieces, report=report)
    assert all(not each.relations for each in found)
    rejected = report.take_rejected()
    assert [(each.code, each.where.line, each.where.pointer) for each in rejected] == [
        ("M204", 2, "/relationship/target"),
        ("M204", 4, "/relationship/source"),
    ]
    assert json.loads(rejected[0].record) == lost
    assert report.ledger.relations.read == report.ledger.relations.rejected == 2


@pytest.mark.parametrize("pieces", [True, False])
def test_a_uuid_used_twice_in_a_data_row_is_told_apart(tmp_path: Path, pieces: bool) -> None:
    path = written(tmp_path, line(1), line(1, "b"), line(1).__or__({"uuid": uuid(1).upper()}))
    report = Report()
    found = samples_of(path, pieces=pieces, report=report)
    ids = [annotation.id for each in found if each.key == "a" for annotation in each.annotations]
    assert ids == [uuid(1), f"{uuid(1)}@3"]
    assert [(each.code, each.where.line) for each in report.problems] == [("R105", 3)]


def test_equal_numbers_are_found_with_and_without_numpy() -> None:
    from array import array

    assert _repeated(array("q", [3, 1, 3, -5])) == {3}
    assert _repeated(array("q", [*range(30_000), 17, -1])) == {17}


def test_a_bad_line_is_rejected_alone_with_its_place_and_its_bytes(tmp_path: Path) -> None:
    bad = '{"dataRow": {"globalKey": "a"}, "name": "car", "bbox": {"top": NaN}}'
    path = written(tmp_path, line(1), bad, line(2))
    report = Report()
    (sample,) = samples_of(path, pieces=True, report=report)[:1]
    (rejected,) = report.take_rejected()
    assert (rejected.code, rejected.where.path, rejected.where.line, rejected.where.pointer) == (
        "R102",
        str(path),
        2,
        "/bbox/top",
    )
    assert rejected.record == bad.encode()
    assert sample.annotations[0].value == Box(2.0, 1.0, 6.0, 4.0)
    account = report.ledger.annotations
    assert (account.read, account.rejected) == (3, 1)


@pytest.mark.parametrize("pieces", [True, False])
def test_a_thousand_bad_lines_among_many_are_the_only_ones_left_out(
    tmp_path: Path, pieces: bool
) -> None:
    faults = ['{"dataRow"', "[]", '{"name": 1}', '{"dataRow": {"globalKey": "a"}, "bbox": {}}']
    lines = [line(n, f"row {n % 97}") for n in range(9_000)]
    texts = [faults[n % 4] if n % 9 == 4 else json.dumps(each) for n, each in enumerate(lines)]
    report = Report()
    found = samples_of(written(tmp_path, *texts), pieces=pieces, report=report)
    assert sum(len(each.annotations) for each in found) == 8_000
    assert report.ledger.annotations.read == 9_000
    places = [each.where.line for each in report.take_rejected()]
    assert places == [n + 1 for n in range(9_000) if n % 9 == 4]


def test_json_nested_without_end_is_rejected_without_a_traceback(tmp_path: Path) -> None:
    deep = '{"dataRow":{"globalKey":"a"},"name":"q","answer":' + '{"name":"o","classifications":[{'
    for depth in (50, 300, 900, 20_000):
        nested = '"name":"q","answer":{"name":"o","classifications":[{' * depth
        end = '"name":"q","answer":"t"}' + "]}}" * depth + "]}}"
        report = Report()
        found = samples_of(written(tmp_path, deep + nested + end), report=report)
        read_ = [each.classifications for each in found if each.classifications]
        assert (
            len(read_)
            + report.ledger.classifications.rejected
            + (report.ledger.annotations.rejected)
            == 1
        ), depth


def test_windows_line_ends_and_no_last_line_end_are_read(tmp_path: Path) -> None:
    path = tmp_path / "labels.ndjson"
    path.write_bytes(b"\r\n".join(json.dumps(line(n)).encode() for n in (1, 2)))
    report = Report()
    (sample,) = samples_of(path, report=report)
    assert len(sample.annotations) == 2
    assert report.problems == []


def test_two_lines_on_one_are_rejected_and_not_taken_for_two(tmp_path: Path) -> None:
    path = written(tmp_path, json.dumps(line(1)) + json.dumps(line(2)), line(3))
    report = Report()
    found = samples_of(path, pieces=True, report=report)
    assert [each.annotations[0].id for each in found] == [uuid(3)]
    assert [each.where.line for each in report.take_rejected()] == [1]


def test_ids_and_global_keys_keep_their_kind(tmp_path: Path) -> None:
    by_id = {"dataRow": {"id": "ck1"}, "name": "car", "bbox": BOX}
    found = samples_of(written(tmp_path, line(1), by_id))
    assert [(each.key, each.key_is_id) for each in found] == [("a", False), ("ck1", True)]
    assert found[1].annotations[0].id == "line 2"


def test_keys_come_from_a_template_and_collisions_are_rejected_line_by_line(
    tmp_path: Path,
) -> None:
    path = written(tmp_path, line(1, "x/one.jpg"), line(2, "y/one.jpg"), line(3, "x/one.jpg"))
    report = Report()
    found = samples_of(path, pieces=True, keys=Keys(template="{stem}"), report=report)
    assert {each.key for each in found} == {"one"}
    assert [(each.code, each.where.line) for each in report.take_rejected()] == [("K601", 2)]
    assert (report.ledger.samples.read, report.ledger.samples.rejected) == (2, 1)


def test_a_data_row_all_of_whose_lines_are_bad_is_a_sample_without_annotations(
    tmp_path: Path,
) -> None:
    path = written(tmp_path, line(1, location={"start": 3, "end": 2}))
    for pieces in (True, False):
        assert [each.annotations for each in samples_of(path, pieces=pieces)] == [()]


def test_lines_read_and_written_again_are_the_same_bytes(tmp_path: Path) -> None:
    first, second = tmp_path / "first.ndjson", tmp_path / "second.ndjson"
    source = written(tmp_path, line(1), line(2), relation(3, 1, 2), line(4, answer="text"))
    convert(source, first, from_="labelbox", to="labelbox")
    convert(first, second, from_="labelbox", to="labelbox")
    assert first.read_bytes() == second.read_bytes()
    ids = [json.loads(each)["uuid"] for each in first.read_text().splitlines()]
    assert {uuid(1), uuid(2), uuid(3)} <= set(ids)


def test_the_ontology_is_found_by_a_pass_that_counts_nothing(tmp_path: Path) -> None:
    asked = [{"name": "colour", "answer": {"name": "red"}}]
    path = written(tmp_path, line(1), line(2, bbox=BOX, classifications=asked), "broken")
    report = Report()
    dataset = read(Source(path), LabelboxReaderOptions(), Reading(report=report, keys=Keys()))
    (category,) = dataset.ontology.categories
    assert (category.name, [each.name for each in category.questions]) == ("car", ["colour"])
    assert report.problems == []
    assert report.ledger.annotations.read == 0


def mask_line(number: int, uri: str) -> dict[str, Any]:
    return line(number, mask={"instanceURI": uri, "colorRGB": [9, 8, 7]})


def picture() -> bytes:
    pixels = np.zeros((2, 3, 3), dtype=np.uint8)
    pixels[0, 1] = (9, 8, 7)
    return masks.colours_to_png(pixels)


def test_pictures_are_found_beside_the_lines_or_in_the_folder_of_the_option(
    tmp_path: Path,
) -> None:
    (tmp_path / "my masks").mkdir()
    (tmp_path / "my masks" / "m.png").write_bytes(picture())
    beside = written(tmp_path, mask_line(1, "my%20masks/m.png"))
    away = tmp_path / "away"
    away.mkdir()
    elsewhere = written(away, mask_line(1, "https://host/x/m.png?signed=1"), mask_line(2, "m.png"))
    options = LabelboxReaderOptions(masks=str(tmp_path / "my masks"))
    (one,) = samples_of(beside)
    (two,) = samples_of(elsewhere, options=options)
    values = [each.value for each in one.annotations + two.annotations]
    assert values == [masks.from_array(np.array([[0, 1, 0], [0, 0, 0]]))] * 3


@pytest.mark.parametrize("uri", ["https://host/m.png", "../m.png", "/etc/hostname", "no.png"])
def test_pictures_elsewhere_are_neither_fetched_nor_opened(tmp_path: Path, uri: str) -> None:
    folder = tmp_path / "labels"
    folder.mkdir()
    (tmp_path / "m.png").write_bytes(picture())
    report = Report()
    (sample,) = samples_of(written(folder, mask_line(1, uri)), report=report)
    assert sample.annotations == ()
    assert [(each.code, each.where.pointer) for each in report.problems] == [
        ("R112", "/mask/instanceURI")
    ]


@pytest.mark.parametrize(
    ("uri", "code"),
    [
        ("https://[x/m.png", "R101"),
        ("m\0.png", "R112"),
        ("a" * 5000, "R112"),
        ("x/" * 5000, "R112"),
    ],
)
def test_what_names_no_file_is_rejected_alone(tmp_path: Path, uri: str, code: str) -> None:
    (tmp_path / "m.png").write_bytes(picture())
    for options in (None, LabelboxReaderOptions(masks=str(tmp_path))):
        report = Report()
        lines = written(tmp_path, mask_line(1, uri), mask_line(2, "m.png"))
        (sample,) = samples_of(lines, options=options, report=report)
        assert [each.id for each in sample.annotations] == [uuid(2)]
        assert [(each.code, each.where.pointer) for each in report.problems] == [
            (code, "/mask/instanceURI")
        ]


def test_a_folder_is_recognised_by_its_lines_and_read_in_natural_order(tmp_path: Path) -> None:
    for name, number in (("part-10.ndjson", 10), ("part-2.ndjson", 2)):
        (tmp_path / name).write_text(json.dumps(line(number)) + "\n")
    assert sniff(Source(tmp_path).peek()).certainty == 3
    (sample,) = samples_of(tmp_path)
    assert [each.id for each in sample.annotations] == [uuid(2), uuid(10)]


def test_a_folder_without_lines_is_refused(tmp_path: Path) -> None:
    assert sniff(Source(tmp_path).peek()).certainty == 0
    with pytest.raises(SourceError, match="none found"):
        samples_of(tmp_path)


def test_an_ontology_that_is_none_is_refused_with_its_name(tmp_path: Path) -> None:
    path = tmp_path / "ontology.json"
    path.write_text("[]")
    with pytest.raises(SourceError, match=r"ontology\.json"):
        samples_of(written(tmp_path, line(1)), options=LabelboxReaderOptions(ontology=str(path)))


@pytest.mark.parametrize("to", ["native", "labelbox", "geojson"])
@pytest.mark.parametrize(
    ("bad", "code", "kind"),
    [
        (
            {"relationship": {"source": "x", "target": "x", "type": "bidirectional"}},
            "S501",
            "relations",
        ),
        ({"answer": "a", "frames": [{"start": 1, "end": 10**15}]}, "S501", "classifications"),
        ({"point": {"x": 1, "y": 1}, "uuid": "\ud800"}, "R101", "annotations"),
        ({"point": {"x": 1, "y": 1}, "name": "\udfff"}, "R101", "annotations"),
    ],
)
def test_a_line_that_only_its_own_rules_refuse_is_rejected_alone_for_every_target(
    bad: dict[str, object], code: str, kind: str, to: str, tmp_path: Path
) -> None:
    row = {"dataRow": {"globalKey": "a"}, "name": "n"}
    fine = {**row, "name": "q", "answer": "yes"}
    source = tmp_path / "mal.ndjson"
    # Decoded together, they stand every rule about types.
    source.write_text("".join(json.dumps(each) + "\n" for each in (fine, {**row, **bad})))
    report = lc.convert(source, tmp_path / "out.json", from_="labelbox", to=to, allow=["loss"])
    rejected = [each for each in report.problems if each.code == code]
    assert [each.where.line for each in rejected] == [2]
    account = getattr(report.ledger, kind)
    assert account.rejected == 1
    assert account.read == 1 + (kind == "classifications")
