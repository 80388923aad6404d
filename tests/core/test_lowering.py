"""The lowering table, row by row: what comes out, which code, which measure, which outcome."""

from __future__ import annotations

import pytest

from labelconv import codes, geometry
from labelconv.accounting import accounted
from labelconv.fit import fit
from labelconv.format import Format, Holds
from labelconv.model import (
    Annotation,
    Box,
    Image,
    Keyframe,
    Keypoint,
    Keypoints,
    Mask,
    OnPage,
    OrientedBox,
    Point,
    Polygon,
    Polyline,
    Sample,
    Samples,
    TextSpan,
    TiledImage,
    Track,
    Value,
    Video,
)
from labelconv.problems import Code, Report

SQUARE = (0.0, 0.0, 4.0, 0.0, 4.0, 4.0, 0.0, 4.0)
HOLE = (1.0, 1.0, 3.0, 1.0, 3.0, 3.0, 1.0, 3.0)
CORNER = (6.0, 6.0, 8.0, 6.0, 8.0, 8.0, 6.0, 8.0)
TRIANGLE = (0.0, 0.0, 4.0, 0.0, 0.0, 4.0)
DONUT = Polygon(((SQUARE, HOLE),))
TWO = Polygon(((SQUARE,), (CORNER,)))
#: Rows 0 and 1 of column 0 and of column 1: a square of 2 × 2 in a picture of 8 × 8.
MASK = Mask((8, 8), (0, 2, 6, 2, 54))
#: The square of 4 × 4 without its 2 × 2 middle.
DONUT_MASK = Mask((8, 8), (0, 4, 4, 1, 2, 1, 4, 1, 2, 1, 4, 4, 36))
POINTS = (Keypoint("nose", 1, 2), Keypoint("tail", 5, 3, visible=False), Keypoint("ear", 4, 4))


def made(*values: type, **rest: object) -> Format:
    """A format that holds these values of pictures and videos."""
    held = tuple(
        Holds(media=media, values=frozenset(values), **rest)  # type: ignore[arg-type]
        for media in (Image, Video)
    )
    return Format(name="here", about="", url="", holds=lambda options: held)


def cut(
    value: Value, target: Format, *, media: object = Image(8, 8), min_iou: float | None = None
) -> tuple[list[tuple[str, Value]], Report]:
    """What becomes of one annotation of the category `cat`, and the report."""
    report = Report()
    report.ledger.annotations.read = report.ledger.samples.read = 1
    sample = Sample("s", media, (Annotation("a", "cat", value),))  # type: ignore[arg-type]
    fitted = list(fit(Samples([sample]), target, None, report, min_iou=min_iou))
    assert report.ledger.balanced
    return [(each.category, each.value) for s in fitted for each in s.annotations], report


def outcome(report: Report) -> str:
    account = report.ledger.annotations
    return next(o for o in ("kept", "changed", "lost") if getattr(account, o))


SKELETON = Keypoints(POINTS, Box(0, 0, 6, 6))
LARGEST = made(Polygon, parts_become="largest")
NAMED = made(Point, Box, skeleton_points="{category}/{keypoint}")

