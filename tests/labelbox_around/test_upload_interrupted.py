"""Uploads that are killed, large uploads with failures of every kind, and the command line."""

from __future__ import annotations

import io
import json
import os
import random
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from test_upload import accounted, boxes, sent, uuid_of
from upload_server import FAULTS, KEY, PROJECT, Job, Labelbox

from labelconv import codes
from labelconv.cli import cli

#: Uploads in a process of its own, without patience.
SCRIPT = """
import sys
from labelconv.labelbox.upload import upload
from labelconv.labelbox.upload_server import Patience

haste = Patience(first=0.001, most=0.01, tries=8, look=0.001, look_most=0.005)
file, project, endpoint, lines = sys.argv[1:]
upload(file, project, endpoint=endpoint, lines=int(lines), patience=haste)
"""


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LABELBOX_API_KEY", KEY)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


def run_apart(server: Labelbox, file: Path, lines: int) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-c", SCRIPT, str(file), PROJECT, server.endpoint, str(lines)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


class Killer:
    """Kills a process, as `kill -9` does, when the server has made so many jobs."""

    def __init__(self, jobs: int) -> None:
        self.jobs = jobs
        self.process: subprocess.Popen[bytes] | None = None

    def __call__(self, job: Job) -> None:
        self.jobs -= 1
        if self.jobs == 0 and self.process is not None:
            os.kill(self.process.pid, signal.SIGKILL)
            self.process.wait()


def refused(line: dict[str, Any]) -> list[Any] | None:
    """One line in twenty, by its uuid."""
    number = int(line["uuid"].rpartition("-")[2], 16)
    return [{"name": "Bad", "message": f"kind {number % 3}"}] if number % 20 == 7 else None


@pytest.mark.parametrize("jobs", [1, 3, 5])
def test_a_run_that_is_killed_is_gone_on_with_and_no_line_is_sent_twice(
    tmp_path: Path, jobs: int
) -> None:
    file = boxes(tmp_path, 60)
    killer = Killer(jobs)
    with Labelbox(refuse=refused, created=killer, looks=2) as server:
        process = killer.process = run_apart(server, file, 10)
        process.communicate(timeout=60)
        assert process.returncode == -signal.SIGKILL
        assert len(server.jobs) == jobs
        done = sent(server, file)
    accounted(server, file, done)
    assert (done.accepted, done.refused) == (57, 3)
    left = sorted(path.name for path in tmp_path.iterdir())
    assert left == ["mal.ndjson", "mal.ndjson.failed.ndjson", "mal.ndjson.upload.json"]


def test_a_job_that_is_not_shown_at_once_after_a_kill_is_waited_for_and_not_made_twice(
    tmp_path: Path,
) -> None:
    file = boxes(tmp_path, 20)
    killer = Killer(1)
    looks = iter([True])  # the first run was killed before it looked; the second one sees nothing
    with Labelbox(created=killer, hidden=lambda job: next(looks, False)) as server:
        killer.process = run_apart(server, file, 10)
        killer.process.communicate(timeout=60)
        state = json.loads((tmp_path / "mal.ndjson.upload.json").read_bytes())
        assert [part.get("phase") for part in state["parts"]] == ["sending", None, None]
        done = sent(server, file)
    assert next(looks, None) is None
    assert [len(job.lines) for job in server.jobs] == [9, 9, 2]
    accounted(server, file, done)


