"""What may go wrong around the data: never a half-written target, never a traceback."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import pty
import random
import resource
import select
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from faults_help import COMMAND, OLD, coco_file, convert, parts, run, unmeasured

#: Of the large source as Labelbox.
LINES = 80_000


# ----------------------------------------------------------------------------- killed, interrupted


@pytest.mark.parametrize("old", [False, True])
def test_a_run_that_is_killed_leaves_the_old_target_or_none_and_the_next_one_cleans_up(
    large: Path, tmp_path: Path, old: bool
) -> None:
    target = tmp_path / "out.ndjson"
    wait = random.Random(old)
    met = set()
    for attempt in range(8):
        if old:
            target.write_text(OLD)
        running = subprocess.Popen(
            [*COMMAND, "convert", large, target, "--from", "coco"], stderr=subprocess.DEVNULL
        )
        if attempt % 2:
            _until_a_part_grows(tmp_path, running)
        time.sleep(wait.random() * 0.3)
        running.send_signal(signal.SIGKILL)
        code = running.wait()
        met.add("killed" if code == -signal.SIGKILL else "done")
        if code == -signal.SIGKILL:
            if parts(tmp_path):
                met.add("in the middle of writing")
            lines = target.read_text().splitlines() if target.exists() else []
            assert lines == (OLD.splitlines() if old else []) or len(lines) == LINES
        target.unlink(missing_ok=True)
    assert "in the middle of writing" in met
    assert convert(large, target, "--quiet").returncode == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out.ndjson"]
    assert target.read_bytes().count(b"\n") == LINES


def _until_a_part_grows(folder: Path, running: subprocess.Popen[bytes]) -> None:
    """Wait for the moment when something is written."""
    deadline = time.monotonic() + 30
    while running.poll() is None and time.monotonic() < deadline:
        for path in folder.glob(".*.part"):
            with contextlib.suppress(FileNotFoundError):
                if path.stat().st_size:
                    return
        time.sleep(0.005)


def test_a_part_of_a_process_that_is_alive_is_left_alone(small: Path, tmp_path: Path) -> None:
    alive = tmp_path / f".out.ndjson.{os.getpid()}.part"
    alive.write_text("of somebody else")
    assert convert(small, tmp_path / "out.ndjson").returncode == 0
    assert alive.read_text() == "of somebody else"


def test_ctrl_c_removes_the_part_and_says_one_line(large: Path, tmp_path: Path) -> None:
    target = tmp_path / "out.ndjson"
    target.write_text(OLD)
    # Without coverage, which takes locks that an interrupt may leave taken.
    running = subprocess.Popen(
        [*COMMAND, "convert", large, target, "--from", "coco"],
        stderr=subprocess.PIPE,
        env=unmeasured(),
    )
    _until_a_part_grows(tmp_path, running)
    running.send_signal(signal.SIGINT)
    said = running.communicate(timeout=30)[1].decode()
    assert running.returncode == 130
    assert said.strip() == "labelconv: interrupted; nothing unfinished is left"
    assert target.read_text() == OLD
    assert parts(tmp_path) == []


# ------------------------------------------------------------------------------------ full disks


def _at_most(size: int) -> None:
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


@pytest.mark.parametrize("to", ["labelbox", "native", "coco"])
def test_a_target_that_grows_too_large_is_not_left_half_written(tmp_path: Path, to: str) -> None:
    target = tmp_path / "out"
    target.write_text(OLD)
    many = coco_file(tmp_path / "many.json", 500)
    done = run(
        "convert",
        many,
        target,
        "--from",
        "coco",
        "--to",
        to,
        preexec_fn=lambda: _at_most(100_000),
        env=unmeasured(),
    )
    assert done.returncode == 2
    assert b"larger than allowed" in done.stderr
    assert target.read_text() == OLD
    assert parts(tmp_path) == []


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 1 MB; where none can be mounted, the kernel's always full device."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = shutil.which("mount") is not None and (
        subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", folder], capture_output=True
        ).returncode
        == 0
    )
    yield folder if mounted else Path("/dev/full")
    if mounted:
        subprocess.run(["umount", folder], check=True)


def test_a_full_disk_is_said_and_leaves_nothing(large: Path, tiny_disk: Path) -> None:
    if tiny_disk.is_dir():
        done = convert(large, tiny_disk / "out.ndjson")
        assert list(tiny_disk.iterdir()) == []
    else:
        with tiny_disk.open("wb") as full:
            done = subprocess.run(
                [*COMMAND, "convert", large, "-", "--from", "coco", "--to", "labelbox"],
                stdout=full,
                stderr=subprocess.PIPE,
                timeout=120,
            )
    assert done.returncode == 2
    assert b"the disk is full" in done.stderr
    assert b"Traceback" not in done.stderr


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_full_standard_output_is_said(small: Path, unbuffered: str) -> None:
    for arguments in (
        ["convert", small, "-", "--from", "coco", "--to", "labelbox", "--quiet"],
        ["formats"],
    ):
        with Path("/dev/full").open("wb") as full:
            done = subprocess.run(
                [*COMMAND, *arguments],
                stdout=full,
                stderr=subprocess.PIPE,
                env={**unmeasured(), "PYTHONUNBUFFERED": unbuffered},
                timeout=60,
            )
        assert done.returncode == 2, arguments
        assert b"Traceback" not in done.stderr
        assert b"Exception ignored" not in done.stderr
        assert done.stderr.strip()


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_standard_output_that_takes_a_part_only_is_said(tmp_path: Path, unbuffered: str) -> None:
    many = coco_file(tmp_path / "many.json", 500)
    with (tmp_path / "out").open("wb") as out:
        done = subprocess.run(
            [*COMMAND, "show", many, "--from", "coco", "--limit", "500"],
            stdout=out,
            stderr=subprocess.PIPE,
            env={**unmeasured(), "PYTHONUNBUFFERED": unbuffered},
            preexec_fn=lambda: _at_most(1_000),
            timeout=60,
        )
    assert done.returncode == 2
    assert b"Traceback" not in done.stderr
    assert done.stderr.strip()


def test_a_report_that_cannot_be_written_is_said(small: Path, tmp_path: Path) -> None:
    done = convert(small, tmp_path / "out.ndjson", "--report", str(tmp_path / "no" / "r.json"))
    assert done.returncode == 2
    assert not (tmp_path / "out.ndjson").exists()
    assert convert(small, tmp_path / "out.ndjson", "--report", str(tmp_path)).returncode == 2


# ------------------------------------------------------------------------- sources and targets


@pytest.mark.parametrize("way", ["same", "dotted", "symbolic link", "hard link"])
def test_the_source_is_never_the_target(small: Path, tmp_path: Path, way: str) -> None:
    target = tmp_path / "other.json"
    if way == "same":
        target = small
    elif way == "dotted":
        target = tmp_path / "." / "x" / ".." / small.name
        (tmp_path / "x").mkdir()
    elif way == "symbolic link":
        target.symlink_to(small)
    else:
        target.hardlink_to(small)
    before = small.read_bytes()
    done = convert(small, target)
    assert done.returncode == 2
    assert b"is the source" in done.stderr
    assert small.read_bytes() == before
    assert target.samefile(small)


@pytest.mark.parametrize("way", ["symbolic link", "hard link"])
def test_the_report_never_takes_the_place_of_the_source(
    small: Path, tmp_path: Path, way: str
) -> None:
    report = tmp_path / "report.json"
    report.symlink_to(small) if way == "symbolic link" else report.hardlink_to(small)
    before = small.read_bytes()
    assert convert(small, tmp_path / "out.ndjson", "--report", str(report)).returncode == 2
    assert small.read_bytes() == before
    assert not (tmp_path / "out.ndjson").exists()


def test_sources_and_targets_that_cannot_be_used_are_told(small: Path, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    for source, target in (
        (tmp_path / "missing.json", tmp_path / "out"),
        (tmp_path / "folder", tmp_path / "out"),
        (small, tmp_path / "folder"),
        (small, tmp_path / "no" / "such" / "out"),
        (small, small / "out"),
        (tmp_path / ("x" * 300), tmp_path / "out"),
        (small, tmp_path / ("x" * 300)),
    ):
        done = convert(source, target)
        assert done.returncode == 2, (source, target)
        assert done.stderr.count(b"\n") == 1
    assert not (tmp_path / "out").exists()


def test_a_source_without_permission_is_told(small: Path, tmp_path: Path) -> None:
    small.chmod(0)
    if os.access(small, os.R_OK):  # the superuser may read everything; become nobody
        tmp_path.chmod(0o777)
        for folder in tmp_path.parents:
            if not folder.stat().st_mode & 0o001 and folder != Path("/"):
                folder.chmod(folder.stat().st_mode | 0o011)
        done = _run_reading_as_nobody(small, tmp_path)
    else:
        done = convert(small, tmp_path / "out.ndjson")
    assert done.returncode == 2
    assert b"no permission" in done.stderr
    assert not (tmp_path / "out.ndjson").exists()


def _run_reading_as_nobody(source: Path, folder: Path) -> subprocess.CompletedProcess[bytes]:
    """Drop the rights once all is imported: nobody may not read the interpreter's folder."""
    program = (
        "import locale, os, sys\n"
        "from labelconv import registry\n"
        "import labelconv.convert, labelconv.cli, labelconv.progress\n"
        "registry.all_formats()\n"
        "import labelconv.formats.coco.reader, labelconv.formats.labelbox.writer\n"
        "os.setgid(65534), os.setuid(65534)\n"
        f"sys.argv = ['labelconv', 'convert', {str(source)!r}, {str(folder / 'out.ndjson')!r}, "
        "'--from', 'coco']\n"
        "labelconv.cli.main()\n"
    )
    return subprocess.run([sys.executable, "-c", program], capture_output=True, timeout=60)


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_pipe_that_is_closed_early_ends_quietly(
    small: Path, tmp_path: Path, unbuffered: str
) -> None:
    many = coco_file(tmp_path / "many.json", 5_000)  # some pipes hold a megabyte
    for arguments in (
        f"convert {many} - --from coco --to labelbox --quiet",
        f"diff {many} {small} --from-a coco --from-b coco --json",
    ):
        done = subprocess.run(
            ["bash", "-o", "pipefail", "-c", f"{' '.join(COMMAND)} {arguments} | head -c 1"],
            env={**unmeasured(), "PYTHONUNBUFFERED": unbuffered},
            capture_output=True,
            timeout=120,
        )
        assert done.stderr == b"", arguments
        assert done.returncode == 141
        assert len(done.stdout) == 1


