"""Write the parts of the documentation that come from the code.

    python tools/generate_docs.py            write them
    python tools/generate_docs.py --check    name what is out of date; exit 1 if anything is

Written are `docs/formats.md` and `docs/problems.md` as a whole, and what stands between
``<!-- generated: NAME -->`` and ``<!-- end of NAME -->`` in `README.md` and `docs/cli.md`. What is
said about a format by hand stands in `docs/formats/NAME.md` and is taken into its section.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Sequence
from importlib.metadata import entry_points
from pathlib import Path

import click

from labelconv import codes, listing, registry
from labelconv.cli import cli
from labelconv.explain import FAMILIES
from labelconv.format import SHAPES, Format, Holds
from labelconv.problems import Code

ROOT = Path(__file__).resolve().parent.parent
NOTICE = "<!-- Written by tools/generate_docs.py; change the code or docs/formats/, not this. -->"
_PROBLEMS_HEAD = (
    "Everything that labelconv has to say about data has one of these codes, a place in the source "
    "and a sentence. `labelconv explain CODE` prints the same page.\n"
)
_SEVERITIES = {
    "error": "error: the record could not be used and was left out",
    "loss": "loss: less was written than was read; refused unless allowed",
    "note": "note: nothing is gone, but someone may want to know",
}


def main(arguments: Sequence[str]) -> int:
    """Write the files, or compare them with `--check`. The exit code is returned."""
    if list(arguments) not in ([], ["--check"]):
        click.echo("generate_docs.py takes --check or nothing", err=True)
        return 2
    stale = [path for path, text in generated(ROOT).items() if _held(path) != text]
    if not arguments:
        for path, text in generated(ROOT).items():
            path.write_text(text, encoding="utf-8", newline="\n")
    for path in stale:
        name = path.relative_to(ROOT).as_posix()
        words = " is out of date: run python tools/generate_docs.py" if arguments else " written"
        click.echo(name + words)
    return 1 if arguments and stale else 0


def generated(root: Path) -> dict[Path, str]:
    """Each file that is generated, as a whole or in part, with the text that it should have."""
    formats = own_formats()
    readme, commands = root / "README.md", root / "docs" / "cli.md"
    helps = {f"help {name}": _help(name) for name in cli.commands}
    return {
        readme: _filled(_held(readme), {"formats": _format_table(formats)}, readme),
        commands: _filled(_held(commands), helps, commands),
        root / "docs" / "formats.md": _formats_page(formats, root / "docs" / "formats"),
        root / "docs" / "problems.md": _problems_page(codes.CODES.values()),
    }


def own_formats() -> list[Format]:
    """The formats that labelconv itself brings, by name; strangers' are left to their owners."""
    own = {
        point.name
        for point in entry_points(group=registry.GROUP)
        if point.dist is not None and point.dist.name == "labelconv"
    }
    return [registry.get(name) for name in sorted(own)]


