"""Maps: GeoJSON in UTM to Labelbox lines, transforms, chips, each against a peer of the same run.

    python benchmarks/maps.py --polygons 100000 [--repeat 3]

| ratio | must be |
|---|---|
| GeoJSON EPSG:32633 → Labelbox lines, to pyogrio only reading the file | at most 1 |
| one pyproj call a feature, to one call a sample | at least 4 |
| chips, to a bare shapely STRtree query and clip | at most 3 |

Each measurement is a process of its own; the least of the repetitions counts.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
WINDOWS = 100  # along each side

READ_BY_PYOGRIO = """
import pyogrio
pyogrio.raw.read(source)
"""
TO_LABELBOX = """
from labelconv import convert
options = {"class_key": "class", "sample_key": "image"}
report = convert(source, target, to="labelbox", reader_options=options, jobs=1)
assert report.ledger.annotations.changed == report.ledger.annotations.read > 0
"""
PREPARE = """
import numpy, pyproj, random, shapely
from labelconv import model, problems
draw = random.Random(1)
count = int(target)
polygons = []
for number in range(count):
    x, y = draw.uniform(300_000, 700_000), draw.uniform(5_300_000, 5_700_000)
    turns = sorted(draw.uniform(0, 6.28) for _ in range(draw.randint(6, 20)))
    ring = [n for t in turns for n in (x + 9 * numpy.cos(t), y + 9 * numpy.sin(t))]
    polygons.append(tuple(map(float, ring)))
"""
PER_FEATURE = """
transformer = pyproj.Transformer.from_crs("EPSG:32633", "EPSG:4326", always_xy=True)
arrays = [numpy.array(ring).reshape(-1, 2) for ring in polygons]
start()
for array in arrays:
    transformer.transform(array[:, 0], array[:, 1])
"""
PER_SAMPLE = """
from labelconv.crs import transform
together = numpy.concatenate([numpy.array(ring).reshape(-1, 2) for ring in polygons])
transform.change("EPSG:32633", "EPSG:4326")
start()
for at in range(0, len(together), 14_000):  # a thousand polygons a sample
    transform.change("EPSG:32633", "EPSG:4326").to(together[at : at + 14_000])
"""
BARE_CHIPS = """
shapes = numpy.array([shapely.Polygon(numpy.array(r).reshape(-1, 2)) for r in polygons])
side = 400_000 / windows
boxes = numpy.array([
    shapely.box(300_000 + i * side, 5_300_000 + j * side,
                300_000 + (i + 1) * side, 5_300_000 + (j + 1) * side)
    for j in range(windows) for i in range(windows)])
start()
of_box, of_shape = shapely.STRtree(shapes).query(boxes, predicate="intersects")
shapely.intersection(shapes[of_shape], boxes[of_box])
"""
OUR_CHIPS = """
from labelconv.chips import chips
annotations = tuple(
    model.Annotation(str(n), "a", model.Polygon(((r,),))) for n, r in enumerate(polygons))
media = model.TiledImage("EPSG:32633", (300_000.0, 5_300_000.0, 700_000.0, 5_700_000.0))
dataset = model.Samples([model.Sample("s", media, annotations)])
side = 400_000 / windows
start()
total = sum(len(s.annotations) for s in chips((side, side))(dataset, problems.Report()))
assert total >= len(polygons)
"""
FRAME = """
import resource, sys, time
source, target, windows = sys.argv[1], sys.argv[2], int(sys.argv[3])
began = time.process_time(), time.perf_counter()
def start():
    global began
    began = time.process_time(), time.perf_counter()
{body}
cpu, wall = time.process_time() - began[0], time.perf_counter() - began[1]
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
import json
print(json.dumps(dict(cpu=cpu, wall=wall, peak=peak)))
"""


def measured(body: str, source: str, target: str, repeat: int) -> dict[str, float]:
    """The least seconds and megabytes of some runs."""
    best: dict[str, float] = {}
    for _ in range(repeat):
        command = [sys.executable, "-c", FRAME.replace("{body}", body), source, target]
        done = subprocess.run(
            [*command, str(WINDOWS)], check=True, capture_output=True, text=True, cwd=HERE
        )
        found = json.loads(done.stdout.splitlines()[-1])
        best = {name: min(value, best.get(name, value)) for name, value in found.items()}
    return best


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--polygons", type=int, default=100_000)
    parser.add_argument("--repeat", type=int, default=3)
    arguments = parser.parse_args()
    count, repeat = str(arguments.polygons), arguments.repeat
    with tempfile.TemporaryDirectory() as room:
        source, target = f"{room}/roofs.geojson", f"{room}/out.ndjson"
        generate = [sys.executable, str(HERE / "generate_geojson.py"), "--polygons", count]
        subprocess.run([*generate, "--out", source], check=True)
        bodies = {
            "pyogrio reads": (READ_BY_PYOGRIO, source, target),
            "GeoJSON to Labelbox": (TO_LABELBOX, source, target),
            "pyproj, a call a feature": (PREPARE + PER_FEATURE, source, count),
            "one call a sample": (PREPARE + PER_SAMPLE, source, count),
            "STRtree query and clip": (PREPARE + BARE_CHIPS, source, count),
            "chips": (PREPARE + OUR_CHIPS, source, count),
        }
        found = {name: measured(*body, repeat) for name, body in bodies.items()}
    print("| what | seconds | CPU seconds | peak MB |\n|---|---|---|---|")
    for name, row in found.items():
        print(f"| {name} | {row['wall']:.2f} | {row['cpu']:.2f} | {row['peak']:.0f} |")

    def ratio(one: str, other: str) -> float:
        return found[one]["cpu"] / found[other]["cpu"]

    print(f"\nto Labelbox / pyogrio reads: {ratio('GeoJSON to Labelbox', 'pyogrio reads'):.2f}")
    print(f"a feature / a sample: {ratio('pyproj, a call a feature', 'one call a sample'):.1f}")
    print(f"chips / bare: {ratio('chips', 'STRtree query and clip'):.2f}")


if __name__ == "__main__":
    main()
