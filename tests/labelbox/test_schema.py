"""Schemas are found, and what breaks them is said in words that name the place."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from labelconv import schema
from labelconv.errors import OptionError
from labelconv.formats.labelbox.ontology import read_ontology

BOX = {"top": 1, "left": 2, "height": 3, "width": 4}


def words(**payload: Any) -> list[str]:
    """What is said about a line with this payload."""
    line = {"dataRow": {"globalKey": "a"}, "name": "car", **payload}
    return [str(error) for error in schema.errors("labelbox-mal", line)]


@pytest.mark.parametrize("name", ["labelbox-mal", "labelbox-ontology"])
def test_schemas_are_valid_2020_12_and_have_no_reference_outside(name: str) -> None:
    from jsonschema import Draft202012Validator

    loaded = schema.load(name)
    Draft202012Validator.check_schema(loaded)
    assert loaded["$schema"] == "https://json-schema.org/draft/2020-12/schema"


def test_an_unknown_schema_is_the_callers_mistake_and_the_known_ones_are_named() -> None:
    with pytest.raises(OptionError, match="labelbox-mal, labelbox-ontology"):
        schema.load("labelbox")


def test_a_missing_key_is_named_at_its_object() -> None:
    assert words(bbox={"top": 1, "left": 2, "width": 4}) == ["'height' is required at /bbox"]


def test_a_misspelt_key_is_said_once_with_the_key_that_was_meant() -> None:
    found = words(bbox={"top": 1, "left": 2, "width": 4, "heigth": 3})
    assert found == ["unknown key 'heigth'; did you mean 'height'? at /bbox/heigth"]


def test_a_misspelt_payload_is_said_once_too() -> None:
    assert words(bbbox=BOX) == ["unknown key 'bbbox'; did you mean 'bbox'? at /bbbox"]


def test_an_unknown_key_without_a_likeness_gets_no_guess() -> None:
    assert words(bbox={**BOX, "zzz": 1}) == ["unknown key 'zzz' at /bbox/zzz"]


def test_alternatives_are_listed_when_two_are_given() -> None:
    (found,) = words(bbox=BOX, point={"x": 1, "y": 2})
    assert found.startswith("exactly one of bbox, polygon, ")
    assert found.endswith("'bbox' and 'point' found")


def test_a_key_that_may_not_stand_there_is_named_with_its_neighbour() -> None:
    assert words(bbox=BOX, messageId="4") == [
        "'messageId' is not allowed beside 'bbox' at /messageId"
    ]


def test_a_neighbour_that_is_missing_is_named() -> None:
    assert words(bbox=BOX, page=1) == ["'unit' is required beside 'page'"]


def test_a_wrong_type_says_what_was_expected_and_found() -> None:
    assert words(bbox={**BOX, "top": "1"}) == ["a number expected, '1' found at /bbox/top"]
    assert words(answer=3) == ["a text, an object or a list expected, 3 found at /answer"]
    assert words(answer=None) == ["a text, an object or a list expected, null found at /answer"]


def test_limits_say_the_limit_and_what_was_found() -> None:
    assert words(answer=[]) == ["at least 1 item expected, 0 found at /answer"]
    assert words(polygon=[{"x": 1, "y": 1}]) == ["at least 3 items expected, 1 found at /polygon"]
    assert words(bbox=BOX, confidence=2) == [
        "a number of at most 1 expected, 2 found at /confidence"
    ]
    assert words(bbox=BOX, schemaId="abc") == [
        "a text of exactly 25 characters expected, 3 found at /schemaId"
    ]


def test_a_wrong_choice_gets_the_nearest_one() -> None:
    found = words(bbox=BOX, page=1, unit="points")
    expected = "one of INCHES, PIXELS, POINTS, PERCENT expected, 'points' found; "
    assert found == [expected + "did you mean 'POINTS'? at /unit"]


def test_a_pattern_is_said_by_its_name() -> None:
    assert words(bbox=BOX, uuid="7") == ["a UUID expected, '7' found at /uuid"]


def test_a_long_value_is_cut_in_the_sentence() -> None:
    (found,) = words(bbox=BOX, uuid="7" * 500)
    assert len(found) < 120


def test_keys_with_slashes_and_tildes_are_escaped_in_the_pointer() -> None:
    found = schema.errors(
        "labelbox-mal", {"dataRow": {"id": "a"}, "answer": "b", "name": "c", "~/": 1}
    )
    assert [error.pointer for error in found] == ["/~0~1"]


def test_every_fault_of_a_line_is_said() -> None:
    found = words(bbox={"top": "a", "left": 2, "width": -4}, confidence=7)
    assert sorted(each.rpartition(" at ")[2] for each in found) == [
        "/bbox",
        "/bbox/top",
        "/bbox/width",
        "/confidence",
    ]


def test_a_line_of_another_type_is_said_at_its_root() -> None:
    found = schema.errors("labelbox-mal", [1])
    assert [(e.pointer, e.message) for e in found] == [("", "an object expected, a list found")]


def test_a_line_nested_too_deeply_gets_a_sentence() -> None:
    value: dict[str, Any] = {"name": "a", "answer": "b"}
    for _ in range(3_000):
        value = {"name": "a", "answer": {"name": "b", "classifications": [value]}}
    found = schema.errors(
        "labelbox-mal",
        {"dataRow": {"id": "a"}, "name": "c", "bbox": BOX, "classifications": [value]},
    )
    assert [each.message for each in found] == ["the record is nested too deeply"]


def test_jsonschema_is_imported_when_first_needed() -> None:
    program = "import sys, labelconv.schema\nprint('jsonschema' in sys.modules)"
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert run.stdout.strip() == "False"


@pytest.mark.parametrize(
    ("document", "sentence"),
    [
        (b"[]", "an object expected, a list found"),
        (b"{}", "has neither tools nor classifications"),
        (b"{", "is not JSON"),
        (b'{"tools":[null],', "is not JSON"),
        (b'{"tools":[null],"name":"\\ud800"}', "is not JSON"),
        (b'{"tools":[{"tool":"rectangle"}]}', "'name' is required at /tools/0"),
        (b'{"tools":[{"tool":"rectangle","name":3}]}', "a text expected, 3 found at /tools/0/name"),
        (
            b'{"tools":[{"tool":"line","name":"a"},{"tool":"line","name":"a"}]}',
            "has two line tools named 'a'",
        ),
    ],
)
def test_a_file_that_is_no_ontology_is_refused_with_a_sentence(
    document: bytes, sentence: str
) -> None:
    with pytest.raises(OSError, match=r"onto\.json") as caught:
        read_ontology(document, "onto.json")
    assert sentence in str(caught.value)


def test_a_byte_order_mark_before_an_ontology_is_passed_over() -> None:
    data = b'{"tools":[{"tool":"line","name":"a"}]}'
    assert read_ontology(b"\xef\xbb\xbf" + data) == read_ontology(data)


def test_unknown_keys_of_an_ontology_are_ignored() -> None:
    text = b'{"tools":[{"tool":"rectangle","name":"a","archived":0}],"classifications":[],"x":1}'
    assert schema.errors("labelbox-ontology", {"tools": [], "new": 1}) == []
    assert list(read_ontology(text).tools) == ["a"]
