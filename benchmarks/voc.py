"""Measure reading and writing of Pascal VOC against other tools, and print a Markdown table.

    python benchmarks/voc.py --peers VENV/bin/python
    python benchmarks/voc.py --images 1000 --repeat 1 --only read

Every piece of work is a process of its own; wall seconds are the best of the rounds, and the
commands of one group take turns. Data is generated in `--data`, which should be a tmpfs, and
removed again. `VENV` has `labelformat` and `panlabel`; one that is missing is left out.

- read: VOC → MAL (boxes) beside ElementTree's bare parse of the same files; limit 2.
- write: COCO → VOC (boxes) beside labelformat and panlabel; limit 0.35 of labelformat.
- first: seconds until the first sample of 100,000 files in one folder, and of 1,000 folders of 100
  files, all of which name the devkit, so that 20,000 of them are searched; limit 1 second.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from random import Random

from generate_coco import CATEGORY_NAMES, PICTURE_SIZES

HERE = Path(__file__).resolve().parent
MEAN_ANNOTATIONS = 7.3
NAMES = [name for group in CATEGORY_NAMES.values() for name in group.split(",")]
BARE_PARSE = (
    "import os, sys\n"
    "from xml.etree import ElementTree\n"
    "for name in os.listdir(sys.argv[1]):\n"
    "    ElementTree.parse(os.path.join(sys.argv[1], name))\n"
)
FIRST_SAMPLE = (
    "import sys, time\n"
    "started = time.perf_counter()\n"
    "import labelconv\n"
    "next(iter(labelconv.read(sys.argv[1], 'voc')))\n"
    "print(time.perf_counter() - started)\n"
)
OBJECT = (
    "\t<object>\n\t\t<name>%s</name>\n\t\t<pose>Unspecified</pose>\n\t\t<truncated>0</truncated>\n"
    "\t\t<difficult>0</difficult>\n\t\t<bndbox>\n\t\t\t<xmin>%d</xmin>\n\t\t\t<ymin>%d</ymin>\n"
    "\t\t\t<xmax>%d</xmax>\n\t\t\t<ymax>%d</ymax>\n\t\t</bndbox>\n\t</object>\n"
)
FILE = (
    "<annotation>\n\t<folder>%s</folder>\n\t<filename>%s.jpg</filename>\n\t<source>\n"
    "\t\t<database>Unknown</database>\n\t</source>\n\t<size>\n\t\t<width>%d</width>\n"
    "\t\t<height>%d</height>\n\t\t<depth>3</depth>\n\t</size>\n\t<segmented>0</segmented>\n%s"
    "</annotation>\n"
)


def generate(folder: Path, images: int, *, folders: int = 1, devkit: bool = False) -> None:
    """XML files as labelImg writes them, the same for the same arguments."""
    random = Random(1)
    sizes, weights = zip(*PICTURE_SIZES, strict=True)
    for number in range(images):
        place = folder if folders == 1 else folder / str(number % folders)
        place.mkdir(parents=True, exist_ok=True)
        width, height = random.choices(sizes, weights)[0]
        objects = []
        count = 1 if devkit else min(90, int(random.expovariate(1 / (MEAN_ANNOTATIONS - 0.5))) + 1)
        for _ in range(count):
            xmin, ymin = random.randrange(1, width - 8), random.randrange(1, height - 8)
            xmax, ymax = random.randint(xmin + 1, width), random.randint(ymin + 1, height)
            objects.append(OBJECT % (random.choice(NAMES), xmin, ymin, xmax, ymax))
        stem = f"{number:012d}"
        name = "VOC2012" if devkit else "images"
        text = FILE % (name, stem, width, height, "".join(objects))
        (place / f"{stem}.xml").write_text(text)


def seconds(command: list[str], target: Path | None) -> float | None:
    """Wall seconds of a process; None when it fails. The target is removed before."""
    if target is not None:
        shutil.rmtree(target, ignore_errors=True)
        target.unlink(missing_ok=True)
    started = time.perf_counter()
    ended = subprocess.run(command, capture_output=True, check=False)
    took = time.perf_counter() - started
    return took if ended.returncode in (0, 1) else None


def in_turns(commands: dict[str, Callable[[], float | None]], rounds: int) -> dict[str, float]:
    """The best of the rounds for each command that works, by name."""
    best: dict[str, float] = {}
    for _ in range(rounds):
        for name, run in commands.items():
            took = run()
            if took is not None:
                best[name] = min(took, best.get(name, took))
    return best


def rows(title: str, best: dict[str, float], own: str, limits: dict[str, float]) -> None:
    print(f"\n### {title}\n\n| what | seconds | labelconv / it | limit |\n|---|---|---|---|")
    for name, took in best.items():
        ratio = "" if name == own else f"{best[own] / took:.2f}"
        print(f"| {name} | {took:.2f} | {ratio} | {limits.get(name, '')} |")


def measure_read(room: Path, images: int, rounds: int) -> None:
    folder, target = room / "xml", room / "out.ndjson"
    generate(folder, images)
    convert = [sys.executable, "-m", "labelconv", "convert", str(folder), str(target)]
    convert += ["--from", "voc", "--to", "labelbox", "--quiet"]
    bare = [sys.executable, "-c", BARE_PARSE, str(folder)]
    best = in_turns(
        {
            "labelconv, VOC → MAL": lambda: seconds(convert, target),
            "ElementTree's bare parse": lambda: seconds(bare, None),
        },
        rounds,
    )
    rows("read", best, "labelconv, VOC → MAL", {"ElementTree's bare parse": 2.0})


def measure_write(room: Path, images: int, rounds: int, peers: Path | None) -> None:
    source = room / "coco.json"
    generator = [sys.executable, str(HERE / "generate_coco.py"), "--images", str(images)]
    subprocess.run([*generator, "--seed", "1", "--out", str(source)], check=True)
    targets = {name: room / name for name in ("labelconv", "labelformat", "panlabel")}
    convert = [sys.executable, "-m", "labelconv", "convert", str(source), str(targets["labelconv"])]
    commands = {"labelconv": [*convert, "--to", "voc", "-O", "shape=box", "--quiet"]}
    if peers is not None:
        commands["labelformat"] = [str(peers.parent / "labelformat"), "convert"]
        commands["labelformat"] += ["--task", "object-detection", "--input-format", "coco"]
        commands["labelformat"] += ["--input-file", str(source), "--output-format", "pascalvoc"]
        commands["labelformat"] += ["--output-folder", str(targets["labelformat"])]
        commands["panlabel"] = [str(peers.parent / "panlabel"), "convert", "--from", "coco"]
        commands["panlabel"] += ["--to", "voc", "--allow-lossy", "-i", str(source)]
        commands["panlabel"] += ["-o", str(targets["panlabel"])]
        commands = {name: each for name, each in commands.items() if Path(each[0]).exists()}

    def runner(name: str) -> Callable[[], float | None]:
        return lambda: seconds(commands[name], targets[name])

    best = in_turns({name: runner(name) for name in commands}, rounds)
    rows("write", best, "labelconv", {"labelformat": 0.35, "panlabel": 1.0})


def measure_first(room: Path, images: int, rounds: int) -> None:
    print("\n### first\n\n| what | seconds | limit |\n|---|---|---|")
    for folders in (1, images // 100):
        place = room / f"first{folders}"
        generate(place, images, folders=folders, devkit=True)
        command = [sys.executable, "-c", FIRST_SAMPLE, str(place)]
        took = min(
            float(subprocess.run(command, capture_output=True, check=True).stdout)
            for _ in range(rounds)
        )
        print(f"| {images} files, {folders} folders | {took:.2f} | 1 |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--images", type=int, default=10_000)
    parser.add_argument("--first-images", type=int, default=100_000)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--peers", type=Path, help="the Python of a venv with the peers")
    parser.add_argument("--data", type=Path, default=Path("/dev/shm"))
    parser.add_argument("--only", choices=("read", "write", "first"), action="append")
    given = parser.parse_args()
    only = given.only or ["read", "write", "first"]
    with tempfile.TemporaryDirectory(dir=given.data, prefix="labelconv-voc-") as name:
        if "read" in only:
            measure_read(Path(name), given.images, given.repeat)
        if "write" in only:
            measure_write(Path(name), given.images, given.repeat, given.peers)
        if "first" in only:
            measure_first(Path(name), given.first_images, given.repeat)


if __name__ == "__main__":
    main()
