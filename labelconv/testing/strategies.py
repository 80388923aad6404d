"""Hypothesis strategies that draw any dataset that a `Holds` can say, and any dataset at all.

Media are small (at most 12 × 12 pixels), so that masks stay small; coordinates lie in the media.
Names and keys are any Unicode text: controls, U+2028 and characters beyond the basic plane too.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from hypothesis import strategies as st

from labelconv import model
from labelconv.format import Holds, holds_all
from labelconv.masks import from_runs
from labelconv.model import (
    Annotation,
    Box,
    Category,
    Checklist,
    Classification,
    FreeText,
    Keyframe,
    Keypoint,
    Keypoints,
    Mask,
    OnPage,
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
    TextSpan,
    TokenGroup,
    TokenSpan,
    Track,
)
from labelconv.oriented import from_corners

_DEEPEST = 3
_KINDS: dict[type, str] = {Radio: "radio", Checklist: "checklist", FreeText: "text"}
_AWKWARD = ("\u2028", "\u2029", "\x00", "\x1f", "\x7f", '"', "\\", "\U0001f600", "a\u0301", " x ")


def names(*, longest: int = 12) -> st.SearchStrategy[str]:
    """Any text of one character or more, those that break parsers more often than chance has it."""
    text = st.text(min_size=1, max_size=longest)
    return text | st.sampled_from(_AWKWARD) | st.sampled_from(("car", "person", "1", "a/b"))


@st.composite
def datasets(draw: st.DrawFn, holds: Holds, *, most: int = 3) -> Samples:
    """Datasets of at most `most` samples of the media of `holds`, with their ontology."""
    ontology = draw(_ontologies(holds))
    keys = draw(st.lists(names(), unique=True, max_size=most))
    held = [draw(samples(holds, ontology=ontology, key=key)) for key in keys]
    return Samples(held, ontology)


@st.composite
def samples(
    draw: st.DrawFn, holds: Holds, *, ontology: Ontology | None = None, key: str | None = None
) -> Sample:
    """Samples of the media of `holds`, with the categories and questions of the ontology."""
    if ontology is None:
        ontology = draw(_ontologies(holds))
    media = draw(_media(holds.media))
    ids = draw(
        st.lists(names(), unique=True, max_size=4 if ontology.categories and holds.values else 0)
    )
    annotations = tuple(draw(_annotations(id, media, holds, ontology)) for id in ids)
    relations: tuple[Relation, ...] = ()
    if holds.relations and len(ids) > 1:
        relations = tuple(draw(st.lists(_relations(ids), max_size=2, unique_by=lambda r: r.id)))
    address = st.none() | st.text(min_size=1, max_size=12)
    return Sample(
        key=draw(names()) if key is None else key,
        media=media,
        annotations=annotations,
        classifications=draw(_answers(ontology.questions, media)),
        relations=relations,
        uri=draw(address) if holds.uri else None,
        extra=draw(_extras()) if holds.extra == "all" else {},
    )


def everything(media: type[Any] = model.Image) -> st.SearchStrategy[Samples]:
    """Datasets of all that the model can say about one kind of media, for tests of `fit`."""
    return datasets(holds_all(media))


# -------------------------------------------------------------------------------- media


def _media(kind: type[Any]) -> st.SearchStrategy[Any]:
    size = st.integers(1, 12).map(float)
    count = st.integers(1, 100)
    frames = st.integers(100, 102)  # tracks are drawn up to frame 99
    known: dict[type[Any], st.SearchStrategy[Any]] = {
        model.Image: st.builds(model.Image, size, size),
        model.Video: st.builds(model.Video, size, size, frames, st.sampled_from((25.0, 29.97))),
        model.Text: st.builds(model.Text, st.text(min_size=1, max_size=20)),
        model.Conversation: st.builds(
            model.Conversation,
            st.lists(
                st.builds(model.Message, names(), st.text(min_size=1), st.none() | names()),
                min_size=1,
                max_size=3,
                unique_by=lambda message: message.id,
            ).map(tuple),
        ),
        model.Document: st.builds(
            model.Document,
            st.lists(st.builds(model.Page, size, size), min_size=1, max_size=3).map(tuple),
        ),
        model.TiledImage: st.builds(
            model.TiledImage, st.just("EPSG:4326"), st.just((0.0, 0.0, 12.0, 12.0))
        ),
        model.Audio: st.builds(model.Audio, count),
    }
    return known[kind]


def _size(media: Any) -> tuple[float, float]:
    """(width, height) that coordinates are drawn in."""
    pages = getattr(media, "pages", ())
    sized = pages[0] if pages else media
    return getattr(sized, "width", None) or 12.0, getattr(sized, "height", None) or 12.0


# -------------------------------------------------------------------------------- shapes


def _number(limit: float) -> st.SearchStrategy[float]:
    """From 0 to `limit`: whole numbers, halves and any float that is not absurdly close to 0."""
    halves = st.integers(0, round(limit * 2)).map(lambda half: half / 2)
    return halves | st.floats(0, limit, allow_subnormal=False).map(
        lambda number: number if number > 1e-9 else 0.0
    )


def shapes(kinds: frozenset[type], media: Any, holds: Holds) -> st.SearchStrategy[Any]:
    """Shapes of the given kinds within the media. Skeletons have the points a, b and c."""
    return st.one_of([_shape(kind, media, holds, ("a", "b", "c")) for kind in _sorted(kinds)])


def _sorted(kinds: frozenset[type]) -> list[type]:
    return sorted(kinds, key=lambda kind: kind.__name__)


def _shape(kind: type, media: Any, holds: Holds, points: Sequence[str]) -> st.SearchStrategy[Any]:
    width, height = _size(media)
    x, y = _number(width), _number(height)
    positive = st.floats(0.5, 12)
    drawn: dict[type, st.SearchStrategy[Any]] = {
        Point: st.builds(Point, x, y),
        Box: st.builds(
            lambda xs, ys: Box(min(xs), min(ys), max(xs), max(ys)),
            st.tuples(x, x),
            st.tuples(y, y),
        ),
        OrientedBox: st.builds(OrientedBox, x, y, positive, positive, st.floats(-180, 180)),
        Polyline: _rings(x, y, least=2).map(Polyline),
        Polygon: _polygons(x, y, holds) if Polygon in holds.values else _quads(x, y),
        Mask: _masks(round(height), round(width)),
    }
    if kind is Keypoints:
        held = holds.values if holds.outlines is None else holds.outlines
        outlines = [drawn[k] for k in (Box, Polygon, Mask) if k in held]
        return _skeletons(x, y, points, st.one_of([st.none(), *outlines]))
    return drawn[kind]


def _rings(
    x: st.SearchStrategy[float], y: st.SearchStrategy[float], *, least: int
) -> st.SearchStrategy[tuple[float, ...]]:
    """Different points, so that a ring is never closed by its last point."""
    points = st.lists(st.tuples(x, y), min_size=least, max_size=6, unique=True)
    return points.map(lambda pairs: tuple(number for pair in pairs for number in pair))


def _polygons(
    x: st.SearchStrategy[float], y: st.SearchStrategy[float], holds: Holds
) -> st.SearchStrategy[Polygon]:
    ring = _rings(x, y, least=3)
    part = st.lists(ring, min_size=1, max_size=3 if holds.holes else 1).map(tuple)
    return st.lists(part, min_size=1, max_size=3 if holds.parts else 1).map(
        lambda parts: Polygon(tuple(parts))
    )


def _quads(x: st.SearchStrategy[float], y: st.SearchStrategy[float]) -> st.SearchStrategy[Polygon]:
    """Polygons of four points that are no rectangle."""
    ring = st.lists(st.tuples(x, y), min_size=4, max_size=4, unique=True).map(
        lambda pairs: tuple(number for pair in pairs for number in pair)
    )
    return ring.filter(lambda four: from_corners(four) is None).map(lambda r: Polygon(((r,),)))


def _masks(height: int, width: int) -> st.SearchStrategy[Mask]:
    """Any pixels, from none to all of them."""

    def mask(cuts: list[int]) -> Mask:
        borders = [0, *sorted(cuts), height * width]
        runs = [after - before for before, after in pairwise(borders)]
        return from_runs((height, width), runs)

    return st.lists(st.integers(0, height * width), max_size=8).map(mask)


def _skeletons(
    x: st.SearchStrategy[float],
    y: st.SearchStrategy[float],
    points: Sequence[str],
    outline: st.SearchStrategy[Any],
) -> st.SearchStrategy[Keypoints]:
    """One point or more of the category's, in its order."""
    chosen = st.lists(st.sampled_from(points), min_size=1, unique=True).map(
        lambda some: [name for name in points if name in some]
    )
    labelled = chosen.flatmap(
        lambda some: st.tuples(
            *(st.builds(Keypoint, st.just(name), x, y, st.booleans()) for name in some)
        )
    )
    return st.builds(Keypoints, labelled, outline)