ROWS: list[tuple[Value, Format, list[Value], list[Code], float | None, str]] = [
    # value, target, what comes out, codes, IoU, outcome
    (Box(0, 0, 2, 2), made(Box), [Box(0, 0, 2, 2)], [], None, "kept"),
    (
        OrientedBox(2, 2, 4, 4, 0),
        made(Polygon, Mask, Box),
        [Polygon(((SQUARE,),))],
        [codes.SHAPE_RESPELLED],
        None,
        "changed",
    ),
    (
        OrientedBox(2, 2, 4, 4, 0),
        made(Mask, Box),
        [Mask((8, 8), (0, 4, 4, 4, 4, 4, 4, 4, 36))],
        [codes.SHAPE_RESPELLED],
        1.0,
        "changed",
    ),
    (
        OrientedBox(2, 2, 2, 2, 45),
        made(Box),
        [Box(2 - 2**0.5, 2 - 2**0.5, 2 + 2**0.5, 2 + 2**0.5)],
        [codes.SHAPE_LOWERED],
        0.5,
        "lost",
    ),
    (
        Box(0, 0, 4, 4),
        made(Polygon, Mask),
        [Polygon(((SQUARE,),))],
        [codes.SHAPE_RESPELLED],
        None,
        "changed",
    ),
    (
        Box(0, 0, 4, 4),
        made(Mask),
        [Mask((8, 8), (0, 4, 4, 4, 4, 4, 4, 4, 36))],
        [codes.SHAPE_RESPELLED],
        1.0,
        "changed",
    ),
    (Box(0, 0, 4, 4), made(Point), [], [codes.VALUE_NOT_HELD], None, "lost"),
    (DONUT, made(Polygon, holes=True), [DONUT], [], None, "kept"),
    (DONUT, made(Polygon, Mask), [DONUT_MASK], [codes.HOLES_MASKED], 1.0, "changed"),
    (
        DONUT,
        made(Polygon, Mask, holes_become="filled"),
        [Polygon(((SQUARE,),))],
        [codes.HOLES_FILLED],
        0.75,
        "lost",
    ),
    (DONUT, made(Polygon), [Polygon(((SQUARE,),))], [codes.HOLES_FILLED], 0.75, "lost"),
    (TWO, made(Polygon, parts=True), [TWO], [], None, "kept"),
    (
        TWO,
        made(Polygon),
        [Polygon(((SQUARE,),)), Polygon(((CORNER,),))],
        [codes.PARTS_SPLIT],
        None,
        "changed",
    ),
    (
        TWO,
        made(Polygon, Mask, parts_become="mask"),
        [Mask((8, 8), (0, 4, 4, 4, 4, 4, 4, 4, 26, 2, 6, 2))],
        [codes.SHAPE_RESPELLED],
        1.0,
        "changed",
    ),
    (TWO, LARGEST, [Polygon(((SQUARE,),))], [codes.PARTS_DROPPED], 0.8, "lost"),
    (
        Polygon(((SQUARE, HOLE), (CORNER,))),
        made(Polygon),
        [Polygon(((SQUARE,),)), Polygon(((CORNER,),))],
        [codes.HOLES_FILLED, codes.PARTS_SPLIT],
        0.8,
        "lost",
    ),
    (
        Polygon(((SQUARE,),)),
        made(Mask, Box),
        [Mask((8, 8), (0, 4, 4, 4, 4, 4, 4, 4, 36))],
        [codes.SHAPE_RESPELLED],
        1.0,
        "changed",
    ),
    (
        Polygon(((TRIANGLE,),)),
        made(Box),
        [Box(0, 0, 4, 4)],
        [codes.SHAPE_LOWERED],
        0.5,
        "lost",
    ),
    (
        MASK,
        made(Polygon, Box),
        [Polygon((((0, 0, 0, 2, 2, 2, 2, 0),),))],
        [codes.SHAPE_RESPELLED],
        None,
        "changed",
    ),
    (MASK, made(Box), [Box(0, 0, 2, 2)], [codes.SHAPE_LOWERED], 1.0, "lost"),
    (Mask((8, 8), (64,)), made(Polygon, Box), [], [codes.VALUE_NOT_HELD], None, "lost"),
    (
        SKELETON,
        made(Box),
        [Box(0, 0, 6, 6)],
        [codes.SHAPE_LOWERED],
        None,
        "lost",
    ),
    (SKELETON, made(Keypoints, Box), [SKELETON], [], None, "kept"),
    (Keypoints(POINTS), made(Keypoints), [Keypoints(POINTS)], [], None, "kept"),
    (
        Keypoints(POINTS, DONUT),
        made(Keypoints, Polygon),
        [Keypoints(POINTS, Polygon(((SQUARE,),)))],
        [codes.HOLES_FILLED],
        0.75,
        "lost",
    ),
    (
        Keypoints(POINTS, TWO),
        made(Keypoints, Polygon),
        [Keypoints(POINTS, Polygon(((SQUARE,),)))],
        [codes.PARTS_DROPPED],
        0.8,
        "lost",
    ),
    (
        Keypoints(POINTS, Box(0, 0, 4, 4)),
        made(Keypoints, Polygon),
        [Keypoints(POINTS, Polygon(((SQUARE,),)))],
        [codes.SHAPE_RESPELLED],
        None,
        "changed",
    ),
    (
        Keypoints(POINTS, MASK),
        made(Keypoints, Point),
        [Keypoints(POINTS)],
        [codes.DETAIL_DROPPED],
        None,
        "lost",
    ),
    (
        Keypoints(POINTS, Mask((8, 8), (64,))),
        made(Keypoints, Box),
        [Keypoints(POINTS)],
        [codes.VALUE_NOT_HELD],
        None,
        "lost",
    ),
    (Keypoints(POINTS), made(Box), [Box(1, 2, 5, 4)], [codes.SHAPE_LOWERED], None, "lost"),
    (Keypoints(POINTS), made(Point), [], [codes.VALUE_NOT_HELD], None, "lost"),
    (Keypoints(POINTS), made(Polyline), [], [codes.VALUE_NOT_HELD], None, "lost"),
    (Point(1, 1), made(Box), [], [codes.VALUE_NOT_HELD], None, "lost"),
    (Polyline((0, 0, 1, 1)), made(Box, Polygon), [], [codes.VALUE_NOT_HELD], None, "lost"),
    (TextSpan(0, 1), made(Box), [], [codes.VALUE_NOT_HELD], None, "lost"),
    (OnPage(0, Box(0, 0, 1, 1)), made(Box), [], [codes.VALUE_NOT_HELD], None, "lost"),
    (TextSpan(0, 1), made(TextSpan), [TextSpan(0, 1)], [], None, "kept"),
    (
        OnPage(3, Box(0, 0, 4, 4)),
        made(OnPage, on_page=frozenset({Polygon})),
        [OnPage(3, Polygon(((SQUARE,),)))],
        [codes.SHAPE_RESPELLED],
        None,
        "changed",
    ),
    (
        OnPage(3, Point(0, 0)),
        made(OnPage, on_page=frozenset({Polygon})),
        [],
        [codes.VALUE_NOT_HELD],
        None,
        "lost",
    ),
    (
        Track(((Keyframe(0, TWO), Keyframe(4, Polygon(((SQUARE,),)))),)),
        made(Track, keyframes=frozenset({Polygon})),
        [Track(((Keyframe(0, Polygon(((SQUARE,),))), Keyframe(4, Polygon(((SQUARE,),)))),))],
        [codes.PARTS_DROPPED],
        0.8,
        "lost",
    ),
    (
        Track(((Keyframe(0, Box(0, 0, 4, 4)),),)),
        made(Track, keyframes=frozenset({Polygon})),
        [Track(((Keyframe(0, Polygon(((SQUARE,),))),),))],
        [codes.SHAPE_RESPELLED],
        None,
        "changed",
    ),
    (
        Track(((Keyframe(0, Box(0, 0, 4, 4)), Keyframe(1, Point(1, 1))),)),
        made(Track, keyframes=frozenset({Box})),
        [],
        [codes.VALUE_NOT_HELD],
        None,
        "lost",
    ),
    (
        Track(((Keyframe(0, Keypoints(POINTS, Box(0, 0, 6, 6))),),)),
        made(Track, Point, skeleton_points="{keypoint}", keyframes=frozenset({Point, Box})),
        [Track(((Keyframe(0, Box(0, 0, 6, 6)),),))],
        [codes.SHAPE_LOWERED],
        None,
        "lost",
    ),
]


