"""Maps: GeoJSON in UTM to Labelbox lines, transforms, chips, each against a peer of the same run.

    python benchmarks/maps.py --polygons 100000 [--repeat 3] [--only lines,transforms,chips]

| ratio | must be |
|---|---|
| GeoJSON EPSG:32633 → Labelbox lines, to pyogrio only reading the file | at most 1 |
| one pyproj call a feature, to one call a sample, with the vertices of a roof | at least 4 |
| chips, to a bare shapely STRtree query and clip | at most 3 |

Each measurement is a process of its own; the least of the repetitions counts. Ratios are of seconds
by the clock: labelconv converts large files in as many processes as there are cores. One process is
measured beside it. Chips are cut a sample at a time, 10,000 polygons to 100 windows, as datasets
come; `--whole` has all polygons in one sample of 10,000 windows, of which the polygons themselves
take most of the memory.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import textwrap
from pathlib import Path

HERE = Path(__file__).parent

READ_BY_PYOGRIO = """
import pyogrio
pyogrio.raw.read(source)
"""
TO_LABELBOX = """
from labelconv import convert
options = {"class_key": "class", "sample_key": "image"}
report = convert(source, target, to="labelbox", reader_options=options, jobs=jobs)
assert report.ledger.annotations.changed == report.ledger.annotations.read > 0
"""
POLYGONS = """
import numpy, pyproj, random, shapely
from labelconv import model, problems
draw = random.Random(1)
def rings(count, wide, least=6, most=20):
    for number in range(count):
        x, y = draw.uniform(300_000, 300_000 + wide), draw.uniform(5_300_000, 5_300_000 + wide)
        turns = sorted(draw.uniform(0, 6.28) for _ in range(draw.randint(least, most)))
        ring = [n for t in turns for n in (x + 9 * numpy.cos(t), y + 9 * numpy.sin(t))]
        yield tuple(map(float, ring))
def arrays(rings):
    return [numpy.array(ring).reshape(-1, 2) for ring in rings]
