"""Tracks: MOT to Labelbox lines, as boxes a second and as a ratio to pandas.read_csv in one run.

    python benchmarks/video.py [--clips N] [--long] [--whole FRAMES] [--sdk PYTHON]

- N clips (1,000) of 20 tracks of 300 frames become MAL at `tolerance=1`. The measure is
  `pandas.read_csv` of the same files (if pandas is there); memory is shown for N and N / 10 clips.
- `--long`: one clip of 100,000 frames and 500 tracks that are seen for 2,000 frames each (a million
  rows).
- `--whole`: one clip of so many frames and 500 tracks that are seen in all of them, frame by frame
  as trackers write it. 100,000 are 50 million rows, 2.2 GB of text, and take five minutes.
- `--sdk`: an interpreter with the labelbox SDK, whose `VideoObjectAnnotation` and `NDJsonConverter`
  do the same for 20 clips, keyframe by keyframe, with every frame a keyframe.

Each piece of work is a process of its own. Times are of the processor, so that other work on the
machine counts little.
"""

from __future__ import annotations

import argparse
import random
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

TRACKS, FRAMES = 20, 300
_CONVERT = """
import sys
from labelconv import convert
report = convert(sys.argv[1], sys.argv[2], from_="mot", to="labelbox",
                 writer_options={"tolerance": 1})
done = report.keyframes
print(f"{done.before} boxes, {done.after} keyframes, off by {done.drift:.3g} px", file=sys.stderr)
"""
_PANDAS = """
import sys
from pathlib import Path
import pandas
for path in sorted(Path(sys.argv[1]).glob("*/gt/gt.txt")):
    pandas.read_csv(path, header=None)
"""
_SDK = """
import json, sys, warnings
from pathlib import Path
warnings.simplefilter("ignore")
from labelbox.data.annotation_types import Label, Point, Rectangle, VideoObjectAnnotation
from labelbox.data.serialization import NDJsonConverter
with open(sys.argv[2], "w") as out:
    for path in sorted(Path(sys.argv[1]).glob("*/gt/gt.txt")):
        made = []
        for line in path.read_text().splitlines():
            frame, track, left, top, width, height = map(float, line.split(",")[:6])
            box = Rectangle(start=Point(x=left - 1, y=top - 1),
                            end=Point(x=left - 1 + width, y=top - 1 + height))
            made.append(VideoObjectAnnotation(name=f"car {track:g}", keyframe=True,
                                              frame=int(frame), segment_index=0, value=box))
        label = Label(data={"global_key": path.parts[-3]}, annotations=made)
        for row in NDJsonConverter.serialize([label]):
            out.write(json.dumps(row) + "\\n")
"""


def rows(seed: int, tracks: int, frames: int, starts: list[int]) -> list[str]:
    """Tracks that change their speed every 30 frames, with a jitter of 0.3 px, 2 decimals."""
    draw = random.Random(seed)
    made = []
    for track in range(1, tracks + 1):
        box = [
            draw.uniform(0, 1500),
            draw.uniform(0, 900),
            draw.uniform(20, 90),
            draw.uniform(20, 90),
        ]
        speed = [0.0] * 4
        for step in range(frames):
            if step % 30 == 0:
                speed = [draw.gauss(0, 2), draw.gauss(0, 2), draw.gauss(0, 0.2), draw.gauss(0, 0.2)]
            box = [edge + change for edge, change in zip(box, speed, strict=True)]
            box[2:] = [max(size, 5.0) for size in box[2:]]
            seen = ",".join(f"{edge + draw.gauss(0, 0.3):.2f}" for edge in box)
            made.append(f"{starts[track - 1] + step},{track},{seen},1,1,1\n")
    return made


def clips(folder: Path, count: int) -> Path:
    """`count` sequences; ten different ones over and over, since making them takes long."""
    texts = ["".join(rows(seed, TRACKS, FRAMES, [1] * TRACKS)) for seed in range(min(count, 10))]
    for number in range(count):
        path = folder / f"clip-{number:04}" / "gt" / "gt.txt"
        path.parent.mkdir(parents=True)
        path.write_text(texts[number % len(texts)])
    return folder


