"""What a format is: a record of functions, and what it can hold. All that a plugin sees.

A format is a module with `read`, `write` and `FORMAT`, found by the entry point group
`labelconv.formats`. Nothing to inherit, nothing to register elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import msgspec

from labelconv import model
from labelconv.problems import Report

if TYPE_CHECKING:
    from labelconv.io import Peek, Source
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


class Holds(msgspec.Struct, frozen=True, kw_only=True):
    """What a file of a format can say about one kind of media.

    `fit` cuts a dataset down to this, the tests draw their data from it, and the format tables are
    printed from it. The law for every format: what fits comes back.

    - `values`: kinds of value; `keyframes`, `on_page`: kinds of shape inside `Track` and `OnPage`.
    - `parts`, `holes`: of polygons. `parts_become` and `holes_become` say what `fit` does where
      they are not held: `annotations` (one each), `mask`, `largest`; `mask`, `filled`.
    - `skeleton_points`: a template with `{category}` and `{keypoint}` by which a skeleton becomes
      single points where `Keypoints` is not held but `Point` is.
    - `confidence`: on annotations. `classifications`, `questions`: nesting depth of answers on
      annotations and on samples, 0 for none, `ANY_DEPTH` for no limit.
    - `answers`: kinds of answer at the top level; the others are left out.
    - `relations`; `ids`: annotation ids come back; `empty`: samples without annotations do.
    - `size`, `uri`: the media's size and address come back.
    - `extra`: whose `extra` fields are written back: of this format (`own`), of `all`, or `none`.
    - `pieces`: the writer takes a sample in several pieces (see `Dataset`).
    - `precision`: largest difference of a coordinate that comes back, in the unit of the media.
    """

    media: type[Any] = model.Image
    values: frozenset[type] = frozenset({model.Box})
    keyframes: frozenset[type] = frozenset()
    on_page: frozenset[type] = frozenset()
    parts: bool = False
    parts_become: Literal["annotations", "mask", "largest"] = "annotations"
    holes: bool = False
    holes_become: Literal["mask", "filled"] = "mask"
    skeleton_points: str | None = None
    confidence: bool = False
    classifications: int = 0
    questions: int = 0
    answers: frozenset[type] = frozenset({model.Radio, model.Checklist, model.FreeText})
    relations: bool = False
    ids: bool = False
    empty: bool = True
    size: bool = True
    uri: bool = True
    extra: Literal["none", "own", "all"] = "none"
    pieces: bool = False
    crs: frozenset[str] = frozenset()
    precision: float = 1e-6


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What the consumer of a reader makes use of, so that the reader can leave the rest unmade.

    A reader that leaves something unmade counts it by name (`Report.field`).
    `pieces`: samples may come in pieces. `extra`: names of the formats whose extra fields are
    used; None for all.
    """

    pieces: bool = False
    extra: frozenset[str] | None = None


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """What a reader is given beside its source and options."""

    report: Report
    keys: Keys
    wanted: Wanted = Wanted()


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
    check: Callable[..., int] | None = None
    extra_needed: str | None = None

    def holds_of(self, media: type[Any], options: Any) -> Holds | None:
        """What is held for one kind of media, or None."""
        return next((h for h in self.holds(options) if h.media is media), None)