def test_25_000_lines_with_failures_of_every_kind_and_a_kill_are_all_accounted_for(
    tmp_path: Path,
) -> None:
    chance = random.Random(7)
    of_status = ("429", "500", "502", "drop", "cut", "torn")

    def fault(what: str, number: int) -> str | None:
        if chance.random() < 0.05:
            return chance.choice(of_status if what == "status" else FAULTS)
        return None

    bad = uuid_of(16_500)
    file = boxes(tmp_path, 25_000)
    killer = Killer(9)
    with Labelbox(
        refuse=refused,
        fault=fault,
        created=killer,
        fail=lambda job: job.name.endswith("-5-of-26") or any(x["uuid"] == bad for x in job.lines),
        looks=2,
    ) as server:
        killer.process = run_apart(server, file, 1_000)
        killer.process.communicate(timeout=120)
        assert killer.process.returncode == -signal.SIGKILL
        done = sent(server, file, lines=1_000)
    accounted(server, file, done)
    # The data row of the bad line: 16,500 to 16,502.
    assert done.refused == 1_250 + sum(
        refused({"uuid": uuid_of(n)}) is None for n in range(16_500, 16_503)
    )
    assert done.unknown == 0
    failed = [job for job in server.jobs if job.state == "FAILED"]
    assert len(failed) > 10
    assert min(len(job.lines) for job in failed) == 3


def test_the_command_says_what_became_of_the_lines(tmp_path: Path) -> None:
    file = boxes(tmp_path, 25)
    report = tmp_path / "report.json"
    command = ["upload", str(file), "--project", PROJECT, "--lines", "10", "--report", str(report)]
    with Labelbox(refuse=lambda line: ["no"] if line["uuid"] == uuid_of(7) else None) as server:
        ran = CliRunner().invoke(
            cli, [*command, "--endpoint", server.endpoint], standalone_mode=False
        )
    assert ran.return_value == 1
    assert (
        f"{file}:8 [row-2] (annotation {uuid_of(7)}): Labelbox refused the line: no" in ran.stderr
    )
    assert "24 of 25 lines accepted, in 3 jobs" in ran.stderr
    assert f"1 refused: see {file}.failed.ndjson" in ran.stderr
    told = json.loads(report.read_text("utf-8"))
    assert told["counts"] == {codes.IMPORT_REFUSED.id: 1}
    assert told["ledger"]["annotations"]["kept"] == 24
    assert KEY not in report.read_text("utf-8")


def test_the_command_sends_nothing_of_a_file_with_errors(tmp_path: Path) -> None:
    file = tmp_path / "mal.ndjson"
    file.write_text('{"dataRow": {"globalKey": "a"}}\n')
    with Labelbox() as server:
        command = ["upload", str(file), "--project", PROJECT, "--endpoint", server.endpoint]
        ran = CliRunner().invoke(cli, command, standalone_mode=False)
    assert ran.return_value == 1
    assert "nothing was sent" in ran.stderr
    assert not server.requests


def test_the_command_tells_of_failures_that_may_pass_while_it_waits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = boxes(tmp_path, 3)
    fault = lambda what, number: "502" if (what, number) == ("create", 0) else None  # noqa: E731
    command = ["upload", str(file), "--project", PROJECT]
    with Labelbox(fault=fault) as server:
        ran = CliRunner().invoke(
            cli, [*command, "--endpoint", server.endpoint], standalone_mode=False
        )
    assert ran.return_value == 0
    assert "trying again in 1 s" in ran.stderr
    assert "3 of 3 lines accepted, in 1 job" in ran.stderr


def test_on_a_terminal_a_bar_says_how_far_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    from labelconv.cli.upload import _shown
    from labelconv.labelbox.upload import Progress

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    counts = {"lines": 30, "accepted": 9, "refused": 1, "unknown": 0, "sent": 20}
    with _shown(quiet=False) as progress:
        assert progress is not None
        progress(Progress(**counts, parts=3, parts_done=1, news="429 [busy]"))
    assert "part 1 of 3, 20 lines sent" in terminal.getvalue()
    assert "10/30" in terminal.getvalue()
    assert "429 [busy]" in terminal.getvalue()
    with _shown(quiet=True) as progress:
        assert progress is None


def test_what_is_missing_for_an_upload_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from labelconv.errors import MissingDependencyError

    file = boxes(tmp_path, 1)
    monkeypatch.setitem(sys.modules, "labelbox", None)
    with Labelbox() as server:
        with pytest.raises(MissingDependencyError, match=r"labelconv\[labelbox\]"):
            sent(server, file)
        assert not server.requests
