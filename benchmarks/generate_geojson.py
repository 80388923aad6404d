"""Write a synthetic GeoJSON file of polygons in UTM 33N; the same file for the same arguments.

    python generate_geojson.py --polygons 100000 --out roofs-100k.geojson

Standard library only. Fourteen vertices a polygon on average, one image for every 1,000 of them.
"""

from __future__ import annotations

import argparse
import math
import os
from pathlib import Path
from random import Random

CLASSES = ("building", "road", "tree", "water")
PER_IMAGE = 1_000
HEAD = (
    '{"type":"FeatureCollection","name":"roofs",'
    '"crs":{"type":"name","properties":{"name":"urn:ogc:def:crs:EPSG::32633"}},\n"features":[\n'
)


def feature(number: int, random: Random) -> str:
    """One feature: a ragged ring around a random place."""
    x, y = random.uniform(300_000, 700_000), random.uniform(5_300_000, 5_700_000)
    count = random.randint(6, 20)
    turns = sorted(random.uniform(0, 2 * math.pi) for _ in range(count))
    ring = [
        f"[{x + r * math.cos(t):.3f},{y + r * math.sin(t):.3f}]"
        for t, r in ((turn, random.uniform(3, 12)) for turn in turns)
    ]
    ring.append(ring[0])
    return (
        f'{{"type":"Feature","properties":{{"class":"{random.choice(CLASSES)}",'
        f'"image":"tile_{number // PER_IMAGE:06d}.tif","height":{random.uniform(2, 30):.1f}}},'
        f'"geometry":{{"type":"Polygon","coordinates":[[{",".join(ring)}]]}}}}'
    )


def generate(out: Path, polygons: int, seed: int) -> None:
    """Write the file beside its place and move it there whole."""
    random = Random(f"{seed}/roofs")
    unfinished = out.with_name(f"{out.name}.{os.getpid()}.part")
    try:
        with unfinished.open("w", encoding="ascii", newline="\n") as file:
            file.write(HEAD)
            for number in range(polygons):
                file.write(("" if number == 0 else ",\n") + feature(number, random))
            file.write("\n]}\n")
        unfinished.replace(out)
    finally:
        unfinished.unlink(missing_ok=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--polygons", type=int, default=100_000)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    generate(arguments.out, arguments.polygons, arguments.seed)


if __name__ == "__main__":
    main()
