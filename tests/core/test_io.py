"""Sources that can be read again, targets that appear whole or not at all."""

from __future__ import annotations

import errno
import gc
import gzip
import io
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labelconv import io as lio
from labelconv.errors import MissingDependencyError, SourceError, TargetError
from labelconv.io import Source, lines, natural_order, skip_mark
from labelconv.targets import Target, publishing, write_beside

# ------------------------------------------------------------------------------ sources


def test_a_file_can_be_opened_again_and_again(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(b"content")
    source = Source(path)
    for _ in range(2):
        with source.open() as file:
            assert file.read() == b"content"
    assert source.size() == 7
    assert source.path == path


def test_the_position_of_the_file_that_is_read_is_known(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"x" * 200_000)
    source = Source(path)
    assert source.position() is None
    with source.open() as file:
        file.read(150_000)
        position = source.position()
        assert position is not None
        assert 150_000 <= position <= 200_000
    assert source.position() is None


def test_a_gzip_file_is_read_as_what_it_holds(tmp_path: Path) -> None:
    path = tmp_path / "a.json.gz"
    path.write_bytes(gzip.compress(b"content" * 1000))
    source = Source(path)
    for _ in range(2):
        with source.open() as file:
            assert file.read() == b"content" * 1000
            assert file.seekable()
    assert source.size() == 7000
    copy = source._copy
    assert copy is not None
    assert copy.exists()
    del source
    gc.collect()
    assert not copy.exists()


@pytest.mark.parametrize("damage", ["short", "bits"])
def test_a_gzip_file_that_is_not_whole_is_refused(damage: str, tmp_path: Path) -> None:
    data = bytearray(gzip.compress(os.urandom(5000)))
    if damage == "bits":
        data[2000] ^= 0xFF
    path = tmp_path / "a.gz"
    path.write_bytes(data[:-100] if damage == "short" else data)
    with pytest.raises(SourceError, match="a whole gzip file expected"):
        Source(path).open()


def test_the_standard_input_is_read_once_and_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    class Standard:
        buffer = io.BytesIO(b"content")

    monkeypatch.setattr(sys, "stdin", Standard)
    source = Source("-")
    assert source.path is None
    for _ in range(2):
        with source.open() as file:
            assert file.read() == b"content"


def test_a_source_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="does not exist"):
        Source(tmp_path / "none")


def test_a_source_that_goes_away_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"x")
    source = Source(path)
    path.unlink()
    with pytest.raises(SourceError, match="does not exist"):
        source.open()


def test_a_source_is_also_an_oserror() -> None:
    assert issubclass(SourceError, OSError)


def test_a_pipe_is_refused_since_it_cannot_be_read_again(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = subprocess.Popen(
        [sys.executable, "-c", f"open({str(pipe)!r}, 'wb').write(b'abcdef')"],
    )
    try:
        with pytest.raises(SourceError):
            Source(pipe).open()
    finally:
        writer.wait(10)


def test_a_folder_has_no_content(tmp_path: Path) -> None:
    source = Source(tmp_path)
    assert source.is_folder
    assert source.size() == 0
    assert source.peek().is_folder
    with pytest.raises(SourceError, match="a folder found"):
        source.open()


def test_peeking_sees_both_ends(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"\xef\xbb\xbf  head" + b" " * 200_000 + b"tail")
    peek = Source(path).peek()
    assert peek.text.startswith(b"head")
    assert peek.tail.endswith(b"tail")
    assert len(peek.head) == len(peek.tail) == lio.PEEK_BYTES
    assert peek.size == 200_013


def test_remote_sources_without_fsspec_name_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "fsspec", None)
    with pytest.raises(MissingDependencyError, match=r"labelconv\[remote\]"):
        Source("s3://bucket/a.json").open()


def test_remote_sources_come_through_fsspec(monkeypatch: pytest.MonkeyPatch) -> None:
    class Opened:
        def open(self) -> io.BytesIO:
            return io.BytesIO(b"far away")

    class Fsspec:
        @staticmethod
        def open(name: str, mode: str) -> Opened:
            assert (name, mode) == ("memory://a", "rb")
            return Opened()

    monkeypatch.setitem(sys.modules, "fsspec", Fsspec)
    with Source("memory://a").open() as file:
        assert file.read() == b"far away"