def test_a_terminal_that_is_gone_does_not_end_in_a_traceback(small: Path, tmp_path: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [*COMMAND, "convert", small, tmp_path / "out.ndjson", "--from", "coco"],
        stderr=writing,
        timeout=60,
    )
    os.close(writing)
    assert done.returncode == 141
    assert (tmp_path / "out.ndjson").exists()


def test_strict_stops_at_the_first_error_and_publishes_nothing(tmp_path: Path) -> None:
    source = coco_file(tmp_path / "a.json", 3)
    whole = json.loads(source.read_text())
    for position in (4, 7):
        whole["annotations"][position]["category_id"] = 9
    source.write_text(json.dumps(whole))
    target, report = tmp_path / "out.ndjson", tmp_path / "r.json"
    target.write_text(OLD)
    done = convert(source, target, "--strict", "--report", str(report))
    assert done.returncode == 1
    assert b"/annotations/4/category_id" in done.stderr
    assert b"/annotations/7" not in done.stderr
    assert target.read_text() == OLD
    assert not (tmp_path / "out.ndjson.rejected.ndjson").exists()
    problems = json.loads(report.read_text())["problems"]
    assert [problem["code"] for problem in problems if problem["severity"] == "error"] == ["R103"]


def test_the_rejected_records_of_an_earlier_run_do_not_stay(tmp_path: Path) -> None:
    source = coco_file(tmp_path / "a.json", 3)
    good = source.read_text()
    source.write_text(good.replace('"category_id": 1', '"category_id": 9', 1))
    rejected = tmp_path / "out.ndjson.rejected.ndjson"
    assert convert(source, tmp_path / "out.ndjson").returncode == 1
    assert rejected.read_text().count("\n") == 1
    source.write_text(good)
    assert convert(source, tmp_path / "out.ndjson").returncode == 0
    assert not rejected.exists()


