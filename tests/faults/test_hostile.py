"""What may be in a file: it ends in a sentence or in rejected records, never in a traceback."""

from __future__ import annotations

import gzip
import json
import random
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from faults_help import OLD, convert, parts, run

from labelconv.cli import main

Inside = Callable[..., tuple[int, str]]


@pytest.fixture
def inside(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Inside:
    """Runs a command in this process, where a traceback is a failure: exit code, standard error."""

    def called(*arguments: object) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["labelconv", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        return int(ended.value.code or 0), capfd.readouterr().err

    return called


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
    assert parts(tmp_path) == []


def test_a_file_of_nothing_known_is_refused_with_what_each_format_saw(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"hello")
    done = run("convert", tmp_path / "x", tmp_path / "y", "--to", "native")
    assert done.returncode == 2
    assert b"no format recognises it" in done.stderr
    assert b"coco: " in done.stderr


def test_a_byte_order_mark_and_gzip_are_no_hindrance(small: Path, tmp_path: Path) -> None:
    expected = tmp_path / "expected"
    assert convert(small, expected).returncode == 0
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
        assert convert(source, target).returncode == 0
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
    done = convert(source, target, "--report", str(tmp_path / "r.json"))
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
