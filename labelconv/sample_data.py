"""Small datasets for trying things out, valid or damaged; the same for the same seed."""

from __future__ import annotations

import json
from random import Random
from typing import Any

from labelconv import masks
from labelconv.errors import OptionError
from labelconv.model import (
    Annotation,
    Box,
    Category,
    Checklist,
    Classification,
    FreeText,
    Image,
    Keypoint,
    Keypoints,
    Mask,
    Ontology,
    Option,
    OrientedBox,
    Point,
    Polygon,
    Polyline,
    Question,
    Radio,
    Relation,
    Sample,
    Samples,
    Value,
)
from labelconv.sample_media import sample_of

_WIDTH, _HEIGHT = 320, 240
_JOINTS = ("nose", "left hand", "right hand")
_COLOURS = ("red", "grün", "blue")

#: The ontology of all sample data.
ONTOLOGY = Ontology(
    categories=(
        Category(
            name="car",
            questions=(
                Question(
                    name="colour",
                    kind="radio",
                    options=tuple(Option(name=name) for name in _COLOURS),
                ),
            ),
        ),
        Category(name="person", keypoints=_JOINTS, skeleton=((0, 1), (0, 2))),
        Category(name="étang"),
        Category(name="犬 🐕"),
        Category(name="road"),
    ),
    questions=(
        Question(
            name="weather",
            kind="checklist",
            options=(Option(name="sunny"), Option(name="windy"), Option(name="Schnee")),
        ),
        Question(name="remark", kind="text"),
    ),
)


def generate(samples: int = 10, seed: int = 0, media: type[Any] = Image) -> Samples:
    """So many samples of one kind of media, with annotations; the last one has none.

    Pictures have boxes, polygons with parts and holes, masks, turned boxes, lines, points and
    skeletons; answers, relations, confidence, and names that are not ASCII. For other media see
    `labelconv.sample_media`.
    """
    if samples < 1:
        raise OptionError(f"at least one sample expected, {samples} found")
    random = Random(seed)  # noqa: S311 - no secret
    numbers = range(1, samples + 1)
    if media is not Image:
        return Samples([sample_of(media, n, random, empty=n == samples > 1) for n in numbers])
    return Samples([_sample(n, random, empty=n == samples > 1) for n in numbers], ONTOLOGY)


def _sample(number: int, random: Random, *, empty: bool) -> Sample:
    name = f"{'bild' if number % 2 else 'größe'}_{number}.jpg"
    media = Image(float(_WIDTH), float(_HEIGHT))
    if empty:
        return Sample(name, media, uri=name)
    left, top = _spot(random)
    annotations = (
        Annotation("1", "car", Box(left, top, left + 40, top + 24.5), _colour(random), 0.75),
        Annotation("2", "person", _skeleton(random)),
        Annotation("3", "étang", _pond(random)),
        Annotation("4", "étang", _two_parts(random)),
        Annotation("5", "犬 🐕", _disc(random)),
        Annotation("6", "road", Polyline((0.0, top, left, top + 10, float(_WIDTH), top + 5))),
        Annotation("7", "犬 🐕", Point(left + 5, top + 5), confidence=0.5),
        Annotation("8", "car", OrientedBox(left + 30, top + 30, 40.0, 20.0, 30.0)),
        Annotation("9", "car", Polygon(((_triangle(random),),))),
    )
    ticked = tuple(Radio(name) for name in ("sunny", "windy", "Schnee") if random.random() < 0.6)
    answers = (
        Classification("weather", Checklist(ticked or (Radio("sunny"),))),
        Classification("remark", FreeText(f"Straße {number} “left”")),
    )
    relations = (
        Relation("r1", "walks", "2", "5"),
        Relation("r2", "near", "1", "2", directed=False),
    )
    # Not every picture has everything.
    kept = annotations if number == 1 else annotations[: random.randint(3, len(annotations))]
    ids = {annotation.id for annotation in kept}
    related = tuple(r for r in relations if r.source in ids and r.target in ids)
    return Sample(name, media, kept, answers[: 1 + number % 2], related, name)


def _spot(random: Random) -> tuple[float, float]:
    """A place that leaves 80 pixels to the right and below; quarters survive every format."""
    return random.randrange(4 * (_WIDTH - 80)) / 4, random.randrange(4 * (_HEIGHT - 80)) / 4


def _colour(random: Random) -> tuple[Classification, ...]:
    return (Classification("colour", Radio(random.choice(_COLOURS))),)


def _skeleton(random: Random) -> Value:
    x, y = _spot(random)
    points = (
        Keypoint("nose", x + 20, y + 5),
        Keypoint("left hand", x + 5, y + 30, visible=False),
        Keypoint("right hand", x + 35, y + 30),
    )
    return Keypoints(points, Box(x, y, x + 40, y + 70))