@pytest.mark.parametrize(("value", "target", "expected", "told", "measured", "fate"), ROWS)
def test_a_row_of_the_table_is_as_stated(
    value: Value,
    target: Format,
    expected: list[Value],
    told: list[Code],
    measured: float | None,
    fate: str,
) -> None:
    pieces, report = cut(value, target)
    assert [name for name, _ in pieces] == ["cat"] * len(expected)
    for (_, found), wanted in zip(pieces, expected, strict=True):
        assert _near(found, wanted), (found, wanted)
    assert [problem.code for problem in report.problems] == [code.id for code in told]
    assert {problem.where.sample for problem in report.problems} <= {"s"}
    assert {problem.where.annotation for problem in report.problems} <= {"a"}
    worst = [measure.worst for measure in report.measures.values()]
    assert worst == ([] if measured is None else [pytest.approx(measured)])
    assert outcome(report) == fate


def _near(one: Value, other: Value) -> bool:
    from labelconv.testing import difference

    return difference(one, other, 1e-9) is None


def test_a_skeleton_becomes_its_outline_and_its_visible_points() -> None:
    pieces, report = cut(SKELETON, NAMED)
    assert pieces == [
        ("cat", Box(0, 0, 6, 6)),
        ("cat/nose", Point(1, 2)),
        ("cat/ear", Point(4, 4)),
    ]
    assert report.counts == {codes.SKELETON_SPLIT.id: 1}
    assert outcome(report) == "lost"