def test_a_protocol_that_fsspec_does_not_know_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    class Fsspec:
        @staticmethod
        def open(name: str, mode: str) -> None:
            raise ValueError("Protocol not known: zz")

    monkeypatch.setitem(sys.modules, "fsspec", Fsspec)
    with pytest.raises(SourceError, match="Protocol not known"):
        Source("zz://a").open()


# ------------------------------------------------------------------------------ content


def test_a_byte_order_mark_is_skipped() -> None:
    file = io.BytesIO(b"\xef\xbb\xbf{}")
    assert skip_mark(file, "f")
    assert file.read() == b"{}"
    file = io.BytesIO(b"{}")
    assert not skip_mark(file, "f")
    assert file.read() == b"{}"


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_utf_16_with_its_mark_is_refused(encoding: str) -> None:
    mark = "" if encoding == "utf-16" else "\ufeff"
    with pytest.raises(SourceError, match="UTF-16 found"):
        skip_mark(io.BytesIO(f"{mark}{{}}".encode(encoding)), "f")


@given(st.lists(st.binary(max_size=9), max_size=9), st.integers(1, 12), st.booleans())
def test_lines_come_whole_with_their_numbers(content: list[bytes], chunk: int, ended: bool) -> None:
    content = [line.replace(b"\n", b".") for line in content]
    data = b"\n".join(content) + (b"\n" if ended else b"")
    found: list[bytes] = []
    for number, piece in lines(io.BytesIO(data), chunk):
        assert number == len(found) + 1
        assert piece
        found.extend(piece.split(b"\n")[:-1] if piece.endswith(b"\n") else piece.split(b"\n"))
    expected = data.split(b"\n")
    assert found == (expected[:-1] if expected[-1] == b"" else expected)


def test_natural_order_counts() -> None:
    names = ["image10", "image2", "image1", "a", "1", "02", "2", "b10c9", "b10c10", ""]
    assert sorted(names, key=natural_order) == [
        "",
        "1",
        "02",
        "2",
        "a",
        "b10c9",
        "b10c10",
        "image1",
        "image2",
        "image10",
    ]


@given(st.lists(st.text(alphabet="a1290٣²é/"), max_size=8))
def test_natural_order_is_total(names: list[str]) -> None:
    ordered = sorted(set(names), key=natural_order)
    backwards = ordered[::-1]
    backwards.sort(key=natural_order)
    assert backwards == ordered
    assert len({natural_order(name) for name in names}) == len(set(names))


# ------------------------------------------------------------------------------ targets


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_target_appears_only_when_it_is_published(tmp_path: Path) -> None:
    with publishing(tmp_path / "out", folder=False, sources=[]) as target:
        target.part.write_bytes(b"new")
        assert not (tmp_path / "out").exists()
        target.publish()
    assert (tmp_path / "out").read_bytes() == b"new"
    assert names_in(tmp_path) == ["out"]


def test_the_old_target_stays_when_nothing_is_published(tmp_path: Path) -> None:
    (tmp_path / "out").write_bytes(b"old")
    with publishing(tmp_path / "out", folder=False, sources=[]) as target:
        target.part.write_bytes(b"new")
    assert (tmp_path / "out").read_bytes() == b"old"
    assert names_in(tmp_path) == ["out"]


