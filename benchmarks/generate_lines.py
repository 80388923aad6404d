"""Write Labelbox box lines for `labelconv check`; the same file for the same arguments.

    python generate_lines.py --lines 1000000 --out boxes-1m.ndjson

Standard library only. Ten lines a data row, boxes inside a 640x480 picture, no uuid twice.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from random import Random
from uuid import UUID

LINES_PER_ROW = 10
NAMES = ["person", "bicycle", "car", "traffic light", "dog", "baseball bat", "cup", "book"]


def line_text(number: int, random: Random) -> str:
    """One line; coordinates in pixels with at most two decimals."""
    left, top = random.randrange(60_000) / 100, random.randrange(44_000) / 100
    width, height = random.randint(100, 3_900) / 100, random.randint(100, 3_900) / 100
    # A random prefix, then the line's number: unique whatever is drawn.
    identifier = UUID(int=random.getrandbits(64) << 64 | number, version=5)
    return (
        f'{{"uuid":"{identifier}","name":"{random.choice(NAMES)}",'
        f'"dataRow":{{"globalKey":"{number // LINES_PER_ROW:012d}.jpg"}},'
        f'"bbox":{{"top":{top},"left":{left},"height":{height},"width":{width}}}}}\n'
    )


def generate(out: Path, lines: int, seed: int) -> None:
    """Write the file beside its place and move it there whole."""
    random = Random(f"{seed}/lines")
    unfinished = out.with_name(f"{out.name}.{os.getpid()}.part")
    try:
        with unfinished.open("w", encoding="ascii", newline="\n", buffering=1 << 20) as target:
            for number in range(lines):
                target.write(line_text(number, random))
        unfinished.replace(out)
    finally:
        unfinished.unlink(missing_ok=True)


def main() -> None:
    """Read the arguments and write the file."""
    parser = argparse.ArgumentParser(description="Write synthetic Labelbox box lines.")
    parser.add_argument("--lines", type=int, required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    generate(arguments.out, arguments.lines, arguments.seed)


if __name__ == "__main__":
    main()
