"""Rules of one line that neither types nor the schema can say: order, size, repeated options.

Each function yields findings: a code, the JSON pointer within the line, the code's values.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeAlias

from msgspec import UNSET, UnsetType

from labelconv.codes import (
    FRAME_ZERO,
    HEIGHT_NEGATIVE,
    MASK_UNUSABLE,
    OPTION_REPEATED,
    ORDER_WRONG,
    OUTSIDE_ASSET,
)
from labelconv.formats.labelbox.check_masks import png_fault
from labelconv.formats.labelbox.wire import (
    Box,
    Line,
    Nested,
    Option,
    Position,
    Range,
    Ranking,
    Segment,
    VideoMasks,
)
from labelconv.problems import Code

Finding: TypeAlias = tuple[Code, str, dict[str, object]]

#: Writers round to hundredths; less than this past a border is rounding, not a mistake.
TOLERANCE = 0.01


def value_findings(
    line: Line, size: tuple[float, float] | None = None, *, pixels: bool = False
) -> Iterator[Finding]:
    """What is wrong with the values of a line that `wire` accepts.

    `size` is the media's width and height in pixels, if known. `pixels`: unpack grey masks.
    """
    if line.bbox is not UNSET:
        if line.bbox.height < 0:
            yield HEIGHT_NEGATIVE, "/bbox/height", {"height": line.bbox.height}
    elif line.location is not UNSET:
        if line.location.end < line.location.start:
            yield _order("/location/end", f"an end (inclusive) of at least {line.location.start}",
                         line.location.end)  # fmt: skip
    elif line.mask is not UNSET:
        yield from _png("/mask/png", line.mask.png, True, size, pixels)
        yield from _png("/mask/imBytes", line.mask.im_bytes, False, size, False)
    elif line.segments is not UNSET:
        yield from _track(line.segments)
    elif line.masks is not UNSET:
        yield from _video_masks(line.masks, size)
    elif isinstance(line.message_evaluation_task, Ranking):
        yield from _ranking(line.message_evaluation_task)
    elif line.answer is not UNSET or line.answers is not UNSET:
        if line.frames is not UNSET:
            yield from _ranges("/frames", line.frames)
            if any(each.start == 0 for each in line.frames):
                yield FRAME_ZERO, "/frames", {}
        yield from _answer("", line, ())
    if line.classifications is not UNSET:
        yield from _nested("", line.classifications, ())
    if size is not None and line.page is UNSET:
        yield from outside(line, size)


def outside(line: Line, size: tuple[float, float]) -> Iterator[Finding]:
    """The shapes of a line that reach past the media, `size` pixels wide and high."""
    if line.bbox is not UNSET:
        yield from _shape_outside("/bbox", "box", line.bbox, size)
    elif line.polygon is not UNSET:
        yield from _shape_outside("/polygon", "polygon", line.polygon, size)
    elif line.line is not UNSET:
        yield from _shape_outside("/line", "line", line.line, size)
    elif line.point is not UNSET:
        yield from _shape_outside("/point", "point", (line.point,), size)
    elif line.segments is not UNSET:
        for i, segment in enumerate(line.segments):
            for j, frame in enumerate(segment.keyframes):
                at = f"/segments/{i}/keyframes/{j}"
                if frame.bbox is not UNSET:
                    yield from _shape_outside(f"{at}/bbox", "box", frame.bbox, size)
                elif frame.line is not UNSET:
                    yield from _shape_outside(f"{at}/line", "line", frame.line, size)
                elif frame.point is not UNSET:
                    yield from _shape_outside(f"{at}/point", "point", (frame.point,), size)


def _shape_outside(
    at: str, kind: str, shape: Box | Sequence[Position], size: tuple[float, float]
) -> Iterator[Finding]:
    if isinstance(shape, Box):
        xs = [shape.left, shape.left + shape.width]
        ys = [shape.top, shape.top + shape.height]
    else:
        xs = [position.x for position in shape]
        ys = [position.y for position in shape]
    width, height = size
    if (
        min(xs) < -TOLERANCE
        or min(ys) < -TOLERANCE
        or max(xs) > width + TOLERANCE
        or max(ys) > height + TOLERANCE
    ):
        values: dict[str, object] = {"kind": kind, "width": f"{width:g}", "height": f"{height:g}"}
        yield OUTSIDE_ASSET, at, values


def _order(at: str, expected: str, found: object) -> Finding:
    return ORDER_WRONG, at, {"message": f"{expected} expected, {found} found"}


def _png(
    at: str,
    text: str | UnsetType,
    grey: bool,
    size: tuple[float, float] | None,
    pixels: bool,
) -> Iterator[Finding]:
    if text is not UNSET:
        message = png_fault(text, grey=grey, size=size, pixels=pixels)
        if message is not None:
            yield MASK_UNUSABLE, at, {"message": message}


def _track(segments: Sequence[Segment]) -> Iterator[Finding]:
    """Frames rise over all segments: the server interpolates from keyframe to keyframe (docs)."""
    last = -1
    for i, segment in enumerate(segments):
        for j, keyframe in enumerate(segment.keyframes):
            at = f"/segments/{i}/keyframes/{j}"
            if keyframe.frame <= last:
                yield _order(f"{at}/frame", f"a frame after {last}", keyframe.frame)
            elif keyframe.frame == 0:
                yield FRAME_ZERO, f"{at}/frame", {}
            last = max(last, keyframe.frame)
            if keyframe.classifications is not UNSET:
                yield from _nested(at, keyframe.classifications, ())


def _video_masks(masks: VideoMasks, size: tuple[float, float] | None) -> Iterator[Finding]:
    """One picture a frame, one object a colour (docs, SAM notebook)."""
    indices: dict[int, int] = {}
    for place, frame in enumerate(masks.frames):
        at = f"/masks/frames/{place}"
        first = indices.setdefault(frame.index, place)
        if first != place:
            message = f"one picture a frame expected, frame {frame.index} is at {first} already"
            yield ORDER_WRONG, f"{at}/index", {"message": message}
        elif frame.index == 0:
            yield FRAME_ZERO, f"{at}/index", {}
        yield from _png(f"{at}/imBytes", frame.im_bytes, False, size, False)
    colours: dict[tuple[int, int, int], int] = {}
    for place, instance in enumerate(masks.instances):
        first = colours.setdefault(instance.color_rgb, place)
        if first != place:
            message = f"a colour of its own expected, {first} has {instance.color_rgb} already"
            yield MASK_UNUSABLE, f"/masks/instances/{place}/colorRGB", {"message": message}


def _ranking(task: Ranking) -> Iterator[Finding]:
    """Places are 1 to n, each once (SDK 7.17.0 MessageRankingTask)."""
    orders = [message.order for message in task.data.ranked_messages]
    if sorted(orders) != list(range(1, len(orders) + 1)):
        expected = f"the places 1 to {len(orders)}, each once,"
        found = ", ".join(map(str, orders))
        yield _order("/messageEvaluationTask/data/rankedMessages", expected, found)


def _nested(
    at: str, classifications: Sequence[Nested], parents: Sequence[Range]
) -> Iterator[Finding]:
    for i, nested in enumerate(classifications):
        here = f"{at}/classifications/{i}"
        yield from _answer(here, nested, parents)
        if nested.classifications is not UNSET:
            yield from _nested(here, nested.classifications, parents)


def _answer(at: str, given: Line | Nested, parents: Sequence[Range]) -> Iterator[Finding]:
    answer = given.answer if given.answer is not UNSET else given.answers
    if isinstance(answer, Option):
        yield from _option(f"{at}/answer", answer, parents)
    elif isinstance(answer, tuple):
        key = "answer" if given.answer is not UNSET else "answers"
        ticked: dict[tuple[object, object], int] = {}
        for i, option in enumerate(answer):
            here = f"{at}/{key}/{i}"
            yield from _option(here, option, parents)
            if option.value is UNSET and option.frames is UNSET:
                first = ticked.setdefault((option.name, option.schema_id), i)
                if first != i:
                    name = option.name if option.name is not UNSET else option.schema_id
                    values: dict[str, object] = {"name": name, "first": f"{at}/{key}/{first}"}
                    yield OPTION_REPEATED, here, values


def _option(at: str, option: Option, parents: Sequence[Range]) -> Iterator[Finding]:
    inner = parents
    if option.frames is not UNSET:
        yield from _ranges(f"{at}/frames", option.frames)
        inner = option.frames
        for i, each in enumerate(option.frames if parents else ()):
            # SDK 7.17.0 temporal.py drops a nested range that no range above it holds.
            if not any(p.start <= each.start and each.end <= p.end for p in parents):
                message = (
                    f"a range within the answer above expected, {each.start} to {each.end} found"
                )
                yield ORDER_WRONG, f"{at}/frames/{i}", {"message": message}
    if option.classifications is not UNSET:
        yield from _nested(at, option.classifications, inner)


def _ranges(at: str, ranges: Sequence[Range]) -> Iterator[Finding]:
    for i, each in enumerate(ranges):
        if each.end < each.start:
            yield _order(f"{at}/{i}/end", f"an end (inclusive) of at least {each.start}", each.end)