def long_clip(folder: Path, seen: int) -> Path:
    """One sequence of 100,000 frames and 500 tracks, each seen for `seen` frames."""
    path = folder / "long" / "gt" / "gt.txt"
    path.parent.mkdir(parents=True)
    starts = [1 + (100_000 - seen) * track // 499 for track in range(500)]
    with path.open("w") as file:
        for track in range(500):
            made = rows(track, 1, seen, [starts[track]])
            file.writelines(row.replace(",1,", f",{track + 1},", 1) for row in made)
    return folder


def whole_clip(folder: Path, frames: int) -> Path:
    """One sequence of 500 tracks that are seen in every frame, its rows ordered by frame."""
    draw = np.random.default_rng(0)
    path = folder / "whole" / "gt" / "gt.txt"
    path.parent.mkdir(parents=True)
    boxes = draw.uniform((0, 0, 20, 20), (1500, 900, 90, 90), (500, 4))
    ids = np.tile(np.arange(1, 501), 30).tolist()
    with path.open("w") as file:
        for first in range(1, frames + 1, 30):
            count = min(30, frames + 1 - first)
            speed = draw.normal(0, (2, 2, 0.2, 0.2), (500, 4))
            seen = boxes + speed * np.arange(1, count + 1)[:, None, None]
            np.maximum(seen[..., 2:], 5, out=seen[..., 2:])
            boxes = seen[-1].copy()
            seen += draw.normal(0, 0.3, seen.shape)
            numbers = np.repeat(np.arange(first, first + count), 500).tolist()
            columns = seen.reshape(-1, 4).T.tolist()
            file.writelines(
                f"{frame},{id},{x:.2f},{y:.2f},{w:.2f},{h:.2f},1,1,1\n"
                for frame, id, x, y, w, h in zip(numbers, ids, *columns, strict=False)
            )
    return folder


def run(code: str, *arguments: str, python: str = sys.executable) -> tuple[float, float]:
    """Seconds of the processor, and the highest memory of the process in MB."""
    measured = (
        "import resource, sys\n"
        f"{code}\n"
        "used = resource.getrusage(resource.RUSAGE_SELF)\n"
        "print(used.ru_utime + used.ru_stime, used.ru_maxrss)\n"
    )
    done = subprocess.run(
        [python, "-c", measured, *arguments], check=True, capture_output=True, text=True
    )
    if done.stderr:
        print("   ", done.stderr.strip().splitlines()[-1])
    seconds, memory = map(float, done.stdout.split())
    return seconds, memory / (1e6 if sys.platform == "darwin" else 1e3)


def shown(name: str, boxes: int, seconds: float, memory: float) -> None:
    print(f"{name}: {boxes / seconds:,.0f} boxes/s, {seconds:.1f} s, {memory:.0f} MB")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--clips", type=int, default=1_000)
    parser.add_argument("--long", action="store_true")
    parser.add_argument("--whole", metavar="FRAMES", type=int, default=0)
    parser.add_argument("--sdk", metavar="PYTHON")
    asked = parser.parse_args()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with tempfile.TemporaryDirectory() as room:
        base = Path(room)
        target = str(base / "out.ndjson")
        for count in (max(asked.clips // 10, 1), asked.clips):
            folder = clips(base / f"clips-{count}", count)
            boxes = count * TRACKS * FRAMES
            ours = run(_CONVERT, str(folder), target)
            shown(f"labelconv, {count} clips", boxes, *ours)
            try:
                theirs = run(_PANDAS, str(folder))
            except subprocess.CalledProcessError:
                print("pandas.read_csv: not installed")
            else:
                shown(f"pandas.read_csv, {count} clips", boxes, *theirs)
                print(f"ratio: {ours[0] / theirs[0]:.2f} times pandas.read_csv")
        if asked.sdk:
            folder, boxes = clips(base / "clips-sdk", 20), 20 * TRACKS * FRAMES
            theirs = run(_SDK, str(folder), target, python=asked.sdk)
            shown("labelbox SDK, 20 clips, every frame a keyframe", boxes, *theirs)
        if asked.long:
            folder = long_clip(base / "long", 2_000)
            shown("one clip, 2,000 frames a track", 1_000_000, *run(_CONVERT, str(folder), target))
        if asked.whole:
            folder = whole_clip(base / "whole", asked.whole)
            what = f"one clip, 500 tracks on all {asked.whole:,} frames"
            shown(what, 500 * asked.whole, *run(_CONVERT, str(folder), target))


if __name__ == "__main__":
    main()