# -------------------------------------------------------------------------------- annotations


@st.composite
def _annotations(
    draw: st.DrawFn, id: str, media: Any, holds: Holds, ontology: Ontology
) -> Annotation:
    category = draw(st.sampled_from(ontology.categories))
    kinds = _sorted(holds.values | ({Polygon} if holds.quads else set()))
    if not category.keypoints:
        kinds = [kind for kind in kinds if kind is not Keypoints] or kinds
    value = draw(_values(draw(st.sampled_from(kinds)), media, holds, category))
    unsure = st.none() | st.floats(0, 1)
    return Annotation(
        id=id,
        category=category.name,
        value=value,
        classifications=draw(_answers(category.questions, media)),
        confidence=draw(unsure) if holds.confidence else None,
        extra=draw(_extras()) if holds.extra == "all" else {},
    )


def _values(kind: type, media: Any, holds: Holds, category: Category) -> st.SearchStrategy[Any]:
    points = category.keypoints or ("a", "b", "c")
    if kind is OnPage:
        shape = st.one_of([_shape(k, media, holds, points) for k in _sorted(holds.on_page)])
        pages = len(getattr(media, "pages", ())) or 3
        return st.builds(OnPage, st.integers(0, pages - 1), shape)
    if kind is Track:
        return _tracks(media, holds, category)
    if kind is TextSpan:
        return _spans(media)
    if kind is TokenSpan:
        tokens = st.lists(names(), min_size=1, max_size=3).map(tuple)
        group = st.builds(TokenGroup, st.integers(0, 2), names(), tokens)
        return st.builds(TokenSpan, st.lists(group, min_size=1, max_size=2).map(tuple))
    return _shape(kind, media, holds, points)


