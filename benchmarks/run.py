"""Measure labelconv against other tools and against fixed limits, and print Markdown tables.

    python benchmarks/run.py --peers VENV/bin/python --out results.md
    python benchmarks/run.py --only convert-boxes --sizes 10k --orders grouped --repeat 1

Every piece of work is a process of its own: wall seconds are the best of the rounds, peak memory
(10^6 bytes) is the largest of them. The commands of one group take turns, so that a busy minute on
a shared machine hits all of them. See README.md beside this file.
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from threading import Timer
from typing import NamedTuple

HERE = Path(__file__).resolve().parent
IMAGES = {"1k": 1_000, "10k": 10_000, "118k": 118_000}
ORDERS = ("grouped", "shuffled")
SHAPES = ("boxes", "polygons")
CASES = ("convert-boxes", "convert-polygons", "startup", "check", "mask")
CHECK_LINES = 1_000_000
STARTUP_ROUNDS = 10
LONGEST_SECONDS = 1_200  # a command that takes longer is ended

LABELCONV = "labelconv"
SDK_LIST = "labelbox SDK, label list"
SDK_ONE = "labelbox SDK, one label at a time"
PANLABEL = "panlabel"
JSON_LOAD = "json.load"
JSON_LINES = "json.loads a line"

# What follows `python -m labelconv convert SOURCE TARGET`.
CONVERT_OPTIONS = {
    "boxes": ["--to", "labelbox", "-O", "shape=box", "--quiet"],
    "polygons": ["--to", "labelbox", "--quiet"],
}
CHECK_OPTIONS = ["--quiet"]
# Without --allow-lossy it refuses: licenses, crowd marks and more would be dropped.
PANLABEL_OPTIONS = ["convert", "--from", "coco", "--to", "labelbox", "--allow-lossy"]

# (size, shape, baseline, how, limit): "faster" is baseline / labelconv, at least the limit;
# "within" is labelconv / baseline, at most the limit.
RATIO_TARGETS = [
    ("10k", "boxes", SDK_LIST, "faster", 12.0),
    ("10k", "polygons", SDK_LIST, "faster", 20.0),
    ("10k", "boxes", SDK_ONE, "faster", 8.0),
    ("10k", "polygons", SDK_ONE, "faster", 8.0),
    ("10k", "boxes", PANLABEL, "within", 1.0),
    ("118k", "boxes", JSON_LOAD, "within", 0.3),
    ("118k", "polygons", JSON_LOAD, "within", 0.85),
    ("118k", "boxes", PANLABEL, "within", 0.35),
]
SMALL_SECONDS = 0.3
PEAK_MEGABYTES = 150.0
PEAK_GROWTH_MEGABYTES = 50.0
IMPORT_MILLISECONDS = 60.0
HELP_MILLISECONDS = 200.0
MASK_MILLISECONDS = 0.7
CHECK_RATIO = 1.0
PYTHON_VERSION = "import platform; print(platform.python_version())"


class Command(NamedTuple):
    """One thing to run; `arguments` is None where it is not installed."""

    name: str
    arguments: list[str] | None
    target: Path | None = None


class Run(NamedTuple):
    """One finished process: wall seconds, peak resident 10^6 bytes, lines written, complaint."""

    seconds: float
    megabytes: float
    lines: int | None
    failure: str | None


class Measurement(NamedTuple):
    """The best of several runs, or why there is none."""

    group: str
    name: str
    seconds: float | None
    megabytes: float | None
    lines: int | None
    rounds: int
    failure: str | None


class Verdict(NamedTuple):
    """One target: what was asked, what was measured (None: nothing), in which unit."""

    case: str
    measured: float | None
    sign: str  # "≤" or "≥"
    limit: float
    unit: str


Groups = dict[tuple[str, str, str], dict[str, Measurement]]  # by size, order, shape


def log(text: str) -> None:
    """Say on standard error what goes on."""
    print(text, file=sys.stderr, flush=True)


def count_lines(path: Path) -> int:
    """How many line ends a file has, read in pieces."""
    with path.open("rb") as stream:
        return sum(piece.count(b"\n") for piece in iter(lambda: stream.read(1 << 20), b""))


def last_line(path: Path) -> str:
    """The last line of text in a file that is not blank, cut to 200 characters."""
    lines = [line for line in path.read_text(errors="replace").splitlines() if line.strip()]
    return lines[-1].strip()[:200] if lines else "(nothing on standard error)"


def run_once(arguments: list[str], target: Path | None, scratch: Path) -> Run:
    """Run one command, with the repository as its directory, and measure the whole process."""
    complaints = scratch / "stderr.txt"
    with complaints.open("wb") as errors:
        begin = time.perf_counter()
        try:
            process = subprocess.Popen(
                arguments, stdout=subprocess.DEVNULL, stderr=errors, cwd=HERE.parent
            )
        except OSError as error:
            return Run(0.0, 0.0, None, str(error))
        timer = Timer(LONGEST_SECONDS, process.kill)
        timer.start()
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - begin
        timer.cancel()
    code = process.returncode = os.waitstatus_to_exitcode(status)
    unit = 1 if sys.platform == "darwin" else 1024
    failure = None
    if code:
        failure = f"exit {code}: {last_line(complaints)}"
    elif target is not None and not target.exists():
        failure = "exit 0, but no output file"
    lines = count_lines(target) if target is not None and target.exists() else None
    if target is not None:
        target.unlink(missing_ok=True)
    return Run(seconds, usage.ru_maxrss * unit / 1e6, lines, failure)


def measure(group: str, commands: list[Command], rounds: int) -> dict[str, Measurement]:
    """Run the commands in turns, `rounds` times; one that fails is not run again."""
    finished: dict[str, list[Run]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(rounds):
            for command in commands:
                runs = finished.setdefault(command.name, [])
                if command.arguments is None or any(run.failure for run in runs):
                    continue
                runs.append(run_once(command.arguments, command.target, Path(folder)))
                state = runs[-1].failure or f"{runs[-1].seconds:.3f} s"
                log(f"{group}: {command.name}: {state}")
    return {
        command.name: summarize(group, command, finished.get(command.name, []))
        for command in commands
    }


def summarize(group: str, command: Command, runs: list[Run]) -> Measurement:
    """Best seconds and largest memory of the runs; the failure if any run failed."""
    failures = [run.failure for run in runs if run.failure]
    if command.arguments is None:
        failures = ["not installed"]
    if failures or not runs:
        reason = failures[0] if failures else "not run"
        return Measurement(group, command.name, None, None, None, len(runs), reason)
    return Measurement(
        group,
        command.name,
        min(run.seconds for run in runs),
        max(run.megabytes for run in runs),
        runs[-1].lines,
        len(runs),
        None,
    )


def answer(python: str, code: str) -> str | None:
    """What a line of code prints in that interpreter; None if it fails or is not there."""
    try:
        done = subprocess.run([python, "-c", code], check=False, capture_output=True, text=True)
    except OSError:
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def has_module(python: str, module: str) -> bool:
    """Whether the interpreter finds the module."""
    code = f"import importlib.util; print(importlib.util.find_spec({module!r}) is not None)"
    return answer(python, code) == "True"


def version_of(python: str, package: str) -> str:
    """The installed version of a package, or "not installed"."""
    code = f"import importlib.metadata; print(importlib.metadata.version({package!r}))"
    return answer(python, code) or "not installed"


def coco_file(data: Path, size: str, order: str) -> Path:
    """The COCO file of this size and order, generated if it is not there."""
    path = data / f"coco-{size}{'-shuffled' if order == 'shuffled' else ''}.json"
    if not path.exists():
        log(f"generating {path.name}")
        script = [sys.executable, str(HERE / "generate_coco.py"), "--images", str(IMAGES[size])]
        shuffled = ["--shuffled"] if order == "shuffled" else []
        subprocess.run([*script, *shuffled, "--out", str(path)], check=True, stdout=sys.stderr)
    return path


def lines_file(data: Path) -> Path:
    """The box lines for `labelconv check`, generated if they are not there."""
    path = data / "boxes-1m.ndjson"
    if not path.exists():
        log(f"generating {path.name}")
        script = [sys.executable, str(HERE / "generate_lines.py"), "--lines", str(CHECK_LINES)]
        subprocess.run([*script, "--out", str(path)], check=True)
    return path


def panlabel_program(peers: str | None) -> str | None:
    """The panlabel program that stands beside the peers' interpreter."""
    program = Path(peers).parent / "panlabel" if peers else None
    return str(program) if program and program.exists() else None


