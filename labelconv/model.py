"""The canonical model: frozen values, no I/O, no numpy, no format knowledge.

Coordinates live in the frame of the sample's media (docs/conventions.md has the drawings):

- image and video: pixels, continuous, origin at the outer corner of the top-left pixel, y down;
  boxes are edges, the whole picture is (0, 0, width, height);
- video time: 0-based index of decoded frames, half-open ranges;
- text: half-open code-point offsets into the exact string that is uploaded;
- document: 0-based page, points (1/72 inch), top-left of the page as displayed, y down;
- map: x east, y north in the stated CRS, degrees in the order longitude, latitude;
- audio: milliseconds, half-open.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Protocol, TypeAlias, runtime_checkable

import msgspec

# --------------------------------------------------------------------------------------- shapes

#: A ring or line as interleaved coordinates x0, y0, x1, y1, …; rings are not closed (the first
#: point is not repeated). Decision 0002 says why not pairs or arrays.
Coordinates: TypeAlias = tuple[float, ...]


class Point(msgspec.Struct, frozen=True, gc=False, tag=True):
    """A position."""

    x: float
    y: float

    @property
    def __geo_interface__(self) -> dict[str, Any]:
        return {"type": "Point", "coordinates": (self.x, self.y)}


class Box(msgspec.Struct, frozen=True, gc=False, tag=True):
    """An axis-aligned box by its edges, x0 <= x1 and y0 <= y1."""

    x0: float
    y0: float
    x1: float
    y1: float

    @property
    def __geo_interface__(self) -> dict[str, Any]:
        ring = (
            (self.x0, self.y0),
            (self.x1, self.y0),
            (self.x1, self.y1),
            (self.x0, self.y1),
            (self.x0, self.y0),
        )
        return {"type": "Polygon", "coordinates": (ring,)}


class OrientedBox(msgspec.Struct, frozen=True, gc=False, tag=True):
    """A box turned about its centre.

    `angle` is in degrees, positive from the x axis towards the y axis, so clockwise on a screen
    (y down). The side of length `width` lies along the turned x axis.
    """

    x: float
    y: float
    width: float
    height: float
    angle: float


class Polyline(msgspec.Struct, frozen=True, gc=False, tag=True):
    """An open line of at least two points, interleaved x, y."""

    points: Coordinates

    @property
    def __geo_interface__(self) -> dict[str, Any]:
        return {"type": "LineString", "coordinates": tuple(pairs(self.points))}


class Polygon(msgspec.Struct, frozen=True, gc=False, tag=True):
    """One object of one or more parts. A part is its shell, then its holes.

    Rings have at least three points, interleaved x, y, not closed. Several parts are one object:
    their union.
    """

    parts: tuple[tuple[Coordinates, ...], ...]

    @property
    def __geo_interface__(self) -> dict[str, Any]:
        parts = tuple(
            tuple((*pairs(ring), (ring[0], ring[1])) for ring in part) for part in self.parts
        )
        if len(parts) == 1:
            return {"type": "Polygon", "coordinates": parts[0]}
        return {"type": "MultiPolygon", "coordinates": parts}


class Mask(msgspec.Struct, frozen=True, gc=False, tag=True):
    """Pixels as run lengths, column by column, background first (COCO's order).

    `size` is (height, width); the runs add up to height x width. No run but the first is 0.
    """

    size: tuple[int, int]
    runs: tuple[int, ...]


class Keypoint(msgspec.Struct, frozen=True, gc=False):
    """One named point of a skeleton. `visible` is False for a point labelled but covered."""

    name: str
    x: float
    y: float
    visible: bool = True


class Keypoints(msgspec.Struct, frozen=True, gc=False, tag=True):
    """The labelled points of a skeleton, in the category's order, and the object's outline.

    A point that is not labelled is absent. `outline` is the box, polygon or mask that the source
    gives for the same object.
    """

    points: tuple[Keypoint, ...]
    outline: Box | Polygon | Mask | None = None


Shape: TypeAlias = Point | Box | OrientedBox | Polyline | Polygon | Mask | Keypoints

# --------------------------------------------------------------------------- where a shape lives


class OnPage(msgspec.Struct, frozen=True, gc=False, tag=True):
    """A shape on a 0-based page of a document, in points."""

    page: int
    shape: Shape


class TextSpan(msgspec.Struct, frozen=True, gc=False, tag=True):
    """Half-open code-point offsets. `message` is the message's id in a conversation."""

    start: int
    end: int
    message: str | None = None


class TokenGroup(msgspec.Struct, frozen=True, gc=False):
    """Tokens of one group of a document's text layer, on a 0-based page."""

    page: int
    group: str
    tokens: tuple[str, ...]


class TokenSpan(msgspec.Struct, frozen=True, gc=False, tag=True):
    """Tokens of a document's text layer."""

    groups: tuple[TokenGroup, ...]


class Radio(msgspec.Struct, frozen=True, tag=True):
    """One chosen option, with the questions asked below it."""

    name: str
    classifications: tuple[Classification, ...] = ()
    confidence: float | None = None


class Checklist(msgspec.Struct, frozen=True, tag=True):
    """The ticked options, in order."""

    options: tuple[Radio, ...]


class FreeText(msgspec.Struct, frozen=True, tag=True):
    """A text answer."""

    text: str
    classifications: tuple[Classification, ...] = ()
    confidence: float | None = None


Answer: TypeAlias = Radio | Checklist | FreeText


class Classification(msgspec.Struct, frozen=True):
    """The answer to one question.

    `ranges` are half-open: frames for video, milliseconds for audio; empty for an answer that
    holds everywhere. A question whose answer changes over time is several classifications of one
    name. `message` is the message's id in a conversation.
    """

    name: str
    answer: Answer
    ranges: tuple[tuple[int, int], ...] = ()
    message: str | None = None


class Keyframe(msgspec.Struct, frozen=True):
    """The shape at one 0-based frame; between keyframes of a segment it moves linearly."""

    frame: int
    shape: Shape
    classifications: tuple[Classification, ...] = ()


class Track(msgspec.Struct, frozen=True, tag=True):
    """One object over time. A segment is keyframes by rising frame; a gap is out of sight.

    A segment ends at its last keyframe, inclusive: that frame still shows the object.
    """

    segments: tuple[tuple[Keyframe, ...], ...]


Value: TypeAlias = Shape | OnPage | Track | TextSpan | TokenSpan

# --------------------------------------------------------------------------- what it is about


class Image(msgspec.Struct, frozen=True, gc=False, tag=True):
    """A picture, `width` x `height` pixels as displayed (EXIF applied), if known."""

    width: float | None = None
    height: float | None = None


class Video(msgspec.Struct, frozen=True, gc=False, tag=True):
    """A video. `frame_count` and `frame_rate` (frames a second), if known."""

    width: float | None = None
    height: float | None = None
    frame_count: int | None = None
    frame_rate: float | None = None


class Text(msgspec.Struct, frozen=True, gc=False, tag=True):
    """A text; `content` is the exact string, if known."""

    content: str | None = None


class Message(msgspec.Struct, frozen=True, gc=False):
    """One message of a conversation."""

    id: str
    content: str
    author: str | None = None


class Conversation(msgspec.Struct, frozen=True, gc=False, tag=True):
    """Messages in order."""

    messages: tuple[Message, ...] = ()


class Page(msgspec.Struct, frozen=True, gc=False):
    """A page's size as displayed, in points."""

    width: float
    height: float


class Document(msgspec.Struct, frozen=True, gc=False, tag=True):
    """Pages in order; empty if their sizes are not known."""

    pages: tuple[Page, ...] = ()


class TiledImage(msgspec.Struct, frozen=True, gc=False, tag=True):
    """Map imagery. `crs` as an authority string (`EPSG:4326`), or `pixel` for simple layers.

    `bounds` is (west, south, east, north) in that CRS. `affine` is (a, b, c, d, e, f) with
    x = a·column + b·row + c and y = d·column + e·row + f at the pixel's outer corner.
    """

    crs: str = "EPSG:4326"
    bounds: tuple[float, float, float, float] | None = None
    affine: tuple[float, float, float, float, float, float] | None = None
    width: float | None = None
    height: float | None = None


class Audio(msgspec.Struct, frozen=True, gc=False, tag=True):
    """A sound; `duration` in milliseconds, if known."""

    duration: int | None = None


Media: TypeAlias = Image | Video | Text | Conversation | Document | TiledImage | Audio

# ------------------------------------------------------------------------------ what was said

Extra: TypeAlias = dict[str, Any]


class Annotation(msgspec.Struct, frozen=True, dict=False):
    """One object. `id` is unique in its sample; `category` is a name, never an index.

    `extra` keeps what the source said and the model has no place for, spelled `format:field`;
    only the format of that name writes it back.
    """

    id: str
    category: str
    value: Value
    classifications: tuple[Classification, ...] = ()
    confidence: float | None = None
    extra: Extra = {}


class Relation(msgspec.Struct, frozen=True, gc=False):
    """A named relation between two annotations of one sample, by their ids."""

    id: str
    category: str
    source: str
    target: str
    directed: bool = True


class Sample(msgspec.Struct, frozen=True):
    """One data row with everything said about it.

    `key` is its global key, or its data-row id where `key_is_id`. `uri` is where the media is,
    as the source names it.
    """

    key: str
    media: Media
    annotations: tuple[Annotation, ...] = ()
    classifications: tuple[Classification, ...] = ()
    relations: tuple[Relation, ...] = ()
    uri: str | None = None
    key_is_id: bool = False
    extra: Extra = {}


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """A question of the ontology: kind is `radio`, `checklist` or `text`."""

    name: str
    kind: str
    options: tuple[Option, ...] = ()
    per_frame: bool = False


class Option(msgspec.Struct, frozen=True, kw_only=True):
    """An option of a question, with the questions asked below it."""

    name: str
    questions: tuple[Question, ...] = ()


class Category(msgspec.Struct, frozen=True, kw_only=True):
    """A class of objects. `source_id` is what the source calls it (COCO's gapped ids survive so).

    `skeleton` has 0-based pairs into `keypoints`.
    """

    name: str
    source_id: int | str | None = None
    keypoints: tuple[str, ...] = ()
    skeleton: tuple[tuple[int, int], ...] = ()
    questions: tuple[Question, ...] = ()
    extra: Extra = {}


class Ontology(msgspec.Struct, frozen=True, kw_only=True):
    """The classes of objects, in order, and the questions about whole samples."""

    categories: tuple[Category, ...] = ()
    questions: tuple[Question, ...] = ()


@runtime_checkable
class Dataset(Protocol):
    """Samples that can be iterated again, and what the source says about all of them.

    `ontology` is known without a pass over the samples where the format has a header, and found
    by one cheap pass when first asked for where it has none. `info` is what the source carried
    beside (`format:field`). A sample may arrive in several pieces where the reader was told that
    the consumer takes pieces; the pieces have one key and share no annotation.
    """

    @property
    def ontology(self) -> Ontology: ...
    @property
    def info(self) -> Extra: ...
    def __iter__(self) -> Iterator[Sample]: ...


class Samples:
    """A `Dataset` made of a function that starts an iteration, or of samples in memory."""

    def __init__(
        self,
        start: Callable[[], Iterator[Sample]] | Iterable[Sample],
        ontology: Callable[[], Ontology] | Ontology | None = None,
        info: Extra | None = None,
    ) -> None:
        if callable(start):
            self._start = start
        else:
            held = tuple(start)
            self._start = lambda: iter(held)
        self._ontology = ontology
        self._info = {} if info is None else info

    @property
    def ontology(self) -> Ontology:
        if self._ontology is None:
            from labelconv.usage import ontology_of

            self._ontology = ontology_of(self._start())
        elif callable(self._ontology):
            self._ontology = self._ontology()
        return self._ontology

    def find_ontology_in(self, samples: Callable[[], Iterator[Sample]]) -> None:
        """Where it is not known, it is found in these samples: a pass that nobody counts."""
        if self._ontology is None:
            from labelconv.usage import ontology_of

            self._ontology = lambda: ontology_of(samples())

    @property
    def info(self) -> Extra:
        return self._info

    def __iter__(self) -> Iterator[Sample]:
        return self._start()


def pairs(coordinates: Coordinates) -> Iterator[tuple[float, float]]:
    """Interleaved coordinates as (x, y) pairs."""
    return zip(coordinates[::2], coordinates[1::2], strict=True)
