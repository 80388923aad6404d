"""Measure YOLO folders against labelformat in the same run, and print a Markdown table.

    python benchmarks/yolo.py --peers VENV/bin --work /dev/shm/yolo-bench
    python benchmarks/yolo.py --peers VENV/bin --work /dev/shm/yolo-bench --images 118000 --rounds 1

`--peers` is a folder of programs with `labelformat` (pip install labelformat). Every piece of work
is a process of its own; labelconv and the peer take turns, and the best of the rounds counts. Use a
folder in memory: how fast a disk takes small files varies more than what is measured.
"""

from __future__ import annotations

import argparse
import resource
import shutil
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
#: (what, limit as a part of the peer's time); YOLO is read, or written, without polygons.
LIMITS = {"yolo-coco": 0.3, "yolo-labelbox": 0.3, "coco-yolo": 0.5}


def prepare(work: Path, images: int) -> None:
    """The sources: a YOLO folder, and COCO with the same statistics."""
    if not (work / "yolo").exists():
        run(HERE / "generate_yolo.py", "--images", str(images), "--out", str(work / "yolo"))
    if not (work / "coco.json").exists():
        run(HERE / "generate_coco.py", "--images", str(images), "--out", str(work / "coco.json"))


def run(script: Path, *arguments: str) -> None:
    subprocess.run([sys.executable, str(script), *arguments], check=True, cwd=HERE)


def commands(peers: Path, work: Path) -> dict[str, list[list[str]]]:
    """For each piece of work: labelconv's command, and the peer's."""
    ours = [sys.executable, "-m", "labelconv", "convert"]
    theirs = [str(peers / "labelformat"), "convert", "--task", "object-detection"]
    yolo, coco = str(work / "yolo"), str(work / "coco.json")
    from_yolo = ["--input-format", "yolov8", "--input-file", f"{yolo}/data.yaml"]
    to_coco = ["--output-format", "coco", "--output-file", str(work / "theirs.json")]
    read = [*theirs, *from_yolo, "--input-split", "train", *to_coco]
    wrote = ["--output-format", "yolov8", "--output-file", f"{work}/theirs/data.yaml"]
    from_coco = ["--input-format", "coco", "--input-file", coco, "--output-split", "train"]
    boxes = ["-O", "shape=box", "-W", "task=detect"]
    return {
        "yolo-coco": [[*ours, yolo, str(work / "ours.json"), "--to", "coco", "--quiet"], read],
        "yolo-labelbox": [
            [*ours, yolo, str(work / "ours.ndjson"), "--to", "labelbox", "--quiet"],
            read,
        ],
        "coco-yolo": [
            [*ours, coco, str(work / "ours"), "--to", "yolo", *boxes, "--quiet"],
            [*theirs, *from_coco, *wrote],
        ],
    }


def measure(command: list[str], work: Path) -> tuple[float, float]:
    """(seconds, peak megabytes) of one process."""
    for name in ("ours", "theirs"):
        shutil.rmtree(work / name, ignore_errors=True)
    code = (
        "import resource, subprocess, sys, time\n"
        "start = time.perf_counter()\n"
        "done = subprocess.run(sys.argv[1:], capture_output=True)\n"
        "seconds = time.perf_counter() - start\n"
        "peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss\n"
        "print(seconds, peak, done.returncode, done.stderr.decode()[-300:].replace('\\n', ' '))\n"
    )
    watched = subprocess.run(
        [sys.executable, "-c", code, *command], check=True, capture_output=True, text=True
    )
    seconds, peak, status, *words = watched.stdout.split(maxsplit=3)
    if status != "0":
        raise SystemExit(f"{command[:4]} failed: {words}")
    unit = 1024 if sys.platform != "darwin" else 1
    return float(seconds), int(peak) * unit / 1e6


def first_sample(folder: Path) -> float:
    """Seconds until the first sample of a folder is there, without starting Python."""
    import labelconv

    start = time.perf_counter()
    next(iter(labelconv.read(folder, "yolo")))
    return time.perf_counter() - start


def main() -> None:
    """Read the command line, measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--peers", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--images", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    arguments.work.mkdir(parents=True, exist_ok=True)
    prepare(arguments.work, arguments.images)
    print(f"\n{arguments.images} pictures, best of {arguments.rounds}\n")
    print("| what | labelconv s | MB | labelformat s | MB | ratio | limit |")
    print("|---|---|---|---|---|---|---|")
    for what, pair in commands(arguments.peers, arguments.work).items():
        best = [(float("inf"), 0.0), (float("inf"), 0.0)]
        for _ in range(arguments.rounds):
            for which, command in enumerate(pair):
                seconds, megabytes = measure(command, arguments.work)
                fastest, largest = best[which]
                best[which] = (min(fastest, seconds), max(largest, megabytes))
        (ours, our_peak), (theirs, their_peak) = best
        print(
            f"| {what} | {ours:.2f} | {our_peak:.0f} | {theirs:.2f} | {their_peak:.0f} "
            f"| {ours / theirs:.2f} | {LIMITS[what]} |",
            flush=True,
        )
    print(f"\nfirst sample after {first_sample(arguments.work / 'yolo'):.2f} s")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(f"this process needed {peak // 1024} MB", file=sys.stderr)


if __name__ == "__main__":
    main()