def convert_commands(
    size: str, shape: str, source: Path, scratch: Path, python: str, peers: str | None
) -> list[Command]:
    """labelconv first, then the baselines that a target of this size and shape names."""
    out = scratch / "out.ndjson"
    script = str(HERE / "peers.py")
    sdk = peers if peers and has_module(peers, "labelbox.types") else None
    panlabel = panlabel_program(peers)
    paths = [str(source), str(out)]
    options = CONVERT_OPTIONS[shape]
    baselines = {
        SDK_LIST: [sdk, script, f"sdk-list-{shape}", *paths] if sdk else None,
        SDK_ONE: [sdk, script, f"sdk-one-{shape}", *paths] if sdk else None,
        PANLABEL: [panlabel, *PANLABEL_OPTIONS, "--input", paths[0], "--output", paths[1]]
        if panlabel
        else None,
        JSON_LOAD: [python, script, "json-load", paths[0]],
    }
    wanted = [row[2] for row in RATIO_TARGETS if row[:2] == (size, shape)]
    return [
        Command(LABELCONV, [python, "-m", "labelconv", "convert", *paths, *options], out),
        *(
            Command(name, arguments, None if name == JSON_LOAD else out)
            for name, arguments in baselines.items()
            if name in wanted or name == JSON_LOAD
        ),
    ]


