"""Runs the command lines in the pages beside this file and compares all that they say.

A page is read top down. A fenced block whose first line names a file (```` ```json a.json ````)
writes it; a block ```` ```console ```` runs the line after `$ ` in a shell and lists its standard
output, then its standard error with `2> ` in front, then `=> N` when the exit code is not 0. All
blocks of a page share one fresh folder. With ACCEPT=1 in the environment, pages are rewritten with
what the commands say now.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

PAGES = sorted(Path(__file__).parent.glob("*.md"))
_BLOCK = re.compile(r"^```(\w+) ?([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def _program(folder: Path) -> Path:
    """A folder with a `labelconv` that is this checkout's, run by this interpreter."""
    folder.mkdir()
    script = folder / "labelconv"
    script.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m labelconv "$@"\n')
    script.chmod(0o755)
    return folder


def _run(command: str, folder: Path, programs: Path) -> str:
    environment = {**os.environ, "PATH": f"{programs}:{os.environ['PATH']}", "COLUMNS": "100"}
    done = subprocess.run(
        command, shell=True, cwd=folder, env=environment, capture_output=True, timeout=60
    )
    lines = [f"$ {command}", *done.stdout.decode().splitlines()]
    lines += [f"2> {line}".rstrip() for line in done.stderr.decode().splitlines()]
    if done.returncode:
        lines.append(f"=> {done.returncode}")
    return "\n".join(lines) + "\n"


def _replayed(page: str, folder: Path, programs: Path) -> str:
    def block(found: re.Match[str]) -> str:
        kind, name, body = found.groups()
        if kind != "console":
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(body, encoding="utf-8")
            return found.group()
        commands = [line[2:] for line in body.splitlines() if line.startswith("$ ")]
        said = "\n".join(_run(command, folder, programs) for command in commands)
        return f"```console\n{said}```"

    return _BLOCK.sub(block, page)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_commands_of_a_page_say_what_it_says(page: Path, tmp_path: Path) -> None:
    programs = _program(tmp_path / "programs")
    folder = tmp_path / "work"
    folder.mkdir()
    expected = page.read_text(encoding="utf-8")
    replayed = _replayed(expected, folder, programs)
    if os.environ.get("ACCEPT"):
        page.write_text(replayed, encoding="utf-8")
    assert replayed == expected


def test_there_are_pages_for_all_commands() -> None:
    from labelconv.cli import cli

    assert {page.stem.partition("-")[0] for page in PAGES} >= set(cli.commands)
