"""Golden fixtures: an input, exactly what is read from it, and exactly the problems told.

`tests/fixtures/<format>/<case>/` holds

- `input/`: the source, a file, or a folder where the format is one; where there are several
  entries, `options.json` names the one to read;
- `expect.ndjson`: what is read, in the native form; missing where the source cannot be read;
- `problems.json`: a list of `[code, place]`, in the order told. A place is a JSON pointer, else
  `line:column`, else a line, else empty. An exception is told by its name instead of a code;
- `options.json`, if there is something to say: `{"source": …, "options": {…}, "key": …}`, where
  `{input}` in an option stands for the folder.

A new case needs only `input/`. Write or rewrite what is expected, and read the difference:

    LABELCONV_ACCEPT=1 python -m pytest tests/test_fixtures.py
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

import labelconv as lc
from labelconv import registry
from labelconv.convert import convert
from labelconv.errors import LabelconvError
from labelconv.problems import Problem, Report

FIXTURES = Path(__file__).parent / "fixtures"
CASES = sorted(path.parent.relative_to(FIXTURES).as_posix() for path in FIXTURES.glob("*/*/input"))
ACCEPT = os.environ.get("LABELCONV_ACCEPT") == "1"


def test_the_corpus_has_cases_of_coco_and_every_case_is_complete() -> None:
    assert len([case for case in CASES if case.startswith("coco/")]) >= 10
    folders = {
        path.relative_to(FIXTURES).as_posix() for path in FIXTURES.glob("*/*") if path.is_dir()
    }
    assert folders == set(CASES), "every folder of a case has a folder `input`"
    for case in CASES:
        assert (FIXTURES / case / "problems.json").is_file() or ACCEPT, case
        assert case.split("/")[0] in registry.names(), case


@pytest.mark.parametrize("case", CASES)
def test_a_fixture_is_read_exactly_as_it_says(case: str, tmp_path: Path) -> None:
    folder = FIXTURES / case
    problems, text = _read(case, tmp_path)
    expected = folder / "expect.ndjson"
    if ACCEPT:
        _accept(folder, problems, text)
    told = json.loads((folder / "problems.json").read_text(encoding="utf-8"))
    assert [list(problem) for problem in problems] == told
    assert text == (expected.read_bytes() if expected.exists() else None)


def _read(case: str, room: Path) -> tuple[list[tuple[str, str]], bytes | None]:
    """The problems, and the native form; None when the source cannot be read."""
    folder = FIXTURES / case
    settings = _settings(folder)
    report = Report()
    target = room / "read.native.ndjson"
    try:
        convert(
            _source(folder, settings.get("source")),
            target,
            from_=case.split("/")[0],
            to="native",
            reader_options={
                name: value.replace("{input}", str(folder / "input"))
                if isinstance(value, str)
                else value
                for name, value in settings.get("options", {}).items()
            },
            key=settings.get("key"),
            allow=("loss",),
            report=report,
        )
    except LabelconvError as error:
        return [(type(error).__name__, "")], None
    assert report.ledger.balanced
    return [(problem.code, _place(problem)) for problem in report.problems], target.read_bytes()


def _settings(folder: Path) -> dict[str, Any]:
    path = folder / "options.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def _source(folder: Path, named: str | None) -> Path:
    if named is not None:
        return folder / "input" / named
    entries = list((folder / "input").iterdir())
    assert len(entries) == 1, f"{folder}: several inputs need `source` in options.json"
    return entries[0]


def _place(problem: Problem) -> str:
    where = problem.where
    if where.line is not None:
        line = str(where.line) if where.column is None else f"{where.line}:{where.column}"
        return f"{line}{where.pointer or ''}"
    return where.pointer or ""


def _accept(folder: Path, problems: list[tuple[str, str]], text: bytes | None) -> None:
    rows = ",\n".join(json.dumps(list(problem)) for problem in problems)
    (folder / "problems.json").write_text(f"[\n{rows}\n]\n" if rows else "[]\n", encoding="utf-8")
    if text is None:
        (folder / "expect.ndjson").unlink(missing_ok=True)
    else:
        (folder / "expect.ndjson").write_bytes(text)


def test_the_library_reads_a_fixture_by_its_content_alone() -> None:
    samples = list(lc.read(FIXTURES / "coco" / "street" / "input" / "instances.json"))
    assert len(samples) == 6