def measure_conversions(options: argparse.Namespace) -> Groups:
    """COCO to Labelbox lines, for the selected sizes, orders and shapes."""
    groups: Groups = {}
    for size in options.sizes:
        for order in options.orders:
            for shape in SHAPES:
                if f"convert-{shape}" not in options.only:
                    continue
                source = coco_file(options.data, size, order)
                with tempfile.TemporaryDirectory(dir=options.data) as folder:
                    commands = convert_commands(
                        size, shape, source, Path(folder), options.python, options.peers
                    )
                    group = f"COCO → Labelbox, {size} {order}, {shape}"
                    groups[size, order, shape] = measure(group, commands, options.repeat)
    return groups


def seconds_of(found: dict[str, Measurement], name: str) -> float | None:
    """The measured seconds of a command, if it was run and did not fail."""
    return found[name].seconds if name in found else None


def quotient(above: float | None, below: float | None) -> float | None:
    """above / below, if both were measured."""
    return above / below if above is not None and below else None


def difference(left: float | None, right: float | None, scale: float = 1.0) -> float | None:
    """(left - right) x scale, if both were measured."""
    return (left - right) * scale if left is not None and right is not None else None


def conversion_verdicts(groups: Groups) -> Iterable[Verdict]:
    """Speed ratios, seconds at 1,000 images, and peak memory."""
    for (size, order, shape), found in groups.items():
        ours = seconds_of(found, LABELCONV)
        where = f"{shape}, {size} {order}"
        if size == "1k":
            yield Verdict(f"{where}: whole process", ours, "≤", SMALL_SECONDS, "s")
        for target_size, target_shape, baseline, how, limit in RATIO_TARGETS:
            if (target_size, target_shape) != (size, shape):
                continue
            theirs = seconds_of(found, baseline)
            if how == "faster":
                case, measured, sign = "times faster than", quotient(theirs, ours), "≥"
            else:
                case, measured, sign = "time as a part of", quotient(ours, theirs), "≤"
            yield Verdict(f"{where}: {case} {baseline}", measured, sign, limit, "×")
        if size == "118k":
            peak = found[LABELCONV].megabytes
            yield Verdict(f"{where}: peak memory", peak, "≤", PEAK_MEGABYTES, "MB")
            smaller = groups.get(("10k", order, shape))
            if smaller:
                growth = difference(peak, smaller[LABELCONV].megabytes)
                case = f"{where}: peak memory above that at 10k"
                yield Verdict(case, growth, "≤", PEAK_GROWTH_MEGABYTES, "MB")


