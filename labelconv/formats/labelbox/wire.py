"""One line of Labelbox MAL NDJSON: decoding, and the rules that the records' types cannot say.

`decode_line` and `fault` accept and refuse the same lines as `schemas/labelbox-mal.schema.json`; a
property test keeps them equal. What neither can say (rising frames, ends of relations, uuids used
twice) is in `check_values` and `check`. The records themselves are in `records`.
"""

from __future__ import annotations

from functools import lru_cache

import msgspec
from msgspec import UNSET

from labelconv.formats.labelbox.records import (
    Box,
    DataRow,
    Keyframe,
    Line,
    Location,
    Mask,
    MaskFrame,
    MaskInstance,
    Message,
    Metric,
    MultiSelection,
    Nested,
    Option,
    Position,
    Range,
    RankedMessage,
    RankedMessages,
    Ranking,
    Relationship,
    Segment,
    SelectedMessage,
    SelectedMessages,
    SingleSelection,
    TextSelection,
    VideoMasks,
    is_uuid,
)

__all__ = [
    "BESIDE",
    "Box",
    "DataRow",
    "Keyframe",
    "Line",
    "Location",
    "Mask",
    "MaskFrame",
    "MaskInstance",
    "Message",
    "Metric",
    "MultiSelection",
    "Nested",
    "Option",
    "Position",
    "Range",
    "RankedMessage",
    "RankedMessages",
    "Ranking",
    "Relationship",
    "Segment",
    "SelectedMessage",
    "SelectedMessages",
    "SingleSelection",
    "TextSelection",
    "VideoMasks",
    "decode_line",
    "fault",
    "payload",
]

FIELDS = Line.__struct_fields__
_NAMED = {"name", "schema_id"}
_OBJECT = {"classifications", "confidence", "custom_metrics"}
_ANSWER = _OBJECT | {"frames", "message_id"}

#: Payload → the fields that may stand beside it (`uuid`, `data_row` and the benchmark flag always).
BESIDE: dict[str, set[str]] = {
    "bbox": _NAMED | _OBJECT | {"page", "unit"},
    "polygon": _NAMED | _OBJECT,
    "line": _NAMED | _OBJECT,
    "point": _NAMED | _OBJECT,
    "mask": _NAMED | _OBJECT,
    "location": _NAMED | _OBJECT | {"message_id"},
    "text_selections": _NAMED | _OBJECT,
    "segments": _NAMED | {"group_key"},
    "masks": {"group_key"},
    "relationship": _NAMED,
    "message_evaluation_task": _NAMED,
    "answer": _NAMED | _ANSWER,
    "answers": _NAMED | _ANSWER,
}
_ALWAYS = {"uuid", "data_row", "is_benchmark_reference_label"}

#: `astuple(line)[PLAIN:] == PLAIN_REST` holds for lines with nothing but names and a box.
PLAIN = FIELDS.index("bbox") + 1
PLAIN_REST = (UNSET,) * (len(FIELDS) - PLAIN)

DECODER = msgspec.json.Decoder(Line)


def decode_line(data: bytes) -> Line:
    """One line, checked as the schema checks it; raises `msgspec.DecodeError` for any other.

    Text that is not UTF-8 and JSON nested too deeply raise it too.
    """
    try:
        line = DECODER.decode(data)
        found = fault(line)
    except UnicodeDecodeError as error:
        raise msgspec.DecodeError(f"UTF-8 expected, {error.reason} found") from error
    except RecursionError as error:
        raise msgspec.DecodeError("nested too deeply") from error
    if found is not None:
        raise msgspec.ValidationError(found)
    return line


def fault(line: Line) -> str | None:
    """The first rule of the schema that the types cannot say and `line` breaks, or None."""
    row = line.data_row
    if (row.id is UNSET) is (row.global_key is UNSET):
        return "exactly one of id and globalKey expected - at `$.dataRow`"
    if line.uuid is not UNSET and not is_uuid(line.uuid):
        return "a UUID expected - at `$.uuid`"
    return _shape_fault(tuple([v is not UNSET for v in msgspec.structs.astuple(line)])) or (
        _payload_fault(line)
    )


def payload(line: Line) -> str:
    """The name of the payload's field: `bbox`, `text_selections`, `answer` …"""
    for name in BESIDE:
        if getattr(line, name) is not UNSET:
            return name
    raise ValueError("a line with a payload expected")


@lru_cache(maxsize=4096)
def _shape_fault(given: tuple[bool, ...]) -> str | None:
    """Which fields may be together; there are few combinations, so the answers are kept."""
    fields = {name for name, there in zip(FIELDS, given, strict=True) if there}
    payloads = fields & BESIDE.keys()
    if len(payloads) != 1:
        return f"exactly one of {', '.join(BESIDE)} expected, {len(payloads)} found"
    (kind,) = payloads
    strange = fields - BESIDE[kind] - payloads - _ALWAYS
    if strange:
        return f"{min(strange)} is not allowed beside {kind}"
    if kind != "masks" and not fields & _NAMED:
        return "name or schemaId expected"
    if ("page" in fields) is not ("unit" in fields):
        return "page and unit expected together"
    return None


