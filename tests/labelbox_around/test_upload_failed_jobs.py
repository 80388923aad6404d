"""Import jobs that are FAILED as a whole: their lines are sent again, in halves in the end."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import msgspec
import pytest
from test_upload import HASTE, accounted, box, boxes, caption, put, sent, uuid_of
from test_upload_interrupted import Killer, run_apart
from upload_server import KEY, Labelbox

from labelconv import codes
from labelconv.errors import OptionError, SourceError
from labelconv.labelbox.upload import Progress
from labelconv.labelbox.upload_state import lines_of, runs_of


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LABELBOX_API_KEY", KEY)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


def poisoned(*numbers: int) -> Any:
    """Jobs fail that have one of these lines."""
    bad = {uuid_of(number) for number in numbers}
    return lambda job: any(line["uuid"] in bad for line in job.lines)


def test_a_job_that_has_failed_once_is_sent_again_under_another_name(tmp_path: Path) -> None:
    file = boxes(tmp_path, 30)
    told: list[Progress] = []
    with Labelbox(fail=lambda job: job.id == "job1") as server:
        done = sent(server, file, progress=told.append)
    assert (done.accepted, done.refused, done.unknown) == (30, 0, 0)
    assert len(server.jobs) == 5
    again = server.jobs[-1]
    assert again.name == f"{server.jobs[1].name}-again-1"
    assert again.raw == server.jobs[1].raw
    (news,) = (each.news for each in told if each.news)
    assert server.jobs[1].name in news
    accounted(server, file, done)


def test_a_line_that_no_job_survives_costs_its_own_data_row_only(tmp_path: Path) -> None:
    file = boxes(tmp_path, 96)  # 32 data rows
    with Labelbox(fail=poisoned(49)) as server:
        done = sent(server, file, lines=100)
    assert (done.accepted, done.refused, done.unknown) == (93, 3, 0)
    assert [(each.code, each.where.line) for each in done.report.problems] == [
        (codes.IMPORT_REFUSED.id, line) for line in (49, 50, 51)
    ]
    # The whole three times, two halves at each of five steps, the one row twice more.
    assert len(server.jobs) == 3 + 2 * int(math.log2(32)) + 2
    rows = [{line["dataRow"]["globalKey"] for line in job.lines} for job in server.jobs]
    assert min(map(len, rows)) == 1
    accounted(server, file, done)


def test_several_such_lines_are_found_each(tmp_path: Path) -> None:
    file = boxes(tmp_path, 96)
    with Labelbox(fail=poisoned(0, 50, 95)) as server:
        done = sent(server, file, lines=50)
    bad = [1, 2, 3, 49, 50, 51, 94, 95, 96]
    assert [each.where.line for each in done.report.problems] == bad
    accounted(server, file, done)


def test_jobs_that_always_fail_end_in_a_report_of_all_lines_with_the_reason(
    tmp_path: Path,
) -> None:
    file = boxes(tmp_path, 60)
    patience = msgspec.structs.replace(HASTE, jobs=2, halves=5)
    with Labelbox(fail=lambda job: True, why=f"no ontology for {KEY}") as server:
        done = sent(server, file, lines=30, patience=patience)
    assert (done.accepted, done.refused, done.unknown) == (0, 60, 0)
    said = {each.message for each in done.report.problems}
    assert all("JobError: no ontology for …" in each for each in said)
    assert [each.where.line for each in done.report.problems] == list(range(1, 61))
    # Both parts twice. Then four halves: two of each part, all sent once more; or two of the part
    # that failed first, and two of the half of it that failed before the other part did.
    assert len(server.jobs) in (4 + 4 + 4, 4 + 4 + 3)
    accounted(server, file, done)


def test_lines_of_failed_jobs_are_sent_again_by_the_next_run_and_accepted_ones_never(
    tmp_path: Path,
) -> None:
    file = boxes(tmp_path, 96)
    no = ["no"]
    with Labelbox(
        fail=poisoned(49), refuse=lambda line: no if line["uuid"] == uuid_of(7) else None
    ) as server:
        first = sent(server, file, lines=100)
        before = len(server.jobs)
        assert (first.accepted, first.refused) == (92, 4)
        server.fail = lambda job: job.state == "FAILED"
        second = sent(server, file, lines=100)
        assert [[line["uuid"] for line in job.lines] for job in server.jobs[before:]] == [
            [uuid_of(48), uuid_of(49), uuid_of(50)]
        ]
        assert (second.accepted, second.refused) == (95, 1)
        accounted(server, file, second)
        third = sent(server, file, lines=100)
        assert len(server.jobs) == before + 1
    assert third.report.ledger == second.report.ledger
    assert [each.where.line for each in third.report.problems] == [8]


def test_what_failed_is_not_told_any_more_once_it_was_accepted(tmp_path: Path) -> None:
    file = boxes(tmp_path, 6)
    with Labelbox(fail=lambda job: True) as server:
        first = sent(server, file)
        assert first.failed is not None
        assert len(first.failed.read_bytes().splitlines()) == 6
        server.fail = lambda job: job.state == "FAILED"
        second = sent(server, file)
    assert (second.accepted, second.failed) == (6, None)
    assert not first.failed.exists()


@pytest.mark.parametrize("jobs", [1, 3, 4, 9])
def test_a_run_that_is_killed_while_it_looks_for_the_line_goes_on_to_find_it(
    tmp_path: Path, jobs: int
) -> None:
    file = boxes(tmp_path, 96)
    killer = Killer(jobs)
    with Labelbox(fail=poisoned(49), created=killer, looks=2) as server:
        process = killer.process = run_apart(server, file, 100)
        process.communicate(timeout=60)
        assert len(server.jobs) == jobs
        done = sent(server, file, lines=100)
    assert (done.accepted, done.refused, done.unknown) == (93, 3, 0)
    accounted(server, file, done)


def test_without_the_state_no_line_is_accepted_twice_though_jobs_have_failed(
    tmp_path: Path,
) -> None:
    file = boxes(tmp_path, 96)
    with Labelbox(fail=poisoned(49)) as server:
        first = sent(server, file, lines=100)
        count = len(server.jobs)
        assert first.state is not None
        first.state.unlink()
        second = sent(server, file, lines=100)
        assert len(server.jobs) == count
    assert second.jobs == first.jobs
    accounted(server, file, second)


def test_what_a_failed_job_tells_of_lines_counts_and_only_the_others_are_sent_again(
    tmp_path: Path,
) -> None:
    file = boxes(tmp_path, 9)
    no = [{"name": "Bad", "message": "colour"}]
    with Labelbox(
        fail=lambda job: True,
        tells=True,
        refuse=lambda line: no if line["uuid"] == uuid_of(2) else None,
    ) as server:
        done = sent(server, file)
        assert len(server.jobs) == 1
    assert (done.accepted, done.refused) == (8, 1)
    assert [each.where.line for each in done.report.problems] == [3]


def test_a_failed_job_whose_statuses_have_gone_is_sent_again(tmp_path: Path) -> None:
    file = boxes(tmp_path, 9)
    with Labelbox(
        fail=lambda job: job.id == "job0",
        tells=True,
        fault=lambda what, number: "gone" if what == "status" and number < 2 else None,
    ) as server:
        done = sent(server, file)
    assert (done.accepted, done.refused, done.unknown) == (9, 0, 0)
    accounted(server, file, done)


def test_data_rows_with_a_line_that_has_no_uuid_are_not_sent_again(tmp_path: Path) -> None:
    lines = [box(0, "a"), caption("b", "x"), box(2, "b"), box(3, "c")]
    with Labelbox(fail=lambda job: job.id == "job0") as server:
        done = sent(server, put(tmp_path, lines))
    assert [len(job.lines) for job in server.jobs] == [4, 2]
    assert (done.accepted, done.refused) == (2, 2)
    assert [each.where.line for each in done.report.problems] == [2, 3]
    assert all("no uuid" in each.message for each in done.report.problems)


def test_data_rows_that_were_accepted_in_part_are_not_sent_again(tmp_path: Path) -> None:
    """Their lines belong together: a relation needs its ends in the same job."""
    file = boxes(tmp_path, 6)
    cut = {uuid_of(1), uuid_of(4), uuid_of(5), uuid_of(3)}

    class Forgetful(Labelbox):
        def get(self, handler: Any) -> None:
            job = next(job for job in self.jobs if handler.path.startswith(f"/status/{job.id}?"))
            lines, job.lines = job.lines, [x for x in job.lines if x["uuid"] not in cut]
            super().get(handler)
            job.lines = lines

    with Forgetful(fail=lambda job: True, tells=True) as server:
        done = sent(server, file)
        cut.clear()
        again = sent(server, file)
    # The first data row had an accepted line, the second had none and was sent again.
    assert {len(job.lines) for job in server.jobs[1:]} == {3}
    assert "other lines of its data row" in done.report.problems[0].message
    assert (done.accepted, done.refused) == (2, 4)
    assert (again.accepted, again.refused) == (5, 1)


def test_halves_are_made_on_borders_of_data_rows_wherever_their_lines_stand(
    tmp_path: Path,
) -> None:
    file = put(tmp_path, [box(number, f"row-{number % 8}") for number in range(40)])
    with Labelbox(fail=poisoned(11)) as server:
        done = sent(server, file, lines=40)
    assert [each.where.line for each in done.report.problems] == [4, 12, 20, 28, 36]
    for job in server.jobs:
        rows = [int(line["dataRow"]["globalKey"][4:]) for line in job.lines]
        assert all(rows.count(row) == 5 for row in rows)
    accounted(server, file, done)


def test_lines_as_runs_come_back() -> None:
    assert runs_of([]) == []
    assert runs_of([0, 1, 2, 7, 9, 10]) == [[1, 3], [8, 8], [10, 11]]
    assert list(lines_of(runs_of([0, 1, 2, 7, 9, 10]))) == [0, 1, 2, 7, 9, 10]


def test_finished_labels_of_a_failed_job_are_sent_again_too(tmp_path: Path) -> None:
    file = boxes(tmp_path, 9)
    with Labelbox(fail=lambda job: job.id == "job0") as server:
        done = sent(server, file, kind="label")
    assert [job.kind for job in server.jobs] == ["label", "label"]
    assert done.accepted == 9


@pytest.mark.parametrize("wrong", ["a half without its lines", "a half before the parts"])
def test_a_state_whose_halves_were_changed_sends_nothing_and_is_told(
    tmp_path: Path, wrong: str
) -> None:
    file = boxes(tmp_path, 24)
    with Labelbox(fail=poisoned(7)) as server:
        done = sent(server, file, lines=12)
        assert done.state is not None
        state = json.loads(done.state.read_bytes())
        assert [part.get("half", False) for part in state["parts"][:3]] == [False, False, True]
        if wrong == "a half without its lines":
            del state["parts"][2]["open"]
        else:
            state["parts"].insert(0, state["parts"].pop(2))
        done.state.write_text(json.dumps(state))
        jobs = len(server.jobs)
        with pytest.raises((SourceError, OptionError), match="expected"):
            sent(server, file, lines=12)
        assert len(server.jobs) == jobs


def test_the_state_says_which_halves_there_are(tmp_path: Path) -> None:
    file = boxes(tmp_path, 6)
    with Labelbox(fail=poisoned(0)) as server:
        done = sent(server, file)
    assert done.state is not None
    parts = json.loads(done.state.read_bytes())["parts"]
    assert [(part["job"][-1], part["open"], part.get("accepted")) for part in parts[1:]] == [
        ("a", [[1, 3]], None),
        ("b", [], 3),
    ]
