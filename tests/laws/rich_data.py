"""One rich dataset for each kind of media, with all that the formats of it may have to face."""

from __future__ import annotations

from typing import Any

from labelconv.model import (
    Annotation,
    Box,
    Checklist,
    Classification,
    FreeText,
    Image,
    Keypoint,
    Keypoints,
    Mask,
    OrientedBox,
    Point,
    Polygon,
    Polyline,
    Radio,
    Relation,
    Sample,
    Samples,
)

_SQUARE = (10.0, 10.0, 30.0, 10.0, 30.0, 30.0, 10.0, 30.0)
_HOLE = (15.0, 15.0, 25.0, 15.0, 25.0, 25.0, 15.0, 25.0)
_FAR = (40.0, 10.0, 50.0, 10.0, 45.0, 30.0)
_QUAD = (10.0, 5.0, 30.0, 8.0, 28.0, 20.0, 12.0, 22.0)
_POINTS = (Keypoint("nose", 5, 6), Keypoint("left ear", 7, 8, visible=False))
_NESTED = Classification(
    "weather",
    Radio("wet", (Classification("how", Checklist((Radio("rain"), Radio("fog")))),), 0.5),
)

#: Boxes, oriented boxes, parts, holes, crowds, skeletons, lines, points, answers, relations,
#: confidences, pictures without annotations, names that break parsers, folders with equal names.
_IMAGES = Samples(
    [
        Sample(
            "train/a/1.jpg",
            Image(64, 48),
            (
                Annotation("1", "box", Box(1.5, 2.25, 20, 30), confidence=0.75),
                Annotation("2", "turned box", OrientedBox(30, 20, 20, 10, 30)),
                Annotation("3", "two parts", Polygon(((_SQUARE,), (_FAR,)))),
                Annotation("4", "with a hole", Polygon(((_SQUARE, _HOLE),))),
                Annotation(
                    "5",
                    "crowd",
                    Mask((48, 64), (50, 10, 38, 10, 2964)),
                    extra={"coco:iscrowd": 1},
                ),
                Annotation("6", "skeleton", Keypoints(_POINTS, Box(2, 2, 12, 12))),
                Annotation("7", "bare skeleton", Keypoints(_POINTS)),
                Annotation("8", "line", Polyline((0, 0, 10, 10, 20, 5))),
                Annotation("9", "point", Point(3.5, 4.5)),
                Annotation("10", "ﬁlé \u2028 \U0001f600", Box(0, 0, 64, 48)),
                Annotation("11", "answered", Box(3, 3, 9, 9), (_NESTED,)),
                Annotation("12", "quad", Polygon(((_QUAD,),))),
            ),
            (_NESTED, Classification("note", FreeText("dusk, \u2028 rain"))),
            (
                Relation("r1", "near", "1", "3"),
                Relation("r2", "on", "8", "10", directed=False),
            ),
        ),
        Sample("val/a/1.jpg", Image(10, 10), (Annotation("1", "dog", Box(0, 0, 5, 5)),)),
        Sample("val/a/10.jpg", Image(10, 20), (Annotation("1", "dog", Box(0, 0, 5, 5)),)),
        Sample("val/negative.jpg", Image(12, 10)),
        Sample("val/nïght ☾ 2.jpg", Image(12, 10)),
    ]
)

RICH: dict[type[Any], Samples] = {Image: _IMAGES}
