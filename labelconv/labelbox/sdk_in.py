"""Annotations of the labelbox SDK's types as MAL lines.

Most are serialized by the SDK. Where it loses something – what changes over the frames of a video,
a confidence of exactly 0 – the lines are made here.
"""

from __future__ import annotations

import base64
import importlib
import itertools
from collections.abc import Iterator, Sequence
from typing import Any

from labelconv.errors import OptionError
from labelconv.labelbox.sdk_out import Wire


def row_of(label: Any) -> Wire:
    """The `dataRow` of a label's lines. Raises `OptionError` where it has only an external id."""
    data = label.data
    if data.global_key is not None:
        return {"globalKey": data.global_key}
    if data.uid is not None:
        return {"id": data.uid}
    raise OptionError(
        f"a global key or an id of the data row expected; external ids, such as "
        f"{getattr(data, 'external_id', None)!r}, address none"
    )


class Faulty(Exception):
    """An annotation that the SDK itself cannot serialize; never leaves `labelconv.labelbox`."""

    def __init__(self, annotation: Any, reason: str) -> None:
        super().__init__(reason)
        self.annotation = annotation


def lines_of(label: Any, types: Any) -> Iterator[Wire | Faulty]:
    """The lines of a label; in place of a line, what is wrong with an annotation.

    Annotations that are one line stand where the first of them does. What is said of a label as a
    whole stands on each line, as the SDK has it.
    """
    of_label = {"isBenchmarkReferenceLabel": True} if label.is_benchmark_reference else {}
    for line in _lines_of(label, types):
        yield line if isinstance(line, Faulty) else line | of_label


def _lines_of(label: Any, types: Any) -> Iterator[Wire | Faulty]:
    row = row_of(label)
    groups: dict[object, list[Any]] = {}
    for number, annotation in enumerate(label.annotations):
        groups.setdefault(_line_of(annotation, number, types), []).append(annotation)
    for group in groups.values():
        first = group[0]
        if isinstance(first, types.VideoObjectAnnotation):
            yield _track(group, label, row)
        elif isinstance(first, types.VideoClassificationAnnotation):
            yield from _frames(group, label)
        elif isinstance(first, types.VideoMaskAnnotation):
            yield {"dataRow": row, "masks": _masks(first)}
        elif isinstance(first, _temporal_types(types)):
            yield from _temporal(group, row)
        else:
            yield _serialized(first, label)


def _line_of(annotation: Any, number: int, types: Any) -> object:
    """What annotations have in common that are one line; `number` for one of its own."""
    video = (types.VideoObjectAnnotation, types.VideoClassificationAnnotation)
    if isinstance(annotation, video):
        return type(annotation), annotation.feature_schema_id or annotation.name
    if isinstance(annotation, _temporal_types(types)):
        return "temporal", annotation.name
    return number


def _temporal_types(types: Any) -> tuple[Any, Any]:
    return types.TemporalClassificationText, types.TemporalClassificationQuestion


def _serialized(annotation: Any, label: Any) -> Wire | Faulty:
    """What the SDK makes of one annotation."""
    converter: Any = importlib.import_module("labelbox.data.serialization").NDJsonConverter
    alone = type(label).model_construct(
        data=label.data, annotations=[annotation], is_benchmark_reference=False
    )
    try:
        (line,) = converter.serialize([alone])
    except (TypeError, ValueError, AttributeError, KeyError) as error:
        return Faulty(annotation, str(error).partition("\n")[0])
    if getattr(annotation, "confidence", None) == 0 and "answer" not in line:
        line["confidence"] = 0.0  # the SDK takes it for none
    made: Wire = line
    return made


# ------------------------------------------------------------------------------------- videos


