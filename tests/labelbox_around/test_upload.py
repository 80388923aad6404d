"""`labelconv upload` with the real SDK against a server on loopback that fails in every way."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from upload_server import FAULTS, KEY, PROJECT, Job, Labelbox

from labelconv import codes
from labelconv.errors import OptionError, SourceError, TargetError
from labelconv.labelbox.upload import Progress, Uploaded, upload
from labelconv.labelbox.upload_server import Patience
from labelconv.problems import Report

HASTE = Patience(first=0.001, most=0.01, tries=6, look=0.001, look_most=0.005)


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LABELBOX_API_KEY", KEY)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


def uuid_of(number: int) -> str:
    return f"7d0f0d1c-8f5b-4a77-9f0e-{number:012x}"


def box(number: int, row: str) -> dict[str, Any]:
    return {
        "uuid": uuid_of(number),
        "dataRow": {"globalKey": row},
        "name": "car",
        "bbox": {"top": 1, "left": 2, "height": 3, "width": number + 1},
    }


def put(folder: Path, lines: list[dict[str, Any]], name: str = "mal.ndjson") -> Path:
    path = folder / name
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), "ascii")
    return path


def boxes(folder: Path, count: int, a_row: int = 3) -> Path:
    return put(folder, [box(number, f"row-{number // a_row}") for number in range(count)])


def sent(server: Labelbox, file: Path, **options: Any) -> Uploaded:
    given = {"endpoint": server.endpoint, "patience": HASTE, "lines": 10} | options
    return upload(file, PROJECT, **given)


def accounted(server: Labelbox, file: Path, done: Uploaded) -> None:
    """Every line was accepted once, or is among those that failed; never both, never twice."""
    given = [json.loads(line)["uuid"] for line in file.read_text("ascii").splitlines()]
    failed = []
    if done.failed is not None:
        for line in done.failed.read_bytes().splitlines():
            told = json.loads(line)
            record = json.loads(told["record"])
            assert given[told["where"]["line"] - 1] == record["uuid"] == told["where"]["annotation"]
            failed.append(record["uuid"])
    taken = server.taken
    assert Counter(given) == Counter(failed) + taken
    assert set(taken.values()) <= {1}
    sent_lines = Counter(
        line["uuid"] for job in server.jobs if job.state != "FAILED" for line in job.lines
    )
    assert set(sent_lines.values()) <= {1}
    assert {line["uuid"] for job in server.jobs for line in job.lines} == set(given)
    assert Counter(done.jobs) == Counter(job.name for job in server.jobs)
    ledger = done.report.ledger
    assert ledger.balanced
    assert (done.accepted, done.refused + done.unknown) == (sum(taken.values()), len(failed))
    assert ledger.annotations.kept == done.accepted


def fails_once(*faults: tuple[str, int, str]) -> Any:
    planned = {(what, number): fault for what, number, fault in faults}
    return lambda what, number: planned.get((what, number))


def test_lines_are_sent_as_they_stand_in_jobs_that_tear_no_data_row_apart(tmp_path: Path) -> None:
    file = boxes(tmp_path, 25)
    with Labelbox(looks=3) as server:
        done = sent(server, file)
    assert [len(job.lines) for job in server.jobs] == [9, 9, 7]
    raw = [line for job in server.jobs for line in job.raw]
    assert raw == file.read_bytes().splitlines()
    rows = [{line["dataRow"]["globalKey"] for line in job.lines} for job in server.jobs]
    assert not rows[0] & rows[1]
    assert not rows[1] & rows[2]
    assert (done.sent, done.lines, done.accepted, done.failed) == (True, 25, 25, None)
    assert done.report.problems == []
    accounted(server, file, done)


def test_lines_of_a_data_row_that_are_scattered_are_sent_together(tmp_path: Path) -> None:
    file = put(tmp_path, [box(number, f"row-{number % 4}") for number in range(40)])
    with Labelbox() as server:
        done = sent(server, file, lines=20)
    rows = [{line["dataRow"]["globalKey"] for line in job.lines} for job in server.jobs]
    assert rows == [{"row-0", "row-1"}, {"row-2", "row-3"}]
    accounted(server, file, done)


def test_finished_labels_go_through_the_other_kind_of_import(tmp_path: Path) -> None:
    with Labelbox() as server:
        done = sent(server, boxes(tmp_path, 5), kind="label")
    assert [job.kind for job in server.jobs] == ["label"]
    assert done.accepted == 5


PASSING = [
    *((what, fault) for what in ("find", "create") for fault in FAULTS),
    *(("status", fault) for fault in ("429", "500", "502", "drop", "cut", "torn")),
]


@pytest.mark.parametrize(("what", "fault"), PASSING)
def test_a_failure_that_passes_is_waited_out(tmp_path: Path, what: str, fault: str) -> None:
    file = boxes(tmp_path, 30)
    told: list[Progress] = []
    planned = fails_once((what, 1, fault), (what, 2, fault))
    with Labelbox(fault=planned, looks=2) as server:
        done = sent(server, file, progress=told.append)
    accounted(server, file, done)
    assert done.accepted == 30
    assert len([each.news for each in told if each.news]) == 2


@pytest.mark.parametrize("fault", ["502-after", "drop-after"])
def test_a_job_whose_making_was_not_answered_is_found_and_not_made_twice(
    tmp_path: Path, fault: str
) -> None:
    file = boxes(tmp_path, 30)
    with Labelbox(fault=fails_once(("create", 0, fault), ("create", 2, fault))) as server:
        done = sent(server, file)
    assert len(server.jobs) == len(done.jobs)
    accounted(server, file, done)


def test_each_refused_line_is_told_with_its_place_and_the_reason(tmp_path: Path) -> None:
    errors = [
        {
            "name": "DataRowNotFound",
            "message": "not in\u2028the project",
            "additional_info": {"a": 1},
        }
    ]
    file = boxes(tmp_path, 25)
    bad = {uuid_of(4), uuid_of(24)}
    with Labelbox(refuse=lambda line: errors if line["uuid"] in bad else None) as server:
        done = sent(server, file)
    accounted(server, file, done)
    assert (done.accepted, done.refused, done.unknown) == (23, 2, 0)
    reason = 'DataRowNotFound: not in\u2028the project ({"a":1})'
    found = [
        (each.code, each.where.path, each.where.line, each.where.sample, each.where.annotation)
        for each in done.report.problems
    ]
    code = codes.IMPORT_REFUSED.id
    assert found == [
        (code, str(file), 5, "row-1", uuid_of(4)),
        (code, str(file), 25, "row-8", uuid_of(24)),
    ]
    assert all(reason in each.message for each in done.report.problems)
    assert done.failed == tmp_path / "mal.ndjson.failed.ndjson"
    lines = [json.loads(line) for line in done.failed.read_bytes().splitlines()]
    assert [json.loads(line["record"])["uuid"] for line in lines] == sorted(bad)
    assert all(reason in line["message"] for line in lines)


def test_a_job_that_is_not_to_be_found_any_more_leaves_its_lines_open(tmp_path: Path) -> None:
    with Labelbox(hidden=lambda job: job.id == "job0") as server:
        done = sent(server, boxes(tmp_path, 18))
    assert (done.accepted, done.unknown) == (9, 9)
    assert len(server.jobs) == 2


def test_statuses_that_have_gone_leave_it_open_what_became_of_the_lines(tmp_path: Path) -> None:
    file = boxes(tmp_path, 9)
    with Labelbox(fault=lambda what, number: "gone" if what == "status" else None) as server:
        done = sent(server, file)
    assert (done.accepted, done.refused, done.unknown) == (0, 0, 9)
    assert done.report.counts == {codes.IMPORT_UNKNOWN.id: 9}
    assert server.requests["status"] == 2  # the address was asked for anew


def test_an_address_of_statuses_that_is_too_old_is_asked_for_anew(tmp_path: Path) -> None:
    with Labelbox(fault=fails_once(("status", 0, "gone"))) as server:
        done = sent(server, boxes(tmp_path, 9))
    assert done.accepted == 9


def test_a_second_run_of_an_upload_that_has_ended_sends_nothing_and_says_the_same(
    tmp_path: Path,
) -> None:
    file = boxes(tmp_path, 25)
    with Labelbox(refuse=lambda line: ["no"] if line["uuid"] == uuid_of(7) else None) as server:
        first = sent(server, file)
        before = dict(server.requests)
        second = sent(server, file)
        assert dict(server.requests) == before
    assert second.report.problems == first.report.problems
    assert second.report.ledger == first.report.ledger


def test_without_the_state_the_jobs_are_found_by_their_names(tmp_path: Path) -> None:
    file = boxes(tmp_path, 25)
    with Labelbox() as server:
        first = sent(server, file)
        assert first.state is not None
        first.state.unlink()
        second = sent(server, file)
    assert len(server.jobs) == 3
    assert second.accepted == 25
    assert second.jobs == first.jobs


def test_under_another_name_the_same_file_is_sent_again(tmp_path: Path) -> None:
    file = boxes(tmp_path, 5)
    with Labelbox() as server:
        sent(server, file)
        sent(server, file, name="again", state=tmp_path / "again.json")
    assert len(server.jobs) == 2


def test_the_state_of_another_upload_is_refused(tmp_path: Path) -> None:
    file = boxes(tmp_path, 5)
    with Labelbox() as server:
        sent(server, file)
        boxes(tmp_path, 6)
        with pytest.raises(OptionError, match="sha256"):
            sent(server, file)
        (tmp_path / "mal.ndjson.upload.json").write_text("{", "ascii")
        with pytest.raises(SourceError, match="state of an upload"):
            sent(server, file)
    assert len(server.jobs) == 1


def test_a_file_with_errors_is_not_sent(tmp_path: Path) -> None:
    file = put(tmp_path, [box(1, "a"), box(1, "b")])
    with Labelbox() as server:
        done = sent(server, file)
    assert (done.sent, done.report.counts) == (False, {codes.UUID_DUPLICATE.id: 1})
    assert not server.requests


def test_the_ontology_is_checked_before_anything_is_sent(tmp_path: Path) -> None:
    ontology = tmp_path / "ontology.json"
    ontology.write_text('{"tools": [{"tool": "rectangle", "name": "cat"}], "classifications": []}')
    with Labelbox() as server:
        done = sent(server, boxes(tmp_path, 2), ontology=ontology)
    assert (done.sent, done.report.counts) == (False, {codes.FEATURE_UNKNOWN.id: 2})
    assert not server.requests


def test_relations_are_not_sent_as_finished_labels(tmp_path: Path) -> None:
    relation = {
        "uuid": uuid_of(9),
        "dataRow": {"globalKey": "a"},
        "name": "follows",
        "relationship": {"source": uuid_of(1), "target": uuid_of(2), "type": "unidirectional"},
    }
    file = put(tmp_path, [box(1, "a"), box(2, "a"), relation])
    with Labelbox() as server:
        done = sent(server, file, kind="label")
        assert (done.sent, [each.where.line for each in done.report.problems]) == (False, [3])
        done = sent(server, file)
    assert done.report.ledger.relations.kept == 1
    assert done.report.ledger.annotations.kept == 2


def caption(row: str, text: str) -> dict[str, Any]:
    """A line that has no uuid, as answers over time have none."""
    answer = [{"value": text, "frames": [{"start": 1, "end": 5}]}]
    return {"dataRow": {"globalKey": row}, "name": f"caption {text}", "answer": answer}


def test_lines_without_uuids_are_told_by_their_data_rows(tmp_path: Path) -> None:
    lines = [caption("a", "x"), caption("b", "x"), caption("c", "x"), caption("c", "y")]

    def refuse(line: Any) -> list[str] | None:
        said = (line["dataRow"]["globalKey"], line["answer"][0]["value"])
        return ["no"] if said in (("b", "x"), ("c", "y")) else None

    with Labelbox(refuse=refuse) as server:
        done = sent(server, put(tmp_path, lines))
    assert (done.accepted, done.refused, done.unknown) == (1, 1, 2)
    assert [(each.code, each.where.line) for each in done.report.problems] == [
        (codes.IMPORT_REFUSED.id, 2),
        (codes.IMPORT_UNKNOWN.id, 3),
        (codes.IMPORT_UNKNOWN.id, 4),
    ]
    assert done.report.ledger.classifications.read == 4


def test_when_labelbox_stays_away_the_run_ends_and_the_next_goes_on(tmp_path: Path) -> None:
    file = boxes(tmp_path, 30)
    away = [True]
    fault = lambda what, n: "502" if what == "create" and n >= 2 and away[0] else None  # noqa: E731
    with Labelbox(fault=fault) as server:
        with pytest.raises(TargetError, match="Run the same command again"):
            sent(server, file)
        assert len(server.jobs) == 2
        away[0] = False
        done = sent(server, file)
    assert done.accepted == 30
    accounted(server, file, done)


def test_a_job_that_labelbox_refuses_as_a_whole_ends_the_run_with_its_words(tmp_path: Path) -> None:
    fault = lambda what, n: "error:MALFORMED_REQUEST:no ontology" if what == "create" else None  # noqa: E731
    with Labelbox(fault=fault) as server:
        with pytest.raises(TargetError, match="no ontology"):
            sent(server, boxes(tmp_path, 3))
    assert server.requests["create"] == 2


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("error:AUTHENTICATION_ERROR:x", "does not accept the API key"),
        ("error:AUTHORIZATION_ERROR:not yours", "not yours"),
    ],
)
def test_a_key_that_is_not_accepted_is_told_at_once(tmp_path: Path, fault: str, words: str) -> None:
    with Labelbox(fault=lambda what, number: fault) as server:
        with pytest.raises(OptionError, match=words):
            sent(server, boxes(tmp_path, 3))
    assert sum(server.requests.values()) == 1


def test_a_project_that_is_not_found_is_told(tmp_path: Path) -> None:
    with Labelbox() as server:
        with pytest.raises(OptionError, match="finds no project 'nowhere'"):
            upload(boxes(tmp_path, 3), "nowhere", endpoint=server.endpoint, patience=HASTE)


def test_the_key_is_nowhere_but_in_the_requests(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level("DEBUG")
    echo = [{"name": "Odd", "message": f"Bearer {KEY} said so"}]
    told: list[Progress] = []
    with Labelbox(
        refuse=lambda line: echo if line["uuid"] == uuid_of(1) else None,
        fault=fails_once(("find", 0, f"error:STRANGE:{KEY}"), ("create", 0, "drop")),
    ) as server:
        done = sent(server, boxes(tmp_path, 12), progress=told.append)
        with pytest.raises(TargetError) as raised:
            server.fault = lambda what, number: f"error:MALFORMED_REQUEST:{KEY}"
            sent(server, boxes(tmp_path, 12), name="b", state=tmp_path / "b.json")
    assert done.refused == 1
    assert KEY not in str(raised.value)
    assert raised.value.__suppress_context__
    written = "".join(path.read_text("utf-8") for path in tmp_path.iterdir())
    assert KEY not in written
    assert KEY not in json.dumps(done.report.as_dict())
    assert KEY not in str(told)
    output = capfd.readouterr()
    assert (output.out, output.err) == ("", "")
    ours = [each.getMessage() for each in caplog.records if not each.name.startswith("l")]
    assert KEY not in "".join(ours)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"endpoint": "http://labelbox.example/graphql"}, "https address"),
        ({"endpoint": "https://[labelbox.example"}, "https address"),
        ({"lines": 0}, "1 line"),
        ({"kind": "mea"}, "mal or label"),
        ({"api_key_env": "NOT_SET_ANYWHERE"}, "NOT_SET_ANYWHERE"),
    ],
)
def test_what_cannot_be_meant_is_refused(
    tmp_path: Path, options: dict[str, Any], words: str
) -> None:
    with pytest.raises(OptionError, match=words):
        upload(boxes(tmp_path, 1), PROJECT, **options)


def test_files_that_could_not_be_written_are_refused_before_anything_is_sent(
    tmp_path: Path,
) -> None:
    file = boxes(tmp_path, 3)
    with Labelbox() as server:
        for options in ({"state": file}, {"failed": tmp_path / "mal.ndjson.upload.json"}):
            with pytest.raises(OptionError, match="three files"):
                sent(server, file, **options)
        for path in (tmp_path, tmp_path / "nowhere" / "state.json"):
            with pytest.raises(TargetError, match="a file expected"):
                sent(server, file, state=path)
    assert not server.requests


def test_a_state_whose_counts_were_changed_is_noticed(tmp_path: Path) -> None:
    file = boxes(tmp_path, 3)
    with Labelbox() as server:
        done = sent(server, file)
        assert done.state is not None
        done.state.write_text(done.state.read_text().replace('"accepted":3', '"accepted":2'))
        with pytest.raises(TargetError, match="3 lines expected, 2 found"):
            sent(server, file)


def test_a_stream_is_refused_since_it_could_not_go_on(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="local file"):
        upload("-", PROJECT)


def test_a_file_that_changes_under_way_is_not_sent_further(tmp_path: Path) -> None:
    file = boxes(tmp_path, 30)

    def change(job: Job) -> None:
        file.write_bytes(file.read_bytes().replace(b"car", b"cat"))

    with Labelbox(created=change) as server:
        with pytest.raises(SourceError, match="changed since"):
            sent(server, file)
    assert len(server.jobs) == 1


def test_a_file_is_not_uploaded_by_two_runs_at_once(tmp_path: Path) -> None:
    file = boxes(tmp_path, 5)
    refused: list[str] = []

    def second(job: Job) -> None:
        try:
            sent(server, file)
        except OptionError as error:
            refused.append(str(error))

    with Labelbox(created=second) as server:
        sent(server, file)
    assert len(refused) == 1
    assert len(server.jobs) == 1


def test_progress_counts_up_to_every_line(tmp_path: Path) -> None:
    told: list[Progress] = []
    with Labelbox(refuse=lambda line: ["x"] if line["uuid"] == uuid_of(3) else None) as server:
        sent(server, boxes(tmp_path, 25), progress=told.append, report=Report())
    last = told[-1]
    assert (last.accepted, last.refused, last.parts_done, last.sent) == (24, 1, 3, 25)
    assert [each.parts_done for each in told] == sorted(each.parts_done for each in told)


@pytest.mark.parametrize(
    "wrong",
    [
        {"open": [[1]]},
        {"open": [[3, 2]]},
        {"open": [[0, 1]]},
        {"open": [[1, 10**12]]},
        {"open": [[-1, 10**30]]},
        {"refused": {"why": [7]}},
        {"unknown": {"why": [0]}},
        {"accepted": -1},
        {"again": -1},
        {"half": True, "first": 10**12},
        {"lines": 5},
        {"end": 10**12},
        {"phase": "ended"},
        {"parts": 7},
    ],
)
def test_a_state_that_was_damaged_sends_nothing_and_is_told(
    wrong: dict[str, Any], tmp_path: Path
) -> None:
    with Labelbox() as server:
        file = boxes(tmp_path, 6)
        done = sent(server, file, lines=3)
        assert done.state is not None
        state = json.loads(done.state.read_bytes())
        (state if "parts" in wrong else state["parts"][1]).update(wrong)
        done.state.write_text(json.dumps(state))
        jobs = len(server.jobs)
        with pytest.raises((SourceError, OptionError)):
            sent(server, file, lines=3)
        assert len(server.jobs) == jobs
        for cut in range(0, len(data := json.dumps(state)), 97):
            done.state.write_text(data[:cut])
            with pytest.raises(SourceError):
                sent(server, file, lines=3)
        assert len(server.jobs) == jobs
