"""What the listings say about whatever is installed, where a fixed page would change too often."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from labelconv import registry
from labelconv.codes import CODES
from labelconv.errors import OptionError
from labelconv.explain import find, granted, page
from labelconv.listing import held_words, options, rows


def _labelconv(*arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "labelconv", *arguments], capture_output=True, check=True, timeout=60
    )
    return done.stdout.decode()


def test_all_installed_formats_are_listed_with_what_they_hold() -> None:
    listed = _labelconv("formats")
    for row in rows():
        assert row.problem is None
        assert row.holds
        assert row.about in listed
        assert ", ".join(row.holds) in listed


@pytest.mark.parametrize("name", registry.names())
def test_a_format_is_described_with_its_address_and_options(name: str) -> None:
    listed = _labelconv("formats", name)
    found = registry.get(name)
    assert found.url in listed
    for kind in (found.reader_options if found.read else None, found.writer_options):
        for option in [] if kind is None or found.write is None else options(kind):
            assert f"  {option.name}={option.values}" in listed


@pytest.mark.parametrize("name", registry.names())
def test_every_option_of_every_format_says_what_it_does(name: str) -> None:
    found = registry.get(name)
    for kind in (found.reader_options, found.writer_options):
        for option in options(kind):
            assert option.about.strip(), f"{name}: {option.name}"
            assert option.values


def test_what_is_held_is_said_in_words_with_the_depth_of_answers() -> None:
    held = registry.get("coco").holds(registry.get("coco").writer_options())[0]
    words = held_words(held)
    assert words[0] == "box"
    assert "relations" not in words


@pytest.mark.parametrize("code", CODES.values(), ids=lambda code: code.id)
def test_every_code_has_a_page_that_says_what_to_do(code) -> None:  # type: ignore[no-untyped-def]
    told = page(code)
    assert told.startswith(f"{code.id} {code.name} ({code.severity}")
    assert code.why in told
    assert code.do in told
    assert code.example in told
    assert find(code.id.lower()) is code
    assert find(code.name) is code


def test_what_cannot_be_allowed_is_refused_before_anything_is_read() -> None:
    assert granted(["loss", "L4", "l402", "holes-filled"]) == ("loss", "L4", "L402", "L403")
    for wrong in ("R101", "R1", "note", "L499", ""):
        with pytest.raises(OptionError):
            granted([wrong])


def test_the_evidence_names_the_chosen_format_and_why_it_is_none_of_the_others(
    tmp_path: Path,
) -> None:
    source = tmp_path / "a.json"
    source.write_text('{"images": [], "annotations": [], "categories": []}')
    report = tmp_path / "report.json"
    arguments = [sys.executable, "-m", "labelconv", "check", str(source), "--report", str(report)]
    done = subprocess.run(arguments, capture_output=True, timeout=60)
    lines = done.stderr.decode().splitlines()
    assert lines[0].startswith("recognised as coco: ")
    shown = [line.removeprefix("  not ") for line in lines if line.startswith("  not ")]
    first, *others = json.loads(report.read_bytes())["evidence"]
    assert first.startswith("coco: ")
    assert shown == others[:3]
    readable = {row.name for row in rows() if row.read}
    assert {words.partition(":")[0] for words in others} == readable - {"coco"}


def test_importing_loads_no_heavy_library() -> None:
    heavy = "numpy shapely pycocotools PIL jsonschema rich msgspec click"
    program = (
        f"import sys, labelconv; assert not set('{heavy}'.split()) & set(sys.modules), sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)


def test_help_loads_no_heavy_library() -> None:
    heavy = "numpy shapely pycocotools PIL jsonschema rich"
    program = (
        "import sys, contextlib\n"
        "sys.argv = ['labelconv', '--help']\n"
        "from labelconv.cli import main\n"
        "with contextlib.suppress(SystemExit):\n    main()\n"
        f"assert not set('{heavy}'.split()) & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60, capture_output=True)


def test_the_version_is_said() -> None:
    from importlib.metadata import version

    assert _labelconv("--version") == f"labelconv {version('labelconv')}\n"


def test_help_takes_less_than_a_fifth_of_a_second_more_than_python_itself() -> None:
    def best(*arguments: str) -> float:
        took = []
        for _ in range(5):
            start = time.perf_counter()
            subprocess.run([sys.executable, *arguments], check=True, capture_output=True)
            took.append(time.perf_counter() - start)
        return min(took)

    assert best("-m", "labelconv", "--help") - best("-c", "pass") < 0.2