@st.composite
def _tracks(draw: st.DrawFn, media: Any, holds: Holds, category: Category) -> Track:
    """One kind of shape in all keyframes of one or two segments."""
    kind = draw(st.sampled_from(_sorted(holds.keyframes)))
    shape = _shape(kind, media, holds, category.keypoints or ("a", "b", "c"))
    frames = sorted(draw(st.lists(st.integers(0, 99), min_size=1, max_size=5, unique=True)))
    keyframes = [
        Keyframe(frame, draw(shape), draw(_answers(category.questions, None))) for frame in frames
    ]
    cut = draw(st.integers(0, len(keyframes) - 1))
    segments = (tuple(keyframes[:cut]), tuple(keyframes[cut:]))
    return Track(tuple(segment for segment in segments if segment))


@st.composite
def _spans(draw: st.DrawFn, media: Any) -> TextSpan:
    message = None
    content = getattr(media, "content", None) or "any text"
    if isinstance(media, model.Conversation):
        said = draw(st.sampled_from(media.messages))
        message, content = said.id, said.content
    start = draw(st.integers(0, len(content) - 1))
    return TextSpan(start, draw(st.integers(start + 1, len(content))), message)


def _relations(ids: Sequence[str]) -> st.SearchStrategy[Relation]:
    """Relations between two different annotations; their ids are none of the annotations'."""
    ends = st.lists(st.sampled_from(ids), min_size=2, max_size=2, unique=True)
    own = names().filter(lambda name: name not in ids)
    return st.builds(
        lambda id, category, pair, directed: Relation(id, category, pair[0], pair[1], directed),
        own,
        names(),
        ends,
        st.booleans(),
    )


