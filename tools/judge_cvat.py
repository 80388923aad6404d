"""Datumaro reads the CVAT files that we write, and finds in them what was written.

    python tools/judge_cvat.py PYTHON

PYTHON has datumaro, which needs older pandas, Pillow, pyarrow and OpenCV than our other judges and
so lives in an environment of its own (`make judge`). Exits with 1 and says where they differ.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from PIL import Image as Picture

import labelconv as lc
from labelconv.model import (
    Annotation,
    Box,
    Classification,
    Image,
    OrientedBox,
    Point,
    Polygon,
    Polyline,
    Radio,
    Sample,
    Samples,
    Shape,
    Track,
    Video,
)
from labelconv.tracks import track_of

_READ = """
import json, sys
from datumaro.components.annotation import AnnotationType
from datumaro.components.dataset import Dataset
dataset = Dataset.import_from(sys.argv[1], "cvat")
names = [each.name for each in dataset.categories()[AnnotationType.label]]
found = [
    [
        item.attributes["frame"], names[each.label], type(each).__name__,
        [round(float(number), 2) for number in each.points], each.attributes.get("track_id"),
        bool(each.attributes.get("outside")), each.attributes.get("colour"),
    ]
    for item in dataset for each in item.annotations
]
print(json.dumps(found))
"""
_RED, _BLUE = ((Classification("colour", Radio(name)),) for name in ("red", "blue"))
_POINTS = (10.0, 10.0, 60.0, 12.0, 30.0, 50.0)
_SHAPES: tuple[tuple[str, Shape], ...] = (
    ("car", Box(1.0, 2.0, 11.5, 8.25)),
    ("boat", OrientedBox(50.0, 40.0, 30.0, 20.0, 30.0)),
    ("roof", Polygon(((_POINTS,),))),
    ("lane", Polyline(_POINTS)),
    ("nose", Point(7.5, 8.5)),
)
#: The names of shapes and their numbers in datumaro.
_KINDS: dict[type, str] = {
    Box: "Bbox",
    OrientedBox: "RotatedBbox",
    Polygon: "Polygon",
    Polyline: "PolyLine",
    Point: "Points",
}


def video() -> Sample:
    """Two cars of one class with gaps and answers that change, and a track of each other shape."""
    moving = [Box(float(frame), 2.0, frame + 10.0, 8.0) for frame in range(6)]
    answers = [_RED, _RED, _BLUE, _BLUE, _RED, _RED]
    tracks = [
        track_of([0, 1, 2, 5, 6, 7], moving, answers),
        track_of([0, 1, 2, 3, 4, 5], moving),
        *(track_of([3, 4], [shape, shape]) for _, shape in _SHAPES),
    ]
    names = ["car", "car", *(name for name, _ in _SHAPES)]
    annotations = tuple(
        Annotation(str(number), name, track)
        for number, (name, track) in enumerate(zip(names, tracks, strict=True))
    )
    return Sample("clip.mp4", Video(100.0, 80.0, 20), annotations)


def pictures() -> list[Sample]:
    """Two pictures, in a folder each."""
    annotations = tuple(
        Annotation(str(number), name, shape, _RED if name == "car" else ())
        for number, (name, shape) in enumerate(_SHAPES)
    )
    return [Sample(f"{folder}/1.png", Image(100.0, 80.0), annotations) for folder in ("one", "two")]


def expected(samples: list[Sample]) -> list[list[Any]]:
    """What datumaro should find: keyframes, and where each segment ends the frame after."""
    found: list[list[Any]] = []
    for number, sample in enumerate(samples):
        for annotation in sample.annotations:
            value: Any = annotation.value
            if not isinstance(value, Track):
                asked = annotation.classifications
                found.append(_found(number, annotation, value, None, asked))
                continue
            for segment in value.segments:
                for each in segment:
                    asked = each.classifications
                    row = _found(each.frame, annotation, each.shape, int(annotation.id), asked)
                    found.append(row)
                after = _found(segment[-1].frame + 1, annotation, segment[-1].shape, row[4], ())
                found.append([*after[:5], True, None])
    return found


def _found(
    frame: int,
    annotation: Annotation,
    shape: Shape,
    track: int | None,
    asked: tuple[Classification, ...],
) -> list[Any]:
    answer: Any = asked[0].answer if asked else None
    colour = None if answer is None else answer.name
    kind = _KINDS[type(shape)]
    return [frame, annotation.category, kind, _numbers(shape), track, False, colour]


def _numbers(shape: Any) -> list[float]:
    if isinstance(shape, Box):
        return [shape.x0, shape.y0, shape.x1, shape.y1]
    if isinstance(shape, OrientedBox):
        return [shape.x, shape.y, shape.width, shape.height, shape.angle]
    if isinstance(shape, Point):
        return [shape.x, shape.y]
    return list(shape.points if isinstance(shape, Polyline) else shape.parts[0][0])


def judged(python: str, path: Path) -> list[list[Any]]:
    """What datumaro finds in a file."""
    try:
        done = subprocess.run(  # noqa: S603 - the interpreter that the caller names
            [python, "-c", _READ, str(path)], check=False, capture_output=True, text=True
        )
    except OSError as error:
        sys.exit(f"{python}: a Python with datumaro expected (`make judge` makes one); {error}")
    if done.returncode:
        said = done.stderr.strip().rpartition("\n")[2]
        sys.exit(f"{python}: datumaro could not read the {path.parent.name} file; {said}")
    found: list[list[Any]] = json.loads(done.stdout.splitlines()[-1])
    return found


def main(python: str) -> int:
    differ = 0
    with tempfile.TemporaryDirectory() as room:
        for name, samples in (("cvat-video", [video()]), ("cvat-image", pictures())):
            path = Path(room) / name / "annotations.xml"
            path.parent.mkdir()
            for sample in samples:
                if isinstance(sample.media, Image):  # datumaro wants to see the pictures
                    picture = path.parent / "images" / sample.key
                    picture.parent.mkdir(parents=True)
                    Picture.new("RGB", (100, 80)).save(picture)
            lc.write(Samples(samples), path, name)
            ours = sorted(map(json.dumps, expected(samples)))
            theirs = sorted(map(json.dumps, judged(python, path)))
            only = [
                (" only ours", set(ours) - set(theirs)),
                ("only theirs", set(theirs) - set(ours)),
            ]
            for whose, rows in only:
                for row in sorted(rows):
                    sys.stdout.write(f"{name} {whose}: {row}\n")
            differ += ours != theirs
            sys.stdout.write(f"{name}: {len(theirs)} shapes in datumaro, {len(ours)} written\n")
    return 1 if differ else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
