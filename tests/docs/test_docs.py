"""Every block of the README and of docs/ runs; everything that a user can name is documented."""

from __future__ import annotations

import contextlib
import io
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import click
import msgspec
import pytest
from blocks import RUN, SHOWN, Block, blocks, commands, matches

import labelconv
from labelconv import codes, registry
from labelconv.cli import cli

SECTION = re.MULTILINE | re.DOTALL
ROOT = Path(__file__).resolve().parents[2]
README = ROOT / "README.md"
DOCS = ROOT / "docs"
PAGES = sorted(
    [README, *(ROOT / f"{n}.md" for n in ("CONTRIBUTING", "CHANGELOG")), *DOCS.rglob("*.md")]
)
#: Seconds after which a command is taken to hang. It is no measure of speed: machines may be busy.
HANGS = 900
#: The blocks that are shown and not run, by page and reason. A new one belongs here on purpose.
NOT_RUN = {
    ("README.md", "makes a virtual environment; .ci/run runs both"),
    ("CONTRIBUTING.md", "makes a virtual environment; .ci/run runs both"),
    ("docs/labelbox.md", "needs an account at Labelbox"),
}


def _name(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def _run_pages() -> list[Path]:
    return [page for page in PAGES if any(block.runs for block in blocks(page))]


@pytest.mark.parametrize("page", _run_pages(), ids=_name)
def test_every_block_of_a_page_runs_and_prints_what_it_shows(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(ROOT / "tests" / "fixtures", tmp_path / "tests" / "fixtures")
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {"__name__": "__docs__"}
    environment = _environment(tmp_path)
    previous = 0
    for block in blocks(page):
        if block.file is not None:
            target = tmp_path / block.file
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(block.text, encoding="utf-8")
        elif block.runs and block.language == "python":
            _run_python(block, names)
        elif block.runs:
            for command in commands(block):
                done = subprocess.run(
                    ["bash", "-c", f"(exit {previous})\n{command.text}"],
                    env=environment,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT,
                    stdin=subprocess.DEVNULL,
                    timeout=HANGS,
                    check=False,
                )
                previous = done.returncode
                printed = done.stdout.decode("utf-8")
                assert matches(command.expected, printed), (
                    f"{_name(page)}:{command.line}: $ {command.text}\nprinted\n{printed}\n"
                    f"expected\n{command.expected}"
                )


def _run_python(block: Block, names: dict[str, object]) -> None:
    # Blank lines before it make a traceback point at the line of the page.
    source = "\n" * block.line + block.text
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(source, str(block.page), "exec"), names)
    place = f"{_name(block.page)}:{block.line}"
    assert printed.getvalue() == (block.printed or ""), f"{place} printed\n{printed.getvalue()}"


def _environment(room: Path) -> dict[str, str]:
    """What the commands see: this interpreter's programs, and a pip that installs into the room.

    A pytest among them has none of our options, and a folder of its own for what is temporary: from
    the shared one, runs that end at the same time clear away the same, and print warnings of it.
    """
    installed = room / "installed"
    temporary = room / "temporary"
    temporary.mkdir()
    outer = {name: said for name, said in os.environ.items() if not name.startswith("PYTEST_")}
    return {
        **outer,
        "PYTEST_DEBUG_TEMPROOT": str(temporary),
        "PATH": os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"])),
        "PYTHONPATH": str(installed),
        "PIP_TARGET": str(installed),
        "PIP_NO_DEPS": "1",
        "PIP_NO_INDEX": "1",
        "PIP_NO_BUILD_ISOLATION": "0",  # pip's own spelling of "without isolation"
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "COLUMNS": "80",
        "LC_ALL": "C.UTF-8",
        "PYTHONDONTWRITEBYTECODE": "1",
    }


def test_the_blocks_that_are_not_run_are_just_those_on_the_list() -> None:
    found = {
        (_name(page), block.reason)
        for page in PAGES
        for block in blocks(page)
        if block.reason is not None
    }
    assert found == NOT_RUN


def test_no_block_escapes_by_an_unknown_language() -> None:
    known = {*RUN, *SHOWN}
    strange = [
        f"{_name(page)}:{block.line} {block.language!r}"
        for page in PAGES
        for block in blocks(page)
        if block.language not in known
    ]
    assert strange == []


def test_the_pages_that_promise_something_have_blocks_that_run() -> None:
    run = {_name(page) for page in _run_pages()}
    assert {
        "README.md",
        "docs/adding-a-format.md",
        "docs/cli.md",
        "docs/conventions.md",
        "docs/labelbox.md",
    } <= run


def test_the_console_marker_for_anything_matches_lines_and_parts_of_lines_and_no_more() -> None:
    assert matches("a\n…\nd\n", "a\nb\nc\nd\n")
    assert matches("took … s\n", "took 1.2 s\n")
    assert matches("", "")
    assert not matches("a\n", "a\nb\n")
    assert not matches("took … s\n", "took 1.2 min\n")
    assert not matches("", "something\n")


# ------------------------------------------------------------------------------- completeness


def test_every_code_has_a_section_with_its_four_sentences() -> None:
    text = (DOCS / "problems.md").read_text(encoding="utf-8")
    sections = dict(re.findall(r"^### ([A-Z]\d{3}) .*?\n(.*?)(?=^##|\Z)", text, SECTION))
    assert sections.keys() == codes.CODES.keys()
    for id, section in sections.items():
        code = codes.CODES[id]
        for words in (code.message, code.why, code.example, code.do):
            assert words in section, id


def _own_formats() -> list[str]:
    from importlib.metadata import entry_points

    return sorted(
        point.name
        for point in entry_points(group=registry.GROUP)
        if point.value.startswith("labelconv.formats.")
    )


def test_every_format_has_a_section_and_a_row_in_the_readme() -> None:
    page = (DOCS / "formats.md").read_text(encoding="utf-8")
    readme = README.read_text(encoding="utf-8")
    for name in _own_formats():
        assert re.search(rf"^## {name}$", page, re.MULTILINE), name
        assert f"| [`{name}`](docs/formats.md#{name}) |" in readme


@pytest.mark.parametrize("name", _own_formats())
def test_every_option_of_a_format_is_documented_with_a_sentence(name: str) -> None:
    page = (DOCS / "formats.md").read_text(encoding="utf-8")
    section = re.search(rf"^## {name}$(.*?)(?=^## |\Z)", page, SECTION)
    assert section is not None
    found = registry.get(name)
    for kind in (found.reader_options, found.writer_options):
        for field in msgspec.structs.fields(kind):
            row = re.search(rf"^\| `{field.name}` \|.*\| ([^|\n]+) \|$", section[1], re.MULTILINE)
            assert row is not None, field.name
            assert len(row[1].split()) >= 3, f"{field.name} has no sentence"


def test_every_command_and_each_of_its_flags_is_in_the_page_of_commands() -> None:
    page = (DOCS / "cli.md").read_text(encoding="utf-8")
    for name, command in cli.commands.items():
        section = re.search(rf"^## labelconv {name}$(.*?)(?=^## |\Z)", page, SECTION)
        assert section is not None, name
        for parameter in command.params:
            if isinstance(parameter, click.Option):
                assert all(flag in section[1] for flag in parameter.opts), parameter.opts


def test_every_public_name_of_the_library_is_documented() -> None:
    text = (DOCS / "library.md").read_text(encoding="utf-8")
    for name in labelconv.__all__:
        assert f"`lc.{name}" in text, name


def test_every_page_can_be_reached_from_the_map_of_the_docs() -> None:
    text = (DOCS / "index.md").read_text(encoding="utf-8")
    linked = set(re.findall(r"\]\(([^)#]+)", text))
    pages = {page.relative_to(DOCS).as_posix() for page in DOCS.rglob("*.md")}
    included = {name for name in pages if name.startswith("formats/")}
    assert pages - included - {"index.md"} <= linked


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_every_link_to_a_file_of_the_repository_leads_somewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    place = DOCS if page.parent == DOCS / "formats" else page.parent  # included there
    for target, anchor in re.findall(r"\]\((?!https?:|mailto:)([^)#]*)(#[^)]*)?\)", text):
        path = (place / target).resolve() if target else page
        assert path.exists(), f"{target} in {_name(page)}"
        if anchor and path.suffix == ".md":
            assert anchor[1:] in _anchors(path), f"{target}{anchor} in {_name(page)}"


def _anchors(page: Path) -> set[str]:
    heads = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {
        re.sub(r"[^\w\- ]", "", head.strip().lower(), flags=re.UNICODE).replace(" ", "-")
        for head in heads
    }


# --------------------------------------------------------------------------------- generated


def _generate(*arguments: str, root: Path = ROOT) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "tools/generate_docs.py", *arguments],
        cwd=root,
        capture_output=True,
        text=True,
        timeout=HANGS,
        check=False,
    )


def test_what_is_generated_is_up_to_date() -> None:
    done = _generate("--check")
    assert done.returncode == 0, done.stdout + done.stderr


def test_what_is_out_of_date_is_named_and_is_mended_by_writing(tmp_path: Path) -> None:
    for name in ("README.md", "docs", "tools"):
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, tmp_path / name)
    problems = tmp_path / "docs" / "problems.md"
    problems.write_text(problems.read_text(encoding="utf-8") + "more\n", encoding="utf-8")
    readme = tmp_path / "README.md"
    readme.write_text(
        readme.read_text(encoding="utf-8").replace("| format | read |", "| old | head |"),
        encoding="utf-8",
    )
    checked = _generate("--check", root=tmp_path)
    assert checked.returncode == 1
    named = sorted(line.split()[0] for line in checked.stdout.splitlines())
    assert named == ["README.md", "docs/problems.md"]
    assert _generate(root=tmp_path).returncode == 0
    assert _generate("--check", root=tmp_path).returncode == 0
    assert problems.read_bytes() == (DOCS / "problems.md").read_bytes()
    assert readme.read_bytes() == README.read_bytes()
