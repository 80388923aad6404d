"""Fenced blocks of Markdown files, and what becomes of each when the documentation is tested.

| fence | what the tests do |
|---|---|
| `python` | run it; the blocks of a page share their names |
| `output` | right after a `python` block: exactly what that block prints |
| `console` | run each `$ ` line and compare what it prints, both streams; `…` stands for anything |
| any, after `<!-- file: PATH -->` | write it to PATH in the page's folder |
| any, after `<!-- not run: REASON -->` | leave it alone; the tests keep a list of these |
| `text`, `json`, `mermaid`, `toml`, `csv` | leave it alone: there is nothing to run |

Another fence is refused, so that no block escapes by its name.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

RUN = ("python", "console")
SHOWN = ("text", "json", "mermaid", "toml", "csv")
_FENCE = re.compile(r"^(`{3,})([^\n`]*)\n(.*?)^\1[ \t]*$", re.MULTILINE | re.DOTALL)
_MARKER = re.compile(r"<!-- (not run|file): (.+?) -->\s*\Z")


class Block(NamedTuple):
    """One fence: its language, text, line number, and what the marker before it says.

    `printed` is the text of the `output` block that follows a `python` block.
    """

    page: Path
    line: int
    language: str
    text: str
    file: str | None = None
    reason: str | None = None
    printed: str | None = None

    @property
    def runs(self) -> bool:
        return self.language in RUN and self.reason is None and self.file is None


class Command(NamedTuple):
    """A `$ ` line with the output expected of it."""

    line: int
    text: str
    expected: str


def blocks(page: Path) -> list[Block]:
    """The blocks of a page in order; `output` blocks are joined to the block that prints them."""
    text = page.read_text(encoding="utf-8")
    found: list[Block] = []
    end = 0
    for fence in _FENCE.finditer(text):
        line = text.count("\n", 0, fence.start()) + 1
        marker = _MARKER.search(text[end : fence.start()])
        between, end = text[end : fence.start()], fence.end()
        language = fence[2].strip()
        if language == "output":
            before = found[-1] if found else None
            assert before is not None, f"{page.name}:{line}: output without a block"
            assert before.language == "python", f"{page.name}:{line}: output of no python block"
            assert not between.strip(), f"{page.name}:{line}: output must follow its block at once"
            found[-1] = before._replace(printed=fence[3])
            continue
        said = {marker[1]: marker[2]} if marker else {}
        found.append(Block(page, line, language, fence[3], said.get("file"), said.get("not run")))
    return found


def commands(block: Block) -> list[Command]:
    """The `$ ` lines of a console block; a line that ends with `\\` goes on in the next."""
    found: list[Command] = []
    goes_on = False
    for number, line in enumerate(block.text.splitlines(), block.line + 1):
        if goes_on:
            found[-1] = found[-1]._replace(text=f"{found[-1].text}\n{line}")
            goes_on = line.endswith("\\")
        elif line.startswith("$ "):
            found.append(Command(number, line[2:], ""))
            goes_on = line.endswith("\\")
        else:
            assert found, f"{block.page.name}:{number}: a line that starts with `$ ` expected first"
            found[-1] = found[-1]._replace(expected=f"{found[-1].expected}{line}\n")
    return found


def matches(expected: str, found: str) -> bool:
    """Whether the output is as shown; `…` stands for anything, on a line of its own for lines."""
    pattern = ""
    for line in expected.splitlines():
        if line.strip() == "…":
            pattern += r"(?:.*\n)*?"
        else:
            pattern += ".*?".join(map(re.escape, line.rstrip().split("…"))) + r"[ \t]*\n"
    return re.fullmatch(pattern, f"{found.rstrip()}\n" if found.strip() else "") is not None