def measure_startup(options: argparse.Namespace) -> tuple[list[Measurement], list[Verdict]]:
    """Milliseconds that the import and the help text take above a bare interpreter."""
    python = options.python
    found = measure(
        "start-up",
        [
            Command("python -c pass", [python, "-c", "pass"]),
            Command("import labelconv", [python, "-c", "import labelconv"]),
            Command("labelconv --help", [python, "-m", "labelconv", "--help"]),
        ],
        max(options.repeat, STARTUP_ROUNDS),
    )
    bare = seconds_of(found, "python -c pass")
    limits = {"import labelconv": IMPORT_MILLISECONDS, "labelconv --help": HELP_MILLISECONDS}
    verdicts = [
        Verdict(
            f"{name}, above a bare interpreter",
            difference(seconds_of(found, name), bare, 1000),
            "≤",
            limit,
            "ms",
        )
        for name, limit in limits.items()
    ]
    return list(found.values()), verdicts


def measure_check(options: argparse.Namespace) -> tuple[list[Measurement], list[Verdict]]:
    """`labelconv check` of a million box lines against `json.loads` on each."""
    source = str(lines_file(options.data))
    python = options.python
    found = measure(
        "check, 1,000,000 box lines",
        [
            Command(LABELCONV, [python, "-m", "labelconv", "check", source, *CHECK_OPTIONS]),
            Command(JSON_LINES, [python, str(HERE / "peers.py"), "json-lines", source]),
        ],
        options.repeat,
    )
    ratio = quotient(seconds_of(found, LABELCONV), seconds_of(found, JSON_LINES))
    case = f"check of 1,000,000 box lines: time as a part of {JSON_LINES}"
    return list(found.values()), [Verdict(case, ratio, "≤", CHECK_RATIO, "×")]


def measure_mask(options: argparse.Namespace) -> tuple[list[Measurement], list[Verdict]]:
    """One 640x480 mask to a base64 PNG, timed inside a process."""
    group, name = "mask, 640×480, one call", "labelconv.masks.png_base64"
    # The repository is put on the path as `-m` would do it.
    done = subprocess.run(
        [options.python, "-m", f"{HERE.name}.mask_to_png"],
        check=False,
        capture_output=True,
        text=True,
        cwd=HERE.parent,
    )
    if done.returncode:
        lines = done.stderr.strip().splitlines() or ["(nothing on standard error)"]
        failure = f"exit {done.returncode}: {lines[-1].strip()[:200]}"
        row = Measurement(group, name, None, None, None, 1, failure)
    else:
        row = Measurement(group, name, float(done.stdout) / 1000, None, None, 1, None)
    measured = row.seconds * 1000 if row.seconds is not None else None
    case = "640×480 mask, run lengths to base64 PNG"
    return [row], [Verdict(case, measured, "≤", MASK_MILLISECONDS, "ms")]


def shown_seconds(seconds: float | None) -> str:
    """Seconds with three figures that matter."""
    return "–" if seconds is None else f"{seconds:#.3g}"


def table_row(cells: Iterable[str]) -> str:
    """One row of a Markdown table."""
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def measurement_table(rows: list[Measurement]) -> list[str]:
    """Seconds, memory and the ratio to labelconv, group after group."""
    lines = [
        table_row(["case", "what", "seconds", "÷ labelconv", "peak MB", "lines", "rounds"]),
        "|---|---|--:|--:|--:|--:|--:|",
    ]
    ours = {row.group: row.seconds for row in rows if row.name == LABELCONV}
    for row in rows:
        ratio = quotient(row.seconds, ours.get(row.group))
        lines.append(
            table_row(
                [
                    row.group,
                    row.name,
                    row.failure or shown_seconds(row.seconds),
                    "–" if ratio is None else f"{ratio:.2f}",
                    "–" if row.megabytes is None else f"{row.megabytes:.0f}",
                    "–" if row.lines is None else f"{row.lines:,}",
                    str(row.rounds),
                ]
            )
        )
    return lines