def _held(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.exists() else ""


def _filled(text: str, parts: dict[str, str], path: Path) -> str:
    """The text with each part between its markers. Raises ValueError when a marker is missing."""
    for name, part in parts.items():
        start, end = f"<!-- generated: {name} -->", f"<!-- end of {name} -->"
        if text.count(start) != 1 or text.count(end) != 1:
            raise ValueError(f"{path.name}: {start} and {end} expected, once each")
        before, _, rest = text.partition(start)
        after = rest.partition(end)[2]
        text = f"{before}{start}\n\n{part}\n\n{end}{after}"
    return text


# ------------------------------------------------------------------------------------- formats


def _format_table(formats: Iterable[Format]) -> str:
    rows = ["| format | read | write | media | holds |", "|---|---|---|---|---|"]
    for each in formats:
        held = each.holds(each.writer_options())
        link = f"[`{each.name}`](docs/formats.md#{each.name})"
        media = "all" if len(held) > 3 else ", ".join(map(_media, held))
        words = _words(held[0]) if held else ""
        rows.append(f"| {link} | {_yes(each.read)} | {_yes(each.write)} | {media} | {words} |")
    return "\n".join(rows)


def _formats_page(formats: Iterable[Format], by_hand: Path) -> str:
    head = (
        f"# Formats\n\n{NOTICE}\n\n"
        "What a format holds is what comes back from it: "
        "`read(write(d))` gives `d` for everything in its table, to the precision shown. What it "
        "does not hold is cut by `fit` before the writer runs, and each cut is "
        "[a problem with a code](problems.md). `labelconv formats NAME` prints the same.\n\n"
        "Options of a reader are given with `-O name=value`, those of a writer with "
        "`-W name=value`; in Python as `options={…}` of `read` and "
        "`write`, or as `reader_options` and `writer_options` of `convert`.\n"
    )
    return head + "".join(_format_section(each, by_hand / f"{each.name}.md") for each in formats)


def _format_section(found: Format, by_hand: Path) -> str:
    endings = ", ".join(f"`{ending}`" for ending in found.extensions) or "none of its own"
    lines = [
        f"\n## {found.name}\n",
        f"{found.about[:1].upper()}{found.about[1:]}. <{found.url}>\n",
        f"Read: {_yes(found.read)}. Write: {_yes(found.write)}. Endings: {endings}.\n",
    ]
    held = found.holds(found.writer_options())
    if held:
        lines.append("| media | holds | several parts, holes | precision |\n|---|---|---|---|")
        lines.extend(_held_rows(held))
    for head, flag, kind, way in (
        ("Reader options", "-O", found.reader_options, found.read),
        ("Writer options", "-W", found.writer_options, found.write),
    ):
        rows = listing.options(kind)
        if way is None or not rows:
            continue
        lines.append(f"\n### {head} of {found.name} (`{flag}`)\n")
        lines.append("| option | values | default | what it does |\n|---|---|---|---|")
        for row in rows:
            default = f"`{row.default}`" if row.default else ""
            values = row.values.replace("|", "\\|")
            lines.append(f"| `{row.name}` | {values} | {default} | {_sentence(row.about)} |")
    if by_hand.exists():
        lines.append(f"\n{by_hand.read_text(encoding='utf-8').strip()}")
    return "\n".join(lines) + "\n"


def _held_rows(held: Sequence[Holds]) -> list[str]:
    """A row for each kind of media; those that hold the same share one."""
    joined: dict[str, list[str]] = {}
    for holds in held:
        rest = f"{_words(holds)} | {_pieces(holds)} | {holds.precision:g}"
        joined.setdefault(rest, []).append(_media(holds))
    return [f"| {', '.join(media)} | {rest} |" for rest, media in joined.items()]


def _pieces(holds: Holds) -> str:
    if not any(shape.__name__ == "Polygon" for shape in holds.values):
        return ""
    parts = "parts stay" if holds.parts else f"parts become {holds.parts_become}"
    become = "a mask" if holds.holes_become == "mask" else holds.holes_become
    return f"{parts}; {'holes stay' if holds.holes else f'holes become {become}'}"


def _words(holds: Holds) -> str:
    words = listing.held_words(holds)
    kinds = {shape.__name__.lower() for shape in SHAPES}
    if kinds <= set(words):
        words = ["every shape", *(word for word in words if word not in kinds)]
    return ", ".join(words)


def _media(holds: Holds) -> str:
    return holds.media.__name__.lower()


def _yes(way: object) -> str:
    return "no" if way is None else "yes"


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}".replace("|", "\\|")


# ------------------------------------------------------------------------------------ problems


def _problems_page(declared: Iterable[Code]) -> str:
    ordered = sorted(declared, key=lambda code: code.id)
    lines = [
        f"# Problems\n\n{NOTICE}\n",
        _PROBLEMS_HEAD,
        *(f"- {words}." for words in _SEVERITIES.values()),
        "\n| code | name | severity |\n|---|---|---|",
        *(f"| [{code.id}](#{_anchor(code)}) | {code.name} | {code.severity} |" for code in ordered),
    ]
    family = ""
    for code in ordered:
        if code.id[0] != family:
            family = code.id[0]
            lines.append(f"\n## {family}: {FAMILIES[family]}")
        lines.append(
            f"\n### {code.id} {code.name}\n\n"
            f"{_SEVERITIES[code.severity][:1].upper()}{_SEVERITIES[code.severity][1:]}.\n\n"
            f"- Sentence: `{code.message}`\n"
            f"- Why it matters: {code.why}\n"
            f"- Example: {code.example}\n"
            f"- What to do: {code.do}"
        )
    return "\n".join(lines) + "\n"


def _anchor(code: Code) -> str:
    return f"{code.id} {code.name}".lower().replace(" ", "-")


# ------------------------------------------------------------------------------------ commands


def _help(name: str) -> str:
    """What `labelconv NAME --help` prints in a window of 80 columns, as a block."""
    command = cli.commands[name]
    around = click.Context(cli, info_name="labelconv", terminal_width=80)
    flags = ["-h", "--help"]
    context = click.Context(
        command, info_name=name, parent=around, terminal_width=80, help_option_names=flags
    )
    text = re.sub(r"[ \t]+$", "", command.get_help(context), flags=re.MULTILINE)
    return f"```text\n{text}\n```"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