def _payload_fault(line: Line) -> str | None:
    found: str | None = None
    if line.classifications is not UNSET:
        found = _nested_fault(line.classifications)
    if found is not None:
        return found
    if line.answer is not UNSET or line.answers is not UNSET:
        if line.frames is not UNSET and isinstance(line.answer, str):
            return "frames are not allowed beside a text; each text has its own - at `$.frames`"
        return _answer_fault(line)
    if line.bbox is not UNSET:
        if line.page is not UNSET and line.bbox.height < 0:
            return "a height of at least 0 expected - at `$.bbox.height`"
    elif line.mask is not UNSET:
        return _mask_fault(line.mask)
    elif line.segments is not UNSET:
        return _track_fault(line.segments)
    elif line.masks is not UNSET:
        return _video_masks_fault(line.masks)
    elif line.relationship is not UNSET:
        return _relationship_fault(line.relationship)
    return None


def _nested_fault(classifications: tuple[Nested, ...]) -> str | None:
    for nested in classifications:
        if nested.name is UNSET and nested.schema_id is UNSET:
            return "name or schemaId expected - at a nested classification"
        if (nested.answer is UNSET) is (nested.answers is UNSET):
            return "exactly one of answer and answers expected - at a nested classification"
        found = _answer_fault(nested)
        if found is None and nested.classifications is not UNSET:
            found = _nested_fault(nested.classifications)
        if found is not None:
            return found
    return None


def _answer_fault(given: Line | Nested) -> str | None:
    answer = given.answer
    if isinstance(answer, str):
        return None
    # Options have a confidence of their own; beside them it would be dropped (SDK 7.17.0 models).
    if given.confidence is not UNSET or given.custom_metrics is not UNSET:
        return "confidence and customMetrics belong inside the options - at `$.answer`"
    if answer is UNSET:
        return None if given.answers is UNSET else _options_fault(given.answers, texts=False)
    if isinstance(answer, Option):
        return _options_fault((answer,), texts=False)
    return _options_fault(answer, texts=any(option.value is not UNSET for option in answer))


def _options_fault(options: tuple[Option, ...], *, texts: bool) -> str | None:
    for option in options:
        named = option.name is not UNSET or option.schema_id is not UNSET
        if texts:
            if named or option.value is UNSET or option.frames is UNSET:
                return "value and frames expected, and no name - at `$.answer`"
        elif not named or option.value is not UNSET:
            return "name or schemaId expected, and no value - at `$.answer`"
        if option.classifications is not UNSET:
            found = _nested_fault(option.classifications)
            if found is not None:
                return found
    return None


def _mask_fault(mask: Mask) -> str | None:
    sources = (mask.png, mask.instance_uri, mask.im_bytes)
    if sources.count(UNSET) != 2:
        return "exactly one of png, instanceURI and imBytes expected - at `$.mask`"
    if (mask.png is UNSET) is (mask.color_rgb is UNSET):
        return "colorRGB expected with instanceURI or imBytes, and only there - at `$.mask`"
    return None


def _track_fault(segments: tuple[Segment, ...]) -> str | None:
    for segment in segments:
        for keyframe in segment.keyframes:
            if (keyframe.bbox, keyframe.point, keyframe.line).count(UNSET) != 2:
                return "exactly one of bbox, point and line expected - at a keyframe"
            if keyframe.bbox is not UNSET and keyframe.bbox.height < 0:
                return "a height of at least 0 expected - at a keyframe"
            if keyframe.classifications is not UNSET:
                found = _nested_fault(keyframe.classifications)
                if found is not None:
                    return found
    return None


def _video_masks_fault(masks: VideoMasks) -> str | None:
    for frame in masks.frames:
        if (frame.instance_uri is UNSET) is (frame.im_bytes is UNSET):
            return "exactly one of instanceURI and imBytes expected - at `$.masks.frames`"
    for instance in masks.instances:
        if instance.name is UNSET and instance.schema_id is UNSET:
            return "name or schemaId expected - at `$.masks.instances`"
    return None


def _relationship_fault(relationship: Relationship) -> str | None:
    source = relationship.source
    if (source is UNSET) is (relationship.source_ontology_name is UNSET):
        return "exactly one of source and sourceOntologyName expected - at `$.relationship`"
    if (source is not UNSET and not is_uuid(source)) or not is_uuid(relationship.target):
        return "a UUID expected - at `$.relationship`"
    return None
