"""Write a synthetic YOLO dataset: label files, data.yaml, and pictures that are headers only.

Standard library only, and the same files for the same arguments on every machine:

    python generate_yolo.py --images 10000 --out /dev/shm/yolo-10k
    python generate_yolo.py --images 10000 --segments --out /dev/shm/yolo-10k-segments
    python generate_yolo.py --images 100000 --folders 1000 --out /dev/shm/yolo-folders

Numbers of annotations, classes and sizes of pictures follow COCO train2017, as those of
generate_coco.py do. The pictures are JPEG and PNG files of some hundred bytes: a header that says
the size, and a scan that is cut off. Programs that read headers take them, decoders do not.
"""

from __future__ import annotations

import argparse
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from random import Random

from generate_coco import CATEGORY_NAMES, PICTURE_SIZES

MEAN_ANNOTATIONS = 7.3
NAMES = [name for group in CATEGORY_NAMES.values() for name in group.split(",")]
VERTICES = (4, 50)
PNG_SHARE = 0.05


def jpeg(width: int, height: int) -> bytes:
    """A baseline JPEG up to the start of its scan, and its end."""

    def segment(marker: int, data: bytes) -> bytes:
        return struct.pack(">BBH", 0xFF, marker, len(data) + 2) + data

    components = b"".join(bytes((number, 0x11, 0)) for number in (1, 2, 3))
    return b"".join(
        (
            b"\xff\xd8",
            segment(0xE0, b"JFIF\0\1\1\0\0\1\0\1\0\0"),
            segment(0xDB, bytes(1) + bytes(range(1, 65))),
            segment(0xC0, struct.pack(">BHHB", 8, height, width, 3) + components),
            segment(0xDA, b"\3\1\0\2\0\3\0\0\x3f\0"),
            bytes(200),
            b"\xff\xd9",
        )
    )


def png(width: int, height: int) -> bytes:
    """A PNG whose pixels are cut off."""

    def chunk(name: bytes, data: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(name + data))
        return struct.pack(">I", len(data)) + name + data + check

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"".join(
        (
            b"\x89PNG\r\n\x1a\n",
            chunk(b"IHDR", header),
            chunk(b"IDAT", bytes(9)),
            chunk(b"IEND", b""),
        )
    )


def rows(random: Random, *, segments: bool) -> Iterator[str]:
    """The rows of one label file; none in one picture of a hundred."""
    if random.random() < 0.01:
        return
    for _ in range(1 + min(int(random.expovariate(1 / (MEAN_ANNOTATIONS - 0.5))), 90)):
        number = int(len(NAMES) * random.random() ** 2)
        wide, high = 0.01 + 0.6 * random.random() ** 2, 0.01 + 0.6 * random.random() ** 2
        left, top = (1 - wide) * random.random(), (1 - high) * random.random()
        if segments:
            points = random.randint(*VERTICES)
            numbers = [
                side + length * random.random()
                for _ in range(points)
                for side, length in ((left, wide), (top, high))
            ]
        else:
            numbers = [left + wide / 2, top + high / 2, wide, high]
        yield f"{number} {' '.join(f'{value:.6f}' for value in numbers)}\n"


def write(out: Path, images: int, folders: int, *, segments: bool, seed: int) -> None:
    """Write the whole dataset below `out`."""
    random = Random(seed)
    sizes = [size for size, _ in PICTURE_SIZES]
    weights = [weight for _, weight in PICTURE_SIZES]
    pictures = {size: (jpeg(*size), png(*size)) for size in sizes}
    each = images // folders
    for folder in range(folders):
        inside = "train" if folders == 1 else f"train/{folder:04d}"
        (out / "images" / inside).mkdir(parents=True)
        (out / "labels" / inside).mkdir(parents=True)
        for number in range(each):
            (size,) = random.choices(sizes, weights)
            is_png = random.random() < PNG_SHARE
            name = f"{inside}/{folder * each + number + 1:012d}"
            path = out / "images" / f"{name}.{'png' if is_png else 'jpg'}"
            path.write_bytes(pictures[size][is_png])
            text = "".join(rows(random, segments=segments))
            (out / "labels" / f"{name}.txt").write_text(text, encoding="ascii")
    names = "".join(f"  {number}: {name}\n" for number, name in enumerate(NAMES))
    text = f"path: .\ntrain: images/train\nval: images/train\nnc: {len(NAMES)}\nnames:\n{names}"
    (out / "data.yaml").write_text(text, encoding="ascii")


def main() -> None:
    """Read the command line and write the dataset."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, default=10_000)
    parser.add_argument("--folders", type=int, default=1, help="pictures are spread evenly")
    parser.add_argument("--segments", action="store_true", help="polygons instead of boxes")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    write(
        arguments.out,
        arguments.images,
        arguments.folders,
        segments=arguments.segments,
        seed=arguments.seed,
    )


if __name__ == "__main__":
    main()
