"""Where the kinds of categories are known: what can be lowered is, what cannot goes on as it is."""

from __future__ import annotations

from itertools import combinations

import pytest

from labelconv.features import as_drawn
from labelconv.format import SHAPES, HeldFeatures, Holds
from labelconv.lowering import Cut, lower, reaches
from labelconv.model import (
    Box,
    Image,
    Keypoint,
    Keypoints,
    Mask,
    Media,
    OrientedBox,
    Point,
    Polygon,
    Polyline,
    Sample,
    Shape,
    TiledImage,
)
from labelconv.problems import Report, Where

KINDS = tuple(kind for kind in SHAPES if kind is not Keypoints)
SQUARE = (0.0, 0.0, 4.0, 0.0, 4.0, 4.0, 0.0, 4.0)
EXAMPLES: tuple[Shape, ...] = (
    Point(1, 1),
    Box(1, 1, 4, 3),
    OrientedBox(4, 4, 4, 2, 30),
    Polyline((0, 0, 4, 4)),
    Polygon(((SQUARE,),)),
    Polygon(((SQUARE, (1.0, 1.0, 2.0, 1.0, 2.0, 2.0)),)),
    Mask((8, 8), (0, 2, 6, 2, 54)),
    Keypoints((Keypoint("nose", 1, 2), Keypoint("ear", 4, 4))),
    Keypoints((Keypoint("nose", 1, 2),), Mask((8, 8), (0, 2, 6, 2, 54))),
)
MEDIA = (Image(8, 8), Image(), TiledImage(), TiledImage(affine=(1, 0, 0, 0, -1, 8)))


def cut(media: Media, template: str | None = None, **kinds: frozenset[type]) -> Cut:
    holds = Holds(skeleton_points=template, features=HeldFeatures(kinds=kinds))
    return Cut(holds, "here", Sample("s", media), Report(), None)


@pytest.mark.parametrize("shape", EXAMPLES, ids=str)
@pytest.mark.parametrize("media", MEDIA, ids=str)
@pytest.mark.parametrize("template", [None, "{category} {keypoint}"])
def test_a_kind_is_said_to_be_reached_exactly_where_lowering_gets_there(
    shape: Shape, media: Media, template: str | None
) -> None:
    for count in (1, 2, 3):
        for kinds in map(frozenset, combinations(KINDS, count)):
            here = cut(media, template)
            reached = bool(lower(shape, "a", kinds, here, Where()).pieces)
            assert reaches(shape, kinds, here) == reached, kinds


@pytest.mark.parametrize("shape", EXAMPLES, ids=str)
def test_what_cannot_become_the_kind_of_its_category_is_lowered_as_without_it(shape: Shape) -> None:
    held = frozenset(KINDS)
    own, free = cut(Image(8, 8), a=frozenset({Polyline})), cut(Image(8, 8))
    found = as_drawn(shape, "a", held, own, Where())
    assert found.pieces == lower(shape, "a", held, free, Where()).pieces
    assert [each.message for each in own.report.problems] == [
        each.message for each in free.report.problems
    ]


def test_a_category_has_only_those_of_its_kinds_that_the_format_holds() -> None:
    here = cut(Image(8, 8), a=frozenset({Polygon, Box}))
    square = Polygon(((SQUARE,),))
    found = as_drawn(square, "a", frozenset({Box, Point}), here, Where())
    assert (found.pieces, found.lost) == ([("a", Box(0, 0, 4, 4))], True)
    assert here.report.problems[0].message.endswith("as 'a' is drawn in the ontology")
    found = as_drawn(square, "other", frozenset({Box, Polygon}), here, Where())
    assert found.pieces == [("other", square)]


def test_points_of_a_skeleton_need_one_tool_at_least() -> None:
    skeleton = EXAMPLES[-2]
    held = frozenset({Box, Point})
    boxes, points = frozenset({Box}), frozenset({Point})
    template = "{category} {keypoint}"
    here = cut(Image(8, 8), template, a=boxes)
    assert as_drawn(skeleton, "a", held, here, Where()).pieces == [("a", Box(1, 2, 4, 4))]
    here = cut(Image(8, 8), template, **{"a": boxes, "a ear": points})
    found = as_drawn(skeleton, "a", held, here, Where())
    assert found.pieces == [("a nose", Point(1, 2)), ("a ear", Point(4, 4))]
