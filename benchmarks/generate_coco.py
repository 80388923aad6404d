"""Write a synthetic COCO instances file with the statistics of COCO train2017.

Standard library only, and the same file for the same arguments on every machine:

    python generate_coco.py --images 10000 --seed 1 --out coco-10k.json
    python generate_coco.py --images 10000 --seed 1 --shuffled --out coco-10k-shuffled.json

Both files hold the same annotations; the second has them mixed over the whole file, which is how
the real one is. Grouped output keeps only the picture ids in memory; shuffled output keeps every
annotation's text (about 0.6 GB at 118,000 pictures).
"""

from __future__ import annotations

import argparse
import json
import math
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from random import Random
from typing import IO, NamedTuple

CATEGORY_NAMES: dict[str, str] = {
    "person": "person",
    "vehicle": "bicycle,car,motorcycle,airplane,bus,train,truck,boat",
    "outdoor": "traffic light,fire hydrant,stop sign,parking meter,bench",
    "animal": "bird,cat,dog,horse,sheep,cow,elephant,bear,zebra,giraffe",
    "accessory": "backpack,umbrella,handbag,tie,suitcase",
    "sports": "frisbee,skis,snowboard,sports ball,kite,baseball bat,baseball glove,skateboard,"
    "surfboard,tennis racket",
    "kitchen": "bottle,wine glass,cup,fork,knife,spoon,bowl",
    "food": "banana,apple,sandwich,orange,broccoli,carrot,hot dog,pizza,donut,cake",
    "furniture": "chair,couch,potted plant,bed,dining table,toilet",
    "electronic": "tv,laptop,mouse,remote,keyboard,cell phone",
    "appliance": "microwave,oven,toaster,sink,refrigerator",
    "indoor": "book,clock,vase,scissors,teddy bear,hair drier,toothbrush",
}
UNUSED_CATEGORY_IDS = frozenset({12, 26, 29, 30, 45, 66, 68, 69, 71, 83})
CATEGORY_IDS = [number for number in range(1, 91) if number not in UNUSED_CATEGORY_IDS]

# Width, height in pixels, and how common the size is.
PICTURE_SIZES = [
    ((640, 480), 40),
    ((640, 427), 20),
    ((480, 640), 13),
    ((640, 425), 8),
    ((427, 640), 7),
    ((500, 375), 5),
    ((640, 360), 4),
    ((612, 612), 3),
]

LICENSE_COUNT = 8
EMPTY_PICTURE_SHARE = 0.01
CROWD_SHARE = 0.01
MULTI_PART_SHARE = 0.08
MEAN_ANNOTATIONS = 7.43  # in a picture that has any
MAXIMUM_ANNOTATIONS = 90
FIRST_CROWD_ID = 900_100_000_000


class Picture(NamedTuple):
    """One picture: its COCO id and its size in pixels."""

    identifier: int
    width: int
    height: int


class Outline(NamedTuple):
    """A polygon part: flat x, y list in hundredths of a pixel, twice its area in the same unit."""

    coordinates: list[int]
    doubled_area: int


def generator(seed: int, purpose: str) -> Random:
    """Return an independent random source for one purpose, so that passes can be repeated."""
    return Random(f"{seed}/{purpose}")


def picture_ids(count: int, seed: int) -> list[int]:
    """Draw `count` unique picture ids, unordered and with gaps, as the real file has them."""
    return generator(seed, "ids").sample(range(1, max(600_000, count * 5)), count)


def pictures(identifiers: list[int], seed: int) -> Iterator[Picture]:
    """Give every picture its size; repeatable, so that no list of pictures has to be kept."""
    random = generator(seed, "sizes")
    sizes = [size for size, _ in PICTURE_SIZES]
    weights = [weight for _, weight in PICTURE_SIZES]
    for identifier in identifiers:
        width, height = random.choices(sizes, weights)[0]
        yield Picture(identifier, width, height)


def picture_text(picture: Picture, random: Random) -> str:
    """One entry of `images` as JSON."""
    name = f"{picture.identifier:012d}.jpg"
    flickr = f"{random.randrange(10**9, 10**10)}_{random.getrandbits(40):010x}_z.jpg"
    farm = f"farm{random.randint(1, 9)}.staticflickr.com/{random.randint(1000, 9999)}"
    taken = (
        f"2013-11-{random.randint(14, 28):02d} {random.randrange(24):02d}"
        f":{random.randrange(60):02d}:{random.randrange(60):02d}"
    )
    return (
        f'{{"license": {random.randint(1, LICENSE_COUNT)},"file_name": "{name}",'
        f'"coco_url": "http://images.cocodataset.org/train2017/{name}",'
        f'"height": {picture.height},"width": {picture.width},"date_captured": "{taken}",'
        f'"flickr_url": "http://{farm}/{flickr}","id": {picture.identifier}}}'
    )


