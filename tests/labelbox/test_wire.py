"""Typed decoding and the schema accept and refuse the same lines."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labelconv import schema
from labelconv.formats.labelbox import wire

UUID = "7d0f0d1c-8f5b-4a77-9f0e-0c6a1a6f0001"
OTHER = "7d0f0d1c-8f5b-4a77-9f0e-0c6a1a6f0002"
BOX = {"top": 40.5, "left": 12, "height": 80, "width": 130}
RING = [{"x": 1, "y": 1}, {"x": 9.5, "y": 1}, {"x": 9.5, "y": 7}]
TIMED = [{"value": "hello", "frames": [{"start": 1, "end": 5}]}]
CHAT = {"messageId": "m1", "modelConfigName": "model A"}
SCHEMA_ID = "c" * 25


def line(**payload: Any) -> dict[str, Any]:
    """A line with the envelope of a named feature."""
    return {"uuid": UUID, "dataRow": {"globalKey": "gk-1"}, "name": "feature", **payload}


def nameless(**payload: Any) -> dict[str, Any]:
    return {"uuid": UUID, "dataRow": {"globalKey": "gk-1"}, **payload}


def track(**shape: Any) -> dict[str, Any]:
    return line(segments=[{"keyframes": [{"frame": 1, **shape}]}])


def task(form: str, **data: Any) -> dict[str, Any]:
    return line(messageEvaluationTask={"format": form, "data": {"parentMessageId": "p", **data}})


NESTED = {
    "name": "colour",
    "answer": {"name": "red", "classifications": [{"name": "shade", "answer": "dark"}]},
}

GOOD: dict[str, dict[str, Any]] = {
    "image box": line(bbox=BOX),
    "image box with nested answers": line(
        bbox=BOX,
        classifications=[NESTED, {"name": "parts", "answers": [{"name": "a"}]}],
    ),
    "image polygon": line(polygon=RING),
    "image line": line(line=RING[:2]),
    "image point": line(point={"x": 14.2, "y": 3}),
    "mask by address": line(mask={"instanceURI": "https://host/m.png", "colorRGB": [255, 0, 0]}),
    "mask by png": line(mask={"png": "AAAA"}),
    "mask by composite bytes": line(mask={"imBytes": "AAAA", "colorRGB": [255, 0, 0]}),
    "radio": line(answer={"name": "sunny"}),
    "checklist": line(answer=[{"name": "city"}, {"name": "night"}]),
    "checklist as answers": line(answers=[{"name": "city"}]),
    "free text": line(answer="free text"),
    "text with confidence": line(answer="free text", confidence=0.5),
    "option with confidence": line(answer={"name": "sunny", "confidence": 1}),
    "text with nested answers": line(answer="a", classifications=[{"name": "b", "answer": "c"}]),
    "relation": line(relationship={"source": UUID, "target": OTHER, "type": "unidirectional"}),
    "video boxes": line(
        segments=[
            {
                "keyframes": [
                    {"frame": 1, "bbox": BOX},
                    {"frame": 9, "bbox": BOX, "classifications": [NESTED]},
                ]
            },
            {"keyframes": [{"frame": 14, "bbox": BOX}]},
        ]
    ),
    "video point": track(point={"x": 3, "y": 4}),
    "video line": track(line=RING[:2]),
    "video masks": nameless(
        masks={
            "frames": [{"index": 1, "instanceURI": "https://host/f"}, {"index": 2, "imBytes": "A"}],
            "instances": [
                {"colorRGB": [255, 0, 0], "name": "road"},
                {"colorRGB": [0, 255, 0], "name": "car mask"},
            ],
        }
    ),
    "frame radio, form A": line(answer={"name": "indoor"}, frames=[{"start": 7, "end": 13}]),
    "frame checklist, form A": line(answers=[{"name": "a"}], frames=[{"start": 7, "end": 13}]),
    "frame radio, form B": line(answer={"name": "indoor", "frames": [{"start": 9, "end": 15}]}),
    "frame checklist, form B": line(answer=[{"name": "a", "frames": [{"start": 29, "end": 35}]}]),
    "text per range": line(answer=TIMED),
    "text entity": line(location={"start": 4, "end": 9}),
    "conversation entity": line(location={"start": 0, "end": 8}, messageId="4"),
    "message radio": line(answer={"name": "polite"}, messageId="0"),
    "message checklist": line(answers=[{"name": "a"}], messageId="2"),
    "message text": line(answer="text", messageId="0"),
    "document box": line(page=0, unit="POINTS", bbox=BOX),
    "document entity": line(textSelections=[{"groupId": "g", "tokenIds": ["t", "u"], "page": 1}]),
    "readonly relation": line(
        relationship={
            "source": UUID,
            "target": OTHER,
            "type": "bidirectional",
            "readonly": True,
        }
    ),
    "relation from a question": line(
        relationship={"sourceOntologyName": "type", "target": OTHER, "type": "unidirectional"}
    ),
    "audio transcript with nested ranges": line(
        answer=[
            {
                "value": "Hello",
                "frames": [{"start": 1600, "end": 2000}],
                "classifications": [{"name": "note", "answer": TIMED}],
            }
        ]
    ),
    "audio options": line(
        answer=[
            {"name": "hum", "frames": [{"start": 0, "end": 1500}, {"start": 2000, "end": 3000}]},
            {"name": "echo", "frames": [{"start": 2200, "end": 2900}]},
        ]
    ),
    "map point": line(point={"x": -99.2065, "y": 19.4002}),
    "map box from the north": line(
        bbox={"top": 19.4, "left": -99.2, "height": -0.01, "width": 0.01}
    ),
    "volume line": line(
        groupKey="axial", segments=[{"keyframes": [{"frame": 1, "line": RING[:2]}]}]
    ),
    "volume masks": nameless(
        groupKey="axial",
        masks={
            "frames": [{"index": 1, "imBytes": "A"}],
            "instances": [{"colorRGB": [1, 2, 3], "name": "a"}],
        },
    ),
    "single selection": task("message-single-selection", **CHAT),
    "multi selection": task("message-multi-selection", selectedMessages=[CHAT]),
    "ranking": task("message-ranking", rankedMessages=[{**CHAT, "order": 1}]),
    "no uuid": {"dataRow": {"id": "x"}, "name": "a", "bbox": BOX},
    "by schemaId": nameless(schemaId=SCHEMA_ID, answer={"schemaId": SCHEMA_ID}),
    "name and schemaId": line(schemaId=SCHEMA_ID, bbox=BOX),
    "metrics and benchmark flag": line(
        bbox=BOX,
        customMetrics=[{"name": "iou", "value": 0.5}],
        confidence=0,
        isBenchmarkReferenceLabel=True,
    ),
    "upper-case uuid in braces": {**line(bbox=BOX), "uuid": "{" + UUID.upper() + "}"},
    "uuid without dashes": {**line(bbox=BOX), "uuid": UUID.replace("-", "")},
    "uuid with odd groups": {**line(bbox=BOX), "uuid": "7d0f-0d1c8f5b-4a779f0e-0c6a-1a6f0001"},
}

BAD: dict[str, tuple[dict[str, Any], str]] = {
    "run lengths": (line(mask={"size": [4, 6], "counts": [1, 23]}), "/mask/size"),
    "box without height": (line(bbox={"top": 1, "left": 2, "width": 3}), "/bbox"),
    "box with negative width": (line(bbox={**BOX, "width": -1}), "/bbox/width"),
    "box as text": (line(bbox={**BOX, "top": "1"}), "/bbox/top"),
    "misspelt payload": (line(bbbox=BOX), "/bbbox"),
    "two payloads": (line(bbox=BOX, point=RING[0]), ""),
    "no payload": (line(), ""),
    "polygon of two points": (line(polygon=RING[:2]), "/polygon"),
    "line of one point": (line(line=RING[:1]), "/line"),
    "points as pairs": (line(line=[[0, 1], [2, 3]]), "/line/0"),
    "page without unit": (line(bbox=BOX, page=1), ""),
    "lower-case unit": (line(bbox=BOX, page=1, unit="points"), "/unit"),
    "page box of negative height": (
        line(bbox={**BOX, "height": -1}, page=1, unit="POINTS"),
        "/bbox/height",
    ),
    "keyframe polygon": (track(polygon=RING), "/segments/0/keyframes/0/polygon"),
    "keyframe of negative height": (
        track(bbox={**BOX, "height": -1}),
        "/segments/0/keyframes/0/bbox/height",
    ),
    "track without keyframes": (line(segments=[{"keyframes": []}]), "/segments/0/keyframes"),
    "track with confidence": (
        line(segments=[{"keyframes": [{"frame": 1, "bbox": BOX}]}], confidence=1),
        "/confidence",
    ),
    "text page 0": (
        line(textSelections=[{"groupId": "g", "tokenIds": ["t"], "page": 0}]),
        "/textSelections/0/page",
    ),
    "negative text start": (line(location={"start": -1, "end": 2}), "/location/start"),
    "fraction as offset": (line(location={"start": 1.5, "end": 2}), "/location/start"),
    "integral float as offset": (line(location={"start": 1.0, "end": 2}), "/location/start"),
    "message id as number": (line(answer="a", messageId=4), "/messageId"),
    "empty checklist": (line(answer=[]), "/answer"),
    "nameless option": (line(answer=[{"confidence": 1}]), "/answer/0"),
    "text beside options": (line(answer=[{"name": "a"}, *TIMED]), "/answer/0"),
    "text without ranges": (line(answer=[{"value": "a"}]), "/answer/0"),
    "radio confidence outside": (line(answer={"name": "a"}, confidence=1), "/confidence"),
    "frames beside a text": (line(answer="a", frames=[{"start": 1, "end": 2}]), "/frames"),
    "nested answer twice": (
        line(bbox=BOX, classifications=[{"name": "a", "answer": "b", "answers": [{"name": "c"}]}]),
        "/classifications/0",
    ),
    "short schemaId": ({**nameless(bbox=BOX), "schemaId": "abc"}, "/schemaId"),
    "no name": (nameless(bbox=BOX), ""),
    "name on video masks": (
        line(
            masks={
                "frames": [{"index": 1, "imBytes": "A"}],
                "instances": [{"colorRGB": [1, 2, 3], "name": "a"}],
            }
        ),
        "/name",
    ),
    "colour beside png": (line(mask={"png": "A", "colorRGB": [1, 2, 3]}), "/mask/colorRGB"),
    "address without colour": (line(mask={"instanceURI": "a"}), "/mask"),
    "colour above 255": (
        line(mask={"instanceURI": "a", "colorRGB": [1, 2, 256]}),
        "/mask/colorRGB/2",
    ),
    "relation of an unknown type": (
        line(relationship={"source": UUID, "target": OTHER, "type": "one-way"}),
        "/relationship/type",
    ),
    "relation with two sources": (
        line(
            relationship={
                "source": UUID,
                "sourceOntologyName": "a",
                "target": OTHER,
                "type": "unidirectional",
            }
        ),
        "/relationship",
    ),
    "both row keys": ({**line(bbox=BOX), "dataRow": {"id": "a", "globalKey": "b"}}, "/dataRow"),
    "external id": ({**line(bbox=BOX), "dataRow": {"externalId": "a"}}, "/dataRow/externalId"),
    "long global key": (
        {**line(bbox=BOX), "dataRow": {"globalKey": "k" * 201}},
        "/dataRow/globalKey",
    ),
    "uuid of 31 digits": ({**line(bbox=BOX), "uuid": UUID[:-1]}, "/uuid"),
    "uuid and a line feed": ({**line(bbox=BOX), "uuid": UUID + "\n"}, "/uuid"),
    "uuid in one brace": ({**line(bbox=BOX), "uuid": "{" + UUID}, "/uuid"),
    "confidence above 1": (line(bbox=BOX, confidence=1.01), "/confidence"),
    "rank 0": (
        task("message-ranking", rankedMessages=[{**CHAT, "order": 0}]),
        "/messageEvaluationTask/data/rankedMessages/0/order",
    ),
    "metric line": (
        nameless(metricName="a", metricValue=0.5),
        "/metricName",
    ),
}


def accepted(value: object) -> bool:
    try:
        wire.decode_line(json.dumps(value).encode())
    except msgspec.DecodeError:
        return False
    return True


@pytest.mark.parametrize("value", GOOD.values(), ids=list(GOOD))
def test_every_documented_shape_is_accepted_by_types_and_schema(value: dict[str, Any]) -> None:
    assert schema.errors("labelbox-mal", value) == []
    assert msgspec.json.decode(msgspec.json.encode(wire.decode_line(json.dumps(value).encode())))


@pytest.mark.parametrize("value", GOOD.values(), ids=list(GOOD))
def test_decoding_a_line_keeps_all_of_it(value: dict[str, Any]) -> None:
    again = msgspec.json.decode(msgspec.json.encode(wire.decode_line(json.dumps(value).encode())))
    assert again == value


@pytest.mark.parametrize(("value", "pointer"), BAD.values(), ids=list(BAD))
def test_every_fault_is_refused_by_types_and_schema_at_its_place(
    value: dict[str, Any], pointer: str
) -> None:
    assert not accepted(value)
    assert pointer in [error.pointer for error in schema.errors("labelbox-mal", value)]


def test_payload_names_the_field_that_is_set() -> None:
    assert wire.payload(wire.decode_line(json.dumps(GOOD["text entity"]).encode())) == "location"


@pytest.mark.parametrize("text", [b"", b"{", b"\xff", b"[" * 100_000, b'{"a":NaN}', b"{}{}"])
def test_what_is_not_one_json_value_raises_a_decode_error(text: bytes) -> None:
    with pytest.raises(msgspec.DecodeError):
        wire.decode_line(text)


def test_deep_nesting_raises_a_decode_error_and_no_recursion_error() -> None:
    deep = b'{"name":"a","answer":{"name":"b","classifications":['
    text = b'{"dataRow":{"id":"a"},"name":"a","bbox":{"top":1,"left":1,"height":1,"width":1},'
    whole = text + b'"classifications":[' + deep * 5_000 + b"]}" * 5_000 + b"]}"
    with pytest.raises(msgspec.DecodeError):
        wire.decode_line(whole)


def test_importing_the_records_loads_no_heavy_library() -> None:
    program = (
        "import sys, labelconv.formats.labelbox.wire\n"
        "print(sorted({'numpy', 'jsonschema', 'shapely', 'pycocotools', 'PIL'} & set(sys.modules)))"
    )
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert run.stdout.strip() == "[]"


# ----------------------------------------------------------------------- equal by construction?

NUMBERS = st.one_of(
    st.sampled_from([0, -1, 1, 0.5, 1.0, 2, 3.5, -0.0, 255, 256, 2**53 - 1, 2**53, 2**70, 1e300]),
    st.integers(-5, 300),
    st.floats(allow_nan=False, allow_infinity=False),
)
TEXTS = st.one_of(
    st.sampled_from(["", "a", UUID, "{" + UUID + "}", UUID + "\n", SCHEMA_ID, "c" * 24, "axial"]),
    st.sampled_from(["POINTS", "message-ranking", "message-single-selection", "unidirectional"]),
    st.text(max_size=3),
)
ATOMS = st.one_of(st.none(), st.booleans(), NUMBERS, TEXTS)
KEYS = sorted({key for value in GOOD.values() for key in json.dumps(value).split('"')[1::2]})
PIECES: list[Any] = [BOX, RING, RING[0], TIMED, [NESTED], CHAT, [], {}, [{"name": "a"}]]
PIECES += [v for value in GOOD.values() for v in value.values() if isinstance(v, (dict, list))]
VALUES = st.one_of(ATOMS, st.sampled_from(PIECES), st.lists(st.sampled_from(PIECES), max_size=2))


def places(value: object, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The paths of all values inside `value`."""
    found = [path]
    if isinstance(value, dict):
        found += [p for key, below in value.items() for p in places(below, (*path, key))]
    elif isinstance(value, list):
        found += [p for i, below in enumerate(value) for p in places(below, (*path, i))]
    return found


def at(value: Any, path: tuple[Any, ...]) -> Any:
    for step in path:
        value = value[step]
    return value


@st.composite
def mutants(draw: st.DrawFn) -> Any:
    """A documented shape after up to three changes: a key deleted, added, or a value replaced."""
    value = json.loads(json.dumps(draw(st.sampled_from(list(GOOD.values())))))
    for _ in range(draw(st.integers(0, 3))):
        path = draw(st.sampled_from(places(value)))
        target = at(value, path)
        change = draw(st.sampled_from(["delete", "replace", "add"]))
        if change == "add" and isinstance(target, dict):
            target[draw(st.sampled_from(KEYS))] = draw(VALUES)
        elif change == "add" and isinstance(target, list):
            target.append(draw(VALUES))
        elif path and change == "delete":
            del at(value, path[:-1])[path[-1]]
        elif path:
            at(value, path[:-1])[path[-1]] = draw(VALUES)
        value = json.loads(json.dumps(value))
    return value


@settings(max_examples=1_500, deadline=None)
@given(mutants())
def test_types_and_schema_accept_and_refuse_the_same_lines(value: Any) -> None:
    found = schema.errors("labelbox-mal", value)
    assert accepted(value) == (not found), found