def _pond(random: Random) -> Value:
    """A square with a square hole."""
    x, y = _spot(random)
    return Polygon(((_square(x, y, 60), _square(x + 20, y + 20, 20)),))


def _two_parts(random: Random) -> Value:
    x, y = _spot(random)
    return Polygon(((_square(x, y, 25),), (_square(x + 40, y + 10, 30),)))


def _square(x: float, y: float, side: float) -> tuple[float, ...]:
    return (x, y, x + side, y, x + side, y + side, x, y + side)


def _triangle(random: Random) -> tuple[float, ...]:
    x, y = _spot(random)
    return (x, y, x + 50.5, y + 10, x + 20, y + 40.25)


def _disc(random: Random) -> Mask:
    """The pixels of a disc, column by column."""
    radius = random.randint(8, 30)
    middle_x = random.randint(radius, _WIDTH - radius - 1)
    middle_y = random.randint(radius, _HEIGHT - radius - 1)
    runs: list[int] = []
    background = 0
    for x in range(_WIDTH):
        reach = radius * radius - (x - middle_x) ** 2
        half = int(reach**0.5) if reach >= 0 else -1
        if half < 0:
            background += _HEIGHT
            continue
        runs += [background + middle_y - half, 2 * half + 1]
        background = _HEIGHT - middle_y - half - 1
    runs.append(background)
    return masks.from_runs((_HEIGHT, _WIDTH), runs)


# ------------------------------------------------------------------------------------ damage


def damaged(data: bytes, seed: int = 0) -> bytes:
    """A file's content with about every third record damaged, in turn in five ways.

    A JSON file is damaged in its longest list of objects; of any other text every third line. The
    ways: a field is missing, has a value of the wrong type, is cut short; the record is cut off
    (lines) or not an object (lists); it is there twice.
    """
    text = data.decode("utf-8")
    random = Random(seed)  # noqa: S311 - no secret
    try:
        whole = json.loads(text)
    except ValueError:
        return _damaged_lines(text, random).encode("utf-8")
    records = _longest_list(whole)
    if records is None:
        return _damaged_lines(text, random).encode("utf-8")
    out: list[Any] = []
    for number, record in enumerate(records):
        way = _way(number)
        if way is None:
            out.append(record)
        elif way == len(_WAYS):
            out.append("not an object")
        else:
            out.extend(_WAYS[way](record, random))
    records[:] = out
    return json.dumps(whole, ensure_ascii=False).encode("utf-8") + b"\n"


def _way(number: int) -> int | None:
    """Which damage the record of this number gets, if any: the second of every three."""
    return number // 3 % (len(_WAYS) + 1) if number % 3 == 1 else None


def _damaged_lines(text: str, random: Random) -> str:
    out = []
    for number, line in enumerate(text.splitlines()):
        way = _way(number)
        record = _object(line)
        if way is None:
            out.append(line)
        elif way == len(_WAYS) or record is None:
            out.append(line[: len(line) // 2])
        else:
            out.extend(json.dumps(each) for each in _WAYS[way](record, random))
    return "\n".join(out) + "\n"


def _object(line: str) -> dict[str, Any] | None:
    try:
        value = json.loads(line)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def _longest_list(value: Any) -> list[Any] | None:
    """The longest list of objects in a JSON value, at any depth."""
    found: list[list[Any]] = []

    def look(part: Any) -> None:
        if isinstance(part, list):
            if part and all(isinstance(item, dict) for item in part):
                found.append(part)
            for item in part:
                look(item)
        elif isinstance(part, dict):
            for item in part.values():
                look(item)

    look(value)
    return max(found, key=len, default=None)


def _without_field(record: dict[str, Any], random: Random) -> list[dict[str, Any]]:
    gone = _structured(record, random)
    return [{name: value for name, value in record.items() if name != gone}]


def _with_wrong_type(record: dict[str, Any], random: Random) -> list[dict[str, Any]]:
    return [{**record, _structured(record, random): True}]


def _with_cut_value(record: dict[str, Any], random: Random) -> list[dict[str, Any]]:
    name = _structured(record, random)
    value = record[name]
    short: Any = None
    if isinstance(value, (list, str)):
        short = value[: len(value) // 2]
    elif isinstance(value, dict):
        short = dict(list(value.items())[: len(value) // 2])
    return [{**record, name: short}]


def _twice(record: dict[str, Any], _: Random) -> list[dict[str, Any]]:
    return [record, record]


_WAYS = (_without_field, _with_wrong_type, _with_cut_value, _twice)


def _structured(record: dict[str, Any], random: Random) -> str:
    """A field to damage: one that holds something made of parts, where there is one."""
    names = [name for name, value in record.items() if isinstance(value, (list, dict)) and value]
    return random.choice(names or list(record))