def annotation_count(random: Random) -> int:
    """How many annotations a picture gets; a long tail, and 1 % with none."""
    if random.random() < EMPTY_PICTURE_SHARE:
        return 0
    drawn = int(random.expovariate(1 / (MEAN_ANNOTATIONS - 0.5))) + 1
    return min(drawn, MAXIMUM_ANNOTATIONS)


def extent(limit: int, random: Random) -> int:
    """Draw a length in pixels: many small, few as long as the picture (`limit`)."""
    return max(6, min(limit, int(random.lognormvariate(4.0, 0.95))))


def vertex_count(width: int, height: int, random: Random) -> int:
    """Draw how many vertices a part of this size in pixels has; the mean is near 27."""
    drawn = 5 + int(random.gammavariate(1.6, 13.2))
    return min(drawn, 6 + (width + height) // 2)


def outline(left: int, top: int, width: int, height: int, random: Random) -> Outline:
    """A simple (star-shaped) polygon inside a box given in pixels."""
    count = vertex_count(width, height, random)
    center_x, center_y = left * 100 + width * 50, top * 100 + height * 50
    radius_x, radius_y = width * 50, height * 50
    draw, cosine, sine = random.random, math.cos, math.sin
    step = math.tau / count
    coordinates: list[int] = []
    doubled_area = 0
    previous_x = previous_y = 0
    for number in range(count):
        angle = (number + 0.8 * draw()) * step
        distance = 0.55 + 0.45 * draw()
        x = center_x + int(radius_x * distance * cosine(angle))
        y = center_y + int(radius_y * distance * sine(angle))
        coordinates.append(x)
        coordinates.append(y)
        doubled_area += previous_x * y - x * previous_y
        previous_x, previous_y = x, y
    # The loop began at (0, 0), whose first term is zero; this one closes the ring.
    doubled_area += previous_x * coordinates[1] - coordinates[0] * previous_y
    return Outline(coordinates, abs(doubled_area))


def place(picture: Picture, random: Random) -> tuple[int, int, int, int]:
    """A box inside the picture: left, top, width, height in whole pixels."""
    width = extent(picture.width, random)
    height = extent(picture.height, random)
    left = random.randint(0, picture.width - width)
    top = random.randint(0, picture.height - height)
    return left, top, width, height


def polygon_text(picture: Picture, head: str, tail: str, random: Random) -> str:
    """One annotation with one polygon part or several, which do not touch each other."""
    left, top, width, height = place(picture, random)
    part_count = 1
    if width >= 24 and random.random() < MULTI_PART_SHARE * 1.25:
        part_count = 2 if random.random() < 0.8 else 3
    slice_width = width // part_count
    parts = [
        outline(left + number * slice_width, top, slice_width - (part_count > 1), height, random)
        for number in range(part_count)
    ]
    horizontal = [x for part in parts for x in part.coordinates[0::2]]
    vertical = [y for part in parts for y in part.coordinates[1::2]]
    x, y = min(horizontal), min(vertical)
    box_width, box_height = max(horizontal) - x, max(vertical) - y
    area = sum(part.doubled_area for part in parts) / 20_000
    segmentation = ",".join(
        "[" + ",".join([repr(value / 100) for value in part.coordinates]) + "]" for part in parts
    )
    return (
        f'{{"segmentation": [{segmentation}],"area": {area!r},"iscrowd": 0,{head}'
        f'"bbox": [{x / 100!r},{y / 100!r},{box_width / 100!r},{box_height / 100!r}],{tail}}}'
    )


def crowd_text(picture: Picture, head: str, tail: str, random: Random) -> str:
    """One crowd annotation: column-major run lengths that start with the background."""
    left, top, width, height = place(picture, random)
    counts: list[int] = []
    background = left * picture.height
    area, first_row, end_row = 0, picture.height, 0
    for _ in range(width):
        start = top + random.randint(0, height // 4)
        stop = top + height - random.randint(0, height // 4)
        counts += (background + start, stop - start)
        background = picture.height - stop
        area += stop - start
        first_row, end_row = min(first_row, start), max(end_row, stop)
    background += (picture.width - left - width) * picture.height
    if background:
        counts.append(background)
    runs = ",".join(map(str, counts))
    return (
        f'{{"segmentation": {{"counts": [{runs}],"size": [{picture.height},{picture.width}]}},'
        f'"area": {area},"iscrowd": 1,{head}'
        f'"bbox": [{left},{first_row},{width},{end_row - first_row}],{tail}}}'
    )


def annotation_texts(identifiers: list[int], seed: int) -> Iterator[str]:
    """Every annotation as JSON, picture after picture, in the order of `images`."""
    random = generator(seed, "annotations")
    # A person is by far the most common class; the rest falls off slowly.
    weights = [40.0] + [10.0 / (rank + 4) + 0.4 for rank in range(len(CATEGORY_IDS) - 1)]
    number = 0
    for picture in pictures(identifiers, seed):
        count = annotation_count(random)
        for category in random.choices(CATEGORY_IDS, weights, k=count):
            number += 1
            head = f'"image_id": {picture.identifier},'
            if random.random() < CROWD_SHARE:
                tail = f'"category_id": {category},"id": {FIRST_CROWD_ID + number}'
                yield crowd_text(picture, head, tail, random)
            else:
                tail = f'"category_id": {category},"id": {number * 2 + 1}'
                yield polygon_text(picture, head, tail, random)


def picture_texts(identifiers: list[int], seed: int) -> Iterator[str]:
    """Every entry of `images` as JSON."""
    random = generator(seed, "pictures")
    for picture in pictures(identifiers, seed):
        yield picture_text(picture, random)


def categories() -> list[dict[str, object]]:
    """The 80 classes of COCO with their gapped ids."""
    names = [
        (group, name) for group, joined in CATEGORY_NAMES.items() for name in joined.split(",")
    ]
    return [
        {"supercategory": group, "id": identifier, "name": name}
        for identifier, (group, name) in zip(CATEGORY_IDS, names, strict=True)
    ]


def write_joined(target: IO[str], texts: Iterable[str]) -> int:
    """Write texts with commas between them; returns how many."""
    count = 0
    for text in texts:
        if count:
            target.write(",")
        target.write(text)
        count += 1
    return count


def write_coco(target: IO[str], images: int, seed: int, shuffled: bool) -> int:
    """Write the whole file in the key order of real COCO; returns the number of annotations."""
    information = {
        "description": f"Synthetic COCO, {images} pictures, seed {seed}",
        "url": "http://example.org",
        "version": "1.0",
        "year": 2017,
        "contributor": "labelconv benchmarks",
        "date_created": "2017/09/01",
    }
    licenses = [
        {"url": f"http://example.org/licenses/{number}/", "id": number, "name": f"License {number}"}
        for number in range(1, LICENSE_COUNT + 1)
    ]
    identifiers = picture_ids(images, seed)
    target.write(f'{{"info": {json.dumps(information)},"licenses": {json.dumps(licenses)},')
    target.write('"images": [')
    write_joined(target, picture_texts(identifiers, seed))
    target.write('],"annotations": [')
    annotations: Iterable[str] = annotation_texts(identifiers, seed)
    if shuffled:
        everything = list(annotations)
        generator(seed, "order").shuffle(everything)
        annotations = everything
    count = write_joined(target, annotations)
    target.write(f'],"categories": {json.dumps(categories())}}}')
    return count


def generate(out: Path, images: int, seed: int, shuffled: bool) -> int:
    """Write the file beside its place and move it there whole; returns the annotation count."""
    unfinished = out.with_name(f"{out.name}.{os.getpid()}.part")
    try:
        with unfinished.open("w", encoding="ascii", newline="\n", buffering=1 << 20) as target:
            count = write_coco(target, images, seed, shuffled)
        unfinished.replace(out)
    finally:
        unfinished.unlink(missing_ok=True)
    return count


def main() -> None:
    """Read the arguments, write the file, say what is in it."""
    parser = argparse.ArgumentParser(description="Write a synthetic COCO instances file.")
    parser.add_argument("--images", type=int, required=True, help="number of pictures")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--shuffled", action="store_true", help="mix annotations over the file")
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    count = generate(arguments.out, arguments.images, arguments.seed, arguments.shuffled)
    size = arguments.out.stat().st_size / 1e6
    print(f"{arguments.out}: {arguments.images} pictures, {count} annotations, {size:.1f} MB")


if __name__ == "__main__":
    main()
