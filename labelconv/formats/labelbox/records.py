"""The typed records of a Labelbox MAL line, for every payload and media kind; see `wire`.

Names on the wire are camelCase; here they are snake_case.

Units as on the wire, not as in `labelconv.model`: pixels from the top-left corner (longitude and
latitude on maps); frames count from 1; the ends of text and of frame ranges are inclusive.
"""

from __future__ import annotations

import re
from typing import Annotated, Literal, TypeAlias

import msgspec
from msgspec import UNSET, Meta, UnsetType

#: Integers beyond 2**53 - 1 are not the same number in every JSON parser.
Count: TypeAlias = Annotated[int, Meta(ge=0, le=2**53 - 1)]
Ordinal: TypeAlias = Annotated[int, Meta(ge=1, le=2**53 - 1)]
Channel: TypeAlias = Annotated[int, Meta(ge=0, le=255)]
Confidence: TypeAlias = Annotated[float, Meta(ge=0, le=1)]
NotEmpty: TypeAlias = Annotated[str, Meta(min_length=1)]
#: `featureSchemaId` of the ontology (SDK 7.17.0 annotated_types.py: exactly 25 characters).
SchemaId: TypeAlias = Annotated[str, Meta(min_length=25, max_length=25)]

#: What Labelbox takes as a UUID: hex digits in groups of four, dashes between any groups or none,
#: braces or none (docs, create-import-file). `(?!\n)` because `$` also matches before a last \n.
UUID_PATTERN = (
    r"^(?:[0-9a-fA-F]{4}(?:-?[0-9a-fA-F]{4}){7}|\{[0-9a-fA-F]{4}(?:-?[0-9a-fA-F]{4}){7}\})$(?!\n)"
)
is_uuid = re.compile(UUID_PATTERN).search


class Record(msgspec.Struct, frozen=True, gc=False, forbid_unknown_fields=True, rename="camel"):
    """The base of all records: unknown keys are refused, because they are misspelt ones."""


class DataRow(Record, frozen=True):
    """The asset: exactly one of its id and its global key (at most 200 characters)."""

    global_key: Annotated[str, Meta(min_length=1, max_length=200)] | UnsetType = UNSET
    id: NotEmpty | UnsetType = UNSET


class Position(Record, frozen=True):
    """A point in pixels, y down; x is longitude and y latitude on maps."""

    x: float
    y: float


class Box(Record, frozen=True):
    """A box in pixels (PDF: in `unit`), by its top left corner and its size.

    `height` is negative where tiled imagery gives the north edge as `top` (docs, notebooks); the
    SDK writes the southern edge and a positive height. Both say the same rectangle.
    """

    top: float
    left: float
    height: float
    width: Annotated[float, Meta(ge=0)]


class Mask(Record, frozen=True):
    """Pixels of one object: a grey PNG of 0 and 1, or a colour in a picture of many objects.

    `png` and `im_bytes` are base64. `im_bytes` is in the notebooks only, not in the SDK's models.
    """

    png: NotEmpty | UnsetType = UNSET
    instance_uri: NotEmpty | UnsetType = msgspec.field(default=UNSET, name="instanceURI")
    im_bytes: NotEmpty | UnsetType = UNSET
    color_rgb: tuple[Channel, Channel, Channel] | UnsetType = msgspec.field(
        default=UNSET, name="colorRGB"
    )


class Location(Record, frozen=True):
    """UTF-16 offsets of a text entity, from 0; `end` is inclusive."""

    start: Count
    end: Count


class TextSelection(Record, frozen=True):
    """Tokens of one group of a PDF's text layer; `page` counts from 1 (SDK 7.17.0, validator)."""

    group_id: NotEmpty
    token_ids: Annotated[tuple[NotEmpty, ...], Meta(min_length=1)]
    page: Ordinal


class Range(Record, frozen=True):
    """Frames from 1 (video) or milliseconds from 0 (audio); both ends inclusive."""

    start: Count
    end: Count


Ranges: TypeAlias = Annotated[tuple[Range, ...], Meta(min_length=1)]


class Metric(Record, frozen=True):
    """A number that Labelbox shows beside an annotation."""

    name: NotEmpty
    value: float


class Option(Record, frozen=True):
    """An item of an answer: an option by its label or schemaId, or a text with its time ranges."""

    name: NotEmpty | UnsetType = UNSET
    schema_id: SchemaId | UnsetType = UNSET
    value: str | UnsetType = UNSET
    frames: Ranges | UnsetType = UNSET
    classifications: tuple[Nested, ...] | UnsetType = UNSET
    confidence: Confidence | UnsetType = UNSET
    custom_metrics: tuple[Metric, ...] | UnsetType = UNSET


Options: TypeAlias = Annotated[tuple[Option, ...], Meta(min_length=1)]


class Nested(Record, frozen=True):
    """The answer to a question below an object, an option or a text answer."""

    name: NotEmpty | UnsetType = UNSET
    schema_id: SchemaId | UnsetType = UNSET
    answer: str | Option | Options | UnsetType = UNSET
    answers: Options | UnsetType = UNSET
    classifications: tuple[Nested, ...] | UnsetType = UNSET
    confidence: Confidence | UnsetType = UNSET
    custom_metrics: tuple[Metric, ...] | UnsetType = UNSET