def test_a_folder_is_published_whole(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    with publishing(tmp_path / "out", folder=True, sources=[]) as target:
        target.part.mkdir()
        (target.part / "a").write_bytes(b"1")
        target.publish()
    assert names_in(tmp_path) == ["out"]
    assert names_in(tmp_path / "out") == ["a"]


def test_a_folder_that_is_not_published_leaves_nothing(tmp_path: Path) -> None:
    with publishing(tmp_path / "out", folder=True, sources=[]) as target:
        target.part.mkdir()
        (target.part / "a").write_bytes(b"1")
    assert names_in(tmp_path) == []


def test_what_a_killed_run_left_is_removed_and_what_a_running_one_has_is_not(
    tmp_path: Path,
) -> None:
    dead = subprocess.run(
        [sys.executable, "-c", "import os; print(os.getpid())"],
        capture_output=True,
        check=True,
        text=True,
    ).stdout.strip()
    stale = tmp_path / f".out.{dead}.part"
    stale_folder = tmp_path / ".out.99999999999999999999.part"
    alive = tmp_path / f".out.{os.getppid()}.part"
    other = tmp_path / f".other.{dead}.part"
    for path in (stale, alive, other):
        path.write_bytes(b"x")
    stale_folder.mkdir()
    own = tmp_path / f".out.{os.getpid()}.part"
    own.mkdir()
    with publishing(tmp_path / "out", folder=False, sources=[]):
        assert not stale.exists()
        assert not own.exists()
        assert alive.exists()
        assert other.exists()
    assert stale_folder.exists()  # no system has such a process id, so it is not known to be dead


@pytest.mark.parametrize(
    ("prepare", "folder", "words"),
    [
        ("folder", False, "a file expected"),
        ("file", True, "a new or empty folder"),
        ("full", True, "a new or empty folder"),
        ("parent", False, "does not exist"),
    ],
)
def test_a_target_that_is_in_the_way_is_refused(
    prepare: str, folder: bool, words: str, tmp_path: Path
) -> None:
    target = tmp_path / "out"
    if prepare == "folder":
        target.mkdir()
    elif prepare == "file":
        target.write_bytes(b"x")
    elif prepare == "full":
        target.mkdir()
        (target / "a").write_bytes(b"x")
    else:
        target = tmp_path / "none" / "out"
    with pytest.raises(TargetError, match=words):
        Target(target, folder=folder, sources=[])


@pytest.mark.parametrize("link", ["same", "symbolic", "hard"])
def test_the_source_is_never_the_target(link: str, tmp_path: Path) -> None:
    source = tmp_path / "in.json"
    source.write_bytes(b"x")
    target = tmp_path / "out.json"
    if link == "same":
        target = tmp_path / "." / "in.json"
    elif link == "symbolic":
        target.symlink_to(source)
    else:
        target.hardlink_to(source)
    with pytest.raises(TargetError, match="is the source"):
        Target(target, folder=False, sources=[Source("-"), Source(source)])


def test_the_standard_output_gets_all_or_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    class Standard:
        buffer = io.BytesIO()

    monkeypatch.setattr(sys, "stdout", Standard)
    with publishing("-", folder=False, sources=[]) as target:
        target.part.write_bytes(b"given up")
        room = target.part.parent
    assert Standard.buffer.getvalue() == b""
    assert not room.exists()
    with publishing("-", folder=False, sources=[]) as target:
        target.part.write_bytes(b"done")
        target.publish()
    assert Standard.buffer.getvalue() == b"done"


def test_a_folder_cannot_go_to_the_standard_output() -> None:
    with pytest.raises(TargetError, match="a folder expected"):
        Target("-", folder=True, sources=[])


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.ENOSPC, "the disk is full"),
        (errno.EDQUOT, "quota"),
        (errno.EROFS, "read-only"),
        (errno.EIO, "input/output error"),
    ],
)
def test_what_the_system_says_becomes_a_sentence(number: int, words: str, tmp_path: Path) -> None:
    with pytest.raises(TargetError, match=f"{words}.*Nothing was written"):
        with publishing(tmp_path / "out", folder=False, sources=[]) as target:
            target.part.write_bytes(b"half")
            raise OSError(number, os.strerror(number))
    assert names_in(tmp_path) == []


@pytest.mark.parametrize("error", [TargetError("ours"), SourceError("ours"), OSError("bare")])
def test_errors_that_are_clear_are_left_as_they_are(error: OSError, tmp_path: Path) -> None:
    with pytest.raises(OSError, match=str(error)) as caught:
        with publishing(tmp_path / "out", folder=False, sources=[]):
            raise error
    assert caught.value is error


def test_publishing_what_was_never_written_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(TargetError, match="does not exist"):
        with publishing(tmp_path / "out", folder=False, sources=[]) as target:
            target.publish()


def test_a_small_file_is_written_whole_or_not_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_beside(tmp_path / "a", b"one")
    assert (tmp_path / "a").read_bytes() == b"one"

    def fails(self: Path, data: bytes) -> Any:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", fails)
    with pytest.raises(TargetError, match="disk is full"):
        write_beside(tmp_path / "a", b"two")
    assert (tmp_path / "a").read_bytes() == b"one"
    assert names_in(tmp_path) == ["a"]
