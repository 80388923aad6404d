"""JSON lines in several processes: the same bytes and the same report as one."""

from __future__ import annotations

import gzip
import io
import json
import os
import random
import uuid
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

import labelconv as lc
from labelconv import codes, jobs
from labelconv.io import PIECE_BYTES, lines
from labelconv.jobs import Crew
from labelconv.sharedlines import borders

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")


@given(
    sizes=st.lists(st.integers(0, 40), max_size=60),
    mark=st.sampled_from([0, 3]),
    count=st.integers(2, 7),
    piece=st.integers(1, 64),
    ended=st.booleans(),
)
def test_from_each_border_on_the_pieces_are_those_of_reading_from_the_start(
    sizes: list[int], mark: int, count: int, piece: int, ended: bool
) -> None:
    data = b"\xef\xbb\xbf"[:mark] + b"\n".join(b"x" * size for size in sizes) + b"\n" * ended
    file = io.BytesIO(data)
    file.seek(mark)
    alone = list(lines(file, piece))
    starts = [mark]
    for _, each in alone:
        starts.append(starts[-1] + len(each))
    found = borders(file, mark, len(data), count, piece)
    assert len(found) < count
    for border in found:
        at = starts.index(border.offset)
        assert 0 < at < len(alone)
        file.seek(border.offset)
        number = 1 + data[mark : border.offset].count(b"\n")
        rest = list(lines(file, piece, number=number, first_bytes=border.first_bytes))
        assert rest == alone[at:]
    assert [border.offset for border in found] == sorted({border.offset for border in found})


def test_even_lines_are_cut_into_as_many_parts_as_were_asked_for() -> None:
    data = b"0123456789\n" * 1000
    found = borders(io.BytesIO(data), 0, len(data), 4, 100)
    assert [border.offset for border in found] == [2794, 5500, 8195]


def test_within_a_line_longer_than_a_piece_there_is_no_border() -> None:
    data = b"a\n" + b"x" * 10_000
    assert borders(io.BytesIO(data), 0, len(data), 5, 100) == []


# ------------------------------------------------------------------------------ whole conversions


class Watch(msgspec.Struct):
    """What happened in the processes: how many were started, and which were taken in."""

    started: int = 0
    taken: list[bool] = []


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch) -> Watch:
    """Processes for small files, too, and a look at what comes of them."""
    watched = Watch(taken=[])
    start, take = Crew.start, Crew.take

    def counted(self: Crew, stretches: Any) -> bool:
        watched.started += len(stretches)
        return start(self, stretches)

    def told(self: Crew, number: int, fits: Any) -> Any:
        state = take(self, number, fits)
        watched.taken.append(state is not None)
        return state

    monkeypatch.setattr(jobs, "LEAST_BYTES", 100)
    monkeypatch.setattr(Crew, "start", counted)
    monkeypatch.setattr(Crew, "take", told)
    return watched


def document(number: int, **more: Any) -> dict[str, Any]:
    """About a kilobyte, so that a few hundred are several pieces."""
    text = f"Anna \U0001f602 met Bob {number} in São Paulo. " + "and so on " * 90
    spans = [
        {"start": 0, "end": 4, "label": "PER"},
        {"start": 11, "end": 14, "label": "PER"},
    ]
    return {"text": text, "spans": spans, **more}


def mixed(count: int) -> list[bytes]:
    """Lines of every dialect, with everything that is told, rejected, skipped or left out."""
    draw = random.Random(3)
    made = []
    for number in range(count):
        record: Any = document(number)
        kind = number % 17
        if kind == 1:
            record["spans"][0]["end"] = 3  # cuts a word
        elif kind == 2:
            record["spans"][1]["end"] = 15  # touches a blank
        elif kind == 3:
            record["spans"].append({"start": 5, "end": 5, "label": "X"})
        elif kind == 4:
            record["spans"].append({"start": 0, "end": 99_999, "label": "X"})
        elif kind == 5:
            record = [record["text"], {"entities": [[0, 4, "PER"]], "cats": {"a": 1.0, "b": 0.0}}]
        elif kind == 6:
            record = {"text": "Anna went home", "entities": [draw.choice(("I-P", "U-P")), "O", "O"]}
        elif kind == 7:
            record |= {"answer": "reject", "_task_hash": number}
        elif kind == 8:
            record |= {"cats": {"a": 0.7, "b": 1}, "meta": {"n": number}, "tokens": []}
        elif kind == 9:
            record["text"] = number
        elif kind == 10:
            record["id"] = f"own-{number}"
        elif kind == 11:
            ids = [str(uuid.UUID(int=number * 2 + n)) for n in range(2)]
            record["spans"] = [
                {**span, "id": id} for span, id in zip(record["spans"], ids, strict=True)
            ]
        elif kind == 12:
            made.append(b"{broken " + b"x" * draw.randrange(900))
            continue
        elif kind == 13:
            made.append(b"")
            continue
        elif kind == 14:
            record["spans"][1]["text"] = "Eve"
        made.append(json.dumps(record, ensure_ascii=number % 2 == 0).encode())
    return made


class Result(msgspec.Struct):
    """What a conversion left: the target's bytes, the rejected records, the report."""

    target: bytes
    rejected: bytes
    report: dict[str, Any]