def _track(group: Sequence[Any], label: Any, row: Wire) -> Wire | Faulty:
    """One track of all annotations of a feature, as the SDK has it."""
    keyframes: list[tuple[int, Wire]] = []
    segments = _segments(group)
    for annotation in sorted(group, key=lambda each: each.frame):
        if not annotation.keyframe:
            continue
        line = _serialized(_still(annotation), label)
        if isinstance(line, Faulty):
            return line
        shape: Wire = {name: line[name] for name in ("bbox", "point", "line") if name in line}
        if not shape:
            kind = type(annotation.value).__name__
            return Faulty(annotation, f"a {kind} in a video, where MAL takes boxes, points, lines")
        if line.get("classifications"):
            shape["classifications"] = line["classifications"]
        number = next(
            (n for n, (start, end) in enumerate(segments) if start <= annotation.frame <= end), 0
        )
        keyframes.append((number, {"frame": annotation.frame} | shape))
    by_segment = itertools.groupby(keyframes, key=lambda each: each[0])
    made = [{"keyframes": [keyframe for _, keyframe in each]} for _, each in by_segment]
    first = group[0]
    return {"dataRow": row, "uuid": _uuid(first)} | _named(first) | {"segments": made}


def _still(annotation: Any) -> Any:
    """The object as that of a picture."""
    types: Any = importlib.import_module("labelbox.types")
    return types.ObjectAnnotation(
        name=annotation.name,
        feature_schema_id=annotation.feature_schema_id,
        value=annotation.value,
        classifications=annotation.classifications,
    )


def _segments(group: Sequence[Any]) -> list[tuple[int, int]]:
    """First and last frame of each segment: by their index, or of frames without a gap."""
    frames = sorted((each.frame, each.segment_index) for each in group)
    found: list[tuple[int, int]] = []
    for position, (frame, index) in enumerate(frames):
        before = frames[position - 1] if position else None
        if (
            before is not None
            and index == before[1]
            and (index is not None or frame <= before[0] + 1)
        ):
            found[-1] = (found[-1][0], frame)
        else:
            found.append((frame, frame))
    return found


def _frames(group: Sequence[Any], label: Any) -> Iterator[Wire | Faulty]:
    """A line for each answer, with the ranges of frames in which it holds."""
    held: list[tuple[Wire, list[Any]]] = []
    for annotation in sorted(group, key=lambda each: each.frame):
        line = _serialized(_at_rest(annotation), label)
        if isinstance(line, Faulty):
            yield line
            continue
        said = {name: line[name] for name in ("answer", "classifications") if line.get(name)}
        for known, showing in held:
            if all(known.get(name) == said.get(name) for name in ("answer", "classifications")):
                showing.append(annotation)
                break
        else:
            line.pop("uuid", None)
            held.append((line, [annotation]))
    for line, showing in held:
        frames = [{"start": start, "end": end} for start, end in _segments(showing)]
        if isinstance(line["answer"], str):
            answer = {"value": line["answer"], "frames": frames}
            below = line.pop("classifications", None)
            yield line | {"answer": [answer | ({"classifications": below} if below else {})]}
        elif len(held) == 1:
            yield line | {"uuid": _uuid(showing[0]), "frames": frames}
        else:
            yield line | {"frames": frames}


def _at_rest(annotation: Any) -> Any:
    """The answer as one about a picture."""
    types: Any = importlib.import_module("labelbox.types")
    return types.ClassificationAnnotation(
        name=annotation.name,
        feature_schema_id=annotation.feature_schema_id,
        value=annotation.value,
    )


def _masks(annotation: Any) -> Wire:
    frames: list[Wire] = []
    for each in annotation.frames:
        picture = each.im_bytes
        if picture:
            # Once serialized, the SDK keeps the base64 text in place of the picture.
            text = picture if isinstance(picture, str) else base64.b64encode(picture).decode()
            frames.append({"index": each.index, "imBytes": text})
        else:
            frames.append({"index": each.index, "instanceURI": each.instance_uri})
    instances = [{"colorRGB": list(each.color_rgb)} | _named(each) for each in annotation.instances]
    return {"frames": frames, "instances": instances}


def _temporal(annotations: Sequence[Any], row: Wire) -> Iterator[Wire]:
    """Answers with ranges of their own; the SDK's function wants a global key, we take any row."""
    home = "labelbox.data.serialization.ndjson.temporal"
    make: Any = importlib.import_module(home).create_temporal_ndjson_classifications
    for line in make(list(annotations), ""):
        yield line.model_dump() | {"dataRow": row}


def _named(annotation: Any) -> Wire:
    named = {"name": annotation.name, "schemaId": annotation.feature_schema_id}
    return {name: value for name, value in named.items() if value is not None}


def _uuid(annotation: Any) -> str:
    return str(annotation._uuid)  # noqa: SLF001 - the SDK's own serializer reads it so