"""
TRANSFORMS = """
there = pyproj.Transformer.from_crs("EPSG:32633", "EPSG:4326", always_xy=True)
for _ in range(count // 10_000):
    polygons = list(rings(10_000, 400_000, vertices, vertices))
"""
#: A roof has 5 to 9 vertices; 13 is the mean of the polygons in the other measurements.
VERTICES = (5, 7, 9, 13)
CALL_A_FEATURE = """
    ready = arrays(polygons)
    with timed():
        for array in ready:
            there.transform(array[:, 0], array[:, 1])
"""
CALL_A_SAMPLE = """
    from labelconv.crs import transform
    change = transform.change("EPSG:32633", "EPSG:4326").to
    ready = [numpy.concatenate(arrays(polygons[at : at + 1_000])) for at in range(0, 10_000, 1_000)]
    with timed():
        for array in ready:
            change(array)
"""
SAMPLES = """
wide = 400_000 if whole else 40_000
each = count if whole else 10_000
windows = 100 if whole else 10
side = wide / windows
for _ in range(count // each):
    polygons = list(rings(each, wide))
"""
BARE_CHIPS = """
    shapes = numpy.array([shapely.Polygon(array) for array in arrays(polygons)])
    boxes = numpy.array([
        shapely.box(300_000 + i * side, 5_300_000 + j * side,
                    300_000 + (i + 1) * side, 5_300_000 + (j + 1) * side)
        for j in range(windows) for i in range(windows)])
    with timed():
        of_box, of_shape = shapely.STRtree(shapes).query(boxes, predicate="intersects")
        shapely.intersection(shapes[of_shape], boxes[of_box])
"""
OUR_CHIPS = """
    from labelconv.chips import chips
    annotations = tuple(
        model.Annotation(str(n), "a", model.Polygon(((r,),))) for n, r in enumerate(polygons))
    area = (300_000.0, 5_300_000.0, 300_000.0 + wide, 5_300_000.0 + wide)
    media = model.TiledImage("EPSG:32633", area)
    dataset = model.Samples([model.Sample("s", media, annotations)])
    with timed():
        cut = chips((side, side))(dataset, problems.Report())
        total = sum(len(sample.annotations) for sample in cut)
    assert total >= len(polygons)
"""
FRAME = """
import contextlib, json, resource, sys, time
source, target, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
jobs = whole = vertices = int(sys.argv[4])
parts = []
@contextlib.contextmanager
def timed():
    began = time.process_time(), time.perf_counter()
    yield
    parts.append((time.process_time() - began[0], time.perf_counter() - began[1]))
with timed():
{body}
if len(parts) > 1:  # what is around the parts that are timed is not asked for
    del parts[-1]
cpu, wall = map(sum, zip(*parts))
who = resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN
peak = max(resource.getrusage(each).ru_maxrss for each in who) / 1024
print(json.dumps(dict(cpu=cpu, wall=wall, peak=peak)))
"""


def measured(body: str, arguments: list[str], repeat: int) -> dict[str, float]:
    """The least seconds and megabytes of some runs."""
    best: dict[str, float] = {}
    script = FRAME.replace("{body}", textwrap.indent(body, "    "))
    for _ in range(repeat):
        command = [sys.executable, "-c", script, *arguments]
        done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=HERE)
        found = json.loads(done.stdout.splitlines()[-1])
        best = {name: min(value, best.get(name, value)) for name, value in found.items()}
    return best


#: What is compared with what, by the names in `bodies`.
RATIOS = {
    "lines": [
        ("GeoJSON to Labelbox", "pyogrio reads"),
        ("GeoJSON to Labelbox, one process", "pyogrio reads"),
    ],
    "transforms": [
        (f"{number} vertices, a call a feature", f"{number} vertices, a call a sample")
        for number in VERTICES
    ],
    "chips": [("chips", "STRtree query and clip")],
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--polygons", type=int, default=100_000)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--only", default=",".join(RATIOS))
    parser.add_argument("--whole", action="store_true")
    arguments = parser.parse_args()
    count, repeat = str(arguments.polygons), arguments.repeat
    chosen = [RATIOS[name] for name in arguments.only.split(",")]
    with tempfile.TemporaryDirectory() as room:
        source, target = f"{room}/roofs.geojson", f"{room}/out.ndjson"
        if "lines" in arguments.only.split(","):
            generate = [sys.executable, str(HERE / "generate_geojson.py"), "--polygons", count]
            subprocess.run([*generate, "--out", source], check=True)
        moved, cut = POLYGONS + TRANSFORMS, POLYGONS + SAMPLES
        whole = int(arguments.whole)
        bodies = {
            "pyogrio reads": (READ_BY_PYOGRIO, 0),
            "GeoJSON to Labelbox": (TO_LABELBOX, 0),
            "GeoJSON to Labelbox, one process": (TO_LABELBOX, 1),
            "STRtree query and clip": (cut + BARE_CHIPS, whole),
            "chips": (cut + OUR_CHIPS, whole),
        }
        for number, (one, other) in zip(VERTICES, RATIOS["transforms"], strict=True):
            bodies[one] = moved + CALL_A_FEATURE, number
            bodies[other] = moved + CALL_A_SAMPLE, number
        asked = {name for ratios in chosen for pair in ratios for name in pair}
        found = {
            name: measured(body, [source, target, count, str(how)], repeat)
            for name, (body, how) in bodies.items()
            if name in asked
        }
    print("| what | seconds | CPU seconds | peak MB |\n|---|---|---|---|")
    for name, row in found.items():
        print(f"| {name} | {row['wall']:.2f} | {row['cpu']:.2f} | {row['peak']:.0f} |")
    print()
    for ratios in chosen:
        for one, other in ratios:
            print(f"{one} / {other}: {found[one]['wall'] / found[other]['wall']:.2f}")


if __name__ == "__main__":
    main()