def test_the_report_is_written_when_losses_are_refused(tmp_path: Path) -> None:
    assert run("sample", "native", tmp_path / "a.native.ndjson").returncode == 0
    done = run(
        "convert", tmp_path / "a.native.ndjson", tmp_path / "o", "--to", "labelbox",
        "--report", tmp_path / "r.json",
    )  # fmt: skip
    assert done.returncode == 3
    report = json.loads((tmp_path / "r.json").read_text())
    assert report["counts"]["L408"] == report["ledger"]["annotations"]["lost"] > 0
    assert not (tmp_path / "o").exists()


# ------------------------------------------------------------------------------------- terminals


def _on_a_terminal(program: list[str], **environment: str) -> str:
    """All that a program writes to its standard error, which is a terminal."""
    mine, its = pty.openpty()
    running = subprocess.Popen(
        program,
        stdout=subprocess.DEVNULL,
        stderr=its,
        env={**os.environ, "TERM": "xterm", "COLUMNS": "120", **environment},
    )
    os.close(its)
    said = b""
    while True:
        try:
            if select.select([mine], [], [], 60)[0]:
                data = os.read(mine, 65_536)
        except OSError as error:
            if error.errno != errno.EIO:  # the way Linux tells that the other end is closed
                raise
            break
        if not data:
            break
        said += data
    os.close(mine)
    running.wait(timeout=60)
    return said.decode()


def test_colours_are_for_terminals_that_want_them(tmp_path: Path) -> None:
    source = coco_file(tmp_path / "a.json", 1)
    source.write_text(source.read_text().replace('"category_id": 1', '"category_id": 9', 1))
    command = [*COMMAND, "check", str(source), "--from", "coco"]
    assert "\x1b[31m" in _on_a_terminal(command)
    assert "\x1b[" not in _on_a_terminal(command, NO_COLOR="1")
    assert b"\x1b[" not in run("check", source, "--from", "coco").stderr


PROGRESS = """
import sys, time
from labelconv import progress
from labelconv.io import Source
source = Source(sys.argv[1])
with progress.shown(quiet=len(sys.argv) > 3) as watch:
    if watch is not None:
        watch([source])
    with source.open() as file:
        file.read(100)
        time.sleep(float(sys.argv[2]))
"""


def test_progress_is_shown_on_a_terminal_for_what_takes_more_than_a_second(large: Path) -> None:
    program = [sys.executable, "-c", PROGRESS, str(large)]
    assert "converting" in _on_a_terminal([*program, "2"])
    assert _on_a_terminal([*program, "0.2"]) == ""
    assert _on_a_terminal([*program, "2", "quiet"]) == ""
    done = subprocess.run([*program, "1.5"], capture_output=True, timeout=60)
    assert done.stderr == b""