def verdict_table(verdicts: list[Verdict]) -> list[str]:
    """Each target beside what was measured."""
    lines = [table_row(["target", "asked", "measured", "verdict"]), "|---|--:|--:|---|"]
    for case, measured, sign, limit, unit in verdicts:
        if measured is None:
            shown, word = "–", "not measured"
        else:
            shown = f"{measured:.3g} {unit}" if measured < 100 else f"{measured:.0f} {unit}"
            word = (
                "holds" if (measured >= limit if sign == "≥" else measured <= limit) else "misses"
            )
        lines.append(table_row([case, f"{sign} {limit:g} {unit}", shown, word]))
    return lines


def machine_line(options: argparse.Namespace) -> str:
    """What the figures were measured with."""
    parts = [
        f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
        f"Python {answer(options.python, PYTHON_VERSION)}",
        f"labelconv {version_of(options.python, 'labelconv')}",
    ]
    for package in ("labelbox", "panlabel"):
        version = version_of(options.peers, package) if options.peers else "not installed"
        parts.append(f"{package} {version}")
    return "; ".join(parts) + f"; best of {options.repeat}."


def choice_list(allowed: Iterable[str]) -> Callable[[str], list[str]]:
    """A parser of comma-separated names for argparse."""
    names = list(allowed)

    def parse(text: str) -> list[str]:
        chosen = [name.strip() for name in text.split(",") if name.strip()]
        unknown = [name for name in chosen if name not in names]
        if unknown:
            raise argparse.ArgumentTypeError(f"{', '.join(unknown)}: not one of {', '.join(names)}")
        return [name for name in names if name in chosen]

    return parse


def program_path(text: str) -> str:
    """An interpreter's absolute path; links are kept, because a venv is one."""
    return os.path.abspath(shutil.which(text) or text)


def read_options() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    default = Path(tempfile.gettempdir()) / "labelconv-benchmarks"
    parser.add_argument("--data", type=Path, default=default, help="folder for generated files")
    parser.add_argument("--peers", type=program_path, metavar="PYTHON",
                        help="interpreter with labelbox and panlabel")  # fmt: skip
    parser.add_argument("--python", type=program_path, default=sys.executable,
                        help="interpreter for labelconv and json.load")  # fmt: skip
    parser.add_argument("--only", type=choice_list(CASES), default=list(CASES), metavar="NAMES",
                        help=f"cases, comma-separated: {', '.join(CASES)}")  # fmt: skip
    parser.add_argument("--sizes", type=choice_list(IMAGES), default=list(IMAGES), metavar="SIZES",
                        help=f"sizes, comma-separated: {', '.join(IMAGES)}")  # fmt: skip
    parser.add_argument("--orders", type=choice_list(ORDERS), default=list(ORDERS),
                        metavar="ORDERS", help=f"comma-separated: {', '.join(ORDERS)}")  # fmt: skip
    parser.add_argument("--repeat", type=int, default=3, help="rounds; the best one counts")
    parser.add_argument("--out", type=Path, help="also write the tables to this file")
    options = parser.parse_args()
    if options.repeat < 1:
        parser.error("--repeat must be at least 1")
    return options


def main() -> None:
    """Measure what was selected and print the tables."""
    options = read_options()
    options.data = options.data.absolute()
    options.data.mkdir(parents=True, exist_ok=True)
    groups = measure_conversions(options)
    rows = [row for found in groups.values() for row in found.values()]
    verdicts = list(conversion_verdicts(groups))
    for case, work in (
        ("startup", measure_startup),
        ("check", measure_check),
        ("mask", measure_mask),
    ):
        if case in options.only:
            more_rows, more_verdicts = work(options)
            rows += more_rows
            verdicts += more_verdicts
    tables = [measurement_table(rows), verdict_table(verdicts)]
    text = "\n\n".join([machine_line(options), *("\n".join(table) for table in tables)])
    print(text)
    if options.out:
        options.out.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