def converted(source: Path, jobs: int, **more: Any) -> Result:
    target = source.parent / "out" / "lines.ndjson"
    target.parent.mkdir(exist_ok=True)
    given = {"from_": "spacy", "to": "labelbox", "allow": ["loss"], **more}
    report = lc.convert(source, target, jobs=jobs, **given)
    beside = target.parent / f"{target.name}.rejected.ndjson"
    rejected = beside.read_bytes() if beside.exists() else b""
    return Result(target.read_bytes(), rejected, report.as_dict())


def same(source: Path, counts: tuple[int, ...] = (2, 4), **more: Any) -> Result:
    alone = converted(source, 1, **more)
    for count in counts:
        assert converted(source, count, **more) == alone
    return alone


@needs_fork
@pytest.mark.parametrize("how", ["plain", "mark", "carriage returns", "gzip", "no last end"])
def test_lines_of_every_kind_become_the_same_bytes_and_the_same_report(
    tmp_path: Path, watch: Watch, how: str
) -> None:
    whole = mixed(1500)
    data = (b"\r\n" if how == "carriage returns" else b"\n").join(whole)
    data = b"\xef\xbb\xbf" * (how == "mark") + data + b"\n" * (how != "no last end")
    source = tmp_path / ("docs.jsonl.gz" if how == "gzip" else "docs.jsonl")
    source.write_bytes(gzip.compress(data, 1) if how == "gzip" else data)
    assert len(data) > 4 * PIECE_BYTES
    made = same(source)
    assert (watch.started, watch.taken) == (1 + 3, [True] * 4)
    told = {
        codes.SPAN_CUTS_WORD,
        codes.SPAN_AT_BLANK,
        codes.SPAN_EMPTY,
        codes.SPAN_IMPOSSIBLE,
        codes.QUOTE_MISMATCH,
        codes.RECORD_MALFORMED,
        codes.SAMPLE_SKIPPED,
        codes.TAG_CONFUSED,
    }
    assert {code.id for code in told} <= made.report["counts"].keys()
    assert made.report["ledger"]["annotations"]["rejected"] > 100
    assert made.report["ledger"]["samples"]["skipped"] > 50
    assert made.report["ledger"]["balanced"]


@needs_fork
def test_problems_in_later_parts_have_the_numbers_of_their_lines(
    tmp_path: Path, watch: Watch
) -> None:
    whole = [json.dumps(document(n)).encode() for n in range(1200)]
    whole[700], whole[1100] = b'{"text": 5}', b"\n{}"
    source = tmp_path / "docs.jsonl"
    source.write_bytes(b"\n".join(whole))
    made = same(source)
    assert watch.taken == [True] * 4
    assert [each["where"]["line"] for each in made.report["problems"]] == [701, 1102]
    assert b'"globalKey":"docs-1201"' in made.target
    assert b'"globalKey":"docs-1102"' not in made.target


@needs_fork
@pytest.mark.parametrize("at", [(5, 1100), (1100, 5), (700, 1100)])
def test_a_key_that_occurs_in_two_parts_is_found_by_one_process_alone(
    tmp_path: Path, watch: Watch, at: tuple[int, int]
) -> None:
    records = [document(n) for n in range(1200)]
    for number in at:
        records[number]["key"] = "the same"
    source = tmp_path / "docs.jsonl"
    source.write_text("\n".join(map(json.dumps, records)))
    made = same(source)
    assert made.report["ledger"]["samples"]["rejected"] == 1
    assert made.report["problems"][0]["where"]["line"] == max(at) + 1
    assert False in watch.taken


@needs_fork
def test_an_id_that_is_a_uuid_and_occurs_in_two_parts_is_kept_once(
    tmp_path: Path, watch: Watch
) -> None:
    records = [document(n) for n in range(1200)]
    for number in (3, 1150):
        records[number]["spans"][0]["id"] = str(uuid.UUID(int=7))
    source = tmp_path / "docs.jsonl"
    source.write_text("\n".join(map(json.dumps, records)))
    made = same(source)
    assert made.target.count(str(uuid.UUID(int=7)).encode()) == 1
    assert False in watch.taken


@needs_fork
def test_templates_for_keys_give_the_same_keys(tmp_path: Path, watch: Watch) -> None:
    records = [document(n, meta={"code": n % 1100}) for n in range(1200)]
    source = tmp_path / "docs.jsonl"
    source.write_text("\n".join(map(json.dumps, records)))
    made = same(source, key="code/{code}")
    assert made.report["ledger"]["samples"]["rejected"] == 100
    assert b'"globalKey":"code/1099"' in made.target


@needs_fork
@pytest.mark.parametrize("indent", [None, 1])
def test_a_list_is_for_one_process(tmp_path: Path, watch: Watch, indent: int | None) -> None:
    source = tmp_path / "docs.json"
    source.write_text(json.dumps([document(n) for n in range(800)], indent=indent))
    assert same(source).report["ledger"]["samples"]["kept"] == 800
    assert watch.started == 0


@needs_fork
def test_without_room_for_processes_one_converts_all(
    tmp_path: Path, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = tmp_path / "docs.jsonl"
    source.write_text("\n".join(json.dumps(document(n)) for n in range(800)))
    alone = converted(source, 1)

    def refused() -> int:
        raise OSError("no room")

    monkeypatch.setattr(jobs, "_forked", refused)
    assert converted(source, 4) == alone
    assert watch.started == 2
    assert watch.taken == []
