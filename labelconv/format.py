"""What a format is: a record of functions, and what it can hold. All that a plugin sees.

A format is a module with `read`, `write` and `FORMAT`, found by the entry point group
`labelconv.formats`. Nothing to inherit, nothing to register elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import msgspec

from labelconv import model
from labelconv.media import NO_MEDIA, MediaFiles
from labelconv.problems import Report
from labelconv.spelling import KeySpelling, Spelling

if TYPE_CHECKING:
    from labelconv.io import Peek, Source
    from labelconv.jobs import Crew, SharedWriting
    from labelconv.keys import Keys

#: Nesting depth of classifications that has no limit.
ANY_DEPTH = 1_000

#: The kinds of value, as `Holds` names them.
SHAPES: tuple[type, ...] = (
    model.Point,
    model.Box,
    model.OrientedBox,
    model.Polyline,
    model.Polygon,
    model.Mask,
    model.Keypoints,
)


class HeldTracks(msgspec.Struct, frozen=True, kw_only=True):
    """How tracks are held.

    - `answers`: those about a whole track stand on the `track`, or are said on all its `keyframes`.
    - `masks`: as they are in `keyframes`; or in `pictures` of whole frames: every frame is a
      keyframe, no masks of a frame overlap, none is empty, and tracks of masks come last.
    - `outlines_become`: what a polygon or a rotated box becomes where masks and boxes are held but
      they are not.
    - `tolerance`: keyframes are left out where interpolation is at most so far off, in pixels;
      0 keeps every frame exact, None keeps every keyframe.
    - `joined`: segments that follow each other without a frame between are one.
    - `every_frame`: all frames of a segment are keyframes; segments are joined, too.
    """

    answers: Literal["track", "keyframes"] = "track"
    masks: Literal["keyframes", "pictures"] = "keyframes"
    outlines_become: Literal["mask", "box"] = "mask"
    tolerance: float | None = None
    joined: bool = False
    every_frame: bool = False


class HeldQuestion(msgspec.Struct, frozen=True):
    """The kind of answer that a question takes, and the questions below its options, by name.

    Those below a text stand in the only option of its question, whatever that is called.
    """

    answer: type
    options: Mapping[str, Mapping[str, HeldQuestion]] = {}


class HeldFeatures(msgspec.Struct, frozen=True):
    """What names stand for in a target that has been set up, as by a project's ontology.

    `kinds`: kinds of shape by category. `below`: questions by name, by category. `questions`: those
    about samples. What a name that is not here stands for is not known.
    """

    kinds: Mapping[str, frozenset[type]] = {}
    below: Mapping[str, Mapping[str, HeldQuestion]] = {}
    questions: Mapping[str, HeldQuestion] = {}


class Holds(msgspec.Struct, frozen=True, kw_only=True):
    """What a file of a format can say about one kind of media.

    `fit` cuts a dataset down to this, the tests draw their data from it, and the format tables are
    printed from it. The law for every format: what fits comes back.

    - `values`: kinds of value; `keyframes`, `on_page`: kinds of shape inside `Track` and `OnPage`.
    - `parts`, `holes`: of polygons. `parts_become` and `holes_become` say what `fit` does where
      they are not held: `annotations` (one each), `mask`, `largest`; `mask`, `filled`; either way
      `joined` to one ring by cuts of no width.
    - `skeleton_points`: a template with `{category}` and `{keypoint}` by which a skeleton becomes
      single points where `Keypoints` is not held but `Point` is.
    - `outlines`: kinds of outline that skeletons have; None for those among `values`.
    - `confidence`: on annotations. `classifications`, `questions`: nesting depth of answers on
      annotations and on samples, 0 for none, `ANY_DEPTH` for no limit.
    - `answers`: kinds of answer at the top level; the others are left out.
    - `sure_answers`: whether answers have confidences; None where they have them as annotations do.
    - `relations`; `ids`: annotation ids come back; `empty`: samples without annotations do.
    - `size`, `uri`: the media's size and address come back.
    - `extra`: whose `extra` fields are written back: of this format (`own`), of `all`, or `none`.
    - `crs`: of map coordinates (`labelconv.crs.names`); `fit` moves samples of others there. Empty
      for any. `turned_boxes`: what a box becomes that does not stay one on the way: a polygon, or
      the box around it (`grow`). `winding`: shells of map polygons go counter-clockwise (y up) and
      holes clockwise, as RFC 7946 asks (`right-hand`).
    - `pieces`: the writer takes a sample in several pieces (see `Dataset`).
    - `precision`: largest difference of a coordinate that comes back, in the unit of the media.
    - `keys`, `names`, `texts`: what keys, what names (of categories, keypoints, questions, options)
      and what free texts may be (`labelconv.spelling`); `fit` spells others so that they can be
      written, and says so.
    - `needs_size`: samples whose size (or text) is not known cannot be written, and are rejected.
    - `quads`: polygons of one ring of four points that are no rectangle are held beside
      `OrientedBox`, though `Polygon` is not.
    - `within`: shapes end at the borders of the media; `fit` cuts them there.
    - `spans`: `flat` where spans stand in the order of the text, do not overlap, and neither begin
      nor end with a blank, as tags of tokens want it; of those that overlap the longest stays.
    - `outlined`: each skeleton has an outline; one without gets the box around its points.
    - `ranges`: where answers may have ranges of time: nowhere (`none`), the answers of samples
      (`top`), or those below them too (`all`). `only`: each answer of a sample has one range, and
      those without cannot be held. Only with `all`, answers
      below others and on annotations may have messages of their own.
    - `question`: the name of the only question there is, where names of questions do not come back.
    - `tracks`: how tracks are held.
    - `read_as`: the value of the reader's option `media` by which samples come back whose lines do
      not tell their kind of media.
    - `offsets`: what offsets count where the text itself does not come back with them.
    - `tokens`: annotations are words of a text layer: by page, of one category, each with at most
      one text, which answers one question (`labelconv.textlayers`).
    - `timed_checklists`: a checklist of one tick that has ranges comes back as one, not as a radio.
    - `features`: what categories and questions are held as, where the target's own are known; what
      is of another kind is lowered to theirs where that is possible (docs/decisions/0014), and left
      to the writer's refusal where it is not.
    """

    media: type[Any] = model.Image
    values: frozenset[type] = frozenset({model.Box})
    keyframes: frozenset[type] = frozenset()
    on_page: frozenset[type] = frozenset()
    parts: bool = False
    parts_become: Literal["annotations", "mask", "largest", "joined"] = "annotations"
    holes: bool = False
    holes_become: Literal["mask", "filled", "joined"] = "mask"
    skeleton_points: str | None = None
    outlines: frozenset[type] | None = None
    confidence: bool = False
    classifications: int = 0
    questions: int = 0
    answers: frozenset[type] = frozenset({model.Radio, model.Checklist, model.FreeText})
    sure_answers: bool | None = None
    relations: bool = False
    ids: bool = False
    empty: bool = True
    size: bool = True
    uri: bool = True
    extra: Literal["none", "own", "all"] = "none"
    pieces: bool = False
    crs: frozenset[str] = frozenset()
    turned_boxes: Literal["polygon", "grow"] = "polygon"
    winding: Literal["any", "right-hand"] = "any"
    precision: float = 1e-6
    keys: KeySpelling = "any"
    names: Spelling = "any"
    texts: Spelling = "any"
    needs_size: bool = False
    within: bool = False
    outlined: bool = False
    spans: Literal["any", "flat"] = "any"
    quads: bool = False
    ranges: Literal["none", "top", "all", "only"] = "all"
    question: str | None = None
    tracks: HeldTracks = HeldTracks()
    read_as: str | None = None
    offsets: Literal["codepoint", "utf16"] = "codepoint"
    timed_checklists: bool = True
    tokens: bool = False
    features: HeldFeatures | None = None


def holds_all(media: type[Any]) -> Holds:
    """All that the model can say about one kind of media."""
    shapes = frozenset(SHAPES)
    spans = {model.OnPage, model.Track, model.TextSpan, model.TokenSpan}
    return Holds(
        media=media,
        values=shapes | spans,
        keyframes=shapes,
        on_page=shapes,
        parts=True,
        holes=True,
        confidence=True,
        classifications=ANY_DEPTH,
        questions=ANY_DEPTH,
        relations=True,
        ids=True,
        extra="all",
    )


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What the consumer of a reader makes use of, so that the reader can leave the rest unmade.

    A reader that leaves something unmade counts it by name (`Report.field`).
    `pieces`: samples of pictures may come in pieces. `video_pieces`: those of videos may, too, each
    with whole tracks of no masks. Samples of other media come whole.
    `extra`: names of the formats whose extra fields are used; None for all. `tolerance`: keyframes
    are left out by this rule (`HeldTracks.tolerance`), which a reader of dense tracks may do
    itself, with `labelconv.boxtracks`, before it makes them (docs/decisions/0011).
    """

    pieces: bool = False
    video_pieces: bool = False
    extra: frozenset[str] | None = None
    tolerance: float | None = None


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """What a reader is given beside its source and options.

    `media` finds media files and their sizes, where the source does not say them. `crew` are the
    processes to which a reader may hand stretches of the source (`labelconv.jobs`), if there are.
    """

    report: Report
    keys: Keys
    wanted: Wanted = Wanted()
    media: MediaFiles = NO_MEDIA
    crew: Crew | None = None


class NoOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """For formats without options."""


class Evidence(msgspec.Struct, frozen=True):
    """What sniffing saw. `certainty` 0 refuses, 1 is possible by name, 2 by content, 3 certain."""

    certainty: int
    words: str


Reader: TypeAlias = "Callable[[Source, Any, Reading], model.Dataset]"
Writer: TypeAlias = Callable[[model.Dataset, Path, Any, Report], None]


class Format(msgspec.Struct, frozen=True, kw_only=True):
    """A format as a value.

    - `holds(options)`: a `Holds` for each kind of media, given the writer's options.
    - `read(source, options, reading)` gives a `Dataset` that can be iterated again.
    - `write(dataset, target, options, report)` makes a file or a folder at `target`, which does
      not exist yet; it is moved to its place by the caller when all went well.
    - `folder(options)`: whether the writer makes a folder.
    - the options are frozen records; their docstrings have a line ``- `field`: sentence`` each,
      which `labelconv formats NAME` shows.
    - `settle(options, samples)`: the writer's options with what was left to be found out (`auto`)
      settled by a look at samples, which are an iterator over pieces as the reader gives them;
      with sentences that say the evidence.
    - `shared(options)`: how to write in several processes (`labelconv.jobs.SharedWriting`), or None
      where it is not possible.
    - `check(file, report, *, ontology, sizes)`: optional deep check of a file of this format,
      given as a binary file; `ontology` is a path or None, `sizes` maps keys to (width, height).
    """

    name: str
    about: str
    url: str
    holds: Callable[[Any], tuple[Holds, ...]]
    read: Reader | None = None
    write: Writer | None = None
    reader_options: type[Any] = NoOptions
    writer_options: type[Any] = NoOptions
    sniff: Callable[[Peek], Evidence] | None = None
    extensions: tuple[str, ...] = ()
    folder: Callable[[Any], bool] = lambda options: False
    settle: Callable[[Any, Iterator[model.Sample]], tuple[Any, list[str]]] | None = None
    shared: Callable[[Any], SharedWriting | None] = lambda options: None
    check: Callable[..., int] | None = None
    extra_needed: str | None = None

    def holds_of(self, media: type[Any], options: Any) -> Holds | None:
        """What is held for one kind of media, or None."""
        return next((h for h in self.holds(options) if h.media is media), None)