def _extras() -> st.SearchStrategy[dict[str, Any]]:
    plain = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=5)
    nested = plain | st.lists(plain, max_size=2) | st.dictionaries(st.text(max_size=3), plain)
    return st.dictionaries(st.text(max_size=5).map("elsewhere:{}".format), nested, max_size=2)


# -------------------------------------------------------------------------------- ontologies


@st.composite
def _ontologies(draw: st.DrawFn, holds: Holds) -> Ontology:
    """Categories of different names, some with keypoints, and questions to the depth held."""
    called = draw(st.lists(names(), unique=True, max_size=3 if holds.values else 0))
    categories = []
    for name in called:
        points: tuple[str, ...] = ()
        if Keypoints in holds.values:
            points = tuple(draw(st.lists(names(), unique=True, max_size=3)))
            if not points and holds.values == {Keypoints}:
                points = ("a",)
        asked = draw(_questions(min(holds.classifications, _DEEPEST), holds))
        categories.append(Category(name=name, keypoints=points, questions=asked))
    return Ontology(
        categories=tuple(categories),
        questions=draw(_questions(min(holds.questions, _DEEPEST), holds)),
    )


@st.composite
def _questions(draw: st.DrawFn, depth: int, holds: Holds) -> tuple[Question, ...]:
    """Questions of different names; `depth` levels of them, none for 0."""
    kinds = [word for kind, word in _KINDS.items() if kind in holds.answers]
    if depth <= 0 or not kinds:
        return ()
    asked = []
    for name in draw(st.lists(names(), unique=True, max_size=2)):
        kind = draw(st.sampled_from(kinds))
        called = draw(st.lists(names(), unique=True, min_size=1, max_size=2))
        options = tuple(
            Option(name=option, questions=draw(_questions(depth - 1, holds))) for option in called
        )
        asked.append(Question(name=name, kind=kind, options=() if kind == "text" else options))
    return tuple(asked)


@st.composite
def _answers(
    draw: st.DrawFn, questions: Sequence[Question], media: Any
) -> tuple[Classification, ...]:
    """Answers to some of the questions; in time or in a message where the media has them."""
    answered = []
    for question in questions:
        if not draw(st.booleans()):
            continue
        ranges: tuple[tuple[int, int], ...] = ()
        if isinstance(media, (model.Video, model.Audio)) and draw(st.booleans()):
            start = draw(st.integers(0, 50))
            ranges = ((start, start + draw(st.integers(1, 50))),)
        message = None
        if isinstance(media, model.Conversation):
            message = draw(st.none() | st.sampled_from([each.id for each in media.messages]))
        answered.append(Classification(question.name, draw(_answer(question)), ranges, message))
    return tuple(answered)


@st.composite
def _answer(draw: st.DrawFn, question: Question) -> Radio | Checklist | FreeText:
    if question.kind == "text":
        return FreeText(draw(st.text(max_size=8)))
    if question.kind == "radio":
        return draw(_chosen(draw(st.sampled_from(question.options))))
    ticked = st.lists(
        st.sampled_from(question.options), min_size=1, unique_by=lambda option: option.name
    )
    return Checklist(tuple(draw(_chosen(option)) for option in draw(ticked)))


@st.composite
def _chosen(draw: st.DrawFn, option: Option) -> Radio:
    return Radio(option.name, draw(_answers(option.questions, None)))