class Keyframe(Record, frozen=True):
    """The object at one frame, counted from 1: exactly one shape. Video has no polygons."""

    frame: Count
    bbox: Box | UnsetType = UNSET
    point: Position | UnsetType = UNSET
    line: Annotated[tuple[Position, ...], Meta(min_length=2)] | UnsetType = UNSET
    classifications: tuple[Nested, ...] | UnsetType = UNSET


class Segment(Record, frozen=True):
    """A stretch of frames without a gap; the object ends at the last keyframe, inclusive."""

    keyframes: Annotated[tuple[Keyframe, ...], Meta(min_length=1)]


class MaskFrame(Record, frozen=True):
    """The composite RGB picture of one frame; `index` counts from 1."""

    index: Count
    instance_uri: NotEmpty | UnsetType = msgspec.field(default=UNSET, name="instanceURI")
    im_bytes: NotEmpty | UnsetType = UNSET


class MaskInstance(Record, frozen=True):
    """The object that has this colour in every frame."""

    color_rgb: tuple[Channel, Channel, Channel] = msgspec.field(name="colorRGB")
    name: NotEmpty | UnsetType = UNSET
    schema_id: SchemaId | UnsetType = UNSET


class VideoMasks(Record, frozen=True):
    """All masks of a video in one line."""

    frames: Annotated[tuple[MaskFrame, ...], Meta(min_length=1)]
    instances: Annotated[tuple[MaskInstance, ...], Meta(min_length=1)]


class Relationship(Record, frozen=True):
    """Joins two objects of one data row by the uuids of their lines.

    `source_ontology_name` is a global question that stands in for `source` (SDK 6.8.0, PDF).
    """

    target: str
    type: Literal["unidirectional", "bidirectional"]
    source: str | UnsetType = UNSET
    source_ontology_name: NotEmpty | UnsetType = UNSET
    readonly: bool | UnsetType = UNSET


class Message(Record, frozen=True):
    """A message of a multimodal chat."""

    message_id: NotEmpty
    model_config_name: NotEmpty


class RankedMessage(Message, frozen=True):
    """A message with its place, counted from 1."""

    order: Ordinal


class SelectedMessage(Message, frozen=True):
    """The chosen message below a prompt."""

    parent_message_id: NotEmpty


class SelectedMessages(Record, frozen=True):
    """The chosen messages below a prompt."""

    parent_message_id: NotEmpty
    selected_messages: Annotated[tuple[Message, ...], Meta(min_length=1)]


class RankedMessages(Record, frozen=True):
    """The messages below a prompt, with their places."""

    parent_message_id: NotEmpty
    ranked_messages: Annotated[tuple[RankedMessage, ...], Meta(min_length=1)]


class SingleSelection(Record, frozen=True, tag_field="format", tag="message-single-selection"):
    data: SelectedMessage


class MultiSelection(Record, frozen=True, tag_field="format", tag="message-multi-selection"):
    data: SelectedMessages


class Ranking(Record, frozen=True, tag_field="format", tag="message-ranking"):
    data: RankedMessages


class Line(Record, frozen=True, kw_only=True):
    """One line. Exactly one payload is set; which keys may stand beside it is in `BESIDE`.

    msgspec cannot tell several untagged records apart, so all payloads are fields of one record.
    The fields of a plain box line come first: those after them are compared in one step.
    """

    uuid: str | UnsetType = UNSET
    data_row: DataRow
    name: NotEmpty | UnsetType = UNSET
    schema_id: SchemaId | UnsetType = UNSET
    bbox: Box | UnsetType = UNSET
    polygon: Annotated[tuple[Position, ...], Meta(min_length=3)] | UnsetType = UNSET
    line: Annotated[tuple[Position, ...], Meta(min_length=2)] | UnsetType = UNSET
    point: Position | UnsetType = UNSET
    mask: Mask | UnsetType = UNSET
    location: Location | UnsetType = UNSET
    text_selections: Annotated[tuple[TextSelection, ...], Meta(min_length=1)] | UnsetType = UNSET
    segments: Annotated[tuple[Segment, ...], Meta(min_length=1)] | UnsetType = UNSET
    masks: VideoMasks | UnsetType = UNSET
    relationship: Relationship | UnsetType = UNSET
    message_evaluation_task: SingleSelection | MultiSelection | Ranking | UnsetType = UNSET
    answer: str | Option | Options | UnsetType = UNSET
    answers: Options | UnsetType = UNSET
    classifications: tuple[Nested, ...] | UnsetType = UNSET
    confidence: Confidence | UnsetType = UNSET
    custom_metrics: tuple[Metric, ...] | UnsetType = UNSET
    page: Count | UnsetType = UNSET
    unit: Literal["INCHES", "PIXELS", "POINTS", "PERCENT"] | UnsetType = UNSET
    frames: Ranges | UnsetType = UNSET
    message_id: NotEmpty | UnsetType = UNSET
    group_key: Literal["axial", "sagittal", "coronal"] | UnsetType = UNSET
    is_benchmark_reference_label: bool | UnsetType = UNSET
