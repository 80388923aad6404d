"""What may go wrong around the data and in it: never a half-written target, never a traceback."""

from __future__ import annotations

import contextlib
import errno
import gzip
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
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from labelconv.cli import main

COMMAND = [sys.executable, "-m", "labelconv"]
OLD = "what was there before\n"
#: Of the large source as Labelbox.
LINES = 80_000


def _coco(path: Path, images: int, boxes: int = 8) -> Path:
    whole = {
        "images": [
            {"id": n, "file_name": f"{n}.jpg", "width": 640, "height": 480} for n in range(images)
        ],
        "annotations": [
            {
                "id": n * boxes + k,
                "image_id": n,
                "category_id": 1,
                "bbox": [k, k, 10.5, 20.25],
                "segmentation": [[k, k, k + 10, k, k + 10, k + 20]],
            }
            for n in range(images)
            for k in range(boxes)
        ],
        "categories": [{"id": 1, "name": "cat"}],
    }
    path.write_text(json.dumps(whole))
    return path


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A source that takes a second or so."""
    return _coco(tmp_path_factory.mktemp("large") / "large.json", 10_000)


@pytest.fixture
def small(tmp_path: Path) -> Path:
    return _coco(tmp_path / "small.json", 3)


def _run(*arguments: object, **others: object) -> subprocess.CompletedProcess[bytes]:
    done = subprocess.run(
        [*COMMAND, *map(str, arguments)],
        capture_output=True,
        timeout=120,
        **others,  # type: ignore[call-overload]
    )
    assert b"Traceback" not in done.stderr, done.stderr.decode()
    return done


Inside = Callable[..., tuple[int, str]]


@pytest.fixture
def inside(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Inside:
    """Runs a command in this process, where a traceback is a failure: exit code, standard error."""

    def run(*arguments: object) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["labelconv", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        return int(ended.value.code or 0), capfd.readouterr().err

    return run


def _convert(source: object, target: object, *more: str, **others: object):  # type: ignore[no-untyped-def]
    return _run("convert", source, target, "--from", "coco", "--to", "labelbox", *more, **others)


def _parts(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.name.endswith(".part"))


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
            if _parts(tmp_path):
                met.add("in the middle of writing")
            lines = target.read_text().splitlines() if target.exists() else []
            assert lines == (OLD.splitlines() if old else []) or len(lines) == LINES
        target.unlink(missing_ok=True)
    assert "in the middle of writing" in met
    assert _convert(large, target, "--quiet").returncode == 0
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
    assert _convert(small, tmp_path / "out.ndjson").returncode == 0
    assert alive.read_text() == "of somebody else"


def test_ctrl_c_removes_the_part_and_says_one_line(large: Path, tmp_path: Path) -> None:
    target = tmp_path / "out.ndjson"
    target.write_text(OLD)
    running = subprocess.Popen(
        [*COMMAND, "convert", large, target, "--from", "coco"], stderr=subprocess.PIPE
    )
    _until_a_part_grows(tmp_path, running)
    running.send_signal(signal.SIGINT)
    said = running.communicate(timeout=30)[1].decode()
    assert running.returncode == 130
    assert said.strip() == "labelconv: interrupted; nothing unfinished is left"
    assert target.read_text() == OLD
    assert _parts(tmp_path) == []


# ------------------------------------------------------------------------------------ full disks


def _at_most(size: int) -> None:
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


@pytest.mark.parametrize("to", ["labelbox", "native", "coco"])
def test_a_target_that_grows_too_large_is_not_left_half_written(tmp_path: Path, to: str) -> None:
    target = tmp_path / "out"
    target.write_text(OLD)
    many = _coco(tmp_path / "many.json", 500)
    done = _run(
        "convert", many, target, "--from", "coco", "--to", to, preexec_fn=lambda: _at_most(100_000)
    )
    assert done.returncode == 2
    assert b"larger than allowed" in done.stderr
    assert target.read_text() == OLD
    assert _parts(tmp_path) == []


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
        done = _convert(large, tiny_disk / "out.ndjson")
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
                env={**os.environ, "PYTHONUNBUFFERED": unbuffered},
                timeout=60,
            )
        assert done.returncode == 2, arguments
        assert b"Traceback" not in done.stderr
        assert b"Exception ignored" not in done.stderr
        assert done.stderr.strip()


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_standard_output_that_takes_a_part_only_is_said(tmp_path: Path, unbuffered: str) -> None:
    many = _coco(tmp_path / "many.json", 500)
    with (tmp_path / "out").open("wb") as out:
        done = subprocess.run(
            [*COMMAND, "show", many, "--from", "coco", "--limit", "500"],
            stdout=out,
            stderr=subprocess.PIPE,
            env={**os.environ, "PYTHONUNBUFFERED": unbuffered},
            preexec_fn=lambda: _at_most(1_000),
            timeout=60,
        )
    assert done.returncode == 2
    assert b"Traceback" not in done.stderr
    assert done.stderr.strip()


def test_a_report_that_cannot_be_written_is_said(small: Path, tmp_path: Path) -> None:
    done = _convert(small, tmp_path / "out.ndjson", "--report", str(tmp_path / "no" / "r.json"))
    assert done.returncode == 2
    assert not (tmp_path / "out.ndjson").exists()
    assert _convert(small, tmp_path / "out.ndjson", "--report", str(tmp_path)).returncode == 2


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
    done = _convert(small, target)
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
    assert _convert(small, tmp_path / "out.ndjson", "--report", str(report)).returncode == 2
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
        done = _convert(source, target)
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
        done = _convert(small, tmp_path / "out.ndjson")
    assert done.returncode == 2
    assert b"no permission" in done.stderr
    assert not (tmp_path / "out.ndjson").exists()


def _run_reading_as_nobody(source: Path, folder: Path) -> subprocess.CompletedProcess[bytes]:
    """Drop the rights once all is imported: nobody may not read the interpreter's folder."""
    program = (
        "import os, sys\n"
        "from labelconv import registry\n"
        "import labelconv.convert, labelconv.cli, labelconv.progress\n"
        "registry.all_formats()\n"
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
    many = _coco(tmp_path / "many.json", 5_000)  # some pipes hold a megabyte
    for arguments in (
        f"convert {many} - --from coco --to labelbox --quiet",
        f"diff {many} {small} --from-a coco --from-b coco --json",
    ):
        done = subprocess.run(
            ["bash", "-o", "pipefail", "-c", f"{' '.join(COMMAND)} {arguments} | head -c 1"],
            env={**os.environ, "PYTHONUNBUFFERED": unbuffered},
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


# ------------------------------------------------------------------------------- hostile contents


def _hostile(small: Path) -> dict[str, bytes]:
    whole = small.read_bytes()
    deep = b"[" * 100_000 + b"]" * 100_000
    return {
        "empty": b"",
        "blank": b" \n\n ",
        "garbage": random.Random(1).randbytes(50_000),
        "zeros": bytes(10_000),
        "UTF-16": whole.decode().encode("utf-16"),
        "UTF-32": whole.decode().encode("utf-32"),
        "cut off": whole[: len(whole) // 2],
        "cut off in a text": whole[: whole.index(b"file_name") + 14],
        "gzip cut off": gzip.compress(whole)[:-20],
        "gzip of garbage": gzip.compress(b"\xff" * 1000),
        "gzip header only": b"\x1f\x8b",
        "a number": b"17",
        "a list of numbers": b"[1, 2, 3]",
        "two values": whole + whole,
        "deep": deep,
        "deep value": b'{"images": ' + deep + b"}",
        "deep member": b'{"info": ' + deep + b', "images": [], "annotations": []}',
        "not UTF-8": whole.replace(b"cat", b"\xff\xfe\xfa"),
        "not UTF-8 key": whole.replace(b'"images"', b'"im\xffges"'),
        "lone surrogate": whole.replace(b"cat", rb"\ud800"),
        "categories that are none": b'{"images": [], "annotations": [], "categories": 3}',
        "images that are none": b'{"images": 3, "annotations": [], "categories": []}',
        "annotations that are none": b'{"images": [], "annotations": {"a": 1}, "categories": []}',
    }


HOSTILE = (
    "empty",
    "blank",
    "garbage",
    "zeros",
    "UTF-16",
    "UTF-32",
    "cut off",
    "cut off in a text",
    "gzip cut off",
    "gzip of garbage",
    "gzip header only",
    "a number",
    "a list of numbers",
    "two values",
    "deep",
    "deep value",
    "deep member",
    "not UTF-8",
    "not UTF-8 key",
    "lone surrogate",
    "categories that are none",
    "images that are none",
    "annotations that are none",
)


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("format", [None, "coco", "native", "labelbox"])
def test_whatever_a_file_holds_ends_in_a_sentence_or_in_rejected_records(
    small: Path, tmp_path: Path, inside: Inside, name: str, format: str | None
) -> None:
    source, target = tmp_path / "hostile.json", tmp_path / "out"
    source.write_bytes(_hostile(small)[name])
    target.write_text(OLD)
    named = [] if format is None else ["--from", format]
    code, said = inside("convert", source, target, "--to", "native", "--quiet", *named)
    assert code in (0, 1, 2)
    if code == 2:
        assert target.read_text() == OLD
        assert said.startswith("labelconv: ")
    assert inside("check", source, *named)[0] in (0, 1, 2)
    assert inside("show", source, *named)[0] in (0, 1, 2)
    assert _parts(tmp_path) == []


def test_a_file_of_nothing_known_is_refused_with_what_each_format_saw(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"hello")
    done = _run("convert", tmp_path / "x", tmp_path / "y", "--to", "native")
    assert done.returncode == 2
    assert b"no format recognises it" in done.stderr
    assert b"coco: " in done.stderr


def test_a_byte_order_mark_and_gzip_are_no_hindrance(small: Path, tmp_path: Path) -> None:
    expected = tmp_path / "expected"
    assert _convert(small, expected).returncode == 0
    for name, data in (
        ("mark", b"\xef\xbb\xbf" + small.read_bytes()),
        ("gz", gzip.compress(small.read_bytes())),
        (
            "two members",
            gzip.compress(small.read_bytes()[:50]) + gzip.compress(small.read_bytes()[50:]),
        ),
    ):
        source, target = tmp_path / f"{name}.json", tmp_path / f"{name}.ndjson"
        source.write_bytes(data)
        assert _convert(source, target).returncode == 0
        assert target.read_bytes() == expected.read_bytes()


@pytest.mark.parametrize(
    "box",
    [
        "[NaN, 0, 1, 1]",
        "[0, 0, Infinity, 1]",
        "[0, 0, 1e400, 1]",
        "[1" + "0" * 400 + ", 0, 1, 1]",
        "[0, 0, -1, 1]",
        '["a", 0, 1, 1]',
        "[0, 0, 1]",
        "[[0], 0, 1, 1]",
        "{}",
        "true",
        '"0,0,1,1"',
        "[" * 5_000 + "]" * 5_000,
    ],
)
def test_a_box_that_is_none_is_rejected_alone_and_verbatim(tmp_path: Path, box: str) -> None:
    bad = f'{{"id": 2, "image_id": 1, "category_id": 1, "bbox": {box}}}'
    source, target = tmp_path / "a.json", tmp_path / "out.ndjson"
    source.write_text(
        '{"images": [{"id": 1, "file_name": "a.jpg", "width": 9, "height": 9}], "annotations": ['
        '{"id": 1, "image_id": 1, "category_id": 1, "bbox": [0, 0, 1, 1]}, '
        + bad
        + ', {"id": 3, "image_id": 1, "category_id": 1, "bbox": [0, 0, 2, 2]}], '
        '"categories": [{"id": 1, "name": "cat"}]}'
    )
    done = _convert(source, target, "--report", str(tmp_path / "r.json"))
    assert done.returncode == 1
    assert target.read_bytes().count(b"\n") == 2
    rejected = [
        json.loads(line)
        for line in (tmp_path / "out.ndjson.rejected.ndjson").read_text().splitlines()
    ]
    assert [record["record"] for record in rejected] == [bad]
    assert rejected[0]["where"]["pointer"].startswith("/annotations/1")
    report = json.loads((tmp_path / "r.json").read_text())
    assert report["ledger"]["annotations"]["rejected"] == 1
    assert report["ledger"]["balanced"]


def test_strict_stops_at_the_first_error_and_publishes_nothing(tmp_path: Path) -> None:
    source = _coco(tmp_path / "a.json", 3)
    whole = json.loads(source.read_text())
    for position in (4, 7):
        whole["annotations"][position]["category_id"] = 9
    source.write_text(json.dumps(whole))
    target, report = tmp_path / "out.ndjson", tmp_path / "r.json"
    target.write_text(OLD)
    done = _convert(source, target, "--strict", "--report", str(report))
    assert done.returncode == 1
    assert b"/annotations/4/category_id" in done.stderr
    assert b"/annotations/7" not in done.stderr
    assert target.read_text() == OLD
    assert not (tmp_path / "out.ndjson.rejected.ndjson").exists()
    problems = json.loads(report.read_text())["problems"]
    assert [problem["code"] for problem in problems if problem["severity"] == "error"] == ["R103"]


def test_the_rejected_records_of_an_earlier_run_do_not_stay(tmp_path: Path) -> None:
    source = _coco(tmp_path / "a.json", 3)
    good = source.read_text()
    source.write_text(good.replace('"category_id": 1', '"category_id": 9', 1))
    rejected = tmp_path / "out.ndjson.rejected.ndjson"
    assert _convert(source, tmp_path / "out.ndjson").returncode == 1
    assert rejected.read_text().count("\n") == 1
    source.write_text(good)
    assert _convert(source, tmp_path / "out.ndjson").returncode == 0
    assert not rejected.exists()


def test_the_report_is_written_when_losses_are_refused(tmp_path: Path) -> None:
    assert _run("sample", "native", tmp_path / "a.native.ndjson").returncode == 0
    done = _run(
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
    source = _coco(tmp_path / "a.json", 1)
    source.write_text(source.read_text().replace('"category_id": 1', '"category_id": 9', 1))
    command = [*COMMAND, "check", str(source), "--from", "coco"]
    assert "\x1b[31m" in _on_a_terminal(command)
    assert "\x1b[" not in _on_a_terminal(command, NO_COLOR="1")
    assert b"\x1b[" not in _run("check", source, "--from", "coco").stderr


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