@pytest.mark.parametrize("value", [DONUT, TWO, Box(0, 0, 2, 2), OrientedBox(2, 2, 2, 2, 0)])
def test_no_mask_is_drawn_where_the_size_is_not_known(value: Value) -> None:
    target = made(Mask, Polygon, parts_become="mask")
    pieces, _ = cut(value, target, media=Image())
    assert pieces
    assert not any(isinstance(piece, Mask) for _, piece in pieces)


def test_an_iou_below_the_limit_is_a_loss_with_its_value() -> None:
    _, report = cut(Polygon(((TRIANGLE,),)), made(Box), min_iou=0.6)
    assert report.counts == {codes.SHAPE_LOWERED.id: 1, codes.IOU_LOW.id: 1}
    _, report = cut(Polygon(((TRIANGLE,),)), made(Box), min_iou=0.5)
    assert report.counts == {codes.SHAPE_LOWERED.id: 1}


def test_an_iou_below_the_limit_makes_a_change_a_loss() -> None:
    thin = Polygon((((0.0, 0.0, 4.0, 0.0, 4.0, 0.4, 0.0, 0.4),),))
    _, report = cut(thin, made(Mask))
    assert outcome(report) == "changed"
    _, report = cut(thin, made(Mask), min_iou=0.9)
    assert outcome(report) == "lost"
    assert report.counts == {codes.SHAPE_RESPELLED.id: 1, codes.IOU_LOW.id: 1}


def test_a_size_of_zero_is_no_size() -> None:
    pieces, report = cut(Box(0, 0, 2, 2), made(Mask), media=Image(0, 5))
    assert pieces == []
    assert report.counts == {codes.VALUE_NOT_HELD.id: 1}


def test_a_mask_on_a_map_is_its_outline_on_the_map_and_has_none_without_an_affine() -> None:
    mask = Mask((2, 3), (2, 2, 2))
    affine = (0.5, 0.0, 100.0, 0.0, -0.5, 50.0)
    holds = Holds(media=TiledImage, values=frozenset({Polygon}))
    target = Format(name="here", about="", url="", holds=lambda options: (holds,))
    annotations = (Annotation("1", "roof", mask),)
    placed = Sample("k", TiledImage("EPSG:4326", None, affine, 3, 2), annotations)
    report = Report()
    (fitted,) = fit(accounted(Samples([placed]), report), target, None, report)
    outline = fitted.annotations[0].value
    assert isinstance(outline, Polygon)
    assert geometry.bounds(outline) == Box(100.5, 49.0, 101.0, 50.0)
    assert report.ledger.annotations.changed == 1
    report = Report()
    loose = Sample("k", TiledImage("EPSG:4326", None, None, 3, 2), annotations)
    (fitted,) = fit(accounted(Samples([loose]), report), target, None, report)
    assert fitted.annotations == ()
    assert report.counts == {codes.VALUE_NOT_HELD.id: 1}
