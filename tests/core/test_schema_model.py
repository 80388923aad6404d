"""The model's JSON Schema is made from the model, and says what msgspec says."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest
from hypothesis import given

from labelconv import schema, testing
from labelconv.model import Image, Sample, Samples, Video

_TOOL = Path(__file__).parents[2] / "tools" / "generate_model_schema.py"


def _generated() -> str:
    spec = importlib.util.spec_from_file_location("generate_model_schema", _TOOL)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    text: str = module.text()
    return text


def _validator() -> Any:
    return jsonschema.Draft202012Validator(schema.load("labelconv"))


def test_the_schema_in_the_repository_is_the_one_made_from_the_model() -> None:
    kept = Path(__file__).parents[2] / "schemas" / "labelconv.schema.json"
    assert kept.read_text(encoding="utf-8") == _generated(), (
        "run `python tools/generate_model_schema.py`"
    )


def test_it_is_a_valid_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(schema.load("labelconv"))


@pytest.mark.parametrize("media", [Image, Video])
def test_any_sample_follows_the_schema(media: type[Any]) -> None:
    validator = _validator()

    @given(testing.everything(media))
    def follows(dataset: Samples) -> None:
        for sample in dataset:
            validator.validate(json.loads(msgspec.json.encode(sample)))

    follows()


@pytest.mark.parametrize(
    "line",
    [
        '{"labelconv": "1"}',
        '{"key": 5, "media": {"type": "Image"}}',
        '{"key": "a"}',
        '{"key": "a", "media": {"type": "Nothing"}}',
        '{"key": "a", "media": {"type": "Image"}, "annotations": [{"id": "1"}]}',
        '{"key": "a", "media": {"type": "Image"}, "relations": [{"id": "1", "source": "a"}]}',
    ],
)
def test_what_breaks_the_model_breaks_the_schema(line: str) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(line, type=Sample)
    assert not _validator().is_valid(json.loads(line))
